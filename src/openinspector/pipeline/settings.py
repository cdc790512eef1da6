"""The settings file: which feeds are fetched, and from where, and what the service does otherwise than by default.

    [mirror]
    url = "https://mirror.example/openinspector"
    key = "…"                        # its public key, as `db keygen` prints it, or a file with it
    [update]
    seconds = 7200                   # for everything
    largest_document = 4294967296    # bytes
    [feeds.exploitdb]
    enabled = false
    [feeds.kev]
    url = "https://intranet.example/kev.json"
    [feeds.amazon]
    skip = ["amazon/al1/*"]
    documents = { "amazon/al2/core/updateinfo.xml.gz" = "https://intranet.example/al2.xml.gz" }
    [traces]
    endpoint = "http://collector.example:4318"
    [aws]
    endpoint_url = "http://127.0.0.1:5000"          # what answers in AWS's stead
    [confined]
    memory = 2147483648              # bytes that reading one document may take
    [reports]
    directory = "/var/lib/openinspector/reports"    # a bucket is a folder below it, and not one of S3
    retention_days = 90                             # that it is remembered what became of a report
    buckets = { our-reports = ["111122223333"] }    # the accounts that may have something written into a bucket
    [usage]
    prices = { EC2_INSTANCE_HOURS = 0.0015 }        # US dollars for an hour or a scan; the others keep theirs
    free_trial_days = 15                            # of each kind of scan of an account, from when it is first on
    keep_days = 90                                  # that it is remembered what was used on a day
    [[sinks]]                        # who is told when something changes; each kind has settings of its own
    kind = "webhook"
    name = "chat"
    url = "https://hooks.example/inspector"
    [schedule]
    update = "6h"                    # how often the service does what `db update` does; never, if nothing is said
    [outbox]
    keep_days = 7                    # that an event is kept once it was sent
    [retention]
    audit_days = 365                 # that entries of the audit log are kept, 90 at least; 0 for ever
    [organization]
    source = "aws"                   # its accounts are read from AWS Organizations
    profile = "management"           # of boto3's files, if need be

A feed's `url` is the address of its document where it has one, and else (or if it ends in `/`) of a folder with the
layout's paths below it.
"""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from openinspector.errors import UsageError
from openinspector.model.usage import DAYS, PRICES, Prices, UsageType
from openinspector.transport.fetch import LARGEST_DOCUMENT

_LARGEST = 1 << 20
_LONGEST_RETENTION = 3650  # days
_LEAST_AUDIT = 90  # days; younger entries the database gives nobody away (forget_audit of revision_0002.sql)
_PERIOD = re.compile(r"([0-9]{1,4})([mhd])")
_ACCOUNT = re.compile(r"[0-9]{12}").fullmatch
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_SHORTEST_PERIOD = timedelta(minutes=10)
_LEAST_MEMORY = 16 << 20  # bytes; with less hardly a document could be read
_DEAREST = 1_000_000  # dollars for an hour or a scan
UPDATE_SECONDS = 2 * 3600


class MirrorSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where everything comes from in place of the publishers; "" for them."""

    url: str = ""
    key: str = ""


class UpdateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bounds of an update."""

    seconds: float = UPDATE_SECONDS
    largest_document: int = LARGEST_DOCUMENT


class FeedSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is otherwise with one feed."""

    enabled: bool = True
    url: str = ""
    documents: dict[str, str] = {}
    skip: tuple[str, ...] = ()


class TracesSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where traces go: the base address of an OpenTelemetry collector (OTLP over HTTP); "" for nowhere."""

    endpoint: str = ""


class AwsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where AWS is: the address of every service of it; "" for its own."""

    endpoint_url: str = ""


class ConfinedSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What reading and matching in child processes may cost (`pipeline/confined.py`).

    `children` at a time for one account in one process of the service, 0 for as many as there are processors, two
    at least, and one more for others; for each `memory` in bytes, `cpu` in seconds of a processor, `seconds` of
    wall time. Who can't have a child within `wait` seconds is told to come again.
    """

    children: int = 0
    memory: int = 1 << 30
    cpu: int = 60
    seconds: float = 120.0
    wait: float = 20.0


class ReportsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where findings reports and SBOM exports go, and for how long it is remembered what became of them.

    With a `directory` (an absolute path) a bucket is a folder below it; without one it is a bucket of S3. `buckets` are
    those that may be written into, each with the accounts that may have it done; if none is named, all may into any.
    """

    directory: str = ""
    retention_days: int = 90
    buckets: dict[str, tuple[str, ...]] = {}

    def let(self, account: str, bucket: str) -> bool:
        """Whether something may be written into a bucket for an account."""
        return not self.buckets or account in self.buckets.get(bucket, ())


class UsageSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What usage costs, in US dollars for an hour or a scan, and for how long it is remembered.

    `prices` come before the public ones. A free trial that has begun ends when it was to.
    """

    prices: dict[UsageType, float] = {}
    free_trial_days: int = 15
    keep_days: int = 90

    @property
    def all_prices(self) -> Prices:
        """The public prices, with these before them."""
        return {**PRICES, **self.prices}

    @property
    def free_trial(self) -> timedelta:
        """How long a free trial is that begins now."""
        return timedelta(days=self.free_trial_days)


class ScheduleSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the service does by the clock, where that is wished: a number with `m`, `h` or `d` (`30m`, `6h`, `1d`).

    `update` is how often it brings the advisory file up to date, ten minutes at least; "" for never.
    """

    update: str = ""

    @property
    def update_period(self) -> timedelta | None:
        """How often that is; None for never.

        Raises:
            UsageError: It isn't told in these words.
        """
        if not self.update:
            return None
        told = _PERIOD.fullmatch(self.update)
        period = timedelta(**{_UNITS[told[2]]: int(told[1])}) if told else timedelta(0)
        if period < _SHORTEST_PERIOD:
            raise UsageError(
                f"update of [schedule] is a number with m, h or d (30m, 6h, 1d), ten minutes at least,"
                f" and not {self.update!r}"
            )
        return period


class OutboxSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how long events are kept once every sink has them (or there is none), and those that a sink won't take."""

    keep_days: float = 7
    keep_dead_days: float = 30


class RetentionSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how many days entries of the audit log are kept; 0 for ever."""

    audit_days: int = 365


class OrganizationSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the accounts of the organization are read: `source` is "aws", or "" for nowhere (they are declared).

    `endpoint_url` is the address of AWS Organizations, "" for that of `[aws]` or AWS's own; `profile` is one of boto3's
    files, "" for the credentials that it finds otherwise.
    """

    source: Literal["", "aws"] = ""
    endpoint_url: str = ""
    profile: str = ""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    mirror: MirrorSettings = MirrorSettings()
    update: UpdateSettings = UpdateSettings()
    feeds: dict[str, FeedSettings] = {}
    traces: TracesSettings = TracesSettings()
    aws: AwsSettings = AwsSettings()
    confined: ConfinedSettings = ConfinedSettings()
    reports: ReportsSettings = ReportsSettings()
    usage: UsageSettings = UsageSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    outbox: OutboxSettings = OutboxSettings()
    retention: RetentionSettings = RetentionSettings()
    organization: OrganizationSettings = OrganizationSettings()
    sinks: tuple[dict[str, Any], ...] = ()  # read by pipeline/sinks.py, as their kinds tell


def settings_path() -> Path:
    """`OPENINSPECTOR_SETTINGS`, or the user's own."""
    named = os.environ.get("OPENINSPECTOR_SETTINGS")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "openinspector" / "settings.toml"


def load_settings(names: frozenset[str]) -> Settings:
    """The settings; the defaults where there is no file. `names` are the feeds that there are.

    Raises:
        UsageError: The file can't be read, or says what we don't understand.
    """
    import tomllib

    path = settings_path()
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode()
    except FileNotFoundError as error:
        if "OPENINSPECTOR_SETTINGS" in os.environ:
            raise UsageError(f"there are no settings at {path}, which OPENINSPECTOR_SETTINGS names") from error
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read: {error}") from error
    try:
        settings = msgspec.convert(tomllib.loads(text), Settings)
    except (ValueError, msgspec.ValidationError, RecursionError) as error:  # too long a number is a plain ValueError
        raise UsageError(f"{path}: {error!s:.500}") from error
    unknown = sorted(settings.feeds.keys() - names)
    if unknown:
        raise UsageError(f"{path}: there is no feed {unknown[0]!r} (`openinspector db layout` lists them)")
    if settings.update.seconds <= 0 or settings.update.largest_document <= 0:
        raise UsageError(f"{path}: the bounds of [update] are positive numbers")
    _check_addresses(path, settings)
    _check_reports(path, settings.reports)
    _check_usage(path, settings.usage)
    _check_schedule(path, settings.schedule)
    _check_sinks(path, settings)
    if settings.retention.audit_days and not _LEAST_AUDIT <= settings.retention.audit_days <= _LONGEST_RETENTION:
        raise UsageError(
            f"{path}: audit_days of [retention] is a number of days, {_LEAST_AUDIT} to {_LONGEST_RETENTION}, or 0"
        )
    confined = settings.confined
    if confined.children < 0 or min(confined.memory, confined.cpu, confined.seconds, confined.wait) <= 0:
        raise UsageError(f"{path}: the bounds of [confined] are positive numbers")
    if confined.memory < _LEAST_MEMORY:
        raise UsageError(f"{path}: memory of [confined] is bytes, {_LEAST_MEMORY} at least, and not {confined.memory}")
    return settings


def _check_addresses(path: Path, settings: Settings) -> None:
    from urllib.parse import urlsplit

    for name, address in (
        ("endpoint of [traces]", settings.traces.endpoint),
        ("endpoint_url of [aws]", settings.aws.endpoint_url),
        ("endpoint_url of [organization]", settings.organization.endpoint_url),
    ):
        try:
            parts = urlsplit(address)
            makes_sense = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # of a port, or brackets
            makes_sense = False
        if address and not makes_sense:
            raise UsageError(f"{path}: {name} is an address that begins with https:// or http://, and not {address!r}")


def _check_schedule(path: Path, schedule: ScheduleSettings) -> None:
    try:
        _ = schedule.update_period
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _check_reports(path: Path, reports: ReportsSettings) -> None:
    if reports.directory and not Path(reports.directory).is_absolute():
        raise UsageError(f"{path}: the directory of [reports] is an absolute path, and not {reports.directory!r}")
    for bucket, accounts in reports.buckets.items():
        wrong = [each for each in accounts if not _ACCOUNT(each)]
        if wrong:
            raise UsageError(f"{path}: {bucket} of [reports.buckets] lists accounts of 12 digits, and not {wrong[0]!r}")
    if not 1 <= reports.retention_days <= _LONGEST_RETENTION:
        raise UsageError(f"{path}: retention_days of [reports] is a number of days, 1 to {_LONGEST_RETENTION}")


def _check_sinks(path: Path, settings: Settings) -> None:
    for days in (settings.outbox.keep_days, settings.outbox.keep_dead_days):
        if not 0 <= days <= _LONGEST_RETENTION:
            raise UsageError(f"{path}: the days of [outbox] are numbers, 0 to {_LONGEST_RETENTION}, and not {days}")
    if settings.sinks:
        from openinspector.pipeline.sinks import read_sinks

        try:
            read_sinks(settings.sinks)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error


def _check_usage(path: Path, usage: UsageSettings) -> None:
    for kind, price in usage.prices.items():
        if not 0 <= price <= _DEAREST:  # neither is what isn't a number
            raise UsageError(f"{path}: the price of {kind} in [usage] is dollars, 0 to {_DEAREST}, and not {price}")
    if not 0 <= usage.free_trial_days <= _LONGEST_RETENTION:
        raise UsageError(f"{path}: free_trial_days of [usage] is a number of days, 0 to {_LONGEST_RETENTION}")
    if not DAYS <= usage.keep_days <= _LONGEST_RETENTION:
        raise UsageError(f"{path}: keep_days of [usage] is a number of days, {DAYS} to {_LONGEST_RETENTION}")
