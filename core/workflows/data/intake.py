"""From files to a data version: read, map, merge, clean, preview, and commit all or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pandas as pd

from core.access import Action
from core.accounting import FileAccounting, FileIntake
from core.collect.mapping import MappedTable
from core.collect.merge import CONFLICT_COLUMNS, Merged, merge_sources
from core.collect.near_matches import NearMatch, near_matches
from core.collect.privacy.findings import PersonalColumn
from core.collect.reading.table import RawTable, Reading
from core.errors import NoUsableRows
from core.prepare.assessed_rise import with_assessed_rise, without_unproven_values
from core.prepare.late_facts import with_late_facts
from core.prepare.quality.cleaning import Cleaned, clean_sales
from core.prepare.quality.contract import check_contract
from core.prepare.quality.currencies import in_currency
from core.problem import Problem
from core.progress import Progress, part
from core.schema import Source
from core.store import DataVersion, NewVersion, Store
from core.store.base.markets import USUAL_CURRENCY, new_market
from core.store.sales.scrutiny import StoredSaleDecision
from core.wording import IdDigits, agreed_digits, with_id_words
from core.workflows.columns.names import names_to_give
from core.workflows.data.area_figures import AreaFill, BroughtHomes, HeldFacts, RollFill, brought_homes, held_facts
from core.workflows.data.corrected_sales import (
    BEFORE,
    CORRECTED_ROW,
    corrected_sales,
    no_corrections,
    sales_of,
    with_corrections,
)
from core.workflows.data.effect_words import known_words, late_words, unproven_words
from core.workflows.data.market_of_files import NewMarket, customs_of, market_id_of, parent_of, repeated_files
from core.workflows.data.outcomes import settle_quietly
from core.workflows.data.row_ledger import FileRows, account, as_decided, as_one, fates_of, full_ledger, with_emptied
from core.workflows.data.sale_pool import ROW, Pool, appended, doubts_of, load_pool, originals, settle
from core.workflows.doubts.columns import with_doubts
from core.workflows.doubts.elsewhere import elsewhere_of, refuse_elsewhere
from core.workflows.doubts.misread import misread_words, refuse_misread
from core.workflows.doubts.mixed_money import without_other_money
from core.workflows.doubts.price_tellers import Leaks, leaks_of_files, refuse_leaks, words_of_kept
from core.workflows.doubts.rejected_rows import row_guesses, with_guesses
from core.workflows.indicators.brought import brought_indicators
from core.workflows.source_files.reading import SourceFile, SourceTables, read_together, with_inferences
from core.workflows.source_files.refusals import no_gain_message, nothing_usable_message
from core.workspace import Workspace


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
    ``near_matches`` are address pairs that a person has not answered yet; ``leaks`` are the columns of each file
    that reveal the price; ``personal`` lists by file what of persons was dropped or cut out on reading; ``readings``
    says how each file was read, ``headers`` its columns, and ``intake`` is the record of it with the mapping in force.
    ``homes`` has the homes of the tax roll with those of a new tax file. ``gained`` counts by fact the stored sales
    that tax and neighborhood files complete, ``completed`` all of these, ``area_fill`` the new sales that get figures
    which the market held; ``fill_words`` says in sentences what was filled in and what was not. ``indicators`` has the
    market's dated indicators with new ones of the files, None without new ones, which ``brought`` names. ``elsewhere``
    says by file that hardly any of its sales is where the market has any. ``currency`` is the market's; ``held_sales``
    counts its sales in use before the files. ``id_digits`` says how its people write ids: for reading, ``corrections``
    and ``conflicts`` have them so.
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
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    intake: tuple[FileIntake, ...] = ()
    homes: BroughtHomes = field(default_factory=BroughtHomes)
    gained: Mapping[str, int] = field(default_factory=dict)
    completed: int = 0
    area_fill: AreaFill = field(default_factory=AreaFill)
    fill_words: tuple[str, ...] = ()
    indicators: pd.DataFrame | None = None
    brought: str = ""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    currency: str = USUAL_CURRENCY
    held_sales: int = 0
    id_digits: IdDigits = field(default_factory=dict)

    @property
    def changes_something(self) -> bool:
        """Whether committing makes a new version: a new market, a new or changed sale, new homes or indicators."""
        return self.parent_id is None or bool(self.changed_rows or self.homes.words) or self.indicators is not None

    @property
    def brings_sales(self) -> bool:
        """Whether any sale is new or corrected: others only gain what they lacked."""
        return len(self.changed_rows) > self.completed

    @property
    def misread(self) -> Mapping[str, str]:
        """What each file is asked about that seems to be read wrongly, by its name: its commit must be confirmed."""
        return misread_words(self.tables, self.files)

    @property
    def back_in_use(self) -> int:
        """By how many stored sales in use change without being new: above 0 where decisions are taken back."""
        return len(self.sales) - self.new_sales - self.held_sales

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

    Tax, neighborhood and indicator files join the sales brought with them and fill what stored ones lack. Raises
    CollectError leaves, NotFound, AlreadyExists for a taken name, NoUsableRows if nothing is new, ContractBroken.
    """
    store, problem, today = workspace.store, workspace.problem, workspace.utc_today()
    parent = parent_of(store, market)
    decisions, answers = store.sale_decisions.history(market_id_of(market)), store.matches.of(market_id_of(market))
    terms = market if isinstance(market, NewMarket) else store.markets.get(market)
    read = read_together(files, customs_of(store, market), parent is not None, part(progress, 0.0, 0.5))
    read = replace(read, mapped=[without_other_money(table, terms.currency) for table in read.mapped])
    intake = _begin(store, parent, decisions, read)
    currency, before = terms.currency, intake.in_use_before
    _add_all(intake, read, answers, in_currency(problem, currency, read.prices_or(before)), today, progress)
    pool = intake.settled(decisions, read, currency)
    dated = brought_indicators(store, parent, read.one_of(Source.INDICATORS), currency)
    homes = brought_homes(store, parent, intake.roll, today)
    if not (read.sales or intake.gained or homes.news.homes or dated.accounts):
        raise NoUsableRows(no_gain_message(read.why_no_sales, intake.references, intake.late_words))
    progress(0.95, "Looking for addresses with almost the same spelling")
    near, corrections, sales = intake.near_matches(answers), intake.corrected(), pool.in_use()
    guesses = row_guesses(read.mapped, intake.ledger(), currency)
    progress(1.0, "Checked")
    return IntakePreview(
        market=market,
        parent_id=parent.version_id if parent else None,
        sales=sales,
        new_sales=int((~pool.waits & (pool.sales[ROW] >= (parent.rows_seen if parent else 0)).to_numpy()).sum()),
        held_sales=parent.rows if parent else 0,
        files=(*intake.files, *intake.references, *dated.accounts),
        ledgers=with_guesses(intake.ledger(), guesses),
        problems=pd.concat([table.problems.assign(file=table.name) for table in read.mapped], ignore_index=True),
        conflicts=with_id_words(pd.concat(intake.conflicts, ignore_index=True), intake.id_digits),
        matched=dict(intake.matched),
        repeated=repeated_files(store, market, read.mapped),
        rows_seen=intake.rows_seen,
        tables=tuple(with_doubts(read.mapped, intake.files, terms, before, corrections, guesses)),
        corrections=corrections,
        changed_rows=tuple(sorted(intake.changed_rows)),
        near_matches=near,
        set_aside=pool.set_aside(),
        leaks=leaks_of_files(read.mapped, sales[sales[ROW].isin(intake.changed_rows)], currency),
        personal=read.personal,
        readings={name: raw.reading for name, raw in read.raws.items()},
        headers={name: tuple(raw.frame.columns) for name, raw in read.raws.items()},
        intake=read.records,
        homes=homes,
        gained=intake.gained,
        completed=intake.completed,
        area_fill=intake.area_fill,
        fill_words=intake.fill_words(homes),
        indicators=dated.joined,
        brought=dated.words,
        elsewhere=elsewhere_of(read.mapped, intake.references, before),
        currency=currency,
        id_digits=intake.id_digits,
    )


def commit_intake(
    workspace: Workspace,
    preview: IntakePreview,
    note: str,
    keep: Collection[str] = (),
    elsewhere: Collection[str] = (),
    misread: Collection[str] = (),
) -> IntakeReport:
    """Commit a preview as the market's next version, in one transaction; the same data again changes nothing.

    Only this creates a new market, so that a refused upload leaves none behind. ``keep`` names the columns to keep
    although they reveal the price; the note says so. ``elsewhere`` and ``misread`` name the files to take in although
    the preview doubts them so. Raises AccessDenied, SalesElsewhere, FileMisread, PriceGivenAway for others,
    AlreadyExists, StaleVersion if another commit came first, StoreUnavailable; the market's data is then unchanged.
    """
    store, market = workspace.store, market_id_of(preview.market)
    workspace.require(Action.INGEST)
    refuse_elsewhere(preview.elsewhere, elsewhere)
    refuse_misread(preview.misread, misread)
    refuse_leaks(preview.leaks, keep)
    names = names_to_give(store, market, preview.intake)
    if not preview.changes_something and preview.parent_id is not None:
        store.column_names.give(market, names, workspace.actor)
        return IntakeReport(store.versions.get(preview.parent_id), False, preview)
    new = NewVersion(
        market_id=market,
        sales=preview.sales,
        parent_id=preview.parent_id,
        files=preview.files,
        ledgers=preview.ledgers,
        rows_seen=preview.rows_seen,
        note=note + words_of_kept(preview.leaks),
        set_aside=preview.set_aside,
        intake=with_inferences(preview.intake, preview.tables),
        roll=preview.homes.roll,
        indicators=preview.indicators,
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
    elsewhere: Collection[str] = (),
    misread: Collection[str] = (),
) -> IntakeReport:
    """Import and commit files at once; raises as prepare_intake and commit_intake do."""
    workspace.require(Action.INGEST)
    preview = prepare_intake(workspace, market, files, part(progress, 0.0, 0.9))
    progress(0.9, "Committing the data version")
    report = commit_intake(workspace, preview, ", ".join(file.name for file in files), keep, elsewhere, misread)
    progress(1.0, "Committed")
    return report


class _Intake:
    """The market's sales as they grow file by file, with the accounting so far."""

    def __init__(
        self,
        held: Pool | None,
        superseded: pd.DataFrame,
        rows_seen: int,
        facts: HeldFacts,
        decisions: Sequence[StoredSaleDecision],
        id_digits: IdDigits,
    ) -> None:
        self.held = held.sales if held is not None else None
        self.in_use_before = held.in_use() if held is not None else self.held_sales()
        self.doubts = dict(zip(held.sales[ROW], held.doubt, strict=True)) if held is not None else {}
        self.superseded, self.decisions, self.rows_seen, self.id_digits = superseded, decisions, rows_seen, id_digits
        self.facts, self.area_fill, self.roll_fill, self.late_words = facts, AreaFill(), RollFill(), ""
        self.files: list[FileAccounting] = []
        self.references: tuple[FileAccounting, ...] = ()
        self.roll: pd.DataFrame | None = None
        self.gained: Mapping[str, int] = {}
        self.completed = 0
        self.ledgers: list[pd.DataFrame] = []
        self.conflicts = [
            pd.DataFrame(columns=[*CONFLICT_COLUMNS, "file"], dtype="str").astype({"source_row": "int64"})
        ]
        self.matched: Counter[str] = Counter()
        self.corrections = [no_corrections()]
        self.changed_rows: set[int] = set()
        self.left: list[tuple[pd.DataFrame, pd.DataFrame]] = []
        self.rows: list[FileRows] = []

    def add(
        self, table: MappedTable, raw: RawTable, merged: Merged, cleaned: Cleaned, problem: Problem, today: date
    ) -> None:
        """Append one file's accepted sales, apply its corrections, and record its accounting."""
        ledger = full_ledger(table, raw, cleaned)
        ledger[CORRECTED_ROW], ledger[BEFORE] = -1, ""
        corrects = cleaned.corrects >= 0
        if self.held is not None and corrects.any():
            corrected = with_corrections(self.held, cleaned, ledger, table.name, self.id_digits)
            self.held, ledger = corrected.held, corrected.ledger
            self.superseded = pd.concat([self.superseded, corrected.superseded], ignore_index=True)
            self.corrections.append(corrected.listed)
            self.changed_rows.update(corrected.rows.tolist())
            self.doubts.update(zip(corrected.rows, cleaned.set_aside[corrects], strict=True))
        self.ledgers.append(ledger)
        self.rows.append(FileRows(table, raw, self.rows_seen, cleaned.repairs))
        self.conflicts.append(merged.conflicts.assign(file=table.name))
        self._note(merged)
        sales = cleaned.sales.loc[~corrects].reset_index(drop=True)
        new = sales.assign(intake_row=self.rows_seen + sales["source_row"] - 1).drop(columns="source_row")
        brought = Pool(new, cleaned.set_aside[~corrects])
        self.doubts.update(zip(new[ROW], brought.doubt, strict=True))
        # A sale that waits, by the rules or as a person decided, is no new sale yet.
        in_use = ~settle(brought, self.decisions).waits
        new, of_areas, of_roll = self.facts.complete(new, self.held, in_use, problem, today)
        self.area_fill, self.roll_fill = self.area_fill + of_areas, self.roll_fill + of_roll
        self.held = appended(self.held, new)
        self.changed_rows.update(new["intake_row"].tolist())
        self.left.append((merged.sales_left, merged.tax_left))
        self.rows_seen += table.rows_in

    def fill_in(
        self,
        tax: MappedTable | None,
        neighbourhood: MappedTable | None,
        same: frozenset[tuple[str, str]],
        problem: Problem,
        today: date,
    ) -> None:
        """Fill what the sales lack that these files have not joined as new or corrected ones."""
        held = self.held_sales()
        joined = held[ROW].isin(self.changed_rows).to_numpy()
        late = with_late_facts(held, tax, neighbourhood, same, joined, problem, today)
        self.held, self.gained, self.completed = late.sales, late.gained, int(late.gains.sum())
        of_stored = late_words(late.withheld, late.implausible)
        self.late_words = " ".join(filter(None, (self.late_words if joined.any() else "", of_stored)))
        self.changed_rows.update(held.loc[late.gains, ROW].tolist())
        # All sales have been matched anew: those of the sales files are among them.
        self.matched.clear()
        self._note(late.merged)
        self.left = [(late.merged.sales_left, late.merged.tax_left)]

    def held_sales(self) -> pd.DataFrame:
        """Return all sales so far, those that wait included."""
        return pd.DataFrame({ROW: []}) if self.held is None else self.held

    def fill_words(self, homes: BroughtHomes) -> tuple[str, ...]:
        """Return what was filled in, kept and left out, in sentences."""
        known = known_words(self.references, self.late_words) if homes.words and not self.changed_rows else ""
        return tuple(filter(None, (self.roll_fill.words, self.area_fill.words, self.late_words, homes.words, known)))

    def ledger(self) -> pd.DataFrame:
        """Return the row ledgers of all sales files as one."""
        return as_one(self.ledgers)

    def _note(self, merged: Merged) -> None:
        # Every table of sales is merged with the same reference files, so the last accounting of them stands for all.
        self.references, self.roll = merged.reference, merged.roll
        self.late_words = self.late_words or unproven_words(merged.withheld)
        self.matched.update(
            tax_by_id=merged.tax_matched_by_id,
            tax_by_address=merged.tax_matched_by_address,
            tax_by_answer=merged.tax_matched_by_answer,
            neighbourhood=merged.neighbourhood_matched,
        )

    def settled(self, decisions: Sequence[StoredSaleDecision], read: SourceTables, currency: str) -> Pool:
        """Return all sales as they stand after the files, by the rules and by what persons have decided.

        The rows of the files that persons had decided on before are counted as they decided. Raises NoUsableRows.
        """
        held = self.held_sales()
        by_rules = Pool(held, doubts_of(held[ROW], self.doubts))
        pool = settle(by_rules, decisions)
        fates = fates_of(by_rules, pool)
        self.ledgers = [as_decided(ledger, rows, fates) for ledger, rows in zip(self.ledgers, self.rows, strict=True)]
        self.files = [account(rows.table, ledger) for ledger, rows in zip(self.ledgers, self.rows, strict=True)]
        if pool.sales.empty or pool.waits.all():
            causes = read.sales, self.files, currency, read.one_of(Source.TAX), read.personal
            raise NoUsableRows(nothing_usable_message(*causes))
        return pool

    def corrected(self) -> pd.DataFrame:
        """Return the corrections of stored sales by all files, a row for each fact."""
        return pd.concat(self.corrections, ignore_index=True)

    def near_matches(self, answers: Mapping[tuple[str, str], bool]) -> tuple[NearMatch, ...]:
        """Return the unanswered address pairs, each once."""
        found = [near for sales, tax in self.left for near in near_matches(sales, tax, answers)]
        return tuple({(near.sales_key, near.tax_key): near for near in reversed(found)}.values())[::-1]


def _add_all(
    intake: _Intake,
    read: SourceTables,
    answers: Mapping[tuple[str, str], bool],
    problem: Problem,
    today: date,
    progress: Progress,
) -> None:
    """Add the sales of all files; the other files complete the stored sales, too."""
    tax, neighbourhood = read.one_of(Source.TAX), read.one_of(Source.NEIGHBOURHOOD)
    same = frozenset(pair for pair, is_same in answers.items() if is_same)
    for done, table in enumerate(read.sales):
        progress(0.5 + 0.4 * done / len(read.sales), f"Merging and checking {table.name}")
        joined = merge_sources(table, tax, neighbourhood, same)
        merged = with_assessed_rise(without_unproven_values(joined, table.frame))
        known = intake.held, intake.superseded, read.repeats[table.name]
        cleaned = with_emptied(clean_sales(merged.frame, problem, today, *known), table)
        check_contract(cleaned.in_use, problem, today, table.name)
        intake.add(table, read.raws[table.name], merged, cleaned, problem, today)
    if (tax is None and neighbourhood is None) or intake.held_sales()[ROW].isin(intake.changed_rows).all():
        return
    progress(0.9, "Adding the facts to the stored sales")
    intake.fill_in(tax, neighbourhood, same, problem, today)


def _begin(
    store: Store, parent: DataVersion | None, decisions: Sequence[StoredSaleDecision], read: SourceTables
) -> _Intake:
    """Return an intake on top of a version, None for a new market's; sales alone are completed from the tax roll."""
    if parent is None:
        return _Intake(None, sales_of(()), 0, HeldFacts(), decisions, read.id_digits)
    superseded = pd.concat([corrected_sales(store, parent.market_id), originals(decisions)], ignore_index=True)
    facts = held_facts(store, parent, bool(read.sales) and read.one_of(Source.TAX) is None)
    digits = agreed_digits(store.versions.id_digits(parent.version_id), read.id_digits)
    return _Intake(load_pool(store, parent), superseded, parent.rows_seen, facts, decisions, digits)
