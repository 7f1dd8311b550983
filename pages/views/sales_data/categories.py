"""The words of a file's categories: how each is read, with corrections in a table."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from core.collect.mapping import EMPTY, ColumnRule
from core.collect.mapping_file import mapping_to_json
from core.collect.recoding import has_words, recoded, words_of
from core.collect.vocabulary import load_vocabulary
from core.errors import MappingError
from core.schema import label_of
from core.workflows.data.source_preview import SourcePreview
from pages.kit import errors
from pages.kit.text import plain
from pages.views.sales_data import draft
from pages.views.sales_data.draft import Staged

_WHOLE_ROWS: Final = 14


def draw(file: Staged, seen: SourcePreview) -> None:
    """Draw the words of one column at a time, if the file has text columns; a correction updates the file's mapping."""
    rules = {
        rule.column: rule
        for rule in file.mapping.rules
        if rule.column in seen.words and has_words(rule, seen.words[rule.column])
    }
    if not rules:
        return
    unread = {column: _unread(file, rule, seen) for column, rule in rules.items()}
    lost = sum(unread.values())
    title = f"Words and how they are read ({len(rules)})" + (f": {lost} not understood" if lost else "")
    with st.expander(title, icon=":material/translate:", expanded=lost > 0):
        # Columns with words that were not understood come first.
        order = sorted(rules, key=lambda column: -unread[column])
        column = st.selectbox(
            "Column",
            order,
            format_func=lambda one: _title(rules[one], unread[one]),
            key=f"words_of_{file.upload_id}",
            width=420,
        )
        if column in rules:
            _edit(file, seen, rules[column])


def _title(rule: ColumnRule, unread: int) -> str:
    lost = f", {unread} not understood" if unread else ""
    return f"{rule.column} (read as {label_of(rule.field).lower()}{lost})"


def _unread(file: Staged, rule: ColumnRule, seen: SourcePreview) -> int:
    table = words_of(seen.words[rule.column], rule, file.mapping)
    emptied = {word for word, to in rule.recode.items() if not to}
    read = table["reads_as"].ne("") | table["value"].str.casefold().isin(emptied)
    # A blank cell is no word.
    return int((~read & table["value"].ne(EMPTY)).sum())


def _edit(file: Staged, seen: SourcePreview, rule: ColumnRule) -> None:
    table = words_of(seen.words[rule.column], rule, file.mapping)
    shown = table.rename(columns={"value": "In the file", "rows": "Rows", "reads_as": "Read as"})
    usual = sorted(set(load_vocabulary().words_of(rule.field).values()))
    hint = f" Usual words: {', '.join(usual[:14])}." if usual else ""
    st.caption(plain(f"Change how a word is read; leave it empty for missing.{hint}"))
    edited = st.data_editor(
        shown,
        key=f"words_{file.upload_id}_{rule.column}_{abs(hash(mapping_to_json(file.mapping)))}",
        hide_index=True,
        height="content" if len(shown) <= _WHOLE_ROWS else 500,
        disabled=["In the file", "Rows"],
        column_config={
            "In the file": st.column_config.TextColumn(width=240),
            "Rows": st.column_config.NumberColumn(format="localized", width=90),
            "Read as": st.column_config.TextColumn(width=240, help="What the model gets"),
        },
        alt=f"Words of the column {rule.column} and how each is read",
    )
    if not edited.equals(shown):
        _keep(file, rule, shown, edited)


def _keep(file: Staged, rule: ColumnRule, shown: pd.DataFrame, edited: pd.DataFrame) -> None:
    changed = edited["Read as"].fillna("") != shown["Read as"]
    # Only what a person changed, now or before, is a recoding; the rest is read as usual.
    before = shown["In the file"].str.casefold().str.split().str.join(" ").isin(list(rule.recode))
    wanted = edited.loc[changed | before]
    words = dict(zip(wanted["In the file"], wanted["Read as"].fillna(""), strict=True))
    try:
        mapping = recoded(file.mapping, rule.column, words)
    except MappingError as error:
        errors.show(error)
        return
    if mapping != file.mapping:
        draft.keep(file._replace(mapping=mapping))
