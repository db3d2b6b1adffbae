"""Frames as pictures: windows, colours, lookup tables, and the lossless decoder against known values."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import generate_uid

from consilium.imaging import delivery, frames, lossless
from consilium.records.extract import testing_files as make
from consilium.records.extract.testing_images import dicom_of

SAMPLES = Path(os.environ.get("CONSILIUM_SAMPLES", "")) / "dicom"


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def test_the_window_is_the_linear_function_of_the_standard():
    ramp = make.dicom(rows=1, columns=512)
    shown = pixels(frames.render_frame([ramp], 0, centre=200, width=101))[0]
    assert (shown[149], shown[249 + 1]) == (0, 255)
    assert shown[:150].max() == 0
    assert shown[251:].min() == 255
    assert np.all(np.diff(shown.astype(int)) >= 0)
    assert 125 <= shown[199] <= 130


def test_rescale_comes_before_the_window():
    ramp = make.dicom(rows=1, columns=512, RescaleSlope=2, RescaleIntercept=-1024)
    shown = pixels(frames.render_frame([ramp], 0, centre=-624, width=11))[0]
    assert (shown[150], shown[250]) == (0, 255)  # 200 × 2 − 1024 = −624


def test_the_window_in_the_file_is_the_default():
    ramp = make.dicom(rows=1, columns=512, WindowCenter=["100", "300"], WindowWidth=["11", "50"])
    shown = pixels(frames.render_frame([ramp], 0))[0]
    assert (shown[80], shown[120]) == (0, 255)


def test_monochrome1_is_shown_inverted():
    plain = pixels(frames.render_frame([make.dicom(rows=1, columns=100)], 0))
    turned = pixels(frames.render_frame([make.dicom(rows=1, columns=100, PhotometricInterpretation="MONOCHROME1")], 0))
    assert np.array_equal(plain, 255 - turned)


def test_progressive_jpeg_of_old_discs_is_decoded():
    image = Image.open(io.BytesIO(make.picture("PNG", (16, 16)))).convert("L")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, progressive=True)
    byte = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    retired = dicom_of("1.2.840.10008.1.2.4.70", out.getvalue(), **byte).replace(b".1.2.4.70", b".1.2.4.55")
    native = delivery.native_frames([retired], [0])[0]
    assert np.abs(np.frombuffer(native, "u1").reshape(16, 16).astype(int) - np.asarray(image)).max() <= 16
    assert pixels(frames.render_frame([retired], 0)).shape == (16, 16)
    assert delivery.explicit([retired]).count(b"\xff\xd8\xff") == 0


def test_large_frames_are_made_smaller():
    shown = pixels(frames.render_frame([make.dicom(rows=600, columns=300)], 0, max_edge=200))
    assert shown.shape == (200, 100)


@pytest.mark.parametrize("index", [-1, 1, 10**9])
def test_a_frame_that_is_not_there(index):
    with pytest.raises(frames.NotRendered):
        frames.render_frame([make.dicom()], index)


def test_no_picture_of_something_else():
    with pytest.raises(frames.NotRendered):
        frames.render_frame([b"not dicom at all"], 0)
    with pytest.raises(frames.NotRendered):
        frames.render_frame([make.dicom(SOPInstanceUID=generate_uid(), claim=(65000, 65000))], 0)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no sample files")
def test_all_encodings_of_one_image_look_the_same():
    root = SAMPLES / "transfer-syntaxes"
    first = pixels(frames.render_frame([(root / "MR_small.dcm").read_bytes()], 0))
    for name in ("_implicit", "_bigendian", "_RLE", "_jp2klossless", "_jpeg_ls_lossless"):
        other = frames.render_frame([(root / f"MR_small{name}.dcm").read_bytes()], 0)
        assert np.array_equal(first, pixels(other)), name


# -- JPEG lossless against an encoder written from the standard ----------------------------------
def encode(image, precision, predictor):
    """T.81 process 14 with one fixed code table: category n has the 5-bit code n (0…16)."""
    bits, rows, columns = [], *image.shape
    values = image.astype(int)
    for r in range(rows):
        for c in range(columns):
            left = values[r, c - 1] if c else 0
            up = values[r - 1, c] if r else 0
            corner = values[r - 1, c - 1] if r and c else 0
            guess = 1 << (precision - 1)
            if r or c:
                rules = {1: left, 2: up, 3: corner, 4: left + up - corner, 5: left + ((up - corner) >> 1),
                         6: up + ((left - corner) >> 1), 7: (left + up) >> 1}  # fmt: skip
                guess = left if r == 0 else up if c == 0 else rules[predictor]
            difference = int((values[r, c] - guess + 32768) & 0xFFFF) - 32768
            size = 16 if difference == -32768 else abs(difference).bit_length()
            bits.append(f"{size:05b}")
            if 0 < size < 16:
                bits.append(f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    body = bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8)).replace(b"\xff", b"\xff\0")
    frame = b"\xff\xc3\0\x0b" + bytes([precision, *rows.to_bytes(2, "big"), *columns.to_bytes(2, "big"), 1, 1, 0x11, 0])
    table = b"\xff\xc4" + (2 + 17 + 17).to_bytes(2, "big") + b"\0" + bytes([0] * 4 + [17] + [0] * 11) + bytes(range(17))
    scan = b"\xff\xda\0\x08\x01\x01\0" + bytes([predictor, 0, 0])
    return b"\xff\xd8" + frame + table + scan + body + b"\xff\xd9"


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("precision", [8, 12, 16])
def test_lossless_decoding_gives_back_every_value(precision, predictor):
    image = np.random.default_rng(predictor).integers(0, 1 << precision, (13, 17))
    assert np.array_equal(lossless.decode(encode(image, precision, predictor)), image)


def test_damaged_lossless_data_are_refused():
    whole = encode(np.arange(400).reshape(20, 20), 12, 1)
    for cut in (3, 20, 60, len(whole) // 2):
        with pytest.raises((ValueError, IndexError, KeyError)):
            lossless.decode(whole[:cut])


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no sample files")
def test_lossless_sample_shows_a_bone_scan():
    data = (SAMPLES / "transfer-syntaxes/JPEG-LL.dcm").read_bytes()
    shown = pixels(frames.render_frame([data], 0, centre=60, width=120))
    assert shown.shape == (1024, 256)
    assert shown[:80].mean() < 2  # air above the head
    assert shown[100:900, 60:200].mean() > 10
