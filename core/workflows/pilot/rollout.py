"""The rollout of estimates by office: who has them yet, and how a manager starts, widens and stops it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from core.access import Action, Actor, Role, office_key, reason_for
from core.errors import InvalidRecord, NotInPilot, ReasonNeeded, StoreUnavailable
from core.states import Group, RolloutChange
from core.store import Market
from core.store.base.values import plain_document, plain_text
from core.store.operations.rollouts import OfficePlan, Rollout, RolloutRecord
from core.wording import market_day
from core.workspace import Workspace

HELD_BACK: Final = frozenset({Role.AGENT, Role.OFFICE_LEAD})
"""The roles whose office must be in; the others see to the pilot."""

NAME_MAX: Final = 80
"""The most characters of an office's name, as of an API key's office."""

OFFICES_MAX: Final = 500

_CHANGES: Final = {
    RolloutChange.STARTED: "Started",
    RolloutChange.WIDENED: "Offices added",
    RolloutChange.STOPPED: "Stopped",
    RolloutChange.TAKEN_BACK: "Taken back",
}

_ENDED: Final = "Ended: every office has estimates"
_TO_CHANGE: Final = "To change who has estimates"

_LOG: Final = logging.getLogger(__name__)


def rollout_of(workspace: Workspace, market_id: str) -> Rollout | None:
    """Return a market's rollout, None if every office has estimates; raises AccessDenied, StoreUnavailable."""
    workspace.require(Action.PRICE)
    return workspace.store.rollouts.current(market_id)


def rollout_history(workspace: Workspace, market_id: str) -> list[RolloutRecord]:
    """Return all changes of a market's rollout, newest first; raises AccessDenied, NotFound, StoreUnavailable."""
    workspace.require(Action.WATCH)
    return workspace.store.rollouts.history(market_id)


def change_words(change: RolloutRecord, today: date) -> str:
    """Name a change; one that gave every office estimates ended the pilot."""
    over = change.rollout is not None and is_for_everyone(change.rollout, today)
    return _ENDED if over and change.change is RolloutChange.WIDENED else _CHANGES[change.change]


def unheard_of(names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the offices named that are none of those known, however written; none where no office is known."""
    keys = {office_key(one) for one in known}
    return tuple(one.strip() for one in names if one.strip() and office_key(one) not in keys) if keys else ()


def as_known(names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return each office named once, as the first of those known that is the same office writes it."""
    spelled = {office_key(one): one for one in reversed(known)}
    each = {office_key(one): " ".join(one.split()) for one in reversed(names) if one.strip()}
    return tuple(spelled.get(key, name) for key, name in reversed(each.items()))


def require_in_pilot(workspace: Workspace, market: Market) -> None:
    """Raise NotInPilot, with when it starts, if estimates are rolled out and the actor's office has none yet.

    Managers, analysts and admins are never held back, and nobody is where no rollout is set.
    """
    if workspace.actor.role not in HELD_BACK:
        return
    try:
        rollout = workspace.store.rollouts.current(market.market_id)
        if rollout is None:
            return
        today = workspace.today(market)
    except StoreUnavailable as error:
        # An agent gets a price also while the database is away; the pilot guards nothing secret.
        _LOG.warning("the rollout of %s cannot be read, so nobody is held back: %s", market.market_id, error)
        return
    if not rollout.offices:
        raise NotInPilot("Estimates were stopped for all offices of this market; ask a manager when they start again.")
    place = rollout.place_of(workspace.actor.office)
    if not (place and place.is_in(today)):
        raise NotInPilot(_not_yet(workspace.actor, place, market, today))


def add_offices(workspace: Workspace, market_id: str, plans: Sequence[OfficePlan], reason: str) -> RolloutRecord:
    """Start a rollout with these offices, or add them to the one set; an office named before takes its new place.

    Raises AccessDenied, NotFound, ReasonNeeded, InvalidRecord without an office or for an impossible one,
    StoreUnavailable.
    """
    workspace.require(Action.MANAGE_PILOT)
    nameless = "" if plans else "No office is named; name at least one."
    given = _reason(reason, nameless)
    if nameless:
        raise InvalidRecord(nameless)
    new = {office_key(one.office): replace(one, office=_name(one)) for one in plans}
    heard_of = workspace.store.ledger.offices(market_id)

    def widened(before: Rollout | None) -> tuple[RolloutChange, Rollout]:
        held = {office_key(one.office): one for one in before.offices} if before else {}
        if len(held | new) > OFFICES_MAX:
            raise InvalidRecord(f"The rollout would name {len(held | new):,} offices; the limit is {OFFICES_MAX}.")
        kind = RolloutChange.WIDENED if before else RolloutChange.STARTED
        known = [*(one.office for one in held.values()), *heard_of]
        spelled = {
            key: replace(one, office=as_known([one.office], known)[0] if key else "") for key, one in new.items()
        }
        return kind, Rollout(tuple((held | spelled).values()))

    return workspace.store.rollouts.change(market_id, widened, given, workspace.actor)


def stop_offices(workspace: Workspace, market_id: str, keep: Sequence[str], reason: str) -> RolloutRecord:
    """Take estimates from all offices but those to keep, which stay as they are; without any, from all agents.

    Raises AccessDenied, NotFound, ReasonNeeded, InvalidRecord for an office to keep that is not in the rollout,
    StoreUnavailable.
    """
    workspace.require(Action.MANAGE_PILOT)
    given = reason_for(_TO_CHANGE, reason)

    def stopped(before: Rollout | None) -> tuple[RolloutChange, Rollout]:
        held = {office_key(one.office): one for one in before.offices if one.office} if before else {}
        unknown = [name for name in keep if office_key(name) not in held]
        if unknown:
            raise InvalidRecord(
                f"{', '.join(unknown)} is not in the rollout, so it cannot be kept; in it are "
                f"{', '.join(one.office for one in held.values()) or 'no offices'}."
            )
        return RolloutChange.STOPPED, Rollout(tuple(held[key] for key in dict.fromkeys(map(office_key, keep))))

    return workspace.store.rollouts.change(market_id, stopped, given, workspace.actor)


def end_pilot(workspace: Workspace, market_id: str, reason: str) -> RolloutRecord:
    """Give everyone estimates from the market's day on; the pilot's offices keep their places, for its report.

    Raises AccessDenied, NotFound, ReasonNeeded, InvalidRecord without a pilot or where everyone has estimates
    already, StoreUnavailable.
    """
    workspace.require(Action.MANAGE_PILOT)
    given = reason_for(_TO_CHANGE, reason)
    today = workspace.today(workspace.store.markets.get(market_id))

    def ended(before: Rollout | None) -> tuple[RolloutChange, Rollout]:
        if before is None or is_for_everyone(before, today):
            raise InvalidRecord("Every office has estimates already, so there is no pilot to end.")
        named = [one if one.is_in(today) else replace(one, starts=today) for one in before.offices if one.office]
        return RolloutChange.WIDENED, Rollout((*named, OfficePlan("", Group.EVERYONE, today)))

    return workspace.store.rollouts.end(market_id, ended, given, workspace.actor)


def is_for_everyone(rollout: Rollout, on: date) -> bool:
    """Tell whether every office has estimates on a day, so that a pilot is over."""
    everyone = rollout.of_group(Group.EVERYONE)
    return bool(everyone) and all(one.is_in(on) for one in rollout.offices)


def control_at_once(plans: Sequence[OfficePlan], today: date, currency: str) -> str:
    """Say that offices to be compared with would have estimates at once, so that nothing could be; "" if none would."""
    named = [one.office.strip() for one in plans if one.group == Group.CONTROL and one.is_in(today)]
    if not named:
        return ""
    return (
        f"{', '.join(named)} would have estimates on {market_day(today, currency)}, so the pilot could not be compared "
        "with it. Choose a later start, or none."
    )


def take_back_change(workspace: Workspace, market_id: str, reason: str) -> RolloutRecord:
    """Bring back the rollout from before its last change; called again, the one from before the change before that.

    Raises AccessDenied, ReasonNeeded, NotFound, InvalidRecord without a change to take back, StoreUnavailable.
    """
    workspace.require(Action.MANAGE_PILOT)
    return workspace.store.rollouts.take_back(market_id, reason_for(_TO_CHANGE, reason), workspace.actor)


def nobody_has_estimates(workspace: Workspace, market: Market) -> str:
    """Say that a rollout keeps estimates from every office today, "" if it does not; raises StoreUnavailable."""
    rollout, today = workspace.store.rollouts.current(market.market_id), workspace.today(market)
    if rollout is None or any(one.is_in(today) for one in rollout.offices):
        return ""
    return rollout_words(rollout, today, market.currency)


def gap_before(rollout: Rollout | None, starts: date, today: date, currency: str) -> str:
    """Say that a first pilot keeps estimates from every office until its start, "" if it does not."""
    if rollout is not None or starts <= today:
        return ""
    return (
        f"Until {market_day(starts, currency)}, no office has estimates: those named here start then, and all others "
        f"wait. Choose {market_day(today, currency)} or earlier to give them estimates today."
    )


def shared_days(rollout: Rollout | None, starts: date, today: date, currency: str) -> str:
    """Say that a first pilot has a start day on which every office had estimates; "" if it is not."""
    if rollout is not None or starts >= today:
        return ""
    return (
        f"From {market_day(starts, currency)} until today every office had estimates, so those days show nothing of "
        f"what estimates do. Choose {market_day(today, currency)} to compare from today on."
    )


def rollout_words(rollout: Rollout | None, today: date, currency: str) -> str:
    """Write in a sentence who has estimates on a day."""
    if rollout is None:
        return "Every office has estimates; no pilot is set."
    everyone = next((one for one in rollout.offices if one.group == Group.EVERYONE), None)
    inside = [one.office for one in rollout.offices if one.office and one.is_in(today)]
    if everyone is not None and everyone.is_in(today):
        held = [one.office for one in rollout.offices if one.office and not one.is_in(today)]
        return f"Every office has estimates but {', '.join(held)}." if held else "Every office has estimates."
    later = f" Everyone else starts on {market_day(everyone.starts, currency)}." if everyone and everyone.starts else ""
    if not inside:
        return f"No office has estimates today.{later}"
    return f"{'These offices have' if len(inside) > 1 else 'One office has'} estimates: {', '.join(inside)}.{later}"


def whose_day(market: Market, today: date) -> str:
    """Say in a sentence by whose day start dates count, and which day that is now."""
    if market.simulated:
        now = market_day(today, market.currency)
        return f"In this simulated market it is {now}, the day after its latest sale, and that day counts."
    return f"Days count in UTC, where it is {market_day(today, market.currency)}."


def rollout_form(market: Market, rollout: Rollout | None, today: date) -> dict[str, Any]:
    """Return a rollout as JSON values: its offices, with whether each has estimates today."""
    offices = [
        {"office": one.office or None, "group": one.group, "starts": one.starts, "in": one.is_in(today)}
        for one in (rollout.offices if rollout else ())
    ]
    form = {
        "market": market.market_id,
        "simulated": market.simulated,
        "as_of": today,
        "whose_day": whose_day(market, today),
        "set": rollout is not None,
        "words": rollout_words(rollout, today, market.currency),
        "offices": offices,
    }
    return plain_document(form, "rollout")


def _reason(reason: str, besides: str) -> str:
    """Return the reason as kept; raises ReasonNeeded, which says ``besides`` too, so that all is missed at once."""
    try:
        return reason_for(_TO_CHANGE, reason)
    except ReasonNeeded as error:
        raise ReasonNeeded(f"{besides} {error}".strip()) from error


def _name(plan: OfficePlan) -> str:
    name = " ".join(plain_text(plan.office).split())
    if plan.group == Group.EVERYONE:
        if name:
            raise InvalidRecord(f"“Everyone” is all other offices, so it has no name; leave out {name!r}.")
        return ""
    if not office_key(name):
        raise InvalidRecord(f"{plan.office!r} does not name an office; write its name in letters or digits.")
    if len(name) > NAME_MAX:
        raise InvalidRecord(f"The office's name has {len(name)} characters; use at most {NAME_MAX}.")
    return name


def _not_yet(actor: Actor, place: OfficePlan | None, market: Market, today: date) -> str:
    if not office_key(actor.office) and not (place and place.starts):
        return (
            "Your account names no office, so it is not in the pilot of estimates. Ask a manager to name your office; "
            "on a computer without login, act as a manager."
        )
    subject = f"Your office, {actor.office}, is" if office_key(actor.office) else "You are"
    if place is None or place.starts is None:
        return f"{subject} not yet in the pilot of estimates, and no start date is set; ask a manager when it starts."
    starts = market_day(place.starts, market.currency)
    return f"{subject} not yet in the pilot of estimates; it starts on {starts}. {whose_day(market, today)}"
