"""Numbers and yes-or-no facts of a home, from text or from a program: read alike wherever they come from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.collect.cells.amounts import read_amount, usual_signs, without_currency
from core.collect.cells.flags import FLAGS
from core.collect.cells.typed import read_typed
from core.collect.cells.units import LAND_UNITS, UNIT_FACTORS, unit_of_word, unit_words
from core.collect.vocabulary import load_vocabulary
from core.errors import ImpossibleProperty
from core.problem import Limit, Problem
from core.schema import FIELD_BY_NAME, FieldKind, label_of, unit_of
from core.serve.reading.figures import ALONE, MarksSeen, mark_of_either, read_either

LIST_PRICE: Final = "list_price"
"""The asking price: recorded with an estimate, but not a fact of the home."""

TEXT_MAX: Final = 200
"""The most characters that a text fact, such as an address, may have."""

YEARS: Final = ("year_built", "year_renovated")
"""The facts whose latest value depends on the day of the valuation."""

_LONG: Final = 1e15
_FLOORS: Final = "living_area_sqft"
_STEPS: Final = {**dict.fromkeys(("bedrooms", "units", *YEARS), 1.0), "bathrooms": 0.25}
_STEP_WORDS: Final = {1.0: "a whole number", 0.25: "a multiple of 0.25, such as 2.5"}
_WITH_WORD: Final = re.compile(r"(.*[0-9])\s*([^\W\d_].*)")
_ROLES: Final = ("thousands", "decimals")


@dataclass(frozen=True)
class Unread:
    """Why a text gives no value, to follow "is", and what helps; ``remedy`` is empty where the usual one does."""

    problem: str
    remedy: str = ""


_NO_NUMBER: Final = Unread("not a number")
_OF_LAND: Final = Unread("in a unit of land, in which nobody measures floors", "Write it in sq ft or m²")
_NO_FLAG: Final = Unread("not yes or no", "Write yes or no")


def is_flag(name: str) -> bool:
    """Tell whether a fact is yes or no."""
    field = FIELD_BY_NAME.get(name)
    return field is not None and field.kind is FieldKind.FLAG


def in_numbers(facts: Mapping[str, object], problem: Problem) -> dict[str, object]:
    """Return facts with those numbers that are written as text as numbers, as the form keeps them.

    A text that gives none stays as it is: the check of the facts names it.
    """
    read = dict(facts)
    for name, value in facts.items():
        field = FIELD_BY_NAME.get(name)
        if isinstance(value, str) and field is not None and field.kind in (FieldKind.NUMBER, FieldKind.FLAG):
            number = read_text(name, value, problem.limits.get(name))
            read[name] = value if isinstance(number, Unread) else number
    return read


def split_unit(name: str, text: str) -> tuple[str, str]:
    """Return the figure of a text and the unit of area that it names itself, "" for none or for no area."""
    body = usual_signs(text)
    behind = _WITH_WORD.fullmatch(body) if unit_of(name) == "sqft" else None
    unit = unit_of_word(behind[2]) if behind else ""
    return (behind[1].strip(), unit) if behind and unit else (_bare(name, body), "")


def _bare(name: str, body: str) -> str:
    return without_currency(body) if unit_of(name) == "money" else body


def read_text(
    name: str, text: str, limit: Limit | None, unit: str = "", seen: MarksSeen = ALONE, scale: float = 1.0
) -> float | Unread:
    """Read one fact from text, areas into square feet; ``unit`` is theirs unless the text names its own.

    ``limit`` only decides between two readings: a value outside it is returned. ``scale`` multiplies the figure.
    """
    word = " ".join(text.casefold().split())
    text = load_vocabulary().words_of(name).get(word, text)
    if is_flag(name):
        return FLAGS.get(usual_signs(text).casefold(), _NO_FLAG)
    figure, own = split_unit(name, text)
    unit = own or unit
    if name == _FLOORS and own in LAND_UNITS:
        return _OF_LAND
    factor = UNIT_FACTORS[unit] * scale if unit_of(name) == "sqft" else scale
    if mark := mark_of_either(figure):
        role = role_of(name, figure, limit, unit, seen, scale)
        return read_either(figure, mark, role) * factor if role else _either(name, figure, mark, unit)
    number = read_typed(figure)
    if math.isnan(number) and (unit_of(name) in ("sqft", "money") or limit is None):
        number = _decorated(figure, factor, limit)
    return _NO_NUMBER if math.isnan(number) else number * factor


def role_of(
    name: str, figure: str, limit: Limit | None, unit: str = "", seen: MarksSeen = ALONE, scale: float = 1.0
) -> str:
    """Return the role of a mark that may be either, "" where nothing decides between the two readings."""
    if unit_of(name) == "degrees":
        return "decimals"
    mark = mark_of_either(figure)
    possible = possible_roles(name, figure, limit, unit, scale)
    if len(possible) == 1:
        return possible[0]
    # A sixteenth of an acre has four decimals, and a school rating may have three; nobody measures so in square feet.
    is_whole = unit_of(name) in ("sqft", "money") and unit not in LAND_UNITS
    return seen.role(mark, "decimals" if mark == "." and not is_whole else "thousands")


def possible_roles(name: str, figure: str, limit: Limit | None, unit: str = "", scale: float = 1.0) -> tuple[str, ...]:
    """Return the roles of such a mark that give a possible value; both are where neither does."""
    factor = UNIT_FACTORS[unit] * scale if unit_of(name) == "sqft" else scale
    mark = mark_of_either(figure)
    found = tuple(role for role in _ROLES if _is_possible(name, read_either(figure, mark, role) * factor, limit))
    return found or _ROLES


def _is_possible(name: str, number: float, limit: Limit | None) -> bool:
    return (limit is None or limit.holds(number)) and is_countable(name, number)


def is_countable(name: str, value: object) -> bool:
    """Tell whether a count or a year is a whole number, and bathrooms are in quarters; other facts always are."""
    return name not in _STEPS or not isinstance(value, (int, float)) or (value / _STEPS[name]).is_integer()


def countable(name: str, value: float) -> float:
    """Return the next lower count or year: the middle of 3 and 4 bedrooms is no number of bedrooms."""
    return value if name not in _STEPS else math.floor(value / _STEPS[name]) * _STEPS[name]


def _either(name: str, figure: str, mark: str, unit: str) -> Unread:
    values = [read_either(figure, mark, role) for role in _ROLES]
    words = f" {unit_words(unit)}" if unit_of(name) == "sqft" and unit else ""
    return Unread(
        f"either {values[0]:,.15g} or {values[1]:,.15g}{words}: the cells beside it do not say which",
        f"Write {values[0]:.15g} or {values[1]:.15g}",
    )


def _decorated(figure: str, factor: float, limit: Limit | None) -> float:
    """Read an amount with a currency or a scale, "$424k" or "425.000 k.k."; NaN where it is none.

    Of two readings the one inside the limit counts.
    """
    found = [read_amount(figure, ".", ","), read_amount(figure, ",", ".")]
    numbers = [number for number in found if math.isfinite(number)]
    return next((one for one in numbers if limit and limit.holds(one * factor)), next(iter(numbers), math.nan))


def read_number(name: str, value: object, problem: Problem) -> float:
    """Read a number, or yes and no as 1 and 0; raises ImpossibleProperty for a value no home can have."""
    label, limit = label_of(name), problem.limits.get(name)
    number = read_text(name, value, limit) if isinstance(value, str) else _of_program(name, value)
    if isinstance(number, Unread):
        usual = "Enter digits only" if not number.remedy else number.remedy
        shown = repr(shortened(value)) if isinstance(value, str) else str(value)
        raise ImpossibleProperty(f"{label} {shown} is {number.problem}.", remedy_for(usual, name, problem), name)
    if not math.isfinite(number) or (limit is None and number < 0 and not name.startswith("x_")):
        raise ImpossibleProperty(f"{label} cannot be {value}.", remedy_for("Correct it", name, problem), name)
    # How late a year can be depends on the day of the valuation: see contradictions.
    if limit is not None and name not in YEARS and not limit.holds(number):
        raise outside(name, number, limit, problem)
    if not is_countable(name, number):
        shown = written(number, unit_of(name))
        reason = f"{label} cannot be {shown}: it must be {_STEP_WORDS[_STEPS[name]]}."
        raise ImpossibleProperty(reason, remedy_for("Correct it", name, problem), name)
    return number


def _of_program(name: str, value: object) -> float | Unread:
    """Return what a program gives for a number: a number, or true and false for a fact that is yes or no."""
    if is_flag(name):
        return float(value) if isinstance(value, (bool, int, float, np.number)) and value in (0, 1) else _NO_FLAG
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return _NO_NUMBER
    return float(value)


def outside(name: str, number: float, limit: Limit, problem: Problem, why: str = "") -> ImpossibleProperty:
    """Return what is wrong with a number outside a limit; ``why`` follows the limit's upper end."""
    unit = unit_of(name)
    value, low, high = (written(one, unit) for one in (number, limit.low, limit.high))
    behind = {"sqft": " sq ft", "degrees": " degrees"}.get(unit, "")
    return ImpossibleProperty(
        f"{label_of(name)} cannot be {value}: it must lie between {low} and {high}{behind}{why}.",
        remedy_for("Correct it", name, problem),
        name,
    )


def remedy_for(start: str, name: str, problem: Problem) -> str:
    """Return what helps with a fact that cannot be; one that a price needs cannot be left blank either."""
    return f"{start}." if name in problem.estimate.critical else f"{start}, or leave it blank if it is unknown."


def written(number: float, unit: str) -> str:
    """Write a fact's number as people do: "100,000,000" and not "1e+08", the year "1939"; huge ones as computers do."""
    marks = "" if unit == "year" else ","
    return format(round(number, 4), f"{marks}.15g") if abs(number) < _LONG else f"{number:g}"


def shortened(text: str) -> str:
    """Return the beginning of a text that is too long to be quoted in a message or stored."""
    return text if len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 1]}…"
