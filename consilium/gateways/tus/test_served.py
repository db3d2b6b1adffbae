"""Resumable uploads over real HTTP: a client nobody here wrote, and a server that is killed in the middle."""

import hashlib
import io
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tusclient.client import TusClient as Tuspy

from consilium.cases.models import Case
from consilium.config.test_bridge import free_port
from consilium.gateways.tus.conftest import KeyOf
from consilium.gateways.tus.protocol import BODY_TYPE
from consilium.gateways.tus.testing_client import encoded, transfer_at, upload_at
from consilium.ops.serve import web_command
from consilium.ops.test_serve import answers, same_database, until
from consilium.records import content
from consilium.records.transfers import PART_BYTES
from consilium.testing.cast import Cast

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
MIB = 2**20


@contextmanager
def served(port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The web server as `consilium serve` starts it, in a process group of its own."""
    with log.open("ab") as out:
        running = subprocess.Popen(
            web_command("127.0.0.1", port, 1), env=same_database(), stdout=out, stderr=out, start_new_session=True
        )
        try:
            assert until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), 60), log.read_text()
            yield running
        finally:
            kill(running)


def kill(running: "subprocess.Popen[bytes]") -> None:
    """SIGKILL for every process of the server."""
    try:
        os.killpg(running.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    running.wait()


def sha256(path: str) -> str:
    digest = hashlib.sha256()
    for chunk in content.chunks(upload_at(path)):
        digest.update(chunk)
    return digest.hexdigest()


def test_a_foreign_client_and_a_killed_server(case: Case, cast: Cast, key_of: KeyOf, tmp_path: Path) -> None:
    port, log, key = free_port(), tmp_path / "log", key_of(cast.anna)
    root = f"http://127.0.0.1:{port}/data/cases/{case.pk}/uploads"
    with served(port, log) as first:
        by_tuspy(root, key)
        cut_ten_times(port, root, key)
        path = killed_in_the_middle(first, root, key)
    data = random.Random(8).randbytes(70 * MIB)
    with served(port, log), httpx.Client(headers=key | {"tus-resumable": "1.0.0"}) as web:
        stands = int(web.head(path).headers["upload-offset"])
        assert stands == MIB + PART_BYTES
        named = {"content-type": BODY_TYPE, "upload-offset": str(stands)}
        assert web.patch(path, content=data[stands:], headers=named).status_code == 204
    assert sha256(path) == hashlib.sha256(data).hexdigest()


def by_tuspy(root: str, key: dict[str, str]) -> None:
    """tuspy in chunks with checksums, as it comes."""
    data = random.Random(7).randbytes(3 * MIB + 17)
    sender = Tuspy(root, headers=key).uploader(
        file_stream=io.BytesIO(data), chunk_size=MIB, metadata={"filename": "foreign.bin"}, upload_checksum=True
    )
    sender.upload()
    assert sender.offset == len(data)
    assert sha256(sender.url) == hashlib.sha256(data).hexdigest()
    assert upload_at(sender.url).name == "foreign.bin"


def cut_ten_times(port: int, root: str, key: dict[str, str]) -> None:
    """The plug is pulled in the middle of each request; what had arrived by then counts."""
    data, chance = random.Random(9).randbytes(4 * MIB), random.Random(10)
    with httpx.Client(headers=key | {"tus-resumable": "1.0.0"}, timeout=30) as web:
        path = str(httpx.URL(root).join(web.post(root, headers={"upload-length": str(len(data))}).headers["location"]))

        def stands() -> int:
            return int(web.head(path).headers["upload-offset"])

        at = 0
        for cut in range(10):
            size = chance.randrange(100_000, 300_000)
            pull_the_plug(port, httpx.URL(path).path, key, data[at:], at, size)
            assert until(lambda at=at: stands() > at), f"nothing of cut {cut} was kept"
            assert at < stands() <= at + size
            at = stands()
        named = {"content-type": BODY_TYPE, "upload-offset": str(at)}
        assert web.patch(path, content=data[at:], headers=named).status_code == 204
    assert sha256(path) == hashlib.sha256(data).hexdigest()


def pull_the_plug(port: int, path: str, key: dict[str, str], data: bytes, at: int, size: int) -> None:
    """Announce all of `data`, send `size` bytes of it, and hang up."""
    named = key | {"host": "localhost", "tus-resumable": "1.0.0", "content-type": BODY_TYPE, "upload-offset": str(at)}
    lines = [f"PATCH {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    head = "\r\n".join([*lines, f"content-length: {len(data)}", "", ""]).encode()
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(head + data[:size])


def killed_in_the_middle(running: "subprocess.Popen[bytes]", root: str, key: dict[str, str]) -> str:
    """One piece acknowledged, then one of more than a stretch; SIGKILL while it comes. The upload's address."""
    data = random.Random(8).randbytes(70 * MIB)
    with httpx.Client(headers=key | {"tus-resumable": "1.0.0"}, timeout=60) as web:
        named = {"upload-length": str(len(data)), "upload-metadata": encoded(filename="disc.tar")}
        path = str(httpx.URL(root).join(web.post(root, headers=named).headers["location"]))
        first = {"content-type": BODY_TYPE, "upload-offset": "0"}
        assert web.patch(path, content=data[:MIB], headers=first).status_code == 204

        def body() -> Iterator[bytes]:
            for start in range(MIB, 68 * MIB, MIB):
                yield data[start : start + MIB]
            assert until(lambda: transfer_at(path).offset == MIB + PART_BYTES, 60)
            kill(running)
            time.sleep(0.2)
            for start in range(68 * MIB, 70 * MIB, MIB):
                yield data[start : start + MIB]

        with pytest.raises(httpx.TransportError):
            web.patch(path, content=body(), headers={"content-type": BODY_TYPE, "upload-offset": str(MIB)})
    return path
