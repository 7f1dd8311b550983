"""The verbs for models, from training to rollback: their arguments and their handlers."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from core.access import REASON_MIN
from core.cli.session import FAILED, OK, AddVerb, Session, add_market
from core.cli.values import calendar_day, family, whole_number
from core.demo import SALES_USUAL
from core.errors import NotFound, WrongUsage
from core.states import Family, Stage

if TYPE_CHECKING:
    from core.evaluate.accuracy import Figure
    from core.problem import Problem
    from core.store import ModelRecord
    from core.workflows.models.retraining import RetrainPlan

_SEED_MAX: Final = 2_000_000_000  # as in the problem statement
_TIME: Final = "time"
_MODEL: Final = "id of the model, as `models` lists it, or its first characters"
_HERE: Final = "; it is no job: it runs in this process, and Ctrl+C stops it"
_WHY: Final = f"why, in at least {REASON_MIN} characters; required"
_JOB_HERE: Final = "; it is a job that runs in this process: Ctrl+C or `cancel` stops it"


def add_verbs(verb: AddVerb) -> None:
    """Declare the verbs and their arguments."""
    _add_train(verb)
    evaluate = verb("evaluate", "show a model's sealed test, or measure it on later sales", _evaluate)
    add_market(evaluate)
    evaluate.add_argument("--model", help=f"{_MODEL} (default: the live model)")
    evaluate.add_argument("--later", action="store_true", help="measure it on sales after the model's latest sale")
    models = verb("models", "list the models of a market", _models)
    add_market(models)
    retrain = verb(
        "retrain", f"train a challenger and compare it with the live model on the latest sales{_JOB_HERE}", _retrain
    )
    add_market(retrain)
    retrain.add_argument(
        "--window", default="all", help="training sales: all (default), months=24, or half-life=365 (days)"
    )
    retrain.add_argument(
        "--all-markets",
        action="store_true",
        help="retrain every market with a live model, a job for each; running workers help; nothing is promoted",
    )
    retrain.set_defaults(check=_check_retrain)
    promote = verb("promote", "make a model the live one", _promote)
    promote.add_argument("model", help=_MODEL)
    promote.add_argument("--reason", default="", help=f"{_WHY} unless the gate passed the model")
    rollback = verb("rollback", "make the live model of before live again", _rollback)
    add_market(rollback)
    rollback.add_argument("--reason", default="", help=_WHY)
    reject = verb("reject", "reject a challenger or candidate, so that it is not offered for promotion", _reject)
    reject.add_argument("model", help=_MODEL)
    reject.add_argument("--reason", default="", help=_WHY)
    reject.add_argument(
        "--undo",
        action="store_true",
        help="take the rejection back, or bring back a challenger that another replaced undecided, or one beside it",
    )
    backtest = verb(
        "backtest", f"price a market's past month by month, without and with the market level{_HERE}", _backtest
    )
    add_market(backtest)
    backtest.add_argument("--version", help="id of the data version (default: the latest)")
    backtest.add_argument(
        "--start",
        type=calendar_day,
        required=True,
        metavar="YYYY-MM-DD",
        help="first day to price; sales before it train the model",
    )
    _add_families(backtest)
    demo = verb("demo", f"open the simulated demo city{_HERE}", _demo)
    demo.add_argument(
        "--sales",
        type=whole_number(),
        default=SALES_USUAL,
        metavar="N",
        help=f"number of simulated sales (default: {SALES_USUAL:,})",
    )


def _add_train(verb: AddVerb) -> None:
    train = verb("train", f"train, test and register a model on the latest data version{_JOB_HERE}", _train)
    add_market(train)
    train.add_argument(
        "--split",
        choices=["random", _TIME],
        default="random",
        help="test on sales drawn at random, or on the latest ones (default: %(default)s)",
    )
    train.add_argument(
        "--test-from",
        type=calendar_day,
        metavar="YYYY-MM-DD",
        help="first day of the test of a split by time (default: the share of sales of the problem statement)",
    )
    train.add_argument(
        "--seed",
        type=whole_number(0, _SEED_MAX),
        help="seed of every random choice; the same seed gives the same model (default: of the problem statement)",
    )
    _add_families(train)
    train.add_argument(
        "--forest-budget",
        type=whole_number(0),
        metavar="N",
        help="number of random forest settings to try; 0 leaves the forest out (default: of the problem statement)",
    )
    train.set_defaults(check=_check_train)


def _add_families(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(one.value for one in Family)
    parser.add_argument(
        "--family",
        action="append",
        type=family,
        metavar="NAME",
        help=f"model family to try, may be given several times (default: all): {names}",
    )


def _check_train(options: argparse.Namespace) -> None:
    if options.test_from is not None and options.split != _TIME:
        raise WrongUsage("--test-from is the first day of the test of a split by time; add --split time.")
    if options.forest_budget == 0 and Family.FOREST.value in (options.family or ()):
        raise WrongUsage(
            f"--forest-budget 0 leaves the {Family.FOREST} out, but --family asks for it; give a budget of at least 1, "
            "or leave one of the two options out."
        )


def _train(session: Session) -> int:
    from core.train.trainer import default_plan
    from core.workflows.jobs import TrainTask, do_here
    from core.workflows.models.model_form import model_form

    options, plan = session.options, default_plan(session.workspace.problem)
    families = tuple(Family(name) for name in options.family) if options.family else plan.families
    plan = replace(
        plan,
        split=options.split,
        test_from=options.test_from,
        seed=plan.seed if options.seed is None else options.seed,
        families=families,
        forest_budget=plan.forest_budget if options.forest_budget is None else options.forest_budget,
    )
    market = session.market()
    record = do_here(session.workspace, TrainTask(market.market_id, plan), session.progress())
    session.print_result(model_form(record), lambda: _record_text(record, session.workspace.problem))
    return OK


def _record_text(record: ModelRecord, problem: Problem) -> str:
    from core.evaluate.card.headline import headline_of
    from core.evaluate.card.words import settings_words
    from core.wording import percent
    from core.workflows.models.floor import remarks

    card = record.card
    test = headline_of(card)
    names = [f"{score['family']}, {settings_words(score['settings'])}" for score in card["leaderboard"]]
    wide = max(32, *map(len, names)) + 2
    lines = [f"{'model':{wide}}{'trained on':>11}{'MAPE':>8}{'PPE10':>8}{'fit s':>8}{'ms':>7}{'MB':>7}"]
    lines += [
        f"{name:{wide}}"
        + f"{score['trained_rows']:>11,}{percent(score['mape'], 1):>8}{percent(score['ppe10'], 1):>8}"
        + f"{score['fit_seconds']:>8.1f}{score['latency_ms']:>7.1f}{score['size_bytes'] / 1e6:>7.1f}"
        for name, score in zip(names, card["leaderboard"], strict=True)
    ]
    figures = _figure_lines(test.figures)
    coverage = (
        f"{percent(test.level)} range held {percent(test['coverage'].value, 1)}, "
        f"mean width {percent(test['width'].value, 1)}"
    )
    return "\n".join(
        [
            "validation:",
            *(f"  {line}" for line in lines),
            f"test, {card['split']} split, {test.words}:",
            *(f"  {line}" for line in [*figures, f"R²: {test['r_squared'].value:.4f}", coverage]),
            f"model {record.model_id}: {'live' if record.is_live else record.stage}",
            *remarks(record, problem),
        ]
    )


def _figure_lines(figures: Mapping[str, Figure]) -> list[str]:
    """Return the main figures of a test, each in a line with its 95% interval."""
    from core.evaluate.headline import MEDIAN_BIAS
    from core.wording import percent, signed_percent

    named = {"MAPE": percent, "MdAPE": percent, "PPE10": percent}
    found = [(name, write, figures[name.lower()]) for name, write in named.items()]
    found.append((MEDIAN_BIAS, signed_percent, figures["bias"]))
    return [
        f"{name}: {write(a.value, 1)} (95% interval {write(a.low, 1)} to {write(a.high, 1)})"
        for name, write, a in found
    ]


def _evaluate(session: Session) -> int:
    from core.evaluate.card.headline import sales_words
    from core.evaluate.headline import headline
    from core.wording import percent
    from core.workflows.models.model_form import model_form
    from core.workflows.models.test_scores import later_scores

    market, store = session.market(), session.workspace.store
    wanted = session.options.model
    record = store.models.champion(market.market_id) if wanted is None else store.models.get(session.model_id(wanted))
    if record is None:
        raise NotFound(f"Market {market.name!r} has no live model. Train one first.")
    if record.market_id != market.market_id:
        raise NotFound(
            f"Model {record.model_id} is of market {record.market_id!r}, not of {market.market_id!r}; name its market."
        )
    if not session.options.later:
        session.print_result(model_form(record), lambda: _record_text(record, session.workspace.problem))
        return OK
    version = store.versions.latest(market.market_id)
    if version is None:
        raise NotFound(f"Market {market.name!r} has no sales yet. Import a sales file first.")
    scored = later_scores(session.workspace, record.model_id, version.version_id)
    found = headline(scored, session.workspace.problem)
    if found is None:
        raise NotFound(
            f"The desk gives no price for any of the {len(scored.table):,} sales since training; nothing is measured."
        )
    figures = {line.name: line.figure for line in found.lines}
    words = sales_words(figures["mape"].n, found.sales, "later sale")

    def text() -> str:
        held = figures["coverage"]
        level = percent(session.workspace.problem.estimate.level)
        ends = f"95% interval {percent(held.low, 1)} to {percent(held.high, 1)}"
        lines = [*_figure_lines(figures), f"{level} range held {percent(held.value, 1)} ({ends})"]
        return "\n".join([f"model {record.model_id} on {words}:", *(f"  {line}" for line in lines)])

    document = {"model": record.model_id, "version": version.version_id, "sales": found.sales}
    session.print_result(document | {name: asdict(figure) for name, figure in figures.items()}, text)
    return OK


def _models(session: Session) -> int:
    from core.evaluate.card.headline import headline_of
    from core.wording import market_instant, percent
    from core.workflows.models.floor import remarks
    from core.workflows.models.model_form import model_form
    from core.workflows.models.waiting import stage_word, waiting
    from core.workflows.overview import error_in_use
    from core.workflows.promotion import became

    workspace, market = session.workspace, session.market()
    records, standing = workspace.store.models.list(market.market_id), session.standing(market)
    waits = waiting(workspace.store, records)
    live = next((one for one in records if one.is_live), None)
    in_use = error_in_use(workspace.store, market, live.model_id) if live is not None else None

    def used(record: ModelRecord) -> str:
        return f"  in use MAPE {percent(in_use.value, 1)} ({in_use.n:,} sales)" if in_use and record is live else ""

    def text() -> str:
        if not records:
            return "no models yet"
        return (
            "\n".join(
                f"{record.model_id}  {stage_word(record, waits):16}  "
                f"{market_instant(record.created_at, market.currency):>23}"
                f"  {record.card['family']:18}"
                f"  test MAPE {percent(headline_of(record.card)['mape'].value, 1)}"
                f"  PPE10 {percent(headline_of(record.card)['ppe10'].value, 1)}"
                + used(record)
                + "".join(f"\n    {remark}" for remark in remarks(record, session.workspace.problem))
                + (f"\n    It {gone}." if (gone := became(workspace.store, market, record)) else "")
                for record in records
            )
            + f"\n{standing.sentence}"
        )

    document = {"standing": standing.sentence, "models": [model_form(record) for record in records]}
    session.print_result(document, text)
    return OK


def _promote(session: Session) -> int:
    from core.workflows.models.floor import broken_words
    from core.workflows.models.model_form import model_form
    from core.workflows.promotion import promote_challenger, promoter_of

    options = session.options
    model_id = session.model_id(options.model)
    was_live = session.workspace.store.models.get(model_id).is_live
    record = promote_challenger(session.workspace, model_id, options.reason)
    # Whoever promotes the live model again is not who made it live.
    promoted = promoter_of(session.workspace.store, record.model_id)
    by = {"promoted_by": promoted.actor if promoted else session.workspace.actor.name}
    misses = broken_words(record.card, session.workspace.problem, "It")
    session.print_result(
        model_form(record) | by,
        lambda: (
            f"model {record.model_id} is {'live already' if was_live else 'live'} in {record.market_id}"
            f"{', nothing was changed' if was_live else ''}; trained by {record.created_by}, "
            f"promoted by {by['promoted_by']}{f'. {misses}' if misses else ''}"
        ),
    )
    return OK


def _check_retrain(options: argparse.Namespace) -> None:
    if options.all_markets and options.market is not None:
        raise WrongUsage(f"--all-markets and --market {options.market} contradict each other; leave one out.")


def _retrain(session: Session) -> int:
    from core.workflows.jobs import RetrainTask, do_here
    from core.workflows.models.gate import document_of, gate_on
    from core.workflows.models.retraining import trained_words, window_named
    from core.workflows.promotion import would_displace

    plan = window_named(session.options.window)
    if session.options.all_markets:
        return _retrain_all(session, plan)
    market_id = session.market().market_id
    session.say(would_displace(session.workspace.store, market_id))
    record = do_here(session.workspace, RetrainTask(market_id, plan), session.progress())
    judged = gate_on(record)
    document = {
        "model": record.model_id,
        "market": market_id,
        "stage": record.stage,
        "gate": document_of(judged) if judged else None,
    }

    def text() -> str:
        gated = f"\ngate: {judged.gate.verdict}\n{judged.gate.words}" if judged else ""
        return f"model {record.model_id}: {record.stage}. {trained_words(record)}{gated}"

    session.print_result(document, text)
    return OK


def _retrain_all(session: Session, plan: RetrainPlan) -> int:
    from core.workflows.retrain_markets import report_document, retrain_markets

    reports = retrain_markets(session.workspace, plan, session.progress())
    document = report_document(reports)

    def text() -> str:
        lines = [f"{'market':20}  {'challenger':14}{'verdict':14}{'it ran':>10}  why"]
        lines += [
            f"{one.market_id:20}  {one.model_id or '-':14}{one.verdict or '-':14}{one.seconds:8,.0f} s  {one.words}"
            for one in reports
        ]
        lines.append(f"{document['retrained']:,} of {len(reports):,} markets have a challenger; none was promoted.")
        return "\n".join(lines)

    session.print_result(document, text)
    return FAILED if document["failed"] else OK


def _rollback(session: Session) -> int:
    from core.workflows.models.model_form import model_form
    from core.workflows.promotion import rollback

    record = rollback(session.workspace, session.market().market_id, session.options.reason)
    session.print_result(model_form(record), lambda: f"model {record.model_id} is live again")
    return OK


def _reject(session: Session) -> int:
    from core.workflows.models.model_form import model_form
    from core.workflows.promotion import reinstate, reject

    options = session.options
    deed = reinstate if options.undo else reject
    record = deed(session.workspace, session.model_id(options.model), options.reason)
    stage = record.stage if record.stage is Stage.REJECTED else f"a {record.stage} again"
    session.print_result(model_form(record), lambda: f"model {record.model_id} is {stage} in {record.market_id}")
    return OK


def _backtest(session: Session) -> int:
    from core.train.trainer import default_plan
    from core.wording import market_day, percent
    from core.workflows.models.backtest import backtest_version
    from core.workflows.models.backtest import document as backtest_document

    options, store = session.options, session.workspace.store
    market = session.market()
    latest = store.versions.latest(market.market_id)
    version = latest if options.version is None else store.versions.get(session.version_id(options.version))
    if version is None:
        raise NotFound(f"Market {market.name!r} has no sales yet. Import a sales file first.")
    if version.market_id != market.market_id:
        raise NotFound(
            f"Data version {version.version_id} is of market {version.market_id!r}, not of {market.market_id!r}; name "
            "its market."
        )
    plan = replace(default_plan(session.workspace.problem), curve_shares=())
    if options.family:
        plan = replace(plan, families=tuple(Family(name) for name in options.family))
    first = options.start
    done = backtest_version(session.workspace, version.version_id, first, plan, session.progress())
    document = backtest_document(done)

    def text() -> str:
        lines = [f"{'month':8}{'sales':>7}{'level off':>11}{'level on':>10}{'retrained':>11}   MAPE"]
        lines += [
            f"{month['month']:8}{month['n']:>7,}{percent(month['mape_off'], 1):>11}{percent(month['mape_on'], 1):>10}"
            f"{percent(month['mape_retrained'], 1):>11}"
            for month in document["months"]
        ]
        lines += [f"{one['period']} {_alert_words(one)}" for one in document["alerts"]]
        lines += [f"cause: {document['cause']['words']}"] if document["cause"] else []
        lines += [f"gate: {document['gate']['verdict']}: {document['gate']['words']}"] if document["gate"] else []
        return "\n".join([*lines, f"promoted: {market_day(done.promoted, market.currency) if done.promoted else 'no'}"])

    session.print_result(document, text)
    return OK


def _alert_words(alert: Mapping[str, str]) -> str:
    from core.monitor.rules import RULE_OF, AlertKind

    return f"{RULE_OF[AlertKind(alert['kind'])].title}, {alert['state']}: {alert['words']}"


def _demo(session: Session) -> int:
    from core.demo.opening import open_demo_with_story
    from core.workflows.models.model_form import model_form

    record = open_demo_with_story(session.workspace, session.progress(), session.options.sales)
    session.print_result(
        model_form(record),
        lambda: "simulated market " + record.market_id + "\n" + _record_text(record, session.workspace.problem),
    )
    return OK
