"""Writing to people: messages, questions about the report, follow-up answers, invitations and links."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consilium.talks.models import Clarification
from consilium.web.patient.forms.pack import StoryForm
from consilium.web.patient.forms.story import SURE, area

YES_NO = (("yes", _("Yes")), ("no", _("No")))
CHOOSE = {"required": _("Please choose an answer.")}


class MessageForm(forms.Form):
    """A message and whom it is for."""

    audience = forms.ChoiceField(label=_("To whom?"), widget=forms.RadioSelect, error_messages=CHOOSE)
    body = forms.CharField(
        label=_("Your message"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Please write your message first.")},
    )

    def __init__(self, data: Any, *, audiences: list[tuple[str, Any]]) -> None:
        super().__init__(data)
        self.fields["audience"].choices = audiences  # type: ignore[attr-defined]
        if len(audiences) == 1:
            self.fields["audience"].widget = forms.HiddenInput()
            self.fields["audience"].initial = audiences[0][0]
        elif audiences:
            self.fields["audience"].initial = audiences[0][0]


class AskForm(forms.Form):
    """A question about the report, or a fact that is wrong in it."""

    kind = forms.ChoiceField(
        label=_("What would you like to do?"),
        choices=[
            (Clarification.Kind.QUESTION, _("Ask about something I do not understand")),
            (Clarification.Kind.CORRECTION, _("Say that a fact about me is not right")),
        ],
        widget=forms.RadioSelect,
        initial=Clarification.Kind.QUESTION,
        error_messages=CHOOSE,
    )
    question = forms.CharField(
        label=_("In your words"),
        help_text=_("One question at a time gets the clearest answer."),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Please write your question first.")},
    )


class FollowUpForm(StoryForm):
    """Day 30, 90 and 180: the SURE test again, and what came of it."""

    answered = forms.ChoiceField(
        label=_("Was your question answered?"),
        choices=[("yes", _("Yes")), ("partly", _("In part")), ("no", _("No"))],
        widget=forms.RadioSelect,
        error_messages=CHOOSE,
    )
    decision = forms.ChoiceField(
        label=_("What have you decided?"),
        choices=[
            ("first", _("As the first opinion proposed")),
            ("second", _("As the second opinion proposed")),
            ("other", _("Something else")),
            ("open", _("I have not decided yet")),
        ],
        widget=forms.RadioSelect,
        error_messages=CHOOSE,
    )
    treatment = area(_("Which treatment have you had, or do you plan?"), limit=2000, rows=3)
    doctor_reply = area(_("What did your treating doctor say about the report?"), limit=2000, rows=3)


def follow_up_form() -> type[StoryForm]:
    """The SURE items first, unaltered, then the rest."""
    sure = {
        code: forms.ChoiceField(
            label=words,
            choices=YES_NO,
            widget=forms.RadioSelect,
            error_messages={"required": _("Please answer with yes or no.")},
        )
        for code, words in SURE.items()
    }
    return type("SureAndMore", (StoryForm,), sure | FollowUpForm.base_fields)


class InviteForm(forms.Form):
    """A relative who reads along or acts."""

    email = forms.EmailField(
        label=_("E-mail address of your relative"),
        help_text=_("They need an account here. Ask them to sign up first."),
        error_messages={
            "required": _("Please write the e-mail address."),
            "invalid": _("This is not a complete e-mail address. It looks like name@example.org."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label=_("What may they do?"),
        choices=[
            ("proxy_view", _("Read along: the story, the records and the report")),
            ("proxy_act", _("Act for me: also answer questions, send records and ask about the report")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose what your relative may do.")},
    )
    days = forms.ChoiceField(
        label=_("For how long?"),
        choices=[("30", _("One month")), ("90", _("Three months")), ("180", _("Six months"))],
        initial="180",
    )


class LinkForm(forms.Form):
    """The doctor who gets a link."""

    name = forms.CharField(
        label=_("Name of the doctor"), max_length=200, error_messages={"required": _("Please give the doctor's name.")}
    )
    institution = forms.CharField(label=_("Practice or hospital"), max_length=200, required=False)
    email = forms.EmailField(
        label=_("E-mail address of the practice"),
        help_text=_("We send the link there. The code goes another way: you tell it by telephone."),
        required=False,
        error_messages={"invalid": _("This is not a complete e-mail address. It looks like name@example.org.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    telephone = forms.CharField(label=_("Telephone of the practice"), max_length=40, required=False)
    days = forms.ChoiceField(
        label=_("How long should the link work?"),
        choices=[("7", _("One week")), ("30", _("One month")), ("90", _("Three months"))],
        initial="30",
    )

    def recipient(self) -> dict[str, str]:
        """Who gets it, as the verb takes it."""
        return {key: self.cleaned_data[key] for key in ("name", "institution", "email", "telephone")}
