"""Comparable sales around a home on a simple map: distance rings, north up, drawn offline."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from core.prepare.features.columns import Columns
from core.prepare.features.projection import Projection
from core.serve.agent.away import place_of
from core.serve.agent.map_places import apart, ring_labels
from core.serve.agent.map_tiles import Tile, TileServer, tiles_around
from core.serve.agent.sold_around import sold_around
from core.serve.comparables import Comparable
from core.serve.estimate import Estimate
from core.serve.words import headline, readable_address
from core.wording import Conventions, distance, market_day, money
from pages.kit.charts import SMALL
from pages.kit.palette import Palette

_KM_PER_MILE: Final = 1.609344
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

_STAR: Final = 11.0
# A phone's map is 358 pixels wide, all are _HEIGHT high.
_LABEL_ROOM: Final = (175.0, 156.0)
# Streets are drawn faintly, for the numbers to stand out in either theme.
_FAINT: Final = 0.55

# Choosing a mark does not change the others.
_UNCHANGED: Final = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}

Place = tuple[float, float]


@dataclass(frozen=True)
class _Mark:
    """A sale on the map: its number on the cards, its place in km from the home, and its size in pixels."""

    number: int
    sale: Comparable
    place: Place
    size: float


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
    tiles: TileServer | None = None,
) -> go.Figure | None:
    """Return the map with the cards' numbers; sales in use are filled, and sized by their share of the weight.

    ``weights`` by sale_id sum to 1; ``sales`` are the market's, drawn as gray dots where they lie around the home;
    ``tiles`` draws streets below. Numbers that would lie over one another are moved apart.
    None if the location of the home or of all comparables is unknown.
    """
    home = place_of(estimate.subject.facts)
    if home is None:
        return None
    placed = [
        (number, sale, offset)
        for number, sale in enumerate(estimate.comparables, 1)
        # The star already stands for the home's own sale.
        if not sale.own and (offset := offset_km(sale, home)) is not None
    ]
    if not placed:
        return None
    reach = max(math.hypot(*offset) for _, _, offset in placed) or _RINGS_KM[0]
    edge = reach * _ROOM
    scale = _HEIGHT / 2 / edge
    radii = [_size(weights.get(sale.sale_id, 0.0)) / 2 if sale.sale_id in used else _SMALL / 2 for _, sale, _ in placed]
    moved = apart([(east * scale, north * scale) for _, _, (east, north) in placed], radii, _STAR)
    marks = [
        _Mark(number, sale, (east / scale, north / scale), 2 * radius)
        for (number, sale, _), (east, north), radius in zip(placed, moved, radii, strict=True)
    ]
    star = {"symbol": "star", "size": 20, "color": colours.less, "line": {"color": colours.page, "width": 1.5}}
    traces = [
        _around(sales, home, edge, market, colours),
        _sales([mark for mark in marks if mark.sale.sale_id not in used], "Not in use", market, colours),
        _sales([mark for mark in marks if mark.sale.sale_id in used], "", market, colours),
        {"type": "scatter", "x": [0], "y": [0], "mode": "markers", "marker": star, "hovertemplate": _HOME} | _UNCHANGED,
    ]
    rings = _rings(reach, market)
    stand = ring_labels([ring * scale for ring in rings], [*moved, (0.0, 0.0)], [*radii, _STAR], _LABEL_ROOM)
    labels = [
        _ring_label(distance(ring, market.area_unit), (at[0] / scale, at[1] / scale), colours)
        for ring, at in zip(rings, stand, strict=True)
        if at is not None
    ]
    layout = _layout(edge, rings, labels, colours)
    if tiles is not None:
        layout["images"] = [_image(tile) for tile in tiles_around(tiles, home, _WIDE * edge, edge)]
    # Built in one call: plotly revalidates a figure at every change, and the agent would wait for it.
    return go.Figure({"data": traces, "layout": layout})


def _around(sales: Columns | None, home: Place, edge: float, market: Conventions, colours: Palette) -> dict[str, Any]:
    """Return the homes sold around as one trace of gray dots that can be chosen, empty without ``sales``."""
    known = sales or {}
    east, north, rows = sold_around(known, home, _WIDE * edge, edge)
    named = "intake_row" in known
    return {
        "type": "scatter",
        "x": [round(at, 3) for at in east.tolist()],
        "y": [round(at, 3) for at in north.tolist()],
        "mode": "markers",
        "marker": {"size": 5, "color": colours.faint},
        "customdata": [str(one) for one in known["intake_row"][rows].tolist()] if named else [],
        "text": [_sold(known, row, market) for row in rows.tolist()] if named else [],
        "hovertemplate": "%{text}<extra></extra>",
        **_UNCHANGED,
    }


def _sold(sales: Columns, row: int, market: Conventions) -> str:
    price, day = float(sales["sale_price"][row]), sales["sale_date"][row].astype("datetime64[D]").item()
    return f"{money(price, market.currency)}, {market_day(day, market.currency)}"


def sale_chosen(points: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the id of the sale whose gray dot was pressed among a chart's selected points, None for another mark."""
    return next((str(one["customdata"]) for one in points if one["curve_number"] == 0 and "customdata" in one), None)


def _sales(marks: Sequence[_Mark], remark: str, market: Conventions, colours: Palette) -> dict[str, Any]:
    filled = not remark
    text = colours.page if filled else colours.text
    # Plotly fades the numbers of marks that are not chosen.
    steady = {"marker": {"opacity": 1}, "textfont": {"color": text}}
    return {
        "type": "scatter",
        "x": [mark.place[0] for mark in marks],
        "y": [mark.place[1] for mark in marks],
        "mode": "markers+text",
        "text": [str(mark.number) for mark in marks],
        "textfont": {"color": text, "size": SMALL},
        "marker": {
            "size": [mark.size for mark in marks],
            "opacity": 1,
            "color": colours.more if filled else colours.page,
            "line": {"color": colours.page if filled else colours.whole, "width": 1.5},
        },
        "customdata": [[_hover(mark.sale, market), remark] for mark in marks],
        "hovertemplate": "%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
        "selected": steady,
        "unselected": steady,
    }


def _hover(sale: Comparable, market: Conventions) -> str:
    # Plotly reads a few HTML tags in labels.
    name = name_of(sale, market).replace("<", "&lt;")
    return f"{name}<br>{money(sale.sale_price, market.currency)}, {market_day(sale.sale_date, market.currency)}"


def _size(share: float) -> float:
    return 18.0 + 40.0 * math.sqrt(share) / 2


def _layout(
    edge: float, rings: Sequence[float], labels: Sequence[Mapping[str, Any]], colours: Palette
) -> dict[str, Any]:
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
        "annotations": [*labels, {**north, "bgcolor": colours.page}],
    }


def _rings(reach: float, market: Conventions) -> list[float]:
    """Return the radii of the rings in kilometers, round in the market's unit."""
    rings = _RINGS_KM if market.area_unit != "sqft" else [_KM_PER_MILE * miles for miles in _RINGS_MILES]
    return [ring for ring in rings if ring <= reach * 1.05][-_RINGS_SHOWN:]


def _ring(radius: float, colours: Palette) -> dict[str, Any]:
    line = {"color": colours.faint, "width": 1, "dash": "dot"}
    return {"type": "circle", "x0": -radius, "x1": radius, "y0": -radius, "y1": radius, "line": line, "layer": "below"}


def _ring_label(text: str, at: Place, colours: Palette) -> dict[str, Any]:
    return {
        "x": at[0],
        "y": at[1],
        "text": text,
        "showarrow": False,
        "font": {"size": SMALL, "color": colours.whole},
        "bgcolor": colours.page,
        "opacity": 0.9,
        "borderpad": 1,
    }


def _image(tile: Tile) -> dict[str, Any]:
    return {
        "source": tile.url,
        "xref": "x",
        "yref": "y",
        "x": tile.west,
        "y": tile.north,
        "sizex": tile.east - tile.west,
        "sizey": tile.north - tile.south,
        "sizing": "stretch",
        "layer": "below",
        "opacity": _FAINT,
    }
