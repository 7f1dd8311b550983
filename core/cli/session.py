"""What every verb works with: the workspace, the options, and the printing of results."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.cli.values import quoted
from core.errors import InvalidRecord, NotFound
from core.installation import program
from core.progress import Progress, silent

if TYPE_CHECKING:
    from core.store import Market
    from core.workflows.standing import Standing
    from core.workspace import Workspace

OK: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
UNPRICED: Final = 3

_ID_SHORTEST: Final = 4
"""How much of an id must be given: less is a slip."""

_NAMED_MOST: Final = 10
"""How many markets a message names: a longer list is a wall."""

_MARKET: Final = "id or name of the market (default: the only one)"


class Session:
    """The workspace and options of a command."""

    def __init__(self, workspace: Workspace, options: argparse.Namespace) -> None:
        self.workspace, self.options = workspace, options

    def market(self) -> Market:
        """Return the given market, or the only one."""
        markets = self.workspace.store.markets.list()
        wanted = self.options.market
        found = [market for market in markets if wanted in (None, market.market_id, market.name)]
        if len(found) == 1:
            from core.workflows.columns.names import use_names_of

            use_names_of(self.workspace.store, found[0].market_id)
            return found[0]
        what = f"There is no market {quoted(wanted)}" if wanted is not None else "Name a market with --market"
        raise NotFound(f"{what}; {_known_markets(markets, wanted or '', self.options.home)}.")

    def version_id(self, typed: str) -> str:
        """Return the id of the data version whose id begins as typed; see whole_id."""
        store = self.workspace.store
        listed = (store.versions.list(market.market_id) for market in store.markets.list())
        return whole_id(typed, [one.version_id for versions in listed for one in versions], "data versions")

    def model_id(self, typed: str) -> str:
        """Return the id of the model whose id begins as typed; see whole_id."""
        store = self.workspace.store
        listed = (store.models.list(market.market_id) for market in store.markets.list())
        return whole_id(typed, [one.model_id for models in listed for one in models], "models")

    def standing(self, market: Market) -> Standing:
        """Return where a market stands: without --role, whoever runs a command owns the files and may take any step."""
        from core.workflows.overview import overview
        from core.workflows.standing import standing_now, standing_of

        if self.options.role:
            return standing_now(self.workspace, market)
        return standing_of(overview(self.workspace, market), self.workspace.problem)

    def progress(self) -> Progress:
        """Report on standard error, so that standard output has only the result."""
        if self.options.quiet:
            return silent
        return once(report)

    def say(self, words: str) -> None:
        """Say something before the work begins, on standard error; nothing if there are no words."""
        if words and not self.options.quiet:
            print(words, file=sys.stderr, flush=True)

    def print_result(self, document: dict[str, Any], text: Callable[[], str]) -> None:
        """Print the result as JSON or as text."""
        print(json.dumps(document, indent=2, default=str) if self.options.json else text())


def _known_markets(markets: Sequence[Market], wanted: str, home: Path | None) -> str:
    """Name the markets of a store: of many only those called most like the one wanted, and how to list all."""
    if len(markets) <= _NAMED_MOST:
        return f"markets in the store: {', '.join(market.market_id for market in markets) or 'none yet'}"
    called = {name.casefold(): market.market_id for market in markets for name in (market.name, market.market_id)}
    near = dict.fromkeys(called[name] for name in get_close_matches(wanted.casefold(), [*called], 2 * _NAMED_MOST))
    nearest = f"the nearest are {', '.join([*near][:_NAMED_MOST])}; " if near else ""
    return f"{nearest}to list all {len(markets):,} markets: {command('markets', home)}"


def whole_id(typed: str, known: Collection[str], what: str) -> str:
    """Return the one of the known ids that begins as typed, or what was typed, where it is whole, short or begins none.

    Raises InvalidRecord where several ids, of ``what`` in the plural, begin so.
    """
    found = [one for one in known if one.startswith(typed)]
    if typed in found or len(typed) < _ID_SHORTEST:
        return typed
    if len(found) > 1:
        raise InvalidRecord(
            f"{len(found):,} {what} begin with {quoted(typed)}; give more of the id. Nothing was changed."
        )
    return found[0] if found else typed


def command(words: str, home: Path | None) -> str:
    """Return a command to copy, with the store that this one was given: without it, it would work in another."""
    return f"{program()} {words}" + (f" --home {shlex.quote(str(home))}" if home is not None else "")


def add_market(parser: argparse.ArgumentParser, help_text: str = _MARKET) -> None:
    """Add the option that names the market."""
    parser.add_argument("--market", help=help_text)


def once(progress: Progress) -> Progress:
    """Return a progress that leaves out a line which reads as the one before it."""
    written: list[str] = [""]

    def report_change(fraction: float, message: str) -> None:
        line = f"{fraction:.0%} {message}"
        if line != written[0]:
            written[0] = line
            progress(fraction, message)

    return report_change


def report(fraction: float, message: str) -> None:
    """Report progress on standard error."""
    # Work is not lost because nobody reads how far it is.
    with suppress(OSError):
        print(f"{fraction:4.0%}  {message}", file=sys.stderr, flush=True)


Handler = Callable[[Session], int]
"""Runs a verb and returns the exit code."""

AddVerb = Callable[[str, str, Handler], argparse.ArgumentParser]
"""Adds a verb with its help text and handler; returns its parser for its own arguments."""
