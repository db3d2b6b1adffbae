"""Seeded faults in policy, workflow, blinding, scopes, sessions and links: each must be noticed.

A mutant is a real change of the code that runs (a grant added, a line of a function taken out), made in this process
for the time of the checks, which pass without it; a mutant that survives is a gap.
The effective tables are compared with snapshots/policy.txt, which was read against the product's description.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import FunctionType
from typing import Any
from uuid import UUID

import pytest

from consilium.access import policy, rules, scopes, visibility
from consilium.access.policy import ACTIONS, ROLES
from consilium.access.principals import ANONYMOUS, SYSTEM, Principal
from consilium.cases import workflow
from consilium.cases.actions import advance, team
from consilium.cases.models import Case, CaseRole, GuestLink
from consilium.cases.models.case import Case as CaseModel
from consilium.cases.states import Phase
from consilium.core import audit, clock
from consilium.core.errors import NotAllowed, NotFound, Refusal, StepUpNeeded
from consilium.people import queries as people
from consilium.records.models import Preview, Record, RecordFile
from consilium.talks.models import Message
from consilium.testing import cast as casting
from consilium.testing import factories
from consilium.testing.cast import Cast
from consilium.testing.snapshots import matches
from consilium.web import bytes_gate
from consilium.web import principal as principals
from consilium.web.tests.company import link
from consilium.web.tests.visitor import cookie_of, guest_cookie, undone

pytestmark = pytest.mark.django_db
SNAPSHOT = Path(__file__).parent / "snapshots" / "policy.txt"
PHASES = [str(phase) for phase in Phase]


# --- the checks: fast, and each can fail ---


def effective_tables() -> str:
    """What policy, workflow and visibility amount to, asked through the functions that everything else asks."""
    lines = []
    for name, action in ACTIONS.items():
        for role in ROLES:
            phases = [phase for phase in PHASES if rules.granted(name, phase, frozenset({role}))]
            if phases:
                lines.append(f"{name}{' !' if action.step_up else ''} {role}: {' '.join(phases)}")
    for verb in workflow.VERBS:
        for row in workflow.TABLE:
            if row.verb == verb:
                needs, mark = " ".join(row.needs) or "-", " !" if row.step_up else ""
                lines.append(
                    f"{verb}{mark} {' '.join(sorted(row.sources))} > {row.target}: {' '.join(sorted(row.who))}"
                )
                lines.append(f"    needs {needs}")
    lines.append(f"organisation-wide: {' '.join(sorted(policy.ORGANISATION_WIDE))}")
    lines += [f"{name} hears: {' '.join(r for r in ROLES if visibility.hears(name, frozenset({r})))}"
              for name in visibility.AUDIENCES]  # fmt: skip
    lines += [f"sees {status}: {' '.join(r for r in ROLES if visibility.sees_record(status, frozenset({r})))}"
              for status in Record.Status.values]  # fmt: skip
    return "\n".join(lines) + "\n"


def check_tables(_scene: "Scene") -> None:
    assert effective_tables() == SNAPSHOT.read_text()


def check_blinding_functions(_scene: "Scene") -> None:
    """Who reads blind sees no conclusion in any phase, whatever else they are."""
    everything = frozenset(ROLES)
    for phase in PHASES:
        assert not visibility.sees_conclusion(everything, phase, reads_blind=True)
    assert visibility.sees_conclusion(frozenset({"specialist"}), "review", reads_blind=False)
    assert not visibility.sees_conclusion(frozenset({"specialist"}), "blind", reads_blind=False)
    assert visibility.visible_pages(3, [1], conclusion=False) == [0, 2]
    assert visibility.visible_pages(3, [1], conclusion=True) == [0, 1, 2]
    assert not visibility.sees_original([1], conclusion=False)
    assert visibility.sees_original([], conclusion=False)


class _Thing:
    """A governed thing in the review phase on which everybody is the specialist and the patient."""

    phase = "review"

    def roles_of(self, principal: Principal) -> frozenset[str]:
        return frozenset({"specialist", "patient"})


def check_rules(_scene: "Scene") -> None:
    by = Principal(kind="user", id=UUID(int=1), strong=True, fresh=True)
    assert rules.may("opinion.write", _Thing(), by)
    assert not rules.may("opinion.write", _Thing(), replace(by, strong=False))
    assert not rules.may("opinion.write", _Thing(), replace(by, active=False))
    assert not rules.may("quality.review", _Thing(), by)
    assert not rules.may("opinion.write", _Thing(), ANONYMOUS)
    with pytest.raises(NotAllowed):
        rules.require("quality.review", _Thing(), by)
    with pytest.raises(StepUpNeeded):
        rules.require("record.download_all", _Thing(), replace(by, fresh=False))
    with pytest.raises(KeyError):
        rules.may("unheard.of", _Thing(), by)


class Scene:
    """Cases and people of every kind, made once for all mutants."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        for name in cast.MAKERS:
            getattr(cast, name)
        self.delivered = factories.case_in("delivered", cast)
        olga = casting.member("Olga", "Other", birth_date="1971-01-01")
        self.other = factories.case_in("delivered", cast, patient=olga)
        self.blind = factories.case_in("blind_read", cast)
        self.review = factories.case_in("in_review", cast)
        self.letter = Record.objects.filter(space=self.blind.pk).first()
        self.letter.pages, self.letter.conclusion_pages = 2, [0]
        self.letter.save()
        self.file = RecordFile.objects.get(record=self.letter)
        for kind, index in (("thumbnail", 0), ("page", 0), ("page", 1)):
            Preview.objects.create(file=self.file, kind=kind, index=index, blob=self.file.blob, media_type="image/png")
        for status in ("undecided", "removed"):
            # from before the marking: later papers are closed to a blind reader anyway
            factories.plain_record(self.blind, status, status=status, added_at=self.blind.created_at)
        for case in (self.blind, self.delivered):
            for audience in Message.Audience.values:
                Message.objects.create(case=case, audience=audience, by="system", role="coordinator", body="Words.")
        self._grants()
        self.link, self.revoked, self.expired = (
            link(self.delivered),
            link(self.delivered, revoked_at=clock.now()),
            link(self.delivered, expires_at=clock.now() - timedelta(hours=1)),
        )
        for name in ("blind", "delivered", "review"):
            setattr(self, name, Case.objects.get(pk=getattr(self, name).pk))

    def _grants(self) -> None:
        ago, cast = clock.now() - timedelta(hours=1), self.cast
        for member, fields in (
            (cast.ben, {"confirmed_at": None}),
            (cast.sam, {"confirmed_at": ago, "ended_at": ago}),
            (cast.eve, {"confirmed_at": ago, "expires_at": ago}),
        ):
            for case in (self.blind, self.delivered):
                CaseRole.objects.create(case=case, user=member.user, role="proxy_act", granted_by="system", **fields)
        suspended = cast.okafor.user
        suspended.suspended_at = ago
        suspended.save()
        CaseRole.objects.create(
            case=self.delivered, user=suspended, role="specialist", granted_by="system", confirmed_at=ago
        )

    def seen(self, by: Principal, action: str = "case.view") -> set[UUID]:
        return set(scopes.cases(by, action).values_list("pk", flat=True))


def check_scopes_of_cases(scene: Scene) -> None:
    cast, mine = scene.cast, {scene.blind.pk, scene.delivered.pk, scene.review.pk}
    assert scene.seen(cast.anna.by) == mine
    assert scene.seen(cast.dora.by) == mine | {scene.other.pk}
    assert scene.seen(cast.chen.by) == mine | {scene.other.pk}
    for nobody in (cast.ben, cast.sam, cast.eve, cast.rival, cast.novak, cast.pia):
        assert scene.seen(nobody.by) == set()
        for case in (scene.blind, scene.delivered):
            assert not case.roles_of(nobody.by) & {"proxy_act", "coordinator", "specialist"}
    assert scene.seen(cast.anna.weak) == set() and scene.seen(ANONYMOUS) == set()
    assert scene.seen(cast.anna.by, "report.view") == {scene.delivered.pk}
    assert scene.seen(people.principal_of(cast.okafor.user, strong=True, fresh=True)) == set()
    with pytest.raises(NotFound):
        scopes.case(cast.chen.by, scene.blind.pk, "report.view")


def check_scopes_of_links(scene: Scene) -> None:
    assert scene.seen(team.guest_principal(scene.link), "report.view") == {scene.delivered.pk}
    for closed in (scene.revoked, scene.expired):
        assert not closed.holds(closed.pk)
        assert not team.guest_principal(closed).active
        guest = Principal(kind="guest", id=closed.pk, strong=True)
        assert scene.seen(guest, "report.view") == set()
        assert scene.delivered.roles_of(guest) == frozenset()


def check_scopes_of_content(scene: Scene) -> None:
    cast, blind, done = scene.cast, scene.blind, scene.delivered
    chen, quinn, anna = cast.chen.by, cast.quinn.by, cast.anna.by
    weiss = team.guest_principal(scene.link)
    assert [record.pk for record in scopes.records(chen, blind)] == [scene.letter.pk]
    assert scopes.records(anna, blind).count() == 3
    assert scopes.records(quinn, blind).count() == 0 and scopes.records(weiss, done).count() == 0
    with pytest.raises(NotFound):
        scopes.record(anna, done, scene.letter.pk)
    assert not scopes.sees_conclusion(chen, blind)
    assert scopes.visible_pages(chen, blind, scene.letter) == [1]
    assert not scopes.sees_original(chen, blind, scene.letter)
    assert scopes.sees_original(anna, blind, scene.letter)
    assert scopes.reports(anna, done).count() == 1 and scopes.reports(cast.tess.by, done).count() == 0
    with pytest.raises(NotFound):
        scopes.report_anywhere(cast.tess.by, done.reports.get().pk)
    assert {m.audience for m in scopes.messages(weiss, done)} == {"care_team"}
    assert {m.audience for m in scopes.messages(anna, done)} == {"patient_desk", "patient_specialist", "care_team"}
    assert not scopes.messages(quinn, blind)
    assert {m.audience for m in scopes.messages(chen, blind)} == {"staff"}
    assert {m.audience for m in scopes.messages(chen, done)} == {"staff", "patient_specialist", "care_team"}
    assert not scopes.messages(cast.eve.by, done) and not scopes.clarifications(cast.eve.by, done)
    assert not scopes.uploads(chen, blind) and scopes.uploads(anna, blind)


def check_blind_while_halted(scene: Scene) -> None:
    """Urgency interrupts the blind read and does not end it."""
    with undone():
        advance(scene.blind, "raise_urgent", by=scene.cast.chen.by, note="Now.")
        halted = Case.objects.get(pk=scene.blind.pk)
        assert not scopes.sees_conclusion(scene.cast.chen.by, halted)
    scene.blind = Case.objects.get(pk=scene.blind.pk)


def check_verbs(scene: Scene) -> None:
    cast, review = scene.cast, scene.review
    refusals: list[tuple[str, Principal, type[Refusal]]] = [
        ("hand_back", cast.anna.by, NotAllowed),
        ("hand_back", cast.chen.weak, NotAllowed),
        ("hand_back", replace(cast.chen.by, active=False), NotAllowed),
        ("sign", cast.chen.stale, StepUpNeeded),
        ("sign", cast.chen.by, Refusal),
        ("deliver", SYSTEM, NotAllowed),
    ]
    for verb, by, refusal in refusals:
        with undone(), pytest.raises(refusal):
            advance(review, verb, by=by, note="A reason.")
    again = Case.objects.get(pk=review.pk)
    assert (again.state, again.version) == (review.state, review.version)


def check_sessions(scene: Scene) -> None:
    cast = scene.cast
    cast.anna.user.refresh_from_db()  # a fault may have cut an earlier run short

    def by(cookie: str) -> Principal:
        return bytes_gate.principal_of({"consilium": cookie, "__Host-consilium": cookie})

    assert by(cookie_of(cast.anna)).strong and by(cookie_of(cast.anna)).fresh
    assert not by(cookie_of(cast.anna, step="none")).strong
    assert not by(cookie_of(cast.anna, step="stale")).fresh
    assert not by(cookie_of(cast.okafor)).active
    assert by(guest_cookie(scene.link.pk)).active and not by(guest_cookie(scene.revoked.pk)).active
    kept = cookie_of(cast.anna)
    with clock.frozen(clock.now() + timedelta(hours=1)):
        assert by(kept).kind == "anonymous"
    with undone():
        cast.anna.user.set_password("another correct horse")
        cast.anna.user.save()
        assert by(kept).kind == "anonymous"
    cast.anna.user.refresh_from_db()
    assert _borrowed_second_step(cast) is None


def _borrowed_second_step(cast: Cast) -> Any:
    """A second step that somebody else passed in the same browser does not count."""
    from importlib import import_module

    from django.conf import settings

    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key=cookie_of(cast.anna))
    session[principals.AUTH_USER_KEY] = str(cast.chen.user.pk)
    return principals.second_step_at(session)


def check_bytes(scene: Scene) -> None:
    chen, anna, eve = ({"consilium": cookie_of(getattr(scene.cast, name))} for name in ("chen", "anna", "eve"))
    file, report = scene.file.pk, scene.delivered.reports.get().pk

    def opened(cookies: dict[str, str], thing: UUID, part: str) -> bool:
        with undone():
            return bytes_gate.open_record(cookies, thing, part) is not None

    assert opened(anna, file, "file:original") and opened(anna, file, "file:page:0")
    assert opened(chen, file, "file:page:1")
    for part in ("file:original", "file:page:0", "file:thumbnail"):
        assert not opened(chen, file, part), part
    for part in ("file:original", "file:page:1"):
        assert not opened(eve, file, part)
    assert opened(anna, report, "report:clinical") and not opened(eve, report, "report:clinical")
    before = audit.for_space(scene.blind.pk).count()
    with undone():
        bytes_gate.open_record(chen, file, "file:page:1")
        assert audit.for_space(scene.blind.pk).count() == before + 1
        bytes_gate.open_record(anna, file, "file:original")
        assert audit.for_space(scene.blind.pk).count() == before + 2


def check_team(scene: Scene) -> None:
    cast, grant = scene.cast, scene.delivered.case_roles.get(user=scene.cast.ben.user)
    with undone(), pytest.raises(NotFound):
        team.confirm_invitation(grant, by=cast.eve.by)
    with undone(), pytest.raises(NotFound):
        team.confirm_invitation(grant, by=cast.ben.weak)
    with undone(), pytest.raises(NotAllowed):
        team.end_grant(grant, by=cast.eve.by)
    with undone(), pytest.raises(NotAllowed):
        team.invite_proxy(scene.delivered, cast.eve.user.email, "proxy_act", by=cast.ben.by)
    with undone(), pytest.raises(NotAllowed):
        team.revoke_link(scene.link, by=cast.eve.by)
    with undone():
        made = factories.link(scene.delivered, cast.anna)
        assert team.open_link(made.token, made.code).pk == made.link.pk
        for _attempt in range(team.MAX_CODE_ATTEMPTS):
            with pytest.raises(NotFound):
                team.open_link(made.token, "no")
        with pytest.raises(NotFound):
            team.open_link(made.token, made.code)
    with undone():
        made = factories.link(scene.delivered, cast.anna)
        team.revoke_link(made.link, by=cast.anna.by)
        with pytest.raises(NotFound):
            team.open_link(made.token, made.code)


CHECKS: tuple[Callable[[Scene], None], ...] = (
    check_tables,
    check_blinding_functions,
    check_rules,
    check_scopes_of_cases,
    check_scopes_of_links,
    check_scopes_of_content,
    check_blind_while_halted,
    check_verbs,
    check_sessions,
    check_bytes,
    check_team,
)


# --- the mutants ---


@dataclass(frozen=True)
class Grant:
    """One more phase for a role."""

    action: str
    role: str
    phase: str

    @contextmanager
    def planted(self) -> Iterator[None]:
        before = ACTIONS[self.action]
        more = (*before.grants.get(self.role, ()), self.phase)
        ACTIONS[self.action] = replace(before, grants=before.grants | {self.role: more})
        try:
            yield
        finally:
            ACTIONS[self.action] = before


@dataclass(frozen=True)
class NoStepUp:
    """An action that no longer asks for a fresh second step."""

    action: str

    @contextmanager
    def planted(self) -> Iterator[None]:
        before = ACTIONS[self.action]
        ACTIONS[self.action] = replace(before, step_up=False)
        try:
            yield
        finally:
            ACTIONS[self.action] = before


@dataclass(frozen=True)
class Verb:
    """A changed row of the workflow."""

    verb: str
    field: str
    change: Callable[[Any], Any]

    @contextmanager
    def planted(self) -> Iterator[None]:
        before = workflow.TABLE
        changed = [
            replace(row, **{self.field: self.change(getattr(row, self.field))}) if row.verb == self.verb else row
            for row in before
        ]
        workflow.TABLE = tuple(changed)  # type: ignore[misc]
        try:
            yield
        finally:
            workflow.TABLE = before  # type: ignore[misc]


@dataclass(frozen=True)
class Line:
    """A function with some of its words changed; wherever it was imported to, the changed one runs."""

    function: Any
    words: str
    instead: str = ""

    @contextmanager
    def planted(self) -> Iterator[None]:
        function = inspect.unwrap(self.function)
        source = textwrap.dedent(inspect.getsource(function))
        assert self.words in source, f"{function.__qualname__} has changed: renew this mutant"
        made: dict[str, Any] = {}
        exec(source.replace(self.words, self.instead), function.__globals__, made)
        changed = made[function.__name__]
        assert isinstance(changed, FunctionType)
        before = function.__code__
        function.__code__ = changed.__code__
        try:
            yield
        finally:
            function.__code__ = before


@dataclass(frozen=True)
class Listed:
    """An entry added to a table of visibility."""

    audience: str
    role: str

    @contextmanager
    def planted(self) -> Iterator[None]:
        before = visibility.AUDIENCES[self.audience]
        visibility.AUDIENCES[self.audience] = before | {self.role}
        try:
            yield
        finally:
            visibility.AUDIENCES[self.audience] = before


def _advance_lines(words: str, instead: str = "") -> Line:
    return Line(inspect.getmodule(advance).advance, words, instead)  # type: ignore[union-attr]


MODULE = inspect.getmodule(advance)
# fmt: off
MUTANTS: tuple[Any, ...] = (
    Grant("first_opinion.view", "specialist", "blind"),
    Grant("first_opinion.view", "re_reader", "blind"),
    Grant("record.view", "offered_specialist", "matching"),
    Grant("key.read", "coordinator", "desk"),
    Grant("key.make", "proxy_view", "released"),
    Grant("record.view", "treating_clinician", "released"),
    Grant("record.view", "interpreter", "blind"),
    Grant("record.view", "quality_reviewer", "released"),
    Grant("story.edit", "proxy_view", "preparing"),
    Grant("story.view", "administrator", "review"),
    Grant("case.view", "sponsor", "desk"),
    Grant("report.view", "patient", "signed"),
    Grant("report.view", "proxy_view", "signed"),
    Grant("team.manage", "proxy_act", "review"),
    Grant("opinion.view_draft", "coordinator", "review"),
    Grant("message.view", "sponsor", "released"),
    Grant("quality.review", "specialist", "quality"),
    Grant("access_history.view", "coordinator", "review"),
    NoStepUp("link.manage"), NoStepUp("record.download_all"), NoStepUp("legal_hold.set"), NoStepUp("team.manage"),
    NoStepUp("key.make"),
    NoStepUp("erasure.request"),
    Verb("sign", "step_up", lambda _old: False),
    Verb("pass_quality", "who", lambda old: old | {"specialist"}),
    Verb("lock_blind_read", "needs", lambda old: old[1:]),
    Verb("deliver", "sources", lambda old: old | {"in_review"}),
    Verb("withdraw", "who", lambda old: old | {"proxy_view"}),
    Verb("erase", "needs", lambda old: tuple(need for need in old if need != "no_legal_hold")),
    Verb("submit", "needs", lambda old: tuple(need for need in old if need != "consent_given")),
    Listed("staff", "patient"), Listed("patient_desk", "specialist"), Listed("care_team", "sponsor"),
    Line(rules.granted, "phase in grants.get(role, ())", "role in grants"),
    Line(rules.may, "by.active and "),
    Line(rules.may, " and strong_enough(by)"),
    Line(rules.may, "granted(action, thing.phase, thing.roles_of(by)) and "),
    Line(rules.strong_enough, "or by.strong", "or True"),
    Line(rules.require, "if not may(action, thing, by):", "if False:"),
    Line(rules.require, "require_fresh(ACTIONS[action].step_up, by)", "pass"),
    Line(rules.require_fresh, "and not by.fresh", "and False"),
    Line(visibility.sees_conclusion, "if reads_blind:", "if False:"),
    Line(visibility.sees_conclusion, 'granted("first_opinion.view", phase, roles)', "True"),
    Line(visibility.visible_pages, "set() if conclusion else set(conclusion_pages)", "set()"),
    Line(visibility.sees_original, "conclusion or not list(conclusion_pages)", "True"),
    Line(visibility.sees_record, '("undecided", "removed")', '("removed",)'),
    Line(visibility.sees_record, '("undecided", "removed")', '("undecided",)'),
    Line(visibility.hears, "bool(AUDIENCES[audience] & roles)", "True"),
    Line(visibility.hears, ' and (audience == "staff" or not reads_blind)'),
    Line(scopes.messages, "reads_blind=unlocked", "reads_blind=False"),
    Line(CaseRole.holds, "and self.ended_at is None"),
    Line(CaseRole.holds, "and self.confirmed_at is not None"),
    Line(CaseRole.holds, "and (self.expires_at is None or self.expires_at > clock.now())"),
    Line(CaseRole.holds, "self.user_id == user_id", "True"),
    Line(CaseModel.roles_of, "principal.organisation_id == self.organisation_id and ", ""),
    Line(CaseModel.roles_of, " & ORGANISATION_WIDE"),
    Line(CaseModel.roles_of, "if link.holds(principal.id)"),
    Line(GuestLink.holds, "and self.revoked_at is None"),
    Line(GuestLink.holds, "and self.expires_at > clock.now()"),
    Line(scopes.cases, "not by.active or "),
    Line(scopes.cases, " or not strong_enough(by)"),
    Line(scopes._by_account, "ended_at=None, "),
    Line(scopes._by_account, ", confirmed_at__isnull=False"),
    Line(scopes._by_account, "held = held.filter(Q(expires_at=None) | Q(expires_at__gt=now))"),
    Line(scopes._by_account, "user_id=by.id, "),
    Line(scopes._by_account, "organisation_id=by.organisation_id, "),
    Line(scopes._by_account, " & ORGANISATION_WIDE"),
    Line(scopes.states_for, "if phase in phases"),
    Line(scopes._by_link, "revoked_at=None, "),
    Line(scopes._by_link, ", expires_at__gt=clock.now()"),
    Line(scopes._by_link, "pk=link.case_id, "),
    Line(scopes.case, "cases(by, action)", "cases(by)"),
    Line(scopes.records, 'if not may("record.view", of, by):', "if False:"),
    Line(scopes.records, "found.exclude(status__in=hidden)", "found"),
    Line(scopes.records, "filter(space=of.pk)", "all()"),
    Line(scopes.sees_conclusion, "reads_blind=blind.reads_blind(of, by)", "reads_blind=False"),
    Line(scopes.uploads, 'if not (may("record.add", of, by) or may("record.remove", of, by)):', "if False:"),
    Line(scopes.reports, 'if may("report.view", of, by)', "if True"),
    Line(scopes.messages, 'if not may("message.view", of, by):', "if False:"),
    Line(scopes.messages, "if visibility.hears(a, roles, reads_blind=unlocked)"),
    Line(MODULE._permitted_row, "or not (row.who & roles) "),  # type: ignore[union-attr]
    Line(MODULE._permitted_row, "or not by.active "),  # type: ignore[union-attr]
    Line(MODULE._permitted_row, " or not strong_enough(by)"),  # type: ignore[union-attr]
    _advance_lines("require_fresh(row.step_up, by)", "pass"),
    _advance_lines("if missing:", "if False:"),
    Line(workflow.row_for, " and state in row.sources"),
    Line(people.principal_of, "user.is_active and user.suspended_at is None", "True"),
    Line(principals.is_over, "return idle or old", "return False"),
    Line(principals.from_session, "if is_over(session):", "if False:"),
    Line(principals.second_step_at, " or session.get(AUTH_USER_KEY) != session[SESSION_KEY]"),
    Line(principals.second_step_at, 'if entry.get("method") in SECOND_STEPS'),
    Line(principals._user, 'constant_time_compare(session.get(HASH_SESSION_KEY, ""), expected)', "True"),
    Line(bytes_gate._require_open_page, "if index not in scopes.visible_pages(by, case, record):", "if False:"),
    Line(bytes_gate._original, "if not scopes.sees_original(by, case, record):", "if False:"),
    Line(bytes_gate._original, 'audit.read(f"record:{record.pk}", by=by, space=case.pk, action="record.download")', ""),
    Line(bytes_gate._file, 'audit.read(f"record:{record.pk}", by=by, space=case.pk)', ""),
    Line(team.guest_principal, "active=link.holds(link.pk)", "active=True"),
    Line(team.confirm_invitation, "or grant.user_id != by.id "),
    Line(team.confirm_invitation, " or not by.strong"),
    Line(team.end_grant, "if grant.user_id != by.id:", "if False:"),
    Line(team.invite_proxy, 'require("team.manage", case, by)', ""),
    Line(team.revoke_link, 'if not may("link.manage", link.case, by):', "if False:"),
    Line(team.open_by_hash, "or not link.holds(link.pk) "),
    Line(team.open_by_hash, " or link.attempts >= MAX_CODE_ATTEMPTS"),
    Line(team.open_by_hash, 'or not check_password(code.strip().replace(" ", ""), link.code_hash)'),
)
# fmt: on
# Second locks: another line refuses the same already, so nothing can tell that one of them is gone.
EQUIVALENT = {
    Line(team.open_by_hash, " or link.attempts >= MAX_CODE_ATTEMPTS"),  # the counting update refuses the sixth guess
    Line(MODULE._permitted_row, "or not by.active "),  # type: ignore[union-attr]  # who is inactive holds no role
}


def killers(scene: Scene) -> list[str]:
    """The checks that fail now; the first is enough."""
    for check in CHECKS:
        try:
            with undone():
                check(scene)
        except Exception:
            return [check.__name__]
        except pytest.fail.Exception:
            return [check.__name__]
        finally:
            for name in ("blind", "delivered", "review"):
                setattr(scene, name, Case.objects.get(pk=getattr(scene, name).pk))
    return []


def test_tables_are_the_reviewed_ones():
    matches(SNAPSHOT, effective_tables())


def test_checks_hold_and_every_mutant_is_noticed(cast):
    scene = Scene(cast)
    for check in CHECKS:
        with undone():
            check(scene)
    survivors = []
    for mutant in MUTANTS:
        with mutant.planted():
            if not killers(scene) and mutant not in EQUIVALENT:
                survivors.append(str(mutant))
    assert not survivors, "Nobody noticed:\n" + "\n".join(survivors)
    assert killers(scene) == [], "a mutant was left behind"
    assert len(MUTANTS) - len(EQUIVALENT) >= 30
