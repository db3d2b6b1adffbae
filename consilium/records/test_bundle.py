"""Reading an upload of many parts from its front: the same bytes and places as content.py gives."""

import random
from uuid import uuid4

import pytest

from consilium.records import bundle, content
from consilium.records.bundle import Bundle
from consilium.records.models import Upload
from consilium.vault import keys, segments
from consilium.vault.format import CHUNK_BYTES
from consilium.vault.segments import SegmentWriter, joined

pytestmark = pytest.mark.django_db


@pytest.fixture
def parts(cast):
    """An upload of four parts, the last two in one blob, and its bytes."""
    assert cast.anna
    space, tenant = uuid4(), uuid4()
    keys.create_space(space, tenant=tenant)
    data = random.Random(2).randbytes(3 * CHUNK_BYTES + 4321)
    cuts = [0, 1000, CHUNK_BYTES + 77, 2 * CHUNK_BYTES, len(data)]
    slices = []
    for start, end in zip(cuts[:3], cuts[1:3] + cuts[-1:], strict=True):
        with SegmentWriter(space=space, tenant=tenant) as out:
            slices += joined(out.add(data[start:end]))
            out.finish()
    last = slices.pop()
    half = last.size // 3
    slices += [last._replace(size=half), last._replace(offset=half, size=last.size - half)]
    return Upload(space=space, **content.placed(slices)), data


def test_any_stretch_is_read_and_placed_as_elsewhere(parts):
    upload, data = parts
    made, chance = Bundle(upload), random.Random(3)
    for _ in range(200):
        start = chance.randrange(len(data))
        size = chance.choice([1, 512, 70_000, 2 * CHUNK_BYTES])
        assert made.read(start, size) == data[start : start + size]
        size = min(size, len(data) - start)
        assert made.part(start, size) == [one for one in content.part(upload, start, size) if one.size]
    assert made.read(len(data) - 5, 100) == data[-5:]
    assert made.read(len(data), 100) == made.read(len(data) + 9, 1) == b""
    assert made.read_part(1000, 50, 40, 100) == data[1040:1050]
    with pytest.raises(ValueError, match="outside"):
        made.part(len(data) - 1, 2)


def test_each_chunk_is_opened_once(parts, monkeypatch):
    upload, data = parts
    opened = []
    pieces = segments.pieces
    monkeypatch.setattr(bundle.segments, "pieces", lambda blob, **at: opened.append(at["start"]) or pieces(blob, **at))
    made = Bundle(upload)
    for start in range(0, len(data) - 600, 500):
        made.read(start, 600)
    assert len(opened) == len(set(opened)) + 2, "three blobs begin at 0"
    assert len(opened) == 5
