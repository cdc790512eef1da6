"""SQL and memory agree about which findings meet filter criteria."""

from contextlib import contextmanager, suppress
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import insert, select
from tests.laws.strategies import FIELDS, criteria_of, entry_of, findings, resources

from openinspector.find.criteria import matches
from openinspector.model.criteria import parse_criteria
from openinspector.model.finding import (
    SEVERITIES,
    Finding,
    NetworkReachability,
    PackageVulnerability,
    VulnerablePackage,
)
from openinspector.model.moment import read_moment
from openinspector.model.package import Location, Package
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.store.criteria import conditions
from openinspector.store.rows import FindingRow, Match, store_findings, store_matches, store_packages
from openinspector.store.tables import enrichment, finding, inventory, inventory_package, resource

KINDS = {
    Ec2Instance: "AWS_EC2_INSTANCE",
    EcrImage: "AWS_ECR_CONTAINER_IMAGE",
    LambdaFunction: "AWS_LAMBDA_FUNCTION",
    type(None): "MACHINE_IMAGE",
}
MOMENT = "2026-03-01T00:00:00.000000Z"


class Rollback(Exception):
    """Nothing of an example stays."""


@contextmanager
def example_of(database):
    with suppress(Rollback), database.system() as connection:
        yield connection
        raise Rollback


def possible(number, place, seen):
    """What was drawn, as it can be: every finding of a resource and a flaw of its own, under a true ARN."""
    place = replace(place, id=f"{place.id}{number}", type=KINDS[type(place.details)], platform=f"OS_{number}")
    arn = f"arn:{place.partition}:inspector2:{place.region}:{place.account}:finding/{number:032x}"
    details, life = seen.observation.details, seen.life
    epss = None
    if isinstance(details, PackageVulnerability):
        details = replace(details, id=f"{details.id}{number}", related=details.related if details.packages else ())
        epss = seen.observation.epss
    if life.status == "CLOSED":
        life = replace(life, closed_at=MOMENT, delete_at=MOMENT)
    observation = replace(seen.observation, details=details, epss=epss)
    return place, Finding(arn=arn, observation=observation, life=life)


def store(connection, number, place, seen, *, missed=False):
    """Writes a finding; `missed` is whether the last look has missed a package of it."""
    details, observation, life = seen.observation.details, seen.observation, seen.life
    told = msgspec.to_builtins(place.details) or {}
    told.pop("type", None)
    flaw = details if isinstance(details, PackageVulnerability) else None
    is_closed = life.status == "CLOSED"
    had = rest_of(flaw) if flaw and missed else flaw
    read = write_inventory(connection, had) if had and not is_closed else None
    pushed_at = getattr(place.details, "pushed_at", "")
    written = insert(resource).values(
        account=place.account,
        region=place.region,
        type=place.type,
        external_id=place.id,
        partition=place.partition,
        platform=place.platform,
        tags=place.tags,
        details=told,
        inventory_id=read,
        pushed_at=read_moment(pushed_at) if pushed_at else None,
    )
    identity = connection.execute(written.returning(resource.c.id)).scalar_one()
    common = {
        "account": place.account,
        "region": place.region,
        "id": UUID(int=number),
        "resource_id": identity,
        "key": observation.key,
        "status": life.status,
        "severity": SEVERITIES.index(observation.severity),
        "title": observation.title,
        "fix": observation.fix or "",
        "score": observation.score,
        "exploit": observation.exploit,
        "first_observed_at": read_moment(life.first_observed_at),
        "last_observed_at": read_moment(life.last_observed_at),
        "updated_at": read_moment(life.updated_at),
        "closed_at": read_moment(life.closed_at) if is_closed else None,
    }
    if isinstance(details, NetworkReachability):
        row = FindingRow(
            **common,
            type="NETWORK_REACHABILITY",
            protocol=details.protocol,
            first_port=details.first_port,
            last_port=details.last_port,
            details={"path": msgspec.to_builtins(details.path)},
        )
    else:
        kept = {"packages": msgspec.to_builtins(details.packages), "related": list(details.related)}
        if not is_closed and had.packages:
            del kept["related"]
        row = FindingRow(
            **common,
            type="PACKAGE_VULNERABILITY",
            vulnerability_id=details.id,
            vulnerability_source=details.source,
            vendor_severity=details.vendor_severity,
            package_names=tuple(dict.fromkeys(each.package.name for each in details.packages)),
            details=kept if is_closed or had is not flaw else None,
        )
        if observation.epss is not None:
            connection.execute(insert(enrichment).values(vulnerability_id=details.id, epss=observation.epss))
    store_findings(connection, [row])


def rest_of(flaw):
    """The flaw without its first package."""

    def place(each):
        package = each.package
        return package.type, package.name, package.version, package.arch, package.location.path

    gone = {place(each) for each in flaw.packages[:1]}
    return replace(flaw, packages=tuple(each for each in flaw.packages if place(each) not in gone))


def write_inventory(connection, flaw, layers=()):
    """The packages of a flaw, as those of an inventory that was read from these layers."""
    places = [each.package.location.introduced or each.package.location.layer for each in flaw.packages]
    layers = list(layers or dict.fromkeys(filter(None, places)))
    written = insert(inventory).values(digest=flaw.id.encode(), kind="image", status="whole", layers=layers)
    identity = connection.execute(written.returning(inventory.c.id)).scalar_one()
    ids = store_packages(connection, [(each.package, "") for each in flaw.packages])
    for position, (each, number) in enumerate(zip(flaw.packages, ids, strict=True)):
        location = each.package.location
        row = {
            "inventory_id": identity,
            "position": position,
            "package_id": number,
            "layer": layers.index(location.layer) if location.layer else None,
            "introduced": layers.index(location.introduced) if location.introduced else None,
            "path": location.path,
            "extra": {"qualifiers": dict(each.package.qualifiers)} if each.package.qualifiers else None,
        }
        connection.execute(insert(inventory_package).values(row))
    matched = [Match(package_id=each, vulnerability_id=flaw.id, related=flaw.related) for each in set(ids)]
    store_matches(connection, [], matched, 1)
    return identity


def found(connection, parsed):
    """The numbers of the findings that the database finds."""
    joined = select(finding.c.id).join(resource, resource.c.id == finding.c.resource_id)
    return {each.int for each in connection.execute(joined.where(*conditions(parse_criteria(parsed)))).scalars()}


pairs = st.lists(st.tuples(resources, findings), min_size=1, max_size=6)
single = st.tuples(*(entry_of(field).map(lambda entry, field=field: {field: [entry]}) for field in FIELDS))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs, single, st.lists(criteria_of(FIELDS), min_size=5, max_size=20))
def test_sql_finds_what_matches_in_memory(database, drawn, single, several):
    all_pairs = {number: possible(number, *each) for number, each in enumerate(drawn, 1)}
    asked = [{}, *single, *several]
    asked += [{"findingArn": [{"comparison": comparison, "value": all_pairs[1][1].arn}]} for comparison in
              ("EQUALS", "PREFIX", "NOT_EQUALS")]  # fmt: skip
    with example_of(database) as connection:
        for number, pair in all_pairs.items():
            store(connection, number, *pair, missed=number % 2 == 0)
        for parsed in asked:
            criteria = parse_criteria(parsed)
            expected = {number for number, pair in all_pairs.items() if matches(criteria, *pair)}
            assert found(connection, parsed) == expected, parsed


ODD = ["a\0b", "\ud800", "%", "a_", "/", "'; --", ":a", "\N{SNOWMAN}"]


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("comparison", ["EQUALS", "PREFIX", "NOT_EQUALS"])
def test_odd_texts_are_texts(database, value, comparison):
    entry = {"comparison": comparison, "value": value}
    details = EcrImage(repository="ab", digest="a", registry="1", tags=("ab",))
    place = Resource(
        account="1", region="a", type="AWS_ECR_CONTAINER_IMAGE", id="a", tags={"ab": "ab"}, details=details
    )
    package = Package(type="npm", name="ab", version="1", location=Location(path="ab"))
    with example_of(database) as connection:
        drawn = flaw(VulnerablePackage(package=package))
        place, seen = possible(1, place, drawn)
        store(connection, 1, place, seen)
        fields = ["findingArn", "title", "ecrImageTags", "ecrImageRepositoryName", "severity", "relatedVulnerabilities"]
        for parsed in (
            *({field: [entry]} for field in fields),
            {"vulnerablePackages": [{"name": entry}]},
            {"resourceTags": [{"comparison": "EQUALS", "key": value, "value": value}]},
            {"resourceTags": [{"comparison": "EQUALS", "key": "ab", "value": value}]},
        ):
            assert found(connection, parsed) == ({1} if matches(parse_criteria(parsed), place, seen) else set())


def flaw(*packages, id_="CVE-"):
    from openinspector.model.finding import Life, Observation

    details = PackageVulnerability(id=id_, source="NVD", packages=packages, related=("x",))
    observation = Observation(key="k", title="ab", description="", severity="HIGH", details=details)
    life = Life(status="ACTIVE", first_observed_at=MOMENT, last_observed_at=MOMENT, updated_at=MOMENT)
    return Finding(arn="", observation=observation, life=life)


def test_qualifiers_of_a_package_are_found(database):
    package = Package(
        type="rpm",
        name="a",
        version="2:1-1",
        arch="x86_64",
        location=Location(path="p"),
        qualifiers=(("scope", "dev"),),
    )
    place = Resource(account="1", region="a", type="AWS_EC2_INSTANCE", id="a", details=Ec2Instance())
    with example_of(database) as connection:
        place, seen = possible(1, place, flaw(VulnerablePackage(package=package)))
        store(connection, 1, place, seen)
        closed = replace(seen, life=replace(seen.life, status="CLOSED", closed_at=MOMENT))
        closed = possible(2, place, closed)
        store(connection, 2, *closed)
        for key, value in [("arch", "x86_64"), ("epoch", "2"), ("scope", "dev"), ("scope", "x"), ("distro", None)]:
            qualifier = {"comparison": "EQUALS", "key": key} | ({} if value is None else {"value": value})
            parsed = {"vulnerablePackages": [{"purlQualifier": qualifier}]}
            expected = {1, 2} if matches(parse_criteria(parsed), place, seen) else set()
            assert found(connection, parsed) == expected, key


def test_a_layer_of_a_function_goes_by_its_arn(database):
    arn = "arn:aws:lambda:eu-central-1:111122223333:layer:tools:1"
    places = {"a": "sha256:1", "b": "sha256:2"}  # the layer, then the code
    packages = [
        VulnerablePackage(package=Package(type="npm", name=name, version="1", location=Location(path="p", layer=layer)))
        for name, layer in places.items()
    ]
    details = LambdaFunction(name="f", runtime="python3.12", code_sha256="", layers=(arn,))
    place = Resource(account="1", region="a", type="AWS_LAMBDA_FUNCTION", id="a", details=details)
    with example_of(database) as connection:
        place, seen = possible(1, place, flaw(*packages))
        store(connection, 1, place, seen)

        def holds(name, field, value):
            entry = {"name": {"comparison": "EQUALS", "value": name}, field: {"comparison": "EQUALS", "value": value}}
            return found(connection, {"vulnerablePackages": [entry]}) == {1}

        assert holds("a", "sourceLambdaLayerArn", arn)
        assert not holds("b", "sourceLambdaLayerArn", arn)
        assert holds("b", "sourceLayerHash", "sha256:2")
