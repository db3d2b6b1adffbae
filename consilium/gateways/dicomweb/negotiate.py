"""What the client accepts (RFC 9110 §12.5.1, PS3.18 §8.7): `Accept`, or the query parameter `accept` (§8.3.3.1)."""

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from consilium.gateways.dicomweb.reply import Refused

_PARAMETER = re.compile(r';\s*([\w!#$%&\'*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;,"\s]*)')
_SPLIT = re.compile(r'((?:[^,"]|"(?:[^"\\]|\\.)*")+)')
MOST = 100


@dataclass(frozen=True)
class Range:
    """One media range: of a multipart one the type of its parts."""

    media_type: str
    multipart: bool = False
    quality: float = 1.0
    parameters: dict[str, str] = field(default_factory=dict, hash=False, compare=False)
    but: tuple[str, ...] = ()  # narrower ranges that the client does not take (quality 0)

    @property
    def transfer_syntax(self) -> str:
        """The transfer syntax asked for, "*" for any, "" when none is named."""
        return self.parameters.get("transfer-syntax", "")

    def covers(self, media_type: str) -> bool:
        """Whether a media type falls into it, wildcards considered."""
        return _covers(self.media_type, media_type) and not any(_covers(one, media_type) for one in self.but)


def _covers(wide: str, media_type: str) -> bool:
    mine, _, kind = wide.partition("/")
    theirs, _, theirs_kind = media_type.partition("/")
    return mine in ("*", theirs) and kind in ("*", theirs_kind)


@lru_cache(maxsize=512)
def parse(text: str) -> tuple[Range, ...]:
    """The media ranges of an Accept header, best first; what has quality 0 is excluded. Raises Refused (400, 406)."""
    found = []
    for piece in _SPLIT.findall(text)[:MOST]:
        media_type = piece.partition(";")[0].strip().lower()
        if not media_type:
            continue
        if media_type == "*":
            media_type = "*/*"
        if "/" not in media_type:
            raise Refused(400, "The Accept header names something that is not a media type.")
        found.append(_range(media_type, piece))
    # sorted() is stable: of equal quality, the more specific one first, then the order of the client
    ordered = sorted(found, key=lambda one: (-one.quality, one.media_type.count("*")))
    never = [one.media_type for one in ordered if not one.quality]
    if ordered and len(never) == len(ordered):
        raise Refused(406, "The Accept header takes nothing at all.")
    wider = {one.media_type: one.media_type.count("*") for one in ordered}
    return tuple(
        replace(one, but=tuple(each for each in never if wider[each] < wider[one.media_type]))
        for one in ordered
        if one.quality
    )


def _range(media_type: str, piece: str) -> Range:
    parameters = {name.lower(): _unquoted(value) for name, value in _PARAMETER.findall(piece)}
    try:
        quality = min(1.0, max(0.0, float(parameters.pop("q", "1"))))
    except ValueError:
        raise Refused(400, "The Accept header has a quality that is not a number.") from None
    multipart = media_type in ("multipart/related", "multipart/*")
    if multipart:
        media_type = parameters.pop("type", "*/*").lower()
    return Range(media_type, multipart, quality, parameters)


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def parameter(header: str, name: str) -> str:
    """A parameter of a media type, such as the boundary; "" when it is not there."""
    for found, value in _PARAMETER.findall(header):
        if found.lower() == name:
            return _unquoted(value)
    return ""


def wanted(headers: dict[bytes, bytes], query: dict[str, list[str]]) -> tuple[Range, ...]:
    """What the client accepts; () for anything. The query parameter goes before the header (§8.3.3.1)."""
    text = ",".join(query.get("accept", ())) or headers.get(b"accept", b"").decode("latin-1")
    return parse(text) if text.strip() else ()


def choose(ranges: tuple[Range, ...], *offered: str) -> str:
    """The best of the offered media types that the client accepts (singlepart). Raises Refused (406)."""
    if not ranges:
        return offered[0]
    for one in ranges:
        for media_type in offered:
            if not one.multipart and one.covers(media_type):
                return media_type
    raise Refused(406, f"This can be had as {' or '.join(offered)}; please ask for one of these in Accept.")
