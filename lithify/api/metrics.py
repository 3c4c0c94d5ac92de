"""Figures for Prometheus. Labels are route templates, methods, statuses, queues and states: never a name or a key."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lithify.store import jobs

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)


class Metrics:
    """The counters of one application, in a registry of its own."""

    def __init__(self, archive: "Archive") -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "lithify_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "lithify_request_seconds",
            "Time from head to last byte",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._received = Counter("lithify_received_bytes", "Body bytes received", registry=self.registry)
        self._sent = Counter("lithify_sent_bytes", "Body bytes sent", registry=self.registry)
        self.receipts = Counter("lithify_receipts", "Receipts given", ["unchanged"], registry=self.registry)
        self.under_way = Gauge("lithify_requests_under_way", "Requests being answered", registry=self.registry)
        self.registry.register(_Jobs(archive))

    def answered(self, *, method: str, route: str, status: int, seconds: float, received: int, sent: int) -> None:
        """Count one request."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)
        self._received.inc(received)
        self._sent.inc(sent)

    def text(self) -> bytes:
        """The page that Prometheus reads. Blocks for one catalog read."""
        return generate_latest(self.registry)


class _Jobs(Collector):
    """Jobs by queue and state, counted when somebody looks."""

    def __init__(self, archive: "Archive") -> None:
        self._archive = archive

    def describe(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("lithify_jobs", "Jobs in the catalog", labels=["queue", "state"])

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily("lithify_jobs", "Jobs in the catalog", labels=["queue", "state"])
        with self._archive.catalog.reading() as connection:
            for queue, state, count in jobs.counts(connection):
                family.add_metric([queue, state], count)
        yield family
