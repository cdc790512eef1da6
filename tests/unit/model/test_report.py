"""Destinations that can be right, and those that can't."""

import pytest

from openinspector.model.report import Destination, key_below, unfit_destination, unfit_folder

REGION = "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def to(**more):
    return Destination(**{"bucket_name": "our-reports", "kms_key_arn": KEY} | more)


@pytest.mark.parametrize(
    "fine",
    [
        {},
        {"key_prefix": "a/b"},
        {"key_prefix": "a/b/"},
        {"bucket_name": "a.b-1"},
        {"kms_key_arn": KEY.replace("1234abcd-", "mrk-1234abcd")},
    ],
)
def test_what_s3_takes_is_taken(fine):
    assert unfit_destination(to(**fine), REGION) is None
    assert unfit_folder(to(**fine)) is None


@pytest.mark.parametrize(
    ("wrong", "member", "also_folders"),
    [
        ({"bucket_name": "ab"}, "bucketName", True),
        ({"bucket_name": "A" * 3}, "bucketName", True),
        ({"bucket_name": "a" * 64}, "bucketName", True),
        ({"bucket_name": "a/b"}, "bucketName", True),
        ({"bucket_name": "abc\n"}, "bucketName", True),
        ({"bucket_name": "a..b"}, "bucketName", True),
        ({"bucket_name": "-ab"}, "bucketName", True),
        ({"bucket_name": "10.0.0.1"}, "bucketName", True),
        ({"key_prefix": "é" * 257}, "keyPrefix", True),
        ({"key_prefix": "a\x00b"}, "keyPrefix", True),
        ({"key_prefix": "\ud800"}, "keyPrefix", True),
        ({"kms_key_arn": ""}, "kmsKeyArn", False),
        ({"kms_key_arn": "1234abcd-12ab-34cd-56ef-1234567890ab"}, "kmsKeyArn", False),
        ({"kms_key_arn": KEY.replace("key/", "alias/")}, "kmsKeyArn", False),
        ({"kms_key_arn": KEY.replace(REGION, "eu-west-2")}, "kmsKeyArn", False),
        ({"kms_key_arn": KEY + "\n"}, "kmsKeyArn", False),
    ],
)
def test_what_can_not_be_right_is_named(wrong, member, also_folders):
    found = unfit_destination(to(**wrong), REGION)
    assert found is not None
    assert found[0] == member
    assert (unfit_folder(to(**wrong)) is not None) is also_folders


@pytest.mark.parametrize("prefix", ["/", "/a", "a//b", "..", "a/..", "a/../b/", ".", "a//"])
def test_a_prefix_of_folders_stays_below_its_bucket(prefix):
    assert unfit_folder(to(key_prefix=prefix)) is not None


def test_a_key_has_one_slash_after_its_prefix():
    assert [key_below(prefix, "x") for prefix in ("", "a", "a/")] == ["x", "a/x", "a/x"]
