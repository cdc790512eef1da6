"""Every request that boto3 makes for the two services is verified, and only as what it is."""

import hashlib
from datetime import UTC, datetime
from urllib.parse import urlsplit

import boto3
import botocore.loaders
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.model import ServiceModel

from openinspector.api.sigv4 import SignatureRefused, SignedRequest, verify

KEY_ID = "OIAK0123456789ABCDEF"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ARN = "arn:aws:inspector2:eu-west-1:123456789012:owner/123456789012/filter/0123 456~ü"


def models():
    loader = botocore.loaders.Loader()
    for service in ("inspector2", "inspector-scan"):
        yield service, ServiceModel(loader.load_service_model(service, "service-2"), service)


OPERATIONS = [(service, name) for service, model in models() for name in model.operation_names]
MODELS = dict(models())


def sample(shape, depth=0):
    """Something of a shape: required members only, and texts that have to be encoded."""
    match shape.type_name:
        case "structure":
            if shape.metadata.get("union") or getattr(shape, "is_tagged_union", False):
                name, member = next(iter(shape.members.items()))
                return {name: sample(member, depth + 1)}
            return {name: sample(shape.members[name], depth + 1) for name in shape.required_members}
        case "list":
            return [sample(shape.member, depth + 1), sample(shape.member, depth + 1)]
        case "map":
            return {"a key": sample(shape.value, depth + 1)}
        case "string":
            return shape.enum[0] if shape.enum else ARN
        case "integer" | "long":
            return 1
        case "float" | "double":
            return 1.5
        case "boolean":
            return True
        case "timestamp":
            return datetime(2026, 1, 31, tzinfo=UTC)
        case "blob":
            return b"\x00\xff"
    return {"a": [1]}  # a document


def client_of(service, **named):
    session = boto3.session.Session(KEY_ID, SECRET, region_name="eu-west-1", **named)
    return session.client(
        service,
        endpoint_url="http://127.0.0.1:8080",
        config=Config(parameter_validation=False, retries={"max_attempts": 0}),
    )


@pytest.fixture(scope="module")
def clients():
    return {service: client_of(service) for service in MODELS}


def captured(client, operation, given):
    """What the client would have put on the wire."""
    caught = []

    class Raw:
        def stream(self):
            yield b"{}"

    def keep(request, **_):
        caught.append(request)
        return AWSResponse(request.url, 200, {}, Raw())

    client.meta.events.register_first("before-send", keep)
    try:
        client._make_api_call(operation, given)
    finally:
        client.meta.events.unregister("before-send", keep)
    [request] = caught
    url = urlsplit(request.url)
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    headers = [
        (name.encode(), value if isinstance(value, bytes) else str(value).encode())
        for name, value in request.headers.items()
    ]
    return SignedRequest(
        method=request.method,
        path=url.path.encode("ascii"),
        query=url.query.encode("ascii"),
        headers=[(b"Host", url.netloc.encode()), *headers],
        body_sha256=hashlib.sha256(body).hexdigest(),
    )


def moment_of(request):
    stamp = next(value for name, value in request.headers if name.lower() == b"x-amz-date")
    return datetime.strptime(stamp.decode(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_every_operation_as_boto3_sends_it_is_verified(clients, service, operation):
    shape = MODELS[service].operation_model(operation).input_shape
    request = captured(clients[service], operation, sample(shape) if shape else {})
    verified = verify(request, lambda _: SECRET.encode(), moment_of(request), regions=["eu-west-1"])
    assert (verified.key_id, verified.service) == (KEY_ID, service)
    with pytest.raises(SignatureRefused):
        verify(request, lambda _: SECRET.encode(), moment_of(request), regions=["us-east-1"])
    with pytest.raises(SignatureRefused):
        verify(request, lambda _: SECRET[::-1].encode(), moment_of(request), regions=["eu-west-1"])


def test_a_client_with_a_session_token_signs_it():
    client = client_of("inspector2", aws_session_token="to/ken+=")
    request = captured(client, "ListFindings", {"maxResults": 5})
    verified = verify(
        request,
        lambda _: None,
        moment_of(request),
        regions=["eu-west-1"],
        session_secret_of=lambda key_id, token: SECRET.encode() if (key_id, token) == (KEY_ID, "to/ken+=") else None,
    )
    assert verified.session_token == "to/ken+="


def test_a_url_that_boto3_presigned_is_verified(clients):
    url = urlsplit(clients["inspector2"].generate_presigned_url("list_tags_for_resource", {"resourceArn": ARN}))
    stamp = next(part[11:] for part in url.query.split("&") if part.startswith("X-Amz-Date="))
    request = SignedRequest(
        method="GET",
        path=url.path.encode(),
        query=url.query.encode(),
        headers=[(b"host", url.netloc.encode())],
        body_sha256=hashlib.sha256(b"").hexdigest(),
    )
    now = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert verify(request, lambda _: SECRET.encode(), now, regions=["eu-west-1"]).is_presigned
