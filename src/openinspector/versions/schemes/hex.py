"""Hex: semantic versioning as Elixir's `Version` orders it; build metadata doesn't count.

Source: the documentation of Elixir's `Version` module.
"""

from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.semver import reader

PLUGIN: Final = Scheme(name="hex", title="Hex (Elixir)", key=reader("hex"))
