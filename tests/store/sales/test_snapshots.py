"""Versions as lists of parts: what is committed comes back to the last bit, and only what changed is written."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from core.errors import ArtifactCorrupt
from core.store import DataVersion, NewVersion, Store, open_store
from core.store.base.artifacts import ArtifactFolder
from core.store.sales.snapshots import Snapshots, from_parquet, to_parquet
from core.store.sales.versions import Versions
from core.store.sales.window_digest import digest, filled
from tests.store.samples import ANALYST, sales

WINDOW = 8
LEDGER = pd.DataFrame({"file": ["a.csv"]}, dtype="str")


def rows(count: int, seed: int = 0, first: int = 0, step: int = 1) -> pd.DataFrame:
    """Sales with their rows of the intake, ``step`` rows read for each one kept."""
    return sales(count, seed).assign(intake_row=np.arange(first, first + step * count, step, dtype="int64"))


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    (tmp_path / "versions").mkdir()
    files, lists = (
        ArtifactFolder(tmp_path / "versions", one, "The sales", "Restore it.") for one in (".parquet", ".json")
    )
    return Snapshots(files, lists, WINDOW)


def windows(table: pd.DataFrame) -> set[int]:
    return set(table["intake_row"].floordiv(WINDOW).tolist())


def keep(snapshots: Snapshots, frame: pd.DataFrame, basis: str | None = None) -> tuple[str, int]:
    """Store a table; return its hash and how many files that wrote."""
    before = set(snapshots.files.folder.iterdir())
    sha256 = snapshots.write(snapshots.plan(frame, "sales", basis))
    return sha256, len(set(snapshots.files.folder.iterdir()) - before)


def same(found: pd.DataFrame, committed: pd.DataFrame) -> None:
    """Assert that a table is what one Parquet file would have given back, to the last bit."""
    expected = from_parquet(to_parquet(committed, "sales"))
    pd.testing.assert_frame_equal(found, expected, check_exact=True, check_column_type=True)
    assert isinstance(found.index, pd.RangeIndex)
    assert list(found.dtypes) == list(expected.dtypes)
    for name in expected.select_dtypes("float64"):
        assert np.array_equal(np.signbit(found[name]), np.signbit(expected[name])), name


def test_a_table_within_one_window_is_one_parquet_file(snapshots: Snapshots) -> None:
    table = rows(WINDOW)
    sha256, written = keep(snapshots, table)
    assert written == 1
    assert snapshots.files.path(sha256).read_bytes() == to_parquet(table, "sales")
    same(snapshots.load(sha256), table)


@pytest.mark.parametrize("step", [1, 3])
def test_new_sales_write_the_parts_they_touch_and_no_other(snapshots: Snapshots, step: int) -> None:
    first = rows(20, step=step)
    basis, written = keep(snapshots, first)
    assert written == len(windows(first)) + 1
    more = pd.concat([first, rows(3, seed=1, first=20 * step, step=step)], ignore_index=True)
    sha256, written = keep(snapshots, more, basis)
    assert written == len(windows(more.tail(3))) + 1
    same(snapshots.load(sha256), more)
    same(snapshots.load(basis), first)


def test_a_correction_writes_the_part_it_lies_in_and_back_again_nothing(snapshots: Snapshots) -> None:
    table = rows(40)
    basis, _ = keep(snapshots, table)
    corrected = table.copy()
    corrected["sale_price"] = np.where(
        table.index == 17, np.nextafter(table["sale_price"], np.inf), table["sale_price"]
    )
    sha256, written = keep(snapshots, corrected, basis)
    assert written == 2
    same(snapshots.load(sha256), corrected)
    assert keep(snapshots, table, sha256) == (basis, 0)


def test_a_new_column_writes_only_the_parts_that_have_a_value_of_it(snapshots: Snapshots) -> None:
    table = rows(40)
    basis, _ = keep(snapshots, table)
    wider = table.copy()
    wider.insert(1, "x_roof", pd.Series([np.nan] * 39 + ["slate"], dtype="str"))
    wider["list_date"] = pd.Series([pd.NaT] * 40, dtype="datetime64[us]")
    sha256, written = keep(snapshots, wider, basis)
    assert written == 2
    same(snapshots.load(sha256), wider)
    for table_hash in (basis, sha256):
        assert snapshots.column_names(table_hash) == tuple(snapshots.load(table_hash))
        some = ["sale_date", "zipcode"]
        pd.testing.assert_frame_equal(snapshots.load(table_hash, some), snapshots.load(table_hash)[some])


@pytest.mark.parametrize(
    "table",
    [
        rows(20).drop(columns="intake_row"),
        rows(20).iloc[::-1],
        rows(20).astype({"zipcode": "category"}),
        rows(20).rename(columns={"zipcode": 7}),
        rows(20).assign(sale_date=lambda one: one["sale_date"].dt.tz_localize("UTC")),
        rows(20).assign(roll_day=pd.Timestamp("2024-01-01").as_unit("ms"), zero=-0.0, none=np.nan),
        rows(20).assign(text=pd.Series(["", "a\x00b", "ü" * 9, np.nan] * 5, dtype="str")),
    ],
    ids=["no rows of the intake", "not in order", "categories", "a number as name", "time zone", "days", "texts"],
)
def test_a_table_of_any_kind_comes_back_as_one_file_would_give_it(snapshots: Snapshots, table: pd.DataFrame) -> None:
    sha256, _ = keep(snapshots, table)
    same(snapshots.load(sha256), table)


def test_a_whole_file_of_an_earlier_release_is_read_and_the_same_sales_change_nothing(snapshots: Snapshots) -> None:
    table = rows(40)
    whole, _ = keep(replace(snapshots, window=1_000), table)
    same(snapshots.load(whole), table)
    assert snapshots.column_names(whole) == tuple(table)
    assert list(snapshots.files_of(whole)) == [(snapshots.files, whole)]
    assert keep(snapshots, table, whole) == (whole, 0)
    changed = table.assign(bedrooms=table["bedrooms"].fillna(1.0))
    sha256, _ = keep(snapshots, changed, whole)
    assert len(list(snapshots.files_of(sha256))) == 6
    same(snapshots.load(sha256), changed)


def test_a_missing_or_altered_part_is_refused_by_name_and_written_again(snapshots: Snapshots) -> None:
    table = rows(40)
    sha256, _ = keep(snapshots, table)
    (_, _), *parts = snapshots.files_of(sha256)
    path = snapshots.files.path(parts[2][1])
    payload = path.read_bytes()
    path.write_bytes(payload[:-1] + b"?")
    with pytest.raises(ArtifactCorrupt, match=rf"{path.name} was altered .* Restore it\."):
        snapshots.load(sha256)
    path.unlink()
    with pytest.raises(ArtifactCorrupt, match=rf"{path.name} is missing\. Restore it\."):
        snapshots.load(sha256)
    assert keep(snapshots, table, sha256) == (sha256, 1)
    same(snapshots.load(sha256), table)
    listed = snapshots.lists.path(sha256)
    listed.write_bytes(listed.read_bytes() + b" ")
    with pytest.raises(ArtifactCorrupt, match=rf"{listed.name} was altered"):
        snapshots.load(sha256)
    assert list(snapshots.files_of(sha256)) == [(snapshots.lists, sha256)]
    listed.unlink()
    with pytest.raises(ArtifactCorrupt, match=rf"{listed.name}, the list of its parts\) is missing\. Restore it\."):
        snapshots.load(sha256)
    assert keep(snapshots, table, sha256) == (sha256, 1)


def test_stopped_between_any_two_files_no_list_names_a_part_that_is_not_there(
    snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, table = os.replace, rows(40)
    for stop in range(6):
        left = stop

        def stopped(source: Path, target: Path) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            put(source, target)

        changed = table.assign(bedrooms=float(stop))
        monkeypatch.setattr(os, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            keep(snapshots, changed)
        monkeypatch.setattr(os, "replace", put)
        assert not list(snapshots.lists.folder.glob("*.json"))
    sha256, written = keep(snapshots, changed)
    assert written == 1, "the parts were all there, only their list was not"
    same(snapshots.load(sha256), changed)


@dataclass
class Elsewhere:
    """Files that servers share, in memory; ``stored`` has the names put there, each time anew."""

    label: str = "memory"
    held: dict[str, bytes] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)

    def put(self, name: str, payload: bytes) -> None:
        self.held[name] = payload
        self.stored.append(name)

    def get(self, name: str) -> bytes | None:
        return self.held.get(name)

    def size(self, name: str) -> int | None:
        return len(self.held[name]) if name in self.held else None

    def check(self) -> None: ...


def test_parts_that_did_not_change_are_not_sent_again_unless_they_were_lost(
    snapshots: Snapshots, tmp_path: Path
) -> None:
    there = Elsewhere()

    def server(folder: Path) -> Snapshots:
        folder.mkdir(exist_ok=True)
        files, lists = (replace(one, folder=folder, shared=there) for one in (snapshots.files, snapshots.lists))
        return replace(snapshots, files=files, lists=lists)

    here = server(tmp_path / "versions")
    table = rows(40)
    basis, _ = keep(here, table)
    assert len(there.stored) == 6
    there.stored.clear()
    more = pd.concat([table, rows(2, seed=1, first=40)], ignore_index=True)
    keep(here, more, basis)
    assert len(there.stored) == 2
    lost = next(iter(there.held))
    del there.held[lost]
    there.stored.clear()
    sha256, _ = keep(here, more, basis)
    assert lost in there.stored
    (tmp_path / "another").mkdir()
    same(server(tmp_path / "another" / "versions").load(sha256), more)


CELLS = {
    "price": st.floats(allow_nan=True) | st.just(-0.0),
    "city": st.none() | st.text(max_size=4).filter(lambda text: text.isprintable()),
    "day": st.none() | st.integers(0, 9),
}


def window(cells: list[tuple[float, str | None, int | None]]) -> pd.DataFrame:
    price, city, day = (list(column) for column in zip(*cells, strict=True))
    days = [pd.NaT if one is None else pd.Timestamp("2024-01-01") + pd.Timedelta(one, "D") for one in day]
    return pd.DataFrame(
        {
            "price": pd.Series(price, dtype="float64"),
            "city": pd.Series(city, dtype="str"),
            "day": pd.Series(days, dtype="datetime64[us]"),
        }
    )


@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(st.tuples(*CELLS.values()), min_size=1, max_size=6),
    other=st.lists(st.tuples(*CELLS.values()), min_size=1, max_size=6),
    around=st.integers(0, 3),
)
def test_digests_are_equal_for_equal_windows_and_for_no_others(
    cells: list[tuple[float, str | None, int | None]], other: list[tuple[float, str | None, int | None]], around: int
) -> None:
    one, two = window(cells), window(other)
    slice_of_more = pd.concat([*[two] * around, one, two]).iloc[around * len(two) : around * len(two) + len(one)]
    assert digest(slice_of_more, filled(slice_of_more)) == digest(one, filled(one))
    equal = to_parquet(one[filled(one)], "a") == to_parquet(two[filled(two)], "a")
    assert (digest(one, filled(one)) == digest(two, filled(two))) == equal


def test_any_history_of_commits_loads_what_was_committed_and_writes_only_what_it_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is cut short here, so nothing has to be durable.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    with open_store(tmp_path / "home", f"sqlite:///{tmp_path / 'histories.sqlite'}") as store:
        few = settings(max_examples=8, stateful_step_count=12, deadline=None)
        run_state_machine_as_test(partial(History, store), settings=few)  # type: ignore[arg-type]


class History(RuleBasedStateMachine):
    """A market of tiny windows, with the tables that its versions should hold."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        name = f"History {len(store.markets.list())}"
        self.folder = store.home / name
        self.folder.mkdir()
        held = store.artifacts.snapshots
        files, lists = (replace(one, folder=self.folder) for one in (held.files, held.lists))
        self.snapshots = Snapshots(files, lists, WINDOW)
        self.versions = Versions(store._database, self.snapshots, store.artifacts.ledgers)
        self.market = store.markets.create(name, "USD", "sqft", True, ANALYST).market_id
        self.chain: list[tuple[DataVersion, pd.DataFrame, pd.DataFrame | None]] = []
        self.seen = 0

    @property
    def held(self) -> pd.DataFrame:
        return self.chain[-1][1] if self.chain else rows(0)

    @property
    def waits(self) -> pd.DataFrame | None:
        return self.chain[-1][2] if self.chain else None

    def bring(self, table: pd.DataFrame, waits: pd.DataFrame | None, touched: set[int]) -> None:
        """Commit a table that differs from the latest in the windows ``touched``."""
        before = set(self.folder.iterdir())
        parent = self.chain[-1][0].version_id if self.chain else None
        new = NewVersion(self.market, table, parent, (), LEDGER, self.seen, f"{len(self.chain)}", set_aside=waits)
        made = self.versions.follow(new, ANALYST)
        written = set(self.folder.iterdir()) - before
        if self.chain and made == self.chain[-1][0]:
            assert not written
            return
        if len(windows(self.held)) > 1:
            tables = 1 if waits is None else 2
            assert len([path for path in written if path.suffix == ".parquet"]) <= tables * len(touched)
            assert len([path for path in written if path.suffix == ".json"]) <= tables
        self.chain.append((made, table, waits))

    @rule(count=st.integers(1, 12), seed=st.integers(0, 9), step=st.integers(1, 3))
    def append(self, count: int, seed: int, step: int) -> None:
        new = rows(count, seed, self.seen, step)
        self.seen += step * count
        table = pd.concat([self.held, new], ignore_index=True).astype(self.held.dtypes)
        self.bring(table, self.waits, windows(new))

    @precondition(lambda self: len(self.held) > 0)
    @rule(place=st.integers(0, 1_000), price=st.sampled_from([1.0, 0.0, -0.0, np.nan]))
    def correct(self, place: int, price: float) -> None:
        table = self.held.copy()
        at = place % len(table)
        table.loc[at, "sale_price"] = price
        self.bring(table, self.waits, windows(table.iloc[[at]]))

    @precondition(lambda self: len(self.held) > 1)
    @rule(place=st.integers(0, 1_000))
    def set_aside(self, place: int) -> None:
        at = place % len(self.held)
        doubtful = self.held.iloc[[at]].assign(doubt=pd.Series(["odd"], index=[at], dtype="str"))
        waits = doubtful if self.waits is None else pd.concat([self.waits, doubtful])
        waits = waits.sort_values("intake_row", kind="stable").reset_index(drop=True)
        touched = windows(doubtful)
        if self.waits is not None and len(windows(self.waits)) == 1:
            # Until now one file, and from now on a list.
            touched |= windows(self.waits)
        self.bring(self.held.drop(index=at).reset_index(drop=True), waits, touched)

    @precondition(lambda self: len(self.held) > 0)
    @rule(name=st.sampled_from(["x_a", "x_b"]))
    def add_column(self, name: str) -> None:
        table = self.held if name in self.held else self.held.assign(**{name: np.nan})
        values = np.where(np.arange(len(table)) == len(table) - 1, 3.0, table[name])
        self.bring(table.assign(**{name: values}), self.waits, windows(table.tail(1)))

    @precondition(lambda self: bool(self.chain))
    @rule()
    def undo(self) -> None:
        self.versions.undo(self.chain.pop()[0].version_id, ANALYST, "undo")

    @invariant()
    def the_latest_is_as_it_was_committed(self) -> None:
        if self.chain:
            self.check(*self.chain[-1])

    def check(self, version: DataVersion, table: pd.DataFrame, waits: pd.DataFrame | None) -> None:
        same(self.versions.load(version.version_id), table)
        aside = self.versions.load_set_aside(version.version_id)
        assert (aside is None) == (waits is None)
        if aside is not None and waits is not None:
            same(aside, waits)

    def teardown(self) -> None:
        """All versions of before are still what they were, and no file is there that they do not name."""
        for one in self.chain:
            self.check(*one)
        kept = {sha256 for version in self.versions.list(self.market) for sha256 in self.files_of(version)}
        assert {path.stem for path in self.folder.iterdir()} == kept

    def files_of(self, version: DataVersion) -> set[str]:
        hashes = self.versions._hashes(version.version_id)
        assert hashes is not None
        return {sha256 for one in hashes if one for _, sha256 in self.snapshots.files_of(one)}
