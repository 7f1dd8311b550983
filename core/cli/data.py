"""The verbs of sales data: importing files, cutting large ones, and writing their mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.session import FAILED, OK, AddVerb, Session
from core.errors import MappingError, NotFound, WrongUsage

if TYPE_CHECKING:
    import argparse

    from core.collect.columns.corrections import Correction
    from core.collect.mapping import ColumnMapping
    from core.workflows.data.market_of_files import NewMarket
    from core.workflows.source_files.reading import SourceFile


def add_verbs(verb: AddVerb) -> None:
    """Declare the verbs and their arguments."""
    ingest = verb("ingest", "import sales, tax, neighborhood and indicator files as a new data version", _ingest)
    ingest.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="CSV or TSV (also gzipped or zipped), xlsx, xls, ods, Parquet, or RESO OData JSON",
    )
    ingest.add_argument("--market", help="market to add to; created if new")
    ingest.add_argument(
        "--currency", help="ISO code of a new market's currency (default: as the prices are written, where they say it)"
    )
    ingest.add_argument(
        "--area-unit",
        choices=["sqft", "sqm"],
        help="unit in which the market shows areas, and of areas without one (default: as it is; if new, as the files "
        "have it, else sqft)",
    )
    _add_consents(ingest)
    ingest.add_argument(
        "--take-facts",
        action="append",
        default=[],
        metavar="FILE",
        help="correct the stored sales that a file repeats with other facts, where home, day and price are the same "
        "(may be given several times)",
    )
    ingest.add_argument(
        "--mapping", metavar="JSON", help="column mapping instead of the guess, as --write-mapping writes it"
    )
    ingest.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="COLUMN=FIELD",
        help='correct one column, such as "Selling Date=sale_date"; "Remarks=" leaves it out, "Foo=x_foo" keeps a fact '
        "of your own, FILE:COLUMN=FIELD names the file (may be given several times)",
    )
    ingest.add_argument(
        "--write-mapping", metavar="JSON", help="write the mapping in force to this file, and import nothing"
    )
    ingest.add_argument("--encoding", default="", help="encoding of the files, such as cp932 (default: as found)")
    ingest.add_argument("--sheet", default="", help="sheet of a workbook (default: the one with the most rows)")
    _add_cutting(verb)
    template = verb("template", "write an empty file with a heading for each field, to be filled in", _template)
    template.add_argument("source", choices=["sales", "tax", "neighborhood", "indicators"], help="which kind of file")
    template.add_argument("file", metavar="FILE", help="file to write: .xlsx, with a sheet that explains it, or .csv")
    template.add_argument("--market", help="market whose units and currency to use (default: square feet and USD)")


def _add_consents(parser: argparse.ArgumentParser) -> None:
    """Add the options that name what is imported although it is refused otherwise."""
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="COLUMN",
        help="keep a column although it seems to reveal the price (may be given several times)",
    )
    parser.add_argument(
        "--elsewhere",
        action="append",
        default=[],
        metavar="FILE",
        help="import a file although its sales are where the market has none (may be given several times)",
    )
    parser.add_argument(
        "--misread",
        action="append",
        default=[],
        metavar="FILE",
        help="import a file although it seems to be read wrongly (may be given several times)",
    )


def _add_cutting(verb: AddVerb) -> None:
    cut = verb("cut", "cut a file too large for memory into a file for each market or month", _cut)
    cut.add_argument("file", metavar="FILE", help="CSV or TSV (also gzipped) or Parquet, of any size")
    cut.add_argument(
        "--by",
        required=True,
        metavar="COLUMN",
        help='column whose values name the markets, such as County; or "month" for the month of the sale',
    )
    cut.add_argument("--into", required=True, metavar="FOLDER", help="folder to make, which must be new or empty")
    cut.add_argument("--date", default="", metavar="COLUMN", help="column of the sale date (default: as found)")
    cut.add_argument("--encoding", default="", help="encoding of the file, such as cp1252 (default: as found)")
    cut.set_defaults(check=_check_cut)
    pieces = verb("ingest-pieces", "import the files of a folder, each as a market or all into one", _ingest_pieces)
    pieces.add_argument("folder", metavar="FOLDER", help="folder that cut made, or any folder of sales files")
    pieces.add_argument(
        "--market", default="", help="market to add all files to, one after another (default: a market for each file)"
    )
    pieces.add_argument("--currency", default="", help="ISO code of new markets' currency (default: as in ingest)")
    pieces.add_argument("--area-unit", choices=["sqft", "sqm"], help="area unit of new markets (default: as in ingest)")
    pieces.add_argument("--mapping", default="", metavar="JSON", help="column mapping of all files, not the guess")
    _add_consents(pieces)


def _ingest(session: Session) -> int:
    from core.cli.ingested import assumed_words, ingest_document, ingest_text, is_rejected
    from core.progress import part
    from core.workflows.data.intake import ingest
    from core.workflows.data.market_of_files import NewMarket, customs_of, market_of_files, show_areas_in
    from core.workflows.source_files.mapped_files import map_files, stated_currency

    options, progress = session.options, session.progress()
    files = _source_files(session)
    corrections = _corrections(options.map, options.files)
    if options.write_mapping:
        customs = customs_of(session.workspace.store, _market_named(session), options.area_unit)
        mapped = map_files(files, corrections, progress, customs)
        return _write_mapping(session, [_as_shown(session, file) for file in mapped])
    market = _market_for_ingest(session)
    customs = customs_of(session.workspace.store, market if isinstance(market, str) else None, options.area_unit)
    mapped = map_files(files, corrections, part(progress, 0.0, 0.4), customs)
    mappings = [file.mapping for file in mapped]
    if market is None:
        market = market_of_files(options.market, options.currency or "", options.area_unit, mappings)
    elif isinstance(market, NewMarket) and options.currency is None:
        market = replace(market, currency=stated_currency(mappings) or market.currency)
    assumed = assumed_words(market, mappings, options)
    report = ingest(
        session.workspace,
        market,
        mapped,
        part(progress, 0.4, 1.0),
        options.keep,
        options.elsewhere,
        options.misread,
    )
    if options.area_unit is not None and isinstance(market, str):
        assumed = show_areas_in(session.workspace, market, options.area_unit)
    session.print_result(
        ingest_document(report, assumed, options.home),
        lambda: ingest_text(session.workspace.store, report, assumed, options.home),
    )
    return FAILED if is_rejected(report) else OK


def _check_cut(options: argparse.Namespace) -> None:
    if options.date and options.by != "month":
        raise WrongUsage(f"--date {options.date} is for --by month; leave it out to cut by {options.by}.")


def _cut(session: Session) -> int:
    from core.workflows.cutting.cut import cut_file
    from core.workflows.cutting.reports import cut_document, cut_lines

    options = session.options
    report = cut_file(
        session.workspace,
        Path(options.file),
        options.by,
        Path(options.into),
        session.progress(),
        options.date,
        options.encoding,
    )
    session.print_result(cut_document(report), lambda: "\n".join(cut_lines(report)))
    return OK


def _ingest_pieces(session: Session) -> int:
    from core.workflows.cutting.reports import taken_document, taken_lines
    from core.workflows.cutting.taking import Taking, left_over, take_pieces

    options, folder = session.options, Path(session.options.folder)
    taking = Taking(
        options.market,
        options.currency,
        options.area_unit,
        _text_of(options.mapping) if options.mapping else "",
        tuple(options.keep),
        tuple(options.elsewhere),
        tuple(options.misread),
    )
    taken = take_pieces(session.workspace, folder, taking, session.progress())
    left = left_over(folder)
    session.print_result(taken_document(taken, left), lambda: "\n".join(taken_lines(taken, left)))
    return FAILED if any(one.refused for one in taken) else OK


def _template(session: Session) -> int:
    from core.schema import Source
    from core.store.base.markets import USUAL_CURRENCY
    from core.workflows.columns.templates import FORMATS, template

    options, target = session.options, Path(session.options.file)
    file_format = target.suffix.casefold().removeprefix(".")
    if file_format not in FORMATS:
        raise MappingError(f"{options.file!r} must end in .xlsx or .csv. Choose another name.")
    if target.exists():
        raise MappingError(f"{options.file!r} exists and is not replaced. Choose another name.")
    market = session.market() if options.market else None
    unit, currency = (market.area_unit, market.currency) if market else ("sqft", USUAL_CURRENCY)
    source = next(one for one in Source if one.word == options.source)
    try:
        target.write_bytes(template(source, file_format, unit, currency))
    except OSError as error:
        raise MappingError(f"The template {options.file!r} cannot be written: {error.strerror}.") from error
    session.print_result({"written": str(target)}, lambda: f"template written to {target}")
    return OK


def _source_files(session: Session) -> list[SourceFile]:
    from core.collect.mapping_file import mappings_for
    from core.collect.reading.table import ReadingChoice
    from core.prepare.quality.corrections import Repeats
    from core.workflows.source_files.reading import SourceFile

    options = session.options
    paths = [Path(name) for name in options.files]
    for path in paths:
        if not path.is_file():
            raise NotFound(f"There is no file {str(path)!r}. Check the path.")
    given: dict[str, ColumnMapping] = {}
    if options.mapping:
        given = mappings_for(_text_of(options.mapping), [path.name for path in paths])
    choice = ReadingChoice(options.encoding, options.sheet)
    taking = {Path(name).name for name in options.take_facts}
    if unknown := taking - {path.name for path in paths}:
        raise NotFound(f"--take-facts names {min(unknown)!r}, which is none of the files to import. Check the name.")
    return [
        SourceFile(
            path,
            path.name,
            given.get(path.name),
            choice=choice,
            repeats=Repeats.CORRECT if path.name in taking else Repeats.STAY,
        )
        for path in paths
    ]


def _corrections(texts: Sequence[str], files: Sequence[str]) -> list[Correction]:
    from core.collect.columns.corrections import correction_of

    names = {written: Path(name).name for name in files for written in (name, Path(name).name)}
    return [correction_of(text, names) for text in texts]


def _as_shown(session: Session, file: SourceFile) -> SourceFile:
    """Return a file with what its market's own columns are called, so that the written mapping has the names."""
    from core.workflows.columns.names import named_as_shown

    held = _market_named(session)
    names = session.workspace.store.column_names.of(held) if held is not None else {}
    return file if file.mapping is None else replace(file, mapping=named_as_shown(file.mapping, names))


def _market_named(session: Session) -> str | None:
    """Return the id of the market that --market names, None where it is new or none is named."""
    held, wanted = session.workspace.store.markets.list(), session.options.market
    return next((one.market_id for one in held if wanted in (one.market_id, one.name)), None)


def _write_mapping(session: Session, files: Sequence[SourceFile]) -> int:
    """Write the mappings in force to a file, and say what they are and lack; nothing is imported."""
    from core.collect.mapping_file import document_to_json, mappings_document
    from core.collect.privacy.findings import reason
    from core.workflows.source_files.mapped_files import lacking, personal_of

    target = Path(session.options.write_mapping)
    if any(target.resolve() == file.path.resolve() for file in files):
        raise MappingError(f"{str(target)!r} is one of the files to import. Write the mapping to another file.")
    if target.exists() and not target.is_file():
        raise MappingError(f"{str(target)!r} is no file and is not replaced by one. Choose another name.")
    mappings = {file.name: file.mapping for file in files if file.mapping is not None}
    document = mappings_document(mappings)
    try:
        # Beside the target, and moved: a full disk must not leave half a mapping.
        draft = target.with_name(f"{target.name}.part")
        draft.write_text(document_to_json(document) + "\n", encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        raise MappingError(f"The mapping {str(target)!r} cannot be written: {error.strerror}.") from error
    missing = {file.name: why for file in files if (why := lacking(file))}

    def text() -> str:
        lines = [_mapping_line(name, mapping) for name, mapping in mappings.items()]
        lines += [f"{name}: {one.column}: {one}" for name, mapping in mappings.items() for one in mapping.inferences]
        lines += [f"{file.name}: column {one.column!r} {reason(one)}" for file in files for one in personal_of(file)]
        lines += [f"{name}: {why}" for name, why in missing.items()]
        return "\n".join([*lines, f"mapping written to {target}; nothing was imported"])

    session.print_result({"written": str(target), "lacking": missing, "mapping": document}, text)
    return OK


def _mapping_line(name: str, mapping: ColumnMapping) -> str:
    taken = ", ".join(f"{rule.column} = {rule.field}" for rule in mapping.rules)
    left_out = ", ".join(column for column, _ in mapping.ignored) or "nothing"
    return f"{name} ({mapping.source.word}): {taken}; left out: {left_out}"


def _market_for_ingest(session: Session) -> str | NewMarket | None:
    """Return the market that files go to; None for one that does not exist yet, whose files say its terms."""
    from core.store.base.markets import USUAL_CURRENCY, new_market
    from core.workflows.data.market_of_files import market_in_terms

    options, store = session.options, session.workspace.store
    for market in store.markets.list():
        if options.market in (market.market_id, market.name):
            return market_in_terms(store, market, options.currency or "", options.area_unit)
    if options.market is None:
        return session.market().market_id
    # Refuses an impossible name or currency before the files are read.
    new_market(options.market, options.currency or USUAL_CURRENCY, options.area_unit or "sqft", False)
    return None


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise MappingError(f"The mapping {path} is no UTF-8 text. Save it as UTF-8.") from error
    except OSError as error:
        raise MappingError(f"The mapping {path} cannot be read: {error.strerror}.") from error
