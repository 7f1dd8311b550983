"""Columns that say which rows are market sales: by their words, by yes and no, by a code that excludes, by status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import pandas as pd

from core.collect.cells.market import (
    ASKED,
    DOUBTFUL,
    MARKET,
    NON_MARKET,
    NOT_A_HOME,
    NOT_SOLD,
    PACKAGE,
    SET_ASIDE,
    is_unsure,
    market_verdict,
    remark_verdict,
)
from core.collect.columns.candidates import header_score
from core.collect.columns.sheet import Candidate, Sheet
from core.collect.inference import Inference
from core.collect.mapping import ColumnRule
from core.collect.parsers import as_flag, as_number

_WORDS_MAX: Final = 200
_REMARKS: Final = frozenset({"remark", "note", "備註", "备注", "comment", "取引の事情等"})
_KNOWN_SHARE: Final = 0.9
_SHOWN: Final = 4
_NAMED: Final = 0.8
_ONE_DEED: Final = 0.98
# A file of which a column would set aside more than this holds other things than sales, or the column is misread.
_SET_ASIDE_MAX: Final = 0.9
_SPEAK_AGAINST: Final = (*SET_ASIDE, DOUBTFUL)

# Words of headers, all of them in one header, by what a yes in the column says.
_YES_SAYS: Final[tuple[tuple[frozenset[str], str], ...]] = tuple(
    (frozenset(words.split()), verdict)
    for words, verdict in (
        ("not full market price", f"{NON_MARKET}: not at a full price"),
        ("multisale", f"{PACKAGE}: several parcels on one deed"),
        ("multi sale", f"{PACKAGE}: several parcels on one deed"),
        ("multi parcel", f"{PACKAGE}: several parcels on one deed"),
        ("vacant sale", f"{NOT_A_HOME}: vacant land"),
        ("vacant", f"{NOT_A_HOME}: vacant land"),
        ("sale filter deed type", f"{NON_MARKET}: deed type"),
        ("foreclosure", f"{NON_MARKET}: foreclosure"),
        ("distressed", f"{NON_MARKET}: foreclosure"),
        ("short sale", f"{NON_MARKET}: foreclosure"),
        ("family sale", f"{NON_MARKET}: family"),
        ("auction", f"{NON_MARKET}: auction"),
    )
)
_YES_IS_MARKET: Final[tuple[frozenset[str], ...]] = tuple(
    frozenset(f"{words}{flag}".split())
    for words in ("valid sale", "sale validity", "qualified", "qualified sale", "arm length", "market sale",
                  "usable sale", "valid for ratio study", "arms length", "arm length transaction")
    for flag in ("", " flag")
)  # fmt: skip
_CODE_EXCLUDES: Final[tuple[frozenset[str], ...]] = tuple(
    frozenset(words.split()) for words in ("non use code", "nonuse code", "exclusion reason", "disqualification code")
)
# HM Land Registry: category B has repossessions, buy-to-lets, transfers and what is no home.
_PAID_CATEGORY: Final = (frozenset({"ppd", "category", "type"}), frozenset({"transaction", "category"}))
_PAID: Final = {"A": MARKET, "B": f"{ASKED}: an additional entry, such as a repossession or a buy-to-let"}
_SHARES: Final = (frozenset({"percent", "interest", "of", "sale"}), frozenset({"percent", "interest"}))
_STATUS: Final[frozenset[str]] = frozenset(
    {"status", "standard status", "mls status", "listing status", "sale status", "home status", "stat", "st"}
)
_PARCELS: Final = (
    frozenset({"number", "parcel", "sale"}),
    frozenset({"number", "parcel"}),
    frozenset({"parcel", "count"}),
)


def market_columns(sheet: Sheet, taken: Iterable[Candidate]) -> list[tuple[Candidate, tuple[Inference, ...]]]:
    """Find every column that says which rows are market sales of one home, and how it says so."""
    columns = {one.rule.column for one in taken}
    found = []
    for column in sheet.columns:
        if column in columns:
            continue
        words = sheet.table.frame[column].value_counts()
        if remarks := _remarks(sheet, column, words):
            found.append(remarks)
        elif 0 < len(words) <= _WORDS_MAX and (verdicts := _verdicts(sheet, column, words)):
            found.append(_candidate(column, verdicts, words))
    return found


def _remarks(sheet: Sheet, column: str, words: pd.Series) -> tuple[Candidate, tuple[Inference, ...]] | None:
    """Find remarks that say of some sales that they were made between relatives; no other word of them is kept."""
    if not _REMARKS & set(sheet.header(column).words):
        return None
    verdicts = {str(word): remark_verdict(str(word)) for word in words.index}
    n = sum(int(words[word]) for word, verdict in verdicts.items() if verdict)
    if not n:
        return None
    claim = f"{n:,} rows are set aside because they are not market sales of one home"
    inference = Inference(column, "validity", claim, "their remarks say so", int(words.sum()))
    rule = ColumnRule(column, "validity", "remark_validity")
    return Candidate(rule, 0.9, f"says which rows are no market sales; {inference}", False), (inference,)


def deed_column(sheet: Sheet, taken: Iterable[Candidate]) -> Inference | None:
    """Find the column of deed numbers. Rows that share a deed are one sale, with one price and one date."""
    rules = {one.rule.field: one.rule for one in taken}
    if not {"sale_price", "sale_date"} <= set(rules) or "sale_id" in rules:
        return None
    names = next(one for one in sheet.vocabulary.fields if one.field == "sale_id")
    frame = sheet.table.frame
    paid = frame[rules["sale_price"].column].fillna("") + "|" + frame[rules["sale_date"].column].fillna("")
    for column in sheet.columns:
        numbers = frame[column]
        repeated = numbers.notna() & numbers.duplicated(keep=False)
        if header_score(sheet.header(column), names, sheet.vocabulary) < _NAMED or not repeated.any():
            continue
        if float(paid[repeated].groupby(numbers[repeated]).transform("nunique").eq(1).mean()) >= _ONE_DEED:
            seen = f"{int(repeated.sum()):,} rows share its number, and with it price and day"
            return Inference(column, "sale_id", "rows of one deed are one sale", seen, int(numbers.notna().sum()))
    return None


def _verdicts(sheet: Sheet, column: str, words: pd.Series) -> Mapping[str, str]:
    """Return what each value of a column says; empty where the column is about something else."""
    values = pd.Series([str(word) for word in words.index], dtype="str")
    verdicts = _by_header(sheet, column, values) or _by_words(sheet, column, values, words)
    against = sum(int(words[value]) for value, verdict in verdicts.items() if verdict.startswith(_SPEAK_AGAINST))
    return verdicts if against <= _SET_ASIDE_MAX * len(sheet.table.frame) else {}


def _by_header(sheet: Sheet, column: str, values: pd.Series) -> Mapping[str, str]:
    header = sheet.header(column)
    words = frozenset(header.words)
    flags = as_flag(values, sheet.marks)
    if flags.notna().all():
        yes = next((verdict for names, verdict in _YES_SAYS if words - {"is", "flag", "sale_filter"} == names), "")
        if yes:
            return {value: yes if flag else MARKET for value, flag in zip(values, flags, strict=True)}
        if any(words - {"is"} == names for names in _YES_IS_MARKET):
            refused = f"{NON_MARKET}: its {column} is no"
            return {value: MARKET if flag else refused for value, flag in zip(values, flags, strict=True)}
    return (
        _by_code(words, values)
        or _by_figures(words, as_number(values, sheet.marks), values)
        or (_by_status(sheet, values) if " ".join(header.words) in _STATUS else {})
    )


def _by_code(words: frozenset[str], values: pd.Series) -> Mapping[str, str]:
    """Return the verdicts of columns of codes: any code of one kind excludes; the other is of HM Land Registry."""
    if any(words == names for names in _CODE_EXCLUDES):
        return {value: _excluded(value) for value in values}
    if any(words == names for names in _PAID_CATEGORY) and set(values) <= set(_PAID):
        return {value: _PAID[value] for value in values}
    return {}


def _excluded(code: str) -> str:
    """Return the verdict of a code that excludes a sale: what its words leave open, the code settles."""
    verdict = market_verdict(code)
    return verdict if verdict == MARKET or verdict.startswith(SET_ASIDE) else f"{NON_MARKET}: {code}"


def _by_figures(words: frozenset[str], figures: pd.Series, values: pd.Series) -> Mapping[str, str]:
    """Return the verdicts of columns that count the parcels of a deed, or give the share that was sold."""
    if figures.isna().any():
        return {}
    pairs = list(zip(values, figures, strict=True))
    if any(words == names for names in _SHARES):
        return {value: f"{NON_MARKET}: part interest of {n:g}%" if 0 < n < 100 else MARKET for value, n in pairs}
    if any(words == names for names in _PARCELS) and figures.gt(1).any():
        return {value: f"{PACKAGE}: {n:g} parcels on one deed" if n > 1 else MARKET for value, n in pairs}
    return {}


def _by_status(sheet: Sheet, values: pd.Series) -> Mapping[str, str]:
    status = sheet.vocabulary.status
    bare = values.str.casefold().str.replace(r"[\W_]+", "", regex=True)
    states = {value: status.get(word, "") for value, word in zip(values, bare, strict=True)}
    if not all(states.values()) or "sold" not in states.values():
        return {}
    return {value: MARKET if state == "sold" else f"{NOT_SOLD}: {value}" for value, state in states.items()}


def _by_words(sheet: Sheet, column: str, values: pd.Series, words: pd.Series) -> Mapping[str, str]:
    verdicts = {value: market_verdict(value) for value in values}
    is_named = _is_named_so(sheet, column)
    known = sum(int(words[value]) for value, verdict in verdicts.items() if verdict)
    speaks = any(verdict.startswith(_SPEAK_AGAINST) for verdict in verdicts.values())
    if not is_named and (not speaks or known < _KNOWN_SHARE * int(words.sum()) or MARKET not in verdicts.values()):
        return {}
    return {value: verdict or value for value, verdict in verdicts.items()} if known or is_named else {}


def _is_named_so(sheet: Sheet, column: str) -> bool:
    header = sheet.header(column)
    names = next(one for one in sheet.vocabulary.fields if one.field == "validity")
    return any(sorted(header.words) == sorted(name.words) for name in names.names)


def _candidate(column: str, verdicts: Mapping[str, str], words: pd.Series) -> tuple[Candidate, tuple[Inference, ...]]:
    recode = {" ".join(value.casefold().split()): verdict for value, verdict in verdicts.items()}
    against = {value: verdict for value, verdict in verdicts.items() if verdict.startswith(SET_ASIDE)}
    n = sum(int(words[value]) for value in against)
    shown = "; ".join(f"{value!r} in {int(words[value]):,} rows" for value in list(against)[:_SHOWN])
    more = f" and {len(against) - _SHOWN} more" if len(against) > _SHOWN else ""
    inferences = _questions(column, verdicts, words)
    if against:
        sure = not any(is_unsure(verdict) for verdict in against.values())
        claim = f"{n:,} rows are set aside because they are not market sales of one home"
        inferences += (Inference(column, "validity", claim, shown + more, int(words.sum()), sure),)
    why = "; ".join(["says which rows are market sales", *map(str, inferences)])
    rule = ColumnRule(column, "validity", "validity", recode=MappingProxyType(recode))
    return Candidate(rule, 0.9, why, False), inferences


def _questions(column: str, verdicts: Mapping[str, str], words: pd.Series) -> tuple[Inference, ...]:
    """Return what a person should answer: which sales wait, and which are in use but may be no market sales."""
    found = []
    for start, claim in (
        (ASKED, "{:,} rows are kept that may be no market sales"),
        (DOUBTFUL, "{:,} rows wait for your decision, as few of their kind are market sales"),
    ):
        rows = {value: int(words[value]) for value, verdict in verdicts.items() if verdict.startswith(start)}
        if rows:
            seen = "; ".join(f"{value!r} in {n:,} rows" for value, n in rows.items())
            claimed = claim.format(sum(rows.values()))
            found.append(Inference(column, "validity", claimed, seen, int(words.sum()), sure=False))
    return tuple(found)
