"""A believable report in both languages, wholly invented: for tests, for looking at the documents, for measuring."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from datetime import UTC, date, datetime

from PIL import Image, ImageDraw, ImageFilter

from consilium.opinions.report.content import (
    Anchor,
    Answer,
    BlindRead,
    Comparison,
    Finding,
    FirstOpinion,
    NextStep,
    Option,
    Organisation,
    Patient,
    PatientSummary,
    Recommendation,
    RecordSeen,
    Reference,
    Region,
    ReportContent,
    SectionAnswer,
    Specialist,
)
from consilium.opinions.report.images import cut_out

ISSUED = datetime(2026, 5, 18, 14, 5, tzinfo=UTC)
MRI_SHA = hashlib.sha256(b"mri").hexdigest()
LETTER_SHA = hashlib.sha256(b"letter").hexdigest()
LAB_SHA = hashlib.sha256(b"lab").hexdigest()
_REGION = Region(0.42, 0.55, 0.22, 0.14)


def scan_picture() -> bytes:
    """A grey spine-like picture, drawn."""
    picture = Image.new("L", (512, 640), 12)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((300, 0, 330, 640), fill=150)
    for level in range(7):
        top = 20 + level * 90 + (6 if level == 4 else 0)
        draw.rounded_rectangle((170 + level * 4, top, 290, top + 62), 14, fill=110)
        disc = 60 if level in {4, 5} else 90
        draw.rounded_rectangle((175 + level * 4, top + 66, 292 + (22 if level == 4 else 0), top + 84), 8, fill=disc)
    out = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(3)).save(out, "PNG")
    return out.getvalue()


def portrait_picture() -> bytes:
    """A friendly drawn face: no photograph of a real person is shipped."""
    picture = Image.new("RGB", (300, 300), "#cfe3e2")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 215, 240, 420), fill="#1d5c66")
    draw.ellipse((90, 50, 210, 190), fill="#2b2320")
    draw.ellipse((100, 70, 200, 205), fill="#e3b592")
    draw.arc((125, 130, 175, 175), 20, 160, fill="#7a3b2e", width=4)
    draw.ellipse((122, 118, 132, 130), fill="#2b2320")
    draw.ellipse((168, 118, 178, 130), fill="#2b2320")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def sample(language: str = "en") -> ReportContent:
    """A complete report that passes the release checklist."""
    content = _german() if language == "de" else _english()
    thumbnail = cut_out(scan_picture(), _REGION)
    first, *rest = content.findings
    assert first.anchor is not None
    seen = replace(first, anchor=replace(first.anchor, thumbnail=thumbnail))
    who = replace(content.specialist, portrait=portrait_picture())
    return replace(content, findings=(seen, *rest), specialist=who)


def _english() -> ReportContent:
    return ReportContent(
        reference="CO-2026-0147",
        version=1,
        language="en",
        issued_at=ISSUED,
        organisation=Organisation(
            name="Lakeside Second Opinion Service",
            address="12 Harbour Walk\nBristol BS1 4RW",
            contact="Dora Lindqvist, patient desk\nTelephone 0117 496 0999, Monday to Friday, 8 to 17",
        ),
        specialist=Specialist(
            name="Mei Chen", title="Dr", specialty="Orthopaedic spine surgery", licence="GMC 0000000 (demonstration)"
        ),
        patient=Patient(name="Anna Kowalczyk", birth_date=date(1968, 3, 12), sex="female"),
        verify_code="7K4M-92QX-PD3T",
        verify_url="https://opinions.example.org/verify/7K4M-92QX-PD3T",
        first_opinion=FirstOpinion(
            diagnosis="Lumbar disc herniation L4/L5 with nerve root compression.",
            treatment="Fusion of L4/L5 with screws and cage, planned for 9 June 2026.",
            by="Dr Jonas Weiss, Northgate Hospital",
        ),
        comparison=Comparison(
            diagnosis="clarified",
            diagnosis_note="Disc herniation L4/L5 on the left side, touching the L5 root. No instability.",
            treatment="changed",
            treatment_note="Fusion is not needed now. Structured exercise first; if it fails, removal of the "
            "herniated part alone.",
        ),
        blind_read=BlindRead(
            locked_at=datetime(2026, 5, 14, 9, 30, tzinfo=UTC),
            impression="Left-sided herniation L4/L5 with contact to the L5 root. Segment stable. I would treat "
            "without an operation first.",
            confidence="85 %",
        ),
        questions=(
            Answer(
                "Do I really need the fusion operation?",
                "No, not now. Your spine is stable, and a fusion would stiffen a joint that still works.",
                "Fusion is meant for an unstable segment. The standing and bending X-rays show movement of 1 mm at "
                "L4/L5, within the normal range. The leg pain fits the herniation on the left.\n\nSix weeks of "
                "treatment were documented, of which only two were exercise.",
            ),
            Answer(
                "What can I try before an operation?",
                "A guided exercise programme for eight more weeks, with one targeted injection if the pain stops "
                "you from exercising.",
                "Most herniations shrink within months. There is no weakness and no sign that waiting would harm.",
            ),
            Answer(
                "When would it be too late to wait?",
                "If you lose strength in the foot, feel numb between the legs, or cannot control bladder or bowel: "
                "go to an emergency department at once.",
            ),
        ),
        findings=(
            Finding(
                "Herniation L4/L5, left, 7 mm",
                "Touches the left L5 root and explains the pain on the outside of the leg.",
                Anchor("MRI lumbar spine", MRI_SHA, frame=14, region=_REGION),
            ),
            Finding(
                "No instability in bending X-rays",
                "Movement of 1 mm: a fusion has no structural reason here.",
                Anchor("Letter Northgate Hospital", LETTER_SHA, page=2),
            ),
            Finding(
                "CRP normal, 2 mg/l",
                "Speaks against an infection of the disc.",
                Anchor("Laboratory sheet", LAB_SHA, place="CRP, 2 May 2026"),
            ),
        ),
        missing=("Report of the physiotherapy",),
        differential="- Herniation L4/L5 with L5 irritation: most likely, fits level, side and course.\n"
        "- Hip disease: unlikely, free movement was documented.\n"
        "- Narrowing of the canal: not seen on the MRI.",
        options=(
            Option(
                "Guided exercise for eight weeks",
                "Good chance of relief without an operation. Keeps the joint.",
                "Needs patience; the pain may last for weeks.",
            ),
            Option(
                "Removal of the herniated part (microdiscectomy)",
                "Relieves leg pain faster.",
                "Anaesthesia, infection, a new herniation in about one of twenty.",
            ),
            Option(
                "Waiting without treatment",
                "No burden. Many herniations shrink by themselves.",
                "Slower recovery; loss of fitness.",
                is_do_nothing=True,
            ),
        ),
        recommendation=Recommendation(
            text="Do not fuse L4/L5 now. Eight weeks of guided exercise, then a visit to decide about a "
            "microdiscectomy.",
            strength="strong",
            guideline="NICE NG59 Low back pain and sciatica in over 16s",
            guideline_date=date(2020, 12, 11),
        ),
        limitations=("The physiotherapy report was not available, so past exercise could only be estimated.",),
        next_steps=(
            NextStep("Postpone the operation planned for 9 June", "Anna Kowalczyk with Dr Weiss", date(2026, 5, 25)),
            NextStep("Start guided exercise, twice a week", "Physiotherapy, referral by Dr Weiss", date(2026, 6, 1)),
            NextStep("Visit to see what has changed", "Dr Weiss", date(2026, 7, 27)),
        ),
        references=(Reference("NICE guideline NG59: Low back pain and sciatica in over 16s", date(2020, 12, 11)),),
        patient_summary=PatientSummary(
            opening="Dear Mrs Kowalczyk,\n\nthank you for your trust. I read all of your records and looked at every "
            "image of your MRI. You told me that you want to walk in the hills with your grandchildren again. I "
            "kept that in mind.",
            paragraphs=(
                "Your leg pain comes from a disc in your lower back. A small part of it has moved and touches a "
                "nerve. That hurts, but it often heals by itself.",
                "Your back is stable. So I would not stiffen it with screws now. Please give guided exercise eight "
                "more weeks. If the pain is still strong then, a smaller operation can help.",
            ),
        ),
        patient_questions_to_ask=(
            "Can we postpone the operation and decide again in July?",
            "Who can show me the right exercises near my home?",
        ),
        clinician_letter="Dear Dr Weiss,\n\nthank you for the complete records. I agree with the level and the side of "
        "the herniation. The bending X-rays show no instability, and there is no motor deficit; I would therefore "
        "not fuse at this point.\n\nI suggest:\n- eight weeks of guided exercise, twice a week\n- one transforaminal "
        "injection at L5 left if pain limits exercise\n- microdiscectomy if leg pain stays above 5/10 after that"
        "\n\nPlease call me if you see it differently.",
        records_seen=(
            RecordSeen("MRI lumbar spine", "Imaging", MRI_SHA, date(2026, 4, 21), 142, "images"),
            RecordSeen("Letter Northgate Hospital", "Physician letter", LETTER_SHA, date(2026, 4, 28), 3, "pages"),
            RecordSeen("Laboratory sheet", "Laboratory", LAB_SHA, date(2026, 5, 2), 1, "pages"),
        ),
        sections=(
            SectionAnswer("level_match", "Do level and symptoms match?", "Yes: L4/L5 left, pain in the L5 area."),
        ),
    )


def _german() -> ReportContent:
    content = _english()
    a, b, c = content.findings
    mri, letter, lab = content.records_seen
    assert a.anchor and b.anchor and c.anchor
    return replace(
        content,
        language="de",
        organisation=Organisation(
            name="Zweitmeinungsdienst am See",
            address="Hafenweg 12\n88045 Friedrichshafen",
            contact="Dora Lindqvist, Patientenbüro\nTelefon 07541 000 999, Montag bis Freitag, 8 bis 17 Uhr",
        ),
        specialist=Specialist("Mei Chen", "Dr. med.", "Orthopädie, Wirbelsäulenchirurgie", "Musterkammer 000000"),
        patient=Patient("Anna Kowalczyk-Großmann", date(1968, 3, 12), "female"),
        first_opinion=FirstOpinion(
            "Bandscheibenvorfall L4/L5 mit Druck auf die Nervenwurzel.",
            "Versteifung L4/L5 mit Schrauben und Cage, geplant am 9. Juni 2026.",
            "Dr. Jonas Weiß, Klinikum Nordtor",
        ),
        comparison=Comparison(
            "clarified",
            "Bandscheibenvorfall L4/L5 links mit Kontakt zur Wurzel L5. Keine Instabilität.",
            "changed",
            "Eine Versteifung ist jetzt nicht nötig. Zuerst angeleitete Übungen; hilft das nicht, genügt die "
            "Entfernung des Vorfalls.",
        ),
        blind_read=BlindRead(
            datetime(2026, 5, 14, 9, 30, tzinfo=UTC),
            "Vorfall L4/L5 links mit Kontakt zur Wurzel L5. Segment stabil. Ich würde zuerst ohne Operation behandeln.",
            "85 %",
        ),
        questions=(
            Answer(
                "Brauche ich die Versteifung wirklich?",
                "Nein, jetzt nicht. Ihre Wirbelsäule ist stabil. Eine Versteifung nähme Ihnen ein Gelenk, das noch "
                "arbeitet.",
                "Eine Versteifung ist für instabile Segmente gedacht. Die Funktionsaufnahmen zeigen bei L4/L5 eine "
                "Bewegung von 1 mm, also im normalen Bereich.",
            ),
            Answer(
                "Was kann ich vor einer Operation versuchen?",
                "Noch acht Wochen angeleitete Übungen. Wenn der Schmerz Sie am Üben hindert, hilft eine gezielte "
                "Spritze.",
                "Die meisten Vorfälle werden in Monaten kleiner. Eine Schwäche liegt nicht vor.",
            ),
            Answer(
                "Wann darf ich nicht mehr warten?",
                "Wenn der Fuß schwach wird, Sie zwischen den Beinen nichts mehr spüren oder Blase und Darm nicht "
                "halten können: sofort in eine Notaufnahme.",
            ),
        ),
        findings=(
            Finding(
                "Vorfall L4/L5 links, 7 mm",
                "Berührt die linke Wurzel L5 und erklärt den Schmerz an der Außenseite des Beins.",
                replace(a.anchor, record_title="MRT der Lendenwirbelsäule"),
            ),
            Finding(
                "Keine Instabilität in den Funktionsaufnahmen",
                "Bewegung von 1 mm: kein struktureller Grund für eine Versteifung.",
                replace(b.anchor, record_title="Arztbrief Klinikum Nordtor"),
            ),
            Finding(
                "CRP normal, 2 mg/l",
                "Spricht gegen eine Entzündung der Bandscheibe.",
                replace(c.anchor, record_title="Laborblatt", place="CRP, 2. Mai 2026"),
            ),
        ),
        missing=("Bericht der Physiotherapie",),
        differential="- Vorfall L4/L5 mit Reizung L5: am wahrscheinlichsten.\n- Hüfterkrankung: unwahrscheinlich.\n"
        "- Spinalkanalstenose: im MRT nicht zu sehen.",
        options=(
            Option(
                "Angeleitete Übungen für acht Wochen",
                "Gute Aussicht auf Besserung ohne Operation. Das Gelenk bleibt.",
                "Braucht Geduld; der Schmerz kann noch Wochen dauern.",
            ),
            Option(
                "Entfernung des Vorfalls (Mikrodiskektomie)",
                "Der Beinschmerz lässt schneller nach.",
                "Narkose, Infektion, neuer Vorfall bei etwa einem von zwanzig Menschen.",
            ),
            Option(
                "Abwarten ohne Behandlung",
                "Keine Belastung. Viele Vorfälle werden von selbst kleiner.",
                "Langsamere Erholung; die Kraft lässt nach.",
                is_do_nothing=True,
            ),
        ),
        recommendation=Recommendation(
            "L4/L5 jetzt nicht versteifen. Acht Wochen angeleitete Übungen, dann neu über eine Mikrodiskektomie "
            "entscheiden.",
            "strong",
            "S2k-Leitlinie Konservative, operative und rehabilitative Versorgung bei Bandscheibenvorfällen",
            date(2020, 11, 1),
        ),
        limitations=("Der Bericht der Physiotherapie fehlte; bisherige Übungen ließen sich nur schätzen.",),
        next_steps=(
            NextStep("Die Operation am 9. Juni verschieben", "Frau Kowalczyk mit Dr. Weiß", date(2026, 5, 25)),
            NextStep("Angeleitete Übungen, zweimal pro Woche", "Physiotherapie, Verordnung Dr. Weiß", date(2026, 6, 1)),
            NextStep("Termin zur Kontrolle", "Dr. Weiß", date(2026, 7, 27)),
        ),
        references=(Reference("AWMF 033-048: Leitlinie zum lumbalen Bandscheibenvorfall", date(2020, 11, 1)),),
        patient_summary=PatientSummary(
            "Guten Tag Frau Kowalczyk-Großmann,\n\ndanke für Ihr Vertrauen. Ich habe alle Ihre Unterlagen gelesen und "
            "jedes Bild Ihres MRT angesehen. Sie möchten wieder mit Ihren Enkeln in die Berge. Das hatte ich im Blick.",
            (
                "Ihr Schmerz im Bein kommt von einer Bandscheibe im unteren Rücken. Ein kleiner Teil ist verrutscht "
                "und berührt einen Nerv. Das tut weh, heilt aber oft von selbst.",
                "Ihr Rücken ist stabil. Darum würde ich ihn jetzt nicht versteifen. Bitte üben Sie noch acht Wochen "
                "mit Anleitung. Ist der Schmerz dann noch stark, hilft eine kleinere Operation.",
            ),
        ),
        patient_questions_to_ask=(
            "Können wir die Operation verschieben und im Juli neu entscheiden?",
            "Wer zeigt mir in meiner Nähe die richtigen Übungen?",
        ),
        clinician_letter="Sehr geehrter Herr Dr. Weiß,\n\ndanke für die vollständigen Unterlagen. Höhe und Seite des "
        "Vorfalls sehe ich wie Sie. Die Funktionsaufnahmen zeigen keine Instabilität, eine Parese besteht nicht; "
        "deshalb würde ich jetzt nicht versteifen.\n\nIch schlage vor:\n- acht Wochen angeleitete Übungen\n- eine "
        "transforaminale Infiltration L5 links, wenn der Schmerz das Üben verhindert\n- Mikrodiskektomie, wenn der "
        "Beinschmerz danach über 5/10 bleibt\n\nBitte rufen Sie mich an, wenn Sie es anders sehen.",
        records_seen=(
            replace(mri, title="MRT der Lendenwirbelsäule", kind="Bildgebung"),
            replace(letter, title="Arztbrief Klinikum Nordtor", kind="Arztbrief"),
            replace(lab, title="Laborblatt", kind="Labor"),
        ),
        sections=(
            SectionAnswer(
                "level_match", "Passen Höhe und Beschwerden zusammen?", "Ja: L4/L5 links, Schmerz im Gebiet L5."
            ),
        ),
    )
