"""Where a market stands: what is the matter with its live model and the one thing to do next, as it is read aloud.

Every page and the command line name both from here, so that no two of them send a manager two ways.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from core.access import ALLOWED, Action, Actor, Role, may
from core.evaluate.card.headline import headline_of, short_range
from core.evaluate.scope import ScopeBasis, nothing_proven
from core.evaluate.targets import Verdict
from core.monitor.alerts import why_none_open
from core.monitor.cause import hardest_hit
from core.monitor.gate import GateVerdict
from core.monitor.rules import RULE_OF, AlertKind
from core.monitor.windows import window_named
from core.problem import Problem
from core.states import AlertState, JobState
from core.store import Job, Market, ModelRecord
from core.store.operations.alerts import AlertRecord
from core.wording import bound, count, days, percent
from core.workflows.jobs import RetrainTask
from core.workflows.models.floor import target_verdict
from core.workflows.models.gate import GATE, gate_on, reason_needed, worse_error, worse_range
from core.workflows.models.scope import reviewed_without_scope
from core.workflows.monitoring.limits import KINDS
from core.workflows.overview import (
    ERROR_KINDS,
    Overview,
    Watched,
    attention,
    is_range_off,
    overview,
)
from core.workspace import Workspace

_IN_ONE_SENTENCE: Final = 2


class Step(StrEnum):
    """The one step that helps most."""

    UPLOAD = "upload"
    TRAIN = "train"
    RETRAIN = "retrain"
    WAIT = "wait"
    COMPARE = "compare"
    ALERTS = "alerts"
    SIGN = "sign"
    WATCH = "watch"


_DONE_BY: Final[Mapping[Step, Action]] = {
    Step.UPLOAD: Action.INGEST,
    Step.TRAIN: Action.TRAIN,
    Step.RETRAIN: Action.TRAIN,
    Step.WAIT: Action.VIEW_MODELS,
    Step.COMPARE: Action.PROMOTE,
    Step.ALERTS: Action.WATCH,
    Step.SIGN: Action.PROMOTE,
    Step.WATCH: Action.WATCH,
}
"""What a role must be allowed to do to take a step."""


@dataclass(frozen=True)
class Standing:
    """Where a market stands: ``sentence`` is plain text, ``good`` tells that nothing has to be done.

    ``next`` is the part of the sentence that says what helps the live model, to be read after "Next:"; "" if nothing
    is the matter with it. ``matter`` is the part before it, "" where the two are one. ``done`` is how far a training
    is, as the sentence has it. ``mine`` tells whether whoever reads may take the step; else the sentence says who may.
    """

    sentence: str
    step: Step
    good: bool = False
    next: str = ""
    matter: str = ""
    done: str = ""
    mine: bool = True

    @property
    def still(self) -> Standing:
        """The same without how far a training is, for a page that stands while the training goes on."""
        if not self.done:
            return self
        sentence, following = (one.replace(self.done, "") for one in (self.sentence, self.next))
        return replace(self, sentence=sentence, next=following, done="")


@dataclass(frozen=True)
class Decided:
    """Agents' decisions that count: how many accepted the estimate, of how many in all."""

    accepted: int
    decisions: int

    @property
    def share(self) -> float | None:
        """The share accepted, from 0 to 1; None before the first decision."""
        return self.accepted / self.decisions if self.decisions else None


def standing_now(workspace: Workspace, market: Market) -> Standing:
    """Read where a market stands now, for whoever acts; raises NotFound, StoreUnavailable."""
    return standing_for(workspace.actor, overview(workspace, market), workspace.problem)


def standing_for(actor: Actor, seen: Overview, problem: Problem) -> Standing:
    """Return where a market stands as ``standing_of`` does; a role that may not take the step reads whom to ask."""
    found = standing_of(seen, problem)
    action = _DONE_BY[found.step]
    if found.good or may(actor, action):
        return found
    ask = f"Ask {' or '.join(_a(role) for role in Role if action in ALLOWED[role])} to do it."
    return replace(
        found, sentence=f"{found.sentence} {ask}", next=f"{found.next} {ask}" if found.next else "", mine=False
    )


def _a(role: Role) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role}"


def standing_of(seen: Overview, problem: Problem) -> Standing:
    """Say in a sentence, or a few short ones, how the live model does and what helps, from what ``overview`` read."""
    if seen.version is None:
        return Standing(attention(seen, problem)[0], Step.UPLOAD)
    if seen.champion is None and seen.training is not None:
        return _steps("No model is live", (_training(seen.training), Step.WAIT), seen.training)
    if seen.champion is None and seen.failed:
        return _steps("No model is live", (_failed(seen.failed), Step.TRAIN), None)
    if seen.champion is None:
        enough = seen.version.rows >= problem.training.sales_min
        return Standing(attention(seen, problem)[0], Step.TRAIN if enough else Step.UPLOAD)
    return _of_live(seen, seen.champion, problem)


def _of_live(seen: Overview, live: ModelRecord, problem: Problem) -> Standing:
    if any(one.kind == AlertKind.MODEL_UNVERIFIED for one in seen.watched.alerts):
        words = RULE_OF[AlertKind.MODEL_UNVERIFIED].action
        return Standing(f"The file of the live model cannot be verified: {words}", Step.ALERTS, next=words)
    trouble = _trouble(seen, live, problem)
    if trouble:
        scope = _scope_against(seen, problem, "").lstrip()
        return _steps(
            _in_sentences([*trouble, scope] if scope else trouble), _remedy(seen, live, problem), seen.training
        )
    others = [one for one in seen.watched.alerts if not RULE_OF[AlertKind(one.kind)].of_the_model]
    if others:
        words = ", ".join(dict.fromkeys(RULE_OF[AlertKind(one.kind)].title for one in others))
        scope = _scope_against(seen, problem, "", "the scope").lstrip()
        scope = f" {scope[:1].upper()}{scope[1:]}." if scope else ""
        return Standing(f"{count(len(others), 'alert')} not resolved: {words}.{scope}", Step.ALERTS)
    if seen.training is not None or _is_open(seen.challenger, live.model_id):
        matter = f"The live model is in order{_scope_against(seen, problem, ', but')}"
        return _steps(matter, _remedy(seen, live, problem), seen.training)
    return _in_order(seen, problem)


def _scope_against(seen: Overview, problem: Problem, link: str, scope: str = "its scope") -> str:
    """Say beside what else is the matter that there is no scope, or that it is signed against its test; "" if not."""
    if seen.scope is None or seen.scope.is_empty:
        return f"{link} {nothing_proven(problem.success.target_mape)}"
    return f"{link} {scope} is {seen.although}" if seen.although else ""


def _steps(matter: str, remedy: tuple[str, Step], training: Job | None) -> Standing:
    words, step = remedy
    done = _done(training) if training is not None and step is Step.WAIT else ""
    return Standing(f"{matter}; {words}.", step, next=f"{words}.", matter=f"{matter}.", done=done)


def _training(job: Job) -> str:
    """Say that a training waits or runs, and how far it is."""
    what = "a challenger" if job.kind == RetrainTask.kind else "a model"
    if job.state is JobState.WAITING and not job.fraction:
        return f"{what} waits to be trained"
    return f"{what} is being trained{_done(job)}"


def _failed(why: str) -> str:
    """Say what stands in the way of another training on the same sales, with the remedy that its error names."""
    return f"the last training failed: {why.removesuffix('.')}"


def _done(job: Job) -> str:
    return "" if job.state is JobState.WAITING and not job.fraction else f" ({percent(job.fraction)})"


def next_for(alert: AlertRecord, standing: Standing) -> str:
    """Return what to do about an alert: the one next step wherever it is another than to retrain.

    What a person wrote when they took the alert on stands, and so does the advice about what no model mends.
    """
    if _own_step(alert):
        return alert.next_action
    advice = str(alert.document["history"][0]["next_action"])
    of_the_model = alert.kind in KINDS and RULE_OF[AlertKind(alert.kind)].of_the_model
    return next_instead(advice, standing) if of_the_model and alert.is_open else advice


def is_next_step(alert: AlertRecord, standing: Standing) -> bool:
    """Tell whether what to do about an alert is the live model's one next step, and not what a person wrote instead."""
    if alert.kind not in KINDS or not RULE_OF[AlertKind(alert.kind)].of_the_model:
        return False
    return alert.is_open and not _own_step(alert)


def _own_step(alert: AlertRecord) -> bool:
    """Tell whether a person who took an alert on wrote a next step of their own."""
    return alert.state is AlertState.ACKNOWLEDGED and bool(alert.next_action.strip())


def next_instead(retrain: str, standing: Standing) -> str:
    """Return the advice to retrain, or the one next step where that is another."""
    return retrain if standing.step is Step.RETRAIN or not standing.next else standing.next


def _is_unsigned(seen: Overview) -> bool:
    return seen.scope is not None and not seen.scope.is_empty and seen.scope.basis is not ScopeBasis.SIGNED


def _in_order(seen: Overview, problem: Problem) -> Standing:
    """Say what is left to do for a live model that nothing speaks against."""
    unsigned = _is_unsigned(seen)
    if seen.watched.error is None and seen.models > 1:
        step = Step.SIGN if unsigned else Step.WATCH
        next_step = "sign its scope, then watch its first sales" if unsigned else "watch its first sales"
        return Standing(f"The live model is new, and no home it priced has a known sale yet: {next_step}.", step)
    if unsigned:
        return Standing("The live model is in order, but nobody has signed its scope.", Step.SIGN)
    if seen.although:
        return Standing(f"The live model is in order, but its scope is {seen.although}.", Step.SIGN)
    if seen.scope is None or seen.scope.is_empty:
        none = f"{nothing_proven(problem.success.target_mape)}: {reviewed_without_scope(seen.scope)}"
        return Standing(f"The live model is in order, but {none}.", Step.WATCH)
    return Standing("The live model is in order; there is nothing to do.", Step.WATCH, good=True)


def in_use_words(watched: Watched, problem: Problem) -> str:
    """Say how the live model does in use, beside its test: the error with its target, and the range."""
    if watched.error is None or watched.held is None:
        return "In use: no home it priced before listing has a known sale yet, so only the test speaks for it."
    error, target = watched.error, problem.success.target_mape
    error, target = watched.error, problem.success.target_mape
    since, off = (_since(watched, kinds, problem) for kinds in (ERROR_KINDS, (AlertKind.COVERAGE_OFF,)))
    judged = target_verdict(error, problem)
    kept = {Verdict.PASS: "met", Verdict.FAIL: "missed"}.get(judged, "its sales cannot tell whether it is met")
    is_off = is_range_off(watched.held, watched.level, problem)
    ends = f"{percent(error.low, 1)} to {percent(error.high, 1)}, {count(error.n, 'sale')} priced before listing"
    silent = [
        name
        for name, missed, alert in (("the error", judged is Verdict.FAIL, since), ("the range", is_off, off))
        if missed and alert is None
    ]
    why = (
        f" No alert on {' or '.join(silent)} is open, {why_none_open(watched.whole_months, problem)}." if silent else ""
    )
    return (
        f"In use: mean error {percent(error.value, 1)} ({ends}), target {bound(target)}: "
        f"{kept if since is None else f'missed{since}'}. The {percent(watched.level)} range held "
        f"{percent(watched.held.value)}: {('missed' if is_off else 'as promised') if off is None else f'missed{off}'}."
        f"{why}"
    )


def worst_homes(alerts: Iterable[AlertRecord]) -> str:
    """Return which homes the open alerts' cause says were hit hardest, as a sentence; "" if none does."""
    causes = (str(one.document["reading"].get("cause") or "") for one in alerts)
    return next((words for one in causes if (words := hardest_hit(one))), "")


def decided(workspace: Workspace, market_id: str, model_id: str | None = None) -> Decided:
    """Count the decisions of all time on a model's estimates, or on all; raises NotFound, StoreUnavailable."""
    kinds = workspace.store.agent_decisions.kinds(market_id, model_id)
    return Decided(kinds.get("accept", 0), sum(kinds.values()))


def _trouble(seen: Overview, live: ModelRecord, problem: Problem) -> list[str]:
    """Return what a newer model may mend, worst first, each as a clause; none if nothing.

    Whatever promise the live model breaks is named, its age too: the worst must not hide the others.
    """
    broken = list(_broken(seen, live, problem))
    if not broken:
        lesser = _lesser_trouble(seen, live, problem)
        return [lesser] if lesser else []
    first, *others = broken
    named = first.replace("its", "The live model’s", 1) if first.startswith("its ") else f"The live model{first[2:]}"
    return [named, *others]


def _in_sentences(clauses: Sequence[str]) -> str:
    """Return what is the matter as it is read aloud: two things in one sentence, more in a short sentence each."""
    if len(clauses) <= _IN_ONE_SENTENCE:
        return ", and ".join(clauses)
    return ". ".join(f"{one[:1].upper()}{one[1:]}" for one in clauses)


def _broken(seen: Overview, live: ModelRecord, problem: Problem) -> Iterator[str]:
    """Yield the promises that the live model breaks, each a clause to be read after others: "it …" or "its …"."""
    if error := _error_broken(seen, live, problem):
        yield error
    if held := _range_broken(seen, live, problem):
        yield held
    known = seen.watched.confidence
    if known is not None and seen.watched.too_confident:
        came, promised = percent(known.observed.value), percent(known.promised)
        yield f"its confidences came true for {came} of {known.observed.n:,} sales instead of {promised}"
    if seen.age > seen.retrain_after:
        yield f"it was trained {days(seen.age)} ago, past the limit of {days(seen.retrain_after)}"


def _error_broken(seen: Overview, live: ModelRecord, problem: Problem) -> str:
    watched, target = seen.watched, bound(problem.success.target_mape)
    since = _since(watched, ERROR_KINDS, problem)
    if since is not None:
        return f"it has missed its target of {target}{since}"
    if watched.error is not None and target_verdict(watched.error, problem) is Verdict.FAIL:
        return f"its mean error in use, {percent(watched.error.value, 1)}, is above the target of {target}"
    test = headline_of(live.card)["mape"]
    misses = target_verdict(test, problem) is Verdict.FAIL
    beside = worse_error(seen.beside, watched.error or test, problem)
    if beside is not None and (misses or target_verdict(beside.mape, problem) is Verdict.FAIL):
        measured = f"{percent(beside.error, 1)} for {beside.sales(seen.market.currency)}"
        return f"its mean error was {measured}, above the target of {target}"
    return f"it misses its target of {target} on its test sales" if misses else ""


def _range_broken(seen: Overview, live: ModelRecord, problem: Problem) -> str:
    watched = seen.watched
    off = _since(watched, (AlertKind.COVERAGE_OFF,), problem)
    if off is not None:
        return (
            f"its {percent(watched.level)} range has been off{off}" if watched.level else f"its range has been off{off}"
        )
    if watched.held is not None and is_range_off(watched.held, watched.level, problem):
        return (
            f"its {percent(watched.level)} range held {percent(watched.held.value)} of {watched.held.n:,} sales in use"
        )
    beside = worse_range(seen.beside, watched.held, problem)
    if beside is not None:
        return (
            f"its {percent(problem.estimate.level)} range held {percent(beside.held)} of "
            f"{beside.sales(seen.market.currency)}"
        )
    return short_range(live.card, problem) if watched.held is None else ""


def _lesser_trouble(seen: Overview, live: ModelRecord, problem: Problem) -> str:
    """Return what an alert, newer sales or an open question says against the live model; "" if nothing."""
    of_the_model = [one for one in seen.watched.alerts if RULE_OF[AlertKind(one.kind)].of_the_model]
    if of_the_model:
        return f"The live model has an alert ({RULE_OF[AlertKind(of_the_model[0].kind)].title})"
    if since := seen.since(live):
        return f"{since} since the live model was trained"
    if target_verdict(headline_of(live.card)["mape"], problem) is Verdict.INCONCLUSIVE:
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


def _remedy(seen: Overview, live: ModelRecord, problem: Problem) -> tuple[str, Step]:
    """Return what helps, to be read after what is the matter or after "Next:", with its step."""
    challenger = seen.challenger
    if seen.training is not None:
        return _training(seen.training), Step.WAIT
    if challenger is not None and _is_open(challenger, live.model_id):
        return _decide(seen, live, challenger, problem), Step.COMPARE
    if seen.against:
        return f"bring newer sales, as the model trained last {seen.against}", Step.UPLOAD
    return _train_or_bring(seen, live, challenger)


def _decide(seen: Overview, live: ModelRecord, challenger: ModelRecord, problem: Problem) -> str:
    """Return the advice to decide on a challenger, with what speaks for it or against it."""
    decide = f"decide on challenger {challenger.model_id}"
    if seen.back:
        return f"{decide}, which {seen.back}: promote it again, or keep the live model"
    if not _is_better(challenger, live.model_id):
        unlike = (gated := gate_on(challenger)) is None or gated.champion_id != live.model_id
        why = "was not compared with this live model" if unlike else "has not been shown to be better"
        return f"{decide}, which {why}: keep the live model, or promote it with a reason"
    target = bound(problem.success.target_mape)
    how = {
        Verdict.PASS: f"is better and meets the target of {target}",
        Verdict.INCONCLUSIVE: f"is closer, though not proven to meet {target}",
        Verdict.FAIL: f"is closer, though it misses the target of {target}",
    }[target_verdict(headline_of(challenger.card)["mape"], problem)]
    short = short_range(challenger.card, problem)
    return f"{decide}, which {how}{f'; {short}' if short else ''}"


def _train_or_bring(seen: Overview, live: ModelRecord, worse: ModelRecord | None) -> tuple[str, Step]:
    """Return the advice to retrain, or to bring newer sales where retraining would repeat the model that there is."""
    retrained = GATE in live.card
    if seen.is_of_the_latest_sales(live) and (retrained or not (worse or seen.failed)):
        why = f"as it was already {'retrained' if retrained else 'trained'} on those there are"
        if _is_unsigned(seen):
            return f"sign the scope in which it holds, then bring newer sales, {why}", Step.SIGN
        return f"bring newer sales, or more facts of the homes, {why}", Step.UPLOAD
    if seen.failed:
        return _failed(seen.failed), Step.RETRAIN
    if worse is None:
        return "retrain, as a newer model may do better", Step.RETRAIN
    if seen.is_of_the_latest_sales(worse):
        return (
            f"bring newer sales, as challenger {worse.model_id}, trained on those there are, is no better",
            Step.UPLOAD,
        )
    return f"retrain on the newer sales, as challenger {worse.model_id} is no better", Step.RETRAIN


def _is_open(challenger: ModelRecord | None, live_id: str) -> bool:
    """Tell whether a person has to decide on a challenger: one that its gate rejects is decided by it."""
    return challenger is not None and not _is_no_better(challenger, live_id)


def _is_no_better(challenger: ModelRecord, live_id: str) -> bool:
    gated = gate_on(challenger)
    return gated is not None and gated.champion_id == live_id and gated.gate.verdict is GateVerdict.FAIL


def _is_better(challenger: ModelRecord | None, live_id: str) -> bool:
    return challenger is not None and not reason_needed(gate_on(challenger), live_id)
