"""The living gallery of the design system at /styleguide/ (debug and demo only): every component, with sample data."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static

from consilium.web.components.forms import DayMonthYearField
from consilium.web.components.prepare import FILE_STATES, PORTRAITS
from consilium.web.components.registry import ROWS

SENTENCES = {
    "received": "We have the file and will look at it in a moment.",
    "checking": "We are opening it to see whether every page can be read.",
    "ready": "4 pages, well readable, dated 12 October 2026.",
    "flagged": "The second page is very dark. If you can, please take the photo again in daylight.",
    "decision": "Another name stands on this letter. Does it belong to you?",
    "failed": "This file is locked with a password. Please send it again without the password.",
}


class GalleryForm(forms.Form):
    """One field of every kind; with errors when it is bound."""

    name = forms.CharField(label="Your full name", help_text="As it is written on your health insurance card.")
    born = DayMonthYearField(label="Your date of birth", help_text="For example 27 3 1961", birthday=True)
    goal = forms.ChoiceField(
        label="What would help you most?",
        widget=forms.RadioSelect,
        choices=[
            ("surgery", "Knowing whether the operation is the right step"),
            ("other", "Hearing about other ways to treat this"),
            ("sure", "Being sure about the diagnosis"),
        ],
    )
    help_needed = forms.MultipleChoiceField(
        label="Would you like help with anything?",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[("phone", "Filling in by phone"), ("records", "Getting my records"), ("language", "An interpreter")],
    )
    story = forms.CharField(
        label="How did it begin?",
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=600,
        help_text="Write as you would tell a friend. You can come back to it later.",
    )
    side = forms.ChoiceField(label="Which side?", choices=[("l", "Left"), ("r", "Right"), ("b", "Both")])
    letter = forms.FileField(label="A letter from your doctor", required=False)
    consent = forms.BooleanField(label="I agree that the specialist reads my records")


def styleguide(request: HttpRequest) -> HttpResponse:
    """Draw the gallery; hidden where neither debug nor demo is on."""
    if not (settings.DEBUG or settings.DEMO):
        raise Http404
    return render(request, "styleguide/index.html", sample())


def sample() -> dict[str, Any]:
    """Sample data of the gallery: people and numbers are invented."""
    bad = GalleryForm({"name": "", "born_day": "31", "born_month": "2", "born_year": "1961", "story": "x" * 20})
    return {
        "components": ROWS,
        "good_form": GalleryForm(initial={"goal": "surgery"}),
        "bad_form": bad,
        "portraits": PORTRAITS,
        "files": [{"state": state, "text": SENTENCES[state]} for state in FILE_STATES],
        "page": Paginator(range(240), 20).page(4),
        "frames": [static(f"img/phantom/{number}.svg") for number in range(1, 7)],
        "regions": [{"x": 0.55, "y": 0.6, "w": 0.16, "h": 0.14, "page": 2, "label": "Bright focus"}],
        **_words(),
        **_numbers(),
    }


def _words() -> dict[str, Any]:
    return {
        "steps": [
            {"title": "Your story and your question", "state": "done", "when": "3 November"},
            {"title": "Your records", "state": "done", "when": "5 November", "note": "6 of 6 received"},
            {
                "title": "Dr Chen reads your case",
                "state": "current",
                "when": "since Monday",
                "note": "Expected by Friday 14 November",
            },
            {"title": "A second doctor checks the report", "state": "next"},
            {"title": "Your report", "state": "next"},
        ],
        "events": [
            {
                "when": "10 Nov, 09:12",
                "who": "Dr Chen",
                "title": "Opened the MRI of the lumbar spine",
                "text": "Read 42 images",
            },
            {
                "when": "8 Nov, 16:40",
                "who": "Dora Lindqvist",
                "title": "Asked the hospital for the operation report",
                "tone": "warn",
            },
            {"when": "5 Nov, 11:03", "who": "You", "title": "Sent three files", "tone": "quiet", "href": "#files"},
        ],
        "facts": [
            {"term": "Report expected", "text": "Fri 14 November", "note": "within 7 days"},
            {"term": "Records", "text": "6 of 6"},
            {"term": "Planned operation", "text": "24 November", "tone": "warn", "note": "10 days after the report"},
        ],
        "answers": [
            {"term": "Your question", "text": "Is the spinal fusion necessary now?", "change_href": "#x"},
            {"term": "Since when", "text": "About eight months", "change_href": "#x"},
            {"term": "Treating doctor", "text": "Dr Weiss, Lindenhof Clinic", "change_href": "#x"},
        ],
        "checks": [
            {"text": "Every question has an answer", "passed": True},
            {"text": "Limitations of a remote assessment are stated", "passed": True},
            {
                "text": "Findings are linked to a page or an image",
                "passed": False,
                "note": "Finding 2 has no link yet",
                "href": "#x",
                "label": "Link finding 2",
            },
            {"text": "Patient summary is easy to read", "passed": None, "note": "Write it to see"},
        ],
        "case_facts": [
            {"term": "Specialty", "text": "Orthopaedic spine"},
            {"term": "Language", "text": "German"},
            {"term": "Records", "text": "6 of 6"},
        ],
        "case_badges": [{"text": "Operation 24 Nov", "tone": "warn"}, {"text": "Re-read", "tone": "info"}],
        "tabs": [
            {"label": "Mine", "href": "#a", "current": True, "count": 4},
            {"label": "Waiting", "href": "#b", "count": 11},
            {"label": "Closed", "href": "#c"},
        ],
        "crumbs": [{"label": "Desk", "href": "#d"}, {"label": "Case 2026-0142"}],
        "doctor_facts": ["24 years in spine surgery", "Speaks English, Mandarin and German", "No tie to your hospital"],
    }


def _numbers() -> dict[str, Any]:
    return {
        "columns": ["Test", {"label": "Value", "numeric": True}, "Reference", "Taken", "State"],
        "rows": [
            [
                {"text": "C-reactive protein", "note": "Serum"},
                "14.2 mg/l",
                "up to 5",
                "12 Oct 2026",
                {"text": "High", "tone": "warn"},
            ],
            ["Haemoglobin", "13.1 g/dl", "12–16", "12 Oct 2026", {"text": "In range", "tone": "good"}],
            [
                {"text": "Creatinine", "href": "#x"},
                "0.9 mg/dl",
                "0.5–1.1",
                "12 Oct 2026",
                {"text": "In range", "tone": "good"},
            ],
        ],
        "crp": [3.1, 4.2, 9.8, 22.4, 14.2],
        "crp_points": [
            {"when": "Jun", "value": 3.1},
            {"when": "Jul", "value": 4.2},
            {"when": "Aug", "value": 9.8},
            {"when": "Sep", "value": 22.4},
            {"when": "Oct", "value": 14.2},
        ],
        "windows": [
            {"label": "Bone", "href": "#w1", "key": "bone"},
            {"label": "Soft tissue", "href": "#w2", "key": "soft", "current": True},
        ],
        "series": [
            {"label": "T2 sagittal", "href": "#s1", "count": 6, "current": True},
            {"label": "T1 axial", "href": "#s2", "count": 24},
        ],
    }
