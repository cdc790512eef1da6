"""A body that was compressed on its way, unpacked within bounds."""

import zlib
from collections.abc import Callable
from typing import Final

from openinspector.api.errors import ValidationFailed

_BLOCK: Final = 1 << 20
_GZIP: Final = 16 + zlib.MAX_WBITS

Claim = Callable[[int], None]
"""Takes bytes of the memory that all bodies share; raises Throttled where there are none left."""


def unclaimed(_bytes: int) -> None:
    """Where memory is nobody's concern."""


def unzipped(body: bytes, limit: int, claim: Claim) -> bytes:
    """What a gzip member holds: at most `limit` bytes, each of which is claimed.

    Raises:
        ValidationFailed: It is no gzip, breaks off, goes on behind its end, or holds more.
        Throttled: There is no memory for it.
    """
    unpacker = zlib.decompressobj(_GZIP)
    blocks: list[bytes] = []
    size = 0
    rest = body
    try:
        while not unpacker.eof:
            block = unpacker.decompress(rest, _BLOCK)
            rest = unpacker.unconsumed_tail
            if not block and not rest and not unpacker.eof:
                raise _unreadable("breaks off")
            size += len(block)
            if size > limit:
                raise _unreadable(f"is longer than {limit} bytes when it is unpacked")
            claim(len(block))
            blocks.append(block)
    except zlib.error as error:
        raise _unreadable("is no gzip that makes sense") from error
    if unpacker.unused_data:
        raise _unreadable("goes on behind the end of its gzip member")
    return b"".join(blocks)


def _unreadable(what: str) -> ValidationFailed:
    return ValidationFailed(f"The body of the request {what}.", reason="CANNOT_PARSE")
