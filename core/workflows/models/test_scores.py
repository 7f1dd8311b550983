"""Use cases of a model's evaluation: open its sealed test, store the scores, read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from core.access import Action
from core.arrays import Floats, Ints, Objects
from core.errors import NotFound
from core.evaluate.accuracy import Evaluation, held_by_group, measure, reliability_of
from core.evaluate.area_trend import area_trends
from core.evaluate.behavior.month_ahead import price_month_ahead
from core.evaluate.behavior.overfitting import FitCheck, check_overfitting
from core.evaluate.scope import standard_prices
from core.evaluate.scored_sales import Background, Review, ScoredSales, Terms, from_bytes, score, to_bytes
from core.prepare.features.columns import Columns
from core.prepare.features.facts import AREA_CODES, FactColumns
from core.prepare.splits import TIME
from core.problem import Problem
from core.schema import NEIGHBOURHOOD_FIELDS, PROPERTY_FIELDS
from core.serve.estimate import range_refusal, too_wide
from core.serve.estimate_many import read_columns, read_subjects, refusals
from core.serve.flags import answers_of, estimate_flags, flag_rules, subject_flags
from core.serve.review.flag import Flag, FlagKind, Severity
from core.states import AuditAction
from core.store import Market, Store
from core.train.bundle import Bundle, RangeCoverage
from core.train.bundle import from_bytes as bundle_from_bytes
from core.train.model import Model, Priced, for_production
from core.train.trainer import Trained
from core.train.unknown_facts import GROUPS
from core.workflows.models.baseline import baseline_estimates
from core.workspace import Workspace

SCORES: Final = "scores"
"""The key of a model's card that names its test scores, by their SHA-256."""

LATER: Final = "later"

_FIELDS: Final = frozenset(field.name for field in (*PROPERTY_FIELDS, *NEIGHBOURHOOD_FIELDS))


@dataclass(frozen=True)
class OpenedTest:
    """Sales priced by a model: their positions in the table of sales, facts, answers by level, and the figures."""

    rows: Ints
    homes: Columns
    priced: Mapping[float, Priced]
    evaluation: Evaluation


def open_test(trained: Trained, sales: pd.DataFrame, problem: Problem) -> OpenedTest:
    """Price and measure the sealed test sales once; if they are the latest sales, month-ahead as in live use.

    ``sales`` are in the order of ``intake_row``, as in training.
    """
    seed = trained.plan.seed
    if trained.split.name == TIME:
        first = sales["sale_date"][trained.split.test].min().date()
        return open_month_ahead(trained.model, sales, first, problem, seed)
    rows, rules = np.flatnonzero(trained.split.test), problem.estimate
    test = sales.iloc[rows]
    filled = trained.model.fill(test)
    priced = trained.model.price_filled(filled, rules.levels, problem.success.tolerance)
    price = test["sale_price"].to_numpy(dtype=float)
    return OpenedTest(rows, filled, priced, measure(priced, price, rules.level, seed))


@dataclass(frozen=True)
class LiveRecord:
    """What live estimates did on the sealed test sales, for the bundle.

    ``held`` is what their ranges held, by level and group, ``came_true`` how often their confidences came true, by
    tenth.
    """

    held: Mapping[float, Mapping[str, RangeCoverage]]
    came_true: Mapping[int, RangeCoverage]


def record_as_live(trained: Trained, opened: OpenedTest, sales: pd.DataFrame, problem: Problem) -> LiveRecord:
    """Measure what the ranges and confidences of live estimates do on the sealed test sales.

    The sales are priced again, each from the sales before its own day only: a random test knows later ones too. All
    facts are known, then some are hidden at random; the groups of the latter are those of core.train.unknown_facts.
    """
    model, rules, priced = for_production(trained.model), problem.estimate, opened.priced
    if trained.split.name != TIME:
        priced = model.price_filled(opened.homes, rules.levels, problem.success.tolerance)
    price = sales["sale_price"].to_numpy(dtype=float)[opened.rows]
    complete = held_by_group(model, opened.homes, priced, price)
    hidden = _held_with_facts_hidden(model, trained, sales, problem)
    bins = reliability_of(priced[rules.level], price)
    return LiveRecord(
        held={level: {**held, **hidden.get(level, {})} for level, held in complete.items()},
        came_true={min(int(10 * one.promised), 9): RangeCoverage(one.observed, one.n) for one in bins},
    )


def _held_with_facts_hidden(
    model: Model, trained: Trained, sales: pd.DataFrame, problem: Problem
) -> dict[float, dict[str, RangeCoverage]]:
    rules, tolerance = problem.estimate, problem.success.tolerance
    if model.unknown is None:
        return {}
    known, test = model.unknown.known, trained.split.test
    hidden = np.zeros((len(sales), len(known.names)), dtype=bool)
    hidden[test] = known.draw(int(test.sum()), trained.plan.seed)
    seen = known.hide(sales, hidden)
    if trained.split.name == TIME:
        first = sales["sale_date"][test].min().date()
        ahead = price_month_ahead(model, sales, first, rules.levels, tolerance, seen)
        priced, price = ahead.priced, ahead.price
    else:
        priced = model.price_filled(model.fill(seen[test]), rules.levels, tolerance)
        price = sales["sale_price"].to_numpy(dtype=float)[test]
    return {level: _held_by_group(answers, price) for level, answers in priced.items()}


def _held_by_group(answers: Priced, price: Floats) -> dict[str, RangeCoverage]:
    inside = (price >= answers.low) & (price <= answers.high)
    found = {group: inside[answers.segments == group] for group in GROUPS}
    return {group: RangeCoverage(float(own.mean()), len(own)) for group, own in found.items() if len(own)}


def open_month_ahead(model: Model, sales: pd.DataFrame, first: date, problem: Problem, seed: int) -> OpenedTest:
    """Price and measure the sales since a day month by month, using only the sales before each month.

    Raises NotFound if there is no such sale.
    """
    rules = problem.estimate
    if not (sales["sale_date"] >= pd.Timestamp(first)).any():
        raise NotFound(f"There is no sale since {first}. Import newer sales.")
    ahead = price_month_ahead(model, sales, first, rules.levels, problem.success.tolerance)
    return OpenedTest(ahead.rows, ahead.homes, ahead.priced, measure(ahead.priced, ahead.price, rules.level, seed))


def score_test(
    opened: OpenedTest, trained: Trained, bundle: Bundle, sales: pd.DataFrame, market: Market, problem: Problem
) -> ScoredSales:
    """Return the scored table of the sealed test sales, with flags, baseline and area trends."""
    known = sales[~trained.split.test]
    test = sales.iloc[opened.rows]
    baseline = baseline_estimates(known, test, trained.model.facts, trained.plan.seed)
    terms = _terms(bundle, bundle.version_id, trained.split.name, market, problem)
    return _scored(opened, bundle, test, known, baseline, terms, problem)


def keep_scores(store: Store, scored: ScoredSales) -> str:
    """Store scores and return their SHA-256, for the model's card (key SCORES); raises StoreUnavailable."""
    return store.scores.put(to_bytes(scored))


def scores_of(workspace: Workspace, model_id: str) -> ScoredSales:
    """Return a model's scored test sales, verified against the hash on its card.

    Raises AccessDenied, NotFound for an unknown model or one trained before scores were kept, ArtifactCorrupt,
    ModelOutdated.
    """
    workspace.require(Action.VIEW_MODELS)
    sha256 = workspace.store.models.get(model_id).card.get(SCORES)
    if sha256 is None:
        raise NotFound(f"Model {model_id} was trained before test scores were kept. Train a new model to evaluate one.")
    return from_bytes(workspace.store.scores.read(str(sha256)))


def later_scores(workspace: Workspace, model_id: str, version_id: str) -> ScoredSales:
    """Score a data version's sales after the latest one a model has seen, month-ahead as in live use.

    Raises AccessDenied, NotFound if there is no such sale.
    """
    store, problem = workspace.store, workspace.problem
    workspace.require(Action.VIEW_MODELS)
    record, bundle = (
        store.models.get(model_id),
        bundle_from_bytes(store.models.load_bytes(model_id)),
    )
    sales = store.versions.load(version_id).sort_values("intake_row", kind="stable")
    last = bundle.model.profile.last_sale
    later = sales["sale_date"].dt.date > last
    if not later.any():
        raise NotFound(
            f"Data version {version_id} has no sale after {last}, the latest the model has seen. Import newer sales."
        )
    first = sales["sale_date"][later].min().date()
    opened = open_month_ahead(bundle.model, sales, first, problem, problem.training.seed)
    test, market = sales.iloc[opened.rows], store.markets.get(record.market_id)
    terms = _terms(bundle, version_id, LATER, market, problem)
    return _scored(opened, bundle, test, sales[~later], np.full(len(test), np.nan), terms, problem)


def fit_of(workspace: Workspace, model_id: str) -> FitCheck | None:
    """Return a model's overfitting check, with the number of times the market's test sets were opened.

    Raises AccessDenied, NotFound.
    """
    workspace.require(Action.VIEW_MODELS)
    record = workspace.store.models.get(model_id)
    return check_overfitting(record.card, workspace.store.events.count(record.market_id, AuditAction.TEST_OPENED))


def _terms(bundle: Bundle, version_id: str, split: str, market: Market, problem: Problem) -> Terms:
    scope, rules = standard_prices(bundle, problem), problem.estimate
    return Terms(
        market_id=market.market_id,
        data_version=version_id,
        split=split,
        seed=bundle.plan.seed,
        currency=bundle.currency,
        area_unit=market.area_unit,
        level=rules.level,
        levels=rules.levels,
        tolerance=problem.success.tolerance,
        standard_low=scope.low,
        standard_high=scope.high,
    )


def _scored(
    opened: OpenedTest,
    bundle: Bundle,
    test: pd.DataFrame,
    known: pd.DataFrame,
    baseline: Floats,
    terms: Terms,
    problem: Problem,
) -> ScoredSales:
    reviewed = list(_review_rows(test, opened.priced[terms.level], bundle, problem, terms.area_unit))
    review = Review(*(_objects([one[place] for one in reviewed]) for place in range(3)))
    background = Background(
        baseline, _trends(test, known, problem.estimate.small_sample_n), _objects([one[3] for one in reviewed])
    )
    return score(test, opened.priced, review, background, terms)


def _review_rows(
    test: pd.DataFrame, priced: Priced, bundle: Bundle, problem: Problem, area_unit: str
) -> Iterator[tuple[str, str, str, str]]:
    """Yield the desk's review of each sale: why it has no price, its flags, those to review, and missing facts."""
    model, rules = bundle.model, flag_rules(bundle, (), problem)
    columns = read_columns(test[facts_known(test, model.facts)], model, problem)
    subjects, failed = read_subjects(columns, test["sale_date"].dt.date.tolist(), problem)
    refused = dict(refusals(subjects, model, problem, bundle.currency, area_unit))
    unusable = too_wide(priced, problem).tolist()
    for position, (answer, wide) in enumerate(zip(answers_of(priced), unusable, strict=True)):
        if position in failed:
            yield failed[position].reason, "", "", ""
            continue
        subject = subjects[position]
        withheld = refused.get(position) or (range_refusal(answer, problem) if wide else None)
        if withheld is not None:
            yield withheld.reason, "", "", _missing(subject_flags(subject, rules))
            continue
        flags = flags_of_sale(estimate_flags(subject, answer, rules))
        yield "", _kinds(flag.kind for flag in flags), _kinds(_to_review(flags)), _missing(flags)


def flags_of_sale(flags: Iterable[Flag]) -> list[Flag]:
    """Return the flags of a test sale without those of unused facts: nobody gave them, a sale just records more."""
    return [flag for flag in flags if flag.kind is not FlagKind.FACT_NOT_USED]


def facts_known(sales: pd.DataFrame, facts: FactColumns) -> list[str]:
    """Return the columns of a sales table that hold a home's facts: those an agent may be asked for."""
    return [str(name) for name in sales.columns if name in _FIELDS or name in facts.all]


def _to_review(flags: list[Flag]) -> Iterator[str]:
    return (flag.kind for flag in flags if flag.severity is Severity.REVIEW)


def _missing(flags: Iterable[Flag]) -> str:
    return _kinds(flag.field for flag in flags if flag.kind is FlagKind.IMPUTED_FACT)


def _kinds(names: Iterable[Any]) -> str:
    return ";".join(dict.fromkeys(str(name) for name in names))


def _objects(values: list[str]) -> Objects:
    return np.array(values, dtype=object)


def _trends(test: pd.DataFrame, known: pd.DataFrame, smallest: int) -> Floats:
    """Return the price trend of each sale's area from the other sales, using the smallest area that has one."""
    end = test["sale_date"].max().date()
    trend = pd.Series(np.nan, index=test.index)
    for code in reversed(AREA_CODES):
        if code in test and known[code].notna().any():
            areas = area_trends(known, code, end, smallest).set_index("area")["trend"]
            trend = trend.fillna(test[code].map(areas).astype(float))
    return np.asarray(trend, dtype=np.float64)
