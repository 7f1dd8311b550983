"""Streets under the map of comparables: an office's tile server, and which of its tiles lie around a home."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from core.errors import WrongUsage
from core.prepare.features.projection import Projection

TILES: Final = "DOORSTEP_TILES"
ATTRIBUTION: Final = "DOORSTEP_TILES_ATTRIBUTION"
_ATTRIBUTION_MAX: Final = 120
_PLACES: Final = ("{z}", "{x}", "{y}")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# What stands here goes into the page's content policy, where a blank or a semicolon would begin another rule.
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|::1")
_EXAMPLE: Final = "https://tiles.example.com/{z}/{x}/{y}.png"

_EARTH_KM: Final = 40_075.0
_ZOOM_MAX: Final = 19
_NORTH_MAX: Final = 85.0
"""Degrees beyond which there are no tiles."""

# A tile covers this share of the map's height: about 256 of 320 pixels.
_TILE_SHARE: Final = 0.8


@dataclass(frozen=True)
class TileServer:
    """A server of map tiles: the template of a tile's address, the server's origin, and whom to name for the map."""

    template: str
    origin: str
    attribution: str


@dataclass(frozen=True)
class Tile:
    """A picture of the map by its address; ``west`` to ``east`` and ``south`` to ``north`` in km from the home."""

    url: str
    west: float
    east: float
    south: float
    north: float


def read_tiles(environment: Mapping[str, str]) -> TileServer | None:
    """Return the tile server that the environment names, None for none; raises WrongUsage naming setting and remedy."""
    template, attribution = environment.get(TILES, "").strip(), environment.get(ATTRIBUTION, "").strip()
    if len(attribution) > _ATTRIBUTION_MAX:
        raise WrongUsage(
            f"{ATTRIBUTION} has {len(attribution)} characters; the limit is {_ATTRIBUTION_MAX}. Write a shorter one."
        )
    if not template:
        return None
    fault = _fault(template)
    if fault:
        raise WrongUsage(f"{TILES} {fault}; write an address such as {_EXAMPLE}, or unset it to draw no streets.")
    parts = urlsplit(template)
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    return TileServer(template, f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}", attribution)


def tiles_around(server: TileServer, home: tuple[float, float], east_km: float, north_km: float) -> tuple[Tile, ...]:
    """Return the tiles of a box around ``home`` (latitude, longitude), at the zoom that fills it with few of them.

    The box reaches ``east_km`` to either side and ``north_km`` up and down. Empty where no tiles are: at the poles.
    """
    latitude, longitude = home
    if abs(latitude) >= _NORTH_MAX or north_km <= 0:
        return ()
    around = _EARTH_KM * math.cos(math.radians(latitude))
    zoom = min(_ZOOM_MAX, max(1, round(math.log2(around / (_TILE_SHARE * 2 * north_km)))))
    most = 2**zoom
    degrees = 360 * east_km / around, 360 * north_km / _EARTH_KM
    columns = _column(longitude - degrees[0], zoom), _column(longitude + degrees[0], zoom)
    rows = _row(latitude + degrees[1], zoom), _row(latitude - degrees[1], zoom)
    place = Projection(latitude, longitude)
    return tuple(
        _tile(server, place, zoom, column, row)
        for row in range(max(0, rows[0]), min(most - 1, rows[1]) + 1)
        for column in range(columns[0], columns[1] + 1)
    )


def _fault(template: str) -> str:
    """Return what is wrong with a template, "" if nothing is; a password in it is not repeated."""
    try:
        parts = urlsplit(template)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is not an address"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or a password, which every browser would see"
    fault = _fault_of_server(parts.scheme, host) or _fault_of_template(template)
    if not fault and (port == 0 or any(brace in parts.netloc for brace in "{}")):
        fault = "does not name one server"
    return f"= {template!r} {fault}" if fault else ""


def _fault_of_server(scheme: str, host: str) -> str:
    if scheme != "https" and not (scheme == "http" and host in _LOOPBACK):
        return "is not an address of https (of http on this computer only)"
    return "" if _HOST.fullmatch(host) else "does not name one server"


def _fault_of_template(template: str) -> str:
    wrong = re.sub(r"\{[xyz]\}", "", template)
    if any(template.count(place) != 1 for place in _PLACES) or "{" in wrong or "}" in wrong:
        return "must have {z}, {x} and {y} once each, and no other braces"
    if "#" in template or re.search(r"[\s\"'<>\\]", template):
        return "has signs that no such address has"
    return ""


def _column(longitude: float, zoom: int) -> int:
    return math.floor((longitude + 180) / 360 * 2**zoom)


def _row(latitude: float, zoom: int) -> int:
    inside = math.radians(max(-_NORTH_MAX, min(_NORTH_MAX, latitude)))
    return math.floor((1 - math.asinh(math.tan(inside)) / math.pi) / 2 * 2**zoom)


def _tile(server: TileServer, place: Projection, zoom: int, column: int, row: int) -> Tile:
    """Return a tile; one beyond the date line is the one from the globe's other side, drawn where it continues."""
    most = 2**zoom
    west, east = (360 * at / most - 180 - place.longitude for at in (column, column + 1))
    north, south = (_latitude(at, zoom) for at in (row, row + 1))
    km_east = place.point(place.latitude, place.longitude + 1)[0]
    url = server.template.replace("{z}", str(zoom)).replace("{x}", str(column % most)).replace("{y}", str(row))
    return Tile(
        url,
        west * km_east,
        east * km_east,
        place.point(south, place.longitude)[1],
        place.point(north, place.longitude)[1],
    )


def _latitude(row: int, zoom: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / 2**zoom))))
