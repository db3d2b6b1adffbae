"""Cases in the states that show what the pages can show, made by the verbs people use; and who looks at them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from allauth.core.context import request_context
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import RequestFactory
from fido2.cose import ES256
from fido2.utils import sha256, websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from consilium.access.principals import SYSTEM
from consilium.cases.actions import advance, desk, intake
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import clock
from consilium.opinions.actions import addendum, blind
from consilium.records.models import InboxStudy
from consilium.talks import actions as talks
from consilium.testing import cast as casting
from consilium.testing import factories
from consilium.testing.cast import Cast, Member
from consilium.testing.inbox import arrive
from consilium.web.tests.addresses import parts_of
from consilium.web.tests.company import furnish, link
from consilium.web.tests.visitor import cookie_of, guest_cookie


def told(cast: Cast) -> Case:
    """A draft with everything told and records of every status."""
    case = factories.told(cast)
    furnish(case, cast)
    return case


def warned(cast: Cast) -> Case:
    """A draft that a warning sign stopped."""
    case = factories.told(cast)
    codes = [flag.code for flag in factories.registry.specialty(case.specialty).red_flags]
    intake.answer_red_flags(case, dict.fromkeys(codes, "yes"), by=cast.anna.by)
    return case


def in_state(state: State) -> Callable[[Cast], Case]:
    """A furnished case in `state`."""

    def make(cast: Cast) -> Case:
        case = factories.case_in(state, cast)
        furnish(case, cast)
        return case

    return make


def collecting(cast: Cast) -> Case:
    """Records are awaited: one is asked for, the clock stands still."""
    case = in_state(State.COLLECTING)(cast)
    factories.proxy(case, cast.ben, by=cast.anna)
    return case


def reviewing(cast: Cast) -> Case:
    """A complete draft of the opinion, with a finding."""
    case = in_state(State.IN_REVIEW)(cast)
    factories.write_opinion(case, cast)
    return case


def locked(cast: Cast) -> Case:
    """The first impression is locked, the first opinion not yet looked at."""
    return factories.case_in(State.IN_REVIEW, cast)


def revealed(cast: Cast) -> Case:
    case = locked(cast)
    blind.reveal(case, by=cast.chen.by)
    return case


def delivered(cast: Cast) -> Case:
    """Delivered, with a link, a relative, a conversation, and an answered question."""
    case = in_state(State.DELIVERED)(cast)
    link(case)
    factories.proxy(case, cast.ben, by=cast.anna)
    talks.send_message(case, by=cast.chen.by, audience="care_team", body="Please read the summary first.")
    return treated(case, casting.member("Jonas", "Weiss"))


def treated(case: Case, doctor: Member) -> Case:
    """Give a treating doctor with an account their role."""
    role = {"role": "treating_clinician", "granted_by": "system", "confirmed_at": clock.now()}
    case.case_roles.create(user=doctor.user, **role)
    return case


def extended(cast: Cast) -> Case:
    """An addendum is being written."""
    case = factories.case_in(State.DELIVERED, cast)
    addendum.start(case, by=cast.chen.by)
    return case


def following(cast: Cast) -> Case:
    """Thirty-one days after delivery: the first questionnaire is due."""
    with clock.frozen(clock.now() - timedelta(days=32)):
        case = factories.case_in(State.DELIVERED, cast)
    advance(case, "begin_follow_up", by=SYSTEM)
    return case


def explained(cast: Cast) -> Case:
    """Signed, and a doctor must explain the result by voice before it is delivered."""
    return factories.case_in(State.SIGNED, cast)


def received(cast: Cast) -> Case:
    """Images that a hospital sent wait for the desk: of the patient, of somebody else, and on their way to the case."""
    case = collecting(cast)
    on_its_way = arrive(case.organisation, study="c", images=40)
    InboxStudy.objects.filter(pk=on_its_way.pk).update(status="moving", case_space=case.pk, moved=25)
    arrive(case.organisation, study="b", PatientName="Muster^Max", PatientBirthDate="19501231", sender="MR2")
    arrive(case.organisation)
    return case


def alarmed(cast: Cast) -> Case:
    return treated(in_state(State.URGENT)(cast), casting.member("Ulla", "Urgent"))


def erasure(cast: Cast) -> Case:
    case = factories.case_in(State.WITHDRAWN, cast)
    desk.request_erasure(case, by=cast.anna.by)
    return case


SCENES: dict[str, Callable[[Cast], Case]] = {
    "told": told,
    "warned": warned,
    "submitted": in_state(State.SUBMITTED),
    "collecting": collecting,
    "recap": in_state(State.RECAP),
    "triage": in_state(State.TRIAGE),
    "offered": in_state(State.OFFERED),
    "blind": in_state(State.BLIND_READ),
    "locked": locked,
    "revealed": revealed,
    "reviewing": reviewing,
    "checking": in_state(State.QUALITY_CHECK),
    "explained": explained,
    "delivered": delivered,
    "clarifying": in_state(State.CLARIFYING),
    "extended": extended,
    "following": following,
    "urgent": alarmed,
    "received": received,
    "withdrawn": erasure,
    "erased": in_state(State.ERASED),
}


class Company:
    """Everybody who looks at the scenes, with the cookie of their session; scenes are made when first asked for."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self._scenes: dict[str, Case] = {}

    def scene(self, name: str) -> Case:
        if name not in self._scenes:
            with beside_the_browser():
                self._scenes[name] = SCENES[name](self.cast)
        return self._scenes[name]

    def parts(self, scene: str) -> dict[str, Any]:
        """Values for the addresses of a scene."""
        return parts_of(self.scene(scene)) if scene else {}

    def cookie(self, who: str, scene: str) -> str:
        """The session of `who`: a member of the cast, "eve:none" at one factor, "weiss" by link, "" for nobody."""
        if not who:
            return ""
        if who == "weiss":
            return guest_cookie(link(self.scene(scene)).pk)
        name, _, step = who.partition(":")
        return cookie_of(self._member(name), step=step or "fresh")

    def _member(self, name: str) -> Member:
        if name in ("jonas", "ulla"):  # treating doctors with an account
            case = self.scene("delivered" if name == "jonas" else "urgent")
            row = case.case_roles.get(role="treating_clinician")
            return Member(row.user, row.user.person)
        if name == "newcomer":
            return casting.member("New", "Comer")
        if name == "mia":
            return casting.member("Mia", "Many", roles=("coordinator", "quality_reviewer"))
        return getattr(self.cast, name)


@contextmanager
def beside_the_browser() -> Iterator[None]:
    """Inside, sealing may run its own event loop: Playwright's, which lives in this thread, stands still meanwhile."""
    loop = asyncio.events._get_running_loop()
    asyncio.events._set_running_loop(None)
    try:
        yield
    finally:
        asyncio.events._set_running_loop(loop)


def with_second_steps(who: Member) -> int:
    """An app, a passkey and recovery codes of `who`; the row number of the passkey."""
    request = RequestFactory().get("/")
    request.user = who.user
    with request_context(request):  # the secrets are sealed for the account that asks
        TOTP.activate(who.user, generate_totp_secret())
        RecoveryCodes.activate(who.user)
    made = {"name": "My telephone", "credential": credential()}
    return Authenticator.objects.create(user=who.user, type=Authenticator.Type.WEBAUTHN, data=made).pk


def credential() -> dict[str, Any]:
    """What a device answers when a passkey is made (WebAuthn §5.1.3), as the browser writes it down in JSON."""
    key = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    attested = AttestedCredentialData.create(Aaguid.NONE, b"my telephone", key)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
    told = AuthenticatorData.create(sha256(b"localhost"), flags, 0, attested)
    client = CollectedClientData.create(CollectedClientData.TYPE.CREATE, b"challenge", "http://localhost")
    answer = {"clientDataJSON": client, "attestationObject": AttestationObject.create("none", told, {})}
    name = websafe_encode(b"my telephone")
    parts = {key: websafe_encode(bytes(value)) for key, value in answer.items()}
    return {"id": name, "rawId": name, "type": "public-key", "response": parts, "clientExtensionResults": {}}
