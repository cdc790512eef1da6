"""What is known of a vulnerability, merged from every publisher that speaks of it."""

from collections.abc import Sequence

from openinspector.model.advisory import Advisory, Cvss, describes_flaw
from openinspector.model.match import Vulnerability

# Who is heard first where one word or text has to be taken: those who describe a flaw before those who describe an
# update.
_TELLERS = ("nvd", "cve5", "osv", "rubysec", "friendsofphp", "debian_tracker", "ubuntu_tracker", "ubuntu_osv", "nodejs")
_REFERENCES_AT_MOST = 20


def describe(identity: str, aliases: tuple[str, ...], told: Sequence[tuple[str, Advisory]]) -> Vulnerability:
    """One vulnerability from what each feed tells of it: (feed, advisory)."""
    ranked = sorted(told, key=lambda each: _rank(identity, each))
    own = [(feed, advisory) for feed, advisory in ranked if not _is_update(identity, aliases, advisory)]
    first = own or ranked
    return Vulnerability(
        id=identity,
        aliases=aliases,
        title=next((each.title for _, each in first if each.title), ""),
        description=next((each.description for _, each in first if each.description), ""),
        cvss=_vectors(first),
        severities=tuple(dict.fromkeys((feed, each.severity) for feed, each in first if each.severity)),
        cwes=tuple(sorted({cwe for _, each in first for cwe in each.cwes})),
        references=_references(first),
        url=next((each.url for _, each in first if each.url), ""),
        published=min((each.published for _, each in first if each.published), default=""),
        modified=max((each.modified for _, each in first if each.modified), default=""),
        malicious=any(each.malicious for _, each in told),
    )


def _rank(identity: str, each: tuple[str, Advisory]) -> tuple[bool, int, str]:
    feed, advisory = each
    place = _TELLERS.index(feed) if feed in _TELLERS else len(_TELLERS)
    return advisory.id != identity, place, advisory.id


def _is_update(identity: str, aliases: tuple[str, ...], advisory: Advisory) -> bool:
    """Whether an advisory announces an update for several flaws: its text and vectors are not this flaw's own."""
    return advisory.id != identity and advisory.id not in aliases and not describes_flaw(advisory.id)


def _vectors(told: Sequence[tuple[str, Advisory]]) -> tuple[Cvss, ...]:
    seen: dict[tuple[str, str], Cvss] = {}
    for _, advisory in told:
        for each in advisory.cvss:
            seen.setdefault((each.vector, each.source), each)
    return tuple(seen.values())


def _references(told: Sequence[tuple[str, Advisory]]) -> tuple[str, ...]:
    every = dict.fromkeys(reference for _, advisory in told for reference in advisory.references)
    return tuple(every)[:_REFERENCES_AT_MOST]
