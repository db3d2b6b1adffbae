"""The organisation's seal: a root certificate of the operator and a seal certificate below it, made on first use.

It is called what it is: a key held by the server, an organisation's seal on behalf of a named doctor after a
second-step confirmation. Both live below ``settings.KEY_DIR/seal`` and are readable by their owner only.
"""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings

from consilium.core import clock, secretfile

ROOT_YEARS, SEAL_YEARS = 20, 5
ROOT_CERT, ROOT_KEY, SEAL_CERT, SEAL_KEY = "root.pem", "root.key", "seal.pem", "seal.key"


@dataclass(frozen=True)
class SealFiles:
    """Where the four PEM files are."""

    folder: Path

    def __getitem__(self, name: str) -> Path:
        return self.folder / name


def files() -> SealFiles:
    """The seal's folder in the key directory."""
    return SealFiles(Path(settings.KEY_DIR) / "seal")


def init() -> bool:
    """Create root and seal when absent; True when something was made. Existing files are never replaced."""
    found = files()
    if all(found[name].is_file() for name in (ROOT_CERT, SEAL_CERT, SEAL_KEY)):
        return False
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Consilium operator root", root_key, issuer=None)
    seal_key = ec.generate_private_key(ec.SECP256R1())
    seal = _certificate("Consilium report seal", seal_key, issuer=(root, root_key))
    for name, data in (
        (ROOT_KEY, _pem(root_key)),
        (SEAL_KEY, _pem(seal_key)),
        (ROOT_CERT, root.public_bytes(serialization.Encoding.PEM)),
        (SEAL_CERT, seal.public_bytes(serialization.Encoding.PEM)),
    ):
        secretfile.write_atomic(found[name], data)
    _load.cache_clear()
    return True


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, *, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None
) -> x509.Certificate:
    """A certificate per RFC 5280; the seal may sign documents and nothing else (§4.2.1.3)."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = clock.now()
    years = SEAL_YEARS if issuer else ROOT_YEARS
    signed_by = issuer[0].subject if issuer else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signed_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * years))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=0 if issuer is None else None), True)
        .add_extension(_usage(issuer is None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )
    if issuer:
        parent = issuer[0].extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(parent), critical=False
        )
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256())


def _usage(root: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not root,
        content_commitment=not root,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=root,
        crl_sign=root,
        encipher_only=False,
        decipher_only=False,
    )


def load() -> tuple[bytes, bytes, bytes]:
    """(seal certificate, seal key, root certificate) as PEM; made on first use."""
    init()
    return _load(str(files().folder))


@lru_cache(maxsize=2)
def _load(folder: str) -> tuple[bytes, bytes, bytes]:
    base = Path(folder)
    return (base / SEAL_CERT).read_bytes(), (base / SEAL_KEY).read_bytes(), (base / ROOT_CERT).read_bytes()


def check() -> list[str]:
    """What is wrong with the seal, in sentences that say what to do; empty when reports can be signed."""
    found = files()
    missing = [name for name in (ROOT_CERT, SEAL_CERT, SEAL_KEY) if not found[name].is_file()]
    if missing:
        return [f"The report seal is incomplete ({', '.join(missing)}): run `consilium migrate --init-keys`."]
    problems = []
    if os.name == "posix" and found[SEAL_KEY].stat().st_mode & 0o077:
        problems.append(f"{found[SEAL_KEY]} can be read by others: run `chmod 600` on it.")
    certificate = x509.load_pem_x509_certificate(found[SEAL_CERT].read_bytes())
    if certificate.not_valid_after_utc < clock.now() + dt.timedelta(days=60):
        problems.append(f"The seal's certificate ends on {certificate.not_valid_after_utc:%Y-%m-%d}: renew it.")
    return problems
