"""uv's lock file.

    [[package]]
    name = "requests"
    version = "2.31.0"
    source = { registry = "…" }                  # or git, url, path; editable, virtual, directory: the project's own
    dependencies = [{ name = "urllib3" }, { name = "numpy", version = "1.26.0", marker = "…" }]

    [package.dev-dependencies]                   # only the project's own members have them
    dev = [{ name = "pytest" }]

Source: https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from openinspector.catalog import safe_toml
from openinspector.catalog.closure import only_for_development
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.python_projects import load_lock, only_hash
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package

_OWN = ("editable", "virtual", "directory")


class UvLock:
    """uv.lock."""

    name = "pypi.uv-lock"
    title = "uv.lock"
    type = "pypi"
    revision = 2
    wants = Wants(names=("uv.lock",), max_size=safe_toml.MAX_SIZE)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages; the members of the project itself are left out.

        Raises:
            CatalogError: It is no TOML.
        """
        records = safe_toml.tables(load_lock(file.data).get("package"))
        developing = _developing(records)
        packages: list[Package] = []
        unread: list[str] = []
        for index, record in enumerate(records):
            if _is_own(record):
                continue
            name, version = record.get("name"), record.get("version")
            if not (isinstance(name, str) and isinstance(version, str) and name and version):
                unread.append(str(name))
                continue
            packages.append(
                Package(
                    type="pypi",
                    name=name,
                    version=version,
                    location=Location(path=file.path),
                    format=self.name,
                    dev=index in developing,
                    digest=only_hash(each.get("hash") for each in _archives(record)),
                )
            )
        return Reading(
            packages=tuple(packages),
            problems=unparsed(file.path, self.name, "packages without name or version", unread),
        )


def _is_own(record: dict[str, Any]) -> bool:
    source = record.get("source")
    return isinstance(source, dict) and any(kind in source for kind in _OWN)


def _archives(record: dict[str, Any]) -> list[dict[str, Any]]:
    sdist = record.get("sdist")
    return safe_toml.tables(record.get("wheels")) + ([sdist] if isinstance(sdist, dict) else [])


def _developing(records: list[dict[str, Any]]) -> frozenset[int | str]:
    """The positions of the records that only the members' groups for development lead to."""
    by_name: dict[str, list[int]] = {}
    by_version: dict[tuple[str, str], int] = {}
    for index, record in enumerate(records):
        by_name.setdefault(str(record.get("name")), []).append(index)
        by_version[str(record.get("name")), str(record.get("version"))] = index

    def resolved(dependencies: object) -> Iterator[int | str]:
        for each in safe_toml.tables(dependencies):
            name = str(each.get("name"))
            # A name without a version stands for every record of it; there is mostly one.
            yield by_version.get((name, str(each.get("version"))), name)

    def resolved_in_groups(groups: object) -> Iterator[int | str]:
        for dependencies in groups.values() if isinstance(groups, dict) else ():
            yield from resolved(dependencies)

    def needs(node: int | str) -> Iterable[int | str]:
        if isinstance(node, str):
            return by_name.get(node, ())
        # Extras are followed whether asked for or not: doubt is no reason to call something a development tool.
        record = records[node]
        return (*resolved(record.get("dependencies")), *resolved_in_groups(record.get("optional-dependencies")))

    own: list[int | str] = [index for index, record in enumerate(records) if _is_own(record)]
    groups = [
        each
        for index, record in enumerate(records)
        if _is_own(record)
        for each in resolved_in_groups(record.get("dev-dependencies"))
    ]
    return frozenset(only_for_development(own, groups, needs))


PLUGIN: Final[Format] = UvLock()
