"""HL7 version 2 messages (encoding rules: chapter 2): who, what, when, and the results as readable lines."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consilium.records.extract import hl7v2_entries, pdf
from consilium.records.extract.guess import hl7_date
from consilium.records.extract.plain import decode, send_pages

if TYPE_CHECKING:
    from consilium.records.extract.reader import Job

MAX_BYTES = 8 * 2**20
MAX_SEGMENTS = 20_000
_TYPES = {"ORU": "laboratory", "OUL": "laboratory", "MDM": "letter", "REF": "letter", "OML": "laboratory",
          "ADT": "summary", "VXU": "summary"}  # fmt: skip


@dataclass(frozen=True)
class Message:
    """Segments as lists of fields; field numbers as in the standard (MSH-1 is the separator itself)."""

    segments: list[list[str]]
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"

    def of(self, name: str) -> list[list[str]]:
        return [s for s in self.segments if s[0] == name]

    def field(self, segment: list[str], number: int) -> str:
        return segment[number] if number < len(segment) else ""

    def part(self, segment: list[str], number: int, component: int = 1) -> str:
        """One component of the first repetition, unescaped."""
        first = self.field(segment, number).split(self.repetition)[0]
        parts = first.split(self.component)
        return self.plain(parts[component - 1]) if component <= len(parts) else ""

    def plain(self, value: str) -> str:
        """Escape sequences of chapter 2.7 as characters."""
        marks = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\", ".br": "\n"}
        mark = re.escape(self.escape)
        return re.sub(f"{mark}([^{mark}]{{1,12}}){mark}", lambda m: marks.get(m[1], ""), value)


def parse(job: Job) -> None:
    """Facts and readable pages of one message (or the first ones of a batch)."""
    text, damaged = decode(job.data()[:MAX_BYTES])
    message = split(text)
    if message is None:
        job.problem("damaged_text")
        return
    if damaged or not message.of("PID"):
        job.problem("damaged_text")
    header = message.of("MSH")[0]
    kind = message.part(header, 9)
    job.facts(**_facts(message, header))
    seen = next((d for s in message.of("OBR") if (d := hl7_date(message.field(s, 7)))), "")
    job.suggest(type=_type(message, kind), date=seen or hl7_date(message.field(header, 7)))
    job.entries(hl7v2_entries.entries(message))
    job.sections(hl7v2_entries.sections(message))
    send_pages(job, "\n".join(_lines(message)))
    _documents(job, message)


def split(text: str) -> Message | None:
    """The message, or None when there is no usable MSH segment."""
    text = text.lstrip("\ufeff\x0b \r\n")
    start = text.find("MSH")
    if start < 0 or len(text) < start + 8:
        return None
    separator, encoding = text[start + 3], text[start + 4 : start + 8]
    rows = _rows(text[start:], separator)
    segments = [[f.strip("\x1c") for f in row.split(separator)] for row in rows]
    segments = [[s[0], separator, *s[1:]] if s[0] == "MSH" else s for s in segments]
    return Message(segments, *encoding[:3]) if segments and segments[0][0] == "MSH" else None


def _rows(text: str, separator: str) -> list[str]:
    """Segments; a line that begins no segment belongs to the one before (systems break long text so)."""
    rows: list[str] = []
    for line in re.split(r"[\r\n]+", text)[:MAX_SEGMENTS]:
        if re.match(r"[A-Z][A-Z0-9]{2}" + re.escape(separator), line) or not rows:
            rows.append(line)
        elif line.strip("\x1c "):
            rows[-1] += "\n" + line
    return rows


def _facts(message: Message, header: list[str]) -> dict[str, str]:
    pid = next(iter(message.of("PID")), [])
    ordered = dict.fromkeys(message.part(one, 4, 2) or message.part(one, 4) for one in message.of("OBR"))
    return {
        "title": ", ".join([name for name in ordered if name][:3]),
        "message_type": "^".join(filter(None, (message.part(header, 9), message.part(header, 9, 2)))),
        "hl7_version": message.part(header, 12),
        "patient_family": message.part(pid, 5).split("&")[0] if pid else "",
        "patient_given": " ".join(filter(None, (message.part(pid, 5, 2), message.part(pid, 5, 3)))) if pid else "",
        "patient_birth_date": hl7_date(message.field(pid, 7)) if pid else "",
        "patient_sex": message.part(pid, 8) if pid else "",
        "patient_id": message.part(pid, 3) if pid else "",
        "results": str(len(message.of("OBX"))),
    }


def _type(message: Message, kind: str) -> str:
    words = " ".join(message.part(s, 4, 2) for s in message.of("OBR")).casefold()
    if any(cue in words for cue in ("patholog", "histolog", "cytolog")):
        return "pathology"
    if any(cue in words for cue in ("x-ray", "mri", " ct ", "ultrasound", "radiolog", "mrt")):
        return "imaging"
    return _TYPES.get(kind, "other")


def _lines(message: Message) -> list[str]:
    out: list[str] = []
    for segment in message.segments:
        if segment[0] == "OBR":
            title = message.part(segment, 4, 2) or message.part(segment, 4)
            out += ["", f"{title}  {hl7_date(message.field(segment, 7))}".strip()]
        elif segment[0] == "OBX":
            out.append(result_line(message, segment))
        elif segment[0] == "NTE":
            out.append(f"  {message.plain(message.field(segment, 3))}")
        elif segment[0] in ("DG1", "AL1", "PRB"):
            out.append(f"{segment[0]}: {message.part(segment, 3, 2) or message.part(segment, 3)}")
    return out


def result_line(message: Message, segment: list[str]) -> str:
    """OBX-3 name, OBX-5 value, OBX-6 unit, OBX-7 range, OBX-8 abnormal flag (as sent, never judged here)."""
    name = message.part(segment, 3, 2) or message.part(segment, 3)
    if message.field(segment, 2) == "ED":
        return f"{name}: (document)"
    values = message.field(segment, 5).split(message.repetition)
    shown = "\n".join(message.plain(v.replace(message.component, " ").strip()) for v in values)
    if message.field(segment, 2) in ("CE", "CWE", "CF"):
        shown = message.part(segment, 5, 2) or message.part(segment, 5)
    extent = message.plain(message.field(segment, 7))
    tail = [message.part(segment, 6), f"({extent})" if extent else "", message.part(segment, 8)]
    return " ".join(part for part in (f"{name}:", shown, *tail) if part)


def _documents(job: Job, message: Message) -> None:
    """OBX-2 ED: an encapsulated document (OBX-5: source, type, subtype, encoding, data)."""
    for segment in message.of("OBX"):
        if message.field(segment, 2) == "ED" and message.part(segment, 5, 4).casefold() == "base64":
            try:
                data = base64.b64decode(message.part(segment, 5, 5))
            except binascii.Error:
                job.problem("damaged_text")
                continue
            if data.startswith(b"%PDF-"):
                job.facts(embedded="application/pdf")
                pdf.parse_bytes(job, data)
                return
