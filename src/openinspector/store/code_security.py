"""Code security: connections with hosts of repositories, and the configurations that repositories are scanned by.

Settings are kept in the API's words. The token of an integration is kept sealed, together with the account and id that
it belongs to. A project is known where a repository of that id is among the account's resources. Ids are UUIDs as text.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from openinspector.store.account_tables import (
    code_security_association,
    code_security_configuration,
    code_security_integration,
    code_security_scan,
)
from openinspector.store.arn_tags import drop_tags, put_tags
from openinspector.store.listing import page_of
from openinspector.store.sealing import Sealer
from openinspector.store.tables import resource

MOST_INTEGRATIONS: Final = 100  # of an account in a region; AWS publishes no number
MOST_CONFIGURATIONS: Final = 500  # likewise, beside one default
MOST_OF_PROJECT: Final = 4  # configurations
MOST_PROJECTS: Final = 100_000  # of a configuration

_integration: Final = code_security_integration
_configuration: Final = code_security_configuration
_association: Final = code_security_association
_BELONGS_TO: Final = "code security integration"


def sealed_token(sealer: Sealer, account: str, integration_id: str, token: str) -> bytes:
    """The token of an integration as it is kept.

    Raises:
        StoreError: It is too long to be a token.
    """
    return sealer.seal(token.encode(), _BELONGS_TO, account, integration_id)


def open_token(sealer: Sealer, integration: Row[Any]) -> str:
    """The token of an integration that has one.

    Raises:
        StoreError: It doesn't open.
    """
    sealed: bytes = sealer.open(bytes(integration.sealed_token), _BELONGS_TO, integration.account, integration.id)
    return sealed.decode()


def count_integrations(connection: Connection, account: str, region: str) -> int:
    """How many integrations there are; until the transaction ends nobody else adds one."""
    _lock(connection, f"code security integrations of {account} in {region}")
    rows = select(func.count()).select_from(_integration).where(*_of(_integration, account, region))
    return int(connection.execute(rows).scalar_one())


def add_integration(
    connection: Connection, account: str, region: str, values: Mapping[str, Any], *, arn: str, tags: Mapping[str, str]
) -> bool:
    """Keeps a new integration; False where the account has one of that name."""
    adding = insert(_integration).values(account=account, region=region, **values).on_conflict_do_nothing()
    if connection.execute(adding.returning(_integration.c.id)).one_or_none() is None:
        return False
    put_tags(connection, account, region, arn, tags)
    return True


def integration(connection: Connection, account: str, region: str, key: str) -> Row[Any] | None:
    """An integration; None where the account has none of that id."""
    mine = select(_integration).where(*_of(_integration, account, region), _integration.c.id == key)
    return connection.execute(mine).one_or_none()


def integrations(
    connection: Connection, account: str, region: str, *, after: Sequence[Any] | None, size: int
) -> Sequence[Row[Any]]:
    """A page of integrations and one more, by name."""
    rows = select(_integration).where(*_of(_integration, account, region))
    return connection.execute(page_of(rows, (_integration.c.name, _integration.c.id), after, size)).all()


def remove_integration(connection: Connection, account: str, region: str, key: str, *, arn: str) -> bool:
    """Forgets an integration with its token and tags; False where the account has none of that id."""
    gone = connection.execute(delete(_integration).where(*_of(_integration, account, region), _integration.c.id == key))
    drop_tags(connection, account, region, arn)
    return bool(gone.rowcount)


def count_configurations(connection: Connection, account: str, region: str) -> int:
    """How many configurations there are beside the default; until the transaction ends nobody else adds one."""
    _lock(connection, f"code security configurations of {account} in {region}")
    rows = select(func.count()).select_from(_configuration).where(*_of(_configuration, account, region))
    return int(connection.execute(rows.where(~_configuration.c.is_default)).scalar_one())


def add_configuration(
    connection: Connection, account: str, region: str, values: Mapping[str, Any], *, arn: str, tags: Mapping[str, str]
) -> bool:
    """Keeps a new configuration; False where it is to be the default and there is one."""
    adding = insert(_configuration).values(account=account, region=region, **values).on_conflict_do_nothing()
    if connection.execute(adding.returning(_configuration.c.id)).one_or_none() is None:
        return False
    put_tags(connection, account, region, arn, tags)
    return True


def configuration(connection: Connection, account: str, region: str, key: str) -> Row[Any] | None:
    """A configuration, held until the transaction ends; None where the account has none of that id."""
    mine = select(_configuration).where(*_of(_configuration, account, region), _configuration.c.id == key)
    return connection.execute(mine.with_for_update()).one_or_none()


def configurations(
    connection: Connection, account: str, region: str, *, after: Sequence[Any] | None, size: int
) -> Sequence[Row[Any]]:
    """A page of configurations and one more, by name."""
    rows = select(_configuration).where(*_of(_configuration, account, region))
    return connection.execute(page_of(rows, (_configuration.c.name, _configuration.c.id), after, size)).all()


def change_configuration(connection: Connection, changed: Row[Any], document: Mapping[str, Any], now: datetime) -> None:
    """Gives a configuration another document."""
    connection.execute(
        update(_configuration)
        .where(*_of(_configuration, changed.account, changed.region), _configuration.c.id == changed.id)
        .values(document=document, updated_at=now)
    )


def remove_configuration(connection: Connection, gone: Row[Any], *, arn: str) -> None:
    """Forgets a configuration with its associations and tags."""
    of_it = _of(_association, gone.account, gone.region)
    connection.execute(delete(_association).where(*of_it, _association.c.configuration_id == gone.id))
    connection.execute(
        delete(_configuration).where(*_of(_configuration, gone.account, gone.region), _configuration.c.id == gone.id)
    )
    drop_tags(connection, gone.account, gone.region, arn)


def is_project(connection: Connection, accounts: Collection[str], region: str, project_id: str) -> bool:
    """Whether a repository of that id is among the accounts' resources."""
    columns = resource.c
    known = select(columns.id).where(
        columns.account.in_(list(accounts)),
        columns.region == region,
        columns.type == "CODE_REPOSITORY",
        columns.gone_at.is_(None),
        columns.external_id.endswith(f"/{project_id}", autoescape=True),
    )
    return connection.execute(known.limit(1)).scalar_one_or_none() is not None


def associate(connection: Connection, of: Row[Any], project_id: str, now: datetime) -> bool:
    """Has a project scanned by a configuration; False where either has as many of the other as it may.

    What is associated already stays so. `of` is held, so that its projects are counted by one at a time.
    """
    mine = _of(_association, of.account, of.region)
    _lock(connection, f"code security project {project_id} of {of.account} in {of.region}")
    theirs = connection.execute(
        select(_association.c.configuration_id).where(*mine, _association.c.project_id == project_id)
    ).scalars()
    configured = set(theirs)
    if of.id in configured:
        return True
    projects = select(func.count()).select_from(_association).where(*mine, _association.c.configuration_id == of.id)
    if len(configured) >= MOST_OF_PROJECT or connection.execute(projects).scalar_one() >= MOST_PROJECTS:
        return False
    values = {"account": of.account, "region": of.region, "configuration_id": of.id, "project_id": project_id}
    connection.execute(insert(_association).values(**values, created_at=now))
    return True


def disassociate(connection: Connection, of: Row[Any], project_id: str) -> bool:
    """Ends an association; False where there is none."""
    gone = connection.execute(
        delete(_association).where(
            *_of(_association, of.account, of.region),
            _association.c.configuration_id == of.id,
            _association.c.project_id == project_id,
        )
    )
    return bool(gone.rowcount)


def associations(connection: Connection, of: Row[Any], *, after: Sequence[Any] | None, size: int) -> Sequence[Row[Any]]:
    """A page of a configuration's associations and one more, by project."""
    rows = select(_association).where(
        *_of(_association, of.account, of.region), _association.c.configuration_id == of.id
    )
    return connection.execute(page_of(rows, (_association.c.project_id,), after, size)).all()


def scan(connection: Connection, account: str, region: str, key: str, project_id: str) -> Row[Any] | None:
    """A scan of a project; None where the account has none of that id."""
    columns = code_security_scan.c
    mine = select(code_security_scan).where(
        *_of(code_security_scan, account, region), columns.id == key, columns.project_id == project_id
    )
    return connection.execute(mine).one_or_none()


def _of(table: Any, account: str, region: str) -> tuple[Any, Any]:
    return table.c.account == account, table.c.region == region


def _lock(connection: Connection, what: str) -> None:
    """Of those who count the same thing before they add to it, one at a time."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))
