"""Small line charts inside text: a few values, the target as a dashed line, drawn without a chart library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final

import streamlit as st

from pages.kit.palette import Palette

WIDTH: Final = 160
HEIGHT: Final = 36
_EDGE: Final = 4


def spark(name: str, values: Sequence[float], words: str, colours: Palette, target: float | None = None) -> None:
    """Draw values from left to right; ``words`` say the same to those who cannot see it.

    ``name`` is no other line's on the page; api/static/dashboard.css keeps the place of each.
    """
    with st.container(key=f"spark_{name}", width=WIDTH):
        st.markdown(svg(values, words, colours, target), unsafe_allow_html=True)


def svg(values: Sequence[float], words: str, colours: Palette, target: float | None = None) -> str:
    """Return the line as SVG; values that are no numbers leave a gap, and one alone is a dot."""
    known = [value for value in (*values, *([] if target is None else [target])) if math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    step = (WIDTH - 2 * _EDGE) / max(len(values) - 1, 1)
    places = [(_EDGE + step * at, _height(value, low, high)) for at, value in enumerate(values) if math.isfinite(value)]
    parts = []
    if target is not None:
        level = _height(target, low, high)
        parts.append(
            f'<line x1="0" x2="{WIDTH}" y1="{level:.1f}" y2="{level:.1f}" stroke="{colours.whole}" '
            'stroke-width="1" stroke-dasharray="4 3"/>'
        )
    if len(places) > 1:
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colours.more}" stroke-width="2"/>')
    if places:
        x, y = places[-1]
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colours.more}"/>')
    return (
        f'<svg role="img" aria-label="{escape(words, quote=True)}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" style="max-width: 100%">{"".join(parts)}</svg>'
    )


def _height(value: float, low: float, high: float) -> float:
    spread = high - low
    share = (value - low) / spread if spread > 0 else 0.5
    return HEIGHT - _EDGE - share * (HEIGHT - 2 * _EDGE)
