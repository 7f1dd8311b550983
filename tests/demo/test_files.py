from __future__ import annotations

import hashlib
import io
import re

import numpy as np
import pandas as pd
import pytest

from core.demo.city import simulate
from core.demo.files import IMPOSSIBLE, NAMES, DemoFiles, demo_files, demo_model
from core.demo.homes import CITY, DIRECTIONS, SUFFIXES
from core.demo.offices import OFFICES
from core.errors import InvalidRecord

SEED = 2019
SALES = 6_000
SHORT = {full.lower(): short.lower() for full, short in (*DIRECTIONS, *SUFFIXES) if full}


def read(content: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def files() -> DemoFiles:
    return demo_files(SEED, SALES)


@pytest.fixture(scope="module")
def mls(files: DemoFiles) -> pd.DataFrame:
    return read(files.sales)


@pytest.fixture(scope="module")
def once(mls: pd.DataFrame) -> pd.DataFrame:
    """The MLS rows without their duplicates: one per sale, in the order of the truth."""
    return mls.drop_duplicates("MLS Number").reset_index(drop=True)


@pytest.fixture(scope="module")
def tax(files: DemoFiles) -> pd.DataFrame:
    return read(files.tax)


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return simulate(demo_model(SALES), SEED, sales=SALES)


def fold(address: str) -> str:
    """A reading of addresses independent of the product's: lower case, short words, no marks, the unit last."""
    words = re.sub(r"[.,]", " ", address.lower().replace("#", " # ")).split()
    return " ".join(SHORT.get(word, word) for word in words if word not in {"apt", "unit", "#"})


def test_rows_names_and_labels(files: DemoFiles, mls: pd.DataFrame, tax: pd.DataFrame) -> None:
    assert files.names == NAMES
    assert all("simulated" in name for name in files.names)
    assert len(mls) == SALES + files.faults["duplicates"]
    assert len(tax) == tax["PARCEL_ID"].nunique() == SALES
    neighbourhoods = read(files.neighbourhoods)
    assert len(neighbourhoods) == neighbourhoods["ZIP"].nunique() == 100
    assert (mls["City"] == CITY).all()
    assert set(mls["Listing Office"]) == set(OFFICES)
    assert set(mls["Zip"]) <= set(neighbourhoods["ZIP"])
    assert set(mls.columns).isdisjoint(tax.columns)
    assert set(tax.columns) & set(neighbourhoods.columns) == {"ZIP"}


def test_the_counts_of_the_whole_city() -> None:
    files = demo_files()
    assert dict(files.faults) == {
        "missing_living_area": 500,
        "area_only_in_tax": 300,
        "duplicates": 100,
        "exact_duplicates": 50,
        "near_duplicates": 50,
        "impossible_values": 12,
        "missing_parcel_numbers": 800,
        "tax_area_conflicts": 400,
        "blank_list_prices": 100,
        "non_market_sales": 80,
        "missing_school_ratings": 3,
    }
    assert files.sales.count(b"\n") == 10_000 + 100 + 1
    assert files.tax.count(b"\n") == 10_000 + 1
    assert files.neighbourhoods.count(b"\n") == 100 + 1


def test_the_same_seed_gives_the_same_bytes(files: DemoFiles) -> None:
    def digest(made: DemoFiles) -> list[str]:
        return [hashlib.sha256(part).hexdigest() for part in (made.sales, made.tax, made.neighbourhoods)]

    assert digest(demo_files(SEED, SALES)) == digest(files)
    assert set(digest(demo_files(SEED + 1, SALES))).isdisjoint(digest(files))


def test_five_per_cent_lack_their_area_in_both_files(
    files: DemoFiles, once: pd.DataFrame, tax: pd.DataFrame, truth: pd.DataFrame
) -> None:
    rolled = tax.set_index("PARCEL_ID")["BLDG_SQFT"].loc[truth["property_id"]].reset_index(drop=True)
    in_mls = once["SqFt"] == ""
    assert (in_mls & (rolled == "")).sum() == files.faults["missing_living_area"] == SALES * 0.05
    assert (in_mls & (rolled != "")).sum() == files.faults["area_only_in_tax"] == SALES * 0.03


def test_duplicates_are_exact_or_differ_in_writing_only(files: DemoFiles, mls: pd.DataFrame) -> None:
    extra = mls[mls["MLS Number"].duplicated()]
    assert len(extra) == files.faults["duplicates"]
    assert mls.duplicated().sum() == files.faults["exact_duplicates"]
    assert len(extra) - mls.duplicated().sum() == files.faults["near_duplicates"]
    original = mls.drop_duplicates("MLS Number").set_index("MLS Number").loc[extra["MLS Number"]].reset_index()
    copy = extra.reset_index(drop=True)
    written = ["Street Address", "Unit", "Type"]
    pd.testing.assert_frame_equal(
        original.drop(columns=written), copy.drop(columns=written)[original.drop(columns=written).columns]
    )
    for table in (original, copy):
        table["address"] = [fold(text) for text in table["Street Address"] + " " + table["Unit"]]
        table["kind"] = table["Type"].str.lower()
    pd.testing.assert_frame_equal(original[["address", "kind"]], copy[["address", "kind"]])


def test_exactly_twelve_cells_are_impossible(files: DemoFiles, once: pd.DataFrame, truth: pd.DataFrame) -> None:
    typed = {
        "SqFt": "living_area_sqft",
        "Close Price": "sale_price",
        "Year Built": "year_built",
        "Bedrooms": "bedrooms",
        "Baths": "bathrooms",
    }
    found = []
    for column, name in typed.items():
        values = pd.to_numeric(once[column])
        wrong = values.notna() & (values != truth[name])
        found += [(column, once.at[row, column]) for row in np.flatnonzero(wrong)]
    closed = pd.to_datetime(once["Close Date"], format="%m/%d/%Y")
    found += [("Close Date", once.at[row, "Close Date"]) for row in np.flatnonzero(closed != truth["sale_date"])]
    assert sorted(found) == sorted(IMPOSSIBLE)
    assert len(found) == files.faults["impossible_values"] == 12


def test_addresses_of_both_files_meet_without_the_parcel_number(
    files: DemoFiles, once: pd.DataFrame, tax: pd.DataFrame, truth: pd.DataFrame
) -> None:
    listed = [fold(text) for text in once["Street Address"] + " " + once["Unit"]]
    rolled = pd.Series([fold(text) for text in tax["SITUS_ADDRESS"]], index=tax["PARCEL_ID"])
    assert rolled.is_unique
    assert listed == rolled.loc[truth["property_id"]].tolist()
    assert (once["Parcel Number"] == "").sum() == files.faults["missing_parcel_numbers"]
    held = once["Parcel Number"] != ""
    assert (once["Parcel Number"][held] == truth["property_id"][held]).all()
    as_written = once["Street Address"].isin(tax["SITUS_ADDRESS"])
    assert as_written.mean() < 0.2


def test_the_smaller_faults(files: DemoFiles, once: pd.DataFrame, tax: pd.DataFrame, truth: pd.DataFrame) -> None:
    assert (once["List Price"] == "").sum() == files.faults["blank_list_prices"]
    assert (once["Sale Type"] != "Standard").sum() == files.faults["non_market_sales"] > 0
    assert (read(files.neighbourhoods)["SCHOOL_RATING"] == "").sum() == files.faults["missing_school_ratings"]
    assert set(read(files.neighbourhoods)["SCHOOL_RATING"]) <= {"A", "B", "C", "D", "F", ""}
    assert once["Type"].nunique() > 2 * once["Type"].str.lower().nunique()
    area = truth.drop_duplicates("property_id").set_index("property_id")["living_area_sqft"]
    rolled = pd.to_numeric(tax.set_index("PARCEL_ID")["BLDG_SQFT"]).loc[area.index]
    ratio = (rolled / area)[rolled.notna() & (rolled != area)]
    assert ((ratio - 1).abs().between(0.015, 0.065)).all()
    # Parcels that never sold conflict too, though only the truth of their home could show it.
    assert 0.5 * files.faults["tax_area_conflicts"] < len(ratio) < files.faults["tax_area_conflicts"]


def test_non_market_words_are_those_of_the_problem_statement(once: pd.DataFrame, problem: object) -> None:
    words = set(once["Sale Type"].str.lower()) - {"standard"}
    assert words <= set(problem.intake.non_market)  # type: ignore[attr-defined]


def test_every_other_cell_tells_the_truth(once: pd.DataFrame, truth: pd.DataFrame) -> None:
    pairs = {
        "Lot SqFt": "lot_area_sqft",
        "Stories": "floors",
        "Condition": "condition",
        "View": "view",
        "Garage": "garage_spaces",
        "Latitude": "latitude",
        "Longitude": "longitude",
    }
    for column, name in pairs.items():
        np.testing.assert_allclose(pd.to_numeric(once[column]), truth[name], err_msg=column)
    assert (once["Waterfront"].map({"Y": 1.0, "N": 0.0}) == truth["waterfront"]).all()


@pytest.mark.parametrize("sales", [-5, 0, 999, 1_000_001])
def test_too_few_or_too_many_sales_are_refused(sales: int) -> None:
    with pytest.raises(InvalidRecord, match=f"{sales:,} sales; choose from 1,000 to 1,000,000"):
        demo_files(SEED, sales)
