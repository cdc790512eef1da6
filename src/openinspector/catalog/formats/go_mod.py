"""Go's module file.

    module example.org/tool
    go 1.21                                             // a minimum, not what is used
    toolchain go1.21.3                                  // what is used
    require (
        golang.org/x/net v0.17.0
        golang.org/x/text v0.13.0 // indirect
    )
    replace golang.org/x/net => example.org/fork v0.17.1
    exclude golang.org/x/net v0.16.0                    // never chosen; the required version stays

Since Go 1.17 it lists every module that is needed; earlier, those behind the first ones are in `go.sum` only.
Source: https://go.dev/ref/mod#go-mod-file
"""

import re
from collections.abc import Iterator
from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

_WORDS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|`[^`]*`|[()]|[^\s()\"`]+")
_LINE_LENGTH = 4096
_GO_LINE = re.compile(r"(\d{1,4})\.(\d{1,4})")


class GoMod:
    """go.mod, with go.sum for the older ones."""

    name = "go.mod"
    title = "go.mod"
    type = "golang"
    revision = 2
    wants = Wants(names=("go.mod",), beside=("go.sum",), max_size=4 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The required modules, replaced where the file says so, and the standard library of a stated toolchain."""
        versions: dict[str, str] = {}
        replacements: dict[tuple[str, str], tuple[str, str]] = {}
        go, toolchain = (0, 0), ""
        unread: list[str] = []
        for words in _directives(file.text()):
            match words:
                case ["require", path, version]:
                    versions[path] = version
                case ["replace", path, "=>", target, *rest] if len(rest) <= 1:
                    replacements[path, ""] = (target, "".join(rest))
                case ["replace", path, version, "=>", target, *rest] if len(rest) <= 1:
                    replacements[path, version] = (target, "".join(rest))

                case ["go", line]:
                    stated = _GO_LINE.match(line)
                    go = (int(stated[1]), int(stated[2])) if stated else go
                case ["toolchain", line]:
                    toolchain = line
                case ["require" | "replace" | "go" | "toolchain", *_]:
                    unread.append(" ".join(words))
                case _:
                    pass  # module, exclude, retract, tool, godebug, ignore: nothing that is used

        problems = list(unparsed(file.path, self.name, "directives that make no sense", unread))
        if versions and go < (1, 17):
            sums = file.beside.get("go.sum")
            if sums is None:
                reason = "a go.mod from before Go 1.17 names only direct dependencies, and there is no go.sum beside it"
                problems.append(Problem(path=file.path, reason=reason, format=self.name))
            else:
                for path, version in _of_sums(File(path=file.path, data=sums).text()).items():
                    versions.setdefault(path, version)
        chosen: dict[tuple[str, str], None] = {}
        local: list[str] = []
        for path, version in versions.items():
            target, target_version = (
                replacements.get((path, version)) or replacements.get((path, "")) or (path, version)
            )
            if target_version:
                chosen[target, target_version] = None
            else:
                local.append(f"{path} => {target}")
        problems += unparsed(
            file.path, self.name, "modules replaced by a folder, in a version that nobody knows", local
        )
        if toolchain.startswith("go") and toolchain[2:3].isdigit():
            chosen["stdlib", toolchain.removeprefix("go")] = None
        return Reading(
            packages=tuple(
                Package(type="golang", name=name, version=version, location=Location(path=file.path), format=self.name)
                for name, version in chosen
            ),
            problems=tuple(problems),
        )


def _directives(text: str) -> Iterator[list[str]]:
    """Each directive as words, those inside a block with the block's verb before them."""
    block = ""
    for line in text.splitlines():
        words = [
            word[1:-1] if word[0] in '"`' else word for word in _WORDS.findall(_without_comment(line[:_LINE_LENGTH]))
        ]
        if not words:
            continue
        if block:
            if words == [")"]:
                block = ""
            else:
                yield [block, *words]
        elif words[-1] == "(" and len(words) == 2:
            block = words[0]
        elif words[1:] != ["(", ")"]:
            yield words


def _without_comment(line: str) -> str:
    """The line up to `//`; a quoted path could hold two slashes, so the comment must be preceded by a blank."""
    if line.lstrip().startswith("//"):
        return ""
    return re.split(r"\s//", line, maxsplit=1)[0]


def _of_sums(text: str) -> dict[str, str]:
    """The modules whose content was fetched, in their highest version: the lines of a module are ordered by version."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and not words[1].endswith("/go.mod"):
            found[words[0]] = words[1]
    return found


PLUGIN: Final[Format] = GoMod()
