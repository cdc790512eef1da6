"""Where a report goes, in a request and in an answer."""

from collections.abc import Mapping
from typing import Any

import msgspec

from openinspector.api.context import Context
from openinspector.api.errors import field_failed
from openinspector.model.report import Destination
from openinspector.pipeline.reports import unfit


def destination_of(context: Context, given: Mapping[str, Any]) -> Destination:
    """The destination of a request.

    Raises:
        ValidationFailed: A member can't be right, whatever is there.
    """
    place = Destination(
        bucket_name=given["bucketName"],
        kms_key_arn=given["kmsKeyArn"],
        key_prefix=given.get("keyPrefix") or "",
        expected_bucket_owner=given.get("expectedBucketOwner") or "",
    )
    wrong = unfit(context.settings, context.region, place)
    if wrong is not None:
        member, reason = wrong
        raise field_failed(f"s3Destination.{member}", reason)
    return place


def destination_told(place: Destination) -> dict[str, Any]:
    """The destination as it was given."""
    told: dict[str, Any] = msgspec.to_builtins(place)
    return told
