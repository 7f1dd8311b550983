"""A first start as a visitor lives it: an empty store, the demo city's progress, and the page that prices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from core.store import open_store
from pages.views.home.first_start import SALES_VARIABLE
from tests.browser.conftest import DESKTOP, PHONE, WORK_MS, Server, running_server, visit


@pytest.fixture(scope="module")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an empty store, whose demo city is as small as it can be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SALES_VARIABLE, "1000")
        with running_server(tmp_path_factory.mktemp("first") / "home") as running:
            yield running


def test_a_phone_shows_both_doors_one_above_the_other(chromium: Browser, small_demo: Server) -> None:
    with visit(chromium, small_demo, PHONE) as opened:
        page = opened.open()
        doors = [page.get_by_role("button", name=name) for name in ("Upload your own sales", "Open the demo city")]
        for door in doors:
            expect(door).to_be_visible()
        boxes = [door.bounding_box() for door in doors]
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert boxes[0]["y"] + boxes[0]["height"] < boxes[1]["y"]
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        opened.shot("first-start-phone")


def test_the_demo_city_opens_with_progress_that_outlives_a_reload_and_ends_on_the_pricing_page(
    chromium: Browser, small_demo: Server
) -> None:
    with visit(chromium, small_demo, DESKTOP) as opened:
        # Without a role in the address: one click is enough, and it takes the role that it needs.
        page = opened.open()
        opened.shot("first-start")
        page.get_by_role("button", name="Open the demo city").click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page.get_by_role("button", name="Cancel")).to_be_visible()
        page.reload()
        expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page.get_by_text("so far")).to_be_visible()
        opened.shot("first-start-progress")
        page.wait_for_url(lambda url: urlsplit(url).path == "/pricing", timeout=WORK_MS)
        opened.settle()
        expect(page.get_by_role("heading", name="Price a home").first).to_be_visible()
        # One home is priced already, and a tour in three lines can be closed for good.
        expect(page.get_by_role("heading", name=re.compile(r"^\$[\d.]+[KM] to \$[\d.]+[KM]$"))).to_be_visible()
        tour = page.locator(".st-key-tour")
        expect(tour.get_by_role("listitem")).to_have_count(3)
        opened.shot("first-start-tour")
        tour.get_by_role("button", name="Close the tour").click()
        opened.settle()
        expect(tour).to_have_count(0)
        page.get_by_role("link", name="Estimates", exact=True).click()
        opened.settle()
        page.get_by_test_id("stSidebarNavLink").filter(has_text="Price a home").click()
        opened.settle()
        expect(tour).to_have_count(0)
        simulated = page.get_by_test_id("stSidebar").get_by_text(re.compile("Simulated$")).first
        expect(simulated).to_be_visible()
        page = opened.open(role="Manager")
        expect(page.get_by_text("Error on test sales").or_(page.get_by_text("Error in use"))).to_be_visible()
        page.get_by_text("How it is made").click()
        expect(page.get_by_text("7 · Monitoring")).to_be_visible()
        opened.shot("home")
    with open_store(small_demo.home) as store:
        [market] = store.markets.list()
        assert market.simulated
        assert store.models.champion(market.market_id) is not None
