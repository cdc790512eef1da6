"""How many active findings there are, kept while they change, and added up.

Triggers of `finding` keep three tables (see migrations/versions/revision_0002.sql), so that whoever writes findings
needn't think of it and none can be forgotten:

- `resource_tally` has a row for each resource and type of finding. Whoever changes the findings of a resource has
  locked it, so this is updated in place.
- `flaw_tally` and `package_tally` are of an account, whose resources are scanned side by side: writers only add rows
  of what has changed, which wait for nobody, and the sum of all rows with a key is what there is. `fold` puts them
  together.

What is in which layer is another matter: see layer_tallies.py.

A transaction sees findings and tallies of the same moment.
"""

from typing import Final

from sqlalchemy import Connection, text

from openinspector.model.finding import SEVERITIES

COUNTS: Final = (
    *("total", "untriaged", "informational", "low", "medium", "high", "critical", "exploitable", "fixable"),
)
_KEYS: Final = {
    "flaw_tally": ("account", "region", "resource_type", "type", "vulnerability_id", "title"),
    "package_tally": ("account", "region", "resource_type", "type", "name"),
}
_RESOURCE_KEYS: Final = ("resource_id", "type", "account", "region", "resource_type")
_NOBODY_ELSE: Final = text("LOCK TABLE finding IN SHARE ROW EXCLUSIVE MODE")
_MARK_ALL: Final = text(
    "INSERT INTO layer_recount (resource_id, account, region) SELECT id, account, region FROM resource"
    " WHERE type IN ('AWS_ECR_CONTAINER_IMAGE', 'AWS_LAMBDA_FUNCTION') ON CONFLICT DO NOTHING"
)
_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(:key)")
_LOCK_KEY: Final = 0x74616C6C79  # "tally"


def fold(connection: Connection, most: int) -> int:
    """Puts rows of what has changed together with those that are whole, at most so many of each table; how many.

    One process does this at a time; another one that comes does nothing. Belongs in a transaction of the system.
    """
    if not connection.execute(_LOCK, {"key": _LOCK_KEY}).scalar_one():
        return 0
    folded = 0
    for table in _KEYS:
        folded += connection.execute(_FOLD[table], {"most": most}).scalar_one()
        connection.execute(_FORGET[table])
    return folded


def recount(connection: Connection) -> None:
    """Counts everything anew: after findings were loaded while the triggers were off. Nobody else writes meanwhile.

    Layers are marked, to be counted by `layer_tallies.recount_layers`.
    """
    connection.execute(_NOBODY_ELSE)
    for table, keys in (("resource_tally", _RESOURCE_KEYS), *_KEYS.items()):
        connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608  our own names
        connection.execute(text(_recount(table, keys)))
    connection.execute(_MARK_ALL)


def _recount(table: str, keys: tuple[str, ...]) -> str:
    names = 'CROSS JOIN LATERAL (SELECT DISTINCT unnest(f.package_names) COLLATE "C" AS name) AS n'
    is_of_packages = "name" in keys
    named = ", ".join(keys)
    values = ", ".join({"resource_type": "r.type", "name": "n.name"}.get(each, f"f.{each}") for each in keys)
    each_severity = ", ".join(f"count(*) FILTER (WHERE f.severity = {rank})" for rank in range(len(SEVERITIES)))
    whole = table != "resource_tally"
    return (
        f"INSERT INTO {table} ({named}, {', '.join(COUNTS)}{', is_new' if whole else ''})"  # noqa: S608  our own names
        f" SELECT {values}, count(*), {each_severity}, count(*) FILTER (WHERE f.exploit),"
        f" count(*) FILTER (WHERE f.fix = 'YES'){', false' if whole else ''}"
        f" FROM finding f JOIN resource r ON r.id = f.resource_id {names if is_of_packages else ''}"
        f" WHERE f.status = 'ACTIVE'{' AND n.name <> ' + repr('') if is_of_packages else ''} GROUP BY {values}"
    )


def _fold(table: str, keys: tuple[str, ...]) -> str:
    named, counts = ", ".join(keys), ", ".join(COUNTS)
    sums = ", ".join(f"sum({name})" for name in COUNTS)
    added = ", ".join(f"{name} = w.{name} + excluded.{name}" for name in COUNTS)
    return (
        f"WITH taken AS (DELETE FROM {table} WHERE ctid = ANY (ARRAY("  # noqa: S608  our own names
        f"SELECT ctid FROM {table} WHERE is_new LIMIT :most)) RETURNING *),"
        f" whole AS (INSERT INTO {table} AS w ({named}, {counts}, is_new)"
        f" SELECT {named}, {sums}, false FROM taken GROUP BY {named}"
        " ON CONFLICT (account, region, digest, resource_type, type) WHERE NOT is_new"
        f" DO UPDATE SET {added})"
        " SELECT count(*) FROM taken"
    )


# What came may be taken after what went: only where nothing is left at all is there nothing to come.
_NOTHING: Final = f"({', '.join(COUNTS)}) = ({', '.join('0' for _ in COUNTS)})"
_FOLD: Final = {table: text(_fold(table, keys)) for table, keys in _KEYS.items()}
_FORGET: Final = {
    table: text(f"DELETE FROM {table} WHERE total = 0 AND NOT is_new AND {_NOTHING}")  # noqa: S608  our own names
    for table in _KEYS
}
