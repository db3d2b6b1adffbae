"""Blind indexes: keyed hashes that find a person by exact name part or date, without plaintext columns.

The key derives from the organisation's key, so a database dump allows no dictionary attack, and tokens of
two organisations (or of two domains, such as "person.name" and "person.birth_date") never match.
"""

import hashlib
import hmac
import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from consilium.vault import keys
from consilium.vault.derive import subkey

# How German (and Nordic) letters are written without their marks: Müller, Mueller, Muller are one name.
_EXPANDED = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "æ": "ae",
        "ø": "oe",
        "å": "aa",
        "œ": "oe",
        "đ": "d",
        "ł": "l",
    }
)
# casefold() has made "ss" of ß already.
_BARE = str.maketrans({"æ": "ae", "ø": "o", "œ": "oe", "đ": "d", "ł": "l"})
_DIGRAPHS = re.compile("ae|oe|ue")
_GERMAN_DATE = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})")


def normalise(value: str) -> str:
    """NFKD, marks stripped, case folded, spaces collapsed: "  MÜLLER " → "muller", "Weiß" → "weiss"."""
    folded = unicodedata.normalize("NFKC", value).casefold().translate(_BARE)
    decomposed = unicodedata.normalize("NFKD", folded)
    return " ".join("".join(char for char in decomposed if not unicodedata.combining(char)).split())


def parts(text: str) -> list[str]:
    """The name parts of a text, in order: "Anna-Lena O'Neill, Dr." → ["anna", "lena", "o'neill" …]."""
    return [part for part in re.split(r"[^\w']+", unicodedata.normalize("NFKC", text).casefold()) if part]


def variants(part: str) -> set[str]:
    """The spellings one name part is filed under: "müller" → {"muller", "mueller"}; "mueller" → the same."""
    plain = normalise(part).replace("'", "")
    expanded = normalise(unicodedata.normalize("NFKC", part).casefold().translate(_EXPANDED)).replace("'", "")
    collapsed = _DIGRAPHS.sub(lambda match: match[0][0], expanded)
    return {spelling for spelling in (plain, expanded, collapsed) if spelling}


def token(tenant: UUID, domain: str, value: str | date) -> str:
    """The keyed hash (32 hex digits) of one exact value; dates are hashed as ISO 8601."""
    text = value.isoformat()[:10] if isinstance(value, date) else normalise(value)
    return _hash(_secret(tenant), domain, text)


def tokens(tenant: UUID, domain: str, text: str) -> list[str]:
    """All tokens to file a name under: every part in every spelling. Sorted, without repeats."""
    secret = _secret(tenant)
    return sorted({_hash(secret, domain, spelling) for part in parts(text) for spelling in variants(part)})


def search_groups(tenant: UUID, domain: str, text: str) -> list[list[str]]:
    """Tokens to search a name by, one list a typed part: a row matches when it holds at least one
    token of every list."""
    secret = _secret(tenant)
    return [sorted(_hash(secret, domain, spelling) for spelling in variants(part)) for part in parts(text)]


def iso_date(text: str) -> str | None:
    """A typed date as ISO 8601: "1980-12-24" and "24.12.1980" are understood; else None."""
    match = _GERMAN_DATE.fullmatch(text.strip())
    try:
        if match:
            return date(int(match[3]), int(match[2]), int(match[1])).isoformat()
        return datetime.strptime(text.strip(), "%Y-%m-%d").date().isoformat()  # noqa: DTZ007 - a calendar date
    except ValueError:
        return None


def _secret(tenant: UUID) -> bytes:
    return _index_secret(keys.index_key(tenant))


def _hash(secret: bytes, domain: str, text: str) -> str:
    message = domain.encode() + b"\x00" + text.encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:32]


@lru_cache(maxsize=64)
def _index_secret(key: keys.TenantKey) -> bytes:
    return subkey(key.secret, b"consilium/blind-index/v1\x00" + key.tenant.bytes)
