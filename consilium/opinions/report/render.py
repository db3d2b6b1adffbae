"""The two documents: PDF/A-3a (ISO 19005-3) and PDF/UA-1 (ISO 14289-1) in one compile each, through typst.

People's text reaches typst only as JSON strings that the template places as content: it is never evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from .characters import FONT_DIR
from .content import ReportContent
from .fhir import fhir_document
from .views import clinical_view, patient_view

TEMPLATES = Path(__file__).parent / "templates"
STANDARDS = ["a-3a", "ua-1"]
View = Callable[..., dict[str, Any]]


def build_clinical(content: ReportContent) -> bytes:
    """The clinical PDF, unsigned, with the FHIR document as associated file (ISO 19005-3 §6.8)."""
    fhir = json.dumps(fhir_document(content), ensure_ascii=False, indent=1)
    return _build("clinical", clinical_view, content, fhir=fhir)


def build_patient(content: ReportContent) -> bytes:
    """The plain-language PDF for the patient, unsigned."""
    return _build("patient", patient_view, content)


def _build(template: str, view: View, content: ReportContent, **extra: Any) -> bytes:
    import typst

    try:
        return _compile(template, view(content), content, extra)
    except typst.TypstError:
        # Some mixtures of scripts within one word have no single font: say them in the main font instead.
        return _compile(template, view(content, strict=True), content, extra)


def _compile(template: str, view: dict[str, Any], content: ReportContent, extra: dict[str, Any]) -> bytes:
    import typst

    data = json.dumps({"fhir": None, **view, **extra}, ensure_ascii=False).encode()
    sources = {
        "main": (TEMPLATES / f"{template}.typ").read_bytes(),
        "style.typ": (TEMPLATES / "style.typ").read_bytes(),
        "data.json": data,
    }
    pdf = typst.compile(
        sources,  # pyright: ignore[reportArgumentType]
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards=STANDARDS,  # pyright: ignore[reportArgumentType]
        timestamp=int(content.issued_at.timestamp()),
    )
    assert isinstance(pdf, bytes)
    return pdf


@lru_cache(maxsize=1)
def _fonts() -> Any:
    """Only the bundled OFL fonts, so that a document looks the same on every machine."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONT_DIR)])
