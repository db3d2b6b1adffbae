"""The desk through the browser's eyes: lists, every button of a case, and who may not come in."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consilium.cases.actions import advance, desk
from consilium.cases.actions import offers as offer_verbs
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import audit, clock
from consilium.packs import registry
from consilium.records.models import Record
from consilium.talks import actions as talks
from consilium.testing import cast as members
from consilium.testing import factories

pytestmark = pytest.mark.django_db


def words(response):
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def page(client, name, case=None, *args):
    return words(client.get(reverse(name, args=[case.pk, *args] if case else [])))


def press(client, name, case, /, *args, **data):
    response = client.post(reverse(name, args=[case.pk, *args]), data)
    assert response.status_code == 302, response.content.decode()[:3000]
    case.refresh_from_db()
    return response


CASE_PAGES = (
    "desk_case",
    "desk_story",
    "desk_history",
    "desk_messages",
    "desk_records",
    "desk_matching",
    "desk_report",
)


@pytest.mark.parametrize("state", [state for state in State if state != State.ERASED])
def test_every_page_of_a_case_opens_in_every_state(cast, as_, state):
    case = factories.case_in(state, cast)
    dora = as_(cast.dora)
    for name in CASE_PAGES:
        assert case.reference in page(dora, name, case), name
    assert case.reference in page(dora, "desk") + words(dora.get("/desk/?whose=ended")) + words(
        dora.get(f"/desk/?state={state}")
    )


def test_an_erased_case_tells_nothing(cast, as_):
    case = factories.case_in(State.ERASED, cast)
    dora = as_(cast.dora)
    text = page(dora, "desk_case", case) + words(dora.get("/desk/?state=erased"))
    assert case.reference in text
    assert "Berger" not in text
    for name in CASE_PAGES[1:]:
        assert dora.get(reverse(name, args=[case.pk])).status_code == 404, name


ONLY_DESK = [
    *CASE_PAGES,
    "desk_identity",
    "triage_conclusions",
]


@pytest.mark.parametrize("who", ["anna", "ben", "eve", "chen", "quinn", "ada", "sam", "pia", "rival"])
def test_pages_of_the_desk_do_not_exist_for_others(cast, as_, who):
    case = factories.case_in(State.SUBMITTED, cast)
    factories.proxy(case, cast.ben, "proxy_act", by=cast.anna)
    client = as_(getattr(cast, who))
    for name in ONLY_DESK:
        assert client.get(reverse(name, args=[case.pk])).status_code == 404, name
    for name in ("desk_step", "desk_request", "desk_request_here"):
        for argument in ("send_back", "withdraw"):
            assert client.get(reverse(name, args=[case.pk, argument])).status_code in (404, 405), name
    for name in ("desk_clock_stop", "desk_note", "desk_upload"):
        assert client.post(reverse(name, args=[case.pk]), {"text": "x"}).status_code == 404, name
    if who != "rival":
        assert client.get(reverse("desk")).status_code == 404
    case.refresh_from_db()
    assert case.state == State.SUBMITTED


def test_another_organisations_desk_sees_none_of_it(cast, as_):
    case = factories.case_in(State.SUBMITTED, cast)
    rival = as_(cast.rival)
    assert case.reference not in page(rival, "desk")
    for question in (case.reference, "Anna Berger", "14.03.1965"):
        assert case.reference not in words(rival.post(reverse("desk"), {"q": question})).replace(
            f'value="{case.reference}"', ""
        )


def test_one_factor_is_not_enough(cast, as_):
    response = as_(cast.dora, step="none").get(reverse("desk"))
    assert response.status_code == 302


def test_list_sorts_by_next_action_and_filters(cast, as_):
    waiting = factories.case_in(State.RECAP, cast)
    mine = factories.case_in(State.SUBMITTED, cast)
    urgent = factories.case_in(State.URGENT, cast)
    late = factories.case_in(State.SUBMITTED, cast)
    Case.objects.filter(pk=late.pk).update(due_at=clock.now() - timedelta(days=2))
    dora = as_(cast.dora)
    text = page(dora, "desk")
    places = [text.index(case.reference) for case in (urgent, late, mine, waiting)]
    assert places == sorted(places)
    assert "Overdue by 2 days" in text
    others = words(dora.get("/desk/?whose=others"))
    assert waiting.reference in others
    assert mine.reference not in others
    overdue = words(dora.get("/desk/?whose=overdue"))
    assert late.reference in overdue
    assert urgent.reference not in overdue
    assert waiting.reference in words(dora.get("/desk/?state=recap&specialty=orthopaedic-spine"))
    assert waiting.reference not in words(dora.get("/desk/?state=recap&specialty=breast"))
    # What is not on the list of filters is as if it had not been asked.
    assert mine.reference in words(dora.get("/desk/?state=;drop&whose=desk_note&specialty=%27&page=zzz"))


def test_a_pause_is_shown_and_stops_overdue(cast, as_):
    case = factories.case_in(State.SUBMITTED, cast)
    desk.stop_clock(case, "patient_pause", by=cast.dora.by)
    Case.objects.filter(pk=case.pk).update(due_at=clock.now() - timedelta(days=2))
    dora = as_(cast.dora)
    assert case.reference not in words(dora.get("/desk/?whose=overdue"))
    assert "Clock paused" in page(dora, "desk")


def test_alarm_when_the_treatment_comes_before_the_report(cast, as_):
    case = factories.case_in(State.SUBMITTED, cast)
    dora = as_(cast.dora)
    assert "Treatment planned for" not in page(dora, "desk")
    Case.objects.filter(pk=case.pk).update(planned_treatment_on=clock.now().date() + timedelta(days=1))
    assert "Treatment planned for" in page(dora, "desk")
    assert "Treatment planned for" in page(dora, "desk_case", case)


def test_search_by_name_birth_date_and_reference(cast, as_):
    case = factories.case_in(State.SUBMITTED, cast)
    other = factories.case_in(State.SUBMITTED, cast, patient=cast.eve)
    dora = as_(cast.dora)
    for question in ("Anna Berger", "berger", "14.03.1965", "Berger 14.03.1965", case.reference.lower()):
        text = words(dora.post(reverse("desk"), {"q": question}))
        assert f"/desk/cases/{case.pk}/" in text, question
        assert f"/desk/cases/{other.pk}/" not in text, question
    assert f"/desk/cases/{case.pk}/" not in words(dora.post(reverse("desk"), {"q": "Berg"}))
    assert "Nothing found" in words(dora.post(reverse("desk"), {"q": ""}))


@pytest.mark.parametrize("address", ["/desk/", "/desk/?view=lanes"])
def test_list_costs_the_same_for_one_and_three(cast, as_, address):
    dora = as_(cast.dora)

    def cost():
        dora.get(address)  # the session notes its time once a minute
        with CaptureQueriesContext(connection) as captured:
            assert dora.get(address).status_code == 200
        return len(captured)

    desk.stop_clock(factories.case_in(State.OFFERED, cast), "interpretation", by=cast.dora.by)
    one = cost()
    for member in (members.member("Cara", "Vogel"), members.member("Dino", "Rossi")):
        case = factories.case_in(State.OFFERED, cast, patient=member)
        desk.stop_clock(case, "interpretation", by=cast.dora.by)
    assert cost() == one


def test_lanes_group_similar_cases(cast, as_):
    for _n in range(2):
        factories.case_in(State.SUBMITTED, cast)
    factories.case_in(State.SUBMITTED, cast, specialty="breast")
    text = words(as_(cast.dora).get("/desk/?view=lanes"))
    assert text.count('id="lane-') == 2


def test_figures_count_delivered_reports(cast, as_):
    dora = as_(cast.dora)
    assert "no report delivered yet" in page(dora, "desk")
    case = factories.case_in(State.DELIVERED, cast)
    done = clock.now()
    Case.objects.filter(pk=case.pk).update(records_complete_at=done - timedelta(days=4), delivered_at=done)
    assert "4.0 days" in page(dora, "desk")


def test_identity_then_check_in(cast, as_):
    case = factories.case_in(State.SUBMITTED, cast)
    dora = as_(cast.dora)
    url = reverse("desk_identity", args=[case.pk])
    assert "14 March 1965" in words(dora.get(url))
    refused = words(dora.post(url, {"jurisdiction": "eu"}))
    assert "Please check who this is first." in refused
    wrong = {"same_person": "on", "eligible": "on", "jurisdiction": "eu", "procedure": "spine"}
    listed = registry.jurisdiction("germany").procedures[0].code
    assert "not on the list of the chosen rule" in words(dora.post(url, wrong | {"procedure": listed}))
    press(dora, "desk_identity", case, same_person="on", eligible="on", jurisdiction="germany", procedure=listed)
    assert (case.state, case.jurisdiction, case.procedure) == (State.COLLECTING, "germany", listed)


def test_send_back_needs_words(cast, as_):
    case = factories.case_in(State.SUBMITTED, cast)
    dora = as_(cast.dora)
    assert "Please write a few words." in words(dora.post(reverse("desk_step", args=[case.pk, "send_back"]), {}))
    press(dora, "desk_step", case, "send_back", note="Please add the date of the operation.")
    assert case.state == State.DRAFT


def test_turn_down_tells_the_reason(cast, as_):
    case = factories.case_in(State.SUBMITTED, cast)
    dora = as_(cast.dora)
    assert "cannot be undone" in page(dora, "desk_step", case, "turn_down")
    press(dora, "desk_step", case, "turn_down", note="A doctor has to examine you: please go to a clinic near you.")
    assert case.state == State.REDIRECTED
    assert "go to a clinic near you" in page(dora, "desk_history", case)


def test_impossible_steps_have_no_page(cast, as_):
    case = factories.case_in(State.SUBMITTED, cast)
    dora = as_(cast.dora)
    for verb in ("deliver", "sign", "erase", "submit", "raise_urgent", "nonsense"):
        assert dora.get(reverse("desk_step", args=[case.pk, verb])).status_code == 404, verb
        assert dora.post(reverse("desk_step", args=[case.pk, verb]), {"note": "x"}).status_code == 404, verb


def test_record_checklist(cast, as_):
    case = factories.case_in(State.COLLECTING, cast)
    dora = as_(cast.dora)
    items = list(case.record_requests.filter(mandatory=True).order_by("item"))
    assert "Ask for the records that are missing" in page(dora, "desk_case", case)
    url = reverse("desk_request", args=[case.pk, items[0].item])
    assert "Please write a few words: why" in words(dora.post(url, {"what": "waived", "note": ""}))
    kept = words(dora.post(url, {"what": "", "note": "The MRI of May"}))
    assert "Please choose one." in kept
    assert "The MRI of May" in kept
    press(dora, "desk_request", case, items[0].item, what="patient", note="Please send the MRI of May.")
    row = case.record_requests.get(item=items[0].item)
    assert (row.status, row.asked_of) == ("asked", "patient")
    assert "Please send the MRI of May." in page(dora, "desk_records", case)
    assert "waiting for records" in page(dora, "desk_case", case)
    refused = dora.post(reverse("desk_step", args=[case.pk, "complete_records"]))
    assert "A required record is still missing" in words(refused)
    press(dora, "desk_request_here", case, items[0].item)
    for item in items[1:]:
        press(dora, "desk_request", case, item.item, what="waived", note="The letter says it all.")
    assert not case.clock_stops.filter(ended_at=None).exists()
    press(dora, "desk_step", case, "complete_records")
    assert case.state == State.RECAP
    press(dora, "desk_step", case, "reopen_records")
    assert case.state == State.COLLECTING


def test_unknown_item_does_not_exist(cast, as_):
    case = factories.case_in(State.COLLECTING, cast)
    dora = as_(cast.dora)
    assert dora.get(reverse("desk_request", args=[case.pk, "no-such"])).status_code == 404
    assert dora.post(reverse("desk_request_here", args=[case.pk, "no-such"])).status_code == 404


def test_a_fitting_record_is_suggested(cast, as_):
    case = factories.case_in(State.COLLECTING, cast)
    factories.plain_record(case, "Letter of Dr Weiss")
    text = page(as_(cast.dora), "desk_records", case)
    assert "On the case:" in text
    assert "It is here" in text


def test_wrong_patient_is_compared_and_decided(cast, as_):
    case = factories.case_in(State.COLLECTING, cast)
    record = factories.plain_record(case, "Scan", kind="other", status="undecided", problems=["wrong_patient"])
    record.facts = {"patient_name": "Muster^Max", "patient_birth_date": "19700102"}
    record.save()
    dora = as_(cast.dora)
    text = page(dora, "desk_records", case)
    assert "Muster Max" in text
    assert "Anna Berger" in text
    press(dora, "desk_decide", case, record.pk, belongs="no")
    record.refresh_from_db()
    assert record.status == Record.Status.REMOVED
    assert "Bring it back" in page(dora, "desk_records", case)
    press(dora, "desk_record_move", case, record.pk, to="back")
    record.refresh_from_db()
    assert record.status == Record.Status.UNDECIDED
    press(dora, "desk_decide", case, record.pk, belongs="yes")
    record.refresh_from_db()
    assert record.status == Record.Status.READY
    press(dora, "desk_record_move", case, record.pk, to="out")
    record.refresh_from_db()
    assert record.status == Record.Status.REMOVED


def test_records_of_another_case_are_out_of_reach(cast, as_):
    case = factories.case_in(State.COLLECTING, cast)
    foreign = factories.plain_record(factories.case_in(State.COLLECTING, cast, patient=cast.eve), status="undecided")
    dora = as_(cast.dora)
    for name in ("desk_decide", "desk_record_move"):
        assert dora.post(reverse(name, args=[case.pk, foreign.pk]), {"belongs": "yes"}).status_code == 404


def test_pause_and_start_again(cast, as_):
    case = factories.case_in(State.COLLECTING, cast)
    dora = as_(cast.dora)
    press(dora, "desk_clock_stop", case, reason="patient_pause")
    stop = case.clock_stops.get()
    assert "paused at the patient" in page(dora, "desk_case", case)
    press(dora, "desk_clock_start", case, stop.pk)
    stop.refresh_from_db()
    assert stop.ended_at
    assert dora.post(reverse("desk_clock_start", args=[case.pk, stop.pk])).status_code == 404


def test_desk_note_stays_at_the_desk(cast, as_):
    case = factories.case_in(State.COLLECTING, cast)
    dora = as_(cast.dora)
    press(dora, "desk_note", case, text="Calls back on Monday")
    assert "Calls back on Monday" in page(dora, "desk_case", case)


def ready_for_offer(cast):
    case = factories.case_in(State.TRIAGE, cast)
    desk.set_triage(case, by=cast.tess.by, urgency="routine", complexity="complex", re_reads=[])
    desk.mark_conclusions(case, {}, by=cast.tess.by)
    case.refresh_from_db()
    return case


def test_offer_in_order_take_back_and_offer_again(cast, as_):
    chen, novak = cast.chen.specialist, cast.novak.specialist
    case = ready_for_offer(cast)
    dora = as_(cast.dora)
    text = page(dora, "desk_matching", case)
    assert "Licence is valid" in text
    twice = dora.post(reverse("desk_matching", args=[case.pk]), {"first": chen.pk, "second": chen.pk})
    assert "only once" in words(twice)
    assert "whom to ask first" in words(dora.post(reverse("desk_matching", args=[case.pk]), {}))
    press(dora, "desk_matching", case, first=str(chen.pk), second=str(novak.pk))
    assert case.state == State.OFFERED
    assert [offer.specialist for offer in case.offers.order_by("position")] == [chen, novak]
    text = page(dora, "desk_matching", case)
    assert "answer due in" in text
    press(dora, "desk_step", case, "escalate_offers")
    assert case.state == State.TRIAGE
    press(dora, "desk_matching", case, first=str(novak.pk))
    assert case.offers.get(status="open").specialist == novak


def test_excluded_specialists_cannot_be_chosen(cast, as_):
    chen = cast.chen.specialist
    chen.licences.update(valid_until=clock.now().date() - timedelta(days=1))
    case = ready_for_offer(cast)
    dora = as_(cast.dora)
    assert "Nobody can be asked now" in page(dora, "desk_matching", case)
    assert dora.post(reverse("desk_matching", args=[case.pk]), {"first": str(chen.pk)}).status_code == 200
    case.refresh_from_db()
    assert case.state == State.TRIAGE


def test_no_offer_before_the_conclusion_is_marked(cast, as_):
    """Once a specialist reads blind nobody may mark pages any more, so it has to be done before the offer."""
    case = factories.case_in(State.TRIAGE, cast)
    desk.set_triage(case, by=cast.tess.by, urgency="routine", complexity="complex", re_reads=[])
    case.refresh_from_db()
    dora, chen = as_(cast.dora), cast.chen.specialist
    assert "not yet marked the first conclusion" in page(dora, "desk_matching", case)
    refused = words(dora.post(reverse("desk_matching", args=[case.pk]), {"first": str(chen.pk)}))
    assert "not yet marked the first conclusion" in refused
    press(dora, "triage_conclusions", case)
    press(dora, "desk_matching", case, first=str(chen.pk))
    assert case.state == State.OFFERED


def test_decline_shows_the_reason(cast, as_):
    case = ready_for_offer(cast)
    offer_verbs.offer(case, [cast.chen.specialist, cast.novak.specialist], by=cast.dora.by)
    case.refresh_from_db()
    offer_verbs.decline(case, by=cast.chen.by, reason="capacity", note="On holiday until Monday")
    text = page(as_(cast.dora), "desk_matching", case)
    assert "no capacity now" in text
    assert "On holiday until Monday" in text


def test_hold_resume_hand_back_withdraw(cast, as_):
    case = factories.case_in(State.IN_REVIEW, cast)
    dora = as_(cast.dora)
    press(dora, "desk_step", case, "hold", note="A complaint has to be settled.")
    assert case.state == State.INCIDENT_HOLD
    press(dora, "desk_step", case, "resume", note="Settled.")
    assert case.state == State.IN_REVIEW
    press(dora, "desk_step", case, "hand_back", note="Dr Chen is ill.")
    assert case.state == State.TRIAGE
    press(dora, "desk_step", case, "withdraw", note="")
    assert case.state == State.WITHDRAWN


def test_urgent_case_is_acknowledged_with_whom_and_when(cast, as_):
    case = factories.case_in(State.URGENT, cast)
    dora = as_(cast.dora)
    text = page(dora, "desk_case", case)
    assert "A reason." in text
    assert "Dr Mei Chen" in text
    assert "Please write a few words." in words(
        dora.post(reverse("desk_step", args=[case.pk, "acknowledge_urgent"]), {"note": ""})
    )
    press(dora, "desk_step", case, "acknowledge_urgent", note="Ms Berger by telephone at 10:20.")
    assert case.state == State.IN_REVIEW
    assert "Ms Berger by telephone at 10:20." in page(dora, "desk_history", case)


def test_oral_explanation_before_delivery(cast, as_):
    case = factories.case_in(State.IN_REVIEW, cast)
    code = registry.jurisdiction("germany").procedures_for("orthopaedic-spine")[0].code
    Case.objects.filter(pk=case.pk).update(jurisdiction="germany", procedure=code)
    case.refresh_from_db()
    for step in (factories._sign, factories._pass, factories._deliver):
        step(case, cast)
        case.refresh_from_db()
    assert case.state == State.SIGNED
    dora = as_(cast.dora)
    assert "Record the oral explanation" in page(dora, "desk_case", case)
    assert "asks for an oral explanation first" in words(dora.post(reverse("desk_step", args=[case.pk, "deliver"])))
    press(dora, "desk_oral", case, note="Dr Chen with Ms Berger by video.")
    press(dora, "desk_step", case, "deliver")
    assert case.state == State.DELIVERED
    assert "Anna Berger" in page(dora, "desk_report", case)
    assert dora.get(reverse("desk_oral", args=[case.pk])).status_code == 404


def test_messages_reach_the_patient_and_staff_only(cast, as_):
    case = factories.case_in(State.COLLECTING, cast)
    talks.send_message(case, by=cast.anna.by, audience="patient_desk", body="Do you need my old films?")
    dora = as_(cast.dora)
    assert "New message" in page(dora, "desk")
    assert "Do you need my old films?" in page(dora, "desk_messages", case)
    assert "New message" not in page(dora, "desk")
    kept = words(dora.post(reverse("desk_messages", args=[case.pk]), {"audience": "everybody", "body": "Hello there"}))
    assert "Hello there" in kept
    press(dora, "desk_messages", case, audience="patient_desk", body="Yes, please send them.")
    assert [m.body for m in case.messages.order_by("sent_at")][-1] == "Yes, please send them."


def test_reads_are_logged(cast, as_):
    case = factories.case_in(State.COLLECTING, cast)
    dora = as_(cast.dora)
    for name in CASE_PAGES:
        page(dora, name, case)
    logged = {event.action for event in audit.for_space(case.pk).filter(agent=cast.dora.by.ref)}
    assert {"case.read", "story.read", "message.read", "record.list", "report.list"} <= logged


def test_somebody_was_faster(cast, as_):
    """The step is refused with words when the state has moved on since the page was opened."""
    case = factories.case_in(State.SUBMITTED, cast)
    dora = as_(cast.dora)
    page(dora, "desk_step", case, "send_back")
    advance(case, "withdraw", by=cast.anna.by)
    response = dora.post(reverse("desk_step", args=[case.pk, "send_back"]), {"note": "Please add a date."})
    assert response.status_code == 404
    case.refresh_from_db()
    assert case.state == State.WITHDRAWN
