"""Step 3 of the intake: checks every row and shows what is wrong or strange before anything is decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import pandas as pd
import streamlit as st

from core.accounting import reason_words
from core.collect.leaks import Leak
from core.errors import DoorstepError
from core.prepare.quality.column_check import OTHER, ColumnComparison, in_unit, is_area
from core.prepare.quality.corrections import OTHER_FACTS, SAYS_OTHERWISE, Repeats
from core.schema import FIELD_BY_NAME, label_of
from core.spreadsheet import to_csv
from core.store.base.markets import AreaUnit
from core.wording import MISSING, area_label, count, degrees, percent
from core.workflows.data.inspection import FILE, FileInspection, Inspection
from core.workflows.data.intake import IntakePreview
from core.workspace import Workspace
from pages.kit import errors, figures, navigation, session
from pages.kit.charts import plot
from pages.kit.palette import palette
from pages.kit.text import plain
from pages.views.sales_data import charts, draft, near_matches, preview, steps
from pages.views.sales_data.draft import Draft, Step

_WHOLE_ROWS: Final = 12
# More rows than this are only in the file: a browser can sort this many instantly.
_SHOWN_ROWS: Final = 20_000
_FINDINGS: Final = 4
_ROWS_NAMED: Final = 5
_FIGURES: Final = ("New median", "Stored median", "New missing", "Stored missing")


def today() -> date:
    """Return the day after which sale dates are in the future."""
    return session.workspace().utc_today()


def checked(held: Draft) -> IntakePreview | None:
    """Return the check's result for the current files; if it is refused, draw the error and return None."""
    try:
        found = draft.check(held, today())
    except DoorstepError as error:
        errors.show(error)
        if draft.are_listings(held) or draft.lack_prices(held):
            navigation.link_to("pricing", "Price them instead")
        return None
    idle = not found.changes_something
    if not held.passed or held.idle != idle:
        draft.passed(idle)
        # From here on, the following steps are open; where nothing changes, there is nothing to commit.
        st.rerun()
    return found


def draw(workspace: Workspace, held: Draft, found: IntakePreview) -> None:
    """Draw the figures, the problems, the columns compared with stored data, near matches and conflicts."""
    seen = draft.inspected(held, today())
    unit = held.destination.area_unit if held.destination else "sqft"
    preview.draw_figures(found)
    preview.say_known(found)
    _other_facts(held, found)
    preview.say_doubts(found)
    for file, leaks in found.leaks.items():
        _say_leaks(file, leaks)
    _columns(seen, unit)
    _problems(seen.problems)
    near_matches.draw(workspace, held, found)
    _conflicts(found.conflicts)
    steps.draw_ways(held, Step.CHECK, "Continue to preview")


def _other_facts(held: Draft, found: IntakePreview) -> None:
    """Draw the rows that give other facts of stored sales, and the tick that takes them where a sale is surely one."""
    rows = found.ledgers[found.ledgers["reasons"].str.split(";").map(lambda codes: OTHER_FACTS in codes)]
    taken = any(file.repeats is Repeats.CORRECT for file in held.files)
    if rows.empty and not taken:
        return
    with st.container(border=True):
        label = "Take these facts where a sale is surely the same: one home, on one day, at one price"
        wanted = st.checkbox(label, taken, key="take_facts")
        if len(rows):
            facts = rows["detail"].str.extract(rf"{SAYS_OTHERWISE}(.*)$", expand=False)
            table = pd.DataFrame({"File": rows["file"], "Row": rows["source_row"], "Stored, and here": facts})
            with st.expander(f"{count(len(rows), 'row')} with other facts that change nothing", icon=":material/list:"):
                st.dataframe(table.head(_SHOWN_ROWS), hide_index=True, key="other_facts")
    if wanted != taken:
        draft.take_facts(Repeats.CORRECT if wanted else Repeats.STAY)
        st.rerun()


def _say_leaks(file: str, leaks: Sequence[Leak]) -> None:
    if not leaks:
        return
    whys = "; ".join(f"{leak.column}: {leak.why}" for leak in leaks)
    st.warning(
        plain(f"{file} has columns that reveal the price. {whys}. Leave them out in the Columns step."),
        icon=":material/key:",
    )


# Columns


def _columns(seen: Inspection, unit: AreaUnit) -> None:
    if not seen.sales:
        return
    with st.container(border=True):
        st.markdown("**Columns compared with the stored sales**")
        if seen.held:
            st.caption(
                f"Shares of the values of each column, new and stored ({count(seen.held, 'sale')}); findings first. "
                "Select a row for a larger chart."
            )
        else:
            st.caption(
                "Nothing is stored yet to compare with: these are the new values. Select a row for a larger chart."
            )
        st.caption("Shares and medians are of all rows of a file, those that are rejected among them.")
        for file in seen.sales:
            if len(seen.sales) > 1:
                st.markdown(f"*{plain(file.file)}*")
            _columns_of(file, bool(seen.held), unit)


def _columns_of(file: FileInspection, is_held: bool, unit: AreaUnit) -> None:
    order = sorted((in_unit(one, unit) for one in file.columns), key=lambda one: (not one.finding, not one.new_share))
    for one in [one for one in order if one.finding][:_FINDINGS]:
        st.warning(plain(f"{one.label}: {one.finding}"), icon=":material/troubleshoot:")
    table = pd.DataFrame([_row(one, unit) for one in order])
    idle = ["Stored", "Stored median", "Stored missing"] if not is_held else []
    # The first findings stand above the table.
    idle += ["Finding"] if not is_held or sum(1 for one in order if one.finding) <= _FINDINGS else []
    table = table.drop(columns=idle)
    colours, bars = palette(), st.column_config.BarChartColumn
    config = {
        "New": bars("New values", width=120, y_min=0.0, color=colours.more),
        "Stored": bars("Stored values", width=120, y_min=0.0, color=colours.faint),
        "Finding": st.column_config.TextColumn(width=240),
        "Column": st.column_config.TextColumn(pinned=True, width=150),
        **{name: st.column_config.TextColumn(width=105) for name in _FIGURES},
    }
    chosen = st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) <= _WHOLE_ROWS else 460,
        column_config={name: part for name, part in config.items() if name in table},
        placeholder=MISSING,
        key=f"columns_{file.file}",
        on_select="rerun",
        selection_mode="single-row",
    )
    rows = chosen.selection.rows
    # If nothing is selected, show the first finding.
    first = 0 if order and order[0].finding else None
    place = rows[0] if rows else first
    if place is not None and order[place].new_share:
        one = order[place]
        plot(
            charts.column(one, palette()),
            key=f"column_chart_{file.file}",
            alt=f"Shares of the values of {one.label}, new and stored",
        )
        numbers = f"{count(one.new_n, 'new value')}, {count(one.held_n, 'stored value')}"
        st.caption(plain(f"{_label(one, unit)}: {numbers}."))


def _row(one: ColumnComparison, unit: AreaUnit) -> dict[str, object]:
    return {
        "Column": _label(one, unit),
        "Finding": one.finding,
        "New": _bars(one, one.new_share),
        "Stored": _bars(one, one.held_share),
        "New median": _figure(one.new_median, one.field),
        "Stored median": _figure(one.held_median, one.field),
        "New missing": percent(one.new_missing, 1),
        "Stored missing": percent(one.held_missing, 1),
    }


def _label(one: ColumnComparison, unit: AreaUnit) -> str:
    return f"{one.label}, {area_label(unit)}" if is_area(one) else one.label


def _bars(one: ColumnComparison, shares: tuple[float, ...]) -> list[float]:
    # All rare words together would dwarf the others.
    return list(shares[:-1] if one.edges[-1:] == (OTHER,) else shares)


def _figure(value: float | None, field: str) -> str:
    if value is None:
        return MISSING
    if "year" in field:
        return f"{value:.0f}"
    if field in FIELD_BY_NAME and FIELD_BY_NAME[field].unit == "degrees":
        return degrees(value)
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


# Problems


def _problems(problems: pd.DataFrame) -> None:
    with st.container(border=True):
        if problems.empty:
            st.markdown("**No problem in any cell**")
            return
        st.markdown(f"**Problems by cell ({len(problems):,})**")
        shown = _filtered(problems)
        # A cell may break two rules.
        cells = len(shown[[FILE, "row", "column"]].drop_duplicates())
        rows = len(shown[[FILE, "row"]].drop_duplicates())
        st.caption(
            f"{count(len(shown), 'problem')} of {count(cells, 'cell')} in {count(rows, 'row')}; rows count from 1, "
            "without the heading. "
            "The file for download has each cell."
        )
        table = grouped(shown)
        table = table.drop(columns="File") if problems[FILE].nunique() == 1 else table
        # As long as this, each cell of a table is read whole.
        figures.frame(table.head(figures.READ_MAX), "problems")
        if len(table) > figures.READ_MAX:
            st.caption(
                f"The first {figures.READ_MAX} of {len(table):,} lines, columns with most problems first. Filters and "
                "the file show the others."
            )
        st.download_button(
            f"Download {count(len(shown), 'problem')} as CSV",
            lambda: to_csv(shown),
            "problems.csv",
            "text/csv",
            key="download_problems",
            icon=":material/download:",
            on_click="ignore",
        )


def grouped(problems: pd.DataFrame) -> pd.DataFrame:
    """Return one line for all cells of a column with the same value, in small letters or capitals, and fault.

    The columns with most problems come first, and the most frequent value of each.
    """
    keys = [FILE, "column", "value", "limit", "remedy"]
    folded = problems["value"].astype("str").str.casefold()
    groups = problems.groupby([FILE, "column", folded, "limit", "remedy"], sort=False, dropna=False)
    table = groups.agg(value=("value", "first"), cells=("row", "size"), rows=("row", _first_rows))
    table = table.reset_index(level=[FILE, "column", "limit", "remedy"])[[*keys, "cells", "rows"]]
    table["of_column"] = table.groupby([FILE, "column"])["cells"].transform("sum")
    order = ["of_column", FILE, "column", "cells"]
    table = table.sort_values(order, ascending=[False, True, True, False], kind="stable", ignore_index=True)
    names = {FILE: "File", "column": "Column", "value": "Value", "limit": "Allowed", "cells": "Cells"}
    names |= {"rows": "Row no.", "remedy": "What helps"}
    return table.rename(columns=names)[list(names.values())]


def _first_rows(rows: pd.Series) -> str:
    more = f" and {len(rows) - _ROWS_NAMED:,} more" if len(rows) > _ROWS_NAMED else ""
    return ", ".join(map(str, rows.head(_ROWS_NAMED))) + more


def _filtered(problems: pd.DataFrame) -> pd.DataFrame:
    """Draw the filters by file, column and kind of problem, and return the rows that pass."""
    kept = pd.Series(True, index=problems.index)
    with st.container(horizontal=True, gap="small"):
        for name, label in ((FILE, "File"), ("column", "Column"), ("code", "Kind of problem")):
            counts = problems[name].value_counts()
            if len(counts) < 2:
                continue
            words = {str(one): reason_words(str(one)) if name == "code" else str(one) for one in counts.index}
            titles = {str(one): f"{words[str(one)]} ({rows:,})" for one, rows in counts.items()}
            chosen = st.multiselect(
                label,
                list(titles),
                format_func=titles.__getitem__,
                key=f"problems_by_{name}",
                placeholder="All",
                width=280,
            )
            if chosen:
                kept &= problems[name].isin(chosen)
    return problems[kept]


# Conflicts


def _conflicts(conflicts: pd.DataFrame) -> None:
    if conflicts.empty:
        return
    with st.container(border=True):
        st.markdown(f"**Where listing and tax roll disagree ({len(conflicts):,})**")
        st.caption("The tax roll wins for what the assessor measures or decides; the listing wins for everything else.")
        counts = conflicts["field"].value_counts()
        fields = st.pills(
            "Facts",
            list(counts.index),
            selection_mode="multi",
            format_func=lambda one: f"{label_of(one)} ({counts[one]:,})",
            key="conflicts_by_field",
            label_visibility="collapsed",
        )
        shown = conflicts[conflicts["field"].isin(fields)] if fields else conflicts
        kept_sales = shown["chosen"] == "sales"
        table = pd.DataFrame(
            {
                "Home": shown["address"].fillna(shown["property_id"]),
                "Fact": shown["field"].map(label_of),
                "Listing says": shown["sales_value"].where(~kept_sales, "✓ " + shown["sales_value"]),
                "Tax roll says": shown["tax_value"].where(kept_sales, "✓ " + shown["tax_value"]),
                "Kept": shown["chosen"].map({"sales": "listing", "tax": "tax roll"}),
                "File": shown["file"],
                "Row": shown["source_row"],
            }
        )
        st.dataframe(
            table.head(_SHOWN_ROWS),
            hide_index=True,
            height="content" if len(table) <= _WHOLE_ROWS else 360,
            key="conflicts",
            placeholder=MISSING,
        )
