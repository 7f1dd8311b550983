"""Whose listing a sale was: found in the file, kept with the sale, and never a fact that a model learns from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.collect.columns.candidates import field_of_header
from core.collect.privacy.search import personal_columns
from core.collect.reading.reader import read_table
from core.collect.vocabulary import load_vocabulary
from core.prepare.features.facts import find_facts
from core.problem import Problem
from core.progress import silent
from core.schema import Source
from core.states import Family
from core.store import Store, open_store
from core.train.trainer import default_plan, train
from core.workflows.data.intake import ingest
from core.workflows.models.training import known_sales
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting
from tests.small_market import MANAGER
from tests.test_cli import sales_file

OFFICES = ("Keller Williams", "John L. Scott", "RE/MAX Northwest", "Windermere", "Compass", "North & Sons, Inc.")


@pytest.mark.parametrize(
    "header", ["ListOfficeName", "List Office Name", "listing office", "office_name", "Listing Brokerage", "Brokerage"]
)
def test_an_offices_column_is_known_by_its_usual_names(header: str) -> None:
    assert field_of_header(header, Source.SALES, load_vocabulary()) == "listing_office"


@pytest.mark.parametrize(
    "header",
    [
        *("ListOfficePhone", "Listing Office Fax", "Selling Office Name", "BuyerOfficeName", "CoListOfficeName"),
        *("ListOfficeMlsId", "List Agent Full Name", "Listing Broker", "Office", "Office Area", "ListOfficeKey"),
    ],
)
def test_no_other_column_about_offices_or_agents_is_taken_for_it(header: str) -> None:
    assert field_of_header(header, Source.SALES, load_vocabulary()) != "listing_office"


def file_with(tmp_path: Path, header: str, names: list[str]) -> Path:
    lines = sales_file(tmp_path).read_text(encoding="utf-8").splitlines()
    cells = [header, *(f'"{names[place % len(names)]}"' for place in range(len(lines) - 1))]
    path = tmp_path / "offices.csv"
    path.write_text("\n".join(f"{line},{cell}" for line, cell in zip(lines, cells, strict=True)), encoding="utf-8")
    return path


def committed(store: Store, path: Path) -> pd.DataFrame:
    """Make the file's sales a market of their own, and return them as stored."""
    market = store.markets.create("Springfield", "USD", "sqft", False, MANAGER)
    ingest(acting(store, MANAGER), market.market_id, [SourceFile(path, path.name)], silent)
    return known_sales(store, market.market_id).table


def test_a_file_brings_the_office_of_each_sale_as_it_is_written(tmp_path: Path, store: Store) -> None:
    sales = committed(store, file_with(tmp_path, "ListOfficeName", list(OFFICES)))
    assert set(sales["listing_office"]) == set(OFFICES)
    assert "listing_office" not in find_facts(sales).all


def test_a_column_of_agents_under_an_offices_header_is_dropped(tmp_path: Path, store: Store) -> None:
    path = file_with(tmp_path, "Listing Office", ["Ann Miller", "John Smith", "Peter Jones", "Rosa Diaz"])
    found = personal_columns(read_table(path, path.name), {"Listing Office": "listing_office", "address": "address"})
    assert [(one.column, one.kind) for one in found] == [("Listing Office", "name")]
    assert "listing_office" not in committed(store, path)


def test_a_model_is_the_same_with_and_without_the_offices(small_home: Path, problem: Problem) -> None:
    with open_store(small_home) as opened:
        known = known_sales(opened, "larkhaven")
    sales = known.table.tail(600).reset_index(drop=True).drop(columns="listing_office", errors="ignore")
    # An office that sells only dear homes: a model would learn from it if it could.
    dear = np.where(sales["sale_price"] > sales["sale_price"].median(), "Dear Homes", "Cheap Homes")
    with_offices = sales.assign(listing_office=pd.Series(dear, dtype="str"))
    plan = default_plan(problem)
    plan = replace(plan, families=(Family.LINEAR,), forest_budget=0, boosting_budget=1, folds=2, curve_shares=())
    models = [train(table, known.version.rows_seen, plan, problem, silent).model for table in (sales, with_offices)]
    assert models[0].facts == models[1].facts
    assert "listing_office" not in models[1].facts.all
    for level in problem.estimate.levels:
        without, and_with = (one.price(with_offices.tail(300), level, 0.1) for one in models)
        for name, values in vars(without).items():
            np.testing.assert_array_equal(values, getattr(and_with, name), err_msg=name)
