"""The seal: genuine files verify, every change shows, and a second tool agrees."""

import io
import shutil
import subprocess

import pikepdf
import pytest

from consilium.opinions.report import render, seal, seal_key
from consilium.testing.report_sample import sample


@pytest.fixture(scope="module")
def sealed():
    return seal.seal(render.build_patient(sample("en")), reason="On behalf of Dr Chen", name="Test clinic")


def test_genuine_file(sealed):
    found = seal.verify(sealed)
    assert found.genuine and found.intact and found.trusted and found.covers_everything and found.docmdp_ok
    assert found.signer == "Consilium report seal"
    assert found.signed_at is not None


def test_every_flipped_byte_shows(sealed):
    """150 places over the whole file, the signature's own padding left out (it is not part of what is signed)."""
    start, end = sealed.index(b"/Contents <"), sealed.index(b">", sealed.index(b"/Contents <"))
    places = [place for place in range(7, len(sealed), max(1, len(sealed) // 150)) if not start <= place <= end]
    assert len(places) > 120
    for place in places:
        changed = bytearray(sealed)
        changed[place] ^= 0x21
        assert not seal.verify(bytes(changed)).genuine, place


@pytest.mark.parametrize("junk", [b"x", b"\n%%EOF\n", b"\x00" * 64, b"trailer << /Root 1 0 R >>"])
def test_anything_appended_shows(sealed, junk):
    assert not seal.verify(sealed + junk).genuine


@pytest.mark.parametrize("part", [0, 1, 100, 0.5, 0.9, 0.999])
def test_a_cut_file_shows(sealed, part):
    length = part if isinstance(part, int) else int(len(sealed) * part)
    assert not seal.verify(sealed[:length]).genuine


def test_an_incremental_update_shows(sealed):
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(sealed))
    writer.root[generic.pdf_name("/PageMode")] = generic.pdf_name("/FullScreen")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    assert not seal.verify(out.getvalue()).genuine


def test_a_rewritten_file_shows(sealed):
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(sealed)) as pdf:
        pdf.save(out)
    assert not seal.verify(out.getvalue()).genuine


def test_unsealed_and_foreign_files_are_not_ours(sealed, tmp_path, settings):
    plain = render.build_patient(sample("en"))
    assert not seal.verify(plain).genuine
    assert not seal.verify(b"not a pdf").genuine
    settings.KEY_DIR = tmp_path  # another organisation with a root of its own
    foreign = seal.seal(plain, reason="", name="Elsewhere")
    assert seal.verify(foreign).genuine
    assert not seal.verify(sealed).genuine


def test_key_files_are_for_their_owner_only(tmp_path, settings):
    settings.KEY_DIR = tmp_path
    assert seal_key.check()[0].startswith("The report seal is incomplete")
    assert seal_key.init() and not seal_key.init()
    assert seal_key.check() == []
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "seal").iterdir())
    (tmp_path / "seal" / seal_key.SEAL_KEY).chmod(0o644)
    assert "chmod 600" in seal_key.check()[0]


@pytest.mark.skipif(not shutil.which("pdfsig"), reason="poppler-utils is not installed")
def test_another_tool_agrees(sealed, tmp_path):
    good, bad = tmp_path / "good.pdf", tmp_path / "bad.pdf"
    good.write_bytes(sealed)
    changed = bytearray(sealed)
    changed[len(changed) // 3] ^= 1
    bad.write_bytes(bytes(changed))

    def says(path):
        return subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False).stdout

    assert "Signature is Valid" in says(good) and "Total document signed" in says(good)
    assert "Signature is Valid" not in says(bad)
