"""The inbox in words."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consilium.cases.models import Case
from consilium.records.models import InboxStudy
from consilium.web.desk.present.dates import day, day_of, moment


def patient(study: InboxStudy) -> str:
    """The patient as the images name them: family name, then the rest (PS3.5 §6.2.1)."""
    family, *rest = str(study.facts.get("patient_name", "")).split("=")[0].split("^")
    return ", ".join(part for part in (family.strip(), " ".join(" ".join(rest).split())) if part) or _("No name given")


def sender(study: InboxStudy) -> str:
    """The AE title it came from."""
    return study.sender.partition(":")[2]


def images(number: int) -> str:
    return ngettext("%(n)s image", "%(n)s images", number) % {"n": number}


def born(study: InboxStudy) -> str:
    text = study.facts.get("patient_birth_date", "")
    return day_of(text) if text else _("not given")


def waiting(found: list[InboxStudy], suggested: dict[UUID, list[Case]]) -> list[dict[str, Any]]:
    """Cards of what waits for a decision."""
    return [_card(study, suggested.get(study.pk, [])) for study in found]


def _card(study: InboxStudy, suggested: list[Case]) -> dict[str, Any]:
    return {
        "title": patient(study),
        "href": reverse("desk_inbox_study", args=[study.pk]),
        "facts": facts(study),
        "next": _("Perhaps case %(case)s") % {"case": suggested[0].reference} if suggested else _("Choose a case"),
        "due": _("Kept until %(day)s") % {"day": day(study.expires_at)},
    }


def facts(study: InboxStudy) -> list[dict[str, str]]:
    """What the images say, and how they came."""
    known = study.facts
    described = known.get("study_description", "")
    rows = [
        (_("Born"), born(study)),
        (_("Study"), ", ".join(part for part in (described, ", ".join(known.get("modalities", []))) if part)),
        (_("Study date"), day_of(known.get("study_date", "")) if known.get("study_date") else ""),
        (_("Images"), f"{images(study.images)}, {filesizeformat(study.size)}"),
        (_("Sent by"), sender(study)),
        (_("Received"), moment(study.last_at)),
    ]
    return [{"term": term, "text": str(text)} for term, text in rows if text]


def details(study: InboxStudy) -> dict[str, Any]:
    """One study on its own page."""
    rows = [{"term": _("Patient"), "text": patient(study)}, *facts(study)]
    if study.facts.get("institution"):
        rows.append({"term": _("Institution"), "text": study.facts["institution"]})
    discard = reverse("desk_inbox_discard", args=[study.pk])
    return {"title": patient(study), "rows": rows, "discard": discard, "kept": day(study.expires_at)}


def on_its_way(study: InboxStudy, references: dict[UUID, str]) -> dict[str, Any]:
    """A study that a job is adding to a case."""
    case = references.get(study.case_space, "") if study.case_space else ""
    label = _("To case %(case)s") % {"case": case} if case else _("To a case")
    text = _("%(done)s of %(all)s images") % {"done": study.moved, "all": study.images}
    return {"label": label, "value": study.moved, "max": max(study.images, 1), "text": text}


def added(study: InboxStudy, references: dict[UUID, str]) -> dict[str, str]:
    """A study that is in its case; what it was is told there."""
    case = references.get(study.case_space, "") if study.case_space else ""
    href = reverse("desk_records", args=[study.case_space]) if case else ""
    label = _("Case %(case)s") % {"case": case} if case else _("A case")
    text = _("%(images)s from %(sender)s") % {"images": images(study.images), "sender": sender(study)}
    return {"label": label, "href": href, "text": text, "when": moment(study.last_at)}


def consequences(study: InboxStudy) -> list[str]:
    gone = ngettext(
        "%(n)s image is destroyed and cannot be brought back.",
        "%(n)s images are destroyed and cannot be brought back.",
        study.images,
    )
    return [
        gone % {"n": study.images},
        _("If they are needed after all, the hospital has to send them again."),
    ]


def gateway() -> list[dict[str, str]]:
    """How hospitals reach the inbox; empty while nothing listens."""
    if not settings.DIMSE_BIND:
        return []
    return [
        {"term": _("AE title"), "text": settings.DIMSE_AE_TITLE},
        {"term": _("Port"), "text": settings.DIMSE_BIND.rpartition(":")[2]},
    ]
