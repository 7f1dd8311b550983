"""How often the report's promises came true, as bars: what was promised is a line, what came true a bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reportlab.graphics.shapes import Drawing, Line, Rect, String

from core.serve.estimate import Estimate
from core.serve.report.typography import BOLD, GREY, INK, REGULAR, RULE, TEAL, fitted, plain
from core.wording import count, percent

_ROW: Final = 24.0
_BAR: Final = 9.0
_LABELS: Final = 190.0
_FIGURES: Final = 110.0
_TEXT: Final = 9.0


@dataclass(frozen=True)
class _Promise:
    """A promise in words, the share promised, the share that came true, and of how many homes."""

    words: str
    promised: float
    came_true: float
    n: int


def track_record(estimate: Estimate, tolerance: float, currency: str, wide: float, shows_point: bool = True) -> Drawing:
    """Return the bars of the range and, where the point is shown and homes judged alike sold, of the confidence."""
    held = estimate.held
    promises = [] if held is None else [_Promise("Sold inside a range like this", estimate.level, held.share, held.n)]
    if shows_point and estimate.kept is not None and estimate.kept.n:
        words = f"Sold within {percent(tolerance)} of the estimate"
        promises.append(_Promise(words, estimate.confidence / 100, estimate.kept.share, estimate.kept.n))
    drawing = Drawing(wide, _ROW * len(promises))
    for row, promise in enumerate(promises):
        _draw(drawing, promise, _ROW * (len(promises) - row - 0.5), currency, wide)
    return drawing


def _draw(drawing: Drawing, promise: _Promise, middle: float, currency: str, wide: float) -> None:
    left, whole = _LABELS, wide - _LABELS - _FIGURES
    drawing.add(_text(0, middle - 3, fitted(plain(promise.words), _TEXT, _LABELS - 8), REGULAR))
    for share, color in ((1.0, RULE), (promise.came_true, TEAL)):
        drawing.add(Rect(left, middle - _BAR / 2, share * whole, _BAR, rx=2, ry=2, fillColor=color, strokeColor=None))
    at = left + promise.promised * whole
    drawing.add(Line(at, middle - _BAR, at, middle + _BAR, strokeColor=INK, strokeWidth=1.6))
    homes = count(promise.n, "home", currency=currency)
    drawing.add(_text(left + whole + 8, middle - 3, percent(promise.came_true), BOLD))
    drawing.add(_text(left + whole + 34, middle - 3, f"of {homes}", REGULAR, GREY))


def _text(x: float, y: float, text: str, font: str, color: object = INK) -> String:
    return String(x, y, text, fontName=font, fontSize=_TEXT, fillColor=color)
