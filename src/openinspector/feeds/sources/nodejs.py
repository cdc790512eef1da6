"""The Node.js project's own advisories: of its runtime (`vuln/core`) and, until 2019, of npm packages (`vuln/npm`).

    {"cve": ["CVE-2022-43548"], "vulnerable": "14.x || 16.x", "patched": "^14.21.1 || ^16.18.1", …}
    {"id": 96, "module_name": "airbrake", "vulnerable_versions": "<=0.3.8", "patched_versions": ">=0.4.0", …}

`vuln/deps` lists flaws of bundled libraries that Node.js does not have, and the `index.json` files repeat the rest.

Source: https://github.com/nodejs/security-wg
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from openinspector.errors import VersionError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.intervals import npm_intervals, without
from openinspector.feeds.streams import zip_members
from openinspector.model.advisory import Advisory, Affected, Cvss, Range
from openinspector.model.problem import Problem

_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,}")


class _Core(Struct, frozen=True):
    vulnerable: str
    cve: list[str] | None = None
    patched: str | None = None
    ref: str | None = None
    description: str | None = None
    overview: str | None = None
    severity: str | None = None
    publish_date: str | None = None


class _Npm(Struct, frozen=True):
    id: int
    module_name: str
    vulnerable_versions: str
    patched_versions: str | None = None
    title: str | None = None
    overview: str | None = None
    cves: list[str] | None = None
    references: list[str] | None = None
    cvss_vector: str | None = None
    cvss_score: float | None = None
    publish_date: str | None = None
    updated_at: str | None = None


class NodeJs:
    """The runtime is `node` in namespace `generic`; packages are in namespace `npm`."""

    name = "nodejs"
    title = "Node.js security working group"
    revision = 2
    repeats: Final = "add"
    sources = (
        Source(
            path="nodejs/security-wg-vuln.zip",
            url="https://github.com/nodejs/security-wg/archive/main.zip",
        ),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """The advisories of the repository's archive."""
        for name, data in zip_members(document, ".json"):
            parts = name.split("/")
            if len(parts) < 3 or parts[-3] != "vuln" or parts[-1] == "index.json":
                continue
            number = parts[-1].removesuffix(".json")
            try:
                if parts[-2] == "core":
                    advisory = _of_core(msgspec.json.decode(data, type=_Core), number)
                elif parts[-2] == "npm":
                    advisory = _of_npm(msgspec.json.decode(data, type=_Npm))
                else:
                    continue
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, VersionError) as error:
                yield Problem(path=document.path, reason=f"{name[:200]}: {error}", format=self.name)
                continue
            if advisory is not None:
                yield advisory


def _of_core(record: _Core, number: str) -> Advisory | None:
    ranges = _ranges(record.vulnerable, record.patched)
    if ranges is None:
        return None
    cves = _cves(record.cve)
    return Advisory(
        id=f"nodejs-core-{number}",
        vulnerabilities=cves,
        title=record.description or "",
        description=(record.overview or "")[:2000],
        severity=record.severity if record.severity not in (None, "unknown") else "",
        references=(record.ref,) if record.ref else (),
        url=f"https://github.com/nodejs/security-wg/blob/main/vuln/core/{number}.json",
        published=_moment(record.publish_date),
        affected=(Affected(namespace="generic", name="node", ranges=ranges),),
    )


def _of_npm(record: _Npm) -> Advisory | None:
    ranges = _ranges(record.vulnerable_versions, record.patched_versions)
    if ranges is None:
        return None
    vector = (record.cvss_vector or "").strip()
    return Advisory(
        id=f"NSWG-ECO-{record.id}",
        vulnerabilities=_cves(record.cves),
        title=record.title or "",
        description=(record.overview or "")[:2000],
        cvss=(Cvss(vector=vector, source="nodejs", score=record.cvss_score),) if vector.startswith("CVSS:") else (),
        references=tuple(record.references or ())[:20],
        url=f"https://github.com/nodejs/security-wg/blob/main/vuln/npm/{record.id}.json",
        published=_moment(record.publish_date),
        modified=_moment(record.updated_at),
        affected=(Affected(namespace="npm", name=record.module_name, ranges=ranges),),
    )


def _ranges(vulnerable: str, patched: str | None) -> tuple[Range, ...] | None:
    """What is vulnerable and not patched: `8.x` without `^8.1.4` is 8.0.0 up to 8.1.4."""
    from openinspector.versions.order import scheme

    key = scheme("npm").key
    safe = npm_intervals(patched, key) if patched and patched.strip() else ()
    return without(npm_intervals(vulnerable, key), safe, key)


def _cves(cves: list[str] | None) -> tuple[str, ...]:
    """The CVEs of a list, without the letters that some carry (`CVE-2014-4671A`)."""
    return tuple(dict.fromkeys(found[0] for each in cves or () if (found := _CVE.search(each))))


def _moment(date: str | None) -> str:
    return f"{date[:10]}T00:00:00Z" if date and len(date) >= 10 and date[4] == "-" else ""


PLUGIN: Final[Feed] = NodeJs()
