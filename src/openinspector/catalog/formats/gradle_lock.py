"""Gradle's lock files.

    com.google.guava:guava:32.1.2-jre=compileClasspath,runtimeClasspath
    org.junit.jupiter:junit-jupiter:5.10.0=testCompileClasspath,testRuntimeClasspath
    empty=annotationProcessor

Before Gradle 7 each configuration had a file of its own, `gradle/dependency-locks/<configuration>.lockfile`, without
what follows the `=`.
Source: https://docs.gradle.org/current/userguide/dependency_locking.html
"""

from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package

_BUILDSCRIPT = "buildscript-gradle.lockfile"


class GradleLock:
    """gradle.lockfile, that of the build script, and those of single configurations."""

    name = "maven.gradle-lock"
    title = "gradle.lockfile"
    type = "maven"
    revision = 2
    wants = Wants(names=("gradle.lockfile", _BUILDSCRIPT), suffixes=(".lockfile",), max_size=8 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Of other lock files only those of Gradle's configurations."""
        return (path.endswith("gradle.lockfile") or "dependency-locks/" in path) and not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked artifacts; those of test configurations and of the build script are for development only."""
        base = file.path.rpartition("/")[2]
        single = "" if base in self.wants.names else base.removesuffix(".lockfile")
        packages: dict[tuple[str, str], Package] = {}
        unread: list[str] = []
        for line in file.text().splitlines():
            text = line.strip()
            if not text or text.startswith(("#", "empty=")):
                continue
            coordinates, _, listed = text.partition("=")
            parts = coordinates.split(":")
            if len(parts) != 3 or not all(parts):
                unread.append(text)
                continue
            name, version = f"{parts[0]}:{parts[1]}", parts[2]
            configurations = [single] if single else listed.split(",")
            packages[name, version] = Package(
                type="maven",
                name=name,
                version=version,
                location=Location(path=file.path),
                format=self.name,
                dev=base == _BUILDSCRIPT or all(_is_for_tests(each.strip()) for each in configurations),
            )
        return Reading(
            packages=tuple(packages.values()),
            problems=unparsed(file.path, self.name, "lines without coordinates", unread),
        )


def _is_for_tests(configuration: str) -> bool:
    """Whether a configuration's name has `test` as a word: testRuntimeClasspath, debugUnitTestCompileClasspath."""
    return configuration.startswith("test") or "Test" in configuration


PLUGIN: Final[Format] = GradleLock()
