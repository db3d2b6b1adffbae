"""The timeline and the search of a case: order, filters, pages, what stays closed, and the cost of many records."""

import re
import tracemalloc
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consilium.cases.states import State
from consilium.records.models import Entry, Preview, Record, RecordFile
from consilium.testing import factories
from consilium.vault import keys, recent
from consilium.web.reading import present

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    monkeypatch.setattr("consilium.vault.columns.shared", recent.Recent())


@pytest.fixture
def case(cast):
    return factories.draft(cast)


def letter(case, title, date="", text="Page one", **fields):
    return factories.plain_record(case, title, clinical_date=date, text=text, **fields)


def event(record, name, date):
    Entry.objects.create(
        space=record.space,
        record=record,
        file=record.files.get(),
        kind="procedure",
        status="stated",
        body={"name": name, "date": date},
    )


def names(page):
    """What the timeline shows, in its order: years, records and events."""
    text = page.content.decode()
    found = re.findall(r'timeline-year"[^>]*>([^<]+)<|file-item__name"><a[^>]*>([^<]+)<|__what"><strong>([^<]+)<', text)
    return ["".join(one) for one in found]


def timeline(client, case, **query):
    return client.get(reverse("records", args=[case.pk]), query)


def search(client, case, words):
    return client.post(reverse("record_search", args=[case.pk]), {"q": words})


def hits(page):
    """Name and marked words of each record that was found."""
    text = page.content.decode()
    found = re.findall(
        r'<li class="search-hit">(.*?)</li>\s*(?=<li class="search-hit">|</ul>\s*</main|</ul>)', text, re.S
    )
    names = [re.sub("<[^>]+>", "", re.search(r"<a[^>]*>(.*?)</a>", one, re.S)[1]).strip() for one in found]
    return list(zip(names, (re.findall("<mark>([^<]+)</mark>", one) for one in found), strict=True))


def test_records_and_events_stand_in_the_order_of_their_days(case, cast, as_):
    letter(case, "Older letter", "2024-05-02")
    letter(case, "No date")
    event(letter(case, "Summary", "2026-02-01"), "Appendectomy", "2025-06-30")
    shown = names(timeline(as_(cast.anna), case))
    assert shown == ["2026", "Summary", "2025", "Appendectomy", "2024", "Older letter", "Without a date", "No date"]


def test_filters_are_over_all_pages(case, cast, as_):
    for number in range(62):
        letter(case, f"Letter {number}", "2025-01-01", language="en")
    letter(case, "Brief", "2019-01-01", kind="laboratory", language="de")
    client = as_(cast.anna)
    first = timeline(client, case)
    assert len(names(first)) == 61 and "page=2" in first.content.decode()
    assert "Brief" not in first.content.decode()
    assert 'value="2019"' in first.content.decode() and "German" in first.content.decode()
    assert "Brief" in names(timeline(client, case, page="2"))
    for query in ({"year": "2019"}, {"language": "de"}, {"kind": "laboratory"}):
        assert names(timeline(client, case, **query)) == ["2019", "Brief"]
    assert "Nothing matches" in timeline(client, case, kind="device").content.decode()


def test_a_corrected_date_moves_the_record(case, cast, as_):
    record = letter(case, "Letter", "2024-05-02")
    letter(case, "Other", "2025-05-02")
    client = as_(cast.anna)
    assert names(timeline(client, case)) == ["2025", "Other", "2024", "Letter"]
    record.clinical_date = "2026-05-02"
    record.save()
    assert names(timeline(client, case)) == ["2026", "Letter", "2025", "Other"]


def test_words_are_marked_where_they_stand(case, cast, as_):
    record = letter(case, "Report of the clinic", text="Slight bulge of the disc. Müdigkeit <b>nahm</b> zu.")
    client = as_(cast.anna)
    page = search(client, case, "muedigkeit")
    assert hits(page) == [("Report of the clinic", ["Müdigkeit"])]
    assert "&lt;b&gt;nahm" in page.content.decode()
    assert hits(search(client, case, "clinic")) == [("Report of the clinic", ["clinic"])]
    assert "Nothing found" in search(client, case, "aneurysm").content.decode()
    file = record.files.get()
    file.text = ["Aneurysm of the aorta."]
    file.save()
    assert hits(search(client, case, "aneurysm")) == [("Report of the clinic", ["Aneurysm"])]
    assert hits(search(client, case, "muedigkeit")) == []


def test_pages_of_one_record_stand_together(case, cast, as_):
    record = letter(case, "Disc report", "2026-01-01")
    record.pages = 3
    record.save()
    file = record.files.get()
    file.text = ["The disc bulges.", "Nothing here.", "No disc, no nerve."]
    file.save()
    letter(case, "Older", "2025-01-01", text="disc")
    page = search(as_(cast.anna), case, "disc")
    text = page.content.decode()
    assert [name for name, _marks in hits(page)] == ["Disc report", "Older"]
    assert "4 places found" in text
    assert [number for number in "123" if f'?frame={number}"' in text] == ["1", "3"]
    assert text.count(reverse("record", args=[case.pk, record.pk])) == 3


def test_what_one_reader_opened_stays_closed_to_another(cast, as_):
    """The words of a withheld page are in memory once the patient searched; the blind specialist finds none of them."""
    case = factories.case_in(State.BLIND_READ, cast)
    then = case.conclusions_marked_at - timedelta(hours=1)
    fields = {"conclusion_pages": [0], "added_at": then}
    secret = letter(case, "Fusion letter", "2026-01-03", text="Spinal fusion is advised.", **fields)
    letter(case, "Imaging", "2026-01-02", text="Fusion of the vertebrae since birth.", added_at=then)
    anna, chen = as_(cast.anna), as_(cast.chen)
    for _ in range(2):
        assert [name for name, _marks in hits(search(anna, case, "fusion"))] == ["Fusion letter", "Imaging"]
        assert [name for name, _marks in hits(search(chen, case, "fusion"))] == ["Imaging"]
        assert "Fusion letter" in timeline(anna, case).content.decode()
        assert "Fusion letter" not in timeline(chen, case).content.decode()
        for names_of_all in ("record_compare", "record_enough"):
            page = chen.get(reverse(names_of_all, args=[case.pk]), {"left": str(secret.pk)}).content.decode()
            assert "Fusion letter" not in page
    event(secret, "Fusion L4/L5", "2026-03-01")
    assert "Fusion L4/L5" in names(timeline(anna, case))
    assert "Fusion L4/L5" not in timeline(chen, case).content.decode()


def test_an_erased_case_has_no_words_left(case, cast, as_):
    letter(case, "Letter", "2026-01-01", text="Fusion")
    client = as_(cast.anna)
    assert hits(search(client, case, "fusion"))
    keys.destroy_space(case.pk)
    client.raise_request_exception = False
    for page in (search(client, case, "fusion"), timeline(client, case)):
        assert b"Fusion" not in page.content and b"2026" not in page.content


@pytest.mark.parametrize("words", ["", "disc", "bulge 0"])
def test_many_records_cost_no_more_queries_than_one(case, cast, as_, words):
    client = as_(cast.anna)

    def cost():
        ask = (lambda: search(client, case, words)) if words else (lambda: timeline(client, case))
        ask()
        with CaptureQueriesContext(connection) as captured:
            assert ask().status_code == 200
        return len(captured)

    def add(start, end):
        for number in range(start, end):
            record = letter(case, f"Letter {number}", "2025-01-02", text=f"Bulge of disc {number}")
            event(record, f"Operation {number}", "2025-01-01")

    add(0, 1)
    one = cost()
    add(1, 3)
    three = cost()
    add(3, 70)
    assert (three, cost()) == (one, one)


def test_records_to_compare_are_named_with_the_day_in_words(case, cast, as_):
    letter(case, "Dated", "2026-03-05")
    letter(case, "Undated")
    page = as_(cast.anna).get(reverse("record_compare", args=[case.pk])).content.decode()
    assert "5 March 2026 · Dated" in page
    assert "no date · Undated" in page


def test_comparing_many_costs_no_more_queries_than_one(case, cast, as_):
    client = as_(cast.anna)

    def cost():
        address = reverse("record_compare", args=[case.pk])
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            page = client.get(address, {"left": str(first.pk), "right": "no such"})
        assert "Letter 0" in page.content.decode()
        return len(captured)

    first = letter(case, "Letter 0")
    one = cost()
    for number in range(1, 12):
        letter(case, f"Letter {number}")
    assert cost() == one


def test_a_header_that_promises_millions_of_frames_makes_no_list_of_them():
    files = [RecordFile(frames=5_000_000, series="1", kind="dicom") for _number in range(2)]
    tracemalloc.start()
    shown = present._images(files, {}, "/x/")
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(shown.places) == present.MAX_FRAMES
    assert most < 50 * 2**20


def test_the_page_opens_on_a_series_that_it_can_show(case):
    record = factories.plain_record(case, "MR", kind="imaging", images=2)
    record.files.all().delete()
    closed, shown = (
        RecordFile.objects.create(
            space=case.pk, record=record, blob=uuid4(), size=1, kind="dicom", series=series, series_number=number,
            frames=1, facts={"series_description": series}, filed_at=record.added_at,
        )
        for number, series in enumerate(("Film", "T2"))
    )  # fmt: skip
    Preview.objects.create(file=shown, kind="thumbnail", index=0, blob=uuid4(), media_type="image/png")
    view = present.viewer(record, {}, [], "/x/")
    assert view.file == str(shown.pk)
    assert [(one["label"], one["current"]) for one in view.series] == [
        ("Film (in the image viewer only)", False),
        ("T2", True),
    ]
    assert present.viewer(record, {"series": "Film"}, [], "/x/").file == str(closed.pk)


def test_words_without_pictures_stand_open(case, cast, as_):
    record = letter(case, "Report", text="Nothing but words")
    page = as_(cast.anna).get(reverse("record", args=[case.pk, record.pk])).content.decode()
    assert re.search(r'<details class="disclosure" open>\s*<summary>Text of this record', page)


@pytest.mark.parametrize(("who", "page"), [("anna", "case_upload"), ("dora", "desk_records")])
def test_from_a_doubtful_record_the_way_leads_to_its_decision(cast, as_, who, page):
    case = factories.case_in(State.COLLECTING, cast)
    doubtful = letter(case, "Doubtful", status="undecided", problems=["wrong_patient"])
    clear = letter(case, "Clear")
    where = reverse(page, args=[case.pk])
    person = as_(getattr(cast, who))
    asked, plain = (person.get(reverse("record", args=[case.pk, one.pk])).content.decode() for one in (doubtful, clear))
    label = "Decide whether it belongs here"
    assert re.search(rf'href="{where}"[^>]*>\s*{label}', asked)
    assert label not in plain
    assert person.get(where).status_code == 200


def test_each_original_is_named_where_there_are_several(case, cast, as_):
    record = letter(case, "Letter")
    only = record.files.get()
    client = as_(cast.anna)

    def labels():
        page = client.get(reverse("record", args=[case.pk, record.pk])).content.decode()
        return re.findall(r"(Download the original[^<]*)<", page)

    assert labels() == ["Download the original"]
    for name in ("CT.dcm", ""):
        fields = {"space": case.pk, "record": record, "blob": only.blob, "size": only.size, "kind": "text"}
        RecordFile.objects.create(name=name, **fields)
    assert sorted(labels()) == [f"Download the original: {name}" for name in ("CT.dcm", "File", "Letter.txt")]
    RecordFile.objects.filter(record=record).exclude(pk=only.pk).update(position=1)
    for file in record.files.exclude(pk=only.pk):
        file.name = "CT.dcm"
        file.save()
    assert len(set(labels())) == 3


def test_links_of_one_half_leave_the_other_half_as_it_is(case, cast, as_):
    left, right = letter(case, "Left"), letter(case, "Right")
    for record in (left, right):
        for index in range(3):
            Preview.objects.create(
                file=record.files.get(), kind="page", index=index, blob=uuid4(), media_type="image/png"
            )
        Record.objects.filter(pk=record.pk).update(pages=3)
    query = {"left": left.pk, "right": right.pk, "left_at": 2, "right_at": 3}
    page = as_(cast.anna).get(reverse("record_compare", args=[case.pk]), query).content.decode()
    steps = [unescape(href) for href in re.findall(r'data-viewer-step="-?1" href="([^"]*)"', page)]
    found = [(query["left_at"], query["right_at"]) for query in map(parse_qs, (urlsplit(step).query for step in steps))]
    assert found == [(["1"], ["3"]), (["3"], ["3"]), (["2"], ["2"]), (["2"], ["3"])]
    assert [urlsplit(step).fragment for step in steps] == ["left", "left", "right", "right"]


def test_a_title_that_is_only_a_code_is_said_in_words(case, cast, as_):
    record = letter(case, "US", kind="imaging")
    assert "Ultrasound" in names(timeline(as_(cast.anna), case))
    assert "<h1>Ultrasound" in as_(cast.anna).get(reverse("record", args=[case.pk, record.pk])).content.decode()
