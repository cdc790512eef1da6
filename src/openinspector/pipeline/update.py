"""`db update`: every feed's documents are brought up to date, and compiled.

A feed that can't be fetched keeps its previous documents, and so its advisories, and says so; the others go on. The
network is what takes the time: documents are fetched side by side, of one host a few at once.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import Empty, SimpleQueue

from msgspec import Struct

from openinspector.errors import FeedError, UsageError
from openinspector.feeds.contract import Feed
from openinspector.pipeline.build import Brought, Built, Progress, build, timestamp
from openinspector.pipeline.documents import Folder
from openinspector.pipeline.gather import Gatherer, Outcome
from openinspector.pipeline.layout import Item, chains, publishers_items
from openinspector.pipeline.mirror import Mirror, copy_document, mirror_manifest, mirror_plan
from openinspector.pipeline.registry import feeds as all_feeds
from openinspector.pipeline.settings import FeedSettings, Settings
from openinspector.transport.fetch import Budget
from openinspector.transport.http import Client, host_of, is_loopback

_SIDE_BY_SIDE = 8
_PER_HOST = 2
_PER_MIRROR = 6
_PATIENCE = 2  # requests that a host may leave unanswered
_LOOK_EVERY = 0.2  # seconds

Chain = list[Item]


class Request(Struct, frozen=True, kw_only=True):
    """What to update: all the feeds that the settings leave on, or those that are named."""

    documents: Path
    output: Path
    cache: Path
    settings: Settings
    mirror: Mirror | None = None
    only: tuple[str, ...] = ()


class Updated(Struct, frozen=True, kw_only=True):
    """What an update did."""

    built: Built
    fresh: int  # documents
    unchanged: int
    received: int  # bytes
    version: int  # of the mirror's manifest; 0 without one
    notes: tuple[str, ...] = ()


class _Brought(Struct, frozen=True, kw_only=True):
    """What came of fetching."""

    outcomes: tuple[Outcome, ...]
    received: int
    version: int = 0
    notes: tuple[str, ...] = ()


def update(request: Request, progress: Progress) -> Updated:
    """Fetch what changed and compile it.

    Raises:
        FeedError: Nothing at all could be fetched, or the mirror is not to be trusted; the advisory file stays.
        UsageError: A feed is named that isn't there or is switched off.
    """
    feeds, chosen = _choose(request)
    folder = Folder(request.documents)
    with folder.locked():
        brought = _bring(request, folder, chosen, progress)
        told = _tell(folder, feeds, chosen, brought.outcomes)
        _refuse_nothing(brought.outcomes, request.output)
        _drop_obsolete(folder, told, brought.outcomes)
        meta = {"documents": request.mirror.shown if request.mirror else "publishers"}
        if brought.version:
            meta["mirror_version"] = str(brought.version)
        built = build(folder.path, request.output, request.cache, progress, meta, told)
    return Updated(
        built=built,
        fresh=sum(outcome.fresh for outcome in brought.outcomes),
        unchanged=sum(not (each.fresh or each.lacking or each.reason) for each in brought.outcomes),
        received=brought.received,
        version=brought.version,
        notes=brought.notes,
    )


def _refuse_nothing(outcomes: Sequence[Outcome], output: Path) -> None:
    """Without a network, or from a mirror of nothing, there is no new generation."""
    reasons = [outcome.reason for outcome in outcomes if outcome.reason]
    there = [outcome for outcome in outcomes if not outcome.reason and not outcome.lacking]
    if there and (not reasons or not all(outcome.young for outcome in there)):
        return
    why = reasons[0] if reasons else "there is none of any feed"
    raise FeedError(f"no document could be fetched: {why} ({output} stays as it was)")


def _choose(request: Request) -> tuple[list[Feed], list[Feed]]:
    """The feeds that are on, and those of them that are to be fetched."""
    on = [feed for name, feed in all_feeds().items() if request.settings.feeds.get(name, FeedSettings()).enabled]
    names = {feed.name for feed in on}
    for name in request.only:
        if name not in all_feeds():
            raise UsageError(f"there is no feed {name!r} (`openinspector db layout` lists them)")
        if name not in names:
            raise UsageError(f"the settings switch the feed {name!r} off")
    return on, [feed for feed in on if not request.only or feed.name in request.only]


def _bring(request: Request, folder: Folder, chosen: Sequence[Feed], progress: Progress) -> _Brought:
    settings, mirror = request.settings, request.mirror
    budget = Budget(settings.update.seconds)
    plain_hosts: set[str] = set()

    def may_be_plain(host: str) -> bool:
        return is_loopback(host) or host in plain_hosts

    with Client(FeedError, may_be_plain, budget.pause, _PATIENCE) as client:
        version = passed_over = 0
        if mirror is None:
            items = publishers_items(chosen, settings)
            # A publisher without TLS is a fact of ours, or the wish of who wrote the settings.
            plain_hosts |= {host_of(item.source.url) for item in items if item.source.url.startswith("http:")}
        else:
            if mirror.key and mirror.where.startswith("http:"):
                plain_hosts.add(host_of(mirror.where))  # the signature is what protects
            manifest = mirror_manifest(mirror, folder, client, budget)
            items, passed_over = mirror_plan(mirror, manifest, folder, chosen, settings)
            version = manifest.version if manifest is not None else 0
        gatherer = Gatherer(client, folder, budget, items, settings.update.largest_document, plain_hosts)
        origin = mirror.folder if mirror else None

        def bring(item: Item) -> Outcome:
            if origin is None:
                return gatherer.bring(item)
            try:
                got = copy_document(origin, folder, item, budget, settings.update.largest_document)
            except FeedError as error:
                return Outcome(item=item, reason=f"{item.source.path}: {error}")
            return Outcome(item=item, fresh=got.fresh)

        per_host = _PER_HOST if mirror is None else _PER_MIRROR
        outcomes = _side_by_side(chains(items), per_host, bring, budget, progress)
    notes = list(gatherer.notes)
    if passed_over:
        notes.append(f"{passed_over} documents of the mirror are read by no feed")
    absent = _absent(chosen, outcomes)
    if absent:
        notes.append(f"{'the mirror has' if mirror else 'their publishers serve'} no documents of: {', '.join(absent)}")
    return _Brought(outcomes=tuple(outcomes), received=budget.received, version=version, notes=tuple(notes))


def _absent(chosen: Iterable[Feed], outcomes: Iterable[Outcome]) -> list[str]:
    """The feeds of which nothing is there, without anything having failed."""
    heard_of = {outcome.item.feed for outcome in outcomes if not outcome.lacking}
    return [feed.name for feed in chosen if feed.name not in heard_of]


def _side_by_side(
    every: Sequence[Chain], per_host: int, bring: Callable[[Item], Outcome], budget: Budget, progress: Progress
) -> list[Outcome]:
    """Bring all the chains; each host's in their order, by a few threads of its own."""
    queues: dict[str, SimpleQueue[Chain]] = {}
    lengths: dict[str, int] = {}
    for chain in every:
        host = host_of(chain[0].source.url)
        queues.setdefault(host, SimpleQueue()).put(chain)
        lengths[host] = lengths.get(host, 0) + 1
    outcomes: list[Outcome] = []

    def work(queue: SimpleQueue[Chain]) -> None:
        while True:
            try:
                chain = queue.get_nowait()
            except Empty:
                return
            for item in chain:
                try:
                    outcomes.append(bring(item))
                except Exception as error:  # noqa: BLE001  a fault of ours on one document must not stop the others
                    reason = f"{item.source.path}: {type(error).__name__}: {error}"[:500]
                    outcomes.append(Outcome(item=item, reason=reason))

    total = sum(map(len, every))
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        try:
            # One thread for each host comes first, so that none waits for a slow one.
            rounds = [(nth, host) for nth in range(per_host) for host in queues if lengths[host] > nth]
            left: set[Future[None]] = {pool.submit(work, queues[host]) for _, host in rounds}
            while left:
                done, left = wait(left, _LOOK_EVERY, FIRST_COMPLETED)
                for each in done:
                    each.result()
                progress(f"fetch ({budget.received / 1e6:.0f} MB)", len(outcomes), total)
        finally:
            budget.stop()
            pool.shutdown(cancel_futures=True)
    return outcomes


def _tell(
    folder: Folder, feeds: Iterable[Feed], chosen: Sequence[Feed], outcomes: Iterable[Outcome]
) -> dict[str, Brought]:
    """What is to be said of each feed that is on."""
    failed: dict[str, dict[str, str]] = {feed.name: {} for feed in chosen}
    there: set[str] = set()
    for outcome in outcomes:
        if outcome.reason:
            failed[outcome.item.feed][outcome.item.source.path] = outcome.reason
        elif not outcome.lacking:
            there.add(outcome.item.feed)
    held: dict[str, list[str]] = {}
    for path, each in folder.state.documents.items():
        held.setdefault(each.feed, []).append(path)
    for name, reasons in failed.items():
        if not reasons and name not in there:
            reasons.update({path: f"{path}: is not there any more" for path in held.get(name, ())})
        if name in there and not reasons:
            folder.state.feeds[name] = timestamp()
    folder.save()
    return {
        feed.name: Brought(fetched=folder.state.feeds.get(feed.name, ""), failed=failed.get(feed.name, {}))
        for feed in feeds
    }


def _drop_obsolete(folder: Folder, told: dict[str, Brought], outcomes: Sequence[Outcome]) -> None:
    """Take away what an earlier update brought and nobody names any more, of the feeds that came whole."""
    named = {outcome.item.source.path for outcome in outcomes}
    whole = {outcome.item.feed for outcome in outcomes if not told[outcome.item.feed].failed}
    for path, held in list(folder.state.documents.items()):
        if held.feed in whole and path not in named:
            folder.drop(path)
