"""What of an estimate a seller may see where figures of the neighborhood are left out: all but those, nowhere named.

Such figures (crime, schools, walkability, income, who lives nearby) steer buyers and sellers between areas, which fair
housing law forbids agents to do. They still count in the price, as part of the location.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from core.prepare.features.columns import Columns
from core.schema import NEIGHBOURHOOD_FIELDS, is_extra
from core.serve.drivers import Driver, Drivers
from core.serve.estimate import Estimate
from core.serve.fact_groups import FactGroup, group_of, is_fixed
from core.serve.subject import Value

_FIELDS: Final = frozenset(field.name for field in NEIGHBOURHOOD_FIELDS)
# A market's own columns are about a neighborhood, too, where a word of their name begins like one of these.
_WORDS: Final = re.compile(
    r"(?<![a-z])(?:crim|violen|theft|burglar|police|safety|school|pupil|student|walk(?!_?in)|transit|incom|wage|salar|poverty|"
    r"poor|unemploy|employ|jobless|welfare|popul|ppltn|demogr|census|rac(?:e|ial)(?![a-z])|ethni|minorit|divers|hispan|"
    r"latin|black|white|asian|afric|native|indigen|relig|church|mosque|synagog|languag|foreign|immigr|migra|nation|"
    r"househ|hshld|educ|edctn|college|degree|dgre|bachelor|bchlr|graduat|literac|disab|gender|female|male|marri|marital|"
    r"child|elder|senior|depriv|imd(?![a-z])|gini|median_age|renter|tenant)"
)


def neighborhood_facts(
    names: Iterable[str], area_figures: frozenset[str] | None, sales: Columns | None
) -> frozenset[str]:
    """Return which of these facts are figures of a neighborhood.

    These are the canonical ones, ``area_figures`` (the market's own columns with one value in each area), its other
    columns of that kind, and those named like such a figure. Without a model to ask (None), every column of a market's
    own counts as one.
    """
    own = {name for name in names if is_extra(name)}
    if area_figures is None:
        return _FIELDS | own
    found = {name for name in own if _WORDS.search(name.casefold())}
    return _FIELDS | area_figures | found | {name for name in own - found if sales and _is_fixed(name, sales)}


def without_figures(estimate: Estimate, figures: frozenset[str]) -> Estimate:
    """Return the estimate with these facts neither given, assumed, flagged, asked for nor named as a reason."""
    return replace(
        estimate,
        subject=replace(estimate.subject, facts=_without(estimate.subject.facts, figures)),
        imputed=_without(estimate.imputed, figures),
        flags=tuple(flag for flag in estimate.flags if flag.field not in figures),
        drivers=_folded(estimate.drivers, figures, frozenset(map(group_of, figures & estimate.imputed.keys()))),
        comparables=tuple(replace(one, facts=_without(one.facts, figures)) for one in estimate.comparables),
        ask_next=tuple(one for one in estimate.ask_next if one.name not in figures),
    )


def _without(facts: Mapping[str, Value], figures: frozenset[str]) -> dict[str, Value]:
    return {name: value for name, value in facts.items() if name not in figures}


def _folded(drivers: Drivers, figures: frozenset[str], assumed: frozenset[FactGroup]) -> Drivers:
    """Return the drivers without these facts; other facts that hold some of them become part of the location."""
    place, kept = 0.0, []
    found_place: Driver | None = None
    for driver in drivers.items:
        facts = tuple(fact for fact in driver.facts if fact.name not in figures)
        holds = len(facts) < len(driver.facts) or (driver.group in assumed and not facts)
        if driver.group is FactGroup.PLACE:
            place, found_place = place + driver.amount, replace(driver, facts=facts)
        elif driver.group is FactGroup.OTHER and holds:
            place, found_place = place + driver.amount, found_place or Driver(FactGroup.PLACE, 0.0, ())
        else:
            kept.append(replace(driver, facts=facts))
    if found_place is not None:
        kept.append(replace(found_place, amount=place))
    return replace(drivers, items=tuple(sorted(kept, key=lambda one: -abs(one.amount))))


def _is_fixed(name: str, sales: Columns) -> bool:
    codes = [code for code in ("zipcode", "neighbourhood") if code in sales]
    return name in sales and any(is_fixed(sales[name], sales[code]) for code in codes)
