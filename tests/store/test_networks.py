"""What is read of networks becomes findings, scores and coverage: as evaluating every instance by itself would."""

from datetime import timedelta
from random import Random

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from tests.store.fleet import OURS, REGION
from tests.store.pure import Pure, same, stored, told
from tests.store.worlds import FLEET, NOW, host, inventory_of, package, records

from openinspector.errors import UsageError
from openinspector.model.distro import Distribution
from openinspector.model.environment import Posture
from openinspector.model.finding import NetworkReachability, Step
from openinspector.model.inventory import Inventory, Target
from openinspector.model.reading import Machine, Opening, Reading
from openinspector.model.resource import Ec2Instance
from openinspector.pipeline import networks
from openinspector.pipeline.ingest import ingest, settle
from openinspector.pipeline.rematch import rematch
from openinspector.store import networks as stored_networks

DAY = timedelta(days=1)
OPEN = Posture(kind="instance", internet="reachable", internet_access="reachable", private_subnet=False, runs=True)
CLOSED = Posture(kind="instance", internet="unreachable", internet_access="unreachable", private_subnet=True, runs=True)
SHUT = replace(CLOSED, connected="unreachable", neighbours="unreachable")
POSTURES = (OPEN, CLOSED, SHUT, Posture(kind="instance", runs=True))
INSTANCES = tuple(each for each in FLEET if each.type == "AWS_EC2_INSTANCE" and each.account == OURS)


def ports(first, last, eni="eni-01", protocol="TCP", acl="acl-01"):
    path = (
        Step(component_id="igw-01", component_type="AWS::EC2::InternetGateway"),
        Step(component_id=acl, component_type="AWS::EC2::NetworkAcl"),
        Step(component_id="sg-01", component_type="AWS::EC2::SecurityGroup"),
        Step(component_id=eni, component_type="AWS::EC2::NetworkInterface"),
        Step(component_id="i-01", component_type="AWS::EC2::Instance"),
    )
    return NetworkReachability(first_port=first, last_port=last, protocol=protocol, path=path)


SSH, WEB, ALL = ports(22, 22), ports(80, 443), ports(0, 65535, protocol="UDP")


def opening(which, severity="MEDIUM"):
    return Opening(ports=which, severity=severity)


def machine(resource, posture, *which, state="running", **more):
    placed = replace(resource, posture=posture)
    return Machine(resource=placed, state=state, openings=tuple(map(opening, which)), **more)


def look(database, machines, now, problems=(), account=OURS):
    number = networks.begin(database, account, REGION, now)
    reading = Reading(account=account, region=REGION, machines=tuple(machines), problems=tuple(problems))
    return networks.write(database, reading, number, now)


def coverage(database, resource):
    query = (
        "SELECT c.scan_type, c.status, c.reason FROM coverage c JOIN resource r ON r.id = c.resource_id"
        " WHERE r.external_id = :id ORDER BY 1"
    )
    with database.system() as connection:
        return {kind: (code, why) for kind, code, why in connection.execute(text(query), {"id": resource.id})}


def reading_of(database, account=OURS):
    with database.system() as connection:
        return connection.execute(text("SELECT * FROM network WHERE account = :a"), {"a": account}).one()


def of(database, resource, kind="NETWORK"):
    """The observations of a resource that are open."""
    query = "SELECT f.id FROM finding f JOIN resource r ON r.id = f.resource_id WHERE r.external_id = :id"
    with database.system() as connection:
        ids = {each.hex for each in connection.execute(text(query), {"id": resource.id}).scalars()}
    found = [each for arn, each in stored(database).items() if arn[-32:] in ids and each.life.status != "CLOSED"]
    is_network = [isinstance(each.observation.details, NetworkReachability) for each in found]
    return [each.observation for each, one in zip(found, is_network, strict=True) if one == (kind == "NETWORK")]


@pytest.fixture
def scanned(database, compiled):
    """An instance with a package that has flaws of the network."""
    from openinspector.model.advisory import Advisory, Affected, Cvss, Range

    flaw = Advisory(
        id="CVE-2030-0001",
        affected=(Affected(namespace="debian:12", name="demo", kind="source", ranges=(Range(fixed="9"),)),),
        cvss=(Cvss(vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", source="NVD"),),
    )
    advisories = compiled({"debian_tracker": [flaw]})
    seen = Inventory(
        target=Target(kind="host", name="h"),
        packages=(package("deb", "liba", "1.0-1", "var/lib/dpkg/status", source="demo", arch="amd64"),),
        distribution=Distribution(id="debian", version="12", family="debian", namespace="debian:12"),
        status="whole",
    )
    ingest(database, advisories, host(0), seen, NOW)
    return host(0), seen, advisories


@pytest.mark.parametrize("seed", range(6))
def test_networks_scans_and_advisories_in_any_order_say_what_the_pure_rules_say(database, compiled, kept, seed):
    chance, now, pure = Random(100 + seed), NOW, Pure()
    advisories = compiled(records(chance))
    rematch(database, advisories, kept, lambda: now)
    for _ in range(14):
        now += chance.choice([timedelta(hours=1), 3 * DAY, 9 * DAY])
        turn = chance.random()
        if turn < 0.4:
            for each in chance.sample(FLEET, 3):
                seen = inventory_of(each, chance)
                pure.ingest(each, seen, advisories, now)
                ingest(database, advisories, each, seen, now)
        elif turn < 0.55:
            advisories = compiled(records(chance))
            at = now
            assert rematch(database, advisories, kept, lambda at=at: at).is_in_force
            pure.rematch(FLEET, advisories, now)
        elif turn < 0.65:
            each, state = chance.choice(INSTANCES), chance.choice(("stopped", "running", "terminated"))
            (pure.end if state == "terminated" else lambda *_: None)(each, now)
            if state != "terminated":
                pure.settle(each, state, now)
            settle(database, each, state, now)
        else:
            problems = chance.choice(((), (), (), ("describe_route_tables: refused",)))
            machines = [_any_machine(each, chance) for each in INSTANCES if chance.random() < 0.8]
            there = {each.resource.id for each in machines}
            gone = [each for each in INSTANCES if each.id in pure.looked_at and each.id not in there]
            for each in machines:
                pure.look(each, not problems, advisories, now)
            for each in gone if not problems else ():
                pure.end(each, now)
            look(database, machines, now, problems)
            # A second look at the same changes nothing.
            again = look(database, machines, now, problems)
            assert again.changes == {}
        same(database, pure, now)
        assert {key: [each["change"] for each in several] for key, several in told(database).items()} == pure.events


def _any_machine(resource, chance):
    state = chance.choice(("running", "running", "running", "running", "stopped", "terminated"))
    if state != "running":
        return machine(resource, None, state=state)
    found = chance.sample((SSH, WEB, ALL, ports(22, 22, acl="acl-02")), chance.randint(0, 2))
    doubts = {"doubtful": (chance.choice((SSH, ALL)),), "doubts": ("who knows",)} if chance.random() < 0.2 else {}
    return machine(resource, chance.choice(POSTURES), *found, **doubts)


def test_an_open_port_is_a_finding_with_its_path(database):
    done = look(database, [machine(host(0), OPEN, SSH)], NOW)
    assert (done.changes, done.instances, done.superseded) == ({"Opened": 1}, 1, False)
    (seen,) = of(database, host(0))
    assert (seen.key, seen.severity, seen.score, seen.details) == ("igw-01/TCP/eni-01/22-22", "MEDIUM", None, SSH)
    assert coverage(database, host(0)) == {"NETWORK": ("ACTIVE", "SUCCESSFUL")}
    row = reading_of(database)
    assert (row.status, row.problems, row.instances, row.read_at, row.due_at) == ("whole", [], 1, NOW, None)


def test_a_score_falls_where_nobody_gets_in_and_rises_where_somebody_does(database, scanned):
    about, seen, advisories = scanned
    (flaw,) = of(database, about, "PACKAGE")
    assert (flaw.score, flaw.severity, flaw.adjustments) == (9.8, "CRITICAL", ())
    look(database, [machine(about, CLOSED)], NOW + DAY)
    (flaw,) = of(database, about, "PACKAGE")
    assert (flaw.score, flaw.severity) == (8.8, "HIGH")
    assert flaw.vector.endswith("/MAV:A")
    (why,) = flaw.adjustments
    assert why.metric == "Attack Vector"
    assert why.reason.startswith("no port can be reached from the internet, it is in a private subnet")
    ingest(database, advisories, about, seen, NOW + 2 * DAY)  # a scan keeps it
    assert of(database, about, "PACKAGE") == [flaw]
    look(database, [machine(about, OPEN, SSH)], NOW + 3 * DAY)
    (flaw,) = of(database, about, "PACKAGE")
    assert (flaw.score, flaw.severity, flaw.adjustments) == (9.8, "CRITICAL", ())
    changes = [[each["change"] for each in several] for several in told(database).values()]
    assert sorted(changes) == [["Opened"], ["Opened", "Updated", "Updated"]]


def test_a_first_scan_in_a_known_network_is_scored_by_it(database, scanned):
    about, seen, advisories = scanned
    other = host(1)
    look(database, [machine(about, OPEN), machine(other, SHUT)], NOW)
    ingest(database, advisories, other, seen, NOW + DAY)
    (flaw,) = of(database, other, "PACKAGE")
    assert (flaw.score, flaw.vector[-6:]) == (8.4, "/MAV:L")


def test_a_partial_look_closes_nothing_and_rates_nothing_anew(database, scanned):
    about, _, _ = scanned
    look(database, [machine(about, OPEN, SSH, WEB)], NOW)
    done = look(database, [machine(about, CLOSED, SSH)], NOW + DAY, ["describe_network_acls: refused"])
    assert done.changes == {}
    assert len(of(database, about)) == 2
    (flaw,) = of(database, about, "PACKAGE")
    assert flaw.score == 9.8
    assert coverage(database, about)["NETWORK"] == ("INACTIVE", "ACCESS_DENIED")
    assert coverage(database, about)["PACKAGE"] == ("ACTIVE", "SUCCESSFUL")
    row = reading_of(database)
    assert (row.status, row.problems) == ("partial", ["describe_network_acls: refused"])


def test_a_doubtful_port_that_was_open_stays_open(database):
    look(database, [machine(host(0), OPEN, SSH, WEB)], NOW)
    doubts = {"doubtful": (ports(20, 30),), "doubts": ("vpce-01 is a firewall",)}
    done = look(database, [machine(host(0), replace(OPEN, internet="uncertain"), **doubts)], NOW + DAY)
    assert done.changes == {"Closed": 1}
    assert of(database, host(0))[0].details == SSH
    assert coverage(database, host(0))["NETWORK"] == ("ACTIVE", "INTERNAL_ERROR")


def test_an_instance_that_left_its_network_is_gone_and_a_host_that_never_was_in_it_is_not(database, scanned):
    about, seen, advisories = scanned
    ingest(database, advisories, host(9), seen, NOW)  # reports by itself
    look(database, [machine(about, OPEN, SSH), machine(host(1), OPEN, SSH)], NOW)
    done = look(database, [machine(host(1), OPEN, SSH)], NOW + DAY)
    assert done.changes == {"Closed": 2}
    assert of(database, about) == of(database, about, "PACKAGE") == []
    assert len(of(database, host(9), "PACKAGE")) == 1
    assert coverage(database, about)["PACKAGE"] == ("INACTIVE", "RESOURCE_TERMINATED")


def test_a_stopped_instance_keeps_its_findings_and_one_that_runs_again_is_looked_at_again(database, scanned):
    about, _, _ = scanned
    look(database, [machine(about, OPEN, SSH)], NOW)
    assert look(database, [machine(about, None, state="stopped")], NOW + DAY).changes == {}
    assert len(of(database, about)) == len(of(database, about, "PACKAGE")) == 1
    stopped = ("INACTIVE", "EC2_INSTANCE_STOPPED")
    assert coverage(database, about) == {"NETWORK": stopped, "PACKAGE": stopped}
    look(database, [machine(about, OPEN, SSH)], NOW + 2 * DAY)
    assert coverage(database, about)["PACKAGE"] == ("ACTIVE", "PENDING_REVIVAL_SCAN")
    with database.system() as connection:
        due = connection.execute(text("SELECT due_at FROM coverage WHERE scan_type = 'PACKAGE'")).scalar_one()
    assert due == NOW + 2 * DAY


def test_of_two_readings_the_one_that_started_later_comes_first(database):
    older = networks.begin(database, OURS, REGION, NOW)
    newer = networks.begin(database, OURS, REGION, NOW)
    now_ = Reading(account=OURS, region=REGION, machines=(machine(host(0), OPEN, SSH),))
    then = Reading(account=OURS, region=REGION, machines=(machine(host(0), OPEN, WEB), machine(host(1), OPEN, WEB)))
    assert networks.write(database, now_, newer, NOW).changes == {"Opened": 1}
    late = networks.write(database, then, older, NOW)
    assert (late.changes, late.superseded) == ({}, True)
    networks.failed(database, OURS, REGION, older, "refused", NOW)
    assert [each.details for each in of(database, host(0))] == [SSH]
    assert reading_of(database).status == "whole"


def test_a_network_that_cannot_be_read_says_so_once(database):
    look(database, [machine(host(0), OPEN, SSH), machine(host(1), None, state="stopped")], NOW)
    for day in (1, 2):
        number = networks.begin(database, OURS, REGION, NOW + day * DAY)
        networks.failed(database, OURS, REGION, number, "AccessDenied: ec2:DescribeVpcs", NOW + day * DAY)
    assert coverage(database, host(0))["NETWORK"] == ("INACTIVE", "ACCESS_DENIED")
    assert coverage(database, host(1))["NETWORK"] == ("INACTIVE", "EC2_INSTANCE_STOPPED")
    assert len(of(database, host(0))) == 1
    row = reading_of(database)
    assert (row.status, row.problems) == ("failed", ["AccessDenied: ec2:DescribeVpcs"])
    with database.system() as connection:
        events = connection.execute(
            text("SELECT payload ->> 'reason' FROM event WHERE kind = 'coverage' ORDER BY sequence")
        ).scalars()
        assert list(events) == ["SUCCESSFUL", "ACCESS_DENIED"]


def test_an_account_that_disabled_ec2_is_let_be(database):
    look(database, [machine(host(0), OPEN)], NOW)
    with database.system() as connection:
        connection.execute(text("UPDATE account_scan_type SET status = 'DISABLED'"))
    with pytest.raises(UsageError, match="has EC2 scans disabled"):
        networks.begin(database, OURS, REGION, NOW)


def test_what_a_network_tells_of_an_instance_fills_only_gaps(database, scanned):
    about, _, _ = scanned  # a t3.small, without tags
    told_ = replace(about, tags={"team": "web"}, details=Ec2Instance(instance_type="m7i.large", vpc_id="vpc-01"))
    look(database, [machine(told_, OPEN)], NOW)
    with database.system() as connection:
        found = stored_networks.standing(connection, OURS, REGION)[about.id].resource
    assert (found.tags, found.details) == ({"team": "web"}, Ec2Instance(instance_type="t3.small", vpc_id="vpc-01"))


def test_networks_are_due_by_time_or_when_something_changed(database):
    def claim(now, **accounts):
        before = {account: now - timedelta(hours=12) for account in accounts.values()}
        with database.system() as connection:
            return stored_networks.claim_due(connection, before, REGION, now, now + timedelta(hours=1))

    assert claim(NOW, one=OURS) == OURS  # never read
    assert claim(NOW, one=OURS) is None  # somebody is at it
    look(database, [], NOW)
    assert claim(NOW + timedelta(hours=11), one=OURS) is None
    with database.system() as connection:
        stored_networks.make_due(connection, OURS, REGION, NOW + timedelta(hours=1), "sg-01")
    assert claim(NOW, one=OURS) is None
    assert claim(NOW + timedelta(hours=1), two="2" * 12) == "2" * 12  # others aren't read
    assert claim(NOW + timedelta(hours=1), one=OURS) == OURS
    with database.system() as connection:  # changed while it is being read
        stored_networks.make_due(connection, OURS, REGION, NOW + timedelta(hours=1, minutes=1), "sg-02")
    look(database, [], NOW + timedelta(hours=1, minutes=2))
    assert reading_of(database).due_reason == "sg-02"
    assert claim(NOW + timedelta(hours=2), one=OURS) == OURS
    look(database, [], NOW + timedelta(hours=2, minutes=30))
    assert reading_of(database).due_at is None
    assert claim(NOW + timedelta(hours=15), one=OURS) == OURS
