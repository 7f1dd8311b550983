"""The page “Sales data”: bring files, say what their columns are, check every row, and commit a data version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.access import Action, Actor, may
from core.collect.mapping import ColumnMapping, check_required
from core.errors import DoorstepError, MappingError
from core.lifecycle import IntakePreview, IntakeReport, SourcePreview, commit_intake
from core.problem import load_problem
from core.schema import Source
from core.store import Market
from core.store.markets import AreaUnit
from core.wording import count, day, instant
from pages.widgets import faults, links, mapping_table, session, staging
from pages.widgets.accounting import draw_counts, draw_downloads
from pages.widgets.markdown import plain
from pages.widgets.staging import Destination, Staged

NEW: Final = ""
CURRENCIES: Final = ("USD", "AUD", "CAD", "EUR", "GBP", "NZD", "SGD", "CHF", "HKD", "INR", "JPY", "ZAR")
_UNITS: Final[dict[AreaUnit, str]] = {"sqft": "Square feet", "sqm": "Square metres"}
_REFUSED: Final = "_refused_files"
_ROUND: Final = "_upload_round"
_CHECKED: Final = "_checked"
_REPORT: Final = "_intake_report"
_MARKS: Final = {".": "1,234.5", ",": "1.234,5"}


def main(who: Actor) -> None:
    """Draw the four steps, then the data the open market already has."""
    st.title("Sales data")
    if may(who, Action.INGEST):
        intake(who)
    market = session.market()
    if market is not None:
        versions(market)


def intake(who: Actor) -> None:
    """Draw the steps from a file to a data version, as far as they have got."""
    report = st.session_state.get(_REPORT)
    if isinstance(report, IntakeReport):
        committed(report)
        return
    st.subheader("1 · Bring files", anchor=False)
    bring_files()
    files = staging.staged()
    if not files:
        return
    st.subheader("2 · Say what the columns are", anchor=False)
    usable = [map_file(file, number, who) for number, file in enumerate(files)]
    st.subheader("3 · Check every row", anchor=False)
    destination = choose_destination()
    checked = check(staging.staged(), destination, all(usable))
    if checked is not None:
        st.subheader("4 · Commit", anchor=False)
        commit(checked, who)


def bring_files() -> None:
    """Draw the uploader and what it refused."""
    limit = load_problem().intake.upload_mb
    # A new key after each upload empties the widget, so that the bytes are on disk only.
    key = f"upload_{st.session_state.get(_ROUND, 0)}"
    brought = st.file_uploader(
        "Sales, and if you have them one tax roll and one neighbourhood file",
        type=["csv", "tsv", "txt", "gz"],
        accept_multiple_files=True,
        max_upload_size=limit,
        key=key,
        help=f"CSV or TSV, also gzipped, up to {limit} MB each. Columns may have any names.",
    )
    if brought:
        st.session_state[_REFUSED] = refused = []
        for file in brought:
            try:
                staging.bring(file.name, file.getvalue())
            except DoorstepError as error:
                refused.append(str(error))
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
        st.rerun()
    for message in st.session_state.get(_REFUSED, []):
        st.error(plain(message), icon=":material/error:")


def map_file(file: Staged, number: int, who: Actor) -> bool:
    """Draw one file's kind, mapping and preset; tells whether its mapping can be checked."""
    seen = staging.preview(file.upload_id, file.source)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            with st.container(width="stretch", gap=None):
                st.markdown(f"**{plain(seen.name)}**")
                bad = f", {count(seen.bad_lines, 'unreadable line')}" if seen.bad_lines else ""
                st.caption(f"{count(seen.rows_in, 'row')}, {count(len(seen.columns), 'column')}{bad}")
            kinds = mapping_table.sources()
            kind = st.selectbox(
                "Kind of file",
                list(kinds),
                list(kinds).index(file.source.value),
                format_func=kinds.__getitem__,
                key=f"kind_{file.upload_id}_{file.source}",
                width=260,
            )
            if st.button("Remove", key=f"remove_{number}", icon=":material/delete:"):
                staging.drop(file.upload_id)
                st.rerun()
        if Source(kind) is not file.source:
            guessed = staging.preview(file.upload_id, Source(kind)).guess.mapping
            staging.keep(Staged(file.upload_id, Source(kind), guessed))
            st.rerun()
        edit_mapping(file, seen)
        settings(file, number)
        presets(file, seen, number, who)
        return is_complete(file.mapping)


def edit_mapping(file: Staged, seen: SourcePreview) -> None:
    """Draw the mapping as a table; a pick that is possible becomes the file's mapping at once."""
    table = mapping_table.table_of(file.mapping, seen.guess)
    kept = (
        f"{count(len(seen.columns) - len(file.mapping.ignored), 'column')} kept, {len(file.mapping.ignored)} left out."
    )
    st.caption(f"{kept} Correct a guess by picking in “Taken for”, “Read as” or “Unit”.")
    # The key follows the mapping: after each pick the table starts from the mapping it led to.
    key = f"mapping_{file.upload_id}_{abs(hash(file.mapping.to_json()))}"
    edited = st.data_editor(
        table,
        key=key,
        hide_index=True,
        height="content" if len(table) <= 30 else 700,
        disabled=["Column", "Samples", "Sure", "Why"],
        column_config=_columns(),
        alt=f"Columns of {seen.name} and what each is taken for",
    )
    if edited.equals(table):
        return
    try:
        changed = mapping_table.mapping_of(edited, file.mapping)
    except MappingError as error:
        faults.show(error)
        return
    if changed != file.mapping:
        staging.keep(file._replace(mapping=changed))
        st.rerun()


def _columns() -> dict[str, Any]:
    pick = st.column_config.SelectboxColumn

    def choice(label: str, labels: Mapping[str, str], width: int, help_text: str) -> Any:
        return pick(
            label,
            options=list(labels),
            format_func=lambda one: labels[str(one)],
            required=True,
            width=width,
            help=help_text,
        )

    return {
        "Column": st.column_config.TextColumn("Column", width=125, pinned=True),
        "Samples": st.column_config.TextColumn("Samples", width=165),
        "Field": choice("Taken for", mapping_table.FIELD_LABELS, 145, "Pick what the column is."),
        "Sure": st.column_config.ProgressColumn("Sure", format="%.0f%%", min_value=0, max_value=100, width=85),
        "Read as": choice("Read as", mapping_table.PARSE_LABELS, 110, "How the text becomes a value."),
        "Unit": choice("Unit", mapping_table.UNIT_LABELS, 75, "What areas are written in."),
        "Why": st.column_config.TextColumn("Why", width=420),
    }


def settings(file: Staged, number: int) -> None:
    """Draw what holds for the whole file: how dates and numbers are written."""
    mapping = file.mapping
    dates, marks, _ = st.columns([2, 1, 2], gap="small")
    changed = mapping
    if any(rule.parse == "date" for rule in mapping.rules):
        formats = mapping_table.date_formats(mapping)
        chosen = dates.selectbox(
            "Dates are written like",
            formats,
            formats.index(mapping.date_format),
            format_func=mapping_table.date_example,
            key=f"dates_{number}_{file.upload_id}_{mapping.date_format}",
        )
        changed = replace(changed, date_format=chosen)
    decimal = marks.selectbox(
        "Numbers are written like",
        list(_MARKS),
        list(_MARKS).index(mapping.decimal),
        format_func=_MARKS.__getitem__,
        key=f"marks_{number}_{file.upload_id}_{mapping.decimal}",
    )
    if decimal != mapping.decimal:
        changed = replace(changed, decimal=decimal, thousands="," if decimal == "." else ".")
    if changed != mapping:
        staging.keep(file._replace(mapping=changed))
        st.rerun()


def presets(file: Staged, seen: SourcePreview, number: int, who: Actor) -> None:
    """Draw saving the mapping under a name, and using one that was saved."""
    store = session.store()
    with st.expander("Presets: use or save a mapping", icon=":material/bookmark:"):
        names = store.presets.list()
        use, save = st.columns(2, gap="medium")
        with use:
            chosen = st.selectbox("Saved mappings", names, None, key=f"preset_{number}", placeholder="Choose one")
            if st.button("Use it", key=f"use_preset_{number}", disabled=chosen is None):
                succeeds(lambda: _use_preset(file, seen, store.presets.load(str(chosen))))
        with save:
            name = st.text_input("Save this mapping as", key=f"preset_name_{number}", max_chars=80).strip()
            write = store.presets.replace if name in names else store.presets.save
            label = "Replace it" if name in names else "Save it"
            if st.button(label, key=f"save_preset_{number}", disabled=not name) and succeeds(
                lambda: write(name, file.mapping.to_json(), who)
            ):
                st.toast(f"Saved as “{plain(name)}”.", icon=":material/bookmark_added:")


def _use_preset(file: Staged, seen: SourcePreview, text: str) -> None:
    mapping = mapping_table.fitted(ColumnMapping.from_json(text), seen.columns, seen.name)
    staging.keep(Staged(file.upload_id, mapping.source, mapping))
    st.rerun()


def succeeds(action: Callable[[], None]) -> bool:
    """Do it and tell whether it was done; a refusal is drawn."""
    try:
        action()
    except DoorstepError as error:
        faults.show(error)
        return False
    return True


def is_complete(mapping: ColumnMapping) -> bool:
    """Tell whether the mapping has what its kind of file needs; what it lacks is drawn."""
    return succeeds(lambda: check_required(mapping))


def choose_destination() -> Destination:
    """Draw where the sales are to go: a market there is, or a new one."""
    markets = {market.market_id: market for market in session.store().markets.list() if not market.simulated}
    chosen = NEW
    opened = session.market()
    with st.container(border=True):
        if markets:
            options = [*markets, NEW]
            first = options.index(opened.market_id) if opened is not None and opened.market_id in markets else 0
            chosen = st.selectbox(
                "Add them to",
                options,
                first,
                format_func=lambda one: markets[one].name if one else "A new market…",
                key="destination",
                width=320,
            )
        if chosen:
            market = markets[chosen]
            st.caption(f"Prices in {market.currency}, areas shown in {_UNITS[market.area_unit].lower()}.")
            return Destination(chosen)
        name, currency, unit = st.columns([2, 1, 1], gap="small")
        return Destination(
            NEW,
            name.text_input(
                "Name of the market", key="market_name", placeholder="City or region", max_chars=80
            ).strip(),
            currency.selectbox("Currency of its prices", CURRENCIES, key="market_currency"),
            unit.selectbox("Areas shown in", tuple(_UNITS), format_func=_UNITS.__getitem__, key="market_unit"),
        )


def check(files: list[Staged], destination: Destination, usable: bool) -> IntakePreview | None:
    """Draw the check and its accounting; None until the present files and mappings were checked and can be used."""
    wanted = (destination, tuple((file.upload_id, file.mapping.to_json()) for file in files))
    named = bool(destination.market_id or destination.name)
    done = st.session_state.get(_CHECKED) == wanted
    if st.button(
        "Check",
        key="check",
        type="secondary" if done else "primary",
        icon=":material/fact_check:",
        disabled=not (usable and named),
    ):
        st.session_state[_CHECKED] = wanted
    if not named:
        st.caption("Name the market first.")
    if st.session_state.get(_CHECKED) != wanted:
        return None
    try:
        found = staging.check(files, destination, datetime.now(UTC).date())
    except DoorstepError as error:
        faults.show(error)
        return None
    draw_check(found)
    return found


def draw_check(found: IntakePreview) -> None:
    """Draw what became of every row, and each class of rows as a download."""
    sales = [file for file in found.files if file.source == Source.SALES]
    figures = {
        "Rows in": sum(file.rows_in for file in sales),
        "New sales": found.new_sales,
        "Duplicate": sum(file.duplicate for file in sales),
        "Rejected": sum(file.rejected for file in sales),
        "Unreadable cells": len(found.problems),
        "Conflicts": len(found.conflicts),
    }
    with st.container(horizontal=True, gap="small"):
        for name, number in figures.items():
            st.metric(name, f"{number:,}", border=True, width=150)
    draw_counts(found.files)
    for name in found.repeated:
        st.info(f"{plain(name)} was taken in before; its rows are known already.", icon=":material/info:")
    draw_downloads(found)


def commit(found: IntakePreview, who: Actor) -> None:
    """Draw the commit: nothing is kept before it, all of it or nothing after."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        note = st.text_input("Note for the record", key="note", placeholder="Where the files come from", width=420)
        label = f"Commit {count(found.new_sales, 'new sale')}"
        pressed = st.button(label, key="commit", type="primary", icon=":material/done_all:")
    if not pressed:
        return
    try:
        with st.spinner("Writing the data version…"):
            report = commit_intake(session.store(), found, note or _names(), who)
    except DoorstepError as error:
        faults.show(error)
        return
    staging.drop_all()
    st.session_state.pop(_CHECKED, None)
    # What the check held is on disk now; the visit keeps the summary, not the table.
    st.session_state[_REPORT] = replace(report, preview=_light(report.preview))
    session.open_market(report.version.market_id)
    st.rerun()


def _names() -> str:
    return ", ".join(staging.upload_of(file).name for file in staging.staged())


def _light(found: IntakePreview) -> IntakePreview:
    empty = pd.DataFrame()
    return replace(found, sales=empty, ledgers=empty, problems=empty, conflicts=empty)


def committed(report: IntakeReport) -> None:
    """Draw what the commit changed, and the ways on."""
    version = report.version
    if report.changed:
        st.success(
            f"Committed: {count(report.preview.new_sales, 'new sale')}; the market now has "
            f"{count(version.rows, 'sale')}, {day(version.first_sale)} to {day(version.last_sale)}.",
            icon=":material/check_circle:",
        )
    else:
        st.info("Nothing changed: the market already had every one of these sales.", icon=":material/info:")
    draw_counts(report.preview.files)
    with st.container(horizontal=True):
        if st.button("Train a model", key="go_train", type="primary", icon=":material/model_training:"):
            del st.session_state[_REPORT]
            links.go_to("models")
        if st.button("Bring more files", key="more", icon=":material/upload:"):
            del st.session_state[_REPORT]
            st.rerun()


def versions(market: Market) -> None:
    """Draw the data versions of a market, newest first."""
    st.subheader(f"Data of {plain(session.title_of(market))}", anchor=False)
    held = session.store().versions.list(market.market_id)
    latest = session.store().versions.latest(market.market_id)
    if not held:
        st.caption("No sales yet.")
        return
    table = pd.DataFrame(
        [
            {
                "Version": one.version_id,
                "": "in use" if latest is not None and one.version_id == latest.version_id else "",
                "Sales": one.rows,
                "From": day(one.first_sale),
                "To": day(one.last_sale),
                "Files": ", ".join(file.file for file in one.files),
                "Note": one.note,
                "By": one.created_by,
                "When": instant(one.created_at),
            }
            for one in held
        ]
    )
    numbers = {"Sales": st.column_config.NumberColumn(format="localized")}
    st.dataframe(table, hide_index=True, column_config=numbers, height="content" if len(table) < 12 else "auto")


main(session.guard("sales_data"))
