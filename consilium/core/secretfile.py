"""Small secret files: 32 random bytes, base64, readable by their owner only.

Both the vault (root key) and the audit log (checkpoint key) keep one; the rules are here once.
"""

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path

SECRET_BYTES = 32


class SecretFileError(Exception):
    """A secret file is absent, unsafe or unreadable; the message says what to do."""


def write_atomic(path: Path, data: bytes, *, replace: bool = True) -> bool:
    """Write `data` so that after a crash the file is whole or absent, and return whether it was written.

    temporary file → fsync → rename (or link, when an existing file must win) → fsync of the directory.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
    finally:
        temporary.unlink(missing_ok=True)
    fsync_directory(path.parent)
    return True


def fsync_directory(path: Path) -> None:
    """Make a rename or unlink inside `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create(path: Path) -> bool:
    """Create a fresh secret at `path`; False when one is there already (it is never replaced)."""
    if path.exists():
        return False
    return write_atomic(path, base64.b64encode(secrets.token_bytes(SECRET_BYTES)) + b"\n", replace=False)


def read(path: Path) -> bytes:
    """The 32 secret bytes of `path`. Raises SecretFileError with a sentence that says what to do."""
    try:
        with path.open("rb") as file:
            problem = unsafe(path, os.fstat(file.fileno()))
            if problem:
                raise SecretFileError(problem)
            text = file.read(1024)
    except FileNotFoundError:
        raise SecretFileError(
            f"The key file {path} does not exist. Restore it from your key backup, "
            "or run `consilium migrate` on a new installation."
        ) from None
    except OSError as error:
        raise SecretFileError(f"The key file {path} cannot be read: {error.strerror}.") from None
    return _decode(path, text)


def unsafe(path: Path, status: os.stat_result) -> str:
    """Why a secret with this status must not be used, or an empty string."""
    if not stat.S_ISREG(status.st_mode):
        return f"The key file {path} is not a regular file."
    if status.st_mode & 0o077:
        return f"The key file {path} can be read or changed by other users. Run: chmod 600 {path}"
    if status.st_uid not in (os.geteuid(), 0):
        return f"The key file {path} belongs to another user. Run: chown {os.geteuid()} {path}"
    return ""


def _decode(path: Path, text: bytes) -> bytes:
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise SecretFileError(
            f"The key file {path} is damaged: it must hold 32 bytes in base64. Restore it from your key backup."
        )
    return secret
