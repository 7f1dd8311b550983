"""The demo city's first half of 2025: agents price and decide, homes sell, and the market turns.

Only people are simulated: what owners ask, how agents decide on an estimate, and what buyers pay. Estimates, levels,
ledger, data versions and outcomes come from the product itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from typing import Any, Final

import numpy as np
import pandas as pd

from core.access import Actor, Role
from core.arrays import Floats, Ints, Objects
from core.demo.city import as_people_say
from core.demo.files import DemoFiles, demo_model, later_files
from core.demo.intake import take_in
from core.demo.market_turn import END, START, Listings, listings, sold
from core.demo.offices import OFFICES, PILOT
from core.problem import Problem
from core.progress import Progress, part, under
from core.serve.estimate import Refused
from core.serve.estimate_many import Answers, estimate_many
from core.serve.review.unavailable import Unavailable
from core.store import DecisionRecord, EstimateSummary, Market, NewDecision, NewEstimate, Store
from core.store.ledger.decisions import DecisionKind
from core.workflows.pricing.decisions import departure, usual_listing
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.pricing.ledger_entry import Asked, Figures, ledger_entry, priced_by, property_key
from core.workspace import Workspace

_LISTINGS_SHARE: Final = 0.1
_AGENTS: Final = 4
# What agents enter; the desk knows the rest from the location, or assumes and flags it.
_TYPED: Final = (
    "address",
    "unit",
    "zipcode",
    "latitude",
    "longitude",
    "property_type",
    "zoning",
    "units",
    "living_area_sqft",
    "lot_area_sqft",
    "bedrooms",
    "bathrooms",
    "floors",
    "year_built",
    "year_renovated",
    "condition",
    "view",
    "waterfront",
    "garage_spaces",
)
# An agent who has walked through a home knows its value to about this standard deviation, in logs.
_OPINION_SD: Final = 0.07
# Shown a figure, people move only part of the way from it to their own.
_OWN_WEIGHT: Final = 0.6
_UNDECIDED_SHARE: Final = 0.12
_OPENING: Final = time(9)
_WORKING_MINUTES: Final = 480
_DECIDED_AFTER_MINUTES: Final = 20
_BETTER: Final = "condition_better"
_WORSE: Final = "market_moved"
_NOTE: Final = "Simulated: the agent walked through the home and thinks otherwise."
_ACCEPTED_WITHIN: Final = 0.04
_ADJUSTED_WITHIN: Final = 0.10


@dataclass(frozen=True)
class _City:
    """The story's listings: where each is, whose it is, and what its agent thinks it is worth; arrays (n,).

    ``homes`` has the position of each by its property key.
    """

    listed: Listings
    homes: Mapping[str, int]
    office: Objects
    agent: Objects
    opinion: Floats
    mood: Floats

    def of(self, month: pd.Period) -> Ints:
        """Return the listings that the pilot's offices get in a month."""
        dates = self.listed.facts["list_date"]
        inside = (dates >= month.start_time) & (dates <= month.end_time)
        return np.flatnonzero(inside.to_numpy() & np.isin(self.office.astype(str), PILOT))


def tell_story(workspace: Workspace, market: Market, seed: int, sales: int, progress: Progress) -> None:
    """Simulate six months in the demo city, month by month: estimates, decisions, sales, and new data versions.

    ``seed`` and ``sales`` are those of its first files. Months already simulated are skipped, so that an interrupted
    story can resume. Raises StoreError.
    """
    store, model = workspace.store, demo_model(sales)
    city = _city(listings(model, seed, round(_LISTINGS_SHARE * sales)), seed)
    months = pd.period_range(START, END, freq="M")
    taken_in = {file.file for version in store.versions.chain(market.market_id) for file in version.files}
    for done, month in enumerate(months):
        now = part(progress, done / len(months), (done + 1) / len(months))
        when = f"{month.start_time:%B %Y} in the simulated city"
        _price(workspace, market, city, month, under(part(now, 0.0, 0.6), f"{when}: homes are priced"))
        selling = under(part(now, 0.6, 1.0), f"{when}: homes are sold")
        selling(0.0, "")
        asked = _asked(store, market, city)
        closed = sold(city.listed, asked, model, seed)
        files = _files(city, closed, month, seed)
        if files.names[0] not in taken_in:
            take_in(workspace.at((month + 1).start_time.date()), market.market_id, files, part(selling, 0.2, 1.0))
    progress(1.0, "Six months have passed")


def _city(listed: Listings, seed: int) -> _City:
    count = len(listed.facts)
    rng = np.random.default_rng([seed, 9, count])
    office = rng.choice(np.array(OFFICES, dtype=object), count)
    number = rng.integers(1, _AGENTS + 1, count)
    agent = np.array([f"{one} agent {at} (simulated)" for one, at in zip(office, number, strict=True)], dtype=object)
    opinion = np.exp(listed.value + _OPINION_SD * rng.normal(0, 1, count))
    homes = {property_key(home): place for place, home in enumerate(_known(listed.facts[["address", "unit"]]))}
    return _City(listed, homes, office, agent, opinion, rng.random(count))


def _price(workspace: Workspace, market: Market, city: _City, month: pd.Period, progress: Progress) -> None:
    """Write the month's estimates, then the decisions on them, unless they are already written."""
    store, problem = workspace.store, workspace.problem
    progress(0.0, "")
    if not _written_in(month, store, market, city):
        desk = open_desk(store, market.market_id, problem)
        store.ledger.append_past(list(_estimates(desk, city, month, problem, part(progress, 0.2, 0.9))))
    written = _written_in(month, store, market, city)
    decided = _decided(store, market)
    if not any(one.estimate_id in decided for one in written):
        store.ledger.decide_past(list(_decisions(written, city, problem)))


def _written(store: Store, market: Market, city: _City) -> list[EstimateSummary]:
    """Return the story's estimates, without those of people who try the city meanwhile."""
    agents = set(city.agent)
    every = store.ledger.list(market.market_id, store.ledger.count(market.market_id))
    return [one for one in every if one.actor in agents]


def _written_in(month: pd.Period, store: Store, market: Market, city: _City) -> list[EstimateSummary]:
    return [one for one in _written(store, market, city) if _in(month, one.as_of)]


def _decided(store: Store, market: Market) -> dict[str, DecisionRecord]:
    count = store.ledger.count(market.market_id)
    return {one.estimate_id: one for one in store.ledger.decisions(market.market_id, count)}


def _in(month: pd.Period, day: date) -> bool:
    return bool(month.start_time <= pd.Timestamp(day) <= month.end_time)


def _estimates(
    desk: Desk, city: _City, month: pd.Period, problem: Problem, progress: Progress
) -> Iterator[tuple[datetime, NewEstimate, Actor]]:
    """Yield an entry for each listing of the month, priced by the desk on its list date."""
    if desk.live_market is None:
        return
    rows = city.of(month)
    days = city.listed.facts["list_date"].dt.date.to_numpy()
    listed = sorted(set(days[rows]))
    for done, day in enumerate(listed):
        progress(done / len(listed), "")
        homes = rows[days[rows] == day]
        facts = city.listed.facts.iloc[homes][list(_TYPED)].reset_index(drop=True)
        started = perf_counter()
        answers = estimate_many(desk.live_market, facts, day, problem, problem.estimate.level)
        milliseconds = 1000 * (perf_counter() - started) / len(homes)
        for place, entry in _entries(desk, answers, facts, day, milliseconds):
            home = homes[place]
            at = datetime.combine(day, _OPENING, UTC) + timedelta(minutes=float(_WORKING_MINUTES * city.mood[home]))
            yield at, entry, Actor(str(city.agent[home]), Role.AGENT, str(city.office[home]))


def _entries(
    desk: Desk, answers: Answers, facts: pd.DataFrame, day: date, milliseconds: float
) -> Iterator[tuple[int, NewEstimate]]:
    """Yield the position of each home and its answer as a ledger entry."""
    homes = [
        {str(name): value for name, value in row.items() if not pd.isna(value)} for row in facts.to_dict("records")
    ]

    by = priced_by(desk)

    def entry(place: int, outcome: Figures | Unavailable | Refused) -> tuple[int, NewEstimate]:
        return place, ledger_entry(by, Asked(homes[place], day), outcome, "page", milliseconds)

    priced = answers.priced
    for at, place in enumerate(answers.rows.tolist()):
        figures = {name: float(getattr(priced, name)[at]) for name in ("point", "low", "high", "fsd")}
        flags = tuple(flag.kind.value for flag in answers.flags[at])
        confidence = float(answers.confidence[at])
        yield entry(place, Figures(**figures, level=priced.level, confidence=confidence, flags=flags))
    for one in answers.not_priced:
        unpriced = Unavailable(one.reason, one.remedy), Refused(f"{one.reason} {one.remedy}")
        yield entry(one.position, unpriced[one.status != "unavailable"])


def _known(facts: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items() if not pd.isna(value)} for row in facts.to_dict("records")]


def _decisions(
    written: list[EstimateSummary], city: _City, problem: Problem
) -> Iterator[tuple[datetime, NewDecision, Actor]]:
    """Yield the agents' decisions on estimates: most accept, some adjust, some know better or think so."""
    for one in written:
        home = city.homes[one.property_key]
        if one.point is None or one.low is None or one.high is None or city.mood[home] < _UNDECIDED_SHARE:
            continue
        at = one.at + timedelta(minutes=_DECIDED_AFTER_MINUTES)
        yield (
            at,
            _decision(one.estimate_id, one.point, (one.low, one.high), float(city.opinion[home]), problem),
            Actor(one.actor, Role.AGENT, one.office),
        )


def _decision(
    estimate_id: str, point: float, limits: tuple[float, float], opinion: float, problem: Problem
) -> NewDecision:
    wanted = point * (opinion / point) ** _OWN_WEIGHT
    departs = departure(wanted, point)
    if abs(departs) <= _ACCEPTED_WITHIN:
        return NewDecision(estimate_id, "accept", point, _listed_at(point, problem))
    if abs(departs) <= _ADJUSTED_WITHIN:
        price = float(np.clip(as_people_say(np.array([wanted]), 1_000.0)[0], *limits))
        kind: DecisionKind = "adjust"
    else:
        price, kind = float(as_people_say(np.array([wanted]), 1_000.0)[0]), "override"
    departs = departure(price, point)
    reason = _BETTER if departs > 0 else _WORSE
    needed = abs(departs) > problem.decisions.explain_over
    note = _NOTE if abs(departs) > problem.decisions.note_over else ""
    return NewDecision(estimate_id, kind, price, _listed_at(price, problem), reason if needed else None, note)


def _listed_at(price: float, problem: Problem) -> float:
    return float(as_people_say(np.array([usual_listing(price, problem)]), 1_000.0)[0])


def _asked(store: Store, market: Market, city: _City) -> Floats:
    """Return the first list price of each listing: what its agent decided, else what the owner asks."""
    asked: Floats = city.listed.facts["owner_asks"].to_numpy(dtype=float).copy()
    decided = _decided(store, market)
    # Oldest first: if a home is listed twice, the later price wins.
    for one in reversed(_written(store, market, city)):
        decision = decided.get(one.estimate_id)
        if decision is not None and decision.listing_price is not None:
            asked[city.homes[one.property_key]] = decision.listing_price
    return asked


def _files(city: _City, closed: pd.DataFrame, month: pd.Period, seed: int) -> DemoFiles:
    """Return the three files of a month's sales."""
    inside = closed["sale_date"].dt.to_period("M") == month
    rows = np.flatnonzero(inside.to_numpy())
    rows = rows[np.argsort(closed["sale_date"].to_numpy()[rows], kind="stable")]
    truth = pd.concat([city.listed.facts, closed], axis=1).iloc[rows].reset_index(drop=True)
    truth["listing_office"] = city.office[rows]
    truth["sale_id"] = [f"SIM{month.start_time:%y%m}-{number:05d}" for number in range(1, len(rows) + 1)]
    return later_files(seed, truth, city.listed.homes.iloc[rows].reset_index(drop=True), f"{month}")
