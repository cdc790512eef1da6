"""CIS scan configurations: when which instances are checked against which level of a benchmark.

A delegated administrator's configuration for other accounts belongs to its organization; any other to the account that
made it. An administrator sees its members', and nobody changes another account's.

Source: Inspector's API reference, CreateCisScanConfiguration and its siblings; user guide, "CIS scans".
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from openinspector.api.arns import uuid_of
from openinspector.api.context import Context, Handler
from openinspector.api.errors import AccessDenied, ResourceNotFound, ValidationFailed, field_failed
from openinspector.api.operations._standing import need_admin
from openinspector.api.operations._tags import tags_of_new
from openinspector.api.operations._view import accounts_in_view
from openinspector.errors import UsageError
from openinspector.model.arn import own_arn
from openinspector.pipeline.cis_schedule import next_run
from openinspector.store import cis
from openinspector.store.arn_tags import tags_of
from openinspector.store.documents import kept
from openinspector.store.organizations import associated

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SELF: Final = "SELF"
_ALL: Final = "ALL_ACCOUNTS"


def create(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Keeps a configuration, with the moment of its first run."""
    from uuid import uuid4

    document = {name: given[name] for name in ("securityLevel", "schedule", "targets")}
    due_at = _due(context, given["schedule"])
    with context.connect(context.account_id) as connection:
        owner = _owner(context, connection, document["targets"])
        tags = tags_of_new(given)
        if tags and owner != context.account_id:
            raise field_failed("tags", "A configuration that an organization owns can't be tagged.")
        key = str(uuid4())
        arn = _arn(context, context.account_id, owner, key)
        values = {
            "id": key,
            "owner_id": owner,
            "name": kept(given["scanName"]),
            "document": kept(document),
            "due_at": due_at,
            "created_at": context.now,
            "updated_at": context.now,
        }
        if not cis.add_configuration(connection, context.account_id, context.region, values, arn=arn, tags=tags):
            raise ValidationFailed(f"An account has at most {cis.MOST_CONFIGURATIONS} CIS scan configurations.")
    context.poke("cis-schedules")
    return {"scanConfigurationArn": arn}


def change(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Changes what is given of a configuration; of its targets too, only what is given."""
    arn = given["scanConfigurationArn"]
    with context.connect(context.account_id) as connection:
        found = cis.configuration(connection, context.account_id, context.region, uuid_of(arn))
        if found is None or _arn(context, found.account, found.owner_id, found.id) != arn:
            raise _not_found(arn)
        document = dict(found.document)
        values: dict[str, Any] = {"updated_at": context.now}
        if given.get("targets"):
            document["targets"] = {**document["targets"], **given["targets"]}
            owner = _owner(context, connection, document["targets"])
            if owner != found.owner_id:
                # The owner is in the ARN, which an update doesn't change.
                raise field_failed("targets.accountIds", "These accounts need a configuration of another owner.")
        if given.get("securityLevel"):
            document["securityLevel"] = given["securityLevel"]
        if given.get("schedule"):
            document["schedule"] = given["schedule"]
            values["due_at"] = _due(context, given["schedule"])
        if given.get("scanName"):
            values["name"] = kept(given["scanName"])
        values["document"] = kept(document)
        cis.change_configuration(connection, context.account_id, context.region, found.id, values)
    context.poke("cis-schedules")
    return {"scanConfigurationArn": arn}


def remove(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Forgets a configuration; the results of its runs stay."""
    arn = given["scanConfigurationArn"]
    with context.connect(context.account_id) as connection:
        found = cis.configuration(connection, context.account_id, context.region, uuid_of(arn))
        if found is None or _arn(context, found.account, found.owner_id, found.id) != arn:
            raise _not_found(arn)
        cis.remove_configuration(connection, context.account_id, context.region, found.id, arn=arn)
    return {"scanConfigurationArn": arn}


def configurations(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The account's configurations, for a delegated administrator its members' too, by name or by ARN."""
    page = context.page(given)
    criteria = given.get("filterCriteria") or {}
    by_name = given.get("sortBy") == "SCAN_NAME"
    accounts = accounts_in_view(context)
    with context.connect(*accounts) as connection:
        rows = cis.configurations(
            connection,
            accounts,
            context.region,
            names=criteria.get("scanNameFilters") or (),
            arns=criteria.get("scanConfigurationArnFilters") or (),
            arn_start=own_arn(context.region, "", "").removesuffix(":"),
            tags=criteria.get("targetResourceTagFilters") or (),
            by_name=by_name,
            order=given.get("sortOrder") or "ASC",
            after=page.after,
            size=page.size,
        )
        shown = rows[: page.size]
        arns = {row.id: _arn(context, row.account, row.owner_id, row.id) for row in shown}
        tags: dict[str, dict[str, str]] = {}
        for account in {row.account for row in shown}:
            mine = [arns[row.id] for row in shown if row.account == account]
            tags |= tags_of(connection, account, context.region, mine)
    listed = [
        {
            "scanConfigurationArn": arns[row.id],
            "ownerId": row.owner_id,
            "scanName": row.name,
            "securityLevel": row.document["securityLevel"],
            "schedule": row.document["schedule"],
            "targets": targets_told(row.account, row.document["targets"]),
            "tags": tags.get(arns[row.id]),
        }
        for row in shown
    ]
    answer: dict[str, Any] = {"scanConfigurations": listed}
    if len(rows) > page.size:
        last = shown[-1]
        keys = (last.account, last.owner_id, last.id)
        answer["nextToken"] = page.token((last.name, *keys) if by_name else keys)
    return answer


def targets_told(account: str, targets: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration's targets as they are told: by account ids alone, so without those of a whole organization."""
    ids = [account if each == _SELF else each for each in targets["accountIds"] if each != _ALL]
    return {"accountIds": ids or None, "targetResourceTags": targets["targetResourceTags"]}


def _owner(context: Context, connection: "Connection", targets: Mapping[str, Any]) -> str:
    """Whose a configuration for these accounts is."""
    accounts: Sequence[str] = targets["accountIds"]
    if (_SELF in accounts or _ALL in accounts) and len(set(accounts)) > 1:
        raise field_failed("targets.accountIds", f"{_SELF} and {_ALL} stand alone.")
    if set(accounts) <= {_SELF, context.account_id}:
        return context.account_id
    admin = need_admin(connection, context)
    others = set(accounts) - {_ALL, context.account_id}
    strangers = sorted(others - associated(connection, context.region, context.account_id, others))
    if strangers:
        raise AccessDenied(f"Account {strangers[0]} is no member of the invoking account's organization.")
    return admin.organization_id


def _due(context: Context, schedule: Mapping[str, Any]) -> Any:
    try:
        return next_run(schedule, context.now)
    except UsageError as error:
        raise field_failed("schedule", f"{str(error)[0].upper()}{str(error)[1:]}.") from error


def _arn(context: Context, account: str, owner: str, key: str) -> str:
    return own_arn(context.region, account, f"owner/{owner}/cis-configuration/{key}")


def _not_found(arn: str) -> ResourceNotFound:
    return ResourceNotFound(f"There is no CIS scan configuration {arn}.")


OPERATIONS: Final[Mapping[str, Handler]] = {
    "CreateCisScanConfiguration": create,
    "UpdateCisScanConfiguration": change,
    "DeleteCisScanConfiguration": remove,
    "ListCisScanConfigurations": configurations,
}
