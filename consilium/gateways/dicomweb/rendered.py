"""Rendered images and thumbnails (PS3.18 §10.4.1.1.3, §10.4.1.1.4), made in the jail."""

import math
import secrets
from collections.abc import Iterator
from functools import partial
from typing import Any

from consilium.gateways.dicomweb import bulk, wado
from consilium.gateways.dicomweb.exchange import Exchange
from consilium.gateways.dicomweb.index import Instance
from consilium.gateways.dicomweb.negotiate import choose
from consilium.gateways.dicomweb.reply import NotHere, Refused
from consilium.imaging import delivery
from consilium.records import content

THUMBNAIL = 128  # pixels
LARGEST = 8192
MOST = 200  # pictures in one answer
NO_PICTURE = "This has no picture, or none that can be made here; please retrieve it as application/dicom."


async def show(asked: Exchange) -> None:
    """A frame, an instance (its first frames), or what lies in the middle of a series or study."""
    thumbnail = asked.path["form"] == "thumbnail"
    found = [one for one in asked.instances() if bulk.frame_count(one)]
    if not found:
        raise Refused(406, NO_PICTURE)
    media_type = choose(asked.accept, "image/jpeg", "image/png")
    options = _options(asked.query, thumbnail=thumbnail) | {"media_type": media_type}
    if "instance" not in asked.path and not thumbnail:
        await _all(asked, found[:MOST], options)
        return
    one = found[len(found) // 2] if "instance" not in asked.path else found[0]
    numbers = wado.frame_numbers(asked.path["frames"]) if "frames" in asked.path else [_middle(one, thumbnail)]
    if len(numbers) > 1 or numbers[0] > bulk.frame_count(one):
        raise NotHere if len(numbers) == 1 else Refused(400, "Please ask for one rendered frame at a time.")
    await asked.open([one])
    picture = await asked.disk(_picture, one, numbers[0], options)
    await asked.whole(media_type.encode(), picture)


def _middle(one: Instance, thumbnail: bool) -> int:
    return bulk.frame_count(one) // 2 + 1 if thumbnail else 1


async def _all(asked: Exchange, found: list[Instance], options: dict[str, Any]) -> None:
    """The first frame of every instance, as a multipart answer."""
    await asked.open(found)
    boundary = secrets.token_hex(16)
    head = f"--{boundary}\r\nContent-Type: {options['media_type']}\r\n\r\n".encode()

    def pieces() -> Iterator[list[bytes]]:
        for one in found:
            try:
                yield [b"".join((head, _picture(one, 1, options), b"\r\n"))]
            except Refused:
                continue
        yield [f"--{boundary}--\r\n".encode()]

    kind = f'multipart/related; type="{options["media_type"]}"; boundary={boundary}'
    await asked.stream([(b"content-type", kind.encode())], pieces())


def _picture(one: Instance, number: int, options: dict[str, Any]) -> bytes:
    try:
        return delivery.picture(content.chunks(one), number - 1, **options)
    except delivery.NotDelivered:
        raise Refused(406, NO_PICTURE) from None


# --- parameters (§8.3.5) ---------------------------------------------------------------------------------------


def _options(query: dict[str, list[str]], *, thumbnail: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"size": [THUMBNAIL, THUMBNAIL]} if thumbnail else {}
    readers = {"viewport": partial(_viewport, thumbnail=thumbnail), "window": _window, "quality": _quality}
    for name in readers.keys() & query.keys():
        found |= readers[name](query[name][-1])
    return found


def _numbers(text: str, name: str) -> list[float | None]:
    try:
        found = [float(part) if part.strip() else None for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(one is None or math.isfinite(one) for one in found):
        raise Refused(400, f"The parameter {name} is a list of numbers separated by commas.")
    return found


def _viewport(text: str, *, thumbnail: bool) -> dict[str, Any]:
    """vw,vh[,sx,sy,sw,sh]: the size to fit into and the part of the image to show (§8.3.5.1.3)."""
    numbers = _numbers(text, "viewport")
    if len(numbers) not in (2, 6) or (thumbnail and len(numbers) != 2):
        raise Refused(400, "viewport is width,height or width,height,x,y,width,height.")
    size = [int(one or 0) for one in numbers[:2]]
    if not all(1 <= one <= LARGEST for one in size):
        raise Refused(400, f"A viewport is 1 to {LARGEST} pixels wide and high.")
    found: dict[str, Any] = {"size": size}
    if len(numbers) == 6:
        given = zip(numbers[2:], (0, 0, 2**20, 2**20), strict=True)
        left, top, width, height = (int(fallback if one is None else one) for one, fallback in given)
        if left < 0 or top < 0 or not width or not height:
            raise Refused(400, "The part of the image to show begins inside of it and is not empty.")
        found["region"] = [left, top, width, height]
    return found


def _window(text: str) -> dict[str, Any]:
    """centre,width[,function] (§8.3.5.1.4); only the linear function is known here."""
    *values, function = text.split(",") if text.count(",") == 2 else [*text.split(","), "linear"]
    numbers = _numbers(",".join(values), "window")
    if len(numbers) != 2 or None in numbers or (numbers[1] or 0) < 1:
        raise Refused(400, "window is centre,width or centre,width,function, with a width of 1 or more.")
    if function.strip().lower() != "linear":
        raise Refused(400, "Windows are linear here.")
    return {"centre": numbers[0], "width": numbers[1]}


def _quality(text: str) -> dict[str, Any]:
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 1 <= int(text) <= 100:
        raise Refused(400, "quality is a whole number from 1 to 100.")
    return {"quality": int(text)}
