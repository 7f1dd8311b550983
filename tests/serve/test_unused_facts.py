"""A fact given that the market's model does not use is named in the answer, wherever it is asked."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from core.access import Actor, Role
from core.prepare.features.facts import FactColumns
from core.problem import Problem
from core.serve.agent.advice import advice, to_review
from core.serve.estimate import Estimate
from core.serve.estimate_many import estimate_many
from core.serve.review.flag import FlagKind, Severity
from core.serve.review.unused import unused_facts, unused_flags
from core.store import Store
from core.workflows.pricing.answer_form import answer_form
from core.workflows.pricing.answers import Question, price_and_record
from core.workflows.pricing.desk import open_desk
from tests.acting import acting

MANAGER = Actor("Mia", Role.MANAGER)
COLUMNS = FactColumns(("living_area_sqft",), (), ("zipcode",), located=False, renovation=False)


def test_facts_that_do_not_count_are_named_but_not_those_that_name_or_find_the_home() -> None:
    facts: dict[str, float | str] = {
        "zipcode": "98103",
        "living_area_sqft": 1_680.0,
        "property_type": "single_family",
        "latitude": 47.66,
        "year_renovated": 1_990.0,
        "assessed_value": 400_000.0,
        "address": "12 Elm St",
        "unit": "3",
        "property_id": "518500480",
    }
    found = [*unused_flags(facts, COLUMNS)]
    assert [flag.field for flag in found] == ["property_type", "latitude", "year_renovated", "assessed_value"]
    assert {flag.kind for flag in found} == {FlagKind.FACT_NOT_USED}
    assert {flag.severity for flag in found} == {Severity.NOTE}
    assert found[0].value == "single family"
    sentences = advice(found)
    assert sentences[0].startswith("Property type is not used: the sales of this market do not record it")
    assert sentences[-1] == "Assessed value is not used: no estimate uses it."
    assert to_review(found) == 0


def test_an_area_code_that_the_market_does_not_know_is_named() -> None:
    assert unused_facts(["neighbourhood", "zipcode"], COLUMNS) == ("neighbourhood",)


def test_answer_advice_and_ledger_name_a_fact_that_does_not_count(own_store: Store, problem: Problem) -> None:
    desk = open_desk(own_store, own_store.markets.list()[0].market_id, problem)
    assert desk.live_market is not None
    profile = desk.live_market.bundle.model.profile
    code = next(iter(profile.area_codes["zipcode"]))
    facts: dict[str, object] = {**profile.typical["zipcode"][code], "zipcode": code}
    unused = {**facts, "assessed_value": 400_000.0, "address": "12 Elm St"}
    today, workspace = profile.last_sale + timedelta(days=1), acting(own_store, MANAGER, problem)
    answered = price_and_record(workspace, desk, Question(unused, today, 0.8), "api")
    form = answer_form(answered, desk.market)
    assert [one["field"] for one in form["flags"] if one["kind"] == "fact not used"] == ["assessed_value"]
    assert "Assessed value is not used: no estimate uses it." in form["advice"]
    assert answered.estimate_id is not None
    assert "fact not used" in own_store.ledger.get(answered.estimate_id).flags
    [row] = estimate_many(desk.live_market, pd.DataFrame([unused]), today, problem, 0.8).flags
    assert [flag.field for flag in row if flag.kind is FlagKind.FACT_NOT_USED] == ["assessed_value"]
    plain = desk.price(facts, today, 0.8, MANAGER)
    assert isinstance(plain, Estimate)
    assert FlagKind.FACT_NOT_USED not in {flag.kind for flag in plain.flags}
