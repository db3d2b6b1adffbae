"""How the viewer gets here (scripts/viewer_assets), and what its files are sent with."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tarfile
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from wsgiref.headers import Headers

import pytest
from django.conf import settings
from django.test import Client

from consilium.config import viewer_policy
from consilium.web.imaging_viewer import present

ROOT = Path(settings.BASE_DIR)
SCRIPT = ROOT / "scripts" / "viewer_assets"
installed = pytest.mark.skipif(present.installed() is None, reason="The image viewer is not installed on this machine.")


@pytest.fixture(scope="module")
def assets():
    loader = SourceFileLoader("viewer_assets", str(SCRIPT))
    module = module_from_spec(spec_from_loader("viewer_assets", loader))
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = writes
    return module


def test_another_archive_than_the_locked_one_is_refused(assets, tmp_path):
    archive = tmp_path / "viewer.tgz"
    archive.write_bytes(b"something else")
    lock = json.loads(assets.LOCK.read_text())
    assert not assets.intact(archive, lock["integrity"])
    known = "sha512-" + base64.b64encode(hashlib.sha512(b"something else").digest()).decode()
    assert assets.intact(archive, known)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("package/dist/app.bundle.1.js", "app.bundle.1.js"),
        ("package/dist/assets/images/CT-Bone.png", "assets/images/CT-Bone.png"),
        ("package/dist/app.bundle.1.js.map", ""),
        ("package/dist/sw.js", ""),
        ("package/dist/google.js", ""),
        ("package/dist/ort/model.js", ""),
        ("package/dist/assets/favicon-16x16.png", ""),
        ("package/dist/../../../evil.js", ""),
        ("package/README.md", ""),
        ("evil.js", ""),
    ],
)
def test_only_what_the_viewer_needs_is_unpacked(assets, name, kept):
    assert assets.name_of(tarfile.TarInfo(name)) == kept


def test_a_viewer_that_changed_stops_the_build(assets, tmp_path):
    (tmp_path / "app.bundle.1.js").write_text('__webpack_require__.p = "/"')
    with pytest.raises(SystemExit, match="does not fit this version"):
        assets.patch(tmp_path, "/static/viewer/0123456789abcdef/")


@pytest.mark.parametrize(("options", "status"), [((), 0), (("--must",), 1)])
def test_without_a_network_setup_goes_on(tmp_path, options, status):
    nowhere = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_cache": str(tmp_path)}
    environment = (
        os.environ | nowhere | {"npm_config_fetch_retry_mintimeout": "10", "npm_config_fetch_retry_maxtimeout": "20"}
    )
    before = present.FOLDER / "installed.json"
    kept = before.read_bytes() if before.is_file() else None
    done = subprocess.run(
        [sys.executable, SCRIPT, "--force", *options], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    said = (done.stdout + done.stderr).splitlines()
    assert said[-1].startswith("viewer: the image viewer could not be downloaded") and len(said) == 2
    assert (before.read_bytes() if before.is_file() else None) == kept


def test_only_the_viewers_scripts_may_compile():
    def sent_with(url):
        headers = Headers([])
        viewer_policy.add_headers(headers, "", url)
        return headers.get("Content-Security-Policy") or ""

    assert "'unsafe-eval'" in sent_with("/static/viewer/0123456789abcdef/app.bundle.1.js")
    for other in ("/static/dist/app.js", "/static/viewer/app.js", "/static/viewer/0123456789abcdef/app.bundle.css"):
        assert sent_with(other) == ""


@installed
def test_the_viewers_files_come_with_their_policy_and_name_no_other_host(assets):
    known = present.installed()
    answer = Client().get(known.script)
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"] == viewer_policy.FILES
    assert "immutable" in answer.headers["Cache-Control"]
    folder = present.FOLDER / known.base.rstrip("/").rpartition("/")[2]
    for path in folder.glob("*.js"):
        text = path.read_text()
        assert not [host for host in assets.OTHER_HOSTS if host in text], path.name
    assert not [name for name in assets.DROPPED if (folder / name).exists()]
    assert (folder / "LICENSE").is_file()
