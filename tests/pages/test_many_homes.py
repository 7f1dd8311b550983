"""The tab "Many at once" without a browser: a file in, prices and what was not priced out, every row in the ledger."""

from __future__ import annotations

import sqlite3
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element

from core.collect.reading.reader import read_table
from core.errors import StoreUnavailable
from core.serve.agent.advice import in_short
from core.serve.review.unavailable import UNAVAILABLE
from core.spreadsheet import to_csv, to_xlsx
from core.store import open_store
from core.store.ledger.estimates import Ledger
from core.workflows.pricing.asking_prices import template, to_take_along
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.listing_columns import map_listings
from pages.kit import figures, session
from pages.kit.navigation import PAGES_FOLDER, page_at
from pages.views.pricing import many_homes
from tests.patience import PATIENCE_SECONDS

MARKET = "larkhaven"


@pytest.fixture(autouse=True)
def home(own_small_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DOORSTEP_HOME", str(own_small_store))
    return own_small_store


@pytest.fixture
def area(small_desk: Desk) -> str:
    assert small_desk.bundle is not None
    return next(iter(small_desk.bundle.model.profile.area_codes["zipcode"]))


def opened() -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = "agent"
    app.run()
    app.session_state["how_many"] = "Many at once"
    return app.switch_page(page_at("pricing").script.name).run()


def test_a_link_to_many_homes_opens_them_and_one_to_an_estimate_opens_that() -> None:
    def is_many(app: AppTest) -> bool:
        return bool(app.file_uploader)

    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = "agent"
    app.run()
    app.query_params["how_many"] = "Many at once"
    app = app.switch_page(page_at("pricing").script.name).run()
    assert is_many(app)
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = "agent"
    app = app.run().switch_page(page_at("pricing").script.name).run()
    assert not is_many(app)
    app = next(one for one in app.button if one.label == "Fill with a typical home").click().run()
    app = next(one for one in app.button if one.label == "Price this home").click().run()
    priced_alone = app.query_params["estimate"]
    app.session_state["how_many"] = "Many at once"
    assert is_many(app.run())
    # From another page, as from Estimates.
    app.switch_page(page_at("profile").script.name).run()
    del app.query_params["estimate"]
    assert is_many(app.switch_page(page_at("pricing").script.name).run()), "what was open stays open"
    other = opened()
    other.query_params.clear()
    other.query_params["estimate"] = priced_alone
    assert not is_many(other.switch_page(page_at("pricing").script.name).run())


def priced(content: bytes) -> AppTest:
    app = opened()
    app.file_uploader("listings").upload("homes.csv", content)
    [button] = [button for button in app.button if button.label == "Price the file"]
    return button.click().run()


def rows(area: str) -> bytes:
    """One home to be priced, one without area, one impossible, one formula, one broken line."""
    homes = ("1 Elm St,1680,3", "2 Elm St,,3", "3 Elm St,1680,1000", '"=HYPERLINK(""x"")",=1+1,3', "5 Elm St,1680")
    return "\n".join(["address,living area,bedrooms,zipcode", *(f"{one},{area}" for one in homes)]).encode()


def test_a_file_of_homes_is_priced_and_the_rest_says_why_not(home: Path, area: str) -> None:
    app = priced(rows(area))
    again = opened()
    [button] = [one for one in again.button if one.label.startswith("Open the last file again")]
    assert "homes.csv, 5 rows" in button.label.replace("\\", "")
    again = button.click().run()
    assert [one.value for one in again.metric] == [one.value for one in app.metric]
    assert not [one for one in again.button if one.label.startswith("Open the last file again")]
    assert not app.exception
    counts = {metric.label: metric.value for metric in app.metric}
    assert counts == {"Rows": "5", "Priced": "1", "To correct": "4"}, "in the groups that are listed"
    [prices], [errors, columns] = ([table.value for table in tables] for tables in (app.dataframe, app.table))
    assert prices.columns[0] == "Address"
    assert "**4 rows to correct**" in [one.value for one in app.markdown]
    assert any("Click a row to see what to look at." in one.value for one in app.caption)
    assert prices[["Row", "Address"]].to_numpy().tolist() == [[1, "1 Elm St"]]
    assert prices["Range"][0].startswith("$")
    assert errors["Address"].tolist()[:2] == ["2 Elm St", "3 Elm St"]
    assert errors["Why"][0] == "Living area is missing, and there is no price without it."
    assert not app.info
    assert "Bedrooms cannot be 1,000" in errors["Why"][1]
    assert errors["Row"][2] == 4
    assert "=1+1" in errors["Why"][2]
    assert columns["Read as"].tolist() == ["Address", "Living area", "Bedrooms", "Zipcode"]
    assert [button.label for button in app.get("download_button") if isinstance(button, Element)] == [
        "Template with this market’s facts",
        "Download the prices",
        "As a workbook",
        "Download the rows not priced",
    ]
    assert list((home / "uploads").iterdir()) == []


def test_asking_prices_are_placed_in_the_range_and_the_farthest_comes_first(area: str) -> None:
    homes = [("A1", 1_680, 999_000), ("A2", 1_680, ""), ("A3", 1_680, 20_000), ("A4", 1_690, None)]
    lines = [f"{ref},{size},3,{area},{asking or ''},blue" for ref, size, asking in homes]
    lines += [f"A5,1680,33,{area},,blue", f"A6,59000,3,{area},,blue"]
    app = priced("\n".join(["Ref,living area,bedrooms,zipcode,asking price,colour", *lines]).encode())
    correct, without, _ = (one.value for one in app.table)
    assert (correct["Reference"].tolist(), without["Reference"].tolist()) == (["A5"], ["A6"])
    counts = {metric.label: metric.value for metric in app.metric}
    assert counts == {"Rows": "6", "Priced": "4", "To correct": "1", "Without a price": "1"}
    assert [one.value for one in app.info] == [UNAVAILABLE], "the advice is about homes, not about typing errors"
    table = app.dataframe[0].value
    # What the file holds and no price knows stands above the prices.
    assert [one.value.replace("\\", "") for one in app.warning] == ["1 column not used: “colour” (not recognized)."]
    assert table.columns[0] == "Reference"
    assert table["Reference"].tolist()[:2] == ["A1", "A3"]
    assert [[*place] for place in table["It is"]] == [["above"], ["below"], [], []]
    assert table["Asking price"].tolist()[:2] == ["$999,000", "$20,000"]
    assert table["Difference"][0].startswith("+")
    # Beside each home stands how much there is to look at; the words are in the row that is opened.
    things = table.set_index("Reference")["To look at"].fillna(0)
    assert things["A3"] == things["A2"] + 1


def test_a_home_in_a_file_has_the_price_it_has_alone_for_blank_facts_are_taken_from_its_sale(small_desk: Desk) -> None:
    assert small_desk.live_model is not None
    sales = small_desk.live_model.sales
    newest = int(sales["sale_date"].argmax())
    address, zipcode = str(sales["address"][newest]), str(sales["zipcode"][newest])
    alone = opened()
    alone.session_state["how_many"] = "One home"
    alone.run()
    alone.text_input(f"address-{MARKET}").set_value(address).run()
    alone = next(one for one in alone.button if one.key == "address-0").click().run()
    alone = next(one for one in alone.button if one.label == "Price this home").click().run()
    point = alone.session_state["answered"].result.point
    app = priced(f"address,zipcode,living area,bedrooms\n{address},{zipcode},,\n".encode())
    assert app.dataframe[0].value["Point estimate"][0] == f"${point:,.0f}"
    [taken] = [one.value for one in app.caption if "known by address" in one.value]
    assert "living area" in taken


def test_each_heading_of_the_template_is_read_as_what_it_says(small_desk: Desk, tmp_path: Path) -> None:
    headings = template(small_desk)
    assert headings.columns[:2].tolist() == ["Reference", "Address"]
    filled = pd.DataFrame([dict.fromkeys(headings.columns, "1")])
    path = tmp_path / "template.xlsx"
    path.write_bytes(to_xlsx(filled))
    raw = read_table(path)
    facts = small_desk.bundle.model.facts if small_desk.bundle else None
    assert facts is not None
    _, read = map_listings(raw, facts, "sqft")
    fields = {one.column: one.field for one in read}
    assert fields["Asking price"] == "list_price"
    missing = {*small_desk.asked_first, *small_desk.asked_further} & {*facts.all} - {*fields.values()}
    assert not missing


def test_a_workbook_holds_the_cells_as_they_are_and_no_formula() -> None:
    table = pd.DataFrame({"name": ["=1+1", "Elm St"], "price": [1.5, float("nan")]})
    book = CalamineWorkbook.from_filelike(BytesIO(to_xlsx(table)))
    assert book.get_sheet_by_index(0).to_python() == [["name", "price"], ["=1+1", 1.5], ["Elm St", ""]]


def test_every_row_is_in_the_ledger_once(home: Path, area: str) -> None:
    app = priced(rows(area))
    app.run()
    with open_store(home) as store:
        lines = store.ledger.list(MARKET, 20)
    assert sorted(line.status for line in lines) == ["priced", "refused", "refused", "refused", "unavailable"]
    assert {line.channel for line in lines} == {"file"}


def test_prices_are_shown_with_a_warning_where_the_ledger_cannot_be_written(
    area: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> list[str]:
        raise StoreUnavailable("The disk is full. Free some space.")

    monkeypatch.setattr(Ledger, "append_signed_many", full)
    app = priced(rows(area))
    assert app.dataframe[0].value["Range"][0].startswith("$")
    assert "not recorded: The disk is full" in app.warning[0].value.replace("\\", "")


def test_a_metric_market_reads_areas_without_a_unit_in_square_metres(home: Path, area: str) -> None:
    with sqlite3.connect(home / "doorstep.sqlite") as database:
        database.execute("UPDATE market SET area_unit = 'sqm'")
    app = priced(f"zip,living area\n{area},156\n{area},420\n".encode())
    assert any("read as m²" in str(text.value) for text in app.markdown)
    assert {metric.label: metric.value for metric in app.metric} == {"Rows": "2", "Priced": "2"}
    with open_store(home) as store:
        areas = sorted(
            store.ledger.get(one.estimate_id).facts["living_area_sqft"] for one in store.ledger.list(MARKET, 5)
        )
    assert areas == pytest.approx([156 * 10.7639, 420 * 10.7639], rel=1e-4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"zipcode,living area\n", "no rows"),
        (b"%PDF-1.7 zipcode,living area\n1,2\n", "PDF"),
        (b"zipcode,living area\n" + b"10001,1680\n" * (many_homes.ROWS_MAX + 1), "20,001 rows; at most 20,000"),
    ],
    ids=["empty", "header only", "not text", "too long"],
)
def test_a_file_that_cannot_be_priced_says_why_and_leaves_nothing(home: Path, content: bytes, message: str) -> None:
    app = priced(content)
    [error] = app.error
    assert message in str(error.value).replace("\\", "")
    assert not app.dataframe
    assert list((home / "uploads").iterdir()) == []


def test_what_to_look_at_is_in_an_agents_words_once_each() -> None:
    assert in_short(["imputed fact", "stale model", "drift alert open", "wide range"]) == "prices moved; wide range"
    assert in_short([]) == ""
    assert not any(
        "model" in in_short([kind]) or "alert" in in_short([kind]) for kind in ("stale model", "drift alert open")
    )


def test_amounts_of_any_currency_are_shown_whole_and_the_home_has_what_is_left() -> None:
    table = pd.DataFrame({"Address": ["8 Ramsay Av"], "Range": ["A$1,835,000 to A$3,260,000"]})
    table["Point"] = ["A$2,340,000"]
    wide = figures.widths(table, {"Range": 158, "Point": 106})
    # A digit takes some six and a half pixels, and the cell eight on each side.
    assert wide["Range"] >= 26 * 6.5 + 16
    assert wide["Point"] == 106
    assert sum(wide.values()) == figures.PAGE


def test_an_opened_row_says_what_to_look_at() -> None:
    row = pd.Series(
        {"flags": "out of distribution; imputed fact", "advice": "Check it.\nAsk.", "check_asking_price": True}
    )
    assert many_homes.advised(row) == ["Check the asking price: a digit may be wrong.", "Check it.", "Ask."]
    assert many_homes.looked_at(row) == "check the asking price: a digit may be wrong; unusual fact"
    assert many_homes.looked_at(pd.Series({"flags": "imputed fact"})) == ""


def test_a_file_to_take_along_has_the_words_of_the_screen() -> None:
    flags, sure = ["out of distribution; imputed fact", ""], [0.4105011085381988, 0.2]
    table = pd.DataFrame({"row": [1, 2], "fsd": sure, "flags": flags, "advice": ["Check it.\nAsk.", ""]})
    table = table.assign(asking_price=[900_000.0, np.nan], difference=[0.12345, 0.0], check_asking_price=[True, False])
    taken = to_take_along(table)
    assert list(taken) == ["Row", "Asking price", "Asking price over estimate (%)", "To look at"]
    assert taken["To look at"].tolist() == ["Check the asking price: a digit may be wrong. Check it. Ask.", ""]
    assert taken["Asking price over estimate (%)"].tolist() == [12.3, 0.0]
    assert to_csv(taken).decode("utf-8-sig").splitlines()[1].startswith("1,900000,12.3,")
    refused = pd.DataFrame({"row": [3, 4], "field": ["living_area_sqft", ""]})
    assert to_take_along(refused)["Fact"].tolist() == ["Living area", ""]


def test_cells_that_begin_like_a_formula_are_neutralised_on_export_and_negative_numbers_stay() -> None:
    table = pd.DataFrame({"reason": ["=1+1", "+cmd", "-cmd", "@sum", "plain"], "change": [-1.5, 2.0, -3.0, 0.0, 1.0]})
    lines = to_csv(table).decode("utf-8-sig").splitlines()
    assert lines == ["reason,change", "'=1+1,-1.5", "'+cmd,2.0", "'-cmd,-3.0", "'@sum,0.0", "plain,1.0"]
