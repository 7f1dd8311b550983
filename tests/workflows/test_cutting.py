"""A file of any size is cut into files that lose nothing, and each is taken in whole or not at all."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import multiprocessing
import os
import pickle
import resource
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.access import Actor, Role
from core.errors import (
    AccessDenied,
    DoorstepError,
    FileNotWritten,
    FileUnreadable,
    MappingError,
    WrongUsage,
)
from core.problem import Problem
from core.progress import silent
from core.store import Store, open_store
from core.workflows.cutting import pieces, taking
from core.workflows.cutting.cut import CutReport, cut_file
from core.workflows.cutting.pieces import MANIFEST, NO_VALUE_FILE, UNREAD_FILE
from core.workflows.cutting.reports import taken_lines
from core.workflows.cutting.taking import Taking, take_pieces
from core.workspace import Workspace
from tests.acting import acting

ANALYST = Actor("ana", Role.ANALYST)
TODAY = date(2026, 1, 1)
T = TypeVar("T")
HEADER = ("parcel number", "county", "zip code", "sale date", "sale price", "living area sqft", "remarks")
ODD = st.text(st.sampled_from(["a", "K", "ü", "東", '"', "\n", ",", ";", "\t", " ", "'"]), max_size=8)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store on SQLite: what is asked of it is what ingest asks, which other tests hold on PostgreSQL."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with open_store(tmp_path / "home") as opened:
        yield opened


def sales(count: int, counties: Sequence[str] = ("King", "Pierce", "Kitsap"), first: int = 0) -> list[list[str]]:
    return [
        [
            str(1000 + n), counties[n % len(counties)], f"0010{n % 5}", f"2024-{1 + n % 12:02}-{1 + n % 27:02}",
            str(150 * (900 + n * 37 % 1500) + n * 7_919 % 20_011), str(900 + n * 37 % 1500), f"home {n}",
        ]
        for n in range(first, first + count)
    ]  # fmt: skip


def text_of(rows: Sequence[Sequence[str]], separator: str = ",") -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=separator, lineterminator="\n").writerows([HEADER, *rows])
    return buffer.getvalue()


def rows_in(path: Path, separator: str = ",") -> list[list[str]]:
    """The rows of a piece, and that its first line is the header."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter=separator)
    assert tuple(header) == HEADER
    return rows


def cut_rows(folder: Path, content: bytes | str, by: str = "county", name: str = "state.csv", **how: str) -> CutReport:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    nobody = cast(Store, None)
    return cut_file(Workspace(nobody, cast(Problem, None), ANALYST), path, by, folder / "pieces", silent, **how)


@given(st.lists(st.tuples(ODD, ODD), max_size=30))
@settings(max_examples=40)
def test_whatever_cells_hold_every_row_is_in_one_piece_and_in_order(odd: list[tuple[str, str]]) -> None:
    rows = [
        *sales(6),
        *([str(n), county, "00101", "2024-05-01", "1", "2", note] for n, (county, note) in enumerate(odd)),
    ]
    with tempfile.TemporaryDirectory() as folder:
        report = cut_rows(Path(folder), text_of(rows))
        made = {path.name: rows_in(path) for path in (Path(folder) / "pieces").glob("*.csv")}
    places = {row[0]: place for place, row in enumerate(rows)}
    assert sorted(itertools.chain(*made.values()), key=lambda row: places[row[0]]) == rows
    for name, held in made.items():
        assert [places[row[0]] for row in held] == sorted(places[row[0]] for row in held)
        assert all((name == NO_VALUE_FILE) == (not row[1].strip()) for row in held)
    by_county = {row[1].strip(): name for name, held in made.items() for row in held}
    assert all(row[1].strip() in by_county for row in rows)
    assert report.rows_in == len(rows) == report.no_value + sum(one.rows for one in report.pieces)


HALVES = (slice(900), slice(900, None))


def as_parquet(rows: Sequence[Sequence[str]]) -> bytes:
    return pd.DataFrame(rows, columns=HEADER).to_parquet()


@pytest.mark.parametrize(
    ("name", "content", "separator"),
    [
        ("plain.csv", text_of(sales(60)).encode(), ","),
        ("two.csv.gz", b"".join(gzip.compress(text_of(sales(60))[at].encode()) for at in HALVES), ","),
        ("semicolon.csv", text_of(sales(60), ";").encode(), ";"),
        ("mac.csv", text_of(sales(60)).replace("\n", "\r").encode(), ","),
        ("utf16.csv", text_of(sales(60), "\t").encode("utf-16"), "\t"),
        ("titled.csv", ("Export of sales\n\n" + text_of(sales(60))).encode(), ","),
        ("table.parquet", as_parquet(sales(60)), ","),
    ],
)  # fmt: skip
def test_files_in_any_form_are_cut_alike(tmp_path: Path, name: str, content: bytes, separator: str) -> None:
    report = cut_rows(tmp_path, content, name=name)
    rows = sales(60)
    assert {one.file: one.rows for one in report.pieces} == {"king.csv": 20, "kitsap.csv": 20, "pierce.csv": 20}
    for at, county in enumerate(("king", "pierce", "kitsap")):
        assert rows_in(tmp_path / "pieces" / f"{county}.csv", separator) == rows[at::3]


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()], ids=str)
def test_a_float_of_any_width_stands_in_its_piece_as_it_was_written(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.Table.from_pandas(pd.DataFrame(sales(3), columns=HEADER))
    latitudes = pa.array(np.array([47.1, 0, -0.3], kind.to_pandas_dtype()), kind, mask=np.array([False, True, False]))
    buffer = io.BytesIO()
    pq.write_table(table.append_column("Latitude", latitudes), buffer)
    cut_rows(tmp_path, buffer.getvalue(), name="table.parquet")
    found = [pd.read_csv(piece, dtype=str)["Latitude"][0] for piece in (tmp_path / "pieces").glob("*.csv")]
    assert {str(one) for one in found} == {"47.1", "nan", "-0.3"}


def test_a_western_file_whose_first_letters_beyond_ascii_come_late_is_read_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.collect.cutting.stream.BLOCK_BYTES", 4_096)
    rows = [*sales(400, ["Bonn"]), *sales(40, ["Köln", "Düren"], 400)]
    report = cut_rows(tmp_path, text_of(rows, ";").encode("cp1252"))
    assert {one.value: one.rows for one in report.pieces} == {"Bonn": 400, "Düren": 20, "Köln": 20}
    assert "cp1252" in report.reading
    assert rows_in(tmp_path / "pieces" / "koln.csv", ";") == rows[400::2]


def test_a_byte_that_does_not_fit_is_named_with_the_remedy_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.collect.cutting.stream.BLOCK_BYTES", 4_096)
    content = text_of([*sales(30_000, ["Köln"])]).encode() + "Düren".encode("cp1252")
    with pytest.raises(FileUnreadable, match=r"read as utf-8, but a byte near position .*--encoding cp1252"):
        cut_rows(tmp_path, content)
    assert [path.name for path in tmp_path.iterdir()] == ["state.csv"]


@pytest.mark.parametrize(
    ("content", "by", "error", "words"),
    [
        (text_of(sales(9)), "region", MappingError, "no column 'region'. Its columns are 'parcel number', 'county'"),
        (gzip.compress(text_of(sales(900)).encode())[:-9], "county", FileUnreadable, "ends too early"),
        (b"PK\x03\x04" + bytes(99), "county", FileUnreadable, "ZIP archive or a workbook"),
        (b'[{"a": 1}]', "county", FileUnreadable, "JSON"),
        (b"%PDF-1.7", "county", FileUnreadable, "PDF"),
        ("a,b\n" + "1,2\n" * 9, "month", MappingError, "no column looks like the date of the sale. Name it"),
    ],
    ids=["column", "short gzip", "zip", "json", "pdf", "no date"],
)  # fmt: skip
def test_what_cannot_be_cut_is_refused_with_the_remedy_and_leaves_nothing(
    tmp_path: Path, content: bytes | str, by: str, error: type[DoorstepError], words: str
) -> None:
    with pytest.raises(error, match=words.replace(".", r"\.")):
        cut_rows(tmp_path, content, by)
    assert [path.name for path in tmp_path.iterdir()] == ["state.csv"]


@pytest.mark.parametrize(
    ("by", "how", "words"),
    [
        ("month", {"date_column": "sale price"}, "no date.*--date"),
        ("remarks", {}, "empty in every row.*--by"),
    ],
)
def test_a_cut_that_would_make_no_file_is_refused(tmp_path: Path, by: str, how: dict[str, str], words: str) -> None:
    rows = [[*row[:4], "20240231", row[5], ""] for row in sales(9)]
    with pytest.raises(FileUnreadable, match=words):
        cut_rows(tmp_path, text_of(rows), by, **how)
    assert [one.name for one in tmp_path.iterdir()] == ["state.csv"]


def test_more_values_than_files_may_be_open_are_cut_all_the_same(tmp_path: Path) -> None:
    counties = [f"County {n}" for n in range(400)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + pieces.MAX_OPEN + 20, hard))
    try:
        report = cut_rows(tmp_path, text_of(sales(1_200, counties)))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [one.rows for one in report.pieces] == [3] * 400


def test_a_column_of_too_many_values_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MAX_PIECES", 50)
    with pytest.raises(FileNotWritten, match="'parcel number' has more than 50 different values"):
        cut_rows(tmp_path, text_of(sales(60)), "parcel number")
    assert not (tmp_path / "pieces").exists()


def test_rows_without_a_value_and_lines_that_are_no_rows_have_pieces_of_their_own(tmp_path: Path) -> None:
    rows = sales(60, ["King", "", "n/a", "KING "])
    report = cut_rows(tmp_path, text_of(rows) + "7,too,few\n")
    assert (report.rows_in, report.no_value, report.unread) == (61, 30, 1)
    assert [(one.file, one.rows, one.spellings) for one in report.pieces] == [("king.csv", 30, ["KING"])]
    assert rows_in(tmp_path / "pieces" / NO_VALUE_FILE) == [row for row in rows if row[1] in ("", "n/a")]
    assert (tmp_path / "pieces" / UNREAD_FILE).read_text().endswith("\n7,too,few\n")


def test_months_are_those_of_the_sale_as_the_intake_reads_them(tmp_path: Path) -> None:
    rows = [[*row[:3], f"{row[3][8:]}/{row[3][5:7]}/2024", *row[4:]] for row in sales(324)]
    rows[5][3] = "soon"
    report = cut_rows(tmp_path, text_of(rows), "month")
    assert [one.value for one in report.pieces] == [f"2024-{month:02}" for month in range(1, 13)]
    assert report.no_value == 1
    assert all(row[3][3:5] == "02" for row in rows_in(tmp_path / "pieces" / "2024-02.csv"))
    with pytest.raises(WrongUsage, match="months of one market"):
        take_pieces(Workspace(cast(Store, None), cast(Problem, None), ANALYST), report.folder, Taking(), silent)


def _die_cutting(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pieces.PieceWriter, "finish", lambda _: os.kill(os.getpid(), signal.SIGKILL))
        cut_rows(folder, text_of(sales(60)))


def test_a_cut_that_is_killed_leaves_no_piece_that_looks_whole_and_is_made_again(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=_die_cutting, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    left = tmp_path / "pieces.part"
    assert not (tmp_path / "pieces").exists()
    assert (left / "king.csv").exists()
    with pytest.raises(FileUnreadable, match="a cut that has not ended"):
        take_pieces(Workspace(cast(Store, None), cast(Problem, None), ANALYST), left, Taking(), silent)
    (left / "of-another-cut.csv").write_text("x")
    report = cut_rows(tmp_path, text_of(sales(60)))
    assert not left.exists()
    assert sorted(path.name for path in report.folder.iterdir()) == [MANIFEST, "king.csv", "kitsap.csv", "pierce.csv"]
    with pytest.raises(FileNotWritten, match="exists and is not empty"):
        cut_rows(tmp_path, text_of(sales(60)))


def test_two_cuts_do_not_write_into_one_folder(tmp_path: Path) -> None:
    with pieces.drafted(tmp_path / "pieces", 0), pytest.raises(FileNotWritten, match="Another cut is writing"):
        cut_rows(tmp_path, text_of(sales(60)))
    assert (tmp_path / "pieces").is_dir()


def test_what_a_person_has_beside_the_target_is_never_removed(tmp_path: Path) -> None:
    own = tmp_path / f"pieces{pieces.DRAFT_ENDING}" / "thesis.txt"
    own.parent.mkdir()
    own.write_text("mine", encoding="utf-8")
    with pytest.raises(FileNotWritten, match="and no cut has made it"):
        cut_rows(tmp_path, text_of(sales(60)))
    assert own.read_text(encoding="utf-8") == "mine"


def test_a_folder_is_not_made_below_one_that_is_not_there(tmp_path: Path) -> None:
    target = tmp_path / "disk" / "pieces"
    with pytest.raises(FileNotWritten, match=r"There is no folder '.*disk'"), pieces.drafted(target, 0):
        pass
    assert not target.parent.exists()


def test_a_target_that_is_a_file_or_the_current_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pieces").write_bytes(b"")
    with pytest.raises(FileNotWritten, match="is a file"):
        cut_rows(tmp_path, text_of(sales(60)))
    (tmp_path / "pieces").unlink()
    (tmp_path / "pieces").mkdir()
    monkeypatch.chdir(tmp_path / "pieces")
    with pytest.raises(FileNotWritten, match="the folder you are in"):
        cut_rows(tmp_path, text_of(sales(60)))


def test_a_link_to_an_empty_folder_is_as_good_as_the_folder(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "pieces").symlink_to(tmp_path / "disk")
    assert len(cut_rows(tmp_path, text_of(sales(60))).pieces) == 3
    assert (tmp_path / "disk" / MANIFEST).exists()


def test_an_encoding_that_is_none_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"'klingon' is no encoding Doorstep knows\. Choose one of utf-8"):
        cut_rows(tmp_path, text_of(sales(9)), encoding="klingon")


def test_a_disk_too_full_for_the_pieces_is_named_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotWritten, match="The pieces need about"), pieces.drafted(tmp_path / "pieces", 1 << 60):
        pass
    assert not (tmp_path / "pieces").exists()


def test_each_piece_becomes_a_market_and_one_that_is_refused_stops_no_other(store: Store, tmp_path: Path) -> None:
    rows = [*sales(30, ["Pierce"]), *([row[0], "Lost", "", "soon", "no price", "", ""] for row in sales(4, first=500))]
    report = cut_rows(tmp_path, text_of(rows))
    workspace = acting(store, ANALYST, today=TODAY)
    taken = take_pieces(workspace, report.folder, Taking(currency="EUR"), silent)
    assert [(one.market, one.rows_in, one.accepted, bool(one.refused)) for one in taken] == [
        ("lost", 0, 0, True),
        ("pierce", 30, 30, False),
    ]
    assert [(one.name, one.currency) for one in store.markets.list()] == [("Pierce", "EUR")]
    again = taken_lines(take_pieces(workspace, report.folder, Taking(), silent), ())
    assert [line.split()[0] for line in again[1:3]] == ["Lost", "Pierce"]
    assert "of the rows: known already 30" in again

    (report.folder / "lost.csv").unlink()
    (report.folder / "pierce.csv").write_text(text_of(sales(9, ["Pierce"], 900)))
    changed = take_pieces(workspace, report.folder, Taking(), silent)
    assert all("Cut state.csv again" in one.refused for one in changed)
    assert ["is missing" in one.refused for one in changed] == [True, False]
    (report.folder / MANIFEST).unlink()
    [further] = take_pieces(workspace, report.folder, Taking(), silent)
    assert (further.market, further.sales, further.changed) == ("pierce", 39, True)
    [other] = take_pieces(workspace, report.folder, Taking(currency="USD"), silent)
    assert other.refused.startswith("The prices of Pierce are in EUR, not USD.")


def test_the_report_says_why_rows_were_not_accepted_and_what_was_left_out(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name, at in (("king", 0), ("pierce", 500)):
        rows = [[*row, f"Agent {row[0]}"] for row in sales(30, first=at)]
        rows[3][4] = rows[4][4] = "1"
        header = text_of([]).splitlines()[0]
        lines = [f"{header},Listing Agent", *(",".join(map(str, row)) for row in rows)]
        (folder / f"{name}.csv").write_text("\n".join(lines))
    taken = take_pieces(acting(store, ANALYST, today=TODAY), folder, Taking(currency="USD"), silent)
    assert [one.reasons["price_impossible"] for one in taken] == [2, 2]
    lines = taken_lines(taken, ())
    assert "of the rows: price impossible 4" in lines
    [left] = [line for line in lines if line.startswith("column 'Listing Agent' left out of 2 files: ")]
    assert "person" in left


def test_months_become_versions_of_one_market_one_after_another(store: Store, tmp_path: Path) -> None:
    rows = [[*row[:3], f"{row[3][8:]}/{row[3][5:7]}/2024", *row[4:]] for row in sales(324)]
    # A month alone does not tell its days from its months: they are read as in the whole file.
    rows = [row for row in rows if row[3][3:5] in ("01", "06") or (row[3][3:5] == "05" and row[3][:2] < "10")]
    report = cut_rows(tmp_path, text_of(rows), "month")
    taken = take_pieces(acting(store, ANALYST, today=TODAY), report.folder, Taking("Springfield", "USD"), silent)
    assert [(one.file, one.market) for one in taken] == [(f"2024-{at}.csv", "springfield") for at in ("01", "05", "06")]
    assert len({one.version for one in taken}) == 3
    assert sum(one.rows_in for one in taken) == len(rows) == taken[-1].sales
    held = store.versions.load(taken[-1].version)
    assert sorted(held["sale_date"].dt.strftime("%d/%m/%Y")) == sorted(row[3] for row in rows)


def test_processes_may_share_the_pieces_of_a_large_folder(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_sent(function: Callable[..., T], calls: Iterable[tuple[Any, ...]], *_: object) -> list[T]:
        sent = pickle.loads(pickle.dumps((function, list(calls))))
        return [sent[0](*call) for call in sent[1]]

    monkeypatch.setattr(taking, "_WORTH_PROCESSES", 0)
    monkeypatch.setattr(taking, "in_parallel", as_sent)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    report = cut_rows(tmp_path, text_of(sales(60, ["King", "Pierce"])))
    taken = take_pieces(acting(store, ANALYST, today=TODAY), report.folder, Taking(currency="USD"), silent)
    assert [(one.market, one.sales, one.refused) for one in taken] == [("king", 30, ""), ("pierce", 30, "")]
    assert [one.market_id for one in store.markets.list()] == ["king", "pierce"]


def test_who_may_not_bring_in_sales_may_not_cut_them_either(tmp_path: Path) -> None:
    agent = Workspace(cast(Store, None), cast(Problem, None), Actor("kim", Role.AGENT))
    with pytest.raises(AccessDenied):
        cut_file(agent, tmp_path / "a.csv", "county", tmp_path / "pieces", silent)
    with pytest.raises(AccessDenied):
        take_pieces(agent, tmp_path, Taking(), silent)
