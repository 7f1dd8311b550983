"""What every view must hold as it loads: nothing jumps, nothing is cut, and the page needs no sideways scrolling."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Page

from tests.browser.conftest import PHONE, Visit

DESK: Final = (1440, 900)
SHIFT_MAX: Final = 0.1
# Beside other tests a server may pause in the middle of a page; what the page itself does, it does on every load.
LOADS: Final = 3
# Adds up the layout shifts from the first paint on (web.dev/articles/cls).
_SHIFTS: Final = """(() => { if (window.shifted !== undefined) return; window.shifted = 0;
    new PerformanceObserver(list => { for (const one of list.getEntries())
    if (!one.hadRecentInput) window.shifted += one.value; }).observe({ type: 'layout-shift', buffered: true }); })()"""
# Counts what a hand does, over all pages of the visit; a page counts no clicks that a script makes.
# Playwright stops a press that misses its aim, at the window, and presses again: the document sees each press once.
_CLICKS: Final = """document.addEventListener('pointerdown', event => {
    if (event.isTrusted) sessionStorage.clicks = Number(sessionStorage.clicks || 0) + 1; }, true)"""
_TABLES: Final = ".dvn-scroller, [data-testid='stTable']"
_CUT: Final = f"""[...document.querySelectorAll("{_TABLES}")].flatMap(table => [table, ...table.querySelectorAll('*')])
    .filter(one => one.clientWidth && one.scrollWidth > one.clientWidth + 1)
    .filter(one => getComputedStyle(one).overflowX != 'visible')
    .map(one => one.innerText.slice(0, 60))"""
_CUT_FIGURES: Final = """[...document.querySelectorAll("[data-testid='stMetricValue'] *")]
    .filter(one => one.clientWidth && one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"""
_COVERED: Final = """(() => { const title = document.querySelector('[data-testid="stMain"] h1');
    const bar = document.querySelector('[data-testid="stHeader"]'); if (!title || !bar) return false;
    const text = document.createRange(); text.selectNodeContents(title);
    return text.getBoundingClientRect().top < bar.getBoundingClientRect().bottom; })()"""
_OVERFLOW: Final = "document.documentElement.scrollWidth - innerWidth"


def jump(opened: Visit, path: str, **query: str) -> float:
    """Open a page as often as it takes to see it keep its place; return how far it jumped at best."""
    opened.page.add_init_script(_SHIFTS)
    found = [opened.open(path, **query).evaluate("window.shifted")]
    while found[-1] >= SHIFT_MAX and len(found) < LOADS:
        found.append(opened.open(path, **query).evaluate("window.shifted"))
    return float(min(found))


def cut_tables(page: Page) -> list[str]:
    """Return how the tables begin that are wider than their place."""
    found: list[str] = page.evaluate(_CUT)
    return found


def cut_figures(page: Page) -> list[str]:
    """Return the figures of tiles that are wider than their tile, which then ends them in dots."""
    found: list[str] = page.evaluate(_CUT_FIGURES)
    return found


def covered_title(page: Page) -> bool:
    """Tell whether the bar at the top of the page covers a part of the title's letters."""
    found: bool = page.evaluate(_COVERED)
    return found


def fits(opened: Visit, path: str, **query: str) -> None:
    """Assert of a view that it keeps its place, cuts nothing, hides no title, and never scrolls sideways."""
    opened.page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    jumped = jump(opened, path, **query)
    assert jumped < SHIFT_MAX, f"{query} jumps by {jumped:.2f}"
    assert cut_tables(opened.page) == [], query
    for width, height in (DESK, PHONE):
        opened.page.set_viewport_size({"width": width, "height": height})
        opened.settle()
        assert opened.page.evaluate(_OVERFLOW) <= 0, f"{query} scrolls sideways at {width} px"
        assert cut_figures(opened.page) == [], f"{query} cuts a figure at {width} px"
        assert not covered_title(opened.page), f"the title of {path} {query} is covered at {width} px"


def count_clicks(opened: Visit) -> None:
    """Begin to count the clicks and taps of a visit."""
    opened.page.add_init_script(_CLICKS)


def clicks(opened: Visit) -> int:
    """Return how often the page was clicked or tapped since the last call."""
    found = opened.page.evaluate("Number(sessionStorage.clicks || 0)")
    opened.page.evaluate("sessionStorage.clicks = 0")
    return int(found)
