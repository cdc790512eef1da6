"""What a Node.js project asks for itself, from its package.json."""

from typing import Any, Final

from msgspec import Struct
from msgspec.json import Decoder

from openinspector.catalog import safe_json


class _Manifest(Struct, frozen=True):
    dependencies: Any = None
    devDependencies: Any = None  # noqa: N815 (the file's own word)
    optionalDependencies: Any = None  # noqa: N815 (same)
    peerDependencies: Any = None  # noqa: N815 (same)
    workspaces: Any = None


class Asked(Struct, frozen=True, kw_only=True):
    """Names and ranges as written: what a project needs to run (optional packages and peers too) and to be developed.

    A name in both is needed to run. `workspaces` says that the project has members with wishes of their own.
    """

    used: tuple[tuple[str, str], ...]
    developing: tuple[tuple[str, str], ...]
    workspaces: bool = False


_MANIFEST: Final = Decoder(_Manifest)


def asked_by(package_json: bytes) -> Asked:
    """What a package.json asks for.

    Raises:
        CatalogError: It is no JSON object.
    """
    manifest = safe_json.document(package_json, _MANIFEST)
    return Asked(
        used=(
            *pairs(manifest.dependencies),
            *pairs(manifest.optionalDependencies),
            *pairs(manifest.peerDependencies),
        ),
        developing=pairs(manifest.devDependencies),
        workspaces=bool(manifest.workspaces),
    )


def pairs(value: object) -> tuple[tuple[str, str], ...]:
    """The names and ranges of a mapping of text to text; whatever else is in it is left out."""
    if not isinstance(value, dict):
        return ()
    return tuple((name, range_) for name, range_ in value.items() if isinstance(name, str) and isinstance(range_, str))
