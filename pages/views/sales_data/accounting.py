"""Row accounting on screen: the outcome of every row of every file, and why."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.accounting import FileAccounting, reason_words
from core.schema import Source
from core.wording import count
from core.workflows.columns.templates import NAMES
from pages.kit import figures


def counts(files: Sequence[FileAccounting]) -> pd.DataFrame:
    """Return one row per file, whose outcomes add up to its rows."""
    return pd.DataFrame(
        [
            {
                "File": file.file,
                "Kind": NAMES[Source(file.source)].lower(),
                "Rows in": file.rows_in,
                "Accepted": file.accepted,
                "Repaired": file.repaired,
                "Duplicate": file.duplicate,
                "Rejected": file.rejected,
                "Set aside": file.set_aside,
            }
            for file in files
        ]
    )


def reasons(files: Sequence[FileAccounting]) -> pd.DataFrame:
    """Return why rows were not plainly accepted, most frequent first; a row may have several reasons."""
    rows = [
        {"File": file.file, "Reason": reason_words(code).capitalize(), "Rows": number}
        for file in files
        for code, number in file.reasons.items()
    ]
    table = pd.DataFrame(rows, columns=["File", "Reason", "Rows"])
    return table.sort_values(["File", "Rows"], ascending=[True, False], ignore_index=True)


def draw_counts(files: Sequence[FileAccounting]) -> None:
    """Draw the accounting of the files, and the reasons below it."""
    figures.frame(counts(files), "accounting")
    st.caption("Rows in = accepted + repaired + duplicate + rejected + set aside, for each file.")
    waiting = sum(file.set_aside for file in files)
    if waiting:
        st.info(
            f"{count(waiting, 'doubtful sale')} set aside: the price, the area or the kind of sale looks wrong. "
            "No model learns from them until somebody decides in the view Doubtful sales.",
            icon=":material/rule:",
        )
    why = reasons(files)
    if len(why):
        with st.expander(f"Reasons ({len(why)})", icon=":material/list:"):
            figures.frame(why, "reasons")
            st.caption("A row may have several reasons; a 0 read as unknown or never changes no outcome.")
