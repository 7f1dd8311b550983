"""A drawing of an estimate's drivers: step by step from a typical home nearby to the range of this home."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib.colors import Color
from reportlab.lib.utils import simpleSplit

from core.schema import ONLY_ON_ROLL, label_of
from core.serve.driver_words import is_quiet
from core.serve.drivers import OWN_SALE_DAY, OWN_SALE_PRICE, Difference, Driver, Drivers
from core.serve.report.fit import stretch
from core.serve.report.typography import BOLD, GREY, INK, LESS, MORE, REGULAR, RULE, TEAL, fitted, plain, width
from core.serve.words import assumed, fact_value
from core.wording import Amounts, Conventions, market_day, money

_LABELS: Final = 190.0
_GAP: Final = 8.0
_ROW: Final = 23.0
_PLAIN_ROW: Final = 17.0
_BAR: Final = 9.0
_AXIS: Final = 14.0
_STRETCH_MOST: Final = 1.5
_TEXT: Final = 9.0
_DETAIL: Final = 7.5
_UNWRITTEN: Final = frozenset({"latitude", "longitude", "address", "unit", *ONLY_ON_ROLL})
_DETAIL_LINE: Final = 9.0
_DETAIL_LINES_MAX: Final = 5
_NAMED_MAX: Final = 5


@dataclass(frozen=True)
class Goal:
    """Where the steps end: the range, and the point with its label (None if it must not be shown)."""

    low: float
    high: float
    point_label: str | None


@dataclass(frozen=True)
class Step:
    """One line of the drawing: a bar from ``start`` to ``end``, or a mark where both are the same.

    ``detail`` are the lines below its label.
    """

    label: str
    detail: tuple[str, ...]
    amount: str
    start: float
    end: float
    colour: Color
    font: str = REGULAR


@dataclass(frozen=True)
class _Axis:
    """Converts money to points across the page."""

    low: float
    high: float
    left: float
    right: float

    def at(self, value: float) -> float:
        return self.left + (self.right - self.left) * (value - self.low) / (self.high - self.low)


def waterfall(
    drivers: Drivers, goal: Goal, market: Conventions, amounts: Amounts, wide: float, room: float = 0.0
) -> Drawing:
    """Return the drawing, ``wide`` points wide: blue and + add to the price, orange and − take from it.

    Its rows grow into ``room``, the height there is for it.
    """
    steps = report_steps(drivers, goal, market, amounts)
    written = max(width(step.amount, _TEXT, BOLD) for step in steps)
    axis = _axis(steps, _LABELS + _GAP, wide - written - _GAP)
    grown = stretch(_AXIS, sum(map(_height, steps)), room, _STRETCH_MOST)
    height = grown * sum(map(_height, steps)) + _AXIS
    drawing = Drawing(wide, height)
    if goal.point_label is not None:
        _scale(drawing, axis, height, amounts)
    top = height
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        middle = top - grown * _height(step) / 2
        _draw(drawing, step, middle, axis, wide)
        top -= grown * _height(step)
        if goal.point_label is not None and following is not None and step.end == following.start:
            below = top - grown * _height(following) / 2
            drawing.add(_line(axis.at(step.end), middle - _BAR / 2, axis.at(step.end), below + _BAR / 2, GREY, 0.5))
    return drawing


def difference(fact: Difference, market: Conventions) -> str:
    """Write one difference: "living area 2,100 sq ft (typical 1,680 sq ft)", "sold on Apr 17, 2021"."""
    if fact.name == OWN_SALE_DAY:
        return f"sold on {market_day(date.fromisoformat(str(fact.subject)), market.currency)}"
    if fact.name == OWN_SALE_PRICE and fact.subject is not None:
        return f"for {money(float(fact.subject), market.currency)}"
    unknown = f"{label_of(fact.name)} unknown"
    value = unknown if fact.subject is None else assumed(fact.name, fact.subject, market)
    if fact.typical is None:
        return value
    is_none = fact.name == "view" and fact.typical == 0
    return f"{value} (typical {'none' if is_none else fact_value(fact.name, fact.typical, market)})"


def report_steps(drivers: Drivers, goal: Goal, market: Conventions, amounts: Amounts) -> list[Step]:
    """Return the largest reasons, the rest together, and where they lead; rounded, they still add up to the point.

    Where the point must not be shown, only the range is written as an amount: steps that add up would give it away.
    """
    if goal.point_label is None:
        return _unwritten_steps(drivers, goal, market, amounts)
    shown = drivers.main_steps(amounts.rounded)
    running, rest = shown.start, shown.rest
    steps = [Step(f"Typical home in {drivers.area}", (), amounts.write(running), running, running, GREY, BOLD)]
    for item, change in shown.named:
        steps.append(_driver(item, running, change, market, amounts))
        running += change
    if rest:
        colour = MORE if rest > 0 else LESS
        steps.append(Step("All the rest", (), _signed(rest, amounts), running, running + rest, colour))
    span = amounts.span(goal.low, goal.high)
    steps.append(Step("Likely sale price of this home", (), span, goal.low, goal.high, TEAL, BOLD))
    point = amounts.write(drivers.point)
    steps.append(Step(goal.point_label, (), point, drivers.point, drivers.point, TEAL, BOLD))
    return steps


def _unwritten_steps(drivers: Drivers, goal: Goal, market: Conventions, amounts: Amounts) -> list[Step]:
    """Return the largest reasons, each from the typical home, in words instead of amounts; none leads to the point."""
    typical = drivers.typical
    steps = [Step(f"Typical home in {drivers.area}", (), "", typical, typical, GREY, BOLD)]
    for item in drivers.items[:_NAMED_MAX]:
        if change := amounts.rounded(item.amount):
            step = _driver(item, typical, change, market, amounts)
            steps.append(replace(step, amount="adds" if change > 0 else "takes off"))
    span = amounts.span(goal.low, goal.high)
    return [*steps, Step("Likely sale price of this home", (), span, goal.low, goal.high, TEAL, BOLD)]


def _driver(item: Driver, running: float, change: float, market: Conventions, amounts: Amounts) -> Step:
    differences = [difference(fact, market) for fact in item.facts if fact.name not in _UNWRITTEN]
    # Else a year of construction long ago would seem to be what adds to the price.
    if differences and any(fact.name in ONLY_ON_ROLL and not is_quiet(fact) for fact in item.facts):
        differences.append("what the tax roll says")
    colour = MORE if change >= 0 else LESS
    return Step(
        item.group.label,
        _lines(_capital(", ".join(differences))),
        _signed(change, amounts),
        running,
        running + change,
        colour,
    )


def _lines(text: str) -> tuple[str, ...]:
    """Return a text in lines that fit beside the bars; only the last of too many ends with an ellipsis."""
    lines = simpleSplit(plain(text), REGULAR, _DETAIL, _LABELS)
    shown, left = lines[: _DETAIL_LINES_MAX - 1], lines[_DETAIL_LINES_MAX - 1 :]
    return tuple(fitted(line, _DETAIL, _LABELS) for line in [*shown, *([" ".join(left)] if left else [])])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _signed(amount: float, amounts: Amounts) -> str:
    return f"+{amounts.write(amount)}" if amount > 0 else amounts.write(amount)


def _axis(steps: Sequence[Step], left: float, right: float) -> _Axis:
    values = [value for step in steps for value in (step.start, step.end)]
    low, high = min(values), max(values)
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return _Axis(low - margin, high + margin, left, right)


def _height(step: Step) -> float:
    return _ROW + _DETAIL_LINE * (len(step.detail) - 1) if step.detail else _PLAIN_ROW


def _draw(drawing: Drawing, step: Step, middle: float, axis: _Axis, wide: float) -> None:
    baseline = middle + (2 + _DETAIL_LINE * (len(step.detail) - 1) / 2 if step.detail else -3)
    drawing.add(_text(0, baseline, fitted(plain(step.label), _TEXT, _LABELS, step.font), _TEXT, INK, step.font))
    for number, line in enumerate(step.detail):
        drawing.add(_text(0, baseline - 10 - _DETAIL_LINE * number, line, _DETAIL, GREY))
    drawing.add(_text(wide, middle - 3, step.amount, _TEXT, step.colour, BOLD, "end"))
    left, right = sorted((axis.at(step.start), axis.at(step.end)))
    if step.start == step.end:
        drawing.add(_line(left, middle - 7, left, middle + 7, step.colour, 2.5))
        return
    bar = Rect(left, middle - _BAR / 2, max(right - left, 0.8), _BAR)
    bar.fillColor, bar.strokeColor = step.colour, None
    drawing.add(bar)


def _scale(drawing: Drawing, axis: _Axis, top: float, amounts: Amounts) -> None:
    label = max(width(amounts.write(value), _DETAIL) for value in (axis.low, axis.high))
    for value in _ticks(axis, max(2, int((axis.right - axis.left) / (1.8 * label)))):
        x = axis.at(value)
        drawing.add(_line(x, _AXIS - 2, x, top, RULE, 0.5))
        drawing.add(_text(x, 2, amounts.write(value), _DETAIL, GREY, anchor="middle"))


def _ticks(axis: _Axis, most: int) -> list[float]:
    """Return round amounts along the axis, at most ``most`` (but at least one or two)."""
    rough = (axis.high - axis.low) / min(most, 6)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(times * power for times in (1, 2, 2.5, 5, 10) if times * power >= rough)
    return [step * index for index in range(math.ceil(axis.low / step), math.floor(axis.high / step) + 1)]


def _text(
    x: float, y: float, text: str, size: float, colour: Color, font: str = REGULAR, anchor: str = "start"
) -> String:
    return String(x, y, text, fontName=font, fontSize=size, fillColor=colour, textAnchor=anchor)


def _line(x1: float, y1: float, x2: float, y2: float, colour: Color, thick: float) -> Line:
    return Line(x1, y1, x2, y2, strokeColor=colour, strokeWidth=thick)
