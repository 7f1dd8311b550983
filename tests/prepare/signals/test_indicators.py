"""Dated indicators: read from tables in either shape, every row counted, and known on a day only from days before."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collect.mapping import MappedTable
from core.prepare.signals.indicators import (
    DAY,
    NAME,
    VALUE,
    joined_indicators,
    moves,
    new_words,
    read_indicators,
    values_before,
)
from core.schema import Source


def mapped(frame: pd.DataFrame) -> MappedTable:
    problems = pd.DataFrame()
    return MappedTable("rates.csv", Source.INDICATORS, "a" * 64, frame, problems, (), len(frame))


def weeks(count: int, start: str = "2024-01-04") -> pd.Series:
    return pd.Series(pd.date_range(start, periods=count, freq="7D"))


def series(values: list[float], start: str = "2024-01-04", name: str = "Mortgage rate") -> pd.DataFrame:
    return pd.DataFrame({NAME: name, DAY: weeks(len(values), start), VALUE: values}).astype({NAME: "str"})


def test_each_column_of_figures_is_an_indicator() -> None:
    frame = pd.DataFrame({DAY: weeks(3), "x_mortgage_rate": [6.0, 6.1, 6.2], "x_listings": [900.0, np.nan, 950.0]})
    new, account = read_indicators(mapped(frame), None)
    assert new.groupby(NAME)[VALUE].apply(list).to_dict() == {
        "Listings": [900.0, 950.0],
        "Mortgage rate": [6.0, 6.1, 6.2],
    }
    assert (account.accepted, account.rows_in) == (3, 3)


def test_names_beside_values_are_the_indicators_and_every_row_is_counted() -> None:
    frame = pd.DataFrame(
        {
            DAY: [*weeks(3), pd.NaT, pd.Timestamp("2024-01-04"), pd.Timestamp("2024-02-01")],
            NAME: ["Rate", "Rate", "Sales", "Rate", "Rate", "Rate"],
            VALUE: [6.0, 6.1, 80.0, 6.2, 6.4, np.nan],
        }
    )
    new, account = read_indicators(mapped(frame), None)
    # Of two values for one day the later row counts.
    assert new[new[NAME] == "Rate"][VALUE].tolist() == [6.4, 6.1]
    assert (account.accepted, account.duplicate, account.rejected) == (3, 1, 2)
    assert account.reasons == {"date_missing": 1, "no_value": 1, "repeated_row": 1}


def test_names_of_one_file_that_differ_in_case_blanks_and_underscores_are_one_series() -> None:
    names = ["Active listings", "active_listings", " ACTIVE  LISTINGS", "Active listings (new)"]
    new, _ = read_indicators(mapped(pd.DataFrame({DAY: weeks(4), NAME: names, VALUE: [1.0, 2.0, 3.0, 4.0]})), None)
    assert new.groupby(NAME)[VALUE].apply(list).to_dict() == {
        "Active listings": [1.0, 2.0, 3.0],
        "Active listings (new)": [4.0],
    }


@pytest.mark.parametrize("spelling", ["MORTGAGE RATE", "mortgage_rate", "MortgageRate"])
def test_what_is_held_is_known_already_and_a_series_spelled_otherwise_is_the_same(spelling: str) -> None:
    held = series([6.0, 6.1, 6.2])
    frame = pd.DataFrame({DAY: weeks(4), NAME: spelling, VALUE: [6.0, 6.1, 6.5, 6.3]})
    new, account = read_indicators(mapped(frame), held)
    assert new[VALUE].tolist() == [6.5, 6.3]
    assert (account.accepted, account.reasons) == (2, {"already_held": 2})
    joined = joined_indicators(held, new)
    assert joined is not None
    assert joined[VALUE].tolist() == [6.0, 6.1, 6.5, 6.3]
    assert joined[NAME].unique().tolist() == ["Mortgage rate"]


def test_without_new_values_nothing_changes() -> None:
    held = series([6.0, 6.1])
    new, account = read_indicators(mapped(pd.DataFrame({DAY: weeks(2), "x_mortgage_rate": [6.0, 6.1]})), held)
    assert joined_indicators(held, new) is None
    assert account.accepted == 0
    assert new_words(new, "USD") == ""


def test_new_values_are_said_with_their_days_as_the_market_writes_them() -> None:
    assert new_words(series([6.0, 6.1]), "USD") == (
        "New market indicators: Mortgage rate (2 values from Jan 4, 2024 to Jan 11, 2024)."
    )


@given(values=st.lists(st.floats(0.1, 20.0), min_size=8, max_size=8), day=st.integers(1, 60))
def test_no_value_of_the_day_or_later_is_known(values: list[float], day: int) -> None:
    wanted = pd.Series([pd.Timestamp("2024-01-04") + pd.Timedelta(days=day)])
    table = series(values)
    later = table[DAY] >= wanted[0]
    changed = table.assign(**{VALUE: table[VALUE].mask(later, 99.0)})
    found = values_before(table, wanted)["Mortgage rate"][0]
    assert found == values_before(changed, wanted)["Mortgage rate"][0]
    assert found == table[~later][VALUE].iloc[-1]


def test_before_the_first_value_and_long_after_the_last_nothing_is_known() -> None:
    wanted = pd.Series(pd.to_datetime(["2024-01-04", "2024-01-05", "2024-05-20", "2025-01-01"]))
    found = values_before(series([6.0, 6.1, 6.2]), wanted)["Mortgage rate"]
    assert found.isna().tolist() == [True, False, True, True]


def test_a_move_is_from_what_was_known_before_one_day_to_what_was_known_before_another() -> None:
    [move] = moves(series([6.0, 6.1, 6.2, 7.0, 8.1]), date(2024, 1, 11), date(2024, 2, 1))
    assert (move.before, move.before_day, move.now, move.now_day) == (6.0, date(2024, 1, 4), 7.0, date(2024, 1, 25))
    assert move.by == pytest.approx(1.0)
    assert moves(series([6.0]), date(2023, 1, 1), date(2024, 2, 1)) == ()
