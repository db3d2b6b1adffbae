"""`consilium restore`: a verified backup onto an empty installation, and only onto an empty one."""

from argparse import Namespace
from pathlib import Path

from consilium.ops import backup, dump, manifest
from consilium.ops.command import Problem, say, start_django


def restore(arguments: Namespace) -> None:
    """Verify, refuse a target that holds anything, copy keys, blobs and database, then verify the audit log."""
    start_django()
    from django.conf import settings

    source, keys_from = Path(arguments.source).resolve(), Path(arguments.keys_from).resolve()
    found = backup.check(source, keys_from)
    if found:
        raise Problem(*found, "Nothing was restored.")
    refuse_non_empty()
    for directory in (settings.DATA_DIR, settings.KEY_DIR, settings.MAIL_DIR):
        Path(directory).mkdir(parents=True, exist_ok=True, mode=0o700)
    put_back(keys_from, Path(settings.KEY_DIR), below="")
    put_back(source, Path(settings.DATA_DIR), below="blobs/")
    dump.load(source / "database", manifest.read(source)["database"])
    confirm()


def refuse_non_empty() -> None:
    from django.conf import settings

    for directory in (settings.DATA_DIR, settings.KEY_DIR):
        path = Path(directory)
        if path.exists() and any(path.iterdir()):
            raise Problem(f"{path} is not empty: restore onto an empty installation only.")
    if not dump.is_empty():
        raise Problem("The database is not empty: restore onto an empty database only.")


def put_back(source: Path, target: Path, *, below: str) -> None:
    """Copy the listed files (and no others) to where they live."""
    for name, listed in manifest.read(source)["files"].items():
        if name.startswith(below):
            manifest.copy_file(source / name, target / name)
            if manifest.digest(target / name) != listed["sha256"]:
                raise Problem(f"{target / name} was not written correctly: check the disk, then start over.")


def confirm() -> None:
    """The restored installation opens with its keys, and its audit log is whole."""
    from consilium.core import audit
    from consilium.vault import keys

    found = [*keys.check(), *audit.verify().problems]
    if found:
        raise Problem(*found)
    say("Restored: keys open, every file has its hash, the audit log is whole. Now run `consilium migrate`.")
