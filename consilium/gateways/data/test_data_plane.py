"""The data plane against a real vault: ranges, identical denials, headers, damage, clients that leave."""

import asyncio
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from consilium.gateways.data.app import DataPlane, Truncated, cookies_of, match
from consilium.gateways.data.ranges import Unsatisfiable, wanted_range
from consilium.gateways.dicomweb.reply import folded
from consilium.vault import blobs, keys
from consilium.vault.backends import current
from consilium.vault.rootkey import path as root_key_path

RECORD = UUID("0f0e0d0c-aabb-4cdd-8eef-001122334455")
CONTENT = bytes(range(256)) * 12_000  # 3 MB, several chunks and pieces


@dataclass(frozen=True)
class Granted:
    blob: UUID
    space: UUID
    size: int
    media_type: str = "application/pdf"
    filename: str = "letter ü.pdf"
    disposition: str = "inline"
    blank: int = 0
    offset: int = 0
    more: tuple[()] = ()


@pytest.fixture(scope="module")
def granted():
    if not root_key_path().exists():
        keys.init()
    space, tenant = uuid4(), uuid4()
    keys.create_space(space, tenant=tenant)
    info = blobs.put([CONTENT], space=space, tenant=tenant)
    return Granted(info.id, space, info.size)


def ask(grant, path=f"/data/files/{RECORD}/original", method="GET", leave_after=None, seen=None, **headers):
    """One request; returns status, headers, body."""
    sent, body = [], bytearray()

    def gate(cookies, record, part):
        if seen is not None:
            seen.append((cookies, record, part))
        return grant

    async def run():
        left = asyncio.Event()

        async def receive():
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)
            body.extend(message.get("body", b""))
            if leave_after is not None and len(body) > leave_after:
                left.set()
            await asyncio.sleep(0)

        listed = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"method": method, "path": path, "headers": listed}
        await asyncio.wait_for(DataPlane(gate)(scope, receive, send), 20)

    asyncio.run(run())
    return sent[0]["status"], dict(sent[0]["headers"]), bytes(body)


@pytest.mark.django_db
class TestDelivery:
    def test_whole_file(self, granted):
        seen = []
        status, headers, body = ask(granted, cookie="consilium=abc; other=1", seen=seen)
        assert (status, body) == (200, CONTENT)
        assert headers[b"content-length"] == str(len(CONTENT)).encode()
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert headers[b"content-security-policy"].startswith(b"sandbox")
        assert headers[b"cache-control"] == b"private, no-store"
        assert headers[b"content-disposition"] == b"inline; filename*=UTF-8''letter%20%C3%BC.pdf"
        assert seen == [({"consilium": "abc", "other": "1"}, RECORD, "file:original")]

    @pytest.mark.parametrize(
        ("text", "start", "end"),
        [("bytes=0-0", 0, 1), ("bytes=1000000-1300000", 1_000_000, 1_300_001), ("bytes=-5", -5, None)],
    )
    def test_part(self, granted, text, start, end):
        status, headers, body = ask(granted, range=text)
        assert (status, body) == (206, CONTENT[start:end])
        assert headers[b"content-range"].endswith(f"/{len(CONTENT)}".encode())
        assert headers[b"content-length"] == str(len(body)).encode()

    def test_range_behind_the_end(self, granted):
        status, headers, _body = ask(granted, range=f"bytes={len(CONTENT)}-")
        assert (status, headers[b"content-range"]) == (416, f"bytes */{len(CONTENT)}".encode())

    def test_head_sends_no_body(self, granted):
        status, headers, body = ask(granted, method="HEAD", range="bytes=0-4")
        assert (status, body) == (200, b"")
        assert headers[b"content-length"] == str(len(CONTENT)).encode()

    def test_client_that_leaves_stops_the_stream(self, granted):
        _status, _headers, body = ask(granted, leave_after=1)
        assert 0 < len(body) < len(CONTENT)

    def test_dangerous_media_type_and_name_cannot_break_out(self, granted):
        odd = Granted(granted.blob, granted.space, granted.size, "text/html\r\nX: y", '"; x="\r\n/../a', "evil")
        _status, headers, _body = ask(odd, method="HEAD")
        assert headers[b"content-type"] == b"application/octet-stream"
        assert headers[b"content-disposition"].startswith(b"attachment; filename*=UTF-8''")
        assert b"\r" not in headers[b"content-disposition"]
        assert b'"' not in headers[b"content-disposition"]

    def test_damage_never_leaves_as_a_complete_answer(self, granted):
        info = blobs.put([CONTENT], space=granted.space, tenant=keys.space_key(granted.space).tenant)
        damaged = Granted(info.id, granted.space, info.size)
        path = next(current().root.rglob(f"*{info.id.hex}*"))
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.chmod(0o600)
        path.write_bytes(content)
        with pytest.raises(Truncated):
            ask(damaged)
        content[300] ^= 1
        path.write_bytes(content)
        status, _headers, body = ask(damaged)
        assert status == 500
        assert CONTENT[:100] not in body


@pytest.mark.django_db
def test_absent_denied_and_unknown_are_the_same_answer():
    denied = ask(None)
    assert denied[0] == 404
    assert ask(None, path="/data/elsewhere") == denied
    assert ask(None, path=f"/data/files/{uuid4()}/page/3") == denied


@pytest.mark.django_db
def test_writing_is_not_possible(granted):
    status, headers, _body = ask(granted, method="POST")
    assert (status, headers[b"allow"]) == (405, b"GET, HEAD")


@pytest.mark.parametrize(
    ("path", "part"),
    [
        (f"/data/files/{RECORD}/original", "file:original"),
        (f"/data/files/{RECORD}/frame/12", "file:frame:12"),
        (f"/data/reports/{RECORD}/clinical.pdf", "report:clinical"),
        (f"/data/reports/{RECORD}/clinicalxpdf", None),
        (f"/data/files/{RECORD}/page/123456", None),
        (f"/data/files/{RECORD}/original/", None),
        (f"/data/files/{str(RECORD).upper()}/original", None),
        (f"/data/files/../{RECORD}/original", None),
        ("/data/files/x/original", None),
    ],
)
def test_routes(path, part):
    assert match(path) == ((RECORD, part) if part else None)


@pytest.mark.django_db
def test_leading_bytes_are_blanked_in_every_part(granted):
    """DICOM PS3.10 §7.1: the 128-byte preamble may hide an executable; it leaves as zeros."""
    blanked = Granted(granted.blob, granted.space, granted.size, blank=128)
    expected = bytes(128) + CONTENT[128:]
    assert ask(blanked)[2] == expected
    assert ask(blanked, range="bytes=100-200")[2] == expected[100:201]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=90-200", (90, 100)),
        ("bytes=5-", (5, 100)),
        ("bytes=-200", (0, 100)),
        ("bytes=9-5", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=100-", Unsatisfiable),
        ("bytes=-0", Unsatisfiable),
        ("bytes=" + "9" * 30 + "-", Unsatisfiable),
    ],
)
def test_ranges(text, expected):
    headers = [(b"range", text.encode())]
    if expected is Unsatisfiable:
        with pytest.raises(Unsatisfiable):
            wanted_range(headers, 100, b'"v1"', "GET")
    else:
        assert wanted_range(headers, 100, b'"v1"', "GET") == expected


def test_if_range_of_another_version_gives_the_whole():
    asked = [(b"range", b"bytes=0-9"), (b"if-range", b'"v0"')]
    assert wanted_range(asked, 100, b'"v1"', "GET") is None
    assert wanted_range([asked[0], (b"if-range", b'"v1"')], 100, b'"v1"', "GET") == (0, 10)


@pytest.mark.parametrize("beside", ['x={"a":1}', "foo[bar]=1", "a@b=1", "plain", "n=a b", 'q="open', "", "ü=1"])
def test_cookies_of_others_do_no_harm(beside):
    """A sibling site or an analytics script may leave anything; the pages read past it, so must the bytes."""
    for line in (f"{beside}; consilium=abc", f"consilium=abc; {beside}"):
        assert cookies_of({"headers": [(b"cookie", line.encode())]})["consilium"] == "abc"
    two = [(b"cookie", beside.encode()), (b"cookie", b"consilium=abc")]
    assert cookies_of({"headers": two})["consilium"] == "abc"


def test_lines_of_one_header_are_one_list():
    lines = [(b"accept", b"application/dicom+json"), (b"accept", b"text/html"), (b"host", b"x")]
    assert folded(lines) == {b"accept": b"application/dicom+json, text/html", b"host": b"x"}
