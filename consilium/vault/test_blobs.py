import errno
import hashlib
import os
from datetime import timedelta
from uuid import uuid4

import pytest

from consilium.core import clock
from consilium.vault import backends, blobs, keys
from consilium.vault.errors import BlobMissing, KeyDestroyed, KeyMissing, Tampered
from consilium.vault.format import CHUNK_BYTES

CANARY = b"CANARY-Mammakarzinom-links-4711"


def stored_files(home):
    return [path for path in (home / "data").rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 5])
@pytest.mark.parametrize("step", [977, 300_000])
def test_put_and_read_back(space, tenant, size, step):
    content = os.urandom(size)
    pieces = (content[at : at + step] for at in range(0, size, step))
    info = blobs.put(pieces, space=space, tenant=tenant)
    assert (info.size, info.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert b"".join(blobs.read(info.id, space=space)) == content
    assert blobs.size(info.id, space=space) == size


def test_ranges_decrypt_only_the_chunks_they_touch(space, tenant, monkeypatch):
    content = os.urandom(4 * CHUNK_BYTES)
    info = blobs.put([content], space=space, tenant=tenant)
    reads = []
    original = type(backends.current().open(info.id.hex)).read_at

    def counted(self, offset, length):
        reads.append(length)
        return original(self, offset, length)

    monkeypatch.setattr("consilium.vault.backends.local.LocalSource.read_at", counted)
    start, end = CHUNK_BYTES - 3, CHUNK_BYTES + 9
    assert b"".join(blobs.read(info.id, space=space, start=start, end=end)) == content[start:end]
    assert [length for length in reads if length > 100] == [CHUNK_BYTES + 16] * 2
    assert b"".join(blobs.read(info.id, space=space, start=10**9)) == b""
    with pytest.raises(ValueError, match="range"):
        blobs.read(info.id, space=space, start=5, end=4)


def test_nothing_plaintext_touches_the_disk_while_writing_or_after(installation, space, tenant):
    writer = blobs.writer(space=space, tenant=tenant)
    writer.write(CANARY * 20_000)
    during = b"".join(path.read_bytes() for path in stored_files(installation))
    assert len(during) > CHUNK_BYTES
    assert CANARY not in during
    info = writer.finish()
    after = b"".join(path.read_bytes() for path in stored_files(installation))
    assert len(after) > len(CANARY) * 20_000
    assert CANARY not in after
    assert CANARY in blobs.read_all(info.id, space=space)


def test_files_are_private(installation, space, tenant):
    blobs.put([b"x"], space=space, tenant=tenant)
    (file,) = stored_files(installation)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o077 == 0


def test_unfinished_writer_leaves_nothing(installation, space, tenant):
    with pytest.raises(RuntimeError), blobs.writer(space=space, tenant=tenant) as out:
        out.write(b"x" * 300_000)
        raise RuntimeError
    assert stored_files(installation) == []
    assert list(blobs.ids()) == []
    with pytest.raises(ValueError, match="finished"):
        out.finish()


def test_remains_of_a_killed_process_are_invisible_and_swept(installation, space, tenant):
    dead = blobs.writer(space=space, tenant=tenant)
    dead.write(b"x" * 300_000)  # neither finished nor aborted: the process died here
    assert list(blobs.ids()) == []
    with pytest.raises(BlobMissing):
        blobs.read(dead.id, space=space)
    assert blobs.sweep(clock.now() - timedelta(hours=1)) == 0
    assert blobs.sweep(clock.now() + timedelta(hours=1)) == 1
    assert stored_files(installation) == []


def test_ids_can_spare_the_young(space, tenant):
    info = blobs.put([b"x"], space=space, tenant=tenant)
    assert list(blobs.ids()) == [info.id]
    assert list(blobs.ids(before=clock.now() - timedelta(hours=24))) == []


def test_delete_is_final_and_works_after_erasure(installation, space, tenant):
    info = blobs.put([b"x"], space=space, tenant=tenant)
    keys.destroy_space(space)
    assert blobs.delete(info.id, space=space)
    assert not blobs.delete(info.id)
    assert not blobs.exists(info.id)
    assert stored_files(installation) == []


def test_blob_of_another_space_or_another_name_is_refused(installation, space, tenant):
    other = uuid4()
    keys.create_space(other, tenant=tenant)
    one, two = (blobs.put([text], space=space, tenant=tenant) for text in (b"one", b"two"))
    with pytest.raises(Tampered):
        blobs.read(one.id, space=other)
    files = {path.name: path for path in stored_files(installation)}
    files[two.id.hex].write_bytes(files[one.id.hex].read_bytes())
    with pytest.raises(Tampered):
        blobs.read(two.id, space=space)


def test_errors_come_before_the_first_byte_is_asked_for(installation, space, tenant):
    info = blobs.put([b"x" * 1000], space=space, tenant=tenant)
    (file,) = stored_files(installation)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(Tampered):
        blobs.read(info.id, space=space)
    with pytest.raises(Tampered):
        blobs.size(info.id, space=space)


def test_erasure_stops_a_read_and_a_write_under_way(space, tenant):
    info = blobs.put([os.urandom(3 * CHUNK_BYTES)], space=space, tenant=tenant)
    reader, writer = blobs.read(info.id, space=space), blobs.writer(space=space, tenant=tenant)
    assert len(next(reader)) == CHUNK_BYTES
    keys.destroy_space(space)
    with pytest.raises(KeyDestroyed):
        next(reader)
    writer.write(b"small")
    with pytest.raises(KeyDestroyed):
        writer.finish()
    writer.abort()
    with pytest.raises(KeyDestroyed):
        blobs.writer(space=space, tenant=tenant)


def test_writer_refuses_a_wrong_or_unknown_place(space):
    with pytest.raises(ValueError, match="another organisation"):
        blobs.writer(space=space, tenant=uuid4())
    with pytest.raises(KeyMissing):
        blobs.writer(space=uuid4(), tenant=uuid4())


def test_local_backend_refuses_names_that_are_not_ours_and_never_overwrites(space, tenant):
    store = backends.current()
    for name in ("../../etc/passwd", "ABCDEF", "", "a" * 31, "a" * 32 + "\n"):
        with pytest.raises(ValueError, match="hex digits"):
            store.exists(name)
    info = blobs.put([b"first"], space=space, tenant=tenant)
    again = store.create(info.id.hex)
    again.write(b"second")
    with pytest.raises(FileExistsError):
        again.commit()
    assert blobs.read_all(info.id, space=space) == b"first"
    with pytest.raises(FileNotFoundError):
        store.open("0" * 32)


def test_durable_before_return(space, tenant, monkeypatch):
    """The content with its name is fsynced, then the directory; a row that speaks of it comes after both."""
    steps = []
    real_fsync, real_link = os.fsync, os.link
    monkeypatch.setattr(os, "fsync", lambda fd: (steps.append("fsync"), real_fsync(fd))[1])
    monkeypatch.setattr(os, "link", lambda a, b: (steps.append("link"), real_link(a, b))[1])
    blobs.put([b"x"], space=space, tenant=tenant)
    assert steps[:3] == ["link", "fsync", "fsync"]


def test_a_disk_that_fails_leaves_no_object_behind(space, tenant, monkeypatch):
    def broken(_descriptor):
        raise OSError(errno.EIO, "Input/output error")

    before = set(blobs.ids())
    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        blobs.put([b"x"], space=space, tenant=tenant)
    assert set(blobs.ids()) == before
