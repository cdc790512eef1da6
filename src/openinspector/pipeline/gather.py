"""One document is brought up to date, in whatever way its publisher serves it."""

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.repomd import repositories, update_information
from openinspector.pipeline.changes import TooMany, gather_changes
from openinspector.pipeline.documents import Folder, age
from openinspector.pipeline.layout import Item
from openinspector.transport.fetch import Budget, Got, Missing, Wanted, fetch, origin_of
from openinspector.transport.http import Client, host_of, without_secrets

_LARGEST_LIST = 4 << 20
_MIRRORS_AT_MOST = 4  # of a list are tried
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
_DAY = 86_400


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one item.

    Its document is the latest (`fresh`: and was not there before), is not there and need not be (`lacking`), could not
    be had (`reason`), or is too young to be asked for again.
    """

    item: Item
    young: bool = False
    fresh: bool = False
    lacking: bool = False
    reason: str = ""


class Gatherer:
    """Everything that fetching takes; shared by threads."""

    def __init__(
        self,
        client: Client,
        folder: Folder,
        budget: Budget,
        items: Iterable[Item],
        largest: int,
        plain_hosts: set[str],
    ) -> None:
        self._client, self._folder, self._budget = client, folder, budget
        self._items = {item.source.path: item for item in items}
        self._largest, self._plain_hosts = largest, plain_hosts
        self.notes: list[str] = []  # what should be known besides
        self._ways: dict[str, Callable[[Item], Got | Missing]] = {
            "direct": self._direct,
            "named": self._named,
            "yum-mirrorlist": self._mirror_list,
            "yum-repository": self._repository,
            "csaf-changes": self._changes,
            "osv-changes": self._changes,
        }

    def bring(self, item: Item) -> Outcome:
        """Bring one document up to date; never raises a `FeedError`."""
        path = item.source.path
        if self._is_young(item):
            return Outcome(item=item, young=True)
        try:
            got = self._ways[item.source.how](item)
        except (FeedError, OSError) as error:
            return Outcome(item=item, reason=f"{path}: {error}")
        if isinstance(got, Missing):
            lacking = item.source.optional or bool(item.source.of)
            return Outcome(item=item, lacking=lacking, reason="" if lacking else f"{path}: {got.reason}")
        return Outcome(item=item, fresh=got.fresh)

    def _is_young(self, item: Item) -> bool:
        """Whether a document need not be asked for again yet."""
        if not item.source.days:
            return False
        held = self._folder.held(item.source.path)
        return held is not None and age(held.fetched) < item.source.days * _DAY

    def _direct(self, item: Item) -> Got | Missing:
        return self._fetch(item, item.source.url, item.size, item.sha256)

    def _named(self, item: Item) -> Got | Missing:
        url = item.source.url
        name = self._text(url).decode("ascii", "replace").strip()
        if not _NAME.fullmatch(name):
            raise FeedError(f"{without_secrets(url)} names {name[:200]!r}, which is no name of a document")
        return self._fetch(item, f"{url.rpartition('/')[0]}/{name}")

    def _mirror_list(self, item: Item) -> Got | Missing:
        url = item.source.url
        found = repositories(self._text(url), without_secrets(url))
        if url.startswith("http:"):  # who trusts a list that isn't encrypted can't ask more of what it names
            self._plain_hosts.update(host_of(each) for each in found if each.startswith("http:"))
        reasons = []
        for repository in found[:_MIRRORS_AT_MOST]:
            try:
                return self._of_repository(item, repository)
            except FeedError as error:
                reasons.append(str(error))
        raise FeedError("; ".join(reasons))

    def _repository(self, item: Item) -> Got | Missing:
        return self._of_repository(item, item.source.url.rstrip("/"))

    def _of_repository(self, item: Item, repository: str) -> Got | Missing:
        url = f"{repository}/repodata/repomd.xml"
        shown = without_secrets(url)
        answer = self._client.get(url, _LARGEST_LIST)
        self._budget.spend(len(answer.body))
        if answer.status in (403, 404):
            return Missing(reason=f"{shown}: the server answers {answer.status}")
        if answer.status != 200:
            raise FeedError(f"{shown}: the server answers {answer.status}")
        where = update_information(answer.body, shown)
        if where is None:
            return Missing(reason=f"{shown}: names no update information")
        return self._fetch(item, f"{repository}/{quote(where.href)}", where.size, where.sha256)

    def _changes(self, item: Item) -> Got | Missing:
        gathered = gather_changes(self._client, self._folder, self._budget, item, self.notes.append)
        base = self._items.get(item.source.of)
        if isinstance(gathered, TooMany) and base is not None and self._is_young(base):
            # The archive was left alone because it is young: a newer one has what is too much to fetch singly.
            self._ways[base.source.how](base)
            gathered = gather_changes(self._client, self._folder, self._budget, item, self.notes.append)
        if isinstance(gathered, TooMany):
            raise FeedError(gathered.reason)
        return gathered

    def _fetch(self, item: Item, url: str, size: int = -1, sha256: str = "") -> Got | Missing:
        path = item.source.path
        held = self._folder.held(path)
        known = held.fingerprint if held else None
        if known is not None and sha256 and known.sha256 == sha256:
            self._folder.keep(path, item.feed, known)
            return Got(fingerprint=known, fresh=False)
        if known is not None and (known.origin != origin_of(url) or sha256):
            known = msgspec.structs.replace(
                known, origin=origin_of(url), etag="", modified=""
            )  # its bytes may be the same still
        wanted = Wanted(
            url=url,
            target=self._folder.target(path),
            partial=self._folder.partial(path),
            known=known,
            size=size,
            sha256=sha256,
            largest=self._largest,
        )
        got = fetch(self._client, wanted, self._budget)
        if isinstance(got, Got):
            self._folder.keep(path, item.feed, got.fingerprint)
        return got

    def _text(self, url: str) -> bytes:
        answer = self._client.get(url, _LARGEST_LIST)
        self._budget.spend(len(answer.body))
        if answer.status != 200:
            raise FeedError(f"{without_secrets(url)}: the server answers {answer.status}")
        return answer.body
