"""Packages and advisories become matches.

Doubt is kept: a version or a bound that its scheme can't read, a release without advisories in the file, gives
`Undecided`, never silence. A distribution's package is judged by that distribution's own advisories only (they know
what was backported); a language package whose files belong to such a package is judged with its owner.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from openinspector.errors import VersionError
from openinspector.match.contract import Candidate, Index
from openinspector.match.kernel import is_kernel, is_running
from openinspector.model.advisory import Range
from openinspector.model.distro import FAMILIES, SOURCE_NAMES
from openinspector.model.ecosystem import ECOSYSTEMS, canonical_name, scheme_of
from openinspector.model.inventory import Inventory
from openinspector.model.match import Evidence, Match, Undecided
from openinspector.model.package import OS_TYPES, Package
from openinspector.versions.order import compare, contains
from openinspector.versions.order import scheme as load_scheme

# A publisher's word that makes no finding: it says that there is nothing to fix.
SILENT_STATES = frozenset({"not_affected", "unimportant", "under_investigation"})


class Outcome(Struct, frozen=True, kw_only=True):
    """What matching an inventory gave. `kernels` are the packages left to the host, or not running on it."""

    matches: tuple[Match, ...]
    undecided: tuple[Undecided, ...]
    kernels: tuple[Package, ...]
    owned: int  # language packages that were judged with the OS package that owns them


def match(inventory: Inventory, index: Index) -> Outcome:
    """Every match of an inventory's packages, in their order."""
    matches: list[Match] = []
    undecided: list[Undecided] = []
    kernels: list[Package] = []
    owned = 0
    judge = Judge(inventory, index)
    for package in inventory.packages:
        left_out = judge.left_out(package)
        if left_out == "owned":
            owned += 1
            continue
        if left_out == "kernel":
            kernels.append(package)
            continue
        found, doubts = judge.package(package)
        matches += found
        undecided += doubts
    return Outcome(matches=tuple(matches), undecided=tuple(undecided), kernels=tuple(kernels), owned=owned)


class Question(Struct, frozen=True):
    """One look-up: which name in which namespace, and the version to compare."""

    namespace: str  # as in the index, with the mark of source names
    name: str
    kind: str
    scheme: str
    version: str


_Answer = tuple[Candidate, Evidence, str]  # a range that holds, the comparison, and the doubt or ""


class Judge:
    """Judges the packages of one inventory."""

    def __init__(self, inventory: Inventory, index: Index) -> None:
        self._index = index
        self._repositories = frozenset(inventory.repositories)
        self._target = inventory.target
        distribution = inventory.distribution
        self.namespace = ""
        self.reason = "the tree does not say which distribution it is"
        if distribution is not None:
            self.reason = distribution.reason
            if distribution.namespace and not index.has_namespace(distribution.namespace):
                self.reason = f"the advisory file has nothing for {distribution.namespace}"
            else:
                self.namespace = distribution.namespace

    def left_out(self, package: Package) -> Literal["", "owned", "kernel"]:
        """Why a package isn't judged: its owner is, or it is a kernel that doesn't run; "" where it is judged."""
        if package.owner and self.namespace:
            return "owned"
        target = self._target
        if target.kind == "sbom" or not is_kernel(package):
            return ""
        return "" if target.running_kernel and is_running(package, target.running_kernel) else "kernel"

    def questions(self, package: Package) -> list[Question]:
        """What has to be asked to judge a package."""
        if package.type in OS_TYPES:
            if not self.namespace:
                return []
            family = FAMILIES[self.namespace.partition(":")[0]]
            asked = []
            if family.by in ("source", "both"):
                name, version = (
                    (package.source.name, package.source.version or package.version)
                    if package.source
                    else (package.name, package.version)
                )
                asked.append(Question(self.namespace + SOURCE_NAMES, name, "source", family.scheme, version))
            if family.by in ("binary", "both"):
                asked.append(Question(self.namespace, package.name, "binary", family.scheme, package.version))
            return asked
        if package.type not in ECOSYSTEMS:
            return []
        name = canonical_name(package.type, package.name)
        scheme = scheme_of(package.type, name)
        return [Question(package.type, name, "binary", scheme, package.version)] if scheme else []

    def package(self, package: Package) -> tuple[list[Match], list[Undecided]]:
        """The matches of a package, and what could not be decided."""
        asked = self.questions(package)
        if not asked:
            if package.type in OS_TYPES:
                return [], [Undecided(package=package, reason=self.reason)]
            if package.type in ECOSYSTEMS:
                return [], [Undecided(package=package, reason=f"nobody publishes advisories of {package.name} itself")]
            return [], [
                Undecided(package=package, reason=f"there are no advisories for packages of type {package.type}")
            ]
        if package.type not in OS_TYPES and not self._index.has_namespace(package.type):
            return [], [Undecided(package=package, reason=f"the advisory file has nothing for {package.type}")]
        found: dict[str, list[tuple[Candidate, Evidence]]] = {}
        doubts: list[Undecided] = []
        for question in asked:
            for candidate, evidence, doubt in self._of_its_stream(question, self._ask(package, question)):
                if doubt:
                    for vulnerability in candidate.vulnerabilities:
                        doubts.append(Undecided(package=package, reason=doubt, vulnerability=vulnerability))
                    continue
                for vulnerability in candidate.vulnerabilities:
                    found.setdefault(vulnerability, []).append((candidate, evidence))
        matches = [_match(package, vulnerability, pairs) for vulnerability, pairs in found.items()]
        return [each for each in matches if each.state not in SILENT_STATES], doubts

    def _of_its_stream(self, question: Question, asked: Iterable[_Answer]) -> Iterable[_Answer]:
        """What was found, without the base repository's ranges where the system's own stream speaks of the same flaw.

        A fix for the extended updates of 9.2 has a lower version than that for 9.4: held against the latter, a fixed
        system would look vulnerable.
        """
        answers = list(asked)
        if not (answers and self._repositories and self.namespace.startswith("redhat:")):
            return answers
        spoken = {
            vulnerability
            for candidate in self._index.all_ranges(question.namespace, question.name)
            if candidate.repository in self._repositories
            for vulnerability in candidate.vulnerabilities
        }
        kept = []
        for candidate, evidence, doubt in answers:
            left = tuple(each for each in candidate.vulnerabilities if candidate.repository or each not in spoken)
            if left:
                kept.append((candidate._replace(vulnerabilities=left), evidence, doubt))
        return kept

    def _ask(self, package: Package, question: Question) -> Iterable[_Answer]:
        """The candidates that hold, with the evidence, and the doubt where there is one."""
        rule = load_scheme(question.scheme)
        try:
            key = rule.key(question.version)
            exact = rule.odd is not None and rule.odd(question.version)
            unreadable = ""
        except VersionError as error:
            key, exact, unreadable = b"", False, str(error)
        if exact or unreadable:
            candidates = self._index.all_ranges(question.namespace, question.name)
        else:
            candidates = self._index.candidates(question.namespace, question.name, key)
        for candidate in candidates:
            if not self.concerns(package, candidate):
                continue
            evidence = _evidence(question, candidate)
            doubt = unreadable or self.doubt(package, candidate)
            if candidate.unreadable:
                doubt = doubt or f"{candidate.advisory}: its range can't be read by {question.scheme}"
            if doubt:
                if candidate.state not in SILENT_STATES:
                    yield candidate, evidence, doubt
            elif not (exact or candidate.exact) or contains(question.scheme, range_of(candidate), question.version):
                yield candidate, evidence, ""

    def concerns(self, package: Package, candidate: Candidate) -> bool:
        """Whether the further conditions of a range hold: architecture, module stream, repository."""
        if candidate.arches and package.arch and package.arch not in candidate.arches and package.arch != "noarch":
            return False
        if package.type == "rpm" and (candidate.module or package.module or _MODULAR in candidate.bound):
            if _is_modular(package) != (bool(candidate.module) or _MODULAR in candidate.bound):
                return False
            if candidate.module and package.module and _stream(candidate.module) != _stream(package.module):
                return False
        return not candidate.repository or self._from_repository(package, candidate)

    def doubt(self, package: Package, candidate: Candidate) -> str:
        """Why a range that concerns a package can't be held against its version, or ""."""
        modular = package.type == "rpm" and _is_modular(package) and (candidate.module or _MODULAR in candidate.bound)
        if modular and not (candidate.module and package.module):
            who = candidate.advisory if package.module else package.name
            return f"{who} is a build of a module, and it is not said of which stream"
        return ""

    def _from_repository(self, package: Package, candidate: Candidate) -> bool:
        """Whether a package comes from the repository that an advisory speaks of.

        Amazon Linux extras: the package manager's own memory where there is one; else a topic counts when it is
        enabled, or when the fixed version belongs to the same line of versions (5.10.x) as the installed one.
        """
        if self.namespace.startswith("redhat:"):
            return candidate.repository in self._repositories
        if package.repository:
            return package.repository == candidate.repository
        if candidate.repository in self._repositories:
            return True
        if self.namespace.startswith("ubuntu:"):
            # What Ubuntu Pro fixes is broken without it too. Validated builds have a line of versions of their own.
            return not candidate.repository.startswith("fips") or "fips" in package.version
        if self.namespace.startswith("amazon:") and not self._repositories:
            return bool(candidate.bound) and _line(candidate.bound) == _line(package.version)
        return False


_MODULAR = ".module"  # in the release of an RPM built for a module: `1-2.module+el8.9.0+1+a`


def _is_modular(package: Package) -> bool:
    return bool(package.module) or _MODULAR in package.version


def _stream(module: str) -> str:
    """`nodejs:18` of `nodejs:18:8090020230825:a1b2`."""
    return ":".join(module.split(":")[:2])


def _line(version: str) -> str:
    """`5.10` of `5.10.205-195.804.amzn2`."""
    return ".".join(version.rpartition(":")[2].partition("-")[0].split(".")[:2])


def range_of(candidate: Candidate) -> Range:
    """The range of a candidate."""
    return Range(
        introduced="" if candidate.lower_exclusive else candidate.introduced,
        after=candidate.introduced if candidate.lower_exclusive else "",
        fixed="" if candidate.upper_inclusive else candidate.bound,
        last_affected=candidate.bound if candidate.upper_inclusive else "",
    )


def _evidence(question: Question, candidate: Candidate) -> Evidence:
    affected = range_of(candidate)
    return Evidence(
        feed=candidate.feed,
        advisory=candidate.advisory,
        namespace=question.namespace.removesuffix(SOURCE_NAMES),
        name=question.name,
        kind=question.kind,
        scheme=question.scheme,
        compared=question.version,
        introduced=affected.introduced,
        after=affected.after,
        fixed=affected.fixed,
        last_affected=affected.last_affected,
        state=candidate.state,
        module=candidate.module,
        repository=candidate.repository,
        note=candidate.note,
    )


def _match(package: Package, vulnerability: str, pairs: list[tuple[Candidate, Evidence]]) -> Match:
    """One match from everything that speaks for it."""
    evidence = tuple(dict.fromkeys(each for _, each in pairs))
    fixes = sorted({each.fixed for each in evidence if each.fixed})
    fixed = fixes[0] if len(fixes) == 1 else _newest(evidence[0].scheme, fixes) if fixes else ""
    strongest = min((each for _, each in pairs), key=lambda each: (each.state != "affected", not each.fixed))
    return Match(
        vulnerability=vulnerability,
        package=package,
        evidence=evidence,
        fixed_version=fixed,
        state=strongest.state,
        vendor_severity=next((candidate.severity for candidate, _ in pairs if candidate.severity), ""),
        related=tuple(dict.fromkeys(each.advisory for each in evidence if each.advisory != vulnerability)),
    )


def _newest(scheme: str, versions: list[str]) -> str:
    """The newest of several fixed versions: only there is all of it fixed."""
    newest = versions[0]
    for each in versions[1:]:
        try:
            if compare(scheme, each, newest) > 0:
                newest = each
        except VersionError:
            continue
    return newest
