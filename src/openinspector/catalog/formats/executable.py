"""Programs and libraries that say what they were built from: Go modules and, with cargo-auditable, Rust crates.

One look at an executable's table of sections serves both, and ends the matter for all others. Whether a file may be
executed does not matter. Packages carry the format `go.binary` or `cargo.auditable`.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from openinspector.catalog.binary.cargo_audit import parse as parse_audit
from openinspector.catalog.binary.elf import Elf
from openinspector.catalog.binary.go_buildinfo import DEVEL, BuildInfo, Module, find, linked_version
from openinspector.catalog.binary.go_buildinfo import parse as parse_buildinfo
from openinspector.catalog.binary.macho import MachO, slices
from openinspector.catalog.binary.pe import Pe
from openinspector.catalog.binary.segment import Segment
from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, View, Wants
from openinspector.errors import CatalogError
from openinspector.model.package import Location, Package
from openinspector.model.problem import Problem

GO = "go.binary"
RUST = "cargo.auditable"

_ELF = b"\x7fELF"
_GO_SECTION, _RUST_SECTION, _GO_NOTE = b".go.buildinfo", b".dep-v0", b".note.go.buildid"
_UPX = b"UPX!"


class Executable:
    """ELF, PE and Mach-O files."""

    name = "executable"
    title = "Go build information and cargo-auditable lists in ELF, PE and Mach-O files"
    type = ""
    revision = 2
    wants = Wants(
        magic=(
            _ELF,
            b"MZ",
            *(b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"),
            # A universal file's mark is also that of a Java class, whose version numbers stand where the count of
            # architectures is.
            *(
                b"\xca\xfe\xba" + kind + count.to_bytes(4, "big")
                for kind in (b"\xbe", b"\xbf")
                for count in range(1, 9)
            ),
        ),
        piecewise=True,
        max_size=1024 * MEGABYTE,
    )

    def accepts(self, path: str) -> bool:
        """Any."""
        return True

    def read(self, file: File) -> Reading:
        """The modules and crates that it was built from; nothing for what says nothing."""
        data = file.view()
        mark = bytes(data[:4])
        try:
            if mark == _ELF:
                return _elf(file.path, data)
            if mark[:2] == b"MZ":
                return _pe(file.path, data)
            return _macho(file.path, data)
        except CatalogError:
            # Headers that make no sense: no system would run this, and most are no programs at all.
            return _NOTHING


_NOTHING: Final = Reading()


def _elf(path: str, data: View) -> Reading:
    elf = Elf(data)
    names = elf.names()
    is_go = False
    if names is not None:
        is_go = _GO_SECTION in names
        if is_go or _RUST_SECTION in names:
            try:
                found = elf.sections(names, (_GO_SECTION, _RUST_SECTION))
            except CatalogError as error:
                return _broken(path, error, GO if is_go else RUST)
            program = _Program(data, found.get(_GO_SECTION), found.get(_RUST_SECTION), elf.segments())
            return _reading(path, [program])
        if _GO_NOTE not in names:
            return _NOTHING
        is_go = True
    # No table of sections (or one without the blob's): the linker puts the blob at the start of the data.
    segments = elf.segments()
    for segment in segments:
        if segment.writable and not segment.executable:
            start = data[segment.offset : segment.offset + segment.size]
            if find(start) >= 0:
                return _reading(path, [_Program(data, start, None, segments)])
            break
    if is_go:
        return Reading(problems=(_problem(path, "a Go program without build information", GO),))
    if names is None and _UPX in bytes(data[:1024]):
        return Reading(problems=(_problem(path, "a program packed by UPX: what is in it can't be told", GO),))
    return _NOTHING


def _pe(path: str, data: View) -> Reading:
    pe = Pe(data)
    go = rust = None
    for name, segment in pe.sections:
        content = data[segment.offset : segment.offset + segment.size]
        if name == _RUST_SECTION:
            rust = content
        # There is no section of its own: the blob lies in the data, the first part that is writable.
        elif go is None and segment.writable and not segment.executable and segment.size and find(content) >= 0:
            go = content
    if go is None and rust is None:
        return _NOTHING
    return _reading(path, [_Program(data, go, rust, [segment for _, segment in pe.sections])])


def _macho(path: str, data: View) -> Reading:
    programs = []
    for each in slices(data):
        macho = MachO(each)
        content = {
            name: each[section.offset : section.offset + section.size]
            for name in (b"__go_buildinfo", _RUST_SECTION)
            if (section := macho.sections.get(name)) is not None
        }
        if content:
            programs.append(_Program(each, content.get(b"__go_buildinfo"), content.get(_RUST_SECTION), macho.segments))
    return _reading(path, programs) if programs else _NOTHING


class _Program(Struct, frozen=True):
    """One program: its bytes, where its Go and its Rust list may lie, and its loaded parts."""

    data: View
    go: View | None
    rust: View | None
    segments: list[Segment]


def _broken(path: str, error: CatalogError, format_name: str) -> Reading:
    return Reading(problems=(_problem(path, str(error), format_name, partial=True),))


def _reading(path: str, programs: list[_Program]) -> Reading:
    """The packages of the programs of one file, each once."""
    packages: dict[tuple[str, str, str], Package] = {}
    problems = []
    for program in programs:
        if program.go is not None:
            try:
                info = parse_buildinfo(program.go, program.data, program.segments)
            except CatalogError as error:
                problems.append(_problem(path, str(error), GO, partial=True))
            else:
                for package in _modules(path, info):
                    packages.setdefault((package.type, package.name, package.version), package)
                if info.unread:
                    problems.append(
                        Problem(path=path, reason="lines of Go build information", format=GO, count=info.unread)
                    )
                if _is_without_modules(info):
                    reason = f"{info.path} was built without Go modules: what is in it besides the standard library"
                    problems.append(_problem(path, f"{reason} can't be told", GO))
        if program.rust is not None:
            try:
                crates = parse_audit(program.rust)
            except CatalogError as error:
                problems.append(_problem(path, str(error), RUST, partial=True))
            else:
                for crate in crates:
                    package = Package(
                        type="cargo",
                        name=crate.name,
                        version=crate.version,
                        location=Location(path=path),
                        format=RUST,
                        dev=crate.kind != "runtime",
                    )
                    packages.setdefault((package.type, package.name, package.version), package)
    return Reading(packages=tuple(packages.values()), problems=tuple(problems))


def _modules(path: str, info: BuildInfo) -> Iterator[Package]:
    """The standard library, the main module, and what was linked in."""
    location = Location(path=path)
    # "go1.21.3 X:boringcrypto", "devel go1.20-abcdef Tue …": a released toolchain's first word is its version.
    released = info.go_version.startswith("go")
    toolchain = info.go_version.split(" ", 1)[0].removeprefix("go") if released else info.go_version
    yield Package(type="golang", name="stdlib", version=toolchain, location=location, format=GO)
    if info.path.startswith("cmd/"):  # the go command and its helpers have advisories of their own
        yield Package(type="golang", name="toolchain", version=toolchain, location=location, format=GO)
    if info.main is not None:
        name, version = _effective(info.main)
        if version == DEVEL:
            version = linked_version(info) or version
        arch = info.settings.get("GOARCH", "")
        yield Package(type="golang", name=name, version=version, location=location, format=GO, arch=arch)
    for module in info.modules:
        name, version = _effective(module)
        yield Package(type="golang", name=name, version=version, location=location, format=GO)


def _is_without_modules(info: BuildInfo) -> bool:
    """Whether a program with a path of its own (`github.com/cli/cli/v2/cmd/gh`) names no module: Debian's do so."""
    return not info.main and not info.modules and "." in info.path.partition("/")[0]


def _effective(module: Module) -> tuple[str, str]:
    """Path and version of what was compiled: the replacement's, or no known version if that was a folder."""
    replaced = module.replaced_by
    if replaced is None:
        return module.path, module.version or DEVEL
    if replaced.path.startswith((".", "/")) or replaced.path[1:3] == ":\\":
        return module.path, DEVEL
    return replaced.path, replaced.version or DEVEL


def _problem(path: str, reason: str, format_name: str, *, partial: bool = False) -> Problem:
    return Problem(path=path, reason=reason, format=format_name, partial=partial)


PLUGIN: Final[Format] = Executable()
