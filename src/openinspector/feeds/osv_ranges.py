"""OSV's events as ranges."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from openinspector.errors import VersionError
from openinspector.model.advisory import Range


class Event(Struct, frozen=True):
    """One event; exactly one of the fields is set. `limit` is for Git ranges and is not named here."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None


class OsvRange(Struct, frozen=True):
    """Events of one branch of history; `type` is SEMVER, ECOSYSTEM or GIT."""

    type: str = ""
    events: tuple[Event, ...] = ()


# RustSec writes the lowest semantic version where OSV has a word for it.
_STARTS: Final = ("0", "0.0.0-0")


def ranges_of(osv_ranges: Sequence[OsvRange], scheme_name: str) -> tuple[Range, ...] | None:
    """The version ranges of an affected entry, those of commits left aside; None where it has none.

    Raises:
        VersionError: The events are out of order and can't be ordered.
    """
    usable = [each for each in osv_ranges if each.type != "GIT" and each.events]
    if not usable:
        return None
    found: list[Range] = []
    for each in usable:
        events = each.events
        if len(events) == 2 and events[0].introduced in _STARTS and events[1].fixed:
            found.append(Range(fixed=events[1].fixed))
        else:
            found += _intervals(events if _in_turn(events) else _sorted(events, scheme_name))
    # Events that begin nothing say nothing, which is not the same as every version.
    return tuple(found) or None


def _in_turn(events: Sequence[Event]) -> bool:
    """Whether each beginning is followed by an end, as publishers write them; the versions are not compared."""
    return all((event.introduced is not None) == (index % 2 == 0) for index, event in enumerate(events))


def _intervals(events: Sequence[Event]) -> list[Range]:
    """The intervals between events in order; what begins twice has begun, what ends twice has ended."""
    found: list[Range] = []
    open_since: str | None = None
    for event in events:
        if event.introduced is not None:
            if open_since is None:
                open_since = "" if event.introduced in _STARTS else event.introduced
        elif open_since is not None and event.fixed:
            found.append(Range(introduced=open_since, fixed=event.fixed))
            open_since = None
        elif open_since is not None and event.last_affected:
            found.append(Range(introduced=open_since, last_affected=event.last_affected))
            open_since = None
    if open_since is not None:
        found.append(Range(introduced=open_since))
    return found


def _sorted(events: Sequence[Event], scheme_name: str) -> list[Event]:
    """Events in the order of their versions; at one version a fix comes before a beginning, a last affected one after.

    Source: https://ossf.github.io/osv-schema/#evaluation
    """
    from openinspector.versions.order import scheme

    key: Callable[[str], bytes] = scheme(scheme_name).key

    def place(event: Event) -> tuple[bytes, int]:
        if event.introduced is not None:
            return (b"", 0) if event.introduced in _STARTS else (key(event.introduced), 1)
        if event.fixed:
            return key(event.fixed), 0
        if event.last_affected:
            return key(event.last_affected), 2
        raise VersionError("an event without a version")

    return sorted((each for each in events if each != Event()), key=place)


def go_release(version: str) -> str:
    """The Go release that the semantic version of a `stdlib` or `toolchain` entry stands for.

    The Go database writes releases as semantic versions: `1.21.0-rc.4` is go1.21rc4, and `1.21.0-0`, the lowest of
    its minor version, stands before its first pre-release. Source: https://go.dev/doc/security/vuln/database
    """
    release, dash, pre = version.partition("-")
    if not dash:
        return version
    minor = release.removesuffix(".0")
    if pre == "0":
        # From 1.21 on the bare language version sorts below every pre-release; before, it was the release itself.
        parts = minor.split(".")
        is_old = len(parts) == 2 and parts[0] == "1" and parts[1].isdigit() and len(parts[1]) < 3 and int(parts[1]) < 21
        return f"{minor}beta1" if is_old else minor
    return minor + pre.replace(".", "")


def go_release_range(affected: Range) -> Range:
    """A range of `stdlib` or `toolchain` in Go's own release numbers."""
    return Range(
        introduced=go_release(affected.introduced),
        fixed=go_release(affected.fixed),
        last_affected=go_release(affected.last_affected),
    )
