"""Market indicators through the whole intake: beside sales or alone, known again, undone, and told beside a cause."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from core.access import Actor, Role
from core.errors import MappingError, NoUsableRows
from core.problem import Problem
from core.progress import silent
from core.store import Market, open_store
from core.wording import market_day
from core.workflows.data.effect_words import why_nothing_new
from core.workflows.data.intake import IntakeReport, ingest
from core.workflows.data.versions import redo_version, undo_version
from core.workflows.indicators.moved import moved_words
from core.workflows.source_files.reading import SourceFile
from core.workspace import Workspace
from tests.acting import acting
from tests.postgresql import ON_BOTH
from tests.workflows.data.test_intake import HEADER, rows, write

MANAGER = Actor("mara", Role.MANAGER)
RATES = "observation_date,mortgage rate\n" + "".join(f"2024-{n + 1:02}-01,{6 + n / 10:.1f}\n" for n in range(12))


def take_in(workspace: Workspace, market: Market, *files: SourceFile) -> IntakeReport:
    return ingest(workspace, market.market_id, files, silent)


def test_indicators_come_with_sales_or_to_a_market_that_has_some(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    sales, rates = write(tmp_path, HEADER + rows(50)), write(tmp_path, RATES, "rates.csv")
    together = take_in(workspace, market, sales, rates)
    held = workspace.store.versions.load_indicators(together.version.version_id)
    assert held is not None
    assert held["indicator_value"].tolist() == [round(6 + n / 10, 1) for n in range(12)]
    assert together.preview.files[-1].accepted == 12
    later = write(tmp_path, RATES.splitlines()[0] + "\n2025-01-01,7.5\n2025-02-01,7.6\n2025-03-01,7.4\n", "later.csv")
    report = take_in(workspace, market, later)
    assert report.changed
    assert report.version.rows == together.version.rows
    assert report.preview.brought.startswith("New market indicators: Mortgage rate (3 values from")
    longer = workspace.store.versions.load_indicators(report.version.version_id)
    assert longer is not None
    assert len(longer) == 15


def test_sales_alone_keep_the_indicators_and_the_same_ones_again_change_nothing(
    workspace: Workspace, market: Market, tmp_path: Path
) -> None:
    rates = write(tmp_path, RATES, "rates.csv")
    first = take_in(workspace, market, write(tmp_path, HEADER + rows(50)), rates)
    again = take_in(workspace, market, rates)
    assert not again.changed
    assert again.version == first.version
    assert why_nothing_new(again.preview.files, 50) == "The market has the figures of rates.csv already."
    more = take_in(workspace, market, write(tmp_path, HEADER + rows(60), "more.csv"))
    held = workspace.store.versions.load_indicators(more.version.version_id)
    assert held is not None
    assert len(held) == 12


@ON_BOTH
def test_undone_indicators_are_gone_and_come_back(workspace: Workspace, market: Market, tmp_path: Path) -> None:
    first = take_in(workspace, market, write(tmp_path, HEADER + rows(50)))
    report = take_in(workspace, market, write(tmp_path, RATES, "rates.csv"))
    assert undo_version(workspace, report.version.version_id, "a trial").restored == first.version
    assert workspace.store.versions.load_indicators(first.version.version_id) is None
    redo_version(workspace, report.version.version_id, "it was right")
    latest = workspace.store.versions.latest(market.market_id)
    assert latest is not None
    assert workspace.store.versions.load_indicators(latest.version_id) is not None


def test_a_market_without_sales_needs_some_first(workspace: Workspace, market: Market, tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="holds market indicators: add it to the market that has the sales"):
        take_in(workspace, market, write(tmp_path, RATES, "rates.csv"))


def test_a_file_without_a_single_figure_is_refused(workspace: Workspace, market: Market, tmp_path: Path) -> None:
    take_in(workspace, market, write(tmp_path, HEADER + rows(50)))
    mapped = write(tmp_path, RATES, "rates.csv")
    mapping = take_in(workspace, market, mapped).preview.tables[0]
    assert mapping.source == "indicators"
    blank = RATES.splitlines()[0] + "\n" + "".join(f"2026-{n + 1:02}-01,\n" for n in range(9)) + "2026-10-01,n/a\n"
    with pytest.raises((NoUsableRows, MappingError)):
        take_in(workspace, market, write(tmp_path, blank, "blank.csv"))


def test_what_moved_since_training_is_said_in_the_markets_words(
    small_home: Path, problem: Problem, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(small_home, home)
    with open_store(home) as store:
        workspace = acting(store, MANAGER, problem)
        [market] = store.markets.list()
        live = store.models.champion(market.market_id)
        assert live is not None
        learned = pd.Timestamp(live.card["last_sale"])
        days = [learned + pd.DateOffset(days=30 * n - 20) for n in range(6)]
        text = "date,mortgage rate,listings\n" + "".join(
            f"{day:%Y-%m-%d},{5 + n / 2},{1_200 - 10 * n}\n" for n, day in enumerate(days)
        )
        ingest(workspace, market.market_id, [write(tmp_path, text, "rates.csv")], silent)
        said = moved_words(workspace, market.market_id, days[4].date())
        first, last = market_day(days[0].date(), market.currency), market_day(days[3].date(), market.currency)
    assert said == (
        f"Listings fell by 30, from 1,200 on {first} to 1,170 on {last}.",
        f"Mortgage rate rose by 1.5, from 5 on {first} to 6.5 on {last}.",
    )
