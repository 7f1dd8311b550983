"""Step 2 of the intake: what each column of each file means, with corrections, and how to read dates and numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.accounting import ADDED_WORDS
from core.collect.columns import picks
from core.collect.columns.parts import SHIFTED, styles_words
from core.collect.dates.own_formats import date_format_of
from core.collect.inference import Inference
from core.collect.mapping import ColumnMapping, check_own_dates
from core.collect.mapping_file import mapping_to_json
from core.collect.privacy.findings import OWN, of_persons
from core.errors import DoorstepError, MappingError
from core.schema import NAME_MAX
from core.wording import count
from core.workflows.columns.names import names_of, with_names
from core.workflows.data.source_preview import SourcePreview
from core.workflows.doubts.rejected_rows import ROWS
from core.workflows.source_files.refusals import lacking_words
from core.workspace import Workspace
from pages.kit import errors, figures
from pages.kit.choice import asked_for, pressed
from pages.kit.text import plain
from pages.views.sales_data import categories, check, draft, mapping_table, presets, steps
from pages.views.sales_data.draft import Draft, Staged, Step

_MARKS: Final = {".": "1,234.5", ",": "1.234,5"}
_SCALES: Final = {
    1.0: "whole amounts",
    1_000.0: "thousands",
    10_000.0: "ten thousands",
    1e6: "millions",
    0.01: "cents",
    0.001: "thousandths",
}
_WHOLE_ROWS: Final = 30
# About as many letters as the last column shows in a line.
_LINE: Final = 60
# In percent: a guess below it is shown first.
_SURE: Final = 90.0


def draw(workspace: Workspace, held: Draft) -> None:
    """Draw each file's mapping, its words and the presets; the next step is open once all mappings are complete."""
    names = [draft.upload_of(file).name for file in held.files]
    chosen = 0
    if len(held.files) > 1:
        chosen = st.selectbox(
            "File", range(len(names)), format_func=lambda place: names[place], key="mapped_file", width=320
        )
        _say_to_check(held, names)
    # Places of their own, so that what comes or goes above a message or a button neither moves nor doubles it.
    mapped, lacking, ways = st.container(), st.container(), st.container()
    with mapped:
        place = min(chosen, len(names) - 1)
        _file(workspace, held.files[place], chosen, _beyond(held.files[place], held, names[place]))
    now = draft.draft()
    with lacking:
        for file, name in zip(now.files, names, strict=True):
            _say_lacking(file, name)
    with ways:
        steps.draw_ways(now, Step.COLUMNS, "Check every row", closed=not steps.ready(now))
    if now.files != held.files:
        # The tables start from the new mapping. A button pressed in the same run was heard.
        st.rerun()


def _say_to_check(held: Draft, names: Sequence[str]) -> None:
    """Say of each of several files how many of its columns are to be checked: only one file is open."""
    found = []
    for file, name in zip(held.files, names, strict=True):
        seen = draft.preview(file.upload_id, file.source, file.kept)
        unsure = _to_check(mapping_table.table_of(file.mapping, seen.guess), file, seen, _beyond(file, held, name))
        found += [f"{count(int(unsure.sum()), 'column')} of {name}"] if unsure.any() else []
    if found:
        st.caption(plain(f"To check: {', '.join(found)}."))


def _doubted(held: Draft, name: str) -> tuple[Inference, ...]:
    """Return what the check of every row found doubtful in a file's columns; nothing once they are others."""
    if not held.passed:
        return ()
    try:
        tables = draft.check(held, check.today()).tables
    except DoorstepError:
        # The next check says what is wrong.
        return ()
    return tuple(one for table in tables if table.name == name for one in table.inferences if not one.sure)


def _beyond(file: Staged, held: Draft, name: str) -> list[Inference]:
    """Return what the check found doubtful in a file's columns beyond the guess."""
    guessed = file.mapping.inferences
    return [one for one in _doubted(held, name) if one not in guessed and not one.of_rows and one.column != ROWS]


def _file(workspace: Workspace, file: Staged, number: int, doubted: Sequence[Inference]) -> None:
    seen = draft.preview(file.upload_id, file.source, file.kept)
    _edit(file, seen, doubted)
    file = draft.as_kept(file)
    _names(file)
    file = draft.as_kept(file)
    _settings(file, seen, number)
    file = draft.as_kept(file)
    _inferred(file)
    _left_out(file, seen)
    categories.draw(file, seen)
    presets.draw(workspace, file, seen, number)


def _say_lacking(file: Staged, name: str) -> None:
    table = draft.preview(file.upload_id, file.source, file.kept).read.table
    if words := lacking_words(table, file.mapping):
        st.error(plain(f"{name}: {words}"), icon=":material/error:")


def _edit(file: Staged, seen: SourcePreview, doubted: Sequence[Inference]) -> None:
    """Draw the mapping as a table; a valid choice updates the file's mapping at once.

    ``doubted`` is what the check of every row found beyond the guess.
    """
    table = mapping_table.table_of(file.mapping, seen.guess)
    persons, columns = len(of_persons(file.dropped)), len(seen.columns) - len(file.mapping.ignored)
    removed = f", {persons} removed as personal" if persons else ""
    left_out = len(file.mapping.ignored) + len(_own(file))
    kept = f"{count(columns, 'column')} kept, {left_out} left out{removed}."
    st.caption(f"{kept} Correct a guess in “Field”, “Read as” or “Unit”.")
    # The key follows the mapping: after each choice, the tables start from the new mapping.
    key = f"mapping_{file.upload_id}_{abs(hash(mapping_to_json(file.mapping)))}"
    unsure = table[_to_check(table, file, seen, doubted)]
    sure = table.drop(unsure.index)
    _ask(file)
    for one in doubted:
        st.warning(plain(f"{one.column}: {one}."), icon=":material/help:")
    if doubted:
        st.caption("Seen when every row was checked. Correct these columns in the table; what is right stays as it is.")
    parts = [_editor(unsure, key, f"Columns of {seen.name} to check")] if len(unsure) else []
    cut = unsure.loc[unsure["Why"].str.len() > _LINE, ["Column", "Why"]]
    if len(cut):
        with st.expander(f"Reasons too long for the table ({len(cut)})", icon=":material/notes:"):
            figures.frame(cut, f"reasons_{file.upload_id}")
    if len(sure):
        label = f"{count(len(sure), 'column')} that Doorstep is sure of"
        with st.expander(label, expanded=not len(unsure), icon=":material/check_circle:"):
            parts.append(_editor(sure, f"{key}_sure", f"Columns of {seen.name} that are sure"))
    edited = pd.concat(parts).sort_index()
    if not edited.equals(table):
        _keep_edited(edited, file)


def _to_check(table: pd.DataFrame, file: Staged, seen: SourcePreview, doubted: Sequence[Inference]) -> pd.Series:
    """Tell which rows of a file's table of columns a person should look at."""
    asked = {one.column for one in file.mapping.inferences if not one.sure}
    asked |= {column for column in seen.columns for one in doubted if _is_named(column, one)}
    return (table["Sure"] < _SURE) | table["Column"].isin(asked)


def _is_named(column: str, doubt: Inference) -> bool:
    """Tell whether a doubt is of a column, or names it: of two that seem swapped, both are corrected."""
    words = f"{doubt.claim} {doubt.evidence}"
    return column == doubt.column or re.search(rf"(?<!\w){re.escape(column)}(?!\w)", words) is not None


def _ask(file: Staged) -> None:
    """Ask about each doubtful conclusion where it is decided: a press confirms it, and the table above corrects it."""
    for number, one in enumerate(file.mapping.inferences):
        if one.sure:
            continue
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.warning(plain(f"{one.column}: {one}."), icon=":material/help:")
            right = "The headers are right" if one.column == SHIFTED else "That is right"
            if st.button(right, key=f"right_{file.upload_id}_{number}", icon=":material/check:"):
                draft.keep(file._replace(mapping=picks.confirm(file.mapping, one)))
                st.rerun()


def _editor(table: pd.DataFrame, key: str, alt: str) -> pd.DataFrame:
    return st.data_editor(
        table,
        key=key,
        hide_index=True,
        height="content" if len(table) <= _WHOLE_ROWS else 700,
        disabled=["Column", "Samples", "Sure", "Why"],
        column_config=_columns(),
        alt=alt,
    )


def _keep_edited(edited: pd.DataFrame, file: Staged) -> None:
    try:
        changed = mapping_table.mapping_of(edited, file.mapping)
    except MappingError as error:
        errors.show(error)
        return
    if changed != file.mapping:
        draft.keep(file._replace(mapping=changed))


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
        "Column": st.column_config.TextColumn("Column", width=115, pinned=True),
        "Samples": st.column_config.TextColumn("Samples", width=120),
        "Field": choice("Field", mapping_table.FIELD_LABELS, 125, "Choose what the column means."),
        "Sure": st.column_config.ProgressColumn("Sure", format="%.0f%%", min_value=0, max_value=100, width=80),
        "Read as": choice("Read as", mapping_table.PARSE_LABELS, 90, "How the text becomes a value."),
        "Unit": choice("Unit", mapping_table.UNIT_LABELS, 65, "The unit of areas."),
        "Why": st.column_config.TextColumn("Why", width=370),
    }


def _names(file: Staged) -> None:
    """Draw what each column that Doorstep has no field for is called, to be changed; the data keep its own name."""
    names = names_of(file.mapping)
    if not names:
        return
    columns = {rule.field: rule.column for rule in reversed(file.mapping.rules)}
    table = pd.DataFrame({"Column": [columns[one] for one in names], "Shown as": list(names.values())}, index=[*names])
    with st.expander(f"Names of your own columns ({len(names)})", icon=":material/label:"):
        st.caption("What people read on forms, answers and reports. A new name changes no price and no model.")
        edited = st.data_editor(
            table,
            key=f"names_{file.upload_id}_{abs(hash(tuple(names.items())))}",
            hide_index=True,
            height="content" if len(table) <= _WHOLE_ROWS else 700,
            disabled=["Column"],
            column_config={"Shown as": st.column_config.TextColumn(max_chars=NAME_MAX, width=260)},
            alt="Columns of your own with the names that people read",
        )
    given = {str(field): str(name or "") for field, name in edited["Shown as"].items() if name != names[str(field)]}
    if not given:
        return
    try:
        draft.keep(file._replace(mapping=with_names(file.mapping, given)))
    except MappingError as error:
        errors.show(error)


def _settings(file: Staged, seen: SourcePreview, number: int) -> None:
    """Draw the file's settings: how dates and numbers are written."""
    mapping = file.mapping
    changed = mapping
    with st.container(horizontal=True, gap="small"):
        if any(rule.parse == "date" for rule in mapping.rules):
            formats = mapping_table.date_formats(mapping)
            chosen = st.selectbox(
                "Dates are written like",
                formats,
                formats.index(mapping.date_format),
                format_func=mapping_table.date_example,
                key=f"dates_{number}_{file.upload_id}_{mapping.date_format}",
                width=280,
            )
            changed = replace(changed, date_format=chosen)
            changed = _with_own_dates(changed, file, seen, number)
        decimal = st.selectbox(
            "Numbers are written like",
            list(_MARKS),
            list(_MARKS).index(mapping.decimal),
            format_func=_MARKS.__getitem__,
            key=f"marks_{number}_{file.upload_id}_{mapping.decimal}",
            width=200,
        )
        changed = _in_scale(changed, f"{number}_{file.upload_id}")
    if words := styles_words(mapping.inferences):
        st.caption(plain(words))
    if decimal != mapping.decimal:
        changed = replace(changed, decimal=decimal, thousands="," if decimal == "." else ".")
    if changed != mapping:
        draft.keep(file._replace(mapping=changed))


def _in_scale(mapping: ColumnMapping, key: str) -> ColumnMapping:
    """Draw in what the prices are written; return the mapping with the choice."""
    scale = picks.scale_of_prices(mapping)
    if scale is None:
        return mapping
    scales = [*dict.fromkeys((*_SCALES, scale))]
    chosen = st.selectbox(
        "Prices are written in",
        scales,
        scales.index(scale),
        format_func=lambda one: _SCALES.get(one, f"units of {one:,.15g}"),
        key=f"scale_{key}_{scale:g}",
        width=200,
    )
    return mapping if chosen == scale else picks.in_scale(mapping, chosen)


def _with_own_dates(changed: ColumnMapping, file: Staged, seen: SourcePreview, number: int) -> ColumnMapping:
    """Draw where to write a date format of one's own; return the mapping with it, if it reads the file's dates."""
    before = mapping_table.own_format(file.mapping)
    typed = st.text_input(
        "Or a date format of your own",
        before,
        key=f"own_dates_{number}_{file.upload_id}_{file.mapping.date_format}",
        placeholder="DD~MM~YYYY",
        help="YYYY or YY, MM, MMM (Jan) or MMMM (January), DD, and hh:mm for a time; or as in %d~%m~%Y.",
        width=220,
    ).strip()
    if typed == before:
        return changed
    try:
        own = replace(changed, date_format=date_format_of(typed))
        check_own_dates(seen.read.table, own)
    except MappingError as error:
        errors.show(error)
        return changed
    return own


def _inferred(file: Staged) -> None:
    """Draw what was concluded beyond the names of the columns, with the evidence; a person overrules it above."""
    inferences = file.mapping.inferences
    if not inferences:
        return
    with st.expander(f"Concluded from the values ({len(inferences)})", icon=":material/lightbulb:"):
        figures.frame(mapping_table.inferences_table(inferences), f"inferences_{file.upload_id}")
        st.caption("Overrule one in the table above: it then no longer counts.")


def _own(file: Staged) -> list[str]:
    """Return the columns that Doorstep added to rows downloaded from it, which were left out on reading."""
    return [one.column for one in file.dropped if one.kind == OWN]


def _left_out(file: Staged, seen: SourcePreview) -> None:
    """Draw the columns left out and why, those that reveal the price first by name, and a way to put one back."""
    ignored = dict(file.mapping.ignored)
    listed = ignored | dict.fromkeys(_own(file), ADDED_WORDS)
    if not listed:
        return
    leaking = picks.leaking_columns(file.mapping)
    if leaking:
        names = ", ".join(leaking)
        st.warning(
            plain(
                f"Left out, because values computed from the price, or known only after the sale, would give the model "
                f"the answer: {names}."
            ),
            icon=":material/key_off:",
        )
    with st.expander(f"Columns left out ({len(listed)})", icon=":material/visibility_off:"):
        order = sorted(listed, key=lambda column: column not in leaking)
        table = pd.DataFrame({"Column": order, "Why": [listed[column] for column in order]})
        figures.frame(table, f"left_out_{file.upload_id}")
        addable = [one for one in order if one in ignored]
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            key, button = f"back_{file.upload_id}", f"take_{file.upload_id}"
            label = asked_for("Add one back", button, "" if st.session_state.get(key) else "choose one first")
            column = st.selectbox(label, addable, None, key=key, placeholder="Choose one", width=300)
            if pressed("Add it", button, column is None, disabled=not addable):
                draft.keep(file._replace(mapping=picks.keep_as_extra(file.mapping, str(column), seen.words)))
                st.rerun()
        if leaking:
            st.caption("A column that reveals the price makes every figure of the model too good to be true.")
