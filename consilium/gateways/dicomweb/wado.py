"""WADO-RS, the retrieve transaction (PS3.18 §10.4): instances, metadata, bulk data and frames."""

import secrets
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from consilium.gateways.data.ranges import Unsatisfiable, wanted_range
from consilium.gateways.dicomweb import bulk, reply
from consilium.gateways.dicomweb.exchange import Exchange
from consilium.gateways.dicomweb.index import Instance, Series
from consilium.gateways.dicomweb.media import MULTIPART_DICOM, chosen_frame, frame_type, value_types
from consilium.gateways.dicomweb.negotiate import choose
from consilium.gateways.dicomweb.qido import url_of
from consilium.gateways.dicomweb.reply import JSON_TYPE, NotHere, Refused
from consilium.imaging import delivery, header
from consilium.imaging.header import NotFast
from consilium.imaging.header_frames import Ranges
from consilium.records import content

GATHERED = 1024 * 1024  # bytes handed to the server at once
SMALL = 16 * 1024
AT_ONCE = 8 * 2**20  # frames up to this many bytes are sent in one piece
AT_HAND = 1024 * 1024  # so many bytes in memory are read on the spot: handing over to a thread takes as long
MOST_FRAMES = 10_000
GZIP_FROM = 8 * 1024


# --- instances (§10.4.1.1.1) ---------------------------------------------------------------------------------


async def instances(asked: Exchange) -> None:
    """A study, series or instance as DICOM files: as stored, or in explicit VR little endian when asked for."""
    found = asked.instances()
    form = _form(asked, found)
    await asked.open(found)
    if form == "single":
        one = found[0]
        head = [(b"content-type", b"application/dicom"), (b"content-length", str(one.size).encode())]
        await asked.stream(head, gathered(content.chunks(one)))
        return
    boundary = secrets.token_hex(16)
    head = [(b"content-type", MULTIPART_DICOM + boundary.encode())]
    if form == "stored":
        length = sum(one.size + len(_part_head(boundary, _dicom_type(one))) + 2 for one in found) + len(_end(boundary))
        head.append((b"content-length", str(length).encode()))
    await asked.stream(head, gathered(_files(found, boundary, explicit=form == "explicit")))


def _form(asked: Exchange, found: list[Instance]) -> str:
    """ "stored", "explicit" or "single". Raises Refused (406)."""
    if not asked.accept:
        return "stored"
    for one in asked.accept:
        if not one.covers("application/dicom"):
            continue
        single = not one.multipart and one.media_type != "*/*"
        if single and len(found) > 1:
            continue
        wanted = one.transfer_syntax
        if wanted in ("", "*") or all(each.header.transfer_syntax == wanted for each in found):
            return "single" if single else "stored"
        if wanted == header.EXPLICIT and not single:
            return "explicit"
    raise Refused(406, 'Instances can be had as multipart/related; type="application/dicom"; transfer-syntax=*.')


def _files(found: list[Instance], boundary: str, *, explicit: bool) -> Iterator[bytes]:
    for one, stored in zip(found, content.run(found, found[0].space), strict=True):
        if explicit and one.header.transfer_syntax != header.EXPLICIT:
            yield _part_head(boundary, f"application/dicom; transfer-syntax={header.EXPLICIT}")
            yield _explicit(one)
        else:
            yield _part_head(boundary, _dicom_type(one))
            yield from stored
        yield b"\r\n"
    yield _end(boundary)


def _explicit(one: Instance) -> bytes:
    try:
        return delivery.explicit(content.chunks(one))
    except delivery.NotDelivered:
        raise Refused(406, "An image cannot be decoded here; ask for transfer-syntax=* to get it as stored.") from None


def _dicom_type(one: Instance) -> str:
    return f"application/dicom; transfer-syntax={one.header.transfer_syntax}"


def _part_head(boundary: str, media_type: str, location: str = "") -> bytes:
    where = f"Content-Location: {location}\r\n" if location else ""
    return f"--{boundary}\r\nContent-Type: {media_type}\r\n{where}\r\n".encode()


def _end(boundary: str) -> bytes:
    return f"--{boundary}--\r\n".encode()


def gathered(source: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Batches of about GATHERED bytes for one hop to a thread; joined are only small pieces, which copies little."""
    batch: list[bytes] = []
    small: list[bytes] = []
    size = 0
    for piece in source:
        size += len(piece)
        if len(piece) < SMALL:
            small.append(piece)
        else:
            if small:
                batch.append(b"".join(small))
                small = []
            batch.append(piece)
        if size >= GATHERED:
            yield [*batch, b"".join(small)] if small else batch
            batch, small, size = [], [], 0
    if size:
        yield [*batch, b"".join(small)] if small else batch


# --- metadata (§10.4.1.1.2) ------------------------------------------------------------------------------------


async def metadata(asked: Exchange) -> None:
    """The attributes of an instance, a series or a study as DICOM JSON."""
    asked.require_json()
    found = asked.instances()
    await asked.open(found)
    if "instance" in asked.path:
        body = await asked.disk(_one_metadata, found[0], asked.root)
        await _send_json(asked, body)
        return
    series = asked.series()
    products = [await _product(asked, one) for one in series]
    if len(products) == 1 and asked.takes_gzip():
        headers = ((b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))
        await asked.whole(JSON_TYPE, products[0], *headers)
        return
    await _send_json(asked, await asked.disk(_joined, products))


async def _product(asked: Exchange, series: Series) -> bytes:
    products = asked.app.products
    found = products.get(asked.index, series, asked.root)
    if found is None:
        found = await asked.thread(products.make, asked.grant, asked.index, series, asked.root)
    return found


def _one_metadata(one: Instance, root: str) -> bytes:
    return reply.json_body([bulk.annex_f(one, root + url_of(one))])


def _joined(products: list[bytes]) -> bytes:
    import gzip

    texts = (gzip.decompress(one)[1:-1] for one in products)
    return b"[" + b",".join(text for text in texts if text) + b"]"


async def _send_json(asked: Exchange, body: bytes) -> None:
    """Compressed when it is worth it and the client takes it."""
    if len(body) < GZIP_FROM or not asked.takes_gzip():
        await asked.whole(JSON_TYPE, body, (b"vary", b"accept-encoding"))
        return
    import gzip

    packed = await asked.disk(partial(gzip.compress, body, 3))
    await asked.whole(JSON_TYPE, packed, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))


# --- frames (§10.4.1.1.6) ----------------------------------------------------------------------------------------


async def frames(asked: Exchange) -> None:
    """Frames as stored, or decoded when the client takes only native pixels."""
    one = asked.instance()
    numbers = frame_numbers(asked.path["frames"])
    if not bulk.frame_count(one):
        raise NotHere
    native = not one.header.encapsulated and bulk.is_fast(one)
    how = chosen_frame(asked.accept, one.header.transfer_syntax, native=native, count=len(numbers))
    await asked.open([one])
    boundary = secrets.token_hex(16)
    together = partial(_together, _part_head(boundary, how.part_type), b"" if how.single else _end(boundary))
    if how.decode:
        body = together([[frame] for frame in await asked.disk(bulk.native_frames, one, numbers)], single=how.single)
    elif _size(one) * len(numbers) <= AT_HAND and bulk.at_hand(one, numbers):
        body = together(_stored(one, numbers), single=how.single)
    elif _size(one) * len(numbers) <= AT_ONCE:
        body = await asked.disk(lambda: together(_stored(one, numbers), single=how.single))
    else:
        await _stream_frames(asked, one, numbers, how.part_type)
        return
    await asked.whole(how.part_type.encode() if how.single else _related(how.media_type, boundary), body)


def _together(head: bytes, end: bytes, frames: list[list[Any]], *, single: bool) -> bytes:
    """The body of an answer: one frame, or each as a part of its own."""
    if single:
        return b"".join(frames[0])
    return b"".join([*(piece for frame in frames for piece in (head, *frame, b"\r\n")), end])


def _related(media_type: str, boundary: str) -> bytes:
    return f'multipart/related; type="{media_type}"; boundary={boundary}'.encode()


def _size(one: Instance) -> int:
    """About how large a frame is."""
    return one.size // bulk.frame_count(one)


def _stored(one: Instance, numbers: list[int]) -> list[list[Any]]:
    return [bulk.frame_pieces(one, number) for number in numbers]


async def _stream_frames(asked: Exchange, one: Instance, numbers: list[int], part_type: str) -> None:
    boundary = secrets.token_hex(16)
    head = _part_head(boundary, part_type)

    def pieces() -> Iterator[bytes]:
        for number in numbers:
            yield from (head, bulk.stored_frame(one, number), b"\r\n")
        yield _end(boundary)

    await asked.stream([(b"content-type", _related(part_type.partition(";")[0], boundary))], gathered(pieces()))


def frame_numbers(text: str) -> list[int]:
    """A frame list (§8.3.?): "1" or "1,3,4". Raises Refused (400)."""
    numbers = [int(part) if part.isdigit() and len(part) < 9 else 0 for part in text.split(",")]
    if not all(numbers) or len(numbers) > MOST_FRAMES:
        raise Refused(400, "Frames are named by their numbers, from 1 and separated by commas.")
    return numbers


# --- bulk data (§10.4.1.1.5) -------------------------------------------------------------------------------------


async def bulkdata(asked: Exchange) -> None:
    """A value that the metadata only names; of compressed pixel data its frames."""
    one = asked.instance()
    path = asked.path.get("value", "7FE00010")
    compressed = path == "7FE00010" and one.header.encapsulated
    types = value_types(one.header, path)
    media_type, multipart = _value_form(asked, types)
    await asked.open([one])
    places = await asked.disk(_frames, one) if compressed else []
    if compressed and multipart:
        numbers = list(range(1, 1 + len(places)))
        await _stream_frames(asked, one, numbers, frame_type(one.header.transfer_syntax))
        return
    if compressed:
        await asked.stream([(b"content-type", media_type)], gathered(_fragments(one, places)))
        return
    place = await asked.disk(bulk.value_range, one, path)
    if place is None:
        await _send_value(asked, await asked.disk(bulk.jailed_value, one, path), media_type, multipart)
    else:
        await _stream_value(asked, one, place, media_type, multipart)


def _value_form(asked: Exchange, types: list[str]) -> tuple[bytes, bool]:
    """(media type, whether in a multipart). Raises Refused (406)."""
    for one in asked.accept:
        if one.multipart and any(one.covers(kind) for kind in types):
            return next(kind for kind in types if one.covers(kind)).encode(), True
        if not one.multipart and any(one.covers(kind) for kind in types):
            return next(kind for kind in types if one.covers(kind)).encode(), False
    return choose(asked.accept, *types).encode(), False


def _frames(one: Instance) -> list[Ranges]:
    """Where the compressed frames lie. Raises NotHere, Refused (406) when the file does not say so truly."""
    try:
        return bulk.frames(one)
    except NotFast:
        raise Refused(406, bulk.NOT_APART) from None


def _fragments(one: Instance, places: list[Ranges]) -> Iterator[bytes]:
    """The compressed stream itself: all frames in a row (a video is one)."""
    for start, size in chain.from_iterable(places):
        yield from bulk.pieces(one, start, size)


async def _send_value(asked: Exchange, value: bytes, media_type: bytes, multipart: bool) -> None:
    if not multipart:
        await asked.whole(media_type, value)
        return
    boundary = secrets.token_hex(16)
    body = b"".join([_part_head(boundary, media_type.decode()), value, b"\r\n", _end(boundary)])
    await asked.whole(_related(media_type.decode(), boundary), body)


async def _stream_value(
    asked: Exchange, one: Instance, place: tuple[int, int], media_type: bytes, multipart: bool
) -> None:
    start, size = place
    if multipart:
        boundary = secrets.token_hex(16)
        before, after = _part_head(boundary, media_type.decode()), b"\r\n" + _end(boundary)
        length = str(len(before) + size + len(after)).encode()
        head = [(b"content-type", _related(media_type.decode(), boundary)), (b"content-length", length)]
        await asked.stream(head, gathered(chain([before], bulk.pieces(one, start, size), [after])))
        return
    tag = f'"{one.file.hex}-{start:x}"'.encode()
    try:
        part = wanted_range(asked.scope["headers"], size, tag, asked.scope["method"])
    except Unsatisfiable:
        total = (b"content-range", f"bytes */{size}".encode())
        raise Refused(416, "The requested range lies outside of the value.", total) from None
    head = [(b"content-type", media_type), (b"accept-ranges", b"bytes"), (b"etag", tag)]
    low, high = part or (0, size)
    head.append((b"content-length", str(high - low).encode()))
    if part:
        head.append((b"content-range", f"bytes {low}-{high - 1}/{size}".encode()))
    await asked.stream(head, gathered(bulk.pieces(one, start + low, high - low)), 206 if part else 200)
