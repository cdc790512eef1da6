"""What a publisher changed since its archive was made: fetched one by one, kept, and packed as one document.

An archive of everything may have hundreds of megabytes, and unpacks to fifty times as much. Between two editions of it
only the documents that the publisher's list of changes names are fetched, each once; they lie in `.update/changes/` and
are packed anew into the document that the feed reads beside the archive. Of two editions of a record the later one is
in force.
"""

import hashlib
import io
import tarfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.changes import Changes, csaf_changes, osv_changes
from openinspector.feeds.contract import Document
from openinspector.feeds.streams import content
from openinspector.pipeline.documents import Folder, Held
from openinspector.pipeline.layout import Item
from openinspector.transport.fetch import Budget, Fingerprint, Got, Missing, origin_of
from openinspector.transport.http import Client, without_secrets

_MOST_CHANGES = 8_000  # documents; Red Hat changes some 900 a day
_LARGEST_LIST = 128 << 20
_LARGEST_DOCUMENT = 128 << 20  # bytes; Red Hat's largest has 94 MB
_SIDE_BY_SIDE = 4
_MARGIN = timedelta(days=1)  # a change may be listed long after the time that it bears
_HELD = "held.json"
_GONE = ""  # the name of a file that isn't there: the document was listed but is no longer served


class TooMany(Struct, frozen=True, kw_only=True):
    """More has changed than is worth fetching singly: the archive itself should be fetched."""

    reason: str


def gather_changes(
    client: Client, folder: Folder, budget: Budget, item: Item, note: Callable[[str], None]
) -> Got | Missing | TooMany:
    """Bring an archive of changes up to date; `note` is told what should be known besides.

    Raises:
        FeedError: The list or one of the documents can't be had. Those that came are kept for the next time.
    """
    path, url = item.source.path, item.source.url
    base = folder.held(item.source.of)
    if base is None:
        raise FeedError(f"{item.source.of}, whose changes it would hold, is not there")
    held = folder.held(path)
    known = held if held is not None and held.base == base.fingerprint.sha256 else None
    conditions = {"If-None-Match": known.fingerprint.etag} if known and known.fingerprint.etag else {}
    answer = client.get(url, _LARGEST_LIST, {**conditions, "Accept-Encoding": "gzip"})
    budget.spend(len(answer.body))
    if answer.status == 304 and known is not None:
        folder.keep(path, item.feed, known.fingerprint, known.base)
        return Got(fingerprint=known.fingerprint, fresh=False)
    if answer.status != 200:
        raise FeedError(f"{without_secrets(url)}: the server answers {answer.status}")
    changes = _read(item, answer.body, _since(base))
    if len(changes.newer) > _MOST_CHANGES:
        return TooMany(
            reason=f"{len(changes.newer):,} documents have changed since {item.source.of} was made,"
            f" more than the {_MOST_CHANGES:,} that are fetched singly"
        )
    if changes.unread:
        note(f"{without_secrets(url)}: {changes.unread:,} lines make no sense and were passed over")
    place = folder.changes(path)
    files = _fetch(client, budget, place, url.rpartition("/")[0], changes.newer)
    etag = answer.headers.get("etag", "")
    if not files:
        folder.drop(path)
        return Missing(reason="nothing has changed")
    size, sha256 = _pack(folder.target(path), place, files)
    fingerprint = Fingerprint(origin=origin_of(url), etag=etag, size=size, sha256=sha256)
    folder.keep(path, item.feed, fingerprint, base.fingerprint.sha256)
    return Got(fingerprint=fingerprint, fresh=held is None or held.fingerprint.sha256 != sha256)


def _read(item: Item, body: bytes, since: datetime) -> Changes:
    shown = without_secrets(item.source.url)
    data = content(Document(path=shown, stream=io.BytesIO(body)), _LARGEST_LIST * 4)
    read = osv_changes if item.source.how == "osv-changes" else csaf_changes
    return read(data, shown, since)


def _since(base: Held) -> datetime:
    """When the archive was made: as its server says, else surely not later than a while before it was fetched."""
    try:
        made = parsedate_to_datetime(base.fingerprint.modified)
    except ValueError:
        made = datetime.fromisoformat(base.fetched) - _MARGIN
    return made.astimezone() - _MARGIN


def _fetch(client: Client, budget: Budget, place: Path, beside: str, newer: Mapping[str, str]) -> dict[str, Path]:
    """Every changed document by its name; only those that are not kept yet are fetched."""
    place.mkdir(parents=True, exist_ok=True)
    kept = _kept(place)
    now = {name: kept[name] for name, when in newer.items() if name in kept and kept[name][0] == when}
    lacking = [name for name in sorted(newer) if name not in now]

    def one(name: str) -> tuple[str, str, str]:
        """Name, file and, if it failed, the reason."""
        url = f"{beside}/{quote(name)}"
        try:
            answer = client.get(url, _LARGEST_DOCUMENT, {"Accept-Encoding": "gzip"})
            budget.spend(len(answer.body))
            if answer.status in (404, 410):
                return name, _GONE, ""
            if answer.status != 200:
                return name, _GONE, f"{without_secrets(url)}: the server answers {answer.status}"
            file = hashlib.sha256(name.encode()).hexdigest()
            _replace(
                place / file,
                content(Document(path=without_secrets(url), stream=io.BytesIO(answer.body)), _LARGEST_DOCUMENT),
            )
        except FeedError as error:
            return name, _GONE, str(error)
        return name, file, ""

    failures = []
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for name, file, reason in pool.map(one, lacking):
            if reason:
                failures.append(reason)
            else:
                now[name] = (newer[name], file)
    _replace(place / _HELD, msgspec.json.encode(now))
    files = {file for _, file in now.values()}
    for each in place.iterdir():
        if each.name not in files and each.name != _HELD:
            each.unlink()
    if failures:
        raise FeedError(f"{len(failures)} of {len(lacking)} changed documents can't be had: {failures[0]}")
    return {name: place / file for name, (_, file) in sorted(now.items()) if file != _GONE}


def _kept(place: Path) -> dict[str, tuple[str, str]]:
    """What was fetched before: name → when it changed, file."""
    try:
        kept = msgspec.json.decode((place / _HELD).read_bytes(), type=dict[str, tuple[str, str]])
    except (OSError, msgspec.MsgspecError):
        return {}
    return {name: each for name, each in kept.items() if each[1] == _GONE or (place / each[1]).is_file()}


def _pack(target: Path, place: Path, files: Mapping[str, Path]) -> tuple[int, str]:
    """Write the archive of the changed documents; the same documents give the same bytes."""
    scratch = place.with_name(f"{place.name}.new")
    if target.suffix == ".zip":
        _zip(scratch, files)
    else:
        _tar(scratch, files)
    with scratch.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = scratch.stat().st_size
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch.replace(target)
    return size, sha256


def _zip(scratch: Path, files: Mapping[str, Path]) -> None:
    import zipfile

    with zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, file in files.items():
            archive.writestr(zipfile.ZipInfo(name), file.read_bytes(), zipfile.ZIP_DEFLATED)


def _tar(scratch: Path, files: Mapping[str, Path]) -> None:
    import zstandard

    with (
        scratch.open("wb") as out,
        zstandard.ZstdCompressor(level=3).stream_writer(out) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT) as archive,
    ):
        for name, file in files.items():
            info = tarfile.TarInfo(name)
            info.size = file.stat().st_size
            with file.open("rb") as data:
                archive.addfile(info, data)


def _replace(path: Path, data: bytes) -> None:
    scratch = path.with_name(f"{path.name}.new")
    scratch.write_bytes(data)
    scratch.replace(path)
