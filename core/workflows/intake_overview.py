"""What an analyst finds on the first page: the last upload, what waits for a decision, and the sales of each month."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.access import Action
from core.accounting import FileAccounting
from core.store import DataVersion, Market
from core.wording import day
from core.workflows.data.scrutiny import ToDecide
from core.workspace import Workspace


@dataclass(frozen=True)
class Waiting:
    """What waits for somebody: ``draft`` is an own intake not committed, ``doubtful`` the sales to decide."""

    draft: bool
    doubtful: ToDecide

    @property
    def words(self) -> tuple[str, ...]:
        """What waits, one sentence an item; empty if nothing does."""
        found = ["Your files are staged but not committed."] if self.draft else []
        return (*found, self.doubtful.words) if self.doubtful.words else tuple(found)


@dataclass(frozen=True)
class IntakeOverview:
    """The latest version made from files, None before the first, and what waits; ``version`` is the one in use."""

    version: DataVersion | None
    upload: DataVersion | None
    waiting: Waiting

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
        return f"{names}, {day(self.upload.created_at.date())} by {self.upload.created_by}"


def intake_overview(workspace: Workspace, market: Market, doubtful: ToDecide) -> IntakeOverview:
    """Read the last upload and what waits, ``doubtful`` being what to_decide counts.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.VIEW_DATA)
    store = workspace.store
    chain = store.versions.chain(market.market_id)
    upload = next((one for one in chain if any(file.source == "sales" for file in one.files)), None)
    version = chain[0] if chain else None
    draft = store.drafts.load(workspace.actor) is not None
    return IntakeOverview(version, upload, Waiting(draft, doubtful))


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
