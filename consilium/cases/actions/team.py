"""The care team: relatives who read along or act, and links for the treating doctor."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.access.rules import may, require
from consilium.cases.models import Case, CaseRole, GuestLink
from consilium.core import audit, clock, jobs
from consilium.core.errors import BadInput, NotAllowed, NotFound
from consilium.people.models import User
from consilium.vault import seal

PROXY_ROLES = (CaseRole.Role.PROXY_VIEW, CaseRole.Role.PROXY_ACT)
LINK_DAYS = 30
MAX_CODE_ATTEMPTS = 5


def invite_proxy(case: Case, email: str, role: str, *, by: Principal, days: int = 180) -> CaseRole:
    """Allow a relative with an account to read along or to act; in force once they confirm.

    The grant cannot be changed by its beneficiary, only ended (trust.md, threat 9).
    """
    require("team.manage", case, by)
    if role not in PROXY_ROLES:
        raise BadInput(_("Please choose whether your relative may read along or act for you."))
    user = User.objects.filter(email__iexact=email.strip()).exclude(pk=case.patient.user_id).first()
    if user is None:
        raise BadInput(_("Please ask your relative to create an account first, then enter their e-mail address here."))
    with transaction.atomic():
        case.case_roles.filter(user=user, role__in=PROXY_ROLES, ended_at=None).update(
            ended_at=clock.now(), ended_by=by.ref
        )
        grant = CaseRole.objects.create(
            case=case, user=user, role=role, granted_by=by.ref, expires_at=clock.now() + timedelta(days=days)
        )
        audit.record("team.invite", by=by, thing=user.ref, space=case.pk, code=role)
    return grant


def confirm_invitation(grant: CaseRole, *, by: Principal) -> None:
    """The invited relative accepts; only then does the role count."""
    if by.kind != "user" or grant.user_id != by.id or grant.ended_at or not by.strong:
        raise NotFound()
    with transaction.atomic():
        CaseRole.objects.filter(pk=grant.pk, confirmed_at=None).update(confirmed_at=clock.now())
        audit.record("team.confirm", by=by, thing=by.ref, space=grant.case_id, code=grant.role)


def end_grant(grant: CaseRole, *, by: Principal) -> None:
    """The patient ends a relative's role, or the relative steps back; it bites at the next request."""
    if grant.role not in PROXY_ROLES:
        raise BadInput(_("This role cannot be ended here."))
    if grant.user_id != by.id:
        require("team.manage", grant.case, by)
    with transaction.atomic():
        CaseRole.objects.filter(pk=grant.pk, ended_at=None).update(ended_at=clock.now(), ended_by=by.ref)
        audit.record("team.end", by=by, thing=f"user:{grant.user_id}", space=grant.case_id, code=grant.role)


@dataclass(frozen=True)
class NewLink:
    """A fresh link: the two secrets exist only here and are shown once."""

    link: GuestLink
    token: str
    code: str


def make_link(case: Case, *, by: Principal, recipient: dict[str, str], days: int = LINK_DAYS) -> NewLink:
    """A scoped, expiring, revocable link for the treating doctor, opened with a code sent another way.

    recipient: name, institution, email, telephone. Needs the patient's consent to share.
    """
    from consilium.consents import actions as consents

    require("link.manage", case, by)
    if not recipient.get("name", "").strip():
        raise BadInput(_("Please give the doctor's name."))
    if not consents.holds(case.pk, consents.SHARE_WITH_TREATING_DOCTOR):
        raise BadInput(_("The patient has not agreed to share the report with the treating doctor."))
    if not 1 <= days <= 90:
        raise BadInput(_("A link can last from 1 to 90 days."))
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(10**6):06d}"
    with transaction.atomic():
        link = GuestLink.objects.create(
            case=case,
            token_hash=hash_token(token),
            code_hash=make_password(code),
            recipient={key: str(value).strip()[:200] for key, value in recipient.items()},
            granted_by=by.ref,
            expires_at=clock.now() + timedelta(days=days),
        )
        audit.record("link.make", by=by, thing=f"link:{link.pk}", space=case.pk)
    return NewLink(link, token, code)


def mail_link(made: NewLink, address: str) -> None:
    """Mail the link's address to the recipient. It travels to the worker sealed: only the hash is stored in clear."""
    from consilium.cases.jobs import mail_guest_link

    link = made.link
    if link.recipient.get("email"):
        sealed = base64.b64encode(seal.seal(link.case_id, f"guest-link:{link.pk}", address.encode())).decode()
        jobs.enqueue(mail_guest_link, str(link.pk), sealed, key=f"guest_link:{link.pk}")


def hash_token(token: str) -> str:
    """What is stored of a link's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_link(token: str, code: str) -> GuestLink:
    """Check a link and its code; a wrong code counts, and every failure looks the same."""
    return open_by_hash(hash_token(token), code)


def open_by_hash(token_hash: str, code: str) -> GuestLink:
    """The same for callers that keep only the token's hash between two pages."""
    link = GuestLink.objects.filter(token_hash=token_hash).select_related("case").first()
    if link is None or not link.holds(link.pk) or link.attempts >= MAX_CODE_ATTEMPTS:
        make_password(code)  # takes as long as a real check
        raise NotFound(_("This link or code is not valid. Please check both, or ask the sender for a new link."))
    # Count first: parallel guesses cannot get past the limit.
    counted = GuestLink.objects.filter(pk=link.pk, attempts__lt=MAX_CODE_ATTEMPTS).update(attempts=F("attempts") + 1)
    if not counted or not check_password(code.strip().replace(" ", ""), link.code_hash):
        raise NotFound(_("This link or code is not valid. Please check both, or ask the sender for a new link."))
    with transaction.atomic():
        GuestLink.objects.filter(pk=link.pk).update(attempts=0, opened_at=link.opened_at or clock.now())
        audit.record("link.open", by=guest_principal(link), thing=f"link:{link.pk}", space=link.case_id)
    return link


def guest_principal(link: GuestLink) -> Principal:
    """The principal of a guest session; a revoked or expired link makes an inactive one."""
    return Principal(kind="guest", id=link.pk, strong=True, active=link.holds(link.pk))


def link_by_id(link_id: UUID) -> GuestLink | None:
    """The link of a guest session, read afresh on every request."""
    return GuestLink.objects.filter(pk=link_id).first()


def revoke_link(link: GuestLink, *, by: Principal) -> None:
    """Close a link; guest sessions end at their next request. It only takes access away: no step-up is asked."""
    if not may("link.manage", link.case, by):
        raise NotAllowed(_("You are not allowed to do this here."), code="link.manage")
    _revoke(link, by)


def close_links(case: Case, *, by: Principal) -> None:
    """Close every link: the consent they rest on is withdrawn, by whoever may do that and in every phase."""
    require("consent.give", case, by)
    for link in case.guest_links.filter(revoked_at=None):
        _revoke(link, by)


def _revoke(link: GuestLink, by: Principal) -> None:
    with transaction.atomic():
        GuestLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=clock.now(), revoked_by=by.ref)
        audit.record("link.revoke", by=by, thing=f"link:{link.pk}", space=link.case_id)
