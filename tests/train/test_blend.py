"""The blend's trees are as large as the sales they learn from allow, and no home changes the estimate of another."""

from __future__ import annotations

import numpy as np
import pytest

from core.train.blend import BlendedBoosting


@pytest.mark.parametrize(("sales", "asked", "most"), [(1_500, 31, 8), (3_000, 31, 15), (7_000, 31, 31), (7_000, 9, 9)])
def test_trees_have_fewer_leaves_where_sales_are_few(sales: int, asked: int, most: int) -> None:
    rng = np.random.default_rng(7)
    facts = np.column_stack([rng.uniform(500, 4_000, sales), rng.uniform(0, 10, (sales, 4))])
    log_price = 12 + np.sin(facts[:, 0] / 200) * np.cos(facts[:, 1]) + facts[:, 2:] @ [0.1, -0.1, 0.2]
    columns = ("living_area_sqft", "a", "b", "c", "d")
    blend = BlendedBoosting(columns, n_estimators=5, num_leaves=asked).fit(facts, log_price)
    trees = [tree for one in blend.members_ for tree in one.booster.dump_model()["tree_info"]]
    assert max(tree["num_leaves"] for tree in trees) == most


def test_a_home_that_comes_several_times_has_the_estimate_it_has_alone() -> None:
    rng = np.random.default_rng(7)
    facts = np.column_stack([rng.uniform(500, 4_000, 500), rng.uniform(0, 10, (500, 2))])
    blend = BlendedBoosting(("living_area_sqft", "a", "b"), n_estimators=5).fit(facts, np.log(facts[:, 0]))
    again = rng.integers(0, 9, 40)
    alone = [blend.predict(facts[[row]])[0] for row in again]
    assert blend.predict(facts[again]).tolist() == alone
