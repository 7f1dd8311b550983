"""The verbs for models, from training to rollback: their arguments and their handlers."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from core.cli.session import OK, AddVerb, Session
from core.errors import NotFound

if TYPE_CHECKING:
    from core.store import ModelRecord


def add_verbs(verb: AddVerb) -> None:
    """Declare the verbs and their arguments."""
    train = verb("train", "train, test and register a model on the latest data version", _train)
    train.add_argument("--market")
    train.add_argument("--split", choices=["random", "time"], default="random")
    train.add_argument("--seed", type=int)
    train.add_argument("--family", action="append", type=_family, help="candidate family; repeatable")
    train.add_argument("--forest-budget", type=int, help="number of forest settings to try")
    evaluate = verb("evaluate", "show a model's sealed test, or measure it on later sales", _evaluate)
    evaluate.add_argument("--market")
    evaluate.add_argument("--model", help="model id (default: the champion)")
    evaluate.add_argument("--later", action="store_true", help="measure it on sales after the model's latest sale")
    models = verb("models", "list the models of a market", _models)
    models.add_argument("--market")
    retrain = verb("retrain", "train a challenger and compare it with the champion on the latest sales", _retrain)
    retrain.add_argument("--market")
    retrain.add_argument(
        "--window", default="all", help="training sales: all (default), months=24, or half-life=365 (days)"
    )
    promote = verb("promote", "make a model the champion", _promote)
    promote.add_argument("model")
    promote.add_argument("--reason", default="", help="why; required unless the gate passed the model")
    rollback = verb("rollback", "restore the previous champion", _rollback)
    rollback.add_argument("--market")
    rollback.add_argument("--reason", required=True)
    reject = verb("reject", "reject a challenger or candidate, so that it is not offered for promotion", _reject)
    reject.add_argument("model")
    reject.add_argument("--reason", default="", help="why; required to reject")
    reject.add_argument("--undo", action="store_true", help="take the rejection back")
    backtest = verb("backtest", "price a market's past month by month, without and with the market level", _backtest)
    backtest.add_argument("--market")
    backtest.add_argument("--version", help="data version (default: the latest)")
    backtest.add_argument("--start", type=date.fromisoformat, required=True, help="first day after the training sales")
    backtest.add_argument("--family", action="append", type=_family, help="candidate family; repeatable")
    demo = verb("demo", "open the simulated demo city", _demo)
    demo.add_argument("--sales", type=int, default=50_000)


def _family(text: str) -> str:
    from core.states import Family

    families = [family.value for family in Family]
    if text not in families:
        raise argparse.ArgumentTypeError(f"{text!r} is not a model family; choose one of: {', '.join(families)}")
    return text


def _train(session: Session) -> int:
    from core.states import Family
    from core.train.trainer import default_plan
    from core.workflows.training import train_model

    options, plan = session.options, default_plan(session.workspace.problem)
    families = tuple(Family(name) for name in options.family) if options.family else plan.families
    plan = replace(
        plan,
        split=options.split,
        seed=plan.seed if options.seed is None else options.seed,
        families=families,
        forest_budget=plan.forest_budget if options.forest_budget is None else options.forest_budget,
    )
    market = session.market()
    record = train_model(session.workspace, market.market_id, plan, session.progress())
    session.print_result(_record_document(record), lambda: _record_text(record))
    return OK


def _record_document(record: ModelRecord) -> dict[str, Any]:
    return {
        "model": record.model_id,
        "market": record.market_id,
        "stage": record.stage,
        "rejected_why": record.rejected_why,
        "created_at": record.created_at.isoformat(),
        "size_bytes": record.size_bytes,
        **record.card,
    }


def _record_text(record: ModelRecord) -> str:
    from core.evaluate.card.headline import headline_of

    card = record.card
    test = headline_of(card)
    lines = [f"{'model':34}{'trained on':>11}{'MAPE':>8}{'PPE10':>8}{'fit s':>8}{'ms':>7}{'MB':>7}"]
    lines += [
        f"{score['family'] + ', ' + score['settings']:.33}".ljust(34)
        + f"{score['trained_rows']:>11,}{score['mape']:>8.2%}{score['ppe10']:>8.1%}{score['fit_seconds']:>8.1f}"
        + f"{score['latency_ms']:>7.1f}{score['size_bytes'] / 1e6:>7.1f}"
        for score in card["leaderboard"]
    ]
    figures = [
        f"{name}: {test[key].value:.2%} (95% interval {test[key].low:.2%} to {test[key].high:.2%})"
        for name, key in (("MAPE", "mape"), ("MdAPE", "mdape"), ("PPE10", "ppe10"), ("bias", "bias"))
    ]
    coverage = f"{test.level:.0%} range held {test['coverage'].value:.1%}, mean width {test['width'].value:.1%}"
    return "\n".join(
        [
            "validation:",
            *(f"  {line}" for line in lines),
            f"test, {card['split']} split, {test.words}:",
            *(f"  {line}" for line in [*figures, f"R²: {test['r_squared'].value:.4f}", coverage]),
            f"model {record.model_id}: {record.stage}",
        ]
    )


def _evaluate(session: Session) -> int:
    from core.evaluate.card.headline import sales_words
    from core.evaluate.headline import headline
    from core.workflows.models.test_scores import later_scores

    market, store = session.market(), session.workspace.store
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
        return (
            f"model {record.model_id} on {words}: MAPE {figures['mape'].value:.2%}, "
            f"PPE10 {figures['ppe10'].value:.1%}, bias {figures['bias'].value:+.2%}, "
            f"coverage {figures['coverage'].value:.1%}"
        )

    document = {"model": record.model_id, "version": version.version_id, "sales": found.sales}
    session.print_result(document | {name: asdict(figure) for name, figure in figures.items()}, text)
    return OK


def _models(session: Session) -> int:
    from core.evaluate.card.headline import headline_of

    records = session.workspace.store.models.list(session.market().market_id)

    def text() -> str:
        return (
            "\n".join(
                f"{record.model_id}  {record.stage:10}  {record.created_at:%Y-%m-%d %H:%M} UTC"
                f"  {record.card['family']:18}"
                f"  test MAPE {headline_of(record.card)['mape'].value:.2%}"
                f"  PPE10 {headline_of(record.card)['ppe10'].value:.1%}"
                for record in records
            )
            or "no models yet"
        )

    session.print_result({"models": [_record_document(record) for record in records]}, text)
    return OK


def _promote(session: Session) -> int:
    from core.workflows.promotion import promote_challenger

    options = session.options
    record = promote_challenger(session.workspace, options.model, options.reason)
    session.print_result(_record_document(record), lambda: f"model {record.model_id} is champion of {record.market_id}")
    return OK


def _retrain(session: Session) -> int:
    from core.workflows.models.gate import document_of
    from core.workflows.models.retraining import retrain, window_named

    plan = window_named(session.options.window)
    market_id = session.market().market_id
    done = retrain(session.workspace, market_id, plan, session.progress())
    gated, record = done.gate.gate, done.record
    document = {"model": record.model_id, "market": market_id, "stage": record.stage, "gate": document_of(done.gate)}

    def text() -> str:
        return f"model {record.model_id}: {record.stage}, trained on {plan.words}\ngate: {gated.verdict}\n{gated.words}"

    session.print_result(document, text)
    return OK


def _rollback(session: Session) -> int:
    from core.workflows.promotion import rollback

    record = rollback(session.workspace, session.market().market_id, session.options.reason)
    session.print_result(_record_document(record), lambda: f"model {record.model_id} is champion again")
    return OK


def _reject(session: Session) -> int:
    from core.workflows.promotion import reinstate, reject

    options = session.options
    deed = reinstate if options.undo else reject
    record = deed(session.workspace, options.model, options.reason)
    session.print_result(
        _record_document(record), lambda: f"model {record.model_id} is {record.stage} of {record.market_id}"
    )
    return OK


def _backtest(session: Session) -> int:
    from core.states import Family
    from core.train.trainer import default_plan
    from core.workflows.models.backtest import backtest_version
    from core.workflows.models.backtest import document as backtest_document

    options, store = session.options, session.workspace.store
    market = session.market()
    latest = store.versions.latest(market.market_id)
    version_id = options.version or (latest.version_id if latest else "")
    if not version_id:
        raise NotFound(f"Market {market.name!r} has no sales yet. Import a sales file first.")
    plan = replace(default_plan(session.workspace.problem), curve_shares=())
    if options.family:
        plan = replace(plan, families=tuple(Family(name) for name in options.family))
    first = options.start
    done = backtest_version(session.workspace, version_id, first, plan, session.progress())
    document = backtest_document(done)

    def text() -> str:
        lines = [f"{'month':8}{'sales':>7}{'level off':>11}{'level on':>10}{'retrained':>11}   MAPE"]
        lines += [
            f"{month['month']:8}{month['n']:>7,}{month['mape_off']:>11.2%}{month['mape_on']:>10.2%}"
            f"{month['mape_retrained']:>11.2%}"
            for month in document["months"]
        ]
        lines += [f"{one['period']} {one['kind']} {one['state']}: {one['words']}" for one in document["alerts"]]
        lines += [f"cause: {document['cause']['words']}"] if document["cause"] else []
        lines += [f"gate: {document['gate']['verdict']}: {document['gate']['words']}"] if document["gate"] else []
        return "\n".join([*lines, f"promoted: {document['promoted'] or 'no'}"])

    session.print_result(document, text)
    return OK


def _demo(session: Session) -> int:
    from core.demo.opening import open_demo_with_story

    record = open_demo_with_story(session.workspace, session.progress(), session.options.sales)
    session.print_result(
        _record_document(record), lambda: "simulated market " + record.market_id + "\n" + _record_text(record)
    )
    return OK
