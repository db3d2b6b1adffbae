"""The packs of this installation, one folder each. Loaded once a process: packs change with a release only."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

from consilium.packs.checks import check_jurisdiction, check_specialty
from consilium.packs.reading import PackError, Reader, read_toml
from consilium.packs.schema import JurisdictionPack, SpecialtyPack

HERE = Path(__file__).parent
COMMON = HERE / "common.toml"
SIGNATURE_KEYS = ("status", "owner", "review_date", "expiry")
ROW_KEYS = ("suitability", "red_flags", "questions", "records", "sections", "release", "regions", "examples")
"""Tables a specialty may leave out or extend: rows of ``common.toml`` come first, same code replaces."""


class UnknownPack(LookupError):
    """No pack with this id in this installation."""


@cache
def specialty(id: str) -> SpecialtyPack:
    """The specialty pack ``id``. Raises :class:`UnknownPack`, or PackError when its folder is not sound."""
    return load_specialty(_folder("specialties", id))


@cache
def jurisdiction(id: str) -> JurisdictionPack:
    """The jurisdiction pack ``id``. Raises :class:`UnknownPack`, or PackError when its folder is not sound."""
    return load_jurisdiction(_folder("jurisdictions", id))


@cache
def specialties() -> tuple[SpecialtyPack, ...]:
    """Every specialty, in the order of ``common.toml``, unlisted ones after them by name."""
    order = read_toml(COMMON)["order"]
    ids = sorted(_ids("specialties"), key=lambda id: (order.index(id) if id in order else len(order), id))
    return tuple(specialty(id) for id in ids)


@cache
def jurisdictions() -> tuple[JurisdictionPack, ...]:
    """Every jurisdiction, by id."""
    return tuple(jurisdiction(id) for id in _ids("jurisdictions"))


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
    return sorted(
        path.parent.name
        for path in (HERE / family).glob("*/pack.toml")
        if not path.parent.name.startswith("_")
    )


def _folder(family: str, id: str) -> Path:
    if id not in _ids(family):
        raise UnknownPack(f"There is no pack {id!r} in {family}; there are: {', '.join(_ids(family))}.")
    return HERE / family / id


def today_state(pack: SpecialtyPack | JurisdictionPack, today: dt.date) -> str:
    """The state of a pack's sign-off on ``today``: "draft", "signed-off" or "expired"."""
    return pack.signature.state(today)
