"""Every plug-in by name: where the stages get what they are given."""

from functools import cache

from openinspector.catalog.contract import Format
from openinspector.feeds.contract import Feed
from openinspector.plugins import discover


@cache
def formats() -> dict[str, Format]:
    """Every file format."""
    from openinspector.catalog import formats as folder

    return discover(folder)


@cache
def feeds() -> dict[str, Feed]:
    """Every feed."""
    from openinspector.feeds import sources as folder

    return discover(folder)
