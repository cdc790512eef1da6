"""What the commands of the service share: where its data is, and its database."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from openinspector.store import advisories

if TYPE_CHECKING:
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

    Raises:
        StoreError: It can't be reached or started, or its schema can't be brought up to date.
    """
    from openinspector.store.database import connect, connect_embedded

    url = chosen.database_url or os.environ.get("OPENINSPECTOR_DATABASE_URL", "")
    if url:
        with connect(url) as found:
            yield found
        return
    from openinspector.store.embedded import start

    with start(data_folder(chosen)) as server, connect_embedded(server) as found:
        yield found
