"""The gate for a retrained model: compares both models on the same latest sales and stores the verdict with it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from core.arrays import Bools, Objects
from core.errors import DoorstepError, StoreError
from core.evaluate.accuracy import Figure
from core.evaluate.behavior.month_ahead import price_month_ahead
from core.evaluate.card.headline import is_short
from core.evaluate.intervals import share_interval
from core.evaluate.scored_sales import ScoredSales
from core.evaluate.scored_sales import from_bytes as scores_from_bytes
from core.evaluate.segmentation import NOT_KNOWN, Segmentation, segments_of
from core.monitor.gate import COVERAGE, MEAN_ERROR, Answers, Check, CheckVerdict, Gate, GateVerdict, gate
from core.problem import Problem
from core.store import ModelRecord, Store
from core.train.bundle import Bundle
from core.train.model import Priced
from core.wording import count, market_day
from core.workflows.models.test_scores import SCORES
from core.workflows.models.training import KnownSales, MadeModel, load_model

GATE: Final = "gate"
"""The key of a model's card for its gate, as judged when the model was made."""

# A month of sales shows how the next will be priced; a small market needs two.
_WINDOWS_DAYS: Final = (30, 45, 61)
# Enough sales to distinguish errors of 9% and 10%, as a multiple of the fewest that are compared at all.
_PLENTY: Final = 3


@dataclass(frozen=True)
class Rival:
    """The champion, if it can be read; otherwise ``model_id`` or ``bundle`` is None, and ``why`` explains it."""

    model_id: str | None
    record: ModelRecord | None
    bundle: Bundle | None
    why: str


@dataclass(frozen=True)
class GateRecord:
    """A gate as judged when the model was made, on the sales from ``first`` to ``last``.

    ``champion_id`` is the model it was compared with, None if unknown; ``left_out`` counts the sales of those days on
    which the champion was trained.
    """

    champion_id: str | None
    first: date
    last: date
    left_out: int
    gate: Gate


def gate_of(store: Store, model_id: str) -> GateRecord | None:
    """Return a model's gate, None if it was never judged; raises NotFound, StoreUnavailable."""
    return gate_on(store.models.get(model_id))


def gate_on(record: ModelRecord) -> GateRecord | None:
    """Return the gate on a model's card, or None."""
    document = record.card.get(GATE)
    return None if document is None else _from_document(document)


@dataclass(frozen=True)
class SameSales:
    """One model's figures on the ``n`` sales of a gate up to ``last``, on which the other model was measured, too.

    ``error`` is the mean absolute error (MAPE), ``held`` the share of sales inside the range, NaN if unknown. ``ends``
    are the error's 95% interval, known only of the model that was live.
    """

    n: int
    error: float
    held: float
    last: date
    ends: tuple[float, float] = (math.nan, math.nan)

    @property
    def mape(self) -> Figure:
        """The mean error with its interval."""
        return Figure(self.error, *self.ends, self.n)

    @property
    def coverage(self) -> Figure | None:
        """The share of sales inside the range with its interval, None if unknown."""
        if math.isnan(self.held):
            return None
        low, high = share_interval([round(self.held * self.n)], [self.n])
        return Figure(self.held, float(low[0]), float(high[0]), self.n)

    def sales(self, currency: str) -> str:
        """Name the sales: "304 sales up to Jun 30, 2025"."""
        return f"{count(self.n, 'sale')} up to {market_day(self.last, currency)}"


def same_sales(gated: GateRecord | None, champion_id: str) -> tuple[SameSales, SameSales] | None:
    """Return the live model's and the challenger's figures on the same sales, None without a gate on these two."""
    if gated is None or gated.champion_id != champion_id:
        return None
    by_name = {one.name: one for one in gated.gate.checks}
    if MEAN_ERROR not in by_name:
        return None
    mape, coverage = by_name[MEAN_ERROR], by_name.get(COVERAGE)
    held = coverage.held if coverage is not None and coverage.held else (math.nan, math.nan)
    n, last = gated.gate.n, gated.last
    return (
        SameSales(n, mape.champion, held[0], last, mape.ends or (math.nan, math.nan)),
        SameSales(n, mape.challenger, held[1], last),
    )


def sales_since(store: Store, challenger: ModelRecord) -> str:
    """Say how many sales the market has gained since a challenger was trained and compared; "" if none.

    Raises NotFound, StoreUnavailable.
    """
    latest = store.versions.latest(challenger.market_id)
    if latest is None or latest.version_id == challenger.version_id:
        return ""
    more = latest.rows - store.versions.get(challenger.version_id).rows
    if more <= 0:
        return ""
    return f"{count(more, 'sale')} came in since it was trained; neither its error nor the comparison counts them."


def bridge(gated: GateRecord, tested: int) -> str:
    """Say why a challenger's gate counts fewer sales than the ``tested`` of its own test; "" if it counts all."""
    if not gated.left_out or gated.gate.n == tested:
        return ""
    others = count(gated.left_out, "other")
    return (
        f"The error on the same sales is of {gated.gate.n:,} of its {count(tested, 'test sale')}: the live model was "
        f"trained on {others}, which are left out, so the two errors differ."
    )


def measured_beside(records: Iterable[ModelRecord], champion_id: str) -> SameSales | None:
    """Return the live model's figures on the sales of the newest gate on it, from ``records``, newest first.

    They are known before its first sale in use, and stay known when the other model was rejected. None without a gate.
    """
    found = (same_sales(gate_on(one), champion_id) for one in records)
    return next((one[0] for one in found if one is not None), None)


def worse_error(found: SameSales | None, known: Figure, problem: Problem) -> SameSales | None:
    """Return what a gate measured of the live model if its error is above the target and above the one known."""
    return found if found is not None and found.error > max(known.value, problem.success.target_mape) else None


def worse_range(found: SameSales | None, known: Figure | None, problem: Problem) -> SameSales | None:
    """Return what a gate measured of the live model if its range held surely too few sales, and fewer than known."""
    held = found.coverage if found is not None else None
    if held is None or not is_short(held, problem.estimate.level, problem):
        return None
    if known is not None and held.value >= known.value:
        return None
    return found


def reason_needed(gated: GateRecord | None, champion_id: str | None) -> str:
    """Return why promoting a model needs a reason, in a sentence; "" if its gate supports it."""
    result = gate_result(gated, champion_id)
    words = gated.gate.words if gated is not None and gated.champion_id == champion_id else ""
    return f"{result} {words}" if result and words else result


def gate_result(gated: GateRecord | None, champion_id: str | None) -> str:
    """Return ``reason_needed`` without the gate's figures, for where they stand beside it."""
    if gated is None:
        return "The model was not compared with the live one on the same sales."
    if gated.champion_id != champion_id:
        return (
            f"The model was compared with {gated.champion_id or 'no model'}, but {champion_id or 'none'} is live now, "
            "so the gate says nothing about these two."
        )
    if gated.gate.verdict is GateVerdict.PASS:
        return ""
    return "The gate rejects the model." if gated.gate.verdict is GateVerdict.FAIL else "The gate cannot tell."


def rival_of(store: Store, market_id: str) -> Rival:
    """Return the market's champion for a comparison; read errors are reported in it, not raised."""
    try:
        record = store.models.champion(market_id)
    except StoreError as error:
        return Rival(None, None, None, str(error))
    if record is None:
        return Rival(None, None, None, "No model is live.")
    try:
        return Rival(record.model_id, record, load_model(store, record.model_id), "")
    except DoorstepError as error:
        return Rival(record.model_id, record, None, str(error))


def unseen_by(store: Store, rival: Rival, known: KnownSales) -> Bools:
    """Mark the sales the champion was not trained on, shape (n,): later ones, and those of its sealed test."""
    if rival.bundle is None or rival.record is None:
        return np.ones(len(known.table), dtype=bool)
    later = (known.table["sale_date"].dt.date > rival.bundle.model.profile.last_sale).to_numpy()
    return later | known.table["intake_row"].isin(_tested(store, rival.record, known)).to_numpy()


def gate_start(dates: pd.Series, last: date, problem: Problem) -> date:
    """Return the first day of the sales on which two models are compared, given the dates of all eligible sales.

    These are the last 30 days before ``last`` if they have enough sales, else up to two months; the challenger cannot
    train on them.
    """
    for length in _WINDOWS_DAYS:
        first = last - timedelta(days=length - 1)
        if int((dates >= pd.Timestamp(first)).sum()) >= _PLENTY * problem.monitoring.gate_sales_min:
            return first
    return last - timedelta(days=_WINDOWS_DAYS[-1] - 1)


def judge(made: MadeModel, rival: Rival, unseen: Bools, known: KnownSales, problem: Problem) -> GateRecord:
    """Compare a new model with the champion, as in live use, on its test sales that the champion has not seen.

    Both price each month's sales using only earlier sales, including the market level. If the champion cannot be read,
    the gate is inconclusive and says why.
    """
    rows = made.opened.rows
    dates = known.table["sale_date"].iloc[rows]
    first, last = dates.min().date(), dates.max().date()
    if rival.bundle is None:
        words = f"There is no live model to compare with. {rival.why} Promote with a reason."
        return GateRecord(rival.model_id, first, last, 0, Gate(GateVerdict.INCONCLUSIVE, 0, (), (), words))
    keep = unseen[rows]
    level, tolerance = problem.estimate.level, problem.success.tolerance
    live = price_month_ahead(rival.bundle.model, known.table, first, (level,), tolerance).priced[level]
    new = made.opened.priced[level]
    prices = known.table["sale_price"].to_numpy(dtype=float)[rows][keep]
    segments = {name: labels[keep] for name, labels in _segments(made.scored, live, problem).items()}
    judged = gate(prices, _answers(live, keep), _answers(new, keep), segments, problem, made.bundle.plan.seed)
    left_out = int((~keep).sum())
    span = " to ".join(market_day(one, known.market.currency) for one in (first, last))
    period = f"Based on the sales from {span}, each priced using only earlier months."
    excluded = f" {count(left_out, 'sale')} the live model was trained on are left out." if left_out else ""
    return GateRecord(
        rival.model_id, first, last, left_out, replace(judged, words=f"{judged.words} {period}{excluded}")
    )


def document_of(gated: GateRecord) -> dict[str, Any]:
    """Return a gate as JSON values; figures that are not finite become None."""
    judged = gated.gate
    return {
        "champion_id": gated.champion_id,
        "first": gated.first.isoformat(),
        "last": gated.last.isoformat(),
        "left_out": gated.left_out,
        "verdict": judged.verdict.value,
        "n": judged.n,
        "words": judged.words,
        "checks": [_check_document(one) for one in judged.checks],
        "segments": [_check_document(one) for one in judged.segments],
    }


def _tested(store: Store, record: ModelRecord, known: KnownSales) -> list[int]:
    """Return the intake rows of a model's sealed test; empty if they no longer mean the same sales."""
    chain = {version.version_id for version in store.versions.chain(known.market.market_id)}
    name = record.card.get(SCORES)
    if name is None or record.version_id not in chain:
        return []
    try:
        return [int(row) for row in scores_from_bytes(store.scores.read(str(name))).table["intake_row"]]
    except DoorstepError:
        return []


def _answers(priced: Priced, keep: Bools) -> Answers:
    return Answers(priced.exact[keep], priced.low[keep], priced.high[keep])


def _segments(scored: ScoredSales, live: Priced, problem: Problem) -> dict[str, Objects]:
    # Bands by one model's estimate would favor the other; bands by both favor neither.
    both = np.sqrt(scored.table["estimate"].to_numpy(dtype=float) * live.exact)
    of_both = replace(scored, table=scored.table.assign(estimate=both))
    area = {"zipcode": Segmentation.ZIPCODE, "neighbourhood": Segmentation.NEIGHBOURHOOD}
    ways = [Segmentation.ESTIMATE_BAND, Segmentation.PROPERTY_TYPE, Segmentation.SIZE]
    if scored.area is not None:
        ways.append(area[scored.area])
    found = {by.value: segments_of(of_both, by, problem).astype("str") for by in ways}
    return {name: labels.where(labels != NOT_KNOWN).to_numpy(dtype=object) for name, labels in found.items()}


def _check_document(one: Check) -> dict[str, Any]:
    known = {name: _finite(value) for name, value in asdict(one.difference).items()}
    whole = {**asdict(one), "verdict": one.verdict.value, "difference": known}
    return whole | {name: _finite(whole[name]) for name in ("champion", "challenger", "margin")}


def _finite(value: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _from_document(document: Mapping[str, Any]) -> GateRecord:
    checks, segments = (tuple(_check(one) for one in document[name]) for name in ("checks", "segments"))
    verdict = GateVerdict(document["verdict"])
    return GateRecord(
        document["champion_id"],
        date.fromisoformat(document["first"]),
        date.fromisoformat(document["last"]),
        int(document["left_out"]),
        Gate(verdict, int(document["n"]), checks, segments, str(document["words"])),
    )


def _check(document: Mapping[str, Any]) -> Check:
    value, low, high = (_number(document["difference"][name]) for name in ("value", "low", "high"))
    return Check(
        name=document["name"],
        label=document["label"],
        champion=_number(document["champion"]),
        challenger=_number(document["challenger"]),
        difference=Figure(value, low, high, int(document["difference"]["n"])),
        margin=_number(document["margin"]),
        verdict=CheckVerdict(document["verdict"]),
        segment=document["segment"],
        # A gate stored by an earlier release has neither.
        held=_pair(document.get("held")),
        ends=_pair(document.get("ends")),
    )


def _pair(values: Sequence[float] | None) -> tuple[float, float] | None:
    return (float(values[0]), float(values[1])) if values else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
