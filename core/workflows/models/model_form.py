"""A registered model as JSON values, and the models of a market as a program sees them."""

from __future__ import annotations

from typing import Any

from core.access import Action
from core.store import ModelRecord
from core.workspace import Workspace


def model_form(record: ModelRecord) -> dict[str, Any]:
    """Return a model with its stage and its card."""
    return {
        "model": record.model_id,
        "market": record.market_id,
        "stage": record.stage,
        "rejected_why": record.rejected_why,
        "created_at": record.created_at.isoformat(),
        "trained_by": record.created_by,
        "size_bytes": record.size_bytes,
        **record.card,
    }


def list_models(workspace: Workspace, market_id: str) -> list[ModelRecord]:
    """Return a market's models, newest first; raises AccessDenied, NotFound, StoreUnavailable."""
    workspace.require(Action.VIEW_MODELS)
    workspace.store.markets.get(market_id)
    return workspace.store.models.list(market_id)
