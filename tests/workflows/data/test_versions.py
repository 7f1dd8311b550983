"""Two data versions compared, the latest taken back: what changed is told, and what was is there again, exactly."""

from __future__ import annotations

import shlex
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access import Actor, Role
from core.cli.main import main
from core.cli.session import FAILED, OK
from core.errors import AccessDenied, ArtifactCorrupt, InvalidRecord, StaleVersion
from core.installation import program
from core.prepare.quality.column_shifts import column_shifts
from core.states import Stage
from core.store import DataVersion, Market, NewModel, NewVersion, Store
from core.workflows.data.corrected_sales import fact_words
from core.workflows.data.versions import (
    compare_versions,
    earlier_versions,
    history,
    later_versions,
    models_of,
    redo_version,
    undo_version,
)
from tests.acting import acting
from tests.postgresql import ON_BOTH
from tests.store.samples import accounting

ANALYST = Actor("ana", Role.ANALYST)


def sales(rows: int, start: int = 0) -> pd.DataFrame:
    numbers = np.arange(start, start + rows)
    return pd.DataFrame(
        {
            "property_id": pd.Series([f"P{n}" for n in numbers], dtype="str"),
            "zipcode": pd.Series([f"981{n % 3:02}" for n in numbers], dtype="str"),
            "sale_price": 300_000.0 + 100 * (numbers % 97),
            "living_area_sqft": 1_000.0 + 10 * (numbers % 31),
            "sale_date": pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(numbers % 300, unit="D")).astype(
                "datetime64[us]"
            ),
            "intake_row": numbers,
        }
    )


def commit(store: Store, market: Market, table: pd.DataFrame, rows_seen: int, name: str = "a.csv") -> DataVersion:
    latest = store.versions.latest(market.market_id)
    ledger = pd.DataFrame({"file": name, "source_row": range(len(table) + 1), "outcome": "accepted"})
    files = (accounting(name, len(table), f"{rows_seen:064x}"),)
    parent = latest.version_id if latest else None
    return store.versions.commit(
        NewVersion(market.market_id, table, parent, files, ledger, rows_seen, "a note"), ANALYST
    )


@ON_BOTH
def test_a_longer_version_tells_its_new_rows_and_which_facts_were_corrected(store: Store, market: Market) -> None:
    first = commit(store, market, sales(40), 50)
    corrected = sales(40)
    corrected.loc[3, "sale_price"] = 999_000.0
    corrected.loc[3, "zipcode"] = None
    longer = pd.concat([corrected.drop(index=7), sales(5, start=50)], ignore_index=True).assign(x_pool=1.0)
    second = commit(store, market, longer.assign(x_pool=np.nan), 60)
    diff = compare_versions(acting(store, ANALYST), first.version_id, second.version_id)
    assert (diff.added, diff.removed, diff.corrected, diff.same) == (5, 1, 1, 38)
    assert diff.added_rows["intake_row"].tolist() == [50, 51, 52, 53, 54]
    assert diff.removed_rows["intake_row"].tolist() == [7]
    told = diff.changes.set_index("field")
    assert told["intake_row"].tolist() == [3, 3]
    assert told["sale_date"].tolist() == [str(corrected["sale_date"][3].date())] * 2
    assert told["home"].tolist() == ["P3", "P3"]
    assert (told.loc["sale_price", "before"], told.loc["sale_price", "after"]) == ("300300", "999000")
    assert (told.loc["zipcode", "before"], told.loc["zipcode", "after"]) == ("98100", "")
    back = compare_versions(acting(store, ANALYST), second.version_id, first.version_id)
    assert (back.added, back.removed, back.corrected) == (1, 5, 1)


def test_sales_that_only_gained_facts_are_completed_and_not_corrected(store: Store, market: Market) -> None:
    first = commit(store, market, sales(10), 10)
    income = [40_000.0] * 8 + [np.nan] * 2
    other = sales(10).assign(x_income=income)
    other.loc[0, "sale_price"] = 999_000.0
    second = commit(store, market, other, 10, "areas.csv")
    diff = compare_versions(acting(store, ANALYST), first.version_id, second.version_id)
    assert (diff.added, diff.removed, diff.corrected, diff.completed, diff.same) == (0, 0, 1, 7, 2)
    back = compare_versions(acting(store, ANALYST), second.version_id, first.version_id)
    assert (back.corrected, back.completed, back.lost, back.same) == (1, 0, 7, 2)


def test_facts_kept_as_text_are_read_as_in_the_market() -> None:
    assert fact_words("sale_price", "399000", "USD", "sqft") == "$399,000"
    assert fact_words("living_area_sqft", "1076.39", "AUD", "sqm") == "100 m²"
    assert fact_words("sale_date", "2014-05-02", "USD", "sqft") == "May 2, 2014"
    assert fact_words("longitude", "-122.257", "USD", "sqft") == "−122.25700"
    assert fact_words("year_built", "1987", "USD", "sqft") == "1987"
    assert fact_words("bedrooms", "", "USD", "sqft") == "–"


def test_rows_of_an_undone_version_are_not_those_that_took_their_place(store: Store, market: Market) -> None:
    base = commit(store, market, sales(30), 30)
    wrong = commit(store, market, pd.concat([sales(30), sales(10, 30)], ignore_index=True), 40)
    undo_version(acting(store, ANALYST), wrong.version_id, "the wrong county")
    other = sales(6, 30).assign(sale_price=777_000.0)
    right = commit(store, market, pd.concat([sales(30), other], ignore_index=True), 36, "b.csv")
    diff = compare_versions(acting(store, ANALYST), wrong.version_id, right.version_id)
    assert (diff.added, diff.removed, diff.corrected, diff.same) == (6, 10, 0, 30)
    states = {one.version.version_id: one for one in history(acting(store, ANALYST), market.market_id)}
    assert [states[one.version_id].state for one in (base, wrong, right)] == ["earlier", "undone", "in use"]
    assert states[wrong.version_id].reason == "the wrong county"
    assert states[wrong.version_id].undone_by == "ana"


@ON_BOTH
def test_an_undo_restores_the_version_before_exactly_and_keeps_its_models(store: Store, market: Market) -> None:
    first = commit(store, market, sales(30), 30)
    held = store.versions.load(first.version_id)
    second = commit(store, market, sales(40), 40)
    model = store.models.add(NewModel(market.market_id, second.version_id, b"bundle", {"family": "tree"}), ANALYST)
    store.models.promote(model.model_id, ANALYST, "good")
    assert models_of(store, market.market_id) == {second.version_id: (model.model_id,)}
    undone = undo_version(acting(store, ANALYST), second.version_id, "  sent by\nmistake ")
    assert undone.restored == first == store.versions.latest(market.market_id)
    assert undone.models == (model.model_id,)
    assert store.models.champion(market.market_id) == replace(model, stage=Stage.CHAMPION)
    pd.testing.assert_frame_equal(store.versions.load(first.version_id), held)
    assert store.versions.load(second.version_id).equals(sales(40))
    assert undo_version(acting(store, ANALYST), first.version_id, "start anew").restored is None
    assert store.versions.latest(market.market_id) is None


def test_an_undo_needs_a_right_a_reason_and_the_latest_version(store: Store, market: Market) -> None:
    first, second = commit(store, market, sales(30), 30), commit(store, market, sales(40), 40)
    with pytest.raises(AccessDenied):
        undo_version(acting(store, Actor("al", Role.AGENT)), second.version_id, "because")
    for reason in ("", " \n ", "x" * 501):
        with pytest.raises(InvalidRecord, match="reason"):
            undo_version(acting(store, ANALYST), second.version_id, reason)
    with pytest.raises(StaleVersion):
        undo_version(acting(store, ANALYST), first.version_id, "because")
    with pytest.raises(AccessDenied):
        compare_versions(acting(store, Actor("al", Role.AGENT)), first.version_id, second.version_id)
    assert store.versions.latest(market.market_id) == second


@ON_BOTH
def test_an_undone_version_is_in_use_again_as_it_was_once_the_one_it_was_built_on_is(
    store: Store, market: Market
) -> None:
    ann = acting(store, ANALYST)
    first, second, third = (commit(store, market, sales(rows), rows) for rows in (30, 40, 50))
    chain = store.versions.chain(market.market_id)
    with pytest.raises(StaleVersion, match="is in use already"):
        redo_version(ann, second.version_id)
    for version in (third, second):
        undo_version(ann, version.version_id, "a trial")
    assert [one.returnable for one in history(ann, market.market_id)] == [True, True, False]
    with pytest.raises(StaleVersion, match=f"bring {second.version_id} back first"):
        redo_version(ann, third.version_id)
    with pytest.raises(AccessDenied):
        redo_version(acting(store, Actor("al", Role.AGENT)), second.version_id)
    with pytest.raises(InvalidRecord, match="shorten it to 500"):
        redo_version(ann, second.version_id, "x" * 501)
    assert store.versions.latest(market.market_id) == first
    assert redo_version(ann, second.version_id, " no\nmistake ") == second
    assert redo_version(ann, third.version_id) == third
    assert store.versions.chain(market.market_id) == chain
    last, before = store.events.list(market.market_id)[:2]
    assert (last.action, last.subject, before.subject) == ("version.restored", third.version_id, second.version_id)
    assert before.detail["reason"] == "no mistake"
    undo_version(ann, third.version_id, "a trial")
    other = commit(store, market, sales(60), 60)
    with pytest.raises(StaleVersion, match=f"undo {other.version_id} first"):
        redo_version(ann, third.version_id)
    undo_version(ann, other.version_id, "a trial")
    (store.home / "versions" / f"{third.sha256}.parquet").write_bytes(b"altered")
    with pytest.raises(ArtifactCorrupt):
        redo_version(ann, third.version_id)
    assert store.versions.latest(market.market_id) == second


@ON_BOTH
def test_an_older_version_is_undone_with_the_later_ones_that_are_named_and_they_come_back_together(
    store: Store, market: Market
) -> None:
    ann = acting(store, ANALYST)
    first, second, third = (commit(store, market, sales(rows), rows) for rows in (30, 40, 50))
    chain, later = store.versions.chain(market.market_id), (third.version_id,)
    assert [one.later for one in history(ann, market.market_id)] == [(), later, (*later, second.version_id)]
    with pytest.raises(StaleVersion, match=f"{third.version_id} was built on it"):
        undo_version(ann, second.version_id, "the wrong county")
    with pytest.raises(StaleVersion):
        undo_version(ann, first.version_id, "the wrong county", later)
    assert later_versions(ann, second.version_id) == later
    undone = undo_version(ann, second.version_id, "the wrong county", later)
    assert (undone.restored, undone.later) == (first, later)
    assert store.versions.chain(market.market_id) == chain[2:]
    trail = store.events.list(market.market_id)[:2]
    assert [one.subject for one in trail] == [second.version_id, third.version_id]
    assert {one.detail["reason"] for one in trail} == {"the wrong county"}
    records = {one.version.version_id: one for one in history(ann, market.market_id)}
    assert records[third.version_id].returnable
    assert records[third.version_id].earlier == earlier_versions(ann, third.version_id) == (second.version_id,)
    assert redo_version(ann, third.version_id, earlier=(second.version_id,)) == third
    assert store.versions.chain(market.market_id) == chain


def test_the_command_line_names_what_goes_with_a_version_and_undoes_and_brings_back_all_in_one_step(
    store: Store, market: Market, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = (commit(store, market, sales(rows), rows) for rows in (30, 40, 50))
    home, undo_reason = ["--home", str(store.home)], ["--reason", "the wrong county"]
    # The beginning of an id is enough, and what is to be repeated can be copied whole.
    assert main(["undo-version", second.version_id[:8], "--reason", "the wrong county", *home]) == FAILED
    again = copied(capsys.readouterr().err, "can only be undone with it. To do so, repeat: ")
    assert again == ["undo-version", second.version_id, "--later", third.version_id, *undo_reason, *home]
    assert store.versions.latest(market.market_id) == third
    assert main(again) == OK
    back = copied(capsys.readouterr().out, "to take that back: ")
    assert back == ["use-version", third.version_id, "--earlier", second.version_id, *home]
    assert store.versions.latest(market.market_id) == first
    assert main(["undo-version", second.version_id, "--reason", "again", *home]) == FAILED
    assert "is not in use (the latest version of market" in capsys.readouterr().err
    assert main(["use-version", third.version_id, *home]) == FAILED
    assert copied(capsys.readouterr().err, "bring all back together. To do so, repeat: ") == back
    assert main(back) == OK
    assert store.versions.latest(market.market_id) == third
    # A slip of three characters, and what begins no id, name none.
    for typed in ("", second.version_id[:3], "nowhere"):
        assert main(["undo-version", typed, "--reason", "no", *home]) == FAILED
        assert f"There is no data version {typed!r}" in capsys.readouterr().err


def copied(printed: str, before: str) -> list[str]:
    """The arguments of the command that a message ends with."""
    return shlex.split(printed.split(before)[1].partition(". Nothing")[0].removeprefix(program()))


def test_versions_of_two_markets_are_not_compared(store: Store, market: Market) -> None:
    other = store.markets.create("Elsewhere", "USD", "sqft", False, ANALYST)
    first, second = commit(store, market, sales(30), 30), commit(store, other, sales(30), 30)
    with pytest.raises(InvalidRecord, match="two markets"):
        compare_versions(acting(store, ANALYST), first.version_id, second.version_id)


def test_shifts_tell_missing_values_the_middle_and_new_words() -> None:
    before, after = sales(300), sales(300)
    after["living_area_sqft"] *= 10.76
    after.loc[:149, "sale_price"] = np.nan
    after["zipcode"] = "98199"
    by_field = {one.field: one for one in column_shifts(before, after)}
    area, price, codes = (by_field[name] for name in ("living_area_sqft", "sale_price", "zipcode"))
    assert area.quantiles_after[2] / area.quantiles_before[2] == pytest.approx(10.76)
    assert (price.missing_before, price.missing_after) == (0.0, 0.5)
    assert {one.name: (round(one.before, 2), one.after) for one in codes.top}["98199"] == (0.0, 1.0)
    assert all(one.distance is not None and one.distance > 0.25 for one in (area, price, codes))
    still = by_field["sale_date"]
    assert still.distance == pytest.approx(0.0, abs=1e-9)


FRAMES = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(allow_infinity=False), st.just(0.0)),
        st.one_of(st.none(), st.sampled_from(["a", "b", ""])),
    ),
    max_size=25,
).map(
    lambda rows: pd.DataFrame(
        {
            "living_area_sqft": pd.Series([row[0] for row in rows], dtype="float64"),
            "zipcode": pd.Series([row[1] for row in rows], dtype="str"),
        }
    )
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FRAMES, FRAMES)
def test_shifts_of_any_two_tables_are_finite_and_none_of_a_table_with_itself(
    before: pd.DataFrame, after: pd.DataFrame
) -> None:
    for one in column_shifts(before, after):
        assert one.distance is not None
        assert np.isfinite(one.distance)
        assert one.distance >= 0
    assert all(one.distance == pytest.approx(0.0, abs=1e-9) for one in column_shifts(before, before))
