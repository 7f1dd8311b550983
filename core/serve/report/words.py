"""The sentences of the seller's report: how reliable the estimate is, its evidence, what it is and is not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from core.serve.comparables import Comparable, ComparableValue
from core.serve.estimate import Estimate
from core.serve.flags import Flag, FlagKind, Severity
from core.serve.words import Conventions, assumed, flag_field, test_sales_words, widening_words
from core.wording import count, money_short, percent, signed_percent

_COORDINATES: Final = ("latitude", "longitude")
_POINT: Final = "estimate"


def held_words(estimate: Estimate) -> str:
    """State the range's level and its actual coverage: "80% range; held 79% of 412 similar test sales"."""
    held = estimate.held
    sales = test_sales_words(estimate.segment, held.n)
    wider = widening_words(estimate)
    return f"{percent(estimate.level)} range; held {percent(held.share)} of {sales}{f'; {wider}' if wider else ''}"


def assumed_words(estimate: Estimate, market: Conventions) -> str:
    """List the facts that were not given with the values assumed; "" if there are none."""
    facts = [assumed(name, value, market) for name, value in estimate.imputed.items() if name not in _COORDINATES]
    if any(name in estimate.imputed for name in _COORDINATES):
        facts.append("position in the middle of the area")
    return ", ".join(facts)


def used(estimate: Estimate) -> tuple[Comparable, ...]:
    """Return the comparables that count in the estimate's comparable value, most similar first."""
    value = estimate.comparable_value
    if value is None:
        return ()
    return tuple(one for one in estimate.comparables if value.weights.get(one.sale_id, 0.0) > 0)


def comparables_say(value: ComparableValue, market: Conventions, point_label: str | None) -> list[str]:
    """State what the comparables show together; single prices appear only if the report shows a point."""
    mean, both = (money_short(amount, market.currency) for amount in (value.mean, value.reconciled))
    agreement = "inside" if value.agrees else "outside"
    sentences = ["80% of their adjusted prices lie here; the more similar a sale is to this home, the more it counts."]
    if point_label is not None:
        sentences.append(f"Their weighted average is {mean}; combined with the model's estimate, it is {both}.")
    sentences.append(f"Their average lies {agreement} the model's range.")
    return sentences


def caveats(estimate: Estimate, market_name: str, point_label: str | None, market: Conventions) -> Iterator[str]:
    """Yield what the report is and is not, and what to check, most important first."""
    yield (
        f"It is a statistical estimate by a model trained on past sales in {market_name}. It is not an "
        "appraisal and must not be used as one: nobody inspected the home for it."
    )
    yield _evidence(estimate)
    yield (
        "The range is not a promise: of the similar test sales, which the model had not seen, "
        f"{percent(1 - estimate.held.share)} sold outside the range it gave."
    )
    yield (
        "The model sees only the facts listed here. It does not know about interior upgrades, noise, light, easements "
        "or defects, and the price also depends on how the home is marketed."
    )
    for flag in _shown_flags(estimate.flags):
        yield flag_words(flag, market, point_label)


def _evidence(estimate: Estimate) -> str:
    drivers, held = estimate.drivers, estimate.held
    comparables = len(used(estimate))
    sales = count(comparables, "comparable sale") if comparables else "no comparable sales"
    return (
        f"It is based on {count(drivers.sales, 'past sale')} in {drivers.area} and {sales}. How often its ranges hold "
        f"was measured on {test_sales_words(estimate.segment, held.n)}."
    )


def _shown_flags(flags: Sequence[Flag]) -> list[Flag]:
    """Return the flags to show, those that need review first; assumed facts are already listed under the facts."""
    shown = [flag for flag in flags if flag.kind is not FlagKind.IMPUTED_FACT]
    return sorted(shown, key=lambda flag: flag.severity is not Severity.REVIEW)


def flag_words(flag: Flag, market: Conventions, point_label: str | None) -> str:
    """Say what is unusual: "To review: wide range. Range 34% of the estimate; limit 30%."."""
    weight = "To review" if flag.severity is Severity.REVIEW else "Note"
    if flag.field == _POINT and point_label is None:
        return f"{weight}: {flag.kind.value}. The limit is {market.currency} {flag.limit}."
    return f"{weight}: {flag.kind.value}. {flag_field(flag.field, market)}: {flag.value}; limit: {flag.limit}."


def level_words(estimate: Estimate) -> str:
    """Name the market level in use and how far it moves prices: "7c1e, +3.1%"."""
    if estimate.level_id is None:
        return "none in use"
    return f"{estimate.level_id}, {signed_percent(math.expm1(estimate.market_shift), 1)}"
