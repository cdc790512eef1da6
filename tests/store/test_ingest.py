"""Small hosts and images are read, matched against a few advisories, and their findings live in a database."""

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from random import Random
from types import SimpleNamespace
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, select, text, update
from tests.store.fleet import OURS, REGION, THEIRS
from tests.unit.render.service_model import problems

from openinspector.acquire.contract import Reader
from openinspector.acquire.limits import Limits
from openinspector.acquire.targets.directory import read_directory
from openinspector.errors import StoreError, UsageError
from openinspector.find.changes import Deleted
from openinspector.find.identity import finding_arn
from openinspector.find.reconcile import Evaluation, Facts, reconcile
from openinspector.model.advisory import Advisory, Affected, Cvss, Range
from openinspector.model.criteria import Filter, parse_criteria
from openinspector.model.enrichment import Epss, Kev
from openinspector.model.finding import Finding, Life, NetworkReachability, Step
from openinspector.model.inventory import Inventory, Layer, Target
from openinspector.model.moment import moment_text
from openinspector.model.package import Location, Package
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.pipeline import ingest as ingesting
from openinspector.pipeline.ingest import ingest, settle, sweep
from openinspector.pipeline.observe import expose, observe
from openinspector.pipeline.registry import formats
from openinspector.pipeline.scan import Request, read_target, scan
from openinspector.render.inspector2 import finding as rendered
from openinspector.store import accounts
from openinspector.store.account_tables import account, account_scan_type, delegated_admin, member
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.estate import enter
from openinspector.store.filters import add_filter, filter_arn, remove_filter
from openinspector.store.find_queries import Sought, find_findings
from openinspector.store.findings import Written, finding_id, findings_by_key, write_findings
from openinspector.store.part import write_part
from openinspector.store.tables import coverage, event, finding, inventory, package_vulnerability, resource

WRITTEN = ("finding", "event", "package", "inventory", "vulnerability", "enrichment", "package_vulnerability")
SET = ("filter", "tag", "member", "delegated_admin")
NOW = datetime(2026, 3, 2, 10, 15, 30, 123456, tzinfo=UTC)
DAY = timedelta(days=1)
HIGH = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"  # 7.5
WORST = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"  # 9.8

HOST = Resource(
    account=OURS,
    region=REGION,
    type="AWS_EC2_INSTANCE",
    id="i-0aaaabbbbccccdddd",
    tags={"team": "blue"},
    details=Ec2Instance(instance_type="t3.small", ipv4_addresses=("10.0.0.1",)),
)
IMAGE = Resource(
    account=OURS,
    region=REGION,
    type="AWS_ECR_CONTAINER_IMAGE",
    id=f"arn:aws:ecr:{REGION}:{OURS}:repository/app/sha256:" + "a" * 64,
    details=EcrImage(
        repository="app", digest="sha256:" + "a" * 64, registry=OURS, tags=("1",), pushed_at="2026-03-01T00:00:00Z"
    ),
)
LAYERS = tuple(f"arn:aws:lambda:{REGION}:{OURS}:layer:{name}:1" for name in ("first", "second"))
FUNCTION = Resource(
    account=OURS,
    region=REGION,
    type="AWS_LAMBDA_FUNCTION",
    id=f"arn:aws:lambda:{REGION}:{OURS}:function:demo:$LATEST",
    details=LambdaFunction(name="demo", runtime="python3.12", code_sha256="x=", layers=LAYERS),
)


def below(namespace, name, fixed, **more):
    return Affected(namespace=namespace, name=name, ranges=(Range(fixed=fixed),), **more)


def debian(name, fixed="2.0-1", vulnerability="CVE-2030-0001"):
    return Advisory(
        id=vulnerability, affected=(below("debian:12", name, fixed, kind="source", severity="low"),), severity="low"
    )


def nvd(name, vector, text="", **more):
    return Advisory(
        id=name,
        cvss=(Cvss(vector=vector, source="NVD"),),
        description=text or f"About {name}.",
        published="2030-01-01T00:00:00Z",
        references=("https://example.org/1",),
        **more,
    )


@pytest.fixture
def compiled(tmp_path):
    """Makes an advisory file of feeds with records: compiled(debian_tracker=[…], nvd=[…])."""
    opened = []

    def make(**feeds):
        folder = tmp_path / f"advisories-{len(opened)}"
        folder.mkdir()
        states = []
        for name, records in feeds.items():
            part = folder / f"{name}.sqlite"
            write_part(part, records)
            states.append(
                FeedState(name=name, revision=1, digest=f"d{len(opened)}{records}", fetched="", parts=(part,))
            )
        compile_parts(folder / "advisories.sqlite", states, {"built": "2026-03-01T00:00:00Z"})
        opened.append(AdvisoryFile(folder / "advisories.sqlite"))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def advisories(compiled):
    """One flaw of the Debian source `demo`, one of `other`, one of the Python package `flask`."""
    return compiled(
        debian_tracker=[debian("demo"), debian("other", "9.0-1", "CVE-2030-0002")],
        nvd=[nvd("CVE-2030-0001", HIGH), nvd("CVE-2030-0002", WORST), nvd("CVE-2030-0003", HIGH)],
        osv=[Advisory(id="CVE-2030-0003", affected=(below("pypi", "flask", "2.0"),))],
        epss=[Epss(vulnerability="CVE-2030-0001", score=0.5, percentile=0.9, date="2030-01-01")],
        kev=[Kev(vulnerability="CVE-2030-0002", date_added="2030-02-01")],
    )


@pytest.fixture
def host(tmp_path):
    """Makes a Debian root of packages by name, (source, version), and reads it."""

    def make(**packages):
        files = {
            "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n',
            "var/lib/dpkg/status": "".join(
                f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nSource: {source}\n"
                f"Version: {version}\n\n"
                for name, (source, version) in packages.items()
            ),
            "srv/app/flask-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: flask\nVersion: 1.0\n\n",
        }
        root = tmp_path / "root"
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)
        return read_directory(Reader(formats(), Limits(), None), root)

    return make


@pytest.fixture
def broken(host):
    return host(liba=("demo", "1.0-1"), libb=("demo", "1.0-1"), libc=("other", "1.0-1"), fine=("fine", "1"))


@pytest.fixture
def mended(host):
    return host(liba=("demo", "2.0-1"), libb=("demo", "2.0-1"), libc=("other", "1.0-1"), fine=("fine", "1"))


def known(database, account=OURS):
    """The findings that an account sees: {key: [finding, …]}, the oldest first, from what rendering reads."""
    with database.transaction(account) as connection:
        columns = select(finding.c.account, finding.c.region, finding.c.id)
        keys = connection.execute(columns.order_by(finding.c.first_observed_at)).all()
        rows = findings_by_key(connection, keys)
    found = {}
    for _, each in map(rows.get, keys):
        found.setdefault(each.observation.key, []).append(each)
    return found


def statuses(database):
    return {key: [each.life.status for each in several] for key, several in known(database).items()}


def everything(database):
    """All rows that an ingest writes, but for the times at which somebody looked, and the numbers of scans."""
    kept = {}
    with database.system() as connection:
        for table in (
            "finding",
            "event",
            "package",
            "inventory",
            "vulnerability",
            "enrichment",
            "package_vulnerability",
        ):
            kept[table] = connection.execute(text(f"SELECT t.*, t.xmin FROM {table} t ORDER BY 1, 2, 3")).all()  # noqa: S608
    return kept


def counted(database, table):
    with database.system() as connection:
        return len(connection.execute(select(table)).all())


def kinds(database):
    with database.system() as connection:
        rows = connection.execute(select(event.c.kind, event.c.payload).order_by(event.c.sequence))
        return [row.payload["change"] if row.kind == "finding" else row.kind for row in rows]


# What is read back


def test_findings_are_read_back_as_they_were_observed(database, advisories, broken):
    done = ingest(database, advisories, HOST, broken, NOW)
    assert [type(each).__name__ for each in done.changes] == ["Opened"] * 3
    wanted = {each.key: each for each in observe(HOST, scan(broken, advisories))}
    found = known(database)
    assert {key: several[0].observation for key, several in found.items()} == wanted
    assert found["CVE-2030-0001"][0].observation.epss == 0.5
    assert [each.package.name for each in found["CVE-2030-0001"][0].observation.details.packages] == ["liba", "libb"]
    assert found["CVE-2030-0002"][0].observation.exploit is True
    with database.system() as connection:
        rows = connection.execute(select(finding)).all()
    # All of that follows from inventory and matches: nothing of it is written for each finding.
    assert [row.details for row in rows] == [None] * 3
    for about, each in read(database, *(row.id for row in rows)).values():
        assert about == replace(HOST, platform="DEBIAN_12")
        assert problems("Finding", rendered(about, each)) == []


def read(database, *ids, account=OURS):
    with database.transaction(account) as connection:
        found = findings_by_key(connection, [(OURS, HOST.region, each) for each in ids])
        return {id_: both for (_, _, id_), both in found.items()}


def test_findings_are_found_by_their_keys(database, advisories, broken):
    done = ingest(database, advisories, HOST, broken, NOW)
    ids = [finding_id(each.finding.arn) for each in done.changes]
    for asked in (ids, [ids[1], UUID(int=0), ids[1], ids[0]]):
        found = read(database, *asked)
        assert set(found) == {*asked} & {*ids}
        assert all(finding_id(each.arn) == id_ for id_, (_, each) in found.items())
    with database.system() as connection:
        assert findings_by_key(connection, [(THEIRS, HOST.region, each) for each in ids]) == {}
    assert read(database) == {}


def test_a_functions_packages_lie_in_its_layers(database, compiled):
    advisories = compiled(osv=[Advisory(id="CVE-2030-0003", affected=(below("pypi", "flask", "2.0"),))])
    seen = Inventory(
        target=Target(kind="lambda", name="demo", layers=(Layer(diff_id="a"), Layer(diff_id="b"), Layer(diff_id="c"))),
        packages=tuple(
            Package(type="pypi", name="flask", version="1.0", location=Location(path=f"{layer}/x", layer=layer))
            for layer in "abc"
        ),
    )
    ingest(database, advisories, FUNCTION, seen, NOW)
    ((one,),) = known(database).values()
    assert [each.package.location.layer for each in one.observation.details.packages] == [*LAYERS, "c"]
    assert (one.observation,) == observe(FUNCTION, scan(seen, advisories))


def test_an_sbom_is_ingested_for_an_image(database, advisories, tmp_path):
    sbom = tmp_path / "sbom.json"
    sbom.write_text(
        '{"bomFormat": "CycloneDX", "specVersion": "1.5", "components":'
        ' [{"type": "library", "name": "flask", "version": "1.0", "purl": "pkg:pypi/flask@1.0"}]}'
    )
    ingest(database, advisories, IMAGE, read_target(Request(target=str(sbom))), NOW)
    assert statuses(database) == {"CVE-2030-0003": ["ACTIVE"]}
    with database.system() as connection:
        row = connection.execute(select(resource)).one()
    assert (row.repository, row.registry, row.pushed_at) == ("app", OURS, datetime(2026, 3, 1, tzinfo=UTC))


def test_an_open_path_is_read_back_with_its_steps(database, advisories, broken):
    path = (
        Step(component_id="igw-01", component_type="AWS::EC2::InternetGateway"),
        Step(component_id="eni-01", component_type="AWS::EC2::NetworkInterface", component_arn="arn:eni"),
    )
    seen = expose(NetworkReachability(first_port=22, last_port=23, protocol="TCP", path=path), "MEDIUM")
    at = moment_text(NOW)
    life = Life(status="ACTIVE", first_observed_at=at, last_observed_at=at, updated_at=at)
    made = Finding(arn=finding_arn(HOST, seen.key, at), observation=seen, life=life)
    with database.system() as connection:
        entered = enter(connection, HOST, NOW)
        write_findings(connection, HOST, entered.id, None, [Written(finding=made, digest=None)])
    assert known(database) == {seen.key: [made]}
    ingest(database, advisories, HOST, broken, NOW)  # a scan of packages sees no paths, and closes none
    assert known(database)[seen.key] == [made]


# The life of findings


def test_the_same_ingest_twice_writes_nothing_new(database, advisories, broken):
    ingest(database, advisories, HOST, broken, NOW)
    before = everything(database)
    again = ingest(database, advisories, HOST, broken, NOW + DAY)
    assert again.changes == ()
    assert everything(database) == before
    with database.system() as connection:
        seen = connection.execute(select(coverage)).one()
    assert (seen.last_scanned_at, seen.fence) == (NOW + DAY, 2)


def test_a_finding_closes_when_its_packages_are_updated(database, advisories, broken, host, mended):
    ingest(database, advisories, HOST, broken, NOW)
    was = known(database)["CVE-2030-0001"][0]
    ingest(database, advisories, HOST, mended, NOW + DAY)
    assert statuses(database) == {
        "CVE-2030-0001": ["CLOSED"],
        "CVE-2030-0002": ["ACTIVE"],
        "CVE-2030-0003": ["ACTIVE"],
    }
    (closed,) = known(database)["CVE-2030-0001"]
    assert closed.observation == was.observation  # all that it was about, though the inventory is another
    assert closed.life.closed_at == moment_text(NOW + DAY)
    assert closed.life.delete_at == moment_text(NOW + 31 * DAY)
    assert kinds(database) == ["Opened"] * 3 + ["scan", "coverage", "Closed"]


@pytest.fixture
def broken_again(database, advisories, host, broken, mended):
    """Flawed, mended a day later, and flawed again after some days more: whether the first and last ARN are one."""

    def after(days):
        first = ingest(database, advisories, HOST, broken, NOW).changes[0].finding.arn
        ingest(database, advisories, HOST, mended, NOW + DAY)
        ingest(database, advisories, HOST, broken, NOW + DAY + days)
        last = known(database)["CVE-2030-0001"][-1]
        return SimpleNamespace(is_same=first == last.arn, last=last)

    return after


def test_what_comes_back_within_seven_days_is_the_same_finding(database, broken_again):
    again = broken_again(7 * DAY)
    assert again.is_same
    assert again.last.life.first_observed_at == moment_text(NOW)
    assert again.last.life.closed_at == again.last.life.delete_at == ""
    assert statuses(database)["CVE-2030-0001"] == ["ACTIVE"]
    assert kinds(database)[-1] == "Reopened"


def test_what_comes_back_later_is_a_new_finding(database, broken_again):
    again = broken_again(7 * DAY + timedelta(microseconds=1))
    assert not again.is_same
    assert statuses(database)["CVE-2030-0001"] == ["CLOSED", "ACTIVE"]
    assert kinds(database)[-1] == "Opened"


def test_one_package_of_two_is_mended(database, advisories, host, broken):
    ingest(database, advisories, HOST, broken, NOW)
    half = host(liba=("demo", "1.0-1"), libb=("demo", "2.0-1"), libc=("other", "1.0-1"))
    (change,) = ingest(database, advisories, HOST, half, NOW + DAY).changes
    assert (type(change).__name__, change.changed) == ("Updated", ("title", "packages"))
    (one,) = known(database)["CVE-2030-0001"]
    assert one.observation.title == "CVE-2030-0001 - liba"
    assert [each.package.name for each in one.observation.details.packages] == ["liba"]


@pytest.mark.parametrize("status", ["partial", "failed"])
def test_a_scan_that_missed_something_closes_nothing(database, advisories, broken, status):
    ingest(database, advisories, HOST, broken, NOW)
    before = known(database)
    packages = [each for each in broken.packages if each.name == "libc"] if status == "partial" else []
    less = replace(broken, status=status, packages=tuple(packages))
    assert ingest(database, advisories, HOST, less, NOW + DAY).changes == ()
    assert known(database) == before  # with their packages, which the inventory lacks now
    ingest(database, advisories, HOST, less, NOW + 2 * DAY)
    assert known(database) == before
    for each in ("liba", "libc", "flask"):  # and are found by them
        criteria = parse_criteria({"vulnerablePackages": [{"name": {"comparison": "EQUALS", "value": each}}]})
        with database.system() as connection:
            found, _ = find_findings(connection, Sought((OURS,), REGION, criteria), 9)
        assert len(found) == 1
    assert ingest(database, advisories, HOST, broken, NOW + 3 * DAY).changes == ()
    with database.system() as connection:
        assert [row.details for row in connection.execute(select(finding))] == [None] * 3


def test_a_package_that_could_not_be_judged_keeps_its_findings(database, compiled, advisories, broken, host):
    ingest(database, advisories, HOST, broken, NOW)
    odd = host(liba=("demo", "1:!"), libb=("demo", "1.0-1"), fine=("fine", "1"))  # what version is liba's?
    assert [each.reason for each in scan(odd, advisories).undecided if each.package.name == "liba"]
    ingest(database, advisories, HOST, odd, NOW + DAY)
    assert statuses(database) == {
        "CVE-2030-0001": ["ACTIVE"],
        "CVE-2030-0002": ["CLOSED"],
        "CVE-2030-0003": ["ACTIVE"],
    }
    (one,) = known(database)["CVE-2030-0001"]
    assert [each.package.name for each in one.observation.details.packages] == ["liba", "libb"]


def test_a_terminated_resources_findings_are_forgotten_after_three_days(database, advisories, broken):
    ingest(database, advisories, HOST, broken, NOW)
    settle(database, HOST, "terminated", NOW + DAY)
    assert set(map(tuple, statuses(database).values())) == {("CLOSED",)}
    with database.system() as connection:
        row = connection.execute(select(finding.c.close_reason, finding.c.delete_at)).first()
        assert (row.close_reason, row.delete_at) == ("terminated", NOW + 4 * DAY)
        seen = connection.execute(select(coverage)).one()
        assert (seen.status, seen.reason) == ("INACTIVE", "RESOURCE_TERMINATED")
        assert connection.execute(select(resource.c.gone_at)).scalar_one() == NOW + DAY
    assert sweep(database, NOW + 4 * DAY - timedelta(microseconds=1)) == 0
    assert sweep(database, NOW + 4 * DAY) == 3
    assert known(database) == {}


def test_a_sweep_takes_as_many_steps_as_it_needs(database, advisories, broken, monkeypatch):
    monkeypatch.setattr(ingesting, "_SWEPT_AT_ONCE", 2)
    ingest(database, advisories, HOST, broken, NOW)
    settle(database, HOST, "terminated", NOW)
    assert sweep(database, NOW + 5 * DAY) == 3


def test_a_stopped_instance_keeps_its_findings_and_platform(database, advisories, broken):
    ingest(database, advisories, HOST, broken, NOW)
    assert settle(database, HOST, "stopped", NOW + DAY).changes == ()
    with database.system() as connection:
        row = connection.execute(select(resource)).one()
    assert (row.state, row.platform) == ("stopped", "DEBIAN_12")
    assert set(map(tuple, statuses(database).values())) == {("ACTIVE",)}


def test_a_disabled_service_forgets_after_a_day(database, advisories, broken):
    ingest(database, advisories, HOST, broken, NOW)
    assert settle(database, HOST, "disabled", NOW + DAY, since=NOW + timedelta(hours=1)).changes == ()
    settle(database, HOST, "disabled", NOW + 2 * DAY, since=NOW + timedelta(hours=1))
    assert counted(database, finding) == 0


def test_a_tag_is_news_of_every_finding(database, advisories, broken):
    ingest(database, advisories, HOST, broken, NOW)
    changed = ingest(database, advisories, replace(HOST, tags={"team": "red"}), broken, NOW + DAY).changes
    assert [each.changed for each in changed] == [("tags",)] * 3
    assert {each[0].life.updated_at for each in known(database).values()} == {moment_text(NOW + DAY)}


def test_a_scan_with_other_advisories_than_those_in_force_changes_nothing_of_what_is_known(
    database, compiled, advisories, broken, host
):
    ingest(database, advisories, HOST, broken, NOW)
    newer = compiled(
        debian_tracker=[debian("other", "9.0-1", "CVE-2030-0002"), debian("new", "2.0-1", "CVE-2030-0004")],
        nvd=[nvd("CVE-2030-0002", WORST, "Now in other words."), nvd("CVE-2030-0004", HIGH)],
    )
    before = known(database)
    assert ingest(database, newer, HOST, broken, NOW + DAY).changes == ()
    assert known(database) == before
    # What nobody had before is taken from it, and marked to be judged again.
    more = host(liba=("demo", "1.0-1"), libc=("other", "1.0-1"), libn=("new", "1.0-1"))
    ingest(database, newer, replace(HOST, id="i-0eeeeffff00001111"), more, NOW + DAY)
    found = known(database)
    assert {key: len(several) for key, several in found.items()} == {
        "CVE-2030-0001": 2,
        "CVE-2030-0002": 2,
        "CVE-2030-0003": 2,
        "CVE-2030-0004": 1,
    }
    assert len({each.observation.description for each in found["CVE-2030-0002"]}) == 1
    with database.system() as connection:
        states = connection.execute(text("SELECT number, state FROM generation ORDER BY number")).all()
        marked = connection.execute(text("SELECT name FROM package WHERE matched_generation = 0")).scalars().all()
    assert [tuple(each) for each in states] == [(1, "in force"), (2, "matching")]
    assert marked == ["libn"]


# Filters


def rule(owner=OURS, account=OURS, **criteria):
    return Filter(
        arn=filter_arn(REGION, account, owner, "0123456789abcdef"),
        owner=owner,
        name="hidden",
        action="SUPPRESS",
        criteria=parse_criteria(criteria),
        created_at=moment_text(NOW),
        updated_at=moment_text(NOW),
    )


CRITICAL = {"severity": [{"comparison": "EQUALS", "value": "CRITICAL"}]}


def test_a_suppressing_filter_hides_what_it_matches(database, advisories, broken):
    with database.transaction(OURS) as connection:
        add_filter(connection, OURS, REGION, rule(**CRITICAL))
    ingest(database, advisories, HOST, broken, NOW)
    assert statuses(database)["CVE-2030-0002"] == ["SUPPRESSED"]
    with database.system() as connection:
        hidden = connection.execute(
            select(finding.c.suppressed_by).where(finding.c.status == "SUPPRESSED")
        ).scalar_one()
    assert hidden == rule().arn
    assert ingest(database, advisories, HOST, broken, NOW + DAY).changes == ()
    with database.transaction(OURS) as connection:
        remove_filter(connection, OURS, REGION, hidden)
    (change,) = settle(database, HOST, "running", NOW + 2 * DAY).changes
    assert type(change).__name__ == "Unsuppressed"
    assert statuses(database)["CVE-2030-0002"] == ["ACTIVE"]


def test_another_accounts_filter_hides_nothing(database, advisories, broken):
    with database.transaction(THEIRS) as connection:
        add_filter(connection, THEIRS, REGION, rule(owner=THEIRS, account=THEIRS, **CRITICAL))
    ingest(database, advisories, HOST, broken, NOW)
    assert statuses(database)["CVE-2030-0002"] == ["ACTIVE"]


def test_an_organizations_filter_hides_its_members_findings(database, advisories, broken):
    with database.system() as connection:
        connection.execute(
            insert(delegated_admin).values(account=THEIRS, region=REGION, organization_id="o-1", status="ENABLED")
        )
        connection.execute(insert(member).values(account=THEIRS, region=REGION, member=OURS, status="ENABLED"))
        add_filter(connection, THEIRS, REGION, rule(owner="o-1", account=THEIRS, **CRITICAL))
    ingest(database, advisories, HOST, broken, NOW)
    assert statuses(database)["CVE-2030-0002"] == ["SUPPRESSED"]


# Whether it is wanted


def scan_types(database):
    with database.system() as connection:
        rows = connection.execute(select(account_scan_type)).all()
    return {(row.account, row.scan_type): row.status for row in rows}


def test_a_kind_of_scan_that_was_never_switched_is_switched_on_by_its_first_resource(database, advisories, broken):
    for each in (HOST, IMAGE, FUNCTION):
        ingest(database, advisories, each, broken, NOW, trial=2 * DAY)
    assert scan_types(database) == {(OURS, kind): "ENABLED" for kind in ("EC2", "ECR", "LAMBDA")}
    ingest(database, advisories, HOST, broken, NOW + DAY)
    with database.system() as connection:
        rows = connection.execute(select(account_scan_type)).all()
    assert {(row.enabled_at, row.trial_start, row.trial_end) for row in rows} == {(NOW, NOW, NOW + 2 * DAY)}


@pytest.mark.parametrize("was_on", [True, False])
def test_nothing_is_taken_of_what_is_disabled_and_nothing_is_changed(database, advisories, broken, was_on):
    with database.transaction(OURS) as connection:
        if was_on:
            accounts.enable(connection, REGION, [OURS], ["EC2", "ECR"], NOW)
        accounts.disable(connection, REGION, [OURS], ["EC2"], NOW)
    before = scan_types(database)
    with pytest.raises(UsageError, match="has EC2 scans disabled .* AWS_EC2_INSTANCE: enable them first"):
        ingest(database, advisories, HOST, broken, NOW)
    assert not any(everything(database).values())
    assert counted(database, resource) == 0
    assert scan_types(database) == before
    assert ingest(database, advisories, IMAGE, broken, NOW).changes
    assert ingest(database, advisories, replace(HOST, account=THEIRS), broken, NOW).changes


def test_nothing_is_taken_of_a_suspended_account(database, advisories, broken):
    with database.system() as connection:
        accounts.enable(connection, REGION, [OURS], ["EC2"], NOW)
        connection.execute(update(account).values(suspended_at=NOW))
    for each in (HOST, IMAGE):
        with pytest.raises(UsageError, match="is suspended"):
            ingest(database, advisories, each, broken, NOW)
    assert scan_types(database) == {(OURS, "EC2"): "ENABLED"}


def test_of_first_resources_that_come_at_once_all_are_taken(database, advisories, broken):
    def report(number):
        with closing(AdvisoryFile(advisories.path)) as file:
            ingest(database, file, replace(HOST, id=f"i-{number:017x}"), broken, NOW)

    in_threads(*(partial(report, number) for number in range(4)))
    assert scan_types(database) == {(OURS, "EC2"): "ENABLED"}
    assert counted(database, resource) == 4


# Others


def test_another_account_sees_nothing(database, advisories, broken):
    done = ingest(database, advisories, HOST, broken, NOW)
    ids = [finding_id(each.finding.arn) for each in done.changes]
    assert len(read(database, *ids)) == 3
    assert read(database, *ids, account=THEIRS) == {}
    with database.transaction(THEIRS) as connection:
        for table in (finding, resource, inventory, coverage, event):
            assert connection.execute(select(table)).all() == []


def test_two_accounts_with_one_inventory_have_findings_of_their_own(database, advisories, broken):
    theirs = replace(HOST, account=THEIRS)
    for each in (HOST, theirs):
        ingest(database, advisories, each, broken, NOW)
    assert counted(database, inventory) == 1
    assert counted(database, finding) == 6
    arns = {each[0].arn for account in (OURS, THEIRS) for each in known(database, account).values()}
    assert len(arns) == 6


def in_threads(*calls):
    results, errors = [], []

    def run(call):
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001  whatever it is, the test says so
            errors.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in calls]
    for each in threads:
        each.start()
    for each in threads:
        each.join(300)
    assert errors == []
    return results


def test_two_ingests_of_one_resource_at_once_give_each_finding_once(database, compiled, advisories, broken):
    again = AdvisoryFile(advisories.path)  # SQLite's connections are used by one thread each
    done = in_threads(*(lambda file=file: ingest(database, file, HOST, broken, NOW) for file in (advisories, again)))
    again.close()
    assert statuses(database) == {f"CVE-2030-000{number}": ["ACTIVE"] for number in (1, 2, 3)}
    assert kinds(database) == ["Opened"] * 3 + ["scan", "coverage"]
    assert sorted(len(each.changes) for each in done) == [0, 3]


def test_resources_with_the_same_packages_are_ingested_side_by_side(database, advisories, broken):
    files = [AdvisoryFile(advisories.path) for _ in range(4)]
    hosts = [replace(HOST, id=f"i-{number:017}") for number in range(4)]
    in_threads(
        *(
            lambda file=file, one=one: ingest(database, file, one, broken, NOW)
            for file, one in zip(files, hosts, strict=True)
        )
    )
    for each in files:
        each.close()
    assert counted(database, finding) == 12
    assert counted(database, package_vulnerability) == 4
    assert counted(database, inventory) == 1


def test_a_scan_that_ends_after_a_later_one_started_writes_nothing(database, advisories, broken, mended):
    def overtaken(seen, file):
        ingest(database, advisories, HOST, mended, NOW + DAY)
        return scan(seen, file)

    overtook = ingest(database, advisories, HOST, broken, NOW, look=overtaken)
    assert overtook == ingesting.Ingested(superseded=True)
    assert statuses(database) == {"CVE-2030-0002": ["ACTIVE"], "CVE-2030-0003": ["ACTIVE"]}


def test_an_ingest_that_breaks_off_has_written_nothing(database, advisories, broken, monkeypatch):
    whole = ingesting.tell

    def fail(*arguments):
        whole(*arguments)
        raise RuntimeError("pulled the plug")

    monkeypatch.setattr(ingesting, "tell", fail)
    with pytest.raises(RuntimeError, match="plug"):
        ingest(database, advisories, HOST, broken, NOW)
    assert known(database) == {}
    assert counted(database, event) == counted(database, inventory) == 0
    monkeypatch.undo()
    assert len(ingest(database, advisories, HOST, broken, NOW).changes) == 3


def clash(connection):
    connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$"))


def test_an_ingest_that_clashed_with_another_one_is_done_again(database, advisories, broken, monkeypatch):
    whole = ingesting.tell

    def once(connection, *arguments):
        monkeypatch.setattr(ingesting, "tell", whole)
        clash(connection)

    monkeypatch.setattr(ingesting, "tell", once)
    assert len(ingest(database, advisories, HOST, broken, NOW).changes) == 3
    assert kinds(database) == ["Opened"] * 3 + ["scan", "coverage"]


def test_an_ingest_that_clashes_for_ever_gives_up(database, advisories, broken, monkeypatch):
    monkeypatch.setattr(ingesting, "tell", lambda connection, *arguments: clash(connection))
    with pytest.raises(StoreError, match="too busy"):
        ingest(database, advisories, HOST, broken, NOW)
    assert known(database) == {}


# The database and the pure rules


def in_order(one):
    details = one.observation.details
    packages = tuple(sorted(details.packages, key=lambda each: (each.package.name, each.package.version)))
    observation = replace(one.observation, details=replace(details, packages=packages))
    return one.arn, observation, one.life


@pytest.mark.parametrize("seed", range(4))
def test_the_database_remembers_what_the_pure_rules_say(database, advisories, host, seed):
    chance = Random(seed)
    pure, now = {}, NOW
    about = replace(HOST, platform="DEBIAN_12")
    for _ in range(10):
        now += chance.choice([timedelta(hours=1), 3 * DAY, 9 * DAY, 31 * DAY])
        sources = {"liba": "demo", "libb": "demo", "libc": "other"}
        packages = {
            name: (source, chance.choice(["1.0-1", "1.1-1", "9.9-1"]))
            for name, source in sources.items()
            if chance.random() < 0.8
        }
        seen = replace(host(**packages), status=chance.choice(["whole", "whole", "partial"]))
        tagged = replace(about, tags={"team": chance.choice(["blue", "red"])})
        whole = ("PACKAGE_VULNERABILITY",) if seen.status == "whole" else ()
        evaluation = Evaluation(seen=observe(tagged, scan(seen, advisories)), whole=whole)
        facts = Facts(resource=tagged, now=now, tags_before=about.tags)
        for change in reconcile(list(pure.values()), evaluation, facts):
            pure[change.finding.arn] = change.finding
            if isinstance(change, Deleted):
                del pure[change.finding.arn]
        about = tagged
        ingest(database, advisories, tagged, seen, now)
        stored = [each for several in known(database).values() for each in several]
        assert sorted(map(in_order, stored), key=itemgetter(0)) == sorted(
            map(in_order, pure.values()), key=itemgetter(0)
        )


def test_hostile_texts_are_stored_and_stay_findings(database, compiled):
    advisories = compiled(osv=[Advisory(id="CVE-2030-0003", affected=(below("pypi", "flask", "2.0"),))])
    odd = Package(
        type="pypi",
        name="flask",
        version="1.0",
        location=Location(path="a\0b\udc80/x"),
        license="\0",
        qualifiers=(("zz", "1"), ("a", "2")),
    )
    seen = Inventory(target=Target(kind="directory", name="\udcff"), packages=(odd, odd))
    about = replace(HOST, tags={"a\0": "\udc80"})
    ingest(database, advisories, about, seen, NOW)
    ((one,),) = known(database).values()
    assert {each.package.location.path for each in one.observation.details.packages} == {"a\ufffdb\ufffd/x"}
    assert ingest(database, advisories, about, seen, NOW + DAY).changes == ()


@pytest.mark.parametrize(
    "change",
    [
        {"details": IMAGE.details},
        {"type": "AWS_ECR_CONTAINER_IMAGE", "details": replace(IMAGE.details, pushed_at="yesterday")},
        {"type": "TOASTER"},
    ],
)
def test_a_resource_that_makes_no_sense_is_refused(database, advisories, broken, change):
    with pytest.raises(UsageError, match=r"makes no sense|something else"):
        ingest(database, advisories, replace(HOST, **change), broken, NOW)
    assert counted(database, resource) == 0
