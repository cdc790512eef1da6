"""The bytes of a document as text, and which encoding they are in."""

import codecs
from pathlib import Path
from typing import IO, Final

from openinspector.acquire.sbom.record import LARGEST
from openinspector.errors import AcquireError

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_HEAD: Final = 4096


def encoding_of(head: bytes) -> str:
    """By the byte order mark; UTF-8 without one."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "utf-8")


def head_of(data: bytes) -> str:
    """The beginning of a document as text, without leading space."""
    return data[:_HEAD].decode(encoding_of(data), "ignore").lstrip("\ufeff \t\r\n")


def looks_like_an_sbom(head: bytes) -> bool:
    """Whether these first bytes of a file could be those of an SBOM."""
    text = head_of(head)
    return text.startswith(("{", "<", "SPDXVersion:")) or (text.startswith("#") and "\nSPDXVersion:" in text)


def opened(path: Path) -> IO[bytes]:
    """The open file.

    Raises:
        AcquireError: It can't be opened or is too large.
    """
    try:
        file = path.open("rb")
        size = path.stat().st_size
    except OSError as error:
        raise AcquireError(f"{path} can't be read: {error.strerror or error}") from error
    if size > LARGEST:
        file.close()
        raise AcquireError(f"{path} is larger than the {LARGEST:,} bytes that an SBOM may have")
    return file
