"""What a look at a resource is worth: how the resource is seen, and what counts as seen.

A look that missed something closes nothing: neither an inventory that is partial or failed, nor a package that could
not be judged.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from openinspector.find import merge
from openinspector.find.reconcile import Evaluation
from openinspector.model.coverage import Reason
from openinspector.model.finding import FindingType, Observation, PackageVulnerability
from openinspector.model.inventory import Inventory
from openinspector.model.match import Report, Undecided
from openinspector.model.package import Package
from openinspector.model.resource import Resource
from openinspector.store.findings import Known

_ALL_PACKAGES: Final[tuple[FindingType, ...]] = ("PACKAGE_VULNERABILITY",)  # what a whole inventory tells all of


def reason_of(resource: Resource, inventory: Inventory) -> Reason:
    """How a resource is seen whose inventory this is."""
    if inventory.status == "failed":
        return "INTERNAL_ERROR"
    distribution = inventory.distribution
    unknown = distribution is not None and not distribution.namespace
    return "UNSUPPORTED_OS" if unknown and resource.type != "AWS_LAMBDA_FUNCTION" else "SUCCESSFUL"


def evaluation_of(report: Report, seen: Sequence[Observation], known: Iterable[Known]) -> Evaluation | None:
    """What a scan saw; None where it could not look at all."""
    if report.inventory.status == "failed":
        return None
    if report.inventory.status == "partial":
        return Evaluation(seen=seen, whole=())
    return Evaluation(seen=_with_doubts(seen, known, report.undecided), whole=_ALL_PACKAGES)


def _with_doubts(
    seen: Sequence[Observation], known: Iterable[Known], undecided: Iterable[Undecided]
) -> list[Observation]:
    """What was seen, and what was known of packages that could not be judged this time: that may still be so."""
    doubts = {(each.vulnerability, *_package(each.package)) for each in undecided}
    by_key = {each.key: each for each in seen}
    for finding in (each.finding for each in known):
        observation = finding.observation
        details = observation.details
        if finding.life.status == "CLOSED" or not isinstance(details, PackageVulnerability):
            continue
        places = [_package(each.package) for each in details.packages]
        if any((about, *place) in doubts for about in ("", details.id) for place in places):
            now = by_key.get(observation.key)
            by_key[observation.key] = merge.together(observation, now) if now is not None else observation
    return list(by_key.values())


def _package(package: Package) -> tuple[str, str, str]:
    return package.type, package.name, package.location.path
