"""The homes of Larkhaven: a simulated city's zipcodes and parcels, drawn from a seed."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats, Ints, Objects

CITY: Final = "Larkhaven (simulated)"
"""The name to show wherever this market appears; it makes clear that no home is real."""

ZIPCODE_PREFIX: Final = "869"
"""A prefix the US Postal Service has not assigned (Arizona ends at 865, New Mexico begins at 870)."""

ZIPCODES: Final = 100
CENTRE: Final = (41.5, -138.0)
"""Latitude and longitude of the city hall: in the Pacific, some 1,100 km off California, where no real home is."""

KM_PER_DEGREE: Final = 111.195
NEWEST: Final = 2024
"""The last year in which a home in the city was built or renovated."""

SUFFIXES: Final[tuple[tuple[str, str], ...]] = (
    ("Street", "St"),
    ("Avenue", "Ave"),
    ("Road", "Rd"),
    ("Drive", "Dr"),
    ("Lane", "Ln"),
    ("Court", "Ct"),
    ("Boulevard", "Blvd"),
    ("Place", "Pl"),
)
DIRECTIONS: Final[tuple[tuple[str, str], ...]] = (
    ("", ""),
    ("", ""),
    ("", ""),
    ("North", "N"),
    ("South", "S"),
    ("East", "E"),
    ("West", "W"),
)

# fmt: off
_STREET_FIRST: Final = (
    "Imaginary", "Fictional", "Pretend", "Invented", "Fabled", "Mythical", "Unreal", "Storybook", "Dreamt",
    "Mirage", "Phantom", "Makebelieve", "Fancied", "Nowhere", "Figment", "Supposed", "Feigned", "Conjured",
    "Whimsy", "Illusory", "Simulated", "Notional", "Chimera", "Utopian", "Legendary", "Fanciful", "Visionary",
    "Hypothetical", "Neverwas", "Daydream", "Elfin", "Wonderland", "Atlantis", "Untrue", "Madeup", "Unmapped",
    "Sketched", "Paper", "Mock", "Dummy",
)
_STREET_SECOND: Final = (
    "Heron", "Otter", "Badger", "Wren", "Lynx", "Marten", "Osprey", "Plover", "Quail", "Raven", "Stoat", "Tern",
    "Vole", "Weasel", "Curlew", "Dunlin", "Egret", "Falcon", "Gannet", "Hare", "Ibis", "Jackdaw", "Kestrel",
    "Linnet", "Merlin", "Newt", "Oriole", "Puffin", "Robin", "Siskin", "Thrush", "Avocet", "Bittern", "Coot",
    "Dipper", "Fulmar", "Grebe", "Hobby", "Kite", "Lapwing",
)
# fmt: on

_TYPES: Final = ("single_family", "townhouse", "condo", "apartment", "multi_family", "manufactured", "houseboat")
_SINGLE, _TOWNHOUSE, _CONDO, _APARTMENT, _MULTI, _MANUFACTURED, _HOUSEBOAT = range(7)
_MEDIAN_SQFT: Final = np.array([1950.0, 1500.0, 1020.0, 820.0, 2700.0, 1250.0, 950.0])
_SPREAD_SQFT: Final = np.array([0.33, 0.22, 0.27, 0.25, 0.25, 0.22, 0.30])
_HOMES_PER_BUILDING: Final = 12
_WORN_YEARS: Final = 25
UNRECORDED_YEAR: Final = 2017
"""When homes were renovated without any record: between the two assessments of the tax roll."""
_LOTS_PER_STREET: Final = 48


def shore_km(north_km: Floats) -> Floats:
    """Return how far east of the city hall (km, negative is west) the sea begins at each northing."""
    return -6.0 + 1.6 * np.sin(north_km / 5.0) - 0.04 * north_km


def city_zipcodes(seed: int) -> pd.DataFrame:
    """Return the 100 zipcodes of the city, one row each.

    Columns: zipcode, east_km and north_km of its middle (from the city hall), urban (0-1), effect (log price effect
    in standard deviations), tempo (how strongly its prices follow the market, about 1), assessor (bias of its
    assessments in standard deviations), school_rating (1-5), crime_index (0-100), walk_score (0-100), median_income
    (USD per year), weight (relative number of homes), demand_years (how long its demand takes to come and go, in years)
    and demand_start (where in that time it was in year 0, 0-1).
    """
    rng, waves = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 10])
    turn = np.arange(400) * (np.pi * (3.0 - np.sqrt(5.0)))
    radius = 1.25 * np.sqrt(np.arange(400) + 0.5)
    east, north = radius * np.cos(turn), radius * np.sin(turn)
    dry = np.flatnonzero(east > shore_km(north) + 0.5)[:ZIPCODES]
    east, north = east[dry] + rng.normal(0, 0.25, ZIPCODES), north[dry] + rng.normal(0, 0.25, ZIPCODES)
    distance = np.hypot(east, north)
    urban = np.exp(-((distance / 7.0) ** 2))
    effect = rng.normal(0, 1, ZIPCODES)
    standing = 0.5 * effect + 0.6 * rng.normal(0, 1, ZIPCODES) + 0.35 * np.tanh((distance - 6) / 4)
    school = np.clip(np.round(3.3 + 0.9 * standing), 1, 5)
    crime = np.clip(np.round(38 + 22 * urban - 9 * standing + rng.normal(0, 6, ZIPCODES)), 2, 98)
    walk = np.clip(np.round(22 + 66 * urban + rng.normal(0, 8, ZIPCODES)), 3, 99)
    income = np.round(np.exp(11.25 + 0.16 * standing + rng.normal(0, 0.08, ZIPCODES)), -2)
    return pd.DataFrame(
        {
            "zipcode": [f"{ZIPCODE_PREFIX}{number:02d}" for number in range(ZIPCODES)],
            "east_km": east,
            "north_km": north,
            "urban": urban,
            "effect": effect,
            "tempo": np.clip(1.25 - 0.5 * urban + rng.normal(0, 0.12, ZIPCODES), 0.4, 1.7),
            "assessor": rng.normal(0, 1, ZIPCODES),
            "school_rating": school,
            "crime_index": crime,
            "walk_score": walk,
            "median_income": income,
            "weight": rng.uniform(0.6, 1.4, ZIPCODES),
            "demand_years": waves.uniform(1.2, 2.4, ZIPCODES),
            "demand_start": waves.uniform(0.0, 1.0, ZIPCODES),
        }
    )


def city_homes(seed: int, parcels: int) -> pd.DataFrame:
    """Return every home of the city, one row per parcel; the same seed and number give the same homes.

    Columns: the canonical property and neighborhood fields that do not change with time (no grade, no assessments),
    ``area`` (row of its zipcode in city_zipcodes), east_km, north_km, street parts (house_number, direction, street,
    suffix; direction and suffix are indices into DIRECTIONS and SUFFIXES), and two that no file shows: quality and
    assessor errors in standard deviations; and unrecorded, 0 to 1: a home that is old enough was renovated in
    UNRECORDED_YEAR without any record if it is below the market's share of such homes, else it is 1.
    """
    rng = np.random.default_rng([seed, 2])
    zips = city_zipcodes(seed)
    area = np.sort(rng.choice(ZIPCODES, parcels, p=zips["weight"] / zips["weight"].sum())).astype(np.int64)
    urban = zips["urban"].to_numpy()[area]
    kind = _kinds(rng, urban)
    order = np.lexsort((np.isin(kind, (_CONDO, _APARTMENT)), area))
    area, kind, urban = area[order], kind[order], urban[order]
    lot, tolerance = _lots(area, kind)
    east, north = _positions(rng, zips, area, kind, lot)
    sqft = _living_areas(rng, zips, area, kind)
    built = _years_built(rng, urban)
    homes = pd.DataFrame({"property_id": [f"SIM{number:07d}" for number in range(1, parcels + 1)]})
    homes["area"] = area
    for name, values in _streets(seed, area, lot).items():
        homes[name] = values
    homes["unit"] = _units(kind, tolerance)
    homes["zipcode"] = zips["zipcode"].to_numpy()[area]
    homes["latitude"] = np.round(CENTRE[0] + north / KM_PER_DEGREE, 6)
    homes["longitude"] = np.round(CENTRE[1] + east / (KM_PER_DEGREE * np.cos(np.radians(CENTRE[0]))), 6)
    homes["east_km"], homes["north_km"] = east, north
    old = (built < 1918) & (kind == _SINGLE) & (rng.random(parcels) < 0.08 + 0.25 * urban)
    types = np.array(_TYPES, dtype=object)[kind]
    types[old] = "historic"
    homes["property_type"] = types
    homes["zoning"] = _zoning(rng, kind)
    homes["units"] = _dwelling_units(rng, kind)
    homes["living_area_sqft"] = sqft
    homes["lot_area_sqft"] = _lot_areas(rng, kind, urban, sqft)
    homes["bedrooms"], homes["bathrooms"] = _rooms(rng, kind, sqft, built)
    homes["floors"] = _floors(rng, kind, sqft)
    homes["year_built"] = built.astype(float)
    homes["year_renovated"] = _years_renovated(rng, built)
    homes["condition"] = _conditions(rng, built, homes["year_renovated"].to_numpy())
    homes["view"], homes["waterfront"] = _water(rng, east, north, kind)
    homes["garage_spaces"] = _garages(rng, kind, urban, built)
    for name in ("school_rating", "crime_index", "walk_score"):
        homes[name] = zips[name].to_numpy()[area]
    homes["quality"] = rng.normal(0, 1, parcels)
    homes["assessor_error"] = rng.normal(0, 1, parcels)
    homes["prior_assessor_error"] = 0.98 * homes["assessor_error"] + np.sqrt(1 - 0.98**2) * rng.normal(0, 1, parcels)
    chance = np.random.default_rng([seed, 11]).random(parcels)
    homes["unrecorded"] = np.where(built <= UNRECORDED_YEAR - _WORN_YEARS, chance, 1.0)
    return homes


def address_of(homes: pd.DataFrame) -> Objects:
    """Return the street address of each home in full words, without its unit: "12 North Mirage Heron Street"."""
    return write_address(homes, DIRECTIONS_FULL, SUFFIXES_FULL)


def write_address(homes: pd.DataFrame, directions: Objects, suffixes: Objects) -> Objects:
    """Return each home's address with the given spellings of directions and suffixes, as long as their tables."""
    heading = directions[homes["direction"].to_numpy()]
    ending = suffixes[homes["suffix"].to_numpy()]
    parts = zip(homes["house_number"].tolist(), heading, homes["street"].tolist(), ending, strict=True)
    return np.array(
        [f"{number} {way} {name} {end}" if way else f"{number} {name} {end}" for number, way, name, end in parts],
        dtype=object,
    )


def _texts(values: list[str]) -> Objects:
    return np.array(values, dtype=object)


DIRECTIONS_FULL: Final = _texts([full for full, _ in DIRECTIONS])
SUFFIXES_FULL: Final = _texts([full for full, _ in SUFFIXES])


def _kinds(rng: np.random.Generator, urban: Floats) -> Ints:
    condo, apartment, townhouse = 0.07 + 0.36 * urban, 0.01 + 0.06 * urban, 0.07 + 0.08 * urban
    multi, manufactured, boat = 0.02 + 0.03 * urban, 0.04 * (1 - urban), np.full(urban.shape, 0.002)
    single = 1.0 - (condo + apartment + townhouse + multi + manufactured + boat)
    edges = np.cumsum(np.stack([single, townhouse, condo, apartment, multi, manufactured, boat]), axis=0)
    drawn = (rng.random(urban.size) > edges).sum(axis=0)
    return np.asarray(np.minimum(drawn, _HOUSEBOAT), dtype=np.int64)


def _lots(area: Ints, kind: Ints) -> tuple[Ints, Ints]:
    """Number the lots of each zipcode from 0 (condos share one), and each home within its lot."""
    count = np.bincount(area, minlength=ZIPCODES)
    place = np.arange(area.size) - np.repeat(np.cumsum(count) - count, count)
    flat = np.isin(kind, (_CONDO, _APARTMENT))
    houses = np.bincount(area[~flat], minlength=ZIPCODES)[area]
    tolerance = np.where(flat, (place - houses) % _HOMES_PER_BUILDING, 0)
    lot = np.where(flat, houses + (place - houses) // _HOMES_PER_BUILDING, place)
    return lot.astype(np.int64), tolerance.astype(np.int64)


def _positions(
    rng: np.random.Generator, zips: pd.DataFrame, area: Ints, kind: Ints, lot: Ints
) -> tuple[Floats, Floats]:
    east = zips["east_km"].to_numpy()[area] + rng.normal(0, 0.85, area.size)
    north = zips["north_km"].to_numpy()[area] + rng.normal(0, 0.85, area.size)
    first = np.unique(area * 1_000_000 + lot, return_index=True)
    home = first[1][np.searchsorted(first[0], area * 1_000_000 + lot)]
    east, north = east[home], north[home]
    shore = shore_km(north)
    east = np.where(east < shore + 0.03, 2 * (shore + 0.03) - east, east)
    return np.where(kind == _HOUSEBOAT, shore + 0.01, east), north


def _living_areas(rng: np.random.Generator, zips: pd.DataFrame, area: Ints, kind: Ints) -> Floats:
    lean = 0.07 * zips["effect"].to_numpy()[area] + 0.10 * (0.4 - zips["urban"].to_numpy()[area])
    draw = rng.normal(0, 1, area.size)
    # A few homes are estates: living areas have a long right tail.
    estate = (rng.random(area.size) < 0.012) & (kind == _SINGLE)
    log_area = np.log(_MEDIAN_SQFT[kind]) + lean + _SPREAD_SQFT[kind] * draw + np.where(estate, 0.85, 0.0)
    return np.asarray(np.clip(np.round(np.exp(log_area), -1), 320, 12_000), dtype=np.float64)


def _years_built(rng: np.random.Generator, urban: Floats) -> Ints:
    waves = np.array([[1908.0, 12.0], [1955.0, 12.0], [1982.0, 11.0], [2006.0, 9.0]])
    inner, outer = np.array([0.34, 0.30, 0.18, 0.18]), np.array([0.03, 0.30, 0.37, 0.30])
    share = urban[:, None] * inner + (1 - urban[:, None]) * outer
    wave = (rng.random(urban.size)[:, None] > np.cumsum(share, axis=1)[:, :3]).sum(axis=1)
    year = np.round(rng.normal(waves[wave, 0], waves[wave, 1])).astype(np.int64)
    # Homes of the newest wave that fall beyond the last year become recent homes instead.
    folded = np.where(year > NEWEST, NEWEST - (year - NEWEST) % 20, year)
    return np.asarray(np.maximum(folded, 1870), dtype=np.int64)


def _years_renovated(rng: np.random.Generator, built: Ints) -> Floats:
    age = NEWEST - built
    done = rng.random(built.size) < np.clip((age - 12) / 250, 0, 0.30)
    year = NEWEST - np.floor(rng.beta(1.1, 2.2, built.size) * np.minimum(age - 8, 45).clip(1))
    return np.where(done, year, np.nan)


def _conditions(rng: np.random.Generator, built: Ints, renovated: Floats) -> Floats:
    fresh = np.fmax(built.astype(float), renovated)
    score = np.round(3.7 - 0.010 * (NEWEST - fresh) + rng.normal(0, 0.7, built.size))
    return np.asarray(np.clip(score, 1, 5), dtype=np.float64)


def _streets(seed: int, area: Ints, lot: Ints) -> dict[str, Ints | Objects]:
    """Give every 48 lots of a zipcode their own street, so that each street name exists once in the city."""
    rng = np.random.default_rng([seed, 3])
    names = _texts([f"{first} {second}" for first in _STREET_FIRST for second in _STREET_SECOND])
    names = names[rng.permutation(names.size)]
    street = area * 1_000_000 + lot // _LOTS_PER_STREET
    known, number = np.unique(street, return_inverse=True)
    order = np.arange(known.size)
    # When the names run out, the next round of streets takes the next suffix, so name plus suffix stay unique.
    suffix = (order % names.size + order // names.size) % len(SUFFIXES)
    return {
        "house_number": 100 + 4 * (lot % _LOTS_PER_STREET) + (lot % 2),
        "direction": rng.integers(0, len(DIRECTIONS), known.size)[number],
        "street": names[order % names.size][number],
        "suffix": suffix[number],
    }


def _units(kind: Ints, tolerance: Ints) -> Objects:
    number = 100 * (tolerance // 4 + 1) + tolerance % 4 + 1
    flat = np.isin(kind, (_CONDO, _APARTMENT))
    return np.where(flat, number.astype(str).astype(object), "").astype(object)


def _zoning(rng: np.random.Generator, kind: Ints) -> Objects:
    usual = _texts(["R1", "R2", "R3", "R3", "R2", "MH", "Marine"])[kind]
    chance = rng.random(kind.size)
    usual[chance < 0.009] = "Mixed Use"
    usual[chance < 0.005] = "Commercial"
    return usual


def _dwelling_units(rng: np.random.Generator, kind: Ints) -> Floats:
    several = rng.choice([2.0, 3.0, 4.0, 6.0, 8.0], kind.size, p=[0.55, 0.2, 0.15, 0.06, 0.04])
    return np.where(kind == _MULTI, several, 1.0)


def _lot_areas(rng: np.random.Generator, kind: Ints, urban: Floats, sqft: Floats) -> Floats:
    usual = np.array([8200.0, 2200.0, np.nan, np.nan, 6000.0, 4200.0, np.nan])[kind]
    spread = np.array([0.50, 0.25, 0.0, 0.0, 0.30, 0.30, 0.0])[kind]
    size = usual * np.exp(-0.75 * urban + spread * rng.normal(0, 1, kind.size)) * (sqft / _MEDIAN_SQFT[kind]) ** 0.45
    return np.asarray(np.round(np.maximum(size, 700.0), -1), dtype=np.float64)


def _rooms(rng: np.random.Generator, kind: Ints, sqft: Floats, built: Ints) -> tuple[Floats, Floats]:
    bedrooms = np.clip(np.round(0.4 + 1.35 * np.sqrt(sqft / 500) + rng.normal(0, 0.55, kind.size)), 1, 9)
    bedrooms = np.where((kind == _APARTMENT) & (sqft < 560), 0.0, bedrooms)
    modern = np.where(built > 1975, 0.35, -0.15)
    bathrooms = np.round(2 * (0.35 + 0.00085 * sqft + modern + rng.normal(0, 0.35, kind.size))) / 2
    return bedrooms, np.clip(bathrooms, 1, 9)


def _floors(rng: np.random.Generator, kind: Ints, sqft: Floats) -> Floats:
    tall = rng.random(kind.size) < np.clip(sqft / 3600, 0.15, 0.9)
    floors = np.where(tall, 2.0, 1.0) + 0.5 * (rng.random(kind.size) < 0.06)
    return np.where(np.isin(kind, (_CONDO, _APARTMENT, _MANUFACTURED, _HOUSEBOAT)), 1.0, floors)


def _water(rng: np.random.Generator, east: Floats, north: Floats, kind: Ints) -> tuple[Floats, Floats]:
    from_shore = east - shore_km(north)
    house = ~np.isin(kind, (_CONDO, _APARTMENT, _MANUFACTURED))
    waterfront = ((from_shore < 0.30) & house & (rng.random(kind.size) < 0.45)) | (kind == _HOUSEBOAT)
    # A ridge east of the center looks over the town.
    lift = np.exp(-((from_shore / 1.3) ** 2)) + 0.8 * np.exp(-(((east - 5.0) / 0.9) ** 2))
    view = np.clip(np.round(2.6 * lift + rng.normal(-0.9, 0.9, kind.size)), 0, 4)
    return np.where(waterfront, np.maximum(view, 2.0), view), waterfront.astype(float)


def _garages(rng: np.random.Generator, kind: Ints, urban: Floats, built: Ints) -> Floats:
    mean = 1.5 - 0.9 * urban + np.where(built > 1960, 0.5, -0.4)
    spaces = np.clip(np.round(mean + rng.normal(0, 0.6, kind.size)), 0, 4)
    return np.where(np.isin(kind, (_CONDO, _APARTMENT)), np.minimum(spaces, 1.0), np.where(kind > _MULTI, 0.0, spaces))
