"""Backups: complete, readable with their keys, and no sabotage passes. Real processes, real databases."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from uuid import uuid4

import pytest
from django.conf import settings

pytestmark = pytest.mark.server

FILL = """
import django; django.setup()
from uuid import UUID
from consilium.vault import blobs, keys, seal
from consilium.access.principals import SYSTEM
from consilium.core import audit, jobs
from consilium.ops.test_serve import count_me
from django.db import transaction
space, tenant = UUID("{space}"), UUID("{tenant}")
keys.create_space(space, tenant=tenant)
info = blobs.put([b"canary " * 100_000], space=space, tenant=tenant)
with transaction.atomic():
    audit.record("record.create", by=SYSTEM, thing=f"record:{{info.id}}", space=space)
    jobs.enqueue(count_me, 7, key="kept")
print(info.id)
"""
READ = """
import django; django.setup()
from uuid import UUID
from consilium.vault import blobs
from consilium.core import audit
from consilium.core.models.jobs import Job
print(b"".join(blobs.read(UUID("{blob}"), space=UUID("{space}"))) == b"canary " * 100_000,
      audit.verify().events, Job.objects.get().key)
from consilium.core import jobs; from consilium.ops.test_serve import count_me
from consilium.core.models import AuditEvent
jobs.enqueue(count_me, 8)  # sequences go on behind the restored rows
"""


class Installation:
    """Data, keys and a database of its own, used only through processes."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.environment = dict(
            os.environ,
            CONSILIUM_DATA_DIR=str(folder / "data"),
            CONSILIUM_KEY_DIR=str(folder / "keys"),
            CONSILIUM_MAIL_DIR=str(folder / "mail"),
            DATABASE_URL=self.database(folder),
            DJANGO_SETTINGS_MODULE=os.environ["DJANGO_SETTINGS_MODULE"],
        )

    @staticmethod
    def database(folder):
        if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
            return f"sqlite:///{folder / 'data' / 'consilium.sqlite3'}"
        import psycopg

        name = f"backup_{uuid4().hex[:12]}"
        server = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"{server}/{name}"

    def run(self, *arguments, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "consilium", *map(str, arguments)],
            env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def python(self, code):
        done = subprocess.run(
            [sys.executable, "-c", code], env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backup")
    source = Installation(folder / "source")
    source.run("migrate")
    space = uuid4()
    blob = source.python(FILL.format(space=space, tenant=uuid4()))
    source.run("backup", folder / "b", "--keys-to", folder / "k")
    return source, folder, READ.format(blob=blob, space=space)


def test_restore_onto_an_empty_installation_brings_everything_back(backed_up, tmp_path):
    _source, folder, read = backed_up
    target = Installation(tmp_path / "target")
    target.run("restore", folder / "b", "--keys-from", folder / "k")
    assert target.python(read) == "True 1 kept"
    refused = target.run("restore", folder / "b", "--keys-from", folder / "k", code=2)
    assert "not empty" in refused


def test_backup_alone_shows_nothing(backed_up):
    _source, folder, _read = backed_up
    for path in (folder / "b").rglob("*"):
        if path.is_file():
            assert b"canary canary" not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0
    assert not list((folder / "b").rglob("*.key"))


def test_backup_refuses_places_that_are_used_or_together(backed_up, tmp_path):
    source, folder, _read = backed_up
    assert "not empty" in source.run("backup", folder / "b", "--keys-to", tmp_path / "k", code=2)
    assert "overlaps" in source.run("backup", source.folder / "data/b", "--keys-to", tmp_path / "k", code=2)
    assert "one directory" in source.run("backup", tmp_path / "b", "--keys-to", tmp_path / "b/k", code=2)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def a_blob(folder):
    return next(path for path in (folder / "b/blobs").rglob("*") if path.is_file())


def a_database_file(folder):
    return max((folder / "b/database").iterdir(), key=lambda path: path.stat().st_size)


def relist(folder):
    """A forger without keys alters a file and its entry in the manifest."""
    from consilium.ops import manifest

    flip(a_blob(folder))
    listed = json.loads((folder / "b" / manifest.NAME).read_text())
    name = a_blob(folder).relative_to(folder / "b").as_posix()
    listed["files"][name]["sha256"] = manifest.digest(a_blob(folder))
    (folder / "b" / manifest.NAME).write_text(json.dumps(listed))


SABOTAGE = {
    "bit of a blob": lambda f: flip(a_blob(f)),
    "bit of the database": lambda f: flip(a_database_file(f)),
    "blob away": lambda f: a_blob(f).unlink(),
    "blob cut short": lambda f: os.truncate(a_blob(f), 100),
    "file added": lambda f: (f / "b/blobs/extra").write_bytes(b"x"),
    "file replaced by a link": lambda f: (shutil.move(a_blob(f), f / "moved"), a_name(f).symlink_to(f / "moved")),
    "manifest away": lambda f: (f / "b/manifest.json").unlink(),
    "seal away": lambda f: (f / "b/manifest.hmac").unlink(),
    "manifest altered to match": relist,
    "key record altered": lambda f: flip(next((f / "k/keystore").rglob("*.json"))),
    "key record away": lambda f: next((f / "k/keystore").rglob("*.json")).unlink(),
    "root key away": lambda f: (f / "k/root.key").unlink(),
    "other root key": lambda f: (f / "k/root.key").write_text("A" * 43 + "=\n"),
}
names = {}


def a_name(folder):
    return names.setdefault(folder, folder / "b/blobs/link")


@pytest.mark.parametrize("what", SABOTAGE)
def test_sabotage_is_found(backed_up, tmp_path, what):
    from consilium.ops import backup
    from consilium.ops.command import Problem

    _source, folder, _read = backed_up
    for part in ("b", "k"):
        shutil.copytree(folder / part, tmp_path / part)
    assert backup.check(tmp_path / "b", tmp_path / "k") == []
    SABOTAGE[what](tmp_path)
    try:
        found = backup.check(tmp_path / "b", tmp_path / "k")
    except Problem as problem:
        found = problem.sentences
    assert found


def test_keys_of_another_backup_are_found(backed_up, tmp_path):
    source, folder, _read = backed_up
    source.run("backup", tmp_path / "b", "--keys-to", tmp_path / "k")
    assert "another backup" in source.run("verify-backup", tmp_path / "b", "--keys-from", folder / "k", code=1)


def test_restore_of_a_sabotaged_backup_touches_nothing(backed_up, tmp_path):
    _source, folder, _read = backed_up
    for part in ("b", "k"):
        shutil.copytree(folder / part, tmp_path / part)
    flip(a_blob(tmp_path))
    target = Installation(tmp_path / "target")
    assert "altered" in target.run("restore", tmp_path / "b", "--keys-from", tmp_path / "k", code=2)
    assert not (target.folder / "data").exists()


def test_damaged_database_file_is_found_by_the_database_itself(tmp_path):
    from consilium.ops import dump

    path = tmp_path / "x.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (a TEXT)")
        database.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 200)
    database.close()
    assert dump.check_sqlite(path) == "ok"
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    path.write_bytes(content)
    assert dump.check_sqlite(path) != "ok"
