"""What Python's files have in common: requirement lines, archive names, and who needs what in pyproject.toml."""

import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from openinspector.catalog import safe_toml
from openinspector.model.ecosystem import canonical_name

_NAME = r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
_SDIST_ENDINGS = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")
# As uv, Poetry and PDM write them: an archive a line.
_ARCHIVES = rb"(?m)^(wheels|files) = \[\r?\n(?:[ \t]++\{[^\n]*+\n){2,}+\]"
_MAX_URL = 4096
# Names that people give to groups for development; only consulted where a file does not say what its groups are for.
_DEVELOPMENT_WORDS = frozenset(
    ("dev", "develop", "development", "test", "tests", "testing", "lint", "linting", "typing", "docs", "doc")
)


class Roots(Struct, frozen=True, kw_only=True):
    """The canonical names that a project asks for itself: to run, and to be developed.

    `groups` are the names of its groups for development.
    """

    used: frozenset[str]
    developing: frozenset[str]
    groups: frozenset[str]


def normalized(name: str) -> str:
    """PEP 503's form, under which lock files refer to packages."""
    return canonical_name("pypi", name)


def requirement_name(requirement: object) -> str:
    """The canonical name in `Name[extra] >=1; marker`, "" where there is none."""
    found = re.match(_NAME, requirement) if isinstance(requirement, str) else None
    return normalized(found[1]) if found else ""


def named_in_url(url: str) -> tuple[str, str]:
    """The name and version in the file name of a wheel or source archive, ("", "") for another address.

    Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-format and
    /source-distribution-format/#source-distribution-file-name
    """
    if len(url) > _MAX_URL:
        return "", ""
    from urllib.parse import unquote

    base = unquote(url.partition("#")[0].partition("?")[0].rpartition("/")[2])
    if base.endswith(".whl"):
        parts = base.split("-")
        return (parts[0], parts[1]) if len(parts) in (5, 6) else ("", "")
    for ending in _SDIST_ENDINGS:
        if base.endswith(ending):
            name, _, version = base.removesuffix(ending).rpartition("-")
            return (name, version) if version[:1].isdigit() else ("", "")
    return "", ""


def is_for_development(group: str) -> bool:
    """Whether a group's name alone says that it serves development."""
    return not _DEVELOPMENT_WORDS.isdisjoint(re.split(r"[-_.]", group.lower()))


def load_lock(data: bytes) -> dict[str, Any]:
    """A TOML lock file, long lists of a package's archives cut down to two empty tables.

    They are nine tenths of such a file, tomllib is slow, and of several archives none is taken (see `only_hash`).

    Raises:
        CatalogError: It is no TOML.
    """
    return safe_toml.load(re.sub(_ARCHIVES, rb"\1 = [{}, {}]", data))


def only_hash(hashes: Iterable[object]) -> str:
    """The digest where exactly one archive is listed: of several it is not known which was installed."""
    values = [each for each in hashes if isinstance(each, str)]
    return values[0] if len(values) == 1 else ""


def roots(pyproject: bytes) -> Roots:
    """What pyproject.toml asks for, by [project], [dependency-groups], [tool.poetry], [tool.pdm] and [tool.uv].

    Source: PEP 621, PEP 735; https://python-poetry.org/docs/pyproject/;
    https://pdm-project.org/latest/reference/pep621/

    Raises:
        CatalogError: It is no TOML.
    """
    document = safe_toml.load(pyproject)
    project = _table(document, "project")
    poetry = _table(document, "tool", "poetry")
    used = _named(project.get("dependencies"))
    for extra in _table(project, "optional-dependencies").values():
        used |= _named(extra)
    used |= _named(list(_table(poetry, "dependencies")))

    groups: dict[str, set[str]] = {}
    for source in (_table(document, "dependency-groups"), _table(document, "tool", "pdm", "dev-dependencies")):
        for name, requirements in source.items():
            groups.setdefault(normalized(name), set()).update(_named(requirements))
    for name, group in _table(poetry, "group").items():
        if isinstance(group, dict):
            needed = _named(list(_table(group, "dependencies")))
            groups.setdefault(normalized(name), set()).update(needed)
    older = (
        _named(list(_table(poetry, "dev-dependencies"))),
        _named(_table(document, "tool", "uv").get("dev-dependencies")),
    )
    groups.setdefault("dev", set()).update(*older)
    # Poetry lets a group carry the name of what every install gets.
    used |= groups.pop("main", set()) | groups.pop("default", set())
    return Roots(
        used=frozenset(used),
        developing=frozenset().union(*groups.values()),
        groups=frozenset(groups),
    )


def _named(requirements: object) -> set[str]:
    if not isinstance(requirements, list):
        return set()
    return {name for each in requirements if (name := requirement_name(each))}


def _table(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        inner = value.get(key)
        if not isinstance(inner, dict):
            return {}
        value = inner
    return value
