"""A folder of feeds becomes an advisory file.

Each document becomes a part in the cache, made anew only when its bytes or its reader changed; the parts are compiled
into a generation. A document that can't be read leaves its feed's previous part in force, if there is one, and the
feed says so.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError, OpenInspectorError
from openinspector.feeds.contract import Document, Feed
from openinspector.pipeline.registry import feeds as all_feeds
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import LAYOUT, write_part

_INDEX = "parts.json"

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


def build(folder: Path, output: Path, cache: Path, progress: Progress, meta: dict[str, str] | None = None) -> Built:
    """Compile every document of a folder of feeds into an advisory file.

    Raises:
        FeedError: The folder has no document of any feed.
    """
    plugins = all_feeds()
    parts = cache / "parts"
    parts.mkdir(parents=True, exist_ok=True, mode=0o700)
    works = list(_find(folder, plugins.values(), parts))
    if not works:
        raise FeedError(
            f"{folder} has no document of any feed; the expected layout is listed by `openinspector db layout`"
        )
    failures = _make_parts(works, progress)
    fetched = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    previous = _read_index(parts)
    states = tuple(
        _state(plugins[name], [work for work in works if work.feed == name], failures, previous, fetched)
        for name in sorted({work.feed for work in works})
    )
    _write_index(parts, previous, works, failures)
    progress("compile", 0, 1)
    digest = compile_parts(output, states, {"built": fetched, **(meta or {})})
    progress("compile", 1, 1)
    claimed = {work.path for work in works}
    unclaimed = tuple(path for path in _all_files(folder) if path not in claimed)
    return Built(digest=digest, output=output, feeds=states, unclaimed=unclaimed)


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
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


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
    feed: Feed, works: Sequence[Work], failures: dict[Path, str], previous: dict[str, str], fetched: str
) -> FeedState:
    digest = hashlib.sha256()
    parts: list[Path] = []
    reasons: list[str] = []
    held = 0
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
        fetched=fetched,
        status=status,
        reason="; ".join(reasons)[:1000],
        parts=tuple(parts),
        replaces=feed.repeats == "replace",
    )


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
