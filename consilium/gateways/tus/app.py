"""`/data/cases/<case>/uploads[/<upload>]`: any tus 1.0 client may send records to a case, and go on after any break.

Bare ASGI beside Django. The key is a session cookie (own pages only) or a bearer token; the gate is asked once and
remembered for half a minute, before each stretch counts, and anew before an upload is complete. An upload belongs to
the person who began it; to everybody else it does not exist.
"""

import asyncio
import errno
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from consilium.access import scopes
from consilium.cases.actions import records as verbs
from consilium.core import clock
from consilium.core.errors import NotAllowed, NotFound, Refusal
from consilium.gateways.data import language
from consilium.gateways.data.app import cookies_of
from consilium.gateways.data.grants import Grant, Grants, bearer_of, same_origin
from consilium.gateways.tus import protocol
from consilium.gateways.tus.arrival import Arrival, Stretch
from consilium.gateways.tus.locks import Hold, Locks
from consilium.gateways.tus.protocol import Checksum, Head, No, Receive, Scope, Send
from consilium.records import transfers
from consilium.records.models import Transfer
from consilium.vault import blobs
from consilium.vault.errors import VaultError
from consilium.vault.segments import Slice

log = logging.getLogger("consilium.data")

DRAIN_BYTES, DRAIN_SECONDS = 1024 * 1024, 5.0  # of a refused body, so that the client reads why
NONE = "00000000-0000-0000-0000-000000000000"
LOST = gettext_noop("You may no longer add records to this case.")


@dataclass
class Exchange:
    """One request: its head, where it points, and who asks."""

    head: Head
    scope: Scope
    receive: Receive
    send: Send
    case: UUID
    upload: UUID  # of a creation: none of anybody's
    grant: Grant


class Body:
    """The body of a request that knows whether it was read to its end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def __call__(self) -> dict[str, Any]:
        message = await self._receive()
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def drained(self, scope: Scope) -> bool:
        """Read what is left of a small refused body, so that the answer is seen; False when the line must be cut."""
        named = dict(scope["headers"])
        chunked, length = b"transfer-encoding" in named, named.get(b"content-length", b"0")
        if self._ended or (length == b"0" and not chunked):
            return True
        if chunked or not length.isdigit() or int(length) > DRAIN_BYTES:
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._ended:
                    await self()
        return self._ended


class Tus:
    """The ASGI application. `grants` is the cache of the gate (web/case_gate.py)."""

    def __init__(self, grants: Grants, *, threads: int = 4) -> None:
        self.grants = grants
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="tus")
        self.locks = Locks()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever is refused gets one sentence, in the language that the request accepts."""
        with translation.override(language.of(scope["headers"])):
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = Body(receive)
        try:
            await self._dispatch(scope, body, send)
            return
        except No as found:
            no = found
        except Exception:  # the boundary: whatever it is, it is logged and answered with a sentence
            log.exception("an upload could not be served")
            no = No(500, _("Something went wrong on our side; what was acknowledged is kept. Please try again later."))
        if not await body.drained(scope):
            no.close = True
        await protocol.refuse(send, no, bodyless=scope["method"] == "HEAD")

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        head, place = protocol.head_of(scope), protocol.place_of(scope["path"])
        if place is None:
            raise _nothing()
        if head.method == "OPTIONS":
            await self._options(send)
            return
        protocol.require_version(head)
        ways = {"POST": self._create, "HEAD": self._head, "PATCH": self._patch, "DELETE": self._delete}
        case, upload = UUID(place[0]), place[1]
        if head.method not in ways or (head.method == "POST") != (upload is None):
            allowed = b"OPTIONS, HEAD, PATCH, DELETE" if upload else b"OPTIONS, POST"
            raise No(405, "This method is not possible here.", (b"allow", allowed))
        grant = await self._grant(scope, case, writing=head.method != "HEAD")
        await self._guarded(ways[head.method], Exchange(head, scope, receive, send, case, UUID(upload or NONE), grant))

    async def _guarded(self, way: Callable[[Exchange], Awaitable[None]], request: Exchange) -> None:
        """Turn what goes wrong below into refusals."""
        try:
            await way(request)
        except transfers.Moved as moved:
            raise No(409, str(moved)) from None
        except (NotFound, NotAllowed):
            raise No(403, _(LOST)) from None
        except Refusal as refusal:
            raise No(refusal.status, str(refusal)) from None
        except VaultError:
            raise _nothing() from None
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            log.exception("no room for an upload")
            sentence = _("There is no room left for this upload; please try again later.")
            raise No(507, sentence, close=True) from None

    async def _grant(self, scope: Scope, case: UUID, *, writing: bool, fresh: bool = False) -> Grant:
        bearer = bearer_of(scope["headers"])
        if writing and not bearer and not same_origin(scope["headers"]):
            raise No(403, _("Other sites cannot send anything here."))
        grant = await self.grants.of(cookies_of(scope), bearer, case, fresh=fresh)
        if grant is None or not grant.may_add:
            raise _nothing()
        return grant

    async def _found(self, request: Exchange) -> Transfer:
        grant = request.grant
        found = await self.grants.thread(transfers.find, grant.space, request.upload, grant.principal.ref)
        if found is None:
            raise _nothing()
        if found.upload_id is None and found.expires_at <= clock.now():
            raise No(410, _("This upload was not finished in time and is gone; please begin again."))
        return found

    async def _free(self, request: Exchange, *, insist: bool = False) -> bool:
        """Whether nobody writes to the upload now; only whose it is may disturb a writer."""
        if request.upload in self.locks:
            await self._found(request)
        return await self.locks.settle(request.upload, insist=insist)

    # --- the methods ------------------------------------------------------------------------------------

    async def _options(self, send: Send) -> None:
        """What this server speaks ("OPTIONS")."""
        await protocol.answer(
            send,
            204,
            (b"allow", protocol.METHODS.encode()),
            (b"tus-version", protocol.VERSION.encode()),
            (b"tus-extension", protocol.EXTENSIONS.encode()),
            (b"tus-max-size", str(settings.MAX_UPLOAD_BYTES).encode()),
            (b"tus-checksum-algorithm", ",".join(protocol.ALGORITHMS).encode()),
        )

    async def _create(self, request: Exchange) -> None:
        """Begin an upload, perhaps with its first bytes ("Creation", "Creation With Upload")."""
        head, grant = request.head, request.grant
        length = protocol.length_of(head, settings.MAX_UPLOAD_BYTES)
        known = protocol.metadata_of(head)
        if head.has_body:
            protocol.require_body_type(head)
        checksum = self._announced(head, length, 0)
        name = known.get("filename") or known.get("name", "")
        metadata = {"raw": known["raw"], "name": name, "fingerprint": known.get("fingerprint", "")[:100]}
        transfer: Transfer = await self.grants.thread(self._begin, grant, length, metadata)
        if head.has_body:
            try:
                await self._receive(request, transfer, checksum)
            except (No, Refusal):
                if transfer.offset == 0:  # the client never learnt the address
                    await self.grants.thread(transfers.discard, transfer)
                raise
        if length == 0:
            await self._waiting(self._keep_empty, grant, transfer)
        place = (b"location", f"/data/cases/{request.case}/uploads/{transfer.pk}".encode())
        at = [protocol.offset(transfer.offset)] if head.has_body else []
        await protocol.answer(request.send, 201, place, *at, protocol.expires(transfer.expires_at))

    async def _head(self, request: Exchange) -> None:
        """Where an upload stands ("HEAD"); waits a moment for a request that is about to end."""
        await self._free(request)
        found = await self._found(request)
        raw = found.metadata.get("raw", "")
        named = [(b"upload-metadata", raw.encode("latin-1", "replace"))] if raw else []
        length = (b"upload-length", str(found.length).encode())
        at = [protocol.offset(found.offset), length, protocol.expires(found.expires_at)]
        await protocol.answer(request.send, 200, *at, *named)

    async def _patch(self, request: Exchange) -> None:
        """Take the next bytes of an upload ("PATCH")."""
        head = request.head
        protocol.require_body_type(head)
        offset = head.number("Upload-Offset")
        if offset is None:
            raise No(400, "Please send Upload-Offset: where the bytes of this request begin.")
        if not await self._free(request):
            raise No(423, "Another request is sending to this upload just now.")
        async with self.locks.holding(request.upload) as hold:
            transfer = await self._found(request)
            if offset != transfer.offset:
                at = protocol.offset(transfer.offset)
                raise No(409, f"This upload stands at {transfer.offset}; please go on from there.", at)
            checksum = self._announced(head, transfer.length, offset)
            await self._receive(request, transfer, checksum, hold)
        at = (protocol.offset(transfer.offset), protocol.expires(transfer.expires_at))
        await protocol.answer(request.send, 204, *at)

    async def _delete(self, request: Exchange) -> None:
        """Forget an upload and what arrived of it ("Termination")."""
        if not await self._free(request, insist=True):
            raise No(423, "Another request is sending to this upload just now.")
        async with self.locks.holding(request.upload):
            found = await self._found(request)
            if found.upload_id is not None:
                raise No(403, _("This upload has arrived completely; take the record out on its page."))
            await self.grants.thread(transfers.discard, found)
        await protocol.answer(request.send, 204)

    # --- bytes ------------------------------------------------------------------------------------------

    def _announced(self, head: Head, length: int, offset: int) -> Checksum | None:
        """The checksum of the body; refuses a body that is announced as longer than what is missing."""
        if (head.number("Content-Length") or 0) > length - offset:
            raise No(413, "More bytes were announced than Upload-Length promised.")
        return protocol.checksum_of(head)

    async def _receive(
        self, request: Exchange, transfer: Transfer, checksum: Checksum | None, hold: Hold | None = None
    ) -> None:
        """Read the body of a request into an upload."""
        grant = request.grant

        async def keep(stretch: Stretch) -> None:
            last = transfer.offset + stretch.size == transfer.length
            try:
                now = await self._grant(request.scope, request.case, writing=True, fresh=last)
            except No:
                raise No(403, _(LOST), close=True) from None
            await self._waiting(self._keep, now, transfer, stretch)

        arrival = Arrival(
            lambda now: Stretch(grant.space, grant.tenant, checksum, now), keep, self.pool, whole=checksum is not None
        )
        hold = hold or Hold(asyncio.get_running_loop())
        if not await arrival.take(request.receive, hold, transfer.length - transfer.offset):
            raise No(408, "The line broke; what arrived is kept. Please ask for the offset and go on.", close=True)

    async def _waiting(self, call: Callable[..., None], *args: Any) -> None:
        """Run what waits for the disk and the database in our own threads: the gate's are for short questions."""

        def run() -> None:
            close_old_connections()
            try:
                call(*args)
            finally:
                close_old_connections()

        await asyncio.get_running_loop().run_in_executor(self.pool, run)

    @staticmethod
    def _begin(grant: Grant, length: int, metadata: dict[str, str]) -> Transfer:
        return transfers.begin(grant.space, length, metadata, by=grant.principal)

    @staticmethod
    def _keep(grant: Grant, transfer: Transfer, stretch: Stretch) -> None:
        _count(grant, transfer, stretch.finish())

    @staticmethod
    def _keep_empty(grant: Grant, transfer: Transfer) -> None:
        """An upload without a byte is complete when it begins."""
        info = blobs.put([], space=grant.space, tenant=grant.tenant)
        _count(grant, transfer, [Slice(info.id, 0, 0)])


def _count(grant: Grant, transfer: Transfer, slices: list[Slice]) -> None:
    """Move the offset over bytes that are durable; the last ones make the upload, in the same transaction."""
    before = transfer.offset, transfer.parts, transfer.expires_at
    try:
        with transaction.atomic():
            transfers.extend(transfer, slices, grant.tenant)
            if transfer.offset == transfer.length:
                verbs.add_transfer(scopes.case(grant.principal, grant.space), transfer, by=grant.principal)
    except BaseException:
        transfer.offset, transfer.parts, transfer.expires_at = before
        raise


def _nothing() -> No:
    return No(404, "There is nothing here for you.")
