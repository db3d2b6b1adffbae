"""Accept headers as clients write them."""

import pytest

from consilium.gateways.dicomweb.media import chosen_frame
from consilium.gateways.dicomweb.negotiate import choose, parse
from consilium.gateways.dicomweb.reply import Refused

NATIVE, JPEG, J2K, RLE = (
    "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5",
)  # fmt: skip


def test_quality_orders_and_zero_excludes():
    found = parse('application/json;q=0.5, text/html;q=0, application/dicom+json , */*;q=0.1, a/b;c="d,e";q=0.7')
    assert [one.media_type for one in found] == ["application/dicom+json", "a/b", "application/json", "*/*"]
    assert found[1].parameters == {"c": "d,e"}


def test_parts_of_a_multipart():
    for text in (
        'multipart/related; type="application/octet-stream"; transfer-syntax=*',
        "multipart/related; type=application/octet-stream; transfer-syntax=*",
        'Multipart/Related;TYPE="application/octet-stream";Transfer-Syntax="*"',
    ):
        (one,) = parse(text)
        assert (one.multipart, one.media_type, one.transfer_syntax) == (True, "application/octet-stream", "*")


@pytest.mark.parametrize("text", ["application/json;q=x", "nonsense"])
def test_nonsense_is_refused(text):
    with pytest.raises(Refused) as refused:
        parse(text)
    assert refused.value.status == 400


def test_choose():
    assert choose((), "image/jpeg", "image/png") == "image/jpeg"
    assert choose(parse("image/png, image/*;q=0.5"), "image/jpeg", "image/png") == "image/png"
    assert choose(parse("image/*"), "image/jpeg", "image/png") == "image/jpeg"
    assert choose(parse("image/jpeg;q=0, image/*"), "image/jpeg", "image/png") == "image/png"
    assert choose(parse("image/*;q=0, */*"), "image/jpeg", "application/json") == "application/json"
    assert choose(parse("image/*;q=0, image/jpeg"), "image/png", "image/jpeg") == "image/jpeg"
    for text in ("image/gif", "image/jpeg;q=0, image/png;q=0, image/*", "*/*;q=0"):
        with pytest.raises(Refused) as refused:
            choose(parse(text), "image/jpeg", "image/png")
        assert refused.value.status == 406


OCTETS, RELATED = "application/octet-stream", "multipart/related; type="


@pytest.mark.parametrize(
    ("accept", "syntax", "expected"),
    [  # expected: part type, single, decoded; None: 406
        ("", NATIVE, (f"{OCTETS}; transfer-syntax={NATIVE}", False, False)),
        ("*/*", JPEG, (f"image/jpeg; transfer-syntax={JPEG}", False, False)),
        (f"{RELATED}{OCTETS}; transfer-syntax=*", JPEG, (f"{OCTETS}; transfer-syntax={JPEG}", False, False)),
        (f"{RELATED}{OCTETS}", JPEG, (f"{OCTETS}; transfer-syntax={NATIVE}", False, True)),
        (f"{RELATED}{OCTETS}", NATIVE, (f"{OCTETS}; transfer-syntax={NATIVE}", False, False)),
        (f"{RELATED}image/jpeg", JPEG, (f"image/jpeg; transfer-syntax={JPEG}", False, False)),
        (f"{RELATED}image/jp2; transfer-syntax={J2K}", J2K, (f"image/jp2; transfer-syntax={J2K}", False, False)),
        (f"{RELATED}image/jp2; transfer-syntax={JPEG}", J2K, None),
        (f"{RELATED}image/x-dicom-rle", RLE, (f"image/dicom-rle; transfer-syntax={RLE}", False, False)),
        (f"{RELATED}image/jpeg", NATIVE, None),
        (
            f"{RELATED}image/jpeg, {RELATED}{OCTETS};q=0.3",
            NATIVE,
            (f"{OCTETS}; transfer-syntax={NATIVE}", False, False),
        ),
        (OCTETS, NATIVE, (f"{OCTETS}; transfer-syntax={NATIVE}", True, False)),
        ("text/html", NATIVE, None),
    ],
)
def test_frames(accept, syntax, expected):
    ranges = parse(accept) if accept else ()
    if expected is None:
        with pytest.raises(Refused):
            chosen_frame(ranges, syntax, native=syntax == NATIVE, count=1)
        return
    found = chosen_frame(ranges, syntax, native=syntax == NATIVE, count=1)
    assert (found.part_type, found.single, found.decode) == expected


def test_several_frames_need_a_multipart():
    with pytest.raises(Refused):
        chosen_frame(parse(OCTETS), NATIVE, native=True, count=2)
