"""Reports as a worker makes them: into S3, and into a folder."""

import csv
import io
import json
import os
import stat
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, update
from tests.chores.findings import add_fleet, flaw_id
from tests.edge.service_process import tied
from tests.service.callers import REGION

from openinspector.model.report import Destination, Report
from openinspector.pipeline import reports as making
from openinspector.pipeline.chores.reports import PLUGIN
from openinspector.pipeline.settings import AwsSettings, ReportsSettings, Settings
from openinspector.store import reports
from openinspector.store.account_tables import delegated_admin, member, report
from openinspector.store.embedded import OWNER
from openinspector.store.roles import APP_ROLE
from openinspector.store.tables import coverage, resource
from openinspector.transport import s3

US, MEMBER, OTHER = "111122223333", "444455556666", "777788889999"
ROOT = Path(__file__).resolve().parent.parent.parent


class Place:
    """A place that reports go to, and how a test looks into it."""

    def __init__(self, settings, bucket, key, objects, read, leftovers):
        self.settings, self.bucket, self.key = settings, bucket, key
        self.objects, self.read, self.leftovers = objects, read, leftovers

    def to(self, prefix="", **more):
        return Destination(**{"bucket_name": self.bucket, "kms_key_arn": self.key, "key_prefix": prefix} | more)


@pytest.fixture
def bucket(aws):
    name, key = aws.bucket(), aws.key()
    settings = Settings(aws=AwsSettings(endpoint_url=aws.address))
    return Place(
        settings, name, key, lambda: aws.keys_in(name), lambda at: aws.read(name, at)[0], lambda: aws.uploads_in(name)
    )


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "reports"
    (root / "our-reports").mkdir(parents=True)
    base = root / "our-reports"

    def files(hidden):
        found = (each for each in base.rglob("*") if each.is_file() and each.name.startswith(".") is hidden)
        return sorted(str(each.relative_to(base)) for each in found)

    settings = Settings(reports=ReportsSettings(directory=str(root)))
    return Place(
        settings,
        "our-reports",
        "none",
        lambda: files(hidden=False),
        lambda at: (base / at).read_bytes(),
        lambda: files(hidden=True),
    )


@pytest.fixture(params=["bucket", "folder"])
def place(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def ask(database, clock):
    """Asks for a report, as a request does; gives its id."""

    def asked(destination, kind="FINDINGS", form="CSV", account=US, **criteria):
        key = str(uuid4())
        told = Report(
            account=account, region=REGION, id=key, kind=kind, format=form, destination=destination, criteria=criteria
        )
        with database.transaction(account) as connection:
            add = reports.add_findings_report if kind == "FINDINGS" else reports.add_sbom_export
            assert add(connection, told, clock.now)
        return key

    return asked


@pytest.fixture
def row(database):
    def read(key, account=US, kind="FINDINGS"):
        with database.transaction(account) as connection:
            return reports.read_report(connection, account, REGION, kind, key)

    return read


def ended(row, key, **more):
    found = row(key, **more)
    return found.status, found.error_code


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode())))


def equals(value):
    return [{"comparison": "EQUALS", "value": value}]


def test_a_csv_report_has_the_active_findings_under_its_id(work, database, place, ask, row):
    add_fleet(database, US, 3, 4)
    add_fleet(database, US, 1, 2, status="CLOSED", first=10)
    add_fleet(database, OTHER, 1, 1)
    key = ask(place.to("some/where"))
    assert PLUGIN.run(work(settings=place.settings)) == 1
    assert ended(row, key) == ("SUCCEEDED", "")
    assert place.objects() == [f"some/where/{key}.csv"]
    found = rows_of(place.read(f"some/where/{key}.csv"))
    assert len(found) == 12
    assert {each["Status"] for each in found} == {"ACTIVE"}
    assert {each["AWS Account Id"] for each in found} == {US}
    assert found[0]["Affected Packages"].startswith("lib")
    assert not place.leftovers()


def test_a_json_report_is_one_document_of_what_the_criteria_ask_for(work, database, place, ask):
    add_fleet(database, US, 3, 4)
    add_fleet(database, US, 1, 2, status="SUPPRESSED", first=10)
    key = ask(place.to(), form="JSON", findingStatus=equals("SUPPRESSED"), vulnerabilityId=equals(flaw_id(1)))
    PLUGIN.run(work(settings=place.settings))
    [found] = json.loads(place.read(f"{key}.json"))["findings"]
    assert found["status"] == "SUPPRESSED"
    assert found["packageVulnerabilityDetails"]["vulnerabilityId"] == flaw_id(1)
    assert found["firstObservedAt"] == "2026-03-01T09:00:00Z"


def test_pages_lead_to_every_finding_once(work, database, folder, ask, monkeypatch):
    monkeypatch.setattr(making, "FINDINGS_PAGE", 7)
    add_fleet(database, US, 5, 10)
    key = ask(folder.to())
    PLUGIN.run(work(settings=folder.settings))
    arns = [each["Finding ARN"] for each in rows_of(folder.read(f"{key}.csv"))]
    assert len(arns) == 50
    assert arns == sorted(set(arns))


def test_an_administrators_report_covers_its_members_and_nobody_else(work, database, folder, ask):
    with database.system() as connection:
        office = {"account": US, "region": REGION, "organization_id": "o-abcdefghij", "status": "ENABLED"}
        connection.execute(insert(delegated_admin).values(office))
        own = {"account": US, "region": REGION, "member": MEMBER, "status": "ENABLED"}
        connection.execute(insert(member).values(own))
    for each in (US, MEMBER, OTHER):
        add_fleet(database, each, 1, 1)
    key, other = ask(folder.to()), ask(folder.to(), account=MEMBER)
    PLUGIN.run(work(settings=folder.settings))
    assert [each["AWS Account Id"] for each in rows_of(folder.read(f"{key}.csv"))] == [US, MEMBER]
    assert [each["AWS Account Id"] for each in rows_of(folder.read(f"{other}.csv"))] == [MEMBER]


def test_without_findings_a_report_fails_and_leaves_nothing(work, place, ask, row):
    key = ask(place.to())
    PLUGIN.run(work(settings=place.settings))
    assert ended(row, key) == ("FAILED", "NO_FINDINGS_FOUND")
    assert not place.objects()
    assert not place.leftovers()


def test_objects_are_encrypted_with_the_key_that_was_named(work, database, bucket, aws, ask):
    add_fleet(database, US, 1, 1)
    key = ask(bucket.to())
    PLUGIN.run(work(settings=bucket.settings))
    _, told = aws.read(bucket.bucket, f"{key}.csv")
    assert told["ServerSideEncryption"] == "aws:kms"
    assert told["SSEKMSKeyId"] == bucket.key
    assert told["ContentType"].startswith("text/csv")


def test_a_large_report_is_sent_in_parts(work, database, bucket, aws, ask, row, monkeypatch):
    monkeypatch.setattr(s3, "PART", 5 << 20)  # the least that S3 takes
    add_fleet(database, US, 30, 100, notes=12)
    key = ask(bucket.to())
    PLUGIN.run(work(settings=bucket.settings))
    assert ended(row, key) == ("SUCCEEDED", "")
    data, told = aws.read(bucket.bucket, f"{key}.csv")
    assert told["ETag"].strip('"').endswith("-3")
    assert len(rows_of(data)) == 3000
    assert row(key).upload == {}


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("no bucket", "BUCKET_NOT_FOUND"),
        ("far bucket", "INCOMPATIBLE_BUCKET_REGION"),
        ("no key", "MALFORMED_KMS_KEY"),
        ("signing key", "MALFORMED_KMS_KEY"),
        ("disabled key", "MALFORMED_KMS_KEY"),
    ],
)
def test_what_is_wrong_with_a_destination_is_told(work, database, bucket, aws, ask, row, why, code):
    add_fleet(database, US, 1, 1)
    destination = bucket.to()
    match why:
        case "no bucket":
            destination = bucket.to(bucket_name="nobodys-bucket")
        case "far bucket":
            destination = bucket.to(bucket_name=aws.bucket("far-away", "eu-west-1"))
        case "no key":
            destination = bucket.to(kms_key_arn=f"arn:aws:kms:{REGION}:123456789012:key/{uuid4()}")
        case "signing key":
            destination = bucket.to(kms_key_arn=aws.key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048"))
        case "disabled key":
            aws.client("kms").disable_key(KeyId=bucket.key.rpartition("/")[2])
    key = ask(destination)
    PLUGIN.run(work(settings=bucket.settings))
    assert ended(row, key) == ("FAILED", code)
    assert row(key).error_message


def test_who_may_not_write_is_told_so(work, database, bucket, ask, row, monkeypatch):
    add_fleet(database, US, 1, 1)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    key = ask(bucket.to())
    PLUGIN.run(work(settings=bucket.settings))
    assert ended(row, key) == ("FAILED", "INVALID_PERMISSIONS")


def test_a_folder_that_nobody_made_is_no_bucket(work, database, folder, ask, row):
    add_fleet(database, US, 1, 1)
    key = ask(folder.to(bucket_name="nobodys-bucket"))
    PLUGIN.run(work(settings=folder.settings))
    assert ended(row, key) == ("FAILED", "BUCKET_NOT_FOUND")
    assert "has to be made first" in row(key).error_message


def test_where_buckets_are_listed_an_account_writes_into_its_own_alone(work, database, folder, ask, row):
    for account in (US, OTHER):
        add_fleet(database, account, 1, 1)
    reports_settings = replace(folder.settings.reports, buckets={"our-reports": (US,), "their-reports": (OTHER,)})
    settings = replace(folder.settings, reports=reports_settings)
    ours, theirs = ask(folder.to()), ask(folder.to(), account=OTHER)
    unlisted = ask(folder.to(bucket_name="nobodys"), kind="SBOM", form="SPDX_2_3")
    assert PLUGIN.run(work(settings=settings)) == 3
    assert ended(row, ours) == ("SUCCEEDED", "")
    assert ended(row, theirs, account=OTHER) == ("FAILED", "INVALID_PERMISSIONS")
    assert ended(row, unlisted, kind="SBOM") == ("FAILED", "INVALID_PERMISSIONS")
    assert folder.objects() == [f"{ours}.csv"]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"bucket_name": ".."},
        {"bucket_name": "../outside"},
        {"bucket_name": "our-reports/../../outside"},
        {"key_prefix": "../../outside"},
        {"key_prefix": "/outside"},
        {"key_prefix": "a/../../outside"},
    ],
)
def test_a_row_that_was_tampered_with_leads_nowhere_else(work, database, folder, ask, row, tmp_path, spoilt):
    """What a request may ask for is looked at before; a worker trusts it no more for that."""
    (tmp_path / "outside").mkdir()
    add_fleet(database, US, 1, 1)
    before = sorted(tmp_path.rglob("*"))
    key = ask(folder.to(**{"prefix": spoilt.get("key_prefix", "")} | {k: v for k, v in spoilt.items() if k[0] == "b"}))
    PLUGIN.run(work(settings=folder.settings))
    assert ended(row, key)[0] != "SUCCEEDED"
    assert sorted(tmp_path.rglob("*")) == before


def test_what_one_account_is_to_clear_away_is_never_anothers_report(work, database, folder, ask, row):
    for account in (US, OTHER):
        add_fleet(database, account, 1, 1)
    theirs = ask(folder.to(), account=OTHER)
    PLUGIN.run(work(settings=folder.settings))
    ours = ask(folder.to())
    with database.system() as connection:
        told = {"key": "x", "name": f"{theirs}.csv"}
        connection.execute(update(report).where(report.c.id == ours).values(upload=told))
    PLUGIN.run(work(settings=folder.settings))
    assert folder.objects() == sorted([f"{ours}.csv", f"{theirs}.csv"])


def test_files_are_their_owners_alone(work, database, folder, ask):
    add_fleet(database, US, 1, 1)
    key = ask(folder.to("a/b"))
    PLUGIN.run(work(settings=folder.settings))
    base = Path(folder.settings.reports.directory) / folder.bucket
    assert stat.S_IMODE((base / "a" / "b" / f"{key}.csv").stat().st_mode) == 0o600
    assert stat.S_IMODE((base / "a").stat().st_mode) == stat.S_IMODE((base / "a" / "b").stat().st_mode) == 0o700


def test_no_link_leads_out_of_a_folder(work, database, folder, ask, row, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (Path(folder.settings.reports.directory) / folder.bucket / "a").symlink_to(outside)
    add_fleet(database, US, 1, 1)
    key = ask(folder.to("a"))
    PLUGIN.run(work(settings=folder.settings))
    assert ended(row, key) == ("FAILED", "INVALID_PERMISSIONS")
    assert not list(outside.iterdir())


def calls_until(number, then):
    """A `stopping` that does something when it is asked for the nth time; from then on it gives what that gave."""
    asked, said = 0, False

    def stopping():
        nonlocal asked, said
        asked += 1
        if asked == number:
            said = bool(then())
        return said

    return stopping


@pytest.mark.parametrize("kind", ["FINDINGS", "SBOM"])
def test_a_report_that_is_cancelled_in_the_middle_ends(work, database, place, ask, row, clock, monkeypatch, kind):
    monkeypatch.setattr(making, "FINDINGS_PAGE", 10)
    add_fleet(database, US, 5, 10)
    key = ask(place.to(), kind, "CSV" if kind == "FINDINGS" else "SPDX_2_3")

    def cancel():
        with database.transaction(US) as connection:
            assert reports.cancel(connection, US, REGION, kind, key, clock.now)

    PLUGIN.run(work(settings=place.settings, stopping=calls_until(4, cancel)))
    assert ended(row, key, kind=kind) == ("CANCELLED", "")
    assert len(place.objects()) == (0 if kind == "FINDINGS" else 1)  # of an export, what is whole stays
    assert not place.leftovers()


def test_what_is_cancelled_after_parts_were_sent_leaves_no_parts(work, database, bucket, ask, row, clock, monkeypatch):
    monkeypatch.setattr(s3, "PART", 5 << 20)
    add_fleet(database, US, 30, 100, notes=12)
    key = ask(bucket.to())
    seen = []

    def cancel():
        seen.append(len(bucket.leftovers()))
        with database.transaction(US) as connection:
            assert reports.cancel(connection, US, REGION, "FINDINGS", key, clock.now)

    PLUGIN.run(work(settings=bucket.settings, stopping=calls_until(6, cancel)))
    assert seen == [1]
    assert row(key).status == "CANCELLED"
    assert not bucket.objects()
    assert not bucket.leftovers()


def test_a_report_whose_object_is_about_to_be_seen_can_not_be_cancelled(work, database, bucket, ask, row, clock):
    add_fleet(database, US, 1, 1)
    key = ask(bucket.to())
    with database.system() as connection:
        held = reports.claim_next(connection, REGION, uuid4(), clock.now)
        assert reports.begin_closing(connection, held, clock.now)
    with database.transaction(US) as connection:
        assert not reports.cancel(connection, US, REGION, "FINDINGS", key, clock.now)


def test_a_worker_that_is_to_stop_leaves_the_report_to_another_at_once(work, database, place, ask, row, monkeypatch):
    monkeypatch.setattr(making, "FINDINGS_PAGE", 10)
    add_fleet(database, US, 5, 10)
    key = ask(place.to())
    PLUGIN.run(work(settings=place.settings, stopping=calls_until(4, lambda: True)))
    assert row(key).status == "IN_PROGRESS"
    assert not place.objects()
    assert not place.leftovers()
    PLUGIN.run(work(settings=place.settings))
    assert ended(row, key) == ("SUCCEEDED", "")
    assert row(key).attempts == 1  # to be stopped is no failure


def test_two_workers_never_have_the_same_report(database, clock, place, ask):
    first = ask(place.to(), "SBOM", "SPDX_2_3")
    clock.forward(seconds=1)
    second = ask(place.to(), "SBOM", "SPDX_2_3")
    with database.system() as one, database.system() as other:
        assert reports.claim_next(one, REGION, uuid4(), clock.now).report.id == first
        assert reports.claim_next(other, REGION, uuid4(), clock.now).report.id == second
    with database.system() as connection:
        assert reports.claim_next(connection, REGION, uuid4(), clock.now) is None
        clock.forward(minutes=6)
        again = reports.claim_next(connection, REGION, uuid4(), clock.now)
        assert (again.report.id, again.attempts) == (first, 2)


def test_a_worker_that_has_lost_its_claim_writes_nothing_more(work, database, place, ask, row, clock, monkeypatch):
    monkeypatch.setattr(making, "FINDINGS_PAGE", 10)
    add_fleet(database, US, 5, 10)
    key = ask(place.to())
    taken = []

    def lose():
        clock.forward(minutes=6)
        with database.system() as connection:
            taken.append(reports.claim_next(connection, REGION, uuid4(), clock.now))

    PLUGIN.run(work(settings=place.settings, stopping=calls_until(4, lose)))
    assert row(key).claim == taken[0].claim
    assert row(key).status == "IN_PROGRESS"
    assert not place.objects()
    assert not place.leftovers()


def worker(postgres, kept_database, settings, pause=0):
    """A worker in a process of its own."""
    urls = [str(postgres.url(role, kept_database.name)) for role in (OWNER, APP_ROLE)]
    told = json.dumps(
        {
            "aws": {"endpoint_url": settings.aws.endpoint_url},
            "reports": {"directory": settings.reports.directory},
        }
    )
    command = tied("-m", "tests.chores.report_worker", *urls, told, str(pause), str(5 << 20))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def test_a_report_whose_worker_is_killed_is_finished_by_another(
    work, database, place, ask, row, clock, postgres, kept_database
):
    add_fleet(database, US, 30, 100, notes=12)
    key = ask(place.to("p"))
    with worker(postgres, kept_database, place.settings, pause=6) as first:
        assert first.stdout.readline() == "paused\n"
        assert row(key).status == "IN_PROGRESS"
        first.kill()
        first.wait()
    assert len(place.leftovers()) == 1
    assert not place.objects()
    PLUGIN.run(work(settings=place.settings))
    assert row(key).status == "IN_PROGRESS"  # the claim of the dead holds yet
    clock.forward(minutes=6)
    PLUGIN.run(work(settings=place.settings))
    assert ended(row, key) == ("SUCCEEDED", "")
    assert place.objects() == [f"p/{key}.csv"]
    assert len(rows_of(place.read(f"p/{key}.csv"))) == 3000
    assert not place.leftovers()


def test_a_failure_that_may_pass_is_tried_again_and_not_for_ever(work, database, bucket, ask, row, clock):
    add_fleet(database, US, 1, 1)
    key = ask(bucket.to())
    nowhere = Settings(aws=AwsSettings(endpoint_url="http://127.0.0.1:9"))
    for attempt in range(1, making.MOST_ATTEMPTS + 1):
        assert row(key).status == "IN_PROGRESS"
        PLUGIN.run(work(settings=nowhere))
        assert row(key).attempts == attempt
        clock.forward(minutes=2)
    assert ended(row, key) == ("FAILED", "INTERNAL_ERROR")


def test_a_report_that_its_workers_die_of_fails(work, database, bucket, ask, row, clock):
    add_fleet(database, US, 1, 1)
    key = ask(bucket.to())
    for _ in range(making.MOST_ATTEMPTS):
        with database.system() as connection:
            assert reports.claim_next(connection, REGION, uuid4(), clock.now)
        clock.forward(minutes=6)
    PLUGIN.run(work(settings=bucket.settings))
    assert ended(row, key) == ("FAILED", "INTERNAL_ERROR")


def test_a_report_has_twelve_hours(work, database, place, ask, row, clock):
    add_fleet(database, US, 1, 1)
    key = ask(place.to())
    clock.forward(hours=13)
    PLUGIN.run(work(settings=place.settings))
    assert ended(row, key) == ("FAILED", "INTERNAL_ERROR")
    assert "12 hours" in row(key).error_message


def test_reports_are_forgotten_when_their_time_is_over(work, database, folder, ask, row, clock):
    add_fleet(database, US, 1, 1)
    key = ask(folder.to())
    PLUGIN.run(work(settings=folder.settings))
    clock.forward(days=89)
    PLUGIN.run(work(settings=folder.settings))
    assert row(key) is not None
    clock.forward(days=2)
    PLUGIN.run(work(settings=folder.settings))
    assert row(key) is None
    assert folder.objects()  # what was written is the caller's


@pytest.mark.parametrize("form", ["CYCLONEDX_1_4", "SPDX_2_3"])
def test_an_export_has_a_document_for_each_monitored_resource(work, database, place, ask, row, form):
    first, second, gone, unseen = add_fleet(database, US, 4, 3)
    add_fleet(database, OTHER, 1, 1)
    with database.system() as connection:
        connection.execute(update(resource).where(resource.c.id == gone).values(gone_at=resource.c.last_seen_at))
        connection.execute(update(coverage).where(coverage.c.resource_id == unseen).values(status="INACTIVE"))
    key = ask(place.to("out"), "SBOM", form)
    PLUGIN.run(work(settings=place.settings))
    assert ended(row, key, kind="SBOM") == ("SUCCEEDED", "")
    base = f"out/{form}_outputs_{key}/account={US}/resource=AWS_EC2_INSTANCE/"
    assert place.objects() == [f"{base}i-{number:017x}_{form}.json" for number in range(2)]
    told = json.loads(place.read(place.objects()[0]))
    if form == "CYCLONEDX_1_4":
        assert [each["name"] for each in told["components"]] == ["lib0", "lib1", "lib2"]
        assert {each["id"] for each in told["vulnerabilities"]} == {flaw_id(number) for number in range(3)}
    else:
        assert [each["name"] for each in told["packages"]] == ["lib0", "lib1", "lib2"]


@pytest.mark.parametrize(
    ("criteria", "numbers"),
    [
        ({"resourceId": equals(f"i-{1:017x}")}, [1]),
        ({"resourceId": [{"comparison": "NOT_EQUALS", "value": f"i-{1:017x}"}]}, [0, 2]),
        ({"resourceId": equals("i-")}, []),  # exact, no beginning
        ({"ec2InstanceTags": [{"comparison": "EQUALS", "key": "number", "value": "2"}]}, [2]),
        ({"accountId": equals(US), "resourceType": equals("AWS_EC2_INSTANCE")}, [0, 1, 2]),
        ({"resourceType": equals("AWS_LAMBDA_FUNCTION")}, []),
    ],
)
def test_an_export_has_what_the_criteria_ask_for(work, database, folder, ask, row, criteria, numbers, monkeypatch):
    monkeypatch.setattr(making, "RESOURCES_PAGE", 2)
    add_fleet(database, US, 3, 1)
    key = ask(folder.to(), "SBOM", "SPDX_2_3", **criteria)
    PLUGIN.run(work(settings=folder.settings))
    assert [each.rpartition("/")[2] for each in folder.objects()] == [
        f"i-{each:017x}_SPDX_2_3.json" for each in numbers
    ]
    assert row(key, kind="SBOM").status == ("SUCCEEDED" if numbers else "FAILED")


def test_a_large_report_takes_no_more_memory_than_a_small_one(database, bucket, ask, row, postgres, kept_database):
    def peak():  # KiB
        key = ask(bucket.to())
        with worker(postgres, kept_database, bucket.settings) as process:
            told = int(process.stdout.readline())
        assert row(key).status == "SUCCEEDED"
        return told

    add_fleet(database, US, 20, 100, notes=12)  # enough for parts
    small = peak()
    add_fleet(database, US, 120, 100, first=100)
    assert peak() < small + 20_000  # a list of 12,000 more findings would take 42,000
