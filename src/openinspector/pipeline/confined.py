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
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock
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


class _Places:
    """So many children at a time, and one more for whoever isn't among those that have as many: nobody has them all.

    Of those that wait, who has the fewest is next, then who came first.
    """

    def __init__(self, most_of_one: int) -> None:
        self._most_of_one = most_of_one
        self._free = most_of_one + 1
        self._held = Counter[str]()
        self._waiting: dict[int, str] = {}  # who, by the numbers of their coming
        self._came = 0
        self._changed = Condition()

    @contextmanager
    def place(self, who: str, seconds: float) -> Iterator[None]:
        """Waits so long for a place, and has it.

        Raises:
            ConfinedError: There was none.
        """
        with self._changed:
            number = self._came = self._came + 1
            self._waiting[number] = who
            found = self._changed.wait_for(lambda: self._next() == number, seconds)
            del self._waiting[number]
            if found:
                self._free -= 1
                self._held[who] += 1
            self._changed.notify_all()
        if not found:
            raise ConfinedError("busy", "too many documents are being read: try again later")
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._held[who] -= 1
                if not self._held[who]:
                    del self._held[who]
                self._changed.notify_all()

    def _next(self) -> int | None:
        """The number of whoever may have a place now."""
        if not self._free:
            return None
        able = ((self._held[who], number) for number, who in self._waiting.items() if self._has_room(who))
        return min(able, default=(0, None))[1]

    def _has_room(self, who: str) -> bool:
        return self._held[who] < self._most_of_one


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
            self._places = _Places(settings.children or max(os.cpu_count() or 1, _FEWEST))

    def start(self) -> None:
        """Get ready for the first call, which else would take a second longer."""
        self._children.start()

    def close(self) -> None:
        """End all children."""
        self._children.close()

    def __call__(
        self,
        maker: Maker,
        document: bytes | memoryview,
        *,
        given: bytes = b"",
        bounds: Bounds | None = None,
        account: str = "",
        sample: bytes = b"",
    ) -> bytes:
        """What the function that `maker` makes of `given` answers to a document, for an account.

        `sample` is a small document of ours; who gives one is answered sooner the next time.

        Raises:
            ConfinedError: It has no answer: `kind` says whether that is the document's fault.
        """
        with self._lock:
            places, wait, usual = self._places, self._wait, self._bounds
        with places.place(account, wait):
            return self._children.call(maker, given, document, bounds or usual, sample)


confined: Final = Confinement()
"""The children of this process."""
