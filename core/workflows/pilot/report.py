"""The report on a market's pilot: what its offices did with estimates, and how their listings fared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from core.access import Action, office_key
from core.errors import StoreError
from core.monitor.pilot import (
    DAYS_MIN,
    LATELY_DAYS,
    Change,
    Comparisons,
    Decided,
    PilotAccuracy,
    Use,
    accuracy_of_sold,
    comparisons,
    decided_of,
    use_of,
    verdict_words,
)
from core.monitor.scorecard import PILOT_WARNING, Effect
from core.schema import first_price_column
from core.states import FeedbackVerdict, Group, RolloutChange
from core.store import Market, Store
from core.store.base.values import plain_document
from core.store.operations.rollouts import OfficePlan, Rollout, RolloutRecord
from core.wording import count, market_day, percent
from core.workflows.pilot.rollout import is_for_everyone
from core.workspace import Workspace
from core.workspace import market_day as day_of

_NOTHING: Final = Comparisons((), (), ())


@dataclass(frozen=True)
class PilotReport:
    """A pilot on a day, ``days`` after its start: what its ``offices`` did, and how their sold listings compare.

    ``ended`` is the day from which everyone has estimates or on which the last office was stopped, None while it runs:
    the report stops there, and ``how_ended`` says how. An office stopped before counts up to that day.
    ``others`` are the offices compared with; ``feedback`` counts verdicts. ``listings`` counts sold listings: in the
    pilot since the start and before, then of the others. ``verdict`` is a sentence, ``notes`` say what limits it; show
    ``warning`` with the comparisons.
    """

    market: Market
    as_of: date
    starts: date
    ended: date | None
    how_ended: str
    days: int
    too_early: bool
    offices: tuple[str, ...]
    others: tuple[str, ...]
    use: Use
    decided: Decided
    feedback: dict[str, int]
    accuracy: PilotAccuracy | None
    listings: tuple[int, int, int, int]
    compared: Comparisons
    verdict: str
    notes: tuple[str, ...]
    warning: str


def pilot_report(workspace: Workspace, market_id: str) -> PilotReport | None:
    """Return the report on a market's latest pilot, also once it was stopped; None if no office has a start date.

    The listings of the pilot's offices, listed since their start and sold, are compared with those of the control
    offices or, if none is named, of all offices without estimates; and with the listings of as many days before the
    start that sold before it, so that a quick sale is as likely to be seen in either. Raises AccessDenied, NotFound,
    StoreUnavailable; an unreadable data version leaves out only the comparisons.
    """
    workspace.require(Action.WATCH)
    store, market = workspace.store, workspace.store.markets.get(market_id)
    today = workspace.today(market)
    held = _places(store, market)
    places = tuple(one for one in held if one.is_pilot)
    if not places:
        return None
    starts, (ended, how_ended) = min(_first_day(one) for one in places), _ended(held, today)
    until = ended or today
    days = (until - starts).days
    # A stopped office has lost its place, but its listings are still those of the pilot or of its control.
    table, notes = _listings(workspace, market, Rollout(tuple(one.plan for one in held)), (starts, until))
    compared = comparisons(table, workspace.problem) if len(table) else _NOTHING
    figures = _figures(workspace, market, places, (starts, until))
    sizes = [int(((table["inside"] == a) & (table["after"] == b)).sum()) for a in (True, False) for b in (True, False)]
    outside = tuple(sorted({str(one) for one in table.loc[~table["inside"], "listing_office"]}))
    shared = _shared_words(store, market, outside, (starts, until))
    return PilotReport(
        market=market,
        as_of=until,
        starts=starts,
        ended=ended,
        how_ended=how_ended,
        days=max(days, 0),
        too_early=days < DAYS_MIN,
        offices=tuple(one.plan.office for one in places),
        others=outside,
        **figures,
        listings=(sizes[0], sizes[1], sizes[2], sizes[3]),
        compared=compared,
        verdict=verdict_words(days, compared, shared),
        notes=notes,
        warning=PILOT_WARNING,
    )


def span_words(report: PilotReport) -> str:
    """Write whose pilot it is and over which days: "North since Mar 1, 2025, 30 days"."""
    starts, currency = market_day(report.starts, report.market.currency), report.market.currency
    offices, length = ", ".join(report.offices), count(report.days, "day")
    if report.ended is None:
        return f"{offices} since {starts}, {length}."
    return f"{offices} from {starts} to {market_day(report.ended, currency)}, {length}; {report.how_ended}."


@dataclass(frozen=True)
class _Place:
    """A place in a pilot, of its control or of everyone else; it was stopped on the day ``stopped``, None if not."""

    plan: OfficePlan
    stopped: date | None = None

    @property
    def is_pilot(self) -> bool:
        return self.plan.group == Group.PILOT and self.plan.starts is not None


def _first_day(place: _Place) -> date:
    assert place.plan.starts is not None
    return place.plan.starts


@dataclass(frozen=True)
class _Stand:
    """The places in force after a change, and those that stops have taken, both by the key of the office."""

    held: dict[str, _Place]
    gone: dict[str, _Place]

    @property
    def runs(self) -> bool:
        """Whether a pilot's office has a place."""
        return any(one.is_pilot for one in self.held.values())


def _places(store: Store, market: Market) -> tuple[_Place, ...]:
    """Return the places of a market's latest pilot, those stopped since among them.

    A stop keeps its evidence: the pilot's offices and whom they are compared with. Once all of the pilot were stopped,
    its places stay as they were, and the next is a new pilot. A change that was taken back leaves nothing: all is as it
    was before it, the evidence of an earlier stop, too.
    """
    stands = [_Stand({}, {})]
    for record in reversed(store.rollouts.history(market.market_id)):
        if record.change is RolloutChange.TAKEN_BACK:
            stands.pop()
        else:
            stands.append(_after(stands[-1], record, day_of(store, market, record.at)))
    latest = stands[-1]
    return (*latest.held.values(), *latest.gone.values()) if latest.runs else tuple(latest.gone.values())


def _after(before: _Stand, record: RolloutRecord, day: date) -> _Stand:
    """Return what a change made on a day leaves in force."""
    held = {office_key(one.office): _Place(one) for one in (record.rollout.offices if record.rollout else ())}
    now = _Stand(held, before.gone)
    gone = before.gone
    if record.change is RolloutChange.STOPPED and before.runs:
        taken = {key: one for key, one in before.held.items() if _left_something(one, day, runs=now.runs)}
        gone = gone | {key: _stopped(one, day) for key, one in taken.items()}
    elif now.runs and not before.runs:
        gone = {}
    return replace(now, gone={key: one for key, one in gone.items() if key not in held} if now.runs else gone)


def _left_something(place: _Place, day: date, *, runs: bool) -> bool:
    """Tell whether a place that is stopped on a day counts in the report; everyone's does where the pilot ends."""
    if place.plan.group == Group.CONTROL:
        return True
    return place.plan.is_in(day) and not (runs and place.plan.group == Group.EVERYONE)


def _stopped(place: _Place, day: date) -> _Place:
    """Return a place that has no more estimates from a day on; a control that waited was never given any."""
    return replace(place, stopped=day, plan=place.plan if place.plan.is_in(day) else replace(place.plan, starts=None))


def _ended(held: tuple[_Place, ...], today: date) -> tuple[date | None, str]:
    """Return the day a pilot ended and how: everyone has estimates, or all its offices were stopped; else None."""
    rollout = Rollout(tuple(one.plan for one in held))
    if is_for_everyone(rollout, today):
        since = (one.starts for one in rollout.of_group(Group.EVERYONE) if one.starts is not None)
        return max(since, default=None), "everyone has estimates since"
    stops = [one.stopped for one in held if one.is_pilot]
    ends = [one for one in stops if one is not None]
    return (max(ends), "its estimates were stopped then") if len(ends) == len(stops) else (None, "")


def _shared_words(store: Store, market: Market, outside: tuple[str, ...], span: tuple[date, date]) -> str:
    """Say that offices compared with had estimates in a pilot's days, as it was set up only after them; "" if none.

    Until a market's first rollout every office has estimates, and a pilot may have a start day before it.
    """
    begun = next((one for one in reversed(store.rollouts.history(market.market_id)) if _is_of_pilot(one, span)), None)
    if begun is None:
        return ""
    last = min(day_of(store, market, begun.at), span[1])
    asked, keys = store.pilot_figures.requests(market.market_id, span[0]), {office_key(one) for one in outside}
    theirs = np.array([office_key(one) in keys for one in asked["office"]], dtype=bool)
    n = int(asked.loc[theirs & (asked["day"] < last).to_numpy(dtype=bool), "n"].sum())
    if not n:
        return ""
    return (
        f"The other offices had estimates, too, until the pilot was set up on {market_day(last, market.currency)}: "
        f"{count(n, 'estimate')} since {market_day(span[0], market.currency)}."
    )


def _is_of_pilot(record: RolloutRecord, span: tuple[date, date]) -> bool:
    plans = record.rollout.of_group(Group.PILOT) if record.rollout else ()
    return any(one.starts == span[0] for one in plans)


def report_form(report: PilotReport) -> dict[str, Any]:
    """Return a report as JSON values: shares and money as numbers, differences with their 95% intervals."""
    form = asdict(report) | {"market": report.market.market_id, "simulated": report.market.simulated}
    names = ("pilot_since", "pilot_before", "others_since", "others_before")
    form["listings"] = dict(zip(names, report.listings, strict=True))
    return plain_document(form, "pilot report")


def report_lines(report: PilotReport) -> list[str]:
    """Write a report as lines of text."""
    use, made_up = report.use, "Simulated market. " if report.market.simulated else ""
    kinds = ", ".join(f"{n} {kind}" for kind, n in report.decided.kinds.items())
    verdicts = ", ".join(f"{n} {verdict.replace('_', ' ')}" for verdict, n in report.feedback.items())
    compared = report.compared
    effects: tuple[Effect | Change, ...] = (*compared.others, *compared.before, *compared.changes)
    return [
        f"{made_up}Pilot of {span_words(report)}",
        report.verdict,
        f"Use: {count(use.estimates, 'estimate')}, {use.active} of {count(use.agents, 'agent')} active in the last "
        f"{LATELY_DAYS} days",
        f"Feedback: {verdicts}",
        f"Decisions: {kinds}",
        accuracy_words(report),
        *(one.words for one in effects),
        *report.notes,
        *([report.warning] if effects else []),
    ]


def accuracy_words(report: PilotReport) -> str:
    """Write the accuracy on sold homes in a sentence."""
    found = report.accuracy
    if found is None:
        return "Accuracy: no home with a blind estimate of the pilot has sold yet."
    few = " Too few to judge by." if found.thin else ""
    low, high = 100 * found.within.low, 100 * found.within.high
    return (
        f"Accuracy on {count(found.n, 'sold home')}: median error {100 * found.mdape.value:.1f}%, "
        f"{100 * found.within.value:.0f}% within {percent(found.tolerance)} ({low:.0f}% to {high:.0f}%).{few}"
    )


def _figures(
    workspace: Workspace, market: Market, places: tuple[_Place, ...], span: tuple[date, date]
) -> dict[str, Any]:
    figures, market_id, (starts, today) = workspace.store.pilot_figures, market.market_id, span

    def of_pilot(read: Callable[[str, date], pd.DataFrame]) -> pd.DataFrame:
        table = read(market_id, starts)
        place_of = {office_key(one.plan.office): one for one in places}
        own = [place_of.get(office_key(office)) for office in table["office"]]
        inside = [
            one is not None and _first_day(one) <= on <= min(one.stopped or today, today)
            for one, on in zip(own, table["day"], strict=True)
        ]
        return table.loc[np.array(inside, dtype=bool)]

    requests, verdicts = of_pilot(figures.requests), of_pilot(figures.feedback)
    use = use_of(requests, requests["day"] > today - timedelta(days=LATELY_DAYS))
    return {
        "use": use,
        "decided": decided_of(of_pilot(figures.decisions), use.priced),
        "feedback": {
            one.value: int(verdicts.loc[verdicts["verdict"] == one.value, "n"].sum()) for one in FeedbackVerdict
        },
        "accuracy": accuracy_of_sold(of_pilot(figures.sold).drop_duplicates("sale_key"), workspace.problem),
    }


def _listings(
    workspace: Workspace, market: Market, rollout: Rollout, span: tuple[date, date]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the sold listings to compare, with inside and after, and what limits the comparison."""
    store = workspace.store
    columns = ["listing_office", "list_date", "sale_date", "list_price", "first_list_price"]
    none = pd.DataFrame(columns=[*columns, "inside", "after"]).astype({"inside": "bool", "after": "bool"})
    version = store.versions.latest(market.market_id)
    if version is None:
        return none, ("The market has no sales, so listings are not compared.",)
    try:
        sales = store.versions.load(version.version_id)
    except StoreError as error:
        return none, (f"The market's sales cannot be read, so listings are not compared. {error}",)
    for name, label in (("listing_office", "listing offices"), ("list_date", "list dates")):
        if name not in sales or sales[name].isna().all():
            return none, (f"The sales have no {label}, so listings are not compared. Map a column to them at upload.",)
    first = first_price_column(sales)
    table = sales.assign(first_list_price=sales[first] if first else float("nan")).reindex(columns=columns)
    notes = [f"A listing counts once it has sold; the sales reach to {market_day(version.last_sale, market.currency)}."]
    if first is None or "list_price" not in sales:
        lacking = "first list prices" if first is None else "list prices"
        notes.append(f"The sales have no {lacking}, so price cuts are not compared. Map a column to them at upload.")
    return _grouped(table.dropna(subset=["listing_office", "list_date"]), rollout, span), tuple(notes)


def _grouped(table: pd.DataFrame, rollout: Rollout, span: tuple[date, date]) -> pd.DataFrame:
    """Mark each listing as of the pilot or of the others, since the start or before; leave out all else."""
    starts, today = span
    places = {office: rollout.place_of(office) for office in table["listing_office"].unique()}
    place = table["listing_office"].map(places)
    listed = table["list_date"].dt.date
    own_start = pd.Series([one.starts if one else None for one in place], index=table.index, dtype="object")
    has_estimates = pd.Series(
        [begun is not None and begun <= on for begun, on in zip(own_start, listed, strict=True)],
        index=table.index,
        dtype="bool",
    )
    group = pd.Series([one.group if one else None for one in place], index=table.index, dtype="object")
    inside = (group == Group.PILOT) & own_start.notna()
    others = group == Group.CONTROL if rollout.of_group(Group.CONTROL) else ~inside
    after = listed >= starts
    begun = (listed <= today) & after & (has_estimates == inside)
    before = (listed >= starts - (today - starts)) & ~after & ~has_estimates & (table["sale_date"].dt.date < starts)
    kept = (inside | others) & (begun | before)
    return table.assign(inside=inside, after=after)[kept]
