"""Signs the models of a store: renews the signatures of an older key, or vouches for models that have none."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from core.access import Action
from core.errors import ArtifactCorrupt, NotFound
from core.states import AuditAction
from core.store import ModelRecord
from core.workspace import Workspace


@dataclass(frozen=True)
class Signed:
    """What became of one model: ``changed`` if it was signed now, ``refused`` with the reason if it was not signed."""

    record: ModelRecord
    changed: bool
    refused: str


def sign_models(workspace: Workspace, model_ids: Collection[str] = (), *, vouch: bool = False) -> list[Signed]:
    """Sign models, all if none is named, with the first signing key; return what became of each.

    Without ``vouch``, a model without a valid signature of an accepted key is refused: signing it means to trust
    everybody who could write to the store. Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.OPERATE)
    store = workspace.store
    records = [one for market in store.markets.list() for one in store.models.list(market.market_id)]
    unknown = sorted(set(model_ids) - {one.model_id for one in records})
    if unknown:
        raise NotFound(f"There is no model {unknown[0]!r}; list the models to see their ids.")
    return [_sign(workspace, one, vouch=vouch) for one in records if not model_ids or one.model_id in model_ids]


def _sign(workspace: Workspace, record: ModelRecord, *, vouch: bool) -> Signed:
    try:
        changed = workspace.store.models.sign(record.model_id, vouch=vouch)
    except ArtifactCorrupt as error:
        return Signed(record, changed=False, refused=str(error))
    if changed:
        detail = {"sha256": record.sha256, "vouched": vouch}
        workspace.store.events.record(
            workspace.actor, AuditAction.MODEL_SIGNED, record.market_id, record.model_id, detail
        )
    return Signed(record, changed, "")
