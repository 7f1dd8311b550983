"""The problem statement: the shipped one loads, and every wrong setting is refused by key and value."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import ProblemStatementError
from core.prepare.quality.cleaning import QUANTITIES, TRUSTED
from core.problem import DEFAULT_PATH, Limit, Problem, load_problem, parse_problem, problem_schema
from core.schema import FIELD_BY_NAME

Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    return tomllib.loads(DEFAULT_PATH.read_text(encoding="utf-8"))


def test_the_shipped_statement_holds_the_promises_of_the_company(problem: Problem) -> None:
    assert problem.success.tolerance == problem.success.target_mape == 0.10
    assert (problem.scope.price["USD"].standard_low, problem.scope.price["USD"].standard_high) == (100_000, 800_000)
    assert (problem.training.validation_share, problem.training.test_share) == (0.2, 0.2)
    assert problem.monitoring.alert_mape == 0.12
    assert (problem.monitoring.alert_volume_drop, problem.monitoring.alert_p95_ms) == (0.5, 1_000)


def test_limits_are_of_canonical_fields(problem: Problem) -> None:
    assert set(problem.limits) <= set(FIELD_BY_NAME)


def test_bounds_of_a_limit_are_possible_values() -> None:
    limit = Limit(0, 20)
    assert limit.holds(0)
    assert limit.holds(20)
    assert not limit.holds(-0.1)
    assert not limit.holds(20.1)
    assert not limit.holds(float("nan"))


def test_the_statement_cannot_be_changed_in_use(problem: Problem) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.training.seed = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        problem.limits["bedrooms"] = Limit(0, 1)  # type: ignore[index]
    with pytest.raises(TypeError):
        problem.decisions.reasons["other"] = ""  # type: ignore[index]


def test_the_statement_reaches_another_process_whole_and_still_read_only(problem: Problem) -> None:
    sent = pickle.loads(pickle.dumps(problem))
    assert sent == problem
    assert dict(sent.limits) == dict(problem.limits)
    for table in (sent.limits, sent.scope.price, sent.decisions.reasons):
        with pytest.raises(TypeError):
            table["sale_price"] = Limit(0, 1)


def test_a_changed_copy_is_checked_too(problem: Problem) -> None:
    changed = dataclasses.replace(problem.scope, units_max=2)
    assert (changed.units_max, changed.elsewhere) == (2, problem.scope.elsewhere)
    assert dataclasses.replace(problem, limits=dict(problem.limits)) == problem
    with pytest.raises(ValidationError, match="greater than 0"):
        dataclasses.replace(problem.scope, units_max=0)
    with pytest.raises(ValidationError, match="low must be below high = -1"):
        dataclasses.replace(problem.limits["bedrooms"], high=-1)


def test_a_list_of_the_file_is_a_tuple_and_a_whole_number_may_stand_for_a_fraction(problem: Problem) -> None:
    assert problem.training.forest_trees == (50, 100, 150, 200)
    assert (problem.success.answer_ms, type(problem.success.answer_ms)) == (500.0, float)


def test_every_number_says_why_it_is_what_it_is() -> None:
    lines = DEFAULT_PATH.read_text(encoding="utf-8").splitlines()
    sections = [number for number, line in enumerate(lines) if line.startswith("[") and "=" not in line]
    for number in sections:
        body = []
        for line in lines[number + 1 :]:
            if line.startswith("["):
                break
            body.append(line)
        if lines[number] not in ("[goal]",):
            assert any(line.startswith("#") for line in body) or lines[number - 1].startswith("#"), lines[number]


def remove(document: Document) -> None:
    del document["training"]["seed"]


def remove_section(document: Document) -> None:
    del document["intake"]


def add_unknown(document: Document) -> None:
    document["training"]["sed"] = 42


def add_unknown_to_scope(document: Document) -> None:
    document["scope"]["colour"] = "blue"


def set_text_for_number(document: Document) -> None:
    document["training"]["seed"] = "42"


def set_flag_for_number(document: Document) -> None:
    document["success"]["tolerance"] = True


def set_fraction_for_count(document: Document) -> None:
    document["training"]["sales_min"] = 300.5


def set_empty_list(document: Document) -> None:
    document["training"]["forest_trees"] = []


def set_percent_for_share(document: Document) -> None:
    document["success"]["tolerance"] = 10


def set_level_not_offered(document: Document) -> None:
    document["estimate"]["level"] = 0.7


def set_zero(document: Document) -> None:
    document["intake"]["upload_mb"] = 0


def set_shares_of_everything(document: Document) -> None:
    document["training"]["test_share"] = 0.8


def set_empty_limit(document: Document) -> None:
    document["limits"]["bedrooms"] = {"low": 20, "high": 20}


def set_scope_upside_down(document: Document) -> None:
    document["scope"]["price"]["USD"]["standard_low"] = 900_000


def set_quantiles_upside_down(document: Document) -> None:
    document["scope"]["price"]["elsewhere"]["low_quantile"] = 0.95


def set_confidence_upside_down(document: Document) -> None:
    document["estimate"]["confidence_medium"] = 70


def remove_elsewhere(document: Document) -> None:
    del document["scope"]["price"]["elsewhere"]


def set_note_before_reason(document: Document) -> None:
    document["decisions"]["note_over"] = 0.01


def remove_reasons(document: Document) -> None:
    document["decisions"]["reasons"] = {}


def set_number_for_words(document: Document) -> None:
    document["decisions"]["reasons"]["other"] = 1


def set_value_for_table(document: Document) -> None:
    document["limits"]["bedrooms"] = 20


def set_alert_below_promise(document: Document) -> None:
    document["monitoring"]["alert_mape"] = 0.08


def set_hysteresis_of_everything(document: Document) -> None:
    document["monitoring"]["alert_hysteresis"] = 1.0


def set_no_period(document: Document) -> None:
    document["monitoring"]["alert_periods"] = 0


def misspell_a_limit(document: Document) -> None:
    document["limits"]["bedroms"] = document["limits"].pop("bedrooms")


def remove_a_limit(document: Document) -> None:
    del document["limits"]["sale_price"]


def test_what_cleaning_reads_of_the_limits_must_be_there(document: Document) -> None:
    for name in (*TRUSTED, *QUANTITIES):
        spoiled = copy.deepcopy(document)
        del spoiled["limits"][name]
        with pytest.raises(ProblemStatementError, match=rf"limits\.{name} is missing"):
            parse_problem(spoiled)


def set_negative_count(document: Document) -> None:
    document["monitoring"]["alert_pending"] = -1


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (remove, r"training\.seed is missing"),
        (remove_section, r"intake is missing"),
        (add_unknown, r"training\.sed is unknown; allowed here:.*seed"),
        (add_unknown_to_scope, r"scope\.colour is unknown"),
        (set_text_for_number, r"training\.seed = '42' must be a whole number"),
        (set_flag_for_number, r"success\.tolerance = True must be a number"),
        (set_fraction_for_count, r"training\.sales_min = 300\.5 must be a whole number"),
        (set_empty_list, r"training\.forest_trees = \[\] must be a non-empty list"),
        (set_percent_for_share, r"success\.tolerance = 10 must lie between 0 and 1, exclusive"),
        (set_level_not_offered, r"estimate\.level = 0\.7 must be one of estimate\.levels = \[0\.5, 0\.8, 0\.9\]"),
        (set_zero, r"intake\.upload_mb = 0 must be above 0"),
        (
            set_shares_of_everything,
            r"training\.test_share = 0\.8 must leave at least 10% .* with training\.validation_share = 0\.2",
        ),
        (set_empty_limit, r"limits\.bedrooms\.low = 20 must be below high = 20"),
        (set_scope_upside_down, r"scope\.price\.USD\.standard_low = 900000 must be below standard_high = 800000"),
        (
            set_quantiles_upside_down,
            r"scope\.price\.elsewhere\.low_quantile = 0\.95 must be below high_quantile = 0\.9",
        ),
        (set_confidence_upside_down, r"estimate\.confidence_medium = 70 must be below estimate\.confidence_high = 65"),
        (remove_elsewhere, r"scope\.price\.elsewhere is missing.*: add it with high_quantile, low_quantile"),
        (set_note_before_reason, r"decisions\.explain_over = 0\.05 must be at most decisions\.note_over = 0\.01"),
        (remove_reasons, r"decisions\.reasons = \{\} must be a table with at least one entry"),
        (set_number_for_words, r"decisions\.reasons\.other = 1 must be text in quotes"),
        (set_alert_below_promise, r"monitoring\.alert_mape = 0\.08 must be at least success\.target_mape = 0\.1"),
        (set_hysteresis_of_everything, r"monitoring\.alert_hysteresis = 1\.0 must lie between 0 and 1, exclusive"),
        (set_no_period, r"monitoring\.alert_periods = 0 must be above 0"),
        (set_negative_count, r"monitoring\.alert_pending = -1 must be 0 or more"),
        (set_value_for_table, r"limits\.bedrooms = 20 must be a table of settings"),
        (misspell_a_limit, r"limits\.bedroms = .* must be the limit of a number .* the nearest name is bedrooms"),
        (remove_a_limit, r"limits\.sale_price is missing from the problem statement: add it with high, low"),
    ],
)
def test_a_wrong_setting_is_refused_by_key_and_value(
    document: Document, spoil: Callable[[Document], None], named: str
) -> None:
    spoiled = copy.deepcopy(document)
    spoil(spoiled)
    parse_problem(document)
    with pytest.raises(ProblemStatementError, match=named):
        parse_problem(spoiled)


def test_the_schema_for_editors_is_up_to_date_and_named_in_the_file() -> None:
    file = DEFAULT_PATH.with_name("problem.schema.json")
    assert json.loads(file.read_text(encoding="utf-8")) == problem_schema(), (
        f"{file.name} is out of date; regenerate it: python -m core.problem > assets/problem.schema.json"
    )
    assert DEFAULT_PATH.read_text(encoding="utf-8").startswith(f"#:schema ./{file.name}\n")


def test_the_schema_for_editors_has_each_key_of_the_file_with_its_bound(document: Document) -> None:
    schema = problem_schema()
    share = schema["$defs"]["Success"]["properties"]["tolerance"]
    assert (share["type"], share["exclusiveMinimum"], share["exclusiveMaximum"]) == ("number", 0, 1)
    assert set(schema["properties"]) == set(document)
    price = schema["$defs"]["Scope"]["properties"]["price"]
    assert price["properties"] == {"elsewhere": {"$ref": "#/$defs/PriceScopeElsewhere"}}
    assert price["additionalProperties"] == {"$ref": "#/$defs/PriceScope"}


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProblemStatementError, match=r"nowhere\.toml cannot be read"):
        load_problem(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[goal\n", encoding="utf-8")
    with pytest.raises(ProblemStatementError, match=r"broken\.toml is not valid TOML"):
        load_problem(broken)
    for content in (b"a = \xff", b"a = " + b"9" * 5_000, b"a = " + b"[" * 5_000):
        broken.write_bytes(content)
        with pytest.raises(ProblemStatementError, match=r"broken\.toml is not (valid TOML|UTF-8 text): .+") as caught:
            load_problem(broken)
        assert "\n" not in str(caught.value)
