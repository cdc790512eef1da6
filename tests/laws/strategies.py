"""Random findings, resources and filter criteria: few values, the same words for all of them, so that they meet."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from msgspec.structs import fields as struct_fields

from openinspector.model.criteria import Criteria
from openinspector.model.finding import (
    SEVERITIES,
    Finding,
    Life,
    NetworkReachability,
    Observation,
    PackageVulnerability,
    Step,
    VulnerablePackage,
)
from openinspector.model.moment import moment_text
from openinspector.model.package import Location, Package
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource

NUMBERS = "inspectorScore epssScore ecrImageInUseCount cloudImageInUseCount".split()
DATES = (
    "firstObservedAt lastObservedAt updatedAt ecrImagePushedAt ecrImageLastInUseAt lambdaFunctionLastModifiedAt"
    " cloudImagePushedAt cloudImageLastInUseAt cloudServerlessFunctionLastModifiedAt"
).split()
FIELDS = sorted(each.encode_name for each in struct_fields(Criteria))
OF_PACKAGE = "name version release architecture sourceLayerHash sourceLambdaLayerArn filePath".split()

T0 = datetime(2026, 3, 1, tzinfo=UTC)
DIGESTS = ["sha256:" + each * 64 for each in "ab"]
LAYERS = [f"arn:aws:lambda:eu-central-1:111122223333:layer:{each}:1" for each in "ab"]
ROLE = "arn:aws:iam::111122223333:role/f"
WORDS = ["a", "b", "ab", "HIGH", "LOW", "TCP", "NVD", "YES", "111122223333", "PYTHON_3_12", "AWS", "1", "2-3"]
WORDS += ["PACKAGE_VULNERABILITY", "AWS_EC2_INSTANCE", "eu-central-1", "X86_64", "ACTIVE", ROLE, *DIGESTS, *LAYERS]

word = st.sampled_from(WORDS)
short = st.sampled_from(["", "a", "b", "ab"])
some = st.sampled_from(["a", "b", "ab"])
moments = st.integers(0, 3).map(lambda days: T0 + timedelta(days=days))
times = moments.map(moment_text)
maybe_time = st.one_of(st.just(""), times)
score = st.one_of(st.none(), st.sampled_from([0.0, 0.5, 5.0, 10.0]))

packages = st.builds(
    lambda type_, name, version, arch, path, layer: VulnerablePackage(
        package=Package(
            type=type_, name=name, version=version, arch=arch, location=Location(path=path, introduced=layer)
        )
    ),
    st.sampled_from(["rpm", "deb", "npm"]),
    some,
    st.sampled_from(["1", "1-2", "2:1-2", "1-2-3", "2-3"]),
    st.sampled_from(["", "x86_64"]),
    short,
    st.sampled_from(["", *DIGESTS, *LAYERS]),
)
flaws = st.builds(
    PackageVulnerability,
    id=some,
    source=st.sampled_from(["NVD", "a"]),
    packages=st.lists(packages, max_size=3).map(tuple),
    vendor_severity=short,
    related=st.lists(some, max_size=2).map(tuple),
)
paths = st.builds(
    lambda ports, protocol, steps: NetworkReachability(
        first_port=min(ports), last_port=max(ports), protocol=protocol, path=steps
    ),
    st.tuples(st.integers(0, 6), st.integers(0, 6)),
    st.sampled_from(["TCP", "UDP"]),
    st.lists(st.builds(Step, component_id=some, component_type=some), max_size=2).map(tuple),
)
lives = st.builds(
    Life,
    status=st.sampled_from(["ACTIVE", "SUPPRESSED", "CLOSED"]),
    first_observed_at=times,
    last_observed_at=times,
    updated_at=times,
)
shared = {"key": some, "title": some, "description": some, "severity": st.sampled_from(SEVERITIES)}
observations = st.one_of(
    st.builds(
        Observation,
        **shared,
        details=flaws,
        score=score,
        epss=score,
        fix=st.sampled_from([None, "YES", "NO", "PARTIAL"]),
        exploit=st.sampled_from([None, True, False]),
    ),
    st.builds(Observation, **shared, details=paths),
)
findings = st.builds(Finding, arn=some, observation=observations, life=lives)
details = st.one_of(
    st.builds(Ec2Instance, image_id=short, vpc_id=short, subnet_id=short),
    st.builds(
        EcrImage,
        repository=some,
        digest=st.sampled_from(DIGESTS),
        registry=some,
        tags=st.lists(some, max_size=2).map(tuple),
        pushed_at=maybe_time,
        architecture=short,
        last_in_use_at=maybe_time,
        in_use_count=st.integers(0, 2),
    ),
    st.builds(
        LambdaFunction,
        name=some,
        runtime=st.sampled_from(["python3.12", "nodejs18.x", "provided"]),
        code_sha256=some,
        role_arn=st.just(ROLE),
        layers=st.lists(st.sampled_from(LAYERS), max_size=2).map(tuple),
        last_modified_at=maybe_time,
    ),
    st.none(),
)
resources = st.builds(
    Resource,
    account=st.sampled_from(["111122223333", "1"]),
    region=st.sampled_from(["eu-central-1", "a"]),
    type=st.sampled_from(["AWS_EC2_INSTANCE", "AWS_ECR_CONTAINER_IMAGE"]),
    id=some,
    tags=st.dictionaries(some, short, max_size=2),
    details=details,
)

text_entry = st.builds(
    lambda comparison, value: {"comparison": comparison, "value": value},
    st.sampled_from(["EQUALS", "PREFIX", "NOT_EQUALS"]),
    word,
)


def bounds(low, high, value):
    return st.fixed_dictionaries({}, optional={low: value, high: value})


numbers = st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0, 10.0])
number_entry = bounds("lowerInclusive", "upperInclusive", numbers)
date_entry = bounds("startInclusive", "endInclusive", moments)
port_entry = bounds("beginInclusive", "endInclusive", st.integers(0, 8))
tag_entry = st.fixed_dictionaries({"comparison": st.just("EQUALS"), "key": some}, optional={"value": short})
package_entry = st.fixed_dictionaries(
    {},
    optional={
        "epoch": number_entry,
        **dict.fromkeys(OF_PACKAGE, text_entry),
    },
)
SPECIAL = {"resourceTags": tag_entry, "portRange": port_entry, "vulnerablePackages": package_entry}
TEXT_FIELDS = [each for each in FIELDS if each not in (*DATES, *NUMBERS, *SPECIAL)]


def entry_of(field):
    if field in SPECIAL:
        return SPECIAL[field]
    if field in NUMBERS:
        return number_entry
    return date_entry if field in DATES else text_entry


def criteria_of(fields):
    """Criteria over some of these fields."""
    entries = st.sampled_from(fields).flatmap(
        lambda field: st.tuples(st.just(field), st.lists(entry_of(field), min_size=1, max_size=3))
    )
    return st.lists(entries, min_size=1, max_size=3).map(dict)
