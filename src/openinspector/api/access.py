"""What a role may call, what is written down of it, and which rate it counts against.

Every operation of the two services stands in exactly one of the sets below, and so does `Ingest`, our own. What stands
in none is refused. Roles say *what* may be called; *whose* data a call sees is the handlers' and the database's affair.

Source: IAM service authorization reference, "Actions defined by Amazon Inspector2" (access levels);
AmazonInspector2ManagedCisPolicy (what a host needs for CIS sessions).
"""

from collections.abc import Mapping
from typing import Final

from openinspector.api.throttle import Class
from openinspector.model.access import Caller, Role

READING: Final = frozenset(
    "BatchGetAccountStatus BatchGetCodeSnippet BatchGetFindingDetails BatchGetFreeTrialInfo"
    " BatchGetMemberEc2DeepInspectionStatus DescribeOrganizationConfiguration GetCisScanReport GetCisScanResultDetails"
    " GetClustersForImage GetCodeSecurityIntegration GetCodeSecurityScan GetCodeSecurityScanConfiguration"
    " GetConfiguration GetDelegatedAdminAccount GetEc2DeepInspectionConfiguration GetEncryptionKey"
    " GetFindingsReportStatus GetMember GetOnDemandScanStatus GetSbomExport ListAccountPermissions"
    " ListCisScanConfigurations ListCisScanResultsAggregatedByChecks ListCisScanResultsAggregatedByTargetResource"
    " ListCisScans ListCodeSecurityIntegrations ListCodeSecurityScanConfigurationAssociations"
    " ListCodeSecurityScanConfigurations ListConnectorScanConfigurations ListConnectors ListCoverage"
    " ListCoverageStatistics ListDelegatedAdminAccounts ListFilters ListFindingAggregations ListFindings ListMembers"
    " ListOnDemandScans ListTagsForResource ListUsageTotals SearchVulnerabilities".split()
)
SCANNING: Final = frozenset({"ScanSbom"})  # changes nothing
REPORTING: Final = frozenset("SendCisSessionHealth SendCisSessionTelemetry StartCisSession StopCisSession".split())
INGESTING: Final = frozenset({"Ingest"})
CHANGING: Final = frozenset(
    "AssociateMember BatchAssociateCodeSecurityScanConfiguration BatchDisassociateCodeSecurityScanConfiguration"
    " BatchUpdateMemberEc2DeepInspectionStatus CancelFindingsReport CancelSbomExport CreateCisScanConfiguration"
    " CreateCodeSecurityIntegration CreateCodeSecurityScanConfiguration CreateConnector CreateFilter"
    " CreateFindingsReport CreateSbomExport DeleteCisScanConfiguration DeleteCodeSecurityIntegration"
    " DeleteCodeSecurityScanConfiguration DeleteConnector DeleteFilter Disable DisableDelegatedAdminAccount"
    " DisassociateMember Enable EnableDelegatedAdminAccount ResetEncryptionKey StartCodeSecurityScan StartOnDemandScan"
    " TagResource UntagResource UpdateCisScanConfiguration UpdateCodeSecurityIntegration"
    " UpdateCodeSecurityScanConfiguration UpdateConfiguration UpdateConnector UpdateConnectorScanConfiguration"
    " UpdateEc2DeepInspectionConfiguration UpdateEncryptionKey UpdateFilter UpdateOrgEc2DeepInspectionConfiguration"
    " UpdateOrganizationConfiguration".split()
)
# What may cost a second or more of database or processor.
HEAVY: Final = frozenset(
    "CreateFindingsReport CreateSbomExport ListCoverageStatistics ListFindingAggregations ScanSbom"
    " SearchVulnerabilities".split()
)
ROLE_OPERATIONS: Final[Mapping[Role, frozenset[str]]] = {
    "admin": READING | SCANNING | REPORTING | INGESTING | CHANGING,
    "reader": READING | SCANNING,
    "ingest": INGESTING | REPORTING,  # a host reports what it holds, and how its CIS session goes
}
MUTATING: Final = CHANGING | REPORTING | INGESTING  # each call of these leaves an entry in the audit log


def may(role: Role, operation: str) -> bool:
    """Whether a role may call an operation (`ListFindings`)."""
    return operation in ROLE_OPERATIONS[role]


def refusal(caller: Caller, service: str, operation: str) -> str:
    """Why a caller may not call an operation, as AWS words it; "" where it may."""
    if may(caller.role, operation):
        return ""
    return (
        f"User: arn:aws:iam::{caller.account}:user/{caller.key_id} is not authorized to perform:"
        f" {service}:{operation} because no identity-based policy allows the {service}:{operation} action"
    )


def class_of(operation: str) -> Class:
    """Which rate an operation counts against."""
    if operation in HEAVY:
        return "heavy"
    if operation in INGESTING | REPORTING:
        return "ingest"
    return "read" if operation in READING else "write"
