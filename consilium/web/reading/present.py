"""What the reading room shows: records as lists, and one record as pages or images. Pure preparation."""

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from consilium.cases.models import Case
from consilium.core.text import iso_date
from consilium.records import ocr, slide_tiles
from consilium.records.models import Entry, Preview, Record, RecordFile
from consilium.records.problems import TABLE as PROBLEMS
from consilium.web.patient.present.wording import titled

# Windows radiologists reach for (centre, width in Hounsfield units); offered for CT only.
CT_WINDOWS = (("soft", 40, 400), ("bone", 400, 1800), ("lung", -600, 1500), ("brain", 40, 80))
MAX_FRAMES = 3000


@dataclass(frozen=True)
class Viewer:
    """Input of the image_viewer component, with where each frame is, for anchors."""

    frames: list[str]
    places: list[tuple[UUID, str, int]]  # (file, "page"|"frame"|"slide", index from 0) of each frame
    current: int
    series: list[dict[str, Any]] = field(default_factory=list)
    windows: list[dict[str, Any]] = field(default_factory=list)
    withheld: int = 0
    kept: str = ""  # query of the chosen series and window, which the links to other frames keep

    @property
    def is_images(self) -> bool:
        return bool(self.places) and self.places[0][1] != "page"

    @property
    def is_slide(self) -> bool:
        return bool(self.places) and self.places[0][1] == "slide"

    @property
    def noun(self) -> str:
        return _("Slide") if self.is_slide else _("Image") if self.is_images else _("Page")

    @property
    def file(self) -> str:
        """The file on show, for links."""
        return str(self.place[0]) if self.place else ""

    @property
    def place(self) -> tuple[UUID, str, int] | None:
        return self.places[self.current - 1] if self.places else None


def kind_label(kind: str, *, event: bool = False) -> str:
    """A kind of record, or of event, in words of the page's language."""
    return _kind_label(kind, event, get_language() or "")


@lru_cache(maxsize=256)  # some twenty kinds in each language
def _kind_label(kind: str, event: bool, _language: str) -> str:
    choices = Entry.Kind.choices if event else Record.Kind.choices
    return next((str(label) for key, label in choices if key == kind), kind)


def safe_name(record: Record, *, withheld: bool) -> str:
    """What a record is called: a title is read from the first page, so it may state the withheld conclusion."""
    return titled(record.title if not withheld else "") or kind_label(record.kind)


def row(record: Record, case: Case, *, withheld: bool, drawn: UUID | None = None) -> dict[str, Any]:
    """One record of a list: title, kind, date, state, sentences, link; `drawn`: the file with its thumbnail."""
    return {
        "record": record,
        "id": str(record.pk),
        "name": safe_name(record, withheld=withheld),
        "kind": kind_label(record.kind),
        "when": shown_date(record.clinical_date),
        "size": extent(record),
        "state": {"ready": "ready", "flagged": "flagged", "undecided": "decision", "removed": "failed"}[record.status],
        "text": " ".join(
            [*(str(PROBLEMS[code].sentence) for code in record.problems if code in PROBLEMS), ocr.sentence(record)]
        ).strip(),
        "href": reverse("record", args=[case.pk, record.pk]),
        "images_href": reverse("record_viewer", args=[case.pk, record.pk]) if record.images and not withheld else "",
        "thumbnail": f"/data/files/{drawn}/thumbnail" if drawn and not withheld else "",
        "withheld": withheld,
    }


def shown_date(iso: str) -> str:
    """An ISO date in words of the page's language; an empty one says so."""
    when = iso_date(iso)
    return date_format(when, "DATE_FORMAT") if when else _("no date")


def extent(record: Record) -> str:
    """How much there is: images or pages."""
    if record.images:
        return ngettext("%(n)s image", "%(n)s images", record.images) % {"n": record.images}
    if record.pages:
        return ngettext("%(n)s page", "%(n)s pages", record.pages) % {"n": record.pages}
    return ""


def viewer(record: Record, query: dict[str, str], pages: list[int], href: str) -> Viewer:
    """The record as a viewer: its pages, or the frames of the chosen series. `query` holds series and frame."""
    slides = slide_tiles.of_record(record.pk) if record.images else []
    if slides:
        return _slides([slide.file_id for slide in slides], query)
    files = list(record.files.all())
    if any(file.frames for file in files):
        return _images(files, query, href)
    places = [(file.pk, "page", index) for file in files for index in _stored_pages(file) if index in pages]
    hidden = max(record.pages, 1) - len(pages)
    return Viewer([_url(place) for place in places], places, _current(query, len(places)), withheld=hidden)


def _slides(files: list[UUID], query: dict[str, str]) -> Viewer:
    """Overviews, which stand for whole slides; the zoom is on a page of its own and on the specialist's desk."""
    places = [(file, "slide", 0) for file in files]
    return Viewer([f"/data/files/{file}/page/0" for file in files], places, _current(query, len(places)))


def _stored_pages(file: RecordFile) -> list[int]:
    return [preview.index for preview in file.previews.all() if preview.kind == "page"]


def _images(files: list[RecordFile], query: dict[str, str], href: str) -> Viewer:
    groups: dict[str, list[RecordFile]] = {}
    for file in files:
        if file.frames:
            groups.setdefault(file.series, []).append(file)
    drawn = _series_with_picture(files[0].record_id)
    chosen = query.get("series", "")
    chosen = chosen if chosen in groups else next((one for one in groups if one in drawn), next(iter(groups)))
    numbered = ((file.pk, "frame", index) for file in groups[chosen] for index in range(file.frames))
    places = list(islice(numbered, MAX_FRAMES))  # a header may promise any number
    unfinished = any(file.filed_at is None for file in files)
    series = [
        _series_link(key, group, href, current=key == chosen, closed=key not in drawn and not unfinished)
        for key, group in groups.items()
    ]
    suffix, windows = _windows(groups[chosen], query, f"{href}?series={chosen}")
    frames = [_url(place) if not suffix else f"{href}windowed/{place[0]}/{place[2]}.png{suffix}" for place in places]
    middle = len(places) // 2 + 1 if len(places) > 3 else 1
    kept = urlencode({"series": chosen} | ({"window": query["window"]} if suffix else {}))
    shown = series if len(series) > 1 else []
    return Viewer(frames, places, _current(query, len(places), middle), shown, windows, kept=f"?{kept}")


def _series_with_picture(record: UUID) -> set[str]:
    """The series that can be shown on a page."""
    drawn = Preview.objects.filter(file__record=record, kind=Preview.Kind.THUMBNAIL)
    return set(drawn.values_list("file__series", flat=True))


def _series_link(key: str, group: list[RecordFile], href: str, *, current: bool, closed: bool) -> dict[str, Any]:
    facts = group[0].facts
    label = facts.get("series_description") or facts.get("modality") or _("Series")
    if closed:
        label = _("%(series)s (in the image viewer only)") % {"series": label}
    return {
        "label": label,
        "count": sum(file.frames for file in group),
        "href": f"{href}?series={key}",
        "current": current,
    }


def _windows(group: list[RecordFile], query: dict[str, str], href: str) -> tuple[str, list[dict[str, Any]]]:
    """Brightness presets: the query suffix of the chosen one, and the links."""
    if group[0].facts.get("modality") != "CT":
        return "", []
    labels = {"soft": _("Soft tissue"), "bone": _("Bone"), "lung": _("Lung"), "brain": _("Brain")}
    chosen = query.get("window", "")
    links = [{"label": _("As sent"), "key": "", "href": href, "current": not chosen}]
    suffix = ""
    for key, centre, width in CT_WINDOWS:
        links.append({"label": labels[key], "key": key, "href": f"{href}&window={key}", "current": key == chosen})
        if key == chosen:
            suffix = f"?centre={centre}&width={width}"
    return suffix, links


def _url(place: tuple[UUID, str, int]) -> str:
    file, kind, index = place
    return f"/data/files/{file}/{kind}/{index}"


def _current(query: dict[str, str], count: int, default: int = 1) -> int:
    try:
        wanted = int(query.get("frame", default))
    except ValueError:
        wanted = default
    return max(1, min(wanted, count or 1))


def facts_of(record: Record) -> list[dict[str, str]]:
    """What the headers say, in words, for the details below a picture."""
    labels = {
        "modality": _("Modality"),
        "body_part": _("Body part"),
        "laterality": _("Side"),
        "study_description": _("Examination"),
        "institution": _("Institution"),
        "manufacturer": _("Device"),
        "contrast": _("Contrast agent"),
        "slice_thickness": _("Slice thickness (mm)"),
        "patient_name": _("Name in the file"),
        "patient_birth_date": _("Birth date in the file"),
    }
    return [
        {"term": labels[key], "text": str(record.facts[key]).replace("^", " ")}
        for key in labels
        if record.facts.get(key)
    ]


def texts(record: Record, pages: list[int]) -> list[tuple[int, str]]:
    """(page number from 1, text) of the pages that are open."""
    file = next(iter(record.files.all()), None)
    found = file.text if file else []
    return [(index + 1, text) for index, text in enumerate(found) if index in pages and text.strip()]


def downloads(record: Record) -> list[dict[str, str]]:
    """The unchanged originals, each named; a study of many files is downloaded as a whole from the case page."""
    files = list(record.files.all())
    if len(files) == 1:
        return [{"href": _original(files[0]), "label": _("Download the original")}]
    return [
        {"href": _original(file), "label": _("Download the original: %(name)s") % {"name": name}}
        for file, name in zip(files, _told_apart(files), strict=True)
        if len(files) <= 3
    ]


def _original(file: RecordFile) -> str:
    return f"/data/files/{file.pk}/original"


def _told_apart(files: list[RecordFile]) -> list[str]:
    """Names of files; those that share a name, or have none, with a number."""
    names = [file.name or _("File") for file in files]
    return [f"{name} ({number})" if names.count(name) > 1 else name for number, name in enumerate(names, start=1)]


def side(
    record: Record, case: Case, query: dict[str, str], name: str, pages: list[int], *, withheld: bool
) -> dict[str, Any]:
    """One half of the comparison: the page or image at `<name>_at`, and links that leave the other half as it is."""
    at, chosen = f"{name}_at", f"{name}_series"
    shown = viewer(record, {"frame": query.get(at, ""), "series": query.get(chosen, "")}, pages, "")
    keep = {key: value for key, value in query.items() if key not in (at, "page", "frame")}
    return {
        "id": name,
        "row": row(record, case, withheld=withheld),
        "viewer": shown,
        "frame_name": at,
        "kept": "?" + urlencode(keep),
        "series": [
            one | {"href": "?" + urlencode(keep | {chosen: key}) + f"#{name}"}
            for key, one in zip(series_keys(record), shown.series, strict=False)
        ],
    }


def series_keys(record: Record) -> list[str]:
    """The series of a study in their order."""
    return list(dict.fromkeys(file.series for file in record.files.all() if file.frames))


def verdict(found: Any, case: Case, withheld: set[UUID]) -> dict[str, Any]:
    """A checklist item with what we think of what is there."""
    record = found.record
    labels = {"enough": _("looks good"), "doubt": _("please check"), "missing": _("missing")}
    return {
        "title": str(found.item.title),
        "why": str(found.item.why),
        "mandatory": found.item.need == "mandatory",
        "state": found.status,
        "label": labels[found.status],
        "tone": {"enough": "good", "doubt": "warn", "missing": "neutral"}[found.status],
        "record": safe_name(record, withheld=record.pk in withheld) if record else "",
        "href": reverse("record", args=[case.pk, record.pk]) if record else "",
        "reasons": [{"text": sentence(one), "against": one.against} for one in found.reasons],
    }


def sentence(reason: Any) -> str:
    """A reason in words, its dates in the page's language."""
    facts = dict(reason.facts)
    if "when" in facts:
        facts["when"] = shown_date(facts["when"])
    return str(type(reason)(reason.code, facts))
