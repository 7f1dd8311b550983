"""The blend's trees are as large as the sales they learn from allow."""

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
