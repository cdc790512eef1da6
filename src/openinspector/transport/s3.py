"""A bucket of S3, its objects encrypted with a key of KMS.

An object is sent in parts while it is made, and is seen when the last one has arrived. Of what is half-sent nothing is
seen; it is given up where the object can't be finished.

Source: S3's API reference (CreateMultipartUpload, HeadBucket, error codes); KMS's (DescribeKey); Inspector's user
guide, "Exporting findings reports" (what a bucket's and a key's policies have to allow).
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

from openinspector.errors import DestinationError
from openinspector.transport.aws import Endpoint, client

PART: Final = 16 << 20  # bytes; an upload has 10,000 parts at most, so 160 GiB fit

LOG: Final = logging.getLogger("openinspector.reports")
_GONE: Final = frozenset("NoSuchBucket NotFound 404".split())
_ELSEWHERE: Final = frozenset(
    "PermanentRedirect TemporaryRedirect AuthorizationHeaderMalformed IllegalLocationConstraintException 301".split()
)
_DENIED: Final = frozenset(
    "AccessDenied AccessDeniedException AllAccessDisabled AccountProblem ExpiredToken Forbidden InvalidAccessKeyId"
    " InvalidToken InvalidSecurity NotSignedUp SignatureDoesNotMatch UnrecognizedClientException 403".split()
)


class Bucket:
    """A bucket, and the key that its objects are encrypted with. `owner` is whose it has to be, "" for anybody's."""

    def __init__(self, endpoint: Endpoint, name: str, key_arn: str, owner: str = "") -> None:
        self._endpoint = endpoint
        self._name = name
        self._key_arn = key_arn
        self._owner = {"ExpectedBucketOwner": owner} if owner else {}
        self._s3 = client("s3", endpoint)

    def close(self) -> None:
        """Lets go of connections."""
        self._s3.close()

    def check(self) -> None:
        """Where the bucket is, and what the key is, as far as this caller may know.

        Raises:
            DestinationError: There is no such bucket, it is in another region, or the key is none that S3 takes.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._s3.head_bucket(Bucket=self._name)
        except ClientError as error:
            answer = error.response
            if _code(answer) in _GONE:
                raise DestinationError("BUCKET_NOT_FOUND", f"There is no bucket {self._name}.") from error
        except BotoCoreError as error:
            raise _refused(error, self._name) from error
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        region = headers.get("x-amz-bucket-region") or self._endpoint.region  # said even to those who may not look
        if region != self._endpoint.region:
            raise DestinationError(
                "INCOMPATIBLE_BUCKET_REGION",
                f"The bucket {self._name} is in {region}, and has to be in {self._endpoint.region}.",
            )
        self._check_key()

    def _check_key(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        kms = client("kms", self._endpoint)
        try:
            about = kms.describe_key(KeyId=self._key_arn)["KeyMetadata"]
        except ClientError as error:
            if _code(error.response) in ("NotFoundException", "InvalidArnException"):
                raise _wrong_key(f"There is no KMS key {self._key_arn}.") from error
            return  # who may not look at it may still encrypt with it: S3 will tell
        except BotoCoreError:
            return
        finally:
            kms.close()
        if about.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT" or about.get("KeyUsage") not in (
            None,
            "ENCRYPT_DECRYPT",
        ):
            raise _wrong_key(f"The KMS key {self._key_arn} is no symmetric encryption key.")
        if about.get("KeyManager") == "AWS":
            raise _wrong_key(f"The KMS key {self._key_arn} is AWS's own: it has to be one that you manage.")
        if about.get("KeyState", "Enabled") != "Enabled":
            raise _wrong_key(f"The KMS key {self._key_arn} is not enabled.")

    def write(self, key: str, content_type: str, parts: Iterable[bytes], begun: Callable[[str], None]) -> None:
        """Sends an object while its parts come in (see destination.py).

        Raises:
            DestinationError: S3 doesn't take it.
        """
        from boto3.exceptions import Boto3Error
        from boto3.s3.transfer import TransferConfig
        from botocore.exceptions import BotoCoreError, ClientError

        def note(parsed: dict[str, Any], **_more: Any) -> None:
            if "UploadId" in parsed:
                begun(parsed["UploadId"])

        # No threads: one part in memory, and what the parts raise is raised here.
        config = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, use_threads=False)
        extra = {
            "ContentType": content_type,
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": self._key_arn,
            **self._owner,
        }
        events = self._s3.meta.events
        events.register("after-call.s3.CreateMultipartUpload", note, unique_id="begun")
        try:
            self._s3.upload_fileobj(_Stream(parts), self._name, key, ExtraArgs=extra, Config=config)
        except (BotoCoreError, Boto3Error, ClientError) as error:
            raise _refused(error, self._name) from error
        finally:
            events.unregister("after-call.s3.CreateMultipartUpload", unique_id="begun")

    def discard(self, key: str, name: str) -> None:
        """Gives up an upload that somebody began."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._s3.abort_multipart_upload(Bucket=self._name, Key=key, UploadId=name, **self._owner)
        except (BotoCoreError, ClientError) as error:
            LOG.info("an upload that was left is not there or can't be given up: %s", error)


class _Stream:
    """Parts as a file that is read from the beginning to the end."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._held = bytearray()

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end alone."""
        while size < 0 or len(self._held) < size:
            part = next(self._parts, None)
            if part is None:
                size = len(self._held)
                break
            self._held += part
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken


def _refused(error: Exception, bucket: str) -> DestinationError:
    """What an exception of the library's means, in the service's word."""
    from botocore.exceptions import ClientError, NoCredentialsError, PartialCredentialsError

    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return DestinationError("INVALID_PERMISSIONS", "The service has no credentials of AWS to write with.")
    if not isinstance(error, ClientError):
        return DestinationError("INTERNAL_ERROR", f"The bucket {bucket} can't be reached: {error}")
    code = _code(error.response)
    said = error.response.get("Error", {}).get("Message") or code
    if code in _GONE:
        return DestinationError("BUCKET_NOT_FOUND", f"There is no bucket {bucket}.")
    if code in _ELSEWHERE:
        return DestinationError("INCOMPATIBLE_BUCKET_REGION", f"The bucket {bucket} is in another Region: {said}")
    if code.startswith("KMS.") or (code == "InvalidArgument" and "KMS" in said):
        if "AccessDenied" in code:
            return DestinationError("INVALID_PERMISSIONS", f"The KMS key may not be used: {said}")
        return _wrong_key(f"S3 can't encrypt with the KMS key: {said}")
    if code in _DENIED:
        return DestinationError("INVALID_PERMISSIONS", f"The bucket {bucket} may not be written to: {said}")
    return DestinationError("INTERNAL_ERROR", f"The bucket {bucket} doesn't take the report: {code}: {said}")


def _wrong_key(message: str) -> DestinationError:
    return DestinationError("MALFORMED_KMS_KEY", message)


def _code(response: Any) -> str:
    return str(response.get("Error", {}).get("Code", ""))
