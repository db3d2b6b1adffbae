"""The client reads every kind of answer, ratios are formed as the report says, the cipher's stand-in has its shape."""

import gzip
import importlib.util
import json
import socket
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench import report
from bench.client import Connection, parts
from bench.corpus import BOUNDARY, multipart
from bench.rounds import Measured, Row, alternate, compared
from bench.servers import Server

BODY = bytes(range(256)) * 9000  # more than the client's buffer


def chunked(body: bytes) -> bytes:
    pieces = [body[at : at + 70_001] for at in range(0, len(body), 70_001)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


ANSWERS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY),
    "chunked": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(BODY),
    "until the end": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY,
}


@pytest.fixture
def serving():
    """Answers each connection's requests with the given bytes, one after the other; gives the port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def start(*answers: bytes, end: bool) -> int:
        def run() -> None:
            one, _ = listening.accept()
            for answer in answers:
                while not one.recv(65536).endswith(b"\r\n\r\n"):
                    pass
                one.sendall(answer)
            if end:
                one.close()
            else:
                one.recv(1)

        Thread(target=run, daemon=True).start()
        return int(listening.getsockname()[1])

    yield start
    listening.close()


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_is_read_to_its_end_whatever_its_framing(serving, kind):
    connection = Connection(serving(ANSWERS[kind], end=kind == "until the end"))
    answer = connection.ask("GET", "/", keep=True)
    assert (answer.status, answer.size, answer.body == BODY) == (200, len(BODY), True)
    connection.close()


def test_two_answers_on_one_connection_and_gzip(serving):
    packed = gzip.compress(b"[1]")
    second = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(packed), packed)
    connection = Connection(serving(ANSWERS["chunked"], second, end=False))
    assert connection.ask("GET", "/").size == len(BODY)
    answer = connection.ask("GET", "/", keep=True)
    assert (answer.size, answer.body) == (len(packed), b"[1]")
    connection.close()


def test_a_short_answer_is_an_error(serving):
    connection = Connection(serving(ANSWERS["length"][:-1], end=True))
    with pytest.raises(ConnectionError):
        connection.ask("GET", "/")


def test_the_body_of_a_request_holds_each_file_once():
    assert parts(f"multipart/related; boundary={BOUNDARY}", multipart([b"one", b"two\r\n"])) == [b"one", b"two\r\n"]


def test_the_order_turns_and_the_ratio_is_formed_round_by_round():
    order: list[str] = []
    first, second = Server(), Server()
    first.name, second.name = "first", "second"
    seconds = {"first": iter([2.0, 4.0, 9.0]), "second": iter([1.0, 2.0, 3.0])}

    def once(server: Server) -> float:
        order.append(server.name)
        return next(seconds[server.name])

    found = compared(alternate(3, [first, second], once), "first", "second", work=18, unit="things/s")
    assert order == ["first", "second", "second", "first", "first", "second"]
    assert (found.ratios, found.value) == ([2.0, 2.0, 3.0], 2.0)
    assert found.raw["first"] == [9.0, 4.5, 2.0]


def test_the_report_tells_failures_and_missed_goals(tmp_path: Path):
    rows = [
        Row("fast", "a fast row", 2.0, lambda stage: Measured(0, {}, "")),
        Row("missed", "a slow row", 0.1, lambda stage: Measured(0, {}, ""), at_most=True),
        Row("broken", "a broken row", 1.0, lambda stage: Measured(0, {}, "")),
    ]
    found = [
        report.Outcome(rows[0], Measured(2.5, {"a": [1, 2, 3]}, "x/s", [2.0, 2.5, 3.0])),
        report.Outcome(rows[1], Measured(0.25, {"a": [1]}, "x/s", [0.25])),
        report.Outcome(rows[2], None, "RuntimeError: no"),
    ]
    report.write(tmp_path, found, {"date": "today"}, remarks="")
    assert json.loads((tmp_path / "results.json").read_text()) == {"fast": 2.5, "missed": 0.25, "broken": None}
    lines = (tmp_path / "results.md").read_text().splitlines()
    told = {key: next(line for line in lines if f"a {key} row" in line) for key in ("fast", "slow", "broken")}
    assert "| yes |" in told["fast"]
    assert "| **no** |" in told["slow"]
    assert "failed" in told["broken"]


def test_the_stand_in_of_the_cipher_keeps_its_lengths_and_gives_back_what_it_got():
    place = Path(__file__).with_name("plain") / "sitecustomize.py"
    spec = importlib.util.spec_from_file_location("bench_plain", place)
    assert spec is not None and spec.loader is not None
    from cryptography.hazmat.primitives.ciphers import aead

    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    finally:
        aead.AESGCM = AESGCM  # it replaces the class for its whole process, which is this one here
    real, plain = AESGCM(bytes(32)), module.PlainCopy(bytes(32))
    sealed = plain.encrypt(bytes(12), b"abc", b"")
    assert len(sealed) == len(real.encrypt(bytes(12), b"abc", b""))
    assert plain.decrypt(bytes(12), sealed, b"") == b"abc"
    into, out = bytearray(19), bytearray(3)
    assert plain.encrypt_into(bytes(12), b"abc", b"", into) == 19
    assert (plain.decrypt_into(bytes(12), bytes(into), b"", out), bytes(out)) == (3, b"abc")
