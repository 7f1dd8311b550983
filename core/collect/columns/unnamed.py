"""What the columns of a file without a header line are, judged by their values alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from core.collect.cells.missing import is_null_word
from core.collect.dates.guess import guess_date_format
from core.collect.inference import Inference
from core.collect.parsers import Marks, as_number, as_postcode

_UNNAMED: Final = re.compile(r"column_[0-9]+_?")
_GUID: Final = r"\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?"
_FITS: Final = 0.95
_ROWS_MIN: Final = 20
_SAMPLE: Final = 2_000
HOME_PRICE: Final = (10_000.0, 1e10)
"""What whole homes cost, in any currency."""

# Prices are agreed in round figures; ids, ZIP codes and dates written as one number are not.
_ROUND: Final = 100
_ROUND_SHARE: Final = 0.5
_FIGURES_MIN: Final = 10
_POSTCODE: Final = r"[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}|[0-9]{5}(?:-[0-9]{4})?|[0-9]{4} ?[A-Z]{2}"

# The price paid data of HM Land Registry come without a header; the names are those of its description.
_PRICE_PAID: Final = (
    "transaction unique identifier", "price paid", "date of transfer", "postcode", "property type", "old new",
    "duration", "paon", "saon", "street", "locality", "town", "district", "county", "ppd category type",
    "record status",
)  # fmt: skip
_PRICE_PAID_CODES: Final = {4: frozenset("DSTFO"), 5: frozenset("YN"), 6: frozenset("FLU"), 14: frozenset("AB")}
_FIELDS: Final = {"price paid": "sale_price", "date of transfer": "sale_date", "postcode": "zipcode"}


@dataclass(frozen=True)
class Named:
    """The headers that columns would have, by column, and what was inferred of them; both empty for named columns."""

    headers: Mapping[str, str]
    inferences: tuple[Inference, ...]


NOT_NAMED: Final = Named({}, ())


def name_by_values(frame: pd.DataFrame) -> Named:
    """Tell what unnamed columns hold; what could be two things stays unnamed, for a person to choose."""
    columns = [str(column) for column in frame]
    if len(frame) < _ROWS_MIN or not all(_UNNAMED.fullmatch(column) for column in columns):
        return NOT_NAMED
    cells = {column: _present(frame[column]) for column in columns}
    if _is_price_paid(list(cells.values())):
        headers = dict(zip(columns, _PRICE_PAID, strict=True))
        seen = "ids, codes and order of the columns are those of HM Land Registry's price paid data"
        return Named(headers, tuple(_inference(column, headers[column], seen, frame, True) for column in columns[1:4]))
    found = [("date of transfer", "dates", _is_date), ("price paid", "round figures of the size of prices", _is_price),
             ("postcode", "area codes", _is_postcode)]  # fmt: skip
    headers, inferences = {}, []
    for header, seen, fits in found:
        fitting = [column for column in columns if column not in headers and fits(cells[column])]
        if len(fitting) == 1:
            headers[fitting[0]] = header
            inferences.append(_inference(fitting[0], header, f"the only column of {seen}", frame, False))
    return Named(headers, tuple(inferences))


def _inference(column: str, header: str, seen: str, frame: pd.DataFrame, sure: bool) -> Inference:
    return Inference(column, _FIELDS[header], f"the {header}, although the file has no header", seen, len(frame), sure)


def _present(column: pd.Series) -> pd.Series:
    cells = column.dropna().head(_SAMPLE)
    return cells[~is_null_word(cells)]


def _is_price_paid(cells: list[pd.Series]) -> bool:
    if len(cells) != len(_PRICE_PAID) or not _share(cells[0], _GUID) >= _FITS:
        return False
    return all(len(cells[at]) and set(cells[at]) <= codes for at, codes in _PRICE_PAID_CODES.items())


def _share(cells: pd.Series, pattern: str) -> float:
    return float(cells.str.fullmatch(pattern).mean()) if len(cells) else 0.0


def _is_date(cells: pd.Series) -> bool:
    if cells.nunique() < _FIGURES_MIN:
        return False
    guess = guess_date_format(cells)
    return guess.share >= _FITS and "%" in guess.date_format and guess.date_format != "%Y"


def _is_price(cells: pd.Series) -> bool:
    figures = as_number(cells, Marks())
    if not len(cells) or float(figures.between(*HOME_PRICE).mean()) < _FITS or figures.nunique() < _FIGURES_MIN:
        return False
    return float((figures % _ROUND == 0).mean()) >= _ROUND_SHARE


def _is_postcode(cells: pd.Series) -> bool:
    codes = as_postcode(cells, Marks())
    return len(cells) > 0 and _share(codes, _POSTCODE) >= _FITS and not cells.is_unique
