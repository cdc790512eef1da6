"""Small fleets and advisories about them, for tests of what becomes of findings when advisories change."""

from datetime import UTC, datetime

from msgspec.structs import replace
from tests.store.fleet import OURS, REGION, THEIRS

from openinspector.model.advisory import Advisory, Affected, Cvss, Range
from openinspector.model.distro import Distribution
from openinspector.model.enrichment import Epss, Kev
from openinspector.model.inventory import Inventory, Layer, Target
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource

NOW = datetime(2026, 3, 2, 10, 15, 30, 123456, tzinfo=UTC)
VECTORS = (
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",  # 7.5
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",  # 9.8
    "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",  # 1.8
)
FLAWS = tuple(f"CVE-2030-{number:04}" for number in range(1, 7))
SOURCES = ("demo", "other", "third")
STREAM = "eus:9.2"
LAYERS = tuple(f"arn:aws:lambda:{REGION}:{OURS}:layer:{name}:1" for name in ("first", "second"))


def host(number, account=OURS):
    """An instance."""
    return Resource(
        account=account,
        region=REGION,
        type="AWS_EC2_INSTANCE",
        id=f"i-{number:017x}",
        details=Ec2Instance(instance_type="t3.small"),
        platform="DEBIAN_12",
    )


def image(number):
    """An image in a registry."""
    digest = f"sha256:{number:064x}"
    return Resource(
        account=OURS,
        region=REGION,
        type="AWS_ECR_CONTAINER_IMAGE",
        id=f"arn:aws:ecr:{REGION}:{OURS}:repository/app/{digest}",
        details=EcrImage(repository="app", digest=digest, registry=OURS, pushed_at="2026-03-01T00:00:00Z"),
        platform="DEBIAN_12",
    )


def function(number):
    """A function with two layers."""
    return Resource(
        account=OURS,
        region=REGION,
        type="AWS_LAMBDA_FUNCTION",
        id=f"arn:aws:lambda:{REGION}:{OURS}:function:demo{number}:$LATEST",
        details=LambdaFunction(
            name=f"demo{number}", runtime="python3.12", code_sha256="x=", layers=LAYERS[:: 1 - 2 * (number % 2)]
        ),
        platform="PYTHON_3_12",
    )


FLEET = (
    *(host(number) for number in range(4)),
    host(4, THEIRS),
    host(5),
    host(6),
    image(1),
    image(2),
    function(1),
    function(2),
)
REDHAT = (FLEET[5].id, FLEET[6].id)  # the second of them has extended updates


def package(kind, name, version, path, source="", layer="", **more):
    """A package."""
    return Package(
        type=kind,
        name=name,
        version=version,
        location=Location(path=path, layer=layer),
        source=SourcePackage(name=source, version=version) if source else None,
        **more,
    )


def inventory_of(resource, chance, status=""):
    """What may be installed on a resource: few packages in few versions, so that resources have some in common."""
    status = status or chance.choice(("whole", "whole", "partial"))
    if resource.id in REDHAT:
        found = [
            package("rpm", name, f"{chance.randint(1, 3)}.0-1.el9", "var/lib/rpm/rpmdb.sqlite", arch="x86_64")
            for name in ("demo", "other")
            if chance.random() < 0.9
        ]
        return Inventory(
            target=Target(kind="host", name="r", running_kernel="5.14.0"),
            packages=tuple(found),
            distribution=Distribution(id="rhel", version="9.2", family="redhat", namespace="redhat:9"),
            repositories=(STREAM,) if resource.id == REDHAT[1] else (),
            status=status,
        )
    if resource.type == "AWS_LAMBDA_FUNCTION":
        layers = ("a", "b", "c")
        found = [
            package("pypi", "flask", f"{chance.randint(1, 3)}.0", f"{layer}/flask", layer=layer)
            for layer in layers
            if chance.random() < 0.7
        ]
        target = Target(kind="lambda", name="f", layers=tuple(Layer(diff_id=each) for each in layers))
        return Inventory(target=target, packages=tuple(found), status=status)
    layers = ("base", "code") if resource.type == "AWS_ECR_CONTAINER_IMAGE" else ()
    found = []
    for binary, source in (("liba", "demo"), ("libb", "demo"), ("libc", "other"), ("third", "")):
        if chance.random() < 0.85:
            where = {"layer": "base"} if layers else {}
            version = f"{chance.randint(1, 3)}.0-1"
            found.append(package("deb", binary, version, "var/lib/dpkg/status", source=source, arch="amd64", **where))
    if chance.random() < 0.7:
        where = {"layer": "code"} if layers else {}
        found.append(package("pypi", "flask", f"{chance.randint(1, 3)}.0", "srv/flask", **where))
    if chance.random() < 0.3:
        found.append(package("pypi", "flask", "not a version", "opt/flask"))
    target = Target(kind="image" if layers else "host", name="h", layers=tuple(Layer(diff_id=each) for each in layers))
    return Inventory(
        target=target,
        packages=tuple(found),
        distribution=Distribution(id="debian", version="12", title="Debian 12", family="debian", namespace="debian:12"),
        status=status,
    )


def records(chance):
    """Advisories as they may be on some day, by feed."""
    feeds = {"debian_tracker": [], "redhat-vex": [], "osv": [], "nvd": [], "epss": [], "kev": []}
    for flaw in FLAWS:
        if chance.random() < 0.85:
            state = {"state": "will_not_fix"} if chance.random() < 0.1 else {}
            affected = [
                Affected(
                    namespace="debian:12",
                    name=name,
                    kind="source",
                    ranges=(Range(fixed=_bound(chance, "-1")),),
                    severity=chance.choice(("", "low", "high")),
                    **state,
                )
                for name in SOURCES
                if chance.random() < 0.5
            ]
            if affected:
                feeds["debian_tracker"].append(Advisory(id=flaw, affected=tuple(affected)))
        if chance.random() < 0.6:
            affected = [
                Affected(namespace="redhat:9", name="demo", ranges=(Range(fixed=_bound(chance, "-1.el9")),)),
                Affected(
                    namespace="redhat:9",
                    name="demo",
                    ranges=(Range(fixed=_bound(chance, "-1.el9")),),
                    repository=STREAM,
                ),
            ]
            feeds["redhat-vex"].append(Advisory(id=flaw, affected=tuple(affected[chance.randint(0, 1) :])))
        if chance.random() < 0.6:
            feeds["osv"].append(
                Advisory(
                    id=flaw,
                    affected=(Affected(namespace="pypi", name="flask", ranges=(Range(fixed=_bound(chance, "")),)),),
                )
            )
        if chance.random() < 0.9:
            rejected = {"withdrawn": "2030-01-02T00:00:00Z"} if chance.random() < 0.1 else {}
            feeds["nvd"].append(
                Advisory(
                    id=flaw,
                    cvss=(Cvss(vector=chance.choice(VECTORS), source="NVD"),),
                    description=f"About {flaw}, in words {chance.randint(1, 2)}.",
                    published="2030-01-01T00:00:00Z",
                    **rejected,
                )
            )
        if chance.random() < 0.5:
            score = chance.choice((0.1, 0.5, 0.9))
            feeds["epss"].append(Epss(vulnerability=flaw, score=score, percentile=score, date="2030-01-01"))
        if chance.random() < 0.2:
            feeds["kev"].append(Kev(vulnerability=flaw, date_added=chance.choice(("2030-02-01", "2030-02-02"))))
    return {name: found for name, found in feeds.items() if found}


def _bound(chance, ending):
    return f"{chance.randint(1, 4)}.0{ending}" if chance.random() < 0.93 else "?"


def without_epss(finding):
    """A finding as it is compared: EPSS moves without it, and in which order packages are read says nothing."""
    observation = replace(finding.observation, epss=None)
    details = observation.details
    if hasattr(details, "packages"):
        packages = tuple(sorted(details.packages, key=repr))
        details = replace(details, packages=packages, related=tuple(sorted(details.related)))
    return finding.arn, replace(observation, details=details), finding.life
