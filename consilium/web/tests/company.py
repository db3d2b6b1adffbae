"""Everybody who ever had, lacks, or never had something to do with one case: the principals of the matrix."""

from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress

from consilium.cases.models import Case, CaseRole, ClockStop, GuestLink
from consilium.cases.states import State
from consilium.core import clock
from consilium.records import entries, tokens, transfers
from consilium.records.models import Preview, Record, RecordFile, Transfer
from consilium.talks.models import Clarification, Message
from consilium.testing import cast as casting
from consilium.testing import factories
from consilium.testing.cast import Cast, Member
from consilium.vault.fields import Ciphertext
from consilium.web.tests.visitor import Visitor, cookie_of, guest_cookie

# name → the role row they hold on the case (confirmed, open) beside whatever the factory gave
ON_THE_CASE = {
    "ben_view": "proxy_view",
    "ben_act": "proxy_act",
    "okafor_offered": "offered_specialist",
    "rhea_re_reader": "re_reader",
    "paul_panel": "panel_chair",
    "ines_interpreter": "interpreter",
    "sam_on_case": "support_scribe",
    "weiss_account": "treating_clinician",
}


class Company:
    """The people around `case`; `visitors` are their browsers by name."""

    def __init__(self, cast: Cast, case: Case) -> None:
        self.cast, self.case = cast, case
        self.members: dict[str, Member] = {}
        self._staff()
        self._family()
        self._specialists()
        self._strangers()
        self.visitors = self._sessions()

    def _role(self, name: str, member: Member, role: str, **fields: Any) -> None:
        now = clock.now()
        CaseRole.objects.create(
            case=self.case, user=member.user, role=role, granted_by="system", **({"confirmed_at": now} | fields)
        )
        self.members[name] = member

    def _staff(self) -> None:
        for name in ("dora", "tess", "quinn", "ada", "sam", "pia"):
            self.members[name] = getattr(self.cast, name)
        for name in ("rhea_re_reader", "paul_panel", "ines_interpreter", "sam_on_case"):
            membership = ON_THE_CASE[name]
            self._role(name, casting.member(name.title(), "Staff", roles=(membership,)), membership)

    def _family(self) -> None:
        ago = clock.now() - timedelta(days=1)
        self.members["anna"] = self.cast.anna
        for name in ("ben_view", "ben_act", "weiss_account"):
            self._role(name, casting.member(name.title(), "Relative"), ON_THE_CASE[name])
        self._role("ben_invited", casting.member("Invited", "Ben"), "proxy_act", confirmed_at=None)
        self._role("ben_ended", casting.member("Ended", "Ben"), "proxy_act", ended_at=ago)
        self._role("ben_expired", casting.member("Expired", "Ben"), "proxy_act", expires_at=ago)

    def _specialists(self) -> None:
        ago, cast = clock.now() - timedelta(days=1), self.cast
        self.members["chen"] = cast.chen
        if not self.case.case_roles.filter(role="offered_specialist", ended_at=None, user=cast.okafor.user).exists():
            self._role("okafor_offered", cast.okafor, "offered_specialist")
        self._role("declined", casting.specialist("Dee", "Clined"), "offered_specialist", ended_at=ago)
        self._role("handed_back", casting.specialist("Hannes", "Back"), "specialist", ended_at=ago)
        suspended = casting.specialist("Sue", "Spended")
        suspended.user.suspended_at = ago
        suspended.user.save(update_fields=["suspended_at"])
        self._role("suspended", suspended, "specialist")

    def _strangers(self) -> None:
        """Novak and Olga have a case of their own in the same house; Rita's house is another one."""
        for name in ("eve", "rival", "novak"):
            self.members[name] = getattr(self.cast, name)
        self.members["olga"] = casting.member("Olga", "Other", birth_date="1971-01-01")
        there = casting.organisation("Another Clinic", country="AT")
        self.members["rival_quinn"] = casting.member("Rolf", "Rival", roles=("quality_reviewer",), org=there)
        self.members["rival_chen"] = casting.specialist("Rosa", "Rival", org=there)

    def _sessions(self) -> dict[str, Visitor]:
        people = [member.user for member in self.members.values()]
        addresses = [EmailAddress(user=one, email=one.email, verified=True, primary=True) for one in people]
        EmailAddress.objects.bulk_create(addresses)
        found = {"anonymous": Visitor()}
        found |= {name: Visitor(cookie_of(member)) for name, member in self.members.items()}
        for name in ("anna", "dora", "chen"):
            found[f"{name}_weak"] = Visitor(cookie_of(self.members[name], step="none"))
            found[f"{name}_stale"] = Visitor(cookie_of(self.members[name], step="stale"))
        ago = clock.now() - timedelta(days=1)
        for name, fields in (
            ("weiss", {}),
            ("weiss_revoked", {"revoked_at": ago}),
            ("weiss_expired", {"expires_at": ago}),
        ):
            found[name] = Visitor(guest_cookie(link(self.case, **fields).pk))
        return found


def link(case: Case, **fields: Any) -> GuestLink:
    """A link in any condition, as the database holds it."""
    made = GuestLink(
        case=case,
        token_hash=f"{clock.now().timestamp()}{len(fields)}{GuestLink.objects.count()}",
        code_hash="!",
        granted_by="system",
        **({"expires_at": clock.now() + timedelta(days=9)} | fields),
    )
    if case.state != State.ERASED:
        made.recipient = {"name": "Dr Jonas Weiss", "institution": "City Hospital", "email": "weiss@example.org"}
    else:
        made.recipient = Ciphertext(b"unreadable for ever")
    made.save()
    return made


def furnish(case: Case, cast: Cast) -> None:
    """Give a case what its pages can show: records of every status, messages to everybody, a pause, a question."""
    if case.state == State.ERASED:
        return
    for status in ("undecided", "removed", "flagged"):
        factories.plain_record(case, f"A {status} letter", status=status)
    ready = Record.objects.filter(space=case.pk, status="ready").first() or factories.plain_record(case)
    read_values(ready, withhold_first_page(ready))
    factories.plain_slide(case)
    for audience in Message.Audience.values:
        Message.objects.create(case=case, audience=audience, by="system", role="coordinator", body=f"To {audience}.")
    case.follow_ups.filter(day=30).update(due_at=clock.now() - timedelta(days=1))
    if case.state == State.IN_REVIEW:
        factories.write_opinion(case, cast)
    if case.state not in (State.DRAFT, State.ARCHIVED):
        ClockStop.objects.create(case=case, reason="missing_records", started_by="system")
    begin_sending(case, cast)
    released = case.opinions.filter(status="released").first()
    if released and not case.clarifications.exists():
        Clarification.objects.create(case=case, opinion=released, asked_by="system", question="Is it so?")


def read_values(record: Record, file: RecordFile) -> None:
    """Laboratory values of two days on the open page, one on the withheld page."""
    if not file.entries.exists():
        read = "Entnahme {}\nKalium {} mmol/l 3,5-5,1\nHämoglobin 11,2 g/dl 12,0-16,0"
        pages = [
            "Entnahme 05.05.2023\nNatrium 111 mmol/l 135-145",
            read.format("06.05.2023", "5,9") + "\n" + read.format("07.06.2023", "4,2"),
        ]
        entries.read_pages(record, file, pages)


def begin_sending(case: Case, cast: Cast) -> None:
    """An upload of the patient that is not finished, and a key for another program."""
    metadata = {"raw": "", "name": "disc-2026-05-14.tar", "fingerprint": "f" * 64}
    begun = transfers.begin(case.pk, 1000, metadata, by=cast.anna.by)
    Transfer.objects.filter(pk=begun.pk).update(offset=630)
    tokens.issue(case.pk, by=cast.anna.by, label="Viewer at the practice")


def withhold_first_page(record: Record) -> RecordFile:
    """Make a record of two pages and a picture, the first page of which states the first conclusion."""
    record.pages, record.conclusion_pages = 2, [0]
    record.save()
    file = RecordFile.objects.filter(record=record).first()
    assert file is not None
    for kind, index in (("thumbnail", 0), ("page", 0), ("page", 1), ("frame", 0)):
        Preview.objects.create(file=file, kind=kind, index=index, blob=file.blob, media_type="image/png")
    return file
