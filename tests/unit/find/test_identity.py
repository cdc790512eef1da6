"""The ARN of a finding."""

import re

import pytest
from msgspec.structs import replace

from openinspector.find.identity import finding_arn
from openinspector.model.resource import Resource

INSTANCE = Resource(account="111122223333", region="eu-central-1", type="AWS_EC2_INSTANCE", id="i-0abc")
FIRST = "2026-03-01T12:00:00.000000Z"


def test_an_arn_names_partition_region_and_the_account_of_the_resource():
    arn = finding_arn(replace(INSTANCE, partition="aws-cn", region="cn-north-1"), "CVE-2026-1", FIRST)
    assert re.fullmatch(r"arn:aws-cn:inspector2:cn-north-1:111122223333:finding/[0-9a-f]{32}", arn)
    assert len(arn) <= 100


def test_an_arn_is_the_same_for_ever():
    expected = "arn:aws:inspector2:eu-central-1:111122223333:finding/765e70849020cf9f35351df9c6de0f92"
    assert finding_arn(INSTANCE, "CVE-2026-1", FIRST) == expected


def test_what_is_shown_of_a_resource_is_no_part_of_its_identity():
    other = replace(INSTANCE, tags={"a": "b"}, platform="DEBIAN_12")
    assert finding_arn(other, "CVE-2026-1", FIRST) == finding_arn(INSTANCE, "CVE-2026-1", FIRST)


@pytest.mark.parametrize("field", ["partition", "region", "account", "id"])
def test_every_part_of_a_resource_counts(field):
    other = replace(INSTANCE, **{field: "other"})
    assert finding_arn(other, "CVE-2026-1", FIRST)[-32:] != finding_arn(INSTANCE, "CVE-2026-1", FIRST)[-32:]


def test_the_key_and_the_first_moment_count():
    arns = {
        finding_arn(INSTANCE, key, first)
        for key in ("CVE-2026-1", "CVE-2026-2")
        for first in (FIRST, "2026-03-01T12:00:00.000001Z")
    }
    assert len(arns) == 4


@pytest.mark.parametrize(
    ("one", "other"), [(("a", "bc"), ("ab", "c")), (("a1:", "b"), ("a", "1:b")), (("", "ab"), ("ab", ""))]
)
def test_parts_do_not_run_into_each_other(one, other):
    assert finding_arn(replace(INSTANCE, id=one[0]), one[1], FIRST) != finding_arn(
        replace(INSTANCE, id=other[0]), other[1], FIRST
    )


def test_a_name_that_is_no_utf_8_has_an_arn_of_its_own():
    assert finding_arn(INSTANCE, "\udc80", FIRST) != finding_arn(INSTANCE, "\\udc80", FIRST)
