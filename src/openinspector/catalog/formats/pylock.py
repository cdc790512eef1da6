"""The standard lock file of Python, pylock.toml and pylock.<name>.toml.

    lock-version = "1.0"
    default-groups = ["default"]

    [[packages]]
    name = "requests"
    version = "2.31.0"
    marker = "'dev' in dependency_groups"
    wheels = [{ url = "…", hashes = { sha256 = "…" } }]

Source: PEP 751; https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

import re
from typing import Any, Final

from openinspector.catalog import safe_toml
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.python_projects import named_in_url, only_hash
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

_FILE_NAME = r"pylock(?:\.[^.]+)?\.toml"
_GROUP = r"""["']([^"']{1,200})["']\s+in\s+dependency_groups"""
_MAX_MARKER = 10_000


class Pylock:
    """pylock.toml."""

    name = "pypi.pylock"
    title = "pylock.toml (PEP 751)"
    type = "pypi"
    revision = 2
    wants = Wants(suffixes=(".toml",), max_size=safe_toml.MAX_SIZE)

    def accepts(self, path: str) -> bool:
        """By the base name that the standard gives; none of a fetched package."""
        base = path.rpartition("/")[2]
        return base.startswith("pylock.") and re.fullmatch(_FILE_NAME, base) is not None and not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages; local folders are left out.

        Raises:
            CatalogError: It is no TOML.
        """
        document = safe_toml.load(file.data)
        default = document.get("default-groups")
        default_groups = frozenset(map(str, default)) if isinstance(default, list) else frozenset()
        packages: list[Package] = []
        unread: list[str] = []
        for record in safe_toml.tables(document.get("packages")):
            if "directory" in record:
                continue
            name, version = record.get("name"), _version(record)
            if not (isinstance(name, str) and name and version):
                unread.append(str(name))
                continue
            packages.append(
                Package(
                    type="pypi",
                    name=name,
                    version=version,
                    location=Location(path=file.path),
                    format=self.name,
                    dev=_is_dev(record.get("marker"), default_groups),
                    digest=only_hash(_digests(record)),
                )
            )
        problems = unparsed(file.path, self.name, "packages without name or version", unread)
        lock_version = str(document.get("lock-version", ""))
        if lock_version.partition(".")[0] != "1":
            problems += (_unknown_version(file.path, lock_version),)
        return Reading(packages=tuple(packages), problems=problems)


def _unknown_version(path: str, lock_version: str) -> Problem:
    # PEP 751: a tool must not go on with an unknown major version as if nothing were.
    reason = f"lock-version {lock_version[:20]!r} is not known; read as 1.0"
    return Problem(path=path, format=Pylock.name, reason=reason, partial=True)


def _version(record: dict[str, Any]) -> str:
    version = record.get("version")
    if isinstance(version, str):
        return version
    archive = record.get("archive")
    return named_in_url(str(archive.get("url", "")))[1] if isinstance(archive, dict) else ""


def _is_dev(marker: object, default_groups: frozenset[str]) -> bool:
    """Whether the package is only for groups, none of which is installed by default.

    Extras are no groups; a marker that speaks of both, or negates, leaves it open and so is not for development.
    """
    if not isinstance(marker, str) or len(marker) > _MAX_MARKER or "extras" in marker or " not in " in marker:
        return False
    groups = [re.findall(_GROUP, alternative) for alternative in marker.split(" or ")]
    return all(each and default_groups.isdisjoint(each) for each in groups)


def _digests(record: dict[str, Any]) -> list[str]:
    archives = safe_toml.tables(record.get("wheels"))
    archives += [each for key in ("sdist", "archive") if isinstance(each := record.get(key), dict)]
    found = []
    for each in archives:
        hashes = each.get("hashes")
        if isinstance(hashes, dict) and isinstance(hashes.get("sha256"), str):
            found.append(f"sha256:{hashes['sha256']}")
        else:
            found.append("")
    return found


PLUGIN: Final[Format] = Pylock()
