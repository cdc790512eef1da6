"""The dependency list that cargo-auditable builds into a Rust program.

A zlib stream of JSON: `{"packages": [{"name": "adler", "version": "1.0.2", "source": "registry", "kind": "build"}]}`.
Source: https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md
"""

import zlib

import msgspec

from openinspector.catalog.contract import View
from openinspector.errors import CatalogError

SECTION = b".dep-v0"
_JSON_BYTES = 1 << 23


class Crate(msgspec.Struct, frozen=True, kw_only=True):
    """One crate; `kind` is `build` where it ran during the build only, `root` marks the program itself."""

    name: str
    version: str
    source: str = ""
    kind: str = "runtime"
    root: bool = False


class _Audit(msgspec.Struct, frozen=True, kw_only=True):
    packages: list[Crate]


def parse(section: View) -> list[Crate]:
    """The crates.

    Raises:
        CatalogError: It can't be inflated, is too large, or has another shape.
    """
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(bytes(section[: 2 * _JSON_BYTES]), _JSON_BYTES)
    except zlib.error as error:
        raise CatalogError(f"its list of crates can't be inflated: {error}") from error
    if not stream.eof:
        raise CatalogError(f"its list of crates is cut off or larger than {_JSON_BYTES >> 20} MB")
    try:
        return msgspec.json.decode(text, type=_Audit).packages
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise CatalogError(f"its list of crates makes no sense: {error}") from error
