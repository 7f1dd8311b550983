from __future__ import annotations

import errno
import os
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from core.access import Actor, Role
from core.errors import ArtifactCorrupt, InvalidRecord, NotFound, StaleVersion, StoreUnavailable
from core.store import Market, Store, open_store
from tests.patience import PATIENCE_SECONDS
from tests.store.conftest import Address
from tests.store.samples import ANALYST, accounting, commit, commit_some, commit_until_killed, sales, upload


def test_a_version_is_recorded_and_read_back_as_committed(store: Store, market: Market) -> None:
    before = datetime.now(UTC)
    new = upload(market.market_id, None, seed=1, rows=30)
    made = store.versions.commit(new, ANALYST)
    assert (made.rows, made.rows_seen, made.parent_id, made.created_by) == (30, 31, None, "Ana Lyst")
    assert (made.first_sale, made.last_sale) == (
        new.sales["sale_date"].min().date(),
        new.sales["sale_date"].max().date(),
    )
    assert type(made.first_sale) is date
    assert before <= made.created_at <= datetime.now(UTC)
    assert made.files == new.files
    assert store.versions.latest(market.market_id) == store.versions.get(made.version_id) == made
    pd.testing.assert_frame_equal(store.versions.load(made.version_id), new.sales)
    pd.testing.assert_frame_equal(
        store.versions.ledger(made.version_id), new.ledgers.astype({"file": "str", "outcome": "str"})
    )
    [event, _] = store.events.list(market.market_id)
    assert (event.action, event.actor, event.role, event.subject) == (
        "version.committed",
        "Ana Lyst",
        "analyst",
        made.version_id,
    )
    assert event.detail["rows"] == 30


def test_a_tax_roll_is_kept_with_its_version_and_holds_until_a_newer_one(store: Store, market: Market) -> None:
    first = store.versions.commit(upload(market.market_id, None, seed=1), ANALYST)
    assert store.versions.load_roll(first.version_id) is None
    roll = pd.DataFrame({"property_id": ["1"], "roll_key": ["1 ELM ST|"]}).astype("str")
    second = store.versions.commit(replace(upload(market.market_id, first.version_id, seed=2), roll=roll), ANALYST)
    third = store.versions.commit(upload(market.market_id, second.version_id, seed=3), ANALYST)
    for version in (second, third):
        kept = store.versions.load_roll(version.version_id)
        assert kept is not None
        pd.testing.assert_frame_equal(kept, roll)
    store.versions.undo(third.version_id, ANALYST, "a trial")
    back = store.versions.undo(second.version_id, ANALYST, "a trial")
    assert back == first
    assert store.versions.load_roll(first.version_id) is None


def test_numpy_counts_are_stored_as_numbers(address: Address, store: Store, market: Market) -> None:
    new = upload(market.market_id, None)
    seen, kept, priceless = np.array([21, 20, 1])  # integers of NumPy, as a column gives them
    files = (replace(new.files[0], rows_in=seen, accepted=kept, reasons={"no_price": priceless}),)
    store.versions.commit(replace(new, files=files, rows_seen=seen), ANALYST)
    engine = address.engine()
    with engine.connect() as connection:
        row = connection.execute(
            sa.text("select f.rows_in, f.accepted, v.rows_seen from data_file f, data_version v")
        ).one()
    engine.dispose()
    assert [type(value) for value in row] == [int, int, int]
    assert tuple(row) == (21, 20, 21)


def test_index_and_attributes_are_not_part_of_the_content(store: Store, market: Market) -> None:
    new = upload(market.market_id, None)
    first = store.versions.commit(new, ANALYST)
    moved = new.sales.set_axis(range(100, 120))
    moved.attrs = {"read_by": "somebody"}
    assert store.versions.commit(replace(new, sales=moved, parent_id=first.version_id), ANALYST) == first
    assert moved.attrs == {"read_by": "somebody"}


def test_content_already_in_the_chain_changes_nothing(store: Store, market: Market) -> None:
    first = commit(store, market.market_id, seed=1)
    second = commit(store, market.market_id, seed=2)
    events = store.events.list()
    again = store.versions.commit(upload(market.market_id, second.version_id, seed=1), Actor("Other", Role.MANAGER))
    assert again == first
    assert store.versions.latest(market.market_id) == second
    assert store.events.list() == events


def test_the_same_content_in_two_markets_is_two_versions(store: Store, market: Market) -> None:
    other = store.markets.create("Other", "USD", "sqft", False, ANALYST)
    first, second = commit(store, market.market_id), commit(store, other.market_id)
    assert first.sha256 == second.sha256
    assert first.version_id != second.version_id
    assert store.versions.list(other.market_id) == [second]


def test_a_commit_on_a_stale_parent_is_refused(store: Store, market: Market) -> None:
    first = commit(store, market.market_id, seed=1)
    second = commit(store, market.market_id, seed=2)
    for parent in (None, first.version_id, "never"):
        with pytest.raises(StaleVersion, match="Reload"):
            store.versions.commit(upload(market.market_id, parent, seed=3), ANALYST)
    assert store.versions.latest(market.market_id) == second
    assert len(store.versions.list(market.market_id)) == 2


def test_a_parent_that_goes_stale_between_check_and_commit_is_refused(
    store: Store, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledgers = store.versions._ledgers
    put = type(ledgers).put

    def overtaken(folder: object, payload: bytes) -> str:
        monkeypatch.undo()
        commit(store, market.market_id, seed=5)
        return put(ledgers, payload)

    monkeypatch.setattr(type(ledgers), "put", overtaken)
    with pytest.raises(StaleVersion):
        store.versions.commit(upload(market.market_id, None, seed=1), ANALYST)
    assert [version.note for version in store.versions.list(market.market_id)] == ["upload 5"]


def test_undo_and_the_same_upload_again(store: Store, market: Market) -> None:
    first = commit(store, market.market_id, seed=1)
    second = commit(store, market.market_id, seed=2)
    with pytest.raises(StaleVersion):
        store.versions.undo(first.version_id, ANALYST, "wrong one")
    assert store.versions.undo(second.version_id, ANALYST, "wrong file") == first
    assert store.versions.latest(market.market_id) == first
    assert store.versions.chain(market.market_id) == [first]
    assert store.versions.list(market.market_id) == [second, first]
    assert not store.versions.has_file(market.market_id, f"{2:064x}")
    assert commit(store, market.market_id, seed=2) == second
    assert store.versions.has_file(market.market_id, f"{2:064x}")
    actions = [event.action for event in store.events.list(market.market_id)]
    assert actions[:2] == ["version.restored", "version.undone"]
    assert store.versions.undo(second.version_id, ANALYST, "") == first
    assert store.versions.undo(first.version_id, ANALYST, "") is None
    assert store.versions.latest(market.market_id) is None


def test_an_altered_or_missing_snapshot_is_not_loaded(address: Address, store: Store, market: Market) -> None:
    made = commit(store, market.market_id)
    path = address.home / "versions" / f"{made.sha256}.parquet"
    payload = bytearray(path.read_bytes())
    payload[len(payload) // 2] ^= 1
    path.write_bytes(payload)
    with pytest.raises(ArtifactCorrupt, match=path.name):
        store.versions.load(made.version_id)
    path.unlink()
    with pytest.raises(ArtifactCorrupt, match="missing"):
        store.versions.load(made.version_id)


def test_a_dangling_pointer_is_corrupt(address: Address, store: Store, market: Market) -> None:
    engine = address.engine()
    with engine.begin() as connection:
        connection.execute(sa.text("update market set latest_version_id = 'gone'"))
    engine.dispose()
    with pytest.raises(ArtifactCorrupt, match="gone"):
        store.versions.latest(market.market_id)


def test_unknown_things_are_not_found(store: Store, market: Market) -> None:
    for call in (store.versions.get, store.versions.load, store.versions.ledger):
        with pytest.raises(NotFound, match="never"):
            call("never")
    with pytest.raises(NotFound, match="never"):
        store.versions.undo("never", ANALYST, "")
    for ask in (store.versions.latest, store.versions.list, store.versions.chain):
        with pytest.raises(NotFound, match="nowhere"):
            ask("nowhere")
    with pytest.raises(NotFound, match="nowhere"):
        store.versions.commit(upload("nowhere", None), ANALYST)
    assert store.versions.latest(market.market_id) is None


@pytest.mark.parametrize(
    "bad", [pd.DataFrame({"a": [1, "x"]}), pd.DataFrame([[1, 2]], columns=["a", "a"])], ids=["mixed", "duplicate"]
)
def test_a_table_parquet_cannot_hold_is_refused(store: Store, market: Market, bad: pd.DataFrame) -> None:
    with pytest.raises(InvalidRecord, match="sales table"):
        store.versions.commit(replace(upload(market.market_id, None), sales=bad), ANALYST)
    assert store.versions.latest(market.market_id) is None


def test_tables_without_rows_or_dates_can_be_committed(store: Store, market: Market) -> None:
    new = replace(upload(market.market_id, None), sales=sales(0), ledgers=pd.DataFrame())
    made = store.versions.commit(new, ANALYST)
    assert (made.rows, made.first_sale, made.last_sale) == (0, None, None)
    assert store.versions.load(made.version_id).dtypes.to_dict() == sales(0).dtypes.to_dict()
    assert store.versions.ledger(made.version_id).empty


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("failing_write", [1, 2])
def test_a_full_disk_leaves_the_store_as_it_was(
    store: Store, market: Market, monkeypatch: pytest.MonkeyPatch, call: str, failing_write: int
) -> None:
    first = commit(store, market.market_id, seed=1)
    events = store.events.list()
    real = getattr(os, call)
    per_write = {"fsync": 2, "replace": 1}[call]  # the file and its folder are made durable one after the other
    calls = iter(range(1, 100))

    def full(*arguments: object) -> object:
        if next(calls) > (failing_write - 1) * per_write:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments)

    monkeypatch.setattr(os, call, full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        store.versions.commit(upload(market.market_id, first.version_id, seed=2), ANALYST)
    monkeypatch.undo()
    assert store.versions.list(market.market_id) == [first]
    assert store.versions.latest(market.market_id) == first
    assert store.events.list() == events
    assert list(store.home.rglob(".tmp-*")) == []
    assert commit(store, market.market_id, seed=2).parent_id == first.version_id


def test_a_full_database_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store = open_store(tmp_path, f"sqlite:///{tmp_path / 'doorstep.sqlite'}")
    market = store.markets.create("Full", "USD", "sqft", False, ANALYST)
    first = commit(store, market.market_id, seed=1)
    new = upload(market.market_id, first.version_id, seed=2)
    with store._database._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    engine = store._database._engine

    @sa.event.listens_for(engine, "begin")
    def limit(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    with pytest.raises(StoreUnavailable, match="free some disk space"):
        store.versions.commit(replace(new, note="long " * 20_000), ANALYST)
    sa.event.remove(engine, "begin", limit)
    store.close()
    assert store.versions.list(market.market_id) == [first]
    assert store.versions.latest(market.market_id) == first
    store.close()


def test_killed_at_any_moment_the_store_holds_old_or_new(
    address: Address, store: Store, market: Market, processes: ForkServerContext, tmp_path: Path
) -> None:
    random = np.random.default_rng(20)
    committed = 0
    for kill in range(10):
        started = tmp_path / f"started-{kill}"
        arguments = (address.home, address.url, market.market_id, 1000 * kill, str(started))
        worker = processes.Process(target=commit_until_killed, args=arguments)
        worker.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not started.exists() and worker.is_alive() and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.08))
        assert worker.is_alive(), "the process ended by itself"
        worker.kill()
        worker.join(30)
        _check_whole(store, market.market_id)
        latest = store.versions.latest(market.market_id)
        assert latest is not None
        # Commits go on from what was left, with uploads of their own.
        commit(store, market.market_id, seed=100_000 + kill)
        committed = len(store.versions.list(market.market_id))
    assert committed >= 20


def _check_whole(store: Store, market_id: str) -> None:
    versions, chain = store.versions.list(market_id), store.versions.chain(market_id)
    assert versions == chain
    assert len([event for event in store.events.list(market_id, 10_000) if event.action == "version.committed"]) == len(
        versions
    )
    for version in versions:
        assert len(store.versions.load(version.version_id)) == version.rows
        assert len(store.versions.ledger(version.version_id)) == version.rows_seen
        assert len(version.files) == 1


def test_processes_that_commit_together_make_one_chain(
    address: Address, store: Store, market: Market, processes: ForkServerContext
) -> None:
    seeds = [range(0, 12), range(6, 18)]  # half of the uploads are brought by both
    workers = [
        processes.Process(target=commit_some, args=(address.home, address.url, market.market_id, part))
        for part in seeds
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    _check_whole(store, market.market_id)
    assert sorted(version.note for version in store.versions.chain(market.market_id)) == sorted(
        f"upload {seed}" for seed in range(18)
    )


def test_any_history_of_commits_and_undos_keeps_a_whole_chain(tmp_path: Path) -> None:
    class History(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.store = open_store(tmp_path / "home", f"sqlite:///{tmp_path / 'histories.sqlite'}")
            number = len(self.store.markets.list())
            self.market_id = self.store.markets.create(f"History {number}", "USD", "sqft", True, ANALYST).market_id
            self.model: list[int] = []

        @rule(seed=st.integers(0, 4))
        def bring(self, seed: int) -> None:
            commit(self.store, self.market_id, seed)
            if seed not in self.model:
                self.model.append(seed)

        @rule()
        def undo(self) -> None:
            latest = self.store.versions.latest(self.market_id)
            if latest is not None:
                self.store.versions.undo(latest.version_id, ANALYST, "undo")
                self.model.pop()

        @invariant()
        def chain_is_what_was_brought(self) -> None:
            notes = [version.note for version in self.store.versions.chain(self.market_id)]
            assert notes == [f"upload {seed}" for seed in reversed(self.model)]
            for seed in range(5):
                assert self.store.versions.has_file(self.market_id, f"{seed:064x}") == (seed in self.model)

        def teardown(self) -> None:
            self.store.close()

    run_state_machine_as_test(History, settings=settings(max_examples=8, stateful_step_count=12, deadline=None))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text(max_size=20), max_size=3), note=st.text(max_size=30), person=st.text(max_size=10))
def test_any_text_a_person_or_file_brings_is_stored(
    store: Store, market: Market, names: list[str], note: str, person: str
) -> None:
    latest = store.versions.latest(market.market_id)
    number = len(store.versions.list(market.market_id))
    new = upload(market.market_id, latest.version_id if latest else None, seed=number)
    new = replace(new, note=note, files=tuple(accounting(name, 3) for name in names))
    made = store.versions.commit(new, Actor(person, Role.ANALYST))
    assert [file.file for file in made.files] == [name.replace("\x00", "") for name in names]
    assert made.note == note.replace("\x00", "")
