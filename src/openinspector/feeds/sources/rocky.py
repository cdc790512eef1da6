"""Rocky Linux: update information of each repository, and the errata that its service has as JSON; binary packages.

Update information doesn't say which module stream a modular build belongs to, the errata do. A modular build whose
stream is not named is reported and left out: compared across streams, every older stream would look vulnerable.

Source: https://errata.rockylinux.org, https://apollo.build.resf.org/api/v3/docs
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.streams import UNREADABLE_JSON, content
from openinspector.feeds.text import MAX_REFERENCES, clipped, distinct, evr, is_cve, iso
from openinspector.feeds.updateinfo import Build, Update, advisory, affected, on_every_architecture, updates
from openinspector.model.advisory import Advisory, Affected, Cvss
from openinspector.model.problem import Problem

# The project's own servers: a mirror of somebody's could leave updates out, and the information isn't signed.
_REPOSITORY: Final = "https://dl.rockylinux.org/pub/rocky/{release}/{repository}/x86_64/os"
_PAGE: Final = "https://errata.rockylinux.org/"


class _Flaw(Struct):
    cve: str = ""
    cvss3_scoring_vector: str | None = None
    cvss3_base_score: str | None = None
    cwe: str | None = None


class _Fix(Struct):
    source: str | None = None


class _Package(Struct):
    nevra: str = ""
    module_name: str | None = None
    module_stream: str | None = None
    product_name: str | None = None


class _Erratum(Struct):
    name: str
    synopsis: str = ""
    description: str | None = None
    kind: str = ""
    severity: str | None = None
    published_at: str | None = None
    updated_at: str | None = None
    cves: list[_Flaw] = []
    fixes: list[_Fix] = []
    packages: list[_Package] = []


class _Page(Struct):
    advisories: list[msgspec.Raw]


class Rocky:
    """Rocky Linux 8 and later."""

    name = "rocky"
    title = "Rocky Linux"
    revision = 1
    repeats: Final = "add"
    sources = (
        *(
            Source(
                path=f"rocky/{release}/{repository}/updateinfo.xml.gz",
                url=_REPOSITORY.format(repository=repository, release=release),
                how="yum-repository",
            )
            for release in (8, 9, 10)
            for repository in ("BaseOS", "AppStream")
        ),
        Source(path="rocky/*/*/updateinfo.xml*"),
        Source(path="rocky/errata/*.json"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """The errata of one repository or one page."""
        if document.path.endswith(".json"):
            return self._errata(document)
        return self._updates(document)

    def _updates(self, document: Document) -> Iterator[Record]:
        nameless = 0
        for update in updates(document, self.name):
            if isinstance(update, Problem):
                yield update
                continue
            if update.type != "security":
                continue
            release = _release(update)
            if not release or not update.builds:
                missing = "packages" if release else "release"
                yield Problem(path=document.path, reason=f"{update.id}: names no {missing}", format=self.name)
                continue
            builds = [build for build in update.builds if build.module or ".module+el" not in build.version]
            nameless += len(update.builds) - len(builds)
            if builds:
                # A repository holds the builds of one architecture; the others got the same versions.
                concerned = on_every_architecture(affected(builds, f"rocky:{release}"))
                yield advisory(update, concerned, url=_PAGE + update.id)
        if nameless:
            reason = "modular packages without the name of their stream"
            yield Problem(path=document.path, reason=reason, format=self.name, count=nameless)

    def _errata(self, document: Document) -> Iterator[Record]:
        data = content(document)
        try:
            page = msgspec.json.decode(data, type=_Page)
        except UNREADABLE_JSON as error:
            raise FeedError(f"rocky: {document.path}: {error}") from error
        decoder = msgspec.json.Decoder(_Erratum)
        for raw in page.advisories:
            try:
                erratum = decoder.decode(raw)
            except UNREADABLE_JSON as error:
                yield Problem(path=document.path, reason=str(error), format=self.name)
                continue
            if erratum.kind not in ("Security", ""):
                continue
            broken = sum(_build(package) is None for package in erratum.packages)
            if broken:
                reason = f"{erratum.name}: packages without name, version or release"
                yield Problem(path=document.path, reason=reason, format=self.name, count=broken)
            yield _advisory(erratum)


def _release(update: Update) -> str:
    """`9` of the package list `rocky-linux-9-x86-64-baseos-rpms` or `RL9`, else of the first build's `.el9`."""
    for short in update.collections:
        tail = short.removeprefix("rocky-linux-").removeprefix("RL").partition("-")[0]
        if tail != short and tail.isdigit():
            return tail
    return next((major for build in update.builds if (major := _dist(build.version))), "")


def _dist(version: str) -> str:
    """The major release that an RPM's release names: `8` of `1-2.el8_4` and of `1-2.module+el8.9.0+1+a`."""
    _, mark, tail = version.rpartition("el")
    return tail[: len(tail) - len(tail.lstrip("0123456789"))] if mark else ""


def _build(package: _Package) -> tuple[str, Build] | None:
    """The release and the build of `delve-0:1.25.2-1.el10_1.aarch64.rpm` in `Rocky Linux 10 aarch64`."""
    nevr, _, arch = package.nevra.removesuffix(".rpm").rpartition(".")
    name_version, _, release = nevr.rpartition("-")
    name, _, version = name_version.rpartition("-")
    epoch, _, version = version.rpartition(":")
    words = (package.product_name or "").split()
    major = next((word.partition(".")[0] for word in words if word[:1].isdigit()), "") or _dist(release)
    if not (name and version and release and arch and major):
        return None
    module = f"{package.module_name}:{package.module_stream}" if package.module_name and package.module_stream else ""
    return major, Build(name=name, version=evr(epoch, version, release), arch=arch, module=module)


def _advisory(erratum: _Erratum) -> Advisory:
    of_release: dict[str, list[Build]] = {}
    for package in erratum.packages:
        read = _build(package)
        if read is not None:
            of_release.setdefault(read[0], []).append(read[1])
    concerned: list[Affected] = []
    for release, builds in of_release.items():
        concerned.extend(affected(builds, f"rocky:{release}"))
    return Advisory(
        id=erratum.name,
        vulnerabilities=distinct(flaw.cve for flaw in erratum.cves if is_cve(flaw.cve)),
        title=erratum.synopsis,
        description=clipped(erratum.description or ""),
        severity="" if (erratum.severity or "").lower() == "none" else erratum.severity or "",
        cvss=_cvss(erratum),
        cwes=distinct(flaw.cwe for flaw in erratum.cves if flaw.cwe and flaw.cwe.startswith("CWE-")),
        references=distinct((fix.source or "" for fix in erratum.fixes), MAX_REFERENCES),
        url=_PAGE + erratum.name,
        published=iso(erratum.published_at or ""),
        modified=iso(erratum.updated_at or ""),
        affected=tuple(concerned),
    )


def _cvss(erratum: _Erratum) -> tuple[Cvss, ...]:
    """The vector, where the erratum is about one flaw: an advisory's vector can't be said of several."""
    if len(erratum.cves) != 1:
        return ()
    flaw = erratum.cves[0]
    vector = flaw.cvss3_scoring_vector or ""
    if not vector.startswith("CVSS:3"):
        return ()
    try:
        score = float(flaw.cvss3_base_score or "")
    except ValueError:
        return (Cvss(vector=vector, source="Red Hat"),)
    return (Cvss(vector=vector, source="Red Hat", score=score),)


PLUGIN: Final[Feed] = Rocky()
