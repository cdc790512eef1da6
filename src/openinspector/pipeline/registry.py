"""Every plug-in by name: where the stages get what they are given."""

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
    """Every file format.

    With a cache folder, each is imported only when its first file is met: notes on all of them are kept there. They
    hold until a source file of the catalogue changes, by the same signs by which Python tells that a module must be
    compiled anew; so a new or changed format needs nothing but its module.
    """
    from openinspector.catalog import formats as folder

    current = sources(catalog) if cache_folder else ""
    if cache_folder is None or not current:
        return discover(folder)
    place = cache_folder / "formats"
    notes = _noted(place, current)
    if notes is None:
        notes = [note_on(each, module) for module, each in located(folder).values()]
        keep(place, msgspec.msgpack.encode(Notes(current, notes)))
    return {note.name: OnDemand(note, offered) for note in notes}


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
