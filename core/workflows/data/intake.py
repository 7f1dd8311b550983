"""From files to a data version: read, map, merge, clean, preview, and commit all or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from core.access import Action
from core.accounting import FileAccounting, FileIntake
from core.collect.columns.area_units import in_market_unit
from core.collect.columns.guess import Guess, guess_mapping
from core.collect.columns.shared_keys import guess_together
from core.collect.mapping import ColumnMapping, MappedTable, named_columns, reading_choice, with_reading
from core.collect.mapping_file import mapping_document
from core.collect.merge import Merged, merge_sources
from core.collect.near_matches import NearMatch, near_matches
from core.collect.privacy.findings import PersonalColumn
from core.collect.privacy.read_file import ReadFile, read_file
from core.collect.reading.packing import memory_limit
from core.collect.reading.table import RawTable, Reading, ReadingChoice
from core.errors import AlreadyExists, MappingError, NoUsableRows
from core.prepare.quality.cleaning import Cleaned, clean_sales
from core.prepare.quality.contract import check_contract
from core.prepare.quality.corrections import CORRECTS
from core.prepare.quality.currencies import in_currency
from core.progress import Progress, part
from core.schema import Source
from core.serve.agent.tax_roll import joined_roll
from core.store import DataVersion, NewVersion, Store
from core.store.base.markets import AreaUnit, new_market, slug_of
from core.store.sales.scrutiny import StoredSaleDecision
from core.workflows.columns.names import names_to_give
from core.workflows.data.corrected_sales import (
    BEFORE,
    CORRECTED_ROW,
    corrected_sales,
    corrections_of,
    document_of,
    no_corrections,
    sales_of,
)
from core.workflows.data.doubts import with_doubts
from core.workflows.data.outcomes import settle_quietly
from core.workflows.data.price_tellers import Leaks, leaks_of, refuse_leaks, words_of_kept
from core.workflows.data.refusals import (
    apply_or_explain,
    leave_out_persons,
    no_sales_message,
    nothing_usable_message,
)
from core.workflows.data.row_ledger import account, full_ledger
from core.workflows.data.sale_pool import ROW, Pool, appended, doubts_of, load_pool, originals, replaced, settle
from core.workspace import Workspace

_LEDGER_COLUMNS: Final = ("file", "source_row", "outcome", "reasons", "detail", "raw", CORRECTED_ROW, BEFORE)


@dataclass(frozen=True)
class SourceFile:
    """A file to import: its path, the name its owner gave it, and its mapping and how to read it (None: as found).

    ``read`` is the file as it was read before, which spares reading it again; ``reading`` says in words how it was read
    when it came, where that was in another form. ``kept`` names columns of text to keep although they fit no field.
    """

    path: Path
    name: str
    mapping: ColumnMapping | None = None
    read: ReadFile | None = None
    choice: ReadingChoice | None = None
    reading: str = ""
    kept: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NewMarket:
    """A market that does not exist yet: its first commit creates it."""

    name: str
    currency: str
    area_unit: AreaUnit
    simulated: bool = False


@dataclass(frozen=True)
class IntakePreview:
    """What committing would do: ``sales`` is the market's full table after it, ``files`` each file's accounting.

    ``set_aside`` has the doubtful sales that wait beside them (see core.workflows.data.scrutiny), None for none.

    ``ledgers`` has one row per input row of the sales files (file, source_row, outcome, reasons, detail, raw,
    corrected_row, before): ``raw`` has the original cells of every row not plainly accepted, ``corrected_row`` the
    ``intake_row`` of the stored sale a row corrects (-1 for none), and ``before`` that sale's earlier state as JSON.
    ``problems`` lists unreadable cells by file, ``conflicts`` disagreements between sources. ``repeated`` names files
    this market has already taken in. ``market`` is the id of the market, or what committing will make it. ``tables``
    holds the files as mapped. ``corrections`` lists what corrects an earlier sale (intake_row, field, before, after,
    file, source_row). ``changed_rows`` are the ``intake_row`` of all sales that are new or corrected, in order.
    ``near_matches`` are address pairs that a person has not answered yet (see core.workflows.data.near_matches);
    ``leaks`` are the columns of each sales file that reveal the price; ``personal`` lists by file what of persons was
    dropped or cut out on reading; ``readings`` says how each file was read, and ``intake`` is the record of it with the
    mapping in force. ``roll`` has the homes of the tax roll with those of a new tax file, None without one.
    """

    market: str | NewMarket
    parent_id: str | None
    sales: pd.DataFrame
    new_sales: int
    files: tuple[FileAccounting, ...]
    ledgers: pd.DataFrame
    problems: pd.DataFrame
    conflicts: pd.DataFrame
    matched: Mapping[str, int]
    repeated: tuple[str, ...]
    rows_seen: int
    tables: tuple[MappedTable, ...] = ()
    corrections: pd.DataFrame = field(default_factory=pd.DataFrame)
    changed_rows: tuple[int, ...] = ()
    near_matches: tuple[NearMatch, ...] = ()
    set_aside: pd.DataFrame | None = None
    leaks: Leaks = field(default_factory=dict)
    personal: Mapping[str, tuple[PersonalColumn, ...]] = field(default_factory=dict)
    readings: Mapping[str, Reading] = field(default_factory=dict)
    intake: tuple[FileIntake, ...] = ()
    roll: pd.DataFrame | None = None

    @property
    def corrected_sales(self) -> int:
        """The number of earlier sales that the files correct."""
        return int(self.corrections["intake_row"].nunique()) if len(self.corrections) else 0


@dataclass(frozen=True)
class IntakeReport:
    """The result of an intake; ``changed`` is False if the files had nothing new, so that no version was created."""

    version: DataVersion
    changed: bool
    preview: IntakePreview


def prepare_intake(
    workspace: Workspace, market: str | NewMarket, files: Sequence[SourceFile], progress: Progress
) -> IntakePreview:
    """Compute what committing the files to a market (its id, or a new one) would do, without changing anything.

    At least one file must hold sales; at most one tax and one neighborhood file join them. Raises CollectError leaves
    for unreadable files or impossible mappings, NotFound for the market, AlreadyExists for a new one whose name is
    taken, NoUsableRows if every row is rejected, ContractBroken if cleaning left a breach of the record's rules.
    """
    store, problem, today = workspace.store, workspace.problem, workspace.utc_today()
    parent = _parent(store, market)
    tables, raws, personal, records = _read_all(files, unit_of_areas(store, market), part(progress, 0.0, 0.5))
    sales_tables = [table for table in tables if table.source is Source.SALES]
    prices = pd.concat([table.frame["sale_price"] for table in sales_tables])
    currency = market.currency if isinstance(market, NewMarket) else store.markets.get(market).currency
    problem = in_currency(problem, currency, prices)
    tax, neighbourhood = (_single(tables, source) for source in (Source.TAX, Source.NEIGHBOURHOOD))
    decisions = store.sale_decisions.history(market_id_of(market))
    intake = _begin(store, parent, decisions)
    answers = store.matches.of(market_id_of(market))
    same = frozenset(pair for pair, is_same in answers.items() if is_same)
    for done, table in enumerate(sales_tables):
        progress(0.5 + 0.4 * done / len(sales_tables), f"Merging and checking {table.name}")
        merged = merge_sources(table, tax, neighbourhood, same)
        cleaned = clean_sales(merged.frame, problem, today, intake.held, intake.superseded)
        check_contract(cleaned.in_use, problem, today, table.name)
        intake.add(table, raws[table.name], merged, cleaned)
    pool = intake.pool(decisions)
    if pool.sales.empty or pool.waits.all():
        raise NoUsableRows(nothing_usable_message(sales_tables, intake.files, tax))
    progress(0.95, "Looking for addresses with almost the same spelling")
    near = intake.near_matches(answers)
    progress(1.0, "Checked")
    return IntakePreview(
        market=market,
        parent_id=parent.version_id if parent else None,
        sales=pool.in_use(),
        new_sales=int((~pool.waits).sum()) - (parent.rows if parent else 0),
        files=(*intake.files, *intake.references),
        ledgers=pd.concat(intake.ledgers, ignore_index=True),
        problems=pd.concat([table.problems.assign(file=table.name) for table in tables], ignore_index=True),
        conflicts=pd.concat(intake.conflicts, ignore_index=True),
        matched=dict(intake.matched),
        repeated=_repeated(store, market, tables),
        rows_seen=intake.rows_seen,
        tables=tuple(with_doubts(tables, intake.files, currency)),
        corrections=pd.concat(intake.corrections, ignore_index=True),
        changed_rows=tuple(sorted(intake.changed_rows)),
        near_matches=near,
        set_aside=pool.set_aside(),
        leaks={table.name: leaks_of(table, currency) for table in sales_tables},
        personal=personal,
        readings={name: raw.reading for name, raw in raws.items()},
        intake=records,
        roll=joined_roll(lambda: store.versions.load_roll(parent.version_id) if parent else None, intake.roll, today),
    )


def commit_intake(workspace: Workspace, preview: IntakePreview, note: str, keep: Collection[str] = ()) -> IntakeReport:
    """Commit a preview as the market's next version, in one transaction; the same data again changes nothing.

    Only this creates a new market, so that a refused upload leaves none behind. ``keep`` names the columns to keep
    although they reveal the price; the note says so. Raises AccessDenied, PriceGivenAway for others, AlreadyExists,
    StaleVersion if another commit came first, StoreUnavailable; the market's data is then unchanged.
    """
    store, market = workspace.store, market_id_of(preview.market)
    workspace.require(Action.INGEST)
    refuse_leaks(preview.leaks, keep)
    names = names_to_give(store, market, preview.intake)
    if not preview.changed_rows and preview.parent_id is not None:
        store.column_names.give(market, names, workspace.actor)
        return IntakeReport(store.versions.get(preview.parent_id), False, preview)
    new = NewVersion(
        market_id=market,
        sales=preview.sales,
        parent_id=preview.parent_id,
        files=preview.files,
        ledgers=preview.ledgers,
        rows_seen=preview.rows_seen,
        note=note + words_of_kept(preview.leaks) + _words_of_readings(preview.readings),
        set_aside=preview.set_aside,
        intake=preview.intake,
        roll=preview.roll,
        names=names,
    )
    if isinstance(preview.market, NewMarket):
        asked = preview.market
        opened = new_market(asked.name, asked.currency, asked.area_unit, asked.simulated)
        version = store.versions.commit_first(opened, new, workspace.actor)
    else:
        version = store.versions.commit(new, workspace.actor)
    store.column_names.forget(market)
    # The data stays committed even if this fails: the next commit matches the remaining sales with estimates.
    settle_quietly(workspace, market)
    return IntakeReport(version, True, preview)


def ingest(
    workspace: Workspace,
    market: str | NewMarket,
    files: Sequence[SourceFile],
    progress: Progress,
    keep: Collection[str] = (),
) -> IntakeReport:
    """Import and commit files at once; raises as prepare_intake and commit_intake do."""
    workspace.require(Action.INGEST)
    preview = prepare_intake(workspace, market, files, part(progress, 0.0, 0.9))
    progress(0.9, "Committing the data version")
    report = commit_intake(workspace, preview, ", ".join(file.name for file in files), keep)
    progress(1.0, "Committed")
    return report


class _Intake:
    """The market's sales as they grow file by file, with the accounting so far."""

    def __init__(self, held: Pool | None, superseded: pd.DataFrame, rows_seen: int) -> None:
        self.held = held.sales if held is not None else None
        # Why sales are set aside, by their row of the intake.
        self.doubts = dict(zip(held.sales[ROW], held.doubt, strict=True)) if held is not None else {}
        self.superseded = superseded
        self.rows_seen = rows_seen
        self.files: list[FileAccounting] = []
        self.references: tuple[FileAccounting, ...] = ()
        self.roll: pd.DataFrame | None = None
        self.ledgers: list[pd.DataFrame] = []
        self.conflicts: list[pd.DataFrame] = []
        self.matched: Counter[str] = Counter()
        self.corrections = [no_corrections()]
        self.changed_rows: set[int] = set()
        self.left: list[tuple[pd.DataFrame, pd.DataFrame]] = []

    def add(self, table: MappedTable, raw: RawTable, merged: Merged, cleaned: Cleaned) -> None:
        """Append one file's accepted sales, apply its corrections, and record its accounting."""
        ledger = full_ledger(table, raw, cleaned)
        ledger[CORRECTED_ROW], ledger[BEFORE] = -1, ""
        corrects = cleaned.corrects >= 0
        if self.held is not None and corrects.any():
            ledger = self._correct(table, cleaned, ledger)
        ledger = ledger[list(_LEDGER_COLUMNS)].astype({BEFORE: "str"})
        self.ledgers.append(ledger)
        self.conflicts.append(merged.conflicts.assign(file=table.name))
        self.files.append(account(table, ledger))
        # Every sales file is merged with the same reference files, so the last accounting of them stands for all.
        self.references, self.roll = merged.reference, merged.roll
        self.matched.update(
            tax_by_id=merged.tax_matched_by_id,
            tax_by_address=merged.tax_matched_by_address,
            tax_by_answer=merged.tax_matched_by_answer,
            neighbourhood=merged.neighbourhood_matched,
        )
        sales = cleaned.sales.loc[~corrects]
        new = sales.assign(intake_row=self.rows_seen + sales["source_row"] - 1).drop(columns="source_row")
        self.doubts.update(zip(new[ROW], cleaned.set_aside[~corrects], strict=True))
        self.held = appended(self.held, new)
        self.changed_rows.update(new["intake_row"].tolist())
        self.left.append((merged.sales_left, merged.tax_left))
        self.rows_seen += table.rows_in

    def pool(self, decisions: Sequence[StoredSaleDecision]) -> Pool:
        """Return all sales as they stand after the files, by the rules and by what persons have decided."""
        held = pd.DataFrame({ROW: []}) if self.held is None else self.held
        return settle(Pool(held, doubts_of(held[ROW], self.doubts)), decisions)

    def near_matches(self, answers: Mapping[tuple[str, str], bool]) -> tuple[NearMatch, ...]:
        """Return the unanswered address pairs, each once."""
        found = [near for sales, tax in self.left for near in near_matches(sales, tax, answers)]
        return tuple({(near.sales_key, near.tax_key): near for near in reversed(found)}.values())[::-1]

    def _correct(self, table: MappedTable, cleaned: Cleaned, ledger: pd.DataFrame) -> pd.DataFrame:
        """Replace the sales that one file corrects, and record their earlier state in its ledger.

        A corrected sale keeps its ``intake_row``, so that a test sale stays a test sale.
        """
        assert self.held is not None
        rows = cleaned.corrects >= 0
        places, corrected = cleaned.corrects[rows], cleaned.sales.loc[rows].reset_index(drop=True)
        source_rows = corrected["source_row"].to_numpy(dtype="int64")
        before = self.held.iloc[places].reset_index(drop=True)
        documents = [document_of(sale) for sale in before.to_dict("records")]
        self.held = replaced(self.held, places, corrected.drop(columns="source_row"))
        self.superseded = pd.concat([self.superseded, sales_of(documents)], ignore_index=True)
        after = self.held.iloc[places].reset_index(drop=True)
        self.corrections.append(corrections_of(before, after, table.name, source_rows))
        self.changed_rows.update(before["intake_row"].tolist())
        self.doubts.update(zip(before[ROW], cleaned.set_aside[rows], strict=True))
        earlier = pd.DataFrame({CORRECTED_ROW: before["intake_row"].to_numpy(), BEFORE: documents}, index=source_rows)
        corrects = ledger["reasons"].str.split(";").map(lambda codes: CORRECTS in codes).to_numpy(dtype=bool)
        for name in earlier:
            ledger[name] = ledger[name].mask(corrects, ledger["source_row"].map(earlier[name]))
        return ledger.astype({CORRECTED_ROW: "int64"})


def _begin(store: Store, parent: DataVersion | None, decisions: Sequence[StoredSaleDecision]) -> _Intake:
    """Return an intake on top of a version, None for a new market's."""
    if parent is None:
        return _Intake(None, sales_of(()), 0)
    superseded = pd.concat([corrected_sales(store, parent.market_id), originals(decisions)], ignore_index=True)
    return _Intake(load_pool(store, parent), superseded, parent.rows_seen)


def market_id_of(market: str | NewMarket) -> str:
    """Return a market's id, or the id it will get."""
    return market if isinstance(market, str) else slug_of(market.name)


def _parent(store: Store, market: str | NewMarket) -> DataVersion | None:
    if isinstance(market, str):
        return store.versions.latest(market)
    if any(slug_of(market.name) == held.market_id for held in store.markets.list()):
        raise AlreadyExists(f"A market named {market.name!r} already exists; choose it, or give another name.")
    return None


def _repeated(store: Store, market: str | NewMarket, tables: Sequence[MappedTable]) -> tuple[str, ...]:
    if isinstance(market, NewMarket):
        return ()
    return tuple(table.name for table in tables if store.versions.has_file(market, table.sha256))


def read_source(file: SourceFile) -> ReadFile:
    """Return a file as read: as it was before, else as a person or its mapping says.

    The columns that a mapping names are kept, text of no field too: an analyst who wrote it wants them. Raises what
    read_file raises.
    """
    if file.read is not None:
        return file.read
    kept = file.kept | frozenset(named_columns(file.mapping) if file.mapping else ())
    return read_file(file.path, file.name, memory_limit(), kept, reading_choice(file.mapping, file.choice))


class _Read(NamedTuple):
    tables: list[MappedTable]
    raws: dict[str, RawTable]
    personal: dict[str, tuple[PersonalColumn, ...]]
    records: tuple[FileIntake, ...]


def _read_all(files: Sequence[SourceFile], area_unit: str, progress: Progress) -> _Read:
    raws: dict[str, RawTable] = {}
    personal: dict[str, tuple[PersonalColumn, ...]] = {}
    guesses: list[Guess | None] = []
    for done, file in enumerate(files):
        progress(done / len(files), f"Reading {file.name}")
        read = read_source(file)
        raw = read.table
        if raw.name in raws:
            raise MappingError(f"Two files are named {raw.name!r}; rename one, so that its rows can be traced.")
        raws[raw.name], personal[raw.name] = raw, read.personal
        guesses.append(read.guess)
    given = [file.mapping for file in files]
    if len(files) > 1:
        given = list(map(_chosen, given, raws.values(), guesses))
    mappings = [
        mapping if file.mapping is not None else in_market_unit(raw, mapping, area_unit)
        for file, raw, mapping in zip(
            files, raws.values(), guess_together(list(raws.values()), given, guesses), strict=True
        )
    ]
    if Source.SALES not in {mapping.source for mapping in mappings}:
        raise MappingError(no_sales_message(list(raws.values()), mappings))
    found = zip(raws.values(), mappings, personal.values(), strict=True)
    records = tuple(map(_record, files, raws.values(), mappings, personal.values()))
    return _Read([apply_or_explain(*one) for one in found], raws, personal, records)


def _chosen(mapping: ColumnMapping | None, raw: RawTable, guess: Guess | None) -> ColumnMapping | None:
    """Return a mapping that a person chose; None for one that is as guessed, as the page's are until one is changed."""
    if mapping is None:
        return None
    guessed = (guess or guess_mapping(raw, mapping.source)).mapping
    read = with_reading(mapping, raw.reading)
    return None if with_reading(guessed, raw.reading) == replace(read, inferences=guessed.inferences) else mapping


def _record(file: SourceFile, raw: RawTable, mapping: ColumnMapping, personal: Sequence[PersonalColumn]) -> FileIntake:
    # A file read before, as the page's are, was perhaps rewritten since; one read now is as its mapping now says.
    in_force = mapping if file.read is not None else with_reading(mapping, raw.reading)
    return FileIntake(
        raw.name, file.reading or raw.reading.describe(), mapping_document(leave_out_persons(in_force, personal))
    )


def _words_of_readings(readings: Mapping[str, Reading]) -> str:
    unusual = {name: reading for name, reading in readings.items() if not reading.is_plain}
    return "".join(f" · {name} read as {reading.describe()}" for name, reading in unusual.items())


def unit_of_areas(store: Store, market: str | NewMarket) -> str:
    """Return the unit in which a market's files have areas that state none; "" where the size of the homes tells.

    Square feet are what a market has that nobody chose a unit for, so they are taken from a new market only.
    """
    if isinstance(market, NewMarket):
        return market.area_unit
    return "sqm" if store.markets.get(market).area_unit == "sqm" else ""


def _single(tables: list[MappedTable], source: Source) -> MappedTable | None:
    found = [table for table in tables if table.source is source]
    if len(found) > 1:
        names = " and ".join(table.name for table in found)
        raise MappingError(f"{names} are both {source} files; import one at a time, or change the kind of one.")
    return found[0] if found else None
