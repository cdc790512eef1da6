"""Connectors to other clouds, kept for the day that those are scanned: until then they wait to be enabled.

Source: Inspector's API reference, CreateConnector and its siblings.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from openinspector.api.arns import uuid_of
from openinspector.api.context import Context, Handler
from openinspector.api.errors import Conflict, QuotaExceeded, ResourceNotFound, field_failed
from openinspector.api.operations._tags import tags_of_new
from openinspector.api.operations._view import accounts_in_view
from openinspector.model.arn import own_arn
from openinspector.store import connectors as kept_connectors
from openinspector.store.arn_tags import tags_of
from openinspector.store.client_tokens import Once, earlier, remember
from openinspector.store.documents import kept

if TYPE_CHECKING:
    from sqlalchemy import Row

_PENDING: Final = "This version of openinspector scans no other clouds; the connector is kept."
_LARGEST_PAGE: Final = 100  # the model sets no bound
_CONNECTOR: Final = "CONNECTOR"
_PARTS: Final[Mapping[str, str]] = {"AZURE": "azure", "GCP": "gcp"}
_SCOPES: Final[Mapping[str, tuple[str, ...]]] = {
    "AZURE": ("TENANT", "SUBSCRIPTION"),
    "GCP": ("ORGANIZATION", "PROJECT"),
}
_CAPABILITIES: Final = ("vmScanning", "containerImageScanning", "serverlessScanning")


def create(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Keeps a connector; a call that is repeated with its token makes no other."""
    account, region = context.account_id, context.region
    detail = _detail(given["provider"], given["providerDetail"])
    rest = {name: value for name, value in given.items() if name != "clientToken"}
    call = Once(
        account=account,
        region=region,
        operation=context.operation.name,
        token=given.get("clientToken") or str(uuid4()),
        request=rest,
    )
    key = str(uuid4())
    answer = {"connectorArn": _arn(context, account, key)}
    values = {
        "id": key,
        "name": given["name"],
        "provider": given["provider"],
        "enablement": "PENDING_ENABLEMENT",
        "document": kept({"description": given.get("description"), "autoInstallVMScanner": True, **detail}),
        "created_at": context.now,
        "updated_at": context.now,
    }
    with context.connect(account) as connection:
        first = earlier(connection, call, context.now)
        if first is not None:
            if not first.is_same:
                raise field_failed("clientToken", "The token was used for a request with other parameters.")
            return first.answer
        if kept_connectors.count_connectors(connection, account, region) >= kept_connectors.MOST:
            message = f"An account has at most {kept_connectors.MOST} connectors."
            raise QuotaExceeded(message, resource_id=given["name"])
        arn, tags = answer["connectorArn"], tags_of_new(given)
        if not kept_connectors.add_connector(connection, account, region, values, arn=arn, tags=tags):
            message = f"There is a connector of the name {given['name']} already."
            raise Conflict(message, resource_id=given["name"], resource_type=_CONNECTOR)
        remember(connection, call, answer, context.now)
    return answer


def change(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Changes what is given of a connector."""
    arn = given["connectorArn"]
    with context.connect(context.account_id) as connection:
        found = kept_connectors.connector_of(connection, context.account_id, context.region, uuid_of(arn))
        if found is None or _arn(context, found.account, found.id) != arn:
            raise _not_found(arn)
        document = dict(found.document)
        if given.get("description") is not None:
            document["description"] = given["description"]
        if given.get("providerDetail"):
            document |= _detail(found.provider, given["providerDetail"])
        values = {"document": kept(document), "updated_at": context.now}
        kept_connectors.change_connector(connection, context.account_id, context.region, found.id, values)
    return {"connectorArn": arn}


def remove(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Forgets a connector."""
    arn = given["connectorArn"]
    key = uuid_of(arn)
    with context.connect(context.account_id) as connection:
        if _arn(context, context.account_id, key) != arn or not kept_connectors.remove_connector(
            connection, context.account_id, context.region, key, arn=arn
        ):
            raise _not_found(arn)
    return {}


def connectors(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The connectors of the account, for a delegated administrator its members' too."""
    asked = given.get("maxResults")
    if asked is not None and asked < 1:
        raise field_failed("maxResults", "Member must have value greater than or equal to 1")
    page = context.page(given)
    size = min(page.size, _LARGEST_PAGE)
    filters = given.get("filterCriteria") or {}
    if any(each["value"] != "CUSTOMER_MANAGED" for each in filters.get("connectorType") or ()):
        return {"items": []}  # no service has made any
    with context.connect(*accounts_in_view(context)) as connection:
        rows = kept_connectors.connectors(
            connection,
            context.region,
            arn_start=own_arn(context.region, "", "").removesuffix(":"),
            filters=filters,
            after=page.after,
            size=size,
        )
        shown = rows[:size]
        tags: dict[str, dict[str, str]] = {}
        for account in {row.account for row in shown}:
            arns = [_arn(context, account, row.id) for row in shown if row.account == account]
            tags |= tags_of(connection, account, context.region, arns)
    answer: dict[str, Any] = {"items": [_told(context, row, tags) for row in shown]}
    if len(rows) > size:
        answer["nextToken"] = page.token((shown[-1].account, shown[-1].id))
    return answer


def change_scan_configuration(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Sets how long the images that are found through a connector of AWS Config are scanned again."""
    config_connector = given["awsConfigConnectorArn"]
    durations = given["scanConfiguration"].get("containerImageScanning") or {}
    with context.connect(context.account_id) as connection:
        of_it = (context.account_id, context.region, config_connector)
        if not kept_connectors.has_config_connector(connection, *of_it):
            raise ResourceNotFound(f"No connector of the account uses {config_connector}.")
        told = {name: value for name, value in durations.items() if value is not None}
        kept_connectors.set_rescan_durations(connection, *of_it, told)
    return {}


def scan_configurations(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The scan configurations of the account's connectors, one for each connector of AWS Config."""
    page = context.page(given)
    with context.connect(context.account_id) as connection:
        rows = kept_connectors.scan_configurations(
            connection,
            context.account_id,
            context.region,
            wanted=given.get("awsConfigConnectorArns") or (),
            after=page.after,
            size=page.size,
        )
    shown = rows[: page.size]
    listed = [
        {
            "awsConfigConnectorArn": row.arn,
            "connectorArns": [_arn(context, context.account_id, key) for key in sorted(row.ids)],
            "scanConfiguration": {"containerImageScanning": row.durations},
        }
        for row in shown
    ]
    answer: dict[str, Any] = {"scanConfigurations": listed}
    if len(rows) > page.size:
        answer["nextToken"] = page.token((shown[-1].arn,))
    return answer


def _detail(provider: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of the other cloud, checked to be the provider's."""
    told: Mapping[str, Any] | None = details.get(_PARTS[provider])
    if told is None:
        raise field_failed("providerDetail", f"A connector of provider {provider} needs {_PARTS[provider]}.")
    scopes = told.get("scopeConfiguration") or {}
    for name in _CAPABILITIES:
        scope = scopes.get(name)
        if scope and scope["scopeType"] not in _SCOPES[provider]:
            path = f"providerDetail.{_PARTS[provider]}.scopeConfiguration.{name}.scopeType"
            raise field_failed(path, f"Member must satisfy enum value set: [{', '.join(_SCOPES[provider])}]")
    return {name: value for name, value in told.items() if value is not None}


def _told(context: Context, row: "Row[Any]", tags: Mapping[str, dict[str, str]]) -> dict[str, Any]:
    document = row.document
    arn = _arn(context, row.account, row.id)
    scopes = {
        name: {**scope, "state": "PENDING", "stateReason": _PENDING}
        for name in _CAPABILITIES
        if (scope := document["scopeConfiguration"].get(name))
    }
    is_azure = row.provider == "AZURE"
    return {
        "connectorArn": arn,
        "name": row.name,
        "description": document["description"],
        "provider": row.provider,
        "enablementStatus": row.enablement,
        "enablementStatusReason": _PENDING,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "awsConfigConnectorArn": document["awsConfigConnectorArn"],
        "autoInstallVMScanner": document["autoInstallVMScanner"],
        "azureRegions": document.get("azureRegions"),
        "gcpRegions": document.get("gcpRegions"),
        "scopeConfiguration": scopes if is_azure else None,
        "gcpScopeConfiguration": None if is_azure else scopes,
        "tags": tags.get(arn),
    }


def _arn(context: Context, account: str, key: str) -> str:
    return own_arn(context.region, account, f"connector/{key}")


def _not_found(arn: str) -> ResourceNotFound:
    return ResourceNotFound(f"There is no connector {arn}.")


OPERATIONS: Final[Mapping[str, Handler]] = {
    "CreateConnector": create,
    "UpdateConnector": change,
    "DeleteConnector": remove,
    "ListConnectors": connectors,
    "UpdateConnectorScanConfiguration": change_scan_configuration,
    "ListConnectorScanConfigurations": scan_configurations,
}
