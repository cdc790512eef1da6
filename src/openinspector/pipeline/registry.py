"""Every plug-in by name: where the stages get what they are given."""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from openinspector import catalog
from openinspector.acquire.cache import keep
from openinspector.catalog.contract import Format
from openinspector.catalog.on_demand import Note, OnDemand, note_on
from openinspector.feeds.contract import Feed
from openinspector.plugins import discover, located, offered, sources


class Notes(msgspec.Struct, frozen=True):
    """The notes of every format, and the source files that they were taken from."""

    sources: str
    notes: list[Note]


@cache
def formats(cache_folder: Path | None = None) -> dict[str, Format]:
    """Every file format, each imported only when its first file is met.

    What is noted of them is kept beside the compiled modules, else in the cache folder, if there is one. It holds until
    a source file of the catalogue changes, by the same signs by which Python tells that a module must be compiled anew;
    so a new or changed format needs nothing but its module.
    """
    from openinspector.catalog import formats as folder

    places = list(_places(cache_folder))
    current = sources(catalog) if places else ""
    if not current:
        return discover(folder)
    notes = next((kept for place in places if (kept := _noted(place, current)) is not None), None)
    if notes is None:
        notes = [note_on(each, module) for module, each in located(folder).values()]
        data = msgspec.msgpack.encode(Notes(current, notes))
        any(keep(place, data) for place in places)  # the first that can be written
    return {note.name: OnDemand(note, offered) for note in notes}


def _places(cache_folder: Path | None) -> Iterator[Path]:
    """Where the notes may lie, the best place first."""
    if not sys.dont_write_bytecode and catalog.__file__:
        compiled = Path(catalog.__file__).with_name("__pycache__")
        if compiled.is_dir():
            yield compiled / f"formats.{sys.implementation.cache_tag}.notes"
    if cache_folder is not None:
        yield cache_folder / "formats"


def _noted(place: Path, current: str) -> list[Note] | None:
    """The kept notes; None where there are none, or the sources have changed since."""
    try:
        kept = msgspec.msgpack.decode(place.read_bytes(), type=Notes)
    except (OSError, msgspec.MsgspecError):
        return None
    return kept.notes if kept.sources == current else None


@cache
def feeds() -> dict[str, Feed]:
    """Every feed."""
    from openinspector.feeds import sources as folder

    return discover(folder)
