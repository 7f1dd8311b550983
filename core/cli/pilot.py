"""The verb of the pilot: which offices have estimates, and what came of it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from core.access import REASON_MIN
from core.cli.session import OK, AddVerb, Session, add_market
from core.cli.values import calendar_day
from core.errors import WrongUsage

if TYPE_CHECKING:
    from core.store import Market
    from core.store.operations.rollouts import RolloutRecord

_CHANGES: Final = ("add", "everyone", "end", "stop", "take_back")


def add_verbs(verb: AddVerb) -> None:
    """Declare the verb and its arguments."""
    pilot = verb("pilot", "show which offices have estimates, or change it", _pilot)
    add_market(pilot)
    change = pilot.add_mutually_exclusive_group()
    change.add_argument("--add", nargs="+", metavar="OFFICE", help="give these offices estimates from --start on")
    change.add_argument("--everyone", action="store_true", help="give all other offices estimates from --start on")
    change.add_argument(
        "--end", action="store_true", help="end the pilot: everyone has estimates, and its report stays"
    )
    change.add_argument("--stop", action="store_true", help="take estimates from all offices but those of --keep")
    change.add_argument("--take-back", action="store_true", help="bring back what was before the last change")
    days = "first day with estimates, by the market's day: that in UTC, and in a simulated market its own"
    pilot.add_argument("--start", type=calendar_day, metavar="YYYY-MM-DD", help=days)
    pilot.add_argument(
        "--control", action="store_true", help="the offices of --add are compared with; without --start they wait"
    )
    pilot.add_argument("--keep", nargs="+", metavar="OFFICE", default=[], help="offices that --stop leaves as they are")
    pilot.add_argument("--reason", default="", help=f"why, in at least {REASON_MIN} characters; every change needs one")
    pilot.add_argument("--anyway", action="store_true", help="make a change that the command asks about first")
    pilot.add_argument("--report", action="store_true", help="add what came of it so far")
    pilot.set_defaults(check=_check)


def _check(options: argparse.Namespace) -> None:
    changed = [name for name in _CHANGES if getattr(options, name)]
    adds = options.add or options.everyone
    if changed and not options.reason.strip():
        raise WrongUsage(f"--{changed[0].replace('_', '-')} needs --reason; say why in a few words.")
    if not changed and options.reason:
        raise WrongUsage("--reason has no effect without a change; name one, such as --add OFFICE.")
    if adds and options.start is None and not options.control:
        raise WrongUsage("--start is missing; give the first day with estimates, such as --start 2026-12-01.")
    if options.start is not None and not adds:
        raise WrongUsage("--start has no effect without --add or --everyone.")
    if options.control and not options.add:
        raise WrongUsage("--control has no effect without --add.")
    if options.anyway and not (adds or options.stop):
        raise WrongUsage("--anyway has no effect without --add, --everyone or --stop.")
    if options.keep and not options.stop:
        raise WrongUsage("--keep has no effect without --stop.")


def _pilot(session: Session) -> int:
    from core.workflows.pilot.rollout import change_words, rollout_form, rollout_of

    workspace, market = session.workspace, session.market()
    changed = _change(session, market)
    today = workspace.today(market)
    form: dict[str, Any] = rollout_form(market, rollout_of(workspace, market.market_id), today)
    report = _report(session, market) if session.options.report else None
    if session.options.report:
        form |= {"report": report[0] if report else None}

    def text() -> str:
        lines = [f"{market.market_id}: {change_words(changed, today).lower()}"] if changed else []
        lines += [form["words"], *map(_line, form["offices"]), form["whose_day"]]
        if session.options.report:
            lines += report[1] if report else ["no office of the pilot has a start date, so there is nothing to report"]
        return "\n".join(lines)

    session.print_result(form, text)
    return OK


def _change(session: Session, market: Market) -> RolloutRecord | None:
    from core.states import Group
    from core.store.operations.rollouts import OfficePlan
    from core.workflows.pilot.doubts import doubts_of_adding, doubts_of_stopping
    from core.workflows.pilot.rollout import add_offices, end_pilot, stop_offices, take_back_change
    from core.workflows.pricing.answers import offices

    options, workspace = session.options, session.workspace
    if options.add or options.everyone:
        group = Group.EVERYONE if options.everyone else Group.CONTROL if options.control else Group.PILOT
        plans = [OfficePlan(name, group, options.start) for name in options.add or [""]]
        _ask(session, doubts_of_adding(workspace, market, plans, offices(workspace, market.market_id)))
        return add_offices(workspace, market.market_id, plans, options.reason)
    if options.end:
        return end_pilot(workspace, market.market_id, options.reason)
    if options.stop:
        _ask(session, doubts_of_stopping(options.keep))
        return stop_offices(workspace, market.market_id, options.keep, options.reason)
    if options.take_back:
        return take_back_change(workspace, market.market_id, options.reason)
    return None


def _ask(session: Session, doubts: Sequence[str]) -> None:
    """Raise WrongUsage with what a change would do that hardly anybody means, unless it is wanted anyway."""
    if doubts and not session.options.anyway:
        raise WrongUsage(f"{' '.join(doubts)} Nothing was changed; to do it, add --anyway.")


def _report(session: Session, market: Market) -> tuple[dict[str, Any], list[str]] | None:
    from core.workflows.pilot.report import pilot_report, report_form, report_lines

    found = pilot_report(session.workspace, market.market_id)
    return None if found is None else (report_form(found), report_lines(found))


def _line(one: dict[str, Any]) -> str:
    starts = one["starts"] or "no start date"
    return f"  {one['office'] or 'everyone else'}: {one['group']}, {starts}, {'in' if one['in'] else 'not in'}"
