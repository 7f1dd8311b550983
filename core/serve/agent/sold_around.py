"""Where homes were sold around a home: the gray dots of its map."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.arrays import Floats, Ints
from core.prepare.features.columns import Columns
from core.prepare.features.projection import Projection

SHOWN_MAX: Final = 250
"""This number of latest sales shows where homes are; more would only make the map slow."""

_KM_PER_DEGREE: Final = 111.2


def sold_around(
    sales: Columns, home: tuple[float, float], east_km: float, north_km: float
) -> tuple[Floats, Floats, Ints]:
    """Return how far east and north of ``home`` (latitude, longitude) the latest sales in a box lie, in kilometers.

    With them comes where these sales stand in ``sales``.

    The box reaches ``east_km`` to either side and ``north_km`` up and down. Empty in a market without coordinates.
    """
    if "latitude" not in sales or "longitude" not in sales:
        return np.empty(0), np.empty(0), np.empty(0, dtype=np.int64)
    latitude, longitude = home
    reach = north_km / _KM_PER_DEGREE, east_km / (_KM_PER_DEGREE * max(np.cos(np.radians(latitude)), 0.01))
    near = (np.abs(sales["latitude"] - latitude) <= reach[0]) & (np.abs(sales["longitude"] - longitude) <= reach[1])
    rows = np.flatnonzero(near)
    if len(rows) > SHOWN_MAX:
        rows = rows[np.argsort(sales["sale_date"][rows], kind="stable")[-SHOWN_MAX:]]
    chosen = {name: sales[name][rows] for name in ("latitude", "longitude")}
    east, north = Projection(latitude, longitude).kilometres(chosen)
    return east, north, rows
