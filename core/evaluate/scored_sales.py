"""The scored test sales of a model: the one table from which all figures of an evaluation are computed."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.arrays import Bools, Floats, Objects
from core.errors import ModelOutdated
from core.schema import EXTRA_PREFIX, FIELD_BY_NAME, NEIGHBOURHOOD_FIELDS, FieldKind, conform
from core.train.model import Priced

FORMAT: Final = 2
"""Raised whenever the table's columns or its terms change, so that an older one is refused and not half understood."""

FACTS: Final = (
    "property_type",
    "zipcode",
    "neighbourhood",
    "zoning",
    "units",
    "living_area_sqft",
    "lot_area_sqft",
    "year_built",
    "latitude",
    "longitude",
)
"""The facts in every table, missing throughout if the market does not record them."""

_TEXT: Final = tuple(name for name in FACTS if FIELD_BY_NAME[name].kind is FieldKind.CATEGORY)
_METADATA: Final = b"doorstep"
_AREA_SHARE_MIN: Final = 0.5


@dataclass(frozen=True)
class Terms:
    """What was scored, and on what terms.

    ``split`` names the sales: "random" or "time" for the sealed test, "later" for sales since training. The main range
    is at ``level``, one of ``levels``; confidence is the probability of a sale within ``tolerance`` of the estimate;
    estimates between the standard prices are not flagged for their price.
    """

    market_id: str
    data_version: str
    split: str
    seed: int
    currency: str
    area_unit: str
    level: float
    levels: tuple[float, ...]
    tolerance: float
    standard_low: float
    standard_high: float


@dataclass(frozen=True)
class Review:
    """The pricing desk's review of each of n sales, arrays of shape (n,).

    ``withheld`` is why there is no price, "" if there is one; ``flags`` are the kinds of all flags and ``review`` those
    that need a review, joined by ";".
    """

    withheld: Objects
    flags: Objects
    review: Objects


@dataclass(frozen=True)
class Background:
    """Other known values of each of n sales, arrays of shape (n,), NaN if unknown.

    ``baseline`` is the linear baseline's estimate, ``trend`` the yearly price trend of the sale's area as a share;
    ``missing`` names the unrecorded facts that an agent would be asked for, joined by ";".
    """

    baseline: Floats
    trend: Floats
    missing: Objects


@dataclass(frozen=True)
class ScoredSales:
    """A model's test sales, each with its price, estimate, range, confidence, flags and facts.

    Columns of ``table``, money in the market's currency: intake_row; sale_date; quarter ("2024 Q3"); sale_price;
    list_price; estimate (unrounded); point (rounded); low and high at ``terms.level``; low_50, high_50 and so on for
    every level; confidence (0 to 1); fsd; baseline; priced (False if the desk gives no estimate, even if the model
    would) and withheld (why); flags and review (";"-joined kinds); missing (";"-joined facts); age (years at the sale);
    trend (the area's yearly price change, a share); FACTS; and the market's numeric neighborhood columns. The order of
    rows means nothing.
    """

    terms: Terms
    table: pd.DataFrame

    @cached_property
    def priced(self) -> pd.DataFrame:
        """The sales the desk would have priced, on which the accuracy figures are based."""
        return self.table[self.table["priced"]]

    @property
    def area(self) -> str | None:
        """The column of the smallest area that most sales have: ``neighbourhood``, else ``zipcode``, else None."""
        for name in ("neighbourhood", "zipcode"):
            if self.table[name].notna().mean() >= _AREA_SHARE_MIN:
                return name
        return None

    @property
    def neighbourhood_columns(self) -> tuple[str, ...]:
        """The numeric columns that describe a sale's neighborhood, not the home."""
        known = [field.name for field in NEIGHBOURHOOD_FIELDS if field.name in self.table]
        return (*known, *(name for name in map(str, self.table.columns) if name.startswith(EXTRA_PREFIX)))

    def of(self, rows: pd.Series | Bools) -> ScoredSales:
        """Return the scores of some of the sales, given by a mask over the table."""
        return replace(self, table=self.table[rows])

    def latest(self, months: int) -> ScoredSales:
        """Return the scores of the last ``months`` months of sales, up to and including the latest sale."""
        dates = self.table["sale_date"]
        return self.of(dates > dates.max() - pd.DateOffset(months=months))


def bounds_at(level: float) -> tuple[str, str]:
    """Return the names of the columns that hold the range at a level."""
    return f"low_{round(100 * level)}", f"high_{round(100 * level)}"


def error(table: pd.DataFrame) -> pd.Series:
    """Return each sale's signed error, (estimate - price) / price."""
    return (table["estimate"] - table["sale_price"]) / table["sale_price"]


def inside(table: pd.DataFrame, level: float) -> pd.Series:
    """Return whether each sale price is inside its range at a level, bounds included."""
    low, high = bounds_at(level)
    return (table["sale_price"] >= table[low]) & (table["sale_price"] <= table[high])


def score(
    sales: pd.DataFrame, priced: Mapping[float, Priced], review: Review, background: Background, terms: Terms
) -> ScoredSales:
    """Join sales (canonical columns, ``intake_row``), the model's answers by level and the desk's reviews.

    All are in the order of ``sales``.
    """
    main = priced[terms.level]
    dates = sales["sale_date"].to_numpy()
    columns: dict[str, Any] = {
        "intake_row": sales["intake_row"].to_numpy(dtype=np.int64),
        "sale_date": dates,
        "quarter": _quarters(sales["sale_date"]),
        "sale_price": sales["sale_price"].to_numpy(dtype=float),
        "list_price": _numbers(sales, "list_price"),
        "estimate": main.exact,
        "point": main.point,
        "low": main.low,
        "high": main.high,
    }
    for level in terms.levels:
        names = bounds_at(level)
        columns |= dict(zip(names, (priced[level].low, priced[level].high), strict=True))
    columns |= {
        "confidence": main.confidence,
        "fsd": main.fsd,
        "baseline": background.baseline,
        "priced": review.withheld == "",
        "withheld": _words(review.withheld),
        "flags": _words(review.flags),
        "review": _words(review.review),
        "missing": _words(background.missing),
        "age": sales["sale_date"].dt.year.to_numpy(dtype=float) - _numbers(sales, "year_built"),
        "trend": background.trend,
    }
    facts = conform(sales[[name for name in FACTS if name in sales]], FACTS)
    columns |= {name: facts[name].to_numpy() for name in FACTS}
    columns |= {name: sales[name].to_numpy(dtype=float) for name in neighbourhood_columns(sales)}
    table = pd.DataFrame(columns).reset_index(drop=True)
    return ScoredSales(terms, table.astype(dict.fromkeys(_TEXT, "str")))


def neighbourhood_columns(sales: pd.DataFrame) -> list[str]:
    """Return the numeric columns that are constant within each area code but differ between them."""
    known = [field.name for field in NEIGHBOURHOOD_FIELDS]
    extra = [name for name in map(str, sales.columns) if name.startswith(EXTRA_PREFIX)]
    found = [
        name
        for name in (*known, *extra)
        if name in sales and pd.api.types.is_numeric_dtype(sales[name].infer_objects())
    ]
    area = next((code for code in ("zipcode", "neighbourhood") if code in sales and sales[code].notna().any()), None)
    if area is None or not found:
        return [name for name in found if name in known and sales[name].nunique() > 1]
    values = sales.groupby(area)[found].nunique()
    shared = values.max() <= 1
    return [name for name in found if (shared[name] or name in known) and sales[name].nunique() > 1]


def to_bytes(scored: ScoredSales) -> bytes:
    """Return the scores as a Parquet file that includes their terms."""
    table = pa.Table.from_pandas(scored.table, preserve_index=False)
    terms = json.dumps({"format": FORMAT, **asdict(scored.terms)})
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, _METADATA: terms.encode()}), buffer)
    return buffer.getvalue()


def from_bytes(payload: bytes) -> ScoredSales:
    """Read scores; raises ModelOutdated if another release wrote them."""
    table = pq.read_table(io.BytesIO(payload))
    terms = json.loads((table.schema.metadata or {}).get(_METADATA, b"{}"))
    if terms.pop("format", None) != FORMAT:
        raise ModelOutdated("The test scores were written by another release of Doorstep. Train a new model.")
    return ScoredSales(Terms(**terms | {"levels": tuple(terms["levels"])}), table.to_pandas())


def _numbers(sales: pd.DataFrame, name: str) -> Floats:
    return sales[name].to_numpy(dtype=float) if name in sales else np.full(len(sales), np.nan)


def _words(values: Objects) -> pd.Series:
    return pd.Series(values, dtype="str")


def _quarters(dates: pd.Series) -> pd.Series:
    parts = dates.dt.year.astype("str") + " Q" + dates.dt.quarter.astype("str")
    return parts.reset_index(drop=True).astype("str")
