"""SUSE's CSAF documents: advisories (SUSE-SU, openSUSE-SU) and VEX documents, one a CVE; binary packages.

Products are known by their names alone: `SUSE Linux Enterprise Server 15
SP5:openssl-1_1-1.1.1l-150500.17.22.1.x86_64`. Server, Desktop, modules and extensions of one service pack share one
code base and so one namespace; so does long-term support, whose fixes are marked.

Source: https://www.suse.com/support/security/csaf/
"""

from collections.abc import Generator, Iterable, Iterator
from typing import Final

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.csaf import Components, Csaf, Vulnerability, note, read, unfixed_states, vectors
from openinspector.feeds.purl import rpm_purl
from openinspector.feeds.streams import content, tar_members
from openinspector.feeds.text import MAX_REFERENCES, clipped, distinct, is_cve, is_debug, iso, without_zero_epoch
from openinspector.model.advisory import Advisory, Affected, Range, State
from openinspector.model.problem import Problem

_BASE: Final = "https://ftp.suse.com/pub/projects/security/"

_ARCHITECTURES: Final = frozenset(
    ("noarch", "x86_64", "aarch64", "i386", "i586", "i686", "ppc", "ppc64", "ppc64le", "s390", "s390x", "ia64")
    + ("armv6hl", "armv7hl", "riscv64", "src", "nosrc")
)

# Products that are no part of the Linux Enterprise code base of a service pack, although their names begin so.
_OTHER_PRODUCTS: Final = ("Micro", "Liberty", "Container", "Base Container")

# Modules of SUSE Linux Enterprise 12 serve all its service packs and have none in their names.
_SERVICE_PACKS_OF_12: Final = ("12", "12.1", "12.2", "12.3", "12.4", "12.5")


def _with_changes(kind: str) -> tuple[Source, Source]:
    """The archive of one kind of documents, and those that changed since it was made."""
    archive = f"suse/{kind}.tar.bz2"
    changes = f"suse/{kind}-changes.tar.zst"
    return (
        Source(path=archive, url=f"{_BASE}{kind}.tar.bz2", days=7),
        Source(path=changes, url=f"{_BASE}{kind}/changes.csv", how="csaf-changes", of=archive),
    )


class SuseCsaf:
    """Both kinds of documents, as archives or one by one."""

    name = "suse"
    title = "SUSE CSAF"
    revision = 2
    repeats: Final = "replace"
    sources = (
        *_with_changes("csaf"),
        *_with_changes("csaf-vex"),
        Source(path="suse/csaf*/*.json"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """One advisory a document."""
        elsewhere = 0
        if document.path.endswith(".json"):
            elsewhere = yield from _records(read(content(document), document.path), document.path)
        else:
            for name, data in tar_members(document, ".json"):
                path = f"{document.path}!{name}"
                try:
                    csaf = read(data, path)
                except FeedError as error:
                    yield Problem(path=path, reason=str(error), format=self.name)
                    continue
                elsewhere += yield from _records(csaf, path)
        if elsewhere:
            reason = "statements about other products than SUSE Linux Enterprise and openSUSE are not read"
            yield Problem(path=document.path, reason=reason, format=self.name, count=elsewhere)


def _records(csaf: Csaf, path: str) -> Generator[Record, None, int]:
    """The records of one document; returns how many of its statements are about other products."""
    head, flaws = csaf.document, csaf.vulnerabilities
    if not head.tracking.id:
        yield Problem(path=path, reason="a document without an id", format=SuseCsaf.name)
        return 0
    statements = _Statements(csaf)
    concerned = tuple(statements.affected())
    if statements.unknown:
        reason = "statements about unknown components"
        yield Problem(path=path, reason=reason, format=SuseCsaf.name, count=statements.unknown)
    cves = distinct(flaw.cve for flaw in flaws if is_cve(flaw.cve))
    alone = flaws[0] if len(flaws) == 1 else Vulnerability()
    yield Advisory(
        # A VEX document is called as its CVE is; it is SUSE's statement all the same.
        id=f"SUSE-{head.tracking.id}" if is_cve(head.tracking.id) else head.tracking.id,
        vulnerabilities=cves,
        title=head.title,
        description=clipped(note(alone.notes, "general", "description") or note(head.notes, "description", "summary")),
        severity=head.aggregate_severity.text,
        # An advisory's vector can't be said of several flaws.
        cvss=vectors(alone.scores, "SUSE"),
        cwes=distinct(flaw.cwe.id for flaw in flaws if flaw.cwe is not None),
        references=distinct((each.url for each in (*alone.references, *head.references)), MAX_REFERENCES),
        url=_page(csaf),
        published=iso(head.tracking.initial_release_date),
        modified=iso(head.tracking.current_release_date),
        withdrawn=iso(head.tracking.current_release_date) if head.tracking.status == "deleted" else "",
        affected=concerned,
    )
    return statements.elsewhere


def _page(csaf: Csaf) -> str:
    """The page of a flaw or an announcement; openSUSE's announcements are letters to a list."""
    identifier = csaf.document.tracking.id
    if is_cve(identifier):
        return f"https://www.suse.com/security/cve/{identifier}.html"
    links = [each.url for each in csaf.document.references]
    announced = (link for part in ("/announcement/", "://lists.") for link in links if part in link)
    return next(announced, "")


def _namespaces(product: str) -> tuple[tuple[str, ...], str]:
    """The namespaces that a product's name stands for (none for other products), and the mark of its long-term support.

    `SUSE Linux Enterprise Server 15 SP5-LTSS` → (`sles:15.5`,), `LTSS`; `openSUSE Leap 15.6` →
    (`opensuse-leap:15.6`,), "".
    """
    words = product.split()
    if words[:2] == ["openSUSE", "Tumbleweed"]:
        return ("opensuse-tumbleweed",), ""
    if words[:2] == ["openSUSE", "Leap"] and len(words) > 2 and words[2][:1].isdigit():
        return (f"opensuse-leap:{words[2]}",), ""
    if words[:3] != ["SUSE", "Linux", "Enterprise"] or any(word in _OTHER_PRODUCTS for word in words):
        return (), ""
    for index, word in enumerate(words[3:], 3):
        version, _, support = word.partition("-")
        if not version.replace(".", "", 1).isdigit():
            continue
        pack = words[index + 1] if index + 1 < len(words) else ""
        pack, _, pack_support = pack.partition("-")
        if pack.startswith("SP") and pack[2:].isdigit():
            return (f"sles:{version}.{pack[2:]}",), pack_support
        if version == "12" and "Module" in words:
            return tuple(f"sles:{each}" for each in _SERVICE_PACKS_OF_12), support
        return (f"sles:{version}",), support
    return (), ""


def _nevra(text: str) -> tuple[str, str, str]:
    """Name, version and architecture ("" where not said) of `bind-libs-9.9.4P2-0.6.1.x86_64`; no name: no package."""
    head, _, arch = text.rpartition(".")
    if arch not in _ARCHITECTURES:
        head, arch = text, ""
    rest, _, release = head.rpartition("-")
    name, _, version = rest.rpartition("-")
    if not (name and version and release):
        return "", "", ""
    return name, without_zero_epoch(f"{version}-{release}"), arch


class _Statements:
    """What a document says, gathered by package."""

    def __init__(self, csaf: Csaf) -> None:
        self.elsewhere = 0
        self.unknown = 0
        self._components = Components(csaf.product_tree)
        self._places: dict[str, tuple[tuple[str, ...], str]] = {}
        # (namespace, name, version, mark) → architectures
        self._fixes: dict[tuple[str, str, str, str], set[str]] = {}
        # (namespace, name) → state and words
        self._states: dict[tuple[str, str], tuple[State, str]] = {}
        for flaw in csaf.vulnerabilities:
            status = flaw.product_status
            self._fixed((*status.recommended, *status.fixed, *status.first_fixed))
            unfixed = unfixed_states(flaw.remediations)
            for component_id in (*status.known_affected, *status.first_affected, *status.last_affected):
                self._whole(component_id, *unfixed.get(component_id, ("affected", "")))
            for component_id in status.under_investigation:
                self._whole(component_id, "under_investigation", "")
            for component_id in status.known_not_affected:
                self._whole(component_id, "not_affected", "")

    def affected(self) -> Iterator[Affected]:
        """The statements in our words."""
        fixed = {(namespace, name) for namespace, name, _, _ in self._fixes}
        for (namespace, name, version, mark), arches in self._fixes.items():
            yield Affected(
                namespace=namespace,
                name=name,
                ranges=(Range(fixed=version),),
                arches=() if arches & {"noarch", ""} else tuple(sorted(arches)),
                note=mark,
            )
        for (namespace, name), (state, words) in self._states.items():
            # A product out of support stays "affected" while its long-term support has the fix: a bound says more.
            if (namespace, name) not in fixed:
                yield Affected(namespace=namespace, name=name, state=state, note=words)

    def _resolved(self, component_id: str) -> tuple[tuple[str, ...], str, str] | None:
        """The namespaces, mark and package id of a component; None, and counted, for what we don't read."""
        resolved = self._components.resolve(component_id)
        if resolved is None:
            self.unknown += 1
            return None
        product, (package_id, *_) = resolved
        place = self._places.get(product)
        if place is None:
            place = self._places[product] = _namespaces(product)
        namespaces, mark = place
        if not namespaces:
            self.elsewhere += 1
            return None
        return namespaces, mark, package_id

    def _fixed(self, component_ids: Iterable[str]) -> None:
        for component_id in component_ids:
            resolved = self._resolved(component_id)
            if resolved is None:
                continue
            namespaces, mark, package_id = resolved
            name, version, arch = self._package(package_id)
            if not name:
                self.unknown += 1
                continue
            if arch in ("src", "nosrc") or is_debug(name):
                continue
            for namespace in namespaces:
                self._fixes.setdefault((namespace, name, version, mark), set()).add(arch)

    def _package(self, package_id: str) -> tuple[str, str, str]:
        purl = rpm_purl(self._components.helper(package_id).purl)
        if purl is not None and purl.name and "-" in purl.version:
            epoch = purl.qualifiers.get("epoch", "0")
            version = purl.version if epoch == "0" else f"{epoch}:{purl.version}"
            return purl.name, version, purl.qualifiers.get("arch", "")
        return _nevra(package_id)

    def _whole(self, component_id: str, state: State, words: str) -> None:
        resolved = self._resolved(component_id)
        if resolved is None or is_debug(resolved[2]):
            return
        namespaces, _, package_id = resolved
        purl = rpm_purl(self._components.helper(package_id).purl)
        name = purl.name if purl is not None and purl.name else package_id
        for namespace in namespaces:
            known = self._states.get((namespace, name))
            # Of two products of one namespace the one that is affected counts.
            if known is None or known[0] == "not_affected":
                self._states[namespace, name] = state, words


PLUGIN: Final[Feed] = SuseCsaf()
