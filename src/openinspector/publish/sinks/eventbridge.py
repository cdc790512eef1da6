"""Events put on a bus of Amazon EventBridge.

    [[sinks]]
    kind = "eventbridge"
    name = "bus"
    event_bus = "default"            # its name or ARN
    source = "openinspector"         # sources that begin with aws. are Amazon's own there
    region = "eu-west-1"             # the service's own unless said otherwise
    role_arn = "arn:aws:iam::{account}:role/openinspector-events"
    largest = 262144                 # bytes of an event's entry

The bus gives an event an id, account and region of its own. Ours are in `detail.openinspector`: `eventId`, the same
each time that the event is sent, `account` and `region`; and, where the event was too large, `leftOut`.

Source: EventBridge API reference, PutEvents (10 entries; less than 1 MB for all; which errors can be retried); user
guide, "Calculating PutEvents event entry size". Targets of a rule may take less than a bus does; 256 KiB go everywhere.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from openinspector.errors import UsageError
from openinspector.publish.aws import AwsSinkSettings, Clients, Misformed, called, check_aws
from openinspector.publish.contract import Later, Message, Outcome, Refused, Sent, Sink, SinkKind
from openinspector.render.event_size import Path, fitted
from openinspector.render.text import json_line
from openinspector.transport.aws import Endpoint

_Entry = dict[str, Any]

_MOST: Final = 10
_LARGEST_CALL: Final = 1_000_000 - 20_000  # bytes, with room for the names around the entries
_LARGEST_EVENT: Final = 256 << 10
_OF_TIME: Final = 14  # bytes that a time counts as
_BUS: Final = re.compile(
    r"(?:arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:\d{12}:event-bus/)?[\w.-]{1,256}", re.A
).fullmatch
_MISFORMED: Final = frozenset({"InvalidArgument", "MalformedDetail"})
_CUT: Final[tuple[Path, ...]] = (
    ("packageVulnerabilityDetails", "referenceUrls"),
    ("packageVulnerabilityDetails", "relatedVulnerabilities"),
    ("packageVulnerabilityDetails", "cvss"),
    ("packageVulnerabilityDetails", "vulnerablePackages"),
    ("image-tags",),
    ("resources", "tags"),
    ("resources", "details"),
)


class EventBridgeSettings(AwsSinkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bus."""

    event_bus: str = "default"
    largest: int = _LARGEST_EVENT


class EventBridgeKind:
    """PutEvents."""

    name = "eventbridge"
    source = "openinspector"
    settings = EventBridgeSettings

    def check(self, settings: EventBridgeSettings) -> None:
        """Looks whether there could be such a bus."""
        check_aws(settings)
        if not _BUS(settings.event_bus):
            raise UsageError(f"event_bus = {settings.event_bus!r} is neither the name nor the ARN of a bus")
        if settings.source.startswith("aws.") and not settings.endpoint_url:
            raise UsageError(f"source = {settings.source!r}: Amazon keeps those that begin with aws. to itself")
        if not 16 << 10 <= settings.largest <= _LARGEST_CALL:
            raise UsageError(f"largest is a number of bytes from {16 << 10} to {_LARGEST_CALL}")

    def open(self, settings: EventBridgeSettings, aws: Endpoint) -> Sink:
        """A sink; clients are made when they are needed."""
        return _EventBridge(settings, aws)


class _EventBridge:
    most = _MOST
    at_once = 4

    def __init__(self, settings: EventBridgeSettings, aws: Endpoint) -> None:
        self._clients = Clients("events", settings, aws)
        self._bus, self._largest = settings.event_bus, settings.largest

    def send(self, messages: Sequence[Message]) -> Iterator[Outcome]:
        call: list[tuple[str, _Entry]] = []  # whose, and what
        size = 0
        for each in messages:
            entry = self._entry(each.event)
            owner, more = self._clients.owner(each), _size(entry)
            if call and (len(call) == _MOST or size + more > _LARGEST_CALL or call[0][0] != owner):
                yield from self._put(call)
                call, size = [], 0
            call.append((owner, entry))
            size += more
        if call:
            yield from self._put(call)

    def close(self) -> None:
        self._clients.close()

    def _entry(self, event: dict[str, Any]) -> _Entry:
        ours = {"eventId": event["id"], "account": event["account"], "region": event["region"]}
        entry = {
            "Time": datetime.fromisoformat(event["time"]),
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Resources": event["resources"],
            "Detail": json_line(event["detail"] | {"openinspector": ours}),
            "EventBusName": self._bus,
        }
        over = _size(entry) - self._largest
        if over > 0:
            room = len(entry["Detail"].encode()) - over - 1024  # for what was left out
            detail, left_out = fitted(event["detail"], _CUT, lambda each: len(json_line(each).encode()), room)
            entry["Detail"] = json_line(detail | {"openinspector": ours | {"leftOut": left_out}})
        return entry

    def _put(self, call: Sequence[tuple[str, _Entry]]) -> Iterator[Outcome]:
        client = self._clients.of(call[0][0])
        entries = [entry for _, entry in call]
        try:
            answer = called(f"PutEvents to {self._bus}", lambda: client.put_events(Entries=entries))
        except Misformed as error:
            if len(call) == 1:
                yield Refused(str(error))
                return
            for each in call:
                yield from self._put([each])
            return
        for each, result in zip(call, answer["Entries"], strict=True):
            code = result.get("ErrorCode", "")
            if not code:
                yield Sent()
                continue
            said = f"PutEvents to {self._bus}: {code}: {result.get('ErrorMessage', '')}"
            if code in _MISFORMED:
                yield Refused(said)
            elif len(call) > 1:
                yield from self._put([each])
            else:
                yield Later(said)


def _size(entry: _Entry) -> int:
    """The bytes that an entry counts as."""
    texts = (entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"])
    return _OF_TIME + sum(len(each.encode()) for each in texts)


PLUGIN: Final[SinkKind] = EventBridgeKind()
