"""npm's lock files, version 1 to 3, and the hidden one that npm leaves in node_modules.

    version 1:     {"dependencies": {"a": {"version": "1.0.0", "dev": true, "dependencies": {…}}}}
    version 2, 3:  {"packages": {"": {…}, "node_modules/a": {"version": "1.0.0", "dev": true, "integrity": "sha512-…"},
                                 "packages/own": {…}, "node_modules/own": {"resolved": "packages/own", "link": true}}}

Version 2 holds both. `devOptional` is needed by optional packages as well, so it is not for development only.
Source: https://docs.npmjs.com/cli/configuring-npm/package-lock-json
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Raw, Struct
from msgspec.json import Decoder

from openinspector.catalog import safe_json
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.integrity import digest_of
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

MAX_DEPTH = 100  # of version 1's nested dependencies
_NEWEST = 3
_TARBALL = r"https?://[^?#]{1,2000}-(\d[^/?#]{0,200})\.t(?:ar\.)?gz(?:[?#]|$)"
_ALIAS = r"(?s)npm:((?:@[^/@]+/)?[^/@]+)@(.+)"


class _Entry(Struct, frozen=True):
    version: str = ""
    name: str | None = None  # only where the folder has another name: an alias
    integrity: str | None = None
    license: Any = None
    dev: bool = False
    link: bool = False
    dependencies: Any = None


class _OldEntry(Struct, frozen=True):
    version: str = ""
    integrity: str | None = None
    dev: bool = False
    dependencies: dict[str, Raw] = {}


class _Lock(Struct, frozen=True):
    lockfileVersion: Any = None  # noqa: N815 (the file's own word)
    packages: dict[str, Raw] | None = None
    dependencies: Raw = Raw(b"null")  # a union with Raw would not be left raw


_LOCK: Final = Decoder(_Lock)
_ENTRY: Final = Decoder(_Entry)
_OLD_ENTRY: Final = Decoder(_OldEntry)
_OLD_ENTRIES: Final = Decoder(dict[str, Raw] | None)


class NpmLock:
    """package-lock.json and npm-shrinkwrap.json."""

    name = "npm.lock"
    title = "package-lock.json (v1-v3)"
    type = "npm"
    revision = 2
    wants = Wants(names=("package-lock.json", "npm-shrinkwrap.json", ".package-lock.json"))

    def accepts(self, path: str) -> bool:
        """In node_modules only the hidden one, which says what is installed there; elsewhere every other."""
        if path.endswith("/.package-lock.json"):
            return path.endswith("node_modules/.package-lock.json")
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages; the project, its workspaces and links to folders are left out.

        Raises:
            CatalogError: It is no JSON, or not of this shape.
        """
        lock = safe_json.document(file.data, _LOCK)
        unread: list[str] = []
        if lock.packages is not None:
            found = _packages(lock.packages, unread)
        else:
            entries = safe_json.document(bytes(lock.dependencies), _OLD_ENTRIES)
            found = _old_packages(entries or {}, unread)
        packages = tuple(
            Package(
                type="npm",
                name=name,
                version=version,
                location=Location(path=file.path),
                format=self.name,
                license=license_,
                dev=dev,
                digest=digest,
            )
            for name, version, dev, digest, license_ in found
        )
        problems = unparsed(file.path, self.name, "entries without name or version", unread)
        if not isinstance(lock.lockfileVersion, int) or lock.lockfileVersion > _NEWEST:
            problems += _unknown_version(file.path, lock)
        return Reading(packages=packages, problems=problems)


def _packages(entries: dict[str, Raw], unread: list[str]) -> Iterator[tuple[str, str, bool, str, str]]:
    """Name, version, for development, digest and licence of what lies in node_modules."""
    for path, entry in safe_json.records(entries.items(), _ENTRY):
        _, installed, folder = path.rpartition("node_modules/")
        if not installed:
            continue  # the project itself, or a workspace's folder
        if entry is None:
            unread.append(path)
        elif entry.link:
            continue
        elif not entry.version or not folder:
            unread.append(path)
        else:
            license_ = entry.license if isinstance(entry.license, str) else ""
            yield entry.name or folder, entry.version, entry.dev, digest_of(entry.integrity or ""), license_


def _old_packages(entries: dict[str, Raw], unread: list[str]) -> Iterator[tuple[str, str, bool, str, str]]:
    """The same of version 1, whose nesting mirrors that of the folders."""
    levels = [(entries, 1)]
    while levels:
        level, depth = levels.pop()
        for folder, entry in safe_json.records(level.items(), _OLD_ENTRY):
            if entry is None:
                unread.append(folder)
                continue
            if entry.dependencies:
                if depth < MAX_DEPTH:
                    levels.append((entry.dependencies, depth + 1))
                else:
                    unread.append(f"{folder}, nested deeper than {MAX_DEPTH}")
            name, version = _old_name_and_version(folder, entry.version)
            if version:
                yield name, version, entry.dev, digest_of(entry.integrity or ""), ""
            elif not entry.version.startswith("file:") or entry.version.endswith((".tgz", ".tar.gz")):
                unread.append(folder)


def _old_name_and_version(folder: str, version: str) -> tuple[str, str]:
    """Version 1 has an alias or an address in the place of a version; "" where neither tells the version."""
    if version.startswith("npm:"):
        alias = re.fullmatch(_ALIAS, version)
        return (alias[1], alias[2]) if alias else (folder, "")
    if ":" not in version:
        return folder, version
    tarball = re.match(_TARBALL, version)
    return folder, tarball[1] if tarball else ""


def _unknown_version(path: str, lock: _Lock) -> tuple[Problem, ...]:
    if lock.lockfileVersion is None and lock.packages is None:
        return ()  # npm-shrinkwrap.json of npm 4 and older has no version
    reason = f"lockfileVersion {str(lock.lockfileVersion)[:20]} is not known; read as {_NEWEST}"
    return (Problem(path=path, format=NpmLock.name, reason=reason, partial=True),)


PLUGIN: Final[Format] = NpmLock()
