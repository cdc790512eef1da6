"""Which documents there are to fetch: the feeds' sources, as the settings have them."""

import re
from collections.abc import Container, Iterable
from functools import lru_cache
from urllib.parse import quote

import msgspec
from msgspec import Struct

from openinspector.feeds.contract import Feed, Source
from openinspector.pipeline.settings import FeedSettings, Settings


class Item(Struct, frozen=True, kw_only=True):
    """One document of a feed to be fetched; `size` and `sha256` where a mirror's manifest vouches for them."""

    feed: str
    source: Source
    size: int = -1
    sha256: str = ""


def publishers_items(feeds: Iterable[Feed], settings: Settings) -> list[Item]:
    """Every document that a publisher serves."""
    found = []
    for feed in feeds:
        chosen = settings.feeds.get(feed.name, FeedSettings())
        served = [source for source in feed.sources if source.url and not _is_skipped(source.path, chosen)]
        found += [Item(feed=feed.name, source=_moved(source, chosen, len(served))) for source in served]
    return found


def mirror_items(feeds: Iterable[Feed], settings: Settings, base: str, had: Container[str]) -> list[Item]:
    """Every document that a mirror without a list may have, at its place in the layout; it must have those it `had`."""
    return [
        Item(feed=feed.name, source=mirrored(source.path, base, optional=source.path not in had))
        for feed in feeds
        for source in feed.sources
        if "*" not in source.path and not _is_skipped(source.path, settings.feeds.get(feed.name, FeedSettings()))
    ]


def mirrored(path: str, base: str, *, optional: bool) -> Source:
    """A document of a mirror; `base` is the mirror's address."""
    return Source(path=path, url=f"{base.rstrip('/')}/{quote(path)}", optional=optional)


def claimed(feeds: Iterable[Feed], paths: Iterable[str], settings: Settings) -> dict[str, list[str]]:
    """Of the paths of a folder or manifest those that each feed reads: {"osv": ["osv/PyPI/all.zip"]}."""
    every = sorted(paths)
    found: dict[str, list[str]] = {}
    for feed in feeds:
        chosen = settings.feeds.get(feed.name, FeedSettings())
        patterns = [_compiled(source.path) for source in feed.sources]
        mine = [
            path for path in every if any(each.fullmatch(path) for each in patterns) and not _is_skipped(path, chosen)
        ]
        if mine:
            found[feed.name] = mine
    return found


def chains(items: Iterable[Item]) -> list[list[Item]]:
    """Items in the order in which they must be fetched; what is in different lists may be fetched side by side."""
    every = list(items)
    bases = {item.source.of for item in every if item.source.of}
    first = {item.source.path: [item] for item in every if not item.source.of}
    alone = []
    for item in every:
        if item.source.of in first:
            first[item.source.of].append(item)
        elif item.source.of:
            alone.append([item])
    return sorted([*first.values(), *alone], key=lambda chain: chain[0].source.path not in bases)


def _moved(source: Source, chosen: FeedSettings, served: int) -> Source:
    if source.path in chosen.documents:
        return msgspec.structs.replace(source, url=chosen.documents[source.path], how="direct", of="", days=0)
    if not chosen.url:
        return source
    if served == 1 and not chosen.url.endswith("/"):
        return msgspec.structs.replace(source, url=chosen.url, how="direct")
    return mirrored(source.path, chosen.url, optional=source.optional or bool(source.of))


def _is_skipped(path: str, chosen: FeedSettings) -> bool:
    return any(_compiled(pattern).fullmatch(path) for pattern in chosen.skip)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """A glob as pathlib has them: `*` within a part, `**/` any number of parts."""
    parts = pattern.split("/")
    text = ""
    for part in parts[:-1]:
        text += r"(?:[^/]+/)*" if part == "**" else f"{_part(part)}/"
    return re.compile(text + _part(parts[-1]))


def _part(text: str) -> str:
    return "[^/]*".join(re.escape(each) for each in text.split("*"))
