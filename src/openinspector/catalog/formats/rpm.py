"""The rpm database in its three containers, and the manifest that stands in for it in distroless Mariner images."""

from collections.abc import Iterator
from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.rpm import bdb, header, ndb, sqlite
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

_FOLDERS = ("var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm")
_DATABASES = ("Packages", "Packages.db", "rpmdb.sqlite")
_MANIFEST = "var/lib/rpmmanifest/container-manifest-2"


class Rpm:
    """`Packages` (Berkeley DB), `Packages.db` (NDB), `rpmdb.sqlite`; told apart by what is in them."""

    name = "rpm"
    title = "rpm database (Berkeley DB, NDB, SQLite) and manifest"
    type = "rpm"
    revision = 1
    wants = Wants(
        paths=(*(f"{folder}/{name}" for folder in _FOLDERS for name in _DATABASES), _MANIFEST),
        beside=("rpmdb.sqlite-wal",),
        max_size=1024 * MEGABYTE,
    )

    def accepts(self, path: str) -> bool:
        """Every file at these paths."""
        return path in self.wants.paths

    def read(self, file: File) -> Reading:
        """The packages, and which of their files matter."""
        if file.path == _MANIFEST:
            return _manifest(file)
        damage: list[str] = []
        packages, owned = [], []
        for blob in _headers(file, damage):
            try:
                entry = header.read_header(blob)
                package = header.package_of(entry, file.path)
            except CatalogError as error:
                damage.append(str(error))
                continue
            if package.name == "gpg-pubkey":  # a key that the database keeps as if it were a package
                continue
            packages.append(package)
            try:
                files = header.files_of(entry)
            except CatalogError as error:
                damage.append(str(error))
                continue
            if files:
                owned.append((package.name, files))
        if damage and not packages:
            raise CatalogError(f"{file.path}: {damage[0]}")
        return Reading(packages=tuple(packages), problems=_problems(file.path, damage), owned=tuple(owned))


def _headers(file: File, damage: list[str]) -> Iterator[bytes]:
    start = bytes(file.data[:16])
    if start == sqlite.MAGIC or file.path.endswith(".sqlite"):
        return sqlite.headers(file.data, file.beside.get("rpmdb.sqlite-wal", b""), damage)
    if start.startswith(ndb.MAGIC):
        return ndb.headers(file.data, damage)
    return bdb.headers(file.data, damage)


def _problems(path: str, damage: list[str]) -> tuple[Problem, ...]:
    counts: dict[str, int] = {}
    for reason in damage:
        # A hostile database must not fill the report: what comes late is counted under one heading.
        key = reason if reason in counts or len(counts) < 20 else "further records are broken"
        counts[key] = counts.get(key, 0) + 1
    return tuple(
        Problem(path=path, reason=reason, format="rpm", count=count, partial=True) for reason, count in counts.items()
    )


def _manifest(file: File) -> Reading:
    """The lines of `rpm -qa` that Mariner and Azure Linux leave in an image without database.

    Ten fields with tabs between: name, version-release, time of installation, time of building, vendor, epoch, size,
    architecture, epoch as a number, source rpm.
    """
    packages = []
    broken = 0
    for line in file.text().splitlines():
        if not line.strip():
            continue
        fields = ["" if field == "(none)" else field for field in line.split("\t")]
        if len(fields) < 10 or not fields[0] or "-" not in fields[1] or not (fields[8] or "0").isdecimal():
            broken += 1
            continue
        if fields[0] == "gpg-pubkey":
            continue
        epoch = int((fields[8] or "0")[:10])
        packages.append(
            Package(
                type="rpm",
                name=fields[0],
                version=header.evr(epoch, fields[1]),
                location=Location(path=file.path),
                format="rpm",
                arch=fields[7],
                source=header.source_of(fields[9], epoch),
                vendor=fields[4],
            )
        )
    if broken and not packages:
        raise CatalogError(f"{file.path}: no line is one of a package manifest")
    problem = Problem(
        path=file.path, reason="a line is not one of a package manifest", format="rpm", count=broken, partial=True
    )
    return Reading(packages=tuple(packages), problems=(problem,) if broken else ())


PLUGIN: Final[Format] = Rpm()
