"""Who and what the DIMSE gateway does not take: peers, damaged images, limits, a full disk, plain connections."""

import errno
import socket
import struct
import time
from pathlib import Path

import pytest

from consilium.cases.states import State
from consilium.gateways.dicomweb.testing_files import image, uid
from consilium.gateways.dimse import config, peers
from consilium.gateways.dimse.testing_scu import Authority, association, send, sent_as
from consilium.ops import doctor, preflight
from consilium.records.models import InboxInstance, InboxStudy, RecordFile
from consilium.testing import factories
from consilium.vault import blobs
from consilium.vault.segments import SegmentWriter

pytestmark = pytest.mark.django_db(transaction=True)
VERIFICATION = ("1.2.840.10008.1.1", "1.2.840.10008.1.2")


def rejection(port: int, **titles: str) -> tuple[int, int, int] | None:
    """Result, source and reason of the answer to a proposal; None when it was accepted."""
    with association(port, [VERIFICATION], **titles) as made:
        answer = made.acceptor.primitive
        return (answer.result, answer.result_source, answer.diagnostic) if made.is_rejected else None


def test_only_listed_peers_reach_open_places(gateway, cast, settings):
    port = gateway().port
    open_case, ended = factories.case_in(State.COLLECTING, cast), factories.case_in(State.WITHDRAWN, cast)
    assert rejection(port) is None
    assert rejection(port, called=open_case.reference) is None
    assert rejection(port, calling="STRANGER") == (1, 1, 3)
    assert rejection(port, calling="ELSEWHERE") == (1, 1, 3)  # from another address than the listed one
    assert rejection(port, calling="scu") == (1, 1, 3)
    for called in ("OTHER", "0000-0000", ended.reference):
        assert rejection(port, called=called) == (1, 1, 7)
    settings.DIMSE_PEERS = ""
    assert rejection(port) == (1, 1, 3)


def test_a_case_that_closes_in_the_middle_takes_no_more(gateway, cast, slices, monkeypatch):
    case = factories.case_in(State.COLLECTING, cast)
    monkeypatch.setattr("consilium.gateways.dimse.filing.ASK_AGAIN", 0)
    paths = slices(2)
    with association(gateway().port, [sent_as(path) for path in paths], called=case.reference) as made:
        assert made.send_c_store(paths[0]).Status == 0
        type(case).objects.filter(pk=case.pk).update(state=State.WITHDRAWN)
        refused = made.send_c_store(paths[1])
        assert (refused.Status, refused.ErrorComment) == (0x0124, "This case takes no images at present")
    assert RecordFile.objects.filter(space=case.pk).count() == 1


def test_damaged_and_mislabelled_images_are_refused_and_the_next_one_is_taken(gateway, tmp_path):
    good = image(1)
    start = 144 + int.from_bytes(good[140:144], "little")
    files = {
        "good": (good, 0),
        "cut": (good[:-100], 0xC000),
        "no-study": (image(2, StudyInstanceUID=None), 0xC000),
        "noise": (good[:start] + bytes(range(7, 250)) * 9, 0xC000),
        "empty": (good[:start] + b"", -1),
        "class": (good.replace(b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.840.10008.5.1.4.1.1.4\0", 1), 0xA900),
        "again": (image(3), 0),
    }
    port = gateway().port
    for name, (data, expected) in files.items():
        path = tmp_path / f"{name}.dcm"
        path.write_bytes(data)
        status = send(port, [path])[0]
        assert status == expected or (name == "empty" and status != 0), (name, hex(status))
    assert InboxInstance.objects.count() == 2


def test_what_breaks_off_leaves_nothing(gateway, slices):
    running = gateway()
    paths = slices(2)
    with association(running.port, [sent_as(path) for path in paths]) as made:
        assert made.send_c_store(paths[0]).Status == 0
        context = made.accepted_contexts[0].context_id
        # the command of a C-STORE is announced as unfinished, then the line goes dead
        made.dul.socket.socket.sendall(struct.pack(">BBLLBB", 4, 0, 14, 10, context, 1) + bytes(8))
        made.abort()
    until = time.monotonic() + 5
    while running._server.active_associations and time.monotonic() < until:
        time.sleep(0.02)
    assert not running._server.active_associations
    assert InboxInstance.objects.count() == 1
    assert send(running.port, [paths[1]]) == [0]


def test_limits_of_images_associations_and_pdus(gateway, settings, tmp_path):
    port = gateway().port
    settings.DIMSE_MAX_INSTANCE_BYTES = 4000
    paths = [tmp_path / f"{edge}.dcm" for edge in (16, 50, 200)]
    for number, (path, edge) in enumerate(zip(paths, (16, 50, 200), strict=True)):
        path.write_bytes(image(number, edge=edge))
    assert send(port, paths) == [0, 0xA700, -1]  # a little too large is answered, far too large is cut off
    settings.DIMSE_MAX_INSTANCE_BYTES, settings.DIMSE_MAX_ASSOCIATION_BYTES = 10**9, 50_000
    assert send(port, [paths[2]]) == [-1]
    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        raw.sendall(struct.pack(">BBL", 4, 0, 2**31))
        answer = raw.recv(64)
    assert answer[:1] in (b"\x07", b"")  # A-ABORT, or just gone
    settings.DIMSE_MAX_ASSOCIATION_BYTES = 10**9
    assert send(port, [paths[1]]) == [0]


def test_a_full_disk_is_said_and_nothing_is_kept(gateway, slices, monkeypatch):
    port = gateway().port
    paths = slices(3)
    assert send(port, paths[:1]) == [0]
    before = set(blobs.ids())
    original = SegmentWriter.finish

    def full(_writer: SegmentWriter) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SegmentWriter, "finish", full)
    assert send(port, paths[1:]) == [0xA700, 0xA700]
    assert set(blobs.ids()) == before
    assert InboxStudy.objects.get().images == 1
    monkeypatch.setattr(SegmentWriter, "finish", original)
    assert send(port, paths) == [0, 0, 0]


def test_a_failure_of_ours_is_said_and_does_not_stop_the_next_image(gateway, slices, monkeypatch):
    running = gateway()
    paths = slices(2)
    with monkeypatch.context() as broken:
        broken.setattr("consilium.records.inbox.grouped_by", lambda *_args: 1 / 0)
        assert send(running.port, paths[:1]) == [0x0110]
    with monkeypatch.context() as broken:
        broken.setattr("consilium.records.inbox.add", lambda *_args, **_options: 1 / 0)
        assert send(running.port, paths[:1]) == [0x0110]
    assert send(running.port, paths) == [0, 0]
    assert InboxStudy.objects.get().images == 2


def test_a_study_that_was_discarded_meanwhile_begins_anew(gateway, cast, slices):
    from consilium.cases.actions import inbox

    cast.dora  # noqa: B018 - the coordinator of the organisation
    paths = slices(2)
    with association(gateway().port, [sent_as(path) for path in paths]) as made:
        assert made.send_c_store(paths[0]).Status == 0
        inbox.discard(InboxStudy.objects.get(), by=cast.dora.by)
        assert made.send_c_store(paths[1]).Status == 0
    (study,) = InboxStudy.objects.all()
    assert study.images == study.instances.count() == 1


def test_tls_asks_both_sides_for_a_certificate(gateway, settings, tmp_path, slices):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    authority, stranger = Authority(ours), Authority(theirs)
    certificate, key = authority.issue("gateway")
    settings.DIMSE_TLS_CERTIFICATE, settings.DIMSE_TLS_KEY = str(certificate), str(key)
    assert list(config.problems(reachable=True))  # without the authority of the peers
    settings.DIMSE_TLS_CA = str(authority.path)
    assert not list(config.problems(reachable=True))
    port = gateway().port
    silent = socket.create_connection(("127.0.0.1", port))  # who never speaks keeps nobody waiting
    paths = slices(2)
    assert send(port, paths, tls_args=(authority.client("modality"), "gateway")) == [0, 0]
    untrusted = stranger.client("modality")
    untrusted.load_verify_locations(str(authority.path))
    assert send(port, paths[:1], tls_args=(untrusted, "gateway")) == [-1]
    assert send(port, paths[:1]) == [-1]
    silent.close()


def test_associations_and_silent_connections_are_counted(gateway, settings, monkeypatch):
    monkeypatch.setattr("consilium.gateways.dimse.server.WAITING", 4)
    settings.DIMSE_MAX_ASSOCIATIONS = 1
    running = gateway()
    silent = [socket.create_connection(("127.0.0.1", running.port), timeout=5) for _ in range(3)]
    with association(running.port, [VERIFICATION]) as first:
        assert first.is_established  # who has said nothing takes nobody's place
        assert rejection(running.port) == (2, 3, 2)  # local limit exceeded, try again later
        silent += [socket.create_connection(("127.0.0.1", running.port), timeout=5) for _ in range(5)]
        assert silent[-1].recv(16) == b""  # one too many: closed without an answer
        assert first.send_c_echo().Status == 0
    for one in silent:
        one.close()
    until = time.monotonic() + 5
    while running._server.active_associations and time.monotonic() < until:
        time.sleep(0.02)
    assert not running._server.active_associations  # nobody waits for those who left
    assert rejection(running.port) is None


def test_plain_connections_from_outside_need_a_decision(settings):
    assert not list(config.problems(reachable=False))
    assert any("unencrypted" in sentence for sentence in config.problems(reachable=True))
    settings.DIMSE_ALLOW_PLAIN = True
    assert not list(config.problems(reachable=True))
    settings.DIMSE_PEERS, settings.DIMSE_AE_TITLE = "A TITLE THAT IS TOO LONG", "back\\slash"
    assert len(list(config.problems(reachable=True))) == 2


def test_serve_and_doctor_say_what_is_wrong(settings, db):
    assert not list(preflight.dimse())  # switched off
    assert "off" in next(doctor.dimse("images")).words
    settings.DIMSE_BIND = "0.0.0.0:11112"
    assert any("unencrypted" in sentence for sentence in preflight.refusals("127.0.0.1"))
    assert next(doctor.dimse("images")).ok is False
    settings.DIMSE_BIND = "127.0.0.1:11112"
    assert not list(preflight.dimse())
    assert "nobody may send" in next(doctor.dimse("images")).words
    settings.DIMSE_BIND = "nowhere"
    assert "127.0.0.1:11112" in next(preflight.dimse())


def test_peers_are_read_from_one_line():
    assert config.peers("PACS1@10.0.0.5, MR2") == [config.Peer("PACS1", "10.0.0.5"), config.Peer("MR2")]
    assert config.peers("") == []
    assert peers.Sender("CT 1/ä").ref == "dimse:CT_1__"


def test_an_image_with_an_invalid_uid_is_refused(gateway, tmp_path: Path):
    path = tmp_path / "bad.dcm"
    path.write_bytes(image(1).replace(uid("instance", "a", "1", 1).encode(), b"x" * len(uid("instance", "a", "1", 1))))
    assert send(gateway().port, [path])[0] != 0
    assert not InboxInstance.objects.exists()
