"""The pricing desk of one market: its live model, ready to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from core.access import Action, Actor, Role, require
from core.errors import NotFound
from core.problem import Problem
from core.serve.estimate import Estimate, Evidence, Unavailable, estimate
from core.serve.subject import Subject, Value
from core.serve.what_if import UsualChange, WhatIf, usual_changes, what_if
from core.store import Market, ModelRecord, NewLevel, Store
from core.train.bundle import Bundle
from core.train.live_model import Valuer, open_valuer
from core.workflows.models.training import load_model
from core.workflows.pricing.drift_notices import drift_notices

_CLERK: Final = Actor("Doorstep", Role.MANAGER)


@dataclass(frozen=True)
class Desk:
    """A market with its live model, brought up to the sales known; without a model every answer is Unavailable."""

    market: Market
    record: ModelRecord | None
    evidence: Evidence | None
    problem: Problem

    @property
    def bundle(self) -> Bundle | None:
        """The live model's bundle as it was trained, None where no model is live."""
        return self.evidence.bundle if self.evidence else None

    @property
    def valuer(self) -> Valuer | None:
        """The live model with all sales known, None where no model is live."""
        return self.evidence.valuer if self.evidence else None

    def price(self, facts: Mapping[str, object], as_of: date, level: float, actor: Actor) -> Estimate | Unavailable:
        """Price one property; raises AccessDenied, ImpossibleProperty."""
        require(actor, Action.PRICE)
        if self.evidence is None:
            return Unavailable("No model is live for this market.", "Ask a manager to train or promote one.")
        return estimate(self.evidence, facts, as_of, self.problem, level)

    def what_if(self, before: Estimate, changes: Mapping[str, Value], actor: Actor) -> WhatIf:
        """Tell how a change of facts would move an estimate of this desk; nothing of it reaches the ledger.

        Raises AccessDenied, ImpossibleProperty, NotFound where no model is live any more.
        """
        require(actor, Action.PRICE)
        if self.evidence is None:
            raise NotFound("No model is live for this market any more. Ask a manager to train or promote one.")
        return what_if(self.evidence, before, changes, self.problem)

    def usual_changes(self, subject: Subject) -> tuple[UsualChange, ...]:
        """Return the changes agents are often asked about that make sense for a home; none without a live model."""
        return usual_changes(self.evidence, subject, self.problem) if self.evidence else ()

    def valuation_date(self, today: date) -> date:
        """Return the date an estimate is for unless the agent says otherwise.

        Today; but a simulated market's clock stands on the day after its last sale.
        """
        if self.market.simulated and self.valuer is not None:
            return self.valuer.level.as_of
        return today


def open_desk(store: Store, market_id: str, problem: Problem) -> Desk:
    """Load the market's champion and bring it up to the sales of the latest data version.

    The market level this gives is stored, so that the ledger can name it. Alerts of drift that are open now flag the
    estimates they concern. Raises NotFound, ArtifactCorrupt, StoreUnavailable.
    """
    market, record = store.markets.get(market_id), store.models.champion(market_id)
    return Desk(market, record, _evidence(store, record) if record else None, problem)


def _evidence(store: Store, record: ModelRecord) -> Evidence:
    bundle, latest = load_model(store, record.model_id), store.versions.latest(record.market_id)
    # With every batch undone there is no latest version; what the model was trained on is still there.
    version_id = latest.version_id if latest else record.version_id
    valuer = open_valuer(bundle.model, store.versions.load(version_id))
    level = valuer.level
    new = NewLevel(record.market_id, record.model_id, version_id, level.as_of, asdict(level))
    level_id = store.levels.add(new, _CLERK).level_id
    return Evidence(bundle, valuer, version_id, level_id, drift_notices(store, record.market_id))
