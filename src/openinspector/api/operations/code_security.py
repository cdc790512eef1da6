"""Code security: integrations, scan configurations and their associations, kept for the scans to come.

An integration stays PENDING: nobody here talks to a host of repositories. So projects are known only where they were
handed in as resources, and there are no scans but those that were handed in.

Source: Inspector's API reference, CreateCodeSecurityIntegration and its siblings.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from openinspector.api.arns import uuid_of
from openinspector.api.context import Context, Handler
from openinspector.api.errors import (
    Conflict,
    QuotaExceeded,
    ResourceNotFound,
    ValidationFailed,
    field_failed,
)
from openinspector.api.operations._standing import need_admin
from openinspector.api.operations._tags import tags_of_new
from openinspector.api.operations._view import accounts_in_view
from openinspector.errors import StoreError
from openinspector.model.arn import own_arn
from openinspector.store import code_security as kept_code
from openinspector.store.arn_tags import tags_of
from openinspector.store.documents import kept

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_PENDING: Final = "The integration waits to be authorized, which this version of openinspector can't complete."
_WHERE: Final = "details.gitlabSelfManaged.accessToken"
_DETAILS: Final[Mapping[str, str]] = {
    # Which details a kind of integration needs; GITHUB takes none.
    "GITLAB_SELF_MANAGED": "gitlabSelfManaged",
    "GITHUB_ENTERPRISE_SERVER": "githubEnterprise",
}
_Failure = tuple[str, str] | None  # a status code and its message


def create_integration(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Keeps an integration, its token sealed."""
    account, region = context.account_id, context.region
    key = str(uuid4())
    arn = _integration_arn(context, key)
    details = dict(_details(given))
    token = details.pop("accessToken", None)
    values = {
        "id": key,
        "name": given["name"],
        "type": given["type"],
        "status": "PENDING",
        "document": kept(details),
        "sealed_token": None if token is None else _sealed(context, key, token),
        "created_at": context.now,
        "updated_at": context.now,
    }
    with context.connect(account) as connection:
        if kept_code.count_integrations(connection, account, region) >= kept_code.MOST_INTEGRATIONS:
            message = f"An account has at most {kept_code.MOST_INTEGRATIONS} code security integrations."
            raise QuotaExceeded(message, resource_id=given["name"])
        tags = tags_of_new(given)
        if not kept_code.add_integration(connection, account, region, values, arn=arn, tags=tags):
            message = f"There is an integration of the name {given['name']} already."
            raise Conflict(message, resource_id=given["name"], resource_type="CODE_SECURITY_INTEGRATION")
    return {"integrationArn": arn, "status": "PENDING"}


def get_integration(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """An integration without its token."""
    arn = given["integrationArn"]
    with context.connect(context.account_id) as connection:
        found = kept_code.integration(connection, context.account_id, context.region, uuid_of(arn))
        if found is None or _integration_arn(context, found.id) != arn:
            raise _no_integration(arn)
        tags = tags_of(connection, context.account_id, context.region, [arn])
    return {
        **_integration_told(context, found),
        "vpcConfiguration": found.document.get("vpcConfiguration"),
        "instanceUrl": found.document.get("instanceUrl"),
        "tags": tags.get(arn),
    }


def integrations(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The account's integrations, by name."""
    page = context.page(given)
    with context.connect(context.account_id) as connection:
        rows = kept_code.integrations(connection, context.account_id, context.region, after=page.after, size=page.size)
    shown = rows[: page.size]
    answer: dict[str, Any] = {"integrations": [_integration_told(context, row) for row in shown]}
    if len(rows) > page.size:
        answer["nextToken"] = page.token((shown[-1].name, shown[-1].id))
    return answer


def delete_integration(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Forgets an integration and its token."""
    arn = given["integrationArn"]
    key = uuid_of(arn)
    with context.connect(context.account_id) as connection:
        if _integration_arn(context, key) != arn or not kept_code.remove_integration(
            connection, context.account_id, context.region, key, arn=arn
        ):
            raise _no_integration(arn)
    return {"integrationArn": arn}


def create_configuration(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Keeps a configuration; that of a whole organization is for its administrator to make."""
    account, region = context.account_id, context.region
    tags = tags_of_new(given)
    scope = given.get("scopeSettings") or {}
    is_default = scope.get("projectSelectionScope") == "ALL"
    key = str(uuid4())
    with context.connect(account) as connection:
        owner = account
        if given["level"] == "ORGANIZATION":
            owner = need_admin(connection, context).organization_id
            if tags:
                raise field_failed("tags", "A configuration of an organization can't be tagged.")
        if not is_default and (
            kept_code.count_configurations(connection, account, region) >= kept_code.MOST_CONFIGURATIONS
        ):
            message = f"An account has at most {kept_code.MOST_CONFIGURATIONS} code security scan configurations."
            raise QuotaExceeded(message, resource_id=given["name"])
        arn = _configuration_arn(context, owner, key)
        values = {
            "id": key,
            "owner_id": owner,
            "name": given["name"],
            "level": given["level"],
            "is_default": is_default,
            "document": kept({"configuration": given["configuration"], "scopeSettings": scope}),
            "created_at": context.now,
            "updated_at": context.now,
        }
        if not kept_code.add_configuration(connection, account, region, values, arn=arn, tags=tags):
            message = "There is a default scan configuration already."
            raise Conflict(message, resource_id=given["name"], resource_type="CODE_SECURITY_SCAN_CONFIGURATION")
    return {"scanConfigurationArn": arn}


def update_configuration(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Replaces what a configuration says of rules and times."""
    arn = given["scanConfigurationArn"]
    with context.connect(context.account_id) as connection:
        found = _configuration(context, connection, arn)
        document = {**found.document, "configuration": kept(given["configuration"])}
        kept_code.change_configuration(connection, found, document, context.now)
    return {"scanConfigurationArn": arn}


def get_configuration(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """A configuration."""
    arn = given["scanConfigurationArn"]
    with context.connect(context.account_id) as connection:
        found = _configuration(context, connection, arn)
        tags = tags_of(connection, context.account_id, context.region, [arn])
    return {
        "scanConfigurationArn": arn,
        "name": found.name,
        "configuration": found.document["configuration"],
        "level": found.level,
        "scopeSettings": found.document["scopeSettings"] or None,
        "createdAt": found.created_at,
        "lastUpdatedAt": found.updated_at,
        "tags": tags.get(arn),
    }


def configurations(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The account's configurations, by name."""
    page = context.page(given)
    with context.connect(context.account_id) as connection:
        rows = kept_code.configurations(
            connection, context.account_id, context.region, after=page.after, size=page.size
        )
    shown = rows[: page.size]
    answer: dict[str, Any] = {"configurations": [_configuration_told(context, row) for row in shown]}
    if len(rows) > page.size:
        answer["nextToken"] = page.token((shown[-1].name, shown[-1].id))
    return answer


def delete_configuration(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Forgets a configuration and its associations."""
    arn = given["scanConfigurationArn"]
    with context.connect(context.account_id) as connection:
        kept_code.remove_configuration(connection, _configuration(context, connection, arn), arn=arn)
    return {"scanConfigurationArn": arn}


def associate(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Has projects scanned by configurations; each request succeeds or fails by itself."""
    accounts = accounts_in_view(context)

    def one(connection: "Connection", configuration: "Row[Any]", project: str) -> _Failure:
        if not kept_code.is_project(connection, accounts, context.region, project):
            return "RESOURCE_NOT_FOUND", f"There is no project {project}."
        if not kept_code.associate(connection, configuration, project, context.now):
            return "QUOTA_EXCEEDED", (
                f"A project has at most {kept_code.MOST_OF_PROJECT} configurations, and a configuration at most"
                f" {kept_code.MOST_PROJECTS} projects."
            )
        return None

    with context.connect(*accounts) as connection:
        return _batch(context, connection, given["associateConfigurationRequests"], one)


def disassociate(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Ends associations; each request succeeds or fails by itself."""

    def one(connection: "Connection", configuration: "Row[Any]", project: str) -> _Failure:
        if not kept_code.disassociate(connection, configuration, project):
            return "RESOURCE_NOT_FOUND", f"Project {project} is not associated with the configuration."
        return None

    with context.connect(context.account_id) as connection:
        return _batch(context, connection, given["disassociateConfigurationRequests"], one)


def associations(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The projects of a configuration, by id."""
    page = context.page(given)
    with context.connect(context.account_id) as connection:
        found = _configuration(context, connection, given["scanConfigurationArn"])
        rows = kept_code.associations(connection, found, after=page.after, size=page.size)
    shown = rows[: page.size]
    answer: dict[str, Any] = {"associations": [{"resource": {"projectId": row.project_id}} for row in shown]}
    if len(rows) > page.size:
        answer["nextToken"] = page.token((shown[-1].project_id,))
    return answer


def get_scan(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """A scan of a project, how far it is."""
    project = given["resource"]["projectId"]
    with context.connect(context.account_id) as connection:
        found = kept_code.scan(connection, context.account_id, context.region, given["scanId"], project)
    if found is None:
        raise ResourceNotFound(f"There is no scan {given['scanId']} of {project}.")
    return {
        "scanId": found.id,
        "resource": {"projectId": found.project_id},
        "accountId": found.account,
        "status": found.status,
        "statusReason": found.document.get("statusReason"),
        "createdAt": found.created_at,
        "updatedAt": found.updated_at,
        "lastCommitId": found.last_commit_id or None,
    }


def _details(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What there is to know of the host, checked to be of the integration's kind."""
    told = {name: details for name, details in (given.get("details") or {}).items() if details is not None}
    needed = _DETAILS.get(given["type"])
    if needed is None and told:
        raise field_failed("details", f"An integration of type {given['type']} takes no details.")
    if needed is not None and needed not in told:
        raise field_failed("details", f"An integration of type {given['type']} needs {needed}.")
    details: Mapping[str, Any] = told[needed] if needed else {}
    return details


def _sealed(context: Context, key: str, token: str) -> bytes:
    if not token:
        raise field_failed(_WHERE, "Member must not be empty")
    if context.sealer is None:
        raise ValidationFailed("This service has no sealing key, and keeps no access tokens without one.")
    try:
        return kept_code.sealed_token(context.sealer, context.account_id, key, token)
    except StoreError as error:
        raise field_failed(_WHERE, "The token is too long.") from error


def _batch(
    context: Context,
    connection: "Connection",
    requests: Sequence[Mapping[str, Any]],
    one: "Callable[[Connection, Row[Any], str], _Failure]",
) -> dict[str, Any]:
    """What became of each request. In the order of their locks, so that two batches don't stop each other."""
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for each in sorted(requests, key=lambda given: (given["scanConfigurationArn"], given["resource"]["projectId"])):
        arn, project = each["scanConfigurationArn"], each["resource"]["projectId"]
        about = {"scanConfigurationArn": arn, "resource": {"projectId": project}}
        try:
            failure = one(connection, _configuration(context, connection, arn), project)
        except ResourceNotFound as error:
            failure = "SCAN_CONFIGURATION_NOT_FOUND", error.message
        if failure is None:
            done.append(about)
        else:
            failed.append({**about, "statusCode": failure[0], "statusMessage": failure[1]})
    return {"successfulAssociations": done, "failedAssociations": failed}


def _configuration(context: Context, connection: "Connection", arn: str) -> "Row[Any]":
    """The account's configuration of an ARN."""
    found = kept_code.configuration(connection, context.account_id, context.region, uuid_of(arn))
    if found is None or _configuration_arn(context, found.owner_id, found.id) != arn:
        raise ResourceNotFound(f"There is no code security scan configuration {arn}.")
    return found


def _integration_told(context: Context, row: "Row[Any]") -> dict[str, Any]:
    return {
        "integrationArn": _integration_arn(context, row.id),
        "name": row.name,
        "type": row.type,
        "status": row.status,
        "statusReason": _PENDING,
        "createdOn": row.created_at,
        "lastUpdateOn": row.updated_at,
    }


def _configuration_told(context: Context, row: "Row[Any]") -> dict[str, Any]:
    settings = row.document["configuration"]
    periodic = settings.get("periodicScanConfiguration") or {}
    continuous = settings.get("continuousIntegrationScanConfiguration") or {}
    return {
        "scanConfigurationArn": _configuration_arn(context, row.owner_id, row.id),
        "name": row.name,
        "ownerAccountId": row.owner_id,
        "periodicScanFrequency": periodic.get("frequency"),
        "frequencyExpression": periodic.get("frequencyExpression"),
        "continuousIntegrationScanSupportedEvents": continuous.get("supportedEvents"),
        "ruleSetCategories": settings["ruleSetCategories"],
        "scopeSettings": row.document["scopeSettings"] or None,
    }


def _integration_arn(context: Context, key: str) -> str:
    return own_arn(context.region, context.account_id, f"codesecurity-integration/{key}")


def _configuration_arn(context: Context, owner: str, key: str) -> str:
    return own_arn(context.region, context.account_id, f"owner/{owner}/codesecurity-configuration/{key}")


def _no_integration(arn: str) -> ResourceNotFound:
    return ResourceNotFound(f"There is no code security integration {arn}.")


OPERATIONS: Final[Mapping[str, Handler]] = {
    "CreateCodeSecurityIntegration": create_integration,
    "GetCodeSecurityIntegration": get_integration,
    "ListCodeSecurityIntegrations": integrations,
    "DeleteCodeSecurityIntegration": delete_integration,
    "CreateCodeSecurityScanConfiguration": create_configuration,
    "UpdateCodeSecurityScanConfiguration": update_configuration,
    "GetCodeSecurityScanConfiguration": get_configuration,
    "ListCodeSecurityScanConfigurations": configurations,
    "DeleteCodeSecurityScanConfiguration": delete_configuration,
    "BatchAssociateCodeSecurityScanConfiguration": associate,
    "BatchDisassociateCodeSecurityScanConfiguration": disassociate,
    "ListCodeSecurityScanConfigurationAssociations": associations,
    "GetCodeSecurityScan": get_scan,
}
DECLINED: Final[Mapping[str, str]] = {
    "UpdateCodeSecurityIntegration": (
        "It exchanges no authorization codes with hosts of repositories; an integration stays PENDING."
    ),
    "StartCodeSecurityScan": "It scans no repositories for code vulnerabilities yet.",
}
