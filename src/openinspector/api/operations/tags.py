"""TagResource, UntagResource, ListTagsForResource: the tags of what has an ARN of ours."""

from collections.abc import Mapping
from typing import Any, Final

from openinspector.api.context import Context, Handler
from openinspector.api.errors import BadRequest, ResourceNotFound, field_failed
from openinspector.model.arn import own_arn, parse_arn
from openinspector.store.arn_tags import tags_of
from openinspector.store.tags import Holder, holder_exists, holder_of, lock_holder, remove_tags, set_tags, unfit


def tag_resource(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Adds tags, or gives them new values."""
    held = _holder(context, given["resourceArn"])
    if held.is_of_organization:
        raise BadRequest("What an organization owns can't be tagged.")
    with context.connect(context.account_id) as connection:
        if not lock_holder(connection, held):
            raise _unknown(held.arn)
        known = tags_of(connection, held.account, held.region, [held.arn]).get(held.arn, {})
        reason = unfit(given["tags"], known)
        if reason:
            raise BadRequest(reason)
        set_tags(connection, held.account, held.region, held.arn, given["tags"])
    return {}


def untag_resource(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Takes tags away."""
    held = _holder(context, given["resourceArn"])
    with context.connect(context.account_id) as connection:
        if not lock_holder(connection, held):
            raise _unknown(held.arn)
        remove_tags(connection, held.account, held.region, held.arn, given["tagKeys"])
    return {}


def list_tags_for_resource(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """All tags."""
    held = _holder(context, given["resourceArn"])
    with context.connect(context.account_id) as connection:
        if not holder_exists(connection, held):
            raise _unknown(held.arn)
        found = tags_of(connection, held.account, held.region, [held.arn])
    return {"tags": found.get(held.arn, {})}


def _holder(context: Context, arn: str) -> Holder:
    """What an ARN names, where it names something of the caller's."""
    parts = parse_arn(arn)
    if parts is None:
        raise field_failed("resourceArn", "It is not the ARN of an Inspector resource.")
    held = holder_of(arn)
    if held is None or own_arn(context.region, context.account_id, parts.resource) != arn:
        raise _unknown(arn)
    return held


def _unknown(arn: str) -> ResourceNotFound:
    return ResourceNotFound(f"Resource {arn} was not found.")


OPERATIONS: Final[Mapping[str, Handler]] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
