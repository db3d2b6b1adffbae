"""When to refuse to start. Each check returns one sentence that says what to do, or nothing."""

import ipaddress
import socket
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from consilium.ops.command import Problem, start_django


def preflight(arguments: Namespace) -> None:
    """Raise Problem with every reason not to start on `--bind`."""
    start_django()
    reasons = list(refusals(*split(arguments.bind)))
    if reasons:
        raise Problem(*reasons)


def split(bind: str) -> tuple[str, int]:
    """`address:port` as its two parts; IPv6 addresses in brackets."""
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise Problem(f"“{bind}” is no address and port; write for example --bind 127.0.0.1:8000.")
    return host.strip("[]"), int(port)


def refusals(host: str, port: int = 0) -> Iterator[str]:
    """Every reason not to start on this address."""
    yield from exposure(host)
    yield from places()
    yield from malware_policy()
    yield from dimse()
    keys_ok = True
    for sentence in key_problems():
        keys_ok = False
        yield sentence
    database = list(database_problems())
    yield from database
    if keys_ok and not database:
        yield from accounts()
    if port:
        yield from occupied(host, port)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def exposure(host: str) -> Iterator[str]:
    """Debug, demo and plain HTTP stay on this machine."""
    from django.conf import settings

    if is_loopback(host):
        return
    if settings.DEBUG:
        yield f"DEBUG is on and {host} can be reached from outside: unset DEBUG, or use --bind 127.0.0.1:8000."
    if settings.DEMO:
        yield (
            f"In demo mode anybody can sign in as anybody, and {host} can be reached from outside: "
            "unset CONSILIUM_DEMO, or use --bind 127.0.0.1:8000."
        )
    elif not settings.SECURE_TRANSPORT:
        yield (
            f"{host} can be reached from outside, but the public address {settings.PUBLIC_URL} is not encrypted: "
            "set CONSILIUM_PUBLIC_URL to the https:// address of the proxy in front."
        )


def malware_policy() -> Iterator[str]:
    """What happens without a virus scanner is said in words that we know, and can be kept."""
    from django.conf import settings

    if settings.MALWARE_POLICY not in ("note", "require"):
        yield f"CONSILIUM_MALWARE_POLICY is “{settings.MALWARE_POLICY}”: set it to note or require."
    elif settings.MALWARE_POLICY == "require" and not settings.CLAMD:
        yield "CONSILIUM_MALWARE_POLICY is require, but there is no scanner: set CONSILIUM_CLAMD to clamd's socket."


def dimse(bind: str = "") -> Iterator[str]:
    """What speaks against the DIMSE gateway as it is set up; nothing when it is switched off."""
    from django.conf import settings

    bind = bind or settings.DIMSE_BIND
    if not bind:
        return
    from consilium.gateways.dimse import config

    try:
        host, _port = split(bind)
    except Problem as problem:
        yield from (sentence.replace("--bind 127.0.0.1:8000", "127.0.0.1:11112") for sentence in problem.sentences)
        return
    yield from config.problems(reachable=not is_loopback(host))


def places() -> Iterator[str]:
    """Data directory there and ours alone."""
    from django.conf import settings

    data = Path(settings.DATA_DIR)
    if not data.is_dir():
        yield f"There is no data directory {data}: run `consilium migrate` once, or set CONSILIUM_DATA_DIR."
    elif data.stat().st_mode & 0o007:
        yield f"Other users can look into the data directory: run `chmod 700 {data}`."


def key_problems() -> Iterator[str]:
    """Root key, keystore, signing keys: there, readable, nobody else's, and outside the data."""
    from django.conf import settings

    from consilium.core import audit
    from consilium.vault import keys, rootkey

    directory = Path(settings.KEY_DIR)
    misplaced = rootkey.misplaced()
    if misplaced:
        yield misplaced
        return
    if not rootkey.path().exists() and not any(directory.glob("keystore/*/*")):
        yield f"There are no keys in {directory}: run `consilium migrate` once, or set CONSILIUM_KEY_DIR."
        return
    seen = list(dict.fromkeys([*keys.check(), *readable_by_others(directory), *audit.check()]))
    yield from seen
    if not (directory / "django.key").is_file() and not settings.TESTING and not from_environment():
        yield f"The session key {directory / 'django.key'} is missing: run `consilium migrate` to make one."


def from_environment() -> bool:
    import os

    return bool(os.environ.get("CONSILIUM_SECRET_KEY"))


def readable_by_others(directory: Path) -> Iterator[str]:
    """Key files that other users of this machine may read (public keys aside)."""
    for path in sorted(directory.glob("*")):
        if path.is_file() and path.suffix != ".pub" and path.stat().st_mode & 0o077:
            yield f"The key file {path} can be read or changed by other users. Run: chmod 600 {path}"


def database_problems() -> Iterator[str]:
    """Reachable, and with every migration applied."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor
    from django.db.utils import Error

    try:
        if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists():
            yield "There is no database yet: run `consilium migrate`."
            return
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        where = connection.settings_dict.get("HOST") or connection.settings_dict["NAME"]
        yield f"The database at {where} cannot be used: check DATABASE_URL and that its server runs."
        return
    if pending:
        yield f"The database lacks {len(pending)} migrations: make a backup, then run `consilium migrate`."


def accounts() -> Iterator[str]:
    """Demo accounts open every door; they exist in demo mode only."""
    from django.conf import settings
    from django.contrib.auth import get_user_model

    if not settings.DEMO and get_user_model().objects.filter(is_demo=True).exists():
        yield (
            "This database holds demo accounts that anybody can use: start with CONSILIUM_DEMO=1, or point "
            "CONSILIUM_DATA_DIR, CONSILIUM_KEY_DIR and DATABASE_URL to a fresh installation."
        )


def occupied(host: str, port: int) -> Iterator[str]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            yield f"This user may not use port {port}: choose one above 1023, e.g. --bind {host}:8000."
        except OSError:
            yield f"{host}:{port} is in use, or not an address of this machine: choose another --bind."
