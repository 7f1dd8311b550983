"""Drivers of many estimates summed up: what moves prices most, and which way."""

from __future__ import annotations

import pytest

from core.serve.drivers import Driver, Drivers
from core.serve.fact_groups import FactGroup
from core.workflows.models.driver_summary import summarised


def drivers(size: float, place: float | None) -> Drivers:
    """The drivers of an estimate of 200,000, some of which differs from a typical home in its area only."""
    items = [Driver(FactGroup.SIZE, size, ())]
    items += [] if place is None else [Driver(FactGroup.PLACE, place, ())]
    amounts = sum(driver.amount for driver in items)
    return Drivers("zipcode 98103", 40, 200_000.0 - amounts, tuple(items), 0.0, 200_000.0)


def test_the_group_that_moves_most_comes_first_and_absent_ones_count_as_nothing() -> None:
    size, place = summarised([drivers(20_000.0, -2_000.0), drivers(-10_000.0, None)])
    assert (size.group, place.group) == (FactGroup.SIZE, FactGroup.PLACE)
    assert size.size == pytest.approx(0.075)
    assert (size.adds, place.adds) == (0.5, 0.0)
    assert place.size == pytest.approx(0.005)
    assert (size.low, size.high) == pytest.approx((-0.035, 0.085))
    assert size.homes == place.homes == 2


def test_no_estimate_has_no_summary() -> None:
    assert summarised([]) == ()
