"""AWS Lambda packages: the zip of a function's code and those of its layers, laid over each other as Lambda does.

A function's code lies in `var/task`, each layer in `opt`. Paths are given as they would be in the running function.

Source: AWS Lambda Developer Guide, "Lambda layers" (layers are extracted to /opt in order, a later one over an
earlier).
"""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from openinspector.acquire.contract import Reader
from openinspector.acquire.stream import opened
from openinspector.catalog.assemble import assemble
from openinspector.catalog.contract import MEGABYTE
from openinspector.catalog.harvest import Harvest, Harvester
from openinspector.catalog.zip_archive import NAME_BYTES, Archive, Budget, Member
from openinspector.errors import AcquireError, CatalogError, LimitError
from openinspector.model.inventory import Inventory, Layer, Target
from openinspector.model.problem import Problem

_RATIO_FROM = 16 * MEGABYTE  # small members may be as compressible as they like


def read_lambda(reader: Reader, code: Path, layers: Sequence[Path] = ()) -> Inventory:
    """The inventory of a Lambda function from the zips of its layers and its code.

    Raises:
        AcquireError: One of them is no zip.
    """
    zips = [*layers, code]
    harvests = [_read_zip(reader, file, "opt" if file in layers else "var/task") for file in zips]
    listed = tuple(Layer(diff_id=file.name) for file in zips) if layers else ()
    return assemble(Target(kind="lambda", name=str(code), layers=listed), harvests)


def _read_zip(reader: Reader, file: Path, below: str) -> Harvest:
    harvester = Harvester(reader.formats.values())
    with opened(file) as content:
        try:
            archive = Archive(content, Budget())
        except CatalogError as error:
            raise AcquireError(f"{file} can't be read as a zip: {error}") from error
        try:
            for member in archive.members():
                _member(reader, harvester, archive, member, below)
        except (CatalogError, LimitError) as error:  # what was read until there counts; the scan is partial
            harvester.problem(Problem(path=str(file), reason=str(error), partial=True))
        return harvester.finish()


def _member(reader: Reader, harvester: Harvester, archive: Archive, member: Member, below: str) -> None:
    reader.meter.entries(1)
    longest = min(reader.limits.path, NAME_BYTES - 1)
    if len(member.name.encode()) > longest:
        reason = f"its name has more than {longest:,} bytes"
        harvester.problem(Problem(path=member.name[:200], reason=reason, partial=True))
        return
    name = member.name.replace("\\", "/")
    if name.endswith("/") or stat.S_ISLNK(member.mode):
        return
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        harvester.problem(Problem(path=name[:200], reason="its name climbs out of the archive's root", partial=True))
        return
    path = "/".join((below, *parts))
    encoded = path.encode("utf-8", "surrogateescape")
    formats = reader.selector.select(encoded)
    keep = parts[-1].encode("utf-8", "surrogateescape") in harvester.keep_names
    executable = not formats and reader.selector.may_be_executable(encoded, member.size)
    if not (formats or keep or executable):
        return
    try:
        if executable:
            formats = reader.selector.by_magic(encoded, archive.read(member, 8), member.size)
        largest = max((each.wants.max_size for each in formats), default=MEGABYTE)
        if member.size > largest:
            for each in formats:
                harvester.too_large(path, each, member.size)
            return
        if not formats and not keep:
            return
        if member.size > _RATIO_FROM and member.size > reader.limits.ratio * member.packed:
            raise CatalogError(f"it unpacks to more than {reader.limits.ratio} times its size")  # noqa: TRY301
        data = cast(bytes, archive.whole(member))  # or like bytes, as `File` says
    except CatalogError as error:
        harvester.problem(Problem(path=path, reason=f"can't be unpacked: {error}", partial=True))
        return
    if keep:
        harvester.keep(path, data)
    if formats:
        harvester.take(path, formats, data)
