"""Writing and signing the structured opinion."""

import hashlib
import json
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.access.rules import require
from consilium.cases.actions import advance
from consilium.cases.effects import Step, after
from consilium.cases.models import Case
from consilium.cases.needs import Asked, Sentence, need
from consilium.core import audit, clock
from consilium.core.errors import BadInput, NotAllowed, Refusal
from consilium.opinions import content
from consilium.opinions.actions import blind
from consilium.opinions.models import Finding, Opinion
from consilium.records import slide_tiles
from consilium.records.models import Record, RecordFile

MAX_SECTION = 20_000


def draft_of(case: Case, *, by: Principal) -> Opinion:
    """The draft being written, made on first use; needs the reveal, because the reviewer must use what exists."""
    draft = case.opinions.filter(status__in=(Opinion.Status.DRAFT, Opinion.Status.RETURNED)).order_by("-number").first()
    if draft:
        _require_writing(draft, by)
        return draft
    require("opinion.write", case, by)
    read = blind.of(case, by)
    if read is None or read.revealed_at is None:
        raise NotAllowed(_("Please look at the first opinion first; then write yours."))
    with transaction.atomic():
        opinion = Opinion.objects.create(case=case, specialist=read.specialist, content=content.empty())
        audit.record("opinion.start", by=by, thing=f"opinion:{opinion.pk}", space=case.pk)
    return opinion


def _require_writing(opinion: Opinion, by: Principal) -> None:
    require("opinion.write" if opinion.number == 1 else "addendum.write", opinion.case, by)
    if opinion.specialist.user_id != by.id:
        raise NotAllowed(_("Only the specialist who writes this opinion can change it."))
    if opinion.status not in (Opinion.Status.DRAFT, Opinion.Status.RETURNED):
        raise NotAllowed(_("A signed opinion cannot be changed; write an addendum instead."))


def _locked(opinion: Opinion, by: Principal) -> Opinion:
    """The draft as it stands now, locked: a signature in another window may have been faster than this change."""
    current = Opinion.objects.select_for_update().get(pk=opinion.pk)
    _require_writing(current, by)
    return current


def save(opinion: Opinion, changes: dict[str, Any], *, by: Principal, saved: int | None = None) -> Opinion:
    """Merge `changes` (keys of opinions/content.py) into the draft.

    saved: the counter the editor started from; a newer one in the database means another window was faster.
    """
    _require_writing(opinion, by)
    clean = content.clean(changes)
    if len(json.dumps(clean)) > 40 * MAX_SECTION:
        raise BadInput(_("This opinion is too long to be read. Please shorten it."))
    with transaction.atomic():
        current = _locked(opinion, by)
        if saved is not None and saved != current.saved:
            raise Refusal(
                _("This opinion was changed in another window. Reload the page to see it; your text is still here."),
                code="changed",
            )
        now = clock.now()
        gap = (now - current.saved_at).total_seconds()
        # Writing time: gaps longer than five minutes are breaks, not work.
        current.seconds_spent += int(gap) if gap < 300 else 0
        current.content = current.content | clean
        current.saved, current.saved_at = current.saved + 1, now
        current.save(update_fields=["content", "saved", "saved_at", "seconds_spent"])
        audit.record("opinion.save", by=by, thing=f"opinion:{current.pk}", space=current.case_id)
    return current


def add_finding(
    opinion: Opinion, *, by: Principal, text: str, significance: str = "", anchor: dict[str, Any] | None = None
) -> Finding:
    """Add a finding, linked to a region of a page or frame: {"file", "kind", "index", "x", "y", "w", "h"}."""
    _require_writing(opinion, by)
    if not text.strip():
        raise BadInput(_("Please describe the finding."))
    place, record = _checked_anchor(opinion.case, anchor or {})
    with transaction.atomic():
        _locked(opinion, by)
        finding = Finding.objects.create(
            case=opinion.case,
            opinion=opinion,
            position=opinion.findings.count() + 1,
            record=record,
            anchor=place,
            text=text.strip()[:MAX_SECTION],
            significance=significance.strip()[:MAX_SECTION],
        )
        audit.record("finding.add", by=by, thing=f"opinion:{opinion.pk}", space=opinion.case_id)
    return finding


def change_finding(finding: Finding, *, by: Principal, text: str, significance: str) -> None:
    """Reword a finding of the draft."""
    _require_writing(finding.opinion, by)
    if not text.strip():
        raise BadInput(_("Please describe the finding."))
    finding.text, finding.significance = text.strip()[:MAX_SECTION], significance.strip()[:MAX_SECTION]
    with transaction.atomic():
        _locked(finding.opinion, by)
        finding.save(update_fields=["text", "significance"])
        audit.record("finding.change", by=by, thing=f"opinion:{finding.opinion_id}", space=finding.case_id)


def remove_finding(finding: Finding, *, by: Principal) -> None:
    """Take a finding out of the draft."""
    _require_writing(finding.opinion, by)
    with transaction.atomic():
        _locked(finding.opinion, by)
        audit.record("finding.remove", by=by, thing=f"opinion:{finding.opinion_id}", space=finding.case_id)
        finding.delete()


def _checked_anchor(case: Case, anchor: dict[str, Any]) -> tuple[dict[str, Any], Record | None]:
    if not anchor:
        return {}, None
    file = RecordFile.objects.filter(space=case.pk, pk=anchor.get("file")).select_related("record").first()
    kind, index = anchor.get("kind"), int(anchor.get("index") or 0)
    pages = file.frames if file and kind == "frame" else len(file.text) if file else 0
    is_there = kind in ("page", "frame") or (kind == "slide" and file and slide_tiles.of_file(file.pk))
    if file is None or not is_there or not 0 <= index < (1 if kind == "slide" else max(pages, 1)):
        raise BadInput(_("Please point at a page or an image of this case."))
    try:
        x, y, w, h = (float(anchor.get(key) or 0) for key in "xywh")
    except (TypeError, ValueError):
        raise BadInput(_("Please mark the region again.")) from None
    if not (0 <= x <= 1 and 0 <= y <= 1 and 0 <= w <= 1 - x + 1e-6 and 0 <= h <= 1 - y + 1e-6):
        raise BadInput(_("Please mark a region inside the page or image."))
    place = {"file": str(file.pk), "kind": kind, "index": index, "x": x, "y": y, "w": w, "h": h}
    return place, file.record


@after("accept")
def _begin_anew(step: Step) -> None:
    """Who takes over a case that was handed back writes an opinion of their own: the unsigned one goes."""
    unsigned = step.case.opinions.filter(status__in=(Opinion.Status.DRAFT, Opinion.Status.RETURNED))
    for left in unsigned.exclude(specialist__user_id=step.by.id):
        audit.record("opinion.discard", by=step.by, thing=f"opinion:{left.pk}", space=step.case.pk)
        left.delete()


def sign(case: Case, *, by: Principal) -> None:
    """Sign the draft (fresh second step); the case goes to the quality check."""
    advance(case, "sign", by=by)


@need("opinion_complete")
def _complete(asked: Asked) -> Sentence:
    draft = asked.case.opinions.filter(status__in=("draft", "returned")).order_by("-number").first()
    if draft is None or draft.specialist.user_id != asked.by.id:
        return _("There is no opinion to sign yet.")
    problems = content.release_problems(draft)
    return problems[0].sentence if problems else None


@after("sign")
def _signed(step: Step) -> None:
    draft = step.case.opinions.filter(status__in=("draft", "returned")).latest("number")
    freeze(draft)


def freeze(opinion: Opinion) -> None:
    """Mark as signed with the hash of everything it says, read afresh under a lock: no later save can slip in."""
    opinion = Opinion.objects.select_for_update().get(pk=opinion.pk)
    opinion.status, opinion.signed_at, opinion.digest = Opinion.Status.SIGNED, clock.now(), digest(opinion)
    opinion.save(update_fields=["status", "signed_at", "digest"])


def digest(opinion: Opinion) -> str:
    """SHA-256 over the opinion's content and findings; the case id salts it."""
    findings = [[f.text, f.significance, f.anchor] for f in opinion.findings.all()]
    words = [str(opinion.case_id), opinion.number, opinion.content, findings]
    return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
