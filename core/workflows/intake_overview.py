"""What an analyst finds on the first page: the last upload, what waits for a decision, and the sales of each month."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pandas as pd

from core.access import Action
from core.accounting import FileAccounting
from core.prepare.quality.corrections import CORRECTS
from core.schema import Source
from core.store import DataVersion, Market
from core.wording import market_day
from core.workflows.data.scrutiny import ToDecide
from core.workflows.overview import Overview, attention
from core.workflows.standing import Step as Next
from core.workflows.standing import standing_for
from core.workspace import Workspace

_UPLOADED: Final = frozenset(Source)
"""The kinds of files that a person brings: what somebody decided on doubtful sales is none."""


class Step(StrEnum):
    """The one step that leads an analyst on."""

    COMMIT = "commit"
    WAIT = "wait"
    COMPARE = "compare"
    TRAIN = "train"
    DECIDE = "decide"
    UPLOAD = "upload"


@dataclass(frozen=True)
class Waiting:
    """What waits for somebody: ``draft`` says that an own intake is not committed, ``doubtful`` counts what to decide.

    ``training`` says why a model is to be trained, or why none can be, ``running`` that one is being trained, and
    ``deciding`` that a challenger comes first; each is empty where it is not so.
    """

    draft: str
    doubtful: ToDecide
    training: str = ""
    trainable: bool = True
    deciding: str = ""
    running: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """What waits, one sentence an item, the one of ``step`` first; empty if nothing does."""
        return tuple(filter(None, (self.draft, self.running, self.deciding, self.training, self.doubtful.words)))

    @property
    def step(self) -> Step:
        """The one step that helps most."""
        if self.draft:
            return Step.COMMIT
        if self.running:
            return Step.WAIT
        if self.deciding:
            return Step.COMPARE
        if self.training:
            return Step.TRAIN if self.trainable else Step.UPLOAD
        return Step.DECIDE if self.doubtful.words else Step.UPLOAD


@dataclass(frozen=True)
class IntakeOverview:
    """The latest version made from files, None before the first, and what waits; ``version`` is the one in use."""

    version: DataVersion | None
    upload: DataVersion | None
    waiting: Waiting
    currency: str

    @property
    def files(self) -> tuple[FileAccounting, ...]:
        """The files of the last upload: those of sales, where it has any."""
        files = self.upload.files if self.upload else ()
        return tuple(file for file in files if file.source == Source.SALES) or files

    @property
    def corrections(self) -> int:
        """How many rows of the last upload correct a stored sale: they are among its accepted and repaired ones."""
        return sum(file.reasons.get(CORRECTS, 0) for file in self.files)

    @property
    def words(self) -> str:
        """The last upload in one sentence."""
        if self.upload is None:
            return "Nothing was uploaded yet."
        names = ", ".join(file.file for file in self.files)
        beside = [file.file for file in self.upload.files if file not in self.files]
        more = f"; with {', '.join(beside)}, whose rows are not among these" if beside else ""
        return f"{names}, {market_day(self.upload.created_at.date(), self.currency)} by {self.upload.created_by}{more}"


def intake_overview(workspace: Workspace, market: Market, doubtful: ToDecide, seen: Overview) -> IntakeOverview:
    """Read the last upload and what waits, ``doubtful`` being what to_decide counts, ``seen`` the market's overview.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.VIEW_DATA)
    upload = next((one for one in seen.chain if any(file.source in _UPLOADED for file in one.files)), None)
    enough = seen.version is not None and seen.version.rows >= workspace.problem.training.sales_min
    standing, training = standing_for(workspace.actor, seen, workspace.problem), _training(workspace, seen)
    running = standing.sentence if standing.step is Next.WAIT else ""
    deciding = standing.sentence if training and standing.step is Next.COMPARE else ""
    training = "" if seen.training is not None or deciding else training
    waiting = Waiting(_draft(workspace, market), doubtful, training, enough, deciding, running)
    return IntakeOverview(seen.version, upload, waiting, market.currency)


def _draft(workspace: Workspace, market: Market) -> str:
    """Say that own files are staged, and for which market where it is another; "" where none are."""
    document = workspace.store.drafts.load(workspace.actor)
    if document is None:
        return ""
    aim = document.get("destination") or {}
    known = {one.market_id: one.name for one in workspace.store.markets.list()}
    name = known.get(str(aim.get("market_id", "")), str(aim.get("name", "")))
    where = f" for {name}" if name and aim.get("market_id") != market.market_id else ""
    return f"Your files{where} are staged but not committed."


def _training(workspace: Workspace, seen: Overview) -> str:
    """Say that a model is to be trained on the sales in use, "" where one was."""
    if seen.version is None or (seen.newest is not None and seen.is_of_the_latest_sales(seen.newest)):
        return ""
    if seen.failed:
        return f"No model has learned from the sales as they are now, and the last training failed: {seen.failed}"
    if seen.champion is None:
        return attention(seen, workspace.problem)[0]
    return "No model has learned from the sales as they are now: train one, and compare it with the live model."


def sales_by_month(workspace: Workspace, version_id: str) -> pd.DataFrame:
    """Count a version's sales by month of sale, months without any included: ``start`` (first day) and ``sales``.

    Raises AccessDenied, NotFound, ArtifactCorrupt, StoreUnavailable.
    """
    workspace.require(Action.VIEW_DATA)
    dates = workspace.store.versions.load(version_id, ["sale_date"])["sale_date"].dropna()
    counted = dates.dt.to_period("M").value_counts().sort_index()
    if len(counted):
        counted = counted.reindex(pd.period_range(counted.index[0], counted.index[-1], freq="M"), fill_value=0)
    return pd.DataFrame({"start": counted.index.to_timestamp(), "sales": counted.to_numpy(dtype=int)})
