"""`consilium keys`: check them, and change the root key or an organisation's key."""

from argparse import Namespace
from uuid import UUID

from consilium.ops.command import Problem, say, start_django


def keys(arguments: Namespace) -> int:
    start_django()
    return {"check": check, "rotate-root": rotate_root, "rotate": rotate}[arguments.what](arguments)


def check(_arguments: Namespace) -> int:
    from consilium.ops.preflight import key_problems

    problems = list(key_problems())
    for sentence in problems:
        say(f"✗ {sentence}")
    if not problems:
        say("✓ The keys are there, readable and nobody else's.")
    return 1 if problems else 0


def rotate_root(_arguments: Namespace) -> int:
    from consilium.vault import keys as vault_keys

    vault_keys.rotate_root()
    say("The root key was changed. Make a new backup of the keys now; the old root key opens nothing any more.")
    return 0


def rotate(arguments: Namespace) -> int:
    from consilium.vault import keys as vault_keys

    try:
        organisation = UUID(arguments.organisation or "")
    except ValueError:
        raise Problem("Name the organisation by its id: consilium keys rotate 6f1c…") from None
    version = vault_keys.rotate_tenant(organisation)
    say(f"The organisation's key is now version {version}. Make a new backup of the keys.")
    return 0
