"""What every verb works with: the store, the problem statement, who is acting, and how results are printed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from core.access import Actor
from core.errors import NotFound
from core.progress import Progress, silent

if TYPE_CHECKING:
    from core.problem import Problem
    from core.store import Market, Store

OK: Final = 0
FAILED: Final = 1
UNPRICED: Final = 3


class Session:
    """What a command works with: store, problem statement, actor and its options."""

    def __init__(self, store: Store, problem: Problem, actor: Actor, options: argparse.Namespace) -> None:
        self.store, self.problem, self.actor, self.options = store, problem, actor, options

    def market(self) -> Market:
        """Return the market named, or the only one there is."""
        markets = self.store.markets.list()
        wanted = self.options.market
        found = [market for market in markets if wanted in (None, market.market_id, market.name)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(market.market_id for market in markets) or "none yet"
        what = f"There is no market {wanted!r}" if wanted else "Name a market with --market"
        raise NotFound(f"{what}; markets in the store: {known}.")

    def progress(self) -> Progress:
        """Report on standard error, so that standard output stays the result alone."""
        if self.options.quiet:
            return silent
        return report

    def print_result(self, document: dict[str, Any], text: Callable[[], str]) -> None:
        """Print the result as JSON or as text."""
        print(json.dumps(document, indent=2, default=str) if self.options.json else text())


def report(fraction: float, message: str) -> None:
    """Report progress on standard error."""
    print(f"{fraction:4.0%}  {message}", file=sys.stderr, flush=True)


def today() -> date:
    """Return the day in UTC."""
    return datetime.now(UTC).date()


Handler = Callable[[Session], int]
"""Does what a verb is for and returns the exit code."""

AddVerb = Callable[[str, str, Handler], argparse.ArgumentParser]
"""Adds a verb with its help text and handler; returns its parser for its own arguments."""
