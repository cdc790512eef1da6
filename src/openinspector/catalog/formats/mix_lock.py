"""Elixir's lock file: a map of tuples, one to a line.

    %{
      "plug": {:hex, :plug, "1.15.1", "b7ef…", [:mix], [{:mime, "~> 1.0", […]}], "hexpm", "459497bd…"},
      "my_lib": {:git, "https://example.org/my_lib.git", "9f3a…", [tag: "v1.2"]},
    }

The name on the left is the application's; the atom in the tuple is the package's. It does not tell what is needed for
development only.
Source: https://hexdocs.pm/mix/Mix.Tasks.Deps.html, https://github.com/hexpm/hex/blob/main/lib/hex/mix.ex
"""

import re
from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package

_ENTRY = re.compile(r"""\s*(?:%\{\s*)?"([\w.-]{1,200})"(?::|\s*=>)\s*\{(.*)""")
_HEX = re.compile(r""":hex,\s*:"?([\w.-]{1,200})"?,\s*"([^"]{1,200})"[,}]""")
_CHECKSUMS = re.compile(r"""\],\s*"([^"]{1,200})"(?:,\s*"([0-9a-f]{64})")?\s*\}\s*,?\s*\}?\s*\Z""")


class MixLock:
    """mix.lock."""

    name = "hex.mix-lock"
    title = "mix.lock"
    type = "hex"
    revision = 2
    wants = Wants(names=("mix.lock",), max_size=4 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages; those fetched from a repository at a commit have no version, which is said."""
        packages: list[Package] = []
        commits: list[str] = []
        unread: list[str] = []
        for line in file.text().splitlines():
            entry = _ENTRY.match(line)
            if entry is None:
                if line.strip() not in ("", "%{", "}", "%{}") and not line.lstrip().startswith("#"):
                    unread.append(line)
                continue
            name, what = entry.groups()
            hexed = _HEX.match(what)
            if hexed is None:
                (commits if what.startswith(":git") else unread).append(name)
                continue
            # The archive's own checksum stands last, behind the repository; earlier tuples had only that of its
            # content.
            tail = _CHECKSUMS.search(what, max(0, len(what) - 1000))
            repository = tail[1] if tail else "hexpm"
            packages.append(
                Package(
                    type="hex",
                    name=hexed[1],
                    version=hexed[2],
                    location=Location(path=file.path),
                    format=self.name,
                    repository="" if repository == "hexpm" else repository,
                    digest=f"sha256:{tail[2]}" if tail and tail[2] else "",
                )
            )
        return Reading(
            packages=tuple(packages),
            problems=(
                *unparsed(file.path, self.name, "packages taken from a commit, without a version", commits),
                *unparsed(file.path, self.name, "lines that make no sense", unread),
            ),
        )


PLUGIN: Final[Format] = MixLock()
