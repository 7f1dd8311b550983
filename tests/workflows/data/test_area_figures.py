"""Figures of neighborhoods that a market holds: later sales of an area get them, and nothing else is made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.collect.join_keys import known_on
from core.store import Market
from core.workflows.data.area_figures import AreaFill, Brought, with_area_figures
from core.workflows.data.effect_words import idle_files, open_doubts
from core.workflows.data.versions import undo_version
from core.workspace import Workspace
from tests.postgresql import ON_BOTH
from tests.workflows.data.test_intake import HEADER, rows, write
from tests.workflows.data.test_late_facts import AREAS, sales_of, take_in

BY_ZIP = Brought(("zipcode",), ("school_rating", "x_median_income"))


@ON_BOTH
def test_later_sales_get_the_figures_that_the_market_holds(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    take_in(workspace, market, write(tmp_path, HEADER + rows(50)), write(tmp_path, AREAS, "areas.csv"))
    report = take_in(workspace, market, write(tmp_path, HEADER + rows(25, start=50), "later.csv"))
    after = sales_of(workspace, report)
    assert after["x_median_income"].notna().equals(after["zipcode"].ne("00104"))
    assert after.loc[after["zipcode"] == "00102", "x_median_income"].eq(41_800).all()
    fill = report.preview.area_fill
    assert (fill.sales, fill.without, fill.new) == (20, 5, 25)
    assert fill.by_fact == {"school_rating": 20, "x_median_income": 20}
    assert fill.words == (
        "20 new sales get 2 neighborhood figures that the market already holds for the area. 5 of 25 new sales have "
        "none of the market's neighborhood figures: add a neighborhood file with their areas."
    )
    # The same sales again are known, and change nothing.
    again = take_in(workspace, market, write(tmp_path, HEADER + rows(25, start=50), "again.csv"))
    assert (again.changed, again.preview.area_fill) == (False, AreaFill())


def test_figures_of_an_undone_file_are_not_held(workspace: Workspace, market: Market, tmp_path: Path) -> None:
    take_in(workspace, market, write(tmp_path, HEADER + rows(50)))
    undo_version(
        workspace, take_in(workspace, market, write(tmp_path, AREAS, "areas.csv")).version.version_id, "a trial"
    )
    report = take_in(workspace, market, write(tmp_path, HEADER + rows(25, start=50), "later.csv"))
    assert report.preview.area_fill == AreaFill()
    assert "x_median_income" not in sales_of(workspace, report)


def test_the_facts_of_sales_files_are_no_figures_of_areas(workspace: Workspace, market: Market, tmp_path: Path) -> None:
    rated = [f"{line},3" for line in rows(50).splitlines()]
    header = HEADER.replace("\n", ",school rating\n")
    take_in(workspace, market, write(tmp_path, header + "\n".join(rated) + "\n"))
    report = take_in(workspace, market, write(tmp_path, HEADER + rows(25, start=50), "later.csv"))
    assert report.preview.area_fill == AreaFill()
    assert sales_of(workspace, report)["school_rating"].notna().sum() == 50


def stored(**columns: object) -> pd.DataFrame:
    held = {"zipcode": [f"{1 + n // 2:05}" for n in range(40)], "school_rating": [float(n // 2 % 5) for n in range(40)]}
    return pd.DataFrame({**held, **columns})


def test_an_area_with_several_values_gives_none_and_no_value_of_a_sale_changes() -> None:
    held = stored()
    held.loc[1, "school_rating"] = 4.5
    new = pd.DataFrame(
        {"zipcode": ["1", "00002-1234", "00003", "77777"], "school_rating": [np.nan, np.nan, 0.5, np.nan]}
    )
    filled, fill = with_area_figures(new, held, [BY_ZIP])
    assert filled["school_rating"].tolist()[1:3] == [1.0, 0.5]
    assert filled["school_rating"].isna().tolist() == [True, False, False, True]
    assert (fill.sales, fill.without, fill.new) == (1, 2, 4)


def test_a_column_that_differs_from_home_to_home_is_no_figure_of_an_area() -> None:
    # Of a single sale in an area nobody can tell its own fact from the area's, but the other areas tell.
    held = stored(school_rating=[float(n % 7) for n in range(40)])
    held = pd.concat([held, pd.DataFrame({"zipcode": ["00099"], "school_rating": [2.0]})], ignore_index=True)
    filled, fill = with_area_figures(pd.DataFrame({"zipcode": ["00099"]}), held, [BY_ZIP])
    assert (fill.sales, fill.without) == (0, 1)
    assert "school_rating" not in filled


def test_figures_joined_by_the_name_of_a_neighborhood_are_given_by_it() -> None:
    held = stored(neighbourhood=["North", "South"] * 20, school_rating=[1.0, 2.0] * 20)
    new = pd.DataFrame({"zipcode": ["00001", "88888"], "neighbourhood": ["south", "NORTH"]})
    filled, fill = with_area_figures(new, held, [Brought(("zipcode", "neighbourhood"), ("school_rating",))])
    assert filled["school_rating"].tolist() == [2.0, 1.0]
    assert fill.by_fact == {"school_rating": 2}


def test_an_area_with_figures_by_date_gives_the_latest_known_before_the_sale_and_never_a_later_one() -> None:
    months = pd.date_range("2023-01-10", periods=12, freq="MS")
    rows = [(f"0000{area}", day, 10.0 * area + (day >= months[6])) for day in months for area in (1, 2) for _ in (0, 1)]
    held = pd.DataFrame(rows, columns=["zipcode", "sale_date", "x_median_income"])
    days = ["2023-02-01", "2023-05-15", "2023-08-01", "2023-09-02", "2025-01-01", "2023-09-02"]
    new = pd.DataFrame({"zipcode": ["00001"] * 5 + ["00009"], "sale_date": pd.to_datetime(days)})
    filled, fill = with_area_figures(new, held, [BY_ZIP])
    # Nothing was known before the first stored sale, and the second figure is of August on.
    assert filled["x_median_income"].fillna(-1.0).tolist() == [-1.0, 10.0, 10.0, 11.0, 11.0, -1.0]
    assert (fill.sales, fill.without, fill.new) == (4, 2, 6)
    # A fact that differs from home to home in one month is none of the area.
    homes = held.assign(x_median_income=[float(n % 7) for n in range(len(held))])
    assert with_area_figures(new, homes, [BY_ZIP])[1].sales == 0


MONTHS = "zip code,month,median income\n" + "".join(
    f"0010{area},2024-{month:02}-01,{area * 1000 + month}\n" for area in range(4) for month in range(1, 7)
)


def known_then(sales: pd.DataFrame) -> pd.Series:
    """The figure of MONTHS known before each sale: that of the month before it, of June at most."""
    day = sales["sale_date"] - pd.Timedelta(days=1)
    # On the day after a month's end, its figure is known.
    last = ((day.dt.year - 2024) * 12 + day.dt.month - 1 + day.dt.is_month_end).clip(upper=6)
    area = sales["zipcode"].str[-1].astype(float)
    return (area * 1000 + last).where(last.ge(1) & area.lt(4))


@pytest.mark.parametrize("together", [True, False], ids=["with the sales", "later"])
def test_figures_by_month_come_to_each_sale_as_known_before_its_day(
    workspace: Workspace, market: Market, tmp_path: Path, together: bool
) -> None:
    sales, areas = write(tmp_path, HEADER + rows(50)), write(tmp_path, MONTHS, "by_month.csv")
    if not together:
        take_in(workspace, market, sales)
    report = take_in(workspace, market, *([sales] if together else []), areas)
    after = sales_of(workspace, report)
    expected = known_then(after)
    assert expected.nunique() > 10
    pd.testing.assert_series_equal(after["x_median_income"], expected, check_names=False)
    assert not {"indicator_day", "x_month"} & set(after)
    [figures] = [one for one in report.preview.files if one.source == "neighbourhood"]
    assert (figures.rows_in, figures.accepted) == (24, 24)
    # Sales that come later get what a stored sale before them had, and never what became known only after them.
    later = take_in(workspace, market, write(tmp_path, HEADER + rows(25, start=50), "later.csv"))
    new = sales_of(workspace, later).tail(25)
    given = new["x_median_income"].dropna()
    assert len(given)
    assert given.le(known_then(new).reindex(given.index)).all()


def test_a_figure_by_date_that_all_stored_sales_have_is_not_given_to_an_earlier_sale() -> None:
    held = pd.DataFrame({"zipcode": ["00001"] * 3, "x_median_income": [5.0] * 3})
    held["sale_date"] = pd.to_datetime(["2023-05-01", "2023-06-01", "2023-07-01"])
    new = pd.DataFrame({"zipcode": ["00001"] * 2, "sale_date": pd.to_datetime(["2023-01-01", "2023-06-02"])})
    by_date = Brought(("zipcode",), ("x_median_income",), by_date=True)
    assert with_area_figures(new, held, [by_date])[0]["x_median_income"].fillna(-1).tolist() == [-1, 5.0]


@pytest.mark.parametrize(
    ("days", "known"),
    [
        (["2022-01-01", "2023-01-01"], ["2022-12-31", "2023-12-31"]),
        (["2022-01-01", "2022-04-01"], ["2022-03-31", "2022-06-30"]),
        (["2022-02-01", "2022-03-01"], ["2022-02-28", "2022-03-31"]),
        (["2022-02-01", "2022-03-15"], ["2022-02-01", "2022-03-15"]),
    ],
)
def test_the_first_day_of_a_period_stands_for_the_whole_of_it(days: list[str], known: list[str]) -> None:
    assert known_on(pd.Series(pd.to_datetime(days))).dt.strftime("%Y-%m-%d").tolist() == known


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            # Two rows for each area and day.
            "zipcode,year,month,income\n"
            + "".join(f"0010{n % 4},{2021 + n // 8},{1 + n // 4 % 2},{n}000\n" for n in range(16)),
            "name no home",
        ),
        (
            # The years after the sales.
            "zipcode,year,median income\n" + "".join(f"0010{n % 4},{2031 + n // 4},{n}000\n" for n in range(8)),
            "matches a sale",
        ),
        ("zipcode,median income\n00901,5000\n00902,6000\n00903,7000\n", "none of its 3 rows matches a sale"),
    ],
)
def test_a_file_beside_sales_that_adds_nothing_is_a_doubt_that_says_why(
    workspace: Workspace, market: Market, tmp_path: Path, text: str, why: str
) -> None:
    report = take_in(workspace, market, write(tmp_path, HEADER + rows(50)), write(tmp_path, text, "areas.csv"))
    [words] = idle_files(report.preview.files)
    assert words.startswith("areas.csv adds nothing: ")
    assert why in words
    seen = report.preview
    assert words in open_doubts(seen.tables, seen.elsewhere, seen.leaks, seen.files)
