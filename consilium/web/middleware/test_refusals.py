"""Where a refusal leads back to."""

import pytest
from django.test import RequestFactory

from consilium.web.middleware.refusals import same_site_referrer


@pytest.mark.parametrize(
    ("origin", "back"),
    [
        ("http://testserver/cases/?page=2", "/cases/?page=2"),
        ("http://testserver//elsewhere.example/", "/elsewhere.example/"),
        ("http://elsewhere.example/cases/", ""),
        ("", ""),
    ],
)
def test_the_way_back_never_leaves_the_site(origin, back):
    request = RequestFactory().post("/", headers={"referer": origin})
    assert same_site_referrer(request) == back
