"""Quinn's check over HTTP: reading, ticking, passing with a fresh second step, returning, raising an alarm."""

from urllib.parse import quote

import pytest
from django.urls import reverse

from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import audit, jobs
from consilium.opinions.models import Opinion, QualityReview
from consilium.packs import registry
from consilium.people import actions as people
from consilium.testing import factories
from consilium.testing.cast import SYSTEM, organisation

pytestmark = pytest.mark.django_db


def url(name, case, *args):
    return reverse(name, args=[case.pk, *args])


def ticks(case, leave_out=""):
    """The posted ticks of every release item but one."""
    found = {}
    for item in registry.specialty(case.specialty).release:
        if item.code != leave_out:
            found.setdefault(item.group, []).append(item.code)
    return found


@pytest.fixture
def waiting(cast):
    return factories.case_in(State.QUALITY_CHECK, cast)


def test_home_lists_what_waits_and_what_was_decided(cast, as_, waiting):
    done = factories.case_in(State.SIGNED, cast)
    page = as_(cast.quinn).get(reverse("quality_home")).content.decode()
    assert url("quality_case", waiting) in page and waiting.reference in page and "Dr Mei Chen" in page
    assert done.reference in page and "Quinn Osei" in page and "passed" in page


def test_page_shows_the_difference_and_both_readings(cast, as_, waiting):
    page = as_(cast.quinn).get(url("quality_case", waiting)).content.decode()
    for shown in ("Lumbar disc herniation L4/L5", "Disc herniation without instability", "Spinal fusion L4/L5",
                  "Structured physiotherapy first", "Physiotherapy before surgery.", "Dear Ms Berger", "Dear colleague",
                  "easy to read", "Level and side are stated", "What the patient tells"):  # fmt: skip
        assert shown in page, shown
    assert audit.for_space(waiting.pk).filter(agent=cast.quinn.user.ref, thing=f"case:{waiting.pk}").exists()


def test_a_record_opens_beside_the_opinion_with_the_finding_marked(cast, as_, waiting):
    from consilium.records.models import Preview

    finding = waiting.findings.get()
    file = finding.record.files.get()
    info = factories.blobs.put([b"png"], space=waiting.pk, tenant=waiting.organisation_id)
    Preview.objects.create(file=file, kind="page", index=0, blob=info.id, media_type="image/png")
    client = as_(cast.quinn)
    page = client.get(url("quality_case", waiting)).content.decode()
    place = f"?record={finding.record_id}&amp;file={file.pk}&amp;index=0"
    assert place in page
    opened = client.get(url("quality_case", waiting) + place.replace("&amp;", "&")).content.decode()
    assert f"/data/files/{file.pk}/page/0" in opened
    assert "Disc bulge L4/L5" in opened
    agents = audit.for_space(waiting.pk).filter(thing=f"record:{finding.record_id}").values_list("agent", flat=True)
    assert cast.quinn.user.ref in agents


def test_passing_needs_every_tick(cast, as_, waiting):
    client, item = as_(cast.quinn), registry.specialty(waiting.specialty).release[0]
    answer = client.post(url("quality_case", waiting), ticks(waiting, item.code) | {"then": "pass"})
    assert answer.url == url("quality_pass", waiting)
    assert "tick every point" in client.get(answer.url).content.decode()
    client.post(answer.url)
    assert Case.objects.get(pk=waiting.pk).state == State.QUALITY_CHECK
    client.post(url("quality_case", waiting), ticks(waiting) | {"then": "pass"})
    assert "tick every point" not in client.get(answer.url).content.decode()
    assert client.post(answer.url).url == url("quality_case", waiting)
    assert Case.objects.get(pk=waiting.pk).state == State.SIGNED


def test_ticks_and_words_are_kept(cast, as_, waiting):
    client = as_(cast.quinn)
    sent = ticks(waiting) | {"comments": "Clear and kind."}
    assert client.post(url("quality_case", waiting), sent, headers={"X-Requested-With": "autosave"}).status_code == 204
    page = client.get(url("quality_case", waiting)).content.decode()
    assert "Clear and kind." in page
    assert page.count("checked") >= len(registry.specialty(waiting.specialty).release)
    client.post(url("quality_case", waiting), {"comments": "Clear."})
    assert QualityReview.objects.get().checklist == {}


def test_an_unknown_tick_counts_for_nothing(cast, as_, waiting):
    answer = as_(cast.quinn).post(url("quality_case", waiting), {"key_findings": ["made-up"], "then": "pass"})
    assert answer.status_code == 200 and not QualityReview.objects.exists()


def test_passing_asks_for_the_second_step(cast, as_, waiting):
    as_(cast.quinn).post(url("quality_case", waiting), ticks(waiting))
    stale = as_(cast.quinn, step="stale")
    there = url("quality_pass", waiting)
    asked = stale.post(there, headers={"Referer": f"http://testserver{there}"}).url
    assert asked.startswith(reverse("second_step")) and quote(there, safe="") in asked
    assert Case.objects.get(pk=waiting.pk).state == State.QUALITY_CHECK


def test_nobody_passes_their_own(cast, as_, waiting):
    people.grant_membership(cast.chen.user, organisation(), "quality_reviewer", by=SYSTEM)
    client = as_(cast.chen)
    assert waiting.reference not in client.get(reverse("quality_home")).content.decode()
    for name in ("quality_case", "quality_pass"):
        assert client.get(url(name, waiting)).status_code == 404
        assert client.post(url(name, waiting), ticks(waiting)).status_code == 404
    assert Case.objects.get(pk=waiting.pk).state == State.QUALITY_CHECK


def test_returning_needs_words_and_opens_the_draft_again(cast, as_, waiting):
    quinn, chen = as_(cast.quinn), as_(cast.chen)
    quinn.post(url("quality_case", waiting), {"comments": "Please name the side.", "then": "return"})
    assert "Please name the side." in quinn.get(url("quality_return", waiting)).content.decode()
    assert "Please write what" in quinn.post(url("quality_return", waiting), {"comments": ""}).content.decode()
    assert Case.objects.get(pk=waiting.pk).state == State.QUALITY_CHECK
    assert quinn.post(url("quality_return", waiting), {"comments": "Please name the side."}).status_code == 302
    assert Case.objects.get(pk=waiting.pk).state == State.IN_REVIEW
    assert Opinion.objects.get(case=waiting).status == Opinion.Status.RETURNED
    assert "Please name the side." in chen.get(url("opinion", waiting, "summary")).content.decode()
    assert "With the author again" in quinn.get(url("quality_case", waiting)).content.decode()
    chen.post(url("opinion", waiting, "sign"))
    again = quinn.get(url("quality_case", waiting)).content.decode()
    assert "Please name the side." in again and "Go on to pass" in again
    assert "checked>" not in again  # a new round starts with no tick


def test_after_passing_the_page_follows_the_report(cast, as_):
    case, client = factories.case_in(State.SIGNED, cast), as_(cast.quinn)
    page = client.get(url("quality_case", case)).content.decode()
    assert "being built" in page and "hx-trigger" in page
    jobs.drain()
    case.refresh_from_db()
    assert case.state == State.DELIVERED
    fragment = client.get(url("quality_progress", case)).content.decode()
    assert "delivered" in fragment and "hx-trigger" not in fragment
    assert (
        f"/data/reports/{case.reports.get().pk}/clinical.pdf" in client.get(url("quality_case", case)).content.decode()
    )


def test_oral_explanation_is_named_as_what_is_left(cast, as_):
    listed = registry.jurisdiction("germany").procedures[0].code
    case = factories.case_in(State.SIGNED, cast)
    Case.objects.filter(pk=case.pk).update(jurisdiction="germany", procedure=listed)
    jobs.drain()
    fragment = as_(cast.quinn).get(url("quality_progress", case)).content.decode()
    assert "oral explanation" in fragment and "sealed" in fragment and "hx-trigger" not in fragment
    assert Case.objects.get(pk=case.pk).state == State.SIGNED


def test_alarm_stops_everything(cast, as_, waiting):
    client = as_(cast.quinn)
    assert "Please write what you saw" in client.post(url("quality_urgent", waiting), {"note": ""}).content.decode()
    client.post(url("quality_urgent", waiting), {"note": "Signs of cauda equina in the letter."})
    assert Case.objects.get(pk=waiting.pk).state == State.URGENT
    assert "waiting to be received" in client.get(url("quality_case", waiting)).content.decode()
    assert client.get(url("quality_pass", waiting)).status_code == 404


def test_pages_do_not_exist_for_others(cast, as_, waiting):
    names = ("quality_case", "quality_progress", "quality_pass", "quality_return", "quality_urgent")
    for who in (cast.eve, cast.anna, cast.dora, cast.chen, cast.rival, cast.ada):
        client = as_(who)
        assert client.get(reverse("quality_home")).status_code == 404
        for name in names:
            assert client.get(url(name, waiting)).status_code == 404, (name, who)
            assert client.post(url(name, waiting)).status_code in (404, 405)
    assert Case.objects.get(pk=waiting.pk).state == State.QUALITY_CHECK


def test_home_costs_the_same_for_one_and_three(cast, as_):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, counts = as_(cast.quinn), []
    for more in (1, 2):
        for _n in range(more):
            factories.case_in(State.QUALITY_CHECK, cast)
            factories.case_in(State.SIGNED, cast)
        client.get(reverse("quality_home"))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("quality_home")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1], counts
