"""Formats that are imported when the first file of theirs is met.

Before it reads a file, a scan asks of a format only what stands in its `Note`: which files it wants, and the revision
under which its results are kept. With the notes of all formats at hand, none has to be imported to walk a tree, and a
scan whose layers are all known imports none at all.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from openinspector.catalog.contract import File, Format, Reading, Wants


class Note(Struct, frozen=True, kw_only=True):
    """What a format says of itself, and the module that has it."""

    module: str
    name: str
    title: str
    type: str
    revision: int
    wants: Wants


def note_on(about: Format, module: str) -> Note:
    """The note on a format that a module offers."""
    return Note(
        module=module,
        name=about.name,
        title=about.title,
        type=about.type,
        revision=about.revision,
        wants=about.wants,
    )


class OnDemand:
    """A format by the note on it; `load` imports a module and gives the formats that it offers."""

    def __init__(self, note: Note, load: Callable[[str], Iterable[Format]]) -> None:
        self.name, self.title, self.type = note.name, note.title, note.type
        self.revision, self.wants = note.revision, note.wants
        self._module, self._load = note.module, load
        self._format: Format | None = None

    def accepts(self, path: str) -> bool:
        """A second, cheap look at the path of a file that fits `wants`."""
        return self._loaded().accepts(path)

    def read(self, file: File) -> Reading:
        """What the file says.

        Raises:
            CatalogError: The file as a whole makes no sense.
        """
        return self._loaded().read(file)

    def _loaded(self) -> Format:
        if self._format is None:
            self._format = next(each for each in self._load(self._module) if each.name == self.name)
        return self._format
