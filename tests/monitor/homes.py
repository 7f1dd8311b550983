"""Simulated homes and sales for the tests of monitoring: fifteen facts with the ties, gaps and tails real ones have."""

from __future__ import annotations

import numpy as np
import pandas as pd

NOISE = 0.12
_ZIPCODES = tuple(f"981{number:02d}" for number in range(40))


def homes(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw n homes."""
    area = np.exp(rng.normal(7.5, 0.4, n))
    weights = np.arange(1, 41) / np.arange(1, 41).sum()
    table = pd.DataFrame(
        {
            "living_area_sqft": area,
            "lot_area_sqft": np.exp(rng.normal(9, 1, n)),
            "bedrooms": rng.poisson(3, n).astype(float),
            "bathrooms": np.round(rng.gamma(8, 0.27, n) * 4) / 4,
            "floors": rng.choice([1.0, 1.5, 2.0, 3.0], n, p=[0.5, 0.1, 0.38, 0.02]),
            "year_built": np.round(rng.triangular(1900, 1990, 2020, n)),
            "year_renovated": np.where(rng.random(n) < 0.95, np.nan, np.round(rng.uniform(1980, 2020, n))),
            "condition": rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], n, p=[0.002, 0.008, 0.65, 0.26, 0.08]),
            "grade": np.clip(np.round(rng.normal(7.6, 1.2, n)), 1, 13),
            "view": rng.choice([0.0, 1.0, 2.0, 3.0, 4.0], n, p=[0.9, 0.02, 0.04, 0.02, 0.02]),
            "waterfront": (rng.random(n) < 0.008).astype(float),
            "latitude": rng.normal(47.5, 0.14, n),
            "longitude": rng.normal(-122, 0.14, n),
            "zipcode": rng.choice(_ZIPCODES, n, p=weights),
            "property_type": rng.choice(["single_family", "condo", "townhouse", "duplex"], n, p=[0.7, 0.2, 0.09, 0.01]),
        }
    )
    table.loc[rng.random(n) < 0.05, "living_area_sqft"] = np.nan
    return table


def sales(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw n sales whose estimates are right on average: log(sale / estimate) has sd NOISE."""
    table = homes(n, rng).rename(columns={"zipcode": "area"})
    table["living_area_sqft"] = table["living_area_sqft"].fillna(1_800.0)
    table["estimate"] = 300 * table["living_area_sqft"] * np.exp(rng.normal(0, 0.25, n))
    table["sale_price"] = table["estimate"] * np.exp(rng.normal(0, NOISE, n))
    return table
