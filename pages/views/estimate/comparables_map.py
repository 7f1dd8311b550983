"""Comparable sales around a home on a simple map: distance rings, north up, drawn offline."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from core.prepare.features.columns import Columns
from core.prepare.features.derived import Projection
from core.serve.agent.sold_around import sold_around
from core.serve.comparables import Comparable
from core.serve.estimate import Estimate
from core.serve.words import Conventions, headline, readable_address
from core.wording import distance, market_day, money_short
from pages.kit.charts import SMALL
from pages.kit.palette import Palette

_KM_PER_MILE: Final = 1.609344
# Each ring is at least twice as wide as the one before, so that no label lies over another.
_RINGS_KM: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_RINGS_MILES: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_RINGS_SHOWN: Final = 2
_HEIGHT: Final = 320
# The map is at most this many times as wide as it is high.
_WIDE: Final = 2.0
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
    return readable_address(sale.address) or headline({**sale.facts, "zipcode": None}, market)


def draw_map(
    estimate: Estimate,
    used: Collection[str],
    weights: dict[str, float],
    market: Conventions,
    colours: Palette,
    sales: Columns | None = None,
) -> go.Figure | None:
    """Return the map with the cards' numbers; sales in use are filled, and sized by their share of the weight.

    ``weights`` by sale_id sum to 1; ``sales`` are the market's, drawn as gray dots where they lie around the home.
    None if the location of the home or of all comparables is unknown.
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
    edge = reach * _ROOM
    traces = [
        _around(sales, home, edge, colours),
        _ring_labels(_rings(reach, market), market, colours),
        _sales(others, [_SMALL] * len(others), "Not in use", market, colours),
        _sales(mine, sizes, "", market, colours),
        {"type": "scatter", "x": [0], "y": [0], "mode": "markers", "marker": star, "hovertemplate": _HOME},
    ]
    # Built in one call: plotly revalidates a figure at every change, and the agent would wait for it.
    return go.Figure({"data": traces, "layout": _layout(edge, _rings(reach, market), colours)})


def _around(sales: Columns | None, home: Place, edge: float, colours: Palette) -> dict[str, Any]:
    """Return the homes sold around as one trace of gray dots, empty without ``sales``."""
    east, north = sold_around(sales or {}, home, _WIDE * edge, edge)
    return {
        "type": "scatter",
        "x": [round(at, 3) for at in east.tolist()],
        "y": [round(at, 3) for at in north.tolist()],
        "mode": "markers",
        "marker": {"size": 4, "color": colours.faint},
        "hoverinfo": "skip",
    }


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
        "textfont": {"color": colours.page if filled else colours.text, "size": SMALL},
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
    return f"{name}<br>{money_short(sale.sale_price, market.currency)}, {market_day(sale.sale_date, market.currency)}"


def _size(share: float) -> float:
    return 18.0 + 40.0 * math.sqrt(share) / 2


def _layout(edge: float, rings: Sequence[float], colours: Palette) -> dict[str, Any]:
    axis = {"range": [-edge, edge], "visible": False}
    north = {"x": 1, "y": 1, "xref": "paper", "yref": "paper", "text": "N ↑"}
    return {
        "height": _HEIGHT,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": axis,
        "yaxis": {**axis, "scaleanchor": "x", "scaleratio": 1},
        "shapes": [_ring(radius, colours) for radius in rings],
        "annotations": [north],
    }


def _rings(reach: float, market: Conventions) -> list[float]:
    """Return the radii of the rings in kilometers, round in the market's unit."""
    rings = _RINGS_KM if market.area_unit != "sqft" else [_KM_PER_MILE * miles for miles in _RINGS_MILES]
    return [ring for ring in rings if ring <= reach * 1.05][-_RINGS_SHOWN:]


def _ring(radius: float, colours: Palette) -> dict[str, Any]:
    line = {"color": colours.faint, "width": 1, "dash": "dot"}
    return {"type": "circle", "x0": -radius, "x1": radius, "y0": -radius, "y1": radius, "line": line, "layer": "below"}


def _ring_labels(rings: Sequence[float], market: Conventions, colours: Palette) -> dict[str, Any]:
    """Return the labels as a trace below the sales, so that they hide none."""
    return {
        "type": "scatter",
        "x": [0.0] * len(rings),
        "y": [-radius for radius in rings],
        "mode": "text",
        "text": [distance(radius, market.area_unit) for radius in rings],
        "textfont": {"size": SMALL},
        "hoverinfo": "skip",
    }
