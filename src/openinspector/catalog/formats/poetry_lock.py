"""Poetry's lock file, 1.0 to 2.1.

    [[package]]
    name = "requests"
    version = "2.31.0"
    category = "main"              # up to 1.4: "main" or "dev"
    groups = ["main", "dev"]       # from 2.1 on
    files = [{file = "requests-2.31.0-py3-none-any.whl", hash = "sha256:…"}]

    [package.dependencies]
    urllib3 = ">=1.21.1,<3"

Between the two, only pyproject.toml says what is for development.
Source: https://python-poetry.org/docs/dependency-specification/ and the files that poetry writes
"""

from typing import Any, Final

from openinspector.catalog import safe_toml
from openinspector.catalog.closure import only_for_development
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.python_projects import load_lock, normalized, only_hash, roots
from openinspector.catalog.unparsed import unparsed
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem


class PoetryLock:
    """poetry.lock."""

    name = "pypi.poetry-lock"
    title = "poetry.lock (1.0-2.1)"
    type = "pypi"
    revision = 2
    wants = Wants(names=("poetry.lock",), beside=("pyproject.toml",), max_size=safe_toml.MAX_SIZE)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages; folders of the project itself are left out.

        Raises:
            CatalogError: It is no TOML.
        """
        records = safe_toml.tables(load_lock(file.data).get("package"))
        by_project, problems = _developing(file, records)
        packages: list[Package] = []
        unread: list[str] = []
        for record in records:
            name, version = record.get("name"), record.get("version")
            if not (isinstance(name, str) and isinstance(version, str) and name and version):
                unread.append(str(name))
                continue
            source = record.get("source")
            if isinstance(source, dict) and source.get("type") == "directory":
                continue
            packages.append(
                Package(
                    type="pypi",
                    name=name,
                    version=version,
                    location=Location(path=file.path),
                    format=self.name,
                    dev=_is_dev(record, normalized(name) in by_project),
                    digest=only_hash(each.get("hash") for each in safe_toml.tables(record.get("files"))),
                )
            )
        problems += unparsed(file.path, self.name, "packages without name or version", unread)
        return Reading(packages=tuple(packages), problems=problems)


def _is_dev(record: dict[str, Any], by_project: bool) -> bool:  # noqa: FBT001 (a fallback value, not a switch)
    groups = record.get("groups")
    if isinstance(groups, list) and groups:
        # Poetry keeps what is needed to run in `main`; extras are optional members of it.
        return "main" not in groups
    category = record.get("category")
    if isinstance(category, str):
        return category == "dev"
    return by_project


def _developing(file: File, records: list[dict[str, Any]]) -> tuple[frozenset[str], tuple[Problem, ...]]:
    """The names that pyproject.toml needs for development only; nothing where the lock says so itself."""
    pyproject = file.beside.get("pyproject.toml")
    if pyproject is None or all("groups" in each or "category" in each for each in records):
        return frozenset(), ()
    try:
        asked = roots(pyproject)
    except CatalogError as error:
        reason = f"pyproject.toml beside it, which would tell what is for development: {error}"
        return frozenset(), (Problem(path=file.path, format=PoetryLock.name, reason=reason),)
    needs: dict[str, list[str]] = {}
    for each in records:
        name, dependencies = each.get("name"), each.get("dependencies")
        if isinstance(name, str) and isinstance(dependencies, dict):
            needs.setdefault(normalized(name), []).extend(map(normalized, dependencies))
    return frozenset(only_for_development(asked.used, asked.developing, lambda name: needs.get(name, ()))), ()


PLUGIN: Final[Format] = PoetryLock()
