"""Reading scans with the real tesseract: pages of words as pictures, drawn by typst."""

import io

import pikepdf
import pytest
import typst
from django.urls import reverse
from PIL import Image

from consilium.core import jobs
from consilium.core.jobs import worker
from consilium.core.models import Job
from consilium.ops import doctor
from consilium.ops import worker as worker_command
from consilium.records import content, ocr, tesseract
from consilium.records.extract import extract, scans
from consilium.records.extract import testing_files as make
from consilium.records.models import Entry, Record, RecordFile
from consilium.testing import factories
from consilium.vault import keys

GERMAN = (
    "Sehr geehrte Frau Kollegin,\\ wir berichten über die Patientin, Untersuchung vom 12.03.2026. Die Wirbelsäule "
    "zeigt eine Verengung in Höhe L4/L5, die Größe ist unverändert. Empfehlung: Krankengymnastik.\\ "
    "Mit freundlichen Grüßen"
)
ARABIC = "تقرير طبي للمريضة. أجري التصوير بالرنين المغناطيسي للعمود الفقري. ننصح بالعلاج الطبيعي لمدة ستة أسابيع."
UKRAINIAN = (
    "Шановна колего, повідомляємо про обстеження хворої. Хребет має звуження. Рекомендовано лікувальну фізкультуру."
)
TURKISH = (
    "Bu hasta ile ilgili olarak bir rapor: hastanın omurga incelemesi yapıldı ve bu hasta daha önce de geldi. "
    "Dördüncü bel omurunda daralma görüldü ve fizik tedavi önerilir, çünkü ağrı için ilaç yeterli değil."
)
LABORATORY = (
    "#table(columns: (4cm, 3cm, 3cm, 4cm), stroke: none, row-gutter: 4pt, [Laborbefund], [], [], [Referenzbereich], "
    "[Hämoglobin], [13,2], [g/dl], [12,0 - 16,0], [Leukozyten], [6,1], [/nl], [4,0 - 10,0], "
    "[Kreatinin], [0,9], [mg/dl], [0,5 - 1,1], [Kalium], [4,4], [mmol/l], [3,5 - 5,1])"
)
installed = pytest.mark.skipif(
    "osd" not in tesseract._languages("/usr/bin/tesseract"),
    reason="tesseract is not installed (Debian: tesseract-ocr and its languages); scripts/test_packages installs it",
)


def drawn(words: str, *, right: bool = False, ppi: int = 150) -> bytes:
    way = "rtl" if right else "ltr"
    page = f'#set page(width: 16cm, height: 7cm, margin: 1cm)\n#set text(font: "DejaVu Sans", size: 13pt, dir: {way})\n'
    return typst.compile((page + words).encode(), format="png", ppi=ppi)


def scan(*pages: bytes) -> bytes:
    """A PDF whose pages are pictures, as scanners make them."""
    document = pikepdf.new()
    for data in pages:
        image = Image.open(io.BytesIO(data)).convert("L")
        out = io.BytesIO()
        image.save(out, "JPEG", quality=85)
        picture = document.make_stream(out.getvalue(), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image,
                                       Width=image.width, Height=image.height, ColorSpace=pikepdf.Name.DeviceGray,
                                       BitsPerComponent=8, Filter=pikepdf.Name.DCTDecode)  # fmt: skip
        width, height = image.width * 72 // 150, image.height * 72 // 150
        page = document.add_blank_page(page_size=(width, height))
        page.Contents = document.make_stream(b"q %d 0 0 %d 0 0 cm /S Do Q" % (width, height))
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(S=picture))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


@pytest.fixture
def reading(settings):
    settings.TESSERACT = "tesseract"


def only_file(case) -> RecordFile:
    return RecordFile.objects.select_related("record").get(space=case.pk)


# -- which pages -----------------------------------------------------------------------------------
def test_pages_that_say_nothing_themselves_are_named():
    both = pikepdf.open(io.BytesIO(scan(drawn(GERMAN))))
    both.pages.extend(pikepdf.open(io.BytesIO(make.pdf())).pages)
    both.add_blank_page()
    out = io.BytesIO()
    both.save(out)
    assert extract([out.getvalue()]).facts["scanned"] == [0]
    assert "scanned" not in extract([make.pdf(3)]).facts


@pytest.mark.parametrize(
    ("words", "nonsense"),
    [("Befund der Patientin", False), ("", False), ("\ufffd\ufffd\ufffd a", True), ("\ue001\ue002 \ue003ab", True),
     ("Größe 12,3 µmol/l ≥ 5", False), ("检查报告", False)],
)  # fmt: skip
def test_a_text_layer_of_nonsense_is_none(words, nonsense):
    assert scans.is_nonsense(words) == nonsense


# -- reading -----------------------------------------------------------------------------------------
@installed
def test_a_scanned_letter_is_read_page_by_page(reading, cast, as_, monkeypatch):
    case = factories.draft(cast)
    monkeypatch.setattr(jobs, "drain", lambda **more: worker.drain(queues=("default", "ingest"), **more))
    factories.upload(case, scan(drawn(GERMAN), drawn("Seite zwei: Verlauf und Medikation")), "scan.pdf", by=cast.anna)
    record = Record.objects.get(space=case.pk)
    assert (ocr.progress(record), record.kind) == ((0, 2), Record.Kind.OTHER)
    assert ocr.sentence(record) == "We are still reading the words of this scan (0 of 2 pages)."
    shown = as_(cast.anna).get(reverse("case_upload_list", args=[case.pk])).content.decode()
    assert ocr.sentence(record) in shown
    assert worker.drain(queues=("ocr",), limit=1) == 1
    record.refresh_from_db()
    assert ocr.progress(record) == (1, 2)
    assert worker.drain(queues=("ocr",)) == 1
    file = only_file(case)
    record = file.record
    assert "Wirbelsäule" in file.text[0]
    assert "Größe" in file.text[0]
    assert "Medikation" in file.text[1]
    assert (record.kind, record.clinical_date, record.language) == ("letter", "2026-03-12", "de")
    assert record.conclusion_pages == [0]
    assert (ocr.progress(record), ocr.sentence(record)) == (None, "")
    state = file.facts["ocr"]
    assert (state["pages"], state["done"], state["languages"]) == ([0, 1], 2, ["deu", "eng"])
    assert min(state["confidence"]) > 70
    assert content.read_all(file).startswith(b"%PDF")


@installed
@pytest.mark.parametrize(
    ("words", "right", "language", "seen"),
    [(ARABIC, True, "ar", "الطبيعي"), (UKRAINIAN, False, "uk", "обстеження"), (TURKISH, False, "tr", "omurunda")],
    ids=["Arabic", "Ukrainian", "Turkish"],
)
def test_other_scripts_and_languages_are_told_by_looking(reading, cast, words, right, language, seen):
    case = factories.draft(cast)
    factories.upload(case, drawn(words, right=right), "photo.png", by=cast.anna)
    file = only_file(case)
    assert seen in file.text[0]
    assert file.record.language == language
    assert file.facts["ocr"]["languages"][0] == ocr.LANGUAGES[language]


@installed
def test_a_photo_taken_sideways_is_turned(reading, cast):
    case = factories.draft(cast)
    out = io.BytesIO()
    Image.open(io.BytesIO(drawn(GERMAN))).convert("RGB").rotate(90, expand=True).save(out, "JPEG")
    factories.upload(case, out.getvalue(), "photo.jpg", by=cast.anna)
    assert "Krankengymnastik" in only_file(case).text[0]


@installed
def test_values_of_a_scanned_table_are_filed_row_by_row(reading, cast):
    case = factories.draft(cast)
    factories.upload(case, scan(drawn(LABORATORY)), "labor.pdf", by=cast.anna)
    file = only_file(case)
    assert any("Kreatinin" in row and "0,9" in row and "mg/dl" in row for row in file.text[0].splitlines())
    found = {(one.body["name"], one.body["shown"], one.status) for one in Entry.objects.filter(space=case.pk)}
    assert any("0,9" in shown or "0.9" in shown for _name, shown, _status in found), found
    assert {status for _name, _shown, status in found} == {Entry.Status.READ}


@installed
def test_a_photo_without_words_stays_without(reading, cast):
    case = factories.draft(cast)
    factories.upload(case, make.picture("JPEG", (80, 60)), "photo.jpg", by=cast.anna)
    file = only_file(case)
    assert not "".join(file.text).strip()
    assert ocr.progress(file.record) is None
    assert file.record.status == Record.Status.READY


def test_what_a_person_has_said_is_not_overruled(cast):
    case = factories.draft(cast)
    factories.upload(case, scan(drawn(GERMAN)), "scan.pdf", by=cast.anna)
    Record.objects.update(kind=Record.Kind.OPERATION_NOTE, language="en", conclusion_pages=[3])
    record = Record.objects.get()
    record.clinical_date = "2025-01-01"
    record.save()
    file = only_file(case)
    file.text = [GERMAN]
    ocr._finish(file)
    record.refresh_from_db()
    assert (record.kind, record.clinical_date, record.language) == ("operation_note", "2025-01-01", "en")
    assert record.conclusion_pages == [3]
    Record.objects.update(kind=Record.Kind.OTHER, language="", conclusion_pages=[])
    ocr._finish(file)
    record.refresh_from_db()
    assert (record.kind, record.language, record.conclusion_pages) == ("letter", "de", [0])


@installed
def test_a_removed_or_damaged_file_stops_nothing(reading, cast):
    case = factories.draft(cast)
    factories.upload(case, make.picture("PNG")[:-200], "cut.png", by=cast.anna)
    file = only_file(case)
    assert (file.facts["ocr"]["done"], ocr.progress(file.record)) == (1, None)
    file.record.delete()
    ocr.read_next(file.pk)


def test_nothing_is_planned_without_tesseract(settings, cast):
    settings.TESSERACT = ""
    case = factories.draft(cast)
    factories.upload(case, drawn(GERMAN), "photo.png", by=cast.anna)
    file = only_file(case)
    assert "ocr" not in file.facts
    assert ocr.progress(file.record) is None
    [finding] = doctor.scans("scans")
    assert finding.ok is None
    assert "not installed" in finding.words


def test_scans_that_came_before_tesseract_are_planned_once_it_is_there(settings, cast, monkeypatch):
    settings.TESSERACT = ""
    case, gone = factories.draft(cast), factories.draft(cast)
    sent = [(drawn(GERMAN), "photo.png"), (scan(drawn(GERMAN), drawn("Seite zwei")), "scan.pdf"),
            (make.pdf(), "letter.pdf"), (drawn("weg"), "removed.png")]  # fmt: skip
    for data, name in sent:
        factories.upload(case, data, name, by=cast.anna)
    factories.upload(gone, drawn("erased"), "erased.png", by=cast.anna)
    files = {file.name: file for file in RecordFile.objects.filter(space=case.pk)}
    Record.objects.filter(files=files["removed.png"]).update(status="removed")
    keys.destroy_space(gone.pk)
    assert ocr.plan_missed() == 0
    monkeypatch.setattr(ocr, "program", lambda: "/usr/bin/tesseract")
    assert ocr.plan_missed() == 2
    planned = [file.name for file in RecordFile.objects.filter(space=case.pk) if "ocr" in file.facts]
    assert sorted(planned) == ["photo.png", "scan.pdf"]
    found = Record.objects.get(files=files["scan.pdf"])
    assert ocr.progress(found) == (0, 2)
    assert Job.objects.filter(key__startswith="ocr:").count() == 2
    assert ocr.plan_missed() == 0


# -- walls -----------------------------------------------------------------------------------------
PROBE = """
import os, socket, sys
def told(what, act):
    try:
        act()
        print(what, "through")
    except OSError:
        print(what, "stopped")
told("read", lambda: open("/etc/passwd").read())
told("write", lambda: open("/tmp/consilium-probe", "w"))
told("network", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=1))
print("nice", os.nice(0), "keys", [k for k in os.environ if "CONSILIUM" in k or "DATABASE" in k])
"""


def test_the_program_runs_behind_walls(monkeypatch):
    import socket
    import subprocess
    import sys

    with socket.create_server(("127.0.0.1", 0)) as listening:
        python = "/usr/bin/python3"
        command = [
            sys.executable,
            "-s",
            "-m",
            "consilium.records.sandbox.program",
            str(2**30),
            "20",
            python,
            "-I",
            "-c",
            PROBE,
        ]
        done = subprocess.run([*command, str(listening.getsockname()[1])], capture_output=True, text=True, timeout=30,
                              env=tesseract._environment(), cwd="/", check=False)  # fmt: skip
    assert done.stdout.splitlines() == ["read stopped", "write stopped", "network stopped", "nice 19 keys []"], (
        done.stderr
    )


def test_workers_take_the_queues_they_are_told(settings):
    assert worker_command._queues("") == ()
    assert worker_command._queues("ocr") == ("ocr",)
    assert "ocr" not in worker_command._queues("-ocr")
    assert {"default", "ingest", "mail"} <= set(worker_command._queues("-ocr"))
