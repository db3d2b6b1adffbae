"""`consilium backup`: database, sealed blobs and (elsewhere) keys, listed, sealed and read back.

Order: database first, then blobs, then keys. Blobs are written before their rows and keys before both, so
everything that the snapshot of the database names is there. The server may run meanwhile.
"""

import json
import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any
from uuid import uuid4

from consilium.ops import dump, manifest
from consilium.ops.command import Problem, say, start_django

LAST = "last-backup.json"


def backup(arguments: Namespace) -> None:
    """Write a new backup; nothing is ever overwritten. A backup that fails its check is removed."""
    start_django()
    from consilium.ops.preflight import database_problems, key_problems

    reasons = [*key_problems(), *database_problems()]
    if reasons:
        raise Problem(*reasons)
    target, keys_to = Path(arguments.target).resolve(), Path(arguments.keys_to).resolve()
    check_places(target, keys_to)
    try:
        facts = write(target, keys_to)
        found = check(target, keys_to)
    except BaseException:
        discard(target, keys_to)
        raise
    if found:
        discard(target, keys_to)
        raise Problem(*found, "The backup was not good and was removed.")
    remember(facts)
    say(f"Backup written and read back: {target} ({facts['blobs']} blobs), keys in {keys_to}.")
    say("Move the keys to another place than the data: together they are readable.")


def check_places(target: Path, keys_to: Path) -> None:
    """Fresh places, apart from each other and from the installation."""
    from django.conf import settings

    for path in (target, keys_to):
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise Problem(f"{path} is not empty: name a new directory for every backup.")
        for live in (settings.DATA_DIR, settings.KEY_DIR):
            if path.is_relative_to(live) or Path(live).is_relative_to(path):
                raise Problem(f"{path} overlaps {live}: put the backup somewhere else.")
    if target.is_relative_to(keys_to) or keys_to.is_relative_to(target):
        raise Problem("Keys and data must not lie in one directory: give --keys-to another place.")


def write(target: Path, keys_to: Path) -> dict[str, Any]:
    """Copy everything and seal both manifests; returns the facts of the data's manifest."""
    from django.conf import settings

    from consilium.core import clock
    from consilium.vault import rootkey

    for path in (target, keys_to):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
    identity: dict[str, Any] = {"id": str(uuid4()), "made_at": clock.now().isoformat()}
    database = dump.save(target / "database")
    blobs = copy_tree(Path(settings.DATA_DIR) / "blobs", target / "blobs", vanishing=True)
    copy_tree(Path(settings.KEY_DIR), keys_to)
    secret = rootkey.current().secret
    facts = {**identity, "kind": "data", "database": database, "blobs": blobs}
    manifest.write(target, facts, secret)
    manifest.write(keys_to, {**identity, "kind": "keys"}, secret)
    return facts


def copy_tree(source: Path, target: Path, *, vanishing: bool = False) -> int:
    """Copy the finished files below `source`; returns how many. Erased meanwhile is fine where `vanishing`."""
    count = 0
    for name in manifest.files_below(source) if source.is_dir() else ():
        if name.endswith((".tmp", ".partial")) or name.rsplit("/", 1)[-1] == ".lock":
            continue
        try:
            manifest.copy_file(source / name, target / name)
        except FileNotFoundError:
            if not vanishing:
                raise
            continue
        count += 1
    return count


def check(source: Path, keys_from: Path | None) -> list[str]:
    """Everything wrong with a backup: seals, every file, the database file, and that both parts belong together."""
    secret = root_secret(keys_from) if keys_from else None
    found = manifest.problems(source, secret)
    if keys_from:
        found += manifest.problems(keys_from, secret)
    if found:
        return found
    if keys_from and manifest.read(keys_from)["id"] != manifest.read(source)["id"]:
        found.append("The keys belong to another backup than the data.")
    sqlite = source / "database" / dump.SQLITE_FILE
    if sqlite.exists() and dump.check_sqlite(sqlite) != "ok":
        found.append("The database in the backup is damaged.")
    return found


def root_secret(keys_from: Path) -> bytes:
    from consilium.core import secretfile

    try:
        return secretfile.read(keys_from / "root.key")
    except secretfile.SecretFileError as error:
        raise Problem(error) from None


def discard(*folders: Path) -> None:
    """Remove what this run has written (the places were empty before)."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def remember(facts: dict[str, Any]) -> None:
    """For `consilium doctor`: when the last good backup was made."""
    from django.conf import settings

    from consilium.core.secretfile import write_atomic

    text = json.dumps({"id": facts["id"], "made_at": facts["made_at"]})
    write_atomic(Path(settings.DATA_DIR) / LAST, text.encode())


def verify(arguments: Namespace) -> int:
    """`consilium verify-backup`: with --keys-from also against forgery, without it against damage only."""
    start_django()
    keys_from = Path(arguments.keys_from).resolve() if arguments.keys_from else None
    found = check(Path(arguments.source).resolve(), keys_from)
    for sentence in found:
        say(f"✗ {sentence}")
    if not found:
        say("✓ The backup is complete and unaltered." if keys_from else "✓ Undamaged; forgery: give --keys-from.")
    return 1 if found else 0
