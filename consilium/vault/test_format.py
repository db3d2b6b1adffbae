"""The blob format: frozen vectors, a second decoder, and every manipulation we can think of."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.vault import keys, seal
from consilium.vault.errors import Tampered
from consilium.vault.format import (
    CHUNK_BYTES,
    FINAL_BYTES,
    HEADER_BYTES,
    SEALED_CHUNK_BYTES,
    Opener,
    Place,
    Sealer,
    sealed_size,
)
from consilium.vault.testdata import independent_decoder as independent

VECTORS = independent.load(str(Path(__file__).parent / "testdata" / "vectors.json"))
TENANT, SPACE, OBJECT = (UUID(VECTORS[name]) for name in ("tenant", "space", "object"))
KEY = bytes.fromhex(VECTORS["space_key"])
PLACE = Place(TENANT, SPACE, OBJECT)


def pattern(size: int) -> bytes:
    return bytes((7 * i + i // 251) & 255 for i in range(size))


def sealed(content: bytes, *, place: Place = PLACE, salt: bytes = b"s" * 32, key: bytes = KEY) -> bytes:
    sealer = Sealer(key, place, salt=salt)
    chunks = [sealer.chunk(content[at : at + CHUNK_BYTES]) for at in range(0, len(content), CHUNK_BYTES)]
    return b"".join([sealer.header, *chunks, sealer.final()])


def opener(stored: bytes, *, place: Place = PLACE, key: bytes = KEY) -> Opener:
    return Opener(key, place, lambda offset, length: stored[offset : offset + length], len(stored))


def opened(stored: bytes, *, place: Place = PLACE, key: bytes = KEY) -> bytes:
    return b"".join(opener(stored, place=place, key=key).range())


def released(stored: bytes) -> list[bytes]:
    """The chunks that come out before Tampered is raised; fails when it is not raised."""
    chunks: list[bytes] = []
    with pytest.raises(Tampered):
        chunks.extend(opener(stored).range())
    return chunks


@pytest.mark.parametrize("vector", VECTORS["blobs"], ids=lambda vector: str(vector["size"]))
def test_vector_is_reproduced_and_both_decoders_read_it(vector):
    content = pattern(vector["size"])
    stored = sealed(content, salt=bytes.fromhex(vector["salt"]))
    assert hashlib.sha256(stored).hexdigest() == vector["sha256"]
    assert vector.get("stored", stored.hex()) == stored.hex()
    assert len(stored) == sealed_size(len(content))
    assert opened(stored) == content
    assert independent.open_blob(KEY, TENANT, SPACE, OBJECT, stored) == content


@pytest.mark.parametrize("vector", VECTORS["sealed"], ids=lambda vector: vector["where"])
def test_sealed_vector_is_reproduced_and_read_by_the_second_decoder(vector):
    stored = bytes.fromhex(vector["stored"])
    padded = independent.open_sealed(KEY, TENANT, SPACE, vector["where"], stored)
    assert independent.unpad(padded).decode() == vector["text"]
    again = seal.seal_with(
        keys.SpaceKey(SPACE, TENANT, KEY), vector["where"], padded, salt=bytes.fromhex(vector["salt"])
    )
    assert again == stored


def test_every_flipped_bit_of_a_small_blob_is_refused():
    stored = sealed(b"findings of the biopsy, in plain words")
    for position in range(len(stored)):
        for bit in (1, 128):
            changed = bytearray(stored)
            changed[position] ^= bit
            assert released(bytes(changed)) == []


def test_every_truncation_and_extension_is_refused():
    stored = sealed(b"findings of the biopsy, in plain words")
    for length in range(len(stored)):
        assert released(stored[:length]) == []
    for extra in range(1, 80):
        assert released(stored + b"\x00" * extra) == []
        assert released(b"\x00" * extra + stored) == []


CONTENT = pattern(CHUNK_BYTES * 2 + 100)
STORED = sealed(CONTENT)


def chunk_of(number: int) -> slice:
    start = HEADER_BYTES + number * SEALED_CHUNK_BYTES
    return slice(start, min(start + SEALED_CHUNK_BYTES, len(STORED) - FINAL_BYTES))


def swap(stored: bytes) -> bytes:
    first, second = stored[chunk_of(0)], stored[chunk_of(1)]
    return stored[:HEADER_BYTES] + second + first + stored[chunk_of(2).start :]


OTHER = sealed(CONTENT, salt=b"t" * 32)
MANIPULATIONS: dict[str, Callable[[bytes], bytes]] = {
    "chunks swapped": swap,
    "a chunk repeated": lambda s: s[: chunk_of(1).stop] + s[chunk_of(1)] + s[chunk_of(2).start :],
    "the first chunk left out": lambda s: s[:HEADER_BYTES] + s[chunk_of(1).start :],
    "a middle chunk left out": lambda s: s[: chunk_of(1).start] + s[chunk_of(2).start :],
    "the last data chunk left out": lambda s: s[: chunk_of(2).start] + s[-FINAL_BYTES:],
    "the final chunk left out": lambda s: s[:-FINAL_BYTES],
    "the final chunk twice": lambda s: s + s[-FINAL_BYTES:],
    "cut at a chunk's end": lambda s: s[: chunk_of(1).stop],
    "cut within a chunk, final kept": lambda s: s[: chunk_of(2).start + 50] + s[-FINAL_BYTES:],
    "the final chunk of another object": lambda s: s[:-FINAL_BYTES] + OTHER[-FINAL_BYTES:],
    "the header of another object": lambda s: OTHER[:HEADER_BYTES] + s[HEADER_BYTES:],
    "another version": lambda s: s[:11] + b"\x02" + s[12:],
    "another chunk size": lambda s: s[:12] + b"\x00\x08\x00\x00" + s[16:],
    "nothing": lambda s: b"",
    "a header only": lambda s: s[:HEADER_BYTES],
}


@pytest.mark.parametrize("name", MANIPULATIONS)
def test_structural_manipulation_releases_nothing_at_all(name):
    changed = MANIPULATIONS[name](STORED)
    assert changed != STORED
    assert released(changed) == []


def test_chunk_of_another_object_is_refused_and_the_good_ones_before_it_are_whole():
    changed = STORED[: chunk_of(1).start] + OTHER[chunk_of(1)] + STORED[chunk_of(2).start :]
    assert released(changed) == [CONTENT[:CHUNK_BYTES]]


@pytest.mark.parametrize(
    "place",
    [Place(uuid4(), SPACE, OBJECT), Place(TENANT, uuid4(), OBJECT), Place(TENANT, SPACE, uuid4())],
    ids=["tenant", "space", "object"],
)
def test_blob_does_not_open_at_another_place(place):
    assert opened(STORED) == CONTENT
    with pytest.raises(Tampered):
        opened(STORED, place=place)


def test_blob_does_not_open_with_another_key():
    with pytest.raises(Tampered):
        opened(STORED, key=b"k" * 32)


def test_commitment_is_checked_before_any_chunk_is_touched():
    reads: list[int] = []

    def read_at(offset: int, length: int) -> bytes:
        reads.append(offset)
        return STORED[offset : offset + length]

    with pytest.raises(Tampered, match="belongs to another"):
        Opener(b"k" * 32, PLACE, read_at, len(STORED))
    assert reads == [0]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_single_change_to_a_long_blob_never_releases_the_chunk_it_is_in(data: st.DataObject):
    position = data.draw(st.integers(0, len(STORED) - 1))
    changed = bytearray(STORED)
    changed[position] ^= data.draw(st.integers(1, 255))
    touched = max(0, position - HEADER_BYTES) // SEALED_CHUNK_BYTES
    in_frame = position < HEADER_BYTES or position >= len(STORED) - FINAL_BYTES
    out = released(bytes(changed))
    assert b"".join(out) == (b"" if in_frame else CONTENT[: touched * CHUNK_BYTES])


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(CONTENT) + 10), st.integers(0, len(CONTENT) + 10))
def test_range_equals_slice(one: int, two: int):
    start, end = sorted((one, two))
    assert b"".join(opener(STORED).range(start, end)) == CONTENT[start:end]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_second_decoder_agrees_on_any_content(content: bytes):
    assert independent.open_blob(KEY, TENANT, SPACE, OBJECT, sealed(content)) == content


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_never_a_blob(stored: bytes):
    assert released(stored) == []


def test_sealer_refuses_an_empty_chunk_and_chunks_after_a_short_one():
    sealer = Sealer(KEY, PLACE, salt=b"s" * 32)
    with pytest.raises(ValueError, match="never empty"):
        sealer.chunk(b"")
    sealer.chunk(b"short")
    with pytest.raises(ValueError, match="full except the last"):
        sealer.chunk(b"more")


def test_second_decoder_shares_no_code():
    lines = Path(independent.__file__).read_text().splitlines()
    assert [line for line in lines if line.startswith(("from consilium", "import consilium"))] == []
