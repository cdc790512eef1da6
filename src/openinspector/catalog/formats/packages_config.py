"""The packages of an older .NET project.

    <packages>
      <package id="Newtonsoft.Json" version="13.0.1" targetFramework="net472" developmentDependency="true" />
    </packages>

Source: https://learn.microsoft.com/nuget/reference/packages-config
"""

from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.unparsed import unparsed
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package


class PackagesConfig:
    """packages.config."""

    name = "nuget.packages-config"
    title = "NuGet packages.config"
    type = "nuget"
    revision = 2
    wants = Wants(names=("packages.config",), max_size=8 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The packages.

        Raises:
            CatalogError: It is no XML, has entities, or is something else.
        """
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import ParseError, fromstring

        try:
            root = fromstring(bytes(file.data))
        except DefusedXmlException as error:
            raise CatalogError("it declares entities, which no list of packages needs") from error
        except (ParseError, ValueError, LookupError) as error:
            raise CatalogError(f"it is not well-formed XML: {error}") from error
        if root.tag != "packages":
            raise CatalogError(f"its root is <{str(root.tag)[:40]}>, not <packages>")
        packages: list[Package] = []
        unread: list[str] = []
        for each in root.iterfind("package"):
            name, version = each.get("id", ""), each.get("version", "")
            if not name or not version:
                unread.append(name)
                continue
            packages.append(
                Package(
                    type="nuget",
                    name=name,
                    version=version,
                    location=Location(path=file.path),
                    format=self.name,
                    dev=each.get("developmentDependency", "").lower() == "true",
                )
            )
        return Reading(
            packages=tuple(packages),
            problems=unparsed(file.path, self.name, "packages without id or version", unread),
        )


PLUGIN: Final[Format] = PackagesConfig()
