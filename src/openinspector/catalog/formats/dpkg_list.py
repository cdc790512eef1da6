"""Which files a Debian package owns: dpkg's `info/*.list`, and `status.d/*.md5sums` in distroless images."""

from typing import Final

from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.relevance import relevant_lines

_LISTS = "var/lib/dpkg/info/"
_SUMS = "var/lib/dpkg/status.d/"


class DpkgList:
    """One list a package; its name is that of the package, with `:arch` for those that can be there twice."""

    name = "dpkg.list"
    title = "dpkg file lists"
    type = "deb"
    revision = 1
    wants = Wants(dirs=(_LISTS.rstrip("/"), _SUMS.rstrip("/")))

    def accepts(self, path: str) -> bool:
        """The lists, and in distroless images the checksums, which name the files as well."""
        return path.endswith(".list") if path.startswith(_LISTS) else path.endswith(".md5sums")

    def read(self, file: File) -> Reading:
        """The files that may matter (`catalog/relevance.py`)."""
        package = file.path.rpartition("/")[2].rpartition(".")[0].partition(":")[0]
        listing = bytes(file.data)
        if file.path.endswith(".md5sums"):
            # "0123…cdef  usr/bin/x": 32 digits and two blanks
            lines = [line[34:].removeprefix(b"./") for line in listing.split(b"\n") if len(line) > 34]
            listing = b"".join(b"/" + line.lstrip(b"/") + b"\n" for line in lines)
        paths = relevant_lines(listing)
        return Reading(owned=((package, paths),) if paths else ())


PLUGIN: Final[Format] = DpkgList()
