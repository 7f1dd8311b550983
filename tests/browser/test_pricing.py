"""Pricing as an agent does it, at a desk and on a phone: typed, answered, refused, and nothing off the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from core.problem import Problem
from core.store import open_store
from tests.browser.conftest import DESKTOP, PHONE, Server, Visit, running_server, visit
from tests.small_market import build_small_market

RANGE = re.compile(r"^\$[\d.]+[KM] to \$[\d.]+[KM]$")
HELD = re.compile(r"80% range; held \d+% of [\d,]+ similar test sales")


@pytest.fixture(scope="module")
def small_market(tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Iterator[Server]:
    """A server whose store holds a small simulated market with a live model."""
    home = tmp_path_factory.mktemp("doorstep") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        build_small_market(home, tmp_path_factory.mktemp("files"), problem)
    with running_server(home) as running:
        yield running


@pytest.fixture(scope="module")
def zipcode(small_market: Server) -> str:
    with open_store(small_market.home, f"sqlite:///{small_market.home / 'doorstep.sqlite'}") as store:
        [market] = store.markets.list()
        version = store.versions.latest(market.market_id)
        assert version is not None
        return str(store.versions.load(version.version_id)["zipcode"].mode()[0])


def enter(opened: Visit, zipcode: str, area: str, bedrooms: str) -> Page:
    page = opened.page
    page.get_by_role("combobox", name="Zipcode").fill(zipcode)
    page.get_by_role("option", name=zipcode).click()
    opened.settle()
    page.get_by_label("Living area (sq ft) *").fill(area)
    page.get_by_label("Bedrooms", exact=True).fill(bedrooms)
    page.get_by_role("button", name="Price this home").click()
    return opened.settle()


def off_screen(page: Page) -> int:
    """Pixels by which anything is wider than the screen."""
    return int(
        page.evaluate(
            "Math.max(document.scrollingElement.scrollWidth - innerWidth,"
            " ...[...document.querySelectorAll('[data-testid=stMain], [data-testid=stMainBlockContainer]')]"
            ".map(box => box.scrollWidth - box.clientWidth))"
        )
    )


def test_a_home_is_priced_at_a_desk(chromium: Browser, small_market: Server, zipcode: str) -> None:
    with visit(chromium, small_market, DESKTOP) as opened:
        opened.open("pricing", role="Agent")
        page = enter(opened, zipcode, "1680", "3")
        # The button at the form's end was pressed, and the range stays in view beside it.
        expect(page.get_by_role("heading", name=RANGE)).to_be_in_viewport()
        expect(page.get_by_text(HELD)).to_be_in_viewport()
        expect(page.get_by_text("Assumed, because not given:")).to_be_visible()
        expect(page.get_by_label("Living area (sq ft) *")).to_have_value("1680")
        opened.shot("pricing-desktop")
        assert off_screen(page) <= 0
        assert opened.complaints == []


def test_a_home_is_priced_on_a_phone(chromium: Browser, small_market: Server, zipcode: str) -> None:
    with visit(chromium, small_market, PHONE, dark=True) as opened:
        opened.open("pricing", role="Agent")
        page = enter(opened, zipcode, "1680", "3")
        heading = page.get_by_role("heading", name=RANGE)
        glance = page.get_by_text(re.compile(r"80% range · Details"))
        expect(glance).to_be_in_viewport()
        assert (heading.inner_text()).strip() in glance.inner_text()
        page.get_by_role("link", name="Details").click()
        expect(heading).to_be_in_viewport(ratio=1)
        opened.shot("pricing-phone")
        assert off_screen(page) <= 0
        assert opened.complaints == []


def test_what_was_typed_survives_a_refusal_and_a_look_at_another_page(
    chromium: Browser, small_market: Server, zipcode: str
) -> None:
    with visit(chromium, small_market, DESKTOP) as opened:
        opened.open("pricing", role="Agent")
        page = enter(opened, zipcode, "1680", "1000")
        expect(page.get_by_text("Bedrooms = 1,000 is impossible")).to_be_in_viewport()
        expect(page.get_by_label("Bedrooms", exact=True)).to_have_value("1000")
        page.get_by_role("link", name="Home", exact=True).click()
        opened.settle()
        page.get_by_test_id("stSidebarNavLink").filter(has_text="Price a home").click()
        opened.settle()
        expect(page.get_by_label("Bedrooms", exact=True)).to_have_value("1000")
        expect(page.get_by_label("Living area (sq ft) *")).to_have_value("1680")
        assert opened.complaints == []


def test_choosing_another_area_keeps_what_is_typed_but_not_yet_sent(
    chromium: Browser, small_market: Server, zipcode: str
) -> None:
    with visit(chromium, small_market, DESKTOP) as opened:
        page = opened.open("pricing", role="Agent")
        page.get_by_label("Living area (sq ft) *").fill("2345")
        page.get_by_role("combobox", name="Zipcode").fill(zipcode)
        page.get_by_role("option", name=zipcode).click()
        opened.settle()
        expect(page.get_by_label("Living area (sq ft) *")).to_have_value("2345")


def test_an_unknown_zipcode_can_be_typed_and_is_answered_with_advice(chromium: Browser, small_market: Server) -> None:
    with visit(chromium, small_market, DESKTOP) as opened:
        opened.open("pricing", role="Agent")
        page = enter(opened, "99999", "1680", "3")
        expect(
            page.get_by_text("Price estimate unavailable. Use comparative market analysis instead.", exact=True)
        ).to_be_in_viewport()
        expect(page.get_by_text("The model knows no sale in zipcode 99999.")).to_be_visible()
        expect(page.get_by_role("heading", name=RANGE)).to_have_count(0)


def test_the_area_is_part_of_the_address(chromium: Browser, small_market: Server, zipcode: str) -> None:
    with visit(chromium, small_market, DESKTOP) as opened:
        page = opened.open("pricing", **{"role": "Agent", "zipcode-larkhaven": zipcode})
        expect(page.get_by_role("combobox", name="Zipcode")).to_have_value(zipcode)
