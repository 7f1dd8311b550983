"""The prediction ledger: every answer, written before it is shown, and the agent's decision on it."""

from __future__ import annotations

import builtins
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.access import Actor
from core.errors import AlreadyExists, InvalidRecord, NotFound, StoreError
from core.states import AuditAction, EstimateState
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.group_commit import GroupCommit, LedgerDatabase
from core.store.base.markets import lock_market, market_row
from core.store.base.office_names import names_held, spellings
from core.store.base.tables import DECISION, DECISION_TAKEN_BACK, ESTIMATE, now
from core.store.base.values import plain_text
from core.store.ledger.checks import ID_BYTES, past_instant, signature
from core.store.ledger.decisions import (
    DecisionRecord,
    NewDecision,
    check_decision,
    conditions_of,
    decision_counts,
    decision_stands,
    decision_values,
)
from core.store.ledger.histograms import latency_bin
from core.store.ledger.records import ALL_ESTIMATES, EstimateRecord, EstimateSummary, NewEstimate, WantedEstimates, sign

_SUMMARY: Final = tuple(ESTIMATE.c[field.name] for field in fields(EstimateSummary))
_RECORD: Final = tuple(ESTIMATE.c[field.name] for field in fields(EstimateRecord))
ASKED_ALONE: Final = ("page", "api")
"""The channels of homes asked for one by one; the others write the rows of a file, also of one given to a command."""

_DECISION: Final = tuple(DECISION.c[field.name] for field in fields(DecisionRecord))


class Ledger:
    """Append and read estimates and decisions; neither can ever be changed or removed."""

    def __init__(self, database: Database, appends: Database) -> None:
        self._database = database
        self._appends = appends
        self._driver = _DriverRows(appends) if isinstance(appends, LedgerDatabase) else None
        self._together = GroupCommit(self._commit_together)

    def append(self, new: NewEstimate, actor: Actor) -> EstimateRecord:
        """Write one estimate; call this before showing it.

        Raises NotFound for an unknown market, InvalidRecord for a record that contradicts itself or cannot be stored,
        StoreUnavailable; nothing is written then.
        """
        return self.append_signed(sign(new, actor))

    def append_signed(self, estimate: EstimateRecord) -> EstimateRecord:
        """Write an estimate that already has its id, instant and actor; an id is written only once.

        Raises AlreadyExists if the ledger has an estimate with that id, NotFound, StoreUnavailable.
        """
        row = _row_of(estimate)
        if self._driver is None:
            self._insert([row])
        else:
            self._together.submit(_Prepared(row, self._driver.values(row)))
        return estimate

    def append_many(self, new: Sequence[NewEstimate], actor: Actor) -> builtins.list[str]:
        """Write many estimates, all or none, and return their ids in the order given; raises as append() does."""
        at = now()
        signed = [sign(one, actor, at) for one in new]
        self.append_signed_many(signed)
        return [one.estimate_id for one in signed]

    def append_signed_many(self, estimates: Sequence[EstimateRecord]) -> None:
        """Write estimates that already have their ids, all or none; raises as append_signed() does."""
        if estimates:
            self._insert([_row_of(one) for one in estimates])

    def append_past(self, entries: Sequence[tuple[datetime, NewEstimate, Actor]]) -> builtins.list[str]:
        """Write estimates dated in the past, all or none, and return their ids; simulated markets only.

        A simulated market's history is made up after the fact. Raises InvalidRecord for a market of real sales or a
        future instant, and whatever append() raises.
        """
        signed = [sign(new, actor, past_instant(at)) for at, new, actor in entries]
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

    def list(
        self,
        market_id: str,
        limit: int,
        actor_id: str | None = None,
        office: str = "",
        channels: Sequence[str] = (),
        wanted: WantedEstimates = ALL_ESTIMATES,
    ) -> builtins.list[EstimateSummary]:
        """Return the market's estimates, newest first, of all actors and offices or of one.

        ``channels`` are those the homes came by, empty for all. Raises NotFound, StoreUnavailable.
        """
        query = sa.select(*_SUMMARY).where(ESTIMATE.c.market_id == market_id, *conditions_of(wanted))
        if channels:
            query = query.where(ESTIMATE.c.channel.in_(channels))
        if actor_id is not None:
            query = query.where(ESTIMATE.c.actor_id == plain_text(actor_id))
        query = query.order_by(ESTIMATE.c.at.desc(), ESTIMATE.c.seq.desc()).limit(int(limit))
        with self._database.read() as connection:
            market_row(connection, market_id)
            for name in filter(None, (office, wanted.office)):
                named = spellings(connection, ESTIMATE.c.office, market_id, plain_text(name))
                query = query.where(ESTIMATE.c.office.in_(named))
            rows = connection.execute(query).mappings()
            return [EstimateSummary(**{**row, "flags": tuple(row["flags"])}) for row in rows]

    def offices(self, market_id: str) -> builtins.list[str]:
        """Return the offices with estimates in a market, by name; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            market_row(connection, market_id)
            return [name for name in names_held(connection, ESTIMATE.c.office, market_id) if name]

    def undecided(self, market_id: str, actor_id: str) -> int:
        """Count an actor's estimates that wait for a decision; raises StoreUnavailable."""
        query = sa.select(sa.func.count()).where(
            ESTIMATE.c.market_id == market_id,
            ESTIMATE.c.actor_id == plain_text(actor_id),
            *conditions_of(WantedEstimates(state=EstimateState.OPEN)),
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()

    def open_among(self, estimate_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these estimates wait for a decision; raises StoreUnavailable."""
        wanted = conditions_of(WantedEstimates(state=EstimateState.OPEN))
        query = sa.select(ESTIMATE.c.estimate_id).where(ESTIMATE.c.estimate_id.in_(list(estimate_ids)), *wanted)
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def facts_of(self, estimate_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the facts of each of these estimates as typed; raises StoreUnavailable."""
        query = sa.select(ESTIMATE.c.estimate_id, ESTIMATE.c.facts).where(
            ESTIMATE.c.estimate_id.in_(list(estimate_ids))
        )
        with self._database.read() as connection:
            return {row.estimate_id: row.facts for row in connection.execute(query)}

    def references_of(self, estimate_ids: Sequence[str]) -> dict[str, str]:
        """Return the names that a file or a program gave these estimates; raises StoreUnavailable."""
        name = ESTIMATE.c.answer["reference"].as_string()
        query = sa.select(ESTIMATE.c.estimate_id, name.label("name")).where(
            ESTIMATE.c.estimate_id.in_(list(estimate_ids)), name.is_not(None)
        )
        with self._database.read() as connection:
            return {row.estimate_id: str(row.name) for row in connection.execute(query)}

    def count(self, market_id: str) -> int:
        """Count the market's estimates; raises NotFound, StoreUnavailable."""
        query = sa.select(sa.func.count()).where(ESTIMATE.c.market_id == market_id)
        with self._database.read() as connection:
            market_row(connection, market_id)
            return connection.execute(query).scalar_one()

    def decide(self, new: NewDecision, actor: Actor) -> DecisionRecord:
        """Write a decision and its audit entry; earlier decisions on the estimate stay but no longer count.

        Raises NotFound for an unknown estimate; InvalidRecord if it is unpriced, a price is not above zero, the kind
        is unknown, or an accepted price is not the estimate's point (to the cent); StoreUnavailable.
        """
        values = decision_values(new)
        beside = {name: values.pop(name) for name in ("comparables", "added")}
        with self._database.write() as connection:
            estimate = _estimate_decided(connection, new.estimate_id)
            check_decision(values, estimate)
            record = DecisionRecord(
                decision_id=secrets.token_hex(ID_BYTES),
                market_id=estimate["market_id"],
                **signature(actor, now()),
                **values,
            )
            connection.execute(DECISION.insert().values(**vars(record)))
            detail = {key: values[key] for key in ("kind", "price", "listing_price", "reason_code", "note")}
            detail |= {"decision_id": record.decision_id, "point": estimate["point"], **beside}
            append_event(
                connection, actor, AuditAction.DECISION_MADE, record.market_id, record.estimate_id, detail=detail
            )
        return record

    def take_back(self, estimate_id: str, decision_id: str, actor: Actor) -> None:
        """Let the decision that counts no longer stand, so that the one before it, if there is one, counts again.

        Raises NotFound for an unknown estimate, InvalidRecord if another decision or none counts, StoreUnavailable.
        """
        with self._database.write() as connection:
            market_id = _estimate_decided(connection, estimate_id)["market_id"]
            # Two who take back at once do so one after the other.
            lock_market(connection, market_id)
            row = connection.execute(_counting(estimate_id)).mappings().first()
            if row is None or row["decision_id"] != decision_id:
                raise InvalidRecord(
                    "This decision no longer counts: somebody decided anew, or took it back. Nothing was changed; see "
                    "what counts now before you go on."
                )
            values = {"decision_id": decision_id, **signature(actor, now())}
            connection.execute(DECISION_TAKEN_BACK.insert().values(**values))
            detail = {key: row[key] for key in ("decision_id", "kind", "price", "listing_price")}
            append_event(connection, actor, AuditAction.DECISION_TAKEN_BACK, market_id, estimate_id, detail=detail)

    def decide_past(self, entries: Sequence[tuple[datetime, NewDecision, Actor]]) -> builtins.list[DecisionRecord]:
        """Write decisions dated in the past, all or none, with one audit entry; simulated markets only.

        Raises InvalidRecord for a market of real sales, a future instant or one before the estimate's, and whatever
        decide() raises.
        """
        records: list[DecisionRecord] = []
        with self._database.write() as connection:
            for at, new, actor in entries:
                values = decision_values(new)
                del values["comparables"], values["added"]
                estimate = _estimate_decided(connection, new.estimate_id)
                check_decision(values, estimate)
                _check_simulated(connection, estimate["market_id"])
                if past_instant(at) < estimate["at"]:
                    raise InvalidRecord(f"A decision at {at} comes before its estimate {new.estimate_id}; correct it.")
                signed = {**signature(actor, at), "decision_id": secrets.token_hex(ID_BYTES)}
                records.append(DecisionRecord(market_id=estimate["market_id"], **signed, **values))
            if records:
                connection.execute(DECISION.insert(), [vars(record) for record in records])
                detail, market_id = {"decisions": len(records)}, records[0].market_id
                append_event(
                    connection, entries[0][2], AuditAction.DECISIONS_SIMULATED, market_id, market_id, detail=detail
                )
        return records

    def decision(self, estimate_id: str) -> DecisionRecord | None:
        """Return the decision that counts, the latest that stands, or None; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            row = connection.execute(_counting(estimate_id)).mappings().first()
            if row is None:
                _estimate_decided(connection, estimate_id)
        return None if row is None else DecisionRecord(**row)

    def decisions_on(self, estimate_id: str) -> builtins.list[DecisionRecord]:
        """Return all decisions on an estimate that stand, newest first; raises NotFound, StoreUnavailable.

        Those taken back are in the audit trail.
        """
        query = _standing(DECISION.c.estimate_id == estimate_id).order_by(DECISION.c.seq.desc())
        with self._database.read() as connection:
            _estimate_decided(connection, estimate_id)
            return [DecisionRecord(**row) for row in connection.execute(query).mappings()]

    def decisions_of(self, estimate_ids: Sequence[str]) -> dict[str, DecisionRecord]:
        """Return the decision that counts on each of these estimates that has one; raises StoreUnavailable."""
        query = _standing(DECISION.c.estimate_id.in_(list(estimate_ids))).order_by(DECISION.c.seq)
        with self._database.read() as connection:
            rows = [DecisionRecord(**row) for row in connection.execute(query).mappings()]
        return {row.estimate_id: row for row in rows}

    def decisions(self, market_id: str, limit: int) -> builtins.list[DecisionRecord]:
        """Return the market's decisions that count, newest first: at most one per estimate.

        Decisions replaced or taken back are in the audit trail. Raises NotFound, StoreUnavailable.
        """
        query = sa.select(*_DECISION).where(DECISION.c.market_id == market_id, decision_counts())
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
            # One estimate that cannot be written must not block the others.
            return [self._commit_together([one])[0] for one in group]
        except StoreError as error:
            return [error] * len(group)
        self._appends.appended(len(group))
        return [None] * len(group)

    def _refusal(self, rows: Sequence[Mapping[str, Any]], error: IntegrityError) -> Exception:
        """Explain a violated constraint: an unknown market, or an id that already exists."""
        ids = [row["estimate_id"] for row in rows]
        with self._database.read() as connection:
            try:
                for market_id in {row["market_id"] for row in rows}:
                    market_row(connection, market_id)
            except NotFound as unknown:
                return unknown
            held = connection.scalar(sa.select(ESTIMATE.c.estimate_id).where(ESTIMATE.c.estimate_id.in_(ids[:500])))
        return error if held is None else AlreadyExists(f"Estimate {held} is already in the ledger.")


@dataclass(frozen=True)
class _Prepared:
    """An estimate about to enter the ledger: as a row, and as values for the driver."""

    row: Mapping[str, Any]
    values: tuple[Any, ...]


class _DriverRows:
    """Converts rows to driver values before taking the lock; SQLAlchemy would do it while others wait."""

    def __init__(self, database: LedgerDatabase) -> None:
        columns = [column for column in ESTIMATE.columns if column.name != "seq"]
        marks = ", ".join("?" for _ in columns)
        names = ", ".join(column.name for column in columns)
        self.statement = f"INSERT INTO {ESTIMATE.name} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
        self._turn = [(column.name, database.to_driver(column.type)) for column in columns]

    def values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the row's values in the order of the statement."""
        return tuple(row[name] if turn is None else turn(row[name]) for name, turn in self._turn)


def _row_of(estimate: EstimateRecord) -> dict[str, Any]:
    return {
        **vars(estimate),
        "flags": list(estimate.flags),
        "day": estimate.at.astimezone(UTC).date(),
        "latency_bin": latency_bin(estimate.latency_ms),
        "flagged": bool(estimate.flags),
    }


def _standing(where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the decisions that meet a condition and were not taken back."""
    return sa.select(*_DECISION).where(where, decision_stands())


def _counting(estimate_id: str) -> sa.Select[Any]:
    """Select the decision that counts on an estimate: the latest that stands."""
    return _standing(DECISION.c.estimate_id == estimate_id).order_by(DECISION.c.seq.desc()).limit(1)


def _check_simulated(connection: sa.Connection, market_id: str) -> None:
    if not market_row(connection, market_id)["simulated"]:
        raise InvalidRecord(
            f"Market {market_id} holds real sales, so its ledger does not take entries dated in the past. Use a "
            "simulated market."
        )


def _estimate_decided(connection: sa.Connection, estimate_id: str) -> sa.RowMapping:
    columns = (ESTIMATE.c.market_id, ESTIMATE.c.status, ESTIMATE.c.point, ESTIMATE.c.at)
    query = sa.select(*columns).where(ESTIMATE.c.estimate_id == estimate_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise _not_found(estimate_id)
    return row


def _not_found(estimate_id: Any) -> NotFound:
    return NotFound(f"There is no estimate {estimate_id!r}; list the market's estimates to see their ids.")
