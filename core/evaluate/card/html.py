"""The model card as one self-contained HTML file to read, print and sign."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from html import escape
from typing import Final

from core.evaluate.agent_decisions import AgentDecisions
from core.evaluate.behavior.overfitting import FitCheck
from core.evaluate.card.blocks import Bar, Block, Curve, Points, Section, Signature, Table, Words
from core.evaluate.card.document import FULL, CardSubject, identity, sections, title_of
from core.evaluate.card.style import STYLE
from core.evaluate.evaluation_report import EvaluationReport
from core.evaluate.targets import Verdict
from core.train.curve import CurvePoint
from core.wording import percent

# Even if a name from a file slipped through unescaped, the page could run no script and fetch nothing.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_CHIPS: Final = frozenset(one.value for one in Verdict)
_INTERVAL: Final = re.compile(r"^(\S+) \((.+ to .+)\)$")
_WIDTH: Final = 110.0
_DENSE: Final = 5
_CURVE_BOX: Final = (520.0, 190.0)
_MARGIN: Final = (52.0, 16.0, 84.0, 34.0)


def html_card(
    subject: CardSubject, report: EvaluationReport, fit: FitCheck | None, agent_decisions: AgentDecisions | None = None
) -> str:
    """Return the full card as one self-contained HTML document; names from files are escaped.

    Segmentations are complete, except by area; of areas, only the worst are shown.
    """
    title = escape(title_of(subject))
    parts = "".join(_section(one) for one in sections(subject, report, fit, agent_decisions, FULL))
    items = "".join(f"<li>{escape(item)}</li>" for item in identity(subject, report))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n"
        f"<body><main><header><h1>{title}</h1><ul>{items}</ul></header>\n{parts}</main></body></html>\n"
    )


def _section(section: Section) -> str:
    blocks = "\n".join(_block(block) for block in section.blocks)
    return f"<section><h2>{escape(section.title)}</h2>\n{blocks}</section>\n"


def _block(block: Block) -> str:
    match block:
        case Words(text):
            return f"<p>{escape(text)}</p>"
        case Points(items):
            return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"
        case Signature(decision):
            return _signature(decision)
        case Table():
            return _table(block)
        case Curve(points):
            return _curve(points)


def _signature(decision: str) -> str:
    if decision:
        return f'<div class="signature"><p><strong>Signed:</strong> {escape(decision)}</p></div>'
    lines = "".join(f"<span>{name}</span>" for name in ("Name", "Date", "Signature"))
    return (
        '<div class="signature"><p><strong>Not signed yet.</strong> A manager must sign the scope before the '
        f'model is relied on.</p><div class="lines">{lines}</div></div>'
    )


def _table(table: Table) -> str:
    title = f"<h3>{escape(table.title)}</h3>" if table.title else ""
    drawn = _bars(table) or [""] * len(table.rows)
    barred = any(drawn)
    heads = "".join(_head(table, name, barred) for name in table.head)
    rows = "".join(_row(table, row, bar) for row, bar in zip(table.rows, drawn, strict=True))
    # Many figures with intervals only fit side by side if each interval is on its own line.
    dense = ' class="dense"' if len(table.head) > _DENSE else ""
    return f'{title}<div class="wide"><table{dense}><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _head(table: Table, name: str, barred: bool) -> str:
    over = ' colspan="2"' if barred and name == table.bars_of else ""
    return f"<th{_kind(table, name)}{over}>{escape(name)}</th>"


def _kind(table: Table, name: str) -> str:
    return ' class="text"' if name in table.texts else ""


def _row(table: Table, row: tuple[str, ...], drawn: str) -> str:
    cells = ""
    for name, cell in zip(table.head, row, strict=True):
        cells += f"<td{_kind(table, name)}>{_cell(str(cell))}</td>"
        if drawn and name == table.bars_of:
            cells += f'<td class="bar">{drawn}</td>'
    return f"<tr>{cells}</tr>"


def _cell(text: str) -> str:
    if text in _CHIPS:
        return f'<span class="chip {text.replace(" ", "-")}">{text}</span>'
    found = _INTERVAL.match(text)
    if found is None:
        return escape(text)
    return f'{escape(found[1])} <span class="between">({escape(found[2])})</span>'


def _bars(table: Table) -> list[str]:
    """Return a bar for each row, all on one scale from the minimum, or zero, to the maximum."""
    ends = [end for bar in table.bars for end in (bar.value, bar.low, bar.high) if math.isfinite(end)]
    if not ends or max(ends) == min(0.0, *ends):
        return []
    least, most = min(0.0, *ends), max(0.0, *ends)
    return [_bar(bar, least, most) for bar in table.bars]


def _bar(bar: Bar, least: float, most: float) -> str:
    def place(value: float) -> float:
        return round((value - least) / (most - least) * _WIDTH, 1)

    zero = place(0.0)
    shapes = [f'<rect class="track" x="0" y="7" width="{_WIDTH:g}" height="2"/>']
    if math.isfinite(bar.value):
        first, last = sorted((zero, place(bar.value)))
        kind = "value" if bar.value >= 0 else "below"
        shapes.append(f'<rect class="{kind}" x="{first:g}" y="3" width="{max(last - first, 1.0):g}" height="10"/>')
    if math.isfinite(bar.low) and math.isfinite(bar.high):
        shapes.append(f'<line class="spread" x1="{place(bar.low):g}" x2="{place(bar.high):g}" y1="8" y2="8"/>')
    if least < 0:
        shapes.append(f'<line class="middle" x1="{zero:g}" x2="{zero:g}" y1="0" y2="16"/>')
    # The row's cells have the same figures as text.
    return f'<svg viewBox="0 0 {_WIDTH:g} 16" aria-hidden="true">{"".join(shapes)}</svg>'


def _curve(points: tuple[CurvePoint, ...]) -> str:
    """Draw training and validation error over the number of sales, on a logarithmic axis."""
    (width, height), (left, top, right, bottom) = _CURVE_BOX, _MARGIN
    most = max(max(one.train_mape, one.mape) for one in points) * 1.1
    first, last = math.log(points[0].rows), math.log(points[-1].rows)

    def x(one: CurvePoint) -> float:
        return round(left + (math.log(one.rows) - first) / (last - first) * (width - left - right), 1)

    def y(error: float) -> float:
        return round(height - bottom - error / most * (height - top - bottom), 1)

    shapes = [*_axes(points, x, most, y)]
    for kind, name in (("seen", "training"), ("unseen", "validation")):
        errors = [one.train_mape if kind == "seen" else one.mape for one in points]
        places = [(x(one), y(error)) for one, error in zip(points, errors, strict=True)]
        shapes.append(f'<polyline class="{kind}" points="{" ".join(f"{a:g},{b:g}" for a, b in places)}"/>')
        shapes += [f'<circle class="{kind}-mark" cx="{a:g}" cy="{b:g}" r="3.5"/>' for a, b in places]
        shapes.append(f'<text class="{kind}-name" x="{places[-1][0] + 9:g}" y="{places[-1][1] + 4:g}">{name}</text>')
    label = "Line chart: error on training and validation sales over the number of sales; figures in the table below"
    return (
        f'<figure><svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{label}">{"".join(shapes)}</svg>'
        "</figure>"
    )


def _axes(
    points: tuple[CurvePoint, ...], x: Callable[[CurvePoint], float], most: float, y: Callable[[float], float]
) -> Iterator[str]:
    (width, height), (left, _, right, bottom) = _CURVE_BOX, _MARGIN
    for part in (0.0, 0.5, 1.0):
        error = most * part / 1.1
        yield f'<line class="axis" x1="{left:g}" x2="{width - right:g}" y1="{y(error):g}" y2="{y(error):g}"/>'
        yield f'<text x="{left - 8:g}" y="{y(error) + 4:g}" text-anchor="end">{percent(error, 1)}</text>'
    for one in points:
        yield f'<text x="{x(one):g}" y="{height - bottom + 18:g}" text-anchor="middle">{one.rows:,}</text>'
