"""The seller's report: one estimate as a one- or two-page PDF of text and drawings, reproducible to the byte."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from threading import Lock
from typing import Final

from reportlab.lib.pagesizes import A4, LETTER
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from core.serve.estimate import Estimate
from core.serve.report.frame import ReportFrame
from core.serve.report.parts import answer, comparable_sales, home_facts, opening, reasons, small_print
from core.serve.report.typography import BOLD, GREY, LESS, REGULAR, RULE, WHITE, fitted, plain

__all__ = ["ReportFrame", "seller_report"]

# A reportlab font shares its file position between threads, so two threads would garble each other's text.
_ONE_AT_A_TIME: Final = Lock()

_SIDE: Final = 45.0
_TOP: Final = 48.0
_BANNER: Final = 28.0
_BOTTOM: Final = 48.0
_LETTER_CURRENCIES: Final = frozenset({"USD", "CAD", "MXN"})
_SIMULATED: Final = "SIMULATED DATA: homes, sales and prices of this market are invented"


def seller_report(estimate: Estimate, frame: ReportFrame) -> bytes:
    """Return the report as a PDF, on Letter paper where that is the standard, else on A4.

    The same estimate and frame give the same bytes. The report shows the comparables with a weight in
    ``estimate.comparable_value``: to print an agent's own choice, replace that field with the result of ``reconcile``.
    Raises ValueError if ``frame.prepared_at`` has no time zone or the area unit is unknown.
    """
    written = BytesIO()
    with _ONE_AT_A_TIME:
        # Each page shows the number of pages, which is only known after layout: lay out twice.
        pages = _set(estimate, frame, 0).page
        _set(estimate, frame, pages, written)
    return written.getvalue()


def _set(estimate: Estimate, frame: ReportFrame, pages: int, into: BytesIO | None = None) -> BaseDocTemplate:
    """Lay out the pages, each showing the total ``pages``, and return the document."""
    size = LETTER if frame.currency in _LETTER_CURRENCIES else A4
    document = BaseDocTemplate(
        into or BytesIO(),
        pagesize=size,
        title=_title(frame),
        author=plain(", ".join(name for name in (frame.prepared_by, frame.office) if name.strip())) or "Doorstep",
        subject=plain(f"Statistical price estimate, market {frame.market_name}; not an appraisal"),
        creator="Doorstep",
        producer="Doorstep, with reportlab",
        lang="en",
        displayDocTitle=1,
        invariant=1,
        initialFontName=REGULAR,
    )
    wide = size[0] - 2 * _SIDE
    top = _TOP + (_BANNER if frame.simulated else 0)
    body = Frame(_SIDE, _BOTTOM, wide, size[1] - top - _BOTTOM, 0, 0, 0, 0)
    furniture = partial(_furniture, frame=frame, pages=pages)
    document.addPageTemplates(PageTemplate("page", [body], onPage=furniture, pagesize=size))
    document.build(_story(estimate, frame, wide))
    return document


def _story(estimate: Estimate, frame: ReportFrame, wide: float) -> list[Flowable]:
    return [
        *opening(estimate, frame, wide),
        *answer(estimate, frame, wide),
        *home_facts(estimate, frame, wide),
        *reasons(estimate, frame, wide),
        *comparable_sales(estimate, frame, wide),
        *small_print(estimate, frame, wide),
    ]


def _title(frame: ReportFrame) -> str:
    title = f"Price report: {frame.address_line.strip() or frame.market_name}"
    return plain(f"{title} (simulated data)" if frame.simulated else title)


def _furniture(canvas: Canvas, document: BaseDocTemplate, frame: ReportFrame, pages: int) -> None:
    """Draw the parts of every page: banner, office and footer."""
    canvas.saveState()
    wide, high = document.pagesize
    top = high
    if frame.simulated:
        top -= _BANNER
        _banner(canvas, wide, high)
    canvas.setFillColor(GREY)
    _line(canvas, top - 30, fitted(plain(frame.office), 9, 0.55 * wide, BOLD), "Price report", wide)
    canvas.setStrokeColor(RULE)
    canvas.setLineWidth(0.8)
    canvas.line(_SIDE, top - 37, wide - _SIDE, top - 37)
    canvas.line(_SIDE, _BOTTOM - 12, wide - _SIDE, _BOTTOM - 12)
    estimate = f" · estimate {frame.estimate_id}" if frame.estimate_id else ""
    foot = plain(f"Statistical estimate, not an appraisal · model {frame.model_id}{estimate}")
    canvas.setFont(REGULAR, 8)
    canvas.drawString(_SIDE, _BOTTOM - 24, fitted(foot, 8, wide - 2 * _SIDE - 70))
    canvas.drawRightString(wide - _SIDE, _BOTTOM - 24, f"Page {document.page} of {pages}")
    canvas.restoreState()


def _banner(canvas: Canvas, wide: float, high: float) -> None:
    canvas.setFillColor(LESS)
    canvas.rect(0, high - _BANNER, wide, _BANNER, stroke=0, fill=1)
    canvas.setFillColor(WHITE)
    canvas.setFont(BOLD, 10.5)
    # Below the margin that printers cannot print on.
    canvas.drawCentredString(wide / 2, high - _BANNER + 8, _SIMULATED)


def _line(canvas: Canvas, height: float, left: str, right: str, wide: float) -> None:
    canvas.setFont(BOLD, 9)
    canvas.drawString(_SIDE, height, left)
    canvas.setFont(REGULAR, 9)
    canvas.drawRightString(wide - _SIDE, height, right)
