"""What a sink is: a place that events are sent to, one of the `[[sinks]]` of the settings.

To add a kind of sink: write `publish/sinks/<kind>.py` that offers `PLUGIN: Final[SinkKind]`. It declares the settings
that it takes beside the common ones (a Struct below `SinkSettings`), and opens a sink of them. Everything that can be
wrong with the settings alone is said by `check`, when they are read; what the world says is said when something is
sent. Beside the file go its tests (tests/publish/), and a section of docs/howto/send-events.md.

    class FileSettings(SinkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
        path: str

    class FileKind:
        name = "file"
        settings = FileSettings
        def check(self, settings: FileSettings) -> None: …
        def open(self, settings: FileSettings, aws: Endpoint) -> Sink: …

A sink knows neither the outbox nor when to try again. It says of each event what became of it, and raises
`PublishError` where it is the sink that is in trouble and not the event. An event counts as sent once `Sent()` was
said, so that is said only when it will not be lost any more; one that is sent again has the same id.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import Struct

from openinspector.model.event import EventKind
from openinspector.model.finding import Finding, Severity
from openinspector.model.resource import Resource
from openinspector.transport.aws import Endpoint


class SinkSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every sink may be told. An empty filter lets everything through.

    `source` is the events' own, "" for what is usual with the kind. `severities` are of findings; events of other kinds
    have none. An event that a sink in trouble did not take for `give_up_hours` becomes a dead letter.
    """

    kind: str
    name: str
    accounts: tuple[str, ...] = ()
    events: tuple[EventKind, ...] = ()
    severities: tuple[Severity, ...] = ()
    source: str = ""
    give_up_hours: float = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event in Inspector's words: `event` is all of it with its envelope, to become JSON.

    `id` is the same each time that it is sent. `finding` is that of a finding's event, as it stood when it changed.
    """

    id: str
    kind: EventKind
    event: dict[str, Any]
    resource: Resource
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The sink has it, and will have it tomorrow."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The sink will never take it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """The sink did not take it this time."""

    reason: str


Outcome = Sent | Refused | Later


class Sink(Protocol):
    """An open sink. Several threads may send to it at once. Whoever has opened it closes it.

    `most` is how many messages it takes in one call; no two of them are about the same finding, or are of other kinds
    and about the same resource, so their order among themselves makes no difference. `at_once` is how many threads
    are worth their while.
    """

    most: int
    at_once: int

    def send(self, messages: Sequence[Message]) -> Iterator[Outcome]:
        """What became of each, in their order, each said as soon as it is known.

        Raises:
            PublishError: It takes nothing at the moment. What became of the rest is not known.
        """
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...


class SinkKind(Protocol):
    """A plug-in. `source` is that of its events where the settings name none."""

    name: str
    source: str

    @property
    def settings(self) -> type[SinkSettings]:
        """What the kind takes."""
        ...

    def check(self, settings: Any) -> None:
        """Looks whether settings of the kind make sense.

        Raises:
            UsageError: They don't.
        """
        ...

    def open(self, settings: Any, aws: Endpoint) -> Sink:
        """A sink; `aws` is where the service itself finds AWS. Nothing is sent yet.

        Raises:
            PublishError: Something that the settings name can't be had: a secret's file, say.
        """
        ...
