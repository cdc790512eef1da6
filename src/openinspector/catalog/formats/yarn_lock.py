r"""Yarn's lock files: that of version 1 and that of "berry", versions 2 to 4.

    "@babel/core@^7.0.0", "@babel/core@^7.1.0":          "@babel/core@npm:^7.0.0, @babel/core@npm:^7.1.0":
      version "7.1.2"                                      version: 7.1.2
      resolved "https://…/core-7.1.2.tgz#<sha1>"           resolution: "@babel/core@npm:7.1.2"
      integrity sha512-…                                   dependencies:
      dependencies:                                          "@babel/types": ^7.1.0
        "@babel/types" "^7.1.0"                            linkType: hard

Both are written by machine in one plain layout, so one reader of lines does for both. What is for development only
package.json tells, where it is beside.
Source: https://classic.yarnpkg.com/lang/en/docs/yarn-lock/; https://yarnpkg.com/protocols
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from openinspector.catalog.closure import only_for_development
from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.integrity import digest_of
from openinspector.catalog.npm_projects import asked_by
from openinspector.catalog.unparsed import unparsed
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

_SHA1 = r"#([0-9a-f]{40})$"
_LOCAL = ("workspace:", "link:", "portal:")
_MAX_LINE = 1 << 20  # characters; a key lists every range that asked for the package


class _Entry:
    """One block: the keys it answers to, its fields, and what it needs, optional packages included."""

    __slots__ = ("fields", "keys", "needs")

    def __init__(self, keys: list[str]) -> None:
        self.keys = keys
        self.fields: dict[str, str] = {}
        self.needs: list[tuple[str, str]] = []


class YarnLock:
    """yarn.lock."""

    name = "npm.yarn"
    title = "yarn.lock (v1, berry)"
    type = "npm"
    revision = 2
    wants = Wants(names=("yarn.lock",), beside=("package.json",), max_size=32 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages; workspaces and links to folders are left out.

        Raises:
            CatalogError: It is no such file.
        """
        unread: list[str] = []
        entries = list(_entries(file.text(), unread))
        if not entries and unread:
            raise CatalogError("not one entry of a yarn.lock")
        developing, problems = _developing(file, entries)
        packages: list[Package] = []
        for index, entry in enumerate(entries):
            name, reference = _name_and_reference(entry)
            version = entry.fields.get("version", "")
            if reference.startswith(_LOCAL):
                continue
            if not name or not version:
                unread.append(entry.keys[0])
                continue
            packages.append(
                Package(
                    type="npm",
                    name=name,
                    version=version,
                    location=Location(path=file.path),
                    format=self.name,
                    dev=index in developing,
                    digest=_digest(entry),
                )
            )
        problems += unparsed(file.path, self.name, "lines and entries that make no sense", unread)
        return Reading(packages=tuple(packages), problems=problems)


def _entries(text: str, unread: list[str]) -> Iterator[_Entry]:
    """The blocks in their order."""
    entry: _Entry | None = None
    section = ""
    for line in text.splitlines():
        if not line or line.startswith("#") or line.isspace():
            continue
        if len(line) > _MAX_LINE:
            unread.append(line)
            continue
        indent = len(line) - len(line.lstrip(" "))
        if indent == 0:
            if entry is not None:
                yield entry
            entry, section = None, ""
            if line.endswith(":"):
                keys = _keys(line[:-1])
                entry = _Entry(keys) if keys and keys != ["__metadata"] else None
            if entry is None and not line.startswith("__metadata"):
                unread.append(line)
            continue
        if entry is None:
            continue
        name, value = _pair(line)
        if indent == 2:
            section = "" if value else name
            if value:
                entry.fields[name] = value
        elif indent == 4 and section in ("dependencies", "optionalDependencies"):
            entry.needs.append((name, value))
    if entry is not None:
        yield entry


def _keys(line: str) -> list[str]:
    """`"a@^1", a@^2` and `"a@npm:^1, a@npm:^2"` as a list."""
    return [key for each in line.split(", ") if (key := each.strip().strip('"'))]


def _pair(line: str) -> tuple[str, str]:
    """Name and value of `version "1.0"`, `version: 1.0` and `"@a/b": "npm:^1"`; value "" for `dependencies:`."""
    name, _, value = line.strip().partition(" ")
    return name.rstrip(":").strip('"'), value.strip('" ')


def _split(locator: str) -> tuple[str, str]:
    """`@babel/core` and `npm:^7` of `@babel/core@npm:^7`."""
    at = locator.find("@", 1)
    return (locator[:at], locator[at + 1 :]) if at > 0 else (locator, "")


def _name_and_reference(entry: _Entry) -> tuple[str, str]:
    """The package's real name behind an alias, and what it is resolved to."""
    resolution = entry.fields.get("resolution")
    if resolution:
        return _split(resolution)
    name, reference = _split(entry.keys[0])
    if reference.startswith("npm:"):
        aliased, range_ = _split(reference[4:])
        return (aliased if range_ else name), reference
    return name, reference


def _digest(entry: _Entry) -> str:
    # Berry's checksum is that of the archive in its own cache, not of the published one.
    integrity = digest_of(entry.fields.get("integrity", ""))
    if integrity:
        return integrity
    sha1 = re.search(_SHA1, entry.fields.get("resolved", "")[-100:])
    return f"sha1:{sha1[1]}" if sha1 else ""


def _developing(file: File, entries: list[_Entry]) -> tuple[frozenset[int | str], tuple[Problem, ...]]:
    """The positions of the entries that only devDependencies lead to."""
    package_json = file.beside.get("package.json")
    if package_json is None:
        return frozenset(), ()
    try:
        asked = asked_by(package_json)
    except CatalogError as error:
        reason = f"package.json beside it, which would tell what is for development: {error}"
        return frozenset(), (Problem(path=file.path, format=YarnLock.name, reason=reason),)
    berry = any("resolution" in entry.fields for entry in entries)
    if asked.workspaces and not berry:
        return frozenset(), ()  # version 1 does not say what the members of a workspace ask for

    by_key = {key: index for index, entry in enumerate(entries) for key in entry.keys}
    by_name: dict[str, list[int]] = {}
    for index, entry in enumerate(entries):
        by_name.setdefault(_split(entry.keys[0])[0], []).append(index)

    def resolved(wishes: Iterable[tuple[str, str]]) -> Iterator[int | str]:
        for name, range_ in wishes:
            # Patches and resolutions change the key: then the name stands for every version of it.
            yield by_key.get(f"{name}@{range_}", by_key.get(f"{name}@npm:{range_}", name))

    def needs(node: int | str) -> Iterable[int | str]:
        return by_name.get(node, ()) if isinstance(node, str) else resolved(entries[node].needs)

    # What members of a workspace develop with is not told apart from what they run with, so all of it counts as used.
    members = (index for index, entry in enumerate(entries) if _is_member(_name_and_reference(entry)[1]))
    used = [*resolved(asked.used), *members]
    return frozenset(only_for_development(used, resolved(asked.developing), needs)), ()


def _is_member(reference: str) -> bool:
    return reference.startswith("workspace:") and reference != "workspace:."


PLUGIN: Final[Format] = YarnLock()
