"""Bun's text lock file: JSON with comments and trailing commas.

    {
      "lockfileVersion": 1,
      "workspaces": {"": {"name": "app", "dependencies": {"a": "^1"}, "devDependencies": {"b": "^2"}}},
      "packages": {
        "a": ["a@1.0.0", "", {"dependencies": {"c": "^3"}}, "sha512-…"],
        "a/c": ["c@3.0.0", "", {}, "sha512-…"],       // the c that a sees
        "own": ["own@workspace:packages/own"],
      }
    }

Source: https://bun.sh/docs/install/lockfile; https://bun.sh/blog/bun-lock-text-lockfile
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import Raw, Struct
from msgspec.json import Decoder

from openinspector.catalog import safe_json
from openinspector.catalog.closure import only_for_development
from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.integrity import digest_of
from openinspector.catalog.npm_projects import pairs
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

_NEWEST = 1
# What is kept, as long a run as there is, or else a comment or a trailing comma. Every alternative matches even where
# its end is missing, so that a hostile file costs one pass.
_COMMENT = rb"//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?"
_TRAILING = rb",(?=(?:\s++|" + _COMMENT + rb")*+[}\]])"
_KEPT = rb'((?:"(?:[^"\\]++|\\.)*+"?|[^",/]++|(?!' + _TRAILING + rb"),|/(?![/*]))++)"
_JSONC = rb"(?s)" + _KEPT + rb"|" + _COMMENT + rb"|" + _TRAILING
_LOCAL = ("workspace:", "link:", "root:", "file:")
_TARBALL = r"https?://[^?#]{1,2000}-(\d[^/?#]{0,200})\.t(?:ar\.)?gz(?:[?#]|$)"


class _Lock(Struct, frozen=True):
    lockfileVersion: Any = None  # noqa: N815 (the file's own word)
    workspaces: dict[str, Raw] = {}
    packages: dict[str, Raw] = {}


class _Workspace(Struct, frozen=True):
    name: str = ""
    dependencies: Any = None
    devDependencies: Any = None  # noqa: N815 (the file's own word)
    optionalDependencies: Any = None  # noqa: N815 (same)
    peerDependencies: Any = None  # noqa: N815 (same)


_LOCK: Final = Decoder(_Lock)
_WORKSPACE: Final = Decoder(_Workspace)
_ENTRY: Final = Decoder(list[Any])


class BunLock:
    """bun.lock."""

    name = "npm.bun"
    title = "bun.lock"
    type = "npm"
    revision = 2
    wants = Wants(names=("bun.lock",), max_size=32 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages; workspaces and folders are left out.

        Raises:
            CatalogError: It is no JSON with comments, or not of this shape.
        """
        lock = safe_json.document(_as_json(bytes(file.data)), _LOCK)
        entries = {key: entry or [] for key, entry in safe_json.records(lock.packages.items(), _ENTRY)}
        developing = _developing(lock, entries)
        packages: dict[tuple[str, str], Package] = {}
        unread: list[str] = []
        for key, entry in entries.items():
            name, version = _name_and_version(entry)
            if version.startswith(_LOCAL):
                continue
            if ":" in version:
                tarball = re.match(_TARBALL, version)
                version = tarball[1] if tarball else ""
            if not name or not version:
                unread.append(key)
                continue
            dev = key in developing
            known = packages.get((name, version))
            if known is None or (known.dev and not dev):
                packages[name, version] = Package(
                    type="npm",
                    name=name,
                    version=version,
                    location=Location(path=file.path),
                    format=self.name,
                    dev=dev,
                    digest=digest_of(entry[-1]) if isinstance(entry[-1], str) else "",
                )
        problems = unparsed(file.path, self.name, "entries without name or version", unread)
        if lock.lockfileVersion not in range(_NEWEST + 1):
            reason = f"lockfileVersion {str(lock.lockfileVersion)[:20]} is not known; read as {_NEWEST}"
            problems += (Problem(path=file.path, format=self.name, reason=reason, partial=True),)
        return Reading(packages=tuple(packages.values()), problems=problems)


def _as_json(data: bytes) -> bytes:
    return re.sub(_JSONC, rb"\1", data)


def _name_and_version(entry: list[Any]) -> tuple[str, str]:
    identity = entry[0] if entry and isinstance(entry[0], str) else ""
    at = identity.find("@", 1)
    return (identity[:at], identity[at + 1 :]) if at > 0 else ("", "")


def _developing(lock: _Lock, entries: dict[str, list[Any]]) -> frozenset[str]:
    """The keys that only devDependencies of the workspaces lead to."""

    def resolved(place: str, wishes: Iterable[tuple[str, str]]) -> Iterator[str]:
        """The keys of what is asked for at `place`: the nearest on the way up, as Node looks for it."""
        ways = list(_ways_up(place))
        for name, _ in wishes:
            found = next((way + name for way in ways if way + name in entries), None)
            if found is not None:
                yield found

    def needs(key: str) -> Iterator[str]:
        details = next((each for each in entries[key][1:] if isinstance(each, dict)), {})
        for section in ("dependencies", "optionalDependencies", "peerDependencies"):
            yield from resolved(key, pairs(details.get(section)))

    used: list[str] = []
    developing: list[str] = []
    for place, workspace in safe_json.records(lock.workspaces.items(), _WORKSPACE):
        if workspace is None:
            continue
        start = workspace.name if place else ""
        for section in (workspace.dependencies, workspace.optionalDependencies, workspace.peerDependencies):
            used.extend(resolved(start, pairs(section)))
        developing.extend(resolved(start, pairs(workspace.devDependencies)))
    return frozenset(only_for_development(used, developing, needs))


_MAX_WAYS = 100


def _ways_up(place: str) -> Iterator[str]:
    """`a/@b/c/`, `a/` and "" for `a/@b/c`: where something that lies there may find what it needs."""
    parts = place.split("/")[:_MAX_WAYS] if place else []
    while parts:
        yield "/".join(parts) + "/"
        parts.pop()
        if parts and parts[-1].startswith("@"):
            parts.pop()
    yield ""


PLUGIN: Final[Format] = BunLock()
