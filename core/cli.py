"""The command line: every capability without a browser, for people and for scripts."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from core.access import Actor, Role
from core.accounting import FileAccounting
from core.collect.mapping import ColumnMapping
from core.errors import DoorstepError, MappingError, NotFound, StoreError
from core.lifecycle import (
    Desk,
    NewMarket,
    SourceFile,
    evaluate_model,
    ingest,
    open_demo,
    open_desk,
    price_file,
    promote,
    record_file,
    rollback,
    train_model,
)
from core.lifecycle.batch import in_file_order
from core.lifecycle.modelling import card_figure
from core.problem import Problem, load_problem
from core.progress import Progress, silent
from core.serve.estimate import Estimate, Unavailable
from core.store import Market, ModelRecord, Store, open_store
from core.train.candidates import Family
from core.train.trainer import default_plan

OK: Final = 0
FAILED: Final = 1
UNPRICED: Final = 3

_EXAMPLES: Final = """examples:
  python -m core demo
  python -m core ingest sales.csv tax.csv --market Springfield --currency USD
  python -m core train --market springfield
  python -m core price --market springfield --set zipcode=98103 living_area_sqft=1680 bedrooms=3
  python -m core price --market springfield --csv listings.csv --json
  python -m core models --market springfield
  python -m core promote MODEL --reason "better on luxury homes"
  python -m core rollback --market springfield --reason "bias in the north"

exit codes: 0 done, 1 refused or failed (one line on standard error says why), 2 wrong usage,
3 no price estimate available"""


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    actor = Actor(options.actor, Role(options.role))
    try:
        with open_store(options.home) as store:
            return int(options.run(_Session(store, load_problem(), actor, options)))
    except DoorstepError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("error: interrupted; nothing half-done was kept.", file=sys.stderr)
        return FAILED


class _Session:
    """What a command works with: store, problem statement, actor and its options."""

    def __init__(self, store: Store, problem: Problem, actor: Actor, options: argparse.Namespace) -> None:
        self.store, self.problem, self.actor, self.options = store, problem, actor, options

    def market(self) -> Market:
        """Return the market named, or the only one there is."""
        markets = self.store.markets.list()
        wanted = self.options.market
        found = [market for market in markets if wanted in (None, market.market_id, market.name)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(market.market_id for market in markets) or "none yet"
        what = f"There is no market {wanted!r}" if wanted else "Name a market with --market"
        raise NotFound(f"{what}; markets in the store: {known}.")

    def progress(self) -> Progress:
        """Report on standard error, so that standard output stays the result alone."""
        if self.options.quiet:
            return silent
        return _report

    def answer(self, document: dict[str, Any], text: Callable[[], str]) -> None:
        """Print the result as JSON or as text."""
        print(json.dumps(document, indent=2, default=str) if self.options.json else text())


def _report(fraction: float, message: str) -> None:
    print(f"{fraction:4.0%}  {message}", file=sys.stderr, flush=True)


def _today() -> date:
    return datetime.now(UTC).date()


def _ingest(session: _Session) -> int:
    options = session.options
    mapping = _load_mapping(options.mapping) if options.mapping else None
    if mapping is not None and len(options.files) > 1:
        raise MappingError("--mapping applies to one file; take the files in one by one.")
    files = [SourceFile(Path(name), Path(name).name, mapping) for name in options.files]
    for file in files:
        if not file.path.is_file():
            raise NotFound(f"There is no file {str(file.path)!r}. Check the path.")
    market = _market_for_ingest(session)
    report = ingest(session.store, market, files, session.actor, session.problem, _today(), session.progress())
    preview = report.preview
    document = {
        "market": report.version.market_id,
        "changed": report.changed,
        "version": report.version.version_id,
        "sales": report.version.rows,
        "new_sales": preview.new_sales,
        "files": [asdict(account) for account in preview.files],
        "matched": dict(preview.matched),
        "conflicts": len(preview.conflicts),
        "unreadable_cells": len(preview.problems),
    }

    def text() -> str:
        lines = [_account_line(account) for account in preview.files]
        head = f"data version {report.version.version_id}: {report.version.rows:,} sales, {preview.new_sales:,} new"
        return "\n".join([*lines, head if report.changed else f"nothing new; still {head}"])

    session.answer(document, text)
    return OK


def _market_for_ingest(session: _Session) -> str | NewMarket:
    options = session.options
    for market in session.store.markets.list():
        if options.market in (market.market_id, market.name):
            return market.market_id
    if options.market is None:
        return session.market().market_id
    return NewMarket(options.market, options.currency, options.area_unit)


def _load_mapping(path: str) -> ColumnMapping:
    try:
        return ColumnMapping.from_json(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(f"The mapping {path} cannot be read: {error.strerror}.") from error


def _account_line(account: FileAccounting) -> str:
    reasons = ", ".join(f"{code} {n:,}" for code, n in account.reasons.items())
    return (
        f"{account.file} ({account.source}): {account.rows_in:,} rows in = {account.accepted:,} accepted "
        f"+ {account.repaired:,} repaired + {account.duplicate:,} duplicate + {account.rejected:,} rejected"
        + (f" [{reasons}]" if reasons else "")
    )


def _train(session: _Session) -> int:
    options, plan = session.options, default_plan(session.problem)
    families = tuple(Family(name) for name in options.family) if options.family else plan.families
    plan = replace(
        plan,
        split=options.split,
        seed=plan.seed if options.seed is None else options.seed,
        families=families,
        forest_budget=plan.forest_budget if options.forest_budget is None else options.forest_budget,
    )
    market = session.market()
    record = train_model(session.store, market.market_id, plan, session.actor, session.problem, session.progress())
    session.answer(_record_document(record), lambda: _record_text(record))
    return OK


def _record_document(record: ModelRecord) -> dict[str, Any]:
    return {
        "model": record.model_id,
        "market": record.market_id,
        "stage": record.stage,
        "created_at": record.created_at.isoformat(),
        "size_bytes": record.size_bytes,
        **record.card,
    }


def _record_text(record: ModelRecord) -> str:
    card = record.card
    test = card["metrics"]
    lines = [f"{'model':34}{'trained on':>11}{'MAPE':>8}{'PPE10':>8}{'fit s':>8}{'ms':>7}{'MB':>7}"]
    lines += [
        f"{score['family'] + ', ' + score['settings']:.33}".ljust(34)
        + f"{score['trained_rows']:>11,}{score['mape']:>8.2%}{score['ppe10']:>8.1%}{score['fit_seconds']:>8.1f}"
        + f"{score['latency_ms']:>7.1f}{score['size_bytes'] / 1e6:>7.1f}"
        for score in card["leaderboard"]
    ]
    figures = [
        f"{name}: {test[key]['value']:.2%} (95 % interval {test[key]['low']:.2%} to {test[key]['high']:.2%})"
        for name, key in (("MAPE", "mape"), ("MdAPE", "mdape"), ("PPE10", "ppe10"), ("bias", "bias"))
    ]
    coverage = (
        f"{test['level']:.0%} range held {test['coverage']['value']:.1%}, mean width {test['width']['value']:.1%}"
    )
    return "\n".join(
        [
            "validation:",
            *(f"  {line}" for line in lines),
            f"test, {card['split']} split, n = {test['n']:,}:",
            *(f"  {line}" for line in [*figures, f"R²: {test['r_squared']['value']:.4f}", coverage]),
            f"model {record.model_id}: {record.stage}",
        ]
    )


def _evaluate(session: _Session) -> int:
    market, store = session.market(), session.store
    record = (
        store.models.get(session.options.model) if session.options.model else store.models.champion(market.market_id)
    )
    if record is None:
        raise NotFound(f"Market {market.name!r} has no live model. Train one first.")
    if not session.options.later:
        session.answer(_record_document(record), lambda: _record_text(record))
        return OK
    version = store.versions.latest(market.market_id)
    if version is None:
        raise NotFound(f"Market {market.name!r} has no sales yet. Take in a sales file first.")
    measured = evaluate_model(store, record.model_id, version.version_id, session.actor, session.problem)
    figures = measured.metrics()

    def text() -> str:
        return (
            f"model {record.model_id} on {measured.n:,} later sales: MAPE {measured.mape.value:.2%}, "
            f"PPE10 {measured.ppe10.value:.1%}, bias {measured.bias.value:+.2%}, coverage {measured.coverage.value:.1%}"
        )

    session.answer({"model": record.model_id, "version": version.version_id, **figures}, text)
    return OK


def _price(session: _Session) -> int:
    options = session.options
    desk = open_desk(session.store, session.market().market_id, session.problem)
    as_of = options.as_of or desk.valuation_date(_today())
    if options.csv:
        return _price_csv(session, desk, as_of)
    answer = desk.price(dict(options.set), as_of, options.level or session.problem.estimate.level, session.actor)
    if isinstance(answer, Unavailable):
        session.answer(asdict(answer), lambda: f"{answer.message}\n{answer.reason} {answer.remedy}")
        return UNPRICED
    session.answer(asdict(answer), lambda: _estimate_text(answer))
    return OK


def _price_csv(session: _Session, desk: Desk, as_of: date) -> int:
    path = Path(session.options.csv)
    priced = price_file(desk, path, path.name, as_of, session.progress(), session.actor)
    try:
        priced = record_file(session.store, priced, "command line", session.actor)
    except StoreError as error:
        print(f"warning: the estimates were not recorded: {error}", file=sys.stderr)
    rows = in_file_order(priced)
    document = {
        "market": priced.market_id,
        "model": priced.model_id,
        "level": priced.level,
        "as_of": priced.as_of,
        "counts": dict(priced.counts),
        "rows": [{name: value for name, value in row.items() if not pd.isna(value)} for row in rows.to_dict("records")],
    }
    session.answer(document, lambda: rows.to_csv(index=False).rstrip())
    return OK


def _estimate_text(answer: Estimate) -> str:
    lines = [
        f"{answer.low:,.0f} to {answer.high:,.0f} {answer.currency}",
        f"{answer.level:.0%} range; held {answer.held.share:.0%} of {answer.held.n:,} test sales ({answer.segment})",
        f"point {answer.point:,.0f}; confidence {answer.confidence} of 100 ({answer.confidence_word}); "
        f"FSD {answer.fsd:.1%}",
    ]
    lines += [f"{flag.severity}: {flag.kind} - {flag.field} {flag.value}; {flag.action}" for flag in answer.flags]
    return "\n".join(lines)


def _models(session: _Session) -> int:
    records = session.store.models.list(session.market().market_id)

    def text() -> str:
        return (
            "\n".join(
                f"{record.model_id}  {record.stage:10}  {record.created_at:%Y-%m-%d %H:%M} UTC"
                f"  {record.card['family']:18}"
                f"  test MAPE {card_figure(record.card, 'mape'):.2%}  PPE10 {card_figure(record.card, 'ppe10'):.1%}"
                for record in records
            )
            or "no models yet"
        )

    session.answer({"models": [_record_document(record) for record in records]}, text)
    return OK


def _promote(session: _Session) -> int:
    record = promote(session.store, session.options.model, session.options.reason, session.actor)
    session.answer(_record_document(record), lambda: f"model {record.model_id} is champion of {record.market_id}")
    return OK


def _rollback(session: _Session) -> int:
    record = rollback(session.store, session.market().market_id, session.options.reason, session.actor)
    session.answer(_record_document(record), lambda: f"model {record.model_id} is champion again")
    return OK


def _demo(session: _Session) -> int:
    record = open_demo(session.store, session.problem, session.progress(), session.options.sales)
    session.answer(
        _record_document(record), lambda: "simulated market " + record.market_id + "\n" + _record_text(record)
    )
    return OK


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form field=value")
    return name, value


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--home", type=Path, help="folder of the store (default: DOORSTEP_HOME, else ./var)")
    common.add_argument("--json", action="store_true", help="print the result as JSON")
    common.add_argument("--quiet", action="store_true", help="no progress on standard error")
    common.add_argument("--actor", default=_user(), help="name for the audit trail")
    common.add_argument("--role", choices=[role.value for role in Role], default=Role.MANAGER.value)
    parser = argparse.ArgumentParser(
        prog="python -m core",
        description="Doorstep: from sales files to a priced home.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, help_text: str, run: Callable[[_Session], int]) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=help_text, description=help_text, parents=[common])
        made.set_defaults(run=run)
        return made

    made = verb("ingest", "take sales, tax and neighbourhood files in as a new data version", _ingest)
    made.add_argument("files", nargs="+", metavar="FILE", help="CSV or TSV, also gzipped")
    made.add_argument("--market", help="market to add to; made if new")
    made.add_argument("--currency", default="USD", help="ISO code of a new market's currency (default USD)")
    made.add_argument("--area-unit", choices=["sqft", "sqm"], default="sqft", help="how a new market shows areas")
    made.add_argument("--mapping", help="JSON column mapping instead of the guessed one")
    made = verb("train", "train, measure and register a model on the latest data version", _train)
    made.add_argument("--market")
    made.add_argument("--split", choices=["random", "time"], default="random")
    made.add_argument("--seed", type=int)
    made.add_argument("--family", action="append", choices=[family.value for family in Family], help="repeatable")
    made.add_argument("--forest-budget", type=int, help="forest settings tried")
    made = verb("evaluate", "show a model's sealed test, or measure it on later sales", _evaluate)
    made.add_argument("--market")
    made.add_argument("--model", help="model id (default: the champion)")
    made.add_argument("--later", action="store_true", help="measure on sales after the model's latest")
    made = verb("price", "price one property, or a CSV of many", _price)
    made.add_argument("--market")
    made.add_argument(
        "--set",
        nargs="+",
        action="extend",
        type=_pair,
        default=[],
        metavar="FIELD=VALUE",
        help="facts, canonical names",
    )
    made.add_argument("--csv", help="file of listings")
    made.add_argument("--as-of", type=date.fromisoformat, help="valuation date, YYYY-MM-DD (default today)")
    made.add_argument("--level", type=float, choices=load_problem().estimate.levels)
    made = verb("models", "list the models of a market", _models)
    made.add_argument("--market")
    made = verb("promote", "make a model the champion", _promote)
    made.add_argument("model")
    made.add_argument("--reason", required=True)
    made = verb("rollback", "bring back the previous champion", _rollback)
    made.add_argument("--market")
    made.add_argument("--reason", required=True)
    made = verb("demo", "open the simulated demo city", _demo)
    made.add_argument("--sales", type=int, default=50_000)
    return parser


def _user() -> str:
    try:
        return getpass.getuser()
    except OSError:
        return "unknown"
