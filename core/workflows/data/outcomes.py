"""Matches sales with earlier estimates of their homes: which estimate counts, and whether it was made blind."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from core.access import Action
from core.collect.addresses import address_keys
from core.collect.parsers import identifier
from core.errors import StoreError
from core.schema import conform, first_price_column
from core.states import AuditAction
from core.store import DataVersion, Store
from core.store.ledger.outcomes import Candidate, NewOutcome
from core.wording import count
from core.workspace import Workspace

_LOG: Final = logging.getLogger(__name__)
_ROW: Final = "intake_row"
# A change of any other fact does not affect a sale's outcome.
_COMPARED: Final = (
    *("sale_price", "sale_date", "list_date", "list_price", "first_list_price", "address", "unit", "property_id"),
)


@dataclass(frozen=True)
class OutcomeReport:
    """The matching of a data version's new and changed sales: counts of sales and estimates.

    Of ``sales`` examined, ``matched`` have ``outcomes`` estimates; one per sale counts, and ``blind`` of these were
    made without the list price. ``added`` and ``superseded`` are rows. ``late`` estimates came after the sale (a skewed
    clock, or a home priced again); ``ambiguous`` ones fit two sales on the same day; those of ``other_currency`` were
    made before the market's currency changed. No such estimate is matched.
    """

    version_id: str
    sales: int
    matched: int
    outcomes: int
    blind: int
    added: int
    superseded: int
    late: int
    ambiguous: int
    other_currency: int


def settle_outcomes(workspace: Workspace, market_id: str) -> tuple[OutcomeReport, ...]:
    """Bring a market's outcomes up to date with its data versions in use, oldest first.

    Versions committed without being matched (the process died) are made up for. Outcomes of undone ones are retired,
    and those that they had retired are current again. A sale takes the place of the one that a listing reported.
    Raises AccessDenied, NotFound, ArtifactCorrupt, StoreUnavailable; what is left is made up by the next call.
    """
    store = workspace.store
    workspace.require(Action.INGEST)
    chain = [version.version_id for version in store.versions.chain(market_id)]
    undone = store.outcomes.undone(market_id, chain)
    reports = [match_outcomes(workspace, version_id) for version_id in store.outcomes.unmatched(market_id, chain)]
    touched = {*store.outcomes.touched(market_id, chain, undone), *_in_two_currencies(workspace, market_id)}
    if touched and chain:
        reports.append(_match(workspace, store.versions.get(chain[0]), frozenset(touched), undone))
    elif touched:
        store.outcomes.record(market_id, chain, "", dict.fromkeys(touched, ()), workspace.actor, undone)
    else:
        store.outcomes.forget_matching(market_id, chain)
    store.listings.settle(market_id)
    return tuple(reports)


def _in_two_currencies(workspace: Workspace, market_id: str) -> set[str]:
    """Return the keys of sales matched with estimates in another currency; a market that never changed has none."""
    store = workspace.store
    if not store.events.count(market_id, AuditAction.MARKET_TERMS_CHANGED):
        return set()
    return store.outcomes.in_two_currencies(market_id)


def estimates_left_out(workspace: Workspace, market_id: str) -> str:
    """Say how many estimates no sale is compared with, as the market's currency was another then; "" if none.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.WATCH)
    n = workspace.store.outcomes.other_currency(market_id)
    if not n:
        return ""
    currency = workspace.store.markets.get(market_id).currency
    were, are = ("was", "is") if n == 1 else ("were", "are")
    return f"{count(n, 'estimate')} {were} made in another currency than {currency} and {are} compared with no sale."


def sales_left_out(workspace: Workspace, market_id: str) -> str:
    """Say how many sales of priced homes are compared with no estimate, as the homes were priced too late; "" if none.

    Raises AccessDenied, NotFound, ArtifactCorrupt, StoreUnavailable.
    """
    workspace.require(Action.WATCH)
    store = workspace.store
    version, priced = store.versions.latest(market_id), store.outcomes.unmatched_homes(market_id)
    first = store.outcomes.first_candidate(market_id)
    if version is None or first is None or not priced:
        return ""
    sales = store.versions.load(version.version_id)
    sales = sales[sales["sale_date"] >= pd.Timestamp(first) - timedelta(days=workspace.problem.monitoring.match_days)]
    keys = frozenset(key for key, homes in _homes(sales).items() if not priced.isdisjoint(homes))
    found, left = _find(workspace, market_id, sales, keys)
    n = sum(1 for key in left.late_sales if not found.get(key))
    if not n:
        return ""
    of, are = ("sale of a priced home", "is") if n == 1 else ("sales of priced homes", "are")
    return (
        f"{n:,} {of} {are} compared with no estimate: no estimate was made before the day of the sale, and one made on "
        "that day or later may have known the price."
    )


def settle_quietly(workspace: Workspace, market_id: str) -> tuple[OutcomeReport, ...]:
    """Settle outcomes after a completed action: a failure is logged, and the next call makes up for it."""
    try:
        return settle_outcomes(workspace, market_id)
    except StoreError as error:
        _LOG.error("outcomes of market %s are not settled; the next data will settle them: %s", market_id, error)
        return ()


def match_outcomes(workspace: Workspace, version_id: str) -> OutcomeReport:
    """Match the sales new or changed in a data version with earlier estimates of the same homes.

    Homes match by address key or, if both have one, by property id. An estimate belongs to the home's next sale, at
    most monitoring.match_days later, where both are in one currency. Of a sale's estimates, the last one before the
    listing counts; without a list date or such an estimate, the last one before the sale. Repeating a version changes
    nothing. Raises AccessDenied, NotFound, ArtifactCorrupt, StoreUnavailable.
    """
    workspace.require(Action.INGEST)
    version = workspace.store.versions.get(version_id)
    return _match(workspace, version, None)


def _match(
    workspace: Workspace, version: DataVersion, keys: frozenset[str] | None, undone: Sequence[str] = ()
) -> OutcomeReport:
    """Match the sales of those keys, or those the version brought, and note which versions were undone since."""
    store = workspace.store
    sales = store.versions.load(version.version_id)
    if keys is None:
        parent = store.versions.load(version.parent_id) if version.parent_id else None
        keys = _changed(sales, parent)
    chain = [one.version_id for one in store.versions.chain(version.market_id)]
    found, left = _find(workspace, version.market_id, sales, keys)
    held = store.outcomes.held_keys(version.market_id)
    # Most sales of a long history have no estimate and no outcome.
    found = {key: rows for key, rows in found.items() if rows or key in held}
    recorded = store.outcomes.record(version.market_id, chain, version.version_id, found, workspace.actor, undone)
    rows = [row for of_sale in found.values() for row in of_sale]
    return OutcomeReport(
        version_id=version.version_id,
        sales=len(keys),
        matched=sum(1 for of_sale in found.values() if of_sale),
        outcomes=len(rows),
        blind=sum(row.counted and row.blind for row in rows),
        added=recorded.added,
        superseded=recorded.superseded,
        late=left.late,
        ambiguous=left.ambiguous,
        other_currency=left.other_currency,
    )


def _changed(sales: pd.DataFrame, parent: pd.DataFrame | None) -> frozenset[str]:
    """Return the keys of sales that are new, gone, or changed in a way that matters here."""
    if parent is None:
        return frozenset(sales[_ROW].astype("str"))
    compared = [name for name in _COMPARED if name in sales.columns or name in parent.columns]
    now, before = (table.set_index(_ROW).reindex(columns=compared) for table in (sales, parent))
    both = now.index.intersection(before.index)
    left, right = now.loc[both], before.loc[both]
    same = np.ones(len(both), dtype=bool)
    for name in compared:
        missing = left[name].isna().to_numpy(), right[name].isna().to_numpy()
        equal = (left[name].to_numpy() == right[name].to_numpy()) | (missing[0] & missing[1])
        same &= np.asarray(equal, dtype=bool)
    rows = [*both[~same], *now.index.difference(before.index), *before.index.difference(now.index)]
    return frozenset(str(row) for row in rows)


@dataclass(frozen=True)
class _Sale:
    """What matching needs of a sale; ``homes`` are the possible keys of its home."""

    key: str
    homes: tuple[str, ...]
    property_id: str
    zipcode: str
    day: date
    price: float
    list_date: date | None
    list_price: float | None
    first_list_price: float | None


@dataclass(frozen=True)
class _Left:
    """How many estimates were matched with no sale, by reason."""

    late: int = 0
    ambiguous: int = 0
    other_currency: int = 0
    late_sales: frozenset[str] = frozenset()
    """The keys of the sales that the late ones came after."""


def _find(
    workspace: Workspace, market_id: str, sales: pd.DataFrame, keys: frozenset[str]
) -> tuple[dict[str, list[NewOutcome]], _Left]:
    """Return the outcomes of the sales with those keys and of their homes' other sales; the estimates left out."""
    store = workspace.store
    reach = timedelta(days=workspace.problem.monitoring.match_days)
    first = store.outcomes.first_candidate(market_id)
    if first is None:
        return {key: [] for key in keys}, _Left()
    # A sale that precedes the first estimate by more than an estimate may be late matches none.
    since = pd.Timestamp(first) - reach
    sales = sales[sales["sale_date"] >= since]
    homes = _homes(sales)
    asked = {home for key in keys for home in homes.get(key, ())}
    candidates = _candidates(store, market_id, asked)
    known = {name for one in candidates.values() for name in (one.property_key, one.property_id) if name}
    # A sale imported late takes earlier estimates away from the home's next sale, so that sale is checked again too.
    affected = {key for key, names in homes.items() if known.intersection(names)} | set(keys)
    wider = {home for key in affected for home in homes.get(key, ())} - asked
    candidates |= _candidates(store, market_id, wider)
    market = store.markets.get(market_id)
    in_currency = [one for one in candidates.values() if one.currency == market.currency]
    by_home: defaultdict[str, list[_Sale]] = defaultdict(list)
    for sale in _sales(sales[sales[_ROW].astype("str").isin(list(affected))], homes):
        for home in sale.homes:
            by_home[home].append(sale)
    found, left = _assigned(in_currency, by_home, affected, reach, market.simulated)
    return found, replace(left, other_currency=len(candidates) - len(in_currency))


def _candidates(store: Store, market_id: str, homes: Iterable[str]) -> dict[str, Candidate]:
    """Return the estimates of homes by id, their property ids as sales have them: people write leading zeros, too."""
    found = store.outcomes.candidates(market_id, homes)
    return {one.estimate_id: replace(one, property_id=identifier(one.property_id)) for one in found}


def _assigned(
    candidates: Iterable[Candidate],
    by_home: Mapping[str, Sequence[_Sale]],
    affected: Iterable[str],
    reach: timedelta,
    simulated: bool,
) -> tuple[dict[str, list[NewOutcome]], _Left]:
    met: defaultdict[str, list[Candidate]] = defaultdict(list)
    sold: dict[str, _Sale] = {}
    late = ambiguous = 0
    late_sales: set[str] = set()
    for one in candidates:
        day = _day(one, simulated)
        homes = [name for name in (one.property_key, one.property_id) if name]
        same = {sale.key: sale for home in homes for sale in by_home.get(home, ()) if _same_home(one, sale)}
        ahead = [sale for sale in same.values() if day < sale.day <= day + reach]
        following = min((sale.day for sale in ahead), default=None)
        fitting = [sale for sale in ahead if sale.day == following]
        if len(fitting) == 1:
            met[fitting[0].key].append(one)
            sold[fitting[0].key] = fitting[0]
        elif fitting:
            ambiguous += 1
        elif before := {sale.key for sale in same.values() if sale.day <= day <= sale.day + reach}:
            late += 1
            late_sales |= before
    found: dict[str, list[NewOutcome]] = {key: [] for key in affected}
    found |= {key: _outcomes(sold[key], estimates, simulated) for key, estimates in met.items()}
    return found, _Left(late, ambiguous, late_sales=frozenset(late_sales))


def _outcomes(sale: _Sale, estimates: Sequence[Candidate], simulated: bool) -> list[NewOutcome]:
    ordered = sorted(estimates, key=lambda one: (_day(one, simulated), one.at))
    before_listing = [one for one in ordered if sale.list_date is None or _day(one, simulated) <= sale.list_date]
    counted = (before_listing or ordered)[-1].estimate_id
    early = {one.estimate_id for one in before_listing}
    return [
        NewOutcome(
            estimate_id=one.estimate_id,
            sale_key=sale.key,
            sale_date=sale.day,
            sale_price=sale.price,
            list_date=sale.list_date,
            list_price=sale.list_price,
            first_list_price=sale.first_list_price if sale.first_list_price is not None else one.listing_price,
            counted=one.estimate_id == counted,
            blind=one.list_price is None and one.estimate_id in early,
            estimated_at=one.at,
            model_id=one.model_id,
            office=one.office,
            channel=one.channel,
            property_type=one.property_type,
            area=one.area,
            point=one.point,
            low=one.low,
            high=one.high,
            level=one.level,
            confidence=one.confidence,
        )
        for one in ordered
    ]


def _day(estimate: Candidate, simulated: bool) -> date:
    # A simulated market has its own clock, which stands on the day after its last sale.
    return estimate.as_of if simulated else estimate.at.astimezone(UTC).date()


def _same_home(estimate: Candidate, sale: _Sale) -> bool:
    # Condos in one building may share an address, and so may streets in two towns.
    if estimate.property_id and sale.property_id:
        return estimate.property_id == sale.property_id
    return not (estimate.zipcode and sale.zipcode) or estimate.zipcode == sale.zipcode


def _homes(sales: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the possible keys of each sale's home: address key and property id."""
    named = conform(sales, ("address", "unit", "property_id")).fillna("")
    own = named["property_id"].str.strip()
    by_address = address_keys(named["address"], named["unit"]).fillna("")
    rows = zip(sales[_ROW].astype("str"), by_address, own, strict=True)
    return {row: tuple(dict.fromkeys(name for name in names if name)) for row, *names in rows}


def _sales(sales: pd.DataFrame, homes: Mapping[str, tuple[str, ...]]) -> list[_Sale]:
    first = first_price_column(sales)
    return [
        _Sale(
            key=str(row[_ROW]),
            homes=homes[str(row[_ROW])],
            property_id=_text(row.get("property_id")),
            zipcode=_text(row.get("zipcode")),
            day=row["sale_date"].date(),
            price=float(row["sale_price"]),
            list_date=_date(row.get("list_date")),
            list_price=_price(row.get("list_price")),
            first_list_price=_price(row[first]) if first else None,
        )
        for row in sales.to_dict("records")
    ]


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _date(value: Any) -> date | None:
    return value.date() if isinstance(value, datetime) and not pd.isna(value) else None


def _price(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and value > 0 else None
