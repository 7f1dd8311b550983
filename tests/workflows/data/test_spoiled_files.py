"""Two thousand spoiled files: each is read with all rows accounted for, or refused in a line and changes nothing."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.collect.reading.reader import parse_table
from core.collect.reading.table import RawTable
from core.errors import DoorstepError
from core.progress import silent
from core.store import Store, open_store
from core.workflows.data.intake import IntakePreview, ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting
from tests.collect.spoiled_files import SALES, spoiled_files
from tests.collect.table_files import as_text

ANALYST = Actor("ana", Role.ANALYST)
TODAY = date(2026, 1, 1)
NAME = "sales of 2023.dat"
LIMIT = 1_000_000
LONGEST_MESSAGE = 700
REMEDY = re.compile(
    r"\b(?:save it again|choose its column|write it as|Add|Ask|Break|Check|Choose|Copy|Correct|Export|Leave|Name|Open|"
    r"Price|Put|Rename|Save|Split|Unpack|Upload|[Mm]ap|price)\b"
)


def check_message(error: DoorstepError, content: bytes) -> None:
    """A message is one line of some length that names the file and what helps."""
    text = str(error)
    assert NAME in text, content
    assert REMEDY.search(text), f"{text}: {content!r}"
    assert text.isprintable(), f"{text}: {content!r}"
    assert len(text) <= LONGEST_MESSAGE, f"{text}: {content!r}"


def check_rows(table: RawTable, content: bytes) -> None:
    """Every record is a row or a bad line, and has a place of its own among the records."""
    places = table.row_numbers.tolist()
    assert table.rows_in == len(table.frame) + len(table.bad_lines), content
    assert sorted(set(places)) == places, content
    assert 1 <= places[0] <= places[-1] <= table.rows_in, content
    assert table.frame.columns.is_unique, content


@pytest.mark.parametrize("seed", range(10))
def test_a_spoiled_file_is_read_whole_or_refused_in_a_line_that_helps(seed: int) -> None:
    read = 0
    for content in spoiled_files(200, seed):
        try:
            table = parse_table(content, NAME, LIMIT)
        except DoorstepError as error:
            check_message(error, content)
            continue
        check_rows(table, content)
        read += 1
    assert 50 < read < 190


def stored(store: Store) -> tuple[object, ...]:
    """What a refused file must not change: markets, their versions, the log of events, and the files on disk."""
    markets = store.markets.list()
    files = {
        str(path): path.stat().st_size for path in store.home.rglob("*") if path.suffix not in (".db-wal", ".db-shm")
    }
    return (
        [(one.market_id, [version.version_id for version in store.versions.list(one.market_id)]) for one in markets],
        {path: size for path, size in files.items() if "doorstep.db" not in path},
    )


def check_sums(preview: IntakePreview, content: bytes) -> None:
    """The accounting of each file adds up to its rows, and to the row ledger and the sales kept of it."""
    [file] = preview.files
    kept = file.accepted + file.repaired
    assert kept + file.duplicate + file.rejected + file.set_aside == file.rows_in == len(preview.ledgers), content
    assert file.rows_in >= 1, content
    assert preview.new_sales <= kept, content


@pytest.mark.parametrize("seed", range(2))
def test_a_spoiled_file_goes_into_a_market_with_all_rows_accounted_for_or_changes_nothing(
    seed: int, tmp_path: Path
) -> None:
    path, taken, refused = tmp_path / NAME, 0, 0
    with open_store(tmp_path / "home") as store:
        workspace = acting(store, ANALYST, today=TODAY)
        path.write_text(as_text(SALES), encoding="utf-8")
        market = ingest(workspace, NewMarket("Held", "USD", "sqft"), [SourceFile(path, NAME)], silent).version.market_id
        for number, content in enumerate(spoiled_files(20, 1_000 + seed)):
            path.write_bytes(content)
            before = stored(store)
            target = market if number % 2 else NewMarket(f"Opened {number}", "USD", "sqft")
            try:
                report = ingest(workspace, target, [SourceFile(path, NAME)], silent)
            except DoorstepError as error:
                check_message(error, content)
                assert stored(store) == before, content
                refused += 1
                continue
            check_sums(report.preview, content)
            assert report.version.rows == len(store.versions.load(report.version.version_id)), content
            taken += 1
    assert taken > 2
    assert refused > 2
