"""AWS Security Finding Format, as Inspector sends it to Security Hub: one finding for each vulnerability of the target.

A vulnerability that is suppressed for all its packages is an archived record; where it is for some of them, those
packages are left out of the active one.

Source: https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct

from openinspector.model.inventory import Target
from openinspector.model.match import SEVERITIES, Finding, Report
from openinspector.model.spelling import split_version
from openinspector.render import inspector_words as words
from openinspector.render.text import cut, cvss_version, date_time, json_document, one_line, web_addresses

_Object = dict[str, Any]

NORMALIZED: Final = {"INFORMATIONAL": 0, "LOW": 1, "MEDIUM": 40, "HIGH": 70, "CRITICAL": 90}
VULNERABILITY_TYPE: Final = "Software and Configuration Checks/Vulnerabilities/CVE"
_REGISTRY: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]{1,40})\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[a-z0-9._/-]{1,256})(?::(?P<tag>[\w.-]{1,128}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
).fullmatch
_FUNCTION: Final = re.compile(r"arn:aws[a-z-]{0,10}:lambda:[a-z0-9-]{1,40}:\d{12}:function:[\w:$-]{1,300}").fullmatch
_INSTANCE: Final = re.compile(r"i-[0-9a-f]{8,17}").fullmatch
_MOST_ADDRESSES: Final = 100


class Account(Struct, frozen=True, kw_only=True):
    """Whose findings these are; an image's registry knows better."""

    id: str = "000000000000"
    region: str = "us-east-1"
    partition: str = "aws"


def render(report: Report, account: Account | None = None) -> str:
    """The JSON array that `BatchImportFindings` takes, at most 100 at a time."""
    owner = _owner(report.inventory.target, account)
    groups: dict[str, list[Finding]] = {}
    for each in report.findings:
        groups.setdefault(each.vulnerability.id, []).append(each)
    return json_document([_finding(findings, report, owner) for findings in groups.values()])


def _owner(target: Target, account: Account | None) -> Account:
    if account is not None:
        return account
    registry = _REGISTRY(target.name)
    return Account(id=registry["account"], region=registry["region"]) if registry else Account()


def _finding(findings: Sequence[Finding], report: Report, owner: Account) -> _Object:
    active = [each for each in findings if not each.suppressed]
    shown = active or findings
    first = min(shown, key=lambda each: SEVERITIES.index(each.severity))
    about, target = first.vulnerability, report.inventory.target
    label = words.SEVERITY[first.severity].replace("UNTRIAGED", "INFORMATIONAL")
    arn = f"arn:{owner.partition}:inspector2:{owner.region}:{owner.id}:finding/{words.finding_id(target, about.id)}"
    moment = report.scanned_at if date_time(report.scanned_at) else "1970-01-01T00:00:00Z"
    known = min((each.known_since for each in shown if each.known_since), default="")
    fields = {
        "aws/inspector/ProductVersion": "2",
        "aws/inspector/FindingStatus": "ACTIVE" if active else "SUPPRESSED",
        "aws/inspector/inspectorScore": f"{first.score:.1f}" if first.score is not None else "",
        "openinspector/severitySource": first.severity_source,
        "openinspector/suppressed": "" if active else str(first.suppressed),
    }
    resource, facts = _resource(report, owner)
    fields |= facts
    return {
        "SchemaVersion": "2018-10-08",
        "Id": arn,
        "ProductArn": f"arn:{owner.partition}:securityhub:{owner.region}::product/aws/inspector",
        "ProductName": "Inspector",
        "CompanyName": "Amazon",
        "Region": owner.region,
        "GeneratorId": "AWSInspector",
        "AwsAccountId": owner.id,
        "Types": [VULNERABILITY_TYPE],
        "FirstObservedAt": known if date_time(known) else moment,
        "LastObservedAt": moment,
        "CreatedAt": moment,
        "UpdatedAt": moment,
        "Severity": {"Label": label, "Normalized": NORMALIZED[label]},
        "Title": cut(words.title(about.id, [each.match.package for each in shown]), 256),
        "Description": words.description(first),
        "Remediation": {"Recommendation": {"Text": _advice(shown)}},
        "ProductFields": {name: cut(value, 2048) for name, value in fields.items() if value.strip()},
        "Resources": [resource],
        "Vulnerabilities": [_vulnerability(shown, first)],
        "FindingProviderFields": {"Severity": {"Label": label}, "Types": [VULNERABILITY_TYPE]},
        "WorkflowState": "NEW",
        "Workflow": {"Status": "NEW" if active else "SUPPRESSED"},
        "RecordState": "ACTIVE" if active else "ARCHIVED",
    }


def _advice(findings: Sequence[Finding]) -> str:
    said = {
        "YES": "Remediation is available. The vulnerable packages of this finding name the version with the fix.",
        "PARTIAL": "Remediation is available for some of the vulnerable packages of this finding.",
        "NO": "Remediation is not available yet.",
    }
    return said[words.fix_available(findings)]


def _vulnerability(findings: Sequence[Finding], first: Finding) -> _Object:
    about = first.vulnerability
    vendor: _Object = {"Name": words.source(first)}
    if page := words.source_page(first):
        vendor["Url"] = page
    if word := words.vendor_severity(first):
        vendor["VendorSeverity"] = word
    if date_time(about.published):
        vendor["VendorCreatedAt"] = about.published
    if date_time(about.modified):
        vendor["VendorUpdatedAt"] = about.modified
    entry: _Object = {
        "Id": about.id,
        "VulnerablePackages": [_package(each) for each in findings],
        "Cvss": list(_vectors(first)),
        "RelatedVulnerabilities": words.related(findings),
        "Vendor": vendor,
        "ReferenceUrls": web_addresses(about.references)[:_MOST_ADDRESSES],
        "FixAvailable": words.fix_available(findings),
        "ExploitAvailable": words.exploit_available(first),
    }
    if about.epss is not None:
        entry["EpssScore"] = about.epss.score
    exploited = words.last_exploited(first)
    if exploited:
        entry["LastKnownExploitAt"] = exploited
    return entry


def _package(finding: Finding) -> _Object:
    package = finding.match.package
    parts = split_version(package)
    said = {
        "Name": one_line(package.name),
        "Version": parts.version,
        "Epoch": str(parts.epoch),
        "Release": parts.release,
        "Architecture": words.architecture(package),
        "PackageManager": words.package_manager(package),
        "FilePath": package.location.path,
        "FixedInVersion": words.fixed_in(finding),
        "Remediation": finding.remediation,
        "SourceLayerHash": package.location.introduced or package.location.layer,
    }
    return {name: value for name, value in said.items() if value.strip()}


def _vectors(finding: Finding) -> Iterable[_Object]:
    """Every vector, and once more the one that Inspector's own score is based on."""
    for each in finding.vulnerability.cvss:
        yield _vector(each.source, each.vector, each.score)
    if finding.score is not None and finding.vector:
        yield _vector(finding.score_source, finding.vector, finding.score)


def _vector(source: str, vector: str, score: float | None) -> _Object:
    said: _Object = {"BaseVector": vector, "Version": cvss_version(vector), "Source": source or "unknown"}
    if score is not None:
        said["BaseScore"] = score
    return said


def _resource(report: Report, owner: Account) -> tuple[_Object, dict[str, str]]:
    """The resource, and the product fields that go with its kind."""
    target = report.inventory.target
    system = words.platform(report.inventory.distribution)
    here = {"Partition": owner.partition, "Region": owner.region}
    registry = _REGISTRY(target.name) if target.kind == "image" else None
    prefix = "aws/inspector/resources/1/resourceDetails/"
    if registry:
        return _registry_image(target, registry, here), {f"{prefix}awsEcrContainerImageDetails/platform": system}
    name = one_line(target.name) or target.kind
    if target.kind == "lambda" and _FUNCTION(target.name):
        function = target.name.partition(":function:")[2].partition(":")[0]
        details = {"AwsLambdaFunction": {"FunctionName": function}}
        return {"Type": "AwsLambdaFunction", "Id": target.name, **here, "Details": details}, {}
    if target.kind == "host" and _INSTANCE(target.name):
        arn = f"arn:{owner.partition}:ec2:{owner.region}:{owner.id}:{target.name}"
        facts = {"aws/inspector/instanceId": target.name, f"{prefix}awsEc2InstanceDetails/platform": system}
        return {"Type": "AwsEc2Instance", "Id": arn, **here}, facts
    if target.kind == "image":
        container = {"ImageName": name} | ({"ImageId": target.digest} if target.digest else {})
        return {"Type": "Container", "Id": cut(name, 512), **here, "Details": {"Container": container}}, {}
    other = {"kind": target.kind, "digest": target.digest, "platform": target.platform, "system": system}
    details_other = {key: value for key, value in other.items() if value}
    return {"Type": "Other", "Id": cut(name, 512), **here, "Details": {"Other": details_other}}, {}


def _registry_image(target: Target, registry: re.Match[str], here: _Object) -> _Object:
    digest = registry["digest"] or target.digest
    arn = f"arn:{here['Partition']}:ecr:{registry['region']}:{registry['account']}:repository/{registry['repository']}"
    details: _Object = {"RegistryId": registry["account"], "RepositoryName": registry["repository"]}
    if digest:
        arn += f"/{digest}"
        details["ImageDigest"] = digest
    tags = target.tags or ((registry["tag"],) if registry["tag"] else ())
    if tags:
        details["ImageTags"] = list(tags)
    machine = target.platform.partition("/")[2].partition("/")[0]
    if machine:
        details["Architecture"] = machine
    return {"Type": "AwsEcrContainerImage", "Id": arn, **here, "Details": {"AwsEcrContainerImage": details}}
