"""The page “Evaluation”: whether the model is good enough and fair, where it fails, and where to use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.access import Action, may
from core.errors import DoorstepError, NotFound
from core.store import Market, ModelRecord
from core.workflows.models.waiting import stage_word, waiting
from core.workflows.overview import watched_of
from core.workflows.standing import in_use_words
from core.workspace import Workspace, clock_note
from pages.kit import choice, errors, navigation, session
from pages.kit.figures import fields
from pages.kit.text import plain
from pages.views.evaluation import agent_decisions, candidates, fairness, headline, importance, scope, segments
from pages.views.evaluation.selection import ALL, Selection, origin, periods, seen

Draw = Callable[[Selection], None]

VIEWS: Final[dict[str, dict[str, Draw]]] = {
    "Verdict and signature": {
        "Verdict": headline.draw,
        "Signature": scope.draw,
        "Agents’ decisions": agent_decisions.draw,
    },
    "Where it fails": {"Segments": segments.draw, "Hard cases": fairness.draw_edges, "Bias": fairness.draw_bias},
    "Can ranges be trusted": {"Ranges": fairness.draw_ranges},
    "Under the hood": {
        "Candidates": candidates.draw,
        "Importance": importance.draw,
        "Ratio study": headline.draw_ratio,
    },
}
_MODEL: Final = "evaluated"
# A signature and a training run's figures cover the whole test, not a part of it.
_OF_THE_WHOLE: Final = ("Candidates", "Importance", "Agents’ decisions", "Signature")


def main(workspace: Workspace) -> None:
    """Draw the selected view of the selected model, or what is missing and where to get it."""
    st.title("Evaluation", anchor=False)
    store, market = workspace.store, session.market()
    records = store.models.list(market.market_id) if market is not None else []
    if market is None or not records:
        st.info("There is no model to evaluate yet. Upload sales and train one.", icon=":material/info:")
        navigation.link_to("models", "Train a model")
        return
    note = clock_note(market, workspace.today(market))
    if note:
        st.caption(note)
    record, period = _bar(workspace, market, records)
    if record.is_live:
        _in_use(workspace, market, record)
    else:
        _not_in_use(record, records)
    view = choice.view(list(VIEWS))
    try:
        for part, place in _open_parts(view):
            with place:
                selection = seen(workspace, market, record, ALL if part in _OF_THE_WHOLE else period)
                origin(selection)
                VIEWS[view][part](selection)
    except NotFound as error:
        _without_scores(record, error)
    except DoorstepError as error:
        errors.show(error)


def _in_use(workspace: Workspace, market: Market, record: ModelRecord) -> None:
    """Say how the live model does in use, beside the test that the page is about."""
    watched = watched_of(workspace, market, record)
    # api/static/dashboard.css keeps the line's height until its link has come.
    with st.container(key="in_use", horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(plain(in_use_words(watched, workspace.problem)), width="content")
        if may(workspace.actor, Action.WATCH):
            navigation.link_to("monitoring", "See Monitoring")


def _not_in_use(record: ModelRecord, records: list[ModelRecord]) -> None:
    """Say that another model prices, and lead to it: the choice stays when a model is promoted."""
    live = next((one.model_id for one in records if one.is_live), None)
    if live is None:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(
            f":material/info: {plain(f'Model {record.model_id} is not live: agents are answered by {live}.')}",
            width="content",
        )
        st.button("Show the live model", key="show_live", type="tertiary", on_click=_choose, args=(live,))


def _choose(model_id: str) -> None:
    st.session_state[_MODEL] = model_id


def _open_parts(view: str) -> Iterator[tuple[str, DeltaGenerator]]:
    """Yield the parts of a view that are open, each with its place: all of one, or the tab looked at."""
    parts = list(VIEWS[view])
    if len(parts) == 1:
        yield parts[0], st.container()
        return
    key = view.lower().replace(" ", "_")
    for part, tab in zip(parts, st.tabs(parts, key=key, on_change="rerun", bind="query-params"), strict=True):
        if tab.open:
            yield part, tab


def _bar(workspace: Workspace, market: Market, records: list[ModelRecord]) -> tuple[ModelRecord, str]:
    """Draw what the figures are of: the model and its sales."""
    with fields("evaluated"):
        record = _model(records)
        offered = periods(workspace, market, record)
        period = st.selectbox("Sales", offered, key="sales", bind="query-params", width=220)
    waits = waiting(workspace.store, records)
    named = [one for one in records if one.is_live] + [*waits]
    found = [f"{stage_word(one, waits).capitalize()}: {one.model_id}" for one in named]
    st.caption(plain(" · ".join(found)))
    return record, choice.on_offer(period, offered, ALL)


def _model(records: list[ModelRecord]) -> ModelRecord:
    """Draw the model selector, live model first, then the newest."""
    ordered = sorted(records, key=lambda record: record.created_at, reverse=True)
    ordered.sort(key=lambda record: not record.is_live)
    by_id = {record.model_id: record for record in ordered}
    chosen = st.selectbox(
        "Model",
        list(by_id),
        # The stage is not part of it: a link to a model stays valid when another goes live.
        format_func=lambda model_id: f"{model_id} ({by_id[model_id].card['family']})",
        key=_MODEL,
        bind="query-params",
        width=380,
    )
    return by_id.get(chosen, ordered[0])


def _without_scores(record: ModelRecord, error: NotFound) -> None:
    """Say what to do for a model whose test sales were not kept; its card has its test figures."""
    st.warning(plain(str(error)), icon=":material/history:")
    st.caption(f"The figures of its sealed test are on the card of model {record.model_id}, on the Models page.")
    navigation.link_to("models", "Go to the models")


main(session.guard("evaluation"))
