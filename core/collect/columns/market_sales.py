"""Columns that say which rows are market sales: by their words, by yes and no, by a code that excludes, by status."""

from __future__ import annotations

import re
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
)
from core.collect.cells.remarks import remark_verdict
from core.collect.cells.shares import shares_sold
from core.collect.columns.candidates import header_score
from core.collect.columns.sheet import Candidate, Sheet
from core.collect.inference import Inference
from core.collect.mapping import ColumnRule
from core.collect.parsers import as_flag, as_number

_WORDS_MAX: Final = 200
_REMARKS: Final = frozenset(
    {
        "remark",
        "note",
        "備註",
        "备注",
        "comment",
        "取引の事情等",
        "memo",
        "observation",
        "bemerkung",
        "anmerkung",
        "uwagi",
    }
    | {"observacion", "observaciones", "remarque", "opmerking", "примечание", "비고"}
)
_KNOWN_SHARE: Final = 0.9
_SHOWN: Final = 4
_NAMED: Final = 0.8
_ONE_DEED: Final = 0.98
# A file of which a column would set aside more than this holds other things than sales, or the column is misread.
_SET_ASIDE_MAX: Final = 0.9
_SPEAK_AGAINST: Final = (*SET_ASIDE, DOUBTFUL)

_SEVERAL: Final = (
    *("multiple parcel", "multiple parcel sale", "multi parcel sale", "multiple sale", "bulk sale", "package sale"),
    *("portfolio sale", "multiple property", "multiple property sale", "multi property sale"),
)
_NOT_MARKET: Final = (
    *("non arm length", "not arm length", "non arms length", "disqualified", "disqualified sale", "unqualified"),
    *("unqualified sale", "invalid sale", "non market", "non market sale"),
)
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
        *((words, f"{PACKAGE}: several parcels on one deed") for words in _SEVERAL),
        *((words, f"{NON_MARKET}: not at arm's length") for words in _NOT_MARKET),
    )
)
_YES_IS_MARKET: Final[tuple[frozenset[str], ...]] = tuple(
    frozenset(f"{words}{flag}".split())
    for words in (
        "valid sale",
        "sale validity",
        "qualified",
        "qualified sale",
        "arm length",
        "market sale",
        "usable sale",
        "valid for ratio study",
        "arms length",
        "arm length transaction",
        "arm length sale",
        "qualification",
        "sale qualification",
        "qual",
        "sale qual",
        "usable",
        "valid",
        "open market sale",
        "full market price",
        "full market value price",
    )
    for flag in ("", " flag")
)
# Letters of a header that only say how its cells answer: ARMS_LENGTH_IND, "Arm's Length (Y/N)".
_ANSWERS: Final = frozenset({"is", "s", "ind", "indicator", "yn", "y", "n", "code", "cd", "status"})
# Letters of assessors that say of a sale whether it qualifies, and are no yes or no elsewhere.
_QUALIFIES: Final = dict.fromkeys(("q", "qualified", "v", "valid"), True)
_DOES_NOT: Final = dict.fromkeys(("u", "unqualified", "d", "dq", "disqualified", "i", "invalid"), False)
_IN_LETTERS: Final = ({"disqualified"}, {"disqualification"}, {"sale", "qualification"})
# Florida's transfer codes, as many county rolls have them: 01 and 02 are market sales.
_CODE_QUALIFIES: Final = tuple(
    frozenset(words.split())
    for words in ("qual code", "qual cd", "qualification code", "sale qual code", "qualified code")
)
_CODES_OF_MARKET: Final = frozenset({"1", "2", "01", "02"})
_CODES: Final = r"[0-9]{1,2}"
_OF_CODE: Final = "qualification code"
_CODE_EXCLUDES: Final[tuple[frozenset[str], ...]] = tuple(
    frozenset(words.split()) for words in ("non use code", "nonuse code", "exclusion reason", "disqualification code")
)
# HM Land Registry: category B has repossessions, buy-to-lets, transfers and what is no home.
_PAID_CATEGORY: Final = (frozenset({"ppd", "category", "type"}), frozenset({"transaction", "category"}))
_PAID: Final = {"A": MARKET, "B": f"{ASKED}: an additional entry, such as a repossession or a buy-to-let"}
# A share of 0% is how Connecticut writes a whole one.
_SHARES: Final = frozenset(
    {"share", "interest", "ownership", "undivided", "fraction", "quota", "anteil", "udzial", "持分", "持分割合", "지분"}
    | {"aandeel", "quote", "quotepart", "cuota", "cota", "andel", "доля", "доли", "hisse", "miteigentumsanteil"}
    | {"eigentumsanteil", "份额", "份額"}
)
_BESIDE_SHARES: Final = frozenset(
    {"percent", "pct", "of", "in", "the", "part", "portion", "sale", "sold", "bought", "acquired", "conveyed", "owner"}
    | {"transferred", "transfer", "fractional", "property", "title", "в", "праве", "verkauft", "verkocht", "vendue"}
    | {"vendida", "venduta", "solgt", "sald", "de", "di", "da", "do", "del", "der", "am", "van"}
)
_WHOLE_SHARE_MIN: Final = 0.1
# Days and marks of contracts that were undone, by the beginning of the header's words.
_UNDONE: Final = re.compile(
    r"^(?:해제|취소|撤销|撤銷|取消|解約|解除|cancel+(?:ed|ation)?$|rescinded$|rescission$|annulled$|annulment$|annulation$"
    r"|annullamento$|anulaci[oó]n$|anulad[ao]$|anulowan|storn(?:o|iert)|расторж|отмен)"
)
_UNDONE_MAX: Final = 0.5
_STATUS: Final[frozenset[str]] = frozenset(
    {"status", "standard status", "mls status", "listing status", "sale status", "home status", "stat", "st"}
)
_PARCELS: Final = (
    frozenset({"number", "parcel", "sale"}),
    frozenset({"number", "parcel"}),
    frozenset({"parcel", "count"}),
)


_COUNTED: Final = frozenset({"parcel", "property", "home", "house", "dwelling"})
_OF_ONE_SALE: Final = frozenset({"sale", "sold", "deed", "number", "count", "transaction", "conveyed", "transferred"})
_SMALL_WORDS: Final = frozenset({"in", "of", "on", "per", "the", "total", "included"})
_PARCELS_MAX: Final = 99


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
    """Find remarks that speak against some sales; no other word of them is kept, and none is quoted."""
    if not _REMARKS & set(sheet.header(column).words):
        return None
    verdicts = pd.Series({str(word): remark_verdict(str(word)) for word in words.index}, dtype="str")
    rows = words.groupby(verdicts.reindex(words.index.astype("str")).to_numpy()).sum().drop("", errors="ignore")
    if rows.empty or rows.sum() > _SET_ASIDE_MAX * len(sheet.table.frame):
        return None
    reasons = {str(verdict).partition(": ")[2]: str(verdict) for verdict in rows.index}
    by_reason = rows.set_axis(list(reasons))
    inferences = _questions(column, reasons, by_reason, int(words.sum()))
    against = [reason for reason, verdict in reasons.items() if verdict.startswith(SET_ASIDE)]
    if against:
        # Prose is read by a few words of it, so a person should look.
        seen = "; ".join(f"{reason} in {int(by_reason[reason]):,} rows" for reason in against)
        claim = f"{int(by_reason[against].sum()):,} rows are set aside because they are not market sales of one home"
        seen = f"their remarks say so: {seen}"
        inferences += (Inference(column, "validity", claim, seen, int(words.sum()), sure=False),)
    rule = ColumnRule(column, "validity", "remark_validity")
    why = "; ".join(["says which rows are no market sales", *map(str, inferences)])
    return Candidate(rule, 0.9, why, False), inferences


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
        yes = yes or _yes_of_prose(column)
        if yes:
            return {value: yes if flag else MARKET for value, flag in zip(values, flags, strict=True)}
    return (
        _by_qualification(column, words, values, flags)
        or _by_code(words, values)
        or _by_share(sheet, column, words, values)
        or _by_figures(words, as_number(values, sheet.marks), values)
        or _by_undoing(sheet, column, words, values)
        or (_by_status(sheet, values) if " ".join(header.words) in _STATUS else {})
    )


def _yes_of_prose(column: str) -> str:
    """Return what a yes says under a header that speaks against sales as remarks do: "Vente entre parents"."""
    verdict = remark_verdict(column.replace("_", " "))
    return verdict if verdict.startswith(SET_ASIDE) else ""


def _by_qualification(column: str, words: frozenset[str], values: pd.Series, flags: pd.Series) -> Mapping[str, str]:
    """Return the verdicts of a column that says of each sale whether it is one at arm's length: yes or no, Q or U."""
    is_named = any(words == names or words - _ANSWERS == names for names in _YES_IS_MARKET)
    if not is_named and (words not in _IN_LETTERS or flags.notna().any()):
        return {}
    letters = values.str.strip().str.casefold().map(_QUALIFIES | _DOES_NOT)
    answers = flags.eq(1.0) if flags.notna().all() else letters
    # "Qual" is also how good a home is: its letters are then others too, or no sale is refused.
    if answers.isna().any() or answers.astype(bool).all():
        return {}
    refused = f"{NON_MARKET}: its {column} is no"
    return {value: MARKET if answer else refused for value, answer in zip(values, answers, strict=True)}


def _by_share(sheet: Sheet, column: str, words: frozenset[str], values: pd.Series) -> Mapping[str, str]:
    """Return the verdicts of a column that gives the share that was sold; one that never has the whole is another."""
    if not words & _SHARES or words - _SHARES - _BESIDE_SHARES:
        return {}
    shares = shares_sold(values, as_number(values, sheet.marks))
    if shares is None:
        return {}
    rows = sheet.table.frame[column].isin(values[~shares.between(0, 1, inclusive="neither")])
    if rows.sum() < _WHOLE_SHARE_MIN * sheet.table.frame[column].notna().sum():
        return {}
    return {
        value: f"{NON_MARKET}: part interest of {100 * share:.4g}%" if 0 < share < 1 else MARKET
        for value, share in zip(values, shares, strict=True)
    }


def _by_undoing(sheet: Sheet, column: str, words: frozenset[str], values: pd.Series) -> Mapping[str, str]:
    """Return the verdicts of a column that has the day, or a mark, of contracts that were undone."""
    filled = float(sheet.table.frame[column].notna().mean())
    if not any(_UNDONE.match(word) for word in words) or filled == 0.0:
        return {}
    flags = as_flag(values, sheet.marks)
    undone = dict.fromkeys(values, f"{NOT_SOLD}: the contract was undone")
    kept = {value: MARKET for value, flag in zip(values, flags, strict=True) if flag == 0.0 or value.strip("-. ") == ""}
    if not kept and filled > _UNDONE_MAX:
        return {}
    return undone | kept


def _by_code(words: frozenset[str], values: pd.Series) -> Mapping[str, str]:
    """Return the verdicts of columns of codes: any code of one kind excludes; the other is of HM Land Registry."""
    if any(words == names for names in _CODE_EXCLUDES):
        return {value: _excluded(value) for value in values}
    if any(words == names for names in _CODE_QUALIFIES) and values.str.fullmatch(_CODES).all():
        if not set(values) & _CODES_OF_MARKET:
            return {}
        return {value: MARKET if value in _CODES_OF_MARKET else f"{NON_MARKET}: {_OF_CODE} {value}" for value in values}
    if any(words == names for names in _PAID_CATEGORY) and set(values) <= set(_PAID):
        return {value: _PAID[value] for value in values}
    return {}


def _excluded(code: str) -> str:
    """Return the verdict of a code that excludes a sale: what its words leave open, the code settles."""
    verdict = market_verdict(code)
    return verdict if verdict == MARKET or verdict.startswith(SET_ASIDE) else f"{NON_MARKET}: {code}"


def _by_figures(words: frozenset[str], figures: pd.Series, values: pd.Series) -> Mapping[str, str]:
    """Return the verdicts of columns that count the parcels of a deed."""
    if figures.isna().any():
        return {}
    pairs = list(zip(values, figures, strict=True))
    if (any(words == names for names in _PARCELS) or _counts_parcels(words, figures)) and figures.gt(1).any():
        return {value: f"{PACKAGE}: {n:g} parcels on one deed" if n > 1 else MARKET for value, n in pairs}
    return {}


def _counts_parcels(words: frozenset[str], figures: pd.Series) -> bool:
    """Tell whether a header counts the parcels or homes of a sale: "Parcels in Sale", "Properties Sold"."""
    is_count = bool(words & _COUNTED) and bool(words & _OF_ONE_SALE) and words <= _COUNTED | _OF_ONE_SALE | _SMALL_WORDS
    return is_count and bool(figures.between(0, _PARCELS_MAX).all()) and bool(figures.le(1).any())


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
    inferences = _questions(column, verdicts, words, int(words.sum()))
    if against:
        sure = not any(is_unsure(verdict) or _OF_CODE in verdict for verdict in against.values())
        claim = f"{n:,} rows are set aside because they are not market sales of one home"
        inferences += (Inference(column, "validity", claim, shown + more, int(words.sum()), sure),)
    why = "; ".join(["says which rows are market sales", *map(str, inferences)])
    rule = ColumnRule(column, "validity", "validity", recode=MappingProxyType(recode))
    return Candidate(rule, 0.9, why, False), inferences


def _questions(column: str, verdicts: Mapping[str, str], words: pd.Series, n: int) -> tuple[Inference, ...]:
    """Return what a person should answer: which sales wait, and which are in use but may be no market sales."""
    found = []
    for start, claim in (
        (ASKED, "{:,} rows are kept that may be no market sales"),
        (DOUBTFUL, "{:,} rows wait for your decision, as few of their kind are market sales"),
    ):
        rows = {value: int(words[value]) for value, verdict in verdicts.items() if verdict.startswith(start)}
        if rows:
            seen = "; ".join(f"{value!r} in {count:,} rows" for value, count in rows.items())
            claimed = claim.format(sum(rows.values()))
            found.append(Inference(column, "validity", claimed, seen, n, sure=False))
    return tuple(found)
