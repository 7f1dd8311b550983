"""Prices one property: an estimate with range, confidence and flags, or the reason there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Final

import numpy as np

from core.arrays import Bools, Floats
from core.evaluate.scope import GoverningScope, ScopeBasis
from core.prepare.features.area_levels import area_levels
from core.prepare.features.columns import Columns, size, stack, take
from core.prepare.features.facts import COORDINATES
from core.problem import Problem
from core.schema import ONLY_ON_ROLL
from core.serve.ask_next import AskNext, Questions, ask_next, questions
from core.serve.comparables import IN_USE, Comparable, ComparableValue, adjusted, candidates, like_enough, reconcile
from core.serve.drivers import Compared, Drivers, compared, drivers
from core.serve.fact_groups import (
    area_figures,
    groups_of,
    missing_facts,
    missing_words,
    never_of_its_type,
    unknown_place_words,
    unlike_all_sales,
    wider_area,
)
from core.serve.flags import Answer, FlagRules, answers_of, estimate_flags, flag_rules, promised, worth
from core.serve.likeness import Likeness, likeness_of
from core.serve.review.flag import DriftNotice, Flag
from core.serve.review.nearest import evidence_of, nearest_sale_km
from core.serve.review.reach import reach_words
from core.serve.review.scope import known_types, left_out
from core.serve.review.size_parts import SizeParts, size_parts
from core.serve.review.surroundings import figures_around
from core.serve.review.unavailable import Unavailable, UnavailableKind
from core.serve.review.whereabouts import Whereabouts, whereabouts
from core.serve.subject import FactFault, Subject, Value, check_subject
from core.train.bundle import Bundle, RangeCoverage
from core.train.importance import Importance, by_importance
from core.train.live_model import LiveModel
from core.train.model import Model, Priced, half_width, has_evidence, some_of
from core.wording import days, distance, market_day, percent

# No price level is measured this long before a market's first sale.
_DAYS_BEFORE: Final = 365


@dataclass(frozen=True)
class Estimate:
    """What an agent gets: money in ``currency``, rounded for display except ``exact``; ``confidence`` 0 to 100.

    The range should hold ``level`` of sale prices; ``held`` is its actual coverage on test sales of the same segment,
    None beyond the prices tested, where too few were tested, where area and coordinates contradict each other, or for
    a day before all sales known. ``confidence`` is the calibrated probability in percent that the sale price falls
    within 10% of the point; ``kept`` is how often that came true on test sales of similar confidence, None if there
    were too few; ``confidence_word`` follows the lower of both, and is "low" where nothing like it was tested. ``fsd``
    is the forecast standard deviation as a share of the point. ``imputed`` maps facts not given to the values assumed,
    without those that homes of its type do not have.
    ``market_shift`` is the log shift by which the market level (``level_id``) moved the estimate. ``last_sale`` is the
    day of the latest sale behind that level, ``trained_through`` that of the latest training sale (None in an answer
    stored by an earlier release).
    ``comparables`` come most similar first, weak ones last; ``comparable_value`` combines the first ``IN_USE`` of them.
    ``ask_next`` are the unknown facts that would narrow the range most, the best first. ``widening`` is the factor by
    which the range is wider because the valuation date lies after the latest sale. ``worked_out`` are the areas that
    were not given and that the coordinates tell.
    """

    subject: Subject
    currency: str
    low: float
    high: float
    point: float
    exact: float
    level: float
    held: RangeCoverage | None
    segment: str
    confidence: int
    confidence_word: str
    kept: RangeCoverage | None
    fsd: float
    flags: tuple[Flag, ...]
    imputed: Mapping[str, Value]
    data_version: str
    last_sale: date
    market_shift: float
    level_id: str | None
    drivers: Drivers
    comparables: tuple[Comparable, ...]
    comparable_value: ComparableValue | None
    trained_through: date | None = None
    ask_next: tuple[AskNext, ...] = ()
    widening: float = 1.0
    worked_out: Mapping[str, Value] = field(default_factory=dict)

    @property
    def placed(self) -> Subject:
        """The home as it was priced: with the areas worked out."""
        return replace(self.subject, facts={**self.subject.facts, **self.worked_out})

    @property
    def promised(self) -> int | None:
        """The confidence, None where no test tells what it is worth: the one figure of it that leaves the house."""
        return promised(self.confidence, self.held)


@dataclass(frozen=True)
class Refused:
    """No estimate because facts are impossible; ``message`` names them and says what to do.

    ``faults`` is empty in an answer stored by an earlier release. ``missing`` are facts that a price needs besides.
    """

    message: str
    faults: tuple[FactFault, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class LiveMarket:
    """What prices a market: the model's bundle, the live model, and the latter's data version and stored level.

    ``notices`` are the open drift alerts; each flags the estimates it concerns. ``scope`` is signed or proposed; None
    means the standard prices. Distances are written as ``area_unit`` has it. Where they were worked out in advance,
    ``learned`` is the likeness, ``known_figures`` are the area figures, ``known_around`` the figures of the homes
    around, ``known_where`` is what the sales tell about where homes lie, and ``known_parts``
    which facts add up to their size.
    """

    bundle: Bundle
    live_model: LiveModel
    version_id: str
    level_id: str | None
    notices: tuple[DriftNotice, ...] = ()
    scope: GoverningScope | None = None
    learned: Likeness | None = None
    known_figures: frozenset[str] | None = None
    area_unit: str = "sqm"
    known_where: Whereabouts | None = None
    known_parts: SizeParts | None = None
    known_around: frozenset[str] | None = None

    @cached_property
    def likeness(self) -> Likeness | None:
        """About how the live model values homes, learned at the first question; None if it keeps no sales."""
        if self.learned is not None:
            return self.learned
        return likeness_of(self.live_model) if has_evidence(self.live_model.model) else None

    @cached_property
    def area_figures(self) -> frozenset[str]:
        """The facts that describe an area and not a home, which no agent can find out."""
        if self.known_figures is not None:
            return self.known_figures
        return area_figures(self.live_model.model, self.live_model.sales)

    @cached_property
    def untold(self) -> frozenset[str]:
        """The facts that no agent can find out about a home: figures of its area and of the homes around it."""
        around = self.known_around
        if around is None:
            around = figures_around(self.live_model.model.facts, self.live_model.sales)
        return self.area_figures | around

    @cached_property
    def where(self) -> Whereabouts:
        """What the sales tell about where homes lie."""
        return self.known_where or whereabouts(self.live_model.model, self.live_model.sales)

    @cached_property
    def size_parts(self) -> SizeParts:
        """The facts that add up to the living area in the market's sales."""
        return self.known_parts or size_parts(self.live_model.model.facts, self.live_model.sales)

    def placed(self, subject: Subject) -> Subject:
        """Return a home with the areas that are not given, as far as its coordinates tell them: so it is priced."""
        return replace(subject, facts={**subject.facts, **self.where.worked_out(subject.facts)})

    def flag_rules(self, problem: Problem) -> FlagRules:
        """Return the basis of the flags of its estimates; build it once for many homes."""
        told = self.untold, self.where, self.area_unit, self.size_parts
        return flag_rules(self.bundle, self.notices, problem, self.scope, *told)

    def prepare(self) -> None:
        """Learn now what the first question would wait for."""
        _ = self.likeness, self.where, self.untold, self.size_parts


def estimate(
    live_market: LiveMarket, facts: Mapping[str, object], as_of: date, problem: Problem, level: float
) -> Estimate | Unavailable:
    """Price one property as of a valuation date with a range at ``level`` (one of problem.estimate.levels).

    Deterministic: the same live market, facts and date give the same answer. Facts are canonical names with values in
    canonical units; blanks mean unknown. Raises ImpossibleProperty for facts no home can have.
    """
    live_model = live_market.live_model
    model = live_model.model
    subject = check_subject(facts, as_of, model, problem)
    withheld = (
        beyond_horizon(as_of, live_model, problem, live_market.bundle.currency)
        or refusal(subject, model, problem, live_market.bundle.currency, live_market.area_unit)
        or outside_signed_scope(subject, live_market)
    )
    if withheld is not None:
        return withheld
    worked = _work(live_market, live_market.placed(subject))
    homes = take(worked.beside.homes, np.zeros(len(worked.matrix), dtype=np.int64))
    levels = judged_with(level, problem)
    answers = live_model.priced(homes, worked.matrix, worked.centre, levels, problem.success.tolerance)
    main = some_of(answers[problem.estimate.level], np.array([0]))
    if too_wide(main, problem).any():
        return range_refusal(answers_of(main)[0], problem)
    return _explained(live_market, subject, worked, answers[level], problem)


def _explained(
    live_market: LiveMarket, subject: Subject, worked: _Worked, answers: Priced, problem: Problem
) -> Estimate:
    """Return the estimate of one home with its reasons; ``answers`` are its price, then that with each fact asked."""
    priced = some_of(answers, np.array([0]))
    bundle, live_model, level = live_market.bundle, live_market.live_model, priced.level
    model, home, log_price = live_model.model, worked.beside.homes, worked.log_price
    [placed] = worked.beside.subjects
    [figures] = answers_of(priced)
    exact, fsd = float(priced.exact[0]), float(priced.fsd[0])
    comparables = worked.comparables
    in_use = {one.sale_id: 1.0 for one in comparables[:IN_USE]}
    together = reconcile(comparables, in_use, exact, fsd, figures.low, figures.high)
    answer = replace(figures, comparables=together, own_sale=next((one for one in comparables if one.own), None))
    rules = live_market.flag_rules(problem)
    segment, held = rules.record_of(placed, level, str(priced.segments[0]), answer.point)
    kept = rules.kept(answer.confidence)
    [explained] = drivers(worked.beside, log_price, priced.exact, priced.point)
    return Estimate(
        subject=subject,
        currency=bundle.currency,
        low=answer.low,
        high=answer.high,
        point=answer.point,
        exact=exact,
        level=level,
        held=held,
        segment=segment,
        confidence=answer.confidence,
        confidence_word=confidence_word(worth(answer.confidence, kept, segment), problem),
        kept=kept if held is not None else None,
        fsd=fsd,
        flags=tuple(estimate_flags(placed, answer, rules)),
        imputed=_imputed(placed, model, home, bundle.importance),
        data_version=live_market.version_id,
        last_sale=(live_model.level.as_of - timedelta(days=1)),
        market_shift=worked.shift,
        level_id=live_market.level_id,
        drivers=explained,
        comparables=comparables,
        comparable_value=together,
        trained_through=model.profile.last_sale,
        ask_next=ask_next(worked.questions, half_width(answers)),
        widening=float(live_model.widening(home)[0]),
        worked_out={code: area for code, area in placed.facts.items() if code not in subject.facts},
    )


def judged_with(level: float, problem: Problem) -> tuple[float, ...]:
    """Return the levels to price at: the one asked for, and the main one, by which a range is too wide or not."""
    return tuple(dict.fromkeys((level, problem.estimate.level)))


@dataclass(frozen=True)
class _Worked:
    """A subject priced in one batch with all homes that explain its price.

    ``matrix`` has the features of the subject, then of it with each of ``questions`` known, ``centre`` their log
    estimates; ``log_price`` are those of ``beside.priced``, its own first. ``shift`` is what the market level adds.
    """

    beside: Compared
    questions: Questions
    matrix: Floats
    centre: Floats
    log_price: Floats
    comparables: tuple[Comparable, ...]
    shift: float


def _work(live_market: LiveMarket, subject: Subject) -> _Worked:
    """Price the subject, what could be asked, and the steps to it from a typical home and from each comparable."""
    live_model, model = live_market.live_model, live_market.live_model.model
    beside = compared(model, [subject])
    chosen = candidates(live_model, live_market.likeness, beside.homes, groups_of(model))
    homes, count = stack([*beside.priced, *chosen.homes]), sum(map(size, beside.priced))
    matrix = model.matrix(homes, np.concatenate([np.full(count, -1), chosen.own]))
    never = live_market.untold | never_of_its_type(model, subject.facts) | ONLY_ON_ROLL
    asked, shift = questions(model, matrix[:1], never), live_model.shift(homes)
    rows = np.vstack([matrix, asked.matrix])
    estimates = model.log_estimate(rows, np.append(shift, np.full(len(asked.names), shift[0])))
    log_price, theirs, then = np.split(estimates, [count, len(matrix)])
    found = adjusted(live_model, live_market.likeness, beside.homes, subject.facts, chosen, theirs, float(log_price[0]))
    of_subject = np.vstack([matrix[:1], asked.matrix]), np.append(log_price[0], then)
    return _Worked(beside, asked, *of_subject, log_price, like_enough(found), float(shift[0]))


def confidence_word(confidence: float, problem: Problem) -> str:
    """Return "high", "medium" or "low" by the cut points of the problem statement."""
    if confidence >= problem.estimate.confidence_high:
        return "high"
    return "medium" if confidence >= problem.estimate.confidence_medium else "low"


def days_ahead_max(model: Model, problem: Problem) -> int:
    """Return how many days after its latest sale a market is priced.

    This is as far as its own past was priced in training, at most a year, but at least monitoring.retrain_days: within
    that time a model is not even called stale.
    """
    return max(model.horizon.days, problem.monitoring.retrain_days)


def beyond_horizon(as_of: date, live_model: LiveModel, problem: Problem, currency: str) -> Unavailable | None:
    """Return why there is no price as of a day farther from the latest known sale than the market's past can tell."""
    last = live_model.level.as_of - timedelta(days=1)
    ahead, farthest = (as_of - last).days, days_ahead_max(live_model.model, problem)
    if ahead <= farthest:
        return None
    return Unavailable(
        f"The valuation date {market_day(as_of, currency)} is {days(ahead)} after the latest sale, "
        f"{market_day(last, currency)}. What this market's own past shows reaches {days(farthest)} ahead.",
        f"Choose a date up to {market_day(last + timedelta(days=farthest), currency)}, or have newer sales added.",
        kind=UnavailableKind.DATE,
    )


def before_first_sale(as_of: date, model: Model, currency: str) -> Unavailable | None:
    """Return why there is no price as of a day more than a year before the first sale the model knows."""
    first = model.profile.first_sale
    if (first - as_of).days <= _DAYS_BEFORE:
        return None
    return Unavailable(
        f"The valuation date {market_day(as_of, currency)} is more than a year before the first sale the model knows, "
        f"{market_day(first, currency)}.",
        "Choose a later valuation date.",
        kind=UnavailableKind.DATE,
    )


def refusal(subject: Subject, model: Model, problem: Problem, currency: str, area_unit: str) -> Unavailable | None:
    """Return why there is no price: too early a date, missing facts, a home unlike all sold, an unknown place."""
    if (early := before_first_sale(subject.as_of, model, currency)) is not None:
        return early
    placed = (
        bool({*model.facts.area_codes} & {*subject.facts})
        or _is_located(subject, model)
        or _wider_known(subject, model)
    )
    if missing := missing_facts(model, problem, subject.facts, placed):
        return Unavailable(*missing_words(missing, model), kind=UnavailableKind.FACTS, missing=missing)
    if (unlike := unlike_all_sales(subject.facts, model, problem, currency, area_unit)) is not None:
        field, reason, remedy = unlike
        return Unavailable(reason, remedy, kind=UnavailableKind.UNLIKE, field=field)
    return _place_refusal(subject, model, problem, area_unit)


def outside_signed_scope(subject: Subject, live_market: LiveMarket) -> Unavailable | None:
    """Return why there is no price for a home of a type or area that the signed scope leaves out."""
    scope = live_market.scope
    if scope is None or scope.basis is not ScopeBasis.SIGNED:
        return None
    found = left_out(subject.facts, scope, live_market.where, known_types(live_market.live_model.model))
    if found is None:
        return None
    decides = "A manager decides on the Evaluation page where the model is used."
    return Unavailable(
        f"{found.clause} is outside the scope signed for this model.",
        " ".join(filter(None, (found.remedy, decides))),
        kind=UnavailableKind.SCOPE,
        field=found.field,
    )


def too_wide(priced: Priced, problem: Problem) -> Bools:
    """Return which ranges reach too far to be a price, shape (n,): by estimate.half_width_max."""
    return half_width(priced) > problem.estimate.half_width_max


def range_refusal(answer: Answer, problem: Problem) -> Unavailable:
    """Return why an estimate of so wide a range is no price; ``answer`` is of the level of the problem statement."""
    limit, reach = percent(problem.estimate.half_width_max), reach_words(answer.low, answer.high, answer.point)
    half = percent((answer.high - answer.low) / (2 * answer.point))
    return Unavailable(
        f"The range would be wider than ±{limit}: its {percent(problem.estimate.level)} range reaches from {reach}, "
        f"±{half} on average.",
        "Complete the facts, or have the home appraised.",
        kind=UnavailableKind.RANGE,
    )


def _place_refusal(subject: Subject, model: Model, problem: Problem, area_unit: str) -> Unavailable | None:
    codes = [name for name in model.facts.area_codes if name in subject.facts]
    known = any(subject.facts[name] in model.profile.area_codes[name] for name in codes) or _wider_known(subject, model)
    if _is_located(subject, model):
        limit = problem.estimate.market_km
        away = nearest_sale_km(model, subject.facts, limit)
        if away > limit:
            return Unavailable(
                f"The location is outside the market: {distance(away, area_unit)} from the nearest sale the model "
                f"knows; the limit is {distance(limit, area_unit)}.",
                "Check latitude and longitude.",
                kind=UnavailableKind.FACTS,
            )
        return None
    if known:
        return None
    return Unavailable(*unknown_place_words(codes, subject.facts, model), kind=UnavailableKind.FACTS)


def _is_located(subject: Subject, model: Model) -> bool:
    return model.facts.located and {*COORDINATES} <= {*subject.facts}


def _wider_known(subject: Subject, model: Model) -> bool:
    """Tell whether the model knows sales in a wider area of the subject, named by its codes."""
    evidence = evidence_of(model)
    if model.facts.located or evidence is None:
        return bool(wider_area(subject.facts, model))
    return evidence.knows(area_levels(subject.columns(model.facts), model.facts))


def _imputed(subject: Subject, model: Model, filled: Columns, ranking: Sequence[Importance]) -> dict[str, Value]:
    """Return what is assumed of a home, first what moves the market's prices most."""
    # One of the two places no home: both are assumed.
    coordinates = COORDINATES if model.facts.located and not _is_located(subject, model) else ()
    known = {*subject.facts, *never_of_its_type(model, subject.facts)} - {*coordinates}
    return {
        name: float(filled[name][0])
        for name in by_importance((*model.facts.numeric, *coordinates), ranking)
        if name not in known | ONLY_ON_ROLL and np.isfinite(filled[name][0])
    }
