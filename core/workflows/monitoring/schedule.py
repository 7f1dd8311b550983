"""When the live model reaches its limit of age, and when the next scheduled retraining is tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from core.monitor.rules import AlertKind
from core.store import ModelRecord
from core.wording import days, market_day
from core.workflows.monitoring.limits import limits_of
from core.workflows.monitoring.readings import trained_on
from core.workspace import Workspace

PAUSE_DAYS: Final = 30
"""How long no retraining is scheduled after one whose model did not go live; at most the limit of age itself."""


@dataclass(frozen=True)
class Schedule:
    """The live model is due on ``limit_on``, ``limit_days`` after its training; a retraining is tried on ``next_on``.

    The two differ only where ``tried``, a model trained after the live one, did not go live: the next try comes
    ``pause_days`` after it, so that the same sales are not learned each night. All days are the market's.
    """

    limit_on: date
    limit_days: int
    next_on: date
    pause_days: int
    tried: ModelRecord | None

    def is_overdue(self, today: date) -> bool:
        """Tell whether the day of the retraining is past; ``today`` is the market's day."""
        return today > self.next_on

    def words(self, today: date, currency: str) -> str:
        """Both days in a sentence, with the reason where they differ, as read on the market's day ``today``."""
        limit, following = market_day(self.limit_on, currency), market_day(self.next_on, currency)
        was = "was" if today > self.limit_on else "is"
        begin, end = f"Scheduled retraining: {following}", "."
        if self.is_overdue(today):
            late = days((today - self.next_on).days)
            begin, end = f"The scheduled retraining was due on {following}", f": it is {late} overdue."
        if self.next_on == self.limit_on or self.tried is None:
            return f"{begin}, when the live model {was} {days(self.limit_days)} old{end}"
        return (
            f"The live model {was} {days(self.limit_days)} old on {limit}. {begin}, {days(self.pause_days)} after "
            f"model {self.tried.model_id}, which is not live{end}"
        )


def schedule_of(workspace: Workspace, market_id: str) -> Schedule | None:
    """Return a market's schedule, None if no model is live; raises NotFound, InvalidThreshold, StoreUnavailable."""
    store = workspace.store
    market, live = store.markets.get(market_id), store.models.champion(market_id)
    if live is None:
        return None
    limit = int(limits_of(workspace, market_id)[AlertKind.RETRAINING_OVERDUE].value)
    limit_on = trained_on(store, market, live) + timedelta(days=limit)
    newest = store.models.list(market_id)[0]
    tried = newest if newest.created_at > live.created_at else None
    pause = min(PAUSE_DAYS, limit)
    again_on = trained_on(store, market, tried) + timedelta(days=pause) if tried is not None else limit_on
    return Schedule(limit_on, limit, max(limit_on, again_on), pause, tried)
