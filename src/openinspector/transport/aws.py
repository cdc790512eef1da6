"""Clients of AWS, or of what answers in its stead.

Credentials come from where boto3 finds them: the environment, its files, the role of the machine.
"""

from typing import Any, Final, Literal

from msgspec import Struct

CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60
ATTEMPTS: Final = 3  # of each call


class Endpoint(Struct, frozen=True, kw_only=True):
    """Where AWS is: a region, and the address of every service where they aren't AWS's own."""

    region: str
    url: str = ""


def client(service: Literal["s3", "kms"], endpoint: Endpoint) -> Any:
    """A client, which may be used from several threads; `close` it."""
    import boto3
    from botocore.config import Config

    settings = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        user_agent_extra="openinspector",
        # Of a bucket as part of the host's name only AWS's own addresses know.
        s3={"addressing_style": "path" if endpoint.url else "auto"},
    )
    # A session of its own: boto3's common one isn't for several threads.
    session = boto3.session.Session()
    return session.client(service, region_name=endpoint.region, endpoint_url=endpoint.url or None, config=settings)
