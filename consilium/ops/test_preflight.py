"""Every reason not to start, each in one sentence that says what to do."""

import socket
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.db.migrations.recorder import MigrationRecorder

from consilium.__main__ import main
from consilium.ops import preflight
from consilium.ops.command import Problem
from consilium.ops.migrate import make_keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def installed(settings, tmp_path, monkeypatch):
    """A sound installation in directories of its own."""
    settings.DATA_DIR, settings.KEY_DIR = tmp_path / "data", tmp_path / "keys"
    for path in (settings.DATA_DIR, settings.KEY_DIR):
        path.mkdir(mode=0o700)
    make_keys()
    return settings


def reasons(host="127.0.0.1", port=0):
    return list(preflight.refusals(host, port))


def refused(*parts, host="127.0.0.1"):
    found = reasons(host)
    assert len(found) == 1, found
    for part in parts:
        assert part in found[0]


def test_sound_installation_starts(installed):
    assert reasons() == []


def test_no_keys(installed):
    for path in sorted(installed.KEY_DIR.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    refused("no keys", "consilium migrate")


def test_lost_root_key_is_not_replaced_by_a_new_one(installed):
    from uuid import uuid4

    from consilium.vault import keys

    keys.create_tenant(uuid4())
    (installed.KEY_DIR / "root.key").unlink()
    assert any("key backup" in sentence for sentence in reasons())
    with pytest.raises(Problem, match="key backup"):
        make_keys()


def test_debug_on_a_public_address(installed):
    installed.DEBUG = True
    installed.SECURE_TRANSPORT = True
    assert reasons() == []
    refused("DEBUG", "127.0.0.1", host="0.0.0.0")


def test_demo_mode_on_a_public_address(installed):
    installed.DEMO = True
    installed.SECURE_TRANSPORT = True
    refused("demo", "CONSILIUM_DEMO", host="192.168.1.5")


def test_plain_http_on_a_public_address(installed):
    refused("https://", "CONSILIUM_PUBLIC_URL", host="::")


def test_demo_accounts_outside_demo_mode(installed):
    get_user_model().objects.create(email="anna@example.org", is_demo=True)
    refused("demo accounts", "CONSILIUM_DEMO=1")
    installed.DEMO = True
    assert reasons() == []


@pytest.mark.parametrize("name", ["root.key", "django.key"])
def test_key_file_that_others_can_read(installed, name):
    path = installed.KEY_DIR / name
    path.chmod(0o644)
    refused(f"chmod 600 {path}")


def test_key_directory_inside_the_data_directory(installed):
    installed.DATA_DIR = installed.KEY_DIR.parent
    installed.DATA_DIR.chmod(0o700)
    refused("inside the data directory", "CONSILIUM_KEY_DIR")


def test_data_directory_that_others_can_look_into(installed):
    installed.DATA_DIR.chmod(0o755)
    refused(f"chmod 700 {installed.DATA_DIR}")


def test_missing_data_directory(installed):
    installed.DATA_DIR = installed.DATA_DIR / "nowhere"
    refused("consilium migrate")


def test_pending_migrations(installed):
    recorder = MigrationRecorder.Migration.objects.filter(app="core").order_by("-id").first()
    recorder.delete()
    refused("lacks", "consilium migrate")


def test_port_in_use(installed):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = reasons(port=taken.getsockname()[1])
    assert len(found) == 1
    assert "in use" in found[0]


@pytest.mark.parametrize("bind", ["8000", "localhost:", "localhost:http", "localhost:70000"])
def test_unusable_bind(bind):
    with pytest.raises(Problem, match="--bind"):
        preflight.split(bind)


def test_main_prints_sentences_and_no_traceback(installed, capsys):
    (installed.KEY_DIR / "root.key").chmod(0o644)
    assert main(["preflight", "--bind", "0.0.0.0:8000"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("consilium: ") for line in lines)


def test_demo_is_refused_outside_demo_mode(installed, capsys):
    assert main(["demo"]) == 2
    assert "CONSILIUM_DEMO=1" in capsys.readouterr().err


def test_doctor_names_what_is_wrong_and_never_falls_over(installed, capsys, monkeypatch):
    (installed.KEY_DIR / "root.key").chmod(0o644)
    monkeypatch.setattr("consilium.core.clock.now", lambda: datetime(2020, 1, 1, tzinfo=UTC))
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert f"✗ keys: The key file {installed.KEY_DIR / 'root.key'}" in out
    assert "✗ clock" in out
