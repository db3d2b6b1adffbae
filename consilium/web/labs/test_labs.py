"""Laboratory values, medication and structured documents in the browser: who sees what, where it leads, who decides."""

import json
import re
from datetime import date
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consilium.core.models import AuditEvent
from consilium.records import entries
from consilium.records.models import Entry, Record
from consilium.testing import factories
from consilium.web.labs import charts

pytestmark = pytest.mark.django_db

SHEET = "Labor\nEntnahme 12.03.2024\nKalium 5,9 mmol/l 3,5-5,1 H\nHämoglobin 11,2 g/dl 12,0-16,0 ↓\nCRP 1,2 mg/l < 5,0"
LATER = (
    "Labor\nEntnahme 14.05.2024\nKalium 4,2 mmol/l 3,5-5,1\nHämoglobin 7,4 mmol/l 7,5-9,9\nNatrium 140 mmol/l 135-145"
)


def sheet(case, *pages, **fields):
    """A laboratory sheet of several pages, read as a worker would."""
    record = factories.plain_record(case, "Sheet", kind="laboratory", **fields)
    Record.objects.filter(pk=record.pk).update(pages=len(pages))
    entries.read_pages(record, record.files.get(), pages)
    return record


def summary(case, *stated, **fields):
    """A patient summary that states entries."""
    record = factories.plain_record(case, "Summary", kind="summary", **fields)
    entries.file_entries(record, record.files.get(), stated)
    return record


MEDICINE = {"kind": "medication", "name": "Apixaban 5 mg", "text": "twice a day", "date": "2023-05", "state": "active"}
ENDED = {
    "kind": "medication",
    "name": "Ibuprofen 600 mg",
    "date": "2022-01-02",
    "end": "2022-01-09",
    "state": "completed",
}
ALLERGY = {"kind": "allergy", "name": "Penicillin", "text": "rash", "flag": "A"}


def page(client, name, case, *parts, query=""):
    answer = client.get(reverse(name, args=[case.pk, *parts]) + query)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def key_in(html, label):
    return re.search(rf'/laboratory/(\w+)/"\s*>{label}<', html)[1]


def test_the_table_shows_values_where_they_were_read_and_what_is_unconfirmed(cast, as_):
    case = factories.told(cast)
    record = sheet(case, "cover", SHEET)
    html = page(as_(cast.anna), "laboratory", case)
    assert f"{reverse('record', args=[case.pk, record.pk])}?frame=2" in html
    assert "Sheet, page 2" in html
    assert "above the range" in html
    assert "below the range" in html
    assert html.count("labs__note--open") == 3
    assert "3 values were read from pages by a program" in html


def test_other_units_are_shown_converted_beside_what_was_written(cast, as_):
    case = factories.told(cast)
    sheet(case, SHEET)
    sheet(case, LATER)
    html = page(as_(cast.anna), "laboratory", case)
    assert re.search(r"converted from (11,2 g/dL|7,4 mmol/L)", html)


def test_one_analyte_has_a_chart_a_list_and_buttons_that_work_once(cast, as_):
    case = factories.told(cast)
    record = sheet(case, SHEET)
    sheet(case, LATER)
    client = as_(cast.anna)
    key = key_in(page(client, "laboratory", case), "Potassium")
    html = page(client, "laboratory_analyte", case, key)
    assert '<title id="chart-title">Potassium over time</title>' in html
    assert html.count("labs-chart__dot--open") == 2
    assert "Kalium 5,9 mmol/l" in html
    entry = next(one for one in record.entries.all() if one.body["name"] == "Kalium")
    url = reverse("laboratory_decide", args=[case.pk, entry.pk])
    assert client.post(url, {"answer": "right"})["Location"] == reverse("laboratory_analyte", args=[case.pk, key])
    entry.refresh_from_db()
    assert (entry.status, entry.decided_by) == ("confirmed", cast.anna.by.ref)
    assert AuditEvent.objects.filter(action="entry.confirm", thing=f"entry:{entry.pk}").count() == 1
    client.post(url, {"answer": "right"})
    assert AuditEvent.objects.filter(action="entry.confirm").count() == 1
    client.post(url, {"answer": "wrong"})
    html = page(client, "laboratory_analyte", case, key)
    assert "Marked as not right" in html
    assert "5,9" not in page(client, "laboratory", case)
    client.post(url, {"answer": "right"})
    assert "5,9" in page(client, "laboratory", case)
    assert client.post(url, {"answer": "maybe"}).status_code in (302, 400)


def test_an_address_does_not_name_what_was_measured(cast, as_):
    case = factories.told(cast)
    sheet(case, SHEET)
    html = page(as_(cast.anna), "laboratory", case)
    assert not re.search(r"/laboratory/[^\"]*(potassium|kalium|crp)", html)


def test_the_waiting_list_goes_back_to_itself(cast, as_):
    case = factories.told(cast)
    record = sheet(case, SHEET)
    client = as_(cast.anna)
    html = page(client, "laboratory", case, query="?show=waiting")
    assert html.count("This is right") == 3
    url = reverse("laboratory_decide", args=[case.pk, record.entries.first().pk])
    answer = client.post(url, {"answer": "right", "back": "waiting"}, follow=True)
    assert answer.content.decode().count("This is right") == 2


def test_only_what_lies_outside(cast, as_):
    case = factories.told(cast)
    sheet(case, SHEET)
    html = page(as_(cast.anna), "laboratory", case, query="?show=outside")
    assert "Potassium" in html
    assert ">CRP<" not in html


def test_many_days_are_turned_like_pages(cast, as_):
    case = factories.told(cast)
    for month in range(1, 12):
        sheet(case, f"Entnahme 05.{month:02}.2023\nKalium 4,{month % 10} mmol/l 3,5-5,1")
    client = as_(cast.anna)
    html = page(client, "laboratory", case)
    assert html.count('<th scope="col" class="numeric">') == 8
    older = re.search(r'href="(\?until=\d+)">Earlier', html)[1]
    html = page(client, "laboratory", case, query=older)
    assert html.count('<th scope="col" class="numeric">') >= 3
    assert html.index('datetime="2023-03-05"') < html.index('datetime="2023-01-05"')  # newest first
    assert "Later days" in html
    page(client, "laboratory", case, query="?until=x")
    page(client, "laboratory", case, query="?until=-999999999999")


def test_a_structured_document_is_tables_and_headings(cast, as_):
    case = factories.told(cast)
    patient = {"resourceType": "Patient", "name": [{"family": "Berger", "given": ["Anna"]}], "birthDate": "1965-03-14"}
    div = "<div xmlns='http://www.w3.org/1999/xhtml'><p>Slipped <script>x</script>on ice</p></div>"
    composition = {
        "resourceType": "Composition",
        "title": "Summary",
        "section": [{"title": "Fall", "text": {"div": div}}],
    }
    sodium = {
        "resourceType": "Observation", "status": "final", "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"text": "Sodium <b>", "coding": [{"system": "http://loinc.org", "code": "2951-2"}]},
        "effectiveDateTime": "2024-01-02", "valueQuantity": {"value": 131, "unit": "mmol/L"},
        "referenceRange": [{"low": {"value": 135}, "high": {"value": 145}}],
    }  # fmt: skip
    ips = {"resourceType": "Bundle", "entry": [{"resource": one} for one in (patient, composition, sodium)]}
    factories.upload(case, json.dumps(ips).encode(), "summary.json", by=cast.anna)
    record = Record.objects.get(space=case.pk)
    client = as_(cast.anna)
    html = page(client, "record", case, record.pk)
    assert "Laboratory results" in html
    assert "131 mmol/L ↓" in html
    assert "135–145" in html
    assert "Slipped on ice" in html
    assert "Sodium &lt;b&gt;" in html
    assert "resourceType" not in html
    table = page(client, "laboratory", case)
    assert f"{reverse('record', args=[case.pk, record.pk])}#entries" in table
    assert "not confirmed" not in table
    entry = Entry.objects.get(kind="laboratory")
    client.post(reverse("laboratory_decide", args=[case.pk, entry.pk]), {"answer": "wrong"})
    entry.refresh_from_db()
    assert entry.status == "stated"  # what a document states was not read by anybody here


def test_medication_lists_what_documents_say(cast, as_):
    case = factories.told(cast)
    summary(case, MEDICINE, ENDED, ALLERGY)
    summary(case, MEDICINE)
    html = page(as_(cast.anna), "medication", case)
    assert html.count("Apixaban 5 mg") == 1
    assert "twice a day" in html
    assert (
        html.index("Listed as being taken")
        < html.index("Apixaban")
        < html.index("Listed as ended")
        < html.index("Ibuprofen")
    )
    assert "Penicillin" in html
    assert "severe" in html


@pytest.mark.parametrize("name", ["laboratory", "medication"])
def test_an_empty_page_says_what_comes(cast, as_, name):
    html = page(as_(cast.anna), name, factories.told(cast))
    assert "yet" in html
    assert "<table" not in html


@pytest.mark.parametrize("name", ["laboratory", "medication"])
def test_strangers_find_nothing_and_reading_is_logged(cast, as_, name):
    case = factories.told(cast)
    url = reverse(name, args=[case.pk])
    assert as_(cast.eve).get(url).status_code == 404
    as_(cast.anna).get(url)
    assert AuditEvent.objects.filter(action=f"{name}.read", space=case.pk).count() == 1


def test_who_may_only_read_gets_no_buttons_and_may_not_decide(cast, as_):
    case = factories.told(cast)
    record = sheet(case, SHEET)
    factories.proxy(case, cast.ben, by=cast.anna)
    client = as_(cast.ben)
    assert "This is right" not in page(client, "laboratory", case, query="?show=waiting")
    url = reverse("laboratory_decide", args=[case.pk, record.entries.first().pk])
    assert client.post(url, {"answer": "right"}).status_code == 404
    assert set(record.entries.values_list("status", flat=True)) == {"read"}


def test_the_value_of_another_case_cannot_be_decided(cast, as_):
    case, other = factories.told(cast), factories.told(cast)
    record = sheet(other, SHEET)
    url = reverse("laboratory_decide", args=[case.pk, record.entries.first().pk])
    assert as_(cast.anna).post(url, {"answer": "right"}).status_code == 404


@pytest.mark.parametrize("status", ["undecided", "removed"])
def test_records_that_are_not_part_of_the_case_yet_give_no_values(cast, as_, status):
    case = factories.told(cast)
    sheet(case, SHEET, status=status)
    assert "No laboratory values yet" in page(as_(cast.anna), "laboratory", case)


def test_values_of_withheld_pages_wait_for_the_lock(cast, as_):
    case = factories.case_in("blind_read", cast)
    told = sheet(case, SHEET, "Entnahme 13.03.2024\nNatrium 128 mmol/l 135-145", conclusion_pages=[1])
    told.title = "Advises fusion"
    told.save()
    summary(case, MEDICINE, {"kind": "laboratory", "name": "Ferritin", "value": 777.0}, conclusion_pages=[0])
    Record.objects.filter(space=case.pk).update(added_at=case.created_at)
    client = as_(cast.chen)
    html = page(client, "laboratory", case)
    assert "Potassium" in html
    assert ">128<" not in html
    assert "fusion" not in html
    assert "Ferritin" not in html
    assert "Apixaban" not in page(client, "medication", case)
    assert "stay closed" in html
    factories._lock(case, cast)
    html = page(client, "laboratory", case)
    assert ">128<" in html
    assert "Ferritin" in html
    assert "Advises fusion" in html
    assert "Apixaban" in page(client, "medication", case)


@pytest.mark.parametrize("name", ["laboratory", "medication"])
def test_three_records_cost_the_queries_of_one(cast, as_, name):
    counts = []
    client = as_(cast.anna)
    for number in (1, 3):
        case = factories.told(cast)
        for _ in range(number):
            sheet(case, SHEET)
            summary(case, MEDICINE, ALLERGY)
        client.get(reverse(name, args=[case.pk]))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page(client, name, case)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_reading_again_keeps_what_somebody_decided(cast):
    case = factories.told(cast)
    record = sheet(case, SHEET)
    first = record.entries.first()
    entries.confirm(first, by=cast.anna.by)
    entries.read_pages(record, record.files.get(), [SHEET + "\nNatrium 140 mmol/l 135-145"])
    statuses = sorted(record.entries.values_list("status", flat=True))
    assert statuses == ["confirmed", "read", "read", "read"]
    assert record.entries.get(status="confirmed").pk == first.pk


def test_a_range_stated_in_numbers_stands_beside_each_value_over_time(cast, as_):
    case = factories.told(cast)
    body = {"kind": "laboratory", "name": "Hämoglobin", "low": 12.0, "high": 16.0}
    stated = [
        body | {"date": day, "value": value, "shown": str(value), "unit": "g/dl", "ucum": "g/dL"}
        for day, value in (("2024-03-12", 11.2), ("2024-04-12", 12.8))
    ]
    other = {"date": "2024-02-12", "value": 7.4, "shown": "7.4", "unit": "mmol/l", "ucum": "mmol/L", "low": 7.5}
    summary(case, *stated, body | other | {"high": None})
    client = as_(cast.anna)
    html = page(client, "laboratory_analyte", case, key_in(page(client, "laboratory", case), "Haemoglobin"))
    assert html.count("reference range 12–16") == 3  # the newest above, and beside both
    assert "reference range ≥ 12.1 g/dL" in html  # of the converted one, in the unit of the row


def test_the_days_below_a_chart_do_not_run_into_each_other():
    days = [date(2023, 11, 2), date(2024, 1, 15), date(2024, 3, 12), date(2024, 5, 14), date(2024, 6, 30)]
    assert charts._spread(days) == [days[0], days[1], days[2], days[4]]
    every_month = [date(2024, month, 1) for month in range(1, 13)]
    wide = 0.17 * (every_month[-1] - every_month[0]).days  # of a label, as part of the axis
    shown = charts._spread(every_month)
    gaps = [(after - before).days for before, after in pairwise(shown)]
    assert len(shown) > 3
    assert gaps[0] >= 1.45 * wide and gaps[-1] >= 1.45 * wide
    assert min(gaps) >= 0.98 * wide
