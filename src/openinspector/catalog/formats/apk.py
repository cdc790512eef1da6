"""apk's database of installed packages: Alpine, Wolfi, Chainguard.

One paragraph a package, one letter a field: P name, V version, A architecture, o source package, L licence; then F for
a folder and R for each file in it.

Source: https://wiki.alpinelinux.org/wiki/Apk_spec
"""

from typing import Final

from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.relevance import relevant_lines
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.model.problem import Problem


class Apk:
    """`lib/apk/db/installed`, and where /usr is merged `usr/lib/apk/db/installed`."""

    name = "apk"
    title = "apk installed database"
    type = "apk"
    revision = 1
    wants = Wants(paths=("lib/apk/db/installed", "usr/lib/apk/db/installed"), max_size=256 * 1024 * 1024)

    def accepts(self, path: str) -> bool:
        """Every file at these paths."""
        return path in self.wants.paths

    def read(self, file: File) -> Reading:
        """The packages, and which of their files matter."""
        packages, owned = [], []
        broken = 0
        location = Location(path=file.path)
        for paragraph in bytes(file.data).split(b"\n\n"):
            if not paragraph.strip():
                continue
            head, files = _split(paragraph)
            fields = {line[:1]: line[2:].strip().decode("utf-8", "replace") for line in head if line[1:2] == b":"}
            name, version = fields.get(b"P", ""), fields.get(b"V", "")
            if not name or not version:
                broken += 1
                continue
            packages.append(
                Package(
                    type="apk",
                    name=name,
                    version=version,
                    location=location,
                    format="apk",
                    arch=fields.get(b"A", ""),
                    # A source package and its binary packages always have the same version.
                    source=SourcePackage(name=fields.get(b"o") or name, version=version),
                    license=fields.get(b"L", ""),
                )
            )
            paths = relevant_lines(_listing(files))
            if paths:
                owned.append((name, paths))
        if broken and not packages:
            raise CatalogError(f"{file.path}: no paragraph has P and V")
        problem = Problem(
            path=file.path, reason="a paragraph has no P or no V", format="apk", count=broken, partial=True
        )
        return Reading(packages=tuple(packages), problems=(problem,) if broken else (), owned=tuple(owned))


def _split(paragraph: bytes) -> tuple[list[bytes], list[bytes]]:
    """The lines about the package, and those about its files, from the first folder on."""
    at = 0 if paragraph.startswith(b"F:") else paragraph.find(b"\nF:")
    if at < 0:
        return paragraph.split(b"\n"), []
    return paragraph[:at].split(b"\n"), paragraph[at:].split(b"\n")


def _listing(lines: list[bytes]) -> bytes:
    """The paths of the files, one a line."""
    paths = []
    folder = b"/"
    for line in lines:
        if line.startswith(b"R:"):
            paths.append(folder + line[2:])
        elif line.startswith(b"F:"):
            folder = b"/" + line[2:] + b"/" if len(line) > 2 else b"/"
    return b"\n".join(paths)


PLUGIN: Final[Format] = Apk()
