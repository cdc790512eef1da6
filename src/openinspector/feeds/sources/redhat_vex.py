"""Red Hat's VEX documents, one a CVE: what is fixed where, what will not be, and what is not affected.

Only Red Hat Enterprise Linux itself is read; statements about other products are counted. The long-life streams of a
minor release are apart from the base repositories (`eus:9.2`): their fixes have versions of their own. A fix is said
of binary packages; what has no fix is said of components, which are source packages unless the document also lists
the binary ones.

Source: https://security.access.redhat.com/data/csaf/v2/vex/,
https://redhatproductsecurity.github.io/security-data-guidelines/csaf-vex/
"""

from collections.abc import Generator, Iterator
from typing import Final, Literal

from msgspec import Struct

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document, Feed, Record, Source
from openinspector.feeds.csaf import Components, Csaf, Vulnerability, impacts, note, read, unfixed_states, vectors
from openinspector.feeds.purl import rpm_purl
from openinspector.feeds.streams import content, tar_members
from openinspector.feeds.text import MAX_REFERENCES, clipped, distinct, is_cve, is_debug, iso, shown
from openinspector.model.advisory import Advisory, Affected, Range, State
from openinspector.model.problem import Problem

_BASE: Final = "https://security.access.redhat.com/data/csaf/v2/vex/"
_ARCHIVE: Final = "redhat/csaf-vex/vex-archive.tar.zst"
# A document is called as its CVE is. Its withdrawal is Red Hat's own affair, not that of the CVE.
_PREFIX: Final = "REDHAT-"
_UNKNOWN_DAY: Final = "1970-01-01T00:00:00Z"  # a deletion without a date

# Long-life streams by the product of their CPE; each has repositories of its own.
# Source: https://access.redhat.com/support/policy/updates/errata
_STREAMS: Final = {
    "rhel_eus": "eus",
    "rhel_eus_long_life": "eus",
    "enterprise_linux_eus": "eus",
    "rhel_aus": "aus",
    "rhel_mission_critical": "aus",
    "rhel_e4s": "e4s",
    "rhel_tus": "tus",
    "rhel_els": "els",
}


class _Platform(Struct, frozen=True, kw_only=True):
    """Where packages are meant: `redhat:9`, and the stream's repository or ""."""

    namespace: str
    repository: str


class _Package(Struct, frozen=True, kw_only=True):
    """What is meant; `version` is "" for a component as a whole, `arch` then "src" or ""."""

    name: str
    version: str
    arch: str
    module: str


class _Key(Struct, frozen=True, kw_only=True):
    """What makes two statements one, whatever their architectures."""

    platform: _Platform
    kind: Literal["binary", "source"]
    name: str
    module: str
    state: State
    fixed: str = ""
    version: str = ""
    severity: str = ""
    note: str = ""


class RedhatVex:
    """The archive of all documents, those changed since, and what was deleted."""

    name = "redhat-vex"
    title = "Red Hat VEX"
    revision = 2
    repeats: Final = "replace"
    sources = (
        # The text gives the archive's name, which holds a date (`csaf_vex_2024-08-04.tar.zst`).
        Source(path=_ARCHIVE, url=f"{_BASE}archive_latest.txt", how="named", days=7),
        Source(path="redhat/csaf-vex/changes.tar.zst", url=f"{_BASE}changes.csv", how="csaf-changes", of=_ARCHIVE),
        Source(path="redhat/csaf-vex/csaf_vex_*.tar.zst"),
        Source(path="redhat/csaf-vex/**/*.json"),
        Source(path="redhat/csaf-vex/deletions.csv", url=f"{_BASE}deletions.csv"),
    )

    def parse(self, document: Document) -> Iterator[Record]:
        """One advisory a CVE."""
        if document.path.endswith("deletions.csv"):
            yield from _deletions(document)
            return
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
            reason = "statements about other products than Red Hat Enterprise Linux are not read"
            yield Problem(path=document.path, reason=reason, format=self.name, count=elsewhere)


def _deletions(document: Document) -> Iterator[Record]:
    """Lines `"2024/cve-2024-44943.json","2024-08-28T09:39:21+00:00"`."""
    for line in content(document).decode("utf-8", "replace").splitlines():
        name, _, day = line.replace('"', "").partition(",")
        cve = name.rpartition("/")[2].removesuffix(".json").upper()
        if is_cve(cve):
            yield Advisory(id=_PREFIX + cve, withdrawn=iso(day) or _UNKNOWN_DAY)
        elif line.strip():
            yield Problem(path=document.path, reason=f"{shown(line)} is no deletion", format=RedhatVex.name)


def _records(csaf: Csaf, path: str) -> Generator[Record, None, int]:
    """The records of one document; returns how many of its statements are about other products."""
    tracking = csaf.document.tracking
    if not is_cve(tracking.id):
        yield Problem(path=path, reason=f"{shown(tracking.id)} is no CVE id", format=RedhatVex.name)
        return 0
    if tracking.status == "deleted":
        yield Advisory(id=_PREFIX + tracking.id, withdrawn=iso(tracking.current_release_date) or _UNKNOWN_DAY)
        return 0
    components = Components(csaf.product_tree)
    packages, doubts = _packages(components)
    concerned: list[Affected] = []
    elsewhere = unknown = 0
    for vulnerability in csaf.vulnerabilities:
        statements = _Statements(components, packages, vulnerability)
        concerned.extend(statements.affected())
        elsewhere += statements.elsewhere
        unknown += statements.unknown
    for reason in doubts:
        yield Problem(path=path, reason=reason, format=RedhatVex.name)
    if unknown:
        yield Problem(path=path, reason="statements about unknown components", format=RedhatVex.name, count=unknown)
    yield _advisory(csaf, concerned)
    return elsewhere


def _advisory(csaf: Csaf, concerned: list[Affected]) -> Advisory:
    head, flaws = csaf.document, csaf.vulnerabilities
    first = flaws[0] if flaws else Vulnerability()
    return Advisory(
        id=_PREFIX + head.tracking.id,
        vulnerabilities=(head.tracking.id,),
        title=head.title,
        description=clipped(note(first.notes, "description", "summary")),
        severity=head.aggregate_severity.text.capitalize(),
        cvss=vectors((score for flaw in flaws for score in flaw.scores), "Red Hat"),
        cwes=distinct(flaw.cwe.id for flaw in flaws if flaw.cwe is not None),
        references=distinct(
            (each.url for each in (*first.references, *head.references)),
            MAX_REFERENCES,
        ),
        url=f"https://access.redhat.com/security/cve/{head.tracking.id.lower()}",
        published=iso(head.tracking.initial_release_date),
        modified=iso(head.tracking.current_release_date),
        affected=tuple(concerned),
    )


def _platform(cpe: str) -> _Platform | None:
    """Red Hat Enterprise Linux by its CPE; None for other products.

    `cpe:/o:redhat:enterprise_linux:9::baseos` → `redhat:9`; `cpe:/a:redhat:rhel_eus:9.2::appstream` → `redhat:9`,
    `eus:9.2`.
    """
    parts = cpe.removeprefix("cpe:2.3:").removeprefix("cpe:/").split(":")
    if len(parts) < 4 or parts[1] != "redhat":
        return None
    product, version = parts[2], parts[3]
    major = version.partition(".")[0]
    if not major.isdigit():
        return None
    if product == "enterprise_linux":
        return _Platform(namespace=f"redhat:{major}", repository="")
    stream = _STREAMS.get(product)
    return _Platform(namespace=f"redhat:{major}", repository=f"{stream}:{version}") if stream else None


def _packages(components: Components) -> tuple[dict[str, _Package], list[str]]:
    """The packages of a product tree by their id, and why some could not be read."""
    packages: dict[str, _Package] = {}
    doubts: list[str] = []
    for product_id, product in components.products.items():
        if not (text := product.product_identification_helper.purl):
            continue
        purl = rpm_purl(text)
        if purl is None or purl.type != "rpm":
            continue
        modularity = purl.qualifiers.get("rpmmod", "")
        module = ":".join(modularity.split(":")[:2])
        if modularity and not (":" in module and all(module.split(":"))):
            doubts.append(f"{product_id}: {text}: the module {shown(modularity)} has no stream")
            continue
        arch = purl.qualifiers.get("arch", "")
        # A component as a whole carries no architecture but its own; `@rhel8` there is the stream again.
        whole = arch in ("", "src") and "-" not in purl.version
        epoch = purl.qualifiers.get("epoch", "") or _epoch(product.name)
        version = "" if whole else (f"{epoch}:{purl.version}" if epoch not in ("", "0") else purl.version)
        packages[product_id] = _Package(name=purl.name, version=version, arch=arch, module=module)
    return packages, doubts


def _epoch(nevra: str) -> str:
    """`32` of `bind-libs-32:9.11.36-8.el8.x86_64`, which older documents don't repeat in the purl; "" for none."""
    head, colon, _ = nevra.partition(":")
    epoch = head.rpartition("-")[2]
    return epoch if colon and epoch.isdigit() else ""


class _Statements:
    """What a document says of one flaw, gathered by package."""

    def __init__(self, components: Components, packages: dict[str, _Package], flaw: Vulnerability) -> None:
        self.elsewhere = 0
        self.unknown = 0
        self._components = components
        self._packages = packages
        self._arches: dict[_Key, set[str]] = {}
        status = flaw.product_status
        self._listed = {*status.known_affected, *status.known_not_affected, *status.under_investigation}
        self._impacts = impacts(flaw.threats)
        # Where one word holds for most components, only the others need to say theirs.
        words = list(self._impacts.values())
        self._common = max(set(words), key=words.count, default="")
        self._unfixed = unfixed_states(flaw.remediations)
        self._errata = {
            component_id: remedy.url.rpartition("/")[2]
            for remedy in flaw.remediations
            if remedy.category == "vendor_fix"
            for component_id in remedy.product_ids
        }
        for component_id in status.fixed:
            self._fixed(component_id)
        for component_id in status.known_affected:
            state, words_of_it = self._unfixed.get(component_id, ("affected", ""))
            self._whole(component_id, state, words_of_it)
        for component_id in status.under_investigation:
            self._whole(component_id, "under_investigation", "")
        for component_id in status.known_not_affected:
            self._whole(component_id, "not_affected", "")

    def affected(self) -> Iterator[Affected]:
        """The statements in our words."""
        for key, arches in self._arches.items():
            yield Affected(
                namespace=key.platform.namespace,
                name=key.name,
                kind=key.kind,
                ranges=(Range(fixed=key.fixed),) if key.fixed else (),
                versions=(key.version,) if key.version else (),
                state=key.state,
                module=key.module,
                arches=() if arches & {"noarch", ""} else tuple(sorted(arches)),
                repository=key.platform.repository,
                severity=key.severity,
                note=key.note,
            )

    def _resolved(self, component_id: str) -> tuple[_Platform, _Package] | None:
        """Where and what a statement is about; None, and counted, for what we don't read."""
        resolved = self._components.resolve(component_id)
        if resolved is None:
            # Some statements are about a product as a whole ("Text-Only JBCS"), not about a package of it.
            known = component_id in self._components.products
            self.elsewhere += known
            self.unknown += not known
            return None
        platform_id, inside = resolved
        platform = _platform(self._components.helper(platform_id).cpe)
        if platform is None:
            self.elsewhere += 1
            return None
        package = self._packages.get(inside[0]) or self._unnamed(inside[0])
        if package is None:
            # A container image, say; a package with an unreadable module has a problem of its own.
            self.elsewhere += not self._components.helper(inside[0]).purl.startswith("pkg:rpm/")
            return None
        for product_id in inside[1:]:
            purl = rpm_purl(self._components.helper(product_id).purl)
            if purl is not None and purl.type == "rpmmod" and not package.module:
                stream = purl.version.partition(":")[0]
                package = _Package(
                    name=package.name, version=package.version, arch=package.arch, module=f"{purl.name}:{stream}"
                )
        return platform, package

    def _unnamed(self, product_id: str) -> _Package | None:
        """A component without purl, as old documents have them: `firefox`, `nodejs:18/nodejs`."""
        if self._components.helper(product_id).purl:
            return None
        module, slash, name = product_id.rpartition("/")
        return _Package(name=name, version="", arch="src", module=module if slash and ":" in module else "")

    def _severity(self, component_id: str) -> str:
        word = self._impacts.get(component_id, "")
        return "" if word == self._common else word

    def _add(self, key: _Key, arch: str) -> None:
        self._arches.setdefault(key, set()).add(arch)

    def _fixed(self, component_id: str) -> None:
        resolved = self._resolved(component_id)
        if resolved is None:
            return
        platform, package = resolved
        if package.arch == "src" or not package.version or is_debug(package.name):
            return
        key = _Key(
            platform=platform,
            kind="binary",
            name=package.name,
            module=package.module,
            state="affected",
            fixed=package.version,
            severity=self._severity(component_id),
            note=self._errata.get(component_id, ""),
        )
        self._add(key, package.arch)

    def _whole(self, component_id: str, state: State, words: str) -> None:
        resolved = self._resolved(component_id)
        if resolved is None or is_debug(resolved[1].name):
            return
        platform, package = resolved
        # Documents since 2025 list `samba.src` and each binary package; then the binary ones say it more exactly.
        binary_listed = component_id.endswith(".src") and component_id.removesuffix(".src") in self._listed
        if binary_listed:
            return
        key = _Key(
            platform=platform,
            kind="source" if package.arch == "src" else "binary",
            name=package.name,
            module=package.module,
            state=state,
            version=package.version,
            severity=self._severity(component_id),
            note=words,
        )
        self._add(key, "" if package.arch == "src" else package.arch)


PLUGIN: Final[Feed] = RedhatVex()
