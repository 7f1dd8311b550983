"""A made-up file of sales with known faults: prices ten times off, areas in square meters, packages of five homes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.schema import SQFT_PER_SQM


@dataclass(frozen=True)
class Doubtful:
    """The file's table under headers of its own, and what was planted in each row: "price", "area", "package", ""."""

    table: pd.DataFrame
    planted: np.ndarray[tuple[int], np.dtype[np.object_]]

    def csv(self) -> bytes:
        """Return the file as an analyst brings it."""
        return self.table.to_csv(index=False).encode()


def doubtful_sales(rows: int = 400, faults: int = 5, seed: int = 0) -> Doubtful:
    """Make sales of four neighborhoods; ``faults`` of each kind are planted in different rows."""
    rng = np.random.default_rng(seed)
    zips = rng.integers(0, 4, rows)
    area = np.round(rng.uniform(900, 3200, rows))
    price = np.round((90_000 + 30_000 * zips + 190 * area) * np.exp(0.1 * rng.normal(size=rows)), -2)
    listed = np.round(price * rng.uniform(0.95, 1.06, rows), -2)
    day = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 500, rows), unit="D")
    rooms = np.clip(np.round(np.exp(0.1 * rng.normal(size=rows)) * area / 700), 1, 6)
    planted = np.full(rows, "", dtype=object)
    order = rng.permutation(rows)
    wrong, metric, package = np.split(order[: 3 * faults], 3)
    price[wrong] *= np.where(rng.random(faults) < 0.5, 10.0, 0.1)
    area[metric] = np.round(area[metric] / SQFT_PER_SQM)
    price[package] = price[package].sum()
    listed[package] = price[package]
    when = day.to_numpy().copy()
    when[package] = when[package].min() if faults else when[package]
    for kind, places in (("price", wrong), ("area", metric), ("package", package)):
        planted[places] = kind
    table = pd.DataFrame(
        {
            "Parcel number": [f"P{number:05}" for number in range(rows)],
            "Street address": [f"{100 + number} Oak St" for number in range(rows)],
            "Zip code": [f"9810{one}" for one in zips],
            "Sale date": pd.Series(when).dt.strftime("%Y-%m-%d"),
            "Sale price": price.round(2),
            "List price": listed,
            "Living area sqft": area,
            "Bedrooms": rooms,
            "Year built": rng.integers(1930, 2015, rows),
        }
    )
    return Doubtful(table, planted)
