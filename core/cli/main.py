"""The command line: every capability without a browser, for people and for scripts."""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from core.access import Actor, Role
from core.accounting import FileAccounting
from core.collect.mapping import ColumnMapping
from core.demo.opening import open_demo_with_story
from core.errors import DoorstepError, ImpossibleProperty, MappingError, NotFound, StoreError
from core.installation import version
from core.problem import Problem, load_problem
from core.progress import Progress, silent
from core.schema import FIELD_BY_NAME, FieldKind
from core.serve.estimate import Estimate, Refused, Unavailable
from core.store import Market, ModelRecord, Store, open_store
from core.store.ledger.figures import Slice
from core.train.candidates import Family
from core.train.trainer import default_plan
from core.workflows.data.intake import NewMarket, SourceFile, ingest
from core.workflows.models.backtest import backtest_version
from core.workflows.models.backtest import document as backtest_document
from core.workflows.models.gate import document_of
from core.workflows.models.retraining import retrain, window_named
from core.workflows.models.training import card_figure, evaluate_model, train_model
from core.workflows.monitoring.alerts import alert_lines, open_alerts, watch_market
from core.workflows.monitoring.ledger_export import ledger_to_file
from core.workflows.pricing.answers import Question, price_and_record
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.pricing.many_homes import in_file_order, price_file, record_file
from core.workflows.promotion import promote_challenger, rollback
from core.workflows.worker import run_worker, settings_of

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
  python -m core retrain --market springfield --window months=24
  python -m core promote MODEL --reason "better on luxury homes"
  python -m core rollback --market springfield --reason "bias in the north"
  python -m core watch --market springfield
  python -m core ledger ledger.csv --market springfield --since 2025-01-01
  python -m core worker

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

    def print_result(self, document: dict[str, Any], text: Callable[[], str]) -> None:
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

    session.print_result(document, text)
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
    session.print_result(_record_document(record), lambda: _record_text(record))
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
        session.print_result(_record_document(record), lambda: _record_text(record))
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

    session.print_result({"model": record.model_id, "version": version.version_id, **figures}, text)
    return OK


def _price(session: _Session) -> int:
    options = session.options
    desk = open_desk(session.store, session.market().market_id, session.problem)
    as_of = options.as_of or desk.valuation_date(_today())
    if options.csv:
        return _price_csv(session, desk, as_of)
    question = Question(_typed(options.set), as_of, options.level or session.problem.estimate.level)
    answered = price_and_record(session.store, desk, question, "command line", session.actor)
    if answered.estimate_id is None:
        print("warning: the estimate is not in the ledger yet; see the log", file=sys.stderr)
    result, named = answered.result, {"estimate_id": answered.estimate_id}
    match result:
        case Refused():
            raise ImpossibleProperty(result.message)
        case Unavailable():
            session.print_result(asdict(result) | named, lambda: f"{result.message}\n{result.reason} {result.remedy}")
            return UNPRICED
        case Estimate():
            session.print_result(
                asdict(result) | named, lambda: f"{_estimate_text(result)}\nestimate {answered.estimate_id}"
            )
            return OK


def _typed(pairs: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Return facts with numbers as numbers, so that the ledger keeps them as it keeps those of a page."""
    facts: dict[str, object] = dict(pairs)
    for name, text in pairs:
        field = FIELD_BY_NAME.get(name)
        if field is not None and field.kind in (FieldKind.NUMBER, FieldKind.FLAG):
            with suppress(ValueError):
                facts[name] = float(text)
    return facts


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
    session.print_result(document, lambda: rows.to_csv(index=False).rstrip())
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

    session.print_result({"models": [_record_document(record) for record in records]}, text)
    return OK


def _promote(session: _Session) -> int:
    options = session.options
    record = promote_challenger(session.store, options.model, options.reason, session.actor, session.problem)
    session.print_result(_record_document(record), lambda: f"model {record.model_id} is champion of {record.market_id}")
    return OK


def _retrain(session: _Session) -> int:
    plan = window_named(session.options.window)
    market_id = session.market().market_id
    done = retrain(session.store, market_id, plan, session.actor, session.problem, session.progress())
    gated, record = done.gate.gate, done.record
    document = {"model": record.model_id, "market": market_id, "stage": record.stage, "gate": document_of(done.gate)}

    def text() -> str:
        return f"model {record.model_id}: {record.stage}, trained on {plan.words}\ngate: {gated.verdict}\n{gated.words}"

    session.print_result(document, text)
    return OK


def _rollback(session: _Session) -> int:
    record = rollback(session.store, session.market().market_id, session.options.reason, session.actor)
    session.print_result(_record_document(record), lambda: f"model {record.model_id} is champion again")
    return OK


def _backtest(session: _Session) -> int:
    options, store = session.options, session.store
    market = session.market()
    latest = store.versions.latest(market.market_id)
    version_id = options.version or (latest.version_id if latest else "")
    if not version_id:
        raise NotFound(f"Market {market.name!r} has no sales yet. Take in a sales file first.")
    plan = replace(default_plan(session.problem), curve_shares=())
    if options.family:
        plan = replace(plan, families=tuple(Family(name) for name in options.family))
    first = options.start
    done = backtest_version(store, version_id, first, plan, session.problem, session.progress(), session.actor)
    told = backtest_document(done)

    def text() -> str:
        lines = [f"{'month':8}{'sales':>7}{'level off':>11}{'level on':>10}{'retrained':>11}   MAPE"]
        lines += [
            f"{month['month']:8}{month['n']:>7,}{month['mape_off']:>11.2%}{month['mape_on']:>10.2%}"
            f"{month['mape_retrained']:>11.2%}"
            for month in told["months"]
        ]
        lines += [f"{one['period']} {one['kind']} {one['state']}: {one['words']}" for one in told["alerts"]]
        lines += [f"cause: {told['cause']['words']}"] if told["cause"] else []
        lines += [f"gate: {told['gate']['verdict']}: {told['gate']['words']}"] if told["gate"] else []
        return "\n".join([*lines, f"promoted: {told['promoted'] or 'no'}"])

    session.print_result(told, text)
    return OK


def _demo(session: _Session) -> int:
    record = open_demo_with_story(session.store, session.problem, session.progress(), session.options.sales)
    session.print_result(
        _record_document(record), lambda: "simulated market " + record.market_id + "\n" + _record_text(record)
    )
    return OK


def _watch(session: _Session) -> int:
    """One turn: of the market named, or of all."""
    options, store = session.options, session.store
    markets = [session.market()] if options.market else store.markets.list()
    watched = [watch_market(store, one.market_id, _today(), session.problem, session.actor) for one in markets]
    document = {
        "markets": [
            {
                "market": one.market_id,
                "as_of": one.clock,
                "opened": [alert.alert_id for alert in one.opened],
                "resolved": [alert.alert_id for alert in one.resolved],
                "open": [asdict(alert) for alert in one.open],
                "notes": list(one.notes),
            }
            for one in watched
        ]
    }

    def text() -> str:
        lines = []
        for one in watched:
            changed = f"{len(one.opened)} opened, {len(one.resolved)} resolved, {len(one.open)} not resolved"
            lines += [f"{one.market_id} as of {one.clock}: {changed}", *alert_lines(one.open), *one.notes]
        return "\n".join(lines) or "no markets yet"

    session.print_result(document, text)
    return OK


def _alerts(session: _Session) -> int:
    store, market = session.store, session.market()
    alerts = open_alerts(store, market.market_id, session.actor)
    if session.options.all:
        alerts = tuple(store.alerts.list(market.market_id))
    document = {"market": market.market_id, "alerts": [asdict(alert) for alert in alerts]}
    session.print_result(document, lambda: "\n".join(alert_lines(alerts)) or "no open alerts")
    return OK


def _ledger(session: _Session) -> int:
    options, market = session.options, session.market()
    where = Slice(options.since, options.until)
    size = ledger_to_file(session.store, market.market_id, where, options.file, session.actor)
    document = {"market": market.market_id, "file": options.file, "bytes": size, **vars(where)}
    session.print_result(document, lambda: f"ledger of {market.market_id} in {options.file}, {size:,} bytes")
    return OK


def _worker(session: _Session) -> int:
    level = logging.WARNING if session.options.quiet else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    run_worker(session.store, session.problem, settings_of(vars(session.options)))
    return OK


class _ShowVersion(argparse.Action):
    """Argparse's own action would need the version, which is in a file, whenever the parser is built."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print the version and end."""
        print(f"doorstep {version()}")
        parser.exit(OK)


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes <= 7 * 24 * 60:
        raise argparse.ArgumentTypeError(f"{text} minutes must be above 0 and at most a week")
    return minutes


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
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and end")
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
    _add_model_verbs(verb)
    _add_monitoring(verb)
    made = verb("demo", "open the simulated demo city", _demo)
    made.add_argument("--sales", type=int, default=50_000)
    return parser


def _add_monitoring(verb: Callable[[str, str, Callable[[_Session], int]], argparse.ArgumentParser]) -> None:
    made = verb("backtest", "price a market's past month by month, without and with the market level", _backtest)
    made.add_argument("--market")
    made.add_argument("--version", help="data version (default: the latest)")
    made.add_argument("--start", type=date.fromisoformat, required=True, help="first day after the training sales")
    made.add_argument("--family", action="append", choices=[family.value for family in Family], help="repeatable")
    made = verb("watch", "judge the figures of late once: open and resolve alerts", _watch)
    made.add_argument("--market", help="only this market (default: all)")
    made = verb("alerts", "list the alerts of a market that are not resolved", _alerts)
    made.add_argument("--market")
    made.add_argument("--all", action="store_true", help="those resolved too")
    made = verb("ledger", "write the estimates given, with decisions and sales, to a CSV file", _ledger)
    made.add_argument("file", type=Path)
    made.add_argument("--market")
    made.add_argument("--since", type=date.fromisoformat, help="first day of the estimates, YYYY-MM-DD (UTC)")
    made.add_argument("--until", type=date.fromisoformat, help="last day of the estimates, YYYY-MM-DD (UTC)")
    made = verb("worker", "watch every market and retrain on schedule, until ended by SIGTERM or Ctrl-C", _worker)
    made.add_argument("--every", type=_minutes, default=60.0, metavar="MINUTES", help="time between turns (default 60)")
    made.add_argument(
        "--on-alert", choices=["notify", "retrain"], default="notify", help="what an open alert on accuracy starts"
    )


_Verb = Callable[[str, str, Callable[[_Session], int]], argparse.ArgumentParser]


def _add_model_verbs(verb: _Verb) -> None:
    made = verb("models", "list the models of a market", _models)
    made.add_argument("--market")
    made = verb("retrain", "train a challenger and hold it against the champion on the latest sales", _retrain)
    made.add_argument("--market")
    made.add_argument(
        "--window", default="all", help="sales learned from: all (default), months=24, or half-life=365 (days)"
    )
    made = verb("promote", "make a model the champion", _promote)
    made.add_argument("model")
    made.add_argument("--reason", default="", help="why; demanded where the gate does not speak for the model")
    made = verb("rollback", "bring back the previous champion", _rollback)
    made.add_argument("--market")
    made.add_argument("--reason", required=True)


def _user() -> str:
    try:
        return getpass.getuser()
    except OSError:
        return "unknown"
