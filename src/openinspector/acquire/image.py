"""The layers of an image become an inventory.

Layers are read side by side (their decompressors let go of the interpreter lock), each in one pass, and stacked by
`catalog/assemble.py`. After that, two rare things are made good by a second pass that asks for exact paths: a package
database behind a symbolic link, and a wanted name that is a hard link to an unwanted one.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from openinspector.acquire.contract import Reader
from openinspector.acquire.cursor import Cursor
from openinspector.acquire.links import leading_nowhere, resolve
from openinspector.acquire.tar import read_tar
from openinspector.catalog.assemble import assemble
from openinspector.catalog.harvest import Harvest, Harvester
from openinspector.errors import AcquireError
from openinspector.model.inventory import Inventory, Target
from openinspector.model.problem import Problem

_SIDE_BY_SIDE = 2


class LayerFile(Struct, frozen=True, kw_only=True):
    """One layer that can be read, more than once if need be.

    `name` is for people; `key` is what its harvest is kept under, "" for one that can't be kept.
    """

    name: str
    key: str
    open: Callable[[], Cursor]


def read_image(reader: Reader, target: Target, layers: Sequence[LayerFile]) -> Inventory:
    """The inventory of an image from its layers, the lowest first."""
    known = [reader.cache.get(layer.key) for layer in layers]
    unknown = [layer for layer, harvest in zip(layers, known, strict=True) if harvest is None]
    done = len(layers) - len(unknown)
    reader.progress("layers", done, len(layers))

    def read(layer: LayerFile) -> Harvest:
        nonlocal done
        harvest = _harvest(reader, layer)
        done += 1
        reader.progress("layers", done, len(layers))
        return harvest

    if len(unknown) < 2:
        new = iter([read(layer) for layer in unknown])
    else:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            new = iter(list(pool.map(read, unknown)))
    harvests = [next(new) if harvest is None else harvest for harvest in known]
    _follow_links(reader, layers, harvests)
    return assemble(target, harvests)


def _harvest(reader: Reader, layer: LayerFile) -> Harvest:
    harvester = Harvester(reader.formats.values())
    try:
        _pass_over(reader, layer, harvester, frozenset())
    except AcquireError as error:  # what was read until there counts; the scan is partial
        harvester.problem(Problem(path=layer.name, reason=str(error), partial=True))
    harvest = harvester.finish()
    if harvester.missed:
        _read_missed(reader, layer, harvester.missed, harvest)
    reader.cache.put(layer.key, harvest)
    return harvest


def _pass_over(reader: Reader, layer: LayerFile, harvester: Harvester, also: frozenset[bytes]) -> None:
    cursor = layer.open()
    try:
        read_tar(cursor, reader.selector, harvester, reader.meter, also)
    finally:
        cursor.close()


def _bring(reader: Reader, layer: LayerFile, paths: frozenset[bytes], harvest: Harvest) -> dict[str, bytes]:
    """The content of exactly named members of a layer; what can't be brought becomes a doubt in `harvest`."""
    harvester = Harvester(())
    try:
        _pass_over(reader, layer, harvester, paths)
    except AcquireError as error:
        harvest.problems.append(Problem(path=layer.name, reason=str(error), partial=True))
    return harvester.special


def _read_missed(reader: Reader, layer: LayerFile, missed: dict[str, str], harvest: Harvest) -> None:
    targets = frozenset(target.encode("utf-8", "surrogateescape") for target in missed.values())
    brought = _bring(reader, layer, targets, harvest)
    again = Harvester(reader.formats.values())
    for name, target in missed.items():
        if target not in brought:
            reason = f"this is a hard link to {target[:200]}, which is not in this layer"
            harvest.problems.append(Problem(path=name, reason=reason, partial=True))
        else:
            again.take(name, reader.selector.select(name.encode("utf-8", "surrogateescape")), brought[target])
    extra = again.finish()
    harvest.readings.update(extra.readings)
    harvest.problems += extra.problems


def _follow_links(reader: Reader, layers: Sequence[LayerFile], harvests: Sequence[Harvest]) -> None:
    """Read the databases whose well-known place is a link to one that nobody asked for."""
    links = _links_at_the_top(harvests)
    if not links:
        return
    elsewhere: dict[str, str] = {}
    for mark in reader.selector.landmarks:
        path = mark.decode()
        real = resolve(path, links)
        if real is not None and real != path and not reader.selector.select(real.encode("utf-8", "surrogateescape")):
            elsewhere[real] = path
    brought: set[str] = set()
    if elsewhere:
        wanted = frozenset(real.encode("utf-8", "surrogateescape") for real in elsewhere)
        for layer, harvest in zip(layers, harvests, strict=True):
            again = Harvester(reader.formats.values())
            for real, data in _bring(reader, layer, wanted, harvest).items():
                brought.add(real)
                well_known = elsewhere[real]
                again.take(well_known, reader.selector.select(well_known.encode()), data)
            extra = again.finish()
            harvest.readings.update(extra.readings)
            harvest.problems += extra.problems
    harvests[-1].problems += leading_nowhere(
        reader.selector, links, lambda path: path in brought or any(path in each.covers for each in harvests)
    )


def _links_at_the_top(harvests: Sequence[Harvest]) -> dict[str, str]:
    """The links that no later layer has taken away or replaced."""
    links: dict[str, str] = {}
    for harvest in harvests:
        if links:
            for gone in (*harvest.removed, *links.keys() & set(harvest.covers)):
                links.pop(gone, None)
        links.update(harvest.links)
    return links
