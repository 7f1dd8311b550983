"""Which columns of a file hold persons, or may: by header, by cells, and because they fit no field of a home."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Final

import pandas as pd

from core.accounting import ADDED, ADDED_WORDS
from core.arrays import evenly
from core.collect.cells.missing import is_null_word
from core.collect.columns.candidates import field_of_header, is_usual_header
from core.collect.dates.formats import read_dates
from core.collect.dates.guess import guess_date_format
from core.collect.privacy.findings import OWN, TEXT, PersonalColumn
from core.collect.privacy.names import (
    folded,
    holds_name,
    is_east_asian,
    is_person,
    lexicon,
    share_of_name_shapes,
    share_of_persons,
    share_of_single_names,
)
from core.collect.privacy.patterns import (
    ACCOUNT,
    BARE_PHONE,
    CODE_CELL,
    CONTACT,
    DETAILS,
    EMAIL,
    FIGURE,
    FLAG,
    IBAN,
    MARKED_PHONE,
    PHONE,
    PLAIN_PHONE,
    holds,
    share_holding,
    share_of,
    share_of_measures,
)
from core.collect.reading.table import RawTable
from core.collect.vocabulary import load_vocabulary
from core.schema import Source

LEVELS_MAX: Final = 60
"""A text column with more distinct values than this that fits no field is not a category of homes."""

# This few distinct values are a category, even if each occurs once, as in a mostly empty column.
_FEW: Final = 6
_SAMPLE: Final = 5_000
_NAMES_SAMPLE: Final = 500
# An e-mail beside every twentieth home is a column of e-mails; a stray one in remarks is cut out of its cell.
_EMAIL_SHARE: Final = 0.05
_CONTACT_SHARE: Final = 0.3
_FACT_SHARE: Final = 0.9
# Of lists of persons at least a quarter hold one of the known names; of unknown names six in ten have their shape.
_KNOWN_SHARE: Final = 0.25
_SHAPE_SHARE: Final = 0.6
_SINGLE_SHARE: Final = 0.5
# A text this long is prose: whoever leaves a phone number in it usually leaves a name beside it.
_PROSE_WORDS: Final = 8
_PROSE_SHARE: Final = 0.01
# Home buyers are adults: dates that all lie before this year may be birth dates.
_YOUNGEST_BORN: Final = 2008
_DATES_MIN: Final = 10
# Words of headers whose cells number things: what looks like a phone there is a parcel or a listing.
_NUMBERING: Final = frozenset({"parcel", "apn", "pin", "pid", "folio", "roll", "title", "lot", "mls", "account", "ml"})
# Counts in parts, as of full and half baths: no word that could be a name.
_COUNTS: Final = r"\d[\d ,.+/()|]*(?:\pL{1,2}\W*)?(?:\d[\d ,.+/()|]*(?:\pL{1,2}\W*)?)*"
# Fields in which the name of a person is a street or a place.
_IDS: Final = frozenset({"property_id", "sale_id", "unit"})
_OFFICE: Final = "listing_office"
_PLACES: Final = frozenset({"address", "zipcode", "neighbourhood", "latitude", "longitude"})
# Some offices bear the names of their founders; where most do, the column names agents.
_FOUNDERS_SHARE: Final = 0.5


def personal_columns(
    table: RawTable, fields: Mapping[str, str], kept: Collection[str] = ()
) -> tuple[PersonalColumn, ...]:
    """Find the columns that hold persons' names, ways to reach them or what betrays them, in file order.

    ``fields`` has the field that each column fits, for those that fit one. Of all others, text that could name persons
    is found too, unless ``kept`` names it: cells shaped like names, prose, digits like phones, text of many values.
    """
    found = (_judge(str(column), table.frame[column], fields, kept) for column in table.frame)
    return tuple(PersonalColumn(one.column, OWN, ADDED_WORDS) if one.column in ADDED else one for one in found if one)


def is_personal_header(column: str, cells: pd.Series) -> bool:
    """Tell whether a header is itself a person's name or contact, as where a file has no header line.

    Two to four Chinese characters or Hangul syllables are a name only above names: 金額 and 도로명 begin like one.
    """
    if holds(column, CONTACT) or holds(column, ACCOUNT):
        return True
    if is_usual_header(column) or not is_person(column):
        return False
    return column.isascii() or not is_east_asian(column) or share_of_persons(_different(present_of(cells))) > 0.0


def numbers_things(column: str) -> bool:
    """Tell whether a header says that its cells number or name rows, parcels or listings."""
    return bool(set(words_of_header(column)) & (_NUMBERING | load_vocabulary().identifiers))


def present_of(values: pd.Series) -> pd.Series:
    """Return a sample of the cells that hold a value."""
    known = values.dropna()
    sample = known.iloc[evenly(len(known), _SAMPLE)]
    return sample[~is_null_word(sample)]


def _judge(column: str, values: pd.Series, fields: Mapping[str, str], kept: Collection[str]) -> PersonalColumn | None:
    present = present_of(values)
    if present.empty:
        # Nothing to keep, and nothing to tell a fact by: the header alone decides.
        hint = _hint(column)
        return PersonalColumn(column, hint[0], hint[1]) if hint else None
    found = _by_header(column, present) or _by_contact(column, present)
    if found:
        return found
    field = fields.get(column)
    if field is not None and field not in _IDS and field != _OFFICE:
        return None
    different = _different(present)
    if field == _OFFICE:
        return _by_founders(column, different)
    found = _by_known_names(column, different)
    if found or field is not None or column in kept or _names_place(column):
        return found
    return _by_prose(column, present) or _by_doubt(column, values, present, different)


def _names_place(column: str) -> bool:
    """Tell whether a header names where a home is: whatever stands among its cells, it is no list of persons."""
    return field_of_header(column, Source.SALES, load_vocabulary()) in _PLACES


def _different(present: pd.Series) -> list[str]:
    unique = present.drop_duplicates()
    return [str(text) for text in unique.iloc[evenly(len(unique), _NAMES_SAMPLE)]]


# By header


def _by_header(column: str, present: pd.Series) -> PersonalColumn | None:
    hint = _hint(column)
    if hint and not _is_fact(column, hint[0], present):
        return PersonalColumn(column, *hint)
    words, maybe = set(words_of_header(column)), load_vocabulary().personal.maybe_phone
    if words & maybe and share_of(present, BARE_PHONE) >= 0.5 and not words - maybe - {"number"}:
        return PersonalColumn(column, "phone", "its cells are written like phone numbers")
    return None


def _hint(column: str) -> tuple[str, str] | None:
    """Return the kind of person a header names and the words that say so."""
    words, personal = words_of_header(column), load_vocabulary().personal
    if set(words) & personal.unless or is_usual_header(column):
        return None
    for kind, names in _folded_names():
        for name in names:
            if set(name) <= set(words) or (not "".join(name).isascii() and "".join(name) in "".join(words)):
                return kind, f"its header says {' '.join(name)!r}"
    return ("name", f"its header is {' '.join(words)!r}") if words in _whole_headers() else None


def _is_fact(column: str, kind: str, present: pd.Series) -> bool:
    """Tell whether the cells are flags, amounts or dates, which say nothing about who a person is."""
    if share_of(present, FLAG) >= _FACT_SHARE:
        return True
    if words_of_header(column) in _whole_headers() and share_of(present, _COUNTS) >= _FACT_SHARE:
        return True
    if kind == "access code":
        return share_holding(present, r"\d{3}") < 0.5
    words = words_of_header(column)
    identifies = bool(words) and (words[-1] in load_vocabulary().identifiers or words[-1] in {"license", "licence"})
    if kind in {"phone", "contact", "birth date", "account"} or identifies:
        return False
    if share_of(present, FIGURE) >= _FACT_SHARE:
        return True
    dates = guess_date_format(present)
    # The day numbers of a spreadsheet have no format: they could be any figures.
    return dates.share >= _FACT_SHARE and "%" in dates.date_format


def words_of_header(column: str) -> tuple[str, ...]:
    """Return the words of a header, one spelling for each, without accents."""
    return tuple(folded(word) for word in load_vocabulary().all_words(column))


@cache
def _whole_headers() -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(map(folded, name)) for name in load_vocabulary().personal.whole)


@cache
def _folded_names() -> tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]:
    sure = load_vocabulary().personal.sure
    return tuple((kind, tuple(tuple(map(folded, name)) for name in names)) for kind, names in sure)


# By cells that leave no doubt


def _by_contact(column: str, present: pd.Series) -> PersonalColumn | None:
    emails = share_of(present, EMAIL)
    if emails >= _EMAIL_SHARE:
        return PersonalColumn(column, "e-mail", f"{emails:.0%} of its cells are e-mail addresses")
    numbering = numbers_things(column)
    phones = share_of(present, MARKED_PHONE if numbering else PHONE)
    if phones + emails >= _CONTACT_SHARE:
        return PersonalColumn(column, "phone", f"{phones:.0%} of its cells are phone numbers")
    accounts = share_of(present, IBAN if numbering else ACCOUNT)
    if accounts >= _CONTACT_SHARE:
        return PersonalColumn(column, "account", f"{accounts:.0%} of its cells number accounts of persons")
    return None


def _by_known_names(column: str, different: list[str]) -> PersonalColumn | None:
    persons = share_of_persons(different)
    is_place = bool(lexicon().places & set(words_of_header(column)))
    if persons < (_SHAPE_SHARE if is_place else _KNOWN_SHARE) or (is_place and len(different) <= LEVELS_MAX):
        return None
    return PersonalColumn(column, "name", f"{persons:.0%} of its different values are names of persons")


def _by_founders(column: str, different: list[str]) -> PersonalColumn | None:
    persons = share_of_persons(different)
    if persons < _FOUNDERS_SHARE:
        return None
    return PersonalColumn(column, "name", f"{persons:.0%} of its different offices are names of persons")


# By cells that leave doubt, where a column fits no field


def _by_prose(column: str, present: pd.Series) -> PersonalColumn | None:
    if float(present.str.count(r"\s+").median()) + 1 < _PROSE_WORDS:
        return None
    plain = rf"{CONTACT}|{DETAILS}|{PLAIN_PHONE}"
    holding = share_holding(present, plain) + share_of_named(present)
    if holding < _PROSE_SHARE:
        return PersonalColumn(column, TEXT, "its cells are prose", keepable=True)
    why = "its texts hold ways to reach or betray persons, beside which names stand"
    return PersonalColumn(column, "contact", why, keepable=True)


def share_of_named(present: pd.Series) -> float:
    """Return the share of prose texts that hold a person's name, from a sample."""
    different = _different(present)
    return sum(holds_name(text) for text in different) / len(different)


def _by_doubt(column: str, values: pd.Series, present: pd.Series, different: list[str]) -> PersonalColumn | None:
    numbering = numbers_things(column)
    if not numbering and share_of(present, PLAIN_PHONE) >= _FACT_SHARE and _look_dialled(present):
        return PersonalColumn(column, "phone", "its cells are digits as long as phone numbers", keepable=True)
    if share_of_measures(present) >= _FACT_SHARE or share_of(present, FLAG) >= _FACT_SHARE:
        return _by_births(column, present)
    levels = int(values.nunique())
    is_place = bool(lexicon().places & set(words_of_header(column)))
    is_shaped = share_of_name_shapes(different) >= _SHAPE_SHARE or share_of_single_names(different) >= _SINGLE_SHARE
    if is_shaped and (not is_place or levels > LEVELS_MAX):
        return PersonalColumn(column, TEXT, "its cells are shaped like names of persons", keepable=True)
    if levels <= LEVELS_MAX and (levels < _FEW or 2 * levels <= len(present)):
        return None
    if numbering and share_of(present, CODE_CELL) >= _FACT_SHARE and share_holding(present, r"\d") >= _FACT_SHARE:
        return None
    return PersonalColumn(column, TEXT, f"{levels:,} different values in {len(values):,} rows", keepable=True)


def _look_dialled(present: pd.Series) -> bool:
    """Tell phone numbers (all distinct, one length) from amounts, which are round, and from counters."""
    lengths = present.str.len()
    round_ones = float(present.str.endswith("00").mean())
    return bool(lengths.quantile(0.9) - lengths.quantile(0.1) <= 2 and round_ones < 0.2)


def _by_births(column: str, present: pd.Series) -> PersonalColumn | None:
    """Find dates that could all be adults' birth dates and mostly do not fall on the first of a month."""
    dates = guess_date_format(present)
    if dates.share < _FACT_SHARE or "%d" not in dates.date_format:
        return None
    days = read_dates(present, dates.date_format).dropna()
    if len(days) < _DATES_MIN or days.max().year > _YOUNGEST_BORN:
        return None
    is_spread = days.dt.year.nunique() >= min(10, len(days) // 2) and float((days.dt.day == 1).mean()) < 0.5
    why = "its dates are as old as birth dates"
    return PersonalColumn(column, "birth date", why, keepable=True) if is_spread else None
