"""The one way a stage finds its plug-ins.

A plug-in folder is a package whose modules each offer `PLUGIN` (or `PLUGINS`, a tuple, where one rule has several
names). The folder is the list: a module without either, a failing import and a name used twice are errors at start,
never warnings.
"""

import os
from importlib import import_module
from types import ModuleType
from typing import Any

from openinspector.errors import PluginError


def discover(folder: ModuleType) -> dict[str, Any]:
    """Every plug-in of a folder by its name, in the order of their names."""
    return {name: plugin for name, (_, plugin) in located(folder).items()}


def located(folder: ModuleType) -> dict[str, tuple[str, Any]]:
    """Every plug-in of a folder by its name, with the module that offers it."""
    from pkgutil import iter_modules

    found: dict[str, tuple[str, Any]] = {}
    for info in iter_modules(folder.__path__):
        if info.name.startswith("_"):
            continue
        module = f"{folder.__name__}.{info.name}"
        for plugin in offered(module):
            if plugin.name in found:
                raise PluginError(f"{folder.__name__}: two plug-ins are called {plugin.name!r}")
            found[plugin.name] = (module, plugin)
    return dict(sorted(found.items()))


def offered(module_name: str) -> tuple[Any, ...]:
    """What one module of a plug-in folder offers."""
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise PluginError(f"{module_name}: can't be imported: {error}") from error
    plugins = getattr(module, "PLUGINS", None)
    if plugins is None:
        plugin = getattr(module, "PLUGIN", None)
        if plugin is None:
            raise PluginError(f"{module_name}: offers neither PLUGIN nor PLUGINS")
        plugins = (plugin,)
    return tuple(plugins)


def sources(package: ModuleType) -> str:
    """What changes when any module of a package or below it does: every file's path, size and time of change.

    It is what Python itself goes by to tell whether a module's compiled form is current. "" where the package lies in
    an archive and has no such files.
    """
    lines: list[str] = []
    waiting = list(package.__path__)
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                entries = list(listing)
        except OSError:
            return ""
        for entry in entries:
            if entry.name.endswith(".py"):
                facts = entry.stat()
                lines.append(f"{entry.path} {facts.st_size} {facts.st_mtime_ns}")
            elif entry.name != "__pycache__" and entry.is_dir():
                waiting.append(entry.path)
    return "\n".join(sorted(lines))
