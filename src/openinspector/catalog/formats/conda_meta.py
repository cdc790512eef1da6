"""Packages of a conda environment: one JSON file each.

    opt/conda/conda-meta/openssl-3.0.10-h7f8727e_2.json
    {"name": "openssl", "version": "3.0.10", "build": "h7f8727e_2", "channel": "…/pkgs/main", "subdir": "linux-64"}

A Python package that conda installed has its own *.dist-info as well, which `pypi.metadata` reads: a conda package says
what conda calls it, that one what PyPI calls it.
Source: https://docs.conda.io/projects/conda/en/stable/dev-guide/api/conda/models/records/index.html
"""

from typing import Any, Final

from msgspec import Struct
from msgspec.json import Decoder

from openinspector.catalog import safe_json
from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package


class _Record(Struct, frozen=True):
    name: str = ""
    version: str = ""
    build: str | None = None
    channel: Any = None  # older clients wrote an object
    subdir: str | None = None
    license: Any = None
    sha256: str | None = None
    md5: str | None = None


_RECORD: Final = Decoder(_Record)


class CondaMeta:
    """conda-meta/*.json."""

    name = "conda.meta"
    title = "conda-meta"
    type = "conda"
    revision = 1
    wants = Wants(suffixes=(".json",), max_size=32 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """By the folder."""
        folder = path.rpartition("/")[0]
        return folder == "conda-meta" or folder.endswith("/conda-meta")

    def read(self, file: File) -> Reading:
        """The package.

        Raises:
            CatalogError: It is no JSON, or names no package.
        """
        record = safe_json.document(file.data, _RECORD)
        if not record.name or not record.version:
            raise CatalogError("a conda record without name or version")
        channel = record.channel if isinstance(record.channel, str) else ""
        qualifiers = (("build", record.build), ("channel", _short(channel)), ("subdir", record.subdir))
        package = Package(
            type="conda",
            name=record.name,
            version=record.version,
            location=Location(path=file.path),
            format=self.name,
            repository=channel,
            license=record.license if isinstance(record.license, str) else "",
            digest=f"sha256:{record.sha256}" if record.sha256 else f"md5:{record.md5}" if record.md5 else "",
            qualifiers=tuple((key, value) for key, value in qualifiers if value),
        )
        return Reading(packages=(package,))


def _short(channel: str) -> str:
    """`pkgs/main` or `conda-forge` out of a channel's address, which may end with the platform."""
    path = channel.partition("://")[2].partition("/")[2] if "://" in channel else channel
    parts = [each for each in path.split("/") if each]
    if parts and (parts[-1] == "noarch" or parts[-1].startswith(("linux-", "osx-", "win-"))):
        parts.pop()
    return "/".join(parts)


PLUGIN: Final[Format] = CondaMeta()
