"""ScanSbom: a CycloneDX 1.5 document from a stranger is judged, component by component, and nothing is kept.

Each package is judged once, however many components are of it, and the size of the answer is counted while it grows, so
that a small document can't make a huge one.

Source: the API reference of inspector-scan; Inspector's user guide, "Scanning SBOMs".
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from openinspector import __version__
from openinspector.acquire.sbom.cyclonedx import component_of
from openinspector.acquire.sbom.packages import Told, packages_of
from openinspector.acquire.sbom.purl import parse
from openinspector.acquire.sbom.record import DEEPEST, NO_SOFTWARE, Bill, Component
from openinspector.acquire.sbom.system import of_component
from openinspector.acquire.targets.sbom import inventory_of
from openinspector.errors import SbomError
from openinspector.match.engine import Judge
from openinspector.model.inventory import Inventory, Target
from openinspector.model.match import Finding, Match, Vulnerability
from openinspector.model.package import Location, Package
from openinspector.pipeline.confined import confined
from openinspector.pipeline.scan import Words, tell, to_finding
from openinspector.render.sbom_scanner import OutputFormat, render
from openinspector.render.scanned import Result, Scanned, Verdict
from openinspector.store.advisories import AdvisoryFile
from openinspector.transport.zygote import Function

MOST_COMPONENTS: Final = 5000
MOST_BYTES: Final = 10 << 20  # of a document that is handed over as bytes
_MOST_VALUES: Final = 1_000_000
_DEEPEST_VALUE: Final = 256
_MOST_OUT: Final = 64 << 20  # bytes that an answer may roughly have
_LONGEST_REFERENCE: Final = 1024  # characters; it is repeated for each vulnerability

_GENERATOR: Final = "amazon:inspector:sbom_generator:"
_CHECK: Final = re.compile(
    rf"{_GENERATOR}(?:dockerfile|certificate)_finding:(IN-[A-Z]{{1,20}}(?:-\d{{3}}){{1,2}})"
).fullmatch

_Object = dict[str, Any]
# Children are tried out on it.
_SAMPLE: Final = msgspec.json.encode(
    {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "components": [
            {"type": "library", "name": name, "version": "1.0", "purl": f"pkg:{kind}/{name}@1.0{rest}"}
            for kind, name, rest in (
                ("pypi", "jinja2", ""),
                ("npm", "lodash", ""),
                ("deb", "debian/zlib", "?distro=debian-12"),
            )
        ],
    }
)


class _Request(Struct, frozen=True, array_like=True):
    """What a child is told of a scan beside the document."""

    advisories: str  # where they lie
    now: datetime
    output_format: OutputFormat


class _Answer(Struct, frozen=True, tag="answer"):
    sbom: bytes  # JSON


class _Refused(Struct, frozen=True, tag="refused"):
    reason: str
    message: str


def handle_confined(
    document: bytes | memoryview,
    output_format: OutputFormat,
    advisories: AdvisoryFile,
    now: datetime,
    account: str = "",
) -> msgspec.Raw:
    """The answer to a document, as JSON; it is decoded and scanned in a child, which opens the advisories anew.

    Raises:
        SbomError: The document can't be scanned; it says why.
        ConfinedError: It can't be scanned within the bounds.
    """
    request = _Request(str(advisories.path.absolute()), now, output_format)
    answer = confined(handling, document, given=msgspec.msgpack.encode(request), account=account, sample=_SAMPLE)
    said = msgspec.msgpack.decode(answer, type=_Answer | _Refused)
    if isinstance(said, _Refused):
        raise SbomError(said.reason, said.message)
    return msgspec.Raw(said.sbom)


def handling(given: bytes) -> Function:
    """Scans a document, in a child."""
    request = msgspec.msgpack.decode(given, type=_Request)
    advisories = AdvisoryFile(Path(request.advisories))

    def answer(document: bytes) -> bytes:
        said: _Answer | _Refused
        try:
            result = scan_sbom(document, advisories, request.now)
            said = _Answer(msgspec.json.encode(render(result, request.output_format)))
        except SbomError as error:
            said = _Refused(error.reason, str(error))
        return msgspec.msgpack.encode(said)

    return answer


def handle(request: Mapping[str, Any], advisories: AdvisoryFile, now: datetime) -> _Object:
    """The answer to a request as the API has parsed it: `{"sbom": {…}, "outputFormat": "INSPECTOR"}` → `{"sbom": {…}}`.

    Raises:
        SbomError: The document can't be scanned; it says why.
    """
    result = scan_sbom(request["sbom"], advisories, now)
    return {"sbom": render(result, request.get("outputFormat") or "CYCLONE_DX_1_5")}


def scan_sbom(document: object, advisories: AdvisoryFile, now: datetime) -> Result:
    """What is found in a document: a decoded one, or its bytes. `now` has a time zone.

    Raises:
        SbomError: It is no CycloneDX 1.5, makes no sense, or exceeds a limit.
    """
    raw = _decoded(document) if isinstance(document, bytes) else document
    if not isinstance(raw, dict):
        raise SbomError("CANNOT_PARSE", "the SBOM is not a JSON object")
    _check_values(raw)
    _check_kind(raw)
    entries = list(_entries(raw.get("components"), "components"))
    now = now.astimezone(UTC)
    return Result(
        components=_scanned(entries, advisories, now.date().isoformat()),
        scanned_at=now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        scanner=f"{__version__}+{advisories.meta.get('digest', '').removeprefix('sha256:')[:8]}",
    )


def _decoded(data: bytes) -> object:
    if len(data) > MOST_BYTES:
        raise SbomError("FIELD_VALIDATION_FAILED", f"the SBOM is larger than {MOST_BYTES:,} bytes")
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SbomError("CANNOT_PARSE", f"the SBOM is no JSON that makes sense: {error}") from error


def _check_values(document: _Object) -> None:
    """That there is a bounded number of values, none too deep, and none that JSON can't hold again."""
    level: list[Any] = [document]
    seen = 0
    for _ in range(_DEEPEST_VALUE):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below += value
                below += value.values()
            elif isinstance(value, list):
                below += value
            elif isinstance(value, str):
                if not value.isascii() and _holds_half_a_character(value):
                    raise SbomError("CANNOT_PARSE", "the SBOM has text that is no Unicode")
            elif isinstance(value, float) and not isfinite(value):
                raise SbomError("CANNOT_PARSE", f"the SBOM has the number {value}, which JSON doesn't know")
        seen += len(below)
        if seen > _MOST_VALUES:
            raise SbomError("FIELD_VALIDATION_FAILED", f"the SBOM has more than {_MOST_VALUES:,} values")
        if not below:
            return
        level = below
    raise SbomError("CANNOT_PARSE", f"the SBOM is nested deeper than {_DEEPEST_VALUE} levels")


def _holds_half_a_character(text: str) -> bool:
    """Whether a surrogate stands alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _check_kind(document: _Object) -> None:
    if document.get("bomFormat") != "CycloneDX":
        raise SbomError("UNSUPPORTED_SBOM_TYPE", "the SBOM is not CycloneDX: bomFormat must be CycloneDX")
    version = document.get("specVersion")
    if version != "1.5":
        said = f"{version[:20]}" if isinstance(version, str) else "missing"
        raise SbomError("UNSUPPORTED_SBOM_TYPE", f"only CycloneDX 1.5 is supported: specVersion is {said}")


class _Entry(Struct):
    """A component as it came, what is read of it, and where it stands among the others."""

    raw: _Object
    component: Component
    depth: int


def _entries(value: object, place: str) -> Iterator[_Entry]:
    """Every component, each before those within it."""
    count = 0
    stack: list[tuple[Iterator[object], int]] = [(_listed(value, place), 1)]
    while stack:
        siblings, depth = stack[-1]
        raw = next(siblings, None)
        if raw is None:
            stack.pop()
            continue
        if not isinstance(raw, dict):
            raise SbomError("CANNOT_PARSE", "the SBOM has a component that is not an object")
        count += 1
        if count > MOST_COMPONENTS:
            text = f"the SBOM has more than {MOST_COMPONENTS} components; scan it in parts"
            raise SbomError("FIELD_VALIDATION_FAILED", text)
        if depth > DEEPEST:
            raise SbomError("CANNOT_PARSE", f"the SBOM has components within more than {DEEPEST} others")
        yield _Entry(raw, component_of(raw), depth)
        stack.append((_listed(raw.get("components"), place), depth + 1))


def _listed(value: object, place: str) -> Iterator[object]:
    if value is None:
        return iter(())
    if not isinstance(value, list):
        raise SbomError("CANNOT_PARSE", f"the SBOM's {place} is not a list")
    # An empty place in a list is no end of it.
    return iter([each if each is not None else "" for each in value])


def _scanned(entries: list[_Entry], advisories: AdvisoryFile, today: str) -> tuple[Scanned, ...]:
    """Every component with its verdict, as the tree that they came in."""
    bill = Bill(components=tuple(each.component for each in entries))
    scan = _Scan(inventory_of(bill, Target(kind="sbom", name="sbom"), "sbom"), advisories, today)
    levels: list[list[Scanned]] = [[] for _ in range(DEEPEST + 2)]
    references = _references(each.raw for each in entries)
    # Backwards, so that what is within a component is there before it.
    for entry, reference in zip(reversed(entries), reversed(references), strict=True):
        within = tuple(reversed(levels[entry.depth + 1]))
        levels[entry.depth + 1].clear()
        levels[entry.depth].append(scan.component(entry, reference, within))
    return tuple(reversed(levels[1]))


def _references(components: Iterable[_Object]) -> list[str]:
    """Each component's `bom-ref`; one of our own (`comp-7`) where it has none, or one that is taken or endless."""
    declared = [_reference(each) for each in components]
    taken = set(declared)
    used: set[str] = set()
    found: list[str] = []
    number = 0
    for each in declared:
        reference = each
        while not reference or reference in used or (reference is not each and reference in taken):
            number += 1
            reference = f"comp-{number}"
        used.add(reference)
        found.append(reference)
    return found


def _reference(raw: _Object) -> str:
    value = raw.get("bom-ref")
    return value if isinstance(value, str) and len(value) <= _LONGEST_REFERENCE else ""


class _Judged(Struct, frozen=True):
    """What advisories say of a package. `known` says whether any names it at all."""

    findings: tuple[Finding, ...]
    doubts: tuple[str, ...]
    known: bool


class _Scan:
    """Judges the components of one document."""

    def __init__(self, inventory: Inventory, advisories: AdvisoryFile, today: str) -> None:
        self._advisories = advisories
        self._judge = Judge(inventory, advisories)
        self._packages = frozenset(inventory.packages)
        self._today = today
        self._judged: dict[Package, _Judged] = {}
        self._told: dict[str, tuple[Vulnerability, Words] | None] = {}  # None for a rejected one
        self._left = _MOST_OUT

    def component(self, entry: _Entry, reference: str, within: tuple[Scanned, ...]) -> Scanned:
        """One component, judged."""
        component = entry.component
        purl = component.purls[0] if component.purls else ""
        properties = dict(reversed(component.properties))
        verdict, judged = self._verdict(component, purl)
        scanned = Scanned(
            raw=entry.raw,
            ref=reference,
            verdict=verdict,
            purl=purl,
            path=properties.get(f"{_GENERATOR}source_path", "") or next((path for path, _ in component.places), ""),
            findings=tuple(finding for each in judged for finding in each.findings),
            doubts=tuple(dict.fromkeys(doubt for each in judged for doubt in each.doubts)),
            checks=tuple((found[1], value) for name, value in component.properties if (found := _CHECK(name))),
            end_of_life=self._end_of_life(component),
            within=within,
        )
        each_time = 200 + 2 * len(reference) + len(purl) + len(scanned.path)
        self._spend((len(scanned.findings) + len(scanned.checks)) * each_time)
        return scanned

    def _verdict(self, component: Component, purl: str) -> tuple[Verdict, list[_Judged]]:
        if component.kind == "operating-system" or (not purl and component.kind in NO_SOFTWARE):
            return "not_software", []
        if not purl:
            return "no_purl", []
        told = packages_of(component, purl)
        if not isinstance(told, Told):
            return ("unreadable_purl" if parse(purl[:_LONGEST_REFERENCE]) is None else "no_version"), []
        mine = [each for each in told.packages if each in self._packages]
        if not mine:
            return "no_rules", [_Judged((), ("its distribution is not the one of most packages",), known=False)]
        judged = [self._of(each) for each in mine]
        if any(each.findings for each in judged):
            return "vulnerable", judged
        if not any(each.known for each in judged):
            return "no_rules", judged
        return ("undecided" if any(each.doubts for each in judged) else "clean"), judged

    def _of(self, package: Package) -> _Judged:
        """The judgement of a package, wherever it lies."""
        bare = replace(package, location=Location(path=""), license="", vendor="", digest="")
        known = self._judged.get(bare)
        if known is None:
            known = self._judged[bare] = self._ask(bare)
        return known

    def _ask(self, package: Package) -> _Judged:
        matches, undecided = self._judge.package(package)
        findings = tuple(filter(None, map(self._finding, matches)))
        named = bool(matches or any(each.vulnerability for each in undecided)) or any(
            self._advisories.speaks_of(each.namespace, each.name) for each in self._judge.questions(package)
        )
        doubts = (f"{each.vulnerability}: {each.reason}".removeprefix(": ") for each in undecided)
        return _Judged(findings, tuple(dict.fromkeys(doubts)), known=named)

    def _finding(self, match: Match) -> Finding | None:
        name = match.vulnerability
        if name not in self._told:
            rejected = self._advisories.rejected((name,))
            self._told[name] = None if rejected else tell(name, self._advisories)
            told = self._told[name]
            if told is not None:
                about = told[0]
                self._spend(1000 + len(about.description) + sum(map(len, about.references)))
        told = self._told[name]
        return None if told is None else to_finding(match, *told)

    def _spend(self, size: int) -> None:
        """So many bytes more will be in the answer."""
        self._left -= size
        if self._left < 0:
            text = f"the report would be larger than {_MOST_OUT:,} bytes; scan the SBOM in parts"
            raise SbomError("OTHER", text)

    def _end_of_life(self, component: Component) -> str:
        """The moment at which a system went out of maintenance, "" while it is alive or for anything else."""
        if component.kind != "operating-system":
            return ""
        distribution = of_component(component)
        day = distribution.end_of_life if distribution is not None else ""
        return f"{day}T00:00:00Z" if day and day <= self._today else ""
