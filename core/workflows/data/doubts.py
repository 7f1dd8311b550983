"""Doubts about how a file was read, seen only once its rows are judged: what a misread column does to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from core.accounting import ZERO, FileAccounting, reason_words
from core.collect.inference import Inference
from core.collect.mapping import MappedTable
from core.collect.set_aside import PERHAPS_NO_HOME
from core.prepare.quality.corrections import CORRECTS
from core.schema import FIELD_BY_NAME, Source, label_of
from core.wording import count, percent
from core.workflows.data.price_tellers import doubt_of_price

_REJECTED_MAX: Final = 0.05
_BLANKED_MAX: Final = 1 / 3
_FIELD_OF: Final = {"price": "sale_price", "date": "sale_date", "listed_after_sold": "list_date"}
_REASONS_SHOWN: Final = 3
_NO_REJECTION: Final = frozenset({"already_held", "duplicate_row", "duplicate_sale", CORRECTS})


def with_doubts(tables: Sequence[MappedTable], files: Sequence[FileAccounting], currency: str) -> list[MappedTable]:
    """Return the tables, those of sales with what makes a column doubtful among their inferences.

    A column is doubtful if its limits reject more than 5% of the rows, or blank more than a third of its values; prices
    also if they are written in another currency than the market's, ``currency``, or may be prices per area.
    So are types of property that may be no home.
    """
    by_name = {account.file: account for account in files}

    def doubts(table: MappedTable) -> tuple[Inference, ...]:
        if table.source is not Source.SALES or table.name not in by_name:
            return ()
        return (
            *_other_money(table, currency),
            *doubt_of_price(table, currency),
            *_no_homes(table),
            *_doubts(table, by_name[table.name]),
        )

    return [replace(table, inferences=(*table.inferences, *doubts(table))) for table in tables]


def why_nothing_new(files: Sequence[FileAccounting]) -> str:
    """Say why files change nothing: the market has their sales, or the check rejects their rows."""
    return " ".join(filter(None, (_why_no_new_sale(files), _figures_left(files))))


def _figures_left(files: Sequence[FileAccounting]) -> str:
    """Say that figures of areas come to new sales only: without such a sale, nothing of them is kept."""
    names = [one.file for one in files if one.source == Source.NEIGHBOURHOOD and one.accepted]
    if not names:
        return ""
    return (
        f"{', '.join(names)} joins new sales only, so none of its figures is kept: to have them with all sales, bring "
        "it together with all files of sales into a new market."
    )


def _why_no_new_sale(files: Sequence[FileAccounting]) -> str:
    sales = [account for account in files if account.source == Source.SALES]
    rejected, known = (sum(getattr(account, name) for account in sales) for name in ("rejected", "duplicate"))
    rows = sum(account.rows_in for account in sales)
    if not rejected:
        return "The market already has all of these sales."
    reasons: dict[str, int] = {}
    for account in sales:
        reasons |= {code: reasons.get(code, 0) + n for code, n in account.reasons.items() if _rejects(code)}
    frequent = sorted(reasons.items(), key=lambda one: -one[1])[:_REASONS_SHOWN]
    shown = ", ".join(f"{reason_words(code)} in {n:,}" for code, n in frequent)
    if known > rejected:
        return f"The market already has {known:,} of these {count(rows, 'sale')}; {rejected:,} are rejected ({shown})."
    rest = f" The market already has the other {count(known, 'sale')}." if known else ""
    return f"The check rejects {rejected:,} of {count(rows, 'row')} ({shown}). Check the columns.{rest}"


def _rejects(code: str) -> bool:
    return code not in _NO_REJECTION and not code.startswith(ZERO) and not code.endswith("_implausible")


def _other_money(table: MappedTable, currency: str) -> Iterator[Inference]:
    if table.currency and table.currency != currency:
        claim = f"prices are written in {table.currency}, but those of the market are in {currency}"
        seen = "they are taken in as they are, not converted"
        yield Inference(table.columns["sale_price"], "sale_price", claim, seen, table.rows_in, sure=False)


def _no_homes(table: MappedTable) -> Iterator[Inference]:
    if not {"validity", "property_type"} <= set(table.frame) or "property_type" not in table.columns:
        return
    words = table.frame["validity"]
    found = words[words.str.startswith(PERHAPS_NO_HOME, na=False)].str.removeprefix(PERHAPS_NO_HOME).value_counts()
    if len(found):
        claim = f"{count(int(found.sum()), 'row')} kept whose type of property may be no home"
        seen = "; ".join(f"{kind!r} in {count(int(n), 'row')}" for kind, n in found.head(_REASONS_SHOWN).items())
        yield Inference(table.columns["property_type"], "property_type", claim, seen, table.rows_in, sure=False)


def _doubts(table: MappedTable, account: FileAccounting) -> Iterator[Inference]:
    for code, n in account.reasons.items():
        name, _, ending = code.rpartition("_")
        field = _FIELD_OF.get(code, _FIELD_OF.get(name, name))
        column = table.columns.get(field, "")
        if not column or field not in FIELD_BY_NAME:
            continue
        label = label_of(field).lower()
        if ending == "impossible" and n > _REJECTED_MAX * account.rows_in:
            claim = f"taken for the {label}, which {count(n, 'row')} are rejected for"
            seen = f"{percent(n / account.rows_in)} of the rows are outside its limits"
            yield Inference(column, field, claim, seen, account.rows_in, sure=False)
        present = int(table.frame[field].notna().sum())
        if (ending == "implausible" or code in _FIELD_OF) and n > _BLANKED_MAX * present:
            claim = f"taken for the {label}, of which {count(n, 'value')} are left out"
            seen = f"{percent(n / present)} of its values are not plausible"
            yield Inference(column, field, claim, seen, present, sure=False)
