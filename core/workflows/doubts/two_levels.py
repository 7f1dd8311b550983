"""Prices of one file at two levels: a part of the sales costs a multiple of what homes like them do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from core.arrays import Floats, evenly
from core.collect.inference import Inference
from core.collect.mapping import MappedTable
from core.prepare.quality.usual_values import usual_values
from core.schema import Source
from core.wording import percent

_SALES_MIN: Final = 500
_SAMPLE: Final = 4_000
_REQUIRED: Final = ("sale_price", "sale_date", "living_area_sqft")
# How far two levels lie apart, in standard deviations around each and in logs. Taken for two, the prices of King
# County (both files), Melbourne, Singapore and a simulated city are at 0.9 to 1.5 and 0.10 to 0.21; with a third of
# them 1.9 times as high, at 2.5 to 3.9 and 0.41 to 0.64.
_SIGMAS: Final = 2.0
_APART: Final = 0.3
_SHARE_MIN: Final = 0.05
# Odd prices are judged one by one, see core.prepare.quality.scrutiny.
_TAILS: Final = (0.01, 0.99)


def two_levels(table: MappedTable) -> Iterator[Inference]:
    """Doubt, gravely, the prices of a file of sales that lie at two levels beside those of homes like them."""
    frame = table.frame
    if table.source is not Source.SALES or any(name not in frame for name in _REQUIRED):
        return
    priced = frame[(frame["sale_price"] > 0) & frame["sale_date"].notna() & (frame["living_area_sqft"] > 0)]
    some = priced.iloc[evenly(len(priced), _SAMPLE)].reset_index(drop=True)
    if len(some) < _SALES_MIN:
        return
    beside_usual = usual_values(some, np.ones(len(some), dtype=bool)).price
    share, apart, sigmas = _levels(beside_usual[np.isfinite(beside_usual)])
    if sigmas < _SIGMAS or apart < _APART or not _SHARE_MIN <= share <= 1 - _SHARE_MIN:
        return
    column = table.columns["sale_price"]
    claim = (
        f"taken for the sale price, but about {percent(share)} of the prices are roughly {np.exp(apart):.1f} times as "
        "high as the others beside those of homes like them"
    )
    evidence = "compare a few of each with their records: another currency, a share or a package, or another column"
    yield Inference(column, "sale_price", claim, evidence, len(some), sure=False, grave=True)


def _levels(logs: Floats) -> tuple[float, float, float]:
    """Return the share of the higher of two levels, how far they lie apart, and that in standard deviations."""
    from sklearn.mixture import GaussianMixture  # noqa: PLC0415 - few sales need no learning package

    low, high = np.quantile(logs, _TAILS)
    within = logs[(logs > low) & (logs < high)][:, None]
    start = np.quantile(within, (0.25, 0.9))[:, None]
    found = GaussianMixture(2, covariance_type="tied", means_init=start, random_state=0).fit(within)
    lower, upper = np.argsort(found.means_.ravel())
    apart = float(found.means_[upper, 0] - found.means_[lower, 0])
    return float(found.weights_[upper]), apart, apart / float(np.sqrt(found.covariances_[0, 0]))
