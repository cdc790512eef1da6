"""Lists and aggregations over the findings of fleets of several sizes, and how fast those findings get there.

    python bench/bench_fleet.py                   1,000, 10,000 and 100,000 resources (FLEET_SIZES=… for others)
    python bench/bench_fleet.py --one 10000       one size, its figures as JSON on standard output

Each fleet is loaded into a database of its own on a PostgreSQL of its own, started as the service starts it, and asked
through the functions that the handlers use, in one process without threads; the last rows go the whole way over HTTP
with boto3. FLEET_DATA names the folder of the server (default: a new one in the temporary folder, removed afterwards);
100,000 resources need 25 GB there. FLEET_KEEP=1 leaves the folder, and databases that are in it are not loaded again.
"""

import argparse
import contextlib
import gc
import json
import os
import resource as usage
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import text

from fleet import BEGAN, DAYS, REGION, Fleet, Place
from fleet_load import compile_fleet, load
from openinspector.find.order import SORT_FIELDS
from openinspector.model.criteria import parse_criteria
from openinspector.pipeline.ingest import ingest
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.coverage import count_coverage
from openinspector.store.database import Database, connect_embedded
from openinspector.store.embedded import EmbeddedPostgres, start
from openinspector.store.find_queries import Position, Sought, find_findings, flaws_of_findings
from openinspector.store.finding_counts import Asked, count_findings
from openinspector.store.findings import findings_by_key
from openinspector.store.flaws import read_flaws
from openinspector.store.groupings import GROUPINGS
from places import REPOSITORY
from report import DASH, heading, note, progress, table

SIZES = [int(each) for each in os.environ.get("FLEET_SIZES", "1000,10000,100000").split(",")]
NEEDED: Final = 250_000  # bytes of disk a resource
PAGE: Final = 100  # findings; the most that ListFindings gives at once
DEEP: Final = 10_000
MOST_RUNS, LEAST_RUNS, PATIENCE = 40, 5, 1.0  # of each figure: runs, and the seconds after which there are no more
TOUCHED: Final = 500  # names, by the generation that is matched again
BASELINE: Final = 60  # resources that are ingested one by one
LIST_GOAL, COUNT_GOAL = 0.050, 1.0
ONE, ALL = "an account", "an administrator"
FEW: Final = 97  # one flaw of so many is suppressed

Figures = dict[str, Any]
Ask = Callable[[Random, Place], Mapping[str, Any]]


def equal(value: str) -> list[dict[str, str]]:
    """Filter entries: exactly this."""
    return [{"comparison": "EQUALS", "value": value}]


def _day(chance: Random, _: Place) -> Mapping[str, Any]:
    first = BEGAN + timedelta(days=chance.randrange(DAYS))
    return {"firstObservedAt": [{"startInclusive": first, "endInclusive": first + timedelta(days=1)}]}


def _repository(chance: Random, place: Place) -> Mapping[str, Any]:
    return {"ecrImageRepositoryName": equal(getattr(place.resource.details, "repository", "team-0/service-0"))}


FILTERS: Final[Mapping[str, Ask]] = {
    "none": lambda chance, place: {},
    "severity": lambda chance, place: {"severity": equal(chance.choice(("CRITICAL", "HIGH", "MEDIUM")))},
    "status ACTIVE": lambda chance, place: {"findingStatus": equal("ACTIVE")},
    "status SUPPRESSED": lambda chance, place: {"findingStatus": equal("SUPPRESSED")},
    "resource id": lambda chance, place: {"resourceId": equal(place.resource.id)},
    "resource type": lambda chance, place: {"resourceType": equal(place.resource.type)},
    "vulnerability id": lambda chance, place: {"vulnerabilityId": equal(_flaw(chance))},
    "account": lambda chance, place: {"awsAccountId": equal(place.resource.account)},
    "ECR repository": _repository,
    "package name": lambda chance, place: {
        "vulnerablePackages": [{"name": {"comparison": "EQUALS", "value": f"source{chance.randrange(400)}"}}]
    },
    "first observed on a day": _day,
    "fix available": lambda chance, place: {"fixAvailable": equal(chance.choice(("YES", "NO")))},
    "exploit available": lambda chance, place: {"exploitAvailable": equal("YES")},
    "title, prefix": lambda chance, place: {"title": [{"comparison": "PREFIX", "value": _flaw(chance)}]},
    "score at least 9": lambda chance, place: {"inspectorScore": [{"lowerInclusive": 9.0}]},
    "EPSS at least 0.1": lambda chance, place: {"epssScore": [{"lowerInclusive": 0.1}]},
    "resource tag": lambda chance, place: {
        "resourceTags": [{"comparison": "EQUALS", "key": "team", "value": f"team-{chance.randrange(40)}"}]
    },
    "critical, active, with a fix": lambda chance, place: {
        "severity": equal("CRITICAL"),
        "findingStatus": equal("ACTIVE"),
        "fixAvailable": equal("YES"),
    },
}


def _flaw(chance: Random) -> str:
    number = 10_000 + chance.randrange(8000)
    return f"CVE-{2016 + number % 10}-{number}"


def main() -> int:
    """Print the tables, or the figures of one size."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--one", type=int)
    size = options.parse_args().one
    if size:
        print(json.dumps(measured(size)))
        return 0
    told: dict[int, Figures] = {}
    kept = os.environ.get("FLEET_DATA")
    folder = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="openinspector-fleet-"))
    try:
        for each in SIZES:
            if shutil.disk_usage(folder if folder.is_dir() else folder.parent).free < each * NEEDED:
                progress(f"fleet of {each}: skipped, {folder} has less than {each * NEEDED / 1e9:.0f} GB left")
                continue
            # A process for each, so that memory is that of one size.
            command = [sys.executable, __file__, "--one", str(each)]
            said = subprocess.run(
                command, env={**os.environ, "FLEET_DATA": str(folder)}, stdout=subprocess.PIPE, check=True
            )
            told[each] = json.loads(said.stdout)
    finally:
        if not os.environ.get("FLEET_KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
    if not told:
        heading("The service: lists and aggregations", "Skipped: there is too little room on the disk.")
        return 0
    report(told)
    return 0


def measured(size: int) -> Figures:
    """All figures of a fleet of this size."""
    folder = Path(os.environ["FLEET_DATA"])
    fleet = Fleet(size)
    figures: Figures = {"size": size}
    with start(folder) as server, _watched(server) as memory:
        name = f"fleet_{size}"
        advisories = compile_fleet(fleet, folder / f"advisories-{size}")
        if not _is_there(server, name):
            progress(f"fleet of {size:,}: loading")
            server.make_database(name)
            connect_embedded(server, database=name).close()
            loaded = load(server, name, fleet, advisories, suppressed=_is_suppressed)
            figures["loaded"] = loaded._asdict()
        figures["loader_megabytes"] = usage.getrusage(usage.RUSAGE_SELF).ru_maxrss / 1024
        figures["ingested"] = _baseline(server, fleet, advisories)
        gc.collect()
        gc.freeze()  # what the loader leaves behind is none of the service's
        with connect_embedded(server, database=name, pool=1) as database:
            figures["sizes"] = _table_sizes(database)
            places = list(islice(cycle(fleet.places()), min(size, 2000)))
            member = fleet.accounts[0]
            for who, accounts in ((ONE, (member,)), (ALL, fleet.accounts)):
                progress(f"fleet of {size:,}: asking as {who}")
                mine = [each for each in places if each.resource.account in accounts]
                figures[who] = _lists(database, accounts, mine) | _counts(database, accounts)
            figures["client_megabytes"] = _resident()
            figures["HTTP"] = _over_http(database, fleet, places)
            if os.environ.get("FLEET_REMATCH", "1") == "1":
                figures["rematch"] = bench_rematch(database, fleet, advisories, folder)
        advisories.close()
        figures["server_megabytes"] = memory["most"]
    return figures


def bench_rematch(database: Database, fleet: Fleet, advisories: AdvisoryFile, folder: Path) -> Figures:
    """What it costs that another generation is put in force: one that touches 500 names, and then all of it again.

    It changes the fleet, so it comes last.
    """
    from openinspector.pipeline.rematch import rematch
    from openinspector.store.kept_generations import KeptGenerations

    kept = KeptGenerations(folder / f"kept-{fleet.size}")
    kept.keep(advisories.path, advisories.meta["digest"])
    figures: Figures = {}
    after = compile_fleet(fleet, folder / f"advisories-{fleet.size}-after", TOUCHED)
    for name, is_full in ((f"{TOUCHED} names touched", False), ("everything matched again", True)):
        progress(f"fleet of {fleet.size:,}: {name}")
        # The same file again is no news: to match everything it goes back to the first one.
        file = advisories if is_full else after
        done = rematch(database, file, kept, lambda: datetime.now(UTC), full=is_full, forced=is_full)
        figures[name] = {
            "seconds": done.seconds,
            "events": done.events,
            "packages": done.packages,
            "flaws": done.flaws,
            "done": done.is_in_force,
        }
    after.close()
    return figures


def _is_suppressed(flaw: str) -> bool:
    return int(flaw.rpartition("-")[2]) % FEW == 0


def _is_there(server: EmbeddedPostgres, name: str) -> bool:
    import psycopg

    with psycopg.connect(server.url(database="postgres").replace("+psycopg", "")) as connection:
        return bool(connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).rowcount)


def _baseline(server: EmbeddedPostgres, fleet: Fleet, advisories: AdvisoryFile) -> Figures:
    """The same through `ingest`, a resource at a time, into an empty database."""
    name = f"ingested_{fleet.size}"
    if _is_there(server, name):
        return {}
    server.make_database(name)
    with connect_embedded(server, database=name, pool=1) as database:
        places = list(islice(fleet.places(), BASELINE))
        inventories = [fleet.inventory(each.key) for each in places]
        began = time.perf_counter()
        for place, seen in zip(places, inventories, strict=True):
            ingest(database, advisories, place.resource, seen, place.at)
        seconds = time.perf_counter() - began
        with database.system() as connection:
            findings = connection.execute(text("SELECT count(*) FROM finding")).scalar_one()
    return {"resources": len(places), "findings": findings, "seconds": seconds}


def _table_sizes(database: Database) -> dict[str, int]:
    statement = text(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'openinspector'::regnamespace ORDER BY 2 DESC LIMIT 8"
    )
    with database.system() as connection:
        return {row[0]: row[1] for row in connection.execute(statement)}


def _timed(ask: Callable[[], object]) -> dict[str, float]:
    """p50 and p99 of a question in seconds; the first time is not counted, unless it took all the time there is."""
    began = time.perf_counter()
    try:
        ask()
        first = time.perf_counter() - began
        runs = [first] if first > PATIENCE else []
        until = time.perf_counter() + PATIENCE
        while first <= PATIENCE and len(runs) < MOST_RUNS:
            if len(runs) >= LEAST_RUNS and time.perf_counter() > until:
                break
            began = time.perf_counter()
            ask()
            runs.append(time.perf_counter() - began)
    except Exception as error:  # noqa: BLE001  the others are to be measured all the same
        progress(f"failed after {time.perf_counter() - began:.1f} s: {' '.join(str(error).split())[:200]}")
        return {"failed": time.perf_counter() - began}
    runs.sort()
    return {
        "first": first,
        "p50": median(runs),
        "p99": runs[min(len(runs) - 1, round(len(runs) * 0.99))],
        "runs": len(runs),
    }


def _lists(database: Database, accounts: tuple[str, ...], places: list[Place]) -> Figures:
    """Pages of findings by filter and by sort."""
    figures: Figures = {"filters": {}, "sorts": {}, "sorted filters": {}}
    chance = Random("filters")

    def page(sought: Sought, after: Position | None) -> None:
        with database.transaction(*accounts) as connection:
            ids, _ = find_findings(connection, sought, PAGE, after)
            findings_by_key(connection, ids)

    def deep(sought: Sought) -> Position | None:
        with database.transaction(*accounts, seconds=60) as connection:
            return find_findings(connection, sought, DEEP)[1]

    for name, asks in FILTERS.items():
        for kind, sort in (("filters", ""), ("sorted filters", "SEVERITY")):
            if not places:
                continue
            told: Figures = {}
            told["page"] = _timed(
                lambda asks=asks, sort=sort: page(
                    Sought(accounts, REGION, parse_criteria(asks(chance, chance.choice(places))), sort, bool(sort)),
                    None,
                )
            )
            sought = Sought(accounts, REGION, parse_criteria(asks(Random(5), places[0])), sort, bool(sort))
            with contextlib.suppress(Exception):
                if (after := deep(sought)) is not None:
                    told["deep"] = _timed(lambda sought=sought, after=after: page(sought, after))
            figures[kind][name] = told
    for field in sorted(SORT_FIELDS):
        for is_descending in (False, True):
            sought = Sought(accounts, REGION, parse_criteria({}), field, is_descending)
            told = {"page": _timed(lambda sought=sought: page(sought, None))}
            with contextlib.suppress(Exception):
                after = deep(sought)
                told["deep"] = _timed(lambda sought=sought, after=after: page(sought, after))
            figures["sorts"][f"{field} {'descending' if is_descending else 'ascending'}"] = told
    with database.transaction(*accounts) as connection:
        ids, _ = find_findings(connection, Sought(accounts, REGION, parse_criteria({})), 10)

    def details() -> None:
        with database.transaction(*accounts) as connection:
            read_flaws(connection, set(flaws_of_findings(connection, ids).values()))

    figures["details"] = _timed(details)
    return figures


def _counts(database: Database, accounts: tuple[str, ...]) -> Figures:
    """The first page of each aggregation, and coverage statistics."""

    def count(by: str) -> None:
        with database.transaction(*accounts) as connection:
            count_findings(connection, Asked(by, accounts, REGION, parse_criteria({})), PAGE)

    def covered(by: Any) -> None:
        with database.transaction(*accounts) as connection:
            count_coverage(connection, REGION, {}, by=by, size=PAGE)

    figures = {by: _timed(lambda by=by: count(by)) for by in GROUPINGS}
    statistics = {
        by or "all": _timed(lambda by=by: covered(by))
        for by in (None, "RESOURCE_TYPE", "ACCOUNT_ID", "ECR_REPOSITORY_NAME")
    }
    return {"aggregations": figures, "coverage": statistics}


def _over_http(database: Database, fleet: Fleet, places: list[Place]) -> Figures:
    """The same as a client of AWS sees it."""
    sys.path.append(str(REPOSITORY))
    from tests.service import callers

    from openinspector.api.operations import aggregations, findings

    member = fleet.accounts[0]
    figures: Figures = {}
    with (
        patch.object(callers, "REGION", REGION),
        callers.clients((findings, aggregations), database, callers.Clock()) as of,
    ):
        client = of(member)
        most_critical = {"field": "SEVERITY", "sortOrder": "DESC"}
        figures["ListFindings, 100 of them, the most severe first"] = _timed(
            lambda: client.list_findings(maxResults=PAGE, sortCriteria=most_critical)
        )
        figures["ListFindings, 10 of them"] = _timed(lambda: client.list_findings(maxResults=10))
        figures["ListFindingAggregations, by account"] = _timed(
            lambda: client.list_finding_aggregations(aggregationType="ACCOUNT")
        )
    return figures


@contextlib.contextmanager
def _watched(server: EmbeddedPostgres) -> Iterator[dict[str, float]]:
    """The most memory that the server's processes have had together, their shared part once, in MB."""
    memory = {"most": 0.0}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(2):
            memory["most"] = max(memory["most"], _memory(server))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield memory
    finally:
        done.set()
        watcher.join()


def _resident() -> float:
    """What this process has now, in MB."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _memory(server: EmbeddedPostgres) -> float:
    folder = server._folder / "cluster"
    kilobytes = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        head = int((folder / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{head}/task/{head}/children").read_text().split()
        for process in (str(head), *children):
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        kilobytes += int(line.split()[1])
    return kilobytes / 1024


def report(told: Mapping[int, Figures]) -> None:
    """The tables."""
    sizes = sorted(told)
    largest = told[sizes[-1]]
    heading(
        "The service: lists and aggregations",
        f"""
A synthetic fleet (`bench/fleet.py`) on an embedded PostgreSQL with the service's own settings, beside the benchmark on
the same machine. A page is {PAGE} findings with all that belongs to them; the deep one is behind {DEEP:,}. An account
is the largest of the fleet, the administrator sees all of them. Milliseconds, p50 / p99 of up to {MOST_RUNS} runs, each
with other values in the filter, after one that is not counted.
""",
    )
    head = ["what", *(f"{size:,}" for size in sizes)]
    table(head, _loads(told, sizes))
    missed: list[tuple[float, str]] = []
    for who in (ONE, ALL):
        note(f"Lists of {who}, the first page and the deep one, by filter (unsorted, then the most severe first):")
        rows = []
        for kind in ("filters", "sorted filters"):
            for name in largest[who][kind]:
                rows.append([name + (", by severity" if kind != "filters" else "")])
                rows[-1] += [_cell(told[size][who][kind].get(name), missed, f"{who}: {name}", size) for size in sizes]
        table(head, rows)
        note(f"Lists of {who} by sort:")
        sorts = largest[who]["sorts"]
        table(
            head,
            [
                [name, *(_cell(told[size][who]["sorts"].get(name), missed, f"{who}: {name}", size) for size in sizes)]
                for name in sorts
            ],
        )
        note(f"Aggregations, coverage statistics and GetFindingDetails of {who}, the first page:")
        counts = [[name, *(_figure(told[size][who]["aggregations"][name]) for size in sizes)] for name in GROUPINGS]
        counts += [
            [f"coverage by {name}", *(_figure(told[size][who]["coverage"][name]) for size in sizes)]
            for name in largest[who]["coverage"]
        ]
        counts.append(["details of 10 findings", *(_figure(told[size][who]["details"]) for size in sizes)])
        table(head, counts)
        for name in GROUPINGS:
            for size in sizes:
                figure = told[size][who]["aggregations"][name]
                if figure.get("failed") or figure["p99"] >= COUNT_GOAL:
                    missed.append(_miss(figure, COUNT_GOAL, f"{who}: by {name} at {size:,}"))
    note("Over HTTP, with boto3, as the largest account:")
    table(head, [[name, *(_figure(told[size]["HTTP"][name]) for size in sizes)] for name in largest["HTTP"]])
    again = {size: told[size]["rematch"] for size in sizes if told[size].get("rematch")}
    if again:
        note("Another generation put in force, seconds (events):")
        names = list(next(iter(again.values())))
        cells = lambda size, name: (  # noqa: E731  a table's cell
            f"{again[size][name]['seconds']:.1f} ({again[size][name]['events']:,})" if size in again else DASH
        )
        table(head, [[name, *(cells(size, name) for size in sizes)] for name in names])
    note(
        f"Goals: p99 of a list below {LIST_GOAL * 1000:.0f} ms, an aggregation below {COUNT_GOAL:.0f} s."
        f" {_told(missed)}"
    )


def _told(missed: list[tuple[float, str]]) -> str:
    """How many goals were missed, and the worst."""
    worst = "; ".join(name for _, name in sorted(missed, reverse=True)[:12])
    return f"Missed in this run: {len(missed)}, the worst {worst}." if missed else "None was missed in this run."


def _loads(told: Mapping[int, Figures], sizes: list[int]) -> list[list[str]]:
    rows: list[list[str]] = []

    def row(name: str, figure: Callable[[Figures], str]) -> None:
        rows.append([name])
        for size in sizes:
            try:
                rows[-1].append(figure(told[size]))
            except (KeyError, ZeroDivisionError):  # it was loaded before
                rows[-1].append(DASH)

    row("findings", lambda each: f"{each['loaded']['findings']:,}")
    row("distinct inventories", lambda each: f"{each['loaded']['inventories']:,}")
    row("distinct packages", lambda each: f"{each['loaded']['packages']:,}")
    row("bulk load, s", lambda each: f"{sum(each['loaded']['seconds'].values()):.0f}")
    row(
        "bulk load, findings/s",
        lambda each: f"{each['loaded']['findings'] / sum(each['loaded']['seconds'].values()):,.0f}",
    )
    row("`ingest`, findings/s", lambda each: f"{each['ingested']['findings'] / each['ingested']['seconds']:,.0f}")
    row(
        "`ingest`, ms a resource",
        lambda each: f"{1000 * each['ingested']['seconds'] / each['ingested']['resources']:.0f}",
    )
    row("database, GB", lambda each: f"{sum(each['sizes'].values()) / 1e9:.1f}")
    row("server, MB at most", lambda each: f"{each['server_megabytes']:.0f}")
    row("loader, MB at most", lambda each: f"{each['loader_megabytes']:.0f}")
    row("client while asking, MB", lambda each: f"{each['client_megabytes']:.0f}")
    return rows


def _miss(figure: Figures, goal: float, name: str) -> tuple[float, str]:
    return (figure.get("failed") or figure["p99"]) / goal, f"{name} ({_figure(figure)} ms)"


def _cell(figures: Figures | None, missed: list[tuple[float, str]], name: str, size: int) -> str:
    if not figures:
        return DASH
    for page, each in figures.items():
        if each.get("failed") or each["p99"] >= LIST_GOAL:
            missed.append(_miss(each, LIST_GOAL, f"{name}{', deep' if page == 'deep' else ''} at {size:,}"))
    return "; ".join(_figure(each) for each in figures.values())


def _figure(figure: Figures) -> str:
    if figure.get("failed"):
        return f"failed after {figure['failed']:.0f} s"
    return f"{figure['p50'] * 1000:.0f} / {figure['p99'] * 1000:.0f}"


if __name__ == "__main__":
    sys.exit(main())
