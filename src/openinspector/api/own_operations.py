"""Operations that Inspector's API doesn't have, in the shape of those that it has.

`Ingest`, `POST /ingest`, signed for `inspector2`: what was found on a resource of the caller's own account is handed
in, as an SBOM (CycloneDX or SPDX 2; what isn't JSON comes in a string) or as an inventory (docs/inventory-format.md).
The body may be compressed (`Content-Encoding: gzip`). The answer is given when the findings are written.

    {"resource": {"type": "AWS_EC2_INSTANCE", "id": "i-0123456789abcdef0", "tags": {"team": "web"}},
     "inventory": {"format": "openinspector-inventory/1", …}}

Names and members are those of the API's own `Resource` and `ResourceDetails` where these have them.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from openinspector.api.model import Operation, operations
from openinspector.api.shapes import (
    Boolean,
    Document,
    Integer,
    ListOf,
    MapOf,
    Member,
    Shape,
    Structure,
    Text,
    Timestamp,
)

INGEST: Final = "Ingest"
INGESTED_TYPES: Final = ("AWS_EC2_INSTANCE", "AWS_ECR_CONTAINER_IMAGE", "AWS_LAMBDA_FUNCTION")

_MODELLED: Final = frozenset(
    {"ValidationException", "AccessDeniedException", "ThrottlingException", "InternalServerException"}
)


@cache
def all_operations() -> Mapping[str, Operation]:
    """The operations of both services, and ours."""
    return {**operations(), INGEST: _ingest()}


def _ingest() -> Operation:
    return Operation(
        service="inspector2",
        name=INGEST,
        method="POST",
        path="/ingest",
        status=200,
        input=_request(),
        output=_answer(),
        errors=operations()["ListFindings"].errors,
        modelled=_MODELLED,
    )


def _request() -> Structure:
    return _structure(
        "IngestRequest",
        ("resource",),
        accountId=_text("AccountId", 12, 12, r"[0-9]{12}"),
        resource=_resource(),
        scanMode=Text("ScanMode", choices=("EC2_SSM_AGENT_BASED", "EC2_AGENTLESS")),
        sbom=Document("Sbom"),
        inventory=Document("Inventory"),
    )


def _resource() -> Structure:
    return _structure(
        "IngestedResource",
        ("type", "id"),
        type=Text("ResourceType", choices=INGESTED_TYPES),
        id=_text("ResourceId", 10, 1024),
        region=_text("Region", 1, 64),
        partition=Text("Partition", choices=("aws", "aws-cn", "aws-us-gov")),
        tags=MapOf("TagMap", _text("TagKey", 1, 128), _text("TagValue", 0, 256), 0, 50),
        platform=_text("Platform", 1, 1024),
        details=_structure(
            "IngestedDetails", awsEc2Instance=_instance(), awsEcrContainerImage=_image(), awsLambdaFunction=_function()
        ),
    )


def _instance() -> Structure:
    return _structure(
        "IngestedInstance",
        type=_WORD,
        imageId=_WORD,
        ipV4Addresses=_words("IpV4AddressList"),
        ipV6Addresses=_words("IpV6AddressList"),
        keyName=_WORD,
        iamInstanceProfileArn=_WORD,
        vpcId=_WORD,
        subnetId=_WORD,
        launchedAt=_MOMENT,
    )


def _image() -> Structure:
    return _structure(
        "IngestedImage",
        imageTags=_words("ImageTagList", 1000),
        pushedAt=_MOMENT,
        author=_WORD,
        architecture=_WORD,
        lastInUseAt=_MOMENT,
        inUseCount=Integer("Long", 32, 0),
    )


def _function() -> Structure:
    return _structure(
        "IngestedFunction",
        ("functionName", "runtime", "codeSha256"),
        functionName=_WORD,
        runtime=_WORD,
        codeSha256=_WORD,
        version=_WORD,
        executionRoleArn=_WORD,
        layers=_words("LayerList"),
        vpcConfig=_structure(
            "IngestedVpcConfig", subnetIds=_words("SubnetIds"), securityGroupIds=_words("GroupIds"), vpcId=_WORD
        ),
        packageType=Text("PackageType", choices=("ZIP", "IMAGE")),
        architectures=_words("ArchitectureList"),
        lastModifiedAt=_MOMENT,
    )


def _answer() -> Structure:
    """How many findings became what, `status` of the inventory, and how many doubts there are about it."""
    count = Integer("Count", 64)
    counts: dict[str, Shape] = dict.fromkeys(
        ("packages", "opened", "reopened", "updated", "suppressed", "unsuppressed", "closed", "problems"), count
    )
    return _structure(
        "IngestResponse",
        ("status", "superseded", *counts),
        status=Text("InventoryStatus", choices=("whole", "partial", "failed")),
        superseded=Boolean("Superseded"),
        **counts,
    )


def _text(name: str, shortest: int, longest: int, pattern: str | None = None) -> Text:
    return Text(name, shortest, longest, pattern)


def _words(name: str, most: int = 100) -> ListOf:
    return ListOf(name, _WORD, 0, most)


def _structure(name: str, required: tuple[str, ...] = (), /, **members: Shape) -> Structure:
    return Structure(name, {each: Member(each, shape, "body", each) for each, shape in members.items()}, required)


_WORD: Final = _text("NonEmptyString", 1, 1024)
_MOMENT: Final = Timestamp("DateTimeTimestamp")
