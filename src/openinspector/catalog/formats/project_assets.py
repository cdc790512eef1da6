"""What NuGet's restore resolved for a project, `obj/project.assets.json`.

    {"libraries": {"Serilog/3.1.1": {"type": "package", "sha512": "…"}, "Other/1.0.0": {"type": "project"}},
     "project": {"frameworks": {"net8.0": {"dependencies": {"StyleCop.Analyzers": {"suppressParent": "All"}}}}}}

Source:
https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files#controlling-dependency-assets
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


class _Framework(Struct, frozen=True):
    dependencies: dict[str, Raw] | None = None


class _Project(Struct, frozen=True):
    frameworks: dict[str, _Framework] | None = None


class _Assets(Struct, frozen=True):
    libraries: dict[str, Raw] | None = None
    project: _Project | None = None


class _Library(Struct, frozen=True):
    type: str
    sha512: str = ""


class _Dependency(Struct, frozen=True):
    suppress_parent: str = field(default="", name="suppressParent")


_ASSETS: Final = Decoder(_Assets)
_LIBRARY: Final = Decoder(_Library)
_DEPENDENCY: Final = Decoder(_Dependency)


class ProjectAssets:
    """project.assets.json."""

    name = "nuget.assets"
    title = "NuGet project.assets.json"
    type = "nuget"
    revision = 2
    wants = Wants(names=("project.assets.json",), max_size=256 << 20)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The resolved packages; those private to the build (`PrivateAssets="all"`) are for development only.

        Raises:
            CatalogError: It is no JSON, or not of this shape.
        """
        assets = safe_json.document(file.data, _ASSETS)
        private = _private(assets.project)
        packages: list[Package] = []
        unread: list[str] = []
        for key, library in safe_json.records((assets.libraries or {}).items(), _LIBRARY):
            name, _, version = key.rpartition("/")
            if library is None or not name or not version:
                unread.append(key)
            elif library.type == "package":
                packages.append(
                    Package(
                        type="nuget",
                        name=name,
                        version=version,
                        location=Location(path=file.path),
                        format=self.name,
                        dev=name.lower() in private,
                        digest=digest_of(f"sha512-{library.sha512}") if library.sha512 else "",
                    )
                )
        return Reading(
            packages=tuple(packages), problems=unparsed(file.path, self.name, "libraries that make no sense", unread)
        )


def _private(project: _Project | None) -> set[str]:
    """The direct dependencies, in lower case, of which every framework keeps everything to itself."""
    private: set[str] = set()
    public: set[str] = set()
    for framework in ((project.frameworks if project else None) or {}).values():
        for name, dependency in safe_json.records((framework.dependencies or {}).items(), _DEPENDENCY):
            hidden = dependency is not None and dependency.suppress_parent.lower() == "all"
            (private if hidden else public).add(name.lower())
    return private - public


PLUGIN: Final[Format] = ProjectAssets()
