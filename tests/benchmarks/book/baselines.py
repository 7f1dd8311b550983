"""What the book compares with: the tutorial's pipelines, as somebody would write them in an afternoon."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FOREST: Final = "tutorial: ColumnTransformer and RandomForest(150)"
BOOSTING: Final = "plain HistGradientBoosting"
CATBOOST: Final = "CatBoost, standard settings"
MERGE: Final = "pandas: read_csv, merge, drop_duplicates, to_parquet"
COLUMNS: Final = "tutorial: ColumnTransformer"

PART: Final = 50_000
"""The most sales a baseline is fitted on; where there are more, the book says so."""

_WORDS: Final = ("zipcode", "property_type")
_NUMBERS: Final = (
    "living_area_sqft",
    "lot_area_sqft",
    "bedrooms",
    "bathrooms",
    "year_built",
    "latitude",
    "longitude",
)


def part_of(sales: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the sales a baseline is fitted on, and a note where they are not all."""
    if len(sales) <= PART:
        return sales, ""
    return sales.sample(PART, random_state=0), f"baseline fitted on {PART:,} of {len(sales):,} sales"


def inputs_of(sales: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that the tutorial uses, with the year of sale."""
    facts = sales[[name for name in (*_WORDS, *_NUMBERS) if name in sales]].copy()
    if "sale_date" in sales:
        facts["sale_year"] = sales["sale_date"].dt.year + sales["sale_date"].dt.dayofyear / 365.25
    return facts


def columns_step(facts: pd.DataFrame) -> ColumnTransformer:
    """Return the tutorial's preparation: medians for gaps, scaled numbers, one-hot words."""
    words = [name for name in _WORDS if name in facts]
    numbers = [name for name in facts if name not in words]
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("words", OneHotEncoder(handle_unknown="ignore"), words),
        ]
    )


def tutorial_forest(sales: pd.DataFrame) -> Pipeline:
    """Fit the tutorial's forest with all processors; it answers with one."""
    facts = inputs_of(sales)
    forest = RandomForestRegressor(n_estimators=150, random_state=0, n_jobs=-1)
    pipeline = Pipeline([("columns", columns_step(facts)), ("forest", forest)])
    pipeline.fit(facts, sales["sale_price"])
    return pipeline.set_params(forest__n_jobs=1)


def plain_boosting(sales: pd.DataFrame) -> Callable[[pd.DataFrame], np.ndarray]:
    """Fit scikit-learn's boosting with its standard settings; returns what predicts prices."""

    def coded(homes: pd.DataFrame) -> pd.DataFrame:
        facts = inputs_of(homes)
        return facts.assign(
            zipcode=pd.to_numeric(facts["zipcode"], errors="coerce"),
            property_type=pd.Categorical(facts["property_type"], categories=kinds),
        )

    kinds = sorted(sales["property_type"].dropna().unique())
    model = HistGradientBoostingRegressor(categorical_features="from_dtype", random_state=0)
    model.fit(coded(sales), np.log(sales["sale_price"]))
    return lambda homes: np.exp(model.predict(coded(homes)))


def catboost(sales: pd.DataFrame) -> Callable[[pd.DataFrame], np.ndarray] | None:
    """Fit CatBoost with its standard settings; None where it is not installed."""
    if importlib.util.find_spec("catboost") is None:
        return None
    from catboost import CatBoostRegressor

    def texts(homes: pd.DataFrame) -> pd.DataFrame:
        facts = inputs_of(homes)
        words = [name for name in _WORDS if name in facts]
        for name in words:
            facts[name] = facts[name].astype("object").fillna("").astype(str)
        return facts

    model = CatBoostRegressor(verbose=0, random_seed=0, allow_writing_files=False)
    model.fit(texts(sales), np.log(sales["sale_price"]), cat_features=[name for name in _WORDS if name in sales])
    return lambda homes: np.exp(model.predict(texts(homes)))


def pandas_merge(files: list[Path], out: Path) -> None:
    """Join the source files as a tutorial does; no check, no ledger of rows, no address put in order."""
    tables = {path.name: pd.read_csv(path, dtype={"Zip": "str", "ZIP": "str"}, low_memory=False) for path in files}
    sales = next(table for table in tables.values() if "Close Price" in table)
    for table in tables.values():
        if "PARCEL_ID" in table:
            sales = sales.merge(table, left_on="Parcel Number", right_on="PARCEL_ID", how="left")
        elif table is not sales and "Close Price" not in table:
            key = next((name for name in table if str(name).lower().startswith("zip")), None)
            if key is not None:
                other = table.rename(columns={key: "Zip"}).astype({"Zip": "str"})
                sales = sales.merge(other, on="Zip", how="left")
    sales = sales.drop_duplicates()
    for name in ("Close Date", "List Date"):
        sales[name] = pd.to_datetime(sales[name], format="%m/%d/%Y", errors="coerce")
    sales.to_parquet(out)


def pickled_bytes(model: Any) -> int:
    """Return the bytes of a model as the tutorial saves it, without compression."""
    import joblib

    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getbuffer().nbytes


def mape(prices: np.ndarray, estimates: np.ndarray) -> float:
    """Return the mean absolute error as a share of the price."""
    return float(np.mean(np.abs(estimates - prices) / prices))
