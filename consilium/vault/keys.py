"""Keys: root key → organisation (tenant) key, versioned → space key (32 random bytes).

A *space* is whatever is erased together: one case, one person. Destroying its wrapped key erases its
content everywhere, including in old backups of the data. Unwrapped keys are cached per process, but
every use looks at the record's stamp first, so a destroyed key bites at once in every process.
"""

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from consilium.core import audit, clock, secretfile
from consilium.vault import keystore, rootkey
from consilium.vault.derive import identifiers, u64
from consilium.vault.errors import KeyDestroyed, KeyMissing, KeysNotReady, Tampered
from consilium.vault.keystore import SPACES, TENANTS

KEY_BYTES = 32
CACHE_LIMIT = 4096


@dataclass(frozen=True, slots=True, repr=False)
class SpaceKey:
    """An unwrapped space key, with what it is bound to. Has no repr, so it cannot end up in a log."""

    space: UUID
    tenant: UUID
    secret: bytes


@dataclass(frozen=True, slots=True, repr=False)
class TenantKey:
    """One version of an organisation's key-encryption key (KEK)."""

    tenant: UUID
    version: int
    secret: bytes


# --- spaces -------------------------------------------------------------------------------------


def create_space(space: UUID, *, tenant: UUID) -> None:
    """Make the key of a new space, durably, before returning.

    Calling it again for the same tenant changes nothing (a retried job is harmless). Raises
    KeyDestroyed for a space that was erased, ValueError for a space of another tenant.
    """
    store = keystore.current()
    with store.lock():
        record = _load(store, SPACES, space)
        if record is not None:
            _check_existing(record, space, tenant)
            return
        kek = _current_tenant_key(store, tenant, create=True)
        store.create(SPACES, space, _wrap_space(kek, space, secrets.token_bytes(KEY_BYTES)))


def destroy_space(space: UUID) -> None:
    """Erase a space for good: the wrapped key is replaced by a tombstone. Idempotent."""
    store = keystore.current()
    with store.lock():
        record = _load(store, SPACES, space)
        if record is not None and "destroyed" in record:
            return
        store.replace(SPACES, space, _dump({"space": str(space), "destroyed": clock.now().isoformat()}))
    _forget(space)


def space_exists(space: UUID) -> bool:
    """Whether the space has a living key (False when it never had one or was erased)."""
    record = _load(keystore.current(), SPACES, space)
    return record is not None and "destroyed" not in record


def space_destroyed(space: UUID) -> bool:
    """Whether the space was erased on purpose (as opposed to: never existed)."""
    record = _load(keystore.current(), SPACES, space)
    return record is not None and "destroyed" in record


def space_key(space: UUID) -> SpaceKey:
    """The key of a living space. Raises KeyDestroyed, KeyMissing, KeysNotReady or Tampered."""
    store = keystore.current()
    stamp = store.stamp(SPACES, space)
    cached = _cache.get((str(settings.KEY_DIR), space))
    if cached is not None and cached[0] == stamp:
        return cached[1]
    try:
        return _fetch_space_key(store, space, stamp)
    except Tampered:
        # A rotation in another process may have replaced the records between two of our reads.
        return _fetch_space_key(store, space, store.stamp(SPACES, space))


def _fetch_space_key(store: keystore.Keystore, space: UUID, stamp: str | None) -> SpaceKey:
    record = _load(store, SPACES, space)
    if stamp is None or record is None:
        raise KeyMissing(space)
    if "destroyed" in record:
        _forget(space)
        raise KeyDestroyed(space)
    key = _unwrap_space(store, space, record)
    _remember((str(settings.KEY_DIR), space), stamp, key)
    return key


def require_alive(space: UUID) -> None:
    """Cheap check between two chunks of a long stream: raises when the space was erased meanwhile."""
    space_key(space)


# --- organisations ------------------------------------------------------------------------------


def create_tenant(tenant: UUID) -> None:
    """Make the first version of an organisation's key. Idempotent; create_space does it when needed."""
    store = keystore.current()
    with store.lock():
        _current_tenant_key(store, tenant, create=True)


def index_key(tenant: UUID) -> TenantKey:
    """The version of the organisation's key that blind indexes derive from.

    It stays the same when the key is rotated, because tokens in the database cannot be re-made
    without reading every sealed value; makes the organisation's key when there is none.
    """
    store = keystore.current()
    slot, stamp = (str(settings.KEY_DIR), tenant), store.stamp(TENANTS, tenant)
    cached = _index_cache.get(slot)
    if cached is not None and cached[0] == stamp:
        return cached[1]
    record = _load(store, TENANTS, tenant)
    if record is None:
        create_tenant(tenant)
        record = _load(store, TENANTS, tenant)
    if record is None:
        raise KeyMissing(tenant)
    key = _unwrap_tenant(tenant, record, int(record["index"]))
    if stamp is not None:
        _index_cache[slot] = (stamp, key)
    return key


def rotate_tenant(tenant: UUID) -> int:
    """Give the organisation a new key version and rewrap its spaces' keys; returns the new version."""
    store = keystore.current()
    with store.lock():
        record = _load(store, TENANTS, tenant)
        if record is None:
            raise KeyMissing(tenant)
        version = int(record["current"]) + 1
        secret = secrets.token_bytes(KEY_BYTES)
        record["versions"][str(version)] = _wrap_tenant(rootkey.current(), tenant, version, secret)
        record["current"] = version
        store.replace(TENANTS, tenant, _dump(record))
        _rewrap_spaces(store, TenantKey(tenant, version, secret))
        keep = {str(version), str(record["index"])}
        record["versions"] = {key: value for key, value in record["versions"].items() if key in keep}
        store.replace(TENANTS, tenant, _dump(record))
    return version


def rotate_root() -> None:
    """Replace the root key and rewrap every organisation key under the new one.

    Safe to interrupt: the new key waits in `root.key.next`, readers use both, and a second call
    continues where the first stopped.
    """
    store = keystore.current()
    with store.lock():
        rootkey.current()
        fresh = rootkey.prepare_next()
        for tenant in store.ids(TENANTS):
            record = _load(store, TENANTS, tenant) or {}
            for version, wrapped in record["versions"].items():
                if wrapped["root"] != fresh.id:
                    key = _unwrap_tenant(tenant, record, int(version))
                    record["versions"][version] = _wrap_tenant(fresh, tenant, key.version, key.secret)
            store.replace(TENANTS, tenant, _dump(record))
        rootkey.promote_next()


# --- set-up and health ----------------------------------------------------------------------------


def init() -> bool:
    """Create the root key and the audit log's signing key; True when the root key was created now.

    Refuses (KeysNotReady) when wrapped keys exist without their root key: a fresh one would hide the loss.
    """
    problem = rootkey.misplaced()
    if problem:
        raise KeysNotReady(problem)
    if not rootkey.path().exists() and any(True for _ in keystore.current().ids(TENANTS)):
        raise KeysNotReady(
            f"There are wrapped keys but no root key at {rootkey.path()}. Restore it from your key backup."
        )
    created = secretfile.create(rootkey.path())
    audit.init()
    return created


def check() -> list[str]:
    """Problems with the keys, one sentence each that says what to do; empty when all is well."""
    problems = [sentence for sentence in (rootkey.misplaced(),) if sentence] + audit.check()
    directory = Path(settings.KEY_DIR)
    if directory.is_dir() and directory.stat().st_mode & 0o077:
        problems.append(f"Other users can look into the key directory. Run: chmod 700 {directory}")
    try:
        rootkey.current()
    except KeysNotReady as error:
        return [*problems, str(error)]
    if rootkey.next_path().exists():
        problems.append("A change of the root key was interrupted. Run `consilium keys rotate-root` again.")
    store = keystore.current()
    for tenant in store.ids(TENANTS):
        try:
            _current_tenant_key(store, tenant, create=False)
        except (KeysNotReady, Tampered, KeyMissing) as error:
            problems.append(str(error))
    if not os.access(directory, os.W_OK):
        problems.append(f"The key directory {directory} cannot be written: new cases cannot be opened.")
    return problems


# --- wrapping: AES-256-GCM, AAD = kind, tenant, space, version ------------------------------------


def _wrap(secret: bytes, key: bytes, bound: bytes) -> str:
    nonce = secrets.token_bytes(12)
    return base64.b64encode(nonce + AESGCM(secret).encrypt(nonce, key, bound)).decode()


def _unwrap(secret: bytes, wrapped: str, bound: bytes, what: str) -> bytes:
    try:
        raw = base64.b64decode(wrapped, validate=True)
        return AESGCM(secret).decrypt(raw[:12], raw[12:], bound)
    except (InvalidTag, ValueError):
        raise Tampered(f"The key record of {what} was changed or belongs to another root key.") from None


def _space_bound(tenant: UUID, space: UUID, version: int) -> bytes:
    return b"consilium/space-key/v1\x00" + identifiers(tenant, space) + u64(version)


def _tenant_bound(tenant: UUID, version: int) -> bytes:
    return b"consilium/tenant-key/v1\x00" + identifiers(tenant) + u64(version)


def _wrap_space(kek: TenantKey, space: UUID, secret: bytes) -> bytes:
    wrapped = _wrap(kek.secret, secret, _space_bound(kek.tenant, space, kek.version))
    return _dump({"space": str(space), "tenant": str(kek.tenant), "version": kek.version, "key": wrapped})


def _unwrap_space(store: keystore.Keystore, space: UUID, record: dict[str, Any]) -> SpaceKey:
    tenant, version = UUID(record["tenant"]), int(record["version"])
    tenant_record = _load(store, TENANTS, tenant)
    if tenant_record is None:
        raise KeyMissing(tenant)
    kek = _unwrap_tenant(tenant, tenant_record, version)
    bound = _space_bound(tenant, space, version)
    return SpaceKey(space, tenant, _unwrap(kek.secret, record["key"], bound, f"space {space}"))


def _wrap_tenant(root: rootkey.RootKey, tenant: UUID, version: int, secret: bytes) -> dict[str, str]:
    return {"root": root.id, "key": _wrap(root.secret, secret, _tenant_bound(tenant, version))}


def _unwrap_tenant(tenant: UUID, record: dict[str, Any], version: int) -> TenantKey:
    wrapped = record["versions"].get(str(version))
    if wrapped is None:
        raise Tampered(f"Version {version} of the organisation key {tenant} is not in the keystore.")
    root = rootkey.by_id(str(wrapped["root"]))
    bound = _tenant_bound(tenant, version)
    return TenantKey(tenant, version, _unwrap(root.secret, wrapped["key"], bound, f"organisation {tenant}"))


def _current_tenant_key(store: keystore.Keystore, tenant: UUID, *, create: bool) -> TenantKey:
    record = _load(store, TENANTS, tenant)
    if record is not None:
        return _unwrap_tenant(tenant, record, int(record["current"]))
    if not create:
        raise KeyMissing(tenant)
    key = TenantKey(tenant, 1, secrets.token_bytes(KEY_BYTES))
    wrapped = _wrap_tenant(rootkey.current(), tenant, 1, key.secret)
    record = {"tenant": str(tenant), "current": 1, "index": 1, "versions": {"1": wrapped}}
    store.create(TENANTS, tenant, _dump(record))
    return key


def _rewrap_spaces(store: keystore.Keystore, kek: TenantKey) -> None:
    for space in store.ids(SPACES):
        record = _load(store, SPACES, space)
        if record is None or record.get("tenant") != str(kek.tenant):
            continue
        if int(record["version"]) != kek.version:
            store.replace(SPACES, space, _wrap_space(kek, space, _unwrap_space(store, space, record).secret))


def _check_existing(record: dict[str, Any], space: UUID, tenant: UUID) -> None:
    if "destroyed" in record:
        raise KeyDestroyed(space)
    if record["tenant"] != str(tenant):
        raise ValueError("This space belongs to another organisation.")


def _dump(record: dict[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True).encode()


def _load(store: keystore.Keystore, kind: str, key: UUID) -> dict[str, Any] | None:
    raw = store.read(kind, key)
    if raw is None:
        return None
    try:
        record: dict[str, Any] = json.loads(raw)
    except ValueError:
        raise Tampered(f"The key record {kind}/{key} is damaged. Restore it from your key backup.") from None
    return record


# --- the cache of unwrapped keys ------------------------------------------------------------------

_cache: dict[tuple[str, UUID], tuple[str, SpaceKey]] = {}
_index_cache: dict[tuple[str, UUID], tuple[str, TenantKey]] = {}  # one an organisation
_cache_lock = Lock()


def _remember(slot: tuple[str, UUID], stamp: str, key: SpaceKey) -> None:
    with _cache_lock:
        if len(_cache) >= CACHE_LIMIT:
            _cache.clear()
        _cache[slot] = (stamp, key)


def _forget(space: UUID) -> None:
    with _cache_lock:
        _cache.pop((str(settings.KEY_DIR), space), None)
