"""Things that happened, written to the outbox as the service writes them, and places that they are sent to."""

import json
from datetime import timedelta

from sqlalchemy import select
from tests.service.callers import REGION, START
from tests.store.fleet import OURS, add_resource, finding_row

from openinspector.pipeline.settings import Settings
from openinspector.store.events import Event, write_events
from openinspector.store.rows import store_findings
from openinspector.store.tables import delivery, event, sink

SEVERITY_HIGH = 4


class World:
    """Resources and findings of a database, and what happens to them."""

    def __init__(self, database):
        self.database = database

    def resource(self, name="i-0aaaabbbbccccdddd", account=OURS):
        with self.database.system() as connection:
            return add_resource(connection, account, name, region=REGION)

    def finding(self, resource, account=OURS, key="CVE-2030-0001", severity=SEVERITY_HIGH):
        """A finding of a resource; its id."""
        row = finding_row(account, resource, key, region=REGION, severity=severity)
        with self.database.system() as connection:
            store_findings(connection, [row])
        return row.id

    def tell(self, resource, *findings, account=OURS, at=START, **more):
        """An event for each finding, in one transaction; their ids."""
        told = {"change": "Opened"} | more
        return self._write(
            Event(
                account=account,
                region=REGION,
                kind="finding",
                resource_id=resource,
                at=at,
                finding_id=each,
                payload=told,
            )
            for each in findings
        )

    def tell_of(self, kind, resource, payload, account=OURS, at=START):
        about = Event(account=account, region=REGION, kind=kind, resource_id=resource, at=at, payload=payload)
        return self._write([about])

    def many(self, resources=5, each=4):
        """The ids of all events, of some findings of some resources."""
        told = []
        for number in range(resources):
            resource = self.resource(f"i-{number:017x}")
            told += self.tell(resource, *(self.finding(resource, key=f"CVE-2030-{key:04}") for key in range(each)))
        return told

    def events(self):
        """The ids of all events, in their order."""
        with self.database.system() as connection:
            return [str(each) for each in connection.execute(select(event.c.id).order_by(event.c.sequence)).scalars()]

    def deliveries(self):
        with self.database.system() as connection:
            return connection.execute(select(delivery).order_by(delivery.c.sequence, delivery.c.sink)).all()

    def sink(self, name):
        with self.database.system() as connection:
            return connection.execute(select(sink).where(sink.c.name == name)).one()

    def _write(self, events):
        before = len(self.events())
        with self.database.system() as connection:
            write_events(connection, events)
        return self.events()[before:]


def settings(*sinks, **more):
    return Settings(sinks=sinks, **more)


def to_file(path, name="log", **more):
    return {"kind": "file", "name": name, "path": str(path), **more}


def to_web(url, name="web", **more):
    return {"kind": "webhook", "name": name, "url": url, **more}


def lines(path):
    """The events in a file."""
    return [json.loads(each) for each in path.read_text().splitlines()] if path.exists() else []


def ids(path):
    return [each["id"] for each in lines(path)]


def later(clock, **time):
    clock.now += timedelta(**time)
