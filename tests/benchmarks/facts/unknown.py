"""What ranges hold and confidence says of homes of which only some facts are known, in each market there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final

import numpy as np

from core import measures
from core.arrays import Bools, Floats
from core.prepare.features.facts import COORDINATES, FactColumns
from core.problem import load_problem
from core.progress import silent
from core.states import Family
from core.store import Store
from core.train.model import Priced
from core.train.trainer import default_plan, split_sales
from core.workflows.models.training import load_model
from core.workflows.training import train_model
from tests.acting import acting
from tests.benchmarks.accuracy import KING_COUNTY, LEVEL, MANAGER, MELBOURNE, SINGAPORE, ingested
from tests.benchmarks.facts.demo_city import demo_city

Opened = AbstractContextManager[tuple[Store, str] | None]

_LEVELS: Final = (0.5, 0.8, 0.9)
_SIZE: Final = "living_area_sqft"
_SIX: Final = (_SIZE, "bedrooms", "bathrooms", "year_built", "lot_area_sqft")
# Where hardly any home lacks its size, a home without it has no price.
_USUAL: Final = 0.95
_BINS: Final = 10


def markets(demo_sales: int) -> dict[str, Opened]:
    """Return the markets of real sales, and the demo city with that many, each yet to be opened."""
    real = {market.name: ingested(market) for market in (KING_COUNTY, MELBOURNE, SINGAPORE)}
    return {**real, "Demo city": demo_city(demo_sales)}


def measure(name: str, market: Opened) -> Iterator[dict[str, Any]]:
    """Yield a row for each set of known facts: the sealed test sales of the random split with all others blanked.

    Each home is priced as the live desk prices it, with the evidence of sales before its own day only. ``ece`` is the
    expected calibration error of the confidence, in ten equal bins (Naeini 2015).
    """
    problem = load_problem()
    with market as opened:
        if opened is None:
            return
        store, market_id = opened
        plan = replace(default_plan(problem), families=(Family.BLEND,), curve_shares=())
        record = train_model(acting(store, MANAGER, problem), market_id, plan, silent)
        model = load_model(store, record.model_id).model
        version = store.versions.latest(market_id)
        assert version is not None
        sales = store.versions.load(version.version_id).sort_values("intake_row", kind="stable")
        test = sales[split_sales(sales, version.rows_seen, plan, problem).test]
    needed = [fact for fact in (_SIZE, *model.facts.area_codes[:1]) if test[fact].notna().mean() > _USUAL]
    test = test.dropna(subset=needed)
    price = test["sale_price"].to_numpy(dtype=float)
    for known, blank in patterns(model.facts).items():
        homes = test.assign(**{fact: test[fact].where(np.zeros(len(test), dtype=bool)) for fact in blank})
        answers = model.price_filled(model.fill(homes), _LEVELS, problem.success.tolerance)
        yield {"market": name, "known": known, "n": len(price), **_figures(answers, price)}


def patterns(facts: FactColumns) -> Mapping[str, tuple[str, ...]]:
    """Return which facts are blanked, by what an agent then knows."""
    every = (*facts.numeric, *facts.categorical, *facts.area_codes[1:], *(COORDINATES if facts.located else ()))
    found: dict[str, tuple[str, ...]] = {"all": ()}
    if "grade" in every:
        found["all but grade"] = ("grade",)
    if facts.located:
        found["all but coordinates"] = COORDINATES
    found["size, beds, baths, year, lot, area code"] = tuple(fact for fact in every if fact not in _SIX)
    found["size, area code"] = tuple(fact for fact in every if fact != _SIZE)
    return found


def _figures(answers: Mapping[float, Priced], price: Floats) -> dict[str, Any]:
    main = answers[LEVEL]
    within = np.abs(main.exact / price - 1) <= main.tolerance
    held = {f"held_{level:.0%}": _share((one.low <= price) & (price <= one.high)) for level, one in answers.items()}
    return {
        "mdape": round(measures.mdape(main.exact, price), 4),
        "ppe10": _share(within),
        "confidence": _share(main.confidence),
        "ece": round(_calibration_error(main.confidence, within), 4),
        **held,
        "width": round(float(np.median((main.high - main.low) / main.point)), 4),
    }


def _calibration_error(confidence: Floats, within: Bools) -> float:
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, confidence - within, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def _share(values: Floats | Bools) -> float:
    return round(float(np.mean(values)), 4)
