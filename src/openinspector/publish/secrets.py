"""Secrets of sinks: in a file or the environment, never in the settings, a message or the log."""

import os
from pathlib import Path
from typing import Final

from openinspector.errors import PublishError, UsageError

_LARGEST: Final = 1 << 16


def check_secret(what: str, file: str, variable: str) -> None:
    """Looks that a secret has one place at most.

    Raises:
        UsageError: It has two.
    """
    if file and variable:
        raise UsageError(f"{what}_file and {what}_env both name a secret: one will do")


def secret(what: str, file: str, variable: str) -> str:
    """A secret without the white space around it; "" where none is named.

    Raises:
        PublishError: It isn't there, or is empty.
    """
    if file:
        try:
            with Path(file).open("rb") as stream:
                found = stream.read(_LARGEST).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise PublishError(f"{what}_file = {file!r} can't be read: {why}") from error
        where = f"{what}_file = {file!r}"
    elif variable:
        found = os.environ.get(variable, "").strip()
        where = f"{what}_env = {variable!r}"
    else:
        return ""
    if not found:
        raise PublishError(f"{where} names no secret, or an empty one")
    return found
