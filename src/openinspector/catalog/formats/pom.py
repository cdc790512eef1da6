"""Maven project files: the dependencies they name, as far as their versions can be told without fetching anything."""

from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.unparsed import unparsed
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

_ELSEWHERE = "versions that are not stated here but by a remote parent or bill of materials"
_UNKNOWN = "versions with a property that is not defined here"
_RANGE = "ranges, of which it can't be told which version is used"
_DEV_SCOPES = ("test", "provided")  # a container or the platform brings what is `provided`


class MavenPom:
    """`pom.xml`, with its parent's file where that lies beside."""

    name = "maven.pom"
    title = "Maven pom.xml"
    type = "maven"
    revision = 2
    wants = Wants(names=("pom.xml",), beside=("../pom.xml",), max_size=8 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Not the project file inside an unpacked archive: it says what that was built with, not what is there."""
        return "META-INF/maven/" not in path and not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The dependencies."""
        from openinspector.catalog.java.pom import exact_version, fill, parse_pom

        pom = parse_pom(bytes(file.data))
        problems: list[Problem] = []
        values = pom.values()
        managed = list(pom.managed)
        dependencies = list(pom.dependencies)
        if pom.parent[1]:
            above = file.beside.get("../pom.xml")
            try:
                parent = parse_pom(bytes(above)) if above is not None else None
            except CatalogError as error:
                parent = None
                reason = f"its parent ../pom.xml can't be read: {error}"
                problems.append(Problem(path=file.path, reason=reason, format=self.name))
            if parent is not None and parent.artifact == pom.parent[1]:
                values = {**parent.values(), **values}
                managed += parent.managed
                dependencies += parent.dependencies
        versions: dict[tuple[str, str, str, str], tuple[str, str]] = {}
        for each in managed:
            key = (fill(each.group, values), fill(each.artifact, values), each.kind or "jar", each.classifier)
            versions.setdefault(key, (each.version, each.scope))
        packages: dict[tuple[str, str], Package] = {}
        undecided: dict[str, list[str]] = {}
        for each in dependencies:
            group, artifact = fill(each.group, values), fill(each.artifact, values)
            managed_version, managed_scope = versions.get(
                (group, artifact, each.kind or "jar", each.classifier), ("", "")
            )
            stated = fill(each.version or managed_version, values)
            version = exact_version(stated)
            if not group or not artifact or "${" in group or "${" in artifact or not version:
                reason = _UNKNOWN if "${" in f"{group}{artifact}{stated}" else _RANGE if stated else _ELSEWHERE
                undecided.setdefault(reason, []).append(f"{group}:{artifact}{stated and ' ' + stated}")
                continue
            dev = (each.scope or managed_scope) in _DEV_SCOPES
            name = f"{group}:{artifact}"
            known = packages.get((name, version))
            if known is None or (known.dev and not dev):
                packages[name, version] = Package(
                    type=self.type,
                    name=name,
                    version=version,
                    location=Location(path=file.path),
                    format=self.name,
                    dev=dev,
                )
        for reason, which in undecided.items():
            problems += unparsed(file.path, self.name, reason, which)
        return Reading(packages=tuple(packages.values()), problems=tuple(problems))


PLUGIN: Final[Format] = MavenPom()
