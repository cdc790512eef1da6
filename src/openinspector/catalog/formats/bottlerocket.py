"""Bottlerocket's list of its own packages; the image has no rpm database.

One record of its `Content`: `{"Name": "bash", "Publisher": "Bottlerocket", "Version": "5.2.15", "Release":
"1.1700000000.1234abcd.br1", "Epoch": "", "Architecture": "x86_64", "Summary": "…"}`.

Source: https://bottlerocket.dev/en/os/ (usr/share/bottlerocket/application-inventory.json)
"""

from typing import Final

from msgspec import DecodeError, Struct

from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

_PATH = "usr/share/bottlerocket/application-inventory.json"


class _Entry(Struct, rename="pascal"):
    name: str = ""
    version: str = ""
    release: str = ""
    epoch: str | int | None = None
    architecture: str = ""
    publisher: str = ""


class _Inventory(Struct, rename="pascal"):
    content: list[_Entry]


class Bottlerocket:
    """`application-inventory.json`."""

    name = "bottlerocket"
    title = "Bottlerocket application inventory"
    type = "rpm"
    revision = 1
    wants = Wants(paths=(_PATH,))

    def accepts(self, path: str) -> bool:
        """The one file."""
        return path == _PATH

    def read(self, file: File) -> Reading:
        """The packages."""
        from msgspec import json

        try:
            entries = json.decode(file.text(), type=_Inventory).content
        except (DecodeError, RecursionError) as error:
            raise CatalogError(f"{file.path}: {error}") from error
        packages = []
        for entry in entries:
            if not entry.name or not entry.version:
                continue
            version = f"{entry.version}-{entry.release}" if entry.release else entry.version
            epoch = str(entry.epoch or "")
            packages.append(
                Package(
                    type="rpm",
                    name=entry.name,
                    version=version if epoch in ("", "0", "(none)") else f"{epoch}:{version}",
                    location=Location(path=file.path),
                    format="bottlerocket",
                    arch=entry.architecture,
                    vendor=entry.publisher,
                )
            )
        broken = len(entries) - len(packages)
        problem = Problem(
            path=file.path,
            reason="a record has no Name or no Version",
            format="bottlerocket",
            count=broken,
            partial=True,
        )
        return Reading(packages=tuple(packages), problems=(problem,) if broken else ())


PLUGIN: Final[Format] = Bottlerocket()
