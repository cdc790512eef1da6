"""Runtimes that are a single program, Node.js and mruby, by the version that is compiled into them.

    usr/local/bin/node    …node.js/v24.19.0…  or  …https://nodejs.org/download/release/v24.19.0/node-v24.19.0.tar.gz…
    usr/local/bin/mruby   …mruby 3.1.0 (2022-05-12)…

Headers beside it (`node_version.h`) say the same, but images often hold the program alone. Only its read-only data is
searched, a piece at a time and no further than the first answer.
Source: https://github.com/nodejs/node, src/inspector_agent.cc and src/node_metadata.cc;
https://github.com/mruby/mruby, include/mruby/version.h
"""

import re
from typing import Final

from msgspec import Struct

from openinspector.catalog.binary.elf import Elf
from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, View, Wants
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

_CONSTANTS = b".rodata"
_PIECE = MEGABYTE
_OVERLAP = 256  # bytes that two pieces share, so that no answer lies across their border


class _Runtime(Struct, frozen=True):
    """A runtime: how its program is called, what stands before the version, how a version looks, what marks it."""

    name: str
    program: re.Pattern[str]
    before: tuple[bytes, ...]
    version: re.Pattern[bytes]
    mark: bytes


_RUNTIMES: Final = (
    _Runtime(
        "node",
        re.compile(r"node(?:js)?(?:-?\d{1,3})?"),
        (b"node.js/v", b"https://nodejs.org/download/release/v"),
        re.compile(rb"\d{1,4}\.\d{1,4}\.\d{1,4}(?:-[0-9A-Za-z.-]{1,60})?(?=[\0/])"),
        b"NODE_OPTIONS",
    ),
    _Runtime(
        "mruby",
        re.compile(r"mruby"),
        (b"mruby ",),
        re.compile(rb"\d{1,4}\.\d{1,4}\.\d{1,4}(?:[A-Za-z][0-9A-Za-z]{0,20})?(?= \(\d{4}-\d\d?-\d\d?\))"),
        b"MRB_",
    ),
)


class RuntimeProgram:
    """The programs `node` and `mruby`."""

    name = "runtime.program"
    title = "Node.js and mruby programs (ELF)"
    type = "generic"
    revision = 1
    wants = Wants(magic=(b"\x7fELF",), piecewise=True, max_size=1024 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Programs that are called like a runtime."""
        return _called(path) is not None

    def read(self, file: File) -> Reading:
        """The runtime; nothing for other programs."""
        runtime = _called(file.path)
        return _reading(runtime, file) if runtime is not None else _NOTHING


_NOTHING: Final = Reading()


def _called(path: str) -> _Runtime | None:
    """The runtime by whose name a program is called."""
    name = path.rpartition("/")[2]
    return next((each for each in _RUNTIMES if each.program.fullmatch(name)), None)


def _reading(runtime: _Runtime, file: File) -> Reading:
    data = _constants(file.view())
    version = next(filter(None, (_search(data, before, runtime.version) for before in runtime.before)), "")
    if version:
        location = Location(path=file.path)
        package = Package(
            type=RuntimeProgram.type, name=runtime.name, version=version, location=location, format=RuntimeProgram.name
        )
        return Reading(packages=(package,))
    # Other programs have the same name, and a launcher may have its code in a library.
    if not _holds(data, runtime.mark):
        return _NOTHING
    reason = f"a {runtime.name} program that does not say its version"
    return Reading(problems=(Problem(path=file.path, reason=reason, format=RuntimeProgram.name),))


def _constants(data: View) -> View:
    """The section of constants, or the whole file where there is no table of sections."""
    try:
        elf = Elf(data)
        names = elf.names()
        return elf.sections(names, (_CONSTANTS,)).get(_CONSTANTS, data) if names else data
    except CatalogError:
        return data


def _search(data: View, before: bytes, version: re.Pattern[bytes]) -> str:
    """The first version that stands behind `before`, "" where there is none."""
    for start in range(0, len(data), _PIECE):
        piece = bytes(data[start : start + _PIECE + _OVERLAP])
        at = piece.find(before)
        while at >= 0:
            found = version.match(piece, at + len(before))
            if found:
                return found[0].decode()
            at = piece.find(before, at + 1)
    return ""


def _holds(data: View, mark: bytes) -> bool:
    return any(mark in bytes(data[start : start + _PIECE + _OVERLAP]) for start in range(0, len(data), _PIECE))


PLUGIN: Final[Format] = RuntimeProgram()
