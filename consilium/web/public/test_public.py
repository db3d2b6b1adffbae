"""The open pages: front page, verifying a report, what a site must say."""

import hashlib
import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consilium.core import clock
from consilium.opinions.models import Report
from consilium.web.public import present
from consilium.web.public import upload as bounded
from consilium.web.public.routes import ROUTES
from consilium.web.public.urls import urlpatterns

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\nthe sealed report, byte for byte\n%%EOF\n"


def test_every_route_has_its_row():
    assert {pattern.name for pattern in urlpatterns} == {row.name for row in ROUTES}


@pytest.mark.parametrize("name", ["home", "verify", "privacy", "accessibility", "help", "imprint"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_open_pages_answer_on_an_empty_site(name, language):
    answer = Client(headers={"accept-language": language}).get(reverse(name))
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.content.decode()


def test_front_page_shows_doctors_and_says_what_it_is_not_for(cast):
    cast.chen.specialist.portrait = "chen"
    cast.chen.specialist.save()
    text = Client().get("/").content.decode()
    assert "Dr Mei Chen" in text
    assert "112" in text


def test_unverified_doctors_are_not_shown(cast):
    cast.chen.specialist.portrait, cast.chen.specialist.verified_at = "chen", None
    cast.chen.specialist.save()
    assert "Dr Mei Chen" not in Client().get("/").content.decode()


@pytest.mark.parametrize(
    ("who", "href"),
    [
        ("anna", "/cases/"), ("dora", "/desk/"), ("tess", "/desk/triage/"), ("chen", "/specialist/"),
        ("quinn", "/quality/"), ("sam", "/desk/phone/"), ("ada", "/admin/"),
    ],
)  # fmt: skip
def test_signed_in_people_are_led_to_their_place(cast, as_, who, href):
    there = as_(getattr(cast, who)).get("/", follow=True)
    assert (there.redirect_chain[0][0], there.status_code) == (href, 200)


def test_people_with_two_tasks_choose(cast, as_):
    from consilium.access.principals import SYSTEM
    from consilium.people import actions

    actions.grant_membership(cast.dora.user, cast.dora.person.organisation, "administrator", by=SYSTEM)
    text = as_(cast.dora).get("/").content.decode()
    assert 'href="/desk/"' in text
    assert 'href="/admin/"' in text


def test_one_factor_is_led_to_the_second_step(cast, as_):
    assert as_(cast.anna, step="none").get("/").url.startswith(reverse("second_step"))


@pytest.fixture
def report(monkeypatch):
    """A report as the lookup returns it (building one takes a whole case; that is tested with opinions)."""

    class Organisation:
        name = "Lakeside Hospital"

    class Case:
        organisation = Organisation()

    found = Report(
        id=uuid.uuid4(),
        number=2,
        verify_code="7K4M-92QX-PD3T",
        issued_at=clock.now(),
        clinical_sha256=hashlib.sha256(PDF).hexdigest(),
    )
    found._state.fields_cache["case"] = Case()
    by_hash = {found.clinical_sha256: found}
    from consilium.opinions.actions import report as reports

    monkeypatch.setattr(reports, "by_file_hash", lambda data: by_hash.get(hashlib.sha256(data).hexdigest()))
    monkeypatch.setattr(reports, "by_verify_code", lambda code: found if "92QX" in code.upper() else None)
    return found


def check(data, **extra):
    return Client().post(reverse("verify_file"), {"file": SimpleUploadedFile("r.pdf", data)}, **extra)


def test_genuine_file_is_recognised(report):
    answer = check(PDF)
    assert answer.context["verdict"]["state"] == "genuine"
    assert "Lakeside Hospital" in answer.content.decode()


def test_one_changed_byte_is_recognised(report):
    answer = check(PDF.replace(b"sealed", b"Sealed"))
    assert answer.context["verdict"] == {"state": "not"}
    assert "Lakeside Hospital" not in answer.content.decode()


def test_replaced_version_is_said(report):
    report.superseded_at = clock.now() + timedelta(days=1)
    assert check(PDF).context["verdict"]["state"] == "older"


@pytest.mark.parametrize("name", ["verify_code", "verify_code_printed"])
def test_printed_address_with_the_code_answers(report, name):
    answer = Client().get(reverse(name, args=["7K4M-92QX-PD3T"]))
    assert answer.context["verdict"]["state"] == "genuine"
    assert answer.context["verdict"]["version"] == 2


def test_unknown_code_says_so():
    answer = Client().get(reverse("verify_code", args=["0000-0000-0000"]))
    assert answer.context["verdict"] == {"state": "not"}


def test_the_answer_names_no_person():
    assert set(present.verdict(None)) == {"state"}


@pytest.fixture(scope="module")
def sealed_pdf():
    from consilium.opinions.report import render, seal
    from consilium.testing import report_sample

    return seal.seal(render.build_patient(report_sample.sample("en")), reason="Test", name="Test")


def test_file_that_is_no_longer_on_record_is_told_by_its_seal(sealed_pdf):
    """The sandbox reads the seal of a real report whose row is gone."""
    assert check(sealed_pdf).context["verdict"] == {"state": "sealed"}


CHANGES = {
    "appended": lambda pdf: pdf + b"\n% appended",
    "cut short": lambda pdf: pdf[:-2000],
    "one byte": lambda pdf: pdf.replace(b"/Contents", b"/contents", 1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changed_sealed_files_are_not_genuine(sealed_pdf, change):
    assert check(change(sealed_pdf)).context["verdict"] == {"state": "not"}


def test_nonsense_in_a_pdf_is_not_genuine():
    assert check(b"%PDF-1.7\n" + b"<<" * 50_000).context["verdict"] == {"state": "not"}


def test_too_large_a_file_is_refused_without_reading_it(monkeypatch):
    monkeypatch.setattr(bounded, "LIMIT", 1000)
    answer = check(b"x" * 200_000)
    assert "verdict" not in answer.context
    assert "larger than 25 MB" in answer.content.decode()


def test_file_a_little_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(bounded, "LIMIT", 1000)
    answer = check(b"x" * 2000)
    assert "verdict" not in answer.context


def test_checking_files_needs_the_form_token(report):
    client = Client(enforce_csrf_checks=True)
    assert client.post(reverse("verify_file"), {"file": SimpleUploadedFile("r.pdf", PDF)}).status_code == 403
    page = client.get(reverse("verify"))
    token = page.context["csrf_token"]
    body = {"file": SimpleUploadedFile("r.pdf", PDF), "csrfmiddlewaretoken": str(token)}
    assert client.post(reverse("verify_file"), body).context["verdict"]["state"] == "genuine"


def test_trying_codes_is_slowed_down():
    client = Client()
    answers = [client.get(reverse("verify_code", args=[f"{n:012d}"])).status_code for n in range(31)]
    assert answers[29:] == [200, 429]


def test_small_files_of_the_site(settings):
    client = Client()
    assert client.get("/healthz").content == b"ok"
    assert "Disallow: /" in client.get("/robots.txt").content.decode()
    settings.SECURITY_CONTACT = "mailto:security@example.org"
    text = client.get("/.well-known/security.txt").content.decode()
    assert "Contact: mailto:security@example.org" in text
    assert "Expires: " in text


def test_imprint_says_what_the_operator_wrote(settings):
    settings.IMPRINT = "Example Trust\\nMain Street 1"
    text = Client().get("/imprint/").content.decode()
    assert "Example Trust<br>Main Street 1" in text


def test_error_pages_are_warm(client):
    assert "We cannot find that page" in client.get("/no-such-page/").content.decode()
    client.raise_request_exception = False
    assert Client(enforce_csrf_checks=True).post(reverse("verify"), {"code": "x"}).status_code == 403
