"""YAML records of publishers: every scalar is read as text, and there are no aliases.

Nothing is guessed (a branch called `1.10` stays that, a date stays as written), and no alias can blow a small document up.
"""

from typing import Any, Final

from openinspector.errors import FeedError

MAX_RECORD: Final = 1 << 20  # bytes; the longest advisory we know has 20 kB


def yaml_record(data: bytes) -> Any:
    """The mappings, lists and texts of a YAML document.

    Raises:
        FeedError: It is no YAML, has aliases, or is too long or too deep.
    """
    import yaml

    if len(data) > MAX_RECORD:
        raise FeedError(f"a record of {len(data)} bytes")
    # BaseLoader makes nothing but dict, list and str. libyaml's form of it is ten times as fast, where PyYAML was built with it.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        # An asterisk is mostly text; only where one stands is it worth looking what it is.
        if b"*" in data and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(data, Loader=loader)):
            raise FeedError("a record with aliases")
        return yaml.load(data, Loader=loader)  # noqa: S506  # BaseLoader knows no tags at all
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FeedError(f"no YAML: {' '.join(str(error).split())[:200]}") from error


def text_or_nothing(value: str | None) -> str:
    """A text, "" for YAML's null in either spelling."""
    return "" if value is None or value in ("~", "null", "") else value.strip()
