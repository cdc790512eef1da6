"""Copies of advisory files, so that a new one can be compared with the one before after it took its place.

They are hard links where that can be, so they cost nothing while the file is in place: `db update` puts another file
under its name and leaves the old one as it is.
"""

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

from openinspector.errors import StoreError

_HALF_MADE: Final = 3600.0  # seconds after which nobody is still at it


class KeptGenerations:
    """The copies in `generations` of a data folder, by the digest that each file has in its meta."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "generations"

    def path_of(self, digest: str) -> Path | None:
        """The copy of a generation; None where there is none."""
        path = self._named(digest)
        return path if path.is_file() else None

    def keep(self, file: Path, digest: str) -> None:
        """Makes a copy, unless there is one.

        Raises:
            StoreError: The folder can't be written to, or is full.
        """
        path = self._named(digest)
        if path.exists():
            return
        made = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                os.link(file, made)
            except OSError:  # another file system, or one without links
                shutil.copyfile(file, made)
            made.replace(path)
        except OSError as error:
            raise StoreError(f"{file} can't be kept in {self._folder}: {error.strerror or error}") from error
        finally:
            with contextlib.suppress(OSError):
                made.unlink(missing_ok=True)

    def forget_others(self, digests: frozenset[str]) -> None:
        """Deletes all copies but these, and what somebody has left half-made."""
        kept = {self._named(each).name for each in digests}
        with contextlib.suppress(OSError):
            for path in list(self._folder.iterdir()):
                is_copy = path.suffix == ".sqlite" and path.name not in kept
                if is_copy or (path.name.startswith(".") and path.stat().st_ctime < time.time() - _HALF_MADE):
                    path.unlink(missing_ok=True)

    def _named(self, digest: str) -> Path:
        # A digest comes out of a file: nothing of it but letters and digits may become part of a path.
        plain = "".join(each for each in digest if each.isalnum() and each.isascii())
        return self._folder / f"{plain[:80] or 'unnamed'}.sqlite"
