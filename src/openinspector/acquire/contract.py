"""What a kind of target is.

To add one: write `acquire/targets/<kind>.py` with a function that opens it and gives an `Inventory` through `Reader`,
and name it in `acquire/detect.py`, which finds out what a TARGET is.
"""

from collections.abc import Callable
from pathlib import Path

from openinspector.acquire.cache import LayerCache, readers_revision
from openinspector.acquire.limits import Limits, Meter
from openinspector.catalog.contract import Format
from openinspector.catalog.selector import Selector

Progress = Callable[[str, int, int], None]  # what is being done, how much is done, of how much


def no_progress(_what: str, _done: int, _of: int) -> None:
    """Nobody is watching."""


class Reader:
    """Everything that reading a target takes, made once for a scan."""

    def __init__(
        self,
        formats: dict[str, Format],
        limits: Limits,
        cache_folder: Path | None,
        progress: Progress = no_progress,
    ) -> None:
        self.formats = formats
        self.selector = Selector(formats.values())
        self.limits = limits
        self.meter = Meter(limits)
        self.cache_folder = cache_folder
        self.cache = LayerCache(cache_folder, readers_revision(formats.values()))
        self.progress = progress
