"""CreateFilter, UpdateFilter, DeleteFilter, ListFilters: saved filters and suppression rules.

A delegated administrator's filters belong to its organization and are about all of its members; members have none of
their own. A changed rule is only marked here: whoever keeps the findings applies it.

Source: Inspector's API reference, CreateFilter (names) and Filter; its quotas page (500 suppression rules).
"""

import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from openinspector.api.context import Context, Handler
from openinspector.api.errors import AccessDenied, BadRequest, QuotaExceeded, ResourceNotFound, field_failed
from openinspector.api.operations._criteria import criteria_of
from openinspector.api.operations._standing import membership
from openinspector.model.criteria import Action, Filter, api_criteria
from openinspector.model.moment import moment_text, read_moment
from openinspector.store import filters as kept
from openinspector.store.administration import administration
from openinspector.store.tags import unfit

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


def create_filter(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Keeps a new filter."""
    account, region, action = context.account_id, context.region, given["action"]
    name, criteria = _name(given["name"]), criteria_of(given["filterCriteria"])
    tags = given.get("tags") or {}
    reason = unfit(tags)
    if reason:
        raise BadRequest(reason)
    with context.connect(account) as connection:
        owner = _owner(context, connection)
        kept.lock_filters(connection, account, region)
        if kept.filter_named(connection, account, region, name):
            raise BadRequest(f"A filter with the name {name} exists already.")
        arn = kept.filter_arn(region, account, owner, secrets.token_hex(8))
        if kept.count_filters(connection, account, region, action) >= kept.MOST:
            raise QuotaExceeded(_full(action), resource_id=arn)
        now = moment_text(context.now)
        made = Filter(
            arn=arn,
            owner=owner,
            name=name,
            action=action,
            criteria=criteria,
            created_at=now,
            updated_at=now,
            description=given.get("description") or "",
            reason=given.get("reason") or "",
            tags=tags,
        )
        kept.add_filter(connection, account, region, made)
    _apply(context, made.action)
    return {"arn": arn}


def update_filter(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Changes what is given of a filter; criteria are replaced as a whole."""
    account, region, arn = context.account_id, context.region, given["filterArn"]
    with context.connect(account) as connection:
        _owner(context, connection)
        kept.lock_filters(connection, account, region)
        was = kept.get_filter(connection, account, region, arn)
        if was is None:
            raise _unknown(arn)
        now = replace(was, updated_at=moment_text(context.now))
        for member in ("description", "reason", "action"):
            if given.get(member) is not None:
                now = replace(now, **{member: given[member]})
        if given.get("name") is not None:
            now = replace(now, name=_name(given["name"]))
        if given.get("filterCriteria") is not None:
            now = replace(now, criteria=criteria_of(given["filterCriteria"]))
        if now.name != was.name and kept.filter_named(connection, account, region, now.name):
            raise field_failed("name", f"A filter with the name {now.name} exists already.")
        if now.action != was.action and kept.count_filters(connection, account, region, now.action) >= kept.MOST:
            raise field_failed("action", _full(now.action))
        kept.change_filter(connection, account, region, was, now)
    _apply(context, was.action, now.action)
    return {"arn": arn}


def delete_filter(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Deletes a filter."""
    arn = given["arn"]
    with context.connect(context.account_id) as connection:
        _owner(context, connection)
        kept.lock_filters(connection, context.account_id, context.region)
        was = kept.get_filter(connection, context.account_id, context.region, arn)
        if was is None or not kept.remove_filter(connection, context.account_id, context.region, arn):
            raise _unknown(arn)
    _apply(context, was.action)
    return {"arn": arn}


def list_filters(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The caller's filters, the oldest first."""
    page = context.page(given)
    after: Any = page.after
    with context.connect(context.account_id) as connection:
        found = kept.filters_of(
            connection,
            context.account_id,
            context.region,
            arns=given.get("arns"),
            action=given.get("action"),
            after=after,
            size=page.size + 1,
        )
    shown = found[: page.size]
    output: dict[str, Any] = {"filters": [_told(each) for each in shown]}
    if len(found) > page.size:
        output["nextToken"] = page.token(kept.position_of(shown[-1]))
    return output


def _owner(context: Context, connection: "Connection") -> str:
    """Who owns the filters that the caller makes."""
    organization = administration(connection, context.account_id, context.region).organization_id
    if organization:
        return organization
    if membership(connection, context) is not None:
        raise AccessDenied("Invoking account is a member account: its filters are its delegated admin's to manage.")
    return context.account_id


def _apply(context: Context, *actions: Action) -> None:
    """Has what a rule hides gone through soon."""
    if "SUPPRESS" in actions:
        context.poke("suppress")


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise field_failed("name", "A filter's name has letters, digits, dots, underscores and dashes only.")
    return name


def _told(known: Filter) -> dict[str, Any]:
    said = {
        "arn": known.arn,
        "ownerId": known.owner,
        "name": known.name,
        "criteria": api_criteria(known.criteria),
        "action": known.action,
        "createdAt": read_moment(known.created_at),
        "updatedAt": read_moment(known.updated_at),
        "tags": known.tags,
    }
    texts = {"description": known.description, "reason": known.reason}
    return said | {name: text for name, text in texts.items() if text}


def _full(action: Action) -> str:
    what = "suppression rules" if action == "SUPPRESS" else "saved filters"
    return f"An account has at most {kept.MOST} {what} in a Region."


def _unknown(arn: str) -> ResourceNotFound:
    return ResourceNotFound(f"Filter {arn} was not found.")


OPERATIONS: Final[Mapping[str, Handler]] = {
    "CreateFilter": create_filter,
    "UpdateFilter": update_filter,
    "DeleteFilter": delete_filter,
    "ListFilters": list_filters,
}
