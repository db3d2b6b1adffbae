"""Media types of pixel data by transfer syntax (PS3.18 Tables 8.7.3-2 to 8.7.3-7), and choosing among them."""

from dataclasses import dataclass

from consilium.gateways.dicomweb.negotiate import Range
from consilium.gateways.dicomweb.reply import Refused
from consilium.imaging.header import EXPLICIT, Header

OCTETS = "application/octet-stream"
MULTIPART_DICOM = b'multipart/related; type="application/dicom"; boundary='
_JPEG = "1.2.840.10008.1.2.4."
_BY_SYNTAX = {
    **dict.fromkeys((_JPEG + number for number in ("50", "51", "57", "70")), "image/jpeg"),
    **dict.fromkeys((_JPEG + number for number in ("80", "81")), "image/jls"),
    **dict.fromkeys((_JPEG + number for number in ("90", "91")), "image/jp2"),
    **dict.fromkeys((_JPEG + number for number in ("92", "93")), "image/jpx"),
    **dict.fromkeys((_JPEG + number for number in ("201", "202", "203")), "image/jphc"),
    **dict.fromkeys((_JPEG + number for number in ("110", "111", "112")), "image/jxl"),
    **dict.fromkeys((_JPEG + number for number in ("100", "100.1", "101", "101.1")), "video/mpeg"),
    **dict.fromkeys((_JPEG + number for number in ("102", "102.1", "103", "103.1", "104", "104.1")), "video/mp4"),
    **dict.fromkeys((_JPEG + number for number in ("105", "105.1", "106", "106.1")), "video/mp4"),
    **dict.fromkeys((_JPEG + number for number in ("107", "108")), "video/H265"),
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}
# names that clients use for the same: before registration, or of the container instead of the code stream
_ALSO = {"image/jphc": ("image/jph", "image/jp2"), "image/jls": ("image/x-jls",), "image/jpx": ("image/jp2",),
         "image/dicom-rle": ("image/x-dicom-rle",)}  # fmt: skip


@dataclass(frozen=True)
class FrameForm:
    """How frames are sent. `part_type` names the transfer syntax as well."""

    media_type: str
    part_type: str
    single: bool = False
    decode: bool = False


def frame_type(syntax: str) -> str:
    """The media type of a frame as stored, with its transfer syntax."""
    return f"{_BY_SYNTAX.get(syntax, OCTETS)}; transfer-syntax={syntax}"


def chosen_frame(accept: tuple[Range, ...], syntax: str, *, native: bool, count: int) -> FrameForm:
    """How the client gets frames. native: they are stored as pixels in little endian. Raises Refused (406).

    Compressed frames are passed through as their own media type, or as octets where the client takes any transfer
    syntax or this one; who takes octets only gets them decoded (§8.7.3.5: explicit VR little endian is the default).
    """
    stored = EXPLICIT if native else syntax
    kind = OCTETS if native else _BY_SYNTAX.get(syntax, "")
    for one in accept or (Range("*/*", True),):
        single = not one.multipart and one.media_type != "*/*"
        if single and count > 1:
            continue
        wanted = one.transfer_syntax
        if kind and _covers(one, kind) and wanted in ("", "*", stored, syntax):
            return FrameForm(kind, f"{kind}; transfer-syntax={stored}", single)
        if not one.covers(OCTETS):
            continue
        if kind and wanted in ("*", stored):
            return FrameForm(OCTETS, f"{OCTETS}; transfer-syntax={stored}", single)
        if wanted in ("", "*", EXPLICIT):
            return FrameForm(OCTETS, f"{OCTETS}; transfer-syntax={EXPLICIT}", single, decode=True)
    offered = kind or OCTETS
    raise Refused(406, f'Frames of this image can be had as multipart/related; type="{offered}"; transfer-syntax=*.')


def _covers(one: Range, kind: str) -> bool:
    return one.covers(kind) or one.media_type in _ALSO.get(kind, ())


def value_types(header: Header, path: str) -> list[str]:
    """Media types a bulk data value can be had as; the first by default."""
    if path == "00420011":
        document = header.text("00420012").lower()
        return [OCTETS, document] if document in ("application/pdf", "text/xml") else [OCTETS]
    if path == "7FE00010" and header.encapsulated:
        kind = _BY_SYNTAX.get(header.transfer_syntax)
        return [OCTETS, kind] if kind else [OCTETS]
    return [OCTETS]
