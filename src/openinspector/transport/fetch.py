"""One document onto the disk: only if it changed, from where the last transfer broke off, whole or not at all.

A transfer fills a file of its own beside which lies what it was of; the document takes its place by a rename, after
its length (and its digest, where somebody vouches for one) was found right. What has broken off is gone on with only
where the server, or the digest, makes sure that it is still the same document.

Source: RFC 9110 §8.8 (validators), §13 (conditional requests), §14 (ranges).
"""

import hashlib
import os
import threading
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import monotonic
from typing import BinaryIO

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.transport.http import Client, Reply, without_secrets

LARGEST_DOCUMENT = 4 << 30  # bytes; Red Hat's and SUSE's archives, the largest we know, have some 400 MB
_DOCUMENT_SECONDS = 1800
_ATTEMPTS = 5  # within one run, as long as each brings something
_PAUSE = 0.5  # seconds; doubles
_BLOCK = 1 << 20
_LONGEST_VALIDATOR = 512
_ENCODINGS = ("", "identity", "gzip", "x-gzip")  # readers know gzip by its first bytes


class Fingerprint(Struct, frozen=True, kw_only=True):
    """What is known of the bytes that were fetched: the server's validators, and our own digest.

    `origin` tells one address from another, without the secrets that an address may hold.
    """

    origin: str
    etag: str = ""
    modified: str = ""  # Last-Modified, as it was sent
    size: int = -1  # -1: not known yet
    sha256: str = ""


class Wanted(Struct, frozen=True, kw_only=True):
    """A document, where it goes, and what is known of the one that is there (None: fetch it in any case).

    `size` and `sha256` are what somebody vouches for; -1 and "" where nobody does.
    """

    url: str
    target: Path
    partial: Path
    known: Fingerprint | None = None
    size: int = -1
    sha256: str = ""
    largest: int = LARGEST_DOCUMENT


class Got(Struct, frozen=True, kw_only=True):
    """The document is there; `fresh` says whether its bytes are others than before."""

    fingerprint: Fingerprint
    fresh: bool


class Missing(Struct, frozen=True, kw_only=True):
    """The server has no such document."""

    reason: str


class _Broken(Struct, frozen=True, kw_only=True):
    """A transfer ended early; trying again may help."""

    reason: str


class _Started(Struct, frozen=True, kw_only=True):
    """What an unfinished transfer is of. `strong` is what If-Range may say, "" where only a digest tells."""

    fingerprint: Fingerprint
    strong: str = ""
    wanted: str = ""  # the digest it was to have


class Budget:
    """How long everything may take, and how much has come. Shared by threads."""

    def __init__(self, seconds: float) -> None:
        self._ends = monotonic() + seconds
        self._seconds = seconds
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self.received = 0

    def stop(self) -> None:
        """Nothing more is wanted."""
        self._stopped.set()

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than anything is wanted."""
        self._stopped.wait(seconds)

    def spend(self, received: int) -> None:
        """Count bytes that came.

        Raises:
            FeedError: The time is over.
        """
        with self._lock:
            self.received += received
        if self._stopped.is_set():
            raise FeedError("stopped")
        if monotonic() > self._ends:
            raise FeedError(f"all {self._seconds:.0f} seconds that an update may take are over")


def fetch(client: Client, wanted: Wanted, budget: Budget) -> Got | Missing:
    """Bring one document up to date.

    Raises:
        FeedError: It can't be had, is too large, or isn't what was vouched for. What was there before is still there.
    """
    ends = monotonic() + _DOCUMENT_SECONDS
    reason = ""
    for attempt in range(_ATTEMPTS):
        before = _size(wanted.partial)
        outcome = _once(client, wanted, budget, ends)
        if not isinstance(outcome, _Broken):
            return outcome
        reason = outcome.reason
        if attempt and _size(wanted.partial) <= before:
            break
        budget.pause(_PAUSE * 2**attempt)
        budget.spend(0)
    kept = _size(wanted.partial)
    held = f"; {kept:,} bytes are kept to go on from" if kept else ""
    raise FeedError(f"{reason}{held}")


def origin_of(url: str) -> str:
    """What an address is remembered by."""
    return hashlib.sha256(url.encode()).hexdigest()[:32]


def forget(partial: Path) -> None:
    """Give up an unfinished transfer."""
    partial.unlink(missing_ok=True)
    _note(partial).unlink(missing_ok=True)


def _once(client: Client, wanted: Wanted, budget: Budget, ends: float) -> Got | Missing | _Broken:
    started = _to_go_on_from(wanted)
    at = _size(wanted.partial) if started else 0
    reply = client.open(wanted.url, _conditions(wanted, started, at))
    try:
        if reply.status == 304 and wanted.known is not None:
            forget(wanted.partial)
            return Got(fingerprint=wanted.known, fresh=False)
        if reply.status in (403, 404, 410):  # some stores say 403 of what isn't there
            return Missing(reason=f"{without_secrets(reply.url)}: the server answers {reply.status}")
        if reply.status == 416 and started:
            forget(wanted.partial)
            return _Broken(
                reason=f"{without_secrets(reply.url)}: the document has changed since the transfer broke off"
            )
        if reply.status not in (200, 206):
            raise FeedError(f"{without_secrets(reply.url)}: the server answers {reply.status}")
        if reply.headers.get("content-encoding", "").lower() not in _ENCODINGS:
            raise FeedError(f"{without_secrets(reply.url)}: is sent in an encoding that wasn't asked for")
        if reply.status == 206:
            total = _range_total(reply.headers.get("content-range", ""), at) if started else None
            if started is None or total is None:
                forget(wanted.partial)
                return _Broken(reason=f"{without_secrets(reply.url)}: another part was sent than was asked for")
        else:
            total, at = _length(reply.headers.get("content-length", "")), 0
            started = _start(wanted, reply)
        return _receive(wanted, reply, started, at, total, budget, ends)
    finally:
        reply.close()


def _conditions(wanted: Wanted, started: _Started | None, at: int) -> dict[str, str]:
    headers = {}
    known = wanted.known
    if known is not None and known.etag:
        headers["If-None-Match"] = known.etag
    elif known is not None and known.modified:
        headers["If-Modified-Since"] = known.modified
    if started is not None:
        headers["Range"] = f"bytes={at}-"
        if started.strong:
            headers["If-Range"] = started.strong
    return headers


def _to_go_on_from(wanted: Wanted) -> _Started | None:
    """An unfinished transfer of just this document; any other is forgotten."""
    started = _read_started(wanted.partial)
    if (
        started is not None
        and started.fingerprint.origin == origin_of(wanted.url)
        and started.wanted == wanted.sha256
        and (started.strong or started.wanted)
        and 0 < _size(wanted.partial) <= wanted.largest
    ):
        return started
    forget(wanted.partial)
    return None


def _read_started(partial: Path) -> _Started | None:
    try:
        return msgspec.json.decode(_note(partial).read_bytes(), type=_Started) if partial.is_file() else None
    except (OSError, msgspec.MsgspecError):
        return None


def _start(wanted: Wanted, reply: Reply) -> _Started:
    """Remember what the transfer that begins is of."""
    etag, modified = _validator(reply, "etag"), _validator(reply, "last-modified")
    strong = etag if etag.startswith('"') else modified if _is_strong(modified, reply.headers.get("date", "")) else ""
    started = _Started(
        fingerprint=Fingerprint(origin=origin_of(wanted.url), etag=etag, modified=modified),
        strong=strong,
        wanted=wanted.sha256,
    )
    wanted.partial.parent.mkdir(parents=True, exist_ok=True)
    forget(wanted.partial)
    _note(wanted.partial).write_bytes(msgspec.json.encode(started))
    return started


def _receive(
    wanted: Wanted, reply: Reply, started: _Started, at: int, total: int | None, budget: Budget, ends: float
) -> Got | _Broken:
    shown = without_secrets(reply.url)
    if total is not None and total > wanted.largest:
        forget(wanted.partial)
        raise FeedError(f"{shown} has {total:,} bytes, more than the {wanted.largest:,} that are allowed")
    if total is not None and 0 <= wanted.size != total:
        forget(wanted.partial)
        raise FeedError(f"{shown} has {total:,} bytes, not the {wanted.size:,} that were vouched for")
    sha = hashlib.sha256()
    with wanted.partial.open("r+b" if at else "wb") as file:
        if at:
            _digest(file, sha.update)
        broken = ""
        while not broken:
            try:
                data = reply.read()
            except FeedError as error:
                broken = str(error)
                break
            if not data:
                break
            budget.spend(len(data))
            at += len(data)
            if at > wanted.largest:
                forget(wanted.partial)
                raise FeedError(f"{shown} is larger than the {wanted.largest:,} bytes that are allowed")
            if monotonic() > ends:
                raise FeedError(f"{shown} took longer than {_DOCUMENT_SECONDS} seconds")
            sha.update(data)
            file.write(data)
        if not broken and total is not None and at < total:
            broken = f"{shown}: the transfer ended after {at:,} of {total:,} bytes"
        if broken:
            if not started.strong and not started.wanted:
                forget(wanted.partial)
            return _Broken(reason=broken)
        file.flush()
        os.fsync(file.fileno())
    size_is_right = (total is None or at == total) and (wanted.size < 0 or at == wanted.size)
    if not size_is_right or (wanted.sha256 and sha.hexdigest() != wanted.sha256):
        forget(wanted.partial)
        raise FeedError(f"{shown} is not what was vouched for: its size or digest is another")
    return _finish(wanted, started, at, sha.hexdigest())


def _finish(wanted: Wanted, started: _Started, size: int, sha256: str) -> Got:
    """Put the whole document in its place, unless the very same bytes are there."""
    found = msgspec.structs.replace(started.fingerprint, size=size, sha256=sha256)
    fresh = wanted.known is None or wanted.known.sha256 != sha256
    if fresh:
        wanted.target.parent.mkdir(parents=True, exist_ok=True)
        wanted.partial.replace(wanted.target)
    forget(wanted.partial)
    return Got(fingerprint=found, fresh=fresh)


def _digest(file: BinaryIO, update: Callable[[bytes], None]) -> None:
    while block := file.read(_BLOCK):
        update(block)


def _note(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _length(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _range_total(text: str, at: int) -> int | None:
    """The whole size, of `bytes 500-999/1000`; None unless it begins `at` and goes on to the end."""
    unit, _, rest = text.partition(" ")
    span, _, whole = rest.partition("/")
    first, _, last = span.partition("-")
    total = _length(whole)
    return total if unit == "bytes" and _length(first) == at and total and _length(last) == total - 1 else None


def _validator(reply: Reply, name: str) -> str:
    """A validator that can be sent back as it is, or ""."""
    text = reply.headers.get(name, "")
    return text if len(text) <= _LONGEST_VALIDATOR and text.isascii() and text.isprintable() else ""


def _is_strong(modified: str, date: str) -> bool:
    """Whether a date of modification names one sequence of bytes: it was a while ago when it was sent."""
    try:
        return (parsedate_to_datetime(date) - parsedate_to_datetime(modified)).total_seconds() >= 60
    except (ValueError, TypeError):
        return False
