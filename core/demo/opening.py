"""Opens the demo city: imports simulated files and trains a model, in the same steps as for real sales."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from core.demo import SALES_USUAL
from core.demo.city import END
from core.demo.files import check_size, demo_files
from core.demo.intake import DEMO_ACTOR, take_in
from core.demo.story import tell_story
from core.errors import AlreadyExists
from core.problem import Problem
from core.progress import Progress, part, under
from core.store import ModelRecord, Store
from core.train.trainer import TrainingPlan, default_plan
from core.workflows.data.market_of_files import NewMarket, market_id_of
from core.workflows.monitoring.alerts import watch_market
from core.workflows.training import train_model
from core.workspace import Workspace

DEMO_MARKET: Final = "Larkhaven"
_SEED: Final = 2019
# A first visitor waits for this run: it tries fewer settings than a real one, on fewer folds.
_FOREST_BUDGET: Final = 2
_FOLDS: Final = 5


def open_demo(workspace: Workspace, progress: Progress, sales: int = SALES_USUAL) -> ModelRecord:
    """Simulate the city, import its three files, train and promote its first model.

    After an interruption (cancelled, killed), it resumes from what is already committed. Raises InvalidRecord for a
    number of sales that cannot be simulated, and then leaves nothing behind, StoreError, TrainError.
    """
    check_size(sales)
    progress(0.0, f"Inventing the homes and sales of {DEMO_MARKET}")
    store, workspace = workspace.store, workspace.acting_as(DEMO_ACTOR)
    market = _market(store)
    champion = store.models.champion(market) if isinstance(market, str) else None
    if champion is not None:
        progress(1.0, "The demo city is open")
        return champion
    if isinstance(market, NewMarket) or store.versions.latest(market) is None:
        # The city's present is the day after its last sale.
        opening_day = workspace.at(END + timedelta(days=1))
        bringing_in = under(part(progress, 0.0, 0.08), f"Bringing in the sales of {DEMO_MARKET} and checking them")
        take_in(opening_day, market, demo_files(_SEED, sales), bringing_in)
    return train_model(workspace, market_id_of(market), _plan(workspace.problem), part(progress, 0.08, 1.0))


def _plan(problem: Problem) -> TrainingPlan:
    return replace(
        default_plan(problem), forest_budget=_FOREST_BUDGET, boosting_budget=1, folds=_FOLDS, curve_shares=()
    )


def open_demo_with_story(workspace: Workspace, progress: Progress, sales: int = SALES_USUAL) -> ModelRecord:
    """Open the city, then simulate half a year: agents price, homes sell, and the market turns.

    Homes can be priced from the moment the first model is live. Raises as open_demo does.
    """
    workspace = workspace.acting_as(DEMO_ACTOR)
    champion = open_demo(workspace, part(progress, 0.0, 0.75), sales)
    market = workspace.store.markets.get(champion.market_id)
    tell_story(workspace, market, _SEED, sales, part(progress, 0.75, 0.99))
    progress(0.99, "Computing the monitoring figures")
    watch_market(workspace, market.market_id)
    progress(1.0, "The demo city is open")
    return champion


def _market(store: Store) -> str | NewMarket:
    for market in store.markets.list():
        if market.name == DEMO_MARKET and not market.simulated:
            raise AlreadyExists(f"A market of real sales is named {DEMO_MARKET!r}; rename it to open the demo city.")
        if market.name == DEMO_MARKET:
            return market.market_id
    return NewMarket(DEMO_MARKET, "USD", "sqft", simulated=True)


@dataclass(frozen=True)
class DemoTask:
    """Open the demo city."""

    sales: int = SALES_USUAL
    market_id: None = None
    kind: str = "demo"

    def run(self, workspace: Workspace, progress: Progress) -> ModelRecord:
        """Simulate, import, train, and simulate half a year."""
        return open_demo_with_story(workspace, progress, self.sales)
