"""Many homes at once as an agent sees them at a desk: no column is cut, and a click on a home says what to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.store import open_store
from tests.browser.conftest import PHONE, Server, running_server, visit
from tests.browser.layout import DESK, cut_tables


@pytest.fixture(scope="module")
def small(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = Path(shutil.copytree(small_home, tmp_path_factory.mktemp("doorstep") / "home"))
    with running_server(home) as running:
        yield running


def test_no_column_is_cut_and_a_home_of_the_list_leads_to_the_form(chromium: Browser, small: Server) -> None:
    with open_store(small.home) as store:
        [market] = store.markets.list()
        version = store.versions.latest(market.market_id)
        assert version is not None
        area = str(store.versions.load(version.version_id)["zipcode"].mode()[0])
    homes = [
        f"A-1001,1204 Long Boulevard Northwest,{area},9000,4,2,1600,1900000",
        f"A-1002,5 Oak St,{area},1680,3,2,1985,36000",
    ]
    table = "\n".join(["Ref,address,zipcode,living area,bedrooms,bathrooms,year built,asking price", *homes])
    with visit(chromium, small, DESK) as opened:
        page = opened.open("pricing", role="Agent")
        page.get_by_role("tab", name="Many at once").click()
        opened.settle()
        page.locator("input[type=file]").set_input_files(
            {"name": "list.csv", "mimeType": "text/csv", "buffer": table.encode()}
        )
        opened.settle()
        page.get_by_role("button", name="Price the file").click()
        opened.settle()
        grid = page.get_by_test_id("stDataFrame")
        expect(grid).to_be_visible()
        assert cut_tables(page) == []
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        opened.settle()
        expect(grid).to_be_hidden()
        card = page.locator(".st-key-home_cards").get_by_role("button", name="A-1002, 5 Oak St")
        expect(card).to_contain_text("a digit may be wrong")
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        opened.settle()
        expect(card).to_be_hidden()
        box = grid.bounding_box()
        assert box is not None
        # The first home's address: the asking price that is farthest off comes first.
        page.mouse.click(box["x"] + 200, box["y"] + 55)
        opened.settle()
        row = page.locator(".st-key-opened_row")
        expect(row).to_contain_text("A-1002, 5 Oak St")
        expect(row.get_by_role("listitem")).to_contain_text(["Check the asking price: a digit may be wrong."])
        row.get_by_role("button", name="Open it in the form").click()
        opened.settle()
        expect(page.get_by_label("Living area (sq ft) *")).to_have_value("1,680")
        expect(page.get_by_text("What was asked is in the form.")).to_be_visible()
        assert opened.complaints == []
