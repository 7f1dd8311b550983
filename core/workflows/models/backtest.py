"""The backtest: a model trained before a day prices the later sales month by month, as in live use.

Nothing is registered or written: the run shows what the market level is worth, when an alert would have opened, its
cause, and whether a retrained model would have passed the gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from core import measures
from core.access import Action
from core.errors import NotFound
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import mean_interval
from core.monitor.alerts import Alert, Transition, judge_alerts, settled_by_promotion, thresholds_of, with_cause
from core.monitor.cause import Leading, RootCause, root_cause
from core.monitor.gate import Answers, Gate, GateVerdict, gate
from core.monitor.level_drift import level_drift, log_ratio
from core.monitor.rules import AlertKind, Reading
from core.monitor.windows import Window, later, window_of
from core.prepare.splits import TIME
from core.problem import Problem
from core.progress import Progress, part, silent
from core.states import AlertState, Period
from core.store import Market
from core.train.level import Residuals
from core.train.live_model import live_model_with_residuals, residuals_since
from core.train.model import Model, property_kinds
from core.train.trainer import TrainingPlan, train
from core.workspace import Workspace

_FACTS: Final = ("living_area_sqft", "year_built", "property_type", "zipcode")
_RETRAINED: Final = "challenger"
# The cause compares the months an alert needs to open with the first ones, when the model was accepted.
_REFERENCE_MONTHS: Final = 3
_CAUSE_MONTHS: Final = 2
# The latest months on which both models are compared: as few as needed, since the challenger cannot train on them.
_GATE_MONTHS: Final = 3
_REPAIRABLE: Final = (Leading.LEVEL, Leading.FEATURES)


@dataclass(frozen=True)
class MonthFigures:
    """One month of one run: MAPE with its interval and n, median signed error, share of sales inside their range."""

    mape: Figure
    bias: float
    coverage: float


@dataclass(frozen=True)
class BacktestMonth:
    """A month's sales priced by the same model without and with the market level, and by the retraining run.

    ``retrained`` is also without the level: it uses the model of ``off`` until another one passes.
    """

    start: date
    off: MonthFigures
    on: MonthFigures
    retrained: MonthFigures


@dataclass(frozen=True)
class Backtest:
    """The simulated months after ``first``; ``promoted`` is the day a retrained model went live, if any.

    ``cause`` and ``gate`` belong to that retraining, or to the latest attempt; ``transitions`` are the alerts of the
    run without the market level, in order.
    """

    first: date
    trained: int
    months: tuple[BacktestMonth, ...]
    transitions: tuple[Transition, ...]
    cause: RootCause | None
    gate: Gate | None
    promoted: date | None

    def large(self, smallest: int) -> tuple[BacktestMonth, ...]:
        """Return the months with at least ``smallest`` sales."""
        return tuple(month for month in self.months if month.off.mape.n >= smallest)


def backtest_version(
    workspace: Workspace,
    version_id: str,
    first: date,
    plan: TrainingPlan,
    progress: Progress,
) -> Backtest:
    """Backtest a data version from a day on; raises AccessDenied, NotFound without a later sale, TooFewSales."""
    store = workspace.store
    workspace.require(Action.TRAIN)
    version = store.versions.get(version_id)
    sales = store.versions.load(version_id)
    if not (sales["sale_date"] >= pd.Timestamp(first)).any():
        raise NotFound(f"Data version {version_id} has no sale since {first}. Choose an earlier day.")
    return backtest(
        sales,
        version.rows_seen,
        first,
        plan,
        store.markets.get(version.market_id),
        workspace.problem,
        progress,
    )


def backtest(
    sales: pd.DataFrame,
    rows_seen: int,
    first: date,
    plan: TrainingPlan,
    market: Market,
    problem: Problem,
    progress: Progress,
) -> Backtest:
    """Train on the sales before ``first`` and simulate the months since.

    Each month is priced using only earlier sales. An alert opens by the rules of monitoring; if retraining can fix its
    cause, a challenger is trained on the sales so far and goes live if it passes the gate. ``sales`` are canonical with
    ``intake_row``.
    """
    table = sales.sort_values("intake_row", kind="stable").reset_index(drop=True)
    run = _Run(table, rows_seen, first, plan, market, problem)
    champion = _Priced(run, run.fitted(first, part(progress, 0.0, 0.3)))
    live, retraining = champion, _Watch(run)
    months = list(run.months())
    for done, month in enumerate(months):
        progress(0.3 + 0.7 * done / len(months), f"Simulating {month.label}")
        rows = run.rows(month)
        off, on = champion.answers(month, rows)
        now = off if live is champion else live.answers(month, rows)[0]
        retraining.see(month, rows, off, on, now)
        live = retraining.act(month, live)
    progress(1.0, "Replayed")
    return Backtest(
        first,
        int((table["sale_date"] < pd.Timestamp(first)).sum()),
        tuple(retraining.months),
        tuple(retraining.transitions),
        retraining.cause,
        retraining.gate,
        retraining.promoted,
    )


@dataclass(frozen=True)
class _Run:
    """The inputs shared by all steps of a backtest."""

    sales: pd.DataFrame
    rows_seen: int
    first: date
    plan: TrainingPlan
    market: Market
    problem: Problem

    def months(self) -> Iterator[Window]:
        """Yield the months with sales since the first day."""
        month, last = window_of(self.first, Period.MONTH), self.sales["sale_date"].max().date()
        while month.start.date() <= last:
            if len(self.rows(month)):
                yield month
            month = later(month)

    def rows(self, month: Window) -> np.ndarray:
        """Return the positions of a month's sales."""
        dates = self.sales["sale_date"]
        start = max(pd.Timestamp(month.start.date()), pd.Timestamp(self.first))
        return np.flatnonzero(((dates >= start) & (dates < pd.Timestamp(month.end.date()))).to_numpy())

    def fitted(self, before: date, progress: Progress) -> Model:
        """Return a model trained on the sales before a day."""
        plan = replace(self.plan, split=TIME, test_from=before)
        return train(self.sales, self.rows_seen, plan, self.problem, progress).model


class _Priced:
    """A model's answers month by month."""

    def __init__(self, run: _Run, model: Model) -> None:
        self.run, self.model = run, model
        self.residuals: Residuals = residuals_since(model, run.sales)

    def answers(self, month: Window, rows: np.ndarray) -> tuple[Answers, Answers]:
        """Return the answers to a month's sales without and with the market level."""
        start = max(month.start.date(), self.run.first)
        live_model = live_model_with_residuals(self.model, self.run.sales, start, self.residuals)
        filled = live_model.fill(self.run.sales.iloc[rows])
        matrix = live_model.model.matrix(filled)
        plain = live_model.model.log_estimate(matrix)
        level, tolerance = self.run.problem.estimate.level, self.run.problem.success.tolerance

        kinds = property_kinds(filled, live_model.model.facts)

        def answered(centre: np.ndarray, width: np.ndarray | float) -> Answers:
            priced = live_model.model.spread(matrix, centre, kinds, (level,), tolerance, width)[level]
            return Answers(priced.exact, priced.low, priced.high)

        return answered(plain, 1.0), answered(plain + live_model.shift(filled), live_model.width(filled))


@dataclass
class _Watch:
    """The run without the market level as monitoring sees it, with its consequences."""

    run: _Run
    months: list[BacktestMonth] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    cause: RootCause | None = None
    gate: Gate | None = None
    promoted: date | None = None
    seen: list[pd.DataFrame] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    alerts: dict[AlertKind, Alert] = field(default_factory=dict)

    def see(self, month: Window, rows: np.ndarray, off: Answers, on: Answers, now: Answers) -> None:
        """Record a month that has passed."""
        price = self.run.sales["sale_price"].to_numpy(dtype=float)[rows]
        start = max(month.start.date(), self.run.first)
        figures = [_figures(answers, price) for answers in (off, on, now)]
        self.months.append(BacktestMonth(start, *figures))
        facts = self.run.sales.iloc[rows][[name for name in _FACTS if name in self.run.sales]]
        table = facts.rename(columns={"zipcode": "area"}).assign(sale_price=price, estimate=now.point)
        self.seen.append(table.reset_index(drop=True))
        self.readings += self._readings(month, figures[2])
        causes = {AlertKind.ERROR_HIGH: self.cause.words} if self.cause else {}
        limits = thresholds_of(self.run.problem, {})
        for one in judge_alerts(self.readings, limits, self.alerts.values(), month.end):
            self._note(with_cause(one, causes))

    def act(self, month: Window, live: _Priced) -> _Priced:
        """Return the next month's model: a new one if an alert is open and retraining fixes its cause."""
        if self.promoted:
            return live
        self.cause = self._cause() or self.cause
        alert = self.alerts.get(AlertKind.ERROR_HIGH)
        is_open = alert is not None and alert.state is AlertState.OPEN
        if not is_open or self.cause is None or self.cause.leading not in _REPAIRABLE:
            return live
        compared = self._latest(month)
        challenger = _Priced(self.run, self.run.fitted(compared[0].start.date(), silent))
        self.gate = self._compare(compared, live, challenger)
        if self.gate.verdict is not GateVerdict.PASS:
            return live
        self.promoted = month.end.date()
        for one in settled_by_promotion(self.alerts.values(), _RETRAINED, month):
            self._note(one)
        self.readings.clear()
        return challenger

    def _readings(self, month: Window, figures: MonthFigures) -> Iterator[Reading]:
        mape = figures.mape
        for kind in (AlertKind.ERROR_HIGH, AlertKind.TARGET_MISSED):
            yield Reading(kind, "", month, mape.value, mape.low, mape.high, mape.n)
        found = level_drift(self.seen[-1], log_ratio(self._reference()))
        if found is not None:
            level = found.overall
            yield Reading(AlertKind.LEVEL_DRIFT, "", month, level.shift, level.low, level.high, level.n)

    def _reference(self) -> pd.DataFrame:
        return pd.concat(self.seen[:_REFERENCE_MONTHS], ignore_index=True)

    def _cause(self) -> RootCause | None:
        if len(self.seen) < _REFERENCE_MONTHS + _CAUSE_MONTHS:
            return None
        current = pd.concat(self.seen[-_CAUSE_MONTHS:], ignore_index=True)
        return root_cause(self._reference(), current, self.run.market.currency, self.run.market.area_unit)

    def _latest(self, month: Window) -> list[Window]:
        """Return the latest months with enough sales to compare two models, oldest first."""
        months = [one for one in self.run.months() if one.start <= month.start]
        for count in range(1, _GATE_MONTHS + 1):
            if (
                sum(len(self.run.rows(one)) for one in months[-count:])
                >= 2 * self.run.problem.monitoring.gate_sales_min
            ):
                return months[-count:]
        return months[-_GATE_MONTHS:]

    def _compare(self, months: list[Window], live: _Priced, challenger: _Priced) -> Gate:
        rows = [self.run.rows(month) for month in months]
        answers = [
            _joined([model.answers(month, some)[0] for month, some in zip(months, rows, strict=True)])
            for model in (live, challenger)
        ]
        sales = self.run.sales.iloc[np.concatenate(rows)]
        kinds = {"property type": sales["property_type"].to_numpy()} if "property_type" in sales else {}
        price, seed = sales["sale_price"].to_numpy(dtype=float), self.run.plan.seed
        return gate(price, answers[0], answers[1], kinds, self.run.problem, seed)

    def _note(self, one: Transition) -> None:
        self.transitions.append(one)
        name = f"{one.kind} {one.period}"
        self.alerts[one.kind] = Alert(one.alert_id or name, one.kind, one.segment, one.state, one.period)


def document(done: Backtest) -> dict[str, Any]:
    """Return a backtest as JSON values."""
    cause, judged = done.cause, done.gate
    return {
        "first": done.first.isoformat(),
        "trained_on": done.trained,
        "months": [
            {
                "month": f"{month.start:%Y-%m}",
                "n": month.off.mape.n,
                **_columns("off", month.off),
                **_columns("on", month.on),
                **_columns("retrained", month.retrained),
            }
            for month in done.months
        ],
        "alerts": [
            {"kind": str(one.kind), "state": str(one.state), "period": one.period, "words": one.words}
            for one in done.transitions
        ],
        "cause": None if cause is None else {"leading": str(cause.leading), "words": cause.words},
        "gate": None if judged is None else {"verdict": str(judged.verdict), "words": judged.words},
        "promoted": done.promoted.isoformat() if done.promoted else None,
    }


def _columns(track: str, figures: MonthFigures) -> Mapping[str, float]:
    return {
        f"mape_{track}": figures.mape.value,
        f"bias_{track}": figures.bias,
        f"coverage_{track}": figures.coverage,
    }


def _figures(answers: Answers, price: np.ndarray) -> MonthFigures:
    size = np.abs(answers.point / price - 1.0)
    spread = float(size.std(ddof=1)) if len(size) > 1 else float("nan")
    low, high = (float(bound) for bound in mean_interval(float(size.mean()), spread, len(size)))
    inside = (price >= answers.low) & (price <= answers.high)
    return MonthFigures(
        Figure(measures.mape(answers.point, price), low, high, len(price)),
        measures.median_bias(answers.point, price),
        float(inside.mean()),
    )


def _joined(parts: list[Answers]) -> Answers:
    return Answers(*(np.concatenate([getattr(one, name) for one in parts]) for name in ("point", "low", "high")))
