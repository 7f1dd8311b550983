"""Pricing desks kept open, so that a model is loaded once and again only when model, sales, alerts or scope change."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Final

from core.store import Store
from core.workflows.models.scope import governing_scope
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.pricing.drift_notices import drift_alerts
from core.workspace import Workspace

KEPT: Final = 4
"""Few desks are kept: a model takes tens of megabytes, and one in use is quickly loaded again."""

RETRY_SECONDS: Final = 30.0
"""How long a desk whose live model cannot be verified is kept, before the file is looked at again."""

DeskState = tuple[str, ...]
"""What a desk depends on; another folder, champion, data version, open drift alert or scope gives another desk."""


def desk_state(store: Store, market_id: str) -> DeskState:
    """Return what a market's desk depends on; raises NotFound, StoreUnavailable."""
    champion, latest = store.models.champion(market_id), store.versions.latest(market_id)
    return (
        str(store.home),
        market_id,
        champion.model_id if champion else "",
        latest.version_id if latest else "",
        str(governing_scope(store, champion)) if champion else "",
        *(one.alert_id for one in drift_alerts(store, market_id)),
    )


class OpenDesks:
    """The desks of a process, safe to share between threads; the one used longest ago makes way."""

    def __init__(self) -> None:
        self._desks: OrderedDict[DeskState, Desk] = OrderedDict()
        self._opened_at: dict[DeskState, float] = {}
        self._opening: dict[DeskState, threading.Lock] = {}
        self._guard = threading.Lock()

    def _current(self, state: DeskState) -> Desk | None:
        """Return the open desk of a state; one whose live model cannot be verified only for a short time."""
        desk = self._desks.get(state)
        if desk is not None and desk.fault and time.monotonic() - self._opened_at[state] > RETRY_SECONDS:
            return None
        return desk

    def desk(self, workspace: Workspace, market_id: str) -> Desk:
        """Return the market's desk with its live model; raises NotFound, ArtifactCorrupt, StoreUnavailable."""
        state = desk_state(workspace.store, market_id)
        with self._guard:
            desk = self._current(state)
            if desk is not None:
                self._desks.move_to_end(state)
                return desk
            opening = self._opening.setdefault(state, threading.Lock())
        # Those who want this desk wait, since two threads that load one model take twice the memory and no less time.
        # Other markets' desks stay open meanwhile.
        with opening:
            return self._opened(state, workspace, market_id)

    def _opened(self, state: DeskState, workspace: Workspace, market_id: str) -> Desk:
        """Return the desk that another thread opened meanwhile, or open it."""
        try:
            desk = self._current(state) or open_desk(workspace.store, market_id, workspace.problem)
            with self._guard:
                if self._desks.get(state) is not desk:
                    self._desks[state], self._opened_at[state] = desk, time.monotonic()
                self._desks.move_to_end(state)
                while len(self._desks) > KEPT:
                    del self._opened_at[self._desks.popitem(last=False)[0]]
            return desk
        finally:
            with self._guard:
                self._opening.pop(state, None)
