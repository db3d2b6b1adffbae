"""Both documents in both languages: what they say, how they are built, and text that means harm."""

import io
from dataclasses import replace

import pikepdf
import pypdfium2
import pytest

from consilium.opinions.report import render
from consilium.opinions.report.content import Answer, PatientSummary
from consilium.testing.report_sample import sample

HOSTILE = (
    '#panic("x") $x$ *b* _i_ `raw` \\n @ref <tag> [a](b) #let x = 1; #import "style.typ" 😀 שלום سلام ' + "W" * 600
)


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", "\n")


@pytest.fixture(scope="module")
def built():
    return {
        (language, kind): build(sample(language))
        for language in ("en", "de")
        for kind, build in (("clinical", render.build_clinical), ("patient", render.build_patient))
    }


@pytest.mark.parametrize(
    ("language", "kind", "words"),
    [
        ("en", "clinical", ("Second medical opinion", "Recommendation", "Records that were seen", "Limitations")),
        ("de", "clinical", ("Zweitmeinung", "Empfehlung", "Unterlagen", "Grenzen")),
        ("en", "patient", ("Your second opinion", "What to do next", "What this opinion cannot do")),
        ("de", "patient", ("Ihre Zweitmeinung", "Was jetzt zu tun ist", "Was diese Meinung nicht leisten kann")),
    ],
)
def test_document_speaks_its_language(built, language, kind, words):
    text = text_of(built[language, kind])
    assert [word for word in words if word.lower() not in text.lower()] == []


@pytest.mark.parametrize("key", [("en", "clinical"), ("de", "clinical"), ("en", "patient"), ("de", "patient")])
def test_document_is_archivable_and_accessible(built, key):
    with pikepdf.open(io.BytesIO(built[key])) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang).startswith(key[0])
        metadata = pdf.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"]
        assert ("/AF" in pdf.Root) == (key[1] == "clinical")  # the FHIR document travels with the clinical one


def test_every_record_seen_is_listed_with_its_hash(built):
    text = text_of(built["en", "clinical"]).replace("\n", "").replace("\u200b", "").replace("\ufffe", "")
    squeezed = "".join(text.split())
    for record in sample("en").records_seen:
        assert record.sha256[:24] in squeezed


def test_findings_answers_and_code_are_printed(built):
    content, text = sample("en"), " ".join(text_of(built["en", "clinical"]).split())
    assert content.verify_code in text
    for answer in content.questions:
        assert answer.short_answer.split(".")[0][:40] in text


@pytest.mark.parametrize("language", ["en", "de"])
def test_hostile_text_is_printed_not_run(language):
    content = sample(language)
    hostile = replace(
        content,
        questions=(Answer(HOSTILE, HOSTILE, HOSTILE),),
        differential=HOSTILE,
        clinician_letter=HOSTILE * 12,
        patient_summary=PatientSummary(HOSTILE, (HOSTILE, HOSTILE * 8)),
        change_note=HOSTILE,
        urgent=(),
    )
    for build in (render.build_clinical, render.build_patient):
        text = text_of(build(hostile)).replace("\u00ad", "")
        assert "#panic(" in text and "#let x = 1" in text


def test_ten_thousand_characters_fit():
    content = replace(sample("en"), differential="word " * 2000, clinician_letter="line\n" * 1500)
    assert len(pypdfium2.PdfDocument(render.build_clinical(content))) > 5
