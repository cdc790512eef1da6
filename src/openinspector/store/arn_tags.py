"""Tags of what has an ARN of ours: kept with it, and gone with it."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, insert, select

from openinspector.store.account_tables import tag
from openinspector.store.bulk import clean


def put_tags(connection: Connection, account: str, region: str, arn: str, tags: Mapping[str, str]) -> None:
    """Keeps the tags of something new."""
    texts = {clean(key): clean(value) for key, value in tags.items()}
    of = {"account": account, "region": region, "arn": arn}
    rows = [{**of, "key": key, "value": texts[key]} for key in sorted(texts)]
    if rows:
        connection.execute(insert(tag), rows)


def tags_of(connection: Connection, account: str, region: str, arns: Iterable[str]) -> dict[str, dict[str, str]]:
    """The tags of each ARN that has any."""
    wanted = select(tag.c.arn, tag.c.key, tag.c.value).where(
        tag.c.account == account, tag.c.region == region, tag.c.arn.in_(list(arns))
    )
    found: dict[str, dict[str, str]] = {}
    for row in connection.execute(wanted.order_by(tag.c.arn, tag.c.key)):
        found.setdefault(row.arn, {})[row.key] = row.value
    return found


def drop_tags(connection: Connection, account: str, region: str, arn: str) -> None:
    """Forgets the tags of what is gone."""
    connection.execute(delete(tag).where(tag.c.account == account, tag.c.region == region, tag.c.arn == arn))
