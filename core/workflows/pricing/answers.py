"""Answers one question: prices the home, writes the answer to the ledger, then returns it."""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

from core.access import Action, Actor, may, require_office, shown_spellings
from core.collect.addresses import address_key, with_unit
from core.errors import AnswerUnreadable, ImpossibleProperty, StoreError
from core.serve.document import Result, from_document, to_document
from core.serve.estimate import Estimate, Refused
from core.serve.fact_groups import missing_beside
from core.serve.review.unavailable import Unavailable
from core.serve.subject import FactFault, fact_faults, refuse_unknown_facts
from core.serve.words import readable_address, short_line
from core.states import EstimateState
from core.store import DecisionRecord, EstimateRecord, EstimateSummary, Market, NewEstimate
from core.store.ledger.estimates import ASKED_ALONE
from core.store.ledger.records import Channel, WantedEstimates
from core.wording import IdDigits, id_words, market_day, market_instant, money, money_range
from core.workflows.pilot.rollout import require_in_pilot
from core.workflows.pricing.decisions import DECIDED
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.ledger_entry import UNPROVEN, Asked, Figures, ledger_entry, priced_by
from core.workflows.pricing.listing_columns import REFERENCE
from core.workspace import Workspace, market_days

_LOG: Final = logging.getLogger(__name__)
# What was asked beside the facts is stored next to the answer. An answer without a price has no level of its own.
_LEVEL: Final = "asked_level"
# A document keeps a number to its last digit, or nearly.
_SAME: Final = 1e-12
_SIZE: Final = "living_area_sqft"
_ID: Final = "property_id"
_REQUEST: Final = "request_id"
_HOME_BYTES: Final = 8


@dataclass(frozen=True)
class Question:
    """A home to price as of a date with a range at ``level``.

    ``facts`` holds only known facts, by canonical name, in canonical units; ``list_price`` is the asking price, if
    already known: such an estimate is not blind. ``reference`` is the caller's own name for the home, ``request_id``
    that of the request that asked. ``home_id`` is one for all questions about a home, however its facts were corrected
    (see ``begin_home``), "" where nobody tells which are.
    """

    facts: Mapping[str, object]
    as_of: date
    level: float
    list_price: float | None = None
    reference: str = ""
    request_id: str = ""
    home_id: str = ""


def begin_home() -> str:
    """Return what the questions about another home have in common: a new id."""
    return secrets.token_hex(_HOME_BYTES)


@dataclass(frozen=True)
class RecordedAnswer:
    """The answer to a question, its time (UTC) and latency in milliseconds; ``model_id`` is "" if no model was live.

    ``estimate_id`` is its id in the ledger, None if it could not be written there. ``pending_id`` is then the id it
    will have once the ledger takes it, or "" if it was lost.
    """

    estimate_id: str | None
    market_id: str
    model_id: str
    question: Question
    result: Result
    milliseconds: float
    at: datetime
    actor: str
    pending_id: str = ""


def price_and_record(workspace: Workspace, desk: Desk, question: Question, channel: Channel) -> RecordedAnswer:
    """Price a home and write the answer to the ledger before returning it; raises AccessDenied, also NotInPilot.

    If the ledger cannot be written, the agent still gets the answer: the entry is spooled and written later.
    """
    workspace.require(Action.PRICE)
    require_in_pilot(workspace, desk.market)
    started = time.perf_counter()
    result = _priced(desk, question, workspace.actor)
    return _record(workspace, desk, question, result, 1000 * (time.perf_counter() - started), channel)


def refuse_and_record(
    workspace: Workspace, desk: Desk, question: Question, refused: Refused, channel: Channel
) -> RecordedAnswer:
    """Write a question that could not be read to the ledger as refused; raises AccessDenied, also NotInPilot.

    ``question`` holds what was given, as far as the ledger can keep it.
    """
    workspace.require(Action.PRICE)
    require_in_pilot(workspace, desk.market)
    return _record(workspace, desk, question, refused, 0.0, channel)


def _record(
    workspace: Workspace, desk: Desk, question: Question, result: Result, milliseconds: float, channel: Channel
) -> RecordedAnswer:
    model_id = desk.record.model_id if desk.record else ""
    entry = _entry(desk, question, channel, result, milliseconds)
    answered = RecordedAnswer(
        None, desk.market.market_id, model_id, question, result, milliseconds, datetime.now(UTC), workspace.actor.name
    )
    try:
        kept = workspace.store.spool.append(entry, workspace.actor)
    except StoreError as error:
        _LOG.error("the ledger refuses an estimate that was given: %s", error)
        return answered
    record = kept.record
    match kept.state:
        case "written":
            return replace(answered, estimate_id=record.estimate_id, at=record.at)
        case "aside":
            return replace(answered, pending_id=record.estimate_id, at=record.at)
        case "lost":
            return answered


def time_words(workspace: Workspace, market: Market) -> Callable[[datetime], str]:
    """Return what writes when something was asked or decided: by day and time, in a simulated market by its own day.

    A simulated market has one calendar: the computer's day beside it would be read as the day of a price. The time
    tells apart what was asked on one of its long days.
    """
    if not market.simulated:
        return lambda instant: market_instant(instant, market.currency)
    day_at = market_days(workspace.store, market)
    return lambda instant: f"{market_day(day_at(instant), market.currency)}, {instant.astimezone(UTC):%H:%M} UTC"


def load_answer(workspace: Workspace, estimate_id: str) -> RecordedAnswer:
    """Return an answer as given; raises AccessDenied, also for another office's, NotFound, AnswerUnreadable."""
    workspace.require(Action.PRICE)
    record = workspace.store.ledger.get(estimate_id)
    require_office(workspace.actor, record.office, f"Estimate {estimate_id}")
    if _LEVEL not in record.answer:
        raise AnswerUnreadable(
            f"This estimate came from a file of many homes, for which only the figures are stored{_figures(record)}. "
            "Price the home alone for the full answer."
        )
    return RecordedAnswer(
        estimate_id=record.estimate_id,
        market_id=record.market_id,
        model_id=record.model_id or "",
        question=_question(record, float(record.answer[_LEVEL])),
        result=from_document(record.answer),
        milliseconds=record.latency_ms,
        at=record.at,
        actor=record.actor,
    )


def _figures(record: EstimateRecord) -> str:
    """Write the figures of a row of a file, ": $306K to $462K, estimate $363K, confidence 47"; "" without a price."""
    if record.point is None or record.low is None or record.high is None:
        return ""
    found = money_range(record.low, record.high, record.currency), money(record.point, record.currency)
    sure = (
        ""
        if record.confidence is None or record.answer.get(UNPROVEN)
        else f", confidence {record.confidence:.0f} of 100"
    )
    return f": {found[0]}, estimate {found[1]}{sure}"


def at_level(desk: Desk, answered: RecordedAnswer, level: float, actor: Actor) -> Estimate | None:
    """Return a priced answer with its range at another level; it stays the same estimate, so nothing is recorded.

    Its point, comparables and decision are those of the answer. None where this desk does not price as the one that
    answered: another model, or other sales. Raises AccessDenied.
    """
    given, question = answered.result, answered.question
    if not isinstance(given, Estimate) or desk.record is None or desk.record.model_id != answered.model_id:
        return None
    if level == given.level:
        return given
    again = desk.price(question.facts, question.as_of, level, actor)
    if not isinstance(again, Estimate) or not math.isclose(again.exact, given.exact, rel_tol=_SAME):
        return None
    return replace(given, low=again.low, high=again.high, level=level, held=again.held, segment=again.segment)


@dataclass(frozen=True)
class StoredQuestion:
    """What was asked about a home, and in which market."""

    market_id: str
    question: Question


def load_question(workspace: Workspace, estimate_id: str) -> StoredQuestion:
    """Return what was asked, of a home in a file, too; raises AccessDenied, also for another office's, NotFound."""
    workspace.require(Action.PRICE)
    record = workspace.store.ledger.get(estimate_id)
    require_office(workspace.actor, record.office, f"Estimate {estimate_id}")
    level = float(record.answer.get(_LEVEL) or workspace.problem.estimate.level)
    return StoredQuestion(record.market_id, _question(record, level))


def _question(record: EstimateRecord, level: float) -> Question:
    asked = record.answer
    reference, request = (str(asked.get(name) or "") for name in (REFERENCE, _REQUEST))
    return Question(_facts(record), record.as_of, level, record.list_price, reference, request, record.home_id)


_OF_FILES: Final[tuple[Channel, ...]] = ("file", "command line")


@dataclass(frozen=True)
class LatestAnswer:
    """A row of the ledger with the decision on it that counts, None without one.

    ``home`` names it: "116 Mirage Raven Ct #103, condo, 86907". ``is_open`` tells whether it waits for a decision,
    ``reference`` is the asker's own name of it, as of a row of a file, ``earlier`` counts the answers to the same asker
    about the home that this one stands for.
    """

    estimate: EstimateSummary
    decision: DecisionRecord | None
    home: str
    is_open: bool
    reference: str = ""
    earlier: int = 0

    @property
    def home_words(self) -> str:
        """Name the home, and how many answers this one stands for: "12 Elm St, 86907 · 3 earlier"."""
        return f"{self.home} · {self.earlier} earlier" if self.earlier else self.home

    def asking_words(self, currency: str) -> str:
        """Write the asking price, "" without one."""
        return "" if self.estimate.list_price is None else money(self.estimate.list_price, currency)

    def answer_words(self, currency: str) -> str:
        """Write the range, or why there is none."""
        one = self.estimate
        if one.point is None:
            return "No price" if one.status == "unavailable" else "Facts not possible"
        return money_range(one.low, one.high, currency)

    def decision_words(self, currency: str) -> str:
        """Write the decision that counts, "Accepted $305,000", or "open"; "" where none is made and none is awaited."""
        done = self.decision
        if done is None:
            return "open" if self.is_open else ""
        return f"{DECIDED[done.kind]} {money(done.price, currency)}"

    def decision_line(self, currency: str) -> str:
        """Write the same where no heading says what is open: "decision open"."""
        words = self.decision_words(currency)
        return f"decision {words}" if self.decision is None and words else words


@dataclass(frozen=True)
class AnswerFilter:
    """Which answers to list: those whose address, office and state fit; what is empty leaves all.

    ``address`` is a part of an address or an area's code as anybody spells it. Answers without a price are listed only
    where ``state`` asks for them.
    """

    address: str = ""
    office: str = ""
    state: EstimateState | None = None


ANY_ANSWER: Final = AnswerFilter()


def recent(workspace: Workspace, market_id: str, limit: int, wanted: AnswerFilter = ANY_ANSWER) -> list[LatestAnswer]:
    """Return the latest answers as ``every_recent`` does, the newest about a home for the others to the same asker.

    An earlier one that was decided on, or waits for it, keeps its line. Raises AccessDenied, NotFound,
    StoreUnavailable.
    """
    gathered: dict[tuple[object, ...], LatestAnswer] = {}
    for one in every_recent(workspace, market_id, limit, wanted):
        given = one.estimate
        home = _home_key(one)
        key = (*home, given.actor_id or given.actor, given.office) if home else (given.estimate_id,)
        first = gathered.setdefault(key, one)
        if first is one:
            continue
        if one.decision is None and not one.is_open:
            gathered[key] = replace(first, earlier=first.earlier + 1)
        else:
            gathered[given.estimate_id,] = one
    return [*gathered.values()]


def every_recent(
    workspace: Workspace, market_id: str, limit: int, wanted: AnswerFilter = ANY_ANSWER
) -> list[LatestAnswer]:
    """Return the latest answers in a market, newest first: one's own, or those of whose work the actor may view.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    words = tuple((address_key(wanted.address) or wanted.address).split())
    of_store = WantedEstimates(words, wanted.office, wanted.state, priced=wanted.state is None)
    return _latest(workspace, market_id, limit, (), of_store)


def earlier_of_home(workspace: Workspace, market_id: str, estimate_id: str, limit: int) -> list[LatestAnswer]:
    """Return the prices of an estimate's home before it, to the same asker, newest first; none without one.

    At most ``limit`` of the home's estimates are looked through. Raises AccessDenied, NotFound, StoreUnavailable.
    """
    found = _found(workspace, market_id, limit, (), WantedEstimates(priced=True, home_of=estimate_id))
    place = next((place for place, one in enumerate(found) if one.estimate_id == estimate_id), len(found))
    given = found[place:]
    if len(given) < 2 or not (given[0].property_key or given[0].home_id or given[0].channel in _OF_FILES):
        return []
    this, *before = _with_decisions(workspace, market_id, given)
    return [one for one in before if _home_key(one) == _home_key(this)]


def _home_key(one: LatestAnswer) -> tuple[object, ...]:
    """Return what tells that two answers are about one home, () where nothing does.

    It is the address or property id, else the name that a file gives the home, else, in a file, facts and figures,
    else that the page asked for it again.
    """
    given = one.estimate
    if given.property_key:
        return given.property_key, given.area
    if given.channel not in _OF_FILES:
        return ("home", given.home_id) if given.home_id else ()
    same = (given.status, given.list_price, given.low, given.point, given.high)
    return ("reference", one.reference) if one.reference else (one.home, *same)


def offices(workspace: Workspace, market_id: str) -> list[str]:
    """Return the offices whose answers the actor may view in a market, by name; none for those who see one or no other.

    An office written in several ways is named once. Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.PRICE)
    if workspace.actor.office or not may(workspace.actor, Action.VIEW_OFFICE):
        return []
    held = workspace.store.ledger.offices(market_id)
    return list(dict.fromkeys(shown_spellings(dict.fromkeys(held, 0)).values()))


def recent_alone(workspace: Workspace, market_id: str, limit: int) -> list[LatestAnswer]:
    """Return the latest price of each home, as ``recent`` does, without rows of files, which no page can open."""
    return _latest(workspace, market_id, limit, ASKED_ALONE, WantedEstimates(priced=True, latest=True))


def _latest(
    workspace: Workspace, market_id: str, limit: int, channels: Sequence[str], wanted: WantedEstimates
) -> list[LatestAnswer]:
    return _with_decisions(workspace, market_id, _found(workspace, market_id, limit, channels, wanted))


def _found(
    workspace: Workspace, market_id: str, limit: int, channels: Sequence[str], wanted: WantedEstimates
) -> list[EstimateSummary]:
    """Return the rows wanted, newest first, of those whose work the actor may view."""
    workspace.require(Action.PRICE)
    actor = workspace.actor
    whose = None if may(actor, Action.VIEW_OFFICE) else actor.actor_id
    return workspace.store.ledger.list(market_id, limit, whose, actor.office, channels, wanted)


def _with_decisions(workspace: Workspace, market_id: str, found: Sequence[EstimateSummary]) -> list[LatestAnswer]:
    ledger = workspace.store.ledger
    ids, market = [one.estimate_id for one in found], workspace.store.markets.get(market_id)
    decisions, awaited, facts = ledger.decisions_of(ids), ledger.open_among(ids), ledger.facts_of(ids)
    named = ledger.references_of(ids)
    latest = workspace.store.versions.latest(market_id)
    digits = workspace.store.versions.id_digits(latest.version_id if latest else None)
    homes = (_home_words(one, facts.get(one.estimate_id, {}), market, digits) for one in found)
    return [
        LatestAnswer(one, decisions.get(key), home, key in awaited, named.get(key, ""))
        for key, one, home in zip(ids, found, homes, strict=True)
    ]


def _home_words(one: EstimateSummary, facts: Mapping[str, object], market: Market, digits: IdDigits) -> str:
    """Name a home by its address as typed, its property id, or its area and facts: "86907, 1,720 sq ft, 3 bd, 2 ba"."""
    address, unit = (str(facts.get(name) or "").strip() for name in ("address", "unit"))
    own = id_words(_ID, one.property_key, digits)
    named = readable_address(with_unit(address, unit) if address else own)
    if named:
        parts = [named, (one.property_type or "").replace("_", " "), one.area or ""]
        parts = [part for part in parts if part and part not in named.split(", ")[1:]]
        return ", ".join([named[:1].upper() + named[1:], *parts[1:]])
    known = {name: fact for name, fact in facts.items() if name != one.area and fact is not None}
    sizes = short_line(known, market).split(" · ") if isinstance(known.get(_SIZE), int | float) else []
    return ", ".join([one.area or "Home without address", *sizes])


def own_undecided(workspace: Workspace, market_id: str) -> int:
    """Count the actor's estimates that wait for a decision; raises AccessDenied, StoreUnavailable."""
    workspace.require(Action.PRICE)
    return workspace.store.ledger.undecided(market_id, workspace.actor.actor_id)


def _priced(desk: Desk, question: Question, actor: Actor) -> Result:
    try:
        refuse_unknown_facts(question.facts, desk.live_model.model.facts if desk.live_model else None)
        return desk.price(question.facts, question.as_of, question.level, actor)
    except ImpossibleProperty as error:
        model = desk.live_model.model if desk.live_model else None
        found = fact_faults(question.facts, question.as_of, model.facts if model else None, desk.problem)
        faults = found or (FactFault(error.field, error.reason, error.remedy),)
        missing = missing_beside(model, desk.problem, question.facts) if model else ()
        return Refused(" ".join(f"{fault.reason} {fault.remedy}".strip() for fault in faults), faults, missing)


def _entry(desk: Desk, question: Question, channel: Channel, result: Result, milliseconds: float) -> NewEstimate:
    asked = Asked(question.facts, question.as_of, question.list_price, question.home_id)
    answer = to_document(result) | {_LEVEL: question.level}
    answer |= {name: text for name, text in ((REFERENCE, question.reference), (_REQUEST, question.request_id)) if text}
    return ledger_entry(priced_by(desk), asked, _outcome(result), channel, milliseconds, answer)


def _outcome(result: Result) -> Figures | Unavailable | Refused:
    if not isinstance(result, Estimate):
        return result
    return Figures(
        point=result.point,
        low=result.low,
        high=result.high,
        level=result.level,
        confidence=result.confidence,
        fsd=result.fsd,
        flags=tuple(flag.kind.value for flag in result.flags),
    )


def _facts(record: EstimateRecord) -> dict[str, object]:
    return {name: value for name, value in record.facts.items() if value is not None}
