"""Installed Python packages: the core metadata in *.dist-info, *.egg-info and unpacked eggs.

    usr/lib/python3.11/site-packages/requests-2.31.0.dist-info/METADATA
    usr/lib/python3/dist-packages/six-1.16.0.egg-info            (a bare file)
    opt/app/foo-1.0-py3.8.egg/EGG-INFO/PKG-INFO

Source: https://packaging.python.org/en/latest/specifications/core-metadata/
"""

from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.core_metadata import read_core_metadata
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package


class PypiMetadata:
    """METADATA and PKG-INFO of installed packages."""

    name = "pypi.metadata"
    title = "Python dist-info and egg-info"
    type = "pypi"
    revision = 1
    wants = Wants(names=("METADATA", "PKG-INFO"), suffixes=(".egg-info",), max_size=16 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Only in the folders of installed packages: a source tree's own PKG-INFO installs nothing."""
        if path.endswith(".dist-info/METADATA") or path.endswith(".egg-info"):
            return True
        return path.endswith((".egg-info/PKG-INFO", ".egg/EGG-INFO/PKG-INFO"))

    def read(self, file: File) -> Reading:
        """The package; where the head lacks its name or version, the folder's name gives it."""
        said = read_core_metadata(file.data)
        folder_name, folder_version = _named_by_folder(file.path)
        name, version = said.name or folder_name, said.version or folder_version
        if not name or not version:
            return Reading(
                problems=unparsed(file.path, self.name, "neither the file nor its folder says", ["name and version"])
            )
        package = Package(
            type="pypi",
            name=name,
            version=version,
            location=Location(path=file.path),
            format=self.name,
            license=said.license,
        )
        missing = [field for field, value in (("Name", said.name), ("Version", said.version)) if not value]
        return Reading(
            packages=(package,),
            problems=unparsed(file.path, self.name, "taken from the folder's name, the file lacks", missing),
        )


def _named_by_folder(path: str) -> tuple[str, str]:
    """`foo` and `1.0` of `…/foo-1.0.dist-info/METADATA`, `…/foo-1.0-py3.8.egg-info` and `…/foo-1.0-py3.8.egg/…`."""
    for part in reversed(path.split("/")):
        stem, _, ending = part.rpartition(".")
        if ending in ("dist-info", "egg-info", "egg"):
            name, _, rest = stem.partition("-")
            return name, rest if ending == "dist-info" else rest.partition("-")[0]
    return "", ""


PLUGIN: Final[Format] = PypiMetadata()
