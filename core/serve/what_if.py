"""What if: how changed facts would move an estimate, and how much the same change moves similar homes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.arrays import Floats
from core.prepare.features.columns import Columns, stack, take
from core.prepare.features.own_sales import no_own_sale
from core.problem import Problem
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.serve.review.flag import FlagKind
from core.serve.review.unavailable import Unavailable
from core.serve.subject import Subject, Value
from core.train.live_model import LiveModel

_LIKE_HOMES: Final = 24
_SPAN: Final = (0.1, 0.9)
# Of these, no buyer pays less for more, all else equal. Of bedrooms some do: more of them in the same area are smaller.
_PAID_FOR: Final = frozenset({"living_area_sqft", "lot_area_sqft", "bathrooms", "condition", "grade", "garage_spaces"})


@dataclass(frozen=True)
class WhatIf:
    """An estimate before and after a change of facts, money in the market's currency.

    ``effect`` is the difference between the unrounded estimates. The same change to the ``homes`` most similar sales
    moves 80% of their estimates by between ``effect_low`` and ``effect_high``, whatever this home's own effect is; both
    equal ``effect`` if there are no such sales.
    """

    before: Estimate
    after: Estimate | Unavailable
    effect: float
    effect_low: float
    effect_high: float
    homes: int

    @property
    def is_unlike(self) -> bool:
        """Tell whether the change moves this home's estimate by more or less than those of 8 in 10 similar homes."""
        return not self.effect_low <= self.effect <= self.effect_high


def what_if(live_market: LiveMarket, before: Estimate, changes: Mapping[str, Value], problem: Problem) -> WhatIf:
    """Price a home again with some facts changed; raises ImpossibleProperty if the changed facts are impossible.

    The effect is the model's: what the market paid for homes with that difference, not the cost or return of the work.
    """
    facts: dict[str, object] = {**before.subject.facts, **changes}
    after = estimate(live_market, facts, before.subject.as_of, problem, before.level)
    if isinstance(after, Unavailable):
        return WhatIf(before, after, 0.0, 0.0, 0.0, 0)
    effect = after.exact - before.exact
    effects = _effects(live_market.live_model, before, changes)
    low, high = np.quantile(effects, _SPAN) if len(effects) else (effect, effect)
    return WhatIf(before, after, effect, float(low), float(high), len(effects))


def against_expectation(result: WhatIf, changes: Mapping[str, Value]) -> bool:
    """Tell whether the estimate falls for more of what buyers pay for, or rises for less of it."""
    before = result.before.subject
    steps = [float(value) - (before.number(name) or 0.0) for name, value in changes.items() if name in _PAID_FOR]
    known = len(steps) == len(changes) and all(before.number(name) is not None for name in changes)
    rises, falls = all(step > 0 for step in steps), all(step < 0 for step in steps)
    return known and ((rises and result.effect < 0) or (falls and result.effect > 0))


def beyond_the_sales(result: WhatIf, changes: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the changed facts for which the model knows hardly a sale, so that it can hardly tell their effect."""
    flags = result.after.flags if isinstance(result.after, Estimate) else ()
    return tuple(one.field for one in flags if one.kind is FlagKind.OUT_OF_DISTRIBUTION and one.field in changes)


@dataclass(frozen=True)
class UsualChange:
    """A change agents are often asked about: its label and the facts it sets."""

    words: str
    changes: Mapping[str, Value]


def usual_changes(live_market: LiveMarket, subject: Subject, problem: Problem) -> tuple[UsualChange, ...]:
    """Return the changes that make sense for a home and that touch facts the market's model uses."""
    facts = live_market.live_model.model.facts
    found = []
    for name, step, words in _STEPS:
        now, limit = subject.number(name), problem.limits.get(name)
        if name in facts.numeric and now is not None and (limit is None or limit.holds(now + step)):
            found.append(UsualChange(words, {name: now + step}))
    if facts.renovation and subject.number("year_renovated") != float(subject.as_of.year):
        found.append(UsualChange("Renovated this year", {"year_renovated": float(subject.as_of.year)}))
    size = subject.number("living_area_sqft")
    if "living_area_sqft" in facts.numeric and size is not None:
        found.append(UsualChange("Living area 10% larger", {"living_area_sqft": round(size * 1.1)}))
    return tuple(found)


_STEPS: Final = (
    ("bathrooms", 1.0, "One more bathroom"),
    ("bedrooms", 1.0, "One more bedroom"),
    ("condition", 1.0, "Condition one step better"),
    ("condition", -1.0, "Condition one step worse"),
    ("grade", 1.0, "Quality one grade better"),
    ("garage_spaces", 1.0, "One more garage space"),
)


def _effects(live_model: LiveModel, before: Estimate, changes: Mapping[str, Value]) -> Floats:
    """Return the effect of the same change on similar homes, scaled to the subject's price, shape (n,)."""
    facts = live_model.model.facts
    numeric = [name for name in changes if name in facts.numeric]
    if len(numeric) < len(changes):
        # A category or a renovation is a state, not a step: similar homes may already be in it.
        return np.empty(0)
    home = live_model.model.fill_for_sale(before.placed.columns(facts))
    found = live_model.model.comparables(home, _LIKE_HOMES).rows
    if not len(found):
        return np.empty(0)
    now = take(live_model.filled, found) | {"sale_date": np.repeat(home["sale_date"], len(found))}
    now |= no_own_sale(len(found)) if live_model.model.own_sales else {}
    changed = now | {name: _stepped(now, home, name, changes[name]) for name in numeric}
    matrix = live_model.model.matrix(stack([now, changed]), np.concatenate([found, found]))
    log_now, log_changed = np.split(live_model.model.log_estimate(matrix), 2)
    effects: Floats = before.exact * np.expm1(log_changed - log_now)
    return effects


def _stepped(now: Columns, home: Columns, name: str, value: Value) -> Floats:
    stepped: Floats = now[name] + (float(value) - float(home[name][0]))
    return stepped
