"""What is loaded before the first request is compiled, and out of the garbage collector's way."""

import gc

import pytest
from django.template import engines

from consilium.config.warm import warm_up


@pytest.fixture
def thawed():
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_templates_are_compiled_and_everything_is_frozen(thawed):
    before = gc.get_freeze_count()
    warm_up()
    (loader,) = engines["django"].engine.template_loaders
    assert any("reading/list.html" in key for key in loader.get_template_cache)
    assert gc.get_freeze_count() > before + 50_000
    assert len(gc.get_objects()) < 1000
