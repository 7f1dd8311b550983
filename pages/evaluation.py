"""The page “Evaluation”: whether the model is good enough and fair, where it fails, and where to use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from core.errors import DoorstepError, NotFound
from core.store import ModelRecord
from core.workspace import Workspace
from pages.kit import choice, errors, figures, navigation, session
from pages.kit.text import plain
from pages.views.evaluation import agent_decisions, candidates, fairness, headline, importance, scope, segments
from pages.views.evaluation.selection import ALL, Selection, periods, seen

Draw = Callable[[Selection], None]

VIEWS: Final[dict[str, Draw]] = {
    "Headline": headline.draw,
    "Segments": segments.draw,
    "Ratio study": headline.draw_ratio,
    "Bias": fairness.draw_bias,
    "Ranges": fairness.draw_ranges,
    "Hard cases": fairness.draw_edges,
    "Candidates": candidates.draw,
    "Importance": importance.draw,
    "Agents’ decisions": agent_decisions.draw,
    "Decision": scope.draw,
}
# A signature and a training run's figures cover the whole test, not a part of it.
_OF_THE_WHOLE: Final = ("Candidates", "Importance", "Agents’ decisions", "Decision")


def main(workspace: Workspace) -> None:
    """Draw the selected view of the selected model, or what is missing and where to get it."""
    st.title("Evaluation", anchor=False)
    store, market = workspace.store, session.market()
    records = store.models.list(market.market_id) if market is not None else []
    if market is None or not records:
        st.info("There is no model to evaluate yet. Upload sales and train one.", icon=":material/info:")
        navigation.link_to("models", "Train a model")
        return
    figures.style()
    record = _model(records)
    view = choice.view(list(VIEWS))
    period = ALL if view in _OF_THE_WHOLE else choice.one_of("Sales", periods(workspace, market, record), "sales", ALL)
    try:
        selection = seen(workspace, market, record, period)
    except NotFound as error:
        _without_scores(record, error)
        return
    except DoorstepError as error:
        errors.show(error)
        return
    VIEWS[view](selection)


def _model(records: list[ModelRecord]) -> ModelRecord:
    """Draw the model selector, live model first, then the newest."""
    ordered = sorted(records, key=lambda record: record.created_at, reverse=True)
    ordered.sort(key=lambda record: not record.is_live)
    by_id = {record.model_id: record for record in ordered}
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Model",
            list(by_id),
            # The stage is not part of it: a link to a model stays valid when another goes live.
            format_func=lambda model_id: f"{model_id} ({by_id[model_id].card['family']})",
            key="evaluated",
            bind="query-params",
            width=380,
        )
        record = by_id.get(chosen, ordered[0])
        live = record.is_live
        st.badge(figures.STAGES[record.stage].capitalize(), color="blue" if live else "gray")
    return record


def _without_scores(record: ModelRecord, error: NotFound) -> None:
    """Say what to do for a model whose test sales were not kept; its card has its test figures."""
    st.warning(plain(str(error)), icon=":material/history:")
    st.caption(f"The figures of its sealed test are on the card of model {record.model_id}, on the Models page.")
    navigation.link_to("models", "Go to the models")


main(session.guard("evaluation"))
