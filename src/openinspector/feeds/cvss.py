"""Who assigned a CVSS vector, and which vectors a publisher's structure holds."""

from collections.abc import Iterable
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from openinspector.model.advisory import Cvss

# The CISA authorized data publisher signs with its organisation's id.
# Source: https://github.com/cisagov/vulnrichment
_CISA_ADP: Final = "134c704f-9b21-4f2e-91b3-4a467353bcc0"


class Score(Struct):
    """A CVSS object of FIRST's JSON schema (any version): what NVD, CVE records and CSAF embed."""

    vectorString: str = ""
    baseScore: float | UnsetType = UNSET


def assigned(score: Score, source: str) -> Cvss | None:
    """The vector with its source; None where there is no vector, or it is no vector of its kind."""
    vector = score.vectorString.strip().strip("()")
    if not vector.startswith(("CVSS:3", "CVSS:4", "AV:")):
        return None
    base = score.baseScore
    if isinstance(base, UnsetType) or not 0.0 <= base <= 10.0:
        return Cvss(vector=vector, source=source)
    return Cvss(vector=vector, source=source, score=float(base))


def scorer(identifier: str) -> str:
    """Who is behind NVD's `source`: `NVD`, `CISA-ADP`, else the CNA by the identifier that NVD has for it."""
    if identifier == "nvd@nist.gov":
        return "NVD"
    if identifier == _CISA_ADP:
        return "CISA-ADP"
    return f"CNA:{identifier.lower()}" if identifier else "CNA"


def distinct_vectors(vectors: Iterable[Cvss | None]) -> tuple[Cvss, ...]:
    """Each vector of each source once, in their order."""
    return tuple({(each.vector, each.source): each for each in vectors if each is not None}.values())
