"""Pricing desks kept open, so that a model is loaded once and again only when model, sales, alerts or scope change."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Final

from core.errors import DoorstepError, StoreError, StoreUnavailable, in_full
from core.store import Market, ModelRecord, Store
from core.workflows.opening.background import work_out_apart
from core.workflows.opening.evidence import FaultKind
from core.workflows.pricing.desk import Desk, name_level, open_desk, with_notices
from core.workflows.pricing.drift_notices import NOTICED
from core.workspace import Workspace

_LOG: Final = logging.getLogger(__name__)
# Storing it may wait for a lock, and an agent waits with it.
_NAME_AGAIN_SECONDS: Final = 60.0

KEPT: Final = 4
"""Few desks are kept: a model takes tens of megabytes, and one in use is quickly loaded again."""

RETRY_SECONDS: Final = 30.0
"""How long a desk whose live model cannot be verified is kept, before the file is looked at again."""

WhileOpening = Callable[[], AbstractContextManager[object]]

DeskState = tuple[str, ...]
"""What a desk depends on; another folder, champion, data version, unit of areas, alert or scope gives another desk."""


def desk_state(store: Store, market_id: str) -> DeskState:
    """Return what a market's desk depends on; raises NotFound, StoreUnavailable."""
    basis = store.bases.of(market_id, NOTICED)
    return (
        str(store.home),
        market_id,
        basis.champion_id,
        basis.version_id,
        str(basis.signature),
        basis.area_unit,
        *basis.alert_ids,
    )


class OpenDesks:
    """The desks of a process, safe to share between threads; the one used longest ago makes way."""

    def __init__(self) -> None:
        self._desks: OrderedDict[DeskState, Desk] = OrderedDict()
        self._opened_at: dict[DeskState, float] = {}
        self._latest: dict[tuple[str, str], DeskState] = {}
        self._opening: dict[DeskState, threading.Lock] = {}
        self._failed_at: dict[DeskState, float] = {}
        self._behind: dict[DeskState, threading.Thread] = {}
        self._guard = threading.Lock()
        self._name_again = 0.0

    def desk(self, workspace: Workspace, market_id: str, while_opening: WhileOpening = nullcontext) -> Desk:
        """Return the market's desk with its live model; raises NotFound, ArtifactCorrupt, StoreUnavailable.

        While the database is away, the latest desk in memory goes on answering, and so does a large market's while
        its model is brought up to new sales. ``while_opening`` makes what is entered while a desk opens, such as a sign
        that asks for patience.
        """
        try:
            return self._current(workspace, market_id, while_opening)
        except StoreUnavailable as error:
            with self._guard:
                latest = self._desks.get(self._latest.get((str(workspace.store.home), market_id), ()))
            if latest is None:
                raise
            _LOG.error("the desk in memory answers for %s: %s", market_id, in_full(error))
            return latest

    def markets(self, store: Store) -> list[Market]:
        """Return all markets or, while the database is away, those with a desk in memory; raises StoreUnavailable."""
        try:
            return store.markets.list()
        except StoreUnavailable:
            with self._guard:
                known = [self._desks[state].market for state in self._latest.values() if state[0] == str(store.home)]
            if not known:
                raise
            return sorted(known, key=lambda market: market.name)

    def can_price(self, store: Store, market_id: str) -> bool:
        """Tell whether homes of a market can be priced: sales are in use, and the live model could be read till now.

        Raises NotFound, StoreUnavailable.
        """
        state = desk_state(store, market_id)
        with self._guard:
            desk, failed = self._desks.get(state), self._failed_at.get(state)
        if desk is not None:
            return desk.live_market is not None
        return bool(state[2] and state[3]) and (failed is None or time.monotonic() - failed > RETRY_SECONDS)

    def _current(self, workspace: Workspace, market_id: str, while_opening: WhileOpening) -> Desk:
        state = desk_state(workspace.store, market_id)
        with self._guard:
            known = self._known(state)
            if known is not None:
                self._desks.move_to_end(state)
                self._latest[(state[0], market_id)] = state
            else:
                opening = self._opening.setdefault(state, threading.Lock())
        if known is not None:
            return self._try_naming(state, known, workspace)
        before = self._before(state, market_id)
        if before is not None and self._opens_behind(state, workspace, before):
            return with_notices(workspace.store, before)
        # Those who want this desk wait, since two threads that load one model take twice the memory and no less time.
        # Other markets' desks stay open meanwhile.
        with while_opening(), opening:
            return self._opened(state, workspace, market_id)

    def _known(self, state: DeskState) -> Desk | None:
        """Return the open desk of a state; one whose live model cannot be verified only for a short time.

        A file may be restored at any moment; what another release made is read by another release only.
        """
        desk = self._desks.get(state)
        if desk is None or not desk.fault or desk.fault_kind is not FaultKind.UNVERIFIED:
            return desk
        return None if time.monotonic() - self._opened_at[state] > RETRY_SECONDS else desk

    def _before(self, state: DeskState, market_id: str) -> Desk | None:
        """Return the latest desk of a large market if only its sales or alerts have changed since."""
        with self._guard:
            before = self._desks.get(self._latest.get((state[0], market_id), ()))
        if before is None or before.live_market is None or before.fault or before.record is None:
            return None
        has_sales = bool(before.is_large and state[3])
        return before if has_sales and before.record.model_id == state[2] else None

    def _opens_behind(self, state: DeskState, workspace: Workspace, before: Desk) -> bool:
        """See that a desk opens behind the scenes; False if that was tried, so that it is opened in front."""
        assert before.record is not None
        with self._guard:
            thread = self._behind.get(state)
            if thread is None:
                work = partial(self._open_behind, state, workspace, before.record)
                self._behind = {one: at for one, at in self._behind.items() if at.is_alive()}
                thread = self._behind[state] = threading.Thread(target=work, name="desk opening", daemon=True)
                thread.start()
        return thread.is_alive()

    def _open_behind(self, state: DeskState, workspace: Workspace, champion: ModelRecord) -> None:
        try:
            work_out_apart(workspace.store, champion)
            if desk_state(workspace.store, state[1]) != state:
                return
            with self._guard:
                opening = self._opening.setdefault(state, threading.Lock())
            with opening:
                self._opened(state, workspace, state[1])
        except DoorstepError as error:
            _LOG.error("the desk of %s could not be opened behind the scenes: %s", state[1], in_full(error))

    def _opened(self, state: DeskState, workspace: Workspace, market_id: str) -> Desk:
        """Return the desk that another thread opened meanwhile, or open it."""
        try:
            desk = self._known(state)
            if desk is None:
                desk = self._open(state, workspace, market_id)
                if desk.live_market is not None:
                    desk.live_market.prepare()
                self._keep(state, market_id, desk)
            return desk
        finally:
            with self._guard:
                self._opening.pop(state, None)

    def _open(self, state: DeskState, workspace: Workspace, market_id: str) -> Desk:
        try:
            return open_desk(workspace.store, market_id, workspace.problem)
        except StoreError:
            with self._guard:
                self._failed_at = {state: time.monotonic()} | {
                    other: at for other, at in self._failed_at.items() if time.monotonic() - at < RETRY_SECONDS
                }
            raise

    def _keep(self, state: DeskState, market_id: str, desk: Desk) -> None:
        with self._guard:
            self._desks[state], self._opened_at[state] = desk, time.monotonic()
            self._desks.move_to_end(state)
            self._latest[(state[0], market_id)] = state
            while len(self._desks) > KEPT:
                gone, _ = self._desks.popitem(last=False)
                del self._opened_at[gone]
                self._latest = {market: latest for market, latest in self._latest.items() if latest != gone}

    def _try_naming(self, state: DeskState, desk: Desk, workspace: Workspace) -> Desk:
        """Return a desk whose market level could not be stored with it stored, trying now and then."""
        if desk.live_market is None or desk.live_market.level_id is not None:
            return desk
        with self._guard:
            if time.monotonic() < self._name_again:
                return desk
            self._name_again = time.monotonic() + _NAME_AGAIN_SECONDS
        desk = name_level(workspace.store, desk)
        self._keep(state, desk.market.market_id, desk)
        return desk
