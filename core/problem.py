"""Phase 1, the problem: the typed, validated statement of goal, scope, limits and thresholds in assets/problem.toml."""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from core.errors import ProblemStatementError
from core.installation import ASSETS

_T = TypeVar("_T")

DEFAULT_PATH: Final = ASSETS / "problem.toml"


@dataclass(frozen=True)
class Goal:
    """What the business wants and what the model is asked."""

    business: str
    task: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class Success:
    """How good is good enough: shares as fractions, times in milliseconds."""

    tolerance: float
    target_mape: float
    answer_ms: float
    core_ms: float


@dataclass(frozen=True)
class PriceScope:
    """Standard prices of one currency; outside them an estimate is flagged for review."""

    standard_low: float
    standard_high: float


@dataclass(frozen=True)
class PriceScopeElsewhere:
    """Quantiles of a market's own prices that bound its standard scope where its currency has no fixed one."""

    low_quantile: float
    high_quantile: float


@dataclass(frozen=True)
class Scope:
    """Which homes the model is for; ``price`` holds the fixed bounds by currency."""

    residential_types: tuple[str, ...]
    unusual_types: tuple[str, ...]
    unusual_zoning: tuple[str, ...]
    units_max: int
    price: Mapping[str, PriceScope]
    elsewhere: PriceScopeElsewhere


@dataclass(frozen=True)
class Limit:
    """Bounds, both inclusive, outside which a value is impossible."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Tell whether the value is possible."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Intake:
    """Rules of the intake of files."""

    upload_mb: int
    years_ahead: int
    sqft_per_bedroom_low: float
    non_market: tuple[str, ...]


@dataclass(frozen=True)
class Training:
    """Splits, seed and the searched forest settings."""

    validation_share: float
    test_share: float
    latest_share: float
    sales_min: int
    seed: int
    forest_trees: tuple[int, ...]
    forest_depth: tuple[int, ...]
    forest_leaf: tuple[int, ...]
    forest_budget: int
    forest_rows: int
    forest_fit_rows: int
    calibration_sales: int


@dataclass(frozen=True)
class EstimateRules:
    """What an estimate must hold and when it is withheld or flagged."""

    level: float
    levels: tuple[float, ...]
    critical: tuple[str, ...]
    critical_missing_share: float
    segment_min: int
    small_sample_n: int
    confidence_high: float
    confidence_medium: float
    market_km: float
    wide_range: float
    comparables_min: int


@dataclass(frozen=True)
class Decisions:
    """What an agent's decision on an estimate must say; shares are of the point estimate.

    ``reasons`` maps the code of a reason to its words. Beyond ``explain_over`` a reason is required, beyond
    ``note_over`` a note of at most ``note_chars`` characters too. ``listing_markup`` is what the usual listing price
    adds.
    """

    explain_over: float
    note_over: float
    note_chars: int
    listing_markup: float
    reasons: Mapping[str, str]


@dataclass(frozen=True)
class Monitoring:
    """Default alert thresholds, the retraining period and the margins of the promotion gate.

    Shares as fractions, times in milliseconds. ``alert_coverage_band`` is how far from its level a range may hold;
    ``alert_hysteresis`` by which share of its limit a figure must be better before its alert is resolved;
    ``match_days`` how old an estimate may be to be held against a sale.
    """

    alert_mape: float
    alert_volume_drop: float
    alert_p95_ms: float
    alert_coverage_band: float
    alert_level_shift: float
    alert_drifted_fields: int
    alert_pending: int
    retrain_days: int
    match_days: int
    alert_n_min: int
    alert_periods: int
    alert_hysteresis: float
    alert_volume_periods: int
    gate_sales_min: int
    gate_margin: float
    gate_segment_margin: float


@dataclass(frozen=True)
class Problem:
    """The whole statement; ``limits`` are by canonical field name."""

    goal: Goal
    success: Success
    scope: Scope
    limits: Mapping[str, Limit]
    intake: Intake
    training: Training
    estimate: EstimateRules
    decisions: Decisions
    monitoring: Monitoring


def load_problem(path: Path = DEFAULT_PATH) -> Problem:
    """Read and check the problem statement.

    Raises ProblemStatementError naming the file, the key, its value and what is allowed.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProblemStatementError(f"The problem statement {path} cannot be read: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ProblemStatementError(f"The problem statement {path} is not valid TOML: {error}.") from error
    return parse_problem(document)


def parse_problem(document: Mapping[str, Any]) -> Problem:
    """Build the statement from parsed TOML; raises ProblemStatementError as load_problem does."""
    sections = {field.name for field in dataclasses.fields(Problem)}
    _same_keys("", set(document), sections)
    problem = Problem(
        goal=_read(Goal, document["goal"], "goal"),
        success=_read(Success, document["success"], "success"),
        scope=_read_scope(document["scope"]),
        limits=types.MappingProxyType(
            {name: _read(Limit, bounds, f"limits.{name}") for name, bounds in document["limits"].items()}
        ),
        intake=_read(Intake, document["intake"], "intake"),
        training=_read(Training, document["training"], "training"),
        estimate=_read(EstimateRules, document["estimate"], "estimate"),
        decisions=_read(Decisions, document["decisions"], "decisions"),
        monitoring=_read(Monitoring, document["monitoring"], "monitoring"),
    )
    _check(problem)
    return problem


def _read_scope(section: Mapping[str, Any]) -> Scope:
    prices = section.get("price")
    if not isinstance(prices, dict) or "elsewhere" not in prices:
        raise ProblemStatementError("Key scope.price.elsewhere is missing: add low_quantile and high_quantile.")
    fixed = {
        currency: _read(PriceScope, bounds, f"scope.price.{currency}")
        for currency, bounds in prices.items()
        if currency != "elsewhere"
    }
    flat = {key: value for key, value in section.items() if key != "price"}
    elsewhere = _read(PriceScopeElsewhere, prices["elsewhere"], "scope.price.elsewhere")
    names = {field.name for field in dataclasses.fields(Scope)} - {"price", "elsewhere"}
    _same_keys("scope.", set(flat), names)
    values = _values(Scope, flat, "scope")
    return Scope(**values, price=types.MappingProxyType(fixed), elsewhere=elsewhere)


def _read(kind: type[_T], section: Any, where: str) -> _T:
    if not isinstance(section, dict):
        raise ProblemStatementError(f"Key {where} = {section!r} must be a table of settings.")
    _same_keys(f"{where}.", set(section), {field.name for field in dataclasses.fields(kind)})  # type: ignore[arg-type]
    return kind(**_values(kind, section, where))


def _values(kind: type, section: Mapping[str, Any], where: str) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {name: _coerce(hints[name], value, f"{where}.{name}") for name, value in section.items()}


def _coerce(hint: Any, value: Any, key: str) -> Any:
    if typing.get_origin(hint) is tuple:
        item = typing.get_args(hint)[0]
        if not isinstance(value, list) or not value:
            raise ProblemStatementError(f"Key {key} = {value!r} must be a non-empty list.")
        return tuple(_coerce(item, one, key) for one in value)
    if typing.get_origin(hint) is Mapping:
        if not isinstance(value, dict) or not value:
            raise ProblemStatementError(f"Key {key} = {value!r} must be a table with at least one entry.")
        item = typing.get_args(hint)[1]
        return types.MappingProxyType({name: _coerce(item, one, f"{key}.{name}") for name, one in value.items()})
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if hint in (int, str) and type(value) is hint:
        return value
    raise ProblemStatementError(f"Key {key} = {value!r} must be of type {hint.__name__}.")


def _same_keys(prefix: str, found: set[str], wanted: set[str]) -> None:
    for name in sorted(wanted - found):
        raise ProblemStatementError(f"Key {prefix}{name} is missing from the problem statement: add it.")
    for name in sorted(found - wanted):
        allowed = ", ".join(sorted(wanted))
        raise ProblemStatementError(f"Key {prefix}{name} is unknown; allowed here: {allowed}. Remove or rename it.")


def _check(problem: Problem) -> None:
    shares = {
        "success.within": problem.success.tolerance,
        "success.target_mape": problem.success.target_mape,
        "training.validation_share": problem.training.validation_share,
        "training.test_share": problem.training.test_share,
        "training.latest_share": problem.training.latest_share,
        "estimate.level": problem.estimate.level,
        "estimate.critical_missing_share": problem.estimate.critical_missing_share,
        "estimate.wide_range": problem.estimate.wide_range,
        "decisions.explain_over": problem.decisions.explain_over,
        "decisions.note_over": problem.decisions.note_over,
        "decisions.listing_markup": problem.decisions.listing_markup,
        "monitoring.alert_mape": problem.monitoring.alert_mape,
        "monitoring.alert_volume_drop": problem.monitoring.alert_volume_drop,
        "monitoring.alert_coverage_band": problem.monitoring.alert_coverage_band,
        "monitoring.alert_level_shift": problem.monitoring.alert_level_shift,
        "monitoring.alert_hysteresis": problem.monitoring.alert_hysteresis,
        "monitoring.gate_margin": problem.monitoring.gate_margin,
        "monitoring.gate_segment_margin": problem.monitoring.gate_segment_margin,
        **{f"estimate.levels[{index}]": level for index, level in enumerate(problem.estimate.levels)},
    }
    for key, share in shares.items():
        _demand(0 < share < 1, key, share, "must lie between 0 and 1, both excluded")
    _demand(
        problem.training.validation_share + problem.training.test_share < 0.9,
        "training.test_share",
        problem.training.test_share,
        "must leave at least 10 % for training beside training.validation_share",
    )
    _demand(
        problem.estimate.level in problem.estimate.levels,
        "estimate.level",
        problem.estimate.level,
        f"must be one of estimate.levels {list(problem.estimate.levels)}",
    )
    positive = {
        "success.answer_ms": problem.success.answer_ms,
        "success.core_ms": problem.success.core_ms,
        "scope.units_max": problem.scope.units_max,
        "intake.upload_mb": problem.intake.upload_mb,
        "training.sales_min": problem.training.sales_min,
        "training.forest_budget": problem.training.forest_budget,
        "training.forest_rows": problem.training.forest_rows,
        "training.forest_fit_rows": problem.training.forest_fit_rows,
        "training.calibration_sales": problem.training.calibration_sales,
        "estimate.segment_min": problem.estimate.segment_min,
        "estimate.market_km": problem.estimate.market_km,
        "decisions.note_chars": problem.decisions.note_chars,
        "monitoring.retrain_days": problem.monitoring.retrain_days,
        "monitoring.match_days": problem.monitoring.match_days,
        "monitoring.alert_p95_ms": problem.monitoring.alert_p95_ms,
        "monitoring.alert_n_min": problem.monitoring.alert_n_min,
        "monitoring.alert_periods": problem.monitoring.alert_periods,
        "monitoring.alert_volume_periods": problem.monitoring.alert_volume_periods,
        "monitoring.gate_sales_min": problem.monitoring.gate_sales_min,
    }
    for key, value in positive.items():
        _demand(value > 0, key, value, "must be above 0")
    counts = {
        "monitoring.alert_drifted_fields": problem.monitoring.alert_drifted_fields,
        "monitoring.alert_unwritten": problem.monitoring.alert_pending,
    }
    for key, value in counts.items():
        _demand(value >= 0, key, value, "must be 0 or more")
    _demand(
        problem.success.target_mape <= problem.monitoring.alert_mape,
        "monitoring.alert_mape",
        problem.monitoring.alert_mape,
        f"must be at least success.target_mape = {problem.success.target_mape:g}, the promise itself",
    )
    for name, limit in problem.limits.items():
        _demand(limit.low < limit.high, f"limits.{name}.low", limit.low, f"must be below high = {limit.high:g}")
    for currency, price in problem.scope.price.items():
        key = f"scope.price.{currency}.standard_low"
        _demand(
            0 < price.standard_low < price.standard_high,
            key,
            price.standard_low,
            "must lie between 0 and standard_high",
        )
    quantiles = problem.scope.elsewhere
    _demand(
        0 <= quantiles.low_quantile < quantiles.high_quantile <= 1,
        "scope.price.elsewhere.low_quantile",
        quantiles.low_quantile,
        "must lie between 0 and high_quantile, which is at most 1",
    )
    _demand(
        problem.decisions.explain_over <= problem.decisions.note_over,
        "decisions.explain_over",
        problem.decisions.explain_over,
        f"must be at most decisions.note_over = {problem.decisions.note_over:g}",
    )
    rules = problem.estimate
    _demand(
        0 < rules.confidence_medium < rules.confidence_high < 100,
        "estimate.confidence_medium",
        rules.confidence_medium,
        "must lie between 0 and estimate.confidence_high, which is below 100",
    )


def _demand(holds: bool, key: str, value: object, rule: str) -> None:
    if not holds:
        raise ProblemStatementError(f"Key {key} = {value!r} {rule}. Correct it in the problem statement.")
