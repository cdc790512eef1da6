"""Findings reports and SBOM exports: what is asked for, where it goes, and what becomes of it.

Source: Inspector's API reference (Destination, GetFindingsReportStatus); S3's user guide, "Bucket naming rules".
"""

import re
from typing import Any, Final, Literal

from msgspec import Struct

Kind = Literal["FINDINGS", "SBOM"]
Format = Literal["CSV", "JSON", "CYCLONEDX_1_4", "SPDX_2_3"]
Status = Literal["IN_PROGRESS", "SUCCEEDED", "CANCELLED", "FAILED"]
ErrorCode = Literal[
    "INTERNAL_ERROR",
    "INVALID_PERMISSIONS",
    "NO_FINDINGS_FOUND",
    "BUCKET_NOT_FOUND",
    "INCOMPATIBLE_BUCKET_REGION",
    "MALFORMED_KMS_KEY",
]

LONGEST_PREFIX: Final = 512  # bytes: S3's keys have 1024 at most, and the rest of ours has to fit
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]").fullmatch
_NUMBERS: Final = re.compile(r"\d{1,3}(\.\d{1,3}){3}").fullmatch
_KEY: Final = re.compile(r"arn:aws(?:-[a-z]+)*:kms:([a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]{1,64}").fullmatch


class Destination(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Where a report goes, in the API's words: `Destination`."""

    bucket_name: str
    kms_key_arn: str
    key_prefix: str = ""
    expected_bucket_owner: str = ""


class Report(Struct, frozen=True, kw_only=True):
    """A report that is asked for. `criteria` are the API's, as JSON has them."""

    account: str
    region: str
    id: str
    kind: Kind
    format: Format
    destination: Destination
    criteria: dict[str, Any] = {}


def unfit_destination(destination: Destination, region: str) -> tuple[str, str] | None:
    """The member that won't do for a bucket of S3 in this region, and why; None where all will."""
    wrong = _unfit_names(destination)
    if wrong is not None:
        return wrong
    key = _KEY(destination.kms_key_arn)
    if key is None:
        return (
            "kmsKeyArn",
            f"{destination.kms_key_arn!r:.200} is not the ARN of a KMS key (arn:aws:kms:<Region>:<account>:key/<id>).",
        )
    if key[1] != region:
        return "kmsKeyArn", f"The KMS key is in {key[1]}, and has to be in the Region of the findings, {region}."
    return None


def unfit_folder(destination: Destination) -> tuple[str, str] | None:
    """The member that won't do for a folder of the service's machine, and why; None where all will.

    Of the key there is nothing to say: files are not encrypted.
    """
    wrong = _unfit_names(destination)
    if wrong is not None:
        return wrong
    folders = destination.key_prefix.removesuffix("/").split("/") if destination.key_prefix else []
    if any(each in ("", ".", "..") for each in folders):
        return "keyPrefix", "keyPrefix is a path of folders: none of them is empty, a dot or two dots."
    return None


def _unfit_names(destination: Destination) -> tuple[str, str] | None:
    name, prefix = destination.bucket_name, destination.key_prefix
    if not _BUCKET(name) or ".." in name or _NUMBERS(name):
        return "bucketName", f"{name!r:.80} is no name of a bucket: 3 to 63 small letters, digits, dots and dashes."
    if len(prefix.encode("utf-8", "surrogatepass")) > LONGEST_PREFIX:
        return "keyPrefix", f"keyPrefix is longer than {LONGEST_PREFIX} bytes."
    if any(ord(each) < 0x20 or ord(each) == 0x7F or 0xD800 <= ord(each) < 0xE000 for each in prefix):
        return "keyPrefix", "keyPrefix has characters that nobody can see."
    return None


def key_below(prefix: str, name: str) -> str:
    """The key of an object: the prefix, a slash where it doesn't end in one, and the name."""
    return f"{prefix}{'' if not prefix or prefix.endswith('/') else '/'}{name}"
