"""Tampering with the log: what verify() and the stand-alone verifier say about it."""

import json
import random
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection, transaction

from consilium.core import audit, secretfile
from consilium.core.audit import entry as entries
from consilium.core.audit import signing
from consilium.core.audit.merkle import EMPTY_ROOT, Frontier
from consilium.core.models import AuditCheckpoint, AuditEvent, AuditHead

VERIFIER = Path(__file__).resolve().parents[3] / "scripts" / "verify_audit.py"

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Actor:
    ref: str


EVE = Actor(f"user:{uuid4()}")


@pytest.fixture(autouse=True)
def key_directory(settings, tmp_path):
    settings.KEY_DIR = tmp_path / "keys"
    settings.KEY_DIR.mkdir(mode=0o700)
    audit.init()
    return settings.KEY_DIR


def write(number):
    with transaction.atomic():
        audit.record_all([audit.Draft("record.read", EVE, f"record:{uuid4()}", space=uuid4()) for _ in range(number)])


@pytest.fixture
def log(django_capture_on_commit_callbacks):
    """Twelve entries with checkpoints at 5 and 12, both remembered outside."""
    with django_capture_on_commit_callbacks(execute=True):
        write(5)
        audit.checkpoint()
        write(7)
        audit.checkpoint()


@pytest.fixture
def exported(log, tmp_path):
    path = tmp_path / "audit.jsonl"
    assert audit.export(path) == 12
    assert path.stat().st_mode & 0o777 == 0o600
    return [json.loads(line) for line in path.read_text().splitlines()]


def standalone(lines, tmp_path, key_directory, *, witness=False):
    """Run the verifier in a process of its own; returns (exit status, what it printed)."""
    path = tmp_path / "tampered.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [sys.executable, "-I", str(VERIFIER), str(path), "--public-key", str(key_directory / "audit.pub")]
    if witness:
        command += ["--witness", str(key_directory / "audit-checkpoints.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def verifier():
    """The verifier's function, loaded from the file, for many quick attempts."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("verify_audit", VERIFIER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.verify


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def rechained(lines):
    """What somebody without the signing key can do: recompute every hash."""
    previous, out = "0" * 64, []
    for number, line in enumerate(line for line in lines if line["kind"] == "event"):
        said = json.loads(line["entry"]) | {"sequence": number, "previous": previous}
        text = entries.canonical(said)
        previous = sha256(text.encode()).hexdigest()
        out.append({"kind": "event", "entry": text, "hash": previous})
    return [lines[0], *out, *(line for line in lines if line["kind"] == "checkpoint")]


def edited(line):
    return {**line, "entry": line["entry"].replace(EVE.ref, "user:somebody-else")}


# --- the tree ---------------------------------------------------------------------------------------


def naive_root(leaves):
    """RFC 6962 section 2.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def test_tree_is_that_of_rfc_6962():
    # Known answers published with Certificate Transparency's reference implementations.
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [bytes.fromhex(text) for text in inputs]
    tree = Frontier()
    assert tree.root() == EMPTY_ROOT
    for count, leaf in enumerate(leaves, start=1):
        tree.append(leaf)
        assert tree.root() == naive_root(leaves[:count]).hex()
    assert tree.root() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


# --- verify() in the database ----------------------------------------------------------------------


def test_whole_log_verifies(log):
    report = audit.verify()
    assert (report.ok, report.events, report.checkpoints) == (True, 12, 2)
    assert report.root == AuditCheckpoint.objects.get(size=12).root


def test_checkpoint_is_made_only_when_there_is_something_new(log):
    assert audit.checkpoint() is None
    write(1)
    assert audit.checkpoint().size == 13


def test_empty_log_has_no_checkpoint_and_verifies():
    assert audit.checkpoint() is None
    assert audit.verify().ok


DATABASE_TAMPERINGS = {
    "agent column": "UPDATE core_auditevent SET agent = 'system' WHERE sequence = 3",
    "time column": "UPDATE core_auditevent SET recorded = '2020-01-01 00:00:00+00' WHERE sequence = 3",
    "space column": "UPDATE core_auditevent SET space = NULL WHERE sequence = 3",
    "entry": "UPDATE core_auditevent SET entry = replace(entry, 'success', 'denied') WHERE sequence = 3",
    "entry not JSON": "UPDATE core_auditevent SET entry = 'x' WHERE sequence = 3",
    "hash": "UPDATE core_auditevent SET hash = 'ab' WHERE sequence = 3",
    "first deleted": "DELETE FROM core_auditevent WHERE sequence = 0",
    "one deleted": "DELETE FROM core_auditevent WHERE sequence = 6",
    "last deleted": "DELETE FROM core_auditevent WHERE sequence = 11",
    "all deleted": "DELETE FROM core_auditevent",
    "moved": "UPDATE core_auditevent SET sequence = 90 WHERE sequence = 2",
    "head hash": "UPDATE core_audithead SET hash = 'ab'",
    "head size": "UPDATE core_audithead SET size = 11",
    "tree state": "UPDATE core_audithead SET peaks = replace(peaks, '1', '2')",
    "tree state lost": "UPDATE core_audithead SET peaks = ''",
    "head deleted": "DELETE FROM core_audithead",
    "checkpoint root": "UPDATE core_auditcheckpoint SET statement = replace(statement, '\"size\":5', '\"size\":4')",
    "checkpoint unreadable": "UPDATE core_auditcheckpoint SET statement = 'x' WHERE size = 5",
    "signature": "UPDATE core_auditcheckpoint SET signature = replace(signature, 'a', 'b') WHERE size = 5",
    "checkpoint deleted": "DELETE FROM core_auditcheckpoint WHERE size = 12",
}


@pytest.mark.parametrize("name", DATABASE_TAMPERINGS)
def test_tampering_in_the_database_is_reported(log, name):
    sql(DATABASE_TAMPERINGS[name])
    report = audit.verify()
    assert report.problems
    assert EVE.ref not in " ".join(report.problems)


def test_log_cut_off_together_with_its_checkpoint_is_caught_by_the_witness(log):
    survivor = AuditEvent.objects.get(sequence=4)
    tree = Frontier()
    for event in AuditEvent.objects.filter(sequence__lt=5):
        tree.append(event.entry.encode())
    sql("DELETE FROM core_auditevent WHERE sequence > 4")
    sql("DELETE FROM core_auditcheckpoint WHERE size > 5")
    AuditHead.objects.update(size=5, hash=survivor.hash, peaks=",".join(tree.peaks))
    assert any("12 entries, but only 5" in sentence for sentence in audit.verify().problems)
    signing.witness_path().unlink()
    assert audit.verify().ok  # nobody is left who remembers: documented in audit-log.md


def test_witness_with_a_line_cut_off_by_a_crash_is_still_read(log):
    with signing.witness_path().open("a") as file:
        file.write('{"statement": "{')
    assert len(signing.witnessed()) == 2
    assert audit.verify().ok


def test_recomputed_log_in_the_database_is_reported(log):
    lines = [{}, *({"kind": "event", "entry": e.entry} for e in AuditEvent.objects.all())]
    lines[0] = {"kind": "header"}
    lines[4] = edited(lines[4])
    forged = rechained(lines)[1:]
    sql("DELETE FROM core_auditevent WHERE sequence > 2")
    tree = Frontier()
    for number, line in enumerate(forged):
        tree.append(line["entry"].encode())
        if number > 2:
            said = json.loads(line["entry"])
            audit.log.row(said, number, line["entry"], line["hash"]).save()
    AuditHead.objects.update(hash=forged[-1]["hash"], peaks=",".join(tree.peaks))
    problems = audit.verify().problems
    assert problems
    assert all("checkpoint" in sentence for sentence in problems)  # the chain itself is flawless


# --- the stand-alone verifier ------------------------------------------------------------------------


def test_standalone_verifier_accepts_a_whole_export(exported, tmp_path, key_directory):
    assert standalone(exported, tmp_path, key_directory, witness=True) == (0, "12 entries: the log is whole\n")


def test_standalone_verifier_shares_no_code():
    assert "consilium." not in VERIFIER.read_text().replace("consilium.invalid", "")


EXPORT_TAMPERINGS = {
    "an entry edited": lambda e: [*e[:4], edited(e[4]), *e[5:]],
    "an entry edited, its hash made to fit": lambda e: [
        *e[:4],
        {**edited(e[4]), "hash": sha256(edited(e[4])["entry"].encode()).hexdigest()},
        *e[5:],
    ],
    "an entry deleted": lambda e: [*e[:4], *e[5:]],
    "the first deleted": lambda e: [e[0], *e[2:]],
    "the last deleted": lambda e: [*e[:12], *e[13:]],
    "two swapped": lambda e: [*e[:4], e[5], e[4], *e[6:]],
    "an entry twice": lambda e: [*e[:5], e[4], *e[5:]],
    "cut off": lambda e: [*e[:8], *e[13:]],
    "cut off with its checkpoint": lambda e: [*e[:10], *(line for line in e[13:] if '"size":5' in line["statement"])],
    "recomputed": lambda e: rechained([*e[:4], edited(e[4]), *e[5:]]),
    "recomputed after a deletion": lambda e: rechained([*e[:4], *e[5:]]),
    "recomputed without checkpoints": lambda e: rechained([*e[:4], edited(e[4]), *e[5:13]]),
    "checkpoints removed": lambda e: e[:13],
    "signature changed": lambda e: [*e[:13], {**e[13], "signature": "00" * 64}, e[14]],
    "root changed": lambda e: [*e[:14], {**e[14], "statement": e[14]["statement"].replace('"size":12', '"size":11')}],
    "nothing left": lambda e: e[:1] + e[13:],
}


@pytest.mark.parametrize("name", EXPORT_TAMPERINGS)
def test_standalone_verifier_detects(exported, verifier, name):
    keys = signing.public_keys()
    assert verifier(exported, keys, []) == []
    assert verifier(EXPORT_TAMPERINGS[name](exported), keys, []) != []


@pytest.mark.parametrize("name", ["an entry edited", "recomputed", "cut off"])
def test_standalone_verifier_exits_with_a_sentence(exported, tmp_path, key_directory, name):
    status, printed = standalone(EXPORT_TAMPERINGS[name](exported), tmp_path, key_directory)
    assert status == 1
    assert "problems" in printed


def test_log_re_signed_with_another_key_is_detected(exported, verifier, settings, tmp_path):
    publics = signing.public_keys()
    settings.KEY_DIR = tmp_path / "forger"
    settings.KEY_DIR.mkdir()
    audit.init()
    forged = rechained([*exported[:4], edited(exported[4]), *exported[5:13]])
    tree = Frontier()
    for line in forged[1:]:
        tree.append(line["entry"].encode())
    statement = entries.canonical({"size": 12, "root": tree.root(), "head": forged[-1]["hash"]})
    forged.append({"kind": "checkpoint", "statement": statement, "signature": signing.sign(statement)})
    assert verifier(forged, signing.public_keys(), []) == []  # flawless but for who signed it
    assert verifier(forged, publics, []) != []


def test_signed_checkpoint_with_a_wrong_root_is_reported(log, exported, verifier):
    said = json.loads(exported[-1]["statement"]) | {"root": "0" * 64}
    statement = entries.canonical(said)
    wrong = {"statement": statement, "signature": signing.sign(statement)}
    assert verifier([*exported, {"kind": "checkpoint", **wrong}], signing.public_keys(), []) != []
    sql("UPDATE core_auditcheckpoint SET statement = %s, signature = %s WHERE size = 12", statement, wrong["signature"])
    assert "The checkpoint at 12 does not fit the first 12 entries." in audit.verify().problems


def test_chain_alone_names_the_place(exported, verifier):
    moved = [*exported[:4], exported[5], exported[4], *exported[6:]]
    problems = verifier(moved, signing.public_keys(), [])
    assert sum("is not where it was written" in sentence for sentence in problems) == 3


def test_cut_off_export_is_detected_by_a_witness(exported, verifier):
    short = [*exported[:6], *(line for line in exported[13:] if '"size":5' in line["statement"])]
    assert verifier(short, signing.public_keys(), []) == []
    assert verifier(short, signing.public_keys(), signing.witnessed()) != []


def test_a_thousand_random_changes_are_all_detected(exported, verifier):
    """Any changed character of any entry, hash, statement or signature."""
    keys, chance = signing.public_keys(), random.Random(20261121)
    for _ in range(1000):
        lines = [dict(line) for line in exported]
        line = chance.choice(lines[1:])
        name = chance.choice([name for name in line if name != "kind"])
        at = chance.randrange(len(line[name]))
        new = chance.choice('0123456789abcdef"{}:, x'.replace(line[name][at], ""))
        line[name] = line[name][:at] + new + line[name][at + 1 :]
        try:
            problems = verifier(lines, keys, [])
        except (ValueError, KeyError, TypeError):
            problems = ["unreadable"]  # main() says so and exits with 2
        assert problems, (name, at)


def test_unreadable_export_is_said_to_be_so(tmp_path, key_directory):
    status, printed = standalone([{"format": "something else"}], tmp_path, key_directory)
    assert (status, "cannot be read" in printed) == (2, True)


# --- the key ------------------------------------------------------------------------------------------


def test_signing_key_is_private_kept_and_checked(key_directory):
    before = signing.public_key()
    assert audit.init() is False
    assert signing.public_key() == before
    assert (key_directory / "audit.key").stat().st_mode & 0o777 == 0o600
    assert audit.check() == []
    (key_directory / "audit.key").chmod(0o644)
    assert "chmod 600" in audit.check()[0]
    (key_directory / "audit.key").unlink()
    assert "does not exist" in audit.check()[0]
    write(1)  # recording needs no key
    with pytest.raises(secretfile.SecretFileError):
        audit.checkpoint()


def test_former_public_keys_still_verify_after_a_new_signing_key(log, key_directory):
    (key_directory / "audit.key").unlink()
    audit.init()
    write(1)
    audit.checkpoint()
    assert len(signing.public_keys()) == 2
    assert audit.verify().ok
