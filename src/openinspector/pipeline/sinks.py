"""The sinks of the settings: read, and opened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec

from openinspector.errors import UsageError
from openinspector.plugins import discover
from openinspector.publish.contract import SinkKind, SinkSettings

_MOST: Final = 16
_LONGEST_NAME: Final = 64
_LONGEST_WAIT: Final = 24 * 365  # hours


@dataclass(frozen=True, slots=True)
class Configured:
    """A sink of the settings; `source` is that of its events."""

    kind: SinkKind
    settings: SinkSettings

    @property
    def source(self) -> str:
        """The source of its events."""
        return self.settings.source or self.kind.source


def read_sinks(tables: Iterable[Mapping[str, Any]]) -> list[Configured]:
    """The sinks that `[[sinks]]` name.

    Raises:
        UsageError: One of them makes no sense.
    """
    known = kinds()
    found: dict[str, Configured] = {}
    for number, table in enumerate(tables, 1):
        name = table.get("name")
        where = f"[[sinks]] number {number}" + (f" ({name[:_LONGEST_NAME]!r})" if isinstance(name, str) else "")
        kind = known.get(str(table.get("kind", "")))
        if kind is None:
            raise UsageError(f"{where}: kind is one of {', '.join(known)}")
        try:
            settings = msgspec.convert(table, kind.settings)
            _check(settings)
            kind.check(settings)
        except (msgspec.ValidationError, UsageError) as error:
            raise UsageError(f"{where}: {error}") from error
        if settings.name in found:
            raise UsageError(f"{where}: another sink has this name")
        found[settings.name] = Configured(kind, settings)
    if len(found) > _MOST:
        raise UsageError(f"[[sinks]]: {_MOST} at most")
    return list(found.values())


@lru_cache
def kinds() -> Mapping[str, SinkKind]:
    """The kinds that there are, by name."""
    from openinspector.publish import sinks as folder

    return discover(folder)


def _check(settings: SinkSettings) -> None:
    name = settings.name
    if not (0 < len(name) <= _LONGEST_NAME and name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
        raise UsageError(f"name is of letters, digits, - and _, {_LONGEST_NAME} at most")
    for account in settings.accounts:
        if not (len(account) == 12 and account.isascii() and account.isdigit()):
            raise UsageError(f"accounts: {account!r} is no account (12 digits)")
    if not 0 < settings.give_up_hours <= _LONGEST_WAIT:
        raise UsageError(f"give_up_hours is a number of hours up to {_LONGEST_WAIT}")
