"""QIDO-RS, the search transaction (PS3.18 §10.6), answered from the index of the case."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from consilium.gateways.dicomweb import attributes, matching
from consilium.gateways.dicomweb.attributes import INSTANCE, SERIES, STUDY
from consilium.gateways.dicomweb.index import Instance, Series, Study, Tree
from consilium.gateways.dicomweb.reply import Refused, json_body
from consilium.imaging.header_values import attribute

MOST = 5000  # results in one answer
NAMES = {"studies": STUDY, "series": SERIES, "instances": INSTANCE}
CONTROL = ("limit", "offset", "fuzzymatching", "includefield", "accept", "charset", "emptyvaluematching")


@dataclass(frozen=True)
class Search:
    """A search as it was asked for. `below`: the level of the resource in the path (STUDY for all of the case)."""

    level: int
    keys: tuple[matching.Key, ...]
    fields: tuple[str, ...]
    everything: bool
    limit: int
    offset: int
    related: tuple[int, ...]  # levels above the results whose attributes belong to the answer


@dataclass(frozen=True)
class Found:
    """The answer's JSON, and how many more there are than it lists."""

    body: bytes
    remaining: int
    instances: list[Instance]


def read(level: int, path_level: int, query: dict[str, list[str]]) -> Search:
    """The search of a query string. Raises Refused (400)."""
    fuzzy = _flag(query, "fuzzymatching")
    keys = [
        matching.key(name, value, fuzzy=fuzzy)
        for name, values in query.items()
        if name not in CONTROL
        for value in values
    ]
    included = [part.strip() for value in query.get("includefield", ()) for part in value.split(",") if part.strip()]
    everything = any(name.lower() == "all" for name in included)
    asked = [attributes.key_of(name.split(".")[0]) for name in included if name.lower() != "all"]
    related = tuple(range(path_level, level))
    return Search(
        level=level,
        keys=tuple(keys),
        fields=_fields(level, related, [*asked, *(key.path[0] for key in keys)]),
        everything=everything,
        limit=min(_count(query, "limit", MOST), MOST),
        offset=_count(query, "offset", 0),
        related=related,
    )


def _flag(query: dict[str, list[str]], name: str) -> bool:
    text = query.get(name, ["false"])[-1].lower()
    if text not in ("true", "false", ""):
        raise Refused(400, f"{name} is either true or false.")
    return text == "true"


def _count(query: dict[str, list[str]], name: str, otherwise: int) -> int:
    text = query.get(name, [str(otherwise)])[-1]
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refused(400, f"{name} is a number of results, 0 or more.")
    return int(text)


def _fields(level: int, related: tuple[int, ...], asked: Iterable[str]) -> tuple[str, ...]:
    """Attributes to look up in the header, ascending; the UIDs of what is above are always there."""
    found = set(attributes.REQUIRED[level]) | set(attributes.USUAL[level]) | set(asked)
    for above in related:
        found |= set(attributes.REQUIRED[above]) | set(attributes.USUAL[above])
    found |= {"0020000D"} | ({"0020000E"} if level == INSTANCE else set())
    return tuple(sorted(found - attributes.COMPUTED))


# --- finding -----------------------------------------------------------------------------------------------


Entity = Study | Series | Instance


def run(search: Search, tree: Tree, path: dict[str, str], root: str) -> Found:
    """Search below a path ("study", "series": UIDs or nothing). root: the URL of the case's DICOMweb."""
    found = [one for one in _candidates(search.level, tree, path) if _matches(one, search.keys)]
    if len(found) > 1 and not (search.level == INSTANCE and "series" in path):  # a series keeps its own in order
        found.sort(key=_order)
    page = found[search.offset : search.offset + search.limit]
    parts = [_shown(one, search, root) for one in page]
    remaining = max(0, len(found) - search.offset - len(page)) if page or search.limit == 0 else 0
    return Found(b"[" + b",".join(parts) + b"]", remaining, [_first(one) for one in page])


def _candidates(level: int, tree: Tree, path: dict[str, str]) -> list[Any]:
    if "study" not in path:
        studies = list(tree.studies.values())
    else:
        studies = [tree.studies[path["study"]]] if path["study"] in tree.studies else []
    if level == STUDY:
        return studies
    wanted = path.get("series")
    series = [one for study in studies for one in study.series.values() if wanted in (None, one.uid)]
    if level == SERIES:
        return series
    return [one for each in series for one in each.instances]


def _first(entity: Entity) -> Instance:
    return entity if isinstance(entity, Instance) else entity.first


def _members(entity: Entity) -> list[Instance]:
    return [entity] if isinstance(entity, Instance) else entity.instances


def _order(entity: Entity) -> tuple[Any, ...]:
    """The newest study first, then series and instance number."""
    header = _first(entity).header
    if isinstance(entity, Study):
        return (*(-int(digit) for digit in header.text("00080020")[:8] if digit.isdigit()), 1), entity.uid
    own = (header.number("00200013"), header.instance) if isinstance(entity, Instance) else (0, "")
    return header.study, header.number("00200011"), header.series, *own


def _matches(entity: Entity, keys: Sequence[matching.Key]) -> bool:
    """Keys of the entity's level and above look at any one instance, those below at all of them."""
    if not keys:
        return True
    level = _level(entity)
    own = [key for key in keys if key.level <= level or key.path[0] in attributes.COMPUTED]
    below = [key for key in keys if key not in own]
    first = _first(entity).header.tags
    for key in own:
        if key.path[0] in attributes.COMPUTED:
            if not _matches_computed(key, entity):
                return False
        elif not matching.matches(key, first):
            return False
    if not below:
        return True
    return any(all(matching.matches(key, one.header.tags) for key in below) for one in _members(entity))


def _level(entity: Entity) -> int:
    return STUDY if isinstance(entity, Study) else SERIES if isinstance(entity, Series) else INSTANCE


def _matches_computed(key: matching.Key, entity: Entity) -> bool:
    if key.test is None:
        return True
    name = key.path[0]
    if name == attributes.MODALITIES:
        return any(key.test(value) for value in _modalities(_related(entity)))
    if name == attributes.CLASSES:
        return any(key.test(value) for value in _values(_related(entity), "00080016"))
    if name == attributes.AVAILABILITY:
        return key.test("ONLINE")
    raise Refused(400, "The search names an attribute that is counted here and cannot be searched by.")


def _related(entity: Entity) -> list[Instance]:
    """All instances of the study an entity belongs to, as far as it is known from here."""
    if isinstance(entity, Series):
        return entity.study.instances
    return _members(entity)


def _values(instances: Iterable[Instance], key: str) -> list[str]:
    return sorted({text for one in instances if (text := one.header.text(key))})


def _modalities(instances: Iterable[Instance]) -> list[str]:
    """Of the series that name one; OT, other, for a study of which none does (PS3.3 §C.7.3.1.1.1)."""
    return _values(instances, "00080060") or ["OT"]


# --- showing -------------------------------------------------------------------------------------------------


def _shown(entity: Entity, search: Search, root: str) -> bytes:
    """The JSON of one result, kept for the next search until more instances come."""
    key = (search.fields, search.everything, search.related, root, _extent(entity))
    found = entity.shown.get(key)
    if found is None:
        if len(entity.shown) >= 4:
            entity.shown.clear()
        found = entity.shown[key] = json_body(_described(entity, search, root))
    return found


def _extent(entity: Entity) -> tuple[int, ...]:
    """What the counts in a result depend on; instances themselves never change."""
    if isinstance(entity, Instance):
        return ()
    study = entity.study if isinstance(entity, Series) else entity
    return tuple(len(one.members) for one in study.series.values())


def _described(entity: Entity, search: Search, root: str) -> dict[str, Any]:
    first = _first(entity)
    tags = first.header.tags
    level = _level(entity)
    required = {key for one in (*search.related, level) for key in attributes.REQUIRED[one]}
    found: dict[str, Any] = {}
    names = _all_fields(tags, level, search) if search.everything else search.fields
    for key in names:
        entry = tags.get(key)
        if entry is not None:
            found[key] = attribute(entry[0], entry[1])
        elif key in required:
            found[key] = {"vr": attributes.vr_of(key)}
    if attributes.CHARACTER_SET in tags or not tags:
        found[attributes.CHARACTER_SET] = {"vr": "CS", "Value": ["ISO_IR 192"]}  # JSON is UTF-8, whatever the file is
    found[attributes.AVAILABILITY] = {"vr": "CS", "Value": ["ONLINE"]}
    found[attributes.RETRIEVE_URL] = {"vr": "UR", "Value": [root + url_of(entity)]}
    found |= _counts(entity, search)
    return dict(sorted(found.items()))


def _all_fields(tags: dict[str, Any], level: int, search: Search) -> list[str]:
    """includefield=all: everything of this level and of those in the answer above it (§8.3.4.3)."""
    levels = {level, *search.related}
    known = {key for key in tags if attributes.level_of(key) in levels}
    return sorted((known | set(search.fields)) - attributes.COMPUTED)


def _counts(entity: Entity, search: Search) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(entity, Instance):
        return found
    if isinstance(entity, Series):
        found[attributes.SERIES_INSTANCES] = {"vr": "IS", "Value": [len(entity.members)]}
        if STUDY not in search.related:
            return found
    study = entity if isinstance(entity, Study) else entity.study
    instances = study.instances
    found[attributes.MODALITIES] = attribute("CS", _modalities(instances))
    found[attributes.CLASSES] = attribute("UI", _values(instances, "00080016"))
    found[attributes.SERIES_COUNT] = {"vr": "IS", "Value": [len(study.series)]}
    found[attributes.STUDY_COUNT] = {"vr": "IS", "Value": [len(instances)]}
    return found


def url_of(entity: Entity) -> str:
    """The path of a study, series or instance below the root."""
    if isinstance(entity, Study):
        return f"/studies/{_quoted(entity.uid)}"
    if isinstance(entity, Series):
        return f"/studies/{_quoted(entity.study.uid)}/series/{_quoted(entity.uid)}"
    study, series, instance = map(_quoted, (entity.study, entity.series, entity.uid))
    return f"/studies/{study}/series/{series}/instances/{instance}"


def _quoted(uid: str) -> str:
    return quote(uid, safe="")
