"""Loads the demo: people, then each case by the same verbs people use, on the days its story says."""

import sys
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

from consilium.access.principals import SYSTEM, Principal
from consilium.cases.actions import advance, desk, intake, offers, team
from consilium.cases.actions import records as case_records
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.consents import actions as consents
from consilium.core import clock, jobs
from consilium.demo import files, opinions, people
from consilium.opinions.actions import opinion as opinion_actions
from consilium.opinions.actions import quality
from consilium.packs import registry
from consilium.people.models import Organisation, Person, User
from consilium.people.queries import principal_of
from consilium.records.models import Record, Upload
from consilium.talks import actions as talks
from consilium.vault import blobs

CASES = Path(__file__).parent / "cases"
ORDER = [
    State.DRAFT, State.SUBMITTED, State.COLLECTING, State.RECAP, State.TRIAGE, State.OFFERED, State.BLIND_READ,
    State.IN_REVIEW, State.QUALITY_CHECK, State.SIGNED, State.DELIVERED,
]  # fmt: skip


def by(person: Person) -> Principal:
    """The person with a fresh second step."""
    assert person.user is not None
    return principal_of(person.user, strong=True, fresh=True)


def load() -> None:
    """Fill an empty installation. Takes about a minute: every file goes through the sandbox."""
    org = people.organisation()
    cast = people.staff(org) | people.specialists(org)
    cast["ben"] = people.account(org, "Ben", "Berger", "en")
    cast["eve"] = people.account(org, "Eve", "Stranger", "en")
    for path in sorted(CASES.glob("*.toml")):
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        _say(f"  {told['patient']['given']} {told['patient']['family']}: {told['specialty']}, {told['state']}")
        Story(told, path.stem, org, cast).tell()
    jobs.drain(raise_errors=False)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Story:
    """One case of the demo on its way to the state its file names."""

    def __init__(self, told: dict[str, Any], slug: str, org: Organisation, cast: dict[str, Person]) -> None:
        self.told, self.slug, self.org, self.cast = told, slug, org, cast
        self.goal = ORDER.index(State(told["state"]))
        self.began = clock.now() - timedelta(days=told["days_ago"])
        self.hours = 0.0
        self.case: Case
        self.patient: Person

    def tell(self) -> None:
        """Walk the path step by step; the clock stands on the day of each step."""
        steps = [self.submit, self.check_in, self.complete, self.confirm, self.offer, self.accept]
        steps += [self.lock, self.sign, self.review, self.deliver]
        self.at(self.prepare, hours=1)
        for number, step in enumerate(steps, start=1):
            if number > self.goal:
                break
            self.at(step, hours=self.pace())
        self.at(self.unfinished, hours=1)

    def pace(self) -> float:
        """Hours between steps, so that the last one was taken a few hours ago: offers and deadlines are still fresh."""
        return max(0.5, (self.told["days_ago"] * 24 - 5) / max(1, self.goal))

    def at(self, step: Any, hours: float) -> None:
        self.hours += hours
        when = min(self.began + timedelta(hours=self.hours), clock.now() - timedelta(minutes=20))
        with clock.frozen(when):
            step()
            if hasattr(self, "case"):
                self.case.refresh_from_db()

    # -- the patient's part
    def prepare(self) -> None:
        person = self.told["patient"]
        self.patient = people.account(
            self.org,
            person["given"],
            person["family"],
            self.told["language"],
            birth_date=person["born"],
            sex=person["sex"],
            telephone=person["telephone"],
            contact={"city": person["city"], "country": person["country"]},
        )
        me = by(self.patient)
        self.case = intake.start_case(self.patient, self.told["specialty"], by=me, language=self.told["language"])
        self.answer(me)
        for record in self.told.get("records", []):
            self.send(record, me)
        jobs.drain(raise_errors=False)
        self.correct(me)
        if self.goal:
            clauses = [clause.code for clause in registry.jurisdiction(self.case.jurisdiction).consents]
            consents.give(
                self.case.pk, clauses, jurisdiction=self.case.jurisdiction, language=self.case.language, by=me
            )
            intake.confirm_recap(self.case, by=me)

    def answer(self, me: Principal) -> None:
        told, pack = self.told, registry.specialty(self.told["specialty"])
        if told["questions"]:
            intake.answer_screening(self.case, {q.code: q.fits for q in pack.suitability}, by=me)
            intake.answer_red_flags(self.case, {flag.code: "no" for flag in pack.red_flags}, by=me)
        goals = told["goals"]
        for section in ("goals", "symptoms", "history"):
            if told[section]:
                intake.save_section(self.case, section, told[section], by=me)
        answers = told["answers"] | ({"worry": goals["worry"]} if "worry" in goals else {})
        intake.save_section(self.case, "answers", answers, by=me)
        if first := told["first"]:
            planned = (clock.now() + timedelta(days=first["planned_in_days"] + told["days_ago"])).date()
            keep = ("diagnosis", "treatment", "institution")
            facts = {key: first[key] for key in keep} | {"doctor": first["by"]}
            intake.save_first_opinion(self.case, by=me, planned_treatment_on=planned, **facts)
        if told["questions"]:
            intake.save_questions(self.case, told["questions"], by=me)

    def send(self, record: dict[str, Any], me: Principal) -> None:
        info = blobs.put([files.make(record, self.told, self.slug)], space=self.case.pk, tenant=self.org.pk)
        case_records.add_upload(self.case, info, record["name"], by=me)

    def correct(self, me: Principal) -> None:
        """Type and date of what was read, as a patient would correct them."""
        wanted = {record["name"]: record for record in self.told.get("records", [])}
        for upload in Upload.objects.filter(space=self.case.pk):
            told = wanted.get(upload.name)
            for record in Record.objects.filter(upload=upload, status__in=("ready", "flagged")):
                if told and "kind" in told:
                    when = (clock.now() + timedelta(days=self.told["days_ago"] - told["days_ago"])).date()
                    day = min(when, clock.now().date()).isoformat()
                    case_records.correct_record(
                        self.case, record, by=me, kind=told["kind"], title=told["subject"], clinical_date=day
                    )

    # -- the desk's part
    def submit(self) -> None:
        advance(self.case, "submit", by=by(self.patient))

    def check_in(self) -> None:
        dora = by(self.cast["dora"])
        desk.check_identity(
            self.case, by=dora, jurisdiction=self.told["jurisdiction"], procedure=self.told.get("procedure", "")
        )
        clauses = [clause.code for clause in registry.jurisdiction(self.case.jurisdiction).consents]
        consents.give(
            self.case.pk,
            clauses,
            jurisdiction=self.case.jurisdiction,
            language=self.case.language,
            by=by(self.patient),
        )
        advance(self.case, "check_in", by=dora)

    def complete(self) -> None:
        dora = by(self.cast["dora"])
        for request in self.case.record_requests.filter(mandatory=True).exclude(status__in=("here", "waived")):
            reason = {"en": "Covered by the letter.", "de": "Steht im Arztbrief."}[self.case.language]
            desk.set_record_status(self.case, request.item, "waived", by=dora, note=reason)
        advance(self.case, "complete_records", by=dora)

    def confirm(self) -> None:
        intake.confirm_recap(self.case, by=by(self.patient))
        advance(self.case, "confirm_recap", by=by(self.patient))

    def offer(self) -> None:
        tess, dora = by(self.cast["tess"]), by(self.cast["dora"])
        desk.set_triage(self.case, by=tess, urgency="routine", complexity="complex", re_reads=[])
        letters = Record.objects.filter(space=self.case.pk, kind="letter")
        desk.mark_conclusions(self.case, {letter: opinions.concluding_pages(letter) for letter in letters}, by=tess)
        offers.offer(self.case, [self.cast[self.told["specialist"]].user.specialist], by=dora)

    # -- the specialist's part
    @property
    def doctor(self) -> Principal:
        return by(self.cast[self.told["specialist"]])

    def accept(self) -> None:
        offers.declare_conflicts(self.case, by=self.doctor, none=True)
        offers.accept(self.case, by=self.doctor)

    def lock(self) -> None:
        opinions.read_blind(self.case, self.told["blind"], by=self.doctor)

    def sign(self) -> None:
        opinions.write(self.case, self.told["opinion"], by=self.doctor)
        opinion_actions.sign(self.case, by=self.doctor)

    def review(self) -> None:
        quinn = by(self.cast["quinn"])
        ticks = {item.code: True for item in registry.specialty(self.case.specialty).release}
        quality.save(self.case, by=quinn, checklist=ticks)
        quality.pass_quality(self.case, by=quinn)
        if self.told["state"] == State.DELIVERED:
            self.invite()
        jobs.drain(raise_errors=False)

    def invite(self) -> None:
        """Ben reads along; Dr Weiss gets his link."""
        me = by(self.patient)
        grant = team.invite_proxy(self.case, self.cast["ben"].user.email, "proxy_view", by=me)
        team.confirm_invitation(grant, by=by(self.cast["ben"]))
        recipient = {"name": self.told["first"]["by"], "institution": self.told["first"]["institution"]}
        team.make_link(self.case, by=me, recipient=recipient)

    def deliver(self) -> None:
        """A question about the report, its answer, and the addendum that followed."""
        told = self.told["opinion"]["clarification"]
        talks.ask(self.case, by=by(self.patient), question=told["question"])
        self.case.refresh_from_db()
        talks.answer(self.case.clarifications.get(), by=self.doctor, text=told["answer"])
        opinions.add_addendum(self.case, told, by=self.doctor)
        jobs.drain(raise_errors=False)

    def unfinished(self) -> None:
        """What stands open at the end of the story."""
        if asked := self.told.get("asked"):
            dora = by(self.cast["dora"])
            desk.set_record_status(self.case, asked["item"], "asked", by=dora, note=asked["note"], asked_of=asked["of"])
        if self.told["state"] == State.IN_REVIEW:
            opinions.write(self.case, self.told["opinion"], by=self.doctor)
        if talk := self.told.get("talk"):
            talks.send_message(self.case, by=by(self.patient), audience="patient_desk", body=talk["patient"])
            talks.send_message(self.case, by=by(self.cast["dora"]), audience="patient_desk", body=talk["desk"])


def sign_in_help() -> str:
    """How to sign in as each persona, for the console."""
    from django.conf import settings

    rows = []
    for user in User.objects.filter(is_demo=True).select_related("person", "specialist").order_by("date_joined"):
        name = user.specialist.name if hasattr(user, "specialist") else user.person.full_name
        roles = ", ".join(user.memberships.values_list("role", flat=True)) or _private(user)
        rows.append(f"    {name:22} {roles}")
    url = f"{settings.PUBLIC_URL}/demo/"
    return "\n".join([f"Demo mode. Open {url} and choose whom to sign in as:", *rows])


def _private(user: User) -> str:
    roles = sorted(set(user.case_roles.values_list("role", flat=True)))
    return ", ".join(roles).replace("_", " ") or "stranger (sees nothing)"


__all__ = ["SYSTEM", "load", "sign_in_help"]
