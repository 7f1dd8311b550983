"""One field from several columns, such as a day from year and month; columns swapped, shifted or written otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from core.collect.cells.dates import month_number
from core.collect.cells.joined import joined_date
from core.collect.columns.candidates import (
    MARK_WORDS,
    TO_CHECK,
    best_reading,
    column_named,
    field_of_header,
    fit_of,
    is_usual_header,
)
from core.collect.columns.sheet import Candidate, Sheet, date_guess, sampled_values
from core.collect.columns.unnamed import HOME_PRICE
from core.collect.dated.areas import day_column
from core.collect.dates.formats import ISO, swapped_format
from core.collect.dates.guess import DateGuess, guess_date_format
from core.collect.inference import Inference
from core.collect.join_keys import DAY
from core.collect.mapping import ColumnRule
from core.collect.parsers import as_number
from core.collect.vocabulary import FieldNames
from core.schema import Source, label_of

_FITS: Final = 0.95
_SWAPPED_MAX: Final = 0.1
_SWAPPED_MIN: Final = 0.95
_CONFIDENCE: Final = 0.9

_IN_STYLES: Final = "dates in "
SHIFTED: Final = "(headers)"
"""What stands for the column in the conclusion that the values of a file stand beside their headers."""

_MISFIT_MAX: Final = 0.5
_MOVED_MIN: Final = 0.9
_SHIFTED_MIN: Final = 3

# The words beside "year", "month" and "day" in headers of a sale's day.
_OF_SALES: Final = frozenset(
    {"sale", "sold", "closing", "close", "deal", "transaction", "transfer", "contract", "계약", "거래", "sale price"}
)
_YEAR: Final = frozenset(
    {"year", "annee", "jahr", "ano", "anno", "年", "계약년", "계약년도", "거래년", "거래년도", "yyyy"}
)
_MONTH: Final = frozenset({"month", "mo", "mois", "monat", "mes", "mese", "月", "계약월", "거래월"})
_DAY: Final = frozenset({"day", "jour", "tag", "dia", "giorno", "日", "계약일", "거래일"})
_MONTHS: Final = frozenset({"%Y%m", "%Y-%m", "%Y/%m", "%Y.%m"})
_PARCEL_PARTS: Final = (
    (("major",), ("minor",)),
    (("borough",), ("block",), ("lot",)),
    (("map",), ("block",), ("lot",)),
    (("section",), ("block",), ("lot",)),
    (("map",), ("parcel",)),
    (("block",), ("lot",)),
)


def date_conclusions(sheet: Sheet, taken: Iterable[Candidate]) -> list[Inference]:
    """Return in which styles a sale date is written that has several, and the doubts of it a person should settle.

    In doubt is a day and month whose order no cell of their style tells, and a style in figures beside ISO dates.
    """
    found: list[Inference] = []
    for one in taken:
        dates = date_guess(sheet, one.rule.column) if one.rule.field == "sale_date" else None
        if dates is None or one.rule.date_format != dates.date_format:
            continue
        column, n = one.rule.column, len(sheet.present(one.rule.column))
        if dates.is_open:
            seen = f"no cell has a part above 12, as in {sheet.present(column).iloc[0]}"
            order = _order_of(dates.date_format)
            found.append(Inference(column, "sale_date", f"dates are {order}", seen, n, sure=False))
        if dates.styles:
            found.append(_in_styles(column, dates))
        for style in dates.styles:
            if style.is_open:
                claim = f"dates such as {style.example} are {_order_of(style.date_format)}"
                seen = "no cell written so has a part above 12"
                found.append(Inference(column, "sale_date", claim, seen, style.rows, sure=False))
    return found


def _order_of(date_format: str) -> str:
    return "month, then day" if date_format.startswith("%m") else "day, then month"


def _in_styles(column: str, dates: DateGuess) -> Inference:
    formats = [one.date_format for one in dates.styles]
    exchanged = ISO in formats and any(map(swapped_format, formats))
    number = "two" if len(formats) == 2 else str(len(formats))
    ending = ": a spreadsheet may have exchanged day and month of some" if exchanged else ", each read in its own"
    n = sum(one.rows for one in dates.styles)
    seen = ", ".join(map(str, dates.styles))
    return Inference(column, "sale_date", f"{_IN_STYLES}{number} formats{ending}", seen, n, sure=not exchanged)


def joined_columns(sheet: Sheet, taken: Iterable[Candidate]) -> list[tuple[Candidate, Inference]]:
    """Find fields that take several columns, such as a date split into year and month."""
    # A year or a month alone is a poor date: with a month or a day beside it the two are one.
    taken = list(taken)
    whole = [one for one in taken if not (one.rule.field == "sale_date" and one.rule.date_format == "%Y")]
    fields = {one.rule.field for one in whole}
    columns = {one.rule.column for one in whole}
    found = []
    date = _day_of_month(sheet, whole) if "sale_date" in fields else _sale_date(sheet, columns)
    if date:
        found.append(date)
    if "property_id" not in fields and (parcel := _parcel(sheet, columns)):
        found.append(parcel)
    return found


def _sale_date(sheet: Sheet, taken: set[str]) -> tuple[Candidate, Inference] | None:
    free = [column for column in sheet.columns if column not in taken]
    year = _part(sheet, free, _YEAR, 1900, 2100)
    month = _part(sheet, free, _MONTH, 1, 12)
    if not year or not month:
        return None
    day = _part(sheet, [one for one in free if one not in (year, month)], _DAY, 1, 31)
    return _date_of(sheet, (year, month, day) if day else (year, month), "%Y-%m-%d" if day else "%Y-%m")


def _day_of_month(sheet: Sheet, taken: list[Candidate]) -> tuple[Candidate, Inference] | None:
    """Return the sale date of a column of months with that of the days beside it, None where there is none."""
    months = [one.rule.column for one in taken if one.rule.field == "sale_date" and one.rule.date_format in _MONTHS]
    columns = {one.rule.column for one in taken}
    day = _part(sheet, [one for one in sheet.columns if one not in columns], _DAY, 1, 31) if months else ""
    return _date_of(sheet, (months[0], day), "%Y-%m-%d") if day else None


def _date_of(sheet: Sheet, parts: tuple[str, ...], date_format: str) -> tuple[Candidate, Inference] | None:
    cells = joined_date(sheet.sample, parts).dropna()
    if cells.empty or guess_date_format(cells).share < _FITS:
        return None
    shown = " and ".join(parts)
    inference = Inference(
        parts[0], "sale_date", f"the sale date from {shown}", f"together they read as {cells.iloc[0]}", len(cells)
    )
    rule = ColumnRule(parts[0], "sale_date", "date", date_format=date_format, with_columns=parts[1:])
    return Candidate(rule, _CONFIDENCE, str(inference), False), inference


def _part(sheet: Sheet, columns: list[str], words: frozenset[str], low: float, high: float) -> str:
    """Return the column of a part of the sale's day, "" where there is none: "Yr Sold", "sale_month"."""
    for needs_sale in (True, False):
        for column in columns:
            header = set(sheet.header(column).words)
            if not header & words or (header - words if not needs_sale else not header & _OF_SALES):
                continue
            cells = sheet.present(column)
            if words is _MONTH:
                cells = cells.map(lambda text: month_number(text) or text).astype("str")
            figures = as_number(cells, sheet.marks)
            if len(figures) and float(figures.between(low, high).mean()) >= _FITS:
                return column
    return ""


def _parcel(sheet: Sheet, taken: set[str]) -> tuple[Candidate, Inference] | None:
    by_words = {sheet.header(column).words: column for column in sheet.columns if column not in taken}
    for names in _PARCEL_PARTS:
        columns = tuple(by_words[words] for words in names if words in by_words)
        if len(columns) == len(names) and all(len(sheet.present(column)) for column in columns):
            repeated = sheet.sample[list(columns)].duplicated().mean()
            seen = f"{1 - repeated:.0%} of the numbers they make are different"
            inference = Inference(
                columns[0], "property_id", f"the parcel from {' and '.join(columns)}", seen, len(sheet.sample)
            )
            rule = ColumnRule(columns[0], "property_id", "identifier", with_columns=columns[1:])
            return Candidate(rule, _CONFIDENCE, str(inference), False), inference
    return None


def own_decimals(sheet: Sheet, chosen: Iterable[Candidate]) -> list[Inference]:
    """Ask about columns that are read with a decimal mark of their own."""
    found = []
    for rule in (one.rule for one in chosen if one.rule.decimal):
        cells = sheet.present(rule.column)
        with_mark = cells[cells.str.contains(rule.decimal, regex=False)]
        if sheet.groups_other_way(rule.column):
            mark = MARK_WORDS[sheet.marks.decimal]
            longest = max(cells, key=len)
            found.append(
                Inference(rule.column, rule.field, f"a {mark} groups thousands", f"as in {longest}", len(cells))
            )
            continue
        claim = f"read with a decimal {MARK_WORDS[rule.decimal]}, unlike the rest of the file"
        found.append(Inference(rule.column, rule.field, claim, f"a value is {with_mark.iloc[0]}", len(cells), False))
    return found


def with_swapped(sheet: Sheet, assigned: list[Candidate]) -> tuple[list[Candidate], list[Inference]]:
    """Give two columns each other's fields where the values say that they were swapped, such as latitude and longitude.

    Both headers are usual names; hardly a value under the first fits it, and nearly all fit the second, and the other
    way around. Only figures are compared.
    """
    named = {names: column for names in sheet.vocabulary.fields if (column := column_named(sheet, names))}
    words = list[Inference]()
    while pairs := _swapped_pair(sheet, assigned, named):
        columns, fields = {column for column, _ in pairs}, {names.field for _, names in pairs}
        kept = [one for one in assigned if one.rule.column not in columns and one.rule.field not in fields]
        assigned, words = [*kept, *_exchanged(sheet, *pairs)], [*words, *_words_of_swap(sheet, *pairs)]
        named = {names: column for names, column in named.items() if column not in columns}
    return assigned, words


def _swapped_pair(
    sheet: Sheet, assigned: list[Candidate], named: Mapping[FieldNames, str]
) -> tuple[tuple[str, FieldNames], ...]:
    """Return two columns with the fields that they have by their values, none where no two are swapped.

    Of several pairs it is the one whose second column fits its own header least: prices under the header of the living
    area would pass for lots, but the lots are in their place and the areas under the header of the price are not.
    """
    held = {candidate.rule.column: candidate.rule.field for candidate in assigned}
    found = list[tuple[float, tuple[tuple[str, FieldNames], ...]]]()
    for one, column in named.items():
        if fit_of(sheet, column, one) > _SWAPPED_MAX:
            continue
        for other, beside in named.items():
            fits = (fit_of(sheet, column, other), fit_of(sheet, beside, one)) if other is not one else (0.0, 0.0)
            if min(fits) < _SWAPPED_MIN or held.get(beside) == one.field or held.get(column) == other.field:
                # Only one of the two would move: nothing was swapped.
                continue
            found.append((_own_fit(sheet, beside, other), ((column, other), (beside, one))))
    return min(found, key=lambda pair: pair[0], default=(0.0, ()))[1]


def _own_fit(sheet: Sheet, column: str, names: FieldNames) -> float:
    """Return how well a column fits its own header; any amount is a price, but few are those of homes."""
    if names.field != "sale_price":
        return fit_of(sheet, column, names)
    figures = sampled_values(sheet, ColumnRule(column, names.field, "number")).dropna()
    return float(figures.between(*HOME_PRICE).mean())


def _exchanged(sheet: Sheet, *pairs: tuple[str, FieldNames]) -> list[Candidate]:
    why = "columns swapped: its values are those of the other column's header"
    return [Candidate(best_reading(sheet, column, names)[0], TO_CHECK, why, False) for column, names in pairs]


def _words_of_swap(sheet: Sheet, *pairs: tuple[str, FieldNames]) -> list[Inference]:
    headers = " and ".join(repr(column) for column, _ in pairs)
    return [
        Inference(
            column,
            names.field,
            f"taken for the {label_of(names.field).lower()}, as {headers} look swapped",
            f"a value is {sheet.present(column).iloc[0]}",
            len(sheet.present(column)),
            sure=False,
            grave=True,
        )
        for column, names in pairs
    ]


def shifted_headers(sheet: Sheet) -> Inference | None:
    """Doubt the whole file where its values stand one column beside their headers: a cell is missing, or one too many.

    Several headers with a usual name have values that hardly fit them and nearly all fit the header beside, and no
    header between them has values that fit only itself.
    """
    fields = {names.field: names for names in sheet.vocabulary.fields}
    usual = {at: fields.get(_usual_field(sheet, column)) for at, column in enumerate(sheet.columns)}
    named = {at: (names, _fit_under(sheet, at, names)) for at, names in usual.items() if names is not None}
    if sum(own <= _MISFIT_MAX for _, own in named.values()) < _SHIFTED_MIN:
        return None
    for step, side in ((-1, "left"), (1, "right")):
        moved, stays = list[int](), set[int]()
        for at, (names, own) in named.items():
            if not 0 <= at + step < len(sheet.columns):
                continue
            beside = _fit_under(sheet, at + step, names)
            if own <= _MISFIT_MAX and beside >= _MOVED_MIN:
                moved.append(at)
            elif beside <= _MISFIT_MAX and own >= _MOVED_MIN:
                stays.add(at)
        if len(moved) < _SHIFTED_MIN or stays & {*range(moved[0], moved[-1])}:
            continue
        misfits = [at for at, (_, own) in named.items() if own <= _MISFIT_MAX and not stays & {*range(at, moved[0])}]
        return _words_of_shift(
            sheet, (min(misfits), moved[-1]), step, side, bool(stays & {*range(moved[-1], len(usual))})
        )
    return None


def _usual_field(sheet: Sheet, column: str) -> str:
    return field_of_header(column, sheet.source, sheet.vocabulary) if is_usual_header(column) else ""


def _fit_under(sheet: Sheet, at: int, names: FieldNames) -> float:
    column = sheet.columns[at]
    return best_reading(sheet, column, names)[1] if len(sheet.present(column)) else 0.0


def _words_of_shift(sheet: Sheet, run: tuple[int, int], step: int, side: str, ends: bool) -> Inference:
    first, last = (sheet.columns[at] for at in run)
    where = f"from {first!r} to {last!r}" if ends else f"from {first!r} on at the latest"
    under, cells = sheet.columns[run[1] + step], sheet.present(sheet.columns[run[1] + step])
    return Inference(
        SHIFTED,
        "",
        f"the values seem to stand one column to the {side} of their headers {where}: move the headers or the cells in "
        "the file, and upload it again",
        f"{cells.iloc[0]!r} stands under {under!r}, and would fit {last!r}",
        len(sheet.sample),
        sure=False,
        grave=True,
    )


def days_of_areas(sheet: Sheet, taken: Iterable[Candidate]) -> dict[str, Candidate]:
    """Return the column of the days of figures by area, none where the file has one row for each area."""
    areas = [one.rule.column for one in taken if one.rule.field in ("zipcode", "neighbourhood")]
    if sheet.source is not Source.NEIGHBOURHOOD or not areas:
        return {}
    column, written = day_column(sheet.table, areas[0], sheet.marks)
    rule = ColumnRule(column, DAY, "date", date_format=written)
    why = "one row for each area and day: a sale gets the latest figures known before it"
    return {column: Candidate(rule, 0.95, why, False)} if column else {}


def is_shifted(inferences: Iterable[Inference]) -> bool:
    """Tell whether a person still has to look at headers that seem shifted."""
    return any(one.column == SHIFTED and not one.sure for one in inferences)


def shift_words(inferences: Iterable[Inference]) -> str:
    """Say that the headers seem shifted, as a sentence; "" where they do not."""
    claims = (f"{one.claim} ({one.evidence})." for one in inferences if one.column == SHIFTED and not one.sure)
    return next((f"{claim[:1].upper()}{claim[1:]}" for claim in claims), "")


def styles_words(inferences: Iterable[Inference]) -> str:
    """Say of how many rows each style of a sale date is that is written in several; "" where it is written in one."""
    found = (one for one in inferences if one.field == "sale_date" and one.claim.startswith(_IN_STYLES))
    return next((f"{one.column} is written in several ways: {one.evidence}." for one in found), "")
