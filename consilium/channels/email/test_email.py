"""Mails: queued with the effect, sent once, in the reader's language, and with nothing to give away."""

import re

import pytest
from django.core import mail
from django.db import transaction

from consilium.channels import email
from consilium.channels.email import folder, outbox
from consilium.channels.email.texts import TEXTS
from consilium.core import jobs
from consilium.core.models.jobs import Effect

pytestmark = pytest.mark.django_db
SAMPLE = {"reference": "7K3M-29QF", "code": "123-456", "link": "http://127.0.0.1:8000/guest/abc"}


def send(**changes):
    given = {"to": "anna@example.org", "language": "en", "key": "k1", "reference": "7K3M-29QF", **changes}
    email.send("your_turn", **given)


def test_mail_is_sent_once_per_key():
    send()
    send()
    jobs.drain()
    assert [message.to for message in mail.outbox] == [["anna@example.org"]]
    assert "7K3M-29QF" in mail.outbox[0].body


def test_mail_of_a_rolled_back_transaction_is_never_sent():
    with pytest.raises(RuntimeError), transaction.atomic():
        send()
        raise RuntimeError
    jobs.drain()
    assert mail.outbox == []


def test_failed_sending_is_tried_again_with_the_same_message_id(monkeypatch):
    tried = []

    def refuse(self):
        tried.append(self.extra_headers["Message-ID"])
        if len(tried) == 1:
            raise OSError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    send()
    arguments = ("your_turn", "anna@example.org", "en", "k1", {"reference": "7K3M-29QF"})
    with pytest.raises(OSError):
        outbox.deliver.call(*arguments)
    assert not Effect.objects.exists()
    outbox.deliver.call(*arguments)
    outbox.deliver.call(*arguments)
    assert len(tried) == 2
    assert len(set(tried)) == 1


@pytest.mark.parametrize(
    "codes",
    [
        {"reference": "Anna's breast cancer"},
        {"reference": "7K3M-29QF", "diagnosis": "C50"},
        {},
    ],
)
def test_words_do_not_pass_as_codes(codes):
    with pytest.raises(ValueError):
        email.send("your_turn", to="a@example.org", language="en", key="k", **codes)


def test_links_lead_to_this_site_only():
    with pytest.raises(ValueError):
        email.send("guest_link", to="a@example.org", language="en", key="k", link="http://127.0.0.1:8000.evil.org/")


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_text_is_filled_and_speaks_of_no_illness(name):
    codes = {code: SAMPLE[code] for code in TEXTS[name].codes}
    message = outbox.compose(name, "anna@example.org", "en", "k", codes)
    text = f"{message.subject} {message.body}".lower()
    assert "%(" not in text
    assert not re.search(r"cancer|diagnos|opinion on|illness|disease|patient|symptom|treatment", text)
    for value in codes.values():
        assert value in message.body


def test_folder_keeps_one_file_per_message_and_reads_it_back(settings, tmp_path):
    settings.MAIL_DIR = tmp_path
    message = outbox.compose("your_turn", "änna@example.org", "en", "k", {"reference": "7K3M-29QF"})
    backend = folder.FolderBackend()
    backend.send_messages([message])
    backend.send_messages([message])
    shown = folder.messages()
    assert [one.subject for one in shown] == [message.subject]
    assert "7K3M-29QF" in shown[0].body
    assert [path.stat().st_mode & 0o077 for path in tmp_path.glob("*.eml")] == [0]
