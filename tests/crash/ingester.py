"""A process that ingests and writes down what it does: `python ingester.py FOLDER NUMBER`. Killed at any moment.

`FOLDER/journal-NUMBER` gets a line before each ingest and one after it, on the disk before it goes on. What a resource
has in its n-th version follows from its name and n alone (`vulnerable`), so whoever reads the journal knows what must
be found.
"""

import os
import sys
import zlib
from datetime import UTC, datetime
from pathlib import Path

FLAWS = tuple(f"CVE-2030-{number:04}" for number in range(1, 13))
ACCOUNT, REGION = "111122223333", "us-east-1"
RESOURCES = 4  # of each ingester


def vulnerable(resource: str, version: int) -> frozenset[str]:
    """The flaws that a resource has in a version."""
    return frozenset(flaw for flaw in FLAWS if zlib.crc32(f"{resource} {version} {flaw}".encode()) & 1)


def resources(number: int) -> list[str]:
    return [f"i-{number:08x}{index:09x}" for index in range(RESOURCES)]


def read_journal(path: Path) -> dict[str, tuple[int, int]]:
    """The version that was begun last of each resource, and the one that was done last. A torn line is none."""
    found: dict[str, tuple[int, int]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        word, _, rest = line.partition(" ")
        name, _, version = rest.partition(" ")
        if not version.endswith(";"):
            continue
        begun, done = found.get(name, (0, 0))
        number = int(version[:-1])
        found[name] = (number, done) if word == "begin" else (begun, number)
    return found


def main() -> None:
    from openinspector.model.inventory import Inventory, Target
    from openinspector.model.package import Location, Package
    from openinspector.model.resource import AccountId, Resource
    from openinspector.pipeline.in_force import advisories_in_force
    from openinspector.pipeline.ingest import ingest
    from openinspector.store.database import connect_embedded
    from openinspector.store.embedded import start

    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    journal = os.open(folder / f"journal-{number}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(words: str) -> None:
        os.write(journal, f"{words};\n".encode())
        os.fsync(journal)

    os.write(journal, b"\n")  # ends a line that a former life left torn
    known = read_journal(folder / f"journal-{number}")
    # What was begun and not done is done again: it may have come about, and then nothing changes.
    versions = {name: known.get(name, (0, 0))[1] for name in resources(number)}
    with start(Path(os.environ["OPENINSPECTOR_DATA"])) as server, connect_embedded(server, pool=1) as database:
        is_last = False
        while not is_last:
            is_last = (folder / "stop").exists()  # one round more: something may have been begun and not done
            for name, last in versions.items():
                version = last + 1
                bad = vulnerable(name, version)
                packages = tuple(
                    Package(
                        type="pypi",
                        name=f"demo-{flaw[-4:]}",
                        version="1.0" if flaw in bad else "3.0",
                        location=Location(path=f"/srv/{flaw}"),
                    )
                    for flaw in FLAWS
                )
                inventory = Inventory(target=Target(kind="host", name=name), packages=packages)
                resource = Resource(account=AccountId(ACCOUNT), region=REGION, type="AWS_EC2_INSTANCE", id=name)
                note(f"begin {name} {version}")
                while True:
                    try:
                        ingest(database, advisories_in_force(), resource, inventory, datetime.now(UTC))
                    except Exception as error:  # the database was killed: once more
                        sys.stderr.write(f"{type(error).__name__}: {str(error)[:200]}\n")
                        continue
                    break
                note(f"done {name} {version}")
                versions[name] = version


if __name__ == "__main__":
    main()
