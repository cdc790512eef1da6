"""Which finding this is: its ARN follows from what it is about, and from when it was first seen.

The moment of the first observation tells incarnations apart: a finding that is reopened keeps it, and so its ARN; what
comes back too late to be reopened is a new finding with a new one. (A counter would start again once the old finding is
forgotten, and give its ARN to another finding.) Whoever evaluates the same things at the same moment gets the same ARN,
so doing it twice doubles nothing.
"""

from hashlib import sha256

from openinspector.model.resource import Resource


def finding_arn(resource: Resource, key: str, first_observed_at: str) -> str:
    """`arn:aws:inspector2:<region>:<account>:finding/<32 hexadecimal digits>`; the account is the resource's.

    The digits are the first 128 bits of the SHA-256 of the six parts, each behind its length in characters, so that no
    two lists of parts are spelt alike. In PostgreSQL that is `encode(substr(sha256(convert_to(length(a) || ':' || a ||
    …, 'UTF8')), 1, 16), 'hex')`.
    """
    parts = (resource.partition, resource.region, resource.account, resource.id, key, first_observed_at)
    spelt = "".join(f"{len(part)}:{part}" for part in parts)
    # Lone surrogates have no UTF-8; the lengths keep their escapes apart from the same characters written out.
    digits = sha256(spelt.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    return f"arn:{resource.partition}:inspector2:{resource.region}:{resource.account}:finding/{digits}"
