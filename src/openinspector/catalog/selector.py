"""Which files of a tree does which format want: the formats' wishes, compiled to a few dictionary look-ups.

An image has a hundred thousand members and a few hundred of them matter, so the question "does anybody want this
path?" is the innermost loop of every scan. It is asked with bytes, as archives and directories give them.
"""

from collections.abc import Iterable, Sequence

from openinspector.catalog.contract import Format

# Files with these endings are never executables that carry build information; looking into each would cost a read.
_NEVER_EXECUTABLE = frozenset(
    b".a .apk .bz2 .c .cc .cfg .class .conf .cpp .crt .css .csv .cuh .dat .db .deb .gem .gif .go .gz .h .hpp"
    b" .htm .html .icns .ico .inc .ini .jar .jpg .js .json .ko .la .less .list .log .lua .map .md .md5sums .mjs"
    b" .mo .npy .o .parquet .pc .pem .php .pl .pm .png .po .pod .properties .pxd .py .pyc .pyi .pyo .pyx .rb"
    b" .rlib .rmeta .rpm .rs .rst .scss .sh .so.debug .split .sqlite .svg .tar .tcl .tgz .tmpl .toml .ts .ttf"
    b" .txt .vim .war .whl .woff .woff2 .xml .xsl .xz .yaml .yml .zip .zst".split()
)


class Selector:
    """The formats' wishes, compiled.

    `select(path)` gives the formats that want a path by its name; `may_be_executable(path, size)` says whether the
    first bytes of a file that nobody wants by name are worth a look, and `by_magic` who wants it for them.
    """

    def __init__(self, formats: Iterable[Format]) -> None:
        self.formats: tuple[Format, ...] = tuple(formats)
        names: dict[bytes, list[Format]] = {}
        endings: dict[bytes, list[tuple[bytes, Format]]] = {}
        paths: dict[bytes, list[Format]] = {}
        dirs: dict[bytes, list[Format]] = {}
        magic: list[tuple[bytes, Format]] = []
        sizes: list[tuple[int, int]] = []
        for each in self.formats:
            wants = each.wants
            for name in wants.names:
                names.setdefault(name.encode(), []).append(each)
            for suffix in wants.suffixes:
                last = suffix[suffix.rindex(".") :].encode()
                endings.setdefault(last, []).append((suffix.encode(), each))
            for path in wants.paths:
                paths.setdefault(path.encode(), []).append(each)
            for folder in wants.dirs:
                dirs.setdefault(folder.encode(), []).append(each)
            for start in wants.magic:
                magic.append((start, each))
                sizes.append(wants.magic_sizes)
        self._names, self._endings, self._paths, self._dirs, self._magic = names, endings, paths, dirs, magic
        self._smallest = min((low for low, _ in sizes), default=1 << 62)
        self._heads = tuple({start[:2] for start, _ in magic})
        self.landmarks: tuple[bytes, ...] = tuple(sorted({*paths, *dirs}))
        self._above = {prefix for mark in self.landmarks for prefix in _prefixes(mark)}

    def select(self, path: bytes) -> Sequence[Format]:
        """The formats that want a path (no leading slash) by its name; mostly none."""
        slash = path.rfind(b"/")
        base = path[slash + 1 :]
        found = self._names.get(base)
        ending = self._endings.get(base[base.rfind(b".") :]) if b"." in base else None
        exact = self._paths.get(path)
        inside = self._dirs.get(path[:slash]) if slash > 0 else None
        if not (found or ending or exact or inside):
            return ()
        wanting: dict[str, Format] = {}
        for each in found or ():
            wanting[each.name] = each
        for suffix, each in ending or ():
            if base.endswith(suffix):
                wanting[each.name] = each
        for each in (*(exact or ()), *(inside or ())):
            wanting[each.name] = each
        text = path.decode("utf-8", "surrogateescape")
        return [each for each in wanting.values() if each.accepts(text)]

    def may_be_executable(self, path: bytes, size: int) -> bool:
        """Whether the content of a file that nobody wants by name may be of interest."""
        if size < self._smallest:
            return False
        dot = path.rfind(b".")
        return dot < 0 or path[dot:] not in _NEVER_EXECUTABLE

    def by_magic(self, path: bytes, head: bytes, size: int) -> Sequence[Format]:
        """The formats that want a file for its first bytes."""
        if not head.startswith(self._heads):
            return ()
        wanting = {}
        for start, each in self._magic:
            low, high = each.wants.magic_sizes
            if head.startswith(start) and low <= size <= high:
                wanting[each.name] = each
        text = path.decode("utf-8", "surrogateescape")
        return [each for each in wanting.values() if each.accepts(text)]

    def is_above_landmark(self, path: bytes) -> bool:
        """Whether a link at this path could lead to an exactly named file or folder (`var/lib/dpkg` → elsewhere)."""
        return path in self._above


def _prefixes(path: bytes) -> list[bytes]:
    parts = path.split(b"/")
    return [b"/".join(parts[: count + 1]) for count in range(len(parts))]
