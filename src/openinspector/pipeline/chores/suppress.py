"""Suppression rules reach the findings that were there before them: rules that are new, changed, or gone.

And those of an organization the findings of an account that has just become a member.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from openinspector.errors import OpenInspectorError, StoreError
from openinspector.find.suppress import Rule
from openinspector.pipeline.contract import Chore, Work
from openinspector.pipeline.writing import in_one_go
from openinspector.store import suppression
from openinspector.store.suppression import Newcomer, Place, Unapplied

AT_ONCE: Final = 2_000  # findings that are settled in one transaction

_Page = Callable[[Connection, UUID, int], list[UUID]]  # the next findings behind one's id


def _suppress(work: Work) -> int:
    with work.database.system() as connection:
        unapplied = suppression.unapplied_filters(connection)
        newcomers = suppression.newcomers(connection)
        adrift = suppression.hidden_by_nothing(connection)
    walks = _Walks(work)
    for place, arn in adrift:
        walks.go_through(place, partial(_hidden, place, arn))
    for filter_ in unapplied:
        _apply(work, walks, filter_)
    for newcomer in newcomers:
        _welcome(work, walks, newcomer)
    if walks.changed:
        work.poke("deliver")
    if walks.failures:
        account, region = next(iter(walks.failures))
        raise StoreError(
            f"suppression rules of {len(walks.failures)} accounts could not be applied, and their findings stay as they"
            f" are; of {account} in {region}: {walks.failures[Place(account, region)]}"
        )
    return walks.changed


class _Walks:
    """Goes through the findings of accounts with the rules that count for each.

    `changed` is how many findings are otherwise than before; `failures` says of accounts whose rules can't be read why.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._rules: dict[Place, tuple[Rule, ...]] = {}
        self.failures: dict[Place, OpenInspectorError] = {}
        self.changed = 0

    def rules(self, place: Place) -> tuple[Rule, ...] | None:
        """The rules of an account, once nobody writes its findings by older ones any more; None for a failure."""
        if place not in self._rules and place not in self.failures:
            try:
                in_one_go(self._work.database, partial(suppression.await_writers, place=place))
                with self._work.database.system() as connection:
                    self._rules[place] = suppression.rules_of(connection, place)
            except OpenInspectorError as error:
                self.failures[place] = error
        return self._rules.get(place)

    def go_through(self, place: Place, page: _Page) -> bool:
        """Settles findings of an account, a page at a time; False where that was not to the end."""
        ready = self.rules(place)
        if ready is None:
            return False
        after = suppression.LOWEST
        while not self._work.stopping():
            with self._work.database.system() as connection:
                ids = page(connection, after, AT_ONCE)
            if ids:
                settle = partial(suppression.settle, place=place, ids=ids, ready=ready, now=self._work.clock())
                self.changed += in_one_go(self._work.database, settle)
            if len(ids) < AT_ONCE:
                return True
            after = ids[-1]
        return False


def _apply(work: Work, walks: _Walks, filter_: Unapplied) -> None:
    """What it hides has been gone through; here is what it is to hide from now on."""
    with work.database.system() as connection:
        places = suppression.places_of(connection, filter_)
    done = [_meet(walks, place, filter_.arn) for place in places]  # all of them, whatever comes of one
    if all(done):
        with work.database.system() as connection:
            suppression.note_applied(connection, filter_, work.clock())


def _welcome(work: Work, walks: _Walks, newcomer: Newcomer) -> None:
    rules = walks.rules(newcomer.place) or ()
    theirs = [rule.filter.arn for rule in rules if rule.filter.owner != newcomer.place.account]
    done = [_meet(walks, newcomer.place, arn) for arn in theirs]
    if newcomer.place not in walks.failures and all(done):
        with work.database.system() as connection:
            suppression.note_settled(connection, newcomer, work.clock())


def _meet(walks: _Walks, place: Place, arn: str) -> bool:
    """Goes through the findings of an account that a rule is about; True where it doesn't count there."""
    rules = walks.rules(place)
    if rules is None:
        return False
    older: list[str] = []
    for rule in rules:
        if rule.filter.arn == arn:
            return walks.go_through(place, partial(_met, place, rule, older))
        older.append(rule.filter.arn)
    return True


def _hidden(place: Place, arn: str, connection: Connection, after: UUID, size: int) -> list[UUID]:
    return suppression.hidden(connection, place, arn, after, size)


def _met(place: Place, rule: Rule, older: Sequence[str], connection: Connection, after: UUID, size: int) -> list[UUID]:
    return suppression.met(connection, place, rule, older, after, size)


PLUGIN: Final = Chore(name="suppress", every=timedelta(minutes=10), run=_suppress)
