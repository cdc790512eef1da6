"""CIS sessions and what they found, from a host's report to an auditor's list."""

from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from tests.stored.organization import ADMIN, MEMBER, REGION, STRANGER, found

from openinspector.api.arns import uuid_of
from openinspector.store import cis

TARGETS = {"accountIds": ["SELF"], "targetResourceTags": {"env": ["prod"]}}
GIVEN = {"scanName": "once", "securityLevel": "LEVEL_2", "schedule": {"oneTime": {}}, "targets": TARGETS}
ONE, TWO = "i-0aaaabbbbccccddd1", "i-0aaaabbbbccccddd2"
PROGRESS = {"totalChecks": 2, "successfulChecks": 1, "failedChecks": 1}
SYSTEM = {"vendor": "Canonical", "product": "Ubuntu", "version": "22.04"}
DONE = {"status": "SUCCESS", "progress": PROGRESS, "computePlatform": SYSTEM}


def told(rule, status, details=b"") -> dict:
    return {"ruleId": rule, "status": status, "cisRuleDetails": details}


def refused(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]["Code"]


@pytest.fixture
def run(client, database, clock):
    """A run on two instances of one account: its ARN, and their jobs."""

    def begin(account=ADMIN, targets=TARGETS, owners=None):
        arn = client(account).create_cis_scan_configuration(**GIVEN | {"targets": targets})["scanConfigurationArn"]
        owners = owners or {ONE: account, TWO: account}
        hosts = [cis.CisTarget(account=who, resource=host, tags={"env": ["prod"]}) for host, who in owners.items()]
        with database.system() as connection:
            configuration = cis.configuration(connection, account, REGION, uuid_of(arn))
            scan_id, jobs = cis.open_scan(connection, configuration, hosts, clock.now)
        head = arn.partition("/cis-configuration/")[0]
        return f"{head}/cis-scan/{scan_id}", jobs

    return begin


def report(client, job, messages, stop=DONE):
    """A whole session."""
    token = str(uuid4())
    client.start_cis_session(scanJobId=job, message={"sessionToken": token})
    client.send_cis_session_health(scanJobId=job, sessionToken=token)
    client.send_cis_session_telemetry(scanJobId=job, sessionToken=token, messages=messages)
    client.stop_cis_session(scanJobId=job, sessionToken=token, message=stop)


def test_a_session_is_its_tokens_and_ends_once(client, run):
    _, jobs = run()
    host, job, token = client(ADMIN), jobs[ONE], str(uuid4())
    mine = {"scanJobId": job, "sessionToken": token}
    assert refused(host.send_cis_session_health, **mine) == "ConflictException"  # not begun
    host.start_cis_session(scanJobId=job, message={"sessionToken": token})
    host.start_cis_session(scanJobId=job, message={"sessionToken": token})
    other = {"scanJobId": job, "sessionToken": str(uuid4())}
    assert refused(host.send_cis_session_health, **other) == "ConflictException"
    assert refused(host.start_cis_session, scanJobId=job, message={"sessionToken": str(uuid4())}) == "ConflictException"
    host.send_cis_session_telemetry(**mine, messages=[told("1.1", "PASSED")])
    host.stop_cis_session(**mine, message=DONE)
    for call, more in (
        (host.send_cis_session_health, {}),
        (host.send_cis_session_telemetry, {"messages": [told("1.1", "FAILED")]}),
        (host.stop_cis_session, {"message": DONE}),
    ):
        assert refused(call, **mine, **more) == "ConflictException"


def test_a_job_is_its_accounts_alone(client, run):
    _, jobs = run()
    start = {"scanJobId": jobs[ONE], "message": {"sessionToken": str(uuid4())}}
    assert refused(client(STRANGER).start_cis_session, **start) == "AccessDeniedException"
    assert refused(client(ADMIN).start_cis_session, **start | {"scanJobId": str(uuid4())}) == "AccessDeniedException"


def test_a_run_ends_with_its_last_session_and_counts_what_failed(client, run):
    arn, jobs = run()
    ours = client(ADMIN)
    (before,) = ours.list_cis_scans()["scans"]
    assert (before["scanArn"], before["status"], before["totalChecks"]) == (arn, "IN_PROGRESS", 0)
    report(ours, jobs[ONE], [told("1.1", "FAILED"), told("1.2", "NOT_APPLICABLE"), told("1.1", "PASSED")])
    assert ours.list_cis_scans()["scans"][0]["status"] == "IN_PROGRESS"
    report(ours, jobs[TWO], [told("1.1", "FAILED"), told("1.2", "PASSED")])
    (scan,) = ours.list_cis_scans()["scans"]
    assert (scan["status"], scan["failedChecks"], scan["totalChecks"]) == ("COMPLETED", 1, 4)
    assert (scan["scanName"], scan["scheduledBy"], scan["securityLevel"]) == ("once", ADMIN, "LEVEL_2")
    assert scan["targets"] == {"accountIds": [ADMIN], "targetResourceTags": {"env": ["prod"]}}


def test_a_run_that_no_host_completed_has_failed(client, run):
    _, jobs = run()
    ours = client(ADMIN)
    for job, status in ((jobs[ONE], "INTERRUPTED"), (jobs[TWO], "UNSUPPORTED_OS")):
        report(ours, job, [told("1.1", "ERROR")], {"status": status, "progress": {}})
    assert ours.list_cis_scans()["scans"][0]["status"] == "FAILED"


def test_a_host_that_falls_silent_has_timed_out(client, run, clock):
    arn, jobs = run()
    ours, token = client(ADMIN), str(uuid4())
    report(ours, jobs[ONE], [told("1.1", "PASSED")])
    clock.forward(hours=11)
    ours.start_cis_session(scanJobId=jobs[TWO], message={"sessionToken": token})
    clock.forward(hours=11)
    assert ours.list_cis_scans()["scans"][0]["status"] == "IN_PROGRESS"
    clock.forward(hours=2)
    assert ours.list_cis_scans()["scans"][0]["status"] == "COMPLETED"
    hosts = ours.list_cis_scan_results_aggregated_by_target_resource(scanArn=arn)["targetResourceAggregations"]
    assert [each["targetStatus"] for each in hosts] == ["COMPLETED", "TIMED_OUT"]
    late = {"scanJobId": jobs[TWO], "sessionToken": token}
    assert refused(ours.send_cis_session_health, **late) == "ConflictException"


def test_a_run_is_forgotten_after_90_days(client, run, clock):
    arn, jobs = run()
    ours = client(ADMIN)
    for job in jobs.values():
        report(ours, job, [told("1.1", "PASSED")])
    clock.forward(days=89)
    assert ours.list_cis_scans()["scans"]
    clock.forward(days=2)
    assert ours.list_cis_scans()["scans"] == []
    assert refused(ours.list_cis_scan_results_aggregated_by_checks, scanArn=arn) == "ValidationException"


def test_results_by_check_by_resource_and_one_by_one(client, run):
    arn, jobs = run()
    ours = client(ADMIN)
    words = b'{"title": "Ensure /tmp is its own partition", "level": "LEVEL_1", "remediation": "Mount it.", "x": 1}'
    report(
        ours, jobs[ONE], [told("1.1", "FAILED", words), told("1.2", "UNKNOWN", b"no such file"), told("2", "PASSED")]
    )
    report(ours, jobs[TWO], [told("1.1", "PASSED", words), told("1.2", "PASSED", b"\xff\x00")])
    checks = ours.list_cis_scan_results_aggregated_by_checks(scanArn=arn)["checkAggregations"]
    assert checks[0] == {
        "scanArn": arn,
        "checkId": "1.1",
        "title": "Ensure /tmp is its own partition",
        "level": "LEVEL_1",
        "accountId": ADMIN,
        "statusCounts": {"failed": 1, "skipped": 0, "passed": 1},
        "platform": "Canonical Ubuntu 22.04",
    }
    assert [each["checkId"] for each in checks] == ["1.1", "1.2", "2"]
    hosts = ours.list_cis_scan_results_aggregated_by_target_resource(scanArn=arn)["targetResourceAggregations"]
    assert hosts[0] == {
        "scanArn": arn,
        "targetResourceId": ONE,
        "accountId": ADMIN,
        "targetResourceTags": {"env": ["prod"]},
        "statusCounts": {"failed": 1, "skipped": 1, "passed": 1},
        "platform": "Canonical Ubuntu 22.04",
        "targetStatus": "COMPLETED",
    }
    one = {"scanArn": arn, "targetResourceId": ONE, "accountId": ADMIN}
    details = ours.get_cis_scan_result_details(**one)["scanResultDetails"]
    assert [(each["checkId"], each["status"]) for each in details] == [
        ("1.1", "FAILED"),
        ("1.2", "SKIPPED"),
        ("2", "PASSED"),
    ]
    assert (details[0]["remediation"], details[1]["statusReason"]) == ("Mount it.", "no such file")
    assert f":owner/{ADMIN}/cis-finding/" in details[0]["findingArn"]
    by_arn = {"findingArnFilters": [{"comparison": "EQUALS", "value": details[1]["findingArn"]}]}
    assert ours.get_cis_scan_result_details(**one, filterCriteria=by_arn)["scanResultDetails"] == [details[1]]


def test_lists_of_results_are_filtered_sorted_and_go_on(client, run):
    arn, jobs = run()
    ours = client(ADMIN)
    report(ours, jobs[ONE], [told("a", "PASSED"), told("b", "FAILED"), told("c", "FAILED")])
    report(ours, jobs[TWO], [told("a", "PASSED"), told("b", "FAILED"), told("c", "PASSED")])

    def checks(**given):
        pages = ours.get_paginator("list_cis_scan_results_aggregated_by_checks").paginate(
            scanArn=arn, PaginationConfig={"PageSize": 1}, **given
        )
        return [each["checkId"] for page in pages for each in page["checkAggregations"]]

    assert checks(sortBy="FAILED_COUNTS", sortOrder="DESC") == ["b", "c", "a"]
    assert checks(filterCriteria={"failedResourcesFilters": [{"lowerInclusive": 1, "upperInclusive": 1}]}) == ["c"]
    assert checks(filterCriteria={"checkIdFilters": [{"comparison": "NOT_EQUALS", "value": "b"}]}) == ["a", "c"]
    for sort in ("CHECK_ID", "TITLE", "PLATFORM", "SECURITY_LEVEL"):
        assert checks(sortBy=sort, sortOrder="DESC") == ["c", "b", "a"]

    def hosts(**given):
        pages = ours.get_paginator("list_cis_scan_results_aggregated_by_target_resource").paginate(
            scanArn=arn, PaginationConfig={"PageSize": 1}, **given
        )
        return [each["targetResourceId"] for page in pages for each in page["targetResourceAggregations"]]

    for sort in ("RESOURCE_ID", "ACCOUNT_ID", "PLATFORM", "TARGET_STATUS", "TARGET_STATUS_REASON"):
        assert hosts(sortBy=sort) == [ONE, TWO]
    assert hosts(sortBy="FAILED_COUNTS") == [TWO, ONE]
    failed = {"statusFilters": [{"comparison": "EQUALS", "value": "FAILED"}]}
    third = {"checkIdFilters": [{"comparison": "EQUALS", "value": "c"}]}
    assert hosts(filterCriteria=failed | third) == [ONE]
    assert hosts(filterCriteria={"failedChecksFilters": [{"upperInclusive": 1}]}) == [TWO]
    tagged = {"targetResourceTagFilters": [{"comparison": "EQUALS", "key": "env", "value": "prod"}]}
    assert hosts(filterCriteria=tagged | {"targetStatusFilters": [{"comparison": "EQUALS", "value": "COMPLETED"}]}) == [
        ONE,
        TWO,
    ]
    pages = ours.get_paginator("get_cis_scan_result_details").paginate(
        scanArn=arn,
        targetResourceId=ONE,
        accountId=ADMIN,
        sortBy="STATUS",
        sortOrder="DESC",
        PaginationConfig={"PageSize": 2},
    )
    assert [each["checkId"] for page in pages for each in page["scanResultDetails"]] == ["a", "c", "b"]


def test_runs_are_filtered_and_newest_first(client, run, clock):
    ours = client(ADMIN)
    first, _ = run()
    clock.forward(hours=1)
    second, jobs = run()
    report(ours, jobs[ONE], [told("a", "FAILED")])
    report(ours, jobs[TWO], [told("a", "FAILED")])

    def scans(criteria=None, **given):
        pages = ours.get_paginator("list_cis_scans").paginate(
            filterCriteria=criteria or {}, PaginationConfig={"PageSize": 1}, **given
        )
        return [each["scanArn"] for page in pages for each in page["scans"]]

    def equals(value, comparison="EQUALS"):
        return [{"comparison": comparison, "value": value}]

    assert scans() == [second, first]
    for sort in ("SCAN_START_DATE", "FAILED_CHECKS"):
        assert scans(sortBy=sort) == [first, second]
    assert scans(sortBy="STATUS") == [second, first]
    assert set(scans(sortBy="SCHEDULED_BY")) == {first, second}
    assert scans({"scanAtFilters": [{"earliestScanStartTime": clock.now}]}) == [second]
    assert scans({"scanStatusFilters": equals("IN_PROGRESS")}) == [first]
    assert scans({"scanArnFilters": equals(first)}) == [first]
    configuration = ours.list_cis_scans()["scans"][0]["scanConfigurationArn"]
    assert scans({"scanConfigurationArnFilters": equals(configuration)}) == [second]
    assert scans({"failedChecksFilters": [{"lowerInclusive": 2}]}) == [second]
    assert scans({"targetResourceIdFilters": equals(ONE), "targetAccountIdFilters": equals(ADMIN)}) == [second, first]
    assert scans({"targetResourceIdFilters": equals(ONE, "NOT_EQUALS")}) == []
    assert scans({"scheduledByFilters": equals(STRANGER)}) == []
    assert scans({"scanNameFilters": equals("on", "PREFIX")}, detailLevel="MEMBER") == [second, first]
    assert scans(detailLevel="ORGANIZATION") == []
    assert client(STRANGER).list_cis_scans()["scans"] == []


def test_an_administrator_sees_its_members_and_a_member_itself(client, run, database):
    found(database)
    everybody = {**TARGETS, "accountIds": ["ALL_ACCOUNTS"]}
    arn, jobs = run(targets=everybody, owners={ONE: ADMIN, TWO: MEMBER})
    report(client(ADMIN), jobs[ONE], [told("a", "PASSED")])
    (scan,) = client(ADMIN).list_cis_scans(detailLevel="ORGANIZATION")["scans"]
    assert (scan["scanArn"], scan["status"], scan["totalChecks"]) == (arn, "IN_PROGRESS", 1)
    report(client(MEMBER), jobs[TWO], [told("a", "FAILED")])
    (scan,) = client(ADMIN).list_cis_scans()["scans"]
    assert (scan["status"], scan["totalChecks"], scan["failedChecks"]) == ("COMPLETED", 2, 1)

    def counts(who):
        (check,) = client(who).list_cis_scan_results_aggregated_by_checks(scanArn=arn)["checkAggregations"]
        return check["statusCounts"]

    assert counts(ADMIN) == {"failed": 1, "skipped": 0, "passed": 1}
    assert counts(MEMBER) == {"failed": 1, "skipped": 0, "passed": 0}
    wanted = {"scanArn": arn, "targetResourceId": ONE, "accountId": ADMIN}
    assert refused(client(MEMBER).get_cis_scan_result_details, **wanted) == "AccessDeniedException"
    for call in (
        client(STRANGER).list_cis_scan_results_aggregated_by_checks,
        client(STRANGER).list_cis_scan_results_aggregated_by_target_resource,
    ):
        assert refused(call, scanArn=arn) == "ValidationException"
