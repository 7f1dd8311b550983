"""How much the comparables of homes sold next are adjusted, and how near their adjusted prices come to the sale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from core import measures
from core.prepare.splits import TIME
from core.problem import Problem, load_problem
from core.progress import silent
from core.serve.comparables import IN_USE, Comparable
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.states import Family
from core.train.live_model import bring_up_to_date
from core.train.trainer import default_plan
from core.workflows.models.training import load_model
from core.workflows.training import train_model
from tests.acting import acting
from tests.benchmarks.accuracy import KING_COUNTY, LEVEL, MANAGER, MELBOURNE, RealMarket, ingested

MARKETS: Final = (KING_COUNTY, MELBOURNE)

_HOMES: Final = 600
# Homes that sell within this many days are priced as of the day on which the model's knowledge ends.
_AHEAD_DAYS: Final = 60
_SEED: Final = 3


@dataclass(frozen=True)
class _Priced:
    price: float
    exact: float
    reconciled: float
    used: tuple[Comparable, ...]


def measure(market: RealMarket, known_until: date | None) -> Iterator[dict[str, Any]]:
    """Yield the figures of homes drawn from those sold within 60 days from ``known_until``, all their facts known.

    Neither model nor comparables know a sale of that day or later; without a day, it is the first of the market's test
    by time. ``gross_median`` and ``gross_over_25`` are of the comparables in use, the home's own sale apart;
    ``mean_mdape`` is the error of the mean of all in use by likeness, ``model_mdape`` that of the estimate.
    """
    problem, until = load_problem(), known_until or market.test_from
    with ingested(market) as opened:
        if opened is None:
            return
        store, market_id = opened
        plan = replace(default_plan(problem), split=TIME, test_from=until, families=(Family.BLEND,), curve_shares=())
        record = train_model(acting(store, MANAGER, problem), market_id, plan, silent)
        bundle, version = load_model(store, record.model_id), store.versions.latest(market_id)
        assert version is not None
        sales = store.versions.load(version.version_id)
    days = sales["sale_date"].dt.date
    live = LiveMarket(bundle, bring_up_to_date(bundle.model, sales[days < until]), version.version_id, None)
    next_sold = sales[(days >= until) & (days < until + timedelta(days=_AHEAD_DAYS))]
    homes = next_sold.sample(min(_HOMES, len(next_sold)), random_state=_SEED)
    priced = [found for _, home in homes.iterrows() if (found := _priced(live, home, until, problem)) is not None]
    yield {"market": market.name, "known_until": str(until), "homes": len(homes), **_figures(priced)}


def _priced(live: LiveMarket, home: pd.Series, as_of: date, problem: Problem) -> _Priced | None:
    """Price one home; None if it gets no price or fewer comparables than are used."""
    names = [*live.bundle.model.facts.all, "property_id", "address"]
    facts = {name: home[name] for name in names if name in home and not pd.isna(home[name])}
    answer = estimate(live, facts, as_of, problem, LEVEL)
    if not isinstance(answer, Estimate) or len(answer.comparables) < IN_USE or answer.comparable_value is None:
        return None
    return _Priced(
        float(home["sale_price"]), answer.exact, answer.comparable_value.reconciled, answer.comparables[:IN_USE]
    )


def _figures(priced: list[_Priced]) -> dict[str, Any]:
    price = np.array([one.price for one in priced])
    others = [sale for one in priced for sale in one.used if not sale.own]
    gross, net = np.array([sale.gross for sale in others]), np.abs([sale.net for sale in others])
    mean = np.array(
        [np.average([s.adjusted for s in one.used], weights=[s.similarity for s in one.used]) for one in priced]
    )
    return {
        "n": len(priced),
        "gross_median": round(float(np.median(gross)), 4),
        "gross_over_25": round(float(np.mean(gross > 0.25)), 4),
        "net_median": round(float(np.median(net)), 4),
        "mean_mdape": round(measures.mdape(mean, price), 4),
        "model_mdape": round(measures.mdape(np.array([one.exact for one in priced]), price), 4),
        "reconciled_mdape": round(measures.mdape(np.array([one.reconciled for one in priced]), price), 4),
    }
