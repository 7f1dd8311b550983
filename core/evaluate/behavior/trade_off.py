"""The trade-off of forest sizes: what fewer trees cost in error and save in memory and time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.train.candidates import FOREST_SETTINGS, TREES_COMPARED
from core.wording import percent

_FIELDS: Final = ("mape", "latency_ms", "size_bytes", "fit_seconds", "trained_rows")
_ERROR_THAT_SHOWS: Final = 0.0005


@dataclass(frozen=True)
class ForestSize:
    """A forest of the search: its settings, error on validation sales (MAPE, a share), and its cost.

    ``latency_ms`` is the time of one estimate; ``trained_rows`` the sales it was fitted on, fewer than for the final
    model.
    """

    trees: int
    depth: int
    leaf: int
    mape: float
    latency_ms: float
    size_bytes: float
    fit_seconds: float
    trained_rows: int


def forest_sizes_of(card: Mapping[str, Any]) -> tuple[ForestSize, ...]:
    """Return a card's forests of the best depth and leaf size, fewest trees first; none if they cannot be compared."""
    lines = sorted(_lines(card), key=lambda one: one.mape)
    if not lines:
        return ()
    best = lines[0]
    same = [
        one for one in lines if (one.depth, one.leaf, one.trained_rows) == (best.depth, best.leaf, best.trained_rows)
    ]
    return tuple(sorted(same, key=lambda one: one.trees)) if len(same) > 1 else ()


def trade_off(sizes: tuple[ForestSize, ...]) -> str:
    """State what the smaller of the two standard forests costs and saves; "" if either is missing."""
    by_trees = {one.trees: one for one in sizes}
    if not all(trees in by_trees for trees in TREES_COMPARED):
        return ""
    small, large = (by_trees[trees] for trees in TREES_COMPARED)
    more = small.mape - large.mape
    error = "the same" if abs(more) < _ERROR_THAT_SHOWS else "a higher" if more > 0 else "a lower"
    memory = f"{percent(small.size_bytes / large.size_bytes)} of the memory"
    faster = f" and answers in {small.latency_ms:.0f} instead of {large.latency_ms:.0f} ms" if _is_steady(sizes) else ""
    return (
        f"A forest of {small.trees} trees instead of {large.trees} has {error} error ({percent(small.mape, 2)} versus "
        f"{percent(large.mape, 2)} of the price on validation sales){',' if faster else ' and'} takes "
        f"{memory} ({small.size_bytes / 1e6:.1f} versus {large.size_bytes / 1e6:.1f} MB){faster}; "
        f"both were fitted on {small.trained_rows:,} sales."
    )


def _is_steady(sizes: tuple[ForestSize, ...]) -> bool:
    """Tell whether every larger forest took longer to answer: else the times differ by what else the machine did."""
    times = [one.latency_ms for one in sorted(sizes, key=lambda one: one.trees)]
    return all(before < after for before, after in itertools.pairwise(times))


def _lines(card: Mapping[str, Any]) -> Iterator[ForestSize]:
    for line in card.get("forest_search", ()):
        settings = _settings(line)
        if settings is not None:
            yield ForestSize(*settings, *(line[name] for name in _FIELDS))


def _settings(line: Mapping[str, Any]) -> tuple[int, int, int] | None:
    if "trees" in line:
        return int(line["trees"]), int(line["depth"]), int(line["leaf"])
    # Cards of earlier releases have the settings only in words.
    named = dict(part.rsplit(" ", 1) for part in str(line["settings"]).split(", ") if " " in part)
    if any(name not in named for name in FOREST_SETTINGS):
        return None
    trees, depth, leaf = (int(float(named[name])) for name in FOREST_SETTINGS)
    return trees, depth, leaf
