"""Drift: whether the homes or the market moved, and why the error rose."""

from __future__ import annotations

import dataclasses
from typing import Final

import pandas as pd
import streamlit as st

from core.monitor.cause import Leading, RootCause
from core.monitor.drift import PSI_LARGE, DriftVerdict, FeatureDrift
from core.monitor.level_drift import LEVEL_STEADY, LevelDrift, LevelVerdict, Movement
from core.schema import label_of
from core.serve.words import fact_value, labelled
from core.wording import MISSING, count, money, percent
from core.workflows.indicators.moved import moved_words
from core.workflows.monitoring.alerts import market_watch
from core.workflows.monitoring.figures import Drift, drift_of
from core.workflows.standing import next_instead
from pages.kit import navigation
from pages.kit.charts import intervals
from pages.kit.figures import frame, missing, with_ends
from pages.kit.palette import GOOD, NEUTRAL, WATCH, Tone, palette
from pages.kit.text import plain
from pages.views.monitoring import charts
from pages.views.monitoring.selection import Selection, compute_once, narrow
from pages.views.monitoring.words import NO_ESTIMATES, NO_SALES_YET, chart, csv, standing, to_next

_LOOKS: Final[dict[Movement, tuple[Tone, str]]] = {
    Movement.STEADY: (GOOD, ":material/check_circle:"),
    Movement.INPUTS: (WATCH, ":material/home_work:"),
    Movement.MARKET: (WATCH, ":material/trending_down:"),
    Movement.BOTH: (WATCH, ":material/warning:"),
    Movement.UNKNOWN: (NEUTRAL, ":material/help:"),
}
_SEGMENTS: Final = 10
_LEVELS: Final = 14


def draw(selection: Selection) -> None:
    """Draw the verdict, the cause of the error, price levels and the drift of facts."""
    selection = narrow(selection)
    found = compute_once(selection, "drift", _found)
    _verdict(selection, found)
    if selection.workspace.store.models.champion(selection.market.market_id) is None:
        return
    _cause(selection, found)
    _level(selection, found)
    _facts(selection, found)


def _found(selection: Selection) -> Drift:
    watch = market_watch(selection.workspace, selection.market.market_id)
    where = dataclasses.replace(selection.where, model_id=None)
    return drift_of(dataclasses.replace(watch, clock=selection.clock), where, selection.workspace.actor)


def _verdict(selection: Selection, found: Drift) -> None:
    with st.container(border=True):
        st.header("What moved?", anchor=False)
        colour, icon = _LOOKS[found.moved.movement]
        st.badge(found.moved.movement.value.capitalize(), icon=icon, color=colour)
        st.markdown(plain(found.moved.words))
        for note in found.notes:
            missing(note)
        if selection.workspace.store.models.champion(selection.market.market_id) is None:
            navigation.link_to("models", "Train or promote a model")


def _cause(selection: Selection, found: Drift) -> None:
    cause = found.cause
    with st.container(border=True):
        st.header("Why the error rose", anchor=False)
        if cause is None:
            gone = "The live model’s test sales are not on disk; train a new model."
            missing(gone if found.sold else found.unsold or NO_SALES_YET)
            return
        st.markdown(plain(cause.words))
        if cause.leading is not Leading.NONE:
            st.markdown(f"**Leading cause: {plain(cause.leading.value)}.** Next: {plain(_next(selection, cause))}")
            if cause.leading is not Leading.CHANCE:
                to_next(selection)
        rise = cause.rise
        st.caption(
            plain(
                f"From the {count(cause.n_before, 'sale')} of its test to {count(cause.n, 'sale')} of homes it priced "
                f"before listing; the rise is {100 * rise.value:.1f} points (95% interval {100 * rise.low:.1f} to "
                f"{100 * rise.high:.1f}). Bars to the right add to the error, bars to the left take from it. "
                "Each bar counts only what is left after those above it, so homes may have moved more than their bar "
                "says."
            )
        )
        chart(
            charts.waterfall(cause, palette()),
            "cause",
            "Waterfall chart: how the causes add up from the previous to the current error; figures below",
        )
        _meanwhile(selection)
        parts = _parts(cause)
        frame(parts.assign(**{"Share of the rise, %": parts["Share of the rise, %"].round(0)}), "cause_parts")
        csv(parts, "cause", selection)
        if cause.segments:
            st.markdown("**Segments that explain most**")
            st.caption("Excess: what a segment adds to the rise beyond its share of the sales, in points.")
            segments = _segments(cause)
            frame(segments.head(_SEGMENTS), "cause_segments")
            csv(segments, "cause-segments", selection)


def _meanwhile(selection: Selection) -> None:
    """Say how the market's indicators moved since training: what may lie behind, which no figure here proves."""
    moved = moved_words(selection.workspace, selection.market.market_id, selection.clock)
    if moved:
        st.markdown("**Meanwhile, since the latest sale that the model learned from**")
        st.markdown(plain(" ".join(moved)))


def _next(selection: Selection, cause: RootCause) -> str:
    """Say what helps: nothing to train for chance, else the cause's remedy or the one next step."""
    if cause.leading is Leading.CHANCE:
        return cause.remedy
    return next_instead(cause.remedy, standing(selection))


def _parts(cause: RootCause) -> pd.DataFrame:
    parts = [cause.level, *cause.by_feature, cause.rest]
    return pd.DataFrame(
        {
            "Cause": [one.label for one in parts],
            "Points": [100 * one.points for one in parts],
            "Share of the rise, %": [100 * one.share for one in parts],
            "In words": [one.words for one in parts],
        }
    )


def _segments(cause: RootCause) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Segment": [one.segment.replace("_", " ") for one in cause.segments],
            "By": [label_of(one.by) for one in cause.segments],
            "Sales": [one.n for one in cause.segments],
            "Error before, %": [round(100 * one.mape_before, 1) for one in cause.segments],
            "Error now, %": [round(100 * one.mape, 1) for one in cause.segments],
            "Bias now, %": [round(100 * one.bias, 1) for one in cause.segments],
            "Share of the rise, %": [round(100 * one.share, 1) for one in cause.segments],
            "Excess, points": [100 * one.excess for one in cause.segments],
        }
    )


def _level(selection: Selection, drift: Drift) -> None:
    found = drift.level
    with st.container(border=True):
        st.header("Price level by segment", anchor=False)
        if found is None:
            missing(drift.unsold or NO_SALES_YET)
            return
        table = _levels(found)
        st.caption(
            plain(
                "How far sale prices are from the live model’s estimates; within "
                f"{percent(LEVEL_STEADY)} counts as steady. Fell or rose: the whole interval is beyond that; unsure: "
                "the figure is, but not its whole interval. Dashed: no difference. Lines through the marks: intervals, "
                "which hold jointly at 95%; segments with too few sales are only in the table."
            )
        )
        shown = table[~table["thin"]].head(_LEVELS)
        if len(shown):
            chart(
                intervals(shown["name"].tolist(), shown, "shift", "Sold above the estimate, %", 0.0, palette()),
                "level",
                "Price level by segment with its interval; the figures are in the table below",
            )
        # A phone shows the first columns of a long table.
        readable = pd.DataFrame({"Segment": table["name"], "Moved, %": with_ends(table, "shift")})
        readable = readable.assign(Verdict=table["verdict"], Sales=table["n"], By=table["by"])
        frame(readable, "levels")
        csv(table, "price-level", selection)


def _levels(found: LevelDrift) -> pd.DataFrame:
    # Segments with too few sales come last: their large moves are chance.
    known = sorted(found.segments, key=lambda one: one.verdict is LevelVerdict.TOO_FEW)
    shifts = [found.overall, *known]
    names = [one.segment.replace("_", " ") for one in shifts]
    return pd.DataFrame(
        {
            "by": [label_of(one.by) if one.by else "" for one in shifts],
            "name": [name[:1].upper() + name[1:] for name in names],
            "n": [one.n for one in shifts],
            "shift": [one.shift for one in shifts],
            "shift_low": [one.low for one in shifts],
            "shift_high": [one.high for one in shifts],
            "verdict": [one.verdict.value for one in shifts],
            "thin": [one.verdict is LevelVerdict.TOO_FEW for one in shifts],
        }
    )


def _facts(selection: Selection, found: Drift) -> None:
    with st.container(border=True):
        st.header("Facts of the homes priced", anchor=False)
        if not found.facts:
            missing(NO_ESTIMATES if not found.asked else "The model’s training sales cannot be read.")
            return
        drifted = [one for one in found.facts if one.verdict is DriftVerdict.DRIFTED]
        n = max(one.n for one in found.facts)
        sample = f"{n:,} of {count(found.asked, 'estimate')}" if n < found.asked else count(n, "estimate")
        watched = [labelled(one.field, selection.market) for one in found.facts if one.verdict is DriftVerdict.WATCH]
        words = f"{count(len(drifted), 'fact')} drifted" if drifted else "No fact drifted"
        words += f"; {len(watched)} on watch: {', '.join(watched)}" if watched else ""
        st.markdown(f"**{words}** ({plain(sample)} examined).")
        st.caption(
            f"PSI: how far the shares moved; {PSI_LARGE:.2f} and above is large. Distance: Kolmogorov–Smirnov, 0 to 1. "
            "Shift: Wasserstein, in standard deviations of the training sales. By chance: what samples of this size "
            "show without drift. An arrow leads from the training sales to the homes priced."
        )
        table = _fact_table(selection, found.facts)
        frame(table, "facts", 3)
        csv(pd.DataFrame([dataclasses.asdict(one) for one in found.facts]), "facts", selection)


def _fact_table(selection: Selection, facts: tuple[FeatureDrift, ...]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "Fact": [labelled(one.field, selection.market) for one in facts],
            "Verdict": [one.verdict.value for one in facts],
            "PSI": [one.psi for one in facts],
            "By chance": [one.psi_by_chance for one in facts],
            "Distance": [one.distance for one in facts],
            "Shift": [one.wasserstein for one in facts],
            "Median": [_from_to(_value(selection, one, one.before), _value(selection, one, one.now)) for one in facts],
            "Missing": [_from_to(percent(one.missing_before, 1), percent(one.missing_now, 1)) for one in facts],
            "Never seen before": [_unseen(one) for one in facts],
        }
    )
    return table if any(one.unseen for one in facts) else table.drop(columns="Never seen before")


def _from_to(before: str, now: str) -> str:
    return before if before == now else f"{before} → {now}"


def _value(selection: Selection, one: FeatureDrift, value: float | None) -> str:
    if value is not None and one.field == "estimate":
        return money(value, selection.market.currency)
    return MISSING if value is None else fact_value(one.field, value, selection.market)


def _unseen(one: FeatureDrift) -> str:
    if not one.unseen:
        return MISSING
    return f"{', '.join(one.unseen[:3]).replace('_', ' ')} ({percent(one.unseen_share, 1)})"
