"""The cast of every test: Anna, Ben, Dr Chen, Dr Weiss, Dora, Tess, Quinn, Ada, Eve. Synthetic people, all of them."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from consilium.access.principals import SYSTEM, Principal
from consilium.core import clock
from consilium.people import actions as people
from consilium.people.models import Licence, Organisation, Person, Specialist, User
from consilium.people.queries import principal_of
from consilium.vault import keys

PASSWORD = "correct horse battery staple"  # noqa: S105 - for tests only


@dataclass
class Member:
    """One of the cast: account, person, and their principal with a passed (and by default fresh) second step."""

    user: User
    person: Person

    @property
    def by(self) -> Principal:
        return principal_of(self.user, strong=True, fresh=True)

    @property
    def stale(self) -> Principal:
        """With a second step passed, but not just now."""
        return principal_of(self.user, strong=True, fresh=False)

    @property
    def weak(self) -> Principal:
        """Signed in with one factor only."""
        return principal_of(self.user, strong=False, fresh=False)

    @property
    def specialist(self) -> Specialist:
        return self.user.specialist


def organisation(name: str = "Consilium Test Clinic", **fields: Any) -> Organisation:
    """An organisation whose rule asks for no oral explanation (`eu`) unless told otherwise."""
    keys.init()
    found = Organisation.objects.filter(name=name).first()
    return found or Organisation.objects.create(name=name, **{"jurisdiction": "eu", "country": "DE"} | fields)


def member(
    given: str, family: str, *, roles: tuple[str, ...] = (), org: Organisation | None = None, **details: Any
) -> Member:
    """An account with its person and memberships."""
    org = org or organisation()
    email = f"{given}.{family}@example.org".lower().replace(" ", "")
    user = User.objects.create_user(email, PASSWORD)
    person = people.register_person(org, given_name=given, family_name=family, user=user, by=SYSTEM, **details)
    for role in roles:
        people.grant_membership(user, org, role, by=SYSTEM)
    return Member(user, person)


def specialist(
    given: str, family: str, *, specialties: tuple[str, ...] = ("orthopaedic-spine",), **fields: Any
) -> Member:
    """A verified specialist with a valid licence."""
    made = member(given, family, roles=("specialist",), org=fields.pop("org", None))
    profile = Specialist.objects.create(
        user=made.user,
        **{
            "name": f"Dr {given} {family}",
            "specialties": list(specialties),
            "languages": ["en", "de"],
            "institution": "Lakeside Hospital",
            "verified_at": clock.now(),
        }
        | fields,
    )
    today = clock.now().date()
    Licence.objects.create(
        specialist=profile,
        authority="Medical Chamber",
        number="SYN-1",
        country="DE",
        valid_from=today - timedelta(days=900),
        valid_until=today + timedelta(days=900),
    )
    return made


class Cast:
    """Makes each member on first use, so that a test pays for those it names."""

    MAKERS: dict[str, Any] = {
        "anna": lambda: member("Anna", "Berger", birth_date="1965-03-14", sex="female"),
        "ben": lambda: member("Ben", "Berger"),
        "eve": lambda: member("Eve", "Stranger"),
        "dora": lambda: member("Dora", "Lindner", roles=("coordinator",)),
        "tess": lambda: member("Tess", "Amari", roles=("triage_clinician",)),
        "quinn": lambda: member("Quinn", "Osei", roles=("quality_reviewer",)),
        "ada": lambda: member("Ada", "Kowalski", roles=("administrator",)),
        "sam": lambda: member("Sam", "Scribe", roles=("support_scribe",)),
        "pia": lambda: member("Pia", "Sponsor", roles=("sponsor",)),
        "chen": lambda: specialist("Mei", "Chen"),
        "novak": lambda: specialist("Jana", "Novak"),
        "okafor": lambda: specialist("Ike", "Okafor"),
        "rival": lambda: member(
            "Rita", "Rival", roles=("coordinator",), org=organisation("Another Clinic", country="AT")
        ),
    }

    def __init__(self) -> None:
        self._made: dict[str, Member] = {}

    def __getattr__(self, name: str) -> Member:
        if name.startswith("_") or name not in self.MAKERS:
            raise AttributeError(name)
        if name not in self._made:
            self._made[name] = self.MAKERS[name]()
        return self._made[name]


BIRTH_DATE = date(1965, 3, 14)
