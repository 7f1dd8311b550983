"""How long an agent waits: from the press of the button to the new range on screen, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from core.store import Store
from tests.browser.conftest import CHROMIUM, DESKTOP, PHONE, QUIET, Visit, running_server, visit

_WARM = 5


def answer_times(store: Store, repeats: int) -> dict[str, list[float]]:
    """Return milliseconds from the press of “Price this home” to another range, by size of the screen."""
    [market] = store.markets.list()
    version = store.versions.latest(market.market_id)
    assert version is not None
    zipcode = str(store.versions.load(version.version_id)["zipcode"].mode()[0])
    store.close()
    times: dict[str, list[float]] = {}
    with running_server(Path(store.home)) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        for name, size in (("desk", DESKTOP), ("phone", PHONE)):
            with visit(browser, server, size) as opened:
                times[name] = _press(opened, zipcode, repeats)
        browser.close()
    return times


def _press(opened: Visit, zipcode: str, repeats: int) -> list[float]:
    page = opened.open("pricing", role="Agent")
    page.get_by_role("combobox", name="Zipcode").fill(zipcode)
    page.get_by_role("option", name=zipcode).click()
    opened.settle()
    found = []
    for turn in range(repeats + _WARM):
        area = page.get_by_label("Living area (sq ft) *")
        if not area.is_visible():  # a phone puts the facts away once there is a range
            page.locator(".st-key-edit_home button").click()
            opened.settle()
        # Far enough apart that no two turns give the same range.
        area.fill(str(1_000 + 1_500 * (turn % 2) + 10 * turn))
        area.press("Tab")
        page.wait_for_timeout(400)
        found.append(_until_another_range(page))
        opened.settle()
    return found[_WARM:]


# Timed in the browser, from the event of the press to the frame after the heading has changed: what drives the browser
# takes its own time to aim at the button.
_WATCH = """() => {
  const shown = () => document.querySelector('.st-key-price_range h2')?.innerText ?? '';
  const before = shown();
  window.answered = new Promise(resolve => addEventListener('pointerdown', () => {
    const pressed = performance.now();
    const look = () => shown() && shown() !== before
      ? resolve(performance.now() - pressed)
      : requestAnimationFrame(look);
    look();
  }, {capture: true, once: true}));
}"""


def _until_another_range(page: Page) -> float:
    page.evaluate(_WATCH)
    page.get_by_role("button", name="Price this home").click()
    return float(page.evaluate("() => window.answered"))
