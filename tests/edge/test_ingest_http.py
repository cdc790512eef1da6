"""What was found is handed in to a running service: by the command, and by requests that botocore has signed."""

import datetime
import gzip
import hashlib
import http.client
import ipaddress
import json
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.edge.service_process import Served, served
from tests.unit.acquire import bills
from tests.unit.acquire.layers import OS_RELEASE, docker_archive, layer, status

OURS, THEIRS = "111122223333", "444455556666"
REGION = "us-east-1"
METADATA = "Metadata-Version: 2.1\nName: Jinja2\nVersion: 2.10\n\n"
SITE = "srv/app/lib/python3.11/site-packages/Jinja2-2.10.dist-info/METADATA"
PACKAGE = {"type": "pypi", "name": "jinja2", "version": "2.10", "location": {"path": "srv/app"}}


@pytest.fixture(scope="module")
def service():
    with served("--workers", "0") as running:
        yield running


@dataclass(frozen=True)
class Key:
    id: str
    secret: str
    account: str


_keys: dict[tuple[str, str], Key] = {}


def key_of(service: Served, account: str = OURS, role: str = "ingest") -> Key:
    """A key of an account; the same one for all tests, for to make one takes a second."""
    if (account, role) in _keys:
        return _keys[account, role]
    made = json.loads(service.run("keys", "create", "--account", account, "--role", role, "--format", "json"))
    _keys[account, role] = Key(made["AccessKeyId"], made["SecretAccessKey"], account)
    return _keys[account, role]


@pytest.fixture(scope="module")
def key(service):
    return key_of(service)


@pytest.fixture(scope="module")
def admin(service):
    return key_of(service, role="admin")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The root of a Debian with something of Python's, and a file that can't be read whole."""
    root = tmp_path_factory.mktemp("root")
    for path, text in {
        "etc/os-release": OS_RELEASE,
        "var/lib/dpkg/status": status(zlib="1:1.2.11", bash="5.2-1"),
        SITE: METADATA,
        "srv/app/requirements.txt": "flask\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


_ids = iter(range(1000))


def new_id() -> str:
    return f"i-{next(_ids):017x}"


def inventory(*packages, **more):
    told = {"target": {"kind": "host", "name": "h"}, "packages": list(packages), **more}
    return {"format": "openinspector-inventory/1", "inventory": told}


def asked(identity: str, **more):
    return {"resource": {"type": "AWS_EC2_INSTANCE", "id": identity}, **more}


def signed(service: Served, key: Key, body: bytes, headers=None, region=REGION, name="inspector2", path="/ingest"):
    request = AWSRequest(
        "POST",
        service.address + path,
        headers={"Content-Type": "application/json", **(headers or {})},
        data=body,
    )
    SigV4Auth(Credentials(key.id, key.secret), name, region).add_auth(request)
    return request.prepare()


def post(prepared, body=None, headers=None):
    """Status and what is said."""
    sent = {**dict(prepared.headers), **(headers or {})}
    sent.pop("Content-Length", None)
    given = prepared.body if body is None else body
    request = urllib.request.Request(prepared.url, given, sent, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            said = json.loads(error.read())
        return error.code, {**said, "type": error.headers["x-amzn-errortype"]}


def hand_in(service, key, document, headers=None):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return post(signed(service, key, body, headers))


def client(service, key, name="inspector2"):
    made = boto3.client(
        name,
        endpoint_url=service.address,
        region_name=REGION,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
    )
    return closing(made)


def findings(service, key, identity):
    """All findings of a resource, without what differs between two of the same kind."""
    criteria = {"resourceId": [{"comparison": "EQUALS", "value": identity}]}
    with client(service, key) as inspector:
        pages = list(inspector.get_paginator("list_findings").paginate(filterCriteria=criteria))
    found = []
    for each in (finding for page in pages for finding in page["findings"]):
        for name in ("findingArn", "awsAccountId", "firstObservedAt", "lastObservedAt", "updatedAt"):
            each.pop(name, None)
        for resource in each["resources"]:
            resource.pop("id")
        found.append(json.dumps(each, sort_keys=True, default=str))
    return sorted(found)


def command(service, *arguments, key=None, **environment):
    words = [sys.executable, "-m", "openinspector", "ingest", *map(str, arguments)]
    if key is not None:
        environment |= {"AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret}
    surroundings = (
        service.environment | {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(service.folder)} | environment
    )
    return subprocess.run(words, env=surroundings, capture_output=True, text=True, check=False, timeout=300)


# What comes of it


def test_handing_in_from_elsewhere_finds_what_a_scan_on_the_service_finds(service, key, admin, tree):
    here, there, carried = new_id(), new_id(), new_id()
    done = service.run("ingest", f"dir:{tree}", "--account", OURS, "--id", here, "--format", "json")
    told = json.loads(done)
    sent = command(service, f"dir:{tree}", "--endpoint", service.address, "--id", there, "--format", "json", key=key)
    assert sent.returncode == 0, sent.stderr
    answer = json.loads(sent.stdout)
    assert answer["opened"] == told["changes"]["opened"] > 5
    assert answer["problems"] == told["problems"]
    assert answer["status"] == told["status"] == "whole"
    expected = findings(service, admin, here)
    assert len(expected) == answer["opened"]
    assert findings(service, admin, there) == expected
    # And by a file that is carried to another machine.
    file = service.folder / "inventory.json"
    service.run("sbom", f"dir:{tree}", "--format", "inventory", "--output", str(file))
    sent = command(service, "--inventory", file, "--endpoint", service.address, "--id", carried, key=key)
    assert sent.stdout.startswith(f"{carried}: {answer['opened']} opened"), sent.stderr
    assert findings(service, admin, carried) == expected


def test_layers_of_an_image_and_its_repository_arrive(service, key, admin, tmp_path):
    base = layer({"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": status(zlib="1:1.2.11")})
    image = docker_archive(tmp_path / "app.tar", base, layer({SITE: METADATA}))
    arns = [f"arn:aws:ecr:{REGION}:{OURS}:repository/app/sha256:{digit * 64}" for digit in "ab"]
    kind = ("--type", "AWS_ECR_CONTAINER_IMAGE")
    service.run("ingest", str(image), "--account", OURS, "--id", arns[0], *kind)
    sent = command(service, image, "--endpoint", service.address, "--id", arns[1], *kind, key=key)
    assert sent.returncode == 0, sent.stderr
    here, there = (findings(service, admin, each) for each in arns)
    assert [each.replace("a" * 64, "b" * 64) for each in here] == there != []
    layers = {
        each["sourceLayerHash"]
        for text in there
        for each in json.loads(text)["packageVulnerabilityDetails"]["vulnerablePackages"]
    }
    assert len(layers) == 2


def test_what_is_gone_closes_and_the_same_again_changes_nothing(service, key):
    identity = new_id()
    status_, said = hand_in(service, key, asked(identity, inventory=inventory(PACKAGE)))
    assert status_ == 200
    assert said["opened"] > 3
    assert (said["packages"], said["superseded"], said["status"]) == (1, False, "whole")
    _, again = hand_in(service, key, asked(identity, inventory=inventory(PACKAGE)))
    assert (again["opened"], again["updated"], again["closed"]) == (0, 0, 0)
    partial = inventory(problems=[{"path": "x", "reason": "broken", "partial": True}])
    _, unsure = hand_in(service, key, asked(identity, inventory=partial))
    assert (unsure["status"], unsure["closed"], unsure["problems"]) == ("partial", 0, 1)
    _, gone = hand_in(service, key, asked(identity, inventory=inventory()))
    assert (gone["closed"], gone["opened"]) == (said["opened"], 0)


@pytest.mark.parametrize(
    ("write", "of"),
    [
        (bills.cyclonedx_json, json.loads),
        (bills.spdx_json, json.loads),
        (bills.cyclonedx_xml, str),
        (bills.spdx_tag_value, str),
    ],
)
def test_sboms_of_every_kind_are_taken(service, key, write, of):
    status_, said = hand_in(service, key, asked(new_id(), sbom=of(write())))
    assert status_ == 200, said
    assert said["opened"] > 3


def test_what_is_told_of_a_resource_is_kept(service, key, admin):
    identity = new_id()
    told = asked(identity, inventory=inventory(PACKAGE), scanMode="EC2_AGENTLESS", accountId=OURS)
    told["resource"] |= {
        "region": REGION,
        "partition": "aws",
        "tags": {"team": "web"},
        "platform": "UBUNTU_24_04",
        "details": {"awsEc2Instance": {"type": "t3.small", "ipV4Addresses": ["10.0.0.7"], "launchedAt": 1700000000}},
    }
    assert hand_in(service, key, told)[0] == 200
    wanted = {"resourceId": [{"comparison": "EQUALS", "value": identity}]}
    with client(service, admin) as inspector:
        (resource,) = inspector.list_findings(filterCriteria=wanted, maxResults=1)["findings"][0]["resources"]
        (covered,) = inspector.list_coverage(filterCriteria=wanted)["coveredResources"]
    assert resource["tags"] == {"team": "web"}
    instance = resource["details"]["awsEc2Instance"]
    assert (instance["type"], instance["ipV4Addresses"]) == ("t3.small", ["10.0.0.7"])
    assert instance["platform"] == "UBUNTU_24_04"
    assert (covered["scanStatus"]["statusCode"], covered["scanMode"]) == ("ACTIVE", "EC2_AGENTLESS")


def test_a_function_without_a_role_is_taken(service, key, admin):
    arn = f"arn:aws:lambda:{REGION}:{OURS}:function:demo:$LATEST"
    details = {"awsLambdaFunction": {"functionName": "demo", "runtime": "python3.12", "codeSha256": "x="}}
    told = {"resource": {"type": "AWS_LAMBDA_FUNCTION", "id": arn, "details": details}, "inventory": inventory(PACKAGE)}
    status_, said = hand_in(service, key, told)
    assert status_ == 200, said
    assert len(findings(service, admin, arn)) == said["opened"] > 3


# Whether it is wanted


def test_who_never_switched_scans_on_or_off_does_so_with_the_first_report(service):
    account = "222233334444"
    reporter, owner = key_of(service, account), key_of(service, account, "admin")
    with client(service, owner) as inspector:
        assert states(inspector) == {}
        assert hand_in(service, reporter, asked(new_id(), inventory=inventory(PACKAGE)))[0] == 200
        assert states(inspector) == {"ec2": "ENABLED"}
        (trial,) = inspector.batch_get_free_trial_info(accountIds=[account])["accounts"][0]["freeTrialInfo"]
    assert (trial["type"], trial["status"]) == ("EC2", "ACTIVE")


@pytest.mark.parametrize(("account", "before"), [("333344445555", ["EC2", "ECR"]), ("555566667777", [])])
def test_what_is_disabled_is_refused_until_it_is_enabled_again(service, account, before):
    reporter, owner = key_of(service, account), key_of(service, account, "admin")
    identity = new_id()
    document = asked(identity, inventory=inventory(PACKAGE))
    with client(service, owner) as inspector:
        if before:
            inspector.enable(resourceTypes=before)
        inspector.disable(resourceTypes=["EC2"])
        code, said = hand_in(service, reporter, document)
        assert (code, said["type"], said["fields"][0]["name"]) == (400, "ValidationException", "resource")
        assert "EC2 scans disabled" in said["message"]
        assert "AWS_EC2_INSTANCE" in said["message"]
        assert "aws inspector2 enable --resource-types EC2" in said["message"]
        assert inspector.list_coverage()["coveredResources"] == []
        assert "ec2" not in states(inspector)
        image = f"arn:aws:ecr:{REGION}:{account}:repository/app/sha256:{'d' * 64}"
        told = {"type": "AWS_ECR_CONTAINER_IMAGE", "id": image}
        assert hand_in(service, reporter, {"resource": told, "inventory": inventory(PACKAGE)})[0] == 200
        inspector.enable(resourceTypes=["EC2"])
        assert hand_in(service, reporter, document)[0] == 200
        trials = inspector.batch_get_free_trial_info(accountIds=[account])["accounts"][0]["freeTrialInfo"]
    assert findings(service, owner, identity) != []
    assert {each["type"] for each in trials} == {"EC2", "ECR"}


def states(inspector):
    """The kinds of scans that are on."""
    (account,) = inspector.batch_get_account_status()["accounts"]
    return {name: told["status"] for name, told in account["resourceState"].items() if told["status"] != "DISABLED"}


# Who may


def test_roles_accounts_and_signatures(service, key):
    body = asked(new_id(), inventory=inventory(PACKAGE))
    reader, other = key_of(service, role="reader"), key_of(service, THEIRS)
    assert hand_in(service, key_of(service, role="admin"), body)[0] == 200
    code, said = hand_in(service, reader, body)
    assert (code, said["type"]) == (403, "AccessDeniedException")
    assert "inspector2:Ingest" in said["message"]
    code, said = hand_in(service, Key(key.id, "x" * 40, OURS), body)
    assert (code, said["type"]) == (403, "InvalidSignatureException")
    for wrong in ({"region": "eu-west-1"}, {"name": "inspector-scan"}):
        code, said = post(signed(service, key, json.dumps(body).encode(), **wrong))
        assert (code, said["type"]) == (403, "InvalidSignatureException")
    unsigned = urllib.request.Request(f"{service.address}/ingest", b"{}", {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(unsigned, timeout=300)
    raised.value.close()
    assert raised.value.code == 403
    code, said = hand_in(service, other, {**body, "accountId": OURS})
    assert (code, said["type"]) == (403, "AccessDeniedException")
    arn = f"arn:aws:ecr:{REGION}:{OURS}:repository/app/sha256:{'c' * 64}"
    code, said = hand_in(service, other, {**body, "resource": {"type": "AWS_ECR_CONTAINER_IMAGE", "id": arn}})
    assert (code, said["type"], said["fields"][0]["name"]) == (400, "ValidationException", "resource.id")


def test_an_account_sees_nothing_of_what_another_hands_in(service, key, admin):
    identity = new_id()
    assert hand_in(service, key_of(service, THEIRS), asked(identity, inventory=inventory(PACKAGE)))[0] == 200
    assert findings(service, admin, identity) == []
    assert hand_in(service, key, asked(identity, inventory=inventory()))[0] == 200  # another host of that name
    assert len(findings(service, key_of(service, THEIRS, "reader"), identity)) > 3


def test_a_replay_changes_nothing_and_an_old_or_changed_one_is_refused(service, key):
    body = json.dumps(asked(new_id(), inventory=inventory(PACKAGE))).encode()
    prepared = signed(service, key, body)
    assert post(prepared)[1]["opened"] > 3
    code, again = post(prepared)
    assert (code, again["opened"], again["updated"], again["closed"]) == (200, 0, 0, 0)
    code, said = post(prepared, body.replace(b"2.10", b"2.11"))
    assert (code, said["type"]) == (403, "InvalidSignatureException")
    request = AWSRequest("POST", f"{service.address}/ingest", headers={"Content-Type": "application/json"}, data=body)
    request.context["timestamp"] = old = "20200101T000000Z"
    auth = SigV4Auth(Credentials(key.id, key.secret), "inspector2", REGION)
    request.headers["X-Amz-Date"] = old
    canonical = auth.canonical_request(request)
    names = auth.signed_headers(auth.headers_to_sign(request))
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, SignedHeaders={names}, Signature={signature}"
    )
    code, said = post(request.prepare())
    assert (code, said["type"]) == (403, "InvalidSignatureException")


# What is refused, and that the service goes on


def test_documents_that_make_no_sense_are_refused_by_their_member(service, key):
    for member, document, said in (
        ("inventory", {"schema_version": "1.1"}, "is a scan's report"),
        ("inventory", {"bomFormat": "CycloneDX"}, "is an SBOM"),
        ("inventory", inventory({"type": "pypi"}), "makes sense"),
        ("inventory", [], "makes sense"),
        ("sbom", {}, "neither CycloneDX nor SPDX"),
        ("sbom", "text", "is no SBOM"),
        ("sbom", 7, "is no SBOM"),
        ("sbom", "<x>", "SBOM"),
    ):
        code, told = hand_in(service, key, asked(new_id(), **{member: document}))
        assert (code, told["type"], told["reason"]) == (400, "ValidationException", "CANNOT_PARSE"), told
        assert said in told["message"]
        assert [each["name"] for each in told["fields"]] == [member]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"resource": None}, ["resource"]),
        ({"resource": {"id": "i-01234567"}}, ["resource.type"]),
        ({"resource": {"type": "AWS_ECR_REPOSITORY", "id": "i-01234567"}}, ["resource.type"]),
        ({"resource": {"type": "AWS_EC2_INSTANCE", "id": "web-1.example"}}, ["resource.id"]),
        ({"resource": {"type": "AWS_EC2_INSTANCE", "id": "i-01234567", "region": "eu-west-1"}}, ["resource.region"]),
        (
            {"resource": {"type": "AWS_EC2_INSTANCE", "id": "i-01234567", "details": {"awsEcrContainerImage": {}}}},
            ["resource.details.awsEcrContainerImage"],
        ),
        ({"scanMode": "SOMEHOW"}, ["scanMode"]),
        ({"inventory": None}, ["sbom", "inventory"]),
        ({"sbom": {}}, ["sbom", "inventory"]),
    ],
)
def test_members_that_make_no_sense_are_told(service, key, change, fields):
    code, told = hand_in(service, key, asked("i-01234567", inventory=inventory()) | change)
    assert (code, told["type"], told["reason"]) == (400, "ValidationException", "FIELD_VALIDATION_FAILED")
    assert [each["name"] for each in told["fields"]] == fields


GZIP = {"Content-Encoding": "gzip"}


def test_a_compressed_body_is_taken(service, key):
    body = json.dumps(asked(new_id(), inventory=inventory(PACKAGE))).encode()
    code, said = hand_in(service, key, gzip.compress(body), GZIP)
    assert (code, said["packages"]) == (200, 1)


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (gzip.compress(b" " * ((64 << 20) + 1)), GZIP, "longer than 67108864 bytes when it is unpacked"),
        (gzip.compress(gzip.compress(b" " * (64 << 20))), {"Content-Encoding": "gzip, gzip"}, "once, or not at all"),
        (b"{}", GZIP, "no gzip"),
        (b"{}", {"Content-Encoding": "br"}, "gzip"),
        (b"\xff\xfe{}", {}, "not valid JSON"),
        (b'{"sbom": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", {}, "nested too deep"),
        (b'{"resource": "' + b"x" * (2 << 20) + b'", "sbom": {}}', {}, "beside its document"),
        (b"", {}, ""),
        (b"[]", {}, "must be a JSON object"),
    ],
)
def test_bodies_that_can_not_be_read_are_refused(service, key, body, headers, said):
    code, told = hand_in(service, key, body, headers)
    assert (code, told["type"]) == (400, "ValidationException")
    assert said in told["message"]


@pytest.mark.parametrize("declared", [(32 << 20) + 1, 10**15])
def test_a_body_that_is_too_long_is_refused_before_it_comes(service, key, declared):
    prepared = signed(service, key, b"{}")
    connection = http.client.HTTPConnection(service.address.removeprefix("http://"), timeout=300)
    connection.request("POST", "/ingest", b"{", dict(prepared.headers) | {"Content-Length": str(declared)})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert "longer than 33554432 bytes" in json.loads(answer.read())["message"]
    connection.close()


@pytest.mark.parametrize(
    ("id_", "declares", "error"),
    [
        ("OIAKAAAAAAAAAAAAAAAA", False, "UnrecognizedClientException"),
        ("OIAKAAAAAAAAAAAAAAAA", True, "InvalidSignatureException"),
        (None, True, "InvalidSignatureException"),
    ],
)
def test_a_stranger_is_refused_before_the_body_comes(service, key, id_, declares, error):
    body = b" " * (1 << 20)
    declared = {"X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()} if declares else {}
    prepared = signed(service, Key(id_ or key.id, "x" * 40, OURS), body, declared | {"Expect": "100-continue"})
    with closing(http.client.HTTPConnection(service.address.removeprefix("http://"), timeout=300)) as connection:
        connection.putrequest("POST", "/ingest", skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": connection.host + f":{connection.port}", **prepared.headers}.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()  # nothing of the body was sent
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, error)
        answer.read()


def test_a_hash_that_is_not_the_bodys_is_refused(service, key):
    body = json.dumps(asked(new_id(), inventory=inventory())).encode() + b" " * (1 << 17)
    declared = {"X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()}
    assert hand_in(service, key, body, declared)[0] == 200
    code, said = post(signed(service, key, body, declared), body + b" ")
    assert (code, said["type"]) == (403, "InvalidSignatureException")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", 32503680000, -1])
def test_moments_that_no_client_could_read_again_are_refused(service, key, moment):
    """Who may only hand in must not be able to spoil the answers that others get."""
    arn = f"arn:aws:ecr:{REGION}:{OURS}:repository/app/sha256:{'d' * 64}"
    for member in ("pushedAt", "lastInUseAt"):
        details = {"awsEcrContainerImage": {member: moment}}
        told = {"type": "AWS_ECR_CONTAINER_IMAGE", "id": arn, "details": details}
        code, said = hand_in(service, key, {"resource": told, "inventory": inventory(PACKAGE)})
        assert (code, said["fields"][0]["name"]) == (400, f"resource.details.{member}")


def test_moments_of_centuries_to_come_harm_nobody(service, key, admin):
    arn = f"arn:aws:ecr:{REGION}:{OURS}:repository/../x/sha256:{'e' * 64}"
    details = {"awsEcrContainerImage": {"pushedAt": 32503679999, "lastInUseAt": 0, "imageTags": ["=1+1"]}}
    told = {"type": "AWS_ECR_CONTAINER_IMAGE", "id": arn, "details": details}
    code, said = hand_in(service, key, {"resource": told, "inventory": inventory(PACKAGE)})
    assert code == 200, said
    assert len(findings(service, admin, arn)) == said["opened"] > 3
    with client(service, admin) as inspector:
        for field in ("ECR_IMAGE_PUSHED_AT", "ECR_IMAGE_REPOSITORY_NAME"):
            pages = inspector.get_paginator("list_findings").paginate(
                sortCriteria={"field": field, "sortOrder": "DESC"}, PaginationConfig={"PageSize": 5}
            )
            assert arn in {each["resources"][0]["id"] for page in pages for each in page["findings"]}
        wanted = {"resourceId": [{"comparison": "EQUALS", "value": arn}]}
        (covered,) = inspector.list_coverage(filterCriteria=wanted)["coveredResources"]
        assert covered["scanStatus"]["statusCode"] == "ACTIVE"


def test_ids_that_only_look_like_one_or_are_others_are_refused(service, key):
    for identity in (
        "i-0123456789ABCDEF0",
        "i-0123456789abcdef\u0660",
        "i-01234567\n",
        "i-0123456789abcdef0\u200b",
        "ｉ-01234567",
    ):
        code, said = hand_in(service, key, asked(identity, inventory=inventory()))
        assert (code, said["fields"][0]["name"]) == (400, "resource.id"), identity
    for account, region, partition in ((THEIRS, REGION, "aws"), (OURS, "eu-west-1", "aws"), ("１" * 12, REGION, "aws")):
        arn = f"arn:{partition}:lambda:{region}:{account}:function:demo:$LATEST"
        told = {"type": "AWS_LAMBDA_FUNCTION", "id": arn}
        code, said = hand_in(service, key, {"resource": told, "inventory": inventory()})
        assert (code, said["fields"][0]["name"]) == (400, "resource.id"), arn


def test_a_document_is_not_utf_8(service, key):
    raw = json.dumps(asked(new_id(), inventory=inventory(PACKAGE))).encode().replace(b"jinja2", b"jinja\xff")
    code, told = hand_in(service, key, raw)
    assert (code, told["reason"]) == (400, "CANNOT_PARSE")


def test_a_document_of_nothing_but_brackets_costs_its_child_and_not_the_service(service, key):
    large = json.dumps(asked(new_id(), inventory=inventory())).encode()
    bomb = large.replace(b'"packages": []', b'"packages": [' + b"[]," * 9_000_000 + b"[]]")
    before = _resident(service)
    code, told = hand_in(service, key, gzip.compress(bomb), GZIP)
    assert (code, told["type"], told["reason"]) == (400, "ValidationException", "CANNOT_PARSE")
    assert _resident(service) - before < 256 << 20
    assert hand_in(service, key, asked(new_id(), inventory=inventory()))[0] == 200


def test_scan_sbom_is_read_by_a_child_too(service, admin):
    found = {"type": "library", "name": "jinja2", "version": "2.10", "purl": "pkg:pypi/jinja2@2.10"}
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [found]}
    with client(service, admin, "inspector-scan") as scanner:
        answer = scanner.scan_sbom(sbom=bill, outputFormat="INSPECTOR")
        assert "CVE-2019-10906" in {each["id"] for each in answer["sbom"]["vulnerabilities"]}
        with pytest.raises(scanner.exceptions.ValidationException, match="more than 1,000,000 values"):
            scanner.scan_sbom(sbom=bill | {"x": [0] * 1_000_001})


def test_the_audit_log_tells_of_the_resource_and_not_of_the_document(service, key):
    from openinspector.store.database import connect_embedded
    from openinspector.store.embedded import start

    identity = new_id()
    assert hand_in(service, key, asked(identity, inventory=inventory(PACKAGE)))[0] == 200
    with start(service.folder / "data") as server, connect_embedded(server) as found, found.system() as connection:
        rows = connection.exec_driver_sql(
            "SELECT outcome, key_id, parameters::text FROM openinspector.audit WHERE operation = 'Ingest'"
        ).all()
    (told,) = [row for row in rows if identity in row[2]]
    assert (told[0], told[1]) == ("done", key.id)
    assert "jinja2" not in told[2]
    assert "bytes)" in told[2]


def _resident(service: Served) -> int:
    """Bytes of memory of the service's processes, their greatest."""
    found = 0
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().split(b"\0")
            if b"serve" in words and service.address.rpartition(":")[2].encode() in words:
                peak = (each.parent / "status").read_text().partition("VmHWM:")[2].split()[0]
                found = max(found, int(peak) << 10)
        except (OSError, IndexError):
            continue
    return found


# The command


def test_the_command_says_what_to_do(service, key, tree, tmp_path):
    there = ("--endpoint", service.address, "--id", new_id())
    for arguments, said in (
        ((f"dir:{tree}", "--id", "i-01234567"), "--account ID"),
        ((*there,), "one of TARGET, --sbom FILE and --inventory FILE"),
        ((f"dir:{tree}", *there, "--sbom", "x"), "one of TARGET"),
        ((f"dir:{tree}", *there), "there are no credentials"),
        ((f"dir:{tree}", "--endpoint", "http://inspector.example", "--id", "i-01234567"), "--plain-http"),
        ((f"dir:{tree}", "--endpoint", "inspector.example", "--id", "i-01234567"), "https://HOST"),
        (("--inventory", tmp_path / "none", *there), "there is no file"),
        ((f"dir:{tree}", *there, "--ca-bundle", tmp_path / "none"), "certificates"),
        ((f"dir:{tree}", *there, "--tag", "x"), "is no tag"),
    ):
        words = () if "credentials" in said else (key,)
        done = command(service, *arguments, key=words[0] if words else None)
        assert done.returncode == 2, (arguments, done.stderr)
        assert said in done.stderr, (arguments, done.stderr)
        assert "Traceback" not in done.stderr


def test_the_command_tells_what_the_service_says(service, key, tree, tmp_path):
    there = (f"dir:{tree}", "--endpoint", service.address, "--id", new_id())
    done = command(service, *there, key=Key(key.id, "wrong", OURS))
    assert done.returncode == 3
    assert "InvalidSignatureException" in done.stderr
    assert "clock" in done.stderr
    done = command(service, *there, key=key_of(service, role="reader"))
    assert "role ingest" in done.stderr
    done = command(service, *there, "--account", THEIRS, key=key)
    assert "AccessDeniedException" in done.stderr
    done = command(service, f"dir:{tree}", "--endpoint", service.address, "--id", "web-1.example", key=key)
    assert "i- and 8 or 17" in done.stderr
    (tmp_path / "sbom.json").write_text(bills.cyclonedx_json())
    done = command(service, "--sbom", tmp_path / "sbom.json", *there[1:], "--tag", "team=web", key=key)
    assert done.returncode == 0, done.stderr
    assert "opened" in done.stdout


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of loopback, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    folder.chmod(0o755)
    return folder


def test_the_command_trusts_whom_it_is_told_to(service, key, tree, certificate):
    import ssl
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append((self.path, self.rfile.read(int(self.headers["Content-Length"])), self.headers))
            body = json.dumps({"status": "whole", "opened": 1, "problems": 0, "superseded": False}).encode()
            busy = len(seen) == 1
            self.send_response(429 if busy else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    there = (f"dir:{tree}", "--endpoint", f"https://127.0.0.1:{server.server_port}/", "--id", "i-01234567")
    try:
        done = command(service, *there, key=key)
        assert done.returncode == 3
        assert "is not who it should be" in done.stderr
        assert seen == []
        done = command(service, *there, "--ca-bundle", certificate / "cert.pem", key=key)
        assert done.stdout == "i-01234567: 1 opened\n", done.stderr
        assert len(seen) == 2  # it was busy once
        sent = json.loads(gzip.decompress(seen[1][1]))
        assert sent["resource"]["id"] == "i-01234567"
        assert seen[1][0] == "/ingest"
        done = command(service, *there, key=key, AWS_CA_BUNDLE=str(certificate / "cert.pem"))
        assert done.returncode == 0, done.stderr
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_nothing_of_all_this_was_unforeseen(service):
    assert "Traceback" not in service.log()
    assert '"unforeseen"' not in service.log()
