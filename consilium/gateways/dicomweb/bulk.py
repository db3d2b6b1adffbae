"""Where frames and bulk data lie in the files, and reading them from the vault."""

from collections.abc import Iterator

from consilium.gateways.dicomweb.index import Instance
from consilium.gateways.dicomweb.reply import NotHere, Refused
from consilium.imaging import delivery, header, header_json, header_slow
from consilium.imaging.header import Header, NotFast
from consilium.imaging.header_frames import Ranges, frames_of
from consilium.imaging.header_values import attribute
from consilium.records import content

FAST = frozenset({header.IMPLICIT, header.EXPLICIT}) | header.ENCAPSULATED
NOT_APART = "The frames of this image cannot be told apart; please retrieve the instance as application/dicom."
MOST_INLINE = 512 * 2**20
SMALL = 64 * 1024


def is_fast(one: Instance) -> bool:
    """Whether offsets lead into the stored file (not deflated, not big endian)."""
    return one.header.transfer_syntax in FAST


def frames(one: Instance) -> list[Ranges]:
    """The ranges of every frame in the file, found once. Raises NotHere without pixels, NotFast when unclear."""
    if one.frames is None:
        one.frames = frames_of(lambda start, size: content.read_at(one, start, size), _with_tables(one))
    if not one.frames:
        raise NotHere
    return one.frames


def _with_tables(one: Instance) -> Header:
    """The header with the places of the extended offset tables, which the index does not keep."""
    if not one.header.encapsulated:
        return one.header
    try:
        return header.scan(content.read_at(one, 0, one.header.pixels[0] if one.header.pixels else 0), size=one.size)
    except NotFast:
        return one.header


def frame_count(one: Instance) -> int:
    """How many frames the header promises (0028,0008); 0 without pixel data."""
    if one.header.pixels is None and is_fast(one):
        return 0
    return max(1, one.header.number("00280008", 1)) if one.header.number("00280010") else 0


def stored_frame(one: Instance, number: int) -> bytes:
    """The bytes of a frame (from 1) as stored. Raises NotHere, Refused."""
    return b"".join(frame_pieces(one, number))


def frame_pieces(one: Instance, number: int) -> list[memoryview]:
    """The same in pieces, for an answer that is put together once."""
    try:
        places = frames(one)
    except NotFast:
        return [memoryview(_bit_frame(one, number))]
    if not 1 <= number <= len(places):
        raise NotHere
    return [piece for start, size in places[number - 1] for piece in content.pieces_at(one, start, size)]


def at_hand(one: Instance, numbers: list[int]) -> bool:
    """Whether these frames can be read without waiting for a disk."""
    places = one.frames
    if not places or not all(1 <= number <= len(places) for number in numbers):
        return False
    return all(content.at_hand(one, start, size) for number in numbers for start, size in places[number - 1])


def _bit_frame(one: Instance, number: int) -> bytes:
    """Frames of single bits that do not end at a byte (PS3.5 §8.1.1): shifted to start at one."""
    head = one.header
    bits = head.number("00280010") * head.number("00280011") * head.number("00280002", 1)
    count = head.number("00280008", 1)
    if head.number("00280100") != 1 or head.encapsulated or head.pixels is None:
        raise Refused(406, NOT_APART)
    if not 1 <= number <= count or not bits or bits * count > head.pixels[1] * 8:
        raise NotHere
    first = (number - 1) * bits
    start, end = first // 8, (first + bits + 7) // 8
    raw = int.from_bytes(content.read_at(one, head.pixels[0] + start, end - start), "little") >> (first % 8)
    return (raw & ((1 << bits) - 1)).to_bytes((bits + 7) // 8, "little")


def native_frames(one: Instance, numbers: list[int]) -> list[bytes]:
    """Frames (from 1) decoded in the jail: little endian, not compressed. Raises NotHere, Refused."""
    count = frame_count(one)
    if not all(1 <= number <= count for number in numbers):
        raise NotHere
    try:
        return delivery.native_frames(content.chunks(one), [number - 1 for number in numbers])
    except delivery.NotDelivered:
        raise Refused(406, "There is no decoder for this image here; ask for transfer-syntax=* to get it as stored.")


def value_range(one: Instance, path: str) -> tuple[int, int] | None:
    """(start, length) of a bulk data value in the file; None when the file has to be read in the jail."""
    pixels = one.header.pixels
    if not is_fast(one):
        return None
    if path == "7FE00010" and pixels is not None and pixels[1] >= 0:
        return pixels
    try:
        found = header_json.bulk_range(head_bytes(one), one.header, path)
        if found is None or (path == "7FE00010" and one.header.encapsulated):
            found = header_json.bulk_range(content.read_at(one, 0, MOST_INLINE), one.header, path)
    except NotFast:
        return None
    if found is None:
        raise NotHere
    return found


def jailed_value(one: Instance, path: str) -> bytes:
    """A bulk data value of a file that only pydicom reads. Raises NotHere."""
    try:
        return delivery.value(content.chunks(one), path)
    except delivery.NotDelivered:
        raise NotHere from None


def head_bytes(one: Instance) -> bytes:
    """The file up to its pixels; all of a file without any."""
    pixels = one.header.pixels
    return content.read_at(one, 0, pixels[0] if pixels else min(one.size, MOST_INLINE))


def pieces(one: Instance, start: int, size: int) -> Iterator[bytes]:
    """Bytes of the file in pieces a thread makes; small ones share what is opened for their neighbours."""
    return iter([content.read_at(one, start, size)]) if size < SMALL else content.chunks(one, start, start + size)


def annex_f(one: Instance, root: str) -> dict[str, object]:
    """All attributes of an instance in the DICOM JSON model; bulk data as URLs below `root`, the instance's own."""

    def bulk(path: str) -> str:
        return f"{root}/bulkdata/{path}"

    if is_fast(one):
        try:
            return header_json.dicom_json(head_bytes(one), one.header, bulk=bulk)
        except NotFast:
            pass
    try:
        return header_slow.json_jailed(content.chunks(one), bulk=bulk)
    except NotFast:  # what a search finds is known; one image that nobody can read spoils no series
        return {tag: attribute(*one.header.tags[tag]) for tag in sorted(one.header.tags)}
