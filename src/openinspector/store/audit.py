"""The audit log: a row for every call that changed something, or was meant to. Rows are only added."""

import msgspec
from sqlalchemy import insert

from openinspector.model.access import AuditEntry
from openinspector.model.moment import read_moment
from openinspector.store.account_tables import audit as table
from openinspector.store.database import Database


def record(database: Database, entry: AuditEntry) -> None:
    """Add an entry."""
    row = msgspec.structs.asdict(entry)
    row["at"] = read_moment(entry.at)
    row["parameters"] = msgspec.json.decode(entry.parameters)
    with database.system() as connection:
        connection.execute(insert(table).values(row))
