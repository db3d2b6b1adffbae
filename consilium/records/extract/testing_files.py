"""Files that go wrong in a known way, made on the spot for tests. Each maker returns the bytes."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable

import numpy as np
import pikepdf
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, generate_uid

MR = "1.2.840.10008.5.1.4.1.1.4"


def pdf(pages: int = 1, *, password: str = "", script: str = "", attachment: bytes = b"", box: float = 595) -> bytes:
    document = pikepdf.new()
    for number in range(pages):
        page = document.add_blank_page(page_size=(box, box))
        page.Contents = document.make_stream(b"BT /F1 24 Tf 50 200 Td (Befund Seite %d) Tj ET" % number)
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    if script:
        action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String(script))
        names = pikepdf.Array([pikepdf.String("a"), document.make_indirect(action)])
        document.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=names))
    if attachment:
        document.attachments["tool.exe"] = attachment
    out = io.BytesIO()
    secret = pikepdf.Encryption(owner=password, user=password) if password else False
    document.save(out, encryption=secret, deterministic_id=not secret)  # the same bytes each time
    return out.getvalue()


def picture(form: str = "PNG", size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, form, **options)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises a giant and whose data are a few bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def dicom(*, deflated: bool = False, rows: int = 16, columns: int = 16, claim: tuple[int, int] | None = None,
          name: str = "Müller^Anna", **more: object) -> bytes:  # fmt: skip
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MR, generate_uid(entropy_srcs=["x"])
    meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian if deflated else ExplicitVRLittleEndian
    found = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    found.SpecificCharacterSet = "ISO_IR 192"
    found.SOPClassUID, found.SOPInstanceUID = MR, meta.MediaStorageSOPInstanceUID
    found.StudyInstanceUID, found.SeriesInstanceUID = generate_uid(entropy_srcs=["y"]), generate_uid(entropy_srcs=["z"])
    found.PatientName, found.PatientID, found.PatientBirthDate = name, "1", "19620517"
    found.Modality, found.StudyDate = "MR", "20260102"
    found.Rows, found.Columns = claim or (rows, columns)
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.BitsAllocated = found.BitsStored = 16
    found.HighBit, found.PixelRepresentation = 15, 0
    found.PixelData = (np.arange(rows * columns) % 4096).astype("<u2").tobytes()
    for key, value in more.items():
        setattr(found, key, value)
    out = io.BytesIO()
    found.save_as(out, enforce_file_format=True)
    return out.getvalue()


def deflated_dicom_bomb(size: int) -> bytes:
    """A deflated data set whose private element inflates to `size` bytes of zeros."""
    whole = dicom(deflated=True)
    meta_end = 132 + 12 + int.from_bytes(whole[140:144], "little")
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = struct.pack("<HH2sHI", 0x0009, 0x1001, b"OB", 0, size)
    body = engine.compress(head) + b"".join(engine.compress(b"\0" * 2**20) for _ in range(size >> 20)) + engine.flush()
    return whole[:meta_end] + body


def zipped(members: Iterable[tuple[str, bytes]], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return out.getvalue()


def zip_with_link() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("letter.pdf")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def zip_bomb(size: int) -> bytes:
    return zipped([("small.txt", b"ok"), ("zeros.bin", b"\0" * size), ("later.txt", b"late")])


def zip_lying_about_sizes(size: int) -> bytes:
    """The tables say 10 bytes; the stream gives `size`."""
    data = bytearray(zip_bomb(size))
    true, false = struct.pack("<I", size), struct.pack("<I", 10)
    return bytes(data.replace(true, false))


def zip_encrypted() -> bytes:
    """Flag bit 0 set in both tables, as a password-protected member has."""
    data = bytearray(zipped([("letter.txt", b"secret" * 10)]))
    data[6] |= 1
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


def nested_zip(depth: int) -> bytes:
    inner = zipped([("letter.txt", b"deep inside")])
    for level in range(depth - 1):
        inner = zipped([(f"level{level}.zip", inner)])
    return inner


def billion_laughs() -> bytes:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return (
        f'<?xml version="1.0"?><!DOCTYPE x [{entities}]>'
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><title>&a11;</title></ClinicalDocument>'
    ).encode()


def external_entity(path: str) -> bytes:
    return (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file://{path}">]>'
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><title>&e;</title></ClinicalDocument>'
    ).encode()


def deep_json(depth: int) -> bytes:
    return b'{"resourceType": "Bundle", "entry": ' + b"[" * depth + b"]" * depth + b"}"


def wide_fhir() -> bytes:
    row = {"resource": {"resourceType": "Observation", "code": {"text": "x" * 50}}}
    return json.dumps({"resourceType": "Bundle", "entry": [row] * 50_000}).encode()


def windows_program() -> bytes:
    return b"MZ" + b"\x90\0" * 29 + struct.pack("<I", 128) + b"\0" * 64 + b"PE\0\0" + b"\0" * 200
