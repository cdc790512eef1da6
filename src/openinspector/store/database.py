"""The service's database: its schema brought up to date, and transactions that see what they should.

    with connect("postgresql://inspector@db/inspector") as database:           # or `connect_embedded(server)`
        with database.transaction("123456789012") as connection: …             # the rows of one account
        with database.transaction("123456789012", "210987654321") as …         # of an administrator and its members
        with database.system() as connection: …                                # every row: scanning, matching, delivery

Requests and workers connect as roles of their own that can't evade row security (see migrations/versions). With a
database of your own, one that its owner's address opens, both become those roles after they have logged in; that
contains a mistake in our SQL, but smuggled SQL could step back. `app_url`, a login that is only a member of
`openinspector_app`, closes that too. The embedded database has such logins from the start.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from openinspector.errors import StoreError
from openinspector.store import queue
from openinspector.store.migrations import HEAD
from openinspector.store.roles import APP_ROLE, SCHEMA, SYSTEM_ROLE

if TYPE_CHECKING:
    from openinspector.store.embedded import EmbeddedPostgres

OLDEST: Final = 16  # the oldest major version of PostgreSQL that has what we use
REQUEST_SECONDS: Final = 30  # of a statement
SYSTEM_SECONDS: Final = 900
MIGRATION_SECONDS: Final = 600  # how long one process waits for another's migration
POOL: Final = 10  # connections that stay open, for requests and for the system alike
OVERFLOW: Final = 10  # more of them in a rush

_MIGRATION_LOCK: Final = 0x6F70656E696E7370  # "openinsp"
_SEARCH_PATH: Final = f"{SCHEMA}, pg_temp"  # named last, temporary tables hide none of ours


class Database:
    """Two pools of connections: those of requests, and those of the system. `close` it, or use it in a `with`."""

    def __init__(self, app: Engine, system: Engine, pads: tuple[bytes, bytes]) -> None:
        self._app = app
        self._system = system
        self._inner = hashlib.sha256(pads[0])
        self._outer = hashlib.sha256(pads[1])

    @contextlib.contextmanager
    def transaction(self, account: str, *others: str, seconds: float = REQUEST_SECONDS) -> Iterator[Connection]:
        """A transaction that sees the rows of these accounts and can write no others.

        `seconds` bounds each statement. It is committed at the end, or rolled back where something was raised.
        """
        accounts = (account, *others)
        if not all(each and "," not in each for each in accounts):
            raise ValueError(f"{accounts} are no account ids")
        scope = ",".join(accounts)
        with self._app.begin() as connection:
            connection.execute(_ENTER, {"accounts": scope, "seal": self._seal(scope), "timeout": _ms(seconds)})
            yield connection

    @contextlib.contextmanager
    def system(self, *, seconds: float = SYSTEM_SECONDS) -> Iterator[Connection]:
        """A transaction that sees every row. `seconds` bounds each statement."""
        with self._system.begin() as connection:
            if seconds != SYSTEM_SECONDS:
                connection.execute(_LIMIT, {"timeout": _ms(seconds)})
            yield connection

    def queue_arguments(self) -> dict[str, Any]:
        """What the queue connects with, as the system: `conninfo`, and `kwargs` for each connection."""
        conninfo = self._system.url.set(drivername="postgresql").render_as_string(hide_password=False)
        options = f"-c search_path={queue.QUEUE_SCHEMA} -c role={SYSTEM_ROLE} -c timezone=UTC"
        name = f"openinspector queue {os.getpid()}"
        return {
            "conninfo": conninfo,
            "kwargs": {"application_name": name, "connect_timeout": 10, "options": options},
        }

    def close(self) -> None:
        """Closes the connections that nobody uses; the others close when they are given back."""
        self._app.dispose()
        self._system.dispose()

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _seal(self, scope: str) -> str:
        """HMAC-SHA256 of the scope, of keys that are padded already."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(scope.encode())
        outer.update(inner.digest())
        return outer.hexdigest()


_ENTER: Final = text(
    "SELECT set_config('openinspector.accounts', :accounts, true), set_config('openinspector.seal', :seal, true),"
    f" set_config('search_path', '{_SEARCH_PATH}', true), set_config('statement_timeout', :timeout, true)"
)
_LIMIT: Final = text("SELECT set_config('statement_timeout', :timeout, true)")


def connect(url: str, *, app_url: str = "", pool: int = POOL) -> Database:
    """The database at an address, its schema brought up to date.

    `url` is its owner's (`postgresql://user:password@host/name?sslmode=…`), `app_url` that of requests, "" for the
    owner's, narrowed. `pool` is how many connections each of both pools keeps.

    Raises:
        StoreError: It can't be reached, is too old, or its schema can't be brought up to date.
    """
    owner = _address(url)
    app = _engine(_address(app_url) if app_url else owner, APP_ROLE, pool, role="" if app_url else APP_ROLE)
    system = _engine(owner, SYSTEM_ROLE, pool, role=SYSTEM_ROLE)
    return _open(owner, app, system)


def connect_embedded(server: "EmbeddedPostgres", *, database: str = "", pool: int = POOL) -> Database:
    """The database of an embedded server, its schema brought up to date. A server that has died is started again.

    Raises:
        StoreError: Its schema can't be brought up to date.
    """
    from openinspector.store.embedded import DATABASE, OWNER

    def address(role: str) -> URL:
        return make_url(server.url(role, database or DATABASE))

    app = _engine(address(APP_ROLE), APP_ROLE, pool, role="")
    system = _engine(address(SYSTEM_ROLE), SYSTEM_ROLE, pool, role="")
    for engine in (app, system):
        _restart_when_dead(engine, server)
    return _open(address(OWNER), app, system)


def migrate(engine: Engine) -> None:
    """Brings the schema up to date: all of it or nothing. Processes that start at once wait for the first of them.

    Raises:
        StoreError: The schema is newer than this program, the server is too old, or the role may not do it.
    """
    try:
        engine.connect().close()
    except SQLAlchemyError as error:
        raise StoreError(f"the database {_named(engine.url)} can't be reached: {reason(error)}") from error
    try:
        with engine.begin() as connection:
            version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
            if int(version) < OLDEST * 10000:
                raise StoreError(
                    f"the database is PostgreSQL {int(version) // 10000}; {OLDEST} is the oldest that does"
                )
            if _is_current(connection):
                return
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{MIGRATION_SECONDS}s'")
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            if _is_current(connection):
                return
            found = _revision(connection)
            if found > HEAD:
                raise StoreError(
                    f"the database is at revision {found}, which a newer openinspector made; this one knows {HEAD} as"
                    " the newest: upgrade it, or restore a backup"
                )
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            _upgrade(connection)
            queue.bring_up_to_date(connection)
    except SQLAlchemyError as error:
        raise StoreError(f"the database's schema can't be brought up to date: {reason(error)}") from error


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Alembic reads this as a pattern of configparser's.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _is_current(connection: Connection) -> bool:
    return _revision(connection) == HEAD and queue.is_current(connection)


def _revision(connection: Connection) -> str:
    """The revision that the schema is at; "" where there is none."""
    table = f"{SCHEMA}.alembic_version"
    if connection.execute(text("SELECT to_regclass(:table)"), {"table": table}).scalar_one() is None:
        return ""
    found = connection.exec_driver_sql(f"SELECT version_num FROM {table}").scalar_one_or_none()  # noqa: S608  our name
    return str(found or "")


def _open(owner: URL, app: Engine, system: Engine) -> Database:
    """The database, once its schema is right and both roles get in."""
    engine = _owner_engine(owner)
    try:
        migrate(engine)
        with engine.begin() as connection:
            row = connection.exec_driver_sql(f"SELECT inner_pad, outer_pad FROM {SCHEMA}.scope_key").one()  # noqa: S608
        for each in (app, system):
            with each.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
    except BaseException as error:
        app.dispose()
        system.dispose()
        if isinstance(error, SQLAlchemyError):
            raise StoreError(f"the database {_named(owner)} can't be used: {reason(error)}") from error
        raise
    finally:
        engine.dispose()
    return Database(app, system, (row.inner_pad, row.outer_pad))


def _address(url: str) -> URL:
    try:
        parsed = make_url(url)
    except SQLAlchemyError as error:
        raise StoreError("the address of the database makes no sense: postgresql://user:password@host/name") from error
    if parsed.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise StoreError(f"{parsed.drivername} is no database that we know: postgresql://user:password@host/name")
    return parsed.set(drivername="postgresql+psycopg")


def _named(url: URL) -> str:
    """Which database it is, without what opens it: that may stand among the parameters too."""
    host = url.host or url.query.get("host") or "this machine"
    return f"{url.database or ''} at {host}{f':{url.port}' if url.port else ''}".strip()


def _owner_engine(url: URL) -> Engine:
    return create_engine(url, poolclass=NullPool, connect_args=_arguments("openinspector migration", REQUEST_SECONDS))


def _engine(url: URL, name: str, pool: int, *, role: str) -> Engine:
    """A pool of connections that call themselves `name` and this process, and are `role` from their first moment."""
    seconds = REQUEST_SECONDS if name == APP_ROLE else SYSTEM_SECONDS
    return create_engine(
        url,
        pool_size=pool,
        max_overflow=OVERFLOW,
        pool_timeout=REQUEST_SECONDS,
        pool_pre_ping=True,
        pool_recycle=3600,
        json_deserializer=msgspec.json.decode,
        connect_args=_arguments(f"{name} {os.getpid()}", seconds, f"-c role={role}" if role else ""),
    )


def _arguments(name: str, seconds: float, more: str = "") -> dict[str, Any]:
    options = (
        f"-c search_path={_SEARCH_PATH.replace(' ', '')} -c statement_timeout={_ms(seconds)} -c lock_timeout=10000"
        f" -c idle_in_transaction_session_timeout=60000 -c timezone=UTC {more}"
    )
    return {"application_name": name, "connect_timeout": 10, "options": options.strip()}


def _restart_when_dead(engine: Engine, server: "EmbeddedPostgres") -> None:
    @event.listens_for(engine, "do_connect")
    def reconnect(dialect: Any, record: object, arguments: Any, named: Any) -> Any:
        try:
            return dialect.connect(*arguments, **named)
        except dialect.loaded_dbapi.OperationalError:
            server.ensure()
            return dialect.connect(*arguments, **named)


def _ms(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def reason(error: SQLAlchemyError) -> str:
    """What the database said, in one line."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip() or type(error).__name__
    line = " ".join(said.split())
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == "42501":
        line += (
            f"; where the role may make no others, its administrator can: CREATE ROLE {APP_ROLE}; CREATE ROLE"
            f" {SYSTEM_ROLE}; GRANT {APP_ROLE}, {SYSTEM_ROLE} TO it"
        )
    return line
