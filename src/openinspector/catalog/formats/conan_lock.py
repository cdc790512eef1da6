"""Conan's lock files.

    {"version": "0.5", "requires": ["zlib/1.2.13#e377…%1675278900.0"], "build_requires": ["cmake/3.25.2"]}

That is Conan 2; Conan 1 has a graph, whose node 0 is mostly the project itself:

    {"version": "0.4", "graph_lock": {"nodes": {"0": {"path": "conanfile.py"}, "1": {"ref": "zlib/1.2.11#0"}}}}

Source: https://docs.conan.io/2/tutorial/versioning/lockfiles.html,
https://docs.conan.io/1/versioning/lockfiles/introduction.html
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Raw, Struct
from msgspec.json import Decoder

from openinspector.catalog import safe_json
from openinspector.catalog.contract import File, Format, Reading, Wants
from openinspector.catalog.fetched import is_fetched
from openinspector.catalog.unparsed import unparsed
from openinspector.model.package import Location, Package

_REFERENCE = re.compile(
    r"([\w.+-]{1,200})/([^@#%\s/]{1,200})(?:@(?:([\w.+-]{1,200})/([\w.+-]{1,200}))?)?(?:[#%].{0,300})?"
)


class _Graph(Struct, frozen=True):
    nodes: dict[str, Raw] | None = None


class _Lock(Struct, frozen=True):
    requires: list[Raw] | None = None
    build_requires: list[Raw] | None = None
    python_requires: list[Raw] | None = None
    graph_lock: _Graph | None = None


class _Node(Struct, frozen=True):
    ref: str = ""
    path: str | None = None
    context: str = ""


_LOCK: Final = Decoder(_Lock)
_NODE: Final = Decoder(_Node)
_TEXT: Final = Decoder(str)


class ConanLock:
    """conan.lock."""

    name = "conan.lock"
    title = "conan.lock (v1, v2)"
    type = "conan"
    revision = 2
    wants = Wants(names=("conan.lock",))

    def accepts(self, path: str) -> bool:
        """Every file of that name, but none of a fetched package."""
        return not is_fetched(path)

    def read(self, file: File) -> Reading:
        """The locked packages; what only the build or the recipes need is for development only.

        Raises:
            CatalogError: It is no JSON, or not of this shape.
        """
        packages: dict[tuple[str, str, str, str], Package] = {}
        unread: list[str] = []
        for reference, dev in _references(safe_json.document(file.data, _LOCK), unread):
            parts = _REFERENCE.fullmatch(reference)
            if parts is None:
                unread.append(reference)
                continue
            name, version, user, channel = parts.groups(default="")
            key = (name, version, user, channel)
            if key not in packages or not dev:
                packages[key] = Package(
                    type="conan",
                    name=name,
                    version=version,
                    location=Location(path=file.path),
                    format=self.name,
                    dev=dev,
                    qualifiers=(("channel", channel), ("user", user)) if user else (),
                )
        return Reading(
            packages=tuple(packages.values()),
            problems=unparsed(file.path, self.name, "references that make no sense", unread),
        )


def _references(lock: _Lock, unread: list[str]) -> Iterator[tuple[str, bool]]:
    """Each reference, and whether it is needed for development only."""
    for listed, dev in ((lock.requires, False), (lock.build_requires, True), (lock.python_requires, True)):
        for index, text in safe_json.records(enumerate(listed or ()), _TEXT):
            if text is None:
                unread.append(f"requires[{index}]")
            else:
                yield text, dev
    nodes = (lock.graph_lock.nodes if lock.graph_lock else None) or {}
    for key, node in safe_json.records(nodes.items(), _NODE):
        if node is None:
            unread.append(f"nodes[{key}]")
        elif node.ref and not node.path:  # a path: the project's own recipe
            yield node.ref, node.context == "build"


PLUGIN: Final[Format] = ConanLock()
