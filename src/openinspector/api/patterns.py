r"""The service model's regular expressions, in Python's words.

They are Java's: `\d` and `\w` mean ASCII, `\p{L}` is a class of Unicode's, and an expression fits a value whole.
Matching is bounded by the value's length alone, so a text that its shape lets grow without end is bounded here.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

# The longest value that an expression is tried on. The model's own limits are shorter but for a certificate's 16,384
# characters; several expressions hold `.*` more than once and take the square of this many steps at worst.
LONGEST: Final = 2048

_PROPERTY: Final = re.compile(r"\\p\{([A-Z])\}")
_ANYTHING: Final = re.compile(r"\[\\s\\S\][*+]")


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The expression; None where Python can't say it, and the value goes unchecked."""
    try:
        return re.compile(_translated(pattern), re.ASCII)
    except (re.error, KeyError):
        return None


def fits(pattern: str, value: str) -> bool:
    """Whether a whole value is as the expression has it."""
    if _ANYTHING.fullmatch(pattern):
        return bool(value) or pattern.endswith("*")
    if len(value) > LONGEST:
        return False
    expression = compiled(pattern)
    return expression is None or expression.fullmatch(value) is not None


def _translated(pattern: str) -> str:
    r"""`\p{L}` becomes the ranges of Unicode's letters. The models use it inside brackets only."""
    return _PROPERTY.sub(lambda found: _categories()[found[1]], pattern)


@cache
def _categories() -> Mapping[str, str]:
    """The characters of each of Unicode's categories (L, M, N, P, S, Z, C), as ranges for the inside of brackets."""
    import sys
    from itertools import groupby
    from unicodedata import category

    ranges: dict[str, list[str]] = {}
    for kind, run in groupby(range(sys.maxunicode + 1), lambda number: category(chr(number))[0]):
        numbers = list(run)
        ranges.setdefault(kind, []).append(f"\\U{numbers[0]:08x}-\\U{numbers[-1]:08x}")
    return {kind: "".join(found) for kind, found in ranges.items()}
