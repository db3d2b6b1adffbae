"""The Store Instances Response Module (PS3.18 Annex I) of what became of a request's instances."""

from typing import Any
from urllib.parse import quote

from consilium.gateways.dicomweb.intake import Item


def response(items: list[Item], root: str) -> tuple[int, dict[str, Any]]:
    """(status, response). 200 all stored, 202 some, 409 none (Table 10.5.3-1), 400 when there was nothing to store."""
    stored = [one for one in items if not one.failure]
    failed = [one for one in items if one.failure]
    found: dict[str, Any] = {}
    studies = {one.study for one in stored}
    if len(studies) == 1:
        found["00081190"] = {"vr": "UR", "Value": [f"{root}/studies/{quote(studies.pop())}"]}
    named = [_failed(one) for one in failed if one.uid]
    if named:
        found["00081198"] = {"vr": "SQ", "Value": named}
    if stored:
        found["00081199"] = {"vr": "SQ", "Value": [_stored(one, root) for one in stored]}
    nameless = [{"00081197": _reason(one)} for one in failed if not one.uid]
    if nameless:  # Other Failures Sequence: not even its UIDs could be read
        found["0008119A"] = {"vr": "SQ", "Value": nameless}
    if not items:
        return 400, {"00000902": {"vr": "LO", "Value": ["The request holds no instance."]}}
    return (409 if not stored else 202 if failed else 200), found


def _named(one: Item) -> dict[str, Any]:
    return {"00081150": {"vr": "UI", "Value": [one.sop_class]}, "00081155": {"vr": "UI", "Value": [one.uid]}}


def _stored(one: Item, root: str) -> dict[str, Any]:
    url = f"{root}/studies/{quote(one.study)}/series/{quote(one.series)}/instances/{quote(one.uid)}"
    return {**_named(one), "00081190": {"vr": "UR", "Value": [url]}}


def _failed(one: Item) -> dict[str, Any]:
    return {**_named(one), "00081197": _reason(one)}


def _reason(one: Item) -> dict[str, Any]:
    return {"vr": "US", "Value": [one.failure]}
