"""The proposed scope is what the evidence proves, in words a manager signs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.evaluate.scope import (
    GoverningScope,
    ScopeBasis,
    carried_scope,
    is_enough_for_a_scope,
    left_out_words,
    propose_scope,
    supports,
)
from core.evaluate.scored_sales import ScoredSales
from core.problem import Problem
from tests.evaluate.scored_sales import scored_sales


def with_error(scored: ScoredSales, size: np.ndarray) -> ScoredSales:
    """The same sales with errors of that size, alternately to both sides."""
    sides = np.where(np.arange(len(scored.table)) % 2, 1.0, -1.0)
    table = scored.table
    return ScoredSales(scored.terms, table.assign(sale_price=table["estimate"] / (1 + sides * size)))


def test_range_where_the_model_is_good_is_proposed(problem: Problem) -> None:
    scored = scored_sales(3_000)
    estimate = scored.table["estimate"].to_numpy()
    good = (estimate > 200_000) & (estimate < 700_000)
    found = propose_scope(with_error(scored, np.where(good, 0.06, 0.25)), problem)
    assert found.found
    assert 200_000 <= found.low < 260_000
    assert 560_000 < found.high <= 720_000
    assert found.inside.high <= found.target < found.outside.value
    assert found.inside.n + found.outside.n == len(scored.priced)
    assert "Use it for estimates from $2" in found.words
    assert "review the rest" in found.words
    chosen = supports(with_error(scored, np.where(good, 0.06, 0.25)), found.low, found.high, problem)
    assert chosen.inside.value == pytest.approx(found.inside.value, abs=1e-3)


def test_good_bands_do_not_carry_a_bad_one(problem: Problem) -> None:
    scored = scored_sales(3_000)
    estimate = scored.table["estimate"].to_numpy()
    hole = (estimate > 340_000) & (estimate < 400_000)
    found = propose_scope(with_error(scored, np.where(hole, 0.2, 0.03)), problem)
    assert found.inside.value < 0.05
    assert not (found.low < 345_000 and found.high > 395_000)


def test_the_average_of_many_homes_proves_nothing_of_parts_that_surely_miss_or_that_no_sale_reaches(
    problem: Problem,
) -> None:
    scored = scored_sales(3_000)
    estimate = scored.table["estimate"].to_numpy()
    dear, condo = estimate > 650_000, (scored.table["property_type"] == "condo").to_numpy()
    missing = with_error(scored, np.where(dear, 0.2, 0.05))
    chosen = supports(missing, 10_000.0, 50e6, problem)
    assert chosen.inside.high < chosen.target, "the average carries it"
    [prices] = chosen.missed
    assert prices.startswith("$600K to $50M (17.1% for ")
    assert "sales, at least 1" in prices
    assert chosen.untested == "below $59K or above $2M"
    low, high = estimate.min(), estimate.max()
    inside = supports(missing, float(low), float(high), problem)
    assert (inside.missed != (), inside.untested) == (True, "")
    cheap = supports(missing, float(low), 600_000.0, problem)
    assert (cheap.missed, cheap.untested) == ((), "")
    assert all(
        one.startswith("condo (") for one in supports(with_error(scored, 0.04 + 0.1 * condo), low, high, problem).missed
    )
    found = propose_scope(missing, problem)
    again = supports(missing, found.low, found.high, problem, found.types_left_out, found.areas_left_out)
    assert (again.missed, again.untested) == ((), ""), "what the test proposes, it proves"


def test_a_scope_of_few_sales_counts_them_instead_of_an_interval(problem: Problem) -> None:
    scored = with_error(scored_sales(500), np.full(500, 0.05))
    dearest = float(scored.table["estimate"].max())
    alone = supports(scored, dearest, 2 * dearest, problem)
    assert "(only 1 test sale, mean error 5.0%); review the rest" in alone.words


def test_model_that_misses_everywhere_is_not_to_be_deployed(problem: Problem) -> None:
    scored = scored_sales(500)
    found = propose_scope(with_error(scored, np.full(500, 0.2)), problem)
    assert not found.found
    assert found.words.startswith("Do not deploy without review")
    assert found.outside.n == len(scored.priced)


def test_good_model_is_deployed_whole_and_a_few_sales_prove_nothing(problem: Problem) -> None:
    scored = scored_sales(500)
    whole = propose_scope(with_error(scored, np.full(500, 0.04)), problem)
    assert whole.share == 1.0
    assert "no test sale was estimated outside" in whole.words
    few = scored_sales(20)
    assert not propose_scope(with_error(few, np.full(20, 0.04)), problem).found
    assert not propose_scope(scored.of(scored.table["sale_price"] < 0), problem).found


def test_types_and_areas_that_surely_miss_the_target_are_left_out_first(problem: Problem) -> None:
    scored = scored_sales(3_000)
    table = scored.table
    condo, far = (table["property_type"] == "condo").to_numpy(), (table["zipcode"] == "98007").to_numpy()
    found = propose_scope(with_error(scored, np.where(condo | far, 0.3, 0.05)), problem)
    assert (found.types_left_out, found.areas_left_out) == (("condo",), ("98007",))
    assert found.inside.high <= found.target < found.outside.value
    assert found.inside.n + found.outside.n == len(scored.priced)
    assert found.words.endswith("No price for condo and 98007.")
    everywhere = supports(with_error(scored, np.full(3_000, 0.05)), found.low, found.high, problem)
    assert not everywhere.types_left_out
    assert found.share < everywhere.share


def test_a_scope_says_what_it_rests_on() -> None:
    scope = GoverningScope(200_000, 1_200_000, ScopeBasis.PROPOSED, ("condo",), ("98007", "98012"))
    assert scope.words("USD") == "$200K to $1.2M, without condo, 98007 and 98012 (" + (
        "unsigned: until it is signed, homes left out get a price for review)"
    )
    assert replace(scope, basis=ScopeBasis.SIGNED).words("USD").endswith("(signed)")
    assert scope.agent_words("USD") == (
        "Shown to be accurate enough for prices from $200K to $1.2M, beyond not yet (unsigned). "
        "A price needs review for: condo, 98007 and 98012."
    )
    signed = replace(scope, basis=ScopeBasis.SIGNED)
    assert signed.agent_words("USD").startswith("Approved for prices from $200K to $1.2M; beyond")
    assert signed.agent_words("USD").endswith("a price needs review. No price for: condo, 98007 and 98012.")
    everywhere = replace(scope, basis=ScopeBasis.DEFAULT, types_left_out=(), areas_left_out=())
    assert everywhere.agent_words("USD") == ("Standard prices run from $200K to $1.2M; beyond, a price needs review.")
    assert left_out_words((), tuple(str(98_000 + place) for place in range(9))).endswith("98004 and 4 more areas")
    assert left_out_words((), ()) == ""


BEFORE = GoverningScope(120_000, 1_500_000, ScopeBasis.SIGNED, ("houseboat",), ("98003",))


def test_a_small_test_that_meets_the_target_keeps_the_scope_of_the_model_before(problem: Problem) -> None:
    scored = with_error(scored_sales(45), np.full(45, 0.09))
    assert not is_enough_for_a_scope(scored, problem)
    assert carried_scope(BEFORE, scored, problem) == replace(BEFORE, basis=ScopeBasis.CARRIED)


def test_a_small_test_takes_from_the_scope_what_it_disproves(problem: Problem) -> None:
    scored = scored_sales(400)
    dear = (scored.table["estimate"] > 500_000).to_numpy()
    found = carried_scope(BEFORE, with_error(scored, np.where(dear, 0.3, 0.05)), problem)
    assert found is not None
    assert found.low == BEFORE.low
    assert 400_000 <= found.high <= 600_000
    cheap = (scored.table["estimate"] < 220_000).to_numpy()
    found = carried_scope(BEFORE, with_error(scored, np.where(cheap, 0.25, 0.05)), problem)
    assert found is not None
    assert 180_000 <= found.low <= 260_000
    assert found.high == BEFORE.high
    condo = (scored.table["property_type"] == "condo").to_numpy()
    found = carried_scope(BEFORE, with_error(scored, np.where(condo, 0.3, 0.05)), problem)
    assert found is not None
    assert found.types_left_out == ("condo", "houseboat")
    assert carried_scope(BEFORE, with_error(scored, np.full(400, 0.3)), problem) is None


def test_a_test_of_twenty_bands_draws_its_own_scope(problem: Problem) -> None:
    assert is_enough_for_a_scope(scored_sales(3_000), problem)
