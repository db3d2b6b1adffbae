"""What can go wrong in the vault. The sentences are for operators; pages show their own.

The names say what happened to the thing, so they carry no "Error" at the end (N818)."""

from uuid import UUID


class VaultError(Exception):
    """Base of all vault errors."""


class Tampered(VaultError):  # noqa: N818
    """Ciphertext does not authenticate: changed, truncated, moved, or sealed for another place."""


class KeysNotReady(VaultError):  # noqa: N818
    """The root key or the keystore cannot be used; the message says what to do."""


class KeyMissing(VaultError):  # noqa: N818
    """No key was ever made for this space (or tenant)."""

    def __init__(self, thing: UUID) -> None:
        super().__init__(f"There is no key for {thing}. Was the keystore restored together with the data?")


class KeyDestroyed(VaultError):  # noqa: N818
    """The key of this space was destroyed on purpose: its content is erased for good."""

    # A template that shows an erased value shows nothing instead of failing the whole page;
    # pages that want to say so use vault.fields.shown() or the template filter `unsealed`.
    silent_variable_failure = True

    def __init__(self, space: UUID) -> None:
        super().__init__(f"The content of {space} has been erased.")
        self.space = space


class BlobMissing(VaultError):  # noqa: N818
    """No blob is stored under this id."""

    def __init__(self, blob: UUID) -> None:
        super().__init__(f"There is no blob {blob} in the store.")
        self.blob = blob
