"""At 200 % nothing is lost: the page enlarged (half the width in CSS pixels), and the text alone enlarged."""

import pytest

from e2e import house as served
from e2e.look import CULPRITS

house, enter = served.house, served.enter
pytestmark = [pytest.mark.browser, pytest.mark.server]
PAGES = {
    "front page": ("", "/"),
    "sign in": ("", "/account/sign-in/"),
    "a question": ("anna", "/cases/{autosave}/prepare/goals/"),
    "records": ("anna", "/cases/{leaving}/send/"),
    "tracker": ("anna", "/cases/{delivered}/"),
    "report": ("anna", "/cases/{delivered}/report/"),
    "desk": ("dora", "/desk/cases/{delivered}/"),
    "writing": ("chen", "/specialist/cases/{review}/opinion/findings/?record={review disc}"),
    "images": ("anna", "/cases/{review}/records/{review disc}/"),
}
# Buttons and links that look like buttons whose middle is covered by something else, or whose words do not fit.
HIDDEN = """() => [...document.querySelectorAll('main .button, main button, main input, main textarea, main select')]
  .filter(e => e.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}) && !e.closest('.visually-hidden'))
  .filter(e => {
    e.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
    const box = e.getBoundingClientRect();
    const there = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    const labels = [...(e.labels ?? [])];
    const mine = there && (e.contains(there) || there.contains(e) || labels.some(l => l.contains(there)));
    const cut = e.matches('.button') && e.scrollWidth > e.clientWidth + 1;
    return !mine || cut;
  }).map(e => e.outerHTML.slice(0, 160))"""
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("way", ["page", "text"])
def test_nothing_is_lost(way, enter, house):
    size = {"width": 683, "height": 450} if way == "page" else {"width": 1366, "height": 900}
    tabs, problems = {}, []
    for name, (who, address) in PAGES.items():
        page = tabs[who] = tabs.get(who) or enter(who, viewport=size, device_scale_factor=2 if way == "page" else 1)
        page.goto(address.format_map(house.known))
        if way == "text":
            page.evaluate("document.documentElement.style.fontSize = '200%'")
        if (over := page.evaluate(WIDE)) > 0:
            problems.append(f"{name}: {over} px too wide: {page.evaluate(CULPRITS)}")
        problems += [f"{name}: covered or cut: {what}" for what in page.evaluate(HIDDEN)]
    assert not problems, "\n" + "\n".join(problems)
