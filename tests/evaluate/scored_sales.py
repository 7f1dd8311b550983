"""Scored sales made up for tests: every column a market can have, with the faults the figures must stand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.evaluate.scored_sales import Background, Review, ScoredSales, Terms, score
from core.train.model import Priced
from core.train.ranges import round_for_display

LEVELS = (0.5, 0.8, 0.9)
WIDTHS = {0.5: 0.08, 0.8: 0.15, 0.9: 0.20}
TERMS = Terms(
    market_id="larkhaven",
    data_version="0123456789ab",
    split="random",
    seed=42,
    currency="USD",
    area_unit="sqft",
    level=0.8,
    levels=LEVELS,
    tolerance=0.10,
    standard_low=100_000.0,
    standard_high=800_000.0,
)


def scored_sales(n: int, seed: int = 1, terms: Terms = TERMS) -> ScoredSales:
    """Make n scored sales: errors of about 11 % that grow with the price, some unpriced, flagged or missing facts."""
    rng = np.random.default_rng(seed)
    price = np.round(np.exp(rng.normal(12.8, 0.5, n)), -2)
    estimate = price * np.exp(rng.normal(0.0, 0.06 + 0.10 * (price > 800_000), n))
    zipcode = rng.integers(0, 40, n)
    sales = pd.DataFrame(
        {
            "intake_row": rng.permutation(n),
            "sale_date": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D"),
            "sale_price": price,
            "list_price": np.where(rng.random(n) < 0.5, price * rng.lognormal(0.01, 0.03, n), np.nan),
            "property_type": rng.choice(["single_family", "condo", "houseboat"], n, p=[0.7, 0.28, 0.02]),
            "zipcode": pd.Series(98_000 + zipcode).astype("str"),
            "zoning": rng.choice(["residential", "Commercial C1"], n, p=[0.97, 0.03]),
            "units": rng.choice([1.0, 2.0, 6.0], n, p=[0.9, 0.08, 0.02]),
            "living_area_sqft": np.where(rng.random(n) < 0.05, np.nan, np.round(rng.lognormal(7.4, 0.4, n))),
            "lot_area_sqft": np.round(rng.lognormal(8.8, 0.8, n)),
            "year_built": rng.integers(1900, 2025, n).astype(float),
            "latitude": 47.5 + zipcode * 0.01 + rng.normal(0, 0.001, n),
            "longitude": -122.3 + zipcode * 0.005,
            "school_rating": (zipcode % 5 + 1).astype(float),
            "x_median_income": 40_000.0 + 1_000 * zipcode,
            "x_rooms_above": rng.integers(2, 8, n).astype(float),
        }
    )
    sales["sale_date"] = sales["sale_date"].astype("datetime64[us]")
    confidence = rng.uniform(0.3, 0.95, n)
    priced = {level: _priced(level, estimate, confidence) for level in LEVELS}
    return score(sales, priced, _review(rng, n), _background(rng, price, zipcode), terms)


def _priced(level: float, estimate: np.ndarray, confidence: np.ndarray) -> Priced:
    low, high = round_for_display(estimate * (1 - WIDTHS[level])), round_for_display(estimate * (1 + WIDTHS[level]))
    point = np.clip(round_for_display(estimate), low, high)
    groups = np.full(len(estimate), "all homes", dtype=object)
    return Priced(level, 0.10, point, estimate, low, high, confidence, confidence / 5, groups)


def _review(rng: np.random.Generator, n: int) -> Review:
    withheld = rng.choice(["", "Living area is missing, and there is no price without it."], n, p=[0.96, 0.04])
    review = rng.choice(["", "low confidence", "unusual type;low confidence"], n, p=[0.8, 0.15, 0.05])
    review = np.where(withheld == "", review, "")
    flags = np.where(review == "", "", review + ";wide range")
    return Review(withheld.astype(object), flags.astype(object), review.astype(object))


def _background(rng: np.random.Generator, price: np.ndarray, zipcode: np.ndarray) -> Background:
    missing = rng.choice(["", "bedrooms", "bedrooms;year_built"], len(price), p=[0.9, 0.08, 0.02]).astype(object)
    return Background(price * rng.lognormal(0.0, 0.2, len(price)), 0.05 + 0.002 * zipcode, missing)
