"""A file of listings: every row is priced as the home alone would be, or says why not, and is in the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from core.access import Actor, Role
from core.collect.reading.reader import read_table
from core.errors import AccessDenied, AnswerUnreadable, FileEmpty, MappingError
from core.problem import Problem
from core.progress import silent
from core.schema import SQFT_PER_SQM
from core.serve.estimate import Estimate
from core.serve.review.unavailable import UNAVAILABLE
from core.serve.words import confidence_words
from core.store import Store, open_store
from core.workflows.pricing.answer_form import answer_form
from core.workflows.pricing.answers import Question, load_answer, price_and_record, recent
from core.workflows.pricing.asking_prices import beside_asking, repeats_words, rows_not_priced, to_take_along
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.pricing.listing_columns import map_listings
from core.workflows.pricing.many_homes import ERROR_COLUMNS, PricedFile, in_file_order, price_file, record_file
from tests.acting import acting

AGENT = Actor("Ann", Role.AGENT)
TODAY = date(2026, 1, 1)


@pytest.fixture
def area(small_desk: Desk) -> str:
    """The busiest zipcode."""
    assert small_desk.bundle is not None
    return next(iter(small_desk.bundle.model.profile.area_codes["zipcode"]))


def priced(desk: Desk, folder: Path, content: str, encoding: str = "utf-8") -> PricedFile:
    path = folder / "homes.csv"
    path.write_bytes(content.encode(encoding))
    return price_file(desk, path, "homes.csv", desk.valuation_date(TODAY), silent, AGENT)


def everything_wrong(area: str) -> str:
    """Rows that are priced, lack a fact, are impossible, hold a formula, are ragged, lie elsewhere."""
    rows = ("1 Elm St,1680,3", "2 Elm St,,3", "3 Elm St,1680,1000", "4 Elm St,=1+1,3", "5 Elm St,1500")
    lines = [f"{row},{area}" for row in rows] + ["6 Elm St,1500,2,00000"]
    return "\n".join(["address,living area,beds,zip", *lines]) + "\n"


def test_a_row_that_cannot_be_priced_says_field_value_reason_and_remedy_and_stops_no_other(
    small_desk: Desk, tmp_path: Path, area: str
) -> None:
    answer = priced(small_desk, tmp_path, everything_wrong(area))
    assert answer.table["row"].tolist() == [1]
    assert answer.table["address"].tolist() == ["1 Elm St"]
    assert answer.counts == {"priced": 1, "unavailable": 2, "refused": 2, "unreadable": 1}
    assert sum(answer.counts.values()) == answer.rows == 6
    assert tuple(answer.errors.columns) == ERROR_COLUMNS
    assert answer.errors[["row", "status", "field", "value"]].to_numpy().tolist() == [
        [2, "unavailable", "living_area_sqft", ""],
        [3, "refused", "bedrooms", "1000"],
        [4, "refused", "living_area_sqft", "=1+1"],
        [5, "unreadable", "", f"5 Elm St,1500,{area}"],
        [6, "unavailable", "location", "00000"],
    ]
    # Another way to value the home is no advice for what somebody forgot or mistyped.
    assert not answer.errors["reason"].str.startswith(UNAVAILABLE).any()
    assert "'=1+1' in column 'living area' is not a number" in answer.errors["reason"][2]
    assert "3 fields where the header and other rows have 4" in answer.errors["reason"][3]
    assert (answer.errors["remedy"] != "").all()


def test_all_rows_come_in_the_order_of_the_file_with_what_names_the_home(
    small_desk: Desk, tmp_path: Path, area: str
) -> None:
    rows = in_file_order(priced(small_desk, tmp_path, everything_wrong(area)))
    assert rows["row"].tolist() == [1, 2, 3, 4, 5, 6]
    assert rows["address"].fillna("").tolist() == [*(f"{n} Elm St" for n in (1, 2, 3, 4)), "", "6 Elm St"]
    assert rows["point"].notna().tolist() == [True, *[False] * 5]


def test_the_answers_are_those_of_the_single_estimate(small_desk: Desk, small_home: Path, tmp_path: Path) -> None:
    with open_store(small_home) as store:
        version = store.versions.latest(small_desk.market.market_id)
        assert version is not None
        sales = store.versions.load(version.version_id)
    homes = sales.drop(columns=["sale_price", "sale_date", "validity"]).head(60)
    content = homes.rename(columns=lambda name: name.removeprefix("x_")).to_csv(index=False)
    answer = priced(small_desk, tmp_path, content)
    as_of = small_desk.valuation_date(TODAY)
    assert len(answer.table) > 50
    for position in (0, 17, len(answer.table) - 1):
        row = answer.table.iloc[position]
        [facts] = answer.homes[answer.homes["source_row"] == row["row"]].to_dict("records")
        alone = small_desk.price({str(name): fact for name, fact in facts.items()}, as_of, 0.8, AGENT)
        assert isinstance(alone, Estimate)
        assert (row["low"], row["point"], row["high"]) == (alone.low, alone.point, alone.high)
        assert (row["confidence"], row["fsd"]) == (alone.promised, pytest.approx(alone.fsd))
        assert row["flags"] == "; ".join(one.kind.value for one in alone.flags), "also those of its comparables"


def test_where_no_test_tells_a_confidence_none_is_shown_anywhere_and_the_ledger_keeps_it_to_be_tested(
    own_store: Store, problem: Problem, tmp_path: Path
) -> None:
    desk = open_desk(own_store, own_store.markets.list()[0].market_id, problem)
    assert desk.live_market is not None
    bundle = desk.live_market.bundle
    bundle = replace(bundle, metrics={**bundle.metrics, "tested": [1.0, 2.0]})
    desk = replace(desk, live_market=replace(desk.live_market, bundle=bundle))
    area = next(iter(bundle.model.profile.area_codes["zipcode"]))
    workspace, facts = acting(own_store, AGENT), {"zipcode": area, "living_area_sqft": 1_680.0}
    question = Question(facts, desk.valuation_date(TODAY), 0.8)
    alone = price_and_record(workspace, desk, question, "page")
    assert isinstance(alone.result, Estimate)
    assert "no test tells" in confidence_words(alone.result, "10%")
    assert answer_form(alone, desk.market)["confidence"] is None
    answer = record_file(workspace, priced(desk, tmp_path, f"zip,living area\n{area},1680\n"), "file")
    assert answer.table["confidence"].isna().all()
    taken = to_take_along(beside_asking(answer))
    assert taken["Confidence (of 100)"].isna().all()
    assert "no test tells" in taken["To look at"][0]
    kept = own_store.ledger.get(answer.table["estimate_id"][0])
    assert kept.confidence == alone.result.confidence > 0
    with pytest.raises(AnswerUnreadable, match=r"estimate \$[\d,]+\. Price the home alone"):
        load_answer(workspace, kept.estimate_id)


def test_a_single_row_keeps_the_markets_own_columns(small_desk: Desk, tmp_path: Path, area: str) -> None:
    assert small_desk.bundle is not None
    assert "x_median_income" in small_desk.bundle.model.facts.numeric
    answer = priced(small_desk, tmp_path, f"zip,living area,median income,colour\n{area},1680,90000,blue\n")
    assert answer.homes["x_median_income"].tolist() == [90_000.0]
    read = {one.column: (one.field, one.why) for one in answer.columns}
    assert read["median income"] == ("x_median_income", "")
    assert read["colour"] == ("", "not recognized")


def test_a_heading_is_trusted_whatever_its_cells_hold(small_desk: Desk, tmp_path: Path, area: str) -> None:
    homes = [f"{name},{area},1680,{year}" for name, year in (("1 Elm St", 1976), ("Castle", 1993), ("The Barn", 1950))]
    answer = priced(small_desk, tmp_path, "\n".join(["Address,Zip,SqFt,Year", *homes]))
    assert [one.field for one in answer.columns] == ["address", "zipcode", "living_area_sqft", "year_built"]
    assert answer.table["address"].tolist() == ["1 Elm St", "Castle", "The Barn"]
    assert answer.homes["year_built"].tolist() == [1976, 1993, 1950]
    # A year that all homes share is that of the list, and a second year of building is said to be one.
    rows = f"Zip,SqFt,Year\n{area},1680,2024\n{area},1700,2024\n"
    assert priced(small_desk, tmp_path, rows).columns[2].field == ""
    rows = f"Zip,SqFt,Built,Construction year\n{area},1680,1976,1976\n{area},1700,1950,1950\n"
    assert priced(small_desk, tmp_path, rows).columns[3].why == "another column gives it"


def test_a_heading_that_is_a_fact_of_the_market_is_no_other_fact(small_desk: Desk, tmp_path: Path, area: str) -> None:
    path = tmp_path / "homes.csv"
    assert small_desk.bundle is not None
    facts = small_desk.bundle.model.facts
    with_rooms = replace(facts, numeric=(*facts.numeric, "x_rooms"))
    for known, content, fields in (
        (with_rooms, "Zip,Rooms,Bedroom", ["zipcode", "x_rooms", "bedrooms"]),
        (with_rooms, "Zip,Rooms,Colour", ["zipcode", "x_rooms", ""]),
        (facts, "Zip,Rooms,Colour", ["zipcode", "bedrooms", ""]),
    ):
        path.write_text(f"{content}\n{area},6,3\n{area},5,2\n", encoding="utf-8")
        _, read = map_listings(read_table(path), known, "sqft")
        assert [one.field for one in read] == fields


def test_a_single_impossible_or_unknown_value_is_not_taken_for_another_column(
    small_desk: Desk, tmp_path: Path, area: str
) -> None:
    answer = priced(small_desk, tmp_path, f"zip,living area,bedrooms\n{area},1680,1000\n")
    assert answer.errors[["status", "field"]].to_numpy().tolist() == [["refused", "bedrooms"]]
    answer = priced(small_desk, tmp_path, f"zip,living area,property type\n{area},1680,castle\n")
    [[status, field, value, reason]] = answer.errors[["status", "field", "value", "reason"]].to_numpy().tolist()
    assert (status, field, value) == ("unavailable", "property_type", "castle")
    assert reason.startswith(UNAVAILABLE)
    assert "No sale the model learned from has the property type castle" in reason
    answer = priced(small_desk, tmp_path, f"zip,living area,zoning\n{area},1680,castle\n")
    assert "unknown category" in answer.table["flags"][0]
    assert answer.table["not_understood"].tolist() == ["zoning “castle”"]
    answer = priced(small_desk, tmp_path, f"zip,living area,year built\n{area},1680,=1+1\n")
    assert answer.errors[["status", "field", "value"]].to_numpy().tolist() == [["refused", "year_built", "=1+1"]]


def test_areas_without_a_unit_are_read_in_the_markets(small_desk: Desk, tmp_path: Path, area: str) -> None:
    content = f"zip,living area,lot\n{area},400,900\n{area},380,800\n"
    metric = replace(small_desk, market=replace(small_desk.market, area_unit="sqm"))
    for desk, factor in ((small_desk, 1.0), (metric, SQFT_PER_SQM)):
        homes = priced(desk, tmp_path, content).homes
        assert homes["living_area_sqft"].tolist() == pytest.approx([400 * factor, 380 * factor])
        assert homes["lot_area_sqft"].tolist() == pytest.approx([900 * factor, 800 * factor])


def test_a_metric_market_is_told_of_a_wrong_area_in_its_own_unit(small_desk: Desk, tmp_path: Path, area: str) -> None:
    metric = replace(small_desk, market=replace(small_desk.market, area_unit="sqm"))
    errors = priced(metric, tmp_path, f"zip,living area\n{area},5\n{area},-3\n").errors
    assert errors["value"].tolist() == ["5", "-3"], "as the file writes it"
    assert errors["reason"].str.contains("Limits are in square feet: 5 m² is 54 sq ft.", regex=False).tolist() == [
        True,
        False,
    ]


def test_a_metric_market_is_told_of_every_wrong_area_of_a_row(small_desk: Desk, tmp_path: Path, area: str) -> None:
    metric = replace(small_desk, market=replace(small_desk.market, area_unit="sqm"))
    rows = f"{area},1000,5,\n{area},4,5,\n{area},,30,9\n"
    errors = priced(metric, tmp_path, f"zip,bathrooms,living area,bedrooms\n{rows}").errors
    told = errors["reason"].str.partition("Limits are in square feet: ")[2]
    assert told.tolist() == ["5 m² is 54 sq ft.", "5 m² is 54 sq ft.", "30 m² is 323 sq ft."]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_file_in_another_encoding_is_read_all_the_same(
    small_desk: Desk, tmp_path: Path, area: str, encoding: str
) -> None:
    answer = priced(small_desk, tmp_path, f"address;zip;living area\n1 Café St;{area};1680\n", encoding)
    assert answer.table["address"].tolist() == ["1 Café St"]


def test_an_asking_price_no_home_has_is_left_out_and_named(small_desk: Desk, tmp_path: Path, area: str) -> None:
    rows = "".join(f"{area},1680,{asking}\n" for asking in ("450000", "0", "", "1"))
    answer = priced(small_desk, tmp_path, f"zip,living area,list price\n{rows}")
    assert answer.table["row"].tolist() == [1, 2, 3, 4]
    assert answer.table["not_understood"].tolist() == ["", "", "", "asking price “1”"]
    assert "“1” must lie between 10,000 and 500,000,000: it was left out." in answer.table["advice"][3]


def test_a_line_of_separators_is_no_home_and_an_asking_price_that_is_none_is_named(
    small_desk: Desk, tmp_path: Path, area: str
) -> None:
    rows = f'{area};1680;"680,000 - 720,000"\n;;\n{area};1700;450000\n;;;\n{area};1710;tbc\n'
    answer = priced(small_desk, tmp_path, f"zip;living area;list price\n{rows}")
    assert answer.rows == 4, "the broken line is one, the blank one is none"
    assert answer.table["row"].tolist() == [1, 2, 4]
    assert answer.errors[["row", "status"]].to_numpy().tolist() == [[3, "unreadable"]]
    told = answer.table["not_understood"].tolist()
    assert told == ["asking price “680,000 - 720,000”", "", "asking price “tbc”"]
    assert "“tbc” is no single amount" in answer.table["advice"][2]
    assert "no single amount" not in answer.table["advice"][1]


def test_all_that_is_wrong_in_a_row_is_named(small_desk: Desk, tmp_path: Path, area: str) -> None:
    content = f"zip,living area,beds,year built,list price\n{area},-5,200,1975,450000\n{area},1680,200,=1+1,1\n"
    first, second = priced(small_desk, tmp_path, content).errors.to_dict("records")
    assert (first["field"], first["value"]) == ("living_area_sqft", "-5")
    for errors, told in (
        (first, ("Living area cannot be -5", "Bedrooms cannot be 200")),
        (second, ("Year built '=1+1' in column", "Bedrooms cannot be 200")),
    ):
        assert [errors["reason"].count(words) for words in told] == [1] * len(told)
        assert "Correct it, or leave it blank" in errors["remedy"]


def test_a_row_that_repeats_another_is_priced_and_named(small_desk: Desk, tmp_path: Path, area: str) -> None:
    content = f"ref,address,living area,zip\nA1,1 Elm St,1680,{area}\nA2,1 Elm St,1680,{area}\n"
    alike = priced(small_desk, tmp_path, content)
    assert repeats_words(alike) == "", "another reference is another row"
    again = priced(small_desk, tmp_path, f"{content}A1,1 Elm St,1680,{area}\n")
    assert again.counts["priced"] == 3
    assert repeats_words(again) == "Row 3 is the same as row 1: each is priced as a home of its own."


def test_files_to_take_along_begin_with_what_tells_the_homes_apart(small_desk: Desk, tmp_path: Path, area: str) -> None:
    content = (
        f"ref,address,living area,zip,asking price\nA1,1 Elm St,1680,{area},450000\nA2,2 Elm St,,{area},460000\n"
        f"A3,3 Elm St,1500,{area},\nA4,4 Elm St,-5,{area},470000\n"
    )
    answer = priced(small_desk, tmp_path, content)
    prices = to_take_along(beside_asking(answer))
    assert list(prices)[:4] == ["Row", "Reference", "Address", "Asking price"]
    assert not {"fsd", "flags", "check_asking_price", "to_look_at"} & {*prices}
    assert {"Low", "High", "Point estimate", "Confidence (of 100)", "To look at"} < {*prices}
    found = prices[["Row", "Reference", "Address"]].to_numpy().tolist()
    assert found == [[1, "A1", "1 Elm St"], [3, "A3", "3 Elm St"]]
    difference = prices["Asking price over estimate (%)"][0]
    assert difference == pytest.approx(100 * (450_000 / prices["Point estimate"][0] - 1), abs=0.051)


def test_the_rows_not_priced_come_with_all_their_columns_and_are_priced_once_corrected(
    own_store: Store, problem: Problem, tmp_path: Path
) -> None:
    desk = open_desk(own_store, own_store.markets.list()[0].market_id, problem)
    assert desk.bundle is not None
    area = next(iter(desk.bundle.model.profile.area_codes["zipcode"]))
    own = ["Ref", "Status", "living area", "zip", "beds", "Year built", "Remarks"]
    rows = f"A1,Active,1680,{area},3,1990,\nA2,Sold,1680,{area},3,3026,near the park\nA3,Active,59000,{area},3,1990,\n"
    answer = record_file(acting(own_store, AGENT), priced(desk, tmp_path, f"{','.join(own)}\n{rows}"), "file")
    others = rows_not_priced(answer)
    told = ["Fact", "As given", "Why", "What helps", "Estimate"]
    assert [*others] == ["Row", *own, "Status (Doorstep)", *told], "a column called like ours is kept"
    assert others["Row"].tolist() == [2, 3]
    assert others[own].fillna("").to_numpy().tolist()[0] == ["A2", "Sold", "1680", area, "3", "3026", "near the park"]
    assert others["As given"][0] == "3026", "as the file writes it"
    assert others["Status (Doorstep)"].tolist() == ["to correct", "without a price"]
    assert others["Estimate"].notna().all()
    # What was said of the rows is no part of them when they come again.
    again = priced(desk, tmp_path, others.to_csv(index=False))
    assert [*rows_not_priced(again)] == [*others][:-1], "not recorded, it has no estimate"
    assert [one.column for one in again.columns] == own
    corrected = others.assign(**{"Year built": "1990", "living area": "1680"})
    assert priced(desk, tmp_path, corrected.to_csv(index=False)).counts["priced"] == 2


def test_every_row_is_in_the_ledger_with_what_is_known_of_it(
    own_store: Store, problem: Problem, tmp_path: Path
) -> None:
    market_id = own_store.markets.list()[0].market_id
    desk = open_desk(own_store, market_id, problem)
    assert desk.bundle is not None
    area = next(iter(desk.bundle.model.profile.area_codes["zipcode"]))
    content = (
        "ref,address,unit,zip,living area,beds,list price\n"
        f"A1,1 N. Elm Street,4,{area},1680,3,450000\nA2,2 Elm,,{area},,3,0\n"
    )
    answer = record_file(acting(own_store, AGENT), priced(desk, tmp_path, content), "file")
    first, second = (own_store.ledger.get(one) for one in in_file_order(answer)["estimate_id"])
    assert (first.status, first.channel, first.actor, first.property_key) == ("priced", "file", "Ann", "1 N ELM ST #4")
    assert (first.point, first.low, first.high) == tuple(answer.table[["point", "low", "high"]].iloc[0])
    assert (first.list_price, first.area, first.level) == (450_000, area, 0.8)
    assert first.facts["living_area_sqft"] == 1_680
    assert "list_price" not in first.facts
    assert (first.model_id, first.version_id, first.level_id) == (
        answer.by.model_id,
        answer.by.version_id,
        answer.by.level_id,
    )
    assert first.level_id
    assert (second.status, second.point, second.list_price) == ("unavailable", None, None)
    assert second.reason.startswith("Living area is missing")
    assert own_store.ledger.count(market_id) == 2
    # In the list of estimates, a row of a file has the file's own name of it and its asking price.
    [line] = recent(acting(own_store, AGENT), market_id, 9)
    assert (line.reference, line.asking_words("USD")) == ("A1", "$450,000")


def test_a_market_without_a_model_prices_nothing(own_store: Store, problem: Problem, tmp_path: Path) -> None:
    bare = own_store.markets.create("Bare", "USD", "sqft", False, AGENT)
    answer = priced(open_desk(own_store, bare.market_id, problem), tmp_path, "zip,living area\n10001,1500\n10002,1\n")
    assert answer.errors["status"].tolist() == ["unavailable", "unavailable"]
    record_file(acting(own_store, AGENT), answer, "file")
    assert own_store.ledger.count(bare.market_id) == 2


def test_a_file_without_rows_or_place_is_refused_whole(small_desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(FileEmpty):
        priced(small_desk, tmp_path, "zip,living area\n")
    for content in ("living area,beds\n1500,3\n1600,4\n", "foo,bar\n1,2\n3,4\n"):
        with pytest.raises(MappingError) as raised:
            priced(small_desk, tmp_path, content)
        assert str(raised.value).startswith("No column says where a home is. Add a column Address")
        assert "Zipcode" in str(raised.value)
        assert "_" not in str(raised.value)


def test_progress_is_told_to_the_end(small_desk: Desk, tmp_path: Path, area: str) -> None:
    path = tmp_path / "homes.csv"
    path.write_text(f"zip,living area\n{area},1500\n", encoding="utf-8")
    told: list[float] = []
    price_file(small_desk, path, "homes.csv", TODAY, lambda done, _: told.append(done), AGENT)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_role_nobody_defined_prices_nothing(small_desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(AccessDenied):
        price_file(small_desk, tmp_path / "x", "x", TODAY, silent, Actor("Sam", "visitor"))  # type: ignore[arg-type]


def test_figures_are_numbers_and_words_are_words(small_desk: Desk, tmp_path: Path, area: str) -> None:
    table = priced(small_desk, tmp_path, everything_wrong(area)).table
    assert all(pd.api.types.is_numeric_dtype(table[name]) for name in ("low", "high", "point", "confidence", "fsd"))
    assert table["flags"].str.contains("imputed fact").all()
