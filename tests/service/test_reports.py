"""What a client is told of reports and exports; a worker makes them in between."""

import csv
import io
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from tests.chores.findings import add_fleet, flaw_id
from tests.service.callers import REGION, clients
from tests.service.organization import ADMIN, MEMBER, STRANGER, found, refused

from openinspector.api.arns import uuid_of
from openinspector.api.cis_reports import Grant, seal, unseal
from openinspector.api.operations import cis_configurations, cis_reports, cis_results, reports, sbom_exports
from openinspector.pipeline.chores.reports import PLUGIN
from openinspector.pipeline.contract import Work
from openinspector.pipeline.settings import ReportsSettings, Settings
from openinspector.store import cis
from openinspector.store.reports import MOST_EXPORTS
from openinspector.store.sealing import Sealer

MODULES = (reports, sbom_exports, cis_reports, cis_configurations, cis_results)
KEY = f"arn:aws:kms:{REGION}:{ADMIN}:key/0943424a-1548-403e-9373-7f31846e40e7"
S3 = {"bucketName": "our-reports", "kmsKeyArn": KEY}


@pytest.fixture
def settings(tmp_path):
    """Reports go to a folder."""
    (tmp_path / "our-reports").mkdir()
    return Settings(reports=ReportsSettings(directory=str(tmp_path)))


@pytest.fixture
def poked():
    return []


@pytest.fixture
def client(database, clock, settings, poked):
    with clients(MODULES, database, clock, settings=settings, poke=poked.append) as of:
        yield of


@pytest.fixture
def in_s3(database, clock):
    """Makes clients of a service whose reports go to S3."""
    with clients(MODULES, database, clock) as of:
        yield of


@pytest.fixture
def make(database, clock, settings, tmp_path):
    """Has a worker make what was asked for."""

    def run():
        return PLUGIN.run(
            Work(
                database=database,
                region=REGION,
                data=Path(tmp_path),
                settings=settings,
                advisories=None,
                sealer=Sealer([b"s" * 32]),
                clock=clock,
            )
        )

    return run


def told(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_a_report_is_asked_for_made_and_told_of(client, database, make, poked, tmp_path):
    add_fleet(database, ADMIN, 2, 2)
    us = client(ADMIN)
    since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    criteria = {
        "vulnerabilityId": [{"comparison": "EQUALS", "value": flaw_id(1)}],
        "firstObservedAt": [{"startInclusive": since}],
    }
    place = {**S3, "keyPrefix": "a/b", "expectedBucketOwner": ADMIN}
    key = us.create_findings_report(reportFormat="CSV", s3Destination=place, filterCriteria=criteria)["reportId"]
    assert poked == ["reports"]
    expected = {"reportId": key, "destination": place, "filterCriteria": criteria}
    assert told(us.get_findings_report_status(reportId=key)) == expected | {"status": "IN_PROGRESS"}
    make()
    assert told(us.get_findings_report_status(reportId=key)) == expected | {"status": "SUCCEEDED"}
    found_rows = list(csv.DictReader(io.StringIO((tmp_path / "our-reports/a/b" / f"{key}.csv").read_text())))
    assert [each["Vulnerability Id"] for each in found_rows] == [flaw_id(1)] * 2


def test_the_status_of_the_newest_report_needs_no_name(client, make, clock):
    us = client(ADMIN)
    assert refused(us.get_findings_report_status)[0] == "ResourceNotFoundException"
    first = us.create_findings_report(reportFormat="CSV", s3Destination=S3)["reportId"]
    make()
    clock.forward(minutes=1)
    second = us.create_findings_report(reportFormat="JSON", s3Destination=S3)["reportId"]
    assert us.get_findings_report_status()["reportId"] == second
    answer = us.get_findings_report_status(reportId=first)
    assert (answer["status"], answer["errorCode"]) == ("FAILED", "NO_FINDINGS_FOUND")
    assert answer["errorMessage"]


def test_an_account_has_one_findings_report_in_progress(client):
    us = client(ADMIN)
    key = us.create_findings_report(reportFormat="CSV", s3Destination=S3)["reportId"]
    code, message = refused(us.create_findings_report, reportFormat="CSV", s3Destination=S3)
    assert code == "ValidationException"
    assert "Cannot have multiple reports in-progress" in message
    client(STRANGER).create_findings_report(reportFormat="CSV", s3Destination=S3)
    us.cancel_findings_report(reportId=key)
    us.create_findings_report(reportFormat="CSV", s3Destination=S3)


def test_only_what_is_in_progress_can_be_cancelled(client, make):
    us = client(ADMIN)
    key = us.create_findings_report(reportFormat="CSV", s3Destination=S3)["reportId"]
    assert us.cancel_findings_report(reportId=key)["reportId"] == key
    assert us.get_findings_report_status(reportId=key)["status"] == "CANCELLED"
    assert make() == 0
    assert refused(us.cancel_findings_report, reportId=key)[0] == "ValidationException"
    assert refused(us.cancel_findings_report, reportId=str(uuid4()))[0] == "ResourceNotFoundException"


def test_reports_are_their_accounts_own_even_for_an_administrator(client, database):
    found(database)
    report = client(MEMBER).create_findings_report(reportFormat="CSV", s3Destination=S3)["reportId"]
    export = client(MEMBER).create_sbom_export(reportFormat="SPDX_2_3", s3Destination=S3)["reportId"]
    for other in (ADMIN, STRANGER):
        them = client(other)
        for call in (them.get_findings_report_status, them.cancel_findings_report):
            assert refused(call, reportId=report)[0] == "ResourceNotFoundException"
        for call in (them.get_sbom_export, them.cancel_sbom_export):
            assert refused(call, reportId=export)[0] == "ResourceNotFoundException"
    assert refused(client(MEMBER).get_sbom_export, reportId=report)[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("bucketName", "Our_Reports"),
        ("bucketName", "../etc"),
        ("bucketName", "a..b"),
        ("bucketName", "127.0.0.1"),
        ("keyPrefix", "x" * 513),
        ("keyPrefix", "a\nb"),
        ("kmsKeyArn", "alias/ours"),
        ("kmsKeyArn", KEY.replace(REGION, "eu-west-1")),
        ("kmsKeyArn", KEY.replace("key/", "alias/")),
    ],
)
def test_a_destination_in_s3_that_makes_no_sense_is_refused(in_s3, member, value):
    us, place = in_s3(ADMIN), S3 | {member: value}
    for call, form in ((us.create_findings_report, "CSV"), (us.create_sbom_export, "SPDX_2_3")):
        code, _ = refused(call, reportFormat=form, s3Destination=place)
        assert code == "ValidationException"
    assert refused(us.get_findings_report_status)[0] == "ResourceNotFoundException"


@pytest.mark.parametrize("prefix", ["..", "a/../..", "/etc", "a//b", "./a", "a/b/../"])
def test_a_prefix_leads_nowhere_but_below_its_folder(client, prefix):
    code, _ = refused(
        client(ADMIN).create_findings_report, reportFormat="CSV", s3Destination=S3 | {"keyPrefix": prefix}
    )
    assert code == "ValidationException"


def test_of_a_folder_the_key_says_nothing(client):
    client(ADMIN).create_findings_report(reportFormat="CSV", s3Destination=S3 | {"kmsKeyArn": "none"})


def test_an_export_is_asked_for_made_and_told_of(client, database, make, poked, tmp_path):
    found(database)
    add_fleet(database, ADMIN, 1, 1)
    add_fleet(database, MEMBER, 1, 1)
    add_fleet(database, STRANGER, 1, 1)
    us = client(ADMIN)
    criteria = {"accountId": [{"comparison": "NOT_EQUALS", "value": ADMIN}]}
    asked = {"reportFormat": "CYCLONEDX_1_4", "s3Destination": S3, "resourceFilterCriteria": criteria}
    key = us.create_sbom_export(**asked)["reportId"]
    assert poked == ["reports"]
    expected = {"reportId": key, "format": "CYCLONEDX_1_4", "s3Destination": S3, "filterCriteria": criteria}
    assert told(us.get_sbom_export(reportId=key)) == expected | {"status": "IN_PROGRESS"}
    make()
    assert told(us.get_sbom_export(reportId=key)) == expected | {"status": "SUCCEEDED"}
    folder = tmp_path / "our-reports" / f"CYCLONEDX_1_4_outputs_{key}"
    assert [each.name for each in folder.iterdir()] == [f"account={MEMBER}"]


def test_exports_of_an_account_in_progress_are_bounded(client):
    us = client(ADMIN)
    keys = [us.create_sbom_export(reportFormat="SPDX_2_3", s3Destination=S3)["reportId"] for _ in range(MOST_EXPORTS)]
    assert refused(us.create_sbom_export, reportFormat="SPDX_2_3", s3Destination=S3)[0] == "ValidationException"
    assert us.cancel_sbom_export(reportId=keys[0])["reportId"] == keys[0]
    assert us.get_sbom_export(reportId=keys[0])["status"] == "CANCELLED"
    us.create_sbom_export(reportFormat="SPDX_2_3", s3Destination=S3)


@pytest.mark.parametrize("criteria", [{"resourceId": [{"comparison": "PREFIX", "value": "i-"}]}, {"resourceId": []}])
def test_an_exports_criteria_are_the_models(client, criteria):
    code, _ = refused(
        client(ADMIN).create_sbom_export,
        reportFormat="SPDX_2_3",
        s3Destination=S3,
        resourceFilterCriteria=criteria,
    )
    assert code == "ValidationException"


CHECKS = 3
ONE, TWO = "i-0aaaabbbbccccddd1", "i-0aaaabbbbccccddd2"


@pytest.fixture
def run(client, database, clock):
    """A run of ADMIN's on an instance of its own and one of its member's: its ARN."""
    found(database)
    targets = {"accountIds": ["ALL_ACCOUNTS"], "targetResourceTags": {"env": ["prod"]}}
    asked = {"scanName": "once", "securityLevel": "LEVEL_1", "schedule": {"oneTime": {}}, "targets": targets}
    arn = client(ADMIN).create_cis_scan_configuration(**asked)["scanConfigurationArn"]
    hosts = {ONE: ADMIN, TWO: MEMBER}
    with database.system() as connection:
        configuration = cis.configuration(connection, ADMIN, REGION, uuid_of(arn))
        known = [cis.CisTarget(account=account, resource=host) for host, account in hosts.items()]
        scan_id, jobs = cis.open_scan(connection, configuration, known, clock.now)
        for host, account in hosts.items():
            target = cis.job(connection, account, REGION, jobs[host])
            outcomes = [
                cis.CisOutcome(
                    check_id=f"1.{number}",
                    status="FAILED" if number else "PASSED",
                    level="LEVEL_1",
                    document={"title": f"=Title {number}", "remediation": 'Do, as "they" say'},
                )
                for number in range(CHECKS)
            ]
            cis.add_outcomes(connection, target, outcomes, clock.now)
    return arn.partition("/cis-configuration/")[0] + f"/cis-scan/{scan_id}", jobs


def end(database, clock, jobs, hosts=((ONE, ADMIN), (TWO, MEMBER))):
    with database.system() as connection:
        for host, account in hosts:
            target = cis.job(connection, account, REGION, jobs[host])
            cis.stop_session(
                connection, target, clock.now, status="COMPLETED", reason="", platform="UBUNTU_22_04", document={}
            )


def fetched(address):
    with urllib.request.urlopen(address, timeout=120) as answer:
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        return list(csv.DictReader(io.StringIO(answer.read().decode())))


def status_of(address, method="GET"):
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method=method), timeout=120) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_cis_report_is_fetched_from_where_the_service_was_asked(client, database, clock, run):
    arn, jobs = run
    us = client(ADMIN)
    assert told(us.get_cis_scan_report(scanArn=arn, reportFormat="CSV")) == {"status": "IN_PROGRESS"}
    end(database, clock, jobs)
    answer = us.get_cis_scan_report(scanArn=arn, reportFormat="CSV")
    assert answer["status"] == "SUCCEEDED"
    assert answer["url"].startswith(us.meta.endpoint_url + "/cis-reports/")
    rows = fetched(answer["url"])
    assert [(each["Account Id"], each["Target Resource Id"], each["Check Id"]) for each in rows] == [
        (account, host, f"1.{number}") for account, host in ((ADMIN, ONE), (MEMBER, TWO)) for number in range(CHECKS)
    ]
    assert [each["Status"] for each in rows[:CHECKS]] == ["PASSED", "FAILED", "FAILED"]
    assert rows[0]["Title"] == "'=Title 0"  # no formula
    assert rows[0]["Remediation"] == 'Do, as "they" say'
    assert rows[0]["Scan ARN"] == arn


def test_a_cis_report_has_what_its_caller_may_see(client, database, clock, run):
    arn, jobs = run
    end(database, clock, jobs)
    mine = client(MEMBER).get_cis_scan_report(scanArn=arn, reportFormat="CSV")["url"]
    assert {each["Account Id"] for each in fetched(mine)} == {MEMBER}
    one = client(ADMIN).get_cis_scan_report(scanArn=arn, reportFormat="CSV", targetAccounts=[MEMBER])["url"]
    assert {each["Account Id"] for each in fetched(one)} == {MEMBER}
    them = client(STRANGER)
    assert refused(them.get_cis_scan_report, scanArn=arn, reportFormat="CSV")[0] == "ResourceNotFoundException"
    asked = {"scanArn": arn, "reportFormat": "CSV", "targetAccounts": [ADMIN]}
    assert refused(client(MEMBER).get_cis_scan_report, **asked)[0] == "AccessDeniedException"


def test_a_member_that_has_left_is_no_longer_in_a_report_that_was_granted(client, database, clock, run):
    arn, jobs = run
    end(database, clock, jobs)
    address = client(ADMIN).get_cis_scan_report(scanArn=arn, reportFormat="CSV")["url"]
    with database.system() as connection:
        connection.exec_driver_sql("UPDATE member SET status = 'REMOVED'")
    assert {each["Account Id"] for each in fetched(address)} == {ADMIN}


def test_the_address_of_a_cis_report_is_good_for_a_while_and_for_nothing_else(client, database, clock, run):
    arn, jobs = run
    end(database, clock, jobs)
    address = client(ADMIN).get_cis_scan_report(scanArn=arn, reportFormat="CSV")["url"]
    assert status_of(address) == 200
    assert status_of(address, "POST") in (404, 405)
    changed = address[:-8] + ("A" if address[-8] != "A" else "B") + address[-7:]
    head = address.rpartition("/")[0]
    for wrong in (changed, head + "/x", head + "/" + "A" * 5000, head + "/%C3%A9", head + "/AAAA/../x"):
        assert status_of(wrong) in (403, 404)
    clock.forward(minutes=16)
    assert status_of(address) == 403


def test_a_pdf_is_the_default(client, database, clock, run):
    arn, jobs = run
    end(database, clock, jobs)
    for form in ({}, {"reportFormat": "PDF"}):
        assert client(ADMIN).get_cis_scan_report(scanArn=arn, **form)["url"]


def test_a_grant_is_opened_by_its_own_key_alone():
    now = datetime(2026, 3, 2, tzinfo=UTC)
    grant = Grant(expires=int(now.timestamp()) + 1, account=ADMIN, region=REGION, scan_arn="a/b")
    token = seal(b"k" * 32, grant)
    assert unseal(b"k" * 32, token, now) == grant
    assert unseal(b"l" * 32, token, now) is None
    assert unseal(b"k" * 32, token, datetime.fromtimestamp(grant.expires, UTC)) is None
