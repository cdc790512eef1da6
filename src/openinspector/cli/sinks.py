"""`openinspector sinks`: how it goes with the places that events are sent to, and what they did not take."""

import argparse

import msgspec

from openinspector.cli.service import database
from openinspector.errors import UsageError
from openinspector.store.outbox import MOST_COUNTED, DeadLetter, SinkState


def list_command(chosen: argparse.Namespace) -> int:
    """List the sinks that the workers' settings name."""
    from openinspector.store.outbox import sink_states

    with database(chosen) as found, found.system() as connection:
        states = sink_states(connection)
    if chosen.format == "json":
        _print(states)
        return 0
    print(f"{'SINK':<20}{'KIND':<13}{'WAITING':>8}{'DEAD':>8}  {'LAST SENT':<22}STATE")
    for each in states:
        print(_line(each))
    return 0


def dead_command(chosen: argparse.Namespace) -> int:
    """List the events that a sink did not take, the latest first."""
    from openinspector.store.outbox import dead_letters, sink_states

    if not 1 <= chosen.most <= MOST_COUNTED:
        raise UsageError(f"--most is 1 to {MOST_COUNTED}")
    with database(chosen) as found, found.system() as connection:
        _look_for(chosen.sink, sink_states(connection))
        letters = dead_letters(connection, chosen.sink, chosen.most)
    if chosen.format == "json":
        _print(letters)
        return 0
    print(f"{'EVENT':<38}{'ACCOUNT':<14}{'KIND':<10}{'WRITTEN':<22}REASON")
    for each in letters:
        print(_letter(each))
    return 0


def retry_command(chosen: argparse.Namespace) -> int:
    """Have what a sink did not take sent again, and the sink tried at once."""
    from openinspector.pipeline.worker import chores, poker
    from openinspector.store.outbox import revive, sink_states

    with database(chosen) as found:
        with found.system() as connection:
            _look_for(chosen.sink, sink_states(connection))
            count = revive(connection, chosen.sink)
        poker(found, chores())("deliver")
    if chosen.format == "json":
        _print({"sink": chosen.sink, "revived": count})
        return 0
    print(f"{count:,} {'event is' if count == 1 else 'events are'} sent to {chosen.sink} again")
    return 0


def _look_for(name: str, states: list[SinkState]) -> None:
    if all(each.name != name for each in states):
        known = ", ".join(each.name for each in states) or "none"
        raise UsageError(f"there is no sink {name!r} (there are: {known}); a worker registers those of its settings")


def _line(state: SinkState) -> str:
    sent = f"{state.sent_at:%Y-%m-%d %H:%M:%S}" if state.sent_at else "never"
    how = "fine"
    if state.left_out_since:
        how = f"no worker's settings have named it since {state.left_out_since:%Y-%m-%d %H:%M:%S}"
    elif state.failures:
        how = f"takes nothing, {'once' if state.failures == 1 else f'{state.failures} times'}: {state.reason}"
    counts = f"{_count(state.waiting):>8}{_count(state.dead):>8}"
    return f"{state.name:<20}{state.kind:<13}{counts}  {sent:<22}{_visible(how)}"


def _letter(letter: DeadLetter) -> str:
    written = f"{letter.created_at:%Y-%m-%d %H:%M:%S}"
    return f"{letter.id!s:<38}{letter.account:<14}{letter.kind:<10}{written:<22}{_visible(letter.reason)}"


def _count(number: int) -> str:
    return f"{number}+" if number == MOST_COUNTED else str(number)


def _visible(text: str) -> str:
    from openinspector.render.text import one_line, visible

    return visible(one_line(text))  # what a server says is not for the terminal to obey


def _print(said: object) -> None:
    print(msgspec.json.format(msgspec.json.encode(said)).decode())
