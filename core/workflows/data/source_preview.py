"""A file as read, before anything is decided: what it seems to be, shown to whoever brought it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from core.collect.columns.corrections import inferences_that_hold
from core.collect.columns.guess import Guess, guess_file, guess_mapping
from core.collect.columns.picks import fit_preset
from core.collect.mapping import ColumnMapping, check_own_dates
from core.collect.mapping_file import mapping_for, read_like
from core.collect.privacy.findings import PersonalColumn
from core.collect.privacy.read_file import ReadFile, read_file
from core.collect.reading.table import Reading
from core.collect.reading.totals import bad_line_counts
from core.collect.recoding import words_of_columns
from core.errors import MappingError
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
        bad_lines=bad_line_counts(table.bad_lines)["bad_line"],
        columns=tuple(str(column) for column in table.frame.columns),
        guess=guess,
        sample=table.frame.head(_SAMPLE_ROWS),
        words=words_of_columns(table),
        read=read,
    )


def bring_mapping(text: str, seen: SourcePreview, staged: ColumnMapping) -> ColumnMapping:
    """Return the mapping of a mapping file or a preset for a file staged before, read as ``staged`` says.

    It keeps of its inferences only what this file shows again. Raises MappingError if it is no mapping, names a column
    that the file lacks, is for another encoding or sheet than was read, or has a date format that reads nothing.
    """
    mapping = fit_preset(mapping_for(text, seen.name), seen.columns, seen.name)
    for what in ("encoding", "sheet"):
        wanted, was = getattr(mapping, what), getattr(staged, what)
        if wanted and was and not _is_same_reading(wanted, was):
            raise MappingError(
                f"{seen.name} was read with {what} {was!r}, but the mapping is for {what} {wanted!r}. Choose it in "
                "step Files, under Encoding and sheet, and bring the file again."
            )
    check_own_dates(seen.read.table, mapping)
    # What is no column here cannot be put back: persons' columns, dropped where the mapping was made or here.
    ignored = tuple(one for one in mapping.ignored if one[0] in seen.columns)
    inferences = inferences_that_hold(mapping, seen.guess.mapping)
    return replace(read_like(mapping, staged), ignored=ignored, inferences=inferences)


def _is_same_reading(wanted: str, was: str) -> bool:
    """Tell whether two encodings, or sheets, are the same; a file in Unicode shows it, whatever a mapping says."""
    plain = (wanted.casefold().replace("_", "-"), was.casefold().replace("_", "-"))
    return plain[0] == plain[1] or plain[1].startswith("utf-") or plain[0].startswith("utf-")
