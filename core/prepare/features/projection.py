"""Degrees of latitude and longitude as kilometers around a place."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.arrays import Floats
from core.prepare.features.columns import Columns

KM_PER_DEGREE: Final = 111.195


class Projection:
    """Converts degrees to kilometers east and north of a market's center (equirectangular; good enough for a city)."""

    def __init__(self, latitude: float, longitude: float) -> None:
        self.latitude, self.longitude = latitude, longitude
        self._east = KM_PER_DEGREE * float(np.cos(np.radians(latitude)))

    def kilometres(self, homes: Columns) -> tuple[Floats, Floats]:
        """Return east and north in km, each of shape (n,); missing coordinates stay missing."""
        east = (homes["longitude"] - self.longitude) * self._east
        return east, (homes["latitude"] - self.latitude) * KM_PER_DEGREE

    def point(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Return east and north of one place in km, the shorter way around the globe."""
        degrees = (longitude - self.longitude + 180) % 360 - 180
        return degrees * self._east, (latitude - self.latitude) * KM_PER_DEGREE


def distance_km(home: Columns, others: Columns, row: int) -> float | None:
    """Return how far the home at a row of others is from one home, None where a place is not recorded or assumed."""
    if "latitude" not in home:
        return None
    other = {name: others[name][[row]] for name in ("latitude", "longitude")}
    [east], [north] = Projection(float(home["latitude"][0]), float(home["longitude"][0])).kilometres(other)
    found = float(np.hypot(east, north))
    return found if np.isfinite(found) else None
