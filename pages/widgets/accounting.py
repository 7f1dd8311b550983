"""Row accounting on screen: what became of every row of every file, why, and each class of rows as a download."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from core.accounting import FileAccounting, Outcome
from core.lifecycle import IntakePreview
from pages.widgets.safe_csv import to_csv


def counts(files: Sequence[FileAccounting]) -> pd.DataFrame:
    """Return one row per file, whose outcomes sum to its rows."""
    return pd.DataFrame(
        [
            {
                "File": file.file,
                "Kind": file.source,
                "Rows in": file.rows_in,
                "Accepted": file.accepted,
                "Repaired": file.repaired,
                "Duplicate": file.duplicate,
                "Rejected": file.rejected,
            }
            for file in files
        ]
    )


def reasons(files: Sequence[FileAccounting]) -> pd.DataFrame:
    """Return why rows were not plainly accepted, most frequent first; a row may have several reasons."""
    rows = [
        {"File": file.file, "Reason": code.replace("_", " "), "Rows": number}
        for file in files
        for code, number in file.reasons.items()
    ]
    table = pd.DataFrame(rows, columns=["File", "Reason", "Rows"])
    return table.sort_values(["File", "Rows"], ascending=[True, False], ignore_index=True)


def draw_counts(files: Sequence[FileAccounting]) -> None:
    """Draw the accounting of the files, and the reasons below it."""
    numbers = {
        name: st.column_config.NumberColumn(format="localized")
        for name in ("Rows in", "Accepted", "Repaired", "Duplicate", "Rejected", "Rows")
    }
    st.dataframe(counts(files), hide_index=True, height="content", column_config=numbers)
    st.caption("Rows in = accepted + repaired + duplicate + rejected, for each file.")
    why = reasons(files)
    if len(why):
        with st.expander(f"Reasons ({len(why)})", icon=":material/list:"):
            st.dataframe(why, hide_index=True, height="content" if len(why) < 12 else "auto", column_config=numbers)


def draw_downloads(preview: IntakePreview) -> None:
    """Draw a download for each class of rows that has any."""
    ledgers = preview.ledgers
    tables = {
        outcome.value: ledgers[ledgers["outcome"] == outcome]
        for outcome in (Outcome.REJECTED, Outcome.REPAIRED, Outcome.DUPLICATE)
    } | {"unreadable cells": preview.problems, "conflicts": preview.conflicts}
    filled = {name: table for name, table in tables.items() if len(table)}
    if not filled:
        return
    st.markdown("**Download** what was not plainly accepted, with its reasons")
    with st.container(horizontal=True, gap="small"):
        for name, table in filled.items():
            st.download_button(
                f"{name.capitalize()} ({len(table):,})",
                partial(to_csv, table),
                f"{name.replace(' ', '_')}.csv",
                "text/csv",
                key=f"download_{name}",
                icon=":material/download:",
                on_click="ignore",
            )
