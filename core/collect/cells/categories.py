"""Categories as files write them: one word in many spellings, lists in brackets, codes before and notes behind it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import pandas as pd

from core.collect.cells.amounts import usual_signs


def known_word(text: str, words: Mapping[str, str]) -> str:
    """Return what a text is read as among ``words`` (lower case), by its bare letters where it is spelt otherwise.

    "SingleFamilyResidence" and "Single-Family Residence" are "single family residence", "13 CONDOS (11F)" is "condos";
    empty where no word fits.
    """
    bare = {_bare(word): to for word, to in words.items()}
    return next((bare[one] for one in _spellings(text) if one in bare), "")


def items_of_list(text: str) -> str:
    """Return the items of a list such as ``["Two"]`` joined by commas; any other text as it is."""
    if not text.startswith("["):
        return text
    try:
        items = json.loads(text)
    except json.JSONDecodeError:
        return text
    return ", ".join(str(one) for one in items) if isinstance(items, list) else text


def _spellings(text: str) -> Iterator[str]:
    text = usual_signs(text).casefold()
    yield _bare(text)
    without_notes = re.sub(r"\s*[(\[（].*$|\s+(?:w/|with\b).*$", "", text)
    yield _bare(without_notes)
    without_code = re.sub(r"^[0-9]+[a-z]?\s*[-.:]?\s+", "", without_notes)
    yield _bare(without_code)
    for part in re.split(r"\s+[-–/|]\s+|,\s*|/", without_code):
        yield _bare(part)
        yield _bare(re.sub(r"(?<=[^\W\d_]{3})s$", "", part.strip()))


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def without_brackets(values: pd.Series) -> pd.Series:
    """Return cells without the brackets of a list of one."""
    listed = values.str.startswith("[", na=False)
    if not listed.any():
        return values
    return values.mask(listed, values[listed].map(items_of_list).reindex(values.index)).astype("str")


def in_known_words(values: pd.Series, words: Mapping[str, str]) -> pd.Series:
    """Return cells with the known word in place of each that holds one."""
    known = {text: known_word(text, words) for text in values.dropna().unique()}
    changed = {text: word for text, word in known.items() if word and word != text}
    return values.replace(changed).astype("str") if changed else values
