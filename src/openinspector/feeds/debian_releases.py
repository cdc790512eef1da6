"""Debian's releases: code names, numbers, and since when the security tracker no longer follows one."""

from typing import Final

# Source: https://www.debian.org/releases/ and the security tracker's distributions.json, as of 2025-08-09.
RELEASE_OF_CODENAME: Final = {
    "woody": "3.0",
    "sarge": "3.1",
    "etch": "4",
    "lenny": "5",
    "squeeze": "6",
    "wheezy": "7",
    "jessie": "8",
    "stretch": "9",
    "buster": "10",
    "bullseye": "11",
    "bookworm": "12",
    "trixie": "13",
    "forky": "14",
    "duke": "15",
    "sid": "sid",
}

# Releases of which the tracker says nothing per CVE any more; buster's long-term support ended on 2024-06-30.
ARCHIVED: Final = frozenset(
    ("woody", "sarge", "etch", "lenny", "squeeze", "wheezy", "jessie", "stretch", "buster"),
)


def namespace_of_codename(codename: str) -> str:
    """`bookworm` → `debian:12`; "" for a name that we don't know."""
    release = RELEASE_OF_CODENAME.get(codename)
    return f"debian:{release}" if release else ""


def namespace_of_release(release: str) -> str:
    """`12`, `6.0` → `debian:12`, `debian:6`; "" for what is no release.

    Since etch the first number alone names a release; woody (3.0) and sarge (3.1) shared theirs.
    """
    if not release or len(release) > 8:
        return ""
    if release in ("3.0", "3.1"):
        return f"debian:{release}"
    major = release.partition(".")[0]
    return f"debian:{major}" if major.isdigit() else namespace_of_codename(release)
