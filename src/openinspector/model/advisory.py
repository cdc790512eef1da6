"""A publisher's statement about a flaw: who says that what is affected, and how bad they think it is."""

from typing import Literal

from msgspec import Struct

State = Literal[
    "affected",  # the range says which versions; a bound `fixed` is the fix
    "will_not_fix",
    "deferred",
    "end_of_life",  # the release or package is no longer looked at
    "unimportant",  # affected, but the publisher sees no security impact
    "under_investigation",
    "not_affected",
]


# Records about one flaw each; others (DSA-, RHSA-, ALAS-, USN-, …) announce updates, often for several flaws at once.
_FLAW_RECORDS = ("CVE-", "GHSA-", "GO-", "PYSEC-", "RUSTSEC-", "MAL-", "UBUNTU-CVE-", "ALPINE-CVE-", "DEBIAN-CVE-")


def describes_flaw(identity: str) -> bool:
    """Whether an advisory of this id is a record of a flaw, so that its text and vectors are the flaw's own."""
    return identity.startswith(_FLAW_RECORDS)


class Range(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An interval of versions in plain order; an empty bound is open.

    At most one of `introduced` (from, inclusive) and `after` (from, exclusive), and at most one of `fixed`
    (to, exclusive) and `last_affected` (to, inclusive), is set.
    """

    introduced: str = ""
    after: str = ""
    fixed: str = ""
    last_affected: str = ""


class Affected(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an advisory says about one package of one namespace.

    `namespace` is a distribution release (`debian:12`, `amazon:2023`) or a purl type (`pypi`, `npm`); see
    `model/distro.py` and `model/ecosystem.py`. `kind` says whether `name` is a source or a binary package. A version is
    affected when a range contains it or `versions` lists it; neither means every version.
    """

    namespace: str
    name: str
    kind: Literal["binary", "source"] = "binary"
    ranges: tuple[Range, ...] = ()
    versions: tuple[str, ...] = ()
    state: State = "affected"
    module: str = ""  # RPM module stream, `nodejs:18`
    arches: tuple[str, ...] = ()  # empty: every architecture
    repository: str = ""  # where only packages of one repository are meant: an Amazon Linux extras topic
    severity: str = ""  # the publisher's word for this package in this release, where it differs
    note: str = ""  # the publisher's reason, in short


class Cvss(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A CVSS vector and who assigned it.

    `vector` as published: version 2 without prefix, 3.x and 4.0 with `CVSS:3.1/`. `score` is the published base score
    (0.0-10.0), None where only the vector is; an advisory file has the one that follows from the vector there.
    """

    vector: str
    source: str
    score: float | None = None


class Advisory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One statement of one publisher.

    `vulnerabilities` are the flaws it is about (CVE ids where there are any); empty means that the advisory's own id
    is the flaw. `aliases` are other names of the *same* flaw: never list two different CVEs there. An advisory
    without `affected` only tells about the flaw (NVD, CVE records). `id` is unique within its feed. Dates are ISO
    8601 in UTC, `2023-10-11T00:00:00Z`; empty where unknown. `share` says which share of a record this is, where its
    publisher hands it out in several documents that are each read for a part of it: editions replace within a share.
    """

    id: str
    share: str = ""
    vulnerabilities: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    title: str = ""
    description: str = ""
    severity: str = ""  # the publisher's own word, letter case kept
    cvss: tuple[Cvss, ...] = ()
    cwes: tuple[str, ...] = ()  # "CWE-79"
    references: tuple[str, ...] = ()
    url: str = ""  # the publisher's page of this advisory
    published: str = ""
    modified: str = ""
    withdrawn: str = ""  # when it was withdrawn or rejected; such a record never matches
    malicious: bool = False  # the package itself is malware
    affected: tuple[Affected, ...] = ()
