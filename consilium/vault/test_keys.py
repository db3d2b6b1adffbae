import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from consilium.vault import blind, keys, keystore, rootkey, seal
from consilium.vault.errors import KeyDestroyed, KeyMissing, KeysNotReady, Tampered
from consilium.vault.testdata import independent_decoder as independent

VECTORS = independent.load(str(Path(__file__).parent / "testdata" / "vectors.json"))


def space_file(home: Path, space: UUID) -> Path:
    return home / "keys" / "keystore" / "spaces" / space.hex[:2] / f"{space}.json"


def all_bytes(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_root_key_is_private_and_made_only_once(installation):
    path = installation / "keys" / "root.key"
    before = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.init() is False
    assert path.read_bytes() == before
    assert keys.check() == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_root_key_others_can_read_is_refused(installation, mode):
    (installation / "keys" / "root.key").chmod(mode)
    with pytest.raises(KeysNotReady, match="chmod 600"):
        keys.create_space(uuid4(), tenant=uuid4())
    assert any("chmod 600" in sentence for sentence in keys.check())


def test_key_directory_inside_the_data_directory_is_refused(installation, settings):
    settings.KEY_DIR = settings.DATA_DIR / "keys"
    with pytest.raises(KeysNotReady, match="CONSILIUM_KEY_DIR"):
        keys.init()
    assert not (settings.DATA_DIR / "keys").exists()
    assert any("CONSILIUM_KEY_DIR" in sentence for sentence in keys.check())


def test_key_directory_inside_the_data_directory_by_a_link_is_refused(installation, settings):
    (settings.DATA_DIR / "hidden").mkdir()
    link = installation / "elsewhere"
    link.symlink_to(settings.DATA_DIR / "hidden")
    settings.KEY_DIR = link
    with pytest.raises(KeysNotReady):
        keys.init()


def test_missing_and_damaged_root_key_are_explained(installation, space):
    path = installation / "keys" / "root.key"
    path.write_text("not a key\n")
    assert any("damaged" in sentence for sentence in keys.check())
    path.unlink()
    assert any("does not exist" in sentence for sentence in keys.check())
    with pytest.raises(KeysNotReady, match="Restore"):
        keys.init()  # wrapped keys are there: a new root key would hide the loss


def test_another_root_key_is_named_as_the_problem(installation, space):
    path = installation / "keys" / "root.key"
    path.unlink()
    (installation / "keys" / "audit.key").unlink()
    from consilium.core import secretfile

    secretfile.create(path)
    assert any("another root key" in sentence for sentence in keys.check())


def test_create_space_twice_keeps_the_key(space, tenant):
    secret = keys.space_key(space).secret
    keys.create_space(space, tenant=tenant)
    assert keys.space_key(space).secret == secret
    with pytest.raises(ValueError, match="another organisation"):
        keys.create_space(space, tenant=uuid4())


def test_concurrent_creation_agrees_on_one_key(installation, tenant):
    wanted = uuid4()

    def create(_: int) -> bytes:
        keys.create_space(wanted, tenant=tenant)
        return keys.space_key(wanted).secret

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(create, range(16)))) == 1


def test_unknown_space_has_no_key(installation):
    assert not keys.space_exists(uuid4())
    with pytest.raises(KeyMissing):
        keys.space_key(uuid4())


def test_no_key_is_stored_unwrapped(installation, space, tenant):
    import base64

    secrets = [keys.space_key(space).secret, keys.index_key(tenant).secret]
    stored = all_bytes(installation)
    root = rootkey.current().secret
    for secret in secrets:
        for form in (secret, base64.b64encode(secret), secret.hex().encode()):
            assert form not in stored
    assert base64.b64encode(root) in stored  # the search would find a key that is there


def test_destroyed_space_is_gone_everywhere_and_stays_gone(installation, space, tenant):
    sealed = seal.seal(space, "a", b"text")
    wrapped = json.loads(space_file(installation, space).read_bytes())["key"]
    assert wrapped.encode() in all_bytes(installation)
    keys.destroy_space(space)
    keys.destroy_space(space)
    assert wrapped.encode() not in all_bytes(installation)
    assert not keys.space_exists(space)
    assert keys.space_destroyed(space)
    with pytest.raises(KeyDestroyed):
        seal.unseal(space, "a", sealed)
    with pytest.raises(KeyDestroyed):
        keys.create_space(space, tenant=tenant)
    keys.rotate_tenant(tenant)
    keys.rotate_root()
    assert not keys.space_exists(space)


def test_former_record_is_overwritten_on_disk(installation, space):
    path = space_file(installation, space)
    former = os.open(path, os.O_RDONLY)
    keys.destroy_space(space)
    assert set(os.pread(former, 4096, 0)) == {0}
    os.close(former)


def test_destroying_clears_what_a_killed_writer_left_behind(installation, space):
    path = space_file(installation, space)
    wrapped = json.loads(path.read_bytes())["key"].encode()
    remains = path.with_name(f".{path.name}.abc.tmp")
    remains.write_bytes(path.read_bytes())
    bystander = path.with_name(f".{uuid4()}.json.abc.tmp")
    bystander.write_bytes(b"another record being written")
    keys.destroy_space(space)
    assert not remains.exists()
    assert bystander.exists()
    assert wrapped not in all_bytes(installation)


def test_key_destroyed_by_another_process_bites_at_once(installation, space):
    sealed = seal.seal(space, "a", b"text")
    assert seal.unseal(space, "a", sealed) == b"text"  # now cached here
    code = (
        "from django.conf import settings; from pathlib import Path; from uuid import UUID\n"
        f"settings.configure(DATA_DIR=Path({str(installation / 'data')!r}),"
        f" KEY_DIR=Path({str(installation / 'keys')!r}))\n"
        "from consilium.vault import keystore, keys\n"
        f"keys.destroy_space(UUID({str(space)!r}))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(KeyDestroyed):
        seal.unseal(space, "a", sealed)


def test_rotating_the_root_key_keeps_everything_readable(installation, space):
    before = rootkey.current()
    sealed = seal.seal(space, "a", b"text")
    keys.rotate_root()
    assert rootkey.current().secret != before.secret
    assert seal.unseal(space, "a", sealed) == b"text"
    assert keys.check() == []
    assert before.id.encode() not in all_bytes(installation / "keys" / "keystore")


def test_interrupted_root_rotation_is_readable_reported_and_finished_by_a_second_call(installation, space, monkeypatch):
    other = uuid4()
    keys.create_space(other, tenant=uuid4())
    sealed = {one: seal.seal(one, "a", b"text") for one in (space, other)}
    calls = 0
    original = keystore.DirectoryKeystore.replace

    def dies_at_the_second(self, kind, key, record):
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        original(self, kind, key, record)

    monkeypatch.setattr(keystore.DirectoryKeystore, "replace", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        keys.rotate_root()
    monkeypatch.undo()
    keys._cache.clear()
    assert all(seal.unseal(one, "a", value) == b"text" for one, value in sealed.items())
    assert any("interrupted" in sentence for sentence in keys.check())
    keys.rotate_root()
    keys._cache.clear()
    assert all(seal.unseal(one, "a", value) == b"text" for one, value in sealed.items())
    assert keys.check() == []


def test_rotating_an_organisation_key_rewraps_spaces_and_keeps_search(space, tenant):
    sealed, token = seal.seal(space, "a", b"text"), blind.token(tenant, "name", "Weiß")
    assert keys.rotate_tenant(tenant) == 2
    assert keys.rotate_tenant(tenant) == 3
    keys._cache.clear()
    assert seal.unseal(space, "a", sealed) == b"text"
    assert blind.token(tenant, "name", "Weiß") == token
    record = json.loads(keystore.current().read("tenants", tenant) or b"")
    assert sorted(record["versions"]) == ["1", "3"]


@pytest.mark.parametrize("victim", ["key", "tenant", "version", "space"])
def test_changed_space_record_is_refused(installation, space, tenant, victim):
    other = uuid4()
    keys.create_space(other, tenant=tenant)
    keys.create_space(stranger := uuid4(), tenant=(foreign := uuid4()))
    path = space_file(installation, space)
    record = json.loads(path.read_bytes())
    if victim == "space":  # another space's record put in this one's place
        record = json.loads(space_file(installation, other).read_bytes())
    else:
        record |= {
            "key": {"key": json.loads(space_file(installation, stranger).read_bytes())["key"]},
            "tenant": {"tenant": str(foreign)},
            "version": {"version": 2},
        }[victim]
    path.write_text(json.dumps(record))
    with pytest.raises(Tampered):
        keys.space_key(space)


def test_damaged_record_is_refused_with_a_sentence(installation, space):
    space_file(installation, space).write_bytes(b"\x00" * 40)
    with pytest.raises(Tampered, match="Restore it"):
        keys.space_key(space)


def test_second_decoder_unwraps_the_frozen_keystore_and_a_fresh_one(space, tenant):
    frozen = VECTORS["keystore"]
    root = bytes.fromhex(frozen["root"])
    opened = independent.open_space_key(root, frozen["tenant_record"], frozen["space_record"])
    assert opened.hex() == frozen["space_key"]
    store = keystore.current()
    records = [json.loads(store.read(*where) or b"") for where in (("tenants", tenant), ("spaces", space))]
    assert independent.open_space_key(rootkey.current().secret, *records) == keys.space_key(space).secret


def test_keys_have_no_telling_repr(space):
    key = keys.space_key(space)
    assert key.secret.hex() not in repr(key)
    assert str(key.secret) not in repr(key)
