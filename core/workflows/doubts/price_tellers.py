"""Columns that reveal the price: kept only if the analyst names them, and never used for training."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import pandas as pd

from core.arrays import evenly
from core.collect.inference import Inference
from core.collect.leaks import NEEDED, Leak, Measured, area_tells, find_leaks, leak_by_numbers
from core.collect.mapping import MappedTable
from core.errors import PriceGivenAway
from core.prepare.quality.price_rates import price_rate
from core.schema import AREAS, EXTRA_PREFIX, Source
from core.wording import percent

if TYPE_CHECKING:
    from core.workflows.doubts.price_explained import Explained

Leaks = Mapping[str, Sequence[Leak]]
"""The columns of each file, by its name, that reveal the price."""

_SAMPLE: Final = 5_000
_SAME_LEVEL: Final = 2.0
_UNDO: Final = "On the Sales data page, open “Undo a version” and press “Undo it” for the version that added"
_IMPORT_WITHOUT_IT: Final = (
    f"{_UNDO} the column. Then upload its file again, and leave the column out in the Columns step."
)
_IMPORT_WHOLE: Final = f"{_UNDO} them. Then upload the file again, with whole prices."


def leaks_of(table: MappedTable, currency: str) -> tuple[Leak, ...]:
    """Return the columns of a sales file that reveal the price, and the prices themselves if they are per area.

    ``currency`` is the market's, for prices that do not say theirs.
    """
    rate = price_rate(table.frame, table.currency or currency)
    per_area = (Leak(table.columns["sale_price"], "sale_price", rate.why, None, rate.n),) if rate and rate.sure else ()
    return (*per_area, *find_leaks(table))


def leaks_of_files(tables: Sequence[MappedTable], completed: pd.DataFrame, currency: str) -> Leaks:
    """Return for each file of sales, and each other one with any, its columns that reveal the price.

    A tax or neighborhood file has no prices of its own: what it brings is measured on the sales that it completes,
    which are among ``completed``, canonical.
    """
    found: dict[str, Sequence[Leak]] = {}
    for table in tables:
        if table.source is Source.SALES:
            found[table.name] = leaks_of(table, currency)
        elif leaks := _leaks_brought(table, completed):
            found[table.name] = leaks
    return found


def _leaks_brought(table: MappedTable, completed: pd.DataFrame) -> tuple[Leak, ...]:
    from core.prepare.features.facts import find_facts  # noqa: PLC0415 - sales alone need no learning package

    sample = completed.iloc[evenly(len(completed), _SAMPLE)]
    if not table.columns.keys() & set(sample):
        return ()
    # An assessed value, of which a model learns only how it rose before the sale, is none of them.
    facts = find_facts(sample)
    learned = [name for name in (*facts.numeric, *facts.categorical) if name in table.columns]
    judged = {name: _reveals(sample, name) for name in learned}
    return tuple(
        Leak(table.columns[name], name, one.why, one.correlation, one.n) for name, one in judged.items() if one
    )


def _reveals(sales: pd.DataFrame, name: str) -> Measured | None:
    """Measure whether a fact of canonical sales gives their price away."""
    numbers = {one: sales[one] for one in NEEDED if one in sales}
    if name in AREAS:
        return area_tells(name, sales[name], numbers["sale_price"])
    return leak_by_numbers(sales[name], numbers, name, name)


def doubt_of_price(table: MappedTable, currency: str, times: float | None = None) -> tuple[Inference, ...]:
    """Return the doubt that a sales file's prices may be none of whole homes; nothing where there is no doubt.

    ``times`` is their median divided by that of the stored prices, None where none are stored.
    """
    rate = price_rate(table.frame, table.currency or currency, times)
    if rate is None or rate.sure:
        return ()
    # What somebody took in before at the same level is asked about once.
    is_usual = times is not None and 1 / _SAME_LEVEL < times < _SAME_LEVEL
    # Prices may fail to rise with the area by chance, and in odd markets; a level that no home costs is none.
    grave = not is_usual and bool(rate.remedy)
    checks = ("compare a few with what the homes cost", "check the unit of the areas", rate.remedy)
    seen = "; ".join(filter(None, checks))
    claim = f"taken for the sale price, but {rate.why}"
    return (Inference(table.columns["sale_price"], "sale_price", claim, seen, rate.n, sure=False, grave=grave),)


def refuse_leaks(leaks: Leaks, keep: Collection[str]) -> None:
    """Raise PriceGivenAway for the columns that reveal the price, except those named in ``keep``."""
    found = [(file, leak) for file, columns in leaks.items() for leak in columns if leak.column not in keep]
    if not found:
        return
    per_area = [(file, leak) for file, leak in found if leak.field == "sale_price"]
    if per_area:
        named = "; ".join(f"column {leak.column!r} of {file} is {leak.why} (n = {leak.n:,})" for file, leak in per_area)
        raise PriceGivenAway(
            f"Nothing was imported: {named}.",
            "Choose the column of whole prices, or add one, such as the price times the area. Named as one to keep, "
            "the column is stored all the same, but no model is trained on such prices.",
            tuple((file, leak.column) for file, leak in per_area),
        )
    named = "; ".join(f"column {leak.column!r} of {file} is {leak.why}" for file, leak in found)
    raise PriceGivenAway(
        f"Nothing was imported: {named}. A model would learn the answer from it.",
        "Leave it out of the mapping, or name it as a column to keep.",
        tuple((file, leak.column) for file, leak in found),
    )


def words_of_kept(leaks: Leaks) -> str:
    """List, for the record, the columns that were kept anyway; "" if there are none."""
    kept = ", ".join(leak.column for columns in leaks.values() for leak in columns)
    return f" (kept although they reveal the price: {kept})" if kept else ""


def refuse_price_tellers(sales: pd.DataFrame, facts: Collection[str], currency: str) -> None:
    """Raise PriceGivenAway if a training fact reveals the price, or prices are per area; call this before training.

    ``sales`` has canonical columns, of which ``facts`` are those that a model would learn from; ``currency`` is the
    market's.
    """
    rate = price_rate(sales, currency)
    if rate is not None and rate.sure:
        raise PriceGivenAway(
            f"The sale price is {rate.why}, on {rate.n:,} sales. No model was trained.",
            _IMPORT_WHOLE,
            fact="sale_price",
        )
    sample = sales.iloc[evenly(len(sales), _SAMPLE)]
    for name in facts:
        measured = _reveals(sample, name)
        if measured is not None:
            column = name.removeprefix(EXTRA_PREFIX)
            raise PriceGivenAway(
                f"The fact {column!r} is {measured.why}, on {measured.n:,} sales. No model was trained.",
                _IMPORT_WITHOUT_IT,
                fact=name,
            )
    _refuse_explained(sales, facts)


def _refuse_explained(sales: pd.DataFrame, facts: Collection[str]) -> None:
    from core.workflows.doubts.price_explained import explained_by  # noqa: PLC0415 - imports need no learning package

    for one in explained_by(sales, facts):
        raise PriceGivenAway(f"{_explained_words(one)} No model was trained.", _IMPORT_WITHOUT_IT, fact=one.name)


def _explained_words(one: Explained) -> str:
    column, errors = one.name.removeprefix(EXTRA_PREFIX), (percent(one.with_it), percent(one.without))
    if one.alone:
        return (
            f"The fact {column!r} tells the price, it seems: a quick model of {one.n:,} sales that knows nothing else "
            f"errs by {errors[0]} on average, one that knows everything else by {errors[1]}; no home's size alone says "
            "that much."
        )
    return (
        f"The fact {column!r} tells the price, it seems: with it, a quick model of {one.n:,} sales errs by {errors[0]} "
        f"on average, without it by {errors[1]}; no fact of a home makes that much of a difference."
    )
