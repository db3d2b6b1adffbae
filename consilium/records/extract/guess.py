"""Guesses from a document's words that a person confirms: its type, its date, its language. Nothing clinical."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from typing import Any

from consilium.records.sniff import Kind

_STOPWORDS = {
    "en": "the and of to in with for was is are patient were this not from been which has had",
    "de": "der die das und mit von zur zum bei nicht eine einer wurde ist sind patientin wir den dem im",
    "fr": "le la les des et une dans avec pour est sont sur patiente vous nous pas qui aux",
    "es": "el los las del una con para por que es son paciente se en al como más",
    "it": "il gli della delle con per una che sono paziente nel alla dei è non",
    "pl": "w na z do się nie jest pacjent oraz po przez od dla",
    "tr": "ve bir bu ile için olarak hasta olan da de çok daha",
    "nl": "het een van en met voor niet patiënt werd zijn bij op aan",
}
_WORDS = {language: frozenset(words.split()) for language, words in _STOPWORDS.items()}
_SCRIPTS = (
    ("ar", "\u0600", "\u06ff"),
    ("ru", "\u0400", "\u04ff"),
    ("el", "\u0370", "\u03ff"),
    ("zh", "\u4e00", "\u9fff"),
)

_TYPES: dict[str, tuple[str, ...]] = {
    "pathology": (
        "patholog", "histolog", "biops", "immunhisto", "immunohisto", "makroskop", "mikroskop", "macroscop",
        "microscop", "präparat", "specimen", "ki-67", "ihc", "gleason", "zytolog", "cytolog",
    ),
    "laboratory": (
        "laborbefund", "laboratory", "referenzbereich", "reference range", "referenz", "hämoglobin", "hemoglobin",
        "leukozyten", "leukocytes", "thrombozyten", "platelets", "kreatinin", "creatinine", "mmol/l", "mg/dl",
        "g/dl", "µmol", "u/l", "crp", "tsh", "lab report", "blutbild", "cholesterol",
    ),
    "imaging": (
        "radiolog", "mrt", "magnetresonanz", "computertomograph", "magnetic resonance", "sonograph", "ultrasound",
        "röntgen", "x-ray", "kontrastmittel", "contrast", "sequenz", "befund und beurteilung", "impression:",
        "mammograph", "pet-ct", "pet/ct", "szintigra",
    ),
    "summary": (
        "discharge summary", "entlassungsbrief", "entlassungsbericht", "epikrise", "patient summary",
        "continuity of care", "clinical summary", "patientenakte",
    ),
    "letter": (
        "dear ", "sehr geehrte", "arztbrief", "mit freundlichen", "kind regards", "yours sincerely",
        "referral", "überweisung", "kollegin", "kollege", "dear colleague", "wir berichten", "consultation",
    ),
}  # fmt: skip

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar jänner janvier enero", "february feb februar février febrero",
            "march mar märz maerz mars marzo", "april apr avril abril", "may mai mayo",
            "june jun juni juin junio", "july jul juli juillet julio", "august aug août agosto",
            "september sep sept septembre septiembre", "october oct oktober okt octobre octubre",
            "november nov novembre noviembre", "december dec dezember dez décembre diciembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_DATE = re.compile(
    r"(?<![\d.])(?:(?P<iso>(?:19|20)\d\d-\d\d-\d\d)|(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>(?:19|20)\d\d)"
    r"|(?P<d2>\d{1,2})\.?\s(?P<name>[A-Za-zäûé]{3,10})\.?,?\s(?P<y2>(?:19|20)\d\d)"
    r"|(?P<name3>[A-Za-z]{3,9})\.?\s(?P<d3>\d{1,2}),\s(?P<y3>(?:19|20)\d\d))(?!\d)"
)
_BORN = re.compile(r"(?:geb(?:oren|\.|urtsdatum)?|birth|born|dob|d\.o\.b\.?|né)\W{0,6}(?:am|on|date)?\W{0,4}$", re.I)
_LABEL = re.compile(
    r"(?:datum|date|dated|reported|collected|entnahme|abnahme|eingang|ausgang|untersuch\w*|vom|,\s?den)\W{0,12}$",
    re.I,
)


def from_text(words: str, kind: Kind) -> dict[str, Any]:
    """{"type", "date", "language"}: "" or "other" where nothing speaks for anything."""
    found = {"language": language(words), "date": document_date(words)}
    # structured records know better: their parsers have suggested a type already
    if kind in (Kind.FHIR_JSON, Kind.CCDA_XML, Kind.HL7V2):
        return {"language": found["language"]}
    kind_of_record = record_type(words)
    if kind_of_record != "other" or kind not in (Kind.JPEG, Kind.PNG, Kind.HEIC, Kind.TIFF, Kind.WEBP):
        found["type"] = kind_of_record
    return found


def language(words: str) -> str:
    """ISO 639-1 code of the most likely language, "" when there are too few words."""
    sample = words[:20_000]
    for code, low, high in _SCRIPTS:
        if sum(1 for c in sample if low <= c <= high) > max(20, len(sample) // 5):
            return "uk" if code == "ru" and re.search("[іїєґІЇЄҐ]", sample) else code
    tokens = Counter(re.findall(r"[^\W\d_]+", sample.casefold()))
    scores = {code: sum(tokens[w] for w in stop) for code, stop in _WORDS.items()}
    best = max(scores, key=lambda code: scores[code])
    return best if scores[best] >= 4 and scores[best] * 25 >= sum(tokens.values()) else ""


def record_type(words: str) -> str:
    """One of the record types, by counting the words that are typical of each."""
    sample = words[:30_000].casefold()
    scores = {name: sum(1 for cue in cues if cue in sample) for name, cues in _TYPES.items()}
    best = max(scores, key=lambda name: scores[name])
    # a letter that quotes laboratory values is still a letter: its greeting decides
    if scores["letter"] >= 2 and scores[best] <= scores["letter"] + 3:
        return "letter"
    return best if scores[best] >= 2 or (scores[best] == 1 and best in ("summary", "letter")) else "other"


def document_date(words: str) -> str:
    """The date of a document in ISO form: one with a label before it first, else the first; never a birth date."""
    first = ""
    for match in _DATE.finditer(words[:12_000]):
        before = words[max(0, match.start() - 32) : match.start()]
        found = _iso(match)
        if not found or _BORN.search(before):
            continue
        if _LABEL.search(before):
            return found
        first = first or found
    return first


def _iso(match: re.Match[str]) -> str:
    part = match.groupdict()
    if part["iso"]:
        year, month, day = part["iso"].split("-")
    else:
        year = part["y"] or part["y2"] or part["y3"]
        day = part["d"] or part["d2"] or part["d3"]
        month = part["m"] or str(_MONTHS.get((part["name"] or part["name3"] or "").casefold(), 0))
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


def hl7_date(value: str) -> str:
    """YYYYMMDD… (HL7 v2 TS, C-CDA, DICOM DA) as an ISO date, "" when it is not one."""
    digits = re.match(r"\d{8}", value or "")
    try:
        return date.fromisoformat(digits[0]).isoformat() if digits else ""
    except ValueError:
        return ""
