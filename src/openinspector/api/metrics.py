"""What the service measures of itself, in Prometheus's text format.

Requests are counted in the process that answers them; what is in the database is the same from whichever process it is
asked. Names follow Prometheus's conventions: base units, `_total` for what only grows.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from openinspector import __version__
from openinspector.store.gauges import Gauges

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds


class Metrics:
    """The metrics of one process. `gauges` reads the database, and may raise where it is gone."""

    def __init__(self, gauges: Callable[[], Gauges]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "openinspector_requests", "Requests answered.", ["operation", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "openinspector_request_seconds",
            "How long requests took.",
            ["operation"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        collector: Any = _Stored(gauges)
        self._registry.register(collector)

    def request(self, operation: str, status: int, seconds: float) -> None:
        """Counts an answer; `operation` is "" for a request that was for none."""
        self._requests.labels(operation or "none", str(status)).inc()
        self._seconds.labels(operation or "none").observe(seconds)

    def text(self) -> bytes:
        """All of them, as Prometheus reads it."""
        return bytes(generate_latest(self._registry))


class _Stored:
    """The metrics that are read from the database when they are asked for."""

    def __init__(self, gauges: Callable[[], Gauges]) -> None:
        self._gauges = gauges

    def describe(self) -> list[Any]:
        """Nothing: it isn't asked when it is registered, but when it is read."""
        return []

    def collect(self) -> Iterator[Any]:
        """The families; where the database is gone, that it is."""
        yield _gauge("openinspector_info", "The version that runs.", {(__version__,): 1}, "version")
        try:
            found = self._gauges()
        except Exception:  # noqa: BLE001  whatever it is, a scrape tells that the database doesn't answer
            yield _gauge("openinspector_database_up", "Whether the database answers.", {(): 0})
            return
        yield _gauge("openinspector_database_up", "Whether the database answers.", {(): 1})
        yield from _families(found)


def _families(found: Gauges) -> Iterator[Any]:
    yield _gauge("openinspector_findings", "Rows of findings, open and closed, as estimated.", {(): found.findings})
    yield _gauge("openinspector_events_new", "Events that weren't handed out to the sinks yet.", {(): found.events})
    sinks = {(each.name,): each for each in found.sinks}
    waiting = {key: float(each.waiting) for key, each in sinks.items()}
    yield _gauge("openinspector_sink_waiting", "Events that a sink hasn't acknowledged yet.", waiting, "sink")
    oldest = {key: each.oldest.timestamp() if each.oldest else 0.0 for key, each in sinks.items()}
    about = "When the first event that waits for a sink was written; 0: none waits."
    yield _gauge("openinspector_sink_oldest_timestamp_seconds", about, oldest, "sink")
    dead = {key: float(each.dead) for key, each in sinks.items()}
    yield _gauge("openinspector_sink_dead_letters", "Events that a sink did not take.", dead, "sink")
    yield _gauge(
        "openinspector_coverage",
        "Resources by how a scan type sees them.",
        dict(found.coverage),
        *("scan_type", "status", "reason"),
    )
    yield _gauge("openinspector_scans_due", "Resources that wait to be scanned.", {(): found.due})
    yield _gauge("openinspector_jobs", "Jobs in the queue.", dict(found.jobs), "chore", "status")
    chores = {each.name: each for each in found.chores}
    told = (
        ("runs", "How often a chore was done.", lambda each: each.runs),
        ("failures", "How often it failed.", lambda each: each.failures),
        ("done", "How many things it did.", lambda each: each.done),
        ("seconds", "How long it took, all runs together.", lambda each: each.seconds),
    )
    for name, about, value in told:
        family = CounterMetricFamily(f"openinspector_chore_{name}", about, labels=["chore"])
        for chore, state in chores.items():
            family.add_metric([chore], value(state))  # type: ignore[no-untyped-call]
        yield family
    ended = {(name,): each.last_ended_at.timestamp() for name, each in chores.items() if each.last_ended_at is not None}
    yield _gauge("openinspector_chore_ended_timestamp_seconds", "When it was done last.", ended, "chore")
    failing = {(name,): float(each.last_error != "") for name, each in chores.items()}
    yield _gauge("openinspector_chore_failing", "Whether it failed when it was done last.", failing, "chore")


def _gauge(name: str, about: str, values: dict[Any, float], *labels: str) -> Any:
    family = GaugeMetricFamily(name, about, labels=list(labels))
    for key, value in values.items():
        family.add_metric(list(key), value)
    return family
