"""The subcommands as one table. Modules load when their command runs, so `--help` and `serve` stay light."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from importlib import import_module
from typing import Any


class Problem(Exception):  # noqa: N818 - an answer to the operator
    """Why a command cannot go on: sentences that each say what to do."""

    def __init__(self, *sentences: object) -> None:
        super().__init__(*sentences)
        self.sentences = [str(sentence) for sentence in sentences]


Argument = tuple[tuple[str, ...], dict[str, Any]]


def arg(*names: str, **options: Any) -> Argument:
    return names, options


FORMAT = arg("--json", action="store_true", help="print JSON")

COMMANDS: list[tuple[str, str, str, list[Argument]]] = [
    # command, function, what it does, arguments
    (
        "serve",
        "serve.serve",
        "run web server, data plane and workers until stopped",
        [
            arg("--bind", default="127.0.0.1:8000", help="address:port (default 127.0.0.1:8000)"),
            arg("--workers", type=int, default=1, help="web processes (default 1)"),
            arg("--job-workers", type=int, default=1, help="job worker processes (default 1)"),
        ],
    ),
    (
        "worker",
        "worker.worker",
        "run one job worker (serve starts its own)",
        [
            arg("--name", default="", help="unique name (default: made up)"),
            arg("--replaces", default="", help="a dead worker whose jobs come back at once"),
            arg("--queues", default="", help="comma-separated queues; -name: all but that one (default: all)"),
            arg("--nice", type=int, default=0, help="give way to other processes (0 to 19)"),
            arg("--lease", type=float, default=30.0, help="seconds without a heartbeat until a job comes back"),
        ],
    ),
    (
        "dimse",
        "dimse.dimse",
        "take images by DICOM C-STORE (serve starts it when CONSILIUM_DIMSE_BIND is set)",
        [arg("--bind", default="", help="address:port (default: CONSILIUM_DIMSE_BIND, or 127.0.0.1:11112)")],
    ),
    (
        "migrate",
        "migrate.migrate",
        "make directories, keys (first time) and bring the database up to date",
        [arg("--init-keys", action="store_true", help="make new keys although the database is not empty")],
    ),
    (
        "demo",
        "demo.demo",
        "load the synthetic demo cases (with CONSILIUM_DEMO=1 only)",
        [arg("--if-empty", action="store_true", help="do nothing when there are accounts already")],
    ),
    ("preflight", "preflight.preflight", "say whether serve would start", [arg("--bind", default="127.0.0.1:8000")]),
    ("doctor", "doctor.doctor", "check the whole installation and say in words what is wrong", [FORMAT]),
    (
        "audit",
        "audit.audit",
        "the audit log: verify, export FILE, checkpoint",
        [arg("what", choices=["verify", "export", "checkpoint"]), arg("file", nargs="?"), FORMAT],
    ),
    (
        "backup",
        "backup.backup",
        "write and verify a complete backup",
        [arg("target"), arg("--keys-to", required=True, help="where the keys go: another place than the data")],
    ),
    ("verify-backup", "backup.verify", "check a backup without restoring it", [arg("source"), arg("--keys-from")]),
    (
        "restore",
        "restore.restore",
        "restore a backup onto an empty installation",
        [arg("source"), arg("--keys-from", required=True, help="the keys that belong to it")],
    ),
    (
        "jobs",
        "jobs.jobs",
        "list jobs that wait or are parked; retry parked ones",
        [
            arg("what", choices=["list", "retry"]),
            arg("id", nargs="?", help="one parked job (default for retry: all of them)"),
            FORMAT,
        ],
    ),
    (
        "keys",
        "keys.keys",
        "the keys: check, rotate-root, rotate ORGANISATION",
        [arg("what", choices=["check", "rotate-root", "rotate"]), arg("organisation", nargs="?")],
    ),
    (
        "create-admin",
        "admin.create_admin",
        "make the first administrator of an organisation",
        [
            arg("email"),
            arg("--organisation", required=True, help="its name; made when it does not exist"),
            arg("--country", default="DE", help="two letters (default DE)"),
        ],
    ),
]


def parser() -> ArgumentParser:
    """The argument parser; each subcommand sets `run`, a function of the parsed arguments."""
    made = ArgumentParser(prog="consilium", description="Consilium: remote second medical opinions.")
    commands = made.add_subparsers(required=True, metavar="command")
    for name, target, what, arguments in COMMANDS:
        command = commands.add_parser(name, help=what, description=what)
        for names, options in arguments:
            command.add_argument(*names, **options)
        command.set_defaults(run=lazily(target))
    return made


def lazily(target: str) -> Callable[[Namespace], int | None]:
    module, function = target.split(".")

    def run(arguments: Namespace) -> int | None:
        return getattr(import_module(f"consilium.ops.{module}"), function)(arguments)

    return run


def say(text: object = "") -> None:
    """One line for the operator."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def start_django() -> None:
    """Load settings and models; a settings mistake becomes a sentence."""
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise Problem(f"The settings cannot be used: {error}") from None
