r"""Pinned requirement files of pip.

    requests[socks]==2.31.0 ; python_version < "3.13" \
        --hash=sha256:58cd2187c01e70e6e26505bca751777aa9f2ee0b7f4300988b709f44e013003f
    name===1.0
    flask @ https://example.org/Flask-3.0.0-py3-none-any.whl

A line without an exact version names no package that could be judged: it is counted as unparsed.
Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import re
from collections.abc import Iterator
from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.python_projects import is_for_development, named_in_url, normalized, only_hash
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package

_COMMENT = r"(?:^|(?<=\s))#.*"
_NAME = r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*+(?:\[[^\]]*+\])?\s*+"
_PIN = r"(?:^|,)\s*+===?\s*+([^\s,=;<>~*()$]++)\s*+(?=,|$)"
_HASH = r"--hash[= ]\s*+([a-z0-9]+:[0-9a-fA-F]+)"
_OPTION = r"(?<=\s)--?[A-Za-z]"
_INCLUDE = r"(?:-r\s*|--requirement(?:\s+|=))(\S.*)"
_ADDRESS = r"(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:|\.{0,2}/)"
_NUL_PROBE = 64  # bytes


class Requirements:
    """requirements*.txt and *requirements.txt."""

    name = "pypi.requirements"
    title = "requirements.txt"
    type = "pypi"
    revision = 2
    wants = Wants(suffixes=(".txt",), max_size=8 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """By the base name; none of a fetched package."""
        return _is_requirements(path.rpartition("/")[2]) and not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The pinned packages, and how many lines were not pinned or not understood."""
        base = file.path.rpartition("/")[2].lower().removesuffix(".txt")
        dev = is_for_development(base)
        packages: list[Package] = []
        unpinned: list[str] = []
        unread_includes: list[str] = []
        for line in _logical_lines(_text(file)):
            if line.startswith("-") and not line.startswith(("-e", "--editable")):
                include = re.match(_INCLUDE, line)
                if include and not _is_requirements(include[1].strip().rpartition("/")[2]):
                    unread_includes.append(include[1].strip())
                continue
            name, version = _pinned(line)
            if not version:
                unpinned.append(line)
                continue
            packages.append(
                Package(
                    type="pypi",
                    name=name,
                    version=version,
                    location=Location(path=file.path),
                    format=self.name,
                    dev=dev,
                    digest=only_hash(re.findall(_HASH, line)),
                )
            )
        problems = unparsed(file.path, self.name, "without an exact version", unpinned)
        problems += unparsed(file.path, self.name, "included files that are not read by their name", unread_includes)
        return Reading(packages=tuple(packages), problems=problems)


def _is_requirements(base: str) -> bool:
    base = base.lower()
    return base.endswith(".txt") and (base.startswith("requirements") or base.endswith("requirements.txt"))


def _text(file: File) -> str:
    """The text, UTF-16 without a mark included: half of the bytes of such a file are NUL."""
    head = bytes(file.data[:_NUL_PROBE])
    if head[:2] not in (b"\xff\xfe", b"\xfe\xff") and 0 in head:
        return bytes(file.data).decode("utf-16-be" if head[0] == 0 else "utf-16-le", "replace")
    return file.text()


def _logical_lines(text: str) -> Iterator[str]:
    """Lines with their continuations joined and comments removed; a comment can't be continued."""
    parts: list[str] = []
    for line in text.splitlines():
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            parts.append(line[:-1])
            continue
        parts.append(line)
        if joined := _without_comment("".join(parts)):
            yield joined
        parts.clear()
    if joined := _without_comment("".join(parts)):
        yield joined


def _without_comment(line: str) -> str:
    return (re.sub(_COMMENT, "", line) if "#" in line else line).strip()


def _pinned(line: str) -> tuple[str, str]:
    """The name and the exact version that a line asks for, ("", "") where it leaves the choice."""
    option = re.search(_OPTION, line)
    requirement = (line[: option.start()] if option else line).partition(";")[0].strip()
    if re.match(_ADDRESS, requirement):
        return named_in_url(requirement)
    named = re.match(_NAME, requirement)
    if not named:
        return "", ""
    rest = requirement[named.end() :]
    if rest.startswith("@"):
        # The address of a file may itself hold a semicolon, so markers are not cut off here.
        found, version = named_in_url(rest[1:].strip())
        return (named[1], version) if normalized(found) == normalized(named[1]) else ("", "")
    pin = re.search(_PIN, rest.strip("() \t"))
    return (named[1], pin[1]) if pin else ("", "")


PLUGIN: Final[Format] = Requirements()
