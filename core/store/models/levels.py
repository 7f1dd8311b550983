"""Market levels: dated corrections that keep a model's prices in line with the market between trainings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from core.access import Actor
from core.errors import InvalidRecord, NotFound
from core.states import AuditAction
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.markets import lock_market, market_row
from core.store.base.tables import DATA_VERSION, MARKET_LEVEL, MODEL, now
from core.store.base.values import plain_document, plain_text

_ID_LENGTH: Final = 12


@dataclass(frozen=True)
class NewLevel:
    """A correction of one model, measured on one data version and valid from ``as_of``.

    ``document`` is a JSON-ready mapping (NaN becomes null); only the code that measures and applies it reads it.
    """

    market_id: str
    model_id: str
    version_id: str
    as_of: date
    document: Mapping[str, Any]


@dataclass(frozen=True)
class LevelRecord:
    """A stored correction; ``level_id`` is a hash of its content."""

    level_id: str
    market_id: str
    model_id: str
    version_id: str
    as_of: date
    document: dict[str, Any]
    created_at: datetime
    created_by: str


class Levels:
    """Add and find market levels; a level can never be changed or removed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: NewLevel, actor: Actor) -> LevelRecord:
        """Store a level; adding the same content again returns the existing record, and needs no write lock.

        Raises NotFound for an unknown market, model or data version; InvalidRecord if the model or data version
        belongs to another market, ``as_of`` is not a date or JSON cannot hold the document; StoreUnavailable.
        """
        content = {
            "market_id": new.market_id,
            "model_id": new.model_id,
            "version_id": new.version_id,
            "as_of": plain_day(new.as_of, "level.as_of"),
            "document": plain_document(new.document, "level document"),
        }
        level_id = _id_of(content)
        with self._database.read() as connection:
            held = _find(connection, level_id)
        if held is not None:
            return held
        with self._database.write() as connection:
            lock_market(connection, new.market_id)
            if _find(connection, level_id) is None:
                _check(connection, new)
                created = {"created_at": now(), "created_by": plain_text(actor.name)}
                connection.execute(MARKET_LEVEL.insert().values(level_id=level_id, **content, **created))
                detail = {key: content[key] for key in ("model_id", "version_id", "as_of")}
                append_event(connection, actor, AuditAction.LEVEL_ADDED, new.market_id, level_id, detail=detail)
            return _get(connection, level_id)

    def get(self, level_id: str) -> LevelRecord:
        """Return a level; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            return _get(connection, level_id)

    def latest(self, market_id: str, model_id: str) -> LevelRecord | None:
        """Return the model's level with the latest day (of several, the one added last); None if it has none.

        A level stays when its data version is undone; the caller can compare ``version_id``. Raises NotFound for an
        unknown market, StoreUnavailable.
        """
        query = (
            sa.select(MARKET_LEVEL)
            .where(MARKET_LEVEL.c.market_id == market_id, MARKET_LEVEL.c.model_id == model_id)
            .order_by(MARKET_LEVEL.c.as_of.desc(), MARKET_LEVEL.c.seq.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            market_row(connection, market_id)
            row = connection.execute(query).mappings().first()
        return None if row is None else _record(row)


def plain_day(value: date, where: str) -> date:
    """Return the date of a date, datetime or pandas Timestamp; raises InvalidRecord for anything else."""
    if not isinstance(value, date) or pd.isna(value):
        raise InvalidRecord(f"{where} is {value!r}, which is not a date; give a day, such as date(2024, 2, 29).")
    return date(value.year, value.month, value.day)


def _id_of(content: Mapping[str, Any]) -> str:
    plain = plain_document(content, "level")
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:_ID_LENGTH]


def _check(connection: sa.Connection, new: NewLevel) -> None:
    model = sa.select(MODEL.c.market_id).where(MODEL.c.model_id == new.model_id)
    version = sa.select(DATA_VERSION.c.market_id).where(DATA_VERSION.c.version_id == new.version_id)
    for what, query in ((f"model {new.model_id!r}", model), (f"data version {new.version_id!r}", version)):
        market_id = connection.scalar(query)
        if market_id is None:
            raise NotFound(f"There is no {what}; a market level needs a registered model and committed sales.")
        if market_id != new.market_id:
            raise InvalidRecord(
                f"The {what} belongs to market {market_id}, not to {new.market_id}; a market level belongs to the "
                "market of its model and its sales."
            )


def _get(connection: sa.Connection, level_id: str) -> LevelRecord:
    record = _find(connection, level_id)
    if record is None:
        raise NotFound(f"There is no market level {level_id!r}; add it, or use the model's latest one.")
    return record


def _find(connection: sa.Connection, level_id: str) -> LevelRecord | None:
    row = connection.execute(sa.select(MARKET_LEVEL).where(MARKET_LEVEL.c.level_id == level_id)).mappings().first()
    return None if row is None else _record(row)


def _record(row: sa.RowMapping) -> LevelRecord:
    return LevelRecord(**{key: row[key] for key in row if key != "seq"})
