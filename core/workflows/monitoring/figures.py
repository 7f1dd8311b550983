"""What the monitoring page shows: figures aggregated by the database, with intervals, and expected accuracy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from core.access import Action, Actor, require
from core.errors import StoreError
from core.evaluate.accuracy import Figure
from core.evaluate.card.headline import headline_of
from core.evaluate.headline import WHY_ANOTHER_IN_USE
from core.evaluate.intervals import mean_interval, share_interval
from core.monitor.cause import RootCause
from core.monitor.drift import FeatureDrift
from core.monitor.expected import EXACT, CameTrue, Expected, came_true, expected_accuracy, expected_of_sums
from core.monitor.level_drift import LevelDrift, Moved, movement
from core.problem import Problem
from core.states import Period
from core.store import Store
from core.store.ledger.figures import Basis, Dimension, Series, Slice, SoldSample
from core.wording import count, percent
from core.workflows.monitoring.readings import MarketWatch, cause_of, fact_drift, latest_days, level_of, sold_homes
from core.workspace import Workspace

SCATTER: Final = 600
"""The points of a scatter plot: more would overlap."""

CONFIDENCE_MONTHS: Final = 12
"""The months, up to the current one, of the sales that confidences are compared with."""

NO_MODEL: Final = "No model is live, so there is nothing to compare with."

_MEANS: Final = (("mape", "mape_sd"), ("mean_error", "mean_error_sd"))
_SHARES: Final = ("ppe10", "coverage")
_CAUSE_SAMPLE: Final = 4_000


@dataclass(frozen=True)
class Health:
    """The traffic of a slice; ``after`` counts estimates dated after its end."""

    traffic: Series
    after: int


@dataclass(frozen=True)
class Accuracy:
    """Errors against sale prices: ``total`` has one row, ``periods`` a row per period.

    Columns are those of ``Figures.accuracy`` and, for mape, mean_error, ppe10 and coverage, the ends of their 95%
    intervals as ``<name>_low`` and ``<name>_high``, missing if n is too small.
    """

    total: pd.Series
    periods: pd.DataFrame


@dataclass(frozen=True)
class Drift:
    """What moved between the live model's reference and the homes and sales of a slice.

    ``asked`` and ``sold`` count estimates and the live model's blind sales; a part is empty or None if there is nothing
    to compare, and ``notes`` explain why in sentences. ``unsold`` says that only models before the live one have blind
    sales, "" otherwise.
    """

    facts: tuple[FeatureDrift, ...]
    asked: int
    level: LevelDrift | None
    cause: RootCause | None
    sold: int
    moved: Moved
    notes: tuple[str, ...]
    unsold: str = ""


def hit_rate_on_test(workspace: Workspace, market_id: str) -> str:
    """Say how many of its test sales the live model priced, and why that is another figure than the one in use.

    Empty without a live model or where it priced them all. Raises NotFound, StoreUnavailable.
    """
    live = workspace.store.models.champion(market_id)
    test = headline_of(live.card) if live else None
    hit = test.figures.get("hit_rate") if test else None
    if hit is None or hit.value >= 1.0:
        return ""
    return (
        f"On its test, the live model priced {percent(hit.value, 1)} of {count(hit.n, 'sale')}: the sales that got no "
        "price lack facts or are beyond what it knows. The hit rate in use is another: "
        f"{WHY_ANOTHER_IN_USE}."
    )


def counted_words(asked: int, unsold: int, sold: int) -> str:
    """Say how the estimates of some days and the sales behind their error belong together."""
    rest = f"; {unsold:,} of them have no known sale yet" if unsold else ""
    blind = "one estimate for each, the last made before its list price was known (blind)"
    measured = f" The mean error is of {count(sold, 'sale')} on these days: {blind}." if sold else ""
    return f"{count(asked, 'estimate')} on these days{rest}.{measured}"


def of_models_before(workspace: Workspace, market_id: str, where: Slice, sold: int) -> str:
    """Say how many of the ``sold`` homes of a slice the live model did not price, "" if it priced them all.

    Raises NotFound, StoreUnavailable.
    """
    live = workspace.store.models.champion(market_id)
    if live is None or where.model_id is not None:
        return ""
    own = workspace.store.figures.accuracy(market_id, replace(where, model_id=live.model_id), Period.MONTH).total
    others = sold - int(own["n"])
    if not others:
        return ""
    return (
        f"Of the {count(sold, 'sale')} behind the mean error, {others:,} are of homes that models before the live one "
        "priced; promises and alerts count only the live one's. Narrow down to one model to see its own."
    )


def health_of(workspace: Workspace, market_id: str, where: Slice, period: Period) -> Health:
    """Return a slice's requests and answers; raises AccessDenied, NotFound, StoreUnavailable."""
    workspace.require(Action.WATCH)
    traffic, after = workspace.store.figures.traffic(market_id, where, period), 0
    if where.until is not None:
        later = replace(where, since=where.until + timedelta(days=1), until=None)
        after = int(workspace.store.figures.traffic(market_id, later, Period.MONTH).total["n"])
    return Health(traffic, after)


def accuracy_of(workspace: Workspace, market_id: str, where: Slice, period: Period, basis: Basis) -> Accuracy:
    """Return errors against sale prices with intervals; raises AccessDenied, NotFound, StoreUnavailable."""
    workspace.require(Action.WATCH)
    found = workspace.store.figures.accuracy(market_id, where, period, basis)
    total = with_intervals(found.total.to_frame().T).iloc[0]
    return Accuracy(total, with_intervals(found.periods))


def accuracy_by(workspace: Workspace, market_id: str, where: Slice, basis: Basis, dimension: Dimension) -> pd.DataFrame:
    """Return errors by model, office, channel, area or property type with intervals; raises as accuracy_of."""
    workspace.require(Action.WATCH)
    return with_intervals(workspace.store.figures.accuracy_by(market_id, where, basis, [dimension])[dimension])


def sold_of(workspace: Workspace, market_id: str, where: Slice, basis: Basis) -> SoldSample:
    """Return at most SCATTER estimates with their sale prices; raises AccessDenied, NotFound, StoreUnavailable."""
    workspace.require(Action.WATCH)
    return workspace.store.figures.sold(market_id, where, SCATTER, basis)


def expected_of(workspace: Workspace, market_id: str, where: Slice) -> Expected | None:
    """Return the expected accuracy of the estimates without a known sale, None if there are none.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.WATCH)
    unsold = workspace.store.samples.unsold(market_id, where)
    if unsold.n > EXACT:
        return expected_of_sums(unsold.n, unsold.confidence / 100, unsold.squares / 10_000)
    counts = workspace.store.samples.unsold_confidences(market_id, where)
    return expected_accuracy(np.repeat(counts["confidence"].to_numpy(dtype=float) / 100, counts["n"].to_numpy()))


def confidence_in_use(store: Store, market_id: str, model_id: str, today: date) -> Series:
    """Return the figures by which the promise of a model's confidences is judged: its blind sales of the latest year.

    Raises NotFound, StoreUnavailable.
    """
    where = Slice(latest_days(today, CONFIDENCE_MONTHS), today, model_id)
    return store.figures.accuracy(market_id, where, Period.MONTH)


def came_true_of(total: pd.Series, problem: Problem) -> CameTrue | None:
    """Return whether the confidences of sold estimates came true, from the one row of ``Figures.accuracy``."""
    if not total["n"]:
        return None
    row = with_intervals(total.to_frame().T).iloc[0]
    return came_true(float(row["confidence"]) / 100, figure_of(row, "ppe10"), problem.estimate.small_sample_n)


def drift_of(watch: MarketWatch, where: Slice, actor: Actor) -> Drift:
    """Determine what moved in a slice, for the market's live model.

    Facts come from all estimates of the slice, prices and the error's cause from the live model's blind ones. Raises
    AccessDenied, NotFound, StoreUnavailable.
    """
    require(actor, Action.WATCH)
    if watch.champion is None:
        return Drift((), 0, None, None, 0, movement((), None), (NO_MODEL,))
    facts, asked = fact_drift(watch, where)
    sold = sold_homes(watch, replace(where, model_id=watch.champion.model_id), _CAUSE_SAMPLE)
    level = level_of(watch, sold)
    reference = watch.reference
    homes = tuple(one for one in facts if one.field != "estimate")
    return Drift(
        facts,
        asked,
        level,
        cause_of(watch, sold),
        len(sold),
        movement(homes, level),
        reference.notes if reference else (),
        "" if len(sold) else _only_models_before(watch, where),
    )


def _only_models_before(watch: MarketWatch, where: Slice) -> str:
    n = int(watch.store.figures.accuracy(watch.market.market_id, where, Period.MONTH).total["n"])
    if not n:
        return ""
    behind = "The 1 sale behind the mean error is" if n == 1 else f"The {n:,} sales behind the mean error are"
    return (
        f"No home that the live model priced blind has a sale on these days: its first sales take some weeks. {behind} "
        "of homes that models before it priced."
    )


def missing_file(store: Store, model_id: str) -> str:
    """Describe what is wrong with a model's file on disk; "" if nothing is."""
    try:
        store.models.load_bytes(model_id)
    except StoreError as error:
        return str(error)
    return ""


def figure_of(row: pd.Series, name: str) -> Figure:
    """Return a figure of a row of ``Accuracy`` with its interval."""
    return Figure(float(row[name]), float(row[f"{name}_low"]), float(row[f"{name}_high"]), int(row["n"]))


def with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of ``Figures.accuracy`` with the ends of its figures' 95% intervals."""
    table = table.astype(dict.fromkeys((*dict(_MEANS), *_SHARES), "float64"))
    n = table["n"].to_numpy(dtype=float)
    for name, deviation in _MEANS:
        low, high = mean_interval(table[name], table[deviation], n)
        table[f"{name}_low"], table[f"{name}_high"] = low, high
    for name in _SHARES:
        hits = (table[name].fillna(0.0).to_numpy(dtype=float) * n).round()
        low, high = share_interval(hits, n)
        table[f"{name}_low"], table[f"{name}_high"] = np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)
    # An error is never below 0, whatever the normal approximation gives for few sales.
    table["mape_low"] = table["mape_low"].clip(lower=0.0)
    return table
