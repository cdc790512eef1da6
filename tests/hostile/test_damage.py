"""Files of every format, cut short and with bits turned: never a crash, and never less without a word."""

import random

import pytest
from tests.fuzz.seeds.formats import SEEDS

CASES = [(name, at) for name, seeds in SEEDS.items() for at in range(len(seeds))]
# A list of lines that ends after a line is as good as a shorter one: what is lost can't be known.
_LINES = frozenset(
    "apk cocoapods.lock dpkg dpkg.list gem.gemspec gem.lock go.mod hex.mix-lock maven.gradle-lock npm.yarn npm.pnpm"
    " os-release pub.lock pypi.metadata pypi.requirements redhat.repositories runtime.program runtime.ruby"
    " yum.amazon-extras yum.from_repo pypi.pdm-lock pypi.poetry-lock pypi.pylock pypi.uv-lock cargo.lock maven.jar"
    " executable".split()
)

# They give no packages, so that nothing is less.
_FACTS = frozenset(
    "dnf.history dpkg.list os-release redhat.content-manifest redhat.repositories yum.amazon-extras"
    " yum.from_repo".split()
)


def put(sandbox, seed, data):
    for name, content in {seed.path: data, **_neighbours(seed)}.items():
        file = sandbox.target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return f"dir:{sandbox.target}"


def _neighbours(seed):
    folder = seed.path.rpartition("/")[0]
    return {f"{folder}/{name}": data for name, data in seed.beside.items()}


def told(outcome):
    """What a report says of packages, and of what it could not read."""
    return outcome.packages, len(outcome.report["problems"])


@pytest.mark.parametrize(("name", "at"), CASES)
def test_a_file_that_is_cut_off_is_told_or_still_gives_packages(sandbox, name, at):
    seed = SEEDS[name][at]
    for part in (0.5, 0.9):
        outcome = sandbox.scan(put(sandbox, seed, seed.data[: int(len(seed.data) * part)]))
        packages, problems = told(outcome)
        if name not in _LINES and name not in _FACTS:
            assert outcome.report["status"] == "partial", outcome
            assert any(seed.path in path for path, _ in outcome.problems), outcome
        elif part > 0.5 and name not in ("executable", "runtime.program"):
            assert packages or problems or name in _FACTS, outcome


@pytest.mark.parametrize(("name", "at"), CASES)
def test_turned_bits_end_in_a_report_like_any_other(sandbox, name, at):
    seed = SEEDS[name][at]
    random_ = random.Random(7)
    data = bytearray(seed.data)
    for _ in range(max(4, len(data) // 64)):
        data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
    sandbox.scan(put(sandbox, seed, bytes(data)))
