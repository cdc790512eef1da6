"""What `api/operations/` offers: the one list of what this version answers.

A module there offers `OPERATIONS`, a mapping from an operation's name to its handler, or `DECLINED`, a mapping from a
name to the reason why it isn't answered, or both. The folder is the list: a module with neither, a failing import and a
name given twice are errors at start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Final

from openinspector.api.context import Handler
from openinspector.errors import PluginError

NEWER: Final = "It is newer than this version of openinspector."


@dataclass(frozen=True, slots=True)
class Offer:
    """Operations by name: the handlers, and for the others why there is none."""

    answered: Mapping[str, Handler]
    declined: Mapping[str, str]

    def reason(self, name: str) -> str:
        """Why an operation without a handler has none."""
        return self.declined.get(name, NEWER)


def discover(folder: ModuleType) -> Offer:
    """What the modules of a folder offer together.

    Raises:
        PluginError: A module offers nothing, can't be imported, or a name is given twice.
    """
    from pkgutil import iter_modules

    answered: dict[str, Handler] = {}
    declined: dict[str, str] = {}
    taken: set[str] = set()
    for info in iter_modules(folder.__path__):
        if info.name.startswith("_"):
            continue
        name = f"{folder.__name__}.{info.name}"
        try:
            module = import_module(name)
        except ImportError as error:
            raise PluginError(f"{name}: can't be imported: {error}") from error
        handlers: Mapping[str, Handler] | None = getattr(module, "OPERATIONS", None)
        reasons: Mapping[str, str] | None = getattr(module, "DECLINED", None)
        if handlers is None and reasons is None:
            raise PluginError(f"{name}: offers neither OPERATIONS nor DECLINED")
        for operation in (*(handlers or ()), *(reasons or ())):
            if operation in taken:
                raise PluginError(f"{name}: {operation} is answered or declined already")
            taken.add(operation)
        answered |= handlers or {}
        declined |= reasons or {}
    return Offer(answered, declined)
