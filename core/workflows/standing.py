"""Where a market stands, for its manager: one sentence, the one step that helps, and how agents use the estimates."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.evaluate.card.headline import headline_of
from core.evaluate.scope import ScopeBasis
from core.evaluate.targets import Verdict
from core.monitor.cause import hardest_hit
from core.monitor.gate import GateVerdict
from core.monitor.rules import RULE_OF, AlertKind
from core.monitor.windows import window_named
from core.problem import Problem
from core.store import ModelRecord
from core.store.operations.alerts import AlertRecord
from core.wording import bound, count, days, percent
from core.workflows.models.floor import target_verdict
from core.workflows.models.gate import GATE, gate_on, reason_needed
from core.workflows.overview import ERROR_KINDS, Overview, Watched, attention
from core.workspace import Workspace


class Step(StrEnum):
    """The one step that helps most."""

    UPLOAD = "upload"
    TRAIN = "train"
    RETRAIN = "retrain"
    COMPARE = "compare"
    ALERTS = "alerts"
    SIGN = "sign"
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
        return _in_trouble(seen, seen.champion, trouble, problem)
    others = [one for one in seen.watched.alerts if not RULE_OF[AlertKind(one.kind)].of_the_model]
    if others:
        words = ", ".join(dict.fromkeys(RULE_OF[AlertKind(one.kind)].title for one in others))
        return Standing(f"{count(len(others), 'alert')} not resolved: {words}.", Step.ALERTS)
    if _is_better(seen.challenger, seen.champion.model_id) and not seen.against:
        return Standing("The live model is in order, and a better one is ready.", Step.COMPARE)
    return _in_order(seen)


def _in_trouble(seen: Overview, live: ModelRecord, trouble: str, problem: Problem) -> Standing:
    remedy, step = _remedy(seen, live.model_id, problem)
    if step is Step.RETRAIN and _is_of_the_latest_sales(seen, live):
        return _nothing_to_learn_from(seen, trouble)
    return Standing(f"{trouble}; {remedy}.", step)


def _is_of_the_latest_sales(seen: Overview, live: ModelRecord) -> bool:
    """Tell whether the live model was retrained on the sales there are, so that retraining would not change it."""
    return GATE in live.card and seen.version is not None and live.version_id == seen.version.version_id


def _nothing_to_learn_from(seen: Overview, trouble: str) -> Standing:
    """Say what helps a model that another retraining would leave as it is."""
    why = f"{trouble}, and it was retrained on the latest sales"
    if _is_unsigned(seen):
        return Standing(f"{why}: sign the scope in which it holds, and bring newer sales.", Step.SIGN)
    return Standing(f"{why}: bring newer sales, or more facts of the homes.", Step.UPLOAD)


def _is_unsigned(seen: Overview) -> bool:
    return seen.scope is not None and seen.scope.basis is not ScopeBasis.SIGNED


def _in_order(seen: Overview) -> Standing:
    """Say what is left to do for a live model that nothing speaks against."""
    unsigned = _is_unsigned(seen)
    if seen.watched.error is None and seen.models > 1:
        step = Step.SIGN if unsigned else Step.WATCH
        next_step = "sign its scope, and watch its first sales" if unsigned else "watch its first sales"
        return Standing(f"The live model is new, and no home it priced has a known sale yet: {next_step}.", step)
    if unsigned:
        return Standing("The live model is in order, but nobody has signed its scope.", Step.SIGN)
    return Standing("The live model is in order; there is nothing to do.", Step.WATCH, good=True)


def in_use_words(watched: Watched, problem: Problem) -> str:
    """Say how the live model does in use, beside its test: the error with its target, and the range."""
    if watched.error is None or watched.held is None:
        return "In use: no home it priced before listing has a known sale yet, so only the test speaks for it."
    error, target = watched.error, problem.success.target_mape
    since = _since(watched, ERROR_KINDS, problem)
    if since is not None:
        verdict = f"missed{since}"
    elif error.value <= target:
        verdict = "met"
    else:
        verdict = "above it, but not for long enough to open an alert"
    off = _since(watched, (AlertKind.COVERAGE_OFF,), problem)
    held = f"missed{off}" if off is not None else "no alert on it"
    ends = f"{percent(error.low, 1)} to {percent(error.high, 1)}, {count(error.n, 'sale')} priced before listing"
    return (
        f"In use: mean error {percent(error.value, 1)} ({ends}), target {bound(target)}: {verdict}. "
        f"The {percent(watched.level)} range held {percent(watched.held.value)}: {held}."
    )


def worst_homes(alerts: Iterable[AlertRecord]) -> str:
    """Return which homes the open alerts' cause says were hit hardest, as a sentence; "" if none does."""
    causes = (str(one.document["reading"].get("cause") or "") for one in alerts)
    return next((words for one in causes if (words := hardest_hit(one))), "")


def decided(workspace: Workspace, market_id: str, model_id: str | None = None) -> Decided:
    """Count the decisions of all time on a model's estimates, or on all; raises NotFound, StoreUnavailable."""
    kinds = workspace.store.agent_decisions.kinds(market_id, model_id)
    return Decided(kinds.get("accept", 0), sum(kinds.values()))


def _trouble(seen: Overview, live: ModelRecord, problem: Problem) -> str:
    """Return what a newer model may mend, worst first, as the first half of a sentence; "" if nothing."""
    missed = _since(seen.watched, ERROR_KINDS, problem)
    if missed is not None:
        return f"The live model has missed its target{missed}"
    off = _since(seen.watched, (AlertKind.COVERAGE_OFF,), problem)
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


def _since(watched: Watched, kinds: tuple[AlertKind, ...], problem: Problem) -> str | None:
    """Return " since May 2025" for the earliest alert on the whole market of these kinds; None without one.

    Where all months before it had too few sales to be judged, it says so: they may have been no better.
    """
    found = [one for one in watched.alerts if one.kind in kinds and not one.segment]
    if not found:
        return None
    starts = [window_named(str(key)) for one in found if (key := one.document["reading"].get("since"))]
    if not starts:
        return ""
    first = min(starts, key=lambda one: one.start).label
    least = problem.monitoring.alert_n_min
    before = list(itertools.takewhile(lambda month: month.label != first, watched.months))
    judged_first = 0 < len(before) < len(watched.months) and all(month.n < least for month in before)
    return f" since {first}{f', the first month with at least {least} sales' if judged_first else ''}"


def _remedy(seen: Overview, live_id: str, problem: Problem) -> tuple[str, Step]:
    challenger = seen.challenger
    if seen.against:
        return f"the model trained last {seen.against}, so bring newer sales", Step.UPLOAD
    if challenger is None:
        return "a newer one may do better", Step.RETRAIN
    if _is_better(challenger, live_id):
        meets = target_verdict(headline_of(challenger.card)["mape"], problem) is Verdict.PASS
        ready = "a better one is ready" if meets else "a closer one is ready, though not proven to meet it"
        return ready, Step.COMPARE
    gated = gate_on(challenger)
    if gated is not None and gated.champion_id == live_id and gated.gate.verdict is GateVerdict.FAIL:
        return "its challenger is no better", Step.RETRAIN
    return "nobody can tell yet whether its challenger is better", Step.COMPARE


def _is_better(challenger: ModelRecord | None, live_id: str) -> bool:
    return challenger is not None and not reason_needed(gate_on(challenger), live_id)
