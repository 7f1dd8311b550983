"""The review flags of an estimate as an agent reads them: what is the matter and what to do, one sentence each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from core.prepare.features.facts import AREA_CODES
from core.schema import label_of, unit_of
from core.serve.flags import COMPLETE
from core.serve.review.flag import GRAVITY, Flag, FlagKind, Severity
from core.wording import count, from_sqft

_AREA: Final = re.compile(r"[\d,]*\d(?:\.\d+)?")
_OF_MARKET: Final = frozenset(
    [
        FlagKind.NOTHING_PROPOSED,
        FlagKind.STALE_MODEL,
        FlagKind.RANGE_HELD_LESS,
        FlagKind.TARGET_MISSED,
        FlagKind.DRIFT_ALERT,
        FlagKind.MODEL_UNVERIFIED,
        FlagKind.MODEL_OUTDATED,
    ]
)
_OUTSIDE: Final = frozenset(
    [
        FlagKind.PRICE_OUT_OF_SCOPE,
        FlagKind.PRICE_UNTESTED,
        FlagKind.LEFT_OUT_OF_SCOPE,
        FlagKind.NOTHING_PROPOSED,
    ]
)
_BEFORE: Final = " before"
_OLD: Final = "The latest sale learned from is some time ago: check against sales of the last three months."
_MOVED: Final = "Prices moved since the last training: check against sales of the last three months."


def advice(flags: Sequence[Flag], area_unit: str = "sqft") -> tuple[str, ...]:
    """Return what to do about the flags, areas in the market's unit: what a person must act on first.

    Of that, what concerns this home comes before what concerns the whole market, the gravest in front. Flags with one
    remedy are one sentence. Facts not given are left out: the answer lists what it assumed, and what to ask next.
    """
    ordered = sorted(flags, key=lambda one: (not _to_act(one), one.kind in _OF_MARKET, GRAVITY[one.kind]))
    left_out = {FlagKind.IMPUTED_FACT}
    if any(one.kind is FlagKind.OWN_SALE_FAR for one in flags):
        # It says of the same sale what the other says, and more.
        left_out.add(FlagKind.SOLD_SOON)
    if any(one.kind is FlagKind.DRIFT_ALERT and one.severity is Severity.REVIEW for one in flags):
        # Prices are known to have moved, so that how old the sales are adds nothing.
        left_out.add(FlagKind.STALE_MODEL)
    shown = [one if area_unit == "sqft" else _in_sqm(one) for one in ordered if one.kind not in left_out]
    return tuple(dict.fromkeys(_SENTENCES[one.kind](one) for one in shown))


def _to_act(flag: Flag) -> bool:
    """Tell whether a person must act on a flag: review the price, or check a fact that may be a slip of the pen."""
    return flag.severity is Severity.REVIEW or flag.kind is FlagKind.OUT_OF_DISTRIBUTION


def _in_sqm(flag: Flag) -> Flag:
    """Return the flag with its areas in square meters; only facts hold areas."""
    if flag.kind is not FlagKind.OUT_OF_DISTRIBUTION or unit_of(flag.field) != "sqft":
        return flag

    def converted(text: str) -> str:
        return _AREA.sub(lambda found: f"{round(from_sqft(float(found[0].replace(',', '')), 'sqm')):,}", text)

    # The limit ends in words with numbers of their own: "409 to 5,454 in 99 of 100 sales".
    usual, inside, share = flag.limit.partition(" in ")
    return replace(flag, value=f"{converted(flag.value)} m²", limit=f"{converted(usual)} m²{inside}{share}")


def senior_first(flags: Iterable[Flag]) -> bool:
    """Tell whether a senior agent should confirm the price before anybody decides on it."""
    return any(one.kind in _OUTSIDE for one in flags)


def in_short(kinds: Iterable[str]) -> str:
    """Return flags, by their kinds as a table holds them, in a few words each: "prices moved; low confidence"."""
    given = [FlagKind(kind) for kind in kinds]
    # Of a file, the kinds alone are known: prices that moved say more than old sales.
    shown = [one for one in given if one is not FlagKind.STALE_MODEL or FlagKind.DRIFT_ALERT not in given]
    return "; ".join(dict.fromkeys(word for one in shown if (word := _SHORT.get(one, one.value))))


def to_review(flags: Sequence[Flag]) -> int:
    """Return how many sentences of ``advice`` a person must act on; they come first."""
    return len(advice([one for one in flags if _to_act(one)]))


def _always(sentence: str) -> Callable[[Flag], str]:
    return lambda flag: sentence


def _drift(flag: Flag) -> str:
    if flag.severity is Severity.REVIEW:
        return _MOVED
    return "The homes priced of late differ from those the model learned from: check the facts you entered."


def _held_less(flag: Flag) -> str:
    return f"Only {flag.value} ended inside such a range ({flag.limit} was promised): leave more room."


def _off(flag: Flag) -> str:
    return f"Estimates were off by {flag.value} (the target is {flag.limit}): check against recent sales."


def _unusual_fact(flag: Flag) -> str:
    unit = " sq ft" if unit_of(flag.field) == "sqft" and not flag.value.endswith("m²") else ""
    name = _name(flag)
    return f"{name} {flag.value}{unit} is unusual here ({flag.limit}): check it; if it is right, ask a senior agent."


def _unknown(flag: Flag) -> str:
    name = _name(flag).lower()
    if flag.field in AREA_CODES:
        return f"The model learned from no sale in {name} {flag.value}. {flag.action}"
    return f"No sale here has the {name} “{flag.value}”: check the word, or ask a senior agent."


def _unusual_type(flag: Flag) -> str:
    return f"Few {flag.value} homes are sold: value it from sales of the same type."


def _left_out(flag: Flag) -> str:
    return f"The model is not reliable for {_name(flag).lower()} {flag.value}: ask a senior agent for the price."


def _units(flag: Flag) -> str:
    return f"It has {count(int(float(flag.value)), 'unit')}: value it by its rental income."


def _wide(flag: Flag) -> str:
    """Ask for more facts only where one is not given that somebody can find out."""
    remedy = "enter more facts, or narrow it" if flag.action == COMPLETE else "compare it"
    return f"The range is wide: {remedy} with sales you know."


def _sold_soon(flag: Flag) -> str:
    when = flag.value.removesuffix(_BEFORE)
    sold = f"It was sold {when} ago" if flag.value.endswith(_BEFORE) else f"It sold for {when}"
    return f"{sold}: ask what was done to it since."


def _own_sale_far(flag: Flag) -> str:
    return f"This home sold for {flag.value}: find out why, and what was done to it since, before you quote a price."


def _disagree(flag: Flag) -> str:
    places, _, away = flag.value.rpartition(": ")
    return f"{places[:1].upper()}{places[1:]} cannot both be right: {away} (the limit is {flag.limit}). Check both."


def _half_place(flag: Flag) -> str:
    return f"{_name(flag)} is {flag.value}: enter both, as one alone does not count."


def _out_of_scope(flag: Flag) -> str:
    return f"The price is outside {flag.limit}: have a senior agent confirm it."


def _nothing_proposed(flag: Flag) -> str:
    return f"{flag.limit[:1].upper()}{flag.limit[1:]}: have a senior agent confirm this one."


def _unproven(flag: Flag) -> str:
    prices = flag.limit.partition(", the ")[0]
    return (
        "At this price the model is not yet shown to be accurate enough, only at "
        f"{prices}, limits that nobody has signed: compare it with sales you know."
    )


def _not_used(flag: Flag) -> str:
    return f"{_name(flag)} is not used: {flag.limit}."


def _parts(flag: Flag) -> str:
    return f"{_name(flag)} {flag.value}: check them, they cannot all be right."


def _name(flag: Flag) -> str:
    return label_of(flag.field).partition(" (")[0]


_SENTENCES: Final[Mapping[FlagKind, Callable[[Flag], str]]] = {
    FlagKind.PLACES_DISAGREE: _disagree,
    FlagKind.HALF_PLACE: _half_place,
    FlagKind.PARTS_DISAGREE: _parts,
    FlagKind.PRICE_OUT_OF_SCOPE: _out_of_scope,
    FlagKind.PRICE_UNTESTED: _always(
        "The price is beyond those the model was tested on: have a senior agent confirm it."
    ),
    FlagKind.PRICE_UNPROVEN: _unproven,
    FlagKind.NOTHING_PROPOSED: _nothing_proposed,
    FlagKind.FACT_NOT_USED: _not_used,
    FlagKind.LEFT_OUT_OF_SCOPE: _left_out,
    FlagKind.OWN_SALE_FAR: _own_sale_far,
    FlagKind.UNUSUAL_TYPE: _unusual_type,
    FlagKind.UNUSUAL_ZONING: _always("The zoning is not residential: the land may be worth more for another use."),
    FlagKind.MULTI_UNIT: _units,
    FlagKind.UNKNOWN_CATEGORY: _unknown,
    FlagKind.OUT_OF_DISTRIBUTION: _unusual_fact,
    FlagKind.FEW_COMPARABLES: _always("Few homes were sold in the area: look for sales around it."),
    FlagKind.WIDE_RANGE: _wide,
    FlagKind.LOW_CONFIDENCE: _always(
        "Confidence is low: compare with sales of similar homes before you quote a price."
    ),
    FlagKind.COMPARABLES_DISAGREE: _always(
        "Comparable sales lie outside the range: drop those that are not like the home, and look again."
    ),
    FlagKind.STALE_MODEL: _always(_OLD),
    FlagKind.RANGE_HELD_LESS: _held_less,
    FlagKind.TARGET_MISSED: _off,
    FlagKind.DRIFT_ALERT: _drift,
    FlagKind.MODEL_UNVERIFIED: _always("An earlier model answers for now: check the price against recent sales."),
    FlagKind.MODEL_OUTDATED: _always("An earlier model answers for now: check the price against recent sales."),
    FlagKind.SOLD_SOON: _sold_soon,
}

_SHORT: Final[Mapping[FlagKind, str]] = {
    FlagKind.PLACES_DISAGREE: "area and place disagree",
    FlagKind.HALF_PLACE: "half a place",
    FlagKind.PARTS_DISAGREE: "areas do not add up",
    FlagKind.PRICE_OUT_OF_SCOPE: "price out of scope",
    FlagKind.PRICE_UNTESTED: "price not tested",
    FlagKind.PRICE_UNPROVEN: "accuracy not shown",
    FlagKind.NOTHING_PROPOSED: "no prices proposed",
    FlagKind.LEFT_OUT_OF_SCOPE: "not reliable here",
    FlagKind.IMPUTED_FACT: "",
    FlagKind.UNKNOWN_CATEGORY: "unknown word",
    FlagKind.OUT_OF_DISTRIBUTION: "unusual fact",
    FlagKind.STALE_MODEL: "old sales",
    FlagKind.RANGE_HELD_LESS: "range too narrow of late",
    FlagKind.TARGET_MISSED: "estimates off of late",
    FlagKind.DRIFT_ALERT: "prices moved",
    FlagKind.MODEL_UNVERIFIED: "earlier model",
    FlagKind.MODEL_OUTDATED: "earlier model",
}
