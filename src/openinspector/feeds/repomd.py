"""Where a yum repository has its update information: `repodata/repomd.xml`.

    <data type="updateinfo"><checksum type="sha256">…</checksum>
      <location href="repodata/…-updateinfo.xml.gz"/><size>1234</size></data>

Source: https://github.com/rpm-software-management/createrepo_c (repomd.xml)
"""

import re
from io import BytesIO
from typing import Final

from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.xml import elements, local

_DATA: Final = frozenset({"data"})
_HREF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]*(?:/[A-Za-z0-9][A-Za-z0-9._+~-]*)*")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Location(Struct, frozen=True, kw_only=True):
    """A file of a repository by its path in it; size -1 and digest "" where they are not told."""

    href: str
    size: int = -1
    sha256: str = ""


def update_information(data: bytes, path: str) -> Location | None:
    """Where the update information is; None where the repository has none.

    Raises:
        FeedError: No such document, or one that leads out of the repository.
    """
    for _, element in elements(BytesIO(data), path, "repomd", _DATA):
        if element.get("type") != "updateinfo":
            continue
        href, size, sha256 = "", -1, ""
        for child in element:
            name, text = local(child.tag), (child.text or "").strip()
            if name == "location":
                href = child.get("href", "")
            elif name == "size" and text.isascii() and text.isdigit() and len(text) < 16:
                size = int(text)
            elif name == "checksum" and child.get("type") == "sha256" and _SHA256.fullmatch(text):
                sha256 = text
        if len(href) > 1000 or not _HREF.fullmatch(href):
            raise FeedError(f"{path}: the update information is said to be at {href[:200]!r}")
        return Location(href=href, size=size, sha256=sha256)
    return None


def repositories(data: bytes, path: str) -> list[str]:
    """The addresses of a mirror list, those over TLS first.

    Raises:
        FeedError: It names none.
    """
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()[:1000]]
    found = [line.replace("$basearch", "x86_64").rstrip("/") for line in lines if line.startswith(("https:", "http:"))]
    if not found:
        raise FeedError(f"{path}: is a list of no mirrors")
    return sorted(found, key=lambda each: not each.startswith("https:"))
