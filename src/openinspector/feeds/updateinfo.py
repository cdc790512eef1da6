"""Yum's update information (`updateinfo.xml`), as Amazon, Rocky, Fedora and Bottlerocket publish it.

Source: createrepo_c's updateinfo; https://github.com/rpm-software-management/createrepo_c
"""

from collections.abc import Iterator, Sequence
from html import unescape
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from openinspector.feeds.contract import Document
from openinspector.feeds.streams import unpacked
from openinspector.feeds.text import MAX_REFERENCES, clipped, cves_in, distinct, evr, is_cve, is_debug, iso, shown
from openinspector.feeds.xml import elements, local
from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.model.problem import Problem

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_UPDATE = frozenset(("update",))


class Reference(Struct, frozen=True, kw_only=True):
    """A link of an update: `id` is a CVE, a bug or another advisory; `type` says which (`cve`, `bugzilla`, `self`)."""

    id: str
    type: str
    title: str
    href: str


class Build(Struct, frozen=True, kw_only=True):
    """One package that an update brings; `version` is `epoch:version-release`, `module` is `name:stream` or ""."""

    name: str
    version: str
    arch: str
    module: str


class Update(Struct, frozen=True, kw_only=True):
    """One `<update>` as written; `collections` are the short names of its package lists."""

    id: str
    title: str
    type: str
    status: str
    issued: str
    updated: str
    severity: str
    description: str
    references: tuple[Reference, ...]
    collections: tuple[str, ...]
    builds: tuple[Build, ...]


def updates(document: Document, feed: str) -> Iterator[Update | Problem]:
    """The updates of a document in its order, and a problem for each that makes no sense, as a whole or in part.

    Raises:
        FeedError: The document can't be read.
    """
    with unpacked(document) as stream:
        for _, element in elements(stream, document.path, "updates", _UPDATE):
            update = _update(element)
            if not update.id:
                reason = f"an update without an id (its title: {shown(update.title)})"
                yield Problem(path=document.path, reason=reason, format=feed)
                continue
            named = tuple(build for build in update.builds if build.name and build.version)
            if len(named) < len(update.builds):
                reason = f"{update.id}: packages without name or version"
                yield Problem(path=document.path, reason=reason, format=feed, count=len(update.builds) - len(named))
                update = structs.replace(update, builds=named)
            yield update


def _update(element: "Element") -> Update:
    texts: dict[str, str] = {}
    dates: dict[str, str] = {}
    references: list[Reference] = []
    collections: list[str] = []
    builds: list[Build] = []
    for child in element:
        match local(child.tag):
            case "issued" | "updated" as name:
                dates[name] = child.get("date", "")
            case "references":
                references.extend(
                    Reference(
                        id=item.get("id", "").strip(),
                        type=item.get("type", ""),
                        title=item.get("title", ""),
                        href=item.get("href", ""),
                    )
                    for item in child
                )
            case "pkglist":
                for collection in child:
                    collections.append(collection.get("short", ""))
                    builds.extend(_builds(collection))
            case name:
                texts[name] = (child.text or "").strip()
    return Update(
        id=texts.get("id", ""),
        title=texts.get("title", ""),
        type=element.get("type", ""),
        status=element.get("status", ""),
        issued=iso(dates.get("issued", "")),
        updated=iso(dates.get("updated", "")),
        severity=texts.get("severity", ""),
        description=texts.get("description", ""),
        references=tuple(references),
        collections=tuple(collections),
        builds=tuple(builds),
    )


def _builds(collection: "Element") -> Iterator[Build]:
    module = ""
    for item in collection:
        tag = local(item.tag)
        if tag == "module":
            name, stream = item.get("name", ""), item.get("stream", "")
            module = f"{name}:{stream}" if name and stream else ""
        elif tag == "package":
            yield Build(
                name=item.get("name", ""),
                version=evr(item.get("epoch", ""), item.get("version", ""), item.get("release", ""))
                if item.get("version")
                else "",
                arch=item.get("arch", ""),
                module=module,
            )


def affected(builds: Sequence[Build], namespace: str, repository: str = "") -> tuple[Affected, ...]:
    """What the updates of binary packages fix: one entry for each name and version, with its architectures.

    Source packages and debugging symbols are left out: nobody is exposed by having them.
    """
    arches: dict[tuple[str, str, str], dict[str, None]] = {}
    for build in builds:
        if build.name and build.version and build.arch not in ("src", "nosrc") and not is_debug(build.name):
            arches.setdefault((build.name, build.version, build.module), {})[build.arch] = None
    return tuple(
        Affected(
            namespace=namespace,
            name=name,
            ranges=(Range(fixed=version),),
            module=module,
            # A `noarch` build replaces whatever architecture was installed before it.
            arches=() if "noarch" in each or "" in each else tuple(sorted(each)),
            repository=repository,
        )
        for (name, version, module), each in arches.items()
    )


def on_every_architecture(concerned: tuple[Affected, ...]) -> tuple[Affected, ...]:
    """The same without architectures, for a repository that holds the builds of one architecture out of several."""
    return tuple(dict.fromkeys(structs.replace(each, arches=()) for each in concerned))


def named_flaws(update: Update) -> tuple[str, ...]:
    """The CVEs of an update: those it refers to; where none, those that the titles of its bugs or its text name."""
    referred = distinct(each.id for each in update.references if is_cve(each.id))
    if referred:
        return referred
    titles = "\n".join(each.title for each in update.references)
    return cves_in(titles) or cves_in(f"{update.title}\n{update.description}")


def advisory(update: Update, concerned: tuple[Affected, ...], url: str = "") -> Advisory:
    """An update in our words."""
    return Advisory(
        id=update.id,
        vulnerabilities=named_flaws(update),
        title=unescape(update.title),
        # Amazon escapes some of its texts twice; what is still escaped after the XML reader was not meant to be.
        description=clipped(unescape(update.description)),
        severity="" if update.severity.lower() == "none" else update.severity,
        references=distinct((each.href for each in update.references), MAX_REFERENCES),
        url=url,
        published=update.issued,
        modified=update.updated,
        affected=concerned,
    )
