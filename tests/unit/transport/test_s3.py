"""What errors of S3 and KMS mean in the service's words; the calls themselves: tests/chores/test_reports.py."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from openinspector.transport.s3 import _refused, _Stream


def error(code, message=""):
    return ClientError({"Error": {"Code": code, "Message": message}}, "PutObject")


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (error("NoSuchBucket"), "BUCKET_NOT_FOUND"),
        (error("404"), "BUCKET_NOT_FOUND"),
        (error("AccessDenied"), "INVALID_PERMISSIONS"),
        (error("403"), "INVALID_PERMISSIONS"),
        (error("InvalidAccessKeyId"), "INVALID_PERMISSIONS"),
        (error("ExpiredToken"), "INVALID_PERMISSIONS"),
        (NoCredentialsError(), "INVALID_PERMISSIONS"),
        (error("PermanentRedirect"), "INCOMPATIBLE_BUCKET_REGION"),
        (error("AuthorizationHeaderMalformed"), "INCOMPATIBLE_BUCKET_REGION"),
        (error("KMS.NotFoundException"), "MALFORMED_KMS_KEY"),
        (error("KMS.DisabledException"), "MALFORMED_KMS_KEY"),
        (error("KMS.KMSInvalidStateException"), "MALFORMED_KMS_KEY"),
        (error("KMS.AccessDeniedException"), "INVALID_PERMISSIONS"),
        (error("InvalidArgument", "Invalid KMS ARN"), "MALFORMED_KMS_KEY"),
        (error("InvalidArgument", "Part number"), "INTERNAL_ERROR"),
        (error("SlowDown"), "INTERNAL_ERROR"),
        (error("InternalError"), "INTERNAL_ERROR"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), "INTERNAL_ERROR"),
    ],
)
def test_errors_have_the_services_words(raised, code):
    assert _refused(raised, "ours").code == code


def test_parts_of_any_size_are_read_as_one_stream():
    stream = _Stream(iter([b"", b"abc", b"", b"defgh", b"i"]))
    assert [stream.read(2), stream.read(4), stream.read(0), stream.read(10), stream.read(10)] == [
        *(b"ab", b"cdef", b"", b"ghi", b""),
    ]
    assert _Stream([b"ab", b"c"]).read() == b"abc"
