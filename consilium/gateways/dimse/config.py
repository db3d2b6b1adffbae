"""How the gateway is set up, and why it would not start as it is."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from consilium.core.errors import BadInput
from consilium.people.models import Organisation
from consilium.people.queries import first_organisation

AE_LENGTH = 16  # PS3.5 §6.2, VR AE


@dataclass(frozen=True)
class Peer:
    """One sender: its AE title and, when given, the only address it may come from."""

    title: str
    address: str = ""


def peers(text: str) -> list[Peer]:
    """ "PACS1@10.0.0.5, MR2" → who may send. Raises BadInput for what is no AE title."""
    found = [Peer(*(part.strip() for part in one.split("@", 1))) for one in text.split(",") if one.strip()]
    for peer in found:
        if not is_title(peer.title):
            raise BadInput(f"“{peer.title}” in CONSILIUM_DIMSE_PEERS is no AE title: 1 to 16 ASCII characters.")
    return found


def is_title(text: str) -> bool:
    """Whether this can be an AE title (PS3.5 §6.2): 1 to 16 printable ASCII characters without a backslash."""
    return 0 < len(text) <= AE_LENGTH and text.isascii() and text.isprintable() and "\\" not in text


def organisation() -> Organisation | None:
    """Whose inbox it is."""
    if not settings.DIMSE_ORGANISATION:
        return first_organisation()
    return Organisation.objects.filter(name=settings.DIMSE_ORGANISATION).first()


def encrypted() -> bool:
    """Whether TLS is set up."""
    return bool(settings.DIMSE_TLS_CERTIFICATE)


def tls() -> ssl.SSLContext | None:
    """Mutual TLS (PS3.15 Annex B.12: TLS 1.2 or later, both sides show a certificate), or None without one.

    Raises OSError and ssl.SSLError for files that cannot be used.
    """
    if not encrypted():
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(settings.DIMSE_TLS_CERTIFICATE, settings.DIMSE_TLS_KEY or None)
    made.load_verify_locations(settings.DIMSE_TLS_CA)
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def problems(*, reachable: bool) -> Iterator[str]:
    """Why not to start, in sentences that say what to do. reachable: bound to more than this machine."""
    if not is_title(settings.DIMSE_AE_TITLE):
        yield "CONSILIUM_DIMSE_AE_TITLE is no AE title: 1 to 16 ASCII characters."
    try:
        peers(settings.DIMSE_PEERS)
    except BadInput as problem:
        yield str(problem.sentence)
    if settings.DIMSE_MAX_PDU < 4096 or settings.DIMSE_MAX_ASSOCIATIONS < 1 or settings.DIMSE_IDLE_SECONDS <= 0:
        yield "The limits of the DIMSE gateway are too small: at least 4096 bytes a PDU and one association."
    yield from _tls_problems()
    if reachable and not encrypted() and not settings.DIMSE_ALLOW_PLAIN:
        yield (
            "The DIMSE gateway would take images unencrypted from outside this computer: set "
            "CONSILIUM_DIMSE_TLS_CERTIFICATE, _KEY and _CA, or CONSILIUM_DIMSE_ALLOW_PLAIN=1 where the network itself "
            "is protected."
        )


def _tls_problems() -> Iterator[str]:
    if encrypted() and not settings.DIMSE_TLS_CA:
        yield "CONSILIUM_DIMSE_TLS_CA is missing: the file with the certificate authority of those who send images."
        return
    for path in (settings.DIMSE_TLS_CERTIFICATE, settings.DIMSE_TLS_KEY, settings.DIMSE_TLS_CA):
        if path and not Path(path).is_file():
            yield f"The DIMSE gateway's TLS file {path} is not there."
            return
    key = settings.DIMSE_TLS_KEY
    if key and Path(key).stat().st_mode & 0o077:
        yield f"Other users can read the DIMSE gateway's key {key}. Run: chmod 600 {key}"
    try:
        tls()
    except (OSError, ssl.SSLError):
        yield "The DIMSE gateway's TLS files cannot be used: the key must belong to the certificate (both in PEM form)."
