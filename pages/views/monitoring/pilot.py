"""The pilot: which offices have estimates, what they did with them, and how their listings compare."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.evaluate.accuracy import Figure
from core.monitor.pilot import LATELY_DAYS, Change
from core.monitor.scorecard import Effect
from core.wording import percent
from core.workflows.pilot.feedback import LABELS
from core.workflows.pilot.report import PilotReport, pilot_report, span_words
from pages.kit.figures import FEW, boxes, card, frame, missing, share
from pages.kit.text import plain
from pages.views.monitoring import rollout
from pages.views.monitoring.scorecard import difference, effect_row
from pages.views.monitoring.selection import Selection, compute_once
from pages.views.monitoring.words import csv


def draw(selection: Selection) -> None:
    """Draw the report on the pilot, if one is set, then who has estimates."""
    report = compute_once(selection, "pilot", _found)
    if report is not None:
        _summary(selection, report)
        _listings(selection, report)
    rollout.draw(selection)
    st.caption("Agents of an office that is not yet in see when it starts. Managers and analysts are never held back.")


def _found(selection: Selection) -> PilotReport | None:
    return pilot_report(selection.workspace, selection.market.market_id)


def _summary(selection: Selection, report: PilotReport) -> None:
    with st.container(border=True, key="pilot_summary"):
        st.header("What came of the pilot", anchor=False)
        made_up = "Simulated market. " if report.market.simulated else ""
        st.caption(plain(f"{made_up}{span_words(report)}"))
        st.markdown(f"**{plain(report.verdict)}**")
        with boxes("pilot"):
            st.metric("Estimates", f"{report.use.estimates:,}", border=True)
            st.metric(
                "Agents active",
                f"{report.use.active} of {report.use.agents}",
                border=True,
                help=f"Of the agents who ever asked for an estimate, those who did so in the last {LATELY_DAYS} days.",
            )
            card("Decisions that accept", report.decided.accepted, share)
            _accuracy(report, selection.workspace.problem.success.tolerance)
        verdicts = ", ".join(f"{LABELS[one].lower()} {report.feedback[one.value]}" for one in LABELS)
        kinds = ", ".join(f"{kind} {n}" for kind, n in report.decided.kinds.items())
        st.markdown(plain(f"Feedback: {verdicts}. Decisions: {kinds}."))


def _accuracy(report: PilotReport, tolerance: float) -> None:
    none = Figure(float("nan"), float("nan"), float("nan"), 0)
    found = report.accuracy
    card("Median error on sold homes", found.mdape if found else none, share)
    card(f"Within {percent(tolerance)}", found.within if found else none, share)


def _listings(selection: Selection, report: PilotReport) -> None:
    compared = report.compared
    with st.container(border=True, key="pilot_listings"):
        st.header("Listings in the pilot and elsewhere", anchor=False)
        names = (
            "in the pilot’s offices since the start",
            "in the same offices before it",
            "in the other offices since the start",
            "in those before it",
        )
        sizes = ", ".join(f"{n:,} {name}" for n, name in zip(report.listings, names, strict=True))
        st.markdown(plain(f"Sold listings: {sizes}."))
        for note in report.notes:
            st.caption(plain(note))
        effects: tuple[Effect | Change, ...] = (*compared.others, *compared.before, *compared.changes)
        if not effects:
            missing("There are no sold listings to compare yet.")
            return
        st.warning(plain(report.warning), icon=":material/info:")
        rows = {
            "The pilot’s listings against the others’": [effect_row(one) for one in compared.others],
            "The same offices against the days before": [effect_row(one) for one in compared.before],
            "The pilot’s change against the others’ change": [_change(one) for one in compared.changes],
        }
        for number, (title, part) in enumerate(rows.items()):
            if part:
                st.markdown(f"**{title}**")
                frame(pd.DataFrame(part), f"pilot_{number}")
                csv(pd.DataFrame(part), f"pilot_{number}", selection)
        with st.expander("The same in sentences", icon=":material/notes:"):
            st.markdown("\n".join(f"- {plain(one.words)}" for one in effects))


def _change(one: Change) -> dict[str, object]:
    return {
        "Outcome": one.label + (", points" if one.unit == "share" else ", days"),
        "Difference": difference(one.difference, one.unit),
        "Smallest group": min(one.counts),
        "Note": FEW if one.thin else "",
    }
