"""What a file format is.

To add one: write `catalog/formats/<name>.py` that offers `PLUGIN: Final[Format] = …` (or `PLUGINS`, a tuple). A
format says which files it wants, as data, and reads one file at a time from memory: it never opens anything, follows
anything or raises for bad content that it could get past. What it can't read it reports as a `Problem`; a file that
makes no sense at all may raise `CatalogError`, which the walk turns into a partial `Problem`. Readers see attackers'
input: bound every loop, every recursion and every allocation by the size of the data.

Module import must be cheap (no yaml, xml, zipfile … at the top: import those inside `read`), because every scan
imports every format. Bump `revision` when the same bytes would give another `Reading`: results are kept per layer
under it.
"""

from collections.abc import Mapping
from typing import Protocol, cast

from msgspec import Struct

from openinspector.model.package import Package
from openinspector.model.problem import Problem

MEGABYTE = 1 << 20


class Wants(Struct, frozen=True, kw_only=True):
    """Which files a format wants; a file that fits any of the lists is asked about with `accepts`.

    Paths are relative to the root, without a leading slash. `magic` is for files whose name says nothing: those that
    fit no list, have a size in `magic_sizes` and start with one of these bytes (2 to 8 of them). `beside` names files
    that are handed over with a wanted one where they exist: relative to its folder (`package.json`, `../pom.xml`).
    """

    names: tuple[str, ...] = ()  # whole base names: "package.json"
    suffixes: tuple[str, ...] = ()  # endings of base names, each from a dot on: ".jar", ".deps.json"
    paths: tuple[str, ...] = ()  # whole paths: "var/lib/dpkg/status"
    dirs: tuple[str, ...] = ()  # every file directly in these folders: "var/lib/dpkg/status.d"
    magic: tuple[bytes, ...] = ()
    magic_sizes: tuple[int, int] = (4096, 1024 * MEGABYTE)
    beside: tuple[str, ...] = ()
    piecewise: bool = False
    max_size: int = 64 * MEGABYTE  # a larger file is not read: a partial problem


class Part(Protocol):
    """A part of an open file: slices cost nothing, `bytes(part)` reads."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: slice, /) -> "Part": ...

    def __bytes__(self) -> bytes: ...


View = memoryview | Part  # what can be sliced without copying or reading; `bytes(view[start:end])` does that


class File(Struct, frozen=True, kw_only=True):
    """A wanted file: its path, its bytes, and those of the files beside it that exist.

    `data` may be any bytes-like object (a `memoryview`): use `bytes(data)` where a library insists on bytes, and don't
    keep slices of it alive in the result. For a format that is `piecewise` it may also be a `Part`: use `view()`.
    """

    path: str
    data: bytes
    beside: Mapping[str, bytes] = {}

    def view(self) -> View:
        """The content, to be sliced without copying or reading the rest of it."""
        try:
            return memoryview(self.data)
        except TypeError:
            return cast(Part, self.data)

    def text(self) -> str:
        """The content as text: UTF-8 with or without mark, or UTF-16 with one; what is not text is replaced."""
        data = bytes(self.data)
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return data.decode("utf-16", "replace")
        return data.decode("utf-8-sig", "replace")


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one file said.

    `owned` is for package managers' file lists: (OS package name, its paths without leading slash). `facts` is what a
    file says about the system rather than about packages: ("os-release", {"ID": "debian", …}).
    """

    packages: tuple[Package, ...] = ()
    problems: tuple[Problem, ...] = ()
    owned: tuple[tuple[str, tuple[str, ...]], ...] = ()
    facts: tuple[tuple[str, dict[str, str]], ...] = ()


class Format(Protocol):
    """One file format."""

    @property
    def name(self) -> str:
        """`dpkg`, `pypi.metadata`: what packages carry as `format`."""
        ...

    @property
    def title(self) -> str:
        """What people call it: `dpkg status`, `package-lock.json (v1-v3)`."""
        ...

    @property
    def type(self) -> str:
        """The purl type of the packages, "" for facts about the system."""
        ...

    @property
    def revision(self) -> int:
        """Raised with every change of what is read."""
        ...

    @property
    def wants(self) -> Wants:
        """The files it wants."""
        ...

    def accepts(self, path: str) -> bool:
        """A second, cheap look at the path of a file that fits `wants`."""
        ...

    def read(self, file: File) -> Reading:
        """What the file says.

        Raises:
            CatalogError: The file as a whole makes no sense.
        """
        ...
