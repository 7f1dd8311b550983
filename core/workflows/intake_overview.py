"""What an analyst finds on the first page: the last upload, what waits for a decision, and the sales of each month."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from core.access import Action
from core.accounting import FileAccounting
from core.store import DataVersion, Market
from core.wording import market_day
from core.workflows.data.scrutiny import ToDecide
from core.workflows.overview import Overview, attention
from core.workspace import Workspace


class Step(StrEnum):
    """The one step that leads an analyst on."""

    COMMIT = "commit"
    TRAIN = "train"
    DECIDE = "decide"
    UPLOAD = "upload"


@dataclass(frozen=True)
class Waiting:
    """What waits for somebody: ``draft`` is an own intake not committed, ``doubtful`` the sales to decide.

    ``training`` says why a model is to be trained, or why none can be; empty where neither is so.
    """

    draft: bool
    doubtful: ToDecide
    training: str = ""
    trainable: bool = True

    @property
    def words(self) -> tuple[str, ...]:
        """What waits, one sentence an item, the one of ``step`` first; empty if nothing does."""
        staged = "Your files are staged but not committed." if self.draft else ""
        return tuple(filter(None, (staged, self.training, self.doubtful.words)))

    @property
    def step(self) -> Step:
        """The one step that helps most."""
        if self.draft:
            return Step.COMMIT
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
        """The sales files of the last upload."""
        return tuple(file for file in self.upload.files if file.source == "sales") if self.upload else ()

    @property
    def words(self) -> str:
        """The last upload in one sentence."""
        if self.upload is None:
            return "Nothing was uploaded yet."
        names = ", ".join(file.file for file in self.files)
        return f"{names}, {market_day(self.upload.created_at.date(), self.currency)} by {self.upload.created_by}"


def intake_overview(workspace: Workspace, market: Market, doubtful: ToDecide, seen: Overview) -> IntakeOverview:
    """Read the last upload and what waits, ``doubtful`` being what to_decide counts, ``seen`` the market's overview.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.VIEW_DATA)
    store = workspace.store
    chain = store.versions.chain(market.market_id)
    upload = next((one for one in chain if any(file.source == "sales" for file in one.files)), None)
    version = chain[0] if chain else None
    draft = store.drafts.load(workspace.actor) is not None
    enough = seen.version is not None and seen.version.rows >= workspace.problem.training.sales_min
    return IntakeOverview(
        version, upload, Waiting(draft, doubtful, _training(workspace, seen), enough), market.currency
    )


def _training(workspace: Workspace, seen: Overview) -> str:
    """Say that a model is to be trained on the sales in use, "" where one was."""
    version, newest = seen.version, seen.newest
    if version is None or (newest is not None and newest.version_id == version.version_id):
        return ""
    if seen.champion is None:
        return attention(seen, workspace.problem)[0]
    return "No model was trained on the latest sales yet: train one, and compare it with the live model."


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
