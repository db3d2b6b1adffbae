"""Many objects in few blobs: what was added is read back, durable or gone, and bound to its space."""

import random
from uuid import uuid4

import pytest

from consilium.vault import blobs, keys, segments
from consilium.vault.errors import BlobMissing, KeyDestroyed, Tampered
from consilium.vault.segments import SegmentWriter, Slice


@pytest.fixture
def place(space, tenant):
    return space, tenant


def parts(space, slices):
    return b"".join(segments.read(one.blob, space=space, start=one.offset, size=one.size) for one in slices)


def test_objects_of_many_sizes_are_read_back(place):
    space, tenant = place
    dice = random.Random(7)
    objects = [dice.randbytes(dice.choice([1, 100, 262_143, 262_144, 262_145, 700_000])) for _ in range(40)]
    with SegmentWriter(space=space, tenant=tenant, segment_bytes=2**20) as out:
        found = [out.add(one) for one in objects]
        out.finish()
    assert len({one.blob for slices in found for one in slices}) > 3, "several segments"
    assert any(len(slices) > 1 for slices in found), "an object on the border"
    for data, slices in zip(objects, found, strict=True):
        assert parts(space, slices) == data
        assert (
            b"".join(b"".join(blobs.read(s.blob, space=space, start=s.offset, end=s.offset + s.size)) for s in slices)
            == data
        )


def test_pieces_of_one_object_join(place):
    space, tenant = place
    with SegmentWriter(space=space, tenant=tenant) as out:
        found = segments.joined([*out.add(b"a" * 10), *out.add(b"b" * 300_000), *out.add(b"c")])
        out.finish()
    assert len(found) == 1
    assert parts(space, found) == b"a" * 10 + b"b" * 300_000 + b"c"


def test_what_was_aborted_is_gone(place):
    space, tenant = place
    before = set(blobs.ids())
    with pytest.raises(RuntimeError), SegmentWriter(space=space, tenant=tenant, segment_bytes=1000) as out:
        out.add(bytes(5000))
        raise RuntimeError
    assert set(blobs.ids()) == before


def test_another_space_cannot_read_it(place):
    space, tenant = place
    other = uuid4()
    keys.create_space(other, tenant=tenant)
    with SegmentWriter(space=space, tenant=tenant) as out:
        (one,) = out.add(b"secret")
        out.finish()
    with pytest.raises(Tampered):
        segments.read(one.blob, space=other, start=0, size=6)
    with pytest.raises(BlobMissing):
        segments.read(uuid4(), space=space, start=0, size=1)
    with pytest.raises(ValueError, match="outside"):
        segments.read(one.blob, space=space, start=3, size=4)


def test_a_destroyed_key_bites_although_the_segment_is_open(place):
    space, tenant = place
    with SegmentWriter(space=space, tenant=tenant) as out:
        (one,) = out.add(b"secret")
        out.finish()
    assert parts(space, [Slice(one.blob, 0, 6)]) == b"secret"
    keys.destroy_space(space)
    with pytest.raises(KeyDestroyed):
        parts(space, [one])


def test_a_writer_of_another_organisation_is_refused(place):
    with pytest.raises(ValueError, match="another organisation"):
        SegmentWriter(space=place[0], tenant=uuid4())


def test_neighbours_are_read_in_one_run_and_a_destroyed_key_ends_it(place):
    space, tenant = place
    dice = random.Random(8)
    objects = [dice.randbytes(size) for size in (1, 300_000, 262_144, 5, 900_000)]
    with SegmentWriter(space=space, tenant=tenant, segment_bytes=2**20) as out:
        found = [out.add(one) for one in objects]
        out.finish()
    run = segments.Run(space)
    read = [b"".join(piece for one in slices for piece in run.read(*one)) for slices in found]
    assert read == objects
    first, last = found[1][0], found[-1][-1]
    with pytest.raises(ValueError):
        next(run.read(last.blob, last.offset, last.size + 1))
    # the chunk is the one that was opened last, and its key is gone all the same
    assert next(run.read(first.blob, first.offset, 1)) == objects[1][:1]
    keys.destroy_space(space)
    with pytest.raises(KeyDestroyed):
        next(run.read(first.blob, first.offset, 1))


def test_what_was_just_read_is_at_hand_and_what_is_not_open_is_not(place):
    space, tenant = place
    with SegmentWriter(space=space, tenant=tenant) as out:
        [one] = out.add(bytes(400_000))
        out.finish()
    assert not segments.at_hand(one.blob, space=space, start=0, size=400_000), "nobody opened it yet"
    segments.read(one.blob, space=space, start=0, size=400_000)
    assert segments.at_hand(one.blob, space=space, start=0, size=400_000)
    assert not segments.at_hand(uuid4(), space=space, start=0, size=1)


def test_who_reads_on_opens_the_chunk_between_once(place, monkeypatch):
    space, tenant = place
    data = random.Random(3).randbytes(1_000_000)
    with SegmentWriter(space=space, tenant=tenant) as out:
        (whole,) = out.add(data)
        out.finish()
    opened, chunk = [], segments.Opener.chunk
    monkeypatch.setattr(segments.Opener, "chunk", lambda opener, index: opened.append(index) or chunk(opener, index))
    for start in range(0, 1_000_000, 100_000):
        assert segments.read(whole.blob, space=space, start=start, size=100_000) == data[start : start + 100_000]
    assert opened == [0, 1, 2, 3]
    keys.destroy_space(space)
    with pytest.raises(KeyDestroyed):
        segments.read(whole.blob, space=space, start=0, size=10)


def test_few_ends_are_remembered(place):
    space, tenant = place
    for _ in range(segments.ENDS_LIMIT + 3):
        with SegmentWriter(space=space, tenant=tenant) as out:
            (one,) = out.add(b"abc")
            out.finish()
        assert segments.read(one.blob, space=space, start=1, size=1) == b"b"
    assert len(segments._ends) == segments.ENDS_LIMIT
