"""Step 5 of the intake: the commit, all or nothing, and what it changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pandas as pd
import streamlit as st

from core.errors import DoorstepError
from core.schema import Source
from core.wording import count, market_day, market_instant
from core.workflows.data.effect_words import back_in_use_words, left_out_words, why_nothing_new
from core.workflows.data.intake import IntakePreview, IntakeReport, commit_intake
from core.workflows.data.versions import committed_since
from core.workflows.doubts.misread import consent_words
from core.workspace import Workspace
from pages.kit import errors, navigation, session
from pages.kit.text import plain
from pages.views.sales_data import draft, preview, steps
from pages.views.sales_data.accounting import draw_counts
from pages.views.sales_data.draft import Draft, Step

REPORT: Final = "_intake_report"
_GONE: Final = "_files_gone"


def say_taken_away(workspace: Workspace, held: Draft) -> None:
    """Say, until this session brings files, what became of those that it showed and another tab or window took away."""
    if (gone := draft.taken_away(held, workspace.clock())) is not None:
        st.session_state[_GONE] = _what_became(workspace, gone)
    elif held.files:
        st.session_state.pop(_GONE, None)
    if _GONE in st.session_state:
        st.info(plain(st.session_state[_GONE]), icon=":material/tab:")


def _what_became(workspace: Workspace, gone: draft.Shown) -> str:
    [first, *others] = gone.names
    were = "These files were" if others else f"{first} was"
    version = committed_since(workspace, gone.contents, gone.since)
    if version is None:
        return f"{were} dropped, or committed without a change, in another tab or window."
    market = workspace.store.markets.get(version.market_id)
    latest = workspace.store.versions.latest(version.market_id)
    at = market_instant(version.created_at, market.currency)
    rows = count(latest.rows if latest is not None else 0, "sale")
    return f"{were} committed in another tab or window on {at}. {market.name} now has {rows}."


def draw(workspace: Workspace, held: Draft, found: IntakePreview) -> None:
    """Draw what is about to be saved and the button that saves it."""
    preview.say_known(found)
    preview.say_doubts(found, "Confirm it below.")
    with st.container(border=True):
        _say_what(held, found)
        names = ", ".join(draft.upload_of(file).name for file in held.files)
        note = _note(held)
        keep = _kept(found)
        allowed = _allowed(found)
        st.caption("Either everything is saved or nothing: until then, the market does not change.")
        with st.container(horizontal=True, gap="small"):
            if st.button("Back", key="back", icon=":material/arrow_back:"):
                steps.go(Step.PREVIEW)
            button = f"Commit {what(found)}"
            if st.button(button, key="commit", type="primary", icon=":material/done_all:", disabled=not allowed):
                _commit(workspace, found, note.strip() or names, keep)


def what(found: IntakePreview) -> str:
    """Describe what is new, such as "30 new sales, 2 corrections and facts of 300 stored sales", "new indicators"."""
    parts = [count(found.new_sales, "new sale")] if found.new_sales else []
    parts += [count(found.corrected_sales, "correction")] if found.corrected_sales else []
    parts += [f"facts of {count(found.completed, 'stored sale')}"] if found.completed else []
    if not parts and not found.changed_rows:
        parts += [f"{count(found.homes.news.homes, 'home')} of the tax roll"] if found.homes.words else []
        parts += ["new indicators"] if found.indicators is not None else []
    listed = " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
    return listed or count(found.new_sales, "new sale")


def _say_what(held: Draft, found: IntakePreview) -> None:
    destination = held.destination
    new = found.sales.iloc[len(found.sales) - found.new_sales :]
    if destination is not None and not destination.market_id:
        where = f"A new market, {destination.name}, is created with {count(len(new), 'sale')}"
    elif not found.changed_rows and (found.homes.words or found.brought):
        brought = " ".join(filter(None, (found.homes.words, found.brought)))
        where = f"The market keeps its {count(len(found.sales), 'sale')}. {brought.removesuffix('.')}"
    elif not found.brings_sales and found.gained:
        where = f"The market keeps its {count(len(found.sales), 'sale')}, and {what(found)} are filled in"
        where += f". {found.homes.words.removesuffix('.')}" if found.homes.words else ""
    elif found.corrected_sales and len(found.sales) == found.held_sales and not found.new_sales:
        where = f"The market keeps its {count(len(found.sales), 'sale')}, {found.corrected_sales:,} of them corrected"
    else:
        where = f"The market goes from {found.held_sales:,} to {count(len(found.sales), 'sale')}"
        back = back_in_use_words(found.back_in_use)
        where += f": {count(found.new_sales, 'new sale')} and {back}" if back else ""
    ends = (market_day(one, found.currency) for one in (new["sale_date"].min(), new["sale_date"].max()))
    when = f", the new ones from {' to '.join(ends)}" if len(new) else ""
    beside = found.brings_sales and found.gained
    filled = f" Facts of {count(found.completed, 'stored sale')} are filled in." if beside else ""
    st.markdown(plain(f"{where}{when}.{filled}"))
    if words := left_out_words([file for file in found.files if file.source == Source.SALES]):
        st.markdown(plain(words))


def _note(held: Draft) -> str:
    """Draw the note for the record, which waits with the files."""
    label = "Note for the record"
    note = st.text_input(
        label,
        held.note,
        key="note",
        placeholder="Where the files come from",
        max_chars=500,
        # Kept as it is typed: whatever was pressed next may draw a page without this field.
        on_change=lambda: draft.noted(str(st.session_state["note"] or "")),
    )
    if note != held.note:
        draft.noted(note)
    return note


def _kept(found: IntakePreview) -> list[str]:
    """Ask whether to keep columns that reveal the price; return those to keep."""
    columns = [leak.column for leaks in found.leaks.values() for leak in leaks]
    if not columns:
        return []
    st.warning(plain(f"These columns reveal the price: {', '.join(columns)}."), icon=":material/key:")
    label = "Keep them anyway: I know that they were known before the sale"
    return columns if st.checkbox(label, key="keep_leaks") else []


def _allowed(found: IntakePreview) -> bool:
    """Ask whether to commit files that seem to be of elsewhere or misread; return whether nothing stands against it.

    What makes them seem so stands above.
    """
    asked = {
        "elsewhere": (found.elsewhere, f"These files belong to this market, and their prices are in {found.currency}"),
        "misread": (found.misread, consent_words(found.new_sales, found.corrected_sales)),
    }
    # Each box is drawn, whether another is ticked or not.
    ticked = [st.checkbox(label, key=f"allow_{name}") for name, (files, label) in asked.items() if files]
    return all(ticked)


def _commit(workspace: Workspace, found: IntakePreview, note: str, keep: list[str]) -> None:
    try:
        with st.spinner("Writing the data version…"):
            report = commit_intake(workspace, found, note, keep, list(found.elsewhere), list(found.misread))
    except DoorstepError as error:
        errors.show(error)
        return
    draft.drop_all()
    # The checked data is on disk now; the session keeps the summary, not the table.
    st.session_state[REPORT] = replace(report, preview=_light(report.preview))
    session.open_market(report.version.market_id)
    st.rerun()


def _light(found: IntakePreview) -> IntakePreview:
    empty, bare = pd.DataFrame(), replace(found.homes, roll=None)
    return replace(
        found, sales=empty, ledgers=empty, problems=empty, conflicts=empty, tables=(), near_matches=(), homes=bare
    )


def draw_committed(report: IntakeReport) -> None:
    """Draw what the commit changed, and the next steps."""
    version = report.version
    if report.changed:
        ends = (market_day(one, report.preview.currency) for one in (version.first_sale, version.last_sale))
        st.success(
            f"Committed: {what(report.preview)}; the market now has "
            f"{count(version.rows, 'sale')}, {' to '.join(ends)}.",
            icon=":material/check_circle:",
        )
    else:
        why = why_nothing_new(report.preview.files, report.preview.held_sales)
        st.info(plain(f"Nothing changed. {why}"), icon=":material/info:")
    draw_counts(report.preview.files)
    unit = session.store().markets.get(version.market_id).area_unit
    preview.draw_corrections(report.preview.corrections, report.preview.currency, unit)
    with st.container(horizontal=True):
        if st.button("Train a model", key="go_train", type="primary", icon=":material/model_training:"):
            del st.session_state[REPORT]
            navigation.go_to("models")
        if st.button("Upload more files", key="more", icon=":material/upload:"):
            del st.session_state[REPORT]
            st.rerun()
