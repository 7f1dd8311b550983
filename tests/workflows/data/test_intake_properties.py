"""Whatever a file holds: every row is accounted for, the same file again changes nothing, and an undo restores."""

from __future__ import annotations

import csv
import io
import itertools
import tempfile
from datetime import date
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access import Actor, Role
from core.accounting import Outcome
from core.collect.mapping import ColumnMapping, ColumnRule
from core.errors import CollectError, NoUsableRows
from core.problem import Problem
from core.progress import silent
from core.schema import Source
from core.store import DataVersion, Store, open_store
from core.workflows.data.intake import ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.data.versions import undo_version
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting

ANALYST = Actor("ana", Role.ANALYST)
TODAY = date(2026, 1, 1)
HEADER = ("parcel number", "address", "zip code", "sale date", "sale price", "living area sqft", "bedrooms", "remarks")

ROWS = st.tuples(
    st.sampled_from(["", "1", "2", "00003", "x=1"]),
    st.sampled_from(["", "1 Oak St", "2 Oak Street #4", "=1+1", "ü, 3 Elm \n Ave"]),
    st.sampled_from(["", "00101", "101", "98103-1234", "?"]),
    st.sampled_from(["", "2024-02-29", "2024-05-01", "1196-01-01", "2999-01-01", "soon"]),
    st.sampled_from(["", "1", "-5", "250000", "$310,000", "1e9", "n/a"]),
    st.sampled_from(["", "0", "1200", "1,450.5", "9999999", "big"]),
    st.sampled_from(["", "3", "1000", "-1", "three"]),
    st.text(max_size=12),
)
MAPPING = ColumnMapping(
    Source.SALES,
    (
        ColumnRule("parcel number", "property_id", "identifier"),
        ColumnRule("address", "address"),
        ColumnRule("zip code", "zipcode", "postcode"),
        ColumnRule("sale date", "sale_date", "date"),
        ColumnRule("sale price", "sale_price", "number"),
        ColumnRule("living area sqft", "living_area_sqft", "number", "sqft"),
        ColumnRule("bedrooms", "bedrooms", "number"),
        ColumnRule("remarks", "x_remarks"),
    ),
    date_format="%Y-%m-%d",
)
# Two plain sales let each file pass as one of sales.
PLAIN = [
    ("11", "11 Ash St", "00102", "2024-03-03", "250000", "1500", "3", "a"),
    ("12", "12 Ash St", "00103", "2024-04-04", "350000", "1700", "4", "b"),
]


def as_csv(rows: list[tuple[str, ...]], extra: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([HEADER, *PLAIN, *rows])
    return (out.getvalue() + extra).encode("utf-8", "replace")


def check(version: DataVersion, sales: pd.DataFrame, ledger: pd.DataFrame) -> None:
    [file] = version.files
    kept = file.accepted + file.repaired
    assert kept + file.duplicate + file.rejected + file.set_aside == file.rows_in == len(ledger)
    assert ledger["outcome"].value_counts().to_dict() == {
        outcome.value: rows for outcome in Outcome if (rows := int(getattr(file, outcome.value)))
    }
    assert version.rows_seen == file.rows_in
    assert len(sales) == version.rows == kept
    assert version.set_aside == file.set_aside
    assert (ledger.loc[ledger["outcome"] == "rejected", "reasons"] != "").all()


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(ROWS, max_size=12),
    st.lists(ROWS, max_size=6),
    st.sampled_from(["", "13,only three,cells\n", '14,"never closed,00101,2024-01-01,2\n']),
)
def test_any_file_is_accounted_for_changes_nothing_twice_and_is_undone_exactly(
    problem: Problem, rows: list[tuple[str, ...]], more: list[tuple[str, ...]], extra: str
) -> None:
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "home") as store:
        first = _ingest(store, Path(folder), as_csv(rows, extra), problem, NewMarket("Anywhere", "USD", "sqft"))
        if first is None:
            return
        market_id = first.market_id
        held, ledger = store.versions.load(first.version_id), store.versions.ledger(first.version_id)
        check(first, held, ledger)
        assert _ingest(store, Path(folder), as_csv(rows, extra), problem, market_id) == first
        second = _ingest(store, Path(folder), as_csv([*rows, *more], ""), problem, market_id)
        if second is not None and second != first:
            assert second.parent_id == first.version_id
            assert undo_version(acting(store, ANALYST), second.version_id, "a mistake").restored == first
        assert store.versions.latest(market_id) == first
        pd.testing.assert_frame_equal(store.versions.load(first.version_id), held)


_NUMBERS = itertools.count()


def _ingest(
    store: Store, folder: Path, content: bytes, problem: Problem, market: str | NewMarket
) -> DataVersion | None:
    """Take a file in; None where it is refused as a whole, in a line."""
    path = folder / f"{next(_NUMBERS)}.csv"
    path.write_bytes(content)
    file = SourceFile(path, "sales.csv", MAPPING)
    try:
        return ingest(acting(store, ANALYST, problem, today=TODAY), market, [file], silent, misread=[file.name]).version
    except (CollectError, NoUsableRows):
        return None
