"""How a home's facts are named and written: labels with the market's units, values as people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.collect.address_words import ABBREVIATIONS, DESIGNATORS, DIRECTIONS, SHORT_DIRECTIONS
from core.collect.cells.amounts import read_amount
from core.collect.cells.typed import read_typed
from core.schema import FIELD_BY_NAME, ONLY_ON_ROLL, FieldKind, is_extra, label_of, own_unit, unit_of
from core.serve.ask_next import AskNext
from core.serve.estimate import Estimate, Refused
from core.serve.flags import BEFORE_ALL
from core.serve.reading.facts import Unread, read_text, split_unit
from core.serve.review.places import AREAS_CONTRADICTED, CONTRADICTED
from core.serve.review.sizes import LARGER, SMALLER
from core.train.bundle import ABOVE, BELOW
from core.train.model import SOLD_SOON
from core.train.ranges import EVERYWHERE
from core.train.unknown_facts import GROUPS
from core.wording import (
    Conventions,
    area,
    area_label,
    count,
    days,
    degrees,
    from_sqft,
    market_day,
    marks,
    money,
    percent,
    to_sqft,
)

YES: Final = "Yes"
NO: Final = "No"
FLAG_WORDS: Final = (NO, YES)
_COUNTED: Final = {"bedrooms": "bedroom", "bathrooms": "bathroom"}
_POINTS: Final = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+")
_HEADLINE: Final = ("address", "zipcode", "neighbourhood", "property_type", "living_area_sqft", "bedrooms", "bathrooms")


def has_marks(name: str) -> bool:
    """Tell whether a fact is an area or an amount of money, which is read easily only with thousands marks."""
    return unit_of(name) in ("sqft", "money")


def typed(name: str, text: str, market: Conventions) -> float | str:
    """Read what was typed for an area or an amount into its canonical unit, by core's one reader of typed numbers.

    "424,000", "424 000", "424.000" and "424000" are one number; an area may name its own unit, as "0.25 acre" does. A
    text that is no number is returned as it is, so that the check of the home's facts names it.
    """
    number = typed_number(name, text, market)
    return text if math.isnan(number) else canonical(name, number, market)


def typed_number(name: str, text: str, market: Conventions) -> float:
    """Read what was typed for an area or an amount, in the unit that this market enters; NaN where it is none."""
    if not split_unit(name, text)[1]:
        return typed_amount(text)
    read = read_text(name, text, None)
    return math.nan if isinstance(read, Unread) else round(from_sqft(read, market.area_unit), 2)


def typed_amount(text: str) -> float:
    """Read what a person typed for an area or an amount of money; NaN where it is no number.

    "424.000" is 424 thousand, for nobody types an amount to the thousandth; "$424k" is the same.
    """
    body = text.strip()
    number = read_typed(body.replace(".", "") if _POINTS.fullmatch(body) else body)
    return number if math.isfinite(number) else read_amount(body, ".", ",")


def test_sales_words(segment: str, n: int, currency: str) -> str:
    """Say which test sales a range was measured on: "1,020 similar test sales", or those with as many facts."""
    if segment == SOLD_SOON:
        return f"{count(n, 'test sale', currency=currency)} of {segment}"
    if segment in GROUPS:
        return f"{count(n, 'test sale', currency=currency)} with about as many facts known, the rest hidden"
    if segment == EVERYWHERE:
        return f"{count(n, 'test sale', currency=currency)} of this market"
    return count(n, "similar test sale", currency=currency)


@dataclass(frozen=True)
class FellShort:
    """A promise of which surely too little came true in use: the shares promised and come true, and of how many."""

    promised: float
    came_true: float
    n: int


@dataclass(frozen=True)
class InUse:
    """What of the live model's promises fell short in use; None for a promise that holds, or that nobody can judge."""

    range: FellShort | None = None
    confidence: FellShort | None = None

    def agent_words(self, tolerance: str, currency: str) -> str:
        """Say to an agent what ranges and confidences came to of late, "" where both hold.

        "In use: of 242 homes sold since, ranges like this held 64%, not 80%; 48% sold within 10%, where 65% were
        promised: read the confidence as 17 points lower."
        """
        found = []
        if self.range is not None:
            found.append(f"ranges held {percent(self.range.came_true)}, not {percent(self.range.promised)}")
        if self.confidence is not None:
            came, promised = percent(self.confidence.came_true), percent(self.confidence.promised)
            less = f"{100 * (self.confidence.promised - self.confidence.came_true):.0f} points"
            found.append(
                f"{came} sold within {tolerance} of the estimate where {promised} were promised, so read a confidence "
                f"as {less} lower"
            )
        if not found:
            return ""
        n = max(one.n for one in (self.range, self.confidence) if one is not None)
        return f"In use: of {count(n, 'home', currency=currency)} sold since, {'; '.join(found)}."


def record_words(estimate: Estimate) -> str:
    """Say how often ranges like this held: "80% range; held 79% of 398 similar test sales", or why nobody knows."""
    level, held = f"{percent(estimate.level)} range", estimate.held
    if held is not None:
        sales = test_sales_words(estimate.segment, held.n, estimate.currency)
        ahead = ", none priced this far ahead" if widening_words(estimate) else ""
        return f"{level}; held {percent(held.share)} of {sales}{ahead}"
    if estimate.segment in _BEYOND:
        return f"{level}; no test sale was priced this {_BEYOND[estimate.segment]}, so it has no record"
    if estimate.segment in (CONTRADICTED, AREAS_CONTRADICTED):
        return f"{level}; {estimate.segment}, so it has no record"
    if estimate.segment == BEFORE_ALL:
        return f"{level}; no test sale was sold so early, so it has no record"
    if estimate.segment in (LARGER, SMALLER):
        return f"{level}; it is {estimate.segment}, so it has no record"
    return f"{level}; too few sales were tested for a record"


_BEYOND: Final = {ABOVE: "high", BELOW: "low"}


def confidence_words(estimate: Estimate, tolerance: str) -> str:
    """Say what a confidence promises, and how often the same promise was kept.

    "69 of 100 such homes should sell within 10% of it; of 358 test sales promised 60 to 69, 69% did." Where fewer did
    than any of them was promised, it says which figure to count on. A home beyond the tests is promised nothing.
    """
    if estimate.promised is None:
        return UNPROVEN
    promise = f"{estimate.promised} of 100 such homes should sell within {tolerance} of it"
    if estimate.kept is None:
        return promise
    tenth = 10 * min(estimate.confidence // 10, 9)
    sales = count(estimate.kept.n, "test sale", currency=estimate.currency)
    last = tenth + 9 if tenth < _TOP_TENTH else 100
    came = round(100 * estimate.kept.share)
    if came < tenth:
        return f"{promise} by the model, but of {sales} promised {tenth} to {last} only {came}% did: count on {came}"
    return f"{promise}; of {sales} promised {tenth} to {last}, {came}% did"


UNPROVEN: Final = "no test tells how many such homes sell near it"
"""The words for a home without a confidence, because nothing like it was tested."""
_TOP_TENTH: Final = 90


def ask_next_words(asked: Sequence[AskNext]) -> tuple[str, ...]:
    """Say what each fact would bring, one that can be found out: "grade (from ±22% to about ±16% if usual)".

    That is what a usual answer brings: an unusual one may widen the range.
    """
    return tuple(
        f"{_asked(one.name)} (from ±{percent(one.now)} to about ±{percent(one.then)} if usual)"
        for one in asked
        if one.name not in ONLY_ON_ROLL
    )


def _asked(name: str) -> str:
    # A market's own fact is named as on the form: in small letters, "regionname" would read as an error.
    if is_extra(name):
        return label_of(name)
    return inside_sentence(_PLACE if name == "coordinates" else label_of(name))


_BEST: Final = {"condition": 5, "view": 4, "school_rating": 5}
_PLACE: Final = "Exact place by coordinates"

_SCALES: Final = {
    "condition": "1 is poor, 3 average, 5 very good.",
    "view": "0 is no view, 4 an excellent one.",
    "zoning": "The code of the zoning plan, such as R3.",
    "latitude": "In degrees; north of the equator is above zero.",
    "longitude": "In degrees; west of Greenwich is below zero.",
    "year_renovated": "Leave it blank if the home was never renovated.",
}


def inside_sentence(label: str) -> str:
    """Write a label as it stands inside a sentence: "Year built" is "year built", "HOA fee" stays."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def scale_of(name: str) -> str | None:
    """Say what the values of a fact mean, None where its label says enough."""
    return _SCALES.get(name)


def is_flag(name: str) -> bool:
    """Tell whether the fact is a yes/no field of the canonical record."""
    field = FIELD_BY_NAME.get(name)
    return field is not None and field.kind is FieldKind.FLAG


def labelled(name: str, market: Conventions) -> str:
    """Return the fact's label with the unit it is entered in: "Living area (m²)"."""
    match unit_of(name):
        case "sqft":
            return f"{label_of(name)} ({area_label(market.area_unit)})"
        case "money":
            return f"{label_of(name)} ({market.currency})"
    return label_of(name)


def words(code: str) -> str:
    """Write a category's code in words: "single_family" is "Single family"."""
    text = code.replace("_", " ")
    return text[:1].upper() + text[1:]


def shown(name: str, value: float, market: Conventions) -> float:
    """Convert a canonical number to the form this market enters: areas in its unit, rounded to whole numbers."""
    return float(round(from_sqft(value, market.area_unit))) if unit_of(name) == "sqft" else value


def canonical(name: str, value: float, market: Conventions) -> float:
    """Convert a number entered in the market's unit to the canonical unit."""
    return to_sqft(value, market.area_unit) if unit_of(name) == "sqft" else value


def fact_value(name: str, value: object, market: Conventions) -> str:
    """Write a fact's canonical value: "1,680 sq ft", "1939", "3 bedrooms", "No", "Single family"."""
    if not isinstance(value, int | float):
        return words(str(value)) if name == "property_type" else str(value)
    if name in _COUNTED:
        return f"{_number(value)} {_COUNTED[name]}{'' if value == 1 else 's'}"
    if is_flag(name):
        return FLAG_WORDS[value > 0]
    unit = own_unit(name)
    return f"{_measured(value, unit_of(name), market)}{f' {unit}' if unit else ''}"


def name_of_fact(name: str) -> str:
    """Name a fact as its field on the form does, without its unit or scale: "Living area", "Distance"."""
    return label_of(name).partition(" (")[0]


def assumed(name: str, value: object, market: Conventions) -> str:
    """Write an assumed fact as part of a sentence: "lot area 5,000 sq ft", "2 bathrooms", "waterfront: no"."""
    text = fact_value(name, value, market)
    if name in _COUNTED:
        return text
    if name == "view" and value == 0:
        return "no view"
    label, text = inside_sentence(name_of_fact(name)), rated(name, text)
    return f"{label}: {text.lower()}" if is_flag(name) else f"{label} {text}"


def rated(name: str, text: str) -> str:
    """Write the value of a rating with the best there is, "1 of 4"; any other fact's value as it is."""
    return f"{text} of {_BEST[name]}" if name in _BEST and text.replace(".", "").isdigit() else text


def flag_field(name: str, market: Conventions) -> str:
    """Name a flag's field with the unit of its texts, which is canonical."""
    if name == "estimate":
        return f"Estimate ({market.currency})"
    if name not in FIELD_BY_NAME and not is_extra(name):
        return name[:1].upper() + name[1:]
    return f"{label_of(name)} (sq ft)" if unit_of(name) == "sqft" else label_of(name)


def headline(facts: Mapping[str, object], market: Conventions) -> str:
    """Name a home by its known facts, the most telling first: "98103 · 1,680 sq ft · 3 bedrooms"."""
    known = [fact_value(name, facts[name], market) for name in _HEADLINE if facts.get(name) is not None]
    return " · ".join(known) or "Home without facts"


_SHORT: Final = {"bedrooms": "bd", "bathrooms": "ba"}


# Of other street words, such as "Park", the short form is no plain reading.
_TYPES: Final = frozenset(
    ["ALY", "AVE", "BLVD", "CIR", "CRES", "CT", "DR", "HWY", "LN", "PDE", "PKWY", "PL", "RD", "SQ", "ST", "TER", "TRL"]
)
_STREET_TYPES: Final = {spelling: short.capitalize() for spelling, short in ABBREVIATIONS.items() if short in _TYPES}


def readable_address(address: str) -> str:
    """Write an address in one way, whatever its source wrote.

    "180 N. MIRAGE COURT" and "180 north mirage ct" are "180 N Mirage Ct"; a name such as "Court" in "9 Court Rd" stays.
    """
    parts = [part.rstrip(".") for part in address.split()]
    if address in (address.upper(), address.lower()):
        parts = [part.upper() if part.upper() in SHORT_DIRECTIONS else part.capitalize() for part in parts]
    start, kind = _street(parts)
    if kind - start > 1 and (_bare(parts[kind]) in DIRECTIONS or parts[kind].isdigit()):
        _shorten(parts, kind, DIRECTIONS)
        kind -= 1
    if kind > start and _bare(parts[kind]) in _STREET_TYPES:
        _shorten(parts, kind, _STREET_TYPES)
        if kind - start > 1:
            _shorten(parts, start, DIRECTIONS)
    return " ".join(parts)


def _street(parts: Sequence[str]) -> tuple[int, int]:
    """Return the places of the first and last word of the street: after the house number, before a unit or a comma."""
    start = 1 if parts and parts[0][:1].isdigit() else 0
    for place in range(start, len(parts)):
        if parts[place].startswith("#") or parts[place].upper() in DESIGNATORS:
            return start, place - 1
        if parts[place].endswith(","):
            return start, place
    return start, len(parts) - 1


def _bare(part: str) -> str:
    return part.rstrip(",.").upper()


def _shorten(parts: list[str], place: int, forms: Mapping[str, str]) -> None:
    """Put the short form of a word in its place, where it has one; a comma behind it stays."""
    comma = "," if parts[place].endswith(",") else ""
    parts[place] = forms.get(_bare(parts[place]), parts[place].rstrip(",")) + comma


def short_line(facts: Mapping[str, object], market: Conventions) -> str:
    """Name a home in a line short enough for a phone: "1,680 sq ft · 3 bd · 2 ba · condo"; its area without a size."""
    known = {name: facts[name] for name in ("living_area_sqft", *_SHORT) if facts.get(name) is not None}
    parts = [
        f"{_number(value)} {_SHORT[name]}"
        if name in _SHORT and isinstance(value, int | float)
        else fact_value(name, value, market)
        for name, value in known.items()
    ]
    if not parts:
        return headline(facts, market)
    kind = facts.get("property_type")
    return " · ".join([*parts, kind.replace("_", " ")] if isinstance(kind, str) else parts)


def refused_words(refused: Refused) -> str:
    """Say which facts cannot be right: of one also why and what to do, of several only which; and what is missing."""
    names = list(dict.fromkeys(label_of(fault.field).lower() for fault in refused.faults))
    missing = [label_of(name).lower() for name in refused.missing]
    lacking = f" A price also needs: {', '.join(missing)}." if missing else ""
    if len(names) < 2:
        return f"{refused.message}{lacking}"
    return f"{len(names)} facts cannot be right: {', '.join(names)}.{lacking} See each field."


def sales_through(estimate: Estimate) -> str:
    """Name the latest sales behind an estimate: the model's and, if there is a market level, the level's.

    "Model trained on sales through 28 Feb 2015; market level through 12 May 2015."
    """
    parts = []
    if estimate.trained_through is not None:
        parts.append(f"model trained on sales through {market_day(estimate.trained_through, estimate.currency)}")
    if estimate.level_id is not None:
        parts.append(f"market level through {market_day(estimate.last_sale, estimate.currency)}")
    return f"{words('; '.join(parts))}." if parts else ""


def widening_words(estimate: Estimate) -> str:
    """Say by how much a range is wider for the days since the latest sale; "" if it is not."""
    if estimate.widening < 1.005:
        return ""
    ahead = (estimate.subject.as_of - estimate.last_sale).days
    return f"{percent(estimate.widening - 1)} wider, because it is valued {days(ahead)} after the latest sale"


def look_back_words(estimate: Estimate) -> str:
    """Say that an estimate is of a day before sales that the model learned from; "" for any other day."""
    through = estimate.trained_through
    if through is None or estimate.subject.as_of >= through:
        return ""
    return f"this looks back: the model has learned from later sales, through {market_day(through, estimate.currency)}"


def _measured(value: float, unit: str, market: Conventions) -> str:
    match unit:
        case "sqft":
            return area(value, market.area_unit, market.currency)
        case "money":
            return money(value, market.currency)
        case "year":
            return f"{value:.0f}"
        case "degrees":
            return degrees(value)
    return marks(_number(value), market.currency)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{value:z,.2f}".rstrip("0").rstrip(".").replace("-", "−")
