"""What scanning an account came to, and what it would have cost.

Source: Amazon Inspector's public price list for its main regions (an hour is a 720th of a month), and its API reference
(Usage).
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

UsageType = Literal[
    "EC2_INSTANCE_HOURS",
    "EC2_AGENTLESS_INSTANCE_HOURS",
    "EC2_AMI_HOURS",
    "EC2_AMI_ONE_SHOT_SCAN",
    "ECR_INITIAL_SCAN",
    "ECR_RESCAN",
    "LAMBDA_FUNCTION_HOURS",
    "LAMBDA_FUNCTION_CODE_HOURS",
    "CODE_REPOSITORY_SAST",
    "CODE_REPOSITORY_IAC",
    "CODE_REPOSITORY_SCA",
    "AZURE_VM_AGENT_BASED_INSTANCE_HOURS",
    "AZURE_CONTAINER_IMAGE_INITIAL_SCAN",
    "AZURE_CONTAINER_IMAGE_RESCAN",
    "AZURE_SERVERLESS_FUNCTION_HOURS",
    "GCP_VM_AGENT_BASED_INSTANCE_HOURS",
    "GCP_CLOUD_RUN_HOURS",
    "GCP_CONTAINER_IMAGE_INITIAL_SCAN",
    "GCP_CONTAINER_IMAGE_RESCAN",
]
Prices = Mapping[UsageType, float]

DAYS: Final = 30  # of a month, and of what is told of usage

# US dollars for an hour or a scan. What has no price here has none that is public and certain, and is told without.
PRICES: Final[Prices] = {
    "EC2_INSTANCE_HOURS": 0.00174,
    "EC2_AGENTLESS_INSTANCE_HOURS": 0.00244,
    "ECR_INITIAL_SCAN": 0.09,
    "ECR_RESCAN": 0.01,
    "LAMBDA_FUNCTION_HOURS": 0.30 / 720,
    "LAMBDA_FUNCTION_CODE_HOURS": 0.60 / 720,
}


class Usage(Struct, frozen=True, kw_only=True):
    """Hours or scans of one type in the last `DAYS` days. `days` are those since the first with any, today included."""

    type: UsageType
    total: float
    days: int


def monthly_cost(used: Usage, prices: Prices = PRICES) -> float | None:
    """Dollars a month, if it goes on as since the first day; None where it has no price."""
    price = prices.get(used.type)
    return None if price is None else used.total * price * DAYS / max(used.days, 1)
