"""Days, ISO weeks and months in UTC: the windows of all monitoring figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from core.states import Period
from core.wording import day, market_day


@dataclass(frozen=True)
class Window:
    """One day, ISO week (from Monday) or month, from ``start`` to before ``end``, both UTC midnights with time zone."""

    period: Period
    start: datetime
    end: datetime

    @property
    def key(self) -> str:
        """The window's name in tables and URLs: "2024-03-07", "2024-W10" or "2024-03"; sorts by time."""
        if self.period is Period.DAY:
            return f"{self.start:%Y-%m-%d}"
        if self.period is Period.WEEK:
            year, week, _ = self.start.isocalendar()
            return f"{year}-W{week:02d}"
        return f"{self.start:%Y-%m}"

    @property
    def label(self) -> str:
        """The window's name for people: "7 Mar 2024", "week of 4 Mar 2024" or "Mar 2024"."""
        return self.label_in("")

    def label_in(self, currency: str) -> str:
        """The window's name as people of a market write its days: "Mar 7, 2024", "week of Mar 4, 2024", "Mar 2024"."""
        if self.period is Period.MONTH:
            return day(self.start.date()).split(" ", 1)[1]
        words = market_day(self.start.date(), currency)
        return words if self.period is Period.DAY else f"week of {words}"

    def holds(self, when: datetime | date) -> bool:
        """Tell whether an instant or a calendar date falls in the window."""
        return self.start <= _instant(when) < self.end

    def is_over(self, now: datetime) -> bool:
        """Tell whether the window is complete at an instant."""
        return self.end <= _instant(now)


def window_of(when: datetime | date, period: Period) -> Window:
    """Return the window of an instant or a calendar date; raises ValueError for an instant without a time zone."""
    midnight = _instant(when).replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.DAY:
        return Window(period, midnight, midnight + timedelta(days=1))
    if period is Period.WEEK:
        monday = midnight - timedelta(days=midnight.weekday())
        return Window(period, monday, monday + timedelta(days=7))
    first = midnight.replace(day=1)
    return Window(period, first, (first + timedelta(days=32)).replace(day=1))


def window_named(key: str) -> Window:
    """Return the window of a key written by ``Window.key``; raises ValueError with the key and the valid formats."""
    try:
        if "W" in key:
            year, week = key.split("-W")
            found = window_of(date.fromisocalendar(int(year), int(week), 1), Period.WEEK)
        elif key.count("-") == 1:
            found = window_of(date.fromisoformat(f"{key}-01"), Period.MONTH)
        else:
            found = window_of(date.fromisoformat(key), Period.DAY)
    except ValueError as error:
        raise _unnamed(key) from error
    if found.key != key:
        raise _unnamed(key)
    return found


def windows(first: datetime | date, last: datetime | date, period: Period) -> tuple[Window, ...]:
    """Return every window from that of ``first`` to that of ``last``, in order, including empty ones."""
    return tuple(_from(window_of(first, period), window_of(last, period).start))


def earlier(window: Window) -> Window:
    """Return the previous window."""
    return window_of(window.start - timedelta(days=1), window.period)


def later(window: Window) -> Window:
    """Return the next window."""
    return window_of(window.end, window.period)


def _from(window: Window, last: datetime) -> Iterator[Window]:
    while window.start <= last:
        yield window
        window = later(window)


def _instant(when: datetime | date) -> datetime:
    if not isinstance(when, datetime):
        return datetime(when.year, when.month, when.day, tzinfo=UTC)
    if when.tzinfo is None:
        raise ValueError(f"{when} has no time zone; windows are in UTC, so give an instant with a time zone, or a date")
    return when.astimezone(UTC)


def _unnamed(key: str) -> ValueError:
    return ValueError(f"{key!r} is not a window; write a day as 2024-03-07, a week as 2024-W10 or a month as 2024-03")
