"""`openinspector db`: the advisory file is made and looked at."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from openinspector.acquire.cache import default_folder
from openinspector.cli.output import progress
from openinspector.errors import UsageError
from openinspector.store.advisories import AdvisoryFile, default_path

if TYPE_CHECKING:
    from openinspector.pipeline.build import Built
    from openinspector.pipeline.mirror import Mirror
    from openinspector.pipeline.settings import MirrorSettings

_PARTIAL = 3


def build_command(chosen: argparse.Namespace) -> int:
    """Compile a folder of feeds."""
    from openinspector.pipeline.build import build

    folder = Path(chosen.feeds)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    with progress() as show:
        built = build(folder, Path(chosen.output), default_folder(), show)
    return _say_built(chosen, built, {"unclaimed": built.unclaimed}, "")


def update_command(chosen: argparse.Namespace) -> int:
    """Fetch what changed at the publishers or a mirror, and compile it."""
    from openinspector.pipeline.documents import default_documents
    from openinspector.pipeline.registry import feeds
    from openinspector.pipeline.settings import load_settings
    from openinspector.pipeline.update import Request, update

    settings = load_settings(frozenset(feeds()))
    mirror = _mirror(chosen, settings.mirror)
    if mirror is not None and mirror.folder is None and not mirror.key:
        said = "no key was given for it (--mirror-key), so nobody vouches for what it serves"
        print(f"openinspector: the mirror {mirror.shown}: {said}", file=sys.stderr)
    request = Request(
        documents=Path(chosen.documents) if chosen.documents else default_documents(),
        output=Path(chosen.output) if chosen.output else default_path(),
        cache=default_folder(),
        settings=settings,
        mirror=mirror,
        only=tuple(chosen.feed),
    )
    with progress() as show:
        done = update(request, show)
    for note in done.notes:
        print(f"openinspector: {note}", file=sys.stderr)
    version = f", version {done.version} of the mirror" if done.version else ""
    fresh = "1 document is new" if done.fresh == 1 else f"{done.fresh} documents are new"
    words = f"{fresh}, {done.unchanged} unchanged ({done.received / 1e6:.1f} MB read{version})"
    counts = {"fresh": done.fresh, "unchanged": done.unchanged, "received": done.received, "version": done.version}
    return _say_built(chosen, done.built, {**counts, "notes": done.notes}, words)


def keygen_command(chosen: argparse.Namespace) -> int:
    """Make the key that a mirror is signed with."""
    from openinspector.transport.manifest import create_key

    private = Path(chosen.file)
    public = create_key(private)
    public_file = private.with_name(f"{private.name}.pub")
    public_file.write_text(f"{public}\n", encoding="ascii")
    words = f"{private}: the private key, which only you can read\n{public_file}: the public key, {public}"
    return _say(chosen, {"private_file": str(private), "public_file": str(public_file), "public": public}, words)


def sign_command(chosen: argparse.Namespace) -> int:
    """Write the manifest of a folder of feeds, and sign it."""
    from openinspector.pipeline.mirror import sign_folder
    from openinspector.pipeline.registry import feeds

    if not Path(chosen.folder).is_dir():
        raise UsageError(f"there is no folder {chosen.folder}")
    manifest = sign_folder(Path(chosen.folder), Path(chosen.key), chosen.version_number, feeds().values())
    size = sum(entry.size for entry in manifest.files.values())
    words = f"{chosen.folder}: version {manifest.version}, {len(manifest.files)} documents, {size / 1e6:.1f} MB"
    said = {"folder": chosen.folder, "version": manifest.version, "documents": len(manifest.files), "bytes": size}
    return _say(chosen, said, words)


def starter_command(chosen: argparse.Namespace) -> int:
    """Compile the starter advisories."""
    from openinspector.pipeline.starter import build_starter

    output = Path(chosen.output) if chosen.output else default_path()
    digest = build_starter(output, default_folder())
    words = f"{output}: the starter advisories, {digest}"
    return _say(chosen, {"path": str(output), "digest": digest}, words)


def status_command(chosen: argparse.Namespace) -> int:
    """Say what an advisory file holds, and how old it is."""
    advisories = AdvisoryFile(Path(chosen.db) if chosen.db else default_path())
    feeds = advisories.feeds()
    said = {"path": str(advisories.path), "meta": advisories.meta, "feeds": feeds}
    return _say(chosen, said, "\n".join(_status(advisories, feeds)))


def _status(advisories: AdvisoryFile, feeds: Sequence[Mapping[str, object]]) -> Iterator[str]:
    yield f"{advisories.path}\nbuilt {advisories.meta.get('built', '?')}  {advisories.meta.get('digest', '')}\n"
    yield (
        f"{'FEED':<16}{'STATUS':<10}{'FETCHED':<12}{'NEWEST':<12}{'ADVISORIES':>11}{'RANGES':>10}{'FACTS':>9}{'UNREAD':>8}"
    )
    for feed in feeds:
        yield (
            f"{feed['name']!s:<16}{feed['status']!s:<10}{str(feed['fetched'])[:10]:<12}"
            f"{str(feed['newest'])[:10]:<12}{feed['advisories']!s:>11}{feed['affected']!s:>10}"
            f"{feed['enrichments']!s:>9}{feed['problems']!s:>8}"
        )
    for feed in feeds:
        if feed["reason"]:
            yield f"\n{feed['name']} is {feed['status']}: {feed['reason']}"


def diff_command(chosen: argparse.Namespace) -> int:
    """Name the packages whose advisories differ between two files."""
    from openinspector.store.diff import diff

    changed = diff(Path(chosen.older), Path(chosen.newer))
    said = [{"namespace": namespace, "name": name, "kind": kind} for namespace, name, kind in changed]
    return _say(chosen, said, "\n".join("\t".join(each) for each in changed))


def layout_command(chosen: argparse.Namespace) -> int:
    """List where each feed's documents lie in a folder of feeds."""
    from openinspector.pipeline.registry import feeds

    lines = []
    for feed in feeds().values():
        lines.append(f"{feed.name}: {feed.title}")
        for source in feed.sources:
            lines.append(f"  {source.path}" + (f"  <- {source.url}" if source.url else ""))
    said = [{"name": feed.name, "title": feed.title, "documents": feed.sources} for feed in feeds().values()]
    return _say(chosen, said, "\n".join(lines))


def _mirror(chosen: argparse.Namespace, settings: "MirrorSettings") -> "Mirror | None":
    """The mirror that is asked for: by the arguments, else by the environment, else by the settings."""
    from openinspector.pipeline.mirror import Mirror
    from openinspector.transport.manifest import load_public

    where = chosen.mirror or os.environ.get("OPENINSPECTOR_MIRROR") or settings.url
    key = chosen.mirror_key or os.environ.get("OPENINSPECTOR_MIRROR_KEY") or settings.key
    if not where:
        if chosen.mirror_key:
            raise UsageError("--mirror-key says nothing without a mirror (--mirror URL_OR_DIR)")
        return None
    mirror = Mirror(where=where, key=load_public(key) if key else b"")
    if mirror.folder is not None and not mirror.folder.is_dir():
        raise UsageError(f"there is no folder {mirror.folder}, the mirror")
    return mirror


def _say_built(chosen: argparse.Namespace, built: "Built", said: Mapping[str, object], words: str) -> int:
    size = built.output.stat().st_size
    told = [{"name": each.name, "status": each.status, "reason": each.reason} for each in built.feeds]
    where = f"{built.output}: {size / 1e6:.0f} MB, {built.digest}"
    _say(
        chosen,
        {"path": str(built.output), "bytes": size, "digest": built.digest, **said, "feeds": told},
        f"{words}\n{where}" if words else where,
    )
    failed = [each for each in built.feeds if each.status != "current"]
    for each in failed:
        print(f"openinspector: feed {each.name} is {each.status}: {each.reason}", file=sys.stderr)
    return _PARTIAL if failed else 0


def _say(chosen: argparse.Namespace, said: object, words: str) -> int:
    """Print what was done, for a person or as JSON."""
    text = msgspec.json.format(msgspec.json.encode(said)).decode() if chosen.format == "json" else words
    if text:
        print(text)
    return 0
