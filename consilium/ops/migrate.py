"""`consilium migrate`: directories, keys on a new installation, database."""

import secrets
from argparse import Namespace
from pathlib import Path

from consilium.ops.command import Problem, say, start_django


def migrate(arguments: Namespace) -> None:
    """Make an installation ready to serve. Safe to run again and again."""
    start_django()
    prepare(init_keys=arguments.init_keys)
    say("The database is up to date.")


def prepare(*, init_keys: bool = False) -> None:
    """Directories (0700), keys, migrations. Keys are made for an empty database, or when asked for.

    An installation with data but without its keys has lost them; fresh ones would hide that.
    """
    from django.conf import settings
    from django.core.management import call_command
    from django.db import DatabaseError, connection

    from consilium.vault import rootkey

    if rootkey.misplaced():
        raise Problem(rootkey.misplaced())
    for directory in (settings.DATA_DIR, settings.KEY_DIR, settings.MAIL_DIR):
        Path(directory).mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        empty = not connection.introspection.table_names()
    except DatabaseError:
        raise Problem("The database cannot be reached: check DATABASE_URL and that its server runs.") from None
    if not rootkey.path().exists() and not (empty or init_keys):
        raise Problem(
            f"The database has data, but its keys are not in {settings.KEY_DIR}: restore them from your key "
            "backup, or set CONSILIUM_KEY_DIR to where they are."
        )
    make_keys()
    call_command("migrate", interactive=False, verbosity=0)


def make_keys() -> None:
    """Every secret of the installation that is not there yet."""
    from django.conf import settings

    from consilium.core import audit, secretfile
    from consilium.opinions.report import seal_key
    from consilium.vault import keys
    from consilium.vault.errors import KeysNotReady

    try:
        created = keys.init()
    except KeysNotReady as problem:
        raise Problem(problem) from None
    audit.init()
    seal_key.init()
    session = Path(settings.KEY_DIR) / "django.key"
    if not session.exists():
        secretfile.write_atomic(session, secrets.token_urlsafe(48).encode(), replace=False)
    if created:
        say(f"New keys were made in {settings.KEY_DIR}. Without them nothing can be read: back them up apart.")
