"""Persons cut out of texts that are kept: contacts, accounts, codes, birth dates and names in prose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.collect.privacy.findings import BLANKED, REMOVED, PersonalColumn
from core.collect.privacy.names import cut_names, holds_name, is_person, lexicon
from core.collect.privacy.patterns import (
    CONTACT,
    DETAILS,
    EMAIL,
    NOTED_PHONE,
    PLAIN_PHONE,
    WORDED,
    as_array,
    holds,
    matches,
)
from core.collect.privacy.search import numbers_things, present_of, words_of_header

_SENTENCE: Final = r"(?:^| )[a-z]{2,} "
_SENTENCE_WORDS: Final = 6
_PLACES: Final = frozenset({"address", "neighbourhood", "unit", "zipcode", "property_id", "sale_id", "listing_office"})


def cut_texts(
    frame: pd.DataFrame, fields: Mapping[str, str]
) -> tuple[tuple[PersonalColumn, ...], Mapping[str, pd.Series]]:
    """Cut out of all texts what reaches or betrays persons; return what was found, and the columns it was found in.

    ``fields`` has the field that each column fits. Names are not cut out of places, which bear them by right, nor bare
    digits out of columns that fit a field.
    """
    found, changed = [], {}
    for column in map(str, frame):
        cells = as_array(frame[column])
        present = as_array(present_of(frame[column]))
        # Where no sampled cell holds a letter a phone's shape is a number of another kind.
        is_wordy = 2 * int(matches(present, r"\pL{3}").sum()) >= max(1, len(present))
        cut = _cut_patterns(cells, column, is_wordy, column in fields)
        if fields.get(column) not in _PLACES and not lexicon().places & set(words_of_header(column)):
            cut = _cut_names(cut)
        hits = int(np.count_nonzero(_differ(cells, cut)))
        if hits:
            cut = pc.if_else(pc.equal(cut, _scalar(REMOVED)), pa.scalar(None, cut.type), cut)
            changed[column] = pd.Series(pd.array(cut, dtype="str"), index=frame.index)
            why = f"names, phones, e-mails, accounts, codes or birth dates in {hits:,} of its cells"
            found.append(PersonalColumn(column, "contact", why, BLANKED, hits))
    return tuple(found), changed


def without_persons_in(text: str) -> str:
    """Return a text for a message or a line of a log with all cut out that reaches, names or betrays a person."""
    cut = text
    for pattern in (EMAIL, DETAILS, CONTACT):
        if holds(cut, pattern):
            cut = str(pc.replace_substring_regex(pa.scalar(cut), pattern, REMOVED))
    cut = cut_names(cut, REMOVED)
    return REMOVED if cut == text and is_person(text) else cut


def without_persons_in_note(text: str) -> str:
    """Return a note that somebody wrote about a home without what reaches, names or betrays a person."""
    return re.sub(NOTED_PHONE, REMOVED, without_persons_in(text))


def betrays_person(text: str) -> bool:
    """Tell whether a text outside the table, such as a line that cannot be read, may hold something of a person."""
    return holds(text, f"{CONTACT}|{DETAILS}") or any(
        is_person(part) or holds_name(part) for part in text.replace(";", ",").replace("|", ",").split(",")
    )


def _cut_patterns(cells: pa.Array, column: str, is_wordy: bool, is_field: bool) -> pa.Array:
    numbering = numbers_things(column)
    patterns = [EMAIL] if numbering else [EMAIL, DETAILS, CONTACT] if is_wordy else [EMAIL, WORDED]
    if is_wordy and not is_field and not numbering:
        patterns.append(PLAIN_PHONE)
    for pattern in patterns:
        if matches(cells, pattern).any():
            cells = pc.replace_substring_regex(cells, pattern, REMOVED)
    return cells


def _cut_names(cells: pa.Array) -> pa.Array:
    """Cut names out of prose, and cells that are a person and no more out of a column of other things."""
    places = np.flatnonzero(matches(cells, r"\pL{3}.*[ ,].*\pL|[\x{4e00}-\x{9fff}\x{ac00}-\x{d7af}]{2}"))
    if not len(places):
        return cells
    texts = pd.Series(cells.take(places).to_pylist(), dtype="object").unique()
    changed = {text: cut for text in texts if (cut := _without_names(text)) != text}
    if not changed:
        return cells
    whole = cells.to_pandas()
    return as_array(whole.mask(whole.isin(list(changed)), whole.map(changed)).astype("str"))


def _without_names(text: str) -> str:
    # Names stand in sentences: among words in small letters, or among many.
    if re.search(_SENTENCE, text) or text.count(" ") >= _SENTENCE_WORDS - 1:
        text = cut_names(text, REMOVED)
    # Among facts a person stands in capitals; words in small letters are a note.
    return REMOVED if not text.islower() and is_person(text) else text


def _differ(before: pa.Array, after: pa.Array) -> pa.Array:
    return pc.fill_null(pc.not_equal(before, after), False).to_numpy(zero_copy_only=False)


def _scalar(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())
