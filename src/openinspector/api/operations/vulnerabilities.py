"""SearchVulnerabilities: what is known of one CVE, from the advisories in force.

Source: Inspector's API reference, SearchVulnerabilities and Vulnerability. `detectionPlatforms` are whose advisories
speak of it; where none but advisories of several ecosystems do, it is left out: empty would say "not detectable".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from openinspector.api.context import Context, Handler
from openinspector.api.errors import AccessDenied, Internal
from openinspector.errors import StoreError
from openinspector.model.advisory import Advisory
from openinspector.pipeline.in_force import advisories_in_force
from openinspector.pipeline.scan import tell
from openinspector.render.inspector2 import vulnerability
from openinspector.store.accounts import read_account
from openinspector.store.advisories import AdvisoryFile

_OF_FEED: Final[Mapping[str, str]] = {
    "alpine": "ALPINE_LINUX",
    "amazon": "AMAZON_LINUX",
    "azurelinux": "AZURE_LINUX",
    "bottlerocket": "BOTTLEROCKET",
    "debian_dsa": "DEBIAN",
    "debian_tracker": "DEBIAN",
    "fedora": "FEDORA",
    "friendsofphp": "PHP",
    "nodejs": "NODEJS",
    "oracle": "ORACLE_LINUX",
    "photon": "PHOTON",
    "redhat_vex": "RHEL",
    "rocky": "ROCKY_LINUX",
    "rubysec": "RUBY",
    "suse_csaf": "SUSE_SERVER",
    "ubuntu_osv": "UBUNTU",
    "ubuntu_tracker": "UBUNTU",
    "wolfi": "WOLFI",
}
_OF_NAME: Final[Mapping[str, str]] = {"ALBA": "ALMALINUX", "ALSA": "ALMALINUX", "GO": "GO", "PYSEC": "PYTHON"} | {
    "RUSTSEC": "RUST"
}
_SEVERAL: Final = frozenset({"GHSA", "MAL", "OSV"})  # ecosystems


def search_vulnerabilities(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """One vulnerability, or none where nobody speaks of it."""
    context.page(given)  # no answer has a second page, so no token is ours
    with context.connect(context.account_id) as connection:
        if not read_account(connection, context.region, context.account_id).enabled:
            raise AccessDenied("Invoking account does not have access: Inspector is not enabled for it in this Region.")
    try:
        advisories = advisories_in_force()
    except StoreError as error:
        raise Internal("There are no advisories to search: whoever runs this service has to load them.") from error
    (wanted,) = given["filterCriteria"]["vulnerabilityIds"]
    return {"vulnerabilities": _found(advisories, wanted)}


def _found(advisories: AdvisoryFile, wanted: str) -> list[dict[str, Any]]:
    name = advisories.canonical(wanted)
    told = advisories.advisories_of(name)
    if not told or advisories.rejected({name}):
        return []
    about, _ = tell(name, advisories)
    platforms = _platforms(told)
    said = vulnerability(about, platforms or ())
    if platforms is None:
        del said["detectionPlatforms"]
    return [said]


def _platforms(told: Sequence[tuple[str, Advisory]]) -> list[str] | None:
    """Where it can be detected; None where somewhere, but nobody said where."""
    heads = [(feed, advisory.id.partition("-")[0]) for feed, advisory in told]
    words = {_OF_FEED.get(feed) or _OF_NAME.get(head, "") for feed, head in heads} - {""}
    if not words and any(head in _SEVERAL for _, head in heads):
        return None
    return sorted(words)


OPERATIONS: Final[Mapping[str, Handler]] = {"SearchVulnerabilities": search_vulnerabilities}
