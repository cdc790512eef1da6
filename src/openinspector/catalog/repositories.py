"""Which repository each package came from, joined from the facts of yum and dnf."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from openinspector.model.package import Package

# What yum and dnf write where a package came from no repository that they know.
_NO_REPOSITORY = frozenset(("installed", "@System", "@commandline", "<unknown>", ""))


def with_repositories(packages: Iterable[Package], facts: Sequence[tuple[str, dict[str, str]]]) -> tuple[Package, ...]:
    """The packages, those of rpm with their repository where a fact `from_repo` names it.

    A topic of Amazon Linux 2's extras is named as its advisories name it: `docker`, not `amzn2extra-docker`.
    yum writes a package as `name-version-release-arch`, dnf as `name-epoch:version-release.arch`, the epoch where
    there is one.
    """
    known: dict[str, str] = {}
    for name, fact in facts:
        if name == "from_repo":
            known.update(fact)
    if not known:
        return tuple(packages)
    return tuple(_with_repository(package, known) for package in packages)


def _with_repository(package: Package, known: dict[str, str]) -> Package:
    if package.type != "rpm" or package.repository:
        return package
    without_epoch = package.version.rpartition(":")[2]
    repository = known.get(f"{package.name}-{package.version}.{package.arch}") or known.get(
        f"{package.name}-{without_epoch}-{package.arch}", ""
    )
    if repository in _NO_REPOSITORY:
        return package
    return replace(package, repository=repository.removeprefix("amzn2extra-"))
