"""The administration: every button works, nobody else comes in, and no clinical content is shown anywhere."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consilium.cases.actions import desk
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import audit, clock, jobs
from consilium.core.models import AuditEvent
from consilium.people.models import Licence, Membership, User
from consilium.talks import actions as talks
from consilium.testing import cast as members
from consilium.testing import factories
from consilium.web.accounts.actions import ask_for_deletion
from consilium.web.admin.urls import urlpatterns

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


def address(pattern, cast, case):
    """The address of any page of the administration for Dr Chen, the case, and made-up numbers."""
    values = {"user_id": cast.chen.user.pk, "case_id": case.pk, "verb": "erase", "request_id": 1}
    values["membership_id"] = cast.chen.user.memberships.get().pk
    values["licence_id"] = cast.chen.specialist.licences.get().pk
    wanted = pattern.pattern.converters
    return reverse(pattern.name, kwargs={name: values[name] for name in wanted})


@pytest.mark.parametrize("who", ["anna", "ben", "eve", "dora", "tess", "chen", "quinn", "sam", "pia"])
def test_the_administration_does_not_exist_for_others(cast, as_, who):
    case = factories.case_in(State.SUBMITTED, cast)
    client = as_(getattr(cast, who))
    for pattern in urlpatterns:
        for method in (client.get, client.post):
            assert method(address(pattern, cast, case)).status_code in (404, 405), pattern.name
    assert Case.objects.get(pk=case.pk).state == State.SUBMITTED
    assert not User.objects.get(pk=cast.chen.user.pk).suspended_at


def test_another_organisations_people_and_cases_do_not_exist(cast, as_):
    case = factories.case_in(State.SUBMITTED, cast)
    foreign = members.member("Alma", "Fern", roles=("administrator",), org=cast.rival.person.organisation)
    client = as_(foreign)
    for name in ("admin_case", "admin_case_access", "admin_legal_hold"):
        assert client.get(reverse(name, args=[case.pk])).status_code == 404
    for name in ("admin_person", "admin_suspend", "admin_specialist"):
        assert client.get(reverse(name, args=[cast.chen.user.pk])).status_code == 404
    assert case.reference not in page(client, "admin_cases")
    assert cast.chen.user.email not in page(client, "admin_people")


CANARIES = ("Berger", "hernia", "fusion", "Walk the dog", "whisper-note", "whisper-desk", "whisper-message")
BORN = ("1965-03-14", "14 March 1965")


@pytest.mark.parametrize("state", [State.COLLECTING, State.DELIVERED, State.URGENT])
def test_no_clinical_content_and_no_patients_name(cast, as_, state):
    case = factories.case_in(state, cast)
    Case.objects.filter(pk=case.pk).update(erasure_requested_at=clock.now())
    case.refresh_from_db()
    if state == State.COLLECTING:
        desk.save_desk_note(case, "whisper-desk", by=cast.dora.by)
        item = case.record_requests.first().item
        desk.set_record_status(case, item, "waived", by=cast.dora.by, note="whisper-note")
    talks.send_message(case, by=cast.anna.by, audience="patient_desk", body="whisper-message")
    as_(cast.anna).get(reverse("records", args=[case.pk]))
    # The leak test must have something that could leak.
    told = words(as_(cast.dora).get(reverse("desk_story", args=[case.pk])))
    assert all(word in told for word in ("Berger", "hernia", "fusion", "Walk the dog"))
    ada = as_(cast.ada)
    for pattern in urlpatterns:
        response = ada.get(address(pattern, cast, case))
        text = response.content.decode()
        for canary in CANARIES + BORN:
            assert canary not in text, (pattern.name, canary)
    assert case.reference in page(ada, "admin_case", case.pk)
    assert "patient" in page(ada, "admin_case_access", case.pk)


@pytest.mark.parametrize("state", list(State))
def test_a_case_opens_in_every_state(cast, as_, state):
    case = factories.case_in(state, cast)
    assert case.reference in page(as_(cast.ada), "admin_case", case.pk)
    assert case.reference in page(as_(cast.ada), "admin_cases")


def test_invitation_leads_to_a_password_and_a_role(cast, as_, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    ada = as_(cast.ada)
    said = {"email": "nora@example.org", "given_name": "Nora", "family_name": "Klein", "language": "de"}
    kept = words(ada.post(reverse("admin_invite"), said))
    assert "Please choose at least one role." in kept
    assert "Nora" in kept
    press(ada, "admin_invite", **said, roles=["coordinator", "triage_clinician"])
    nora = User.objects.get(email="nora@example.org")
    assert not nora.has_usable_password()
    assert set(nora.memberships.values_list("role", flat=True)) == {"coordinator", "triage_clinician"}
    assert "Nora Klein" in page(ada, "admin_people")
    jobs.drain()
    invitation = mail.outbox[-1]
    assert invitation.to == ["nora@example.org"]
    assert reverse("account_reset_password") in invitation.body
    # The invited account may choose a password there.
    mail.outbox.clear()
    Client().post(reverse("account_reset_password"), {"email": "nora@example.org"})
    jobs.drain()
    assert [message.to for message in mail.outbox] == [["nora@example.org"]]
    assert "code" in mail.outbox[0].body.lower() or "Code" in mail.outbox[0].subject


def test_inviting_asks_for_a_fresh_second_step(cast, as_):
    stale = as_(cast.ada, step="stale")
    response = stale.get(reverse("admin_invite"))
    assert response.status_code == 302
    assert "next=" in response.headers["Location"]
    stale.post(reverse("admin_invite"), {"email": "x@example.org"})
    assert not User.objects.filter(email="x@example.org").exists()


def test_role_is_given_and_ended(cast, as_):
    ada, dora = as_(cast.ada), cast.dora
    press(ada, "admin_role_grant", dora.user.pk, role="quality_reviewer")
    assert "quality_reviewer" in dora.by.roles
    membership = dora.user.memberships.get(role="coordinator")
    client = as_(dora)
    assert client.get(reverse("desk")).status_code == 200
    assert "End the role" in page(ada, "admin_role_end", dora.user.pk, membership.pk)
    press(ada, "admin_role_end", dora.user.pk, membership.pk)
    assert client.get(reverse("desk")).status_code == 404
    assert ada.get(reverse("admin_role_end", args=[dora.user.pk, membership.pk])).status_code == 404


def test_suspension_bites_at_once_and_can_be_lifted(cast, as_):
    ada, client = as_(cast.ada), as_(cast.dora)
    assert client.get(reverse("desk")).status_code == 200
    press(ada, "admin_suspend", cast.dora.user.pk)
    assert client.get(reverse("desk")).status_code == 302
    assert "suspended" in page(ada, "admin_people")
    press(ada, "admin_reinstate", cast.dora.user.pk)
    assert as_(cast.dora).get(reverse("desk")).status_code == 200


def test_patients_are_not_staff(cast, as_):
    ada = as_(cast.ada)
    assert cast.anna.user.email not in page(ada, "admin_people")
    assert ada.get(reverse("admin_person", args=[cast.anna.user.pk])).status_code == 404


def test_a_new_specialist_is_set_up_and_verified(cast, as_):
    ada = as_(cast.ada)
    nora = members.member("Nora", "Klein", roles=("specialist",))
    assert "no profile yet" in page(ada, "admin_specialists")
    assert ada.get(reverse("admin_licence_add", args=[nora.user.pk])).status_code == 404
    profile = {"name": "Dr Nora Klein", "languages": ["en", "de"], "capacity": "3", "biography_en": "Hands."}
    assert "at least one specialty" in words(ada.post(reverse("admin_specialist", args=[nora.user.pk]), profile))
    press(ada, "admin_specialist", nora.user.pk, **profile, specialties=["breast"], portrait="ingrid")
    user = User.objects.get(pk=nora.user.pk)
    assert (user.specialist.biography, user.specialist.portrait) == ({"en": "Hands."}, "ingrid")
    press(ada, "admin_verify", nora.user.pk, to="verify")
    assert User.objects.get(pk=nora.user.pk).specialist.verified_at is None
    year = clock.now().year
    dates = {"valid_from_day": 1, "valid_from_month": 1, "valid_from_year": year - 1}
    until = {"valid_until_day": 31, "valid_until_month": 12}
    wrong = dates | until | {"valid_until_year": year - 2}
    licence = {"authority": "Chamber", "number": "N-7", "country": "DE"}
    assert "ends before it begins" in words(ada.post(reverse("admin_licence_add", args=[user.pk]), licence | wrong))
    dates |= until | {"valid_until_year": year + 2}
    press(ada, "admin_licence_add", user.pk, **licence, **dates)
    press(ada, "admin_verify", user.pk, to="verify")
    assert User.objects.get(pk=user.pk).specialist.verified_at
    assert "Verified on" in page(ada, "admin_specialist", user.pk)
    row = Licence.objects.get(number="N-7")
    press(ada, "admin_licence_end", user.pk, row.pk)
    assert "no valid licence" in page(ada, "admin_specialists")
    press(ada, "admin_verify", user.pk, to="withdraw")
    assert User.objects.get(pk=user.pk).specialist.verified_at is None


def test_organisation_details(cast, as_):
    ada = as_(cast.ada)
    said = {"name": "Lakeside Second Opinions", "country": "DE", "time_zone": "Europe/Berlin", "contact": "desk@x.org"}
    refused = words(ada.post(reverse("admin_organisation"), said | {"jurisdiction": "atlantis"}))
    assert "Lakeside Second Opinions" in refused
    press(ada, "admin_organisation", **said, jurisdiction="germany")
    organisation = cast.ada.person.organisation
    organisation.refresh_from_db()
    assert (organisation.name, organisation.jurisdiction) == ("Lakeside Second Opinions", "germany")


def test_packs_show_version_and_sign_off(cast, as_):
    text = page(as_(cast.ada), "admin_packs")
    assert "Orthopaedic" in text or "orthopaedic" in text
    assert "draft, not signed off" in text


def test_legal_hold_stops_erasure(cast, as_):
    case = factories.case_in(State.REDIRECTED, cast)
    Case.objects.filter(pk=case.pk).update(erasure_requested_at=clock.now())
    ada = as_(cast.ada)
    press(ada, "admin_legal_hold", case.pk, to="hold")
    assert "A legal hold keeps this case." in words(ada.post(reverse("admin_step", args=[case.pk, "erase"])))
    assert Case.objects.get(pk=case.pk).state == State.REDIRECTED
    press(ada, "admin_legal_hold", case.pk, to="lift")
    assert "Nobody can ever read it again" in page(ada, "admin_step", case.pk, "erase")
    press(ada, "admin_step", case.pk, "erase")
    assert Case.objects.get(pk=case.pk).state == State.ERASED
    assert "This case was erased" in page(ada, "admin_case", case.pk)


def test_erasing_needs_a_request_and_a_fresh_second_step(cast, as_):
    case = factories.case_in(State.REDIRECTED, cast)
    ada = as_(cast.ada)
    assert "nobody asked for erasure" in page(ada, "admin_case", case.pk)
    assert "nobody asked for erasure" in words(ada.post(reverse("admin_step", args=[case.pk, "erase"])))
    Case.objects.filter(pk=case.pk).update(erasure_requested_at=clock.now())
    stale = as_(cast.ada, step="stale")
    assert stale.get(reverse("admin_step", args=[case.pk, "erase"])).status_code == 302
    stale.post(reverse("admin_step", args=[case.pk, "erase"]))
    assert Case.objects.get(pk=case.pk).state == State.REDIRECTED
    assert case.reference in words(ada.get("/admin/cases/?which=erasure"))


def test_hold_and_resume(cast, as_):
    case = factories.case_in(State.SUBMITTED, cast)
    ada = as_(cast.ada)
    assert "Please write a short reason." in words(ada.post(reverse("admin_step", args=[case.pk, "hold"]), {}))
    press(ada, "admin_step", case.pk, "hold", note="A complaint.")
    assert Case.objects.get(pk=case.pk).state == State.INCIDENT_HOLD
    press(ada, "admin_step", case.pk, "resume", note="Settled.")
    assert Case.objects.get(pk=case.pk).state == State.SUBMITTED
    for verb in ("check_in", "turn_down", "withdraw"):
        assert ada.post(reverse("admin_step", args=[case.pk, verb]), {"note": "x"}).status_code == 404


def test_access_history_is_shown_and_logged(cast, as_):
    case = factories.case_in(State.SUBMITTED, cast)
    as_(cast.dora).get(reverse("desk_story", args=[case.pk]))
    ada = as_(cast.ada)
    text = page(ada, "admin_case_access", case.pk)
    assert "Dora Lindner" in text
    assert "Read the story" in text
    assert "Anna" not in text
    assert audit.for_space(case.pk).filter(agent=cast.ada.by.ref, action="access_history.read").exists()


def test_audit_log_is_verified_and_damage_is_found(cast, as_):
    factories.case_in(State.SUBMITTED, cast)
    ada = as_(cast.ada)
    assert "Verify the whole log now" in page(ada, "admin_audit")
    assert "The log is whole" in words(ada.post(reverse("admin_audit")))
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {AuditEvent._meta.db_table} SET agent = 'user:nobody' WHERE sequence = 1")
    assert "The log was altered" in words(ada.post(reverse("admin_audit")))


def test_wishes_for_deletion_are_shown_and_the_account_closed(cast, as_):
    case = factories.case_in(State.SUBMITTED, cast)
    wish = ask_for_deletion(cast.anna.user, by=cast.anna.by)
    ada = as_(cast.ada)
    assert "1 account is to be deleted" in page(ada, "admin_home")
    text = page(ada, "admin_deletions")
    assert cast.anna.user.email in text
    assert case.reference in text
    assert "Berger" not in text.replace(cast.anna.user.email, "")
    press(ada, "admin_deletion_close", wish.pk)
    assert not cast.anna.by.active or User.objects.get(pk=cast.anna.user.pk).suspended_at


def test_lists_cost_the_same_for_one_and_three(cast, as_):
    ada = as_(cast.ada)

    def cost(name):
        ada.get(reverse(name))
        with CaptureQueriesContext(connection) as captured:
            assert ada.get(reverse(name)).status_code == 200
        return len(captured)

    names = ("admin_people", "admin_specialists", "admin_cases", "admin_deletions", "admin_home")
    first = cast.chen
    patients = [cast.anna]
    factories.case_in(State.SUBMITTED, cast)
    ask_for_deletion(cast.anna.user, by=cast.anna.by)
    one = {name: cost(name) for name in names}
    assert first
    assert cast.novak and cast.okafor
    for given in ("Cara", "Dino"):
        patients.append(members.member(given, "Vogel"))
        factories.case_in(State.SUBMITTED, cast, patient=patients[-1])
        ask_for_deletion(patients[-1].user, by=patients[-1].by)
    assert {name: cost(name) for name in names} == one


def test_expiring_licences_are_pointed_out(cast, as_):
    Licence.objects.filter(specialist=cast.chen.specialist).update(valid_until=clock.now().date() + timedelta(days=20))
    assert "licence ends on" in page(as_(cast.ada), "admin_home")


def test_the_last_administrator_stays(cast, as_):
    mine = Membership.objects.get(user=cast.ada.user, role="administrator")
    url = reverse("admin_role_end", args=[cast.ada.user.pk, mine.pk])
    response = as_(cast.ada).post(url, headers={"referer": f"http://testserver{url}"})
    assert response.status_code == 302
    mine.refresh_from_db()
    assert mine.until is None
