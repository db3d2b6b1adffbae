"""The patient's part: starting a case, telling it, asking the questions, confirming the recap."""

import hashlib
import json
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.access.rules import require, strong_enough
from consilium.cases import deadlines
from consilium.cases.models import Case, CaseEvent, CaseRole, FollowUp, Intake, Question, Recap, RecordRequest
from consilium.cases.states import State
from consilium.core import audit, clock
from consilium.core.errors import BadInput, NotAllowed
from consilium.packs import registry
from consilium.people.models import Person
from consilium.vault import keys

BEFORE_TRIAGE = frozenset({State.DRAFT, State.SUBMITTED, State.COLLECTING, State.RECAP})
SECTIONS = frozenset({"readiness", "goals", "symptoms", "answers", "history"})
MAX_QUESTION = 600
MAX_ANSWER = 6000


def start_case(patient: Person, specialty: str, *, by: Principal, language: str = "en", scribe: bool = False) -> Case:
    """Open a draft for `patient` with its own key, intake and the specialty's record checklist."""
    _require_may_start(patient, by, scribe)
    pack = registry.specialty(specialty)
    case = Case(
        organisation=patient.organisation,
        patient=patient,
        specialty=pack.id,
        specialty_version=pack.version,
        jurisdiction=patient.organisation.jurisdiction,
        language=language,
    )
    keys.create_space(case.pk, tenant=patient.organisation_id)
    with transaction.atomic():
        case.save()
        Intake.objects.create(case=case)
        FollowUp.objects.create(case=case, day=0, due_at=clock.now())
        if patient.user_id:
            _grant(case, patient.user_id, CaseRole.Role.PATIENT, by)
        if scribe and by.id:
            _grant(case, by.id, CaseRole.Role.SUPPORT_SCRIBE, by)
        make_checklist(case)
        CaseEvent.objects.create(case=case, verb="start", to_state=case.state, by=by.ref)
        audit.record("case.start", by=by, thing=f"case:{case.pk}", space=case.pk)
        deadlines.set_for(case)
    return case


def _require_may_start(patient: Person, by: Principal, scribe: bool) -> None:
    own = patient.user_id is not None and patient.user_id == by.id
    by_scribe = scribe and "support_scribe" in by.roles and by.organisation_id == patient.organisation_id
    if by.kind != "system" and not (by.active and strong_enough(by) and (own or by_scribe)):
        raise NotAllowed(_("You can start a case only for yourself."))


def _grant(case: Case, user_id: Any, role: str, by: Principal) -> None:
    CaseRole.objects.create(case=case, user_id=user_id, role=role, granted_by=by.ref, confirmed_at=clock.now())


def make_checklist(case: Case) -> None:
    """Add the rows of the specialty's record checklist that the case does not have yet."""
    have = set(case.record_requests.values_list("item", flat=True))
    RecordRequest.objects.bulk_create(
        RecordRequest(case=case, item=item.code, mandatory=item.need == "mandatory")
        for item in registry.specialty(case.specialty).records
        if item.code not in have
    )


def choose_specialty(case: Case, specialty: str, *, by: Principal) -> None:
    """Change the specialty of a draft; answers to other specialties' questions are kept."""
    require("story.edit", case, by)
    pack = registry.specialty(specialty)
    with transaction.atomic():
        if pack.id != case.specialty:
            _ask_gates_again(case.intake)
        case.specialty, case.specialty_version = pack.id, pack.version
        case.save(update_fields=["specialty", "specialty_version"])
        case.record_requests.filter(status=RecordRequest.Status.MISSING).delete()
        make_checklist(case)
        _saved(case, "specialty", by)


def _ask_gates_again(intake: Intake) -> None:
    """Another specialty has other warning signs: nobody may be past them unasked."""
    intake.screening_passed = intake.red_flags_clear = None
    intake.redirect_code = ""
    intake.save(update_fields=["screening_passed", "red_flags_clear", "redirect_code"])


def answer_screening(case: Case, answers: dict[str, str], *, by: Principal) -> bool:
    """Store the suitability answers (`{code: "yes"|"no"}`); True when a remote opinion fits."""
    require("story.edit", case, by)
    questions = registry.specialty(case.specialty).suitability
    _require_all_answered([q.code for q in questions], answers)
    failed = [q.code for q in questions if q.blocks and answers[q.code] != q.fits]
    intake = case.intake
    intake.screening = answers
    intake.screening_passed = not failed
    intake.redirect_code = failed[0] if failed else ""
    _save_intake(intake, "screening", by)
    return not failed


def answer_red_flags(case: Case, answers: dict[str, str], *, by: Principal) -> bool:
    """Store the warning-sign answers; False when any is yes: the form stops there."""
    require("story.edit", case, by)
    _require_all_answered([flag.code for flag in registry.specialty(case.specialty).red_flags], answers)
    intake = case.intake
    intake.red_flags = answers
    intake.red_flags_clear = "yes" not in answers.values()
    _save_intake(intake, "red_flags", by)
    return bool(intake.red_flags_clear)


def _require_all_answered(codes: list[str], answers: dict[str, str]) -> None:
    if any(answers.get(code) not in ("yes", "no") for code in codes):
        raise BadInput(_("Please answer every question with yes or no."))


def save_section(case: Case, section: str, content: dict[str, Any], *, by: Principal) -> None:
    """Store one part of the intake (autosave uses this too)."""
    require("story.edit", case, by)
    if section not in SECTIONS:
        raise BadInput(_("There is no such part of the form."))
    if any(len(str(value)) > MAX_ANSWER for value in content.values()):
        raise BadInput(_("One of the answers is too long. Please shorten it to %(n)s characters.") % {"n": MAX_ANSWER})
    setattr(case.intake, section, content)
    _save_intake(case.intake, section, by)


def save_first_opinion(case: Case, *, by: Principal, planned_treatment_on: date | None = None, **facts: str) -> None:
    """Store diagnosis, treatment, doctor and institution of the first opinion and the planned date."""
    require("story.edit", case, by)
    allowed = {"diagnosis", "treatment", "doctor", "institution", "on"}
    case.first_opinion = {key: value.strip()[:MAX_ANSWER] for key, value in facts.items() if key in allowed}
    case.planned_treatment_on = planned_treatment_on
    with transaction.atomic():
        case.save(update_fields=["first_opinion", "planned_treatment_on"])
        _saved(case, "first_opinion", by)


def save_questions(case: Case, texts: list[str], *, by: Principal) -> None:
    """Replace the case's questions; the gate: one to three, each long enough to be answered."""
    require("story.edit", case, by)
    wanted = [" ".join(text.split()) for text in texts if text.strip()]
    if problem := question_problem(wanted):
        raise BadInput(problem)
    with transaction.atomic():
        case.questions.all().delete()
        for position, text in enumerate(wanted, start=1):
            Question.objects.create(case=case, position=position, text=text)
        case.headline = wanted[0][:120]
        case.save(update_fields=["headline"])
        _saved(case, "questions", by)


def question_problem(texts: list[str]) -> Any:
    """Why these questions cannot be sent yet, as one sentence, or None."""
    if not texts:
        return _("Please write at least one question.")
    if len(texts) > 3:
        return _("Please keep to three questions, the ones that matter most to you.")
    if any(len(text) < 15 or " " not in text for text in texts):
        return _("Please write each question as a full sentence, so that a doctor can answer it.")
    if any(len(text) > MAX_QUESTION for text in texts):
        return _("Please shorten each question to %(n)s characters.") % {"n": MAX_QUESTION}
    return None


def recap_content(case: Case) -> dict[str, Any]:
    """The one-page case: who, what for, the first opinion, the story, the questions."""
    intake = case.intake
    return {
        "patient": {"name": case.patient.full_name, "birth_date": case.patient.birth_date},
        "specialty": case.specialty,
        "goals": intake.goals,
        "symptoms": intake.symptoms,
        "answers": intake.answers,
        "history": intake.history,
        "first_opinion": case.first_opinion,
        "planned_treatment_on": case.planned_treatment_on.isoformat() if case.planned_treatment_on else "",
        "questions": [question.text for question in case.questions.all()],
    }


def _digest(case: Case, content: dict[str, Any]) -> str:
    # The case id salts the hash, so that equal stories of two people do not show as equal.
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{case.pk}\n{canonical}".encode()).hexdigest()


def _require_before_triage(case: Case, by: Principal) -> None:
    """What triage and the specialist work with does not change under their hands."""
    require("story.correct", case, by)
    if case.state not in BEFORE_TRIAGE:
        raise NotAllowed(_("The case is with the doctors already; please write a message instead."))


def confirm_recap(case: Case, *, by: Principal) -> Recap:
    """The patient confirms the one-page case as it reads now."""
    _require_before_triage(case, by)
    content = recap_content(case)
    with transaction.atomic():
        recap = Recap.objects.create(
            case=case,
            number=case.recaps.count() + 1,
            content=content,
            digest=_digest(case, content),
            confirmed_at=clock.now(),
            confirmed_by=by.ref,
        )
        audit.record("recap.confirm", by=by, thing=f"recap:{recap.pk}", space=case.pk)
    return recap


def recap_is_current(case: Case) -> bool:
    """Whether what the patient last confirmed is still what the case says."""
    last = case.recaps.exclude(confirmed_at=None).order_by("-number").first()
    return bool(last and last.digest == _digest(case, recap_content(case)))


def correct_recap(case: Case, *, by: Principal, questions: list[str], remark: str = "") -> None:
    """In the recap step the patient may reword the questions and add a remark to the goals."""
    _require_before_triage(case, by)
    wanted = [" ".join(text.split()) for text in questions if text.strip()]
    if problem := question_problem(wanted):
        raise BadInput(problem)
    with transaction.atomic():
        case.questions.all().delete()
        for position, text in enumerate(wanted, start=1):
            Question.objects.create(case=case, position=position, text=text)
        case.intake.goals = case.intake.goals | ({"remark": remark[:MAX_ANSWER]} if remark else {})
        _save_intake(case.intake, "goals", by)


def _save_intake(intake: Intake, part: str, by: Principal) -> None:
    with transaction.atomic():
        intake.saved_at = clock.now()
        intake.save()
        _saved(intake.case, part, by)


def _saved(case: Case, part: str, by: Principal) -> None:
    audit.record("story.save", by=by, thing=f"case:{case.pk}", space=case.pk, code=part)
