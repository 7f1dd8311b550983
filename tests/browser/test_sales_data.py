"""An analyst's own sales in the browser: a real file uploaded, checked and committed, and a model trained on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from core.demo.files import demo_files
from core.store import open_store
from tests.browser.conftest import DESKTOP, PHONE, WORK_MS, Server, Visit, running_server, visit

ROWS = 1_200


@pytest.fixture
def extract(sales_data: Path, tmp_path: Path) -> Path:
    """The first rows of a real file, as an analyst has it."""
    lines = (sales_data / "king_county" / "kc_house_data_2014_2015.csv").read_text(encoding="utf-8").splitlines(True)
    path = tmp_path / "county_sales.csv"
    path.write_text("".join(lines[: ROWS + 1]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("desk") / "home") as running:
        yield running


@pytest.fixture
def empty(shared: Server) -> Server:
    """A server without a market, with nothing staged."""
    with open_store(shared.home) as store:
        assert not store.markets.list()
        store.drafts.forget(timedelta(0))
    return shared


def bring(opened: Visit, path: Path | list[Path]) -> Page:
    """Upload files to a new market and go on to the columns."""
    page = opened.page
    page.locator("input[type=file]").first.set_input_files(path)
    expect(page.get_by_label("Name of the market")).to_be_visible()
    opened.settle()
    page.get_by_label("Name of the market").fill("Real county")
    page.get_by_label("Name of the market").press("Enter")
    opened.settle()
    return opened.press("Continue to columns")


def count_clicks(page: Page) -> None:
    """Count from here on what a person clicks or taps."""
    page.evaluate(
        "() => { window.clicks = 0; addEventListener('click', one => { if (one.detail) window.clicks++ }, true) }"
    )


def rows_of_choices(page: Page) -> int:
    """Count the rows of pills and steps that stand above the content."""
    page.locator(".st-key-steps").first.wait_for()
    return page.locator("[data-testid=stMain] [data-testid=stButtonGroup]").count() + len(
        {round(one.bounding_box()["y"]) for one in page.locator(".st-key-steps button").all()}  # type: ignore[index]
    )


def open_cell(table: Locator, x: float, y: float) -> None:
    """Open the list of a table's cell; a table that was just drawn may miss the first double click."""
    editor = table.page.locator("#portal input")
    for _ in range(5):
        table.dblclick(position={"x": x, "y": y})
        try:
            editor.wait_for(timeout=3_000)
        except TimeoutError:
            continue
        return
    raise AssertionError("the cell's list did not open after five double clicks")


def test_a_column_is_left_out_by_picking_in_the_table_and_a_reload_keeps_it(
    chromium: Browser, empty: Server, extract: Path
) -> None:
    with visit(chromium, empty, DESKTOP) as opened:
        opened.open("sales_data", role="Analyst")
        page = bring(opened, extract)
        expect(page.get_by_text("21 columns kept, 0 left out.")).to_be_visible()
        expect(page.get_by_text("16 columns that Doorstep is sure of")).to_be_visible()
        table = page.get_by_test_id("stDataFrame").first
        table.scroll_into_view_if_needed()
        # The table is a canvas: the first row's field, right of the pinned column, is found by its place. It is the
        # date's, the first column to check.
        open_cell(table, 200, 35 + 17)
        page.keyboard.type("Leave out")
        page.keyboard.press("Enter")
        expect(page.get_by_text("20 columns kept, 1 left out.")).to_be_visible()
        # A choice draws the page twice; what the first drawing left may stand until the second ends.
        opened.settle()
        expect(page.get_by_text("Sales need a sale date")).to_be_visible()
        expect(page.get_by_role("button", name="Check every row")).to_be_disabled()
    with visit(chromium, empty, DESKTOP) as again:
        page = again.open("sales_data", role="Analyst")
        expect(page.get_by_text("20 columns kept, 1 left out.")).to_be_visible()
        again.press("1 · Files")
        expect(page.get_by_text("county_sales.csv")).to_be_visible()


def test_a_phone_shows_every_step_without_sideways_scrolling(chromium: Browser, server: Server, tmp_path: Path) -> None:
    demo = demo_files(3, 1_000)
    paths = []
    for name, content in zip(
        ("sales.csv", "tax.csv", "areas.csv"), (demo.sales, demo.tax, demo.neighbourhoods), strict=True
    ):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(content)
    with visit(chromium, server, PHONE, dark=True) as opened:
        count_clicks(opened.open("sales_data", role="Analyst"))
        page = bring(opened, paths)
        assert rows_of_choices(page) == 1
        expect(page.get_by_text("into Real county")).to_be_visible()
        expect(page.get_by_test_id("stMain").get_by_text("New market")).to_be_visible()
        opened.press("Check every row")
        expect(page.get_by_text(re.compile("Problems by cell"))).to_be_visible(timeout=WORK_MS)
        opened.settle()
        opened.shot("sales-data-check-phone")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        opened.press("Continue to preview")
        expect(page.get_by_text("The outcome of every row")).to_be_visible()
        opened.shot("sales-data-preview-phone")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        opened.press("Continue to commit")
        opened.press("Commit [0-9]+ new sales")
        expect(page.get_by_text("Committed:")).to_be_visible()
        # Beside choosing the files and naming the market, a tap for each step.
        assert page.evaluate("window.clicks") == 5
        for view in ("Data versions", "Known limits"):
            page.get_by_role("button", name=view).or_(page.get_by_role("radio", name=view)).click()
            opened.settle()
            opened.shot(f"{view.lower().replace(' ', '-')}-phone")
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert opened.complaints == []


def test_own_sales_go_from_the_file_to_a_model(chromium: Browser, empty: Server, extract: Path) -> None:
    with visit(chromium, empty, DESKTOP) as opened:
        page = opened.open("", role="Analyst")
        page.get_by_role("button", name="Upload your own sales").click()
        page.wait_for_url(lambda url: urlsplit(url).path == "/sales_data")
        opened.settle()
        page.get_by_text("Start from a template").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Sales, workbook").click()
        assert download.value.suggested_filename == "sales_template.xlsx"
        count_clicks(page)
        bring(opened, extract)
        assert rows_of_choices(page) == 1
        opened.shot("sales-data-mapping")
        opened.press("Check every row")
        expect(page.get_by_text("Columns compared with the stored sales")).to_be_visible()
        opened.shot("sales-data-check")
        opened.press("Continue to preview")
        with page.expect_download() as download:
            page.get_by_role("button", name=re.compile("Accepted")).click()
        assert len(download.value.path().read_text(encoding="utf-8-sig").splitlines()) > ROWS / 2
        opened.shot("sales-data-preview")
        opened.press("Continue to commit")
        opened.press("Commit [0-9,]+ new sales")
        expect(page.get_by_text("Committed:")).to_be_visible()
        # A click for each step, and one to download.
        assert page.evaluate("window.clicks") == 6
        opened.settle()
        page.get_by_role("button", name="Train a model").click()
        page.wait_for_url(lambda url: urlsplit(url).path == "/models")
        opened.settle()
        for family in ("Random forest", "Gradient boosting", "Blended boosting"):
            page.get_by_role("button", name=family).click()
            opened.settle()
        page.get_by_role("button", name="Train", exact=True).click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page.get_by_text("is trained and tested")).to_be_visible(timeout=WORK_MS)
        opened.settle()
        page.get_by_text("Card of a model").click()
        expect(page.get_by_text("Leaderboard")).to_be_visible()
        opened.shot("models")
        expect(page.get_by_role("button", name="Roll back")).to_have_count(0)
    with open_store(empty.home) as store:
        [market] = store.markets.list()
        version = store.versions.latest(market.market_id)
        assert version is not None
        [file] = version.files
        assert file.rows_in == ROWS
        assert file.accepted + file.repaired == version.rows
        assert store.models.champion(market.market_id) is not None
