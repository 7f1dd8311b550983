"""The audit trail for people: who did what to what and when, with filters, and as a table to download."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import pandas as pd

from core.access import Action
from core.states import AuditAction
from core.store import Event
from core.store.base.audit import Names, Wanted
from core.workflows.monitoring.audit_words import alert_title, detail_words, subject_words, with_units
from core.workspace import Workspace

COLUMNS: Final = ("at", "actor", "role", "action", "subject", "detail", "market_id", "event_id")
WORDS: Final = ("of", "words")
"""Columns for the screen beside COLUMNS: the subject and the detail in words."""


@dataclass(frozen=True)
class Trail:
    """The newest matching entries, of ``n`` in all: columns as COLUMNS and WORDS, ``at`` in UTC, ``detail`` as JSON."""

    entries: pd.DataFrame
    n: int


def trail_of(workspace: Workspace, market_id: str, wanted: Wanted, limit: int) -> Trail:
    """Return the matching entries of a market and of no market; raises AccessDenied, StoreUnavailable."""
    workspace.require(Action.WATCH)
    found = workspace.store.events.search(market_id, wanted, limit)
    return Trail(_table(workspace, market_id, found), workspace.store.events.matching(market_id, wanted))


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
    return _table(workspace, market_id, found)


def _table(workspace: Workspace, market_id: str, entries: list[Event]) -> pd.DataFrame:
    # Not every entry on an alert repeats what the alert is about.
    judged = {one.subject for one in entries if one.action == AuditAction.ALERT_JUDGED}
    alerts = workspace.store.alerts.list(market_id) if judged else []
    currency = workspace.store.markets.get(market_id).currency
    titles = {one.alert_id: alert_title(one) for one in alerts}
    rows = [
        {
            **vars(one),
            "detail": json.dumps(one.detail, ensure_ascii=False, default=str),
            "of": titles.get(one.subject) or subject_words(one.action, one.subject, one.detail),
            "words": detail_words(with_units(one.subject, one.detail, workspace.problem), currency),
        }
        for one in entries
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, *WORDS])
