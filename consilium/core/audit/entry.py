"""What an audit entry says and how it is written down.

Shaped like the AuditEvent of IHE BALP (FHIR R4): recorded, action and subtype, outcome, a pseudonymous
agent, an entity reference, a purpose; no network address. No health data and no names: only references
and short codes get in, and everything else is refused loudly.
"""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

FORMAT = 1
GENESIS = "0" * 64

OUTCOMES = {"success": "0", "denied": "4", "failed": "8"}  # FHIR AuditEvent.outcome codes
_ACTION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,3}\Z")
_REFERENCE = re.compile(r"[a-z][a-z_]*(:[A-Za-z0-9._-]{1,80})?\Z")
_PURPOSE = re.compile(r"[A-Z][A-Z_]{1,15}\Z")
_FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
# Lower-case codes, versions, references and hashes, or an upper-case code: never words with spaces,
# capitalised names or addresses.
_CODE = re.compile(r"[a-z0-9][a-z0-9._:/+-]{0,127}\Z|[A-Z][A-Z0-9_]{1,31}\Z")
# Digits and separators alone could be a birth date, a telephone or an insurance number.
_NUMBERLIKE = re.compile(r"[0-9][0-9./:+-]{5,}\Z")
_PERSONAL = re.compile(r"(^|_)(name|email|mail|phone|birth|born|address|text|title|subject|question|note)(_|$)")

# The first word of the last part of an action tells the FHIR action code; everything else is "E", execute.
_CRUD = {
    "C": {"create", "add", "upload", "invite", "open", "grant", "give", "start", "send", "write", "make", "ask"},
    "R": {"read", "view", "list", "download", "search", "see", "export", "print", "check"},
    "U": {"update", "change", "edit", "correct", "revise", "assign", "set", "save", "confirm", "decide", "restore"},
    "D": {"delete", "erase", "remove", "revoke", "withdraw", "destroy"},
}


class AuditRefused(Exception):  # noqa: N818 - says what happened to the entry
    """The entry may not be written as it is (or at all): the effect must not happen either."""


def crud(action: str) -> str:
    """FHIR AuditEvent.action (C, R, U, D or E) of an action such as "record.read"."""
    verb = action.rsplit(".", 1)[-1].split("_", maxsplit=1)[0]
    return next((code for code, verbs in _CRUD.items() if verb in verbs), "E")


def build(
    *,
    action: str,
    agent: str,
    thing: str,
    space: UUID | None,
    outcome: str,
    purpose: str,
    facts: dict[str, Any],
    recorded: datetime,
) -> dict[str, Any]:
    """The entry without its place in the chain. Raises AuditRefused for anything that might be personal."""
    _require(_ACTION.match(action), f"{action!r} is not an action like record.read.")
    _require(_REFERENCE.match(agent), "The agent must be a pseudonymous reference like user:<uuid>.")
    _require(_REFERENCE.match(thing), "The thing must be a reference like record:<uuid>.")
    _require(outcome in OUTCOMES, f"The outcome must be one of {', '.join(OUTCOMES)}.")
    _require(_PURPOSE.match(purpose), "The purpose must be a code like TREAT.")
    return {
        "format": FORMAT,
        "recorded": instant(recorded),
        "type": "object",
        "subtype": action,
        "action": crud(action),
        "outcome": outcome,
        "purpose": purpose,
        "agent": agent,
        "network": None,
        "entity": thing,
        "space": None if space is None else str(space),
        "facts": {name: _fact(name, value) for name, value in facts.items()},
    }


def chained(entry: dict[str, Any], *, sequence: int, previous: str) -> tuple[str, str]:
    """The canonical text of an entry at its place in the chain, and its SHA-256 in hex."""
    text = canonical({**entry, "sequence": sequence, "previous": previous})
    return text, hashlib.sha256(text.encode()).hexdigest()


def canonical(value: dict[str, Any]) -> str:
    """Canonical JSON: sorted keys, no spaces, ASCII. With no floats in it this is RFC 8785's form."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _fact(name: str, value: Any) -> str | int | bool | None:
    _require(_FACT_NAME.match(name), f"{name!r} is not a fact's name.")
    if value is None or value == "" or isinstance(value, bool | int):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return instant(value)
    _require(not _PERSONAL.search(name), f"A fact called {name!r} sounds like personal data.")
    code = isinstance(value, str) and _CODE.match(value) and not _NUMBERLIKE.match(value)
    _require(code, f"The fact {name!r} must be a number, a boolean, a UUID, a time or a short code.")
    return str(value)


def instant(value: datetime) -> str:
    """An aware time as ISO 8601 in UTC with microseconds and Z."""
    _require(value.tzinfo is not None, "Times in the audit log are aware.")
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _require(condition: object, sentence: str) -> None:
    if not condition:
        raise AuditRefused(sentence)
