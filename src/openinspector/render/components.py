"""Packages as the components of a bill of materials: one for each package URL, wherever it was found."""

from collections.abc import Iterable

from openinspector.model.distro import Distribution
from openinspector.model.match import Report
from openinspector.model.package import Package
from openinspector.render.purl import purl
from openinspector.render.text import identity


def components(report: Report) -> dict[str, list[Package]]:
    """The packages by reference, in the order of the references.

    A package that only a finding or a doubt names is there too, so that whatever refers to a package finds it.
    """
    found: dict[str, list[Package]] = {}
    distribution = report.inventory.distribution
    for package in dict.fromkeys(_everything(report)):
        found.setdefault(reference(package, distribution), []).append(package)
    return dict(sorted(found.items()))


def reference(package: Package, distribution: Distribution | None) -> str:
    """The package URL; for a package without a name an id of its own."""
    return purl(package, distribution) or f"nameless:{identity(package.type, package.version, package.location.path)}"


def _everything(report: Report) -> Iterable[Package]:
    yield from report.inventory.packages
    yield from (each.match.package for each in report.findings)
    yield from (each.package for each in report.undecided)


def places(packages: Iterable[Package]) -> list[str]:
    """The paths, each once."""
    return list(dict.fromkeys(each.location.path for each in packages if each.location.path))


def places_and_owners(packages: Iterable[Package]) -> list[tuple[str, str]]:
    """The paths, each once, with the OS package that owns the file there, "" for none."""
    return list(dict.fromkeys((each.location.path, each.owner) for each in packages if each.location.path))


def system_name(distribution: Distribution | None) -> str:
    """`Debian GNU/Linux 12 (bookworm)`, or what else there is to say; "" without a distribution."""
    if distribution is None:
        return ""
    return distribution.title or f"{distribution.id} {distribution.version}".strip() or distribution.namespace
