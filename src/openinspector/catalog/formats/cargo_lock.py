"""Cargo's lock file, versions 1 to 4.

    [[package]]
    name = "serde"
    version = "1.0.188"
    source = "registry+https://github.com/rust-lang/crates.io-index"     # none: a folder of the project itself
    checksum = "cf9e…"                                                   # version 1: in [metadata]

It does not tell dependencies for development from others: nothing is marked.
Source: https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html
"""

from typing import Any, Final

from openinspector.catalog import safe_toml
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package

_CRATES_IO = (
    "registry+https://github.com/rust-lang/crates.io-index",
    "sparse+https://index.crates.io/",
    "registry+sparse+https://index.crates.io/",
)


class CargoLock:
    """Cargo.lock."""

    name = "cargo.lock"
    title = "Cargo.lock (v1-v4)"
    type = "cargo"
    revision = 2
    wants = Wants(names=("Cargo.lock",), max_size=safe_toml.MAX_SIZE)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked crates; the project's own, which come from no registry or repository, are left out.

        Raises:
            CatalogError: It is no TOML.
        """
        document = safe_toml.load(file.data)
        checksums = document.get("metadata")
        packages: list[Package] = []
        unread: list[str] = []
        for record in safe_toml.tables(document.get("package")):
            name, version, source = record.get("name"), record.get("version"), record.get("source")
            if not (isinstance(name, str) and isinstance(version, str) and name and version):
                unread.append(str(name))
                continue
            if not isinstance(source, str):
                continue
            packages.append(
                Package(
                    type="cargo",
                    name=name,
                    version=version,
                    location=Location(path=file.path),
                    format=self.name,
                    repository="" if source in _CRATES_IO else source,
                    digest=_digest(record, checksums, f"checksum {name} {version} ({source})"),
                )
            )
        return Reading(
            packages=tuple(packages),
            problems=unparsed(file.path, self.name, "crates without name or version", unread),
        )


def _digest(record: dict[str, Any], checksums: object, key: str) -> str:
    checksum = record.get("checksum") or (checksums.get(key) if isinstance(checksums, dict) else None)
    return f"sha256:{checksum}" if isinstance(checksum, str) and len(checksum) == 64 else ""


PLUGIN: Final[Format] = CargoLock()
