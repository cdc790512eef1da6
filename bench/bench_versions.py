"""Version schemes: keys and pairs per second, and agreement with the native tools, ours against `univers`.

    python bench/bench_versions.py [--pairs 4000] [--only deb,rpm]

First keys: distinct versions, each turned into its key once, in a fresh process that has seen no version before.
Pairs: both sides turn the same realistic pairs from text into an answer to "is a older than b" (ours `key(a) < key(b)`,
univers `Version(a) < Version(b)`); the median of the runs, which alternate, in one process. Ours remembers parts of
versions, so all runs but the first profit from that, as a scan of many packages does.
Agreement: with the cases under `tests/cases/versions`, most of them made by the native tools; and, where the native
tool is installed and can be asked in a batch, with its live answers to random hostile pairs. A version that one side
can't read counts as disagreement.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from random import Random
from statistics import median
from time import perf_counter
from types import ModuleType
from typing import Any

from openinspector.versions.order import compare, scheme, schemes
from peers import install
from places import REPOSITORY, RUNS, helper, see_peers
from report import DASH, heading, note, progress, table

CASES = REPOSITORY / "tests" / "cases" / "versions"
LIVE_PAIRS = 5_000
FIRST_KEYS = 20_000
GOAL = {"deb": 150_000, "rpm": 150_000}  # first keys per second

Pairs = list[tuple[str, str]]

UNIVERS = {
    "apk": "AlpineLinuxVersion",
    "composer": "ComposerVersion",
    "deb": "DebianVersion",
    "gem": "RubygemsVersion",
    "go": "GolangVersion",
    "gotoolchain": "GolangVersion",
    "maven": "MavenVersion",
    "nuget": "NugetVersion",
    "pypi": "PypiVersion",
    "rpm": "RpmVersion",
} | dict.fromkeys(["npm", "cargo", "hex", "swift", "pub"], "SemverVersion")


def main() -> int:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--pairs", type=int, default=2_000)
    options.add_argument("--only", default="")
    options.add_argument("--first", help="print the first keys per second of one scheme, and stop")
    given = options.parse_args()
    if given.first:
        print(first_keys(given.first))
        return 0
    install()
    univers, natives = peer(), helper("unit/versions/natives_a.py")
    rows, behind = [], []
    for name in schemes():
        if given.only and name not in given.only.split(","):
            continue
        progress(f"versions: {name}")
        theirs = getattr(univers, UNIVERS.get(name, ""), None)
        first = median(first_keys_apart(name) for _ in range(RUNS))
        speed, their_speed = rates(name, theirs, realistic_pairs(name, given.pairs))
        kept = agreement(name, theirs, kept_cases(name))
        live = agreement(name, theirs, live_answers(name, natives))
        quotient = f"{speed / their_speed:.1f}" if their_speed else DASH
        other = f"{their_speed:,.0f}" if their_speed else DASH
        rows.append([name, f"{first:,.0f}", f"{speed:,.0f}", other, quotient, *shown(kept), *shown(live)])
        if (their_speed or 0) > speed or any(ours < other for ours, other in (kept, live) if other is not None):
            behind.append(f"{name} is behind univers")
        if first < GOAL.get(name, 0):
            behind.append(f"{name}: {first:,.0f} first keys a second (goal {GOAL[name]:,})")
    heading(
        "Version schemes",
        f"""
First keys: {FIRST_KEYS:,} distinct versions, each once, in a fresh process. Pairs: {given.pairs} realistic ones,
"is a older than b" from text. Medians of {RUNS}; univers {"is the peer" if univers else "is not installed"}. Right: the
share of answers that agree with the kept cases, and with the native tool where it is installed ({LIVE_PAIRS:,} random
hostile pairs).
""",
    )
    table(
        (
            "scheme|first keys/s, ours|pairs/s, ours|univers|ours / univers"
            "|right in kept cases, ours|univers|right in live answers, ours|univers"
        ).split("|"),
        rows,
    )
    note("Goals missed in this run: " + ("; ".join(behind) if behind else "none") + ".")
    return 0


def peer() -> ModuleType | None:
    """`univers.versions`, if it is installed."""
    see_peers()
    with suppress(ImportError):
        return import_module("univers.versions")
    return None


def first_keys_apart(name: str) -> float:
    """First keys per second of a scheme, measured in a fresh process."""
    said = subprocess.run([sys.executable, __file__, "--first", name], capture_output=True, text=True, check=True)
    return float(said.stdout)


def first_keys(name: str) -> float:
    """Keys per second over distinct versions that were never seen before."""
    versions = list(dict.fromkeys(version for pair in realistic_pairs(name, FIRST_KEYS) for version in pair))
    versions = versions[:FIRST_KEYS]
    key = scheme(name).key
    start = perf_counter()
    for version in versions:
        key(version)
    return len(versions) / (perf_counter() - start)


def rates(name: str, theirs: type | None, pairs: Pairs) -> tuple[float, float | None]:
    """Pairs per second of ours and of univers, over pairs that the side can read."""
    key = schemes()[name].key
    sides = {"ours": lambda a, b: key(a) < key(b)}
    if theirs:
        sides["univers"] = lambda a, b: theirs(a) < theirs(b)
    readable = {side: [pair for pair in pairs if answer(older, *pair) is not None] for side, older in sides.items()}
    times: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(RUNS):
        for side, older in sides.items():
            times[side].append(seconds(older, readable[side]))
    speed = {side: len(readable[side]) / median(times[side]) for side in sides}
    return speed["ours"], speed.get("univers")


def seconds(older: Callable[[str, str], Any], pairs: Pairs) -> float:
    """How long it takes to ask of every pair."""
    start = perf_counter()
    for a, b in pairs:
        older(a, b)
    return perf_counter() - start


def answer(ask: Callable[[str, str], Any], a: str, b: str) -> Any:
    """What `ask` says, or None where it fails, however it fails."""
    try:
        return ask(a, b)
    except Exception:  # noqa: BLE001  (a peer's failure is an answer)
        return None


def agreement(name: str, theirs: type | None, truth: list[tuple[str, str, int]]) -> tuple[float | None, float | None]:
    """The share of right answers of ours and of univers; None where there is nothing to compare."""
    if not truth:
        return None, None
    ours = sum(answer(lambda a, b: compare(name, a, b), a, b) == said for a, b, said in truth)
    if theirs is None:
        return ours / len(truth), None
    return ours / len(truth), sum(answer(ordered_by(theirs), a, b) == said for a, b, said in truth) / len(truth)


def ordered_by(theirs: type) -> Callable[[str, str], int]:
    def order(a: str, b: str) -> int:
        x, y = theirs(a), theirs(b)
        return -1 if x < y else 1 if x > y else 0

    return order


def shown(shares: tuple[float | None, float | None]) -> list[str]:
    return [DASH if share is None else f"{share:.2%}" for share in shares]


def kept_cases(name: str) -> list[tuple[str, str, int]]:
    file, rows = CASES / f"{name}.txt", []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        for sign, said in ((" < ", -1), (" = ", 0), (" > ", 1)):
            if sign in line and not line.startswith("#"):
                a, b = line.split(sign, 1)
                rows.append((a, b, said))
                break
    return rows


def live_answers(name: str, natives: ModuleType) -> list[tuple[str, str, int]]:
    if name not in natives.NATIVES:
        return []
    pairs = natives.random_pairs(name, LIVE_PAIRS, seed=3)
    try:
        return [(a, b, said) for (a, b), said in zip(pairs, natives.NATIVES[name](pairs), strict=True)]
    except natives.Missing as missing:
        print(f"{name}: no live answers: {missing}", file=sys.stderr)
        return []


# --- Realistic pairs: two versions of one package, near each other


def realistic_pairs(name: str, count: int) -> Pairs:
    """Pairs in the shapes that packages and advisories have; a scheme without a shape gets its cases' versions."""
    random, shape = Random(name), SHAPES.get(name)
    if shape is None:
        versions = [version for row in kept_cases(name) for version in row[:2]]
        return [(random.choice(versions), random.choice(versions)) for _ in range(count if versions else 0)]
    pairs = []
    for _ in range(count):
        major, minor = random.randrange(10), random.randrange(30)
        pairs.append((shape(random, major, minor), shape(random, major, minor)))
    return pairs


def numbers(random: Random, major: int, minor: int) -> str:
    return f"{major}.{minor}.{random.randrange(40)}"


def deb(random: Random, major: int, minor: int) -> str:
    epoch = random.choice(["", "", "", "1:", "2:"])
    middle = random.choice(["", "", "+dfsg", "~rc1", "+git20240131", "n"])
    return f"{epoch}{numbers(random, major, minor)}{middle}-{random.randrange(1, 9)}{random.choice(DEB_ENDINGS)}"


def rpm(random: Random, major: int, minor: int) -> str:
    epoch = random.choice(["", "0:", "1:"])
    release = f"{random.randrange(1, 90)}.{random.choice(['el8_6', 'el9', 'amzn2.0.7', 'amzn2023.0.2', 'fc39'])}"
    return f"{epoch}{numbers(random, major, minor)}{random.choice(['', '', 'k', '~rc1', '^git1'])}-{release}"


def apk(random: Random, major: int, minor: int) -> str:
    ending = random.choice(["", "", "w", "_p1", "_rc2", "_git20240131"])
    return f"{numbers(random, major, minor)}{ending}-r{random.randrange(12)}"


def semver(random: Random, major: int, minor: int) -> str:
    return numbers(random, major, minor) + random.choice(["", "", "", "-beta.2", "-rc.1", "-alpha", "+build.5"])


def go(random: Random, major: int, minor: int) -> str:
    ending = random.choice(["", "", "-0.20240131120000-abcdef123456", "-rc.1", "+incompatible"])
    return f"v{numbers(random, major, minor)}{ending}"


def toolchain(random: Random, major: int, minor: int) -> str:
    return f"go1.{minor}" + random.choice(["", "rc1", ".0", ".1", ".12", "beta1"])


def pypi(random: Random, major: int, minor: int) -> str:
    return numbers(random, major, minor) + random.choice(["", "", "", "rc1", "b2", ".post1", ".dev3", "+cu118"])


def maven(random: Random, major: int, minor: int) -> str:
    return numbers(random, major, minor) + random.choice(["", "", ".Final", ".RELEASE", "-SNAPSHOT", "-rc1", "-jre"])


def gem(random: Random, major: int, minor: int) -> str:
    return numbers(random, major, minor) + random.choice(["", "", "", ".rc1", ".beta2", ".1"])


def nuget(random: Random, major: int, minor: int) -> str:
    return numbers(random, major, minor) + random.choice(["", "", ".0", "-preview.1", "-rc.2.23479.6"])


def composer(random: Random, major: int, minor: int) -> str:
    return random.choice(["", "v"]) + numbers(random, major, minor) + random.choice(["", "", "-beta1", "-RC2", ".0"])


DEB_ENDINGS = ["", "", "+deb12u1", "+deb11u3", "ubuntu0.22.04.1", "~bpo12+1", "build1"]
SHAPES = {
    "apk": apk,
    "composer": composer,
    "deb": deb,
    "gem": gem,
    "go": go,
    "gotoolchain": toolchain,
    "maven": maven,
    "nuget": nuget,
    "pypi": pypi,
    "rpm": rpm,
} | dict.fromkeys(["npm", "cargo", "hex", "swift", "pub"], semver)


if __name__ == "__main__":
    sys.exit(main())
