"""ARNs that callers name things by, read back to the ids in them."""

from uuid import UUID


def uuid_of(arn: str) -> str:
    """The UUID at an ARN's end, as we spell them; "" where there is none."""
    try:
        return str(UUID(arn.rpartition("/")[2]))
    except ValueError:
        return ""
