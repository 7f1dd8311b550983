"""The headline on a model's card: the figures every screen shows for the model, and the test sales they cover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from core.evaluate.accuracy import Figure
from core.evaluate.headline import Headline, range_verdict
from core.evaluate.targets import Verdict
from core.problem import Problem
from core.wording import count, percent

HEADLINE: Final = "headline"
"""The key of the headline on a model's card."""


@dataclass(frozen=True)
class CardHeadline:
    """A model's headline figures by name; ``level`` is the range's, and ``words`` say which sales they cover.

    The names are those of ``Headline.line``. The figures cover the test sales that the desk would have priced: a sale
    without a price has no error.
    """

    level: float
    figures: Mapping[str, Figure]
    words: str

    def __getitem__(self, name: str) -> Figure:
        """Return the figure with that name; raises KeyError for any other."""
        return self.figures[name]


def to_card(found: Headline | None) -> dict[str, Any]:
    """Return the sealed test's headline for the card, as JSON values; empty if no sale was priced."""
    if found is None:
        return {}
    figures = {line.name: asdict(line.figure) for line in found.lines}
    return {HEADLINE: {"sales": found.sales, "figures": figures}}


def headline_of(card: Mapping[str, Any]) -> CardHeadline:
    """Read the headline from a model's card.

    A model trained before cards kept it, or without a priced test sale, has the figures of all test sales instead.
    """
    metrics, kept = card["metrics"], card.get(HEADLINE)
    level = float(metrics.get("level", 0.0))
    if kept is None:
        figures = {name: Figure(**value) for name, value in metrics.items() if isinstance(value, dict)}
        return CardHeadline(level, figures, f"all {count(figures['mape'].n, 'test sale')}, priced or not")
    figures = {name: Figure(**value) for name, value in kept["figures"].items()}
    return CardHeadline(level, figures, sales_words(figures["mape"].n, kept["sales"]))


def short_range(card: Mapping[str, Any], problem: Problem) -> str:
    """Say in half a sentence that a model's range held significantly fewer test sales than it states; else ""."""
    test = headline_of(card)
    held = test.figures.get("coverage")
    if held is None or not is_short(held, test.level, problem):
        return ""
    return f"its {percent(test.level)} range held {percent(held.value, 1)} of {count(held.n, 'test sale')}"


def is_short(held: Figure, level: float, problem: Problem) -> bool:
    """Tell whether a range held surely fewer sales than it states."""
    return held.value < level and range_verdict(held, level, problem) is Verdict.FAIL


def short_range_words(card: Mapping[str, Any], problem: Problem) -> str:
    """Say that a model's range held significantly fewer of its test sales than it states; "" if it held enough."""
    found = short_range(card, problem)
    return f"I{found[1:]}, fewer than it states." if found else ""


def sales_words(priced: int, sales: int, what: str = "test sale") -> str:
    """State how many sales a figure covers: "9,427 of 9,916 test sales; 489 got no price"."""
    if priced == sales:
        return count(sales, what)
    return f"{priced:,} of {count(sales, what)}; {sales - priced:,} got no price"
