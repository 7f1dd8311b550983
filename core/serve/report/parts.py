"""The parts of the first page of the seller's report: the home, its price, the chart and its facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date
from typing import Any, Final

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from core.schema import FIELD_BY_NAME, FIELDS, ONLY_ON_ROLL, SALE_FIELDS, unit_of
from core.serve.estimate import Estimate
from core.serve.report.fit import height_of
from core.serve.report.frame import Decided, ReportFrame
from core.serve.report.price_axis import LIST_PRICE, Mark, price_axis
from core.serve.report.typography import (
    BODY,
    BOLD,
    EYEBROW,
    HEADING,
    INK,
    LABEL,
    RULE,
    SMALL,
    TEAL,
    TINT,
    TITLE,
    VALUE,
    markup,
    plain,
    size_for,
)
from core.serve.report.words import level_words, numbers, used
from core.serve.review.unavailable import UNAVAILABLE
from core.serve.subject import Value
from core.serve.words import fact_value, headline, name_of_fact
from core.wording import Amounts, market_day, percent

FACTS_FIRST: Final = 16
"""The most facts of the first page; a later page has the others."""

_COLUMNS: Final = 4
_NOT_FACTS: Final = frozenset(
    {"address", "unit", "property_id", "latitude", "longitude", *ONLY_ON_ROLL, *(field.name for field in SALE_FIELDS)}
)
# What a seller looks for first; the others follow in the order of the record.
_FIRST: Final = ("property_type", "living_area_sqft", "bedrooms", "bathrooms", "year_built", "lot_area_sqft")
_ORDER: Final = {name: place for place, name in enumerate(dict.fromkeys((*_FIRST, *(one.name for one in FIELDS))))}
_PLACE: Final = frozenset({"address", "zipcode", "neighbourhood"})
_LEFT: Final = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 6)]
_AT_DECISION: Final = 0.005
_SCALES: Final = {
    "condition": " of 5 (5 is best)",
    "view": " of 4 (4 is best)",
    "school_rating": " of 5 (5 is best)",
    "crime_index": " (low is good)",
    "walk_score": " (high is good)",
    "grade": " (high is good)",
}


def opening(facts: Mapping[str, Value], frame: ReportFrame, wide: float, as_of: date | None = None) -> list[Flowable]:
    """Return the title: the home, its main facts in one line, and the day it is valued on, ``as_of``."""
    address = frame.address_line.strip()
    title = headline({name: value for name, value in facts.items() if name not in (_PLACE if address else ())}, frame)
    shown = [title] if address and facts.keys() - _PLACE else []
    return [
        Paragraph(_for_whom(frame, as_of), EYEBROW),
        Spacer(0, 3),
        _title(address or title, wide),
        *(Paragraph(markup(line), VALUE) for line in shown),
        Spacer(0, 12),
    ]


def answer(estimate: Estimate, frame: ReportFrame, amounts: Amounts, wide: float) -> list[Flowable]:
    """Return the range with its level in large type, and beside it the list price once there is one."""
    aside = _list_price(estimate, frame, amounts)
    left = 0.62 * wide if aside else wide
    price_range = plain(amounts.span(estimate.low, estimate.high))
    main = [
        Paragraph("Likely sale price", LABEL),
        _figure(price_range, 31, left - 34, TEAL),
        Paragraph(markup(level_words(estimate)), BODY),
        *_point(estimate, frame, amounts),
    ]
    return [_panel([main, aside] if aside else [main], [left, wide - left] if aside else [wide])]


def chart(estimate: Estimate, frame: ReportFrame, amounts: Amounts, wide: float, room: float = 0.0) -> list[Flowable]:
    """Return the chart of range, estimate, list price and comparable sales, which grows into ``room``."""
    marks = []
    if frame.list_price is not None:
        marks.append(Mark(plain(f"List price {amounts.write(frame.list_price)}"), frame.list_price, LIST_PRICE))
    if frame.point_label is not None:
        if frame.decided is not None and _differs(frame.decided, estimate):
            words = plain(f"Agent’s price {amounts.write(frame.decided.price)}")
            marks.append(Mark(words, frame.decided.price))
        marks.append(Mark(plain(f"{frame.point_label} {amounts.write(estimate.point)}", 60), estimate.point))
    sales = {numbers(estimate)[one.sale_id]: one for one in used(estimate)}
    legend = "The bar is the likely sale price."
    if sales:
        legend += " The numbers below it are the comparable sales of page 2, adjusted to this home."
    above = [Spacer(0, 8), Paragraph("Where the price lies", HEADING), Spacer(0, 4)]
    below = [Spacer(0, 3), Paragraph(legend, SMALL), Spacer(0, 4)]
    left = room - height_of([*above, *below], wide)
    return [*above, price_axis(estimate.low, estimate.high, marks, sales, amounts, wide, left), *below]


def home_facts(facts: Mapping[str, Value], frame: ReportFrame, wide: float) -> list[Flowable]:
    """Return the first facts of the home as a grid; nothing for a home without facts."""
    names = fact_names(facts)[:FACTS_FIRST]
    if not names:
        return []
    cells: list[list[Flowable]] = [_fact(name, facts[name], frame) for name in names]
    cells += [[]] * (-len(cells) % _COLUMNS)
    rows = [cells[start : start + _COLUMNS] for start in range(0, len(cells), _COLUMNS)]
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        *_LEFT,
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
    ]
    return [Paragraph("The home", HEADING), Table(rows, [wide / _COLUMNS] * _COLUMNS, style=style)]


def fact_names(facts: Mapping[str, Value]) -> list[str]:
    """Return the facts that describe a home, the most telling first."""
    return sorted(facts.keys() - _NOT_FACTS, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))


def no_price(wide: float) -> list[Flowable]:
    """Return the standing sentence where there is no price."""
    sentence, advice = UNAVAILABLE.split(". ", 1)
    style = ParagraphStyle("none", fontName=BOLD, fontSize=17, leading=21, textColor=INK)
    cell = [Paragraph(f"{markup(sentence)}.", style), Spacer(0, 3), Paragraph(markup(advice), VALUE)]
    return [_panel([cell], [wide])]


def _for_whom(frame: ReportFrame, as_of: date | None) -> str:
    to = f" for {frame.prepared_for.strip()}" if frame.prepared_for.strip() else ""
    made = frame.prepared_at.astimezone(UTC).date()
    # A reader takes a report's day for the day of its prices.
    valued = f" · prices as of {market_day(as_of, frame.currency)}" if as_of is not None and as_of != made else ""
    return markup(f"Price report{to} · {market_day(made, frame.currency)}{valued}", 180)


def _title(text: str, wide: float) -> Paragraph:
    """Fit the title on one line in a smaller size if possible, else on several."""
    size = max(size_for(plain(text, 130), TITLE.fontSize, wide - 1, BOLD), 15)
    return Paragraph(markup(text, 130), ParagraphStyle("fitted", parent=TITLE, fontSize=size, leading=1.2 * size))


def _figure(text: str, largest: float, room: float, colour: Any = INK) -> Paragraph:
    size = size_for(text, largest, room, BOLD)
    style = ParagraphStyle("figure", fontName=BOLD, fontSize=size, leading=1.25 * size, textColor=colour)
    return Paragraph(markup(text), style)


def _point(estimate: Estimate, frame: ReportFrame, amounts: Amounts) -> list[Flowable]:
    if frame.point_label is None:
        return []
    lines = [f"{markup(frame.point_label)} {_bold(markup(amounts.write(estimate.point)))}"]
    if frame.decided is not None and _differs(frame.decided, estimate):
        lines.append(f"Your agent’s price {_bold(markup(amounts.write(frame.decided.price)))}")
    return [Paragraph(" · ".join(lines), BODY)]


def _list_price(estimate: Estimate, frame: ReportFrame, amounts: Amounts) -> list[Flowable]:
    if frame.decided is None or frame.list_price is None:
        return []
    over = _over(frame.decided, estimate) if frame.point_label is not None else ""
    words = f"Set on {market_day(frame.decided.on, frame.currency)}{over}"
    return [
        Paragraph("List price", LABEL),
        _figure(plain(amounts.write(frame.list_price)), 22, 160, LIST_PRICE),
        Paragraph(markup(words + outside(frame.list_price, estimate)), BODY),
    ]


def outside(list_price: float, estimate: Estimate) -> str:
    """Say that the list price lies outside the range, "" inside it."""
    if estimate.low <= list_price <= estimate.high:
        return ""
    return f". It lies {'above' if list_price > estimate.high else 'below'} the range: ask your agent why"


def _over(decided: Decided, estimate: Estimate) -> str:
    """Say how far the list price lies from the price decided on: the agent's own, ", 2% above your agent's price", or
    the estimate; "" if it does not.
    """
    if decided.list_price is None:
        return ""
    share = decided.list_price / decided.price - 1
    apart = percent(abs(share))
    which = "your agent’s price" if _differs(decided, estimate) else "the estimate"
    return "" if apart == "0%" else f", {apart} {'above' if share > 0 else 'below'} {which}"


def _differs(decided: Decided, estimate: Estimate) -> bool:
    return abs(decided.price - estimate.point) > _AT_DECISION


def _panel(cells: Sequence[list[Flowable]], columns: Sequence[float]) -> Table:
    style = [
        ("BACKGROUND", (0, 0), (-1, -1), TINT),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        *([("LINEBEFORE", (1, 0), (1, 0), 0.8, RULE)] if len(cells) > 1 else []),
        ("LEFTPADDING", (0, 0), (-1, -1), 16),
        ("RIGHTPADDING", (0, 0), (-1, -1), 14),
        ("TOPPADDING", (0, 0), (-1, -1), 12),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 14),
    ]
    return Table([list(cells)], list(columns), style=style, cornerRadii=[6, 6, 6, 6])


def _fact(name: str, value: Value, frame: ReportFrame) -> list[Flowable]:
    text = fact_value(name, value, frame)
    if isinstance(value, int | float) and name in FIELD_BY_NAME and not unit_of(name):
        # Under the label "Bedrooms", "3 bedrooms" would repeat the word.
        text = text.partition(" ")[0]
    label, scale = name_of_fact(name), seller_scale(name, text)
    return [Paragraph(markup(label, 60), LABEL), Paragraph(markup(f"{text}{scale}", 80), VALUE)]


def seller_scale(name: str, text: str) -> str:
    """Say which end of a fact's scale is the good one, "" for a fact that needs no scale."""
    return _SCALES.get(name, "") if text.replace(".", "").isdigit() else ""


def _bold(text: str) -> str:
    return f'<font name="{BOLD}">{text}</font>'
