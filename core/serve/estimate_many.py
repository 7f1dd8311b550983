"""Prices many properties in one batch: each gets the answer that ``estimate`` gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import compress
from typing import Final, Literal

import numpy as np
import pandas as pd

from core.arrays import Ints
from core.errors import ImpossibleProperty
from core.prepare.features.columns import Columns, blanks, size
from core.prepare.features.facts import COORDINATES, FactColumns
from core.prepare.features.own_sales import IDENTITY
from core.problem import Problem
from core.serve.estimate import (
    Estimate,
    LiveMarket,
    before_first_sale,
    beyond_horizon,
    estimate,
    judged_with,
    outside_signed_scope,
    range_refusal,
    refusal,
    too_wide,
)
from core.serve.fact_groups import LOCATION, critical_facts, unlike_all_sales
from core.serve.flags import answers_of, estimate_flags, promised
from core.serve.review.flag import Flag
from core.serve.review.nearest import evidence_of, nearest_lately_km
from core.serve.review.unavailable import Unavailable, UnavailableKind
from core.serve.subject import Subject, Value, contradictions, facts_read, read_fact, spelled_as_sold
from core.train.live_model import LiveModel
from core.train.model import Model, Priced, some_of

# Two ways to compute a distance differ in its last digits; the quick one only passes homes clearly inside the market.
_PLAINLY_INSIDE: Final = 0.999


_Wrong = tuple[ImpossibleProperty, object]


@dataclass(frozen=True)
class NotPriced:
    """Why the home at ``position`` has no price.

    "refused" means an impossible fact, "unavailable" that a condition of a price is not met: ``kind`` says which.
    ``field`` names the fact, ``value`` is its value as given ("location" stands for area codes and coordinates). Of
    several impossible facts they are the first; ``reason`` and ``remedy`` are those of all.
    """

    position: int
    status: Literal["refused", "unavailable"]
    field: str
    value: object
    reason: str
    remedy: str
    kind: UnavailableKind = UnavailableKind.NOT_KNOWN


@dataclass(frozen=True)
class Answers:
    """Answers for n homes: the k priced ones, at ``rows``, and why the others have no price, both in order.

    ``subjects``, ``confidence`` (0 to 100), ``flags`` and the arrays of ``priced`` (k,) cover the priced homes, as does
    ``promised``: the confidence as it may be shown (see ``Estimate.promised``).
    """

    rows: Ints
    subjects: tuple[Subject, ...]
    priced: Priced
    confidence: tuple[int, ...]
    promised: tuple[int | None, ...]
    flags: tuple[tuple[Flag, ...], ...]
    not_priced: tuple[NotPriced, ...]


@dataclass(frozen=True)
class ReadColumn:
    """One fact of n homes, each distinct value read once: home i has ``known[codes[i]]``, None if blank."""

    codes: Ints
    known: list[Value | None]
    errors: Mapping[int, ImpossibleProperty]
    given: list[object]

    def values(self) -> list[Value | None]:
        """Return the fact of each home."""
        return [self.known[code] for code in self.codes]


def estimate_many(live_market: LiveMarket, homes: pd.DataFrame, as_of: date, problem: Problem, level: float) -> Answers:
    """Price the rows of a table of facts (canonical names and units; blanks mean unknown) as of one date.

    Each row gets the range, point, confidence and flags, or the refusal, that ``estimate`` would give it, without
    drivers, comparables and the flags that depend on them. An impossible fact refuses only its own row.
    """
    model = live_market.live_model.model
    columns = read_columns(homes, model, problem)
    subjects, failed = read_subjects(columns, [as_of] * len(homes), problem)
    failed |= dict(_unavailable(subjects, as_of, live_market, problem))
    failed |= dict(_outside_scope(subjects, failed, live_market))
    rows = np.array([position for position in subjects if position not in failed], dtype=np.int64)
    placed = [live_market.placed(subjects[position]) for position in rows.tolist()]
    read = _placed(_homes(columns, rows, as_of, model.facts), placed, model.facts)
    found = _price(live_market.live_model, read, problem, level)
    priced, main = found[level], found[problem.estimate.level]
    narrow = ~too_wide(main, problem)
    failed |= _ranges_too_wide(rows[~narrow], some_of(main, ~narrow), problem)
    rows, priced = rows[narrow], some_of(priced, narrow)
    chosen = tuple(subjects[position] for position in rows.tolist())
    judged = tuple(compress(placed, narrow.tolist()))
    answers, rules = answers_of(priced), live_market.flag_rules(problem)
    confidence = tuple(answer.confidence for answer in answers)
    records = (
        rules.record_of(subject, level, str(segment), answer.point)[1]
        for subject, segment, answer in zip(judged, priced.segments, answers, strict=True)
    )
    shown = tuple(promised(sure, held) for sure, held in zip(confidence, records, strict=True))
    flags = tuple(
        tuple(estimate_flags(subject, answer, rules)) for subject, answer in zip(judged, answers, strict=True)
    )
    return Answers(
        rows, chosen, priced, confidence, shown, flags, tuple(failed[position] for position in sorted(failed))
    )


def with_comparables(answers: Answers, live_market: LiveMarket, problem: Problem, level: float) -> Answers:
    """Return the answers with all flags that ``estimate`` gives each home: also those of its comparables.

    This takes as long as pricing each home alone.
    """
    alone = [estimate(live_market, one.facts, one.as_of, problem, level) for one in answers.subjects]
    flags = [one.flags if isinstance(one, Estimate) else known for one, known in zip(alone, answers.flags, strict=True)]
    return replace(answers, flags=tuple(flags))


def read_columns(homes: pd.DataFrame, model: Model, problem: Problem) -> dict[str, ReadColumn]:
    """Read the facts of a table of homes, canonical names and units; each column keeps what no home can have."""
    names = [name for name in facts_read(model.facts, map(str, homes.columns)) if name in homes.columns]
    return {name: _read(homes[name], name, model, problem) for name in names}


def _read(values: pd.Series, name: str, model: Model, problem: Problem) -> ReadColumn:
    codes, different = pd.factorize(values)
    known: list[Value | None] = []
    errors: dict[int, ImpossibleProperty] = {}
    for code, value in enumerate(different.tolist()):
        try:
            read = read_fact(name, value, model.facts, problem)
            known.append(None if read is None else spelled_as_sold(name, read, model))
        except ImpossibleProperty as error:
            known.append(None)
            errors[code] = error
    # factorize codes a missing value as -1, the last of the list.
    return ReadColumn(codes.astype(np.int64), [*known, None], errors, different.tolist())


def read_subjects(
    columns: Mapping[str, ReadColumn], as_of: Sequence[date], problem: Problem
) -> tuple[dict[int, Subject], dict[int, NotPriced]]:
    """Return the homes of columns by position, and why the others are none; ``as_of`` has the date of each.

    Each home is the one that ``check_subject`` gives, or is refused for all the reasons that ``fact_faults`` gives.
    """
    wrong: dict[int, list[_Wrong]] = {}
    for column in columns.values():
        for position in np.flatnonzero(np.isin(column.codes, list(column.errors))).tolist():
            code = column.codes[position]
            wrong.setdefault(position, []).append((column.errors[code], column.given[code]))
    subjects: dict[int, Subject] = {}
    cells: Sequence[tuple[Value | None, ...]] = list(
        zip(*(column.values() for column in columns.values()), strict=True)
    )
    for position, day in enumerate(as_of):
        row = cells[position] if cells else ()
        known = {name: value for name, value in zip(columns, row, strict=True) if value is not None}
        subject = Subject(known, day)
        for error in contradictions(subject, problem):
            wrong.setdefault(position, []).append((error, known.get(error.field)))
        if position not in wrong:
            subjects[position] = subject
    return subjects, {position: _refused(position, faults) for position, faults in wrong.items()}


def _refused(position: int, faults: Sequence[_Wrong]) -> NotPriced:
    """Return a home refused for its impossible facts, each with its value as given."""
    (first, value), reasons = faults[0], " ".join(error.reason for error, _ in faults)
    remedies = " ".join(dict.fromkeys(error.remedy for error, _ in faults))
    return NotPriced(position, "refused", first.field, value, reasons, remedies)


def _unavailable(
    subjects: Mapping[int, Subject], as_of: date, live_market: LiveMarket, problem: Problem
) -> Iterator[tuple[int, NotPriced]]:
    live_model, currency, area_unit = live_market.live_model, live_market.bundle.currency, live_market.area_unit
    model = live_model.model
    far = beyond_horizon(as_of, live_model, problem, currency) or before_first_sale(as_of, model, currency)
    if far is not None:
        for position in subjects:
            yield position, _withheld(position, "valuation date", str(as_of), far)
        return
    for position, withheld in refusals(subjects, model, problem, currency, area_unit):
        facts, field = subjects[position].facts, next(iter(withheld.missing), withheld.field or LOCATION)
        place = None if withheld.missing else _place(subjects[position], model)
        yield position, _withheld(position, field, facts[field] if withheld.field else place, withheld)


def refusals(
    subjects: Mapping[int, Subject], model: Model, problem: Problem, currency: str, area_unit: str
) -> Iterator[tuple[int, Unavailable]]:
    """Yield which homes have no price, and why, as ``refusal`` says of each."""
    critical = _critical(model, problem)
    inside = _plainly_inside(subjects, model, problem)
    for position, subject in subjects.items():
        whole = all(name in subject.facts for name in critical)
        sold = unlike_all_sales(subject.facts, model, problem, currency, area_unit) is None
        if whole and sold and position in inside and before_first_sale(subject.as_of, model, currency) is None:
            continue
        withheld = refusal(subject, model, problem, currency, area_unit)
        if withheld is not None:
            yield position, withheld


def _critical(model: Model, problem: Problem) -> list[str]:
    return [name for name in critical_facts(model, problem) if name != LOCATION]


def _outside_scope(
    subjects: Mapping[int, Subject], failed: Mapping[int, NotPriced], live_market: LiveMarket
) -> Iterator[tuple[int, NotPriced]]:
    for position, subject in subjects.items():
        withheld = outside_signed_scope(subject, live_market) if position not in failed else None
        if withheld is not None:
            value = subject.facts.get(withheld.field, "")
            yield position, _withheld(position, withheld.field, value, withheld)


def _plainly_inside(subjects: Mapping[int, Subject], model: Model, problem: Problem) -> set[int]:
    """Return the homes whose coordinates lie well within the market; ``refusal`` checks the others."""
    live_market = evidence_of(model)
    if live_market is None or not model.facts.located:
        return set()
    located = [position for position, subject in subjects.items() if set(COORDINATES) <= set(subject.facts)]
    if not located:
        return set()
    place = {name: np.array([subjects[position].facts[name] for position in located]) for name in COORDINATES}
    here = np.column_stack(model.features.named_steps["derived"].projection_.kilometres(place))
    limit = problem.estimate.market_km * _PLAINLY_INSIDE
    distance = nearest_lately_km(live_market, here)
    return {position for position, km in zip(located, distance.tolist(), strict=True) if km <= limit}


def _place(subject: Subject, model: Model) -> str:
    named = (*model.facts.area_codes, *(COORDINATES if model.facts.located else ()))
    return ", ".join(str(subject.facts[name]) for name in named if name in subject.facts)


def _homes(columns: Mapping[str, ReadColumn], rows: Ints, as_of: date, facts: FactColumns) -> Columns:
    """Return the homes at ``rows`` as the model prices them, as Subject.columns gives each."""
    words = {*facts.categorical, *facts.area_codes, *IDENTITY}
    homes: Columns = {}
    for name in dict.fromkeys((*facts.all, *IDENTITY)):
        known = columns[name].known if name in columns else [None]
        codes = columns[name].codes[rows] if name in columns else np.full(len(rows), -1)
        different = [np.nan if value is None else value for value in known]
        homes[name] = np.array(different, dtype=object if name in words else float)[codes]
    return homes | {"sale_date": np.full(len(rows), as_of, dtype="datetime64[us]")}


def _placed(homes: Columns, placed: Sequence[Subject], facts: FactColumns) -> Columns:
    """Return homes with the areas of ``placed``, of which more are known."""
    changed = dict(homes)
    for code in facts.area_codes:
        blank = np.flatnonzero(blanks(homes[code]))
        changed[code] = homes[code].copy()
        changed[code][blank] = [placed[row].facts.get(code, np.nan) for row in blank.tolist()]
    return changed


def _ranges_too_wide(rows: Ints, priced: Priced, problem: Problem) -> dict[int, NotPriced]:
    return {
        row: _withheld(row, "range", f"{answer.low:,.0f} to {answer.high:,.0f}", range_refusal(answer, problem))
        for row, answer in zip(rows.tolist(), answers_of(priced), strict=True)
    }


def _withheld(position: int, field: str, value: object, why: Unavailable) -> NotPriced:
    return NotPriced(position, "unavailable", field, value, why.reason, why.remedy, why.kind)


def _price(live_model: LiveModel, homes: Columns, problem: Problem, level: float) -> dict[float, Priced]:
    tolerance, levels = problem.success.tolerance, judged_with(level, problem)
    if not size(homes):
        none = np.empty(0)
        empty = Priced(level, tolerance, none, none, none, none, none, none, np.empty(0, dtype=object))
        return {one: replace(empty, level=one) for one in levels}
    return live_model.price(live_model.model.fill_for_sale(homes), levels, tolerance)
