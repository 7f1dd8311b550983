"""The model registry: immutable bundles, the champion pointer, promotion and rollback, rejection and its way back."""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa

from core.access import Actor
from core.errors import ArtifactCorrupt, InvalidRecord, NotFound
from core.states import AuditAction, Stage
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.markets import lock_market, market_row
from core.store.base.tables import DATA_VERSION, MARKET, MODEL, PROMOTION, now
from core.store.base.values import plain_document, plain_text
from core.store.models.signed_files import SignedFiles
from core.wording import market_day

_ID_LENGTH: Final = 12


@dataclass(frozen=True)
class NewModel:
    """A trained model: its serialized bundle and its card (a JSON-ready mapping; NaN becomes null)."""

    market_id: str
    version_id: str
    payload: bytes
    card: Mapping[str, Any]


@dataclass(frozen=True)
class ModelRecord:
    """A registered model; ``version_id`` is the data that trained it, ``sha256`` names its bundle file.

    ``rejected_at`` (UTC), ``rejected_by`` and ``rejected_why`` are None unless its stage is rejected.
    """

    model_id: str
    market_id: str
    version_id: str
    sha256: str
    stage: Stage
    card: dict[str, Any]
    size_bytes: int
    created_at: datetime
    created_by: str
    rejected_at: datetime | None = None
    rejected_by: str | None = None
    rejected_why: str | None = None

    @property
    def is_live(self) -> bool:
        """Tell whether it is its market's champion."""
        return self.stage is Stage.CHAMPION


class Models:
    """Register, load, challenge, promote, roll back, reject and reinstate models."""

    def __init__(self, database: Database, bundles: SignedFiles) -> None:
        self._database = database
        self._bundles = bundles

    def add(self, new: NewModel, actor: Actor) -> ModelRecord:
        """Register a model as a candidate; adding the same bundle to the market again returns the existing record.

        Raises NotFound for an unknown market or data version; InvalidRecord if the data version belongs to another
        market or JSON cannot hold the card; StoreUnavailable.
        """
        card = plain_document(new.card, "model card")
        sha256 = hashlib.sha256(new.payload).hexdigest()
        model_id = hashlib.sha256(f"{new.market_id}:{sha256}".encode()).hexdigest()[:_ID_LENGTH]
        with self._database.read() as connection:
            market_row(connection, new.market_id)
            _check_version(connection, new)
        self._bundles.put(new.payload)
        with self._database.write() as connection:
            lock_market(connection, new.market_id)
            if _find(connection, model_id) is None:
                row = ModelRecord(
                    model_id=model_id,
                    market_id=new.market_id,
                    version_id=new.version_id,
                    sha256=sha256,
                    stage=Stage.CANDIDATE,
                    card=card,
                    size_bytes=len(new.payload),
                    created_at=now(),
                    created_by=plain_text(actor.name),
                )
                connection.execute(MODEL.insert().values(**vars(row)))
                detail = {"version_id": new.version_id, "size_bytes": row.size_bytes}
                append_event(connection, actor, AuditAction.MODEL_ADDED, new.market_id, model_id, detail=detail)
            return _get(connection, model_id)

    def get(self, model_id: str) -> ModelRecord:
        """Return a model's record; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            return _get(connection, model_id)

    def list(self, market_id: str) -> list[ModelRecord]:
        """Return the market's models, newest first; raises NotFound, StoreUnavailable."""
        query = sa.select(MODEL).where(MODEL.c.market_id == market_id).order_by(MODEL.c.seq.desc())
        with self._database.read() as connection:
            market_row(connection, market_id)
            return [_record(row) for row in connection.execute(query).mappings()]

    def load_bytes(self, model_id: str) -> bytes:
        """Return a model's bundle after checking its SHA-256 and its signature.

        Raises NotFound, ArtifactCorrupt if the file is missing, altered or not signed, StoreUnavailable.
        """
        return self._bundles.read(self.get(model_id).sha256)

    def sign(self, model_id: str, *, vouch: bool) -> bool:
        """Sign a model with the first key; False if it was already. Raises NotFound and what SignedFiles.sign does."""
        return self._bundles.sign(self.get(model_id).sha256, vouch=vouch)

    def holds(self, record: ModelRecord) -> bool:
        """Tell whether a model's bundle file exists; only loading it shows whether it is intact."""
        return self._bundles.holds(record.sha256)

    def challenge(self, model_id: str, actor: Actor, reason: str = "") -> ModelRecord:
        """Make a model its market's only challenger; the previous challenger becomes a candidate again.

        A ``reason`` goes into the audit trail, where a person brings a model back. Raises NotFound, InvalidRecord for
        the champion or a rejected model, StoreUnavailable.
        """
        market_id = self.get(model_id).market_id
        with self._database.write() as connection:
            market = lock_market(connection, market_id)
            if market["champion_model_id"] == model_id:
                raise InvalidRecord(f"Model {model_id} is the live model and cannot challenge itself; choose another.")
            _check_may_be_live(_get(connection, model_id), market)
            earlier = _challenger(connection, market_id)
            if earlier is None or earlier.model_id != model_id:
                # A rejected challenger loses its place too: reinstated later, it is a candidate.
                of_market = sa.and_(MODEL.c.market_id == market_id, MODEL.c.stage == Stage.CHALLENGER)
                connection.execute(MODEL.update().where(of_market).values(stage=Stage.CANDIDATE))
                _set_stage(connection, model_id, Stage.CHALLENGER)
                why = {"reason": plain_text(reason)} if reason else {}
                detail = {"replaced": earlier.model_id if earlier else None, **why}
                append_event(connection, actor, AuditAction.MODEL_CHALLENGED, market_id, model_id, detail=detail)
            return _get(connection, model_id)

    def reject(self, model_id: str, why: str, actor: Actor) -> ModelRecord:
        """Take a candidate or challenger out of the choice for promotion; ``reinstate`` undoes it.

        Raises NotFound, InvalidRecord for a model that is or was live or is rejected already, and without a reason,
        StoreUnavailable.
        """
        why = plain_text(why).strip()
        if not why:
            raise InvalidRecord(f"The rejection of model {model_id} has no reason; say why in a few words.")
        market_id = self.get(model_id).market_id
        with self._database.write() as connection:
            market = lock_market(connection, market_id)
            held = _get(connection, model_id)
            _check_not_rejected(held, market)
            if held.stage not in (Stage.CANDIDATE, Stage.CHALLENGER):
                raise InvalidRecord(
                    f"Model {model_id} is {'live' if held.is_live else held.stage} and cannot be rejected: only a "
                    "candidate or challenger can. To take a live model out of use, roll back."
                )
            rejection = {"rejected_at": now(), "rejected_by": plain_text(actor.name), "rejected_why": why}
            connection.execute(MODEL.update().where(MODEL.c.model_id == model_id).values(**rejection))
            detail = {"stage": held.stage, "reason": why}
            append_event(connection, actor, AuditAction.MODEL_REJECTED, market_id, model_id, detail=detail)
            return _get(connection, model_id)

    def reinstate(self, model_id: str, why: str, actor: Actor) -> ModelRecord:
        """Take a rejection back: the model has the stage it had.

        A challenger that another model has replaced since is a candidate. Raises NotFound, InvalidRecord for a model
        that is not rejected, StoreUnavailable.
        """
        market_id = self.get(model_id).market_id
        with self._database.write() as connection:
            lock_market(connection, market_id)
            held = _get(connection, model_id)
            if held.stage is not Stage.REJECTED:
                stage = "live" if held.is_live else held.stage
                raise InvalidRecord(f"Model {model_id} is {stage}, not rejected; there is nothing to take back.")
            none = dict.fromkeys(("rejected_at", "rejected_by", "rejected_why"))
            connection.execute(MODEL.update().where(MODEL.c.model_id == model_id).values(**none))
            record = _get(connection, model_id)
            detail = {"stage": record.stage, "reason": plain_text(why).strip(), "rejected_why": held.rejected_why}
            append_event(connection, actor, AuditAction.MODEL_REINSTATED, market_id, model_id, detail=detail)
            return record

    def challenger(self, market_id: str) -> ModelRecord | None:
        """Return the model that challenges the champion, None if there is none; raises NotFound, StoreUnavailable.

        A rejected model challenges nobody.
        """
        with self._database.read() as connection:
            market_row(connection, market_id)
            return _challenger(connection, market_id)

    def champion(self, market_id: str) -> ModelRecord | None:
        """Return the model that serves the market, or None if none has been promoted yet.

        Raises NotFound for an unknown market, ArtifactCorrupt if the pointer does not name a model of this market
        (it is left unchanged), StoreUnavailable.
        """
        with self._database.read() as connection:
            model_id = market_row(connection, market_id)["champion_model_id"]
            return None if model_id is None else _champion(connection, market_id, model_id)

    def champions_before(self, market_id: str) -> builtins.list[ModelRecord]:
        """Return the champions before the current one, latest first, each once, without those rejected since.

        Raises NotFound, StoreUnavailable.
        """
        with self._database.read() as connection:
            market = market_row(connection, market_id)
            ids = dict.fromkeys(reversed(_champions(connection, market_id)))
            found = [_find(connection, one) for one in ids if one != market["champion_model_id"]]
        return [one for one in found if one is not None and one.rejected_at is None and _is_priced_in(one, market)]

    def rollback_target(self, market_id: str) -> ModelRecord | None:
        """Return the champion that ``rollback`` would restore, None if there is none or it was rejected or lost since.

        Raises NotFound, StoreUnavailable.
        """
        with self._database.read() as connection:
            market = market_row(connection, market_id)
            champions, current = _champions(connection, market_id), market["champion_model_id"]
            found = _find(connection, champions[-2]) if len(champions) > 1 and champions[-1] == current else None
        if found is None or found.rejected_at is not None or not _is_priced_in(found, market):
            return None
        return found if self.holds(found) else None

    def promote(self, model_id: str, actor: Actor, reason: str) -> ModelRecord:
        """Make a model its market's champion and retire the previous one, in one transaction.

        Promoting the current champion changes nothing and records no event. The bundle is checked first, so that only
        a model that can be loaded goes live. Promoting also repairs a pointer to a lost model. Raises NotFound,
        InvalidRecord for a rejected model, ArtifactCorrupt, StoreUnavailable.
        """
        target = self.get(model_id)
        self._bundles.read(target.sha256)
        with self._database.write() as connection:
            market = lock_market(connection, target.market_id)
            replaced = market["champion_model_id"]
            if replaced != model_id:
                held = _get(connection, model_id)
                _check_may_be_live(held, market)
                _move_champion(connection, held, replaced, "promote", actor=actor, reason=reason)
            return _get(connection, model_id)

    def rollback(self, market_id: str, actor: Actor, reason: str) -> ModelRecord:
        """Return the market to its previous champion, according to the promotion history.

        The model taken out of use has the stage it had before its promotion; a challenger whose place another model has
        taken since is a candidate. Rolling back twice goes two champions back. Raises NotFound if there is no earlier
        champion, InvalidRecord if it was rejected since, ArtifactCorrupt if the pointer and the history disagree or the
        earlier bundle is missing or altered, StoreUnavailable; nothing moves then.
        """
        with self._database.write() as connection:
            market = lock_market(connection, market_id)
            current = market["champion_model_id"]
            target = _find(connection, _previous_champion(connection, market_id, current))
            if target is None:
                raise ArtifactCorrupt(
                    f"The live model of market {market_id} before {current} is no longer in the store; promote another "
                    "model instead."
                )
            _check_may_be_live(target, market)
            self._bundles.read(target.sha256)
            before = _stage_after_rollback(connection, market_id)
            _move_champion(connection, target, current, "rollback", actor=actor, reason=reason)
            _set_stage(connection, current, before)
            return _get(connection, target.model_id)


def _check_version(connection: sa.Connection, new: NewModel) -> None:
    query = sa.select(DATA_VERSION.c.market_id).where(DATA_VERSION.c.version_id == new.version_id)
    market_id = connection.scalar(query)
    if market_id is None:
        raise NotFound(f"There is no data version {new.version_id!r}; commit the data before registering a model.")
    if market_id != new.market_id:
        raise InvalidRecord(
            f"Data version {new.version_id} belongs to market {market_id}, not to {new.market_id}; a model belongs to "
            "the market whose data trained it."
        )


def _challenger(connection: sa.Connection, market_id: str) -> ModelRecord | None:
    query = sa.select(MODEL).where(
        MODEL.c.market_id == market_id, MODEL.c.stage == Stage.CHALLENGER, MODEL.c.rejected_at.is_(None)
    )
    row = connection.execute(query.order_by(MODEL.c.seq.desc()).limit(1)).mappings().first()
    return None if row is None else _record(row)


def _check_not_rejected(record: ModelRecord, market: sa.RowMapping) -> None:
    if record.rejected_at is not None:
        on = market_day(record.rejected_at, market["currency"])
        why = (record.rejected_why or "").strip().rstrip(".")
        raise InvalidRecord(
            f"Model {record.model_id} was rejected on {on} by {record.rejected_by}: "
            f"“{why}”. Take the rejection back first, or choose another model."
        )


def _check_may_be_live(record: ModelRecord, market: sa.RowMapping) -> None:
    _check_not_rejected(record, market)
    if not _is_priced_in(record, market):
        raise InvalidRecord(
            f"Model {record.model_id} learned prices in {record.card['currency']}, and those of the market are in "
            f"{market['currency']} now. Train a new model."
        )


def _is_priced_in(record: ModelRecord, market: sa.RowMapping) -> bool:
    """Tell whether a model's prices are in its market's currency, which may change while no sales are in use."""
    return record.card.get("currency") in (None, market["currency"])


def _champion(connection: sa.Connection, market_id: str, model_id: str) -> ModelRecord:
    record = _find(connection, model_id)
    if record is None or record.market_id != market_id:
        raise ArtifactCorrupt(
            f"Market {market_id} points to live model {model_id}, which is not one of its models in the store; promote "
            "a model to repair it. The pointer was left unchanged."
        )
    return record


def _previous_champion(connection: sa.Connection, market_id: str, current: str | None) -> str:
    if current is None:
        raise NotFound(
            f"Market {market_id} has no live model, so none before it to go back to; promote a model instead."
        )
    champions = _champions(connection, market_id)
    if (champions[-1] if champions else None) != current:
        raise ArtifactCorrupt(
            f"The live model of market {market_id} is {current}, but its promotion history ends at "
            f"{champions[-1] if champions else None}, so the one before it is unknown; promote a model instead."
        )
    if len(champions) < 2:
        raise NotFound(
            f"Market {market_id} had no live model before {current} to go back to; promote another model, "
            "or undo the version of sales it was trained on."
        )
    return champions[-2]


def _champions(connection: sa.Connection, market_id: str) -> list[str]:
    """Return the champions in order, first to current; a rollback removes the one it left."""
    return [model_id for model_id, _ in _reigns(connection, market_id)]


def _reigns(connection: sa.Connection, market_id: str) -> list[tuple[str, Stage]]:
    """Return each champion in order, first to current, and the stage it had before its promotion."""
    query = sa.select(PROMOTION.c.kind, PROMOTION.c.model_id, PROMOTION.c.stage_before)
    query = query.where(PROMOTION.c.market_id == market_id)
    reigns: list[tuple[str, Stage]] = []
    for kind, model_id, before in connection.execute(query.order_by(PROMOTION.c.seq)):
        if kind == "promote":
            reigns.append((model_id, Stage(before or Stage.RETIRED)))
        else:
            reigns.pop()
    return reigns


def _stage_after_rollback(connection: sa.Connection, market_id: str) -> Stage:
    """Return the stage that the current champion had before its promotion, unless another model challenges now."""
    before = _reigns(connection, market_id)[-1][1]
    taken = before is Stage.CHALLENGER and _challenger(connection, market_id) is not None
    return Stage.CANDIDATE if taken else before


def _move_champion(
    connection: sa.Connection,
    target: ModelRecord,
    replaced: str | None,
    kind: Literal["promote", "rollback"],
    *,
    actor: Actor,
    reason: str,
) -> None:
    _set_stage(connection, replaced, Stage.RETIRED)
    _set_stage(connection, target.model_id, Stage.CHAMPION)
    pointer = MARKET.update().where(MARKET.c.market_id == target.market_id)
    connection.execute(pointer.values(champion_model_id=target.model_id))
    connection.execute(
        PROMOTION.insert().values(
            market_id=target.market_id,
            kind=kind,
            model_id=target.model_id,
            replaced_model_id=replaced,
            stage_before=target.stage,
            reason=plain_text(reason),
            at=now(),
            actor=plain_text(actor.name),
        )
    )
    action = {"promote": AuditAction.MODEL_PROMOTED, "rollback": AuditAction.MODEL_ROLLED_BACK}[kind]
    detail = {"replaced": replaced, "reason": reason, "trained_by": target.created_by}
    append_event(connection, actor, action, target.market_id, target.model_id, detail=detail)


def _set_stage(connection: sa.Connection, model_id: str | None, stage: Stage) -> None:
    connection.execute(MODEL.update().where(MODEL.c.model_id == model_id).values(stage=stage))


def _get(connection: sa.Connection, model_id: str) -> ModelRecord:
    record = _find(connection, model_id)
    if record is None:
        raise NotFound(f"There is no model {model_id!r}; list the market's models to see their ids.")
    return record


def _find(connection: sa.Connection, model_id: str) -> ModelRecord | None:
    row = connection.execute(sa.select(MODEL).where(MODEL.c.model_id == model_id)).mappings().first()
    return None if row is None else _record(row)


def _record(row: sa.RowMapping) -> ModelRecord:
    stage = Stage(row["stage"]) if row["rejected_at"] is None else Stage.REJECTED
    return ModelRecord(**{key: row[key] for key in row if key != "seq"} | {"stage": stage})
