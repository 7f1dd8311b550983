"""Likeness: about what the model would adjust between two homes, so that the sales offered need little adjustment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.prepare.features.columns import size, take, words
from core.prepare.features.derived import days_since_2000
from core.problem import Problem
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.serve.likeness import CANDIDATES, Likeness, likeness_of, most_alike
from core.train.live_model import LiveModel
from core.workflows.pricing.desk import Desk

SUBJECTS = 40


@pytest.fixture(scope="module")
def market(small_desk: Desk) -> LiveMarket:
    assert small_desk.live_market is not None
    return small_desk.live_market


@pytest.fixture(scope="module")
def likeness(market: LiveMarket) -> Likeness:
    assert market.likeness is not None
    return market.likeness


def gross_of(market: LiveMarket, problem: Problem) -> float:
    """The median gross adjustment of the sales offered for homes like those sold last."""
    sales, found = market.live_model.sales, []
    for row in range(size(sales) - SUBJECTS, size(sales)):
        facts = {name: sales[name][row] for name in market.live_model.model.facts.all if name in sales}
        known = {name: value for name, value in facts.items() if not pd.isna(value)}
        answer = estimate(market, known, market.live_model.level.as_of, problem, 0.8)
        found += [one.gross for one in answer.comparables] if isinstance(answer, Estimate) else []
    return float(np.median(found))


def test_the_sales_offered_need_less_adjustment_than_the_nearest_ones(market: LiveMarket, problem: Problem) -> None:
    nearest = replace(market)
    nearest.__dict__["likeness"] = None
    assert gross_of(market, problem) < 0.97 * gross_of(nearest, problem)


def test_a_home_is_most_like_itself(market: LiveMarket, likeness: Likeness) -> None:
    filled = market.live_model.filled
    rows = np.arange(0, size(filled), max(size(filled) // 50, 1))
    homes = take(filled, rows)
    for place in range(0, len(rows), 7):
        assert likeness.nearest(homes, take(homes, [place]), 1)[0] == place


def test_the_prices_of_sales_are_not_bounded(market: LiveMarket, likeness: Likeness) -> None:
    live = market.live_model
    other = LiveModel(live.model, live.sales | {"sale_price": live.sales["sale_price"][::-1]}, live.filled, live.level)
    again = likeness_of(other)
    for name, curve in likeness.curves.items():
        assert np.array_equal(curve.values, again.curves[name].values)
    assert likeness.tables == again.tables


def test_a_home_whose_place_is_not_known_is_compared_by_the_rest(market: LiveMarket, likeness: Likeness) -> None:
    homes = take(market.live_model.filled, np.arange(30))
    somewhere = take(homes, [3]) | {name: np.array([np.nan]) for name in ("latitude", "longitude")}
    assert 3 in likeness.nearest(homes, somewhere, 3)


def test_of_a_whole_market_the_best_are_found_though_not_every_fact_of_every_sale_is_bounded(
    market: LiveMarket, likeness: Likeness
) -> None:
    live, bounded = market.live_model, 0
    for row in range(0, size(live.filled), size(live.filled) // SUBJECTS):
        subject = take(live.filled, [row]) | {"sale_date": live.filled["sale_date"].max(keepdims=True)}
        before = np.flatnonzero(live.filled["sale_date"] < subject["sale_date"][0])
        kinds = words({"property_type": live.sales["property_type"][before]}, "property_type", "")
        [kind] = words(subject, "property_type", "")
        of_kind = before[kinds == kind]
        best = of_kind[likeness.nearest(take(live.filled, of_kind), subject, CANDIDATES)]
        # No adjustment is small enough, so the whole market is looked at.
        assert most_alike(live, likeness, subject, 0.0)[: len(best)].tolist() == best.tolist()
        gross = likeness.gross(take(live.filled, best), subject)
        bounded += len(likeness.within(live.filled, of_kind, subject, float(gross[-1]))) < len(of_kind)
    assert bounded > SUBJECTS / 2


def test_the_market_moves_from_day_to_day_without_jumps_and_never_back_and_forth_within_a_month(
    market: LiveMarket,
) -> None:
    live = market.live_model
    until = float(days_since_2000(live.filled["sale_date"]).max()) + 1
    days = until - np.arange(365.0)
    # The level found of a few sales goes up and down by two percent each fortnight.
    restless = tuple((float(day), 0.02 * (number % 2)) for number, day in enumerate(days[::-15]))
    for level in (live.level, replace(live.level, curve=restless)):
        steps = np.diff(likeness_of(replace(live, level=level)).moved(days, until))
        assert np.abs(steps).max() < 0.002
        turns = np.flatnonzero(np.diff(np.sign(np.where(np.abs(steps) < 1e-12, 0, steps))) != 0)
        assert len(turns) < 2 or np.diff(turns).min() > 30
