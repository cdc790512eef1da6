"""What the kinds of executables have in common."""

import struct
from typing import Any, Final

from msgspec import Struct

from openinspector.catalog.contract import View

# What `unpack_at` raises for an offset behind the end, and for one that no machine could have.
OUT_OF_REACH: Final = (struct.error, OverflowError)


def unpack_at(layout: struct.Struct, view: View, at: int) -> tuple[Any, ...]:
    """The fields at an offset."""
    return layout.unpack(bytes(view[at : at + layout.size]))


class Segment(Struct, frozen=True, kw_only=True):
    """A part of the file that is loaded: where it lies, how long it is in the file, and at which address it goes."""

    offset: int
    size: int
    address: int
    writable: bool
    executable: bool
