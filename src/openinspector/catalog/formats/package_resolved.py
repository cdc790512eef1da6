"""Swift's lock file, versions 1 to 3.

    {"version": 2, "pins": [{"identity": "swift-nio", "kind": "remoteSourceControl",
                             "location": "https://github.com/apple/swift-nio.git",
                             "state": {"revision": "cf28…", "version": "2.58.0"}}]}

Version 1 has `{"object": {"pins": [{"package": "swift-nio", "repositoryURL": "…", "state": {…}}]}}`. A package is
called by its repository's address without protocol and `.git`: `github.com/apple/swift-nio`.
Source: https://github.com/swiftlang/swift-package-manager/blob/main/Sources/PackageGraph/PinsStore.swift
"""

from typing import Final

from msgspec import Raw, Struct, field
from msgspec.json import Decoder

from openinspector.catalog import safe_json
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package


class _Object(Struct, frozen=True):
    pins: list[Raw] | None = None


class _Resolved(Struct, frozen=True):
    pins: list[Raw] | None = None
    object: _Object | None = None


class _State(Struct, frozen=True):
    version: str | None = None
    branch: str | None = None
    revision: str | None = None


class _Pin(Struct, frozen=True):
    state: _State
    identity: str = ""
    location: str = ""
    repository: str = field(default="", name="repositoryURL")


_RESOLVED: Final = Decoder(_Resolved)
_PIN: Final = Decoder(_Pin)


class PackageResolved:
    """Package.resolved."""

    name = "swift.resolved"
    title = "Package.resolved (v1-v3)"
    type = "swift"
    revision = 2
    wants = Wants(names=("Package.resolved",))

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The pinned packages; those pinned to a branch or a commit have no version, which is said.

        Raises:
            CatalogError: It is no JSON, or not of this shape.
        """
        resolved = safe_json.document(file.data, _RESOLVED)
        pins = resolved.pins or (resolved.object.pins if resolved.object else None) or ()
        packages: list[Package] = []
        commits: list[str] = []
        unread: list[str] = []
        for index, pin in safe_json.records(enumerate(pins), _PIN):
            name = _name(pin.location or pin.repository) or pin.identity if pin is not None else ""
            if pin is None or not name:
                unread.append(f"pins[{index}]")
            elif not pin.state.version:
                commits.append(f"{name} at {pin.state.branch or (pin.state.revision or '')[:12]}")
            else:
                packages.append(
                    Package(
                        type="swift",
                        name=name,
                        version=pin.state.version,
                        location=Location(path=file.path),
                        format=self.name,
                    )
                )
        return Reading(
            packages=tuple(packages),
            problems=(
                *unparsed(file.path, self.name, "packages pinned to a branch or a commit, without a version", commits),
                *unparsed(file.path, self.name, "pins that make no sense", unread),
            ),
        )


def _name(address: str) -> str:
    """`github.com/apple/swift-nio` for `https://github.com/apple/swift-nio.git` or `git@github.com:apple/swift-nio`."""
    rest = address.strip()
    protocol, mark, behind = rest.partition("://")
    if mark:
        host, _, path = behind.partition("/")
        rest = f"{host.rpartition('@')[2].partition(':')[0]}/{path}"
    elif "@" in protocol and ":" in protocol:
        host, _, path = protocol.partition(":")
        rest = f"{host.rpartition('@')[2]}/{path}"
    return rest.strip("/").removesuffix(".git")


PLUGIN: Final[Format] = PackageResolved()
