"""What is watched: an instance, an image, a function, whoever's it is.

Source: Inspector's API reference, Resource and ResourceDetails; `id` has the forms of the service's own ids.
"""

from typing import Literal, NewType

from msgspec import Struct

from openinspector.model.environment import Posture

AccountId = NewType("AccountId", str)  # 12 digits

ResourceType = Literal[
    "AWS_EC2_INSTANCE",
    "AWS_ECR_CONTAINER_IMAGE",
    "AWS_ECR_REPOSITORY",
    "AWS_LAMBDA_FUNCTION",
    "MACHINE_IMAGE",
    "CODE_REPOSITORY",
]


class Ec2Instance(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="instance"):
    """`AwsEc2InstanceDetails`."""

    instance_type: str = ""
    image_id: str = ""
    ipv4_addresses: tuple[str, ...] = ()  # private and public
    ipv6_addresses: tuple[str, ...] = ()
    key_name: str = ""
    instance_profile_arn: str = ""
    vpc_id: str = ""
    subnet_id: str = ""
    launched_at: str = ""  # as every time here: ISO 8601 in UTC


class EcrImage(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="image"):
    """`AwsEcrContainerImageDetails`."""

    repository: str
    digest: str  # `sha256:…`
    registry: str  # account id
    tags: tuple[str, ...] = ()
    pushed_at: str = ""
    author: str = ""
    architecture: str = ""  # `amd64`
    last_in_use_at: str = ""
    in_use_count: int = 0


class LambdaFunction(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="function"):
    """`AwsLambdaFunctionDetails`."""

    name: str
    runtime: str  # as Lambda writes it, `python3.12`
    code_sha256: str
    version: str = "$LATEST"
    role_arn: str = ""
    layers: tuple[str, ...] = ()
    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    vpc_id: str = ""
    package_type: Literal["ZIP", "IMAGE"] = "ZIP"
    architectures: tuple[str, ...] = ()
    last_modified_at: str = ""


class Resource(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One resource of one account in one region. `platform` is the service's word, `AMAZON_LINUX_2023`.

    `posture` is how its network was found to lie around it, None where nobody has looked.
    """

    account: AccountId
    region: str
    type: ResourceType
    id: str  # `i-…`, the ARN of an image or a function
    partition: str = "aws"
    tags: dict[str, str] = {}
    platform: str = ""
    posture: Posture | None = None
    details: Ec2Instance | EcrImage | LambdaFunction | None = None
