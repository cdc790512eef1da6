"""Values that a shape allows, and values that it just doesn't."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from openinspector.api.shapes import (
    Blob,
    Boolean,
    Decimal,
    Document,
    Integer,
    ListOf,
    MapOf,
    Shape,
    Structure,
    Text,
    Timestamp,
)

MOMENT = datetime(2024, 5, 15, 21, 11, 8, tzinfo=UTC)  # whole seconds: a client's JSON carries no more
UUID = "0123abcd-0123-4abc-8def-0123456789ab"
ACCOUNT = "111122223333"
INSPECTOR = f"arn:aws:inspector2:us-east-1:{ACCOUNT}"

# A value for each of the model's expressions that an input has.
FITTING = {
    "AccountId": ACCOUNT,
    "AwsConfigConnectorArn": f"arn:aws:config:us-east-1:{ACCOUNT}:connector/azure/prod/1",
    "AzureRegion": "westeurope",
    "CisScanArn": f"{INSPECTOR}:owner/{ACCOUNT}/cis-scan/{UUID}",
    "CisScanConfigurationArn": f"{INSPECTOR}:owner/{ACCOUNT}/cis-configuration/{UUID}",
    "ClusterForImageFilterCriteriaResourceIdString": f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/a/b",
    "CodeConnectionsHostArn": f"arn:aws:codeconnections:us-east-1:{ACCOUNT}:host/github-1",
    "CodeSecurityClientToken": "token",
    "CodeSecurityIntegrationArn": f"{INSPECTOR}:codesecurity-integration/{UUID}",
    "CodeSecurityUuid": UUID,
    "ConnectorArn": f"{INSPECTOR}:connector/{UUID}",
    "ConnectorDescription": "Größe: 1 – groß",
    "ConnectorName": "größe_1",
    "ConnectorTagKey": "team é",
    "FindingArn": f"{INSPECTOR}:finding/{'0a' * 16}",
    "GcpRegion": "europe-west1",
    "GcpScopeValue": "project-1",
    "GitHubEnterpriseServerManifestCode": "abc.~1",
    "InstanceUrl": "https://gitlab.example.org",
    "IntegrationName": "gitlab-1",
    "KmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{UUID}",
    "MeteringAccountId": ACCOUNT,
    "Path": "/opt/app.d/lib",
    "PkceState": "state-1",
    "ProjectId": f"project-{UUID}",
    "ReportId": UUID,
    "ResourceId": "i-0123456789abcdef0",
    "ScanConfigurationArn": f"{INSPECTOR}:owner/{ACCOUNT}/codesecurity-configuration/{UUID}",
    "ScanConfigurationName": "config",
    "ScanId": "scan1",
    "ScopeValue": UUID,
    "SecurityGroupId": "sg-0123456789abcdef0",
    "SubnetId": "subnet-0123456789abcdef0",
    "TagKey": "team",
    "TargetAccount": ACCOUNT,
    "TargetResourceTagsKey": "team é",
    "TimeOfDay": "23:59",
    "TlsCertificate": "-----BEGIN CERTIFICATE-----\nabc",
    "UsageAccountId": ACCOUNT,
    "UUID": UUID,
    "VpcEndpointId": "vpce-0123456789abcdef0",
    "VpcId": "vpc-0123456789abcdef0",
    "VulnId": "CVE-2024-12345",
}
UNFIT = "\x01 "  # no expression but `anything` has room for both
MOST = 4  # elements and characters of a large value, where the model allows no end of them


def text_of(shape: Text, *, large: bool = False) -> str:
    if shape.choices:
        return shape.choices[-1 if large else 0]
    if shape.pattern is not None and shape.name in FITTING:
        return FITTING[shape.name]
    low = max(shape.minimum or 0, 1)
    return "é" * min(shape.maximum or MOST, low + 400) if large else "a" * low


def scalar(shape: Shape, *, large: bool) -> Any:
    match shape:
        case Text():
            return text_of(shape, large=large)
        case Integer():
            top = (1 << (shape.bits - 1)) - 1
            low = -top - 1 if shape.minimum is None else shape.minimum
            return (top if shape.maximum is None else shape.maximum) if large else low
        case Decimal():
            return 7.25 if large else float(shape.minimum or 0)
        case Boolean():
            return large
        case Timestamp():
            return MOMENT
        case Blob():
            return b"\x00\xff" * 8 if large else b"" if not shape.minimum else b"a" * shape.minimum
        case Document():
            return {"any": [1, None, {"of": "it"}], "and": 1.5} if large else {}
    raise AssertionError(shape)


def minimal(shape: Shape) -> Any:
    """The least that a shape allows."""
    match shape:
        case Structure(union=True):
            first = next(iter(shape.members.values()))
            return {first.name: minimal(first.shape)}
        case Structure():
            return {name: minimal(shape.members[name].shape) for name in shape.required}
        case ListOf():
            return [minimal(shape.element) for _ in range(shape.minimum or 0)]
        case MapOf():
            return {text_of(shape.key): minimal(shape.value)} if shape.minimum else {}
        case _:
            return scalar(shape, large=False)


def maximal(shape: Shape, pick: int = 0) -> Any:
    """Much of what a shape allows; of a union, the member number `pick`."""
    match shape:
        case Structure(union=True):
            member = list(shape.members.values())[pick % len(shape.members)]
            return {member.name: maximal(member.shape, pick)}
        case Structure():
            return {name: maximal(member.shape, pick) for name, member in shape.members.items()}
        case ListOf():
            return [
                maximal(shape.element, pick) for _ in range(min(2, MOST if shape.maximum is None else shape.maximum))
            ]
        case MapOf():
            return {text_of(shape.key): maximal(shape.value, pick)}
        case _:
            return scalar(shape, large=True)


WRONG_TYPES: dict[type, tuple[Any, ...]] = {
    Text: (1, True, ["a"], {"a": "b"}),
    Integer: ("1", True, 1.5, [1]),
    Decimal: ("1", False, {}, 10**400),
    Boolean: ("true", 0, []),
    Timestamp: (True, "yesterday", 1e300, "2024-05-15T21:11:08+99:99", [], "1" * 99),
    Blob: (1, "§", "YQ", [1]),
    ListOf: ({}, "a", 1),
    MapOf: ([], "a", 1),
    Structure: ([], "a", 1, True),
}

Step = str | int
Violation = tuple[str, tuple[Step, ...], Any, str]
"""What is violated; where; the value that does; the field that the answer has to name."""


def violations(shape: Shape, value: Any, steps: tuple[Step, ...] = (), field: str = "") -> Iterator[Violation]:
    """Every way to spoil one place of a valid JSON value. `...` in place of a value: take it away."""
    if steps:
        for number, wrong in enumerate(WRONG_TYPES.get(type(shape), ())):
            yield f"{shape.name}: type {number}", steps, wrong, field
    yield from ((f"{shape.name}: {kind}", steps, bad, field) for kind, bad in _unmet(shape, value))
    match shape:
        case Structure():
            for member in shape.members.values():
                if member.location != "body" or member.wire_name not in value:
                    continue
                below = f"{field}.{member.wire_name}" if field else member.wire_name
                where = (*steps, member.wire_name)
                if member.name in shape.required:
                    yield f"{shape.name}.{member.name}: required", where, ..., below
                    yield f"{shape.name}.{member.name}: null", where, None, below
                yield from violations(member.shape, value[member.wire_name], where, below)
        case ListOf():
            yield f"{shape.name}: null element", (*steps, 0), None, f"{field}.1.member"
            yield from violations(shape.element, value[0], (*steps, 0), f"{field}.1.member")
        case MapOf():
            key = next(iter(value))
            yield f"{shape.name}: null value", (*steps, key), None, f"{field}.{key}.member"
            yield from violations(shape.value, value[key], (*steps, key), f"{field}.{key}.member")


def _unmet(shape: Shape, value: Any) -> Iterator[tuple[str, Any]]:
    match shape:
        case Text():
            if shape.minimum:
                yield "too short", "a" * (shape.minimum - 1)
            if shape.maximum is not None:
                yield "too long", "a" * (shape.maximum + 1)
            if shape.choices:
                yield "no choice", "NONE_OF_THESE"
                yield "no choice for its case", shape.choices[0].swapcase()
            elif shape.pattern not in (None, "[\\s\\S]*"):
                yield "unfit", UNFIT * max(shape.minimum or 0, 1)
                yield "fit but for a line's end", text_of(shape) + "\n"
            else:
                yield "NUL", "a\0" * max(shape.minimum or 0, 1)
        case Integer() | Decimal():
            if shape.minimum is not None:
                yield "too low", shape.minimum - 1
            if shape.maximum is not None:
                yield "too high", shape.maximum + 1
            if isinstance(shape, Integer):
                yield "too wide", 1 << shape.bits
                yield "endless", 10**300
        case Blob(maximum=int(most)):
            yield "too long", "YWFh" * (most // 3 + 1)
        case ListOf():
            if shape.minimum:
                yield "too few", []
            if shape.maximum is not None:
                yield "too many", value[:1] * (shape.maximum + 1)
        case MapOf():
            one = next(iter(value.values()))
            if shape.minimum:
                yield "too few", {}
            if shape.maximum is not None:
                yield "too many", {f"k{number}": one for number in range(shape.maximum + 1)}
            if shape.key.maximum is not None:
                yield "key too long", {"k" * (shape.key.maximum + 1): one}
        case Structure(union=True):
            yield "none of a union", {}
            if len(shape.members) > 1:
                yield "two of a union", {member.wire_name: {} for member in list(shape.members.values())[:2]}


def spoiled(body: Any, steps: tuple[Step, ...], wrong: Any) -> Any:
    """A JSON value with one place changed; what is not on the way there is shared with the old one."""
    step, *rest = steps
    body = copy.copy(body)
    if rest:
        body[step] = spoiled(body[step], tuple(rest), wrong)
    elif wrong is ...:
        del body[step]
    else:
        body[step] = wrong
    return body
