"""Resources as somebody names them."""

import pytest

from openinspector.errors import UsageError
from openinspector.model.resource import EcrImage
from openinspector.pipeline.named import resource_named

OURS, REGION = "111122223333", "us-east-1"
DIGEST = "sha256:" + "a" * 64


def image(account=OURS, region=REGION, partition="aws", rest=f"team/app/{DIGEST}"):
    return f"arn:{partition}:ecr:{region}:{account}:repository/{rest}"


def function(account=OURS, region=REGION):
    return f"arn:aws:lambda:{region}:{account}:function:demo:$LATEST"


def test_an_image_is_told_by_its_arn():
    named = resource_named(OURS, REGION, "AWS_ECR_CONTAINER_IMAGE", image())
    assert named.details == EcrImage(repository="team/app", digest=DIGEST, registry=OURS)
    told = EcrImage(repository="other", digest="other", registry="other", tags=("1",))
    named = resource_named(OURS, REGION, "AWS_ECR_CONTAINER_IMAGE", image(), details=told)
    assert named.details == EcrImage(repository="team/app", digest=DIGEST, registry=OURS, tags=("1",))


def test_the_partition_is_that_of_the_arn():
    assert resource_named(OURS, REGION, "AWS_EC2_INSTANCE", "i-01234567").partition == "aws"
    chinese = image(partition="aws-cn", region="cn-north-1")
    assert resource_named(OURS, "cn-north-1", "AWS_ECR_CONTAINER_IMAGE", chinese).partition == "aws-cn"
    with pytest.raises(UsageError, match="none of account"):
        resource_named(OURS, "cn-north-1", "AWS_ECR_CONTAINER_IMAGE", chinese, partition="aws")


@pytest.mark.parametrize(
    ("kind", "identity"),
    [
        ("AWS_EC2_INSTANCE", "i-0123"),
        ("AWS_EC2_INSTANCE", "i-0123456789abcdef0\n"),
        ("AWS_EC2_INSTANCE", "host.example"),
        ("AWS_ECR_CONTAINER_IMAGE", image(rest="app")),
        ("AWS_ECR_CONTAINER_IMAGE", image(rest="app/sha256:abc")),
        ("AWS_ECR_CONTAINER_IMAGE", image(account="999988887777")),
        ("AWS_ECR_CONTAINER_IMAGE", image(region="eu-west-1")),
        ("AWS_LAMBDA_FUNCTION", "demo"),
        ("AWS_LAMBDA_FUNCTION", function(account="999988887777")),
        ("AWS_LAMBDA_FUNCTION", function(region="eu-west-1")),
        ("AWS_ECR_REPOSITORY", f"arn:aws:ecr:{REGION}:{OURS}:repository/app"),
        ("CODE_REPOSITORY", "x"),
    ],
)
def test_what_is_no_id_or_somebody_elses_is_refused(kind, identity):
    with pytest.raises(UsageError):
        resource_named(OURS, REGION, kind, identity)
