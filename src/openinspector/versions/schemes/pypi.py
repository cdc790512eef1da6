"""Python: PEP 440, as `packaging` reads and orders it.

A key is the epoch, the release without its trailing zeros, and then what decides between versions of one release:

    1.0.dev1 < 1.0a1.dev1 < 1.0a1 < 1.0a1.post1 < 1.0b1 < 1.0rc1 < 1.0 < 1.0+local < 1.0.post1.dev1 < 1.0.post1

Versions from before PEP 440 (`2004d`, `1.0-final`) can't be read, as in pip.

Source: https://packaging.python.org/en/latest/specifications/version-specifiers/
"""

import re
from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.keys import Remembered, number, unreadable

_RELEASE = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_VERSION = re.compile(
    r"""
    \s* v?
    (?a:
        (?: (?P<epoch> [0-9]+ ) ! )?
        (?P<release> [0-9]+ (?: \. [0-9]+ )* )
        (?: [._-]? (?P<pre> alpha|a|beta|b|preview|pre|c|rc ) [._-]? (?P<pre_number> [0-9]+ )? )?
        (?: - (?P<implicit_post> [0-9]+ ) | [._-]? (?P<post> post|rev|r ) [._-]? (?P<post_number> [0-9]+ )? )?
        (?: [._-]? (?P<dev> dev ) [._-]? (?P<dev_number> [0-9]+ )? )?
        (?: \+ (?P<local> [a-z0-9]+ (?: [._-] [a-z0-9]+ )* ) )?
    )
    \s*
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LOCAL_SEPARATOR = re.compile(r"[._-]")

_END = b"\x00"  # of a release or a local version: shorter sorts first
_DEV_ONLY = b"\x01"
_PRE = {
    "a": b"\x02",
    "alpha": b"\x02",
    "b": b"\x03",
    "beta": b"\x03",
    "c": b"\x04",
    "rc": b"\x04",
    "pre": b"\x04",
    "preview": b"\x04",
}
_NO_PRE = b"\x05"
_NO_POST, _POST = b"\x00", b"\x01"
_DEV, _NO_DEV = b"\x00", b"\x01"
_FINAL = _END + _NO_PRE + _NO_POST + _NO_DEV
_LOCAL, _LOCAL_TEXT = b"\x01", b"\x01"

_CODES = Remembered(number)
_ZERO = number("")


def key(version: str) -> bytes:
    """The sort key of a version.

    Raises:
        VersionError: Not a PEP 440 version.
    """
    if _RELEASE.fullmatch(version):
        return _ZERO + _release(version) + _FINAL
    match = _VERSION.fullmatch(version)
    if match is None:
        raise unreadable("pypi", version, "PEP 440 does not allow it")
    epoch, release, pre, pre_number, implicit_post, post, post_number, dev, dev_number, local = match.groups()
    parts = [_CODES[epoch or "0"], _release(release), _END]
    is_post = post is not None or implicit_post is not None
    if pre is not None:
        parts += (_PRE[pre.lower()], _CODES[pre_number or "0"])
    else:
        parts.append(_DEV_ONLY if dev is not None and not is_post else _NO_PRE)
    if is_post:
        parts += (_POST, _CODES[implicit_post or post_number or "0"])
    else:
        parts.append(_NO_POST)
    if dev is not None:
        parts += (_DEV, _CODES[dev_number or "0"])
    else:
        parts.append(_NO_DEV)
    if local is not None:
        parts.append(_local(local))
    return b"".join(parts)


def _release(release: str) -> bytes:
    numbers = [_CODES[digits] for digits in release.split(".")]
    while numbers and numbers[-1] == _ZERO:
        numbers.pop()
    return b"".join(numbers)


def _local(local: str) -> bytes:
    """The part behind `+`: numbers sort above words, words without regard to letter case."""
    parts = [_LOCAL]
    for segment in _LOCAL_SEPARATOR.split(local):
        parts.append(_CODES[segment] if segment.isdigit() else _LOCAL_TEXT + segment.lower().encode() + _END)
    parts.append(_END)
    return b"".join(parts)


PLUGIN: Final = Scheme(name="pypi", title="Python (PEP 440)", key=key)
