"""A former report as a baseline: which findings were known, so that a gate counts the new ones only.

A finding is the same when the vulnerability (by any of its names), the package's type and name, and the place are the
same. The version is no part of it: an update that doesn't fix the flaw is no news, and a rebuild must not turn every
finding into a new one; where a path holds the version (`jinja2-3.1.2.dist-info`), it is taken out for the same reason.
The layer is none either: it changes with every build.

What the former report had suppressed is not known: when an ignore entry expires or a VEX statement is withdrawn, the
finding is new to whoever gates on it.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from openinspector.errors import UsageError
from openinspector.model.ecosystem import canonical_name
from openinspector.model.match import Finding
from openinspector.model.package import Package

_MAJOR: Final = "1."

Key = tuple[str, str, str, str]  # vulnerability, type, name, place


class _Location(Struct):
    path: str = ""


class _Package(Struct):
    type: str
    name: str
    version: str
    location: _Location


class _Finding(Struct):
    vulnerability: str
    package: _Package
    suppressed: str = ""
    known_since: str = ""


class _Vulnerability(Struct):
    aliases: list[str] = []


class _Target(Struct):
    kind: str = ""
    name: str = ""


class _Report(Struct):
    schema_version: str
    scanned_at: str
    target: _Target
    findings: list[_Finding]
    vulnerabilities: dict[str, _Vulnerability] = {}


class Baseline(Struct, frozen=True, kw_only=True):
    """Every finding of a former report, with the moment since which it has been known."""

    path: str
    target: str  # `image registry.example/app:1`
    scanned_at: str
    count: int  # findings that are not suppressed
    known: dict[Key, str]


def read_baseline(data: bytes, path: str) -> Baseline:
    """A report of ours in JSON.

    Raises:
        UsageError: It is none, or one whose keys mean something else.
    """
    try:
        report = msgspec.json.decode(data, type=_Report)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is no report of ours (scan --format json): {error}") from error
    if not report.schema_version.startswith(_MAJOR):
        raise UsageError(f"{path} is a report of version {report.schema_version[:20]}; {_MAJOR}x can be a baseline")
    shown = [each for each in report.findings if not each.suppressed]
    known: dict[Key, str] = {}
    for each in shown:
        about = report.vulnerabilities.get(each.vulnerability)
        package = each.package
        since = each.known_since or report.scanned_at
        for key in _keys(
            (each.vulnerability, *(about.aliases if about else ())),
            package.type,
            package.name,
            package.version,
            package.location.path,
        ):
            known[key] = min(known.get(key, since), since)
    return Baseline(
        path=path,
        target=f"{report.target.kind} {report.target.name}",
        scanned_at=report.scanned_at,
        count=len(shown),
        known=known,
    )


def known_since(finding: Finding, baseline: Baseline) -> str:
    """The moment since which a finding has been known; "" for a new one."""
    about, package = finding.vulnerability, finding.match.package
    return _since((about.id, *about.aliases), package, baseline)


def _since(names: Sequence[str], package: Package, baseline: Baseline) -> str:
    keys = _keys(names, package.type, package.name, package.version, package.location.path)
    return min((baseline.known[key] for key in keys if key in baseline.known), default="")


def _keys(names: Iterable[str], type_: str, name: str, version: str, path: str) -> list[Key]:
    place = path.replace(version, "*") if version else path
    called = canonical_name(type_, name)
    return [(each, type_, called, place) for each in names]
