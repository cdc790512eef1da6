"""What the commands of the service share: where its data is, and its database."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from openinspector.errors import StoreError
from openinspector.store import advisories

if TYPE_CHECKING:
    from openinspector.pipeline.contract import Work
    from openinspector.store.database import Database


def data_folder(chosen: argparse.Namespace) -> Path:
    """`--data`, else `OPENINSPECTOR_DATA`, else where data of this user lies.

    Root's own is closed to the user that the database then runs as, so root has it where services have theirs.
    """
    if chosen.data:
        return Path(chosen.data)
    if os.geteuid() == 0 and not os.environ.get("OPENINSPECTOR_DATA"):
        return Path("/var/lib/openinspector")
    return advisories.data_folder()


@contextmanager
def database(chosen: argparse.Namespace) -> Iterator["Database"]:
    """The database that `--database-url` (or `OPENINSPECTOR_DATABASE_URL`) names, else one in the data folder.

    Requests log in as `OPENINSPECTOR_APP_DATABASE_URL` says, else as its owner, which then becomes their role.

    Raises:
        StoreError: It can't be reached or started, its schema can't be brought up to date, or it did not do what it was
            asked for.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from openinspector.store.database import reason

    try:
        with _opened(chosen) as found:
            yield found
    except SQLAlchemyError as error:
        raise StoreError(f"the database did not do what it was asked for: {reason(error)}") from error


@contextmanager
def _opened(chosen: argparse.Namespace) -> Iterator["Database"]:
    from openinspector.store.database import connect, connect_embedded

    url = chosen.database_url or os.environ.get("OPENINSPECTOR_DATABASE_URL", "")
    if url:
        with connect(url, app_url=os.environ.get("OPENINSPECTOR_APP_DATABASE_URL", "")) as found:
            yield found
        return
    from openinspector.store.embedded import start

    with start(data_folder(chosen)) as server, connect_embedded(server) as found:
        yield found


def work_of(chosen: argparse.Namespace, found: "Database") -> "Work":
    """What the service works with, over a database.

    Raises:
        UsageError: The settings make no sense.
        StoreError: The sealing keys can't be read, or are others than those of the access keys.
    """
    from openinspector.pipeline.contract import Work
    from openinspector.pipeline.in_force import advisories_in_force
    from openinspector.pipeline.registry import feeds
    from openinspector.pipeline.settings import load_settings
    from openinspector.pipeline.worker import chores, poker
    from openinspector.store.key_ring import DatabaseKeyRing
    from openinspector.store.sealing import open_sealer

    data = data_folder(chosen)
    sealer = open_sealer(data)
    DatabaseKeyRing(found, sealer).refuse_other_keys(datetime.now(UTC))
    work = Work(
        database=found,
        region=chosen.region,
        data=data,
        settings=load_settings(frozenset(feeds())),
        advisories=advisories_in_force,
        sealer=sealer,
        clock=lambda: datetime.now(UTC),
    )
    return replace(work, poke=poker(found, chores()))
