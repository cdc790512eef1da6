"""Doubt, as a value: what could not be read or decided."""

from msgspec import Struct


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file, a line or a record that a reader could not read.

    `count` is how many lines or records this stands for. `partial` says that packages may be missing because of it,
    which makes the whole scan partial; a single unreadable line of a requirements file is counted and shown, a broken
    package database is partial.
    """

    path: str
    reason: str
    format: str = ""
    count: int = 1
    partial: bool = False
