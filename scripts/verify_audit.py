#!/usr/bin/env python3
"""Checks an exported audit log without Consilium: Python's standard library and `cryptography` only.

    python verify_audit.py EXPORT --public-key KEY [--witness CHECKPOINTS]

EXPORT       JSON lines written by `consilium audit export`.
KEY          the log's public key: 64 hex digits, or a file holding one or more (KEY_DIR/audit.pub). Get it
             from somewhere else than the export: whoever forges a log can put a key of their own into it.
CHECKPOINTS  checkpoints you kept (lines of KEY_DIR/audit-checkpoints.jsonl): a log that was cut off behind an
             older checkpoint, with the newer ones removed, is only detected by someone who remembers.

Exit status: 0 the log is whole; 1 it is not (one line a problem); 2 it could not be read.
The format is described in docs/reference/audit-log.md. This file shares no code with the package.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def merkle_roots(leaves: list[bytes], sizes: set[int]) -> dict[int, str]:
    """Roots (RFC 6962 section 2.1) of the trees over the first n leaves, for every n in sizes."""
    roots: dict[int, str] = {}
    stack: list[tuple[int, bytes]] = []  # (height, hash) of complete subtrees, left to right
    for count, leaf in enumerate(leaves, start=1):
        stack.append((0, sha256(b"\x00", leaf)))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            (height, left), (_, right) = stack[-2:]
            stack[-2:] = [(height + 1, sha256(b"\x01", left, right))]
        if count in sizes:
            node = stack[-1][1]
            for _, left in reversed(stack[:-1]):
                node = sha256(b"\x01", left, node)
            roots[count] = node.hex()
    return roots


def check_chain(events: list[dict[str, Any]]) -> list[str]:
    """Every entry hashes to its hash, names its predecessor's and carries the next number."""
    problems, previous = [], "0" * 64
    for number, event in enumerate(events):
        text = event["entry"]
        if hashlib.sha256(text.encode()).hexdigest() != event["hash"]:
            problems.append(f"entry {number}: its text does not have the hash beside it")
        try:
            said = json.loads(text)
            place = (said["sequence"], said["previous"])
        except (ValueError, KeyError, TypeError):
            problems.append(f"entry {number}: cannot be read")
        else:
            if place != (number, previous):
                problems.append(f"entry {number}: is not where it was written (an entry is missing, added or moved)")
        previous = event["hash"]
    return problems


def good_signature(line: dict[str, Any], keys: list[str]) -> bool:
    for key in keys:
        try:
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
            public.verify(bytes.fromhex(line["signature"]), line["statement"].encode())
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def check_checkpoints(
    events: list[dict[str, Any]], lines: list[dict[str, Any]], keys: list[str], name: str
) -> list[str]:
    """Every checkpoint is signed and fits the entries it speaks of."""
    problems = []
    statements = [(line, json.loads(line["statement"])) for line in lines]
    roots = merkle_roots([event["entry"].encode() for event in events], {said["size"] for _, said in statements})
    for line, said in statements:
        size = said["size"]
        if not good_signature(line, keys):
            problems.append(f"{name} at {size}: not signed by the given key")
        elif size > len(events):
            problems.append(f"{name} at {size}: only {len(events)} entries are there, the log was cut off")
        elif (said["root"], said["head"]) != (roots.get(size), events[size - 1]["hash"]):
            problems.append(f"{name} at {size}: the entries before it are not the ones that were signed")
    return problems


def verify(export: list[dict[str, Any]], keys: list[str], witness: list[dict[str, Any]]) -> list[str]:
    events = [line for line in export if line.get("kind") == "event"]
    checkpoints = [line for line in export if line.get("kind") == "checkpoint"]
    problems = check_chain(events)
    problems += check_checkpoints(events, checkpoints, keys, "checkpoint")
    problems += check_checkpoints(events, witness, keys, "witnessed checkpoint")
    covered = max((json.loads(line["statement"])["size"] for line in checkpoints), default=0)
    if covered < len(events):
        problems.append(f"entries {covered} to {len(events) - 1} are not covered by a signed checkpoint")
    return problems


def read_lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]


def read_keys(argument: str) -> list[str]:
    text = argument if len(argument) == 64 and not Path(argument).exists() else Path(argument).read_text()
    return text.split()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Checks an exported audit log without Consilium.")
    parser.add_argument("export")
    parser.add_argument("--public-key", required=True)
    parser.add_argument("--witness")
    options = parser.parse_args(arguments)
    try:
        export, keys = read_lines(options.export), read_keys(options.public_key)
        witness = read_lines(options.witness) if options.witness else []
        if not export or export[0].get("format") != "consilium-audit-export/1":
            raise ValueError("this is not an audit export of format 1")
        problems = verify(export, keys, witness)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"The export cannot be read: {error}")
        return 2
    for problem in problems:
        print(problem)
    count = sum(line.get("kind") == "event" for line in export)
    print(f"{count} entries: " + (f"{len(problems)} problems" if problems else "the log is whole"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
