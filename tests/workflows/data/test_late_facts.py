"""A tax roll and neighborhood figures that come after the sales: what is missing is filled in, nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.errors import MappingError, NoUsableRows, SalesElsewhere
from core.progress import silent
from core.states import SaleDecision
from core.store import Market
from core.workflows.data.effect_words import gained_words, idle_files
from core.workflows.data.intake import IntakeReport, ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.data.scrutiny import Choice, apply_decisions, decide, review_queue, take_back
from core.workflows.data.versions import undo_version
from core.workflows.source_files.reading import SourceFile
from core.workspace import Workspace
from tests.postgresql import ON_BOTH
from tests.workflows.data.test_intake import HEADER, rows, write

AREAS = "zip code,median income,school rating\n" + "".join(f"0010{n},{40_000 + 900 * n},{2 + n}\n" for n in range(4))


def take_in(workspace: Workspace, market: Market, *files: SourceFile) -> IntakeReport:
    return ingest(workspace, market.market_id, files, silent)


def sales_of(workspace: Workspace, report: IntakeReport) -> pd.DataFrame:
    return workspace.store.versions.load(report.version.version_id)


def rows_without_years(count: int) -> str:
    return "".join(line.rsplit(",", 1)[0] + "\n" for line in rows(count).splitlines())


def sales_by_home(workspace: Workspace, version_id: str) -> pd.DataFrame:
    return workspace.store.versions.load(version_id).set_index("property_id")


@pytest.mark.parametrize("again", [False, True], ids=["alone", "beside sales that are known"])
def test_figures_of_areas_come_to_the_stored_sales(
    workspace: Workspace, market: Market, tmp_path: Path, again: bool
) -> None:
    sales = write(tmp_path, HEADER + rows(50))
    before = take_in(workspace, market, sales)
    areas = write(tmp_path, AREAS, "areas.csv")
    report = take_in(workspace, market, *([sales] if again else []), areas)
    assert report.changed
    after = sales_of(workspace, report)
    in_four_of_five = after["zipcode"].ne("00104")
    assert after["x_median_income"].notna().equals(in_four_of_five)
    assert after.loc[after["zipcode"] == "00102", "x_median_income"].eq(41_800).all()
    assert report.preview.gained == {"x_median_income": 40, "school_rating": 40}
    assert report.preview.new_sales == report.preview.corrected_sales == 0
    assert len(report.preview.changed_rows) == 40
    assert report.preview.files[-1].reasons == {"matched": 4}
    # All else is as it was, and the undone version gives back what was.
    pd.testing.assert_frame_equal(after[sales_of(workspace, before).columns], sales_of(workspace, before))
    assert undo_version(workspace, report.version.version_id, "a trial").restored == before.version


def test_the_same_figures_again_change_nothing(workspace: Workspace, market: Market, tmp_path: Path) -> None:
    take_in(workspace, market, write(tmp_path, HEADER + rows(50)))
    areas = write(tmp_path, AREAS, "areas.csv")
    take_in(workspace, market, areas)
    with pytest.raises(NoUsableRows, match="match stored sales, which have these facts already"):
        take_in(workspace, market, areas)


@ON_BOTH
def test_a_tax_roll_fills_what_is_missing_and_changes_no_stored_fact(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    short = HEADER.replace(",year built", "")
    before = take_in(workspace, market, write(tmp_path, short + rows_without_years(50)))
    roll = "parcel number,living area sqft,year built,assessed value\n" + "".join(
        f"{100 + n},{9_000},{1900 + n if n else 3050},{200_000 + n}\n" for n in range(30)
    )
    report = take_in(workspace, market, write(tmp_path, roll, "tax_roll.csv"))
    after = sales_of(workspace, report).set_index("property_id")
    # Year 3050 is no year: what a file brings later is cleaned as what comes with a sale.
    assert after["year_built"].isna()["100"]
    assert after.loc["129", "year_built"] == 1929
    assert after["year_built"].notna().sum() == report.preview.gained["year_built"] == 29
    assert after["living_area_sqft"].tolist() == sales_of(workspace, before)["living_area_sqft"].tolist()
    # A value assessed after the sale may know its price.
    assert "assessed_value" not in after or after["assessed_value"].isna().all()


def test_a_jump_in_assessed_value_comes_with_later_sales_and_to_no_earlier_one(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    # All values rose by 10%, but that of home 130 by 43%; the roll is of the middle of the year.
    roll = "parcel number,zip code,assessed value,prior assessed value,assessment date\n" + "".join(
        f"{100 + n},0010{n % 5},{(143_000 if n == 30 else 110_000) + 1_100 * n},{100_000 + 1_000 * n},2024-06-15\n"
        for n in range(50)
    )
    report = take_in(workspace, market, write(tmp_path, HEADER + rows(50)), write(tmp_path, roll, "tax_roll.csv"))
    after = sales_of(workspace, report).set_index("property_id")
    later = after["sale_date"] > pd.Timestamp("2024-06-15")
    assert after.loc[later, "assessed_rise"].notna().all()
    assert after.loc[~later, "assessed_rise"].isna().all()
    assert later["130"]
    assert after["assessed_rise"]["130"] == pytest.approx(23.1, abs=0.3)
    assert after.loc[later, "assessed_rise"].drop("130").abs().max() < 1
    # The roll knows it of every home, as each is valued after the roll from now on.
    known = workspace.store.versions.load_roll(report.version.version_id)
    assert known is not None
    assert known["assessed_rise"].notna().all()


def test_a_roll_that_comes_later_tells_the_rise_of_homes_and_of_no_stored_sale(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    take_in(workspace, market, write(tmp_path, HEADER.replace(",year built", "") + rows_without_years(50)))
    roll = "parcel number,zip code,year built,assessed value,prior assessed value,assessment date\n" + "".join(
        f"{100 + n},0010{n % 5},{1950 + n},{110_000 + 100 * n},{100_000 + n},2023-06-15\n" for n in range(50)
    )
    report = take_in(workspace, market, write(tmp_path, roll, "tax_roll.csv"))
    after = sales_of(workspace, report)
    assert "assessed_rise" not in after or after["assessed_rise"].isna().all()
    known = workspace.store.versions.load_roll(report.version.version_id)
    assert known is not None
    assert known["assessed_rise"].notna().all()


def test_a_sale_that_a_person_corrected_stays_so_and_gains_what_it_lacks(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    odd = "777,7 Elm Street,00102,2024-05-05,2250000,1200,3,1990\n"
    take_in(workspace, market, write(tmp_path, HEADER + rows(50) + odd))
    queue = review_queue(workspace, market.market_id).rows.set_index("property_id")
    key = str(queue.loc["777", "key"])
    decide(workspace, market.market_id, [Choice(key, SaleDecision.CORRECT)])
    apply_decisions(workspace, market.market_id)
    take_in(workspace, market, write(tmp_path, AREAS, "areas.csv"))
    # The place is a part of what a decision knows its sale by.
    places = "parcel number,zip code,latitude,longitude,lot sq ft\n777,00102,40.5,-74.5,5000\n"
    report = take_in(workspace, market, write(tmp_path, places, "roll.csv"))
    home = sales_by_home(workspace, report.version.version_id).loc["777"]
    gained = home[["x_median_income", "latitude", "longitude", "lot_area_sqft"]]
    assert (home["sale_price"], *gained) == (225_000, 41_800, 40.5, -74.5, 5_000)
    after = review_queue(workspace, market.market_id).rows.set_index("property_id").loc["777"]
    assert (after["key"], after["decision"], after["decided_value"]) == (key, SaleDecision.CORRECT.value, 225_000)
    # Taken back, it waits with the price it was brought with, and what it gained stays.
    take_back(workspace, market.market_id, [key])
    waiting = workspace.store.versions.load_set_aside(apply_decisions(workspace, market.market_id).version.version_id)
    assert waiting is not None
    assert waiting[["sale_price", "latitude", "x_median_income"]].to_numpy().tolist() == [[2_250_000, 40.5, 41_800]]


def test_a_file_that_matches_no_stored_sale_is_refused_and_says_what_to_check(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    before = take_in(workspace, market, write(tmp_path, HEADER + rows(50)))
    elsewhere = write(tmp_path, AREAS.replace("0010", "9910"), "areas.csv")
    with pytest.raises(NoUsableRows, match="None of their 4 rows matches a stored sale either: check the columns"):
        take_in(workspace, market, elsewhere)
    assert workspace.store.versions.latest(market.market_id) == before.version


@pytest.mark.parametrize("header", ["parcel number,year built,sale date", "address,list price,year built"])
def test_a_file_that_looks_like_sales_or_listings_completes_none(
    workspace: Workspace, market: Market, tmp_path: Path, header: str
) -> None:
    take_in(workspace, market, write(tmp_path, HEADER.replace(",year built", "") + rows_without_years(50)))
    first, _, last = header.split(",")
    lines = "".join(
        f"{100 + n if first == 'parcel number' else f'{n} Oak Street'},"
        f"{1950 + n if last == 'sale date' else 300_000 + n},{'2024-05-05' if last == 'sale date' else 1950 + n}\n"
        for n in range(30)
    )
    with pytest.raises(MappingError, match="holds sales"):
        take_in(workspace, market, write(tmp_path, f"{header}\n{lines}", "odd.csv"))


def test_a_market_without_sales_still_needs_some(workspace: Workspace, market: Market, tmp_path: Path) -> None:
    areas = write(tmp_path, AREAS, "areas.csv")
    for where in (market.market_id, NewMarket("Elsewhere", "USD", "sqft")):
        with pytest.raises(MappingError, match="add it to the market that has the sales"):
            ingest(workspace, where, [areas], silent)


def test_the_words_name_the_most_frequent_facts() -> None:
    gained = {"year_built": 9, "school_rating": 40, "crime_index": 40, "bedrooms": 1}
    assert gained_words(gained, 41) == (
        "41 stored sales gain 4 facts: School rating (1-5) (40), Crime index (40), Year built (9) and 1 more."
    )
    assert gained_words({"bedrooms": 1}, 1) == "1 stored sale gains 1 fact: Bedrooms (1)."


ROLL = "parcel id,lot sq ft,beds,land value,assessed value,assessment date\n"


def thin_sales(start: int, number: int) -> str:
    """Sales with price, day, zip code and parcel number only."""
    return "parcel id,sale price,sale date,zip code\n" + "".join(
        f"P{n:03d},{400_000 + 1_000 * n},2024-06-{1 + n % 28:02d},9800{n % 5}\n" for n in range(start, start + number)
    )


def roll_of(number: int, day: str) -> str:
    return ROLL + "".join(f"P{n:03d},{5_000 + n},3,{90_000 + 10 * n},{300_000 + n},{day}\n" for n in range(number))


@pytest.mark.parametrize(("day", "known"), [("2024-01-01", 10), ("2025-01-01", 0)], ids=["before", "after"])
def test_later_sales_get_what_the_held_roll_has_but_no_value_set_after_them(
    workspace: Workspace, market: Market, tmp_path: Path, day: str, known: int
) -> None:
    take_in(workspace, market, write(tmp_path, thin_sales(0, 20)))
    take_in(workspace, market, write(tmp_path, roll_of(30, day), "roll.csv"))
    report = take_in(workspace, market, write(tmp_path, thin_sales(20, 20), "later.csv"))
    later = sales_of(workspace, report).tail(20)
    assert later["lot_area_sqft"].notna().sum() == later["bedrooms"].notna().sum() == 10
    values = later.reindex(columns=["x_land_value", "assessed_value"]).notna()
    assert values.sum().to_list() == [known, known]
    (words,) = report.preview.fill_words
    assert words.startswith(f"10 new sales get {5 if known else 2} facts of the tax roll that the market already holds")
    assert ("A sale gets Assessed value or Assessment date or Land value from the tax roll only" in words) != bool(
        known
    )
    # The same sales again are known, and change nothing.
    assert not take_in(workspace, market, write(tmp_path, thin_sales(20, 20), "again.csv")).changed


@ON_BOTH
def test_stored_sales_never_get_values_of_a_later_roll_and_the_report_says_so(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    take_in(workspace, market, write(tmp_path, thin_sales(0, 20)))
    report = take_in(workspace, market, write(tmp_path, roll_of(30, "2025-01-01"), "roll.csv"))
    after = sales_of(workspace, report)
    assert after["lot_area_sqft"].notna().all()
    assert not {"x_land_value", "assessed_value", "assessed_on"} & set(after.dropna(axis=1, how="all"))
    words, kept = report.preview.fill_words
    assert words.startswith("Stored sales do not get Assessed value or Assessment date or Land value")
    assert kept == "30 homes of the tax roll are kept for the look-up of homes and for later sales."
    with pytest.raises(NoUsableRows, match=r"all other facts already\. Stored sales do not get Assessed value"):
        take_in(workspace, market, write(tmp_path, roll_of(30, "2025-01-01"), "again.csv"))
    dated = take_in(workspace, market, write(tmp_path, roll_of(30, "2024-01-01"), "dated.csv"))
    assert dated.preview.fill_words[1:] == (
        "30 homes of the tax roll are kept for the look-up of homes and for later sales, 30 of them with other facts "
        "than before.",
        "20 stored sales have all other facts already.",
    )


def test_a_roll_that_comes_later_alone_is_kept_though_no_stored_sale_gains_a_fact(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    full = "parcel id,sale price,sale date,zip code,lot sq ft,beds,land value,assessed value,assessment date\n"
    known = "".join(f"P{n:03d},{400_000 + n},2024-06-05,98001,{5_000 + n},3,,,\n" for n in range(20))
    before = take_in(workspace, market, write(tmp_path, full + known))
    roll = write(tmp_path, roll_of(50, "2024-01-01"), "roll.csv")
    report = take_in(workspace, market, roll)
    assert report.changed
    assert not report.preview.gained
    assert report.preview.fill_words[1:] == (
        "50 homes of the tax roll are kept for the look-up of homes and for later sales.",
        "20 stored sales have all other facts already.",
    )
    pd.testing.assert_frame_equal(sales_of(workspace, report), sales_of(workspace, before))
    # Later sales get its facts; nothing is kept twice, and undoing the version takes the roll away.
    with pytest.raises(NoUsableRows, match="already"):
        take_in(workspace, market, roll)
    later = take_in(workspace, market, write(tmp_path, thin_sales(20, 20), "later.csv"))
    assert sales_of(workspace, later).tail(20)["lot_area_sqft"].notna().all()
    undo_version(workspace, later.version.version_id, "a trial")
    assert undo_version(workspace, report.version.version_id, "a trial").restored == before.version
    assert workspace.store.versions.load_roll(before.version.version_id) is None


def test_a_roll_that_matches_no_sale_is_kept_in_its_market_and_asked_about_elsewhere(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    take_in(workspace, market, write(tmp_path, thin_sales(0, 120)))
    places = "parcel id,zip code,lot sq ft,beds\n"
    unsold = "".join(f"U{n:03d},9800{n % 5},{5_000 + n},3\n" for n in range(30))
    report = take_in(workspace, market, write(tmp_path, places + unsold, "unsold.csv"))
    assert report.preview.homes.news.new == 30
    (doubt,) = idle_files(report.preview.files)
    assert doubt.startswith("unsold.csv completes no sale: none of its 30 rows matches one.")
    with pytest.raises(NoUsableRows, match="matches a stored sale, and the market has these homes already"):
        take_in(workspace, market, write(tmp_path, places + unsold, "unsold.csv"))
    away = write(tmp_path, places + unsold.replace(",9800", ",1200"), "away.csv")
    with pytest.raises(SalesElsewhere, match="None of 30 homes is in a zipcode where this market has sales"):
        take_in(workspace, market, away)


@pytest.mark.parametrize(
    ("day", "known"), [("2024-01-01", 20), ("2025-01-01", 0), ("", 0)], ids=["before", "after", "no day"]
)
def test_a_value_of_the_land_not_known_to_be_set_before_the_sale_is_not_taken_with_the_sales_either(
    workspace: Workspace, market: Market, tmp_path: Path, day: str, known: int
) -> None:
    files = (write(tmp_path, thin_sales(0, 20)), write(tmp_path, roll_of(20, day), "roll.csv"))
    report = take_in(workspace, market, *files)
    after = sales_of(workspace, report)
    values = after.get("x_land_value", pd.Series(dtype=float))
    assert values.notna().sum() == known
    assert after["lot_area_sqft"].notna().all()
    assert ("A sale gets Land value from the tax roll only where" in " ".join(report.preview.fill_words)) == (not known)
    # The roll keeps them for homes that are priced from now on.
    roll = workspace.store.versions.load_roll(report.version.version_id)
    assert roll is not None
    assert roll["x_land_value"].notna().all()


def test_sales_that_lack_nothing_of_a_held_roll_are_taken_in(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    full = "parcel id,sale price,sale date,zip code,lot sq ft,beds\n"
    rows_of = "".join(f"P{n:03d},{400_000 + n},2024-06-05,98001,{5_000 + n},3\n" for n in range(40))
    take_in(workspace, market, write(tmp_path, full + rows_of), write(tmp_path, roll_of(60, "2025-01-01"), "roll.csv"))
    later = "".join(f"P{n:03d},{400_000 + n},2024-07-05,98001,{5_000 + n},3\n" for n in range(40, 50))
    report = take_in(workspace, market, write(tmp_path, full + later, "later.csv"))
    assert report.preview.new_sales == 10
    # No sale lacks a fact that the roll may give: only what it may not is told.
    assert report.preview.fill_words[0].startswith("A sale gets Assessed value or Assessment date or Land value")


def test_files_beside_new_sales_complete_the_stored_sales_as_they_do_alone(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    take_in(workspace, market, write(tmp_path, thin_sales(0, 40)))
    more, roll = write(tmp_path, thin_sales(40, 10), "more.csv"), write(tmp_path, roll_of(60, "2024-01-01"), "roll.csv")
    at_once = take_in(workspace, market, more, roll)
    assert (at_once.preview.new_sales, at_once.preview.completed, at_once.version.rows) == (10, 40, 50)
    assert at_once.preview.gained == {"lot_area_sqft": 40, "bedrooms": 40}
    assert at_once.preview.files[-1].reasons == {"matched": 50, "unmatched": 10}
    assert any(words.startswith("Stored sales do not get Assessed value") for words in at_once.preview.fill_words)
    undo_version(workspace, at_once.version.version_id, "a trial")
    take_in(workspace, market, more)
    apart = take_in(workspace, market, roll)
    facts = ["property_id", "sale_price", "lot_area_sqft", "bedrooms"]
    pd.testing.assert_frame_equal(sales_of(workspace, at_once)[facts], sales_of(workspace, apart)[facts])


def test_what_a_later_roll_has_of_implausible_values_is_told(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    take_in(workspace, market, write(tmp_path, thin_sales(0, 20)))
    roll = roll_of(30, "2024-01-01").replace("P003,5003,3,", "P003,5003,55,")
    report = take_in(workspace, market, write(tmp_path, roll, "roll.csv"))
    assert "1 value of the files left out as not plausible: Bedrooms (1)." in report.preview.fill_words[0]
