"""Harvests are stacked into an inventory: what is there at the top, since which layer, and who owns it.

Example: layer 1 has `var/lib/dpkg/status` with openssl 1 and bash, layer 2 has the same file with openssl 2 and bash.
At the top stand openssl 2, introduced by layer 2, and bash, introduced by layer 1; both are located in layer 2, where
the file was last written.
"""

from collections.abc import Iterable, Sequence

import msgspec

from openinspector.catalog.contract import Reading
from openinspector.catalog.distribution import identify
from openinspector.catalog.harvest import Harvest
from openinspector.catalog.repositories import enabled, with_repositories
from openinspector.model.inventory import Inventory, Layer, Target
from openinspector.model.package import OS_TYPES, Location, Package

_Read = list[tuple[str, Reading]]
_Key = tuple[str, str, str, str]


def assemble(target: Target, harvests: Sequence[Harvest]) -> Inventory:
    """The inventory of a tree from its layers' harvests, the lowest first (a plain tree is one layer)."""
    history = _stack(harvests)
    facts = [fact for path in sorted(history) for _, reading in history[path][-1][1] for fact in reading.facts]
    problems = [
        problem for harvest in harvests for problem in harvest.problems if not _gone(problem.path, history, harvests)
    ]
    packages: list[Package] = []
    owned: list[tuple[str, tuple[str, ...]]] = []
    for versions in history.values():
        at, read = versions[-1]
        for name, reading in read:
            problems += reading.problems
            owned += reading.owned
            packages += _located(name, reading.packages, at, versions, target.layers)
    distribution = identify(facts)
    places = {_merged(_outer(each.location.path)) for each in packages if each.type not in OS_TYPES}
    places.update(_merged(_outer(each.path)) for each in problems)
    owners = _owners(places, owned)
    if distribution is not None and distribution.namespace:
        # What the distribution judges needs no more to be known of.
        problems = [each for each in problems if each.partial or _merged(_outer(each.path)) not in owners]
    return Inventory(
        target=target,
        packages=tuple(with_repositories(_with_owners(packages, owners), facts)),
        distribution=distribution,
        problems=tuple(problems),
        repositories=enabled(facts, distribution),
        status="partial" if any(problem.partial for problem in problems) else "whole",
    )


def _stack(harvests: Sequence[Harvest]) -> dict[str, list[tuple[int, _Read]]]:
    """For each path that is there at the top, what the layers that wrote it without a break said: (layer, readings)."""
    standing: dict[str, list[tuple[int, _Read]]] = {}
    for at, harvest in enumerate(harvests):
        if at and standing:
            gone = {*harvest.removed, *harvest.emptied}
            covers = set(harvest.covers)
            if gone or covers:
                for path in [path for path in standing if _hidden(path, gone, covers, harvest)]:
                    del standing[path]
        for path, read in harvest.readings.items():
            standing.setdefault(path, []).append((at, read))
    return standing


def _hidden(path: str, gone: set[str], covers: set[str], harvest: Harvest) -> bool:
    if path in gone or (path in covers and path not in harvest.readings) or "" in gone:
        return True
    slash = path.find("/")
    while slash > 0:
        above = path[:slash]
        if above in gone or above in covers:
            return True
        slash = path.find("/", slash + 1)
    return False


def _gone(path: str, history: dict[str, list[tuple[int, _Read]]], harvests: Sequence[Harvest]) -> bool:
    """Whether a file that could not be read is not there at the top: a later layer took it away or wrote it anew."""
    last = max((at for at, each in enumerate(harvests) if any(p.path == path for p in each.problems)), default=0)
    for at in range(last + 1, len(harvests)):
        later = harvests[at]
        if path in later.readings or _hidden(path, {*later.removed, *later.emptied}, set(later.covers), later):
            return True
    return False


def _located(
    name: str,
    packages: Iterable[Package],
    at: int,
    versions: Sequence[tuple[int, _Read]],
    layers: Sequence[Layer],
) -> Iterable[Package]:
    """Packages with the layer that holds them and the one since which they have been there."""
    if not layers:
        return packages
    before = [
        (layer, {_key(package) for each, reading in read if each == name for package in reading.packages})
        for layer, read in versions[:-1]
    ]
    return [_placed(package, at, before, layers) for package in packages]


def _placed(package: Package, at: int, before: Sequence[tuple[int, set[_Key]]], layers: Sequence[Layer]) -> Package:
    since = at
    if before:
        key = _key(package)
        for layer, there in reversed(before):
            if key not in there:
                break
            since = layer
    location = Location(path=package.location.path, layer=layers[at].diff_id, introduced=layers[since].diff_id)
    return msgspec.structs.replace(package, location=location)


def _key(package: Package) -> _Key:
    return (package.type, package.name, package.version, package.arch)


def _owners(places: set[str], owned: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    """The OS package that owns the file, for those of the places that one owns."""
    if not places:
        return {}
    return {merged: owner for owner, paths in owned for path in paths if (merged := _merged(path)) in places}


def _with_owners(packages: Sequence[Package], owners: dict[str, str]) -> Sequence[Package]:
    """Language packages get the OS package that owns their file."""
    if not owners:
        return packages
    return [
        msgspec.structs.replace(each, owner=owner)
        if each.type not in OS_TYPES and (owner := owners.get(_merged(_outer(each.location.path)), ""))
        else each
        for each in packages
    ]


def _outer(path: str) -> str:
    return path.partition("!")[0]


def _merged(path: str) -> str:
    return path.removeprefix("usr/")
