"""`openinspector db`: the advisory file is made and looked at."""

import argparse
import sys
from pathlib import Path

import msgspec

from openinspector.acquire.cache import default_folder
from openinspector.cli.output import progress
from openinspector.errors import UsageError
from openinspector.store.advisories import AdvisoryFile, default_path

_PARTIAL = 3


def build_command(chosen: argparse.Namespace) -> int:
    """Compile a folder of feeds."""
    from openinspector.pipeline.build import build

    folder = Path(chosen.feeds)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    with progress() as show:
        built = build(folder, Path(chosen.output), default_folder(), show)
    size = built.output.stat().st_size
    print(f"{built.output}: {size / 1e6:.0f} MB, {built.digest}")
    failed = [each for each in built.feeds if each.status != "current"]
    for each in failed:
        print(f"openinspector: feed {each.name} is {each.status}: {each.reason}", file=sys.stderr)
    return _PARTIAL if failed else 0


def starter_command(chosen: argparse.Namespace) -> int:
    """Compile the starter advisories."""
    from openinspector.pipeline.starter import build_starter

    output = Path(chosen.output) if chosen.output else default_path()
    digest = build_starter(output, default_folder())
    print(f"{output}: the starter advisories, {digest}")
    return 0


def status_command(chosen: argparse.Namespace) -> int:
    """Say what an advisory file holds, and how old it is."""
    advisories = AdvisoryFile(Path(chosen.db) if chosen.db else default_path())
    feeds = advisories.feeds()
    if chosen.format == "json":
        said = {"path": str(advisories.path), "meta": advisories.meta, "feeds": feeds}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(said)).decode() + "\n")
        return 0
    print(f"{advisories.path}\nbuilt {advisories.meta.get('built', '?')}  {advisories.meta.get('digest', '')}\n")
    print(f"{'FEED':<16}{'STATUS':<10}{'NEWEST':<12}{'ADVISORIES':>11}{'RANGES':>10}{'FACTS':>9}{'UNREAD':>8}")
    for feed in feeds:
        print(
            f"{feed['name']!s:<16}{feed['status']!s:<10}{str(feed['newest'])[:10]:<12}{feed['advisories']!s:>11}"
            f"{feed['affected']!s:>10}{feed['enrichments']!s:>9}{feed['problems']!s:>8}"
        )
    return 0


def diff_command(chosen: argparse.Namespace) -> int:
    """Name the packages whose advisories differ between two files."""
    from openinspector.store.diff import diff

    changed = diff(Path(chosen.older), Path(chosen.newer))
    if chosen.format == "json":
        said = [{"namespace": namespace, "name": name, "kind": kind} for namespace, name, kind in changed]
        sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
        return 0
    for namespace, name, kind in changed:
        print(f"{namespace}\t{name}\t{kind}")
    return 0


def layout_command(_chosen: argparse.Namespace) -> int:
    """List where each feed's documents lie in a folder of feeds."""
    from openinspector.pipeline.registry import feeds

    for feed in feeds().values():
        print(f"{feed.name}: {feed.title}")
        for source in feed.sources:
            print(f"  {source.path}" + (f"  <- {source.url}" if source.url else ""))
    return 0
