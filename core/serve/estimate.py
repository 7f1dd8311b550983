"""One property in, one answer out: an estimate with range, confidence and flags, or the reason there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from core.prepare.evidence import MarketEvidence
from core.problem import PriceScope, Problem
from core.schema import label_of
from core.serve.flags import Answer, Flag, answer_flags, subject_flags
from core.serve.subject import Subject, Value, check_subject
from core.train.bundle import Bundle, Held
from core.train.model import Model
from core.train.ranges import EVERYWHERE

UNAVAILABLE: Final = "Price estimate unavailable. Use comparative market analysis instead."


@dataclass(frozen=True)
class Estimate:
    """What an agent gets: money in ``currency``, rounded as said; ``confidence`` 0 to 100.

    The range is meant to hold ``level`` of the sales; ``held`` is what it did on test sales of the same segment.
    ``confidence`` is the calibrated probability in percent that the sale price falls within 10 % of the point, ``fsd``
    the forecast standard deviation as a share of the point. ``imputed`` maps facts not given to what was assumed.
    """

    subject: Subject
    currency: str
    low: float
    high: float
    point: float
    level: float
    held: Held
    segment: str
    confidence: int
    confidence_word: str
    fsd: float
    flags: tuple[Flag, ...]
    imputed: Mapping[str, Value]
    data_version: str
    last_sale: date


@dataclass(frozen=True)
class Unavailable:
    """No estimate: ``message`` is the standing advice, ``reason`` why, ``remedy`` what would help."""

    reason: str
    remedy: str
    message: str = UNAVAILABLE


def estimate(
    bundle: Bundle, facts: Mapping[str, object], as_of: date, problem: Problem, level: float
) -> Estimate | Unavailable:
    """Price one property as of a valuation date with a range at ``level`` (one of problem.estimate.levels).

    Deterministic: the same bundle, facts and date give the same answer. Facts are canonical names with values in
    canonical units; blanks are not known. Raises ImpossibleProperty for facts no home can have.
    """
    model = bundle.model
    subject = check_subject(facts, as_of, model.facts, problem)
    refusal = _refusal(subject, model, problem)
    if refusal is not None:
        return refusal
    table = subject.table(model.facts)
    filled = model.fill(table)
    priced = model.price_filled(filled, (level,), problem.success.within)[level]
    point, low, high = float(priced.point[0]), float(priced.low[0]), float(priced.high[0])
    confidence = round(100 * float(priced.confidence[0]))
    answer = Answer(point, low, high, confidence, _area_sales(model, subject))
    segment = str(priced.segments[0])
    held = bundle.held[level]
    # A segment the test sales happened to miss is answered for by the whole test.
    segment = segment if segment in held else EVERYWHERE
    scope = price_scope(bundle, problem)
    return Estimate(
        subject=subject,
        currency=bundle.currency,
        low=low,
        high=high,
        point=point,
        level=level,
        held=held[segment],
        segment=segment,
        confidence=confidence,
        confidence_word=confidence_word(confidence, problem),
        fsd=float(priced.fsd[0]),
        flags=(*subject_flags(subject, model, problem), *answer_flags(answer, scope, problem)),
        imputed=_imputed(subject, model, filled),
        data_version=bundle.version_id,
        last_sale=model.profile.last_sale,
    )


def price_scope(bundle: Bundle, problem: Problem) -> PriceScope:
    """Return the standard price scope: the currency's own, or else quantiles of the market's training prices."""
    fixed = problem.scope.price.get(bundle.currency)
    if fixed is not None:
        return fixed
    quantiles, elsewhere = bundle.model.profile.price_quantiles, problem.scope.elsewhere
    return PriceScope(quantiles[elsewhere.low_quantile], quantiles[elsewhere.high_quantile])


def confidence_word(confidence: float, problem: Problem) -> str:
    """Return "high", "medium" or "low" by the cut points of the problem statement."""
    if confidence >= problem.estimate.confidence_high:
        return "high"
    return "medium" if confidence >= problem.estimate.confidence_medium else "low"


def critical_facts(model: Model, problem: Problem) -> tuple[str, ...]:
    """Return the facts without which this market gives no estimate; those its own sales often lack are not."""
    used = {fact.name: fact.missing_share for fact in model.profile.numeric if fact.name in model.facts.numeric}
    used |= {"location": 0.0}
    share = problem.estimate.critical_missing_share
    return tuple(name for name in problem.estimate.critical if name in used and used[name] <= share)


def _refusal(subject: Subject, model: Model, problem: Problem) -> Unavailable | None:
    for name in critical_facts(model, problem):
        if name != "location" and name not in subject.facts:
            label = label_of(name)
            return Unavailable(f"{label} is missing, and no price follows without it.", f"Enter {label.lower()}.")
    return _place_refusal(subject, model, problem)


def _place_refusal(subject: Subject, model: Model, problem: Problem) -> Unavailable | None:
    codes = [name for name in model.facts.area_codes if name in subject.facts]
    known = any(subject.facts[name] in model.profile.area_codes[name] for name in codes)
    located = model.facts.located and {"latitude", "longitude"} <= set(subject.facts)
    if located:
        distance = _nearest_sale_km(model, subject)
        if distance > problem.estimate.market_km:
            return Unavailable(
                f"The location is outside the market: {distance:,.0f} km from the nearest sale the model knows; the "
                f"limit is {problem.estimate.market_km:g} km.",
                "Check latitude and longitude.",
            )
        return None
    if known:
        return None
    wanted = " or ".join([*(label_of(name).lower() for name in model.facts.area_codes), *_coordinates(model)])
    if codes:
        given = ", ".join(f"{label_of(name).lower()} {subject.facts[name]}" for name in codes)
        return Unavailable(f"The model knows no sale in {given}.", f"Check it, or give {wanted}.")
    return Unavailable("The location is missing, and no price follows without it.", f"Enter {wanted}.")


def _coordinates(model: Model) -> list[str]:
    return ["latitude and longitude"] if model.facts.located else []


def _evidence(model: Model) -> MarketEvidence | None:
    return next((step for _, step in model.features.steps if isinstance(step, MarketEvidence)), None)


def _nearest_sale_km(model: Model, subject: Subject) -> float:
    evidence = _evidence(model)
    if evidence is None:
        return 0.0
    place = model.features.named_steps["derived"].projection_.point(
        float(subject.facts["latitude"]), float(subject.facts["longitude"])
    )
    sales = evidence.index_.tree.data
    return float(np.hypot(sales[:, 0] - place[0], sales[:, 1] - place[1]).min())


def _area_sales(model: Model, subject: Subject) -> float:
    counts = [
        model.profile.area_codes[name].get(str(subject.facts[name]), 0)
        for name in model.facts.area_codes
        if name in subject.facts
    ]
    return float(max(counts, default=np.inf))


def _imputed(subject: Subject, model: Model, filled: pd.DataFrame) -> dict[str, Value]:
    row = filled.iloc[0]
    coordinates = ("latitude", "longitude") if model.facts.located else ()
    return {
        name: float(row[name])
        for name in (*model.facts.numeric, *coordinates)
        if name not in subject.facts and np.isfinite(row[name])
    }
