"""A summary of many estimates' drivers: how much each group of facts moves a price, and in which direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.evaluate.scored_sales import ScoredSales
from core.serve.drivers import Drivers
from core.serve.fact_groups import FactGroup
from core.workflows.models.explanations import Explainer

_HOMES_MAX: Final = 40
_SPAN: Final = (10.0, 90.0)


@dataclass(frozen=True)
class GroupSummary:
    """How a group of facts moved the estimates of ``homes`` homes away from that of a typical home nearby.

    As shares of each estimate: ``size`` is the mean absolute amount, and ``low`` to ``high`` holds the middle 80% of
    the signed amounts; a home that does not differ in the group counts as 0. ``adds`` is the share of homes whose price
    the group raised.
    """

    group: FactGroup
    size: float
    low: float
    high: float
    adds: float
    homes: int


def driver_summary(explainer: Explainer, scored: ScoredSales) -> tuple[GroupSummary, ...]:
    """Summarize the drivers of a sample of at most 40 priced sales, largest effect first; empty without sales.

    ``scored`` is what the explainer was opened for, or part of it.
    """
    return summarised(explainer.drivers(_sample(scored)))


def summarised(found: Sequence[Drivers]) -> tuple[GroupSummary, ...]:
    """Return the summary of drivers, largest effect first."""
    groups = {driver.group for drivers in found for driver in drivers.items}
    lines = (_summary(group, found) for group in groups)
    return tuple(sorted(lines, key=lambda one: (-one.size, one.group)))


def _sample(scored: ScoredSales) -> list[int]:
    priced = scored.priced.sort_values("intake_row")
    if len(priced) > _HOMES_MAX:
        priced = priced.iloc[np.random.default_rng(scored.terms.seed).choice(len(priced), _HOMES_MAX, replace=False)]
    return [int(row) for row in priced["intake_row"]]


def _summary(group: FactGroup, found: Sequence[Drivers]) -> GroupSummary:
    shares = np.array(
        [sum(one.amount for one in drivers.items if one.group is group) / drivers.point for drivers in found]
    )
    low, high = np.percentile(shares, _SPAN)
    return GroupSummary(
        group, float(np.abs(shares).mean()), float(low), float(high), float((shares > 0).mean()), len(shares)
    )
