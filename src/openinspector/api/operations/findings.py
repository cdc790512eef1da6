"""ListFindings and BatchGetFindingDetails.

Source: Inspector's API reference. Without a status in the criteria findings of every status are listed; without an
order they are in that of their ARNs.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, cast
from uuid import UUID

from openinspector.api.context import Context, Handler
from openinspector.api.operations._criteria import criteria_of
from openinspector.api.operations._view import accounts_in_view
from openinspector.render import inspector2
from openinspector.store.find_queries import FindingId, Position, Sought, find_findings, flaws_of_findings
from openinspector.store.findings import findings_by_key
from openinspector.store.flaws import read_flaws

_ARN: Final = re.compile(r"arn:[^:]*:inspector2:([^:]*):([^:]*):finding/([0-9a-f]{32})").fullmatch


def list_findings(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """A page of findings, filtered and sorted."""
    page = context.page(given)
    criteria = criteria_of(given.get("filterCriteria") or {})
    order = given.get("sortCriteria") or {}
    accounts = accounts_in_view(context)
    sought = Sought(accounts, context.region, criteria, order.get("field", ""), order.get("sortOrder") == "DESC")
    with context.connect(*accounts) as connection:
        ids, last = find_findings(connection, sought, page.size, cast(Position | None, page.after))
        found = findings_by_key(connection, ids)
    answer = {"findings": [inspector2.finding(*found[each]) for each in ids if each in found]}
    return answer if last is None else answer | {"nextToken": page.token(last)}


def batch_get_finding_details(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """What is known of the vulnerabilities of findings; of an open path there is nothing more to know."""
    accounts = accounts_in_view(context)
    asked = {arn: _named(arn) for arn in given["findingArns"]}
    with context.connect(*accounts) as connection:
        flaws = flaws_of_findings(connection, [each for each in asked.values() if each is not None])
        known = read_flaws(connection, set(flaws.values()))
    details, errors = [], []
    for arn, named in asked.items():
        about = known.get(flaws.get(named, "")) if named is not None and named.region == context.region else None
        if about is not None:
            details.append(inspector2.finding_details(arn, about))
        elif named is None:
            errors.append(_error(arn, "INVALID_INPUT", "This is not the ARN of a finding."))
        elif named.account not in accounts:
            errors.append(_error(arn, "ACCESS_DENIED", "The finding is of an account that you don't administer."))
        else:
            errors.append(_error(arn, "FINDING_DETAILS_NOT_FOUND", "There are no details of such a finding."))
    return {"findingDetails": details, "errors": errors}


def _named(arn: str) -> FindingId | None:
    parts = _ARN(arn)
    if parts is None:
        return None
    region, account, digits = parts.groups()
    return FindingId(account, region, UUID(digits))


def _error(arn: str, code: str, message: str) -> dict[str, str]:
    return {"findingArn": arn, "errorCode": code, "errorMessage": message}


OPERATIONS: Final[Mapping[str, Handler]] = {
    "ListFindings": list_findings,
    "BatchGetFindingDetails": batch_get_finding_details,
}
