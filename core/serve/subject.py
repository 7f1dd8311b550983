"""The subject property: facts from an agent or a file, checked and converted to canonical form."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from functools import cache, partial
from typing import Final

import numpy as np
import pandas as pd

from core.collect.cells.missing import NULL_WORDS
from core.collect.vocabulary import load_vocabulary
from core.errors import ImpossibleProperty
from core.prepare.features.columns import Columns
from core.prepare.features.facts import FactColumns
from core.prepare.features.own_sales import IDENTITY
from core.problem import Problem
from core.schema import FIELD_BY_NAME, NEIGHBOURHOOD_FIELDS, PROPERTY_FIELDS, FieldKind, is_extra, label_of, unit_of
from core.serve.reading.facts import TEXT_MAX, YEARS, outside, read_number, shortened
from core.train.model import Model
from core.wording import count

Value = float | str

HOME_FACTS: Final = frozenset(field.name for field in (*PROPERTY_FIELDS, *NEIGHBOURHOOD_FIELDS))
"""The facts of a home in the canonical record, beside which a market may have columns of its own."""


@dataclass(frozen=True)
class Subject:
    """A property to price as of a valuation date; ``facts`` holds only known facts, in canonical units."""

    facts: Mapping[str, Value]
    as_of: date

    def number(self, name: str) -> float | None:
        """Return a numeric fact, or None if it is unknown."""
        value = self.facts.get(name)
        return value if isinstance(value, float) else None

    def text(self, name: str) -> str | None:
        """Return a text fact, or None if it is unknown."""
        value = self.facts.get(name)
        return value if isinstance(value, str) else None

    def columns(self, facts: FactColumns) -> Columns:
        """Return the home as arrays for the model, and what it is recognized by; unknown facts are missing values."""
        words = {*facts.categorical, *facts.area_codes, *IDENTITY}
        home: Columns = {
            name: np.array([self.facts.get(name, np.nan)], dtype=object if name in words else float)
            for name in dict.fromkeys((*facts.all, *IDENTITY))
        }
        return home | {"sale_date": np.array([self.as_of], dtype="datetime64[us]")}


def check_subject(facts: Mapping[str, object], as_of: date, model: Model, problem: Problem) -> Subject:
    """Read the facts of a property; blanks count as unknown, and facts the market does not use are left out.

    Areas are spelled as the model's sales spell them. Raises ImpossibleProperty naming the field, its value, the limit
    and the remedy.
    """
    known: dict[str, Value] = {}
    for name in facts_read(model.facts, facts):
        _put_fact(known, name, facts.get(name), model.facts, problem)
    areas = {name: spelled_as_sold(name, known[name], model) for name in model.facts.area_codes if name in known}
    subject = Subject(known | areas, as_of)
    check_together(subject, problem)
    return subject


@dataclass(frozen=True)
class FactFault:
    """What is wrong with one fact of a home: ``reason`` says why it is impossible or unknown, ``remedy`` what helps."""

    field: str
    reason: str
    remedy: str


def fact_faults(
    facts: Mapping[str, object], as_of: date, columns: FactColumns | None, problem: Problem
) -> tuple[FactFault, ...]:
    """Return all faults of a home's facts, at most one a field: unknown names, impossible values, contradictions.

    ``columns`` are the model's; None, where no model is live, looks at the names alone.
    """
    found = [fault for name in facts if (fault := _fault(partial(refuse_unknown_facts, [name], columns)))]
    if columns is None:
        return tuple(found)
    named, known = {fault.field for fault in found}, dict[str, Value]()
    for name in facts_read(columns, facts):
        fault = _fault(partial(_put_fact, known, name, facts.get(name), columns, problem))
        found += [fault] if fault and name not in named else []
    together = contradictions(Subject(known, as_of), problem)
    return (*found, *(FactFault(error.field, error.reason, error.remedy) for error in together))


def refuse_unknown_facts(names: Iterable[str], columns: FactColumns | None) -> None:
    """Raise ImpossibleProperty for a name that is no fact of a home, with the nearest that is.

    ``columns`` are the model's; None, where no model is live, allows any column of the market's own.
    """
    known = HOME_FACTS | {*(columns.all if columns else ())}
    for name in names:
        if name in known or (columns is None and is_extra(name)):
            continue
        near = nearest_fact(name, known)
        facts = ", ".join(columns.all if columns else sorted(HOME_FACTS))
        hint = f"the nearest is {near}." if near else f"the facts are {facts}."
        raise ImpossibleProperty(
            f"{shortened(name)!r} is not a fact of a home; {hint}", "Correct the name, or leave it out.", name
        )


def fact_called(name: str, columns: FactColumns | None) -> str:
    """Return the fact that a name or its label on screen means, the name itself where none is called so.

    ``columns`` are the model's. An area's label names no unit, so that its name must be given.
    """
    known = HOME_FACTS | {*(columns.all if columns else ())}
    if name in known:
        return name
    labels = {_plain_name(label_of(one)): one for one in sorted(known) if unit_of(one) != "sqft"}
    return labels.get(_plain_name(name), name)


def _plain_name(name: str) -> str:
    """Fold a name or label: "Condition (1-5)" and "condition" are one, as are spaces, hyphens and underscores."""
    return "_".join(name.partition(" (")[0].lower().replace("-", " ").replace("_", " ").split())


def nearest_fact(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """Return the fact whose name is most like a name, "" if none is at least so like it (0 to 1)."""
    return next(iter(get_close_matches(_plain_name(name), sorted(known), 1, likeness)), "")


def facts_read(columns: FactColumns, given: Iterable[str]) -> list[str]:
    """Return the names of the given facts that are read, in the order they are checked."""
    used = columns.all
    return [name for name in dict.fromkeys((*used, *given)) if name in used or name in FIELD_BY_NAME]


def spelled_as_sold(name: str, value: Value, model: Model) -> Value:
    """Return an area of a home as the sales of a model spell it; any other fact as it is."""
    return model.profile.as_sold(name, value) if isinstance(value, str) else value


def in_market_words(facts: Mapping[str, object], model: Model | None) -> dict[str, object]:
    """Return facts with types and areas named as the market names them, as they are kept and shown."""
    named = dict(facts)
    for name, value in facts.items():
        field = FIELD_BY_NAME.get(name)
        if isinstance(value, str) and field is not None and field.kind is FieldKind.CATEGORY:
            own = _own_name(name, value)
            named[name] = own if model is None else model.profile.as_sold(name, own)
    return named


def read_fact(name: str, value: object, columns: FactColumns, problem: Problem) -> Value | None:
    """Read one fact; None if it is blank. Raises ImpossibleProperty for a value no home can have."""
    if _blank(value) or _says_blank(name, value):
        return None
    if name in columns.categorical or name in columns.area_codes or _is_text(name):
        word = _word(value)
        if len(word) > TEXT_MAX:
            raise ImpossibleProperty(
                f"{label_of(name)} {shortened(word)!r} has {len(word):,} characters; the limit is {TEXT_MAX}.",
                "Shorten it.",
                name,
            )
        return _own_name(name, word)
    return read_number(name, value, problem)


def _own_name(name: str, word: str) -> str:
    """Return Doorstep's name of a category as files are read: "Single Family" and "house" are "single_family"."""
    folded = _plain_name(word)
    if folded in _own_names(name):
        return folded
    return load_vocabulary().words_of(name).get(" ".join(word.casefold().split()), word)


@cache
def _own_names(name: str) -> frozenset[str]:
    return frozenset(load_vocabulary().words_of(name).values())


def _put_fact(known: dict[str, Value], name: str, value: object, columns: FactColumns, problem: Problem) -> None:
    """Add a fact to those known unless it is blank; raises ImpossibleProperty."""
    read = read_fact(name, value, columns, problem)
    if read is not None:
        known[name] = read


def _fault(check: Callable[[], None]) -> FactFault | None:
    try:
        check()
    except ImpossibleProperty as error:
        return FactFault(error.field, error.reason, error.remedy)
    return None


def _is_text(name: str) -> bool:
    field = FIELD_BY_NAME.get(name)
    return field is not None and field.kind in (FieldKind.TEXT, FieldKind.CATEGORY, FieldKind.DATE)


def _blank(value: object) -> bool:
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, str):
        return not value.strip()
    return isinstance(value, float) and math.isnan(value)


def _says_blank(name: str, value: object) -> bool:
    """Tell whether a text says that nothing is known, as it does in files: "n/a"; of a view, "none" is a value."""
    if not isinstance(value, str):
        return False
    word = value.strip().casefold()
    return word in NULL_WORDS and word not in load_vocabulary().words_of(name)


def _word(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def check_together(subject: Subject, problem: Problem) -> None:
    """Raise ImpossibleProperty for the first of the contradictions, if there are any."""
    for error in contradictions(subject, problem):
        raise error


def contradictions(subject: Subject, problem: Problem) -> Iterator[ImpossibleProperty]:
    """Yield what is impossible of facts that are each read: years for the day of the valuation, facts beside others."""
    years = {name: year for name in YEARS if (year := subject.number(name)) is not None}
    wrong = [error for name, year in years.items() if (error := _year_fault(name, year, subject, problem))]
    yield from wrong
    built, renovated = years.get("year_built"), years.get("year_renovated")
    if not wrong and built is not None and renovated is not None and renovated < built:
        yield ImpossibleProperty(
            f"Year renovated {renovated:.0f} is before year built {built:.0f}.",
            "Correct one of them, or leave year renovated blank for a home never renovated.",
            "year_renovated",
        )
    area, bedrooms = subject.number("living_area_sqft"), subject.number("bedrooms")
    if area and bedrooms and area / bedrooms < problem.intake.sqft_per_bedroom_low:
        yield ImpossibleProperty(
            f"{bedrooms:g} bedrooms in {area:,.0f} sq ft leave {area / bedrooms:.0f} sq ft per bedroom; the least "
            f"possible is {problem.intake.sqft_per_bedroom_low:g}.",
            "Correct bedrooms or living area.",
            "bedrooms",
        )


def _year_fault(name: str, year: float, subject: Subject, problem: Problem) -> ImpossibleProperty | None:
    limit = problem.limits[name]
    latest = min(limit.high, float(subject.as_of.year + problem.intake.years_ahead))
    if limit.low <= year <= latest:
        return None
    day = f", {count(problem.intake.years_ahead, 'year')} after the valuation date" if latest < limit.high else ""
    return outside(name, year, replace(limit, high=latest), problem, day)
