"""The scope of a model: proposed by its test, signed by a person, and what governs its estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.access import Action
from core.errors import NotFound
from core.evaluate.scope import GoverningScope, ProposedScope, ScopeBasis
from core.states import AuditAction
from core.store import ModelRecord, Store
from core.workspace import Workspace

PROPOSED: Final = "proposed_scope"
"""The key of the scope on a model's card that its sealed test proposes."""


@dataclass(frozen=True)
class SignedScope:
    """The scope a person signed, also in words, with note, name and time (UTC)."""

    scope: GoverningScope
    words: str
    note: str
    signed_by: str
    signed_at: datetime


def proposal_to_card(found: ProposedScope) -> dict[str, Any]:
    """Return the proposed scope for the card, as JSON values; empty if the evidence supports none."""
    if not found.found:
        return {}
    left_out = {"types_left_out": list(found.types_left_out), "areas_left_out": list(found.areas_left_out)}
    return {PROPOSED: {"low": found.low, "high": found.high, **left_out}}


def governing_scope(store: Store, record: ModelRecord) -> GoverningScope | None:
    """Return the scope a person signed for a model, else the one its test proposed, else None.

    Raises NotFound, StoreUnavailable.
    """
    signed = signed_scope(store, record.model_id)
    if signed is not None:
        return signed.scope
    proposed = record.card.get(PROPOSED)
    return _scope(proposed, ScopeBasis.PROPOSED) if proposed else None


def sign_scope(workspace: Workspace, model_id: str, scope: ProposedScope, note: str) -> SignedScope:
    """Record that a person signs a model's scope: it governs at once, and earlier signatures stay on record.

    Raises AccessDenied, NotFound for an unknown model, ValueError for a scope without bounds, StoreUnavailable.
    """
    store = workspace.store
    workspace.require(Action.PROMOTE)
    if not scope.found:
        raise ValueError("the proposed scope has no bounds; choose them, or leave the model unsigned")
    record = store.models.get(model_id)
    detail = {
        "low": scope.low,
        "high": scope.high,
        "words": scope.words,
        "note": note,
        "mape": scope.inside.value,
        "mape_high": scope.inside.high,
        "share": scope.share,
        "types_left_out": list(scope.types_left_out),
        "areas_left_out": list(scope.areas_left_out),
    }
    store.events.record(workspace.actor, AuditAction.SCOPE_SIGNED, record.market_id, model_id, detail)
    signed = signed_scope(store, model_id)
    if signed is None:
        raise NotFound(f"The signature of model {model_id}'s scope was not found. Sign it again.")
    return signed


def signed_scope(store: Store, model_id: str) -> SignedScope | None:
    """Return the latest signed scope of a model, or None; raises NotFound, StoreUnavailable."""
    store.models.get(model_id)
    signatures = store.events.of(model_id, AuditAction.SCOPE_SIGNED)
    if not signatures:
        return None
    latest, detail = signatures[0], signatures[0].detail
    return SignedScope(
        _scope(detail, ScopeBasis.SIGNED),
        str(detail["words"]),
        str(detail["note"]),
        latest.actor,
        latest.at,
    )


def _scope(found: Mapping[str, Any], basis: ScopeBasis) -> GoverningScope:
    # Scopes signed in earlier releases left nothing out.
    types, areas = (tuple(map(str, found.get(key, ()))) for key in ("types_left_out", "areas_left_out"))
    return GoverningScope(float(found["low"]), float(found["high"]), basis, types, areas)
