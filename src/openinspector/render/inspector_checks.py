"""What Inspector finds without an advisory: its SBOM generator's own checks, and systems that nobody maintains.

The generator writes its checks of Dockerfiles and certificates into the SBOM as properties of a file; the service turns
them into vulnerabilities. The words are ours.

Source: Inspector's user guide, "Amazon Inspector Dockerfile checks" and "Certificate checks"; ids and severities as in
published answers of ScanSbom.
"""

from typing import Final

from msgspec import Struct

DISCONTINUED: Final = "IN-DISCONTINUED-001"


class Check(Struct, frozen=True, kw_only=True):
    """What a check means. `severity` is CycloneDX's word."""

    severity: str
    description: str
    page: str = ""
    cwes: tuple[int, ...] = ()


_BEST_PRACTICES: Final = "https://docs.docker.com/build/building/best-practices/"

_EXACT: Final = {
    "IN-DOCKER-001": Check(
        severity="info",
        description="apt-get update stands alone in a RUN line: its layer is cached, and what is installed later is"
        " taken from a stale index.",
        page=_BEST_PRACTICES,
    ),
    "IN-DOCKER-002": Check(
        severity="info",
        description="sudo is installed or used: it handles terminals and signals unpredictably in containers.",
        page=_BEST_PRACTICES,
    ),
    "IN-DOCKER-003": Check(
        severity="info",
        description="The last USER is root: a service that needs no privileges should run as another user.",
        page=_BEST_PRACTICES,
    ),
    "IN-DOCKER-004": Check(
        severity="info",
        description="apt is used in a script: its command line is made for people and not stable; use apt-get.",
    ),
    "IN-DOCKER-006-001": Check(
        severity="high",
        description="NPM_CONFIG_STRICT_SSL is false: npm doesn't check the certificates of its registry.",
    ),
    "IN-DOCKER-007-001": Check(severity="critical", description="A secret lies in the file: an AWS access key id."),
    "IN-DOCKER-007-002": Check(severity="critical", description="A secret lies in the file: a Docker Hub token."),
    "IN-DOCKER-007-003": Check(severity="critical", description="A secret lies in the file: a GitHub token."),
    "IN-DOCKER-007-004": Check(severity="critical", description="A secret lies in the file: a GitLab token."),
    "IN-CERTIFICATE-001": Check(
        severity="medium",
        description="A certificate has expired and should be replaced.",
        cwes=(324, 298),
    ),
}
_FAMILIES: Final = {
    "IN-DOCKER-005": Check(
        severity="high",
        description="A command's flag switches off the check of signatures or certificates.",
    ),
    "IN-DOCKER-006": Check(
        severity="high",
        description="A variable of the environment switches off the check of certificates.",
    ),
    "IN-DOCKER-007": Check(severity="critical", description="A secret lies in the file."),
    "IN-CERTIFICATE": Check(severity="medium", description="A certificate should be replaced."),
}
_OTHER: Final = Check(severity="info", description="A check of the SBOM generator that this version has no words for.")


def check(identity: str) -> Check:
    """What a check of an SBOM generator means: `IN-DOCKER-005-003`."""
    family = identity.rpartition("-")[0]
    return _EXACT.get(identity) or _FAMILIES.get(family) or _OTHER


def discontinued(end_of_life: str) -> Check:
    """What it means that a system is out of maintenance since a moment."""
    return Check(
        severity="critical",
        description=f"The operating system reached its end of life on {end_of_life[:10]}: it gets no security updates,"
        " and vulnerabilities found since then may have no advisory at all.",
    )
