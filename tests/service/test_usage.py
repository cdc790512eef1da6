"""Usage and free trials."""

from datetime import timedelta

import pytest
from sqlalchemy import insert
from tests.service.callers import START, clients
from tests.service.organization import ADMIN, MEMBER, REGION, STRANGER, found, refused

from openinspector.api.operations import enablement, usage
from openinspector.model.coverage import status_of
from openinspector.model.resource import Resource
from openinspector.model.usage import PRICES, Usage, monthly_cost
from openinspector.pipeline.settings import Settings, UsageSettings
from openinspector.store import accounts, estate
from openinspector.store.account_tables import usage_record

TODAY = START.date()


def used(database, account, kind, *quantities, region=REGION):
    """So much on each day, the last of them today."""
    with database.system() as connection:
        for back, quantity in enumerate(reversed(quantities)):
            day = TODAY - timedelta(days=back)
            row = {"account": account, "region": region, "type": kind, "day": day, "resource_id": 1}
            connection.execute(insert(usage_record).values(row | {"quantity": quantity}))


def test_totals_are_of_thirty_days_and_cost_what_goes_on(client, database):
    used(database, STRANGER, "EC2_INSTANCE_HOURS", 1000.0, *[24.0] * 30)
    used(database, STRANGER, "ECR_RESCAN", 10, 20, 30)
    used(database, STRANGER, "CODE_REPOSITORY_SAST", 5)
    used(database, STRANGER, "ECR_INITIAL_SCAN", 5, region="eu-west-1")
    (total,) = client(STRANGER).list_usage_totals()["totals"]
    assert total["accountId"] == STRANGER
    by_type = {each["type"]: each for each in total["usage"]}
    assert by_type.keys() == {"EC2_INSTANCE_HOURS", "ECR_RESCAN", "CODE_REPOSITORY_SAST"}
    assert by_type["EC2_INSTANCE_HOURS"] == {
        "type": "EC2_INSTANCE_HOURS",
        "total": 720.0,
        "estimatedMonthlyCost": pytest.approx(1.25),
        "currency": "USD",
        "cloudProvider": "AWS",
    }
    assert by_type["ECR_RESCAN"]["total"] == 60
    assert by_type["ECR_RESCAN"]["estimatedMonthlyCost"] == pytest.approx(0.01 * 60 * 10)
    assert "estimatedMonthlyCost" not in by_type["CODE_REPOSITORY_SAST"]


def test_hours_go_on_with_what_is_covered_now(client, database, clock):
    """Ten days of two instances, of which one was stopped: twenty more of the other."""
    resources = []
    with database.system() as connection:
        for number in range(2):
            told = Resource(account=STRANGER, region=REGION, type="AWS_EC2_INSTANCE", id=f"i-{number:017x}")
            entered = estate.enter(connection, told, clock.now)
            estate.start_scan(connection, entered, told, "PACKAGE", clock.now)
            resources.append(entered)
    clock.forward(days=9)
    with database.system() as connection:
        estate.stand(connection, resources[1], status_of("EC2_INSTANCE_STOPPED"), clock.now)
    ((one,),) = (each["usage"] for each in client(STRANGER).list_usage_totals()["totals"])
    assert one["total"] == pytest.approx(2 * 9 * 24)  # nobody has counted them yet
    assert one["estimatedMonthlyCost"] == pytest.approx((2 * 9 * 24 + 20 * 24) * 1.25 / 720)


def test_a_free_trial_changes_nothing_of_what_a_month_would_cost(client, database, clock):
    with database.transaction(STRANGER) as connection:
        accounts.enable(connection, REGION, [STRANGER], ["ECR"], clock.now)
    used(database, STRANGER, "ECR_INITIAL_SCAN", 10)
    ((one,),) = (each["usage"] for each in client(STRANGER).list_usage_totals()["totals"])
    assert one["estimatedMonthlyCost"] == pytest.approx(10 * 0.09 * 30)


def test_prices_and_the_length_of_a_trial_are_settings(database, clock):
    chosen = Settings(usage=UsageSettings(prices={"ECR_RESCAN": 5, "CODE_REPOSITORY_SAST": 2}, free_trial_days=40))
    used(database, STRANGER, "ECR_RESCAN", *[1] * 30)
    used(database, STRANGER, "ECR_INITIAL_SCAN", *[1] * 30)
    used(database, STRANGER, "CODE_REPOSITORY_SAST", *[1] * 30)
    poked = []
    with clients((usage, enablement), database, clock, settings=chosen, poke=poked.append) as of:
        told = of(STRANGER).list_usage_totals()["totals"][0]["usage"]
        assert {each["type"]: each["estimatedMonthlyCost"] for each in told} == pytest.approx(
            {"ECR_RESCAN": 150, "ECR_INITIAL_SCAN": 2.7, "CODE_REPOSITORY_SAST": 60}
        )
        of(STRANGER).enable(resourceTypes=["EC2"])
        assert poked == ["accounts"]
        of(STRANGER).disable(resourceTypes=["EC2"])
        assert poked == ["accounts"] * 2
        clock.forward(days=1)
        of(STRANGER).enable(resourceTypes=["EC2"])  # a trial is had once
        (trial,) = of(STRANGER).batch_get_free_trial_info(accountIds=[STRANGER])["accounts"][0]["freeTrialInfo"]
    assert (trial["start"], trial["end"]) == (START, START + timedelta(days=40))


def test_an_account_without_usage_is_told_as_such(client):
    assert client(STRANGER).list_usage_totals()["totals"] == [{"accountId": STRANGER, "usage": []}]


def test_administrators_see_their_members_and_nobody_sees_strangers(client, database):
    found(database)
    used(database, MEMBER, "ECR_RESCAN", 7)
    used(database, STRANGER, "ECR_RESCAN", 9)
    ours = client(ADMIN)
    assert [each["accountId"] for each in ours.list_usage_totals()["totals"]] == [ADMIN, MEMBER]
    (total,) = ours.list_usage_totals(accountIds=[MEMBER])["totals"]
    assert total["usage"][0]["total"] == 7
    assert refused(ours.list_usage_totals, accountIds=[MEMBER, STRANGER])[0] == "AccessDeniedException"
    assert refused(client(MEMBER).list_usage_totals, accountIds=[ADMIN])[0] == "AccessDeniedException"


def test_totals_are_paged_by_account(client, database):
    found(database)
    pages = list(client(ADMIN).get_paginator("list_usage_totals").paginate(PaginationConfig={"PageSize": 1}))
    assert [[each["accountId"] for each in page["totals"]] for page in pages] == [[ADMIN], [MEMBER]]


def test_prices_can_be_others():
    one = Usage(type="ECR_RESCAN", total=30, days=30)
    assert monthly_cost(one) == pytest.approx(30 * PRICES["ECR_RESCAN"])
    assert monthly_cost(one, {"ECR_RESCAN": 1.0}) == 30
    assert monthly_cost(one, {}) is None


def test_a_trial_lasts_fifteen_days_and_runs_on_when_scanning_stops(client, database, clock):
    found(database)
    with database.transaction(MEMBER) as connection:
        accounts.enable(connection, REGION, [MEMBER], ["EC2", "ECR"], clock.now)
    with database.transaction(MEMBER) as connection:
        accounts.disable(connection, REGION, [MEMBER], ["ECR"], clock.now)
    ours = client(ADMIN)
    told = ours.batch_get_free_trial_info(accountIds=[MEMBER, STRANGER, MEMBER, ADMIN])
    (first, second), (failed,) = told["accounts"], told["failedAccounts"]
    assert first == {
        "accountId": MEMBER,
        "freeTrialInfo": [
            {
                "type": kind,
                "start": START,
                "end": START + timedelta(days=15),
                "status": "ACTIVE",
                "cloudProvider": "AWS",
            }
            for kind in ("EC2", "ECR")
        ],
    }
    assert second == {"accountId": ADMIN, "freeTrialInfo": []}
    assert (failed["accountId"], failed["code"]) == (STRANGER, "ACCESS_DENIED")
    clock.forward(days=15)
    (again,) = ours.batch_get_free_trial_info(accountIds=[MEMBER])["accounts"]
    assert {each["status"] for each in again["freeTrialInfo"]} == {"INACTIVE"}
