"""Review flags: what a person should check about a property or its estimate, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from core.evaluate.scope import GoverningScope, standard_prices
from core.prepare.features.facts import COORDINATES
from core.prepare.features.own_sales import DAYS_A_YEAR, SOON_YEARS
from core.prepare.features.profile import MarketProfile
from core.problem import Problem
from core.schema import ONLY_ON_ROLL, label_of
from core.serve.comparables import Comparable, ComparableValue
from core.serve.fact_groups import LOCATION, never_of_its_type, wider_area
from core.serve.reading.facts import written
from core.serve.review.flag import DriftNotice, Flag, FlagKind, Severity
from core.serve.review.places import AREAS_CONTRADICTED, CONTRADICTED, place_flags, unknown_area_flags
from core.serve.review.price import price_flags
from core.serve.review.reach import reach_words
from core.serve.review.scope import known_types, left_out, scope_flags
from core.serve.review.size_parts import NO_PARTS, SizeParts, size_parts_flags
from core.serve.review.sizes import LARGER, SMALLER, size_beyond
from core.serve.review.unused import unused_flags
from core.serve.review.whereabouts import NOWHERE, Whereabouts
from core.serve.subject import Subject
from core.train.bundle import ABOVE, BELOW, Bundle, RangeCoverage
from core.train.model import Model, Priced
from core.train.ranges import EVERYWHERE, round_for_display
from core.wording import count, market_day, money

BEFORE_ALL: Final = "before the first sale known"
"""The group of homes without a record because no test sale was sold so early."""

_UNTRIED: Final = frozenset({ABOVE, BELOW, CONTRADICTED, AREAS_CONTRADICTED, BEFORE_ALL, LARGER, SMALLER})

COMPLETE: Final = "Complete the facts, or narrow the range with sales you know."
"""What to do about a wide range where a fact is not given that somebody can find out."""

_SHOWN_IN_DAYS: Final = 60
# An own sale of the last days is worth more than any estimate: half the distance from it is too far already.
_LATELY: Final = 0.5

# Each of these is noted where it is blank, and so is any other fact that moves the prices of this market; the list of
# imputed facts names the rest.
_FLAGGED_IF_IMPUTED: Final = (
    "living_area_sqft",
    "bedrooms",
    "bathrooms",
    "year_built",
    "lot_area_sqft",
    "property_type",
)
# A fact moves prices if the mean error rises by a point and more when it is shuffled among homes.
_MOVES_PRICES: Final = 0.01


@dataclass(frozen=True)
class Answer:
    """What flags judge in an estimate: money, ``confidence`` as shown (0 to 100), comparables if any were weighted.

    ``years_since_sale`` is the time since the home's own earlier sale, NaN without one; ``own_sale`` is that sale where
    it was compared.
    """

    point: float
    low: float
    high: float
    confidence: int
    comparables: ComparableValue | None = None
    years_since_sale: float = np.nan
    own_sale: Comparable | None = None


def answers_of(priced: Priced) -> list[Answer]:
    """Return what flags judge in each priced home, in order, before comparables are weighted."""
    shares = priced.confidence.tolist()
    since = priced.years_since_sale
    years = [float("nan")] * len(shares) if since is None else since.tolist()
    figures = zip(priced.point.tolist(), priced.low.tolist(), priced.high.tolist(), shares, years, strict=True)
    return [
        Answer(point, low, high, round(100 * share), years_since_sale=year) for point, low, high, share, year in figures
    ]


@dataclass(frozen=True)
class FlagRules:
    """The basis of a market's flags: its model with its test, scope, open drift alerts and limits.

    ``figures`` are the facts of an area or of the homes around: nobody finds them out about a home. ``where`` is what
    the sales tell about where homes lie, ``parts`` the facts that add up to a home's size; distances and sizes are
    written as ``area_unit`` has it.
    """

    bundle: Bundle
    scope: GoverningScope
    notices: tuple[DriftNotice, ...]
    problem: Problem
    figures: frozenset[str] = frozenset()
    where: Whereabouts = NOWHERE
    area_unit: str = "sqm"
    parts: SizeParts = NO_PARTS

    @property
    def model(self) -> Model:
        """The model that prices."""
        return self.bundle.model

    @cached_property
    def noted_if_blank(self) -> tuple[str, ...]:
        """The facts whose lack is worth a note, the place among them: first what moves this market's prices most."""
        always = (*_FLAGGED_IF_IMPUTED, LOCATION)
        ranked = (one.fact for one in self.bundle.importance if one.rise >= _MOVES_PRICES or one.fact in always)
        return tuple(name for name in dict.fromkeys((*ranked, *always)) if name not in self.figures | ONLY_ON_ROLL)

    def kept(self, confidence: int) -> RangeCoverage | None:
        """Return how often test sales of such a confidence came true, None if there were too few of them."""
        return self.bundle.confidence_record(confidence, self.problem.estimate.small_sample_n)

    def record(self, level: float, segment: str, point: float) -> tuple[str, RangeCoverage | None]:
        """Return the group of test sales like a home and how often ranges at ``level`` held them, None untested."""
        tested = self.bundle.tested
        if tested is None:
            usual = standard_prices(self.bundle, self.problem) if self.scope.is_empty else self.scope
            tested = usual.low, usual.high
        return self.bundle.range_record(level, segment, point, tested, self.problem.estimate.small_sample_n)

    def record_of(self, subject: Subject, level: float, segment: str, point: float) -> tuple[str, RangeCoverage | None]:
        """Return ``record`` for a home; none for one that cannot be, nor as of a day before all sales known."""
        places = self.where.places
        if places is not None and (group := places.contradiction(subject.facts)):
            return group, None
        if subject.as_of < self.model.profile.first_sale:
            return BEFORE_ALL, None
        if beyond := size_beyond(subject.facts, self.model.profile, self.problem.estimate.critical):
            return beyond, None
        return self.record(level, segment, point)

    def is_tested(self, point: float) -> bool:
        """Tell whether ranges at such a price have a record, by which flag and range agree."""
        return self.record(self.problem.estimate.level, EVERYWHERE, point)[1] is not None


def flag_rules(
    bundle: Bundle,
    notices: tuple[DriftNotice, ...],
    problem: Problem,
    scope: GoverningScope | None = None,
    figures: frozenset[str] = frozenset(),
    where: Whereabouts = NOWHERE,
    area_unit: str = "sqm",
    parts: SizeParts = NO_PARTS,
) -> FlagRules:
    """Return the basis of the flags of the bundle's market; build it once for many homes.

    Without a ``scope``, signed or proposed, the standard prices hold; an empty one has every estimate reviewed.
    """
    return FlagRules(
        bundle, scope or standard_prices(bundle, problem), notices, problem, figures, where, area_unit, parts
    )


def estimate_flags(subject: Subject, answer: Answer, rules: FlagRules) -> Iterator[Flag]:
    """Yield every flag of an estimate: from the property's facts, scope, open drift alerts, then from its figures."""
    yield from subject_flags(subject, rules)
    yield from place_flags(subject.facts, rules.where.places, rules.model.facts.located, rules.area_unit)
    yield from size_parts_flags(subject.facts, rules.parts, rules.area_unit, rules.bundle.currency)
    yield from scope_flags(left_out(subject.facts, rules.scope, rules.where, known_types(rules.model)), rules.scope)
    yield from drift_flags(subject, rules.notices)
    yield from _answer_flags(answer, subject, rules)
    yield from _own_sale_flags(answer, rules)


def subject_flags(subject: Subject, rules: FlagRules) -> Iterator[Flag]:
    """Yield the flags that depend only on the property's facts."""
    model, problem, currency = rules.model, rules.problem, rules.bundle.currency
    yield from _type_flags(subject, model.profile, problem)
    yield from _missing_flags(subject, rules)
    yield from _category_flags(subject, model.profile)
    yield from unknown_area_flags(subject.facts, model)
    yield from _distribution_flags(subject, model.profile)
    yield from unused_flags(subject.facts, model.facts)
    age = (subject.as_of - model.profile.last_sale).days
    if age > problem.monitoring.retrain_days:
        yield Flag(
            FlagKind.STALE_MODEL,
            Severity.REVIEW,
            "valuation date",
            f"{market_day(subject.as_of, currency)}, {age:,} days after the latest sale learned from, "
            f"{market_day(model.profile.last_sale, currency)}",
            f"{problem.monitoring.retrain_days} days",
            "Check the price against sales of the last three months before you quote it.",
        )


def drift_flags(subject: Subject, notices: Iterable[DriftNotice]) -> Iterator[Flag]:
    """Yield a flag for each open alert that concerns the property."""
    for one in notices:
        if one.property_type in ("", subject.text("property_type")):
            yield Flag(one.kind, one.severity, one.field, one.value, one.limit, one.action)


def _answer_flags(answer: Answer, subject: Subject, rules: FlagRules) -> Iterator[Flag]:
    limits, nearby_sales = rules.problem.estimate, _area_sales(subject, rules.model)
    yield from price_flags(answer.point, rules.scope, rules.is_tested(answer.point))
    width = (answer.high - answer.low) / answer.point
    if width > limits.wide_range:
        yield Flag(
            FlagKind.WIDE_RANGE,
            Severity.NOTE,
            "range",
            reach_words(answer.low, answer.high, answer.point),
            f"±{limits.wide_range / 2:.0%} on average",
            COMPLETE if _can_be_told(subject, rules) else "Compare it with sales you know.",
        )
    confidence = came_true(answer.confidence, rules.kept(answer.confidence))
    if confidence < limits.confidence_medium:
        yield Flag(
            FlagKind.LOW_CONFIDENCE,
            Severity.REVIEW,
            "confidence",
            _confidence_words(answer, confidence) if _is_tested(subject, answer, rules) else "not known",
            f"{limits.confidence_medium:.0f}",
            "Check the price against comparable sales before you quote it.",
        )
    if answer.years_since_sale < SOON_YEARS:
        yield Flag(
            FlagKind.SOLD_SOON,
            Severity.NOTE,
            "own earlier sale",
            _when_sold(answer, rules.bundle.currency),
            f"{12 * SOON_YEARS:.0f} months",
            "Ask what was done to the home since: homes sold again this soon often bring more than their facts say.",
        )
    if nearby_sales < limits.comparables_min:
        yield Flag(
            FlagKind.FEW_COMPARABLES,
            Severity.REVIEW,
            "sales in the area",
            f"{nearby_sales:.0f}",
            f"at least {limits.comparables_min}",
            "The local price level is uncertain: look for sales outside the area.",
        )
    if answer.comparables is not None and not answer.comparables.agrees:
        yield Flag(
            FlagKind.COMPARABLES_DISAGREE,
            Severity.REVIEW,
            "comparables",
            f"{answer.comparables.mean:,.0f} on average, adjusted",
            f"{answer.low:,.0f} to {answer.high:,.0f}, the model's range",
            "Check the comparables: drop those that are not like the home, and see what the others show.",
        )


def _own_sale_flags(answer: Answer, rules: FlagRules) -> Iterator[Flag]:
    """Yield a flag where the estimate is far from what the home itself sold for lately, brought to today."""
    own, currency = answer.own_sale, rules.bundle.currency
    if own is None or not answer.years_since_sale < SOON_YEARS:
        return
    lately = answer.years_since_sale * DAYS_A_YEAR < _SHOWN_IN_DAYS
    limit = rules.problem.success.tolerance * (_LATELY if lately else 1.0)
    apart = answer.point / own.adjusted - 1
    if abs(apart) > limit:
        paid, today = money(own.sale_price, currency), money(float(round_for_display(own.adjusted)), currency)
        when = f", {_time_before(answer.years_since_sale)}" if lately else f", which is {today} by now"
        yield Flag(
            FlagKind.OWN_SALE_FAR,
            Severity.REVIEW,
            "own earlier sale",
            f"{paid} on {market_day(own.sale_date, currency)}{when}; the estimate is {abs(apart):.0%} "
            f"{'above' if apart > 0 else 'below'} it",
            f"within {limit:.0%} of the estimate",
            "Find out why before you quote a price: what the home is worth may not be in its facts.",
        )


def promised(confidence: int, held: RangeCoverage | None) -> int | None:
    """Return a confidence as it may be shown: None for a home whose range has no record in the tests."""
    return None if held is None else confidence


def worth(confidence: int, kept: RangeCoverage | None, segment: str) -> int:
    """Return what ``came_true`` does, 0 where no home of such a segment was tested: nobody knows what it is worth."""
    return 0 if segment in _UNTRIED else came_true(confidence, kept)


def came_true(confidence: int, kept: RangeCoverage | None) -> int:
    """Return what a confidence is worth, 0 to 100: what it promises, or less where less of its kind came true."""
    return confidence if kept is None else min(confidence, round(100 * kept.share))


def _is_tested(subject: Subject, answer: Answer, rules: FlagRules) -> bool:
    """Tell whether some test sale was like a home, so that its confidence is shown."""
    return rules.record_of(subject, rules.problem.estimate.level, EVERYWHERE, answer.point)[1] is not None


def _confidence_words(answer: Answer, came: int) -> str:
    """Write a confidence as the answer shows it, and what ``came`` true of 100 such ones where that is less."""
    return f"{answer.confidence}" if came == answer.confidence else f"{answer.confidence}; {came} like it came true"


def _when_sold(answer: Answer, currency: str) -> str:
    """Say for how much the home was sold and when, "$792,000 on Jun 30, 2025"; without that sale, how long before."""
    own = answer.own_sale
    if own is None:
        return _time_before(answer.years_since_sale)
    return f"{money(own.sale_price, currency)} on {market_day(own.sale_date, currency)}"


def _time_before(years: float) -> str:
    days = round(years * DAYS_A_YEAR)
    return f"{count(days, 'day')} before" if days < _SHOWN_IN_DAYS else f"{12 * years:.0f} months before"


def _area_sales(subject: Subject, model: Model) -> float:
    """Return the training sales in the subject's area (the larger count of two); infinite if it has no area."""
    counts = [
        model.profile.area_codes[name].get(str(subject.facts[name]), 0)
        for name in model.facts.area_codes
        if name in subject.facts
    ]
    return float(max(counts, default=np.inf))


def _type_flags(subject: Subject, profile: MarketProfile, problem: Problem) -> Iterator[Flag]:
    kind, zoning, units = subject.text("property_type"), subject.text("zoning"), subject.number("units")
    scope = problem.scope
    if kind is not None and kind in scope.unusual_types:
        yield Flag(
            FlagKind.UNUSUAL_TYPE,
            Severity.REVIEW,
            "property_type",
            kind.replace("_", " "),
            "standard residential types",
            "Manual review: value it from comparable sales of the same type.",
        )
    if zoning is not None and any(word in zoning.lower() for word in scope.unusual_zoning):
        yield Flag(
            FlagKind.UNUSUAL_ZONING,
            Severity.REVIEW,
            "zoning",
            zoning,
            "residential zoning",
            "Manual review: the land may be worth more for another use.",
        )
    if units is not None and units > scope.units_max:
        yield Flag(
            FlagKind.MULTI_UNIT,
            Severity.REVIEW,
            "units",
            f"{units:.0f}",
            f"at most {scope.units_max}",
            "Manual review: value it by its rental income.",
        )


def _missing_flags(subject: Subject, rules: FlagRules) -> Iterator[Flag]:
    model = rules.model
    used = {*model.facts.numeric, *model.facts.categorical} - never_of_its_type(model, subject.facts)
    for name in rules.noted_if_blank:
        if name == LOCATION:
            yield from _unplaced_flags(subject, model)
        elif name in used and name not in subject.facts:
            yield Flag(
                FlagKind.IMPUTED_FACT,
                Severity.NOTE,
                name,
                "not given",
                "the usual value of similar homes in the area, and others, are allowed for",
                f"Enter {label_of(name).lower()} for a narrower, more reliable range.",
            )


def _unplaced_flags(subject: Subject, model: Model) -> Iterator[Flag]:
    if model.facts.located and not {*COORDINATES} <= {*subject.facts}:
        wider, code = wider_area(subject.facts, model), subject.text("zipcode") or ""
        new = wider != "" and code.upper() != wider
        yield Flag(
            FlagKind.IMPUTED_FACT,
            Severity.NOTE,
            LOCATION,
            f"no coordinates, and no sale known in {code}" if new else "no coordinates",
            f"filled with the middle of the wider area {wider}" if wider else "filled with the middle of the area",
            "Enter latitude and longitude: location matters more than any other fact.",
        )


def _can_be_told(subject: Subject, rules: FlagRules) -> bool:
    """Tell whether a fact is not given that somebody can find out about this home; its place is one."""
    facts = rules.model.facts
    places = COORDINATES if facts.located else ()
    never = rules.figures | never_of_its_type(rules.model, subject.facts) | ONLY_ON_ROLL
    return not {*facts.numeric, *facts.categorical, *places} - never <= {*subject.facts}


def _category_flags(subject: Subject, profile: MarketProfile) -> Iterator[Flag]:
    for category in profile.categories:
        value = subject.text(category.name)
        if value is not None and value not in category.levels:
            yield Flag(
                FlagKind.UNKNOWN_CATEGORY,
                Severity.REVIEW,
                category.name,
                value,
                "none of the model's sales has this value",
                f"Choose one of the market's own values of {label_of(category.name).lower()}, or review the price "
                "manually.",
            )


def _distribution_flags(subject: Subject, profile: MarketProfile) -> Iterator[Flag]:
    for fact in profile.numeric:
        value = subject.number(fact.name)
        # A year built after the last sale means a new home, not an error; the age at sale covers it.
        usual_high = np.inf if fact.unit == "year" else fact.high
        if value is None or fact.name in ONLY_ON_ROLL or fact.unit == "degrees" or fact.flag:
            continue
        if fact.low <= value <= usual_high:
            continue
        # Nobody reads the tenths of a square foot.
        places = 0 if fact.unit == "sqft" else 4
        given, low, high = (written(round(one, places), fact.unit) for one in (value, fact.low, fact.high))
        yield Flag(
            FlagKind.OUT_OF_DISTRIBUTION,
            Severity.NOTE if fact.lowest <= value <= fact.highest else Severity.REVIEW,
            fact.name,
            given,
            f"{low} to {high} in 99 of 100 sales",
            "Check the fact; if it is right, the home is unusual here: review the price manually.",
        )
