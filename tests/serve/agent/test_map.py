"""The map of comparables: tiles of streets that cover it, a server's address that is safe, and nothing over another."""

from __future__ import annotations

import math
import random
from itertools import combinations

import pytest

from core.errors import WrongUsage
from core.serve.agent.map_places import apart, ring_labels
from core.serve.agent.map_tiles import ATTRIBUTION, TILES, read_tiles, tiles_around

OURS = "https://tiles.example.com/{z}/{x}/{y}.png"
LABEL = (26.0, 9.0)


def test_without_the_setting_there_is_no_tile_server() -> None:
    assert read_tiles({}) is None
    assert read_tiles({TILES: " ", ATTRIBUTION: "© us"}) is None


@pytest.mark.parametrize(
    ("template", "origin"),
    [
        (OURS, "https://tiles.example.com"),
        ("https://tiles.example.com:8443/a/{z}/{x}/{y}@2x.png?key=k1", "https://tiles.example.com:8443"),
        ("http://127.0.0.1:8080/{z}/{x}/{y}.png", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/{z}/{x}/{y}.png", "http://[::1]:8080"),
        ("HTTPS://Tiles.Example.com/{z}/{x}/{y}", "https://tiles.example.com"),
    ],
)
def test_exactly_the_servers_origin_is_opened(template: str, origin: str) -> None:
    server = read_tiles({TILES: template, ATTRIBUTION: "© us"})
    assert server is not None
    assert (server.origin, server.attribution) == (origin, "© us")


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("http://tiles.example.com/{z}/{x}/{y}.png", "https"),
        ("ftp://tiles.example.com/{z}/{x}/{y}.png", "https"),
        ("/tiles/{z}/{x}/{y}.png", "https"),
        ("https:///{z}/{x}/{y}.png", "one server"),
        ("https://{s}.tiles.example.com/{z}/{x}/{y}.png", "one server"),
        ("https://tiles.example.com;script-src */{z}/{x}/{y}.png", "one server"),
        ("https://tiles.example.com:0/{z}/{x}/{y}.png", "one server"),
        ("https://tiles.example.com:port/{z}/{x}/{y}.png", "not an address"),
        ("https://tiles.example.com/{z}/{x}.png", "once each"),
        ("https://tiles.example.com/{z}/{x}/{y}/{r}.png", "no other braces"),
        ("https://tiles.example.com/{z}/{x}/{y}.png#a", "signs"),
        ("https://tiles.example.com/a b/{z}/{x}/{y}.png", "signs"),
    ],
)
def test_an_address_that_opens_more_or_leads_nowhere_is_refused_with_what_helps(template: str, why: str) -> None:
    with pytest.raises(WrongUsage, match=why) as refused:
        read_tiles({TILES: template})
    assert TILES in str(refused.value)
    assert "unset it" in str(refused.value)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(WrongUsage, match="password") as refused:
        read_tiles({TILES: "https://kim:geheim@tiles.example.com/{z}/{x}/{y}.png"})
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("home", [(47.61, -122.33), (-33.87, 151.21), (0.0, 0.0), (64.1, -21.9), (10.0, 179.999)])
@pytest.mark.parametrize("north", [0.05, 0.4, 3.0, 60.0])
def test_few_tiles_cover_the_whole_map_without_a_gap(home: tuple[float, float], north: float) -> None:
    server = read_tiles({TILES: OURS})
    assert server is not None
    tiles = tiles_around(server, home, 2 * north, north)
    assert 1 <= len(tiles) <= 80
    assert len({tile.url for tile in tiles}) == len(tiles)
    assert min(tile.west for tile in tiles) <= -2 * north + 1e-6
    assert max(tile.east for tile in tiles) >= 2 * north - 1e-6
    assert min(tile.south for tile in tiles) <= -north + 1e-6
    assert max(tile.north for tile in tiles) >= north - 1e-6
    assert sum(tile.west < 0 <= tile.east and tile.south < 0 <= tile.north for tile in tiles) == 1


def test_a_tile_of_a_known_place_has_the_address_that_everyone_uses() -> None:
    server = read_tiles({TILES: OURS})
    assert server is not None
    urls = [tile.url for tile in tiles_around(server, (51.5074, -0.1278), 0.01, 0.4)]
    # Trafalgar Square by the usual scheme (slippy map), at zoom 15.
    assert "https://tiles.example.com/15/16372/10896.png" in urls


def test_there_are_no_tiles_at_the_pole() -> None:
    server = read_tiles({TILES: OURS})
    assert server is not None
    assert tiles_around(server, (89.0, 0.0), 1.0, 1.0) == ()


def crowded(number: int) -> tuple[list[tuple[float, float]], list[float]]:
    """Return the places of up to ten numbers around a home, in pixels, some on one spot, and their radii."""
    chance = random.Random(number)
    places = [(chance.gauss(0, 60), chance.gauss(0, 50)) for _ in range(chance.randint(3, 9))]
    return [*places, places[0]], [chance.uniform(9, 16) for _ in range(len(places) + 1)]


@pytest.mark.parametrize("number", range(25))
def test_no_number_lies_over_another_or_over_the_home(number: int) -> None:
    places, radii = crowded(number)
    moved = [*apart(places, radii, 11.0), (0.0, 0.0)]
    for (one, near), (other, far) in combinations(zip(moved, [*radii, 11.0], strict=True), 2):
        assert math.dist(one, other) >= near + far - 1.5


@pytest.mark.parametrize("number", range(25))
def test_no_label_of_a_ring_lies_over_a_number_or_another_label(number: int) -> None:
    places, radii = crowded(number)
    moved = apart(places, radii, 11.0)
    labels = [label for label in ring_labels([60.0, 130.0], moved, radii, (175.0, 156.0)) if label is not None]
    assert labels
    for east, north in labels:
        for (x, y), radius in zip(moved, radii, strict=True):
            beside = max(abs(east - x) - LABEL[0], 0.0), max(abs(north - y) - LABEL[1], 0.0)
            assert math.hypot(*beside) >= radius
    for one, other in combinations(labels, 2):
        assert abs(one[0] - other[0]) >= 2 * LABEL[0] or abs(one[1] - other[1]) >= 2 * LABEL[1]
