"""Ranges widen with the days since the latest sale as the market's own past shows, and never narrow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.prepare.features.derived import days_since_2000
from core.train.level import no_level
from core.train.live_model import LiveModel
from core.train.ranges import LONGEST, NOT_MEASURED, Horizon, UsualErrors, measure_horizon, past_cuts
from core.workflows.pricing.desk import Desk

NOISE = 0.08


def market(days: int, a_year: float, n: int = 2_400) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Homes sold over some days while prices rise by ``a_year`` in logs; their log prices, and the noise in these."""
    rng = np.random.default_rng(5)
    when = np.sort(rng.integers(0, days, n))
    noise = rng.normal(0, NOISE, n)
    homes = pd.DataFrame(
        {
            "living_area_sqft": rng.integers(800, 4_000, n).astype(float),
            "sale_date": pd.Timestamp("2022-01-01") + pd.to_timedelta(when, unit="D"),
        }
    )
    homes["sale_date"] = homes["sale_date"].astype("datetime64[us]")
    log_price = 6.0 + 0.9 * np.log(homes["living_area_sqft"].to_numpy()) + a_year * when / 365 + noise
    return homes, log_price, noise


def measured(homes: pd.DataFrame, log_price: np.ndarray, noise: np.ndarray) -> Horizon:
    """The horizon of a market whose out-of-fold errors are its noise alone: they know each day's price level."""
    days, rows = days_since_2000(homes["sale_date"].to_numpy()), np.arange(len(homes))
    cuts = past_cuts(days, rows, 1)
    size = np.log(homes["living_area_sqft"].to_numpy())
    late = []
    for cut in cuts:
        # What was known at the cut: what size adds, and the level of the last month.
        slope, level = np.polyfit(size[cut.before], log_price[cut.before], 1)
        lately = cut.before[days[cut.before] >= cut.day - 30]
        moved = float(np.median(log_price[lately] - level - slope * size[lately]))
        late.append(level + moved + slope * size[cut.after])
    usual = UsualErrors(rows, log_price - noise, np.full(len(homes), NOISE))
    return measure_horizon(cuts, late, usual, days, log_price, 0.8)


def test_a_market_whose_prices_move_widens_ranges_more_than_a_still_one() -> None:
    still, moving = measured(*market(500, 0.0)), measured(*market(500, -0.4))
    assert still.days == moving.days >= 300
    assert 1.0 < max(still.factors) < 2.0
    assert moving.factors[-1] > 1.2 * still.factors[-1]
    assert moving.factors[3] > still.factors[3]


def test_the_same_sales_give_the_same_horizon_and_short_histories_give_none() -> None:
    assert measured(*market(400, 0.1)) == measured(*market(400, 0.1))
    assert measured(*market(40, 0.0)).days <= 31
    assert measured(*market(500, 0.0, 120)) == NOT_MEASURED
    assert measured(*market(3_000, 0.0)).days <= LONGEST


def test_a_cut_leaves_no_later_sale_before_it_and_prices_only_sales_with_an_estimate() -> None:
    homes, _, _ = market(500, 0.0)
    days = days_since_2000(homes["sale_date"].to_numpy())
    known = np.arange(0, len(homes), 2)
    cuts = past_cuts(days, known, 1)
    assert len(cuts) == 3
    for cut in cuts:
        assert days[cut.before].max() < cut.day <= days[cut.after].min()
        assert np.isin(cut.after, known).all()


FACTORS = st.lists(st.floats(0.0, 0.5), max_size=11).map(lambda steps: (1.0, *(1.0 + np.cumsum(steps)).tolist()))


@given(factors=FACTORS, ahead=st.lists(st.floats(-400, 800), min_size=1, max_size=20))
def test_width_never_falls_below_its_first_month_and_never_falls_with_the_days(
    factors: tuple[float, ...], ahead: list[float]
) -> None:
    found = Horizon(365, factors).widening(np.sort(np.array(ahead)))
    assert (found >= 1.0).all()
    assert (np.diff(found) >= 0.0).all()
    assert Horizon(365, factors).widening(np.array([0.0, 14.0])).tolist() == [1.0, 1.0]


def test_ranges_of_a_live_model_widen_and_confidence_falls_with_the_days_ahead(small_desk: Desk) -> None:
    live = small_desk.live_model
    assert live is not None
    horizon = Horizon(365, (1.0, 1.1, 1.3, 1.3, 1.6))
    model = live.model
    moved = LiveModel(replace(model, horizon=horizon), live.sales, live.filled, no_level(live.level.as_of))
    home = {name: np.repeat(values[:1], 5) for name, values in live.filled.items()}
    ahead = [0, 40, 75, 100, 360]
    home["sale_date"] = np.array([live.level.as_of + timedelta(days=days) for days in ahead], dtype="datetime64[us]")
    priced = moved.priced(home, model.matrix(home), np.full(5, 12.5), (0.5, 0.8, 0.9), 0.1)
    for one in priced.values():
        assert (np.diff(one.high - one.low) >= 0).all()
    assert (np.diff(priced[0.8].confidence) <= 0).all()
    assert (priced[0.8].high - priced[0.8].low)[-1] > 1.4 * (priced[0.8].high - priced[0.8].low)[0]
    assert priced[0.8].fsd[-1] == pytest.approx(1.6 * priced[0.8].fsd[0], rel=0.1)


def test_no_home_gets_a_surer_or_narrower_answer_for_a_later_day(small_desk: Desk) -> None:
    live = small_desk.live_model
    assert live is not None
    answers = []
    for days in (0, 60, 150, 300):
        homes = {name: values[:150] for name, values in live.filled.items()}
        day = np.datetime64(live.level.as_of + timedelta(days=days))
        homes["sale_date"] = np.full(150, day, dtype="datetime64[us]")
        centre = np.log(live.sales["sale_price"][:150].astype(float))
        answers.append(live.priced(homes, live.model.matrix(homes), centre, (0.8,), 0.1)[0.8])
    assert (np.diff([one.confidence for one in answers], axis=0) <= 0).all()
    assert (np.diff([one.high - one.low for one in answers], axis=0) >= 0).all()


def test_with_little_history_a_range_widens_as_markets_usually_drift() -> None:
    few = measured(*market(500, 0.0, 900))
    assert few.factors[0] == 1.0
    assert few.factors[-1] > 1.1
