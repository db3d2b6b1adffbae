"""The bridge under a real server: streaming both ways, lost and slow clients, ambiguous heads, shutdown."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from consilium.config.bridge import Bridge
from consilium.config.environ import TrustedProxies
from consilium.core import logs

pytestmark = pytest.mark.server
MARKS = os.environ.get("BRIDGE_TEST_MARKS", "")


def mark(name, text="x"):
    Path(MARKS, name).write_text(str(text))


def wsgi(environ, start_response):
    path = environ["PATH_INFO"]
    answer = pages[path](environ)
    body = answer if not isinstance(answer, bytes) else [answer]
    headers = [("Content-Type", "text/plain")]
    if isinstance(answer, bytes):
        headers.append(("Content-Length", str(len(answer))))
    start_response("200 OK", headers)
    return body


def sink(environ):
    digest, left = hashlib.sha256(), int(environ.get("CONTENT_LENGTH") or 0)
    try:
        while left:
            part = environ["wsgi.input"].read(min(left, 65536))
            if not part:
                break
            left -= len(part)
            digest.update(part)
    except OSError as error:
        mark("sink-broken", type(error).__name__)
        raise
    peak = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
    return f"{digest.hexdigest()} {left} {peak}".encode()


def stream(environ):
    class Parts:
        def __iter__(self):
            for _ in range(2000):
                yield b"x" * 100_000

        def close(self):
            mark("stream-closed")

    return Parts()


def broken(environ):
    yield b"first "
    raise RuntimeError("a secret word")


def lines(environ):
    return b"|".join(environ["wsgi.input"])


def dump(environ):
    kept = {key: value for key, value in environ.items() if isinstance(value, str)}
    return repr(sorted(kept.items())).encode()


def slow(environ):
    time.sleep(1.5)
    mark("slow-done")
    return b"finished"


def crash(environ):
    raise RuntimeError("a secret word")


pages = {f"/{page.__name__}": page for page in (sink, stream, broken, lines, dump, slow, crash)}
pages["/ü x/a"] = dump
pages = {path.encode().decode("latin-1"): page for path, page in pages.items()}
if MARKS:
    logs.configure()
bridge = Bridge(wsgi, threads=4, upload_threads=2)


async def application(scope, receive, send):
    if scope["type"] == "http":
        await bridge(scope, receive, send)
        return
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await bridge.close()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    def __init__(self, folder):
        self.port, self.marks = free_port(), folder
        self.url = f"http://127.0.0.1:{self.port}"
        target = "consilium.config.test_bridge:application"
        options = ["--interface", "asgi", "--http", "1", "--port", str(self.port), "--log-level", "warning"]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "granian", *options, "--workers-kill-timeout", "8", target],
                stderr=log, stdout=log, env=dict(os.environ, BRIDGE_TEST_MARKS=str(folder)),
            )  # fmt: skip
        for _ in range(100):
            try:
                httpx.get(self.url + "/dump")
                return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError((folder / "log").read_text())

    def raw(self, head, *, body=b"", read=True):
        """Send bytes as they are and return the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
            answer = b""
            while read and (part := connection.recv(65536)):
                answer += part
            return answer

    def wait_for(self, name):
        for _ in range(100):
            if (self.marks / name).exists():
                return (self.marks / name).read_text()
            time.sleep(0.1)
        raise AssertionError(f"{name} never happened")

    def log(self):
        return (self.marks / "log").read_text()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("bridge"))
    yield running
    running.stop()


def test_50_mb_upload_is_streamed_in_bounded_memory(server):
    before = int(httpx.post(server.url + "/sink", content=b"x" * 100_000).text.split()[2])
    block = os.urandom(1 << 20)
    expected = hashlib.sha256(block * 50).hexdigest()
    answer = httpx.post(
        server.url + "/sink", content=(block for _ in range(50)), headers={"Content-Length": str(50 << 20)}, timeout=60
    )
    digest, left, peak = answer.text.split()
    assert (digest, left) == (expected, "0")
    assert int(peak) - before < 16 * 1024  # KiB


def test_client_that_leaves_during_an_upload_frees_the_application(server):
    server.raw("POST /sink HTTP/1.1\nHost: a\nContent-Length: 5000000", body=b"x" * 300_000, read=False)
    assert server.wait_for("sink-broken") == "ClientGone"


def test_client_that_leaves_during_a_download_stops_the_application(server):
    with httpx.stream("GET", server.url + "/stream") as answer:
        next(answer.iter_raw())
    server.wait_for("stream-closed")


def test_streamed_answer_arrives_whole_though_the_client_is_slow(server):
    received = 0
    with httpx.stream("GET", server.url + "/stream", timeout=30) as answer:
        for number, part in enumerate(answer.iter_raw()):
            received += len(part)
            if number < 5:
                time.sleep(0.1)
    assert received == 200_000_000


def test_failure_in_mid_answer_cuts_the_connection_and_logs_no_words(server):
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(server.url + "/broken")
    assert httpx.get(server.url + "/crash").status_code == 500
    assert "secret" not in server.log()


def test_lines_of_a_large_body(server):
    text = b"".join(b"%d\n" % number for number in range(30_000))
    assert httpx.post(server.url + "/lines", content=text).content == text.replace(b"\n", b"\n|")[:-1]


def test_small_chunked_body_is_read_and_a_large_one_refused(server):
    assert httpx.post(server.url + "/sink", content=iter([b"ab", b"c"])).text.startswith(
        hashlib.sha256(b"abc").hexdigest()
    )
    assert httpx.post(server.url + "/sink", content=iter([b"x" * 50_000] * 3)).status_code == 411


def test_head_has_the_length_and_no_body(server):
    answer = server.raw("HEAD /dump HTTP/1.1\nHost: a\nConnection: close")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-length: " in head
    assert body == b""


def test_path_and_query_reach_the_application_decoded_once(server):
    text = httpx.get(server.url + "/%C3%BC%20x%2Fa?q=%2541").text
    assert "'QUERY_STRING', 'q=%2541'" in text
    assert "ü x/a".encode().decode("latin-1") in text


def test_headers_that_pretend_to_be_others_are_dropped(server):
    forged = {"X_Forwarded_For": "6.6.6.6", "X-Forwarded-For": "6.6.6.6", "Proxy": "http://evil"}
    text = httpx.get(server.url + "/dump", headers={**forged, "X-Forwarded-Proto": "https", "X-Kept": "yes"}).text
    assert "'HTTP_X_KEPT', 'yes'" in text
    for lie in ("6.6.6.6", "HTTP_PROXY", "https"):
        assert lie not in text


@pytest.mark.parametrize(
    "head",
    [
        "POST /sink HTTP/1.1\nHost: a\nContent-Length: 3\nContent-Length: 4",
        "POST /sink HTTP/1.1\nHost: a\nContent-Length: +3",
        "GET /dump HTTP/1.1\nHost: a\nHost: b",
        "GET /dump HTTP/1.1\nHost: a\nContent-Length : 3",
    ],
)
def test_ambiguous_heads_are_refused(server, head):
    answer = server.raw(head + "\nConnection: close", body=b"0\r\n\r\nGET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.split(b" ")[1] == b"400"
    assert answer.count(b"HTTP/1.1") == 1


def test_nothing_after_a_chunked_body_is_taken_for_a_request(server):
    """With both framings the server takes the chunks (RFC 9112 §6.3); the connection then must close."""
    head = "POST /sink HTTP/1.1\nHost: a\nContent-Length: 3\nTransfer-Encoding: chunked"
    answer = server.raw(head, body=b"0\r\n\r\nGET /dump HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.count(b"HTTP/1.1") == 1


def test_shutdown_lets_a_running_request_finish(tmp_path):
    server = Server(tmp_path)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        time.sleep(0.4)
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 10
        assert connection.recv(65536).endswith(b"finished") or connection.recv(65536).endswith(b"finished")
    assert (tmp_path / "slow-done").exists()


def test_shutdown_does_not_wait_for_a_client_that_stalls(tmp_path):
    server = Server(tmp_path)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\nabc")
        time.sleep(0.3)
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 12


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        ("10.0.0.1", "1.1.1.1, 10.0.0.9", "1.1.1.1"),
        ("10.0.0.1", "1.1.1.1, nonsense", "10.0.0.1"),
        ("9.9.9.9", "1.1.1.1", "9.9.9.9"),
    ],
)
def test_client_address_comes_from_trusted_proxies_only(peer, forwarded, client):
    assert TrustedProxies(["10.0.0.0/24"]).client(peer, forwarded) == client
