"""Real foreign markets in the browser, by mapping alone: other currency, square metres, other headers, other codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, TimeoutError, expect

from core.store import open_store
from tests.browser.conftest import DESKTOP, WORK_MS, Server, Visit, running_server, visit
from tests.browser.extracts import every_nth_line
from tests.browser.layout import cut_figures

KEPT = 2_259


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("foreign")) as server:
        yield server


def pick(opened: Visit, label: str, option: str) -> None:
    """Choose an option by typing its beginning, as one does in a long list, where it is not yet chosen."""
    box = opened.page.get_by_role("combobox", name=label)
    if box.input_value() != option:
        found = opened.page.get_by_role("option", name=option, exact=True)
        box.fill(option)
        with suppress(TimeoutError):
            found.click(timeout=5_000)
        if found.count() or box.get_attribute("aria-expanded") == "true" or box.input_value() != option:
            # A page drawn anew meanwhile closes the list.
            opened.settle()
            box.fill("")
            box.fill(option)
            found.click()
        opened.settle()


def take_in(opened: Visit, path: Path, name: str, currency: str, rows: int, kept: int) -> None:
    """Bring a file of a market in square metres from the upload to the commit, as guessed."""
    page = opened.open("sales_data", role="Manager")
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text(f"{rows:,} rows")).to_be_visible(timeout=WORK_MS)
    opened.settle(WORK_MS)
    page.get_by_label("Name of the market").fill(name)
    page.get_by_label("Name of the market").press("Enter")
    opened.settle()
    pick(opened, "Currency of its prices", currency)
    pick(opened, "Areas shown in", "Square meters")
    opened.press("Continue to columns")
    opened.press("Check every row")
    assert cut_figures(page) == []
    opened.shot(f"{name}-check")
    opened.press("Continue to preview")
    opened.press("Continue to commit")
    opened.press(r"Commit [\d,]+ new sales")
    expect(page.get_by_text("Committed:")).to_be_visible(timeout=WORK_MS)
    expect(page.get_by_text(f"{kept:,}").first).to_be_visible()
    opened.settle()


def assert_accounted(server: Server, rows: int, kept: int) -> None:
    with open_store(server.home) as store:
        [market] = store.markets.list()
        version = store.versions.latest(market.market_id)
        assert version is not None
        [file] = version.files
        assert file.rows_in == file.accepted + file.repaired + file.duplicate + file.rejected + file.set_aside == rows
        assert file.accepted + file.repaired == version.rows == kept


def test_melbourne_goes_from_its_file_to_a_priced_home(
    chromium: Browser, empty: Server, sales_data: Path, tmp_path: Path
) -> None:
    extract = every_nth_line(sales_data / "melbourne" / "melbourne_housing_full.csv.gz", tmp_path, 12)
    with visit(chromium, empty, DESKTOP) as opened:
        page = opened.page
        take_in(opened, extract, "Melbourne", "AUD", 2_905, KEPT)
        assert_accounted(empty, 2_905, KEPT)
        page.get_by_role("button", name="Train a model").click()
        page.wait_for_url(lambda url: urlsplit(url).path == "/models")
        opened.settle()
        # The quickest family: how well each prices these markets is measured elsewhere.
        for family in ("Linear baseline", "Random forest", "Gradient boosting", "Blended boosting"):
            page.get_by_role("button", name=family).click()
            opened.settle()
        page.get_by_role("button", name="Train", exact=True).click()
        expect(page.get_by_text("is trained and tested")).to_be_visible(timeout=WORK_MS)
        page.get_by_test_id("stSidebarNavLink").filter(has_text="Price a home").click()
        opened.settle()
        page.get_by_role("combobox", name="Postcode").fill("3056")
        page.get_by_role("option", name="3056", exact=True).first.click()
        opened.settle()
        # With less known the quickest family's range is wider than ±60%, which is no price.
        page.get_by_text("More facts").click()
        opened.settle()
        for label, value in ((r"Living area \(m²\)", "120"), ("Bedrooms", "3"), ("Bathrooms", "1")):
            page.get_by_label(re.compile(label)).first.fill(value)
            page.keyboard.press("Tab")
            opened.settle()
        pick(opened, "Property type", "Townhouse")
        page.get_by_role("button", name="Price this home").click()
        opened.settle()
        expect(page.get_by_role("heading", name=re.compile(r"A\$[\d.]+[KM] to A\$[\d.]+[KM]"))).to_be_visible()
        opened.shot("Melbourne-priced")
        assert opened.complaints == []


def test_seven_years_of_singapore_go_in_by_mapping_alone(
    chromium: Browser, empty: Server, sales_data: Path, tmp_path: Path
) -> None:
    extract = every_nth_line(sales_data / "singapore" / "hdb_resale_2017_2023.csv.gz", tmp_path, 120)
    with visit(chromium, empty, DESKTOP) as opened:
        take_in(opened, extract, "Singapore", "SGD", 1_410, 1_410)
        assert_accounted(empty, 1_410, 1_410)
        assert opened.complaints == []
