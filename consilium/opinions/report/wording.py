"""The documents' own sentences, per language.

A report is written in the language of its *case*, whoever looks at it, so this is a table by language and not the
viewer's gettext catalogue. Every key exists in every language (tested). ``{name}`` marks are filled by ``render``.
"""

from __future__ import annotations

from datetime import date, datetime

from babel.dates import format_date, format_datetime

LANGUAGES: tuple[str, ...] = ("en", "de")

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "clinical_title": "Second medical opinion",
        "clinical_kind": "Clinical report",
        "patient_title": "Your second opinion",
        "patient_kind": "Report for you",
        "reference": "Reference",
        "version": "Version",
        "replaces": "replaces version {old}",
        "what_changed": "What changed in this version",
        "issued": "Issued",
        "page_of": "Page {page} of {pages}",
        "patient": "Patient",
        "born": "born {date}",
        "male": "male",
        "female": "female",
        "other": "other",
        "unknown": "sex not stated",
        "specialist": "Specialist",
        "licence": "Licence",
        "first_opinion": "First opinion",
        "verify_short": "Check this report",
        "verify_code": "Code",
        "qr_alt": "QR code that opens the page where this report can be checked: {url}",
        "portrait_alt": "Portrait of {name}",
        "urgent": "Urgent",
        "urgent_ack": "Acknowledged by {who}, {when}",
        "urgent_open": "Not acknowledged yet",
        "comparison": "Compared with the first opinion",
        "diagnosis": "Diagnosis",
        "treatment": "Treatment",
        "said_first": "First opinion",
        "verdict": "Second opinion",
        "confirmed": "Confirmed",
        "clarified": "Clarified",
        "changed": "Changed",
        "not_assessed": "Not assessed",
        "answers": "Answers to the questions",
        "question_n": "Question {n}",
        "reasoning": "Reasoning",
        "recommendation": "Recommendation",
        "strength": "Strength",
        "strength_strong": "strong recommendation",
        "strength_conditional": "conditional recommendation",
        "strength_expert_opinion": "expert opinion",
        "strength_none": "no recommendation possible",
        "guideline": "Guideline",
        "guideline_dated": "{title} ({date})",
        "no_guideline": "No guideline covers this question.",
        "findings": "Findings and where they are",
        "significance": "Meaning",
        "source": "Source",
        "page": "page {n}",
        "frame": "image {n}",
        "finding_alt": "Cited part of {record}, {place}",
        "differential": "Differential diagnosis",
        "options": "Options",
        "option": "Option",
        "benefits": "Benefits",
        "risks": "Risks and burdens",
        "do_nothing": "waiting or doing nothing",
        "next_steps": "Next steps",
        "what": "What",
        "owner": "Who",
        "by_date": "By when",
        "limitations": "Limitations of this opinion",
        "missing": "What was missing",
        "letter": "Letter to the treating doctor",
        "blind_read": "First impression before the first opinion was shown",
        "blind_locked": "Locked on {when}.",
        "confidence": "Confidence",
        "records": "Records that were seen",
        "records_note": "Exactly these files were read. The line below each title is its SHA-256 fingerprint.",
        "record": "Record",
        "kind": "Kind",
        "record_date": "Date",
        "extent": "Extent",
        "pages": "{n} pages",
        "pages_1": "1 page",
        "images": "{n} images",
        "images_1": "1 image",
        "references": "References",
        "signature": "Signature",
        "signature_note": (
            "This document carries the electronic seal of {organisation}, set on behalf of {doctor} after the "
            "doctor confirmed it with a second step. Any later change to the file makes the seal invalid. "
            "Open {url} and enter the code {code} to see whether this is the current version."
        ),
        "attached": "The same content for computer systems is attached to this file (HL7 FHIR R4 document).",
        "fhir_description": "The same report as an HL7 FHIR R4 document for computer systems",
        "dear": "Dear {name},",
        "p_urgent": "Please read this first",
        "p_urgent_text": (
            "Something in your records should not wait. Please speak to your doctor today. "
            "In an emergency call your local emergency number (112 in Europe)."
        ),
        "p_summary": "What this means for you",
        "p_answers": "Your questions and our answers",
        "p_comparison": "How this compares with what you were told",
        "p_diagnosis_confirmed": "The diagnosis: we come to the same result.",
        "p_diagnosis_clarified": "The diagnosis: we agree in the main point and can say it more exactly.",
        "p_diagnosis_changed": "The diagnosis: we come to a different result.",
        "p_diagnosis_not_assessed": "The diagnosis: we were not asked about it, or could not judge it.",
        "p_treatment_confirmed": "The treatment: we recommend the same.",
        "p_treatment_clarified": "The treatment: we agree in the main point, with some additions.",
        "p_treatment_changed": "The treatment: we recommend something different.",
        "p_treatment_not_assessed": "The treatment: we were not asked about it, or could not judge it.",
        "p_options": "Your options",
        "p_benefits": "What speaks for it",
        "p_risks": "What to keep in mind",
        "p_next": "What to do next",
        "p_who": "Who: {who}",
        "p_by": "By: {date}",
        "p_ask": "Questions you can ask your doctor",
        "p_limits": "What this opinion cannot do",
        "p_missing": "We did not have: {items}.",
        "p_whom": "Whom to ask",
        "p_whom_text": "If anything is unclear or a fact is wrong, please tell us. A real person answers.",
        "p_check": "Is this report genuine?",
        "p_check_text": "Scan the code or open {url} and enter {code}. You see at once if it is current.",
        "p_signed": "{organisation} sealed this report on behalf of {doctor}.",
    },
    "de": {
        "clinical_title": "Ärztliche Zweitmeinung",
        "clinical_kind": "Fachbericht",
        "patient_title": "Ihre Zweitmeinung",
        "patient_kind": "Bericht für Sie",
        "reference": "Kennung",
        "version": "Fassung",
        "replaces": "ersetzt Fassung {old}",
        "what_changed": "Was sich in dieser Fassung geändert hat",
        "issued": "Ausgestellt",
        "page_of": "Seite {page} von {pages}",
        "patient": "Patientin/Patient",
        "born": "geboren am {date}",
        "male": "männlich",
        "female": "weiblich",
        "other": "divers",
        "unknown": "Geschlecht nicht angegeben",
        "specialist": "Fachärztin/Facharzt",
        "licence": "Approbation",
        "first_opinion": "Erstmeinung",
        "verify_short": "Bericht prüfen",
        "verify_code": "Code",
        "qr_alt": "QR-Code zur Seite, auf der dieser Bericht geprüft werden kann: {url}",
        "portrait_alt": "Porträt von {name}",
        "urgent": "Dringend",
        "urgent_ack": "Bestätigt von {who}, {when}",
        "urgent_open": "Noch nicht bestätigt",
        "comparison": "Vergleich mit der Erstmeinung",
        "diagnosis": "Diagnose",
        "treatment": "Behandlung",
        "said_first": "Erstmeinung",
        "verdict": "Zweitmeinung",
        "confirmed": "Bestätigt",
        "clarified": "Präzisiert",
        "changed": "Geändert",
        "not_assessed": "Nicht beurteilt",
        "answers": "Antworten auf die Fragen",
        "question_n": "Frage {n}",
        "reasoning": "Begründung",
        "recommendation": "Empfehlung",
        "strength": "Stärke",
        "strength_strong": "starke Empfehlung",
        "strength_conditional": "bedingte Empfehlung",
        "strength_expert_opinion": "Expertenmeinung",
        "strength_none": "keine Empfehlung möglich",
        "guideline": "Leitlinie",
        "guideline_dated": "{title} ({date})",
        "no_guideline": "Zu dieser Frage gibt es keine Leitlinie.",
        "findings": "Befunde und ihre Fundstellen",
        "significance": "Bedeutung",
        "source": "Quelle",
        "page": "Seite {n}",
        "frame": "Bild {n}",
        "finding_alt": "Zitierter Ausschnitt aus {record}, {place}",
        "differential": "Differenzialdiagnose",
        "options": "Möglichkeiten",
        "option": "Möglichkeit",
        "benefits": "Nutzen",
        "risks": "Risiken und Belastungen",
        "do_nothing": "abwarten oder nichts tun",
        "next_steps": "Nächste Schritte",
        "what": "Was",
        "owner": "Wer",
        "by_date": "Bis wann",
        "limitations": "Grenzen dieser Beurteilung",
        "missing": "Was fehlte",
        "letter": "Brief an die behandelnde Ärztin oder den behandelnden Arzt",
        "blind_read": "Erster Eindruck vor Kenntnis der Erstmeinung",
        "blind_locked": "Festgeschrieben am {when}.",
        "confidence": "Sicherheit",
        "records": "Gesichtete Unterlagen",
        "records_note": (
            "Genau diese Dateien wurden gelesen. Die Zeile unter jedem Titel ist der SHA-256-Fingerabdruck."
        ),
        "record": "Unterlage",
        "kind": "Art",
        "record_date": "Datum",
        "extent": "Umfang",
        "pages": "{n} Seiten",
        "pages_1": "1 Seite",
        "images": "{n} Bilder",
        "images_1": "1 Bild",
        "references": "Literatur",
        "signature": "Signatur",
        "signature_note": (
            "Dieses Dokument trägt das elektronische Siegel von {organisation}, gesetzt im Auftrag von {doctor} "
            "nach Bestätigung mit einem zweiten Faktor. Jede spätere Änderung der Datei macht das Siegel "
            "ungültig. Unter {url} zeigt der Code {code}, ob dies die aktuelle Fassung ist."
        ),
        "attached": "Derselbe Inhalt ist für Computersysteme angehängt (HL7-FHIR-R4-Dokument).",
        "fhir_description": "Derselbe Bericht als HL7-FHIR-R4-Dokument für Computersysteme",
        "dear": "Guten Tag {name},",
        "p_urgent": "Bitte lesen Sie das zuerst",
        "p_urgent_text": (
            "Etwas in Ihren Unterlagen sollte nicht warten. Bitte sprechen Sie noch heute mit Ihrer Ärztin oder "
            "Ihrem Arzt. Im Notfall wählen Sie den Notruf (112 in Europa)."
        ),
        "p_summary": "Was das für Sie bedeutet",
        "p_answers": "Ihre Fragen und unsere Antworten",
        "p_comparison": "Verglichen mit dem, was Ihnen gesagt wurde",
        "p_diagnosis_confirmed": "Die Diagnose: Wir kommen zum gleichen Ergebnis.",
        "p_diagnosis_clarified": "Die Diagnose: Wir stimmen im Kern zu und können sie genauer fassen.",
        "p_diagnosis_changed": "Die Diagnose: Wir kommen zu einem anderen Ergebnis.",
        "p_diagnosis_not_assessed": "Die Diagnose: Danach wurde nicht gefragt, oder wir konnten sie nicht beurteilen.",
        "p_treatment_confirmed": "Die Behandlung: Wir empfehlen dasselbe.",
        "p_treatment_clarified": "Die Behandlung: Wir stimmen im Kern zu, mit einigen Ergänzungen.",
        "p_treatment_changed": "Die Behandlung: Wir empfehlen etwas anderes.",
        "p_treatment_not_assessed": (
            "Die Behandlung: Danach wurde nicht gefragt, oder wir konnten sie nicht beurteilen."
        ),
        "p_options": "Ihre Möglichkeiten",
        "p_benefits": "Was dafür spricht",
        "p_risks": "Was Sie bedenken sollten",
        "p_next": "Was jetzt zu tun ist",
        "p_who": "Wer: {who}",
        "p_by": "Bis: {date}",
        "p_ask": "Fragen, die Sie Ihrer Ärztin oder Ihrem Arzt stellen können",
        "p_limits": "Was diese Meinung nicht leisten kann",
        "p_missing": "Uns lag nicht vor: {items}.",
        "p_whom": "Wen Sie fragen können",
        "p_whom_text": "Ist etwas unklar oder falsch? Bitte sagen Sie es uns. Es antwortet ein Mensch.",
        "p_check": "Ist dieser Bericht echt?",
        "p_check_text": (
            "Scannen Sie den Code oder öffnen Sie {url} und geben Sie {code} ein. Sie sehen sofort, ob er gilt."
        ),
        "p_signed": "{organisation} hat diesen Bericht im Auftrag von {doctor} gesiegelt.",
    },
}

MANDATORY_LIMITATIONS: dict[str, tuple[str, ...]] = {
    "en": (
        "This opinion rests on the records listed here. The specialist did not examine the patient in person.",
        "Records that were missing, or findings that came later, can change the conclusions.",
        "It advises the patient and the treating doctor. It does not replace their examination, their talk with "
        "each other or their decision.",
        "It is not meant for emergencies. New or worse symptoms need medical help on the spot.",
    ),
    "de": (
        "Diese Meinung stützt sich auf die hier aufgeführten Unterlagen. Eine persönliche Untersuchung durch die "
        "Fachärztin oder den Facharzt fand nicht statt.",
        "Fehlende Unterlagen oder spätere Befunde können die Schlussfolgerungen ändern.",
        "Sie berät die Patientin oder den Patienten und die behandelnde Praxis. Sie ersetzt weder deren "
        "Untersuchung noch das Gespräch miteinander noch deren Entscheidung.",
        "Sie ist nicht für Notfälle gedacht. Neue oder stärkere Beschwerden brauchen ärztliche Hilfe vor Ort.",
    ),
}

PLAIN_LIMITATIONS: dict[str, tuple[str, ...]] = {
    "en": (
        "We read your records. We could not examine you in person.",
        "If a record was missing, or something new is found, our answer may change.",
        "You decide together with your own doctor. This report helps you both; it does not replace that talk.",
        "It is not for emergencies. If you feel new or worse symptoms, get medical help where you are.",
    ),
    "de": (
        "Wir haben Ihre Unterlagen gelesen. Untersuchen konnten wir Sie nicht.",
        "Wenn etwas fehlte oder Neues gefunden wird, kann sich unsere Antwort ändern.",
        "Sie entscheiden gemeinsam mit Ihrer Ärztin oder Ihrem Arzt. Dieser Bericht hilft Ihnen beiden. "
        "Er ersetzt dieses Gespräch nicht.",
        "Er ist nicht für Notfälle. Bei neuen oder stärkeren Beschwerden holen Sie bitte Hilfe vor Ort.",
    ),
}


def limitations(language: str, added: tuple[str, ...]) -> tuple[str, ...]:
    """The mandatory limitations first, whatever was handed in, then the added ones, each once."""
    mandatory = MANDATORY_LIMITATIONS[language]
    return mandatory + tuple(dict.fromkeys(text for text in added if text.strip() and text not in mandatory))


def on_day(day: date | None, language: str) -> str:
    return format_date(day, "d MMMM y" if language == "en" else "d. MMMM y", locale=language) if day else ""


def at_time(moment: datetime, language: str) -> str:
    """Date and time with its zone named: reports cross borders."""
    pattern = "d MMMM y, HH:mm" if language == "en" else "d. MMMM y, HH:mm"
    return format_datetime(moment, pattern, locale=language) + (" UTC" if language == "en" else " Uhr (UTC)")
