"""A manager in the browser: finds the worst cells, opens their misses, signs the scope and takes the card along."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import DESKTOP, Server, Visit, running_server, visit
from tests.browser.layout import DESK, fits

VIEWS = {
    "Verdict and signature": ("Verdict", "Signature", "Agents’ decisions"),
    "Where it fails": ("Segments", "Hard cases", "Bias"),
    "Can ranges be trusted": (),
    "Under the hood": ("Candidates", "Importance", "Ratio study"),
}


@pytest.fixture(scope="module")
def small(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a small market and its live model."""
    home = Path(shutil.copytree(small_home, tmp_path_factory.mktemp("evaluation") / "home"))
    with running_server(home) as running:
        yield running


def test_from_the_worst_cell_to_the_signed_scope(chromium: Browser, small: Server, tmp_path: Path) -> None:
    with visit(chromium, small, DESKTOP) as opened:
        page = opened.open("evaluation", role="Manager")
        expect(page.get_by_text("Is it good enough?")).to_be_visible()
        fails = "Where it fails"
        page.get_by_role("button", name=fails).or_(page.get_by_role("radio", name=fails)).click()
        opened.settle()
        expect(page.get_by_text("Worst:")).to_be_visible()
        opened.choose("Cross with", "Confidence")
        chart = page.get_by_test_id("stPlotlyChart").first
        chart.scroll_into_view_if_needed()
        # A mark over a cell cannot be seen; it takes the click all the same.
        mark = chart.locator(".scatterlayer .point").first.bounding_box()
        assert mark is not None
        page.mouse.click(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
        expect(page.get_by_text("worst misses first; an error above 0")).to_be_visible()
        opened.settle()
        assert "segment=" in page.url
        opened.shot("evaluation-segments")
        explain_first_sale(opened)
        opened.shot("evaluation-miss")
        with page.expect_download() as segment:
            page.get_by_role("button", name="Download these sales as CSV").click()
        segment.value.save_as(tmp_path / "sales.csv")
        assert "Sold for" in (tmp_path / "sales.csv").read_text(encoding="utf-8-sig").splitlines()[0]
        page = opened.open(
            "evaluation", role="Manager", view="Verdict and signature", verdict_and_signature="Signature"
        )
        page.get_by_label("Note, for the record").fill("Agreed at the review")
        page.get_by_label("Note, for the record").press("Enter")
        opened.settle()
        page.get_by_role("button", name="Sign this scope").click()
        expect(page.get_by_text("The scope is signed")).to_be_visible()
        opened.settle()
        with page.expect_download() as card:
            page.get_by_role("button", name="Download the model card").click()
        card.value.save_as(tmp_path / "card.html")
        written = (tmp_path / "card.html").read_text(encoding="utf-8")
        assert "Agreed at the review" in written
        assert "<script" not in written
        with page.expect_download() as words:
            page.get_by_role("button", name="As Markdown").click()
        words.value.save_as(tmp_path / "card.md")
        written = (tmp_path / "card.md").read_text(encoding="utf-8")
        assert re.search(r"Signed: .*Agreed at the review", written)
        assert "## Ratio study" in written
        assert opened.complaints == []


def explain_first_sale(opened: Visit) -> None:
    """Tick the first line of the list of sales, and see its estimate explained."""
    page = opened.page
    sales = page.get_by_test_id("stDataFrame").last
    sales.scroll_into_view_if_needed()
    # The table is a canvas: its boxes to tick stand to the left, the first of them below the header.
    sales.click(position={"x": 18, "y": 60})
    expect(page.get_by_text("So this home is estimated at about")).to_be_visible()
    opened.settle()
    assert "sale=" in page.url
    address = page.url
    page.reload(wait_until="domcontentloaded")
    opened.settle()
    assert page.url == address
    expect(page.get_by_text("So this home is estimated at about")).to_be_visible()


def test_every_view_keeps_its_place_and_fits(chromium: Browser, small: Server) -> None:
    with visit(chromium, small, DESK, dark=True) as opened:
        for view, parts in VIEWS.items():
            for part in parts or ("",):
                chosen = {view.lower().replace(" ", "_"): part} if part else {}
                fits(opened, "evaluation", role="Manager", view=view, **chosen)
        assert opened.complaints == []
