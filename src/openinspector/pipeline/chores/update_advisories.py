"""The advisory file is brought up to date, every so often where `[schedule] update` says so.

Each machine has a file of its own; when it was last tried is written beside it, in `advisories.updated`, so that a
publisher who can't be reached isn't asked all the time. What has changed is put in force by the chore `rematch`.
"""

import logging
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openinspector.errors import StoreError
from openinspector.model.moment import moment_text, read_moment
from openinspector.pipeline.contract import Chore, Work
from openinspector.pipeline.settings import Settings
from openinspector.store.advisories import default_path

if TYPE_CHECKING:
    from openinspector.pipeline.mirror import Mirror

_log = logging.getLogger(__name__)


class _StoppedError(Exception):
    """The worker is to stop: an update that is broken off goes on another time where it was."""


def _update(work: Work) -> int:
    period = work.settings.schedule.update_period
    if period is None:
        return 0
    now, mark = work.clock(), _mark()
    last = _last_tried(mark)
    if last is not None and last <= now < last + period:
        return 0
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(f"{moment_text(now)}\n", encoding="ascii")
    except OSError as error:
        raise StoreError(f"{mark} can't be written, so no advisories are fetched: {error.strerror or error}") from error
    try:
        fresh = _bring(work)
    except _StoppedError:
        mark.unlink(missing_ok=True)
        return 0
    work.poke("rematch")
    return fresh


def _bring(work: Work) -> int:
    """Does what `openinspector db update` does; how many documents are new."""
    from openinspector.acquire.cache import default_folder
    from openinspector.pipeline.documents import default_documents
    from openinspector.pipeline.update import Request, update

    def progress(_what: str, _done: int, _all: int) -> None:
        if work.stopping():
            raise _StoppedError

    request = Request(
        documents=default_documents(),
        output=default_path(),
        cache=default_folder(),
        settings=work.settings,
        mirror=_mirror(work.settings),
    )
    done = update(request, progress)
    for note in done.notes:
        _log.warning("advisories: %s", note)
    for feed in done.built.feeds:
        if feed.status != "current":
            _log.warning("advisories: feed %s is %s: %s", feed.name, feed.status, feed.reason)
    _log.info("advisories: %d documents are new; the file is %s", done.fresh, done.built.digest)
    return done.fresh


def _mirror(settings: Settings) -> "Mirror | None":
    """The mirror that the environment or the settings name."""
    from openinspector.pipeline.mirror import Mirror
    from openinspector.transport.manifest import load_public

    where = os.environ.get("OPENINSPECTOR_MIRROR") or settings.mirror.url
    key = os.environ.get("OPENINSPECTOR_MIRROR_KEY") or settings.mirror.key
    return Mirror(where=where, key=load_public(key) if key else b"") if where else None


def _mark() -> Path:
    return default_path().with_suffix(".updated")


def _last_tried(mark: Path) -> datetime | None:
    try:
        return read_moment(mark.read_text(encoding="ascii")[:64].strip())
    except (OSError, ValueError):
        return None


PLUGIN: Final = Chore(name="update_advisories", every=timedelta(minutes=1), run=_update)
