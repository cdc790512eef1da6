"""What a scan reports of a resource becomes observations, one for each vulnerability; so does an open network path.

No observation comes of what a publisher says needs no looking after: `not_affected`, `unimportant` and
`under_investigation` never become matches, `will_not_fix` is left out here, as is what a VEX statement clears.
`deferred` (a fix is pending) and `end_of_life` (nobody looks any more, which clears nothing) are observed, without a
fix. An ignore file hides nothing here: the service has suppression rules of its own.

Source: Inspector's user guide, "Understanding severity levels"; where it publishes no rule, ours is said.
"""

from datetime import date, timedelta
from typing import Final

from openinspector.model.advisory import State
from openinspector.model.finding import (
    NetworkReachability,
    Observation,
    PackageVulnerability,
    Severity,
)
from openinspector.model.match import Finding, Report
from openinspector.model.resource import Resource
from openinspector.render import inspector_words as words
from openinspector.render.inspector_checks import DISCONTINUED, discontinued
from openinspector.render.moments import moment, precise
from openinspector.render.text import cut
from openinspector.store.observation import clean, observation_of

_SILENT: Final[frozenset[State]] = frozenset({"not_affected", "unimportant", "under_investigation", "will_not_fix"})
_STILL_SCANNED: Final = timedelta(days=365)  # after the end of life


def observe(resource: Resource, report: Report) -> tuple[Observation, ...]:
    """What a scan saw on a resource, the discontinued platform first, then in the order of the report.

    Texts are fit to be stored: what neither UTF-8 nor a database holds has become U+FFFD.
    """
    together: dict[str, list[Finding]] = {}
    for each in report.findings:
        cleared = each.suppressed is not None and each.suppressed.kind == "vex"
        if each.match.state not in _SILENT and not cleared:
            together.setdefault(each.vulnerability.id, []).append(each)
    layers = [each.diff_id for each in report.inventory.target.layers]
    seen = [observation_of(findings, resource, layers) for findings in together.values()]
    ended = _discontinued(report)
    return (ended, *seen) if ended else tuple(seen)


def expose(exposed: NetworkReachability, severity: Severity) -> Observation:
    """An open network path as an observation."""
    return Observation(
        key=words.network_key(exposed),
        title=words.network_title(exposed),
        description=words.network_description(exposed),
        severity=severity,
        details=exposed,
    )


def _discontinued(report: Report) -> Observation | None:
    """The one finding about a platform that its publisher has given up, for a year from the day after its end."""
    distribution, today = report.inventory.distribution, moment(report.scanned_at)
    if distribution is None or today is None:
        return None
    try:
        end = date.fromisoformat(distribution.end_of_life)
    except ValueError:
        return None
    if not end < today.date() <= end + _STILL_SCANNED:
        return None
    name = clean(distribution.title or f"{distribution.family} {distribution.version}".strip())
    about = f"Platform discontinued: {name}. {discontinued(distribution.end_of_life).description}"
    return Observation(
        key=DISCONTINUED,
        title=cut(f"{DISCONTINUED} - {name}", 1024),
        description=cut(about, 1024),
        severity="CRITICAL",
        details=PackageVulnerability(
            id=DISCONTINUED,
            source="AMAZON_INSPECTOR",
            packages=(),
            vendor_created_at=precise(distribution.end_of_life),
        ),
        fix="NO",
        exploit=False,
    )
