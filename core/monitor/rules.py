"""The kinds of alerts: each has a rule with everything specific to it.

To add a kind, touch four files: its member of ``AlertKind`` and its rule in ``RULES`` here, its default limit in
assets/problem.toml, the field of that limit in core/problem.py, and the reading it judges in
core/workflows/monitoring/readings.py. Everything else follows from the rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median
from typing import Final

from core.errors import InvalidThreshold
from core.monitor.windows import Window
from core.problem import Problem
from core.wording import bound, count, days, percent

TYPE_SEGMENT: Final = "property type "
"""The prefix of an alert's segment for one property type."""

USUAL_MIN: Final = 3
"""With fewer earlier periods, nothing is usual."""


class AlertKind(StrEnum):
    """What an alert is about."""

    ERROR_HIGH = "error_high"
    TARGET_MISSED = "target_missed"
    VOLUME_DOWN = "volume_down"
    SLOW = "slow"
    COVERAGE_OFF = "coverage_off"
    FEATURE_DRIFT = "feature_drift"
    LEVEL_DRIFT = "level_drift"
    LEDGER_FAILURES = "ledger_failures"
    RETRAINING_OVERDUE = "retraining_overdue"
    MODEL_UNVERIFIED = "model_unverified"


class Unit(StrEnum):
    """The unit of a threshold."""

    SHARE = "share"
    MILLISECONDS = "milliseconds"
    COUNT = "count"
    POINTS = "points"
    DAYS = "days"


@dataclass(frozen=True)
class Threshold:
    """The limit of one kind of alert; a manager may set ``value`` from ``low`` to ``high``, inclusive.

    A period with fewer than ``n_min`` sales or estimates does not count. ``periods`` in a row beyond the limit open an
    alert; as many in a row, better than the limit by the share ``hysteresis``, resolve it. Distances are measured from
    ``centre``; days are written as in markets of ``currency``. Raises InvalidThreshold if the value is out of bounds.
    """

    name: AlertKind
    value: float
    low: float
    high: float
    n_min: int
    periods: int
    unit: Unit
    why: str
    hysteresis: float
    centre: float = 0.0
    earlier: int = 0
    currency: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.low <= self.value <= self.high):
            raise InvalidThreshold(
                f"{self._limit} = {self._given} must lie between {self.bound(self.low)} "
                f"and {self.bound(self.high)}. Choose a value in that range."
            )
        if self.unit in (Unit.COUNT, Unit.DAYS) and self.value != round(self.value):
            raise InvalidThreshold(f"{self._limit} = {self.value:g} must be a whole number. Round it.")
        if self.periods < 1 or self.n_min < 0 or not 0 <= self.hysteresis < 1:
            raise InvalidThreshold(
                f"{self._limit} needs periods = {self.periods} of at least 1, n_min = {self.n_min} of at "
                f"least 0 and hysteresis = {self.hysteresis:g} from 0 to below 1. Correct the problem statement."
            )

    @property
    def resolves_at(self) -> float:
        """The measure at which an alert resolves: better than the limit by the hysteresis."""
        return self.value * (1 - self.hysteresis)

    @property
    def _limit(self) -> str:
        return f"The limit of “{RULE_OF[self.name].title}”"

    @property
    def _given(self) -> str:
        if math.isnan(self.value):
            return "NaN"
        return self.bound(self.value) if math.isfinite(self.value) else f"{self.value:g}"

    def changed(self, value: float) -> Threshold:
        """Return the threshold with another value; raises InvalidThreshold if it is out of bounds."""
        return replace(self, value=value)

    def bound(self, number: float) -> str:
        """Write a number that was set, such as the limit itself, in the threshold's unit."""
        match self.unit:
            case Unit.SHARE:
                return bound(number)
            case Unit.POINTS:
                points = bound(number).removesuffix("%")
                return f"{points} point" if points == "1" else f"{points} points"
            case Unit.COUNT:
                return count(round(number), RULE_OF[self.name].counted)
        return self.written(number)

    def written(self, number: float) -> str:
        """Write a measured number in the threshold's unit."""
        if self.unit in (Unit.SHARE, Unit.POINTS):
            return percent(number, 1)
        if self.unit is Unit.DAYS:
            return days(number)
        return f"{number:,.0f} ms" if self.unit is Unit.MILLISECONDS else f"{number:,.0f}"


@dataclass(frozen=True)
class Reading:
    """One figure of one period, for all sales if ``segment`` is empty; ``low`` and ``high`` are NaN if unknown.

    ``value`` by kind: error_high, target_missed: MAPE; volume_down: number of estimates, even if it is 0; slow: p95 in
    ms; coverage_off: share of sales inside their range; feature_drift: number of drifted facts; level_drift: the
    shift as a share; ledger_failures: estimates not written; retraining_overdue: age of the live model in days.
    Readings of accuracy must cover only the live model's estimates: a retired model's say nothing about it.
    """

    kind: AlertKind
    segment: str
    period: Window
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Judged:
    """A reading with its measure, which is bad above the threshold's value, and the usual value if there is one."""

    reading: Reading
    measure: float
    usual: float = math.nan


def by_value(row: Sequence[Reading], threshold: Threshold) -> list[Judged]:
    """Measure each reading that has enough sales or estimates by its value."""
    return [Judged(one, one.value) for one in row if one.n >= threshold.n_min]


def _no_centre(_: Problem) -> float:
    return 0.0


@dataclass(frozen=True)
class AlertRule:
    """Everything specific to one kind of alert.

    ``limit`` reads the default limit from the problem statement; a manager may set it from ``low`` to ``high``. ``why``
    gives the reason for that limit. ``measured`` states what was measured where and when, ``beyond`` names the limit,
    and ``action`` says what to do next. An alert ``of_the_model`` is about the live model's estimates: it is settled
    when another model goes live, and retraining may fix it. One that is ``explained`` includes the root cause of the
    error. A ``daily`` one judges only the current day, without a minimum number. ``judge`` turns the readings of a run
    of periods into measures; ``centre`` is the value from which a distance is measured, ``counted`` the thing counted.
    """

    kind: AlertKind
    title: str
    unit: Unit
    low: float
    high: float
    limit: Callable[[Problem], float]
    why: str
    measured: Callable[[Judged, Threshold, str, str], str]
    action: str
    beyond: str = "the limit of {}"
    of_the_model: bool = False
    explained: bool = False
    daily: bool = False
    judge: Callable[[Sequence[Reading], Threshold], list[Judged]] = by_value
    centre: Callable[[Problem], float] = _no_centre
    counted: str = ""

    @property
    def calls_for_training(self) -> bool:
        """Tell whether an open alert may start a retraining; calendar alerts have their own schedule."""
        return self.of_the_model and not self.daily

    def threshold(self, problem: Problem) -> Threshold:
        """Return the default threshold; raises InvalidThreshold if the problem statement's is out of bounds."""
        rules = problem.monitoring
        return Threshold(
            name=self.kind,
            value=self.limit(problem),
            low=self.low,
            high=self.high,
            n_min=0 if self.daily else rules.alert_n_min,
            periods=1 if self.daily else rules.alert_periods,
            unit=self.unit,
            why=self.why,
            hysteresis=0.0 if self.daily else rules.alert_hysteresis,
            centre=self.centre(problem),
            earlier=rules.alert_volume_periods,
        )


def by_distance(row: Sequence[Reading], threshold: Threshold) -> list[Judged]:
    """Measure each reading by its distance from the center, 0 if its interval contains the center."""
    known = [one for one in row if one.n >= threshold.n_min and math.isfinite(one.low + one.high)]
    return [Judged(one, _distance(one, threshold.centre)) for one in known]


def is_within(one: Judged, threshold: Threshold) -> bool:
    """Tell whether a reading itself is within its limit, not only too unsure to be beyond it (see ``by_distance``)."""
    if RULE_OF[threshold.name].judge is not by_distance:
        return one.measure <= threshold.value
    return abs(one.reading.value - threshold.centre) <= threshold.value


def by_drop(row: Sequence[Reading], threshold: Threshold) -> list[Judged]:
    """Measure each reading by its drop below the median of the periods before it, as a share."""
    found = []
    for place, one in enumerate(row):
        before = [earlier.value for earlier in row[max(0, place - threshold.earlier) : place]]
        usual = median(before) if len(before) >= USUAL_MIN else 0.0
        if usual > 0 and usual >= threshold.n_min:
            found.append(Judged(one, 1 - one.value / usual, usual))
    return found


def _distance(one: Reading, centre: float) -> float:
    return 0.0 if one.low <= centre <= one.high else abs(one.value - centre)


def _error(one: Judged, threshold: Threshold, where: str, when: str) -> str:
    value = threshold.written(one.reading.value)
    return f"The mean error (MAPE){where} was {value} {when} ({_sales(one.reading, threshold)})"


def _volume(one: Judged, _: Threshold, where: str, when: str) -> str:
    change = f"{percent(abs(one.measure))} {'below' if one.measure >= 0 else 'above'} the usual {one.usual:,.0f}"
    return f"{count(round(one.reading.value), 'estimate')}{where} {when} are {change}"


def _slow(one: Judged, threshold: Threshold, where: str, when: str) -> str:
    value, n = threshold.written(one.reading.value), count(one.reading.n, "estimate")
    return f"One answer in twenty{where} took {value} or more {when} ({n})"


def _coverage(one: Judged, threshold: Threshold, where: str, when: str) -> str:
    level, value = percent(threshold.centre), threshold.written(one.reading.value)
    return f"The {level} range{where} held {value} of the sales {when} ({_sales(one.reading, threshold)})"


def _drifted(one: Judged, _: Threshold, where: str, when: str) -> str:
    facts, homes = count(round(one.reading.value), "fact"), count(one.reading.n, "home")
    return f"{facts} of the {homes} priced{where} {when} differ from the model's training sales"


def _level(one: Judged, threshold: Threshold, where: str, when: str) -> str:
    side = "above" if one.reading.value > 0 else "below"
    moved = f"{threshold.written(abs(one.reading.value))} {side} the level the model expects"
    return f"Homes{where} sold {moved} {when} ({_sales(one.reading, threshold)})"


def _pending(one: Judged, _: Threshold, where: str, when: str) -> str:
    waiting = count(round(one.reading.value), "estimate")
    return f"{waiting}{where} could not be written to the ledger and are waiting on disk ({when})"


def _overdue(one: Judged, threshold: Threshold, where: str, when: str) -> str:
    return f"The live model{where} is {threshold.written(one.reading.value)} old ({when})"


def _unverified(one: Judged, _: Threshold, where: str, when: str) -> str:
    if one.reading.value:
        return f"The file of the live model{where} cannot be verified, so the model before it answers, if any ({when})"
    return f"The file of the live model{where} can be verified ({when})"


def _sales(reading: Reading, threshold: Threshold) -> str:
    return f"{_interval(reading, threshold)}{count(reading.n, 'sale')}"


def _interval(reading: Reading, threshold: Threshold) -> str:
    if not math.isfinite(reading.low + reading.high):
        return ""
    return f"{threshold.written(reading.low)} to {threshold.written(reading.high)}, "


RULES: Final[tuple[AlertRule, ...]] = (
    AlertRule(
        AlertKind.ERROR_HIGH,
        "Error too high",
        Unit.SHARE,
        0.02,
        0.50,
        lambda problem: problem.monitoring.alert_mape,
        "a broken promise to sellers",
        _error,
        "see the root cause, retrain with the latest sales and compare the challenger.",
        beyond="the alert limit of {}",
        of_the_model=True,
        explained=True,
    ),
    AlertRule(
        AlertKind.TARGET_MISSED,
        "Target missed",
        Unit.SHARE,
        0.02,
        0.50,
        lambda problem: problem.success.target_mape,
        "the promise itself",
        _error,
        "see which segments miss it; retraining with the latest sales is the usual remedy.",
        beyond="the target of {}",
        of_the_model=True,
        explained=True,
    ),
    AlertRule(
        AlertKind.VOLUME_DOWN,
        "Fewer estimates",
        Unit.SHARE,
        0.10,
        0.95,
        lambda problem: problem.monitoring.alert_volume_drop,
        "agents turned away, or the service is down",
        _volume,
        "ask the offices whether they reach the desk, and look at the unavailable answers.",
        beyond="a drop of {}",
        judge=by_drop,
    ),
    AlertRule(
        AlertKind.SLOW,
        "Slow answers",
        Unit.MILLISECONDS,
        50,
        60_000,
        lambda problem: problem.monitoring.alert_p95_ms,
        "the client waits with the agent",
        _slow,
        "see which model and office are slow, and whether files of many homes run at busy hours.",
        beyond="the alert limit of {}",
    ),
    AlertRule(
        AlertKind.COVERAGE_OFF,
        "Range off",
        Unit.POINTS,
        0.01,
        0.30,
        lambda problem: problem.monitoring.alert_coverage_band,
        "a range that does not hold the share it states is misleading",
        _coverage,
        "retrain, which measures the range anew, and see in the comparison whether it holds; warn agents until then.",
        beyond="the {} allowed around its level",
        of_the_model=True,
        judge=by_distance,
        centre=lambda problem: problem.estimate.level,
    ),
    AlertRule(
        AlertKind.FEATURE_DRIFT,
        "Homes drifted",
        Unit.COUNT,
        0,
        100,
        lambda problem: problem.monitoring.alert_drifted_fields,
        "the model prices homes unlike those it was trained on",
        _drifted,
        "see which facts moved: a file error, or homes the model must be trained on.",
        counted="fact",
        of_the_model=True,
    ),
    AlertRule(
        AlertKind.LEVEL_DRIFT,
        "Prices moved",
        Unit.SHARE,
        0.02,
        0.50,
        lambda problem: problem.monitoring.alert_level_shift,
        "a price level that moved uses up the promised accuracy before any other error",
        _level,
        "commit sales as they come, and the market level follows them; retrain if the error stays.",
        of_the_model=True,
        explained=True,
        judge=by_distance,
    ),
    AlertRule(
        AlertKind.LEDGER_FAILURES,
        "Ledger failures",
        Unit.COUNT,
        0,
        1_000_000,
        lambda problem: problem.monitoring.alert_pending,
        "the ledger must be complete",
        _pending,
        "free disk space or restore the database; waiting estimates are then written automatically.",
        counted="estimate",
        daily=True,
    ),
    AlertRule(
        AlertKind.RETRAINING_OVERDUE,
        "Retraining overdue",
        Unit.DAYS,
        7,
        1_095,
        lambda problem: problem.monitoring.retrain_days,
        "buyers change what they pay for, and an old model has not seen it",
        _overdue,
        "start a retraining; the challenger is promoted only if you say so.",
        of_the_model=True,
        daily=True,
    ),
    AlertRule(
        AlertKind.MODEL_UNVERIFIED,
        "Live model not verified",
        Unit.COUNT,
        0,
        1,
        # A file is verified or not; there is nothing to set.
        lambda _: 0.0,
        "a file that was altered after training may hold anything",
        _unverified,
        "run doorstep doctor; restore the file from a backup, or train or promote another model. Find out who altered "
        "it.",
        counted="file",
        of_the_model=True,
        daily=True,
    ),
)
"""A rule for each kind, in the order in which alerts are handled: errors before their possible causes."""

RULE_OF: Final = {rule.kind: rule for rule in RULES}
