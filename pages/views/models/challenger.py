"""The challenger compared with the live model: the gate in words and figures, and its shadow estimates."""

from __future__ import annotations

import math
from typing import Final

import pandas as pd
import streamlit as st

from core.access import Action, may
from core.evaluate.card.headline import headline_of, short_range_words
from core.evaluate.segmentation import Segmentation
from core.monitor.gate import Check, CheckVerdict, GateVerdict, gate_rule
from core.store import Market, ModelRecord
from core.wording import MISSING, count, market_day, percent, point_number, points, signed_percent
from core.workflows.models.floor import miss_words
from core.workflows.models.gate import GateRecord, bridge, gate_on, reason_needed, sales_since, same_sales
from core.workflows.models.scope import scope_change
from core.workflows.models.shadow import ShadowReport, shadow_report
from core.workflows.promotion import beside, decided_against, is_supported
from core.workflows.standing import Step
from core.workflows.worker import worker_command
from core.workspace import Workspace
from pages.kit import navigation
from pages.kit.figures import frame
from pages.kit.palette import BAD, GOOD, NEUTRAL, Tone
from pages.kit.text import plain
from pages.views.models import live as live_view
from pages.views.models import promotion

# Icon and word repeat the meaning of the color.
_BADGES: Final[dict[GateVerdict, tuple[str, str, Tone]]] = {
    GateVerdict.PASS: ("The gate passes it", ":material/check_circle:", GOOD),
    GateVerdict.FAIL: ("The gate rejects it", ":material/cancel:", BAD),
    GateVerdict.INCONCLUSIVE: ("The gate cannot tell", ":material/help:", NEUTRAL),
}
_COMPARISON: Final = {
    CheckVerdict.BETTER: "better",
    CheckVerdict.WORSE: "worse",
    CheckVerdict.NEITHER: "no significant difference",
}
_BOX: Final = 150
_LIVE: Final = "Live model"


def draw(workspace: Workspace, market: Market, pair: tuple[ModelRecord | None, ModelRecord], step: Step) -> None:
    """Draw the challenger with its gate's verdict, and offer its promotion and rejection to whom it is allowed.

    Where a decision is the next step, one button is primary: to promote it where the evidence is for it, else to keep
    the live model.
    """
    live, challenger = pair
    gated, card = gate_on(challenger), challenger.card
    st.markdown("**Challenger**")
    live_view.head(challenger)
    if live is not None and (same := same_sales(gated, live.model_id)):
        live_view.on_same_sales("challenger", same[1], workspace.problem)
    if against := decided_against(workspace.store, market, live, challenger):
        st.info(plain(f"It was live and {against}."), icon=":material/undo:")
    _verdict(gated, live)
    for words in (miss_words(card, workspace.problem, "The challenger"), short_range_words(card, workspace.problem)):
        if words:
            st.warning(plain(words), icon=":material/priority_high:")
    if gated is not None and live is not None and gated.champion_id == live.model_id:
        st.caption(plain(bridge(gated, headline_of(card)["mape"].n)))
    if more := sales_since(workspace.store, challenger):
        st.caption(plain(more))
    if live is not None:
        change = scope_change(workspace, live, challenger)
        st.markdown(f"**Scope:** {plain(' '.join(change.words))}")
        if change.asks_for_a_signature and may(workspace.actor, Action.PROMOTE):
            navigation.sign_here(challenger.model_id)
    if may(workspace.actor, Action.PROMOTE):
        supported = is_supported(workspace.store, market, live, challenger)
        _promotion(workspace, pair, supported if step is Step.COMPARE else None)


def draw_later(workspace: Workspace, market: Market, live: ModelRecord | None, waits: tuple[ModelRecord, ...]) -> None:
    """Draw the models that a schedule trained while a challenger waited: a manager decides on either."""
    for record in waits[1:]:
        with st.container(border=True):
            st.markdown("**Later challenger**")
            st.markdown(plain(f"Model {record.model_id} {beside(workspace.store, market, record)}."))
            live_view.head(record)
            _verdict(gate_on(record), live)
            if not may(workspace.actor, Action.PROMOTE):
                continue
            st.caption("Beside the live model in the challenger’s place, it shows all its figures on the same sales.")
            with st.container(horizontal=True):
                promotion.take_place_button(workspace, record, waits[0].model_id)
                promotion.promote_button(workspace, live, record, "promote_later", f"Promote {record.model_id}")
                promotion.reject_button(workspace, record, "reject_later")


def compare(workspace: Workspace, challenger: ModelRecord, live: ModelRecord | None) -> None:
    """Draw both models' figures on the same sales, and the challenger's shadow estimates.

    A gate on a model that is no longer live names that model.
    """
    gated = gate_on(challenger)
    rival = _rival(gated, live)
    title = "live model" if rival == _LIVE else rival
    st.header(plain(f"Challenger and {title} on the same sales"), anchor=False)
    if gated is not None and gated.gate.checks:
        st.caption(plain(gate_rule(workspace.problem)))
        frame(checks_table(gated.gate.checks, rival), "checks")
        st.caption(
            "Monitoring counts the estimates that agents were given, for the homes they asked about. Here both models "
            "price all the latest sales anew, at the price level of the months before each, so the figures differ."
        )
    if gated is not None and gated.gate.segments:
        against = "the live model" if rival == _LIVE else f"model {gated.champion_id}"
        with st.expander(f"Mean error by segment ({len(gated.gate.segments)})", icon=":material/segment:"):
            st.caption(
                f"The segment in which the challenger does worst against {against} comes first. Bands divide the "
                "sales by both models’ estimates together, so as to favor neither; the page Evaluation divides them by "
                "the model’s own estimate, and the model card by sale price, so their numbers of sales differ."
            )
            frame(checks_table(gated.gate.segments, rival), "segment_checks")
    _shadows(shadow_report(workspace, challenger.model_id), challenger.card["currency"])


def _rival(gated: GateRecord | None, live: ModelRecord | None) -> str:
    """Name the model a challenger was compared with: the live one, or one that is live no more, by its id."""
    if gated is None or (live is not None and gated.champion_id == live.model_id):
        return _LIVE
    return f"{gated.champion_id} (not live)" if gated.champion_id else "No model"


def checks_table(checks: tuple[Check, ...], rival: str) -> pd.DataFrame:
    """Return the checks of a gate as text: figure, both models, their difference with its interval, verdict.

    ``rival`` names the model the challenger was compared with.
    """
    return pd.DataFrame(
        [
            {
                "Figure": _label(one),
                rival: _written(one, one.champion, one.held[0] if one.held else None),
                "Challenger": _written(one, one.challenger, one.held[1] if one.held else None),
                "Difference (95% interval)": _difference(one),
                "Challenger is": _COMPARISON[one.verdict],
                "Sales": one.difference.n,
            }
            for one in checks
        ]
    )


def _verdict(gated: GateRecord | None, live: ModelRecord | None) -> None:
    """Draw the gate's verdict on these two models; of a gate on another pair, only that it says nothing of them."""
    if gated is None:
        st.markdown("This model was not compared with the live one.")
        return
    live_id = live.model_id if live is not None else None
    if gated.champion_id != live_id:
        st.markdown(plain(reason_needed(gated, live_id)))
        return
    label, icon, colour = _BADGES[gated.gate.verdict]
    st.badge(label, icon=icon, color=colour)
    st.markdown(plain(gated.gate.words))


def _shadows(report: ShadowReport, currency: str) -> None:
    st.markdown("**Shadow estimates**: its prices for the homes agents have priced since")
    if not report.n or report.first is None or report.last is None:
        st.caption(
            f"None yet. The worker (`{worker_command()}`) also prices agents’ homes with the challenger, later and "
            "unseen."
        )
        return
    figures = {
        "Estimates": f"{report.n:,}",
        "Median difference": signed_percent(report.median_difference, 1),
        "Within 5% of each other": percent(report.agree),
    }
    with st.container(horizontal=True, gap="small"):
        for name, value in figures.items():
            with st.container(width=_BOX, gap=None):
                st.metric(name, value)
    until = "" if report.last == report.first else f" to {market_day(report.last, currency)}"
    st.caption(f"Estimates from {market_day(report.first, currency)}{until}. {_sold(report)}")


def _sold(report: ShadowReport) -> str:
    if not report.sold:
        return "None of these homes has a known sale yet."
    one = report.difference
    between = f" ({point_number(one.low)} to {point_number(one.high)})" if math.isfinite(one.low) else ""
    return plain(
        f"Of these, {count(report.sold, 'home')} sold: the mean error of the model live then is "
        f"{percent(report.champion_error.value, 1)}, the challenger's {percent(report.challenger_error.value, 1)}; "
        f"difference {points(one.value)}{between}."
    )


def _promotion(workspace: Workspace, pair: tuple[ModelRecord | None, ModelRecord], for_it: bool | None) -> None:
    """Draw both decisions; ``for_it`` tells where the evidence is, None where no decision is next."""
    live, challenger = pair
    with st.container(horizontal=True):
        promotion.promote_button(
            workspace, live, challenger, "promote_challenger", "Promote the challenger", primary=for_it is True
        )
        if promotion.may_be_rejected(challenger, workspace.actor):
            promotion.reject_button(
                workspace, challenger, "reject_challenger", "Keep the live model", primary=for_it is False
            )


def _label(one: Check) -> str:
    """Return a check's label; of a segment only its name, as people write it."""
    if not one.segment:
        return one.label
    of_both = "band of both estimates" if one.name == Segmentation.ESTIMATE_BAND.value else one.name
    name = f"{of_both} {one.segment}".replace("_", " ")
    return f"{name[:1].upper()}{name[1:]}"


def _written(one: Check, value: float, held: float | None = None) -> str:
    if math.isnan(value):
        return MISSING
    if held is not None:
        return f"{percent(held, 1)}, {points(value).removeprefix('+')} off"
    return f"{value:z.1f}".replace("-", "−") if _plain_number(one) else percent(value, 1)


def _difference(one: Check) -> str:
    value, low, high = (_change(one, end) for end in (one.difference.value, one.difference.low, one.difference.high))
    return f"{value}{'' if value == MISSING or _plain_number(one) else ' points'} ({low} to {high})"


def _change(one: Check, value: float) -> str:
    if math.isnan(value):
        return MISSING
    return f"{value:+z.1f}".replace("-", "−") if _plain_number(one) else point_number(value)


def _plain_number(one: Check) -> bool:
    """Tell whether the figure is a coefficient, not a share."""
    return one.name == "cod" and not one.segment
