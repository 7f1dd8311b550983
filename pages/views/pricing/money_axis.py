"""The answer as a picture: the range as a bar on a money axis, with the point, comparables and the asking price."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import streamlit as st

from core.serve.estimate import Estimate
from core.wording import money_range, money_short, round_amounts
from core.workflows.pricing.asking_prices import in_doubt
from pages.kit.palette import palette
from pages.kit.text import plain

_TICKS: Final = 4
# Room beside the outermost mark, as a share of the span.
_ROOM: Final = 0.06
# The axis reaches this far beyond the range at most, in widths of the range.
_FAR: Final = 1.0

_STYLE: Final = """<style>
.axis { position: relative; height: 5.4rem; font-size: 0.8125rem; margin: 0 0.5rem; }
.axis > * { position: absolute; }
.axis .range { top: 1.9rem; height: 1rem; border-radius: 0.5rem; opacity: 0.4; }
.axis .point { top: 1.6rem; height: 1.6rem; width: 4px; margin-left: -2px; border-radius: 2px; }
.axis .label { transform: translateX(-50%); white-space: nowrap; font-weight: 600; line-height: 1.2; top: 0.15rem; }
.axis .dot { top: 2.05rem; width: 0.7rem; height: 0.7rem; margin-left: -0.35rem; border-radius: 50%;
  border: 1.5px solid; }
.axis .asking { top: 1.95rem; width: 0.8rem; height: 0.8rem; margin-left: -0.4rem; transform: rotate(45deg); }
.axis .beyond { top: 0.15rem; white-space: nowrap; font-weight: 600; line-height: 1.2; }
.axis .base { top: 3.6rem; left: 0; right: 0; height: 1px; }
.axis .tick { top: 3.6rem; width: 1px; height: 0.3rem; }
.axis .at { top: 4rem; transform: translateX(-50%); white-space: nowrap; }
</style>"""


def draw(estimate: Estimate, asking: float | None, adjusted: Sequence[float]) -> None:
    """Draw the axis and what its marks are; its words are the label for those who do not see it.

    ``adjusted`` are the adjusted prices of the comparables in use.
    """
    st.html(_STYLE + axis(estimate, asking, adjusted))
    if found := legend(estimate, asking, adjusted):
        st.caption(plain(found))


def axis(estimate: Estimate, asking: float | None, adjusted: Sequence[float]) -> str:
    """Return the picture in HTML; its colors are those of the reader's theme.

    What lies beyond the axis is an arrow at its end with the amount, never a mark at a wrong place.
    """
    colors, currency = palette(), estimate.currency
    low, high = bounds(estimate, asking, adjusted)
    scale = 100 / (high - low)

    def place(amount: float) -> str:
        return f"left:{(min(max(amount, low), high) - low) * scale:.2f}%"

    parts = [
        f"<i class='base' style='background:{colors.whole}'></i>",
        *(
            f"<i class='tick' style='{place(at)};background:{colors.whole}'></i>"
            f"<span class='at' style='{place(at)};color:{colors.whole}'>{escape(money_short(at, currency))}</span>"
            for at in round_amounts(low, high, _TICKS)
        ),
        f"<i class='range' style='{place(estimate.low)};width:{(estimate.high - estimate.low) * scale:.2f}%;"
        f"background:{colors.more}'></i>",
        *(
            f"<i class='dot' style='{place(at)};background:{colors.page};border-color:{colors.text}'></i>"
            for at in adjusted
            if low <= at <= high
        ),
        f"<i class='point' style='{place(estimate.point)};background:{colors.more}'></i>",
        f"<span class='label' style='{place(estimate.point)};color:{colors.text}'>"
        f"{escape(money_short(estimate.point, currency))}</span>",
    ]
    if asking and low <= asking <= high:
        parts.append(f"<i class='asking' style='{place(asking)};background:{colors.less}'></i>")
    elif asking:
        amount, side = escape(money_short(asking, currency)), "right" if asking > high else "left"
        arrow = f"◆ {amount} →" if asking > high else f"← {amount} ◆"
        parts.append(f"<span class='beyond' style='{side}:0;color:{colors.less}'>{arrow}</span>")
    described = escape(_words(estimate, asking, adjusted))
    return f"<div class='axis' role='img' aria-label='{described}'>{''.join(parts)}</div>"


def bounds(estimate: Estimate, asking: float | None, adjusted: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the axis: around range and marks, but at most one width of the range beyond it.

    A sale farther away makes no room that would stay empty; the asking price does, for its arrow.
    """
    width = (estimate.high - estimate.low) or 0.1 * estimate.point
    least, most = estimate.low - _FAR * width, estimate.high + _FAR * width
    marks = [one for one in adjusted if least <= one <= most] + ([min(max(asking, least), most)] if asking else [])
    low, high = min([estimate.low, *marks]), max([estimate.high, *marks])
    room = _ROOM * (high - low)
    return max(low - room, 0.0), high + room


def legend(estimate: Estimate, asking: float | None, adjusted: Sequence[float]) -> str:
    """Return in plain text what the marks are."""
    low, high = bounds(estimate, asking, adjusted)
    away = sum(not low <= one <= high for one in adjusted)
    far = f" ({away} of them beyond this axis)" if away else ""
    parts = [f"○ comparable sales in use, adjusted{far}"] if adjusted else []
    if asking:
        side = "above" if asking > estimate.high else "below" if asking < estimate.low else "inside"
        check = ": check it, a digit may be wrong" if in_doubt(asking, estimate.point) else ""
        parts.append(f"◆ asking price {money_short(asking, estimate.currency)}, {side} the range{check}")
    return " · ".join(parts)


def _words(estimate: Estimate, asking: float | None, adjusted: Sequence[float]) -> str:
    currency = estimate.currency
    found = f"Range {money_range(estimate.low, estimate.high, currency)}, point {money_short(estimate.point, currency)}"
    if adjusted:
        found += f", comparable sales {money_range(min(adjusted), max(adjusted), currency)}"
    return found + (f", asking price {money_short(asking, currency)}" if asking else "")
