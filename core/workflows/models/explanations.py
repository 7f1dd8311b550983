"""Explanations of the model: single misses, the effect of a fact, and agents' decisions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from core.access import Action
from core.errors import ImpossibleProperty, NotFound
from core.evaluate.agent_decisions import AgentDecisions, agent_decisions
from core.evaluate.behavior.partial_dependence import PartialEffect, changeable, partial_effect, usual_values
from core.evaluate.scored_sales import ScoredSales
from core.prepare.features.neighbours import Rule
from core.prepare.splits import RANDOM
from core.problem import Problem
from core.serve.drivers import Drivers, drivers_of
from core.serve.estimate import Estimate, LiveMarket, estimate, refusal
from core.serve.review.unavailable import Unavailable
from core.serve.review.whereabouts import NOWHERE
from core.serve.subject import Subject, check_subject
from core.train.bundle import Bundle, from_bytes
from core.train.level import Residuals
from core.train.live_model import LiveModel, live_model_as_fitted, live_model_with_residuals, residuals_since
from core.train.model import Model, under_rule
from core.train.trainer import within_window
from core.wording import count, market_day
from core.workflows.models.test_scores import facts_known, flags_of_sale
from core.workspace import Workspace

_SAME: Final = 1e-9
_VALUES: Final = 9
# A month's live model with 200,000 sales takes a few hundred megabytes.
_MONTHS_KEPT: Final = 2


@dataclass(frozen=True)
class Miss:
    """A scored sale with its estimate computed again, as an agent would have got it; money in ``currency``.

    ``price`` is the sale price; ``estimate`` (unrounded), ``low`` and ``high`` at ``level``, ``confidence`` (0 to 1)
    and ``flags`` are as scored. ``error`` is (estimate - price) / price; ``inside`` tells whether the range held it.
    ``explained`` has drivers, comparables and flags in full; it is None if the desk gives no price, for the reason
    ``withheld``. ``difference`` is how far its estimate is from the scored one, as a share, missing without one.
    ``evidence`` describes the sales behind the estimate, which never include the sale itself.
    """

    intake_row: int
    address: str
    sale_date: date
    currency: str
    price: float
    estimate: float
    low: float
    high: float
    level: float
    confidence: float
    error: float
    inside: bool
    withheld: str
    flags: tuple[str, ...]
    explained: Estimate | None
    difference: float
    evidence: str

    @property
    def same_as_scored(self) -> bool:
        """Whether the explained estimate equals the scored one, to arithmetic precision."""
        return abs(self.difference) <= _SAME


class Explainer:
    """A model opened to explain its estimates of scored sales, each computed again from the same evidence.

    A random test is priced with the evidence of the sales the model was fitted on; later sales month by month, using
    only the sales before each month. Safe to share between threads.
    """

    def __init__(self, bundle: Bundle, sales: pd.DataFrame, scored: ScoredSales, problem: Problem) -> None:
        self._bundle, self._scored, self._problem = bundle, scored, problem
        self._sales = sales.sort_values("intake_row", kind="stable").reset_index(drop=True)
        self._place = {int(row): place for place, row in enumerate(self._sales["intake_row"])}
        self._live_models: dict[pd.Timestamp, LiveModel] = {}
        self._rows = pd.Series(np.arange(len(scored.table)), index=scored.table["intake_row"].to_numpy())

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that have a partial effect: those with at least two usual values."""
        model = self._bundle.model
        return tuple(fact for fact in changeable(model.facts) if len(usual_values(model, fact, _VALUES)) > 1)

    def partial(self, fact: str) -> PartialEffect:
        """Return how the training homes' estimates move with one fact; raises ValueError for any other fact."""
        model = self._bundle.model
        values = usual_values(model, fact, _VALUES)
        return partial_effect(model, self._homes(), fact, values, self._bundle.plan.seed)

    def miss(self, intake_row: int) -> Miss:
        """Explain the estimate of one scored sale; raises NotFound for any other row."""
        row = self._scored.table.iloc[self._scored_at(intake_row)]
        when = pd.Timestamp(row["sale_date"])
        live_model, words = self._live_model(self._start(when))
        answer = self._answer(live_model, intake_row, when.date())
        price, made = float(row["sale_price"]), float(row["estimate"])
        return Miss(
            intake_row=intake_row,
            address=self._address(intake_row),
            sale_date=when.date(),
            currency=self._scored.terms.currency,
            price=price,
            estimate=made,
            low=float(row["low"]),
            high=float(row["high"]),
            level=self._scored.terms.level,
            confidence=float(row["confidence"]),
            error=(made - price) / price,
            inside=bool(row["low"] <= price <= row["high"]),
            withheld=answer if isinstance(answer, str) else "",
            flags=tuple(kind for kind in str(row["flags"]).split(";") if kind),
            explained=None if isinstance(answer, str) else answer,
            difference=math.nan if isinstance(answer, str) else answer.exact / made - 1.0,
            evidence=words,
        )

    def drivers(self, intake_rows: Sequence[int]) -> list[Drivers]:
        """Return the drivers that ``miss`` gives scored sales, in order, without sales the desk does not price.

        Sales with the same evidence are explained in one batch. Raises NotFound for a row that is not a scored sale.
        """
        chosen = self._scored.table.iloc[[self._scored_at(row) for row in intake_rows]]
        # Also without those whose range would be too wide to be shown.
        chosen = chosen[chosen["priced"].to_numpy(dtype=bool)]
        level = self._scored.terms.level
        found: dict[int, Drivers] = {}
        for start, sales in chosen.groupby(chosen["sale_date"].map(self._start)):
            live_model, _ = self._live_model(pd.Timestamp(start))
            subjects = self._subjects(live_model.model, sales)
            explained = drivers_of(live_model, list(subjects.values()), self._problem, level)
            found |= zip(subjects, explained, strict=True)
        return [found[row] for row in intake_rows if row in found]

    def _scored_at(self, intake_row: int) -> int:
        if intake_row not in self._rows.index:
            raise NotFound(f"Row {intake_row} is not a test sale of this model. Choose one of the listed sales.")
        return int(self._rows[intake_row])

    def _subjects(self, model: Model, sales: pd.DataFrame) -> dict[int, Subject]:
        """Return the homes the desk would price, by intake row."""
        rows = sales["intake_row"].tolist()
        homes = zip(rows, self._facts(rows), sales["sale_date"].dt.date, strict=True)
        found = {row: self._subject(model, facts, as_of) for row, facts, as_of in homes}
        return {row: subject for row, subject in found.items() if subject is not None}

    def _subject(self, model: Model, facts: Mapping[str, object], as_of: date) -> Subject | None:
        try:
            subject = check_subject(facts, as_of, model, self._problem)
        except ImpossibleProperty:
            return None
        return None if refusal(subject, model, self._problem, "", self._scored.terms.area_unit) else subject

    def _facts(self, intake_rows: Sequence[int]) -> list[dict[str, object]]:
        places = [self._place[row] for row in intake_rows]
        columns = [values[places].tolist() for values in self._known.values()]
        return [dict(zip(self._known, home, strict=True)) for home in zip(*columns, strict=True)]

    @cached_property
    def _known(self) -> dict[str, Any]:
        """The facts of all sales as arrays, which are faster to read homes from than a table."""
        return {name: self._sales[name].array for name in facts_known(self._sales, self._bundle.model.facts)}

    def _answer(self, live_model: LiveModel, intake_row: int, as_of: date) -> Estimate | str:
        """Return the estimate, or why there is none."""
        [facts] = self._facts([intake_row])
        live_market = LiveMarket(
            self._bundle,
            live_model,
            self._scored.terms.data_version,
            None,
            area_unit=self._scored.terms.area_unit,
            # A test sale was scored with what its record says, and no more.
            known_where=NOWHERE,
        )
        try:
            answer = estimate(live_market, facts, as_of, self._problem, self._scored.terms.level)
        except ImpossibleProperty as error:
            return error.reason
        if isinstance(answer, Unavailable):
            return answer.reason
        return replace(answer, flags=tuple(flags_of_sale(answer.flags)))

    def _address(self, intake_row: int) -> str:
        if "address" not in self._sales:
            return ""
        address = self._sales["address"].iloc[self._place[intake_row]]
        return "" if pd.isna(address) else str(address)

    def _start(self, when: pd.Timestamp) -> pd.Timestamp:
        """Return the day a sale's evidence ends: the first of its month, or one day for all of a random test."""
        if self._scored.terms.split == RANDOM:
            return pd.Timestamp(0)
        first = pd.Timestamp(self._scored.table["sale_date"].min())
        return max(when.to_period("M").start_time, first)

    def _live_model(self, start: pd.Timestamp) -> tuple[LiveModel, str]:
        """Return the live model that scored the sales of that ``_start``, and a description of its sales."""
        if self._scored.terms.split == RANDOM:
            live_model = self._kept(start, self._as_fitted)
            others = count(self._bundle.model.profile.sales, "other sale")
            return live_model, f"based on {others}, earlier and later: all but those of the sealed test"
        live_model = self._kept(
            start, lambda: live_model_with_residuals(self._bundle.model, self._sales, start.date(), self._residuals)
        )
        return live_model, f"based only on the sales before {market_day(start.date(), self._scored.terms.currency)}"

    def _kept(self, key: pd.Timestamp, make: Callable[[], LiveModel]) -> LiveModel:
        found = self._live_models.get(key)
        if found is None:
            found = make()
            kept = list(self._live_models.items())[-(_MONTHS_KEPT - 1) :]
            self._live_models = dict([*kept, (key, found)])
        return found

    @cached_property
    def _residuals(self) -> Residuals:
        return residuals_since(self._bundle.model, self._sales)

    def _as_fitted(self) -> LiveModel:
        # The bundle only uses earlier sales, as a live estimate must; its test used all other sales.
        return live_model_as_fitted(under_rule(self._bundle.model, Rule.OTHERS), self._homes())

    def _homes(self) -> pd.DataFrame:
        """The model's training sales: all but the sealed test's, and none later than the latest it has seen."""
        seen = ~self._sales["intake_row"].isin(self._scored.table["intake_row"])
        seen &= within_window(self._sales["sale_date"], self._bundle.plan)
        return self._sales[seen & (self._sales["sale_date"].dt.date <= self._bundle.model.profile.last_sale)]


def open_explainer(workspace: Workspace, model_id: str, scored: ScoredSales) -> Explainer:
    """Open a model to explain its estimates of scored sales (``scores_of`` or ``later_scores``, all of them).

    Raises AccessDenied, NotFound, ArtifactCorrupt, ModelOutdated.
    """
    workspace.require(Action.VIEW_MODELS)
    bundle = from_bytes(workspace.store.models.load_bytes(model_id))
    return Explainer(bundle, workspace.store.versions.load(scored.terms.data_version), scored, workspace.problem)


def agent_decisions_of(workspace: Workspace, market_id: str, model_id: str | None) -> AgentDecisions:
    """Summarize agents' decisions on a model's estimates, or on all of the market's; raises AccessDenied, NotFound."""
    workspace.require(Action.VIEW_MODELS)
    decided: list[dict[str, Any]] = [asdict(one) for one in workspace.store.agent_decisions.of(market_id, model_id)]
    table = pd.DataFrame(decided, columns=["kind", "reason_code", "price", "point"])
    return agent_decisions(
        table, workspace.store.agent_decisions.priced(market_id, model_id), workspace.problem.decisions.reasons
    )
