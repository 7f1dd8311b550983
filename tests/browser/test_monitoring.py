"""A manager in the browser: from the banner to the alert, its cause and on to retraining, on a desk and a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.access import Actor, Role
from core.lifecycle.watching import watch
from core.problem import Problem
from core.store import open_store
from tests.browser.conftest import DESKTOP, PHONE, Server, running_server, visit
from tests.lifecycle.watched_market import Month, live_through

MANAGER = Actor("Max", Role.MANAGER)
VIEWS = ("Overview", "Accuracy", "Drift", "Alerts", "Scorecard", "Worker", "Audit trail")
OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="module")
def turned(small_home: Path, tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Iterator[Server]:
    """A server with a small market whose prices fell by 15 % and whose alerts are open."""
    home = Path(shutil.copytree(small_home, tmp_path_factory.mktemp("turned") / "home"))
    with open_store(home) as store:
        market = store.markets.list()[0]
        months = [Month(date(2025, month, 1), 1.0 if month < 3 else 0.85) for month in (1, 2, 3, 4)]
        live_through(store, market, *months)
        watch(store, market.market_id, date(2026, 1, 15), problem, MANAGER)
    with running_server(home) as running:
        yield running


def test_from_the_banner_to_the_cause_and_on_to_retraining(chromium: Browser, turned: Server, tmp_path: Path) -> None:
    with visit(chromium, turned, DESKTOP) as opened:
        page = opened.open("", role="Manager")
        expect(page.get_by_text("not resolved: Error too high")).to_be_visible()
        page.get_by_role("link", name="See the alerts").click()
        opened.settle()
        expect(page.get_by_text("Error against the target")).to_be_visible()
        page.get_by_role("button", name="See the cause").first.click()
        opened.settle()
        expect(page.get_by_text("Leading cause: price level.")).to_be_visible()
        assert "view=Drift" in page.url
        with page.expect_download() as cause:
            # A table's own tool bears the same words.
            page.get_by_test_id("stDownloadButton").first.get_by_role("button").click()
        cause.value.save_as(tmp_path / "cause.csv")
        assert "Price level" in (tmp_path / "cause.csv").read_text(encoding="utf-8-sig")
        page = opened.open("monitoring", role="Manager", view="Alerts")
        page.get_by_text("Take it on").first.click()
        opened.settle()
        page.get_by_label("Why, in a few words").first.fill("prices fell")
        page.get_by_label("Why, in a few words").first.press("Tab")
        page.get_by_role("button", name="Acknowledge").first.click()
        expect(page.get_by_text("deals with it: prices fell")).to_be_visible()
        opened.settle()
        page.get_by_role("link", name="Retrain now").first.click()
        opened.settle()
        expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
        assert opened.complaints == []


def test_a_phone_needs_no_sideways_scrolling(chromium: Browser, turned: Server) -> None:
    with visit(chromium, turned, PHONE, dark=True) as opened:
        page = opened.open("monitoring", role="Manager")
        for view in VIEWS:
            page.get_by_role("radio", name=view).or_(page.get_by_role("button", name=view, exact=True)).first.click()
            opened.settle()
            assert page.evaluate(OVERFLOW) <= 0, view
        assert opened.complaints == []


def test_what_is_being_typed_outlasts_the_refresh(chromium: Browser, turned: Server, problem: Problem) -> None:
    with visit(chromium, turned, DESKTOP) as opened:
        page = opened.open("monitoring", role="Manager", view="Alerts")
        page.get_by_text("Resolve it").first.click()
        field = page.get_by_label("Why it is resolved").first
        field.fill("not sent off yet")
        # Another session writes: the page finds that by itself, and runs again.
        with open_store(turned.home) as store:
            market_id = store.markets.list()[0].market_id
            store.thresholds.set(market_id, "slow", 900.0, "seen in another tab", MANAGER)
        expect(page.get_by_text("Changes (1)")).to_be_visible(timeout=60_000)
        expect(field).to_have_value("not sent off yet")
