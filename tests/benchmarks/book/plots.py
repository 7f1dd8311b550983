"""Growth as a picture: one SVG per chapter with time by number of sales, both on logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 820, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 360, 44, 44
# Okabe and Ito's colors: told apart also by the color-blind.
_COLORS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b8860b")
_STYLE: Final = (
    "text{font:12px system-ui,sans-serif;fill:#333}.t{font-size:14px;font-weight:600}.g{stroke:#8884;stroke-width:1}"
    ".n{stroke:#8888;stroke-dasharray:4 4;fill:none}@media (prefers-color-scheme:dark){text{fill:#ddd}}"
)


@dataclass(frozen=True)
class Line:
    """A named line of (sales, value) points, both above zero."""

    name: str
    points: Sequence[tuple[float, float]]
    is_baseline: bool = False


def growth_plot(title: str, unit: str, lines: Sequence[Line]) -> str:
    """Return an SVG with the lines; a dashed one from the first point shows n log n."""
    lines = lines[: len(_COLORS)]
    points = [point for line in lines for point in line.points]
    across = _Axis([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    up = _Axis([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    parts = [f'<text class="t" x="{_LEFT}" y="22">{escape(title)} ({escape(unit)})</text>']
    for at in sorted({x for x, _ in points}):
        parts.append(_text(across.at(at), _HEIGHT - _BOTTOM + 18, f"{at:,.0f}", "middle"))
    for tick in up.ticks():
        y = up.at(tick)
        parts.append(f'<line class="g" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{tick:g}", "end"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, "sales", "middle"))
    for place, line in enumerate(lines):
        parts += _drawn(line, _COLORS[place], across, up, 60 + 30 * place)
    if guide := _n_log_n(lines[0], across, up):
        left, at = _WIDTH - _RIGHT + 24, 60 + 30 * len(lines)
        parts.append(f'{guide}<line class="n" x1="{left}" x2="{left + 18}" y1="{at}" y2="{at}"/>')
        parts.append(_text(left + 26, at + 4, "n log n from the first point", "start"))
    body = "".join(parts)
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    label = escape(title, {'"': "&quot;"})
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">'
    return f"{head}<style>{_STYLE}</style>{body}</svg>\n"


@dataclass(frozen=True)
class _Axis:
    values: Sequence[float]
    start: float
    end: float

    @property
    def ends(self) -> tuple[float, float]:
        low, high = math.log10(min(self.values)), math.log10(max(self.values))
        return (low, high) if high - low > 0.3 else (low - 0.3, high + 0.3)

    def at(self, value: float) -> float:
        low, high = self.ends
        return self.start + (math.log10(value) - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        low, high = self.ends
        steps = (1, 2, 5) if high - low < 2 else (1,)
        powers = range(math.floor(low), math.ceil(high) + 1)
        return [tick for power in powers for step in steps if low <= math.log10(tick := step * 10.0**power) <= high]


def _drawn(line: Line, color: str, across: _Axis, up: _Axis, label_at: float) -> list[str]:
    places = [(across.at(x), up.at(y)) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dashes = ' stroke-dasharray="2 3"' if line.is_baseline else ""
    parts = [f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"{dashes}/>']
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places]
    left = _WIDTH - _RIGHT + 24
    mark = f'x1="{left}" x2="{left + 18}" y1="{label_at}" y2="{label_at}"'
    parts.append(f'<line {mark} stroke="{color}" stroke-width="2"{dashes}/>')
    parts.append(_text(left + 26, label_at + 4, line.name if len(line.name) <= 46 else f"{line.name[:45]}…", "start"))
    return parts


def _n_log_n(line: Line, across: _Axis, up: _Axis) -> str:
    (first, value), *rest = line.points
    path = f"M{across.at(first):.1f},{up.at(value):.1f}"
    highest = max(up.values)
    for x, _ in rest:
        grown = value * x * math.log(x) / (first * math.log(first))
        if grown > highest:
            break
        path += f" L{across.at(x):.1f},{up.at(grown):.1f}"
    return f'<path class="n" d="{path}"></path>' if " L" in path else ""


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
