"""Why a vulnerability is, or is not, reported: every package, every range, every comparison."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from openinspector.errors import VersionError
from openinspector.match.contract import Candidate, Index
from openinspector.match.engine import SILENT_STATES, Judge, Question, range_of
from openinspector.match.kernel import is_kernel, is_running
from openinspector.model.advisory import Advisory
from openinspector.model.distro import SOURCE_NAMES
from openinspector.model.inventory import Inventory
from openinspector.model.package import OS_TYPES, Package
from openinspector.versions.order import contains

Verdict = Literal["affected", "not affected", "does not concern", "undecided"]


class Told(Index, Protocol):
    """An index that also knows names and advisories."""

    def overruled_ranges(self, namespace: str, name: str) -> Sequence[Candidate]:
        """The ranges of a package that a better authority overrules, each with the vulnerabilities where it does."""
        ...

    def unaffected(self, namespace: str, name: str) -> Sequence[Candidate]:
        """What publishers call not affected of a package, whatever the version."""
        ...

    def canonical(self, name: str) -> str:
        """The canonical name of a vulnerability."""
        ...

    def aliases(self, canonical: str) -> tuple[str, ...]:
        """Its other names."""
        ...

    def advisories_of(self, vulnerability: str) -> list[tuple[str, Advisory]]:
        """What each publisher says of it."""
        ...

    def rejected(self, vulnerabilities: set[str]) -> set[str]:
        """Those of them that were rejected."""
        ...


class Step(Struct, frozen=True, kw_only=True):
    """One range of one advisory, held against one package."""

    package: Package
    feed: str
    advisory: str
    namespace: str
    name: str
    kind: str
    range: str
    compared: str
    scheme: str
    verdict: Verdict
    reason: str = ""


class Explanation(Struct, frozen=True, kw_only=True):
    """The whole reasoning, and its end in one sentence."""

    vulnerability: str
    aliases: tuple[str, ...]
    advisories: tuple[str, ...]
    steps: tuple[Step, ...]
    verdict: str
    doubts: tuple[str, ...] = ()


def explain(name: str, inventory: Inventory, index: Told) -> Explanation:
    """Why a vulnerability is, or is not, reported of an inventory."""
    identity = index.canonical(name)
    judge = Judge(inventory, index)
    steps = [step for package in inventory.packages for step in _steps(package, identity, inventory, judge, index)]
    affected = sum(1 for step in steps if step.verdict == "affected")
    undecided = sum(1 for step in steps if step.verdict == "undecided")
    told = index.advisories_of(identity)
    rejected = identity in index.rejected({identity})
    if rejected:
        verdict = f"{identity} is not reported: the CVE program or NVD rejected it."
    elif affected:
        ranges = "1 range contains" if affected == 1 else f"{affected} ranges contain"
        verdict = f"{identity} is reported: {ranges} an installed version."
    elif undecided:
        verdict = f"{identity} is not reported, but {undecided} comparisons could not be made."
    elif steps:
        verdict = f"{identity} is not reported: no installed version lies in an affected range."
    elif told:
        verdict = f"{identity} is not reported: no installed package is named by its advisories."
    else:
        verdict = f"{identity} is not reported: nothing in the advisory file speaks of it."
    doubts = []
    if not judge.namespace and any(package.type in OS_TYPES for package in inventory.packages):
        doubts.append(f"Packages of the distribution were not judged: {judge.reason}.")
    if inventory.status != "whole":
        doubts.append("The scan is partial: packages may be missing from it.")
    return Explanation(
        vulnerability=identity,
        aliases=index.aliases(identity),
        advisories=tuple(f"{feed} {advisory.id}" for feed, advisory in told),
        steps=tuple(steps),
        verdict=verdict,
        doubts=tuple(doubts),
    )


def _steps(package: Package, identity: str, inventory: Inventory, judge: Judge, index: Told) -> list[Step]:
    steps = []
    for question in judge.questions(package):
        for candidate, overruled in _consulted(question, index):
            if identity not in candidate.vulnerabilities:
                continue
            verdict, reason = _verdict(package, candidate, question, inventory, judge)
            if overruled and verdict == "affected":
                verdict, reason = "does not concern", "a feed closer to the publisher speaks of this, and overrules it"
            steps.append(
                Step(
                    package=package,
                    feed=candidate.feed,
                    advisory=candidate.advisory,
                    namespace=question.namespace.removesuffix(SOURCE_NAMES),
                    name=question.name,
                    kind=question.kind,
                    range=_say(candidate),
                    compared=question.version,
                    scheme=question.scheme,
                    verdict=verdict,
                    reason=reason,
                )
            )
    return steps


def _consulted(question: Question, index: Told) -> Iterator[tuple[Candidate, bool]]:
    """Everything that the index has of a package, and whether a better authority overrules it."""
    for candidate in index.all_ranges(question.namespace, question.name):
        yield candidate, False
    for candidate in index.unaffected(question.namespace, question.name):
        yield candidate, False
    for candidate in index.overruled_ranges(question.namespace, question.name):
        yield candidate, True


def _verdict(
    package: Package, candidate: Candidate, question: Question, inventory: Inventory, judge: Judge
) -> tuple[Verdict, str]:
    if package.owner and judge.namespace:
        return "does not concern", f"its files belong to {package.owner}, which the distribution judges"
    running = inventory.target.running_kernel
    if is_kernel(package) and inventory.target.kind != "sbom" and not (running and is_running(package, running)):
        return "does not concern", "it is not the running kernel"
    if not judge.concerns(package, candidate):
        return "does not concern", "another architecture, module stream or repository is meant"
    if doubt := judge.doubt(package, candidate):
        return "undecided", doubt
    if candidate.unreadable:
        return "undecided", "the range can't be read"
    try:
        inside = contains(question.scheme, range_of(candidate), question.version)
    except VersionError as error:
        return "undecided", str(error)
    if not inside:
        return "not affected", "the version lies outside of the range"
    if candidate.state in SILENT_STATES:
        return "not affected", f"the publisher says: {candidate.state.replace('_', ' ')}"
    return "affected", candidate.note


def _say(candidate: Candidate) -> str:
    """A range in words: `>= 1.0, < 1.4.2`."""
    parts = []
    if candidate.introduced:
        parts.append(f"{'>' if candidate.lower_exclusive else '>='} {candidate.introduced}")
    if candidate.bound:
        parts.append(f"{'<=' if candidate.upper_inclusive else '<'} {candidate.bound}")
    said = ", ".join(parts) or "every version"
    return said if candidate.state == "affected" else f"{said} ({candidate.state.replace('_', ' ')})"
