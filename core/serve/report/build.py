"""The seller's report: one estimate as a PDF of a page or two, made of text and drawings, the same bytes each time."""

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

# reportlab's fonts read their file from a place kept in the font, so two threads would spoil each other's letters.
_ONE_AT_A_TIME: Final = Lock()

_SIDE: Final = 45.0
_TOP: Final = 48.0
_BANNER: Final = 28.0
_BOTTOM: Final = 48.0
_LETTER_CURRENCIES: Final = frozenset({"USD", "CAD", "MXN"})
_SIMULATED: Final = "SIMULATED DATA: homes, sales and prices of this market are invented"


def seller_report(estimate: Estimate, frame: ReportFrame) -> bytes:
    """Return the report as a PDF, on Letter paper where that is usual, else on A4.

    The same estimate and frame give the same bytes. Comparables shown are those with a weight in
    ``estimate.comparable_value``: to print an agent's own choice, replace that field with what ``reconcile`` gave.
    Raises ValueError if ``frame.prepared_at`` has no time zone or the area unit is unknown.
    """
    written = BytesIO()
    with _ONE_AT_A_TIME:
        # Pages say how many there are, which is known once they are set: they are set twice.
        pages = _set(estimate, frame, 0).page
        _set(estimate, frame, pages, written)
    return written.getvalue()


def _set(estimate: Estimate, frame: ReportFrame, pages: int, into: BytesIO | None = None) -> BaseDocTemplate:
    """Set the pages, each saying it is one of ``pages``, and return the document."""
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
    """Draw what stands on every page: banner, office, and the foot."""
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
    # Below the strip that printers leave white.
    canvas.drawCentredString(wide / 2, high - _BANNER + 8, _SIMULATED)


def _line(canvas: Canvas, height: float, left: str, right: str, wide: float) -> None:
    canvas.setFont(BOLD, 9)
    canvas.drawString(_SIDE, height, left)
    canvas.setFont(REGULAR, 9)
    canvas.drawRightString(wide - _SIDE, height, right)
