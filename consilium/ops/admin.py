"""`consilium create-admin`: the first administrator, who then invites everybody else."""

import getpass
import sys
from argparse import Namespace
from typing import Any

from consilium.ops.command import Problem, say, start_django


def create_admin(arguments: Namespace) -> int:
    """Make an organisation (when new), an account and its administrator membership.

    The password is asked for, or read from standard input when that is no terminal; the second step is set
    up at the first sign-in, and nothing can be done before.
    """
    start_django()
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email
    from django.db import transaction

    from consilium.people.models import Membership, Organisation, User
    from consilium.vault import keys

    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        validate_email(arguments.email)
        validate_password(password)
    except ValidationError as error:
        raise Problem(*error.messages) from None
    if User.objects.filter(email__iexact=arguments.email).exists():
        raise Problem("There is an account with this address already.")
    with transaction.atomic():
        found = Organisation.objects.filter(name=arguments.organisation).first()
        organisation = found or Organisation.objects.create(
            name=arguments.organisation, country=arguments.country.upper()
        )
        keys.create_tenant(organisation.pk)
        user = User(email=arguments.email.lower())
        user.set_password(password)
        user.save()
        confirm(user)
        Membership.objects.create(user=user, organisation=organisation, role=Membership.Role.ADMINISTRATOR)
        note(user)
    say(f"{arguments.email} is administrator of {organisation.name}. Sign in to set up the second step.")
    return 0


def confirm(user: Any) -> None:
    """The operator vouches for the address."""
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)


def note(user: Any) -> None:
    from consilium.access.principals import SYSTEM
    from consilium.core import audit

    audit.record("account.create", by=SYSTEM, thing=user.ref, role="administrator")
