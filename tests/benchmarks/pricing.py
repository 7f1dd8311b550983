"""One estimate and many: how long they take on a live model, and the textbook pipeline beside them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from core.prepare.features.facts import find_facts
from core.prepare.features.neighbours import Rule
from core.prepare.features.pipeline import feature_pipeline
from core.progress import silent
from core.serve.estimate import Estimate
from core.serve.estimate_many import estimate_many
from core.store import Store
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.many_homes import price_file, record_file
from tests.acting import acting
from tests.benchmarks.accuracy import MANAGER, milliseconds


def feature_seconds(store: Store, market_id: str) -> float:
    """Seconds to build the features of the market's latest version."""
    version = store.versions.latest(market_id)
    assert version is not None
    sales = store.versions.load(version.version_id)
    started = time.perf_counter()
    log_price = np.log(sales["sale_price"].to_numpy())
    feature_pipeline(find_facts(sales), Rule.OTHERS).fit_transform(sales, log_price)
    return time.perf_counter() - started


def seconds(call: Callable[[], object], repeats: int = 3) -> float:
    """The shortest of a few calls."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


def plain_pipeline(sales: pd.DataFrame) -> tuple[Any, list[str]]:
    """A textbook pipeline: one-hot zip and type, boosted trees; estimate only, no range, confidence or flags."""
    numeric = ["living_area_sqft", "bedrooms", "bathrooms", "year_built", "latitude", "longitude"]
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["zipcode", "property_type"]),
        remainder="passthrough",
    )
    pipeline = make_pipeline(encode, HistGradientBoostingRegressor(max_iter=500, early_stopping=False, random_state=0))
    columns = ["zipcode", "property_type", *numeric]
    return pipeline.fit(sales[columns], np.log(sales["sale_price"])), columns


def price_first_home(desk: Desk) -> Estimate:
    """Price a typical home of the market."""
    assert desk.bundle is not None
    code, facts = next(iter(desk.bundle.model.profile.typical["zipcode"].items()))
    answer = desk.price({**facts, "zipcode": code}, desk.valuation_date(date.today()), 0.8, MANAGER)
    assert isinstance(answer, Estimate)
    return answer


def estimate_times(desk: Desk, homes: pd.DataFrame) -> list[float]:
    """Return the milliseconds of one estimate with its reasons for each of some sales, priced as if still for sale."""
    rows = homes.drop(columns=["sale_price", "sale_date"]).iterrows()
    facts = [{str(name): value for name, value in row.dropna().items()} for _, row in rows]
    as_of = desk.valuation_date(date.today())
    return milliseconds(lambda n: desk.price(facts[n], as_of, 0.8, MANAGER), len(homes))


def batch_seconds(desk: Desk, homes: pd.DataFrame, repeats: int = 3) -> float:
    """Return the seconds that many estimates at once take."""
    live, problem, as_of = desk.live_market, desk.problem, desk.valuation_date(date.today())
    assert live is not None
    return seconds(lambda: estimate_many(live, homes, as_of, problem, problem.estimate.level), repeats)


def file_seconds(store: Store, desk: Desk, homes: pd.DataFrame, repeats: int = 3) -> float:
    """Return the seconds from a file of homes to their estimates in the ledger."""
    as_of, path = desk.valuation_date(date.today()), store.home / "homes.csv"
    homes.rename(columns=lambda name: name.removeprefix("x_")).to_csv(path, index=False)
    workspace = acting(store, MANAGER)
    return seconds(
        lambda: record_file(workspace, price_file(desk, path, path.name, as_of, silent, MANAGER), "file"), repeats
    )
