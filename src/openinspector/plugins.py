"""The one way a stage finds its plug-ins.

A plug-in folder is a package whose modules each offer `PLUGIN` (or `PLUGINS`, a tuple, where one rule has several
names). The folder is the list: a module without either, a failing import and a name used twice are errors at start,
never warnings.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from openinspector.errors import PluginError


def discover(folder: ModuleType) -> dict[str, Any]:
    """Every plug-in of a folder by its name, in the order of their names."""
    found: dict[str, Any] = {}
    for info in iter_modules(folder.__path__):
        if info.name.startswith("_"):
            continue
        for plugin in offered(f"{folder.__name__}.{info.name}"):
            if plugin.name in found:
                raise PluginError(f"{folder.__name__}: two plug-ins are called {plugin.name!r}")
            found[plugin.name] = plugin
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
