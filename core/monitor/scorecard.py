"""The scorecard: model and agent compared with the sale price, and accepted listings with overridden ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import mean_interval, median_interval, share_interval
from core.monitor.welch import welch
from core.problem import Problem
from core.wording import count, percent, points

KINDS: Final = ("accept", "adjust", "override")
"""The kinds of decisions, from accepting the estimate to choosing another price."""

WARNING: Final = (
    "This is not an experiment: agents override the homes they find hard to price, so the two groups differ in more "
    "than the decision. Treat a difference as a question, not as the effect of the estimate."
)
PILOT_WARNING: Final = (
    "Offices were not chosen at random for the pilot, so they may differ in more than the estimates. A difference that "
    "existed before the pilot is not its effect."
)
OFFICES_WARNING: Final = (
    "Offices chose for themselves whether to ask for estimates, so they may differ in more than the estimates. Treat a "
    "difference as a question, not as the effect of the estimate."
)


class Nearer(StrEnum):
    """Whose price was significantly closer to the sale price, on average."""

    MODEL = "model"
    AGENT = "agent"
    UNSURE = "no sure difference"


@dataclass(frozen=True)
class Line:
    """Model and agent on the same n sales; ``by`` is "", "decision", "reason" or "office", ``label`` for people.

    ``model`` and ``agent`` are mean absolute errors (MAPE) and ``saved`` the model's less the agent's, above 0 if the
    agent was closer, paired by sale; all with Student's interval. ``agent_nearer`` is the share of sales with different
    prices in which the agent's was closer (exact interval, missing if they agree on all). The biases are median signed
    errors, above 0 for prices above the sale price. ``thin`` marks a small sample.
    """

    by: str
    segment: str
    label: str
    n: int
    model: Figure
    agent: Figure
    saved: Figure
    agent_nearer: Figure
    model_bias: Figure
    agent_bias: Figure
    nearer: Nearer
    thin: bool


@dataclass(frozen=True)
class Effect:
    """One outcome of two groups of listings; ``difference`` is the first less the second (Welch's interval).

    ``unit`` is "days" or "share". ``thin`` marks a small sample; ``words`` is a summary sentence.
    """

    name: str
    label: str
    unit: str
    first: str
    second: str
    first_value: Figure
    second_value: Figure
    difference: Figure
    thin: bool
    words: str


@dataclass(frozen=True)
class Scorecard:
    """Figures of homes with a decision and a sale: overall (None for none), by decision, reason and office; effects.

    ``effects`` compare accepted with overridden listings; show ``warning`` with them.
    """

    n: int
    overall: Line | None
    decisions: tuple[Line, ...]
    reasons: tuple[Line, ...]
    offices: tuple[Line, ...]
    effects: tuple[Effect, ...]
    warning: str


def scorecard(sales: pd.DataFrame, problem: Problem) -> Scorecard:
    """Compare the model's and the agent's prices with the sale prices of homes an agent decided on.

    ``sales`` has a row per sale: sale_price, point (the model's), agent_price, decision ("accept", "adjust" or
    "override"; rows without one are left out), reason_code and office (missing for none) and, for the effects,
    sale_date, list_date, list_price and first_list_price, missing or absent if unknown. Groups below
    estimate.small_sample_n are small samples.
    """
    decided = sales[sales["decision"].isin(KINDS)]
    small_sample_n = problem.estimate.small_sample_n
    if decided.empty:
        return Scorecard(0, None, (), (), (), (), WARNING)
    kinds = {kind: kind for kind in KINDS}
    reasons = dict(problem.decisions.reasons)
    groups = {kind: decided[decided["decision"] == kind] for kind in ("accept", "override")}
    return Scorecard(
        n=len(decided),
        overall=_line("", "", "All decisions", decided, small_sample_n),
        decisions=tuple(_lines("decision", decided, "decision", kinds, small_sample_n)),
        reasons=tuple(_lines("reason", decided, "reason_code", reasons, small_sample_n)),
        offices=tuple(_lines("office", decided, "office", {}, small_sample_n)),
        effects=tuple(_effects(("accepted", groups["accept"]), ("overridden", groups["override"]), small_sample_n)),
        warning=WARNING,
    )


def overall_line(sales: pd.DataFrame, problem: Problem) -> Line | None:
    """Return only the line over all decisions, of the same sales as ``scorecard``; None without any."""
    decided = sales[sales["decision"].isin(KINDS)]
    return None if decided.empty else _line("", "", "All decisions", decided, problem.estimate.small_sample_n)


def office_effects(listings: pd.DataFrame, offices: Collection[str], problem: Problem) -> tuple[Effect, ...]:
    """Compare sold listings of the offices with estimates with those of all others; show OFFICES_WARNING with it.

    ``listings`` has office, sale_date, list_date, list_price and first_list_price; those without an office are left
    out. Empty if either group has none.
    """
    known = listings[listings["office"].notna()]
    inside = known["office"].isin(list(offices))
    first, second = ("with estimates", known[inside]), ("in other offices", known[~inside])
    return compare_listings(first, second, problem)


def compare_listings(
    first: tuple[str, pd.DataFrame], second: tuple[str, pd.DataFrame], problem: Problem
) -> tuple[Effect, ...]:
    """Compare two groups of sold listings, each with its name; the tables are as in ``office_effects``.

    An outcome that one of the groups lacks is left out.
    """
    return tuple(_effects(first, second, problem.estimate.small_sample_n))


def _lines(by: str, table: pd.DataFrame, column: str, labels: dict[str, str], small_sample_n: int) -> Iterator[Line]:
    """Yield a line per value, in the order of the labels, then the others, most sales first."""
    if column not in table:
        return
    found = [str(name) for name in table[column].dropna().astype("str").value_counts().index]
    for name in [*(one for one in labels if one in found), *(one for one in found if one not in labels)]:
        yield _line(by, name, labels.get(name, name), table[table[column].astype("str") == name], small_sample_n)


def _line(by: str, segment: str, label: str, table: pd.DataFrame, small_sample_n: int) -> Line:
    price, point, other = (table[name].to_numpy(dtype=float) for name in ("sale_price", "point", "agent_price"))
    model, agent = point / price - 1, other / price - 1
    n, thin = len(table), len(table) < small_sample_n
    saved = _mean(np.abs(model) - np.abs(agent))
    return Line(
        by=by,
        segment=segment,
        label=label,
        n=n,
        model=_mean(np.abs(model)),
        agent=_mean(np.abs(agent)),
        saved=saved,
        agent_nearer=_agent_nearer(np.abs(model), np.abs(agent)),
        model_bias=_median(model),
        agent_bias=_median(agent),
        nearer=_nearer(saved, thin),
        thin=thin,
    )


def _nearer(saved: Figure, thin: bool) -> Nearer:
    if thin or not np.isfinite(saved.low + saved.high) or saved.low <= 0 <= saved.high:
        return Nearer.UNSURE
    return Nearer.AGENT if saved.low > 0 else Nearer.MODEL


def _agent_nearer(model: Floats, agent: Floats) -> Figure:
    # Prices that agree to the cent are equal.
    differ = np.abs(model - agent) > 1e-9
    n, hits = int(differ.sum()), int((agent[differ] < model[differ]).sum())
    if not n:
        return Figure(np.nan, np.nan, np.nan, 0)
    low, high = share_interval(hits, n)
    return Figure(hits / n, float(low), float(high), n)


def _mean(values: Floats) -> Figure:
    n, mean = len(values), float(values.mean())
    sd = float(values.std(ddof=1)) if n > 1 else np.nan
    low, high = mean_interval(mean, sd, n)
    return Figure(mean, float(low), float(high), n)


def _median(values: Floats) -> Figure:
    return Figure(float(np.median(values)), *median_interval(values), len(values))


def _effects(
    first: tuple[str, pd.DataFrame], second: tuple[str, pd.DataFrame], small_sample_n: int
) -> Iterator[Effect]:
    for name, label, unit in OUTCOMES:
        values = [outcome(name, table) for _, table in (first, second)]
        if all(len(one) for one in values):
            yield _effect(name, label, unit, (first[0], second[0]), values[0], values[1], small_sample_n)


OUTCOMES: Final = (
    ("days_on_market", "Days on market", "days"),
    ("price_cut", "Price cut before the sale", "share"),
    ("was_cut", "Listings whose price was cut", "share"),
)
"""The outcomes of sold listings: name, label and unit."""


def outcome(name: str, table: pd.DataFrame) -> Floats:
    """Return each listing's outcome, if known: days from listing to sale, the price cut as a share, or whether cut."""
    needed = ("sale_date", "list_date") if name == "days_on_market" else ("list_price", "first_list_price")
    if any(column not in table for column in needed):
        return np.empty(0)
    first, last = table[needed[1]], table[needed[0]]
    if name == "days_on_market":
        days = (pd.to_datetime(last) - pd.to_datetime(first)).dt.days.to_numpy(dtype=float)
        # A sale before its listing is a record error, not a quick sale.
        return np.asarray(days[np.isfinite(days) & (days >= 0)], dtype=float)
    cut = 1 - last.to_numpy(dtype=float) / first.to_numpy(dtype=float)
    cut = np.maximum(cut[np.isfinite(cut)], 0.0)
    return cut if name == "price_cut" else (cut > 0).astype(float)


def _effect(
    name: str, label: str, unit: str, names: tuple[str, str], first: Floats, second: Floats, small_sample_n: int
) -> Effect:
    shown = [_share(one) if name == "was_cut" else _mean(one) for one in (first, second)]
    difference = Figure(*welch(first, second), len(first) + len(second))
    thin = min(len(first), len(second)) < small_sample_n
    words = _effect_words(label, unit, names, shown, difference, thin)
    return Effect(name, label, unit, names[0], names[1], shown[0], shown[1], difference, thin, words)


def _share(true: Floats) -> Figure:
    low, high = share_interval(true.sum(), len(true))
    return Figure(float(true.mean()), float(low), float(high), len(true))


def _effect_words(
    label: str, unit: str, names: tuple[str, str], shown: list[Figure], difference: Figure, thin: bool
) -> str:
    groups = " and ".join(
        f"{written(figure.value, unit)} {name} ({count(figure.n, 'listing')})"
        for name, figure in zip(names, shown, strict=True)
    )
    if thin:
        return f"{label}: {groups}; too few to compare."
    value, ends = gap(difference.value, unit), gap_ends(difference, unit)
    sure = difference.low > 0 or difference.high < 0
    verb = "differ by" if sure else "do not differ significantly,"
    return f"{label}: {groups}; they {verb} {value} ({ends})."


def gap_ends(difference: Figure, unit: str) -> str:
    """Write the interval of such a distance, without its unit: "−5.0 to −1.4"."""
    scale = 100 if unit == "share" else 1
    return f"{scale * difference.low:+z,.1f} to {scale * difference.high:+z,.1f}".replace("-", "−")


def gap(number: float, unit: str) -> str:
    """Write how far two groups lie apart: "−3.2 days", "+4.5 points"."""
    return points(number) if unit == "share" else f"{number:+z,.1f} days".replace("-", "−")


def written(number: float, unit: str) -> str:
    """Write a number in an outcome's unit: "3.2 days", "4.5%"."""
    if unit == "share":
        return percent(number, 1)
    return f"{number:z,.1f} days".replace("-", "−")
