"""Which repositories a tree's packages come from, joined from the facts of yum, dnf and Red Hat."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from openinspector.model.distro import Distribution
from openinspector.model.package import Package

Facts = Sequence[tuple[str, dict[str, str]]]

# Red Hat's long-life streams, by the part of a repository's id that tells them from the base repositories.
_STREAMS = ("eus", "e4s", "aus", "tus", "els")

# What yum and dnf write where a package came from no repository that they know.
_NO_REPOSITORY = frozenset(("installed", "@System", "@commandline", "<unknown>", ""))


def enabled(facts: Facts, distribution: Distribution | None) -> tuple[str, ...]:
    """The repositories that are known to be enabled, as advisories name them, sorted.

    A topic of Amazon Linux 2's extras (`docker`, and its repository's own id), and the long-life streams of Red Hat
    (`eus:9.2`), whose repositories don't name the minor release that they belong to: that is the system's own.
    """
    found: set[str] = set()
    for kind, fact in facts:
        if kind == "repositories":
            found.update(fact)
        elif kind == "redhat_repositories":
            found.update(filter(None, (_stream(repository, distribution) for repository in fact)))
        elif kind == "from_repo":
            found.update(filter(None, (_stream(repository, distribution) for repository in fact.values())))
    return tuple(sorted(found))


def _stream(repository: str, distribution: Distribution | None) -> str:
    """`eus:9.2` of `rhel-9-for-x86_64-baseos-eus-rpms` on a 9.2; "" for other repositories."""
    if distribution is None or distribution.family != "redhat" or not repository.startswith("rhel-"):
        return ""
    parts = repository.split("-")
    stream = next((each for each in _STREAMS if each in parts), "")
    version = distribution.version.partition(".")[0] if stream == "els" else distribution.version
    return f"{stream}:{version}" if stream else ""


def with_repositories(packages: Iterable[Package], facts: Facts) -> tuple[Package, ...]:
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
