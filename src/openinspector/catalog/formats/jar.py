"""Java archives: jar, war, ear, Jenkins plug-ins and the like, with the archives inside them.

What an archive is, is asked in this order: its `pom.properties` (several where other artifacts were shaded in: each
is listed), a `pom.xml` without them, its file name together with the manifest. An archive is listed once, and only
what was shaded into it comes on top.
"""

from collections.abc import Iterator
from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.java.manifest import MANIFEST_BYTES, PROPERTIES_BYTES, parse_manifest, parse_properties
from openinspector.catalog.java.naming import Artifact, identify, split_file_name
from openinspector.catalog.unparsed import unparsed
from openinspector.catalog.zip_archive import DEPTH, Archive, Budget, Member
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

_POM_BYTES = 2 * MEGABYTE
_COORDINATES_LENGTH = 1000

# Endings that other tools use too: a file that is no zip archive is simply not meant.
_SHARED_ENDINGS = (".par", ".sar", ".rar", ".nar", ".kar")


class Jar:
    """Java archives, and the `pom.properties` of unpacked ones."""

    name = "maven.jar"
    title = "Java archives (jar, war, ear, nested)"
    type = "maven"
    revision = 2
    wants = Wants(
        suffixes=(".jar", ".war", ".ear", ".hpi", ".jpi", ".lpkg", *_SHARED_ENDINGS),
        names=("pom.properties",),
        piecewise=True,
        max_size=2048 * MEGABYTE,
    )

    def accepts(self, path: str) -> bool:
        """Any archive; of properties only those of an unpacked one."""
        return not path.endswith("pom.properties") or "META-INF/maven/" in path

    def read(self, file: File) -> Reading:
        """The artifacts of the archive and of those inside it."""
        look = _Look()
        if file.path.endswith("pom.properties"):
            look.unpacked(file)
        elif len(file.data) > 0:
            try:
                archive = Archive(file.view(), look.budget)
            except CatalogError:
                if file.path.endswith(_SHARED_ENDINGS):
                    return Reading()
                raise
            look.archive(archive, file.path, 0)
        return Reading(packages=tuple(look.packages), problems=tuple(look.problems))


class _Look:
    """One file's packages and problems, as they are found."""

    def __init__(self) -> None:
        self.budget = Budget()
        self.packages: list[Package] = []
        self.problems: list[Problem] = []

    def unpacked(self, file: File) -> None:
        """The artifact of an unpacked archive, from its `pom.properties`."""
        artifact = _of_properties(bytes(file.data[:PROPERTIES_BYTES]))
        if artifact is None or not artifact.version or "$" in artifact.version:
            self._doubt(file.path, "it does not say which artifact in which version this is")
        else:
            self._found(artifact, file.path)

    def archive(self, archive: Archive, path: str, depth: int) -> None:
        """The artifacts of one archive, then those of the archives inside."""
        manifest, descriptions = self._metadata(archive, path)
        try:
            nested = archive.nested()
        except CatalogError as error:
            nested = []
            self._broken(path, str(error))
        artifacts = list(_artifacts(path, manifest, descriptions))
        for artifact in artifacts:
            self._found(artifact, path)
        if not artifacts and not nested and archive.has_code():
            self._doubt(
                path, "neither pom.properties nor manifest nor file name says which artifact in which version this is"
            )
        if nested and depth >= DEPTH:
            self._broken(path, f"archives are nested more than {DEPTH} deep; those further inside were not read")
            return
        for member in nested:
            inner = f"{path}!{member.name}"
            try:
                opened = archive.open(member)
            except CatalogError as error:
                self._broken(inner, str(error))
                if self.budget.exhausted():
                    return
                continue
            self.archive(opened, inner, depth + 1)

    def _metadata(self, archive: Archive, path: str) -> tuple[dict[str, str], list[Artifact]]:
        """The manifest, and what the Maven descriptors say."""
        manifest: dict[str, str] = {}
        by_folder: dict[str, Artifact] = {}
        poms: dict[str, Member] = {}
        nameless: list[str] = []
        for member in archive.metadata():
            folder, _, base = member.name.rpartition("/")
            try:
                if base == "pom.xml":
                    poms[folder] = member
                elif base == "pom.properties":
                    if artifact := _of_properties(archive.read(member, PROPERTIES_BYTES)):
                        by_folder[folder] = artifact
                    else:
                        nameless.append(folder)
                elif not manifest:
                    manifest = parse_manifest(archive.read(member, MANIFEST_BYTES))
            except CatalogError as error:
                self._broken(path, str(error))
        for folder, member in poms.items():
            if folder in by_folder:
                continue
            try:
                by_folder[folder] = _of_pom(archive.read(member, _POM_BYTES))
            except CatalogError as error:
                self._broken(path, f"{member.name}: {error}")
        self.problems += unparsed(path, Jar.name, "pom.properties without group or artifact", nameless)
        if self.budget.members < 0:
            self._broken(path, "it has too many manifests and Maven descriptors")
        return manifest, list(by_folder.values())

    def _found(self, artifact: Artifact, path: str) -> None:
        self.packages.append(
            Package(
                type="maven",
                name=artifact.name,
                version=artifact.version,
                location=Location(path=path),
                format=Jar.name,
            )
        )
        if not artifact.group:
            self._doubt(
                path,
                f"the Maven group of {artifact.artifact} {artifact.version} could not be told, so it can't be judged",
            )

    def _doubt(self, path: str, reason: str) -> None:
        self.problems.append(Problem(path=path, reason=reason, format=Jar.name))

    def _broken(self, path: str, reason: str) -> None:
        self.problems.append(Problem(path=path, reason=reason, format=Jar.name, partial=True))


def _artifacts(path: str, manifest: dict[str, str], described: list[Artifact]) -> Iterator[Artifact]:
    """The archive's own artifact and those shaded into it, each once."""
    inner = path.replace("!", "/")
    own = identify(inner, manifest)
    seen: set[tuple[str, str]] = set()
    complete = []
    for each in described:
        if not each.version or "$" in each.version:
            # A placeholder that the build left unfilled; the file name may know.
            if own is None or (own.artifact != each.artifact and len(described) > 1):
                continue
            each = Artifact(group=each.group, artifact=each.artifact, version=own.version)  # noqa: PLW2901
        if (each.name, each.version) not in seen:
            seen.add((each.name, each.version))
            complete.append(each)
    if own is not None and not _is_described(inner, own, complete):
        yield own
    yield from complete


def _is_described(path: str, own: Artifact, described: list[Artifact]) -> bool:
    """Whether one of the descriptors speaks of the archive itself, though its file may have another name."""
    if not described:
        return False
    stem = path.rpartition("/")[2].rpartition(".")[0]
    # `log4j-1.2-api.jar`, `hive-shims-0.23-2.3.10.jar`: what looks like a version is part of the name.
    if any(stem == each.artifact or stem.startswith(f"{each.artifact}-{each.version}") for each in described):
        return True
    artifact, version = split_file_name(stem)
    if not version:
        return True  # `app.jar`: a name without a version invents no artifact
    for each in described:
        if each.artifact == artifact:
            return True
        if each.version == version and (len(described) == 1 or each.artifact in artifact or artifact in each.artifact):
            return True
    return any(each.artifact == own.artifact for each in described)


def _of_properties(data: bytes) -> Artifact | None:
    values = parse_properties(data.decode("utf-8", "replace"))
    group, artifact, version = values.get("groupId", ""), values.get("artifactId", ""), values.get("version", "")
    if not group or not artifact or len(group) + len(artifact) + len(version) > _COORDINATES_LENGTH:
        return None
    return Artifact(group=group, artifact=artifact, version=version)


def _of_pom(data: bytes) -> Artifact:
    from openinspector.catalog.java.pom import parse_pom

    pom = parse_pom(data)
    values = pom.values()
    return Artifact(
        group=values.get("project.groupId", ""), artifact=pom.artifact, version=values.get("project.version", "")
    )


PLUGIN: Final[Format] = Jar()
