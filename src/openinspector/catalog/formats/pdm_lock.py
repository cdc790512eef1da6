"""PDM's lock file.

    [metadata]
    groups = ["default", "dev"]

    [[package]]
    name = "requests"
    version = "2.31.0"
    groups = ["default"]                       # from lock version 4.4 on
    dependencies = ["urllib3<3,>=1.21.1"]
    files = [{file = "requests-2.31.0-py3-none-any.whl", hash = "sha256:…"}]

A group may be an extra or serve development: pyproject.toml tells; where it is missing, the group's name must do.
Source: https://pdm-project.org/latest/usage/lockfile/
"""

from collections.abc import Callable
from typing import Any, Final

from openinspector.catalog import safe_toml
from openinspector.catalog.closure import only_for_development
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.python_projects import (
    Roots,
    is_for_development,
    load_lock,
    normalized,
    only_hash,
    requirement_name,
    roots,
)
from openinspector.catalog.unparsed import unparsed
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem


class PdmLock:
    """pdm.lock."""

    name = "pypi.pdm-lock"
    title = "pdm.lock"
    type = "pypi"
    revision = 2
    wants = Wants(names=("pdm.lock",), beside=("pyproject.toml",), max_size=safe_toml.MAX_SIZE)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages; local folders are left out.

        Raises:
            CatalogError: It is no TOML.
        """
        records = safe_toml.tables(load_lock(file.data).get("package"))
        asked, problems = _asked(file)
        is_dev = _judge(records, asked)
        packages: dict[tuple[str, str], Package] = {}
        unread: list[str] = []
        for record in records:
            if "path" in record:
                continue
            name, version = record.get("name"), record.get("version")
            if not (isinstance(name, str) and isinstance(version, str) and name and version):
                unread.append(str(name))
                continue
            # `requests` and `requests[socks]` are two records of one package.
            dev = is_dev(record)
            known = packages.get((name, version))
            if known is None or (known.dev and not dev):
                packages[name, version] = Package(
                    type="pypi",
                    name=name,
                    version=version,
                    location=Location(path=file.path),
                    format=self.name,
                    dev=dev,
                    digest=only_hash(each.get("hash") for each in safe_toml.tables(record.get("files"))),
                )
        problems += unparsed(file.path, self.name, "packages without name or version", unread)
        return Reading(packages=tuple(packages.values()), problems=problems)


def _asked(file: File) -> tuple[Roots | None, tuple[Problem, ...]]:
    pyproject = file.beside.get("pyproject.toml")
    if pyproject is None:
        return None, ()
    try:
        return roots(pyproject), ()
    except CatalogError as error:
        reason = f"pyproject.toml beside it, which would tell what is for development: {error}"
        return None, (Problem(path=file.path, format=PdmLock.name, reason=reason),)


def _judge(records: list[dict[str, Any]], asked: Roots | None) -> Callable[[dict[str, Any]], bool]:
    """The rule by which a record is for development only."""
    needs: dict[str, list[str]] = {}
    for each in records:
        dependencies = each.get("dependencies")
        if isinstance(dependencies, list):
            needs.setdefault(normalized(str(each.get("name"))), []).extend(map(requirement_name, dependencies))
    developing = (
        only_for_development(asked.used, asked.developing, lambda name: needs.get(name, ())) if asked else frozenset()
    )

    def is_dev(record: dict[str, Any]) -> bool:
        groups = record.get("groups")
        if not isinstance(groups, list) or not groups:
            return normalized(str(record.get("name"))) in developing
        names = [normalized(str(each)) for each in groups]
        return all(each in asked.groups if asked else is_for_development(each) for each in names)

    return is_dev


PLUGIN: Final[Format] = PdmLock()
