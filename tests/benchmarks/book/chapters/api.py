"""The REST API over loopback: estimates one after another, beside the route that only tells that the server is up."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Final

import httpx2
import numpy as np

from tests.benchmarks.accuracy import milliseconds
from tests.benchmarks.book.chapters.estimate import facts_of
from tests.benchmarks.book.measurement import Measurement
from tests.benchmarks.book.place import Place, market_of, sales_of
from tests.browser.conftest import running_server

_REPEATS: Final = 200
_FACTS: Final = ("zipcode", "living_area_sqft", "bedrooms", "bathrooms", "year_built", "lot_area_sqft", "property_type")


def measure(place: Place) -> Iterator[Measurement]:
    """Yield the milliseconds of an estimate by the API at p50 and p95, and of the first after a start."""
    with place.store() as store:
        market, known = market_of(store), facts_of(sales_of(store), _REPEATS)
    homes = [
        json.loads(json.dumps({name: one[name] for name in _FACTS if name in one}, default=float)) for one in known
    ]
    settings = {"DOORSTEP_API_RATE": "1000000"}
    with ExitStack() as stack:
        server = stack.enter_context(running_server(stack.enter_context(place.copied_home()), settings=settings))
        client = stack.enter_context(httpx2.Client(base_url=server.url, timeout=120))

        def price(n: int) -> None:
            asked = {"market": market, "facts": homes[n % len(homes)]}
            client.post("/api/v1/estimates", json=asked).raise_for_status()

        def health(_: int) -> None:
            client.get("/api/v1/health").raise_for_status()

        first = _once(price)
        ours, plain = milliseconds(price, _REPEATS), milliseconds(health, _REPEATS)
    yield place.measured("first estimate after the start", "ms", first)
    for part in (50, 95):
        beside = float(np.percentile(plain, part))
        yield place.measured(f"estimate, p{part}", "ms", float(np.percentile(ours, part)), "GET /health", beside)


def _once(call: Callable[[int], None]) -> float:
    started = time.perf_counter()
    call(0)
    return 1000 * (time.perf_counter() - started)
