"""Files of many kinds brought to the page Sales data, one after the other: each says how it was read and what it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from core.store import open_store
from tests.browser.conftest import DESKTOP, WORK_MS, Server, Visit, visit
from tests.collect.table_files import as_xlsx

ROWS = 120
SUMMED = ("New sales", "Duplicate", "Rejected", "Set aside")


@dataclass(frozen=True)
class Kind:
    """A file as handed out, what the page says of it step by step, and what becomes of its rows."""

    name: str
    content: bytes
    files: str
    checked: str
    outcome: Mapping[str, int]


def homes(n: int = ROWS) -> pd.DataFrame:
    """Sales of homes whose prices follow no single fact exactly."""
    rows = range(n)
    return pd.DataFrame(
        {
            "Parcel": [f"P-{700 + row:05}" for row in rows],
            "Address": [f"{100 + 3 * row} Elm St" for row in rows],
            "ZipCode": [f"9810{row % 5}" for row in rows],
            "Close Date": [f"2024-{1 + row % 12:02}-{1 + row % 28:02}" for row in rows],
            "Close Price": [180 * (900 + row * 37 % 1500) + 20_000 * (row % 5) + row * 7_919 % 20_011 for row in rows],
            "Living Area": [900 + row * 37 % 1500 for row in rows],
            "Bedrooms": [2 + row % 3 for row in rows],
        }
    )


def as_csv(frame: pd.DataFrame, header: bool = True, encoding: str = "utf-8") -> bytes:
    return frame.to_csv(index=False, header=header).encode(encoding)


def workbook() -> bytes:
    frame = homes()
    return as_xlsx([[*frame], *frame.astype(str).to_numpy().tolist()], ("About", "Sold homes"))


def odata() -> bytes:
    reso = homes().rename(
        columns={"Parcel": "ListingId", "Address": "UnparsedAddress", "ZipCode": "PostalCode"}
        | {"Close Date": "CloseDate", "Close Price": "ClosePrice", "Living Area": "LivingArea"}
        | {"Bedrooms": "BedroomsTotal"}
    )
    reso["CloseDate"] += "T00:00:00Z"
    return json.dumps({"value": reso.assign(StandardStatus="Closed").to_dict("records")}).encode()


def units_by_row() -> bytes:
    frame = homes().rename(columns={"Living Area": "LivingArea"})
    metric = frame.index % 3 == 0
    frame["LivingArea"] = frame["LivingArea"].mask(metric, (frame["LivingArea"] * 0.092903).round(1))
    frame["LivingAreaUnits"] = ["Square Meters" if one else "Square Feet" for one in metric]
    return as_csv(frame)


def japanese() -> bytes:
    named = ("番号", "住所", "郵便番号", "取引年月日", "成約価格(万円)", "専有面積(㎡)", "間取り")
    frame = homes().set_axis([*named], axis=1)
    frame["成約価格(万円)"] //= 100
    frame["専有面積(㎡)"] = (frame["専有面積(㎡)"] / 10.76).round(1)
    return as_csv(frame, encoding="cp932")


def packages() -> bytes:
    frame = homes()
    package = frame.index < 10
    frame["Close Date"] = frame["Close Date"].mask(package, "2024-05-02")
    frame["Close Price"] = frame["Close Price"].mask(package, 9_500_000)
    frame["Type of sale"] = ["Foreclosure" if 10 <= row < 16 else "Arm's length" for row in frame.index]
    return as_csv(frame)


def land_registry() -> bytes:
    """Sales in the layout of HM Land Registry, which has no header line; four of them are of other property."""
    frame, rows = homes(), range(ROWS)
    layout = pd.DataFrame({"id": [f"{{0A1B2C3D-0000-4E5F-8A9B-{row:012}}}" for row in rows]})
    layout["price"], layout["day"] = frame["Close Price"], frame["Close Date"] + " 00:00"
    layout["postcode"] = [f"LS{1 + row % 9} {1 + row % 8}AB" for row in rows]
    layout["type"] = ["O" if row < 4 else "DSTF"[row % 4] for row in rows]
    layout["new"], layout["tenure"], layout["house"], layout["flat"] = "N", "F", [str(1 + row) for row in rows], ""
    for column, words in {
        "street": "ELM STREET",
        "locality": "",
        "town": "LEEDS",
        "district": "LEEDS",
        "county": "YORK",
    }.items():
        layout[column] = words
    return as_csv(layout.assign(category="A", status="A"), header=False)


KINDS = (
    Kind("office.xlsx", workbook(), "Sold homes", "No problem in any cell", {"New sales": ROWS}),
    Kind("feed.json", odata(), "JSON, utf-8", "No problem in any cell", {"New sales": ROWS}),
    Kind("units.csv", units_by_row(), "120 rows, 8 columns", "No problem in any cell", {"New sales": ROWS}),
    Kind("kanto.csv", japanese(), "cp932", "No problem in any cell", {"New sales": ROWS}),
    Kind("deeds.csv", packages(), "120 rows", "set aside", {"New sales": ROWS - 16}),
    Kind(
        "bare.csv", land_registry(), "no header line", "No problem in any cell", {"New sales": ROWS - 4, "Rejected": 4}
    ),
)
"""Sales in the forms people hand them out."""


@pytest.fixture(scope="module")
def analyst(chromium: Browser, server: Server) -> Iterator[Visit]:
    """One tab for all files: what one leaves behind must not hinder the next."""
    with visit(chromium, server, DESKTOP) as opened:
        yield opened
        assert opened.complaints == []


def begin(opened: Visit) -> Page:
    """Open the page with nothing staged."""
    with open_store(opened.server.home) as store:
        store.drafts.forget(timedelta(0))
    return opened.open("sales_data", role="Analyst")


def bring(opened: Visit, folder: Path, name: str, content: bytes) -> None:
    """Choose a file in place of what was staged."""
    page = begin(opened)
    path = folder / name
    path.write_bytes(content)
    page.locator("input[type=file]").first.set_input_files(path)
    expect(page.get_by_role("button", name="Remove", exact=True)).to_be_visible(timeout=WORK_MS)
    opened.settle()


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_sales_in_any_form_are_read_and_accounted_for(analyst: Visit, tmp_path: Path, kind: Kind) -> None:
    bring(analyst, tmp_path, kind.name, kind.content)
    page = analyst.page
    expect(page.get_by_text(kind.files).first).to_be_visible()
    name = page.get_by_label("Name of the market")
    name.fill(kind.name)
    name.press("Enter")
    analyst.settle()
    if kind.name == "bare.csv":
        analyst.name_currency("USD")
    analyst.press("Continue to columns")
    analyst.shot(f"kind-{kind.name}-columns")
    analyst.press("Check every row")
    expect(page.get_by_role("button", name="Continue to preview")).to_be_visible(timeout=WORK_MS)
    analyst.settle()
    analyst.shot(f"kind-{kind.name}-check")
    expect(page.get_by_text(re.compile(kind.checked, re.IGNORECASE)).first).to_be_visible()
    assert analyst.figure("Rows in") == ROWS == sum(analyst.figure(label) for label in SUMMED)
    assert {label: analyst.figure(label) for label in kind.outcome} == kind.outcome


def listings() -> bytes:
    offered = homes().drop(columns=["Close Date", "Close Price"])
    offered["List Price"] = 200_000 + 1_000 * offered.index
    return as_csv(offered.assign(Status="Active"))


def districts() -> bytes:
    blocks = pd.DataFrame({"longitude": [-122.2, -122.3] * 40, "latitude": [37.8, 37.9] * 40})
    blocks["housing_median_age"] = range(80)
    blocks["population"] = blocks["households"] = range(300, 380)
    return as_csv(blocks.assign(median_income=3.2, median_house_value=range(100_000, 180_000, 1_000)))


def test_listings_are_priced_instead(analyst: Visit, tmp_path: Path) -> None:
    bring(analyst, tmp_path, "offered.csv", listings())
    page = analyst.page
    expect(page.get_by_text(re.compile("listings without a sale|holds no sales")).first).to_be_visible()
    analyst.shot("kind-offered.csv")
    page.get_by_test_id("stMain").get_by_role("link", name=re.compile("Price")).first.click()
    page.wait_for_url(lambda url: urlsplit(url).path == "/pricing")
    analyst.settle()


def test_districts_are_no_sales(analyst: Visit, tmp_path: Path) -> None:
    bring(analyst, tmp_path, "blocks.csv", districts())
    page = analyst.page
    expect(page.get_by_text("This file holds no sales")).to_be_visible()
    market = page.get_by_label("Name of the market")
    market.fill("Blocks")
    market.press("Enter")
    analyst.settle()
    analyst.name_currency("USD")
    analyst.press("Continue to columns")
    analyst.press("Check every row")
    expect(page.get_by_text("describes districts")).to_be_visible(timeout=WORK_MS)
    analyst.shot("kind-blocks.csv")


def test_a_workbook_that_is_none_is_refused_by_name_and_the_page_goes_on(analyst: Visit, tmp_path: Path) -> None:
    page = begin(analyst)
    path = tmp_path / "broken.xlsx"
    path.write_bytes(b"PK\x03\x04 no workbook")
    page.locator("input[type=file]").first.set_input_files(path)
    expect(page.get_by_text(re.compile(r"broken\.xlsx is a damaged ZIP archive"))).to_be_visible()
    analyst.settle()
    expect(page.locator("input[type=file]").first).to_be_attached()
