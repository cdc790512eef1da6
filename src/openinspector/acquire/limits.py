"""How much a target may cost before its scan ends as a partial one."""

import os
from time import monotonic

from msgspec import Struct

from openinspector.errors import LimitError, UsageError

GIGABYTE = 1 << 30


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of one scan. Each can be set by an environment variable, `OPENINSPECTOR_LIMIT_<NAME>`.

    Sizes in bytes, `seconds` of wall time. `ratio` is bytes out per byte in, looked at once a gigabyte has come out.
    """

    entries: int = 3_000_000
    bytes_out: int = 64 * GIGABYTE
    ratio: int = 200
    depth: int = 200
    path: int = 4096
    seconds: int = 1800

    @classmethod
    def from_environment(cls) -> "Limits":
        """The defaults, with what the environment says.

        Raises:
            UsageError: A variable is not a positive number.
        """
        values = {}
        for name in cls.__struct_fields__:
            variable = f"OPENINSPECTOR_LIMIT_{name.upper()}"
            text = os.environ.get(variable)
            if text is None:
                continue
            if not text.isascii() or not text.isdigit() or int(text[:18]) == 0:
                raise UsageError(f"{variable}={text!r} is not a positive number")
            values[name] = int(text[:18])
        return cls(**values)


class Meter:
    """Counts what one scan costs; every method raises `LimitError` when that is too much."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._ends = monotonic() + limits.seconds
        self._entries = 0

    def entries(self, count: int) -> None:
        """`count` more archive members or directory entries were seen."""
        self._entries += count
        if self._entries > self.limits.entries:
            raise LimitError(f"more than {self.limits.entries:,} files (OPENINSPECTOR_LIMIT_ENTRIES)")
        self.time()

    def out(self, produced: int, consumed: int) -> None:
        """So many bytes came out of one compressed stream for so many that went in."""
        if produced > self.limits.bytes_out:
            raise LimitError(f"unpacks to more than {self.limits.bytes_out:,} bytes (OPENINSPECTOR_LIMIT_BYTES_OUT)")
        if produced > GIGABYTE and produced > consumed * self.limits.ratio:
            raise LimitError(
                f"unpacks to more than {self.limits.ratio} times its size:"
                " a decompression bomb? (OPENINSPECTOR_LIMIT_RATIO)"
            )

    def time(self) -> None:
        """Whether there is time left."""
        if monotonic() > self._ends:
            raise LimitError(f"took longer than {self.limits.seconds} seconds (OPENINSPECTOR_LIMIT_SECONDS)")
