"""Images in another form than they are stored in, made in the jail: decoded frames, pictures, explicit VR."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels import get_decoder
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

from consilium.imaging import dataset as files
from consilium.imaging import frames, lossless

if TYPE_CHECKING:
    from consilium.records.extract.reader import Output

JOB = "consilium.imaging.delivery:"
ONE: dict[str, Any] = {"seconds": 15.0, "cpu_seconds": 8}  # one picture or value: somebody waits for it


class NotDelivered(Exception):  # noqa: N818 - a named outcome
    """It cannot be had in this form: no such frame or value, no decoder, damaged or too large."""


def native_frames(source: Iterable[bytes], indices: list[int]) -> list[bytes]:
    """Frames (from 0) decoded, as native pixel data in little endian (PS3.5 §8.1). Raises NotDelivered."""
    found = _run("frames_job", source, {"frames": indices})
    if len(found) != len(indices):
        raise NotDelivered
    return found


def explicit(source: Iterable[bytes]) -> bytes:
    """The whole file with its data set in Explicit VR Little Endian, pixels decoded. Raises NotDelivered."""
    return _one(_run("explicit_job", source, {}))


def value(source: Iterable[bytes], path: str) -> bytes:
    """The bytes of one element, named as in `header_json.dicom_json`. Raises NotDelivered."""
    return _one(_run("value_job", source, {"path": path}, **ONE))


def picture(source: Iterable[bytes], frame: int, **options: Any) -> bytes:
    """Frame `frame` (from 0) as JPEG or PNG (PS3.18 §10.4.2).

    media_type: "image/jpeg" or "image/png"; quality: 1…100; centre, width: window in units after the modality
    transformation; size: (width, height) to fit into; region: (x, y, width, height) of the source to show, a negative
    width or height mirrors. Raises NotDelivered.
    """
    return _one(_run("picture_job", source, {"frame": frame, **options}, **ONE))


def _run(job: str, source: Iterable[bytes], options: dict[str, Any], **limits: Any) -> list[bytes]:
    from consilium.records import sandbox

    found: list[bytes] = []
    try:
        for _header, parts in sandbox.run(JOB + job, source, options, max_output=256 * 2**20, **limits):
            found += [bytes(part) for part in parts]
    except sandbox.JobFailed:
        raise NotDelivered from None
    return found


def _one(found: list[bytes]) -> bytes:
    if len(found) != 1:
        raise NotDelivered
    return found[0]


# -- in the jail ----------------------------------------------------------------------------------------------


def frames_job(fd: int, options: dict[str, Any], output: Output) -> None:
    """The job of `native_frames`: one frame of output a picture."""
    with open(fd, "rb", closefd=False) as handle:
        found = files.read(handle, pixels=True)
        for index in options["frames"]:
            output.send({}, _native(found, index)[0])


def _native(found: Dataset, index: int) -> tuple[bytes, str]:
    """The pixels of a frame and the colour space they are in."""
    if not 0 <= index < frames.number_of_frames(found):
        raise frames.NotRendered("no such frame")
    syntax = UID(files.transfer_syntax_of(frames._complete(found)))
    if lossless.handles(syntax):
        pixels, colours = lossless.frame(found, index), str(found.get("PhotometricInterpretation", ""))
    else:
        # raw: colours stay in the colour space of the stream
        pixels, about = get_decoder(syntax).as_array(found, index=index, raw=True)
        colours = str(about["photometric_interpretation"])
    return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)).tobytes(), colours


def explicit_job(fd: int, _options: dict[str, Any], output: Output) -> None:
    """The job of `explicit`."""
    with open(fd, "rb", closefd=False) as handle:
        found = files.read(handle, pixels=True)
        syntax = UID(files.transfer_syntax_of(found))
        if syntax.is_compressed and not syntax.is_deflated:
            _decompress(found)
        elif syntax == ExplicitVRBigEndian:
            _to_little_endian(found)
        frames._complete(found).file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        out = io.BytesIO()
        found.save_as(out, implicit_vr=False, little_endian=True, enforce_file_format=True)
    output.send({}, out.getvalue())


def _decompress(found: Dataset) -> None:
    decoded = [_native(found, index) for index in range(frames.number_of_frames(found))]
    pixels = b"".join(frame for frame, _colours in decoded)
    found.PixelData = pixels + b"\0" * (len(pixels) % 2)
    found["PixelData"].VR = "OW" if int(found.BitsAllocated) > 8 else "OB"
    found["PixelData"].is_undefined_length = False
    if int(found.get("SamplesPerPixel") or 1) > 1:
        found.PlanarConfiguration = 0
        found.PhotometricInterpretation = decoded[0][1]


def _to_little_endian(found: Dataset) -> None:
    """Turn round the words of binary values (PS3.5 §7.3); all others are turned when they are read."""
    for element in found.iterall():
        width = _WORDS.get(str(element.VR), 0)
        if width and element.value:
            words = np.frombuffer(element.value[: len(element.value) // width * width], f">u{width}")
            element.value = words.astype(f"<u{width}").tobytes()
    found.set_original_encoding(is_implicit_vr=False, is_little_endian=True)


_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}


def value_job(fd: int, options: dict[str, Any], output: Output) -> None:
    """The job of `value`."""
    with open(fd, "rb", closefd=False) as handle:
        found: Any = files.read(handle, pixels=True)
        if files.transfer_syntax_of(found) == ExplicitVRBigEndian:
            _to_little_endian(found)
        *outer, last = options["path"].split("/")
        for sequence, item in zip(outer[::2], outer[1::2], strict=True):
            found = found[int(sequence, 16)].value[int(item)]
        element = found[int(last, 16)]
        output.send({}, bytes(element.value))


def picture_job(fd: int, options: dict[str, Any], output: Output) -> None:
    """The job of `picture`."""
    with open(fd, "rb", closefd=False) as handle:
        found = files.read(handle, pixels=True)
        shown = frames.render(found, options["frame"], centre=options.get("centre"), width=options.get("width"))
    if options.get("region"):
        shown = _region(shown, options["region"])
    if options.get("size"):
        shown = _fitted(shown, options["size"])
    out = io.BytesIO()
    if options.get("media_type") == "image/png":
        shown.save(out, "PNG", compress_level=3)
    else:
        shown.save(out, "JPEG", quality=options.get("quality") or 90)
    output.send({}, out.getvalue())


def _region(shown: Image.Image, region: list[int]) -> Image.Image:
    left, top, width, height = region
    part = shown.crop((left, top, min(shown.width, left + abs(width)), min(shown.height, top + abs(height))))
    if width < 0:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return part.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if height < 0 else part


def _fitted(shown: Image.Image, size: list[int]) -> Image.Image:
    """As large as fits, the proportions kept (PS3.18 §8.3.5.1.3)."""
    factor = min(size[0] / shown.width, size[1] / shown.height)
    wanted = (max(1, round(shown.width * factor)), max(1, round(shown.height * factor)))
    return shown.resize(wanted, Image.Resampling.LANCZOS if factor < 1 else Image.Resampling.BICUBIC)
