"""Real boto3 clients against a real server."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from tests.unit.api.server import ACCOUNT, client_of, service_of, serving
from tests.unit.api.shape_values import INSPECTOR, maximal, minimal
from tests.unit.api.wire import OPERATIONS, opened

from openinspector.api import errors
from openinspector.api.model import operations

FILTER = f"{INSPECTOR}:owner/{ACCOUNT}/filter/0123456789abcdef"
SEEN: dict[str, dict] = {}

FAILURES = {
    "ValidationException": errors.ValidationFailed(
        "No.", reason="FIELD_VALIDATION_FAILED", fields=(errors.Field("a.b", "too long"),)
    ),
    "AccessDeniedException": errors.AccessDenied("Invoking account does not have access."),
    "ResourceNotFoundException": errors.ResourceNotFound("Gone."),
    "ConflictException": errors.Conflict("Already.", resource_id="r-1", resource_type="FILTER"),
    "ServiceQuotaExceededException": errors.QuotaExceeded("Full.", resource_id="r-1"),
    "BadRequestException": errors.BadRequest("Taken."),
    "ThrottlingException": errors.Throttled("Slower.", retry_after=7),
    "InternalServerException": errors.Internal("Ours.", retry_after=3),
}


def record(name):
    def handle(context, given):
        assert context.operation.name == name
        SEEN[name] = opened(given)
        return maximal(context.operation.output)

    return handle


def fail(_context, given):
    raise FAILURES[given["findingArns"][0]]


def pages(context, given):
    page = context.page(given)
    start = page.after[0] if page.after else 0
    rows = [{"accountId": f"{number:012}", "relationshipStatus": "ENABLED"} for number in range(start, 7)]
    more = len(rows) > page.size
    return {
        "members": rows[: page.size],
        "nextToken": page.token((start + page.size,)) if more else None,
    }


@pytest.fixture(scope="module")
def address():
    handlers = {name: record(name) for name in operations()}
    handlers["ListMembers"] = pages
    with serving(service_of(handlers)) as where:
        yield where


@pytest.fixture(scope="module")
def inspector(address):
    client = client_of(address)
    yield client
    client.close()


@pytest.fixture(scope="module")
def scanner(address):
    client = client_of(address, "inspector-scan")
    yield client
    client.close()


def called(client, operation, params):
    from botocore import xform_name

    return getattr(client, xform_name(operation.name))(**params)


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.name != "ListMembers"], ids=lambda o: o.name)
def test_every_operation_there_and_back(operation, inspector, scanner):
    client = scanner if operation.service == "inspector-scan" else inspector
    params = maximal(operation.input)
    output = called(client, operation, params)
    metadata = output.pop("ResponseMetadata")
    assert SEEN[operation.name] == params
    assert output == maximal(operation.output)
    assert metadata["HTTPStatusCode"] == operation.status
    assert len(metadata["RequestId"]) == 36


def test_idempotency_tokens_that_the_client_makes_arrive(inspector):
    inspector.enable(resourceTypes=["EC2"])
    assert len(SEEN["Enable"]["clientToken"]) == 36


def test_machine_images_arrive_though_the_client_does_not_know_them(inspector):
    inspector.disable(resourceTypes=["MACHINE_IMAGE"])
    assert SEEN["Disable"] == {"resourceTypes": ["MACHINE_IMAGE"]}


def test_an_arn_in_the_path_arrives_whole(inspector):
    inspector.untag_resource(resourceArn=FILTER, tagKeys=["a/b", "c"])
    assert SEEN["UntagResource"] == {"resourceArn": FILTER, "tagKeys": ["a/b", "c"]}


def test_a_paginator_reads_every_page(inspector):
    found = inspector.get_paginator("list_members").paginate(PaginationConfig={"PageSize": 3})
    assert [[member["accountId"][-1] for member in page["members"]] for page in found] == [
        ["0", "1", "2"],
        ["3", "4", "5"],
        ["6"],
    ]


def test_a_token_for_other_criteria_is_refused(inspector):
    token = inspector.list_members(maxResults=2)["nextToken"]
    with pytest.raises(inspector.exceptions.ValidationException) as raised:
        inspector.list_members(onlyAssociated=True, nextToken=token)
    assert [field["name"] for field in raised.value.response["fields"]] == ["nextToken"]


def test_what_the_client_does_not_check_the_server_does(inspector):
    with pytest.raises(inspector.exceptions.ValidationException) as raised:
        inspector.list_findings(filterCriteria={"severity": [{"comparison": "LIKE", "value": "HIGH"}]})
    response = raised.value.response
    assert response["reason"] == "FIELD_VALIDATION_FAILED"
    assert [field["name"] for field in response["fields"]] == ["filterCriteria.severity.1.member.comparison"]
    assert response["Error"]["Message"].startswith("1 validation error detected: Value 'LIKE' at ")


def test_a_body_larger_than_allowed_is_refused_before_it_is_read(inspector, scanner):
    large = {"x": "a" * (2 << 20)}
    assert scanner.scan_sbom(sbom=large)["sbom"]
    assert SEEN["ScanSbom"] == {"sbom": large}
    with pytest.raises(scanner.exceptions.ValidationException) as raised:
        scanner.scan_sbom(sbom={"x": "a" * (11 << 20)})
    assert raised.value.response["reason"] == "CANNOT_PARSE"
    with pytest.raises(inspector.exceptions.ValidationException):
        inspector.list_members(nextToken="a" * (1 << 20))


def test_many_clients_at_once_get_each_their_own():
    def echo(_context, given):
        return {"member": {"accountId": given["accountId"]}}

    def one(number):
        client = client_of(where)
        try:
            return int(client.get_member(accountId=f"{number:012}")["member"]["accountId"])
        finally:
            client.close()

    with serving(service_of({"GetMember": echo})) as where, ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(12))) == list(range(12))


@pytest.fixture(scope="module")
def failing():
    with serving(service_of({"BatchGetCodeSnippet": fail, "BatchGetFindingDetails": fail})) as where:
        client = client_of(where)
        yield client
        client.close()


ARN = f"{INSPECTOR}:finding/{'0a' * 16}"


@pytest.mark.parametrize("code", FAILURES)
def test_every_error_reaches_the_client_as_its_own_class(code, failing, monkeypatch):
    monkeypatch.setitem(FAILURES, ARN, FAILURES[code])
    error = FAILURES[code]
    with pytest.raises(getattr(failing.exceptions, code)) as raised:
        failing.batch_get_finding_details(findingArns=[ARN])
    response = raised.value.response
    assert response["Error"] == {"Message": error.message, "Code": code}
    members = {name: value for name, value in error.members().items() if name != "message"}
    if code == "InternalServerException":
        del members["reason"]  # inspector-scan alone has it
    assert {name: response[name] for name in members} == members
    assert response["ResponseMetadata"]["HTTPStatusCode"] == operations()["Enable"].errors[code].status
    if "retryAfterSeconds" in members:
        assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == str(members["retryAfterSeconds"])


def test_the_scanner_says_why_it_failed():
    def broken(_context, _given):
        raise errors.Internal("No.", cause="FAILED_TO_GENERATE_SBOM")

    def unsupported(_context, _given):
        raise errors.ValidationFailed("CycloneDX only.", reason="UNSUPPORTED_SBOM_TYPE")

    for handler, code, reason in (
        (broken, "InternalServerException", "FAILED_TO_GENERATE_SBOM"),
        (unsupported, "ValidationException", "UNSUPPORTED_SBOM_TYPE"),
    ):
        with serving(service_of({"ScanSbom": handler})) as where:
            client = client_of(where, "inspector-scan")
            with pytest.raises(getattr(client.exceptions, code)) as raised:
                client.scan_sbom(sbom={})
            client.close()
            assert raised.value.response["reason"] == reason


def test_an_operation_without_a_handler_says_so_once():
    with serving(service_of({}, declined={"Enable": "Another time."})) as where:
        client = client_of(where)
        with pytest.raises(client.exceptions.ValidationException) as raised:
            client.enable(resourceTypes=["EC2"])
        message = "Enable is not offered by this version of openinspector. Another time."
        assert raised.value.response["Error"]["Message"] == message
        with pytest.raises(client.exceptions.AccessDeniedException) as denied:
            client.get_ec2_deep_inspection_configuration()  # no ValidationException in its model
        assert "newer than this version" in denied.value.response["Error"]["Message"]
        client.close()


def test_somebody_unknown_is_told_so():
    class Nobody:
        def authenticate(self, request):
            raise errors.NotAuthenticated("UnrecognizedClientException", "The security token is invalid.")

    with serving(service_of({}, Nobody())) as where:
        client = client_of(where)
        with pytest.raises(ClientError) as raised:
            client.list_findings()
        client.close()
    assert raised.value.response["Error"] == {
        "Code": "UnrecognizedClientException",
        "Message": "The security token is invalid.",
    }
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_minimal_input_is_enough(inspector):
    for name in ("ListFindings", "ListCoverage", "GetConfiguration"):
        called(inspector, operations()[name], minimal(operations()[name].input))
        assert SEEN[name] == {}
