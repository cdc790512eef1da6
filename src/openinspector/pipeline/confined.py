"""What strangers sent is read and matched in child processes, each for one document, within bounds.

    inventory = read(confined(reading, document, given=b"sbom"))

A maker (`reading`) is a function of a module, which the child finds by its name: it is given our own words, may open
what it needs (the advisory file), and gives a function from the document's bytes to the answer's. That function runs
where nothing can be opened, written or started (`transport/process.py`). Both sides speak msgpack, with the types of
`model/`; nothing that comes out of a child is run.

To have something else run there: write such a maker, and name its module in `_MODULES` if that isn't there already.
Modules that it imports lazily must have been imported before.
"""

import os
from threading import BoundedSemaphore, Lock
from typing import Final

from openinspector.errors import ConfinedError
from openinspector.pipeline.settings import ConfinedSettings
from openinspector.transport.process import Bounds, Children
from openinspector.transport.zygote import Maker

# What children may need; what is imported only when it is needed has to be named, too.
_MODULES: Final = (
    *("openinspector.acquire.sbom.*", "openinspector.match.*", "openinspector.score.*", "openinspector.versions.*"),
    *("openinspector.render.sbom_scanner", "openinspector.pipeline.scan_sbom"),
    *("openinspector.pipeline.handed_in", "openinspector.pipeline.confined_scan"),
    *("cvss", "defusedxml.ElementTree", "packageurl", "urllib.parse", "uuid", "zstandard"),
)
_FEWEST: Final = 2


class Confinement:
    """Runs functions in children, so many at a time. Safe to use from several threads."""

    def __init__(self, modules: tuple[str, ...] = _MODULES) -> None:
        self._children = Children(modules)
        self._lock = Lock()
        self.configure(ConfinedSettings())

    def configure(self, settings: ConfinedSettings) -> None:
        """Have these bounds from now on."""
        with self._lock:
            self._wait = settings.wait
            self._bounds = Bounds(memory=settings.memory, cpu=settings.cpu, seconds=settings.seconds)
            self._free = BoundedSemaphore(settings.children or max(os.cpu_count() or 1, _FEWEST))

    def start(self) -> None:
        """Get ready for the first call, which else would take a second longer."""
        self._children.start()

    def close(self) -> None:
        """End all children."""
        self._children.close()

    def __call__(
        self, maker: Maker, document: bytes | memoryview, *, given: bytes = b"", bounds: Bounds | None = None
    ) -> bytes:
        """What the function that `maker` makes of `given` answers to a document.

        Raises:
            ConfinedError: It has no answer: `kind` says whether that is the document's fault.
        """
        with self._lock:
            free, usual = self._free, self._bounds
        if not free.acquire(timeout=self._wait):
            raise ConfinedError("busy", "too many documents are being read: try again later")
        try:
            return self._children.call(maker, given, document, bounds or usual)
        finally:
            free.release()


confined: Final = Confinement()
"""The children of this process."""
