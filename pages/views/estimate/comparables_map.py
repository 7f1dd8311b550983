"""Comparable sales around a home on a simple map: distance rings, north up, drawn offline."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from core.prepare.features.derived import Projection
from core.serve.comparables import Comparable
from core.serve.estimate import Estimate
from core.serve.words import Conventions, headline
from core.wording import day, money_short
from pages.kit.palette import Palette

_RINGS_KM: Final = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_RINGS_SHOWN: Final = 3
_HEIGHT: Final = 340
_ROOM: Final = 1.12
_SMALL: Final = 20.0
OWN: Final = "This home’s own sale"
_HOME: Final = "This home<extra></extra>"

Place = tuple[float, float]


def place_of(estimate: Estimate) -> Place | None:
    """Return latitude and longitude of the home, given or assumed; None if the market has no coordinates."""
    facts = {**estimate.imputed, **estimate.subject.facts}
    latitude, longitude = facts.get("latitude"), facts.get("longitude")
    if not isinstance(latitude, float) or not isinstance(longitude, float):
        return None
    return latitude, longitude


def offset_km(sale: Comparable, home: Place) -> Place | None:
    """Return how far the sale is east and north of the home; None if its location is unknown."""
    if sale.latitude is None or sale.longitude is None:
        return None
    return Projection(*home).point(sale.latitude, sale.longitude)


def name_of(sale: Comparable, market: Conventions) -> str:
    """Name a sale by its address, or by its facts if the source has no address; say if it is the home's own."""
    if sale.own:
        return OWN
    return sale.address or headline({**sale.facts, "zipcode": None}, market)


def draw_map(
    estimate: Estimate, used: Collection[str], weights: dict[str, float], market: Conventions, colours: Palette
) -> go.Figure | None:
    """Return the map with the table's numbers; sales in use are filled, and sized by their share of the weight.

    ``weights`` by sale_id sum to 1. None if the location of the home or of all sales is unknown.
    """
    home = place_of(estimate)
    if home is None:
        return None
    placed = [
        (number, sale, offset)
        for number, sale in enumerate(estimate.comparables, 1)
        if (offset := offset_km(sale, home)) is not None
    ]
    if not placed:
        return None
    reach = max(math.hypot(*offset) for _, _, offset in placed) or _RINGS_KM[0]
    others = [entry for entry in placed if entry[1].sale_id not in used]
    mine = [entry for entry in placed if entry[1].sale_id in used]
    sizes = [_size(weights.get(entry[1].sale_id, 0.0)) for entry in mine]
    star = {"symbol": "star", "size": 20, "color": colours.less, "line": {"color": colours.page, "width": 1.5}}
    traces = [
        _sales(others, [_SMALL] * len(others), "Not in use", market, colours),
        _sales(mine, sizes, "", market, colours),
        {"type": "scatter", "x": [0], "y": [0], "mode": "markers", "marker": star, "hovertemplate": _HOME},
    ]
    # Built in one call: plotly revalidates a figure at every change, and the agent would wait for it.
    return go.Figure({"data": traces, "layout": _layout(reach, colours)})


def _sales(
    entries: Sequence[tuple[int, Comparable, Place]],
    sizes: list[float],
    remark: str,
    market: Conventions,
    colours: Palette,
) -> dict[str, Any]:
    filled = not remark
    return {
        "type": "scatter",
        "x": [offset[0] for _, _, offset in entries],
        "y": [offset[1] for _, _, offset in entries],
        "mode": "markers+text",
        "text": [str(number) for number, _, _ in entries],
        "textfont": {"color": colours.page if filled else colours.text, "size": 11},
        "marker": {
            "size": sizes,
            "opacity": 1,
            "color": colours.more if filled else colours.page,
            "line": {"color": colours.page if filled else colours.whole, "width": 1.5},
        },
        "customdata": [[_hover(sale, market), remark] for _, sale, _ in entries],
        "hovertemplate": "%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
    }


def _hover(sale: Comparable, market: Conventions) -> str:
    # Plotly reads a few HTML tags in labels.
    name = name_of(sale, market).replace("<", "&lt;")
    return f"{name}<br>{money_short(sale.sale_price, market.currency)}, {day(sale.sale_date)}"


def _size(share: float) -> float:
    return 18.0 + 40.0 * math.sqrt(share) / 2


def _layout(reach: float, colours: Palette) -> dict[str, Any]:
    edge = reach * _ROOM
    axis = {"range": [-edge, edge], "visible": False, "fixedrange": True}
    radii = [ring for ring in _RINGS_KM if ring <= reach * 1.05][-_RINGS_SHOWN:]
    north = {"x": 1, "y": 1, "xref": "paper", "yref": "paper", "text": "N ↑", "showarrow": False}
    return {
        "height": _HEIGHT,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "dragmode": False,
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": axis,
        "yaxis": {**axis, "scaleanchor": "x", "scaleratio": 1},
        "shapes": [_ring(radius, colours) for radius in radii],
        "annotations": [
            {**north, "font": {"size": 12, "color": colours.whole}},
            *(_ring_label(radius, colours) for radius in radii),
        ],
    }


def _ring(radius: float, colours: Palette) -> dict[str, Any]:
    line = {"color": colours.faint, "width": 1, "dash": "dot"}
    return {"type": "circle", "x0": -radius, "x1": radius, "y0": -radius, "y1": radius, "line": line, "layer": "below"}


def _ring_label(radius: float, colours: Palette) -> dict[str, Any]:
    font = {"size": 11, "color": colours.whole}
    text = write_distance(radius)
    return {"x": 0, "y": -radius, "text": text, "showarrow": False, "bgcolor": colours.page, "font": font}


def write_distance(kilometres: float) -> str:
    """Write a distance: "350 m", "1 km", "1.2 km"."""
    return f"{kilometres * 1000:.0f} m" if kilometres < 1 else f"{kilometres:.1f}".removesuffix(".0") + " km"
