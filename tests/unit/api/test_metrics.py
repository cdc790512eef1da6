"""Metrics, as Prometheus's own parser reads them."""

import asyncio
from datetime import UTC, datetime

import httpx
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.api.server import service_of

from openinspector.api.app import create_app
from openinspector.api.metrics import Metrics
from openinspector.api.own_operations import all_operations
from openinspector.api.status import create_status_app
from openinspector.store.gauges import Gauges
from openinspector.store.outbox import SinkState
from openinspector.store.queue import ChoreState

THEN = datetime(2026, 3, 2, 10, 15, 30, tzinfo=UTC)
SWEEP = ChoreState(
    name="sweep",
    due_at=THEN,
    runs=3,
    failures=1,
    done=7,
    seconds=1.5,
    last_started_at=THEN,
    last_ended_at=THEN,
    last_error="it broke",
)
SIEM = SinkState(
    name="siem",
    kind="webhook",
    waiting=4,
    oldest=THEN,
    dead=1,
    failures=0,
    retry_at=None,
    reason="",
    sent_at=None,
    left_out_since=None,
)
GAUGES = Gauges(
    findings=12,
    events=2,
    sinks=(SIEM,),
    coverage={("PACKAGE", "ACTIVE", "SUCCESSFUL"): 5},
    due=1,
    jobs={("sweep", "todo"): 1},
    chores=(SWEEP,),
)


def read(metrics):
    families = text_string_to_metric_families(metrics.text().decode())
    return {(each.name, *sorted(each.labels.values())): each.value for family in families for each in family.samples}


def test_requests_are_counted_by_operation_and_status():
    metrics = Metrics(lambda: GAUGES)
    metrics.request("ListFindings", 200, 0.02)
    metrics.request("ListFindings", 400, 0.2)
    metrics.request("", 404, 0.0)
    found = read(metrics)
    assert found["openinspector_requests_total", "200", "ListFindings"] == 1
    assert found["openinspector_requests_total", "400", "ListFindings"] == 1
    assert found["openinspector_requests_total", "404", "none"] == 1
    assert found["openinspector_request_seconds_count", "ListFindings"] == 2
    assert found["openinspector_request_seconds_bucket", "0.025", "ListFindings"] == 1


def test_what_is_in_the_database_is_told_with_its_labels():
    found = read(Metrics(lambda: GAUGES))
    assert found["openinspector_database_up",] == 1
    assert found["openinspector_findings",] == 12
    assert found["openinspector_events_new",] == 2
    assert found["openinspector_sink_waiting", "siem"] == 4
    assert found["openinspector_sink_dead_letters", "siem"] == 1
    assert found["openinspector_sink_oldest_timestamp_seconds", "siem"] == THEN.timestamp()
    assert found["openinspector_coverage", "ACTIVE", "PACKAGE", "SUCCESSFUL"] == 5
    assert found["openinspector_jobs", "sweep", "todo"] == 1
    assert found["openinspector_chore_done_total", "sweep"] == 7
    assert found["openinspector_chore_failing", "sweep"] == 1


def test_a_database_that_is_gone_is_a_metric_too():
    def gone():
        raise OSError("no database")

    metrics = Metrics(gone)
    metrics.request("Enable", 200, 1.0)
    found = read(metrics)
    assert found["openinspector_database_up",] == 0
    assert found["openinspector_requests_total", "200", "Enable"] == 1


def test_they_are_served_beside_health_and_readiness():
    async def ask(ready):
        transport = httpx.ASGITransport(create_status_app(lambda: ready, Metrics(lambda: GAUGES)))
        async with httpx.AsyncClient(transport=transport, base_url="http://status") as client:
            return [await client.get(path) for path in ("/healthz", "/readyz", "/metrics", "/findings/list")]

    health, readiness, metrics, other = asyncio.run(ask("the database does not answer"))
    assert health.status_code == 200
    assert (readiness.status_code, readiness.json()["status"]) == (503, "the database does not answer")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert other.status_code == 404


def test_labels_are_words_of_ours_whatever_is_asked_for():
    """A caller who could make up labels would fill the memory of whoever keeps them."""
    metrics = Metrics(lambda: GAUGES)
    service = service_of({"ListFindings": lambda *_: {"findings": []}}, watch=metrics.request)

    async def go():
        transport = httpx.ASGITransport(create_app(service, lambda: ""))
        async with httpx.AsyncClient(transport=transport, base_url="http://inspector") as client:
            for number in range(50):
                await client.post(f"/findings/{number}%22%7D%0A%23%20HELP%20x", json={})
                await client.request(f"METHOD{number}", "/findings/list")
                await client.post("/findings/list", json={"maxResults": -number, "111122223333": number})
                await client.post(f"/tags/arn%3Aaws%3A{number}", json={})
                await client.post("/findings/list", content=b"{", headers={"content-type": f"text/{number}"})

    asyncio.run(go())
    families = {each.name: each for each in text_string_to_metric_families(metrics.text().decode())}
    told = [each.labels for each in families["openinspector_requests"].samples]
    assert {each["operation"] for each in told} <= {"none", *all_operations()}
    assert {each["status"] for each in told} <= {"200", "400", "403", "404", "405"}
    assert "111122223333" not in metrics.text().decode()
