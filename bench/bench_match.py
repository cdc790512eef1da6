"""500 packages matched with the whole advisory file, against the same look-ups decided range by range with `univers`.

Ours: the file is opened anew for each run and asked for the ranges that contain a version's key, so nothing of it is
remembered. The baseline gets every range of the same names from the same file and orders the versions with univers, as
a matcher without sort keys has to.
"""

import resource
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

from bench_versions import UNIVERS, peer
from openinspector.match.engine import Judge, match
from openinspector.model.distro import FAMILIES, Distribution
from openinspector.model.inventory import Inventory, Target
from openinspector.model.package import Location, Package
from openinspector.pipeline.scan import Request, read_target
from openinspector.store.advisories import AdvisoryFile
from peers import advisories, install
from places import ADVISORIES, RUNS, Skipped
from report import DASH, heading, note, progress, ratio, table
from targets import large_debian, npm_lock

COUNT = 500
GOAL = 0.050  # seconds


def main() -> int:
    """Print the table."""
    install()
    known = advisories()
    versions = peer()
    rows, missed, skipped = [], [], []
    for name, make in INVENTORIES.items():
        progress(f"match: {name}")
        try:
            inventory = make()
        except Skipped as reason:
            skipped.append(f"{name}: {reason}")
            continue
        ours: list[float] = []
        theirs: list[float] = []
        for at in range(RUNS + 1):
            seconds, outcome = timed(lambda: match(inventory, AdvisoryFile(ADVISORIES)))  # noqa: B023
            other = timed(lambda: by_univers(inventory, versions)) if versions else None  # noqa: B023
            if at:
                ours.append(seconds)
                theirs += [other[0]] if other else []
        middle = median(ours)
        baseline = median(theirs) if theirs else None
        ranges = sum(len(found) for found in looked_up(inventory))
        rows.append(
            [
                name,
                str(len(inventory.packages)),
                f"{ranges:,}",
                str(len(outcome.matches)),
                f"{1000 * middle:.1f}",
                f"{1000 * max(ours):.1f}",
                f"{1000 * baseline:.0f}" if baseline else DASH,
                ratio(middle, baseline),
            ]
        )
        if middle >= GOAL:
            missed.append(f"{name}: {1000 * middle:.0f} ms (goal below {1000 * GOAL:.0f})")
    heading(
        "Matching",
        f"""
The advisory file: {known}. Milliseconds of {RUNS} alternating runs after one that is not counted, opening the file
included. The baseline reads every range of the same names and orders versions with univers.
""",
    )
    table(
        "packages|count|ranges of their names|matches|ours, median|most|univers, median|ours / univers".split("|"), rows
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    note(f"Peak memory of the whole process, univers and the inventories included: {peak:.0f} MB.")
    if skipped:
        note("Skipped: " + "; ".join(skipped))
    note("Goals missed in this run: " + ("; ".join(missed) if missed else "none") + ".")
    return 0


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what was made."""
    start = perf_counter()
    made = work()
    return perf_counter() - start, made


def looked_up(inventory: Inventory) -> list[list[tuple[Any, Any]]]:
    """For each package, its questions with every range of the name that they ask about."""
    index = AdvisoryFile(ADVISORIES)
    judge = Judge(inventory, index)
    return [
        [
            (asked, found)
            for asked in judge.questions(package)
            for found in index.all_ranges(asked.namespace, asked.name)
        ]
        for package in inventory.packages
    ]


def by_univers(inventory: Inventory, versions: Any) -> int:
    """How many ranges contain their package's version, in univers' words."""
    count = 0
    for each in looked_up(inventory):
        for asked, found in each:
            rule = getattr(versions, UNIVERS[asked.scheme])
            try:
                version = rule(asked.version)
                inside = not found.introduced or version >= rule(found.introduced)
                if inside and found.bound:
                    bound = rule(found.bound)
                    inside = version <= bound if found.upper_inclusive else version < bound
            except Exception:  # noqa: BLE001, S112  (versions that the peer can't read)
                continue
            count += inside
    return count


def first(target: Path, kind: str) -> Inventory:
    """The first packages of a target."""
    whole = read_target(Request(target=f"dir:{target}"))
    packages = tuple(each for each in whole.packages if each.type == kind)[:COUNT]
    return Inventory(target=whole.target, packages=packages, distribution=whole.distribution)


def drawn(namespace: str) -> Inventory:
    """Packages of a distribution as its advisories name them, each in a version that one of them speaks of."""
    family, _, release = namespace.partition(":")
    with closing(sqlite3.connect(f"{ADVISORIES.as_uri()}?mode=ro", uri=True)) as file:
        rows = file.execute(
            "SELECT p.name, max(a.bound) FROM package p JOIN affected a ON a.package = p.id"
            " WHERE p.namespace = ? AND a.bound IS NOT NULL GROUP BY p.name ORDER BY p.name",
            (namespace,),
        ).fetchall()
    if len(rows) < COUNT:
        raise Skipped(f"the advisory file names {len(rows)} packages of {namespace}")
    packages = tuple(
        Package(
            type=FAMILIES[family].scheme, name=name, version=version, location=Location(path="var/lib/rpm/Packages")
        )
        for name, version in Random(namespace).sample(rows, COUNT)
    )
    distribution = Distribution(id=family, version=release, family=family, namespace=namespace)
    return Inventory(target=Target(kind="directory", name=namespace), packages=packages, distribution=distribution)


INVENTORIES: dict[str, Callable[[], Inventory]] = {
    "Debian, of an image": lambda: first(large_debian(), "deb"),
    "npm, of a lock file": lambda: first(npm_lock(), "npm"),
    "Amazon Linux 2, drawn from its advisories": lambda: drawn("amazon:2"),
}


if __name__ == "__main__":
    sys.exit(main())
