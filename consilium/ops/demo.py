"""`consilium demo`: the synthetic cases, and who can be signed in as."""

import os
import sys
from argparse import Namespace

from consilium.ops.command import Problem, say, start_django


def demo(arguments: Namespace) -> None:
    """Prepare the installation and load the demo cases; refuses outside demo mode."""
    start_django()
    from django.conf import settings

    from consilium.ops.migrate import prepare

    if not settings.DEMO:
        raise Problem("Demo accounts open every door, so they need demo mode: run `CONSILIUM_DEMO=1 consilium demo`.")
    prepare()
    from django.contrib.auth import get_user_model

    if get_user_model().objects.exists():
        if arguments.if_empty:
            return
        raise Problem("The database is not empty: demo cases go into a fresh installation only.")
    from consilium.demo import load

    say("Loading the demo cases …")
    load.load()


def who() -> None:
    """Print how to sign in as each persona."""
    start_django()
    from consilium.demo import load

    say(load.sign_in_help())


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.config.settings")
    sys.exit(who())
