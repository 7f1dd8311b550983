"""One estimate at a time on one processor: with its reasons, with range only, and the price alone."""

from __future__ import annotations

from collections.abc import Iterator
from cProfile import Profile
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from core.prepare.features.own_sales import IDENTITY
from core.problem import Problem
from core.serve.subject import check_subject
from core.train.model import Model
from tests.benchmarks.accuracy import milliseconds
from tests.benchmarks.book import baselines
from tests.benchmarks.book.measurement import Measurement
from tests.benchmarks.book.place import Place, desk_of, sales_of
from tests.benchmarks.pricing import estimate_times

_REPEATS: Final = 300
_FOREST_PART: Final = 10_000


def measure(place: Place) -> Iterator[Measurement]:
    """Yield the milliseconds of one estimate at p50 and p95, beside the tutorial forest's predict of one row."""
    with place.store() as store, threadpool_limits(1):
        sales, desk = sales_of(store), desk_of(store)
        live = desk.live_market
        assert live is not None
        live.prepare()
        homes = sales.sample(min(_REPEATS, len(sales)), random_state=1)
        # A deeper forest answers more slowly: the part is in the baseline's favor.
        part = sales if len(sales) <= _FOREST_PART else sales.sample(_FOREST_PART, random_state=0)
        note = "" if len(part) == len(sales) else f"baseline fitted on {len(part):,} of {len(sales):,} sales"
        forest = baselines.tutorial_forest(part)
        rows = [homes.iloc[[n]] for n in range(len(homes))]
        asked = [baselines.inputs_of(row) for row in rows]
        model, live_model = live.live_model.model, live.live_model
        level = (desk.problem.estimate.level,)
        subjects = [(_known_facts(row, model), pd.Timestamp(row["sale_date"].iloc[0]).date()) for row in rows]
        times = {
            "price alone, from its facts": milliseconds(
                lambda n: _price_alone(model, *subjects[n], desk.problem), len(rows)
            ),
            "price alone, from a table of one row": milliseconds(lambda n: model.estimate(rows[n]), len(rows)),
            "price with range and confidence": milliseconds(
                lambda n: live_model.price(live_model.fill(rows[n]), level, desk.problem.success.tolerance), len(rows)
            ),
            "with range, confidence, comparables, drivers, flags": estimate_times(desk, homes),
        }
        plain = milliseconds(lambda n: forest.predict(asked[n]), len(rows))
        yield from _figures(place, times, plain, note)


def profiled(place: Place, profile: Profile) -> None:
    """Price some homes, with their reasons and without."""
    with place.store() as store, threadpool_limits(1):
        desk, homes = desk_of(store), sales_of(store).sample(50, random_state=1)
        live = desk.live_market
        assert live is not None
        live.prepare()
        model = live.live_model.model
        for n in range(len(homes)):
            day = pd.Timestamp(homes["sale_date"].iloc[n]).date()
            profile.runcall(_price_alone, model, _known_facts(homes.iloc[[n]], model), day, desk.problem)
        profile.runcall(estimate_times, desk, homes)


def _known_facts(row: pd.DataFrame, model: Model) -> dict[str, object]:
    """Return the known facts of a home as an agent gives them, without what its sale told."""
    read = {*model.facts.all, *IDENTITY}
    return {str(name): value for name, value in row.iloc[0].dropna().items() if name in read}


def _price_alone(model: Model, facts: dict[str, object], as_of: date, problem: Problem) -> float:
    """Price one home as the desk does, from the facts as given, up to its price: no range, no reasons."""
    subject = check_subject(facts, as_of, model, problem)
    filled = model.fill_for_sale(subject.columns(model.facts))
    return float(np.exp(model.log_estimate(model.matrix(filled)))[0])


def _figures(place: Place, times: dict[str, list[float]], plain: list[float], note: str) -> Iterator[Measurement]:
    for name, found in times.items():
        for part in (50, 95):
            beside = float(np.percentile(plain, part))
            value = float(np.percentile(found, part))
            yield place.measured(f"{name}, p{part}", "ms", value, f"{baselines.FOREST}: predict, one row", beside, note)


def facts_of(homes: pd.DataFrame, count: int) -> list[dict[str, object]]:
    """Return the known facts of the first few homes, without what their sale told."""
    rows = homes.drop(columns=["sale_price", "sale_date"]).head(count).iterrows()
    return [{str(name): value for name, value in row.dropna().items()} for _, row in rows]
