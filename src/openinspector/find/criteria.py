"""Whether a finding of a resource meets filter criteria.

Between fields: all must hold. Within a field:

- texts: equal to one of the EQUALS entries or beginning with one of the PREFIX entries, if there are any such entries,
  *and* different from every NOT_EQUALS entry. Upper and lower case differ.
- dates and numbers: within one of the entries, bounds included.
- tags: one of the entries has the key and, if given, the value.
- ports: one of the entries overlaps the finding's range.
- packages: one of the entries holds, in all its parts, for one and the same package.

An attribute that is a list holds for an entry when one of its values does, and NOT_EQUALS is always the opposite of
EQUALS: none of the values may be equal. So what lacks an attribute is different from everything, and no range, not even
an open one, contains it.

Source: Inspector's API reference, FilterCriteria; how texts mix is Security Hub's rule for the same comparisons (its
API reference, StringFilter).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from openinspector.find.attributes import OF_FINDING, OF_PACKAGE, OF_RESOURCE, Value, qualifiers
from openinspector.model.criteria import (
    Criteria,
    DateFilter,
    MapFilter,
    NumberFilter,
    PackageFilter,
    PortRangeFilter,
    PurlQualifierFilter,
    ReachabilityFilter,
    ReachabilityReasonFilter,
    StringFilter,
)
from openinspector.model.finding import Finding, NetworkReachability, PackageVulnerability, VulnerablePackage
from openinspector.model.resource import Resource

_T = TypeVar("_T")
_Holds = Callable[[Sequence[Any]], bool]  # whether the values that an attribute has meet the entries of a field
_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Question:
    """Criteria made ready to be asked often: first of a resource, then of each of its findings."""

    of_resource: tuple[Callable[[Resource], bool], ...]
    of_finding: tuple[Callable[[Finding], bool], ...]

    def concerns(self, resource: Resource) -> bool:
        """Whether the resource is one whose findings can match."""
        return all(holds(resource) for holds in self.of_resource)

    def holds(self, finding: Finding) -> bool:
        """Whether a finding matches, on a resource that is concerned."""
        for holds in self.of_finding:  # noqa: SIM110  the hottest loop: a generator takes twice as long
            if not holds(finding):
                return False
        return True


def matches(criteria: Criteria, resource: Resource, finding: Finding) -> bool:
    """Whether a finding of a resource meets the criteria; for many of them, ask `question(criteria)`."""
    asked = question(criteria)
    return asked.concerns(resource) and asked.holds(finding)


def question(criteria: Criteria) -> Question:
    """Criteria, ready to be asked."""
    of_resource: list[Callable[[Resource], bool]] = []
    of_finding: list[Callable[[Finding], bool]] = []
    for field in criteria.__struct_fields__:
        entries = getattr(criteria, field)
        if not entries:
            continue
        if field == "resource_tags":
            of_resource.append(_tags(entries))
        elif field == "port_range":
            of_finding.append(_ports(entries))
        elif field == "vulnerable_packages":
            of_finding.append(_packages(entries))
        elif field in OF_RESOURCE:
            of_resource.append(_composed(OF_RESOURCE[field], _held(entries)))
        else:
            of_finding.append(_composed(OF_FINDING[field], _held(entries)))
    return Question(tuple(of_resource), tuple(of_finding))


def _composed(values: Callable[[_T], Sequence[Value]], holds: _Holds) -> Callable[[_T], bool]:
    return lambda subject: holds(values(subject))


def _held(entries: Sequence[Any]) -> _Holds:
    """The entries of a field that looks at texts, dates or numbers; they are all of one kind."""
    match entries[0]:
        case DateFilter():
            return _within([(each.start_inclusive, each.end_inclusive) for each in entries])
        case NumberFilter():
            return _within([(each.lower_inclusive, each.upper_inclusive) for each in entries])
        case _:
            return compared(entries)


def compared(entries: Iterable[StringFilter | ReachabilityFilter | ReachabilityReasonFilter]) -> _Holds:
    """Whether the texts that an attribute has meet the entries of a field."""
    by_comparison: dict[str, list[str]] = {}
    for entry in entries:
        by_comparison.setdefault(entry.comparison, []).append(entry.value)
    equal = frozenset(by_comparison.get("EQUALS", ()))
    prefixes = tuple(by_comparison.get("PREFIX", ()))
    different = frozenset(by_comparison.get("NOT_EQUALS", ()))
    positive = bool(equal or prefixes)

    def holds(values: Sequence[str]) -> bool:
        met = not positive or not equal.isdisjoint(values)
        if not met and prefixes:
            met = any(each.startswith(prefixes) for each in values)
        return met and different.isdisjoint(values)

    return holds


def _within(bounds: Sequence[tuple[Any, Any]]) -> _Holds:
    def holds(values: Sequence[Any]) -> bool:
        return any(
            (low is None or low <= value) and (high is None or value <= high)
            for value in values
            for low, high in bounds
        )

    return holds


def _tags(entries: Sequence[MapFilter]) -> Callable[[Resource], bool]:
    return lambda resource: any(_has(resource.tags, entry) for entry in entries)


def _has(values: Mapping[str, str], entry: MapFilter | PurlQualifierFilter) -> bool:
    return entry.key in values and entry.value in (None, values[entry.key])


def _ports(entries: Sequence[PortRangeFilter]) -> Callable[[Finding], bool]:
    ranges = [
        (entry.begin_inclusive or 0, _LAST_PORT if entry.end_inclusive is None else entry.end_inclusive)
        for entry in entries
    ]

    def holds(finding: Finding) -> bool:
        details = finding.observation.details
        return isinstance(details, NetworkReachability) and any(
            max(first, details.first_port) <= min(last, details.last_port) for first, last in ranges
        )

    return holds


def _packages(entries: Sequence[PackageFilter]) -> Callable[[Finding], bool]:
    wanted = [_package(entry) for entry in entries]

    def holds(finding: Finding) -> bool:
        details = finding.observation.details
        return isinstance(details, PackageVulnerability) and any(
            all(part(package) for part in parts) for parts in wanted for package in details.packages
        )

    return holds


def _package(entry: PackageFilter) -> list[Callable[[VulnerablePackage], bool]]:
    parts: list[Callable[[VulnerablePackage], bool]] = []
    for field in entry.__struct_fields__:
        asked = getattr(entry, field)
        if isinstance(asked, PurlQualifierFilter):
            parts.append(_qualified(asked))
        elif asked is not None:
            parts.append(_composed(OF_PACKAGE[field], _held([asked])))
    return parts


def _qualified(entry: PurlQualifierFilter) -> Callable[[VulnerablePackage], bool]:
    return lambda vulnerable: _has(qualifiers(vulnerable), entry)
