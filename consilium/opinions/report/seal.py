"""Sealing a PDF (PAdES B-B, ETSI EN 319 142-1; certification signature per ISO 32000-1 §12.8.2.2) and checking one.

The certification permits no changes (DocMDP P = 1), so every later change shows.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from . import seal_key

FIELD = "ConsiliumSeal"
MAX_BYTES = 40 * 2**20


@dataclass(frozen=True)
class Verification:
    """What a check of one PDF found; ``sentence`` is for people."""

    intact: bool = False
    trusted: bool = False
    covers_everything: bool = False
    docmdp_ok: bool = False
    signer: str = ""
    signed_at: datetime | None = None
    sentence: str | Promise = ""

    @property
    def genuine(self) -> bool:
        """Sealed by this organisation and unchanged since: all four have to hold."""
        return self.intact and self.trusted and self.covers_everything and self.docmdp_ok


def seal(pdf: bytes, *, reason: str, name: str) -> bytes:
    """The PDF with the organisation's certification signature. ``reason`` names on whose behalf; P-256, SHA-256."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers

    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        reason=reason,
        name=name,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        subfilter=fields.SigSeedSubFilter.PADES,
    )
    out = io.BytesIO()
    signers.PdfSigner(metadata, _signer(*seal_key.load())).sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)), output=out
    )
    return out.getvalue()


@lru_cache(maxsize=2)
def _signer(certificate: bytes, key: bytes, root: bytes) -> Any:
    from asn1crypto import keys, pem, x509
    from pyhanko.sign import signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    def der(data: bytes) -> bytes:
        return pem.unarmor(data)[2]  # pyright: ignore[reportIndexIssue]

    store = SimpleCertificateStore()
    store.register(x509.Certificate.load(der(root)))
    return signers.SimpleSigner(
        signing_cert=x509.Certificate.load(der(certificate)),
        signing_key=keys.PrivateKeyInfo.load(der(key)),
        cert_registry=store,
    )


def verify(pdf: bytes, *, root: bytes | None = None) -> Verification:
    """Check a PDF against this organisation's root (PEM; read from the key directory when not given).

    Never raises for what the bytes contain.

    pyHanko's ``bottom_line`` alone is not enough: junk appended to a signed file keeps it true, with coverage of
    the revision only, so coverage of the entire file is asked for as well.
    """
    if len(pdf) > MAX_BYTES:
        return Verification(sentence=_("This file is too large to be one of our reports."))
    try:
        return _verify(pdf, root)
    except Exception:  # pyHanko raises many types on damaged input; whichever it is, the file is not ours as it is
        return Verification(sentence=_("This file is not a report of ours, or it has been changed."))


def _verify(pdf: bytes, root_pem: bytes | None) -> Verification:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    found = PdfFileReader(io.BytesIO(pdf), strict=True).embedded_regular_signatures
    if len(found) != 1:
        return Verification(sentence=_("This file does not carry the seal of this organisation."))
    status = validate_pdf_signature(found[0], signer_validation_context=_context(root_pem))
    everything = status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    result = Verification(
        intact=bool(status.intact and status.valid and status.bottom_line),
        trusted=bool(status.trusted),
        covers_everything=everything,
        docmdp_ok=bool(status.docmdp_ok) and not status.modification_level.value,  # pyright: ignore[reportOptionalMemberAccess]
        signer=str(status.signing_cert.subject.native.get("common_name", "")),
        signed_at=status.signer_reported_dt,
    )
    good = _("This file carries our seal and has not been changed since.")
    bad = _("This file has been changed, or the seal is not ours. Please do not rely on it.")
    return Verification(**{**result.__dict__, "sentence": good if result.genuine else bad})


def _context(root_pem: bytes | None) -> Any:
    from asn1crypto import pem, x509
    from pyhanko_certvalidator import ValidationContext

    root = x509.Certificate.load(pem.unarmor(root_pem or seal_key.load()[2])[2])  # pyright: ignore[reportIndexIssue]
    return ValidationContext(trust_roots=[root], allow_fetching=False)
