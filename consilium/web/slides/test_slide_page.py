"""The slide's page, its tiles through the data plane, and a marked region on its way into the report."""

import contextlib
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image

from consilium.core.models import AuditEvent
from consilium.gateways.data.grants import Grants
from consilium.gateways.data.slides import LIFE_READY, Slides
from consilium.imaging import testing_slides as made
from consilium.opinions import anchors
from consilium.opinions.actions import opinion as opinions
from consilium.records import actions, slide_tiles, slides
from consilium.records.ingest import Owner, ingest
from consilium.records.models import Slide
from consilium.testing import factories
from consilium.vault import blobs
from consilium.web.case_gate import ask

WIDTH, HEIGHT = 1400, 900


def slide_in(case, tmp_path, *, prepare=True):
    picture = made.tissue(WIDTH, HEIGHT)
    data = made.svs(tmp_path / "slide.svs", picture).read_bytes()
    info = blobs.put([data], space=case.pk, tenant=case.organisation_id)
    sent, _new = actions.register_upload(case.pk, info, "biopsy.svs", by=factories.SYSTEM)
    ingest(sent, Owner(case.organisation_id, "", "", ""))
    slide = Slide.objects.select_related("file").get()
    if prepare:
        slides.prepare.call(str(slide.pk))
        slide.refresh_from_db()
    return slide, picture


def page_of(slide):
    return f"/cases/{slide.space}/records/{slide.file.record_id}/slide/{slide.file_id}/"


class Plane:
    """Requests to the tiles' bare application with a client's session."""

    def __init__(self):
        # In this thread: the rows of a test are in its transaction.
        self.app = Slides(Grants(ask, ThreadPoolExecutor(1)))
        self.app.grants.thread = self._here

    @staticmethod
    async def _here(call, *args):
        return call(*args)

    def get(self, client, path, method="GET"):
        cookies = "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())
        scope = {"method": method, "path": path, "headers": [(b"cookie", cookies.encode())], "type": "http"}
        sent = []

        async def send(message):
            sent.append(message)

        # Nothing waits here, so no event loop is needed, which would have database connections of its own.
        with contextlib.suppress(StopIteration):
            self.app(scope, None, send).send(None)
        return sent[0]["status"], dict(sent[0]["headers"]), b"".join(one.get("body", b"") for one in sent[1:])


@pytest.fixture
def plane():
    return Plane()


def test_tiles_are_sent_to_those_who_may_see_the_record(cast, as_, tmp_path, plane, django_assert_num_queries):
    case = factories.draft(cast)
    slide, picture = slide_in(case, tmp_path)
    anna, base = as_(cast.anna), f"/data/cases/{case.pk}/slides/{slide.file_id}/"
    status, headers, body = plane.get(anna, base + "info.json")
    said = json.loads(body)
    assert (status, headers[b"content-type"]) == (200, b"application/json")
    assert (said["width"], said["height"], said["levels"], said["ready"], said["mpp"]) == (1400, 900, 3, 3, 0.499)
    status, headers, body = plane.get(anna, base + "2/1_1.jpg")
    assert (status, headers[b"content-type"], headers[b"cache-control"]) == (200, b"image/jpeg", b"private, no-store")
    tile = np.asarray(Image.open(io.BytesIO(body))).astype(int)
    assert np.abs(tile - picture[512:900, 512:1024]).mean() < 4
    with django_assert_num_queries(0):
        assert plane.get(anna, base + "2/0_0.jpg")[0] == 200
    assert plane.get(anna, base + "2/0_0.jpg", "HEAD")[2] == b""
    assert plane.get(anna, base + "2/0_0.jpg", "POST")[0] == 405
    looks = AuditEvent.objects.filter(thing=f"record:{slide.file.record_id}", action="record.view")
    assert looks.count() <= 1

    eve, nobody = as_(cast.eve), as_(None)
    missing = plane.get(anna, f"/data/cases/{case.pk}/slides/{uuid4()}/info.json")
    for client, path in (
        (eve, base + "info.json"), (eve, base + "2/0_0.jpg"), (nobody, base + "2/0_0.jpg"),
        (anna, base + "3/0_0.jpg"), (anna, base + "2/3_0.jpg"), (anna, base + "2/0_2.jpg"), (anna, base + "x"),
        (anna, base.replace(str(case.pk), str(uuid4())) + "2/0_0.jpg"),
    ):  # fmt: skip
        assert plane.get(client, path) == missing and missing[0] == 404, path


def test_a_slide_of_another_case_is_not_reached_through_ones_own(cast, as_, tmp_path, plane):
    theirs = factories.draft(cast, patient=cast.eve)
    slide, _picture = slide_in(theirs, tmp_path)
    own = factories.draft(cast)
    assert plane.get(as_(cast.eve), f"/data/cases/{theirs.pk}/slides/{slide.file_id}/info.json")[0] == 200
    assert plane.get(as_(cast.anna), f"/data/cases/{own.pk}/slides/{slide.file_id}/info.json")[0] == 404
    assert LIFE_READY <= 60


def test_a_removed_slide_is_gone(cast, as_, tmp_path, plane):
    case = factories.draft(cast)
    slide, _picture = slide_in(case, tmp_path)
    actions.remove(slide.file.record, by=cast.anna.by)
    assert plane.get(as_(cast.eve), f"/data/cases/{case.pk}/slides/{slide.file_id}/2/0_0.jpg")[0] == 404
    assert as_(cast.eve).get(page_of(slide)).status_code == 404


def test_the_page_zooms_by_links_without_javascript(cast, as_, tmp_path):
    case = factories.draft(cast)
    slide, _picture = slide_in(case, tmp_path)
    client = as_(cast.anna)
    html = client.get(page_of(slide)).content.decode()
    assert "Not for primary diagnosis" in html and "0.499" in html and "DOE" not in html
    seen = []
    while found := re.search(r'<a href="([^"]*\?z=(\d)[^"]*)" aria-label="Zoom in', html):
        seen.append(found[2])
        html = client.get(found[1].replace("&amp;", "&")).content.decode()
    assert seen == ["1", "2"] and "This is the highest magnification." in html
    assert html.count("/2/") == 4 and "Zoom out" in html
    assert as_(cast.eve).get(page_of(slide)).status_code == 404
    wrong = page_of(slide).replace(str(slide.file_id), str(uuid4()))
    assert client.get(wrong).status_code == 404


def test_progress_is_shown_and_odd_numbers_do_no_harm(cast, as_, tmp_path):
    case = factories.draft(cast)
    slide, _picture = slide_in(case, tmp_path, prepare=False)
    client = as_(cast.anna)
    assert "0 % prepared" in client.get(page_of(slide)).content.decode()
    Slide.objects.update(done=37, total=100, status="working")
    assert "37 % prepared" in client.get(page_of(slide)).content.decode()
    slides.prepare.call(str(slide.pk))
    for query in ("?z=99&x=-1&y=a", "?z=&x=9999999999999&y=²", "?z=1e9"):
        assert client.get(page_of(slide) + query).status_code == 200
    Slide.objects.update(status="failed")
    assert "cannot be shown" in client.get(page_of(slide)).content.decode()


def test_the_record_page_leads_to_the_zoom(cast, as_, tmp_path):
    case = factories.draft(cast)
    slide, _picture = slide_in(case, tmp_path)
    html = as_(cast.anna).get(f"/cases/{case.pk}/records/{slide.file.record_id}/").content.decode()
    assert page_of(slide) in html and f"/data/files/{slide.file_id}/page/0" in html


def test_a_marked_region_becomes_a_sharp_picture_in_the_report(cast, as_, tmp_path):
    case = factories.case_in("in_review", cast)
    slide, _picture = slide_in(case, tmp_path)
    client = as_(cast.chen)
    client.post(reverse("reveal", args=[case.pk]))
    address = reverse("opinion", args=[case.pk, "findings"])
    html = client.get(f"{address}?record={slide.file.record_id}").content.decode()
    assert "data-slide" in html and 'data-select-form="finding"' in html and "slide.js" in html
    region = {"x": "0.4", "y": "0.4", "w": "0.2", "h": "0.2"}
    sent = {"text": "Dense infiltrate", "significance": "", "record": str(slide.file.record_id), "page": "1"} | region
    assert client.post(f"{address}?record={slide.file.record_id}", sent).status_code == 302
    finding = opinions.Finding.objects.get()
    assert finding.text == "Dense infiltrate"
    assert finding.anchor == {
        "file": str(slide.file_id), "kind": "slide", "index": 0, "x": 0.4, "y": 0.4, "w": 0.2, "h": 0.2,
    }  # fmt: skip
    said = anchors.paper_finding(finding, thumbnails=True).anchor
    assert said.place == "x 0.28 mm, y 0.18 mm, 0.140 × 0.090 mm"
    shown = Image.open(io.BytesIO(said.thumbnail))
    assert abs(shown.width / shown.height - WIDTH / HEIGHT) < 0.02 and shown.width >= 400
    # the middle of the region is the middle of the slide: where the dark cross is
    assert np.asarray(shown.convert("L"))[shown.height // 2, shown.width // 2] < 60
    html = client.get(f"{address}?record={slide.file.record_id}").content.decode()
    assert 'data-x="0.4"' in html


def test_the_anchor_survives_a_better_resolution_that_comes_later(cast, tmp_path):
    case = factories.draft(cast)
    slide, _picture = slide_in(case, tmp_path)
    assert slide_tiles.of_file(slide.file_id).pk == slide.pk
    assert slide_tiles.of_file(uuid4()) is None
