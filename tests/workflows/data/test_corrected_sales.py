"""Corrections, near matches and idempotence through the whole intake: what is committed, and what is left alone."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access import Actor, Role
from core.collect.mapping import ColumnMapping, ColumnRule
from core.errors import AccessDenied
from core.problem import Problem
from core.progress import silent
from core.schema import Source
from core.store import Market, Store
from core.workflows.data.inspection import answer_match
from core.workflows.data.intake import IntakeReport, ingest, prepare_intake
from core.workflows.data.market_of_files import NewMarket
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting
from tests.postgresql import ON_BOTH

ANALYST = Actor("ana", Role.ANALYST)
TODAY = date(2026, 1, 1)
HEADER = "sale id,parcel number,address,zip code,sale date,sale price,living area sqft,bedrooms\n"


def line(number: int, price: int = 0, beds: int = 3, sale_id: str | None = None) -> str:
    told = f"S{number}" if sale_id is None else sale_id
    day = f"2024-{1 + number % 12:02}-{1 + number % 27:02}"
    return f"{told},{100 + number},{number} Oak Street,00101,{day},{price or 200_000 + 137 * number},1500,{beds}\n"


FIRST = "".join(line(number) for number in range(30))


def take_in(store: Store, market: Market, problem: Problem, folder: Path, body: str, name: str) -> IntakeReport:
    path = folder / name
    path.write_text(HEADER + body, encoding="utf-8")
    return ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, [SourceFile(path, name)], silent)


def prices(store: Store, report: IntakeReport) -> dict[int, float]:
    sales = store.versions.load(report.version.version_id)
    return dict(zip(sales["intake_row"].tolist(), sales["sale_price"].tolist(), strict=True))


def test_a_correction_supersedes_with_history_and_keeps_its_place(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    first = take_in(store, market, problem, tmp_path, FIRST, "first.csv")
    report = take_in(store, market, problem, tmp_path, line(7, price=260_000) + line(9), "fixed.csv")
    assert report.changed
    assert report.preview.new_sales == 0
    assert report.version.rows == 30
    (account,) = report.preview.files
    assert (account.rows_in, account.accepted, account.duplicate) == (2, 1, 1)
    assert account.reasons == {"already_held": 1, "corrects_earlier": 1}
    assert prices(store, report) == {**prices(store, first), 7: 260_000.0}
    assert report.preview.changed_rows == (7,)
    assert report.preview.corrections.to_dict("records") == [
        {
            "intake_row": 7,
            "home": "7 Oak Street",
            "field": "sale_price",
            "before": "200959",
            "after": "260000",
            "file": "fixed.csv",
            "source_row": 1,
        }
    ]
    ledger = store.versions.ledger(report.version.version_id)
    assert ledger["corrected_row"].tolist() == [7, -1]
    assert '"sale_price": 200959.0' in ledger["before"].iloc[0]
    assert "260000" in ledger["raw"].iloc[0]


def test_neither_the_corrected_nor_the_old_file_again_changes_anything(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    take_in(store, market, problem, tmp_path, FIRST, "first.csv")
    fixed = line(7, price=260_000) + line(8, price=270_000, sale_id="") + line(9, beds=4)
    report = take_in(store, market, problem, tmp_path, fixed, "fixed.csv")
    assert report.preview.changed_rows == (7, 8, 9)
    again = take_in(store, market, problem, tmp_path, fixed, "fixed.csv")
    assert not again.changed
    assert again.preview.files[0].reasons == {"already_held": 3}
    old = take_in(store, market, problem, tmp_path, FIRST, "first.csv")
    assert not old.changed
    assert old.version == report.version
    assert old.preview.files[0].reasons == {"already_held": 27, "superseded_before": 3}


@ON_BOTH
def test_undoing_a_correction_restores_the_sale_and_forgets_it(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    first = take_in(store, market, problem, tmp_path, FIRST, "first.csv")
    before = store.versions.load(first.version.version_id)
    fixed = take_in(store, market, problem, tmp_path, line(7, price=260_000), "fixed.csv")
    restored = store.versions.undo(fixed.version.version_id, ANALYST, "mistaken")
    assert restored == first.version
    pd.testing.assert_frame_equal(store.versions.load(restored.version_id), before)
    old = take_in(store, market, problem, tmp_path, FIRST, "first.csv")
    assert old.preview.files[0].reasons == {"already_held": 30}
    assert take_in(store, market, problem, tmp_path, line(7, price=260_000), "fixed.csv").version == fixed.version


def test_a_correction_in_the_second_of_two_files_taken_in_together(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(HEADER + FIRST)
    (tmp_path / "b.csv").write_text(HEADER + line(7, price=260_000) + line(40))
    files = [SourceFile(tmp_path / name, name) for name in ("a.csv", "b.csv")]
    report = ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, files, silent)
    assert report.version.rows == 31
    assert prices(store, report)[7] == 260_000.0
    again = ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, files, silent)
    assert not again.changed
    assert again.preview.files[0].reasons == {"already_held": 29, "superseded_before": 1}


# Near matches


def near_files(folder: Path) -> list[SourceFile]:
    sales = "address,zip code,sale date,sale price,living area sqft\n12 Mapel St,00101,2024-03-01,300000,1500\n"
    tax = "parcel id,situs address,zip,year built,assessed value\n1,12 Maple Street,00101,1950,250000\n"
    for name, text in (("sales.csv", sales), ("tax.csv", tax)):
        (folder / name).write_text(text)
    return [SourceFile(folder / name, name) for name in ("sales.csv", "tax.csv")]


@pytest.mark.parametrize("same", [True, False])
def test_an_answer_is_remembered_and_joins_only_on_a_yes(
    store: Store, market: Market, problem: Problem, tmp_path: Path, same: bool
) -> None:
    files = near_files(tmp_path)
    before = prepare_intake(acting(store, problem=problem, today=TODAY), market.market_id, files, silent)
    (near,) = before.near_matches
    assert (near.sales_address, near.tax_address) == ("12 Mapel St, 00101", "12 Maple Street, 00101")
    assert "year_built" not in before.sales or before.sales["year_built"].isna().all()
    answer_match(acting(store, ANALYST), market.market_id, near, same)
    after = prepare_intake(acting(store, problem=problem, today=TODAY), market.market_id, files, silent)
    assert after.near_matches == ()
    assert after.sales["year_built"].notna().all() == same
    assert after.matched["tax_by_answer"] == int(same)
    (event,) = (event for event in store.events.list(market.market_id) if event.action == "match.answered")
    assert (event.actor, event.detail["same"]) == ("ana", same)


@ON_BOTH
def test_the_latest_answer_counts_and_markets_to_be_are_answered_for(
    store: Store, problem: Problem, tmp_path: Path
) -> None:
    files, market = near_files(tmp_path), NewMarket("New Town", "USD", "sqft")
    (near,) = prepare_intake(acting(store, problem=problem, today=TODAY), market, files, silent).near_matches
    answer_match(acting(store, ANALYST), market, near, False)
    answer_match(acting(store, ANALYST), market, near, True)
    assert store.matches.of("new-town") == {(near.sales_key, near.tax_key): True}
    assert store.matches.of("elsewhere") == {}
    report = ingest(acting(store, ANALYST, problem, today=TODAY), market, files, silent)
    assert report.preview.matched["tax_by_answer"] == 1


def test_agents_may_not_answer(store: Store, market: Market, problem: Problem, tmp_path: Path) -> None:
    (near,) = prepare_intake(
        acting(store, problem=problem, today=TODAY), market.market_id, near_files(tmp_path), silent
    ).near_matches
    with pytest.raises(AccessDenied):
        answer_match(acting(store, Actor("al", Role.AGENT)), market.market_id, near, True)


# Any table

CELLS = st.fixed_dictionaries(
    {
        "number": st.integers(0, 5),
        "price": st.sampled_from(["", "1", "250000", "$300,000", "oops"]),
        "day": st.sampled_from(["2024-05-01", "2024-06-15", "", "1196-01-01"]),
        "beds": st.sampled_from(["", "3", "1000", "-1"]),
    }
)


FIELDS = {
    "parcel number": ("property_id", "identifier"),
    "zip code": ("zipcode", "postcode"),
    "sale date": ("sale_date", "date"),
    "sale price": ("sale_price", "number"),
    "living area sqft": ("living_area_sqft", "number"),
    "bedrooms": ("bedrooms", "number"),
}
MAPPING = ColumnMapping(
    Source.SALES,
    tuple(ColumnRule(column, field, parse) for column, (field, parse) in FIELDS.items()),
    date_format="%Y-%m-%d",
)


def text_of(rows: list[dict[str, Any]]) -> str:
    """A file with one sound row, so that it is never refused as a whole, and a ragged one."""
    body = "".join(f'{100 + row["number"]},00101,{row["day"]},"{row["price"]}",1500,{row["beds"]}\n' for row in rows)
    return f"{','.join(FIELDS)}\n999,00101,2024-01-01,200000,900,2\n{body}1,2\n"


@given(st.lists(CELLS, max_size=12), st.lists(CELLS, max_size=6), st.integers(0, 99))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_sum_files_repeat_without_effect_and_undo_is_exact(
    store: Store,
    problem: Problem,
    tmp_path: Path,
    first: list[dict[str, Any]],
    more: list[dict[str, Any]],
    seed: int,
) -> None:
    market = store.markets.create(f"Market {len(store.markets.list())}", "USD", "sqft", False, ANALYST)

    def accounted(rows: list[dict[str, Any]]) -> IntakeReport:
        path = tmp_path / "any.csv"
        path.write_text(text_of(rows), encoding="utf-8")
        files = [SourceFile(path, path.name, MAPPING)]
        report = ingest(
            acting(store, ANALYST, problem, today=TODAY), market.market_id, files, silent, misread=[path.name]
        )
        (account,) = report.preview.files
        assert account.rows_in == len(rows) + 2 == len(report.preview.ledgers)
        return report

    before = store.versions.load(accounted(first).version.version_id)
    assert not accounted(random.Random(seed).sample(first, len(first))).changed
    whole = accounted([*first, *more])
    assert whole.preview.new_sales <= len(more)
    if whole.changed:
        restored = store.versions.undo(whole.version.version_id, ANALYST, "test")
        assert restored is not None
        pd.testing.assert_frame_equal(store.versions.load(restored.version_id), before)
