"""Why a package matched, in one line."""

from openinspector.model.match import Evidence


def evidence_line(evidence: Evidence) -> str:
    """One line that says why: `DSA-5532-1 (debian-tracker): openssl of debian:12, 3.0.9-1 < 3.0.11-1~deb12u2`."""
    low = f"{evidence.introduced} <= " if evidence.introduced else f"{evidence.after} < " if evidence.after else ""
    high = (
        f" < {evidence.fixed}" if evidence.fixed else f" <= {evidence.last_affected}" if evidence.last_affected else ""
    )
    compared = f"{low}{evidence.compared}{high}" if low or high else f"{evidence.compared}, every version"
    line = f"{evidence.advisory} ({evidence.feed}): {evidence.kind} {evidence.name} of {evidence.namespace}, {compared}"
    if evidence.module:
        line += f", module {evidence.module}"
    if evidence.repository:
        line += f", repository {evidence.repository}"
    if evidence.state != "affected":
        line += f", {evidence.state.replace('_', ' ')}"
    return f"{line}: {evidence.note}" if evidence.note else line
