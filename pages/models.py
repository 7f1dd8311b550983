"""The page “Models”: train and retrain with progress, compare, read a model's card, promote, reject and roll back."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pandas as pd
import streamlit as st

from core.access import Action, may
from core.prepare.splits import RANDOM, TIME
from core.problem import Problem
from core.states import Family, JobState, Stage
from core.store import DataVersion, Market, ModelRecord
from core.store.base.audit import Wanted
from core.train.trainer import TrainingPlan, default_plan
from core.wording import count, market_day, market_instant, percent
from core.workflows.jobs import TrainTask
from core.workflows.models.gate import gate_on, same_sales
from core.workflows.models.waiting import stage_word, waiting
from core.workflows.monitoring.audit import trail_of
from core.workflows.monitoring.audit_words import action_words, by_words
from core.workflows.standing import Step, standing_now
from core.workspace import Workspace, clock_note
from pages.kit import job_progress, navigation, session
from pages.kit.figures import frame
from pages.kit.palette import palette
from pages.kit.text import plain
from pages.views.models import card, promotion, retraining
from pages.views.models import challenger as challenger_view
from pages.views.models import live as live_view

KIND: Final = "train"
_ENTRIES: Final = 20
CARD: Final = "card_of_a_model"
_SPLITS: Final = {RANDOM: "At random: 60 / 20 / 20", TIME: "By time: test on the latest sales"}


def main(workspace: Workspace) -> None:
    """Draw the live model beside its challenger, then the market's models, and training."""
    st.title("Models")
    market = session.market()
    version = session.store().versions.latest(market.market_id) if market else None
    if market is None or version is None:
        st.info("There are no sales to train on yet.", icon=":material/info:")
        navigation.link_to("sales_data", "Bring in sales")
        return
    note = clock_note(market, workspace.today(market))
    if note:
        st.caption(note)
    slot = st.container()
    promotion.say_once(workspace)
    records = session.store().models.list(market.market_id)
    live, waits = _at(records, Stage.CHAMPION), waiting(workspace.store, records)
    challenger = next(iter(waits), None)
    promotion.warn_if_lost(workspace, live)
    if not records:
        training(workspace, market, version, records)
        st.caption(
            "No model yet. The first one goes live as soon as it is trained, if it beats the area’s median price and "
            "its range is of use."
        )
        return
    standing = standing_now(workspace, market)
    navigation.say_standing(standing, "models")
    both(workspace, market, (live, challenger), standing.step)
    if challenger is not None:
        retraining.draw(workspace, market, standing.step)
        challenger_view.draw_later(workspace, market, live, waits)
        challenger_view.compare(workspace, challenger, live)
    all_models(workspace, market, records, waits)
    training(workspace, market, version, records)
    promotion.say_refused(slot)


def both(workspace: Workspace, market: Market, pair: tuple[ModelRecord | None, ModelRecord | None], step: Step) -> None:
    """Draw the live model and its challenger side by side; without one, the way to train it.

    Only what the one next ``step`` asks for is the primary button.
    """
    live, challenger = pair
    gated = gate_on(challenger) if challenger is not None else None
    same = same_sales(gated, live.model_id) if live is not None else None
    # api/static/dashboard.css puts them one below the other where the page is too narrow for both.
    with st.container(key="both_models"):
        left, right = st.columns(2, gap="small")
    with left.container(border=True, height="stretch"):
        live_view.draw(workspace, market, live, same[0] if same else None)
    with right.container(border=True, height="stretch"):
        if challenger is not None:
            challenger_view.draw(workspace, market, (live, challenger), step)
            return
        st.markdown("**Challenger**")
        st.markdown("None. Retraining makes one from the sales there are and compares it with the live model.")
        retraining.draw(workspace, market, step)


def training(workspace: Workspace, market: Market, version: DataVersion, records: list[ModelRecord]) -> None:
    """Draw the form of a training run, or the progress of the current one."""
    running = job_progress.open_job(KIND, market.market_id)
    closed = job_progress.take_closed(KIND, market.market_id)
    if running is not None:
        with st.container(border=True):
            st.markdown(f"**Training a model for {plain(market.name)}**")
            job_progress.draw(running)
        return
    if closed is not None and closed.state is JobState.DONE:
        st.success(f"Model {closed.result['model_id']} is trained and tested.", icon=":material/check_circle:")
        if len(records) == 1 and records[0].is_live:
            navigation.link_to("pricing", "Price a home with it")
    if closed is not None and closed.state is JobState.CANCELLED:
        st.info("Training was cancelled; nothing was saved.", icon=":material/info:")
    failure = job_progress.last_failure(KIND, market.market_id)
    if failure:
        st.error(plain(f"The last training run stopped: {failure}"), icon=":material/error:")
    if may(workspace.actor, Action.TRAIN):
        with st.expander(
            "Train a model from scratch" if records else "Train a model",
            expanded=not records,
            icon=":material/model_training:",
        ):
            plan = plan_form(version, workspace.problem, market.currency, first=not records)
            if plan is not None:
                job_progress.begin(TrainTask(market.market_id, plan))


def plan_form(version: DataVersion, problem: Problem, currency: str, *, first: bool) -> TrainingPlan | None:
    """Draw the form; return the plan when it is submitted."""
    usual = default_plan(problem)
    with st.form("train", border=False):
        st.caption(
            f"On data version {version.version_id}: {count(version.rows, 'sale')}, "
            f"{market_day(version.first_sale, currency)} to {market_day(version.last_sale, currency)}."
        )
        split = st.radio(
            "How sales are divided into training, validation and test",
            list(_SPLITS),
            format_func=_SPLITS.__getitem__,
            horizontal=True,
            help="By time is the harder and more honest test of a model that prices tomorrow's homes.",
        )
        families = st.pills(
            "Families compared",
            list(Family),
            selection_mode="multi",
            default=list(usual.families),
            format_func=lambda family: str(family.value).capitalize(),
            key="families",
        )
        budget, seed, _ = st.columns([1, 1, 2], gap="small")
        tried = budget.number_input("Forest settings to try", 1, 48, usual.forest_budget)
        chosen_seed = seed.number_input("Seed", 0, 2**31 - 1, usual.seed, help="The same seed gives the same model.")
        sent = st.form_submit_button("Train", type="primary" if first else "secondary", icon=":material/play_arrow:")
    if not sent:
        return None
    if not families:
        st.error("Choose at least one family of models.", icon=":material/error:")
        return None
    return replace(usual, split=str(split), seed=int(chosen_seed), families=tuple(families), forest_budget=int(tried))


def all_models(
    workspace: Workspace, market: Market, records: list[ModelRecord], waits: tuple[ModelRecord, ...]
) -> None:
    """Draw the list of models and, once opened, the card of the selected one."""
    st.header("Models of this market", anchor=False)
    table = card.listing(workspace.store, market, records, waits)
    frame(table, "models")
    target = workspace.problem.success.target_mape
    st.caption(
        f"The target is a mean error of {percent(target)} or less. 95% intervals are in parentheses. "
        "Errors on different tests do not compare: only the table of both models on the same sales does."
    )
    fold = st.expander("Card of a model", key=CARD, icon=":material/badge:", on_change="rerun")
    if fold.open:
        with fold:
            one_model(workspace, market, records, waits)


def one_model(workspace: Workspace, market: Market, records: list[ModelRecord], waits: tuple[ModelRecord, ...]) -> None:
    """Draw the selector, the selected model's card, and what a manager may do about it."""
    by_id = {record.model_id: record for record in records}
    live = next((place for place, record in enumerate(records) if record.is_live), 0)
    chosen = st.selectbox(
        "Show the card of",
        list(by_id),
        live,
        format_func=lambda model_id: _title(by_id[model_id], waits),
        key=f"model_{market.market_id}",
        width=480,
    )
    record = by_id[chosen]
    promotion.say_by_whom(record, market.currency)
    promotion.say_if_rejected(record, market.currency)
    promotion.say_if_below_floor(record)
    if may(workspace.actor, Action.PROMOTE):
        promotion.draw(workspace, market, _at(records, Stage.CHAMPION), record)
    card.draw(record, palette(), market.currency)
    _history(workspace, market, record)


def _history(workspace: Workspace, market: Market, record: ModelRecord) -> None:
    """Draw what the audit trail has on a model, newest first."""
    if not may(workspace.actor, Action.WATCH):
        return
    found = trail_of(workspace, market.market_id, Wanted(subject=record.model_id), _ENTRIES)
    if not found.n:
        return
    st.markdown("**What was done with it**")
    entries = found.entries
    table = pd.DataFrame(
        {
            "When": [market_instant(one, market.currency) for one in entries["at"]],
            "By": [by_words(str(one.actor), str(one.role)) for one in entries.itertuples()],
            "What": [action_words(str(one)) for one in entries["action"]],
            "Details": entries["words"],
        }
    )
    frame(table, "history")


def _at(records: list[ModelRecord], stage: str) -> ModelRecord | None:
    return next((record for record in records if record.stage == stage), None)


def _title(record: ModelRecord, waits: tuple[ModelRecord, ...]) -> str:
    return f"{record.model_id} · {record.card['family']} · {stage_word(record, waits)}"


main(session.guard("models"))
