"""Where a market stands, for its manager: one sentence, the one step that helps, and how agents use the estimates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.evaluate.card.headline import headline_of
from core.evaluate.targets import Verdict
from core.monitor.gate import GateVerdict
from core.monitor.rules import RULE_OF, AlertKind
from core.monitor.windows import window_named
from core.problem import Problem
from core.store import ModelRecord
from core.store.operations.alerts import AlertRecord
from core.wording import count, days
from core.workflows.models.floor import target_verdict
from core.workflows.models.gate import gate_on, reason_needed
from core.workflows.overview import Overview, attention
from core.workspace import Workspace


class Step(StrEnum):
    """The one step that helps most."""

    UPLOAD = "upload"
    TRAIN = "train"
    RETRAIN = "retrain"
    COMPARE = "compare"
    ALERTS = "alerts"
    WATCH = "watch"


@dataclass(frozen=True)
class Standing:
    """Where a market stands: ``sentence`` is plain text, ``good`` tells that nothing has to be done."""

    sentence: str
    step: Step
    good: bool = False


@dataclass(frozen=True)
class Decided:
    """Agents' decisions that count: how many accepted the estimate, of how many in all."""

    accepted: int
    decisions: int

    @property
    def share(self) -> float | None:
        """The share accepted, from 0 to 1; None before the first decision."""
        return self.accepted / self.decisions if self.decisions else None


def standing_of(seen: Overview, problem: Problem) -> Standing:
    """Say in one sentence how the live model does and what helps, from what ``overview`` read."""
    if seen.version is None:
        return Standing(attention(seen, problem)[0], Step.UPLOAD)
    if seen.champion is None:
        enough = seen.version.rows >= problem.training.sales_min
        return Standing(attention(seen, problem)[0], Step.TRAIN if enough else Step.UPLOAD)
    trouble = _trouble(seen, seen.champion, problem)
    if trouble:
        remedy, step = _remedy(seen.challenger, seen.champion.model_id)
        return Standing(f"{trouble}; {remedy}.", step)
    others = [one for one in seen.watched.alerts if not RULE_OF[AlertKind(one.kind)].of_the_model]
    if others:
        words = ", ".join(dict.fromkeys(RULE_OF[AlertKind(one.kind)].title for one in others))
        return Standing(f"{count(len(others), 'alert')} not resolved: {words}.", Step.ALERTS)
    if _is_better(seen.challenger, seen.champion.model_id):
        return Standing("The live model is in order, and a better one is ready.", Step.COMPARE)
    return Standing("The live model is in order; there is nothing to do.", Step.WATCH, good=True)


def decided(workspace: Workspace, market_id: str) -> Decided:
    """Count a market's decisions of all time; raises NotFound, StoreUnavailable."""
    kinds = workspace.store.agent_decisions.kinds(market_id)
    return Decided(kinds.get("accept", 0), sum(kinds.values()))


_ERROR: Final = (AlertKind.TARGET_MISSED, AlertKind.ERROR_HIGH)


def _trouble(seen: Overview, live: ModelRecord, problem: Problem) -> str:
    """Return what a newer model may mend, worst first, as the first half of a sentence; "" if nothing."""
    missed = _since(seen.watched.alerts, _ERROR)
    if missed is not None:
        return f"The live model has missed its target{missed}"
    off = _since(seen.watched.alerts, (AlertKind.COVERAGE_OFF,))
    if off is not None:
        return f"The live model’s range has been off{off}"
    return _trouble_outside_use(seen, live, problem)


def _trouble_outside_use(seen: Overview, live: ModelRecord, problem: Problem) -> str:
    """Return what the test or the calendar says against the live model; "" if nothing."""
    verdict = target_verdict(headline_of(live.card)["mape"], problem)
    if verdict is Verdict.FAIL:
        return "The live model misses its target on its test sales"
    if seen.age > seen.retrain_after:
        limit = days(seen.retrain_after)
        return f"The live model was trained {days(seen.age)} ago, past the limit of {limit}"
    of_the_model = [one for one in seen.watched.alerts if RULE_OF[AlertKind(one.kind)].of_the_model]
    if of_the_model:
        return f"The live model has an alert ({RULE_OF[AlertKind(of_the_model[0].kind)].title})"
    if seen.version is not None and live.version_id != seen.version.version_id:
        return "New sales have arrived since the live model was trained"
    if verdict is Verdict.INCONCLUSIVE:
        return "The test cannot tell whether the live model meets its target"
    return ""


def _since(alerts: Iterable[AlertRecord], kinds: tuple[AlertKind, ...]) -> str | None:
    """Return " since May 2025" for the earliest alert on the whole market of these kinds; None without one."""
    found = [one for one in alerts if one.kind in kinds and not one.segment]
    if not found:
        return None
    starts = [window_named(str(key)) for one in found if (key := one.document["reading"].get("since"))]
    return f" since {min(starts, key=lambda one: one.start).label}" if starts else ""


def _remedy(challenger: ModelRecord | None, live_id: str) -> tuple[str, Step]:
    if challenger is None:
        return "a newer one may do better", Step.RETRAIN
    if _is_better(challenger, live_id):
        return "a better one is ready", Step.COMPARE
    gated = gate_on(challenger)
    if gated is not None and gated.champion_id == live_id and gated.gate.verdict is GateVerdict.FAIL:
        return "its challenger is no better", Step.RETRAIN
    return "nobody can tell yet whether its challenger is better", Step.COMPARE


def _is_better(challenger: ModelRecord | None, live_id: str) -> bool:
    return challenger is not None and not reason_needed(gate_on(challenger), live_id)
