"""Language, deletion, the persona picker, the error pages."""

import pytest
from django.test import Client
from django.urls import reverse

from consilium.people.models import User
from consilium.web import principal as principals
from consilium.web.accounts.routes import ROUTES
from consilium.web.accounts.urls import urlpatterns
from consilium.web.models import DeletionRequest

pytestmark = pytest.mark.django_db


def test_every_route_has_its_row():
    assert {pattern.name for pattern in urlpatterns} == {row.name for row in ROUTES}


def test_language_is_kept_in_the_browser_and_in_the_account(cast, as_):
    client = as_(cast.anna)
    answer = client.post(reverse("set_language"), {"language": "de", "next": "/help/"})
    assert answer.url == "/help/"
    assert client.cookies["consilium_language"].value == "de"
    assert User.objects.get(pk=cast.anna.user.pk).language == "de"


def test_unknown_language_changes_nothing(cast, as_):
    as_(cast.anna).post(reverse("set_language"), {"language": "xx", "next": "/"})
    assert User.objects.get(pk=cast.anna.user.pk).language == "en"


def test_language_switch_does_not_lead_off_the_site():
    answer = Client().post(reverse("set_language"), {"language": "de", "next": "https://evil.example/"})
    assert answer.url == "/"


def test_deletion_is_asked_for_once_and_can_be_taken_back(cast, as_):
    client = as_(cast.anna)
    client.post(reverse("account_delete"))
    client.post(reverse("account_delete"))
    assert DeletionRequest.objects.filter(user=cast.anna.user, withdrawn_at=None).count() == 1
    client.post(reverse("account_delete"), {"withdraw": "1"})
    assert not DeletionRequest.objects.filter(withdrawn_at=None).exists()


def test_deletion_needs_a_fresh_second_step(cast, as_):
    answer = as_(cast.anna, step="stale").post(reverse("account_delete"))
    assert answer.url.startswith(reverse("second_step"))
    assert not DeletionRequest.objects.exists()


def test_security_page_shows_own_sessions_only(cast, as_):
    as_(cast.eve)
    client = as_(cast.anna)
    assert len(client.get(reverse("mfa_index")).context["sessions"]) == 1


@pytest.fixture
def demo_anna(cast):
    cast.anna.user.is_demo = True
    cast.anna.user.save()
    return cast.anna.user


def test_persona_picker_is_absent_outside_demo_mode(demo_anna):
    client = Client()
    assert client.get(reverse("demo_personas")).status_code == 404
    assert client.post(reverse("demo_personas"), {"user": demo_anna.pk}).status_code == 404
    assert "_auth_user_id" not in client.session


def test_persona_picker_signs_in_with_the_second_step_passed(demo_anna, settings):
    settings.DEMO = True
    client = Client()
    assert "Sign in as Anna Berger" in client.get(reverse("demo_personas")).content.decode()
    client.post(reverse("demo_personas"), {"user": demo_anna.pk})
    who = principals.from_session(client.session)
    assert (who.id, who.strong, who.fresh) == (demo_anna.pk, True, True)


@pytest.mark.parametrize("chosen", ["real", "nonsense"])
def test_persona_picker_opens_no_real_account(demo_anna, cast, settings, chosen):
    settings.DEMO = True
    client = Client()
    user = str(cast.eve.user.pk) if chosen == "real" else "'; drop table"
    assert client.post(reverse("demo_personas"), {"user": user}).status_code == 404
    assert "_auth_user_id" not in client.session


def test_demo_people_step_up_by_a_click_and_real_accounts_do_not(demo_anna, cast, as_, settings):
    settings.DEMO = True
    client = as_(cast.anna, step="stale")
    client.post(reverse("second_step"), {"next": "/account/"})
    assert principals.from_session(client.session).fresh is True
    stranger = as_(cast.eve, step="none")
    stranger.post(reverse("second_step"))
    assert principals.from_session(stranger.session).strong is False


def test_a_demo_person_outside_demo_mode_has_no_click(demo_anna, cast, as_):
    client = as_(cast.anna, step="none")
    client.post(reverse("second_step"))
    assert principals.from_session(client.session).strong is False


def test_persona_picker_costs_the_same_for_one_and_for_three(demo_anna, cast, settings):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    settings.DEMO = True
    with CaptureQueriesContext(connection) as one:
        Client().get(reverse("demo_personas"))
    User.objects.filter(pk__in=[cast.dora.user.pk, cast.chen.user.pk]).update(is_demo=True)
    with CaptureQueriesContext(connection) as three:
        assert len(Client().get(reverse("demo_personas")).context["personas"]) == 3
    assert len(one) == len(three)
