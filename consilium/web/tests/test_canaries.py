"""Words planted in every health field are found nowhere outside the vault: data, database, mail, log, session, URL.

One journey from the first form to an addendum, with a letter that the sandbox really reads. The search itself is tried:
a word planted in a plain column, a mail, a log line and a file must be found.
"""

import base64
import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pikepdf
import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.db import connection, models
from django.urls import reverse

from consilium.cases.actions import advance, desk, intake, offers
from consilium.cases.models import Case, GuestLink
from consilium.core import clock, jobs
from consilium.core.logs import SafeFormatter
from consilium.opinions.actions import addendum, blind, quality
from consilium.opinions.actions import opinion as opinions
from consilium.people.models import User
from consilium.records.models import Entry, Slide, Transfer
from consilium.talks import actions as talks
from consilium.testing import factories, inbox
from consilium.testing.cast import Cast
from consilium.vault.fields import SealedField, SealedJSONField
from consilium.web.tests.addresses import all_addresses, parts_of, paths
from consilium.web.tests.visitor import Visitor, cookie_of

PLAIN, ACCENTED, BIRTH = "Zqcanary7319", "Zqkanärie7319", "1931-07-29"
WORDS = f"{PLAIN} {ACCENTED}"


def spellings(word: str) -> dict[str, bytes]:
    """The ways a word may lie in a file: encodings, escapes, and base64 at each of the three offsets."""
    raw = word.encode()
    found = {
        "utf-8": raw,
        "utf-16-le": word.encode("utf-16-le"),
        "utf-16-be": word.encode("utf-16-be"),
        "latin-1": word.encode("latin-1"),
        "hex": raw.hex().encode(),
        "json": json.dumps(word)[1:-1].encode(),
        "percent": quote(word).encode(),
    }
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw + b"\0" * 3)
        inner = encoded[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]
        found[f"base64+{offset}"] = inner
    return found


NEEDLES = {f"{word} as {name}": raw for word in (PLAIN, ACCENTED, BIRTH) for name, raw in spellings(word).items()}


def leaks_in(hay: bytes) -> list[str]:
    lowered = hay.lower()
    return [name for name, raw in NEEDLES.items() if raw.lower() in lowered]


# --- the places to look at ---


def files_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.name), path.read_bytes()


def database() -> Iterator[tuple[str, bytes]]:
    """Every value of every table, also those no model knows."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows = cursor.fetchall()
            yield f"table {table}", b"\n".join(_raw(value) for row in rows for value in row)


def _raw(value: Any) -> bytes:
    return bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()


def everywhere(log: io.StringIO, visited: list[str]) -> Iterator[tuple[str, bytes]]:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
    yield from files_below(settings.DATA_DIR)
    yield from files_below(settings.MAIL_DIR)
    yield from database()
    yield "mail", b"\n".join(message.message().as_bytes() for message in mail.outbox)
    yield "log", log.getvalue().encode()
    yield "sessions", json.dumps([s.get_decoded() for s in Session.objects.all()], ensure_ascii=False).encode()
    yield "cache", b"\n".join(_raw(value) for value in getattr(cache, "_cache", {}).values())
    yield "addresses", "\n".join(visited).encode()


def found_in(log: io.StringIO, visited: list[str]) -> list[str]:
    return [f"{place}: {name}" for place, hay in everywhere(log, visited) for name in leaks_in(hay)]


# --- the journey ---


def letter() -> bytes:
    """A PDF whose text is read by the sandbox."""
    with pikepdf.new() as document:
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page = document.add_blank_page(page_size=(595, 842))
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        words = f"BT /F1 12 Tf 60 780 Td (Dear colleague, {PLAIN} was seen in our clinic.) Tj ET"
        page.Contents = document.make_stream(words.encode())
        document.docinfo["/Title"] = PLAIN
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()


class Recorder(Visitor):
    """A browser that keeps the addresses it goes to, is sent to, and is offered, and the cookies it gets."""

    def __init__(self, cookie: str, visited: list[str]) -> None:
        super().__init__(cookie)
        self.visited = visited

    def send(self, method: str, path: str, data: dict[str, Any] | None = None, **headers: str) -> Any:
        response = super().send(method, path, data, **headers)
        assert response.status_code < 500, f"{method} {path}: {response.raised}"
        self.visited += [path, response.headers.get("Location", ""), str(response.cookies)]
        if not response.streaming:
            self.visited += re.findall(r'(?:href|src|action)="([^"]*)"', response.content.decode(errors="replace"))
        return response


def tell(cast: Cast, anna: Recorder) -> Case:
    """What the patient tells, by the forms and by the verbs."""
    by = cast.anna.by
    day, month, year = BIRTH[8:], BIRTH[5:7], BIRTH[:4]
    names = {"given_name": f"{PLAIN}-Anna", "family_name": ACCENTED, "sex": "female", "telephone": f"+49 {PLAIN}"}
    born = {"birth_date_day": day, "birth_date_month": month, "birth_date_year": year}
    anna.send("POST", reverse("about_you"), names | born | {"language": "en", "country": "DE"})
    cast.anna.person.refresh_from_db()
    assert (cast.anna.person.family_name, cast.anna.person.birth_date) == (ACCENTED, BIRTH)
    case = factories.told(cast)
    for section in ("goals", "where", "course", "details", "history", "questions", "first-opinion"):
        anna.send("POST", reverse("case_section", args=[case.pk, section]), {"text": WORDS, "words": WORDS})
    for part in ("readiness", "goals", "symptoms", "history", "answers"):
        intake.save_section(case, part, {"text": WORDS}, by=by)
    intake.save_first_opinion(case, by=by, diagnosis=WORDS, treatment=WORDS, institution=WORDS, doctor=WORDS)
    intake.save_questions(case, [f"Is {WORDS} really what I have?"], by=by)
    intake.confirm_recap(case, by=by)
    return case


def opine(case: Case, cast: Cast) -> None:
    """Blind read, opinion, quality check, full of canaries."""
    chen = cast.chen.by
    offers.declare_conflicts(case, by=chen, none=False, statement=WORDS)
    offers.accept(case, by=chen)
    blind.save(case, by=chen, diagnosis=WORDS, treatment=WORDS, reasoning=WORDS, confidence="low")
    blind.lock(case, by=chen)
    draft = factories.write_opinion(case, cast)
    content = factories.complete_content(case) | {"differential": WORDS, "clinician_letter": WORDS}
    opinions.save(draft, content, by=chen)
    opinions.add_finding(draft, by=chen, text=WORDS, significance=WORDS, anchor={})
    opinions.sign(case, by=chen)
    ticks = {item.code: True for item in factories.registry.specialty(case.specialty).release}
    quality.save(case, by=cast.quinn.by, checklist=ticks, comments=WORDS)
    quality.pass_quality(case, by=cast.quinn.by)
    jobs.drain()


def converse(case: Case, cast: Cast) -> None:
    """Messages, a link, a question, an answer, an addendum."""
    anna, chen = cast.anna.by, cast.chen.by
    talks.send_message(case, by=anna, audience="care_team", body=WORDS)
    factories.team.make_link(
        case, by=anna, recipient={"name": WORDS, "email": "weiss@example.org", "institution": WORDS}
    )
    question = talks.ask(case, by=anna, question=f"What about {WORDS}?")
    case.refresh_from_db()
    talks.answer(question, by=chen, text=WORDS)
    version = addendum.start(case, by=chen)
    addendum.save_change_note(version, f"{WORDS} was corrected.", by=chen)
    addendum.issue(case, by=chen)
    jobs.drain()
    case.refresh_from_db()


def read_everything(case: Case, cast: Cast, visited: list[str]) -> None:
    """Every page of the case, by those who may read it, and the searches."""
    for who in (cast.anna, cast.dora, cast.chen, cast.tess, cast.quinn, cast.ada):
        browser = Recorder(cookie_of(who), visited)
        for address in all_addresses():
            if "case_id" in address.parameters:
                for path in paths(address, parts_of(case)).values():
                    browser.send("GET", path)
    dora = Recorder(cookie_of(cast.dora), visited)
    found = dora.send("POST", reverse("desk"), {"q": f"{PLAIN}-Anna"})
    assert case.reference in found.content.decode(), "the search by keyed hash must find her"
    Recorder(cookie_of(cast.sam), visited).send(
        "POST", reverse("scribe_home"), {"name": PLAIN, "birth_date_year": "1931"}
    )
    anna = Recorder(cookie_of(cast.anna), visited)
    anna.send("POST", reverse("case_messages", args=[case.pk]), {"audience": "patient_desk", "body": WORDS})


def more_rows(case: Case) -> None:
    """A row of each table that this journey leaves empty."""
    record = factories.Record.objects.filter(space=case.pk).first()
    assert record
    file = record.files.get()
    Transfer.objects.create(space=case.pk, sender="user:x", length=1, expires_at=clock.now())
    Entry.objects.create(space=case.pk, record=record, file=file, kind=Entry.Kind.LABORATORY)
    Slide.objects.create(space=case.pk, file=file)
    inbox.arrive(case.organisation)


def plant_the_rest(case: Case) -> list[str]:
    """A canary in every sealed field of every row there is; returns the fields that had no row at all."""
    empty = []
    for model in apps.get_models():
        sealed = [field for field in model._meta.get_fields() if isinstance(field, SealedField)]
        rows = list(model._default_manager.all()) if sealed else []
        for field in sealed:
            if not rows:
                empty.append(f"{model.__name__}.{field.name}")
        for row in rows:
            for field in sealed:
                value: Any = {"text": WORDS} if isinstance(field, SealedJSONField) else WORDS
                setattr(row, field.name, value)
            if sealed:
                models.Model.save(row)
    return empty


@pytest.fixture
def log():
    """Everything that is logged, at every level, as the server writes it."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(SafeFormatter())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.django_db(transaction=True)
def test_canaries_are_found_nowhere(log, settings, cast):
    settings.EMAIL_BACKEND = "consilium.channels.email.folder.FolderBackend"
    visited: list[str] = []
    case = tell(cast, Recorder(cookie_of(cast.anna), visited))
    advance(case, "submit", by=cast.anna.by)
    sent = factories.upload(case, letter(), f"{PLAIN}.pdf", by=cast.anna)
    record = factories.Record.objects.get(upload=sent)
    assert PLAIN in str(record.files.get().text), "the sandbox read the letter"
    for state in ("collecting", "recap", "triage", "offered"):
        factories.STEPS[state](case, cast)
        case.refresh_from_db()
    desk.save_desk_note(case, WORDS, by=cast.dora.by)
    opine(case, cast)
    case.refresh_from_db()
    assert case.state == "delivered"
    converse(case, cast)
    assert case.reports.count() == 2
    read_everything(case, cast, visited)
    assert len(visited) > 1000 and any(settings.MAIL_DIR.iterdir()) and log.getvalue()
    assert found_in(log, visited) == []
    more_rows(case)
    assert plant_the_rest(case) == []
    assert found_in(log, visited) == []


@pytest.mark.django_db(transaction=True)
def test_the_search_finds_what_lies_open(log, settings, cast):
    """The control: the same word where nobody sealed it is found, in each place and spelling."""
    link = GuestLink(
        case=factories.draft(cast), token_hash="x", code_hash="", granted_by=PLAIN, expires_at="2030-01-01"
    )
    link.recipient = {"name": WORDS}
    link.save()
    User.objects.filter(pk=cast.anna.user.pk).update(email=f"{BIRTH}@example.org")
    planted = settings.DATA_DIR / "left-behind.bin"
    planted.write_bytes(base64.b64encode(b"xx" + ACCENTED.encode()))
    logging.getLogger("consilium.control").warning(f"a formatted line with {PLAIN}")
    try:
        places = {line.partition(":")[0] for line in found_in(log, [f"/desk/?q={quote(ACCENTED)}"])}
    finally:
        planted.unlink()
    expected = {"table cases_guestlink", "table people_user", "left-behind.bin", "log", "addresses"}
    assert expected <= places, expected - places
    if connection.vendor == "sqlite":
        assert any(place.startswith("test.sqlite3") for place in places)


@pytest.mark.parametrize("word", [PLAIN, ACCENTED, BIRTH])
def test_every_spelling_is_recognised(word):
    for before in (b"", b"a", b"ab"):
        assert leaks_in(base64.b64encode(before + word.encode() + b"and more"))
    assert leaks_in(json.dumps({"said": word}).encode())
    assert leaks_in(word.encode("utf-16-le")) and leaks_in(quote(word).encode())
    assert leaks_in(b"nothing at all") == []
