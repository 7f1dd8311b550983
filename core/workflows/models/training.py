"""From a data version to a model: train, open the sealed test once, and register it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.errors import NotFound
from core.evaluate.card.headline import to_card
from core.evaluate.headline import headline
from core.evaluate.scope import propose_scope
from core.evaluate.scored_sales import ScoredSales
from core.prepare.features.facts import find_facts
from core.progress import Progress, part
from core.states import AuditAction
from core.store import DataVersion, Market, ModelRecord, NewModel, Store
from core.store.patience import patiently
from core.train.bundle import Bundle, from_bytes, seal, to_bytes
from core.train.trainer import Trained, TrainingPlan, train
from core.workflows.doubts.price_tellers import refuse_price_tellers
from core.workflows.models.floor import Floor, floor_to_card, measure_floor
from core.workflows.models.scope import proposal_to_card
from core.workflows.models.test_scores import (
    SCORES,
    OpenedTest,
    keep_scores,
    open_test,
    record_as_live,
    score_test,
)
from core.workspace import Workspace


@dataclass(frozen=True)
class KnownSales:
    """The sales of a market's latest data version, in the order of ``intake_row``."""

    market: Market
    version: DataVersion
    table: pd.DataFrame


def known_sales(store: Store, market_id: str) -> KnownSales:
    """Return the sales on which a market's model may be trained; raises NotFound if there are none, ArtifactCorrupt."""
    market, version = store.markets.get(market_id), store.versions.latest(market_id)
    if version is None:
        raise NotFound(f"Market {market.name!r} has no sales yet. Import a sales file first.")
    table = store.versions.load(version.version_id).sort_values("intake_row", kind="stable")
    return KnownSales(market, version, table.reset_index(drop=True))


@dataclass(frozen=True)
class MadeModel:
    """A trained and tested model that is not registered yet; ``opened`` are its test sales as priced."""

    trained: Trained
    bundle: Bundle
    opened: OpenedTest
    scored: ScoredSales
    floor: Floor


def make_model(workspace: Workspace, known: KnownSales, plan: TrainingPlan, progress: Progress) -> MadeModel:
    """Train a model and open its sealed test sales, once; raises TooFewSales, TrainError, PriceGivenAway."""
    problem = workspace.problem
    sales, market, version = known.table, known.market, known.version
    facts = find_facts(sales)
    refuse_price_tellers(sales, (*facts.numeric, *facts.categorical), market.currency)
    trained = train(sales, version.rows_seen, plan, problem, part(progress, 0.0, 0.92))
    progress(0.92, "Opening the sealed test sales")
    opened = open_test(trained, sales, problem)
    record = record_as_live(trained, opened, sales, problem)
    bundle = seal(
        trained,
        market_id=market.market_id,
        currency=market.currency,
        version_id=version.version_id,
        held=record.held,
        came_true=record.came_true,
        metrics=opened.evaluation.metrics(),
    )
    main, test = opened.priced[problem.estimate.level], sales.iloc[opened.rows]
    floor = measure_floor(main, test, sales[~trained.split.test], problem)
    return MadeModel(trained, bundle, opened, score_test(opened, trained, bundle, sales, market, problem), floor)


def register(workspace: Workspace, made: MadeModel, more: Mapping[str, Any]) -> ModelRecord:
    """Register a model as a candidate; ``more`` is added to its card permanently.

    A store that is locked or away for a while does not lose the training. Raises StoreError.
    """
    store = workspace.store
    bundle = made.bundle
    test, scope = headline(made.scored, workspace.problem), propose_scope(made.scored, workspace.problem)
    figures = (
        to_card(test) | floor_to_card(made.floor) | proposal_to_card(scope) | {SCORES: keep_scores(store, made.scored)}
    )
    card = bundle.card() | figures | dict(more)
    new = NewModel(bundle.market_id, bundle.version_id, to_bytes(bundle), card)
    record = patiently(lambda: store.models.add(new, workspace.actor))
    detail = {"sales": made.opened.evaluation.n, "split": made.trained.split.name}
    opened = (workspace.actor, AuditAction.TEST_OPENED, bundle.market_id, record.model_id, detail)
    patiently(lambda: store.events.record(*opened))
    return record


def load_model(store: Store, model_id: str) -> Bundle:
    """Load a registered model after verifying its hash; raises NotFound, ArtifactCorrupt."""
    return from_bytes(store.models.load_bytes(model_id))
