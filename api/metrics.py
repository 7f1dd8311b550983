"""Metrics of this server in Prometheus' form: its requests, and the store's readings when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from core.workflows.operations.metrics import LATENCY_SECONDS, Kind, Metrics, Reading

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_UP: Final = "1 if the store can be read, else 0"
_TOOK: Final = "Time in which a home was priced, by market, from the ledger"


class ApiMetrics:
    """The requests of one server; safe to share between threads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        labels = ("method", "path", "status")
        self._requests = Counter("doorstep_api_requests", "Requests answered", labels, registry=self._registry)
        self._seconds = Histogram(
            "doorstep_api_request_seconds",
            "Time of each request, from its first byte to the last of the answer",
            ("method", "path"),
            buckets=LATENCY_SECONDS,
            registry=self._registry,
        )

    def note(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request; ``path`` is its route's template, so that no home or key is named."""
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(method, path).observe(seconds)

    def text(self, metrics: Metrics | None) -> bytes:
        """Return all metrics; None stands for a store that cannot be read."""
        store = CollectorRegistry()
        store.register(_StoreMetrics(metrics))
        return generate_latest(store) + generate_latest(self._registry)


class _StoreMetrics(Collector):
    def __init__(self, metrics: Metrics | None) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Yield the store's readings."""
        yield GaugeMetricFamily("doorstep_up", _UP, value=float(self._metrics is not None))
        if self._metrics is None:
            return
        yield from map(_family, self._metrics.readings)
        took = HistogramMetricFamily("doorstep_pricing_seconds", _TOOK, labels=("market",))
        for one in self._metrics.latencies:
            ends = [*map(str, LATENCY_SECONDS), "+Inf"]
            took.add_metric([one.market_id], list(zip(ends, [*one.within, one.count], strict=True)), one.seconds)
        yield took


def _family(reading: Reading) -> Metric:
    family = CounterMetricFamily if reading.kind is Kind.COUNTER else GaugeMetricFamily
    made = family(reading.name.removesuffix("_total"), reading.meaning, labels=reading.labels)
    for labels, value in reading.values.items():
        made.add_metric(list(labels), value)
    return made
