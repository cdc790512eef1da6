"""Installed Node.js packages: package.json at the place where Node would look for it.

    app/node_modules/@babel/core/package.json
    usr/share/nodejs/semver/package.json          (Debian's and Ubuntu's own)
    app/node_modules/next/dist/compiled/@edge-runtime/cookies/package.json

The last is a copy that a package brought along (vendored): its code runs like that of any other. What else lies inside
of packages (tests, folders with a manifest of their own) is told apart by its name, which must be that of the folder,
and by `private`.

Source: https://nodejs.org/api/modules.html#loading-from-node_modules-folders;
https://docs.npmjs.com/cli/configuring-npm/package-json
"""

from typing import Any, Final

from msgspec import Struct
from msgspec.json import Decoder

from openinspector.catalog import safe_json
from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.unparsed import unparsed
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package


class _Manifest(Struct, frozen=True, gc=False):
    name: Any = None
    version: Any = None
    private: Any = None
    license: Any = None
    licenses: Any = None  # what license was called before 2015


_MANIFEST: Final = Decoder(_Manifest)


class NpmPackage:
    """package.json in node_modules."""

    name = "npm.package"
    title = "node_modules (package.json)"
    type = "npm"
    revision = 2
    wants = Wants(names=("package.json",), max_size=16 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Where a package is installed or may have brought one along; not a project's own manifest."""
        return _is_installed(path) or path.startswith("node_modules/") or "/node_modules/" in path

    def read(self, file: File) -> Reading:
        """The package; a manifest with neither name nor version marks a folder, not a package.

        Raises:
            CatalogError: It is no JSON object.
        """
        installed = _is_installed(file.path)
        try:
            manifest = safe_json.document(file.data, _MANIFEST)
        except CatalogError:
            if installed:
                raise
            return Reading()  # packages carry broken ones along, to test themselves with
        name, version = manifest.name, manifest.version
        if not name and not version:
            return Reading()
        if not installed and (manifest.private or not version or not _is_named_after(file.path, name)):
            return Reading()
        if not (isinstance(name, str) and isinstance(version, str) and name and version):
            return Reading(problems=unparsed(file.path, self.name, "a package without name or version", [f"{name}"]))
        package = Package(
            type="npm",
            name=name,
            version=version,
            location=Location(path=file.path),
            format=self.name,
            license=_license(manifest.license) or _license(manifest.licenses),
        )
        return Reading(packages=(package,))


def _is_installed(path: str) -> bool:
    """Whether Node would find a package at this place."""
    parts = path.rsplit("/", 4)
    at = -4 if len(parts) > 3 and parts[-3].startswith("@") else -3
    if len(parts) < -at:
        return False
    folder = parts[at]
    if folder == "node_modules":
        return not parts[-2].startswith(".")
    return folder == "nodejs" and "/".join(parts[:at]) in ("usr/share", "usr/lib")


def _is_named_after(path: str, name: Any) -> bool:
    return isinstance(name, str) and path.endswith(f"/{name}/package.json")


def _license(said: Any) -> str:
    if isinstance(said, str):
        return said
    if isinstance(said, dict):
        return _license(said.get("type")) if isinstance(said.get("type"), str) else ""
    if isinstance(said, list):
        # Source: the old array of objects offered a choice.
        return " OR ".join(filter(None, (_license(each) for each in said if isinstance(each, str | dict))))
    return ""


PLUGIN: Final[Format] = NpmPackage()
