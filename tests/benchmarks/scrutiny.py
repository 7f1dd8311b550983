"""Planted errors in real sales: what the review queue finds, and the test error of a quick training on the rest."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from core import measures
from core.access import Actor, Role
from core.problem import load_problem
from core.progress import silent
from core.schema import SQFT_PER_SQM
from core.states import Family
from core.store import Store, open_store
from core.train.trainer import default_plan
from core.workflows.data.intake import ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.data.scrutiny import review_queue
from core.workflows.models.training import known_sales, make_model
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting

ROOT: Final = Path(__file__).resolve().parent.parent.parent
MANAGER: Final = Actor("benchmark", Role.MANAGER)
SHARE: Final = 0.01
HOMES: Final = 5
SEED: Final = 17

_DAY: Final = date(2026, 1, 1)


@dataclass(frozen=True)
class RealFile:
    """A file of real sales and its columns; ``metric`` says that areas are in square meters there.

    ``window_months`` is how far back the quick training learns, None for all: it is what takes longest.
    """

    name: str
    path: str
    currency: str
    area_unit: str
    price: str
    date: str
    areas: tuple[str, ...]
    place: str
    metric: bool
    window_months: int | None = None


KING_COUNTY: Final = RealFile(
    *("King County", "king_county/kc_house_data_2014_2015.csv", "USD", "sqft", "price", "date"),
    areas=("sqft_living", "sqft_lot", "sqft_above", "sqft_basement"),
    place="zipcode",
    metric=False,
)
SINGAPORE: Final = RealFile(
    *("Singapore", "singapore/hdb_resale_2017_2023.csv.gz", "SGD", "sqm", "resale_price", "month"),
    areas=("floor_area_sqm",),
    place="town",
    metric=True,
    window_months=12,
)


def planted(table: pd.DataFrame, file: RealFile, seed: int = SEED) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Return the table with errors and what was planted in each row, shape (n,).

    In 1 % of the rows the price is ten times too high or too low; in 1 % all areas are in the other unit; and 1 % are
    sold in packages of five homes of one place: each row bears the date of the first and the price of all.
    """
    rng = np.random.default_rng(seed)
    table, kind = table.copy(), np.full(len(table), "", dtype=object)
    each = int(SHARE * len(table))
    wrong, metric, package = np.split(rng.permutation(len(table))[: 3 * each], 3)
    price = table[file.price].to_numpy(dtype="float64").copy()
    price[wrong] *= np.where(rng.random(each) < 0.5, 10.0, 0.1)
    for name in file.areas:
        factor = SQFT_PER_SQM if file.metric else 1 / SQFT_PER_SQM
        values = table[name].to_numpy(dtype="float64").copy()
        values[metric] = np.round(values[metric] * factor, 1)
        table[name] = values
    package = package[: each // HOMES * HOMES]
    package = package[np.argsort(table[file.place].to_numpy()[package], kind="stable")]
    when = table[file.date].to_numpy().copy()
    for homes in package.reshape(-1, HOMES):
        price[homes], when[homes] = price[homes].sum(), when[homes[0]]
    table[file.price], table[file.date] = price, when
    for name, rows in (("price", wrong), ("area", metric), ("package", package)):
        kind[rows] = name
    return table, kind


def measure(file: RealFile) -> dict[str, Any] | None:
    """Return recall, precision and the errors on the same test sales; None where the data is not there."""
    folder = Path(os.environ.get("SALES_DATA_DIR", ROOT / ".." / "shared" / "data")).resolve()
    if not (folder / file.path).is_file():
        return None
    clean = pd.read_csv(folder / file.path, dtype={file.place: "str", file.date: "str"}, low_memory=False)
    dirty, kind = planted(clean, file)
    errors: dict[str, pd.Series] = {}
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="doorstep-bench-") as home:
        for name, table in (("clean", clean), ("planted", dirty)):
            path = Path(home) / f"{name}.csv"
            table.to_csv(path, index=False)
            with open_store(Path(home) / name) as store:
                started = time.perf_counter()
                workspace = acting(store, MANAGER, today=_DAY)
                market = NewMarket(file.name, file.currency, file.area_unit)  # type: ignore[arg-type]
                report = ingest(workspace, market, [SourceFile(path, path.name)], silent)
                found[f"{name}_intake_seconds"] = round(time.perf_counter() - started, 1)
                [account] = report.version.files
                found[f"{name}_rows"] = f"{account.rows_in} in, {account.set_aside} set aside"
                if name == "planted":
                    started = time.perf_counter()
                    found |= _queue(store, report.version.market_id, kind, account.rejected)
                    found["queue_seconds"] = round(time.perf_counter() - started, 1)
                errors[name] = _errors(store, report.version.market_id, file.window_months)
    both = errors["clean"].index.intersection(errors["planted"].index)
    both = both[kind[both.to_numpy()] == ""]
    mape = {name: float(of_sales.loc[both].mean()) for name, of_sales in errors.items()}
    points = 100 * (mape["planted"] - mape["clean"])
    named = {f"mape_{name}": error for name, error in mape.items()}
    return {"market": file.name, **found, "test_sales": len(both), **named, "points_apart": round(points, 3)}


def _queue(store: Store, market_id: str, kind: np.ndarray[Any, Any], rejected: int) -> dict[str, Any]:
    """Return how much of what was planted is in the queue, by kind, and how much of the queue was planted."""
    rows = review_queue(acting(store, MANAGER), market_id).rows
    queued, waiting = np.zeros((2, len(kind)), dtype=bool)
    queued[rows["intake_row"].to_numpy()] = True
    waiting[rows.loc[rows["waiting"], "intake_row"].to_numpy()] = True
    recall = {f"recall_{name}": float(queued[kind == name].mean()) for name in ("price", "area", "package")}
    return {
        "planted": int((kind != "").sum()),
        "queue": int(queued.sum()),
        "recall": float(queued[kind != ""].mean()),
        "precision": float((kind[queued] != "").mean()),
        "set_aside_precision": float((kind[waiting] != "").mean()),
        **recall,
        "rejected_by_limits": rejected,
    }


def _errors(store: Store, market_id: str, window: int | None) -> pd.Series:
    """Return the absolute percentage error of each test sale of a quick training, by its row of the file."""
    problem = load_problem()
    plan = replace(
        default_plan(problem),
        families=(Family.BLEND,),
        boosting_budget=1,
        folds=2,
        curve_shares=(),
        window_months=window,
    )
    made = make_model(acting(store, MANAGER, problem), known_sales(store, market_id), plan, silent)
    table = made.scored.table
    error = np.abs(measures.relative_error(table["estimate"], table["sale_price"]))
    return pd.Series(error, index=table["intake_row"].to_numpy())
