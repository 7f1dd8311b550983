"""The facts of a home in familiar groups, from size to location; those of its area alone, and those a price needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pandas as pd

from core.prepare.features.columns import Columns
from core.prepare.features.facts import AREA_CODES, COORDINATES, TYPE_HOMES_MIN, FactColumns, FactImputer
from core.prepare.features.own_sales import OWN_SALE
from core.problem import Problem
from core.schema import ASSESSED_RISE, FIELD_BY_NAME, NEIGHBOURHOOD_FIELDS, is_extra, label_of
from core.train.model import Model
from core.wording import area, either

LOCATION: Final = "location"
"""The critical fact that the code of an area or coordinates give."""

_KIND: Final = "property_type"
_RENOVATED: Final = "year_renovated"
_AREA_ROUNDED: Final = 0.01
_NAMED_MAX: Final = 8
# Few sales of a type that lack a fact do so by chance with at most this probability, were they as other homes.
_BY_CHANCE: Final = 0.01
# No price is known of a home this many times larger than the largest sold, or smaller than the smallest. King County,
# learned without its largest homes: 80% ranges held 81% of those up to 1.5 times larger, 61% up to 2, 28% beyond.
# Without its smallest: 81% up to 2 times smaller, 68% beyond. No test home of 20 random splits lay this far out.
_LARGER: Final = 1.5
_SMALLER: Final = 2.0


# Stored answers hold the groups' values, so what a group is called may change only here.
_OWN_LABEL: Final = "This home’s own sale"


class FactGroup(StrEnum):
    """What a difference between two homes is about; the own earlier sale is read against all other facts, so last."""

    SIZE = "living area"
    ROOMS = "bedrooms and bathrooms"
    QUALITY = "quality and condition"
    AGE = "age and renovation"
    PLOT = "lot, garage and view"
    KIND = "type of home"
    OTHER = "other facts"
    PLACE = "location"
    OWN_SALE = "its own earlier sale"

    @property
    def label(self) -> str:
        """The name of the group as a heading, the same on every screen and in the report."""
        return _OWN_LABEL if self is FactGroup.OWN_SALE else self.value[:1].upper() + self.value[1:]


_NEIGHBOURHOOD: Final = frozenset(field.name for field in NEIGHBOURHOOD_FIELDS)
_OF: Final = {
    "living_area_sqft": FactGroup.SIZE,
    "bedrooms": FactGroup.ROOMS,
    "bathrooms": FactGroup.ROOMS,
    "condition": FactGroup.QUALITY,
    "grade": FactGroup.QUALITY,
    "year_built": FactGroup.AGE,
    "year_renovated": FactGroup.AGE,
    ASSESSED_RISE: FactGroup.AGE,
    "lot_area_sqft": FactGroup.PLOT,
    "garage_spaces": FactGroup.PLOT,
    "view": FactGroup.PLOT,
    "waterfront": FactGroup.PLOT,
    "floors": FactGroup.KIND,
    "property_type": FactGroup.KIND,
    "zoning": FactGroup.KIND,
    "units": FactGroup.KIND,
}
# What a market's own columns are about, by a word of their name; the first that fits decides ("sqft_lot15" is the lot).
_WORDS: Final = (
    (
        FactGroup.PLOT,
        frozenset({"lot", "land", "plot", "yard", "garage", "carport", "parking", "pool", "porch"}),
    ),
    (FactGroup.QUALITY, frozenset({"quality", "qual", "condition", "cond", "grade"})),
    (FactGroup.ROOMS, frozenset({"bath", "baths", "bathroom", "bed", "beds", "bedroom", "room", "rooms", "rms"})),
    (FactGroup.AGE, frozenset({"year", "yr", "age", "built", "renovated", "remodeled", "remod"})),
    (FactGroup.SIZE, frozenset({"sqft", "sqm", "sf", "area", "above", "basement", "bsmt", "finished", "living"})),
)
_PLACES: Final = frozenset({"address", *AREA_CODES, *COORDINATES, *(field.name for field in NEIGHBOURHOOD_FIELDS)})


@lru_cache(maxsize=4096)
def group_of(name: str) -> FactGroup:
    """Return the group of a fact; that of a market's own column comes from the words of its name, else other facts."""
    if name in _PLACES or not is_extra(name):
        return FactGroup.PLACE if name in _PLACES else _OF.get(name, FactGroup.OTHER)
    words = frozenset(re.findall(r"[a-z]+", name.casefold()))
    return next((group for group, marks in _WORDS if words & marks), FactGroup.OTHER)


def grouped(facts: FactColumns) -> dict[FactGroup, tuple[str, ...]]:
    """Return the facts a market's model uses by group, in group order, without empty groups."""
    names: dict[FactGroup, list[str]] = {group: [] for group in FactGroup}
    for name in facts.all:
        names[group_of(name)].append(name)
    return {group: tuple(members) for group, members in names.items() if members}


def groups_of(model: Model) -> dict[FactGroup, tuple[str, ...]]:
    """Return what moves a model's estimates by group, in group order: its facts, then a home's own earlier sale."""
    groups = grouped(model.facts)
    return groups | ({FactGroup.OWN_SALE: OWN_SALE} if model.own_effect else {})


def backward(groups: Mapping[FactGroup, tuple[str, ...]]) -> dict[FactGroup, tuple[str, ...]]:
    """Return the groups in reverse order, but with a home's own earlier sale still last."""
    facts = {group: names for group, names in reversed([*groups.items()]) if group is not FactGroup.OWN_SALE}
    return facts | {group: names for group, names in groups.items() if group is FactGroup.OWN_SALE}


def area_figures(model: Model, sales: Columns) -> frozenset[str]:
    """Return the facts that describe an area and not a home, which no agent enters.

    These are the neighborhood fields, and a market's own columns that have one value in each area of its sales.
    """
    own = [name for name in model.facts.numeric if is_extra(name)]
    fixed = [name for name in own if any(is_fixed(sales[name], sales[code]) for code in model.facts.area_codes)]
    return (_NEIGHBOURHOOD & set(model.facts.all)) | set(fixed)


def is_fixed(values: np.ndarray, areas: np.ndarray) -> bool:
    """Tell whether a column has one value in each area, blanks aside, and more than one value in all."""
    known = pd.DataFrame({"value": values, "area": areas}).dropna()
    if known["value"].nunique() < 2:
        return False
    lowest = known.groupby("area", sort=False)["value"].agg(["min", "max"])
    return bool((lowest["min"] == lowest["max"]).all())


def never_of_its_type(model: Model, facts: Mapping[str, object]) -> frozenset[str]:
    """Return the numeric facts that homes of this home's type do not have, as a condo its own lot; none if unknown.

    Of a type with few sales, such as houseboats, these are the facts that none of its sales records and that would
    hardly be missing from all of them by chance.
    """
    kind, kinds = facts.get("property_type"), model.profile.category("property_type")
    homes = 0 if kinds is None else kinds.levels.get(str(kind), 0)
    if not homes:
        return frozenset()
    never: frozenset[str] = model.features.named_steps["facts"].never_of(str(kind))
    if homes >= TYPE_HOMES_MIN:
        return never
    blank = {fact.name: fact.missing_share for fact in model.profile.numeric}
    return frozenset(name for name in never if blank.get(name, 1.0) ** homes < _BY_CHANCE)


def changed_since(sales: Columns, own: int, given: Mapping[str, float | str]) -> frozenset[FactGroup]:
    """Return the groups with a fact that is now entered otherwise than it was recorded at the sale ``own``.

    Its place cannot have changed. What was not entered or not recorded is no change, but for a year of renovation.
    """
    changed = set()
    for name, now in given.items():
        if (group := group_of(name)) is FactGroup.PLACE or name not in sales:
            continue
        before = sales[name][own]
        unknown = bool(pd.isna(before))
        if name == _RENOVATED if unknown else not _same_fact(name, now, before):
            changed.add(group)
    return frozenset(changed)


def _same_fact(name: str, now: float | str, before: Any) -> bool:
    if isinstance(now, str) or isinstance(before, str):
        return str(now) == str(before)
    # An area entered in whole square meters is not quite the one recorded in square feet.
    rounded = _AREA_ROUNDED if name in FIELD_BY_NAME and FIELD_BY_NAME[name].unit == "sqft" else 0.0
    return math.isclose(float(now), float(before), rel_tol=rounded)


def critical_facts(model: Model, problem: Problem) -> tuple[str, ...]:
    """Return the facts this market requires for an estimate, without those its own sales often lack."""
    used = {fact.name: fact.missing_share for fact in model.profile.numeric if fact.name in model.facts.numeric}
    used |= {LOCATION: 0.0}
    share = problem.estimate.critical_missing_share
    return tuple(name for name in problem.estimate.critical if name in used and used[name] <= share)


def missing_facts(model: Model, problem: Problem, facts: Mapping[str, object], placed: bool) -> tuple[str, ...]:
    """Return all facts not given without which there is no price; ``placed`` tells whether the home's place is."""
    lacking = [name for name in critical_facts(model, problem) if name != LOCATION and name not in facts]
    return (*lacking, *([] if placed else [LOCATION]))


def missing_beside(model: Model, problem: Problem, facts: Mapping[str, object]) -> tuple[str, ...]:
    """Return the facts without which there is no price that are blank beside others that cannot be right."""
    given = {name for name, value in facts.items() if value is not None and value != ""}
    placed = bool({*model.facts.area_codes, *AREA_CODES} & given) or {*COORDINATES} <= given
    return missing_facts(model, problem, dict.fromkeys(given), placed)


def missing_words(missing: Sequence[str], model: Model) -> tuple[str, str]:
    """Say which facts are missing, and what to enter: "Living area and location are missing, and there is no …"."""
    names = [LOCATION if name == LOCATION else label_of(name).lower() for name in missing]
    wanted = [either(_place_names(model, ())) if name == LOCATION else name for name in names]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    are = "is missing, and there is no price without it" if len(names) == 1 else _ARE_MISSING
    return f"{listed[:1].upper()}{listed[1:]} {are}.", f"Enter {', and '.join(wanted)}."


def unlike_all_sales(
    facts: Mapping[str, object], model: Model, problem: Problem, currency: str, area_unit: str
) -> tuple[str, str, str] | None:
    """Return the fact by which a home is unlike all homes the model learned from, what is the matter, and what to do.

    That is a property type that none of them has, or an area that a price needs far beyond theirs; else None. The
    market may have sold such a home: some sales are kept for tests, and some came later.
    """
    return _never_sold(facts, model) or next(_far_sizes(facts, model, problem, currency, area_unit), None)


def _never_sold(facts: Mapping[str, object], model: Model) -> tuple[str, str, str] | None:
    given, kinds = facts.get(_KIND), model.profile.category(_KIND)
    if given is None or kinds is None or not kinds.levels or str(given) in kinds.levels:
        return None
    named = [kind.replace("_", " ") for kind in [*kinds.levels][:_NAMED_MAX]]
    return (
        _KIND,
        f"No sale the model learned from has the property type {str(given).replace('_', ' ')}, so it cannot tell what "
        "such a home brings.",
        f"Check the property type; {'those' if len(named) == len(kinds.levels) else 'most'} sold here are: "
        f"{', '.join(named)}.",
    )


def _far_sizes(
    facts: Mapping[str, object], model: Model, problem: Problem, currency: str, area_unit: str
) -> Iterator[tuple[str, str, str]]:
    for fact in model.profile.numeric:
        size = facts.get(fact.name)
        if fact.name not in problem.estimate.critical or fact.unit != "sqft" or not isinstance(size, float):
            continue
        if fact.lowest / _SMALLER <= size <= fact.highest * _LARGER:
            continue
        given, low, high = (area(one, area_unit, currency) for one in (size, fact.lowest, fact.highest))
        label = label_of(fact.name)
        yield (
            fact.name,
            f"{label} {given} is far beyond all homes the model learned from: they have {low} to {high}.",
            f"Check the {label.lower()}.",
        )


_ARE_MISSING: Final = "are missing, and there is no price without them"


def unknown_place_words(codes: Sequence[str], facts: Mapping[str, object], model: Model) -> tuple[str, str]:
    """Say that no sale is known in the areas given by these codes, and what else would place the home."""
    given = ", ".join(f"{label_of(name).lower()} {facts[name]}" for name in codes)
    others = _place_names(model, codes)
    more = f", or give {either(others)}" if others else ""
    checked = " and ".join(label_of(name).lower() for name in codes)
    return f"The model knows no sale in {given}.", f"Check the {checked}{more}."


def wider_area(facts: Mapping[str, object], model: Model) -> str:
    """Return the wider area that places a home without coordinates whose postal code has no sale, "" otherwise."""
    if not model.facts.located or {*COORDINATES} <= {*facts}:
        return ""
    place: FactImputer = model.features.named_steps["facts"]
    return place.wider_area(facts)


def _place_names(model: Model, without: Iterable[str]) -> list[str]:
    """Return the ways to say where a home is, without the areas given."""
    codes = [label_of(name).lower() for name in model.facts.area_codes if name not in without]
    return [*codes, *(["latitude and longitude"] if model.facts.located else [])]
