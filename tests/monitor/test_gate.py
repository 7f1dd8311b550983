"""The gate passes what is better, stops what harms anyone, and never lets two models beat each other."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.measures import mdape
from core.monitor.gate import Answers, CheckVerdict, Gate, GateVerdict, gate
from core.problem import Problem

SEED = 5


def answers(price: np.ndarray, error: np.ndarray, width: float = 0.128) -> Answers:
    """Answers off by log errors; 0.128 each side holds 80 % where errors have sd 0.10."""
    point = price * np.exp(error)
    return Answers(point, point * np.exp(-width), point * np.exp(width))


def market(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(12.9, 0.5, n)), rng.normal(0, 0.10, n), rng


def held(n: int, problem: Problem, change: float, seed: int = 1, segments: dict[str, np.ndarray] | None = None) -> Gate:
    """The gate on a challenger whose errors are ``change`` times the champion's, beside some noise of its own."""
    price, error, rng = market(n, seed)
    other = error * change + rng.normal(0, 0.02, n)
    width = 0.128 * np.hypot(change, 0.2)
    return gate(price, answers(price, error), answers(price, other, width), segments or {}, problem, SEED)


def test_a_better_challenger_passes(problem: Problem) -> None:
    found = held(600, problem, 0.7)
    assert found.verdict is GateVerdict.PASS
    assert {one.name for one in found.checks} == {"mdape", "mape", "ppe10", "cod", "bias", "coverage"}
    assert "The challenger is better: Median error (MdAPE) " in found.words
    assert "600 sales" in found.words
    first = found.checks[0]
    assert first.champion > first.challenger
    assert first.difference.value == pytest.approx(first.challenger - first.champion)
    assert first.difference.high < 0


def test_a_worse_challenger_fails(problem: Problem) -> None:
    found = held(600, problem, 1.4)
    assert found.verdict is GateVerdict.FAIL
    assert found.words.startswith("The challenger is worse")


@pytest.mark.parametrize("n", [99, 100, 3_000])
def test_the_same_answers_twice_are_never_better(problem: Problem, n: int) -> None:
    price, error, _ = market(n, 1)
    same = answers(price, error)
    found = gate(price, same, same, {"area": np.array(["a", "b"])[np.arange(n) % 2]}, problem, SEED)
    assert found.verdict is GateVerdict.INCONCLUSIVE
    assert all(one.verdict is CheckVerdict.NEITHER for one in (*found.checks, *found.segments))
    assert "promote with a reason" in found.words


def test_few_sales_are_inconclusive_whatever_they_say(problem: Problem) -> None:
    found = held(99, problem, 0.1)
    assert (found.verdict, found.n) == (GateVerdict.INCONCLUSIVE, 99)
    assert "99 sales priced by both models are too few to tell them apart; 100 are needed" in found.words


def test_a_segment_that_is_materially_worse_stops_it(problem: Problem) -> None:
    price, error, rng = market(1_000, 3)
    area = rng.choice([f"a{place}" for place in range(10)], 1_000)
    other = error * 0.6 + (area == "a3") * 0.12
    found = gate(price, answers(price, error), answers(price, other, 0.08), {"area": area}, problem, SEED)
    assert found.checks[0].verdict is CheckVerdict.BETTER
    assert found.verdict is GateVerdict.FAIL
    assert (found.segments[0].segment, found.segments[0].verdict) == ("a3", CheckVerdict.WORSE)
    assert "area a3" in found.words
    # The same harm in a segment too small to be sure of does not.
    few = np.where(np.arange(1_000) < 29, "few", "rest")
    harmed = error * 0.6 + (few == "few") * 0.12
    passed = gate(price, answers(price, error), answers(price, harmed, 0.08), {"area": few}, problem, SEED)
    assert passed.verdict is GateVerdict.PASS
    assert [one.segment for one in passed.segments] == ["rest"]


def test_chance_in_many_segments_stops_nothing(problem: Problem) -> None:
    rng = np.random.default_rng(2)
    agent_decisions = []
    for seed in range(20):
        labels = {f"by{place}": rng.integers(0, 10, 600).astype(str) for place in range(5)}
        agent_decisions.append(held(600, problem, 0.75, seed, labels).verdict)
    assert set(agent_decisions) == {GateVerdict.PASS}


def test_a_range_that_lost_its_coverage_stops_it(problem: Problem) -> None:
    price, error, _ = market(1_000, 4)
    narrow = answers(price, error * 0.7, 0.02)
    found = gate(price, answers(price, error), narrow, {}, problem, SEED)
    assert found.verdict is GateVerdict.FAIL
    assert [one.name for one in found.checks if one.verdict is CheckVerdict.WORSE] == ["coverage"]
    assert "does not pass. Worse beyond the margin: Range held, how far from 80%" in found.words
    [coverage] = [one for one in found.checks if one.name == "coverage"]
    inside = [float(np.mean((price >= one.low) & (price <= one.high))) for one in (answers(price, error), narrow)]
    assert coverage.held == pytest.approx(tuple(inside))
    assert coverage.challenger == pytest.approx(abs(inside[1] - 0.8))


def test_a_challenger_that_prices_fewer_homes_is_stopped(problem: Problem) -> None:
    price, error, _ = market(1_000, 4)
    fewer = answers(price, error * 0.7, 0.09)
    fewer.point[:100] = np.nan
    found = gate(price, answers(price, error), fewer, {}, problem, SEED)
    assert found.n == 900
    assert found.verdict is GateVerdict.FAIL
    assert [one.name for one in found.checks if one.verdict is CheckVerdict.WORSE] == ["hit_rate"]


def test_the_figures_are_those_of_the_measures(problem: Problem) -> None:
    price, error, rng = market(500, 6)
    old, new = answers(price, error), answers(price, rng.normal(0.02, 0.1, 500))
    checks = {one.name: one for one in gate(price, old, new, {}, problem, SEED).checks}
    assert checks["mdape"].champion == pytest.approx(mdape(old.point, price))
    ratio = new.point / price
    median = np.median(ratio)
    assert checks["cod"].challenger == pytest.approx(100 * np.abs(ratio - median).mean() / median)
    assert checks["bias"].challenger == pytest.approx(abs(median - 1))
    inside = np.mean((price >= new.low) & (price <= new.high))
    assert checks["coverage"].challenger == pytest.approx(abs(inside - problem.estimate.level))
    tolerance = checks["ppe10"]
    assert tolerance.difference.value == pytest.approx(tolerance.challenger - tolerance.champion)
    assert tolerance.difference.low <= tolerance.difference.value <= tolerance.difference.high


@given(st.integers(0, 10_000), st.integers(100, 250), st.floats(0.5, 2.0), st.floats(-0.1, 0.1))
@settings(max_examples=25)
def test_two_models_never_beat_each_other(problem: Problem, seed: int, n: int, change: float, shift: float) -> None:
    price, error, rng = market(n, seed)
    first, second = answers(price, error), answers(price, error * change + shift + rng.normal(0, 0.02, n))
    area = {"area": rng.integers(0, 3, n).astype(str)}
    there, back = gate(price, first, second, area, problem, SEED), gate(price, second, first, area, problem, SEED)
    assert not there.verdict is back.verdict is GateVerdict.PASS
    for one, other in zip(there.checks, back.checks, strict=True):
        assert one.difference.value == pytest.approx(-other.difference.value)
        assert one.difference.low == pytest.approx(-other.difference.high)


@given(st.integers(0, 10_000), st.integers(-10, 10))
@settings(max_examples=15)
def test_another_currency_changes_nothing(problem: Problem, seed: int, power: int) -> None:
    price, error, rng = market(150, seed)
    first, second = answers(price, error), answers(price, error * 0.8 + rng.normal(0, 0.02, 150))
    scale = 2.0**power

    def scaled(one: Answers) -> Answers:
        return Answers(one.point * scale, one.low * scale, one.high * scale)

    plain = gate(price, first, second, {}, problem, SEED)
    assert gate(price * scale, scaled(first), scaled(second), {}, problem, SEED) == plain


def test_answers_of_other_sales_are_refused(problem: Problem) -> None:
    price, error, _ = market(200, 1)
    good = answers(price, error)
    with pytest.raises(ValueError, match=r"challenger low \(199,\) must have the shape of the sales' prices"):
        gate(price, good, dataclasses.replace(good, low=good.low[1:]), {}, problem, SEED)
    with pytest.raises(ValueError, match="segments by area"):
        gate(price, good, good, {"area": ["a"]}, problem, SEED)
    with pytest.raises(ValueError, match="finite and positive"):
        gate(-price, good, good, {}, problem, SEED)
