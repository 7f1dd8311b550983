"""Takes in the files of a folder: each becomes a market, or all become further versions of one."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from core.access import Action, Actor
from core.accounting import FileAccounting, Outcome
from core.collect.mapping import ColumnMapping
from core.collect.mapping_file import mappings_for
from core.collect.privacy.findings import reason
from core.collect.reading.packing import memory_limit
from core.errors import AccessDenied, DoorstepError, FileUnreadable, JobCancelled, NotFound, WrongUsage
from core.parallel.calls import in_parallel
from core.problem import Problem
from core.progress import Progress, part, silent
from core.store import open_store
from core.store.base.markets import USUAL_CURRENCY, AreaUnit, new_market, slug_of
from core.workflows.cutting.cut import MONTH
from core.workflows.cutting.pieces import Manifest, read_manifest
from core.workflows.data.intake import IntakePreview, IntakeReport, ingest
from core.workflows.data.market_of_files import NewMarket, customs_of, market_in_terms, market_of_files
from core.workflows.source_files.mapped_files import map_files, stated_currency
from core.workflows.source_files.reading import SourceFile
from core.workspace import Workspace

_WORTH_PROCESSES: Final = 64 * 1024 * 1024
"""From how many bytes on several processes take in the pieces: below, starting them takes longer than they save."""


@dataclass(frozen=True)
class Taking:
    """How pieces are taken in; what is empty is as each file says.

    ``market`` takes in all of them, one after another; without it each makes its own. ``mapping`` is the JSON text of
    the column mapping, ``keep`` names the columns to keep although they reveal the price, ``elsewhere`` the files
    to take in although their sales are where the market has none, ``misread`` those although their prices seem to be
    another column's.
    """

    market: str = ""
    currency: str = ""
    area_unit: AreaUnit | None = None
    mapping: str = ""
    keep: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    misread: tuple[str, ...] = ()


@dataclass(frozen=True)
class TakenPiece:
    """What became of one file: the rows of its accounting and the version, or why it was ``refused``.

    ``market`` is the id and ``name`` the name of its market. ``changed`` is False where everything in it was known, so
    that the version is the one there was. ``reasons`` counts rows by the code of what was found; ``left_out``
    says by column why it was not read.
    """

    file: str
    market: str
    name: str
    seconds: float
    version: str = ""
    changed: bool = False
    sales: int = 0
    rows_in: int = 0
    accepted: int = 0
    repaired: int = 0
    duplicate: int = 0
    set_aside: int = 0
    rejected: int = 0
    refused: str = ""
    reasons: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Waiting:
    """A file that waits: its path, the name of its market, and what is wrong with it, empty where nothing is."""

    path: Path
    market: str
    wrong: str = ""


def take_pieces(workspace: Workspace, folder: Path, taking: Taking, progress: Progress) -> tuple[TakenPiece, ...]:
    """Take in the files of a folder, and return what became of each, in order of their names.

    Each file is taken in whole or not at all, and one that is refused does not stop the others. Taking in a folder
    again changes nothing. Large folders of many markets are shared by several processes. Raises AccessDenied, NotFound
    without a folder or files, FileUnreadable for a cut that has not ended, WrongUsage for months without a market,
    MappingError for a mapping that is none, InvalidRecord for an impossible name or currency.
    """
    workspace.require(Action.INGEST)
    manifest = read_manifest(folder)
    if manifest is not None and manifest.by == MONTH and not taking.market:
        raise WrongUsage(f"The files in {str(folder)!r} are months of one market. Name it with --market.")
    waiting = _waiting(folder, manifest, taking.market)
    if not waiting:
        raise NotFound(
            f"There is no file to take in in {str(folder)!r}. Cut a file into it first, or name another folder."
        )
    if taking.mapping:
        mappings_for(taking.mapping, [waiting[0].path.name])
    # Refuses an impossible name or currency before the files are read.
    new_market(taking.market or "market", taking.currency or USUAL_CURRENCY, taking.area_unit or "sqft", False)
    if _is_worth_processes(waiting, taking):
        home, day = workspace.store.home, workspace.utc_today()
        calls = [(home, workspace.problem, workspace.actor, day, one, manifest, taking) for one in waiting]
        return tuple(in_parallel(_take_in_process, calls, progress, "Files done"))
    taken = []
    for done, one in enumerate(waiting):
        fractions = (done / len(waiting), (done + 1) / len(waiting))
        taken.append(_take(workspace, one, manifest, taking, part(progress, *fractions)))
    progress(1.0, f"Files done: {len(taken)} of {len(waiting)}")
    return tuple(taken)


def left_over(folder: Path) -> tuple[str, ...]:
    """Return the files of a folder that are not taken in: rows without a value, and lines that are no rows."""
    return tuple(sorted(one.name for one in folder.iterdir() if one.name.startswith("_") and one.suffix == ".csv"))


def _waiting(folder: Path, manifest: Manifest | None, market: str) -> list[_Waiting]:
    paths = {one.name: one for one in folder.iterdir() if one.is_file() and one.name[0] not in "._"}
    if manifest is None:
        return [_Waiting(paths[name], market or name.partition(".")[0]) for name in sorted(paths)]
    found = []
    for piece in manifest.pieces:
        path = folder / piece.file
        size = path.stat().st_size if path.exists() else 0
        wrong = "" if path.exists() else f"{piece.file} is missing. Cut {manifest.source} again."
        if path.exists() and size != piece.size:
            wrong = f"{piece.file} has {size:,} bytes; the cut wrote {piece.size:,}. Cut {manifest.source} again."
        found.append(_Waiting(path, market or piece.value, wrong))
    return found


def _is_worth_processes(waiting: Sequence[_Waiting], taking: Taking) -> bool:
    """Tell whether the files are of different markets, large together, and small enough to be read side by side."""
    sizes = [one.path.stat().st_size for one in waiting if not one.wrong]
    ids = {slug_of(one.market) for one in waiting}
    if taking.market or len(ids) < len(waiting) or sum(sizes) < _WORTH_PROCESSES:
        return False
    processes = min(os.cpu_count() or 1, len(waiting))
    return processes > 1 and max(sizes) * processes <= memory_limit()


def _take_in_process(
    home: Path, problem: Problem, actor: Actor, day: date, one: _Waiting, manifest: Manifest | None, taking: Taking
) -> TakenPiece:
    with open_store(home) as store:
        # The process that shares out the files says how many are done.
        return _take(Workspace(store, problem, actor).at(day), one, manifest, taking, silent)


def _take(
    workspace: Workspace, one: _Waiting, manifest: Manifest | None, taking: Taking, progress: Progress
) -> TakenPiece:
    started = time.monotonic()
    try:
        if one.wrong:
            raise FileUnreadable(one.wrong)
        report = _ingest(workspace, one, manifest, taking, progress)
    except (AccessDenied, JobCancelled):
        raise
    except DoorstepError as error:
        took = time.monotonic() - started
        return TakenPiece(one.path.name, slug_of(one.market), one.market, took, refused=str(error))
    version, preview = report.version, report.preview
    return TakenPiece(
        one.path.name,
        version.market_id,
        workspace.store.markets.get(version.market_id).name,
        time.monotonic() - started,
        version.version_id,
        report.changed,
        version.rows,
        **_counts(preview.files),
        reasons=dict(sum((Counter(file.reasons) for file in preview.files), Counter())),
        left_out=_left_out(preview),
    )


def _left_out(preview: IntakePreview) -> dict[str, str]:
    """Return why columns were not read, by name: what names persons, and what the mapping leaves out."""
    found = {str(column): str(why) for one in preview.intake for column, why in one.mapping.get("ignored", ())}
    personal = (one for columns in preview.personal.values() for one in columns)
    return found | {one.column: reason(one) for one in personal}


def _counts(files: Sequence[FileAccounting]) -> dict[str, Any]:
    return {name: sum(getattr(file, name) for file in files) for name in ("rows_in", *map(str, Outcome))}


def _ingest(
    workspace: Workspace, one: _Waiting, manifest: Manifest | None, taking: Taking, progress: Progress
) -> IntakeReport:
    market = _market_of(workspace, one.market, taking)
    name = one.path.name
    given = mappings_for(taking.mapping, [name])[name] if taking.mapping else None
    if given is not None and manifest is not None:
        given = replace(given, encoding="")  # a cut writes UTF-8, however the file was written that the mapping is for
    customs = customs_of(workspace.store, market if isinstance(market, str) else None, taking.area_unit)
    [mapped] = map_files([SourceFile(one.path, name, given)], [], part(progress, 0.0, 0.4), customs)
    if given is None and manifest is not None and mapped.mapping is not None:
        mapped = replace(mapped, mapping=_with_date_format(mapped.mapping, manifest))
    if market is None:
        market = market_of_files(one.market, taking.currency, taking.area_unit, [mapped.mapping])
    elif isinstance(market, NewMarket) and not taking.currency:
        market = replace(market, currency=stated_currency([mapped.mapping]) or market.currency)
    return ingest(workspace, market, [mapped], part(progress, 0.4, 1.0), taking.keep, taking.elsewhere, taking.misread)


def _with_date_format(mapping: ColumnMapping, manifest: Manifest) -> ColumnMapping:
    """Return a mapping that reads the sale date as the cut did: a month alone may not tell 03/04 from 04/03."""
    if not manifest.date_format:
        return mapping
    rules = tuple(
        replace(rule, date_format=manifest.date_format)
        if (rule.field, rule.column) == ("sale_date", manifest.date_column)
        else rule
        for rule in mapping.rules
    )
    return replace(mapping, rules=rules)


def _market_of(workspace: Workspace, name: str, taking: Taking) -> str | NewMarket | None:
    """Return the market of a piece; None for one that does not exist yet, whose file says its terms."""
    for held in workspace.store.markets.list():
        if name in (held.market_id, held.name) or slug_of(name) == held.market_id:
            return market_in_terms(workspace.store, held, taking.currency, taking.area_unit)
    return None
