"""The audit trail for people: who did what to what and when, with filters, and as a table to download."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from core.access import Action
from core.states import AuditAction
from core.store import Event
from core.store.base.audit import Names, Wanted
from core.workspace import Workspace

COLUMNS: Final = ("at", "actor", "role", "action", "subject", "detail", "market_id", "event_id")

_WORDS: Final = 6
# What the code alone would not say; every other action reads as it is written.
_ACTIONS: Final[dict[str, str]] = {
    AuditAction.COLUMN_NAMED: "Column named",
    AuditAction.GATE_JUDGED: "Challenger compared with the live model",
    AuditAction.LEDGER_CAUGHT_UP: "Waiting estimates written to the ledger",
    AuditAction.LEVEL_ADDED: "Market level set",
    AuditAction.MATCH_ANSWERED: "Question about an address answered",
    AuditAction.MODEL_ADDED: "Model trained",
    AuditAction.MODEL_CHALLENGED: "Model made challenger",
    AuditAction.PRESET_REPLACED: "Column mapping replaced",
    AuditAction.PRESET_SAVED: "Column mapping saved",
    AuditAction.PROFILE_CHANGED: "Profile changed",
    AuditAction.PROFILE_RESTORED: "Earlier profile in use again",
    AuditAction.ROLLOUT_STARTED: "Pilot started",
    AuditAction.ROLLOUT_STOPPED: "Pilot stopped",
    AuditAction.ROLLOUT_TAKEN_BACK: "Change of the pilot taken back",
    AuditAction.ROLLOUT_WIDENED: "Pilot widened",
    AuditAction.SALE_DECIDED: "Doubtful sale decided",
    AuditAction.SELLER_FIGURES_CHANGED: "Figures in sellers' reports changed",
    AuditAction.SIGNED_IN: "Signed in",
    AuditAction.SIGNED_OUT: "Signed out",
    AuditAction.TEST_OPENED: "Sealed test opened",
    AuditAction.THRESHOLD_CHANGED: "Alert limit changed",
    AuditAction.THRESHOLD_RESET: "Alert limit reset",
    AuditAction.TRAIL_EXPORTED: "Audit trail exported",
    AuditAction.VERSION_COMMITTED: "Sales committed",
    AuditAction.VERSION_RESTORED: "Earlier sales in use again",
    AuditAction.VERSION_UNDONE: "Latest sales undone",
}


@dataclass(frozen=True)
class Trail:
    """The newest matching entries, of ``n`` in all: columns as COLUMNS, ``at`` in UTC, ``detail`` as JSON."""

    entries: pd.DataFrame
    n: int


def trail_of(workspace: Workspace, market_id: str, wanted: Wanted, limit: int) -> Trail:
    """Return the matching entries of a market and of no market; raises AccessDenied, StoreUnavailable."""
    workspace.require(Action.WATCH)
    found = workspace.store.events.search(market_id, wanted, limit)
    return Trail(_table(found), workspace.store.events.matching(market_id, wanted))


def trail_names(workspace: Workspace, market_id: str) -> Names:
    """Return the actions and actors to choose from; raises AccessDenied, StoreUnavailable."""
    workspace.require(Action.WATCH)
    return workspace.store.events.names(market_id)


def export_trail(workspace: Workspace, market_id: str, wanted: Wanted) -> pd.DataFrame:
    """Return all matching entries, and record who exported them; raises AccessDenied, StoreUnavailable."""
    store = workspace.store
    workspace.require(Action.WATCH)
    n = store.events.matching(market_id, wanted)
    found = store.events.search(market_id, wanted, n)
    store.events.record(workspace.actor, AuditAction.TRAIL_EXPORTED, market_id, market_id, {"entries": n})
    return _table(found)


def action_words(action: str) -> str:
    """Write an entry's action for people, such as "Alert opened"."""
    return _ACTIONS.get(action) or action.replace(".", " ").replace("_", " ").capitalize()


def detail_words(detail: dict[str, Any]) -> str:
    """Write an entry's detail in one line: its plain parts, then "n more" for the rest."""
    plain = {key: value for key, value in detail.items() if isinstance(value, (str, int, float)) and value != ""}
    shown = [f"{key.replace('_', ' ')}: {_short(value)}" for key, value in list(plain.items())[:_WORDS]]
    left = len(detail) - len(shown)
    return "; ".join([*shown, f"{left} more"] if left else shown)


def _short(value: str | int | float) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"


def _table(entries: list[Event]) -> pd.DataFrame:
    rows = [
        {
            **vars(one),
            "detail": json.dumps(one.detail, ensure_ascii=False, default=str),
            "words": detail_words(one.detail),
        }
        for one in entries
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, "words"])
