"""Further sales that an agent adds to the comparables of an estimate, found by address and adjusted as those are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np

from core.arrays import Ints
from core.collect.addresses import address_key
from core.prepare.features.columns import stack
from core.serve.agent.address_book import KnownHome
from core.serve.comparables import Comparable, adjusted, among
from core.serve.estimate import Estimate, LiveMarket
from core.serve.fact_groups import groups_of
from core.train.live_model import LiveModel

ADDED_MAX: Final = 5
"""How many sales an agent may add; with those offered, a seller's report has room for no more."""

# A document keeps a number to its last digit, or nearly.
_SAME: Final = 1e-9


def adjusted_sales(live_market: LiveMarket, estimate: Estimate, sale_ids: Iterable[str]) -> tuple[Comparable, ...]:
    """Return sales adjusted to an estimate's home, marked as added, in the order asked for, at most ADDED_MAX.

    Left out are sales that are not known, of the valuation date or later, of a home that is already compared, and the
    home's own. None at all where this market does not price the home as the estimate does: another model, other sales.
    """
    live_model, model = live_market.live_model, live_market.live_model.model
    rows = _rows_of(live_model, sale_ids, estimate.subject.as_of)
    if not len(rows):
        return ()
    home = model.fill_for_sale(estimate.placed.columns(model.facts))
    chosen = among(live_model, rows, home, groups_of(model))
    homes = stack([home, *chosen.homes])
    log_price = model.log_estimate(model.matrix(homes, np.append(-1, chosen.own)), live_model.shift(homes))
    if not math.isclose(float(np.exp(log_price[0])), estimate.exact, rel_tol=_SAME):
        return ()
    found = adjusted(
        live_model, live_market.likeness, home, estimate.subject.facts, chosen, log_price[1:], float(log_price[0])
    )
    known = {one.sale_id: replace(one, added=True) for one in found if not one.own and not _is_compared(one, estimate)}
    ids = (str(one) for one in live_model.sales["intake_row"][rows].tolist())
    return tuple(known[one] for one in ids if one in known)


def sales_of(live_market: LiveMarket, homes: Iterable[KnownHome], as_of: date) -> tuple[str, ...]:
    """Return the ids of the last sales of known homes, those among the live model's sales before a day."""
    return tuple(_ids_of(live_market.live_model, homes, as_of))


def _ids_of(live_model: LiveModel, homes: Iterable[KnownHome], as_of: date) -> Iterator[str]:
    for home in homes:
        if home.recorded is None or home.recorded >= as_of or "address" not in live_model.sales:
            continue
        # Sales of that day are few, where spelling every address of a market alike takes seconds.
        rows = np.flatnonzero(live_model.filled["sale_date"].astype("datetime64[D]") == np.datetime64(home.recorded))
        wanted = address_key(home.address)
        yield from (
            str(live_model.sales["intake_row"][row])
            for row, address in zip(rows.tolist(), live_model.addresses(rows), strict=True)
            if wanted and address_key(address) == wanted
        )


def _rows_of(live_model: LiveModel, sale_ids: Iterable[str], as_of: date) -> Ints:
    """Return where the live model has these sales, those before a day: a later one may know what the home brings."""
    wanted = [int(one) for one in dict.fromkeys(sale_ids) if one.isdecimal()][:ADDED_MAX]
    places = (np.flatnonzero(live_model.sales["intake_row"] == one) for one in wanted)
    rows = np.array([place[0] for place in places if len(place)], dtype=np.int64)
    return rows[live_model.filled["sale_date"][rows].astype("datetime64[D]") < np.datetime64(as_of)]


def _is_compared(sale: Comparable, estimate: Estimate) -> bool:
    """Tell whether a sale is of a home among the comparables: it would count twice."""
    key = address_key(sale.address)
    return any(sale.sale_id == one.sale_id or (key and key == address_key(one.address)) for one in estimate.comparables)
