"""Run inside a fresh installation (`python -m e2e.furnish`): makes the cases of the house (house.py).

Prints, as JSON, where they are and the session cookie of everybody who looks at them.
"""

import json
import os
from typing import Any

MARK = "=== the house ==="  # what it prints stands between two of these, logs around them


def furnish() -> dict[str, Any]:
    """Make everybody's cases; each test that changes a case has one of its own."""
    from consilium.cases.states import State
    from consilium.core import clock
    from consilium.demo import dicom
    from consilium.testing import factories
    from consilium.testing.cast import Cast, member
    from consilium.web.tests.visitor import cookie_of
    from e2e import every_syntax
    from e2e.scenes import told, with_second_steps

    cast = Cast()
    nora = member("Nora", "Novice", birth_date="1970-05-01", sex="female")
    keyed = member("Kay", "Keyes", birth_date="1970-05-01", sex="female")
    from consilium.ops.admin import confirm

    confirm(keyed.user)
    with_second_steps(keyed)
    subject = dicom.Subject("Anna", "Berger", "1965-03-14", "female")
    disc = dicom.disc("spine", subject, clock.now().date(), "house")
    known: dict[str, Any] = {}

    def keep(name: str, case: Any) -> Any:
        known[name] = case.pk
        return case

    for name in ("autosave", "leaving", "upload", "keys", "withdraw"):
        keep(name, factories.told(cast) if name in ("upload", "withdraw") else told(cast))
    keep("desk", factories.case_in(State.SUBMITTED, cast))
    offered = keep("offer", factories.case_in(State.OFFERED, cast))
    factories.upload(offered, disc, "disc.zip", by=cast.anna)
    review = keep("review", factories.case_in(State.IN_REVIEW, cast))
    factories.upload(review, disc, "disc.zip", by=cast.anna)
    factories.upload(review, tomography(subject), "tomography.zip", by=cast.anna)
    factories.write_opinion(review, cast)
    if every_syntax.available():
        syntaxes = keep("syntaxes", factories.told(cast))
        factories.upload(syntaxes, every_syntax.disc(subject), "disc.zip", by=cast.anna)
        known["syntaxes images"] = record_of(syntaxes, "Every syntax")
    known |= slide_of(keep("slides", with_biopsy(cast)))
    delivered = keep("delivered", factories.case_in(State.DELIVERED, cast))
    link = factories.link(delivered, cast.anna)
    known |= {"token": link.token, "code": link.code, "mail": keyed.user.email}
    for who in ("anna", "chen", "dora", "quinn"):
        known["cookie " + who] = cookie_of(getattr(cast, who))
    known["cookie nora"] = cookie_of(nora)
    for name, case, modality in (("offer disc", offered, "MR"), ("review disc", review, "MR")):
        known[name] = images_of(case, modality)
    known["review tomography"] = images_of(review, "CT")
    return known


def with_biopsy(cast: Any) -> Any:
    """A case in review with a whole-slide image."""
    from consilium.cases.states import State
    from consilium.testing import factories

    case = factories.case_in(State.IN_REVIEW, cast)
    factories.upload(case, biopsy(), "biopsy.svs", by=cast.anna)
    factories.write_opinion(case, cast)
    return case


def tomography(subject: Any) -> bytes:
    """Two slices as a CT writes them, in Hounsfield units: the viewer offers brightness presets (PS3.3 C.8.2.1)."""
    import io
    import zipfile

    import pydicom

    from consilium.core import clock
    from consilium.demo import dicom

    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for number, data in enumerate(dicom.files("spine", subject, clock.now().date(), "tomography")[:2]):
            found = pydicom.dcmread(io.BytesIO(data))
            found.SOPClassUID = found.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
            found.Modality, found.RescaleIntercept, found.RescaleSlope, found.RescaleType = "CT", -1024, 1, "HU"
            found.StudyDescription, found.SeriesDescription = "CT lumbar spine", "axial"
            written = io.BytesIO()
            found.save_as(written, enforce_file_format=True)
            archive.writestr(f"IMAGES/{number}", written.getvalue())
    return kept.getvalue()


def biopsy() -> bytes:
    """A slide as a scanner writes it, small and without a patient."""
    import tempfile
    from pathlib import Path

    from consilium.imaging import testing_slides

    with tempfile.TemporaryDirectory() as folder:
        return testing_slides.svs(Path(folder) / "slide", testing_slides.tissue(3600, 2400)).read_bytes()


def slide_of(case: Any) -> dict[str, str]:
    """The record and the file of a case's slide."""
    from consilium.records.models import Slide

    slide = Slide.objects.select_related("file").get(space=case.pk, status="ready")
    return {"slide record": str(slide.file.record_id), "slide file": str(slide.file_id)}


def images_of(case: Any, modality: str) -> str:
    """The record of a case whose images come from this kind of device."""
    from consilium.records.models import RecordFile

    files = RecordFile.objects.filter(record__space=case.pk, record__status="ready")
    return str(next(file.record_id for file in files if file.facts.get("modality") == modality))


def record_of(case: Any, title: str) -> str:
    """The record of a case with this title."""
    from consilium.records.models import Record

    return str(next(record.pk for record in Record.objects.filter(space=case.pk) if record.title == title))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.config.settings")
    import django

    django.setup()
    print(MARK + json.dumps(furnish(), default=str) + MARK)
