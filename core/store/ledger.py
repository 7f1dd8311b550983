"""The prediction ledger: every answer, written before it is shown, and what the agent made of it."""

from __future__ import annotations

import builtins
import math
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError

from core.access import Actor
from core.errors import InvalidRecord, NotFound
from core.store.database import BUSY_SECONDS, Database
from core.store.events import append_event
from core.store.levels import plain_day
from core.store.markets import market_row
from core.store.tables import DECISION, ESTIMATE, now
from core.store.values import plain_document, plain_text

Channel = Literal["page", "file", "command line", "api"]
Status = Literal["priced", "unavailable", "refused"]
DecisionKind = Literal["accept", "adjust", "override"]

_ID_BYTES: Final = 8
_FIGURES: Final = ("point", "low", "high", "level", "confidence", "fsd")
_NUMBERS: Final = (*_FIGURES, "latency_ms", "list_price")
_NAMES: Final = ("model_id", "version_id", "level_id", "property_type", "area")
_TEXTS: Final = ("reason", "property_key", "currency")
_CENT: Final = 0.005


class LedgerDatabase(Database):
    """A SQLite database through connections of the ledger's own, whose commits do not wait for the disk.

    With synchronous=FULL every commit waits milliseconds for the disk, and the agent would wait with it; with NORMAL
    it does not. The price: if the machine itself goes down, the newest estimates may be lost; a killed process loses
    none, and the file cannot be damaged (https://www.sqlite.org/pragma.html#pragma_synchronous). All other tables,
    decisions included, stay with FULL; as a commit there syncs the log as a whole, the estimate a decision refers to
    is as safe as the decision.

    PostgreSQL needs none of this: there one disk write serves many commits, as whoever runs the server set it up.
    """

    def __init__(self, url: URL, busy_seconds: float = BUSY_SECONDS) -> None:
        super().__init__(url, busy_seconds)
        sa.event.listen(self._engine, "connect", _do_not_wait_for_the_disk)


def _do_not_wait_for_the_disk(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL").close()


@dataclass(frozen=True, kw_only=True)
class NewEstimate:
    """An answer about to be shown: money in ``currency``, ``level`` a share of 1, ``confidence`` 0 to 100.

    ``level_id`` names the market level applied, ``property_key`` the home (normalised address key or property id, ""
    if neither is known), ``area`` its zipcode or neighbourhood. ``facts`` are the canonical facts as typed, ``answer``
    all it takes to show the answer again ({} for none). ``fsd`` is a share of the point, ``list_price`` the asking
    price known at the time, ``flags`` the kinds of the review flags. Figures are None unless the status is "priced",
    and ``reason`` then says why. NaN counts as None.
    """

    market_id: str
    as_of: date
    channel: Channel
    status: Status
    currency: str
    latency_ms: float
    model_id: str | None = None
    version_id: str | None = None
    level_id: str | None = None
    reason: str = ""
    property_key: str = ""
    property_type: str | None = None
    area: str | None = None
    facts: Mapping[str, Any]
    answer: Mapping[str, Any]
    point: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    confidence: float | None = None
    fsd: float | None = None
    flags: Sequence[str] = ()
    list_price: float | None = None


@dataclass(frozen=True, kw_only=True)
class EstimateSummary:
    """A line of the ledger without its documents; fields as in NewEstimate, ``at`` in UTC."""

    estimate_id: str
    at: datetime
    actor: str
    role: str
    office: str
    market_id: str
    model_id: str | None
    version_id: str | None
    level_id: str | None
    as_of: date
    channel: Channel
    status: Status
    reason: str
    property_key: str
    property_type: str | None
    area: str | None
    point: float | None
    low: float | None
    high: float | None
    level: float | None
    confidence: float | None
    fsd: float | None
    flags: tuple[str, ...]
    latency_ms: float
    list_price: float | None
    currency: str


@dataclass(frozen=True, kw_only=True)
class EstimateRecord(EstimateSummary):
    """A whole line of the ledger."""

    facts: dict[str, Any]
    answer: dict[str, Any]


@dataclass(frozen=True)
class NewDecision:
    """What an agent made of an estimate: ``price`` is the agent's, ``listing_price`` what the home is listed at.

    ``comparables`` are the weights, by sale, of the comparables the agent had in use; they go into the audit trail.
    """

    estimate_id: str
    kind: DecisionKind
    price: float
    listing_price: float | None = None
    reason_code: str | None = None
    note: str = ""
    comparables: Mapping[str, float] | None = None


@dataclass(frozen=True)
class DecisionRecord:
    """A decision as kept; ``at`` is UTC."""

    decision_id: str
    estimate_id: str
    market_id: str
    at: datetime
    actor: str
    role: str
    office: str
    kind: DecisionKind
    price: float
    listing_price: float | None
    reason_code: str | None
    note: str


_SUMMARY: Final = tuple(ESTIMATE.c[field.name] for field in fields(EstimateSummary))
_RECORD: Final = tuple(ESTIMATE.c[field.name] for field in fields(EstimateRecord))
_DECISION: Final = tuple(DECISION.c[field.name] for field in fields(DecisionRecord))


class Ledger:
    """Append and read estimates and decisions; there is no way to change or remove one."""

    def __init__(self, database: Database, appends: Database) -> None:
        self._database = database
        self._appends = appends

    def append(self, new: NewEstimate, actor: Actor) -> EstimateRecord:
        """Write one estimate, to be called before it is shown.

        Raises NotFound for an unknown market, InvalidRecord for a record that contradicts itself or holds what cannot
        be stored, StoreUnavailable. Nothing is written then.
        """
        row = _row(new, actor, now())
        self._insert([row])
        return EstimateRecord(**{**row, "flags": tuple(row["flags"])})

    def append_many(self, new: Sequence[NewEstimate], actor: Actor) -> builtins.list[str]:
        """Write many estimates, all or nothing, and return their ids in the order given; raises as append() does."""
        at = now()
        rows = [_row(one, actor, at) for one in new]
        if rows:
            self._insert(rows)
        return [row["estimate_id"] for row in rows]

    def get(self, estimate_id: str) -> EstimateRecord:
        """Return an estimate with its documents; raises NotFound, StoreUnavailable."""
        query = sa.select(*_RECORD).where(ESTIMATE.c.estimate_id == estimate_id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise _not_found(estimate_id)
        return EstimateRecord(**{**row, "flags": tuple(row["flags"])})

    def list(self, market_id: str, limit: int, actor_name: str | None = None) -> builtins.list[EstimateSummary]:
        """Return the market's newest estimates first, of all actors or of one; raises NotFound, StoreUnavailable."""
        query = sa.select(*_SUMMARY).where(ESTIMATE.c.market_id == market_id)
        if actor_name is not None:
            query = query.where(ESTIMATE.c.actor == plain_text(actor_name))
        query = query.order_by(ESTIMATE.c.at.desc(), ESTIMATE.c.seq.desc()).limit(int(limit))
        with self._database.read() as connection:
            market_row(connection, market_id)
            rows = connection.execute(query).mappings()
            return [EstimateSummary(**{**row, "flags": tuple(row["flags"])}) for row in rows]

    def count(self, market_id: str) -> int:
        """Return the number of the market's estimates; raises NotFound, StoreUnavailable."""
        query = sa.select(sa.func.count()).where(ESTIMATE.c.market_id == market_id)
        with self._database.read() as connection:
            market_row(connection, market_id)
            return connection.execute(query).scalar_one()

    def decide(self, new: NewDecision, actor: Actor) -> DecisionRecord:
        """Write a decision and its audit entry; an earlier decision on the estimate stays, and counts no longer.

        Raises NotFound for an unknown estimate, InvalidRecord if that has no price, a price is not above zero, the
        kind is unknown, or a price accepted is not the estimate's point (to the cent), StoreUnavailable.
        """
        values = _decision_values(new)
        comparables = values.pop("comparables")
        with self._database.write() as connection:
            estimate = _estimate_decided(connection, new.estimate_id)
            _check_decision(values, estimate)
            record = DecisionRecord(
                decision_id=secrets.token_hex(_ID_BYTES),
                market_id=estimate["market_id"],
                **_signature(actor, now()),
                **values,
            )
            connection.execute(DECISION.insert().values(**vars(record)))
            detail = {key: values[key] for key in ("kind", "price", "listing_price", "reason_code", "note")}
            detail |= {"decision_id": record.decision_id, "point": estimate["point"], "comparables": comparables}
            append_event(connection, actor, "decision.made", record.market_id, record.estimate_id, detail=detail)
        return record

    def decision(self, estimate_id: str) -> DecisionRecord | None:
        """Return the decision that counts, the latest; None if there is none yet. Raises NotFound, StoreUnavailable."""
        query = sa.select(*_DECISION).where(DECISION.c.estimate_id == estimate_id).order_by(DECISION.c.seq.desc())
        with self._database.read() as connection:
            row = connection.execute(query.limit(1)).mappings().first()
            if row is None:
                _estimate_decided(connection, estimate_id)
        return None if row is None else DecisionRecord(**row)

    def decisions_on(self, estimate_id: str) -> builtins.list[DecisionRecord]:
        """Return all decisions on an estimate, the one that counts first; raises NotFound, StoreUnavailable."""
        query = sa.select(*_DECISION).where(DECISION.c.estimate_id == estimate_id).order_by(DECISION.c.seq.desc())
        with self._database.read() as connection:
            _estimate_decided(connection, estimate_id)
            return [DecisionRecord(**row) for row in connection.execute(query).mappings()]

    def decisions(self, market_id: str, limit: int) -> builtins.list[DecisionRecord]:
        """Return the market's decisions that count, newest first: one per estimate decided on.

        Those they replaced are in the audit trail. Raises NotFound, StoreUnavailable.
        """
        later = DECISION.alias("later")
        replaced = sa.exists().where(later.c.estimate_id == DECISION.c.estimate_id, later.c.seq > DECISION.c.seq)
        query = sa.select(*_DECISION).where(DECISION.c.market_id == market_id, ~replaced)
        with self._database.read() as connection:
            market_row(connection, market_id)
            rows = connection.execute(query.order_by(DECISION.c.seq.desc()).limit(int(limit))).mappings()
            return [DecisionRecord(**row) for row in rows]

    def _insert(self, rows: Sequence[Mapping[str, Any]]) -> None:
        try:
            with self._appends.write() as connection:
                connection.execute(ESTIMATE.insert(), rows)
        except IntegrityError:
            with self._database.read() as connection:
                for market_id in {row["market_id"] for row in rows}:
                    market_row(connection, market_id)
            raise


def _row(new: NewEstimate, actor: Actor, at: datetime) -> dict[str, Any]:
    given = {**vars(new)}
    as_of = plain_day(given.pop("as_of"), "estimate.as_of")
    row = plain_document(given, "estimate")
    for name in _NUMBERS:
        row[name] = _number(row[name], f"estimate.{name}")
    for name in _NAMES:
        row[name] = None if row[name] in (None, "") else str(row[name])
    for name in _TEXTS:
        row[name] = "" if row[name] is None else str(row[name])
    _check_estimate(row)
    return {"estimate_id": secrets.token_hex(_ID_BYTES), **_signature(actor, at), "as_of": as_of, **row}


def _signature(actor: Actor, at: datetime) -> dict[str, Any]:
    return {
        "at": at,
        "actor": plain_text(actor.name),
        "role": plain_text(actor.role),
        "office": plain_text(actor.office),
    }


def _number(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidRecord(f"{where} is {value!r}, which is no number; give a number, or None if it is not known.")
    return float(value)


def _check_estimate(row: Mapping[str, Any]) -> None:
    _check_choice(row["channel"], get_args(Channel), "channel")
    _check_choice(row["status"], get_args(Status), "status")
    if not re.fullmatch(r"[A-Z]{3}", row["currency"]):
        raise InvalidRecord(f"The currency {row['currency']!r} is not three capitals; write an ISO code such as USD.")
    if row["latency_ms"] is None or row["latency_ms"] < 0:
        raise InvalidRecord(f"The latency {row['latency_ms']} ms is not known or negative; give the time it took.")
    _check_price(row["list_price"], "list price")
    if row["status"] == "priced":
        _check_priced(row)
    else:
        _check_unpriced(row)


def _check_priced(row: Mapping[str, Any]) -> None:
    missing = [name for name in ("model_id", *_FIGURES[:-1]) if row[name] is None]
    if missing:
        raise InvalidRecord(
            f"A priced estimate has no {', '.join(missing)}; give them, or write it as 'unavailable' with its reason."
        )
    if not (0 <= row["low"] <= row["point"] <= row["high"] and row["point"] > 0):
        raise InvalidRecord(
            f"The point {row['point']} is not above zero and inside the range from {row['low']} to {row['high']}; "
            "correct the figures."
        )
    for name, low, high in (("level", 0, 1), ("confidence", 0, 100)):
        if not low <= row[name] <= high:
            raise InvalidRecord(f"The {name} {row[name]} is not between {low} and {high}; give it on that scale.")
    if row["fsd"] is not None and row["fsd"] < 0:
        raise InvalidRecord(f"The FSD {row['fsd']} is negative; give a share of the point, or None.")


def _check_unpriced(row: Mapping[str, Any]) -> None:
    figures = [name for name in _FIGURES if row[name] is not None]
    if figures:
        raise InvalidRecord(
            f"An estimate that is {row['status']} has {', '.join(figures)}; leave the figures None, or write it as "
            "'priced'."
        )
    if not row["reason"].strip():
        raise InvalidRecord(f"An estimate that is {row['status']} has no reason; say why there is no price.")


def _check_choice(value: str, choices: Sequence[str], what: str) -> None:
    if value not in choices:
        raise InvalidRecord(f"The {what} {value!r} is unknown; use one of {', '.join(map(repr, choices))}.")


def _check_price(value: float | None, what: str) -> None:
    if value is not None and value <= 0:
        raise InvalidRecord(f"The {what} {value} is not above zero; correct it, or leave it out.")


def _decision_values(new: NewDecision) -> dict[str, Any]:
    values = plain_document(vars(new), "decision")
    _check_choice(values["kind"], get_args(DecisionKind), "kind of decision")
    for name in ("price", "listing_price"):
        values[name] = _number(values[name], f"decision.{name}")
        _check_price(values[name], name.replace("_", " "))
    if values["price"] is None:
        raise InvalidRecord("The decision has no price; give the price the agent goes with.")
    values["reason_code"] = values["reason_code"] or None
    return values


def _estimate_decided(connection: sa.Connection, estimate_id: str) -> sa.RowMapping:
    columns = (ESTIMATE.c.market_id, ESTIMATE.c.status, ESTIMATE.c.point)
    query = sa.select(*columns).where(ESTIMATE.c.estimate_id == estimate_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise _not_found(estimate_id)
    return row


def _check_decision(values: Mapping[str, Any], estimate: sa.RowMapping) -> None:
    if estimate["status"] != "priced":
        raise InvalidRecord(
            f"Estimate {values['estimate_id']} is {estimate['status']}, so there is no price to decide on; "
            "use comparative market analysis instead."
        )
    if values["kind"] == "accept" and not math.isclose(values["price"], estimate["point"], rel_tol=0, abs_tol=_CENT):
        raise InvalidRecord(
            f"The price accepted, {values['price']}, is not the estimate's {estimate['point']}; accept that, or write "
            "the decision as 'adjust' or 'override'."
        )


def _not_found(estimate_id: Any) -> NotFound:
    return NotFound(f"There is no estimate {estimate_id!r}; list the market's estimates to see their ids.")
