"""The page that says how sure the estimate is, what makes the price, and what was assumed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Final

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, Paragraph, Spacer

from core.serve.agent.assumed import assumed_for_seller
from core.serve.estimate import Estimate
from core.serve.report.fit import height_of
from core.serve.report.frame import ReportFrame
from core.serve.report.letterhead import contact
from core.serve.report.parts import FACTS_FIRST, fact_names, seller_scale
from core.serve.report.track_record import track_record
from core.serve.report.typography import BODY, BOLD, BULLET, HEADING, LEAD, SMALL, TEAL, markup
from core.serve.report.waterfall import Goal, waterfall
from core.serve.report.words import how_sure, made_from, to_look_at
from core.serve.subject import Value
from core.serve.words import fact_value, name_of_fact
from core.wording import Amounts, count

Group = list[Flowable]
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
    estimate: Estimate,
    frame: ReportFrame,
    amounts: Amounts,
    wide: float,
    room: float = 0.0,
) -> tuple[list[Group], list[Group]]:
    """Return how sure the estimate is, then what makes it; each part is to be kept together.

    Whom to ask goes with what precedes it, so that no page holds only that.

    The chart of the reasons grows into ``room``, the height there is for all of it.
    """
    sentences = how_sure(estimate, amounts, frame)
    sure = [
        Paragraph(markup(text, _LONG), _NUMBERED, bulletText=str(number)) for number, text in enumerate(sentences, 1)
    ]
    record = track_record(estimate, frame.tolerance, frame.currency, wide, frame.point_label is not None)
    promised = Paragraph("The bar is what came true in past sales, the line what was promised.", SMALL)
    tested = [record, promised] if record.contents else []
    above = [[Paragraph("How sure is this?", HEADING), Spacer(0, 3), *sure], tested, _look_at(estimate, frame)]
    made = [Spacer(0, 6), Paragraph(markup(made_from(estimate, frame), 300), SMALL), *contact(frame, wide)]
    # Long lists may break across pages.
    behind = [[part] for part in _facts_behind(estimate, frame)]
    below = [*behind[:-1], [*chain.from_iterable(behind[-1:]), *made]]
    left = room - height_of(chain.from_iterable([*above, *below]), wide)
    return above, [_reasons(estimate, frame, amounts, wide, left), *below]


def _look_at(estimate: Estimate, frame: ReportFrame) -> list[Flowable]:
    found = [Paragraph(markup(text, 300), BULLET, bulletText="•") for text in to_look_at(estimate.flags)]
    is_set = frame.decided is not None and frame.decided.list_price is not None
    return [Paragraph("Worth a second look" if is_set else "Before you set a price", HEADING), *found] if found else []


def _reasons(estimate: Estimate, frame: ReportFrame, amounts: Amounts, wide: float, room: float) -> list[Flowable]:
    drivers = estimate.drivers
    signs = ("blue, +", "orange, −") if frame.point_label is not None else ("blue", "orange")
    intro = (
        f"From a typical home in {drivers.area} ({count(drivers.sales, 'past sale', currency=frame.currency)}) to this "
        f"one: what its facts add ({signs[0]}) or take off ({signs[1]})."
    )
    goal = Goal(estimate.low, estimate.high, frame.point_label)
    head = [Paragraph("What makes the price", HEADING), Paragraph(markup(intro), SMALL), Spacer(0, 4)]
    drawn = waterfall(drivers, goal, frame, amounts, wide, room - height_of(head, wide))
    return [*head, drawn]


def _facts_behind(estimate: Estimate, frame: ReportFrame) -> list[Flowable]:
    """Return what was assumed, and the facts for which the first page had no room."""
    facts: Mapping[str, Value] = estimate.subject.facts
    more = [_with_scale(name, facts[name], frame) for name in fact_names(facts)[FACTS_FIRST:]]
    assumed = assumed_for_seller(estimate, frame)
    parts = [
        _sentence(
            "Not known, so the range allows for it; usual here, and tell your agent what is different:",
            ", ".join(assumed),
        )
        if assumed
        else None,
        _sentence("More facts of the home:", ", ".join(more)) if more else None,
    ]
    found = [part for part in parts if part is not None]
    return [Paragraph("The facts behind it", HEADING), *found] if found else []


def _with_scale(name: str, value: Value, frame: ReportFrame) -> str:
    text = fact_value(name, value, frame)
    return f"{name_of_fact(name)} {text}{seller_scale(name, text)}"


def _sentence(label: str, words: str) -> Paragraph:
    style = ParagraphStyle("behind", parent=BODY, spaceAfter=4)
    return Paragraph(f'<font name="{BOLD}">{markup(label)}</font> {markup(words, _LONG)}.', style)
