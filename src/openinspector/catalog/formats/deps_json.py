"""What a built .NET application needs at run time.

    {"runtimeTarget": {"name": ".NETCoreApp,Version=v8.0/linux-x64"},
     "targets": {".NETCoreApp,Version=v8.0/linux-x64": {"Tool/1.0.0": {"compileOnly": true}}},
     "libraries": {"Serilog/3.1.1": {"type": "package", "sha512": "sha512-…"}, "App/1.0.0": {"type": "project"}}}

A self-contained application lists the runtime it brings as `runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1`.
Source: https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md
"""

from typing import Final

from msgspec import Raw, Struct, field
from msgspec.json import Decoder

from openinspector.catalog import safe_json
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.integrity import digest_of
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package


class _Target(Struct, frozen=True):
    name: str = ""


class _Document(Struct, frozen=True):
    runtime_target: _Target | None = field(default=None, name="runtimeTarget")
    targets: dict[str, dict[str, Raw]] | None = None
    libraries: dict[str, Raw] | None = None


class _Library(Struct, frozen=True):
    type: str
    sha512: str = ""


class _Use(Struct, frozen=True):
    compile_only: bool = field(default=False, name="compileOnly")


_DOCUMENT: Final = Decoder(_Document)
_LIBRARY: Final = Decoder(_Library)
_USE: Final = Decoder(_Use)


class DepsJson:
    """*.deps.json."""

    name = "nuget.deps-json"
    title = ".NET *.deps.json"
    type = "nuget"
    revision = 1
    wants = Wants(suffixes=(".deps.json",))

    def accepts(self, path: str) -> bool:
        """Every file of that name."""
        return True

    def read(self, file: File) -> Reading:
        """The NuGet packages; projects and assemblies without a package are left out.

        Raises:
            CatalogError: It is no JSON, or not of this shape.
        """
        document = safe_json.document(file.data, _DOCUMENT)
        target = document.runtime_target.name if document.runtime_target else ""
        uses = (document.targets or {}).get(target, {})
        compile_only = {
            key for key, use in safe_json.records(uses.items(), _USE) if use is not None and use.compile_only
        }
        packages: list[Package] = []
        unread: list[str] = []
        for key, library in safe_json.records((document.libraries or {}).items(), _LIBRARY):
            name, _, version = key.rpartition("/")
            if library is None or not name or not version:
                unread.append(key)
            elif library.type in ("package", "runtimepack"):
                packages.append(
                    Package(
                        type="nuget",
                        name=name.removeprefix("runtimepack."),
                        version=version,
                        location=Location(path=file.path),
                        format=self.name,
                        dev=key in compile_only,
                        digest=digest_of(library.sha512),
                    )
                )
        return Reading(
            packages=tuple(packages), problems=unparsed(file.path, self.name, "libraries that make no sense", unread)
        )


PLUGIN: Final[Format] = DepsJson()
