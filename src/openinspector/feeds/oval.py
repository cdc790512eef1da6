"""OVAL definitions of RPM distributions: what has to hold for a machine to be vulnerable, as alternatives.

A definition's criteria are a tree of AND and OR over tests; a test names an object (a package, a file) and a state (a
version bound, an architecture). Tests, objects and states follow the definitions in the file, so that criteria are
kept until the end and resolved then.

Source: https://oval-community-guidelines.readthedocs.io/en/latest/oval-schema-documentation/
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.text import iso
from openinspector.feeds.xml import child_text, elements, local

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MAX_NESTING: Final = 30
_MAX_ALTERNATIVES: Final = 100_000  # of one definition; the largest have some 2,000

_READ: Final = frozenset(
    (
        "definition",
        "rpminfo_test",
        "rpminfo_object",
        "rpminfo_state",
        "textfilecontent54_test",
        "textfilecontent54_object",
        "textfilecontent54_state",
    )
)


class Flaw(Struct, frozen=True, kw_only=True):
    """A CVE as Oracle adds it to a definition; the vectors are as written, with the score before them."""

    id: str
    cvss2: str = ""
    cvss3: str = ""
    cwe: str = ""


class Reference(Struct, frozen=True, kw_only=True):
    """A CVE or an advisory that a definition is about."""

    source: str
    id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """A node of the tree: references of tests, and further nodes."""

    operator: Literal["AND", "OR"]
    tests: tuple[str, ...]
    nodes: tuple["Criteria", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One definition; dates are ISO 8601."""

    id: str
    kind: str  # "patch", "vulnerability"
    title: str
    platforms: tuple[str, ...]
    references: tuple[Reference, ...]
    flaws: tuple[Flaw, ...]
    description: str
    severity: str
    published: str
    patchable: str  # of Azure Linux: "true", "false", "Not Applicable"; "" elsewhere
    criteria: Criteria | None
    negated: bool  # some part of the criteria is a negation, which we don't read


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A package with a version in relation to a given one."""

    package: str
    operation: str  # "less than", "less than or equal", "greater than", …
    evr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Bounds that must hold together, and where: `arch` and `module` are "" where it doesn't matter.

    `marks` are further conditions on a package, by the text that its release must contain (`ksplice`).
    """

    bounds: tuple[Bound, ...]
    arch: str = ""
    module: str = ""
    release: str = ""  # of the distribution: `^8` as a pattern
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    arch: str = ""
    module: str = ""
    release: str = ""


class _State(Struct, frozen=True, kw_only=True):
    evr: str = ""
    operation: str = ""
    arch: str = ""
    version: str = ""
    release: str = ""
    text: str = ""


@dataclass(slots=True)
class Oval:
    """A whole document: its definitions, and by their ids tests (object, state), objects (a name) and states."""

    definitions: list[Definition] = field(default_factory=list)
    tests: dict[str, tuple[str, str]] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    states: dict[str, _State] = field(default_factory=dict)

    def alternatives(self, definition: Definition) -> list[Alternative]:
        """In which cases a machine is vulnerable.

        Raises:
            ValueError: A test, object or state is missing, or there is no end of cases.
        """
        if definition.negated:
            raise ValueError("negated criteria")
        found: list[Alternative] = []
        if definition.criteria is not None:
            for alternative in self._walk(definition.criteria, _Context()):
                found.append(alternative)
                if len(found) > _MAX_ALTERNATIVES:
                    raise ValueError(f"more than {_MAX_ALTERNATIVES} cases")
        return found

    def _walk(self, node: Criteria, context: _Context) -> Iterator[Alternative]:
        if node.operator == "OR":
            for test in node.tests:
                yield from self._joined((test,), context)
        else:
            context = self._narrowed(node.tests, context)
            yield from self._joined(node.tests, context)
        for child in node.nodes:
            yield from self._walk(child, context)

    def _narrowed(self, tests: tuple[str, ...], context: _Context) -> _Context:
        """The context below an AND: what its own tests say of architecture, module and release holds there too."""
        arch, module, release = context.arch, context.module, context.release
        for test in tests:
            name, state = self._test(test)
            arch = state.arch or arch
            if state.version:
                release = state.version
            if state.text:
                module = f"{name}:{_stream(state.text)}"
        return _Context(arch=arch, module=module, release=release)

    def _joined(self, tests: tuple[str, ...], context: _Context) -> Iterator[Alternative]:
        """The bounds on packages among tests that hold together."""
        bounds: list[Bound] = []
        marks: list[str] = []
        for test in tests:
            name, state = self._test(test)
            if state.evr:
                bounds.append(Bound(package=name, operation=state.operation, evr=state.evr))
            elif state.release:
                marks.append(state.release)
        if bounds:
            yield Alternative(
                bounds=tuple(bounds),
                arch=context.arch,
                module=context.module,
                release=context.release,
                marks=tuple(marks),
            )

    def _test(self, reference: str) -> tuple[str, _State]:
        """The package (or module) that a test is about, and what it must be like."""
        try:
            object_reference, state_reference = self.tests[reference]
            return self.objects[object_reference], self.states[state_reference]
        except KeyError as error:
            raise ValueError(f"{error.args[0]} is not defined") from error


def _stream(pattern: str) -> str:
    r"""`kvm_utils` of `\nstream\s*=\s*kvm_utils\b[\w\W]*…`, a pattern for a module's file in `/etc/dnf/modules.d`."""
    tail = pattern.partition("stream")[2].partition("=")[2].removeprefix("\\s*").lstrip()
    end = next((index for index, char in enumerate(tail) if char in "\\[|)\n "), len(tail))
    # A dot of the stream's name (`10.5`) is escaped in some patterns and not in others.
    while tail[end : end + 2] == "\\.":
        end = next((index for index in range(end + 2, len(tail)) if tail[index] in "\\[|)\n "), len(tail))
    return tail[:end].replace("\\.", ".")


def read(stream: BinaryIO, path: str) -> Oval:
    """A document.

    Raises:
        FeedError: It can't be read, or has no definitions.
    """
    oval = Oval()
    for tag, element in elements(stream, path, "oval_definitions", _READ):
        match tag:
            case "definition":
                oval.definitions.append(_definition(element, path))
            case "rpminfo_test" | "textfilecontent54_test":
                parts = {local(child.tag): child for child in element}
                target, state = parts.get("object"), parts.get("state")
                if target is not None and state is not None:
                    oval.tests[element.get("id", "")] = (target.get("object_ref", ""), state.get("state_ref", ""))
            case "rpminfo_object":
                oval.objects[element.get("id", "")] = child_text(element, "name")
            case "textfilecontent54_object":
                # `/etc/dnf/modules.d/virt.module`
                file = child_text(element, "filepath") or child_text(element, "filename")
                oval.objects[element.get("id", "")] = file.rpartition("/")[2].removesuffix(".module")
            case _:
                oval.states[element.get("id", "")] = _state(element)
    if not oval.definitions:
        raise FeedError(f"{path}: has no OVAL definitions")
    return oval


def _state(element: "Element") -> _State:
    found: dict[str, str] = {}
    operation = ""
    for child in element:
        name = local(child.tag)
        if name in ("evr", "arch", "version", "release", "text"):
            found[name] = (child.text or "").strip()
        if name == "evr":
            operation = child.get("operation", "equals")
    return _State(operation=operation, **found)


def _definition(element: "Element", path: str) -> Definition:
    metadata = criteria = None
    for child in element:
        match local(child.tag):
            case "metadata":
                metadata = child
            case "criteria":
                criteria = child
    if metadata is None:
        raise FeedError(f"{path}: {element.get('id', 'a definition')} has no metadata")
    references: list[Reference] = []
    platforms: list[str] = []
    flaws: list[Flaw] = []
    severity = child_text(metadata, "severity")
    published = child_text(metadata, "advisory_date")
    for child in metadata:
        match local(child.tag):
            case "reference":
                references.append(
                    Reference(
                        source=child.get("source", ""), id=child.get("ref_id", "").strip(), url=child.get("ref_url", "")
                    )
                )
            case "affected":
                platforms.extend((item.text or "").strip() for item in child if local(item.tag) == "platform")
            case "advisory":
                severity = child_text(child, "severity")
                for item in child:
                    if local(item.tag) == "issued":
                        published = item.get("date", "")
                    elif local(item.tag) == "cve":
                        flaws.append(
                            Flaw(
                                id=(item.text or "").strip(),
                                cvss2=item.get("cvss2", ""),
                                cvss3=item.get("cvss3", ""),
                                cwe=item.get("cwe", ""),
                            )
                        )
    return Definition(
        id=element.get("id", ""),
        kind=element.get("class", ""),
        title=" ".join(child_text(metadata, "title").split()),
        platforms=tuple(platforms),
        references=tuple(references),
        flaws=tuple(flaws),
        description=child_text(metadata, "description"),
        severity=severity,
        published=iso(published),
        patchable=child_text(metadata, "patchable"),
        criteria=_criteria(criteria, 0, path) if criteria is not None else None,
        negated=criteria is not None and any(item.get("negate") == "true" for item in criteria.iter()),
    )


def _criteria(element: "Element", depth: int, path: str) -> Criteria:
    if depth > _MAX_NESTING:
        raise FeedError(f"{path}: criteria nest deeper than {_MAX_NESTING}")
    tests: list[str] = []
    nodes: list[Criteria] = []
    for child in element:
        name = local(child.tag)
        if name == "criterion":
            tests.append(child.get("test_ref", ""))
        elif name == "criteria":
            nodes.append(_criteria(child, depth + 1, path))
    operator: Literal["AND", "OR"] = "OR" if element.get("operator") == "OR" else "AND"
    return Criteria(operator=operator, tests=tuple(tests), nodes=tuple(nodes))
