"""The verdicts: each fact of a header or date turns up as its reason, and good material gets no doubt."""

from datetime import date

import pytest

from consilium.cases import adequacy
from consilium.imaging.series import summarise
from consilium.packs.schema import ImagingHint, RecordItem, Text
from consilium.records.models import Record

TODAY = date(2026, 11, 22)
WORDS = Text((("en", "x"),))
HINT = ImagingHint(
    ("MR",),
    ("LSPINE",),
    laterality=True,
    min_images=5,
    max_slice_mm=4,
    max_gap_mm=1,
    min_field_tesla=1.5,
    contrast="required",
)


def item(hint=HINT, kinds=("imaging",), need="mandatory", months=12):
    return RecordItem("x", WORDS, WORDS, need, kinds, months, hint)


def slices(n=10, *, skip=(), **facts):
    given = {
        "modality": "MR", "body_part": "LSPINE", "laterality": "R", "slice_thickness": 3, "frames": 1, "contrast": "Gd",
        "field_strength": 3, "image_orientation": [1, 0, 0, 0, 1, 0], "rows": 256, "columns": 256,
    } | facts  # fmt: skip
    return [given | {"image_position": [0, 0, 3.0 * index]} for index in range(n) if index not in skip]


def study(images, *, when="2026-10-01", **fields):
    facts = {
        "modality": images[0]["modality"],
        "body_part": images[0].get("body_part", ""),
        "series": [summarise(images)],
    }
    return record("imaging", when=when, facts=facts, images=len(images), **fields)


def record(kind, *, when="2026-10-01", facts=None, **fields):
    made = Record(kind=kind, status=fields.pop("status", "ready"), **fields)
    made.clinical_date, made.facts, made.title = when, facts or {}, "t"
    return made


def codes(verdict):
    return {reason.code for reason in verdict.reasons}


def test_good_material_is_enough():
    found = adequacy.verdict(item(), [study(slices())], TODAY)
    assert found.status == "enough", [str(one) for one in found.reasons]
    assert codes(found) == {"recent", "side", "thin", "contrast"}


@pytest.mark.parametrize(
    ("code", "made"),
    [
        ("old", study(slices(), when="2025-10-01")),
        ("no_date", study(slices(), when="")),
        ("body_part", study(slices(body_part="KNEE"))),
        ("body_part_unknown", study(slices(body_part=""))),
        ("no_side", study(slices(laterality=""))),
        ("few", study(slices(4))),
        ("thick", study(slices(slice_thickness=6))),
        ("gaps", study(slices(12, skip=(5,)))),
        ("no_contrast", study(slices(contrast=""))),
        ("field", study(slices(field_strength=0.35))),
        ("screenshots", study(slices(conversion="WSD"))),
        ("damaged", study(slices(), problems=["truncated_dicom"])),
        ("undecided", study(slices(), status="undecided")),
        ("spread", study([one | {"image_position": [0, 0, 9.0 * i]} for i, one in enumerate(slices())])),
    ],
)
def test_a_flaw_is_a_doubt_with_its_reason(code, made):
    found = adequacy.verdict(item(), [made], TODAY)
    assert found.status == "doubt"
    assert code in codes(found)
    assert all("%(" not in str(one) for one in found.reasons)


def test_images_of_another_device_do_not_answer():
    found = adequacy.verdict(item(), [study(slices(modality="CT"))], TODAY)
    assert found.status == "missing"
    assert "modality" in codes(found)


def test_a_report_without_its_images_is_said():
    found = adequacy.verdict(item(), [record("imaging_report")], TODAY)
    assert (found.status, codes(found)) == ("missing", {"report_only"})
    assert codes(adequacy.verdict(item(), [], TODAY)) == {"nothing"}


def test_the_better_of_two_studies_answers():
    better = study(slices(), when="2026-01-01")
    found = adequacy.verdict(item(), [study(slices(2)), better, study(slices(), when="2020-01-01")], TODAY)
    assert found.record is better


def test_a_letter_may_hold_an_optional_report_but_that_is_not_certain():
    wanted = item(None, ("functional_test", "letter"), "wanted", None)
    found = adequacy.verdict(wanted, [record("letter")], TODAY)
    assert (found.status, codes(found)) == ("doubt", {"perhaps"})
    assert adequacy.verdict(wanted, [record("letter"), record("functional_test")], TODAY).status == "enough"


def test_several_images_at_one_place_are_no_gap():
    twice = [one for one in slices(8) for _echo in range(2)]
    assert summarise(twice)["gaps"] == 0
    assert summarise(slices(8))["spacing"] == 3.0


@pytest.mark.parametrize(
    ("problem", "code"), [("encrypted_pdf", "locked"), ("no_preview", "unshown"), ("unsupported", "unshown")]
)
def test_what_nobody_can_read_is_never_called_readable(problem, code):
    wanted = item(None, ("imaging_report",), months=None)
    closed = record("imaging_report", problems=[problem], status="flagged")
    found = adequacy.verdict(wanted, [closed], TODAY)
    assert (found.status, codes(found)) == ("doubt", {code})
    better = record("imaging_report", when="2020-01-01")
    assert adequacy.verdict(wanted, [closed, better], TODAY).record is better


def test_the_right_device_speaks_before_a_newer_wrong_one():
    """An old, thick study of the right device tells more than fresh images of something else."""
    right = study(slices(n=3, slice_thickness=9, laterality=""), when="2020-01-01")
    mammography = study(slices(modality="MG"), when="2026-11-20")
    elsewhere = study(slices(body_part="BRAIN"), when="2026-11-20")
    for order in ([mammography, elsewhere, right], [right, elsewhere, mammography]):
        assert adequacy.verdict(item(), order, TODAY).record is right
    assert adequacy.verdict(item(), [mammography, elsewhere], TODAY).record is elsewhere


def test_a_screenshot_beside_the_images_does_not_speak_for_them():
    shot = {"modality": "OT", "frames": 1, "sop_class": "1.2.840.10008.5.1.4.1.1.7"}
    images = study(slices())
    images.facts = {"modality": "OT", "series": [summarise([shot]), *images.facts["series"]]}
    found = adequacy.verdict(item(), [images], TODAY)
    assert (found.status, codes(found)) == ("enough", {"recent", "side", "thin", "contrast"})
