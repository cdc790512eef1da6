"""What scanning an account came to, and what it would have cost.

Source: Amazon Inspector's public price list for its main regions (an hour is a 720th of a month; the estimates of the
samples in the AWS CLI's reference of `list-usage-totals` come of these very numbers); its API reference (Usage); the
user guide, "Monitoring usage and cost": what is projected takes no account of a free trial.
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
MONTH: Final = 720  # hours

# US dollars for an hour or a scan. What has no price here has none that is public and certain, and is told without.
PRICES: Final[Prices] = {
    "EC2_INSTANCE_HOURS": 1.25 / MONTH,
    "EC2_AGENTLESS_INSTANCE_HOURS": 1.75 / MONTH,
    "ECR_INITIAL_SCAN": 0.09,
    "ECR_RESCAN": 0.01,
    "LAMBDA_FUNCTION_HOURS": 0.30 / MONTH,
    "LAMBDA_FUNCTION_CODE_HOURS": 0.60 / MONTH,
}

# Whose free trial it is that something is used in; a scan of a machine image that somebody asks for has none.
TRIAL_TYPES: Final[Mapping[UsageType, str]] = {
    "EC2_INSTANCE_HOURS": "EC2",
    "EC2_AGENTLESS_INSTANCE_HOURS": "EC2",
    "EC2_AMI_HOURS": "MACHINE_IMAGE",
    "ECR_INITIAL_SCAN": "ECR",
    "ECR_RESCAN": "ECR",
    "LAMBDA_FUNCTION_HOURS": "LAMBDA",
    "LAMBDA_FUNCTION_CODE_HOURS": "LAMBDA_CODE",
    "CODE_REPOSITORY_SAST": "CODE_REPOSITORY",
    "CODE_REPOSITORY_IAC": "CODE_REPOSITORY",
    "CODE_REPOSITORY_SCA": "CODE_REPOSITORY",
}


class Usage(Struct, frozen=True, kw_only=True):
    """Hours or scans of one type in some last days.

    `days` are those since the first with any, today included; `free` is what of `total` fell into the free trial, and
    `running` how many resources are counted by the hour at present.
    """

    type: UsageType
    total: float
    days: int
    free: float = 0
    running: int = 0


def monthly_cost(used: Usage, prices: Prices = PRICES) -> float | None:
    """Dollars of 30 days, free trial or not; None where it has no price.

    Hours go on with what is covered now, scans as they came since the first day.
    """
    price = prices.get(used.type)
    if price is None:
        return None
    days = max(used.days, 1)
    if used.type.endswith("_HOURS") and days < DAYS:
        return (used.total + used.running * 24 * (DAYS - days)) * price
    return used.total * price * DAYS / days


def cost_to_date(used: Usage, prices: Prices = PRICES) -> float | None:
    """Dollars of what was used outside of the free trial; None where it has no price."""
    price = prices.get(used.type)
    return None if price is None else max(used.total - used.free, 0) * price
