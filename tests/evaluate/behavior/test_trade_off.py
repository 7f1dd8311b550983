"""The sizes of forest compared differ in nothing but their trees, on new cards and on those of earlier releases."""

from __future__ import annotations

from typing import Any

from core.evaluate.behavior.trade_off import forest_sizes_of, trade_off


def line(trees: int, depth: int, leaf: int, mape: float, rows: int = 6_000) -> dict[str, Any]:
    settings = f"n_estimators {trees}, min_samples_leaf {leaf}, max_depth {depth}"
    measured = {"mape": mape, "latency_ms": trees / 20, "size_bytes": trees * 80_000, "fit_seconds": trees / 50}
    return {"settings": settings, "trained_rows": rows, "trees": trees, "depth": depth, "leaf": leaf, **measured}


LINES = [line(150, 25, 2, 0.110), line(75, 25, 2, 0.112), line(200, 10, 2, 0.125), line(50, 25, 5, 0.119)]


def test_sizes_are_of_the_best_depth_and_leaf_fewest_trees_first() -> None:
    sizes = forest_sizes_of({"forest_search": LINES})
    assert [(one.trees, one.depth, one.leaf) for one in sizes] == [(75, 25, 2), (150, 25, 2)]
    said = trade_off(sizes)
    assert "75 trees instead of 150 has a higher error (11.20% versus 11.00%" in said
    assert "50% of the memory" in said
    assert "answers in 4 instead of 8 ms" in said
    assert "6,000 sales" in said
    noisy = [*LINES, {**line(200, 25, 2, 0.111), "latency_ms": 5.0}]
    assert "answers in" not in trade_off(forest_sizes_of({"forest_search": noisy}))


def test_cards_of_earlier_releases_are_read_from_their_words() -> None:
    old = [{name: value for name, value in one.items() if name not in ("trees", "depth", "leaf")} for one in LINES]
    assert forest_sizes_of({"forest_search": old}) == forest_sizes_of({"forest_search": LINES})


def test_nothing_to_compare_says_nothing() -> None:
    assert forest_sizes_of({}) == ()
    assert forest_sizes_of({"forest_search": LINES[:1]}) == ()
    assert forest_sizes_of({"forest_search": [LINES[0], line(75, 25, 2, 0.112, rows=3_000)]}) == ()
    assert trade_off(forest_sizes_of({"forest_search": [LINES[0], line(100, 25, 2, 0.111)]})) == ""
