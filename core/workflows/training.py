"""Training as a person or a job asks for it: a model is made and registered, and a market's first may go live."""

from __future__ import annotations

from core.access import Action
from core.progress import Progress, part
from core.store import ModelRecord
from core.train.trainer import TrainingPlan
from core.workflows.columns.names import use_names_of
from core.workflows.models.training import known_sales, make_model, register
from core.workflows.opening.background import work_out_ahead
from core.workflows.promotion import needs_another, promote_first
from core.workspace import Workspace


def train_model(workspace: Workspace, market_id: str, plan: TrainingPlan, progress: Progress) -> ModelRecord:
    """Train on the market's latest data version, measure on its test sales, and register the model as a candidate.

    The market's first model is promoted at once if it reaches its floor; else it stays a candidate, and its card says
    why. It also stays one where somebody else has to promote it, or where its sales were undone meanwhile. Raises
    AccessDenied, NotFound if the market has no
    data, TooFewSales, TrainError, StoreError; a run that fails or is cancelled leaves nothing behind.
    """
    store = workspace.store
    workspace.require(Action.TRAIN)
    use_names_of(store, market_id)
    record, reached = _registered(workspace, market_id, plan, progress)
    work_out_ahead(store, record)
    in_use = record.version_id in (one.version_id for one in store.versions.chain(market_id))
    first = store.models.champion(market_id) is None
    if first and reached and in_use and not needs_another(workspace, record):
        record = promote_first(workspace, record.model_id)
    progress(1.0, "Model registered")
    return record


def _registered(
    workspace: Workspace, market_id: str, plan: TrainingPlan, progress: Progress
) -> tuple[ModelRecord, bool]:
    """Make and register a model; return its record and whether it reached its floor, and forget its sales."""
    made = make_model(workspace, known_sales(workspace.store, market_id), plan, part(progress, 0.0, 0.96))
    progress(0.96, "Registering the model")
    return register(workspace, made, {}), made.floor.reached
