"""The sentences of the seller's report: how sure the estimate is, and what the agent should look at, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from core.schema import label_of
from core.serve.agent.sale_weights import multipliers, often_words
from core.serve.comparables import IN_USE, Comparable, ComparableValue, adjusted_span, in_use
from core.serve.estimate import Estimate
from core.serve.flags import BEFORE_ALL
from core.serve.report.frame import ReportFrame
from core.serve.review.flag import GRAVITY, Flag, FlagKind, Severity
from core.serve.review.places import AREAS_CONTRADICTED, CONTRADICTED
from core.serve.review.sizes import LARGER, SMALLER
from core.serve.typical_home import WHOLE_MARKET
from core.serve.words import FellShort, readable_address, widening_words
from core.train.bundle import RangeCoverage
from core.train.model import SOLD_SOON
from core.train.ranges import EVERYWHERE
from core.train.unknown_facts import GROUPS
from core.wording import Amounts, Conventions, count, market_day, marks, percent

OWN_SALE: Final = "this home’s own sale"
_LOOK_MAX: Final = 2
_MOVED: Final = "Prices here moved lately: ask your agent for the sales of the last three months."
_UNUSUAL: Final = {FlagKind.UNKNOWN_CATEGORY, FlagKind.OUT_OF_DISTRIBUTION}

_SENTENCES: Final[Mapping[FlagKind, str]] = {
    FlagKind.PLACES_DISAGREE: "What is given of the place of this home does not fit together: please check it.",
    FlagKind.HALF_PLACE: "The place on the map is given only by half, so it does not count: please complete it.",
    FlagKind.PARTS_DISAGREE: "The areas given of this home do not add up: please check them with your agent.",
    FlagKind.PRICE_OUT_OF_SCOPE: "A price like this one is not quoted without a second look: ask for a second opinion.",
    FlagKind.PRICE_UNTESTED: "The price is beyond those the estimate was tested on: ask for a second opinion.",
    FlagKind.PRICE_UNPROVEN: "At such prices the estimate is not yet shown to be accurate enough: look at sales, too.",
    FlagKind.NOTHING_PROPOSED: "Estimates here are not yet shown to be accurate enough: ask for a second opinion.",
    FlagKind.FACT_NOT_USED: "One of the facts given does not count in the estimate: ask your agent what it is worth.",
    FlagKind.LEFT_OUT_OF_SCOPE: "For homes of this kind the estimate is less reliable: ask for a second opinion.",
    FlagKind.OWN_SALE_FAR: "This home itself sold not long ago at a price far from the estimate: ask your agent why.",
    FlagKind.UNUSUAL_TYPE: "Few homes of this type are sold: look at the sales of the same type first.",
    FlagKind.UNUSUAL_ZONING: "The zoning may allow another use, which can change what the land is worth.",
    FlagKind.MULTI_UNIT: "The home has several units: its rents matter for its price, too.",
    FlagKind.FEW_COMPARABLES: "Few homes were sold nearby: sales farther away count, too.",
    FlagKind.WIDE_RANGE: "The range is wide: more facts about the home would narrow it.",
    FlagKind.LOW_CONFIDENCE: "Such homes are harder to price than most: ask what similar homes sold for lately.",
    FlagKind.COMPARABLES_DISAGREE: "The comparable sales point outside the range: look at both.",
    FlagKind.STALE_MODEL: "The latest sales behind it are some time ago: ask your agent for those of the last months.",
    FlagKind.RANGE_HELD_LESS: "Of late, more homes than usual sold outside such a range: leave room on both sides.",
    FlagKind.TARGET_MISSED: "Of late, estimates here were off more than usual: ask your agent for the latest sales.",
    FlagKind.DRIFT_ALERT: _MOVED,
    FlagKind.SOLD_SOON: "The home was sold not long ago: what was done to it since may not be in the figures.",
}
"""What a seller should know of a flag; those of the operator's business are left out."""


def level_words(estimate: Estimate) -> str:
    """Say what the range's level means: "80% range: it aims to hold the sale price of 8 in 10 homes".

    Where no test tells how often such a range holds, it says so.
    """
    if estimate.held is None:
        return f"{percent(estimate.level)} range: no test tells how often such a range holds"
    tenths = 10 * estimate.level
    share = f"{tenths:.0f} in 10" if abs(tenths - round(tenths)) < 1e-9 else f"{100 * estimate.level:.0f} in 100"
    return f"{percent(estimate.level)} range: it aims to hold the sale price of {share} homes"


def how_sure(estimate: Estimate, amounts: Amounts, frame: ReportFrame) -> tuple[str, ...]:
    """Return two or three sentences: how often ranges like this held, how sure the estimate is, and what it is not.

    Our confidence is about the estimate, so that a report of the range alone says nothing of it.
    """
    held, wider = estimate.held, widening_words(estimate)
    if estimate.segment == BEFORE_ALL:
        first = "Our tests cover no day before the first sale we know, so we cannot say how often such a range holds"
    elif estimate.segment == CONTRADICTED:
        first = "The area and the place given do not fit, so we cannot say how often such a range holds"
    elif estimate.segment == AREAS_CONTRADICTED:
        first = "The areas given for it do not fit, so we cannot say how often such a range holds"
    elif estimate.segment in (LARGER, SMALLER):
        first = f"It is {estimate.segment}, so we cannot say how often such a range holds"
    elif held is None:
        first = "No past sale was priced like this one in our tests, so we cannot say how often such a range holds"
    else:
        first = (
            f"Of {_homes(estimate.segment, held.n, estimate.currency)} that were sold, {percent(held.share)} sold "
            "inside a range made like this one"
        )
    first += f"{_far_ahead(held)}; this one is {wider}." if wider else "."
    first += _of_late(frame.in_use.range, "inside its range", frame.currency)
    second = _chance(estimate, amounts, frame.tolerance)
    second += _of_late(frame.in_use.confidence, "that close", frame.currency)
    if held is None:
        second = "Nor do our tests tell how likely such a home sells near its estimate."
    last = (
        "It is a statistical estimate from past sales and not an appraisal: nobody inspected the home for it, and its "
        "condition inside, its surroundings and the way it is marketed can move the price."
    )
    return (first, last) if frame.point_label is None else (first, second, last)


def _far_ahead(held: RangeCoverage | None) -> str:
    return ", none of them priced this far ahead" if held is not None else ""


def _of_late(found: FellShort | None, how: str, currency: str) -> str:
    """Say what came true of a promise with homes sold since, where that is surely less; "" where it holds."""
    if found is None:
        return ""
    homes = count(found.n, "home", currency=currency)
    return (
        f" Lately it was less: of {homes} sold since, {percent(found.came_true)} sold {how}, not the "
        f"{percent(found.promised)} promised."
    )


def _chance(estimate: Estimate, amounts: Amounts, tolerance: float) -> str:
    """Say how likely the home sells near the point; only where the report shows the point."""
    ends = amounts.about(estimate.point * (1 - tolerance)), amounts.about(estimate.point * (1 + tolerance))
    chance = f"the chance that the home sells within {percent(tolerance)} of the estimate, from {ends[0]} to {ends[1]},"
    tested = ""
    if estimate.kept is not None and estimate.kept.n:
        alike = count(estimate.kept.n, "past sale", currency=estimate.currency)
        tested = f" Of {alike} with such a confidence, {percent(estimate.kept.share)} sold that close."
    return f"Our confidence is {estimate.confidence_word}: {chance} is {estimate.confidence} in 100.{tested}"


def to_look_at(flags: Sequence[Flag]) -> tuple[str, ...]:
    """Return at most two things to look at, the gravest of what a person must review."""
    grave = sorted((flag for flag in flags if flag.severity is Severity.REVIEW), key=lambda flag: GRAVITY[flag.kind])
    unusual = list(dict.fromkeys(flag.field for flag in flags if flag.kind in _UNUSUAL))
    lines = (_unusual(unusual) if flag.kind in _UNUSUAL else _SENTENCES.get(flag.kind, "") for flag in grave)
    return tuple(dict.fromkeys(filter(None, lines)))[:_LOOK_MAX]


def _unusual(fields: Sequence[str]) -> str:
    """Name all facts that are unusual here, those too that are only worth a note to the agent."""
    names = [label_of(field).partition(" (")[0].lower() for field in fields]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    are, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return f"The {listed} {are} unusual here: please check {them} with your agent."


def made_from(estimate: Estimate, market: Conventions) -> str:
    """Say what is behind the estimate.

    "Made from the market's past sales, the latest of Oct 30, 2024; 812 of them are in zipcode 98103."
    """
    drivers, latest = estimate.drivers, market_day(latest_sale(estimate), market.currency)
    sales = count(drivers.sales, "past sale", currency=market.currency)
    if drivers.area == WHOLE_MARKET:
        return f"Made from {sales} in {drivers.area}, the latest of {latest}."
    here = count(drivers.sales, "of them is", "of them are", currency=market.currency)
    return f"Made from the market's past sales, the latest of {latest}; {here} in {drivers.area}."


def latest_sale(estimate: Estimate) -> date:
    """Return the day of the latest sale that counts in the price: that of the market level, if there is one."""
    known = estimate.last_sale if estimate.level_id is not None else estimate.trained_through
    return known or estimate.last_sale


def used(estimate: Estimate) -> tuple[Comparable, ...]:
    """Return the comparables that count in the estimate's comparable value, in their order."""
    value = estimate.comparable_value
    return () if value is None else in_use(estimate.comparables, value.weights)


def numbers(estimate: Estimate) -> dict[str, int]:
    """Return by sale_id the number of each comparable, the one it has on the agent's screen."""
    return {one.sale_id: number for number, one in enumerate(estimate.comparables, 1)}


def is_picked(estimate: Estimate) -> bool:
    """Tell whether an agent uses other comparables than the most similar ones, which are used unless somebody picks."""
    chosen = used(estimate)
    return any(one.added for one in chosen) or chosen != estimate.comparables[: max(len(chosen), IN_USE)]


def left_out(estimate: Estimate, currency: str) -> str:
    """Name the sales among the most similar ones that the agent does not use, "" for none."""
    kept = used(estimate)
    names = [
        f"{sale_name(one, OWN_SALE)} (no. {number}, {market_day(one.sale_date, currency)})"
        for number, one in enumerate(estimate.comparables[:IN_USE], 1)
        if one not in kept and not one.added
    ]
    return f"Like this home too, but left out by your agent: {', '.join(names)}." if names else ""


def sale_name(one: Comparable, own: str) -> str:
    """Name a comparable by its address, the home's own sale by ``own``."""
    return own if one.own else readable_address(one.address) or "Address unknown"


def comparables_say(estimate: Estimate, value: ComparableValue, amounts: Amounts, point_label: str | None) -> str:
    """State what the comparables in use show together; a single price appears only if the report shows one.

    The span is taken from the sales themselves: in an answer stored by an earlier release, that of ``value`` is
    narrower than the table of these sales.
    """
    if not value.confirms:
        return (
            "None of these sales is enough like this home to confirm its price: they are adjusted by "
            f"{percent(value.adjusted_by)} on average."
        )
    chosen = used(estimate)
    low, high = map(amounts.rounded, adjusted_span(chosen))
    place = "inside" if value.agrees else "outside"
    if len(chosen) == 1:
        return f"This sale points to {amounts.about(low)}, which lies {place} the range of this home."
    together = f"Together these sales point to {amounts.span(low, high)}"
    if point_label is None:
        return f"{together}. {_how_many_inside(estimate, amounts)}"
    return (
        f"{together}, with an average of {amounts.about(value.mean)}. {_what_counts(estimate, value)} "
        f"Their average lies {place} the range of this home."
    )


def _how_many_inside(estimate: Estimate, amounts: Amounts) -> str:
    """Say how many sales in use lie inside the range: "3 of them lie inside the range of this home, 2 outside."."""
    prices = [amounts.rounded(one.adjusted) for one in used(estimate)]
    inside = sum(estimate.low <= price <= estimate.high for price in prices)
    outside = len(prices) - inside
    if not inside or not outside:
        return f"All of them lie {'inside' if inside else 'outside'} the range of this home."
    lie = "lies" if inside == 1 else "lie"
    return f"{inside} of them {lie} inside the range of this home, {outside} outside."


def _what_counts(estimate: Estimate, value: ComparableValue) -> str:
    """Say what makes a sale count more in the average: how little it is adjusted, and that the agent chose so."""
    chosen = used(estimate)
    often, number = multipliers(chosen, value.weights), numbers(estimate)
    more = [f"no. {number[one.sale_id]} {words}" for one in chosen if (words := often_words(often[one.sale_id]))]
    by_choice = f"; by your agent’s choice, {', '.join(more)}" if more else ""
    return f"The less a sale is adjusted, the more it counts{by_choice}."


def _homes(segment: str, n: int, currency: str) -> str:
    """Name the test sales a range was measured on: "412 similar homes"."""
    if segment == SOLD_SOON:
        return f"{marks(f'{n:,}', currency)} {segment}"
    if segment == EVERYWHERE:
        return f"{count(n, 'home', currency=currency)} of this market"
    if segment in GROUPS:
        return f"{count(n, 'home', currency=currency)} with about as many facts known, the rest hidden"
    return count(n, "similar home", currency=currency)
