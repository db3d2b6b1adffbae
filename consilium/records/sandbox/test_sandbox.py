"""Attacks from inside the real jail, and what its owner makes of a hostile or dying child."""

import fcntl
import mmap
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings

from consilium.records import sandbox
from consilium.records.extract import extract
from consilium.records.sandbox import jail, pool, probes

PROBES = "consilium.records.sandbox.probes"


def run(job, options=None, **bounds):
    return list(sandbox.run(f"{PROBES}:{job}", [], options, **bounds))


def attack(name, where=""):
    [(header, _parts)] = run("attack", {"attacks": [[name, str(where)]]})
    return header


def test_capabilities_are_told_in_words_and_tried():
    found = sandbox.capabilities()
    assert len(found) == len(jail.LAYERS) + 1
    assert all(isinstance(ok, bool) and words.endswith(".") for ok, words in found)
    for ok, words in found:
        assert ok or "MISSING" in words or "NOT" in words


def test_a_missing_layer_is_reported_loudly(monkeypatch):
    sandbox.warm_up()
    monkeypatch.setitem(sandbox.shared().layers, "landlock", "landlock: Function not implemented")
    [sentence] = [words for ok, words in sandbox.capabilities() if not ok]
    assert "landlock" in sentence
    assert "MISSING" in sentence


def test_network_is_out_of_reach():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert probes.ATTACKS["connect"](str(port)) == "connected"  # the same attack works outside
        assert attack("connect", port)["through"] == ""
    assert attack("send_datagram")["through"] == ""


def test_unix_sockets_are_out_of_reach(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        assert probes.ATTACKS["unix_socket"](str(tmp_path / "s")) == "connected"
        assert attack("unix_socket", tmp_path / "s")["through"] == ""


def test_files_outside_the_program_cannot_be_read():
    secret = settings.DATA_DIR / "canary"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text("secret")
    for name, place in (
        ("read", secret),
        ("list", settings.DATA_DIR),
        ("list", settings.BASE_DIR),
        ("read", settings.BASE_DIR / "pyproject.toml"),
        ("read", "/etc/passwd"),
        ("read", "/proc/self/environ"),
        ("list", "/"),
    ):
        assert probes.ATTACKS[name](str(place))  # works outside
        assert attack(name, place)["through"] == "", place


def test_nothing_can_be_written_changed_or_deleted(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("kept")
    victim.chmod(0o600)
    for name, place in (
        ("write", victim), ("write", tmp_path / "new"), ("change_mode", victim), ("delete", victim),
        ("write", pool.__file__), ("delete", pool.__file__),
    ):  # fmt: skip
        assert attack(name, place)["through"] == "", (name, place)
    assert victim.read_text() == "kept"
    assert victim.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "name", ["fork", "start_program", "signal_parent", "trace_parent", "new_namespace", "raise_limit"]
)
def test_other_processes_are_out_of_reach(name):
    header = attack(name)
    assert header["through"] == ""
    assert header["stopped"]


def test_memory_is_bounded():
    header = attack("memory")
    assert header["through"] == ""
    assert "out of memory" in header["stopped"]


def test_no_descriptor_and_no_secret_is_inherited(monkeypatch):
    monkeypatch.setenv("CONSILIUM_SECRET_KEY", "canary")
    [(header, _parts)] = run("environment")
    assert header["descriptors"] == [0, 1, 2, 3, 4]
    assert not [name for name in header["names"] if "CONSILIUM" in name or "DJANGO" in name or "DATABASE" in name]


@pytest.mark.parametrize(
    ("job", "bounds", "reason"),
    [
        ("spin", {"cpu_seconds": 1}, "late"),
        ("spin", {"seconds": 0.5}, "late"),
        ("sleep", {"seconds": 0.5}, "late"),
        ("flood", {}, "flood"),
        ("crash", {}, "crash"),
    ],
)
def test_a_child_that_misbehaves_is_stopped(job, bounds, reason):
    began = time.monotonic()
    with pytest.raises(sandbox.JobFailed) as failed:
        run(job, **bounds)
    assert failed.value.reason == reason
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "raw",
    [
        "\xff\xff\xff\xff",
        "\x00\x00\x00\x05{}",
        "\x00\x00\x00\x02[]",
        '\x00\x00\x00\x0d{"parts":[-1]}'[:17],
        '\x00\x00\x00\x0e{"parts":[-1]}',
        '\x00\x00\x00\x10{"parts":[1e99]}',
        '\x00\x00\x00\x16{"parts":[99999999999]}',
        "\x00\x00\x20\x00" + "[" * 0x2000,
        "\x80\x04\x95",
    ],
)
def test_a_lying_child_is_not_believed(raw):
    with pytest.raises(sandbox.JobFailed):
        run("lie", {"raw": raw})


def test_well_formed_nonsense_is_dropped(monkeypatch):
    monkeypatch.setattr("consilium.records.extract.READER", f"{PROBES}:send")
    frames = [
        {"preview": {"kind": "page", "index": 0, "width": 5, "height": 5}}, {"preview": []}, {"text": 7},
        {"facts": [1]}, {"facts": {"a": {"b": "x" * 20_000}, "n": "\x00bad"}}, {"problem": {"x": 1}},
        {"suggest": {"type": "weapon", "pages": -5, "date": 1}}, {"jail": ["?"]}, {"kind": "executable"},
    ]  # fmt: skip
    monkeypatch.setattr("consilium.records.extract.sandbox.run", lambda job, fd, _o, **b: _run_send(job, fd, frames, b))
    found = extract([b"%PDF-1.4 hello"])
    assert found.previews == []
    assert found.text == []
    assert found.facts == {"a": {"b": "x" * 10_000}, "n": "bad"}
    assert (found.kind, found.suggested_type, found.page_count) == ("pdf", "other", 0)
    assert [one.code for one in found.problems] == ["unsupported"]


def _run_send(job, fd, frames, bounds):
    return pool.shared().run(job, {"frames": frames}, memory_fd=fd, **bounds)


def test_each_job_has_a_fresh_child():
    def pid():
        frames = sandbox.run(f"{PROBES}:sleep", [], seconds=5)
        number = next(frames)[0]["started"]
        frames.close()
        return number

    assert pid() != pid()


def test_an_abandoned_child_is_killed_at_once():
    frames = sandbox.run(f"{PROBES}:sleep", [], seconds=60)
    pid = next(frames)[0]["started"]
    frames.close()
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the child lives on")


def test_the_warm_process_is_replaced_when_it_dies():
    sandbox.warm_up()
    first = sandbox.shared()._process
    os.kill(first.pid, signal.SIGKILL)
    assert extract([b"Dear colleague, the patient is well."]).kind == "text"
    assert sandbox.shared()._process.pid != first.pid


def test_many_threads_at_once():
    found = []

    def one(number):
        found.append((number, extract([f"letter number {number}".encode()]).text))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(n, [f"letter number {n}"]) for n in range(12)]


def test_closing_leaves_no_process_behind():
    own = pool.Pool()
    fd, _size = pool.memory_file([])
    bounds = {"seconds": 30, "cpu_seconds": 5, "memory": 2**28, "max_output": 2**20}
    frames = own.run(f"{PROBES}:sleep", {}, memory_fd=fd, **bounds)
    child, warm = next(frames)[0]["started"], own._process.pid
    own.close()
    os.close(fd)
    time.sleep(0.2)
    for pid in (warm, child):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    frames.close()


def test_a_kernel_without_the_newer_seal_takes_the_older(monkeypatch):
    monkeypatch.setattr(pool, "_SEAL_FUTURE_WRITE", 0x4000_0000)  # no kernel knows it: a real EINVAL
    fd, _size = pool.memory_file([b"ab"])
    assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_WRITE
    with pytest.raises(PermissionError):
        os.pwrite(fd, b"x", 0)
    os.close(fd)


def test_a_page_the_kernel_still_holds_does_not_keep_a_file_from_being_sealed(monkeypatch):
    made = []
    create = os.memfd_create
    monkeypatch.setattr(os, "memfd_create", lambda *words: made.append(create(*words)) or made[-1])
    reading, writing = os.pipe()

    def chunks():
        yield b"a" * 4096
        assert os.splice(made[0], writing, 4096, offset_src=0) == 4096  # the pipe holds the page itself
        yield b"b"

    fd, size = pool.memory_file(chunks())
    assert size == 4097
    for change in (
        lambda: os.pwrite(fd, b"c", 0),
        lambda: os.truncate(fd, 1),
        lambda: mmap.mmap(fd, 4096),
    ):
        with pytest.raises(PermissionError):
            change()
    for each in (fd, reading, writing):
        os.close(each)


def test_the_bytes_are_sealed_in_memory():
    fd, size = pool.memory_file([b"ab", b"cd"])
    try:
        assert (size, os.pread(fd, 10, 0)) == (4, b"abcd")
        with pytest.raises(PermissionError):
            os.pwrite(fd, b"x", 0)
        assert "memfd:" in str(Path(f"/proc/self/fd/{fd}").readlink())
    finally:
        os.close(fd)
