"""What a manager is asked before a change of a pilot is made: what it would do that hardly anybody means."""

from __future__ import annotations

from collections.abc import Sequence

from core.store import Market
from core.store.operations.rollouts import OfficePlan
from core.wording import either
from core.workflows.pilot.rollout import control_at_once, gap_before, rollout_of, shared_days, unheard_of
from core.workspace import Workspace


def doubts_of_adding(
    workspace: Workspace, market: Market, plans: Sequence[OfficePlan], known: Sequence[str]
) -> tuple[str, ...]:
    """Return what to ask before offices are added, a sentence each: unknown names, days that leave or show nothing.

    ``known`` are the offices that have had an estimate. Raises AccessDenied, StoreUnavailable.
    """
    rollout, today = rollout_of(workspace, market.market_id), workspace.today(market)
    days = sorted({one.starts for one in plans if one.starts is not None})
    doubts = [_unheard([one.office for one in plans], known)]
    doubts += [doubt(rollout, day, today, market.currency) for day in days for doubt in (gap_before, shared_days)]
    doubts.append(control_at_once(plans, today, market.currency))
    return tuple(filter(None, doubts))


def doubts_of_stopping(keep: Sequence[str]) -> tuple[str, ...]:
    """Return what to ask before estimates are taken from all offices but those of ``keep``."""
    return () if keep else ("No office and no agent would have estimates.",)


def _unheard(named: Sequence[str], known: Sequence[str]) -> str:
    strange = unheard_of(named, known)
    if not strange:
        return ""
    return f"No agent of {either(strange)} has had an estimate yet. Offices that had one: {', '.join(known)}."
