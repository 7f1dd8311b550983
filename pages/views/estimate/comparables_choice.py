"""The comparable sales an agent uses for a home, and their weights; kept for the session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from core.serve.comparables import IN_USE, Comparable, ComparableValue, reconcile
from core.serve.estimate import Estimate
from core.workflows.pricing.answers import RecordedAnswer

USUAL: Final = 1.0
DOUBLE: Final = 2.0
_NONE: Final = "none"
_KEPT: Final = "comparables_chosen"
_KEPT_MOST: Final = 50

Home = tuple[object, ...]


@dataclass(frozen=True)
class Choice:
    """The checked sales, by sale_id, and each weight other than 1; weight 0 means not in use."""

    ticked: frozenset[str]
    weights: Mapping[str, float]

    @property
    def used(self) -> frozenset[str]:
        """The sales that count."""
        return frozenset(sale_id for sale_id in self.ticked if self.weight(sale_id) > 0)

    def weight(self, sale_id: str) -> float:
        """Return the sale's weight when it is in use."""
        return self.weights.get(sale_id, USUAL)

    def multipliers(self) -> dict[str, float]:
        """Return the multipliers by sale_id, as core.serve.comparables.reconcile takes them."""
        return {sale_id: self.weight(sale_id) for sale_id in self.ticked}

    def with_sale(self, sale_id: str) -> Choice:
        """Return the choice with this sale checked."""
        return replace(self, ticked=self.ticked | {sale_id})

    def without_sale(self, sale_id: str) -> Choice:
        """Return the choice without this sale."""
        return replace(self, ticked=self.ticked - {sale_id})

    def with_weight(self, sale_id: str, weight: float) -> Choice:
        """Return the choice with this sale at this weight."""
        others = {other: held for other, held in self.weights.items() if other != sale_id}
        return replace(self, weights=others if weight == USUAL else {**others, sale_id: weight})

    def text(self, comparables: Sequence[Comparable]) -> str:
        """Write the choice by the numbers of the cards, such as "1-2x2-5", as ``read`` reads it; "" for the default."""
        if self == first_choice(comparables):
            return ""
        numbers = [
            f"{number}{'' if self.weight(sale.sale_id) == USUAL else f'x{self.weight(sale.sale_id):g}'}"
            for number, sale in enumerate(comparables, 1)
            if sale.sale_id in self.ticked
        ]
        return "-".join(numbers) or _NONE


def read(text: str, comparables: Sequence[Comparable]) -> Choice | None:
    """Return a choice from its text; None where that names no sales of these, or another weight than once and twice."""
    if text == _NONE:
        return Choice(frozenset(), {})
    ids = {f"{number}": sale.sale_id for number, sale in enumerate(comparables, 1)}
    weights = {"": USUAL, f"{DOUBLE:g}": DOUBLE}
    parts = [part.partition("x") for part in text.split("-")]
    if not text or any(number not in ids or weight not in weights for number, _, weight in parts):
        return None
    doubled = {ids[number]: weights[weight] for number, _, weight in parts if weights[weight] != USUAL}
    return Choice(frozenset(ids[number] for number, _, _ in parts), doubled)


def first_choice(comparables: Sequence[Comparable]) -> Choice:
    """Return the default choice: the first of the sales that were not added."""
    offered = [sale.sale_id for sale in comparables if not sale.added]
    return Choice(frozenset(offered[:IN_USE]), {})


def choice(answered: RecordedAnswer, estimate: Estimate) -> Choice:
    """Return the agent's choice for this home, or the default."""
    kept = _kept().get(home_of(answered))
    return kept if kept is not None else first_choice(estimate.comparables)


def keep(answered: RecordedAnswer, chosen: Choice) -> None:
    """Keep the choice for this home, whatever the level of the range."""
    kept = {home: old for home, old in _kept().items() if home != home_of(answered)}
    kept[home_of(answered)] = chosen
    st.session_state[_KEPT] = dict(list(kept.items())[-_KEPT_MOST:])


def is_kept(answered: RecordedAnswer) -> bool:
    """Tell whether there is a choice for this home already."""
    return home_of(answered) in _kept()


def begin(answered: RecordedAnswer, multipliers: Mapping[str, float]) -> None:
    """Begin with these multipliers by sale_id."""
    weights = {sale_id: weight for sale_id, weight in multipliers.items() if weight != USUAL}
    keep(answered, Choice(frozenset(multipliers), weights))


def value(answered: RecordedAnswer, estimate: Estimate) -> ComparableValue | None:
    """Return the combined value of the sales in use, None if there are none."""
    return value_of(estimate, choice(answered, estimate))


def value_of(estimate: Estimate, chosen: Choice) -> ComparableValue | None:
    """Return the combined value of an estimate's chosen comparables, None if none is in use."""
    return reconcile(
        estimate.comparables, chosen.multipliers(), estimate.exact, estimate.fsd, estimate.low, estimate.high
    )


def as_chosen(answered: RecordedAnswer, estimate: Estimate) -> Estimate:
    """Return the estimate with the value of the sales in use, as a report shows it."""
    return replace(estimate, comparable_value=value(answered, estimate))


def home_of(answered: RecordedAnswer) -> Home:
    """Return a priced home's identity: market, model, facts and date, regardless of the range's level."""
    question = answered.question
    facts = tuple(sorted((name, str(value)) for name, value in question.facts.items()))
    return (answered.market_id, answered.model_id, question.as_of, facts)


def _kept() -> dict[Home, Choice]:
    kept: dict[Home, Choice] = st.session_state.get(_KEPT, {})
    return kept
