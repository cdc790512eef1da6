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

A feed's `url` is the address of its document where it has one, and else (or if it ends in `/`) of a folder with the
layout's paths below it.
"""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from openinspector.errors import UsageError
from openinspector.transport.fetch import LARGEST_DOCUMENT

_LARGEST = 1 << 20
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


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    mirror: MirrorSettings = MirrorSettings()
    update: UpdateSettings = UpdateSettings()
    feeds: dict[str, FeedSettings] = {}
    traces: TracesSettings = TracesSettings()


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
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise UsageError(f"{path}: {error}") from error
    unknown = sorted(settings.feeds.keys() - names)
    if unknown:
        raise UsageError(f"{path}: there is no feed {unknown[0]!r} (`openinspector db layout` lists them)")
    if settings.update.seconds <= 0 or settings.update.largest_document <= 0:
        raise UsageError(f"{path}: the bounds of [update] are positive numbers")
    return settings
