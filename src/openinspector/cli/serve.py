"""`openinspector serve`: Inspector's API over PostgreSQL, and the workers behind it."""

import argparse
import contextlib
import gc
import os
import signal
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

from openinspector.cli.logs import log_as_json
from openinspector.cli.service import database, work_of
from openinspector.errors import UsageError
from openinspector.transport.listen import bound, listen

if TYPE_CHECKING:
    from socket import socket

    from openinspector.api.metrics import Metrics
    from openinspector.api.service import Service
    from openinspector.model.coverage import ScanMode
    from openinspector.model.inventory import Inventory
    from openinspector.model.resource import Resource
    from openinspector.pipeline.contract import Work
    from openinspector.pipeline.ingest import Ingested
    from openinspector.store.database import Database

_DRAIN_SECONDS: Final = 30  # that requests in flight have when the service is asked to stop
_MOST_LANES: Final = 64
_MOST_WORKERS: Final = 64  # each is a process with connections of its own
_SILENCE_SECONDS: Final = 60.0  # after which a worker that looked at nothing isn't ready


def run(chosen: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from openinspector.pipeline.confined import confined
    from openinspector.transport.telemetry import start_traces, stop_traces

    if bool(chosen.tls_certificate) != bool(chosen.tls_key):
        raise UsageError("--tls-certificate and --tls-key go together")
    if not 1 <= chosen.lanes <= _MOST_LANES or not 0 <= chosen.workers <= _MOST_WORKERS:
        raise UsageError(f"--lanes is 1 to {_MOST_LANES}, and --workers 0 to {_MOST_WORKERS}")
    log_as_json()
    stop = _until_told()
    with contextlib.ExitStack() as ends:
        api = ends.enter_context(bound(chosen.host, chosen.port)) if chosen.role != "worker" else []
        is_watched = chosen.status_port is not None
        status = ends.enter_context(bound(chosen.status_host, chosen.status_port)) if is_watched else []
        work = work_of(chosen, ends.enter_context(database(chosen)))
        confined.configure(work.settings.confined)
        start_traces(work.settings.traces.endpoint, f"openinspector-{chosen.role}")
        try:
            if chosen.role == "worker":
                _work(chosen, work, stop, status)
            else:
                _serve(chosen, work, stop, api, status)
        finally:
            stop_traces()
    return 0


def service_of(work: "Work", metrics: "Metrics | None" = None) -> "Service":
    """The service over a database."""
    from openinspector.api import operations
    from openinspector.api.gate import Doorkeeper, Gate
    from openinspector.api.handlers import discover
    from openinspector.api.service import Circumstances, Service, unwatched
    from openinspector.api.throttle import Throttle
    from openinspector.pipeline.confined_scan import scan_confined
    from openinspector.pipeline.ingest import ingest
    from openinspector.store.audit import record
    from openinspector.store.key_ring import DatabaseKeyRing

    def take(resource: "Resource", inventory: "Inventory", now: datetime, mode: "ScanMode | None") -> "Ingested":
        scan = partial(scan_confined, account=resource.account)
        trial = work.settings.usage.free_trial
        return ingest(work.database, work.advisories(), resource, inventory, now, mode, scan, trial)

    doorkeeper = Doorkeeper(DatabaseKeyRing(work.database, work.sealer), work.sealer)
    gate = Gate(doorkeeper, Throttle(), regions=(work.region,), clock=work.clock, ticks=time.monotonic)
    return Service(
        discover(operations),
        Circumstances(
            authenticator=gate,
            connect=work.database.transaction,
            region=work.region,
            token_key=work.sealer.derive("page tokens"),
            clock=work.clock,
            audit=lambda entry: record(work.database, entry),
            sealer=work.sealer,
            settings=work.settings,
            poke=work.poke,
            ingest=take,
            watch=metrics.request if metrics is not None else unwatched,
            admit=gate.admit,
        ),
    )


def readiness(found: "Database") -> str:
    """Why the service can't answer now, or ""."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with found.system(seconds=2) as connection:
            connection.exec_driver_sql("SELECT 1")
    except SQLAlchemyError:
        return "the database does not answer"
    return ""


def _serve(
    chosen: argparse.Namespace, work: "Work", stop: Event, sockets: "list[socket]", status: "list[socket]"
) -> None:
    """The API, with workers of its own unless it is to have none."""
    import uvicorn

    from openinspector.api.app import create_app
    from openinspector.api.connections import PromptConnection
    from openinspector.cli.supervise import Supervisor
    from openinspector.pipeline.confined import confined

    confined.start()
    metrics = _metrics(work.database)

    def ready() -> str:
        return readiness(work.database)

    config = uvicorn.Config(
        create_app(service_of(work, metrics), ready),
        ssl_certfile=chosen.tls_certificate,
        ssl_keyfile=chosen.tls_key,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        http=PromptConnection,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    _check_tls(config, chosen)
    server = uvicorn.Server(config)
    supervisor = Supervisor(chosen, chosen.workers if chosen.role == "all" else 0)
    with _status(status, ready, metrics):
        port = listen(sockets)
        supervisor.start()
        try:
            scheme = "https" if chosen.tls_certificate else "http"
            host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
            print(f"openinspector: serving {chosen.region} at {scheme}://{host}:{port}", file=sys.stderr)
            # What is loaded stays for good: to look for garbage in it stops all requests for 30 ms and more.
            gc.collect()
            gc.freeze()
            # It takes the signals while it serves, and hands them on to those of `_until_told` at its end.
            server.run(sockets)
        finally:
            stop.set()
            supervisor.stop()


def _work(chosen: argparse.Namespace, work: "Work", stop: Event, status: "list[socket]") -> None:
    """A worker."""
    from openinspector.pipeline.worker import Worker, chores
    from openinspector.store.holders import give_back, new_holder

    if chosen.owned:
        Thread(target=_until_alone, args=(stop,), daemon=True).start()
    with work.database.system() as connection:
        give_back(connection, chosen.ended)
    work = replace(work, holder=chosen.holder or new_holder())
    worker = Worker(stop, work, chores(), chosen.lanes)

    def ready() -> str:
        silent = worker.silent_seconds
        return readiness(work.database) or (f"silent for {silent:.0f} s" if silent > _SILENCE_SECONDS else "")

    with _status(status, ready, _metrics(work.database)):
        worker.run()


def _metrics(found: "Database") -> "Metrics":
    from openinspector.api.metrics import Metrics
    from openinspector.store.gauges import Gauges, read_gauges

    def gauges() -> Gauges:
        with found.system(seconds=10) as connection:
            return read_gauges(connection)

    return Metrics(gauges)


@contextlib.contextmanager
def _status(sockets: "list[socket]", ready: Callable[[], str], metrics: "Metrics") -> Iterator[None]:
    """Health, readiness and metrics on a port of their own, where one is asked for."""
    if not sockets:
        yield
        return
    import uvicorn

    from openinspector.api.status import create_status_app

    app = create_status_app(ready, metrics)
    listen(sockets)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = Thread(target=server.run, args=(sockets,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(5)


def _until_told() -> Event:
    """Set when this process is asked to stop."""
    stop = Event()

    def told(_signal: int, _frame: Any) -> None:
        stop.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, told)
    return stop


def _until_alone(stop: Event) -> None:
    """Stops when whoever started us has ended: nobody writes to our standard input, it only comes to an end."""
    # Not through sys.stdin: a thread that waits in there holds a lock that the interpreter needs at its end.
    while os.read(0, 4096):
        pass
    stop.set()


def _check_tls(config: Any, chosen: argparse.Namespace) -> None:
    """Load the certificate now, so that a wrong one is told in a sentence."""
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or error
        if isinstance(error, ssl.SSLError):  # OpenSSL's own words help nobody
            why = f"either is no PEM, or they don't belong together ({error.reason or why})"
        raise UsageError(
            f"the certificate {chosen.tls_certificate} with the key {chosen.tls_key} can't be used: {why}"
        ) from error
