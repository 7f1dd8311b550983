"""The headline judges each figure by its interval, equals the sealed test's own, and compares pair by pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluate.accuracy import Figure
from core.evaluate.card.headline import is_short
from core.evaluate.headline import Rival, headline, range_verdict, unpriced_words
from core.evaluate.scored_sales import ScoredSales
from core.evaluate.targets import Target, Verdict, at_most, judge
from core.problem import Problem
from core.workflows.overview import is_range_off
from tests.evaluate.scored_sales import scored_sales


@pytest.mark.parametrize(
    ("low", "high", "n", "verdict"),
    [
        (0.08, 0.09, 500, Verdict.PASS),
        (0.09, 0.10, 500, Verdict.PASS),
        (0.09, 0.11, 500, Verdict.INCONCLUSIVE),
        (0.11, 0.12, 500, Verdict.FAIL),
        (0.08, 0.08, 1, Verdict.INCONCLUSIVE),
        (float("nan"), float("nan"), 500, Verdict.INCONCLUSIVE),
    ],
)
def test_interval_and_number_of_sales_decide(low: float, high: float, n: int, verdict: Verdict) -> None:
    assert judge(Figure((low + high) / 2, low, high, n), at_most(0.10, "a test"), 30) is verdict


@given(ends=st.tuples(st.floats(0, 1), st.floats(0, 1)), limit=st.floats(0, 1), n=st.integers(0, 60))
def test_only_an_interval_of_enough_sales_on_one_side_of_the_target_decides(
    ends: tuple[float, float], limit: float, n: int
) -> None:
    low, high = sorted(ends)
    found = judge(Figure((low + high) / 2, low, high, n), at_most(limit, "a test"), 30)
    assert (found is Verdict.PASS) == (n >= 30 and high <= limit)
    assert (found is Verdict.FAIL) == (n >= 30 and low > limit)


def test_target_with_two_bounds_fails_on_either_side() -> None:
    band = Target(0.75, 0.85, "a test")
    assert judge(Figure(0.7, 0.68, 0.72, 500), band, 30) is Verdict.FAIL
    assert judge(Figure(0.9, 0.88, 0.92, 500), band, 30) is Verdict.FAIL
    assert judge(Figure(0.8, 0.78, 0.82, 500), None, 30) is Verdict.NO_TARGET


def test_intervals_are_those_of_plain_resampling(problem: Problem) -> None:
    scored = scored_sales(300)
    table = scored.priced.sort_values("intake_row")
    price, estimate = table["sale_price"].to_numpy(), table["estimate"].to_numpy()
    size = np.abs(estimate / price - 1)
    draws = np.random.default_rng(scored.terms.seed).integers(0, len(table), (300, len(table)), dtype=np.int32)
    explained = [
        1 - ((price[rows] - estimate[rows]) ** 2).sum() / ((price[rows] - price[rows].mean()) ** 2).sum()
        for rows in draws
    ]
    expected = {
        "mape": [size[rows].mean() for rows in draws],
        "mdape": [np.median(size[rows]) for rows in draws],
        "ppe10": [(size[rows] <= 0.10).mean() for rows in draws],
        "r_squared": explained,
    }
    found = headline(scored, problem)
    assert found is not None
    for name, sampled in expected.items():
        figure = found.line(name).figure
        assert (figure.low, figure.high) == pytest.approx(tuple(np.percentile(sampled, [2.5, 97.5])), abs=1e-9), name


def test_order_of_rows_changes_nothing(problem: Problem) -> None:
    scored = scored_sales(200)
    shuffled = ScoredSales(scored.terms, scored.table.sample(frac=1.0, random_state=3))
    assert headline(shuffled, problem) == headline(scored, problem)


def test_model_nearer_than_the_baseline_and_farther_than_the_list_price(problem: Problem) -> None:
    found = headline(scored_sales(1_000), problem)
    assert found is not None
    rivals = {one.name: one for one in found.rivals}
    assert rivals["linear baseline"].verdict is Verdict.PASS
    assert rivals["list price"].verdict is Verdict.FAIL
    assert rivals["list price"].saved.n < rivals["linear baseline"].saved.n


def test_rival_without_prices_is_left_out(problem: Problem) -> None:
    scored = scored_sales(200)
    alone = ScoredSales(scored.terms, scored.table.assign(list_price=np.nan, baseline=np.nan))
    found = headline(alone, problem)
    assert found is not None
    assert found.rivals == ()


def test_sales_none_of_which_was_priced_have_a_hit_rate_only(problem: Problem) -> None:
    scored = scored_sales(50)
    assert headline(ScoredSales(scored.terms, scored.table.assign(priced=False)), problem) is None
    assert headline(scored.of(scored.table["sale_price"] < 0), problem) is None


def test_the_sales_without_a_price_are_counted_by_reason(problem: Problem) -> None:
    scored = scored_sales(50)
    assert unpriced_words(ScoredSales(scored.terms, scored.table.assign(priced=True, withheld=""))) == ""
    why = ["Living area is missing."] * 4 + ["Too wide."] * 3 + ["No area."] * 2 + [""] * 41
    table = scored.table.assign(withheld=why, priced=[not one for one in why])
    assert unpriced_words(ScoredSales(scored.terms, table)).startswith(
        "9 of 50 sales got no price: Living area is missing (4); Too wide (3); other reasons (2). "
    )


def test_single_sale_proves_nothing(problem: Problem) -> None:
    scored = scored_sales(200)
    found = headline(scored.of(scored.table.index == scored.priced.index[0]), problem)
    assert found is not None
    judged = {line.verdict for line in found.lines}
    assert judged == {Verdict.INCONCLUSIVE, Verdict.NO_TARGET}


def test_target_comes_from_the_problem_statement(problem: Problem) -> None:
    strict = replace(problem, success=replace(problem.success, target_mape=0.01))
    found = headline(scored_sales(500), strict)
    assert found is not None
    assert found.line("mape").verdict is Verdict.FAIL
    assert "target_mape" in (found.line("mape").target or at_most(0, "")).source
    with pytest.raises(KeyError):
        found.line("rmse")


def test_a_rival_that_is_closer_is_said_to_be_with_its_interval_turned_round() -> None:
    nearer = Rival("linear baseline", 0.089, 0.127, Figure(0.039, 0.030, 0.046, 740), Verdict.PASS)
    assert nearer.apart == "closer by 3.9 points (+3.0 to +4.6)"
    farther = Rival("list price", 0.125, 0.034, Figure(-0.091, -0.103, -0.08, 136), Verdict.FAIL)
    assert farther.apart == "farther by 9.1 points (+8.0 to +10.3)"


@pytest.mark.parametrize(
    ("held", "verdict"),
    [
        (Figure(0.688, 0.619, 0.768, 138), Verdict.FAIL),
        (Figure(0.79, 0.76, 0.82, 805), Verdict.PASS),
        (Figure(0.76, 0.70, 0.81, 200), Verdict.INCONCLUSIVE),
        (Figure(0.92, 0.88, 0.95, 300), Verdict.FAIL),
        (Figure(0.2, 0.02, 0.5, 5), Verdict.INCONCLUSIVE),
    ],
)
def test_a_range_that_holds_surely_fewer_sales_than_it_states_fails_on_every_screen(
    held: Figure, verdict: Verdict, problem: Problem
) -> None:
    assert range_verdict(held, 0.8, problem) is verdict
    assert is_short(held, 0.8, problem) is (verdict is Verdict.FAIL and held.value < 0.8)
    assert is_range_off(held, 0.8, problem) is (verdict is Verdict.FAIL)
