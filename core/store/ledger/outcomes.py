"""Outcomes: estimates as given, compared with the prices the homes sold for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from core.access import Actor
from core.errors import InvalidRecord
from core.states import AuditAction
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.markets import lock_market, market_row
from core.store.base.tables import DECISION, ESTIMATE, MATCHING, OUTCOME, now
from core.store.base.values import plain_text
from core.store.ledger.decisions import decision_stands
from core.store.ledger.figures import Basis, Slice, outcome_conditions, spelled
from core.store.ledger.histograms import error_bin

_AT_ONCE: Final = 400


@dataclass(frozen=True, kw_only=True)
class NewOutcome:
    """An estimate and the sale of its home; ``sale_key`` names the sale, and the estimate's figures are the ledger's.

    ``counted`` marks the one estimate that counts for the sale, ``blind`` one made before the list price was known.
    ``first_list_price`` is the first price the home was listed at, ``list_price`` the last.
    """

    estimate_id: str
    sale_key: str
    sale_date: date
    sale_price: float
    list_date: date | None
    list_price: float | None
    first_list_price: float | None
    counted: bool
    blind: bool
    estimated_at: datetime
    model_id: str
    office: str
    channel: str
    property_type: str | None
    area: str | None
    point: float
    low: float
    high: float
    level: float
    confidence: float


@dataclass(frozen=True, kw_only=True)
class OutcomeRecord(NewOutcome):
    """A stored outcome: ``error`` is (point - sale_price) / sale_price, ``inside`` whether the range held the price.

    ``current`` is false once a correction or an undone data version has replaced it. Instants are in UTC.
    """

    market_id: str
    version_id: str
    current: bool
    recorded_at: datetime
    error: float
    inside: bool


@dataclass(frozen=True)
class Recorded:
    """What recording changed: rows added, rows that are no longer current, rows that already existed."""

    added: int
    superseded: int
    unchanged: int


@dataclass(frozen=True)
class Candidate:
    """A priced estimate whose home may have sold: the home's ids and codes as typed, the listing price as decided."""

    estimate_id: str
    at: datetime
    as_of: date
    currency: str
    property_key: str
    property_id: str
    zipcode: str
    list_price: float | None
    listing_price: float | None
    model_id: str
    office: str
    channel: str
    property_type: str | None
    area: str | None
    point: float
    low: float
    high: float
    level: float
    confidence: float


_NEW: Final = tuple(field.name for field in fields(NewOutcome))
_RECORD: Final = tuple(OUTCOME.c[field.name] for field in fields(OutcomeRecord))
_CANDIDATE: Final = tuple(
    ESTIMATE.c[field.name]
    for field in fields(Candidate)
    if field.name not in ("property_id", "zipcode", "listing_price")
)


class Outcomes:
    """Record and read outcomes; a row never changes, except that it stops being current."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        market_id: str,
        chain: Sequence[str],
        version_id: str,
        found: Mapping[str, Sequence[NewOutcome]],
        actor: Actor,
        undone: Sequence[str] = (),
    ) -> Recorded:
        """Make a version's findings the current outcomes of each sale (by sale_key; no findings retire them).

        ``chain`` has the ids of the market's versions in use; outcomes of other versions are replaced even if equal.
        One transaction writes all, with audit entries and the note that the data version has been matched and the
        ``undone`` ones no longer are; repeating it changes nothing. Raises NotFound for an unknown market,
        InvalidRecord for a price that is not above zero, StoreUnavailable.
        """
        _check(found)
        counts = [0, 0, 0]
        with self._database.write() as connection:
            lock_market(connection, market_id)
            for keys in _parts(found):
                held = _current(connection, market_id, keys)
                for key in keys:
                    changed = _replace(connection, (market_id, version_id), chain, held.get(key, []), found[key], actor)
                    counts = [before + more for before, more in zip(counts, changed, strict=True)]
            connection.execute(MATCHING.delete().where(MATCHING.c.version_id.in_([version_id, *undone])))
            if version_id:
                connection.execute(MATCHING.insert().values(version_id=version_id, market_id=market_id, at=now()))
            recorded = Recorded(*counts)
            if recorded.added or recorded.superseded:
                append_event(
                    connection, actor, AuditAction.OUTCOMES_RECORDED, market_id, version_id, detail=vars(recorded)
                )
        return recorded

    def unmatched(self, market_id: str, chain: Sequence[str]) -> list[str]:
        """Return the versions of the chain (ids, newest first) not matched yet, oldest first; raises NotFound."""
        query = sa.select(MATCHING.c.version_id).where(MATCHING.c.market_id == market_id)
        with self._database.read() as connection:
            market_row(connection, market_id)
            matched = set(connection.scalars(query))
        return [version_id for version_id in reversed(chain) if version_id not in matched]

    def undone(self, market_id: str, chain: Sequence[str]) -> list[str]:
        """Return the versions that were matched and are no longer in the chain; StoreUnavailable."""
        m = MATCHING.c
        query = sa.select(m.version_id).where(m.market_id == market_id, m.version_id.not_in(list(chain)))
        with self._database.read() as connection:
            return sorted(connection.scalars(query))

    def touched(self, market_id: str, chain: Sequence[str], undone: Sequence[str]) -> list[str]:
        """Return the keys of sales whose outcomes an undone version may have changed; none where nothing was undone.

        Those whose current outcomes come from a version not in the chain, and those that ever lost an outcome.
        """
        o = OUTCOME.c
        of_versions = sa.and_(o.market_id == market_id, o.version_id != "")
        query = sa.select(o.sale_key, o.version_id, o.current).where(of_versions).distinct()
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        in_use = set(chain)
        orphans = {key for key, version_id, current in rows if current and version_id not in in_use}
        if not (orphans or undone):
            return []
        return sorted(orphans | {key for key, _, current in rows if not current})

    def in_two_currencies(self, market_id: str) -> set[str]:
        """Return the keys of data versions' sales with an outcome of an estimate in another currency than the market's.

        A release before this one made such outcomes where a market's currency had changed. Raises NotFound,
        StoreUnavailable.
        """
        o, e = OUTCOME.c, ESTIMATE.c
        with self._database.read() as connection:
            currency = market_row(connection, market_id)["currency"]
            current = sa.and_(o.market_id == market_id, o.current.is_(True), o.version_id != "")
            query = sa.select(o.sale_key).join_from(OUTCOME, ESTIMATE, o.estimate_id == e.estimate_id)
            return set(connection.scalars(query.where(current, e.currency != currency).distinct()))

    def other_currency(self, market_id: str) -> int:
        """Count the priced estimates in another currency than the market's now, which are compared with no sale.

        Raises NotFound, StoreUnavailable.
        """
        e = ESTIMATE.c
        with self._database.read() as connection:
            currency = market_row(connection, market_id)["currency"]
            priced = sa.and_(e.market_id == market_id, e.status == "priced", e.currency != currency)
            query = sa.select(sa.func.count()).select_from(ESTIMATE).where(priced)
            return int(connection.execute(query).scalar_one())

    def forget_matching(self, market_id: str, chain: Sequence[str]) -> None:
        """Mark versions outside the chain as unmatched, so that one uploaded again is matched again."""
        condition = sa.and_(MATCHING.c.market_id == market_id, MATCHING.c.version_id.not_in(list(chain)))
        with self._database.write() as connection:
            connection.execute(MATCHING.delete().where(condition))

    def candidates(self, market_id: str, property_keys: Iterable[str]) -> list[Candidate]:
        """Return the priced estimates of the homes with those keys, oldest first; raises StoreUnavailable."""
        e = ESTIMATE.c
        found: list[Candidate] = []
        with self._database.read() as connection:
            for keys in _parts(property_keys):
                condition = sa.and_(e.market_id == market_id, e.property_key.in_(keys), e.status == "priced")
                query = sa.select(*_CANDIDATE, e.facts).where(condition).order_by(e.seq)
                rows = [dict(row) for row in connection.execute(query).mappings()]
                listed = _listing_prices(connection, [row["estimate_id"] for row in rows])
                for row in rows:
                    facts = row.pop("facts")
                    row |= {name: str(facts.get(name) or "").strip() for name in ("property_id", "zipcode")}
                    found.append(Candidate(**row, listing_price=listed.get(row["estimate_id"])))
        return sorted(found, key=lambda one: one.at)

    def first_candidate(self, market_id: str) -> date | None:
        """Return the earliest day on which an estimate that names its home was made, or for which it is; or None."""
        e = ESTIMATE.c
        query = sa.select(sa.func.min(e.at), sa.func.min(e.as_of)).where(
            e.market_id == market_id, e.property_key > "", e.status == "priced"
        )
        with self._database.read() as connection:
            at, as_of = connection.execute(query).one()
        return None if at is None else min(at.date(), as_of)

    def unmatched_homes(self, market_id: str) -> set[str]:
        """Return the keys of homes with a priced estimate that no sale is compared with; raises StoreUnavailable."""
        e, o = ESTIMATE.c, OUTCOME.c
        compared = sa.select(o.estimate_id).where(o.market_id == market_id, o.current.is_(True))
        priced = sa.and_(e.market_id == market_id, e.property_key > "", e.status == "priced")
        query = sa.select(e.property_key).where(priced, e.estimate_id.not_in(compared)).distinct()
        with self._database.read() as connection:
            return set(connection.scalars(query))

    def held_keys(self, market_id: str) -> set[str]:
        """Return the keys of the sales that have current outcomes; raises StoreUnavailable."""
        query = sa.select(OUTCOME.c.sale_key).where(OUTCOME.c.market_id == market_id, OUTCOME.c.current.is_(True))
        with self._database.read() as connection:
            return set(connection.scalars(query.distinct()))

    def of_sale(self, market_id: str, sale_key: str) -> list[OutcomeRecord]:
        """Return all outcomes of a sale, including replaced ones, in the order recorded; raises StoreUnavailable."""
        o = OUTCOME.c
        query = sa.select(*_RECORD).where(o.market_id == market_id, o.sale_key == sale_key).order_by(o.seq)
        with self._database.read() as connection:
            return [OutcomeRecord(**row) for row in connection.execute(query).mappings()]

    def frame(self, market_id: str, where: Slice, basis: Basis = "blind") -> pd.DataFrame:
        """Return the current outcomes of a slice (days of sale) as a table: OutcomeRecord's columns and ``facts``.

        ``facts`` holds each estimate's facts as typed, a dict; dates are datetime64[us], estimated_at and recorded_at
        in UTC. This is for code that looks at single homes; use Figures for totals. Raises NotFound, StoreUnavailable.
        """
        where = spelled(self._database, market_id, where)
        query = (
            sa.select(*_RECORD, ESTIMATE.c.facts)
            .join_from(OUTCOME, ESTIMATE, OUTCOME.c.estimate_id == ESTIMATE.c.estimate_id)
            .where(*outcome_conditions(market_id, where, basis))
            .order_by(OUTCOME.c.sale_date, OUTCOME.c.seq)
        )
        names = [column.name for column in query.selected_columns]
        with self._database.read() as connection:
            market_row(connection, market_id)
            rows = [tuple(row) for row in connection.execute(query)]
        table = pd.DataFrame(rows, columns=names)
        for name in ("sale_date", "list_date"):
            table[name] = pd.to_datetime(table[name]).astype("datetime64[us]")
        for name in ("list_price", "first_list_price"):
            table[name] = table[name].astype("float64")
        return table


def _check(found: Mapping[str, Sequence[NewOutcome]]) -> None:
    for key, rows in found.items():
        for row in rows:
            if row.sale_key != key or not row.sale_price > 0:
                raise InvalidRecord(
                    f"The outcome of sale {row.sale_key!r} (under {key!r}) has a price of {row.sale_price}; give the "
                    "sale's own key and a price above zero."
                )


def _current(connection: sa.Connection, market_id: str, keys: Sequence[str]) -> dict[str, list[sa.RowMapping]]:
    o = OUTCOME.c
    query = sa.select(OUTCOME).where(o.market_id == market_id, o.sale_key.in_(keys), o.current.is_(True))
    held: dict[str, list[sa.RowMapping]] = {}
    for row in connection.execute(query.order_by(o.seq)).mappings():
        held.setdefault(row["sale_key"], []).append(row)
    return held


def _replace(
    connection: sa.Connection,
    source: tuple[str, str],
    chain: Sequence[str],
    held: Sequence[sa.RowMapping],
    found: Sequence[NewOutcome],
    actor: Actor,
) -> tuple[int, int, int]:
    """Replace only the rows that differ; the sale's other rows stay."""
    market_id, version_id = source
    before = {row["estimate_id"]: row for row in held}
    new = {row.estimate_id: row for row in found}
    same = {key for key, row in new.items() if key in before and _same(before[key], row, chain)}
    gone = [row for key, row in before.items() if key not in same]
    fresh = [row for key, row in new.items() if key not in same]
    if gone:
        numbers = [row["seq"] for row in gone]
        connection.execute(OUTCOME.update().where(OUTCOME.c.seq.in_(numbers)).values(current=False))
    if fresh:
        connection.execute(OUTCOME.insert(), [outcome_row(market_id, version_id, row) for row in fresh])
    if gone and fresh and gone[0]["sale_price"] != fresh[0].sale_price:
        detail = {"before": gone[0]["sale_price"], "after": fresh[0].sale_price, "version_id": version_id}
        append_event(connection, actor, AuditAction.OUTCOME_CORRECTED, market_id, fresh[0].sale_key, detail=detail)
    return len(fresh), len(gone), len(same)


def _same(held: sa.RowMapping, new: NewOutcome, chain: Sequence[str]) -> bool:
    return held["version_id"] in chain and all(held[name] == getattr(new, name) for name in _NEW)


def outcome_row(market_id: str, version_id: str, new: NewOutcome) -> dict[str, Any]:
    """Return an outcome as its table holds it, current, with what derives from price and range."""
    error = (new.point - new.sale_price) / new.sale_price
    return {
        **vars(new),
        "office": plain_text(new.office),
        "market_id": market_id,
        "version_id": version_id,
        "current": True,
        "recorded_at": now(),
        "error": error,
        "error_bin": error_bin(error),
        "inside": new.low <= new.sale_price <= new.high,
    }


def _listing_prices(connection: sa.Connection, estimate_ids: Sequence[str]) -> dict[str, float]:
    columns = (DECISION.c.estimate_id, DECISION.c.listing_price)
    listed: dict[str, float] = {}
    for part in _parts(estimate_ids):
        query = sa.select(*columns).where(DECISION.c.estimate_id.in_(part), decision_stands()).order_by(DECISION.c.seq)
        listed.update({key: price for key, price in connection.execute(query).all() if price is not None})
    return listed


def _parts(keys: Iterable[str]) -> Iterator[list[str]]:
    # A statement takes a limited number of parameters.
    rest = iter(keys)
    while part := list(itertools.islice(rest, _AT_ONCE)):
        yield part
