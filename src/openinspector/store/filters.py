"""Saved filters and suppression rules.

Whoever adds or changes one does so behind `lock_filters`, so that a name stays single and a quota is kept. A rule that
is new or means something else has `applied_at` NULL until somebody has gone through the findings; one that is deleted
leaves them with its ARN in `suppressed_by`, which then names no filter.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, any_, delete, func, insert, literal, select, text, tuple_, update

from openinspector.model.arn import own_arn
from openinspector.model.criteria import Action, Filter, parse_criteria
from openinspector.model.moment import moment_text, read_moment
from openinspector.store.account_tables import filter_
from openinspector.store.arn_tags import drop_tags, put_tags, tags_of
from openinspector.store.documents import kept
from openinspector.store.tables import WORDS

MOST: Final = 500  # of each action, for an account in a region

_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def filter_arn(region: str, account: str, owner: str, filter_id: str) -> str:
    """The ARN of a filter; `filter_id` is 16 hexadecimal digits."""
    return own_arn(region, account, f"owner/{owner}/filter/{filter_id}")


def lock_filters(connection: Connection, account: str, region: str) -> None:
    """Keeps others from adding and changing filters of an account until the end of the transaction."""
    connection.execute(_LOCK, {"name": f"filters of {account} in {region}"})


def count_filters(connection: Connection, account: str, region: str, action: Action) -> int:
    """How many filters of one action there are."""
    count = connection.execute(
        select(func.count()).select_from(filter_).where(*_of(account, region), filter_.c.action == action)
    ).scalar_one()
    return int(count)


def filter_named(connection: Connection, account: str, region: str, name: str) -> str:
    """The ARN of the filter of a name; "" where the name is free."""
    row = connection.execute(
        select(filter_.c.id, filter_.c.owner_id).where(*_of(account, region), filter_.c.name == name)
    ).one_or_none()
    return filter_arn(region, account, row.owner_id, row.id) if row else ""


def add_filter(connection: Connection, account: str, region: str, made: Filter) -> None:
    """Keeps a new filter with its tags."""
    values = _values(made) | {
        "id": _id_of(made.arn),
        "owner_id": made.owner,
        "created_at": read_moment(made.created_at),
    }
    if made.action == "NONE":
        values["applied_at"] = read_moment(made.created_at)  # there is nothing to apply
    connection.execute(insert(filter_).values(account=account, region=region, **values))
    put_tags(connection, account, region, made.arn, made.tags)


def change_filter(connection: Connection, account: str, region: str, was: Filter, now: Filter) -> None:
    """Writes what has changed of a filter, and has it applied again where that changes what it hides."""
    values = _values(now)
    suppresses = "SUPPRESS" in {was.action, now.action}
    if suppresses and (was.action, was.criteria) != (now.action, now.criteria):
        values["applied_at"] = None
    connection.execute(update(filter_).where(*_of(account, region), filter_.c.id == _id_of(was.arn)).values(**values))


def remove_filter(connection: Connection, account: str, region: str, arn: str) -> bool:
    """Deletes a filter with its tags; False where there is none."""
    if get_filter(connection, account, region, arn) is None:
        return False
    gone = connection.execute(delete(filter_).where(*_of(account, region), filter_.c.id == _id_of(arn))).rowcount
    drop_tags(connection, account, region, arn)
    return gone > 0


def get_filter(connection: Connection, account: str, region: str, arn: str) -> Filter | None:
    """A filter by its ARN."""
    return next(iter(filters_of(connection, account, region, arns=[arn], size=1)), None)


def filters_of(
    connection: Connection,
    account: str,
    region: str,
    *,
    size: int,
    arns: Sequence[str] | None = None,
    action: Action | None = None,
    after: tuple[datetime, str] | None = None,
) -> list[Filter]:
    """At most `size` filters, the oldest first, after one's time and id; of these ARNs and this action, if given."""
    asked = select(filter_).where(*_of(account, region))
    if arns is not None:
        # Each in one array, however many there are: a statement has at most 65,535 parameters.
        asked = asked.where(filter_.c.id == any_(literal(sorted({_id_of(arn) for arn in arns}), WORDS)))
        # The rest of an ARN counts too: a filter of another owner may have the same id.
        start = own_arn(region, account, "owner/")
        whole = func.concat(start, filter_.c.owner_id, "/filter/", filter_.c.id)
        asked = asked.where(whole == any_(literal(sorted(set(arns)), WORDS)))
    if action is not None:
        asked = asked.where(filter_.c.action == action)
    key = tuple_(filter_.c.created_at, filter_.c.id)
    if after is not None:
        asked = asked.where(key > tuple_(*after))
    rows = connection.execute(asked.order_by(filter_.c.created_at, filter_.c.id).limit(size)).all()
    names = [filter_arn(region, account, row.owner_id, row.id) for row in rows]
    tags = tags_of(connection, account, region, names) if names else {}
    return [_noun(row, arn, tags.get(arn, {})) for row, arn in zip(rows, names, strict=True)]


def position_of(known: Filter) -> tuple[datetime, str]:
    """Where a filter stands in the list of all."""
    return read_moment(known.created_at), _id_of(known.arn)


def _of(account: str, region: str) -> tuple[Any, ...]:
    return filter_.c.account == account, filter_.c.region == region


def _id_of(arn: str) -> str:
    return arn.rpartition("/")[2]


def _values(known: Filter) -> dict[str, Any]:
    return {
        "name": known.name,
        "action": known.action,
        "description": known.description,
        "reason": known.reason,
        "criteria": kept(known.criteria),
        "updated_at": read_moment(known.updated_at),
    }


def _noun(row: Row[Any], arn: str, tags: dict[str, str]) -> Filter:
    return Filter(
        arn=arn,
        owner=row.owner_id,
        name=row.name,
        action=row.action,
        criteria=parse_criteria(row.criteria),
        created_at=moment_text(row.created_at),
        updated_at=moment_text(row.updated_at),
        description=row.description,
        reason=row.reason,
        tags=tags,
    )
