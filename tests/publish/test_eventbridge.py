"""Events put on a bus of moto's, and what is done where the bus doesn't take them."""

import json

import pytest
from tests.publish.messages import ACCOUNT, HOST, REGION, kinds, message, package, scanned

from openinspector.errors import PublishError, UsageError
from openinspector.pipeline.sinks import read_sinks
from openinspector.transport.aws import Endpoint


def sink_of(address, **more):
    (sink,) = read_sinks([{"kind": "eventbridge", "name": "bus", **more}])
    return sink.kind.open(sink.settings, Endpoint(region=REGION, url=address))


@pytest.fixture
def bus(aws):
    """A bus whose events come to a queue; reads them."""
    queues, events = aws.client("sqs"), aws.client("events")
    queue = queues.create_queue(QueueName="seen")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.create_event_bus(Name="ours")
    events.put_rule(Name="all", EventBusName="ours", EventPattern='{"source": ["openinspector"]}')
    events.put_targets(Rule="all", EventBusName="ours", Targets=[{"Id": "queue", "Arn": arn}])

    def seen():
        found = []
        while got := queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for each in got:
                found.append(json.loads(each["Body"]))
                queues.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
        return found

    return seen


def test_events_come_to_the_targets_of_a_bus(aws, bus):
    told = [message(1), scanned(2)]
    sink = sink_of(aws.address, event_bus="ours")
    assert kinds(sink.send(told)) == ["sent", "sent"]
    sink.close()
    first, second = sorted(bus(), key=lambda each: each["detail"]["openinspector"]["eventId"])
    assert first["detail-type"] == "Inspector2 Finding"
    assert first["source"] == "openinspector"
    assert first["resources"] == [HOST.id]
    assert first["detail"]["openinspector"] == {"eventId": told[0].id, "account": ACCOUNT, "region": REGION}
    assert first["detail"]["findingArn"] == told[0].finding.arn
    assert first["time"] == "2026-03-02T10:15:30Z"
    assert second["detail-type"] == "Inspector2 Scan"
    assert second["detail"]["finding-severity-counts"]["HIGH"] == 1


def test_a_hundred_events_go_ten_at_a_time(aws, bus):
    sink = sink_of(aws.address, event_bus="ours")
    assert sink.most == 10
    for first in range(0, 40, 10):
        assert kinds(sink.send([message(number) for number in range(first, first + 10)])) == ["sent"] * 10
    sink.close()
    assert len({each["detail"]["openinspector"]["eventId"] for each in bus()}) == 40


class Bus:
    """Stands for boto3's client: `answers` are those to its calls, the last one to all that follow."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    def put_events(self, Entries):  # noqa: N803  as boto3 names it
        self.calls.append(Entries)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {"Entries": answer(Entries) if callable(answer) else answer}

    def close(self):
        pass


def all_taken(entries):
    return [{"EventId": "x"} for _ in entries]


@pytest.fixture
def put_on(monkeypatch):
    """Sends to a stand-in: put_on(bus, messages, …settings)."""

    def put(bus, told, **more):
        sink = sink_of("", **more)
        monkeypatch.setattr(sink._clients, "of", lambda owner: bus)
        return list(sink.send(told))

    return put


def test_what_failed_in_a_call_is_tried_once_more_by_itself(put_on):
    failed = [{"EventId": "x"}, {"ErrorCode": "InternalFailure", "ErrorMessage": "no"}, {"EventId": "y"}]
    bus = Bus(failed, all_taken)
    assert kinds(put_on(bus, [message(1), message(2), message(3)])) == ["sent"] * 3
    assert [len(each) for each in bus.calls] == [3, 1]
    assert bus.calls[1] == [bus.calls[0][1]]


def test_what_fails_again_is_for_later(put_on):
    bus = Bus([{"EventId": "x"}, {"ErrorCode": "ThrottlingException"}], [{"ErrorCode": "ThrottlingException"}])
    assert kinds(put_on(bus, [message(1), message(2)])) == ["sent", "later"]


def test_what_a_bus_will_never_take_is_refused(put_on):
    bus = Bus([{"EventId": "x"}, {"ErrorCode": "MalformedDetail", "ErrorMessage": "no"}])
    assert kinds(put_on(bus, [message(1), message(2)])) == ["sent", "refused"]
    assert len(bus.calls) == 1


def test_a_call_that_is_refused_as_a_whole_is_taken_apart(put_on):
    bus = Bus(client_error("ValidationException"), all_taken, client_error("ValidationException"))
    assert kinds(put_on(bus, [message(1), message(2)])) == ["sent", "refused"]


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "ResourceNotFoundException"])
def test_who_is_not_let_in_sends_no_more(put_on, code):
    with pytest.raises(PublishError, match=f"PutEvents to default: {code}: no"):
        put_on(Bus(client_error(code)), [message(1), message(2)])


def client_error(code):
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutEvents")


def test_nobody_there_is_a_trouble_of_the_sink(aws):
    sink = sink_of("http://127.0.0.1:9")
    with pytest.raises(PublishError, match="127.0.0.1:9"):
        list(sink.send([message()]))
    sink.close()


def test_credentials_that_are_missing_are_said(aws, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for more in ({}, {"role_arn": "arn:aws:iam::{account}:role/x"}):
        sink = sink_of(aws.address, **more)
        with pytest.raises(PublishError, match="credentials"):
            list(sink.send([message()]))
        sink.close()


def test_each_account_gets_its_events_by_its_own_role(aws):
    from moto.core import DEFAULT_ACCOUNT_ID

    sink = sink_of(aws.address, role_arn="arn:aws:iam::{account}:role/sender", external_id="ours")
    assert kinds(sink.send([message(1)])) == ["sent"]
    client = sink._clients.of(ACCOUNT)
    assert client._request_signer._credentials.method == "assume-role"
    assert ACCOUNT != DEFAULT_ACCOUNT_ID
    sink.close()


def entry_size(entry):
    """As EventBridge's user guide counts."""
    texts = (entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"])
    return 14 + sum(len(each.encode()) for each in texts)


def test_an_event_that_is_too_large_is_cut_down_and_says_so(put_on):
    references = [f"https://example.org/{number}/" + "x" * 500 for number in range(100)]
    large = message(1, packages=[package(f"lib{number}-" + "y" * 500) for number in range(900)], references=references)
    bus = Bus(all_taken)
    assert kinds(put_on(bus, [large])) == ["sent"]
    (entry,) = bus.calls[0]
    detail = json.loads(entry["Detail"])
    kept = detail["packageVulnerabilityDetails"]["vulnerablePackages"]
    assert 200 << 10 < entry_size(entry) <= 256 << 10
    assert 0 < len(kept) < 900
    assert (
        kept
        == json.loads(json.dumps(large.event["detail"]))["packageVulnerabilityDetails"]["vulnerablePackages"][
            : len(kept)
        ]
    )
    assert detail["openinspector"]["leftOut"] == [
        "packageVulnerabilityDetails.referenceUrls",
        "packageVulnerabilityDetails.cvss",
        "packageVulnerabilityDetails.vulnerablePackages",
    ]
    assert detail["findingArn"] == large.finding.arn


def test_an_event_that_fits_is_left_whole(put_on):
    bus = Bus(all_taken)
    put_on(bus, [message(1)])
    detail = json.loads(bus.calls[0][0]["Detail"])
    assert "leftOut" not in detail["openinspector"]


def test_large_events_go_in_several_calls(put_on):
    large = [message(each, packages=[package("y" * 900) for _ in range(100)]) for each in range(10)]
    bus = Bus(all_taken)
    assert kinds(put_on(bus, large)) == ["sent"] * 10
    assert len(bus.calls) > 1
    for call in bus.calls:
        assert sum(map(entry_size, call)) < 1_000_000


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"source": "aws.inspector2"}, "keeps those that begin with aws"),
        ({"event_bus": "a bus"}, "neither the name nor the ARN of a bus"),
        ({"role_arn": "somebody"}, "no ARN of a role"),
        ({"endpoint_url": "127.0.0.1"}, "should begin with https"),
        ({"largest": 10}, "number of bytes from 16384"),
    ],
)
def test_settings_that_make_no_sense_are_said_when_they_are_read(more, reason):
    with pytest.raises(UsageError, match=reason):
        read_sinks([{"kind": "eventbridge", "name": "bus", **more}])


def test_what_stands_in_for_amazon_takes_its_source(aws, put_on):
    bus = Bus(all_taken)
    put_on(bus, [message(1, source="aws.inspector2")], source="aws.inspector2", endpoint_url=aws.address)
    assert bus.calls[0][0]["Source"] == "aws.inspector2"
