"""OSV records as advisories.

A record holds the entries of every ecosystem that it touches, and lies in the archive of each: an entry is taken from
the archive of its own ecosystem only. Debian and Ubuntu state a fix twice, in the record of the CVE and in that of the
bulletin (DSA, DLA, USN): the record of the CVE is the exact one, and a bulletin adds only what no CVE's record says.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from openinspector.errors import FeedError, VersionError
from openinspector.feeds.contract import Record
from openinspector.feeds.osv_ecosystems import Place, family_of, place_of, within_repository
from openinspector.feeds.osv_names import (
    cve_in,
    cves_in,
    flaw_and_aliases,
    module_streams,
    moment,
    page_of,
    red_hat_severity,
    severity_and_title,
)
from openinspector.feeds.osv_ranges import OsvRange, go_release_range, ranges_of
from openinspector.feeds.osv_record import (
    DebianWords,
    EntryWords,
    GithubWords,
    GoWords,
    Osv,
    OsvAffected,
    OsvSeverity,
    decoder,
    words,
)
from openinspector.model.advisory import Advisory, Affected, Cvss, Range, State
from openinspector.model.ecosystem import TYPE_OF_OSV, scheme_of
from openinspector.model.problem import Problem

MAX_DESCRIPTION: Final = 2000  # characters
MAX_REFERENCES: Final = 20
MAX_PROBLEMS: Final = 100  # unreadable records named one by one; further ones are counted

_BULLETINS: Final = ("DSA-", "DLA-", "DTSA-", "USN-")
# Bug fixes and enhancements; one that names no CVE is about no flaw.
_OTHER_UPDATES: Final = ("RHBA-", "RHEA-", "ALBA-", "ALEA-", "RLBA-", "RLEA-")
# A kernel live patch changes memory, not a package; its entries give numbers of patches.
_LIVEPATCH: Final = "LSN-"
# They hold symbols and sources, no code that runs, and are rebuilt with whatever else is.
_DEBUG_NAMES: Final = ("-debuginfo", "-debugsource")
_DEBIAN_STATES: Final[dict[str, State]] = {"unimportant": "unimportant", "end-of-life": "end_of_life"}
_RATED: Final = ("low", "medium", "high")
_NO_VULNERABILITY: Final = ("unmaintained", "notice")
_EVERYTHING: Final = (Range(),)
_UNTAGGED: Final = Range(introduced="0.0.0-0", fixed="0.0.0")
_VECTOR_SOURCES: Final = {
    "GHSA": "ghsa",
    "PYSEC": "pysec",
    "RUSTSEC": "rustsec",
    "RHSA": "redhat",
    "RHBA": "redhat",
    "RHEA": "redhat",
    "UBUNTU": "ubuntu",
    "CVE": "nvd",
    "DEBIAN": "nvd",
}

_Key = tuple[str, str, str]  # namespace, repository, name


class OsvReader:
    """Reads the records of one document; `own` is the ecosystem of its archive, "" to take every entry.

    An archive has every record that touches its ecosystem, and so others' entries beside its own. Those of language
    ecosystems are taken from wherever they are; those of another distribution are not, for a distribution of which only
    a share of the advisories is there would look judged.
    """

    def __init__(self, path: str, own: str) -> None:
        self._path = path
        self._own = own
        self._share = "" if own in TYPE_OF_OSV else own
        self._skipped: Counter[str] = Counter()
        self._foreign: Counter[str] = Counter()
        self._stated: dict[str, set[_Key]] = {}
        self._keys: dict[_Key, _Key] = {}

    def read(self, members: Iterable[tuple[str, bytes]]) -> Iterator[Record]:
        """The advisories of records given as name and bytes; bulletins come last."""
        bulletins: list[tuple[str, bytes]] = []
        for name, data in members:
            base = name.rpartition("/")[2]
            if base.startswith(_BULLETINS):
                bulletins.append((name, data))
            elif (osv := self._decode(name, data)) is not None:
                yield from self._advisory(osv)
        for name, data in bulletins:
            if (osv := self._decode(name, data)) is not None:
                yield from self._bulletin(osv)
        yield from self._problems()

    def read_one(self, name: str, data: bytes) -> Iterator[Record]:
        """The advisories of a document that is one record.

        Raises:
            FeedError: It is no OSV record.
        """
        if self._decode(name, data) is None:
            raise FeedError(next(iter(self._skipped)))
        return self.read([(name, data)])

    def _decode(self, name: str, data: bytes) -> Osv | None:
        try:
            found: Osv = decoder(Osv).decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if self._skipped.total() < MAX_PROBLEMS:
                self._skipped[f"{name.rpartition('/')[2][:100]}: not an OSV record: {error}"] += 1
            else:
                self._skipped["records that are no OSV"] += 1
            return None
        return found

    def _advisory(self, osv: Osv) -> Iterator[Advisory]:
        entries = self._entries(osv)
        if not entries:
            return
        if osv.id.startswith(_LIVEPATCH):
            self._skipped["notices of kernel live patches"] += 1
            return
        language = any(place.language for place, _ in entries)
        if language:
            references = tuple(each.url for each in osv.references or () if each.url)
            vulnerabilities, aliases = flaw_and_aliases(osv.id, osv.aliases or (), references)
        else:
            vulnerabilities, aliases = _flaws_of_update(osv), ()
            if not vulnerabilities and osv.id.startswith(_OTHER_UPDATES):
                return
        affected = self._affected(osv, entries)
        if affected or osv.withdrawn:
            yield _made(osv, self._share, vulnerabilities, aliases, affected)
            if not language and cve_in(osv.id):
                self._remember(vulnerabilities[0], affected)

    def _bulletin(self, osv: Osv) -> Iterator[Advisory]:
        """A bulletin without what the records of its CVEs state; one whose every fix they state still tells of itself.

        Where they state only some of its CVEs for a package, the rest gets the fix; should that differ by package, each
        further set of CVEs is an advisory of its own, `DSA-1-1/2`.
        """
        entries = self._entries(osv)
        cves = cves_in(osv.upstream or (), osv.related or (), osv.aliases or ())
        if not entries or (osv.summary and "regression" in osv.summary):
            # A regression is a bug that a fix brought; whoever has the first fix has the flaw no more.
            return
        groups: dict[tuple[str, ...], list[Affected]] = {}
        for each in self._affected(osv, entries):
            key = (each.namespace, each.repository, each.name)
            missing = tuple(cve for cve in cves if key not in self._stated.get(cve, ()))
            if missing or not cves:
                groups.setdefault(missing, []).append(each)
        if not groups:
            yield _made(osv, self._share, cves, (), ())
        for number, (vulnerabilities, affected) in enumerate(groups.items(), 1):
            made = _made(osv, self._share, vulnerabilities, (), tuple(affected))
            yield made if number == 1 else msgspec.structs.replace(made, id=f"{osv.id}/{number}")

    def _remember(self, cve: str, affected: Iterable[Affected]) -> None:
        stated = self._stated.setdefault(cve, set())
        for each in affected:
            if each.kind == "source":
                key = (each.namespace, each.repository, each.name)
                stated.add(self._keys.setdefault(key, key))

    def _entries(self, osv: Osv) -> list[tuple[Place, OsvAffected]]:
        """The entries that this document is for, each with its place."""
        found = []
        for entry in osv.affected or ():
            package = entry.package
            if package is None or not package.name:
                continue  # ranges of commits without a package
            ecosystem = package.ecosystem
            place = place_of(ecosystem)
            if self._own and family_of(ecosystem) != self._own and not (place is not None and place.language):
                continue
            if place is None:
                self._foreign[ecosystem[:80]] += 1
                continue
            if place.kind == "source" and package.purl:
                place = within_repository(place, package.purl)
            found.append((place, entry))
        return found

    def _affected(self, osv: Osv, entries: list[tuple[Place, OsvAffected]]) -> tuple[Affected, ...]:
        found: dict[Affected, None] = {}
        for place, entry in entries:
            if place.language:
                if (one := self._of_language(osv, place, entry)) is not None:
                    found[one] = None
            else:
                for one in self._of_distribution(osv, place, entry):
                    found[one] = None
        return tuple(found)

    def _of_distribution(self, osv: Osv, place: Place, entry: OsvAffected) -> Iterator[Affected]:
        assert entry.package is not None
        name, namespace = entry.package.name, place.namespace
        if place.kind == "binary" and name.endswith(_DEBUG_NAMES):
            return
        ranges = self._ranges(entry, namespace, name)
        versions: tuple[str, ...] = ()
        if ranges is None:
            versions = _versions(entry)
            if not versions:
                self._skipped["entries without versions"] += not osv.withdrawn
                return
        state: State = "affected"
        severity = ""
        if namespace.startswith("debian:"):
            said = words(entry.ecosystem_specific, DebianWords)
            urgency = (said.urgency if said else None) or ""
            state = _DEBIAN_STATES.get(urgency, "affected")
            severity = urgency if urgency in _RATED else ""
        modules: tuple[str, ...] = ("",)
        note = ""
        # Modular builds exist in Enterprise Linux alone, and carry the word in their release.
        if ranges and ".module" in ranges[0].fixed:
            modules = module_streams(osv.summary or "") or ("",)
            note = "" if modules[0] else "a build of a module whose stream the advisory does not name"
        for module in modules:
            yield Affected(
                namespace=namespace,
                name=name,
                kind=place.kind,
                ranges=ranges or (),
                versions=versions,
                state=state,
                module=module,
                repository=place.repository,
                severity=severity,
                note=note,
            )

    def _of_language(self, osv: Osv, place: Place, entry: OsvAffected) -> Affected | None:
        assert entry.package is not None
        name, namespace = entry.package.name, place.namespace
        ranges = self._ranges(entry, namespace, name)
        state: State = "affected"
        note = ""
        if namespace == "golang":
            ranges, note = self._go_ranges(entry, name, ranges)
        elif namespace == "cargo":
            said = words(entry.database_specific, EntryWords)
            note = (said.informational if said else None) or ""
            state = "unimportant" if note in _NO_VULNERABILITY else "affected"
        elif ranges and not any(each.fixed or each.last_affected for each in ranges):
            ranges = _with_last_known(entry, ranges)
        versions: tuple[str, ...] = ()
        # GitHub's lists of versions are made from its ranges and add nothing; those of PyPA can be an author's own.
        if ranges is None or (namespace == "pypi" and osv.id.startswith("PYSEC-")):
            versions = _versions(entry)
        if ranges is None and not versions and not osv.id.startswith("MAL-"):
            self._skipped["entries without versions, or with those of commits only"] += not osv.withdrawn
            return None
        return Affected(
            namespace=namespace, name=name, ranges=ranges or (), versions=versions, state=state, note=note[:200]
        )

    def _ranges(self, entry: OsvAffected, namespace: str, name: str) -> tuple[Range, ...] | None:
        try:
            return ranges_of(entry.ranges or (), scheme_of(namespace, name))
        except VersionError:
            self._skipped["entries whose events are out of order"] += 1
            return None

    def _go_ranges(
        self, entry: OsvAffected, name: str, ranges: tuple[Range, ...] | None
    ) -> tuple[tuple[Range, ...] | None, str]:
        """Ranges of a Go module and a note.

        Where a project's releases are no module versions, the database calls every module version affected and gives
        the project's own numbers beside it; those tell what is fixed.
        """
        note = ""
        if ranges == _EVERYTHING and (said := words(entry.ecosystem_specific, GoWords)) and said.custom_ranges:
            custom = _readable_ranges(said.custom_ranges)
            if custom:
                ranges, note = (*custom, *_untagged(custom)), "in the project's own version numbers"
        if ranges and name in ("stdlib", "toolchain"):
            ranges = tuple(go_release_range(each) for each in ranges)
        return ranges, note

    def _problems(self) -> Iterator[Problem]:
        for reason, count in (+self._skipped).items():
            yield Problem(path=self._path, reason=reason, format="osv", count=count)
        if self._foreign:
            products: Counter[str] = Counter()
            for ecosystem, count in self._foreign.items():
                products[":".join(ecosystem.split(":")[:2])] += count
            named = ", ".join(name for name, _ in products.most_common(8))
            reason = f"entries of {len(products)} products or releases that are not judged: {named}"
            yield Problem(path=self._path, reason=reason, format="osv", count=self._foreign.total())


def _flaws_of_update(osv: Osv) -> tuple[str, ...]:
    """The flaws that a distribution's record is about: its own CVE, else those that it names, else GitHub's ids."""
    if own := cve_in(osv.id):
        return (own,)
    upstream, related, aliases = osv.upstream or (), osv.related or (), osv.aliases or ()
    cves = cves_in(upstream, related, aliases)
    return cves or tuple(each for each in dict.fromkeys((*upstream, *aliases, *related)) if each.startswith("GHSA-"))


def _made(
    osv: Osv, share: str, vulnerabilities: tuple[str, ...], aliases: tuple[str, ...], affected: tuple[Affected, ...]
) -> Advisory:
    """The advisory that a record is, with these flaws and entries."""
    identifier = osv.id
    prefix = identifier.partition("-")[0]
    severity, title = "", osv.summary or ""
    cwes: tuple[str, ...] = ()
    published = moment(osv.published)
    references = tuple(each.url for each in osv.references or () if each.url)
    namespace = affected[0].namespace if affected else _namespace_of(osv)
    if prefix == "GHSA":
        said = words(osv.database_specific, GithubWords)
        if said is not None:
            severity, cwes = said.severity or "", said.cwe_ids or ()
    elif prefix in ("RHSA", "RHBA", "RHEA"):
        severity = red_hat_severity(references)
        title = title.removeprefix("Red Hat ").partition(": ")[2] or title
        # Old advisories were converted in 2024 and carry the day of that; the year of the id is the true one.
        if identifier[5:9] != published[:4]:
            published = ""
    elif namespace.startswith(("almalinux:", "rocky:")):
        severity, title = severity_and_title(title)
    vectors, word = _severities(osv, _VECTOR_SOURCES.get(prefix, prefix.lower()))
    return Advisory(
        id=identifier,
        share=share,
        vulnerabilities=vulnerabilities,
        aliases=aliases,
        title=title,
        description=(osv.details or "")[:MAX_DESCRIPTION],
        severity=severity or word,
        cvss=vectors,
        cwes=cwes,
        references=references[:MAX_REFERENCES],
        url=page_of(identifier, namespace),
        published=published,
        modified=moment(osv.modified),
        withdrawn=moment(osv.withdrawn or "") or (osv.withdrawn or ""),
        malicious=prefix == "MAL" or any(each.startswith("MAL-") for each in osv.aliases or ()),
        affected=affected,
    )


def _namespace_of(osv: Osv) -> str:
    """Where the record's first entry with a known place belongs; "" without one."""
    for entry in osv.affected or ():
        if entry.package is not None and (place := place_of(entry.package.ecosystem)) is not None:
            return place.namespace
    return ""


def _severities(osv: Osv, source: str) -> tuple[tuple[Cvss, ...], str]:
    """The vectors of a record, and the word of a publisher that has one (Ubuntu)."""
    said: tuple[OsvSeverity, ...] = osv.severity or ()
    if not said and osv.affected:
        said = osv.affected[0].severity or ()
    vectors: dict[Cvss, None] = {}
    word = ""
    for each in said[:20]:
        if each.type.startswith("CVSS"):
            vectors[Cvss(vector=each.score, source=source)] = None
        elif each.type == "Ubuntu":
            word = each.score
    return tuple(vectors), word


def _readable_ranges(custom: tuple[OsvRange, ...]) -> tuple[Range, ...] | None:
    """A project's own ranges where Go could order their bounds; None where not (`RELEASE.2024-06-06T09-36-42Z`)."""
    from openinspector.versions.order import scheme

    try:
        key = scheme("go").key
        ranges = ranges_of(custom, "go")
        for each in ranges or ():
            for bound in (each.introduced, each.fixed, each.last_affected):
                if bound:
                    key(bound)
    except VersionError:
        return None
    return ranges


def _untagged(custom: tuple[Range, ...]) -> tuple[Range, ...]:
    """The range of builds from untagged commits, `v0.0.0-20230101…`, which no number of the project tells apart.

    All module versions are affected, says the database; where its custom ranges don't speak of such builds, or include
    them by beginning at the first version, that is all that is known of them.
    """
    bounds = [bound for each in custom for bound in (each.introduced, each.fixed, each.last_affected)]
    told = any(bound.startswith("0.0.0-") for bound in bounds) or not all(each.introduced for each in custom)
    return () if told else (_UNTAGGED,)


def _versions(entry: OsvAffected) -> tuple[str, ...]:
    return words(entry.versions, tuple[str, ...]) or ()


def _with_last_known(entry: OsvAffected, ranges: tuple[Range, ...]) -> tuple[Range, ...]:
    """Ranges without an end, closed by GitHub's last known affected version (`<= 1.2`, `< 1.3`) where there is one."""
    said = words(entry.database_specific, EntryWords)
    bound = ((said.last_known_affected_version_range if said else None) or "").strip()
    operator, version = ("<=", bound[2:].strip()) if bound.startswith("<=") else (bound[:1], bound[1:].strip())
    if not version or " " in version or operator not in ("<", "<="):
        return ranges
    if operator == "<=":
        return tuple(Range(introduced=each.introduced, last_affected=version) for each in ranges)
    return tuple(Range(introduced=each.introduced, fixed=version) for each in ranges)
