"""What a refusal says of columns that come near: dates in digits alone, coordinates called X and Y."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.collect.columns.guess import guess_file, guess_mapping
from core.collect.reading.reader import parse_table
from core.errors import MappingError, NoUsableRows
from core.progress import silent
from core.schema import Source
from core.store import open_store
from core.workflows.data.intake import prepare_intake
from core.workflows.data.market_of_files import NewMarket
from core.workflows.source_files.reading import SourceFile
from core.workflows.source_files.refusals import apply_or_explain, lacking_words
from tests.acting import acting


def _refusal(header: str, rows: list[str]) -> str:
    table = parse_table("\n".join([header, *rows]).encode(), "sales.csv")
    with pytest.raises(MappingError) as caught:
        apply_or_explain(table, guess_file(table).mapping, ())
    return str(caught.value)


@pytest.mark.parametrize(
    ("dates", "written"), [(["4222023", "12022022", "1132023"], "MMDDYYYY"), (["230422", "221202", "230113"], "YYMMDD")]
)
def test_dates_in_digits_alone_are_refused_with_their_format(dates: list[str], written: str) -> None:
    rows = [f"{n} Oak St,50309,{300_000 + 1_000 * n},{dates[n % 3]}" for n in range(1, 40)]
    refusal = _refusal("Address,Zip,Sale Price,Sold Date", rows)
    assert f"map 'Sold Date' to the sale date with the date format '{written}'" in refusal


@pytest.mark.parametrize(
    ("x", "y", "remedy"), [(-93.5, 41.6, "map them to longitude and latitude"), (1_600_000, 580_000, "a map grid")]
)
def test_columns_called_x_and_y_are_named_where_nothing_else_is_a_place(x: float, y: float, remedy: str) -> None:
    rows = [f"{300_000 + 1_000 * n},2023-01-{n % 28 + 1:02},{900 + 7 * n},{x + n / 1e3},{y}" for n in range(40)]
    refusal = _refusal("Sale Price,Sale Date,SqFt,X,Y", rows)
    assert "'X' and 'Y'" in refusal
    assert remedy in refusal


def _homes(path: Path, column: str, other: str, large: list[int]) -> SourceFile:
    """A file whose prices are the size of areas beside ``column``, which has ``large`` numbers."""
    rows = [
        f"{n} Oak St,98101,2023-01-{n % 28 + 1:02},{1_000 + 40 * (n % 50)},{one},{5_000 + n * 31 % 2_000}"
        for n, one in enumerate(large)
    ]
    path.write_text("\n".join([f"Address,Zip,Sale Date,Price,{column},{other}", *rows]))
    return SourceFile(path, path.name)


def test_a_price_and_an_area_that_are_swapped_are_read_the_right_way_round_and_named(tmp_path: Path) -> None:
    file = _homes(
        tmp_path / "sales.csv", "sqft_living", "sqft_lot", [250 * (1_000 + 40 * (n % 50)) for n in range(120)]
    )
    with open_store(tmp_path / "home") as store:
        workspace = acting(store, Actor("Ana", Role.ANALYST))
        found = prepare_intake(workspace, NewMarket("Harbour", "USD", "sqft"), [file], silent)
    assert found.sales["sale_price"].min() == 250_000
    assert found.sales["living_area_sqft"].max() == 2_960
    named = [str(one) for table in found.tables for one in table.inferences]
    assert sum("'sqft_living' and 'Price' look swapped" in one and "please check" in one for one in named) == 2


def test_rents_beside_large_lots_are_rents(tmp_path: Path) -> None:
    file = _homes(tmp_path / "sales.csv", "sqft_lot", "garage_sqft", [40_000 + n * 7_919 % 30_011 for n in range(120)])
    with open_store(tmp_path / "home") as store:
        workspace = acting(store, Actor("Ana", Role.ANALYST))
        with pytest.raises(NoUsableRows, match="a month's rent") as caught:
            prepare_intake(workspace, NewMarket("Harbour", "USD", "sqft"), [file], silent)
    assert "swapped" not in str(caught.value)


@pytest.mark.parametrize(("per_sqft", "said"), [(0.25, "0.25 USD per square foot"), (1.7, "month's rent")])
def test_prices_in_thousands_and_rents_are_refused_with_what_helps_each(
    tmp_path: Path, per_sqft: float, said: str
) -> None:
    areas = [1_000 + 40 * (n % 50) for n in range(120)]
    rows = [f"{n} Oak St,98101,2023-01-{n % 28 + 1:02},{per_sqft * area:.1f},{area}" for n, area in enumerate(areas)]
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(["Address,Zip,Sale Date,Price,SqFt", *rows]))
    market = NewMarket("Harbour", "USD", "sqft")
    with open_store(tmp_path / "home") as store:
        workspace = acting(store, Actor("Ana", Role.ANALYST))
        with pytest.raises(NoUsableRows, match=said) as caught:
            prepare_intake(workspace, market, [SourceFile(path, "sales.csv")], silent)
        assert "set the scale of their column to 1000" in str(caught.value)
        assert "month's rents, bring prices for which homes were sold" in str(caught.value)
        mapping = guess_file(parse_table(path.read_bytes(), "sales.csv")).mapping
        rules = [replace(rule, scale=1_000.0 if rule.field == "sale_price" else 1.0) for rule in mapping.rules]
        scaled = SourceFile(path, "sales.csv", replace(mapping, rules=tuple(rules)))
        assert prepare_intake(workspace, market, [scaled], silent).new_sales == 120


def test_dates_in_several_ways_are_told_of_as_a_mixture_where_no_column_is_the_sale_date() -> None:
    # Each style would be read as its own cells tell, were it not for both orders of day and month in one of them.
    ways = ("{0}-{1:02d}-{2:02d}", "{2} May {0}", "{2:02d}/{1:02d}/{0}", "{1:02d}/{2:02d}/{0}")
    rows = [
        f"{n} Oak St,50309,{300_000 + 1_000 * n},{ways[n % 4].format(2024, 1 + n % 12, 13 + n % 15)}"
        for n in range(1, 120)
    ]
    table = parse_table("\n".join(["Address,Zip,Sale Price,Sold Date", *rows]).encode(), "sales.csv")
    words = lacking_words(table, guess_file(table).mapping)
    assert words.startswith("No column is taken for the sale date. Sales need a sale date: choose its column.")
    assert "'Sold Date' looks like the sale date, but its dates are written in 3 ways: " in words


def test_a_tax_file_for_a_new_market_is_told_to_come_with_the_sales(tmp_path: Path) -> None:
    path = tmp_path / "tax.csv"
    path.write_text(
        "parcel id,lot sq ft,beds,year built\n" + "".join(f"P{n},{5_000 + n},3,19{n % 90 + 10}\n" for n in range(40))
    )
    with pytest.raises(MappingError, match="holds facts of homes: bring the sales first, or with it"):
        prepare_intake(
            acting(open_store(tmp_path / "store"), Actor("ana", Role.ANALYST)),
            NewMarket("Town", "USD", "sqft"),
            [SourceFile(path, path.name, guess_mapping(parse_table(path.read_bytes(), path.name), Source.TAX).mapping)],
            silent,
        )
