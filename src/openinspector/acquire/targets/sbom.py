"""SBOMs as targets: CycloneDX (JSON, XML) and SPDX 2 (JSON, tag-value) become an inventory by their package URLs.

A component without a package URL can't be judged: such components are counted, and named. The distribution is the one
that the packages and the operating system component name; where a document mixes several, the packages of all but the
one with the most are left out, because its advisories would be wrong for them, and the inventory is partial.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from openinspector.acquire.sbom.packages import Told, packages_of
from openinspector.acquire.sbom.record import LARGEST, NO_SOFTWARE, Bill, Component
from openinspector.acquire.sbom.system import Release, of_component, of_release
from openinspector.acquire.sbom.text import encoding_of, head_of, opened
from openinspector.catalog.unparsed import unparsed
from openinspector.errors import AcquireError
from openinspector.model.distro import FAMILIES, Distribution
from openinspector.model.inventory import Inventory, Target
from openinspector.model.package import OS_TYPES, Package
from openinspector.model.problem import Problem

UNDERSTOOD = "CycloneDX in JSON and XML, SPDX JSON and SPDX tag-value are understood"
_HEAD = 4096  # bytes


def read_sbom(path: Path) -> Inventory:
    """The inventory that an SBOM tells of.

    Raises:
        AcquireError: It can't be read, or is no SBOM of a kind that is understood.
    """
    with opened(path) as stream:
        try:
            bill = read_bill(stream)
        except (OSError, AcquireError) as error:
            raise AcquireError(f"{path} {error} ({UNDERSTOOD})") from error
    return inventory_of(bill, Target(kind="sbom", name=str(path)), path.name)


def inventory_of(bill: Bill, target: Target, file_name: str) -> Inventory:
    """The inventory that a bill tells of; its problems lie in `file_name`."""
    return _Reading(file_name).inventory(bill, target)


def read_bill(stream: IO[bytes]) -> Bill:
    """The bill of a document of whatever kind; only the reader of its kind is imported.

    Raises:
        AcquireError: It is no SBOM of a kind that is understood; the message goes on after its name.
    """
    head = stream.read(_HEAD)
    stream.seek(0)
    text = head_of(head)
    if text.startswith("{"):
        from openinspector.acquire.sbom import cyclonedx_json, spdx_json
        from openinspector.acquire.sbom.json_document import decode

        data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise AcquireError(f"is larger than {LARGEST:,} bytes")
        document = decode(data)
        if document.bom_format == "CycloneDX":
            return cyclonedx_json.read(document)
        if document.spdx_version is not None:
            return spdx_json.read(document)
        if "spdx.org/rdf/3" in str(document.context):
            raise AcquireError("is SPDX 3")
        raise AcquireError("is JSON, but neither CycloneDX nor SPDX")
    if text.startswith("<"):
        from openinspector.acquire.sbom import cyclonedx_xml

        return cyclonedx_xml.read(stream)
    if text.startswith(("#", "SPDX")):
        from openinspector.acquire.sbom import spdx_tag_value

        return spdx_tag_value.read(stream, encoding_of(head))
    raise AcquireError("is no SBOM")


class _Reading:
    """What is made of one bill."""

    def __init__(self, file_name: str) -> None:
        self._file_name = file_name
        self._told: list[Told] = []
        self._systems: list[Distribution] = []
        self._unread: dict[str, list[str]] = {}  # names of components by the reason
        self._known: dict[Release, Distribution | None] = {}

    def inventory(self, bill: Bill, target: Target) -> Inventory:
        """The inventory of a bill."""
        if bill.subject is not None and bill.subject.kind not in NO_SOFTWARE:
            self._subject(bill.subject)
        for each in bill.components:
            self._component(each)
        distribution = self._distribution()
        problems = [msgspec.structs.replace(each, path=self._file_name) for each in bill.problems]
        for reason, names in self._unread.items():
            problems += unparsed(self._file_name, "sbom", reason, names)
        problems += self._contradictions(distribution)
        packages: dict[Package, None] = {}
        foreign: dict[str, list[str]] = {}
        for told in self._told:
            place = self._elsewhere(told, distribution)
            if place:
                foreign.setdefault(place, []).append(told.packages[0].name)
            else:
                packages.update(dict.fromkeys(told.packages))
        for place, names in foreign.items():
            reason = f"packages of {place} among those of {distribution.namespace if distribution else ''}"
            problems += [
                msgspec.structs.replace(each, partial=True) for each in unparsed(self._file_name, "sbom", reason, names)
            ]
        return Inventory(
            target=target,
            packages=tuple(packages),
            distribution=distribution,
            problems=tuple(problems),
            repositories=tuple(sorted(_repositories(bill.subject))),
            status="partial" if any(each.partial for each in problems) else "whole",
        )

    def _subject(self, subject: Component) -> None:
        """What the document is about is judged too, where it says what that is."""
        for purl in subject.purls:
            told = packages_of(subject, purl)
            if isinstance(told, Told):
                self._told.append(told)

    def _component(self, component: Component) -> None:
        if component.kind == "operating-system":
            system = of_component(component)
            if system is not None:
                self._systems.append(system)
            return
        if not component.purls:
            if component.kind not in NO_SOFTWARE and not component.aggregate:
                reason = "components with a CPE" if component.cpe else "components with a name"
                self._unread.setdefault(f"{reason}, but no package URL", []).append(component.full_name or "?")
            return
        for purl in component.purls:
            told = packages_of(component, purl)
            if isinstance(told, Told):
                self._told.append(told)
            else:
                self._unread.setdefault(told, []).append(component.full_name or "?")

    def _of(self, told: Told) -> Distribution | None:
        """The distribution that a package says it is of."""
        release = told.release
        if release is None:
            return None
        if release not in self._known:
            self._known[release] = of_release(release)
        return self._known[release]

    def _distribution(self) -> Distribution | None:
        """The one that most packages are of; the operating system component decides where they don't."""
        named = {each.namespace: each for each in reversed(self._systems) if each.namespace}
        votes: Counter[str] = Counter()
        by_package: dict[str, Distribution] = {}
        unjudged: Distribution | None = None
        for told in self._told:
            of = self._of(told)
            if of is not None and of.namespace:
                votes[of.namespace] += 1
                by_package.setdefault(of.namespace, of)
            elif of is not None:
                unjudged = unjudged or of
        if votes:
            chosen = max(votes, key=lambda each: (votes[each], each in named))
            return named.get(chosen) or by_package[chosen]
        return next(iter(named.values()), None) or next(iter(self._systems), None) or unjudged

    def _contradictions(self, chosen: Distribution | None) -> Iterator[Problem]:
        others = {each.namespace for each in self._systems if each.namespace} - {chosen.namespace if chosen else ""}
        for each in sorted(others):
            what = chosen.namespace if chosen else ""
            reason = f"it names the operating system {each}, but its packages are judged as those of {what}"
            yield Problem(path=self._file_name, reason=reason, format="sbom")

    def _elsewhere(self, told: Told, chosen: Distribution | None) -> str:
        """The distribution of a package, if that is another than the chosen one."""
        package = told.packages[0]
        if package.type not in OS_TYPES or chosen is None or not chosen.namespace:
            return ""
        of = self._of(told)
        if of is not None and of.namespace and of.namespace != chosen.namespace:
            return of.namespace
        return f"another distribution ({package.type})" if package.type != FAMILIES[chosen.family].scheme else ""


def _repositories(subject: Component | None) -> set[str]:
    properties = subject.properties if subject is not None else ()
    return {value for name, value in properties if name == "openinspector:repository" and value}
