"""Two observations of the same thing: what is different, and what both together say."""

from collections.abc import Iterable
from typing import Final

import msgspec

from openinspector.model.finding import SEVERITIES, FixAvailable, Observation, PackageVulnerability, VulnerablePackage
from openinspector.model.spelling import package_title

# The word for a difference, where it isn't the field's own name.
_WORD: Final = {
    "vector": "score",
    "score_source": "score",
    "adjustments": "score",
    "exploit": "exploits",
    "last_exploited_at": "exploits",
}
_UNORDERED: Final = frozenset({"packages", "references", "related", "cvss"})
_Place = tuple[str, str, str, str, str]


def differences(before: Observation, after: Observation) -> tuple[str, ...]:
    """What changed, in words: `title`, `severity`, `score`, `packages`, `details`, …; `epss` too.

    In which order packages, references, related ids and vectors are listed is no difference.
    """
    if before == after:
        return ()
    words: dict[str, None] = {}
    for field in before.__struct_fields__:
        old, new = getattr(before, field), getattr(after, field)
        if old == new:
            continue
        if isinstance(old, PackageVulnerability) and isinstance(new, PackageVulnerability):
            words |= dict.fromkeys(_in_details(old, new))
        else:
            words[_WORD.get(field, field)] = None
    return tuple(words)


def _in_details(before: PackageVulnerability, after: PackageVulnerability) -> Iterable[str]:
    for field in before.__struct_fields__:
        old, new = getattr(before, field), getattr(after, field)
        if old != new and not (field in _UNORDERED and set(old) == set(new)):
            yield "packages" if field == "packages" else "details"


def together(known: Observation, seen: Observation) -> Observation:
    """What is known after a look that may have missed something: what it saw, and every package that was known.

    Unless all of those were seen again, it is rated by the worse of both: what was missed may be why it was so bad.
    """
    if not isinstance(known.details, PackageVulnerability) or not isinstance(seen.details, PackageVulnerability):
        return seen
    before = {_place(each): each for each in known.details.packages}
    now = {_place(each): each for each in seen.details.packages}
    if before.keys() <= now.keys():
        return seen
    # By name, as a report lists them: the title names the first ones, and shall not change when all are seen again.
    packages = tuple(each for _, each in sorted((before | now).items()))
    worse = known if _badness(known) >= _badness(seen) else seen
    details = msgspec.structs.replace(seen.details, packages=packages, vendor_severity=_vendor_severity(worse))
    title = known.title
    if len(packages) > len(before):
        title = package_title(details.id, (each.package.name for each in packages))
    return msgspec.structs.replace(
        seen,
        title=title,
        details=details,
        severity=worse.severity,
        score=worse.score,
        vector=worse.vector,
        score_source=worse.score_source,
        adjustments=worse.adjustments,
        fix=_fix(packages),
    )


def _place(vulnerable: VulnerablePackage) -> _Place:
    """What tells the packages of a finding apart: a new version at the same place is another package."""
    package = vulnerable.package
    return package.type, package.name, package.version, package.arch, package.location.path


def _badness(observation: Observation) -> tuple[int, float]:
    return SEVERITIES.index(observation.severity), -1.0 if observation.score is None else observation.score


def _vendor_severity(observation: Observation) -> str:
    return observation.details.vendor_severity if isinstance(observation.details, PackageVulnerability) else ""


def _fix(packages: Iterable[VulnerablePackage]) -> FixAvailable:
    fixed = {bool(each.fixed_version) for each in packages}
    return "PARTIAL" if len(fixed) == 2 else ("YES" if True in fixed else "NO")


def narrowed(known: Observation, packages: tuple[VulnerablePackage, ...]) -> Observation:
    """What was known, of these of its packages alone."""
    if not isinstance(known.details, PackageVulnerability):
        return known
    details = msgspec.structs.replace(known.details, packages=packages)
    title = known.title
    if {_place(each) for each in packages} != {_place(each) for each in known.details.packages}:
        title = package_title(details.id, (each.package.name for each in packages))
    return msgspec.structs.replace(known, title=title, details=details, fix=_fix(packages))
