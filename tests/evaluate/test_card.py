"""The model card says all of the evaluation in Markdown, and lets no name from a file become markup."""

from __future__ import annotations

import pandas as pd
import pytest

from core.evaluate.appraisal import Appraisal, appraise
from core.evaluate.card import CardSubject, model_card
from core.evaluate.fit_check import FitCheck, fit_check
from core.evaluate.scored import Scored
from core.problem import Problem
from core.wording import percent
from tests.evaluate.scored_sales import scored_sales

CARD = {
    "family": "blended boosting",
    "settings": "n_estimators 1000",
    "seed": 42,
    "data_version": "0123456789ab",
    "sales": 4_000,
    "first_sale": "2019-01-02",
    "last_sale": "2024-12-30",
    "metrics": {"mape": {"value": 0.09, "low": 0.088, "high": 0.092, "n": 1_000}},
    "leaderboard": [
        {
            "family": family,
            "settings": "n_estimators 1000",
            "trained_rows": 3_000,
            "train_mape": 0.05,
            "mape": mape,
            "latency_ms": 4.0,
            "size_bytes": 1_500_000,
        }
        for family, mape in (("blended boosting", 0.091), ("linear baseline", 0.15))
    ],
    "importance": [{"fact": "location", "label": "Location", "rise": 0.3}],
    "code_version": "abcdef012345",
}


def card_of(scored: Scored, problem: Problem, market: str = "Larkhaven", decision: str = "") -> str:
    appraisal = appraise(scored, problem)
    assert appraisal is not None
    return model_card(CardSubject(market, "m0", "champion", CARD, decision), appraisal, fit_check(CARD, 3))


@pytest.fixture(scope="module")
def appraisal(problem: Problem) -> Appraisal:
    found = appraise(scored_sales(1_000), problem)
    assert found is not None
    return found


def test_card_has_every_part_and_the_figures_of_the_appraisal(appraisal: Appraisal, problem: Problem) -> None:
    card = card_of(scored_sales(1_000), problem, decision="Deploy up to $800K, signed by Mia")
    titles = ("Scope", "Headline", "Error by segment", "Ratio study", "Bias", "Confidence", "Edge cases", "Candidates")
    for title in titles:
        assert f"## {title}" in card, title
    mape = appraisal.headline.line("mape").figure
    assert f"{percent(mape.value, 1)} ({percent(mape.low, 1)} to {percent(mape.high, 1)})" in card
    assert f"{appraisal.ratio.cod.value:.1f}" in card
    assert "signed by Mia" in card
    assert "opened 3 times" in card
    assert "data version 0123456789ab" in card
    assert "nan" not in card


def test_names_from_files_stay_text(problem: Problem) -> None:
    scored = scored_sales(300)
    kinds = pd.Series(["[x](http://evil) | <script>", "condo"] * 150, dtype="str")
    card = card_of(Scored(scored.terms, scored.table.assign(property_type=kinds)), problem, market="A\n# B $5")
    assert "<script>" not in card.replace("\\<script\\>", "")
    assert "[x](" not in card.replace("\\[x\\](", "")
    assert "\n# B" not in card
    rows = [line for line in card.splitlines() if "script" in line]
    assert rows
    assert all(line.replace("\\|", "").count("|") == 7 for line in rows)


def test_market_with_little_data_has_a_card_too(problem: Problem) -> None:
    scored = scored_sales(40)
    bare = scored.table.assign(
        **{name: pd.Series([None] * 40, dtype="str") for name in ("property_type", "zipcode", "zoning")},
        **dict.fromkeys(("units", "lot_area_sqft", "age", "list_price", "baseline", "trend"), float("nan")),
    )
    card = card_of(Scored(scored.terms, bare), problem)
    assert "too few areas" in card
    assert "nan" not in card


@pytest.mark.parametrize(
    ("train", "validation", "low", "words"),
    [
        (0.05, 0.09, 0.13, "surely over what validation promised"),
        (0.02, 0.09, 0.088, "far more closely"),
        (0.08, 0.09, 0.088, "no over-fitting shows"),
    ],
)
def test_over_fitting_is_told_from_three_errors(train: float, validation: float, low: float, words: str) -> None:
    card = CARD | {
        "metrics": {"mape": {"value": low + 0.002, "low": low, "high": low + 0.004, "n": 900}},
        "leaderboard": [dict(CARD["leaderboard"][0], train_mape=train, mape=validation)],  # type: ignore[index]
    }
    found = fit_check(card, 1)
    assert isinstance(found, FitCheck)
    assert words in found.finding
    assert fit_check(card | {"leaderboard": []}, 1) is None
