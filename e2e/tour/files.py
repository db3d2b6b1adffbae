"""What people send: letters, a photo of a laboratory sheet, imaging discs, and files that are wrong on purpose."""

import io
import os
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from e2e.tour.installation import ROOT

SAMPLES = Path(os.environ.get("CONSILIUM_SAMPLES", ROOT.parent / "shared" / "samples"))
WEISS = "Dr. Jonas Weiss"
PATIENT = {
    "given": "Anna", "family": "Berger", "born": "1965-03-14", "sex": "female", "city": "Vienna",
}  # fmt: skip
LETTER = {
    "name": "letter.pdf", "template": "letter", "house": "donaupark", "days_ago": 45,
    "subject": "Outpatient spine clinic: back pain for nine months",
    "sections": [
        {"title": "History", "text": "A deep ache in the lower back since lifting boxes nine months ago. Pain 6/10."},
        {"title": "Examination", "text": "Upright gait, heel and toe walking normal. Strength 5/5."},
        {"title": "Diagnosis", "text": "Chronic lumbar back pain, disc protrusion L4/L5."},
        {"title": "Recommendation", "text": "We recommend a spinal fusion L4/L5 (TLIF). A date has been reserved."},
    ],
    "signed": WEISS, "signed-role": "Consultant, spine surgery",
}  # fmt: skip
REPORT = {
    "name": "mri-report.pdf", "template": "report", "house": "imaging", "days_ago": 60,
    "subject": "MRI of the lumbar spine",
    "sections": [
        {"title": "Findings", "text": "L4/L5: disc height reduced, broad-based protrusion of 4 mm. No slip."},
        {"title": "Technique", "text": "T1, T2 sagittal and axial, STIR, 1.5 T, no contrast."},
    ],
    "signed": "Dr. Ruth Adler", "signed-role": "Radiologist",
}  # fmt: skip
LABORATORY = {
    "name": "lab-photo.jpg", "template": "laboratory", "house": "citylab", "photo": True, "days_ago": 40,
    "subject": "Laboratory results",
    "values": [
        ["Inflammation"], ["C-reactive protein", "2.1", "mg/l", "< 5.0", "3.0"],
        ["ESR (1 h)", "12", "mm", "< 20", "15"],
        ["Metabolism"], ["HbA1c", "5.6", "%", "< 6.0", "5.5"],
    ],
    "signed": "Dr. Paul Steiner", "signed-role": "Laboratory medicine",
}  # fmt: skip


class Files:
    """Makes the files once, into one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def made(self, told: dict[str, Any]) -> Path:
        """A document of Anna's, as a demo case describes them."""
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.config.settings")
        from consilium.demo import files

        case = {"language": "en", "patient": PATIENT}
        return self.keep(told["name"], files.make(told, case, "tour"))

    def disc(self) -> Path:
        """A disc of Anna's lumbar spine, as a hospital hands it out."""
        from consilium.core import clock
        from consilium.demo import dicom

        subject = dicom.Subject(PATIENT["given"], PATIENT["family"], PATIENT["born"], PATIENT["sex"])
        made = dicom.disc("spine", subject, clock.now().date() - timedelta(days=60), "tour")
        return self.keep("mri-disc.zip", made)

    def foreign_disc(self) -> Path:
        """A disc whose headers carry another name: part of the public MR series, or a generated one."""
        found = sorted((SAMPLES / "dicom" / "mr-series").glob("*.dcm"))[:24]
        return self.keep("second-disc.zip", zipped(found) if found else self.generated_foreign_disc())

    def generated_foreign_disc(self) -> bytes:
        from consilium.core import clock
        from consilium.demo import dicom

        stranger = dicom.Subject("Otto", "Anders", "1951-11-02", "male")
        return dicom.disc("brain", stranger, clock.now().date() - timedelta(days=90), "stranger")

    def third_party_letter(self) -> Path:
        """A PDF that nobody here made, when the samples are there."""
        found = SAMPLES / "pdf" / "ua1-pass_7.2-t24-pass-a.pdf"
        data = found.read_bytes() if found.is_file() else self.made(REPORT | {"name": "other.pdf"}).read_bytes()
        return self.keep("physiotherapy.pdf", data)

    def keep(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path


def zipped(paths: list[Path]) -> bytes:
    """The files as a hospital's disc names them: without extension."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, path in enumerate(paths, start=1):
            archive.write(path, f"DICOM/SE000001/IM{number:06d}")
    return out.getvalue()
