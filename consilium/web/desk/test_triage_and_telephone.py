"""Triage, marking the first conclusion, sharing after delivery, uploads by the desk, and the telephone."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consilium.access import scopes
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import jobs
from consilium.people.models import Person
from consilium.records.models import Upload
from consilium.testing import cast as members
from consilium.testing import factories
from consilium.vault import blobs

pytestmark = pytest.mark.django_db


def words(response):
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def page(client, name, *args):
    return words(client.get(reverse(name, args=args)))


def press(client, name, /, *args, **data):
    response = client.post(reverse(name, args=args), data)
    assert response.status_code == 302, response.content.decode()[:3000]
    return response


@pytest.mark.parametrize("who", ["anna", "eve", "dora", "chen", "quinn", "ada", "sam", "rival"])
def test_triage_does_not_exist_for_others(cast, as_, who):
    case = factories.case_in(State.TRIAGE, cast)
    client = as_(getattr(cast, who))
    assert client.get(reverse("triage_list")).status_code == 404
    assert client.get(reverse("triage_case", args=[case.pk])).status_code == 404
    if who != "dora":
        assert client.get(reverse("triage_conclusions", args=[case.pk])).status_code == 404
        assert client.post(reverse("triage_conclusions", args=[case.pk])).status_code == 404
    case.refresh_from_db()
    assert (case.triaged_at, case.conclusions_marked_at) == (None, None)


def test_triage_sets_urgency_and_goes_on_to_the_conclusion(cast, as_):
    case = factories.case_in(State.TRIAGE, cast)
    tess = as_(cast.tess)
    assert case.reference in page(tess, "triage_list")
    text = page(tess, "triage_case", case.pk)
    assert "Is a spinal fusion necessary" in text
    assert "Lumbar disc herniation" in text
    refused = words(tess.post(reverse("triage_case", args=[case.pk]), {"specialty": "nothing", "urgency": "now"}))
    assert "error" in refused
    said = {"specialty": "orthopaedic-spine", "urgency": "priority", "complexity": "simple", "re_reads": ["radiology"]}
    response = press(tess, "triage_case", case.pk, **said)
    assert response.headers["Location"] == reverse("triage_conclusions", args=[case.pk])
    case.refresh_from_db()
    assert (case.urgency, case.complexity, case.re_reads) == ("priority", "simple", ["radiology"])
    assert "done, waiting for the desk" in page(tess, "triage_list")


def test_suggested_pages_are_ticked_and_hide_the_conclusion(cast, as_):
    case = factories.case_in(State.TRIAGE, cast)
    record = factories.plain_record(case, "Clinic letter", text="We recommend a fusion.", conclusion_pages=[0])
    record.pages = 3
    record.save()
    tess = as_(cast.tess)
    text = page(tess, "triage_conclusions", case.pk)
    assert "We recommend a fusion." in text
    field = f"pages_{record.pk}"
    assert f'name="{field}" value="0" id="{field}_0" checked' in text
    assert f'name="{field}" value="1" id="{field}_1">' in text
    press(tess, "triage_conclusions", case.pk, **{field: ["0", "2", "two"]})
    record.refresh_from_db()
    assert record.conclusion_pages == [0, 2]
    case.refresh_from_db()
    assert case.conclusions_marked_at
    factories._offer(case, cast)
    case.refresh_from_db()
    record.conclusion_pages = [0, 2]
    record.save()
    factories._accept(case, cast)
    blind = Case.objects.get(pk=case.pk)
    assert scopes.visible_pages(cast.chen.by, blind, record) == [1]


def test_pages_that_do_not_exist_are_refused(cast, as_):
    case = factories.case_in(State.TRIAGE, cast)
    record = factories.plain_record(case, "Clinic letter")
    url = reverse("triage_conclusions", args=[case.pk])
    as_(cast.tess).post(url, {f"pages_{record.pk}": ["9"]}, headers={"referer": f"http://testserver{url}"})
    record.refresh_from_db()
    case.refresh_from_db()
    assert (record.conclusion_pages, case.conclusions_marked_at) == ([], None)


def test_a_document_that_came_meanwhile_is_not_taken_for_looked_at(cast, as_):
    case = factories.case_in(State.TRIAGE, cast)
    tess, url = as_(cast.tess), reverse("triage_conclusions", args=[case.pk])
    shown = re.findall(r'name="shown" value="([^"]+)"', page(tess, "triage_conclusions", case.pk))
    late = factories.plain_record(case, "A new letter", text="We advise a fusion.", conclusion_pages=[0])
    tess.post(url, {"shown": shown}, headers={"referer": f"http://testserver{url}"})
    case.refresh_from_db()
    late.refresh_from_db()
    assert (late.conclusion_pages, case.conclusions_marked_at) == ([0], None)
    press(tess, "triage_conclusions", case.pk, shown=[*shown, f"pages_{late.pk}"], **{f"pages_{late.pk}": ["0", "²"]})
    late.refresh_from_db()
    assert late.conclusion_pages == [0]


def test_pages_without_a_box_keep_their_mark(cast, as_):
    case = factories.case_in(State.TRIAGE, cast)
    record = factories.plain_record(case, "A long letter", conclusion_pages=[0, 70])
    record.pages = 80
    record.save()
    press(as_(cast.tess), "triage_conclusions", case.pk)
    record.refresh_from_db()
    assert record.conclusion_pages == [70]


def test_triage_turns_down_and_raises_urgent(cast, as_):
    case = factories.case_in(State.TRIAGE, cast)
    tess = as_(cast.tess)
    assert "Everything else stops" in page(tess, "desk_step", case.pk, "raise_urgent")
    press(tess, "desk_step", case.pk, "raise_urgent", note="Signs of cauda equina: today.")
    case.refresh_from_db()
    assert case.state == State.URGENT
    assert "Signs of cauda equina" in page(as_(cast.dora), "desk_case", case.pk)
    other = factories.case_in(State.TRIAGE, cast)
    press(tess, "desk_step", other.pk, "turn_down", note="Please see a doctor in person.")
    other.refresh_from_db()
    assert other.state == State.REDIRECTED


def test_triage_list_costs_the_same_for_one_and_three(cast, as_):
    tess = as_(cast.tess)

    def cost():
        tess.get(reverse("triage_list"))
        with CaptureQueriesContext(connection) as captured:
            assert tess.get(reverse("triage_list")).status_code == 200
        return len(captured)

    factories.case_in(State.TRIAGE, cast)
    one = cost()
    for given in ("Cara", "Dino"):
        factories.case_in(State.TRIAGE, cast, patient=members.member(given, "Vogel"))
    assert cost() == one


def test_link_for_the_treating_doctor_is_shown_once_and_closed(cast, as_):
    case = factories.case_in(State.DELIVERED, cast)
    dora = as_(cast.dora)
    stale = as_(cast.dora, step="stale").get(reverse("desk_link_new", args=[case.pk]))
    assert stale.status_code == 302
    assert "City Hospital" in page(dora, "desk_link_new", case.pk)
    made = dora.post(reverse("desk_link_new", args=[case.pk]), {"name": "Dr Jonas Weiss", "days": "14"})
    text = words(made)
    link = case.guest_links.get()
    assert "Shown only this once" in text
    assert link.token_hash not in text
    shown = page(dora, "desk_report", case.pk)
    assert "Dr Jonas Weiss" in shown
    assert "/guest" not in shown
    press(dora, "desk_link_revoke", case.pk, link.pk)
    link.refresh_from_db()
    assert link.revoked_at
    refused = words(dora.post(reverse("desk_link_new", args=[case.pk]), {"name": "Dr Weiss", "days": "400"}))
    assert "Dr Weiss" in refused


def test_no_link_without_consent(cast, as_):
    from consilium.consents import actions as consents

    case = factories.case_in(State.DELIVERED, cast)
    consents.withdraw(case.pk, consents.SHARE_WITH_TREATING_DOCTOR, by=cast.anna.by)
    dora = as_(cast.dora)
    assert "has not agreed" in page(dora, "desk_report", case.pk)
    assert "has not agreed" in words(dora.post(reverse("desk_link_new", args=[case.pk]), {"name": "W", "days": "3"}))
    assert not case.guest_links.exists()


def test_deliveries_show_receipts(cast, as_):
    case = factories.case_in(State.DELIVERED, cast)
    text = page(as_(cast.dora), "desk_report", case.pk)
    assert "Anna Berger" in text
    assert "not yet" in text
    assert "/clinical.pdf" in text


def test_what_came_by_post_is_sealed_and_read(cast, as_):
    case = factories.case_in(State.COLLECTING, cast)
    dora = as_(cast.dora)
    before = set(blobs.ids())
    press(dora, "desk_upload", case.pk, file=SimpleUploadedFile("letter.txt", b"Dear colleague, the pain is better."))
    sent = Upload.objects.get(space=case.pk)
    assert sent.uploaded_by == cast.dora.by.ref
    assert set(blobs.ids()) - before == {sent.blob}
    waiting = page(dora, "desk_records", case.pk)
    assert "letter.txt" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    jobs.drain()
    assert 'hx-trigger="every 2s"' not in page(dora, "desk_records", case.pk)
    script = {"file": SimpleUploadedFile("other.txt", b"Another letter.")}
    answer = dora.post(reverse("desk_upload", args=[case.pk]), script, headers={"accept": "application/json"})
    assert "other.txt" in answer.json()["html"]
    empty = dora.post(reverse("desk_upload", args=[case.pk]), {}, headers={"accept": "application/json"})
    assert empty.status_code == 400


def test_upload_checks_csrf_and_leaves_nothing_behind(cast, as_):
    case = factories.case_in(State.COLLECTING, cast)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = as_(cast.dora).cookies
    before = set(blobs.ids())
    sent = {"file": SimpleUploadedFile("letter.txt", b"Dear colleague")}
    assert strict.post(reverse("desk_upload", args=[case.pk]), sent).status_code == 403
    assert set(blobs.ids()) == before
    assert not Upload.objects.filter(space=case.pk).exists()


@pytest.mark.parametrize("who", ["anna", "eve", "dora", "tess", "chen", "ada"])
def test_the_telephone_does_not_exist_for_others(cast, as_, who):
    client = as_(getattr(cast, who))
    person = cast.anna.person
    for name, args in (("scribe_home", []), ("scribe_register", []), ("scribe_start", [person.pk])):
        assert client.get(reverse(name, args=args)).status_code == 404
        assert client.post(reverse(name, args=args), {"given_name": "Anna"}).status_code == 404


ROSA = {
    "given_name": "Rosa",
    "family_name": "Lang",
    "birth_date_day": "2",
    "birth_date_month": "5",
    "birth_date_year": "1938",
}


def test_somebody_on_the_telephone_is_registered_and_a_case_begins(cast, as_):
    sam = as_(cast.sam)
    assert "We do not know anybody" in words(sam.post(reverse("scribe_home"), ROSA))
    form = words(sam.post(reverse("scribe_register"), ROSA))
    assert 'value="Rosa"' in form
    assert 'value="1938"' in form
    details = ROSA | {"sex": "female", "country": "DE", "language": "de", "telephone": "030 1234"}
    response = press(sam, "scribe_register", **details)
    rosa = Person.objects.get(user=None)
    assert response.headers["Location"] == reverse("scribe_start", args=[rosa.pk])
    press(sam, "scribe_start", rosa.pk, specialty="knee-hip", language="de")
    case = Case.objects.get(patient=rosa)
    assert (case.specialty, case.language) == ("knee-hip", "de")
    assert case.case_roles.get().role == "support_scribe"
    assert sam.get(reverse("case_prepare", args=[case.pk])).status_code == 200
    assert "Rosa Lang" in page(sam, "scribe_home")
    # The second call: the person is known now.
    found = words(sam.post(reverse("scribe_home"), ROSA))
    assert reverse("scribe_start", args=[rosa.pk]) in found
    twice = words(sam.post(reverse("scribe_register"), details))
    assert "known already" in twice
    assert Person.objects.filter(user=None).count() == 1
    press(sam, "scribe_register", **details, another="yes")
    assert Person.objects.filter(user=None).count() == 2


def test_a_scribe_cannot_reach_people_of_another_organisation(cast, as_):
    sam = as_(cast.sam)
    assert sam.get(reverse("scribe_start", args=[cast.rival.person.pk])).status_code == 404
