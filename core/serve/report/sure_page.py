"""The page that says how sure the estimate is, what makes the price, and what was assumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer

from core.schema import label_of
from core.serve.agent.assumed import assumed_words
from core.serve.estimate import Estimate
from core.serve.report.amounts import Amounts
from core.serve.report.frame import ReportFrame
from core.serve.report.parts import FACTS_FIRST, fact_names
from core.serve.report.typography import BODY, BOLD, BULLET, HEADING, LEAD, SMALL, TEAL, markup
from core.serve.report.waterfall import Goal, waterfall
from core.serve.report.words import how_sure, made_from, to_look_at
from core.serve.subject import Value
from core.serve.words import fact_value
from core.wording import count

_LONG: Final = 4_000
_NUMBERED: Final = ParagraphStyle(
    "numbered",
    parent=LEAD,
    leftIndent=20,
    bulletIndent=0,
    bulletFontName=BOLD,
    bulletFontSize=13,
    bulletColor=TEAL,
    spaceAfter=6,
)


def sure_page(
    estimate: Estimate, frame: ReportFrame, figures: frozenset[str], amounts: Amounts, wide: float
) -> list[Flowable]:
    """Return the page; ``figures`` are the facts that describe an area and not the home."""
    sentences = how_sure(estimate, amounts, frame.tolerance, frame.point_label)
    sure = [
        Paragraph(markup(text, _LONG), _NUMBERED, bulletText=str(number)) for number, text in enumerate(sentences, 1)
    ]
    return [
        KeepTogether([Paragraph("How sure is this?", HEADING), Spacer(0, 3), *sure]),
        *_look_at(estimate),
        *_reasons(estimate, frame, amounts, wide),
        *_facts_behind(estimate, frame, figures),
        Spacer(0, 6),
        Paragraph(markup(made_from(estimate, frame), 300), SMALL),
    ]


def _look_at(estimate: Estimate) -> list[Flowable]:
    found = [Paragraph(markup(text, 300), BULLET, bulletText="•") for text in to_look_at(estimate.flags)]
    return [KeepTogether([Paragraph("Before you set a price", HEADING), *found])] if found else []


def _reasons(estimate: Estimate, frame: ReportFrame, amounts: Amounts, wide: float) -> list[Flowable]:
    drivers = estimate.drivers
    intro = (
        f"From a typical home in {drivers.area} ({count(drivers.sales, 'past sale')}) to this one: what its facts add "
        "(blue, +) or take (orange, −)."
    )
    goal = Goal(estimate.low, estimate.high, frame.point_label)
    drawn = waterfall(drivers, goal, frame, amounts, wide)
    return [
        KeepTogether([Paragraph("What makes the price", HEADING), Paragraph(markup(intro), SMALL), Spacer(0, 4), drawn])
    ]


def _facts_behind(estimate: Estimate, frame: ReportFrame, figures: frozenset[str]) -> list[Flowable]:
    """Return what was assumed, and the facts for which the first page had no room."""
    facts: Mapping[str, Value] = estimate.subject.facts
    more = [f"{label_of(name)} {fact_value(name, facts[name], frame)}" for name in fact_names(facts)[FACTS_FIRST:]]
    assumed = assumed_words(estimate, figures, frame)
    parts = [
        _sentence("Not known, so taken as is usual here:", ", ".join(assumed)) if assumed else None,
        _sentence("More facts of the home:", ", ".join(more)) if more else None,
    ]
    found = [part for part in parts if part is not None]
    return [Paragraph("The facts behind it", HEADING), *found] if found else []


def _sentence(label: str, words: str) -> Paragraph:
    style = ParagraphStyle("behind", parent=BODY, spaceAfter=4)
    return Paragraph(f'<font name="{BOLD}">{markup(label)}</font> {markup(words, _LONG)}.', style)
