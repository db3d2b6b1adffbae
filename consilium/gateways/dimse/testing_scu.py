"""For tests: a sender that speaks for itself, TLS files, and the names of the two real peers."""

import datetime
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydicom.filereader import read_file_meta_info
from pynetdicom import _config
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association

_config.STORE_SEND_CHUNKED_DATASET = True  # data sets travel as they are in the file


def sent_as(path: Path) -> tuple[str, str]:
    """SOP class and transfer syntax of a file."""
    meta = read_file_meta_info(path)
    return str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)


@contextmanager
def association(
    port: int, contexts: list[tuple[str, str]], *, calling: str = "SCU", called: str = "CONSILIUM", **options: Any
) -> Iterator[Association]:
    """An association by pynetdicom, established or not; contexts: (SOP class, transfer syntax)."""
    entity = ApplicationEntity(calling)
    entity.acse_timeout = entity.dimse_timeout = entity.connection_timeout = 10
    for sop_class, syntax in dict.fromkeys(contexts):
        entity.add_requested_context(sop_class, syntax)
    made = entity.associate("127.0.0.1", port, ae_title=called, **options)
    try:
        yield made
    finally:
        if made.is_established:
            made.release()


def send(port: int, paths: list[Path], **options: Any) -> list[int]:
    """Send files unchanged; the status of each, or -1 when there was no answer."""
    found = []
    with association(port, [sent_as(path) for path in paths], **options) as open_one:
        for path in paths:
            answer = open_one.send_c_store(path) if open_one.is_established else None
            found.append(int(answer.Status) if answer is not None and "Status" in answer else -1)
    return found


class Authority:
    """A certificate authority in a directory: `issue("peer")` → certificate and key files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        made = self._certificate(self.name, self.key, authority=True)
        self.path = folder / "authority.pem"
        self.path.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
        certificate, private = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        form, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, bare))
        private.chmod(0o600)
        return certificate, private

    def client(self, name: str) -> ssl.SSLContext:
        """The context of a peer that shows a certificate of this authority."""
        made = ssl.create_default_context(cafile=str(self.path))
        made.check_hostname = False
        made.load_cert_chain(*map(str, self.issue(name)))
        return made

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool = False
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number())
        made = made.not_valid_before(now - datetime.timedelta(days=1))
        made = made.not_valid_after(now + datetime.timedelta(days=1))
        made = made.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        return made.sign(self.key, hashes.SHA256())
