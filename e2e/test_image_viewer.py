"""The image viewer in a browser, under the policy that ships: every codec decodes, and nothing leaves the site."""

import base64
import io
import re
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Locator, Page, Request, expect

from consilium.web.imaging_viewer import present
from e2e import every_syntax
from e2e import house as served
from e2e.tour.checks import AXE, WIDE

house, enter = served.house, served.enter
pytestmark = [
    pytest.mark.browser,
    pytest.mark.server,
    pytest.mark.skipif(present.installed() is None, reason="The image viewer is not installed on this machine."),
    pytest.mark.skipif(not every_syntax.available(), reason="The sample images are not on this machine."),
]
NAMES = [*every_syntax.TWINS, *every_syntax.OTHERS, *every_syntax.ENCODED]
PATIENCE = 60_000  # two slow cores decode fourteen pictures and draw in software


def test_every_syntax_is_seen_and_nothing_leaves_the_site(enter, house):
    page = enter("anna")
    requests: list[Request] = []
    page.context.on("request", lambda request: requests.append(request))  # noqa: PLW0108 - not a built-in
    record = f"/cases/{house['syntaxes']}/records/{house['syntaxes images']}/"
    page.goto(record)
    page.get_by_role("link", name="Open in the image viewer").click()
    expect(page.get_by_text("Not for primary diagnosis")).to_be_visible()
    pictures = {name: picture_of(thumbnail(page, name)) for name in NAMES}
    assert [name for name, picture in pictures.items() if is_blank(picture)] == []
    first = pictures[every_syntax.ALIKE[0]]
    assert [name for name in every_syntax.ALIKE if difference(pictures[name], first) > 3] == []
    assert "StudyInstanceUIDs" not in page.url, "the address of a study stays in the browser's history"
    assert urlsplit(page.url).path == f"{record}viewer/"
    for name in ("JPEG 2000 lossless", "JPEG-LS lossless", "HTJ2K"):  # those that need a worker's permission
        thumbnail(page, name).dblclick()
        expect(page.locator("#root canvas").first).to_be_visible()
        expect(page.locator("[data-cy=viewport-pane]").first).to_contain_text(name, timeout=PATIENCE)
        assert not is_blank(Image.open(io.BytesIO(page.locator("#root canvas").first.screenshot()))), name
    watched = [request for request in requests if urlsplit(request.url).scheme not in ("data", "blob")]
    assert len([one for one in watched if "/frames/" in one.url]) >= len(NAMES)
    assert [one.url for one in watched if urlsplit(one.url).netloc != urlsplit(house.url).netloc] == []
    images = [one for one in watched if "/dicomweb/" in one.url]
    referrers = {urlsplit(one.headers.get("referer", "")).path for one in images}
    assert [path for path in referrers if path and not path.startswith("/static/viewer/")] == [], (
        "more than a worker's file"
    )
    assert [one.url for one in images if "SAMPLE" in one.url] == [], "the patient's number went into an address"
    found = Axe().run(page, context={"exclude": [["#root"]]}, options=AXE).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found] == []
    page.set_viewport_size({"width": 360, "height": 780})
    expect(page.get_by_role("link", name="Use the simple viewer")).to_be_visible()
    assert page.evaluate(WIDE) <= 0


def thumbnail(page: Page, name: str) -> Locator:
    """The picture of a series in the list."""
    item = page.locator("[data-cy=study-browser-thumbnail]").filter(has=page.get_by_text(name, exact=True))
    picture = item.locator("img").first
    expect(picture).to_have_attribute("src", re.compile("^(data|blob):"), timeout=PATIENCE)
    return picture


def picture_of(image: Locator) -> Image.Image:
    """What the viewer decoded, as the browser holds it."""
    data = image.evaluate("""async e => {
      await e.decode();
      const c = new OffscreenCanvas(64, 64);
      c.getContext('2d').drawImage(e, 0, 0, 64, 64);
      const b = new Uint8Array(await (await c.convertToBlob()).arrayBuffer());
      return btoa(String.fromCharCode(...b));
    }""")
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("L")


def is_blank(picture: Image.Image) -> bool:
    """Black, or one colour all over."""
    return ImageStat.Stat(picture.convert("L")).stddev[0] < 4


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference in grey levels (of 255)."""
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0]
