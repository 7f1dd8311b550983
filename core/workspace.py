"""What day it is in a market: today, or, where the market is simulated, the day its story has come to."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from core.store import Market, Store


def clock_of(store: Store, market: Market, today: date) -> date:
    """Return the market's day: ``today`` (UTC); of a simulated market the day after its latest sale.

    A simulated market without sales is at ``today`` too. Opens no model. Raises StoreError leaves.
    """
    if not market.simulated:
        return today
    version = store.versions.latest(market.market_id)
    return _day_after(version.last_sale if version else None, today)


def clock_at(store: Store, market: Market, instant: datetime) -> date:
    """Return what day it was in the market at an instant: by the data versions in use that were there by then."""
    if not market.simulated:
        return instant.date()
    known = [one.last_sale for one in store.versions.chain(market.market_id) if one.created_at <= instant]
    return _day_after(known[0] if known else None, instant.date())


def _day_after(last_sale: date | None, otherwise: date) -> date:
    return otherwise if last_sale is None else last_sale + timedelta(days=1)
