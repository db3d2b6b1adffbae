"""Tidying: orphans and erased ciphertext go, everything a row points at stays."""

from datetime import timedelta

import pytest

from consilium.cases.states import State
from consilium.core import clock
from consilium.opinions.jobs import collect_orphans, live_blobs
from consilium.testing import factories
from consilium.vault import blobs, keys

pytestmark = pytest.mark.django_db


def collect_later():
    with clock.frozen(clock.now() + timedelta(hours=25)):
        collect_orphans.func()


def test_orphans_go_and_live_blobs_stay(cast):
    case = factories.case_in(State.DELIVERED, cast)
    live = live_blobs()
    orphan = blobs.put([b"nobody points here"], space=case.pk, tenant=case.organisation_id)
    collect_orphans.func()
    assert blobs.exists(orphan.id)  # too young: its row may still come
    collect_later()
    assert not blobs.exists(orphan.id)
    assert live and all(blobs.exists(blob) for blob in live)


def test_ciphertext_of_an_erased_case_is_deleted(cast):
    case = factories.case_in(State.DELIVERED, cast)
    report = case.reports.get()
    keys.destroy_space(case.pk)
    collect_later()
    assert not blobs.exists(report.clinical_blob)
