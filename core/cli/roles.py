"""The role each verb is run in: whoever can run it owns the files, so without --role it is the lowest that may."""

from __future__ import annotations

from typing import Final

from core.access import Action, Role, least_role

NEEDS: Final[dict[str, tuple[Action, ...]]] = {
    "ingest": (Action.INGEST,),
    "cut": (Action.INGEST,),
    "ingest-pieces": (Action.INGEST,),
    "template": (Action.INGEST,),
    "versions": (Action.VIEW_DATA,),
    "undo-version": (Action.INGEST,),
    "use-version": (Action.INGEST,),
    "scrutiny": (Action.VIEW_DATA, Action.INGEST),
    "train": (Action.TRAIN,),
    "evaluate": (Action.VIEW_MODELS,),
    "models": (Action.VIEW_MODELS,),
    "retrain": (Action.TRAIN,),
    "promote": (Action.PROMOTE,),
    "rollback": (Action.PROMOTE,),
    "reject": (Action.REJECT,),
    "backtest": (Action.TRAIN,),
    "demo": (Action.INGEST, Action.TRAIN),
    "markets": (Action.PRICE,),
    "price": (Action.PRICE,),
    "watch": (Action.WATCH,),
    "alerts": (Action.WATCH,),
    "ledger": (Action.VIEW_MODELS,),
    "pilot": (Action.WATCH, Action.MANAGE_PILOT),
    "worker": (Action.WATCH,),
    "jobs": (Action.VIEW_MODELS,),
    "cancel": (Action.TRAIN,),
    "create-key": (Action.MANAGE_KEYS,),
    "keys": (Action.MANAGE_KEYS,),
    "revoke-key": (Action.MANAGE_KEYS,),
    "sign": (Action.OPERATE,),
    "backup": (Action.OPERATE,),
    "restore": (Action.OPERATE,),
    "doctor": (Action.OPERATE,),
    "serve": (Action.PRICE,),
}
"""What each verb does, as actions of the access matrix."""

LONG: Final = frozenset({"train", "retrain", "backtest", "demo"})
"""The verbs that keep every core busy for long; they stand back for those who price."""


def role_for(verb: str) -> Role:
    """Return the lowest role that may do what a verb does; raises KeyError for a verb that does not say."""
    return least_role(*NEEDS[verb])
