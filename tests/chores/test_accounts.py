"""What follows from kinds of scans that are switched on and off, and from suspended accounts."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update
from tests.service.callers import REGION, START
from tests.store.fleet import finding_row

from openinspector.model.account import RESOURCE_SCAN_TYPES
from openinspector.model.coverage import status_of
from openinspector.model.resource import EcrImage, LambdaFunction, Resource
from openinspector.pipeline.chores.accounts import PLUGIN as ACCOUNTS
from openinspector.pipeline.chores.meter import PLUGIN as METER
from openinspector.pipeline.ingest import settle
from openinspector.store import accounts, enablement, estate, organizations
from openinspector.store.account_tables import account, account_scan_type, covered_period, usage_record
from openinspector.store.rows import store_findings
from openinspector.store.tables import coverage, event, finding, resource

OURS, THEIRS = "111122223333", "444455556666"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def host(number=1, of=OURS):
    return Resource(account=of, region=REGION, type="AWS_EC2_INSTANCE", id=f"i-{number:017x}")


def image(of=OURS):
    arn = f"arn:aws:ecr:{REGION}:{of}:repository/app/sha256:{'0' * 64}"
    details = EcrImage(repository="app", digest="sha256:" + "0" * 64, registry=of)
    return Resource(account=of, region=REGION, type="AWS_ECR_CONTAINER_IMAGE", id=arn, details=details)


def function(of=OURS):
    arn = f"arn:aws:lambda:{REGION}:{of}:function:f:$LATEST"
    details = LambdaFunction(name="f", runtime="python3.12", code_sha256="0")
    return Resource(account=of, region=REGION, type="AWS_LAMBDA_FUNCTION", id=arn, details=details)


def scanned(database, told, *kinds, findings=("PACKAGE_VULNERABILITY",), now=START):
    """A resource whose scans have ended, with findings."""
    with database.system() as connection:
        entered = estate.enter(connection, told, now)
        for kind in kinds or ("PACKAGE",):
            estate.start_scan(connection, entered, told, kind, now)
            estate.end_scan(connection, entered, kind, status_of("SUCCESSFUL"), None, now)
        rows = [
            finding_row(told.account, entered.id, f"CVE-{number}", region=REGION, type=kind, id=uuid4())
            for number, kind in enumerate(findings)
        ]
        store_findings(connection, rows)
    return entered


def switch(database, clock, on, *types, of=OURS):
    with database.transaction(of) as connection:
        done = accounts.enable if on else accounts.disable
        done(connection, REGION, [of], types, clock.now)


def suspend(database, clock, since=None):
    with database.system() as connection:
        connection.execute(
            update(account).where(account.c.account == OURS).values(suspended_at=since, due_at=clock.now)
        )


def seen(database, entered):
    """Reason of each kind of scan, and whether it is due."""
    with database.system() as connection:
        rows = connection.execute(select(coverage).where(coverage.c.resource_id == entered.id)).all()
    return {row.scan_type: (row.status, row.reason, row.due_at is not None) for row in rows}


def findings(database, entered):
    with database.system() as connection:
        rows = connection.execute(select(finding.c.type).where(finding.c.resource_id == entered.id))
        return sorted(rows.scalars())


def state(database, entered):
    with database.system() as connection:
        return connection.execute(select(resource.c.state).where(resource.c.id == entered.id)).scalar_one()


def due(database):
    with database.system() as connection:
        rows = connection.execute(select(account_scan_type).where(account_scan_type.c.due_at.is_not(None)))
        return {(row.account, row.scan_type): row.due_at for row in rows}


def events(database):
    with database.system() as connection:
        return [(row.kind, row.payload) for row in connection.execute(select(event).order_by(event.c.sequence)).all()]


ACTIVE = ("ACTIVE", "SUCCESSFUL", False)
PENDING_DISABLE = ("INACTIVE", "PENDING_DISABLE", False)
REVIVED = ("ACTIVE", "PENDING_REVIVAL_SCAN", True)
DENIED = ("INACTIVE", "ACCESS_DENIED", False)


@pytest.fixture
def both(database, clock):
    """EC2 and ECR are on, each with something that has a finding."""
    switch(database, clock, True, "EC2", "ECR")
    return scanned(database, host()), scanned(database, image())


def test_what_is_switched_off_is_withheld_and_findings_go_after_a_day(database, work, clock, both):
    instance, other = both
    ACCOUNTS.run(work())
    clock.forward(hours=1)
    switch(database, clock, False, "EC2")
    off = clock.now
    assert ACCOUNTS.run(work()) == 1
    assert seen(database, instance) == {"PACKAGE": PENDING_DISABLE}
    assert state(database, instance) == "disabled"  # so that nothing is opened by new advisories either
    assert findings(database, instance) == ["PACKAGE_VULNERABILITY"]
    assert due(database) == {(OURS, "EC2"): off + DAY}
    clock.now = off + DAY - timedelta(microseconds=1)
    assert ACCOUNTS.run(work()) == 0
    assert findings(database, instance)
    clock.now = off + DAY
    assert ACCOUNTS.run(work()) == 1
    assert seen(database, instance) == {}
    assert findings(database, instance) == []
    assert state(database, instance) == "disabled"
    assert due(database) == {}
    assert ACCOUNTS.run(work()) == 0
    assert seen(database, other) == {"PACKAGE": ACTIVE}
    assert findings(database, other) == ["PACKAGE_VULNERABILITY"]


def test_what_is_withheld_is_told_once(database, work, clock, both, poked):
    switch(database, clock, False, "EC2")
    ACCOUNTS.run(work())
    ACCOUNTS.run(work())
    assert poked == ["deliver"]
    assert events(database) == [
        ("coverage", {"scanType": "PACKAGE", "statusCode": "INACTIVE", "reason": "PENDING_DISABLE"})
    ]


def test_switched_on_again_within_a_day_everything_is_as_it_was_and_due(database, work, clock, both):
    instance, _ = both
    switch(database, clock, False, "EC2")
    ACCOUNTS.run(work())
    clock.forward(hours=23)
    switch(database, clock, True, "EC2")
    assert ACCOUNTS.run(work()) == 1
    assert seen(database, instance) == {"PACKAGE": REVIVED}
    assert state(database, instance) == "running"
    assert events(database)[-1] == (
        "coverage",
        {"scanType": "PACKAGE", "statusCode": "ACTIVE", "reason": "PENDING_REVIVAL_SCAN"},
    )
    clock.forward(days=3)
    ACCOUNTS.run(work())
    assert findings(database, instance) == ["PACKAGE_VULNERABILITY"]


def test_switched_on_after_the_removal_what_is_still_there_is_covered_and_due(database, work, clock, both):
    instance, _ = both
    gone = scanned(database, host(2))
    stopped = scanned(database, host(3))
    settle(database, host(2), "terminated", clock.now)
    settle(database, host(3), "stopped", clock.now)
    switch(database, clock, False, "EC2")
    clock.forward(days=2)
    ACCOUNTS.run(work())  # nobody came to it for two days
    assert [seen(database, each) for each in (instance, gone, stopped)] == [{}, {}, {}]
    switch(database, clock, True, "EC2")
    ACCOUNTS.run(work())
    assert seen(database, instance) == {"PACKAGE": ("ACTIVE", "PENDING_INITIAL_SCAN", True)}
    assert seen(database, gone) == {}
    assert seen(database, stopped) == {"PACKAGE": ("INACTIVE", "EC2_INSTANCE_STOPPED", False)}
    assert [state(database, each) for each in (instance, gone, stopped)] == ["running", "terminated", "stopped"]


def test_what_was_stopped_is_still_stopped_when_it_is_switched_on_again(database, work, clock, both):
    instance, _ = both
    settle(database, host(), "stopped", clock.now)
    switch(database, clock, False, "EC2")
    ACCOUNTS.run(work())
    assert seen(database, instance) == {"PACKAGE": PENDING_DISABLE}
    switch(database, clock, True, "EC2")
    ACCOUNTS.run(work())
    assert seen(database, instance) == {"PACKAGE": ("INACTIVE", "EC2_INSTANCE_STOPPED", False)}


def test_code_scans_of_functions_are_switched_by_themselves(database, work, clock):
    kinds = ("PACKAGE_VULNERABILITY", "CODE_VULNERABILITY")
    switch(database, clock, True, "LAMBDA", "LAMBDA_CODE")
    lambda_ = scanned(database, function(), "PACKAGE", "CODE", findings=kinds)
    switch(database, clock, False, "LAMBDA_CODE")
    ACCOUNTS.run(work())
    assert seen(database, lambda_) == {"PACKAGE": ACTIVE, "CODE": PENDING_DISABLE}
    assert state(database, lambda_) == "running"
    clock.forward(days=1)
    ACCOUNTS.run(work())
    assert seen(database, lambda_) == {"PACKAGE": ACTIVE}
    assert findings(database, lambda_) == ["PACKAGE_VULNERABILITY"]
    switch(database, clock, False, "LAMBDA")
    clock.forward(days=1)
    ACCOUNTS.run(work())
    assert findings(database, lambda_) == []


def test_a_scan_that_runs_when_its_resource_is_withheld_writes_nothing(database, work, clock, both):
    instance, _ = both
    with database.system() as connection:
        number = estate.start_scan(connection, estate.enter(connection, host(), START), host(), "PACKAGE", START)
    switch(database, clock, False, "EC2")
    ACCOUNTS.run(work())
    with database.system() as connection:
        assert estate.seen_so_far(connection, instance, "PACKAGE").fence > number


def test_other_accounts_and_regions_are_left_alone(database, work, clock):
    switch(database, clock, True, "EC2")
    switch(database, clock, True, "EC2", of=THEIRS)
    theirs = scanned(database, host(of=THEIRS))
    elsewhere = Resource(account=OURS, region="eu-west-1", type="AWS_EC2_INSTANCE", id="i-00000000000000001")
    far = scanned(database, elsewhere)
    switch(database, clock, False, "EC2")
    clock.forward(days=2)
    ACCOUNTS.run(work())
    assert seen(database, theirs) == seen(database, far) == {"PACKAGE": ACTIVE}


def test_what_never_was_switched_on_is_nobodys_business(database, work, clock):
    """An account that hands in what it found need not enable anything."""
    instance = scanned(database, host())
    assert ACCOUNTS.run(work()) == 0
    assert seen(database, instance) == {"PACKAGE": ACTIVE}


def test_hours_end_when_it_was_switched_off_not_when_somebody_came_to_it(database, work, clock, both):
    clock.forward(hours=2)
    switch(database, clock, False, "EC2")
    clock.forward(hours=3)
    ACCOUNTS.run(work())
    METER.run(work())
    with database.system() as connection:
        assert connection.execute(select(usage_record.c.quantity)).scalars().all() == [pytest.approx(2)]
        assert connection.execute(select(func.count()).select_from(covered_period)).scalar_one() == 0


def test_a_suspended_account_keeps_its_findings_for_ninety_days(database, work, clock, both):
    instance, other = both
    suspend(database, clock, clock.now)
    since = clock.now
    ACCOUNTS.run(work())
    assert seen(database, instance) == seen(database, other) == {"PACKAGE": DENIED}
    clock.now = since + 90 * DAY - timedelta(seconds=1)
    assert ACCOUNTS.run(work()) == 0
    assert findings(database, instance)
    clock.now = since + 90 * DAY
    ACCOUNTS.run(work())
    assert findings(database, instance) == findings(database, other) == []
    assert seen(database, instance) == {}


def test_an_account_that_comes_back_is_scanned_again(database, work, clock, both):
    instance, _ = both
    ACCOUNTS.run(work())
    suspend(database, clock, clock.now)
    ACCOUNTS.run(work())
    clock.forward(days=89)
    suspend(database, clock)
    ACCOUNTS.run(work())
    assert seen(database, instance) == {"PACKAGE": REVIVED}
    suspend(database, clock, clock.now)
    clock.forward(days=91)
    ACCOUNTS.run(work())
    assert seen(database, instance) == {}
    suspend(database, clock)
    ACCOUNTS.run(work())
    assert seen(database, instance) == {"PACKAGE": ("ACTIVE", "PENDING_INITIAL_SCAN", True)}


def test_what_is_switched_off_while_suspended_stays_off_afterwards(database, work, clock, both):
    instance, other = both
    suspend(database, clock, clock.now)
    ACCOUNTS.run(work())
    switch(database, clock, False, "EC2")
    ACCOUNTS.run(work())
    assert seen(database, instance) == {"PACKAGE": PENDING_DISABLE}
    suspend(database, clock)
    ACCOUNTS.run(work())
    assert seen(database, instance) == {"PACKAGE": PENDING_DISABLE}
    assert seen(database, other) == {"PACKAGE": REVIVED}


def test_what_is_switched_on_while_suspended_is_not_scanned_before_it_ends(database, work, clock, both):
    instance, _ = both
    switch(database, clock, False, "EC2")
    ACCOUNTS.run(work())
    suspend(database, clock, clock.now)
    switch(database, clock, True, "EC2")
    ACCOUNTS.run(work())
    assert seen(database, instance) == {"PACKAGE": DENIED}
    assert state(database, instance) == "suspended"
    suspend(database, clock)
    ACCOUNTS.run(work())
    assert seen(database, instance) == {"PACKAGE": REVIVED}


def test_many_resources_are_gone_through_in_pieces(database, work, clock, monkeypatch):
    monkeypatch.setattr(enablement, "AT_ONCE", 2)
    monkeypatch.setattr(enablement, "REMOVED_AT_ONCE", 2)
    switch(database, clock, True, *RESOURCE_SCAN_TYPES)
    hosts = [scanned(database, host(number)) for number in range(5)]
    switch(database, clock, False, *RESOURCE_SCAN_TYPES)
    assert ACCOUNTS.run(work()) == 5
    assert [seen(database, each) for each in hosts] == [{"PACKAGE": PENDING_DISABLE}] * 5
    clock.forward(days=1)
    assert ACCOUNTS.run(work()) == 5
    assert [findings(database, each) for each in hosts] == [[]] * 5
    switch(database, clock, True, "EC2")
    assert ACCOUNTS.run(work()) == 5
    assert len(events(database)) == 10  # that findings are forgotten is no news


def test_a_worker_that_is_to_stop_goes_on_another_time(database, work, clock, both, monkeypatch):
    instance, _ = both
    switch(database, clock, False, "EC2")
    assert ACCOUNTS.run(work(stopping=lambda: True)) == 0
    assert (OURS, "EC2") in due(database)
    assert ACCOUNTS.run(work()) == 1
    assert seen(database, instance) == {"PACKAGE": PENDING_DISABLE}


@pytest.mark.parametrize("state_", ["disabled", "suspended"])
def test_it_is_what_settling_each_resource_would_do(database, work, clock, both, state_):
    """In coverage while findings are kept, and in findings when they go."""
    instance, _ = both
    single = scanned(database, host(of=THEIRS))
    off, reason = clock.now, "PENDING_DISABLE" if state_ == "disabled" else "ACCESS_DENIED"
    if state_ == "disabled":
        switch(database, clock, False, "EC2")
    else:
        suspend(database, clock, clock.now)
    for kept in (timedelta(0), HOUR, 100 * DAY):
        clock.now = off + kept
        ACCOUNTS.run(work())
        settle(database, host(of=THEIRS), state_, clock.now, off)
        assert findings(database, instance) == findings(database, single)
        if kept <= HOUR:
            assert state(database, instance) == state(database, single) == state_
            assert seen(database, instance) == seen(database, single) == {"PACKAGE": ("INACTIVE", reason, False)}
    with database.system() as connection:
        assert connection.execute(select(func.count()).select_from(resource)).scalar_one() == 3


def test_new_accounts_of_an_organization_are_switched_on_and_begin_their_trials(database, work, clock):
    admin, manager, new = "222233334444", "333344445555", "555566667777"
    with database.system() as connection:
        organizations.register_organization(connection, "o-abcdefghij", manager, {admin: "ACTIVE"}, clock.now)
        of = organizations.lock_organization(connection, manager)
        organizations.appoint(connection, REGION, of, admin, clock.now)
        organizations.set_auto_enable(connection, REGION, admin, ["EC2"], clock.now)
    entered = scanned(database, host(of=new))
    with database.system() as connection:
        connection.execute(coverage.delete())
    clock.forward(days=1)
    with database.system() as connection:
        members = {admin: "ACTIVE", new: "ACTIVE"}
        organizations.register_organization(connection, "o-abcdefghij", manager, members, clock.now, timedelta(days=20))
    ACCOUNTS.run(work())
    assert seen(database, entered) == {"PACKAGE": ("ACTIVE", "PENDING_INITIAL_SCAN", True)}
    with database.system() as connection:
        (row,) = connection.execute(select(account_scan_type).where(account_scan_type.c.account == new)).all()
    assert (row.scan_type, row.status, row.due_at) == ("EC2", "ENABLED", None)
    assert (row.trial_start, row.trial_end) == (clock.now, clock.now + timedelta(days=20))


def test_an_account_that_organizations_suspends_is_withheld_until_it_is_active(database, work, clock, both):
    instance, _ = both
    manager = "333344445555"
    for status, expected in (("SUSPENDED", DENIED), ("ACTIVE", REVIVED)):
        with database.system() as connection:
            organizations.register_organization(connection, "o-abcdefghij", manager, {OURS: status}, clock.now)
        ACCOUNTS.run(work())
        assert seen(database, instance) == {"PACKAGE": expected}


def listed(database, *of):
    from openinspector.model.criteria import Criteria
    from openinspector.store.find_queries import Sought, find_findings
    from openinspector.store.finding_counts import Asked, count_findings

    with database.transaction(*of) as connection:
        found, _ = find_findings(connection, Sought(of, REGION, Criteria()), 100)
        groups, _ = count_findings(
            connection, Asked(by="account", accounts=of, region=REGION, criteria=Criteria()), 100
        )
    assert sum(each.all for each in groups) == len(found)
    return len(found)


def test_findings_of_what_is_switched_off_are_inaccessible_at_once(database, work, clock, both):
    switch(database, clock, True, "EC2", of=THEIRS)
    scanned(database, host(of=THEIRS))
    assert listed(database, OURS, THEIRS) == 3
    switch(database, clock, False, "EC2")
    assert listed(database, OURS, THEIRS) == 2  # before any worker has come to it
    assert listed(database, OURS) == 1
    ACCOUNTS.run(work())
    assert listed(database, OURS) == 1
    switch(database, clock, True, "EC2")
    assert listed(database, OURS) == 2
    switch(database, clock, False, "EC2", "ECR", "LAMBDA_CODE")
    assert listed(database, OURS) == 0


def test_findings_of_a_functions_packages_stay_when_its_code_is_switched_off(database, work, clock):
    switch(database, clock, True, "LAMBDA", "LAMBDA_CODE")
    scanned(database, function(), "PACKAGE", "CODE", findings=("PACKAGE_VULNERABILITY", "CODE_VULNERABILITY"))
    switch(database, clock, False, "LAMBDA_CODE")
    assert listed(database, OURS) == 1
