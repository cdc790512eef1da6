"""Ubuntu's releases, and the archives beside them that need a subscription, as the CVE tracker names them."""

from functools import lru_cache
from typing import Final

# Source: https://wiki.ubuntu.com/Releases, as of 2025-10.
VERSION_OF_CODENAME: Final = {
    "dapper": "6.06",
    "edgy": "6.10",
    "feisty": "7.04",
    "gutsy": "7.10",
    "hardy": "8.04",
    "intrepid": "8.10",
    "jaunty": "9.04",
    "karmic": "9.10",
    "lucid": "10.04",
    "maverick": "10.10",
    "natty": "11.04",
    "oneiric": "11.10",
    "precise": "12.04",
    "quantal": "12.10",
    "raring": "13.04",
    "saucy": "13.10",
    "trusty": "14.04",
    "utopic": "14.10",
    "vivid": "15.04",
    "wily": "15.10",
    "xenial": "16.04",
    "yakkety": "16.10",
    "zesty": "17.04",
    "artful": "17.10",
    "bionic": "18.04",
    "cosmic": "18.10",
    "disco": "19.04",
    "eoan": "19.10",
    "focal": "20.04",
    "groovy": "20.10",
    "hirsute": "21.04",
    "impish": "21.10",
    "jammy": "22.04",
    "kinetic": "22.10",
    "lunar": "23.04",
    "mantic": "23.10",
    "noble": "24.04",
    "oracular": "24.10",
    "plucky": "25.04",
    "questing": "25.10",
    "resolute": "26.04",
}

# Namespaces of the releases with long-term support.
LONG_TERM: Final = frozenset(
    f"ubuntu:{VERSION_OF_CODENAME[each]}"
    for each in ("trusty", "xenial", "bionic", "focal", "jammy", "noble", "resolute")
)

# `upstream` is no release, `devel` whichever comes next; the others are editions that no reader of ours meets.
_NOT_JUDGED: Final = frozenset(
    ("upstream", "devel", "snap", "product", "vivid/ubuntu-core", "vivid/stable-phone-overlay")
)


@lru_cache(maxsize=4096)
def place_of_release(release: str) -> tuple[str, str] | None:
    """Namespace and repository: `jammy` → `ubuntu:22.04` and "", `esm-infra/bionic` → `ubuntu:18.04` and `esm-infra`.

    None for a name that stands for no release that we judge.
    """
    if release in _NOT_JUDGED:
        return None
    archive, slash, codename = release.partition("/")
    if not slash:
        archive, codename = "", release
    elif codename == "esm":
        # The first ESM archives were written the other way round, `trusty/esm`.
        archive, codename = "esm-infra", archive
    version = VERSION_OF_CODENAME.get(codename)
    return (f"ubuntu:{version}", archive) if version else None


def is_left_out(release: str) -> bool:
    """Whether a release is left out on purpose, so that nobody need be told."""
    return release in _NOT_JUDGED
