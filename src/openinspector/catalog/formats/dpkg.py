"""dpkg's `status`, and the one control file a package of `status.d` in distroless images.

Source: deb-control(5), dpkg-query(1) for the states of a package
"""

from typing import Final

from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.model.problem import Problem

_FOLDER = "var/lib/dpkg/status.d"
_NOT_CONTROL = (".md5sums", ".list", ".conffiles", ".preinst", ".postinst", ".prerm", ".postrm", ".triggers", ".shlibs")

# The last word of `Status:`. In these states the files are there, configured or not; `config-files` (removed, not
# purged) and `not-installed` leave at most configuration.
_PRESENT = frozenset((b"installed", b"unpacked", b"half-configured", b"triggers-awaited", b"triggers-pending"))
_HALF = b"half-installed"
_ABSENT = frozenset((b"config-files", b"not-installed"))


class Dpkg:
    """`var/lib/dpkg/status` and `var/lib/dpkg/status.d/*`."""

    name = "dpkg"
    title = "dpkg status"
    type = "deb"
    revision = 1
    wants = Wants(paths=("var/lib/dpkg/status",), dirs=(_FOLDER,))

    def accepts(self, path: str) -> bool:
        """What lies beside the control files of `status.d` says nothing about packages."""
        return not path.endswith(_NOT_CONTROL)

    def read(self, file: File) -> Reading:
        """The installed packages. A paragraph without `Status:` (distroless has none) counts as installed."""
        data = bytes(file.data)
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        packages = []
        problems: dict[str, int] = {}
        location = Location(path=file.path)
        for paragraph in data.split(b"\n\n"):
            if not paragraph.strip():
                continue
            fields = _fields(paragraph)
            state = fields["Status"].rpartition(b" ")[2] if fields["Status"] else b"installed"
            if state in _ABSENT:
                continue
            if not fields["Package"] or not fields["Version"]:
                reason = "a paragraph has no Package or no Version"
                problems[reason] = problems.get(reason, 0) + 1
                continue
            package = _package(fields, location)
            packages.append(package)
            if state not in _PRESENT:
                known = "is half installed" if state == _HALF else "has an unknown status"
                problems[f"{package.name} {known}; it is taken for installed"] = 1
        if problems and not packages:
            raise CatalogError(f"{file.path}: {next(iter(problems))}")
        return Reading(
            packages=tuple(packages),
            problems=tuple(
                Problem(path=file.path, reason=reason, format="dpkg", count=count, partial=reason.startswith("a "))
                for reason, count in problems.items()
            ),
        )


_FIELDS = ("Package", "Status", "Version", "Architecture", "Source")
_STARTS = tuple((name, b"\n" + name.encode() + b":") for name in _FIELDS)


def _fields(paragraph: bytes) -> dict[str, bytes]:
    """The fields that we read, b"" where missing.

    A continuation line starts with a blank, so it can't be taken for a field.
    """
    text = b"\n" + paragraph
    fields = {}
    for name, start in _STARTS:
        at = text.find(start)
        if at < 0:
            fields[name] = b""
            continue
        at += len(start)
        end = text.find(b"\n", at)
        fields[name] = (text[at:end] if end >= 0 else text[at:]).strip()
    return fields


def _package(fields: dict[str, bytes], location: Location) -> Package:
    name = fields["Package"].decode("utf-8", "replace")
    version = fields["Version"].decode("utf-8", "replace")
    source_name, source_version = name, version
    if fields["Source"]:
        # "glibc (2.36-9+deb12u4)": the version only where it differs from the binary package's.
        source_name, _, rest = fields["Source"].decode("utf-8", "replace").partition(" ")
        source_version = rest.strip(" ()") or version
    return Package(
        type="deb",
        name=name,
        version=version,
        location=location,
        format="dpkg",
        arch=fields["Architecture"].decode("utf-8", "replace"),
        source=SourcePackage(name=source_name, version=source_version),
    )


PLUGIN: Final[Format] = Dpkg()
