"""Connections with other clouds, and how long the images of those are scanned again.

What is kept of a connector is in the API's words. Ids are UUIDs as text.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from openinspector.store.account_tables import connector, connector_scan_configuration
from openinspector.store.arn_tags import drop_tags, put_tags
from openinspector.store.listing import Entries, page_of, text_holds

MOST: Final = 100  # connectors of an account in a region; AWS publishes no number

_columns: Final = connector.c
_config_connector: Final = _columns.document["awsConfigConnectorArn"].astext.collate("C")


def count_connectors(connection: Connection, account: str, region: str) -> int:
    """How many connectors there are; until the transaction ends nobody else adds one."""
    lock = func.hashtextextended(f"connectors of {account} in {region}", 0)
    connection.execute(select(func.pg_advisory_xact_lock(lock)))
    return int(connection.execute(select(func.count()).where(*_of(account, region))).scalar_one())


def add_connector(
    connection: Connection, account: str, region: str, values: Mapping[str, Any], *, arn: str, tags: Mapping[str, str]
) -> bool:
    """Keeps a new connector; False where the account has one of that name."""
    adding = insert(connector).values(account=account, region=region, **values).on_conflict_do_nothing()
    if connection.execute(adding.returning(_columns.id)).one_or_none() is None:
        return False
    put_tags(connection, account, region, arn, tags)
    return True


def connector_of(connection: Connection, account: str, region: str, key: str) -> Row[Any] | None:
    """A connector, held until the transaction ends; None where the account has none of that id."""
    mine = select(connector).where(*_of(account, region), _columns.id == key)
    return connection.execute(mine.with_for_update()).one_or_none()


def change_connector(connection: Connection, account: str, region: str, key: str, values: Mapping[str, Any]) -> None:
    """Gives columns of a connector other values."""
    connection.execute(update(connector).where(*_of(account, region), _columns.id == key).values(**values))


def remove_connector(connection: Connection, account: str, region: str, key: str, *, arn: str) -> bool:
    """Forgets a connector with its tags; False where the account has none of that id."""
    gone = connection.execute(delete(connector).where(*_of(account, region), _columns.id == key))
    drop_tags(connection, account, region, arn)
    return bool(gone.rowcount)


def connectors(
    connection: Connection,
    region: str,
    *,
    arn_start: str,
    filters: Mapping[str, Entries],
    after: Sequence[Any] | None,
    size: int,
) -> Sequence[Row[Any]]:
    """A page of the connectors that the transaction sees and one more, by account and id.

    `filters` are the API's entries by name; `arn_start` is what ARNs have before the account.
    """
    arn = func.concat(arn_start, _columns.account, ":connector/", _columns.id)
    tested = {
        "connectorArns": arn,
        "accounts": _columns.account,
        "awsConfigConnectorArns": _config_connector,
        "provider": _columns.provider,
    }
    rows = select(connector).where(_columns.region == region)
    rows = rows.where(*(text_holds(tested[name], filters[name]) for name in tested if filters.get(name)))
    return connection.execute(page_of(rows, (_columns.account, _columns.id), after, size)).all()


def has_config_connector(connection: Connection, account: str, region: str, config_connector: str) -> bool:
    """Whether any connector of the account rides on that one of AWS Config."""
    mine = select(exists().where(*_of(account, region), _config_connector == config_connector))
    return bool(connection.execute(mine).scalar_one())


def set_rescan_durations(
    connection: Connection, account: str, region: str, config_connector: str, durations: Mapping[str, str]
) -> None:
    """Sets how long images that are found through a connector of AWS Config are scanned again; others stay as set."""
    table = connector_scan_configuration
    values = {"account": account, "region": region, "config_connector": config_connector}
    setting = insert(table).values(**values, configuration=durations)
    changed = {
        "configuration": table.c.configuration.concat(setting.excluded.configuration),
        "updated_at": func.now(),
    }
    connection.execute(setting.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed))


def scan_configurations(
    connection: Connection,
    account: str,
    region: str,
    *,
    wanted: Sequence[str] = (),
    after: Sequence[Any] | None,
    size: int,
) -> Sequence[Row[Any]]:
    """A page of the connectors of AWS Config that are ridden on and one more, by ARN.

    Each with the `ids` of those that do, and with its `durations` (NULL: none was set). `wanted` narrows it.
    """
    ridden = (
        select(_config_connector.label("arn"), func.array_agg(_columns.id).label("ids"))
        .where(*_of(account, region))
        .group_by(_config_connector)
        .subquery()
    )
    table = connector_scan_configuration
    same = (table.c.config_connector == ridden.c.arn) & (table.c.account == account) & (table.c.region == region)
    rows = select(ridden, table.c.configuration.label("durations")).select_from(ridden.outerjoin(table, same))
    if wanted:
        rows = rows.where(ridden.c.arn.in_(list(wanted)))
    return connection.execute(page_of(rows, (ridden.c.arn,), after, size)).all()


def _of(account: str, region: str) -> tuple[Any, Any]:
    return _columns.account == account, _columns.region == region
