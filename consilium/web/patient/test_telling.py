"""Telling a case over HTTP: the straight way, and wrong turns on purpose."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.packs import registry
from consilium.people.models import User
from consilium.testing import factories
from consilium.testing.cast import Cast, Member, organisation
from consilium.web.patient import sections

pytestmark = pytest.mark.django_db

AsClient = Callable[..., Client]
PACK = registry.specialty("orthopaedic-spine")
ABOUT = {
    "given_name": "Nora",
    "family_name": "Neu",
    "birth_date_day": "14",
    "birth_date_month": "3",
    "birth_date_year": "1965",
    "sex": "female",
    "country": "DE",
    "language": "de",
}


def address(case: Case, slug: str) -> str:
    return reverse("case_section", args=[case.pk, slug])


def answers(slug: str, **other: str) -> dict[str, Any]:
    """A complete page of the form."""
    fits = {q.code: q.fits for q in PACK.suitability}
    safe = {flag.code: "no" for flag in PACK.red_flags}
    return {
        "suitability": fits,
        "warning-signs": safe,
        "readiness": {"device": "phone", "help": "none"},
        "goals": {"text": "Walk the dog again.", "matters": ["avoid-operation", "move"]},
        "where": {"regions": ["lower-back", "leg-left"], "words": "It pulls into the leg."},
        "course": {"onset": "In March while lifting.", "course": "waves", "severity": "6"},
        "details": {"dominant-pain": "leg", "weakness": "no", "walking-distance": "400"},
        "history": {"medication": "Ibuprofen 400", "allergies": "none"},
        "first-opinion": {
            "diagnosis": "Slipped disc",
            "planned_day": "1",
            "planned_month": "6",
            "planned_year": "2099",
        },
        "questions": {"question_1": "Is a spinal fusion really necessary in my case?"},
        "certainty": {"sure": "no", "understand": "no", "risk_benefit": "yes", "encouragement": "yes"},
    }[slug] | other


def through(client: Client, case: Case, *, until: str = "certainty") -> None:
    for slug in sections.BY_SLUG:
        response = client.post(address(case, slug), answers(slug))
        assert response.status_code == 302, f"{slug} was not taken"
        if slug == until:
            return


def test_a_new_patient_tells_everything_and_sends_it(as_: AsClient) -> None:
    organisation()
    nora = Member(User.objects.create_user("nora@example.org", "a long pass phrase"), None)  # type: ignore[arg-type]
    client = as_(nora)
    assert client.get(reverse("case_new")).headers["Location"] == reverse("about_you")
    client.post(reverse("about_you"), ABOUT)
    client.post(reverse("case_new"), {"specialty": "orthopaedic-spine"})
    case = Case.objects.get()
    assert (case.language, case.patient.birth_date) == ("de", "1965-03-14")
    through(client, case)
    clauses = [clause.code for clause in registry.jurisdiction(case.jurisdiction).consents if clause.required]
    client.post(reverse("case_consents", args=[case.pk]), {"clause": clauses})
    page = client.get(reverse("case_summary", args=[case.pk])).content.decode()
    for told in ("Nora Neu", "14 March 1965", "Slipped disc", "400 m", "Ibuprofen", "Is a spinal fusion"):
        assert told in page, told
    client.post(reverse("case_summary", args=[case.pk]), {"correct": "1"})
    case.refresh_from_db()
    assert case.state == State.SUBMITTED
    assert case.questions.get().text == "Is a spinal fusion really necessary in my case?"
    assert case.intake.symptoms["regions"] == ["lower-back", "leg-left"]
    assert case.intake.symptoms["course"] == "waves"


def test_task_list_says_what_is_missing(cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast), as_(cast.anna)
    through(client, case, until="where")
    client.post(address(case, "course"), {"onset": "In March", "later": "1"})
    page = client.get(reverse("case_prepare", args=[case.pk])).content.decode()
    assert "Still missing:" in page
    assert "How has it changed since then?" in page
    assert "Not finished" in page


@pytest.mark.parametrize("slug", list(sections.BY_SLUG))
def test_empty_page_is_explained_and_not_taken(slug: str, cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast), as_(cast.anna)
    if slug not in sections.GATES:
        through(client, case, until="warning-signs")
    response = client.post(address(case, slug), {})
    if sections.BY_SLUG[slug].optional:
        assert response.status_code == 302
    else:
        assert response.status_code == 200
        assert "error-summary" in response.content.decode()


def test_zero_is_an_answer(cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast, specialty="neurology"), as_(cast.anna)
    pack = registry.specialty("neurology")
    client.post(address(case, "suitability"), {q.code: q.fits for q in pack.suitability})
    client.post(address(case, "warning-signs"), {flag.code: "no" for flag in pack.red_flags})
    aid = next(question for question in pack.questions if question.code == "walking-aid").options[0].code
    assert client.post(address(case, "details"), {"attacks": "0", "walking-aid": aid}).status_code == 302
    case.refresh_from_db()
    assert sections.missing(case, sections.BY_SLUG["details"]) == []


def test_later_pages_are_closed_until_the_first_two_are_passed(cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast), as_(cast.anna)
    assert client.get(address(case, "goals")).headers["Location"] == address(case, "suitability")
    client.post(address(case, "suitability"), answers("suitability"))
    assert client.get(address(case, "goals")).headers["Location"] == address(case, "warning-signs")
    assert client.get(reverse("case_upload", args=[case.pk])).headers["Location"] == address(case, "warning-signs")


def test_red_flag_stops_with_the_emergency_sentence_and_can_be_taken_back(cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast), as_(cast.anna)
    client.post(address(case, "suitability"), answers("suitability"))
    response = client.post(
        address(case, "warning-signs"), answers("warning-signs", **{"cauda-equina": "yes"}), follow=True
    )
    page = response.content.decode()
    flag = next(flag for flag in PACK.red_flags if flag.code == "cauda-equina")
    assert str(flag.action) in page
    assert "tel:112" in page
    assert client.get(address(case, "goals")).status_code == 302
    client.post(address(case, "warning-signs"), answers("warning-signs"))
    assert client.get(address(case, "goals")).status_code == 200


def test_unsuitable_says_where_to_go_and_closes_the_request(cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast), as_(cast.anna)
    response = client.post(address(case, "suitability"), answers("suitability", **{"first-opinion": "no"}), follow=True)
    row = next(row for row in PACK.suitability if row.code == "first-opinion")
    assert str(row.otherwise) in response.content.decode()
    assert client.get(reverse("case_close", args=[case.pk])).status_code == 200
    client.post(reverse("case_close", args=[case.pk]))
    case.refresh_from_db()
    assert case.state == State.REDIRECTED


def test_another_specialty_asks_its_warning_signs_again(cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast), as_(cast.anna)
    through(client, case, until="goals")
    client.post(reverse("case_specialty", args=[case.pk]), {"specialty": "cardiology"})
    assert client.get(address(case, "goals")).headers["Location"] == address(case, "suitability")


@pytest.mark.parametrize("chosen", ["", "homeopathy", "../germany"])
def test_unknown_specialty_starts_nothing(chosen: str, cast: Cast, as_: AsClient) -> None:
    response = as_(cast.anna).post(reverse("case_new"), {"specialty": chosen})
    assert response.status_code == 200
    assert "Please choose what it is about." in response.content.decode()
    assert not Case.objects.exists()


def test_start_pressed_twice_begins_one_case(cast: Cast, as_: AsClient) -> None:
    client = as_(cast.anna)
    for _press in range(2):
        client.post(reverse("case_new"), {"specialty": "cardiology"})
    assert Case.objects.count() == 1


def test_autosave_keeps_unfinished_answers(cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast), as_(cast.anna)
    through(client, case, until="warning-signs")
    for slug, said in (("goals", {"worry": "That I cannot walk"}), ("questions", {"question_1": "Is it"})):
        saved = client.post(reverse("case_autosave", args=[case.pk, slug]), said)
        assert saved.status_code == 204
        assert next(iter(said.values())) in client.get(address(case, slug)).content.decode()
    assert not case.questions.exists(), "an unfinished question is no question"


def test_autosave_is_no_way_around_the_gates(cast: Cast, as_: AsClient) -> None:
    case = factories.draft(cast)
    assert as_(cast.anna).post(reverse("case_autosave", args=[case.pk, "goals"]), {"text": "x"}).status_code == 404


@pytest.mark.parametrize(
    "said",
    [
        {"question_1": "Why?"},
        {"question_1": "x" * 601 + " y?"},
        {"question_2": "nonsenseinoneword"},
    ],
)
def test_question_that_cannot_be_answered_is_coached(said: dict[str, str], cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast), as_(cast.anna)
    through(client, case, until="warning-signs")
    response = client.post(address(case, "questions"), said)
    assert response.status_code == 200
    assert next(iter(said.values()))[:40] in response.content.decode(), "what was typed is kept"
    assert not case.questions.exists()


def test_fourth_question_does_not_slip_in(cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast), as_(cast.anna)
    through(client, case, until="warning-signs")
    said = {f"question_{n}": f"Is treatment number {n} right for me at all?" for n in range(1, 5)}
    client.post(address(case, "questions"), said)
    assert case.questions.count() == 3


def test_advice_is_given_once_and_own_words_may_stay(cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast), as_(cast.anna)
    through(client, case, until="warning-signs")
    said = {"question_1": "Please tell me about the operation"}
    page = client.post(address(case, "questions"), said).content.decode()
    assert "question mark" in page
    assert client.post(address(case, "questions"), said | {"keep": "1"}).status_code == 302
    assert case.questions.get().text == "Please tell me about the operation"


def test_example_fills_the_first_empty_box(cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast), as_(cast.anna)
    through(client, case, until="warning-signs")
    said = {"question_1": "My own question, half written", "example": "can-it-wait"}
    page = client.post(address(case, "questions"), said).content.decode()
    example = next(row for row in PACK.examples if row.code == "can-it-wait")
    assert "My own question, half written" in page
    assert page.count(str(example.text)) >= 2, "in the list of examples and in the box"


def test_unfinished_case_is_not_sent(cast: Cast, as_: AsClient) -> None:
    case, client = factories.told(cast), as_(cast.anna)  # history and course were never told
    page = client.get(reverse("case_summary", args=[case.pk])).content.decode()
    assert "Before you can send it" in page
    client.post(reverse("case_summary", args=[case.pk]), {"correct": "1"})
    case.refresh_from_db()
    assert case.state == State.DRAFT


def test_sending_needs_the_tick_and_happens_once(cast: Cast, as_: AsClient) -> None:
    case, client = factories.told(cast), as_(cast.anna)
    through(client, case)
    summary = reverse("case_summary", args=[case.pk])
    client.post(summary, {})
    case.refresh_from_db()
    assert case.state == State.DRAFT
    first, second = client.post(summary, {"correct": "1"}), client.post(summary, {"correct": "1"})
    assert (first.status_code, second.status_code) == (302, 302)
    assert case.events.filter(verb="submit").count() == 1


def test_bookmark_of_a_page_leads_to_the_case_once_it_is_sent(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.SUBMITTED, cast)
    response = as_(cast.anna).get(address(case, "goals"))
    assert response.headers["Location"] == reverse("case", args=[case.pk])


def test_recap_is_corrected_and_confirmed(cast: Cast, as_: AsClient) -> None:
    case, client = factories.case_in(State.RECAP, cast), as_(cast.anna)
    said = {"question_1": "Is the operation better for me than exercises?", "remark": "I had a fall in June."}
    client.post(reverse("case_correct", args=[case.pk]), said)
    page = client.get(reverse("case_summary", args=[case.pk])).content.decode()
    assert "better for me than exercises" in page
    assert "I had a fall in June." in page
    client.post(reverse("case_summary", args=[case.pk]), {"correct": "1"})
    case.refresh_from_db()
    assert case.state == State.TRIAGE


def test_wrong_birth_date_is_explained(cast: Cast, as_: AsClient) -> None:
    response = as_(cast.anna).post(reverse("about_you"), ABOUT | {"birth_date_day": "31", "birth_date_month": "2"})
    assert "This date does not exist." in response.content.decode()
    future = as_(cast.anna).post(reverse("about_you"), ABOUT | {"birth_date_year": "2150"})
    assert "between 1900 and today" in future.content.decode()


def test_sure_wording_is_unaltered() -> None:
    """Légaré et al. 2010: the instrument is valid only with these words."""
    form = sections.BY_SLUG["certainty"].form(PACK)()
    assert [str(field.label) for field in form.fields.values()] == [
        "Do you feel SURE about the best choice for you?",
        "Do you know the benefits and risks of each option?",
        "Are you clear about which benefits and risks matter most to you?",
        "Do you have enough support and advice to make a choice?",
    ]


@pytest.mark.parametrize("pack", registry.specialties(), ids=lambda pack: pack.id)
def test_every_specialty_has_pages_and_a_body_map(pack: Any, cast: Cast, as_: AsClient) -> None:
    case, client = factories.draft(cast, specialty=pack.id), as_(cast.anna)
    client.post(address(case, "suitability"), {q.code: q.fits for q in pack.suitability})
    client.post(address(case, "warning-signs"), {flag.code: "no" for flag in pack.red_flags})
    for slug in sections.BY_SLUG:
        assert client.get(address(case, slug)).status_code == 200
    drawn = client.get(address(case, "where")).content.decode()
    skin_only = all(region.code == "skin" for region in pack.regions)
    assert skin_only or "body-map__region" in drawn
