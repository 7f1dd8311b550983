"""The verb that imports sales files: its arguments and its handler."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.session import OK, AddVerb, Session
from core.errors import MappingError, NotFound

if TYPE_CHECKING:
    from core.accounting import FileAccounting
    from core.collect.mapping import ColumnMapping
    from core.workflows.data.intake import NewMarket


def add_verbs(verb: AddVerb) -> None:
    """Declare the verb and its arguments."""
    ingest = verb("ingest", "import sales, tax and neighborhood files as a new data version", _ingest)
    ingest.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="CSV or TSV (also gzipped or zipped), xlsx, xls, ods, Parquet, or RESO OData JSON",
    )
    ingest.add_argument("--market", help="market to add to; created if new")
    ingest.add_argument("--currency", default="USD", help="ISO code of a new market's currency (default USD)")
    ingest.add_argument("--area-unit", choices=["sqft", "sqm"], default="sqft", help="area unit of a new market")
    ingest.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="COLUMN",
        help="keep a column although it seems to reveal the price (may be given several times)",
    )
    ingest.add_argument("--mapping", help="JSON column mapping instead of the guessed one")
    ingest.add_argument("--encoding", default="", help="encoding of the files, such as cp932 (default: as found)")
    ingest.add_argument("--sheet", default="", help="sheet of a workbook (default: the one with the most rows)")


def _ingest(session: Session) -> int:
    from core.collect.privacy.findings import reason
    from core.collect.reading.table import ReadingChoice
    from core.workflows.data.doubts import why_nothing_new
    from core.workflows.data.intake import SourceFile, ingest

    options = session.options
    mapping = _load_mapping(options.mapping) if options.mapping else None
    if mapping is not None and len(options.files) > 1:
        raise MappingError("--mapping applies to one file; import the files one by one.")
    choice = ReadingChoice(options.encoding, options.sheet)
    files = [SourceFile(Path(name), Path(name).name, mapping, choice=choice) for name in options.files]
    for file in files:
        if not file.path.is_file():
            raise NotFound(f"There is no file {str(file.path)!r}. Check the path.")
    market = _market_for_ingest(session)
    report = ingest(session.workspace, market, files, session.progress(), options.keep)
    preview = report.preview
    document = {
        "market": report.version.market_id,
        "changed": report.changed,
        "unchanged_because": "" if report.changed else why_nothing_new(preview.files),
        "version": report.version.version_id,
        "sales": report.version.rows,
        "new_sales": preview.new_sales,
        "files": [asdict(account) for account in preview.files],
        "readings": {name: asdict(reading) for name, reading in preview.readings.items()},
        "matched": dict(preview.matched),
        "conflicts": len(preview.conflicts),
        "unreadable_cells": len(preview.problems),
        "inferences": [{"file": table.name, **asdict(one)} for table in preview.tables for one in table.inferences],
        "taken_out": {
            file: [asdict(one) | {"reason": reason(one)} for one in found] for file, found in preview.personal.items()
        },
    }

    def text() -> str:
        lines = [_account_line(account) for account in preview.files]
        lines += [f"{table.name}: {one.column}: {one}" for table in preview.tables for one in table.inferences]
        lines += [
            f"{file}: column {one.column!r} {reason(one)}" for file, found in preview.personal.items() for one in found
        ]
        lines += [f"{name}: {one.describe()}" for name, one in preview.readings.items() if not one.is_plain]
        head = f"data version {report.version.version_id}: {report.version.rows:,} sales, {preview.new_sales:,} new"
        return "\n".join([*lines, head if report.changed else f"{why_nothing_new(preview.files)} Still {head}"])

    session.print_result(document, text)
    return OK


def _market_for_ingest(session: Session) -> str | NewMarket:
    from core.workflows.data.intake import NewMarket

    options = session.options
    for market in session.workspace.store.markets.list():
        if options.market in (market.market_id, market.name):
            return market.market_id
    if options.market is None:
        return session.market().market_id
    return NewMarket(options.market, options.currency, options.area_unit)


def _load_mapping(path: str) -> ColumnMapping:
    from core.collect.mapping import ColumnMapping

    try:
        return ColumnMapping.from_json(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(f"The mapping {path} cannot be read: {error.strerror}.") from error


def _account_line(account: FileAccounting) -> str:
    reasons = ", ".join(f"{code} {n:,}" for code, n in account.reasons.items())
    return (
        f"{account.file} ({account.source}): {account.rows_in:,} rows in = {account.accepted:,} accepted "
        f"+ {account.repaired:,} repaired + {account.duplicate:,} duplicate + {account.rejected:,} rejected "
        f"+ {account.set_aside:,} set aside" + (f" [{reasons}]" if reasons else "")
    )
