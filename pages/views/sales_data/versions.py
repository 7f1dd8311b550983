"""A market's data versions: which is in use, its origin, a comparison of two, undoing, and its inverse."""

from __future__ import annotations

import math
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from core.access import Action, may
from core.collect.mapping_file import document_to_json
from core.errors import DoorstepError
from core.prepare.quality.column_shifts import ColumnShift
from core.schema import EXTRA_PREFIX, FIELD_BY_NAME, NAME_MAX, FieldKind, label_of, readable_name
from core.serve.words import fact_value
from core.spreadsheet import to_csv
from core.store import Market
from core.wording import MISSING, count, market_day, market_instant, percent
from core.workflows.columns.names import name_column, own_columns
from core.workflows.data.corrected_sales import fact_words
from core.workflows.data.versions import (
    NOTHING_IN_USE,
    Recorded,
    VersionDiff,
    compare_versions,
    history,
    intake_of,
    redo_version,
    undo_version,
)
from core.workflows.promotion import ways_out
from core.workspace import Workspace
from pages.kit import errors, figures, session
from pages.kit.choice import asked_for, pressed
from pages.kit.text import one_line, plain
from pages.views.sales_data.mapping_table import inferences_table
from pages.views.sales_data.preview import draw_sales, readable

_SHOWN_ROWS: Final = 200
_LARGE: Final = 0.25
_SMALL: Final = 0.1
_MEDIAN: Final = 2
_DONE: Final = "_version_deed"
_COMPARED: Final = "_compared_since"
"""The version that was in use when the two versions compared were chosen."""


def draw(workspace: Workspace, market: Market) -> None:
    """Draw the list of versions, the comparison of two, and what undoes the latest or brings an undone one back."""
    st.header(f"Data of {plain(session.title_of(market))}", anchor=False)
    message = st.session_state.pop(_DONE, "")
    if message:
        st.success(plain(message), icon=":material/check:")
    records = history(workspace, market.market_id)
    if not records:
        st.caption("No sales yet.")
        return
    _list(records, market)
    _undone(workspace, market, records)
    _intake(workspace, market, records)
    if may(workspace.actor, Action.INGEST):
        _names(workspace, market)
    if len(records) > 1:
        _compare(workspace, market, records)
    in_use = tuple(one for one in records if one.state in ("in use", "earlier"))
    if may(workspace.actor, Action.INGEST) and in_use:
        _undo(workspace, market, in_use)


def _list(records: tuple[Recorded, ...], market: Market) -> None:
    table = pd.DataFrame(
        [
            {
                "Version": one.version.version_id,
                "State": one.state,
                "Sales": one.version.rows,
                "Sold": _sold(one, market.currency),
                "Files": ", ".join(file.file for file in one.version.files),
                "Models": ", ".join(one.models) or MISSING,
                "Note": _own_note(one),
                "Made": _origin(one, market.currency),
            }
            for one in records
        ]
    )
    if not table["Note"].any():
        table = table.drop(columns="Note")
    figures.frame(table, "versions")
    st.caption("A version never changes: new data, a correction or an undo only changes which one is in use.")


def _sold(one: Recorded, currency: str) -> str:
    first, last = (market_day(day, currency) for day in (one.version.first_sale, one.version.last_sale))
    return f"{one_line(first)} to {one_line(last)}"


def _origin(one: Recorded, currency: str) -> str:
    return f"{one_line(market_instant(one.version.created_at, currency))}, by {one.version.created_by}"


def _undone(workspace: Workspace, market: Market, records: tuple[Recorded, ...]) -> None:
    """Draw a row for each undone version: who undid it and why, and the button, or what to do before it is there."""
    may_change = may(workspace.actor, Action.INGEST)
    for one in (one for one in records if one.state == "undone"):
        version = one.version
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            why = f": {one.reason}" if one.reason else ""
            at = market_instant(one.undone_at, market.currency) if one.undone_at else ""
            by = f" by {one.undone_by}, {at}{why}" if at else ""
            together = f"It was built on {', '.join(one.earlier)}, undone, too: they come back together."
            more = one.hindrance or (together if one.earlier else "")
            words = f"({count(version.rows, 'sale')}), undone{by}{f'. {more}' if may_change and more else ''}"
            st.markdown(f"**{plain(version.version_id)}** {plain(words)}", width="stretch")
            back = may_change and one.returnable
            label = f"Use these {len(one.earlier) + 1} versions" if one.earlier else "Use this version"
            if back and st.button(label, key=f"use_{version.version_id}", icon=":material/redo:"):
                _use_again(workspace, one)


def _use_again(workspace: Workspace, one: Recorded) -> None:
    try:
        version = redo_version(workspace, one.version.version_id, earlier=one.earlier)
    except DoorstepError as error:
        errors.show(error)
        return
    along = f", with {', '.join(one.earlier)} below it," if one.earlier else ""
    st.session_state[_DONE] = f"Version {version.version_id} with {count(version.rows, 'sale')}{along} is in use again."
    st.rerun()


def _own_note(one: Recorded) -> str:
    """Return what a person noted; a note that only lists the files says nothing that their column does not."""
    names = ", ".join(file.file for file in one.version.files)
    return one.version.note.removeprefix(names).removeprefix(" · ")


def _intake(workspace: Workspace, market: Market, records: tuple[Recorded, ...]) -> None:
    """Draw how the files of a version were read and mapped, and what was inferred from them."""
    titles = {one.version.version_id: _title(one, market.currency) for one in records}
    with st.expander("How the files were read and mapped", icon=":material/fact_check:"):
        version_id = st.selectbox("Version", list(titles), format_func=titles.__getitem__, key="intake_of")
        files = intake_of(workspace, version_id)
        if not files:
            st.caption("Nothing is on record: the version was not made from files, or by an earlier release.")
        for number, file in enumerate(files):
            st.markdown(f"**{plain(file.file)}**")
            st.caption(plain(file.reading))
            if file.inferences:
                figures.frame(inferences_table(file.inferences), f"inferences_{number}")
            st.download_button(
                "Download its mapping",
                document_to_json(file.mapping),
                f"{file.file.partition('.')[0]}-mapping.json",
                "application/json",
                key=f"mapping_of_{number}",
                icon=":material/download:",
                on_click="ignore",
            )


def _names(workspace: Workspace, market: Market) -> None:
    """Draw what the market's own columns are called, and a form to name one otherwise."""
    columns = own_columns(workspace.store, market.market_id)
    if not columns:
        return
    with st.expander(f"Names of your own columns ({len(columns)})", icon=":material/label:"):
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            column = st.selectbox("Column", columns, format_func=_column_words, key="named_column", width=320)
            now, key, button = label_of(column), f"name_{column}_{label_of(column)}", f"name_it_{column}"
            is_same = str(st.session_state.get(key, now) or "").strip() == now
            label = asked_for("Shown as", button, "type another name first" if is_same else "")
            name = st.text_input(label, now, max_chars=NAME_MAX, key=key, width=260)
            named = pressed("Rename", button, is_same)
        st.caption("Leave the name blank for the column's own. A new name changes no price and no model.")
        if not named:
            return
        try:
            before = name_column(workspace, market.market_id, column, name)
        except DoorstepError as error:
            errors.show(error)
            return
    was = before or readable_name(column)
    st.session_state[_DONE] = f"Renamed: {was} is now {name.strip() or readable_name(column)}."
    st.rerun()


def _column_words(column: str) -> str:
    own = column.removeprefix(EXTRA_PREFIX)
    return label_of(column) if label_of(column) == readable_name(column) else f"{label_of(column)} ({own})"


def _compare(workspace: Workspace, market: Market, records: tuple[Recorded, ...]) -> None:
    titles = {one.version.version_id: _title(one, market.currency) for one in records}
    ids = list(titles)
    # What the version in use changed, not an undone one: that is compared with it only if somebody asks.
    current = next((one.version for one in records if one.state == "in use"), records[0].version)
    parent = current.parent_id if current.parent_id in titles else next(one for one in ids if one != current.version_id)
    usual = {"before": str(parent), "after": current.version_id}
    if st.session_state.get(_COMPARED, current.version_id) != current.version_id:
        # The two were chosen while another version was in use. Only their selectors may write the address.
        st.session_state.update(usual)
    st.session_state[_COMPARED] = current.version_id
    with st.container(border=True):
        st.markdown("**Compare two versions**")
        before, after = (
            st.selectbox(
                label,
                ids,
                ids.index(usual[key]),
                format_func=titles.__getitem__,
                key=key,
                bind="query-params",
            )
            for label, key in (("From", "before"), ("To", "after"))
        )
        if before not in titles or after not in titles or before == after:
            st.caption("Choose two different versions.")
            return
        try:
            diff = _diff(str(workspace.store.home), before, after, workspace)
        except DoorstepError as error:
            errors.show(error)
            return
        _draw_diff(diff, market)


@st.cache_resource(max_entries=2, show_spinner="Comparing the two versions…")
def _diff(home: str, before: str, after: str, _workspace: Workspace) -> VersionDiff:
    # The arguments are the cache key; the page has already checked access.
    return compare_versions(_workspace, before, after)


def _title(one: Recorded, currency: str) -> str:
    """Name a version by what tells it from others: the day it was made and its files, before its id."""
    made, files = market_day(one.version.created_at.date(), currency), [file.file for file in one.version.files]
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    named = f", {files[0]}{more}" if files else ""
    state = f", {one.state}" if one.state != "earlier" else ""
    return f"{made}{named} ({count(one.version.rows, 'sale')}{state}) {one.version.version_id}"


def _draw_diff(diff: VersionDiff, market: Market) -> None:
    counts = {
        "Added": diff.added,
        "Removed": diff.removed,
        "Corrected": diff.corrected,
        "Completed": diff.completed,
        "Lost facts": diff.lost,
        "Unchanged": diff.same,
    }
    with st.container(horizontal=True, gap="small"):
        for name, number in counts.items():
            st.metric(name, f"{number:,}", border=True, width="content")
    if diff.completed:
        st.caption("Completed sales gained facts that they lacked; no fact that they had is another.")
    ends = [(one.first_sale, one.last_sale) for one in (diff.before, diff.after)]
    spans = [" to ".join(market_day(one, market.currency) for one in both) for both in ends]
    st.caption(
        f"Sales from {spans[0]} in both."
        if spans[0] == spans[1]
        else f"Sales from {spans[0]} before, {spans[1]} after."
    )
    parts = {"Columns": _shifts_table(diff, market)}
    unit = market.area_unit
    if len(diff.changes):
        parts["Changed facts"] = _changes_table(diff.changes, market)
    if diff.added:
        parts["Added"] = readable(diff.added_rows, unit)
    if diff.removed:
        parts["Removed"] = readable(diff.removed_rows, unit)
    part = st.segmented_control(
        "Show", list(parts), default="Columns", required=True, key="diff_part", label_visibility="collapsed"
    )
    table = parts.get(str(part), parts["Columns"])
    shown = table.head(_SHOWN_ROWS)
    if len(shown) < len(table):
        st.caption(f"The first {len(shown):,} of {len(table):,}; the file has all.")
    if part in ("Added", "Removed"):
        draw_sales(shown, market.currency, f"diff_{part}")
    else:
        figures.frame(shown, f"diff_{part}", write={"Distance": figures.number(3)})
    if part == "Columns":
        st.caption("Distance: the population stability index over ten bins. Below 0.1 is small, above 0.25 large.")
    st.download_button(
        "Download as CSV",
        partial(to_csv, table),
        f"{diff.before.version_id}-{diff.after.version_id}-{str(part).lower()}.csv",
        "text/csv",
        key="download_diff",
        icon=":material/download:",
        on_click="ignore",
    )


def _shifts_table(diff: VersionDiff, market: Market) -> pd.DataFrame:
    order = sorted(diff.columns, key=lambda one: -(one.distance or 0.0))
    return pd.DataFrame(
        [
            {
                "Column": label_of(one.field),
                "Shift": _verdict(one.distance),
                "Distance": math.nan if one.distance is None else one.distance,
                "Missing before": percent(one.missing_before, 1),
                "Missing after": percent(one.missing_after, 1),
                "Middle before": _middle(one, one.quantiles_before, market),
                "Middle after": _middle(one, one.quantiles_after, market),
            }
            for one in order
        ]
    )


def _verdict(distance: float | None) -> str:
    if distance is None:
        return MISSING
    return "large" if distance > _LARGE else "some" if distance > _SMALL else "small"


def _middle(one: ColumnShift, quantiles: tuple[float, ...], market: Market) -> str:
    """Write the median, or the most frequent categories with their shares."""
    if one.top:
        is_before = quantiles is one.quantiles_before
        shares = [(part.name, part.before if is_before else part.after) for part in one.top[:3]]
        return ", ".join(f"{fact_value(one.field, name, market)} {percent(share)}" for name, share in shares if share)
    if not quantiles:
        return MISSING
    field = FIELD_BY_NAME.get(one.field)
    median = quantiles[_MEDIAN]
    if field is not None and field.kind is FieldKind.DATE:
        return market_day((pd.Timestamp(1970, 1, 1) + pd.Timedelta(days=median)).date(), market.currency)
    return fact_value(one.field, median, market)


def _changes_table(changes: pd.DataFrame, market: Market) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Home": changes["home"],
            "Sold": [fact_words("sale_date", day, market.currency, market.area_unit) for day in changes["sale_date"]],
            "Fact": changes["field"].map(label_of),
            "Before": _in_words(changes, "before", market),
            "After": _in_words(changes, "after", market),
        }
    )


def _in_words(changes: pd.DataFrame, side: str, market: Market) -> list[str]:
    facts = zip(changes["field"], changes[side], strict=True)
    return [fact_words(name, text, market.currency, market.area_unit) for name, text in facts]


def _undo(workspace: Workspace, market: Market, in_use: tuple[Recorded, ...]) -> None:
    """Draw what undoes the latest version, or an earlier one with all that were built on it; newest first."""
    by_id = {one.version.version_id: one for one in in_use}
    titles = {version_id: _title(one, market.currency) for version_id, one in by_id.items()}
    with st.expander("Undo a version", icon=":material/undo:"):
        chosen = by_id[st.selectbox("Version to undo", list(by_id), format_func=titles.__getitem__, key="undo_which")]
        version = chosen.version
        gone = (*(by_id[one] for one in chosen.later), chosen)
        parent = by_id.get(version.parent_id or "")
        after = (
            f"{count(parent.version.rows, 'sale')} of version {parent.version.version_id} are in use again"
            if parent
            else "the market has no sales until new ones are committed"
        )
        if chosen.later:
            others = "; ".join(_brought(by_id[one]) for one in chosen.later)
            st.warning(
                plain(
                    f"Later versions were built on it, so it can only be undone together with them: {others}. What "
                    "only they brought is then not in use either."
                ),
                icon=":material/layers:",
            )
        names = ", ".join(one.version.version_id for one in gone)
        are = "versions" if chosen.later else "version"
        sales = count(version.rows, "sale")
        back = "“Use these versions” brings them all" if chosen.later else "“Use this version” brings it"
        st.markdown(
            plain(
                f"{are.capitalize()} {names} {'are' if chosen.later else f'({sales}) is'} no longer "
                f"used, and {after}. {'They stay' if chosen.later else 'It stays'} on record, and {back} back."
            )
        )
        _say_models(workspace, version.market_id, tuple(model for one in gone for model in one.models))
        key, sure_key = "undo_reason", f"undo_sure_{version.version_id}"
        lacking = "" if str(st.session_state.get(key) or "").strip() else "say why first"
        reason = st.text_input(asked_for("Why undo it? (required)", "undo", lacking), key=key, max_chars=500)
        unsure = "" if st.session_state.get(sure_key) else "tick this first"
        sure = st.checkbox(asked_for(f"Yes, undo {are} {names}", "undo", unsure), key=sure_key)
        if pressed("Undo it", "undo", not (sure and reason.strip()), icon=":material/undo:"):
            _take_back(workspace, chosen, reason)


def _brought(one: Recorded) -> str:
    files = ", ".join(file.file for file in one.version.files)
    return f"{one.version.version_id} ({count(one.version.rows, 'sale')}{f', {files}' if files else ''})"


def _say_models(workspace: Workspace, market_id: str, models: tuple[str, ...]) -> None:
    """Warn that models trained on what is undone stay, and how a live one is replaced."""
    if not models:
        return
    one = len(models) == 1
    target = workspace.store.models.rollback_target(market_id)
    ways = ways_out(target if target and target.model_id not in models else None)
    st.warning(
        plain(
            f"{count(len(models), 'model')} trained on it ({', '.join(models)}) {'stays' if one else 'stay'} as "
            f"{'it is' if one else 'they are'}, live or not. If the data was wrong, a manager can {ways}."
        ),
        icon=":material/model_training:",
    )


def _take_back(workspace: Workspace, chosen: Recorded, reason: str) -> None:
    try:
        undone = undo_version(workspace, chosen.version.version_id, reason, chosen.later)
    except DoorstepError as error:
        errors.show(error)
        return
    restored = undone.restored
    now = f"version {restored.version_id} with {count(restored.rows, 'sale')} is in use" if restored else NOTHING_IN_USE
    names = ", ".join((*undone.later, undone.version.version_id))
    st.session_state[_DONE] = (
        f"Versions {names} were undone; {now}." if undone.later else f"Version {names} was undone; {now}."
    )
    st.rerun()
