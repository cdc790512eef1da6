"""A match gets a severity and a score, and both say whose they are.

Severity: the distribution's own word where it has one of its own (Amazon, Debian, Red Hat, Ubuntu and their kin),
else the band of the chosen CVSS base score, else a publisher's word. Score: of CVSS 3.1, else 3.0, 4.0, 2.0, that of
NVD, else another publisher's.

Source: CVSS v3.1 section 5, table 14 (bands); the vendors' severity pages named in docs/scoring.md.
"""

from collections.abc import Mapping
from functools import lru_cache

from openinspector.model.advisory import Cvss
from openinspector.model.match import Match, SeverityWord, Vulnerability

_WORDS: dict[str, SeverityWord] = {
    "critical": "critical",
    "high": "high",
    "important": "high",
    "medium": "medium",
    "moderate": "medium",
    "low": "low",
    "minor": "low",
    "negligible": "negligible",
    "unimportant": "negligible",
    "none": "negligible",
    "info": "negligible",
    "informational": "negligible",
}

_VENDORS = frozenset({"amazon", "redhat", "ubuntu", "rocky", "almalinux", "oracle", "sles", "opensuse-leap", "debian"})


def severity_of(
    match: Match, vulnerability: Vulnerability, score: float | None, words: Mapping[tuple[str, str], str]
) -> tuple[SeverityWord, str]:
    """The severity, and whose word it is (`amazon`, `CVSS`, …).

    `words` has what each advisory says of itself, by feed and id; a distribution's word counts only where one of its
    own advisories is what matched.
    """
    if vulnerability.malicious:
        return "critical", "malware"
    family = match.evidence[0].namespace.partition(":")[0]
    if family in _VENDORS:
        own = (words.get((each.feed, each.advisory), "") for each in match.evidence)
        for said in (match.vendor_severity, *own):
            if word := _WORDS.get(said.lower()):
                return word, family
    if score is not None:
        return band(score), "CVSS"
    for feed, said in vulnerability.severities:
        if word := _WORDS.get(said.lower()):
            return word, feed
    if word := _WORDS.get(match.vendor_severity.lower()):
        return word, match.evidence[0].feed
    return "unknown", ""


def band(score: float) -> SeverityWord:
    """The word for a base score."""
    if score >= 9.0:
        return "critical"
    if score >= 7.0:
        return "high"
    if score >= 4.0:
        return "medium"
    return "low" if score > 0 else "negligible"


def choose_vector(vulnerability: Vulnerability) -> tuple[float | None, str, str]:
    """The base score, its vector and who assigned it; CVSS 3.x before 4.0 before 2, NVD before others."""
    for each in sorted(vulnerability.cvss, key=_rank):
        score = each.score if each.score is not None else base_score(each.vector)
        if score is not None:
            return score, each.vector, each.source
    return None, "", ""


def _rank(each: Cvss) -> tuple[int, bool, str]:
    return _PREFERENCE[version_of(each.vector)], each.source.upper() != "NVD", each.source


_PREFERENCE = {"3.1": 0, "3.0": 1, "4.0": 2, "2.0": 3}


def version_of(vector: str) -> str:
    """`2.0`, `3.0`, `3.1` or `4.0`."""
    for version in ("3.1", "3.0", "4.0"):
        if vector.startswith(f"CVSS:{version}/"):
            return version
    return "2.0"


@lru_cache(maxsize=65536)
def base_score(vector: str) -> float | None:
    """The base score of a vector, None for one that can't be read."""
    from cvss import CVSS2, CVSS3, CVSS4
    from cvss.exceptions import CVSSError

    try:
        version = version_of(vector)
        if version == "4.0":
            return float(CVSS4(vector).base_score)
        if version == "2.0":
            return float(CVSS2(vector).base_score)
        return float(CVSS3(vector).base_score)
    except (CVSSError, ValueError, KeyError, TypeError):
        return None
