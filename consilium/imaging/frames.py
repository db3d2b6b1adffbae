"""One frame of a DICOM image as an 8-bit picture: PS3.3 §C.7.6.3 (pixels), §C.11.1 (modality), §C.11.2 (window).

For reading lists, thumbnails and citations; the diagnostic view is the viewer's. `render_frame` runs the rest of
this module in the jail.
"""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels import get_decoder, pixel_array
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGExtended12Bit

from consilium.imaging import dataset as files
from consilium.imaging import facts, lossless

if TYPE_CHECKING:
    from consilium.records.extract.reader import Output
    from consilium.records.extract.result import Chunks

Array = np.ndarray[Any, np.dtype[Any]]
MAX_PIXELS = 64_000_000
_COLOURS = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_PARTIAL_422", "YBR_ICT", "YBR_RCT"}


# JPEG by spectral selection, full progression or arithmetic coding, retired in 2001 (PS3.6 Table A-1) and found on
# old discs: the decoder of the baseline reads them, but pydicom asks it for no more than the baseline.
_RETIRED = {f"1.2.840.10008.1.2.4.{last}" for last in range(52, 57)}


class NotRendered(Exception):  # noqa: N818 - a named outcome
    """This frame cannot be shown: no such frame, no pixels, too large, or no decoder."""


def render_frame(
    source: Chunks,
    frame: int,
    *,
    centre: float | None = None,
    width: float | None = None,
    max_edge: int = 1024,
) -> bytes:
    """Frame `frame` (from 0) as an 8-bit PNG no larger than `max_edge`, with window centre and width if given.

    Window values are in the units after the modality transformation (Hounsfield for CT). Raises NotRendered.
    """
    from consilium.records import sandbox

    options = {"frame": frame, "centre": centre, "width": width, "max_edge": max_edge}
    chunks = source() if callable(source) else source
    data = b""
    try:
        for _header, parts in sandbox.run("consilium.imaging.frames:job", chunks, options):
            data = parts[0] if parts else b""
    except sandbox.JobFailed as failure:
        raise NotRendered(failure.reason) from None
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise NotRendered("no picture")
    return data


def job(fd: int, options: dict[str, Any], output: Output) -> None:
    """The job of `render_frame`."""
    with open(fd, "rb", closefd=False) as handle:
        found = files.read(handle, pixels=True)
        picture = render(found, options["frame"], centre=options["centre"], width=options["width"])
    picture.thumbnail((options["max_edge"], options["max_edge"]))
    output.send({"frame": options["frame"]}, png(picture))


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=3)
    return out.getvalue()


def number_of_frames(found: Dataset) -> int:
    """(0028,0008), 1 when absent; 0 without pixels."""
    if not found.get("Rows") or not found.get("Columns"):
        return 0
    try:
        return max(1, min(facts.MOST_FRAMES, int(found.get("NumberOfFrames") or 1)))
    except (TypeError, ValueError, OverflowError):
        return 1


def render(found: Dataset, index: int, *, centre: float | None = None, width: float | None = None) -> Image.Image:
    """A grey ("L") or colour ("RGB") picture of one frame. Raises NotRendered."""
    if not 0 <= index < number_of_frames(found):
        raise NotRendered("no such frame")
    if int(found.Rows) * int(found.Columns) > MAX_PIXELS:
        raise NotRendered("too large")
    pixels = _pixels(found, index)
    interpretation = str(found.get("PhotometricInterpretation", "MONOCHROME2"))
    if interpretation == "PALETTE COLOR":
        return _in_colour(apply_color_lut(pixels, found))
    if pixels.ndim == 3 or interpretation in _COLOURS:
        return _in_colour(pixels)
    grey = _grey(found, pixels, index, centre, width)
    return Image.fromarray(255 - grey if interpretation == "MONOCHROME1" else grey)


def _pixels(found: Dataset, index: int) -> Array:
    """The decoded frame: (rows, columns) or (rows, columns, 3), colour converted to RGB."""
    try:
        if lossless.handles(files.transfer_syntax_of(found)):
            return lossless.frame(found, index)
        return pixel_array(_complete(found), index=index)
    except (NotImplementedError, RuntimeError, AttributeError, ValueError, TypeError, KeyError) as error:
        raise NotRendered(type(error).__name__) from error


def decodable(found: Dataset) -> bool:
    """Whether a decoder for the transfer syntax is installed at all."""
    syntax = UID(files.transfer_syntax_of(found))
    if lossless.handles(syntax) or not syntax.is_encapsulated:
        return True
    if syntax in _RETIRED:
        return found.get("BitsAllocated") == 8
    try:
        return get_decoder(syntax).is_available and syntax != JPEGExtended12Bit
    except NotImplementedError:
        return False


def _complete(found: Dataset) -> Dataset:
    """What pydicom's decoders insist on, filled in for files without meta information."""
    if not getattr(found, "file_meta", None) or "TransferSyntaxUID" not in found.file_meta:
        from pydicom.dataset import FileMetaDataset

        found.file_meta = FileMetaDataset()
        found.file_meta.TransferSyntaxUID = files.transfer_syntax_of(found)  # type: ignore[assignment]
    if found.file_meta.TransferSyntaxUID in _RETIRED:
        found.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return found


def _in_colour(pixels: Array) -> Image.Image:
    if pixels.dtype != np.uint8:
        top = float(np.iinfo(pixels.dtype).max) if pixels.dtype.kind in "ui" else 1.0
        pixels = (pixels.astype(np.float32) * (255.0 / top)).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels[..., :3]), "RGB")


def _grey(found: Dataset, pixels: Array, index: int, centre: float | None, width: float | None) -> Array:
    around = _frame_context(found, index)
    values: Array = pixels
    with contextlib.suppress(Exception):  # a broken modality table: show the stored values
        values = apply_modality_lut(pixels, around)
    if centre is not None and width is not None:
        return windowed(values, centre, width)
    if "VOILUTSequence" in around:
        with contextlib.suppress(Exception):  # a broken table: fall through to the window
            return _stretched(apply_voi_lut(values, around))
    given = window_of(around)
    return windowed(values, *given) if given else _stretched(values)


def _frame_context(found: Dataset, index: int) -> Dataset:
    """The elements that grey values depend on; enhanced objects keep them per frame or shared (PS3.3 §C.7.6.16)."""
    around = Dataset()
    for source in (found, *_groups(found, index)):
        for name in _GREY_ELEMENTS:
            if name in source:
                around[name] = source[name]
    return around


_GREY_ELEMENTS = (
    "RescaleIntercept", "RescaleSlope", "ModalityLUTSequence", "WindowCenter", "WindowWidth", "VOILUTSequence",
    "VOILUTFunction", "BitsStored", "BitsAllocated", "PixelRepresentation", "PhotometricInterpretation",
)  # fmt: skip


def _groups(found: Dataset, index: int) -> list[Dataset]:
    out: list[Dataset] = []
    shared = found.get("SharedFunctionalGroupsSequence") or []
    per_frame = found.get("PerFrameFunctionalGroupsSequence") or []
    for group in (*shared[:1], *per_frame[index : index + 1]):
        for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            out += list(group.get(name) or [])[:1]
    return out


def window_of(around: Dataset) -> tuple[float, float] | None:
    """The first window (centre, width) of a data set, None when absent or senseless."""
    pair = []
    for name in ("WindowCenter", "WindowWidth"):
        value = around.get(name)
        if isinstance(value, (list, tuple)) or (hasattr(value, "__len__") and not isinstance(value, str)):
            value = value[0] if len(value) else None
        try:
            pair.append(float(value))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return None
    return (pair[0], pair[1]) if pair[1] >= 1 and np.isfinite(pair).all() else None


def windowed(values: Array, centre: float, width: float) -> Array:
    """PS3.3 §C.11.2.1.2.1, the linear function, to 0…255."""
    width = max(1.0, width)
    low = centre - 0.5 - (width - 1) / 2
    scaled = (values.astype(np.float32) - low) * (255.0 / max(width - 1, 1e-6))
    return np.clip(scaled, 0, 255).astype(np.uint8)


def _stretched(values: Array) -> Array:
    """From the darkest to the brightest but for 0.5 % outliers at either end."""
    floats = np.nan_to_num(values.astype(np.float32), posinf=0, neginf=0)
    low, high = (float(v) for v in np.percentile(floats, (0.5, 99.5)))
    if high <= low:
        low, high = float(floats.min()), float(floats.max())
    return np.clip((floats - low) * (255.0 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
