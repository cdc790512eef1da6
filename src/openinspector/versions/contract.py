"""What a version scheme is.

To add one: write `versions/schemes/<name>.py` with

    PLUGIN: Final = Scheme(name="deb", title="Debian", key=key)

where `key(version)` gives bytes whose memcmp order is the scheme's own order and whose equality is the scheme's own
equality, and raises `VersionError` for what the scheme can't read. A scheme whose own order is not transitive for
some versions also gives `compare` (exact, for any two) and `odd` (does this version's order need `compare`?). Add its
cases to `tests/cases/versions/<name>.txt` (lines `1.0~rc1 < 1.0`).
"""

from collections.abc import Callable

from msgspec import Struct


class Scheme(Struct, frozen=True, kw_only=True):
    """One rule that orders versions.

    `key` raises `VersionError`, and nothing else, for what the scheme can't read.
    """

    name: str
    title: str
    key: Callable[[str], bytes]
    compare: Callable[[str, str], int] | None = None
    odd: Callable[[str], bool] | None = None
