"""The pricing desk of one market: its live model, ready to answer for one home or a whole table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from core.access import Action, Actor, require
from core.collect.guess import guess_mapping
from core.collect.mapping import apply_mapping
from core.collect.reader import read_table
from core.errors import ImpossibleProperty
from core.lifecycle.modelling import load_model
from core.problem import Problem
from core.schema import Source
from core.serve.estimate import Estimate, Unavailable, estimate
from core.store import Market, ModelRecord, Store
from core.train.bundle import Bundle


@dataclass(frozen=True)
class Desk:
    """A market with its live model; without one every answer is Unavailable."""

    market: Market
    record: ModelRecord | None
    bundle: Bundle | None
    problem: Problem

    def price(self, facts: Mapping[str, object], as_of: date, level: float, actor: Actor) -> Estimate | Unavailable:
        """Price one property; raises AccessDenied, ImpossibleProperty."""
        require(actor, Action.PRICE)
        if self.bundle is None:
            return Unavailable("No model is live for this market.", "Ask a manager to train or promote one.")
        return estimate(self.bundle, facts, as_of, self.problem, level)

    def valuation_date(self, today: date) -> date:
        """Return the date an estimate is for unless the agent says otherwise.

        Today; but a simulated market's clock stands on the day after its last sale.
        """
        if self.market.simulated and self.bundle is not None:
            return self.bundle.model.profile.last_sale + timedelta(days=1)
        return today


def open_desk(store: Store, market_id: str, problem: Problem) -> Desk:
    """Load the market's champion; raises NotFound, ArtifactCorrupt."""
    market, record = store.markets.get(market_id), store.models.champion(market_id)
    bundle = load_model(store, record.model_id) if record else None
    return Desk(market, record, bundle, problem)


def price_table(desk: Desk, path: Path, name: str, as_of: date, actor: Actor) -> pd.DataFrame:
    """Price every row of a CSV of listings; a row that cannot be priced says why in ``status``.

    Returns one row per input row: row, status, low, high, point, confidence, flags, reason. Raises CollectError leaves.
    """
    table = read_table(path, name, desk.problem.intake.upload_mb * 1024 * 1024)
    homes = apply_mapping(table, guess_mapping(table, Source.TAX).mapping).frame
    rows = [_row(desk, position, facts, as_of, actor) for position, facts in enumerate(homes.to_dict("records"), 1)]
    return pd.DataFrame(rows)


def _row(desk: Desk, position: int, facts: Mapping[Any, object], as_of: date, actor: Actor) -> dict[str, object]:
    named = {str(name): value for name, value in facts.items()}
    blank = {"low": None, "high": None, "point": None, "confidence": None, "flags": ""}
    try:
        answer = desk.price(named, as_of, desk.problem.estimate.level, actor)
    except ImpossibleProperty as error:
        return {"row": position, "status": "refused", **blank, "reason": str(error)}
    if isinstance(answer, Unavailable):
        return {"row": position, "status": "unavailable", **blank, "reason": f"{answer.message} {answer.reason}"}
    return {
        "row": position,
        "status": "priced",
        "low": answer.low,
        "high": answer.high,
        "point": answer.point,
        "confidence": answer.confidence,
        "flags": "; ".join(flag.kind.value for flag in answer.flags),
        "reason": "",
    }
