"""Only market sales of one home: what deeds, flags, codes and remarks say, packages, and two files joined by value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.collect.cells.market import PACKAGE, market_verdict
from core.collect.cells.remarks import remark_verdict
from core.collect.columns.guess import guess_file, guess_mapping
from core.collect.columns.near_misses import why_no_sales
from core.collect.columns.shared_keys import guess_together
from core.collect.mapping import apply_mapping
from core.collect.reading.reader import parse_table
from core.collect.reading.table import RawTable
from core.schema import Source

ROWS = 200
RNG = np.random.default_rng(5)


def _sales(**more: object) -> dict[str, object]:
    area = RNG.integers(700, 3_500, ROWS)
    days = pd.Timestamp("2022-01-03") + pd.to_timedelta(RNG.integers(0, 500, ROWS), unit="D")
    return {
        "Sale Price": (area * RNG.uniform(150, 350, ROWS)).round(-2),
        "Sale Date": days.strftime("%Y-%m-%d"),
        "Address": [f"{n} Elm St" for n in range(ROWS)],
        "Living Area": area,
    } | more


def _table(columns: dict[str, object], name: str = "sales.csv") -> RawTable:
    return parse_table(pd.DataFrame(columns).to_csv(index=False).encode(), name)


def _validity(columns: dict[str, object]) -> pd.Series:
    table = _table(columns)
    frame = apply_mapping(table, guess_mapping(table, Source.SALES).mapping).frame
    return frame["validity"] if "validity" in frame else pd.Series(np.nan, frame.index, dtype="str")


@pytest.mark.parametrize(
    ("header", "usual", "odd", "verdict"),
    [
        ("deed_type", "Warranty", "Quit claim", "doubtful: quit claim"),
        ("trans_group_en", "Sales", "Mortgages", "non-market: mortgage"),
        ("sales_type", "regular_sale", "family_sale", "non-market: family"),
        ("nature_mutation", "Vente", "Adjudication", "non-market: auction"),
        ("Not Full Market Price", "No", "Yes", "non-market: not at a full price"),
        ("is_multisale", "False", "True", "package: several parcels on one deed"),
        ("num_parcels_sale", "1", "5", "package: 5 parcels on one deed"),
        ("valid_sale", "True", "False", "non-market: its valid_sale is no"),
        ("vacant_sale", "False", "True", "not a home: vacant land"),
        ("Non Use Code", "", "25 - Other", "non-market: 25 - Other"),
        ("StandardStatus", "Closed", "ActiveUnderContract", "not sold: ActiveUnderContract"),
        ("SpecialListingConditions", "Standard", "Short Sale", "non-market: foreclosure"),
        ("SpecialListingConditions", "Standard", "Real Estate Owned", "asked: bank owned"),
        ("Sp Cond", "STANDARD", "REO", "asked: bank owned"),
        ("Sp Cond", "STD", "SHORTSALE", "non-market: foreclosure"),
        ("Special Sale Condition", "Standard,Trust", "NoticeOfDefault", "non-market: foreclosure"),
        ("SpecialListingConditions", "Not REO/Not Short Sale", "ThirdPartyApproval", "non-market: not at arm's length"),
        ("備註", "其他增建；", "親友、員工或其他特殊關係間之交易；", "non-market: between relatives"),
        ("property_type", "Maison", "Dépendance", "not a home: outbuilding"),
        ("sale_type", "LAND AND BUILDING", "LAND", "not a home: LAND"),
        ("交易標的", "房地(土地+建物)", "車位", "not a home: 車位"),
        ("Primary Purpose", "RESIDENCE", "VACANT LAND", "not a home: VACANT LAND"),
        ("% Interest of Sale", "0", "50", "non-market: part interest of 50%"),
        ("Share (%)", "100", "25", "non-market: part interest of 25%"),
        ("Ownership Share", "1/1", "1/2", "non-market: part interest of 50%"),
        ("Interest Sold", "100%", "33.33%", "non-market: part interest of 33.33%"),
        ("Qual", "Q", "U", "non-market: its Qual is no"),
        ("Qualified", "Q", "U", "non-market: its Qualified is no"),
        ("Arm's Length", "Y", "N", "non-market: its Arm's Length is no"),
        ("ARMS_LENGTH_IND", "1", "0", "non-market: its ARMS_LENGTH_IND is no"),
        ("Sale Qualification Code", "V", "I", "non-market: its Sale Qualification Code is no"),
        ("Remarks", "", "gift", "non-market: gift"),
        ("Sale Notes", "corner lot", "Quit claim deed", "doubtful: quit claim"),
        ("Sale Notes", "ok", "sale to a family member", "non-market: between relatives"),
        ("Remarks", "great for a family", "Bank-owned, sold as is", "asked: bank owned"),
        ("Remarks", "not a foreclosure or short sale", "Sold at auction", "non-market: auction"),
        ("Comments", "", "not open market", "non-market: not on the open market"),
        ("Comments", "heated garage", "Sheriff's sale", "non-market: foreclosure"),
        ("Memo", "", "1/2 interest", "non-market: part interest"),
        ("해제사유발생일", "", "20230401", "not sold: the contract was undone"),
        ("Contract Cancelled", "No", "Yes", "not sold: the contract was undone"),
        (
            "transaction_category",
            "A",
            "B",
            "asked: an additional entry, such as a repossession or a buy-to-let",
        ),
        ("property_type", "D", "O", "not a home: business"),
    ],
)
def test_rows_that_a_column_speaks_against_are_named(header: str, usual: str, odd: str, verdict: str) -> None:
    marked = np.arange(ROWS) % 10 == 0
    found = _validity(_sales() | {header: np.where(marked, odd, usual)})
    assert set(found[marked]) == {verdict}
    assert not found[~marked].str.contains(":", na=False).any()


def test_of_several_columns_any_that_speaks_against_a_market_sale_decides() -> None:
    place = np.arange(ROWS)
    found = _validity(
        _sales()
        | {"deed_type": np.where(place < 20, "Quit claim", "Warranty"), "auction": np.where(place > 180, "Yes", "No")}
    )
    assert found.str.startswith("non-market").sum() == 19
    assert set(found[place < 20]) == {"doubtful: quit claim"}
    assert set(found[(place >= 20) & (place <= 180)]) == {"market"}


def test_of_several_columns_the_gravest_decides_in_either_order() -> None:
    place = np.arange(ROWS)
    columns = {
        "StandardStatus": np.where(place < ROWS - 5, "Closed", "Pending"),
        "SpecialListingConditions": np.where(place % 10 == 0, "Real Estate Owned", "Standard"),
        "deed_type": np.where(place % 20 == 0, "Quit Claim Deed", "Warranty"),
    }
    for names in (list(columns), list(columns)[::-1]):
        found = _validity(_sales() | {name: columns[name] for name in names})
        assert set(found[place % 20 == 0]) == {"doubtful: quit claim"}
        assert set(found[(place % 20 == 10) & (place < ROWS - 5)]) == {"asked: bank owned"}
        assert set(found[place >= ROWS - 5]) == {"not sold: Pending"}


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("Cellar", "not a home: storage"),
        ("Storage Unit", "not a home: storage"),
        ("Car Park", "not a home: parking"),
        ("Stall", "not a home: parking"),
        ("Commercial", "not a home: commercial"),
        ("Hotel", "not a home: business"),
        ("Timeshare", "not a home: timeshare"),
        ("Plaza de garaje", "not a home: parking"),
        ("상가", "not a home: business"),
        ("Farm", "asked: perhaps no home: farm"),
        ("Vacant Land", "asked: perhaps no home: land"),
        ("Mobile Home Lot", "asked: perhaps no home: land"),
        ("Boat Storage Yard", "asked: perhaps no home: boat storage yard"),
        ("Single Family w/ Storage", ""),
        ("Farmhouse", ""),
        ("Landed House", ""),
        ("Warehouse Loft", ""),
    ],
)
def test_a_type_of_property_that_is_no_dwelling_is_set_aside_or_asked_about(kind: str, verdict: str) -> None:
    marked = np.arange(ROWS) % 10 == 0
    found = _validity(_sales() | {"Property Type": np.where(marked, kind, "Condo")}).fillna("")
    assert set(found[marked]) == {verdict}
    assert set(found[~marked]) == {""}
    assert set(_validity(_sales() | {"Property Type": [kind] * ROWS}).fillna("")) <= {verdict, ""}


def test_land_without_a_floor_area_is_no_home_unless_the_file_is_of_land() -> None:
    marked = np.arange(ROWS) % 10 == 0
    columns = _sales() | {"property_type": np.where(marked, "land", "house")}
    assert (_validity(columns).fillna("") == np.where(marked, "asked: perhaps no home: land", "")).all()
    bare = columns | {"Living Area": np.where(marked, "", "1500")}
    assert set(_validity(bare)[marked]) == {"not a home: land"}
    assert _validity(bare)[~marked].isna().all()
    assert _validity(bare | {"property_type": "land", "kind": np.where(marked, "a", "b")}).isna().all()


def test_numbers_of_deeds_roads_and_accounts_are_no_facts_of_the_home() -> None:
    place = np.arange(ROWS)
    columns = _sales() | {
        "id_mutation": [f"2024-{n // 2}" for n in place],
        "Code voie": [f"{n * 37 % 997:04d}" for n in place],
        "市区町村コード": 13_101 + place * 7 % 400,
        "zpid": 48_000_000 + place * 31,
        "PropertyType": place % 3 + 11,
    }
    columns["Sale Price"], columns["Sale Date"] = (
        pd.Series(columns[n])[place // 2] for n in ("Sale Price", "Sale Date")
    )
    mapping = guess_mapping(_table(columns), Source.SALES).mapping
    extras = {rule.column: rule.parse for rule in mapping.rules if rule.field.startswith("x_")}
    assert extras == {"PropertyType": "text"}
    assert mapping.deed_column == "id_mutation"


def test_facts_of_homes_are_not_taken_for_words_on_the_sale() -> None:
    found = _validity(_sales(heating=["Normal", "Gas"] * 100, family_room=["Yes", "No"] * 100))
    assert found.isna().all()


def test_a_package_that_a_person_wants_is_kept() -> None:
    columns = pd.DataFrame(_sales()).loc[np.repeat(np.arange(100), 2)].reset_index(drop=True)
    columns["id_mutation"] = np.repeat([f"2024-{n}" for n in range(100)], 2)
    columns["type_local"] = "Appartement"
    columns["Living Area"] = columns["Living Area"] + (np.arange(200) % 2)
    table = _table(dict(columns))
    mapping = guess_mapping(table, Source.SALES).mapping
    assert apply_mapping(table, mapping).frame["validity"].str.startswith("package: 2 homes").all()
    kept = type(mapping)(**{**vars(mapping), "keep": (PACKAGE,)})
    assert "validity" not in apply_mapping(table, kept).frame


def test_rows_of_one_deed_are_one_sale_and_a_deed_of_two_homes_a_package() -> None:
    columns = pd.DataFrame(_sales()).loc[np.repeat(np.arange(100), 2)].reset_index(drop=True)
    columns["id_mutation"] = np.repeat([f"2024-{n}" for n in range(100)], 2)
    second = np.arange(200) % 2 == 1
    two_homes = np.arange(200) < 60
    columns["type_local"] = np.where(second & ~two_homes, "Dépendance", "Appartement")
    columns["Living Area"] = columns["Living Area"] + second
    found = _validity(dict(columns))
    assert found[two_homes].str.startswith("package: 2 homes").all()
    assert (found[~two_homes] == "not a home: outbuilding").tolist() == second[~two_homes].tolist()


@pytest.mark.parametrize(
    "text",
    [
        "Lovely family home with a family room. Not REO, no short sale.",
        "Gift shop nearby",
        "Credit in lieu of repairs; all the marks of a great market town",
        "Heat exchanger 2019",
        "Buyer to verify school. Seller relocating to son's city.",
        "Half bath added",
    ],
)
def test_remarks_that_describe_the_home_say_nothing_of_the_sale(text: str) -> None:
    assert remark_verdict(text) == ""


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Qual", ["A", "B", "C", "D"]),
        ("Qualified", ["Q", "Q", "Q", "Q"]),
        ("Interest", ["5.5", "6.25", "4.75", "7"]),
        ("Common Interest Share", ["0.5%", "0.25%", "1%", "0.75%"]),
        ("Cancelled Date", ["2023-01-02", "2023-02-03", "2023-03-04", "2023-05-05"]),
    ],
)
def test_columns_that_look_alike_say_nothing_of_the_sale(header: str, cells: list[str]) -> None:
    assert _validity(_sales() | {header: cells * (ROWS // 4)}).isna().all()


@pytest.mark.parametrize("text", ["", "Cash", "Conventional", "Brick", "3", "Fee Simple"])
def test_words_that_say_nothing_of_a_sale_give_no_verdict(text: str) -> None:
    assert market_verdict(text) == ""


def test_two_files_are_joined_by_the_column_whose_values_agree_whatever_it_is_called() -> None:
    keys = [f"{n % 13}-{n}" for n in range(ROWS)]
    sold = pd.to_datetime(pd.Series(_sales()["Sale Date"]))
    sales = {"ref": keys, "Sale Price": _sales()["Sale Price"], "Sale Date": sold.dt.strftime("%Y-%m-%d")}
    sales["days_before"] = (pd.Timestamp("2025-01-01") - sold).dt.days
    parcels = {
        "lookup": keys[::-1],
        "bldg_area_sqft": RNG.integers(700, 3_000, ROWS),
        "bldg_age_years": 20.5,
        "latitude": 47.1,
    }
    tables = [_table(sales, "sales.csv"), _table(parcels, "parcels.csv")]
    ours, theirs = guess_together(tables, [None, None])
    assert {rule.column for rule in (*ours.rules, *theirs.rules) if rule.field == "property_id"} == {"ref", "lookup"}
    assert apply_mapping(tables[1], theirs).frame["year_built"].eq(2004).all()
    assert any("100% of the values" in one.evidence for one in ours.inferences)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            {"median_income": 3.2, "population": 900, "households": 300, "median_house_value": 200_000},
            "describes districts",
        ),
        ({"Price": _sales()["Sale Price"], "Address": _sales()["Address"], "Beds": 3}, "price them instead"),
        (
            {"Ask": _sales()["Sale Price"], "Taken": _sales()["Sale Date"], "Zip": "98001"},
            "'Ask' looks like the sale price",
        ),
        ({"zip": "98001", "monthly_rent": RNG.integers(500, 2_000, ROWS)}, "holds rents"),
        (
            {"zip": RNG.integers(98_001, 98_030, ROWS), "list price": 300_000 + 1_000.0 * np.arange(ROWS), "beds": 3},
            "price them instead",
        ),
        (
            {"dateSold": "in spring", "price": _sales()["Sale Price"], "Address": _sales()["Address"]},
            "'dateSold' looks like the sale date, but 'in spring'",
        ),
        ({"town": "Oak", "yr": 2001, "quarter": 2, "hpi_sa": 101.5 + RNG.random(ROWS)}, "is an index (hpi_sa)"),
        (
            {name: RNG.standard_normal(ROWS).round(6) for name in ("sqft", "beds", "baths", "lot", "price")},
            "was prepared for a model: its columns are standardized",
        ),
        (
            {"price": 300_000 + 1_000.0 * np.arange(ROWS), "sqft": 1_500.5}
            | {f"zip_{code}": (np.arange(ROWS) % 3 == code).astype(int) for code in range(3)},
            "was prepared for a model: its columns are one-hot",
        ),
        ({"region": "a"} | {f"2020-{m:02d}-31": 100.0 + m for m in range(1, 13)}, "is an index"),
    ],
)
def test_what_is_no_sales_file_says_what_it_is(columns: dict[str, object], words: str) -> None:
    table = _table(columns | {"row": range(ROWS)})
    assert words in why_no_sales(table, guess_mapping(table, Source.SALES).mapping)


@pytest.mark.parametrize(
    "header",
    ["Precio de salida", "Prix affiché", "Angebotspreis", "Prezzo richiesto", "Preço pedido", "Vraagprijs", "希望価格",
     "호가", "挂牌价", "Начальная цена", "Cena wywoławcza", "Starting Price"],
)  # fmt: skip
def test_an_asking_price_in_any_language_is_no_sale_price(header: str) -> None:
    columns = _sales()
    asked = columns.pop("Sale Price")
    table = _table({"Address": [f"{n} Oak St" for n in range(ROWS)], **columns, header: asked})
    guess = guess_file(table)
    assert "sale_price" not in {rule.field for rule in guess.mapping.rules}
    assert "price them instead" in why_no_sales(table, guess.mapping)


def test_a_second_asking_price_is_no_fact_of_the_home() -> None:
    sales = _sales()
    asked = pd.Series(sales["Sale Price"]).astype(float) * np.random.default_rng(3).uniform(0.9, 1.1, ROWS)
    guess = guess_mapping(_table(sales | {"Precio de salida": asked, "Precio anunciado": asked + 1_000}), Source.SALES)
    assert [rule.field for rule in guess.mapping.rules if rule.column.startswith("Precio")] == ["list_price"]
    assert "an asking price" in "".join(why for column, why in guess.mapping.ignored if column.startswith("Precio"))
