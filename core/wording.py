"""How numbers, areas, money and dates are written for people, as plain text."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, Protocol

import pandas as pd
from pandas.api.typing import NaTType

from core.schema import SQFT_PER_SQM

MISSING: Final = "–"
"""Stands for an unknown value."""

_SYMBOLS: Final = {
    "USD": "$",
    "AUD": "A$",
    "CAD": "C$",
    "NZD": "NZ$",
    "SGD": "S$",
    "HKD": "HK$",
    "GBP": "£",
    "EUR": "€",
    "JPY": "¥",
    "INR": "₹",
    "ZAR": "R",
}
# Their countries mark thousands with a point or a space: a narrow space reads right in all of them, while the comma of
# other countries is a decimal mark there.
_SPACED: Final = frozenset(
    {"EUR", "CHF", "SEK", "NOK", "DKK", "ISK", "PLN", "CZK", "HUF", "RON", "TRY", "ZAR", "BRL", "ARS", "CLP", "COP"}
    | {"IDR", "VND", "RUB", "UAH"}
)
_NARROW_SPACE: Final = "\u202f"
# Letters for short amounts, with the decimals that show every unit an amount of that size is rounded to.
_SCALES: Final = ((1e9, "B", 5), (1e6, "M", 3), (1e3, "K", 1))
# From each amount on, what an amount in short form is rounded to.
_UNITS: Final = ((1e8, 10_000.0), (1e5, 1_000.0), (1e4, 500.0), (1e3, 100.0), (0.0, 1.0))
# From each estimate on, what all amounts of its answer are rounded to, and the scale they are written in, "" for whole
# units. Each unit is at least that of a short amount of the same size, so that no amount is rounded twice.
_ESTIMATE_UNITS: Final[tuple[tuple[float, float, float, str], ...]] = (
    (1e11, 1e8, 1e9, "B"),
    (1e8, 1e5, 1e6, "M"),
    (1e5, 1_000.0, 1.0, ""),
    (20_000.0, 500.0, 1.0, ""),
    (0.0, 1.0, 1.0, ""),
)
KM_PER_MILE: Final = 1.609344
_FT_PER_MILE: Final = 5280
_ROUND_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_MONTH_FIRST: Final = frozenset({"USD"})
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Conventions(Protocol):
    """How a market writes money and areas: an ISO currency, and "sqft" or "sqm"."""

    @property
    def currency(self) -> str:
        """The ISO code of the currency."""

    @property
    def area_unit(self) -> str:
        """The unit in which areas are shown."""


IdDigits = Mapping[str, int]
"""By the name of a field of ids, how many digits they have where the market's files write them with leading zeros.

0 where two files differ.
"""

NO_DIGITS: Final[IdDigits] = {}
"""Nothing is known of the digits of any ids: they are shown as stored."""

_ID_OF_DIGITS: Final = r"[1-9][0-9]*"


def agreed_digits(first: IdDigits, second: IdDigits) -> IdDigits:
    """Return what two sources tell of the digits of ids; 0 for a field of which they tell two things."""
    return {name: n if {**second, **first}.get(name) == n else 0 for name, n in {**first, **second}.items()}


def id_words(name: str, text: str, digits: IdDigits) -> str:
    """Write an id as its source does: "518500480" is "0518500480" where the market's ids have 10 digits.

    Only ids without leading zeros match between files, so that none is stored with them.
    """
    return text.zfill(digits.get(name, 0)) if re.fullmatch(_ID_OF_DIGITS, text) else text


def with_id_words(table: pd.DataFrame, digits: IdDigits) -> pd.DataFrame:
    """Return a canonical table with its ids as their source writes them, for people to read (see ``id_words``)."""
    written = {name: table[name].astype("str") for name, n in digits.items() if n and name in table}
    for name, ids in written.items():
        written[name] = ids.mask(ids.str.fullmatch(_ID_OF_DIGITS, na=False), ids.str.zfill(digits[name]))
    return table.assign(**written)


def money(value: float | None, currency: str) -> str:
    """Write an amount in whole units: 245312 USD is "$245,312", 1250000 CHF is "CHF 1 250 000"."""
    if value is None or not math.isfinite(value):
        return MISSING
    return _signed(value, f"{symbol(currency)}{marks(f'{half_up(abs(value)):,.0f}', currency)}")


def money_short(value: float | None, currency: str) -> str:
    """Write an amount in short form, to the thousand from 100,000 on: "$9.5K", "$245K", "A$1.835M", "$12.54M".

    It says what the same amount in whole units says ("A$1,835,000"): both are rounded alike.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    amount = abs(value)
    rounded = half_up(amount, next(unit for least, unit in _UNITS if amount >= least))
    return _signed(value, f"{symbol(currency)}{marks(_scaled(rounded), currency)}")


def money_range(low: float | None, high: float | None, currency: str) -> str:
    """Write a range of amounts, "$245K to $265K"; a single amount if both ends read the same."""
    ends = [money_short(low, currency), money_short(high, currency)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def band_names(edges: Sequence[str]) -> list[str]:
    """Name the bands that ascending edges, in words, cut: "under $245K", "$245K to $390K", "$390K and over"."""
    inner = [f"{low} to {high}" for low, high in itertools.pairwise(edges)]
    return [f"under {edges[0]}", *inner, f"{edges[-1]} and over"]


@dataclass(frozen=True)
class Amounts:
    """How one estimate's amounts are written, on its screen and in its report alike: rounded to one ``unit``.

    So the same amount reads the same wherever it stands, in short form or whole, and sums add up as they are read.
    """

    currency: str
    unit: float
    scale: float
    letter: str

    def rounded(self, value: float) -> float:
        """Return an amount rounded to the unit."""
        return half_up(value, self.unit)

    def short(self, value: float) -> str:
        """Write an amount in short form: "A$1.835M"."""
        rounded = self.rounded(value)
        return money(rounded, self.currency) if self.unit == 1.0 else money_short(rounded, self.currency)

    def recorded(self, value: float) -> str:
        """Write a recorded amount as it is: short where that loses nothing, "$407K", else whole, "$484,500"."""
        unit = max(self.unit, next(unit for least, unit in _UNITS if abs(value) >= least))
        return self.write(value) if math.fmod(value, unit) else self.short(value)

    def short_change(self, value: float) -> str:
        """Write a difference in short form with its sign: "+$12K", "−$5K", "$0"."""
        text = self.short(value)
        return f"+{text}" if self.rounded(value) > 0 else text

    def short_span(self, low: float, high: float) -> str:
        """Write a range of amounts in short form: "$374K to $461K"."""
        ends = self.short(low), self.short(high)
        return ends[0] if ends[0] == ends[1] else " to ".join(ends)

    def write(self, value: float) -> str:
        """Write an amount that somebody chose, or that is rounded already, whole: "$374,000", "¥120.5M"."""
        if not self.letter or math.fmod(value, self.unit):
            return money(value, self.currency)
        sign = "−" if value < 0 else ""
        return f"{sign}{symbol(self.currency)}{marks(f'{abs(value) / self.scale:,.1f}', self.currency)}{self.letter}"

    def about(self, value: float) -> str:
        """Write an amount whole, rounded to the unit."""
        return self.write(self.rounded(value))

    def change(self, value: float) -> str:
        """Write a difference whole with its sign: "+$12,000", "−$5,000", "$0"."""
        text = self.about(value)
        return f"+{text}" if self.rounded(value) > 0 else text

    def span(self, low: float, high: float) -> str:
        """Write a range of amounts whole: "$374,000 to $461,000"."""
        ends = self.write(low), self.write(high)
        return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def half_up(value: float, unit: float = 1.0) -> float:
    """Round an amount to a multiple of ``unit``, a half away from zero, as people do: 484,500 is 485,000 to the 1,000.

    Python's own ``round`` takes such a half to the even neighbor, 484,000, which reads as an error.
    """
    return math.copysign(unit * math.floor(abs(value) / unit + 0.5), value) + 0.0


def amounts_of(currency: str, point: float) -> Amounts:
    """Return how all amounts of an answer with this point estimate are written."""
    _, unit, scale, letter = next(one for one in _ESTIMATE_UNITS if abs(point) >= one[0])
    return Amounts(currency, unit, scale, letter)


def marked(value: float, currency: str) -> str:
    """Write a number with the market's thousands marks, for a field where it can be changed: "424,000", "1,680.5"."""
    return marks(_trimmed(value, 2), currency)


def marks(text: str, currency: str) -> str:
    """Write a number's thousands marks as the market does: "1,680" stays so for USD and is "1 680" for EUR."""
    return text.replace(",", _NARROW_SPACE) if currency in _SPACED else text


def round_amounts(low: float, high: float, about: int) -> Iterator[float]:
    """Yield round amounts between two ends, about the number asked for: the marks of an axis."""
    rough = (high - low) / about
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(step * scale for step in _ROUND_STEPS if step * scale >= rough)
    at = math.ceil(low / step) * step
    while at <= high:
        yield at
        at += step


def symbol(currency: str) -> str:
    """Return what precedes an amount: a symbol if it is unambiguous, else the ISO code and a space."""
    return _SYMBOLS.get(currency, f"{currency}\u00a0")


def area(sqft: float | None, unit: str, currency: str) -> str:
    """Convert an area from square feet and write it in the market's unit ("sqft" or "sqm"): "1,680 sq ft", "156 m²".

    The market's currency decides on the thousands marks. Raises ValueError for any other unit.
    """
    if sqft is None or not math.isfinite(sqft):
        return MISSING
    return f"{marks(f'{from_sqft(sqft, unit):,.0f}', currency)} {area_label(unit)}"


def area_label(unit: str) -> str:
    """Return the unit as written after a number or in a label; raises ValueError for an unknown unit."""
    match unit:
        case "sqft":
            return "sq ft"
        case "sqm":
            return "m²"
    raise ValueError(f"area unit {unit!r} is not 'sqft' or 'sqm'")


def from_sqft(sqft: float, unit: str) -> float:
    """Convert square feet to the market's unit; raises ValueError for an unknown unit."""
    area_label(unit)
    return sqft / SQFT_PER_SQM if unit == "sqm" else sqft


def to_sqft(value: float, unit: str) -> float:
    """Convert an area in the market's unit to square feet; raises ValueError for an unknown unit."""
    area_label(unit)
    return value * SQFT_PER_SQM if unit == "sqm" else value


def degrees(value: float) -> str:
    """Write a latitude or longitude to the meter: "−122.25700"."""
    return _signed(value, f"{abs(value):.5f}")


def percent(fraction: float | None, digits: int = 0) -> str:
    """Write a fraction as a percentage: 0.084 with one digit is "8.4%"."""
    if fraction is None or not math.isfinite(fraction):
        return MISSING
    return _signed(fraction, f"{abs(fraction) * 100:,.{digits}f}%")


def bound(fraction: float) -> str:
    """Write a share that somebody set, a target or a limit, with no more digits than it has: "10%", "2.5%"."""
    return _signed(fraction, f"{_trimmed(abs(fraction) * 100, 1)}%")


def points(fraction: float | None) -> str:
    """Write a difference of two shares: "+3.1 points", "−0.4 points", and "0.0 points" for none."""
    text = point_number(fraction)
    return text if text == MISSING else f"{text} points"


def point_number(fraction: float | None) -> str:
    """Write a difference of two shares where its unit stands beside it: "+3.1", "−0.4"."""
    return signed_percent(fraction, 1).removesuffix("%")


def signed_percent(fraction: float | None, digits: int = 0) -> str:
    """Write a difference as a percentage with its sign: "+3.1%", "−0.4%", and "0%" for none."""
    text = percent(fraction, digits)
    return f"+{text}" if fraction is not None and fraction > 0 and re.search("[1-9]", text) else text


def significant(value: float, digits: int = 3) -> str:
    """Write a number with that many significant digits, without an exponent: 269,113.4 is "269,000"."""
    if not value or not math.isfinite(value):
        return MISSING if value else "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return _signed(value, _trimmed(abs(round(value, places)), max(0, places)))


def count(number: int, noun: str, plural: str = "", *, currency: str = "USD") -> str:
    """Write a number of things: "1 sale", "21,613 sales"; give ``plural`` if adding an s is not enough.

    The market's currency decides on the thousands marks.
    """
    return f"{marks(f'{number:,}', currency)} {noun if number == 1 else plural or f'{noun}s'}"


def either(words: Iterable[str]) -> str:
    """Write a choice such as "agent, analyst or manager"."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def days(number: float | None) -> str:
    """Write a length of time in whole days: "1 day", "12 days"."""
    if number is None or not math.isfinite(number):
        return MISSING
    return count(round(number), "day")


def day(when: date | NaTType | None) -> str:
    """Write a calendar date that reads the same everywhere: "3 Mar 2024"."""
    if when is None or pd.isna(when):
        return MISSING
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def day_form(currency: str) -> str:
    """Return the form in which people of the market type a date: "MM/DD/YYYY" for USD, elsewhere "DD/MM/YYYY"."""
    return "MM/DD/YYYY" if currency in _MONTH_FIRST else "DD/MM/YYYY"


def market_day(when: date | NaTType | None, currency: str) -> str:
    """Write a calendar date as people of the market do: "Mar 3, 2024" for USD, elsewhere "3 Mar 2024"."""
    if currency not in _MONTH_FIRST or when is None or pd.isna(when):
        return day(when)
    return f"{_MONTHS[when.month - 1]} {when.day}, {when.year}"


def market_day_format(currency: str) -> str:
    """Return how ``market_day`` writes a date, in the signs that tables in a browser understand."""
    return "MMM D, YYYY" if currency in _MONTH_FIRST else "D MMM YYYY"


def distance(kilometers: float, area_unit: str) -> str:
    """Write a distance in the market's units: "350 m", "1.2 km"; with square feet "400 ft", "1.2 mi"."""
    if area_unit != "sqft":
        return f"{kilometers * 1000:.0f} m" if kilometers < 1 else f"{_trimmed(kilometers, 1)} km"
    miles = kilometers / KM_PER_MILE
    return f"{_trimmed(miles, 1)} mi" if miles >= 0.1 else f"{round(miles * _FT_PER_MILE, -1):.0f} ft"


def market_instant(when: datetime, currency: str) -> str:
    """Write a point in time in UTC, its day as people of the market write it: "Mar 3, 2024, 15:20 UTC"."""
    utc = when.astimezone(UTC)
    return f"{market_day(utc, currency)}, {utc:%H:%M} UTC"


def instant(when: datetime | None) -> str:
    """Write a point in time in UTC: "3 Mar 2024, 14:05 UTC"; raises ValueError if it has no time zone."""
    if when is None or pd.isna(when):
        return MISSING
    if when.tzinfo is None:
        raise ValueError(f"{when} has no time zone; give a UTC instant")
    utc = when.astimezone(UTC)
    return f"{day(utc)}, {utc:%H:%M} UTC"


def _scaled(amount: float) -> str:
    for scale, letter, digits in _SCALES:
        if amount >= scale:
            return f"{_trimmed(amount / scale, digits)}{letter}"
    return f"{amount:,.0f}"


def _trimmed(number: float, digits: int) -> str:
    text = f"{number:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signed(value: float, text: str) -> str:
    return f"−{text}" if value < 0 and re.search("[1-9]", text) else text
