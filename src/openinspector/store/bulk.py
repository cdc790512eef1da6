"""Many rows at once: COPY into a table, or into a temporary one and from there by key.

Texts come from hostile files: what PostgreSQL can't hold (NUL, halves of surrogate pairs) becomes U+FFFD.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

import msgspec
import psycopg
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import Connection, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError

from openinspector.store.roles import SCHEMA

Noun = TypeVar("Noun", bound=msgspec.Struct)
Row = Sequence[Any]  # values in the order of the columns that were named

_UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"


def copy(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Appends rows to a table, in their order; a key that is there already is an error. How many rows there were."""
    # By way of a temporary table: PostgreSQL has no COPY into one that is behind row security.
    staged = stage(connection, table, columns, rows).partition(".")[2]
    target = SQL("{}.{}").format(Identifier(SCHEMA), Identifier(table.name))
    names = _names(columns)
    statement = SQL("INSERT INTO {} ({}) SELECT {} FROM pg_temp.{}").format(target, names, names, Identifier(staged))
    return int(_execute(connection, statement).rowcount)


def stage(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Puts rows into a temporary table for the rest of the transaction, and gives its name.

    It has the columns of `table`, without constraints, and one for each table and connection: what was staged for the
    same table before is gone.
    """
    name = f"incoming_{table.name}"
    if connection.exec_driver_sql(f"SELECT to_regclass('pg_temp.{name}')").scalar_one() is None:  # noqa: S608  our name
        # It stays with the connection: made for each transaction anew, such tables bloat the catalogue.
        make = SQL("CREATE TEMPORARY TABLE {} ON COMMIT DELETE ROWS AS SELECT * FROM {}.{} WITH NO DATA")
        _execute(connection, make.format(Identifier(name), Identifier(SCHEMA), Identifier(table.name)))
    else:
        _execute(connection, SQL("TRUNCATE pg_temp.{}").format(Identifier(name)))
    _copy(
        connection,
        SQL("COPY pg_temp.{} ({}) FROM STDIN").format(Identifier(name), _names(columns)),
        table,
        columns,
        rows,
    )
    return f"pg_temp.{name}"


def upsert(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Row],
    *,
    key: Sequence[str],
    keep: Sequence[str] = (),
) -> int:
    """Inserts rows, and updates those whose key is there and that differ; how many were written.

    Columns in `keep` are written with a new row and left as they are in an old one. Rows with one key twice are an
    error.
    """
    staged = stage(connection, table, columns, rows).partition(".")[2]
    changing = [name for name in columns if name not in key and name not in keep]
    target, old = SQL("{}.{}").format(Identifier(SCHEMA), Identifier(table.name)), Identifier(table.name)
    act = Composed([SQL("NOTHING")])
    if changing:
        act = SQL("UPDATE SET {} WHERE ({}) IS DISTINCT FROM ({})").format(
            SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(name)) for name in changing),
            SQL(", ").join(SQL("{}.{}").format(old, Identifier(name)) for name in changing),
            SQL(", ").join(SQL("excluded.{}").format(Identifier(name)) for name in changing),
        )
    # In the order of the key: two who write the same rows wait for each other, and never both.
    statement = SQL("INSERT INTO {} ({}) SELECT {} FROM pg_temp.{} ORDER BY {} ON CONFLICT ({}) DO {}").format(
        target, _names(columns), _names(columns), Identifier(staged), _names(key), _names(key), act
    )
    return int(_execute(connection, statement).rowcount)


def clean(value: str) -> str:
    """The text as PostgreSQL can hold it."""
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", _UNKNOWN).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _clean_all(value: Any) -> Any:
    """A value of JSON, with every text in it clean."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): _clean_all(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean_all(inner) for inner in value]
    return value


def clean_noun(noun: Noun) -> Noun:
    """A noun that can be encoded: nearly always the very same."""
    try:
        msgspec.msgpack.encode(noun)
    except UnicodeEncodeError:
        return msgspec.convert(_clean_all(msgspec.to_builtins(noun)), type(noun))
    return noun


def as_json(value: Any) -> str:
    """A value or noun as the JSON that PostgreSQL can hold."""
    return msgspec.json.encode(clean_json(value)).decode()


def clean_json(value: Any) -> Any:
    """A value or noun as plain values, for a column that SQLAlchemy encodes."""
    return _clean_all(msgspec.to_builtins(value))


def _copy(
    connection: Connection, statement: Composed, table: Table, columns: Sequence[str], rows: Iterable[Row]
) -> None:
    convert = [
        (position, function)
        for position, name in enumerate(columns)
        if (function := _conversion(table.c[name].type)) is not None
    ]
    try:
        with connection.connection.cursor().copy(statement) as copying:
            for row in rows:
                values = list(row)
                for position, function in convert:
                    if values[position] is not None:
                        values[position] = function(values[position])
                copying.write_row(values)
    except psycopg.Error as error:
        # As SQLAlchemy raises what goes through its own hands.
        raise DBAPIError.instance(statement.as_string(), None, error, psycopg.Error) from error


def _conversion(kind: Any) -> Callable[[Any], Any] | None:
    """What makes a value of a column of this type fit for COPY; None where nothing has to."""
    if isinstance(kind, JSONB):
        return as_json
    if isinstance(kind, ARRAY):
        return lambda values: [clean(each) for each in values]
    return clean if isinstance(kind, Text) else None


def _names(names: Sequence[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


def _execute(connection: Connection, statement: Composed) -> Any:
    return connection.exec_driver_sql(statement.as_string())
