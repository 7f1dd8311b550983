"""What a use case works with: the store, the problem statement in use, the actor, and the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from core.access import Action, Actor, require
from core.problem import Problem
from core.store import Market, Store
from core.wording import market_day as day_words

Clock = Callable[[], datetime]
"""Returns the current instant in UTC."""


def utc_now() -> datetime:
    """Return the current instant in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Workspace:
    """What one person or process works with; every use case takes it as its first argument.

    The demo city's story and tests replace ``clock`` to simulate time.
    """

    store: Store
    problem: Problem
    actor: Actor
    clock: Clock = utc_now

    def require(self, action: Action) -> None:
        """Raise AccessDenied unless the actor's role allows the action."""
        require(self.actor, action)

    def utc_today(self) -> date:
        """Return the calendar day in UTC."""
        return self.clock().date()

    def today(self, market: Market) -> date:
        """Return the market's current day: today (UTC) or, in a simulated market, the day after its latest sale.

        A simulated market without sales is at the day in UTC too. Opens no model. Raises StoreError leaves.
        """
        if not market.simulated:
            return self.utc_today()
        version = self.store.versions.latest(market.market_id)
        return _day_after(version.last_sale if version else None, self.utc_today())

    def acting_as(self, actor: Actor) -> Workspace:
        """Return the workspace with another actor."""
        return replace(self, actor=actor)

    def at(self, day: date) -> Workspace:
        """Return the workspace with its clock stopped at the start of a day (UTC)."""
        instant = datetime.combine(day, time(), UTC)
        return replace(self, clock=lambda: instant)


def market_day(store: Store, market: Market, instant: datetime) -> date:
    """Return the market's day at a past instant, from the data versions in use at that time."""
    return market_days(store, market)(instant)


def market_days(store: Store, market: Market) -> Callable[[datetime], date]:
    """Return what tells the market's day at any past instant; the store is read once, and only if it is simulated."""
    if not market.simulated:
        return lambda instant: instant.astimezone(UTC).date()
    chain = store.versions.chain(market.market_id)

    def day_at(instant: datetime) -> date:
        known = (one.last_sale for one in chain if one.created_at <= instant)
        return _day_after(next(known, None), instant.astimezone(UTC).date())

    return day_at


def clock_note(market: Market, today: date) -> str:
    """Say which day it is in a simulated market; "" for others."""
    if not market.simulated:
        return ""
    when = day_words(today, market.currency)
    return f"In this simulated market, it is {when}. Times with UTC are those of the computer that runs it."


def _day_after(last_sale: date | None, otherwise: date) -> date:
    return otherwise if last_sale is None else last_sale + timedelta(days=1)
