"""CSV for spreadsheets: what would run as a formula does not, in cells and column names alike; figures stay figures."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from core.spreadsheet import harmless, to_csv, to_csv_text

RUNS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1+1")


@pytest.mark.parametrize("text", RUNS)
def test_text_that_a_spreadsheet_would_run_stands_behind_an_apostrophe(text: str) -> None:
    safe = "'" + text.replace("\r", "\n")
    assert harmless(text) == safe
    written = to_csv_text(pd.DataFrame({text: [text, "plain"]}))
    assert list(csv.reader(io.StringIO(written, newline=""))) == [[safe], [safe], ["plain"]]


@pytest.mark.parametrize("text", ["-12", "+3.5", "-1e3", "12 Oak St", "", "a=b"])
def test_figures_and_other_text_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


def test_numbers_dates_and_missing_cells_keep_their_form() -> None:
    dates = pd.Series(["2024-01-02", None], dtype="datetime64[us]")
    table = pd.DataFrame({"n": [-1.5, None], "d": dates, "t": ["=x", None]})
    assert to_csv_text(table).splitlines() == ["n,d,t", "-1.5,2024-01-02,'=x", ",,"]
    assert to_csv(table).startswith(b"\xef\xbb\xbf")
