"""ARNs of what the service makes."""

import pytest

from openinspector.model.arn import own_arn, parse_arn, partition_of


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-east-1", "aws")],
)
def test_a_region_lies_in_a_partition(region, partition):
    assert partition_of(region) == partition


def test_an_arn_reads_as_it_was_written():
    written = own_arn("cn-north-1", "111122223333", "owner/o-abcdefghij/filter/0123456789abcdef")
    assert written == "arn:aws-cn:inspector2:cn-north-1:111122223333:owner/o-abcdefghij/filter/0123456789abcdef"
    assert parse_arn(written) == ("aws-cn", "cn-north-1", "111122223333", "owner/o-abcdefghij/filter/0123456789abcdef")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "arn:aws:inspector2",
        "arn:aws:s3:eu-west-1:111122223333:x",
        "arn:aws:inspector2:eu-west-1:1111:x",
        "arn:aws:inspector2:eu-west-1:111122223333:",
        "arn:aws:inspector2:eu-west-1:111122223333:two words",
        "arn:aws:inspector2:eu-west-1:111122223333:x\n",
        "arn:aws:inspector2:eu-west-1:１１１１２２２２３３３３:x",
    ],
)
def test_what_is_no_arn_of_ours_is_none(text):
    assert parse_arn(text) is None
