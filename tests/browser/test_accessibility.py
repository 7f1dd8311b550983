"""Every page as axe-core sees it, in both themes; the same load shows that nothing jumps and no table is cut."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import axe_playwright_python
import pytest
from playwright.sync_api import Browser

from pages.kit.navigation import PAGES
from tests.browser.conftest import PHONE, Server, running_server, visit

AXE: Final = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
DESK: Final = (1440, 900)
SHIFT_MAX: Final = 0.1
# Beside other tests a server may pause in the middle of a page; what the page itself does, it does on every load.
LOADS: Final = 3
SERIOUS: Final = ("serious", "critical")
# Adds up the layout shifts from the first paint on (web.dev/articles/cls).
SHIFTS: Final = """() => { window.shifted = 0; new PerformanceObserver(list => { for (const one of list.getEntries())
    if (!one.hadRecentInput) window.shifted += one.value; }).observe({ type: 'layout-shift', buffered: true }); }"""
CUT: Final = (
    "[...document.querySelectorAll('.dvn-scroller')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
)
# Axe takes no style from a canvas, and each node of a finding has its first reason.
FINDINGS: Final = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations.map(one => ({
    id: one.id, impact: one.impact, nodes: one.nodes.map(node => node.html.slice(0, 120)) }))"""


@pytest.fixture(scope="module")
def small(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a small market and its live model."""
    home = Path(shutil.copytree(small_home, tmp_path_factory.mktemp("accessible") / "home"))
    with running_server(home) as running:
        yield running


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", [page.path for page in PAGES], ids=lambda path: path or "home")
def test_a_page_has_no_serious_finding_and_does_not_jump(
    chromium: Browser, small: Server, path: str, dark: bool
) -> None:
    with visit(chromium, small, DESK, dark) as opened:
        opened.page.add_init_script(f"({SHIFTS})()")
        page = opened.open(path, role="Manager")
        shifts = [page.evaluate("window.shifted")]
        while shifts[-1] >= SHIFT_MAX and len(shifts) < LOADS:
            shifts.append(opened.open(path, role="Manager").evaluate("window.shifted"))
        page.evaluate(AXE)
        found: list[dict[str, Any]] = page.evaluate(FINDINGS)
        assert [one for one in found if one["impact"] in SERIOUS] == []
        assert "heading-order" not in [one["id"] for one in found]
        assert min(shifts) < SHIFT_MAX
        assert page.evaluate(CUT) == 0, "a table is cut"


def test_axe_finds_what_is_wrong(chromium: Browser, small: Server) -> None:
    with visit(chromium, small, DESK) as opened:
        page = opened.open("models", role="Manager")
        page.evaluate("document.querySelector('h1').style.color = '#ddd'")
        page.evaluate(AXE)
        assert "color-contrast" in [one["id"] for one in page.evaluate(FINDINGS)]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_page_an_agent_prices_on_keeps_its_place_as_it_loads(
    chromium: Browser, small: Server, size: tuple[int, int]
) -> None:
    with visit(chromium, small, size, dark=True) as opened:
        opened.page.add_init_script(f"({SHIFTS})()")
        shifts = [opened.open("pricing", role="Agent").evaluate("window.shifted")]
        while shifts[-1] >= SHIFT_MAX and len(shifts) < LOADS:
            shifts.append(opened.open("pricing", role="Agent").evaluate("window.shifted"))
        assert min(shifts) < SHIFT_MAX
