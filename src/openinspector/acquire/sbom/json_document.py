"""A JSON document from a stranger: those of its members that readers use, as plain lists and dictionaries."""

from typing import Any

import msgspec
from msgspec import Struct

from openinspector.acquire.sbom.record import MOST
from openinspector.acquire.sbom.text import encoding_of
from openinspector.errors import AcquireError


class Document(Struct, frozen=True, rename="camel"):
    """The members of CycloneDX and SPDX documents that we use; all others (files, dependencies …) are skipped."""

    bom_format: Any = None
    spec_version: Any = None
    components: Any = None
    metadata: Any = None
    spdx_version: Any = None
    packages: Any = None
    relationships: Any = None
    document_describes: Any = None
    creation_info: Any = None
    has_extracted_licensing_infos: Any = None
    context: Any = msgspec.field(name="@context", default=None)


def decode(data: bytes) -> Document:
    """The document.

    Raises:
        AcquireError: It is no JSON object, or holds too much.
    """
    if data.count(b",") + data.count(b"[") + data.count(b"{") > MOST:
        raise AcquireError(f"has more than {MOST:,} values")
    encoding = encoding_of(data)
    try:
        if encoding == "utf-8":
            try:
                return msgspec.json.decode(data, type=Document)
            except UnicodeDecodeError:
                pass  # somebody's name in Latin-1
        return msgspec.json.decode(data.decode(encoding, "replace"), type=Document)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise AcquireError(f"is no JSON that makes sense: {error}") from error


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; what is anything else is left out."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def member(value: Any, name: str) -> Any:
    """A member of an object; None of anything else."""
    return value.get(name) if isinstance(value, dict) else None
