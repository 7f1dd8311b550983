"""The agents that locust runs: each prices a home, looks at its comparables now and then, and waits a second."""

from __future__ import annotations

import itertools
import json
import os
import random

from locust import FastHttpUser, between, events, task
from locust.env import Environment

HOMES: list[dict[str, object]] = json.loads(os.environ["LOAD_HOMES"])
MARKET: str = os.environ["LOAD_MARKET"]
# A proxy leads each agent to the same server each time.
SERVERS = itertools.cycle(json.loads(os.environ["LOAD_SERVERS"]))
PRICED = {"n": 0}


class Agent(FastHttpUser):
    """An agent in the field, with a question every second."""

    wait_time = between(0.5, 1.5)

    def on_start(self) -> None:
        """Start with an answer to look back at."""
        self.server, self.last = next(SERVERS), ""
        self.price()

    @task(9)
    def price(self) -> None:
        """Price a home."""
        home = {"market": MARKET, "facts": random.choice(HOMES)}
        with self.client.post(
            f"{self.server}/api/v1/estimates", json=home, name="price", catch_response=True
        ) as response:
            if response.status_code != 200 or response.json()["status"] not in ("priced", "unavailable"):
                response.failure(f"{response.status_code}: {response.text[:200]}")
                return
            self.last = response.json()["estimate_id"]
            PRICED["n"] += 1

    @task(1)
    def comparables(self) -> None:
        """Look at the comparables of the last estimate."""
        self.client.get(f"{self.server}/api/v1/estimates/{self.last}/comparables", name="comparables")


@events.quitting.add_listener
def report(environment: Environment, **_: object) -> None:
    """Print what was measured, as one line of JSON."""
    total = environment.stats.total
    figures = {
        "requests": total.num_requests,
        "failures": total.num_failures,
        "priced": PRICED["n"],
        "per_second": round(total.total_rps, 1),
        "p50_ms": total.get_response_time_percentile(0.5),
        "p95_ms": total.get_response_time_percentile(0.95),
        "p99_ms": total.get_response_time_percentile(0.99),
        "errors": [error.to_dict() for error in environment.stats.errors.values()][:3],
    }
    print(f"FIGURES {json.dumps(figures)}", flush=True)
