"""What reports are written to: an S3 bucket (s3.py), or a folder of this machine (folder.py)."""

from collections.abc import Callable, Iterable
from typing import Protocol


class Destination(Protocol):
    """A bucket. An object in it is whole, or not there; one that is there already is replaced."""

    def check(self) -> None:
        """Looks at what can be looked at before anything is written.

        Raises:
            DestinationError: It won't do.
        """
        ...

    def write(self, key: str, content_type: str, parts: Iterable[bytes], begun: Callable[[str], None]) -> None:
        """Writes an object while its parts come in; what they raise is raised, and leaves nothing.

        `begun` is told, before the first byte lies there, by which name `discard` finds what is left if this process
        dies meanwhile.

        Raises:
            DestinationError: It is not taken.
        """
        ...

    def discard(self, key: str, name: str) -> None:
        """Removes what a process that died has left of an object, if it can; there may be nothing.

        Never raises for want of rights or connections: nobody sees what is left, and it costs only its room.
        """
        ...

    def close(self) -> None:
        """Lets go of connections."""
        ...
