"""Bodies in every cut: what goes in comes out, in bounded memory, and what is broken is said."""

import random

import pytest

from consilium.gateways.dicomweb.multipart import BUFFERED, FIRST, Malformed, Parser

BOUNDARY = b"b0undary"


class Kept:
    """A sink that remembers; `claimed`: the length its header would give."""

    def __init__(self, claimed: int = 0) -> None:
        self.claimed, self.data, self.pieces, self.closed = claimed, bytearray(), 0, False

    def begin(self, first: memoryview) -> int:
        assert len(first) <= FIRST
        return self.claimed

    def whole(self, part: memoryview) -> None:
        self.feed(part)
        self.close()

    def feed(self, piece: memoryview) -> None:
        assert not self.closed
        self.data += piece
        self.pieces += 1

    def close(self) -> None:
        self.closed = True


def body(parts, *, preamble=b"", epilogue=b"\r\n"):
    found = [b"--" + BOUNDARY + b"\r\nContent-Type: application/dicom\r\n\r\n" + part + b"\r\n" for part in parts]
    return preamble + b"".join(found) + b"--" + BOUNDARY + b"--" + epilogue


def read(data, cut, claimed=lambda _number: 0, *, empty_last=True):
    """Feed in pieces of `cut()` bytes; the sinks."""
    sinks = []

    def sink(fields):
        assert fields == {"content-type": "application/dicom"}
        sinks.append(Kept(claimed(len(sinks))))
        return sinks[-1]

    parser = Parser(BOUNDARY, sink)
    at = 0
    while at < len(data):
        size = cut()
        parser.feed([data[at : at + size]], last=not empty_last and at + size >= len(data))
        at += size
    if empty_last:
        parser.feed([b""], last=True)
        parser.feed([b""], last=True)  # what some servers send behind the end
    assert parser.ended
    assert all(sink.closed for sink in sinks)
    return sinks


@pytest.mark.parametrize("seed", range(6))
def test_any_parts_in_any_pieces_with_any_claims(seed):
    chance = random.Random(seed)
    near = [b"\r\n--", b"\r\n--b0undar", b"x--b0undary", b"\r\n", b""]
    parts = []
    for _ in range(9):
        size = chance.choice([0, 1, 7, 1000, FIRST - 1, FIRST, FIRST + 1, 200_000])
        parts.append(chance.randbytes(size) + chance.choice(near) + chance.randbytes(chance.randrange(3)))
    claims = [chance.choice([0, len(part), len(part) - 1, len(part) + 5, 10**6, 2**40]) for part in parts]
    data = body(parts, preamble=chance.choice([b"", b"\r\n", b"says nothing\r\n"]), epilogue=chance.choice([b"", b"x"]))
    sizes = chance.choice([(1, 40), (1, 5_000), (60_000, 70_000), (400_000, 400_001)])
    sinks = read(data, lambda: chance.randrange(*sizes), lambda number: max(0, claims[number]))
    assert [bytes(sink.data) for sink in sinks] == parts


def test_a_true_claim_is_not_searched(monkeypatch):
    part = b"\r\n--b0undary--" * 20_000  # pixels that look like the boundary
    sinks = read(body([part]), lambda: 100_000, lambda _number: len(part))
    assert [bytes(sink.data) for sink in sinks] == [part]


def test_large_parts_pass_through_in_pieces():
    part = random.Random(5).randbytes(3 * BUFFERED)
    for claim in (0, len(part), 7):
        (sink,) = read(body([part]), lambda: 2**20, lambda _number, claim=claim: claim)
        assert sink.data == part
        assert sink.pieces > 4


def test_memory_stays_bounded_when_the_claim_lies():
    parser = Parser(BOUNDARY, lambda _fields: Kept(BUFFERED - 1))
    parser.feed([body([b""])[: -len(BOUNDARY) - 8]])
    for _ in range(60):
        parser.feed([b"x" * 2**20])
        assert len(parser._data) < BUFFERED + 3 * 2**20


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no boundary at all" * 2000,
        b"--b0undary\r\nContent-Type: application/dicom\r\n\r\nabc",
        body([b"abc"])[:-6],
        b"--b0undary oops\r\n\r\n",
        b"--b0undary\r\n" + b"X: y\r\n" * 5000,
        b"--b0undary" + b" " * 3000,
    ],
    ids=["empty", "none", "cut in a part", "cut in the end", "words behind", "long header", "long line"],
)
def test_what_is_broken_is_said(data):
    with pytest.raises(Malformed):
        Parser(BOUNDARY, lambda _fields: Kept()).feed([data], last=True)


def test_without_an_empty_last_message():
    assert [sink.data for sink in read(body([b"one", b"two"]), lambda: 50, empty_last=False)] == [b"one", b"two"]
