"""What is told when something changes: events as Inspector puts them on EventBridge.

Three kinds, each whole with its envelope, ready to become JSON. A finding in an event is the API's, but with moments
in words, and without the provider-neutral twins of its details.

Source: the Inspector user guide, "Amazon Inspector event schema for Amazon EventBridge events".
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from openinspector.model.coverage import Coverage
from openinspector.model.finding import Finding, Severity
from openinspector.model.resource import Ec2Instance, EcrImage, Resource
from openinspector.render.inspector2 import finding
from openinspector.render.inspector2_resources import TWINS
from openinspector.render.moments import moment, precise, spelled

_Object = dict[str, Any]

_COUNTED: Final[tuple[Severity, ...]] = ("CRITICAL", "HIGH", "MEDIUM")  # what a scan's event counts, and sums up


class Notice(Struct, frozen=True, kw_only=True):
    """What an event's envelope says of the event itself.

    `id` is a UUID, the same each time the event is told; `at` is when it happened, ISO 8601 in UTC. Names that begin
    with `aws.` are reserved on Amazon's own buses, so `source` may have to be another one there.
    """

    id: str
    at: str
    source: str = "aws.inspector2"


def finding_event(notice: Notice, resource: Resource, known: Finding) -> _Object:
    """`Inspector2 Finding`: a finding was created, changed, closed, suppressed or is no longer suppressed."""
    detail = finding(resource, known)
    for each in detail["resources"]:
        if "details" in each:
            each["details"] = {name: value for name, value in each["details"].items() if name not in TWINS}
    return _event("Inspector2 Finding", notice, resource, resource.id, _in_words(detail))


def scan_event(notice: Notice, resource: Resource, counts: Mapping[Severity, int]) -> _Object:
    """`Inspector2 Scan`: the first scan of a resource is finished; `counts` are its findings by severity."""
    numbers = {each: counts.get(each, 0) for each in _COUNTED}
    detail: _Object = {
        "scan-status": "INITIAL_SCAN_COMPLETE",
        "finding-severity-counts": {**numbers, "TOTAL": sum(numbers.values())},
        "version": "1.0",
    }
    about = resource.id
    if isinstance(resource.details, EcrImage):
        about = resource.id.removesuffix(f"/{resource.details.digest}")
        detail |= {
            "repository-name": about,
            "image-digest": resource.details.digest,
            "image-tags": list(resource.details.tags),
        }
    elif isinstance(resource.details, Ec2Instance) or resource.type == "AWS_EC2_INSTANCE":
        detail["instance-id"] = resource.id
    elif resource.type == "MACHINE_IMAGE":
        detail["machine-image-id"] = resource.id
    return _event("Inspector2 Scan", notice, resource, about, detail)


def coverage_event(notice: Notice, coverage: Coverage) -> _Object:
    """`Inspector2 Coverage`: a kind of scan sees a resource in another way than before."""
    resource = coverage.resource
    detail = {
        "scanStatus": {"reason": coverage.status.reason, "statusCodeValue": coverage.status.code},
        "scanType": coverage.scan_type,
        "provider": "AWS",
        "providerAccountId": resource.account,
        "providerRegion": resource.region,
        "eventTimestamp": precise(notice.at),
        "version": "1.0",
    }
    return _event("Inspector2 Coverage", notice, resource, resource.id, detail)


def _event(kind: str, notice: Notice, resource: Resource, about: str, detail: _Object) -> _Object:
    at = moment(notice.at)
    return {
        "version": "0",
        "id": notice.id,
        "detail-type": kind,
        "source": notice.source,
        "account": resource.account,
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else notice.at,
        "region": resource.region,
        "resources": [about],
        "detail": detail,
    }


def _in_words(value: Any) -> Any:
    """The same with every moment in words."""
    if isinstance(value, datetime):
        return spelled(value)
    if isinstance(value, dict):  # most of what is in one is text
        return {name: each if type(each) is str else _in_words(each) for name, each in value.items()}
    if isinstance(value, list):
        return [each if type(each) is str else _in_words(each) for each in value]
    return value
