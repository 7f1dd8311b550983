"""What reading a file gives: a table of text, its unreadable lines, and how it was read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pandas as pd

from core.arrays import Ints


class FileFormat(StrEnum):
    """The form a table of sales comes in."""

    DELIMITED = "delimited text"
    WORKBOOK = "workbook"
    PARQUET = "Parquet"
    JSON = "JSON"


@dataclass(frozen=True)
class BadLine:
    """A record that could not be read: its first physical line (the header is line 1), why, and its beginning."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class SkippedLine:
    """A line that is no data, from 1, and why; its text is not kept, as it may name persons."""

    line: int
    reason: str


@dataclass(frozen=True)
class ReadingNote:
    """What was concluded of a whole file on reading it, and the evidence, in words; ``about`` names the matter.

    ``sure`` is False where a person should answer before the sales are trusted.
    """

    about: str
    claim: str
    evidence: str
    sure: bool = True


@dataclass(frozen=True)
class Reading:
    """How a file was read.

    ``sheet`` is empty but for workbooks, ``encoding`` and ``separator`` but for text. ``header_line`` counts from 1;
    0 means that the file has no header line, and its columns are called column_1, column_2, ... ``member`` is the
    file read inside a ZIP archive, ``sheets`` what sheets the workbook has. ``notes`` say what was concluded.
    """

    format: FileFormat = FileFormat.DELIMITED
    encoding: str = ""
    separator: str = ""
    header_line: int = 1
    skipped: tuple[SkippedLine, ...] = ()
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    member: str = ""
    notes: tuple[ReadingNote, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it is UTF-8 text with the header in its first line: nothing worth saying."""
        utf8 = self.encoding in ("utf-8", "utf-8-sig")
        return utf8 and self.header_line == 1 and not (self.skipped or self.member) and self.is_text

    @property
    def has_lines(self) -> bool:
        """Whether the names of its columns stand in a line, or nowhere; the other formats name each column apart."""
        return self.format in (FileFormat.DELIMITED, FileFormat.WORKBOOK)

    @property
    def is_text(self) -> bool:
        """Whether the file is delimited text."""
        return self.format is FileFormat.DELIMITED

    def describe(self) -> str:
        """Describe in one line how the file was read."""
        mark = _SEPARATOR_WORDS.get(self.separator, self.separator)
        parts = [
            f"{self.member} in a ZIP archive" if self.member else "",
            str(self.format),
            f"sheet {self.sheet!r} of {', '.join(map(repr, self.sheets))}" if len(self.sheets) > 1 else "",
            f"sheet {self.sheet!r}" if len(self.sheets) == 1 else "",
            self.encoding,
            f"separated by {mark}" if mark else "",
            self._describe_header() if self.has_lines else "",
            *(f"line {one.line} left out ({one.reason})" for one in self.skipped if one.reason != "blank"),
        ]
        return ", ".join(part for part in parts if part)

    def _describe_header(self) -> str:
        return f"header in line {self.header_line}" if self.header_line else "this file has no header line"


_SEPARATOR_WORDS: Final = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe", "^": "caret"}


@dataclass(frozen=True)
class ReadingChoice:
    """What the analyst says about a file; what is empty is found from the content.

    ``usual_encoding`` is that of the files a mapping was written for: it goes before other guesses, but yields to what
    the bytes themselves prove.
    """

    encoding: str = ""
    sheet: str = ""
    separator: str = ""
    usual_encoding: str = ""


@dataclass(frozen=True)
class RawTable:
    """A file as text.

    ``frame`` holds ``str`` columns in file order (missing is NaN, values stripped, RangeIndex); ``row_numbers`` of the
    same length holds each row's 1-based place among the file's data records, bad ones included.
    """

    name: str
    sha256: str
    reading: Reading
    frame: pd.DataFrame
    bad_lines: tuple[BadLine, ...]
    row_numbers: Ints

    @property
    def rows_in(self) -> int:
        """Data records in the file, readable or not."""
        return len(self.row_numbers) + len(self.bad_lines)
