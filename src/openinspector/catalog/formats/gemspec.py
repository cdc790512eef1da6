"""Installed Ruby gems: the specification that RubyGems writes for each.

    var/lib/gems/3.1.0/specifications/nokogiri-1.15.4-x86_64-linux.gemspec
    # stub: nokogiri 1.15.4 x86_64-linux lib
    s.name = "nokogiri".freeze
    s.version = "1.15.4"

It is a Ruby program of a fixed layout, of which we read the second line, and a few assignments where that is missing.
Source: https://github.com/ruby/rubygems, lib/rubygems/specification.rb (to_ruby) and stub_specification.rb
"""

import re
from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package

_HEAD = 64 * 1024  # bytes
_STUB = rb"(?m)^# stub: (\S+) (\S+) (\S+)"
_ASSIGNED = (
    rb"(?m)^[ \t]*+s\.(name|version|platform|licenses?)[ \t]*+=[ \t]*+"
    rb"""(?:Gem::Version\.new[ \t]*+\(?)?\[?["']([^"'\n]{1,300})["']"""
)
_FILE_NAME = r"(.+?)-(\d[^-]*)(?:-(.+))?\.gemspec"


class Gemspec:
    """specifications/*.gemspec."""

    name = "gem.gemspec"
    title = "Ruby gems (installed)"
    type = "gem"
    revision = 1
    wants = Wants(suffixes=(".gemspec",), max_size=4 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Only in RubyGems' own folders: a gem's source has a specification that installs nothing."""
        folder = path.rpartition("/")[0]
        return folder.removesuffix("/default").rpartition("/")[2] == "specifications"

    def read(self, file: File) -> Reading:
        """The gem.

        Raises:
            CatalogError: Neither the file nor its name says which.
        """
        head = bytes(file.data[:_HEAD])
        assigned: dict[bytes, bytes] = dict(reversed(re.findall(_ASSIGNED, head)))
        license_ = assigned.get(b"licenses", assigned.get(b"license", b"")).decode("utf-8", "replace")
        name, version, platform = _stub(head) or _from_assignments(assigned) or _from_file_name(file.path)
        package = Package(
            type="gem",
            name=name,
            version=version,
            location=Location(path=file.path),
            format=self.name,
            license=license_,
            qualifiers=(("platform", platform),) if platform not in ("", "ruby") else (),
        )
        return Reading(packages=(package,))


def _stub(head: bytes) -> tuple[str, str, str] | None:
    found = re.search(_STUB, head[:1024])
    return (_text(found[1]), _text(found[2]), _text(found[3])) if found else None


def _from_assignments(assigned: dict[bytes, bytes]) -> tuple[str, str, str] | None:
    name, version = assigned.get(b"name"), assigned.get(b"version")
    return (_text(name), _text(version), _text(assigned.get(b"platform", b""))) if name and version else None


def _from_file_name(path: str) -> tuple[str, str, str]:
    found = re.fullmatch(_FILE_NAME, path.rpartition("/")[2])
    if not found:
        raise CatalogError("neither the specification nor its file name says which gem it is")
    return found[1], found[2], found[3] or ""


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


PLUGIN: Final[Format] = Gemspec()
