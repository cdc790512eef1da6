"""Findings imported into moto's Security Hub, and what is done where the hub doesn't take them."""

import pytest
from tests.publish.messages import ACCOUNT, FUNCTION, IMAGE, REGION, kinds, message, network_finding, scanned
from tests.publish.messages import package as package_of

from openinspector.errors import PublishError, UsageError
from openinspector.pipeline.sinks import read_sinks
from openinspector.render.text import json_line
from openinspector.transport.aws import Endpoint


def sink_of(address, **more):
    (sink,) = read_sinks([{"kind": "securityhub", "name": "hub", **more}])
    return sink.kind.open(sink.settings, Endpoint(region=REGION, url=address))


@pytest.fixture
def hub(aws):
    """A hub; gives its findings by id."""
    client = aws.client("securityhub")
    client.enable_security_hub()
    return lambda: {each["Id"]: each for each in client.get_findings(MaxResults=100)["Findings"]}


def test_findings_of_every_kind_of_resource_are_imported(aws, hub):
    told = [
        message(1),
        message(2, IMAGE),
        message(3, FUNCTION),
        message(4, known=network_finding()),
        scanned(5),
    ]
    sink = sink_of(aws.address)
    assert kinds(sink.send(told)) == ["sent"] * 5
    sink.close()
    found = hub()
    assert set(found) == {each.finding.arn for each in told[:4]}  # a scan is no finding
    types = [found[each.finding.arn]["Resources"][0]["Type"] for each in told[:4]]
    assert types == ["AwsEc2Instance", "AwsEcrContainerImage", "AwsLambdaFunction", "AwsEc2Instance"]
    first = found[told[0].finding.arn]
    assert first["ProductArn"] == f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"
    assert first["ProductFields"]["openinspector/eventId"] == told[0].id
    assert (first["RecordState"], first["Workflow"]) == ("ACTIVE", {"Status": "NEW"})


@pytest.mark.parametrize("status", ["CLOSED", "SUPPRESSED"])
def test_what_is_closed_or_hidden_is_archived_and_nobodys_work_is_touched(aws, hub, status):
    sink = sink_of(aws.address)
    list(sink.send([message(1)]))
    list(sink.send([message(1, status=status)]))
    sink.close()
    (found,) = hub().values()
    assert (found["RecordState"], found["Workflow"]) == ("ARCHIVED", {"Status": "NEW"})


class Hub:
    """Stands for boto3's client."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    def batch_import_findings(self, Findings):  # noqa: N803  as boto3 names it
        self.calls.append(Findings)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        pass


ALL_TAKEN = {"FailedCount": 0, "SuccessCount": 1}


@pytest.fixture
def import_into(monkeypatch):
    def put(hub, told, **more):
        sink = sink_of("", **more)
        monkeypatch.setattr(sink._clients, "of", lambda owner: hub)
        return list(sink.send(told))

    return put


def failed(told, code):
    entry = {"Id": told.finding.arn, "ErrorCode": code, "ErrorMessage": "no"}
    return {"FailedCount": 1, "SuccessCount": 1, "FailedFindings": [entry]}


@pytest.mark.parametrize(
    ("code", "outcome"), [("InvalidInput", "refused"), ("InternalError", "later"), ("Concurrent", "later")]
)
def test_only_what_failed_was_not_sent(import_into, code, outcome):
    told = [message(1), message(2)]
    assert kinds(import_into(Hub(failed(told[1], code)), told)) == ["sent", outcome]


def test_a_failure_that_names_no_finding_may_be_of_any(import_into):
    assert kinds(import_into(Hub({"FailedCount": 1, "SuccessCount": 1}), [message(1), message(2)])) == ["later"] * 2


def test_a_call_that_is_refused_as_a_whole_is_taken_apart(import_into):
    hub = Hub(client_error("InvalidInputException"), ALL_TAKEN, client_error("InvalidInputException"))
    assert kinds(import_into(hub, [message(1), message(2)])) == ["sent", "refused"]


@pytest.mark.parametrize("code", ["InvalidAccessException", "LimitExceededException", "InternalException"])
def test_who_is_not_let_in_sends_no_more(import_into, code):
    with pytest.raises(PublishError, match=f"BatchImportFindings: {code}: no"):
        import_into(Hub(client_error(code)), [message(1), message(2)])


def client_error(code):
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": "no"}}, "BatchImportFindings")


def test_a_call_is_as_large_as_the_hub_takes_and_a_finding_too(import_into):
    large = [
        message(number, packages=[package_of("y" * 900) for _ in range(400)], references=["https://example.org/1"])
        for number in range(60)
    ]
    hub = Hub(ALL_TAKEN)
    assert kinds(import_into(hub, large)) == ["sent"] * 60
    assert len(hub.calls) > 1
    for call in hub.calls:
        assert len(json_line(call).encode()) < 6_000_000
        for each in call:
            assert len(json_line(each).encode()) < 240_000
            assert len(each["Vulnerabilities"][0]["VulnerablePackages"]) > 50


def test_a_product_of_ones_own_is_named_with_the_findings_region_and_account(import_into):
    hub = Hub(ALL_TAKEN)
    import_into(hub, [message(1)], product_arn="arn:aws:securityhub:{region}::product/aws/inspector")
    assert hub.calls[0][0]["ProductArn"] == f"arn:aws:securityhub:{REGION}::product/aws/inspector"


@pytest.mark.parametrize("product", ["arn:aws:{0}", "arn:aws:{nonsense}", "arn:aws:{", "inspector"])
def test_settings_that_make_no_sense_are_said_when_they_are_read(product):
    with pytest.raises(UsageError, match="product_arn"):
        read_sinks([{"kind": "securityhub", "name": "hub", "product_arn": product}])


def test_events_without_a_finding_need_no_call(import_into):
    hub = Hub(ALL_TAKEN)
    assert kinds(import_into(hub, [scanned(1), scanned(2, IMAGE)])) == ["sent", "sent"]
    assert hub.calls == []
