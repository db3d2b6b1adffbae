"""The inbox at the desk: what waits, whose it may be, into a case, or away for good."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consilium.cases.actions import inbox as verbs
from consilium.cases.states import State
from consilium.core import audit, clock, jobs
from consilium.core.errors import BadInput, NotAllowed
from consilium.core.models import AuditEvent
from consilium.gateways.dicomweb.testing_files import image
from consilium.gateways.dimse.peers import Sender
from consilium.opinions.jobs import live_blobs
from consilium.records import content, inbox
from consilium.records.models import InboxInstance, InboxStudy, Record, RecordFile
from consilium.testing import factories
from consilium.testing.inbox import arrive
from consilium.vault import blobs, keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast):
    return factories.case_in(State.COLLECTING, cast)


def words(response):
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def test_an_empty_inbox_says_how_to_reach_it(cast, as_, settings):
    dora = as_(cast.dora)
    assert "CONSILIUM_DIMSE_BIND" in words(dora.get(reverse("desk_inbox")))
    settings.DIMSE_BIND = "0.0.0.0:11112"
    text = words(dora.get(reverse("desk_inbox")))
    assert "11112" in text
    assert "CONSILIUM_DIMSE_BIND" not in text


def test_what_waits_is_listed_with_the_case_it_may_belong_to(cast, as_, case):
    mine = arrive(case.organisation)
    arrive(case.organisation, study="b", PatientName="Berger^Anna^Maria^Dr", PatientBirthDate="19650314", sender="MR2")
    arrive(case.organisation, study="c", PatientName="Muster^Max", PatientBirthDate="19650314")
    arrive(cast.rival.person.organisation, study="d", PatientName="Elsewhere^Eva")
    assert "3 studies in the inbox" in words(as_(cast.dora).get(reverse("desk")))
    text = words(as_(cast.dora).get(reverse("desk_inbox")))
    assert text.count(f"Perhaps case {case.reference}") == 2
    assert "Muster, Max" in text and "PACS1" in text and "2 images" in text
    assert "Elsewhere" not in text
    assert AuditEvent.objects.filter(action="inbox.list", agent=cast.dora.user.ref).exists()
    page = words(as_(cast.dora).get(reverse("desk_inbox_study", args=[mine.pk])))
    assert case.reference in page and "Spine, lumbar" in page
    assert AuditEvent.objects.filter(action="inbox.read", thing=f"inbox:{mine.pk}").exists()


def test_the_list_costs_the_same_for_one_and_for_three(cast, as_, case):
    dora = as_(cast.dora)
    counts = []
    for more in ("a", "bc"):
        for study in more:
            arrive(case.organisation, study=study)
        dora.get(reverse("desk_inbox"))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            words(dora.get(reverse("desk_inbox")))
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_images_go_to_the_case_and_leave_nothing_behind(cast, as_, case, django_capture_on_commit_callbacks):
    study = arrive(case.organisation, images=3)
    sealed = {blob for row in study.instances.all() for blob in content.blob_ids(row)}
    assert sealed <= live_blobs()
    dora = as_(cast.dora)
    with django_capture_on_commit_callbacks(execute=True):
        answer = dora.post(reverse("desk_inbox_study", args=[study.pk]), {"chosen": str(case.pk)})
    assert answer.status_code == 302
    assert "Being added to a case" in words(dora.get(reverse("desk_inbox")))
    with django_capture_on_commit_callbacks(execute=True):
        verbs.move(study.pk)
        verbs.move(study.pk)  # a job may run again
    record = Record.objects.get(space=case.pk, images=3)
    assert (record.status, record.added_by) == ("ready", "dimse:PACS1")
    assert content.read_all(RecordFile.objects.filter(record=record).order_by("position")[0]) == image(1)
    assert keys.space_destroyed(study.pk)
    assert not InboxInstance.objects.exists()
    assert not sealed & set(blobs.ids())
    text = words(dora.get(reverse("desk_inbox")))
    assert f"Case {case.reference}" in text and "Berger" not in text
    assert AuditEvent.objects.filter(action="inbox.assign", space=case.pk, agent=cast.dora.user.ref).exists()


def test_another_persons_images_need_a_second_look_and_wait_for_a_decision(cast, as_, case):
    study = arrive(case.organisation, PatientName="Muster^Max", PatientBirthDate="19501231")
    dora, where = as_(cast.dora), reverse("desk_inbox_study", args=[study.pk])
    assert "Please write the reference" in words(dora.post(where, {"reference": "0000-0000"}))
    asked = words(dora.post(where, {"reference": case.reference.lower()}))
    assert "name another person" in asked and 'name="although"' in asked
    assert InboxStudy.objects.get().status == "waiting"
    with pytest.raises(BadInput):
        verbs.assign(study, case, by=cast.dora.by)
    assert dora.post(where, {"reference": case.reference, "although": "on"}).status_code == 302
    verbs.move(study.pk)
    record = Record.objects.get(space=case.pk, images=2)
    assert (record.status, record.problems) == ("undecided", ["wrong_patient"])


def test_the_patient_reads_who_sent_and_who_added_images(cast, as_, case):
    verbs.assign(arrive(case.organisation), case, by=cast.dora.by)
    with transaction.atomic():
        audit.record("record.receive", by=Sender("PACS1"), thing=f"case:{case.pk}", space=case.pk)
    text = words(as_(cast.anna).get(reverse("case_access_history", args=[case.pk])))
    assert "A hospital&#x27;s system (PACS1)" in text
    assert "added images that a hospital had sent" in text
    text = words(as_(cast.ada).get(reverse("admin_case_access", args=[case.pk])))
    assert "system (PACS1)" in text
    assert "Added images from the inbox" in text


def test_a_case_that_closed_meanwhile_gives_the_images_back(cast, case):
    study = arrive(case.organisation)
    verbs.assign(study, case, by=cast.dora.by)
    type(case).objects.filter(pk=case.pk).update(state=State.WITHDRAWN)
    verbs.move(study.pk)
    study.refresh_from_db()
    assert (study.status, study.images, study.case_space) == ("waiting", 2, None)
    assert content.read_all(study.instances.first()) in (image(1), image(2))


def test_discarding_asks_first_and_destroys_the_key(cast, as_, case, django_capture_on_commit_callbacks):
    study = arrive(case.organisation)
    dora, where = as_(cast.dora), reverse("desk_inbox_discard", args=[study.pk])
    assert "cannot be brought back" in words(dora.get(where))
    sealed = {blob for row in study.instances.all() for blob in content.blob_ids(row)}
    assert sealed <= set(blobs.ids())
    with django_capture_on_commit_callbacks(execute=True):
        assert dora.post(where).status_code == 302
    assert not InboxStudy.objects.exists() and keys.space_destroyed(study.pk) and not sealed & set(blobs.ids())
    assert dora.get(where).status_code == 404


@pytest.mark.parametrize("who", ["anna", "chen", "tess", "ada", "eve", "rival"])
def test_nobody_else_sees_or_decides(cast, as_, case, who):
    study = arrive(case.organisation)
    client = as_(getattr(cast, who))
    for name in ("desk_inbox_study", "desk_inbox_discard"):
        for send in (client.get, client.post):
            assert send(reverse(name, args=[study.pk])).status_code == 404
    if who != "rival":  # a coordinator, of another organisation
        assert client.get(reverse("desk_inbox")).status_code == 404
    with pytest.raises(NotAllowed):
        verbs.discard(study, by=getattr(cast, who).by)
    with pytest.raises(NotAllowed):
        verbs.assign(study, case, by=getattr(cast, who).by)
    assert InboxStudy.objects.get().status == "waiting"


def test_what_nobody_decides_on_is_destroyed(cast, case, settings, django_capture_on_commit_callbacks):
    settings.INBOX_DAYS = 10
    study = arrive(case.organisation)
    inbox.sweep(clock.now() + timedelta(days=9))
    assert InboxStudy.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        assert inbox.sweep(clock.now() + timedelta(days=11)) == 1
    assert keys.space_destroyed(study.pk) and not InboxStudy.objects.exists()
    assert AuditEvent.objects.filter(action="inbox.expire", agent="system").exists()
    jobs.drain()
