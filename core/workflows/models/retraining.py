"""Retraining: trains a challenger and compares it with the champion on the latest sales; a person may promote it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import pandas as pd

from core.access import Action
from core.errors import NotFound, TooFewSales, TrainError
from core.evaluate.card.headline import headline_of
from core.prepare.splits import TIME
from core.problem import Problem
from core.progress import Progress, part
from core.states import AuditAction, Undecided
from core.store import ModelRecord, Store
from core.store.patience import patiently
from core.train.trainer import TrainingPlan, default_plan, within_window
from core.wording import count, days, market_day
from core.workflows.models.gate import (
    GATE,
    GateRecord,
    document_of,
    gate_start,
    judge,
    rival_of,
    unseen_by,
)
from core.workflows.models.scope import carried_to_card
from core.workflows.models.training import known_sales, make_model, register
from core.workflows.models.waiting import place
from core.workflows.opening.background import work_out_ahead
from core.workspace import Workspace

_ALL: Final = "all sales"


@dataclass(frozen=True)
class RetrainPlan:
    """The sales a retraining uses: all, those of the last ``window_months``, or all with more weight on recent ones.

    A sale counts half as much as one ``half_life_days`` newer. Everything else is as in ``base``; None means as the
    champion was trained.
    """

    window_months: int | None = None
    half_life_days: float | None = None
    base: TrainingPlan | None = None

    @property
    def words(self) -> str:
        """The window in words: "all sales", "the last 24 months"."""
        return window_words(self.window_months, self.half_life_days)


@dataclass(frozen=True)
class Retrained:
    """The registered challenger and its comparison with the champion."""

    record: ModelRecord
    gate: GateRecord


def window_words(window_months: int | None, half_life_days: float | None) -> str:
    """State which sales a model was trained on, and whether recent ones count more."""
    if window_months is None:
        sales = _ALL
    else:
        sales = "the last month" if window_months == 1 else f"the last {window_months} months"
    return sales if half_life_days is None else f"{sales}, half the weight every {days(half_life_days)}"


def trained_words(record: ModelRecord) -> str:
    """State how many sales a model was trained on, how many others tested it, and which of them count."""
    card = record.card
    last = market_day(date.fromisoformat(card["last_sale"]), card["currency"])
    window = window_words(card.get("window_months"), card.get("half_life_days"))
    chosen = "" if window == _ALL else f" ({window})"
    others = int(card["metrics"]["mape"]["n"])
    # The figures of the headline leave out the sales that the desk would not have priced.
    unpriced = others - headline_of(card)["mape"].n
    without = f"; {unpriced:,} of them got no price" if 0 < unpriced < others else ""
    tested = f"tested on {count(others, 'other')}{without}"
    return f"Trained on {count(card['sales'], 'sale')} up to {last}{chosen}, {tested}."


def refitted_words(record: ModelRecord) -> str:
    """State on which sales candidates were compared, and on which the one chosen was trained again."""
    fitted = {int(line["trained_rows"]) for line in record.card["leaderboard"]}
    most = f"{'up to ' if len(fitted) > 1 else ''}{count(max(fitted), 'sale')}"
    return (
        f"Each was fitted on {most} and compared on others, the validation sales; the one chosen was then trained "
        f"again on both, {count(record.card['sales'], 'sale')}. The test sales did not affect the choice."
    )


def window_named(text: str) -> RetrainPlan:
    """Parse a window from the command line: "all", "months=24" or "half-life=365"; raises TrainError."""
    if text == "all":
        return RetrainPlan()
    found = re.fullmatch(r"(months|half-life)=([0-9]{1,5})", text)
    if found is None:
        raise TrainError(f"{text!r} is not a training window; write all, months=24 or half-life=365 (days).")
    number = int(found[2])
    return RetrainPlan(window_months=number) if found[1] == "months" else RetrainPlan(half_life_days=float(number))


@dataclass(frozen=True)
class WindowSales:
    """The ``n`` sales that a retraining on the last ``months`` could use, of the ``needed``, in words."""

    months: int
    n: int
    needed: int

    @property
    def enough(self) -> bool:
        """Whether they can be split into training, validation and test."""
        return self.n >= self.needed

    @property
    def words(self) -> str:
        """How many sales the window has, with the remedy if they are too few."""
        has = f"{window_words(self.months, None).capitalize()} and the sales compared on are {count(self.n, 'sale')}"
        if self.enough:
            return f"{has}."
        return f"{has}; a retraining needs at least {self.needed:,}. Choose more months, or all sales."


def window_sales(workspace: Workspace, market_id: str, months: int) -> WindowSales:
    """Count the sales that a retraining on the last months could use.

    Raises AccessDenied, NotFound if there is no sale, ArtifactCorrupt, StoreUnavailable.
    """
    workspace.require(Action.TRAIN)
    store, problem = workspace.store, workspace.problem
    known, rival = known_sales(store, market_id), rival_of(store, market_id)
    dates = known.table["sale_date"]
    first = gate_start(dates[unseen_by(store, rival, known)], dates.max().date(), problem)
    return _in_window(dates, replace(default_plan(problem), split=TIME, test_from=first, window_months=months), problem)


def _in_window(dates: pd.Series, plan: TrainingPlan, problem: Problem) -> WindowSales:
    return WindowSales(plan.window_months or 0, int(within_window(dates, plan).sum()), problem.training.sales_min)


def retrain(
    workspace: Workspace,
    market_id: str,
    plan: RetrainPlan,
    progress: Progress,
    undecided: Undecided = Undecided.REPLACED,
) -> Retrained:
    """Train a challenger on all but the latest sales, compare it with the champion on these, and register both results.

    The comparison uses the last month, or two in small markets, and is stored on the challenger's card, with the
    champion's scope where these sales are too few to draw one. If the champion cannot be loaded, the gate is
    inconclusive. ``undecided`` says what becomes of a challenger that waits for a decision. Raises AccessDenied,
    NotFound if there is no sale or no model was ever live, TooFewSales, TrainError, StoreError; a run that fails or is
    cancelled leaves nothing behind.
    """
    workspace.require(Action.TRAIN)
    record, gated = _registered(workspace, market_id, plan, progress)
    work_out_ahead(workspace.store, record)
    placed = place(workspace, record, undecided)
    progress(1.0, "Challenger registered")
    return Retrained(placed, gated)


def _registered(
    workspace: Workspace, market_id: str, plan: RetrainPlan, progress: Progress
) -> tuple[ModelRecord, GateRecord]:
    """Make, compare and register a model; return its record and the comparison, and forget its sales."""
    store, problem = workspace.store, workspace.problem
    progress(0.0, "Choosing the sales to compare on")
    known, rival = known_sales(store, market_id), rival_of(store, market_id)
    if rival.record is None and not _was_live(store, market_id):
        raise NotFound(f"Market {known.market.name!r} has no live model to challenge. Train its first model.")
    unseen = unseen_by(store, rival, known)
    dates = known.table["sale_date"]
    first = gate_start(dates[unseen], dates.max().date(), problem)
    base = plan.base or (rival.bundle.plan if rival.bundle else default_plan(problem))
    chosen = replace(
        base, split=TIME, test_from=first, window_months=plan.window_months, half_life_days=plan.half_life_days
    )
    if chosen.window_months is not None and not (found := _in_window(dates, chosen, problem)).enough:
        raise TooFewSales(found.words)
    made = make_model(workspace, known, chosen, part(progress, 0.01, 0.93))
    progress(0.93, "Comparing it with the live model")
    gated = judge(made, rival, unseen, known, problem)
    progress(0.98, "Registering the challenger")
    carried = carried_to_card(store, rival.record, made.scored, problem) if rival.record else {}
    record = register(workspace, made, {GATE: document_of(gated), **carried})
    detail = {
        "champion": gated.champion_id,
        "verdict": gated.gate.verdict.value,
        "n": gated.gate.n,
        "words": gated.gate.words,
        "window": plan.words,
    }
    judged = (workspace.actor, AuditAction.GATE_JUDGED, market_id, record.model_id, detail)
    patiently(lambda: store.events.record(*judged))
    return record, gated


def _was_live(store: Store, market_id: str) -> bool:
    """Tell whether any model was ever promoted: a pointer to a lost model still means yes."""
    return store.events.count(market_id, AuditAction.MODEL_PROMOTED) > 0
