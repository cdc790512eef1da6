"""An rpm database of 500 packages in each of its containers, against Trivy and Syft, and the reading alone."""

import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from zlib import adler32

from bench_scan import about, measured, show
from openinspector.catalog.contract import File
from openinspector.catalog.formats.rpm import PLUGIN
from peers import advisories, install
from places import RUNS, helper
from report import heading, note, table
from targets import Target, made, megabytes

COUNT = 500
CONTAINERS = {"Berkeley DB": ("bdb", "Packages"), "NDB": ("ndb", "Packages.db"), "SQLite": ("sqlite", "rpmdb.sqlite")}
_CHANGELOG, _DIGESTS, _STRINGS = 1082, 1035, 8
_RELEASE = 'NAME="AlmaLinux"\nID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'


def main() -> int:
    """Print the tables."""
    install()
    known = advisories()
    folders = {title: database(*container) for title, container in CONTAINERS.items()}
    heading(f"rpm databases of {COUNT} packages", about(known))
    show(measured(Target(f"rpm, {title}", "dir", root, megabytes(root)) for title, root in folders.items()))
    note(f"The reading alone, from memory, median of {RUNS}:")
    table(
        ["container", "MB", "packages", "ms", "packages/s"], [reading(title, root) for title, root in folders.items()]
    )
    return 0


def database(container: str, name: str) -> Path:
    """A root directory with nothing but the database and the release."""

    def make(root: Path) -> None:
        writers = helper("unit/catalog/rpm_writers.py")
        folder = root / "var/lib/rpm"
        folder.mkdir(parents=True)
        random = Random(COUNT)
        headers = [header(writers, random, at) for at in range(COUNT)]
        write = {"bdb": writers.bdb, "ndb": ndb, "sqlite": lambda each: writers.sqlite(each)[0]}[container]
        (folder / name).write_bytes(write(headers))
        (root / "etc").mkdir()
        (root / "etc/os-release").write_text(_RELEASE, "utf-8")
        (root / "etc/almalinux-release").write_text("AlmaLinux release 9.4 (Seafoam Ocelot)\n", "utf-8")
        (root / "etc/redhat-release").write_text("AlmaLinux release 9.4 (Seafoam Ocelot)\n", "utf-8")

    return made(f"rpm-{container}", [container, str(COUNT)], make)


def header(writers: object, random: Random, at: int) -> bytes:
    """One package with 5 to 400 files, their digests and a changelog, as large as real ones are."""
    name = f"package{at}"
    files = [(f"/usr/share/{name}/{part % 9}/", f"file{part}", 0o100644) for part in range(random.randrange(5, 400))]
    digests = [random.randbytes(32).hex() for _ in files]
    changes = [
        f"- change {number} of {name}: fixes what was wrong before" for number in range(random.randrange(5, 300))
    ]
    version = f"{random.randrange(9)}.{random.randrange(40)}.{random.randrange(40)}"
    return writers.header(  # type: ignore[attr-defined]
        name=name,
        version=version,
        release="1.el9",
        source=f"{name}-{version}-1.el9.src.rpm",
        files=files,
        extra=[(_DIGESTS, _STRINGS, digests), (_CHANGELOG, _STRINGS, changes)],
    )


def ndb(headers: Sequence[bytes]) -> bytes:
    """An NDB database: as many pages of slots as it takes, the records behind them."""
    pages = (len(headers) + 2) * 16 // 4096 + 1
    slots, records = b"", b""
    for number, blob in enumerate(headers, 1):
        first, count = (pages * 4096 + len(records)) // 16, (len(blob) + 28 + 15) // 16
        record = (struct.pack("<4s3I", b"BlbS", number, 1_700_000_000, len(blob)) + blob).ljust(count * 16 - 12, b"\0")
        records += record + struct.pack("<2I4s", adler32(record), len(blob), b"BlbE")
        slots += struct.pack("<4s3I", b"Slot", number, first, count)
    head = struct.pack("<4s4I", b"RpmP", 0, 1, pages, len(headers) + 1).ljust(32, b"\0") + slots
    return head + struct.pack("<4s3I", b"Slot", 0, 0, 0) * ((pages * 4096 - len(head)) // 16) + records


def reading(title: str, root: Path) -> list[str]:
    """How long the reader takes for a database in memory."""
    name = CONTAINERS[title][1]
    data = (root / "var/lib/rpm" / name).read_bytes()
    times = []
    for _ in range(RUNS + 1):
        start = perf_counter()
        found = PLUGIN.read(File(path=f"var/lib/rpm/{name}", data=data))
        times.append(perf_counter() - start)
    seconds = median(times[1:])
    count = len(found.packages)
    return [title, f"{len(data) / 1e6:.1f}", str(count), f"{1000 * seconds:.1f}", f"{count / seconds:,.0f}"]


if __name__ == "__main__":
    sys.exit(main())
