"""Files without a header line: what their columns are is told by the values, and what could be two things is asked."""

from __future__ import annotations

import uuid

import numpy as np
import pandas as pd

from core.collect.columns.guess import guess_file
from core.collect.columns.near_misses import why_no_sales
from core.collect.mapping import apply_mapping
from core.collect.reading.reader import parse_table
from core.collect.reading.table import RawTable
from core.schema import Source

ROWS = 120


def _table(columns: list[object], separator: str = ",") -> RawTable:
    frame = pd.DataFrame(dict(enumerate(columns)))
    return parse_table(frame.to_csv(index=False, header=False, sep=separator).encode(), "sales.csv")


def _fields(table: RawTable) -> dict[str, str]:
    return {rule.column: rule.field for rule in guess_file(table).mapping.rules}


def _prices(rng: np.random.Generator) -> object:
    return (rng.uniform(90_000, 900_000, ROWS) / 500).round() * 500


def _days(rng: np.random.Generator) -> object:
    return (pd.Timestamp("2022-01-03") + pd.to_timedelta(rng.integers(0, 300, ROWS), unit="D")).strftime("%d/%m/%Y")


def test_price_paid_data_are_known_by_their_ids_and_codes() -> None:
    rng = np.random.default_rng(1)
    kinds = rng.choice(list("DSTF"), ROWS)
    kinds[:6] = "O"
    category = np.where(np.arange(ROWS) % 12 == 7, "B", "A")
    columns: list[object] = [
        [f"{{{uuid.UUID(int=n + 1)}}}".upper() for n in range(ROWS)],
        _prices(rng),
        (pd.Timestamp("2022-01-03") + pd.to_timedelta(np.arange(ROWS), unit="D")).strftime("%Y-%m-%d 00:00"),
        [f"LS{n % 9 + 1} {n % 8 + 1}AB" for n in range(ROWS)],
        kinds,
        rng.choice(["Y", "N"], ROWS),
        rng.choice(["F", "L"], ROWS),
        np.arange(ROWS) + 3,
        np.where(np.arange(ROWS) % 5 == 0, "FLAT 2", ""),
        [f"{name} LANE" for name in rng.choice(["MILL", "HIGH", "STATION", "OAK", "ELM", "ASH"], ROWS)],
        "",
        "LEEDS",
        rng.choice(["LEEDS", "HARROGATE"], ROWS),
        "WEST YORKSHIRE",
        category,
        "A",
    ]
    table = _table(columns)
    mapping = guess_file(table).mapping
    mapped = apply_mapping(table, mapping)
    assert mapped.source is Source.SALES
    assert len(mapped.frame) == ROWS
    assert mapped.frame["address"].iloc[1] == "4 " + table.frame["column_10"].iloc[1]
    assert set(mapped.frame["validity"][:6]) == {"not a home: business"}
    assert set(mapped.frame["validity"][6:][category[6:] == "B"]) == {
        "asked: an additional entry, such as a repossession or a buy-to-let"
    }
    assert any("HM Land Registry" in one.evidence for one in mapping.inferences)


def test_the_only_prices_dates_and_area_codes_are_taken_and_a_person_is_asked() -> None:
    rng = np.random.default_rng(2)
    codes = rng.choice(["10115", "10117", "10119"], ROWS)
    for columns in (
        [_days(rng), codes, rng.integers(40, 200, ROWS), _prices(rng)],
        [_prices(rng), rng.integers(1, 6, ROWS), _days(rng), codes],
    ):
        table = _table(columns, ";")
        found = _fields(table)
        assert {"sale_price", "sale_date", "zipcode"} <= set(found.values())
        assert [found[f"column_{at + 1}"] for at, one in enumerate(columns) if one is codes] == ["zipcode"]
        named = [one for one in guess_file(table).mapping.inferences if "no header" in one.claim]
        assert len(named) == 3
        assert not any(one.sure for one in named)


def test_two_columns_of_prices_or_of_dates_are_left_for_a_person_to_choose() -> None:
    rng = np.random.default_rng(3)
    two_prices = _table([_days(rng), _prices(rng), _prices(rng), rng.choice(["10115", "10117"], ROWS)])
    assert "sale_price" not in _fields(two_prices).values()
    assert "looks like the sale price" in why_no_sales(two_prices, guess_file(two_prices).mapping)
    two_dates = _table([_days(rng), _prices(rng), _days(rng), rng.choice(["10115", "10117"], ROWS)])
    assert "sale_date" not in _fields(two_dates).values()


def test_numbers_that_are_not_round_are_no_prices() -> None:
    rng = np.random.default_rng(4)
    ids = rng.permutation(np.arange(1_000_001, 1_000_001 + 7 * ROWS, 7))
    found = _fields(_table([_days(rng), ids, rng.choice(["10115", "10117"], ROWS)]))
    assert "sale_price" not in found.values()
