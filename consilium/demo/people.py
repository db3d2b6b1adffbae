"""The cast of the demo: staff, specialists and patients. All synthetic."""

from datetime import timedelta
from typing import Any

from consilium.access.principals import SYSTEM
from consilium.core import clock
from consilium.people import actions as people
from consilium.people.models import Licence, Organisation, Person, Specialist, User

# slug: (given, family, language, roles)
STAFF: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "dora": ("Dora", "Lindner", "de", ("coordinator",)),
    "tess": ("Tess", "Amari", "en", ("triage_clinician",)),
    "quinn": ("Quinn", "Osei", "en", ("quality_reviewer",)),
    "ada": ("Ada", "Kowalski", "en", ("administrator",)),
    "sam": ("Sam", "Weber", "de", ("support_scribe",)),
}

SPECIALISTS: dict[str, dict[str, Any]] = {
    "chen": {
        "given": "Wei", "family": "Chen", "title": "Consultant, orthopaedic spine surgery", "portrait": "chen",
        "specialties": ["orthopaedic-spine"], "languages": ["en", "de"], "institution": "Lakeside Spine Centre", "country": "DE",
        "biography": {
            "en": "I have looked after people with back pain for nineteen years. Most of them never needed an operation.",
            "de": "Seit neunzehn Jahren behandle ich Menschen mit Rückenschmerzen. Die meisten brauchten nie eine Operation.",
        },
    },
    "novak": {
        "given": "Benedikt", "family": "Novak", "title": "Spine surgeon", "portrait": "benedikt",
        "specialties": ["orthopaedic-spine", "shoulder"], "languages": ["de", "en"], "institution": "Klinik Waldhof", "country": "DE",
        "biography": {"en": "Careful with the knife, generous with time.", "de": "Sparsam mit dem Messer, großzügig mit Zeit."},
    },
    "lindqvist": {
        "given": "Ingrid", "family": "Lindqvist", "title": "Orthopaedic surgeon, knee and hip", "portrait": "ingrid",
        "specialties": ["knee-hip", "shoulder"], "languages": ["de", "en"], "institution": "Nordhaus Klinik", "country": "DE",
        "biography": {
            "en": "A new joint is a good answer when the other answers have been tried.",
            "de": "Ein neues Gelenk ist eine gute Antwort, wenn die anderen Antworten versucht wurden.",
        },
    },
    "brandt": {
        "given": "Helena", "family": "Brandt", "title": "Breast oncologist", "portrait": "helena",
        "specialties": ["breast"], "languages": ["en", "de"], "institution": "Elbe Cancer Centre", "country": "GB",
        "biography": {"en": "I explain until it is clear.", "de": "Ich erkläre, bis es klar ist."},
    },
    "silva": {
        "given": "Mateo", "family": "Silva", "title": "Urologist", "portrait": "mateo",
        "specialties": ["prostate"], "languages": ["de", "en"], "institution": "Urologie am Park", "country": "DE",
        "biography": {"en": "Not every tumour needs a knife.", "de": "Nicht jeder Tumor braucht ein Messer."},
    },
    "haddad": {
        "given": "Farid", "family": "Haddad", "title": "Cardiologist, valve disease", "portrait": "farid",
        "specialties": ["cardiology"], "languages": ["en"], "institution": "Riverside Heart Institute", "country": "IE",
        "biography": {"en": "Valves are mechanics; deciding is not.", "de": "Klappen sind Mechanik, Entscheidungen nicht."},
    },
    "okafor": {
        "given": "Amara", "family": "Okafor", "title": "Neurologist", "portrait": "amara",
        "specialties": ["neurology"], "languages": ["en"], "institution": "Moorfield Neurology", "country": "GB",
        "biography": {"en": "I listen first, then I look at the scans.", "de": "Erst höre ich zu, dann sehe ich die Bilder an."},
    },
}  # fmt: skip


def organisation() -> Organisation:
    """The network that runs the demo."""
    return Organisation.objects.create(
        name="Consilium Demo Network",
        address="Elbufer 1, 20999 Hamburg",
        contact="Dora Lindner, coordinator",
        telephone="+49 40 66969 100",
        country="DE",
        jurisdiction="eu",
    )


def account(org: Organisation, given: str, family: str, language: str, **details: Any) -> Person:
    """A demo account with its person; it cannot sign in by password, only through the persona picker."""
    user = User.objects.create_user(f"{given}.{family}@demo.invalid".lower().replace(" ", "-"), None)
    user.language, user.is_demo = language, True
    user.save()
    return people.register_person(org, given_name=given, family_name=family, user=user, by=SYSTEM, **details)


def staff(org: Organisation) -> dict[str, Person]:
    """Everybody who works here."""
    made = {}
    for slug, (given, family, language, roles) in STAFF.items():
        made[slug] = account(org, given, family, language)
        for role in roles:
            people.grant_membership(made[slug].user, org, role, by=SYSTEM)
    return made


def specialists(org: Organisation) -> dict[str, Person]:
    """The reviewing doctors, verified and licensed."""
    made = {}
    today = clock.now().date()
    for slug, told in SPECIALISTS.items():
        person = account(org, told["given"], told["family"], told["languages"][0])
        people.grant_membership(person.user, org, "specialist", by=SYSTEM)
        keep = ("title", "portrait", "specialties", "languages", "biography", "institution")
        profile = Specialist.objects.create(
            user=person.user,
            name=f"Dr {told['given']} {told['family']}",
            verified_at=clock.now(),
            **{key: told[key] for key in keep},
        )
        for country in {told["country"], "DE"}:
            Licence.objects.create(
                specialist=profile,
                authority={"DE": "Ärztekammer (synthetisch)", "GB": "Medical register (synthetic)"}.get(
                    country, "Medical council (synthetic)"
                ),
                number=f"SYN-{slug.upper()}",
                country=country,
                valid_from=today - timedelta(days=2000),
                valid_until=today + timedelta(days=700),
            )
        made[slug] = person
    return made
