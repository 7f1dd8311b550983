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
    beside = (actor, AuditAction.MODEL_SET_BESIDE, record.market_id, record.model_id, {"beside": waits.model_id})
    patiently(lambda: store.events.record(*beside))
    return record


def set_beside(store: Store, record: ModelRecord) -> Event | None:
    """Return the entry by which a candidate stands beside an undecided challenger, None if it never did.

    Raises StoreUnavailable.
    """
    if record.stage is not Stage.CANDIDATE:
        return None
    return next(iter(store.events.of(record.model_id, AuditAction.MODEL_SET_BESIDE)), None)


def waiting(store: Store, records: list[ModelRecord]) -> tuple[ModelRecord, ...]:
    """Return the challenger, then each later model beside it, oldest first, from a market's ``records``, newest first.

    A model beside a challenger that was rejected or went live waits still; one older than the challenger or the live
    model does not. Raises StoreUnavailable.
    """
    decided = (Stage.CHALLENGER, Stage.CHAMPION)
    newer = next((place for place, one in enumerate(records) if one.stage in decided), len(records))
    challenger = next((one for one in records if one.stage is Stage.CHALLENGER), None)
    later = [one for one in records[:newer] if set_beside(store, one) is not None]
    return tuple(one for one in (challenger, *reversed(later)) if one is not None)
