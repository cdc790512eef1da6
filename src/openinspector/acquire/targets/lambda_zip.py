"""AWS Lambda packages: the zip of a function's code and those of its layers, laid over each other as Lambda does.

A function's code lies in `var/task`, each layer in `opt`. Paths are given as they would be in the running function.

Source: AWS Lambda Developer Guide, "Lambda layers" (layers are extracted to /opt in order, a later one over an
earlier).
"""

import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path

from openinspector.acquire.contract import Reader
from openinspector.catalog.assemble import assemble
from openinspector.catalog.contract import MEGABYTE
from openinspector.catalog.harvest import Harvest, Harvester
from openinspector.errors import AcquireError
from openinspector.model.inventory import Inventory, Layer, Target
from openinspector.model.problem import Problem

_RATIO_AT_MOST = 1000
_RATIO_FROM = 16 * MEGABYTE  # small members may be as compressible as they like


def read_lambda(reader: Reader, code: Path, layers: Sequence[Path] = ()) -> Inventory:
    """The inventory of a Lambda function from the zips of its layers and its code."""
    zips = [*layers, code]
    harvests = [_read_zip(reader, file, "opt" if file in layers else "var/task") for file in zips]
    listed = tuple(Layer(diff_id=file.name) for file in zips) if layers else ()
    return assemble(Target(kind="lambda", name=str(code), layers=listed), harvests)


def _read_zip(reader: Reader, file: Path, below: str) -> Harvest:
    harvester = Harvester(reader.formats.values())
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                _member(reader, harvester, archive, info, below)
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise AcquireError(f"{file} can't be read as a zip: {error}") from error
    return harvester.finish()


def _member(reader: Reader, harvester: Harvester, archive: zipfile.ZipFile, info: zipfile.ZipInfo, below: str) -> None:
    reader.meter.entries(1)
    if info.is_dir() or stat.S_ISLNK(info.external_attr >> 16):
        return
    parts = [part for part in info.filename.replace("\\", "/").split("/") if part not in ("", ".")]
    if ".." in parts:
        harvester.problem(
            Problem(path=info.filename[:200], reason="its name climbs out of the archive's root", partial=True)
        )
        return
    path = "/".join((below, *parts))
    encoded = path.encode("utf-8", "surrogateescape")
    formats = reader.selector.select(encoded)
    keep = parts[-1].encode("utf-8", "surrogateescape") in harvester.keep_names if parts else False
    executable = not formats and reader.selector.may_be_executable(encoded, info.file_size)
    if not (formats or keep or executable):
        return
    if info.file_size > _RATIO_FROM and info.file_size > _RATIO_AT_MOST * max(info.compress_size, 1):
        harvester.problem(Problem(path=path, reason="unpacks to more than 1,000 times its size", partial=True))
        return
    try:
        with archive.open(info) as stream:
            head = stream.read(8)
            if executable:
                formats = reader.selector.by_magic(head, info.file_size)
            largest = max((each.wants.max_size for each in formats), default=MEGABYTE)
            if info.file_size > largest:
                for each in formats:
                    harvester.too_large(path, each, info.file_size)
                return
            if not formats and not keep:
                return
            # A header may lie about the size: no more than it says is read.
            data = head + stream.read(max(info.file_size - len(head), 0))
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        harvester.problem(Problem(path=path, reason=f"can't be unpacked: {error}", partial=True))
        return
    except Exception as error:  # noqa: BLE001  zlib.error and lzma.LZMAError, without importing either
        harvester.problem(Problem(path=path, reason=f"can't be unpacked: {error}", partial=True))
        return
    if keep:
        harvester.keep(path, data)
    if formats:
        harvester.take(path, formats, data)
