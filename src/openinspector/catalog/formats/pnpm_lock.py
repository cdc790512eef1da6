"""pnpm's lock file, version 5 to 9.

    5.x   /react-dom/17.0.2_react@17.0.2:              {resolution: {integrity: sha512-…}, dev: true}
    6.x   /react-dom@17.0.2(react@17.0.2):             the same
    9.0   packages:  react-dom@17.0.2:                 {resolution: …}
          snapshots: react-dom@17.0.2(react@17.0.2):   {dependencies: {scheduler: 0.20.2}}
          importers: .: {dependencies: {…: {specifier: …, version: …}}, devDependencies: {…}}

What follows the version is the peers it was installed for. From version 9 on, only the graph tells what is for
development.
Source: https://github.com/pnpm/spec/tree/master/lockfile
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from openinspector.catalog import safe_yaml
from openinspector.catalog.closure import closure
from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.integrity import digest_of
from openinspector.catalog.npm_projects import pairs
from openinspector.catalog.unparsed import unparsed
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

_NEWEST = 9
_MAJOR = r"\d{1,3}"
_USED = ("dependencies", "optionalDependencies")


class PnpmLock:
    """pnpm-lock.yaml."""

    name = "npm.pnpm"
    title = "pnpm-lock.yaml (v5-v9)"
    type = "npm"
    revision = 2
    wants = Wants(names=("pnpm-lock.yaml",), max_size=32 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages; workspaces and links to folders are left out.

        Raises:
            CatalogError: It is no YAML, or no mapping.
        """
        packages: dict[tuple[str, str], Package] = {}
        unread: list[str] = []
        problems: tuple[Problem, ...] = ()
        # Newer ones may begin with a document of their own about pnpm itself.
        for document in safe_yaml.load_texts(file.data):
            if not isinstance(document, dict):
                raise CatalogError("a pnpm-lock.yaml that is no mapping")
            version = re.match(_MAJOR, str(document.get("lockfileVersion", "")))
            major = int(version[0]) if version else 0
            if not 5 <= major <= _NEWEST:
                known = f"lockfileVersion {str(document.get('lockfileVersion'))[:20]} is not known"
                problems += (Problem(path=file.path, format=self.name, reason=known, partial=True),)
            for each in _packages(document, major, file.path, unread):
                # One version installed for several peers is one package.
                same = packages.get((each.name, each.version))
                if same is None or (same.dev and not each.dev):
                    packages[each.name, each.version] = each
        problems += unparsed(file.path, self.name, "entries without name or version", unread)
        return Reading(packages=tuple(packages.values()), problems=problems)


def _packages(document: dict[str, Any], major: int, path: str, unread: list[str]) -> Iterator[Package]:
    entries = _table(document, "packages")
    developing = _developing(document) if major >= _NEWEST else frozenset()
    for key, entry in entries.items():
        details = entry if isinstance(entry, dict) else {}
        resolution = _table(details, "resolution")
        if resolution.get("type") == "directory":
            continue
        bare = _without_peers(key)
        name, version = _from_slashes(bare) if 0 < major < 6 else _from_at(bare)
        # Where the key has an address, the entry has the name and the version.
        name, version = _text(details, "name") or name, _text(details, "version") or version
        if not name or not version or ":" in version:
            unread.append(key)
            continue
        yield Package(
            type="npm",
            name=name,
            version=version,
            location=Location(path=path),
            format=PnpmLock.name,
            dev=bare in developing if major >= _NEWEST else details.get("dev") == "true",
            digest=digest_of(_text(resolution, "integrity")),
        )


def _without_peers(key: str) -> str:
    """`react-dom@17.0.2` of `react-dom@17.0.2(react@17.0.2)`; a path with parentheses is not to be expected."""
    return key.partition("(")[0]


def _from_slashes(key: str) -> tuple[str, str]:
    """Name and version of `/@scope/name/1.0.0_peer@2.0.0`, which a registry's name may precede."""
    parts = key.split("/")
    if len(parts) < 2:
        return "", ""
    # A peer's own slash is written `+`.
    version = parts[-1].partition("_")[0]
    name = "/".join(parts[-3:-1]) if parts[-3:-2] and parts[-3].startswith("@") else parts[-2]
    return name, version if version[:1].isdigit() and "." in version else ""


def _from_at(key: str) -> tuple[str, str]:
    """Name and version of `/@scope/name@1.0.0`, `@scope/name@1.0.0` and `registry.example.org/name@1.0.0`."""
    bare = key.removeprefix("/")
    at = bare.find("@", 1)
    if at < 0:
        return "", ""
    name = bare[:at]
    if not name.startswith("@") and "/" in name:
        name = name.partition("/")[2]
    return name, bare[at + 1 :]


def _developing(document: dict[str, Any]) -> frozenset[str]:
    """The keys (without peers) that only devDependencies of the importers lead to."""
    snapshots = _table(document, "snapshots")

    def resolved(wishes: Iterable[tuple[str, str]]) -> Iterator[str]:
        for name, reference in wishes:
            # An alias refers to the other name's key, everything else to a version of this name.
            yield reference if reference in snapshots else f"{name}@{reference}"

    def needs(key: str) -> Iterator[str]:
        snapshot = snapshots.get(key)
        if isinstance(snapshot, dict):
            for section in _USED:
                yield from resolved(pairs(snapshot.get(section)))

    def asked(*sections: str) -> Iterator[str]:
        for importer in _table(document, "importers").values():
            for section in sections:
                wishes = _table(importer, section) if isinstance(importer, dict) else {}
                yield from resolved(
                    (name, _text(wish, "version")) for name, wish in wishes.items() if isinstance(wish, dict)
                )

    used = {_without_peers(each) for each in closure(asked(*_USED), needs)}
    # One version may be used with one peer and developed with for another.
    return frozenset(_without_peers(each) for each in closure(asked("devDependencies"), needs)) - used


def _table(value: dict[str, Any], key: str) -> dict[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}


def _text(value: dict[str, Any], key: str) -> str:
    inner = value.get(key)
    return inner if isinstance(inner, str) else ""


PLUGIN: Final[Format] = PnpmLock()
