"""The small simulated market with months of estimates and sales whose prices leave the estimates behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from core.access import Actor, Role
from core.store import Market, NewEstimate, NewVersion, Store
from core.store.ledger.outcomes import NewOutcome

MANAGER: Final = Actor("Mia", Role.MANAGER)
ANALYST: Final = Actor("Ana", Role.ANALYST)
AGENT: Final = Actor("Kim", Role.AGENT, "North")

_FACTS: Final = ("zipcode", "property_type", "living_area_sqft", "bedrooms", "bathrooms", "year_built")
_PER_MONTH: Final = 60


@dataclass(frozen=True)
class Month:
    """A month of estimates and their sales: ``level`` is what homes sell at against the estimates, 1 for the same."""

    first: date
    level: float = 1.0
    noise: float = 0.078
    n: int = _PER_MONTH
    latency_ms: float = 40.0


def live_through(store: Store, market: Market, *months: Month, facts: Mapping[str, Any] | None = None) -> None:
    """Write a month's estimates and sales, each sold in the month it was estimated in, and move the clock past it."""
    latest = store.versions.latest(market.market_id)
    assert latest is not None
    sales = store.versions.load(latest.version_id)
    for month in months:
        days = pd.period_range(month.first, periods=1, freq="M")[0].days_in_month
        random = np.random.default_rng(month.first.toordinal())
        homes = sales.sample(month.n, random_state=month.first.toordinal())
        made = _estimates(store, market, month, homes, random, days, facts or {})
        last = month.first + timedelta(days=days - 1)
        new = homes.head(1).assign(sale_date=pd.Timestamp(last), sale_id=f"last-{last}", intake_row=latest.rows_seen)
        sales = pd.concat([sales, new], ignore_index=True)
        note = f"sales of {month.first}"
        version = NewVersion(
            market.market_id, sales, latest.version_id, (), pd.DataFrame({"row": [1]}), latest.rows_seen + 1, note
        )
        latest = store.versions.commit(version, ANALYST)
        _outcomes(store, market, latest.version_id, month, made, random, last)


def sell_for_less(store: Store, market: Market, *firsts: date, n: int = 200) -> None:
    """Commit so many sales in each of some months in which buyers pay less, and the less the larger the home."""
    latest = store.versions.latest(market.market_id)
    assert latest is not None
    sales = store.versions.load(latest.version_id)
    parts, rows = [sales], latest.rows_seen
    for first in firsts:
        random = np.random.default_rng(first.toordinal())
        homes = sales.dropna(subset=["living_area_sqft"]).sample(n, random_state=first.toordinal())
        size = homes["living_area_sqft"] / sales["living_area_sqft"].median()
        paid = (homes["sale_price"] * 0.85 * size**-0.8 * np.exp(random.normal(0, 0.05, n))).round()
        days = pd.Timestamp(first) + pd.to_timedelta(random.integers(0, 28, n), unit="D")
        ids = [f"less-{first}-{number}" for number in range(n)]
        parts.append(homes.assign(sale_price=paid, sale_date=days, sale_id=ids, intake_row=range(rows, rows + n)))
        rows += n
    table = pd.concat(parts, ignore_index=True)
    upload = pd.DataFrame({"row": [1]})
    store.versions.commit(
        NewVersion(market.market_id, table, latest.version_id, (), upload, rows, "sales for less"), ANALYST
    )


def _estimates(
    store: Store,
    market: Market,
    month: Month,
    homes: pd.DataFrame,
    random: np.random.Generator,
    days: int,
    changed: Mapping[str, Any],
) -> list[tuple[str, NewEstimate]]:
    champion = store.models.champion(market.market_id)
    entries = []
    for row in homes.to_dict("records"):
        facts = {name: row[name] for name in _FACTS if name in row and not pd.isna(row[name])} | dict(changed)
        day = month.first + timedelta(days=int(random.integers(0, days - 5)))
        point = float(row["sale_price"])
        new = NewEstimate(
            market_id=market.market_id,
            as_of=day,
            channel="page",
            status="priced",
            currency="USD",
            latency_ms=month.latency_ms,
            model_id=champion.model_id if champion else None,
            property_type=facts.get("property_type"),
            area=facts.get("zipcode"),
            facts=facts,
            answer={},
            point=point,
            low=0.9 * point,
            high=1.1 * point,
            level=0.8,
            confidence=70.0,
        )
        entries.append((datetime.combine(day, time(9), UTC), new, AGENT))
    ids = store.ledger.append_past(entries)
    return [(made, new) for made, (_, new, _) in zip(ids, entries, strict=True)]


def _outcomes(
    store: Store,
    market: Market,
    version_id: str,
    month: Month,
    made: list[tuple[str, NewEstimate]],
    random: np.random.Generator,
    last: date,
) -> None:
    found = {}
    for estimate_id, new in made:
        assert new.point is not None
        assert new.low is not None
        assert new.high is not None
        price = new.point * month.level * float(np.exp(random.normal(0, month.noise)))
        found[estimate_id] = [
            NewOutcome(
                estimate_id=estimate_id,
                sale_key=estimate_id,
                sale_date=last,
                sale_price=price,
                list_date=None,
                list_price=None,
                first_list_price=None,
                counted=True,
                blind=True,
                estimated_at=datetime.combine(new.as_of, time(9), UTC),
                model_id=new.model_id or "",
                office="North",
                channel="page",
                property_type=new.property_type,
                area=new.area,
                point=new.point,
                low=new.low,
                high=new.high,
                level=0.8,
                confidence=70.0,
            )
        ]
    chain = [one.version_id for one in store.versions.chain(market.market_id)]
    store.outcomes.record(market.market_id, chain, version_id, found, ANALYST)
