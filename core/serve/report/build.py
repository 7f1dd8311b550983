"""The seller's report: one estimate as a PDF of text and drawings, three pages or fewer, reproducible to the byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from itertools import chain
from threading import Lock
from typing import Final

from reportlab.lib.pagesizes import A4, LETTER
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepTogether, PageBreak, PageTemplate, Spacer

from core.serve.estimate import Estimate
from core.serve.report.around import around
from core.serve.report.fit import height_of
from core.serve.report.frame import ReportFrame
from core.serve.report.letterhead import letterhead
from core.serve.report.parts import answer, chart, home_facts, no_price, opening
from core.serve.report.sales_page import has_map, sales_page
from core.serve.report.sure_page import sure_page
from core.serve.report.typography import BOLD, GREY, LESS, REGULAR, RULE, WHITE, fitted, plain
from core.serve.subject import Value
from core.wording import Amounts, amounts_of

__all__ = ["NUMBER_LENGTH", "ReportFrame", "report_without_price", "seller_report"]

# A reportlab font shares its file position between threads, so two threads would garble each other's text.
_ONE_AT_A_TIME: Final = Lock()

Story = Callable[[float, float], list[Flowable]]
"""Makes the parts of the report for pages of a width and a height."""

_SIDE: Final = 45.0
_TOP: Final = 40.0
_BANNER: Final = 28.0
_BOTTOM: Final = 48.0
_GAP: Final = 6.0
NUMBER_LENGTH: Final = 8
"""How many characters of an estimate's id are the report's number."""
_LETTER_CURRENCIES: Final = frozenset({"USD", "CAD", "MXN"})
_SIMULATED: Final = "SIMULATED DATA: homes, sales and prices of this market are invented"


def seller_report(estimate: Estimate, frame: ReportFrame) -> bytes:
    """Return the report as a PDF, on Letter paper where that is the standard, else on A4.

    The same estimate and frame give the same bytes. The report shows the comparables with a weight in
    ``estimate.comparable_value``: to print an agent's own choice, replace that field with the result of ``reconcile``.
    To leave out the figures of an area, take the estimate from ``without_figures``. Raises ValueError if
    ``frame.prepared_at`` has no time zone or the area unit is unknown.
    """
    if frame.prepared_at.tzinfo is None:
        raise ValueError(f"{frame.prepared_at} has no time zone; give a UTC instant")
    return _written(lambda wide, high: _story(estimate, frame, wide, high), frame)


def report_without_price(facts: Mapping[str, Value], frame: ReportFrame) -> bytes:
    """Return the report of a home without a price: who made it, the standing sentence and the home's facts."""
    return _written(lambda wide, _: _story_without_price(facts, frame, wide), frame)


def _written(story: Story, frame: ReportFrame) -> bytes:
    written = BytesIO()
    with _ONE_AT_A_TIME:
        # Each page shows the number of pages, which is only known after layout: lay out twice.
        pages = _set(story, frame, 0).page
        _set(story, frame, pages, written)
    return written.getvalue()


def _set(story: Story, frame: ReportFrame, pages: int, into: BytesIO | None = None) -> BaseDocTemplate:
    """Lay out the pages, each showing the total ``pages``, and return the document."""
    size = LETTER if frame.currency in _LETTER_CURRENCIES else A4
    names = (frame.agent.name, frame.office.name)
    document = BaseDocTemplate(
        into or BytesIO(),
        pagesize=size,
        title=_title(frame),
        author=plain(", ".join(name for name in names if name.strip())) or "Doorstep",
        subject=plain(f"Statistical price estimate, market {frame.market_name}; not an appraisal"),
        creator="Doorstep",
        producer="Doorstep, with reportlab",
        lang="en",
        displayDocTitle=1,
        invariant=1,
        initialFontName=REGULAR,
    )
    wide = size[0] - 2 * _SIDE
    high = size[1] - _TOP - (_BANNER if frame.simulated else 0) - _BOTTOM
    body = Frame(_SIDE, _BOTTOM, wide, high, 0, 0, 0, 0)
    furniture = partial(_furniture, frame=frame, pages=pages)
    document.addPageTemplates(PageTemplate("page", [body], onPage=furniture, pagesize=size))
    document.build(story(wide, high))
    return document


def _story(estimate: Estimate, frame: ReportFrame, wide: float, high: float) -> list[Flowable]:
    amounts = amounts_of(frame.currency, estimate.point)
    sales = sales_page(estimate, frame, amounts, wide, high)
    taken = height_of(sales, wide) + _GAP
    sure, why = (height_of(chain.from_iterable(part), wide) for part in sure_page(estimate, frame, amounts, wide))
    # Without a map, the page of sales would be half empty: what follows begins on it.
    joined = not has_map(estimate)
    whole = taken + sure + why <= high
    room = high - taken if joined and whole else 0.0 if joined else high
    how, reasons = sure_page(estimate, frame, amounts, wide, room)
    if joined and not whole and taken + sure <= high and why <= high:
        # What does not fit on the page of sales fills one of its own, instead of leaving its last lines to it.
        reasons = [[*chain.from_iterable(sure_page(estimate, frame, amounts, wide, high + sure)[1])]]
    return [
        *_first_page(estimate, frame, amounts, wide, high),
        PageBreak(),
        *sales,
        Spacer(0, _GAP) if joined else PageBreak(),
        *(KeepTogether(group) for group in [*how, *reasons] if group),
    ]


def _first_page(estimate: Estimate, frame: ReportFrame, amounts: Amounts, wide: float, high: float) -> list[Flowable]:
    """Return the first page: the chart takes the room that is left; the market has a part if there is room for it."""
    facts = estimate.subject.facts
    head = [
        *letterhead(frame, wide),
        *opening(facts, frame, wide, estimate.subject.as_of),
        *answer(estimate, frame, amounts, wide),
    ]
    about = [*home_facts(facts, frame, wide), *around(estimate, frame, amounts, wide)]
    least = chart(estimate, frame, amounts, wide)
    if height_of([*head, *least, *about], wide) > high:
        about = home_facts(facts, frame, wide)
    room = high - height_of([*head, *about], wide)
    return [*head, *chart(estimate, frame, amounts, wide, room), *about]


def _story_without_price(facts: Mapping[str, Value], frame: ReportFrame, wide: float) -> list[Flowable]:
    return [
        *letterhead(frame, wide),
        *opening(facts, frame, wide),
        *no_price(wide),
        *home_facts(facts, frame, wide),
    ]


def _title(frame: ReportFrame) -> str:
    title = f"Price report: {frame.address_line.strip() or frame.market_name}"
    return plain(f"{title} (simulated data)" if frame.simulated else title)


def _furniture(canvas: Canvas, document: BaseDocTemplate, frame: ReportFrame, pages: int) -> None:
    """Draw the parts of every page: banner and footer."""
    canvas.saveState()
    wide, high = document.pagesize
    if frame.simulated:
        _banner(canvas, wide, high)
    canvas.setFillColor(GREY)
    canvas.setStrokeColor(RULE)
    canvas.setLineWidth(0.8)
    canvas.line(_SIDE, _BOTTOM - 12, wide - _SIDE, _BOTTOM - 12)
    number = f" · No. {frame.estimate_id[:NUMBER_LENGTH].upper()}" if frame.estimate_id else ""
    by = [name for name in (frame.agent.name.strip(), frame.office.name.strip()) if name]
    later = [frame.address_line.strip() or frame.market_name, *by] if document.page > 1 else []
    canvas.setFont(REGULAR, 8)
    canvas.drawString(_SIDE, _BOTTOM - 24, plain(f"Statistical estimate, not an appraisal{number}"))
    # Names have a line of their own: they may be long.
    canvas.drawString(_SIDE, _BOTTOM - 34, fitted(plain(" · ".join(later)), 8, wide - 2 * _SIDE))
    canvas.drawRightString(wide - _SIDE, _BOTTOM - 24, f"Page {document.page} of {pages}")
    canvas.restoreState()


def _banner(canvas: Canvas, wide: float, high: float) -> None:
    canvas.setFillColor(LESS)
    canvas.rect(0, high - _BANNER, wide, _BANNER, stroke=0, fill=1)
    canvas.setFillColor(WHITE)
    canvas.setFont(BOLD, 10.5)
    # Below the margin that printers cannot print on.
    canvas.drawCentredString(wide / 2, high - _BANNER + 8, _SIMULATED)
