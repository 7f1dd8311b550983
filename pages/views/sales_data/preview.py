"""Step 4 of the intake: what committing would do to every row, before anything is saved."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import PurePath
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.accounting import Outcome, readiness_word, verdict_words
from core.collect.reading.table import RawTable
from core.schema import FIELD_BY_NAME, Source, label_of
from core.serve import words as code_words
from core.spreadsheet import to_csv
from core.wording import MISSING, area_label, count, from_sqft, market_day_format, with_id_words
from core.workflows.data.corrected_sales import fact_words
from core.workflows.data.effect_words import gained_words, idle_files, open_doubts, uncorrected_words, why_nothing_new
from core.workflows.data.intake import IntakePreview
from core.workflows.data.row_ledger import rows_as_in_file, with_cells
from core.workflows.doubts.rejected_rows import ROWS, doubt_words
from pages.kit.charts import plot
from pages.kit.figures import frame
from pages.kit.palette import palette
from pages.kit.text import plain
from pages.views.sales_data import draft, steps
from pages.views.sales_data.accounting import draw_counts
from pages.views.sales_data.charts import flow
from pages.views.sales_data.draft import Draft, Step, drop_all

_FIRST_ROWS: Final = 50
_WHOLE_ROWS: Final = 12
# What a person checks first.
_FIRST: Final = ("sale_price", "sale_date", "address")


def draw(held: Draft, found: IntakePreview) -> None:
    """Draw the figures, the accounting, the corrections and the first resulting rows."""
    draw_figures(found)
    say_known(found)
    say_doubts(found)
    with st.container(border=True):
        st.markdown("**The outcome of every row**")
        # Where every row is kept, a flow has nothing to show.
        if len(found.ledgers) and any(file.duplicate or file.rejected or file.set_aside for file in found.files):
            _flow(found)
        others = ", ".join(file.file for file in found.files if file.source != Source.SALES)
        if others and any(file.source == Source.SALES for file in found.files):
            st.caption(plain(f"The figures above are of rows of sales; here are those of {others}, too."))
        draw_counts(found.files)
        draw_downloads(held, found)
    unit = held.destination.area_unit if held.destination else "sqft"
    draw_corrections(found.corrections, found.currency, unit)
    _gained(found)
    _first_rows(held, found)
    if found.changes_something:
        steps.draw_ways(held, Step.PREVIEW, "Continue to commit")
    else:
        steps.draw_ways(held, Step.PREVIEW)
        if st.button("Done: discard these files", key="discard", icon=":material/delete:"):
            drop_all()
            st.rerun()


def draw_figures(found: IntakePreview) -> None:
    """Draw the verdict on the upload in a sentence, and its figures."""
    sales = [file for file in found.files if file.source == Source.SALES]
    doubts = open_doubts(found.tables, found.elsewhere, found.leaks, found.files)
    gained = gained_words(found.gained, found.completed) if found.gained else ""
    others = [words for words in (gained, found.homes.words, found.brought) if words]
    first = others[0] if others and not found.brings_sales else ""
    if first:
        verdict = f"{readiness_word(doubts)}: {first}"
    else:
        verdict = verdict_words(sales, doubts) if sales else "Nothing to commit"
    st.markdown(f"**{plain(verdict)}**")
    for words in dict.fromkeys((*others, *found.fill_words)):
        if words != first:
            st.info(plain(words), icon=":material/info:")
    if not sales:
        return
    figures = {
        "Rows in": sum(file.rows_in for file in sales),
        "New sales": found.new_sales,
        "Corrections": found.corrected_sales,
        "Repaired": sum(file.repaired for file in sales),
        "Duplicate": sum(file.duplicate for file in sales),
        "Rejected": sum(file.rejected for file in sales),
        "Set aside": sum(file.set_aside for file in sales),
    }
    with st.container(horizontal=True, gap="small"):
        for name, number in figures.items():
            # Three beside one another on a phone.
            st.metric(name, f"{number:,}", border=True, width="content")
    if figures["Repaired"]:
        st.caption("Repaired rows are among the new sales and corrections.")


def say_known(found: IntakePreview) -> None:
    """Say at the top if the files add nothing, give other facts of stored sales, or were imported before."""
    if not found.changes_something:
        st.info(
            plain(f"Nothing changes. {why_nothing_new(found.files, found.held_sales)}"),
            icon=":material/content_copy:",
        )
    elif words := uncorrected_words(found.files, found.held_sales):
        st.info(plain(words), icon=":material/info:")
    for name in found.repeated:
        st.info(plain(f"{name} was imported before; its rows are already known."), icon=":material/info:")


def say_doubts(found: IntakePreview, confirm: str = "Confirm it at the commit.") -> None:
    """Say which columns may be misread, and lead to where that is decided; say of sales that they may be of elsewhere.

    Each step from the check to the commit says so: who commits must have read it there. ``confirm`` says where a grave
    doubt is confirmed.
    """
    doubted: list[int] = []
    if found.elsewhere:
        st.warning(plain(" ".join(found.elsewhere.values())), icon=":material/wrong_location:")
    for words in idle_files(found.files):
        st.warning(plain(words), icon=":material/link_off:")
    for place, table in enumerate(found.tables):
        for one in table.inferences:
            if not one.sure:
                asked = f" {confirm}" if one.of_rows and one.grave else ""
                st.warning(plain(f"{doubt_words(table.name, one)}.{asked}"), icon=":material/help:")
                doubted += [] if one.of_rows or one.column == ROWS else [place]
    if doubted and st.button("Decide in Columns", key="decide_in_columns", icon=":material/arrow_back:"):
        # Of several files, the one with the doubt is open there.
        st.session_state["mapped_file"] = doubted[0]
        steps.go(Step.COLUMNS)


def _flow(found: IntakePreview) -> None:
    plot(
        flow(found.files, found.ledgers, palette()),
        key="flow",
        alt="Flow of the rows of each file to their outcomes, accepted to set aside; figures in the table below",
    )


def draw_downloads(held: Draft, found: IntakePreview) -> None:
    """Draw a download for each nonempty class of rows: those of a file with its own columns and the reasons."""
    tables = {"unreadable cells": found.problems, "conflicts": found.conflicts, "corrections": found.corrections}
    filled = {name: table for name, table in tables.items() if len(table)}
    # A corrected sale has a line for each fact.
    facts = count(len(found.corrections), "fact")
    numbers = {"corrections": f"{found.corrected_sales:,}, {facts}"}
    st.markdown("**Download** each class of rows, with reasons")
    st.caption("Rows of a file have its own columns: correct them there, and upload them again.")
    with st.container(horizontal=True, gap="small"):
        for outcome in reversed(Outcome):
            _draw_rows(held, found, outcome)
        for name, table in filled.items():
            st.download_button(
                f"{name.capitalize()} ({numbers.get(name, f'{len(table):,}')})",
                partial(to_csv, table),
                f"{name.replace(' ', '_')}.csv",
                "text/csv",
                key=f"download_{name}",
                icon=":material/download:",
                on_click="ignore",
            )


def _draw_rows(held: Draft, found: IntakePreview, outcome: Outcome) -> None:
    """Draw a download of the rows with an outcome, one for each file that has any."""
    name, rows = outcome.value.replace("_", " "), found.ledgers[found.ledgers["outcome"] == outcome]
    files = rows["file"].unique()
    tables = draft.tables(held)
    for file in files:
        own = rows[rows["file"] == file]
        of = f", {plain(file)}" if len(files) > 1 else ""
        st.download_button(
            f"{name.capitalize()} ({len(own):,}{of})",
            partial(_rows_csv, own, tables[file], found.headers[file]),
            f"{outcome.value}_of_{PurePath(file).stem}.csv" if of else f"{outcome.value}.csv",
            "text/csv",
            key=f"download_{name}_{file}",
            icon=":material/download:",
            on_click="ignore",
        )


def _rows_csv(ledger: pd.DataFrame, table: RawTable, headers: Sequence[str]) -> bytes:
    return to_csv(rows_as_in_file(with_cells(ledger, table), headers))


def draw_corrections(corrections: pd.DataFrame, currency: str, area_unit: str) -> None:
    """Draw the corrections of earlier sales: each fact before and after, as people of the market read it."""
    if corrections.empty:
        return
    with st.container(border=True):
        st.markdown(f"**Corrections of earlier sales ({corrections['intake_row'].nunique():,})**")
        st.caption("The corrected sale replaces the earlier one, which stays on record with its version.")
        sides = {
            name: [
                fact_words(fact, text, currency, area_unit)
                for fact, text in zip(corrections["field"], corrections[name], strict=True)
            ]
            for name in ("before", "after")
        }
        table = pd.DataFrame(
            {
                "Home": corrections["home"],
                "Fact": corrections["field"].map(label_of),
                "Before": sides["before"],
                "After": sides["after"],
                "File": corrections["file"],
                "Row": corrections["source_row"],
            }
        )
        st.dataframe(
            table,
            hide_index=True,
            height="content" if len(table) <= _WHOLE_ROWS else 360,
            placeholder=MISSING,
            key="corrections",
        )


def _gained(found: IntakePreview) -> None:
    if not found.gained:
        return
    with st.container(border=True):
        st.markdown("**What the stored sales gain**")
        st.caption("Only what is missing is filled in: no stored value changes, and undoing the version takes it away.")
        most_first = sorted(found.gained.items(), key=lambda one: -one[1])
        table = pd.DataFrame(
            {"Fact": [label_of(name) for name, _ in most_first], "Sales that gain it": [n for _, n in most_first]}
        )
        frame(table, "gained")


def _first_rows(held: Draft, found: IntakePreview) -> None:
    new = found.sales.iloc[len(found.sales) - found.new_sales :]
    if new.empty:
        return
    with st.container(border=True):
        st.markdown("**The new sales**")
        unit = held.destination.area_unit if held.destination else "sqft"
        shown = readable(with_id_words(new.head(_FIRST_ROWS), found.id_digits), unit)
        st.caption(f"The first {len(shown):,} of {count(len(new), 'row')}; sort by a header.")
        draw_sales(shown, found.currency, "first_rows")


def draw_sales(shown: pd.DataFrame, currency: str, key: str) -> None:
    """Draw ``readable`` sales, too wide to be cards on a phone: their first column stays in sight."""
    first, written = str(shown.columns[0]), _formats(shown, currency)
    st.dataframe(
        shown,
        hide_index=True,
        height="content" if len(shown) <= _WHOLE_ROWS else 420,
        column_config=written | {first: {**written.get(first, {}), "pinned": True}},
        placeholder=MISSING,
        key=key,
    )


def readable(sales: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return sales under readable labels, with areas in the market's unit and without empty columns."""
    columns: dict[str, pd.Series] = {}
    for name in sorted(map(str, sales), key=lambda one: one not in _FIRST):
        if name == "intake_row" or sales[name].isna().all():
            continue
        field = FIELD_BY_NAME.get(name)
        if field is not None and field.unit == "sqft":
            columns[f"{field.label}, {area_label(unit)}"] = (sales[name] * from_sqft(1.0, unit)).round(1)
        else:
            is_code = name == "property_type"
            columns[label_of(name)] = sales[name].map(code_words.words, na_action="ignore") if is_code else sales[name]
    return pd.DataFrame(columns, index=sales.index)


def _formats(shown: pd.DataFrame, currency: str) -> dict[str, Any]:
    """Return the formats of ``readable``'s columns: amounts with thousands separators, years without, dates as days."""
    config: dict[str, Any] = {}
    for name in map(str, shown):
        if shown[name].dtype.kind == "M":
            config[name] = st.column_config.DateColumn(format=market_day_format(currency))
        elif "year" in name.casefold():
            config[name] = st.column_config.NumberColumn(format="%d")
        elif shown[name].dtype.kind == "f" and shown[name].abs().max() >= 1_000:
            config[name] = st.column_config.NumberColumn(format="localized")
    return config
