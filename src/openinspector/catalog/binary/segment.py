"""What the kinds of executables have in common."""

import struct
from typing import Final

from msgspec import Struct

# What `unpack_from` raises for an offset behind the end, and for one that no machine could have.
OUT_OF_REACH: Final = (struct.error, OverflowError)


class Segment(Struct, frozen=True, kw_only=True):
    """A part of the file that is loaded: where it lies, how long it is in the file, and at which address it goes."""

    offset: int
    size: int
    address: int
    writable: bool
    executable: bool
