"""Many homes at once: prices a file of listings, giving a table of ranges and a table of rows not priced."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from core.access import Action, Actor, require
from core.collect.mapping import ColumnMapping, MappedTable, apply_mapping
from core.collect.reading.packing import memory_limit
from core.collect.reading.reader import read_table
from core.collect.reading.table import RawTable, ReadingChoice
from core.collect.reading.totals import where_of
from core.errors import StoreUnavailable
from core.parallel.calls import batch_by_batch
from core.parallel.cluster import on_cluster
from core.prepare.features.facts import FactColumns
from core.progress import Progress, part
from core.schema import ONLY_ON_ROLL, label_of, unit_of
from core.serve import words
from core.serve.agent.address_book import AddressBook
from core.serve.agent.advice import advice
from core.serve.agent.filled_facts import fill_known
from core.serve.estimate import LiveMarket, Refused
from core.serve.estimate_many import (
    Answers,
    NotPriced,
    estimate_many,
    read_columns,
    read_subjects,
    with_comparables,
)
from core.serve.reading.cells import with_typed_cells
from core.serve.reading.facts import LIST_PRICE, shortened
from core.serve.review.flag import Flag, FlagKind
from core.serve.review.unavailable import UNAVAILABLE, Unavailable, UnavailableKind
from core.store import Market, NewEstimate
from core.store.ledger.records import Channel
from core.store.ledger.spool import Fate
from core.train.model import Model
from core.wording import with_id_words
from core.workflows.pilot.rollout import require_in_pilot
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.ledger_entry import (
    UNPROVEN,
    Asked,
    Figures,
    PricedBy,
    answer_document,
    ledger_entry,
    priced_by,
)
from core.workflows.pricing.listing_columns import (
    REFERENCE,
    ColumnRead,
    as_given,
    map_listings,
    reference_column,
    references,
    refuse_misspelled,
    refuse_placeless,
    unread_cells,
    with_reference,
    without_blank_rows,
    without_reasons,
)
from core.workspace import Workspace

COMPARED_MOST: Final = 200
"""In a file of up to this many homes each is also compared with sales: that takes as long as pricing it alone."""

ERROR_COLUMNS: Final = ("row", "status", "field", "value", "reason", "remedy")
FIGURES: Final = ("low", "high", "point", "confidence", "fsd", "flags", "advice")
_UNKNOWN: Final = "not_understood"
_WORDS: Final = ("flags", "advice", _UNKNOWN)

_NAMED: Final = ("property_id", "address", "unit", "zipcode", "neighbourhood")
# Rows per batch: enough that call overhead is negligible, few enough to show progress and save memory.
_CHUNK: Final = 5_000
_NO_CONFIDENCE: Final = f"There is no confidence: {words.UNPROVEN}."
_UNREADABLE: Final = "Fix the line in the file, and price it again."


@dataclass(frozen=True)
class PricedFile:
    """A file's answers: ``table`` has the priced rows, ``errors`` all others.

    ``table``: row (1-based data row of the file), the home's name columns, low, high, point (money), confidence (0 to
    100; NA where no test tells it, while ``unproven`` has by row what the ledger keeps), fsd (share of the point),
    flags (kinds, joined by "; "), advice (what they say to an agent, in sentences), not_understood (words of the row
    that no sale here has, and an asking price that was left out; "" for none).
    ``errors``: ERROR_COLUMNS; status is "unavailable", "refused" (an impossible or unreadable fact) or "unreadable" (a
    broken line). ``counts`` by status add up to ``rows``. ``homes`` holds the facts by row, in canonical units;
    ``kinds`` says by row why there is no price, and ``references`` holds the file's own names of its rows, ``filled``
    the facts of a row that were blank in the file and taken from the home's latest sale or the tax roll. ``given`` has
    the file's own cells of the rows not priced, by row.
    """

    name: str
    by: PricedBy
    as_of: date
    level: float
    rows: int
    table: pd.DataFrame
    errors: pd.DataFrame
    counts: Mapping[str, int]
    columns: tuple[ColumnRead, ...]
    homes: pd.DataFrame
    milliseconds: float
    kinds: Mapping[int, UnavailableKind]
    references: Mapping[int, str]
    filled: Mapping[int, tuple[str, ...]]
    unproven: Mapping[int, int]
    given: pd.DataFrame

    @property
    def to_correct(self) -> pd.Series:
        """Which rows not priced have something to correct; the others are homes without a price as they are."""
        return ~self.errors["reason"].str.startswith(UNAVAILABLE)


def price_file(
    desk: Desk,
    path: Path,
    name: str,
    as_of: date,
    progress: Progress,
    actor: Actor,
    choice: ReadingChoice | None = None,
    book: AddressBook | None = None,
) -> PricedFile:
    """Price every row of a file of listings as of one date; rows that cannot be priced get a reason.

    Blank facts of a home that ``book`` knows by its address are taken from there, as the form takes them. Columns are
    recognized by their names; areas without a unit are in the market's unit. A row with an unreadable cell is refused,
    but for an asking price, which is left out. Raises AccessDenied, and the CollectError leaves, also for a column that
    seems to be a misspelled fact.
    """
    require(actor, Action.PRICE)
    started = time.perf_counter()
    progress(0.0, "Reading the file")
    table = without_reasons(without_blank_rows(read_table(path, name, memory_limit(), choice)))
    progress(0.1, "Finding the columns")
    facts = desk.live_market.live_model.model.facts if desk.live_market else FactColumns((), (), (), False, False)
    mapping, columns = map_listings(table, facts, desk.market.area_unit)
    refuse_misspelled(columns, facts)
    refuse_placeless(mapping, facts)
    mapped = _read_homes(table, mapping, desk)
    digits = {**mapped.id_digits, **desk.id_digits}
    mapped = replace(mapped, frame=with_id_words(mapped.frame, digits))
    filled: Mapping[int, tuple[str, ...]] = {}
    if book is not None:
        progress(0.15, "Looking up the addresses")
        homes, filled = fill_known(mapped.frame, book)
        mapped = replace(mapped, frame=homes)
    progress(0.2, "Pricing")
    priced, errors, kinds, unproven = _price(desk, mapped, as_of, part(progress, 0.2, 1.0))
    priced = _with_unread_asking(priced, mapped)
    columns = with_reference(columns, reference_column(table))
    errors = pd.concat([as_given(errors, table, columns), _unreadable(table)], ignore_index=True)
    errors = errors.sort_values("row", ignore_index=True)
    statuses = errors["status"].value_counts()
    return PricedFile(
        name=name,
        by=priced_by(desk),
        as_of=as_of,
        level=desk.problem.estimate.level,
        rows=table.rows_in,
        table=priced,
        errors=errors,
        counts={"priced": len(priced)}
        | {status: int(statuses.get(status, 0)) for status in ("unavailable", "refused", "unreadable")},
        columns=columns,
        homes=mapped.frame,
        milliseconds=1000 * (time.perf_counter() - started),
        kinds=kinds,
        references=references(table),
        filled=filled,
        unproven=unproven,
        given=table.frame.set_index(table.row_numbers).reindex(errors["row"]),
    )


def in_file_order(priced: PricedFile) -> pd.DataFrame:
    """Return one table of all rows in file order: row, status, figures, and why a row has none."""
    named = naming_columns(priced.homes)
    answers = [*(["estimate_id"] if "estimate_id" in priced.table else []), *FIGURES, *ERROR_COLUMNS[2:]]
    both = pd.concat([priced.table.drop(columns=named).assign(status="priced"), priced.errors], ignore_index=True)
    both = both.merge(_with_row_names(priced.homes), on="row", how="left").astype({"confidence": "Int64"})
    return both[["row", "status", *named, *answers]].sort_values("row", ignore_index=True)


def record_file(workspace: Workspace, priced: PricedFile, channel: Channel) -> PricedFile:
    """Write every row to the ledger; call this before showing the answers.

    Returns the same file with each row's ``estimate_id`` in both tables. Raises AccessDenied, also NotInPilot, and
    StoreUnavailable if some rows could not be written; they are spooled and written later.
    """
    workspace.require(Action.PRICE)
    require_in_pilot(workspace, workspace.store.markets.get(priced.by.market_id))
    rows, ids = in_file_order(priced), list[str]()
    entries = (_entry(priced, row, channel) for row in _records(priced, rows))
    fates: Counter[Fate] = Counter()
    why = ""
    while chunk := list(itertools.islice(entries, _CHUNK)):
        # One transaction for a whole long file would make agents wait for their own estimates.
        kept = workspace.store.spool.append_many(chunk, workspace.actor)
        ids += kept.estimate_ids
        fates[kept.state] += len(chunk)
        why = why or kept.why
    if why:
        raise StoreUnavailable(
            f"{why} Answers in the ledger: {fates['written']:,}; waiting to be added automatically: "
            f"{fates['aside']:,}; lost: {fates['lost']:,}."
        )
    by_row = pd.Series(ids, index=rows["row"])
    return replace(
        priced,
        table=priced.table.assign(estimate_id=priced.table["row"].map(by_row)),
        errors=priced.errors.assign(estimate_id=priced.errors["row"].map(by_row)),
    )


def _price(
    desk: Desk, mapped: MappedTable, as_of: date, progress: Progress
) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, UnavailableKind], dict[int, int]]:
    homes = mapped.frame
    if desk.live_market is None:
        answer = desk.no_model()
        every = [
            (row, "unavailable", "", "", f"{answer.message} {answer.reason}", answer.remedy)
            for row in homes["source_row"]
        ]
        kinds = dict.fromkeys(map(int, homes["source_row"]), UnavailableKind.NO_MODEL)
        return _priced_table([], homes), pd.DataFrame(every, columns=list(ERROR_COLUMNS)), kinds, {}
    unread = _wrong_rows(mapped, desk, desk.live_market.live_model.model, as_of)
    errors = list(unread.values())
    readable = homes[~homes["source_row"].isin(list(unread))]
    tables, kinds = [], {}
    unproven: dict[int, int] = {}
    chunks = [readable.iloc[start : start + _CHUNK] for start in range(0, len(readable), _CHUNK)]
    for chunk, answers in zip(chunks, _answers(desk, desk.live_market, chunks, as_of, progress), strict=True):
        tables.append(_figures(answers, chunk, desk.market.area_unit))
        errors += [_error(one, chunk, desk.market) for one in answers.not_priced]
        kinds |= {int(chunk["source_row"].iloc[one.position]): one.kind for one in answers.not_priced}
        found = zip(tables[-1]["row"].tolist(), answers.promised, answers.confidence, strict=True)
        unproven |= {row: sure for row, shown, sure in found if shown is None}
    progress(1.0, f"Priced {len(homes):,} rows")
    return _priced_table(tables, homes), pd.DataFrame(errors, columns=list(ERROR_COLUMNS)), kinds, unproven


def _answers(
    desk: Desk, live: LiveMarket, chunks: Sequence[pd.DataFrame], as_of: date, progress: Progress
) -> Iterator[Answers]:
    """Yield the answers to each chunk; a file of many chunks is priced on the cluster, where one is set.

    Homes are also compared with sales, unless they are too many.
    """
    homes = [chunk.drop(columns=["source_row", LIST_PRICE], errors="ignore") for chunk in chunks]
    calls = [(live, one, as_of, desk.problem, desk.problem.estimate.level) for one in homes]
    with on_cluster() if len(calls) > 1 else nullcontext():
        for answers in batch_by_batch(estimate_many, calls, progress, f"Pricing, by {_CHUNK:,} rows"):
            is_few = sum(map(len, chunks)) <= COMPARED_MOST
            yield with_comparables(answers, live, desk.problem, desk.problem.estimate.level) if is_few else answers


def _wrong_rows(mapped: MappedTable, desk: Desk, model: Model, as_of: date) -> dict[int, tuple[Any, ...]]:
    """Return the rows with an unreadable cell, each with all that is wrong in it."""
    found = unread_cells(mapped, model.facts, desk.problem.estimate.critical)
    rows = mapped.frame[mapped.frame["source_row"].isin(list(found))]
    columns = read_columns(rows.drop(columns=["source_row", LIST_PRICE], errors="ignore"), model, desk.problem)
    _, impossible = read_subjects(columns, [as_of] * len(rows), desk.problem)
    for one in impossible.values():
        line = _error(one, rows, desk.market)
        found[line[0]].append(line)
    return {row: _as_one(lines) for row, lines in found.items()}


def _as_one(lines: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return what is wrong in a row as one line: the first fact and its value, the reasons and remedies of all."""
    *first, _, _ = lines[0]
    reasons, remedies = (" ".join(dict.fromkeys(line[place] for line in lines)) for place in (-2, -1))
    return *first, reasons, remedies


def _read_homes(table: RawTable, mapping: ColumnMapping, desk: Desk) -> MappedTable:
    """Return the homes of a list; an asking price that no home has is left out, as it moves no estimate."""
    typed = with_typed_cells(table, mapping, desk.market.area_unit, desk.problem)
    mapped = apply_mapping(typed.table, typed.mapping)
    problems = [one for one in (mapped.problems.assign(remedy=""), typed.problems) if len(one)]
    homes, limit = mapped.frame, desk.problem.limits["sale_price"]
    if LIST_PRICE in homes:
        asking = homes[LIST_PRICE].astype("float64")
        wrong = asking.notna() & (asking != 0) & ~asking.between(limit.low, limit.high)
        found = pd.DataFrame({"source_row": homes["source_row"][wrong], "value": asking[wrong].map("{:,.15g}".format)})
        within = f"must lie between {limit.low:,.15g} and {limit.high:,.15g}"
        problems += [found.assign(column="", field=LIST_PRICE, problem=within, remedy="")] if wrong.any() else []
        homes = homes.assign(**{LIST_PRICE: asking.mask(wrong)})
    every = pd.concat(problems, ignore_index=True) if problems else mapped.problems
    return replace(mapped, frame=homes, problems=every)


def _figures(answers: Answers, chunk: pd.DataFrame, area_unit: str) -> pd.DataFrame:
    flags = ["; ".join(flag.kind.value for flag in found) for found in answers.flags]
    advised = [
        "\n".join([*advice(found, area_unit), *([_NO_CONFIDENCE] if shown is None else [])])
        for found, shown in zip(answers.flags, answers.promised, strict=True)
    ]
    return pd.DataFrame(
        {
            "row": chunk["source_row"].to_numpy()[answers.rows],
            "low": answers.priced.low,
            "high": answers.priced.high,
            "point": answers.priced.point,
            "confidence": pd.array(answers.promised, dtype="Int64"),
            "fsd": answers.priced.fsd,
            "flags": pd.Series(flags, dtype="str"),
            "advice": pd.Series(advised, dtype="str"),
            _UNKNOWN: pd.Series([_unknown_words(found) for found in answers.flags], dtype="str"),
        }
    )


def _unknown_words(flags: Sequence[Flag]) -> str:
    unknown = [one for one in flags if one.kind is FlagKind.UNKNOWN_CATEGORY]
    return ", ".join(f"{label_of(one.field).lower()} “{one.value}”" for one in unknown)


def _with_unread_asking(priced: pd.DataFrame, mapped: MappedTable) -> pd.DataFrame:
    """Return the priced rows; one whose asking price was left out says so: it moves no price, and must not vanish."""
    cells = mapped.problems[mapped.problems["field"] == LIST_PRICE]
    cells = cells.set_index("source_row")
    here = priced["row"].map(cells["value"].astype("str"))
    if not here.notna().any():
        return priced
    within = priced["row"].map(cells["problem"].where(cells["column"] == "", "is no single amount")).astype("str")
    added = {
        "advice": "\nThe asking price “"
        + here.map(shortened, na_action="ignore")
        + "” "
        + within
        + ": it was left out.",
        _UNKNOWN: ", " + here.map(_asking_words),
    }
    lines = {
        name: (priced[name] + more).str.lstrip("\n, ").where(here.notna(), priced[name]) for name, more in added.items()
    }
    return priced.assign(**lines)


def _asking_words(cell: object) -> str:
    return f"asking price “{shortened(cell)}”" if isinstance(cell, str) else ""


def _error(one: NotPriced, chunk: pd.DataFrame, market: Market) -> tuple[Any, ...]:
    row = int(chunk["source_row"].iloc[one.position])
    # What somebody forgot or mistyped is no case for another way to value the home.
    general = one.status == "unavailable" and one.kind is not UnavailableKind.FACTS
    reason = f"{UNAVAILABLE} {one.reason}" if general else one.reason
    value = "" if one.value is None else f"{one.value:,.15g}" if isinstance(one.value, float) else str(one.value)
    if isinstance(one.value, float) and unit_of(one.field) == "sqft" and market.area_unit != "sqft":
        value = words.fact_value(one.field, one.value, market)
    if market.area_unit != "sqft":
        reason += _limits_in_sqft(one.reason, chunk.iloc[one.position], market)
    return row, one.status, one.field, value, reason, one.remedy


def _limits_in_sqft(reason: str, home: pd.Series, market: Market) -> str:
    """Say what the areas that a reason names are in square feet, the unit of the problem statement's limits."""
    names = [name for name in map(str, home.index) if unit_of(name) == "sqft" and not pd.isna(home[name])]
    named = [name for name in names if f"{label_of(name)} cannot be " in reason or f"{home[name]:,.0f} sq ft" in reason]
    areas = ", ".join(f"{words.fact_value(name, home[name], market)} is {home[name]:,.0f} sq ft" for name in named)
    return f" Limits are in square feet: {areas}." if areas else ""


def _priced_table(parts: Sequence[pd.DataFrame], homes: pd.DataFrame) -> pd.DataFrame:
    kinds = {name: "str" if name in _WORDS else "float64" for name in ("row", *FIGURES, _UNKNOWN)}
    none = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    figures = pd.concat(parts, ignore_index=True) if parts else none.astype({"row": "int64"})
    return _with_row_names(homes).merge(figures, on="row")


def _with_row_names(homes: pd.DataFrame) -> pd.DataFrame:
    """Return each home's name columns, if the file has any, by row."""
    return homes.rename(columns={"source_row": "row"})[["row", *naming_columns(homes)]]


def filled_names(priced: PricedFile) -> tuple[str, ...]:
    """Return the facts taken from sales and tax roll that people can look up, each once."""
    taken = dict.fromkeys(name for row in priced.filled.values() for name in row)
    return tuple(name for name in taken if name not in ONLY_ON_ROLL)


def naming_columns(homes: pd.DataFrame) -> list[str]:
    """Return the columns that name homes, those with any value."""
    return [name for name in _NAMED if name in homes.columns and homes[name].notna().any()]


def _unreadable(table: RawTable) -> pd.DataFrame:
    missing = sorted(set(range(1, table.rows_in + 1)) - set(table.row_numbers.tolist()))
    lines = [
        (row, "unreadable", "", bad.text, f"{where_of(bad).capitalize()} {bad.line}: {bad.reason}.", _UNREADABLE)
        for row, bad in zip(missing, table.bad_lines, strict=True)
    ]
    return pd.DataFrame(lines, columns=list(ERROR_COLUMNS))


def _records(priced: PricedFile, rows: pd.DataFrame) -> Iterator[dict[Any, Any]]:
    """Yield each row's answer with its known ``facts``."""
    facts = {int(home.pop("source_row")): home for home in priced.homes.to_dict("records")}
    for row in rows.to_dict("records"):
        known = {str(name): value for name, value in facts.get(row["row"], {}).items() if not pd.isna(value)}
        asked = known.pop(LIST_PRICE, 0.0)
        yield {**row, "facts": known, "list_price": asked if asked > 0 else None}


def _entry(priced: PricedFile, row: Mapping[Any, Any], channel: Channel) -> NewEstimate:
    asked = Asked(row["facts"], priced.as_of, row["list_price"])
    milliseconds = priced.milliseconds / max(priced.rows, 1)
    outcome, reference = _outcome(row, priced), priced.references.get(row["row"], "")
    answer = answer_document(outcome) | ({REFERENCE: reference} if reference else {})
    answer |= {UNPROVEN: True} if row["row"] in priced.unproven else {}
    return ledger_entry(priced.by, asked, outcome, channel, milliseconds, answer)


def _outcome(row: Mapping[Any, Any], priced: PricedFile) -> Figures | Unavailable | Refused:
    if row["status"] == "priced":
        figures = {name: row[name] for name in ("point", "low", "high", "fsd")}
        sure = priced.unproven.get(row["row"], row["confidence"])
        return Figures(
            **figures,
            confidence=sure,
            level=priced.level,
            flags=tuple(flag for flag in row["flags"].split("; ") if flag),
        )
    reason = row["reason"].removeprefix(UNAVAILABLE).strip()
    if row["status"] == "unavailable":
        kind = priced.kinds.get(row["row"], UnavailableKind.NOT_KNOWN)
        return Unavailable(reason, row["remedy"], kind=kind)
    return Refused(f"{reason} {row['remedy']}")
