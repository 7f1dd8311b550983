"""A file as read, before anything is decided: what it seems to be, shown to whoever brought it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from core.collect.columns.guess import Guess, guess_file, guess_mapping
from core.collect.privacy.findings import PersonalColumn
from core.collect.privacy.read_file import ReadFile, read_file
from core.collect.reading.table import Reading
from core.collect.recoding import words_of_columns
from core.problem import Problem
from core.schema import Source

_SAMPLE_ROWS: Final = 50


@dataclass(frozen=True)
class SourcePreview:
    """A file as read: its kind, guessed mapping and first rows.

    ``words`` has the values of each column that has few different ones, with their numbers of rows. ``read`` is the
    file itself, for the intake to go on with.
    """

    name: str
    source: Source
    rows_in: int
    bad_lines: int
    columns: tuple[str, ...]
    guess: Guess
    sample: pd.DataFrame
    words: Mapping[str, Mapping[str, int]]
    read: ReadFile

    @property
    def reading(self) -> Reading:
        """How the file was read."""
        return self.read.table.reading

    @property
    def personal(self) -> tuple[PersonalColumn, ...]:
        """What of persons was dropped or cut out on reading, by column."""
        return self.read.personal


def preview_source(path: Path, name: str, problem: Problem, source: Source | None = None) -> SourcePreview:
    """Read a file and guess its columns, and what kind of file it is unless ``source`` says so.

    Raises the errors of core.collect.reading.reader.
    """
    return preview_read(read_file(path, name, problem.intake.upload_bytes), source)


def preview_read(read: ReadFile, source: Source | None = None) -> SourcePreview:
    """Guess the columns of a file read before, and what kind of file it is unless ``source`` says so."""
    table = read.table
    guess = guess_mapping(table, source) if source else read.guess or guess_file(table)
    return SourcePreview(
        name=table.name,
        source=guess.mapping.source,
        rows_in=table.rows_in,
        bad_lines=len(table.bad_lines),
        columns=tuple(str(column) for column in table.frame.columns),
        guess=guess,
        sample=table.frame.head(_SAMPLE_ROWS),
        words=words_of_columns(table),
        read=read,
    )
