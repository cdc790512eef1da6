"""TOML from a stranger: bounded in size and in the length of a dotted key."""

import re
from typing import Any

from openinspector.errors import CatalogError

MAX_SIZE = 16 << 20  # bytes; tomllib reads some 4 MB a second

# tomllib takes time quadratic in the parts of a dotted key. Possessive, and anchored before a word, to stay linear.
_LONG_KEY = r"""(?a)(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){50}"""


def load(data: bytes) -> dict[str, Any]:
    """The document.

    Raises:
        CatalogError: It is no TOML, nested too deep, or exceeds a limit.
    """
    import tomllib

    if len(data) > MAX_SIZE:
        raise CatalogError(f"TOML of more than {MAX_SIZE >> 20} MB")
    try:
        text = bytes(data).decode("utf-8-sig")
        if re.search(_LONG_KEY, text):
            raise CatalogError("TOML with a key of more than fifty parts")
        return tomllib.loads(text)
    # A number of too many digits is a plain ValueError.
    except (ValueError, RecursionError) as error:
        raise CatalogError(f"not the TOML it should be: {str(error)[:300]}") from error


def tables(value: object) -> list[dict[str, Any]]:
    """The tables of an array of tables; what is not one, at either level, is left out."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
