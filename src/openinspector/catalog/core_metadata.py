"""The head of a Python package's METADATA or PKG-INFO.

The file is a message as of RFC 822; nothing but its head is looked at, and in it only four fields.
Source: https://packaging.python.org/en/latest/specifications/core-metadata/
"""

from msgspec import Struct

_WANTED = frozenset((b"name", b"version", b"license-expression", b"license", b"classifier"))
_CLASSIFIED = "License :: "
_MAX_LICENSE = 200  # characters; some paste the whole text


class CoreMetadata(Struct, frozen=True, kw_only=True):
    """Name and version as written, "" where missing; the licence as an expression or in the author's words."""

    name: str = ""
    version: str = ""
    license: str = ""


def read_core_metadata(data: bytes) -> CoreMetadata:
    """What the head says; of a field that stands twice, the first."""
    data = bytes(data)
    fields: dict[bytes, str] = {}
    classifiers: list[str] = []
    for line in data[: _end_of_head(data)].split(b"\n"):
        field, colon, rest = line.partition(b":")
        field = field.rstrip().lower()
        if not colon or field not in _WANTED:
            continue
        value = rest.strip().decode("utf-8", "replace")
        if field != b"classifier":
            if value:
                fields.setdefault(field, value)
        elif value.startswith(_CLASSIFIED):
            classifiers.append(value.rpartition(" :: ")[2])
    return CoreMetadata(
        name=fields.get(b"name", ""),
        version=fields.get(b"version", ""),
        license=_license(fields.get(b"license-expression", ""), fields.get(b"license", ""), classifiers),
    )


def _end_of_head(data: bytes) -> int:
    ends = [at for at in (data.find(b"\n\n"), data.find(b"\n\r\n")) if at >= 0]
    return min(ends, default=len(data))


def _license(expression: str, words: str, classifiers: list[str]) -> str:
    if expression:
        return expression[:_MAX_LICENSE]
    if words and words.upper() != "UNKNOWN" and len(words) <= _MAX_LICENSE:
        return words
    return " OR ".join(classifiers)[:_MAX_LICENSE]
