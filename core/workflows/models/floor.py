"""What a market's first model must reach to go live on its own, and what to say of a live one below its target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from core.evaluate.accuracy import Figure
from core.evaluate.card.headline import headline_of, short_range_words
from core.evaluate.targets import Verdict, at_most, judge
from core.problem import Problem
from core.states import Stage
from core.store import ModelRecord
from core.train.model import Priced, half_width
from core.wording import percent
from core.workflows.models.baseline import area_median_estimates

TOO_GOOD: Final = 0.025
"""A mean error below this is a question: that of Singapore's public flats, the most alike homes known, is 3%.

A fact that tells the price makes it so small, and so do prices made up by a formula.
"""

FLOOR: Final = "floor"
"""The key of the floor on a model's card."""


@dataclass(frozen=True)
class Floor:
    """How a model compares with knowing only the area's median price, over all its ``n`` test sales.

    ``mape`` and ``median_mape`` are mean absolute errors as shares of the price, the model's and the area median's.
    ``half_width`` is half the width of the main range as a share of the estimate, for the median test home; the range
    of ``level`` is of use up to ``half_width_max``.
    """

    n: int
    mape: float
    median_mape: float
    half_width: float
    half_width_max: float
    level: float

    @property
    def reached(self) -> bool:
        """Whether the model may go live on its own."""
        return TOO_GOOD <= self.mape < self.median_mape and self.half_width <= self.half_width_max

    @property
    def remedy(self) -> str:
        """What to do about a model that does not go live on its own, where its words do not say so already."""
        return "" if self.mape < TOO_GOOD else "Train on more sales, or on sales of one kind of property."

    @property
    def words(self) -> str:
        """Why a model does not go live on its own, in sentences; "" if it may."""
        found = []
        if self.mape < TOO_GOOD:
            found.append(
                f"Its mean error of {percent(self.mape, 1)} is too good to be true: no market's is known to be below "
                f"{percent(TOO_GOOD, 1)}. See on the Evaluation page which facts drive its prices, whether one of them "
                "was computed from the price; if all are right, promote it."
            )
        if not self.mape < self.median_mape:
            found.append(
                f"Its mean error of {percent(self.mape, 1)} is no better than that of the area's median price, "
                f"{percent(self.median_mape, 1)}."
            )
        if not self.half_width <= self.half_width_max:
            found.append(
                f"For the median test home, its {percent(self.level)} range is ±{percent(self.half_width)} of the "
                f"estimate; beyond ±{percent(self.half_width_max)} a range is of no use."
            )
        return " ".join(found)


def measure_floor(priced: Priced, test: pd.DataFrame, known: pd.DataFrame, problem: Problem) -> Floor:
    """Measure a model's answers on its test sales, priced or not, beside the median of known sales in the area."""
    price = test["sale_price"].to_numpy(dtype=float)
    median = area_median_estimates(known, test, problem.estimate.comparables_min)
    return Floor(
        n=len(price),
        mape=float(np.mean(np.abs(priced.exact / price - 1))),
        median_mape=float(np.mean(np.abs(median / price - 1))),
        half_width=float(np.median(half_width(priced))),
        half_width_max=problem.estimate.half_width_max,
        level=priced.level,
    )


def floor_to_card(found: Floor) -> dict[str, Any]:
    """Return the floor for the card, as JSON values."""
    return {FLOOR: asdict(found)}


def floor_of(card: Mapping[str, Any]) -> Floor | None:
    """Read the floor from a model's card; None if it was trained by an earlier release."""
    found = card.get(FLOOR)
    return Floor(**found) if found else None


def target_verdict(error: Figure, problem: Problem) -> Verdict:
    """Judge a mean error (MAPE) by the target of the problem statement."""
    target = at_most(problem.success.target_mape, "problem statement, success.target_mape")
    return judge(error, target, problem.estimate.small_sample_n)


def miss_words(card: Mapping[str, Any], problem: Problem, model: str = "The live model") -> str:
    """Say that a model misses the target on its test, or that it cannot tell; "" if it meets the target.

    ``model`` is what the sentence calls it.
    """
    error, target = headline_of(card)["mape"], problem.success.target_mape
    judged = target_verdict(error, problem)
    if judged is Verdict.PASS:
        return ""
    measured = (
        f"mean error {percent(error.value, 1)} (95% interval {percent(error.low, 1)} to {percent(error.high, 1)})"
    )
    if judged is Verdict.FAIL:
        return f"{model} misses its target of {percent(target)}: {measured}."
    named = f"{model[:1].lower()}{model[1:]}"
    return f"The test cannot tell whether {named} meets its target of {percent(target)}: {measured}."


def broken_words(card: Mapping[str, Any], problem: Problem, model: str = "The live model") -> str:
    """Say which promises a model breaks on its test: that on the mean error and that on the range; "" if none."""
    return " ".join(filter(None, (miss_words(card, problem, model), short_range_words(card, problem))))


def remarks(record: ModelRecord, problem: Problem) -> list[str]:
    """Say why a model did not go live on its own, or what a live one misses; nothing of any other."""
    if record.is_live:
        missed = broken_words(record.card, problem)
        return [missed] if missed else []
    words = below_floor(record)
    return [f"It does not go live on its own. {words}"] if words else []


def below_floor(record: ModelRecord) -> str:
    """Say why a candidate does not go live on its own, in sentences; "" of one that may, and of any other model."""
    floor = floor_of(record.card)
    return floor.words if record.stage is Stage.CANDIDATE and floor is not None and not floor.reached else ""
