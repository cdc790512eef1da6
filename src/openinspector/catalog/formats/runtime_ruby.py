"""Ruby itself (MRI), by the configuration that its build leaves beside the standard library.

    usr/local/lib/ruby/3.2.0/x86_64-linux/rbconfig.rb
      RUBY_VERSION.start_with?("3.2.") or
        raise "ruby lib version (3.2.4) doesn't match executable version (#{RUBY_VERSION})"
      CONFIG["PATCHLEVEL"] = "170"

Ruby does not start without this file. Until 2.0.0 fixes were patch levels of one version, and advisories write them as
a fourth number: 1.9.3 at patch level 551 is 1.9.3.551. A build from development has the patch level -1.
Source: https://github.com/ruby/ruby, tool/mkconfig.rb
"""

import re
from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

_HEAD = 256 * 1024  # bytes
_ABI = re.compile(r"\d{1,3}\.\d{1,3}(?:\.\d{1,3})?(?:\+\d{1,6})?")  # the folder's name: 3.2.0, 3.5.0+1
_VERSION = rb"ruby lib version \((\d{1,4}\.\d{1,4}\.\d{1,4})\)"
_PATCH_LEVEL = rb"""CONFIG\["PATCHLEVEL"\] = ["'](-?\d{1,6})["']"""
_LAST_WITH_PATCH_LEVELS = (2, 0)


class RuntimeRuby:
    """lib/ruby/<ABI>/<platform>/rbconfig.rb, or without the platform where a folder above names it."""

    name = "runtime.ruby"
    title = "Ruby (rbconfig.rb)"
    type = "generic"
    revision = 1
    wants = Wants(names=("rbconfig.rb",), max_size=4 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Only where Ruby looks for it: gems bring files of that name, too."""
        folders = path.split("/")[-4:-1]
        return any(
            above == "ruby" and _ABI.fullmatch(below) is not None
            for above, below in zip(folders, folders[1:], strict=False)
        )

    def read(self, file: File) -> Reading:
        """Ruby."""
        head = bytes(file.data[:_HEAD])
        version = re.search(_VERSION, head)
        if version is None:
            # Other implementations work theirs out when they run.
            reason = "a configuration of Ruby that does not say its version"
            return Reading(problems=(Problem(path=file.path, reason=reason, format=self.name),))
        package = Package(
            type=self.type,
            name="ruby",
            version=_with_patch_level(version[1].decode(), head),
            location=Location(path=file.path),
            format=self.name,
        )
        return Reading(packages=(package,))


def _with_patch_level(version: str, head: bytes) -> str:
    found = re.search(_PATCH_LEVEL, head)
    level = found[1].decode() if found else ""
    if level.startswith("-"):
        return f"{version}.dev"
    major, minor, _ = version.split(".")
    return f"{version}.{level}" if level and (int(major), int(minor)) <= _LAST_WITH_PATCH_LEVELS else version


PLUGIN: Final[Format] = RuntimeRuby()
