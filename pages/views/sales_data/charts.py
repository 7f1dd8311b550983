"""The charts of the intake: the flow of rows from files to outcomes, and a column compared with stored data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from textwrap import wrap
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.accounting import FileAccounting, Outcome, reason_words
from core.prepare.quality.column_check import ColumnComparison
from core.wording import round_amounts
from pages.kit.charts import faded, layout
from pages.kit.palette import Palette

_REASONS: Final = 4
_PAD: Final = 40
_LINE: Final = 26
_FLOW: Final = 140
_BAR: Final = 14
# Beside the ends their labels have room, on a phone too.
_ENDS: Final = 0.36
_TICKS: Final = 8
_NAME_MAX: Final = 26


def flow(files: Sequence[FileAccounting], ledgers: pd.DataFrame, colours: Palette) -> go.Figure:
    """Return the flow of the files' rows to their outcomes, accepted to set aside, each by its reason.

    ``ledgers`` has ``file``, ``outcome`` and ``reasons`` of the sales rows; a row with several reasons is drawn under
    its first, and an outcome's rare reasons are drawn together.
    """
    paint = {
        Outcome.ACCEPTED.value: colours.more,
        Outcome.REPAIRED.value: colours.more,
        Outcome.DUPLICATE.value: colours.whole,
        Outcome.REJECTED.value: colours.less,
        Outcome.SET_ASIDE.value: colours.less,
    }
    streams = _streams(files, ledgers)
    ends = list(dict.fromkeys(sorted(((outcome, why) for _, outcome, why in streams), key=_place_of_end)))
    totals = {end: sum(rows for (_, *selection), rows in streams.items() if tuple(selection) == end) for end in ends}
    names = [f"{_short(file.file)}: {file.rows_in:,}" for file in files]
    places = {end: len(names) + at for at, end in enumerate(ends)}
    starts = {file.file: at for at, file in enumerate(files)}
    links = [
        (starts[name], places[outcome, why], rows, paint[outcome]) for (name, outcome, why), rows in streams.items()
    ]
    sides = [file.rows_in for file in files], [totals[end] for end in ends]
    names += [
        f"{', '.join(filter(None, (end[0].replace('_', ' ').capitalize(), end[1])))}: {totals[end]:,}" for end in ends
    ]
    shades = [colours.whole] * len(files) + [paint[outcome] for outcome, _ in ends]
    return _sankey(names, shades, links, sides, colours)


def _streams(files: Sequence[FileAccounting], ledgers: pd.DataFrame) -> dict[tuple[str, str, str], int]:
    """Count the rows by file, outcome and first reason (empty for plainly accepted rows)."""
    first = ledgers["reasons"].str.partition(";")[0]
    first = first.map({code: reason_words(code) if code else "" for code in first.unique()})
    first = first.mask(ledgers["outcome"] == Outcome.ACCEPTED.value, "")
    for outcome, reasons in first.groupby(ledgers["outcome"]):
        often = reasons.value_counts().index[:_REASONS]
        first = first.mask((ledgers["outcome"] == outcome) & ~first.isin(often), "other reasons")
    counts = Counter(zip(ledgers["file"], ledgers["outcome"], first, strict=True))
    streams = {(str(name), str(outcome), str(why)): rows for (name, outcome, why), rows in counts.items()}
    shown = {name for name, _, _ in streams}
    # Files that only add facts have no row ledger, but the same accounting.
    for file in files:
        for one in Outcome:
            if file.file not in shown and getattr(file, one.value):
                streams[file.file, one.value, ""] = int(getattr(file, one.value))
    return streams


def _place_of_end(end: tuple[str, str]) -> tuple[int, str]:
    return [outcome.value for outcome in Outcome].index(end[0]), end[1]


def column(one: ColumnComparison, colours: Palette) -> go.Figure:
    """Return the shares of a column's values by bin, stored next to new; the bins are equally spaced."""
    names = _bin_names(one)
    places = list(range(len(names)))
    figure = go.Figure()
    for name, shares, colour in (("stored", one.held_share, colours.faint), ("new", one.new_share, colours.more)):
        if shares:
            figure.add_bar(
                x=places,
                y=[100 * share for share in shares],
                name=name,
                marker={"color": colour},
                customdata=names,
                hovertemplate=f"%{{customdata}}: %{{y:.1f}}% of {name}<extra></extra>",
            )
    figure.update_layout(**layout(280, legend=True), barmode="group", bargap=0.08)
    figure.update_xaxes(**_ticks(one, names))
    figure.update_yaxes(title="% of values")
    return figure


def _ticks(one: ColumnComparison, names: list[str]) -> dict[str, Any]:
    """Return round numbers where they lie between the bins' edges, or the names of categories."""
    if one.kind != "number":
        step = max(1, -(-len(names) // _TICKS))
        return {"tickvals": list(range(len(names)))[::step], "ticktext": [_short(name) for name in names[::step]]}
    edges = [float(edge) for edge in one.edges]
    marks = list(round_amounts(edges[0], edges[-1], _TICKS)) if edges[-1] > edges[0] else edges[:1]
    places = np.interp(marks, edges, np.arange(len(edges)) - 0.5).tolist()
    apart = len(names) / (_TICKS + 2)
    shown: list[tuple[float, float]] = []
    for place, mark in zip(places, marks, strict=True):
        if not shown or place - shown[-1][0] >= apart:
            shown.append((place, mark))
    write = _year if "year" in one.field else _figure
    return {"tickvals": [place for place, _ in shown], "ticktext": [write(mark) for _, mark in shown]}


def _bin_names(one: ColumnComparison) -> list[str]:
    if one.kind != "number":
        return [str(edge) for edge in one.edges]
    write = _year if "year" in one.field else _figure
    return [f"{write(low)} to {write(high)}" for low, high in pairwise(map(float, one.edges))]


def _year(value: float) -> str:
    return f"{value:.0f}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _sankey(
    names: list[str],
    shades: list[str],
    links: list[tuple[int, int, int, str]],
    sides: tuple[list[int], list[int]],
    colours: Palette,
) -> go.Figure:
    """Draw the flow from files to ends, whose rows are ``sides``; all labels stand where nothing flows."""
    sources, targets, values, paints = (list(part) for part in zip(*links, strict=True))
    height = _FLOW + _PAD * max(*map(len, sides), 3)
    bars = [_bars(side, height, max(map(sum, sides)), max(map(len, sides))) for side in sides]
    node = {
        # Drawn below, beside the flow; what the pointer shows is this.
        "label": names,
        "color": shades,
        "x": [0.001] * len(sides[0]) + [_ENDS] * len(sides[1]),
        "y": [(top + bottom) / 2 / height for side in bars for top, bottom in side],
        "pad": _PAD,
        "thickness": _BAR,
        "line": {"width": 0},
        "hovertemplate": "%{label}<extra></extra>",
    }
    link = {
        "source": sources,
        "target": targets,
        "value": values,
        "color": [faded(str(paint), 0.35) for paint in paints],
        "hovertemplate": "%{value:,} rows<extra></extra>",
    }
    unseen = {"color": "rgba(0,0,0,0)", "size": 1, "shadow": "none"}
    figure = go.Figure(go.Sankey(arrangement="fixed", node=node, link=link, textfont=unseen))
    first = len(sides[0])
    for name, (top, _) in zip(names[:first], bars[0], strict=True):
        _label(figure, name, 0.0, 1 - top / height, "bottom", colours)
    for name, (top, bottom) in zip(names[first:], bars[1], strict=True):
        _label(figure, name, _ENDS, 1 - (top + bottom) / 2 / height, "middle", colours)
    margin = {"l": 4, "r": 4, "t": _PAD, "b": 16}
    figure.update_layout(height=height + margin["t"] + margin["b"], margin=margin)
    return figure


def _bars(rows: list[int], height: float, most: int, longest: int) -> list[tuple[float, float]]:
    """Return top and bottom of each bar of a side in pixels, as high as its rows, one under another from the top."""
    scale, top = (height - _PAD * (longest - 1)) / most, 0.0
    bars = []
    for n in rows:
        bars.append((top, top + scale * n))
        top += scale * n + _PAD
    return bars


def _label(figure: go.Figure, text: str, x: float, y: float, anchor: str, colours: Palette) -> None:
    figure.add_annotation(
        text="<br>".join(wrap(text, _LINE)),
        align="left",
        bgcolor=colours.page,
        borderpad=0,
        x=x,
        y=y,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor=anchor,
        xshift=_BAR if x else -2,
        showarrow=False,
        font={"color": colours.text, "size": 13},
    )


def _short(name: str) -> str:
    return name if len(name) <= _NAME_MAX else f"{name[: _NAME_MAX - 1]}…"
