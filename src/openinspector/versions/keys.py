"""What sort keys are made of: numbers of any length, and parts that are remembered."""

from collections.abc import Callable

from openinspector.errors import VersionError

REMEMBERED_PARTS = 20_000
LONGEST_REMEMBERED = 32  # characters: a hostile megabyte must not stay in memory
LONG = 0x7E  # digits that a length byte can't tell


def number(digits: str) -> bytes:
    """A decimal digit run as bytes in the order of numbers; leading zeros and an empty run count as nothing.

    The bytes end by themselves and begin with 0x80 to 0xFE: after every ASCII character and before 0xFF. The digits are
    never turned into an integer, which would take quadratic time.
    """
    digits = digits.lstrip("0")
    size = len(digits)
    if size < LONG:
        return bytes((0x80 + size,)) + digits.encode("ascii")
    return b"\xfe" + size.to_bytes(8, "big") + digits.encode("ascii")


class Remembered(dict[str, bytes]):
    """What `encode` makes of a part of a version, remembered: versions share most of their parts.

    Bounded: long parts are not kept, and a full memory is emptied.
    """

    def __init__(self, encode: Callable[[str], bytes]) -> None:
        super().__init__()
        self.encode = encode

    def __missing__(self, part: str) -> bytes:
        encoded = self.encode(part)
        if len(part) <= LONGEST_REMEMBERED:
            if len(self) >= REMEMBERED_PARTS:
                self.clear()
            self[part] = encoded
        return encoded


def unreadable(scheme: str, version: str, why: str) -> VersionError:
    """The error for a version that a scheme can't read, with the version cut to a readable length."""
    shown = version if len(version) <= 80 else f"{version[:80]}…"
    return VersionError(f"{shown!r} is not a version of scheme {scheme}: {why}")
