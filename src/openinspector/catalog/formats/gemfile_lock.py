"""Bundler's lock file.

    GEM
      remote: …
      specs:
        nokogiri (1.15.4-x86_64-linux)
          racc (~> 1.4)

    CHECKSUMS
      racc (1.7.1) sha256=…

It does not say which gems are for development: the Gemfile would, which is a program.
Source: https://bundler.io/guides/rationale.html and the files that Bundler writes
"""

import re
from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.unparsed import unparsed
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package

_SOURCES = ("GEM", "GIT", "PATH", "PLUGIN SOURCE")
_SECTION = r"[A-Z][A-Z ]+$"
# Names hold neither blank nor parenthesis; a version holds no dash, what follows one is the platform.
_SPEC = r"    (\S+) \(([^\s()-]+)(?:-([^\s()]+))?\)!?"
_CHECKSUM = r"  (\S+) \(([^\s()]+)\) ([a-z0-9]{1,20})=([0-9a-f]{1,200})"


class GemfileLock:
    """Gemfile.lock and gems.locked."""

    name = "gem.lock"
    title = "Gemfile.lock"
    type = "gem"
    revision = 2
    wants = Wants(names=("Gemfile.lock", "gems.locked"), max_size=16 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Every file of these names, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked gems, those from repositories and folders included; the project's own gem is left out.

        Raises:
            CatalogError: It has none of the sections of such a file.
        """
        section, remote = "", ""
        specs: dict[tuple[str, str, str], None] = {}
        digests: dict[tuple[str, str], str] = {}
        unread: list[str] = []
        known = False
        for line in file.text().splitlines():
            if not line.startswith(" "):
                section, remote = line.rstrip(), ""
                known = known or re.match(_SECTION, section) is not None
                if section.startswith(("<<<<<<<", "=======", ">>>>>>>")):
                    unread.append(line)
            elif section in _SOURCES:
                if line.startswith("  remote: "):
                    remote = line[10:].strip()
                elif line.startswith("    ") and not line.startswith("     "):
                    spec = re.fullmatch(_SPEC, line.rstrip())
                    if spec is None:
                        unread.append(line)
                    elif section != "PATH" or remote != ".":
                        specs[spec[1], spec[2], spec[3] or ""] = None
            elif section == "CHECKSUMS" and (checksum := re.match(_CHECKSUM, line)):
                digests[checksum[1], checksum[2]] = f"{checksum[3]}:{checksum[4]}"
        if not known and file.data:
            raise CatalogError("a Gemfile.lock without any of its sections")
        packages = tuple(
            Package(
                type="gem",
                name=name,
                version=version,
                location=Location(path=file.path),
                format=self.name,
                digest=digests.get((name, f"{version}-{platform}" if platform else version), ""),
                qualifiers=(("platform", platform),) if platform else (),
            )
            for name, version, platform in specs
        )
        return Reading(packages=packages, problems=unparsed(file.path, self.name, "lines that name no gem", unread))


PLUGIN: Final[Format] = GemfileLock()
