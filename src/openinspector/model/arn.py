"""ARNs of what the service itself makes: filters, configurations, integrations, connectors.

Source: the ARN forms of Inspector's API reference and of its service authorization reference.
"""

import re
from typing import Final, NamedTuple

_ARN: Final = re.compile(r"arn:(aws[a-z-]*):inspector2:([a-z0-9-]+):(\d{12}):([\x21-\x7e]+)", re.ASCII)


class Arn(NamedTuple):
    """An ARN of this service in parts. `resource` is all behind the account: `owner/111122223333/filter/0123…`."""

    partition: str
    region: str
    account: str
    resource: str


def partition_of(region: str) -> str:
    """The partition that a region lies in: `aws-cn` for `cn-north-1`."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def own_arn(region: str, account: str, resource: str) -> str:
    """The ARN of something that the service made."""
    return f"arn:{partition_of(region)}:inspector2:{region}:{account}:{resource}"


def parse_arn(text: str) -> Arn | None:
    """The parts of an ARN of this service; None for any other text."""
    found = _ARN.fullmatch(text)
    return Arn(*found.groups()) if found else None
