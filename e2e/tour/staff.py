"""Run inside the fresh installation: staff and specialists, made by the verbs an administrator uses.

The password comes by standard input; everybody sets up a second step in the browser at the first sign-in.
"""

import sys
from datetime import timedelta
from typing import Any

from e2e.tour.cast import CHEN, STAFF, Member


def main() -> None:
    import django

    django.setup()
    from consilium.access.principals import SYSTEM
    from consilium.core import clock
    from consilium.people import actions, administration
    from consilium.people.models import Organisation, User
    from consilium.people.queries import principal_of

    org = Organisation.objects.get()
    admin = User.objects.get()
    actions.register_person(org, given_name="Ada", family_name="Kowalski", user=admin, by=SYSTEM)
    ada = principal_of(admin, strong=True, fresh=True)
    details = {
        "address": "Lakeside Walk 1, Example City",
        "contact": "help@lakeside.example",
        "telephone": "+49 30 5550 100",
    }
    administration.save_organisation(org, by=ada, jurisdiction="eu", country="DE", **details)
    password = sys.stdin.read().strip()
    users = {who.email: invited(org, who, password, ada) for who in STAFF}
    profile = administration.save_profile(
        users[CHEN.email],
        org,
        by=ada,
        name="Dr Mei Chen",
        title="Consultant, orthopaedic spine surgery",
        portrait="chen",
        specialties=["orthopaedic-spine"],
        languages=["en", "de"],
        institution="Lakeside Spine Centre",
        biography={"en": "I have looked after people with back pain for nineteen years."},
    )
    today = clock.now().date()
    period = {"valid_from": today - timedelta(days=900), "valid_until": today + timedelta(days=900)}
    for country in ("DE", "AT"):
        licence = {"authority": "Medical chamber (synthetic)", "number": f"SYN-{country}-1", "country": country}
        administration.add_licence(profile, org, by=ada, **licence, **period)
    administration.verify(profile, org, by=ada)


def invited(org: Any, who: Member, password: str, ada: Any) -> Any:
    """An invited account with its password chosen and its address confirmed, as after following the invitation."""
    from django.conf import settings

    from consilium.ops.admin import confirm
    from consilium.people import administration

    user = administration.invite(
        org,
        who.email,
        by=ada,
        given_name=who.given,
        family_name=who.family,
        roles=list(who.roles),
        link=f"{settings.PUBLIC_URL}/account/password/forgotten/",
    )
    user.set_password(password)
    user.save()
    confirm(user)
    return user


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.config.settings")
    main()
