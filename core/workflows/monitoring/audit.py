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
from core.workflows.monitoring.audit_words import detail_words, subject_words
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


def _table(entries: list[Event]) -> pd.DataFrame:
    rows = [
        {
            **vars(one),
            "detail": json.dumps(one.detail, ensure_ascii=False, default=str),
            "of": subject_words(one.action, one.subject, one.detail),
            "words": detail_words(one.detail),
        }
        for one in entries
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, *WORDS])
