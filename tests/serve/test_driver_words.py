"""Sentences about drivers: what an agent can read out to a seller, with the right numbers, signs and units."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.serve.ask_next import AskNext
from core.serve.driver_words import sentence, sentences, what_moves
from core.serve.drivers import Difference, Driver, Drivers
from core.serve.fact_groups import FactGroup
from core.serve.words import ask_next_words


@dataclass(frozen=True)
class Market:
    currency: str
    area_unit: str


US = Market("USD", "sqft")
METRIC = Market("CHF", "sqm")
PLACE = "zipcode 98103"


def said(group: FactGroup, amount: float, *facts: Difference, market: Market = US, area: str = PLACE) -> str:
    return sentence(Driver(group, amount, facts), area, market)


def told_of(drivers: Drivers, unit: float = 1.0) -> tuple[str, ...]:
    return sentences(drivers, drivers.main_steps(lambda amount: unit * round(amount / unit)), US)


def test_a_rise_in_assessed_value_is_a_reason_only_where_it_is_a_sign_of_renovation() -> None:
    built = Difference("year_built", 1912.0, 1950.0)
    rise = Difference("assessed_rise", 18.2, 0.0)
    assert said(FactGroup.AGE, 12_000.0, rise) == (
        "Its rise in assessed value (18% more than usual in the area, a sign of renovation) adds about $12K."
    )
    assert said(FactGroup.AGE, 12_000.0, built, rise) == (
        "Its construction in 1912 (1950 is usual here) and rise in assessed value (18% more than usual in the area, a "
        "sign of renovation) add about $12K."
    )
    usual = Difference("assessed_rise", -1.0, 0.0)
    assert (
        said(FactGroup.AGE, 64_000.0, built, usual) == "Its construction in 1912 (1950 is usual here) adds about $64K."
    )
    assert "assessed" not in said(FactGroup.AGE, -2_000.0, usual)


@pytest.mark.parametrize(
    ("group", "amount", "facts", "words"),
    [
        (
            FactGroup.SIZE,
            61_204.0,
            (Difference("living_area_sqft", 2_400.0, 1_850.0),),
            "Its 2,400 sq ft, 550 more than usual here, add about $61K.",
        ),
        (
            FactGroup.SIZE,
            -40_100.0,
            (Difference("living_area_sqft", 1_200.0, 1_850.0),),
            "Its 1,200 sq ft, 650 less than usual here, take off about $40K.",
        ),
        (
            FactGroup.ROOMS,
            -9_500.0,
            (Difference("bathrooms", 1.0, 2.5),),
            "Its 1 bathroom, 1.5 less than usual here, takes off about $9.5K.",
        ),
        (
            FactGroup.ROOMS,
            12_000.0,
            (Difference("bedrooms", 4.0, 3.0), Difference("bathrooms", 2.5, 2.0)),
            "Its 4 bedrooms (1 more than usual here) and 2.5 bathrooms (0.5 more than usual here) add about $12K.",
        ),
        (
            FactGroup.QUALITY,
            27_000.0,
            (Difference("condition", 4.0, 3.0),),
            "Its condition rated 4 of 5 (3 is usual here) adds about $27K.",
        ),
        (
            FactGroup.AGE,
            19_000.0,
            (Difference("year_built", 1939.0, 1965.0), Difference("year_renovated", 2015.0, None)),
            "Its construction in 1939 (1965 is usual here) and renovation in 2015 (most here never were) add about "
            "$19K.",
        ),
        (
            FactGroup.KIND,
            -20_000.0,
            (Difference("property_type", "townhouse", "single_family"),),
            "Its property type townhouse (single family is usual here) takes off about $20K.",
        ),
        (FactGroup.PLOT, 90_000.0, (Difference("waterfront", 1.0, 0.0),), "Its waterfront adds about $90K."),
        (FactGroup.PLOT, -5_000.0, (Difference("view", 0.0, None),), "Its lack of a view takes off about $5K."),
        (
            FactGroup.PLOT,
            8_000.0,
            (Difference("view", 1.0, 0.0),),
            "Its view rated 1 of 4 (most here have none) adds about $8K.",
        ),
        (
            FactGroup.PLACE,
            -36_000.0,
            (Difference("latitude", 47.6, 47.5),),
            "Its spot within zipcode 98103 takes off about $36K.",
        ),
        (
            FactGroup.PLACE,
            8_000.0,
            (Difference("walk_score", 88.0, 70.0),),
            "Its spot within zipcode 98103, with walk score 88 (70 is usual here), adds about $8K.",
        ),
        (FactGroup.AGE, -11_000.0, (), "What is assumed about its age and renovation takes off about $11K."),
    ],
)
def test_a_driver_is_said_as_an_agent_would_say_it(
    group: FactGroup, amount: float, facts: tuple[Difference, ...], words: str
) -> None:
    assert said(group, amount, *facts) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (
            14_000.0,
            "By its facts alone it would be about $386K today. Its own earlier sale on Mar 5, 2013 adds about $14K: "
            "homes with such a sale behind them brought more than their facts say when they were sold again.",
        ),
        (
            -42_000.0,
            "By its facts alone it would be about $442K today. Its own earlier sale on Mar 5, 2013 takes off about "
            "$42K: homes with such a sale behind them brought less than their facts say when they were sold again.",
        ),
    ],
)
def test_its_own_sale_is_said_last_beside_the_price_of_the_facts_alone(amount: float, words: str) -> None:
    own = Driver(FactGroup.OWN_SALE, amount, (Difference("own_sale_day", "2013-03-05", None),))
    size = Driver(FactGroup.SIZE, 9_000.0, (Difference("living_area_sqft", 1_900.0, 1_800.0),))
    tiny = Driver(FactGroup.ROOMS, 10.0, (Difference("bathrooms", 2.0, 1.0),))
    found = told_of(Drivers("zipcode 98103", 30, 390_990.0 - amount, (own, size, tiny), 0.0, 400_000.0))
    assert found[-2:] == (words, "So this home is estimated at about $400K.")
    assert found[-3] == "Its other facts make little difference.", "the own sale is no fact, and follows"


def test_a_fact_that_works_against_the_amount_is_said_to_and_no_garage_is_no_number() -> None:
    lot, no_garage = Difference("lot_area_sqft", 6_120.0, 5_000.0), Difference("garage_spaces", 0.0, 0.5)
    assert said(FactGroup.PLOT, 50_000.0, lot, no_garage) == (
        "Its lot area of 6,120 sq ft, 1,120 more than usual here, adds about $50K, despite no garage."
    )
    assert said(FactGroup.PLOT, -8_000.0, lot, no_garage) == (
        "Its lack of a garage takes off about $8K, despite its lot area of 6,120 sq ft (1,120 more than usual here)."
    )
    assert said(FactGroup.PLOT, -8_000.0, no_garage) == "Its lack of a garage takes off about $8K."
    assert said(FactGroup.PLOT, 8_000.0, no_garage) == "Its lack of a garage adds about $8K."


def test_a_metric_market_hears_its_own_units_and_currency() -> None:
    area = Difference("living_area_sqft", 156 * 10.7639, 120 * 10.7639)
    assert said(FactGroup.SIZE, 61_000.0, area, market=METRIC) == (
        "Its 156 m², 36 more than usual here, add about CHF\u00a061K."
    )
    lot = Difference("lot_area_sqft", 500 * 10.7639, 400 * 10.7639)
    assert said(FactGroup.PLOT, 3_000.0, lot, market=METRIC) == (
        "Its lot area of 500 m², 100 more than usual here, adds about CHF\u00a03K."
    )


def test_where_no_area_is_known_the_location_is_not_within_one() -> None:
    assert said(FactGroup.PLACE, 5_000.0, area="the market") == "Its location adds about $5K."


def test_small_amounts_are_said_together() -> None:
    items = (
        Driver(FactGroup.SIZE, 60_000.0, (Difference("living_area_sqft", 2_400.0, 1_850.0),)),
        Driver(FactGroup.ROOMS, -900.0, (Difference("bedrooms", 3.0, 4.0),)),
        Driver(FactGroup.OTHER, 300.0, ()),
    )
    told = told_of(Drivers(PLACE, 412, 440_000.0, items, 600.0, 500_000.0), 1_000.0)
    assert told == (
        "A typical home in zipcode 98103 is estimated at about $440K.",
        "Its 2,400 sq ft, 550 more than usual here, add about $60K.",
        "Everything else makes little difference.",
        "So this home is estimated at about $500K.",
    )


def test_the_words_name_the_amounts_of_the_chart() -> None:
    """The chart rounds to its unit, and its largest step takes what rounding leaves."""
    plot = Driver(FactGroup.PLOT, 36_100.0, (Difference("garage_spaces", 2.0, 1.0),))
    rooms = Driver(FactGroup.ROOMS, -4_480.0, (Difference("bedrooms", 2.0, 3.0),))
    drivers = Drivers(PLACE, 412, 484_100.0, (plot, rooms), -720.0, 515_000.0)
    _, first, second, _ = told_of(drivers, 1_000.0)
    assert first.endswith("add about $35K.")
    assert second.endswith("take off about $4K.")


AMOUNT = st.floats(-1e7, 1e7).map(round).map(float)
VALUE = st.one_of(st.none(), st.floats(0, 1e5))


@given(
    group=st.sampled_from(FactGroup), amount=AMOUNT, subject=VALUE, typical=VALUE, market=st.sampled_from([US, METRIC])
)
def test_every_driver_makes_one_sentence_whose_verb_tells_the_sign(
    group: FactGroup, amount: float, subject: float | None, typical: float | None, market: Market
) -> None:
    for name in ("living_area_sqft", "bedrooms", "condition", "year_renovated", "waterfront", "x_income"):
        words = said(group, amount, Difference(name, subject, typical), market=market)
        assert words.startswith("Its ")
        assert words.endswith(".")
        assert ("take" in words) == (amount < 0)
        assert "None" not in words
        assert "nan" not in words


def test_a_typical_home_is_called_one() -> None:
    [told] = told_of(Drivers(PLACE, 412, 440_484.0, (), -484.0, 440_000.0))
    assert told == f"It is priced as a typical home in {PLACE}, at about $440K: no known fact sets it apart."


def test_what_to_find_out_is_named_as_the_form_names_it() -> None:
    asked = [AskNext(name, 0.6, 0.58) for name in ("x_regionname", "year_built", "coordinates")]
    assert [one.partition(" (from")[0] for one in ask_next_words(asked)] == [
        "Regionname",
        "year built",
        "exact place by coordinates",
    ]


def test_what_moves_a_home_most_is_named_by_the_facts_that_differ() -> None:
    lot, view = Difference("lot_area_sqft", 9_000.0, 6_000.0), Difference("view", 0.0, 1.0)
    garage = Difference("garage_spaces", 2.0, 1.0)
    assert what_moves(Driver(FactGroup.PLOT, 9_000.0, (lot,))) == "lot area"
    assert what_moves(Driver(FactGroup.PLOT, 9_000.0, (lot, view))) == "lot area", "no view works against it"
    assert what_moves(Driver(FactGroup.PLOT, 9_000.0, (lot, garage))) == "lot area and garage spaces"
    assert what_moves(Driver(FactGroup.PLOT, 9_000.0, ())) == "lot, garage and view"
    assert what_moves(Driver(FactGroup.OWN_SALE, 9_000.0, ())) == "own earlier sale"
    near = Difference("latitude", 47.6, 47.5)
    assert what_moves(Driver(FactGroup.PLACE, 9_000.0, (near,))) == "location"
