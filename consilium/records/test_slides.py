"""Slides from file to tiles: every format against its known picture (and OpenSlide), crashes, lies and bombs."""

import io
import os
import struct
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from consilium.core import jobs
from consilium.imaging import testing_slides as made
from consilium.imaging.slides import grid, shape, source_of
from consilium.records import actions, slide_tiles, slides
from consilium.records.ingest import Owner, ingest
from consilium.records.models import Record, RecordFile, Slide
from consilium.testing import factories
from consilium.vault import blobs

SAMPLES = Path(os.environ.get("CONSILIUM_SAMPLES", "")) / "dicom" / "derived-and-wsi"
WIDTH, HEIGHT = 1792, 1200
MAKERS = {
    "tiled": made.tiff,
    "bigtiff": lambda path, picture: made.tiff(path, picture, big=True),
    "deflate": lambda path, picture: made.tiff(path, picture, compression="zlib", predictor=True, factors=(2,)),
    "plain": lambda path, picture: made.tiff(path, picture, compression=None, factors=(4,)),
    "svs": made.svs,
    "ndpi": made.ndpi,
    "ndpi without table": lambda path, picture: made.ndpi(path, picture, starts=False),
}


@pytest.fixture(scope="module")
def picture():
    return made.tissue(WIDTH, HEIGHT)


@pytest.fixture
def case(cast):
    return factories.draft(cast)


def upload(case, data, name="slide.tif"):
    """File bytes as a person's upload; returns its record (None when refused)."""
    info = blobs.put([data], space=case.pk, tenant=case.organisation_id)
    sent, _new = actions.register_upload(case.pk, info, name, by=factories.SYSTEM)
    ingest(sent, Owner(case.organisation_id, "Anna", "Berger", ""))
    return Record.objects.filter(space=case.pk).order_by("-added_at").first()


def prepared(record):
    jobs.drain()
    return Slide.objects.get(file__record=record)


def whole(slide, level=-1):
    """A level of the pyramid put together from its tiles."""
    found = slide_tiles.layout_of(slide)
    level %= len(found.levels)
    size = found.levels[level]
    return np.asarray(slide_tiles.stitched(found, level, (0, 0, size.width, size.height))).astype(int)


def difference(one, other):
    return float(np.abs(one - np.asarray(other).astype(int)).mean())


@pytest.mark.parametrize("kind", MAKERS)
def test_tiles_of_every_format_show_the_picture(kind, picture, tmp_path, case):
    path = MAKERS[kind](tmp_path / "slide", picture)
    record = upload(case, path.read_bytes())
    assert record.kind == "slides" and record.images == 1 and record.problems == []
    slide = prepared(record)
    assert (slide.status, slide.width, slide.height, slide.levels) == ("ready", WIDTH, HEIGHT, 3)
    assert slide.done == slide.total == sum(a * b for a, b in map(grid, shape(WIDTH, HEIGHT)))
    assert difference(whole(slide), picture) < 4
    assert difference(whole(slide, 0), Image.fromarray(picture).resize((448, 300), Image.Resampling.BOX)) < 6
    assert {p.kind for p in slide.file.previews.all()} == {"page", "thumbnail"}


def test_openslide_agrees(picture, tmp_path, case):
    openslide = pytest.importorskip("openslide")
    for kind, vendor in (("svs", "aperio"), ("ndpi", "hamamatsu"), ("tiled", "generic-tiff")):
        path = MAKERS[kind](tmp_path / kind, picture)
        other = openslide.OpenSlide(path)
        slide = prepared(upload(case, path.read_bytes(), kind))
        assert other.properties["openslide.vendor"] == vendor
        assert other.dimensions == (slide.width, slide.height)
        theirs = other.read_region((300, 200), 0, (900, 700)).convert("RGB")
        assert difference(whole(slide)[200:900, 300:1200], theirs) < 3
        if kind == "svs":
            assert float(other.properties["openslide.mpp-x"]) == slide.mpp


def test_facts_name_what_is_withheld_and_never_the_description(picture, tmp_path, case):
    slide = prepared(upload(case, made.svs(tmp_path / "s", picture).read_bytes()))
    assert slide.file.facts == {
        "vendor": "Aperio", "mpp": 0.499, "objective": 20.0, "taken": "2026-03-04", "width": WIDTH, "height": HEIGHT,
        "levels": 2, "withheld": ["label", "macro"],
    }  # fmt: skip
    assert slide.file.record.clinical_date == "2026-03-04"
    assert slide.file.kind == "slide" and slide.file.text == []


def test_a_photo_and_a_scan_of_two_pages_are_no_slides(picture, tmp_path, case):
    pages = [Image.fromarray(picture[:400, :300]), Image.fromarray(picture[400:800, :300])]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    record = upload(case, (tmp_path / "scan.tif").read_bytes())
    assert record.kind != "slides" and record.pages == 2
    assert not Slide.objects.exists()


def dicom_series(picture, *, tile=256, labels=True):
    """A series as a scanner sends it: two levels of JPEG frames, and a picture of the label."""
    import pydicom
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGBaseline8Bit, generate_uid

    study, series = generate_uid(), generate_uid()
    out = []
    for number, factor in enumerate((4, 1), start=1):
        pixels = made.halved(picture, factor) if factor > 1 else picture
        out.append((pixels, ["DERIVED" if factor > 1 else "ORIGINAL", "PRIMARY", "VOLUME", "NONE"], number))
    if labels:
        out.append((np.full((200, 300, 3), 255, np.uint8), ["ORIGINAL", "PRIMARY", "LABEL", "NONE"], 3))
    for pixels, flavour, number in out:
        height, width = pixels.shape[:2]
        one = pydicom.Dataset()
        one.file_meta = pydicom.dataset.FileMetaDataset()
        one.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID = slides.SOP_CLASS
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID = generate_uid()
        one.StudyInstanceUID, one.SeriesInstanceUID, one.Modality = study, series, "SM"
        one.PatientName, one.PatientBirthDate, one.StudyDate = "Berger^Anna", "", "20260304"
        one.ImageType, one.InstanceNumber, one.Manufacturer = flavour, number, "Scanner"
        one.Rows = one.Columns = tile
        one.TotalPixelMatrixColumns, one.TotalPixelMatrixRows = width, height
        one.SamplesPerPixel, one.PhotometricInterpretation, one.PlanarConfiguration = 3, "YBR_FULL_422", 0
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 8, 8, 7, 0
        one.DimensionOrganizationType = "TILED_FULL"
        one.ImagedVolumeWidth = WIDTH * 0.0005
        frames = []
        for top in range(0, height, tile):
            for left in range(0, width, tile):
                square = Image.new("RGB", (tile, tile), "white")
                square.paste(Image.fromarray(pixels[top : top + tile, left : left + tile]))
                coded = io.BytesIO()
                square.save(coded, "JPEG", quality=92, subsampling="4:2:2")
                frames.append(coded.getvalue())
        one.NumberOfFrames = len(frames)
        one.PixelData = encapsulate(frames)
        one["PixelData"].VR = "OB"
        sent = io.BytesIO()
        one.save_as(sent, enforce_file_format=True)
        yield sent.getvalue()


def test_a_dicom_series_is_one_slide_and_its_label_is_never_drawn(picture, case):
    for number, data in enumerate(dicom_series(picture)):
        record = upload(case, data, f"{number}.dcm")
    jobs.drain()
    assert Record.objects.count() == 1
    slide = Slide.objects.get()
    assert (slide.status, slide.width, slide.height) == ("ready", WIDTH, HEIGHT)
    assert slide.mpp == pytest.approx(0.5)
    assert difference(whole(slide), picture) < 4
    record.refresh_from_db()
    assert record.kind == "slides" and record.images == 1
    label = next(file for file in record.files.all() if slides.is_withheld(file))
    assert not label.previews.exists() and slide.file.facts["width"] == WIDTH


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no sample files")
@pytest.mark.parametrize("name", ["sm_image.dcm", "sm_image_jpegls.dcm"])
def test_sample_slides(name, case):
    import pydicom

    data = (SAMPLES / name).read_bytes()
    slide = prepared(upload(case, data, name))
    assert (slide.status, slide.width, slide.height, slide.total) == ("ready", 50, 50, 1)
    frames = pydicom.dcmread(io.BytesIO(data)).pixel_array
    expected = np.vstack([np.hstack([frames[5 * row + column] for column in range(5)]) for row in range(5)])
    assert difference(whole(slide), expected) < 6


def test_a_crash_costs_one_step_and_nothing_twice(picture, tmp_path, case, monkeypatch):
    record = upload(case, made.tiff(tmp_path / "s", picture, factors=(2,)).read_bytes())
    slide = Slide.objects.get(file__record=record)
    monkeypatch.setattr(slides, "STEP_BYTES", 60_000)
    monkeypatch.setattr(slides, "RUN_SECONDS", 0)
    slides.prepare.call(str(slide.pk))
    slide.refresh_from_db()
    monkeypatch.setattr(slides, "RUN_SECONDS", 20)
    real, calls = slides._pack, []

    def dies(*given, **named):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*given, **named)

    monkeypatch.setattr(slides, "_pack", dies)
    with pytest.raises(KeyboardInterrupt):
        slides.prepare.call(str(slide.pk))
    slide.refresh_from_db()
    half = slide.done
    assert 0 < half < slide.total and 0 < slides.percent(slide) < 100
    first = slide.tiles
    slide = prepared(record)
    assert slide.status == "ready" and slide.tiles[: len(first)] == first and slide.done == slide.total
    assert difference(whole(slide), picture) < 4


def test_coarse_levels_come_first():
    rows = [{"source": n} for n in (-1, -1, 1, 1, 0, 0)]
    assert slides._order(rows) == [2, 1, 0, 3, 4, 5]
    levels = [[100_000, 80_000, 0], [25_000, 20_000, 0]]
    assert [source_of(levels, width) for width in (100_000, 50_000, 25_000, 12_500, 6250)] == [0, 0, 1, 1, -1]


# -- bad input --------------------------------------------------------------------------------------


def small_tiff(width, height, *, tile=256, offset=8, length=100, extra=()):
    """One directory over next to nothing: what it says of itself is up to the test."""
    count = min(2**32 - 1, -(-width // tile) * -(-height // tile))
    rows = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 7), (262, 3, 1, 1), (277, 3, 1, 1),
            (322, 4, 1, tile), (323, 4, 1, tile), (324, 4, count, offset), (325, 4, count, length), *extra]  # fmt: skip
    body = struct.pack("<H", len(rows)) + b"".join(struct.pack("<HHII", *row) for row in sorted(rows)) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8) + body + bytes(1024 - 8 - len(body))


def lying(data, tag, value):
    """The first directory of a classic TIFF with another number in an inline value."""
    changed = bytearray(data)
    at = int.from_bytes(data[4:8], "little")
    for number in range(int.from_bytes(data[at : at + 2], "little")):
        place = at + 2 + 12 * number
        if int.from_bytes(data[place : place + 2], "little") == tag:
            changed[place + 8 : place + 12] = struct.pack("<I", value)
    return bytes(changed)


def bad_files(picture, tmp_path):
    svs = made.svs(tmp_path / "s", picture).read_bytes()
    tiff = made.tiff(tmp_path / "t", picture).read_bytes()
    ndpi = made.ndpi(tmp_path / "n", picture).read_bytes()
    yield "bomb", small_tiff(100_000, 100_000)
    yield "bomb in one place", small_tiff(100_000, 100_000, tile=100_000)
    yield "beyond counting", small_tiff(2**31, 2**31, tile=16)
    yield "nothing", small_tiff(100_000, 1, tile=1, offset=0, length=0)
    yield "no sides", small_tiff(0, 0)
    yield "circle", (b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 256, 4, 1, 9) + struct.pack("<I", 8))
    lies = {
        "svs": ((256, 2**31 - 1), (257, 5_000_000), (322, 3), (322, 100_000), (323, 0), (259, 6), (277, 9), (325, 4)),
        "tiff": ((256, 40_000), (322, 100_000), (324, 2**32 - 1), (325, 4)),
        "ndpi": ((256, 2**31 - 1), (257, 5_000_000), (65421, 0), (279, 2**32 - 1), (273, 2**31), (278, 0)),
    }
    for name, data in (("svs", svs), ("tiff", tiff), ("ndpi", ndpi)):
        for part in (200, len(data) // 3, len(data) - 700):
            yield f"{name} cut at {part}", data[:part]
        for tag, value in lies[name]:
            yield f"{name} {tag}={value}", lying(data, tag, value)
    noise = np.random.default_rng(3).integers(0, 256, 9_000, np.uint8).tobytes()
    for name, data in (("svs", svs), ("tiff", tiff), ("ndpi", ndpi)):
        middle = len(data) // 3
        yield f"{name} with noise inside", data[:middle] + noise + data[middle + len(noise) :]


def test_bad_files_get_a_sentence_and_are_kept(tmp_path, case):
    """Whatever comes: a record, its original unchanged, tiles or a note, and a slide that is never left waiting."""
    from consilium.records.problems import TABLE

    seen = 0
    for name, data in bad_files(made.tissue(768, 500), tmp_path):
        record = upload(case, data, name)
        seen += 1
        jobs.drain()
        record.refresh_from_db()
        slide = Slide.objects.filter(file__record=record).first()
        assert slide is None or slide.status in ("ready", "failed"), name
        assert slide is None or slide.status == "ready" or record.problems, name
        assert all(str(TABLE[code].sentence) for code in record.problems), name
        file = record.files.get()
        assert slide or record.problems or file.previews.exists(), name
        assert blobs.read_all(file.blob, space=file.space) == data, name
    assert seen > 30


def test_a_hole_in_a_slide_leaves_the_rest(picture, tmp_path, case):
    ndpi = made.ndpi(tmp_path / "n", picture, factors=()).read_bytes()
    broken = bytearray(ndpi)
    broken[60_000:90_000] = bytes(30_000)
    record = upload(case, bytes(broken), "n.ndpi")
    slide = prepared(record)
    record.refresh_from_db()
    assert slide.status == "ready"
    assert difference(whole(slide)[:100, :200], picture[:100, :200]) < 4


def test_a_damaged_tile_is_noted(picture, tmp_path, case):
    data = bytearray(made.tiff(tmp_path / "s", picture).read_bytes())
    start = data.index(b"\xff\xd8\xff", len(data) // 4)
    data[start : start + 4] = b"none"
    record = upload(case, bytes(data))
    slide = prepared(record)
    record.refresh_from_db()
    assert (slide.status, record.problems, record.status) == ("ready", ["slide_incomplete"], "flagged")


def test_a_reader_gets_only_its_own_bytes(case):
    """The feeder answers for stretches of this job's files and hangs up on everything else."""
    from consilium.imaging.slides_source import REQUEST
    from consilium.records.slide_feed import fed

    record = factories.plain_record(case, text="x" * 100)
    file = RecordFile.objects.get(record=record)
    for request, answer in (((0, 10, 20), 20), ((1, 0, 1), 0), ((0, 90, 20), 0), ((0, 2**63, 1), 0), ((0, 0, 0), 0)):
        with fed([file]) as fd:
            os.write(fd, REQUEST.pack(*request))
            assert len(os.read(fd, 1000)) == answer


def test_slides_are_part_of_the_live_blobs(picture, tmp_path, case):
    from consilium.opinions.jobs import live_blobs

    slide = prepared(upload(case, made.svs(tmp_path / "s", picture).read_bytes()))
    assert slide.tiles and {UUID(hex=blob) for blob in slide.tiles} <= live_blobs()
