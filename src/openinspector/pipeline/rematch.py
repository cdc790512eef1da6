"""Another generation of advisories is put in force: what it touches is matched again, and findings follow.

    done = rematch(database, AdvisoryFile(default_path()), KeptGenerations(data), clock)

No resource is read again. What differs between the file and the one in force (`store/changed.py`) names packages and
flaws of the fleet; each distinct package is judged once, however many have it; findings follow for all resources at
once (`store/following.py`). Where the two can't be compared, because the former file wasn't kept, or on demand, every
package is judged and every flaw told again: the same end, by a longer way.

**In what order.** First the work is written down (`store/rematching.py`) and then done in pieces: packages are judged,
then flaws told, then findings follow, flaw by flaw, then the generation is put in force. Each piece is a transaction in
which it is claimed, done and struck off: whoever is killed has done a piece or hasn't, and anybody goes on. Several
workers share the pieces and meet between the steps, so a finding changes once, however many of its packages do.

**Who else writes.** Matches of packages that are known are changed here only, together with all findings that follow
from them. A scan writes those of packages that nobody had, and its findings follow from all that are known then
(`pipeline/ingest.py`). Let S be the writing of a scan, B the start here, F a step of following, E the end:

- S and F exclude each other by a lock on `rematch` (S may go with S; of F there is one at a time). So S sees the flaws
  of F as they were, and F then sees its findings and inventory; or S sees them as they are, and its findings are right
  at once.
- S before B: B holds the lock alone and sees what S brought. Packages whose name wasn't compared beforehand are judged.
- S between B and E, or with a file that isn't in force: what it brings is marked (`matched_generation` 0), and judged
  again before E, which holds the lock alone, finds that nothing is marked. With an old file it is marked after E, too,
  and the next look here takes care of it.
- Other writers (rules, states of resources, sweeps) lock the resource's row, as F does those that it changes.
- Of a scan that started first and is written later nothing is lost: what counts is what is known when it is written.

**Which generation.** Only forward: a file that was built before the one in force, or was replaced and not built anew
since, is left alone, so that several machines with files of their own come to rest with the newest. `forced` goes
anywhere.

**What closes.** What was known of a package is no longer so when its advisory is withdrawn or narrowed, even where the
last look at the resource was partial: what it saw is judged, and what it keeps of an earlier look is judged as well
(`pipeline/odd_findings.py`). A package that can no longer be judged keeps its findings. Who isn't looked at any more
(stopped, archived, scanned on push only) keeps them as they were.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from openinspector.errors import StoreError
from openinspector.model.enrichment import Epss
from openinspector.model.moment import read_moment
from openinspector.pipeline.odd_findings import settle_odd
from openinspector.pipeline.rejudge import Rejudge
from openinspector.pipeline.writing import in_one_go
from openinspector.render.moments import precise
from openinspector.store import rematching
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.changed import Name, changed_flaws, changed_names
from openinspector.store.database import Database
from openinspector.store.following import Following
from openinspector.store.kept_generations import KeptGenerations
from openinspector.store.matched import store_generation, write_enrichments
from openinspector.store.scores import known_scores, write_scores

PACKAGES: Final = 2_000  # that are judged in one transaction
FLAWS: Final = 1_000  # that are told in one
FEWEST, MOST = 4, 400  # flaws whose findings follow in one
PAIRS: Final = 20_000  # of resource and flaw, that are meant to be in one

_WITHOUT_END: Final = 1 << 40
_ATTEMPTS: Final = 5

Way = Literal["nothing", "diff", "full"]

_log = logging.getLogger(__name__)


class Rematched(Struct, kw_only=True):
    """What was done. `way` is `nothing` where the file is in force already, or may not be put there.

    `changes` counts findings by what happened to them, `Opened`, `Closed`, …, each of which is an event; `packages`
    are those that were judged here, `flaws` those of which something else is told. `is_in_force` says whether the file
    is in force now; if not, `why`: another worker or another call goes on.
    """

    digest: str = ""
    way: Way = "nothing"
    why: str = ""
    packages: int = 0
    flaws: int = 0
    changes: dict[str, int] = {}
    scores: int = 0
    seconds: float = 0.0
    is_in_force: bool = False

    @property
    def events(self) -> int:
        """How many events were written."""
        return sum(self.changes.values())


class _Plan(Struct, frozen=True, kw_only=True):
    """What was compared before the lock: what the fleet had then, and what differs; `names` is None for everything."""

    had: rematching.Had = rematching.Had(frozenset(), frozenset())
    names: frozenset[Name] | None = None
    flaws: frozenset[str] = frozenset()
    why: str = ""


def rematch(
    database: Database,
    advisories: AdvisoryFile,
    kept: KeptGenerations,
    clock: Callable[[], datetime],
    *,
    full: bool = False,
    forced: bool = False,
    stopping: Callable[[], bool] = lambda: False,
) -> Rematched:
    """Put a file in force, or go on with that; cheap where it is.

    `stopping` is asked between two pieces.

    Raises:
        StoreError: The database is too busy, a file can't be read, or a filter can't.
    """
    began = time.monotonic()
    digest = advisories.meta.get("digest", "")
    done = Rematched(digest=digest)
    try:
        kept.keep(advisories.path, digest)
    except StoreError as error:
        _log.warning("%s; the next advisories will be matched with all packages", error)
    with database.system() as connection:
        generation = store_generation(connection, advisories.meta)
    done.way, done.why = _begin(database, advisories, kept, generation, clock(), full=full, forced=forced)
    if done.way == "nothing":
        done.is_in_force = not done.why
    else:
        _Work(database, advisories, generation, clock, stopping, done).all()
    with database.system() as connection:
        in_force = rematching.standing(connection).in_force
    kept.forget_others(frozenset((digest, in_force.digest if in_force is not None else "")))
    done.seconds = time.monotonic() - began
    return done


def _begin(
    database: Database,
    advisories: AdvisoryFile,
    kept: KeptGenerations,
    generation: int,
    now: datetime,
    *,
    full: bool,
    forced: bool,
    attempts: int = _ATTEMPTS,
) -> tuple[Way, str]:
    """Writes down what is to be done, unless somebody has; and by which way, or why nothing is."""
    with database.system() as connection:
        stands = rematching.standing(connection)
        mine = rematching.generation_of(connection, generation)
        if (built := precise(advisories.meta.get("built", ""))) and (
            mine.built is None or mine.built < read_moment(built)
        ):
            mine = mine._replace(state="matching", built=read_moment(built))  # the same was made anew since then
        if stands.running is not None and stands.running.number == generation and not full:
            return ("full" if stands.is_full else "diff"), ""
        if (refused := _refusal(mine, stands)) and not forced:
            return "nothing", refused
        is_same = stands.in_force is not None and stands.in_force.number == generation and stands.running is None
        if is_same and not full and not rematching.has_provisional(connection):
            return "nothing", ""
    plan = _Plan() if full else _compare(database, advisories, kept, stands, is_same=is_same)
    is_full = plan.names is None

    def write(connection: Connection) -> bool:
        rematching.exclude_all(connection)
        if rematching.standing(connection) != stands:
            return False
        rematching.begin(connection, generation, built=mine.built, full=is_full, now=now)
        if plan.names is None:
            rematching.add_everything(connection)
        else:
            # What came since it was compared is judged and told in any case.
            had = rematching.had(connection)
            new = (had.names - plan.had.names, had.flaws - plan.had.flaws) if not is_same else ((), ())
            rematching.add_named(connection, plan.names.union(new[0]), plan.flaws.union(new[1]))
        rematching.add_provisional(connection)
        return True

    if in_one_go(database, write):
        return ("full" if is_full else "diff"), ""
    if attempts > 1:
        return _begin(database, advisories, kept, generation, now, full=full, forced=forced, attempts=attempts - 1)
    return "nothing", "other workers keep putting other advisories in force"


def _refusal(mine: rematching.Generation, stands: rematching.Standing) -> str:
    """Why a file isn't put in force by itself, or ""."""
    for other, what in ((stands.in_force, "in force"), (stands.running, "being matched")):
        if other is None or other.number == mine.number:
            continue
        if mine.state == "replaced":
            return f"the advisory file here was replaced by the one that is {what}, which another machine has"
        if mine.built is not None and other.built is not None and mine.built < other.built:
            return f"the advisory file here was built before the one that is {what}, which another machine has"
    return ""


def _compare(
    database: Database,
    advisories: AdvisoryFile,
    kept: KeptGenerations,
    stands: rematching.Standing,
    *,
    is_same: bool,
) -> _Plan:
    """What differs from the generation in force; everything where that can't be said."""
    if is_same:
        return _Plan(names=frozenset())
    if stands.running is not None:
        return _Plan()  # half of it is in place, half of the one before
    former = kept.path_of(stands.in_force.digest) if stands.in_force is not None else None
    if former is None:
        return _Plan()
    with database.system() as connection:
        had = rematching.had(connection)
    try:
        names = changed_names(former, advisories.path, had.names)
        flaws = changed_flaws(former, advisories.path, had.flaws)
    except StoreError:
        AdvisoryFile(advisories.path).close()  # if it is this one, nothing is done
        return _Plan()
    return _Plan(had=had, names=frozenset(names), flaws=frozenset(flaws))


class _Piece(Struct, kw_only=True):
    """What one transaction did."""

    packages: int = 0
    flaws: int = 0
    changes: dict[str, int] = {}


class _OvertakenError(Exception):
    """The generation isn't being put in force any more: it is, or another one is to be."""


class _Work:
    """The pieces of one worker."""

    def __init__(
        self,
        database: Database,
        advisories: AdvisoryFile,
        generation: int,
        clock: Callable[[], datetime],
        stopping: Callable[[], bool],
        done: Rematched,
    ) -> None:
        self._database = database
        self._advisories = advisories
        self._generation = generation
        self._clock = clock
        self._stopping = stopping
        self._done = done
        self._rejudge = Rejudge(advisories)
        self._at_once = FEWEST

    def all(self) -> None:
        """Every step, until the generation is in force, or somebody else is to go on."""
        try:
            while self._judged() and self._told() and self._followed():
                self._score()
                if in_one_go(self._database, self._end):
                    self._done.is_in_force = True
                    return
        except _OvertakenError:
            with self._database.system() as connection:
                stands = rematching.standing(connection)
            if stands.in_force is not None and stands.in_force.number == self._generation:
                self._done.is_in_force = True
            else:
                self._done.why = "another worker puts other advisories in force"

    def _judged(self) -> bool:
        return self._through("judge", self._judge)

    def _told(self) -> bool:
        return self._through("tell", self._tell)

    def _followed(self) -> bool:
        return self._through("follow", self._follow)

    def _through(self, step: str, do: Callable[[Connection], _Piece | None]) -> bool:
        """Does a step until nothing of it is left, by nobody; False where it is left to others."""

        def claimed(connection: Connection) -> _Piece | None:
            # Nobody can begin anew with another generation, or end, in the midst of a piece.
            if step != "follow":
                rematching.stay(connection)
            elif not rematching.exclude_scans(connection):
                return None
            self._check(connection)
            return do(connection)

        while not self._stopping():
            piece = in_one_go(self._database, claimed)
            if piece is not None:
                self._count(piece)
                continue
            with self._database.system() as connection:
                if not rematching.has_left(connection, step):
                    return True
            try:
                with self._database.system() as connection:
                    rematching.await_others(connection)
            except OperationalError:
                self._done.why = "another worker is at it"
                return False
        self._done.why = "asked to stop"
        return False

    def _check(self, connection: Connection) -> None:
        running = rematching.standing(connection).running
        if running is None or running.number != self._generation:
            raise _OvertakenError

    def _count(self, piece: _Piece) -> None:
        self._done.packages += piece.packages
        self._done.flaws += piece.flaws
        for change, number in piece.changes.items():
            self._done.changes[change] = self._done.changes.get(change, 0) + number

    def _judge(self, connection: Connection) -> _Piece | None:
        rows = rematching.claim_packages(connection, PACKAGES)
        if not rows:
            return None
        ids = [row.id for row in rows]
        known = rematching.matches_of(connection, ids)
        verdicts = [each for row in rows for each in self._rejudge.verdicts(row, known.get(row.id, {}))]
        rematching.stage(connection, verdicts, overwrite=True)
        rematching.note_judged(connection, ids, self._generation)
        return _Piece(packages=len(ids))

    def _tell(self, connection: Connection) -> _Piece | None:
        flaws = [flaw for flaw, _ in rematching.claim_flaws(connection, "tell", FLAWS)]
        if not flaws:
            return None
        known = rematching.flaws_as_known(connection, flaws)
        news = {flaw: self._rejudge.news(flaw, known.get(flaw)) for flaw in flaws}
        installed = rematching.installed_with(connection, flaws)
        rematching.stage(connection, self._rejudge.rerated(installed), overwrite=False)
        enriched = [about for each in flaws if news[each] == "enriched" and (about := self._rejudge.flaw(each))]
        write_enrichments(connection, enriched)
        told = [flaw for flaw in flaws if news[flaw] == "told"]
        rematching.note_told(connection, flaws, told)
        return _Piece(flaws=len(told))

    def _follow(self, connection: Connection) -> _Piece | None:
        claimed = rematching.claim_flaws(connection, "follow", self._at_once)
        if not claimed:
            return None
        now = self._clock()
        following = Following(connection, now)
        while True:
            flaws = [flaw for flaw, _ in claimed]
            most = PAIRS * 4 if len(flaws) > 1 else _WITHOUT_END
            count = following.gather(flaws, [flaw for flaw, is_told in claimed if is_told], most)
            if count <= most:
                break
            claimed = claimed[: len(claimed) // 4 or 1]
        following.switch(flaws, [about for flaw in flaws if (about := self._rejudge.flaw(flaw)) is not None])
        counts = following.write()
        settle_odd(connection, following, self._rejudge, now, counts)
        rematching.strike_off(connection, flaws)
        self._at_once = max(1, min(MOST, len(flaws) * PAIRS // count)) if count else MOST
        return _Piece(changes=counts.changes)

    def _score(self) -> None:
        """EPSS of all flaws that are known: nothing follows from it but what is told and sorted by."""
        with self._database.system() as connection:
            known = known_scores(connection)
        changed: list[tuple[str, Epss | None]] = []
        for row in known:
            now = self._advisories.epss(row.id)
            if (row.epss, row.percentile) != ((now.score, now.percentile) if now is not None else (None, None)):
                changed.append((row.id, now))
        if changed:
            self._done.scores += in_one_go(self._database, lambda connection: write_scores(connection, changed))

    def _end(self, connection: Connection) -> bool:
        rematching.exclude_all(connection)
        self._check(connection)
        if rematching.add_provisional(connection) or rematching.has_left(connection, "judge", "tell", "follow"):
            return False
        rematching.put_in_force(connection, self._generation, self._clock())
        return True
