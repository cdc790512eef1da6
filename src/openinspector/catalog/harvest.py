"""What the files of one tree or layer said, and how files are handed to the formats that want them.

Whoever walks a tree (an archive, a directory) asks the selector about each path and gives the wanted files to a
`Harvester`. The result, a `Harvest`, is plain data: it is kept per layer, and `catalog/assemble.py` stacks harvests
into an inventory.
"""

import posixpath
from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading
from openinspector.errors import CatalogError
from openinspector.model.problem import Problem

_PROBLEMS_AT_MOST = 10_000  # of one tree; more are counted
_KEPT_AT_MOST = 64 * MEGABYTE  # bytes of neighbours held back until a walk ends


class Harvest(Struct, kw_only=True, omit_defaults=True):
    """What one tree or layer gave.

    `readings` has for each wanted path what each format read: {"var/lib/dpkg/status": [("dpkg", Reading)]}. The rest
    is what stacking needs: `removed` paths (whiteouts), `emptied` folders (opaque), `covers` (paths of files and
    links that hide what lower layers had there), `links` (symbolic links on the way to exactly named places:
    {"var/lib/rpm": "../../usr/lib/sysimage/rpm"}).
    """

    readings: dict[str, list[tuple[str, Reading]]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    covers: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    entries: int = 0


class Harvester:
    """Collects a `Harvest`: `take` each wanted file, then `finish` once."""

    def __init__(self, formats: Iterable[Format]) -> None:
        self.harvest = Harvest()
        formats = tuple(formats)
        self._beside_names = {posixpath.basename(name) for each in formats for name in each.wants.beside}
        self.keep_names = frozenset(name.encode() for name in self._beside_names)
        self._kept: dict[str, bytes] = {}
        self._kept_bytes = 0
        self._more_problems = 0
        self._waiting: dict[tuple[str, str], tuple[Format, bytes]] = {}
        self.taken: set[str] = set()  # the paths that were read
        self.missed: dict[str, str] = {}  # wanted names of hard links → the unwanted first names of their files
        self.special: dict[str, bytes] = {}  # what a walk was asked to bring besides

    def take(self, path: str, formats: Sequence[Format], data: bytes) -> None:
        """Read a file by each of the formats that want it; those that look beside it wait for the end.

        In an archive that has a path twice the later file counts, as for whoever unpacks it.
        """
        if path in self.taken:
            self.harvest.readings.pop(path, None)
        self.taken.add(path)
        for each in formats:
            if len(data) > each.wants.max_size:
                self.too_large(path, each, len(data))
            elif each.wants.beside:
                self._waiting[path, each.name] = (each, bytes(data))
            else:
                self._read(path, each, File(path=path, data=data))

    def keep(self, path: str, data: bytes) -> None:
        """Hold a file that another one may want beside it."""
        if len(data) <= MEGABYTE and self._kept_bytes + len(data) <= _KEPT_AT_MOST:
            self._kept[path] = bytes(data)
            self._kept_bytes += len(data)

    def too_large(self, path: str, wanting: Format, size: int) -> None:
        """Say that a wanted file was not read for its size."""
        reason = f"{size:,} bytes are more than the {wanting.wants.max_size:,} that {wanting.title} may have"
        self.problem(Problem(path=path, format=wanting.name, reason=reason, partial=True))

    def hard_link(self, path: str, target: str) -> None:
        """Another name of a file of the same tree.

        What was read under the first name stands there once; a wanted name whose file nobody wanted under its first
        name is remembered in `missed`.
        """
        if target not in self.taken:
            self.missed[path] = target

    def problem(self, problem: Problem) -> None:
        """Keep a doubt."""
        if len(self.harvest.problems) < _PROBLEMS_AT_MOST:
            self.harvest.problems.append(problem)
        else:
            self._more_problems += 1

    def finish(self) -> Harvest:
        """The harvest, after the files that waited for their neighbours."""
        for (path, _), (each, data) in self._waiting.items():
            folder = posixpath.dirname(path)
            beside = {}
            for name in each.wants.beside:
                neighbour = self._kept.get(posixpath.normpath(posixpath.join(folder, name)))
                if neighbour is not None:
                    beside[name] = neighbour
            self._read(path, each, File(path=path, data=data, beside=beside))
        self._waiting.clear()
        self._kept.clear()
        if self._more_problems:
            reason = f"there are {self._more_problems:,} more files that could not be read"
            self.harvest.problems.append(Problem(path="…", reason=reason, count=self._more_problems, partial=True))
        return self.harvest

    def _read(self, path: str, wanting: Format, file: File) -> None:
        try:
            reading = wanting.read(file)
        except CatalogError as error:
            self.problem(Problem(path=path, format=wanting.name, reason=str(error), partial=True))
            return
        except Exception as error:  # noqa: BLE001  a reader's fault on hostile input must not end the scan, nor hide
            reason = f"{wanting.title} can't be read: {type(error).__name__}: {error}"[:500]
            self.problem(Problem(path=path, format=wanting.name, reason=reason, partial=True))
            return
        if reading.packages or reading.problems or reading.owned or reading.facts:
            self.harvest.readings.setdefault(path, []).append((wanting.name, reading))
