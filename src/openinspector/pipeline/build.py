"""A folder of feeds becomes an advisory file.

Each document becomes a part in the cache, made anew only when its bytes or its reader changed; the parts are compiled
into a generation. A document that can't be read leaves its feed's previous part in force, if there is one, and the
feed says so.
"""

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from openinspector import __version__
from openinspector.errors import FeedError, OpenInspectorError, StoreError
from openinspector.feeds.contract import Document, Feed
from openinspector.pipeline.registry import feeds as all_feeds
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import LAYOUT, write_part
from openinspector.store.restate import restate

_INDEX = f"parts-{LAYOUT}.json"
_UNUSED_DAYS = 7  # for so long a part that no build used is kept

Progress = Callable[[str, int, int], None]


class Work(Struct, frozen=True, kw_only=True):
    """One document to be made into a part."""

    feed: str
    path: str  # in the layout
    file: Path
    digest: str
    part: Path


class Built(Struct, frozen=True, kw_only=True):
    """What a build did."""

    digest: str
    output: Path
    feeds: tuple[FeedState, ...]
    unclaimed: tuple[str, ...]  # files of the folder that no feed wants


class Brought(Struct, frozen=True, kw_only=True):
    """What an update says of a feed: when its documents were the latest ("": just now), and which it could not get."""

    fetched: str = ""
    failed: dict[str, str] = {}  # path in the layout → reason


def build(
    folder: Path,
    output: Path,
    cache: Path,
    progress: Progress,
    meta: dict[str, str] | None = None,
    brought: Mapping[str, Brought] | None = None,
) -> Built:
    """Compile every document of a folder of feeds into an advisory file.

    With `brought` only the feeds that it names are compiled, and a generation that differs from the one in place in
    nothing but dates is not compiled again.

    Raises:
        FeedError: The folder has no document of any feed.
        StoreError: The advisory file or the cache can't be written.
    """
    plugins = {name: feed for name, feed in all_feeds().items() if brought is None or name in brought}
    parts = parts_folder(cache)
    works = list(_find(folder, plugins.values(), parts))
    if not works:
        raise FeedError(
            f"{folder} has no document of any feed; the expected layout is listed by `openinspector db layout`"
        )
    failures = _make_parts(works, progress)
    fetched = timestamp()
    previous = _read_index(parts)
    told = {name: Brought(fetched=fetched) for name in {work.feed for work in works}}
    told |= {name: each for name, each in (brought or {}).items() if name in told or each.failed}
    states = tuple(
        _state(plugins[name], [work for work in works if work.feed == name], failures, previous, each)
        for name, each in sorted(told.items())
    )
    _write_index(parts, previous, works, failures)
    facts = {"built": fetched, "tool_version": __version__, **(meta or {})}
    progress("compile", 0, 1)
    digest = (restate(output, states, facts) if brought is not None else "") or compile_parts(output, states, facts)
    progress("compile", 1, 1)
    _drop_unused(parts, states)
    claimed = {work.path for work in works}
    unclaimed = tuple(path for path in _all_files(folder) if path not in claimed)
    return Built(digest=digest, output=output, feeds=states, unclaimed=unclaimed)


def parts_folder(cache: Path) -> Path:
    """The folder of the cache with what was read of each document, made where it is missing.

    Raises:
        StoreError: It can't be written.
    """
    parts = cache / "parts"
    try:
        parts.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unwritten(parts, error.strerror or str(error)) from error
    if not os.access(parts, os.W_OK | os.X_OK):
        raise _unwritten(parts, os.strerror(errno.EACCES))
    return parts


def _unwritten(parts: Path, why: str) -> StoreError:
    return StoreError(f"the cache {parts} can't be written: {why} (OPENINSPECTOR_CACHE names another folder for it)")


def _find(folder: Path, plugins: Iterable[Feed], parts: Path) -> Iterator[Work]:
    seen: set[tuple[str, str]] = set()
    for feed in plugins:
        for source in feed.sources:
            for file in sorted(folder.glob(source.path)):
                path = file.relative_to(folder).as_posix()
                if file.is_symlink() or not file.is_file() or (feed.name, path) in seen:
                    continue
                seen.add((feed.name, path))
                with file.open("rb") as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
                name = hashlib.sha256(f"{LAYOUT};{feed.name};{feed.revision};{path};{digest}".encode()).hexdigest()[:32]
                yield Work(feed=feed.name, path=path, file=file, digest=digest, part=parts / f"{name}.sqlite")


def _all_files(folder: Path) -> list[str]:
    files = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return sorted(file.as_posix() for file in files if not file.parts[0].startswith("."))


def _make_parts(works: Sequence[Work], progress: Progress) -> dict[Path, str]:
    """Make the parts that are not there yet, the largest documents first; gives the reason for each that failed."""
    missing = sorted((each for each in works if not each.part.exists()), key=lambda each: -each.file.stat().st_size)
    failures: dict[Path, str] = {}
    progress("feeds", 0, len(missing))
    if not missing:
        return failures
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(missing))) as pool:
        futures = {pool.submit(make_part, work): work for work in missing}
        for done, future in enumerate(as_completed(futures), 1):
            reason = future.result()
            if reason:
                failures[futures[future].part] = reason
            progress("feeds", done, len(missing))
    return failures


def make_part(work: Work) -> str:
    """Make one part; "" or the reason why it could not be made."""
    feed = all_feeds()[work.feed]
    try:
        with work.file.open("rb") as stream:
            write_part(work.part, feed.parse(Document(path=work.path, stream=stream)))
    except OpenInspectorError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  a reader's fault on one document must not take the other feeds along
        return f"{work.path}: {type(error).__name__}: {error}"[:500]
    return ""


def _state(
    feed: Feed, works: Sequence[Work], failures: dict[Path, str], previous: dict[str, str], brought: Brought
) -> FeedState:
    digest = hashlib.sha256()
    parts: list[Path] = []
    reasons = list(brought.failed.values())
    held = len(brought.failed.keys() & {work.path for work in works})
    for work in works:
        part = work.part
        if part in failures:
            reasons.append(failures[part])
            before = part.with_name(previous.get(f"{work.feed}/{work.path}", "none"))
            if not before.exists():
                continue
            held += 1
            part = before
        digest.update(f"{work.path} {part.name}\n".encode())
        parts.append(part)
    status = "current" if not reasons else "previous" if held == len(reasons) else "partial" if parts else "failed"
    return FeedState(
        name=feed.name,
        revision=feed.revision,
        digest=digest.hexdigest(),
        fetched=brought.fetched or ("" if brought.failed else timestamp()),
        status=status,
        reason="; ".join(reasons)[:1000],
        parts=tuple(parts),
        replaces=feed.repeats == "replace",
    )


def timestamp() -> str:
    """Now, as it is written down: `2026-01-31T04:00:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _drop_unused(parts: Path, states: Iterable[FeedState]) -> None:
    """Forget parts of documents that have changed since, but not those of another folder that is built now and then."""
    keep = {part.name for state in states for part in state.parts} | set(_read_index(parts).values())
    oldest = time.time() - _UNUSED_DAYS * 86_400
    for part in parts.glob("*.sqlite"):
        with suppress(FileNotFoundError):  # another build may drop it too
            if part.name in keep:
                os.utime(part)
            elif part.stat().st_mtime < oldest:
                part.unlink()


def _read_index(parts: Path) -> dict[str, str]:
    """Which part was the last good one of each document: {"osv/osv/PyPI/all.zip": "0123….sqlite"}."""
    try:
        return msgspec.json.decode((parts / _INDEX).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        return {}


def _write_index(parts: Path, previous: dict[str, str], works: Sequence[Work], failures: dict[Path, str]) -> None:
    good = {f"{work.feed}/{work.path}": work.part.name for work in works if work.part not in failures}
    scratch = parts / f"{_INDEX}.new"
    scratch.write_bytes(msgspec.json.encode(previous | good))
    scratch.replace(parts / _INDEX)
