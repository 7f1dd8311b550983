"""Splits of a market's sales into training, validation and test rows, at random or by time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from core.arrays import Bools, Dates, Ints
from core.errors import TooFewSales
from core.problem import Training

RANDOM: Final = "random"
TIME: Final = "time"


@dataclass(frozen=True)
class Split:
    """Three boolean masks over the rows of a table of sales, each row in exactly one; ``name`` is random or time.

    Rows in ``left_out``, if any, are in none: sales older than the training window. Raises ValueError if the masks
    differ in length, or a row is in none or several.
    """

    name: str
    train: Bools
    validation: Bools
    test: Bools
    left_out: Bools | None = None

    def __post_init__(self) -> None:
        """Check that the three sets share no rows and leave none out."""
        unused = np.zeros_like(self.train) if self.left_out is None else self.left_out
        sizes = {self.train.shape, self.validation.shape, self.test.shape, unused.shape}
        if len(sizes) != 1:
            raise ValueError(f"{self.name} split: the masks have different shapes {sorted(sizes)}")
        sets = self.train.astype(np.int8) + self.validation + self.test + unused
        if (sets != 1).any():
            raise ValueError(f"{self.name} split: {int((sets != 1).sum())} rows are in none or several of the sets")

    @property
    def sizes(self) -> tuple[int, int, int]:
        """The number of training, validation and test rows."""
        return int(self.train.sum()), int(self.validation.sum()), int(self.test.sum())

    def among(self, rows: Bools) -> Split:
        """Extend this split of the marked rows to their larger table, with the other rows left out."""

        def spread(mask: Bools) -> Bools:
            whole = np.zeros(len(rows), dtype=bool)
            whole[rows] = mask
            return whole

        return Split(self.name, spread(self.train), spread(self.validation), spread(self.test), ~rows)


def random_split(intake_rows: Ints, rows_seen: int, training: Training, seed: int) -> Split:
    """Split at random by the shares of the problem statement; a seed gives the same split on any machine.

    ``intake_rows``, shape (n,), is the 0-based position of each sale among all ``rows_seen`` rows ever imported,
    including rejected ones and duplicates. The draw is over all rows seen, so it equals scikit-learn's train_test_split
    of the raw file (test first, then validation from the rest), whatever cleaning removed.

    Raises TooFewSales if n is below training.sales_min, ValueError if a position repeats or is out of range.
    """
    _enough(len(intake_rows), training)
    if len(np.unique(intake_rows)) != len(intake_rows):
        raise ValueError("intake rows repeat: each sale needs its own position in the market's intake order")
    if intake_rows.min() < 0 or intake_rows.max() >= rows_seen:
        raise ValueError(f"intake rows {intake_rows.min()} to {intake_rows.max()} exceed the {rows_seen} rows seen")
    rest, test = train_test_split(np.arange(rows_seen), test_size=training.test_share, random_state=seed)
    # Rounded, because floating-point error in a share of a share could move a row from one set to another.
    share = round(training.validation_share / (1 - training.test_share), 12)
    train, validation = train_test_split(rest, test_size=share, random_state=seed)
    return Split(RANDOM, *(_members(rows, rows_seen)[intake_rows] for rows in (train, validation, test)))


def _members(rows: Ints, size: int) -> Bools:
    mask = np.zeros(size, dtype=bool)
    mask[rows] = True
    return mask


def time_split(sale_dates: pd.Series, training: Training, test_from: date | None = None) -> Split:
    """Split by date: the latest sales are the test, the latest of the rest are validation, all earlier ones training.

    The test begins on ``test_from``, or holds training.latest_share of all sales; the validation set holds
    training.validation_share of them. Both are approximate, because a date is never split: sales on the same date could
    reveal each other's price level.

    Raises TooFewSales if there are fewer sales than training.sales_min, fewer than three dates, or, with ``test_from``,
    no test sale or fewer than two earlier dates; ValueError if a date is missing.
    """
    _enough(len(sale_dates), training)
    if sale_dates.isna().any():
        raise ValueError(f"{int(sale_dates.isna().sum())} sales have no date, so they cannot be split by time")
    dates, place, counts = np.unique(sale_dates.to_numpy(), return_inverse=True, return_counts=True)
    if len(dates) < 3:
        raise TooFewSales(
            f"The sales fall on {len(dates)} date(s); a split by time needs at least 3. Add sales from other dates."
        )
    from_date_on = counts[::-1].cumsum()[::-1]
    wanted = len(sale_dates) * training.latest_share
    first_test = 2 + _nearest(from_date_on[2:], wanted) if test_from is None else _first_on(dates, test_from)
    wanted = from_date_on[first_test] + len(sale_dates) * training.validation_share
    validation_from = 1 + _nearest(from_date_on[1:first_test], wanted)
    test, train = place >= first_test, place < validation_from
    return Split(TIME, train, ~train & ~test, test)


def _first_on(dates: Dates, test_from: date) -> int:
    first = int(np.searchsorted(dates, np.datetime64(test_from)))
    if not 2 <= first < len(dates):
        raise TooFewSales(
            f"A test from {test_from} leaves {first} earlier and {len(dates) - first} later dates; it needs at least 2 "
            "before that day and 1 on or after it. Choose another day."
        )
    return first


def _nearest(values: Ints, wanted: float) -> int:
    return int(np.argmin(np.abs(values - wanted)))


def _enough(sales: int, training: Training) -> None:
    if sales < training.sales_min:
        raise TooFewSales(
            f"There are {sales:,} sales; a split into training, validation and test needs at least "
            f"{training.sales_min:,} (training.sales_min). Add more sales."
        )
