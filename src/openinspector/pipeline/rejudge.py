"""Packages and flaws that are known already are judged and told by another generation of advisories."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, Literal, cast

import msgspec
import zstandard

from openinspector.match.engine import Judge
from openinspector.match.remedy import remedy
from openinspector.model.advisory import State
from openinspector.model.distro import Distribution
from openinspector.model.finding import VulnerablePackage
from openinspector.model.inventory import Inventory, Target
from openinspector.model.match import Evidence, Vulnerability
from openinspector.model.match import Match as Found
from openinspector.model.package import OS_TYPES, Location, Package, SourcePackage
from openinspector.pipeline.scan import Words, tell, to_finding
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.matched import enrichment_row, rated, to_row
from openinspector.store.rematching import Verdict
from openinspector.store.rows import Match, vulnerability_row

_REMEMBERED: Final = 4_096  # flaws that are told once for many packages
_LARGEST_EVIDENCE: Final = 4 << 20
_NOWHERE: Final = Location(path="")

News = Literal["told", "enriched", "same"]


class Rejudge:
    """One generation's judgement. Not for several threads at once, as the file itself isn't."""

    def __init__(self, advisories: AdvisoryFile) -> None:
        self._advisories = advisories
        self._judges: dict[tuple[str, str], Judge] = {}
        self._tell = lru_cache(_REMEMBERED)(self._told)
        self._is_rejected = lru_cache(_REMEMBERED)(lambda flaw: bool(advisories.rejected((flaw,))))
        self._evidence = msgspec.msgpack.Decoder(tuple[Evidence, ...])

    # Packages

    def verdicts(self, row: Any, known: Mapping[str, Match]) -> Iterator[Verdict]:
        """What is said of a package otherwise than it is `known`, by flaw. `row` is one of the table."""
        package = _package(row, row.repository)
        matches, doubts = self._judge(package, row.namespace, row.context).package(package)
        seen = set()
        for match in matches:
            if self._is_rejected(match.vulnerability):
                continue
            seen.add(match.vulnerability)
            now = to_row(to_finding(match, *self._tell(match.vulnerability)), row.id)
            if known.get(match.vulnerability) != now:
                yield Verdict(row.id, match.vulnerability, "affected", now)
        doubtful = {each.vulnerability for each in doubts}
        for flaw in known.keys() - seen:
            undecided = flaw in doubtful or "" in doubtful
            yield Verdict(row.id, flaw, "undecided" if undecided and not self._is_rejected(flaw) else "clean")

    def still(self, flaw: str, package: Package, namespace: str, context: str) -> VulnerablePackage | Literal["", "?"]:
        """A package with its flaw; "" where it hasn't got it, "?" where nobody can tell."""
        if self._is_rejected(flaw):
            return ""
        matches, doubts = self._judge(package, namespace, context).package(package)
        for match in matches:
            if match.vulnerability == flaw and match.state != "will_not_fix":
                return VulnerablePackage(package=package, fixed_version=match.fixed_version, remediation=remedy(match))
        return "?" if any(each.vulnerability in ("", flaw) for each in doubts) else ""

    def _judge(self, package: Package, namespace: str, context: str) -> Judge:
        """Judges as on a resource of this distribution, where the repositories of this context are enabled."""
        if package.type not in OS_TYPES:
            namespace = context = ""
        known = self._judges.get((namespace, context))
        if known is None:
            seen = Inventory(
                target=Target(kind="sbom", name=""),
                distribution=Distribution(id="", namespace=namespace) if namespace else None,
                repositories=tuple(context.split("\n")) if context else (),
            )
            known = self._judges[namespace, context] = Judge(seen, self._advisories)
        return known

    # Flaws

    def flaw(self, name: str) -> Vulnerability | None:
        """What is said of a flaw now; None where no advisory speaks of it any more."""
        return self._tell(name)[0] if self._speaks_of(name) else None

    def news(self, name: str, known: Any) -> News:
        """Whether something else is told of a flaw, or only others say something else. `known` is as it is stored."""
        flaw = self.flaw(name)
        if flaw is None:
            return "same"
        if known is None or vulnerability_row(flaw, rated(flaw))[1] != known.digest:
            return "told"
        _, _, _, _, kev, exploits, is_exploitable, last_exploited_at = enrichment_row(flaw)
        if (is_exploitable, last_exploited_at) != (known.is_exploitable, known.last_exploited_at):
            return "told"
        return "same" if (kev, exploits) == (known.kev, known.exploits) else "enriched"

    def rerated(self, rows: Iterable[Any]) -> Iterator[Verdict]:
        """What follows for packages from what is told of their flaws: another severity, or that it was rejected."""
        for row in rows:
            flaw = row.vulnerability_id
            if self._is_rejected(flaw):
                yield Verdict(row.package_id, flaw, "clean")
            elif row.evidence and self._speaks_of(flaw):
                now = to_finding(self._match(row), *self._tell(flaw))
                if (now.severity, now.severity_source) != (row.severity, row.source):
                    yield Verdict(row.package_id, flaw, "affected", to_row(now, row.package_id))

    def _match(self, row: Any) -> Found:
        told = zstandard.ZstdDecompressor().decompress(row.evidence, max_output_size=_LARGEST_EVIDENCE)
        return Found(
            vulnerability=row.vulnerability_id,
            package=_package(row, row.package_repository),
            evidence=self._evidence.decode(told),
            fixed_version=row.fixed_version,
            state=cast(State, row.state),
            vendor_severity=row.vendor_severity,
            related=tuple(row.related),
        )

    def _told(self, name: str) -> tuple[Vulnerability, Words]:
        return tell(name, self._advisories)

    def _speaks_of(self, name: str) -> bool:
        return self._advisories.mentions(name)


def _package(row: Any, repository: str) -> Package:
    source = SourcePackage(name=row.source_name, version=row.source_version) if row.source_name else None
    return Package(
        type=row.type,
        name=row.name,
        version=row.version,
        location=_NOWHERE,
        arch=row.arch,
        source=source,
        module=row.module,
        repository=repository,
    )
