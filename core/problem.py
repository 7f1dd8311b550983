"""Phase 1, the problem: the typed, validated statement of goal, scope, limits and thresholds in assets/problem.toml.

Each bound is defined at its field, and a rule that relates two fields in the section that holds both.
``python -m core.problem`` prints the JSON schema with which an editor checks the file as you type.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import (
    AfterValidator,
    AliasPath,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from core.errors import ProblemStatementError
from core.installation import ASSETS
from core.problem_message import describe, plain
from core.schema import FIELD_BY_NAME, FieldKind

DEFAULT_PATH: Final = ASSETS / "problem.toml"

_T = TypeVar("_T")

_ELSEWHERE: Final = "elsewhere"


class Table(Mapping[str, _T]):
    """A read-only mapping that can be pickled, unlike ``types.MappingProxyType``: jobs run in spawned processes."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Mapping[str, _T]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, key: str) -> _T:
        return self._entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Table({self._entries!r})"


def _without_elsewhere(prices: object) -> object:
    """Leave only the currencies of ``scope.price``: its table ``elsewhere`` is a separate field."""
    return {key: one for key, one in prices.items() if key != _ELSEWHERE} if isinstance(prices, Mapping) else prices


Text = Annotated[str, Strict()]
Switch = Annotated[bool, Strict()]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Share = Annotated[Number, Field(gt=0, lt=1)]
Shares = Annotated[tuple[Share, ...], Field(min_length=1)]
Quantile = Annotated[Number, Field(ge=0, le=1)]
Percentage = Annotated[Number, Field(gt=0, lt=100)]
Positive = Annotated[Number, Field(gt=0)]
Count = Annotated[int, Field(strict=True, ge=0)]
PositiveCount = Annotated[int, Field(strict=True, gt=0)]
PositiveCounts = Annotated[tuple[PositiveCount, ...], Field(min_length=1)]
# LightGBM takes a 31-bit seed, and the blend adds a small number to it.
Seed = Annotated[int, Field(strict=True, ge=0, le=2_000_000_000)]
NonEmptyTable = Annotated[Mapping[str, _T], Field(min_length=1), AfterValidator(Table)]
CurrencyTable = Annotated[Mapping[str, _T], BeforeValidator(_without_elsewhere), AfterValidator(Table)]


def _put_elsewhere_under_price(schema: dict[str, Any]) -> None:
    properties = schema["properties"]
    properties["price"] |= {"properties": {_ELSEWHERE: properties.pop(_ELSEWHERE)}, "required": [_ELSEWHERE]}
    schema["required"].remove(_ELSEWHERE)


_SECTION: Final = ConfigDict(extra="forbid")
_SCOPE: Final = ConfigDict(
    extra="forbid",
    # The file is read only by alias (see parse_problem); dataclasses.replace passes field names.
    validate_by_alias=True,
    validate_by_name=True,
    json_schema_extra=_put_elsewhere_under_price,
)


def _require(holds: bool, key: tuple[str, ...], rule: str) -> None:
    """Raise the error of a rule that relates two fields; ``key`` is the path of the field to correct."""
    if not holds:
        raise PydanticCustomError("relation", "{key} {rule}", {"key": ".".join(key), "path": key, "rule": rule})


@dataclass(frozen=True, config=_SECTION)
class Goal:
    """What the business wants, what the model estimates and who uses it."""

    business: Text
    task: Text
    users: Texts


@dataclass(frozen=True, config=_SECTION)
class Success:
    """The success criteria: shares as fractions, times in milliseconds."""

    tolerance: Share
    target_mape: Share
    answer_ms: Positive
    core_ms: Positive


@dataclass(frozen=True, config=_SECTION)
class PriceScope:
    """Standard prices in one currency; an estimate outside them is flagged for review."""

    standard_low: Positive
    standard_high: Positive


@dataclass(frozen=True, config=_SECTION)
class PriceScopeElsewhere:
    """Quantiles of a market's own prices that bound its standard scope if its currency has no fixed one."""

    low_quantile: Quantile
    high_quantile: Quantile

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Self:
        rule = f"must be below high_quantile = {plain(self.high_quantile)}"
        _require(self.low_quantile < self.high_quantile, ("low_quantile",), rule)
        return self


@dataclass(frozen=True, config=_SCOPE)
class Scope:
    """Which homes the model is for; ``price`` holds the fixed bounds by currency."""

    residential_types: Texts
    unusual_types: Texts
    unusual_zoning: Texts
    units_max: PositiveCount
    price: CurrencyTable[PriceScope]
    elsewhere: Annotated[PriceScopeElsewhere, Field(validation_alias=AliasPath("price", _ELSEWHERE))]

    # Not in PriceScope: the quantiles may coincide in a market where all homes sold for the same price.
    @model_validator(mode="after")
    def _each_low_price_is_below_the_high_one(self) -> Self:
        for currency, price in self.price.items():
            rule = f"must be below standard_high = {plain(price.standard_high)}"
            _require(price.standard_low < price.standard_high, ("price", currency, "standard_low"), rule)
        return self


@dataclass(frozen=True, config=_SECTION)
class Limit:
    """Bounds, both inclusive, outside which a value is impossible."""

    low: Number
    high: Number

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Self:
        _require(self.low < self.high, ("low",), f"must be below high = {plain(self.high)}")
        return self

    def holds(self, value: float) -> bool:
        """Return whether the value is possible."""
        return self.low <= value <= self.high


@dataclass(frozen=True, config=_SECTION)
class Intake:
    """Rules for reading files of sales: the size in MB, the rest in years and sq ft."""

    upload_mb: PositiveCount
    years_ahead: Count
    sqft_per_bedroom_low: Positive
    non_market: Texts

    @property
    def upload_bytes(self) -> int:
        """The largest file to be read, in bytes."""
        return self.upload_mb * 1024 * 1024


@dataclass(frozen=True, config=_SECTION)
class Training:
    """Splits, seed and the forest settings that are searched; shares as fractions."""

    validation_share: Share
    test_share: Share
    latest_share: Share
    sales_min: PositiveCount
    seed: Seed
    forest_trees: PositiveCounts
    forest_depth: PositiveCounts
    forest_leaf: PositiveCounts
    forest_budget: PositiveCount
    forest_rows: PositiveCount
    forest_fit_rows: PositiveCount
    calibration_sales: PositiveCount

    @model_validator(mode="after")
    def _something_is_left_for_training(self) -> Self:
        rule = f"must leave at least 10% for training with training.validation_share = {plain(self.validation_share)}"
        _require(self.validation_share + self.test_share < 0.9, ("test_share",), rule)
        return self


@dataclass(frozen=True, config=_SECTION)
class EstimateRules:
    """Range levels, and when an estimate is withheld or flagged.

    Shares and levels are fractions, confidence is a percentage, ``market_km`` is in kilometers. ``wide_range`` is the
    whole width of a range and ``half_width_max`` half of it, both as shares of the estimate.
    """

    level: Share
    levels: Shares
    critical: Texts
    critical_missing_share: Share
    segment_min: PositiveCount
    small_sample_n: Count
    confidence_high: Percentage
    confidence_medium: Percentage
    market_km: Positive
    wide_range: Share
    half_width_max: Share
    comparables_min: Count

    @model_validator(mode="after")
    def _level_is_offered(self) -> Self:
        levels = ", ".join(plain(level) for level in self.levels)
        _require(self.level in self.levels, ("level",), f"must be one of estimate.levels = [{levels}]")
        return self

    @model_validator(mode="after")
    def _medium_confidence_is_below_high(self) -> Self:
        rule = f"must be below estimate.confidence_high = {plain(self.confidence_high)}"
        _require(self.confidence_medium < self.confidence_high, ("confidence_medium",), rule)
        return self


@dataclass(frozen=True, config=_SECTION)
class Decisions:
    """What an agent must record with a decision; shares are of the point estimate.

    ``reasons`` maps reason codes to words. A price farther from the estimate than ``explain_over`` needs a reason; one
    farther than ``note_over`` also needs a note of at most ``note_chars`` characters. ``listing_markup`` is what a
    usual listing price adds.
    """

    explain_over: Share
    note_over: Share
    note_chars: PositiveCount
    listing_markup: Share
    reasons: NonEmptyTable[Text]

    @model_validator(mode="after")
    def _a_note_comes_with_a_reason(self) -> Self:
        rule = f"must be at most decisions.note_over = {plain(self.note_over)}"
        _require(self.explain_over <= self.note_over, ("explain_over",), rule)
        return self


@dataclass(frozen=True, config=_SECTION)
class PromotionRules:
    """Who may make a model live: ``by_another`` demands somebody else than who trained it."""

    by_another: Switch


@dataclass(frozen=True, config=_SECTION)
class Monitoring:
    """Default alert thresholds, the retraining period and the margins of the promotion gate.

    Shares are fractions, times in milliseconds. ``alert_coverage_band`` is how far a range's coverage may be from its
    level. An alert resolves once its figure is better than the limit by ``alert_hysteresis`` of that limit.
    An estimate at most ``match_days`` old is compared with a sale of the same home.
    """

    alert_mape: Share
    alert_volume_drop: Share
    alert_p95_ms: Positive
    alert_coverage_band: Share
    alert_level_shift: Share
    alert_drifted_fields: Count
    alert_pending: Count
    retrain_days: PositiveCount
    match_days: PositiveCount
    alert_n_min: PositiveCount
    alert_periods: PositiveCount
    alert_hysteresis: Share
    alert_volume_periods: PositiveCount
    gate_sales_min: PositiveCount
    gate_margin: Share
    gate_segment_margin: Share


_LIMITED: Final = frozenset(name for name, field in FIELD_BY_NAME.items() if field.kind is FieldKind.NUMBER)
# Whatever else a statement leaves unlimited, a sale outside these limits is not a home sale.
_LIMITS_NEEDED: Final = (
    "sale_price",
    "living_area_sqft",
    "lot_area_sqft",
    "bedrooms",
    "bathrooms",
    "floors",
    "units",
    "year_built",
    "year_renovated",
    "garage_spaces",
)


@dataclass(frozen=True, config=_SECTION)
class Problem:
    """The whole statement; ``limits`` are keyed by canonical field name."""

    goal: Goal
    success: Success
    scope: Scope
    limits: NonEmptyTable[Limit]
    intake: Intake
    training: Training
    estimate: EstimateRules
    decisions: Decisions
    promotion: PromotionRules
    monitoring: Monitoring

    @model_validator(mode="after")
    def _no_alert_while_the_promise_holds(self) -> Self:
        promise = self.success.target_mape
        rule = f"must be at least success.target_mape = {plain(promise)}, the promise itself"
        _require(promise <= self.monitoring.alert_mape, ("monitoring", "alert_mape"), rule)
        return self

    @model_validator(mode="after")
    def _limits_are_of_the_facts_there_are(self) -> Self:
        for name in self.limits:
            near = get_close_matches(name, _LIMITED, 1, 0.0)[0]
            rule = f"must be the limit of a number Doorstep keeps; the nearest name is {near}"
            _require(name in _LIMITED, ("limits", name), rule)
        for name in _LIMITS_NEEDED:
            if name not in self.limits:
                raise PydanticCustomError("missing", "{key} is missing", {"key": name, "path": ("limits", name)})
        return self


def load_problem(path: Path = DEFAULT_PATH) -> Problem:
    """Read and check the problem statement.

    Raises ProblemStatementError with one line: for an unreadable file, its path; for a wrong setting, its key, its
    value, what is allowed and what to do.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProblemStatementError(
            f"The problem statement {path} cannot be read: {error.strerror}. Restore the file from the release."
        ) from error
    except UnicodeDecodeError as error:
        raise ProblemStatementError(f"The problem statement {path} is not UTF-8 text: save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise ProblemStatementError(
            f"The problem statement {path} is not valid TOML: {error}. Correct the file."
        ) from error
    return parse_problem(document)


def parse_problem(document: Mapping[str, Any]) -> Problem:
    """Build the statement from parsed TOML; raises ProblemStatementError as load_problem does."""
    try:
        return TypeAdapter(Problem).validate_python(dict(document), by_alias=True, by_name=False)
    except ValidationError as error:
        raise ProblemStatementError(describe(error, document, problem_schema())) from error


def problem_schema() -> dict[str, Any]:
    """Return the JSON schema of assets/problem.toml: its keys, types and the bounds of single fields."""
    return TypeAdapter(Problem).json_schema()


if __name__ == "__main__":
    print(json.dumps(problem_schema(), indent=2))
