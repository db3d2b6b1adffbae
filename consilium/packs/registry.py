"""The packs of this installation, one folder each. Loaded once a process: they change with a release."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

from consilium.packs.calendars import days
from consilium.packs.checks import check_jurisdiction, check_specialty
from consilium.packs.reading import PackError, Reader, read_toml
from consilium.packs.schema import JurisdictionPack, SpecialtyPack, Text

HERE = Path(__file__).parent
COMMON = HERE / "common.toml"
SIGNATURE_KEYS = ("status", "owner", "review_date", "expiry")
ROW_KEYS = ("suitability", "red_flags", "questions", "records", "sections", "release", "regions", "examples")
"""Tables a specialty may leave out or extend: rows of ``common.toml`` come first, same code replaces."""


class UnknownPackError(LookupError):
    """No pack with this id in this installation."""


@cache
def specialty(name: str) -> SpecialtyPack:
    """The specialty pack. Raises :class:`UnknownPackError`, or PackError when its folder is not sound."""
    return load_specialty(_folder("specialties", name))


@cache
def jurisdiction(name: str) -> JurisdictionPack:
    """The jurisdiction pack. Raises :class:`UnknownPackError`, or PackError when its folder is not sound."""
    return load_jurisdiction(_folder("jurisdictions", name))


@cache
def specialties() -> tuple[SpecialtyPack, ...]:
    """Every specialty, in the order of ``common.toml``, unlisted ones after them by name."""
    order = read_toml(COMMON)["order"]
    rank = {name: place for place, name in enumerate(order)}
    return tuple(specialty(name) for name in sorted(_ids("specialties"), key=lambda name: (rank.get(name, 99), name)))


@cache
def jurisdictions() -> tuple[JurisdictionPack, ...]:
    """Every jurisdiction, by id."""
    return tuple(jurisdiction(name) for name in _ids("jurisdictions"))


@cache
def holidays(calendar: str, year: int) -> dict[dt.date, Text]:
    """The days off of a calendar code ("DE", "US") in one year, with their names.

    Raises :class:`UnknownPackError` for a code without a file in ``calendars``.
    """
    path = HERE / "calendars" / f"{calendar}.toml"
    if not path.is_file():
        raise UnknownPackError(f"There is no holiday calendar {calendar!r}.")
    rules = read_toml(path)["days"]
    # The next year's New Year's Day may be observed on this year's last Friday.
    found = [*days(rules, year), *days(rules, year + 1)]
    return {day: name for day, name in found if day.year == year}


def load_specialty(folder: Path) -> SpecialtyPack:
    """Read and check one specialty folder. Raises PackError that lists all problems."""
    own, common = read_toml(folder / "pack.toml"), read_toml(COMMON)
    without = own.pop("without", [])
    data = _signed(own) | {key: _rows(common, own, key, without) for key in ROW_KEYS}
    data["sources"] = common.get("sources", []) + own.get("sources", [])
    return _load(SpecialtyPack, folder, data, check_specialty)


def load_jurisdiction(folder: Path) -> JurisdictionPack:
    """Read and check one jurisdiction folder. Raises PackError that lists all problems."""
    return _load(JurisdictionPack, folder, _signed(read_toml(folder / "pack.toml")), check_jurisdiction)


def _load(cls: type, folder: Path, data: dict[str, Any], check: Any) -> Any:
    reader = Reader(folder.name)
    pack = reader.build(cls, {"id": folder.name} | data, "pack")
    problems = reader.problems + (check(pack) if pack is not None else [])
    if problems:
        raise PackError(problems)
    return pack


def _signed(data: dict[str, Any]) -> dict[str, Any]:
    """Fold the four signature keys into one table; TOML has no null, so a draft's dates are ""."""
    signature = {key: data.pop(key) for key in SIGNATURE_KEYS if key in data}
    for key in ("review_date", "expiry"):
        if signature.get(key) == "":
            signature.pop(key)
    return data | {"signature": signature}


def _rows(common: dict[str, Any], own: dict[str, Any], key: str, without: list[str]) -> list[dict[str, Any]]:
    replaced = {row.get("code") for row in own.get(key, [])} | set(without)
    return [row for row in common.get(key, []) if row["code"] not in replaced] + own.get(key, [])


def _ids(family: str) -> list[str]:
    """Folder names; those that begin with an underscore are templates."""
    return sorted(path.parent.name for path in (HERE / family).glob("[!_]*/pack.toml"))


def _folder(family: str, name: str) -> Path:
    if name not in _ids(family):
        raise UnknownPackError(f"There is no pack {name!r} in {family}; there are: {', '.join(_ids(family))}.")
    return HERE / family / name
