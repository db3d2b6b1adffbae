"""The protocol: a Storage SCP (PS3.4 Annex B) and Verification SCP (PS3.4 Annex A) over pynetdicom, within limits.

pynetdicom has a pair of threads an association. What it leaves open is closed here: how long a peer may take for one
PDU or for TLS, how large PDUs, images and associations may be, and how many connections may wait.
"""

import logging
import socket
import ssl
import threading
import time
from typing import Any, cast

from django.conf import settings
from django.db import connection
from pydicom.dataset import Dataset
from pydicom.uid import AllTransferSyntaxes
from pynetdicom import _config, evt, sop_class
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.service_class import StorageServiceClass
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from consilium.gateways.dimse import config, peers
from consilium.gateways.dimse.filing import Filing, Order
from consilium.gateways.dimse.part10 import IMPLEMENTATION_NAME, IMPLEMENTATION_UID, Received, understood
from consilium.gateways.dimse.peers import Rejection, Target
from consilium.gateways.dimse.status import (
    COMMENTS,
    INVALID_INSTANCE,
    NOT_AUTHORISED,
    NOT_MATCHING,
    NOT_UNDERSTOOD,
    OUT_OF_RESOURCES,
    SUCCESS,
)
from consilium.gateways.dimse.transport import BoundedSocket, connect
from consilium.imaging import facts

log = logging.getLogger("consilium.dimse")

VERIFICATION = "1.2.840.10008.1.1"  # PS3.4 Annex A
HANDSHAKE = 10.0  # seconds for TLS
WAITING = 32  # connections beyond the associations that may be open before one is refused without an answer
KNOWN_SYNTAXES = frozenset(str(uid) for uid in AllTransferSyntaxes)


class Incoming(Association):
    """An association that somebody opened to us; `target`: where its images go, once it is admitted."""

    target: Target | None = None
    stored = refused = 0

    def _serve_request(self, msg: Any, context_id: int) -> None:
        """C-STORE of any SOP class that was negotiated, private ones too; everything else as pynetdicom does it."""
        context = self._accepted_cx.get(context_id)
        if not isinstance(msg, C_STORE) or context is None or not msg.is_valid_request or self._sent_release:
            super()._serve_request(msg, context_id)
            return
        try:
            self._is_paused = True
            StorageServiceClass(self).SCP(msg, context)
            self._is_paused = False
        except Exception:  # the boundary of an association's thread: the peer is told that it is over
            log.exception("association failed")
            self.abort()


class Handler(RequestHandler):
    """One connection: TLS first, in its own thread, then an association."""

    def handle(self) -> None:
        server = cast(Server, self.server)
        if server.wrapping is not None:
            server.shaking.append(self)
            try:
                self.request.settimeout(HANDSHAKE)
                self.request = server.wrapping.wrap_socket(self.request, server_side=True)
            except OSError as error:  # ssl.SSLError is one
                log.warning("TLS refused", extra={"code": type(error).__name__})
                server.shutdown_request(self.request)
                return
            finally:
                server.shaking.remove(self)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().handle()

    def _create_association(self) -> Association:
        server = cast(Server, self.server)
        made = Incoming(self.ae, MODE_ACCEPTOR)
        made._server = server
        made.name = f"AcceptorThread@{time.time():.6f}"  # the library counts associations by this name
        connect(made, self.request)
        acceptor = made.acceptor
        acceptor.maximum_length = self.ae.maximum_pdu_size
        acceptor.ae_title = server.ae_title
        acceptor.address_info = self.local
        acceptor.implementation_class_uid = self.ae.implementation_class_uid
        acceptor.implementation_version_name = self.ae.implementation_version_name
        acceptor.supported_contexts = list(server.contexts)
        made.requestor.address_info = self.remote
        for event, bound in server._handlers.items():
            if event.is_intervention:
                made.bind(event, *cast(Any, bound))
            else:
                for one in cast(Any, bound):
                    made.bind(event, *one)
        return made


class Server(ThreadedAssociationServer):
    """Listens; `wrapping` is the TLS context, used where a slow peer keeps nobody else waiting."""

    wrapping: ssl.SSLContext | None = None
    daemon_threads = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.shaking: list[Handler] = []  # connections on which TLS is being agreed on

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room for another connection at all."""
        return len(self.active_associations) + len(self.shaking) < settings.DIMSE_MAX_ASSOCIATIONS + WAITING

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that failed: logged without what it said."""
        log.warning("connection failed", exc_info=True)


class Gateway:
    """The running gateway. `start` returns when it listens."""

    def __init__(self, host: str, port: int) -> None:
        quiet()
        self.filing = Filing()
        self._admitting = threading.Lock()
        self._server = self._listen(host, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="dimse", daemon=True)

    def _listen(self, host: str, port: int) -> Server:
        entity = ApplicationEntity(settings.DIMSE_AE_TITLE)
        entity.implementation_class_uid = IMPLEMENTATION_UID
        entity.implementation_version_name = IMPLEMENTATION_NAME
        entity.maximum_pdu_size = settings.DIMSE_MAX_PDU
        entity.maximum_associations = 10**6  # counted in `_admit`: who has not said a word takes nobody's place
        entity.network_timeout = entity.dimse_timeout = settings.DIMSE_IDLE_SECONDS
        entity.acse_timeout = min(30.0, settings.DIMSE_IDLE_SECONDS)
        handlers: list[Any] = [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_CONN_CLOSE, _closed),
            (evt.EVT_C_ECHO, lambda _event: SUCCESS),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_RELEASED, self._ended, ["released"]),
            (evt.EVT_ABORTED, self._ended, ["aborted"]),
        ]
        made: Any = entity.make_server(
            (host, port),
            contexts=[build_context(VERIFICATION)],
            evt_handlers=handlers,
            server_class=Server,
            request_handler=Handler,
        )
        made.wrapping = config.tls()
        entity._servers.append(made)  # where `shutdown` looks for it
        return cast(Server, made)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self.filing.start()
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """Take no more associations, let those that run finish for a while, then abort them."""
        self._server.shutdown()
        self._thread.join(5)
        until = time.monotonic() + patience
        while self._server.active_associations and time.monotonic() < until:
            time.sleep(0.05)
        for one in self._server.active_associations:
            one.abort()
        self.filing.stop()

    # --- events --------------------------------------------------------------------------------------------

    def _requested(self, event: Any) -> None:
        """Admit the association or reject it with the reason; what cannot be asked now is rejected for now."""
        incoming: Incoming = event.assoc
        proposal = incoming.requestor.primitive
        assert proposal is not None
        address = incoming.requestor.address.removeprefix("::ffff:")
        try:
            found = peers.admitted(proposal.calling_ae_title.strip(), proposal.called_ae_title.strip(), address)
        except Exception:  # whatever it is, nobody is let in by it: the peer may come again
            log.exception("association could not be judged")
            found = peers.CONGESTED
        finally:
            connection.close()  # of this thread, which asks once
        if isinstance(found, Target):
            found = self._admit(incoming, found)
        if isinstance(found, Rejection):
            log.warning("association rejected", extra={"code": f"{found.result}.{found.source}.{found.reason}"})
            incoming.acse.send_reject(*found)
            incoming.kill()
            return
        incoming.acceptor.supported_contexts = offered(proposal.presentation_context_definition_list)

    def _admit(self, incoming: Incoming, target: Target) -> Target | Rejection:
        """Give it one of the places, if there is one."""
        with self._admitting:
            running = [one for one in self._server.active_associations if getattr(one, "target", None)]
            if len(running) >= settings.DIMSE_MAX_ASSOCIATIONS:
                return peers.NO_PLACE
            incoming.target = target
        return target

    def _store(self, event: Any) -> int | Dataset:
        """Answer one C-STORE request (PS3.7 §9.1.1)."""
        incoming: Incoming = event.assoc
        line = incoming.dul.socket
        if isinstance(line, BoundedSocket):
            line.message = 0
        status = self._stored(incoming, event.request, str(event.context.transfer_syntax))
        if status == SUCCESS:
            incoming.stored += 1
            return SUCCESS
        incoming.refused += 1
        log.warning("image refused", extra={"status": status})
        answer = Dataset()
        answer.Status = status
        answer.ErrorComment = COMMENTS.get(status, "")
        return answer

    def _stored(self, incoming: Incoming, request: Any, syntax: str) -> int:
        target = incoming.target
        if target is None:
            return NOT_AUTHORISED
        sop_class, instance = str(request.AffectedSOPClassUID or ""), str(request.AffectedSOPInstanceUID or "")
        if not is_uid(instance):
            return INVALID_INSTANCE
        if not is_uid(sop_class) or request.DataSet is None:
            return NOT_UNDERSTOOD
        received = Received(sop_class, instance, syntax, target.sender.title, request.DataSet.getbuffer())
        if len(received.dataset) > settings.DIMSE_MAX_INSTANCE_BYTES:
            return OUT_OF_RESOURCES
        header = understood(received)
        if header is None:
            return NOT_UNDERSTOOD
        named = [str(facts.value(header["tags"], name)) for name in ("SOPClassUID", "SOPInstanceUID")]
        if named != [sop_class, instance]:
            return NOT_MATCHING
        return self.filing.store(Order(target, received, header))

    def _ended(self, event: Any, how: str) -> None:
        incoming: Incoming = event.assoc
        if incoming.target and incoming.stored:
            try:
                peers.ended(incoming.target)
            except Exception:  # the images are stored and answered: a missing tick must not break the release
                log.exception("checklist not updated")
            finally:
                connection.close()
        log.info("association ended", extra={"code": how, "count": incoming.stored, "status": incoming.refused})


def _closed(event: Any) -> None:
    """The peer is gone before it has asked for anything, as a port scan is: its thread would wait for it."""
    incoming: Incoming = event.assoc
    if incoming.requestor.primitive is None and incoming.dul.state_machine.current_state in ("Sta2", "Sta13"):
        incoming.dul.to_user_queue.put(cast(Any, None))


def offered(proposed: list[PresentationContext]) -> list[PresentationContext]:
    """What we accept of a proposal: Verification, and every SOP class that can be stored in a syntax that is known.

    Of several transfer syntaxes the sender's first is taken: it is the one the images are in.
    """
    syntaxes: dict[str, dict[str, None]] = {}
    for context in proposed:
        listed = syntaxes.setdefault(str(context.abstract_syntax), {})
        listed.update({str(one): None for one in context.transfer_syntax if str(one) in KNOWN_SYNTAXES})
    found = []
    for abstract, known in syntaxes.items():
        if abstract == VERIFICATION:
            found.append(build_context(VERIFICATION))
        elif known and is_storage(abstract):
            found.append(build_context(abstract, list(known)))
    return found


def is_storage(abstract: str) -> bool:
    """Storage SOP classes, private ones, and those that are newer than this program; no other service."""
    return abstract in _STORAGE or abstract not in _SERVICES


_STORAGE = frozenset(str(uid) for uid in sop_class._STORAGE_CLASSES.values())
_SERVICES = frozenset(
    str(uid)
    for name, table in vars(sop_class).items()
    if name.endswith("_CLASSES") and name != "_STORAGE_CLASSES" and isinstance(table, dict)
    for uid in table.values()
    if isinstance(uid, str)
)


def is_uid(text: str) -> bool:
    """PS3.5 §9.1: digits in components, at most 64 characters. Leading zeros are common and harmless."""
    return 0 < len(text) <= 64 and all(part.isascii() and part.isdigit() for part in text.split("."))


def quiet() -> None:
    """pynetdicom writes what it receives to its log; ours carries no word of it."""
    _config.LOG_HANDLER_LEVEL = "none"
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
