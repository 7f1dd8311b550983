"""A misread column is doubtful once its rows are judged, and a file that changes nothing says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.accounting import FileAccounting, verdict_words
from core.collect.columns.guess import guess_mapping
from core.collect.dates.unread import remedy_of
from core.collect.mapping import MappedTable, apply_mapping
from core.collect.reading.reader import parse_table
from core.errors import FileMisread
from core.schema import Source
from core.wording import market_day
from core.workflows.data.effect_words import left_out_words, uncorrected_words, why_nothing_new
from core.workflows.data.market_of_files import NewMarket
from core.workflows.doubts.columns import with_doubts
from core.workflows.doubts.elsewhere import elsewhere_words
from core.workflows.doubts.misread import misread_words, refuse_misread
from core.workflows.doubts.rejected_rows import ROWS, RowGuess, row_guesses, with_guesses

USD = NewMarket("Testville", "USD", "sqft")


def _account(rows: int, **counts: object) -> FileAccounting:
    outcomes = {"accepted": 0, "repaired": 0, "duplicate": 0, "rejected": 0, "reasons": {}} | counts
    return FileAccounting(file="sales.csv", source=Source.SALES.value, sha256="", rows_in=rows, **outcomes)  # type: ignore[arg-type]


def _table(rows: int, missing: int = 0) -> MappedTable:
    area = pd.Series(np.full(rows, 900.0))
    area.iloc[:missing] = np.nan
    empty = pd.DataFrame()
    frame = pd.DataFrame({"living_area_sqft": area})
    return MappedTable("sales.csv", Source.SALES, "", frame, empty, (), rows, {"living_area_sqft": "Area"})


def _doubts(rows: int, missing: int = 0, **counts: object) -> list[str]:
    table = with_doubts([_table(rows, missing)], [_account(rows, **counts)], USD)[0]
    assert not any(one.sure for one in table.inferences)
    return [f"{one.column}: {one}" for one in table.inferences]


def test_a_column_whose_limits_reject_more_than_one_row_in_twenty_is_doubtful() -> None:
    assert not _doubts(1_000, accepted=950, rejected=50, reasons={"living_area_sqft_impossible": 50})
    (doubt,) = _doubts(1_000, accepted=949, rejected=51, reasons={"living_area_sqft_impossible": 51})
    assert doubt.startswith("Area: taken for the living area, which 51 rows are rejected for")


def test_a_column_of_which_more_than_a_third_is_left_out_is_doubtful() -> None:
    assert not _doubts(300, accepted=200, repaired=100, reasons={"living_area_sqft_implausible": 100})
    (doubt,) = _doubts(300, accepted=199, repaired=101, reasons={"living_area_sqft_implausible": 101})
    assert "101 values are left out" in doubt
    assert _doubts(300, 150, accepted=240, repaired=60, reasons={"living_area_sqft_implausible": 60})


@pytest.mark.parametrize(
    ("duplicate", "rejected", "words"),
    [
        (3_000, 0, "The market already has all of these sales."),
        (1, 2_999, "rejects 2,999 of 3,000 rows (price impossible in 2,999)"),
        (0, 3_000, "rejects 3,000 of 3,000 rows"),
        (
            2_992,
            8,
            "2,992 are sales that the market has, in use or set aside; 8 are rejected (price impossible in 8)",
        ),
    ],
)
def test_a_file_that_changes_nothing_says_whether_it_is_known_or_rejected(
    duplicate: int, rejected: int, words: str
) -> None:
    reasons = {"price_impossible": rejected, "already_held": duplicate}
    why = why_nothing_new([_account(3_000, duplicate=duplicate, rejected=rejected, reasons=reasons)], 3_000)
    assert words in why
    assert ("already has all" in why) == (rejected == 0)
    assert ("1 is a sale that the market has." in why) == (rejected > 0 and duplicate == 1)


def test_rows_that_repeat_others_of_their_file_are_not_counted_as_sales_of_the_market_and_no_reason_is_hidden() -> None:
    reasons = {"price_impossible": 12, "bedrooms_impossible": 11, "price_missing": 10, "no_location": 9, "bad_line": 1}
    repeats = {"already_held": 1_950, "duplicate_row": 7}
    account = _account(2_000, duplicate=1_957, rejected=43, reasons=reasons | repeats)
    why = "price impossible in 12, bedrooms impossible in 11, no price in 10 and 2 other reasons"
    assert why_nothing_new([account], 1_940) == (
        "Of these 2,000 rows, 1,950 are sales that the market has, in use or set aside; 7 repeat another row; 43 are "
        f"rejected ({why})."
    )
    assert verdict_words([account]).endswith(f"43 rejected: {why}).")
    assert left_out_words([_account(50, accepted=6, rejected=43, set_aside=1, reasons=reasons)]) == (
        f"43 rows are rejected ({why}), and 1 doubtful sale is set aside until somebody decides."
    )


@pytest.mark.parametrize(("rows", "words"), [(1, "1 row gives other facts"), (1_200, "1,200 rows give other facts")])
def test_rows_that_would_change_facts_of_a_stored_sale_are_named_with_what_helps(rows: int, words: str) -> None:
    reasons = {"already_held": 3_000, "other_facts": rows}
    why = why_nothing_new([_account(3_000, duplicate=3_000, reasons=reasons)], 3_000)
    assert why.startswith(f"The market already has all of these sales. {words} of a stored sale")
    assert why.endswith("If this file is the right one, undo the earlier files and commit it instead.")


def test_a_file_of_a_few_sales_is_not_to_take_the_place_of_all() -> None:
    files = [_account(60, duplicate=60, reasons={"already_held": 60, "other_facts": 48})]
    words = uncorrected_words(files, 10_806)
    assert "commit it instead" not in words
    assert "A tick in the check (on the command line, --take-facts) takes them" in words
    assert words.endswith(
        "To correct them, bring a file with a sale id, or undo the earlier files and bring all 10,806 sales anew with "
        "the right facts: this one alone has 60 rows."
    )
    assert "commit it instead" in uncorrected_words(files, 60)


@pytest.mark.parametrize(("written", "doubted"), [("INR", True), ("USD", False), ("", False)])
def test_prices_written_in_another_currency_than_the_market_are_doubtful(written: str, doubted: bool) -> None:
    table = replace(_table(100), currency=written, columns={"sale_price": "Amount"})
    found = with_doubts([table], [_account(100, accepted=100)], USD)[0].inferences
    assert [one.column for one in found if not one.sure] == ["Amount"] * doubted
    assert all("written in INR, but those of the market are in USD" in str(one) for one in found)


@pytest.mark.parametrize(("kind", "n"), [("farm", 3), ("mixed use", 1)])
def test_sales_kept_of_what_may_be_no_home_are_doubtful(kind: str, n: int) -> None:
    frame = pd.DataFrame({"property_type": ["condo"] * 20, "validity": ["market"] * 20}).astype("str")
    frame.loc[: n - 1, "validity"] = f"asked: perhaps no home: {kind}"
    table = replace(_table(20), frame=frame, columns={"property_type": "Kind"})
    (doubt,) = with_doubts([table], [_account(20, accepted=20)], USD)[0].inferences
    assert (doubt.column, doubt.sure) == ("Kind", False)
    assert f"{kind!r} in {n} row" in str(doubt)


@pytest.mark.parametrize(
    ("rate", "currency", "words"),
    [
        (200.0, "USD", ""),
        (20_000.0, "USD", "they may be in cents"),
        (14.0, "AED", "they may be prices per area"),
        (336.0, "JPY", "they may be prices per area"),
        (50_000.0, "JPY", ""),
    ],
)
def test_a_median_price_per_area_at_which_no_homes_sell_is_doubtful(rate: float, currency: str, words: str) -> None:
    table = _table(100)
    frame = table.frame.assign(sale_price=rate * table.frame["living_area_sqft"])
    table = replace(table, frame=frame, columns={"sale_price": "Price"})
    found = with_doubts([table], [_account(100, accepted=100)], replace(USD, currency=currency))[0].inferences
    assert [one.column for one in found] == ["Price"] * bool(words)
    assert all(words in str(one) and not one.sure for one in found)


def sold(count: int, **facts: object) -> pd.DataFrame:
    return pd.DataFrame({"sale_price": [300_000.0] * count, **{name: [value] * count for name, value in facts.items()}})


HELD = pd.concat([sold(60, zipcode="98103", latitude=47.6, longitude=-122.3), sold(60, zipcode="98118")])


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (sold(30, zipcode="3056", latitude=-37.7, longitude=144.9), "None of 30 sales is in a zipcode where"),
        (pd.concat([sold(30, zipcode="3056"), sold(1, zipcode="98103-1234")]), "Only 1 of 31 sales is in a zipcode"),
        (pd.concat([sold(30, zipcode="98199"), sold(6, zipcode="98103.0")]), ""),
        (sold(30, zipcode="98103"), ""),
        (sold(3, zipcode="3056"), ""),
        (sold(30), ""),
    ],
)
def test_sales_of_another_place_are_told_of_before_they_are_committed(new: pd.DataFrame, words: str) -> None:
    assert elsewhere_words(new, HELD).startswith(words)
    assert bool(elsewhere_words(new, HELD)) == bool(words)


def test_places_are_compared_by_coordinates_where_there_are_no_codes() -> None:
    held, near = sold(200, latitude=47.6, longitude=-122.3), sold(30, latitude=47.9, longitude=-122.0)
    assert elsewhere_words(near, held) == ""
    assert elsewhere_words(sold(30, latitude=-37.7, longitude=144.9), held).startswith("None of 30 sales is where")
    assert elsewhere_words(near, held.head(0)) == ""


@pytest.mark.parametrize(
    ("unread", "written", "doubted"),
    [
        (["25/11/2024", "13.2.24"], ["05/03/2024", "06/28/2024"], True),
        # The year first leaves no doubt about the order of the others.
        (["25/11/2024", "13.2.24"], ["20240503", "2024-06-28"], False),
        (["soon", "2024-13-40"], ["05/03/2024", "06/28/2024"], False),
        (["31/02/2024"], ["05/03/2024", "06/28/2024"], False),
        ([], ["05/03/2024", "06/28/2024"], False),
    ],
)
def test_days_up_to_the_12th_are_doubted_where_some_dates_stand_the_other_way_round(
    unread: list[str], written: list[str], doubted: bool
) -> None:
    dates = pd.Series(pd.to_datetime(["2024-05-03", "2024-06-28"]).astype("datetime64[us]"))
    problems = pd.DataFrame({"field": "sale_date", "value": pd.Series(unread, dtype="str")})
    frame = pd.DataFrame({"sale_date": dates})
    cells = pd.DataFrame({"Sold": pd.Series(written, dtype="str")})
    table = MappedTable("sales.csv", Source.SALES, "", frame, problems, (), 2, {"sale_date": "Sold"}, cells=cells)
    [found] = with_doubts([table], [_account(2, accepted=2)], USD)
    assert [one.column for one in found.inferences] == (["Sold"] if doubted else [])
    if doubted:
        assert "1 date of a day up to the 12th may be read wrongly" in str(found.inferences[0])
        assert not found.inferences[0].sure


def swapped_sales() -> tuple[pd.DataFrame, MappedTable]:
    """Stored sales, and a file of 60 whose lot areas stand under the price and whose prices under the lot area."""
    steps = pd.Series(range(200), dtype="float64")
    held = pd.DataFrame({"sale_price": 300_000 + 500 * steps, "lot_area_sqft": 4_000 + steps})
    few = steps.head(60)
    new = pd.DataFrame({"sale_price": 4_000 + 3 * few, "lot_area_sqft": 300_000 + 1_600 * few})
    names = {"sale_price": "price", "lot_area_sqft": "sqft_lot"}
    return held, replace(_table(60), frame=new, columns=names)


def test_swapped_columns_are_told_of_before_any_other_doubt_and_refused_where_most_rows_fall() -> None:
    held, table = swapped_sales()
    lost = _account(60, accepted=20, rejected=40, reasons={"price_impossible": 40})
    tables = with_doubts([table], [lost], USD, held)
    unsure = [one for one in tables[0].inferences if not one.sure]
    assert "looks like the stored lot area, which sqft_lot is taken for: their names may be swapped" in str(unsure[0])
    assert not any("prices of whole homes" in one.claim for one in unsure)
    misread = misread_words(tables, [lost])
    with pytest.raises(FileMisread, match=r"40 of 60 rows are rejected.*give --misread"):
        refuse_misread(misread, ())
    refuse_misread(misread, [table.name])
    # Rows of totals are no rejected sales, but swapped columns need somebody's word wherever they are.
    totals = _account(60, accepted=20, rejected=40, reasons={"total_row": 40})
    words = misread_words(with_doubts([table], [totals], USD, held), [totals])["sales.csv"]
    assert "rejected" not in words
    assert "their names may be swapped" in words


def _corrected(n: int, factor: float, spread: float = 0.0) -> pd.DataFrame:
    before = pd.Series(np.linspace(200_000, 900_000, n).round())
    after = before * factor * (1 + spread * np.sin(np.arange(n)))
    fields = {"intake_row": range(n), "field": "sale_price", "file": "sales.csv", "source_row": range(n)}
    return pd.DataFrame({**fields, "before": before.astype("str"), "after": after.astype("str")})


@pytest.mark.parametrize(
    ("rows", "corrections", "words"),
    [
        (600, _corrected(30, 1.06, 0.05), ""),
        (600, _corrected(99, 1.0, 0.2), ""),
        (40, _corrected(40, 1.0, 0.2), ""),
        (600, _corrected(12, 10.0), "corrects the sale price of 12 stored sales, nearly all by the factor 10"),
        (600, _corrected(300, 1 / 1000), "of 300 stored sales, nearly all by the factor 0.001"),
        (600, _corrected(500, 1.0, 0.2), "corrects the sale price of 500 of 1,000 stored sales at once"),
        (90, _corrected(90, 1.0, 0.2), "corrects the sale price of 90 stored sales, in 90 of 90 rows"),
        (90, _corrected(90, 1.07), "of 90 stored sales, nearly all by the factor 1.07"),
        (600, _corrected(30, 0.98), "of 30 stored sales, nearly all by the factor 0.98"),
    ],
)
def test_corrections_of_many_stored_sales_at_once_need_a_word_and_a_few_do_not(
    rows: int, corrections: pd.DataFrame, words: str
) -> None:
    held = sold(1_000)
    table = replace(_table(rows), columns={"sale_price": "Price"}, frame=sold(rows))
    account = _account(rows, accepted=rows)
    doubted = with_doubts([table], [account], USD, held, corrections)
    found = misread_words(doubted, [account])
    assert bool(found) == bool(words)
    assert words in found.get("sales.csv", "")
    # No choice of a column answers it: it is confirmed at the commit.
    assert all(one.of_rows for one in doubted[0].inferences if one.claim.startswith("corrects the"))


def test_corrected_areas_are_told_in_the_unit_of_the_market() -> None:
    corrections = _corrected(30, 10.0).assign(field="living_area_sqft", before="1076", after="10764")
    table = replace(_table(600), columns={"living_area_sqft": "Wohnfläche"}, frame=sold(600))
    market = replace(USD, currency="EUR", area_unit="sqm")
    found = with_doubts([table], [_account(600, accepted=600)], market, sold(1_000), corrections)[0].inferences
    assert any("one changes from 100 m² to 1 000 m²" in str(one).replace("\u202f", " ") for one in found)


@pytest.mark.parametrize(("times", "asked"), [(1.0, False), (1.6, False), (10.0, True), (0.1, True), (100.0, True)])
def test_prices_of_quite_another_level_than_the_stored_ones_need_a_word(times: float, asked: bool) -> None:
    steps = pd.Series(range(200), dtype="float64")
    held = pd.DataFrame({"sale_price": 300_000 + 500 * steps, "living_area_sqft": 900 + 5 * steps})
    table = replace(_table(200), frame=held.assign(sale_price=held["sale_price"] * times))
    table = replace(table, columns={"sale_price": "Price", "living_area_sqft": "Area"})
    account = _account(200, accepted=200)
    assert bool(misread_words(with_doubts([table], [account], USD, held), [account])) == asked


def test_bedrooms_in_quarters_beside_whole_bathrooms_seem_swapped_in_a_new_market_too() -> None:
    frame = pd.DataFrame({"bedrooms": [1.0, 2.25, 2.5, 1.75] * 25, "bathrooms": [2.0, 3.0, 4.0, 3.0] * 25})
    table = replace(_table(100), frame=frame, columns={"bedrooms": "beds", "bathrooms": "baths"})
    account = _account(100, accepted=100)
    words = misread_words(with_doubts([table], [account], USD), [account])["sales.csv"]
    assert "their names may be swapped" in words
    right = replace(table, frame=frame.rename(columns={"bedrooms": "bathrooms", "bathrooms": "bedrooms"}))
    assert misread_words(with_doubts([right], [account], USD), [account]) == {}


def test_rows_without_a_price_are_no_sales_of_another_place() -> None:
    held, new = sold(200, zipcode="98001"), sold(60, zipcode="3000")
    new.loc[:29, "sale_price"] = np.nan
    assert elsewhere_words(new, held).startswith("None of 30 sales is in a zipcode")


def _made_rows(number: int = 160) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    sqft = rng.integers(600, 3_200, number)
    days = pd.Timestamp("2022-01-10") + pd.to_timedelta(rng.integers(0, 640, number), unit="D")
    columns = {
        "Address": [f"{n + 21} Elder Road" for n in range(number)],
        "Sale Date": days.strftime("%Y-%m-%d"),
        "Sale Price": (sqft * rng.uniform(110, 240, number)).round(-2).astype(int),
        "Living Sqft": sqft,
        "Bedrooms": rng.integers(2, 5, number),
        "Year Built": rng.integers(1950, 2019, number),
        "Lot Sqft": rng.integers(4_000, 9_000, number),
        "Zip": rng.choice(["68102", "68104"], number),
    }
    return pd.DataFrame(columns).astype("str")


def _guesses(rows: pd.DataFrame, rejected: Mapping[str, list[int]]) -> tuple[MappedTable, pd.DataFrame, list[RowGuess]]:
    raw = parse_table(rows.to_csv(index=False).encode(), "sales.csv")
    table = apply_mapping(raw, guess_mapping(raw, Source.SALES).mapping)
    ledger = pd.DataFrame({"file": "sales.csv", "source_row": np.arange(1, len(rows) + 1), "outcome": "accepted"})
    ledger = ledger.assign(reasons="", detail="", raw="")
    for code, places in rejected.items():
        ledger.loc[places, ["outcome", "reasons", "detail", "raw"]] = ["rejected", code, f"{code} seen", "[]"]
    return table, ledger, list(row_guesses([table], ledger, "USD"))


@pytest.mark.parametrize(("side", "step"), [("right", 1), ("left", -1)])
def test_rejected_rows_whose_cells_are_moved_by_one_say_so_beside_prices_in_thousands(side: str, step: int) -> None:
    rows, moved, scaled = _made_rows(), list(range(0, 60, 5)), list(range(2, 62, 5))
    at = 3
    for row in moved:
        cells = rows.iloc[row].tolist()
        rows.iloc[row] = [*cells[:at], "", *cells[at:-1]] if step == 1 else [*cells[:at], *cells[at + 1 :], ""]
    rows.loc[scaled, "Sale Price"] = [f"{int(price) / 1_000:g}" for price in rows.loc[scaled, "Sale Price"]]
    codes = {"living_area_sqft_impossible": moved, "price_impossible": scaled}
    table, ledger, guesses = _guesses(rows, codes)
    where = f"12 rows read as if moved by one cell to the {side} from 'Living Sqft' on"
    price = "about a thousandth of the others, as if in thousands"
    assert [one.claim for one in guesses] == [where, f"12 prices are {price}"]
    told = with_guesses(ledger, guesses)
    assert (told["outcome"] == ledger["outcome"]).all()
    how = where.removeprefix("12 rows read ")
    assert set(told.loc[moved, "detail"]) == {f"living_area_sqft_impossible seen; reads {how}"}
    assert set(told.loc[scaled, "detail"]) == {f"price_impossible seen; its price is {price}"}
    counts = {code: len(places) for code, places in codes.items()}
    account = _account(160, accepted=136, rejected=24, reasons=counts)
    # The rows are at fault, not the column in which it shows.
    doubts = with_doubts([table], [account], USD, None, None, guesses)[0].inferences
    assert {one.column for one in doubts if not one.sure} == {ROWS}
    assert not misread_words(with_doubts([table], [account], USD, None, None, guesses), [account])


def test_day_numbers_and_prices_in_thousands_are_told_beside_rows_without_a_price_or_in_other_money() -> None:
    rows, dated, scaled, bare = _made_rows(800), list(range(10)), list(range(20, 30)), list(range(40, 55))
    days = (pd.to_datetime(rows["Sale Date"]) - pd.Timestamp("1899-12-30")).dt.days
    rows.loc[dated, "Sale Date"] = days[dated].astype("str")
    rows.loc[scaled, "Sale Price"] = [f"{int(price) / 1_000:g}" for price in rows.loc[scaled, "Sale Price"]]
    rows.loc[bare, "Sale Price"] = ""
    # The rarest prices are none of which one could tell the factor alone.
    rows.loc[20, "Sale Price"] = f"{0.9 * rows['Sale Price'][60:].astype(float).min() / 1_000:g}"
    codes = {"date_unreadable": dated, "price_impossible": scaled, "price_missing": bare[:5]}
    _, ledger, guesses = _guesses(rows, codes | {"price_other_currency": bare[5:]})
    told = [one.claim for one in guesses]
    assert told == [
        "10 prices are about a thousandth of the others, as if in thousands",
        "10 dates look like Excel day numbers",
    ]
    first = pd.Timestamp(_made_rows(800)["Sale Date"][0])
    assert guesses[1].evidence == f"{days[0]} is {market_day(first, 'USD')}"
    detail = with_guesses(ledger, guesses)["detail"]
    assert detail[dated].str.endswith("; its date looks like an Excel day number").all()
    assert "looks like an Excel day number, of 2014-06-19" in remedy_of("sale_date", "date", " 41809 ", no_day=False)
    assert "recode the word" in remedy_of("sale_date", "date", "98103-1", no_day=False)


def test_a_few_rejected_rows_and_nominal_prices_share_no_guess() -> None:
    rows, nominal = _made_rows(), list(range(0, 60, 4))
    rows.loc[nominal, "Sale Price"] = "100"
    assert _guesses(rows, {"price_impossible": nominal})[2] == []
    rows = _made_rows()
    few = list(range(9))
    rows.loc[few, "Sale Price"] = [f"{int(price) / 1_000:g}" for price in rows.loc[few, "Sale Price"]]
    assert _guesses(rows, {"price_impossible": few})[2] == []
    # Other areas than the limits allow, in cells that stand where they should.
    rows = _made_rows()
    rows.loc[nominal, "Living Sqft"] = "90000"
    assert _guesses(rows, {"living_area_sqft_impossible": nominal})[2] == []
