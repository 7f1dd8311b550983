"""The nearest sales found are those that may speak for a home, however many are looked at to find them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.prepare.features.neighbours import NeighbourIndex, Rule

COUNT = 4
SALES = 60


def sold(seed: int) -> tuple[NeighbourIndex, np.random.Generator]:
    """Sales on a coarse grid, so that many lie equally far from a home, on days 0 to 99."""
    rng = np.random.default_rng(seed)
    places = rng.integers(0, 6, (SALES, 2)).astype(float)
    return NeighbourIndex(places, np.arange(SALES), rng.integers(0, 100, SALES).astype(float)), rng


@given(seed=st.integers(0, 2**32 - 1))
def test_after_the_last_sale_the_nearest_of_all_others_are_found(seed: int) -> None:
    index, rng = sold(seed)
    homes, own = rng.uniform(0, 6, (9, 2)), np.array([-1] * 5 + [0, 7, 20, 59])
    homes[5:] = index.tree.data[own[5:]]
    nearest = index.nearest(homes, np.full(9, 100.0), own, Rule.EARLIER, COUNT)
    assert nearest.allowed.all()
    assert not (nearest.position == own[:, None]).any()
    distance = np.linalg.norm(homes[:, None] - index.tree.data[None], axis=2)
    distance[np.arange(5, 9), own[5:]] = np.inf
    np.testing.assert_allclose(nearest.distance, np.sort(distance, axis=1)[:, :COUNT])


@given(seed=st.integers(0, 2**32 - 1))
def test_a_home_has_the_same_neighbours_alone_and_among_homes_of_other_dates(seed: int) -> None:
    index, rng = sold(seed)
    homes, days, own = rng.integers(0, 6, (12, 2)).astype(float), rng.uniform(0, 130, 12), np.full(12, -1)
    together = index.nearest(homes, days, own, Rule.EARLIER, COUNT)
    for row in range(12):
        alone = index.nearest(homes[[row]], days[[row]], own[[row]], Rule.EARLIER, COUNT)
        np.testing.assert_array_equal(alone.position[0], together.position[row])
        np.testing.assert_array_equal(alone.distance[0], together.distance[row])
        np.testing.assert_array_equal(alone.allowed[0], together.allowed[row])
    assert (index.days[together.position] < days[:, None])[together.allowed].all()


@given(seed=st.integers(0, 2**32 - 1), day=st.integers(0, 101))
def test_all_earlier_sales_can_be_found_however_far(seed: int, day: int) -> None:
    index, rng = sold(seed)
    place = rng.uniform(0, 6, 2)
    found, distance = index.earlier(place, float(day), COUNT)
    before = np.flatnonzero(index.days < day)
    assert len(set(found)) == len(found) == min(COUNT, len(before))
    assert (index.days[found] < day).all()
    expected = np.sort(np.linalg.norm(index.tree.data[before] - place, axis=1))[:COUNT]
    assert distance == pytest.approx(expected)
