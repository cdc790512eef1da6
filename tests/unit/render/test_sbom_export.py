"""SBOM exports: the documents, and where they lie."""

import json
import re
from importlib import import_module

import pytest
from msgspec.structs import replace
from tests.unit.render.sample import DEBIAN, EVIL, GIT, INVENTORY, LODASH, LODASH_AGAIN, NAMELESS, OPENSSL

from openinspector.model.inventory import Inventory, Target
from openinspector.model.resource import AccountId, Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.render.sbom_export import Content, object_key, render

ACCOUNT = AccountId("111122223333")
INSTANCE = Resource(
    account=ACCOUNT,
    region="us-east-1",
    type="AWS_EC2_INSTANCE",
    id="i-0abc",
    platform="DEBIAN_12",
    details=Ec2Instance(image_id="ami-1"),
)
IMAGE = Resource(
    account=ACCOUNT,
    region="us-east-1",
    type="AWS_ECR_CONTAINER_IMAGE",
    id=f"arn:aws:ecr:us-east-1:111122223333:repository/team/app/sha256:{'a' * 64}",
    details=EcrImage(repository="team/app", digest=f"sha256:{'a' * 64}", registry=ACCOUNT, architecture="arm64"),
)
FUNCTION = Resource(
    account=ACCOUNT,
    region="us-east-1",
    type="AWS_LAMBDA_FUNCTION",
    id="arn:aws:lambda:us-east-1:111122223333:function:f:$LATEST",
    details=LambdaFunction(name="f", runtime="python3.12", code_sha256="x", architectures=("arm64",)),
)
BARE = Resource(account=ACCOUNT, region="us-east-1", type="CODE_REPOSITORY", id="project-1")
PACKAGES = Inventory(
    target=Target(kind="host", name="i-0abc", platform="linux/amd64"),
    packages=(OPENSSL, GIT, LODASH, LODASH_AGAIN, NAMELESS),
    distribution=DEBIAN,
)
FLAWS = {OPENSSL: ("CVE-2023-5363", "CVE-2023-1"), LODASH: ("CVE-2021-23337", "CVE-2023-1")}


def content(resource=INSTANCE, inventory=PACKAGES, flaws=FLAWS):
    return Content(resource=resource, inventory=inventory, flaws=flaws, exported_at="2026-01-02T03:04:05.678Z")


EVERY = [content(each) for each in (INSTANCE, IMAGE, FUNCTION, BARE)] + [
    content(inventory=INVENTORY, flaws={EVIL: ("CVE-1",)}),
    content(inventory=replace(PACKAGES, packages=()), flaws={}),
]
IDS = ["instance", "image", "function", "bare", "hostile", "empty"]


@pytest.mark.parametrize("told", EVERY, ids=IDS)
def test_the_cyclonedx_document_is_valid(told):
    schema = pytest.importorskip("cyclonedx.schema", reason="cyclonedx-python-lib is not installed")
    validation = pytest.importorskip("cyclonedx.validation.json", reason="cyclonedx-python-lib is not installed")
    errors = validation.JsonStrictValidator(schema.SchemaVersion.V1_4).validate_str(render(told, "CYCLONEDX_1_4"))
    assert errors is None, errors


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("told", EVERY, ids=IDS)
def test_the_spdx_document_is_valid_but_for_the_services_own_kind_of_reference(told):
    try:
        parse = import_module("spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser").JsonLikeDictParser
        check = import_module("spdx_tools.spdx.validation.document_validator").validate_full_spdx_document
    except ImportError:
        pytest.skip("spdx-tools is not installed")
    messages = [
        each.validation_message for each in check(parse().parse(json.loads(render(told, "SPDX_2_3"))), "SPDX-2.3")
    ]
    others = [each for each in messages if "externalPackageRef type in category SECURITY" not in each]
    assert not others


def test_cyclonedx_lists_components_and_what_affects_them():
    made = json.loads(render(content(), "CYCLONEDX_1_4"))
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.4", 1)
    by_name = {}
    for each in made["components"]:
        by_name.setdefault(each["name"], []).append(each)
    assert all(re.fullmatch("[0-9a-f]{32}", each["bom-ref"]) for each in made["components"])
    (openssl,) = by_name["libssl3"]
    assert openssl["type"] == "application"
    assert openssl["purl"] == "pkg:deb/debian/libssl3@3.0.9-1?arch=amd64&distro=debian-12&upstream=openssl"
    assert {each["type"] for each in by_name["lodash"]} == {"library"}
    assert sorted(each["purl"] for each in by_name["lodash"]) == [
        "pkg:npm/lodash@4.17.20?path=srv%2Fapp%2Fnode_modules%2Flodash%2Fpackage.json",
        "pkg:npm/lodash@4.17.20?path=srv%2Ftool%2Fnode_modules%2Flodash%2Fpackage.json",
    ]
    lodash = next(each for each in by_name["lodash"] if "srv%2Fapp" in each["purl"])
    assert made["vulnerabilities"] == [
        {"id": "CVE-2021-23337", "affects": [{"ref": lodash["bom-ref"]}]},
        {"id": "CVE-2023-1", "affects": [{"ref": openssl["bom-ref"]}, {"ref": lodash["bom-ref"]}]},
        {"id": "CVE-2023-5363", "affects": [{"ref": openssl["bom-ref"]}]},
    ]


@pytest.mark.parametrize(
    ("resource", "facts"),
    [
        (INSTANCE, {"instanceId": "i-0abc", "amiId": "ami-1", "architecture": "amd64", "platform": "DEBIAN_12"}),
        (IMAGE, {"imageId": f"sha256:{'a' * 64}", "repositoryName": "team/app", "architecture": "arm64"}),
        (FUNCTION, {"functionName": "f", "functionVersion": "$LATEST", "architecture": "arm64"}),
    ],
    ids=["instance", "image", "function"],
)
def test_the_metadata_tells_of_the_resource(resource, facts):
    metadata = json.loads(render(content(resource), "CYCLONEDX_1_4"))["metadata"]
    told = {each["name"]: each["value"] for each in metadata["properties"]}
    common = {"accountId": ACCOUNT, "resourceType": resource.type, "resourceId": resource.id}
    assert told == common | facts
    assert metadata["timestamp"] == "2026-01-02T03:04:05.678Z"


def test_spdx_names_the_resource_and_its_vulnerabilities():
    made = json.loads(render(content(), "SPDX_2_3"))
    assert made["name"] == "111122223333/EC2/i-0abc/ami-1"
    assert made["documentNamespace"] == "EC2://i-0abc/DEBIAN_12/null/amd64"
    assert made["creationInfo"] == {
        "created": "2026-01-02T03:04:05Z",
        "creators": ["Organization: 111122223333", "Tool: openinspector"],
    }
    openssl = next(each for each in made["packages"] if each["name"] == "libssl3")
    assert re.fullmatch("SPDXRef-Package-deb-libssl3-[0-9a-f]{32}", openssl["SPDXID"])
    assert openssl["sourceInfo"] == "var/lib/dpkg/status"
    assert [(each["referenceCategory"], each["referenceType"]) for each in openssl["externalRefs"]] == [
        ("PACKAGE-MANAGER", "purl"),
        ("SECURITY", "vulnerability"),
        ("SECURITY", "vulnerability"),
    ]
    assert [each["relatedSpdxElement"] for each in made["relationships"]] == [
        each["SPDXID"] for each in made["packages"]
    ]


@pytest.mark.parametrize("report_format", ["CYCLONEDX_1_4", "SPDX_2_3"])
def test_an_export_can_be_scanned(tmp_path, report_format):
    from openinspector.acquire.targets.sbom import read_sbom

    path = tmp_path / "bom.json"
    path.write_text(render(content(), report_format))
    inventory = read_sbom(path)
    assert inventory.distribution.namespace == "debian:12"
    said = {
        (each.type, each.name, each.version, each.source.name if each.source else "") for each in inventory.packages
    }
    assert ("deb", "libssl3", "3.0.9-1", "openssl") in said
    assert ("npm", "lodash", "4.17.20", "") in said


@pytest.mark.parametrize(
    ("prefix", "report_format", "resource", "key"),
    [
        ("", "CYCLONEDX_1_4", INSTANCE,
         "CYCLONEDX_1_4_outputs_r-1/account=111122223333/resource=AWS_EC2_INSTANCE/i-0abc_CYCLONEDX_1_4.json"),
        ("a/b", "SPDX_2_3", INSTANCE,
         "a/b/SPDX_2_3_outputs_r-1/account=111122223333/resource=AWS_EC2_INSTANCE/i-0abc_SPDX_2_3.json"),
        ("a/", "CYCLONEDX_1_4", IMAGE,
         "a/CYCLONEDX_1_4_outputs_r-1/account=111122223333/resource=AWS_ECR_CONTAINER_IMAGE/arn:aws:ecr:us-east-1:"
         f"111122223333:repository_team_app_sha256:{'a' * 64}_CYCLONEDX_1_4.json"),
    ],
    ids=["bare", "prefix", "image"],
)  # fmt: skip
def test_where_a_document_lies(prefix, report_format, resource, key):
    assert object_key(prefix, report_format, "r-1", resource) == key
