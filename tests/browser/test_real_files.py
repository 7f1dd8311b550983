"""An extract of every file of the real data goes through the page by mapping alone, and the committed accounting sums.

Melbourne and Singapore do so in test_real_markets.py, on their way to a priced home.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from core.access import Actor, Role
from core.accounting import FileAccounting
from core.problem import Problem
from core.progress import silent
from core.states import Family
from core.store import DataVersion, open_store
from core.train.trainer import TrainingPlan
from core.workflows.training import train_model
from tests.acting import acting
from tests.browser.conftest import DESKTOP, WORK_MS, Server, Visit, visit
from tests.browser.extracts import every_nth_line

MANAGER = Actor("test manager", Role.MANAGER)
SALES = "king_county/kc_house_data_2014_2015.csv"
AREAS = "king_county/zipcode_demographics.csv"
SUBJECTS = "king_county/subject_properties.csv"
STEP = 12
"""Every twelfth line of a file of King County is taken."""
# The quickest model there is: how well it prices is measured elsewhere.
CHEAPEST = TrainingPlan("random", 42, (Family.LINEAR,), 0, 1, 2)


@pytest.fixture(scope="module")
def analyst(chromium: Browser, server: Server) -> Iterator[Visit]:
    """One tab for all files: what one leaves behind must not hinder the next."""
    with visit(chromium, server, DESKTOP) as opened:
        yield opened
        assert opened.complaints == []


@pytest.fixture(scope="module")
def king_county(analyst: Visit, sales_data: Path, tmp_path_factory: pytest.TempPathFactory) -> DataVersion:
    """The sales and the neighbourhood figures, committed through the page as one market."""
    sales = every_nth_line(sales_data / SALES, tmp_path_factory.mktemp("extract"), STEP)
    return committed(analyst, "King County", [sales, sales_data / AREAS])


def bring(opened: Visit, name: str, paths: list[Path]) -> None:
    """Upload files for a new market in place of what was staged."""
    with open_store(opened.server.home) as store:
        store.drafts.forget(timedelta(0))
    page = opened.open("sales_data", role="Manager")
    page.locator("input[type=file]").set_input_files(paths)
    expect(page.get_by_role("button", name="Remove", exact=True)).to_have_count(len(paths), timeout=WORK_MS)
    opened.settle(WORK_MS)
    markets = page.get_by_role("combobox", name="Add them to")
    if markets.count():
        opened.choose("Add them to", "A new market…")
    page.get_by_label("Name of the market").fill(name)
    page.get_by_label("Name of the market").press("Enter")
    opened.settle()


def committed(opened: Visit, name: str, paths: list[Path]) -> DataVersion:
    """Take files from the upload to the commit by what the page guesses, and read from the store what was kept."""
    page = opened.page
    bring(opened, name, paths)
    opened.press("Continue to columns")
    opened.press("Check every row")
    expect(page.get_by_text("Columns compared with the stored sales")).to_be_visible(timeout=WORK_MS)
    opened.press("Continue to preview")
    expect(page.get_by_text("The outcome of every row")).to_be_visible()
    opened.shot(f"{name}-preview")
    shown = {
        label: opened.figure(label)
        for label in ("Rows in", "New sales", "Repaired", "Duplicate", "Rejected", "Set aside")
    }
    assert shown["Rows in"] == shown["New sales"] + shown["Duplicate"] + shown["Rejected"] + shown["Set aside"]
    opened.press("Continue to commit")
    opened.press("Commit [0-9,]+ new sales")
    expect(page.get_by_text("Committed:")).to_be_visible(timeout=WORK_MS)
    opened.settle()
    with open_store(opened.server.home) as store:
        [market] = [one for one in store.markets.list() if one.name == name]
        version = store.versions.latest(market.market_id)
        assert version is not None
        assert len(store.versions.load(version.version_id)) == version.rows == shown["New sales"]
    sales = [file for file in version.files if file.source == "sales"]
    assert sum(file.rows_in for file in sales) == shown["Rows in"]
    assert sum(file.repaired for file in sales) == shown["Repaired"]
    assert sum(file.accepted + file.repaired for file in sales) == version.rows
    return version


def outcomes(file: FileAccounting) -> tuple[int, int, int, int]:
    """Return the rows accepted, repaired, duplicate and rejected, which sum to the rows in with those set aside."""
    counts = (file.accepted, file.repaired, file.duplicate, file.rejected)
    assert sum(counts) + file.set_aside == file.rows_in
    return counts


def test_king_county_goes_in_with_its_neighbourhood_figures(king_county: DataVersion, server: Server) -> None:
    sales, areas = king_county.files
    assert (sales.file, sales.rows_in) == ("kc_house_data_2014_2015.csv", 1_802)
    assert (areas.source, areas.rows_in) == ("neighbourhood", 70)
    outcomes(sales)
    assert outcomes(areas) == (70, 0, 0, 0)
    with open_store(server.home) as store:
        kept = store.versions.load(king_county.version_id)
    # The figures cover every zipcode of the sales.
    income = next(name for name in kept if "incm" in str(name) or "income" in str(name))
    assert kept[income].notna().all()


@pytest.mark.parametrize(
    ("name", "path", "step", "rows"),
    [
        ("Dirty twin", "king_county/kc_house_data_dirty.csv", STEP, 1_800),
        ("Ten years", "king_county/house_sales_2006_2015.tsv.gz", STEP, 1_891),
        ("Acadiana", "mls_sample/acadiana_sold_2023.csv", 1, 186),
    ],
)
def test_a_file_goes_in_by_mapping_alone(
    analyst: Visit, sales_data: Path, tmp_path: Path, name: str, path: str, step: int, rows: int
) -> None:
    [file] = committed(analyst, name, [every_nth_line(sales_data / path, tmp_path, step)]).files
    assert file.rows_in == rows
    accepted, repaired, _, _ = outcomes(file)
    assert accepted + repaired > 0.9 * rows


def test_homes_without_sales_are_refused_and_priced_as_a_file_instead(
    analyst: Visit, king_county: DataVersion, server: Server, sales_data: Path, problem: Problem
) -> None:
    page = analyst.page
    bring(analyst, "Subjects", [sales_data / SUBJECTS])
    expect(page.get_by_text("This file holds no sales")).to_be_visible()
    analyst.name_currency("USD")
    analyst.press("Continue to columns")
    analyst.press("Check every row")
    expect(page.get_by_text("None of the files (subject_properties.csv) holds sales.")).to_be_visible()
    analyst.press("1 · Files")
    with open_store(server.home) as store:
        assert "Subjects" not in [market.name for market in store.markets.list()]
        quick = replace(problem, training=replace(problem.training, calibration_sales=500))
        train_model(acting(store, MANAGER, quick), king_county.market_id, CHEAPEST, silent)
    page.get_by_test_id("stMain").get_by_role("link", name="Price a home").click()
    page.wait_for_url(lambda url: urlsplit(url).path == "/pricing")
    analyst.settle(WORK_MS)
    analyst.choose("Market", "King County")
    page.get_by_role("tab", name="Many at once").click()
    analyst.settle()
    page.locator("input[type=file]").set_input_files(sales_data / SUBJECTS)
    expect(page.get_by_role("button", name="Remove subject_properties.csv")).to_be_visible()
    analyst.settle()
    analyst.press("Price the file")
    expect(page.get_by_text("Download the prices")).to_be_visible(timeout=WORK_MS)
    analyst.settle()
    assert (analyst.figure("Rows"), analyst.figure("Priced")) == (100, 100)
