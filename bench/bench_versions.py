"""Version schemes: pairs per second and agreement with the native tools, ours against `univers`.

    python bench/bench_versions.py [--pairs 4000] [--only deb,rpm]

Speed: both sides turn the same realistic pairs from text into an answer to "is a older than b" (ours `key(a) < key(b)`,
univers `Version(a) < Version(b)`); the median of five runs in one process. Ours remembers parts of versions, so all
runs but the first profit from that, as a scan of many packages does.
Agreement: with the cases under `tests/cases/versions`, most of them made by the native tools; and, where the native
tool is installed and can be asked in a batch, with its live answers to random hostile pairs. A version that one side
can't read counts as disagreement.
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from types import ModuleType
from typing import Any

from openinspector.versions.order import compare, schemes

REPOSITORY = Path(__file__).resolve().parent.parent
CASES = REPOSITORY / "tests" / "cases" / "versions"
RUNS = 5
LIVE_PAIRS = 5_000

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
    """Print the table; 1 if ours is behind anywhere."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--pairs", type=int, default=4_000)
    options.add_argument("--only", default="")
    given = options.parse_args()
    univers, natives = peer(), native_tools()
    print(f"Python {sys.version.split()[0]}, {given.pairs} pairs a scheme, median of {RUNS} runs; univers: ", end="")
    print("installed" if univers else "not installed (pip install univers), its columns stay empty")
    both = f"{'ours':>11}{'univers':>11}"
    print(f"\n{'':12}{'pairs per second':^30}  {'right in kept cases':^22}  {'right in live answers':^22}")
    print(f"{'scheme':12}{'ours':>10}{'univers':>10}{'ratio':>10}  {both}  {both}")
    behind = []
    for name in schemes():
        if given.only and name not in given.only.split(","):
            continue
        theirs = getattr(univers, UNIVERS.get(name, ""), None)
        speed, their_speed = rates(name, theirs, realistic_pairs(name, given.pairs))
        kept = agreement(name, theirs, kept_cases(name))
        live = agreement(name, theirs, live_answers(name, natives))
        ratio = f"{speed / their_speed:.1f}x" if their_speed else "-"
        print(f"{name:12}{speed:>10,.0f}{their_speed or 0:>10,.0f}{ratio:>10}  {shown(kept)}  {shown(live)}")
        if (their_speed or 0) > speed or any(ours < other for ours, other in (kept, live) if other is not None):
            behind.append(name)
    print("\nours is behind in: " + " ".join(behind) if behind else "\nours is behind in none")
    return bool(behind)


def peer() -> ModuleType | None:
    """`univers.versions`, if it is installed."""
    with suppress(ImportError):
        return import_module("univers.versions")
    return None


def native_tools() -> ModuleType:
    """The native tools that the tests ask, too."""
    spec = spec_from_file_location("natives_a", REPOSITORY / "tests/unit/versions/natives_a.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rates(name: str, theirs: type | None, pairs: Pairs) -> tuple[float, float | None]:
    """Pairs per second of ours and of univers, over pairs that the side can read."""
    key = schemes()[name].key
    ours = rate(lambda a, b: key(a) < key(b), pairs)
    return ours, rate(lambda a, b: theirs(a) < theirs(b), pairs[:1_000]) if theirs else None


def rate(older: Callable[[str, str], Any], pairs: Pairs) -> float:
    readable = [pair for pair in pairs if answer(older, *pair) is not None]
    if not readable:
        return 0.0
    times = []
    for _ in range(RUNS):
        start = perf_counter()
        for a, b in readable:
            older(a, b)
        times.append(perf_counter() - start)
    return len(readable) / median(times)


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


def shown(shares: tuple[float | None, float | None]) -> str:
    return "".join(f"{'-':>11}" if share is None else f"{share:>11.2%}" for share in shares)


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
