"""The markets in which a program can price homes, and the facts that each one's live model uses, as JSON values."""

from __future__ import annotations

from typing import Any

from core.access import Action
from core.schema import FIELD_BY_NAME, ONLY_ON_ROLL, FieldKind, label_of
from core.store import Market
from core.workflows.pricing.desk import Desk
from core.workspace import Workspace


def list_markets(workspace: Workspace) -> list[dict[str, Any]]:
    """Return all markets with the ids of their live models; raises AccessDenied, StoreUnavailable."""
    workspace.require(Action.PRICE)
    store = workspace.store
    champions = ((market, store.models.champion(market.market_id)) for market in store.markets.list())
    return [_market_form(market, champion.model_id if champion else None) for market, champion in champions]


def describe_market(workspace: Workspace, desk: Desk) -> dict[str, Any]:
    """Return a market with what can be asked in it: facts, range levels, reasons for a price of one's own.

    Facts that only a tax roll has are no question: they come with a home found by its address.

    Raises AccessDenied.
    """
    workspace.require(Action.PRICE)
    problem, live = desk.problem, desk.live_model
    numeric = live.model.facts.numeric if live else ()
    names = live.model.facts.all if live else ()
    return {
        **_market_form(desk.market, desk.record.model_id if desk.record else None),
        "valuation_date": desk.valuation_date(workspace.utc_today()).isoformat(),
        "levels": list(problem.estimate.levels),
        "level": problem.estimate.level,
        "facts": [_fact_form(name, name in numeric) for name in names if name not in ONLY_ON_ROLL],
        "critical_facts": list(problem.estimate.critical),
        "reasons": dict(problem.decisions.reasons),
    }


def _market_form(market: Market, model_id: str | None) -> dict[str, Any]:
    return {
        "market": market.market_id,
        "name": market.name,
        "currency": market.currency,
        "area_unit": market.area_unit,
        "simulated": market.simulated,
        "model_id": model_id,
    }


def _fact_form(name: str, number: bool) -> dict[str, Any]:
    field = FIELD_BY_NAME.get(name)
    kind = field.kind if field else FieldKind.NUMBER if number else FieldKind.CATEGORY
    return {"name": name, "label": label_of(name), "kind": kind.value, "unit": (field.unit if field else "") or None}
