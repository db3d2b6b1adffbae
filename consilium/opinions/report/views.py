"""What each template shows: strings, lists and pictures only, in the case's language and ready to print."""

from __future__ import annotations

from typing import Any

from .characters import blocks, printable
from .content import Anchor, Finding, NextStep, Option, RecordSeen, ReportContent, UrgentItem
from .images import for_print, qr_svg
from .wording import PLAIN_LIMITATIONS, WORDS, at_time, limitations, on_day


class _Print:
    """One document's way of printing text: its language, its words, and how strict about characters."""

    def __init__(self, content: ReportContent, strict: bool) -> None:
        self.language = content.language
        self.words = WORDS[content.language]
        self.strict = strict

    def line(self, text: str) -> str:
        return " ".join(printable(text, strict=self.strict).split())

    def lines(self, text: str) -> list[str]:
        return [self.line(part) for part in text.split("\n") if part.strip()]

    def prose(self, text: str) -> list[dict[str, Any]]:
        return blocks(text, strict=self.strict)

    def say(self, key: str, **marks: Any) -> str:
        return self.words[key].format(**{name: self.line(str(value)) for name, value in marks.items()})


def clinical_view(content: ReportContent, *, strict: bool = False) -> dict[str, Any]:
    """Data of ``templates/clinical.typ``."""
    p = _Print(content, strict)
    return {
        **_common(content, p, "clinical_title"),
        "facts": _facts(content, p),
        "comparison": _comparison(content, p),
        "answers": [
            {
                "label": p.say("question_n", n=number),
                "question": p.line(answer.question),
                "short": p.prose(answer.short_answer),
                "reasoning": p.prose(answer.reasoning),
            }
            for number, answer in enumerate(content.questions, 1)
        ],
        "recommendation": _recommendation(content, p),
        "findings": [_finding(finding, p) for finding in content.findings],
        "sections": [{"title": p.line(s.title), "text": p.prose(s.text)} for s in content.sections if s.text.strip()],
        "differential": p.prose(content.differential),
        "limitations": [p.line(text) for text in limitations(content.language, content.limitations)],
        "missing": [p.line(text) for text in content.missing if text.strip()],
        "letter": p.prose(content.clinician_letter),
        "blind": _blind(content, p),
        "records": [_record(record, p) for record in content.records_seen],
        "references": [
            p.line(r.citation) + (f" ({on_day(r.date, p.language)})" if r.date else "") for r in content.references
        ],
        "signature_note": p.say("signature_note", **_seal_marks(content)),
        "attached": p.words["attached"],
    }


def patient_view(content: ReportContent, *, strict: bool = False) -> dict[str, Any]:
    """Data of ``templates/patient.typ``."""
    p = _Print(content, strict)
    opening = content.patient_summary.opening or p.words["dear"].format(name=content.patient.name)
    verdicts = (("diagnosis", content.comparison.diagnosis), ("treatment", content.comparison.treatment))
    missing = ", ".join(text.strip().rstrip(".") for text in content.missing if text.strip())
    plain = PLAIN_LIMITATIONS[content.language]
    own = [p.line(text) for text in content.limitations if text.strip() and text not in plain]
    return {
        **_common(content, p, "patient_title"),
        "patient_name": p.line(content.patient.name),
        "issued": on_day(content.issued_at.date(), p.language),
        "opening": p.prose(opening),
        "summary": [block for text in content.patient_summary.paragraphs for block in p.prose(text)],
        "answers": [{"question": p.line(a.question), "short": p.prose(a.short_answer)} for a in content.questions],
        "verdicts": [p.words[f"p_{part}_{verdict or 'not_assessed'}"] for part, verdict in verdicts],
        "ask": [p.line(text) for text in content.patient_questions_to_ask if text.strip()],
        "limitations": [*plain, *own],
        "missing": p.say("p_missing", items=missing) if missing else "",
        "check_text": p.say("p_check_text", url=content.verify_url, code=content.verify_code),
        "signed": p.say("p_signed", **_seal_marks(content)),
    }


def _common(content: ReportContent, p: _Print, title: str) -> dict[str, Any]:
    who, house = content.specialist, content.organisation
    reference = p.line(content.reference)
    version = f"{p.words['version']} {content.version}"
    replaces = f" ({p.say('replaces', old=content.supersedes)})" if content.supersedes else ""
    portrait = for_print(who.portrait, longest=420)
    return {
        "words": p.words,
        "lang": content.language,
        "title": f"{p.words[title]} {reference}",
        "author": p.line(house.name),
        "reference": reference,
        "version": version + replaces,
        "footer": f"{p.line(house.name)} · {p.words[title]} {reference} · {version}",
        "organisation": {"name": p.line(house.name), "contact": p.lines(house.contact)},
        "specialist": {
            "full": p.line(full_name(content)),
            "specialty": p.line(who.specialty),
            "portrait": list(portrait) if portrait else None,
            "alt": p.say("portrait_alt", name=full_name(content)),
        },
        "qr": qr_svg(content.verify_url),
        "qr_alt": p.say("qr_alt", url=content.verify_url),
        "verify_code": p.line(content.verify_code),
        "verify_url": p.line(content.verify_url),
        "link": content.verify_url,
        "change": p.prose(content.change_note) if content.version > 1 else [],
        "urgent": [{"text": p.prose(item.text), "state": _urgent_state(item, p)} for item in content.urgent],
        "options": [_option(option, p) for option in content.options],
        "next_steps": [_next_step(step, p) for step in content.next_steps],
    }


def full_name(content: ReportContent) -> str:
    """Title and name, without saying the title twice."""
    who = content.specialist
    return who.name if not who.title or who.name.startswith(who.title) else f"{who.title} {who.name}"


def _seal_marks(content: ReportContent) -> dict[str, str]:
    return {
        "organisation": content.seal.organisation or content.organisation.name,
        "doctor": content.seal.on_behalf_of or full_name(content),
        "url": content.verify_url,
        "code": content.verify_code,
    }


def _facts(content: ReportContent, p: _Print) -> list[dict[str, Any]]:
    patient, who, house = content.patient, content.specialist, content.organisation
    born = p.say("born", date=on_day(patient.birth_date, p.language)) if patient.birth_date else ""
    sex = p.words.get(patient.sex, "") if patient.sex in {"male", "female", "other", "unknown"} else ""
    licence = f"{p.words['licence']}: {who.licence}" if who.licence else ""
    issued = at_time(content.issued_at, p.language)
    rows = [
        ("patient", [patient.name, ", ".join(part for part in (born, sex) if part)]),
        ("specialist", [full_name(content), who.specialty, licence]),
        ("issued", [issued, *house.address.split("\n")]),
    ]
    if content.first_opinion.by:
        rows[0][1].append(f"{p.words['first_opinion']}: {content.first_opinion.by}")
    return [{"label": p.words[key], "lines": [p.line(text) for text in texts if text.strip()]} for key, texts in rows]


def _comparison(content: ReportContent, p: _Print) -> list[dict[str, Any]]:
    both, first = content.comparison, content.first_opinion
    parts = (
        ("diagnosis", both.diagnosis, both.diagnosis_note, first.diagnosis),
        ("treatment", both.treatment, both.treatment_note, first.treatment),
    )
    return [
        {
            "label": p.words[part],
            "kind": verdict or "not_assessed",
            "verdict": p.words[verdict or "not_assessed"],
            "first": p.prose(said),
            "note": p.prose(note),
        }
        for part, verdict, note, said in parts
    ]


def _recommendation(content: ReportContent, p: _Print) -> dict[str, Any]:
    advice = content.recommendation
    facts = []
    if advice.strength:
        facts.append({"label": p.words["strength"], "value": p.words[f"strength_{advice.strength}"]})
    if advice.guideline:
        dated = p.say("guideline_dated", title=advice.guideline, date=on_day(advice.guideline_date, p.language))
        facts.append(
            {"label": p.words["guideline"], "value": dated if advice.guideline_date else p.line(advice.guideline)}
        )
    elif advice.no_guideline:
        facts.append({"label": p.words["guideline"], "value": p.words["no_guideline"]})
    return {"text": p.prose(advice.text), "facts": facts}


def _finding(finding: Finding, p: _Print) -> dict[str, Any]:
    anchor = finding.anchor
    picture = for_print(anchor.thumbnail) if anchor else None
    first, rest = _title_and_rest(finding.text)
    source = p.line(f"{anchor.record_title}, {_place(anchor, p)}".rstrip(", ")) if anchor else None
    return {
        "title": p.line(first),
        "text": p.prose(rest),
        "significance": p.prose(finding.significance),
        "source": source,
        "image": list(picture) if picture else None,
        "alt": p.say("finding_alt", record=anchor.record_title, place=_place(anchor, p)) if anchor else "",
    }


def _title_and_rest(text: str) -> tuple[str, str]:
    """A short first line is the finding's heading; a long one stays whole, below a shortened heading."""
    first, _, rest = text.strip().partition("\n")
    if len(first) <= 160:
        return first, rest
    return first[:110].rsplit(" ", 1)[0] + " …", text


def _place(anchor: Anchor, p: _Print) -> str:
    parts = []
    if anchor.page is not None:
        parts.append(p.say("page", n=anchor.page))
    if anchor.frame is not None:
        parts.append(p.say("frame", n=anchor.frame))
    if anchor.place:
        parts.append(anchor.place)
    return ", ".join(parts)


def _option(option: Option, p: _Print) -> dict[str, Any]:
    return {
        "title": p.line(option.title),
        "benefits": p.prose(option.benefits),
        "risks": p.prose(option.risks),
        "nothing": option.is_do_nothing,
    }


def _next_step(step: NextStep, p: _Print) -> dict[str, Any]:
    by = on_day(step.by_date, p.language)
    who = [p.say("p_who", who=step.owner) if step.owner else "", p.say("p_by", date=by) if by else ""]
    return {
        "what": p.prose(step.what),
        "owner": p.line(step.owner),
        "by": by,
        "who": " · ".join(part for part in who if part),
    }


def _urgent_state(item: UrgentItem, p: _Print) -> str:
    if not item.acknowledged_by or item.acknowledged_at is None:
        return p.words["urgent_open"]
    return p.say("urgent_ack", who=item.acknowledged_by, when=at_time(item.acknowledged_at, p.language))


def _blind(content: ReportContent, p: _Print) -> dict[str, Any] | None:
    blind = content.blind_read
    if blind is None:
        return None
    return {
        "impression": p.prose(blind.impression),
        "locked": p.say("blind_locked", when=at_time(blind.locked_at, p.language)),
        "confidence": p.line(blind.confidence),
    }


def _record(record: RecordSeen, p: _Print) -> dict[str, Any]:
    extent = ""
    if record.extent is not None and record.extent_unit:
        extent = p.say(record.extent_unit + ("_1" if record.extent == 1 else ""), n=record.extent)
    return {
        "title": p.line(record.title),
        "kind": p.line(record.kind),
        "date": on_day(record.date, p.language),
        "extent": extent,
        "sha256": p.line(record.sha256),
    }
