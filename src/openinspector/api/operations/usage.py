"""ListUsageTotals and BatchGetFreeTrialInfo: what accounts used, what it would have cost, and their trials.

What is estimated for a month takes no account of a free trial: it is what the month after it would cost.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from openinspector.api.context import Context, Handler
from openinspector.api.errors import AccessDenied
from openinspector.api.operations._standing import NO_ACCESS, reach_of
from openinspector.api.operations._view import accounts_in_view
from openinspector.model.usage import Prices, Usage, monthly_cost
from openinspector.store.usage import Trial, trials_of, usage_of

# `FreeTrialType`, by what the accounts' table calls the kind of scan.
_TRIALS: Final = frozenset(
    "EC2 ECR LAMBDA LAMBDA_CODE CODE_REPOSITORY VM CONTAINER_IMAGE SERVERLESS_FUNCTION MACHINE_IMAGE".split()
)


def list_usage_totals(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The usage of the last 30 days, account by account: of those asked for, or of all that the caller may see."""
    page = context.page(given)
    if given.get("accountIds"):
        reach = reach_of(context, given["accountIds"])
        if reach.denied:
            raise AccessDenied(NO_ACCESS)
        asked = sorted(reach.allowed)
    else:
        asked = sorted(accounts_in_view(context))
    start = bisect_right(asked, str(page.after[0])) if page.after else 0
    shown = asked[start : start + page.size]
    with context.connect(context.account_id, *(each for each in shown if each != context.account_id)) as connection:
        used = usage_of(connection, context.region, shown, context.now)
    prices = context.settings.usage.all_prices
    output: dict[str, Any] = {
        "totals": [{"accountId": each, "usage": [_usage(entry, prices) for entry in used[each]]} for each in shown]
    }
    if start + page.size < len(asked):
        output["nextToken"] = page.token((shown[-1],))
    return output


def batch_get_free_trial_info(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The free trials of accounts."""
    reach = reach_of(context, given["accountIds"])
    with context.connect(context.account_id, *reach.others(context)) as connection:
        trials = trials_of(connection, context.region, reach.allowed)
    return {
        "accounts": [
            {
                "accountId": each,
                "freeTrialInfo": [_trial(one, context.now) for one in trials[each] if one.scan_type in _TRIALS],
            }
            for each in reach.allowed
        ],
        "failedAccounts": [{"accountId": each, "code": "ACCESS_DENIED", "message": NO_ACCESS} for each in reach.denied],
    }


def _usage(entry: Usage, prices: Prices) -> dict[str, Any]:
    head = entry.type.partition("_")[0]
    said = {
        "type": entry.type,
        "total": entry.total,
        "currency": "USD",
        "cloudProvider": head if head in ("AZURE", "GCP") else "AWS",
    }
    cost = monthly_cost(entry, prices)
    return said if cost is None else said | {"estimatedMonthlyCost": cost}


def _trial(trial: Trial, now: datetime) -> dict[str, Any]:
    return {
        "type": trial.scan_type,
        "start": trial.start,
        "end": trial.end,
        "status": "ACTIVE" if trial.start <= now < trial.end else "INACTIVE",
        "cloudProvider": "AWS",
    }


OPERATIONS: Final[Mapping[str, Handler]] = {
    "ListUsageTotals": list_usage_totals,
    "BatchGetFreeTrialInfo": batch_get_free_trial_info,
}
