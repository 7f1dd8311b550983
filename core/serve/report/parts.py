"""The parts of the seller's report in reading order, each as flowable elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from functools import partial
from typing import Any, Final

from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Paragraph, Spacer, Table

from core.schema import FIELDS, SALE_FIELDS, label_of
from core.serve.comparables import Comparable
from core.serve.estimate import Estimate
from core.serve.report.frame import ReportFrame
from core.serve.report.map import comparables_map, home_place
from core.serve.report.typography import (
    BODY,
    BOLD,
    BULLET,
    CELL,
    EYEBROW,
    FIGURE,
    GREY,
    HEADING,
    LABEL,
    NUMBER,
    RULE,
    SMALL,
    SPACED,
    TEAL,
    TINT,
    TITLE,
    VALUE,
    markup,
    plain,
    size_for,
    width,
)
from core.serve.report.waterfall import Goal, waterfall
from core.serve.report.words import assumed_words, caveats, comparables_say, held_words, level_words, used
from core.serve.words import fact_value, headline, sales_through, unit_of
from core.wording import MISSING, count, day, instant, money, money_range, money_short, percent

_LONG: Final = 1_000
_MAP: Final = (250.0, 164.0)
_COLUMNS: Final = 4
_NOT_FACTS: Final = frozenset(
    {"address", "unit", "property_id", "latitude", "longitude", *(field.name for field in SALE_FIELDS)}
)
_ORDER: Final = {field.name: place for place, field in enumerate(FIELDS)}
_WIDE_MONEY: Final = 1e8
_PLACE: Final = frozenset({"address", "zipcode", "neighbourhood"})
_HEAD: Final = ParagraphStyle("head", parent=NUMBER, fontSize=8, leading=10, textColor=GREY)
_NOTE: Final = ParagraphStyle("note", parent=SMALL, fontSize=7.5, leading=9.5)
_LEFT: Final = [("LEFTPADDING", (0, 0), (-1, -1), 0)]


def opening(estimate: Estimate, frame: ReportFrame, wide: float) -> list[Flowable]:
    """Return the title: the home, its facts in one line, and who made the report for whom."""
    facts = estimate.subject.facts
    address = frame.address_line.strip()
    title = headline({name: value for name, value in facts.items() if name not in (_PLACE if address else ())}, frame)
    lines = [title] if address else []
    return [
        Paragraph(markup(f"Price report for the seller · {frame.market_name}", 110), EYEBROW),
        Spacer(0, 2),
        _title(address or title, wide),
        *(Paragraph(markup(line), VALUE) for line in lines),
        Spacer(0, 2),
        Paragraph(_prepared(estimate, frame), SMALL),
        Spacer(0, 9),
    ]


def answer(estimate: Estimate, frame: ReportFrame, wide: float) -> list[Flowable]:
    """Return the answer: the range in large type, its coverage, the confidence, and the point if it is shown."""
    left, right = 0.6 * wide, 0.4 * wide
    price_range = plain(money_range(estimate.low, estimate.high, frame.currency))
    size = size_for(price_range, 31, left - 30, BOLD)
    big = ParagraphStyle("range", fontName=BOLD, fontSize=size, leading=1.22 * size, textColor=TEAL)
    range_cell = [
        Paragraph("Likely sale price", LABEL),
        Paragraph(markup(price_range), big),
        Paragraph(markup(held_words(estimate)), BODY),
        *_point(estimate, frame),
    ]
    confidence_cell = [
        Paragraph("Confidence", LABEL),
        Paragraph(f"{estimate.confidence} of 100, {markup(estimate.confidence_word)}", FIGURE),
        Spacer(0, 2),
        _meter(estimate.confidence / 100, right - 30),
        Spacer(0, 4),
        Paragraph(f"Chance that the sale price falls within {percent(frame.tolerance)} of the estimate", SMALL),
    ]
    style = [
        ("BACKGROUND", (0, 0), (-1, -1), TINT),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBEFORE", (1, 0), (1, 0), 0.8, RULE),
        ("LEFTPADDING", (0, 0), (-1, -1), 14),
        ("RIGHTPADDING", (0, 0), (-1, -1), 14),
        ("TOPPADDING", (0, 0), (-1, -1), 11),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 12),
    ]
    return [Table([[range_cell, confidence_cell]], [left, right], style=style, cornerRadii=[6, 6, 6, 6])]


def home_facts(estimate: Estimate, frame: ReportFrame, wide: float) -> list[Flowable]:
    """Return the facts behind the estimate: given ones in a grid, assumed ones in a sentence."""
    names = sorted(set(estimate.subject.facts) - _NOT_FACTS, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
    cells = [_fact(name, estimate.subject.facts[name], frame) for name in names]
    assumptions = assumed_words(estimate, frame)
    if not cells and not assumptions:
        return []
    parts: list[Flowable] = [Paragraph("The home", HEADING)]
    if cells:
        cells += [[]] * (-len(cells) % _COLUMNS)
        rows = [cells[start : start + _COLUMNS] for start in range(0, len(cells), _COLUMNS)]
        style = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            *_LEFT,
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
        parts.append(Table(rows, [wide / _COLUMNS] * _COLUMNS, style=style))
    if assumptions:
        text = f"{_bold('Assumed, because not given:')} {markup(assumptions, 4 * _LONG)}."
        parts += [Spacer(0, 3), Paragraph(text, BODY)]
    return parts


def reasons(estimate: Estimate, frame: ReportFrame, wide: float) -> list[Flowable]:
    """Return the drivers: a drawing from a typical home nearby to this home."""
    drivers = estimate.drivers
    intro = (
        f"Starting from a typical home in {drivers.area} ({count(drivers.sales, 'past sale')}), each "
        "bar is what the facts of this home add (blue, +) or take (orange, −)."
    )
    goal = Goal(estimate.low, estimate.high, frame.point_label)
    parts = [Paragraph("Why this price", HEADING), Paragraph(markup(intro), SMALL), Spacer(0, 4)]
    return [KeepTogether([*parts, waterfall(drivers, goal, frame, wide)])]


def comparable_sales(estimate: Estimate, frame: ReportFrame, wide: float) -> list[Flowable]:
    """Return the comparables in use as a table, with a map if the home's location is known."""
    chosen, value = used(estimate), estimate.comparable_value
    heading = Paragraph("Comparable sales", HEADING)
    if value is None or not chosen:
        sentence = "No comparable sale was used: none is near, recent and similar enough, or all were dropped."
        return [heading, Paragraph(f"{sentence} The estimate is based on the model alone.", BODY)]
    intro = (
        f"{count(len(chosen), 'sale')} most like this home. Each price is first adjusted to "
        f"{day(estimate.subject.as_of)} by the market's movement, then to this home's facts by the same model."
    )
    beside = [
        Paragraph("What they show together", LABEL),
        Paragraph(markup(money_range(value.low, value.high, frame.currency)), FIGURE),
        *(Paragraph(markup(line, _LONG), SPACED) for line in comparables_say(value, frame, frame.point_label)),
    ]
    return [
        CondPageBreak(260),
        heading,
        Paragraph(markup(intro), SMALL),
        Spacer(0, 4),
        _comparables_table(chosen, frame, wide),
        Spacer(0, 8),
        *_map_beside(beside, estimate, chosen, wide),
    ]


def small_print(estimate: Estimate, frame: ReportFrame, wide: float) -> list[Flowable]:
    """Return what the report is and is not, and its sources."""
    notes = [
        Paragraph(markup(text, _LONG), BULLET, bulletText="•")
        for text in caveats(estimate, frame.market_name, frame.point_label, frame)
    ]
    return [
        KeepTogether([Paragraph("What this report is, and is not", HEADING), *notes[:2]]),
        *notes[2:],
        KeepTogether([Paragraph("Where it comes from", HEADING), *_origin(estimate, frame, wide)]),
    ]


def _title(text: str, wide: float) -> Paragraph:
    """Fit the title on one line in a smaller size if possible, else on several."""
    size = max(size_for(plain(text, 130), TITLE.fontSize, wide - 1, BOLD), 15)
    return Paragraph(markup(text, 130), ParagraphStyle("fitted", parent=TITLE, fontSize=size, leading=1.2 * size))


def _prepared(estimate: Estimate, frame: ReportFrame) -> str:
    by = ", ".join(name for name in (frame.prepared_by.strip(), frame.office.strip()) if name)
    people = "".join(f" {word} {name}" for word, name in (("for", frame.prepared_for.strip()), ("by", by)) if name)
    when = day(frame.prepared_at.astimezone(UTC))
    return markup(f"Prepared{people} on {when} · valued as of {day(estimate.subject.as_of)}", 400)


def _point(estimate: Estimate, frame: ReportFrame) -> list[Flowable]:
    if frame.point_label is None:
        return []
    label, point = markup(frame.point_label), markup(money(estimate.point, frame.currency))
    return [Paragraph(f"{label} {_bold(point)}", BODY)]


def _meter(share: float, wide: float) -> Drawing:
    drawing = Drawing(wide, 7)
    drawing.add(Rect(0, 0, wide, 7, rx=3.5, ry=3.5, fillColor=RULE, strokeColor=None))
    full = max(wide * min(max(share, 0.0), 1.0), 7)
    drawing.add(Rect(0, 0, full, 7, rx=3.5, ry=3.5, fillColor=TEAL, strokeColor=None))
    return drawing


def _fact(name: str, value: float | str, frame: ReportFrame) -> list[Flowable]:
    text = fact_value(name, value, frame)
    if isinstance(value, int | float) and not unit_of(name):
        # Under the label "Bedrooms", "3 bedrooms" would repeat the word.
        text = text.partition(" ")[0]
    return [Paragraph(markup(label_of(name), 60), LABEL), Paragraph(markup(text, 80), VALUE)]


def _comparables_table(chosen: Sequence[Comparable], frame: ReportFrame, wide: float) -> Table:
    write = _amounts(chosen, frame.currency)
    titles = ("Distance", "Sold", "Price", "Time-adjusted", "Adjustments", "Adjusted price")
    rows: list[list[Any]] = [["", Paragraph("Address", LABEL), *(Paragraph(title, _HEAD) for title in titles)]]
    for number, one in enumerate(chosen, start=1):
        rows += [_comparable(number, one, write), ["", _notes(one, frame)]]
    amounts = [write(amount) for one in chosen for amount in (one.sale_price, one.time_adjusted, one.adjusted)]
    room = max(width(text, CELL.fontSize, BOLD) for text in amounts) + 12
    fixed = [16, 44, 58, max(room, 48), max(room, 68), max(room, 62), max(room, 64)]
    style = [
        *_GRID,
        *(("SPAN", (1, row), (-1, row)) for row in range(2, len(rows), 2)),
        *(("LINEBELOW", (0, row), (-1, row), 0.5, RULE) for row in range(2, len(rows), 2)),
        *(("NOSPLIT", (0, row - 1), (-1, row)) for row in range(2, len(rows), 2)),
        *(("TOPPADDING", (0, row), (-1, row), 0.5) for row in range(2, len(rows), 2)),
        *(("BOTTOMPADDING", (0, row), (-1, row), 4) for row in range(2, len(rows), 2)),
    ]
    return Table(rows, [fixed[0], wide - sum(fixed), *fixed[1:]], style=style, repeatRows=1)


_GRID: Final = [
    ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
    ("VALIGN", (0, 1), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, 0), 0.8, GREY),
    ("TOPPADDING", (0, 0), (-1, -1), 3),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, 0), 3),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 3),
]


def _comparable(number: int, one: Comparable, write: Callable[[float], str]) -> list[Any]:
    total = one.adjusted - one.time_adjusted
    distance = MISSING if one.distance_km is None else _distance(one.distance_km)
    figures = (distance, day(one.sale_date), write(one.sale_price), write(one.time_adjusted), _signed(total, write))
    return [
        Paragraph(_bold(str(number)), CELL),
        Paragraph(_bold("This home's own sale" if one.own else markup(one.address, 70) or "Address unknown"), CELL),
        *(Paragraph(markup(text), NUMBER) for text in figures),
        Paragraph(_bold(markup(write(one.adjusted))), NUMBER),
    ]


def _notes(one: Comparable, frame: ReportFrame) -> Paragraph:
    """Write the sale's facts and what it was adjusted for, largest adjustment first."""
    facts = {name: value for name, value in one.facts.items() if name not in _PLACE}
    ordered = sorted(one.adjustments.items(), key=lambda item: (-abs(item[1]), item[0]))
    adjustments = [
        f"{group.value} {_signed(amount, partial(money_short, currency=frame.currency))}"
        for group, amount in ordered
        if abs(amount) >= 0.5
    ]
    parts = [headline(facts, frame) if facts else "", f"adjusted for {', '.join(adjustments)}" if adjustments else ""]
    return Paragraph(markup(" · ".join(part for part in parts if part), 400), _NOTE)


def _signed(amount: float, write: Callable[[float], str]) -> str:
    return f"+{write(amount)}" if amount >= 0.5 else write(amount)


def _amounts(chosen: Sequence[Comparable], currency: str) -> Callable[[float], str]:
    """Return the table's money format: whole units, or a shorter form if those would not fit."""
    largest = max(max(one.sale_price, one.time_adjusted, one.adjusted) for one in chosen)
    writer = money if largest < _WIDE_MONEY else money_short
    return lambda amount: plain(writer(amount, currency))


def _distance(kilometres: float) -> str:
    if kilometres < 0.995:
        return f"{10 * round(100 * kilometres):.0f} m"
    return f"{kilometres:,.1f} km"


def _map_beside(
    beside: list[Flowable], estimate: Estimate, chosen: Sequence[Comparable], wide: float
) -> list[Flowable]:
    home = home_place(estimate.subject.facts)
    placed = sum(one.latitude is not None and one.longitude is not None for one in chosen)
    if home is None or not placed:
        return beside
    if placed < len(chosen):
        beside = [*beside, Paragraph(f"{len(chosen) - placed} of them without coordinates are not on the map.", SMALL)]
    drawn = comparables_map(home, chosen, *_MAP)
    style = [("VALIGN", (0, 0), (-1, -1), "TOP"), *_LEFT, ("LEFTPADDING", (1, 0), (1, 0), 16)]
    return [Table([[drawn, beside]], [_MAP[0], wide - _MAP[0]], style=style)]


def _origin(estimate: Estimate, frame: ReportFrame, wide: float) -> list[Flowable]:
    pairs = [
        ("Model", frame.model_id),
        ("Data version", estimate.data_version),
        ("Market level", level_words(estimate)),
        ("Valued as of", day(estimate.subject.as_of)),
        ("Prepared at", instant(frame.prepared_at)),
        ("Estimate", frame.estimate_id or "not in the ledger"),
        ("Group of similar sales", estimate.segment.replace("_", " ")),
    ]
    cells: list[list[Flowable]] = [
        [Paragraph(markup(label), LABEL), Paragraph(markup(value, 60), CELL)] for label, value in pairs
    ]
    cells += [[]] * (-len(cells) % _COLUMNS)
    rows = [cells[start : start + _COLUMNS] for start in range(0, len(cells), _COLUMNS)]
    style = [("VALIGN", (0, 0), (-1, -1), "TOP"), *_LEFT, ("BOTTOMPADDING", (0, 0), (-1, -1), 2)]
    table = Table(rows, [wide / _COLUMNS] * _COLUMNS, style=style)
    return [Paragraph(markup(sales_through(estimate)), SMALL), Spacer(0, 3), table]


def _bold(text: str) -> str:
    return f'<font name="{BOLD}">{text}</font>'
