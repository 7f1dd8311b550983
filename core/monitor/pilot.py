"""What came of a pilot: use, feedback and accuracy in its offices, and their listings compared with the others'."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import median_interval, share_interval
from core.monitor.scorecard import KINDS, OUTCOMES, Effect, compare_listings, gap, gap_ends, outcome
from core.monitor.welch import difference_in_differences
from core.problem import Problem

DAYS_MIN: Final = 14
"""A report on fewer days is too early to decide on."""

LATELY_DAYS: Final = 14
"""Who asked for an estimate in this many last days is active."""

_AFTER: Final = ("in the pilot", "in the other offices")
_SINCE: Final = ("since the start", "before it")


@dataclass(frozen=True)
class Use:
    """Requests of the pilot's offices; ``active`` of the agents who ever asked did so lately."""

    estimates: int
    priced: int
    agents: int
    active: int


@dataclass(frozen=True)
class Decided:
    """Decisions by kind, the share of priced estimates decided on, and of the decisions those that accept (exact)."""

    kinds: Mapping[str, int]
    decided: Figure
    accepted: Figure


@dataclass(frozen=True)
class PilotAccuracy:
    """Blind estimates of homes sold: median absolute error and share ``within`` the tolerance, with exact intervals."""

    n: int
    mdape: Figure
    within: Figure
    thin: bool
    tolerance: float


@dataclass(frozen=True)
class Change:
    """How much more an outcome changed in the pilot's offices than in the others (difference in differences).

    ``moved`` is its change in the pilot's offices, ``elsewhere`` that in the others.
    """

    name: str
    label: str
    unit: str
    difference: Figure
    counts: tuple[int, int, int, int]
    thin: bool
    words: str
    moved: float
    elsewhere: float


@dataclass(frozen=True)
class Comparisons:
    """Sold listings of the pilot's offices against the others', against before, and the change against the change."""

    others: tuple[Effect, ...]
    before: tuple[Effect, ...]
    changes: tuple[Change, ...]


def use_of(requests: pd.DataFrame, lately: pd.Series) -> Use:
    """Count the requests of the pilot's offices; ``requests`` has actor, n, priced, ``lately`` marks its last days."""
    active = int(requests.loc[lately.to_numpy(dtype=bool), "actor"].nunique())
    return Use(int(requests["n"].sum()), int(requests["priced"].sum()), int(requests["actor"].nunique()), active)


def decided_of(decisions: pd.DataFrame, priced: int) -> Decided:
    """Count decisions by kind; ``decisions`` has kind, n, and ``priced`` is the number of priced estimates."""
    kinds = {kind: int(decisions.loc[decisions["kind"] == kind, "n"].sum()) for kind in KINDS}
    total = sum(kinds.values())
    return Decided(kinds, share_of(total, priced), share_of(kinds["accept"], total))


def accuracy_of_sold(sold: pd.DataFrame, problem: Problem) -> PilotAccuracy | None:
    """Return the accuracy on sold homes, None without any; ``sold`` has point and sale_price, a row a sale."""
    if sold.empty:
        return None
    error = np.abs(sold["point"].to_numpy(dtype=float) / sold["sale_price"].to_numpy(dtype=float) - 1.0)
    n = len(error)
    within = share_of(int((error <= problem.success.tolerance + 1e-12).sum()), n)
    mdape = Figure(float(np.median(error)), *median_interval(error), n)
    return PilotAccuracy(n, mdape, within, n < problem.estimate.small_sample_n, problem.success.tolerance)


def comparisons(listings: pd.DataFrame, problem: Problem) -> Comparisons:
    """Compare sold listings by group and period.

    ``listings`` has inside and after (bools), and sale_date, list_date, list_price, first_list_price, missing where
    unknown. Where a group has none, what needs it is left out.
    """
    tables = {
        key: listings[(listings["inside"] == key[0]) & (listings["after"] == key[1])]
        for key in ((True, True), (True, False), (False, True), (False, False))
    }
    others = compare_listings((_AFTER[0], tables[True, True]), (_AFTER[1], tables[False, True]), problem)
    before = compare_listings((_SINCE[0], tables[True, True]), (_SINCE[1], tables[True, False]), problem)
    changes = []
    for name, label, unit in OUTCOMES:
        groups = tuple(outcome(name, table) for table in tables.values())
        if all(len(one) for one in groups):
            changes.append(_change(name, label, unit, groups, problem.estimate.small_sample_n))
    return Comparisons(others, before, tuple(changes))


def share_of(hits: int, n: int) -> Figure:
    """Return a share with its exact interval, missing for none of none."""
    if not n:
        return Figure(math.nan, math.nan, math.nan, 0)
    low, high = share_interval(hits, n)
    return Figure(hits / n, float(low), float(high), n)


def verdict_words(days: int, found: Comparisons, shared: str = "") -> str:
    """Write what the pilot shows, and no more than its intervals bear.

    ``days`` is below 0 before its first day; ``shared`` says that the offices compared with had estimates, too.
    """
    if days < DAYS_MIN:
        ran = f"has run {days} {'day' if days == 1 else 'days'}" if days > 0 else "began today"
        ran = "has not begun" if days < 0 else ran
        return f"It is too early to judge: the pilot {ran}, and {DAYS_MIN} days are needed."
    if shared:
        return f"{shared} So the pilot's effect is not known."
    judged: list[Change | Effect] = [*found.changes] or [*found.others]
    if not judged:
        return "There are no listings to compare yet, so the pilot's effect is not known."
    if all(one.thin for one in judged):
        return "There are too few sold listings to compare, so the pilot's effect is not known."
    sure = [one for one in judged if _is_sure(one)]
    if not sure:
        return "The pilot shows no sure effect: every interval includes no difference."
    parts = [_change_words(one) if isinstance(one, Change) else _lower(one) for one in sure]
    return f"In the pilot's offices, {'; '.join(parts)}; this may have other causes than the estimates."


def _is_sure(one: Change | Effect) -> bool:
    return not one.thin and (one.difference.low > 0 or one.difference.high < 0)


def _lower(one: Change | Effect) -> str:
    way, apart = "lower" if one.difference.value < 0 else "higher", _apart(abs(one.difference.value), one.unit)
    return f"{one.label.lower()} {_verb(one)} {apart} {way} than in the other offices ({_ends(one)})"


def _change_words(one: Change) -> str:
    """Say how an outcome moved, and only then how that compares: less of a rise is not a fall."""
    apart, moved = _apart(abs(one.difference.value), one.unit), f"{one.label.lower()} {_way(one.moved, one.unit)}"
    if one.moved * one.elsewhere > 0:
        more = "more" if abs(one.moved) > abs(one.elsewhere) else "less"
        return f"{moved}, {apart} {more} than elsewhere ({_ends(one)})"
    return f"{moved} and elsewhere {_way(one.elsewhere, one.unit)}, a difference of {apart} ({_ends(one)})"


def _ends(one: Change | Effect) -> str:
    """Write the interval of how far two groups lie apart, without its unit: "0.2 to 4.2"."""
    scale = 100 if one.unit == "share" else 1
    low, high = sorted((abs(one.difference.low), abs(one.difference.high)))
    return f"{scale * low:,.1f} to {scale * high:,.1f}"


def _way(moved: float, unit: str) -> str:
    return f"{'rose' if moved > 0 else 'fell'} by {_apart(abs(moved), unit)}" if moved else "did not change"


def _apart(size: float, unit: str) -> str:
    return gap(size, unit).removeprefix("+")


def _verb(one: Change | Effect) -> str:
    return {"days_on_market": "were", "price_cut": "was", "was_cut": "were"}[one.name]


def _change(name: str, label: str, unit: str, groups: tuple[Floats, ...], small_sample_n: int) -> Change:
    after, before, other_after, other_before = groups
    counts = (len(after), len(before), len(other_after), len(other_before))
    difference = Figure(*difference_in_differences(after, before, other_after, other_before), sum(counts))
    thin = min(counts) < small_sample_n
    moved, other = (float(now.mean() - then.mean()) for now, then in ((after, before), (other_after, other_before)))
    words = f"{label}: changed by {gap(moved, unit)} in the pilot's offices and by {gap(other, unit)} elsewhere"
    if thin:
        words += f"; too few to compare ({min(counts)} listings in the smallest group)."
    else:
        ends = gap_ends(difference, unit)
        sure = difference.low > 0 or difference.high < 0
        verb = "the changes differ by" if sure else "the changes do not differ significantly,"
        words += f"; {verb} {gap(difference.value, unit)} ({ends})."
    return Change(name, label, unit, difference, counts, thin, words, moved, other)
