"""Slides for tests: small files of each kind with a picture in which every place looks different."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, np.dtype[np.uint8]]


def tissue(width: int, height: int) -> Array:
    """An RGB picture: smooth colours by place, a few stained spots, and a dark cross in the middle."""
    y, x = np.mgrid[0:height, 0:width]
    out = np.empty((height, width, 3), np.uint8)
    out[..., 0] = 120 + 120 * x / width
    out[..., 1] = 90 + 110 * y / height
    out[..., 2] = 180 + 40 * np.sin(x / 60) * np.cos(y / 45)
    for number in range(8):
        cx, cy, r = (number * 97 + 60) % width, (number * 173 + 80) % height, 12 + 5 * number
        out[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = (90, 30 + 20 * number, 120)
    out[height // 2 - 6 : height // 2 + 6, :] = (20, 20, 60)
    out[:, width // 2 - 6 : width // 2 + 6] = (20, 20, 60)
    return out


def halved(picture: Array, factor: int) -> Array:
    """The picture at 1/factor of its size."""
    return np.asarray(Image.fromarray(picture).reduce(factor))


def _jpeg(data: Array, *_args: Any, **options: Any) -> bytes:
    """Pillow lends tifffile the encoder it has none of."""
    out = io.BytesIO()
    keep = str(options.get("outcolorspace", "")).upper() == "RGB"
    Image.fromarray(np.ascontiguousarray(data)).save(out, "JPEG", quality=90, keep_rgb=keep)
    return out.getvalue()


def _writer(path: Path, *, big: bool = False) -> Any:
    import tifffile

    tifffile.TIFF.COMPRESSORS._codecs[7] = _jpeg
    return tifffile.TiffWriter(path, bigtiff=big)


def tiff(
    path: Path, picture: Array, *, factors: tuple[int, ...] = (2, 4), big: bool = False, tile: int = 256, **fields: Any
) -> Path:
    """A tiled pyramid, one directory a level."""
    with _writer(path, big=big) as out:
        for number, factor in enumerate((1, *factors)):
            given = {"compression": "jpeg", "photometric": "rgb", "tile": (tile, tile), "metadata": None} | fields
            extra = {"subfiletype": 1} if number else {"resolution": (40_000, 40_000), "resolutionunit": "CENTIMETER"}
            out.write(picture if factor == 1 else halved(picture, factor), **given, **extra)
    return path


def svs(path: Path, picture: Array, *, factors: tuple[int, ...] = (4,)) -> Path:
    """What an Aperio scanner writes: tiles of 240, a thumbnail, further levels, a label and a macro picture."""
    height, width = picture.shape[:2]
    words = f"Aperio Image Library v11.2.1\r\n{width}x{height} [0,0 {width}x{height}] (240x240) JPEG/RGB Q=70"
    stated = words + "|AppMag = 20|StripeWidth = 2040|Date = 03/04/26|User = b414003d|MPP = 0.4990|Patient = DOE, JANE"
    with _writer(path) as out:
        tiled: dict[str, Any] = {"compression": "jpeg", "photometric": "rgb", "tile": (240, 240), "metadata": None}
        out.write(picture, **tiled, description=stated)
        small = halved(picture, max(1, width // 256))
        out.write(small, compression="jpeg", photometric="rgb", metadata=None, description=words + " -> thumb")
        for factor in factors:
            out.write(halved(picture, factor), **tiled, description=words, subfiletype=1)
        for name in ("label", "macro"):
            note = f"Aperio Image Library v11.2.1\r\n{name} 120x100"
            flat = np.full((100, 120, 3), 200, np.uint8)
            out.write(flat, photometric="rgb", compression="zlib", metadata=None, description=note, subfiletype=1)
    return path


def ndpi(path: Path, picture: Array, *, factors: tuple[int, ...] = (4,), starts: bool = True) -> Path:
    """What a Hamamatsu scanner writes: each level one JPEG with restart intervals, in its own kind of TIFF.

    Levels whose width is no multiple of 256, the length of its intervals, are plain JPEGs.
    """
    data = bytearray(b"II*\0" + bytes(8))
    levels = [(1.0, picture, 20.0), *((1 / f, halved(picture, f), 20.0 / f) for f in factors)]
    macro = (0.0, np.full((64, 96, 3), 230, np.uint8), -1.0)
    link = 4
    for _scale, pixels, lens in (*levels, macro):
        stream, places = _restarting(pixels)
        at = len(data)
        data += stream
        starts_at = len(data)
        data += b"".join(struct.pack("<I", place) for place in places)
        lens_bits = struct.unpack("<I", struct.pack("<f", lens))[0]
        rows = [(256, 4, 1, pixels.shape[1]), (257, 4, 1, pixels.shape[0]), (258, 3, 1, 8), (259, 3, 1, 7),
                (262, 3, 1, 6), (273, 4, 1, at), (277, 3, 1, 3), (278, 4, 1, pixels.shape[0]),
                (279, 4, 1, len(stream)), (65420, 4, 1, 1), (65421, 11, 1, lens_bits), (65424, 9, 1, 0)]  # fmt: skip
        rows[2] = (258, 3, 2, 8 | 8 << 16)
        if starts:
            rows.append((65426, 4, len(places), starts_at if len(places) > 1 else places[0]))
        data[link : link + 8] = struct.pack("<Q", len(data))
        data += struct.pack("<H", len(rows)) + b"".join(struct.pack("<HHII", *row) for row in rows)
        link = len(data)
        data += bytes(8 + 4 * len(rows))  # the next directory, and the high halves of the values
    path.write_bytes(data)
    return path


def _restarting(pixels: Array) -> tuple[bytes, list[int]]:
    """A JPEG with a restart marker every 16 units, and where each interval begins."""
    padded = np.full((-(-pixels.shape[0] // 8) * 8, pixels.shape[1], 3), 255, np.uint8)
    padded[: pixels.shape[0]] = pixels
    out = io.BytesIO()
    Image.fromarray(padded).save(
        out, "JPEG", quality=90, subsampling="4:2:2", restart_marker_blocks=0 if pixels.shape[1] % 256 else 16
    )
    stream = bytearray(out.getvalue())
    at = stream.index(b"\xff\xda")
    scan = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    frame = stream.index(b"\xff\xc0")
    stream[frame + 5 : frame + 9] = pixels.shape[0].to_bytes(2, "big") + pixels.shape[1].to_bytes(2, "big")
    places = [scan] + [
        n + 2 for n in range(scan, len(stream) - 1) if stream[n] == 0xFF and 0xD0 <= stream[n + 1] <= 0xD7
    ]
    return bytes(stream), places
