"""The prediction ledger: every answer, written before it is shown, and what the agent made of it."""

from __future__ import annotations

import builtins
import math
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.access import Actor
from core.errors import AlreadyExists, InvalidRecord, NotFound, StoreError
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.group_commit import GroupCommit, LedgerDatabase
from core.store.base.markets import market_row
from core.store.base.tables import DECISION, ESTIMATE, now
from core.store.base.values import plain_document, plain_text
from core.store.ledger.histograms import latency_bin
from core.store.models.levels import plain_day

Channel = Literal["page", "file", "command line", "api"]
Status = Literal["priced", "unavailable", "refused"]
DecisionKind = Literal["accept", "adjust", "override"]

_ID_BYTES: Final = 8
_FIGURES: Final = ("point", "low", "high", "level", "confidence", "fsd")
_NUMBERS: Final = (*_FIGURES, "latency_ms", "list_price")
_NAMES: Final = ("model_id", "version_id", "level_id", "property_type", "area")
_TEXTS: Final = ("reason", "property_key", "currency")
_CENT: Final = 0.005


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
        self._driver = _DriverRows(appends) if isinstance(appends, LedgerDatabase) else None
        self._together = GroupCommit(self._commit_together)

    def append(self, new: NewEstimate, actor: Actor) -> EstimateRecord:
        """Write one estimate, to be called before it is shown.

        Raises NotFound for an unknown market, InvalidRecord for a record that contradicts itself or holds what cannot
        be stored, StoreUnavailable. Nothing is written then.
        """
        return self.append_signed(sign(new, actor))

    def append_signed(self, estimate: EstimateRecord) -> EstimateRecord:
        """Write an estimate that has its id, instant and actor already, once.

        Raises AlreadyExists if an estimate of that id is in the ledger, NotFound, StoreUnavailable.
        """
        row = _row_of(estimate)
        if self._driver is None:
            self._insert([row])
        else:
            self._together.submit(_Prepared(row, self._driver.values(row)))
        return estimate

    def append_many(self, new: Sequence[NewEstimate], actor: Actor) -> builtins.list[str]:
        """Write many estimates, all or nothing, and return their ids in the order given; raises as append() does."""
        at = now()
        signed = [sign(one, actor, at) for one in new]
        self.append_signed_many(signed)
        return [one.estimate_id for one in signed]

    def append_signed_many(self, estimates: Sequence[EstimateRecord]) -> None:
        """Write estimates that have their ids already, all or nothing; raises as append_signed() does."""
        if estimates:
            self._insert([_row_of(one) for one in estimates])

    def append_past(self, entries: Sequence[tuple[datetime, NewEstimate, Actor]]) -> builtins.list[str]:
        """Write estimates as made at past instants, all or nothing, and return their ids; simulated markets only.

        A simulated market tells a story that has already happened. Raises InvalidRecord for a market of real sales or
        an instant to come, else as append() does.
        """
        signed = [sign(new, actor, _past(at)) for at, new, actor in entries]
        with self._database.read() as connection:
            for market_id in {one.market_id for one in signed}:
                _check_simulated(connection, market_id)
        self.append_signed_many(signed)
        return [one.estimate_id for one in signed]

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

    def decide_past(self, entries: Sequence[tuple[datetime, NewDecision, Actor]]) -> builtins.list[DecisionRecord]:
        """Write decisions as made at past instants, all or nothing, with one audit entry; simulated markets only.

        Raises InvalidRecord for a market of real sales, an instant to come or before the estimate's, else as decide().
        """
        records: list[DecisionRecord] = []
        with self._database.write() as connection:
            for at, new, actor in entries:
                values = _decision_values(new)
                del values["comparables"]
                estimate = _estimate_decided(connection, new.estimate_id)
                _check_decision(values, estimate)
                _check_simulated(connection, estimate["market_id"])
                if _past(at) < estimate["at"]:
                    raise InvalidRecord(f"A decision at {at} comes before its estimate {new.estimate_id}; correct it.")
                signed = {**_signature(actor, at), "decision_id": secrets.token_hex(_ID_BYTES)}
                records.append(DecisionRecord(market_id=estimate["market_id"], **signed, **values))
            if records:
                connection.execute(DECISION.insert(), [vars(record) for record in records])
                detail, market_id = {"decisions": len(records)}, records[0].market_id
                append_event(connection, entries[0][2], "decisions.simulated", market_id, market_id, detail=detail)
        return records

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
        except IntegrityError as error:
            raise self._refusal(rows, error) from error
        if isinstance(self._appends, LedgerDatabase):
            self._appends.appended(len(rows))

    def _commit_together(self, group: Sequence[_Prepared]) -> Sequence[Exception | None]:
        assert self._driver is not None
        assert isinstance(self._appends, LedgerDatabase)
        try:
            with self._appends.write() as connection:
                connection.exec_driver_sql(self._driver.statement, [one.values for one in group])
        except (IntegrityError, InvalidRecord) as error:
            if len(group) == 1:
                return [self._refusal([group[0].row], error) if isinstance(error, IntegrityError) else error]
            # One that cannot be written must not take the others with it.
            return [self._commit_together([one])[0] for one in group]
        except StoreError as error:
            return [error] * len(group)
        self._appends.appended(len(group))
        return [None] * len(group)

    def _refusal(self, rows: Sequence[Mapping[str, Any]], error: IntegrityError) -> Exception:
        """Return what a broken constraint means: an unknown market, or an id that is there already."""
        ids = [row["estimate_id"] for row in rows]
        with self._database.read() as connection:
            try:
                for market_id in {row["market_id"] for row in rows}:
                    market_row(connection, market_id)
            except NotFound as unknown:
                return unknown
            held = connection.scalar(sa.select(ESTIMATE.c.estimate_id).where(ESTIMATE.c.estimate_id.in_(ids[:500])))
        return error if held is None else AlreadyExists(f"Estimate {held} is in the ledger already.")


@dataclass(frozen=True)
class _Prepared:
    """An estimate on its way into the ledger: as a row, and as the values the driver takes."""

    row: Mapping[str, Any]
    values: tuple[Any, ...]


class _DriverRows:
    """Turns rows into what the driver takes, outside the lock; SQLAlchemy would do it while the others wait."""

    def __init__(self, database: LedgerDatabase) -> None:
        columns = [column for column in ESTIMATE.columns if column.name != "seq"]
        marks = ", ".join("?" for _ in columns)
        names = ", ".join(column.name for column in columns)
        self.statement = f"INSERT INTO {ESTIMATE.name} ({names}) VALUES ({marks})"
        self._turn = [(column.name, database.to_driver(column.type)) for column in columns]

    def values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the row's values in the order of the statement."""
        return tuple(row[name] if turn is None else turn(row[name]) for name, turn in self._turn)


def sign(new: NewEstimate, actor: Actor, at: datetime | None = None) -> EstimateRecord:
    """Return an estimate as the ledger will hold it, with an id of its own, made by the actor ``at`` (now).

    Raises InvalidRecord for a record that contradicts itself or holds what cannot be stored.
    """
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
    row["flags"] = tuple(row["flags"])
    signature = _signature(actor, at or now())
    return EstimateRecord(estimate_id=secrets.token_hex(_ID_BYTES), as_of=as_of, **signature, **row)


def _row_of(estimate: EstimateRecord) -> dict[str, Any]:
    return {
        **vars(estimate),
        "flags": list(estimate.flags),
        "day": estimate.at.astimezone(UTC).date(),
        "latency_bin": latency_bin(estimate.latency_ms),
        "flagged": bool(estimate.flags),
    }


def _past(at: datetime) -> datetime:
    if at.tzinfo is None or at > now():
        raise InvalidRecord(f"{at} is no past instant with a time zone; give one, such as 2024-02-29 13:00 UTC.")
    return at


def _check_simulated(connection: sa.Connection, market_id: str) -> None:
    if not market_row(connection, market_id)["simulated"]:
        raise InvalidRecord(
            f"Market {market_id} holds real sales: its ledger takes entries only as they are made, not past ones. Use "
            "a simulated market."
        )


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
    columns = (ESTIMATE.c.market_id, ESTIMATE.c.status, ESTIMATE.c.point, ESTIMATE.c.at)
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
