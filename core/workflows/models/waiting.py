"""Models that wait for a person's decision: the challenger, and later ones that stand beside it."""

from __future__ import annotations

from core.monitor.gate import GateVerdict
from core.states import AuditAction, Stage, Undecided
from core.store import ModelRecord, Store
from core.store.base.audit import Event
from core.store.patience import patiently
from core.workflows.models.gate import gate_on
from core.workspace import Workspace


def rolled_back_to(store: Store, live_id: str, model_id: str) -> Event | None:
    """Return the entry of the rollback that took a model out of use for the live one; raises StoreUnavailable."""
    back = next(iter(store.events.of(live_id, AuditAction.MODEL_ROLLED_BACK)), None)
    return back if back is not None and back.detail.get("replaced") == model_id else None


def undecided_challenger(store: Store, market_id: str) -> ModelRecord | None:
    """Return the challenger that a person still has to decide on, None without one.

    Its gate decided on one that it found worse than the live model, and whoever rolled one back has decided on it.
    Raises NotFound, ArtifactCorrupt, StoreUnavailable.
    """
    challenger, live = store.models.challenger(market_id), store.models.champion(market_id)
    if challenger is None or live is None:
        return challenger
    gated = gate_on(challenger)
    failed = gated is not None and gated.champion_id == live.model_id and gated.gate.verdict is GateVerdict.FAIL
    return None if failed or rolled_back_to(store, live.model_id, challenger.model_id) else challenger


def place(workspace: Workspace, record: ModelRecord, undecided: Undecided) -> ModelRecord:
    """Make a new model the challenger, or leave it beside the one that waits for a decision; return its record.

    Raises InvalidRecord for the champion or a rejected model, StoreUnavailable.
    """
    store, actor = workspace.store, workspace.actor
    waits = undecided_challenger(store, record.market_id) if undecided is Undecided.KEPT else None
    if waits is None or waits.model_id == record.model_id:
        return patiently(lambda: store.models.challenge(record.model_id, actor))
    _set_beside(workspace, record, {"beside": waits.model_id})
    return record


def give_place(workspace: Workspace, record: ModelRecord, reason: str) -> ModelRecord:
    """Make a model the challenger; whoever waited for a decision, the one whose place it takes among them, still waits.

    Raises NotFound, InvalidRecord for the champion or a rejected model, StoreUnavailable.
    """
    store = workspace.store
    challenger, undecided = store.models.challenger(record.market_id), undecided_challenger(store, record.market_id)
    waited = waiting(store, store.models.list(record.market_id))
    found = store.models.challenge(record.model_id, workspace.actor, reason)
    for one in waited:
        # One that the gate or a person decided on gives its place for good.
        decided = one == challenger and undecided is None
        if one.model_id != record.model_id and not decided:
            _set_beside(workspace, one, {"beside": record.model_id, "moved": True})
    return found


def _set_beside(workspace: Workspace, record: ModelRecord, detail: dict[str, object]) -> None:
    entry = (workspace.actor, AuditAction.MODEL_SET_BESIDE, record.market_id, record.model_id, detail)
    patiently(lambda: workspace.store.events.record(*entry))


def set_beside(store: Store, record: ModelRecord) -> Event | None:
    """Return the entry by which a candidate stands beside an undecided challenger, None if it never did.

    Raises StoreUnavailable.
    """
    if record.stage is not Stage.CANDIDATE:
        return None
    return next(iter(store.events.of(record.model_id, AuditAction.MODEL_SET_BESIDE)), None)


def stage_word(record: ModelRecord, waits: tuple[ModelRecord, ...]) -> str:
    """Name the stage of a model as every screen does; ``waits`` are the models that wait for a decision."""
    if record in waits:
        return "challenger" if record == waits[0] else "later challenger"
    return "live" if record.is_live else str(record.stage)


def waiting(store: Store, records: list[ModelRecord]) -> tuple[ModelRecord, ...]:
    """Return the challenger, then each model beside it, oldest first, from a market's ``records``, newest first.

    A model beside a challenger that was rejected or went live waits still; one older than the live model does not, nor
    one older than a challenger that did not take its place. Raises StoreUnavailable.
    """
    newest = next((place for place, one in enumerate(records) if one.stage is Stage.CHAMPION), len(records))
    challenger = next((one for one in records if one.stage is Stage.CHALLENGER), None)
    newer = records.index(challenger) if challenger is not None else newest
    beside = []
    for number, one in enumerate(records[:newest]):
        aside = set_beside(store, one)
        if aside is not None and (number < newer or aside.detail["beside"] == records[newer].model_id):
            beside.append(one)
    return tuple(one for one in (challenger, *reversed(beside)) if one is not None)
