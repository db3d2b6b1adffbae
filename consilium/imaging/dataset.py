"""Read a DICOM file with bounds, inside the jail. PS3.10 files with or without preamble, all native encodings."""

from __future__ import annotations

import io
import warnings
import zlib
from typing import IO

import pydicom
from pydicom import config
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import dcmread, read_dataset, read_file_meta_info
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

MAX_INFLATED = 192 * 2**20
_DEFLATED = str(DeflatedExplicitVRLittleEndian)


class TooMuch(Exception):  # noqa: N818 - a named outcome
    """A deflated data set inflates beyond its bound."""


def read(handle: IO[bytes], *, pixels: bool) -> FileDataset:
    """The data set of `handle`. With `pixels=False` reading stops before the pixel data.

    Raises TooMuch, pydicom.errors.InvalidDicomError and whatever pydicom raises on damaged values.
    """
    warnings.simplefilter("ignore")
    config.settings.reading_validation_mode = config.IGNORE
    if _transfer_syntax(handle) == _DEFLATED:
        return _read_deflated(handle)
    handle.seek(0)
    return dcmread(handle, force=True, stop_before_pixels=not pixels, defer_size=None)


def _transfer_syntax(handle: IO[bytes]) -> str:
    """From the file meta information, "" without one (PS3.10 §7.1)."""
    handle.seek(0)
    if handle.read(132)[128:] != b"DICM":
        return ""
    try:
        meta = pydicom.filereader._read_file_meta_info(handle)
    except Exception:  # a damaged meta group: pydicom's own reader decides what can be saved
        return ""
    return str(meta.get("TransferSyntaxUID", ""))


def _read_deflated(handle: IO[bytes]) -> FileDataset:
    """PS3.5 §A.5: the data set after the meta information is one raw deflate stream. Inflated with a bound."""
    handle.seek(132)
    meta = pydicom.filereader._read_file_meta_info(handle)
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = engine.decompress(handle.read(), MAX_INFLATED + 1)
    if len(plain) > MAX_INFLATED:
        raise TooMuch
    body: Dataset = read_dataset(io.BytesIO(plain), is_implicit_VR=False, is_little_endian=True)
    return FileDataset(handle, body, b"\0" * 128, meta, is_implicit_VR=False, is_little_endian=True)


def transfer_syntax_of(dataset: Dataset) -> str:
    """The UID; for files without meta information, from how the data set was encoded."""
    meta = getattr(dataset, "file_meta", None)
    found = str(meta.get("TransferSyntaxUID", "")) if meta is not None else ""
    if found:
        return found
    implicit, little = dataset.original_encoding
    if implicit:
        return str(ImplicitVRLittleEndian)
    return str(ExplicitVRLittleEndian) if little else str(ExplicitVRBigEndian)


__all__ = ["TooMuch", "read", "read_file_meta_info", "transfer_syntax_of"]
