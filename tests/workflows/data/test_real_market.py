"""A whole market of real sales goes in by mapping alone, and every row is accounted for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from core.access import Actor, Role
from core.problem import Problem
from core.progress import silent
from core.store import Store
from core.workflows.data.intake import ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting


def test_melbourne_goes_in_whole(store: Store, sales_data: Path, problem: Problem) -> None:
    path = sales_data / "melbourne" / "melbourne_housing_full.csv.gz"
    manager = acting(store, Actor("Mia", Role.MANAGER), problem, today=date(2026, 1, 1))
    ingest(manager, NewMarket("Melbourne", "AUD", "sqm"), [SourceFile(path, path.name)], silent)
    version = store.versions.latest(store.markets.list()[0].market_id)
    assert version is not None
    [file] = version.files
    assert file.rows_in == file.accepted + file.repaired + file.duplicate + file.rejected + file.set_aside == 34_857
    assert file.accepted + file.repaired == version.rows == 27_035
