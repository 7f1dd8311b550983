"""Every page as axe-core sees it, in both themes; its load shows that nothing jumps and no table is cut."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, expect

from pages.kit.navigation import PAGES
from tests.browser.conftest import PHONE, Server, running_server, visit
from tests.browser.layout import DESK, SHIFT_MAX, cut_tables, jump

AXE: Final = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SERIOUS: Final = ("serious", "critical")
BACKGROUNDS: Final[dict[Literal["light", "dark"], str]] = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 24, 27)"}
# Axe takes no style from a canvas, and each node of a finding has its first reason.
FINDINGS: Final = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations.map(one => ({
    id: one.id, impact: one.impact, nodes: one.nodes.map(node => node.html.slice(0, 120)) }))"""


@pytest.fixture(scope="module")
def small(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a small market and its live model."""
    home = Path(shutil.copytree(small_home, tmp_path_factory.mktemp("accessible") / "home"))
    with running_server(home) as running:
        yield running


@pytest.mark.parametrize("path", [page.path for page in PAGES], ids=lambda path: path or "home")
def test_a_page_has_no_serious_finding_and_does_not_jump(chromium: Browser, small: Server, path: str) -> None:
    with visit(chromium, small, DESK) as opened:
        page = opened.page
        for theme, background in BACKGROUNDS.items():
            page.emulate_media(color_scheme=theme)
            assert jump(opened, path, role="Manager") < SHIFT_MAX
            expect(page.get_by_test_id("stApp")).to_have_css("background-color", background)
            page.evaluate(AXE)
            found: list[dict[str, Any]] = page.evaluate(FINDINGS)
            assert [one for one in found if one["impact"] in SERIOUS] == [], theme
            assert "heading-order" not in [one["id"] for one in found]
        assert cut_tables(page) == []


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
        assert jump(opened, "pricing", role="Agent") < SHIFT_MAX
