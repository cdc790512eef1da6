"""The folder of the private PostgreSQL: whose it is, its locks and its socket, who may connect, and what it says.

Under root it stays root's, and only what the server has to write belongs to the user that the server runs as.

Source: https://www.postgresql.org/docs/18/auth-username-maps.html
"""

import contextlib
import os
import pwd
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from openinspector.errors import StoreError
from openinspector.store import keeper

SERVER_USERS: Final = ("openinspector", "postgres", "nobody")
START_SECONDS: Final = 60.0  # recovery after a crash takes as long as there is to replay

_LONGEST_SOCKET: Final = 100  # bytes of a path; the kernel's limit is 107
_LOCKS: Final = ("door.lock", "users.lock", "keeper.lock")


def prepare(data: Path) -> Path:
    """The folder of the server, with its subfolders and locks.

    Under root the folder stays root's, so that the server's user can't put links in the place of what root writes.
    """
    folder = data.expanduser().absolute() / "postgresql"
    root = os.geteuid() == 0
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = folder.resolve()
        folder.mkdir(exist_ok=True, mode=0o711 if root else 0o700)
        uid, gid = server_user(folder)
        if os.geteuid() not in (0, uid):
            raise StoreError(
                f"{folder} belongs to user {uid}, and we are user {os.geteuid()}: come as the one who made the data"
                " folder, or name another one (--data, OPENINSPECTOR_DATA)"
            )
        if root:
            if folder.stat().st_uid == 0:
                folder.chmod(0o711)  # whatever the umask says
            _open_up(folder, uid)
        for name in ("log", "run"):
            if not (folder / name).is_symlink():
                make_folder(folder / name, uid, gid)
        for name in _LOCKS:
            os.close(open_lock(folder / name))
    except OSError as error:
        raise StoreError(f"{folder} can't be used for a database: {error.strerror or error}") from error
    return folder


def make_folder(folder: Path, uid: int, gid: int) -> None:
    """A folder for the server's user alone; one that is there stays as it is."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(folder, uid, gid)


def server_user(folder: Path) -> tuple[int, int]:
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
    if not may_pass(data, uid):
        mode = data.stat().st_mode
        if data.stat().st_uid == 0:
            data.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
    for above in folder.parents:
        if not may_pass(above, uid):
            name = pwd.getpwuid(uid).pw_name
            raise StoreError(
                f"{folder} can't be used for a database: it does not run as root, and user {name} can't pass through"
                f" {above}; use another data directory (/var/lib/openinspector)"
            )


def may_pass(path: Path, uid: int) -> bool:
    """Whether a user gets at what lies in a folder."""
    found = path.stat()
    if found.st_uid == uid:
        return bool(found.st_mode & stat.S_IXUSR)
    return bool(found.st_mode & (stat.S_IXGRP if found.st_gid == pwd.getpwuid(uid).pw_gid else stat.S_IXOTH))


@contextlib.contextmanager
def door(folder: Path) -> Iterator[None]:
    """While nobody else starts or stops the server."""
    lock = open_lock(folder / "door.lock")
    try:
        until = time.monotonic() + 2 * START_SECONDS
        while not keeper.try_lock(lock):
            if time.monotonic() > until:
                raise StoreError(f"another process has been starting or stopping the database in {folder} for too long")
            time.sleep(0.01)
        yield
    finally:
        os.close(lock)


def open_lock(path: Path) -> int:
    """A file that is there to be locked, opened; it is made where there is none."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def is_kept(folder: Path) -> bool:
    """Whether the server has a keeper."""
    lock = open_lock(folder / "keeper.lock")
    try:
        return not keeper.try_lock(lock)
    finally:
        os.close(lock)


def keeper_of(folder: Path) -> int | None:
    """The process id of the keeper, once it has a server."""
    text = (folder / "keeper.lock").read_text().strip()
    return int(text) if text.isdigit() else None


def write_access(folder: Path, uid: int) -> None:
    """Who may connect: by the socket alone, and only who could read the files as well."""
    names = {pwd.getpwuid(each).pw_name for each in {uid, os.geteuid()}} | {"root"}
    texts = {
        "pg_hba.conf": "local all all peer map=service\n",
        "pg_ident.conf": "".join(f'service "{name}" all\n' for name in sorted(names)),
    }
    for name, text in texts.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o644)


def choose_socket(folder: Path, uid: int, gid: int) -> Path:
    """`<folder>/run`, or a folder of its own where that path is too long for a socket."""
    usual = folder / "run"
    if len(os.fsencode(usual / ".s.PGSQL.5432")) <= _LONGEST_SOCKET:
        return usual
    # A running server says where its socket is; a symbolic link keeps the place for the next one.
    if usual.is_symlink() and usual.is_dir():
        return usual.readlink()
    short = Path(tempfile.mkdtemp(prefix="openinspector-"))
    if os.geteuid() == 0:
        os.chown(short, uid, gid)
    if usual.is_symlink():
        usual.unlink()
    elif usual.is_dir():
        usual.rmdir()
    usual.symlink_to(short)
    return short


def last_words(folder: Path) -> str:
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
