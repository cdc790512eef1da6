"""YAML records of publishers: every scalar is read as text, and there are no aliases.

Nothing is guessed (a branch called `1.10` stays that, a date stays as written), and no alias can blow a small document
up. The tree is built here, from libyaml's events: its own composer recurses in C and dies of a deep document.
"""

from typing import Any, Final

from openinspector.errors import FeedError

MAX_RECORD: Final = 1 << 20  # bytes; the longest advisory we know has 20 kB
MAX_DEPTH: Final = 50  # advisories nest four deep


def yaml_record(data: bytes) -> Any:
    """The mappings, lists and texts of a YAML document.

    Raises:
        FeedError: It is no YAML, has aliases, or is too long or too deep.
    """
    import yaml

    if len(data) > MAX_RECORD:
        raise FeedError(f"a record of {len(data)} bytes")
    # libyaml, where PyYAML was built with it, is ten times as fast.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    root = _List()
    open_nodes: list[_List | _Mapping] = [root]
    try:
        for event in yaml.parse(data, Loader=loader):
            if isinstance(event, yaml.ScalarEvent):
                open_nodes[-1].add(event.value)
            elif isinstance(event, yaml.CollectionStartEvent):
                if len(open_nodes) > MAX_DEPTH:
                    raise FeedError("a record that nests too deep")
                open_nodes.append(_Mapping() if isinstance(event, yaml.MappingStartEvent) else _List())
            elif isinstance(event, yaml.CollectionEndEvent):
                closed = open_nodes.pop()
                open_nodes[-1].add(closed.value)
            elif isinstance(event, yaml.AliasEvent):
                raise FeedError("a record with aliases")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FeedError(f"no YAML: {' '.join(str(error).split())[:200]}") from error
    if len(root.value) != 1:
        raise FeedError(f"{len(root.value)} documents where one should be")
    return root.value[0]


class _List:
    """A sequence while its items are read."""

    def __init__(self) -> None:
        self.value: list[Any] = []

    def add(self, item: Any) -> None:
        self.value.append(item)


class _Mapping:
    """A mapping while its keys and values are read in turn."""

    def __init__(self) -> None:
        self.value: dict[str, Any] = {}
        self._key: str | None = None

    def add(self, item: Any) -> None:
        if self._key is not None:
            self.value[self._key] = item
            self._key = None
        elif isinstance(item, str):
            self._key = item
        else:
            raise FeedError("a key that is no text")


def text_or_nothing(value: str | None) -> str:
    """A text, "" for YAML's null in either spelling."""
    return "" if value is None or value in ("~", "null", "") else value.strip()
