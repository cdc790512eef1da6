"""JSON from a stranger, decoded into the few fields that a reader uses.

Files are decoded in two steps: the file as a whole with its records left raw, then one record at a time, so that a
record with a field of the wrong type costs itself and nothing else.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec
from msgspec import Raw
from msgspec.json import Decoder

from openinspector.errors import CatalogError

Shape = TypeVar("Shape")
Key = TypeVar("Key")


def document(data: bytes, decoder: Decoder[Shape]) -> Shape:
    """The whole file.

    Raises:
        CatalogError: It is no JSON, nested too deep, or has another shape.
    """
    try:
        return decoder.decode(data)
    except UnicodeDecodeError:
        # Somebody's name in Latin-1, or a byte order mark: neither is what we came for.
        return _document(bytes(data).decode("utf-8-sig", "replace"), decoder)
    except (msgspec.DecodeError, RecursionError) as error:
        if data[:3] == b"\xef\xbb\xbf":
            return _document(bytes(data[3:]).decode("utf-8", "replace"), decoder)
        raise CatalogError(f"not the JSON it should be: {error}") from error


def _document(text: str, decoder: Decoder[Shape]) -> Shape:
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CatalogError(f"not the JSON it should be: {error}") from error


def records(raw: Iterable[tuple[Key, Raw]], decoder: Decoder[Shape]) -> Iterator[tuple[Key, Shape | None]]:
    """Each record by its key; None where it has another shape."""
    decode = decoder.decode
    for key, value in raw:
        try:
            yield key, decode(value)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            yield key, None
