"""How fast events leave the outbox: to a file, to a web server on loopback, to both; one worker, one process.

    python bench/bench_deliver.py                 the events of 300 resources' first scans (FLEET_SIZE=… for others)
    python bench/bench_deliver.py --profile       where the time of the file's run goes

The fleet is loaded into a PostgreSQL of its own with an event for each finding; each run has the same events handed out
to other sinks. The web server answers at once, in a process of its own.
"""

import argparse
import cProfile
import multiprocessing
import os
import pstats
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from fleet import REGION, Fleet
from fleet_load import compile_fleet, load
from openinspector.model.finding import SEVERITIES
from openinspector.pipeline.contract import Work
from openinspector.pipeline.deliver import deliver
from openinspector.pipeline.settings import Settings
from openinspector.store import outbox
from openinspector.store.database import Database, connect_embedded
from openinspector.store.embedded import DATABASE, start
from openinspector.store.sealing import Sealer
from report import heading, progress, table

SIZE: Final = int(os.environ.get("FLEET_SIZE", "300"))


# What an ingest writes of each finding that is opened.
_FILL: Final = text(
    "INSERT INTO event (account, region, kind, resource_id, finding_id, created_at, payload)"
    " SELECT account, region, 'finding', resource_id, id, updated_at, jsonb_build_object('change', 'Opened',"
    " 'type', type, 'key', key, 'title', title, 'severity', (CAST(:severities AS text[]))[severity + 1],"
    " 'status', status) FROM finding ORDER BY resource_id, id"
)


class _Taker(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:  # noqa: N802  as the library names it
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def serve(port: Any) -> None:
    """A web server that takes everything."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Taker)
    port.send(server.server_port)
    server.serve_forever()


def measured(database: Database, sinks: tuple[dict[str, Any], ...], data: Path) -> tuple[int, float]:
    """Events that were sent, and the seconds of that; they are put back before."""
    with database.system() as connection:
        for statement in ("DELETE FROM delivery", "DELETE FROM sink", "UPDATE event SET handed_at = NULL"):
            connection.execute(text(statement))

    def none() -> Any:
        raise AssertionError

    work = Work(
        database=database,
        region=REGION,
        data=data,
        settings=Settings(sinks=sinks),
        advisories=none,
        sealer=Sealer([b"s" * 32]),
        clock=lambda: datetime.now(UTC),
    )
    began = time.perf_counter()
    sent = 0
    while True:
        sent += deliver(work)
        with database.system() as connection:
            if outbox.is_drained(connection):
                return sent, time.perf_counter() - began


def main() -> int:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--profile", action="store_true")
    profile = options.parse_args().profile
    folder = Path(tempfile.mkdtemp(prefix="openinspector-deliver-"))
    folder.chmod(0o755)  # the database server, which does not run as root, has to pass through
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}/"
    file = {"kind": "file", "name": "file", "path": str(folder / "events.jsonl"), "largest": 1 << 40}
    web = {"kind": "webhook", "name": "web", "url": url}
    rows = []
    try:
        with start(folder / "data") as postgres, connect_embedded(postgres) as database:
            fleet = Fleet(SIZE)
            advisories = compile_fleet(fleet, folder / "advisories")
            loaded = load(postgres, DATABASE, fleet, advisories)
            advisories.close()
            with database.system() as connection:
                connection.execute(_FILL, {"severities": list(SEVERITIES)})
            progress(f"{loaded.findings:,} findings of {loaded.resources:,} resources")
            if profile:
                profiled(database, (file,), folder)
                return 0
            for name, sinks in (("a file", (file,)), ("a web server", (web,)), ("both", (file, web))):
                before = time.process_time()
                sent, seconds = measured(database, sinks, folder)
                busy = time.process_time() - before
                rows.append(
                    (name, f"{sent:,}", f"{seconds:.1f}", f"{sent / seconds:,.0f}", f"{busy / sent * 1e6:,.0f}")
                )
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
    heading("Events to sinks", __doc__.partition("\n\n")[0])
    table(("to", "events", "seconds", "a second", "CPU µs each"), rows)
    return 0


def profiled(database: Database, sinks: tuple[dict[str, Any], ...], folder: Path) -> None:
    """Print where the time goes, of all threads."""
    import threading

    profiles: list[cProfile.Profile] = []

    from openinspector.pipeline.deliver import _Run

    drain = _Run._drain

    def watched(*arguments: Any) -> int:
        profiler = cProfile.Profile()
        profiles.append(profiler)
        return profiler.runcall(drain, *arguments)

    _Run._drain = watched
    sent, seconds = measured(database, sinks, folder)
    progress(f"{sent:,} events in {seconds:.1f} s, {threading.active_count()} threads")
    told = pstats.Stats(profiles[0], stream=sys.stdout)
    for each in profiles[1:]:
        told.add(each)
    told.sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    sys.exit(main())
