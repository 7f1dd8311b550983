"""Persons kept out: columns of names, phones and e-mails are recognised and dropped before a file reaches disk."""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.arrays import Bools, Ints
from core.collect.cells.dates import EXCEL_SERIAL
from core.collect.parsers import guess_date_format, is_null_word
from core.collect.reader import DEFAULT_MAX_BYTES, BadLine, RawTable, decoded, parse_table
from core.collect.vocabulary import load_vocabulary
from core.errors import FileUnreadable

REMOVED: Final = "[removed]"
"""Stands where a phone or an e-mail was cut out of a text."""

DROPPED: Final = "dropped"
BLANKED: Final = "blanked"

_SAMPLE: Final = 5_000
# An e-mail beside every twentieth home is a column of e-mails; a stray one in remarks is cut out of its cell.
_EMAIL_SHARE: Final = 0.05
_CONTACT_SHARE: Final = 0.3
_FACT_SHARE: Final = 0.9
# Of lists of persons at least six cells in ten look like names, and a quarter hold one of the commonest given names.
_NAME_SHARE: Final = 0.6
_GIVEN_SHARE: Final = 0.25
# A text of so many words is prose: whoever leaves a phone number in it usually leaves a name beside it.
_PROSE_WORDS: Final = 8
_PROSE_SHARE: Final = 0.01

_EMAIL: Final = r"[^\s@,;:<>()\[\]\"']+@[^\s@,;:<>()\[\]\"']+\.[^\s@,;:<>()\[\]\"'.\d]{2,}"
# North American 3-3-4 (no area code or exchange begins with 0 or 1), international with +, national with leading 0.
# Digits without any separator are never a phone by themselves: ids and parcel numbers look the same.
_PHONE: Final = (
    r"(?:\+?\b1[-. ])?(?:\([2-9]\d{2}\)[-. ]*|\b[2-9]\d{2}[-. ])[2-9]\d{2}[-. ]\d{4}\b"
    r"|\+\d{1,3}[-. (]{0,2}\d[-\d(). ]{5,14}\d\b"
    r"|\(0\d{1,4}\)[-. ]?\d{3,4}[-. ]?\d{3,5}\b"
    r"|\b0\d{1,4}[-. ]\d{3,4}[-. ]\d{3,4}\b"
    r"|\b0\d{2,4}[-/ ]\d{5,8}\b"
    r"|\b0\d(?:[-. ]\d{2}){4}\b"
)
_CONTACT: Final = rf"{_EMAIL}|{_PHONE}"
_FLAG: Final = r"(?i)yes|no|y|n|true|false|t|f|0|1"
_FIGURE: Final = r"[-+($€£¥ A-Z]{0,4}\d[\d.,' ]*[%)]?(?: ?[a-zA-Z]{1,3})?"
_BARE_PHONE: Final = r"\+?[\d\s()./-]{7,20}"
_PERSON: Final = r"[^\W\d_][\w.'’-]*(?:,? +[^\W\d_][\w.'’-]*){1,4}"
_UNFOLDED: Final = str.maketrans({"ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "ß": "ss"})
# Words of headers whose cells number things: what looks like a phone there is a parcel or a listing.
_NUMBERING: Final = frozenset({"parcel", "apn", "pin", "pid", "folio", "roll", "title", "lot", "mls", "account"})


@dataclass(frozen=True)
class PersonalColumn:
    """A column that holds persons: ``kind`` is name, phone, e-mail or contact (another way to reach or tell someone).

    ``action`` says whether the column was DROPPED, or phones and e-mails in ``cells`` of its texts were BLANKED.
    """

    column: str
    kind: str
    why: str
    action: str = DROPPED
    cells: int = 0


@dataclass(frozen=True)
class Scrubbed:
    """The bytes of a file that may be written to disk, and what was taken out of them."""

    content: bytes
    dropped: tuple[PersonalColumn, ...]


def personal_columns(table: RawTable) -> tuple[PersonalColumn, ...]:
    """Find the columns that hold persons' names, phones, e-mails or other ways to reach them, in file order.

    A header says so in one of several languages unless its cells are plain facts (flags, amounts, dates); or the cells
    do, being e-mails or phones. Cells shaped like names count only under a header that may mean persons.
    """
    found = (_judge(str(column), table.frame[column]) for column in table.frame)
    return tuple(one for one in found if one)


def without_persons(table: RawTable) -> tuple[RawTable, tuple[PersonalColumn, ...]]:
    """Return the table without columns of persons, phones and e-mails cut out of all other text, and what was found.

    Where anything was found, the texts of bad lines are blanked, as nobody can tell what stands in them, and the table
    takes the hash of what ``scrubbed`` makes of the same file, so that both ways the file is known again.
    Raises FileUnreadable if fewer than two columns are left.
    """
    table, found, _ = _cleaned(table, any(_holds_contact(line.text) for line in table.bad_lines))
    return table, found


def scrubbed(content: bytes, name: str, max_bytes: int = DEFAULT_MAX_BYTES) -> Scrubbed:
    """Return the bytes of a file that may reach disk: the same bytes where nothing in them is personal.

    Otherwise the table without what ``without_persons`` takes out, as comma separated UTF-8: the same input gives the
    same bytes, rows, bad lines and line numbers stay what and where they were, and doing it again changes nothing.
    Raises what core.collect.reader.read_table raises, and FileUnreadable if fewer than two columns are left.
    """
    table = parse_table(content, name, max_bytes)
    # Bad lines, comments and unnamed row labels are in no cell of the table.
    text = decoded(content, name, max_bytes)[0]
    suspect = bool(table.bad_lines) and _holds_contact(text)
    _, found, rewritten = _cleaned(table, suspect or _any_match(pa.array([text], pa.large_string()), _EMAIL))
    return Scrubbed(rewritten or content, found)


def reason(found: PersonalColumn) -> str:
    """Return why a column is left out, in words for a person."""
    return f"personal data ({found.kind}): names and ways to reach persons are never kept; {found.why}"


def _cleaned(table: RawTable, suspect: bool) -> tuple[RawTable, tuple[PersonalColumn, ...], bytes]:
    dropped = personal_columns(table)
    frame = table.frame.drop(columns=[one.column for one in dropped])
    if dropped and len(frame.columns) < 2:
        raise FileUnreadable(
            f"{table.name}: all but {len(frame.columns)} of its {len(table.frame.columns)} columns hold personal data, "
            "which is never kept. Upload a file with the facts of the homes."
        )
    blanked, cells = _blanked(frame)
    places = {str(column): place for place, column in enumerate(table.frame)}
    found = tuple(sorted((*dropped, *blanked), key=lambda one: places[one.column]))
    if not found and not suspect:
        return table, (), b""
    lines = tuple(replace(line, text="") for line in table.bad_lines)
    clean = replace(table, frame=frame.assign(**cells), bad_lines=lines)
    rewritten = _as_csv(clean)
    return replace(clean, sha256=hashlib.sha256(rewritten).hexdigest()), found, rewritten


# Recognition


def evenly(rows: int, wanted: int) -> Ints:
    """Return at most ``wanted`` places among ``rows``, evenly spaced, first and last included."""
    if rows <= wanted:
        return np.arange(rows, dtype=np.int64)
    return np.linspace(0, rows - 1, wanted).astype(np.int64)


def _judge(column: str, values: pd.Series) -> PersonalColumn | None:
    present = _present(values)
    if present.empty:
        # Nothing to keep, and nothing to tell a fact by: the header alone decides.
        hint = _hint(column)
        return PersonalColumn(column, hint[0], hint[1]) if hint else None
    return _by_header(column, present) or _by_content(column, present)


def _present(values: pd.Series) -> pd.Series:
    known = values.dropna()
    sample = known.iloc[evenly(len(known), _SAMPLE)]
    return sample[~is_null_word(sample)]


def _by_header(column: str, present: pd.Series) -> PersonalColumn | None:
    hint = _hint(column)
    if hint and not _is_fact(column, hint[0], present):
        return PersonalColumn(column, *hint)
    words, maybe = set(_words(column)), load_vocabulary().personal.maybe
    if words & maybe["phone"] and _share(present, _BARE_PHONE) >= 0.5 and not words - maybe["phone"] - {"number"}:
        return PersonalColumn(column, "phone", "its cells are written like phone numbers")
    if words & maybe["name"] and all(word in maybe["name"] or word.isdigit() for word in words):
        return PersonalColumn(column, "name", "its cells are names of persons") if _are_persons(present) else None
    return None


def _hint(column: str) -> tuple[str, str] | None:
    """Return the kind of person a header names and the words that say so."""
    words, personal = _words(column), load_vocabulary().personal
    if set(words) & personal.unless:
        return None
    for kind, names in _folded_names():
        for name in names:
            if set(name) <= set(words) or (not "".join(name).isascii() and "".join(name) in "".join(words)):
                return kind, f"its header says {' '.join(name)!r}"
    return None


def _is_fact(column: str, kind: str, present: pd.Series) -> bool:
    """Tell whether the cells are flags, amounts or dates, which say nothing about who a person is."""
    if _share(present, _FLAG) >= _FACT_SHARE:
        return True
    words = _words(column)
    identifies = bool(words) and (words[-1] in load_vocabulary().identifiers or words[-1] in {"license", "licence"})
    if kind in {"phone", "contact"} or identifies:
        return False
    if _share(present, _FIGURE) >= _FACT_SHARE:
        return True
    dates = guess_date_format(present)
    return dates.share >= _FACT_SHARE and dates.date_format != EXCEL_SERIAL


def _are_persons(present: pd.Series) -> bool:
    if _share(present, _PERSON) < _NAME_SHARE:
        return False
    given = load_vocabulary().personal.given_names
    held = [bool(given & set(_folded(text).replace(",", " ").split())) for text in present]
    return float(np.mean(held)) >= _GIVEN_SHARE


def _by_content(column: str, present: pd.Series) -> PersonalColumn | None:
    emails = _share(present, _EMAIL)
    if emails >= _EMAIL_SHARE:
        return PersonalColumn(column, "e-mail", f"{emails:.0%} of its cells are e-mail addresses")
    phones = 0.0 if _numbers_things(column) else _share(present, _PHONE)
    if phones + emails >= _CONTACT_SHARE:
        return PersonalColumn(column, "phone", f"{phones:.0%} of its cells are phone numbers")
    if float(present.str.count(r"\s+").median()) + 1 < _PROSE_WORDS:
        return None
    holding = float(np.mean(_matches(_array(present), _CONTACT)))
    if holding < _PROSE_SHARE:
        return None
    why = f"{holding:.0%} of its texts hold a phone or an e-mail, beside which names of persons stand"
    return PersonalColumn(column, "contact", why)


def _numbers_things(column: str) -> bool:
    words = set(_words(column))
    return bool(words & (_NUMBERING | load_vocabulary().identifiers))


def _words(column: str) -> tuple[str, ...]:
    return tuple(_folded(word) for word in load_vocabulary().all_words(column))


@cache
def _folded_names() -> tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]:
    sure = load_vocabulary().personal.sure
    return tuple((kind, tuple(tuple(map(_folded, name)) for name in names)) for kind, names in sure)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_UNFOLDED))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


# Cells


def _blanked(frame: pd.DataFrame) -> tuple[list[PersonalColumn], dict[str, pd.Series]]:
    """Cut phones and e-mails out of all texts; return what was found, and the columns it was found in."""
    found, changed = [], {}
    for column in map(str, frame):
        cells = _array(frame[column])
        # Where no sampled cell holds a letter a phone's shape is a number of another kind.
        sample = _matches(_array(_present(frame[column])), r"\pL{3}")
        wordy = 2 * int(sample.sum()) >= max(1, len(sample))
        pattern = _CONTACT if wordy and not _numbers_things(column) else _EMAIL
        hits = _matches(cells, pattern)
        if hits.any():
            cut = pc.replace_substring_regex(cells, pattern, REMOVED)
            cut = pc.if_else(pc.equal(cut, _text(REMOVED)), pa.scalar(None, cut.type), cut)
            changed[column] = pd.Series(pd.array(cut, dtype="str"), index=frame.index)
            cells_cut = int(hits.sum())
            why = f"phones or e-mails in {cells_cut:,} of its texts"
            found.append(PersonalColumn(column, "contact", why, BLANKED, cells_cut))
    return found, changed


def _array(values: pd.Series) -> pa.Array:
    array = pa.array(values, type=pa.large_string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _matches(cells: pa.Array, pattern: str) -> Bools:
    if pattern == _EMAIL:
        # Hardly any cell holds an at sign, and looking for one is ten times faster.
        held = pc.fill_null(pc.match_substring(cells, "@"), False).to_numpy(zero_copy_only=False)
        places = np.flatnonzero(held)
        hits = np.zeros(len(cells), dtype=bool)
        if len(places):
            hits[places] = pc.match_substring_regex(cells.take(places), pattern).to_numpy(zero_copy_only=False)
        return hits
    found = pc.fill_null(pc.match_substring_regex(cells, pattern), False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _any_match(cells: pa.Array, pattern: str) -> bool:
    return bool(_matches(cells, pattern).any())


def _holds_contact(text: str) -> bool:
    return _any_match(pa.array([text], pa.large_string()), _CONTACT)


def _share(present: pd.Series, pattern: str) -> float:
    return float(np.mean(_matches(_array(present), rf"^\s*(?:{pattern})\s*$")))


# Writing


def _as_csv(table: RawTable) -> bytes:
    """Return the table as comma separated UTF-8 that reads as the same rows and bad lines at the same line numbers."""
    quoted = [_quoted(_array(table.frame[column])) for column in table.frame]
    rows = pc.binary_join_element_wise(*quoted, _text(","), null_handling="replace", null_replacement="")
    header = _record(str(column) for column in table.frame)
    lines = _interleaved(header, rows.to_pylist(), table) if table.bad_lines else iter([header, *rows.to_pylist()])
    return ("\n".join(lines) + "\n").encode("utf-8")


def _quoted(cells: pa.Array) -> pa.Array:
    needs = pc.match_substring_regex(cells, r'[,"\r\n]')
    if not pc.any(needs).as_py():
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    return pc.if_else(needs, pc.binary_join_element_wise(_text('"'), doubled, _text('"'), _text("")), cells)


def _interleaved(header: str, rows: list[str], table: RawTable) -> Iterator[str]:
    """Yield header, rows and stand-ins of bad lines in file order; blank lines keep bad lines at their line numbers."""
    yield header
    line, row = 2 + header.count("\n"), 0
    good, bad = table.row_numbers.tolist(), iter(table.bad_lines)
    for number in range(1, table.rows_in + 1):
        if row < len(good) and good[row] == number:
            yield rows[row]
            line += 1 + rows[row].count("\n")
            row += 1
            continue
        lost = next(bad)
        for _ in range(line, lost.line):
            yield ""
        yield _stand_in(lost, len(table.frame.columns))
        line = max(line, lost.line) + 1


def _stand_in(lost: BadLine, width: int) -> str:
    fields, _, wanted = lost.reason.partition(" fields where the header and other rows have ")
    if not wanted:
        return f'"{REMOVED}" out of place'
    # As many fields too many or too few as there were.
    missed = int(fields) - int(wanted)
    return ",".join([REMOVED] * max(1, width + missed)) if width + missed != width else REMOVED


def _text(mark: str) -> pa.Scalar:
    return pa.scalar(mark, pa.large_string())


def _record(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
