"""The subject property: facts as an agent or a file gives them, checked and put into canonical form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from core.errors import ImpossibleProperty
from core.prepare.facts import FactColumns
from core.problem import Problem
from core.schema import FIELD_BY_NAME, FieldKind, label_of

Value = float | str


@dataclass(frozen=True)
class Subject:
    """A property to be priced as of a valuation date; ``facts`` holds only what is known, in canonical units."""

    facts: Mapping[str, Value]
    as_of: date

    def number(self, name: str) -> float | None:
        """Return a numeric fact, or None if it is not known."""
        value = self.facts.get(name)
        return value if isinstance(value, float) else None

    def text(self, name: str) -> str | None:
        """Return a fact in words, or None if it is not known."""
        value = self.facts.get(name)
        return value if isinstance(value, str) else None

    def table(self, columns: FactColumns) -> pd.DataFrame:
        """Return the one-row table the model prices; what is not known is missing."""
        words = {*columns.categorical, *columns.area_codes}
        row: dict[str, Any] = {
            name: np.array([self.facts.get(name, np.nan)], dtype=object if name in words else float)
            for name in columns.all
        }
        row["sale_date"] = np.array([self.as_of], dtype="datetime64[us]")
        return pd.DataFrame(row, copy=False)


def check_subject(facts: Mapping[str, object], as_of: date, columns: FactColumns, problem: Problem) -> Subject:
    """Read facts of a property; blanks count as not known, facts the market does not use are left out.

    Raises ImpossibleProperty naming the field, its value, the limit and the remedy.
    """
    words = {*columns.categorical, *columns.area_codes}
    known: dict[str, Value] = {}
    for name in dict.fromkeys((*columns.all, *facts)):
        value = facts.get(name)
        if _blank(value) or (name not in columns.all and name not in FIELD_BY_NAME):
            continue
        known[name] = _word(value) if name in words or _is_text(name) else _number(name, value, problem)
    subject = Subject(known, as_of)
    _check_together(subject, problem)
    return subject


def _is_text(name: str) -> bool:
    field = FIELD_BY_NAME.get(name)
    return field is not None and field.kind in (FieldKind.TEXT, FieldKind.CATEGORY, FieldKind.DATE)


def _blank(value: object) -> bool:
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, str):
        return not value.strip()
    return isinstance(value, float) and math.isnan(value)


def _word(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _number(name: str, value: object, problem: Problem) -> float:
    label = label_of(name)
    try:
        number = float(str(value).replace(",", "").strip())
    except ValueError:
        raise ImpossibleProperty(
            f"{label} = {value!r} is not a number. Enter digits only, or leave it blank."
        ) from None
    limit = problem.limits.get(name)
    if not math.isfinite(number) or (limit is None and number < 0 and not name.startswith("x_")):
        raise ImpossibleProperty(f"{label} = {value} is impossible. Correct it, or leave it blank.")
    if limit is not None and not limit.holds(number):
        raise ImpossibleProperty(
            f"{label} = {number:,g} is impossible: it must lie between {limit.low:,g} and {limit.high:,g}. "
            "Correct it, or leave it blank if it is not known."
        )
    return number


def _check_together(subject: Subject, problem: Problem) -> None:
    built, renovated = subject.number("year_built"), subject.number("year_renovated")
    latest = subject.as_of.year + problem.intake.years_ahead
    for name, year in (("year_built", built), ("year_renovated", renovated)):
        if year is not None and year > latest:
            raise ImpossibleProperty(
                f"{label_of(name)} = {year:.0f} is too far ahead: for a valuation in {subject.as_of.year} it may be at "
                f"most {latest}. Correct the year."
            )
    if built is not None and renovated is not None and renovated < built:
        raise ImpossibleProperty(
            f"Year renovated = {renovated:.0f} is before year built = {built:.0f}. Correct one of them, or leave year "
            "renovated blank for a home never renovated."
        )
    area, bedrooms = subject.number("living_area_sqft"), subject.number("bedrooms")
    if area and bedrooms and area / bedrooms < problem.intake.sqft_per_bedroom_low:
        raise ImpossibleProperty(
            f"Bedrooms = {bedrooms:g} in {area:,.0f} sq ft leaves {area / bedrooms:.0f} sq ft a bedroom; the least "
            f"possible is {problem.intake.sqft_per_bedroom_low:g}. Correct bedrooms or living area."
        )
