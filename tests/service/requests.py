"""A valid request for each operation, and what becomes of it when somebody else sends it.

`CASES[name].make(world)` prepares what the request needs and gives its parameters, which `CASES[name].who` may send.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.service.world import (
    ADMIN,
    AMI,
    CVE,
    JOINER,
    MANAGER,
    MEMBER,
    OWNER,
    REGION,
    World,
    cis_run,
)

Params = dict[str, Any]
Made = Callable[[World], Params]

CONFIG = f"arn:aws:config:{REGION}:999900009999:connector/azure/one/1"
SCHEDULE = {"daily": {"startTime": {"timeOfDay": "03:00", "timezone": "Europe/London"}}}
TARGETS = {"accountIds": ["SELF"], "targetResourceTags": {"env": ["prod"]}}
CIS = {"scanName": "nightly", "securityLevel": "LEVEL_1", "schedule": SCHEDULE, "targets": TARGETS}
SCOPE = {"scopeType": "SUBSCRIPTION", "scopeValues": ["01234567-89ab-cdef-0123-456789abcdef"]}
AZURE = {"awsConfigConnectorArn": CONFIG, "scopeConfiguration": {"vmScanning": SCOPE}, "azureRegions": ["westeurope"]}
RULES = {"ruleSetCategories": ["SCA"]}
ACTIVE = {"findingStatus": [{"comparison": "EQUALS", "value": "ACTIVE"}]}
BILL = {
    "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
    "components": [{"type": "library", "name": "jinja2", "version": "2.10", "purl": "pkg:pypi/jinja2@2.10"}],
}  # fmt: skip
KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/01234567-89ab-cdef-0123-456789abcdef"
SCAN_TYPE = {"scanType": "CODE", "resourceType": "AWS_LAMBDA_FUNCTION"}
BUCKET = {"bucketName": "reports", "keyPrefix": "x", "kmsKeyArn": KEY}

NONE = "its own"  # what a stranger's request says nothing of others: it is answered, about the stranger
DENIED, UNKNOWN, INVALID = "AccessDeniedException", "ResourceNotFoundException", "ValidationException"
FAILED = "failed"  # answered, with everything in the list of what failed
EMPTY = "empty"  # answered, with nothing in it


@dataclass(frozen=True)
class Case:
    """`foreign` is what a stranger is told who sends the same: an error's code, or one of the words above."""

    make: Made
    foreign: str
    who: str = OWNER


def name() -> str:
    return f"n-{uuid4().hex[:12]}"


def always(**params: Any) -> Made:
    return lambda _: dict(params)


def integration(world: World) -> str:
    made = world.client(OWNER).create_code_security_integration(name=name(), type="GITHUB")
    arn: str = made["integrationArn"]
    return arn


def configuration(world: World) -> str:
    made = world.client(OWNER).create_code_security_scan_configuration(
        name=name(), level="ACCOUNT", configuration=RULES
    )
    arn: str = made["scanConfigurationArn"]
    return arn


def cis_configuration(world: World) -> str:
    arn: str = world.client(OWNER).create_cis_scan_configuration(**CIS)["scanConfigurationArn"]
    return arn


def saved_filter(world: World) -> str:
    arn: str = world.client(OWNER).create_filter(name=name(), action="NONE", filterCriteria=ACTIVE)["arn"]
    return arn


def connector(world: World) -> str:
    given = {"name": name(), "provider": "AZURE", "providerDetail": {"azure": AZURE}}
    arn: str = world.client(OWNER).create_connector(**given)["connectorArn"]
    return arn


def association(world: World) -> Params:
    return {"scanConfigurationArn": configuration(world), "resource": {"projectId": world.estates[OWNER].project}}


def associated(world: World) -> Params:
    given = association(world)
    world.client(OWNER).batch_associate_code_security_scan_configuration(associateConfigurationRequests=[given])
    return given


def session(world: World, *, begun: bool = True) -> Params:
    _, job = cis_run(world, OWNER, world.estates[OWNER].instance)
    token = str(uuid4())
    if begun:
        world.client(OWNER).start_cis_session(scanJobId=job, message={"sessionToken": token})
    return {"scanJobId": job, "sessionToken": token}


def not_begun(world: World) -> Params:
    given = session(world, begun=False)
    return {"scanJobId": given["scanJobId"], "message": {"sessionToken": given["sessionToken"]}}


def with_key(world: World) -> Params:
    world.client(OWNER).update_encryption_key(**SCAN_TYPE, kmsKeyId=KEY)
    return dict(SCAN_TYPE)


def tagged(world: World) -> Params:
    arn = saved_filter(world)
    world.client(OWNER).tag_resource(resourceArn=arn, tags={"team": "red"})
    return {"resourceArn": arn}


def of_scan(world: World) -> Params:
    world.client(OWNER).list_cis_scans()  # settles what is over
    return {"scanArn": world.estates[OWNER].cis_scan}


def with_filters(world: World) -> Params:
    saved_filter(world)
    saved_filter(world)
    return {}


def after(make: Callable[[World], Any], **params: Any) -> Made:
    """A request that needs something to be there, and doesn't name it."""

    def made(world: World) -> Params:
        make(world)
        return dict(params)

    return made


def of(member: str, make: Callable[[World], Any], **params: Any) -> Made:
    """A request that names what is made for it."""
    return lambda world: {member: make(world), **params}


def without_report(world: World) -> Params:
    """A request for a report, where none is being made."""
    ours = world.client(OWNER)
    try:
        latest = ours.get_findings_report_status()
        if latest["status"] == "IN_PROGRESS":
            ours.cancel_findings_report(reportId=latest["reportId"])
    except ours.exceptions.ResourceNotFoundException:
        pass
    return {"reportFormat": "JSON", "s3Destination": BUCKET, "filterCriteria": ACTIVE}


def report(world: World) -> Params:
    return {"reportId": world.client(OWNER).create_findings_report(**without_report(world))["reportId"]}


def bill(world: World) -> Params:
    given = {"reportFormat": "CYCLONEDX_1_4", "s3Destination": BUCKET}
    return {"reportId": world.client(OWNER).create_sbom_export(**given)["reportId"]}


def connected(world: World) -> Params:
    config = f"arn:aws:config:{REGION}:{OWNER}:connector/azure/one/{name()}"
    detail = {"azure": AZURE | {"awsConfigConnectorArn": config}}
    world.client(OWNER).create_connector(name=name(), provider="AZURE", providerDetail=detail)
    return {
        "awsConfigConnectorArn": config,
        "scanConfiguration": {"containerImageScanning": {"pushDuration": "DAYS_30"}},
    }


def joined(world: World) -> Params:
    world.client(ADMIN).associate_member(accountId=JOINER)
    return {"accountId": JOINER}


def not_joined(world: World) -> Params:
    ours = world.client(ADMIN)
    if ours.get_member(accountId=JOINER)["member"]["relationshipStatus"] == "ENABLED":
        ours.disassociate_member(accountId=JOINER)
    return {"accountId": JOINER}


def dismissed(world: World) -> Params:
    ours = world.client(MANAGER)
    if ours.list_delegated_admin_accounts()["delegatedAdminAccounts"]:
        ours.disable_delegated_admin_account(delegatedAdminAccountId=ADMIN)
    return {"delegatedAdminAccountId": ADMIN, "clientToken": name()}


def appointed(world: World) -> Params:
    """The administrator in office, with its member. Whoever dismisses it leaves that to be made good."""
    ours = world.client(MANAGER)
    if not ours.list_delegated_admin_accounts()["delegatedAdminAccounts"]:
        ours.enable_delegated_admin_account(delegatedAdminAccountId=ADMIN)
    world.client(ADMIN).associate_member(accountId=MEMBER)
    return {"delegatedAdminAccountId": ADMIN}


def deep(world: World) -> Params:
    return {"accountIds": [{"accountId": MEMBER, "activateDeepInspection": True}]}


PROGRESS = {"totalChecks": 2, "successfulChecks": 1, "failedChecks": 1}
TELEMETRY = [{"ruleId": "1.1", "status": "PASSED", "cisRuleDetails": b'{"title": "x"}'}]

CASES: Mapping[str, Case] = {
    "AssociateMember": Case(not_joined, DENIED, ADMIN),
    "BatchAssociateCodeSecurityScanConfiguration": Case(
        lambda world: {"associateConfigurationRequests": [association(world)]}, FAILED
    ),
    "BatchDisassociateCodeSecurityScanConfiguration": Case(
        lambda world: {"disassociateConfigurationRequests": [associated(world)]}, FAILED
    ),
    "BatchGetAccountStatus": Case(always(accountIds=[OWNER]), FAILED),
    "BatchGetCodeSnippet": Case(lambda world: {"findingArns": [world.estates[OWNER].code_finding]}, FAILED),
    "BatchGetFindingDetails": Case(lambda world: {"findingArns": [world.estates[OWNER].finding]}, FAILED),
    "BatchGetFreeTrialInfo": Case(always(accountIds=[OWNER]), FAILED),
    "BatchGetMemberEc2DeepInspectionStatus": Case(always(accountIds=[MEMBER]), DENIED, ADMIN),
    "BatchUpdateMemberEc2DeepInspectionStatus": Case(deep, DENIED, ADMIN),
    "CancelFindingsReport": Case(report, UNKNOWN),
    "CancelSbomExport": Case(bill, UNKNOWN),
    "CreateCisScanConfiguration": Case(always(**CIS), NONE),
    "CreateCodeSecurityIntegration": Case(lambda _: {"name": name(), "type": "GITHUB", "tags": {"a": "b"}}, NONE),
    "CreateCodeSecurityScanConfiguration": Case(
        lambda _: {"name": name(), "level": "ACCOUNT", "configuration": RULES}, NONE
    ),
    "CreateConnector": Case(
        lambda _: {
            "name": name(),
            "provider": "AZURE",
            "providerDetail": {"azure": AZURE},
            "clientToken": name(),
        },
        NONE,
    ),  # fmt: skip
    "CreateFilter": Case(lambda _: {"name": name(), "action": "SUPPRESS", "filterCriteria": ACTIVE}, NONE),
    "CreateFindingsReport": Case(without_report, NONE),
    "CreateSbomExport": Case(always(reportFormat="CYCLONEDX_1_4", s3Destination=BUCKET), NONE),
    "DeleteCisScanConfiguration": Case(of("scanConfigurationArn", cis_configuration), UNKNOWN),
    "DeleteCodeSecurityIntegration": Case(of("integrationArn", integration), UNKNOWN),
    "DeleteCodeSecurityScanConfiguration": Case(of("scanConfigurationArn", configuration), UNKNOWN),
    "DeleteConnector": Case(of("connectorArn", connector), UNKNOWN),
    "DeleteFilter": Case(of("arn", saved_filter), UNKNOWN),
    "DescribeOrganizationConfiguration": Case(after(appointed), DENIED, ADMIN),
    "Disable": Case(always(accountIds=[OWNER], resourceTypes=["ECR"]), FAILED),
    "DisableDelegatedAdminAccount": Case(appointed, DENIED, MANAGER),
    "DisassociateMember": Case(joined, DENIED, ADMIN),
    "Enable": Case(lambda _: {"accountIds": [OWNER], "resourceTypes": ["EC2", "ECR"], "clientToken": name()}, FAILED),
    "EnableDelegatedAdminAccount": Case(dismissed, DENIED, MANAGER),
    "GetCisScanReport": Case(lambda world: {**of_scan(world), "reportFormat": "CSV"}, UNKNOWN),
    "GetCisScanResultDetails": Case(
        lambda world: {
            **of_scan(world),
            "accountId": OWNER,
            "targetResourceId": world.estates[OWNER].instance,
        },
        DENIED,
    ),  # fmt: skip
    "GetClustersForImage": Case(lambda world: {"filter": {"resourceId": world.estates[OWNER].image}}, EMPTY),
    "GetCodeSecurityIntegration": Case(of("integrationArn", integration), UNKNOWN),
    "GetCodeSecurityScan": Case(
        lambda world: {
            "resource": {"projectId": world.estates[OWNER].project},
            "scanId": world.estates[OWNER].code_scan,
        },
        UNKNOWN,
    ),  # fmt: skip
    "GetCodeSecurityScanConfiguration": Case(of("scanConfigurationArn", configuration), UNKNOWN),
    "GetConfiguration": Case(always(accountId=OWNER), DENIED),
    "GetDelegatedAdminAccount": Case(after(appointed), UNKNOWN, MEMBER),
    "GetEc2DeepInspectionConfiguration": Case(always(), NONE),
    "GetEncryptionKey": Case(with_key, UNKNOWN),
    "GetFindingsReportStatus": Case(report, UNKNOWN),
    "GetMember": Case(always(accountId=MEMBER), DENIED, ADMIN),
    "GetOnDemandScanStatus": Case(
        lambda world: {
            "resourceId": AMI,
            "resourceType": "AMI",
            "scanId": world.estates[OWNER].on_demand_scan,
        },
        UNKNOWN,
    ),  # fmt: skip
    "GetSbomExport": Case(bill, UNKNOWN),
    "ListAccountPermissions": Case(always(), NONE),
    "ListCisScanConfigurations": Case(after(cis_configuration), NONE),
    "ListCisScanResultsAggregatedByChecks": Case(of_scan, INVALID),
    "ListCisScanResultsAggregatedByTargetResource": Case(of_scan, INVALID),
    "ListCisScans": Case(after(of_scan), NONE),
    "ListCodeSecurityIntegrations": Case(after(lambda world: (integration(world), integration(world))), NONE),
    "ListCodeSecurityScanConfigurationAssociations": Case(
        lambda world: {"scanConfigurationArn": associated(world)["scanConfigurationArn"]}, UNKNOWN
    ),
    "ListCodeSecurityScanConfigurations": Case(after(lambda world: (configuration(world), configuration(world))), NONE),
    "ListConnectorScanConfigurations": Case(after(connector), NONE),
    "ListConnectors": Case(after(lambda world: (connector(world), connector(world))), NONE),
    "ListCoverage": Case(always(), NONE),
    "ListCoverageStatistics": Case(always(groupBy="RESOURCE_TYPE"), NONE),
    "ListDelegatedAdminAccounts": Case(after(appointed), DENIED, MANAGER),
    "ListFilters": Case(with_filters, NONE),
    "ListFindingAggregations": Case(always(aggregationType="ACCOUNT"), NONE),
    "ListFindings": Case(always(), NONE),
    "ListMembers": Case(after(appointed), DENIED, ADMIN),
    "ListOnDemandScans": Case(always(resourceId=AMI, resourceType="AMI"), NONE),
    "ListTagsForResource": Case(tagged, UNKNOWN),
    "ListUsageTotals": Case(always(), NONE),
    "ResetEncryptionKey": Case(with_key, UNKNOWN),
    "ScanSbom": Case(always(sbom=BILL, outputFormat="CYCLONE_DX_1_5"), NONE),
    "SearchVulnerabilities": Case(always(filterCriteria={"vulnerabilityIds": [CVE]}), NONE),
    "SendCisSessionHealth": Case(session, DENIED),
    "SendCisSessionTelemetry": Case(lambda world: {**session(world), "messages": TELEMETRY}, DENIED),
    "StartCisSession": Case(not_begun, DENIED),
    "StartCodeSecurityScan": Case(lambda world: {"resource": {"projectId": world.estates[OWNER].project}}, UNKNOWN),
    "StartOnDemandScan": Case(always(resourceId=AMI, resourceType="AMI"), NONE),
    "StopCisSession": Case(
        lambda world: {**session(world), "message": {"status": "SUCCESS", "progress": PROGRESS}}, DENIED
    ),
    "TagResource": Case(of("resourceArn", saved_filter, tags={"team": "red"}), UNKNOWN),
    "UntagResource": Case(lambda world: {**tagged(world), "tagKeys": ["team"]}, UNKNOWN),
    "UpdateCisScanConfiguration": Case(of("scanConfigurationArn", cis_configuration, scanName="other"), UNKNOWN),
    "UpdateCodeSecurityIntegration": Case(
        of("integrationArn", integration, details={"github": {"code": "c", "installationId": "1"}}), UNKNOWN
    ),
    "UpdateCodeSecurityScanConfiguration": Case(
        of("scanConfigurationArn", configuration, configuration={"ruleSetCategories": ["IAC"]}), UNKNOWN
    ),
    "UpdateConfiguration": Case(always(accountId=OWNER, ecrConfiguration={"rescanDuration": "DAYS_30"}), DENIED),
    "UpdateConnector": Case(of("connectorArn", connector, description="new"), UNKNOWN),
    "UpdateConnectorScanConfiguration": Case(connected, UNKNOWN),
    "UpdateEc2DeepInspectionConfiguration": Case(always(packagePaths=["/opt/app"]), NONE),
    "UpdateEncryptionKey": Case(always(**SCAN_TYPE, kmsKeyId=KEY), NONE),
    "UpdateFilter": Case(of("filterArn", saved_filter, description="new"), UNKNOWN),
    "UpdateOrgEc2DeepInspectionConfiguration": Case(always(orgPackagePaths=["/opt/app"]), DENIED, ADMIN),
    "UpdateOrganizationConfiguration": Case(always(autoEnable={"ec2": True, "ecr": False}), DENIED, ADMIN),
}
