"""Which of two versions is older, and is this one in that range."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from openinspector.errors import VersionError
from openinspector.model.advisory import Range
from openinspector.plugins import discover
from openinspector.versions.contract import Scheme


@cache
def scheme(name: str) -> Scheme:
    """The scheme called `name`; only its own module is imported.

    Raises:
        VersionError: There is no such scheme.
    """
    module = f"openinspector.versions.schemes.{name}"
    if not name.isidentifier() or find_spec(module) is None:
        known = " ".join(schemes())
        raise VersionError(f"there is no version scheme {name!r}; the schemes are: {known}")
    plugin = import_module(module).PLUGIN
    assert isinstance(plugin, Scheme)
    return plugin


@cache
def schemes() -> dict[str, Scheme]:
    """Every scheme by name."""
    from openinspector.versions import schemes as folder

    return discover(folder)


def compare(scheme_name: str, a: str, b: str) -> int:
    """-1, 0 or 1 as `a` is older than, equal to or newer than `b`.

    Raises:
        VersionError: One of them is not a version of this scheme.
    """
    rule = scheme(scheme_name)
    key_a, key_b = rule.key(a), rule.key(b)
    if rule.compare is not None and rule.odd is not None and (rule.odd(a) or rule.odd(b)):
        return rule.compare(a, b)
    return (key_a > key_b) - (key_a < key_b)


def contains(scheme_name: str, affected: Range, version: str) -> bool:
    """Whether a version lies in a range, by plain order.

    Raises:
        VersionError: The version or one of the bounds can't be read.
    """
    if affected.introduced and compare(scheme_name, version, affected.introduced) < 0:
        return False
    if affected.after and compare(scheme_name, version, affected.after) <= 0:
        return False
    if affected.fixed and compare(scheme_name, version, affected.fixed) >= 0:
        return False
    return not (affected.last_affected and compare(scheme_name, version, affected.last_affected) > 0)
