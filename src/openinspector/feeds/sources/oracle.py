"""Oracle Linux: all errata (ELSA) as OVAL, binary packages.

Fixes differ by architecture more often than elsewhere. Packages patched at run time (Ksplice) have versions and
advisories of their own; they are meant for machines that use them, so that such entries name `ksplice` as their
repository.

Source: https://linux.oracle.com/security/oval/
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.oval import Alternative, Definition, Oval, read
from openinspector.feeds.streams import unpacked
from openinspector.feeds.text import MAX_REFERENCES, clipped, distinct, is_cve, is_debug, without_zero_epoch
from openinspector.model.advisory import Advisory, Affected, Cvss, Range
from openinspector.model.problem import Problem

_PLATFORM: Final = "Oracle Linux "


class _Key(Struct, frozen=True, kw_only=True):
    """What makes two cases one, whatever their architectures."""

    namespace: str
    name: str
    fixed: str
    module: str
    repository: str


class Oracle:
    """The publisher's one file of everything."""

    name = "oracle"
    title = "Oracle Linux"
    revision = 1
    repeats: Final = "add"
    sources = (
        Source(
            path="oracle/com.oracle.elsa-all.xml.bz2",
            url="https://linux.oracle.com/security/oval/com.oracle.elsa-all.xml.bz2",
        ),
        Source(path="oracle/com.oracle.elsa-*.xml*"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """One advisory an erratum."""
        with unpacked(document) as stream:
            oval = read(stream, document.path)
        readable = 0
        for definition in oval.definitions:
            try:
                yield _advisory(definition, _identifier(definition), tuple(_affected(oval, definition)))
                readable += 1
            except ValueError as error:
                yield Problem(path=document.path, reason=f"{definition.id}: {error}", format=self.name)
        if not readable:
            raise FeedError(f"oracle: {document.path}: none of its definitions can be read")


def _identifier(definition: Definition) -> str:
    """`ELSA-2007-0057`: its own reference, else the first word of its title.

    Raises:
        ValueError: It has neither.
    """
    referred = next((each.id for each in definition.references if each.source.lower() == "elsa"), "")
    first = definition.title.partition(" ")[0].rstrip(":")
    if not referred and not (first.startswith("EL") and "-" in first):
        raise ValueError("names no erratum")
    return referred or first


def _affected(oval: Oval, definition: Definition) -> Iterator[Affected]:
    """The packages that an erratum fixes.

    Raises:
        ValueError: Its criteria make no sense.
    """
    arches: dict[_Key, set[str]] = {}
    for case in oval.alternatives(definition):
        releases = _releases(case, definition)
        if not releases:
            raise ValueError("names no release")
        for bound in case.bounds:
            if bound.operation != "less than":
                raise ValueError(f"{bound.package} is {bound.operation} {bound.evr}, which no erratum should say")
            if not bound.package or is_debug(bound.package):
                continue
            ksplice = any("ksplice" in mark for mark in case.marks) or ".ksplice" in bound.evr
            for release in releases:
                key = _Key(
                    namespace=f"oracle:{release}",
                    name=bound.package,
                    fixed=without_zero_epoch(bound.evr),
                    module=case.module,
                    repository="ksplice" if ksplice else "",
                )
                arches.setdefault(key, set()).add(case.arch)
    for key, each in arches.items():
        yield Affected(
            namespace=key.namespace,
            name=key.name,
            ranges=(Range(fixed=key.fixed),),
            module=key.module,
            # The architecture is that of the machine: `i386` runs i586 and i686 packages, any runs noarch ones.
            arches=() if "" in each else tuple(sorted(_package_arches(each))),
            repository=key.repository,
        )


def _releases(case: Alternative, definition: Definition) -> tuple[str, ...]:
    """The release that the criteria test (`^8`), else those of the platforms (`Oracle Linux 8`)."""
    release = case.release.strip("^$").replace("\\", "").partition(".")[0]
    if release.isdigit():
        return (release,)
    return distinct(
        each.removeprefix(_PLATFORM).partition(".")[0]
        for each in definition.platforms
        if each.startswith(_PLATFORM) and each.removeprefix(_PLATFORM)[:1].isdigit()
    )


def _package_arches(machines: set[str]) -> set[str]:
    arches = {*machines, "noarch"}
    if arches & {"i386", "x86_64"}:
        arches |= {"i386", "i586", "i686"}
    return arches


def _advisory(definition: Definition, identifier: str, concerned: tuple[Affected, ...]) -> Advisory:
    flaws = definition.flaws
    named = (*(flaw.id for flaw in flaws), *(each.id for each in definition.references))
    page = next((each.url for each in definition.references if each.id == identifier), "")
    return Advisory(
        id=identifier,
        vulnerabilities=distinct(name for name in named if is_cve(name)),
        title=definition.title,
        description=clipped(definition.description),
        severity="" if definition.severity.upper() in ("NA", "N/A") else definition.severity,
        cvss=_cvss(definition),
        cwes=distinct(flaw.cwe for flaw in flaws if flaw.cwe.startswith("CWE-")) if len(flaws) == 1 else (),
        references=distinct((each.url for each in definition.references), MAX_REFERENCES),
        url=page or f"https://linux.oracle.com/errata/{identifier}.html",
        published=definition.published,
        affected=concerned,
    )


def _cvss(definition: Definition) -> tuple[Cvss, ...]:
    """The vectors, where the erratum is about one flaw: `7.8/AV:N/AC:L/Au:N/C:N/I:N/A:C`, `7.5/CVSS:3.1/AV:N/…`."""
    if len(definition.flaws) != 1:
        return ()
    found: list[Cvss] = []
    for text in (definition.flaws[0].cvss3, definition.flaws[0].cvss2):
        number, _, vector = text.partition("/")
        try:
            score = float(number)
        except ValueError:
            continue
        if vector.startswith(("CVSS:3", "AV:")) and 0.0 <= score <= 10.0:
            found.append(Cvss(vector=vector, source="Oracle", score=score))
    return tuple(found)


PLUGIN: Final[Feed] = Oracle()
