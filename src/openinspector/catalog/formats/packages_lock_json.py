"""NuGet's lock file.

    {"version": 1, "dependencies": {"net8.0": {"Serilog": {"type": "Direct", "resolved": "3.1.1", "contentHash": "…"}}}}

Source: https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files#locking-dependencies
"""

from typing import Final

from msgspec import Raw, Struct, field
from msgspec.json import Decoder

from openinspector.catalog import safe_json
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.integrity import digest_of
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package


class _Lock(Struct, frozen=True):
    dependencies: dict[str, dict[str, Raw]] | None = None


class _Entry(Struct, frozen=True):
    type: str
    resolved: str = ""
    content_hash: str = field(default="", name="contentHash")


_LOCK: Final = Decoder(_Lock)
_ENTRY: Final = Decoder(_Entry)


class PackagesLockJson:
    """packages.lock.json."""

    name = "nuget.packages-lock"
    title = "NuGet packages.lock.json"
    type = "nuget"
    revision = 2
    wants = Wants(names=("packages.lock.json",))

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages of all target frameworks, each version once; other projects are left out.

        Raises:
            CatalogError: It is no JSON, or not of this shape.
        """
        packages: dict[tuple[str, str], Package] = {}
        unread: list[str] = []
        for entries in (safe_json.document(file.data, _LOCK).dependencies or {}).values():
            for name, entry in safe_json.records(entries.items(), _ENTRY):
                if entry is not None and entry.type == "Project":
                    continue
                if entry is None or not entry.resolved or not name:
                    unread.append(name)
                    continue
                packages[name, entry.resolved] = Package(
                    type="nuget",
                    name=name,
                    version=entry.resolved,
                    location=Location(path=file.path),
                    format=self.name,
                    digest=digest_of(f"sha512-{entry.content_hash}") if entry.content_hash else "",
                )
        return Reading(
            packages=tuple(packages.values()),
            problems=unparsed(file.path, self.name, "packages without a resolved version", unread),
        )


PLUGIN: Final[Format] = PackagesLockJson()
