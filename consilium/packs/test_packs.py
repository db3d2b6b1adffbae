"""Every pack folder is read and checked; one that lacks something fails with a sentence saying what."""

from __future__ import annotations

import datetime as dt
import shutil
import tomllib
from pathlib import Path

import pytest

from consilium.packs import registry
from consilium.packs.reading import PackError
from consilium.packs.schema import LANGUAGES, Text

SPECIALTIES = sorted(path.parent for path in registry.HERE.glob("specialties/[!_]*/pack.toml"))
JURISDICTIONS = sorted(path.parent for path in registry.HERE.glob("jurisdictions/[!_]*/pack.toml"))
FOLDERS = [registry.HERE, *SPECIALTIES, *JURISDICTIONS]
TEMPLATES = sorted(registry.HERE.glob("*/_template"))


def texts(value: object) -> list[dict[str, str]]:
    """Every language table found anywhere in a TOML value."""
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    if not isinstance(value, dict):
        return []
    if set(value) & set(LANGUAGES):
        return [value]
    return [text for item in value.values() for text in texts(item)]


@pytest.mark.parametrize("folder", SPECIALTIES, ids=lambda folder: folder.name)
def test_specialty_folder_is_complete(folder: Path) -> None:
    pack = registry.load_specialty(folder)
    assert pack.id == folder.name
    assert pack.mandatory_records
    assert all(flag.action.in_("de") != flag.action.in_("en") for flag in pack.red_flags)


@pytest.mark.parametrize("folder", JURISDICTIONS, ids=lambda folder: folder.name)
def test_jurisdiction_folder_is_complete(folder: Path) -> None:
    pack = registry.load_jurisdiction(folder)
    assert pack.id == folder.name
    assert pack.countries
    assert registry.holidays(pack.holidays, 2027) is not None


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_text_is_german_and_english(folder: Path) -> None:
    path = folder / ("common.toml" if folder == registry.HERE else "pack.toml")
    found = texts(tomllib.loads(path.read_text()))
    assert found
    for text in found:
        assert text["en"].strip() and text["de"].strip()
        assert text["en"] != text["de"] or len(text["en"].split()) < 3, f"{text['en']!r} is not translated"


@pytest.mark.parametrize("folder", TEMPLATES, ids=lambda folder: folder.parent.name)
def test_template_only_lacks_its_texts(folder: Path) -> None:
    load = registry.load_specialty if folder.parent.name == "specialties" else registry.load_jurisdiction
    with pytest.raises(PackError) as caught:
        load(folder)
    assert all("TODO" in problem for problem in caught.value.problems), caught.value.problems


def test_every_specialty_in_the_order_exists() -> None:
    order = tomllib.loads(registry.COMMON.read_text())["order"]
    assert [pack.id for pack in registry.specialties()][: len(order)] == order


def test_listed_procedures_name_known_specialties() -> None:
    known = {pack.id for pack in registry.specialties()}
    for pack in registry.jurisdictions():
        for procedure in pack.procedures:
            assert set(procedure.specialties) <= known, procedure.code


def test_germany_demands_voice_for_listed_procedures_only() -> None:
    germany = registry.jurisdiction("germany")
    assert germany.oral_delivery_required("spine")
    assert not germany.oral_delivery_required("breast-conserving")
    assert not germany.oral_delivery_required()
    assert germany.notice_days == 10
    assert "operating-doctor" in {row.code for row in germany.excluded_reviewers}
    assert len(germany.procedures) == 13


def test_unknown_pack_names_the_known_ones() -> None:
    with pytest.raises(registry.UnknownPackError, match="knee-hip"):
        registry.specialty("astrology")


def test_a_pack_replaces_and_drops_common_rows(tmp_path: Path) -> None:
    folder = tmp_path / "shoulder"
    shutil.copytree(registry.HERE / "specialties" / "shoulder", folder)
    text = (folder / "pack.toml").read_text()
    own = (
        '[[sections]]\ncode = "options"\n'
        'title = {en = "Choices", de = "Auswahl"}\nhint = {en = "All of them.", de = "Alle."}\n'
    )
    (folder / "pack.toml").write_text(f'without = ["worry"]\n{text}\n{own}')
    pack = registry.load_specialty(folder)
    assert "worry" not in {question.code for question in pack.questions}
    assert [str(row.title.in_("en")) for row in pack.sections if row.code == "options"] == ["Choices"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('de = "Schulter"}', 'fr = "Épaule"}', "lacks its text in 'de'"),
        ('title = {en = "Shoulder"', 'titel = {en = "Shoulder"', "is not a known key"),
        ('need = "mandatory"', 'need = "must"', "allowed are: 'mandatory', 'wanted'"),
        ('source = "bmj-2019"', 'source = "bmj-1919"', "which is not in sources"),
        ('owner = ""', 'owner = "Dr Nobody"', "a draft must leave owner"),
        ('status = "draft"', 'status = "signed-off"', "a signed-off pack needs owner"),
        ('code = "infection"', 'code = "mass"', "has the code 'mass' 2 times"),
        ('kinds = ["imaging"]', 'kinds = ["x-ray"]', "needs kinds out of"),
        ("minimum = 0", 'minimum = "none"', "must be float, not str"),
    ],
)
def test_a_broken_pack_is_refused_with_a_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    folder = tmp_path / "shoulder"
    shutil.copytree(registry.HERE / "specialties" / "shoulder", folder)
    text = (folder / "pack.toml").read_text()
    assert old in text
    (folder / "pack.toml").write_text(text.replace(old, new))
    with pytest.raises(PackError) as caught:
        registry.load_specialty(folder)
    assert sentence in str(caught.value)


def test_text_falls_back_to_english_and_follows_the_region() -> None:
    text = Text((("en", "Knee"), ("de", "Knie")))
    assert (text.in_("de-AT"), text.in_("fr"), text.in_("en")) == ("Knie", "Knee", "Knee")


def test_a_signed_pack_expires(tmp_path: Path) -> None:
    folder = tmp_path / "shoulder"
    shutil.copytree(registry.HERE / "specialties" / "shoulder", folder)
    text = (folder / "pack.toml").read_text()
    for old, new in {
        'status = "draft"': 'status = "signed-off"',
        'owner = ""': 'owner = "Dr Example"',
        'review_date = ""': "review_date = 2026-01-01",
        'expiry = ""': "expiry = 2027-01-01",
    }.items():
        text = text.replace(old, new)
    (folder / "pack.toml").write_text(text)
    signature = registry.load_specialty(folder).signature
    assert signature.state(dt.date(2027, 1, 1)) == "signed-off"
    assert signature.state(dt.date(2027, 1, 2)) == "expired"
    assert registry.specialty("shoulder").signature.state(dt.date(2027, 1, 2)) == "draft"


@pytest.mark.parametrize(
    ("calendar", "day", "free"),
    [
        ("DE", dt.date(2027, 3, 29), True),  # Easter Monday
        ("DE", dt.date(2027, 5, 6), True),  # Ascension
        ("DE", dt.date(2027, 10, 3), True),
        ("DE", dt.date(2027, 7, 5), False),
        ("US", dt.date(2026, 11, 26), True),  # fourth Thursday in November
        ("US", dt.date(2027, 5, 31), True),  # last Monday in May
        ("US", dt.date(2027, 7, 5), True),  # 4 July 2027 is a Sunday, observed on Monday
        ("US", dt.date(2027, 3, 29), False),
        ("US", dt.date(2027, 12, 31), True),  # 1 January 2028 is a Saturday, observed on the Friday before
    ],
)
def test_holidays(calendar: str, day: dt.date, free: bool) -> None:
    assert (day in registry.holidays(calendar, day.year)) is free
