"""The simulated market turns in 2025: what buyers then pay, and how a listing sells at its asking price."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats
from core.demo.city import (
    MarketModel,
    as_people_say,
    assess,
    decimal_years,
    draw_sales,
    facts_of,
    log_value,
    sale_noise,
)
from core.demo.homes import city_homes, city_zipcodes

START: Final = date(2025, 1, 1)
END: Final = date(2025, 6, 30)
"""The six months of the turn, inclusive; the day after is the city's present."""

LISTED_FROM: Final = date(2024, 11, 10)
"""When the story's first listings begin: homes sold in January were listed before it."""

# Buyers' taste shifts over four months and stays: borrowing is expensive, so size and luxury are worth less.
_TURN_YEARS: Final = 4.0 / 12.0
_LESS_FOR_SIZE: Final = -0.20
_LESS_FOR_LUXURY: Final = -0.72
_LEVEL_AT_END: Final = -0.08

_STEP: Final = 1.0 / 12.0
# Asking a tenth over the value makes the wait a quarter longer; a tenth under makes it a fifth shorter.
_WAIT_PER_LOG: Final = 2.5
_WAIT_MAX: Final = 2.0
# Sellers give up most of what they asked over the value, and only if the cut is worth a new ad.
_CUT_SHARE: Final = 0.8
_CUT_FROM: Final = 0.03


@dataclass(frozen=True)
class Listings:
    """Homes listed for sale during the turn, in order of list date.

    ``facts`` has the canonical facts with address, ``list_date`` and ``owner_asks`` (USD, what the owner would ask
    without advice); ``homes`` the rows of city_homes. Arrays of shape (n,): ``noise``, what each sale's luck adds to
    its log price; ``value``, the log of what the home would bring on its list date; ``wait``, the days it would take.
    """

    facts: pd.DataFrame
    homes: pd.DataFrame
    noise: Floats
    value: Floats
    wait: Floats


def turned(model: MarketModel, moment: float) -> MarketModel:
    """Return the market at a decimal year of the turn; before the turn it is unchanged."""
    start = float(decimal_years(np.array([START], dtype="datetime64[D]"))[0])
    progress = float(np.clip((moment - start) / _TURN_YEARS, 0.0, 1.0))
    year, level = model.trend[-1]
    return replace(
        model,
        trend=(*model.trend, (year + 0.5, level + _LEVEL_AT_END)),
        size=model.size + progress * _LESS_FOR_SIZE,
        prestige=model.prestige + progress * _LESS_FOR_LUXURY,
    )


def value_on(model: MarketModel, seed: int, homes: pd.DataFrame, moment: Floats) -> Floats:
    """Return the log of each home's value at its decimal year, shape (n,), in that month's market."""
    zips = city_zipcodes(seed)
    month = np.floor(moment / _STEP).astype(int)
    value = np.empty(len(homes))
    for one in np.unique(month):
        rows = month == one
        now = turned(model, (one + 0.5) * _STEP)
        value[rows] = log_value(now, seed, homes[rows], zips, moment[rows])
    return value


def listings(model: MarketModel, seed: int, count: int) -> Listings:
    """Return ``count`` listings from LISTED_FROM to END; the same seed gives the same ones."""
    rng = np.random.default_rng([seed, 7, count])
    every = city_homes(seed, model.parcels)
    place, day = draw_sales(rng, model, every, start=LISTED_FROM, end=END, sales=count)
    homes = every.iloc[place].reset_index(drop=True)
    value = value_on(model, seed, homes, decimal_years(day))
    noise = sale_noise(rng, model, homes, value)
    facts = facts_of(homes)
    for name, roll in assess(model, seed, every).items():
        facts[str(name)] = roll.to_numpy()[place]
    facts["list_date"] = day.astype("datetime64[us]")
    # Owners know their home and hope for the prices of before the turn.
    hoped = log_value(model, seed, homes, city_zipcodes(seed), np.full(count, decimal_years(day)[0]))
    facts["owner_asks"] = as_people_say(np.exp(hoped + 0.7 * noise + 0.03 + 0.04 * rng.normal(0, 1, count)), 1_000.0)
    wait = np.ceil(rng.gamma(1.6, 14.0, count)) + rng.integers(14, 32, count)
    return Listings(facts, homes, noise, value + noise, np.asarray(wait, dtype=np.float64))


def sold(listed: Listings, asked: Floats, model: MarketModel, seed: int) -> pd.DataFrame:
    """Return how listings sell at the given first prices (USD), shape (n,), one row each, in order.

    Columns: sale_date, sale_price, first_list_price, list_price (the last one) and validity. A home priced over its
    value waits longer and has its price cut; it finally sells for its value on the day of the sale.
    """
    day = listed.facts["list_date"].to_numpy().astype("datetime64[D]")
    over = np.log(asked) - listed.value
    waited = np.ceil(listed.wait * np.clip(np.exp(_WAIT_PER_LOG * over), 1.0 / _WAIT_MAX, _WAIT_MAX))
    sale_day = day + waited.astype("timedelta64[D]")
    brought = value_on(model, seed, listed.homes, decimal_years(sale_day)) + listed.noise
    late = np.maximum(np.log(asked) - brought, 0.0)
    cut = np.where(late > _CUT_FROM, _CUT_SHARE * late, 0.0)
    return pd.DataFrame(
        {
            "sale_date": sale_day.astype("datetime64[us]"),
            "sale_price": as_people_say(np.exp(brought), 500.0),
            "first_list_price": as_people_say(asked, 1_000.0),
            "list_price": as_people_say(asked * np.exp(-cut), 1_000.0),
            "validity": "standard",
        }
    )
