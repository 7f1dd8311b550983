"""Shadow mode: how a challenger would have priced the agents' homes, computed later from the ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Final

import numpy as np
import pandas as pd

from core.access import Action
from core.arrays import Floats
from core.errors import StoreError
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import mean_interval
from core.serve.estimate import LiveMarket
from core.serve.estimate_many import estimate_many
from core.states import AuditAction
from core.store import ModelRecord, Store
from core.store.models.shadows import Shadow, Unshadowed
from core.train.bundle import Bundle
from core.train.live_model import bring_up_to_date
from core.workflows.models.training import load_model
from core.workspace import Workspace

_LOG: Final = logging.getLogger(__name__)
_CHUNK: Final = 1_000
_AGREE: Final = 0.05


@dataclass(frozen=True)
class ShadowReport:
    """How a challenger's estimates compare with those given to agents, for the ``n`` homes from ``first`` to ``last``.

    ``median_difference`` is the median of challenger's / champion's estimate, less 1; ``agree`` the share within 5%.
    For the ``sold`` homes: mean errors (MAPE) of both, and the challenger's less the champion's, each with its 95%
    interval; NaN if none sold.
    """

    model_id: str
    n: int
    first: date | None
    last: date | None
    median_difference: float
    agree: float
    sold: int
    champion_error: Figure
    challenger_error: Figure
    difference: Figure


def shadow_pending(workspace: Workspace, market_id: str) -> int:
    """Price every ledger estimate made since the market's challenger became one with it, and store the answers.

    Each gets the answer the challenger would have given: from the same facts, as of the same day, with the sales of the
    same data version. No agent waits for this: it reads estimates from the ledger afterward, and an interrupted run
    resumes with the next. Returns the number written. Raises NotFound, ArtifactCorrupt, ModelOutdated,
    StoreUnavailable.
    """
    challenger = workspace.store.models.challenger(market_id)
    if challenger is None:
        return 0
    return sum(workspace.store.shadows.append_many(some) for some in _shadows(workspace, challenger))


def shadow_report(workspace: Workspace, model_id: str) -> ShadowReport:
    """Compare a challenger's shadow estimates with the champion's; raises AccessDenied, NotFound, StoreUnavailable."""
    workspace.require(Action.VIEW_MODELS)
    record = workspace.store.models.get(model_id)
    table = workspace.store.shadows.frame(record.market_id, model_id)
    point, shadow = (table[name].to_numpy(dtype=float) for name in ("point", "shadow_point"))
    apart = shadow / point - 1.0
    sold = table["sale_price"].notna().to_numpy()
    price = table["sale_price"].to_numpy(dtype=float)[sold]
    errors = np.abs(point[sold] / price - 1.0), np.abs(shadow[sold] / price - 1.0)
    return ShadowReport(
        model_id=model_id,
        n=len(table),
        first=min(table["at"]).date() if len(table) else None,
        last=max(table["at"]).date() if len(table) else None,
        median_difference=float(np.median(apart)) if len(table) else float("nan"),
        agree=float((np.abs(apart) <= _AGREE).mean()) if len(table) else float("nan"),
        sold=int(sold.sum()),
        champion_error=_mean(errors[0]),
        challenger_error=_mean(errors[1]),
        difference=_mean(errors[1] - errors[0]),
    )


def _shadows(workspace: Workspace, challenger: ModelRecord) -> Iterator[list[Shadow]]:
    since, after = _since(workspace.store, challenger), 0
    desk: _Desk | None = None
    while waiting := workspace.store.shadows.pending(challenger.market_id, challenger.model_id, since, after, _CHUNK):
        after = waiting[-1].seq
        if desk is None:
            desk = _Desk(workspace, challenger)
        ordered = sorted(waiting, key=_alike)
        for _, alike in groupby(ordered, key=_alike):
            yield desk.priced(list(alike))


def _since(store: Store, challenger: ModelRecord) -> datetime:
    entered = store.events.of(challenger.model_id, AuditAction.MODEL_CHALLENGED)
    return entered[0].at if entered else challenger.created_at


def _alike(one: Unshadowed) -> tuple[str, date, float]:
    return one.version_id or "", one.as_of, one.level


class _Desk:
    """The challenger as it would have been on the agents' desk, one data version after another."""

    def __init__(self, workspace: Workspace, challenger: ModelRecord) -> None:
        self.store, self.challenger, self.problem = workspace.store, challenger, workspace.problem
        self.bundle: Bundle = load_model(workspace.store, challenger.model_id)
        self._version, self._open_live_market = "", self._opened(challenger.version_id)

    def priced(self, alike: Sequence[Unshadowed]) -> list[Shadow]:
        """Return the shadows of estimates with the same data version, day and level; those without a price get none."""
        live_market = self._live_market_of(alike[0].version_id or self.challenger.version_id)
        if live_market is None:
            return []
        facts = pd.DataFrame([dict(one.facts) for one in alike])
        answers = estimate_many(live_market, facts, alike[0].as_of, self.problem, alike[0].level)
        at, priced = datetime.now(UTC), answers.priced
        figures = zip(priced.point.tolist(), priced.low.tolist(), priced.high.tolist(), answers.confidence, strict=True)
        return [
            Shadow(alike[row].estimate_id, self.challenger.model_id, at, point, low, high, float(sure))
            for row, (point, low, high, sure) in zip(answers.rows.tolist(), figures, strict=True)
        ]

    def _live_market_of(self, version_id: str) -> LiveMarket | None:
        if version_id != self._version:
            self._version, self._open_live_market = version_id, self._opened(version_id)
        return self._open_live_market

    def _opened(self, version_id: str) -> LiveMarket | None:
        try:
            sales = self.store.versions.load(version_id)
        except StoreError as error:
            _LOG.warning("estimates of data version %s get no shadow: %s", version_id, error)
            return None
        return LiveMarket(self.bundle, bring_up_to_date(self.bundle.model, sales), version_id, None)


def _mean(values: Floats) -> Figure:
    if not len(values):
        return Figure(float("nan"), float("nan"), float("nan"), 0)
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
    low, high = (float(bound) for bound in mean_interval(mean, spread, len(values)))
    return Figure(mean, low, high, len(values))
