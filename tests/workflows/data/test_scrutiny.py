"""The review queue: doubtful sales wait, a person decides, the decision is remembered, and taking it back restores."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.access import Actor, Role
from core.accounting import verdict_words
from core.errors import AccessDenied, InvalidRecord, NotFound
from core.progress import silent
from core.states import Family, SaleDecision
from core.store import NewVersion, Store, open_store
from core.train.trainer import default_plan
from core.workflows.data.intake import IntakeReport, ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.data.sale_pool import sale_keys
from core.workflows.data.scrutiny import Applied, Choice, apply_decisions, decide, review_queue, take_back
from core.workflows.data.stored_repairs import repair_stored, stored_repairs
from core.workflows.data.versions import undo_version
from core.workflows.source_files.reading import SourceFile
from core.workflows.training import train_model
from core.workspace import Workspace
from tests.acting import acting
from tests.doubtful_market import Doubtful, doubtful_sales

ANALYST = Actor("Ana", Role.ANALYST)
TODAY = date(2025, 1, 1)
FILE = doubtful_sales()
MARKET = "springfield"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("doubtful") / "home"
    with open_store(home) as store:
        bring(store, FILE, NewMarket("Springfield", "USD", "sqft"))
    return home


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(made, tmp_path / "home")
    with open_store(tmp_path / "home") as store:
        yield acting(store, ANALYST, today=TODAY)


def bring(store: Store, file: Doubtful, market: str | NewMarket = MARKET) -> IntakeReport:
    path = store.home / "sales.csv"
    path.write_bytes(file.csv())
    return ingest(acting(store, ANALYST, today=TODAY), market, [SourceFile(path, "sales.csv")], silent)


def keys_of(workspace: Workspace, kind: str) -> list[str]:
    rows = review_queue(workspace, MARKET).rows
    return rows.loc[rows["kind"] == kind, "key"].tolist()


def in_use(workspace: Workspace) -> pd.DataFrame:
    version = workspace.store.versions.latest(MARKET)
    assert version is not None
    return workspace.store.versions.load(version.version_id)


def parcels(kind: str) -> set[str]:
    return set(FILE.table.loc[FILE.planted == kind, "Parcel number"])


def test_doubtful_sales_wait_with_their_evidence_and_every_row_is_accounted_for(workspace: Workspace) -> None:
    queue = review_queue(workspace, MARKET)
    [file] = queue.version.files
    assert file.set_aside == queue.version.set_aside == 15
    assert file.accepted + file.repaired + file.duplicate + file.rejected + file.set_aside == file.rows_in == 400
    assert queue.version.rows == len(in_use(workspace)) == file.accepted + file.repaired
    assert file.reasons.items() >= {"price_digit": 5, "area_unit": 5, "package_sale": 5}.items()
    waiting = queue.rows[queue.rows["waiting"]]
    assert set(waiting["property_id"]) == parcels("price") | parcels("area") | parcels("package")
    prices = waiting[waiting["kind"] == "price_digit"]
    assert (prices["list_price"] > 0).all()
    assert ((prices["suggested"] / prices["list_price"]).between(0.8, 1.25)).all()
    assert ((prices["usual_price"] / prices["list_price"]).between(0.6, 1.6)).all()
    areas = waiting[waiting["kind"] == "area_unit"]
    assert (areas["suggested"] / areas["living_area_sqft"]).round(1).eq(10.8).all()
    assert areas["bedrooms"].notna().all()
    assert (waiting.loc[waiting["kind"] == "package_sale", "homes"] == 5).all()


def test_kept_corrected_and_left_aside_sales_are_as_decided_in_the_next_version(workspace: Workspace) -> None:
    before = len(in_use(workspace))
    digit, area, package = (keys_of(workspace, kind) for kind in ("price_digit", "area_unit", "package_sale"))
    assert decide(workspace, MARKET, [Choice(key, SaleDecision.CORRECT) for key in [*digit, *area]]) == 10
    assert decide(workspace, MARKET, [Choice(package[0], SaleDecision.KEEP)], "one deed of its own") == 1
    decided = review_queue(workspace, MARKET).rows.set_index("key")
    assert decided["decided_note"][[package[0], digit[0]]].tolist() == ["one deed of its own", ""]
    assert len(in_use(workspace)) == before, "a decision counts from the next version on"
    applied = apply_decisions(workspace, MARKET)
    assert (applied.changed, applied.version.rows, applied.version.set_aside) == (11, before + 11, 4)
    [account] = applied.version.files
    assert (account.rows_in, account.accepted, account.set_aside) == (11, 11, 0)
    assert applied.version.note == "Review of doubtful sales · one deed of its own"
    sales = in_use(workspace).set_index("property_id")
    listed = FILE.table.set_index("Parcel number")["List price"]
    for parcel in parcels("price"):
        assert sales["sale_price"][parcel] == pytest.approx(listed[parcel], rel=0.2)
    assert (sales.loc[list(parcels("area")), "living_area_sqft"] > 850).all()
    assert apply_decisions(workspace, MARKET).changed == 0
    assert review_queue(workspace, MARKET).pending == 0


def test_swapped_living_and_lot_areas_wait_and_their_correction_puts_both_right_until_it_is_taken_back(
    tmp_path: Path,
) -> None:
    table = doubtful_sales(faults=0).table
    living, lot = table["Living area sqft"], 3_000.0 + 10.0 * np.arange(len(table))
    table = table.assign(**{"Lot sqft": lot, "Above sqft": np.floor(0.8 * living)})
    table["Basement sqft"] = living - table["Above sqft"]
    right = doubtful_sales(faults=0).table.assign(lot=lot).set_index("Parcel number")
    swapped = table.index[::40]
    table.loc[swapped, ["Living area sqft", "Lot sqft"]] = np.column_stack([lot, living])[swapped]
    file = Doubtful(table, np.full(len(table), "", dtype=object))
    with open_store(tmp_path / "swapped") as store:
        workspace = acting(store, ANALYST, today=TODAY)
        report = bring(store, file, NewMarket("Springfield", "USD", "sqft"))
        assert (report.version.set_aside, report.preview.files[0].reasons["areas_swapped"]) == (10, 10)
        keys = keys_of(workspace, "areas_swapped")
        decide(workspace, MARKET, [Choice(key, SaleDecision.CORRECT) for key in keys])
        applied = apply_decisions(workspace, MARKET)
        assert (applied.changed, applied.version.set_aside) == (10, 0)
        assert "lot area" in store.versions.ledger(applied.version.version_id)["detail"].iloc[0]
        sales = in_use(workspace).set_index("property_id")
        assert sales["living_area_sqft"].eq(right["Living area sqft"]).all()
        assert sales["lot_area_sqft"].eq(right["lot"]).all()
        assert not bring(store, file).changed
        take_back(workspace, MARKET, keys)
        aside = store.versions.load_set_aside(apply_decisions(workspace, MARKET).version.version_id)
        assert aside is not None
        assert aside["living_area_sqft"].tolist() == lot[swapped].tolist()
        assert aside["lot_area_sqft"].tolist() == right["Living area sqft"].iloc[swapped].tolist()


def test_a_newer_rule_finds_stored_values_repairs_them_in_a_version_and_its_undo_brings_them_back(
    workspace: Workspace,
) -> None:
    store = workspace.store
    assert stored_repairs(workspace, MARKET).n == 0, "what came in by today's rules needs no repair"
    latest = store.versions.latest(MARKET)
    assert latest is not None
    sales = in_use(workspace)
    # As a release without the rule of odd zip codes stored them.
    sales.loc[[3, 7], "zipcode"] = "ABC"
    aside, ledger = store.versions.load_set_aside(latest.version_id), store.versions.ledger(latest.version_id)
    new = NewVersion(MARKET, sales, latest.version_id, (), ledger, latest.rows_seen, "an earlier release", aside)
    stored = store.versions.commit(new, ANALYST)
    found = stored_repairs(workspace, MARKET)
    assert found.n == 2
    assert found.words.startswith("2 stored sales have values that today’s rules of quality would leave empty: Zip")
    assert " ABC (2). A new version leaves them empty" in found.words
    with pytest.raises(AccessDenied):
        repair_stored(workspace.acting_as(Actor("Kim", Role.AGENT)), MARKET)
    done = repair_stored(workspace, MARKET)
    expected = sales.assign(zipcode=sales["zipcode"].mask(sales["zipcode"] == "ABC"))
    pd.testing.assert_frame_equal(in_use(workspace), expected)
    assert (done.changed, done.version.set_aside, done.version.rows) == (2, stored.set_aside, stored.rows)
    [account] = done.version.files
    assert (account.rows_in, account.repaired) == (2, 2)
    assert store.versions.ledger(done.version.version_id)["detail"].str.startswith("zipcode ABC -> missing").all()
    assert stored_repairs(workspace, MARKET).n == 0
    assert repair_stored(workspace, MARKET) == Applied(done.version, 0)
    undo_version(workspace, done.version.version_id, "to look again")
    assert store.versions.latest(MARKET) == stored
    assert stored_repairs(workspace, MARKET) == found


def test_decisions_are_remembered_when_the_file_comes_again_and_after_an_undo(workspace: Workspace) -> None:
    keys = keys_of(workspace, "price_digit")
    decide(workspace, MARKET, [Choice(key, SaleDecision.CORRECT) for key in keys])
    applied = apply_decisions(workspace, MARKET)
    corrected = in_use(workspace)
    again = bring(workspace.store, FILE)
    assert not again.changed
    assert again.version == applied.version
    for version in (applied.version, workspace.store.versions.get(str(applied.version.parent_id))):
        undo_version(workspace, version.version_id, "a mistake")
    assert workspace.store.versions.latest(MARKET) is None
    bring(workspace.store, FILE)
    pd.testing.assert_frame_equal(in_use(workspace), corrected)


def test_a_sale_decided_on_earlier_is_counted_as_decided_when_its_file_comes_again(workspace: Workspace) -> None:
    waiting = [*keys_of(workspace, "price_digit")[:2], *keys_of(workspace, "package_sale")[:1]]
    kept, corrected, _ = waiting
    unseen = add_ordinary(workspace, "Z1", "Z2")
    decide(workspace, MARKET, [Choice(kept, SaleDecision.KEEP), Choice(corrected, SaleDecision.CORRECT)])
    decide(workspace, MARKET, [Choice(unseen[0], SaleDecision.SET_ASIDE)])
    apply_decisions(workspace, MARKET)
    while (latest := workspace.store.versions.latest(MARKET)) is not None:
        undo_version(workspace, latest.version_id, "brought again in one file")
    again = bring(workspace.store, Doubtful(pd.concat([FILE.table, ordinary("Z1", "Z2")]), FILE.planted))
    [file] = again.preview.files
    assert (file.rows_in, file.set_aside, file.reasons["decided"]) == (402, 15 - 2 + 1, 3)
    assert again.version.rows == again.preview.new_sales == file.accepted + file.repaired
    assert again.version.set_aside == file.set_aside
    ledger = workspace.store.versions.ledger(again.version.version_id)
    assert len(ledger) == file.rows_in
    decided = ledger[ledger["reasons"] == "decided"]
    assert sorted(decided["outcome"]) == ["accepted", "repaired", "set_aside"]
    assert decided["raw"].str.len().gt(0).all()
    assert verdict_words([file]).endswith("14 set aside, 0 rejected.")


def test_a_sale_kept_earlier_is_counted_as_repaired_where_its_facts_were(workspace: Workspace) -> None:
    kept, _, *_ = keys_of(workspace, "price_digit")
    decide(workspace, MARKET, [Choice(kept, SaleDecision.KEEP)])
    rows = review_queue(workspace, MARKET).rows.set_index("key")
    apply_decisions(workspace, MARKET)
    while (latest := workspace.store.versions.latest(MARKET)) is not None:
        undo_version(workspace, latest.version_id, "brought again with a mistyped fact")
    mistyped = FILE.table.copy()
    mistyped.loc[mistyped["Parcel number"] == rows["property_id"][kept], "Year built"] = 3020
    again = bring(workspace.store, Doubtful(mistyped, FILE.planted))
    ledger = workspace.store.versions.ledger(again.version.version_id)
    [row] = ledger[ledger["reasons"].str.startswith("decided")].to_dict("records")
    assert (row["outcome"], row["reasons"]) == ("repaired", "decided;year_built_implausible")
    assert row["detail"].startswith("kept by a person earlier; year built 3020 -> missing")
    [file] = again.preview.files
    assert (file.repaired, file.reasons["decided"], file.reasons["year_built_implausible"]) == (1, 1, 1)


def test_new_files_count_no_stored_sale_whose_decision_takes_effect_with_them(workspace: Workspace) -> None:
    before = len(in_use(workspace))
    unseen = add_ordinary(workspace, "Z1", "Z2")
    decide(workspace, MARKET, [Choice(unseen[0], SaleDecision.SET_ASIDE)])
    report = bring(workspace.store, Doubtful(ordinary("Z3"), FILE.planted[:1]))
    assert (report.preview.new_sales, report.preview.held_sales, report.version.rows) == (1, before + 2, before + 2)


def ordinary(*parcels: str) -> pd.DataFrame:
    """Make rows of sales beyond doubt: of a home of the file, with another parcel number, sold a while later."""
    usual = FILE.table[FILE.planted == ""].iloc[[0]]
    rows = [usual.assign(**{"Parcel number": name, "Street address": f"{name[1:]} Elm St"}) for name in parcels]
    return pd.concat(rows)


def add_ordinary(workspace: Workspace, *parcels: str) -> list[str]:
    """Bring such sales to the market, and return their keys."""
    bring(workspace.store, Doubtful(ordinary(*parcels), FILE.planted[:1]))
    sales = in_use(workspace)
    return sale_keys(sales[sales["property_id"].isin(parcels)])


def test_what_is_refused_names_the_value_and_changes_nothing(workspace: Workspace) -> None:
    [package, *_], [digit, *_] = keys_of(workspace, "package_sale"), keys_of(workspace, "price_digit")
    with pytest.raises(NotFound, match="not-a-sale"):
        decide(workspace, MARKET, [Choice(digit, SaleDecision.KEEP), Choice("not-a-sale", SaleDecision.KEEP)])
    with pytest.raises(InvalidRecord, match="give the right sale price"):
        decide(workspace, MARKET, [Choice(package, SaleDecision.CORRECT)])
    with pytest.raises(InvalidRecord, match="of 'bedrooms' is not possible here"):
        decide(workspace, MARKET, [Choice(package, SaleDecision.CORRECT, "bedrooms", 3.0)])
    with pytest.raises(InvalidRecord, match="outside 10,000"):
        decide(workspace, MARKET, [Choice(digit, SaleDecision.CORRECT, "sale_price", 12.0)])
    with pytest.raises(NotFound, match="nothing can be taken back"):
        take_back(workspace, MARKET, [digit])
    with pytest.raises(AccessDenied):
        decide(workspace.acting_as(Actor("Al", Role.AGENT)), MARKET, [Choice(digit, SaleDecision.KEEP)])
    assert workspace.store.sale_decisions.history(MARKET) == []
    assert apply_decisions(workspace, MARKET).changed == 0


DEEDS = st.lists(
    st.tuples(st.sampled_from(["keep", "set_aside", "correct", "taken_back", "apply"]), st.integers(0, 14)),
    max_size=10,
)


@settings(max_examples=8)
@given(DEEDS)
def test_taking_every_decision_back_restores_the_sales_exactly(made: Path, deeds: list[tuple[str, int]]) -> None:
    with open_copy(made) as workspace:
        original = in_use(workspace)
        first = workspace.store.versions.latest(MARKET)
        assert first is not None
        waiting = workspace.store.versions.load_set_aside(first.version_id)
        keys = sorted(review_queue(workspace, MARKET).rows["key"])
        for deed, place in deeds:
            follow(workspace, deed, keys[place])
        history = workspace.store.sale_decisions.history(MARKET)
        in_force = {one.sale_key: one.kind for one in history}
        take_back(workspace, MARKET, [key for key, kind in in_force.items() if kind is not SaleDecision.TAKEN_BACK])
        apply_decisions(workspace, MARKET)
        latest = workspace.store.versions.latest(MARKET)
        assert latest is not None
        assert latest.sha256 == first.sha256
        pd.testing.assert_frame_equal(in_use(workspace), original)
        now = workspace.store.versions.load_set_aside(latest.version_id)
        assert waiting is not None
        assert now is not None
        pd.testing.assert_frame_equal(now, waiting)
        assert review_queue(workspace, MARKET).undecided == len(keys)


def follow(workspace: Workspace, deed: str, key: str) -> None:
    """Do one thing a person can do; what cannot be done now is refused and changes nothing."""
    try:
        if deed == "apply":
            apply_decisions(workspace, MARKET)
        elif deed == "taken_back":
            take_back(workspace, MARKET, [key])
        else:
            decide(workspace, MARKET, [Choice(key, SaleDecision(deed))])
    except (NotFound, InvalidRecord):
        return


@contextmanager
def open_copy(home: Path) -> Iterator[Workspace]:
    """A store like another, for one example of a property."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(home, Path(folder) / "home")
        with open_store(Path(folder) / "home") as store:
            yield acting(store, ANALYST, today=TODAY)


def test_the_live_model_prices_what_waits_and_never_a_sale_it_has_learned_from(workspace: Workspace) -> None:
    assert review_queue(workspace, MARKET).rows["model_estimate"].isna().all()
    manager = workspace.acting_as(Actor("Max", Role.MANAGER))
    plan = replace(default_plan(workspace.problem), families=(Family.LINEAR,), folds=2, curve_shares=())
    train_model(manager, MARKET, plan, silent)
    rows = review_queue(workspace, MARKET).rows
    assert rows.loc[rows["waiting"], "model_estimate"].notna().all()
    assert rows.loc[~rows["waiting"], "model_estimate"].isna().all()
    prices = rows[rows["kind"] == "price_digit"]
    assert (prices["model_estimate"] / prices["list_price"]).between(0.6, 1.6).all()
    decide(workspace, MARKET, [Choice(key, SaleDecision.CORRECT) for key in prices["key"]])
    apply_decisions(workspace, MARKET)
    train_model(manager, MARKET, plan, silent)
    assert len(workspace.store.models.list(MARKET)) == 2
