"""What a better model is compared with, sale by sale: the linear baseline, and the median price of the area."""

from __future__ import annotations

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from core.arrays import Floats
from core.prepare.features.facts import AREA_CODES, FactColumns
from core.prepare.features.pipeline import baseline_features
from core.states import Family
from core.train.candidates import Candidate, fixed_candidates
from core.train.leaderboard import column_names, fit


def baseline_estimates(known: pd.DataFrame, unseen: pd.DataFrame, facts: FactColumns, seed: int) -> Floats:
    """Fit the linear baseline on known sales and return its estimates of the unseen ones, shape (n,), in money.

    Both are tables of canonical columns, the known ones with ``sale_price``.
    """
    log_price = np.log(known["sale_price"].to_numpy(dtype=float))
    features = baseline_features(facts)
    with threadpool_limits(1):
        matrix = features.fit_transform(known, log_price)
        estimator = fit(_candidate(), matrix, log_price, column_names(features), seed)
        estimates: Floats = np.exp(np.asarray(estimator.predict(features.transform(unseen)), dtype=float))
    return estimates


def area_median_estimates(known: pd.DataFrame, unseen: pd.DataFrame, smallest: int) -> Floats:
    """Return the median known sale price of each unseen sale's area, shape (n,), in money.

    An area counts if it has at least ``smallest`` known sales: the smallest such area, else the whole market.
    """
    estimate = pd.Series(float(known["sale_price"].median()), index=unseen.index)
    for code in AREA_CODES:
        if code in unseen and known[code].notna().any():
            areas = known.groupby(code)["sale_price"].agg(["median", "size"])
            medians = areas["median"][areas["size"] >= smallest]
            estimate = unseen[code].map(medians).astype(float).fillna(estimate)
    return np.asarray(estimate, dtype=np.float64)


def _candidate() -> Candidate:
    return next(one for one in fixed_candidates(0) if one.family is Family.LINEAR)
