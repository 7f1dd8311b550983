"""Rules of quality that came after sales were stored: what they would repair, and a version with the repairs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import pandas as pd

from core.access import Action
from core.accounting import FileAccounting, Outcome
from core.prepare.quality.cleaning import repaired_again
from core.schema import label_of
from core.store import DataVersion
from core.wording import count
from core.workflows.data.sale_pool import ROW, Pool, changed_rows, load_pool, places_of
from core.workflows.data.scrutiny import REVIEW, Applied, latest_version, ledger_of_changes, put_in_use
from core.workspace import Workspace

_FILE: Final = "Repairs by newer rules"
_NAMED: Final = 3


@dataclass(frozen=True)
class StoredRepairs:
    """How many stored sales hold values that today's rules leave empty; ``values`` counts these, by fact and value."""

    n: int
    values: tuple[tuple[str, str, int], ...]

    @property
    def words(self) -> str:
        """What is wrong and what the repair does, in sentences; "" where nothing is."""
        if not self.n:
            return ""
        named = [f"{fact} {value} ({n:,})" for fact, value, n in self.values[:_NAMED]]
        more = [f"{len(self.values) - _NAMED:,} more"] if len(self.values) > _NAMED else []
        have = "has a value" if self.n == 1 else "have values"
        them = "it" if self.n == 1 else "them"
        return (
            f"{count(self.n, 'stored sale')} {have} that today’s rules of quality would leave empty: "
            f"{', '.join([*named, *more])}. A new version leaves {them} empty; undoing that version brings {them} back."
        )


def stored_repairs(workspace: Workspace, market_id: str) -> StoredRepairs:
    """Say what today's rules would repair in a market's latest version; nothing where it has no sales.

    Raises AccessDenied, NotFound, ArtifactCorrupt, StoreUnavailable.
    """
    workspace.require(Action.VIEW_DATA)
    version = workspace.store.versions.latest(market_id)
    if version is None:
        return StoredRepairs(0, ())
    before, after, _ = _repaired(workspace, version)
    counted: Counter[tuple[str, str]] = Counter()
    changed = changed_rows(before, after)
    for name in before.sales:
        was = before.sales[name].iloc[changed]
        gone = was[was.notna().to_numpy() & after.sales[name].iloc[changed].isna().to_numpy()]
        counted.update((label_of(str(name)), _written(value)) for value in gone)
    return StoredRepairs(len(changed), tuple((*key, n) for key, n in counted.most_common()))


def repair_stored(workspace: Workspace, market_id: str) -> Applied:
    """Make a data version with the repairs of ``stored_repairs``; where there are none the latest one stays.

    Sales that a person has decided on stay as they were decided. Raises AccessDenied, NotFound, ArtifactCorrupt,
    StaleVersion, StoreUnavailable.
    """
    workspace.require(Action.INGEST)
    version = latest_version(workspace, market_id)
    before, after, details = _repaired(workspace, version)
    changed = changed_rows(before, after)
    if not len(changed):
        return Applied(version, 0)
    waits = int(after.waits[changed].sum())
    account = FileAccounting(
        file=_FILE,
        source=REVIEW,
        sha256="",
        rows_in=len(changed),
        accepted=0,
        repaired=len(changed) - waits,
        duplicate=0,
        rejected=0,
        reasons={},
        set_aside=waits,
    )
    done = [details[place] for place in changed]
    return put_in_use(
        workspace, version, after, account, ledger_of_changes(_FILE, after, changed, Outcome.REPAIRED, done)
    )


def _repaired(workspace: Workspace, version: DataVersion) -> tuple[Pool, Pool, list[str]]:
    """Return a version's sales before and after today's rules, and what these did to each sale in words."""
    store = workspace.store
    pool = load_pool(store, version)
    repaired, findings = repaired_again(pool.sales.drop(columns=ROW), workspace.problem)
    repaired = repaired.reindex(columns=pool.sales.columns.drop(ROW)).assign(**{ROW: pool.sales[ROW].to_numpy()})
    repaired = repaired[list(pool.sales.columns)]
    decided = list(places_of(pool.sales, store.sale_decisions.history(version.market_id)).values())
    repaired.iloc[decided] = pool.sales.iloc[decided]
    return pool, Pool(repaired, pool.doubt), findings.details


def _written(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    return f"{value:.12g}" if isinstance(value, float) else str(value)
