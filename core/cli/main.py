"""The command line: every capability without a browser, for people and for scripts.

A verb's arguments are defined next to its handler. Handlers import what they need when called, so that ``--help`` and
usage errors stay fast.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

from core.access import Actor, Role
from core.cli import api, data, models, monitoring, operations, pilot, pricing, scrutiny, versions
from core.cli.examples import examples_of
from core.cli.roles import LONG, role_for
from core.cli.session import FAILED, OK, WRONG_USAGE, Handler, Session
from core.cli.values import quoted
from core.errors import DoorstepError, PriceGivenAway, ProblemStatementError, WrongUsage, in_full
from core.installation import program, version

_ARGUMENT_MAX: Final = 4_096
_EXAMPLES: Final = """examples:
  {program} demo
  {program} ingest sales.csv tax.csv --market Springfield --currency USD
  {program} ingest may.csv --write-mapping may.json --map "Selling Date=sale_date"
  {program} ingest june.csv --mapping may.json --market springfield
  {program} cut statewide.csv.gz --by County --into counties
  {program} ingest-pieces counties
  {program} versions --market springfield
  {program} undo-version VERSION --reason "the wrong county"
  {program} use-version VERSION
  {program} train --market springfield
  {program} price --market springfield --set zipcode=98103 living_area_sqft=1680 bedrooms=3
  {program} price --market springfield --csv listings.csv --json
  {program} models --market springfield
  {program} retrain --market springfield --window months=24
  {program} promote MODEL --reason "better on luxury homes"
  {program} reject MODEL --reason "worse on condos"
  {program} rollback --market springfield --reason "bias in the north"
  {program} watch --market springfield
  {program} ledger ledger.csv --market springfield --since 2025-01-01
  {program} pilot --market springfield --add North --start 2026-12-01 --reason "first office"
  {program} worker
  {program} jobs --open
  {program} create-key "MLS feed" --office North
  {program} serve

exit codes: 0 done, 1 refused or failed (one line on standard error says why), 2 wrong usage,
3 no price estimate available"""


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    try:
        _refuse_unreadable(arguments)
        options = command_parser().parse_args(arguments)
        options.check(options)
        return _run(options)
    except WrongUsage as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_USAGE
    except DoorstepError as error:
        print(f"error: {in_full(error)}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("error: interrupted; unfinished work was discarded.", file=sys.stderr)
        return FAILED


def _refuse_unreadable(arguments: Sequence[str]) -> None:
    """Raise WrongUsage for an argument that cannot be printed or stored as text, or that is too long to be meant."""
    for number, argument in enumerate(arguments, 1):
        if len(argument) > _ARGUMENT_MAX:
            raise WrongUsage(
                f"Argument {number}, {quoted(argument)}, has {len(argument):,} characters; the limit is "
                f"{_ARGUMENT_MAX:,}. Shorten it."
            )
        # A byte that is not UTF-8 reaches Python as half of a surrogate pair.
        if any("\ud800" <= character <= "\udfff" for character in argument):
            raise WrongUsage(f"Argument {number} is not UTF-8 text; type it again, or rename the file.")


def _run(options: argparse.Namespace) -> int:
    from core.problem import load_problem
    from core.store import open_store
    from core.workspace import Workspace

    role = Role(options.role) if options.role else role_for(options.verb)
    problem, actor = load_problem(), Actor(options.actor, role)
    with options.around(options), _processors(options.verb), open_store(options.home) as store:
        session = Session(Workspace(store, problem, actor), options)
        try:
            return int(options.run(session))
        except PriceGivenAway as error:
            raise versions.without_price(session, error) from error


def _processors(verb: str) -> AbstractContextManager[None]:
    """Return the context in which long work finds its processors: a cluster, where one is set."""
    if verb not in LONG:
        return nullcontext()
    from core.parallel.cluster import on_cluster

    return on_cluster()


class _ShowVersion(argparse.Action):
    """Shows the version on request; argparse's own action would read it from its file whenever the parser is built."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print the version and exit."""
        print(f"doorstep {version()}")
        parser.exit(OK)


class _ShowHelp(argparse.Action):
    """Shows the help on request, and says on standard error if the problem statement is broken."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print the help and exit."""
        from core.problem import load_problem

        parser.print_help()
        try:
            load_problem()
        except ProblemStatementError as error:
            print(f"warning: {error}", file=sys.stderr)
        parser.exit(OK)


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs and their options."""
    program = _program()
    parser = argparse.ArgumentParser(
        prog=program,
        description="Doorstep: from sales files to a priced home.",
        epilog=_EXAMPLES.format(program=program),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    _add_help(parser)
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    verbs, common = parser.add_subparsers(required=True, metavar="VERB"), _common_options()

    def verb(name: str, help_text: str, run: Handler) -> argparse.ArgumentParser:
        added = verbs.add_parser(
            name,
            help=help_text,
            description=f"{help_text[:1].upper()}{help_text[1:]}.",
            epilog=examples_of(name, program),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[common],
            add_help=False,
        )
        added.set_defaults(run=run, check=_accept, around=nullcontext, verb=name)
        return added

    for group in (data, versions, scrutiny, models, pricing, monitoring, pilot, api, operations):
        group.add_verbs(verb)
    return parser


def _common_options() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    _add_help(common)
    common.add_argument("--home", type=Path, help="folder of the store (default: DOORSTEP_HOME, else ./var)")
    common.add_argument("--json", action="store_true", help="print the result as JSON")
    common.add_argument("--quiet", action="store_true", help="no progress on standard error")
    common.add_argument("--actor", default=_user(), help="name for the audit trail (default: %(default)s)")
    common.add_argument(
        "--role",
        choices=[role.value for role in Role],
        help="role to act in, which decides what is allowed (default: the least that may do this)",
    )
    return common


def _add_help(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-h", "--help", action=_ShowHelp, nargs=0, help="show this help and exit")


def _accept(_: argparse.Namespace) -> None:
    """Check nothing: the check of verbs whose options never contradict one another."""


def _program() -> str:
    """Return how the command line was called: by its own name once installed, else through Python."""
    return "doorstep" if Path(sys.argv[0]).name == "doorstep" else program()


def _user() -> str:
    try:
        return getpass.getuser()
    except OSError:
        return "unknown"
