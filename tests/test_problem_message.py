"""Whatever is wrong in the problem statement, one line names the key, its value, the limit and the remedy."""

from __future__ import annotations

import copy
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import ProblemStatementError
from core.problem import DEFAULT_PATH, parse_problem

Document = dict[str, Any]
Steps = tuple[str | int, ...]

SHIPPED: Final[Document] = tomllib.loads(DEFAULT_PATH.read_text(encoding="utf-8"))
SHARE: Final = "must lie between 0 and 1, exclusive"
ABOVE_ZERO: Final = "must be above 0"
ZERO_OR_MORE: Final = "must be 0 or more"
PERCENTAGE: Final = "must lie between 0 and 100, exclusive"
QUANTILE: Final = "must lie between 0 and 1, inclusive"
SEED: Final = "must lie between 0 and 2000000000, inclusive"
# Each number of the shipped file by its rule, but for the limits, which may be any finite number.
BOUNDS: Final = {
    SHARE: """
        success.tolerance success.target_mape training.validation_share training.test_share training.latest_share
        estimate.level estimate.levels[0] estimate.levels[1] estimate.levels[2] estimate.critical_missing_share
        estimate.wide_range estimate.half_width_max decisions.explain_over decisions.note_over decisions.listing_markup
        monitoring.alert_mape
        monitoring.alert_volume_drop monitoring.alert_coverage_band monitoring.alert_level_shift
        monitoring.alert_hysteresis monitoring.gate_margin monitoring.gate_segment_margin""",
    ABOVE_ZERO: """
        success.answer_ms success.core_ms scope.units_max scope.price.USD.standard_low scope.price.USD.standard_high
        intake.upload_mb intake.sqft_per_bedroom_low training.sales_min training.forest_trees[0]
        training.forest_trees[1] training.forest_trees[2] training.forest_trees[3] training.forest_depth[0]
        training.forest_depth[1] training.forest_depth[2] training.forest_depth[3] training.forest_leaf[0]
        training.forest_leaf[1] training.forest_leaf[2] training.forest_budget training.forest_rows
        training.forest_fit_rows training.calibration_sales estimate.segment_min estimate.market_km
        decisions.note_chars monitoring.retrain_days monitoring.match_days monitoring.alert_p95_ms
        monitoring.alert_n_min monitoring.alert_periods monitoring.alert_volume_periods monitoring.gate_sales_min""",
    ZERO_OR_MORE: """
        intake.years_ahead estimate.small_sample_n estimate.comparables_min monitoring.alert_drifted_fields
        monitoring.alert_pending""",
    PERCENTAGE: "estimate.confidence_high estimate.confidence_medium",
    QUANTILE: "scope.price.elsewhere.low_quantile scope.price.elsewhere.high_quantile",
    SEED: "training.seed",
}
RULES: Final = {key: rule for rule, keys in BOUNDS.items() for key in keys.split()}


def leaves(value: object, path: Steps = ()) -> Iterator[tuple[Steps, object]]:
    """Yield the path and value of each setting that is neither a table nor a list."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from leaves(one, (*path, number))
    else:
        yield path, value


def key_of(path: Steps) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


LEAVES: Final = {key_of(path): path for path, _ in leaves(SHIPPED)}
NUMBERS: Final = {
    key_of(path) for path, value in leaves(SHIPPED) if isinstance(value, int | float) and not isinstance(value, bool)
}
# success.answer_ms = 500 and the like are whole in the file, but may be fractions.
WHOLE: Final = {"scope.units_max", "intake.upload_mb", "training.seed"} | {
    key for key in RULES if re.search(r"forest_|_(min|n|sales|chars|days|ahead|periods|fields|pending)$", key)
}


def bounds_of(rule: str) -> tuple[list[int], bool]:
    """Return the numbers a rule names, lowest first, and whether they are themselves out of bound."""
    return [int(one) for one in re.findall(r"\d+", rule)], "above" in rule or "excluded" in rule


def nearest_outside(rule: str) -> list[int]:
    """Return the whole numbers just outside what a rule allows."""
    bounds, excluded = bounds_of(rule)
    step = 0 if excluded else 1
    return [bounds[0] - step, *(high + step for high in bounds[1:])]


def outside(rule: str, whole: bool) -> st.SearchStrategy[int | float]:
    """Draw a number anywhere outside what a rule allows."""
    (low, *high), excluded = bounds_of(rule)
    lowest, *highest = nearest_outside(rule)
    drawn: list[st.SearchStrategy[int | float]] = [st.integers(max_value=lowest)]
    drawn += [st.integers(min_value=one) for one in highest]
    if not whole:
        drawn.append(st.floats(max_value=low, exclude_max=not excluded, allow_infinity=False))
        drawn += [st.floats(min_value=one, exclude_min=not excluded, allow_infinity=False) for one in high]
    return st.one_of(drawn)


def spoiled_at(path: Steps, value: object) -> Document:
    """Return a copy of the shipped statement with another value at a path."""
    document: Any = copy.deepcopy(SHIPPED)
    inside = document
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    return document


@pytest.fixture
def document() -> Document:
    return copy.deepcopy(SHIPPED)


def refusal(document: Mapping[str, Any]) -> str:
    with pytest.raises(ProblemStatementError) as caught:
        parse_problem(document)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_every_number_of_the_file_has_a_bound() -> None:
    bounded = {key for key in NUMBERS if not key.startswith("limits.")}
    assert bounded == set(RULES)


def test_the_nearest_number_out_of_each_bound_is_refused_by_key_value_limit_and_remedy() -> None:
    for key, rule in RULES.items():
        for value in nearest_outside(rule):
            message = refusal(spoiled_at(LEAVES[key], value))
            assert message == f"Key {key} = {value!r} {rule}. Correct it in the problem statement."


@given(key=st.sampled_from(sorted(RULES)), data=st.data())
def test_any_number_out_of_its_bound_is_refused_by_key_value_limit_and_remedy(key: str, data: st.DataObject) -> None:
    value = data.draw(outside(RULES[key], key in WHOLE))
    message = refusal(spoiled_at(LEAVES[key], value))
    assert message == f"Key {key} = {value!r} {RULES[key]}. Correct it in the problem statement."


def test_a_bound_that_is_included_is_accepted(document: Document) -> None:
    document["scope"]["price"]["elsewhere"] = {"low_quantile": 0, "high_quantile": 1}
    document["training"]["seed"] = 0
    for section, name in (("intake", "years_ahead"), ("estimate", "small_sample_n"), ("estimate", "comparables_min")):
        document[section][name] = 0
    assert parse_problem(document).scope.elsewhere.high_quantile == 1.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_may_be_infinite_or_undefined(value: float) -> None:
    for key in NUMBERS:
        message = refusal(spoiled_at(LEAVES[key], value))
        wanted = "whole" if key in WHOLE else "finite"
        assert message == f"Key {key} = {value!r} must be a {wanted} number. Correct it in the problem statement."


@given(
    key=st.sampled_from(sorted(LEAVES)),
    value=st.booleans() | st.text() | st.lists(st.integers()) | st.dictionaries(st.text(), st.integers()),
)
def test_a_value_of_another_type_is_refused_by_key_value_and_remedy(key: str, value: object) -> None:
    if key in NUMBERS:
        wanted = "a whole number" if key in WHOLE else "a number"
    else:
        wanted, value = "text in quotes", [value]
    message = refusal(spoiled_at(LEAVES[key], value))
    assert message.startswith(f"Key {key} = {repr(value)[:80]}")
    assert message.endswith(f" must be {wanted}. Correct it in the problem statement.")


SETTINGS: Final = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=5,
)


@given(section=st.sampled_from(sorted(SHIPPED)), name=st.text(), value=SETTINGS)
@example(section="limits", name="a\nb", value={"low": 1, "high": 0})
@example(section="limits", name="bedrooms", value={"low": 10**400, "high": 0})
@settings(max_examples=50)
def test_whatever_the_file_holds_the_refusal_is_one_line(section: str, name: str, value: object) -> None:
    unknown = refusal({**SHIPPED, section: {**SHIPPED[section], name: value}})
    assert unknown.startswith(f"Key {section}")
    assert refusal({**SHIPPED, section: value}).startswith(f"Key {section}")
    assert "is missing from the problem statement" in refusal({name: value})


def test_all_wrong_keys_are_named_the_first_in_full(document: Document) -> None:
    document["intake"]["upload_mb"] = 0
    document["success"]["tolerance"] = 10
    assert refusal(document) == (
        "Key success.tolerance = 10 must lie between 0 and 1, exclusive. Correct it in the problem statement. "
        "Also wrong: intake.upload_mb."
    )
    document["monitoring"] |= {"retrain_days": 0, "match_days": 0, "alert_n_min": 0}
    message = refusal(document)
    assert message.endswith(" Also wrong: intake.upload_mb, monitoring.retrain_days, monitoring.match_days and 1 more.")


def test_the_quantiles_elsewhere_are_read_from_the_table_of_prices_alone(document: Document) -> None:
    elsewhere = document["scope"]["elsewhere"] = document["scope"]["price"].pop("elsewhere")
    message = refusal(document)
    assert message.startswith("Key scope.price.elsewhere is missing from the problem statement: add it with ")
    assert message.endswith(" Also wrong: scope.elsewhere.")
    document["scope"]["price"]["elsewhere"] = elsewhere
    assert refusal(document).startswith("Key scope.elsewhere is unknown; allowed here: price, residential_types")
    del document["scope"]["elsewhere"]
    elsewhere["quantile"] = 0.5
    assert refusal(document).startswith(
        "Key scope.price.elsewhere.quantile is unknown; allowed here: high_quantile, low_quantile."
    )
