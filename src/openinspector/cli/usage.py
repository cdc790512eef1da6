"""`openinspector usage`: what accounts used, what it cost so far, and what it comes to in a month."""

import argparse
import csv
import io
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from openinspector.cli.keys import account_of
from openinspector.cli.service import database
from openinspector.errors import UsageError
from openinspector.model.usage import TRIAL_TYPES, Prices, Usage, cost_to_date, monthly_cost

if TYPE_CHECKING:
    from openinspector.store.usage import Trial

_FIELDS: Final = ("account", "type", "quantity", "unit", "trial", "trialEnd", "costToDate", "estimatedMonthlyCost")
_AT_ONCE: Final = 500  # accounts asked for in one statement


class Line(Struct, frozen=True, kw_only=True, rename="camel"):
    """What an account used of one type. Dollars are None where it has no price.

    `trial` is `ACTIVE`, `ENDED`, or "" where there was none; `trial_end` is ISO 8601.
    """

    account: str
    type: str
    quantity: float
    unit: str
    trial: str
    trial_end: str
    cost_to_date: float | None
    estimated_monthly_cost: float | None


class Sum(Struct, frozen=True, kw_only=True, rename="camel"):
    """The dollars of some lines."""

    cost_to_date: float
    estimated_monthly_cost: float


def run(chosen: argparse.Namespace) -> int:
    """Tell the usage of the last days."""
    from openinspector.pipeline.registry import feeds
    from openinspector.pipeline.settings import load_settings
    from openinspector.store.usage import accounts_of, trials_of, usage_of

    settings = load_settings(frozenset(feeds())).usage
    if not 1 <= chosen.days <= settings.keep_days:
        raise UsageError(
            f"--days is 1 to {settings.keep_days}, the days that usage is kept (keep_days of [usage] in the settings)"
        )
    asked = [account_of(each) for each in chosen.account]
    now = datetime.now(UTC)
    lines: list[Line] = []
    with database(chosen) as found, found.system() as connection:
        ids = sorted(set(asked)) or accounts_of(connection, chosen.region)
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            used = usage_of(connection, chosen.region, some, now, chosen.days)
            trials = trials_of(connection, chosen.region, some)
            for each in some:
                lines += lines_of(each, used[each], trials[each], settings.all_prices, now)
    _say(lines, chosen, now)
    unpriced = sorted({each.type for each in lines if each.cost_to_date is None})
    if unpriced:
        said = "there is no public price of it, give one in [usage] of the settings"
        print(f"openinspector: {', '.join(unpriced)} is in no sum: {said}", file=sys.stderr)
    return 0


def lines_of(
    account: str, used: Iterable[Usage], trials: Iterable["Trial"], prices: Prices, now: datetime
) -> list[Line]:
    """What an account used, type by type."""
    ends = {each.scan_type: each.end for each in trials}
    lines = []
    for each in used:
        end = ends.get(TRIAL_TYPES.get(each.type, ""))
        lines.append(
            Line(
                account=account,
                type=each.type,
                quantity=each.total,
                unit="hours" if each.type.endswith("_HOURS") else "scans",
                trial="" if end is None else "ACTIVE" if now < end else "ENDED",
                trial_end="" if end is None else end.isoformat(timespec="seconds"),
                cost_to_date=cost_to_date(each, prices),
                estimated_monthly_cost=monthly_cost(each, prices),
            )
        )
    return lines


def sum_of(lines: Iterable[Line]) -> Sum:
    """What lines come to; those without a price are not in it."""
    every = list(lines)
    return Sum(
        cost_to_date=sum(each.cost_to_date or 0 for each in every),
        estimated_monthly_cost=sum(each.estimated_monthly_cost or 0 for each in every),
    )


def _say(lines: Sequence[Line], chosen: argparse.Namespace, now: datetime) -> None:
    if chosen.format == "json":
        told = {
            "region": chosen.region,
            "days": chosen.days,
            "at": now.isoformat(timespec="seconds"),
            "currency": "USD",
            "usage": lines,
            "total": sum_of(lines),
        }
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    elif chosen.format == "csv":
        out = io.StringIO()
        writer = csv.DictWriter(out, _FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(msgspec.to_builtins(each) for each in lines)
        sys.stdout.write(out.getvalue())
    else:
        _table(lines, chosen.days)


def _table(lines: Sequence[Line], days: int) -> None:
    if not lines:
        print(f"nothing was used in the last {days} days")
        return
    print(f"{'ACCOUNT':<14}{'TYPE':<30}{'QUANTITY':>14}  {'TRIAL':<18}{'COST':>12}{'A MONTH':>12}")
    accounts = sorted({each.account for each in lines})
    for account in accounts:
        mine = [each for each in lines if each.account == account]
        for each in mine:
            quantity = f"{each.quantity:,.2f}" if each.unit == "hours" else f"{each.quantity:,.0f}"
            trial = f"until {each.trial_end[:10]}" if each.trial == "ACTIVE" else each.trial.lower() or "none"
            costs = f"{_dollars(each.cost_to_date):>12}{_dollars(each.estimated_monthly_cost):>12}"
            print(f"{account:<14}{each.type:<30}{quantity:>14}  {trial:<18}{costs}")
        if len(accounts) > 1:
            print(_total(account, mine))
    print(_total("all" if len(accounts) > 1 else accounts[0], lines))


def _total(account: str, lines: Iterable[Line]) -> str:
    total = sum_of(lines)
    costs = f"{_dollars(total.cost_to_date):>12}{_dollars(total.estimated_monthly_cost):>12}"
    return f"{account:<14}{'total':<30}{'':>14}  {'':<18}{costs}"


def _dollars(amount: float | None) -> str:
    return "-" if amount is None else f"${amount:,.2f}"
