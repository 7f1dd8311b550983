"""Why rejected rows of a file share one fault: cells moved by one column, prices in another unit, Excel's day numbers.

The rows stay rejected: whoever knows the file corrects them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.accounting import Outcome
from core.arrays import Floats, evenly
from core.collect.cells.dates import excel_day
from core.collect.cells.missing import is_null_word
from core.collect.inference import Inference
from core.collect.mapping import MappedTable
from core.collect.parsers import Marks, as_number
from core.schema import Source
from core.wording import count, market_day, significant

ROWS: Final = "(rejected rows)"
"""Stands for a column in an inference about rows, which no choice of columns settles."""

_ROWS_MIN: Final = 10
"""Fewer rows may share a fault by chance."""

_USUAL_MIN: Final = 100
"""Of other rows, to tell what is usual."""

_USUAL_SAMPLE: Final = 2_000
_FITS_MIN: Final = 0.9
_ALSO_FITS: Final = 0.8
_GAIN_MIN: Final = 3
_TAIL: Final = 0.01
_SHAPES_SHARE: Final = 0.01
_NUMBERS_MIN: Final = 0.9
_MOVES_MAX: Final = 3
_ALIKE_MIN: Final = 0.5
_BEYOND: Final = 2.0
_FACTORS: Final[Mapping[float, str]] = {
    100.0: "a hundredth of the others, as if in hundreds",
    1_000.0: "a thousandth of the others, as if in thousands",
    10_000.0: "a ten-thousandth of the others, as if in ten thousands",
    1e6: "a millionth of the others, as if in millions",
    0.01: "a hundred times the others, as if in cents",
    0.001: "a thousand times the others, as if a decimal point was lost",
}
_AROUND: Final = pd.DateOffset(years=1)
_REMEDY: Final = (
    "they stay rejected: correct these rows in the file, or in the download of rejected rows, and bring them again"
)


@dataclass(frozen=True)
class RowGuess:
    """What rejected rows of a file share, by their ``source_rows``: ``what`` holds for each, ``claim`` for all."""

    file: str
    source_rows: frozenset[int]
    what: str
    claim: str
    evidence: str
    codes: Mapping[str, int]
    """How many of the rows have each reason code."""

    def inference(self) -> Inference:
        """Return the doubt that a person reads beside those of the columns."""
        return Inference(ROWS, "", f"{self.claim}; {_REMEDY}", self.evidence, len(self.source_rows), sure=False)


def doubt_words(file: str, one: Inference, joint: str = ", ") -> str:
    """Say what was concluded of a file: of one of its columns, or of rejected rows, whose claim names them itself."""
    of = f"{file}{joint}{one.column}" if one.column != ROWS else file
    return f"{of}: {one}"


def row_guesses(tables: Sequence[MappedTable], ledger: pd.DataFrame, currency: str) -> tuple[RowGuess, ...]:
    """Return what many rejected rows of the files of sales share, as measured against their other rows.

    Days are written as a market with this ``currency`` does.
    """
    found: list[RowGuess] = []
    for table in tables:
        rows = ledger[ledger["file"] == table.name]
        # Rows of sales that the market has already are as usual as new ones.
        rejected, kept = (rows[rows["outcome"].eq(Outcome.REJECTED) == one] for one in (True, False))
        if table.source is not Source.SALES or len(rejected) < _ROWS_MIN or len(kept) < _USUAL_MIN:
            continue
        place = pd.Series(np.arange(len(table.frame)), index=table.frame["source_row"])
        # An unreadable line is no row of the table.
        rejected = rejected[rejected["source_row"].isin(place.index) & rejected["raw"].str.startswith("[")]
        usual = place.loc[kept["source_row"].iloc[evenly(len(kept), _USUAL_SAMPLE)]].to_numpy()
        moved = _moved(table, rejected, place, usual)
        known = frozenset().union(*(one.source_rows for one in moved))
        others = rejected[~rejected["source_row"].isin(known)]
        found += [*moved, *_scaled(table, others, place, usual), *_day_numbers(table, others, place, usual, currency)]
    return tuple(found)


def with_guesses(ledger: pd.DataFrame, guesses: Sequence[RowGuess]) -> pd.DataFrame:
    """Return a ledger whose rejected rows say in ``detail`` what they share with others."""
    if not guesses:
        return ledger
    detail = ledger["detail"].copy()
    for one in guesses:
        rows = ledger["file"].eq(one.file) & ledger["source_row"].isin(one.source_rows)
        rows &= ledger["outcome"].eq(Outcome.REJECTED)
        detail[rows] = [f"{text}; {one.what}" if text else one.what for text in detail[rows]]
    return ledger.assign(detail=detail.astype("str"))


def _codes(rows: pd.DataFrame) -> Mapping[str, int]:
    return Counter(code for codes in rows["reasons"] for code in codes.split(";") if code)


# Rows whose cells stand one column beside their headers


@dataclass(frozen=True)
class _Usual:
    """What the usual cells of a column are like: the range of its numbers, or else the shapes of its texts."""

    low: float
    high: float
    shapes: frozenset[str]


def _moved(table: MappedTable, rejected: pd.DataFrame, place: pd.Series, usual: np.ndarray) -> list[RowGuess]:
    """Find rows whose cells fit the columns much better if each stood one column to the left, or to the right."""
    columns = [_usual(table.cells.iloc[usual, at]) for at in range(table.cells.shape[1])]
    cells = table.cells.iloc[place.loc[rejected["source_row"]].to_numpy()]
    fits = {step: _fits(cells, columns, step) for step in (0, 1, -1)}
    rows, found = rejected["source_row"].to_numpy(), list[RowGuess]()
    free = np.ones(len(rows), dtype=bool)
    for step, side in ((1, "right"), (-1, "left")):
        score, share = _from_each(fits[0], fits[step], lost=step < 0)
        gain = score - np.nansum(fits[0], axis=1)[:, None] + np.nansum(fits[0] == 0.0, axis=1)[:, None]
        for _ in range(_MOVES_MAX):
            good = (share >= _FITS_MIN) & (gain >= _GAIN_MIN) & free[:, None]
            candidates = good.any(axis=1)
            if candidates.sum() < _ROWS_MIN:
                break
            # The place that fits most rows best, the first of several: no cell before it is out of place.
            at = int(np.argmax(score[candidates].sum(axis=0)))
            taken = good[:, at]
            if taken.sum() < _ROWS_MIN:
                break
            # What most rows share, a rarer value of another row does not refute.
            taken = (share[:, at] >= _ALSO_FITS) & (gain[:, at] >= _GAIN_MIN) & free
            free &= ~taken
            found.append(_move_words(table, rejected[taken], frozenset(map(int, rows[taken])), at, side))
    return found


def _move_words(table: MappedTable, rejected: pd.DataFrame, rows: frozenset[int], at: int, side: str) -> RowGuess:
    how = f"as if moved by one cell to the {side} from {str(table.cells.columns[at])!r} on"
    return RowGuess(
        table.name,
        rows,
        f"reads {how}",
        f"{count(len(rows), 'row')} read {how}",
        "moved back, their cells are like those of the other rows",
        _codes(rejected),
    )


def _usual(cells: pd.Series) -> _Usual:
    present = cells[~is_null_word(cells)]
    numbers = as_number(present, Marks())
    if len(present) and numbers.notna().mean() >= _NUMBERS_MIN:
        low, high = numbers.quantile([_TAIL, 1 - _TAIL])
        return _Usual(float(low), float(high), frozenset())
    shapes = _shapes(present).value_counts(normalize=True)
    return _Usual(np.nan, np.nan, frozenset(map(str, shapes.index[shapes >= _SHAPES_SHARE])))


def _shapes(texts: pd.Series) -> pd.Series:
    """Return texts with each number as 9 and each word as a: "12 Elm St" is "9 a a"."""
    return texts.str.replace(r"[^\W\d_]+", "a", regex=True).str.replace(r"[0-9]+", "9", regex=True)


def _fits(cells: pd.DataFrame, columns: Sequence[_Usual], step: int) -> Floats:
    """Tell for each row and column whether the cell ``step`` columns on fits: 1 or 0, NaN for empty and no cells."""
    fits = np.full(cells.shape, np.nan)
    for at, usual in enumerate(columns):
        if not 0 <= at + step < len(columns):
            continue
        texts = cells.iloc[:, at + step]
        present = (~is_null_word(texts)).to_numpy()
        if usual.shapes:
            fit = _shapes(texts.fillna("")).isin(usual.shapes)
        else:
            fit = as_number(texts, Marks()).between(usual.low, usual.high)
        fits[present, at] = fit.to_numpy()[present]
    return fits


def _from_each(own: Floats, beside: Floats, *, lost: bool) -> tuple[Floats, Floats]:
    """Return, if moved from each column on, the fits of rows less their misfits, and the share that fits.

    A cell that was ``lost`` is that of the first column: what stands there is another's.
    """
    before = [np.cumsum(np.nan_to_num(one), axis=1) - np.nan_to_num(one) for one in (own, own == 0.0)]
    after = [np.cumsum(np.nan_to_num(one)[:, ::-1], axis=1)[:, ::-1] for one in (beside, beside == 0.0)]
    if lost:
        after = [np.pad(one[:, 1:], ((0, 0), (0, 1))) for one in after]
    good, bad = (early + late for early, late in zip(before, after, strict=True))
    return good - bad, good / np.maximum(good + bad, 1.0)


# Rows whose price is written in another unit


def _scaled(table: MappedTable, rejected: pd.DataFrame, place: pd.Series, usual: np.ndarray) -> list[RowGuess]:
    """Find rows rejected for prices that are as the others once multiplied by one usual factor."""
    # Rows without a price, or with one in other money, say nothing of the unit.
    rejected = rejected[rejected["reasons"].str.contains("price_impossible", regex=False)]
    if len(rejected) < _ROWS_MIN or "sale_price" not in table.columns:
        return []
    known = table.frame["sale_price"].iloc[usual].dropna()
    prices = table.frame["sale_price"].iloc[place.loc[rejected["source_row"]].to_numpy()].to_numpy(dtype="float64")
    if known.empty:
        return []
    low, middle, high = (float(known.quantile(one)) for one in (_TAIL, 0.5, 1 - _TAIL))
    best: tuple[float, float, np.ndarray] | None = None
    for factor in _FACTORS:
        taken = (prices > 0) & (prices * factor >= low) & (prices * factor <= high)
        # Rows of one nominal price, such as 10 for a gift, are no prices in thousands.
        varied = len(np.unique(prices[taken])) >= _ALIKE_MIN * taken.sum()
        if taken.sum() < _ALIKE_MIN * max(_ROWS_MIN, len(rejected)) or not varied:
            continue
        off = abs(float(np.log(np.median(prices[taken]) * factor / middle)))
        best = (off, factor, taken) if best is None or off < best[0] else best
    if best is None:
        return []
    _, factor, _ = best
    # Once many tell the factor, a price somewhat beyond the others has it too.
    taken = (prices * factor >= known.min() / _BEYOND) & (prices * factor <= known.max() * _BEYOND)
    if taken.sum() < _ROWS_MIN:
        return []
    rows = frozenset(map(int, rejected["source_row"].to_numpy()[taken]))
    words = _FACTORS[factor]
    return [
        RowGuess(
            table.name,
            rows,
            f"its price is about {words}",
            f"{count(len(rows), 'price')} are about {words}",
            f"their median is {significant(float(np.median(prices[taken])))}, that of the other rows "
            f"{significant(middle)}",
            _codes(rejected[taken]),
        )
    ]


# Rows whose day is a number


def _day_numbers(
    table: MappedTable, rejected: pd.DataFrame, place: pd.Series, usual: np.ndarray, currency: str
) -> list[RowGuess]:
    """Find rows rejected for days that are Excel's day numbers, of days such as the other rows have."""
    rejected = rejected[rejected["reasons"].str.contains("date_", regex=False)]
    column = table.columns.get("sale_date")
    if len(rejected) < _ROWS_MIN or column not in table.cells:
        return []
    known = table.frame["sale_date"].iloc[usual].dropna()
    texts = table.cells[column].iloc[place.loc[rejected["source_row"]].to_numpy()]
    days = pd.Series([excel_day(str(text)) for text in texts], dtype="object").astype("datetime64[us]")
    taken = days.between(known.min() - _AROUND, known.max() + _AROUND).to_numpy()
    if taken.sum() < _ROWS_MIN:
        return []
    first = int(np.argmax(taken))
    return [
        RowGuess(
            table.name,
            frozenset(map(int, rejected["source_row"].to_numpy()[taken])),
            "its date looks like an Excel day number",
            f"{count(int(taken.sum()), 'date')} look like Excel day numbers",
            f"{texts.iloc[first]} is {market_day(days.iloc[first], currency)}",
            _codes(rejected[taken]),
        )
    ]
