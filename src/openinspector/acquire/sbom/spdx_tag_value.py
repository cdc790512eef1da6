"""SPDX 2.2 and 2.3 as tags and values.

    SPDXVersion: SPDX-2.3
    PackageName: openssl
    SPDXID: SPDXRef-openssl
    PackageSourceInfo: <text>built package from:
    openssl 3.0.15</text>
    ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/openssl@3.0.15-1?distro=debian-12
    Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-openssl

What follows a tag that opens another kind of section (a file, a snippet, a licence) is no longer said of the package.
Read line by line, so that a document costs no more memory than its packages.

Source: https://spdx.github.io/spdx-spec/v2.3/
"""

import io
from collections.abc import Iterator
from typing import IO, Final, TextIO

from openinspector.acquire.sbom.record import TEXT_AT_MOST, Bill, check_count, cut
from openinspector.acquire.sbom.spdx import Element, Spdx, bill_of, check_version
from openinspector.errors import AcquireError
from openinspector.model.problem import Problem

_LINE: Final = 1 << 20  # characters that are read at once of a line
_OPENING: Final = "<text>"
_CLOSING: Final = "</text>"
_OTHER_SECTIONS: Final = frozenset({"FileName", "SnippetSPDXID", "LicenseID"})

# Tags with one value, by the name of the member.
_SINGLE: Final = {
    "SPDXID": "id",
    "PackageVersion": "version",
    "PackageSupplier": "supplier",
    "PrimaryPackagePurpose": "purpose",
    "PackageLicenseDeclared": "license",
    "PackageLicenseConcluded": "concluded",
    "PackageSourceInfo": "origin",
}


def read(stream: IO[bytes], encoding: str) -> Bill:
    """The bill of a document.

    Raises:
        AcquireError: It does not say that it is SPDX, or its version is not understood.
    """
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace")
    try:
        lines = _Lines(text)
        document = _document(lines)
    finally:
        text.detach()  # the stream is its opener's to close
    if not document.version:
        raise AcquireError("is no SPDX: it has no SPDXVersion")
    bill = bill_of(document)
    return Bill(components=bill.components, subject=bill.subject, problems=lines.problems())


def _document(lines: "_Lines") -> Spdx:
    document = Spdx()
    package: Element | None = None
    license_ = ""
    relation: tuple[str, str, str] | None = None
    for tag, value in lines:
        if relation is not None:
            document.relation(*relation, comment=value if tag == "RelationshipComment" else "")
            relation = None
        if tag == "SPDXVersion":
            check_version(value)
            document.version = value
        elif tag == "Creator":
            document.creators.append(value)
        elif tag == "PackageName":
            package = Element(name=value)
            document.elements.append(package)
            check_count(len(document.elements))
        elif tag == "Relationship":
            parts = value.split()
            relation = (parts[0], parts[1], parts[2]) if len(parts) == 3 else None
        elif tag in _OTHER_SECTIONS:
            package = None
            license_ = value if tag == "LicenseID" else ""
        elif tag in ("LicenseName", "ExtractedText") and license_:
            _name(document.licenses, license_, tag, value)
        elif package is not None:
            _say(package, tag, value)
    if relation is not None:
        document.relation(*relation, comment="")
    return document


def _say(package: Element, tag: str, value: str) -> None:
    if tag in _SINGLE:
        setattr(package, _SINGLE[tag], value)
    elif tag == "PackageChecksum":
        algorithm, _, digest = value.partition(":")
        package.checksums.append((algorithm.strip(), digest.strip()))
    elif tag == "ExternalRef":
        parts = value.split(maxsplit=2)
        if len(parts) == 3:
            package.references.append((parts[1], parts[2]))
    elif tag == "PackageAttributionText":
        package.attributions.append(value)


def _name(known: dict[str, str], license_: str, tag: str, value: str) -> None:
    """A licence is called by its name, by its text where it has none."""
    if tag == "LicenseName" and value != "NOASSERTION":
        known[license_] = value
    else:
        known.setdefault(license_, value)


class _Lines:
    """The tags and values of a document, and what could not be read."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._whole = True  # whether what was read last ends where a line of the document does
        self._unread = 0
        self._first_unread = ""
        self._unclosed = False

    def __iter__(self) -> Iterator[tuple[str, str]]:
        while True:
            begins = self._whole
            line = self._line()
            if not line:
                return
            tag, colon, value = line.partition(":")
            tag, value = tag.strip(), value.strip()
            if not begins or line.isspace() or tag.startswith("#"):
                continue
            if not colon or not tag.isalnum():
                self._unread += 1
                self._first_unread = self._first_unread or line.strip()[:60]
                continue
            if value.startswith(_OPENING):
                value = self._until_closed(value.removeprefix(_OPENING))
            yield tag, cut(value)

    def _line(self) -> str:
        line = self._text.readline(_LINE)
        self._whole = line.endswith("\n")
        return line

    def _until_closed(self, text: str) -> str:
        """The text up to its closing mark; what stands behind that in its line is dropped."""
        parts: list[str] = []
        length = 0
        while _CLOSING not in text:
            if length < TEXT_AT_MOST:
                parts.append(text)
                length += len(text)
            break_ = "\n" if self._whole else ""
            line = self._line()
            if not line:
                self._unclosed = True
                return "".join(parts)
            text = break_ + line.removesuffix("\n")
        return "".join(parts) + text[: text.index(_CLOSING)]

    def problems(self) -> tuple[Problem, ...]:
        """What could not be read."""
        found = []
        if self._unread:
            reason = f"lines without a tag, the first of them: {self._first_unread}"
            found.append(Problem(path="", reason=reason, format="sbom", count=self._unread))
        if self._unclosed:
            reason = "a text is never closed, and whatever follows it was taken for its part"
            found.append(Problem(path="", reason=reason, format="sbom", partial=True))
        return tuple(found)
