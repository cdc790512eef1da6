"""A package as Composer writes it into composer.lock and installed.json."""

from typing import Any, Final

from msgspec import Struct
from msgspec.json import Decoder

from openinspector.model.package import Location, Package


class ComposerRecord(Struct, frozen=True):
    """The fields that we use."""

    name: str = ""
    version: str = ""
    license: Any = None
    dist: Any = None


RECORD: Final = Decoder(ComposerRecord)


def package_of(record: ComposerRecord, *, path: str, format_: str, dev: bool) -> Package:
    """The package of a record that has a name and a version."""
    return Package(
        type="composer",
        name=record.name,
        version=record.version,
        location=Location(path=path),
        format=format_,
        license=_license(record.license),
        dev=dev,
        digest=_digest(record.dist),
    )


def _license(said: Any) -> str:
    # Source: https://getcomposer.org/doc/04-schema.md#license: an array offers a choice.
    if isinstance(said, list):
        return " OR ".join(each for each in said if isinstance(each, str))
    return said if isinstance(said, str) else ""


def _digest(dist: Any) -> str:
    shasum = dist.get("shasum") if isinstance(dist, dict) else None
    return f"sha1:{shasum}" if isinstance(shasum, str) and shasum else ""
