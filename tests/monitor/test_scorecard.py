"""The scorecard names the nearer one where that is sure, counts what it says, and marks what is too thin."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.measures import mape, median_bias
from core.monitor.scorecard import KINDS, Nearer, office_effects, scorecard
from core.problem import Problem


def decided(n: int, agent: float = 0.06, seed: int = 1) -> pd.DataFrame:
    """Sales of homes decided on: the model is off by 10 %, agents who override by ``agent``."""
    rng = np.random.default_rng(seed)
    price = np.exp(rng.normal(12.9, 0.4, n))
    kind = rng.choice(KINDS, n, p=[0.5, 0.2, 0.3])
    point = price * np.exp(rng.normal(0, 0.10, n))
    own = price * np.exp(rng.normal(0, agent, n))
    listed = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D")
    days = rng.gamma(4, 5, n) + np.where(kind == "override", 15, 0)
    first = price * 1.05
    return pd.DataFrame(
        {
            "sale_price": price,
            "point": point,
            "agent_price": np.where(kind == "accept", point, own),
            "decision": kind,
            "reason_code": np.where(kind == "override", rng.choice(["layout", "view_or_noise"], n), np.full(n, None)),
            "office": rng.choice(["North", "South"], n, p=[0.9, 0.1]),
            "list_date": listed,
            "sale_date": listed + pd.to_timedelta(days.astype(int), "D"),
            "first_list_price": first,
            "list_price": np.where(rng.random(n) < 0.4, first * 0.95, first),
        }
    )


def test_the_figures_are_those_of_the_measures(problem: Problem) -> None:
    table = decided(400)
    found = scorecard(table, problem).overall
    assert found is not None
    assert found.model.value == pytest.approx(mape(table["point"], table["sale_price"]))
    assert found.agent.value == pytest.approx(mape(table["agent_price"], table["sale_price"]))
    assert found.saved.value == pytest.approx(found.model.value - found.agent.value)
    assert found.agent_bias.value == pytest.approx(median_bias(table["agent_price"], table["sale_price"]))
    assert found.n == 400


@pytest.mark.parametrize(("agent", "nearer"), [(0.05, Nearer.AGENT), (0.25, Nearer.MODEL), (0.10, Nearer.UNSURE)])
def test_who_was_nearer_is_told_only_where_it_is_sure(problem: Problem, agent: float, nearer: Nearer) -> None:
    lines = {one.segment: one for one in scorecard(decided(1_000, agent), problem).decisions}
    assert lines["override"].nearer is nearer
    assert list(lines) == list(KINDS)


def test_who_accepts_is_as_near_as_the_model(problem: Problem) -> None:
    accepted = scorecard(decided(500), problem).decisions[0]
    assert accepted.segment == "accept"
    assert (accepted.saved.value, accepted.nearer) == (0.0, Nearer.UNSURE)
    assert accepted.agent_nearer.n == 0
    assert np.isnan(accepted.agent_nearer.value)


def test_every_group_is_counted_and_thin_ones_are_marked(problem: Problem) -> None:
    table = decided(150)
    found = scorecard(table, problem)
    for lines in (found.decisions, found.offices):
        assert sum(one.n for one in lines) == found.n == 150
    assert [(one.segment, one.thin) for one in found.offices] == [("North", False), ("South", True)]
    assert {one.label for one in found.reasons} == {
        problem.decisions.reasons["layout"],
        problem.decisions.reasons["view_or_noise"],
    }
    assert all(one.nearer is Nearer.UNSURE for one in (*found.offices, *found.reasons) if one.thin)


def test_effects_have_welchs_interval_and_a_warning(problem: Problem) -> None:
    table = decided(600)
    found = scorecard(table, problem)
    assert "not an experiment" in found.warning
    effects = {one.name: one for one in found.effects}
    assert set(effects) == {"days_on_market", "price_cut", "was_cut"}
    days = (table["sale_date"] - table["list_date"]).dt.days
    groups = [days[table["decision"] == kind] for kind in ("accept", "override")]
    expected = stats.ttest_ind(*groups, equal_var=False).confidence_interval()
    effect = effects["days_on_market"]
    assert (effect.difference.low, effect.difference.high) == pytest.approx((expected.low, expected.high))
    assert (effect.first_value.n, effect.second_value.n) == (len(groups[0]), len(groups[1]))
    assert "they differ by −1" in effect.words
    assert effects["was_cut"].first_value.value == pytest.approx(0.4, abs=0.1)
    assert "do not differ significantly" in effects["was_cut"].words


def test_few_listings_are_not_compared(problem: Problem) -> None:
    effect = scorecard(decided(40), problem).effects[0]
    assert effect.thin
    assert effect.words.endswith("too few to compare.")


def test_listings_without_dates_or_prices_have_no_effects(problem: Problem) -> None:
    table = decided(100)
    bare = table.drop(columns=["list_date", "first_list_price"])
    assert scorecard(bare, problem).effects == ()
    unknown = table.assign(list_date=np.datetime64("NaT"), first_list_price=np.nan)
    assert scorecard(unknown, problem).effects == ()
    # Listed after the sale is an error of the record.
    late = table.assign(list_date=table["sale_date"] + pd.Timedelta(days=1))
    assert [one.name for one in scorecard(late, problem).effects] == ["price_cut", "was_cut"]


def test_the_pilots_offices_are_compared_with_the_others(problem: Problem) -> None:
    table = decided(800)
    table.loc[:9, "office"] = None
    effects = office_effects(table, {"North"}, problem)
    assert [one.name for one in effects] == ["days_on_market", "price_cut", "was_cut"]
    assert effects[0].first_value.n + effects[0].second_value.n == 790
    assert "with estimates" in effects[0].words
    assert office_effects(table, {"North", "South"}, problem) == ()


def test_without_decisions_there_is_nothing_to_score(problem: Problem) -> None:
    table = decided(50).assign(decision=None)
    found = scorecard(table, problem)
    assert (found.n, found.overall, found.decisions, found.effects) == (0, None, (), ())
    single = scorecard(decided(50)[:1], problem)
    assert single.overall is not None
    assert np.isnan(single.overall.saved.low)
    assert single.overall.thin
