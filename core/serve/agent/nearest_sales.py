"""The sales nearest to a home that has no estimate: where a comparative market analysis starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from core.errors import ImpossibleProperty
from core.prepare.features.facts import COORDINATES
from core.problem import Problem
from core.serve.comparables import Comparable, unadjusted
from core.serve.drivers import compared
from core.serve.estimate import LiveMarket
from core.serve.fact_groups import wider_area
from core.serve.review.nearest import nearest_sale_km
from core.serve.subject import Subject, check_subject
from core.train.model import Model, has_evidence


def nearest_sales(
    live_market: LiveMarket, facts: Mapping[str, object], as_of: date, problem: Problem
) -> tuple[Comparable, ...]:
    """Return the sales most like a home, unadjusted; none for a home at no known place or with impossible facts.

    Of a home known by its area alone, nobody knows how far away they are. There is none where the
    market's nearest sale is farther away than it may be for a price.
    """
    live_model = live_market.live_model
    try:
        subject = check_subject(facts, as_of, live_model.model, problem)
    except ImpossibleProperty:
        return ()
    if not has_evidence(live_model.model) or not _placed(subject, live_model.model):
        return ()
    located, farthest = {"latitude", "longitude"} <= set(subject.facts), problem.estimate.market_km
    if (
        located
        and live_model.model.facts.located
        and nearest_sale_km(live_model.model, subject.facts, farthest) > farthest
    ):
        return ()
    found = unadjusted(live_model, live_market.likeness, compared(live_model.model, [subject]).homes)
    # Of an unusual home, the sale most like it may be at the other end of the market: it is what there is.
    return tuple(one if located else replace(one, distance_km=None) for one in found)


def _placed(subject: Subject, model: Model) -> bool:
    """Tell whether it is known where a home is."""
    codes = (subject.facts.get(code) in model.profile.area_codes[code] for code in model.facts.area_codes)
    return any(codes) or {*COORDINATES} <= set(subject.facts) or bool(wider_area(subject.facts, model))
