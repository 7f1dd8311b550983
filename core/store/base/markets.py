"""Markets: cities or regions, each with its own currency, data versions and models."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.access import Actor
from core.errors import AlreadyExists, InvalidRecord, NotFound
from core.states import AuditAction, Stage
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.tables import MARKET, MODEL, now
from core.store.base.values import plain_text

AreaUnit = Literal["sqft", "sqm"]

USUAL_CURRENCY: Final = "USD"
"""The currency of a new market where neither its files nor a person names one."""

_NAME_LIMIT: Final = 80
_COLUMNS: Final = (
    MARKET.c.market_id,
    MARKET.c.name,
    MARKET.c.currency,
    MARKET.c.area_unit,
    MARKET.c.simulated,
    MARKET.c.created_at,
)


@dataclass(frozen=True)
class Market:
    """A market: ``market_id`` is a slug of its name, ``currency`` an ISO 4217 code, ``area_unit`` the display unit."""

    market_id: str
    name: str
    currency: str
    area_unit: AreaUnit
    simulated: bool
    created_at: datetime


class Markets:
    """Create and find markets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, currency: str, area_unit: AreaUnit, simulated: bool, actor: Actor) -> Market:
        """Create a market without data.

        Raises AlreadyExists if the id is taken; InvalidRecord for an empty or overlong name, a currency that is not
        three capital letters or an unknown area unit; StoreUnavailable.
        """
        market = new_market(name, currency, area_unit, simulated)
        with refuse_taken_name(market), self._database.write() as connection:
            insert_market(connection, market, actor)
        return market

    def get(self, market_id: str) -> Market:
        """Return a market; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(*_COLUMNS).where(MARKET.c.market_id == market_id)).mappings().first()
        if row is None:
            raise no_market(market_id)
        return Market(**row)

    def list(self) -> list[Market]:
        """Return all markets, sorted by name; raises StoreUnavailable."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(*_COLUMNS).order_by(MARKET.c.name)).mappings()
            return [Market(**row) for row in rows]

    def show_areas_in(self, market_id: str, area_unit: AreaUnit, actor: Actor) -> bool:
        """Let a market show areas in another unit, and read those of files without one so; False if it does already.

        Stored areas are in square feet whatever is shown, so the unit can be changed back. Raises NotFound,
        InvalidRecord for an unknown unit, StoreUnavailable.
        """
        with self._database.write() as connection:
            row = lock_market(connection, market_id)
            _check(row["name"], row["currency"], area_unit)
            if row["area_unit"] == area_unit:
                return False
            connection.execute(MARKET.update().where(MARKET.c.market_id == market_id).values(area_unit=area_unit))
            detail = {"before": {"area_unit": row["area_unit"]}, "after": {"area_unit": area_unit}}
            append_event(connection, actor, AuditAction.MARKET_TERMS_CHANGED, market_id, market_id, detail=detail)
        return True

    def common_currency(self) -> str:
        """Return the currency of all markets, "" where they differ or none exists; raises StoreUnavailable.

        Dates that belong to no market are written as those of its people.
        """
        with self._database.read() as connection:
            found = list(connection.scalars(sa.select(MARKET.c.currency).distinct()))
        return str(found[0]) if len(found) == 1 else ""


def new_market(name: str, currency: str, area_unit: AreaUnit, simulated: bool) -> Market:
    """Return a market as it will be once inserted; raises InvalidRecord as Markets.create does."""
    name = " ".join(plain_text(name).split())
    _check(name, currency, area_unit)
    return Market(slug_of(name), name, currency, area_unit, bool(simulated), now())


def insert_market(connection: sa.Connection, market: Market, actor: Actor) -> None:
    """Write a market and its event, within the caller's transaction."""
    connection.execute(MARKET.insert().values(**vars(market), created_by=plain_text(actor.name)))
    detail = {name: getattr(market, name) for name in ("name", "currency", "area_unit", "simulated")}
    append_event(connection, actor, AuditAction.MARKET_CREATED, market.market_id, market.market_id, detail=detail)


def open_again(connection: sa.Connection, market: Market, actor: Actor) -> bool:
    """Give a market of this name that has no sales in use these terms, within the transaction of its next sales.

    False where there is none, so that it is to be inserted. Models of another currency go out of use.
    """
    held = connection.execute(sa.select(MARKET).where(MARKET.c.market_id == market.market_id).with_for_update())
    row = held.mappings().first()
    if row is None or not is_empty(row, market.name):
        return False
    wanted = {name: getattr(market, name) for name in ("currency", "area_unit")}
    changed = {name: value for name, value in wanted.items() if row[name] != value}
    if not changed:
        return True
    this = MARKET.c.market_id == market.market_id
    connection.execute(MARKET.update().where(this).values(**changed))
    detail = {"before": {name: row[name] for name in changed}, "after": changed}
    if "currency" in changed:
        # Their prices are in the currency that was wrong.
        detail["out_of_use"] = row["champion_model_id"]
        connection.execute(MARKET.update().where(this).values(champion_model_id=None))
        of_market = MODEL.update().where(MODEL.c.market_id == market.market_id)
        connection.execute(of_market.where(MODEL.c.stage == Stage.CHAMPION).values(stage=Stage.RETIRED))
        connection.execute(of_market.where(MODEL.c.stage == Stage.CHALLENGER).values(stage=Stage.CANDIDATE))
    append_event(connection, actor, AuditAction.MARKET_TERMS_CHANGED, market.market_id, market.market_id, detail=detail)
    return True


def is_empty(row: sa.RowMapping, name: str) -> bool:
    """Tell whether a market's row is of this very name and has no sales in use."""
    return bool(row["name"] == name and row["latest_version_id"] is None)


@contextmanager
def refuse_taken_name(market: Market) -> Iterator[None]:
    """Raise AlreadyExists where the transaction within fails because a market reads the same."""
    try:
        yield
    except IntegrityError as error:
        raise AlreadyExists(
            f"A market named {market.name!r} (id {market.market_id}) already exists; open it, or choose another name."
        ) from error


def slug_of(name: str) -> str:
    """Return the id of a market with that name: lowercase ASCII words joined by hyphens, at most 80 characters."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name)[:_NAME_LIMIT].strip("-")
    return slug or f"market-{hashlib.sha256(name.encode('utf-8')).hexdigest()[:8]}"


def lock_market(connection: sa.Connection, market_id: str) -> sa.RowMapping:
    """Return the market's row, locked against other writers until the transaction ends; raises NotFound."""
    query = sa.select(MARKET).where(MARKET.c.market_id == market_id).with_for_update()
    return _found(connection.execute(query).mappings().first(), market_id)


def market_row(connection: sa.Connection, market_id: str) -> sa.RowMapping:
    """Return the market's row; raises NotFound."""
    query = sa.select(MARKET).where(MARKET.c.market_id == market_id)
    return _found(connection.execute(query).mappings().first(), market_id)


def _found(row: sa.RowMapping | None, market_id: str) -> sa.RowMapping:
    if row is None:
        raise no_market(market_id)
    return row


def no_market(market_id: Any) -> NotFound:
    """Return what to raise for a market that does not exist."""
    return NotFound(f"There is no market {market_id!r}; list the markets to see their ids, or create it first.")


def _check(name: str, currency: str, area_unit: str) -> None:
    if not 1 <= len(name) <= _NAME_LIMIT:
        raise InvalidRecord(f"The market name {name!r} has {len(name)} characters; use 1 to {_NAME_LIMIT}.")
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise InvalidRecord(f"The currency {currency!r} is not three capital letters; give one such as USD.")
    if area_unit not in ("sqft", "sqm"):
        raise InvalidRecord(f"The area unit {area_unit!r} is unknown; use 'sqft' or 'sqm'.")
