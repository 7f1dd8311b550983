"""Leaks: columns that tell a sale's price, by their name or because the price can be computed from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import evenly, linear_correlation, rank_correlation
from core.collect.mapping import MappedTable
from core.collect.vocabulary import Tokens, Vocabulary, load_vocabulary
from core.schema import AREAS, EXTRA_PREFIX, FIELD_BY_NAME, SALE_FIELDS, Source, is_extra

LEAK_CORRELATION: Final = 0.98
"""The correlation, by rank or by logarithm, at which a column counts as computed from the price.

Living area and construction grade stay under 0.8 on real sales, an assessor's good roll at about 0.9 to 0.95; the price
in another currency, adjusted for time or rounded is above it."""

UNLIKELY_CORRELATION: Final = 0.9
"""The same for a fact that a price follows only loosely: the year built, or the lot. On real sales it is below 0.7."""

FOLLOWED_LOOSELY: Final = frozenset(
    {"year_built", "year_renovated", "lot_area_sqft", "floors", "condition", "garage_spaces", "units"}
)
"""Fields with the lower limit. Rooms and grades may well follow the price closely where homes are much alike."""

MEASURED: Final[tuple[str, ...]] = (*AREAS, "list_price")
"""Fields by which a price is usually divided, so that a column times one of them may be the price."""

NEEDED: Final[tuple[str, ...]] = (*MEASURED, "sale_price", "sale_date")
"""Fields that leak_by_numbers looks at beside the column itself."""

ROWS_MIN: Final = 30
"""With fewer sales than this, a correlation proves nothing."""

UNLIKELY_ROWS_MIN: Final = 200
"""With fewer sales than this, one of UNLIKELY_CORRELATION may be chance, or homes of one builder."""

_DIVIDED: Final = {
    "living_area_sqft": "the price per area",
    "lot_area_sqft": "the price per area of the lot",
    "list_price": "the ratio of sale to list price",
}
_SAMPLE: Final = 5_000
_PARTS_MAX: Final = 40
_PART_PAID: Final = 0.05
_ROUNDING: Final = 1e-4
_SUM_SHARE: Final = 0.95
_AREA_OF_PRICE: Final = 0.2
# The longest scale of assessors' grades, and the words their headers have.
_RATING_TOP: Final = 13
_RATING_WORDS: Final = frozenset({"quality", "qual", "grade", "condition", "rating"})
_LEVELS_MIN: Final = 10
# Bands of the price part it: in order of price, each band is one run of sales, but for rounding at the edges.
_BANDS_MIN: Final = 3
_BANDS_MAX: Final = 60
_BAND_SHARE_MAX: Final = 0.9
_BAND_SLIPS: Final = 0.002


@dataclass(frozen=True)
class Leak:
    """A column that tells the price: the file's column, the field it is mapped to, why, and what was measured.

    ``correlation`` is None where the name alone says so; ``n`` is the number of sales it was measured on.
    """

    column: str
    field: str
    why: str
    correlation: float | None
    n: int


@dataclass(frozen=True)
class Measured:
    """A near-perfect correlation with the price or a quotient of it, in words, on ``n`` sales."""

    why: str
    correlation: float
    n: int


def find_leaks(table: MappedTable) -> tuple[Leak, ...]:
    """Find the mapped columns of a sales file that tell the price; none in other kinds of files.

    Fields of the sale itself (price, dates, list price, validity) are no leaks: the model never sees them. Nor is the
    living area, unless it is of the price's size: homes of one development cost the same per square foot.
    """
    if table.source is not Source.SALES:
        return ()
    frame = table.frame.iloc[evenly(len(table.frame), _SAMPLE)]
    numbers = {name: frame[name] for name in NEEDED if name in frame}
    found = [_judge(table, str(field), frame[field], numbers) for field in frame if _may_leak(str(field))]
    return (*_areas_of_money(table, numbers), *(leak for leak in found if leak))


def _areas_of_money(table: MappedTable, numbers: Mapping[str, pd.Series]) -> Iterator[Leak]:
    for field in sorted(set(AREAS) & set(numbers)):
        measured = area_tells(field, numbers[field], numbers["sale_price"]) if "sale_price" in numbers else None
        if measured:
            yield Leak(table.columns.get(field, field), field, measured.why, measured.correlation, measured.n)


def leak_by_name(column: str, source: Source, vocabulary: Vocabulary) -> str:
    """Return why a header says that its column tells the price; empty where it does not.

    A tax file's valuations are facts of its own, and a neighborhood file knows no single sale.
    """
    if source is Source.NEIGHBOURHOOD:
        return ""
    whys = _leaks_named(vocabulary.all_words(column), vocabulary)
    return next((why for why in whys if source is not Source.TAX or not why.startswith("a valuation")), "")


def leak_by_numbers(
    values: pd.Series, numbers: Mapping[str, pd.Series], name: str = "", field: str = ""
) -> Measured | None:
    """Measure whether the sale price could be computed from a column, alone or by multiplying a field of MEASURED.

    ``numbers`` holds ``sale_price``, ``sale_date`` and the fields of MEASURED where they are known, on the index of
    ``values``, which are numbers or names of price bands. ``name`` is the column's: a rating of a home's quality may
    well follow the price per area, so it is compared with the price alone. ``field`` is what the column is taken for.
    """
    if "sale_price" not in numbers:
        return None
    price = numbers["sale_price"].where(numbers["sale_price"] > 0)
    bands = _bands(values, price)
    if bands or not pd.api.types.is_numeric_dtype(values):
        return bands
    alone = _follows(values, price, field) or _by_month(values, price, numbers.get("sale_date"))
    if alone:
        return alone
    for measured in ("list_price",) if _is_rating(values, name) else MEASURED:
        if measured in numbers:
            base = numbers[measured].where(numbers[measured] > 0)
            found = _near_perfect(values, price / base, _DIVIDED[measured])
            # A column that repeats the divisor follows the quotient too, but says nothing about the price.
            if found and abs(_correlation(values, base)) < abs(found.correlation):
                return found
    return None


def parts_of_price(numbers: Mapping[str, pd.Series], figures: Mapping[str, pd.Series]) -> dict[str, str]:
    """Return why columns are left out of which two, added or subtracted, give the sale price in nearly every row.

    ``figures`` holds the sampled numbers of each column, ``numbers`` what leak_by_numbers takes; the list price may be
    one of the two.
    """
    price = numbers.get("sale_price")
    money = {name: one for name, one in figures.items() if pd.api.types.is_numeric_dtype(one)}
    if price is None or len(money) > _PARTS_MAX:
        return {}
    found: dict[str, str] = {}
    listed = {"the list price": numbers["list_price"]} if "list_price" in numbers else {}
    for one, other in combinations({**money, **listed}, 2):
        pair = [(money | listed)[name] for name in (one, other)]
        for sign, words in ((1, f"{one} + {other}"), (-1, f"{one} - {other}")):
            if _is_sum(price, pair[0] + sign * pair[1], pair) or (sign < 0 and _is_sum(price, pair[1] - pair[0], pair)):
                why = f"computed from the sale price, it seems ({words} gives it), and would reveal the answer"
                found |= {name: why for name in (one, other) if name in money and name not in found}
    return found


def _is_sum(price: pd.Series, total: pd.Series, parts: Sequence[pd.Series]) -> bool:
    both = price.gt(0) & total.notna()
    if int(both.sum()) < ROWS_MIN or any(float(one[both].ne(0).mean()) < _PART_PAID for one in parts):
        return False
    return float(((total - price).abs() <= _ROUNDING * price)[both].mean()) >= _SUM_SHARE


def area_tells(field: str, areas: pd.Series, price: pd.Series) -> Measured | None:
    """Measure whether a column taken for an area gives the price away: it is money, or a lot that the price follows."""
    money, priced = area_is_money(areas, price), price.where(price > 0)
    if money or field not in FOLLOWED_LOOSELY or not _are_many(areas, priced):
        return money
    return _follows(areas, priced, field)


def area_is_money(areas: pd.Series, price: pd.Series) -> Measured | None:
    """Measure whether a column taken for an area has the price in it: of its size, and nearly the same in every row.

    No home costs so little per square foot; an area that the price follows is far below it.
    """
    priced = price.where(price > 0)
    if not areas.median() > _AREA_OF_PRICE * priced.median():
        return None
    return _near_perfect(areas, priced, "the sale price")


def _follows(values: pd.Series, price: pd.Series, field: str) -> Measured | None:
    """Measure whether a column follows the price as closely as no such fact of a home does."""
    loosely = field in FOLLOWED_LOOSELY and _are_many(values, price)
    return _near_perfect(values, price, "the sale price", UNLIKELY_CORRELATION if loosely else LEAK_CORRELATION)


def _are_many(values: pd.Series, price: pd.Series) -> bool:
    return int((values.notna() & price.notna()).sum()) >= UNLIKELY_ROWS_MIN


def _is_rating(values: pd.Series, name: str) -> bool:
    words = load_vocabulary().all_words(name.removeprefix(EXTRA_PREFIX))
    return bool(_RATING_WORDS & set(words)) and bool(values.dropna().between(0, _RATING_TOP).all())


def _judge(table: MappedTable, field: str, values: pd.Series, numbers: Mapping[str, pd.Series]) -> Leak | None:
    column = table.columns.get(field, field.removeprefix(EXTRA_PREFIX))
    why = leak_by_name(column, table.source, load_vocabulary()) if is_extra(field) else ""
    measured = leak_by_numbers(values, numbers, column, field)
    if not why and not measured:
        return None
    n = measured.n if measured else len(table.frame)
    words = "; ".join(filter(None, (why, measured.why if measured else "")))
    return Leak(column, field, words, measured.correlation if measured else None, n)


def _may_leak(field: str) -> bool:
    never = {*AREAS, *(one.name for one in SALE_FIELDS)}
    return is_extra(field) or (field in FIELD_BY_NAME and field not in never)


def _leaks_named(words: Tokens, vocabulary: Vocabulary) -> Iterator[str]:
    for why, names in vocabulary.leaks:
        for name in names:
            if set(name) <= set(words):
                yield f"{why} (its header says {' '.join(name)!r})"
    for why, names in vocabulary.leaks_whole:
        if words in names:
            yield f"{why} (its header is {' '.join(words)!r})"


def _near_perfect(values: pd.Series, target: pd.Series, what: str, limit: float = LEAK_CORRELATION) -> Measured | None:
    both = values.notna() & target.notna() & np.isfinite(values) & np.isfinite(target)
    n = int(both.sum())
    if n < ROWS_MIN or min(values[both].nunique(), target[both].nunique()) < _LEVELS_MIN:
        return None
    by_rank = _correlation(values, target)
    by_log = _log_correlation(values[both], target[both])
    kind, strongest = max((("rank", by_rank), ("logarithm", by_log)), key=lambda one: abs(one[1]))
    if abs(strongest) < limit:
        return None
    words = f"computed from {what}, it seems ({kind} correlation {strongest:.3f}), and would reveal the answer"
    return Measured(words, strongest, n)


def _by_month(values: pd.Series, price: pd.Series, sold: pd.Series | None) -> Measured | None:
    """Look within each month of sale: a price adjusted for time, or in another currency, has one factor a month."""
    if sold is None:
        return None
    month = sold.dt.year * 12 + sold.dt.month
    both = (values > 0) & price.notna() & month.notna()
    if not both.any():
        return None
    logs = pd.DataFrame({"value": np.log(values[both]), "price": np.log(price[both])})
    tolerance = logs - logs.groupby(month[both]).transform("median")
    return _near_perfect(np.exp(tolerance["value"]), np.exp(tolerance["price"]), "the sale price and its month")


def _correlation(values: pd.Series, target: pd.Series) -> float:
    both = values.notna() & target.notna()
    if min(values[both].nunique(), target[both].nunique()) < 2:
        return 0.0
    return rank_correlation(*(one[both].to_numpy(dtype="float64") for one in (values, target)))


def _log_correlation(values: pd.Series, target: pd.Series) -> float:
    # Where the price is computed from a column by a power or a factor, the logarithms lie on a line.
    if not (values > 0).all():
        return 0.0
    return linear_correlation(*(np.log(one.to_numpy(dtype="float64")) for one in (values, target)))


def _bands(values: pd.Series, price: pd.Series) -> Measured | None:
    both = values.notna() & price.notna()
    codes, levels = pd.factorize(values[both])
    n = len(codes)
    if n < ROWS_MIN or not _BANDS_MIN <= len(levels) <= min(_BANDS_MAX, n // 5):
        return None
    if np.bincount(codes).max() > _BAND_SHARE_MAX * n:
        return None
    by_price = codes[np.lexsort((codes, price[both].to_numpy()))]
    changes = int(np.count_nonzero(by_price[1:] != by_price[:-1]))
    if changes > len(levels) - 1 + _BAND_SLIPS * n:
        return None
    return Measured(f"bands of the sale price, it seems ({len(levels)} of them, none overlapping)", 1.0, n)
