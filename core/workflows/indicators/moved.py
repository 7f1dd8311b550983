"""How a market's indicators moved since its live model was trained, in words: what may lie behind a risen error."""

from __future__ import annotations

from datetime import date

from core.access import Action
from core.prepare.signals.indicators import Move, moves
from core.wording import market_day, significant
from core.workspace import Workspace


def moved_words(workspace: Workspace, market_id: str, until: date) -> tuple[str, ...]:
    """Say how each indicator moved from the latest sale that the live model learned from up to the day ``until``.

    Empty without a live model or indicators, or where none is known on both days. Raises AccessDenied, NotFound,
    ArtifactCorrupt, StoreUnavailable.
    """
    workspace.require(Action.WATCH)
    store = workspace.store
    live, version = store.models.champion(market_id), store.versions.latest(market_id)
    indicators = store.versions.load_indicators(version.version_id) if version else None
    if live is None or indicators is None:
        return ()
    learned, currency = date.fromisoformat(live.card["last_sale"]), store.markets.get(market_id).currency
    return tuple(_words(one, currency) for one in moves(indicators, learned, until))


def _words(move: Move, currency: str) -> str:
    before, now = (market_day(day, currency) for day in (move.before_day, move.now_day))
    span = f"from {significant(move.before, 4)} on {before} to {significant(move.now, 4)} on {now}"
    if move.before == move.now:
        return f"{move.name} stayed at {significant(move.now, 4)} from {before} to {now}."
    return f"{move.name} {'rose' if move.by > 0 else 'fell'} by {significant(abs(move.by), 4)}, {span}."
