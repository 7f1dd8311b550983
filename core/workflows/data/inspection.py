"""What a person checks and answers before files are committed: breaches, columns versus stored data, leaks, matches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import pandas as pd

from core.access import Action
from core.accounting import Outcome
from core.collect.columns.parts import is_shifted
from core.collect.mapping import MappedTable
from core.collect.near_matches import NearMatch
from core.collect.privacy.cutting import without_persons_in
from core.prepare.quality.column_check import ColumnComparison, compare_columns
from core.prepare.quality.contract import EMPTIED, PROBLEM_COLUMNS, all_problems
from core.problem import Problem
from core.schema import Source
from core.workflows.data.intake import IntakePreview
from core.workflows.data.market_of_files import NewMarket, market_id_of
from core.workspace import Workspace

FILE: Final = "file"
UNREAD: Final = "The cell was left empty"
REPEATED: Final = "The row repeats a sale and is left out: nothing is lost"
LOST_WITH_ROW: Final = "The row is left out for another cell"


@dataclass(frozen=True)
class FileInspection:
    """One sales file: its columns compared with the stored sales."""

    file: str
    columns: tuple[ColumnComparison, ...]


@dataclass(frozen=True)
class Inspection:
    """The findings in the files of a preview.

    ``problems`` has one row per breach or unreadable cell of any file: ``file``, then PROBLEM_COLUMNS of
    core.prepare.quality.contract. ``held`` counts the stored sales the columns were compared with.
    """

    problems: pd.DataFrame
    sales: tuple[FileInspection, ...]
    held: int


def inspect_intake(workspace: Workspace, preview: IntakePreview) -> Inspection:
    """Inspect the mapped files of a preview; changes nothing.

    Raises ArtifactCorrupt if the market's current version cannot be loaded, StoreUnavailable.
    """
    held = workspace.store.versions.load(preview.parent_id) if preview.parent_id is not None else None
    problems = [
        _problems(table, workspace.problem, workspace.utc_today()).assign(**{FILE: table.name})
        for table in preview.tables
    ]
    return Inspection(
        problems=_with_lost_rows(pd.concat(problems, ignore_index=True), preview.ledgers)[[FILE, *PROBLEM_COLUMNS]],
        sales=tuple(
            FileInspection(table.name, _compared(table, held, preview.currency))
            for table in preview.tables
            if table.source is Source.SALES
        ),
        held=len(held) if held is not None else 0,
    )


def _compared(table: MappedTable, held: pd.DataFrame | None, currency: str) -> tuple[ColumnComparison, ...]:
    """Compare the columns; where the headers are shifted, that one doubt stands for the findings in single columns."""
    compared = compare_columns(table.frame, held, currency)
    return tuple(replace(one, finding="") for one in compared) if is_shifted(table.inferences) else compared


def _with_lost_rows(problems: pd.DataFrame, ledgers: pd.DataFrame) -> pd.DataFrame:
    """Say of an emptied cell that its row is left out, where it is rejected for another cell or repeats a sale."""
    outcomes = ledgers.drop_duplicates(["file", "source_row"]).set_index(["file", "source_row"])["outcome"]
    outcome = outcomes.reindex(pd.MultiIndex.from_frame(problems[[FILE, "row"]])).to_numpy()
    worded = problems["remedy"]
    for kept in (EMPTIED, UNREAD):
        worded = worded.str.replace(kept, LOST_WITH_ROW, regex=False)
    remedy = problems["remedy"].mask(outcome == Outcome.REJECTED, worded)
    return problems.assign(remedy=remedy.mask(outcome == Outcome.DUPLICATE, REPEATED))


def _problems(table: MappedTable, problem: Problem, today: date) -> pd.DataFrame:
    if table.source is Source.SALES:
        problems = all_problems(table, problem, today)
        # Figures alone name nobody.
        wordy = [text for text in problems["value"].unique() if any(map(str.isalpha, text))]
        cut = {text: without_persons_in(text) for text in wordy}
        return problems.assign(value=problems["value"].map(lambda text: cut.get(text, text)).astype("str"))
    # The rules are for sales; other files report only unreadable cells.
    unread = table.problems.rename(columns={"source_row": "row"})
    problems = unread.assign(limit=unread["problem"].str.replace(r"^not ", "", regex=True), code="unreadable")
    return problems[list(PROBLEM_COLUMNS)]


def answer_match(workspace: Workspace, market: str | NewMarket, near: NearMatch, same: bool) -> None:
    """Record whether a sale's and a tax record's address are the same home, for the next check of the files.

    ``market`` is the market's id, or the new market that the first commit creates. The latest answer on a pair counts.
    Raises AccessDenied, StoreUnavailable.
    """
    workspace.require(Action.INGEST)
    workspace.store.matches.answer(market_id_of(market), near.sales_key, near.tax_key, same, workspace.actor)
