"""The model card says all of the evaluation in Markdown, and lets no name from a file become markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd
import pytest

from core.evaluate.agent_decisions import agent_decisions
from core.evaluate.behavior.overfitting import FitCheck, check_overfitting
from core.evaluate.card.card import CardSubject, model_card
from core.evaluate.card.html import html_card
from core.evaluate.card.words import settings_words
from core.evaluate.evaluation_report import EvaluationReport, build_evaluation_report
from core.evaluate.scored_sales import ScoredSales
from core.evaluate.segmentation import Segmentation
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


def card_of(scored: ScoredSales, problem: Problem, market: str = "Larkhaven", decision: str = "") -> str:
    report = build_evaluation_report(scored, problem)
    assert report is not None
    return model_card(CardSubject(market, "m0", "champion", CARD, decision), report, check_overfitting(CARD, 3))


@pytest.fixture(scope="module")
def report(problem: Problem) -> EvaluationReport:
    found = build_evaluation_report(scored_sales(1_000), problem)
    assert found is not None
    return found


def test_card_has_every_part_and_the_figures_of_the_appraisal(report: EvaluationReport, problem: Problem) -> None:
    card = card_of(scored_sales(1_000), problem, decision="Deploy up to $800K, signed by Mia")
    titles = ("Scope", "Headline", "Error by segment", "Ratio study", "Bias", "Confidence", "Edge cases", "Candidates")
    for title in titles:
        assert f"## {title}" in card, title
    mape = report.headline.line("mape").figure
    assert f"{percent(mape.value, 1)} ({percent(mape.low, 1)} to {percent(mape.high, 1)})" in card
    assert f"{report.ratio.cod.value:.1f}" in card
    assert "signed by Mia" in card
    assert "opened 3 times" in card
    assert "data version 0123456789ab" in card
    assert "nan" not in card
    assert (
        settings_words("n_estimators 300, min_samples_leaf 2, max_depth 30")
        == "trees 300, least sales a leaf 2, depth 30"
    )


def test_names_from_files_stay_text(problem: Problem) -> None:
    scored = scored_sales(300)
    kinds = pd.Series(["[x](http://evil) | <script>", "condo"] * 150, dtype="str")
    card = card_of(ScoredSales(scored.terms, scored.table.assign(property_type=kinds)), problem, market="A\n# B $5")
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
    card = card_of(ScoredSales(scored.terms, bare), problem)
    assert "Too few areas" in card
    assert "nan" not in card


@pytest.mark.parametrize(
    ("train", "validation", "test", "words"),
    [
        (0.05, 0.09, (0.13, 0.134), "significantly higher than validation promised: the model overfits"),
        (0.02, 0.09, (0.088, 0.092), "far more closely than new ones, as flexible models do; the test confirms"),
        (0.08, 0.09, (0.088, 0.092), "about as closely as new ones; the test confirms"),
        (0.08, 0.09, (0.095, 0.11), "higher than validation promised, by less than a third"),
        (0.08, 0.09, (0.095, 0.15), "too few sales to say whether by a third or more, the mark of overfitting"),
        # 12.9% of few sales beside 4.6% and 9.1% is no agreement.
        (0.046, 0.091, (0.085, 0.173), "the test has too few sales to confirm what validation promised (900)"),
    ],
)
def test_over_fitting_is_told_from_three_errors(
    train: float, validation: float, test: tuple[float, float], words: str
) -> None:
    low, high = test
    card = CARD | {
        "metrics": {"mape": {"value": (low + high) / 2, "low": low, "high": high, "n": 900}},
        "leaderboard": [dict(CARD["leaderboard"][0], train_mape=train, mape=validation)],  # type: ignore[index]
    }
    found = check_overfitting(card, 1)
    assert isinstance(found, FitCheck)
    assert words in found.finding
    assert check_overfitting(card | {"leaderboard": []}, 1) is None


FULL_CARD = CARD | {
    "curve": [
        {"share": share, "rows": round(3_000 * share), "train_mape": 0.05 * share, "mape": 0.15 - 0.05 * share}
        for share in (0.25, 0.5, 1.0)
    ],
    "forest_search": [
        {
            "settings": f"n_estimators {trees}, max_depth 20, min_samples_leaf 2",
            "trees": trees,
            "depth": 20,
            "leaf": 2,
            "trained_rows": 3_000,
            "mape": 0.11 + 0.1 / trees,
            "latency_ms": trees / 10,
            "size_bytes": trees * 1e5,
            "fit_seconds": trees / 50,
        }
        for trees in (75, 150)
    ],
}
DECISIONS = pd.DataFrame(
    {
        "kind": ["accept"] * 30 + ["override"] * 10,
        "reason_code": [None] * 30 + ["layout"] * 10,
        "price": [100.0] * 30 + [110.0] * 10,
        "point": 100.0,
    }
)


class Page(HTMLParser):
    """The words of a page, its tags, and every attribute that could fetch or run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.fetches: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetches += [name for name, _ in attrs if name in ("src", "href", "srcset") or name.startswith("on")]
        if tag not in ("meta", "rect", "line", "circle", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page_of(scored: ScoredSales, problem: Problem, market: str = "Larkhaven", decision: str = "") -> Page:
    report = build_evaluation_report(scored, problem)
    assert report is not None
    made = agent_decisions(DECISIONS, 60, problem.decisions.reasons)
    subject = CardSubject(market, "m0", "champion", FULL_CARD, decision)
    return Page(html_card(subject, report, check_overfitting(FULL_CARD, 3), made))


def test_page_is_one_file_that_fetches_and_runs_nothing(problem: Problem) -> None:
    page = page_of(scored_sales(1_000), problem)
    assert page.fetches == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert page.open == []
    assert "@import" not in page.text
    assert "url(" not in page.text


def test_page_says_all_the_markdown_says_and_more(report: EvaluationReport, problem: Problem) -> None:
    text = page_of(scored_sales(1_000), problem, decision="Deploy up to $800K, signed by Mia").text
    for one in report.headline.lines:
        assert one.label in text
        assert f"{one.figure.n:,}" in text
    for by, table in report.segments.items():
        assert by.value in text
        if by is not Segmentation.ZIPCODE:
            assert all(str(name).replace("_", " ") in text for name in table[by.value]), by
    assert all(case.name in text for case in report.edge_cases if case.n)
    assert all(one.label in text for one in report.fairness)
    flags = report.flags
    assert f"{percent(flags.recall.value, 1)} ({percent(flags.recall.low, 1)}" in text
    assert "were such misses, compared with" in text
    assert "Areas with the most bias" in text
    assert "Learning curve" in text
    assert "75 trees instead of 150" in text
    assert "Agents accepted 75%" in text
    assert problem.decisions.reasons["layout"] in text
    assert "signed by Mia" in text
    assert "Not signed yet" not in text
    assert "opened 3 times" in text
    assert "nan" not in text.replace("finance", "")


def test_unsigned_page_leaves_room_for_a_name(problem: Problem) -> None:
    text = page_of(scored_sales(300), problem).text
    assert "Not signed yet" in text
    assert "Signature" in text


def test_names_from_files_stay_text_on_the_page(problem: Problem) -> None:
    scored = scored_sales(300)
    evil = "<script>alert(1)</script>"
    kinds = pd.Series([evil, "a & b"] * 150, dtype="str")
    page = page_of(ScoredSales(scored.terms, scored.table.assign(property_type=kinds)), problem, evil, f'"{evil}')
    assert "script" not in page.tags
    assert page.text.count(evil) >= 4
    assert "a & b" in page.text


def test_markdown_has_the_curve_the_sizes_and_the_verdicts(report: EvaluationReport, problem: Problem) -> None:
    made = agent_decisions(DECISIONS, 60, problem.decisions.reasons)
    subject = CardSubject("Larkhaven", "m0", "champion", FULL_CARD, "")
    card = model_card(subject, report, None, made)
    for title in ("Learning curve", "Forest size", "What agents decided"):
        assert f"## {title}" in card
    assert "| 75 | 11.13% |" in card
    assert "\n\n\n\n" not in card


def test_page_of_a_market_with_little_data(problem: Problem) -> None:
    scored = scored_sales(40)
    bare = scored.table.assign(
        **{name: pd.Series([None] * 40, dtype="str") for name in ("property_type", "zipcode", "zoning")},
        **dict.fromkeys(("units", "lot_area_sqft", "age", "list_price", "baseline", "trend"), float("nan")),
    )
    report = build_evaluation_report(ScoredSales(scored.terms, bare), problem)
    assert report is not None
    text = Page(html_card(CardSubject("Larkhaven", "m0", "champion", CARD, ""), report, None)).text
    assert "Too few areas" in text
    assert "Learning curve" not in text
    assert "What agents decided" not in text
    assert "nan" not in text
