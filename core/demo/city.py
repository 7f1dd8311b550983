"""The simulated market of Larkhaven: what its homes are worth on any day, and the resulting sales."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats, Ints
from core.demo.homes import UNRECORDED_YEAR, address_of, city_homes, city_zipcodes, shore_km
from core.demo.offices import listed_by

START: Final = date(2019, 1, 1)
END: Final = date(2024, 12, 31)

STRUCTURAL: Final = "x_structural_log_price"
"""Truth column: natural log of the price (USD) that facts, location and day explain."""

NOISE: Final = "x_sale_noise"
"""Truth column: what the home's unobserved quality and the sale's luck add to the log price."""

_DAYS_PER_YEAR: Final = 365.25
_WAIT_MAX: Final = 350  # days; whoever has not sold by then lists anew
_DEMAND_LEADS: Final = 0.1  # years by which the wait of homes foretells their prices
_APART: Final = 0.12  # least time between two sales of a home, as a share of the time in which it can sell


@dataclass(frozen=True)
class MarketModel:
    """Coefficients of the log price, each in log units unless noted; ``dataclasses.replace`` makes another market.

    ``trend`` holds (decimal year, log level of the whole city) knots, linear between them and flat outside; to make
    prices fall in 2025, append a lower knot. ``heat`` scales how differently zipcodes follow that trend (1 = as
    drawn). The demand in each zipcode comes and goes: prices by ``demand``, and some weeks earlier the days on market,
    ``exp(demand_days)`` times as many where it is weakest. ``unrecorded`` is the share of older homes that were
    renovated between the two assessments without a record, which ``unrecorded_adds`` to what a renovation does. Above
    ``prestige_from`` (USD), the log price rises by an extra ``prestige`` per unit. ``*_noise`` are standard deviations:
    an ``odd_share`` of sales, homes above ``luxury_from`` (USD) and unusual types get extra noise. ``parcels`` is the
    number of homes in the city; ``*_share`` are fractions; ``resales_a_year`` is the fraction of sales, per year of the
    period, of a home already sold in it.
    """

    parcels: int = 50_000
    level: float = 12.645
    size: float = 0.60
    size_bend: float = -0.11
    size_at_place: float = 0.26
    place: float = 1.0
    zipcode: float = 0.075
    townhouse: float = -0.07
    condo: float = -0.24
    condo_at_centre: float = 0.30
    apartment: float = -0.22
    multi_family: float = -0.10
    extra_unit: float = 0.06
    manufactured: float = -0.55
    houseboat: float = 0.05
    historic: float = 0.06
    commercial: float = -0.12
    ageing: float = -0.30
    ageing_years: float = 32.0
    vintage: float = 0.17
    renovation_resets: float = 0.65
    unrecorded: float = 0.06
    unrecorded_adds: float = 0.04
    condition: tuple[float, float, float, float, float] = (-0.26, -0.11, 0.0, 0.06, 0.12)
    view: tuple[float, float, float, float, float] = (0.0, 0.025, 0.06, 0.11, 0.19)
    waterfront: float = 0.36
    lot_in_suburb: float = 0.17
    lot_in_city: float = 0.04
    bathroom: float = 0.045
    cramped_rooms: float = -0.06
    garage: float = 0.03
    school: float = 0.045
    school_for_families: float = 0.035
    walk_for_flats: float = 0.0035
    walk_for_houses: float = 0.0004
    crime: float = -0.0022
    trend: tuple[tuple[float, float], ...] = (
        (2016.0, -0.17),
        (2019.0, 0.0),
        (2020.25, 0.045),
        (2020.75, 0.075),
        (2022.4, 0.395),
        (2023.3, 0.265),
        (2024.0, 0.285),
        (2025.0, 0.32),
    )
    prestige: float = 1.25
    prestige_from: float = 850_000.0
    heat: float = 1.0
    demand: float = 0.03
    demand_days: float = 0.8
    season: float = 0.015
    quality_noise: float = 0.042
    sale_noise: float = 0.050
    odd_share: float = 0.05
    odd_noise: float = 0.17
    luxury_from: float = 1_200_000.0
    luxury_noise: float = 0.10
    unusual_noise: float = 0.13
    assessed_noise: float = 0.13
    assessed_zipcode: float = 0.06
    assessed_on: date = date(2018, 1, 1)
    prior_assessed_on: date = date(2016, 1, 1)
    resales_a_year: float = 0.04
    non_market_share: float = 0.008


def simulate(model: MarketModel, seed: int, start: date = START, end: date = END, sales: int = 50_000) -> pd.DataFrame:
    """Return the true sales of the simulated city from ``start`` to ``end``, inclusive, sorted by date.

    The seed alone fixes the city and its homes, so a later period with a changed model continues the same market:
    ``simulate(replace(MarketModel(), trend=...), 2019, date(2025, 1, 1), date(2025, 12, 31), 8_000)``.

    Columns: every canonical field but ``neighbourhood`` and ``grade`` (prices in USD, areas in sq ft, dates as
    datetime64[us]), and STRUCTURAL and NOISE. ``validity`` is "standard" for an arm's-length sale; the price of a
    sale with any other value is below the market. Assessed values are those of the roll on ``model.assessed_on``: they
    reflect the home and that day's market, never a sale. Raises ValueError if the period is empty or has more sales
    than the city has homes to sell.
    """
    _check(model, start, end, sales)
    homes = city_homes(seed, model.parcels)
    zips = city_zipcodes(seed)
    assessed = assess(model, seed, homes)
    rng = np.random.default_rng([seed, 4, start.toordinal(), end.toordinal(), sales])
    sold, day = draw_sales(rng, model, homes, start=start, end=end, sales=sales)
    facts = homes.iloc[sold].reset_index(drop=True)
    structural = log_value(model, seed, facts, zips, decimal_years(day))
    noise = sale_noise(rng, model, facts, structural)
    validity, discount = _validity(rng, model, sales)
    price = as_people_say(np.exp(structural + noise + discount), 500.0)
    slow = np.exp(-model.demand_days * demand(facts, zips, decimal_years(day) + _DEMAND_LEADS))
    waited = np.minimum(np.ceil(slow * rng.gamma(1.6, 18.0, sales)), _WAIT_MAX) + rng.integers(20, 50, sales)
    # Sellers know their home, not what a buyer will pay: the asking price contains only part of the noise.
    asked = np.exp(structural + 0.7 * noise + 0.02 + 0.03 * rng.normal(0, 1, sales))
    truth = facts_of(facts)
    for name, roll in assessed.items():
        truth[str(name)] = roll.to_numpy()[sold]
    truth["sale_id"] = [f"SIM{start:%y%m%d}-{number:06d}" for number in range(1, sales + 1)]
    truth["sale_date"] = day.astype("datetime64[us]")
    truth["sale_price"] = price
    truth["list_date"] = (day - waited.astype("timedelta64[D]")).astype("datetime64[us]")
    truth["list_price"] = as_people_say(asked, 1_000.0)
    truth["listing_office"], cut = listed_by(seed, start, end, waited.astype(np.float64))
    truth["first_list_price"] = as_people_say(truth["list_price"].to_numpy() / (1.0 - cut), 1_000.0)
    truth["validity"] = validity
    truth[STRUCTURAL], truth[NOISE] = structural, noise
    return truth


def assess(model: MarketModel, seed: int, homes: pd.DataFrame) -> pd.DataFrame:
    """Return assessed_value, prior_assessed_value (USD) and assessed_on of each home; no value of what was not built.

    An assessor sees an earlier day's structural value with its own errors; sales play no part.
    """
    zips = city_zipcodes(seed)
    bias = model.assessed_zipcode * zips["assessor"].to_numpy()[homes["area"].to_numpy()]
    rolls = {}
    for name, error, on in (
        ("assessed_value", "assessor_error", model.assessed_on),
        ("prior_assessed_value", "prior_assessor_error", model.prior_assessed_on),
    ):
        moment = np.full(len(homes), decimal_years(np.array([on], dtype="datetime64[D]"))[0])
        value = log_value(model, seed, homes, zips, moment) + bias + model.assessed_noise * homes[error].to_numpy()
        stood = homes["year_built"].to_numpy() < on.year
        rolls[name] = np.where(stood, as_people_say(np.exp(value - 0.05), 100.0), np.nan)
    day = np.datetime64(model.assessed_on).astype("datetime64[us]")
    return pd.DataFrame({**rolls, "assessed_on": np.full(len(homes), day)}, index=homes.index)


def log_value(model: MarketModel, seed: int, homes: pd.DataFrame, zips: pd.DataFrame, moment: Floats) -> Floats:
    """Return the natural log of each home's structural value (USD) at its decimal year, shape (n,).

    ``homes`` are rows of city_homes, ``zips`` the table of city_zipcodes of the same seed.
    """
    area = homes["area"].to_numpy()
    urban = zips["urban"].to_numpy()[area]
    place = location(seed, homes["east_km"].to_numpy(), homes["north_km"].to_numpy())
    value = (
        model.level
        + model.place * place
        + model.zipcode * zips["effect"].to_numpy()[area]
        + _size(model, homes, place)
        + _type(model, homes, urban)
        + _age(model, homes, moment)
        + _amenities(model, homes, urban)
        + _surroundings(model, homes)
        + _trend(model, zips["tempo"].to_numpy()[area], moment)
        + model.demand * demand(homes, zips, moment)
    )
    # The most expensive homes cost more than their facts explain: above some price they are a separate market.
    return np.asarray(
        value + model.prestige * np.maximum(value - np.log(model.prestige_from), 0.0),
        dtype=np.float64,
    )


def demand(homes: pd.DataFrame, zips: pd.DataFrame, moment: Floats) -> Floats:
    """Return how strong the demand is in each home's zipcode at its decimal year, shape (n,), from -1 to 1."""
    own = zips.iloc[homes["area"].to_numpy()]
    turns = moment / own["demand_years"].to_numpy() + own["demand_start"].to_numpy()
    return np.asarray(np.sin(2 * np.pi * turns), dtype=np.float64)


def facts_of(homes: pd.DataFrame) -> pd.DataFrame:
    """Return the recorded canonical facts of homes (rows of city_homes), with the address."""
    hidden = ["area", "house_number", "direction", "street", "suffix", "east_km", "north_km"]
    known = homes.drop(columns=[*hidden, "unrecorded", "quality", "assessor_error", "prior_assessor_error"])
    known.insert(1, "address", address_of(homes))
    return known


def location(seed: int, east_km: Floats, north_km: Floats) -> Floats:
    """Return the smooth location value (log) at places in km from the city hall, shape (n,).

    It has a center, a campus, a seashore, a harbor with factories, and 40 small pockets drawn from the seed.
    """
    rng = np.random.default_rng([seed, 5])
    value = 0.34 * np.exp(-((np.hypot(east_km, north_km) / 6.0) ** 2))
    value += 0.36 * np.exp(-((np.hypot(east_km - 8.0, north_km - 6.0) / 3.2) ** 2))
    value += 0.24 * np.exp(-(east_km - shore_km(north_km)) / 1.4)
    value -= 0.34 * np.exp(-((np.hypot(east_km + 2.0, north_km + 6.5) / 2.4) ** 2))
    for _ in range(40):
        middle, height, width = rng.uniform(-14, 14, 2), rng.normal(0, 0.11), rng.uniform(0.9, 2.2)
        value += height * np.exp(-((np.hypot(east_km - middle[0], north_km - middle[1]) / width) ** 2))
    return value


def decimal_years(days: np.ndarray) -> Floats:
    """Return each calendar day (datetime64[D]) as a decimal year."""
    year = days.astype("datetime64[Y]")
    return np.asarray(
        year.astype(float) + 1970.0 + (days - year.astype("datetime64[D]")).astype(float) / _DAYS_PER_YEAR,
        dtype=np.float64,
    )


def _check(model: MarketModel, start: date, end: date, sales: int) -> None:
    if end < start:
        raise ValueError(f"the simulated period ends on {end}, before its start on {start}; swap the dates")
    if not 1 <= sales <= model.parcels:
        raise ValueError(f"sales = {sales} must lie between 1 and parcels = {model.parcels}; raise MarketModel.parcels")


def _size(model: MarketModel, homes: pd.DataFrame, place: Floats) -> Floats:
    size = np.log(homes["living_area_sqft"].to_numpy() / 1700.0)
    rooms = homes["bedrooms"].to_numpy()
    cramped = np.maximum(rooms * 330.0 / homes["living_area_sqft"].to_numpy() - 0.6, 0.0)
    usual_baths = 0.5 + 0.9 * homes["living_area_sqft"].to_numpy() / 1000.0
    more_baths = np.clip(homes["bathrooms"].to_numpy() - usual_baths, -1.5, 1.5)
    return np.asarray(
        model.size * size
        + model.size_bend * size**2 * (size < 0)
        + model.size_at_place * size * place
        + model.bathroom * more_baths
        + model.cramped_rooms * cramped,
        dtype=np.float64,
    )


def _type(model: MarketModel, homes: pd.DataFrame, urban: Floats) -> Floats:
    premium = {
        "single_family": 0.0,
        "townhouse": model.townhouse,
        "condo": model.condo,
        "apartment": model.apartment,
        "multi_family": model.multi_family,
        "manufactured": model.manufactured,
        "houseboat": model.houseboat,
        "historic": model.historic,
    }
    kind = homes["property_type"]
    flat = kind.isin(["condo", "apartment"]).to_numpy()
    trade = homes["zoning"].isin(["Commercial", "Mixed Use"]).to_numpy()
    return (
        kind.map(premium).to_numpy(dtype=float)
        + model.condo_at_centre * urban * flat
        + model.extra_unit * (homes["units"].to_numpy() - 1)
        + model.commercial * trade
    )


def _age(model: MarketModel, homes: pd.DataFrame, moment: Floats) -> Floats:
    year = np.floor(moment)
    age = np.maximum(year - homes["year_built"].to_numpy(), 0.0)
    recorded = homes["year_renovated"].to_numpy()
    done = np.isnan(recorded) & (homes["unrecorded"].to_numpy() < model.unrecorded)
    renovated = np.where(done, UNRECORDED_YEAR, recorded)
    since = np.where(renovated <= year, year - renovated, age)
    felt = age - model.renovation_resets * np.maximum(age - since, 0.0)
    worn = model.ageing * (1.0 - np.exp(-felt / model.ageing_years))
    charm = model.vintage / (1.0 + np.exp(-(age - 92.0) / 5.0))
    return np.asarray(
        worn
        + charm
        + model.unrecorded_adds * (done & (year >= UNRECORDED_YEAR))
        + np.array(model.condition)[homes["condition"].to_numpy().astype(int) - 1],
        dtype=np.float64,
    )


def _amenities(model: MarketModel, homes: pd.DataFrame, urban: Floats) -> Floats:
    lot = np.log(homes["lot_area_sqft"].fillna(6000.0).to_numpy() / 6000.0)
    return np.asarray(
        np.array(model.view)[homes["view"].to_numpy().astype(int)]
        + model.waterfront * homes["waterfront"].to_numpy()
        + (model.lot_in_city * urban + model.lot_in_suburb * (1 - urban)) * lot
        + model.garage * np.minimum(homes["garage_spaces"].to_numpy(), 2.0) * (0.7 + urban),
        dtype=np.float64,
    )


def _surroundings(model: MarketModel, homes: pd.DataFrame) -> Floats:
    flat = homes["property_type"].isin(["condo", "apartment"]).to_numpy()
    family = ~flat & (homes["bedrooms"].to_numpy() >= 3)
    walk = homes["walk_score"].to_numpy() - 50.0
    return np.asarray(
        (model.school + model.school_for_families * family) * (homes["school_rating"].to_numpy() - 3.0)
        + np.where(flat, model.walk_for_flats, model.walk_for_houses) * walk
        + model.crime * (homes["crime_index"].to_numpy() - 45.0),
        dtype=np.float64,
    )


def _trend(model: MarketModel, tempo: Floats, moment: Floats) -> Floats:
    years, levels = np.array(model.trend).T
    shared = np.interp(moment, years, levels)
    return np.asarray(
        shared * (1 + model.heat * (tempo - 1)) + model.season * np.sin(2 * np.pi * (moment - 0.25)),
        dtype=np.float64,
    )


def draw_sales(
    rng: np.random.Generator, model: MarketModel, homes: pd.DataFrame, *, start: date, end: date, sales: int
) -> tuple[Ints, np.ndarray]:
    """Return each sale's home and day, sorted by day; two sales of one home are never within weeks of each other."""
    ready = np.fmax(homes["year_built"].to_numpy(), homes["year_renovated"].to_numpy())
    sellable = np.flatnonzero(ready <= end.year)
    years = ((end - start).days + 1) / _DAYS_PER_YEAR
    again = min(int(sales * model.resales_a_year * years), sales // 2)
    first = rng.permutation(sellable)[: sales - again]
    if first.size < sales - again:
        raise ValueError(f"only {first.size} homes exist by {end}, too few for {sales} sales; ask for fewer")
    home = np.concatenate([first, first[:again]])
    # Two evenly distributed moments in order, then pushed apart: together they stay evenly distributed.
    pairs = np.sort(rng.random((again, 2)), axis=1) * (1 - _APART) + np.array([0.0, _APART])
    share = np.concatenate([pairs[:, 0], rng.random(first.size - again), pairs[:, 1]])
    earliest = np.clip((ready[home] - decimal_years(np.array([start], dtype="datetime64[D]"))[0]) / years, 0.0, None)
    share = np.where(earliest < 1, earliest + (1 - earliest) * share, share)
    day = np.datetime64(start) + np.floor(_busy(share, years) * ((end - start).days + 1)).astype("timedelta64[D]")
    # Leap years are a day longer: no home may sell on the last day before the year it was finished.
    finished = (ready[home].astype(np.int64) - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    day = np.maximum(day, finished)
    order = np.argsort(day, kind="stable")
    return home[order].astype(np.int64), day[order]


def _busy(share: Floats, years: float) -> Floats:
    """Shift evenly distributed moments toward the warm half of each year."""
    turns = share * years
    moved = turns - 0.045 * np.sin(2 * np.pi * (turns - 0.47)) - 0.045 * np.sin(2 * np.pi * 0.47)
    return np.asarray(
        np.clip(moved / years, 0.0, np.nextafter(1.0, 0.0)),
        dtype=np.float64,
    )


def sale_noise(rng: np.random.Generator, model: MarketModel, facts: pd.DataFrame, structural: Floats) -> Floats:
    """Draw what a home's unobserved quality and each sale's luck add to the log price, shape (n,)."""
    count = len(facts)
    kind = facts["property_type"].to_numpy()
    noise = model.quality_noise * facts["quality"].to_numpy() + model.sale_noise * rng.normal(0, 1, count)
    spread = np.zeros(count)
    spread[rng.random(count) < model.odd_share] = model.odd_noise
    spread[structural > np.log(model.luxury_from)] += model.luxury_noise
    spread[(kind == "historic") | (kind == "houseboat")] += model.unusual_noise
    return np.asarray(
        noise + spread * rng.standard_t(5, count) / np.sqrt(5 / 3),
        dtype=np.float64,
    )


def _validity(rng: np.random.Generator, model: MarketModel, sales: int) -> tuple[np.ndarray, Floats]:
    words = np.full(sales, "standard", dtype=object)
    discount = np.zeros(sales)
    count = round(model.non_market_share * sales)
    chosen = rng.choice(sales, count, replace=False)
    words[chosen] = rng.choice(np.array(["foreclosure", "family", "quitclaim"], dtype=object), count)
    discount[chosen] = np.log(rng.uniform(0.40, 0.80, count))
    return words, discount


def as_people_say(amount: Floats, step: float) -> Floats:
    """Round amounts to the given step, but never below one step."""
    return np.maximum(np.round(amount / step) * step, step)
